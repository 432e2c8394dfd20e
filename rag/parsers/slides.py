"""Slides (PPTX), put as HTML and read as such."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from itertools import accumulate, chain, repeat
from typing import Any

from rag.parsers import html
from rag.parsers.base import Limits, Parsed, TextBuilder
from rag.parsers.docx_drawn import Drawings
from rag.parsers.docx_text import Drawn
from rag.parsers.equations import linear
from rag.parsers.html import tagged
from rag.parsers.office import DGM, A, C, M, R, open_package
from rag.types import LossKind

_P = "{http://schemas.openxmlformats.org/presentationml/2006/main}"
_DRAWN = (f"{C}chart", f"{DGM}relIds", f"{_P}oleObj")  # on a slide beside its shapes
_COUNTED = {"arabic": "1", "alphaLc": "a", "alphaUc": "A", "romanLc": "i", "romanUc": "I"}
_TITLES, _MARGINS = ("title", "ctrTitle"), ("sldNum", "dt", "ftr", "hdr", "sldImg")
_OVERLAP = 100_000  # of shapes that stand apart, in English Metric Units


def read(data: bytes, *, path: str, limits: Limits, ocr: bool = False) -> Parsed:
    """Parse a presentation: each slide under its title, what stands side by side on it one after the other,
    notes and remarks behind it."""
    builder = TextBuilder()
    package = open_package(data, path=path, limits=limits, root="presentation")
    relations, drawings, titles = package.relations(package.main), Drawings(package, builder), [""]
    size = next(package.xml(package.main).iter(_P + "sldSz"), None)
    drawings.page = [_length(size, side) for side in ("cx", "cy")]
    for number, place in enumerate(package.xml(package.main).iter(_P + "sldId"), 1):
        _, part = relations.get(place.get(R + "id", ""), ("", ""))
        root, own, name = package.xml(part), package.relations(part), f"Slide {number}"
        if root is None:
            builder.lose(LossKind.UNSUPPORTED_PART, name.lower(), under="")
            continue
        shapes = _shapes(root)
        title = "".join(_shape(s) for s in shapes if _role(s) in _TITLES)
        places = {s: place for s in shapes if _role(s) not in _TITLES and (place := _place(s))}
        parts = [[s] for s in shapes if _role(s) not in _TITLES and s not in places]
        parts += _regions([*places], places) if places else []
        notes, remarks = (
            [page for page in map(package.xml, package.related(part, kind)) if page is not None]
            for kind in ("notesSlide", "comments")
        )
        said = [line for page in notes for shape in _shapes(page) for line in _lines(shape)]
        for page in remarks:
            said += [*(escape(e.text or "") for e in page.iter(_P + "text")), *_lines(page)]
        pieces = ["".join(map(_shape, some)) for some in parts]
        gone = "gone" if root.get("show") in ("0", "false") else "shown"
        for words in (title or f"<h1>{name}</h1>", *pieces, "".join(tagged("p", line) for line in said)):
            first = html.write(f"{html.HIDE_GONE}<div class={gone}>{words}</div>", builder)
            titles.append(first if title else "")
            builder.closing = []  # what stands beside a table or chart on a slide is no caption
        drawn = {one.part: one for one in map(Drawn.by, root.iter(*_DRAWN))}  # once of alternatives
        for one in drawn.values():
            drawings.add(one, own.get(one.part, ("", ""))[1], under=name)
        if _has_unread_picture(root, own, drawings):
            builder.lose(LossKind.PICTURE_WITH_TEXT, name.lower(), under="")
    metadata = package.properties()
    name = metadata.pop("title", "") or next(filter(None, titles), "")
    return builder.parsed(name, metadata)


def _has_unread_picture(slide: Any, relations: Mapping[str, tuple[str, str]], drawings: Drawings) -> bool:
    """Whether a slide is a picture, or has one that may hold words; `relations`: its own."""
    for picture in slide.iter(_P + "pic"):
        left, top, right, low = _place(picture) or (0, 0, 0, 0)
        embedded = next((e.get(f"{R}embed", "") for e in picture.iter(A + "blip")), "")
        if drawings.may_hold_words((right - left, low - top), relations.get(embedded, ("", ""))[1]):
            return True
    worded = any(t.text and t.text.strip() for t in slide.iter(A + "t"))
    return not worded and next(slide.iter(A + "blip"), None) is not None


def _length(element: Any, side: str) -> int:
    said = element.get(side, "") if element is not None else ""
    return int(said) if said.isdecimal() else 0


def _shapes(page: Any) -> list[Any]:
    """The shapes of a slide, or of the notes on it."""
    return [s for s in page.iter(_P + "sp", _P + "graphicFrame") if _role(s) not in _MARGINS]


def _regions(shapes: list[Any], places: Mapping[Any, list[float]]) -> list[list[Any]]:
    """Shapes in the order in which they are read, those apart that stand side by side: cut at the widest gap
    between them again and again."""
    gaps = []
    for side in (0, 1):
        order = sorted(shapes, key=lambda shape: places[shape][side])
        ends = accumulate((places[shape][side + 2] for shape in order), max)
        gaps += [
            (places[b][side] - end, side, n)
            for n, (end, b) in enumerate(zip(ends, order[1:], strict=False), 1)
        ]
    gap, side, n = max(gaps, default=(-_OVERLAP, 1, 0))
    order = sorted(shapes, key=lambda shape: places[shape][side])
    if gap <= -_OVERLAP:
        return [order]
    above, below = (_regions(some, places) for some in (order[:n], order[n:]))
    over, under = places[above[0][-1]], places[below[0][0]]
    if side and len(above) == 1 and over[0] < under[2] and under[0] < over[2]:
        above, below[0] = [], above[0] + below[0]
    return above + below


def _place(shape: Any) -> list[float]:
    """Left, top, right and bottom of a shape on its slide, in English Metric Units; [] if none is stated."""
    place = [0.0, 0.0, 1.0, 1.0]
    for element in (shape, *shape.iterancestors(_P + "grpSp")):
        box = next(element.iter(A + "xfrm", _P + "xfrm"), None)
        parts = [box.find(A + name) if box is not None else None for name in ("off", "ext", "chOff", "chExt")]
        if parts[1] is None:
            return place if element is not shape else []
        for n, axis in enumerate("xy"):
            start, wide, inner, unit = (
                _length(part, name) for part, name in zip(parts, (axis, f"c{axis}") * 2, strict=True)
            )
            place[n::2] = [start + (at - inner) * wide / (unit or 1) for at in place[n::2]]
    return place


def _role(shape: Any) -> str:
    """What a shape is for: "title", "body", "sldNum"; "" for one that does not say it."""
    return next((e.get("type", "body") for e in shape.iter(_P + "ph")), "")


def _shape(shape: Any) -> str:
    """A shape of a slide in HTML."""
    if _role(shape) in _TITLES:
        return tagged("h1", title) if (title := " ".join(_lines(shape)).strip()) else ""
    rows = []
    for table in shape.iter(A + "tbl"):
        first = "th" if table.find(f"{A}tblPr[@firstRow='1']") is not None else "td"
        for row, kind in zip(table.iterchildren(A + "tr"), chain([first], repeat("td")), strict=False):
            cells = (e for e in row.iterchildren(A + "tc") if not (e.get("hMerge") or e.get("vMerge")))
            rows.append(tagged("tr", "".join(_cell(kind, cell) for cell in cells)))
    return tagged("table", "".join(rows)) if rows else "".join(_items(shape))


def _items(shape: Any) -> Iterator[str]:
    """The paragraphs of a shape; those with a bullet or number, as in the body of a slide, are items of lists
    within lists."""
    lines, counts = list(_lines(shape)), dict[int, int]()
    bulleted = _role(shape) in ("body", "obj") and len(lines) > 1
    for paragraph, words in zip(shape.iter(A + "p"), lines, strict=True):
        look = paragraph.find(A + "pPr")
        kinds = {e.tag.rpartition("}")[2]: e for e in (look if look is not None else ())}
        level, counted = int(look.get("lvl", 0)) if look is not None else 0, kinds.get("buAutoNum")
        counts = {n: count for n, count in counts.items() if n < level + (counted is not None)}
        if counted is not None:
            counts[level] = counts.get(level, int(counted.get("startAt", 1)) - 1) + 1
            form = next((of for name, of in _COUNTED.items() if counted.get("type", "").startswith(name)), 1)
            words = tagged(f"ol start={counts[level]} type={form}", f"<li>{words}")
        elif "buChar" in kinds or (bulleted and "buNone" not in kinds):
            words = tagged("ul", f"<li>{words}")
        else:
            words, level = tagged("p", words), 0
        yield "<ul><li>" * level + words + "</ul>" * level


def _cell(kind: str, cell: Any) -> str:
    spans = f"colspan={cell.get('gridSpan', 1)} rowspan={cell.get('rowSpan', 1)}"
    return tagged(f"{kind} {spans}", "<br>".join(_lines(cell)))


def _lines(element: Any) -> Iterator[str]:
    """The paragraphs of a text that is drawn, in HTML."""
    for paragraph in element.iter(A + "p"):
        words = ""
        for run in paragraph.iter(A + "r", A + "fld", A + "br", f"{M}oMath"):
            look = run.find(A + "rPr")
            shift = int(look.get("baseline", 0)) if look is not None else 0
            struck = look is not None and look.get("strike", "noStrike") != "noStrike"
            tag = "s" if struck else "sup" if shift > 0 else "sub" if shift < 0 else "span"
            said = linear(run) if run.tag == f"{M}oMath" else run.findtext(A + "t") or ""
            words += "<br>" if run.tag == A + "br" else tagged(tag, escape(said))
        yield words
