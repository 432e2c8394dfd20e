"""Adapters as GGUF files, as llama.cpp reads them.

`general.type` = "adapter", `adapter.type` = "lora", `adapter.lora.alpha`; tensors NAME.weight.lora_a (rank x
inputs) and NAME.weight.lora_b (outputs x rank) under the base's own names. llama.cpp applies alpha / rank.
Because training computes in the file's own layout, no row has to be moved for its rotary positions."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.adapt.network import Adapter
from rag.adapt.weights import need_gguf, need_torch
from rag.errors import ModelError
from rag.files import storage_error, sync_folder

if TYPE_CHECKING:
    from torch import Tensor


def write_adapter(
    path: Path, pairs: Adapter, *, alpha: float, architecture: str, about: Mapping[str, str] | None = None
) -> None:
    """Writes the pairs as float16, atomically. `about` goes into the file under "citewise.KEY". Raises
    StorageError."""
    gguf = need_gguf()
    import numpy as np

    temporary = path.with_name(f".{path.name[:40]}.{secrets.token_hex(4)}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            writer = gguf.GGUFWriter(str(temporary), architecture)
            writer.add_type("adapter")
            writer.add_string("adapter.type", "lora")
            writer.add_float32("adapter.lora.alpha", float(alpha))
            for key, value in (about or {}).items():
                writer.add_string(f"citewise.{key}", value)
            for name, (a, b) in pairs.items():
                for letter, value in (("a", a), ("b", b)):
                    array = value.detach().cpu().numpy().astype(np.float16)
                    writer.add_tensor(f"{name}.weight.lora_{letter}", array)
            writer.write_header_to_file()
            writer.write_kv_data_to_file()
            writer.write_tensors_to_file()
            writer.close()
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        sync_folder(path.parent)
    except OSError as error:
        raise storage_error(path, error) from error


def read_adapter(path: Path) -> tuple[dict[str, tuple[Tensor, Tensor]], float]:
    """The pairs of an adapter file, float32, and alpha. Raises ModelError for anything else."""
    gguf, torch = need_gguf(), need_torch()
    try:
        reader = gguf.GGUFReader(str(path))
        kind: Any = reader.fields["adapter.type"].contents()
        alpha = float(reader.fields["adapter.lora.alpha"].contents())
    except (OSError, ValueError, KeyError, IndexError) as error:
        raise ModelError(
            f"{path} is not a GGUF adapter ({error}); give one that `citewise adapt` wrote"
        ) from error
    if kind != "lora":
        raise ModelError(f"{path} is an adapter of the kind {kind!r}; only LoRA can be read")
    halves: dict[str, dict[str, Tensor]] = {}
    for tensor in reader.tensors:
        name, _, letter = tensor.name.rpartition(".weight.lora_")
        values = gguf.quants.dequantize(tensor.data, tensor.tensor_type).astype("float32")
        halves.setdefault(name, {})[letter] = torch.from_numpy(values)
    return {name: (pair["a"], pair["b"]) for name, pair in halves.items()}, alpha
