"""Tables among the passages found, as rows of cells under their heads, and lists each item of which begins
with what it holds for ("Children under 3 months: 10 mg per kg"), as rows of two cells; and the columns of a
table with their kind: numbers of one unit, dates, words."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from functools import cached_property
from weakref import WeakKeyDictionary

from rag.answers.guarded import Cellular, GuardedTable
from rag.domains.finance.figures.cells import read_figure
from rag.facts.dates import dates
from rag.facts.numerals import fold
from rag.facts.quantities import extract, header_scales
from rag.facts.quantity import Kind, Quantity
from rag.languages import patterns
from rag.languages.text import has_han, letters, search_tokens
from rag.search.amended import evidence_at
from rag.search.evidence import with_marks
from rag.store.store import Store
from rag.types import Block, BlockKind, DocumentInfo, Evidence, Hit, LeadIn, Span, Table
from rag.types.documents import WITHDRAWN, path_words
from rag.types.tables import reads_as_heads

_TOTAL = patterns("survey")["total"]
# A table of more characters is read where passages of it were found, unless all of its rows matter.
_SHORT = 60_000
_LEADS = 120  # characters in which an item of a list says what it holds for
_COLONS = (":", "：")
_SURE = 0.95
# Of a column of so many different cells all are looked at; of longer ones those that the question says whole.
_FEW_VALUES = 2000
_MOST_UNITS = 20
_KEPT_ROWS = 250_000  # of all tables of an index, in memory
MEASURED = frozenset({Kind.NUMBER, Kind.SHARE, Kind.MONEY, Kind.MEASURE, Kind.DURATION})
_UNIT, _RATE, _PRICE, _AMOUNT = (patterns("rows")[key] for key in ("unit", "rate", "price", "amount"))
_STATED = patterns("tables", re.NOFLAG)["units"]
_PLAIN = re.compile(r"[-−]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?%?")
_YEAR = re.compile(r"(?:1[89]|20)\d\d")
_PADDED = re.compile(r"0\d")  # 07 May
_ISO = re.compile(r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])")


class HeldWords:
    """The words of texts, to be asked for one by one: stems and, of Chinese, whatever stands in it."""

    __slots__ = ("_letters", "_tokens")

    def __init__(self, *texts: str) -> None:
        joined = "\n".join(texts)
        tokens = search_tokens(joined)
        self._tokens = frozenset((*tokens, *(t[1] for t in tokens if _PADDED.fullmatch(t))))
        self._letters = letters(joined) if has_han(joined) else ""

    def hold(self, word: str) -> bool:
        return word in self._tokens or (has_han(word) and word in self._letters)


@dataclass(frozen=True, slots=True)
class GridRow:
    """A row at `[start, end)` of its document; `texts` are the words of its cells by column, "" for an empty
    one, `starts` where they begin."""

    start: int
    end: int
    texts: tuple[str, ...]
    starts: tuple[int, ...]

    @property
    def total(self) -> bool:
        """Whether it sums up the others."""
        return any(_TOTAL.match(text) for text in self.texts[:2])


@dataclass(frozen=True, slots=True)
class TypedColumn:
    """A column of rows that are no totals: words, numbers (`decimals` are the most that are printed, `unit`
    is what its head states of it) or dates. `filled` and `distinct` count its cells, `values` (of words, as
    printed) are those of a column of few."""

    number: int
    head: str
    filled: int = 0
    distinct: int = 0
    values: tuple[str, ...] = ()
    counts: bool = False
    dated: bool = False
    decimals: int = 0
    percent: bool = False
    unit: Quantity | None = None

    @property
    def name(self) -> str:
        return f"c{self.number}"

    @property
    def apart(self) -> bool:
        """Whether its cells tell rows apart."""
        return self.distinct == self.filled

    @property
    def measured(self) -> bool:
        return self.counts or self.dated

    @property
    def summable(self) -> bool:
        """Whether its numbers may be added up: no shares, prices or ages."""
        return self.counts and not self.percent and not _RATE.search(self.head)

    @property
    def of_units(self) -> bool:
        """Whether its cells are currencies or units."""
        return 0 < len(self.values) <= _MOST_UNITS and all(head_unit(f", {cell}") for cell in self.values)

    def stored(self, value: Decimal) -> Decimal:
        """A number as a query compares it: whole, since sums are exact then."""
        return value.scaleb(self.decimals) if self.counts else value

    def printed(self, stored: Decimal, more: int = 0) -> str:
        """A number worked out of stored ones, as its cells are printed."""
        value = stored.scaleb(-self.decimals)
        return f"{value:,.{self.decimals + more}f}{'%' if self.percent else ''}"


@dataclass(frozen=True)
class TypedTable:
    """The rows of a whole table that are no totals, to be asked: `data` has a row for each of `rows`, with
    words as printed, numbers `TypedColumn.stored` and days counted from the year 1. `totals` are what its
    total rows say of a column."""

    columns: tuple[TypedColumn, ...]
    rows: tuple[GridRow, ...]
    data: GuardedTable
    totals: Mapping[int, frozenset[Decimal]]


@dataclass(frozen=True)
class GridBody:
    """What stands over each column of a table, on one line, and its rows."""

    heads: tuple[str, ...]
    rows: tuple[GridRow, ...]

    @cached_property
    def typed(self) -> TypedTable:
        rows = tuple(row for row in self.rows if not row.total and sum(map(bool, row.texts)) > 1)
        last = rows[-1:] if any(_summing(rows, n) for n in range(len(self.heads))) else ()
        rows = rows[: len(rows) - len(last)]  # "All destinations", "Group revenue"
        pairs = [_column(n, head, _cells(rows, n)) for n, head in enumerate(self.heads)]
        summed = [*(row for row in self.rows if row.total), *last]
        totals = {
            n: frozenset(
                one[0] for cell in _cells(summed, n) if (one := _number(cell)) and one[0] is not None
            )
            for n in range(len(pairs))
        }
        stored = zip(*(cells for _, cells in pairs), strict=True)
        return TypedTable(tuple(one for one, _ in pairs), rows, GuardedTable(stored, len(pairs)), totals)


def _summing(rows: Sequence[GridRow], column: int) -> bool:
    """Whether the last of at least three rows is the sum of all others in a column."""
    found = [_number(cell) for cell in _cells(rows, column)]
    values = [one[0] for one in found if one and one[0] is not None and not one[1]]
    return len(values) == len(rows) > 2 and values[-1] != 0 and values[-1] == sum(values[:-1])


def _cells(rows: Sequence[GridRow], column: int) -> list[str]:
    return [row.texts[column] if column < len(row.texts) else "" for row in rows]


@dataclass(frozen=True)
class RowGrid:
    """A table, or a list read as one, of a passage that was found. `heads` are what stands over each column,
    on one line; `whole`: no row of it is left out. Rows that are withdrawn are none, nor are the heads."""

    hit: Hit
    body: GridBody
    table: Table | None = None
    whole: bool = True
    store: Store = field(repr=False, kw_only=True)

    @property
    def heads(self) -> tuple[str, ...]:
        return self.body.heads

    @property
    def rows(self) -> tuple[GridRow, ...]:
        return self.body.rows

    @cached_property
    def about(self) -> HeldWords:
        """What its title, headings and heads say, and the path of its file."""
        document, table = self.hit.document, self.table
        path = table.heading_path if table else self.hit.chunk.heading_path
        above = (table.title, *table.units, self._lead(table)) if table else ()
        named = (document.title, path_words(document.path), *path, *self.hit.chunk.heading_path)
        return HeldWords(*named, *above, *self.heads)

    @cached_property
    def priced(self) -> bool:
        """Whether it says prices, by its title, headings and heads or its first row."""
        over = (self.hit.document.title, *self.hit.chunk.heading_path, *self.heads)
        first = (text for row in self.rows[:1] for text in row.texts)
        return _PRICE.search("\n".join((*over, *first))) is not None

    def head(self, number: int) -> str:
        """What stands over a column, behind it the unit that is stated for the whole table, where it is one
        of amounts and states none."""
        if number >= len(self.heads) or (table := self.table) is None:
            return ""
        head, one = self.heads[number], self.body.typed.columns[number]
        if not one.counts or one.percent or one.unit or not (_YEAR.search(head) or _AMOUNT.search(head)):
            return head
        over = (*table.units, self.heads[0], table.title, *table.heading_path[-1:], self._lead(table))
        stated = next((found[0] for text in over if (found := _STATED.search(text))), "").strip(" ()（）")
        return f"{head} ({stated})" if stated else head

    def _lead(self, table: Table) -> str:
        """The short paragraph right above that leads into a table, or states its unit."""
        before = self.store.blocks(self.hit.document.id, max(0, table.start - _LEADS), table.start)
        near = [b for b in before if b.kind is BlockKind.PARAGRAPH and b.end - b.start <= _LEADS][-1:]
        text = "".join(self.store.text(self.hit.document.id, b.start, b.end) for b in near)
        return text if text.rstrip().endswith(_COLONS) or _STATED.search(text) else ""

    def column(self, number: int) -> list[str]:
        return _cells(self.rows, number)

    def evidence(self, row: GridRow, number: int) -> Evidence:
        """A row as it is cited."""
        blocks = self.store.blocks(self.hit.document.id, row.start, row.end)
        block = next(b for b in blocks if b.start == row.start)
        return cited(self.store, self.hit.document, block, number)


def cited(
    store: Store, document: DocumentInfo, block: Block, number: int, leads: tuple[LeadIn, ...] = ()
) -> Evidence:
    """A block of a document as code cites it."""
    shown = replace(
        evidence_at(document, Span(block.start, block.end), _SURE, store),
        number=number,
        heading_path=block.heading_path,
        heads=block.heads,
        location=block.location,
        cells=block.placed_cells(block.start, block.end),
        leads=leads,
    )
    return with_marks(shown, store)


def grids(hits: Sequence[Hit], store: Store, *, whole: bool = False) -> Iterator[RowGrid]:
    """Each table and list of the passages once, in their order; long tables as a whole only if asked for."""
    seen: set[tuple[int, int]] = set()
    for hit in hits:
        chunk, document = hit.chunk, hit.document.id
        blocks = store.blocks(document, chunk.start, chunk.end)
        if chunk.kind != "table" and not whole and (listed := _list(hit, blocks, store)):
            yield listed
        for table in {block.table.start: block.table for block in blocks if block.table}.values():
            if not table.placed or (document, table.start) in seen:
                continue
            if short := whole or table.end - table.start <= _SHORT:
                seen.add((document, table.start))
                body = _whole_body(table, document, store)
            else:
                body = _body(table, document, store, chunk.start, chunk.end)
            yield RowGrid(hit, body, table, short, store=store)


_bodies: WeakKeyDictionary[Store, OrderedDict[tuple[int, int], GridBody]] = WeakKeyDictionary()


def _whole_body(table: Table, document: int, store: Store) -> GridBody:
    """All rows of a table. They are kept: what stands behind the id of a document never changes."""
    kept, key = _bodies.setdefault(store, OrderedDict()), (document, table.start)
    if (body := kept.get(key)) is None:
        body = kept[key] = _body(table, document, store, table.start, table.end)
        while sum(len(one.rows) for one in kept.values()) > _KEPT_ROWS and len(kept) > 1:
            kept.popitem(last=False)
    return body


def _body(table: Table, document: int, store: Store, start: int, end: int) -> GridBody:
    heads = tuple(" ".join(" ".join(parts).split()) for parts in table.heads)
    found = [b for b in store.blocks(document, start, end) if b.table and b.table.start == table.start]
    begin, stop = (found[0].start, found[-1].end) if found else (0, 0)
    text = store.text(document, begin, stop)
    gone = [mark for mark in store.marks(document, begin, stop) if mark.kind in WITHDRAWN]
    rows: list[GridRow] = []
    first = " ".join(heads).strip()[:1]
    for block in found:
        own = text[block.start - begin : block.end - begin]
        again = own.lstrip(" |")[:1] == first and reads_as_heads(own, heads)
        if again or any(m.start < block.end and block.start < m.end for m in gone):
            continue
        places = _places(block)
        texts = tuple(" ".join(text[a - begin : b - begin].split()) for a, b in places)
        rows.append(GridRow(block.start, block.end, texts, tuple(a for a, _ in places)))
    return GridBody(heads, tuple(rows))


def _places(block: Block) -> list[tuple[int, int]]:
    """Where the cells of a row stand: those of `Block.cells`, in a fraction of the time."""
    packed = block.table.rows[block.row - block.table.first] if block.table else ()
    at, places = packed[0] if packed else 0, []
    for width, gap in zip(packed[1::2], (*packed[2::2], 0), strict=False):
        places.append((at, at + width))
        at += width + gap
    return places


def _list(hit: Hit, blocks: Sequence[Block], store: Store) -> RowGrid | None:
    """The items of a passage that begin with what they hold for, as rows of two cells."""
    rows = []
    for block in blocks:
        text = store.text(hit.document.id, block.start, block.end)
        at = next((n for n, letter in enumerate(text[:_LEADS]) if letter in _COLONS), -1)
        behind = text[at + 1 :].lstrip()
        if block.kind in (BlockKind.PARAGRAPH, BlockKind.LIST_ITEM) and at > 0 and behind:
            texts = (" ".join(text[:at].split()), " ".join(behind.split()))
            rows.append(GridRow(block.start, block.end, texts, (block.start, block.end - len(behind))))
    return RowGrid(hit, GridBody(("", ""), tuple(rows)), store=store) if len(rows) > 1 else None


def head_unit(head: str) -> Quantity | None:
    """One of the unit that a head states in brackets, behind a comma or at its end, with its scale."""
    for piece in _UNIT.split(head)[1:]:
        found = extract(f"1 {piece.strip(' ()（）')}")
        if found and found[0].start == 0 and found[0].kind in MEASURED - {Kind.NUMBER}:
            scale = header_scales(head) if found[0].kind is Kind.MONEY and found[0].value == 1 else ()
            return found[0].times(scale[0][0]) if scale else found[0]
    return None


def _column(number: int, head: str, cells: list[str]) -> tuple[TypedColumn, Sequence[Cellular]]:
    """A column and its cells as they are stored."""
    different = dict.fromkeys(filter(None, cells))
    plain = TypedColumn(number, head, sum(map(bool, cells)), len(different))
    words = replace(plain, values=tuple(different) if len(different) <= _FEW_VALUES else ())
    first = next(iter(different), "")
    if len(different) > 1 and all(map(_YEAR.fullmatch, different)) and not _YEAR.search(head):
        return replace(plain, dated=True), [
            date(int(cell), 1, 1).toordinal() if cell else None for cell in cells
        ]
    if _day(first) is not None:
        days = {cell: _day(cell) for cell in different}
        if any(day is None and any(map(str.isdigit, cell)) for cell, day in days.items()):
            return words, [cell or None for cell in cells]
        return replace(plain, dated=True), [days.get(cell) for cell in cells]
    found = {cell: _number(cell) for cell in different} if _number(first) else {}
    numbers = {cell: one[0] for cell, one in found.items() if one and one[0] is not None}
    kinds = {one[1:] for one in found.values() if one and one[0] is not None}
    if not numbers or None in found.values() or len(kinds) > 1:  # words, or of several units
        return words, [cell or None for cell in cells]
    decimals = max(0, *(-int(v.normalize().as_tuple().exponent) for v in numbers.values()))
    whole = {cell: int(value.scaleb(decimals)) for cell, value in numbers.items()}
    percent = "%" in head or "％" in head or any(percent for percent, _ in kinds)
    column = replace(plain, counts=True, decimals=decimals, percent=percent, unit=head_unit(head))
    return column, [whole.get(cell) for cell in cells]


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


def _day(cell: str) -> int | None:
    """The number of a whole date's day, from the year 1 on."""
    if not any(map(str.isdigit, cell)):
        return None
    try:
        if _ISO.fullmatch(cell):
            return date.fromisoformat(cell).toordinal()
        found = dates(fold(cell))
        p = found[0].period if len(found) == 1 else None
        return date(p.year, p.month, p.day).toordinal() if p and p.year and p.month and p.day else None
    except ValueError:  # 30 February
        return None
