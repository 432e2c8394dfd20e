"""Other formats of people's folders: OpenDocument texts, EPUB, slides, put as HTML and read as such."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from itertools import accumulate, chain, repeat
from typing import Any
from urllib.parse import unquote
from xml.sax.saxutils import quoteattr

from rag.errors import ParseError
from rag.languages import Patterns
from rag.parsers import html
from rag.parsers.base import Limits, Parsed, TextBuilder, one_line
from rag.parsers.docx_styles import written
from rag.parsers.equations import linear
from rag.parsers.html import tagged
from rag.parsers.office import DGM, A, C, Drawings, Drawn, M, Package, R, open_package
from rag.types import LossKind

_RE = Patterns(__file__)
_TEXT, _TABLE, _STYLE = (
    f"{{urn:oasis:names:tc:opendocument:xmlns:{n}:1.0}}" for n in ("text", "table", "style")
)
_HREF = "{http://www.w3.org/1999/xlink}href"
_FORMS = {
    "1": "decimal", "a": "lowerLetter", "A": "upperLetter", "i": "lowerRoman", "I": "upperRoman",
    "一, 二, 三, ...": "chineseCounting", "壹, 贰, 叁, ...": "chineseLegalSimplified",
    "甲, 乙, 丙, ...": "ideographTraditional",
}  # fmt: skip
_NO_WORDS = frozenset("tracked-changes annotation-end sequence-decls covered-table-cell".split())
_TAGS = {"list": "ul", "list-item": "li", "table": "table", "table-row": "tr", "table-header-rows": "thead"}
_SIGNS = {"s": " ", "tab": " ", "line-break": "<br>"}
# What a reader says beside what it adds to the builder: title, metadata.
_Said = tuple[str, dict[str, str]]


def read(data: bytes, *, path: str, limits: Limits, ocr: bool = False) -> Parsed:
    """Parse a file of the format that the suffix of `path` says."""
    builder = TextBuilder()
    reader = {"epub": _epub, "odt": _odt}.get(path.lower().rpartition(".")[2], _pptx)
    title, metadata = reader(data, path, limits, builder)
    return builder.parsed(title, metadata)


def _epub(data: bytes, path: str, limits: Limits, builder: TextBuilder) -> _Said:
    package = Package(data, path=path, limits=limits)
    places = (e.get("full-path", "") for e in _all(package.xml("META-INF/container.xml"), "{*}rootfile"))
    root = package.xml(place := next(places, ""))
    if root is None:
        raise ParseError(f"{path}: no EPUB file: it does not say what is in it.", "corrupt")
    folder, items = posixpath.dirname(place), root.iter("{*}item")
    parts = {e.get("id"): posixpath.join(folder, unquote(e.get("href", ""))) for e in items}
    sheets = [package.read(part).decode(errors="replace") for part in parts.values() if part.endswith(".css")]
    for part in (parts.get(item.get("idref"), "") for item in root.iter("{*}itemref")):
        page = html.decoded(package.read(part), part)
        within = posixpath.dirname(part)
        html.write(
            f"{page}<style>{''.join(sheets)}</style>",
            builder,
            lambda address: package.read(posixpath.join(within, unquote(address))),  # noqa: B023
        )
    return _described(root)


def _described(root: Any) -> _Said:
    """What Dublin Core says in a part."""
    title, author, day = (
        next((one_line(e.text or "") for e in _all(root, f"{{http://purl.org/dc/elements/1.1/}}{name}")), "")
        for name in ("title", "creator", "date")
    )
    known = (("author", author), ("date", day[:10]))
    return title, {name: value for name, value in known if value}


def _all(root: Any, *tags: str) -> Iterable[Any]:
    return root.iter(*tags) if root is not None else ()


def _odt(data: bytes, path: str, limits: Limits, builder: TextBuilder) -> _Said:
    package = Package(data, path=path, limits=limits)
    if b"encryption-data" in package.read("META-INF/manifest.xml"):
        raise ParseError(f"{path}: protected by a password. Save it without.", "password")
    root, styles = package.xml("content.xml"), package.xml("styles.xml")
    body = root.find("{*}body/{*}text") if root is not None else None
    if body is None:
        raise ParseError(f"{path}: no text document: its content is missing or damaged.", "corrupt")
    named = [styles.find("{*}styles")] if styles is not None else []
    reader = _OpenText([e for e in (*named, root.find("{*}automatic-styles")) if e is not None])
    margins = [html.HIDE_GONE + _odt_margins(root, styles, reader, kind) for kind in ("header", "footer")]
    html.write(margins[0], builder)
    first_heading = html.write(html.HIDE_GONE + reader.all(body), builder, package.read)
    builder.end_headings()
    html.write(margins[1], builder)
    title, metadata = _described(package.xml("meta.xml"))
    return title or first_heading, metadata


def _odt_margins(content: Any, styles: Any, reader: _OpenText, kind: str) -> str:
    """The headers or footers of the pages that a text has, each line once, in HTML, no page numbers alone."""
    used = {"Standard", *(e.get(_STYLE + "master-page-name", "") for e in content.iter(_STYLE + "style"))}
    lines: dict[str, None] = {}
    for page in _all(styles, _STYLE + "master-page"):
        if page.get(_STYLE + "name") not in used:
            continue
        used.add(page.get(_STYLE + "next-style-name", ""))
        for end in ("", "-first", "-left"):
            margin = page.find(f"{_STYLE}{kind}{end}")
            shown = margin is not None and margin.get(_STYLE + "display") != "false"
            for line in margin if shown else ():
                if not _RE["page_number"].fullmatch("".join(line.itertext())):
                    lines[reader.element(line)] = None
    return "".join(lines)


class _OpenText:
    """Puts an OpenDocument text as HTML, with the numbers that are counted in front of headings and items."""

    def __init__(self, styles: list[Any]) -> None:
        found = chain(*(style.iterchildren(_STYLE + "style") for style in styles))
        self._tags: dict[str, str] = {}
        for style in found:  # those that others are based on come first
            look, above = style.find(_STYLE + "text-properties"), style.get(_STYLE + "parent-style-name", "")
            tag = _tag(look) if look is not None else "span"
            self._tags[style.get(_STYLE + "name")] = self._tags.get(above, tag) if tag == "span" else tag
        numbered = (_TEXT + "list-level-style-number", _TEXT + "outline-level-style")
        levels = chain(*(s.iter(*numbered) for s in styles))
        named = ((e.getparent().get(_STYLE + "name", ""), e) for e in levels)
        self._levels = {(name, int(e.get(_TEXT + "level", 1))): e for name, e in named}
        self._counts: dict[str, dict[int, int]] = {}
        self._number = ""
        self._notes = html.Notes()  # of the block that is read

    def all(self, body: Any) -> str:
        """What stands in a text or a section of it, notes and comments behind what refers to them."""
        page = ""
        for element in body.iterchildren("{*}*"):
            page += self.all(element) if element.tag == _TEXT + "section" else self.element(element)
            page += "".join(self._notes)
            self._notes.clear()
        return page

    def _inner(self, element: Any, listed: str = "", depth: int = 0) -> str:
        """What stands in an element, within lists of a style."""
        return escape(element.text or "") + "".join(
            (self.element(e, listed, depth) if isinstance(e.tag, str) else "") + escape(e.tail or "")
            for e in element.iterchildren()
        )

    def element(self, element: Any, listed: str = "", depth: int = 0) -> str:
        """An element, within lists of a style."""
        kind, style = element.tag.rpartition("}")[2], element.get(_TEXT + "style-name", "")
        if kind in _NO_WORDS:
            return ""
        if kind == "image" and (address := element.get(_HREF)):
            return f"<img src={quoteattr(address)}>"
        if kind == "annotation":
            author = element.findtext("{http://purl.org/dc/elements/1.1/}creator") or ""
            said = "<br>".join(map(self._inner, element.iterchildren(_TEXT + "p", _TEXT + "list")))
            return self._notes.add("*", f"{escape(author)}: {said}" if author else said)
        if kind in ("h", "p"):
            level = int(element.get(_TEXT + "outline-level", 1))
            if kind == "h" and not listed:
                self._count("Outline", level)
            number, self._number = self._number, ""
            outer = "h1" if style == "Title" else f"h{min(level, 6)}" if kind == "h" else "p"
            return tagged(outer, number + tagged(self._tags.get(style, "span"), self._inner(element)))
        if kind == "list-item":
            self._count(listed, depth, element.get(_TEXT + "start-value", ""))
        elif kind == "list":
            listed, depth = style or listed, depth + 1
            if depth == 1 and not (
                element.get(_TEXT + "continue-numbering") or element.get(_TEXT + "continue-list")
            ):
                self._counts.pop(listed, None)
        elif kind == "note":
            cited, body = (element.find(f"{_TEXT}note-{part}") for part in ("citation", "body"))
            return self._notes.add(self._inner(cited), self._inner(body))
        tag = _TAGS.get(kind, "")
        if kind == "span":
            tag = self._tags.get(style, "span")
        elif kind == "table-cell":
            across, down = (element.get(f"{_TABLE}number-{n}-spanned", 1) for n in ("columns", "rows"))
            tag = f"td colspan={across} rowspan={down}"
        inner = _SIGNS.get(kind) or self._inner(element, listed, depth)
        return tagged(tag, inner) if tag else inner

    def _count(self, style: str, level: int, stated: str = "") -> None:
        """The number of the item or heading that begins."""
        counts = self._counts.setdefault(style, {})
        own = self._levels.get((style, level))
        start = int(own.get(_TEXT + "start-value", 1)) if own is not None else 1
        counts[level] = int(stated) if stated.isdecimal() else counts.get(level, start - 1) + 1
        for below in [n for n in counts if n > level]:
            del counts[below]
        self._number = ""
        if own is not None and own.get(_STYLE + "num-format"):
            shown = range(max(1, level + 1 - int(own.get(_TEXT + "display-levels", 1))), level + 1)
            forms = (_FORMS.get(self._levels[style, n].get(_STYLE + "num-format"), "decimal") for n in shown)
            number = ".".join(written(counts.get(n, 1), form) for n, form in zip(shown, forms, strict=True))
            before, behind = (own.get(f"{_STYLE}num-{end}", "") for end in ("prefix", "suffix"))
            self._number = f"{before}{number}{behind} "


def _tag(look: Any) -> str:
    """The element of HTML for a look."""
    shift = look.get(_STYLE + "text-position", "0%")
    if look.get(_TEXT + "display") == "none":
        return "span class=gone"
    if look.get(_STYLE + "text-line-through-style", "none") != "none":
        return "s"
    return "sub" if shift.startswith(("sub", "-")) else "span" if shift.startswith("0%") else "sup"


_P = "{http://schemas.openxmlformats.org/presentationml/2006/main}"
_DRAWN = (f"{C}chart", f"{DGM}relIds", f"{_P}oleObj")  # on a slide beside its shapes
_COUNTED = {"arabic": "1", "alphaLc": "a", "alphaUc": "A", "romanLc": "i", "romanUc": "I"}
_TITLES, _MARGINS = ("title", "ctrTitle"), ("sldNum", "dt", "ftr", "hdr", "sldImg")
_OVERLAP = 100_000  # of shapes that stand apart, in English Metric Units


def _pptx(data: bytes, path: str, limits: Limits, builder: TextBuilder) -> _Said:
    """Each slide under its title, what is side by side on it in turn, notes and remarks behind."""
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
    return name, metadata


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
    """Shapes in reading order, those apart that stand side by side: cut at the widest gap again and again."""
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
            spans = ((e, f"colspan={e.get('gridSpan', 1)} rowspan={e.get('rowSpan', 1)}") for e in cells)
            row_of = (tagged(f"{kind} {across}", "<br>".join(_lines(e))) for e, across in spans)
            rows.append(tagged("tr", "".join(row_of)))
    return tagged("table", "".join(rows)) if rows else "".join(_items(shape))


def _items(shape: Any) -> Iterator[str]:
    """The paragraphs of a shape; with a bullet or number, or in a slide's body, they are items."""
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
