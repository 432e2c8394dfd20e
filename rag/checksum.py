"""SHA-256 of files, remembered so that a large file is read through once."""

from __future__ import annotations

import contextlib
import hashlib
import re
from pathlib import Path

from rag.errors import StorageError
from rag.files import write_atomically

_SHA256 = re.compile(r"[0-9a-f]{64}")


def sha256_file(path: Path) -> str:
    """Lower-case hex SHA-256 of a file's bytes. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def verified_sha256(path: Path, cache_dir: Path) -> str:
    """Like `sha256_file`, remembered in `cache_dir/hashes` by path, size and modification time. Raises
    OSError.

    The memory is a convenience: a cache that cannot be read or written only means that the file is hashed
    again."""
    path = path.resolve()
    status = path.stat()
    key = f"{path}\n{status.st_size}\n{status.st_mtime_ns}\n{status.st_ino}"
    note = cache_dir / "hashes" / hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()[:32]
    with contextlib.suppress(OSError, UnicodeDecodeError):
        remembered = note.read_text("ascii").strip()
        if _SHA256.fullmatch(remembered):
            return remembered
    digest = sha256_file(path)
    with contextlib.suppress(StorageError):
        write_atomically(note, digest.encode())
    return digest
