"""Files that are either the old ones or the new ones, never half of each; their SHA-256; and values as JSON:
the one place that knows how, whatever prints, writes or keeps them."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import os
import re
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO

from rag.errors import StorageError

_SHA256 = re.compile(r"[0-9a-f]{64}")


def write_atomically(path: Path, content: bytes | BinaryIO) -> None:
    """Put `content`, or what an open file holds, at `path` so that a crash at any point leaves the old file
    or the new one.

    Raises StorageError."""
    read = io.BytesIO(content) if isinstance(content, bytes) else content
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as temporary, temporary.open("xb") as file:
            shutil.copyfileobj(read, file, 1 << 20)
    except OSError as error:
        raise storage_error(path, error) from error


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary name beside `path` for what is written in the block: synced and renamed when that has
    ended, with the folder synced, and deleted where it failed. Raises OSError."""
    temporary = path.with_name(f".{path.name[:40]}.{secrets.token_hex(4)}.tmp")
    try:
        yield temporary
        sync(temporary)
        temporary.replace(path)
        sync(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Waits until a file, or a folder's list of names, is on the disk: a rename outlives a power cut then."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def storage_error(path: Path, error: Exception) -> StorageError:
    """The system's refusal in words that say what to do."""
    why = getattr(error, "strerror", None) or error
    return StorageError(f"{path} cannot be written: {why}. Free some space, or choose another place.")


def sha256_file(path: Path) -> str:
    """Lower-case hex SHA-256 of a file's bytes. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def verified_sha256(path: Path, cache_dir: Path) -> str:
    """Like `sha256_file`, remembered in `cache_dir/hashes` by path, size and modification time. Raises
    OSError.

    The memory is a convenience: a cache that cannot be read or written only means that the file is hashed
    again."""
    status = path.stat()
    key = f"{path.resolve()}\n{status.st_size}\n{status.st_mtime_ns}\n{status.st_ino}"
    name = hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()[:32]
    note = cache_dir / "hashes" / name
    with suppress(OSError, UnicodeDecodeError):
        remembered = note.read_text("ascii").strip()
        if _SHA256.fullmatch(remembered):
            return remembered
    digest = sha256_file(path)
    with suppress(StorageError):
        write_atomically(note, digest.encode())
    return digest


def plain(value: Any) -> Any:
    """Dataclasses, enums, paths, mappings, dates and decimals (as numbers) as JSON knows them."""
    return json.loads(to_json(value))


def to_json(value: Any, indent: int | None = None) -> str:
    """A value as JSON text, other scripts than Latin as they are."""
    return json.dumps(value, ensure_ascii=False, indent=indent, default=_simpler)


def _simpler(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, set | frozenset):
        return list(value)
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return value.item() if hasattr(value, "item") else str(value)  # numpy scalars; paths
