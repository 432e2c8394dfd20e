"""Files that are either the old ones or the new ones, never half of each."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from rag.errors import StorageError


def write_atomically(path: Path, content: bytes) -> None:
    """Put `content` at `path` so that a crash at any point leaves the old file or the new one.

    Written under a temporary name beside it, synced, renamed, and the folder synced. Raises StorageError.
    """
    temporary = path.with_name(f".{path.name[:40]}.{secrets.token_hex(4)}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with temporary.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        sync(path.parent)
    except OSError as error:
        raise storage_error(path, error) from error


def sync(path: Path) -> None:
    """Make a file, or a rename or a new name in a folder, outlive a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def storage_error(path: Path, error: OSError) -> StorageError:
    """The system's refusal in words that say what to do."""
    why = error.strerror or str(error)
    return StorageError(f"{path} cannot be written: {why}. Free some space, or choose another place.")
