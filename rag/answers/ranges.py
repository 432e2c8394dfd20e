"""Columns of a table that say what their rows hold for, as ranges: "30 to 59", a bare "10" below "Weight up
to (kg)", "25" and "250" below "From" and "To"; heads that are ranges; and where a value of a question lies
against them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, pairwise, permutations

from rag.answers.choosing import RowQuestion
from rag.answers.grid import MEASURED, HeldWords, RowGrid, head_unit
from rag.facts.quantity import Kind, Quantity, as_written
from rag.facts.values import Comparison, Range, Value, read, relation
from rag.languages import patterns
from rag.languages.text import search_tokens

IN = (Comparison.WITHIN, Comparison.EQUAL)
OUT = (Comparison.BEFORE, Comparison.AFTER)
_MOST_RANGES = 200
_RE = patterns("rows")
_BRACKET = re.compile(r"[(（].*?[)）]")


@dataclass(frozen=True, slots=True)
class RangedColumn:
    """A column of ranges, or two that say where they begin and end: those of each row, by its number, the
    words that they were read of, and the label of each row's group, "" where all are one."""

    numbers: tuple[int, ...]
    head: str
    ranges: Mapping[int, tuple[Range, ...]]
    texts: Mapping[int, str]
    groups: Sequence[str]


Taken = tuple[RangedColumn, Value, dict[int, Comparison | None]]


def ranged_columns(grid: RowGrid) -> list[RangedColumn]:
    """The columns whose cells say what their rows hold for: ranges that lie beside each other, or within each
    other with one end open ("under 10 kg", "under 20 kg"); those of rows that another such column holds
    apart, or the first one, which names groups of rows, may lie as they like."""
    labels = grid.column(0)
    one = [""] * len(labels)
    labels = labels if 2 * len({*labels}) <= len(labels) else one
    found: list[RangedColumn] = []
    every = range(len(grid.heads))
    for numbers in (*((n,) for n in every), *pairwise(every)):
        texts = _texts(grid, numbers)
        own = {n: [v for v in read(text) if isinstance(v, Range)] for n, text in texts.items()}
        ranges = {n: tuple(rs) for n, rs in own.items() if rs and all(r.kind in MEASURED for r in rs)}
        if 2 <= len(ranges) <= _MOST_RANGES and 2 * len(ranges) >= len(texts):
            head = " ".join(grid.heads[n] for n in numbers)
            found.append(RangedColumn(numbers, head, ranges, texts, labels if numbers[0] else one))
    kept = [
        c
        for c in found
        if all(
            c.groups[m] != c.groups[n] or any(_apart(o, m, n) for o in found)
            for m, n in combinations(c.ranges, 2)
        )
    ]
    both = {n for c in kept if len(c.numbers) > 1 for n in c.numbers}
    return [c for c in kept if len(c.numbers) > 1 or both.isdisjoint(c.numbers)]


def _texts(grid: RowGrid, numbers: Sequence[int]) -> dict[int, str]:
    """What the cells of a column, or of two that say where a range begins and ends, say of each row, by its
    number: figures behind the heads that bound them."""
    heads = [" ".join(_BRACKET.sub(" ", grid.heads[n]).lower().split()) for n in numbers]
    said = read(" ".join(f"{head} {n}" for n, head in enumerate(heads, 1)))
    bounds = [v for v in said if isinstance(v, Range) and not any(map(str.isdigit, "".join(heads)))]
    if len(numbers) > 1 and not any(bound.low and bound.high for bound in bounds):
        return {}
    rows = enumerate(zip(*(grid.column(n) for n in numbers), strict=True))
    return {
        n: " ".join(
            f"{head} {cell}" if bounds and _is_figure(cell) else cell
            for head, cell in zip(heads, cells, strict=True)
        )
        for n, cells in rows
        if all(cells) and (len(cells) == 1 or all(map(_is_figure, cells)))
    }


def _is_figure(cell: str) -> bool:
    return any(map(str.isdigit, cell)) and not any(map(str.isalpha, cell))


def _apart(column: RangedColumn, m: int, n: int) -> bool:
    """Whether the ranges of two rows may be what tells them apart."""
    held = column.ranges.keys() >= {m, n}
    return held and all(_beside(a, b) for a in column.ranges[m] for b in column.ranges[n])


def _beside(a: Range, b: Range) -> bool:
    where = relation(a, b)
    nested = where in (Comparison.WITHIN, Comparison.HOLDS)
    if where in (None, Comparison.EQUAL, *OUT) or (
        nested and ((a.low is b.low is None) or (a.high is b.high is None))
    ):
        return True
    return relation(*(replace(r, low_in=False, high_in=False) for r in (a, b))) in OUT


def placed_values(asked: RowQuestion, columns: Sequence[RangedColumn], grid: RowGrid) -> list[Taken]:
    """The columns that a value of the question is compared with, and where it lies."""
    return [(column, *found) for column in columns if (found := placed(asked, column, grid))]


def under_heads(
    asked: RowQuestion, grid: RowGrid, columns: Sequence[int], but: Sequence[Value]
) -> tuple[list[int], list[Value]]:
    """The columns whose heads are ranges that hold a value of the question, which is none of `but`, and the
    value; all columns where heads are no ranges of its kind."""
    heads = {n: [r for r in read(grid.heads[n]) if isinstance(r, Range)] for n in columns}
    for value in (v for v in asked.values if v not in but and v.kind is not Kind.NUMBER):
        where = {n: _all([relation(value, r) for r in ranges]) for n, ranges in heads.items()}
        if sum(one is not None for one in where.values()) > 1:
            return [n for n, one in where.items() if one in IN], [value]
    return [*columns], []


def placed(
    asked: RowQuestion, column: RangedColumn, grid: RowGrid
) -> tuple[Value, dict[int, Comparison | None]] | None:
    """The value of the question that a column is about, the one nearest to the words that name the column,
    and where it lies against the ranges of each row. Bare figures are compared where the question names what
    stands in the column."""
    subject = frozenset(filter(HeldWords(column.head).hold, asked.words))
    unit = head_unit(column.head) or _money_unit(grid)
    text = asked.query.text
    places = [m.start() for m in _RE["word"].finditer(text) if subject.intersection(search_tokens(m[0]))]
    for bare in (False, True)[: 1 + bool(subject)]:
        found = []
        for value in asked.values:
            pairs = {n: [_pair(value, r, unit, bare) for r in ranges] for n, ranges in column.ranges.items()}
            where = {n: _all([relation(*pair) for pair in own if pair]) for n, own in pairs.items()}
            if any(where.values()):
                found.append((value, where))
        if found and (len(found) == 1 or subject):
            return min(found, key=lambda one: min((abs(one[0].start - at) for at in places), default=0))
        if found:
            return None
    return None


def _all(found: Sequence[Comparison | None]) -> Comparison | None:
    """Where a value lies against all ranges of a cell that it can be compared with."""
    said = [one for one in found if one is not None]
    return next((one for one in said if one not in IN), said[0] if said else None)


def _pair(value: Value, r: Range, unit: Quantity | None, bare: bool) -> tuple[Value, Value] | None:
    """A value and a range as they can be compared: in their own units, the range in that of its head; or as
    bare figures, where not both say a unit."""
    plain, measured = r.kind is Kind.NUMBER, value.kind is not Kind.NUMBER
    if bare:
        both = measured and (unit is not None or not plain)
        return None if both else (_each(value, _bare), _each(r, _bare))
    if not measured or (plain and unit is None):
        return None
    return value, _each(r, lambda q: under(unit, q)) if plain and unit else r


def _bare(q: Quantity) -> Quantity:
    return replace(as_written(q), kind=Kind.NUMBER, unit="")


def _each(v: Value, change: Callable[[Quantity], Quantity]) -> Value:
    if isinstance(v, Quantity):
        return change(v)
    return replace(v, low=change(v.low) if v.low else None, high=change(v.high) if v.high else None)


def _money_unit(grid: RowGrid) -> Quantity | None:
    units = map(head_unit, grid.table.units if grid.table else ())
    return next((unit for unit in units if unit and unit.kind is Kind.MONEY), None)


def nearest(column: RangedColumn, value: Value, numbers: list[int]) -> list[int]:
    """Of the rows that hold a value those whose range lies within no other one's; and of two that meet at it
    the one that says that it holds it."""
    first = {n: column.ranges[n][0] for n in numbers if n in column.ranges}
    inner = [
        n
        for n in numbers
        if n not in first
        or not any(
            m != n and relation(r, first[n]) is Comparison.WITHIN and column.groups[m] == column.groups[n]
            for m, r in first.items()
        )
    ]
    for low, high in permutations(inner, 2) if len(inner) == 2 and len(first) > 1 else ():
        end, begin = first[low].high, first[high].low
        meet = end is not None and begin is not None and end.value == begin.value
        if meet and end and _RE["included"].match(column.texts[low], end.end):
            return [low]
    return inner


def under(unit: Quantity, bare: Quantity) -> Quantity:
    return replace(bare.times(unit.value), kind=unit.kind, unit=unit.unit)
