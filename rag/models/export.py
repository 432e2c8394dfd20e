"""Turns a BERT encoder's safetensors into one fused ONNX file, without torch.

Importing torch takes about ten seconds and 470 MB; the graph of a BERT encoder is short enough to be written
down. Word vectors and mask go in, pooled and L2-normalised vectors come out, so that the query path needs
only onnxruntime and tokenizers. The table of word vectors stays in the weights file and is memory-mapped: of
250,000 words in many languages it costs those that are looked up. Attention, residual normalisation and
activation are the fused operators that onnxruntime documents in its ContribOperators.md; the arithmetic is
that of Devlin et al. 2019 (arXiv:1810.04805), checked against sentence-transformers in the tests."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.errors import ModelError, ModelMismatch, StorageError
from rag.files import verified_sha256, write_atomically
from rag.models.packed import PackedEncoder, WordTable, is_packed
from rag.models.registry import EmbedderFiles

# Part of the file's name in the cache: a graph written by another version of this module is not looked at.
EXPORT_VERSION = 2
_WORDS = "embeddings.word_embeddings.weight"
_BLOCK = 32
# Of onnxruntime's products; its accuracy level 4 stands for inputs of eight bits.
_FOUR_BITS = f"bits = 4, block_size = {_BLOCK}, accuracy_level = 4"
_KINDS = {"F16": "<f2", "F32": "<f4"}

Weights = Mapping[str, NDArray[Any]]


def can_export(files: EmbedderFiles) -> bool:
    """Whether the model is one that this module writes: a BERT encoder with absolute positions and exact
    GELU, weights in one safetensors or packed file, a fast tokenizer, mean or CLS pooling, then
    normalisation."""
    config = files.config
    return (
        files.tokenizer is not None
        and (files.weights.suffix == ".safetensors" or is_packed(files.weights))
        and files.normalised
        and files.pooling in ("mean", "cls")
        and config.get("model_type") == "bert"
        and config.get("position_embedding_type", "absolute") == "absolute"
        and config.get("hidden_act") == "gelu"
    )


def exported(files: EmbedderFiles, cache_dir: Path) -> Path | bytes:
    """The graph as a file of the cache, written on the first call (about a second); as bytes where the cache
    cannot be written. The name says of which weights it is, and its own SHA-256: one that is damaged is
    written anew, and two processes may do it at once. Raises ModelError when the weights are not those of a
    BERT encoder."""
    folder, stem = cache_dir / "onnx", f"{files.info.fingerprint}-v{EXPORT_VERSION}-"
    with contextlib.suppress(OSError):
        for path in folder.glob(f"{stem}*.onnx"):
            if verified_sha256(path, cache_dir) == path.stem.removeprefix(stem):
                return path
    data = build_graph(files)
    path = folder / f"{stem}{hashlib.sha256(data).hexdigest()}.onnx"
    try:
        write_atomically(path, data)
    except StorageError:
        return data
    return path


def build_graph(files: EmbedderFiles) -> bytes:
    """The serialised model: inputs `words` (batch, length, dimension) float32, rows of the word table, and
    `attention_mask` (batch, length) int32, padded on the right; outputs `embedding` (batch, dimension)
    float32, rows L2-normalised, and `tokens`, the last layer (batch, length, dimension)."""
    weights = _read_weights(files.weights)
    try:
        data: bytes = _Graph(files.config, weights).build(files.pooling).SerializeToString()
    except KeyError as error:
        raise _without(files.weights, error) from error
    return data


def word_table(weights: Path) -> NDArray[Any] | WordTable:
    """(vocabulary, dimension), memory-mapped: `table[ids]` gives rows. Raises ModelMismatch where the weights
    hold none, ModelError where they cannot be read."""
    if is_packed(weights):
        return PackedEncoder(weights).words()
    try:
        with weights.open("rb") as file:
            start = 8 + int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(start - 8))
        tensors = {name.removeprefix("bert."): entry for name, entry in header.items()}
        words = tensors[_WORDS]
        kind, shape = _KINDS[words["dtype"]], tuple(words["shape"])
        return np.memmap(weights, kind, "r", start + int(words["data_offsets"][0]), shape)
    except KeyError as error:
        raise _without(weights, error) from error
    except (OSError, ValueError, TypeError, AttributeError, MemoryError) as error:
        raise _unreadable(weights, error) from error


def _read_weights(path: Path) -> Weights:
    """All tensors but the word table."""
    if is_packed(path):
        return PackedEncoder(path).weights()
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            names = {name.removeprefix("bert."): name for name in file.keys()}  # noqa: SIM118  (no mapping)
            return {short: file.get_tensor(name) for short, name in names.items() if short != _WORDS}
    except (SafetensorError, OSError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> ModelError:
    return ModelError(f"{path} cannot be read as safetensors ({error}); fetch the model again")


def _without(path: Path, error: KeyError) -> ModelMismatch:
    return ModelMismatch(f"{path} has no tensor {error}; it is not the encoder of its config.json")


def _four_bits(weight: NDArray[np.float32]) -> tuple[NDArray[np.uint8], NDArray[np.float32]] | None:
    """Codes (out, blocks, 16), two to a byte, and scales (out * blocks) of a weight (out, in) each of whose
    blocks of 32 is a scale times whole numbers from -8 to 7, -8 among them (Q4_0); None for any other."""
    if weight.shape[1] % _BLOCK:
        return None
    blocks = weight.reshape(len(weight), -1, _BLOCK)
    largest = np.take_along_axis(blocks, np.abs(blocks).argmax(axis=2, keepdims=True), axis=2)
    scales = np.where(largest == 0, np.float32(1), largest / np.float32(-8))
    codes = np.clip(np.rint(blocks / scales), -8, 7)
    if (codes * scales != blocks).any():
        return None
    whole: NDArray[np.uint8] = (codes + 8).astype(np.uint8)
    packed: NDArray[np.uint8] = np.bitwise_or(whole[..., 0::2], whole[..., 1::2] * np.uint8(16))
    return packed, scales.astype(np.float32).reshape(-1)


_HEAD = """<ir_version: 8, opset_import: ["" : 18, "com.microsoft" : 1]>
encoder (float[batch, length, {width}] words, int32[batch, length] attention_mask)
    => (float[batch, {width}] embedding, float[batch, length, {width}] tokens) {{
"""
_MEAN = """
mask = Cast <to = 1> (attention_mask)
row = Unsqueeze (mask, one)
total = MatMul (row, tokens)
pooled = Squeeze (total, one)
"""


class _Graph:
    """The encoder from its input to its output in ONNX's own text form, a line a node, and the constants that
    the lines name."""

    def __init__(self, config: Mapping[str, Any], weights: Weights) -> None:
        self.config, self.weights = config, weights
        self.lines: list[str] = []
        self.constants: dict[str, NDArray[Any]] = {"zero": np.array([0]), "one": np.array([1])}

    def build(self, pooling: str) -> Any:
        """`pooling` "cls": the first token's vector; else the mean over the row's own tokens, as a product of
        mask and layer: dividing by the length would not change the direction."""
        from onnx import numpy_helper
        from onnx.parser import parse_model

        hidden = self._embeddings()
        for layer in range(int(self.config["num_hidden_layers"])):
            hidden = self._layer(hidden, f"encoder.layer.{layer}", f"layer{layer}")
        self._add("tokens", f"Identity ({hidden})")
        self.lines.append("pooled = Gather <axis = 1> (tokens, first)" if pooling == "cls" else _MEAN)
        self.constants |= {"first": np.array(0)} if pooling == "cls" else {}
        self._add("embedding", "LpNormalization <axis = 1, p = 2> (pooled)")
        head = _HEAD.format(width=int(self.config["hidden_size"]))
        model = parse_model(head + "\n".join(self.lines) + "\n}")
        for name, array in self.constants.items():
            model.graph.initializer.append(numpy_helper.from_array(np.asarray(array, order="C"), name))
        return model

    def _weight(self, name: str) -> NDArray[np.float32]:
        return np.asarray(self.weights[name], dtype=np.float32)

    def _add(self, name: str, node: str, **constants: NDArray[Any]) -> str:
        """A node whose output has this name, with constants that are named after it."""
        self.lines.append(f"{name} = {node}")
        self.constants |= {f"{name}_{part}": array for part, array in constants.items()}
        return name

    def _normalised(self, inputs: str, skip: str, prefix: str, name: str, **bias: NDArray[Any]) -> str:
        """LayerNorm(inputs + bias + skip)."""
        operands = ", ".join([inputs, skip, *(f"{name}_{part}" for part in ("weight", "shift", *bias))])
        epsilon = float(self.config.get("layer_norm_eps", 1e-12))
        node = f"com.microsoft.SkipLayerNormalization <epsilon = {epsilon:e}> ({operands})"
        weight, shift = (self._weight(f"{prefix}.LayerNorm.{part}") for part in ("weight", "bias"))
        return self._add(name, node, weight=weight, shift=shift, **bias)

    def _embeddings(self) -> str:
        """Word, position and (constant) segment vectors, summed and normalised; and each row's length."""
        # A single passage is segment 0 throughout, so its vector joins the positions.
        positions = self._weight("embeddings.position_embeddings.weight")
        segment = self._weight("embeddings.token_type_embeddings.weight")[0]
        self._add("length", "Shape <start = 1, end = 2> (words)")
        self._add("places", "Slice (places_table, zero, length)", table=positions + segment)
        self._add("skip", "Unsqueeze (places, zero)")
        self._add("lengths", "ReduceSum <keepdims = 0> (attention_mask, one)")
        return self._normalised("words", "skip", "embeddings", "embedded")

    def _layer(self, hidden: str, prefix: str, name: str) -> str:
        attention, heads = f"{prefix}.attention", int(self.config["num_attention_heads"])
        names = [f"{attention}.self.{part}" for part in ("query", "key", "value")]
        qkv = np.concatenate([self._weight(f"{each}.weight") for each in names])
        bias = np.concatenate([self._weight(f"{each}.bias") for each in names])
        mixed, kind, operands = f"{name}_mixed", "Attention", f"{hidden}, {name}_mixed_qkv"
        constants = {"qkv": qkv.T, "bias": bias}
        if _four_bits(qkv) is not None:
            kind, operands = "MultiHeadAttention", f"{name}_query, {name}_key, {name}_value"
            product = self._product(hidden, qkv, f"{name}_qkv")
            self.lines.append(f"{operands} = Split <axis = 2, num_outputs = 3> ({product})")
            del constants["qkv"]
        node = f"com.microsoft.{kind} <num_heads = {heads}> ({operands}, {mixed}_bias, lengths)"
        self._add(mixed, node, **constants)
        hidden = self._residual(mixed, hidden, f"{attention}.output", f"{name}_attended")
        inner = self._product(hidden, self._weight(f"{prefix}.intermediate.dense.weight"), f"{name}_inner")
        inner_bias = self._weight(f"{prefix}.intermediate.dense.bias")
        active = f"{name}_active"
        self._add(active, f"com.microsoft.BiasGelu ({inner}, {active}_bias)", bias=inner_bias)
        return self._residual(active, hidden, f"{prefix}.output", f"{name}_out")

    def _residual(self, inputs: str, skip: str, prefix: str, name: str) -> str:
        product = self._product(inputs, self._weight(f"{prefix}.dense.weight"), f"{name}_product")
        return self._normalised(product, skip, prefix, name, bias=self._weight(f"{prefix}.dense.bias"))

    def _product(self, inputs: str, weight: NDArray[np.float32], name: str) -> str:
        """`inputs` times the transposed `weight` (out, in): in four bits, with inputs of eight, where the
        weight is of those; a row of inputs never depends on another."""
        blocks = _four_bits(weight)
        if blocks is None:
            return self._add(name, f"MatMul ({inputs}, {name}_weight)", weight=weight.T)
        sizes = f"N = {weight.shape[0]}, K = {weight.shape[1]}, {_FOUR_BITS}"
        node = f"com.microsoft.MatMulNBits <{sizes}> ({inputs}, {name}_codes, {name}_scales)"
        return self._add(name, node, codes=blocks[0], scales=blocks[1])
