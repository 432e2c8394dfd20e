"""LoRA adapters in GGUF files, written byte by byte: header, metadata, tensor table, tensors at multiples of
32."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_STRING, _FLOAT32 = 8, 6
_ALIGNMENT = 32


def write_lora(
    path: Path,
    tensors: Mapping[str, NDArray[np.float32]],
    *,
    architecture: str = "llama",
    kind: str = "adapter",
    alpha: float = 16.0,
) -> Path:
    """`tensors` by name ("blk.0.attn_q.weight.lora_a"), rows first as in numpy."""
    texts = {"general.type": kind, "general.architecture": architecture, "adapter.type": "lora"}
    head = b"".join(_text(key) + struct.pack("<I", _STRING) + _text(value) for key, value in texts.items())
    head += _text("adapter.lora.alpha") + struct.pack("<If", _FLOAT32, alpha)
    table, data = b"", b""
    for name, values in tensors.items():
        shape = struct.pack(f"<I{values.ndim}Q", values.ndim, *reversed(values.shape))
        table += _text(name) + shape + struct.pack("<IQ", 0, len(data))
        data += _padded(values.astype("<f4").tobytes())
    begin = struct.pack("<4sIQQ", b"GGUF", 3, len(tensors), len(texts) + 1) + head + table
    path.write_bytes(_padded(begin) + data)
    return path


def query_lora(seed: int, *, width: int = 576, rank: int = 4, strength: float = 0.3) -> dict[str, NDArray]:
    """Turns the queries of the first five layers of SmolLM2-135M; `strength` 0 changes nothing."""
    random = np.random.default_rng(seed)
    tensors: dict[str, NDArray] = {}
    for layer in range(5):
        name = f"blk.{layer}.attn_q.weight"
        tensors[f"{name}.lora_a"] = random.normal(0, 1, (rank, width)).astype(np.float32)
        tensors[f"{name}.lora_b"] = random.normal(0, 1, (width, rank)).astype(np.float32) * strength
    return tensors


def _text(text: str) -> bytes:
    return struct.pack("<Q", len(text)) + text.encode()


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % _ALIGNMENT)
