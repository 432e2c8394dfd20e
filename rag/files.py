"""Files that are either the old ones or the new ones, never half of each; their SHA-256; the journal of a
batch; and values as JSON: the one place that knows how, whatever prints, writes or keeps them."""

from __future__ import annotations

import dataclasses
import fcntl
import hashlib
import io
import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO, Self

from rag.errors import InputError, StorageError

_FORMAT = 1
# A killed process loses nothing that was written; only a power cut loses what was not synced, and that is
# asked again.
_SYNC_SECONDS = 0.2
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


class Journal:
    """Answers of a batch by (row number, hash of the question): a kill loses no answered row and asks none
    twice. A context manager; one process at a time.

    One JSON object a line, handed to the system at once and synced to disk several times a second. The first
    line names the setup (index and model) that the answers come from; a journal of another setup is not mixed
    with this one. A line that a kill cut short is dropped."""

    def __init__(self, path: Path, *, setup: str) -> None:
        """Opens or makes the journal. Raises InputError while another process writes it, StorageError."""
        self.path = path
        self._synced = 0.0
        self.entries: dict[tuple[int, str], dict[str, Any]] = {}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("a+b")
        except OSError as error:
            raise storage_error(path, error) from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._file.close()
            raise InputError(
                f"Another run is writing {path}. Wait for it, or choose another output."
            ) from error
        self._load({"format": _FORMAT, "setup": setup})

    def _load(self, head: dict[str, Any]) -> None:
        """The entries of an earlier run, as far as its lines are whole and ours."""
        self._file.seek(0)
        good = 0
        with suppress(ValueError, LookupError, TypeError):
            for line in self._file:
                entry: Any = json.loads(line) if line.endswith(b"\n") else None
                if not good and entry != head:
                    break
                if good:
                    self.entries[entry["row"], entry["question"]] = entry["result"]
                good += len(line)
        self._file.truncate(good)
        if not good:
            self._append(head)
            sync(self.path.parent)

    def add(self, row: int, question: str, result: dict[str, Any]) -> None:
        """Record a result; no kill can undo it when this returns. Raises StorageError."""
        self.entries[row, question] = result
        self._append({"row": row, "question": question, "result": result})

    def _append(self, entry: dict[str, Any]) -> None:
        try:
            self._file.write(json.dumps(entry).encode() + b"\n")  # ASCII: lone surrogates survive as escapes
            self._file.flush()
            if time.monotonic() - self._synced > _SYNC_SECONDS:
                os.fsync(self._file.fileno())
                self._synced = time.monotonic()
        except OSError as error:
            raise storage_error(self.path, error) from error

    def remove(self) -> None:
        """Everything is in the output now."""
        self.path.unlink(missing_ok=True)

    def close(self) -> None:
        with suppress(OSError):  # a full disk was reported when it was met
            os.fsync(self._file.fileno())
        with suppress(OSError):
            self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
