"""Rows of a PDF page as pieces, and the columns that they make.

A piece is a run of words with only word gaps between; in a line that ends in figures, each figure is one.
What the pieces of all rows leave free, projected over them, parts the columns."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from statistics import median

from rag.parsers import pdf_rows
from rag.parsers.base import is_number, same_as_above
from rag.parsers.pdf_lines import WORD, WORD_GAP, TextLine, together

_LEADERS = re.compile(r"(?:\. ?){5}|…{3}|·{5}")
WIDEST = 40  # columns

Cell = list[TextLine]
Columns = Sequence[tuple[float, float]]
"""Left and right of each."""
Span = tuple[int, int, int, int]
"""Row, column, rows and columns of a cell."""


@dataclass(slots=True)
class PdfTable:
    """Lines `first` to `last` (exclusive) of a page. `rows` are the lines of each cell, of which the first
    `head` rows name columns; `heads`, `units`, `title` and `spans` as in `Table`. Not `placed`: a row is one
    cell, its line."""

    rows: list[list[Cell]]
    heads: tuple[tuple[str, ...], ...] = ()
    units: tuple[str, ...] = ()
    head: int = 0
    placed: bool = True
    spans: tuple[Span, ...] = ()
    title: str = ""
    first: int = 0
    last: int = 0

    @property
    def columns(self) -> int:
        return max(map(len, self.rows))

    def lines(self) -> list[TextLine]:
        """Its lines in reading order, each once."""
        return list({id(line): line for row in self.rows for cell in row for line in cell}.values())


class Row:
    """What stands at one height: its lines and, joined, the pieces of it."""

    def __init__(self, lines: list[TextLine]) -> None:
        self.lines = lines
        self.line = together(sorted(lines, key=lambda line: line.left)) if len(lines) > 1 else lines[0]
        self.read = pdf_rows.read_row(self.line.text)

    @property
    def text(self) -> str:
        return self.line.text

    @cached_property
    def cuts(self) -> list[int]:
        """The words that begin a piece."""
        line, read = self.line, self.read
        figures = pdf_rows.cell_spans(line.text)[1:] if read.seed or (read.years and read.count > 1) else []
        if not line.boxes or not (figures or line.wide or len(self.lines) > 1) or _LEADERS.search(line.text):
            return [0]
        size, boxes = line.size, line.boxes
        cuts = [
            n
            for n in range(1, len(boxes) // 2)
            if not -size < boxes[2 * n][0] - boxes[2 * n - 1][2] < size * WORD_GAP
        ]
        if not figures:
            words = line.text.split() if cuts else []
            return [0, *(n for n in cuts if not pdf_rows.is_sign_of(words[n - 1], words[n]))]
        starts = [match.start() for match in WORD.finditer(line.text)]
        begins = {start for start, _ in figures}
        within = {n for n, at in enumerate(starts) if any(start < at < end for start, end in figures)}
        return [0, *sorted({*cuts, *(n for n, at in enumerate(starts) if n and at in begins)} - within)]

    @cached_property
    def parted(self) -> bool:
        return len(self.cuts) > 1

    @property
    def is_body(self) -> bool:
        """Whether it has figures of its own, other than years."""
        return self.read.seed or any(is_number(piece.text) for piece in self.pieces[1:])

    @cached_property
    def pieces(self) -> list[TextLine]:
        return self.line.parts([*self.cuts, len(self.line.numbers)]) if self.parted else [self.line]

    @cached_property
    def gaps(self) -> list[tuple[float, float]]:
        boxes = self.line.boxes
        return [(boxes[2 * n - 1][2], boxes[2 * n][0]) for n in self.cuts[1:]]


def read_rows(lines: Sequence[TextLine]) -> list[Row]:
    groups: list[list[TextLine]] = []
    for line in lines:
        beside = groups and line.boxes and groups[-1][-1].boxes
        if beside and all(
            abs(other.bottom - line.bottom) < 0.3 * line.size
            and (line.left > other.right - 1 or line.right < other.left + 1)
            for other in groups[-1]
        ):
            groups[-1].append(line)
        else:
            groups.append([line])
    return [Row(group) for group in groups]


def find_columns(rows: Sequence[Row]) -> list[tuple[float, float]]:
    """The columns of rows: what the pieces of all of them leave free parts them; [] where nothing does."""
    split = [row.pieces for row in rows if len(row.pieces) > 1]
    if len(split) < 2:
        return []
    every = [piece for pieces in split for piece in pieces]
    found = _parted(_spread(every), split)
    if not found and any(row.read.seed for row in rows):
        # Pieces that lie across two of many other rows are no cells of one column.
        usual = median(piece.right - piece.left for piece in every)
        across = [
            sum(len(_over(piece, pieces)) > 1 for pieces in split) if piece.right - piece.left > usual else 0
            for piece in every
        ]
        kept = [p for p, n in zip(every, across, strict=True) if n * 4 <= len(split) or n < 2]
        found = _parted(_spread(kept), split)
    return found


def _over(piece: TextLine, others: Sequence[TextLine]) -> list[TextLine]:
    """The pieces of another line that a piece lies over, those with a word gap between as one."""
    over = [other for other in others if other.left < piece.right and piece.left < other.right]
    return [o for n, o in enumerate(over) if not n or o.left - over[n - 1].right > WORD_GAP * o.size]


def _parted(
    columns: list[tuple[float, float]], split: Sequence[Sequence[TextLine]]
) -> list[tuple[float, float]]:
    """The columns, those with only word gaps between as one; [] where pieces have no column of their own."""
    size = split[0][0].size
    places = [[_place(piece, columns) for piece in pieces] for pieces in split]
    gaps: dict[int, list[float]] = {}
    figures: Counter[int] = Counter()
    wide: list[list[tuple[int, int]]] = []  # pairs of pieces with more than a word gap between
    for pieces, some in zip(split, places, strict=True):
        wide.append([])
        for (a, piece), (b, after) in pairwise(zip(some, pieces, strict=True)):
            gap = after.left - piece.right
            if a != b:
                # Two figures are two cells, but for a share in brackets behind one.
                share = after.text.endswith("%)") and not piece.text.endswith(")")
                gaps.setdefault(b, []).append(gap)
                figures[b] += is_number(piece.text) and is_number(after.text) and not share
            if gap > WORD_GAP * size:
                wide[-1].append((a, b))
    near = {n for n, some in gaps.items() if median(some) < 0.5 * size}
    if len(near) == len(gaps):
        return []  # as in prose
    joined = {n for n in near if 2 * figures[n] <= len(gaps[n])}
    number = [n - sum(k <= n for k in joined) for n in range(len(columns))]
    crowded = sum(any(number[a] == number[b] for a, b in pairs) for pairs in wide)
    found = [column for n, column in enumerate(columns) if n not in joined]
    for n in joined:
        found[number[n]] = (found[number[n]][0], columns[n][1])
    return found if 1 < len(found) <= WIDEST and crowded * 5 <= len(split) else []


def _spread(pieces: Sequence[TextLine]) -> list[tuple[float, float]]:
    found: list[tuple[float, float]] = []
    for left, right in sorted((piece.left, piece.right) for piece in pieces):
        if found and left < found[-1][1] + 0.5:
            found[-1] = (found[-1][0], max(found[-1][1], right))
        else:
            found.append((left, right))
    return found


def _place(piece: TextLine, columns: Columns) -> int:
    """The column that a piece stands in: the first one that it lies over, else the nearest."""
    for n, (left, right) in enumerate(columns):
        if piece.left < right:
            if left < piece.right or not n:
                return n
            return n if left - piece.right < piece.left - columns[n - 1][1] else n - 1
    return len(columns) - 1


def in_cells(pieces: Sequence[TextLine], columns: Columns) -> list[Cell]:
    cells: list[Cell] = [[] for _ in columns]
    for piece in pieces:
        cells[_place(piece, columns)].append(piece)
    return cells


def text_of(cell: Sequence[TextLine]) -> str:
    return " ".join(line.text for line in cell)


def carried(rows: list[list[Cell]]) -> list[list[Cell]]:
    """Blank means same, in tables of more than two columns."""
    texts = [[text_of(cell) for cell in row] for row in rows]
    for n, c in same_as_above(texts) if min(map(len, rows), default=0) > 2 else ():
        rows[n][c] = rows[n - 1][c]
    return rows
