"""One file from an address: resumed where it stopped, checked, and put in place in one step. SHA-256 of
files, remembered so that a large file is read through once."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

from rag.errors import ModelError, ModelMismatch, StorageError
from rag.files import sync, write_atomically
from rag.types import Progress

_SHA256 = re.compile(r"[0-9a-f]{64}")
_SECONDS = 30.0


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


def fetch(url: str, sha256: str, target: Path, progress: Callable[[Progress], None]) -> None:
    """Downloads to `target.part`, verifies, fsyncs and renames. What arrived before a broken connection is
    kept for the next call; what does not have the SHA-256 is deleted. Raises ModelError, ModelMismatch,
    StorageError."""
    part = target.with_name(target.name + ".part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with part.open("ab") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise ModelError(f"{part} is being fetched by another process; wait for it") from error
            _download(url, file, progress)
            file.flush()
            os.fsync(file.fileno())
            _take_over(url, sha256, part, target)
    except OSError as error:
        advice = "free some space" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "check the folder"
        raise StorageError(
            f"{part} cannot be written ({error.strerror or error}); {advice} and try again"
        ) from error


def _download(url: str, file: IO[bytes], progress: Callable[[Progress], None]) -> None:
    import httpx

    done = file.seek(0, os.SEEK_END)
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={done}-"} if done else {})
    try:
        with httpx.stream("GET", url, headers=headers, timeout=_SECONDS, follow_redirects=True) as response:
            if response.status_code == 416:  # all of it was here already
                return
            if response.status_code not in (200, 206):
                raise ModelError(f"{url} answered {response.status_code}; check the address")
            if response.status_code == 200 and done:  # the server sends from the beginning
                file.truncate(0)
                done = 0
            length = response.headers.get("Content-Length", "")
            total, before, began = done + (int(length) if length.isdigit() else 0), done, time.monotonic()
            for piece in response.iter_bytes():
                file.write(piece)
                done += len(piece)
                rate = (done - before) / max(time.monotonic() - began, 1e-6)
                left = (total - done) / rate if total >= done else None
                progress(Progress("fetch", done, max(total, done), rate, left, url))
    except httpx.HTTPError as error:
        raise ModelError(
            f"{url} could not be fetched ({error or type(error).__name__}); "
            "run the same command again to go on"
        ) from error


def _take_over(url: str, sha256: str, part: Path, target: Path) -> None:
    found = sha256_file(part)
    if found != sha256:
        part.unlink(missing_ok=True)
        raise ModelMismatch(
            f"{url} gave a file with SHA-256 {found}, but {sha256} is configured; nothing was kept"
        )
    part.replace(target)
    sync(target.parent)
