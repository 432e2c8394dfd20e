"""Conditions that rows of a table have to pass: cells by their words, values and dates as bounds of a column
in its own unit."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from rag.answers.grid import RowGrid, TypedColumn
from rag.answers.guarded import Cellular
from rag.facts.dates import Period
from rag.facts.quantity import Kind, Quantity, as_written
from rag.facts.values import Range, Value

_YEARS = range(1900, 2100)


@dataclass(frozen=True, slots=True)
class RowFilter:
    """A condition that rows have to pass: SQL with question marks, and the same in the table's words."""

    sql: str
    parameters: tuple[Cellular, ...]
    words: str


def year_of(v: Value) -> int | None:
    """The year that a value is, and nothing else."""
    if not isinstance(v, Quantity):
        return None
    if v.kind is Kind.NUMBER and v.value in _YEARS:
        return int(v.value)
    return v.period.year if v.period is not None and set(v.period.parts) == {"year"} else None


def only_year(grid: RowGrid, year: int) -> bool:
    """Whether a table is of this year, and no other is named with it."""
    return [y for y in _YEARS if grid.about.hold(str(y)) or grid.about.hold(f"{y}年")] == [year]


Limits = tuple[Decimal | None, Decimal | None]


def bounded(column: TypedColumn, limits: Limits, included: tuple[bool, bool], words: str) -> RowFilter:
    low, high = limits
    sql = [f"{column.name} >{'=' * included[0]} {low}"] if low is not None else []
    sql += [f"{column.name} <{'=' * included[1]} {high}"] if high is not None else []
    return RowFilter(" AND ".join(sql), (), f"{column.head} {words}")


def limits_in(value: Value, column: TypedColumn) -> Limits | None:
    """The ends of a range, or a value twice, as a column's numbers are stored; None where it is of another
    kind."""
    ends: list[Decimal | None] = []
    for end in (value.low, value.high) if isinstance(value, Range) else (value, value):
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
        ends.append(column.stored(Decimal(plain.numerator) / Decimal(plain.denominator)))
    return ends[0], ends[1]


def days_in(value: Value) -> Limits | None:
    """The first and the last day of a period, of a range of them, as yyyymmdd; None where one has no year."""
    if isinstance(value, Quantity):
        first, last = _first_and_last(value), _first_and_last(value)
        return (first[0], last[1]) if first and last else None
    low = _first_and_last(value.low) if value.low else None
    high = _first_and_last(value.high) if value.high else None
    if (value.low and not low) or (value.high and not high):
        return None
    begin = low and (low[0] if value.low_in else low[1] + 1)
    return begin, high and (high[1] if value.high_in else high[0] - 1)


def _first_and_last(q: Quantity) -> tuple[Decimal, Decimal] | None:
    p = q.period or (Period(year_of(q)) if year_of(q) else None)
    if p is None or p.year is None or p.swapped:
        return None
    months = (p.month, p.month) if p.month else (1, 12)
    if p.quarter or p.half:
        size = 3 if p.quarter else 6
        end = size * (p.quarter or p.half or 1)
        months = (end - size + 1, end)
    year = p.year * 10_000
    return Decimal(year + months[0] * 100 + (p.day or 1)), Decimal(year + months[1] * 100 + (p.day or 31))
