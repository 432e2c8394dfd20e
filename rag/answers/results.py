"""What a query over the rows of a table comes to, in words, with the rows that it rests on.

SQLite finds rows and adds up whole numbers, so that sums are exact; a table of 100,000 rows is asked like one
of ten. What is said of a few rows is read from their cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from rag.answers.filters import RowFilter
from rag.answers.grid import RowGrid, TypedColumn, grids
from rag.answers.guarded import TABLE, Cellular, GuardedQueryError
from rag.answers.queries import RowAggregate, RowQuery, asked_table, cues_of, plan
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
    try:
        return _Run(query, grid, language).result()
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

    def result(self) -> Computed | None:
        query, column = self.query, self.query.column
        if query.group is not None:
            return self._grouped(query.group)
        if query.aggregate is RowAggregate.SHARE:
            return self._share()
        if query.aggregate in (RowAggregate.TOTAL, RowAggregate.AVERAGE) and column is not None:
            return self._sum(column)
        return self._ranked(column) if query.order and column is not None else self._listed()

    def _select(
        self, what: str, behind: str = "", filters: Sequence[RowFilter] | None = None
    ) -> list[tuple[Cellular, ...]]:
        """The result of a SELECT over the rows that pass the filters, those of the query where none are
        given."""
        passing = self.query.filters if filters is None else filters
        where = " AND ".join(f"({one.sql})" for one in passing)
        parameters = tuple(p for one in passing for p in one.parameters)
        statement = f"SELECT {what} FROM {TABLE}{' WHERE ' if where else ''}{where} {behind}"
        return self.grid.body.typed.data.select(statement, parameters, most=10_000)

    @property
    def _how(self) -> list[str]:
        return [one.words for one in self.query.filters]

    def _ranked(self, column: TypedColumn, *, alone: bool = False) -> Computed | None:
        """The rows at the places that are asked for; those of one value share a place. What is left over
        ("other", "free float") has none."""
        query, (first, last), label = self.query, self.query.ranks, self.query.group or self.query.label
        way, name = "DESC" if query.order > 0 else "ASC", column.name
        given = (*query.filters, RowFilter(f"{name} IS NOT NULL", (), ""))
        order = f"ORDER BY {name} {way}, id LIMIT {last + _SHARED}"
        found = [one for one in self._select(f"id, {name}, {label.name}", order, given) if not _rest(one[2])]
        places = (
            list(dict.fromkeys(value for _, value, _ in found)) if first == last else [v for _, v, _ in found]
        )
        asked = frozenset(places[first - 1 : last])
        chosen = [int(n or 0) for n, value, _ in found if value in asked]
        if not asked or len(chosen) > last - first + _FEW:
            return None
        ((count,),) = self._select(f"count({name})")
        rows = self.grid.body.typed.rows
        cells = [rows[n].texts[column.number] for n in chosen]
        named = [f"{rows[n].texts[label.number]} ({cell})" for n, cell in zip(chosen, cells, strict=True)]
        line = say(
            "answers.extreme", self.language, most=query.order > 0, head=column.head, rows=named, count=count,
            how=self._how, rank=f"{first}" if first == last > 1 else "", alone=alone,
        )  # fmt: skip
        return self._computed(chosen, line, _exact(places[first - 1]), cells[0])

    def _sum(self, column: TypedColumn) -> Computed | None:
        average = self.query.aggregate is RowAggregate.AVERAGE
        ((count, total),) = self._select(f"count({column.name}), sum({column.name})")
        if not count:
            return None
        value = _exact(total) / (int(count) if average else 1)
        line = say(
            "answers.sum", self.language, average=average, head=column.head, value=self._printed(value),
            count=count, how=self._how,
        )  # fmt: skip
        return self._computed(self._ids(f"{column.name} IS NOT NULL"), line, value, self._printed(value))

    def _share(self) -> Computed | None:
        """The share of the rows that pass in the sum of a column, or in all rows."""
        column = self.query.column
        name = column.name if column else ""
        what = f"count({name}), sum({name}), min({name})" if name else "count(*), count(*), 1"
        ((count, total, least),) = self._select(what, filters=())
        ((own_count, own, _),) = self._select(what)
        if not total or not own_count or _exact(least) < 0 or (column is not None and column.percent):
            return None
        share = _exact(own) / _exact(total) * 100
        line = say(
            "answers.share", self.language, share=f"{share:.1f}%", how=self._how, count=count,
            head=(column or self.query.label).head, own=self._printed(own), total=self._printed(total),
        )  # fmt: skip
        return self._computed(self._ids(), line, share, f"{share:.1f}%")

    def _grouped(self, group: TypedColumn) -> Computed | None:
        """What each cell of a column comes to, or the first of them; where rows are asked for, the first row
        beside it."""
        query, column, (first, last) = self.query, self.query.column, self.query.ranks
        value = {RowAggregate.COUNT: "count(*)", RowAggregate.AVERAGE: "avg({})"}.get(
            query.aggregate, "sum({})"
        )
        value, way = value.format(column.name if column else "*"), "ASC" if query.order < 0 else "DESC"
        groups = self._select(
            f"{group.name}, {value} AS v, count(*)", f"GROUP BY {group.name} ORDER BY v {way}, 1"
        )
        found = [one for one in groups if one[1] is not None and not _rest(one[0])]
        ends = [v for _, v, _ in found[first - 1 : last]] if query.order else []
        kept = [one for one in found if one[1] in ends] if query.order else found
        if not kept or len(kept) > (last - first + _FEW if query.order else _MOST_NAMED):
            return None
        counted = query.aggregate is RowAggregate.COUNT
        rows, how = sum(int(str(size)) for _, _, size in groups), self._how
        if counted and query.order > 0 and last == 1:
            names, size = [name for name, _, _ in kept], kept[0][1]
            line = say(
                "answers.group", self.language, head=group.head, names=names, size=size, count=rows, how=how
            )
        else:
            line = say(
                "answers.groups", self.language, head=column.head if column else "", by=group.head, how=how,
                kind=0 if counted else -1 if query.aggregate is RowAggregate.AVERAGE else 1, count=rows,
                order=query.order, rows=[f"{name} ({self._printed(v)})" for name, v, _ in kept],
            )  # fmt: skip
        if query.order and query.aggregate is RowAggregate.ROWS and column:
            alone = self._ranked(column, alone=True)
            line = say(
                "answers.lines",
                self.language,
                lines=[line, *(said for said, _ in (alone.sentences if alone else ()))],
            )
        places = ", ".join("?" * len(kept))
        of_kept = RowFilter(f"{group.name} IN ({places})", tuple(name for name, _, _ in kept), "")
        chosen = [int(n or 0) for (n,) in self._select("id", "ORDER BY id", (*query.filters, of_kept))]
        return self._computed(chosen, line, _exact(kept[0][1]), self._printed(kept[0][1]))

    def _printed(self, value: Cellular | Decimal) -> str:
        column, average = self.query.column, self.query.aggregate is RowAggregate.AVERAGE
        return column.printed(_exact(value), 2 if average else 0) if column else str(value)

    def _ids(self, condition: str = "1") -> list[int]:
        filters = (*self.query.filters, RowFilter(condition, (), ""))
        return [int(str(n)) for (n,) in self._select("id", "ORDER BY id", filters)]

    def _listed(self) -> Computed:
        """The rows that pass: how many, and which."""
        named = (
            self.query.column
            if self.query.aggregate is RowAggregate.COUNT and self.query.column
            else self.query.label
        )
        ((count,),) = self._select(f"count(DISTINCT {named.name})")
        ((of,),) = self._select(f"count(DISTINCT {named.name})", filters=())
        names = [
            n for (n,) in self._select(f"DISTINCT {named.name}", f"ORDER BY id LIMIT {_MOST_NAMED + 1}") if n
        ]
        line = say(
            "answers.count", self.language, count=count, of=of, head=named.head, how=self._how, names=names,
            listed=0 < len(names) <= _MOST_NAMED,
        )  # fmt: skip
        chosen = self._ids()
        return self._computed(chosen or [0], line, _exact(count), str(count))

    def _computed(self, chosen: Sequence[int], line: str, value: Decimal, printed: str) -> Computed:
        """The answer, with the rows that it rests on: all of a few, of many the first and the last."""
        cited = chosen if len(chosen) <= _MOST_CITED else [*chosen[:_FEW], chosen[-1]]
        rows = self.grid.body.typed.rows
        evidence = tuple(self.grid.evidence(rows[n], at) for at, n in enumerate(cited, 1))
        query, table = self.query, self.grid.table
        head = (query.column or query.label).head
        order = {1: "highest", -1: "lowest"}.get(query.order, "")
        what = [order] if order and query.aggregate is RowAggregate.ROWS else [query.aggregate.value, order]
        what += [f"by {query.group.head}"] if query.group else []
        formula = say(
            "answers.query", self.language, what=" ".join(filter(None, what)), how=self._how, count=len(rows),
            path=self.grid.hit.document.path, place=table.location if table else "",
        )  # fmt: skip
        working = Calculation(head, formula, (), Figure(head, value, printed=printed))
        return Computed(evidence, (working,), ((line, tuple(range(1, len(evidence) + 1))),))
