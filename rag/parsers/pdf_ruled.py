"""Rows of a PDF's tables that are more than a line: those of a grid of lines drawn on the page, where a line
that is missing between two cells makes them one; those between level lines of one width, whose columns are
found by gaps; and cells of several lines side by side, which a program wrote one by one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby, pairwise, takewhile

from rag.parsers import pdf_rows
from rag.parsers.base import column_heads, is_number
from rag.parsers.pdf_heads import column_heads_of, count_heads, head_start
from rag.parsers.pdf_lines import WORD_GAP, Box, TextLine
from rag.parsers.pdf_rows import Cell, Columns, PdfRow, PdfTable, Row, Span, in_cells, read_rows, text_of

_LONGEST = 1500  # characters of a cell: more is a page's layout
_NEAR = 3.0  # points between lines that meet
_LEAST = 6.0  # points between two lines of a grid
_MOST = 60_000  # pairs of lines that are compared


@dataclass(frozen=True, slots=True)
class _Grid:
    """A grid of lines: where its rows begin from the top, and its columns from the left, with their last
    ends; `spans` are its cells."""

    ys: tuple[float, ...]
    xs: tuple[float, ...]
    spans: tuple[Span, ...]

    def touches(self, line: TextLine) -> bool:
        low, high = sorted((line.bottom, line.top))
        return line.left < self.xs[-1] and self.xs[0] < line.right and low < self.ys[0] and self.ys[-1] < high

    def cut(self, line: TextLine) -> list[tuple[TextLine, Span | None]]:
        """The line cut where its words stand in another cell, each part with its cell; None: outside."""
        places: list[Span | None] = []
        for word in line.words:
            x, y = (word.first[0] + word.last[2]) / 2, (word.first[1] + word.first[3]) / 2
            places.append(self.span_of(x, y) if self.holds(x, y) else None)
        ends = [0, *(n for n in range(1, len(places)) if places[n] != places[n - 1]), len(places)]
        parts = line.parts(ends) if len(ends) > 2 else [line]
        return [(part, places[at]) for part, at in zip(parts, ends, strict=False)]

    def holds(self, x: float, y: float) -> bool:
        return self.xs[0] <= x <= self.xs[-1] and self.ys[-1] <= y <= self.ys[0]

    def span_of(self, x: float, y: float) -> Span:
        """The cell at a point within."""
        row = sum(y < edge for edge in self.ys[1:-1])
        column = sum(x > edge for edge in self.xs[1:-1])
        return next(s for s in self.spans if s[0] <= row < s[0] + s[2] and s[1] <= column < s[1] + s[3])


def _find_grids(rules: Sequence[Box]) -> list[_Grid]:
    """The grids of at least two rows and two columns, from the top."""
    level = [b for b in rules if b[2] - b[0] >= b[1] - b[3]]
    upright = [b for b in rules if b[2] - b[0] < b[1] - b[3]]
    if len(level) < 2 or len(level) * len(upright) > _MOST:
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
    grids = [grid for grid in (_grid(*group) for group in groups) if grid is not None]
    return sorted(grids, key=lambda grid: -grid.ys[0])


def _find_levels(rules: Sequence[Box]) -> list[list[Box]]:
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


def _grid(level: Sequence[Box], upright: Sequence[Box]) -> _Grid | None:
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
    return _Grid(tuple(ys), tuple(xs), tuple(spans))


def _places(values: Sequence[float]) -> list[float]:
    """Values in order, those that lie close together once."""
    found: list[float] = []
    for value in sorted(values):
        if not found or value - found[-1] > _LEAST:
            found.append(value)
    return found


def with_ruled(lines: Sequence[TextLine], rules: Sequence[Box]) -> list[TextLine | PdfTable]:
    """The lines of a page with its ruled tables in place of what stands in them."""
    items: list[TextLine | PdfTable] = list(lines)
    for grid in _find_grids(rules):
        items = _with_grid(items, grid)
    for levels in _find_levels(rules):
        items = _with_levels(items, levels)
    return items


def _with_grid(items: list[TextLine | PdfTable], grid: _Grid) -> list[TextLine | PdfTable]:
    """The items with the table of a grid in place of what stands in it; as they are where it is none."""
    cells: dict[Span, Cell] = {}
    rest: list[TextLine | PdfTable] = []
    start = inside = across = 0  # lines
    for item in items:
        if isinstance(item, PdfTable) or not item.words or not grid.touches(item):
            rest.append(item)
            continue
        parts = grid.cut(item)
        own = sum(span is not None for _, span in parts)
        inside, across = inside + bool(own), across + (0 < own < len(parts))
        for part, span in parts:
            if span is None:
                rest.append(part)
                continue
            start = start if cells else len(rest)
            cells.setdefault(span, []).append(part)
    if across * 4 > inside:
        return items  # lines around some figures of a table
    table = _of_cells(cells, len(grid.ys) - 1, len(grid.xs) - 1)
    return items if table is None else [*rest[:start], table, *rest[start:]]


def _with_levels(items: list[TextLine | PdfTable], levels: Sequence[Box]) -> list[TextLine | PdfTable]:
    """The items with tables whose rows are parted by level lines of one width, and their columns by gaps."""
    left, right, ys = levels[0][0] - 3, levels[0][2] + 3, tuple(rule[1] for rule in levels)
    bands: list[list[TextLine]] = [[] for _ in ys[1:]]
    for item in items:
        if isinstance(item, TextLine) and item.words and left < item.left and item.right < right:
            middle = (item.bottom + item.top) / 2
            if ys[-1] < middle < ys[0]:
                bands[sum(middle < y for y in ys[1:-1])].append(item)
    rows = [read_rows(sorted(band, key=lambda line: (-round(line.bottom, 1), line.left))) for band in bands]

    def is_columnar(n: int) -> bool:
        widest = max((piece.right - piece.left for row in rows[n] for piece in row.pieces), default=0.0)
        return any(row.parted for row in rows[n]) and widest <= 0.7 * (right - left)

    for fits, run in groupby(range(len(rows)), key=is_columnar):
        numbers = list(run)
        every = [row for n in numbers for row in rows[n]]
        body = [row for row in every if row.is_body]
        columns = pdf_rows.find_columns(body if len(body) > 1 else every)
        # Rows of figures of one line each need no lines between.
        if not fits or not columns or len(body) > 1 == len(every) / len(numbers):
            continue
        cells: dict[Span, Cell] = {}
        figures: Counter[Span] = Counter()
        for at, n in enumerate(numbers):
            for row in rows[n]:
                for c, cell in enumerate(in_cells(row.pieces, columns)):
                    cells.setdefault((at, c, 1, 1), []).extend(cell)
                    figures[at, c, 1, 1] += is_number(text_of(cell))
        if max(figures.values()) > 1:
            continue  # rows that no lines part
        if (table := _of_cells(cells, len(numbers), len(columns))) is not None:
            own = {id(line) for row in every for line in row.lines}
            if len(body) > 1 and not table.heads:
                first = next(n for n, item in enumerate(items) if item is every[0].lines[0])
                own |= _put_above(table, items[:first], every[0], columns)
            start = next(n for n, item in enumerate(items) if id(item) in own)
            items = [*items[:start], table, *(item for item in items[start:] if id(item) not in own)]
    return items


def _put_above(
    table: PdfTable, before: Sequence[TextLine | PdfTable], first: Row, columns: Columns
) -> set[int]:
    """Give a table the heads that stand above its topmost line, where its first row is below; gives back the
    `id` of what they are."""
    above = list(takewhile(lambda item: isinstance(item, TextLine), reversed(before)))
    rows = [*read_rows(above[::-1]), first]  # type: ignore[arg-type]
    rows = rows[head_start(rows, len(rows) - 1, 0, columns[1][0]) : -1]
    heads = column_heads_of([row.pieces for row in rows], columns)
    if any(heads[1:]):
        table.heads, table.head = heads, len(rows)
        table.rows[:0] = [in_cells(row.pieces, columns) for row in rows]
        return {id(line) for row in rows for line in row.lines}
    return set()


def _of_cells(cells: dict[Span, Cell], height: int, width: int) -> PdfTable | None:
    """The table of cells in a grid of rows and columns; None where it is none."""
    if not cells or max(len(text_of(cell)) for cell in cells.values()) > _LONGEST:
        return None
    parts = [Row([line]) for cell in cells.values() for line in cell]
    open_columns = sum(any(b - a > 2 * WORD_GAP * row.line.size for a, b in row.gaps) for row in parts)
    open_rows = sum(len(cell) > 2 and all(is_number(line.text) for line in cell) for cell in cells.values())
    if open_columns * 6 > len(parts) or open_rows * 6 > len(cells):
        return None  # no lines part its columns, or its rows
    rows: list[list[Cell]] = [[[] for _ in range(width)] for _ in range(height)]
    whole: list[list[str]] = [[""] * width for _ in range(height)]
    for (row, column, tall, wide), cell in cells.items():
        cell.sort(key=lambda line: (-round(2 * line.bottom / max(line.size, 1.0)), line.left))
        for r in range(row, row + tall):
            rows[r][column] = cell
            whole[r][column : column + wide] = [text_of(cell)] * wide
    kept = [r for r in range(height) if any(rows[r])]
    filled = [c for c in range(width) if any(row[c] for row in rows)]
    if len(kept) < 2 or len(filled) < 2:
        return None
    spans = [
        (
            kept.index(r),
            filled.index(c),
            sum(r <= k < r + h for k in kept),
            sum(c <= k < c + w for k in filled),
        )
        for r, c, h, w in sorted(cells)
    ]
    rows = [[rows[r][c] for c in filled] for r in kept]
    whole = [[whole[r][c] for c in filled] for r in kept]
    title = text_of(rows[0][0]) if spans[0][2:] == (1, len(filled)) else ""
    skip = int(bool(title))
    count = count_heads(rows[skip:])
    heads = tuple(column_heads(whole[skip : skip + count])) if count else ()
    wide_spans = tuple(s for s in spans if max(s[2:]) > 1)
    return PdfTable(rows, heads, head=skip + count, spans=wide_spans, title=title)


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
        return [(a[1], b[0]) for a, b in pairwise(pdf_rows.spread(self._pieces))]


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
