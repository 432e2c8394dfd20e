"""Rows of a PDF page: a line of figures read from its end ("Cost of sales $ (1,234) 5.6 %" is a label and two
figures), the pieces of what stands at one height, and the columns that pieces make.

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

from rag.facts.dates import MONTH_NAME
from rag.languages import Patterns, patterns
from rag.parsers.base import is_label, is_number, same_as_above
from rag.parsers.pdf_lines import WORD_GAP, TextLine, together

_RE = Patterns(__file__)
_UNFINISHED = patterns("pdf_layout", re.NOFLAG)
YEAR = _RE["year"]
_NOTHING = _RE.words("nothing")
_GLUE = _RE.words("glue")
_OPENERS = _RE.words("openers")
_CLOSERS = _RE.words("closers")
MONTH = rf"(?:{MONTH_NAME})\.?"
MAX_LABEL = 160
_BEFORE_LETTER = frozenset("0123456789)%")
_ROW_ENDS = frozenset("0123456789)）%％—–-―－*xAaMm.pts†‡#用无")


@dataclass(frozen=True, slots=True)
class PdfRow:
    """A line read from its end: words of the label, words that are figures, and of each figure its first and
    last word by their numbers, with the signs that stand beside it."""

    label: str = ""
    values: tuple[str, ...] = ()
    years: bool = False  # all figures are bare years: a head, not a row
    figures: tuple[tuple[int, int], ...] = ()

    @property
    def count(self) -> int:
        return len(self.values)

    @property
    def seed(self) -> bool:
        if self.years or not self.values or len(self.label) > MAX_LABEL or _RE["sentence"].search(self.label):
            return False
        return self.count > 1 or (
            _RE["financial"].search(self.values[0]) is not None and not YEAR.match(self.values[0])
        )


def read_row(text: str) -> PdfRow:
    """Split "Cost of sales $ (1,234) 5.6 %" into its label and its two figures."""
    if text[-1:] not in _ROW_ENDS:  # which rules figures out
        return PdfRow()
    words = text.split()
    places: list[int] = []
    at = len(words)
    while at:
        at -= 1
        word, before = words[at], words[at - 1] if at else ""
        if word in _NOTHING or (is_value(word) and not _is_date_end(word, before)):
            places.append(at)
        elif word not in _GLUE and not (_RE["letter"].fullmatch(word) and before[-1:] in _BEFORE_LETTER):
            at += 1
            break
    values = tuple(words[n] for n in reversed(places))
    figures = tuple(_with_signs(words, n) for n in reversed(places))
    return PdfRow(" ".join(words[:at]), values, bool(values) and all(map(YEAR.match, values)), figures)


def _with_signs(words: Sequence[str], at: int) -> tuple[int, int]:
    first = last = at
    while words[at] not in _NOTHING and first and words[first - 1] in _OPENERS:
        first -= 1
    while words[at] not in _NOTHING and last + 1 < len(words) and words[last + 1] in _CLOSERS:
        last += 1
    return first, last


def cell_spans(text: str) -> list[tuple[int, int]]:
    """(start, end) of the label, empty where the line begins with a figure, and of each figure of a line,
    with the currency sign, bracket or percent sign that stand beside it."""
    read = read_row(text)
    words = [match.span() for match in re.finditer(r"\S+", text)] if read.figures else []
    label = words[len(read.label.split()) - 1][1] if read.label and words else 0
    figures = [(words[first][0], words[last][1]) for first, last in read.figures]
    return [(0, label if figures else len(text)), *figures]


def is_value(word: str) -> bool:
    if not any(c.isdigit() for c in word):
        return False
    match = _RE["value"].match(word)
    # "18)" closes a bracket that a word before it opened, as in "(Note 18)".
    return match is not None and not (match.group("close") and "(" not in word and "（" not in word)


def _is_date_end(word: str, before: str) -> bool:
    """The year of "December 31, 2019", or the day of "June 30"."""
    if before.endswith(",") and YEAR.match(word) and before[:-1].isdigit():
        return True
    return word.isdigit() and len(word) <= 2 and re.fullmatch(MONTH, before, re.I) is not None


def is_sentence(text: str) -> bool:
    """Prose rather than a label: it ends like a sentence or has a full stop inside."""
    return _RE["sentence"].search(text) is not None


def is_blank_figure(word: str) -> bool:
    """A dash or the like, which stands where a figure would."""
    return word in _NOTHING


def wraps(text: str, following: str) -> bool:
    """A label whose end stands in the next line."""
    if not following or text.endswith((":", "：")):
        return False
    return (
        following[:1].islower()
        or following[:1].isdigit()
        or text.endswith((",", ";", "-"))
        or _UNFINISHED["unfinished_title"].search(text) is not None
    )


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
    `head` rows name columns; `heads`, `spans` and `title` as in `Table`; its `units`, and its title where no
    row is one, are found once what stands above is known. Not `placed`: a row is one cell, its line."""

    rows: list[list[Cell]]
    heads: tuple[tuple[str, ...], ...] = ()
    head: int = 0
    placed: bool = True
    spans: tuple[Span, ...] = ()
    title: str = ""
    units: tuple[str, ...] = ()
    first: int = 0
    last: int = 0

    @property
    def columns(self) -> int:
        return max(map(len, self.rows))

    def lines(self) -> list[TextLine]:
        """Its lines in reading order, each once."""
        return list({id(line): line for row in self.rows for cell in row for line in cell}.values())


class Row:
    """What stands at one height: its lines and, joined, the pieces of it. `banded`: cells of more lines."""

    banded = False

    def __init__(self, lines: list[TextLine]) -> None:
        self.lines = lines
        self.line = together(sorted(lines, key=lambda line: line.left)) if len(lines) > 1 else lines[0]
        self.read = read_row(self.line.text)

    @property
    def text(self) -> str:
        return self.line.text

    @cached_property
    def cuts(self) -> list[int]:
        """The words that begin a piece."""
        line, read = self.line, self.read
        figures = read.figures if read.seed or (read.years and read.count > 1) else ()
        gaps = [0.0, *line.gaps()]
        wide = len(self.lines) > 1 or any(gap > line.size * WORD_GAP for gap in gaps)
        if not line.words or not (figures or (wide and not _LEADERS.search(line.text))):
            return [0]
        cuts = {n for n, gap in enumerate(gaps) if n and not -line.size < gap < line.size * WORD_GAP}
        if not figures:
            opened = (n for n in cuts if line.words[n - 1].text in _OPENERS)  # "$ 265" is one piece
            signs = {n for n in opened if (c := line.words[n].text[:1]).isdigit() or c in _OPENERS}
            return [0, *sorted(cuts - signs)]
        within = {n for first, last in figures for n in range(first + 1, last + 1)}
        return [0, *sorted(({first for first, _ in figures} | cuts) - within - {0})]

    @cached_property
    def parted(self) -> bool:
        return len(self.cuts) > 1

    @property
    def is_body(self) -> bool:
        """Whether it has figures of its own, other than years."""
        return self.read.seed or any(is_number(piece.text) for piece in self.pieces[1:])

    @cached_property
    def pieces(self) -> list[TextLine]:
        return self.line.parts([*self.cuts, len(self.line.words)]) if self.parted else [self.line]

    @cached_property
    def gaps(self) -> list[tuple[float, float]]:
        words = self.line.words
        return [(words[n - 1].last[2], words[n].first[0]) for n in self.cuts[1:]]


def read_rows(lines: Sequence[TextLine]) -> list[Row]:
    groups: list[list[TextLine]] = []
    for line in lines:
        beside = groups and line.words and groups[-1][-1].words
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
    found = _parted(spread(every), split)
    if not found and any(row.read.seed or row.banded for row in rows):
        # Pieces that lie across two of many other rows are no cells of one column.
        usual = median(piece.right - piece.left for piece in every)
        across = [
            sum(len(_over(piece, pieces)) > 1 for pieces in split) if piece.right - piece.left > usual else 0
            for piece in every
        ]
        kept = [p for p, n in zip(every, across, strict=True) if n * 4 <= len(split) or n < 2]
        found = _parted(spread(kept), split)
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


def spread(pieces: Sequence[TextLine]) -> list[tuple[float, float]]:
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


def in_cells(pieces: Sequence[TextLine], columns: Columns, *, cut: bool = False) -> list[Cell]:
    """The pieces of a row by columns; `cut` in front of words that begin just as one does."""
    cells: list[Cell] = [[] for _ in columns]
    parts = (part for piece in pieces for part in _at_columns(piece, columns)) if cut else pieces
    for piece in parts:
        cells[_place(piece, columns)].append(piece)
    return cells


def _at_columns(piece: TextLine, columns: Columns) -> list[TextLine]:
    """A piece that lies over several columns cut where a word of it begins just as one of them does."""
    if sum(left < piece.right and piece.left < right for left, right in columns) < 2:
        return [piece]
    lefts = [word.first[0] for word in piece.words]
    cuts = [n for n, x in enumerate(lefts) if n and any(abs(left - x) < 1 for left, _ in columns[1:])]
    return piece.parts([0, *cuts, len(lefts)]) if cuts else [piece]


def text_of(cell: Sequence[TextLine]) -> str:
    return " ".join(line.text for line in cell)


def carried(rows: list[list[Cell]], tops: Sequence[int]) -> list[list[Cell]]:
    """Blank means same, in tables of more than two columns. Where rows from each of `tops` on stand apart and
    each such group has one label, it is that of all its rows, beside whichever it stands."""
    texts = [[text_of(cell) for cell in row] for row in rows]
    if min(map(len, rows), default=0) < 3:
        return rows
    groups = [rows[a:b] for a, b in pairwise((0, *tops, len(rows)))]
    labels = [[row[0] for row in group if row[0]] for group in groups]
    grouped = sum(len(group) > 1 for group in groups) > 1 and all(len(own) == 1 for own in labels)
    if grouped and all(is_label(row[1]) for row in texts):
        return [[label, *row[1:]] for group, (label,) in zip(groups, labels, strict=True) for row in group]
    for n, c in same_as_above(texts):
        rows[n][c] = rows[n - 1][c]
    return rows
