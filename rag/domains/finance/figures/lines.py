"""Rows of tables as lines (label, section, figures by period, place), and the statements of a document as
such lines, kept: what it says never changes under its id.

A cell stands under its column's head, which gives the period, and under no other. Its unit is its own, its
column's or its table's, else that which most of the document's tables state. Only tables that stand in a
primary statement are read (`Chunk.roles`); a report has some forty such passages."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache, lru_cache, partial
from weakref import WeakKeyDictionary, proxy

from rag.domains.finance.concepts import report_facts
from rag.domains.finance.figures.cells import (
    Column,
    ColumnUnit,
    FigureCell,
    read_cells,
    read_columns,
    read_unit,
    units_sentence,
)
from rag.domains.finance.sections import PRIMARY, SCHEDULE
from rag.languages import Patterns
from rag.store.store import Store
from rag.types import Block, BlockKind, Chunk, DocumentInfo, Evidence
from rag.types.tables import heads_text

_RE = Patterns(__file__)
PER_SHARE = _RE["per_share"]
_SIGNS = {"$": "USD", "¥": "CNY"}
_MOST_KEPT = 64
_ABOVE = 900
Heads = tuple[str, ...]
_ledgers: WeakKeyDictionary[Store, Callable[[int], tuple[TableLine, ...]]] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class _Row:
    """A table row before its columns are known, under `heads`; what stands between tables has no `label`."""

    label: str | None
    cells: tuple[FigureCell, ...]
    heads: Heads
    block: Block
    chunk_id: int
    chunk: Chunk
    text: str


def _labels(rows: Sequence[_Row]) -> Iterator[tuple[str, str, bool]]:
    """(label, section, implied) of each row. A row without figures opens a section; a total closes the
    last."""
    sections: list[str] = []
    above = None
    for row in rows:
        label = plain_label(row.label or "")
        if row.label is None or row.heads != above:
            sections = []
        above = row.heads
        if not row.cells:
            sections = [*sections[-5:], *filter(None, [label])]
            yield label, "", False
            continue
        section = sections[-1].rstrip(":：") if sections else ""
        implied = not label and bool(section)
        label = f"Total {section}" if implied else label
        yield label, section, implied
        if implied or _RE["ends_section"].search(label):
            sections = sections[:-1]


def plain_label(label: str) -> str:
    """A label without references to notes and footnote marks, on one line."""
    return " ".join(_RE["reference"].sub(" ", label).split()).strip(" ,;")


@dataclass(frozen=True, slots=True)
class Amount:
    """A cell under its column. `factor` turns what is printed into single units of `unit`."""

    cell: FigureCell
    column: Column
    factor: int = 1
    unit: str = ""


@dataclass(frozen=True, slots=True)
class TableLine:
    """A line of a statement, which stands at `row` of its document. `label` is without notes and footnotes,
    `section` the heading that it stands under; a subtotal without a label is called by its section
    (`implied`). `statement` is the kind of statement ("" for another table); `roles` are all of the
    passage's. `title` is the table's."""

    label: str
    section: str
    implied: bool
    amounts: tuple[Amount, ...]
    row: Evidence
    statement: str
    roles: tuple[str, ...] = ()
    title: str = ""


def table_lines(
    store: Store, info: DocumentInfo, chunks: Iterable[tuple[int, Chunk]]
) -> tuple[TableLine, ...]:
    """The lines of these table passages of one document, in order."""
    facts = report_facts(store.catalogue()).get(info.id)
    if facts is None:
        return ()
    rows = list(_rows(store, info, chunks))
    units = _units(store, info, rows)
    columns = cache(lambda over, instant: read_columns(over[0], over[1:], facts, instant=instant))
    lines: list[TableLine] = []
    for row, (label, section, implied) in zip(rows, _labels(rows), strict=True):
        block, chunk, over = row.block, row.chunk, row.heads
        if not row.cells or not any(over[1:]):
            continue
        statement = next((role for role in chunk.roles if role in PRIMARY), "")
        found = columns(over, statement == "balance")
        amounts = tuple(
            _amount(cell, found[cell.place - 1], units[over], label, section)
            for cell in row.cells
            if cell.place <= len(found)
        )
        page = chunk.page if chunk.page == chunk.last_page else store.page_at(info.id, block.start)
        evidence = Evidence(
            0, info, row.chunk_id, block.start, block.end, row.text, 0.0, page, chunk.heading_path,
            block.heads, block.location or chunk.location, block.cells,
        )  # fmt: skip
        title = block.table.title if block.table else ""
        lines.append(TableLine(label, section, implied, amounts, evidence, statement, chunk.roles, title))
    return tuple(lines)


def _rows(store: Store, info: DocumentInfo, chunks: Iterable[tuple[int, Chunk]]) -> Iterator[_Row]:
    """The rows of the tables of passages. Rows of years alone, and the words over them, are heads."""
    over: Heads = ()
    below: Heads = ()
    for chunk_id, chunk in chunks:
        for block in store.blocks(info.id, chunk.start, chunk.end):
            if block.start < chunk.start or block.end > chunk.end:
                continue
            text = chunk.text[block.start - chunk.start : block.end - chunk.start]
            if block.kind is not BlockKind.TABLE_ROW or not block.table or not block.table.placed:
                yield _Row(None, (), (), block, chunk_id, chunk, text)
                continue
            if block.heads != over:
                over = below = block.heads
            label, cells = read_cells(block, text)
            if cells and all(_RE["year"].fullmatch(cell.printed) for cell in cells):
                below = _with_years(over, label, {cell.place: cell.printed for cell in cells})
            elif not cells and text.startswith("|"):
                below = (f"{below[0]} {label}", *below[1:]) if text.count("|") < 3 and below else below
            elif not _is_head(text, over):
                yield _Row(label, cells, below, block, chunk_id, chunk, text)


def _with_years(over: Heads, label: str, years: Mapping[int, str]) -> Heads:
    """The heads with a row of years below them; one head over all of those holds for all columns."""
    held = [over[n] if n < len(over) else "" for n in range(max(len(over), *(n + 1 for n in years)))]
    shared = {held[n] for n in years} - {""}
    common = " ".join((held[0], label, *(shared if len(shared) == 1 else ())))
    own = [
        f"{head if len(shared) > 1 else ''} {years[n]}" if n in years else head for n, head in enumerate(held)
    ]
    return common, *own[1:]


def _is_head(text: str, over: Sequence[str]) -> bool:
    """Whether a row is part of its table's head, which may stand in its rows too."""
    return {*re.findall(r"\w+", text)} <= {*re.findall(r"\w+", " ".join(over))}


def _units(store: Store, info: DocumentInfo, rows: Sequence[_Row]) -> dict[Heads, ColumnUnit]:
    """The unit of each table by its heads: its own, else that of the lines above it, else the usual one of
    the document's tables."""
    found: dict[Heads, ColumnUnit] = {}
    for row in rows:
        if row.heads not in found and row.block.table:
            unit = read_unit(f"{row.block.table.title}\n{heads_text(row.heads)}")
            if not unit.stated:
                above = store.text(info.id, max(0, row.block.start - _ABOVE), row.block.start)
                near = read_unit(units_sentence(above))
                unit = replace(near, currency=unit.currency or near.currency) if near.stated else unit
            found[row.heads] = unit
    stated = Counter(unit for unit in found.values() if unit.stated)
    money = Counter(cell.currency for row in rows for cell in row.cells if cell.currency)
    currency = next((u.currency for u in stated if u.currency), "") or max(
        money, key=money.__getitem__, default=""
    )
    currency = _SIGNS.get(currency, currency)
    usual = stated.most_common(1)[0][0] if stated else ColumnUnit()
    return {h: replace(u if u.stated else usual, currency=u.currency or currency) for h, u in found.items()}


def _amount(cell: FigureCell, column: Column, unit: ColumnUnit, label: str, section: str) -> Amount:
    words = f"{section} {label}"
    own = column.unit or unit
    currency = _SIGNS.get(cell.currency, cell.currency) or own.currency or unit.currency
    if cell.percent or (
        _RE["ratio"].search(words) and not cell.currency and abs(cell.value or Decimal(0)) < 1000
    ):
        return Amount(cell, column, 1, "%" if cell.percent or "%" in words else "")
    counted = _RE["shares"].search(f"{label} | {column.text}") or (
        _RE["shares"].search(section) and not PER_SHARE.search(label)
    )
    if counted and not cell.currency:
        return Amount(cell, column, own.shares, "shares")
    if cell.scaled or PER_SHARE.search(words):
        return Amount(cell, column, 1, currency)
    return Amount(cell, column, own.factor, currency)


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
