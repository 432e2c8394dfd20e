"""What the source pane shows: citations, nearest passages, passages that others refer to, cells of figures.
The words come at once, the picture of the page, with the cited words boxed, as soon as it is drawn.

Pages are drawn in a worker process: a PDF that makes the renderer crash or hang ends the worker, never the
page's server; the words are still shown as text."""

from __future__ import annotations

import base64
import logging
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from markupsafe import Markup

from rag.answers import compose
from rag.errors import CitewiseError
from rag.types import Citation, DocumentInfo
from ui import panes
from ui.conversation import Conversation, Exchange
from ui.texts import Texts, texts_for
from ui.workspace import Workspace

_log = logging.getLogger(__name__)
_SECONDS = 20.0
_MOST_KEPT = 32  # pages of about 100 kB each


@dataclass(frozen=True, slots=True)
class Picture:
    """An encoded page and boxes (left, top, right, bottom) as shares of its width and height, from the top
    left."""

    data: bytes
    mime: str
    width: int
    height: int
    boxes: tuple[tuple[float, float, float, float], ...]

    @property
    def data_uri(self) -> str:
        return f"data:{self.mime};base64,{base64.b64encode(self.data).decode('ascii')}"


def draw(
    source: str, page: int, quote: str, part: tuple[int, int] | None = None, scale: float = 1.5
) -> Picture:
    """Renders one page (1-based) as WebP, the quote boxed, or the `part` (start, end) of
    it. Runs inside the worker; imports the renderer only there."""
    import io

    from rag.parsers.page_image import find_boxes, render_page

    image = render_page(Path(source), page, scale=scale)
    boxes = find_boxes(Path(source), page, quote, part=part) if quote else []
    buffer = io.BytesIO()
    image.convert("RGB").save(buffer, "WEBP", quality=82)
    return Picture(buffer.getvalue(), "image/webp", image.width, image.height, tuple(boxes))


class Pictures:
    """Draws pages on demand and keeps the last few. Safe to call from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pool: Any = None
        self._kept: OrderedDict[tuple[Any, ...], Picture] = OrderedDict()

    def page(
        self,
        info: DocumentInfo,
        page: int,
        quote: str,
        texts: Texts,
        *,
        part: tuple[int, int] | None = None,
    ) -> Picture | str:
        """The picture, or a sentence for the reader that says why there is none."""
        source = Path(info.source)
        key = (info.source, info.sha256, page, quote, part)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        if not source.is_file():
            return texts.page_gone.format(source=info.source)
        from rag.models.fetch import sha256_file

        try:
            if sha256_file(source) != info.sha256:
                return texts.page_changed
            picture = self._draw(info.source, page, quote, part)
        except Exception as error:  # whatever goes wrong in a renderer, the reader still has the text
            _log.warning("page %s of %s could not be drawn: %r", page, info.source, error)
            return texts.page_failed
        with self._lock:
            self._kept[key] = picture
            while len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)
        return picture

    def _draw(self, source: str, page: int, quote: str, part: tuple[int, int] | None) -> Picture:
        with self._lock:
            if self._pool is None:
                import multiprocessing

                from pebble import ProcessPool

                self._pool = ProcessPool(max_workers=1, context=multiprocessing.get_context("spawn"))
            job = self._pool.schedule(draw, args=(source, page, quote, part), timeout=_SECONDS)
        picture: Picture = job.result()
        return picture

    def close(self) -> None:
        """Ends the worker."""
        with self._lock:
            if self._pool is not None:
                self._pool.stop()
                self._pool.join()
                self._pool = None


# What can be opened: the citation of a number, the nearest passage at a position, the passage with a chunk
# id, the input of a calculation at a position among all.
OPENED = ("cite", "near", "passage", "figure")


class Sources:
    """Looks up what a conversation has open and draws it."""

    def __init__(self, workspace: Workspace, pictures: Pictures) -> None:
        self._workspace = workspace
        self._pictures = pictures

    def open(self, conversation: Conversation) -> Iterator[Markup]:
        """The pane as it comes: first the words, then with the page."""
        texts = texts_for(conversation.language)
        view = self._look_up(conversation, texts)
        if view is None:
            yield panes.empty_pane(texts)
            return
        info, page = view.info, view.cited.page
        if info is None or info.kind != "pdf" or page is None:
            yield panes.source_pane(view, texts)
            return
        yield panes.source_pane(view, texts, texts.page_loading)
        picture = self._pictures.page(info, page, view.boxed, texts, part=view.part)
        yield panes.source_pane(view, texts, picture)

    def current(self, conversation: Conversation) -> Markup:
        """The pane that is open, anew."""
        return list(self.open(conversation))[-1]

    def _look_up(self, conversation: Conversation, texts: Texts) -> panes.PassageView | None:
        kind, turn, which = conversation.open_source or ("", 0, 0)
        exchange = conversation.find(turn)
        if exchange is None:
            return None
        try:
            index = self._workspace.assistant(exchange.index).index
        except CitewiseError:
            index = None
        view = None
        if kind == "near":
            nearest = exchange.answer.nearest if exchange.answer else ()
            view = panes.of_hit(nearest[which], index) if 0 <= which < len(nearest) else None
        elif kind == "passage":
            with suppress(CitewiseError):  # removed since the link was drawn
                view = panes.of_hit(index.passage(which), index) if index is not None else None
        else:
            view = (_cell if kind == "figure" else _cited)(exchange, which, index, texts)
        return replace(view, turn=turn) if view is not None else None


def _citation(exchange: Exchange, number: int) -> Citation | None:
    answer = exchange.answer
    found = next((c for c in answer.citations if c.number == number), None) if answer else None
    evidence = next((e for e in exchange.visible_evidence if e.number == number), None)
    return found or (compose.citation(evidence) if evidence is not None else None)


def _cited(exchange: Exchange, number: int, index: Any, texts: Texts) -> panes.PassageView | None:
    citation = _citation(exchange, number)
    claims = exchange.answer.claims if exchange.answer else ()
    return panes.look_up(index, citation, texts, claims) if citation is not None else None


def _cell(exchange: Exchange, which: int, index: Any, texts: Texts) -> panes.PassageView | None:
    """The cell that a figure was read from (the inputs of all calculations, counted through), marked in its
    row; the row where the cell cannot be determined."""
    calculations = exchange.answer.calculations if exchange.answer else ()
    figures = [figure for calculation in calculations for figure in calculation.inputs]
    figure = figures[which] if 0 <= which < len(figures) else None
    if figure is None or figure.citation is None:
        return None
    row = _citation(exchange, figure.citation)
    if row is None or not row.start <= figure.start < figure.end <= row.end:
        return _cited(exchange, figure.citation, index, texts)
    part = (figure.start - row.start, figure.end - row.start)
    cell = replace(row, start=figure.start, end=figure.end, quote=row.quote[slice(*part)])
    return replace(panes.look_up(index, cell, texts), boxed=row.quote, part=part)
