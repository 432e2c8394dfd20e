"""Tables whose cells are ruled: lines drawn on a PDF page give the grid, and a line that is missing between two
cells makes them one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from rag.parsers.pdf_lines import Box, TextLine

Span = tuple[int, int, int, int]
"""Row, column, rows and columns of a cell."""

_NEAR = 3.0  # points between lines that meet
_LEAST = 6.0  # points between two lines of a grid
_MOST = 60_000  # pairs of lines that are compared


@dataclass(frozen=True, slots=True)
class Grid:
    """A grid of lines: where its rows begin from the top, and its columns from the left, with their last ends;
    `spans` are the cells (row, column, rows, columns)."""

    ys: tuple[float, ...]
    xs: tuple[float, ...]
    spans: tuple[Span, ...]

    def touches(self, line: TextLine) -> bool:
        low, high = sorted((line.bottom, line.top))
        return line.left < self.xs[-1] and self.xs[0] < line.right and low < self.ys[0] and self.ys[-1] < high

    def cut(self, line: TextLine) -> list[tuple[TextLine, Span | None]]:
        """The line cut where its words stand in another cell, each part with its cell; None: outside."""
        places: list[Span | None] = []
        for word in line.words():
            x, y = (word.first[0] + word.last[2]) / 2, (word.first[1] + word.first[3]) / 2
            places.append(self.span_of(x, y) if self.holds(x, y) else None)
        ends = [0, *(n for n in range(1, len(places)) if places[n] != places[n - 1]), len(places)]
        whole = len(ends) == 2
        return [(line if whole else line.part(a, b), places[a]) for a, b in pairwise(ends)]

    def holds(self, x: float, y: float) -> bool:
        return self.xs[0] <= x <= self.xs[-1] and self.ys[-1] <= y <= self.ys[0]

    def span_of(self, x: float, y: float) -> Span:
        """The cell at a point within."""
        row = sum(y < edge for edge in self.ys[1:-1])
        column = sum(x > edge for edge in self.xs[1:-1])
        return next(s for s in self.spans if s[0] <= row < s[0] + s[2] and s[1] <= column < s[1] + s[3])


def find_grids(rules: Sequence[Box]) -> list[Grid]:
    """The grids of at least two rows and two columns, from the top."""
    level = [b for b in rules if b[2] - b[0] >= b[1] - b[3]]
    upright = [b for b in rules if b[2] - b[0] < b[1] - b[3]]
    if len(level) < 2 or not upright or len(level) * len(upright) > _MOST:
        return []
    groups: list[tuple[list[Box], list[Box]]] = []
    for rule in upright:
        met = [b for b in level if _meet(b, rule)]
        near = [g for g in groups if any(b in g[0] for b in met)]
        joined = ([*met], [rule])
        for group in near:
            joined[0].extend(b for b in group[0] if b not in joined[0])
            joined[1].extend(group[1])
            groups.remove(group)
        groups.append(joined)
    grids = [grid for group in groups if (grid := _grid(*group)) is not None]
    return sorted(grids, key=lambda grid: -grid.ys[0])


def find_bands(rules: Sequence[Box]) -> list[list[Box]]:
    """Level lines of one width, three at least, from the top."""
    groups: list[list[Box]] = []
    for rule in sorted((b for b in rules if b[2] - b[0] > 60 and b[1] - b[3] < _NEAR), key=lambda b: -b[1]):
        group = next((g for g in groups if abs(g[0][0] - rule[0]) < 4 and abs(g[0][2] - rule[2]) < 4), None)
        if group is None:
            groups.append([rule])
        elif group[-1][1] - rule[1] > _LEAST:
            group.append(rule)
    return [group for group in groups if len(group) > 2]


def _meet(level: Box, upright: Box) -> bool:
    x, y = (upright[0] + upright[2]) / 2, (level[1] + level[3]) / 2
    return level[0] - _NEAR < x < level[2] + _NEAR and upright[3] - _NEAR < y < upright[1] + _NEAR


def _grid(level: Sequence[Box], upright: Sequence[Box]) -> Grid | None:
    ends = [x for b in level for x in (b[0], b[2])]
    tops = [y for b in upright for y in (b[1], b[3])]
    if not ends or not tops:
        return None
    xs = _places([*((b[0] + b[2]) / 2 for b in upright), min(ends), max(ends)])
    ys = _places([*((b[1] + b[3]) / 2 for b in level), min(tops), max(tops)])[::-1]
    if len(xs) < 3 or len(ys) < 3:
        return None

    def parted(row: int, column: int, *, below: bool) -> bool:
        """Whether a line is drawn below a cell, or right of it."""
        x, y = (xs[column] + xs[column + 1]) / 2, (ys[row] + ys[row + 1]) / 2
        if below:
            return any(b[0] < x < b[2] and abs(b[1] - ys[row + 1]) < _LEAST for b in level)
        return any(b[3] < y < b[1] and abs(b[0] - xs[column + 1]) < _LEAST for b in upright)

    rows, columns = len(ys) - 1, len(xs) - 1
    right = [[c + 1 < columns and not parted(r, c, below=False) for c in range(columns)] for r in range(rows)]
    down = [[r + 1 < rows and not parted(r, c, below=True) for c in range(columns)] for r in range(rows)]
    free = {(r, c) for r in range(rows) for c in range(columns)}
    spans = []
    for r in range(rows):
        for c in range(columns):
            if (r, c) not in free:
                continue
            width = 1
            while right[r][c + width - 1] and (r, c + width) in free:
                width += 1
            height = 1
            while all(down[r + height - 1][k] for k in range(c, c + width)) and all(
                right[r + height][k] for k in range(c, c + width - 1)
            ):
                height += 1
            spans.append((r, c, height, width))
            free -= {(r + a, c + b) for a in range(height) for b in range(width)}
    return Grid(tuple(ys), tuple(xs), tuple(spans))


def _places(values: Sequence[float]) -> list[float]:
    """Values in order, those that lie close together once."""
    found: list[float] = []
    for value in sorted(values):
        if not found or value - found[-1] > _LEAST:
            found.append(value)
    return found
