"""Rows of tables as lines (label, section, figures by period, place), and the statements of a document as
such lines, kept: what it says never changes under its id.

The head gives each column its period; a cell's unit is determined by its column, its table, the lines above
it, or the words of its row. Only tables that stand in a primary statement are read (`Chunk.roles`); a report
has some forty such passages."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache, lru_cache, partial
from weakref import WeakKeyDictionary, proxy

from rag.domains.finance.concepts import ReportFacts, report_facts
from rag.domains.finance.figures import heads
from rag.domains.finance.figures.cells import FigureCell, TableRow, fitted, read_cells
from rag.domains.finance.sections import PRIMARY, SCHEDULE
from rag.languages import Patterns
from rag.store.store import Store
from rag.types import Block, BlockKind, Chunk, DocumentInfo, Evidence
from rag.types.tables import heads_text

_RE = Patterns(__file__)
PER_SHARE = _RE["per_share"]
_ABOVE = 900
_PAGE_ABOVE = 3000
_SIGNS = {"$": "USD", "¥": "CNY"}
_MOST_KEPT = 64
Heads = tuple[str, ...]
_ledgers: WeakKeyDictionary[Store, Callable[[int], tuple[TableLine, ...]]] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class Raw:
    """A table row before its columns are known."""

    row: TableRow
    block: Block
    chunk_id: int
    chunk: Chunk
    text: str
    page: int | None

    @property
    def placed(self) -> bool:
        return self.block.table is not None and self.block.table.placed

    @property
    def years(self) -> Mapping[int, str]:
        """The years of a row that has nothing else, by their places: they head the columns below."""
        cells = self.row.cells
        only = bool(cells) and all(_RE["year"].fullmatch(cell.printed) for cell in cells)
        return {cell.place or 0: cell.printed for cell in cells} if only else {}


def label_rows(raws: Sequence[Raw]) -> list[tuple[str, str, bool]]:
    """(label, section, implied) of each row. A row without figures opens a section, or begins a label that
    the next row goes on with; a total closes the section that it names."""
    open_sections: list[str] = []
    begun, above = "", None
    found: list[tuple[str, str, bool]] = []
    for raw in raws:
        label = plain_label(raw.row.label)
        if raw.row.label == "\n" or (raw.block.heads != above and above is not None):
            open_sections, begun = [], ""
        above = raw.block.heads
        if not raw.row.cells or raw.years:
            found.append((label, "", False))
            if label and not _is_head(raw):
                open_sections = [*open_sections[-5:], label]
                begun = raw.row.label
            continue
        if begun and label[:1].islower() and open_sections:
            label = f"{open_sections.pop()} {label}"  # the label began on the line above
        begun = ""
        implied = not label and bool(open_sections)
        if implied:
            label = f"Total {open_sections[-1].rstrip(':：')}"
        section = open_sections[-1].rstrip(":：") if open_sections else ""
        found.append((label, section, implied))
        if implied or _RE["ends_section"].search(label):
            open_sections = _closed(open_sections, label)
    return found


def _is_head(raw: Raw) -> bool:
    """Whether the row is part of the table's head, which stands in its rows too."""
    held = set(re.findall(r"\w+", " ".join(raw.block.heads)))
    return all(word in held for word in re.findall(r"\w+", raw.text))


def _closed(sections: list[str], label: str) -> list[str]:
    """The sections still open behind the row `label`: it closes the last one all of whose words it has."""
    words = set(_RE["word"].findall(label.lower()))
    for n in range(len(sections) - 1, -1, -1):
        own = set(_RE["word"].findall(sections[n].lower()))
        if own and own <= words:
            return sections[:n]
    return sections


def plain_label(label: str) -> str:
    """A label without references to notes and footnote marks, on one line."""
    return " ".join(_RE["reference"].sub(" ", label).split()).strip(" ,;")


@dataclass(frozen=True, slots=True)
class Amount:
    """A cell under its column. `factor` turns what is printed into single units of `unit`."""

    cell: FigureCell
    column: heads.Column
    factor: int = 1
    unit: str = ""


@dataclass(frozen=True, slots=True)
class TableLine:
    """A line of a statement, which stands at `row` of its document. `label` is without notes and footnotes,
    `section` the heading that it stands under; a subtotal without a label is called by its section
    (`implied`). `statement` is the kind of statement ("" for another table); `roles` are all of the
    passage's. `costs_negative`: its statement prints costs in brackets; `title` is the table's."""

    label: str
    section: str
    implied: bool
    amounts: tuple[Amount, ...]
    row: Evidence
    statement: str
    roles: tuple[str, ...] = ()
    costs_negative: bool = False
    title: str = ""


def table_lines(
    store: Store, info: DocumentInfo, chunks: Iterable[tuple[int, Chunk]]
) -> tuple[TableLine, ...]:
    """The lines of these table passages of one document, in order."""
    raws = [raw for i, chunk in chunks for raw in _rows(store, info, i, chunk)]
    facts = report_facts(store.catalogue()).get(info.id)
    if facts is None:
        return ()
    units = _units(store, info, raws)
    columns = _Columns(store, info, raws, facts)
    lines: list[TableLine] = []
    for raw, (label, section, implied) in zip(raws, label_rows(raws), strict=True):
        over, roles = raw.block.heads, raw.chunk.roles
        statement = next((role for role in roles if role in PRIMARY), "")
        if placed := columns.of(raw, instant=statement == "balance"):
            amounts = tuple(_amount(c, k, units[over], label, section) for c, k in placed)
            row = Evidence(
                0, info, raw.chunk_id, raw.block.start, raw.block.end, raw.text, 0.0, raw.page,
                raw.chunk.heading_path, over, raw.block.location or raw.chunk.location,
                raw.block.placed_cells(raw.block.start, raw.block.end),
            )  # fmt: skip
            title = raw.block.table.title if raw.block.table else ""
            lines.append(TableLine(label, section, implied, amounts, row, statement, roles, title=title))
    return _with_signs(lines)


class _Columns:
    """The columns that the figures of rows stand in. A cell of a table stands under its head and under no
    other; of lines without columns, and where no column has a head, the order of the figures decides."""

    def __init__(self, store: Store, info: DocumentInfo, raws: Sequence[Raw], facts: ReportFacts) -> None:
        self._store, self._info, self._facts = store, info, facts
        counts: defaultdict[Heads, Counter[int]] = defaultdict(Counter)
        for raw in raws:
            counts[raw.block.heads][len(raw.row.cells)] += bool(raw.row.cells and not raw.years)
        self._widths = {h: max(c, key=lambda n: (c[n], n)) for h, c in counts.items()}
        self._read = cache(self._columns)
        self._below: tuple[Heads, Mapping[int, str]] = (), {}
        self._above: dict[int | None, tuple[str, ...]] = {}

    def of(self, raw: Raw, *, instant: bool) -> list[tuple[FigureCell, heads.Column]]:
        """Each figure of a row with its column; those that stand under none are left out."""
        cells, over = raw.row.cells, raw.block.heads
        if raw.years:
            self._below = over, raw.years
        if not cells or raw.years:
            return []
        years = self._below[1] if self._below[0] == over else {}
        if raw.placed and (years or any(over[1:])):
            found = self._read(_with_years(over, years), True, instant)
            return [(c, found[c.place - 1]) for c in cells if c.place and c.place <= len(found)]
        found = self._read(over, False, instant)
        kept = fitted(cells, len(found))
        pairs = list(zip(kept, found, strict=True)) if kept else []
        if not any(column.year and not column.inferred for _, column in pairs):
            # The periods above the table on its page, where the row has as many figures.
            above = heads.read_columns("", self._periods(raw), self._facts, instant=instant)
            if len(cells) == len(above) > 1 and all(c.year for c in above):
                return list(zip(cells, above, strict=True))
        return pairs

    def _columns(self, over: Heads, placed: bool, instant: bool) -> tuple[heads.Column, ...]:
        common, own = (over[0], over[1:]) if placed else heads.split_head(over, self._widths[over])
        return heads.read_columns(common, own, self._facts, instant=instant)

    def _periods(self, raw: Raw) -> tuple[str, ...]:
        if raw.page not in self._above:
            end = raw.block.start
            text = self._store.text(self._info.id, max(0, end - _PAGE_ABOVE), end)
            self._above[raw.page] = heads.period_heads(text)
        return self._above[raw.page]


def _with_years(over: Heads, years: Mapping[int, str]) -> Heads:
    """The heads with the years below them; one head over all of those holds for all columns."""
    if not years:
        return over
    shared = {over[n] for n in years if n < len(over)} - {""}
    own = [years.get(n, over[n] if n < len(over) else "") for n in range(max(len(over), *years, 0) + 1)]
    if len(shared) > 1:
        own = [
            f"{over[n] if n in years and n < len(over) else ''} {head}".strip() for n, head in enumerate(own)
        ]
    return " ".join((*over[:1], *(shared if len(shared) == 1 else ()))), *own[1:]


def _rows(store: Store, info: DocumentInfo, chunk_id: int, chunk: Chunk) -> Iterable[Raw]:
    for block in store.blocks(info.id, chunk.start, chunk.end):
        if block.start < chunk.start or block.end > chunk.end:
            continue
        text = chunk.text[block.start - chunk.start : block.end - chunk.start]
        # At a heading the sections of the table before end.
        row = read_cells(block, text) if block.kind is BlockKind.TABLE_ROW else TableRow("\n", ())
        page = chunk.page if chunk.page == chunk.last_page else store.page_at(info.id, block.start)
        yield Raw(row, block, chunk_id, chunk, text, page)


def _units(store: Store, info: DocumentInfo, raws: Sequence[Raw]) -> dict[Heads, heads.ColumnUnit]:
    """The unit of each head: its own, else that of the lines above the table, else the usual one of the
    document's statements."""
    found: dict[Heads, heads.ColumnUnit] = {}
    for raw in raws:
        over = raw.block.heads
        if over in found:
            continue
        unit = heads.read_unit(heads_text(over))
        if not unit.stated:
            above = store.text(info.id, max(0, raw.block.start - _ABOVE), raw.block.start)
            near = heads.read_unit(heads.units_sentence(above))
            unit = replace(near, currency=unit.currency or near.currency) if near.stated else unit
        found[over] = unit
    stated = Counter(unit for unit in found.values() if unit.stated)
    money = Counter(cell.currency for raw in raws for cell in raw.row.cells if cell.currency)
    currency = next((u.currency for u in stated if u.currency), "") or max(
        money, key=money.__getitem__, default=""
    )
    currency = _SIGNS.get(currency, currency)
    usual = stated.most_common(1)[0][0] if stated else heads.ColumnUnit()
    return {h: replace(u if u.stated else usual, currency=u.currency or currency) for h, u in found.items()}


def _amount(
    cell: FigureCell, column: heads.Column, unit: heads.ColumnUnit, label: str, section: str
) -> Amount:
    words = f"{section} {label}"
    own = column.unit or unit
    currency = _SIGNS.get(cell.currency, cell.currency) or own.currency or unit.currency
    if cell.percent or (
        _RE["ratio"].search(words) and not cell.currency and abs(cell.value or Decimal(0)) < 1000
    ):
        return Amount(cell, column, 1, "%" if cell.percent or "%" in words else "")
    counted = _RE["shares"].search(label) or (_RE["shares"].search(section) and not PER_SHARE.search(label))
    if counted and not cell.currency:
        return Amount(cell, column, own.shares, "shares")
    if cell.scaled or PER_SHARE.search(words):
        return Amount(cell, column, 1, currency)
    return Amount(cell, column, own.factor, currency)


def _with_signs(lines: list[TableLine]) -> tuple[TableLine, ...]:
    """Marks the lines of statements that print costs in brackets."""
    votes: Counter[Heads] = Counter()
    for line in lines:
        if line.statement == "income" and _RE["cost"].search(line.label):
            first = next((a.cell.value for a in line.amounts if a.cell.value and not a.column.change), None)
            votes[line.row.heads] += 0 if first is None else (1 if first < 0 else -1)
    return tuple(replace(line, costs_negative=votes[line.row.heads] > 0) for line in lines)


def ledger(store: Store, document_id: int) -> tuple[TableLine, ...]:
    """The lines with figures of the document's primary statements, in order; () for one without."""
    if store not in _ledgers:
        _ledgers[store] = lru_cache(maxsize=_MOST_KEPT)(partial(_read, proxy(store)))
    return _ledgers[store](document_id)


def _read(store: Store, document_id: int) -> tuple[TableLine, ...]:
    roles = store.roles([document_id])
    wanted = [i for i, stands in sorted(roles.items()) if not set(PRIMARY).isdisjoint(stands)]
    found = [(i, chunk) for i, _, chunk in store.chunks(wanted) if chunk.kind == "table"]
    # Columns of a statement of equity are its parts, not periods.
    found = [(i, chunk) for i, chunk in found if not {SCHEDULE, "equity"} & set(chunk.roles)]
    return table_lines(store, store.document(document_id), found)
