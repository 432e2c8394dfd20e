"""The documents column: what an index holds, how files are read into it, what became of each."""

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
from rag.types import DocumentInfo, FileStatus, IngestReport, Progress
from ui.filters import View, choices
from ui.render import fill
from ui.texts import Texts
from ui.workspace import Workspace

_log = logging.getLogger(__name__)
_MOST_LISTED = 200


def documents(infos: Sequence[DocumentInfo], texts: Texts) -> Markup:
    """Every document of the index; those that could not be read come first, with the reason."""
    if not infos:
        return fill("answer.note", texts, texts.no_documents)
    ordered = sorted(infos, key=lambda d: (d.status is FileStatus.OK, d.path.lower()))
    unfolded = len(ordered) <= 8 or ordered[0].status is not FileStatus.OK
    more = max(0, len(ordered) - _MOST_LISTED)
    return fill("page.documents", texts, ordered[:_MOST_LISTED], more, len(ordered), unfolded)


def column(workspace: Workspace, index: str | None, texts: Texts) -> View:
    """The documents of an index, which of them can be asked, and what is wrong where it cannot be opened."""
    if not index:
        return View(
            upload=Markup(""),
            documents=fill("answer.note", texts, texts.no_index),
            scope=(),
            choices=choices((), texts),
        )
    infos: list[DocumentInfo] = []
    wrong = Markup("")
    try:
        infos = workspace.assistant(index).index.documents()
    except CitewiseError as error:
        wrong = fill("page.problem", texts, str(error))
    askable = sorted((d.path for d in infos if d.status is FileStatus.OK), key=str.lower)
    return View(
        upload=wrong, documents=documents(infos, texts), scope=tuple(askable), choices=choices(infos, texts)
    )


def upload(workspace: Workspace, paths: Sequence[str], index: str | None, texts: Texts) -> Iterator[View]:
    """Keeps the files with the index and reads them in, with progress and one line per file at the end."""
    if not paths:
        return
    if not index:
        yield View(upload=fill("page.problem", texts, texts.no_index))
        return
    yield View(upload=fill("page.progress", texts, Progress("scan", 0, 0)))
    try:
        with workspace.writing(index):
            kept = workspace.keep(index, [Path(p) for p in paths])
            opened = workspace.assistant(index).index
            for item in _in_thread(lambda tell: opened.ingest(*kept, progress=tell)):
                if isinstance(item, Progress):
                    yield View(upload=fill("page.progress", texts, item))
                else:
                    yield replace(column(workspace, index, texts), upload=fill("page.report", texts, item))
    except CitewiseError as error:
        yield View(upload=fill("page.problem", texts, str(error)))
    except Exception:
        _log.exception("upload failed")
        yield View(upload=fill("page.problem", texts, texts.unexpected))


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
