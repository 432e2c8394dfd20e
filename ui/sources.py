"""What the source pane shows: citations, nearest passages, passages that others refer to, cells of figures.
The words come at once, the picture of the page as soon as it is drawn."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from markupsafe import Markup

from rag.answers import compose
from rag.errors import CitewiseError
from rag.types import Answer, Citation, Figure, Hit
from ui import panes
from ui.conversation import Conversation, Exchange
from ui.pictures import Pictures
from ui.texts import Texts, texts_for
from ui.workspace import Workspace

# What can be opened: the citation of a number, the nearest passage at a position, the passage with a chunk
# id, the input of a calculation at a position among all.
OPENED = ("cite", "near", "passage", "figure")


@dataclass(frozen=True, slots=True)
class _Found:
    """A passage to show, and what to mark on the page: the quote, or the `part` of it (start, end) that is a
    cell."""

    view: panes.PassageView
    quote: str = ""
    part: tuple[int, int] | None = None


def figures_of(answer: Answer) -> tuple[Figure, ...]:
    """The inputs of all calculations, in the order in which the page numbers them."""
    return tuple(figure for calculation in answer.calculations for figure in calculation.inputs)


class Sources:
    """Looks up what a conversation has open and draws it."""

    def __init__(self, workspace: Workspace, pictures: Pictures) -> None:
        self._workspace = workspace
        self._pictures = pictures

    def open(self, conversation: Conversation) -> Iterator[Markup]:
        """The pane as it comes: first the words, then with the page."""
        texts = texts_for(conversation.language)
        found = self._look_up(conversation, texts)
        if found is None:
            yield panes.empty_pane(texts)
            return
        view, info = found.view, found.view.info
        if info is None or info.kind != "pdf" or view.page is None:
            yield panes.source_pane(view, texts)
            return
        yield panes.source_pane(view, texts, texts.page_loading)
        picture = self._pictures.page(info, view.page, found.quote, texts, part=found.part)
        yield panes.source_pane(view, texts, picture)

    def current(self, conversation: Conversation) -> Markup:
        """The pane that is open, anew."""
        if conversation.open_source is None:
            return panes.empty_pane(texts_for(conversation.language))
        return list(self.open(conversation))[-1]

    def _look_up(self, conversation: Conversation, texts: Texts) -> _Found | None:
        if conversation.open_source is None:
            return None
        kind, number, which = conversation.open_source
        exchange = conversation.find(number)
        if exchange is None:
            return None
        try:
            index = self._workspace.assistant(exchange.index).index
        except CitewiseError:
            index = None
        if kind == "near":
            nearest = exchange.answer.nearest if exchange.answer else ()
            return _whole(nearest[which], index, number) if 0 <= which < len(nearest) else None
        if kind == "passage":
            try:
                return _whole(index.passage(which), index, number) if index is not None else None
            except CitewiseError:  # removed since the link was drawn
                return None
        return (_cell if kind == "figure" else _cited)(exchange, which, index, texts)


def _whole(hit: Hit, index: Any, turn: int) -> _Found:
    return _Found(replace(panes.of_hit(hit, index), turn=turn))


def _citation(exchange: Exchange, number: int) -> Citation | None:
    answer = exchange.answer
    found = next((c for c in answer.citations if c.number == number), None) if answer else None
    evidence = next((e for e in exchange.visible_evidence if e.number == number), None)
    return found or (compose.citation(evidence) if evidence is not None else None)


def _header(exchange: Exchange, number: int) -> str:
    return next((e.header for e in exchange.visible_evidence if e.number == number), "")


def _cited(exchange: Exchange, number: int, index: Any, texts: Texts) -> _Found | None:
    citation = _citation(exchange, number)
    if citation is None:
        return None
    claims = exchange.answer.claims if exchange.answer else ()
    header = _header(exchange, number) or citation.header
    view = panes.look_up(index, citation, texts, header=header, claims=claims)
    return _Found(replace(view, turn=exchange.number), view.quote)


def _cell(exchange: Exchange, which: int, index: Any, texts: Texts) -> _Found | None:
    """The cell that a figure was read from, marked in its row; the row where the cell cannot be
    determined."""
    figures = figures_of(exchange.answer) if exchange.answer else ()
    figure = figures[which] if 0 <= which < len(figures) else None
    if figure is None or figure.citation is None:
        return None
    row = _citation(exchange, figure.citation)
    if row is None or not row.start <= figure.start < figure.end <= row.end:
        return _cited(exchange, figure.citation, index, texts)
    part = (figure.start - row.start, figure.end - row.start)
    cell = replace(row, start=figure.start, end=figure.end, quote=row.quote[slice(*part)])
    view = panes.look_up(index, cell, texts, header=_header(exchange, row.number) or row.header)
    return _Found(replace(view, turn=exchange.number), row.quote, part)
