"""What every parser shares: limits, the parsed value, and the builder that keeps text and offsets together.

No parser ever computes an offset. It hands pieces to a `TextBuilder`, which writes each one down and notes
where it stands, so a block's span is right by construction."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rag.types import Block, BlockKind, Page, Table
from rag.types.tables import joined_location, packed, row_spans, row_text

# Kept out of stored text: controls (lone surrogates too, which no UTF-8 database takes) and characters that
# nobody sees.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u200b\u200e\u200f\u2060\ufeff\ufffe\uffff]"
)
_LINE_BREAK = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_BLANK = re.compile("[\u00a0\u202f\u2007]")
_NEEDS_CLEANING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\xa0\u00ad\u2007\u200b\u200e\u200f\u2028\u2029\u202f\u2060\ufeff\ufffe\uffff\ud800-\udfff]"
)
TITLE_LIMIT = 200


@dataclass(frozen=True, slots=True)
class Limits:
    """What one file may cost. `seconds` and `memory_mb` (growth of a worker's address space over its idle
    size) are kept by `rag.parsers.pool`; `max_bytes` (of the file, and of what a compressed file unfolds to,
    tenfold), `max_pages` and `max_chars` (of the text) by the parsers. Past a limit a parser raises
    ParseError("too_large")."""

    seconds: float = 120
    memory_mb: int = 2048
    max_bytes: int = 200 * 1024 * 1024
    max_pages: int = 20_000
    max_chars: int = 100_000_000


@dataclass(frozen=True, slots=True)
class Parsed:
    """A file's content, without what only its path knows. `title` may be empty: the caller falls back to the
    file name."""

    title: str
    text: str
    blocks: tuple[Block, ...]
    pages: tuple[Page, ...] = ()
    empty_pages: tuple[int, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)


def clean(text: str) -> str:
    """Line breaks as "\\n", no-break blanks as blanks, controls and invisible characters dropped, lone
    surrogates replaced."""
    if _NEEDS_CLEANING.search(text) is None:
        return text
    text = _BLANK.sub(" ", _LINE_BREAK.sub("\n", text))
    return _SURROGATE.sub("\ufffd", _INVISIBLE.sub("", text))


def one_line(text: str) -> str:
    """Cleaned, and every run of white space as one blank."""
    return " ".join(clean(text).split())


def shorten(text: str, limit: int = TITLE_LIMIT) -> str:
    """`one_line`, cut at a word where that is possible."""
    line = one_line(text)
    if len(line) <= limit:
        return line
    cut = line.rfind(" ", limit // 2, limit)
    return line[: cut if cut > 0 else limit - 1].rstrip() + "…"


@dataclass(slots=True)
class _OpenTable:
    """A table whose rows are being added; `places` are where its first and its last row stand."""

    heads: tuple[tuple[str, ...], ...] = ()
    units: tuple[str, ...] = ()
    placed: bool = True
    spans: tuple[tuple[int, int, int, int], ...] = ()
    start: int = 0
    end: int = 0
    places: tuple[str, str] = ("", "")
    rows: list[tuple[int, ...]] = field(default_factory=list)

    def closed(self, path: tuple[str, ...]) -> Table:
        place, rows = joined_location(*self.places), tuple(self.rows)
        return Table(
            self.start,
            self.end,
            self.heads,
            self.units,
            self.placed,
            path,
            place,
            rows=rows,
            spans=self.spans,
        )


# Kind, start, end, heading path, level, location; the table and the number of a row.
_Piece = tuple[BlockKind, int, int, tuple[str, ...], int, str, _OpenTable | None, int]


class TextBuilder:
    """Collects a document piece by piece.

    Blocks are separated by a blank line, rows of one table and items of one list by a line break. Pages, when
    used, partition the text: what separates two pages belongs to the first of them."""

    _CLOSE = frozenset({BlockKind.TABLE_ROW, BlockKind.LIST_ITEM})

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = 0
        self._blocks: list[_Piece] = []
        self._pages: list[tuple[int, int]] = []
        self._headings: list[tuple[int, str]] = []
        self._page_break = False
        self._new_group = False
        self._table = _OpenTable()

    def __len__(self) -> int:
        return self._length

    def start_page(self, number: int) -> None:
        """Everything added from now on stands on page `number` (1-based, rising)."""
        if self._length:
            self._put("\n\n" if not self._page_break else "")
            self._page_break = True
        self._pages.append((number, self._length))

    def start_group(self) -> None:
        """The next row or item begins another table or list."""
        self._new_group = True

    def heading(self, text: str, level: int, *, location: str = "") -> None:
        """A heading of `level` (1 = outermost); it closes all headings of the same or a deeper level."""
        line = one_line(text)
        if not line:
            return
        while self._headings and self._headings[-1][0] >= level:
            self._headings.pop()
        self._add(BlockKind.HEADING, text, level=level, location=location)
        self._headings.append((level, shorten(line)))

    def paragraph(self, text: str, *, location: str = "") -> None:
        self._add(BlockKind.PARAGRAPH, text, location=location)

    def list_item(self, text: str, *, level: int = 0) -> None:
        self._add(BlockKind.LIST_ITEM, text, level=level)

    def code(self, text: str) -> None:
        self._add(BlockKind.CODE, text)

    def table(
        self,
        heads: Sequence[Sequence[str]] = (),
        *,
        units: tuple[str, ...] = (),
        placed: bool = True,
        spans: Sequence[tuple[int, int, int, int]] = (),
    ) -> None:
        """The rows that follow are those of another table; see `Table`."""
        self._new_group = True
        lines = tuple(tuple(filter(None, map(one_line, parts))) for parts in heads)
        self._table = _OpenTable(lines, tuple(map(one_line, units)), placed, tuple(spans))

    def row(self, cells: Sequence[str], *, location: str = "") -> None:
        """One row of the table; a row without words is left out."""
        flat = [one_line(cell) for cell in cells]
        self._row(row_text(flat), row_spans(flat), location)

    def line(self, text: str, cells: Sequence[tuple[int, int]]) -> None:
        """One row as a line of text without white space around it, with the (start, end) of its cells."""
        self._row(text, cells, "")

    def _row(self, text: str, cells: Sequence[tuple[int, int]], location: str) -> None:
        table, before = self._table, self._blocks[-1][0] if self._blocks else None
        if table.rows and before is not BlockKind.TABLE_ROW:  # something stands between: another table
            table = _OpenTable(table.heads, table.units, table.placed)
        if not self._add(BlockKind.TABLE_ROW, text, location=location, table=table, row=len(table.rows)):
            return
        start, end = self._blocks[-1][1:3]
        if not table.rows:
            table.start, table.places = start, (location, location)
        table.end, table.places = end, (table.places[0], location)
        table.rows.append(packed(start, cells))
        self._table = table

    def build(self, title: str = "") -> tuple[str, tuple[Block, ...], tuple[Page, ...]]:
        """Text, blocks and pages. A top heading that repeats `title` is left out of the heading paths."""
        own = letters(title)
        paths: dict[tuple[str, ...], tuple[str, ...]] = {}
        tables: dict[int, Table] = {}
        blocks = []
        for kind, start, end, path, level, location, table, row in self._blocks:
            if path not in paths:
                paths[path] = path[1:] if own and path and letters(path[0]) == own else path
            path = paths[path]
            if table is None:
                blocks.append(Block(kind, start, end, path, level, location))
                continue
            if id(table) not in tables:
                tables[id(table)] = table.closed(path)
            blocks.append(Block(kind, start, end, path, level, location, tables[id(table)], row))
        ends = [start for _, start in self._pages[1:]] + [self._length]
        pages = tuple(
            Page(number, start, end) for (number, start), end in zip(self._pages, ends, strict=False)
        )
        return "".join(self._parts), tuple(blocks), pages

    def _put(self, piece: str) -> None:
        self._parts.append(piece)
        self._length += len(piece)

    def _add(
        self,
        kind: BlockKind,
        text: str,
        *,
        level: int = 0,
        location: str = "",
        table: _OpenTable | None = None,
        row: int = 0,
    ) -> bool:
        """Whether there was anything to add."""
        body = clean(text).strip()
        if not body:
            return False
        if self._length and not self._page_break:
            close = kind in self._CLOSE and self._blocks[-1][0] is kind and not self._new_group
            self._put("\n" if close else "\n\n")
        self._page_break = False
        self._new_group = False
        path = tuple(line for _, line in self._headings)
        start = self._length
        self._put(body)
        self._blocks.append((kind, start, self._length, path, level, location, table, row))
        return True


def letters(text: str) -> str:
    """Letters and digits alone, in small letters: what two spellings of a title share."""
    return "".join(c for c in text.casefold() if c.isalnum())
