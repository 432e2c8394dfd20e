"""Tables that come as cells (HTML, DOCX, Markdown, sheets): which rows are column heads, and what each row is
called."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from rag.parsers.base import TextBuilder, one_line

_NUMBER = re.compile(r"[(（+\-–—−]?\s*(?:[A-Z]{0,3}[$€£¥￥])?\s*[(（]?[-−]?\d[\d,.\s]*[)）]?\s*[%％]?[)）]?$")
_YEAR = re.compile(r"(?:FY\s?)?(?:19|20)\d\d(?:\s?[-–/]\s?(?:\d{2}|\d{4}))?$")
_OPENS = frozenset(("$", "€", "£", "¥", "￥", "(", "US$", "HK$", "RMB", "($", "(€", "(£"))
_CLOSES = frozenset((")", "%", "%)", ")%", "％"))
MAX_COLUMNS = 256

Grid = list[list[str]]


def is_number(cell: str) -> bool:
    """A quantity, as body cells hold; a bare year is none, because years head columns."""
    text = cell.strip()
    return _NUMBER.match(text) is not None and _YEAR.match(text) is None


def rectangle(grid: Grid) -> Grid:
    """Every row as wide as the widest (at most MAX_COLUMNS), every cell on one line."""
    width = min(max((len(row) for row in grid), default=0), MAX_COLUMNS)
    return [[one_line(c) for c in row[:width]] + [""] * (width - len(row)) for row in grid]


def _attach_signs(row: list[str]) -> None:
    for c, cell in enumerate(row):
        if (
            cell in _OPENS
            and c + 1 < len(row)
            and row[c + 1][:1].isdigit() | (row[c + 1][:1] in ("(", "—", "-", "–"))
        ):
            row[c], row[c + 1] = "", cell + row[c + 1]
        elif cell in _CLOSES and c and row[c - 1]:
            row[c - 1], row[c] = row[c - 1] + cell, ""


def count_header_rows(grid: Grid) -> int:
    """How many top rows name columns: rows without quantities; after the first only rows that name no line
    (empty first cell)."""
    count = 0
    for row in grid[:4]:
        filled = [cell for cell in row if cell]
        if (
            not filled
            or any(is_number(cell) for cell in filled)
            or (count and row[0])
            or max(map(len, filled)) > 120
        ):
            break
        count += 1
    return count if count < len(grid) else 0


def column_heads(rows: Sequence[Sequence[str]]) -> list[tuple[str, ...]]:
    """The heads of each column, read downwards: "2019" above "Revenue"; a head that spans columns counts for
    each of them (its copies stand in `rows`). Columns at the end without one are left out."""
    heads = [tuple(dict.fromkeys(filter(None, column))) for column in zip(*rows, strict=True)]
    while heads and not heads[-1]:
        heads.pop()
    return heads


# (rows, columns) that a cell spans, by its row and column in a grid.
GridSpans = Mapping[tuple[int, int], tuple[int, int]]


def add_table(
    builder: TextBuilder,
    grid: Grid,
    *,
    header_rows: int = 0,
    heads: Grid | None = None,
    spans: GridSpans | None = None,
) -> None:
    """Add a table row by row; its head rows become one row, which is the head of all.

    `header_rows`: how many top rows the format marks as heads (0: guess). `heads`: the grid with spanning
    cells repeated, where the format knows spans; `spans`: (rows, columns) of those cells, by row and column.
    Currency signs and closing brackets that stand in cells of their own, as in filings, are put to their
    numbers, and columns without content are left out."""
    grid = rectangle(grid)
    heads = grid if heads is None else rectangle(heads)
    if not grid or not grid[0]:
        return
    for row in grid:
        _attach_signs(row)
    count = min(header_rows, len(grid)) or count_header_rows(heads)
    kept = _columns_with_content(grid, heads, count)
    body = [[row[c] for c in kept] for row in grid]
    if len(kept) == 1:
        builder.start_group()
        for row in body:
            builder.paragraph(row[0])
        return
    named = column_heads([[row[c] for c in kept] for row in heads[:count]])
    filled = [number for number, row in enumerate(body) if number >= count and any(row)]
    numbers = {number: n for n, number in enumerate(filled, bool(named))}
    builder.table(named, spans=_spans(spans or {}, kept, numbers))
    builder.row([" ".join(parts) for parts in named])
    for row in body[count:]:
        builder.row(row)


def _spans(
    spans: GridSpans, kept: Sequence[int], numbers: Mapping[int, int]
) -> list[tuple[int, int, int, int]]:
    """`Table.spans`: what a cell spans of the columns that are kept and of the rows that have a number."""
    places = {column: n for n, column in enumerate(kept)}
    found = []
    for (row, column), (rows, columns) in spans.items():
        if row in numbers and column in places:
            down = sum(n in numbers for n in range(row, row + rows))
            across = sum(n in places for n in range(column, column + columns))
            found += [(numbers[row], places[column], down, across)] if max(down, across) > 1 else []
    return found


def _columns_with_content(grid: Grid, heads: Grid, count: int) -> list[int]:
    """Columns that any body row fills. A head that would be lost with the others keeps all non-empty
    columns."""
    columns = range(len(grid[0]))
    kept = [c for c in columns if any(row[c] for row in grid[count:])]
    head_cells = {row[c] for row in heads[:count] for c in kept}
    if all(cell in head_cells for row in heads[:count] for cell in row if cell):
        return kept
    return [c for c in columns if any(row[c] for row in grid)]
