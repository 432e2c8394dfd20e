"""Ruled tables: lines drawn on a PDF page give a grid, where a line that is missing between two cells makes
them one; or level lines of one width part rows, whose columns are found by gaps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from rag.parsers.base import column_heads, is_number
from rag.parsers.pdf_heads import column_heads_of, count_heads
from rag.parsers.pdf_lines import WORD_GAP, Box, TextLine
from rag.parsers.pdf_pieces import (
    Cell,
    PdfTable,
    Row,
    Span,
    carried,
    find_columns,
    in_cells,
    read_rows,
    text_of,
)

_LONGEST = 1500  # characters of a cell: more is a page's layout
_NEAR = 3.0  # points between lines that meet
_LEAST = 6.0  # points between two lines of a grid
_MOST = 60_000  # pairs of lines that are compared


@dataclass(frozen=True, slots=True)
class Grid:
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
        for word in line.words():
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


def _find_grids(rules: Sequence[Box]) -> list[Grid]:
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


def _find_bands(rules: Sequence[Box]) -> list[list[Box]]:
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


def with_ruled(lines: Sequence[TextLine], rules: Sequence[Box]) -> list[TextLine | PdfTable]:
    """The lines of a page with its ruled tables in place of what stands in them."""
    items: list[TextLine | PdfTable] = list(lines)
    for grid in _find_grids(rules):
        items = _with_grid(items, grid)
    for levels in _find_bands(rules):
        items = _with_bands(items, levels)
    return items


def _with_grid(items: list[TextLine | PdfTable], grid: Grid) -> list[TextLine | PdfTable]:
    """The items with the table of a grid in place of what stands in it; as they are where it is none."""
    cells: dict[Span, Cell] = {}
    rest: list[TextLine | PdfTable] = []
    place: int | None = None
    for item in items:
        if isinstance(item, PdfTable) or not item.boxes or not grid.touches(item):
            rest.append(item)
            continue
        for part, span in grid.cut(item):
            if span is None:
                rest.append(part)
                continue
            place = len(rest) if place is None else place
            cells.setdefault(span, []).append(part)
    table = _of_grid(cells, grid)
    if table is None or place is None:
        return items
    return [*rest[:place], table, *rest[place:]]


def _with_bands(items: list[TextLine | PdfTable], levels: Sequence[Box]) -> list[TextLine | PdfTable]:
    """The items with tables whose rows are parted by level lines of one width, and their columns by gaps."""
    left, right, tops = levels[0][0] - 3, levels[0][2] + 3, [b[1] for b in levels]
    bands: list[list[TextLine]] = [[] for _ in tops[1:]]
    for item in items:
        if isinstance(item, TextLine) and item.boxes and left < item.left and item.right < right:
            middle = (item.bottom + item.top) / 2
            if tops[-1] < middle < tops[0]:
                bands[sum(middle < top for top in tops[1:-1])].append(item)
    bands = [sorted(band, key=lambda line: (-round(line.bottom, 1), line.left)) for band in bands]
    rows = [read_rows(band) for band in bands]
    width = 0.7 * (right - left)

    def is_columnar(band: list[Row]) -> bool:
        return any(row.parted for row in band) and not any(
            piece.right - piece.left > width for row in band for piece in row.pieces
        )

    for fits, run in groupby(rows, key=is_columnar):
        table = _of_bands(list(run)) if fits else None
        if table is not None:
            own = {id(line) for band in rows for row in band for line in row.lines if row in table[1]}
            place = next(n for n, item in enumerate(items) if id(item) in own)
            rest = [item for item in items if id(item) not in own]
            items = [*rest[:place], table[0], *rest[place:]]
    return items


def _of_bands(bands: list[list[Row]]) -> tuple[PdfTable, list[Row]] | None:
    every = [row for band in bands for row in band]
    body = [row for row in every if row.is_body]
    columns = find_columns(body if len(body) > 1 else every)
    if len(bands) < 2 or not columns:
        return None
    cells: list[list[Cell]] = []
    for band in bands:
        each = [in_cells(row.pieces, columns) for row in band]
        if any(sum(is_number(text_of(row[n])) for row in each) > 1 for n in range(len(columns))):
            return None  # rows that no lines part
        cells.append([[line for row in each for line in row[n]] for n in range(len(columns))])
    number = count_heads(cells)
    named = [[line for row in band for line in row.pieces] for band in bands[:number]]
    heads = column_heads_of(named, columns)
    return PdfTable([*cells[:number], *carried(cells[number:])], heads, head=number), every


def _of_grid(cells: dict[Span, Cell], grid: Grid) -> PdfTable | None:
    parts = [Row([line]) for cell in cells.values() for line in cell]
    open_rows = sum(any(b - a > 2 * WORD_GAP * row.line.size for a, b in row.gaps) for row in parts)
    if (
        not cells
        or max(len(text_of(cell)) for cell in cells.values()) > _LONGEST
        or open_rows * 6 > len(parts)
    ):
        return None  # columns that no lines part
    height, width = len(grid.ys) - 1, len(grid.xs) - 1
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
    table = PdfTable(rows, heads, head=skip + count, spans=wide_spans, title=title)
    return table if wide_spans else _with_open_rows(table)


def _with_open_rows(table: PdfTable) -> PdfTable:
    """With the rows apart that no line parts: where figures stand one below the other in a cell."""
    rows: list[list[Cell]] = []
    for row in table.rows:
        stacked = [cell for cell in row if len(cell) > 2 and all(is_number(line.text) for line in cell)]
        if not stacked:
            rows.append(row)
            continue
        levels = [line.bottom for line in max(stacked, key=len)]
        for n, level in enumerate(levels):
            below = levels[n + 1] if n + 1 < len(levels) else float("-inf")
            above = float("inf") if not n else level + 0.4 * row[0][0].size if row[0] else level
            rows.append([[line for line in cell if below < line.bottom <= above + 1] for cell in row])
    table.rows = rows
    return table
