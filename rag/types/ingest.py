"""What an ingest reports while it runs and when it is done."""

from __future__ import annotations

from dataclasses import dataclass

from rag.types.documents import FileStatus


@dataclass(frozen=True, slots=True)
class FileResult:
    """One line of an ingest report. `change` is "added", "updated", "skipped", "removed" or "failed"."""

    path: str
    status: FileStatus
    change: str
    detail: str = ""
    pages: int = 0
    empty_pages: int = 0
    chunks: int = 0


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What an ingest did: every file once, and seconds for the whole and until the index could be asked."""

    files: tuple[FileResult, ...]
    seconds: float
    seconds_to_answerable: float
    passages: int
    vectors: int

    def count(self, change: str) -> int:
        return sum(f.change == change for f in self.files)

    @property
    def failed(self) -> tuple[FileResult, ...]:
        """Files that gave no text, in the order seen."""
        return tuple(f for f in self.files if f.change == "failed")


@dataclass(frozen=True, slots=True)
class Progress:
    """Passed to progress callbacks. `stage`: "scan", "texts" or "vectors"; `done` and `total` count files in
    "texts", passages in "vectors"; `rate` is units per second, `remaining` seconds (None: unknown)."""

    stage: str
    done: int
    total: int
    rate: float = 0.0
    remaining: float | None = None
    current: str = ""
