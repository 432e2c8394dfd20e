"""One writer at a time: a lock file that the kernel releases when its holder dies."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rag.errors import IndexBusy
from rag.schema import DATABASE, LOCK, storage_errors


@contextmanager
def writer_lock(folder: Path) -> Iterator[None]:
    """Holds `writer.lock` of an index. The kernel lets go of it when the process dies. Raises IndexBusy."""
    with storage_errors(folder / LOCK):
        handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            owner = os.pread(handle, 32, 0).decode("ascii", "replace").strip()
            raise IndexBusy(
                f"{folder} is being written by another ingest (process {owner or 'unknown'}). It can be "
                "asked "
                "meanwhile; to write to it, wait until that one has ended."
            ) from error
        with storage_errors(folder / LOCK):
            os.ftruncate(handle, 0)
            os.pwrite(handle, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(handle)


def remove_index(folder: Path) -> None:
    """Deletes the files of an index and nothing else; quiet when there is none. A tuned ranker stays: it was
    made from questions, which the documents do not hold. Raises IndexBusy while the index is written."""
    if not (folder / DATABASE).exists():
        return
    with writer_lock(folder), storage_errors(folder):
        for pattern in (f"{DATABASE}*", "dense-*.faiss*"):
            for file in folder.glob(pattern):
                file.unlink(missing_ok=True)
