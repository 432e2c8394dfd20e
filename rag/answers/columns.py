"""The columns of a table with their kind: numbers of one unit, dates, words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from rag.answers.choosing import head_unit
from rag.answers.grid import GridRow, RowGrid
from rag.domains.finance.figures.cells import read_figure
from rag.facts.dates import dates
from rag.facts.numerals import fold
from rag.facts.quantity import Quantity

_PLAIN = re.compile(r"[-−]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?%?")


@dataclass(frozen=True, slots=True)
class TypedColumn:
    """A column of rows that are no totals. `values` are its numbers, or its dates as days, None for an empty
    cell; of a column of words it is (). `decimals` are the most that are printed, `unit` is what its head
    states of it."""

    number: int
    head: str
    cells: tuple[str, ...]
    values: tuple[Decimal | None, ...] = ()
    decimals: int = 0
    percent: bool = False
    dated: bool = False
    unit: Quantity | None = None

    @property
    def counts(self) -> bool:
        """Whether it holds numbers."""
        return bool(self.values) and not self.dated

    def stored(self, row: int) -> str | float | None:
        """What a query compares of a row."""
        value = self.values[row] if self.values else None
        return float(value) if value is not None else self.cells[row] or None

    def printed(self, value: Decimal, more: int = 0) -> str:
        """A number worked out from it, as its cells are printed."""
        return f"{value:,.{self.decimals + more}f}{'%' if self.percent else ''}"


def typed_columns(grid: RowGrid, rows: Sequence[GridRow]) -> tuple[TypedColumn, ...]:
    return tuple(_typed(grid, n, rows) for n in range(len(grid.heads)))


def _typed(grid: RowGrid, number: int, rows: Sequence[GridRow]) -> TypedColumn:
    head = grid.heads[number]
    cells = tuple(row.texts[number] if number < len(row.texts) else "" for row in rows)
    found = [_number(cell) for cell in cells]
    words = TypedColumn(number, head, cells)
    if any(one is None for one in found) or not any(one and one[0] is not None for one in found):
        if _day(next(filter(None, cells), "")) is None:
            return words
        days = tuple(_day(cell) for cell in cells)
        rest = "".join(cell for cell, day in zip(cells, days, strict=True) if day is None)
        return words if any(map(str.isdigit, rest)) else TypedColumn(number, head, cells, days, dated=True)
    kinds = {one[1:] for one in found if one and one[0] is not None}
    if len(kinds) > 1:  # of several units
        return words
    values = tuple(one[0] if one else None for one in found)
    decimals = max((-int(v.normalize().as_tuple().exponent) for v in values if v is not None), default=0)
    percent = any(percent for percent, _ in kinds)
    return TypedColumn(number, head, cells, values, max(0, decimals), percent, unit=head_unit(head))


def _number(cell: str) -> tuple[Decimal | None, bool, str] | None:
    """The number that a cell is, whether in percent, and its currency; a number that is None for an empty
    cell and for a dash; None for words."""
    if _PLAIN.fullmatch(cell):
        plain = cell.rstrip("%").replace(",", "").replace("−", "-")
        return Decimal(plain), cell.endswith("%"), ""
    if not any(c.isalnum() for c in cell):
        return None, False, ""
    figure = read_figure(cell)
    if figure is None:
        return None
    return figure.value, figure.percent, figure.currency


def _day(cell: str) -> Decimal | None:
    """A whole date as a day's number."""
    found = dates(fold(cell))
    period = found[0].period if len(found) == 1 else None
    if period is None or not (period.year and period.month and period.day):
        return None
    return Decimal(period.year * 10_000 + period.month * 100 + period.day)
