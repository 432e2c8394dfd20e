"""Files -> index: what is new is added, what changed is updated, what is the same is skipped, what is gone
can be removed.

Texts first: worker processes parse, cut and tokenise; this process writes. A file with its passages and their
lexical rows is part of one transaction, so a kill at any point leaves whole documents only, and the index can
be asked as soon as texts are in. Vectors fill in behind, in batches that are committed one by one; an ingest
that was cut short is completed by the next."""

from __future__ import annotations

import os
import threading
import time
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from rag.documents.validity import copies_of
from rag.errors import CitewiseError
from rag.models.embedder import Embedder, in_batches, supports
from rag.parsers import CONTAINERS, other_format, refusal
from rag.parsers.pool import run_in_workers
from rag.store.reading import (
    Job,
    Read,
    Scan,
    Settings,
    UnreadablePath,
    below,
    held,
    holder_of,
    prepare_worker,
    read_file,
    scan,
)
from rag.store.schema import SentenceVectors
from rag.store.store import Store
from rag.store.writer import FileState, Known, Writer
from rag.types import FileResult, FileStatus, IngestReport, Pace, Progress
from rag.types.documents import SEEN_ONLY

# A commit costs an fsync; these bound what a kill can lose, and the memory held.
_COMMIT_PASSAGES = 1000
_COMMIT_SECONDS = 0.5
_EMBEDDED_AT_ONCE = 64
_EMBEDDED_CHARS = 8000  # so that a stop waits no second for the long ones
# Passages are embedded in order of length within such a window: a batch of like lengths needs little padding.
_EMBEDDING_WINDOW = 1024
_REMOVED_AT_ONCE = 200
# These come from the bytes of the file: reading it again gives the same. A worker that died is not among
# them: it may have been killed.
_FINAL = (FileStatus.PASSWORD, FileStatus.CORRUPT, FileStatus.UNSUPPORTED, FileStatus.EMPTY)

ProgressCallback = Callable[[Progress], None]
Done = tuple[Job, Read | CitewiseError]


def ingest(
    store: Store,
    paths: Iterable[Path | str],
    *,
    settings: Settings,
    embedder: Callable[[], Embedder],
    sync: bool = False,
    progress: ProgressCallback | None = None,
    stop: threading.Event | None = None,
) -> IngestReport:
    """Brings the index up to the files below `paths`. `sync` removes documents of files that are gone from
    the folders given.

    A file that lies elsewhere below these folders now keeps its document and its vectors ("moved").

    `embedder` is called where there are passages to embed. `stop` ends the run within about a second: what
    was committed stays, files in hand are read by the next run. One bad file never stops a run: its status is
    in the report. Raises InputError (no such path), IndexBusy, StorageError (disk full; nothing
    half-written)."""
    began = time.monotonic()
    report, stop = Pace(progress), stop or threading.Event()
    with store.writing() as writer:
        run = _Run(store, writer, settings, report, stop)
        report("scan", 0, 0)
        found = scan(paths)
        report("scan", len(found.files), len(found.files))
        run.texts(found)
        if sync and not stop.is_set():
            run.remove_gone(found)
        writer.resolve_relations()
        answerable = time.monotonic() - began
        run.vectors(embedder)
        writer.shrink()
        return IngestReport(
            files=tuple(sorted(run.results, key=lambda r: r.path)),
            seconds=time.monotonic() - began,
            seconds_to_answerable=answerable,
            passages=store.passages(),
            vectors=store.space.count(),
            **_beside(store, {r.path for r in run.results if r.change in ("added", "updated", "moved")}),
        )


def _beside(store: Store, read: AbstractSet[str]) -> dict[str, dict[str, str]]:
    """The copies and what is superseded, as `IngestReport` has them, of the paths that were read."""
    documents = [d for d in store.documents() if d.chunks] if read else []
    paths = {d.id: d.path for d in documents}
    copies = ((path, paths[i]) for i, others in copies_of(documents)[1].items() for path in others)
    force = store.validity() if read else {}
    later = ((paths[i], paths[v.by]) for i, v in force.items() if i in paths and v.by in paths)
    return {
        name: {path: other for path, other in found if {path, other} & read}
        for name, found in (("copies", copies), ("superseded", later))
    }


class _Run:
    """The parts of one ingest: texts, removals, vectors; and what became of each file so far. `_gone` are the
    known files that no longer lie where they did, `_left` the same by their content."""

    def __init__(
        self, store: Store, writer: Writer, settings: Settings, report: Pace, stop: threading.Event
    ) -> None:
        self._store, self._writer = store, writer
        self._report, self._stop = report, stop
        self._known = writer.known()
        self._sources = sorted(self._known)
        self._gone: dict[str, Known] = {}
        self._left: dict[str, str] = {}
        self.results: list[FileResult] = []
        limit = store.space.info.max_tokens - 2
        self._settings = replace(settings, max_tokens=min(settings.max_tokens, limit))

    def texts(self, found: Scan) -> None:
        here = {file.source for file in found.files}
        self._gone = {
            source: known
            for source, known in self._known.items()
            if source not in here and not holder_of(source, here) and found.covers(source)
        }
        self._left = {known.info.sha256: source for source, known in self._gone.items() if known.info.chunks}
        waiting = self._to_open(found.files, found.unreadable)
        total = max(len(found.files), len(waiting))
        done = total - len(waiting)
        self._report("texts", done, total)
        if not waiting:
            return
        workers = self._settings.workers or len(os.sched_getaffinity(0))
        alone = not any(job.file.kind in CONTAINERS for job in waiting)
        outcomes: Any = run_in_workers(
            read_file,
            _Queue(waiting),
            workers=min(workers, len(waiting)) if alone else workers,
            limits=self._settings.limits,
            initializer=prepare_worker,
            initargs=(self._settings,),
            stop=self._stop,
        )
        with closing(outcomes):
            for batch in self._batches(outcomes, waiting):
                with self._writer.transaction():
                    results = [self._put(job.file, outcome) for job, outcome in batch]
                self.results.extend(results)  # only what was committed is reported
                done += len(results)
                self._report("texts", done, max(total, done + len(waiting)), results[-1].path)

    def _to_open(self, files: Sequence[FileState], unreadable: Sequence[UnreadablePath] = ()) -> deque[Job]:
        """Deals with every file that need not be opened, and with those in it; gives the others."""
        waiting: deque[Job] = deque()
        failures: list[tuple[FileState, FileStatus, str]] = []
        looked = list(files)
        for file in looked:  # grows
            if not file.kind:
                failures.append((file, FileStatus.UNSUPPORTED, refusal(file.path)))
            elif (known := self._known.get(file.source)) and self._need_not_be_read(file, known):
                ok = known.info.status is FileStatus.OK
                self.results.append(_remembered_result(known, "skipped" if ok else "failed"))
                looked += held(file, known.info.metadata)
            else:
                waiting.append(self._job(file))
        for item in unreadable:
            if item.folder:
                self.results.append(FileResult(item.path, FileStatus.UNREADABLE, "failed", item.detail))
            else:
                failures.append((FileState(item.source, item.path, 0, 0), FileStatus.UNREADABLE, item.detail))
        new = [(f, s, why) for f, s, why in failures if not self._is_known(f.source, s, why)]
        if new:
            with self._writer.transaction():
                for state, status, detail in new:
                    self._writer.put_failure(state, status, detail)
        self.results.extend(FileResult(f.path, status, "failed", why) for f, status, why in failures)
        return waiting

    def _is_known(self, source: str, status: FileStatus, detail: str) -> bool:
        known = self._known.get(source)
        return known is not None and (known.info.status, known.info.detail) == (status, detail)

    def _need_not_be_read(self, file: FileState, known: Known) -> bool:
        """Whether a file is unchanged, and read or known to be unreadable for good."""
        same = (known.info.size, known.mtime_ns) == (file.size, file.mtime_ns)
        return same and not self._ocr_is_new(known) and known.info.status in (FileStatus.OK, *_FINAL)

    def _ocr_is_new(self, known: Known) -> bool:
        unseen = any(loss.kind in SEEN_ONLY for loss in known.info.losses)
        lacks_text = unseen or known.info.status is FileStatus.EMPTY
        return self._settings.ocr and not known.ocr and lacks_text

    def _job(self, file: FileState) -> Job:
        file, known = replace(file, ocr=self._settings.ocr), self._known.get(file.source)
        if known is None:
            return Job(file)
        comparable = known.info.status is FileStatus.OK and not self._ocr_is_new(known)
        return Job(replace(file, path=known.info.path), known.info.sha256 if comparable else "")

    def _batches(self, outcomes: Iterable[Done], waiting: deque[Job]) -> Iterator[list[Done]]:
        """Outcomes in batches worth a commit; ends early when asked to stop. What is in a file that was read
        waits behind the others."""
        batch: list[Done] = []
        passages, began = 0, time.monotonic()
        for job, outcome in outcomes:
            batch.append((job, outcome))
            waiting += self._to_open(self._inside(job.file, outcome))
            passages += len(outcome.chunks) if isinstance(outcome, Read) else 0
            if passages >= _COMMIT_PASSAGES or time.monotonic() - began >= _COMMIT_SECONDS:
                yield batch
                batch, passages, began = [], 0, time.monotonic()
            if self._stop.is_set():
                break
        if batch:
            yield batch

    def _inside(self, file: FileState, outcome: Read | CitewiseError) -> list[FileState]:
        """The files in one that was read."""
        known = self._known.get(file.source)
        if isinstance(outcome, CitewiseError):
            return []
        if outcome.document is not None:
            return held(file, outcome.document.metadata)
        return held(file, known.info.metadata) if known else []

    def _put(self, file: FileState, outcome: Read | CitewiseError) -> FileResult:
        known = self._known.get(file.source)
        if known is not None and known.info.kind in CONTAINERS:
            here = {inner.source for inner in self._inside(file, outcome)}
            first, last = (bisect_left(self._sources, f"{file.source}{end}") for end in "/0")  # 0 is behind /
            for source in self._sources[first:last]:
                if source not in here:
                    self._writer.remove(source)
        if isinstance(outcome, Read) and outcome.document is None:
            assert known is not None
            self._writer.touch(known.info.id, file)
            return _remembered_result(known, "skipped")
        if isinstance(outcome, CitewiseError) or outcome.document is None or not outcome.chunks:
            status, detail = FileStatus.EMPTY, "no text in it"
            if isinstance(outcome, CitewiseError):
                status, detail = FileStatus(getattr(outcome, "status", FileStatus.CORRUPT)), str(outcome)
            if status is FileStatus.UNSUPPORTED:
                detail = detail.removeprefix(f"{file.path}: ")  # files of one format are counted together
            self._writer.put_failure(file, status, detail)
            return FileResult(file.path, status, "failed", detail)
        document, chunks, tokens = outcome.document, outcome.chunks, outcome.tokens
        embedded = supports(self._store.space.info, document.language)
        moved = "" if known else self._left.pop(document.sha256, "")
        self._gone.pop(moved, None)
        put = partial(self._writer.put_document, file, document, chunks, tokens)
        put(embedded=embedded, moved_from=moved)
        change = "moved" if moved else "updated" if known else "added"
        counts = (len(document.pages), len(chunks))
        detail = other_format(file.path, document.kind)
        return FileResult(file.path, FileStatus.OK, change, detail, *counts, document.losses)

    def remove_gone(self, found: Scan) -> None:
        """Removes what is gone; what lay in a folder that holds nothing now stays."""
        for folder in found.roots:
            left = {source for source in self._gone if below(source, folder)}
            if left and not any(below(file.source, folder) for file in found.files):
                detail = f"no file in it; its {len(left):,} documents stay. Is a drive not connected?"
                self.results.append(FileResult(folder, FileStatus.UNREADABLE, "failed", detail))
                self._gone = {s: known for s, known in self._gone.items() if s not in left}
        gone = list(self._gone.items())
        for first in range(0, len(gone), _REMOVED_AT_ONCE):
            batch = gone[first : first + _REMOVED_AT_ONCE]
            with self._writer.transaction():
                for source, _ in batch:
                    self._writer.remove(source)
            self.results.extend(_remembered_result(known, "removed") for _, known in batch)

    def vectors(self, embedder: Callable[[], Embedder]) -> None:
        space, done = self._store.space, 0
        total = space.count_pending()
        if not total or self._stop.is_set():
            return
        model = embedder()
        self._report("vectors", done, total)
        while not self._stop.is_set() and (window := space.pending(_EMBEDDING_WINDOW)):
            for batch in _embedding_batches(window):
                if self._stop.is_set():
                    return
                self._embed(model, batch)
                done += len(batch)
                self._report("vectors", done, total)

    def _embed(self, model: Embedder, batch: Sequence[tuple[int, str]]) -> None:
        """Commits the vectors of a batch; those of sentences, too, where the embedder makes them in the same
        run and its cosines were measured (all-MiniLM-L6-v2 ranks evidence a little worse by these)."""
        ids, texts = [chunk_id for chunk_id, _ in batch], [text for _, text in batch]
        embed = getattr(model, "embed_with_parts", None) if model.info.cosines else None
        if embed is None:
            with self._writer.transaction():
                self._writer.put_vectors(ids, model.embed_passages(texts))
            return
        found = {i: (owner, chunk) for i, owner, chunk in self._store.chunks(ids)}
        starts = [self._store.sentence_starts(*found[i]) if i in found else [] for i in ids]
        ahead = [len(text) - len(found[i][1].text) if i in found else 0 for i, text in batch]
        placed = [[a + start for start in begins] for a, begins in zip(ahead, starts, strict=True)]
        vectors, parts = embed(texts, placed)
        with self._writer.transaction():
            self._writer.put_vectors(ids, vectors)
            for i, begins, part in zip(ids, starts, parts, strict=True):
                ends = [*begins[1:], len(found[i][1].text)] if begins else []
                spans = list(zip(begins, ends, strict=True))
                self._writer.put_sentences(i, SentenceVectors.of(spans, part))


class _Queue(Iterator[Job]):
    """Jobs of a queue that may be filled again when it was empty."""

    def __init__(self, waiting: deque[Job]) -> None:
        self._waiting = waiting

    def __next__(self) -> Job:
        if not self._waiting:
            raise StopIteration
        return self._waiting.popleft()


def _embedding_batches(window: Sequence[tuple[int, str]]) -> Iterator[list[tuple[int, str]]]:
    """(chunk id, text) in batches of similar length."""

    def full(sizes: list[int], size: int) -> bool:
        return len(sizes) == _EMBEDDED_AT_ONCE or sum(sizes) + size > _EMBEDDED_CHARS

    for batch in in_batches([len(text) for _, text in window], full):
        yield [window[position] for position in batch]


def _remembered_result(known: Known, change: str) -> FileResult:
    info = known.info
    return FileResult(info.path, info.status, change, info.detail, info.pages, info.chunks, info.losses)
