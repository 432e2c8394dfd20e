"""Tables among the passages found, as rows of cells under their heads, and lists each item of which begins
with what it holds for ("Children under 3 months: 10 mg per kg"), as rows of two cells; and the columns of a
table with their kind: numbers of one unit, dates, words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from pathlib import PurePosixPath

from rag.domains.finance.figures.cells import read_figure
from rag.facts.dates import dates
from rag.facts.numerals import fold
from rag.facts.quantities import extract
from rag.facts.quantity import Kind, Quantity
from rag.languages import patterns
from rag.languages.text import has_han, letters, search_tokens
from rag.search.evidence import with_marks
from rag.store.store import Store
from rag.types import Block, BlockKind, Evidence, Hit, Table
from rag.types.documents import WITHDRAWN
from rag.types.tables import reads_as_heads

_TOTAL = patterns("survey")["total"]
# A table of more characters is read where passages of it were found, unless all of its rows matter.
_SHORT = 60_000
_LEADS = 120  # characters in which an item of a list says what it holds for
_COLONS = (":", "：")
_SURE = 0.95
MEASURED = frozenset({Kind.NUMBER, Kind.SHARE, Kind.MONEY, Kind.MEASURE, Kind.DURATION})
_UNIT = patterns("rows")["unit"]
_PLAIN = re.compile(r"[-−]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?%?")
_ISO = re.compile(r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])")


class HeldWords:
    """The words of texts, to be asked for one by one: stems and, of Chinese, whatever stands in it."""

    __slots__ = ("_letters", "_tokens")

    def __init__(self, *texts: str) -> None:
        joined = "\n".join(texts)
        self._tokens = frozenset(search_tokens(joined))
        self._letters = letters(joined) if has_han(joined) else ""

    def hold(self, word: str) -> bool:
        return word in self._tokens or (has_han(word) and word in self._letters)


@dataclass(frozen=True, slots=True)
class GridRow:
    """A row; `texts` are the words of its cells by column, "" for an empty one, `starts` where they begin in
    the document."""

    block: Block
    texts: tuple[str, ...]
    starts: tuple[int, ...]

    @property
    def total(self) -> bool:
        """Whether it sums up the others."""
        return any(_TOTAL.match(text) for text in self.texts[:2])


@dataclass(frozen=True)
class RowGrid:
    """A table, or a list read as one, of a passage that was found. `heads` are what stands over each column,
    on one line; `whole`: no row of it is left out. Rows that are withdrawn are none, nor are the heads."""

    hit: Hit
    heads: tuple[str, ...]
    rows: tuple[GridRow, ...]
    table: Table | None = None
    whole: bool = True
    _store: Store = field(repr=False, kw_only=True)

    @cached_property
    def about(self) -> HeldWords:
        """What its title, headings and heads say, and the name of its file."""
        document, table = self.hit.document, self.table
        path = table.heading_path if table else self.hit.chunk.heading_path
        above = (table.title, *table.units) if table else ()
        name = PurePosixPath(document.path).stem.replace("_", " ").replace("-", " ")
        return HeldWords(document.title, name, *path, *self.hit.chunk.heading_path, *above, *self.heads)

    def column(self, number: int) -> list[str]:
        return [row.texts[number] if number < len(row.texts) else "" for row in self.rows]

    def evidence(self, row: GridRow, number: int) -> Evidence:
        """A row as it is cited."""
        block, store, document = row.block, self._store, self.hit.document
        chunk = self.hit.chunk
        inside = chunk.start <= block.start < chunk.end
        one_page = inside and chunk.page == chunk.last_page
        shown = Evidence(
            number=number,
            document=document,
            chunk_id=self.hit.chunk_id if inside else store.passage_at(document.id, block.start),
            start=block.start,
            end=block.end,
            text=store.text(document.id, block.start, block.end),
            score=_SURE,
            page=chunk.page if one_page else store.page_at(document.id, block.start),
            heading_path=block.heading_path,
            heads=block.heads,
            location=block.location,
            cells=block.placed_cells(block.start, block.end),
        )
        return with_marks(shown, store)


def grids(hits: Sequence[Hit], store: Store, *, whole: bool = False) -> Iterator[RowGrid]:
    """Each table and list of the passages once, in their order; long tables as a whole only if asked for."""
    seen: set[tuple[int, int]] = set()
    for hit in hits:
        chunk, document = hit.chunk, hit.document.id
        blocks = store.blocks(document, chunk.start, chunk.end)
        if chunk.kind != "table" and (listed := _list(hit, blocks, store)):
            yield listed
        for table in {block.table.start: block.table for block in blocks if block.table}.values():
            if not table.placed or (document, table.start) in seen:
                continue
            short = whole or table.end - table.start <= _SHORT
            if short:
                seen.add((document, table.start))
                blocks = store.blocks(document, table.start, table.end)
            yield _grid(
                hit, table, [b for b in blocks if b.table and b.table.start == table.start], store, short
            )


def _grid(hit: Hit, table: Table, blocks: Sequence[Block], store: Store, whole: bool) -> RowGrid:
    heads = tuple(" ".join(" ".join(parts).split()) for parts in table.heads)
    rows: list[GridRow] = []
    begin, end = (blocks[0].start, blocks[-1].end) if blocks else (0, 0)
    text = store.text(hit.document.id, begin, end)
    gone = [mark for mark in store.marks(hit.document.id, begin, end) if mark.kind in WITHDRAWN]
    for block in blocks:
        own = text[block.start - begin : block.end - begin]
        if reads_as_heads(own, heads) or any(m.start < block.end and block.start < m.end for m in gone):
            continue
        cells = block.cells
        texts = tuple(" ".join(text[c.start - begin : c.end - begin].split()) for c in cells)
        rows.append(GridRow(block, texts, tuple(c.start for c in cells)))
    return RowGrid(hit, heads, tuple(rows), table, whole, _store=store)


def _list(hit: Hit, blocks: Sequence[Block], store: Store) -> RowGrid | None:
    """The items of a passage that begin with what they hold for, as rows of two cells."""
    rows = []
    for block in blocks:
        text = store.text(hit.document.id, block.start, block.end)
        at = next((n for n, letter in enumerate(text[:_LEADS]) if letter in _COLONS), -1)
        behind = text[at + 1 :].lstrip()
        if block.kind in (BlockKind.PARAGRAPH, BlockKind.LIST_ITEM) and at > 0 and behind:
            texts = (" ".join(text[:at].split()), " ".join(behind.split()))
            rows.append(GridRow(block, texts, (block.start, block.end - len(behind))))
    return RowGrid(hit, ("", ""), tuple(rows), _store=store) if len(rows) > 1 else None


def head_unit(head: str) -> Quantity | None:
    """One of the unit that a head states in brackets, behind a comma or at its end."""
    for piece in _UNIT.split(head)[1:]:
        found = extract(f"1 {piece.strip(' ()（）')}")
        if found and found[0].start == 0 and found[0].kind in MEASURED - {Kind.NUMBER}:
            return found[0]
    return None


@dataclass(frozen=True, slots=True)
class TypedColumn:
    """A column of rows that are no totals. `values` are its numbers, or its dates as days, None for an empty
    cell; of a column of words it is (). `decimals` are the most that are printed, `unit` is what its head
    states of it."""

    number: int
    head: str
    cells: tuple[str, ...]
    values: tuple[Decimal | None, ...] = ()
    decimals: int = 0
    percent: bool = False
    dated: bool = False
    unit: Quantity | None = None

    @property
    def counts(self) -> bool:
        """Whether it holds numbers."""
        return bool(self.values) and not self.dated

    def stored(self, row: int) -> str | float | None:
        """What a query compares of a row."""
        value = self.values[row] if self.values else None
        return float(value) if value is not None else self.cells[row] or None

    def printed(self, value: Decimal, more: int = 0) -> str:
        """A number worked out from it, as its cells are printed."""
        return f"{value:,.{self.decimals + more}f}{'%' if self.percent else ''}"


def typed_columns(grid: RowGrid, rows: Sequence[GridRow]) -> tuple[TypedColumn, ...]:
    return tuple(_typed(grid, n, rows) for n in range(len(grid.heads)))


def _typed(grid: RowGrid, number: int, rows: Sequence[GridRow]) -> TypedColumn:
    head = grid.heads[number]
    cells = tuple(row.texts[number] if number < len(row.texts) else "" for row in rows)
    words = TypedColumn(number, head, cells)
    first = next(filter(None, cells), "")
    if _day(first) is not None:
        days = tuple(_day(cell) for cell in cells)
        rest = "".join(cell for cell, day in zip(cells, days, strict=True) if day is None)
        return words if any(map(str.isdigit, rest)) else TypedColumn(number, head, cells, days, dated=True)
    found = [_number(cell) for cell in cells] if _number(first) else [None]
    if any(one is None for one in found) or not any(one and one[0] is not None for one in found):
        return words
    kinds = {one[1:] for one in found if one and one[0] is not None}
    if len(kinds) > 1:  # of several units
        return words
    values = tuple(one[0] if one else None for one in found)
    decimals = max((-int(v.normalize().as_tuple().exponent) for v in values if v is not None), default=0)
    percent = any(percent for percent, _ in kinds)
    return TypedColumn(number, head, cells, values, max(0, decimals), percent, unit=head_unit(head))


def _number(cell: str) -> tuple[Decimal | None, bool, str] | None:
    """The number that a cell is, whether in percent, and its currency; a number that is None for an empty
    cell and for a dash; None for words."""
    if _PLAIN.fullmatch(cell):
        plain = cell.rstrip("%").replace(",", "").replace("−", "-")
        return Decimal(plain), cell.endswith("%"), ""
    if not any(c.isalnum() for c in cell):
        return None, False, ""
    figure = read_figure(cell)
    if figure is None:
        return None
    return figure.value, figure.percent, figure.currency


def _day(cell: str) -> Decimal | None:
    """A whole date as a day's number."""
    if _ISO.fullmatch(cell):
        return Decimal(cell.replace("-", ""))
    if not any(map(str.isdigit, cell)):
        return None
    found = dates(fold(cell))
    period = found[0].period if len(found) == 1 else None
    if period is None or not (period.year and period.month and period.day):
        return None
    return Decimal(period.year * 10_000 + period.month * 100 + period.day)
