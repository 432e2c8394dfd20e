"""A GGUF file's weights as torch tensors, in the layout that the file has.

Nothing is renamed or permuted: the network of `rag.adapt.network` computes as llama.cpp does, so that what is
learned beside a tensor is written back under the tensor's own name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.errors import ModelError

if TYPE_CHECKING:
    from torch import Tensor

# Architectures whose layers are those of `rag.adapt.network`, and whether rotary positions turn neighbouring
# pairs (as llama.cpp stores Llama) or the two halves of a head.
ROTATES_PAIRS = {"llama": True, "qwen2": False, "qwen3": False}
# The linear layers of a block that can learn, in the order of the file.
LINEAR = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")


@dataclass(frozen=True, slots=True)
class Shape:
    """What a network of this kind looks like. `head` is the width of one attention head."""

    architecture: str
    blocks: int
    width: int
    heads: int
    key_heads: int
    head: int
    theta: float
    epsilon: float
    context: int

    @property
    def pairs(self) -> bool:
        return ROTATES_PAIRS[self.architecture]


@dataclass(frozen=True, slots=True)
class Base:
    """Shape and frozen weights by their names in the file."""

    shape: Shape
    tensors: Mapping[str, Tensor]


def read_base(path: Path, dtype: Any = None) -> Base:
    """The weights of a GGUF file in `dtype` (float32 if None); normalisation weights always in float32.

    Raises ModelError for a file that is not GGUF, an architecture that cannot be trained here, a
    quantisation that cannot be read, and where the package gguf is not installed."""
    gguf, torch = need_gguf(), need_torch()
    try:
        reader = gguf.GGUFReader(str(path))
    except (OSError, ValueError, KeyError, IndexError) as error:
        raise ModelError(f"{path} cannot be read as a GGUF file ({error}); use another one") from error
    shape = _shape(path, lambda key, default=None: _field(reader, key, default))
    tensors = {}
    for tensor in reader.tensors:
        try:
            values = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
        except NotImplementedError as error:
            raise ModelError(
                f"{path} holds {tensor.name} as {tensor.tensor_type.name}, which cannot be read for "
                "training; use the same model as F16, Q8_0 or Q4_K_M"
            ) from error
        value = torch.from_numpy(values.astype("float32"))
        tensors[tensor.name] = value if value.dim() == 1 else value.to(dtype or torch.float32)
    return Base(shape, tensors)


def _shape(path: Path, field: Any) -> Shape:
    architecture = str(field("general.architecture", ""))
    if architecture not in ROTATES_PAIRS:
        known = ", ".join(sorted(ROTATES_PAIRS))
        raise ModelError(
            f"{path} has the architecture {architecture or 'unknown'!r}; adapters can be trained for {known}"
        )
    if field(f"{architecture}.expert_count", 0) or field(f"{architecture}.rope.scaling.type", "none") not in (
        "none",
        "",
    ):
        raise ModelError(
            f"{path} uses experts or scaled positions, which cannot be trained here; use a plain model"
        )
    width, heads = (
        int(field(f"{architecture}.embedding_length")),
        int(field(f"{architecture}.attention.head_count")),
    )
    return Shape(
        architecture=architecture,
        blocks=int(field(f"{architecture}.block_count")),
        width=width,
        heads=heads,
        key_heads=int(field(f"{architecture}.attention.head_count_kv", heads)),
        head=int(field(f"{architecture}.attention.key_length", width // heads)),
        theta=float(field(f"{architecture}.rope.freq_base", 10000.0)),
        epsilon=float(field(f"{architecture}.attention.layer_norm_rms_epsilon", 1e-5)),
        context=int(field(f"{architecture}.context_length", 2048)),
    )


def _field(reader: Any, key: str, default: Any = None) -> Any:
    field = reader.fields.get(key)
    return default if field is None else field.contents()


def need_gguf() -> Any:
    """The package gguf. Raises ModelError where it is not installed."""
    try:
        import gguf
        import gguf.quants
    except ImportError as error:
        raise ModelError('adapting needs the package gguf; run: pip install "citewise[adapt]"') from error
    return gguf


def need_torch() -> Any:
    """torch, without its warnings on stderr. Raises ModelError where it is not installed."""
    try:
        import torch
    except ImportError as error:
        raise ModelError(f"torch cannot be loaded ({error}); run: pip install torch") from error
    return torch
