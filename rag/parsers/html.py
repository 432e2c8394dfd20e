"""HTML: headings, paragraphs, lists and tables in document order; scripts, styles, navigation and hidden
parts left out."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any

from rag.languages import Patterns
from rag.parsers.base import MAX_COLUMNS, Grid, Limits, Parsed, TextBuilder, add_table, one_line
from rag.parsers.encoding import decode

_RE = Patterns(__file__)
_SKIP = _RE.words("skip")
_BLOCK = _RE.words("block")
_HEADINGS = {f"h{n}": n for n in range(1, 7)}
_META_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_.:-]+)", re.I)
_METADATA = {
    "author": "author", "dc.creator": "author", "article:author": "author", "date": "date", "dc.date": "date",
    "article:published_time": "date", "description": "description", "keywords": "keywords",
}  # fmt: skip


def read(data: bytes, *, path: str, limits: Limits, ocr: bool = False) -> Parsed:
    """Parse an HTML page, of any nesting depth (the walk does not recurse)."""
    from selectolax.lexbor import LexborHTMLParser

    tree = LexborHTMLParser(_decode(data, path))
    walker = _Walker(TextBuilder())
    if tree.body is not None:
        walker.walk(tree.body)
    title_node = tree.css_first("title")
    title = one_line(title_node.text()) if title_node is not None else ""
    title = title or walker.first_heading
    text, blocks, _ = walker.builder.build(title)
    return Parsed(title, text, blocks, metadata=_metadata(tree))


def write(source: str, builder: TextBuilder) -> None:
    """Add a piece of HTML that stands in a document of another format."""
    from selectolax.lexbor import LexborHTMLParser

    body = LexborHTMLParser(source).body
    if body is not None:
        _Walker(builder).walk(body)


def _decode(data: bytes, path: str) -> str:
    """The declared charset where it fits the bytes, else detection."""
    declared = _META_CHARSET.search(data[:4096])
    if declared and not data.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        name = declared.group(1).decode("ascii").lower()
        name = {"gb2312": "gb18030", "gbk": "gb18030", "big5": "big5hkscs", "iso-8859-1": "cp1252"}.get(
            name, name
        )
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


def _hidden(attributes: dict[str, str | None]) -> bool:
    return (
        "hidden" in attributes
        or attributes.get("role") in ("navigation", "menubar")
        or attributes.get("aria-hidden") == "true"
        or _RE["hidden"].search(attributes.get("style") or "") is not None
    )


def _skipped(node: Any) -> bool:
    return node.tag in _SKIP or (node.tag != "-text" and bool(node.attributes) and _hidden(node.attributes))


class _Walker:
    """Depth first with a stack of its own. `kind` says what the inline text being collected will become."""

    def __init__(self, builder: TextBuilder) -> None:
        self.builder = builder
        self.first_heading = ""
        self._inline: list[str] = []
        self._kind = "p"
        self._lists = 0

    def walk(self, root: Any) -> None:
        node, depth = root, 0
        while node is not None:
            child = self._enter(node)
            if child is not None:
                node, depth = child, depth + 1
                continue
            self._leave(node)
            while node is not None and node.next is None:
                node = node.parent if depth else None
                depth -= 1
                if node is not None:
                    self._leave(node)
            if node is None or depth <= 0:
                break
            node = node.next
        self._flush()

    def _enter(self, node: Any) -> Any:
        """Take note of a node; returns its first child where that has to be visited."""
        tag = node.tag
        if tag == "-text":
            self._inline.append(_RE["spaces"].sub(" ", node.text_content or ""))
            return None
        if _skipped(node):
            return None
        if tag == "br":
            self._inline.append("\n")
        elif tag == "pre":
            self._flush()
            self.builder.code(node.text())
            return None
        elif tag == "table" and self._table(node):
            return None
        elif tag in _HEADINGS or tag == "li":
            self._flush()
            self._kind = tag
            self._lists += tag == "li"
        elif tag in _BLOCK:
            self._flush()
        return node.child

    def _leave(self, node: Any) -> None:
        tag = node.tag
        if tag == "-text" or _skipped(node):
            return
        if tag in _BLOCK or tag in _HEADINGS or tag == "li":
            self._flush()
            self._lists -= tag == "li"

    def _flush(self) -> None:
        lines = re.sub(" +", " ", "".join(self._inline)).split("\n")
        text = "\n".join(line.strip() for line in lines if line.strip())
        self._inline.clear()
        if not text:
            return
        if self._kind in _HEADINGS:
            self.builder.heading(text, _HEADINGS[self._kind])
            self.first_heading = self.first_heading or one_line(text)
        elif self._kind == "li":
            self.builder.list_item(text, level=self._lists - 1)
        else:
            self.builder.paragraph(text)
        self._kind = "p"

    def _table(self, table: Any) -> bool:
        """Add a table of data. False for a table that only lays out a page: its cells are walked as
        blocks."""
        if table.css_first("table table, h1, h2, h3, ul, ol, pre") is not None:
            return False
        rows = [row for row in table.css("tr") if not _skipped(row)]
        body, heads, header_rows, spans = _read_cells(rows)
        if len(rows) < 2 or max((sum(map(bool, row)) for row in body), default=0) < 2:
            return False
        self._flush()
        caption = table.css_first("caption")
        if caption is not None:
            self.builder.paragraph(_cell_text(caption))
        add_table(self.builder, body, header_rows=header_rows, heads=heads, spans=spans)
        return True


def _cell_text(node: Any) -> str:
    return one_line(node.text(separator=" ")) if node.css_first("br, p, div, li") else one_line(node.text())


def _read_cells(rows: list[Any]) -> tuple[Grid, Grid, int, dict[tuple[int, int], tuple[int, int]]]:
    """Two grids of one shape: cells once, and with spanning cells repeated; how many top rows are marked as
    heads; and (rows, columns) of spanning cells by row and column."""
    body: Grid = []
    heads: Grid = []
    spans: dict[tuple[int, int], tuple[int, int]] = {}
    below: dict[int, tuple[int, str]] = {}
    marked = 0
    for row in rows:
        once: list[str] = []
        repeated: list[str] = []
        cells = [c for c in row.iter() if c.tag in ("td", "th")]
        for cell in cells:
            _carry_down(once, repeated, below)
            text = _cell_text(cell)
            columns, lines = _span(cell, "colspan"), _span(cell, "rowspan")
            if max(columns, lines) > 1:
                spans[len(body), len(once)] = (lines, columns)
            for n in range(min(columns, MAX_COLUMNS - len(once))):
                if lines > 1:
                    below[len(once)] = (lines - 1, text if n == 0 else "")
                once.append(text if n == 0 else "")
                repeated.append(text)
        _carry_down(once, repeated, below)
        if marked == len(body) and cells and (row.parent.tag == "thead" or all(c.tag == "th" for c in cells)):
            marked += 1
        body.append(once)
        heads.append(repeated)
    return body, heads, marked, spans


def _carry_down(once: list[str], repeated: list[str], below: dict[int, tuple[int, str]]) -> None:
    """A cell that spans rows stands in each of them, so that every row can be read alone."""
    while (column := len(once)) in below and column < MAX_COLUMNS:
        left, text = below.pop(column)
        if left > 1:
            below[column] = (left - 1, text)
        once.append(text)
        repeated.append(text)


def _span(cell: Any, name: str) -> int:
    value = cell.attributes.get(name) or "1"
    return max(1, min(int(value), 1000)) if value.isdecimal() and len(value) < 6 else 1
