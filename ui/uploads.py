"""Documents added from the page: a new index, files read into one, reported as it happens."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from rag.errors import CitewiseError
from rag.types import DocumentInfo, FileStatus, IngestReport, Progress
from ui import listing
from ui.filters import View, choices
from ui.texts import Texts
from ui.workspace import Workspace

_log = logging.getLogger(__name__)


def documents_of(workspace: Workspace, index: str | None) -> tuple[list[DocumentInfo], str]:
    """The documents of an index, and what is wrong where it cannot be opened."""
    if not index:
        return [], ""
    try:
        return list(workspace.assistant(index).index.documents()), ""
    except CitewiseError as error:
        return [], str(error)


def askable(infos: Sequence[DocumentInfo]) -> tuple[str, ...]:
    """The paths that a question can be limited to, sorted."""
    return tuple(sorted((d.path for d in infos if d.status is FileStatus.OK), key=str.lower))


def upload(workspace: Workspace, paths: Sequence[str], index: str | None, texts: Texts) -> Iterator[View]:
    """Keeps the files with the index and reads them in, with progress and one line per file at the end."""
    if not paths:
        return
    if not index:
        yield View(upload=listing.problem(texts.no_index, texts))
        return
    yield View(upload=listing.progress(Progress("scan", 0, 0), texts))
    try:
        with workspace.writing(index):
            kept = workspace.keep(index, [Path(p) for p in paths])
            opened = workspace.assistant(index).index
            for item in _in_thread(lambda tell: opened.ingest(*kept, progress=tell)):
                if isinstance(item, Progress):
                    yield View(upload=listing.progress(item, texts))
                else:
                    yield _uploaded(workspace, index, item, texts)
    except CitewiseError as error:
        yield View(upload=listing.problem(str(error), texts))
    except Exception:
        _log.exception("upload failed")
        yield View(upload=listing.problem(texts.unexpected, texts))


def _uploaded(workspace: Workspace, index: str, report: IngestReport, texts: Texts) -> View:
    infos, _ = documents_of(workspace, index)
    return View(
        upload=listing.report(report, texts),
        documents=listing.documents(infos, texts),
        scope=askable(infos),
        choices=choices(infos, texts),
    )


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
    while True:
        item = channel.get()
        while isinstance(item, Progress) and not channel.empty():
            item = channel.get()
        if isinstance(item, Exception):
            raise item
        yield item
        if not isinstance(item, Progress):
            return
