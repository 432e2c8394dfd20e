"""The documents column: what an index holds, how files are read into it, what became of each. HTML, and pure,
but for `column` and `upload`, which act on the workspace."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from markupsafe import Markup

from rag.errors import CitewiseError
from rag.languages import say
from rag.search.explain import loss_words
from rag.types import DocumentInfo, FileResult, FileStatus, IngestReport, Loss, Progress
from ui.filters import KINDS, View, choices
from ui.markup import join, name, tag
from ui.texts import Texts
from ui.workspace import Workspace

_log = logging.getLogger(__name__)
_MOST_LISTED = 200


def documents(infos: Sequence[DocumentInfo], texts: Texts) -> Markup:
    """Every document of the index; those that could not be read come first, with the reason."""
    if not infos:
        return tag("p", texts.no_documents, class_="cw-note")
    ordered = sorted(infos, key=lambda d: (d.status is FileStatus.OK, d.path.lower()))
    listed = ordered[:_MOST_LISTED]
    rows = [_row(d, [KINDS.get(d.kind, d.kind)], texts, d.title) for d in listed]
    if more := len(ordered) - len(listed):
        rows.append(tag("li", texts.more_documents.format(count=more), class_="cw-note"))
    unread = any(d.status is not FileStatus.OK for d in infos)
    return tag(
        "details",
        tag("summary", texts.documents.format(count=len(infos))),
        tag("ul", rows, class_="cw-files"),
        class_="cw-documents",
        open=unread or len(infos) <= 8,
    )


def _row(file: DocumentInfo | FileResult, about: list[str], texts: Texts, title: str = "") -> Markup:
    ready = file.status is FileStatus.OK
    why = "" if ready and isinstance(file, DocumentInfo) else file.detail
    detail = [*about, texts.pages.format(count=file.pages) if file.pages else "", why]
    return tag(
        "li",
        tag("span", "✓" if ready else "!", class_="cw-shape", aria_hidden="true"),
        tag(
            "div",
            tag("span", name(file.path), class_="cw-file", title=title or file.path),
            tag(
                "span",
                tag("span", texts.statuses[file.status], class_="cw-status"),
                [join([" · ", part]) for part in detail if part],
                class_="cw-note",
            ),
            _losses(file.losses, texts),
        ),
        class_=f"cw-file-row cw-file-row--{'ok' if ready else 'bad'}",
        data_status=file.status.value,
    )


def _losses(losses: Sequence[Loss], texts: Texts) -> Markup | None:
    """A sign with how much of a file could not be read; what, and what to do about it, on hover and below."""
    if not losses:
        return None
    words = loss_words(losses, texts.code)
    sign = tag("summary", "⚠ ", texts.lost.format(count=len(losses)), title=words)
    mending = [say(f"mending.{kind}", texts.code) for kind in dict.fromkeys(loss.kind for loss in losses)]
    return tag(
        "details", sign, [tag("p", line, class_="cw-note") for line in (words, *mending)], class_="cw-lost"
    )


def progress(p: Progress, texts: Texts) -> Markup:
    """A bar for a running upload, with the file being read."""
    label = {"scan": texts.scanning, "texts": texts.reading, "vectors": texts.embedding}.get(
        p.stage, texts.working
    )
    share = round(100 * p.done / p.total) if p.total else 0
    return tag(
        "div",
        tag("p", f"{label} {p.done}/{p.total}" if p.total else label, class_="cw-label", role="status"),
        tag("progress", value=share, max=100, aria_label=label),
        tag("p", name(p.current), class_="cw-note") if p.current else None,
        class_="cw-upload",
    )


def report(r: IngestReport, texts: Texts) -> Markup:
    """What became of each file of an upload, in words."""
    ok = sum(f.status is FileStatus.OK for f in r.files)
    head = tag("p", texts.upload_done.format(ok=ok, total=len(r.files)), class_="cw-label", role="status")
    changes = {"added": texts.added, "updated": texts.updated, "skipped": texts.skipped}
    changes |= {"removed": texts.removed, "failed": texts.failed}
    rows = [_row(f, [changes.get(f.change, f.change)], texts) for f in r.files]
    return tag("div", head, tag("ul", rows, class_="cw-files"), class_="cw-upload cw-upload--done")


def problem(message: str, texts: Texts) -> Markup:
    """An upload or an index that failed as a whole."""
    return tag("div", tag("p", texts.upload_failed), note(message), class_="cw-problem", role="alert")


def mistake(message: str) -> Markup:
    """Something typed that cannot be used."""
    return tag("div", tag("p", message), class_="cw-problem", role="alert")


def note(message: str) -> Markup:
    return tag("p", message, class_="cw-note")


def column(workspace: Workspace, index: str | None, texts: Texts) -> View:
    """The documents of an index, which of them can be asked, and what is wrong where it cannot be opened."""
    if not index:
        return View(upload=Markup(""), documents=note(texts.no_index), scope=(), choices=choices((), texts))
    infos: list[DocumentInfo] = []
    wrong = Markup("")
    try:
        infos = workspace.assistant(index).index.documents()
    except CitewiseError as error:
        wrong = problem(str(error), texts)
    askable = sorted((d.path for d in infos if d.status is FileStatus.OK), key=str.lower)
    return View(
        upload=wrong, documents=documents(infos, texts), scope=tuple(askable), choices=choices(infos, texts)
    )


def upload(workspace: Workspace, paths: Sequence[str], index: str | None, texts: Texts) -> Iterator[View]:
    """Keeps the files with the index and reads them in, with progress and one line per file at the end."""
    if not paths:
        return
    if not index:
        yield View(upload=problem(texts.no_index, texts))
        return
    yield View(upload=progress(Progress("scan", 0, 0), texts))
    try:
        with workspace.writing(index):
            kept = workspace.keep(index, [Path(p) for p in paths])
            opened = workspace.assistant(index).index
            for item in _in_thread(lambda tell: opened.ingest(*kept, progress=tell)):
                if isinstance(item, Progress):
                    yield View(upload=progress(item, texts))
                else:
                    yield replace(column(workspace, index, texts), upload=report(item, texts))
    except CitewiseError as error:
        yield View(upload=problem(str(error), texts))
    except Exception:
        _log.exception("upload failed")
        yield View(upload=problem(texts.unexpected, texts))


def _in_thread(
    work: Callable[[Callable[[Progress], None]], IngestReport],
) -> Iterator[Progress | IngestReport]:
    """Progress of `work` as it happens (the latest, not each one), then its result; raises what it raised."""
    channel: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def target() -> None:
        try:
            channel.put(work(channel.put))
        except Exception as error:  # raised again in the page's thread
            channel.put(error)

    threading.Thread(target=target, name="citewise-upload", daemon=True).start()
    item: Any = None
    while not isinstance(item, IngestReport):
        item = channel.get()
        while isinstance(item, Progress) and not channel.empty():
            item = channel.get()
        if isinstance(item, Exception):
            raise item
        yield item
