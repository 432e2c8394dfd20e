"""What the source pane shows: citations, nearest passages, passages that others refer to, cells of figures.
The words come at once, the picture of the page as soon as it is drawn."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

from markupsafe import Markup

from rag.answers import compose
from rag.answers.line import answering
from rag.errors import CitewiseError
from rag.types import Citation
from ui import panes
from ui.conversation import Conversation, Exchange
from ui.pictures import Pictures
from ui.texts import Texts, texts_for
from ui.workspace import Workspace

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
    answer = exchange.answer
    if citation is None:
        return None
    view = panes.look_up(index, citation, texts, answer.claims if answer else ())
    holds = answering(answer.line, answer.question, citation.row) if answer else ()
    cells = [citation.cells[n] for n in holds]
    part = [(cell.start - citation.start, cell.end - citation.start) for cell in cells]
    return replace(view, part=part[0]) if len(part) == 1 else view


def _cell(exchange: Exchange, which: int, index: Any, texts: Texts) -> panes.PassageView | None:
    """The cell that a figure was read from (the inputs of all calculations, counted through), marked in its
    row; the row where the cell cannot be determined."""
    calculations = exchange.answer.working if exchange.answer else ()
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
