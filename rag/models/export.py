"""Turns a BERT encoder's safetensors into one fused ONNX file, without torch.

Importing torch takes about ten seconds and 470 MB; the graph of a BERT encoder is short enough to be written
down. Word vectors and mask go in, pooled and L2-normalised vectors come out, so that the query path needs
only onnxruntime and tokenizers. The table of word vectors stays in the weights file and is memory-mapped: of
250,000 words in many languages it costs those that are looked up. Attention, residual normalisation and
activation are the fused operators that onnxruntime documents in its ContribOperators.md; the arithmetic is
that of Devlin et al. 2019 (arXiv:1810.04805), checked against sentence-transformers in the tests."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.errors import ModelError, ModelMismatch
from rag.files import write_atomically
from rag.models.packed import PackedEncoder, WordTable, is_packed
from rag.models.registry import EmbedderFiles, verified_sha256

# Part of the folder's name in the cache: a graph written by another version of this module is not looked at.
EXPORT_VERSION = 2
MODEL_FILE = "model.onnx"
MANIFEST_FILE = "manifest.json"

_CONTRIB = "com.microsoft"
_OPSET = 18
_WORDS = "embeddings.word_embeddings.weight"
_BLOCK = 32
# Of onnxruntime's products; its accuracy level 4 stands for inputs of eight bits.
_FOUR_BITS = {"bits": 4, "block_size": _BLOCK, "accuracy_level": 4}
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


def export_embedder(files: EmbedderFiles, cache_dir: Path) -> Path:
    """The folder with `model.onnx` and `manifest.json`; written on the first call (about a second).

    Each file is written in one step, the manifest with the SHA-256 of the other last, so that no reader ever
    takes half a model, and two processes may do it at once. A damaged export is replaced. Raises StorageError
    when the cache cannot be written, ModelError when the weights are not those of a BERT encoder."""
    folder = cache_dir / "onnx" / f"{files.fingerprint}-v{EXPORT_VERSION}"
    if _is_sound(folder, cache_dir):
        return folder
    data = build_graph(files)
    manifest = {
        "name": files.name,
        "source": files.fingerprint,
        "export": EXPORT_VERSION,
        "sha256": hashlib.sha256(data).hexdigest(),
    }
    write_atomically(folder / MODEL_FILE, data)
    write_atomically(folder / MANIFEST_FILE, json.dumps(manifest, indent=1).encode())
    return folder


def _is_sound(folder: Path, cache_dir: Path) -> bool:
    try:
        manifest = json.loads((folder / MANIFEST_FILE).read_text("utf-8"))
        return bool(verified_sha256(folder / MODEL_FILE, cache_dir) == manifest["sha256"])
    except (OSError, ValueError, KeyError, TypeError):
        return False


def build_graph(files: EmbedderFiles) -> bytes:
    """The serialised model: inputs `words` (batch, length, dimension) float32, rows of the word table, and
    `attention_mask` (batch, length) int32, padded on the right; outputs `embedding` (batch, dimension)
    float32, rows L2-normalised, and `tokens`, the last layer (batch, length, dimension)."""
    weights = _read_weights(files.weights)
    try:
        data: bytes = _Graph(files.config, weights, pooling=files.pooling).build().SerializeToString()
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
    return ModelMismatch(
        f"{path} has no tensor {error}; it is not the encoder that its config.json describes"
    )


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


class _Graph:
    """Collects nodes and weights while the encoder is written down from its input to its output."""

    def __init__(self, config: Mapping[str, Any], weights: Weights, *, pooling: str) -> None:
        import onnx

        self.onnx: Any = onnx
        self.config = config
        self.weights = weights
        self.pooling = pooling
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.epsilon = float(config.get("layer_norm_eps", 1e-12))

    def build(self) -> Any:
        hidden, lengths = self._embeddings()
        for layer in range(int(self.config["num_hidden_layers"])):
            hidden = self._layer(hidden, lengths, f"encoder.layer.{layer}")
        self._node("Identity", [hidden], "tokens")
        self._node("LpNormalization", [self._pooled(hidden)], "embedding", axis=1, p=2)
        helper, kinds = self.onnx.helper, self.onnx.TensorProto
        value, shape = helper.make_tensor_value_info, ["batch", "length"]
        width = int(self.config["hidden_size"])
        given = [value("words", kinds.FLOAT, [*shape, width]), value("attention_mask", kinds.INT32, shape)]
        out = [
            value("embedding", kinds.FLOAT, ["batch", width]),
            value("tokens", kinds.FLOAT, [*shape, width]),
        ]
        graph = helper.make_graph(self.nodes, "encoder", given, out, self.constants)
        opsets = [helper.make_opsetid("", _OPSET), helper.make_opsetid(_CONTRIB, 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=8)

    def _weight(self, name: str) -> NDArray[np.float32]:
        return np.asarray(self.weights[name], dtype=np.float32)

    def _constant(self, name: str, array: NDArray[Any]) -> str:
        self.constants.append(self.onnx.numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def _parameter(self, name: str) -> str:
        return self._constant(name, self._weight(name))

    def _node(self, kind: str, inputs: list[str], *outputs: str, domain: str = "", **attributes: Any) -> str:
        self.nodes.append(self.onnx.helper.make_node(kind, inputs, outputs, domain=domain, **attributes))
        return outputs[0]

    def _embeddings(self) -> tuple[str, str]:
        """Word, position and (constant) segment vectors, summed and normalised; and each row's length."""
        # A single passage is segment 0 throughout, so its vector joins the positions.
        positions = self._weight("embeddings.position_embeddings.weight")
        segment = self._weight("embeddings.token_type_embeddings.weight")[0]
        zero, row = (self._constant(f"axis_{n}", np.array([n], dtype=np.int64)) for n in (0, 1))
        length = self._node("Shape", ["words"], "length", start=1, end=2)
        places = self._node(
            "Slice", [self._constant("positions", positions + segment), zero, length], "places"
        )
        normalisation = [self._parameter(f"embeddings.LayerNorm.{part}") for part in ("weight", "bias")]
        operands = ["words", self._node("Unsqueeze", [places, zero], "skip"), *normalisation]
        kind = "SkipLayerNormalization"
        embedded = self._node(kind, operands, "embedded", domain=_CONTRIB, epsilon=self.epsilon)
        return embedded, self._node("ReduceSum", ["attention_mask", row], "lengths", keepdims=0)

    def _layer(self, hidden: str, lengths: str, prefix: str) -> str:
        attention = f"{prefix}.attention"
        names = [f"{attention}.self.{part}" for part in ("query", "key", "value")]
        qkv = np.concatenate([self._weight(f"{name}.weight") for name in names])
        bias = np.concatenate([self._weight(f"{name}.bias") for name in names])
        mixed = self._attention(
            hidden, qkv, self._constant(f"{attention}.qkv.bias", bias), lengths, attention
        )
        hidden = self._residual(mixed, hidden, f"{attention}.output")
        inner = self._dense(hidden, f"{prefix}.intermediate.dense")
        inner_bias = self._parameter(f"{prefix}.intermediate.dense.bias")
        active = self._node("BiasGelu", [inner, inner_bias], f"{prefix}.active", domain=_CONTRIB)
        return self._residual(active, hidden, f"{prefix}.output")

    def _attention(self, hidden: str, qkv: NDArray[np.float32], bias: str, lengths: str, name: str) -> str:
        heads, mixed = int(self.config["num_attention_heads"]), f"{name}.mixed"
        if _four_bits(qkv) is None:
            inputs = [hidden, self._constant(f"{name}.qkv", qkv.T), bias, lengths]
            return self._node("Attention", inputs, mixed, domain=_CONTRIB, num_heads=heads)
        parts = [f"{name}.{part}" for part in ("query", "key", "value")]
        self._node("Split", [self._product(hidden, qkv, f"{name}.qkv")], *parts, axis=2, num_outputs=3)
        inputs = [*parts, bias, lengths]
        return self._node("MultiHeadAttention", inputs, mixed, domain=_CONTRIB, num_heads=heads)

    def _dense(self, inputs: str, name: str) -> str:
        return self._product(inputs, self._weight(f"{name}.weight"), name)

    def _product(self, inputs: str, weight: NDArray[np.float32], name: str) -> str:
        """`inputs` times the transposed `weight` (out, in): in four bits, with inputs of eight, where the
        weight is of those; a row of inputs never depends on another."""
        blocks = _four_bits(weight)
        if blocks is None:
            product = [inputs, self._constant(f"{name}.weight", weight.T)]
            return self._node("MatMul", product, f"{name}.product")
        stored = [self._constant(f"{name}.codes", blocks[0]), self._constant(f"{name}.scales", blocks[1])]
        size = dict(zip("NK", weight.shape, strict=True)) | _FOUR_BITS
        return self._node("MatMulNBits", [inputs, *stored], f"{name}.product", domain=_CONTRIB, **size)

    def _residual(self, inputs: str, skip: str, name: str) -> str:
        """LayerNorm(dense(inputs) + bias + skip)."""
        operands = [
            self._dense(inputs, f"{name}.dense"),
            skip,
            self._parameter(f"{name}.LayerNorm.weight"),
            self._parameter(f"{name}.LayerNorm.bias"),
            self._parameter(f"{name}.dense.bias"),
        ]
        return self._node(
            "SkipLayerNormalization", operands, f"{name}.normalised", domain=_CONTRIB, epsilon=self.epsilon
        )

    def _pooled(self, hidden: str) -> str:
        """The first token's vector, or the mean over the row's own tokens, as a product (1, length) x
        (length, width) per row."""
        if self.pooling == "cls":
            first = self._constant("first", np.array(0, dtype=np.int64))
            return self._node("Gather", [hidden, first], "pooled", axis=1)
        axis = "axis_1"
        mask = self._node("Cast", ["attention_mask"], "mask", to=self.onnx.TensorProto.FLOAT)
        row = self._node("Unsqueeze", [mask, axis], "mask_row")
        total = self._node("MatMul", [row, hidden], "total")
        # Dividing by the length would not change the direction, and the next step normalises.
        return self._node("Squeeze", [total, axis], "pooled")
