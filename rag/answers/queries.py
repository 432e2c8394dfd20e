"""Questions over the rows of a table, as values: what is worked out of the rows that pass some filters, by
which column, in groups, in order; and what of that a question asks for, where its words leave no doubt.

Cells that the question names, values and dates that bound a column are filters; a head that it names is the
column. Every other word has to be one of the title, the headings or the heads. `rag.answers.results` runs a
query, whoever made it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from rag.answers.choosing import (
    RowAggregate,
    RowCues,
    RowFilter,
    RowQuestion,
    asked_noun,
    bounded,
    compared,
    equal_to,
    stocked,
)
from rag.answers.grid import HeldWords, RowGrid, TypedColumn
from rag.answers.guarded import TABLE, Cellular
from rag.facts.quantity import Kind, Quantity
from rag.facts.values import Range, Value
from rag.languages import patterns
from rag.languages.text import denials, letters, search_tokens

_RE = patterns("rows")
_NEXT_WORDS = 3
_YEARS = range(1900, 2101)
_YEAR_HEAD = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_BRACKETS = re.compile(r"[(（\[].*")


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
    def sole(self) -> list[TypedColumn]:
        """Its only column of numbers, if it has just one."""
        return found if len(found := [c for c in self.columns if c.counts]) == 1 else []

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

    def label(self, filters: Sequence[RowFilter] = ()) -> TypedColumn:
        """What names a row: a column that the question names, if it tells rows apart or is what is asked for,
        else the first that does; none that is the same of all rows that pass, if there is another."""
        passing = {f.column for f in filters}
        nouns, texts = ([c for c in own if c.name not in passing] for own in (self.nouns, self.texts))
        said = search_tokens(asked_noun(self.cues.asked.query))
        asked = [c for c in nouns if any(map(self.heads[c.number].hold, said))]
        people = [c for c in texts if _RE["person"].search(c.head)]  # says more than their number
        apart = [c for c in (*nouns, *people, *texts) if c.apart or c in asked]
        return (apart or nouns or texts or self.nouns or self.texts)[0]


def asked_table(cues: RowCues, grid: RowGrid) -> AskedTable | None:
    """None for a table without words or rows to choose from, and where a cell that is named stands in two
    columns alike."""
    if not grid.heads or len(grid.body.typed.rows) < 2:
        return None
    table, asked = grid.body.typed, cues.asked
    texts = tuple(c for c in table.columns if not c.measured and c.head and c.filled)
    heads = {c.number: HeldWords(c.head) for c in table.columns}
    found = [(c, cell) for c in texts for cell in _named_cells(asked, c, grid, heads[c.number])]
    title = grid.hit.document.title  # "Merrow" is no site where Merrow Ceramics is asked about
    names = asked.query.names
    whole = [w for a in names for b in names if (w := f"{a} {b}") in title and w in asked.query.text]
    found = [(c, x) for c, x in found if not any(x != n and x in n for n in whole)]
    found = [(c, x) for c, x in found if not any(x != o and x.lower() in o.lower() for _, o in found)]
    by = {x: [c for c, y in found if y == x] for _, x in found}
    for cell, columns in by.items():
        by[cell] = [c for c in columns if any(map(heads[c.number].hold, asked.words))] or columns
    if not texts or any(len(columns) > 1 for columns in by.values()):
        return None  # in which column is meant
    named = {c.number: tuple(x for x, (own,) in by.items() if own is c) for c in texts}
    inside = HeldWords(*by)
    years = [str(y) for d in cues.dates if (y := _year(d)) and any(h.hold(str(y)) for h in heads.values())]
    words = (*(w for w in asked.words if not inside.hold(w)), *years)
    if _aged(cues, table.columns):
        cues = replace(cues, order=-cues.order)
    return AskedTable(cues, grid, texts, heads, named, words, tuple(asked.unheld(grid.about, inside)))


def _aged(cues: RowCues, columns: Sequence[TypedColumn]) -> list[TypedColumn]:
    """The columns of ages, where the question is who is the oldest or the youngest: the oldest has the
    earliest day of birth and the highest age."""
    lived = _RE["lived"].search(cues.asked.query.asked)
    return [c for c in columns if lived and c.counts and _RE["age"].search(c.head)]


def _named_cells(asked: RowQuestion, column: TypedColumn, grid: RowGrid, head: HeldWords) -> list[str]:
    """The cells of a column that the question names."""
    cells: Sequence[Cellular] = column.values
    if not cells:
        name = column.name
        statement = f"SELECT DISTINCT {name} FROM {TABLE} WHERE instr(?, lower({name})) > 0"
        cells = [cell for (cell,) in grid.body.typed.data.select(statement, (asked.lowered,))]
    named = [cell for cell in cells if isinstance(cell, str) and asked.names(cell)]
    return [cell for cell in named if not all(map(head.hold, search_tokens(cell)))]


def _year(v: Value) -> int | None:
    """The year that a value is, and nothing else."""
    period = v.period if isinstance(v, Quantity) else None
    return period.year if period is not None and set(period.parts) == {"year"} else None


# --- Conditions that rows have to pass


def filters_of(table: AskedTable) -> tuple[RowFilter, ...] | None:
    """The cells, values and dates that the question names, as conditions; None where one fits no column
    surely."""
    found, about = [], table.grid.about
    for column in table.texts:
        if cells := table.named[column.number]:
            if column.filled < len(table.grid.body.typed.rows):
                return None  # whose an unnamed row is, is not known
            found.append(equal_to(column, cells))
        elif answered := _answered(table, column):
            found.append(equal_to(column, answered))
    for value in (*table.cues.asked.values, *table.cues.dates):
        year = _year(value)
        if year and any(head.hold(str(year)) for head in table.heads.values()):
            continue  # it is a column
        by = {c.name: one for c in table.columns if (one := bounded(c, value))}
        fitting = [c for c in table.columns if c.name in by]
        best = table.best(fitting)
        years = (y for y in _YEARS if about.hold(str(y)) or about.hold(f"{y}年"))
        named = value.kind is Kind.DATE and not fitting and all(map(about.hold, search_tokens(value.text)))
        if not best and ([*years] == [year] if year else named):
            continue  # of the whole table
        if value.kind is Kind.DATE:
            best = best or fitting
        elif isinstance(value, Range):
            best = best or [c for c in fitting if not _RE["rate"].search(c.head)]  # "orders above EUR 900"
        if len(best) != 1:
            return None
        found.append(by[best[0].name])
    if table.cues.against is not None:
        sign, said = table.cues.against
        if (one := compared(table.columns, sign, said, table.best)) is None:
            return None
        found.append(one)
    return tuple(found)


def _answered(table: AskedTable, column: TypedColumn) -> list[str]:
    """The "yes" of a column that says nothing but yes or no, where the question names it, its "no" where the
    question has a "not"."""
    cells = [c for c in column.values if not _RE["no"].fullmatch(c)]
    others = [c for c in column.values if c not in cells]
    said = len(others) == 1 and cells and all(map(_RE["yes"].fullmatch, cells))
    words = search_tokens(column.head)
    if not said or not words or not all(w in table.words for w in words):
        return []
    return others if denials(table.cues.asked.query.text) else cells


# --- What is asked of a table, where its words leave no doubt


def plan(table: AskedTable) -> tuple[RowQuery, ...]:
    """The query that a question is; several where it does not say by which column things are large, and all
    of them have to come to the same; () for a question that says more, or less."""
    cues, filters, nouns = table.cues, filters_of(table), table.nouns
    if table.unheld or filters is None:
        return ()
    aggregate, listing = cues.aggregate, cues.aggregate is RowAggregate.ROWS
    base = RowQuery(aggregate, None, table.label(filters), filters, None, cues.order, cues.ranks)
    counting, grouped = aggregate is RowAggregate.COUNT, cues.grouped is not None
    if counting and not cues.order:
        return _counting(table, base)
    who = _RE["who"].search(cues.asked.query.text)
    if listing and not cues.order and not grouped:
        noun = search_tokens(asked_noun(cues.asked.query))  # of a table that is called so
        cells = HeldWords(*(cell for own in table.named.values() for cell in own))
        called = noun and all(table.grid.about.hold(w) or cells.hold(w) for w in noun)
        return (base,) if filters and (nouns or called or who) else ()
    groups = [c for c in nouns if not c.apart]
    if cues.grouped is not None:
        behind = search_tokens(cues.grouped)[:_NEXT_WORDS]
        held = ([c for c in table.columns if table.heads[c.number].hold(word)] for word in behind)
        by = next(filter(None, held), [])
        grouped = not any(c.measured for c in by)  # "by value" is in what order
        if grouped and aggregate is RowAggregate.AVERAGE and by and all(c.apart for c in by):
            grouped = False  # "the average per customer", of rows that are customers
        groups = [c for c in nouns if c in by] if grouped else groups
        if grouped and len(groups) != 1:
            return ()
    columns = _measured(table, filters)
    only = columns[0] if len(columns) == 1 else None
    if grouped or (cues.order and not listing):
        kind = RowAggregate.TOTAL if listing else aggregate
        groups = groups or ([] if counting else nouns[:1])
        if not groups or kind is RowAggregate.SHARE:
            return ()
        made = replace(base, aggregate=kind, column=None if counting else only, group=groups[0])
        return (made,) if counting or _sums(table, made) else ()
    typed = cues.asked.query.asked
    if not columns and cues.order == 1 and nouns and nouns[:1] == groups[:1]:
        most = not nouns[1:] and _RE["most"].search(typed) and _called(table, groups[0])
        if most or (nouns[1:] and nouns[1].apart):
            return (replace(base, aggregate=RowAggregate.COUNT, group=groups[0]),)
    money = [c for c in table.sole if c.unit is not None and c.unit.kind is Kind.MONEY]
    # The latest and the dearest are not the largest of anything.
    sized = not cues.order or not (_RE["by_age"].search(typed) or _RE["priced_most"].search(typed))
    if (
        not columns
        and sized
        and (money or ((listing or not filters) and aggregate is not RowAggregate.SHARE))
    ):
        columns, only = table.sole, next(iter(table.sole), None)
    if not listing:
        made, share = replace(base, column=only), aggregate is RowAggregate.SHARE
        counted = share and not columns and bool(nouns)
        return (made,) if (filters or not share) and (counted or _sums(table, made)) else ()
    priced = only and _RE["priced_most"].search(typed)
    if not (nouns or who or priced or (only and _in_words(table, only))):
        return ()
    # What repeats and is asked for as if it did not: its sums are compared, too.
    again = nouns[0] if nouns and nouns[0] in groups and cues.ranks == (1, 1) else None
    return tuple(replace(base, column=c, group=again if c.summable else None) for c in columns)


def _called(table: AskedTable, group: TypedColumn) -> bool:
    """Whether the question says what a row is, by what its table is called: "which depot has the most
    vehicles"."""
    rest = [w for w in table.words if not table.heads[group.number].hold(w)]
    return bool(rest) and not any(head.hold(w) for head in table.heads.values() for w in rest)


def _measured(table: AskedTable, filters: Sequence[RowFilter]) -> list[TypedColumn]:
    """The column of numbers or dates whose head the question names; of several years the latest, where it
    names none; the only one of prices for "cheapest"; all of them where nothing but a size is named."""
    typed = table.cues.asked.query.asked
    if ages := _aged(table.cues, table.columns):
        return ages if len(ages) == 1 else []
    aged = not table.cues.order or _RE["by_age"].search(typed)  # no day is the largest
    if table.cues.order and aged and not any(c.dated for c in table.columns):
        return []  # nor is the latest price the highest
    counted = [c for c in table.columns if c.counts or (c.dated and aged)]
    if table.cues.order and _RE["priced_most"].search(typed):
        money = [c for c in counted if c.unit is not None and c.unit.kind is Kind.MONEY]
        money = money or [c for c in counted if _RE["price"].search(c.head)]
        counted = money or (counted if table.grid.priced else [])
    free = [c for c in counted if c.name not in {f.column for f in filters}]
    best = table.best(free or counted) or table.best(counted)
    best = [c for c in best if c.counts] or best
    if not best and table.cues.order:
        numbers = [c for c in free if c.counts]
        years = [c for c in numbers if _YEAR_HEAD.search(c.head)]
        if _RE["priced_most"].search(typed):
            best = numbers
        elif _RE["by_age"].search(typed):
            best = [c for c in counted if c.dated]
        elif years and len(years) == len(numbers):
            best = [max(years, key=lambda c: _YEAR_HEAD.findall(c.head)[-1])]
        elif _RE["size"].search(typed):
            return numbers
    return best if len(best) == 1 else []


def _sums(table: AskedTable, query: RowQuery) -> bool:
    """Whether sums over the column mean anything: of a statement's year they do only where its total row
    says the same. Rows that are totals themselves are not added up."""
    column = query.column
    if column is None or not column.counts or any(map(_RE[RowAggregate.TOTAL].search, query.label.values)):
        return False
    if not column.summable:
        return query.aggregate is RowAggregate.AVERAGE
    if _in_words(table, column) or table.sole == [column]:
        return True
    body = table.grid.body.typed
    ((total,),) = body.data.select(f"SELECT sum({column.name}) FROM {TABLE}")
    return bool(table.words) and total in {column.stored(t) for t in body.totals[column.number]}


def _in_words(table: AskedTable, column: TypedColumn) -> bool:
    """Whether the question names a column by words, not by a year alone."""
    return any(c.isalpha() for w in table.words if table.heads[column.number].hold(w) for c in w)


def _counting(table: AskedTable, base: RowQuery) -> tuple[RowQuery, ...]:
    """How many: different cells of the column that the noun behind it names, or the sum of a column of
    numbers that it names."""
    typed = table.cues.asked.query.asked
    match = _RE["how_many"].search(typed)
    said = search_tokens(match["noun"] or "") if match else []
    noun = [w for w in said if w in table.words] or [w for w in table.words if table.grid.about.hold(w)]
    named = [c for c in table.columns if any(map(table.heads[c.number].hold, noun)) and not c.dated]
    if match and not said:  # the measure word of a head: （台）
        word = match[0][-1]
        named = [c for c in table.columns if c.counts and word in "".join(_BRACKETS.findall(c.head))] or named
    if len(named) > 1:
        named = [c for c in named if c in table.texts] or table.best(named)
        named = [base.label] if base.label in named else named
    listed = bool(base.filters) or _RE["listed"].search(typed)
    if not named and listed and all(map(table.grid.about.hold, noun)):
        named = [base.label]  # "bonds in the portfolio", of a table that is called so
    own = table.label().name in {f.column for f in base.filters}
    own = own and not table.nouns and not any(w in table.words for w in said)
    cells = HeldWords(*(cell for some in table.named.values() for cell in some))
    if said and (own or any(map(cells.hold, said))) and (stock := stocked(table.columns)):  # of what a row is
        return tuple(replace(base, column=c, aggregate=RowAggregate.TOTAL) for c in stock if len(stock) == 1)
    others = [c for c in table.columns if c not in named]
    yearly = others and all(c.counts and _YEAR_HEAD.search(c.head) for c in others)
    if yearly and named == list(table.columns[:1]):
        named = [max(others, key=lambda c: _YEAR_HEAD.findall(c.head)[-1])]  # "Employees at 30 September"
    if len(named) != 1:
        return ()
    counts = named[0].counts
    made = replace(base, column=named[0], aggregate=RowAggregate.TOTAL if counts else base.aggregate)
    return (made,) if not counts or _sums(table, made) else ()
