"""What a query over the rows of a table comes to, in words, with the rows that it rests on.

SQLite finds rows and adds up whole numbers, so that sums are exact; a table of 100,000 rows is asked like one
of ten. What is said of a few rows is read from their cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from rag.answers.choosing import RowAggregate, RowFilter, cues_of, equal_to
from rag.answers.grid import RowGrid, TypedColumn, grids
from rag.answers.guarded import TABLE, Cellular, GuardedQueryError
from rag.answers.queries import RowQuery, asked_table, plan
from rag.domains.finance.figures import Computed
from rag.languages import patterns, say
from rag.questions.query import Query
from rag.store.store import Store
from rag.types import Calculation, Figure, Hit

_MOST_NAMED = 30
_MOST_CITED = 8
_FEW = 3
_SHARED = 20  # rows of one value, or left over, beside those asked for
_RE = patterns("rows")


def find_over_rows(query: Query, hits: Sequence[Hit], store: Store) -> Computed | None:
    """What a question over rows comes to; None for any other question, and where no table, or more than one
    with different results, is surely the one that is asked about."""
    if query.withdrawn or query.questions or (cues := cues_of(query)) is None:
        return None
    found: dict[str, tuple[int, Computed]] = {}
    for grid in grids(hits, store, whole=True):
        asked = asked_table(cues, grid)
        results = [run(one, grid, query.language) for one in (plan(asked) if asked else ())]
        chosen = {tuple(e.start for e in one.evidence) if one else () for one in results}
        if len(chosen) == 1 and (result := results[-1]) is not None:
            held = sum(grid.about.hold(w) for w in cues.asked.words)
            found.setdefault(result.sentences[0][0], (held, result))
    most = max((held for held, _ in found.values()), default=0)
    best = [result for held, result in found.values() if held == most]
    return best[0] if len(best) == 1 else None


def run(query: RowQuery, grid: RowGrid, language: str) -> Computed | None:
    """The answer; None where it says nothing: no row has a value, too many share the place asked for."""
    one = _Run(query, grid, language)
    try:
        if query.column is not None and query.column.counts and one.mixed():
            return None
        if query.group is not None:
            return one.grouped(query.group)
        if query.aggregate in (RowAggregate.SHARE, RowAggregate.TOTAL, RowAggregate.AVERAGE):
            return one.worked(query.column)
        return one.ranked(query.column) if query.order and query.column is not None else one.listed()
    except GuardedQueryError:
        return None


def _exact(value: Cellular | Decimal) -> Decimal:
    return Decimal(str(value or 0))


def _rest(name: Cellular) -> bool:
    return name is None or _RE["rest"].match(str(name)) is not None


@dataclass(frozen=True, slots=True)
class _Run:
    query: RowQuery
    grid: RowGrid
    language: str

    def _select(
        self, what: str, behind: str = "", filters: Sequence[RowFilter] | None = None
    ) -> list[tuple[Cellular, ...]]:
        """The result of a SELECT over the rows that pass the filters, those of the query where none are
        given."""
        passing = self.query.filters if filters is None else filters
        where = " AND ".join(["1", *(f"({one.sql})" for one in passing)])
        parameters = tuple(p for one in passing for p in one.parameters)
        statement = f"SELECT {what} FROM {TABLE} WHERE {where} {behind}"
        return self.grid.body.typed.data.select(statement, parameters, most=10_000)

    def _ids(self, *more: RowFilter) -> list[int]:
        return [int(str(n)) for (n,) in self._select("id", "ORDER BY id", (*self.query.filters, *more))]

    def mixed(self) -> bool:
        """Whether another column says in which currency or unit each number is, and not the same of all."""
        units = [c for c in self.grid.body.typed.columns if c.of_units]
        return any(len(self._select(f"DISTINCT {c.name}")) > 1 for c in units)

    def ranked(self, column: TypedColumn, *, alone: bool = False) -> Computed | None:
        """The rows at the places that are asked for; those of one value share a place. What is left over
        ("other", "free float") has none."""
        query, (first, last), label = self.query, self.query.ranks, self.query.group or self.query.label
        way, name = "DESC" if query.order > 0 else "ASC", column.name
        order = f"ORDER BY {name} {way}, id LIMIT {last + _SHARED}"
        filled = (*query.filters, RowFilter(f"{name} IS NOT NULL", (), ""))
        found = [one for one in self._select(f"id, {name}, {label.name}", order, filled) if not _rest(one[2])]
        values = [value for _, value, _ in found]
        places = (list(dict.fromkeys(values)) if first == last else values)[first - 1 : last]
        chosen = [int(str(n)) for n, value, _ in found if value in places]
        if not places or len(chosen) > last - first + _FEW:
            return None
        ((count,),) = self._select(f"count({name})")
        rows = [self.grid.body.typed.rows[n].texts for n in chosen]
        named = [f"{row[label.number]} ({row[column.number]})" for row in rows]
        rank = f"{first}" if first == last > 1 else ""
        line = self._say(
            "extreme", column, rows=named, count=count, most=query.order > 0, rank=rank, alone=alone
        )
        return self._computed(chosen, line, self._value(places[0]), rows[0][column.number])

    def worked(self, column: TypedColumn | None) -> Computed | None:
        """A sum, an average, or the share of the rows that pass in the sum of a column, or in all rows."""
        name, average = column.name if column else "1", self.query.aggregate is RowAggregate.AVERAGE
        what = f"count({name}), sum({name}), min({name})"
        ((count, own, _),) = self._select(what)
        ((rows, total, least),) = self._select(what, filters=())
        if not count:
            return None
        value = _exact(own) / (int(str(count)) if average else 1)
        if self.query.aggregate is RowAggregate.SHARE:
            if not total or _exact(least) < 0 or (column is not None and column.percent):
                return None
            value = _exact(own) / _exact(total) * 100
            printed, sums = f"{value:.1f}%", {"own": self._printed(own), "total": self._printed(total)}
            line = self._say("share", column, share=printed, count=rows, **sums)
        else:
            printed, value = self._printed(value), self._value(value)
            line = self._say("sum", column, average=average, value=printed, count=count)
        return self._computed(self._ids(RowFilter(f"{name} IS NOT NULL", (), "")), line, value, printed)

    def grouped(self, group: TypedColumn) -> Computed | None:
        """What each cell of a column comes to, or the first of them; where rows are asked for, the first row
        beside it."""
        query, column, (first, last) = self.query, self.query.column, self.query.ranks
        works = {RowAggregate.COUNT: "count", RowAggregate.AVERAGE: "avg"}.get(query.aggregate, "sum")
        value, way = f"{works}({column.name if column else '*'})", "ASC" if query.order < 0 else "DESC"
        order = f"GROUP BY {group.name} ORDER BY v {way}, 1"
        groups = self._select(f"{group.name}, {value} AS v, count(*)", order)
        kept = [one for one in groups if one[1] is not None and not _rest(one[0])]
        if query.order:
            ends = [v for _, v, _ in kept[first - 1 : last]]
            kept = [one for one in kept if one[1] in ends]
        if not kept or len(kept) > (last - first + _FEW if query.order else _MOST_NAMED):
            return None
        count = sum(int(str(size)) for _, _, size in groups)
        names, size = [str(name) for name, _, _ in kept], kept[0][1]
        if works == "count" and query.order > 0 and last == 1:
            line = self._say("group", group, names=names, size=size, count=count)
        else:
            kind, rows = (
                {"count": 0, "avg": -1, "sum": 1}[works],
                [f"{n} ({self._printed(v)})" for n, v, _ in kept],
            )
            line = self._say(
                "groups", column, by=group.head, kind=kind, order=query.order, rows=rows, count=count
            )
        if (
            query.order
            and query.aggregate is RowAggregate.ROWS
            and column
            and (alone := self.ranked(column, alone=True))
        ):
            line = say("answers.lines", self.language, lines=[line, alone.sentences[0][0]])
        return self._computed(self._ids(equal_to(group, names)), line, self._value(size), self._printed(size))

    def listed(self) -> Computed:
        """The rows that pass: how many, and which."""
        counted = self.query.aggregate is RowAggregate.COUNT and self.query.column
        named = counted or self.query.label
        alike = any(named.name == one.column for one in self.query.filters)  # those rows themselves
        name = "*" if alike else f"DISTINCT {named.name}"
        ((count, filled),) = self._select(f"count({name}), count({named.name})")
        ((of,),) = self._select(f"count({name})", filters=())
        few = f"ORDER BY id LIMIT {_MOST_NAMED + 1}"
        names = [] if alike else [n for (n,) in self._select(name, few) if n]
        rows = f"{filled:,}" if filled != count else ""
        listed = 0 < len(names) <= _MOST_NAMED
        line = self._say("count", named, count=count, of=of, rows=rows, names=names, listed=listed)
        return self._computed(self._ids() or [0], line, _exact(count), str(count))

    def _say(self, what: str, column: TypedColumn | None, /, **values: object) -> str:
        head = self.grid.head((column or self.query.label).number)
        how = [one.words for one in self.query.filters]
        return say(f"answers.{what}", self.language, head=head, how=how, **values)

    def _printed(self, value: Cellular | Decimal) -> str:
        column, average = self.query.column, self.query.aggregate is RowAggregate.AVERAGE
        return column.printed(_exact(value), 2 if average else 0) if column else str(value)

    def _value(self, stored: Cellular | Decimal) -> Decimal:
        return _exact(stored).scaleb(-self.query.column.decimals if self.query.column else 0)

    def _computed(self, chosen: Sequence[int], line: str, value: Decimal, printed: str) -> Computed:
        """The answer, with the rows that it rests on: all of a few, of many the first and the last."""
        cited = chosen if len(chosen) <= _MOST_CITED else [*chosen[:_FEW], chosen[-1]]
        rows, query, table = self.grid.body.typed.rows, self.query, self.grid.table
        evidence = tuple(self.grid.evidence(rows[n], at) for at, n in enumerate(cited, 1))
        order = {1: "highest", -1: "lowest"}.get(query.order, "")
        what = [order] if order and query.aggregate is RowAggregate.ROWS else [query.aggregate.value, order]
        what += [f"by {query.group.head}"] if query.group else []
        place, path = table.location if table else "", self.grid.hit.document.path
        asked = " ".join(filter(None, what))
        formula = self._say("query", None, what=asked, count=len(rows), path=path, place=place)
        head = (query.column or query.label).head
        working = Calculation(head, formula, (), Figure(head, value, printed=printed))
        return Computed(evidence, (working,), ((line, tuple(range(1, len(evidence) + 1))),))
