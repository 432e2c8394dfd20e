"""A row chosen by what a question gives: a value that lies in its range ("clearance 38", 金额300万元), or the
words of its key ("the rent of unit C2").

A table is taken only where it is about the question: every word of that stands in its title, its headings,
its heads or the row, or says nothing of the matter ("patient"). Ranges are compared as values, under the unit
of their cell or of their head; where two columns have ranges and the question gives both values, both hold. A
value that no row holds is said to be held by none."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, permutations

from rag.answers.choosing import ChosenRows, RowQuestion, asked_columns, given
from rag.answers.grid import MEASURED, HeldWords, RowGrid, grids, head_unit
from rag.answers.results import find_over_rows
from rag.domains.finance.figures import Computed
from rag.facts.quantities import header_scales
from rag.facts.quantity import Kind, Quantity, as_written
from rag.facts.values import Comparison, Range, Value, read, relation
from rag.languages import patterns, say
from rag.languages.text import search_tokens
from rag.questions.query import Query
from rag.store.store import Store
from rag.types import Evidence, Hit

_IN = (Comparison.WITHIN, Comparison.EQUAL)
_OUT = (Comparison.BEFORE, Comparison.AFTER)
_MOST_RANGES = 200
_MOST_ROWS = 3
_RE = patterns("rows")
_YEAR = re.compile(r"(?:19|20)\d\d")


@dataclass(frozen=True, slots=True)
class NoRow:
    """A value that no row of a table holds, in words, and the rows that come nearest."""

    evidence: tuple[Evidence, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class _Column:
    """A column of ranges: those of each row, by its number."""

    number: int
    head: str
    ranges: Mapping[int, tuple[Range, ...]]


def find_row(query: Query, hits: Sequence[Hit], store: Store) -> Computed | NoRow | None:
    """The row that a question chooses, as what code read; `NoRow` where its value lies in none; None where
    nothing surely fits, or where two tables fit that say different things."""
    if query.withdrawn:
        return None
    asked, tables = given(query), tuple(grids(hits, store))
    for choose in (_by_value, _by_key):
        found = [one for grid in tables if (one := choose(asked, grid)) is not None]
        fitting = [one for one in found if isinstance(one, ChosenRows)]
        if fitting:
            most = max(one.held for one in fitting)
            best = [one for one in fitting if one.held == most]
            same = len({one.words for one in best}) == 1
            return best[0].computed(query.language) if same else None
        if missed := [one for one in found if isinstance(one, NoRow)]:
            return missed[0] if len(missed) == 1 else None
    return find_over_rows(query, hits, store)


def _by_key(asked: RowQuestion, grid: RowGrid) -> ChosenRows | None:
    """The one row that most words of the question name, and the column that it asks for."""
    named: dict[int, list[int]] = {}
    for n, row in enumerate(grid.rows):
        keys = [
            c
            for c, text in enumerate(row.texts)
            if text and (asked.names(text) or any(_equals(value, grid, c, text) for value in asked.values))
        ]
        if keys and not row.total:
            named[n] = keys
    weights = {
        n: len({w for c in keys for w in search_tokens(grid.rows[n].texts[c])}) for n, keys in named.items()
    }
    best = [n for n in named if weights[n] == max(weights.values())]
    if len(best) != 1 or not grid.heads:
        return None
    row, keys = grid.rows[best[0]], named[best[0]]
    own = HeldWords(*(row.texts[c] for c in keys))
    if asked.unheld(grid.about, own):
        return None
    cells = [(c, row.texts[c]) for c in keys]
    used = [v for v in asked.values if any(_equals(v, grid, *one) or v.text in one[1] for one in cells)]
    others = [c for c, text in enumerate(row.texts[: len(grid.heads)]) if c not in keys and text]
    answers = asked_columns(asked, grid, others, [row])
    if len(answers) != 1 or len(used) < len(asked.values):
        return None
    head, cell = grid.heads[answers[0]], row.texts[answers[0]]
    worked = _RE["average"].search(asked.query.text) and not _RE["average"].search(head)
    part = _RE["share"].search(asked.query.text) and not ("%" in head + cell or _RE["share"].search(head))
    if worked or part:
        return None  # a figure is no share and no average
    alone = len(grid.heads) == 2 or (head and grid.heads.count(head) == 1)
    if not alone or not _counts(asked, head, cell) or not _of_year(asked, grid, head, own):
        return None
    held = sum(grid.about.hold(w) for w in asked.words)
    return ChosenRows(grid, (row,), tuple(keys), answers, held)


def _counts(asked: RowQuestion, head: str, cell: str) -> bool:
    """Whether a cell may answer where "how many" is asked: a number of just these; of other questions any."""
    how_many = _RE["how_many"].search(asked.query.text)
    noun = how_many["noun"] if how_many else None
    named = noun is None or any(map(HeldWords(head).hold, search_tokens(noun)))
    return how_many is None or (named and cell[:1].isdigit())


def _of_year(asked: RowQuestion, grid: RowGrid, head: str, own: HeldWords) -> bool:
    """Whether a year of the question is that of the column or the row; where no head is a year, and each has
    a name of its own, it may be that of the document."""
    years = [w for w in asked.words if _YEAR.fullmatch(w) and not own.hold(w)]
    named = all(grid.heads) and len(set(grid.heads)) == len(grid.heads)
    whole = named and not any(_YEAR.search(one) for one in grid.heads)
    return whole or all(year in head for year in years)


def _equals(value: Value, grid: RowGrid, column: int, text: str) -> bool:
    """Whether a cell is a value of the question, under the unit of its head."""
    unit = head_unit(grid.heads[column]) if column < len(grid.heads) else None
    found = read(text)
    if len(found) != 1 or not isinstance(found[0], Quantity):
        return False
    cell = found[0]
    if unit is not None and cell.kind is Kind.NUMBER:
        cell = replace(cell.times(unit.value), kind=unit.kind, unit=unit.unit)
    return cell.kind is not Kind.NUMBER and relation(value, cell) is Comparison.EQUAL


# --- By a value


def _by_value(asked: RowQuestion, grid: RowGrid) -> ChosenRows | NoRow | None:
    if not asked.values:
        return None
    columns = _columns(grid)
    taken = [(column, *placed) for column in columns if (placed := _placed(asked, column, grid))]
    if not taken:
        return None
    numbers = [
        n
        for n in {n for column, _, _ in taken for n in column.ranges}
        if (said := [where.get(n) for _, _, where in taken if where.get(n) is not None])
        and all(one in _IN for one in said)
    ]
    numbers = _labelled(asked, grid, _nearest(taken[0][0], taken[0][1], sorted(numbers), grid), columns)
    rows = tuple(grid.rows[n] for n in numbers)
    if not rows:
        column, value, where = taken[0]
        unheld = asked.unheld(grid.about, *(HeldWords(*row.texts) for row in grid.rows))
        sure = grid.table is not None and grid.whole and all(one in _OUT for one in where.values())
        return _none(asked, grid, column, value) if len(taken) == 1 and sure and not unheld else None
    if len(rows) > _MOST_ROWS or asked.unheld(grid.about, *(HeldWords(*row.texts) for row in rows)):
        return None
    keys = tuple(column.number for column in columns if any(column.number < len(r.texts) for r in rows))
    others = [
        n
        for n in range(len(grid.heads))
        if n not in keys and any(n < len(r.texts) and r.texts[n] for r in rows)
    ]
    labels = tuple(n for n in others if n < max(keys) and all(asked.names(r.texts[n]) for r in rows))
    answers = asked_columns(asked, grid, [n for n in others if n not in labels], rows)
    if not answers:
        return None
    held = sum(grid.about.hold(w) for w in asked.words)
    pairs = tuple((value, column.number) for column, value, _ in taken)
    return ChosenRows(grid, rows, (*labels, *keys), answers, held, pairs)


def _none(asked: RowQuestion, grid: RowGrid, column: _Column, value: Value) -> NoRow:
    """That a value lies in no range of a column: which value, of which column, and what rows there are."""
    rows = [grid.rows[n] for n in dict.fromkeys((min(column.ranges), max(column.ranges)))]
    cells = [row.texts[column.number] for row in rows]
    text = say("answers.no_row", asked.query.language, value=value.text, head=column.head, cells=cells)
    return NoRow(tuple(grid.evidence(row, n) for n, row in enumerate(rows, 1)), text)


def _columns(grid: RowGrid) -> list[_Column]:
    """The columns whose cells say what their rows hold for: ranges that lie beside each other, or within each
    other with one end open ("under 10 kg", "under 20 kg"); those of rows that another such column holds apart
    may lie as they like."""
    columns: list[_Column] = []
    for number, head in enumerate(grid.heads):
        cells = grid.column(number)
        read_ones = {n: tuple(v for v in read(c) if isinstance(v, Range)) for n, c in enumerate(cells) if c}
        ranges = {n: own for n, own in read_ones.items() if own and all(v.kind in MEASURED for v in own)}
        if not 2 <= len(ranges) <= _MOST_RANGES or 2 * len(ranges) < len(read_ones):
            continue
        if all(
            all(_beside(a, b) for a in ranges[m] for b in ranges[n]) or _apart(columns, m, n)
            for m, n in combinations(ranges, 2)
        ):
            columns.append(_Column(number, head, ranges))
    return columns


def _apart(columns: Sequence[_Column], m: int, n: int) -> bool:
    """Whether one of the columns holds two rows apart."""
    held = ((c.ranges.get(m, ()), c.ranges.get(n, ())) for c in columns)
    return any(relation(a, b) in _OUT for one, two in held for a in one for b in two)


def _beside(a: Range, b: Range) -> bool:
    """Whether two ranges may be those of two rows."""
    where = relation(a, b)
    if where in (None, Comparison.EQUAL, *_OUT):
        return True
    if where in (Comparison.WITHIN, Comparison.HOLDS) and (
        (a.low is b.low is None) or (a.high is b.high is None)
    ):
        return True
    inner = relation(replace(a, low_in=False, high_in=False), replace(b, low_in=False, high_in=False))
    return inner in _OUT


def _placed(
    asked: RowQuestion, column: _Column, grid: RowGrid
) -> tuple[Value, dict[int, Comparison | None]] | None:
    """The value of the question that a column is about, and where it lies against the ranges of each row."""
    head = HeldWords(column.head)
    subject = [w for w in asked.words if head.hold(w)]
    unit = head_unit(column.head) or _money_unit(grid)
    for reading in _readings(unit, bool(subject)):
        found = []
        for value in asked.values:
            pairs = {n: [reading(value, r) for r in ranges] for n, ranges in column.ranges.items()}
            where = {n: _all([relation(*pair) for pair in own if pair]) for n, own in pairs.items()}
            if any(one is not None for one in where.values()):
                found.append((value, where))
        if found:
            near = min(found, key=lambda one: _distance(asked, one[0], subject))
            return near if len(found) == 1 or subject else None
    return None


def _all(found: Sequence[Comparison | None]) -> Comparison | None:
    """Where a value lies against all ranges of a cell that it can be compared with."""
    said = [one for one in found if one is not None]
    return next((one for one in said if one not in _IN), said[0] if said else None)


Reading = Callable[[Value, Range], tuple[Value, Range] | None]


def _readings(unit: Quantity | None, named: bool) -> Iterator[Reading]:
    """How a value and a range can be compared: in their own units; the range in that of its head; as bare
    figures, where the question names what stands in the column and not both say a unit."""

    def own(value: Value, r: Range) -> tuple[Value, Range] | None:
        return (value, r) if Kind.NUMBER not in (value.kind, r.kind) else None

    def under_head(value: Value, r: Range) -> tuple[Value, Range] | None:
        if unit is None or r.kind is not Kind.NUMBER or value.kind is Kind.NUMBER:
            return None
        return value, _ends(r, lambda q: replace(q.times(unit.value), kind=unit.kind, unit=unit.unit))

    def bare(value: Value, r: Range) -> tuple[Value, Range] | None:
        if Kind.NUMBER not in (value.kind, r.kind) or (unit is not None and value.kind is not Kind.NUMBER):
            return None
        return (plain(value) if isinstance(value, Quantity) else _ends(value, plain)), _ends(r, plain)

    def plain(q: Quantity) -> Quantity:
        return replace(as_written(q), kind=Kind.NUMBER, unit="")

    yield own
    yield under_head
    if named:
        yield bare


def _ends(r: Range, change: Callable[[Quantity], Quantity]) -> Range:
    return replace(r, low=change(r.low) if r.low else None, high=change(r.high) if r.high else None)


def _money_unit(grid: RowGrid) -> Quantity | None:
    scales = header_scales(" ".join(grid.table.units)) if grid.table else ()
    factor, currency = scales[0] if scales else (None, "")
    return Quantity(Kind.MONEY, 0, 0, "", value=factor, unit=currency) if factor and currency else None


def _distance(asked: RowQuestion, value: Value, subject: Sequence[str]) -> int:
    """How far from a value the words stand that its column is named by."""
    text = asked.query.text
    places = [m.start() for m in _RE["word"].finditer(text) if set(search_tokens(m[0])) & set(subject)]
    return min((abs(value.start - at) for at in places), default=len(text))


def _nearest(column: _Column, value: Value, numbers: list[int], grid: RowGrid) -> list[int]:
    """Of the rows that hold a value those whose range lies within no other one's; and of two that meet at it
    the one that says that it holds it."""
    first = {n: column.ranges[n][0] for n in numbers if n in column.ranges}
    inner = [
        n
        for n in numbers
        if n not in first
        or not any(m != n and relation(r, first[n]) is Comparison.WITHIN for m, r in first.items())
    ]
    for low, high in permutations(inner, 2) if len(inner) == 2 and len(first) > 1 else ():
        end, begin = first[low].high, first[high].low
        meet = end is not None and begin is not None and end.value == begin.value
        if meet and end and _RE["included"].match(grid.rows[low].texts[column.number], end.end):
            return [low]
    return inner


def _labelled(asked: RowQuestion, grid: RowGrid, numbers: list[int], columns: Sequence[_Column]) -> list[int]:
    """Of rows that fit those whose label the question names, where it names any."""
    ranged = {column.number for column in columns}
    others = {n: [text for c, text in enumerate(grid.rows[n].texts) if c not in ranged] for n in numbers}
    return [n for n in numbers if any(map(asked.names, others[n]))] or numbers
