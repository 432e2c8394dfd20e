"""Questions over the rows of a table, as values: what is worked out of the rows that pass some filters, by
which column, in groups, in order; and what of that a question asks for, where its words leave no doubt.

Cells that the question names, values and dates that bound a column are filters; a head that it names is the
column. Every other word has to be one of the title, the headings or the heads. `rag.answers.results` runs a
query, whoever made it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from rag.answers.choosing import RowQuestion, given
from rag.answers.filters import RowFilter, bounded, days_in, equal_to, limits_in, only_year, year_of
from rag.answers.grid import HeldWords, RowGrid, TypedColumn
from rag.answers.guarded import TABLE, Cellular
from rag.facts.numerals import fold, numerals
from rag.facts.quantity import Kind
from rag.facts.values import Range, Value, read
from rag.languages import patterns
from rag.languages.text import letters, search_tokens
from rag.questions.query import Query

_RE = patterns("rows")
_MOST_RANK = 20
_BRACKETS = re.compile(r"[(（\[].*")


class RowAggregate(StrEnum):
    """What is worked out of the rows; the first whose words a question holds."""

    SHARE = "share"
    AVERAGE = "average"
    COUNT = "count"
    TOTAL = "total"
    ROWS = "rows"


@dataclass(frozen=True, slots=True)
class RowQuery:
    """A question over one table: what is worked out, of which column (None: of the rows themselves), over the
    rows that pass the filters, each named by its cell of the column `label`, or for each cell of `group`.
    `order` is 1 for the highest first, -1 for the lowest, 0 for all in their order; `ranks` are the first and
    the last place that is asked for. A share is that of the rows that pass."""

    aggregate: RowAggregate
    column: TypedColumn | None
    label: TypedColumn
    filters: tuple[RowFilter, ...] = ()
    group: TypedColumn | None = None
    order: int = 0
    ranks: tuple[int, int] = (1, 1)


@dataclass(frozen=True, slots=True)
class RowCues:
    """What the wording of a question asks for over rows, before any table is looked at: see `RowQuery`.
    `asked` is the rest of it without its `dates`; `grouped` what stands behind "by" or "each", None where
    nothing is."""

    aggregate: RowAggregate
    order: int
    ranks: tuple[int, int]
    listed: bool
    grouped: str | None
    asked: RowQuestion
    dates: tuple[Value, ...]


def cues_of(query: Query) -> RowCues | None:
    """None for a question that asks for nothing over rows, or for two ends at once."""
    text = query.text
    ordered = [sign for sign, key in ((1, "highest"), (-1, "lowest")) if _RE[key].search(text)]
    first, last = 1, 1
    if top := _RE["top"].search(text):
        numbers = numerals(fold(next(filter(None, top.groups()), "")))
        last, ordered = int(numbers[0].value) if numbers else 1, ordered or [1]
    elif (nth := _RE["nth"].search(text)) and nth.lastgroup:
        first = last = int(nth.lastgroup[1:])
    aggregate = next((a for a in RowAggregate if a in _RE and _RE[a].search(text)), RowAggregate.ROWS)
    grouped, listed = _RE["grouped"].search(text), bool(_RE["filter"].search(text))
    nothing = aggregate is RowAggregate.ROWS and not (ordered or grouped or listed)
    if nothing or len(ordered) > 1 or last > _MOST_RANK:
        return None
    keys = ["top", "nth", "highest", "lowest"] if ordered else []
    keys += [aggregate] if aggregate in _RE else []
    keys += ["total"]
    rest = text if not grouped else f"{text[: grouped.start()]} {text[grouped.end() :]}"
    for key in keys:
        rest = _RE[key].sub(" ", rest)
    rest = _RE["listed"].sub(" ", rest) if aggregate is RowAggregate.COUNT else rest
    values = read(rest)
    dates = tuple(v for v in values if v.kind is Kind.DATE or year_of(v) is not None)
    for v in reversed(dates):
        rest = f"{rest[: v.start]} {rest[v.end :]}"
    asked = given(replace(query, text=rest))
    behind = text[grouped.end() :] if grouped else None
    return RowCues(aggregate, sum(ordered), (first, last), listed, behind, asked, dates)


def asks_which(query: Query) -> bool:
    """Whether the question is which of several things is the first: a figure of the whole is none of them."""
    noun = _RE["asked_noun"].search(query.text)
    ends = _RE["highest"].search(query.text) or _RE["lowest"].search(query.text)
    return bool(noun and ends and not _RE["timed"].fullmatch(noun["noun_a"] or noun["noun_b"]))


@dataclass(frozen=True, slots=True)
class AskedTable:
    """A table as a question speaks of it: its columns, the words of its heads, the cells that are named, as
    filters, and the `words` of the question that are not theirs, but may be of heads."""

    cues: RowCues
    grid: RowGrid
    texts: tuple[TypedColumn, ...]
    heads: Mapping[int, HeldWords]
    named: Mapping[int, tuple[str, ...]]
    words: tuple[str, ...]
    unheld: tuple[str, ...]

    @property
    def columns(self) -> tuple[TypedColumn, ...]:
        return self.grid.body.typed.columns

    @property
    def counted(self) -> list[TypedColumn]:
        """The columns of numbers."""
        return [c for c in self.columns if c.measured and c.counts]

    def said(self, column: TypedColumn) -> tuple[int, float]:
        """How many words of the question its head holds, and how much of it these are."""
        held = [w for w in self.words if self.heads[column.number].hold(w)]
        return len(held), len("".join(held)) / len(letters(_BRACKETS.sub("", column.head)) or "-")

    def best(self, columns: Sequence[TypedColumn]) -> list[TypedColumn]:
        """Those whose heads hold most of the question's words, if any."""
        most = max(map(self.said, columns), default=(0, 0.0))
        return [c for c in columns if most[0] and self.said(c) == most]

    @property
    def nouns(self) -> list[TypedColumn]:
        """The columns of words that the question names, as it does in its order."""
        said = search_tokens(self.cues.asked.query.text)
        at = {c.number: [*map(self.heads[c.number].hold, said), True].index(True) for c in self.texts}
        return sorted((c for c in self.texts if self.said(c)[0]), key=lambda c: at[c.number])

    def label(self, nouns: Sequence[TypedColumn]) -> TypedColumn:
        """What names a row: a column that the question names, if it tells rows apart, else the first that
        does."""
        apart = [c for c in (*nouns, *self.texts) if c.apart]
        return (apart or list(nouns) or list(self.texts))[0]


def asked_table(cues: RowCues, grid: RowGrid) -> AskedTable | None:
    """None for a table without words or rows to choose from, and where a cell that is named stands in two
    columns alike."""
    if not grid.heads or len(grid.body.typed.rows) < 2:
        return None
    table, asked = grid.body.typed, cues.asked
    texts = tuple(c for c in table.columns if not c.measured and c.head and c.filled)
    if not texts:
        return None
    heads = {c.number: HeldWords(c.head) for c in table.columns}
    found = [(c, cell) for c in texts for cell in _named_cells(asked, c, grid, heads[c.number])]
    found = [(c, x) for c, x in found if not any(x != o and x.lower() in o.lower() for _, o in found)]
    by = {x: [c for c, y in found if y == x] for _, x in found}
    for cell, columns in by.items():
        told = [c for c in columns if any(map(heads[c.number].hold, asked.words))] or columns
        if len(told) > 1:
            return None  # in which column is meant
        by[cell] = told
    named = {c.number: tuple(x for x, (own,) in by.items() if own is c) for c in texts}
    inside = HeldWords(*by)
    years = [str(y) for d in cues.dates if (y := year_of(d)) and any(h.hold(str(y)) for h in heads.values())]
    words = (*(w for w in asked.words if not inside.hold(w)), *years)
    return AskedTable(cues, grid, texts, heads, named, words, tuple(asked.unheld(grid.about, inside)))


def _named_cells(asked: RowQuestion, column: TypedColumn, grid: RowGrid, head: HeldWords) -> list[str]:
    """The cells of a column that the question names."""
    cells: Sequence[Cellular] = column.values
    if not cells:
        name = column.name
        statement = f"SELECT DISTINCT {name} FROM {TABLE} WHERE instr(?, lower({name})) > 0"
        cells = [cell for (cell,) in grid.body.typed.data.select(statement, (asked.lowered,))]
    named = [cell for cell in cells if isinstance(cell, str) and asked.names(cell)]
    return [cell for cell in named if not all(map(head.hold, search_tokens(cell)))]


def filters_of(table: AskedTable) -> tuple[RowFilter, ...] | None:
    """The cells, values and dates that the question names, as conditions; None where one fits no column
    surely."""
    found = []
    for column in table.texts:
        if cells := table.named[column.number]:
            if column.filled < len(table.grid.body.typed.rows):
                return None  # whose an unnamed row is, is not known
            found.append(equal_to(column, cells))
    for value in table.cues.asked.values:
        fitting = [c for c in table.columns if c.counts and limits_in(value, c) is not None]
        best = table.best(fitting)
        if len(best) != 1 or (limits := limits_in(value, best[0])) is None or not isinstance(value, Range):
            return None
        found.append(bounded(best[0], limits, (value.low_in, value.high_in), value.text))
    for value in table.cues.dates:
        year = year_of(value)
        if year and any(head.hold(str(year)) for head in table.heads.values()):
            continue  # it is a column
        dated = [c for c in table.columns if c.dated]
        best = table.best(dated)
        if not best and year and only_year(table.grid, year):
            continue
        best = best or dated
        if len(best) != 1 or (days := days_in(value)) is None:
            return None
        found.append(bounded(best[0], days, (True, True), value.text))
    return tuple(found)


# --- What is asked of a table, where its words leave no doubt


def plan(table: AskedTable) -> tuple[RowQuery, ...]:
    """The query that a question is; several where it does not say by which column things are large, and all
    of them have to come to the same; () for a question that says more, or less."""
    cues, filters = table.cues, filters_of(table)
    if table.unheld or filters is None:
        return ()
    nouns = table.nouns
    base = RowQuery(cues.aggregate, None, table.label(nouns), filters, None, cues.order, cues.ranks)
    if cues.aggregate is RowAggregate.COUNT and not cues.order:
        return _counting(table, base)
    if cues.aggregate is RowAggregate.ROWS and not cues.order and cues.grouped is None:
        return (base,) if filters and nouns else ()
    groups = [c for c in nouns if not c.apart]
    if cues.grouped is not None:
        behind = search_tokens(cues.grouped)[:_NEXT_WORDS]
        held = [[c for c in table.columns if table.heads[c.number].hold(word)] for word in behind]
        by = next(filter(None, held), [])
        if any(c.measured for c in by):
            cues = replace(cues, grouped=None)  # "by value" is in what order
        elif len(groups := [c for c in nouns if c in by]) != 1:
            return ()
    columns = _measured(table, filters)
    summed = cues.aggregate in (RowAggregate.TOTAL, RowAggregate.AVERAGE, RowAggregate.SHARE)
    if cues.grouped is not None or (cues.order and cues.aggregate is not RowAggregate.ROWS):
        aggregate = cues.aggregate if cues.aggregate is not RowAggregate.ROWS else RowAggregate.TOTAL
        counted = aggregate is RowAggregate.COUNT
        groups = groups or ([] if counted else nouns[:1])
        if not groups or aggregate is RowAggregate.SHARE or (not counted and len(columns) != 1):
            return ()
        column = None if counted else columns[0]
        made = replace(base, aggregate=aggregate, column=column, group=groups[0])
        return (made,) if counted or _sums(table, made) else ()
    if not columns and cues.order == 1 and len(nouns) > 1 and groups and nouns[0] is groups[0]:
        return (replace(base, aggregate=RowAggregate.COUNT, group=groups[0]),)
    columns = columns or (table.counted if len(table.counted) == 1 else [])
    if summed:
        made = replace(base, column=columns[0] if len(columns) == 1 else None)
        if cues.aggregate is RowAggregate.SHARE and not filters:
            return ()
        counted = cues.aggregate is RowAggregate.SHARE and not columns and bool(nouns)
        return (made,) if counted or (made.column and _sums(table, made)) else ()
    if not (nouns or _RE["who"].search(cues.asked.query.text)) or (cues.order and not columns):
        return ()
    return tuple(replace(base, column=column, group=_grouped(table, groups, column)) for column in columns)


_NEXT_WORDS = 3


def _grouped(table: AskedTable, groups: Sequence[TypedColumn], column: TypedColumn) -> TypedColumn | None:
    """What repeats and is asked for as if it did not: "which supplier has the highest spend" of a table with
    several rows a supplier; then its sums are compared, too."""
    first = table.nouns[:1]
    return (
        first[0] if summable(column) and first and first[0] in groups and table.cues.ranks == (1, 1) else None
    )


def _measured(table: AskedTable, filters: Sequence[RowFilter]) -> list[TypedColumn]:
    """The column of numbers or dates whose head the question names; of several years the latest, where it
    names none; the only one of prices for "cheapest"; all of them where nothing but a size is named."""
    used = {f.sql.split()[0] for f in filters}
    counted = [c for c in table.columns if c.measured]
    best = table.best([c for c in counted if c.name not in used] or counted)
    best = best or table.best(counted)
    if len(best) > 1:
        best = [c for c in best if c.counts] or best
    if not best and table.cues.order:
        numbers = [c for c in counted if c.counts and c.name not in used]
        typed = table.cues.asked.query.asked
        years = [c for c in numbers if _YEAR_HEAD.search(c.head)]
        if _RE["priced_most"].search(typed):
            best = [c for c in numbers if c.unit is not None and c.unit.kind is Kind.MONEY]
        elif _RE["by_age"].search(typed):
            best = [c for c in counted if c.dated]
        elif years and len(years) == len(numbers):
            best = [max(years, key=lambda c: _YEAR_HEAD.findall(c.head)[-1])]
        elif _RE["size"].search(typed) and numbers:
            return numbers
    return best if len(best) == 1 else []


_YEAR_HEAD = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")


def summable(column: TypedColumn) -> bool:
    """Whether numbers of a column may be added up: no shares, prices or ages."""
    return column.counts and not column.percent and not _RE["rate"].search(column.head)


def _sums(table: AskedTable, query: RowQuery) -> bool:
    """Whether sums over the column mean anything: of a statement's year they do only where its total row
    says the same."""
    column = query.column
    if column is None or not column.counts:
        return False
    if not summable(column):
        return query.aggregate is RowAggregate.AVERAGE
    if any(c.isalpha() for w in table.words if table.heads[column.number].hold(w) for c in w):
        return True
    if table.counted == [column]:
        return True
    body = table.grid.body.typed
    ((total,),) = body.data.select(f"SELECT sum({column.name}) FROM {TABLE}")
    return bool(table.words) and total in {column.stored(t) for t in body.totals[column.number]}


def _in_brackets(head: str, unit: str) -> bool:
    found = _BRACKETS.search(head)
    return found is not None and unit in found[0]


def _counting(table: AskedTable, base: RowQuery) -> tuple[RowQuery, ...]:
    """How many: different cells of the column that the noun behind it names, or the sum of a column of
    numbers that it names."""
    typed = table.cues.asked.query.asked
    match = _RE["how_many"].search(typed)
    said = match["noun"] or "" if match else ""
    noun = search_tokens(said) or list(table.words)
    named = [c for c in table.columns if any(map(table.heads[c.number].hold, noun)) and not c.dated]
    if (
        not said
        and match
        and (unit := [c for c in table.columns if c.counts and _in_brackets(c.head, match[0][-1])])
    ):
        named = unit
    if len(named) > 1:
        named = [c for c in named if c in table.texts]
    if len(named) > 1 and base.label in named:
        named = [base.label]
    listed = bool(_RE["listed"].search(typed)) or bool(base.filters)
    if not named and listed and all(map(table.grid.about.hold, noun)):
        named = [base.label]  # "bonds in the portfolio", of a table that is called so
    if len(named) != 1:
        return ()
    if named[0].counts:
        made = replace(base, aggregate=RowAggregate.TOTAL, column=named[0])
        return (made,) if _sums(table, made) else ()
    return (replace(base, column=named[0]),)
