"""HTML: headings, paragraphs, lists and tables in document order; scripts, styles, navigation and hidden
parts left out. Lists that the browser counts have their numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from rag.languages import Patterns
from rag.parsers.base import MAX_COLUMNS, Limits, Parsed, TextBuilder, add_table, one_line
from rag.parsers.docx_numbering import written
from rag.parsers.encoding import decode
from rag.parsers.html_words import LineWords, WebPage, traverse
from rag.parsers.marks import Rows, marked, unmarked, without_signs
from rag.types import MarkKind

_RE = Patterns(__file__)
_FORMS = _RE.pairs("forms")
_BLOCK = _RE.words("block")
_HEADINGS = {f"h{n}": n for n in range(1, 7)}
_META_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_.:-]+)", re.I)
_METADATA, _CHARSETS = _RE.pairs("metadata"), _RE.pairs("charsets")


def read(data: bytes, *, path: str, limits: Limits, ocr: bool = False) -> Parsed:
    """Parse an HTML page, of any nesting depth (the walk does not recurse)."""
    from selectolax.lexbor import LexborHTMLParser

    source = _decode(data, path)
    tree = LexborHTMLParser(source)
    walker = _Walker(TextBuilder(), WebPage(tree, len(source)))
    if tree.body is not None:
        walker.walk(tree.body)
    title_node = tree.css_first("title")
    title = one_line(title_node.text()) if title_node is not None else ""
    title = title or walker.first_heading
    text, blocks, _ = walker.builder.build(title)
    return Parsed(title, text, blocks, marks=walker.builder.marks(), metadata=_metadata(tree))


def write(source: str, builder: TextBuilder) -> None:
    """Add a piece of HTML that stands in a document of another format."""
    from selectolax.lexbor import LexborHTMLParser

    tree = LexborHTMLParser(source)
    if tree.body is not None:
        _Walker(builder, WebPage(tree, len(source))).walk(tree.body)


def _decode(data: bytes, path: str) -> str:
    """The declared charset where it fits the bytes, else detection."""
    declared = _META_CHARSET.search(data[:4096])
    if declared and not data.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        name = declared.group(1).decode("ascii").lower()
        name = _CHARSETS.get(name, name)
        with suppress(LookupError, UnicodeDecodeError):
            return data.decode(name) if not name.startswith("utf-16") else decode(data, path=path)
    return decode(data, path=path)


def _metadata(tree: Any) -> dict[str, str]:
    found: dict[str, str] = {}
    for node in tree.css("meta"):
        name = _METADATA.get((node.attributes.get("name") or node.attributes.get("property") or "").lower())
        content = one_line(node.attributes.get("content") or "")
        if name and content:
            found.setdefault(name, content)
    return found


class _Walker:
    """Depth first with a stack of its own. `kind` says what the words being collected will become."""

    def __init__(self, builder: TextBuilder, page: WebPage) -> None:
        self.builder = builder
        self.first_heading = ""
        self._words = LineWords(page)
        self._kind = "p"
        self._number = ""
        self._lists: list[_Counter | None] = []  # those around a node; None is a list without numbers
        self._items = 0

    def walk(self, root: Any) -> None:
        traverse(root, self._enter, self._leave)
        self._flush()

    def _enter(self, node: Any) -> bool:
        """Take note of a node; whether its children have to be visited."""
        tag = node.tag
        if tag == "-text":
            self._words.text(node)
            return False
        if not self._words.open(node):
            return False
        if tag == "pre":
            self._flush()
            self.builder.code(without_signs(node.text()))
            return False
        if tag == "table" and self._table(node):
            return False
        if tag in _HEADINGS or tag == "li":
            self._flush()
            self._kind = tag
            if tag == "li":
                self._item(node)
        elif tag in _BLOCK:
            self._flush()
        if tag in ("ol", "ul", "menu"):
            self._lists.append(_Counter(node, self._words.style(node)) if tag == "ol" else None)
        return self._words.read(node)

    def _leave(self, node: Any) -> None:
        tag = node.tag
        if tag == "-text":
            return
        if self._words.close():
            if tag in _BLOCK or tag in _HEADINGS or tag == "li":
                self._flush()
                self._items -= tag == "li"
            if tag in ("ol", "ul", "menu"):
                self._lists.pop()
            self._number = "" if tag == "li" else self._number

    def _item(self, node: Any) -> None:
        """An item of a list begins: count it. That of a list of notes is the note with its number."""
        self._items += 1
        counter = self._lists[-1] if self._lists else None
        if counter is None:
            return
        value = counter.next(node)
        if node.mem_id in self._words.page.targets:
            return
        if counter.notes:
            self._words.begin_note(value.rstrip(". "))
        else:
            self._number = value

    def _flush(self) -> None:
        if not self._words:
            return
        text, former = self._words.take()
        text = _lines(text)
        plain = unmarked(text)
        if self._number and (plain or former):
            number = marked(MarkKind.NUMBERED, self._number)
            text = f"{number} {text}" if plain else ""
            former = {
                k: marked(k, f"{self._number} {unmarked(t)}") if not plain else t for k, t in former.items()
            }
            self._number = ""
        if plain:
            self._write(text)
        for words in former.values():
            self._write(_lines(words), "p" if self._kind in _HEADINGS else self._kind)
        if plain or former:
            self._kind = "p"

    def _write(self, text: str, kind: str = "") -> None:
        kind = kind or self._kind
        if kind in _HEADINGS:
            self.builder.heading(text, _HEADINGS[kind])
            self.first_heading = self.first_heading or unmarked(one_line(text))
        elif kind == "li":
            self.builder.list_item(text, level=self._items - 1)
        else:
            self.builder.paragraph(text)

    def _table(self, table: Any) -> bool:
        """Add a table of data. False for a table that only lays out a page: its cells are walked as
        blocks."""
        if table.css_first("table table, h1, h2, h3, ul, ol, pre") is not None:
            return False
        cells = _Cells(self._words, table)
        rows, grid = cells.rows, cells.rows.body
        if cells.number < 2 or max((sum(map(bool, row)) for row in grid), default=0) < 2:
            return False
        self._flush()
        for text in cells.caption:
            self.builder.paragraph(text)
        add_table(self.builder, grid, header_rows=rows.headers, heads=rows.heads, spans=rows.spans)
        return True


Passage = tuple[str, dict[MarkKind, str]]


class _Counter:
    """The numbers of an ordered list: where they start, which way they go and how they are written."""

    def __init__(self, node: Any, style: Mapping[str, str]) -> None:
        attributes = node.attributes
        self._step = -1 if "reversed" in attributes else 1
        items = sum(item.tag == "li" for item in node.iter()) if self._step < 0 else 1
        self._next = _whole(attributes.get("start"), items)
        said = style.get("list-style-type") or style.get("list-style") or ""
        form = next((_FORMS[word] for word in said.split() if word in _FORMS), "")
        self._form = form or _FORMS.get(attributes.get("type") or "1", "decimal")
        self._end = "、" if _RE["han_form"].match(self._form) else "."
        above = [e for e in (node, node.parent, getattr(node.parent, "parent", None)) if e is not None]
        said = " ".join(e.attributes.get(name) or "" for e in above for name in ("class", "role", "id"))
        self.notes = _RE["notes"].search(said) is not None

    def next(self, item: Any) -> str:
        value = _whole(item.attributes.get("value"), self._next)
        self._next = value + self._step
        text = written(value, self._form)
        return f"{text}{self._end}" if text else ""


def _whole(text: str | None, default: int) -> int:
    return int(text) if text and re.fullmatch(r"\s*-?[0-9]{1,9}\s*", text) else default


def _lines(text: str) -> str:
    lines = re.sub(" +", " ", text).split("\n")
    return "\n".join(line.strip() for line in lines if line.strip())


class _Cells:
    """Reads the `rows` of a table, `number` of them."""

    def __init__(self, around: LineWords, table: Any) -> None:
        self._words = around.within()
        self.rows = Rows(MAX_COLUMNS)
        self.number = 0
        self._below: dict[int, tuple[int, int]] = {}  # rows that a cell goes on for and its columns
        caption = table.css_first("caption")
        self.caption: list[str] = []
        if caption is not None:
            standing, former = self._passage(caption) or ("", {})
            self.caption = [standing, *former.values()]
        for row in table.css("tr"):
            # What a part of the table says holds for its rows.
            if self._words.open(row.parent) and self._words.open(row):
                self._add(row)
                self._words.close()
            self._words.close()
        self.rows.end_table()

    def _add(self, row: Any) -> None:
        cells = [c for c in row.iter() if c.tag in ("td", "th")]
        headed = row.parent.tag == "thead" or all(c.tag == "th" for c in cells)
        self.rows.begin(head=bool(cells) and headed)
        for cell in cells:
            self._carry_down()
            passage = self._passage(cell)
            if passage is None:
                continue
            columns, lines = _span(cell.attributes, "colspan"), _span(cell.attributes, "rowspan")
            if lines > 1:
                self._below[self.rows.width] = (lines - 1, columns)
            self.rows.cell(*passage, columns)
        self._carry_down()
        self.rows.end()
        self.number += 1

    def _passage(self, node: Any) -> Passage | None:
        """The words of a cell as they stand and as they read before, each on one line; None for a cell that
        is left out."""
        words = self._words
        opened = words.open(node)
        text = words.alone(node) if opened and node.mem_id not in words.page.targets else None
        words.close()
        if text is not None or not opened:
            return (one_line(text or ""), {}) if opened else None

        def enter(child: Any) -> bool:
            if child.tag == "-text":
                words.text(child)
                return False
            read = words.open(child)
            if child.tag in _BLOCK or child.tag == "li":
                words.add(" ")
            return read and words.read(child)

        def leave(child: Any) -> None:
            if child.tag != "-text" and words.close() and (child.tag in _BLOCK or child.tag == "li"):
                words.add(" ")

        traverse(node, enter, leave)
        standing, former = words.take()
        return one_line(standing), {kind: one_line(text) for kind, text in former.items()}

    def _carry_down(self) -> None:
        """A cell that spans rows stands in each of them, so that every row can be read alone."""
        while (column := self.rows.width) in self._below and column < MAX_COLUMNS:
            left, columns = self._below.pop(column)
            if left > 1:
                self._below[column] = (left - 1, columns)
            self.rows.cell("", {}, columns, goes_on=True)


def _span(attributes: Mapping[str, str | None], name: str) -> int:
    value = attributes.get(name) or "1"
    return max(1, min(int(value), 1000)) if value.isdecimal() and len(value) < 6 else 1
