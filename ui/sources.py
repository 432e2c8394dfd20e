"""The source pane: the cited words marked in the passage around them, with document and page, and whether its
document is still in force. The words come at once, the picture of the page as soon as it is drawn."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from markupsafe import Markup

from rag.answers import compose
from rag.answers.line import answering
from rag.errors import CitewiseError
from rag.languages.text import detect_language
from rag.types import Citation, Claim, DocumentInfo, Hit, Mark
from rag.types.documents import WITHDRAWN
from ui import Texts, texts_for
from ui.conversation import Conversation, Exchange
from ui.pictures import Picture, Pictures
from ui.render import fill, numbered_inputs
from ui.workspace import Workspace

# What can be opened: the citation of a number, the nearest passage at a position, the input of a calculation
# at a position among all.
OPENED = ("cite", "near", "figure")
# Code points of context on each side of the cited words, before snapping to a paragraph or sentence boundary.
_AROUND = 700
_AROUND_BESIDE_A_PAGE = 350  # where the page itself is shown below
_BREAKS = [re.compile(stop) for stop in ("\n", "[。！？]", " ")]
# A line break after a line of this many columns is the end of a printed line, not of a paragraph.
_PRINTED_LINE = 50
_ITEM = re.compile(r"\s*(?:[-*•·]|[(（]?[\w一-龥]{1,4}[)）.、]|第.{1,6}条|\d+(?:\.\d+)+)\s")


@dataclass(frozen=True, slots=True)
class PassageView:
    """What the pane shows of the words `cited`. `before + quote + after` is verbatim text of the document;
    `cut_before` and `cut_after` say that the document goes on. `boxed` are the words to box in the picture of
    the page, or the `part` of them (start, end) that is a cell; "" for a passage shown whole. `marks` are
    those of what is shown and does not stand, `info` the document as the index has it."""

    cited: Citation
    before: str = ""
    after: str = ""
    cut_before: bool = False
    cut_after: bool = False
    note: str = ""
    boxed: str = ""
    part: tuple[int, int] | None = None
    claims: tuple[Claim, ...] = ()
    marks: tuple[Mark, ...] = ()
    info: DocumentInfo | None = None


def look_up(index: Any, citation: Citation, texts: Texts, claims: tuple[Claim, ...] = ()) -> PassageView:
    """The passage of a citation; its `info` is None where the index no longer has the document as cited.

    The words shown are always those cited. Context is added only where the document still holds them at the
    same offsets."""
    infos = index.documents() if index is not None else ()
    info = next((i for i in infos if i.id == citation.document_id or i.path == citation.document), None)
    text = index.text(info.id) if info is not None else ""
    note = texts.passage_gone if info is None else ""
    first, last = start, end = citation.start, citation.end
    if info is not None and text[start:end] != citation.quote:
        note = texts.passage_changed
        info, text = None, ""
    if text:
        around = _AROUND_BESIDE_A_PAGE if citation.page is not None else _AROUND
        first, last = window(text, start, end, around=around)
    return PassageView(
        citation,
        before=text[first:start],
        after=text[end:last],
        cut_before=bool(text[:first].strip()),
        cut_after=bool(text[last:].strip()),
        note=note,
        boxed=citation.quote,
        claims=tuple(c for c in claims if citation.number in c.citations),
        marks=_withdrawn(index, info, first, last),
        info=info,
    )


def _withdrawn(index: Any, info: DocumentInfo | None, start: int, end: int) -> tuple[Mark, ...]:
    found = index.store.marks(info.id, start, end) if index is not None and info is not None else ()
    return tuple(mark for mark in found if mark.kind in WITHDRAWN)


def of_hit(hit: Hit, index: Any = None) -> PassageView:
    """The pane for a nearest passage: the whole passage, nothing marked."""
    chunk, document = hit.chunk, hit.document
    about = (0, document.path, document.title, document.source, chunk.page, chunk.start, chunk.end)
    cited = Citation(*about, chunk.text, chunk.heading_path, chunk.location)
    marks = _withdrawn(index, document, chunk.start, chunk.end)
    return PassageView(cited, marks=marks, info=document)


def window(text: str, start: int, end: int, *, around: int = _AROUND) -> tuple[int, int]:
    """The range of context around `text[start:end]`: at most `around` code points on each side, cut at a line
    break or a sentence end where there is one in the outer half, else at a blank."""
    first, last = max(0, start - around), min(len(text), end + around)
    if first > 0:
        first += next((m.end() for b in _BREAKS if (m := b.search(text[first : (first + start) // 2]))), 0)
    if last < len(text):
        middle = (end + last) // 2
        for stop in _BREAKS:
            if ends := [m.start() + (m[0] in "。！？") for m in stop.finditer(text[middle:last])]:
                return first, middle + ends[-1]
    return first, last


def source_pane(
    view: PassageView, texts: Texts, picture: Picture | str | None = None, turn: int = 0
) -> Markup:
    """The pane. `picture` is a drawn page, a note that says why there is none, or None for formats without
    pages; `turn` the exchange that it was opened from."""
    text = view.before + view.cited.quote + view.after
    start, end = len(view.before), len(view.before) + len(view.cited.quote)
    flowing = flow(text)
    shown = [list(_struck(flowing, *part, view)) for part in ((0, start), (start, end), (end, len(text)))]
    return fill("source.source_pane", texts, view, shown, detect_language(text), picture, turn=turn)


def _struck(text: str, start: int, end: int, view: PassageView) -> Iterator[tuple[str, str]]:
    """`text[start:end]` of what is shown in pieces, each with its mark where it does not stand."""
    ahead = view.cited.start - len(view.before)
    for mark in view.marks:
        first, last = max(start, mark.start - ahead), min(end, mark.end - ahead)
        if first < last:
            yield text[start:first], ""
            yield text[first:last], mark.kind
            start = last
    yield text[start:end], ""


def flow(text: str) -> str:
    """The text with the line breaks of a printed page shown as blanks; same length, so offsets stay true.
    Table rows, short lines, lists and blank lines keep their breaks."""
    lines = text.split("\n")
    out = lines[0]
    for previous, line in pairwise(lines):
        columns = sum(2 if ord(c) > 0x2E80 else 1 for c in previous)
        item = _ITEM.match(line) or not line.strip() or "|" in previous or "|" in line
        out += ("\n" if item or columns < _PRINTED_LINE else " ") + line
    return out


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
            yield fill("source.empty_pane", texts)
            return
        info, page, turn = view.info, view.cited.page, (conversation.open_source or ("", 0, 0))[1]
        drawn = info is not None and info.kind == "pdf" and page is not None
        yield source_pane(view, texts, texts.page_loading if drawn else None, turn)
        if drawn:
            picture = self._pictures.page(info, page, view.boxed, texts, part=view.part)
            yield source_pane(view, texts, picture, turn)

    def current(self, conversation: Conversation) -> Markup:
        """The pane that is open, anew."""
        return list(self.open(conversation))[-1]

    def _look_up(self, conversation: Conversation, texts: Texts) -> PassageView | None:
        kind, turn, which = conversation.open_source or ("", 0, 0)
        exchange = conversation.find(turn)
        if exchange is None:
            return None
        try:
            index = self._workspace.assistant(exchange.index).index
        except CitewiseError:
            index = None
        if kind == "near":
            nearest = exchange.answer.nearest if exchange.answer else ()
            return of_hit(nearest[which], index) if 0 <= which < len(nearest) else None
        return (_cell if kind == "figure" else _cited)(exchange, which, index, texts)


def _citation(exchange: Exchange, number: int) -> Citation | None:
    answer = exchange.answer
    evidence = answer.evidence if answer else exchange.evidence
    shown = [*(answer.citations if answer else ()), *map(compose.citation, evidence)]
    return next((citation for citation in shown if citation.number == number), None)


def _cited(exchange: Exchange, number: int, index: Any, texts: Texts) -> PassageView | None:
    citation = _citation(exchange, number)
    answer = exchange.answer
    if citation is None:
        return None
    view = look_up(index, citation, texts, answer.claims if answer else ())
    holds = answering(answer.line, answer.question, citation.row) if answer else ()
    cells = [citation.cells[n] for n in holds]
    part = [(cell.start - citation.start, cell.end - citation.start) for cell in cells]
    return replace(view, part=part[0]) if len(part) == 1 else view


def _cell(exchange: Exchange, which: int, index: Any, texts: Texts) -> PassageView | None:
    """The cell that a figure was read from (the inputs of all calculations, counted through), marked in its
    row; the row where the cell cannot be determined."""
    inputs = numbered_inputs(exchange.answer) if exchange.answer else ()
    figure = next((f for _, figures in inputs for number, f in figures if number == which), None)
    if figure is None or figure.citation is None:
        return None
    row = _citation(exchange, figure.citation)
    if row is None or not row.start <= figure.start < figure.end <= row.end:
        return _cited(exchange, figure.citation, index, texts)
    part = (figure.start - row.start, figure.end - row.start)
    cell = replace(row, start=figure.start, end=figure.end, quote=row.quote[slice(*part)])
    return replace(look_up(index, cell, texts), boxed=row.quote, part=part)
