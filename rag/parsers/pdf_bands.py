"""Cells of several lines side by side on a PDF page, which a program wrote one by one, as rows of a
table."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise

from rag.parsers.pdf_lines import TextLine
from rag.parsers.pdf_rows import PdfRow, Row, spread, text_of

_TALLEST = 60  # lines of cells side by side


class Band(Row):
    """Cells of several lines side by side, which a program wrote one after the other."""

    banded = True

    def __init__(self, rows: Sequence[Row]) -> None:
        self.lines = [line for row in rows for line in row.lines]
        self._pieces = [piece for row in rows for piece in row.pieces]
        lefts, rights, bottoms, tops = zip(
            *((o.left, o.right, o.bottom, o.top) for o in self.lines), strict=True
        )
        self.line = TextLine(text_of(self.lines), min(lefts), max(rights), min(bottoms), max(tops))
        self.line.size, self.line.words = self.lines[0].size, self.lines[0].words
        self.line.bold = all(line.bold for line in self.lines)
        label = " ".join(
            row.read.label or row.text for row in rows if not (row.read.values and not row.read.label)
        )
        self.read = PdfRow(label, tuple(value for row in rows for value in row.read.values))

    @cached_property
    def cuts(self) -> list[int]:
        return [*range(len(self._pieces))]

    @cached_property
    def pieces(self) -> list[TextLine]:
        return self._pieces

    @cached_property
    def gaps(self) -> list[tuple[float, float]]:
        return [(a[1], b[0]) for a, b in pairwise(spread(self._pieces))]


def banded(rows: Sequence[Row]) -> list[Row]:
    """The rows, with those that are lines of cells side by side as one."""
    found: list[Row] = []
    at = 0
    while at < len(rows):
        first, end = _band(rows, at, found[-1].line.bottom if found else None)
        found += rows[at:first]
        found.append(Band(rows[first:end]) if end > first + 1 else rows[first])
        at = end
    return found


def _band(rows: Sequence[Row], at: int, ceiling: float | None) -> tuple[int, int]:
    """Where the cells begin and end that begin with this row or in the lines below it; itself alone where
    nothing stands beside it."""
    first, end, top = at, at + 1, rows[at].line.top
    edge, right = -_TALLEST * 1e3, rows[at].line.right  # of the cells before, and of all
    valued = rows[at].parted
    for n in range(at + 1, min(at + _TALLEST, len(rows))):
        line, above = rows[n].line, rows[n - 1].line
        if not line.words or not above.words or abs(line.size - above.size) > 0.2 * line.size:
            break
        if line.left > right - 1 and line.top > above.bottom:  # another cell
            highest = top if ceiling is None or edge > 0 else max(top, min(ceiling, top + 3 * line.size))
            if line.top > highest + 0.5 * line.size:
                break
            if edge < 0:  # what stands above the second cell is no part of the first one
                first = next(k for k in range(at, n) if k == n - 1 or rows[k].line.bottom < line.top)
            edge, end, valued = right, n + 1, rows[n].parted
        elif -0.3 < (above.bottom - line.top) / line.size < 0.6 and line.left > edge - 1:
            if (edge < 0 and line.left < rows[at].line.left - 1 and line.right < rows[at].line.right) or (
                valued and rows[n].parted
            ):
                break
            end = n + 1 if edge > 0 else end
        else:
            break
        right = max(right, line.right)
    return (first, end) if edge > 0 else (at, at + 1)
