"""The source pane: the cited words marked in the passage around them, with document and page, where the
passage leads and whether its document is still in force. Pure but for what asks the index (`leads`,
`look_up`); the picture of the page comes from `ui.pictures`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from markupsafe import Markup

from rag.errors import InputError
from rag.languages.text import detect_language
from rag.types import Citation, Claim, DocumentInfo, Hit, Mark
from rag.types.documents import WITHDRAWN
from ui.cards import validity_note
from ui.markup import button, join, name, note, tag
from ui.pictures import Picture
from ui.render import STATE_SHAPES
from ui.texts import Texts

_MOST, _PREVIEW = 12, 140


@dataclass(frozen=True, slots=True)
class Lead:
    """A reference of a passage: its words, the document it leads to ("" for the same) and how that passage
    begins; `chunk_id` is what opens."""

    words: str
    document: str
    preview: str
    chunk_id: int


def leads(index: Any, chunk_id: int) -> tuple[Lead, ...]:
    """What a passage of the index refers to and the index holds, each passage once, the first twelve."""
    found: dict[int, Lead] = {}
    for reference in index.references(chunk_id) if index is not None and chunk_id else ():
        if reference.target_document_id is None or len(found) == _MOST:
            continue
        target = reference.target_chunk_id or index.opening(reference.target_document_id)
        try:
            hit = index.passage(target)
        except InputError:  # removed meanwhile
            continue
        other = hit.document.id != reference.document_id
        document = (hit.document.title or hit.document.path) if other else ""
        preview = " ".join(hit.chunk.text.split())
        cut = f"{preview[:_PREVIEW]}…" if len(preview) > _PREVIEW else preview
        found.setdefault(target, Lead(reference.text, document, cut, target))
    return tuple(found.values())


def leads_list(found: tuple[Lead, ...], turn: int, texts: Texts) -> Markup | None:
    """The passages that a passage refers to, each a button that opens it."""
    if not found:
        return None
    rows = [
        tag(
            "li",
            button(
                lead.words,
                "cw-lead",
                "passage",
                data_turn=turn,
                data_number=lead.chunk_id,
                aria_label=texts.open_reference.format(words=lead.words),
            ),
            tag("span", name(lead.document), class_="cw-doc") if lead.document else None,
            note(lead.preview),
        )
        for lead in found
    ]
    return tag("div", tag("h4", texts.refers_to, class_="cw-label"), tag("ul", rows), class_="cw-leads")


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
    those of what is shown and does not stand. `leads` is what the passage refers to, `turn` the exchange it
    was opened from, `info` the document as the index has it."""

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
    leads: tuple[Lead, ...] = ()
    turn: int = 0
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
        leads=leads(index, citation.chunk_id) if info is not None else (),
        info=info,
    )


def _withdrawn(index: Any, info: DocumentInfo | None, start: int, end: int) -> tuple[Mark, ...]:
    found = index.marks(info.id, start, end) if index is not None and info is not None else ()
    return tuple(mark for mark in found if mark.kind in WITHDRAWN)


def of_hit(hit: Hit, index: Any = None) -> PassageView:
    """The pane for a nearest passage, or one that was followed to: the whole passage, nothing marked."""
    chunk, document = hit.chunk, hit.document
    about = (0, document.path, document.title, document.source, chunk.page, chunk.start, chunk.end)
    cited = Citation(*about, chunk.text, chunk.heading_path, chunk.location)
    marks = _withdrawn(index, document, chunk.start, chunk.end)
    return PassageView(cited, marks=marks, leads=leads(index, hit.chunk_id), info=document)


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


def source_pane(view: PassageView, texts: Texts, picture: Picture | str | None = None) -> Markup:
    """The pane. `picture` is a drawn page, a note that says why there is none, or None for formats without
    pages."""
    cited, heads = view.cited, (tag("b", texts.table_columns), ": ")
    return tag(
        "section",
        _head(view, texts),
        tag("p", view.note, class_="cw-notice") if view.note else None,
        _claims(view, texts),
        tag("h4", texts.cited_words if view.boxed else texts.passage, class_="cw-label"),
        tag("p", heads, cited.header, class_="cw-header") if cited.header else None,
        _passage(view),
        leads_list(view.leads, view.turn, texts),
        _page(view, picture, texts),
        class_="cw-source",
        aria_label=texts.source,
        data_document=cited.document,
        lang=detect_language(view.before + cited.quote + view.after),
    )


def _head(view: PassageView, texts: Texts) -> Markup:
    cited, where = view.cited, []
    if cited.page is not None:
        pages = view.info.pages if view.info is not None else 0
        where.append((texts.page_of if pages else texts.page).format(page=cited.page, pages=pages))
    if cited.location:
        where.append(cited.location)
    path = [tag("li", part) for part in cited.heading_path]
    return tag(
        "header",
        tag(
            "div",
            tag("span", f"[{cited.number}]", class_="cw-number") if cited.number else None,
            tag("h3", name(cited.title or cited.document)),
            button("×", "cw-close", "close", aria_label=texts.close),
            class_="cw-source-title",
        ),
        tag(
            "p",
            name(cited.document),
            [join([" · ", tag("span", part, class_="cw-page")]) for part in where],
            class_="cw-place",
        ),
        validity_note(view.info, texts) if view.info is not None else None,
        tag("ol", path, class_="cw-path-list") if path else None,
        class_="cw-source-head",
    )


def _claims(view: PassageView, texts: Texts) -> Markup | None:
    rows = [
        tag(
            "li",
            tag("span", STATE_SHAPES[c.state], class_="cw-shape", aria_hidden="true"),
            tag("span", c.text),
            tag("span", texts.states[c.state], class_="cw-state"),
            class_=f"cw-claim--{c.state.value}",
        )
        for c in view.claims
        if not c.quoted
    ]
    if not rows:
        return None
    return tag("div", tag("h4", texts.supports, class_="cw-label"), tag("ul", rows), class_="cw-supports")


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


def _passage(view: PassageView) -> Markup:
    text = flow(view.before + view.cited.quote + view.after)
    start, end = len(view.before), len(view.before) + len(view.cited.quote)
    before, words, after = (
        list(_struck(text, *part, view)) for part in ((0, start), (start, end), (end, len(text)))
    )
    return tag(
        "div",
        "… " if view.cut_before else None,
        before,
        tag("mark", words, id="cw-mark", tabindex="-1") if view.boxed else words,
        after,
        " …" if view.cut_after else None,
        class_="cw-passage",
    )


def _struck(text: str, start: int, end: int, view: PassageView) -> Iterator[str | Markup]:
    """`text[start:end]` of what is shown, struck out where it does not stand."""
    ahead = view.cited.start - len(view.before)
    for mark in view.marks:
        first, last = max(start, mark.start - ahead), min(end, mark.end - ahead)
        if first < last:
            yield text[start:first]
            yield tag("s", text[first:last], class_=f"cw-{mark.kind}")
            start = last
    yield text[start:end]


def _page(view: PassageView, picture: Picture | str | None, texts: Texts) -> Markup | None:
    if picture is None:
        return None
    if isinstance(picture, str):
        return tag("p", picture, class_="cw-notice cw-picture-note")
    cited = view.cited
    boxes = [tag("span", class_="cw-box", style=_rectangle(*box)) for box in picture.boxes]
    image = tag(
        "img",
        src=picture.data_uri,
        width=picture.width,
        height=picture.height,
        alt=texts.page_image_alt.format(page=cited.page, document=cited.title or cited.document),
    )
    return tag(
        "figure",
        tag("figcaption", f"{texts.page_image} {cited.page}", class_="cw-label"),
        tag("div", image, boxes, class_="cw-sheet"),
        tag("p", texts.page_no_boxes, class_="cw-notice") if view.boxed and not picture.boxes else None,
        class_="cw-figure",
    )


def _rectangle(left: float, top: float, right: float, bottom: float) -> str:
    shares = {"left": left, "top": top, "width": right - left, "height": bottom - top}
    return ";".join(f"{side}:{100 * share:.2f}%" for side, share in shares.items())


def empty_pane(texts: Texts) -> Markup:
    """Before a citation has been opened."""
    return tag(
        "section",
        tag("h3", texts.source_empty_title),
        tag("p", texts.source_empty),
        class_="cw-source cw-source--empty",
        aria_label=texts.source,
    )
