"""The source pane: the cited words marked in the passage around them, with document and page. Pure;
`PassageView` is filled by `look_up`, the page picture comes from `ui.pictures`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from markupsafe import Markup

from rag.languages.text import detect_language
from rag.types import Citation, Claim, ClaimState, DocumentInfo, Hit
from ui.follow import Lead, leads, leads_list, validity_note
from ui.markup import button, join, name, tag
from ui.pictures import Picture
from ui.render import STATE_SHAPES
from ui.texts import Texts

# Code points of context on each side of the cited words, before snapping to a paragraph or sentence boundary.
_AROUND = 700
_AROUND_BESIDE_A_PAGE = 350  # where the page itself is shown below
# A line break after a line of this many columns is the end of a printed line, not of a paragraph.
_PRINTED_LINE = 50
_ITEM = re.compile(r"\s*(?:[-*•·]|[(（]?[\w一-龥]{1,4}[)）.、]|第.{1,6}条|\d+(?:\.\d+)+)\s")


@dataclass(frozen=True, slots=True)
class PassageView:
    """What the pane shows. `before + quote + after` is verbatim text of the document where `fresh`;
    `cut_before` and `cut_after` say that the document goes on. `mark` is False for a passage that is shown
    whole (nearest passages of a refusal). `leads` is what the passage refers to, `turn` the exchange it was
    opened from, `info` the document as the index has it."""

    document: str
    title: str
    quote: str
    before: str = ""
    after: str = ""
    cut_before: bool = False
    cut_after: bool = False
    page: int | None = None
    pages: int = 0
    location: str = ""
    heading_path: tuple[str, ...] = ()
    header: str = ""
    note: str = ""
    mark: bool = True
    number: int | None = None
    claims: tuple[Claim, ...] = ()
    leads: tuple[Lead, ...] = ()
    turn: int = 0
    info: DocumentInfo | None = None


def look_up(
    index: Any, citation: Citation, texts: Texts, *, header: str = "", claims: tuple[Claim, ...] = ()
) -> PassageView:
    """The passage of a citation; its `info` is None where the index no longer has the document as cited.

    The words shown are always those cited. Context is added only where the document still holds them at the
    same offsets."""
    infos = index.documents() if index is not None else ()
    info = next((i for i in infos if i.id == citation.document_id or i.path == citation.document), None)
    text = index.text(info.id) if info is not None else ""
    note = texts.passage_gone if info is None else ""
    before = after = ""
    start, end = citation.start, citation.end
    if info is not None and text[start:end] != citation.quote:
        note = texts.passage_changed
        info, text = None, ""
    if text:
        around = _AROUND_BESIDE_A_PAGE if citation.page is not None else _AROUND
        first, last = window(text, start, end, around=around)
        before, after = text[first:start], text[end:last]
    return PassageView(
        document=citation.document,
        title=citation.title,
        quote=citation.quote,
        before=before,
        after=after,
        cut_before=bool(text) and bool(text[: start - len(before)].strip()),
        cut_after=bool(text) and bool(text[end + len(after) :].strip()),
        page=citation.page,
        pages=info.pages if info is not None else 0,
        location=citation.location,
        heading_path=citation.heading_path,
        header=header,
        note=note,
        number=citation.number,
        claims=tuple(c for c in claims if citation.number in c.citations),
        leads=leads(index, citation.chunk_id) if info is not None else (),
        info=info,
    )


def of_hit(hit: Hit, index: Any = None) -> PassageView:
    """The pane for a nearest passage, or one that was followed to: the whole passage, nothing marked."""
    return PassageView(
        document=hit.document.path,
        title=hit.document.title,
        quote=hit.chunk.text,
        page=hit.chunk.page,
        pages=hit.document.pages,
        location=hit.chunk.location,
        heading_path=hit.chunk.heading_path,
        mark=False,
        leads=leads(index, hit.chunk_id),
        info=hit.document,
    )


def window(text: str, start: int, end: int, *, around: int = _AROUND) -> tuple[int, int]:
    """The range of context around `text[start:end]`: at most `around` code points on each side, cut at a line
    break or a sentence end where there is one in the outer half, else at a blank."""
    first = max(0, start - around)
    if first > 0:
        first = _after_break(text, first, start)
    last = min(len(text), end + around)
    if last < len(text):
        last = _before_break(text, end, last)
    return first, last


def _after_break(text: str, low: int, high: int) -> int:
    middle = (low + high) // 2
    for separators in ("\n", "。！？", " "):
        found = min((p for s in separators if (p := text.find(s, low, middle)) >= 0), default=-1)
        if found >= 0:
            return found + 1
    return low


def _before_break(text: str, low: int, high: int) -> int:
    middle = (low + high) // 2
    for separators in ("\n", "。！？", " "):
        found = max(text.rfind(s, middle, high) for s in separators)
        if found >= 0:
            return found + (separators == "。！？")
    return high


def source_pane(view: PassageView, texts: Texts, picture: Picture | str | None = None) -> Markup:
    """The pane. `picture` is a drawn page, a note that says why there is none, or None for formats without
    pages."""
    return tag(
        "section",
        _head(view, texts),
        tag("p", view.note, class_="cw-notice") if view.note else None,
        _claims(view, texts),
        tag("h4", texts.cited_words if view.mark else texts.passage, class_="cw-label"),
        tag("p", tag("b", texts.table_columns), ": ", view.header, class_="cw-header")
        if view.header
        else None,
        _passage(view),
        leads_list(view.leads, view.turn, texts),
        _page(view, picture, texts),
        class_="cw-source",
        aria_label=texts.source,
        data_document=view.document,
        lang=detect_language(view.before + view.quote + view.after),
    )


def _head(view: PassageView, texts: Texts) -> Markup:
    where = []
    if view.page is not None:
        pages = texts.page_of if view.pages else texts.page
        where.append(pages.format(page=view.page, pages=view.pages))
    if view.location:
        where.append(view.location)
    path = [tag("li", part) for part in view.heading_path]
    return tag(
        "header",
        tag(
            "div",
            tag("span", f"[{view.number}]", class_="cw-number") if view.number else None,
            tag("h3", name(view.title or view.document)),
            button("×", "cw-close", "close", aria_label=texts.close),
            class_="cw-source-title",
        ),
        tag(
            "p",
            name(view.document),
            [join([" · ", tag("span", part, class_="cw-page")]) for part in where],
            class_="cw-place",
        ),
        validity_note(view.info, texts) if view.info is not None else None,
        tag("ol", path, class_="cw-path-list") if path else None,
        class_="cw-source-head",
    )


def _claims(view: PassageView, texts: Texts) -> Markup | None:
    others = [c for c in view.claims if not c.quoted]
    if not others:
        return None
    rows = [
        tag(
            "li",
            tag("span", STATE_SHAPES[c.state], class_="cw-shape", aria_hidden="true"),
            tag("span", c.text),
            tag("span", texts.states[c.state], class_="cw-state"),
            class_=f"cw-claim--{ClaimState(c.state).value}",
        )
        for c in others
    ]
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
    text = flow(view.before + view.quote + view.after)
    start, end = len(view.before), len(view.before) + len(view.quote)
    words = tag("mark", text[start:end], id="cw-mark", tabindex="-1") if view.mark else text[start:end]
    return tag(
        "div",
        "… " if view.cut_before else None,
        text[:start],
        words,
        text[end:],
        " …" if view.cut_after else None,
        class_="cw-passage",
    )


def _page(view: PassageView, picture: Picture | str | None, texts: Texts) -> Markup | None:
    if picture is None:
        return None
    if isinstance(picture, str):
        return tag("p", picture, class_="cw-notice cw-picture-note")
    boxes = [tag("span", class_="cw-box", style=_rectangle(*box)) for box in picture.boxes]
    image = tag(
        "img",
        src=picture.data_uri,
        width=picture.width,
        height=picture.height,
        alt=texts.page_image_alt.format(page=view.page, document=view.title or view.document),
    )
    return tag(
        "figure",
        tag("figcaption", f"{texts.page_image} {view.page}", class_="cw-label"),
        tag("div", image, boxes, class_="cw-sheet"),
        tag("p", texts.page_no_boxes, class_="cw-notice") if view.mark and not picture.boxes else None,
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
