"""Other formats of a GGUF file, made on this machine by llama.cpp's own quantiser.

A made file never knows more than its source: Q8_0 and F16 of a Q4_1 file hold the same rounded numbers in a
form that some processors read faster. Only speed changes; Q4_0 may lose a little, which is measured."""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from rag.checksum import sha256_file
from rag.errors import CitewiseError, ModelError, StorageError
from rag.files import storage_error, sync_folder

# llama_ftype, and bits a weight with the scales of its blocks.
_FTYPES = {"Q4_0": (2, 4.5), "Q8_0": (7, 8.5), "F16": (1, 16.0)}
FORMATS = tuple(_FTYPES)
_NAMES = {
    0: "F32",
    1: "F16",
    2: "Q4_0",
    3: "Q4_1",
    7: "Q8_0",
    8: "Q5_0",
    9: "Q5_1",
    15: "Q4_K_M",
    17: "Q5_K_M",
    18: "Q6_K",
}
_BITS = {
    0: 32.0,
    1: 16.0,
    2: 4.5,
    3: 5.0,
    7: 8.5,
    8: 5.5,
    9: 6.0,
    14: 4.6,
    15: 4.85,
    16: 5.5,
    17: 5.7,
    18: 6.6,
}
_SPARE = 256 << 20
"""Bytes of disk that stay free."""


@dataclass(frozen=True, slots=True)
class Made:
    """A made file: its format, path and SHA-256."""

    format: str
    file: Path
    sha256: str


def source_format(file_type: int) -> str:
    """The name of a `general.file_type`; "type N" for one that is not known here."""
    return _NAMES.get(file_type, f"type {file_type}")


def expected_bytes(size: int, file_type: int, target: str) -> int:
    """About how large the file becomes that is made from one of `size` bytes."""
    return int(size * _FTYPES[target][1] / _BITS.get(file_type, 5.0))


def make(source: Path, target: str, folder: Path, stem: str, *, expected: int, threads: int) -> Made:
    """Writes `folder/STEM-FORMAT.gguf` from `source`: under another name first, synced, hashed, renamed.

    Call it in a process of its own: llama.cpp cannot be interrupted while it writes, and ends the process
    where a tensor is of a kind that it cannot convert. Raises StorageError, ModelError."""
    final = folder / f"{stem}-{target}.gguf"
    part = folder / f".making-{stem}-{target}.gguf"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free
        if free < expected + _SPARE:
            raise StorageError(
                f"{folder} has {free / 1e6:,.0f} MB free, and {target} needs about {expected / 1e6:,.0f} MB. "
                "Free some space, or set another cache_dir."
            )
        try:
            _quantize(source, part, _FTYPES[target][0], threads)
            with part.open("rb") as written:
                os.fsync(written.fileno())
            digest = sha256_file(part)
            part.replace(final)
        finally:
            part.unlink(missing_ok=True)
        sync_folder(folder)
    except OSError as error:
        raise storage_error(final, error) from error
    return Made(target, final, digest)


def _quantize(source: Path, target: Path, ftype: int, threads: int) -> None:
    import llama_cpp

    parameters = llama_cpp.llama_model_quantize_default_params()
    parameters.ftype, parameters.nthread, parameters.allow_requantize = ftype, threads, True
    if llama_cpp.llama_model_quantize(str(source).encode(), str(target).encode(), ctypes.byref(parameters)):
        raise ModelError(f"llama.cpp cannot make another format of {source}, or cannot write {target}")


def main() -> None:
    """`python -m rag.formats SOURCE FORMAT FOLDER STEM EXPECTED THREADS`: prints the made file, or what is
    wrong, as JSON."""
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever llama.cpp prints is no reply
    source, target, folder, stem, expected, threads = sys.argv[1:]
    try:
        made = make(Path(source), target, Path(folder), stem, expected=int(expected), threads=int(threads))
        reply: dict[str, object] = {"file": str(made.file), "sha256": made.sha256}
    except CitewiseError as error:
        reply = {"error": str(error), "storage": isinstance(error, StorageError)}
    replies.write(json.dumps(reply))
    replies.close()


if __name__ == "__main__":
    main()
