"""Other formats that lie in people's folders: OpenDocument texts, EPUB, put as HTML and read as such."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from html import escape
from itertools import chain
from typing import Any
from urllib.parse import unquote
from xml.sax.saxutils import quoteattr

from rag.errors import ParseError
from rag.languages import Patterns
from rag.parsers import html
from rag.parsers.base import Limits, Parsed, TextBuilder, one_line
from rag.parsers.docx_styles import written
from rag.parsers.html import tagged
from rag.parsers.office import Package

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
    reader = _epub if path.lower().endswith(".epub") else _odt
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
        if kind == "image" and (address := element.get(_HREF)):
            return f"<img src={quoteattr(address)}>"
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
            return self._note(self._inner(cited), self._inner(body))
        tag = _TAGS.get(kind, "")
        if kind == "span":
            tag = self._tags.get(style, "span")
        elif kind == "table-cell":
            across, down = (element.get(f"{_TABLE}number-{n}-spanned", 1) for n in ("columns", "rows"))
            tag = f"td colspan={across} rowspan={down}"
        inner = _SIGNS.get(kind) or self._inner(element, listed, depth)
        return tagged(tag, inner) if tag else inner

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
