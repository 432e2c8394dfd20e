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
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from rag.errors import CitewiseError
from rag.models.embedder import Embedder
from rag.parsers.pool import run_in_workers
from rag.store.dense import VectorSpace, save_dense
from rag.store.reading import Job, Read, Scan, Settings, prepare_worker, read_file, scan
from rag.store.schema import SentenceVectors
from rag.store.store import Store
from rag.store.writer import FileState, Known, Writer
from rag.types import FileResult, FileStatus, IngestReport, Progress
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


def ingest(
    store: Store,
    paths: Iterable[Path | str],
    *,
    settings: Settings,
    embedders: Sequence[Callable[[], Embedder]],
    sync: bool = False,
    progress: ProgressCallback | None = None,
    stop: threading.Event | None = None,
) -> IngestReport:
    """Brings the index up to the files below `paths`. `sync` removes documents of files that are gone from
    the folders given.

    `embedders`, one for each space of vectors, are called where there are passages to embed; () leaves them
    waiting. `stop` ends the run within about a second: what was committed stays, files in hand are read by
    the next run. One bad file never stops a run: its status is in the report. Raises InputError (no such
    path), IndexBusy, StorageError (disk full; nothing half-written)."""
    with store.writing() as writer:
        run = _Run(store, writer, settings, _Reporter(progress), stop or threading.Event())
        return run(paths, embedders, sync=sync)


class _Reporter:
    """Calls back with rate and remaining time of the stage at hand."""

    def __init__(self, callback: ProgressCallback | None) -> None:
        self._callback = callback
        self._stage = ""
        self._began = 0.0
        self._first = 0

    def __call__(self, stage: str, done: int, total: int, current: str = "") -> None:
        if self._callback is None:
            return
        now = time.monotonic()
        if stage != self._stage:
            self._stage, self._began, self._first = stage, now, done
        spent, achieved = now - self._began, done - self._first
        rate = achieved / spent if achieved and spent > 0 else 0.0
        remaining = (total - done) / rate if rate else None
        self._callback(Progress(stage, done, total, rate, remaining, current))


class _Run:
    """One ingest: scan, texts, removals, vectors, FAISS."""

    def __init__(
        self, store: Store, writer: Writer, settings: Settings, report: _Reporter, stop: threading.Event
    ) -> None:
        self._store = store
        self._writer = writer
        self._report = report
        self._stop = stop
        self._known = writer.known()
        self._results: list[FileResult] = []
        limits = (space.info.max_tokens - 2 for space in store.manifest().spaces)
        self._settings = replace(settings, max_tokens=min(settings.max_tokens, *limits))

    def __call__(
        self, paths: Iterable[Path | str], embedders: Sequence[Callable[[], Embedder]], *, sync: bool
    ) -> IngestReport:
        began = time.monotonic()
        self._report("scan", 0, 0)
        found = scan(paths)
        self._report("scan", len(found.files), len(found.files))
        self._texts(found)
        if sync and not self._stop.is_set():
            self._remove_gone(found)
        self._writer.resolve_references()
        answerable = time.monotonic() - began
        for space, embedder in zip(self._store.spaces, embedders, strict=False):
            self._vectors(space, embedder)
        for space in self._store.spaces:
            save_dense(space, self._writer)
        self._writer.shrink()
        return IngestReport(
            files=tuple(sorted(self._results, key=lambda r: r.path)),
            seconds=time.monotonic() - began,
            seconds_to_answerable=answerable,
            passages=self._store.passages(),
            vectors=sum(space.count() for space in self._store.spaces),
        )

    def _texts(self, found: Scan) -> None:
        waiting = self._to_open(found)
        total = len(found.files)
        done = total - len(waiting)
        self._report("texts", done, total)
        with closing(self._outcomes(waiting)) as outcomes:
            for batch in self._batches(outcomes):
                with self._writer.transaction():
                    results = [self._put(job.file, outcome) for job, outcome in batch]
                self._results.extend(results)  # only what was committed is reported
                done += len(results)
                self._report("texts", done, total, results[-1].path)

    def _to_open(self, found: Scan) -> list[Job]:
        """Deals with every file that need not be opened; gives the others."""
        waiting: list[Job] = []
        failures: list[tuple[FileState, FileStatus, str]] = []
        for file in found.files:
            if not file.kind:
                detail = f"the format {Path(file.path).suffix or '(no suffix)'} is not read"
                failures.append((file, FileStatus.UNSUPPORTED, detail))
            elif (known := self._known_result(file)) is not None:
                self._results.append(known)
            else:
                waiting.append(self._job(file))
        for item in found.unreadable:
            if item.folder:
                self._results.append(FileResult(item.path, FileStatus.UNREADABLE, "failed", item.detail))
            else:
                failures.append((FileState(item.source, item.path, 0, 0), FileStatus.UNREADABLE, item.detail))
        self._put_failures(failures)
        return waiting

    def _put_failures(self, failures: Sequence[tuple[FileState, FileStatus, str]]) -> None:
        remembered = {(s, known.info.status, known.info.detail) for s, known in self._known.items()}
        new = [(f, status, why) for f, status, why in failures if (f.source, status, why) not in remembered]
        if new:
            with self._writer.transaction():
                for state, status, detail in new:
                    self._writer.put_failure(state, status, detail)
        self._results.extend(FileResult(f.path, status, "failed", why) for f, status, why in failures)

    def _known_result(self, file: FileState) -> FileResult | None:
        """The result for a file that is unchanged, or known to be unreadable for good."""
        known = self._known.get(file.source)
        if known is None or (known.info.size, known.mtime_ns) != (file.size, file.mtime_ns):
            return None
        if self._ocr_is_new(known):
            return None
        if known.info.status is FileStatus.OK:
            return _remembered_result(known, "skipped")
        return _remembered_result(known, "failed") if known.info.status in _FINAL else None

    def _ocr_is_new(self, known: Known) -> bool:
        unseen = any(loss.kind in SEEN_ONLY for loss in known.info.losses)
        lacks_text = unseen or known.info.status is FileStatus.EMPTY
        return self._settings.ocr and not known.ocr and lacks_text

    def _outcomes(self, waiting: Sequence[Job]) -> Generator[tuple[Job, Read | CitewiseError]]:
        if not waiting:
            return
        yield from run_in_workers(
            read_file,
            waiting,
            workers=min(self._settings.workers or len(os.sched_getaffinity(0)), len(waiting)),
            limits=self._settings.limits,
            initializer=prepare_worker,
            initargs=(self._settings,),
            stop=self._stop,
        )

    def _job(self, file: FileState) -> Job:
        file, known = replace(file, ocr=self._settings.ocr), self._known.get(file.source)
        if known is None:
            return Job(file)
        comparable = known.info.status is FileStatus.OK and not self._ocr_is_new(known)
        return Job(replace(file, path=known.info.path), known.info.sha256 if comparable else "")

    def _batches(
        self, outcomes: Iterable[tuple[Job, Read | CitewiseError]]
    ) -> Iterator[list[tuple[Job, Read | CitewiseError]]]:
        """Outcomes in batches worth a commit; ends early when asked to stop."""
        batch: list[tuple[Job, Read | CitewiseError]] = []
        passages, began = 0, time.monotonic()
        for job, outcome in outcomes:
            batch.append((job, outcome))
            passages += len(outcome.chunks) if isinstance(outcome, Read) else 0
            if passages >= _COMMIT_PASSAGES or time.monotonic() - began >= _COMMIT_SECONDS:
                yield batch
                batch, passages, began = [], 0, time.monotonic()
            if self._stop.is_set():
                break
        if batch:
            yield batch

    def _put(self, file: FileState, outcome: Read | CitewiseError) -> FileResult:
        known = self._known.get(file.source)
        if isinstance(outcome, Read) and outcome.document is None:
            assert known is not None
            self._writer.touch(known.info.id, file)
            return _remembered_result(known, "skipped")
        if isinstance(outcome, CitewiseError) or outcome.document is None or not outcome.chunks:
            status, detail = FileStatus.EMPTY, "no text in it"
            if isinstance(outcome, CitewiseError):
                status, detail = FileStatus(getattr(outcome, "status", FileStatus.CORRUPT)), str(outcome)
            self._writer.put_failure(file, status, detail)
            return FileResult(file.path, status, "failed", detail)
        document = outcome.document
        spaces = self._store.manifest().spaces_for(document.language)
        self._writer.put_document(
            file, document, outcome.chunks, outcome.tokens, spaces=spaces, links=outcome.links
        )
        change = "updated" if known else "added"
        counts = len(document.pages), len(outcome.chunks)
        return FileResult(file.path, FileStatus.OK, change, "", *counts, document.losses)

    def _remove_gone(self, found: Scan) -> None:
        here = {file.source for file in found.files}
        gone = [(s, k) for s, k in self._known.items() if s not in here and found.covers(s)]
        for first in range(0, len(gone), _REMOVED_AT_ONCE):
            batch = gone[first : first + _REMOVED_AT_ONCE]
            with self._writer.transaction():
                for source, _ in batch:
                    self._writer.remove(source)
            self._results.extend(_remembered_result(known, "removed") for _, known in batch)

    def _vectors(self, space: VectorSpace, embedder: Callable[[], Embedder]) -> None:
        total = space.count_pending()
        if not total or self._stop.is_set():
            return
        model = embedder()
        done = 0
        self._report("vectors", done, total)
        while not self._stop.is_set() and (window := space.pending(_EMBEDDING_WINDOW)):
            for batch in _embedding_batches(window):
                if self._stop.is_set():
                    return
                self._embed(space, model, batch)
                done += len(batch)
                self._report("vectors", done, total)

    def _embed(self, space: VectorSpace, model: Embedder, batch: Sequence[tuple[int, str]]) -> None:
        """Commits the vectors of a batch; those of sentences, too, where the embedder makes them in the same
        run and its cosines were measured (all-MiniLM-L6-v2 ranks evidence a little worse by these)."""
        ids, texts = [chunk_id for chunk_id, _ in batch], [text for _, text in batch]
        embed = getattr(model, "embed_with_parts", None) if model.info.cosines else None
        if embed is None:
            with self._writer.transaction():
                self._writer.put_vectors(ids, model.embed_passages(texts), space=space.number)
            return
        found = {i: (owner, chunk) for i, owner, chunk in self._store.chunks(ids)}
        starts = [self._store.sentence_starts(*found[i]) if i in found else [] for i in ids]
        ahead = [len(text) - len(found[i][1].text) if i in found else 0 for i, text in batch]
        placed = [[a + start for start in begins] for a, begins in zip(ahead, starts, strict=True)]
        vectors, parts = embed(texts, placed)
        with self._writer.transaction():
            self._writer.put_vectors(ids, vectors, space=space.number)
            for i, begins, part in zip(ids, starts, parts, strict=True):
                ends = [*begins[1:], len(found[i][1].text)] if begins else []
                spans = list(zip(begins, ends, strict=True))
                self._writer.put_sentences(i, SentenceVectors.of(spans, part), space=space.number)


def _embedding_batches(window: Sequence[tuple[int, str]]) -> Iterator[list[tuple[int, str]]]:
    """(chunk id, text) in batches of similar length."""
    batch: list[tuple[int, str]] = []
    chars = 0
    for row in sorted(window, key=lambda row: len(row[1])):
        if batch and (len(batch) == _EMBEDDED_AT_ONCE or chars + len(row[1]) > _EMBEDDED_CHARS):
            yield batch
            batch, chars = [], 0
        batch.append(row)
        chars += len(row[1])
    if batch:
        yield batch


def _remembered_result(known: Known, change: str) -> FileResult:
    info = known.info
    return FileResult(info.path, info.status, change, info.detail, info.pages, info.chunks, info.losses)
