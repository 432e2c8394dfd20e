"""Questions over the rows of a table: the highest and the lowest, totals, averages, counts, shares, the rows
that pass a bound, the group with the most rows.

What is asked is read from its words where these leave no doubt: the operation, the column by its head,
filters by cells that the question names and by values that bound a column. Every other word has to be one of
the title, the headings or the heads. Rows that sum up others are left out. The rows are found by a query that
`rag.answers.guarded` runs; numbers are worked out exactly from their cells."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from rag.answers.choosing import RowQuestion, given
from rag.answers.grid import GridRow, HeldWords, RowGrid, TypedColumn, grids, typed_columns
from rag.answers.guarded import TABLE, Cellular, run_select
from rag.domains.finance.figures import Computed
from rag.facts.quantity import Kind, as_written
from rag.facts.values import Range
from rag.languages import patterns, say
from rag.languages.text import search_tokens
from rag.questions.query import Query
from rag.store.store import Store
from rag.types import Calculation, Figure, Hit

_RE = patterns("rows")
_MOST_NAMED = 12
_MOST_CITED = 8
_FEW = 3


class RowOperation(StrEnum):
    """What is done with the rows; the first whose words a question holds."""

    SHARE = "share"
    AVERAGE = "average"
    COUNT = "count"
    HIGHEST = "highest"
    LOWEST = "lowest"
    TOTAL = "total"
    FILTER = "filter"


@dataclass(frozen=True, slots=True)
class RowFilter:
    """A condition that rows have to pass: SQL with question marks, and the same in the table's words."""

    sql: str
    parameters: tuple[Cellular, ...]
    words: str


@dataclass(frozen=True, slots=True)
class RowQuery:
    """A question over one table: what is done, with which column (None: with the rows themselves), of the
    rows that pass the filters, each named by its cell of the column `label`."""

    operation: RowOperation
    column: TypedColumn | None
    label: TypedColumn
    filters: tuple[RowFilter, ...] = ()
    share_of: tuple[RowFilter, ...] = ()
    group: bool = False


def find_over_rows(query: Query, hits: Sequence[Hit], store: Store) -> Computed | None:
    """What a question over rows comes to; None for any other question, and where no table, or more than one
    with different results, is surely the one that is asked about."""
    operation = next((one for one in RowOperation if _RE[one].search(query.text)), None)
    if operation is None or query.withdrawn or query.questions:
        return None
    found: dict[str, tuple[int, Computed]] = {}
    text = query.text if operation is RowOperation.FILTER else _RE[operation].sub(" ", query.text)
    text = _RE["listed"].sub(" ", text) if operation is RowOperation.COUNT else text
    asked = given(replace(query, text=text))
    for grid in grids(hits, store, whole=True):
        rows = [row for row in grid.rows if not row.total and sum(map(bool, row.texts)) > 1]
        columns = typed_columns(grid, rows) if len(rows) > 1 else ()
        planned = _plan(operation, asked, grid, columns)
        if planned and (result := _Run(planned, grid, rows, columns, query.language).result()):
            held = sum(grid.about.hold(w) for w in asked.words)
            found.setdefault(result.sentences[0][0], (held, result))
    most = max((held for held, _ in found.values()), default=0)
    best = [result for held, result in found.values() if held == most]
    return best[0] if len(best) == 1 else None


# --- What is asked of a table


def _plan(
    operation: RowOperation, asked: RowQuestion, grid: RowGrid, columns: Sequence[TypedColumn]
) -> RowQuery | None:
    texts = [c for c in columns if not c.values and c.head and any(c.cells)]
    if not texts:
        return None
    heads = {c.number: HeldWords(c.head) for c in columns}
    named = {c.number: _named_cells(asked, c) for c in texts}
    chosen = [c for c in texts if named[c.number]]
    if not all(map(all, (c.cells for c in chosen))):
        return None  # whose an unnamed row is, is not known
    filters = [_equal(c, named[c.number]) for c in chosen]
    inside = HeldWords(*(cell for cells in named.values() for cell in cells))
    if asked.unheld(grid.about, inside):
        return None
    left = [w for w in asked.words if not inside.hold(w)]
    bounds = _bounds(asked, columns, heads, left)
    if bounds is None or (operation is RowOperation.FILTER) != bool(bounds):
        return None
    filters += bounds
    label = max(texts, key=lambda c: (sum(map(heads[c.number].hold, left)), len(set(c.cells)), -c.number))
    nouns = [c for c in texts if any(heads[c.number].hold(w) for w in left)]
    entity = _entity(texts, nouns, len(texts[0].cells))
    match operation:
        case RowOperation.FILTER:
            return RowQuery(operation, None, entity, tuple(filters)) if nouns else None
        case RowOperation.COUNT:
            return _counting(asked, grid, columns, texts, heads, tuple(filters), entity)
    column = _measured(asked, columns, heads, left)
    if operation is RowOperation.SHARE:
        return RowQuery(operation, column, entity, (), tuple(filters)) if column and filters else None
    if column is None and operation is RowOperation.HIGHEST and len(nouns) > 1:
        return _group(asked, nouns, tuple(filters))
    ends = operation in (RowOperation.HIGHEST, RowOperation.LOWEST)
    if column is None or (column.dated and not ends):
        return None
    by_year = not any(c.isalpha() for w in left if heads[column.number].hold(w) for c in w)
    if by_year and (not ends or not nouns):
        return None  # of a statement's year a sum over all of its lines is none
    if ends and not (nouns or _RE["who"].search(asked.query.text)):
        return None
    return RowQuery(operation, column, label if label in nouns else entity, tuple(filters))


def _entity(texts: Sequence[TypedColumn], nouns: Sequence[TypedColumn], rows: int) -> TypedColumn:
    """The column that names a row: one that the question names, if it tells rows apart, else the first that
    does."""
    apart = [c for c in (*nouns, *texts) if len(set(c.cells)) == rows]
    return (apart or list(nouns) or list(texts))[0]


def _named_cells(asked: RowQuestion, column: TypedColumn) -> tuple[str, ...]:
    """The cells of a column that the question names, without those that are part of another one."""
    head = HeldWords(column.head)
    cells = dict.fromkeys(c for c in column.cells if c)
    named = [c for c in cells if asked.names(c) and not all(map(head.hold, search_tokens(c)))]
    return tuple(c for c in named if not any(c != other and c in other for other in named))


def _equal(column: TypedColumn, cells: Sequence[str]) -> RowFilter:
    places = ", ".join("?" * len(cells))
    return RowFilter(f"c{column.number} IN ({places})", tuple(cells), f"{column.head} {' / '.join(cells)}")


def _bounds(
    asked: RowQuestion, columns: Sequence[TypedColumn], heads: Mapping[int, HeldWords], words: Sequence[str]
) -> list[RowFilter] | None:
    """The values of the question as bounds of columns; None where one of them fits none surely."""
    found = []
    for value in asked.values:
        if not isinstance(value, Range):
            return None
        fitting = [c for c in columns if c.counts and _in_unit(value, c) is not None]
        held = {c.number: sum(map(heads[c.number].hold, words)) for c in fitting}
        best = [c for c in fitting if held[c.number] and held[c.number] == max(held.values())]
        if len(best) != 1 or (limits := _in_unit(value, best[0])) is None:
            return None
        name, sql = f"c{best[0].number}", []
        if limits[0] is not None:
            sql.append(f"{name} {'>=' if value.low_in else '>'} {limits[0]}")
        if limits[1] is not None:
            sql.append(f"{name} {'<=' if value.high_in else '<'} {limits[1]}")
        found.append(RowFilter(" AND ".join(sql), (), f"{best[0].head} {value.text}"))
    return found


def _in_unit(value: Range, column: TypedColumn) -> tuple[Decimal | None, Decimal | None] | None:
    """The ends of a range in the unit of a column; None where it is of another kind."""
    ends: list[Decimal | None] = []
    for end in (value.low, value.high):
        if end is None:
            ends.append(None)
            continue
        unit = column.unit
        if column.percent != (end.kind is Kind.SHARE):
            return None
        if end.kind in (Kind.NUMBER, Kind.SHARE):
            plain = as_written(end).value
        elif unit is None or (unit.kind, unit.unit) != (end.kind, end.unit) or not unit.value:
            return None
        else:
            plain = end.value / unit.value
        ends.append(Decimal(plain.numerator) / Decimal(plain.denominator))
    return ends[0], ends[1]


def _measured(
    asked: RowQuestion, columns: Sequence[TypedColumn], heads: Mapping[int, HeldWords], words: Sequence[str]
) -> TypedColumn | None:
    """The column of numbers or dates whose head the question names; the only one of prices for "cheapest"."""
    counted = [c for c in columns if c.values]
    held = {c.number: sum(map(heads[c.number].hold, words)) for c in counted}
    best = [c for c in counted if held[c.number] and held[c.number] == max(held.values())]
    if not best and _RE["priced_most"].search(asked.query.asked):
        best = [c for c in counted if c.unit is not None and c.unit.kind is Kind.MONEY]
    return best[0] if len(best) == 1 else None


def _counting(
    asked: RowQuestion,
    grid: RowGrid,
    columns: Sequence[TypedColumn],
    texts: Sequence[TypedColumn],
    heads: Mapping[int, HeldWords],
    filters: tuple[RowFilter, ...],
    entity: TypedColumn,
) -> RowQuery | None:
    """How many: different cells of the column that the noun behind it names, or the sum of a column of
    numbers that it names."""
    match = _RE["how_many"].search(asked.query.asked)
    noun = search_tokens(match["noun"]) if match and match["noun"] else list(asked.words)
    named = [c for c in columns if any(map(heads[c.number].hold, noun))]
    if len(named) > 1:
        named = [c for c in named if c in texts]
    if not named and noun and all(map(grid.about.hold, noun)) and _RE["listed"].search(asked.query.asked):
        named = [entity]  # "bonds in the portfolio", of a table that is called so
    if len(named) != 1 or named[0].dated:
        return None
    operation = RowOperation.TOTAL if named[0].counts else RowOperation.COUNT
    return RowQuery(operation, named[0], entity, filters)


def _group(
    asked: RowQuestion, nouns: Sequence[TypedColumn], filters: tuple[RowFilter, ...]
) -> RowQuery | None:
    """Which city has the most suppliers: the rows by the column named first."""
    words = search_tokens(asked.query.text)
    places = {c.number: [*map(HeldWords(c.head).hold, words), True].index(True) for c in nouns}
    first, second, *_ = sorted(nouns, key=lambda c: places[c.number])
    distinct = len(set(second.cells)) == len(second.cells) and len(set(first.cells)) < len(first.cells)
    return RowQuery(RowOperation.COUNT, second, first, filters, group=True) if distinct else None


# --- What comes of it


@dataclass(frozen=True, slots=True)
class _Run:
    """A query over the rows of a table, and what it comes to in a language."""

    query: RowQuery
    grid: RowGrid
    rows: Sequence[GridRow]
    columns: Sequence[TypedColumn]
    language: str

    @property
    def how(self) -> list[str]:
        """The filters in the table's words."""
        return [one.words for one in (*self.query.filters, *self.query.share_of)]

    def result(self) -> Computed | None:
        query, column = self.query, self.query.column
        if not (passing := self._passing(query.filters)):
            return None
        if query.group:
            return self._grouped(passing)
        if column is None or query.operation in (RowOperation.COUNT, RowOperation.FILTER):
            return self._counted(passing)
        values = {n: value for n in passing if (value := column.values[n]) is not None}
        if not values:
            return None
        match query.operation:
            case RowOperation.SHARE:
                return self._share(column, values)
            case RowOperation.HIGHEST | RowOperation.LOWEST:
                return self._extreme(column, values)
        return self._sum(column, values)

    def _passing(self, filters: Sequence[RowFilter]) -> list[int]:
        """The numbers of the rows that pass."""
        where = " AND ".join(f"({one.sql})" for one in filters)
        if not where:
            return list(range(len(self.rows)))
        table = [tuple(one.stored(n) for one in self.columns) for n in range(len(self.rows))]
        found = run_select(
            f"SELECT id FROM {TABLE} WHERE {where} ORDER BY id",
            table,
            tuple(parameter for one in filters for parameter in one.parameters),
            most=len(table),
        )
        return [int(i) for (i,) in found if i is not None]

    def _extreme(self, column: TypedColumn, values: Mapping[int, Decimal]) -> Computed | None:
        highest = self.query.operation is RowOperation.HIGHEST
        end = (max if highest else min)(values.values())
        chosen = [n for n, value in values.items() if value == end]
        named = [f"{self.query.label.cells[n]} ({column.cells[n]})" for n in chosen]
        line = say(
            "answers.extreme", self.language, most=highest, head=column.head, rows=named, count=len(values),
            how=self.how,
        )  # fmt: skip
        return self._computed(chosen, line, end, column.cells[chosen[0]]) if len(chosen) <= _FEW else None

    def _sum(self, column: TypedColumn, values: Mapping[int, Decimal]) -> Computed | None:
        average = self.query.operation is RowOperation.AVERAGE
        if column.dated or (column.percent and not average):
            return None
        total = sum(values.values(), Decimal(0)) / (len(values) if average else 1)
        printed = column.printed(total, 2 if average else 0)
        line = say(
            "answers.sum", self.language, average=average, head=column.head, value=printed,
            count=len(values), how=self.how,
        )  # fmt: skip
        return self._computed(list(values), line, total, printed)

    def _share(self, column: TypedColumn, values: Mapping[int, Decimal]) -> Computed | None:
        part = [n for n in self._passing(self.query.share_of) if n in values]
        total, own = (sum((values[n] for n in rows), Decimal(0)) for rows in (values, part))
        if not column.counts or column.percent or min(values.values()) < 0 or not total or not part:
            return None
        share = f"{own / total * 100:.1f}%"
        line = say(
            "answers.share", self.language, share=share, head=column.head, how=self.how,
            own=column.printed(own), total=column.printed(total), count=len(values),
        )  # fmt: skip
        return self._computed(part, line, own / total * 100, share)

    def _grouped(self, passing: Sequence[int]) -> Computed | None:
        label = self.query.label
        sizes = Counter(label.cells[n] for n in passing if label.cells[n])
        most = max(sizes.values(), default=0)
        first = [name for name, size in sizes.items() if size == most]
        chosen = [n for n in passing if label.cells[n] in first]
        line = say(
            "answers.group", self.language, head=label.head, names=first, size=most, count=len(passing),
            how=self.how,
        )  # fmt: skip
        return self._computed(chosen, line, Decimal(most), str(most)) if len(first) <= _FEW else None

    def _counted(self, passing: Sequence[int]) -> Computed:
        named = self.query.column or self.query.label
        names = list(dict.fromkeys(named.cells[n] for n in passing if named.cells[n]))
        line = say(
            "answers.count", self.language, count=len(names), of=len({cell for cell in named.cells if cell}),
            head=named.head, how=self.how, names=names, listed=len(names) <= _MOST_NAMED,
        )  # fmt: skip
        return self._computed(passing, line, Decimal(len(names)), str(len(names)))

    def _computed(self, chosen: Sequence[int], line: str, value: Decimal, printed: str) -> Computed:
        """The answer, with the rows that it rests on: all of a few, of many the first and the last."""
        cited = chosen if len(chosen) <= _MOST_CITED else [*chosen[:_FEW], chosen[-1]]
        evidence = tuple(self.grid.evidence(self.rows[n], at) for at, n in enumerate(cited, 1))
        head = (self.query.column or self.query.label).head
        formula = say(
            "answers.query", self.language, what=self.query.operation.value, how=self.how,
            count=len(self.rows), path=self.grid.hit.document.path,
            place=self.grid.table.location if self.grid.table else "",
        )  # fmt: skip
        working = Calculation(head, formula, (), Figure(head, value, printed=printed))
        return Computed(evidence, (working,), ((line, tuple(range(1, len(evidence) + 1))),))
