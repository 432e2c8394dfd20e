"""The other formats that lie in people's folders: OpenDocument texts, EPUB, slides (PPTX).
What has a structure is put as HTML and read as such."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Iterator
from html import escape
from itertools import chain, repeat
from typing import Any
from urllib.parse import unquote

from rag.errors import ParseError
from rag.languages import Patterns
from rag.parsers import html
from rag.parsers.base import Limits, Parsed, TextBuilder, one_line
from rag.parsers.docx_drawn import PAGE_SIZE, Drawings
from rag.parsers.docx_styles import written
from rag.parsers.docx_text import Drawn
from rag.parsers.equations import linear
from rag.parsers.office import Package, open_package
from rag.types import Loss, LossKind

_RE = Patterns(__file__)
_P = "{http://schemas.openxmlformats.org/presentationml/2006/main}"
_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
_R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_R_ID = f"{_R}id"
# What is drawn on a slide beside its shapes, and the attribute that names its part.
_LEADS = {
    "{http://schemas.openxmlformats.org/drawingml/2006/chart}chart": ("chart", _R_ID),
    "{http://schemas.openxmlformats.org/drawingml/2006/diagram}relIds": ("diagram", f"{_R}dm"),
    f"{_P}oleObj": ("object", _R_ID),
}
_COUNTED = {"arabic": "1", "alphaLc": "a", "alphaUc": "A", "romanLc": "i", "romanUc": "I"}
_TITLES, _MARGINS = ("title", "ctrTitle"), ("sldNum", "dt", "ftr", "hdr", "sldImg")
_TEXT, _TABLE, _STYLE = (
    f"{{urn:oasis:names:tc:opendocument:xmlns:{n}:1.0}}" for n in ("text", "table", "style")
)
_FORMS = {
    "1": "decimal", "a": "lowerLetter", "A": "upperLetter", "i": "lowerRoman", "I": "upperRoman",
    "一, 二, 三, ...": "chineseCounting", "壹, 贰, 叁, ...": "chineseLegalSimplified",
    "甲, 乙, 丙, ...": "ideographTraditional",
}  # fmt: skip
_NO_WORDS = frozenset("tracked-changes annotation-end sequence-decls covered-table-cell".split())
_TAGS = {"list": "ul", "list-item": "li", "table": "table", "table-row": "tr", "table-header-rows": "thead"}
_SIGNS = {"s": " ", "tab": " ", "line-break": "<br>"}
# What a reader says beside what it adds to the builder: title, losses, metadata.
_Said = tuple[str, list[Loss], dict[str, str]]


def read(data: bytes, *, path: str, limits: Limits, ocr: bool = False) -> Parsed:
    """Parse a file of the format that the suffix of `path` says."""
    builder = TextBuilder()
    reader = _READERS.get(path.lower().rpartition(".")[2], _pptx)
    title, losses, metadata = reader(data, path, limits, builder)
    text, blocks, _ = builder.build(title)
    return Parsed(title, text, blocks, marks=builder.marks(), losses=tuple(losses), metadata=metadata)


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
        html.write(f"{page}<style>{''.join(sheets)}</style>", builder)
    return _described(root)


def _described(root: Any) -> _Said:
    """What Dublin Core says in a part."""
    title, author, day = (
        next((one_line(e.text or "") for e in _all(root, f"{{http://purl.org/dc/elements/1.1/}}{name}")), "")
        for name in ("title", "creator", "date")
    )
    known = (("author", author), ("date", day[:10]))
    return title, [], {name: value for name, value in known if value}


def _all(root: Any, *tags: str) -> Iterable[Any]:
    return root.iter(*tags) if root is not None else ()


def _pptx(data: bytes, path: str, limits: Limits, builder: TextBuilder) -> _Said:
    package = open_package(data, path=path, limits=limits, root="presentation")
    relations, drawings, titles = package.relations(package.main), Drawings(package, builder), [""]
    size = next(package.xml(package.main).iter(_P + "sldSz"), None)
    for number, place in enumerate(package.xml(package.main).iter(_P + "sldId"), 1):
        _, part = relations.get(place.get(_R_ID, ""), ("", ""))
        root, own, name = package.xml(part), package.relations(part), f"Slide {number}"
        if root is None:
            drawings.lose(LossKind.UNSUPPORTED_PART, name.lower(), "")
            continue
        words = "".join(map(_shape, _shapes(root)))
        titled = words.startswith("<h1>")
        words = words if titled else f"<h1>{name}</h1>{words}"
        notes = chain(*(_shapes(package.xml(name)) for name in package.related(part, "notesSlide")))
        said = [line for shape in notes for line in _lines(shape)]
        for remarks in map(package.xml, package.related(part, "comments")):
            said += [escape(e.text or "") for e in _all(remarks, _P + "text")]
            said += _lines(remarks) if remarks is not None else []
        words += "".join(_tagged("p", line) for line in said)
        hidden = root.get("show") in ("0", "false")
        page = f"{html.HIDE_GONE}<div class={'gone' if hidden else 'shown'}>{words}</div>"
        titles += [html.write(page, builder)] * titled
        builder.closing = []  # what stands beside a chart on a slide is no caption
        drawn = {e.get(_LEADS[e.tag][1], ""): e for e in root.iter(*_LEADS)}  # once of alternatives
        for leads, e in drawn.items():
            one = Drawn(_LEADS[e.tag][0], name=e.get("progId", ""))
            drawings.add(one, own.get(leads, ("", ""))[1], under=name)
        if _is_picture(root, size):
            drawings.lose(LossKind.PICTURE_WITH_TEXT, name.lower(), "")
    metadata = package.properties()
    return metadata.pop("title", "") or next(filter(None, titles), ""), drawings.losses, metadata


def _is_picture(slide: Any, size: Any) -> bool:
    """Whether a slide is a picture: one without words, or over most of it."""
    if next(slide.iter(_A + "blip"), None) is None:
        return False
    places = (e for picture in slide.iter(_P + "pic") for e in picture.iter(_A + "ext") if e.get("cx"))
    whole = [_length(size, side) or 1 for side in ("cx", "cy")]
    large = (
        all(
            _length(e, side) >= share * full
            for side, share, full in zip(("cx", "cy"), PAGE_SIZE, whole, strict=True)
        )
        for e in places
        if size is not None
    )
    return any(large) or not any(t.text and t.text.strip() for t in slide.iter(_A + "t"))


def _length(element: Any, side: str) -> int:
    said = element.get(side, "") if element is not None else ""
    return int(said) if said.isdecimal() else 0


def _shapes(page: Any) -> list[Any]:
    """The shapes of a slide, or of the notes on it, its title first."""
    shapes = [s for s in _all(page, _P + "sp", _P + "graphicFrame") if _role(s) not in _MARGINS]
    return sorted(shapes, key=lambda shape: _role(shape) not in _TITLES)


def _role(shape: Any) -> str:
    """What a shape is for: "title", "body", "sldNum"; "" for one that does not say it."""
    return next((e.get("type", "body") for e in shape.iter(_P + "ph")), "")


def _shape(shape: Any) -> str:
    """A shape of a slide in HTML."""
    if _role(shape) in _TITLES:
        return _tagged("h1", title) if (title := " ".join(_lines(shape)).strip()) else ""
    rows = []
    for table in shape.iter(_A + "tbl"):
        first = "th" if table.find(f"{_A}tblPr[@firstRow='1']") is not None else "td"
        for row, kind in zip(table.iterchildren(_A + "tr"), chain([first], repeat("td")), strict=False):
            cells = (e for e in row.iterchildren(_A + "tc") if not (e.get("hMerge") or e.get("vMerge")))
            rows.append(_tagged("tr", "".join(_cell(kind, cell) for cell in cells)))
    return _tagged("table", "".join(rows)) if rows else "".join(_items(shape))


def _items(shape: Any) -> Iterator[str]:
    """The paragraphs of a shape; those with a bullet or number, as in the body of a slide, are items of lists
    within lists."""
    lines, counts = list(_lines(shape)), dict[int, int]()
    bulleted = _role(shape) in ("body", "obj") and len(lines) > 1
    for paragraph, words in zip(shape.iter(_A + "p"), lines, strict=True):
        look = paragraph.find(_A + "pPr")
        kinds = {e.tag.rpartition("}")[2]: e for e in (look if look is not None else ())}
        level, counted = int(look.get("lvl", 0)) if look is not None else 0, kinds.get("buAutoNum")
        counts = {n: count for n, count in counts.items() if n < level + (counted is not None)}
        if counted is not None:
            counts[level] = counts.get(level, int(counted.get("startAt", 1)) - 1) + 1
            form = next((of for name, of in _COUNTED.items() if counted.get("type", "").startswith(name)), 1)
            words = _tagged(f"ol start={counts[level]} type={form}", f"<li>{words}")
        elif "buChar" in kinds or (bulleted and "buNone" not in kinds):
            words = _tagged("ul", f"<li>{words}")
        else:
            words, level = _tagged("p", words), 0
        yield "<ul><li>" * level + words + "</ul>" * level


def _cell(kind: str, cell: Any) -> str:
    spans = f"colspan={cell.get('gridSpan', 1)} rowspan={cell.get('rowSpan', 1)}"
    return _tagged(f"{kind} {spans}", "<br>".join(_lines(cell)))


def _lines(element: Any) -> Iterator[str]:
    """The paragraphs of a text that is drawn, in HTML."""
    for paragraph in element.iter(_A + "p"):
        words = ""
        for run in paragraph.iter(_A + "r", _A + "fld", _A + "br", f"{_M}oMath"):
            look = run.find(_A + "rPr")
            shift = int(look.get("baseline", 0)) if look is not None else 0
            struck = look is not None and look.get("strike", "noStrike") != "noStrike"
            tag = "s" if struck else "sup" if shift > 0 else "sub" if shift < 0 else "span"
            said = linear(run) if run.tag == f"{_M}oMath" else run.findtext(_A + "t") or ""
            words += "<br>" if run.tag == _A + "br" else _tagged(tag, escape(said))
        yield words


def _tagged(tag: str, words: str) -> str:
    return f"<{tag}>{words}</{tag.split()[0]}>"


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
    first_heading = html.write(html.HIDE_GONE + reader.all(body), builder)
    builder.end_headings()
    html.write(margins[1], builder)
    title, losses, metadata = _described(package.xml("meta.xml"))
    return title or first_heading, losses, metadata


def _odt_margins(content: Any, styles: Any, reader: _OpenText, kind: str) -> str:
    """The headers or footers of the pages that a text has, each line once, in HTML; page numbers alone are
    left out."""
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
                    lines[reader.piece(line)] = None
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
        self._notes: list[str] = []  # of the block that is read
        self._noted = 0

    def all(self, body: Any) -> str:
        """What stands in a text or a section of it, notes and comments behind what refers to them."""
        page = ""
        for element in body.iterchildren("{*}*"):
            page += self.all(element) if element.tag == _TEXT + "section" else self._element(element, "", 0)
            page += "".join(self._notes)
            self._notes.clear()
        return page

    def piece(self, element: Any) -> str:
        """An element that stands outside the text."""
        return self._element(element, "", 0)

    def _inner(self, element: Any, listed: str = "", depth: int = 0) -> str:
        """What stands in an element, within lists of a style."""
        return escape(element.text or "") + "".join(
            (self._element(e, listed, depth) if isinstance(e.tag, str) else "") + escape(e.tail or "")
            for e in element.iterchildren()
        )

    def _element(self, element: Any, listed: str, depth: int) -> str:
        kind, style = element.tag.rpartition("}")[2], element.get(_TEXT + "style-name", "")
        if kind in _NO_WORDS:
            return ""
        if kind == "annotation":
            author = element.findtext("{http://purl.org/dc/elements/1.1/}creator") or ""
            said = "<br>".join(map(self._inner, element.iterchildren(_TEXT + "p", _TEXT + "list")))
            return self._note("*", f"{escape(author)}: {said}" if author else said)
        if kind in ("h", "p"):
            level = int(element.get(_TEXT + "outline-level", 1))
            if kind == "h" and not listed:
                self._count("Outline", level)
            number, self._number = self._number, ""
            outer = "h1" if style == "Title" else f"h{min(level, 6)}" if kind == "h" else "p"
            return _tagged(outer, number + _tagged(self._tags.get(style, "span"), self._inner(element)))
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
            return self._note(self._inner(cited), self._inner(body))
        tag = _TAGS.get(kind, "")
        if kind == "span":
            tag = self._tags.get(style, "span")
        elif kind == "table-cell":
            across, down = (element.get(f"{_TABLE}number-{n}-spanned", 1) for n in ("columns", "rows"))
            tag = f"td colspan={across} rowspan={down}"
        inner = _SIGNS.get(kind) or self._inner(element, listed, depth)
        return _tagged(tag, inner) if tag else inner

    def _note(self, label: str, said: str) -> str:
        """The mark of a note that stands behind the block."""
        self._noted += 1
        self._notes.append(html.note(self._noted, label, said))
        return html.note_link(self._noted, label)

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


_READERS: dict[str, Callable[[bytes, str, Limits, TextBuilder], _Said]] = {
    "epub": _epub, "odt": _odt,
}  # fmt: skip
