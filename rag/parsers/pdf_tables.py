"""Tables of a PDF page as cells. Where lines are drawn, they are the grid (`pdf_grids`); elsewhere rows are the
lines of text, and columns what the gaps between their pieces leave, projected over all rows of the table.

A piece is a run of words with only word gaps between; in a line that ends in figures, each figure is one. Heads
are the lines above the body, laid over the columns by where they stand: "Three Months Ended" over four years
begins the first two heads. Where no columns are found, a row is a line with a label and figures."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby, pairwise
from statistics import median

from rag.languages import patterns
from rag.parsers import pdf_rows
from rag.parsers.base import column_heads, is_number
from rag.parsers.pdf_columns import in_columns, is_prose
from rag.parsers.pdf_grids import Grid, Span, find_bands, find_grids
from rag.parsers.pdf_lines import WORD_GAP, Box, TextLine, together
from rag.parsers.plain import is_list_item

_RE = patterns("pdf_tables", re.NOFLAG)
_PERIOD = re.compile(
    rf"\b{pdf_rows.MONTH}\s+\d{{1,2}}\b|\b(?:19|20)\d\d\b|\b(?:ended|months|quarter|fiscal|weeks)\b|\byears?\b"
    r"|\d{4}\s*年|(?:本|上)(?:期|年)|期[末初]|年[末初]|同比|截至",
    re.I,
)
_CAPTION = re.compile(r"(?i)(?:table|exhibit|schedule|附?表)\s*[\dIVX一二三四五六七八九十]")
_QUANTITY = re.compile(r"\W*\d")
_LEADERS = re.compile(r"(?:\. ?){5}|…{3}|·{5}")
_BRACKETS = re.compile(r"[(（][^()（）]*[)）]")
_MAX_LINES = 10  # of a head
_MAX_GAP = 4  # rows without figures between two that have some
_FALL = 3.0  # between two rows, as a share of the height of the type's box
_CLOSE = 0.6  # between two lines of a cell, likewise
_LONGEST = 1500  # characters of a cell: more is a page's layout
_WIDEST = 40  # columns
_TRIES = 3

Cell = list[TextLine]


@dataclass(slots=True)
class PdfTable:
    """Lines `first` to `last` (exclusive) of a page. `rows` are the lines of each cell, of which the first
    `head` rows name columns; `heads`, `units`, `title` and `spans` as in `Table`. Not `placed`: a row is a line.
    """

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


def arrange(lines: Sequence[TextLine], rules: Sequence[Box] = ()) -> tuple[list[TextLine], list[PdfTable]]:
    """The lines of a page in reading order, and its tables: the lines of each follow one another, row by row."""
    items: list[TextLine | PdfTable] = list(lines)
    for grid in find_grids(rules):
        items = _with_grid(items, grid)
    for levels in find_bands(rules):
        items = _with_bands(items, levels)
    found: list[TextLine] = []
    tables: list[PdfTable] = []
    for item in _all_items(items):
        if isinstance(item, TextLine):
            found.append(item)
            continue
        _caption(item, found[tables[-1].last if tables else 0 :])
        own = item.lines()
        item.first, item.last = len(found), len(found) + len(own)
        tables.append(item)
        found += own
    return found, tables


def _all_items(items: Sequence[TextLine | PdfTable]) -> Iterator[TextLine | PdfTable]:
    """With the tables that are not ruled."""
    run: list[TextLine] = []
    for item in items:
        if isinstance(item, TextLine):
            run.append(item)
            continue
        yield from _unruled(in_columns(run))
        run = []
        yield item
    yield from _unruled(in_columns(run))


def _caption(table: PdfTable, above: Sequence[TextLine]) -> None:
    """The line above a table as its title: a caption, a line with a colon, or one in other type."""
    line, below = above[-1] if above else None, table.lines()[0]
    if line is None or table.title or (line.size and line.bottom - below.top > _FALL * line.size):
        return
    set_off = (line.bold and not below.bold) or line.size > 1.1 * below.size
    captions = _CAPTION.match(line.text) or line.text.endswith((":", "：")) or _RE["introduces"].search(line.text)
    if len(line.text) <= 160 and (captions or (set_off and line.text[-1:] not in ".。;；,")):
        table.title = line.text
        stated = _BRACKETS.search(line.text)
        if not table.units and stated and _states_units(stated[0]):
            table.units = (stated[0],)


def _states_units(text: str) -> bool:
    """Whether a line states a unit, as "(in millions)" or "单位：万元" does."""
    return _RE["units"].search(text) is not None


def _text(cell: Sequence[TextLine]) -> str:
    return " ".join(line.text for line in cell)


# Ruled


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
    rows = [_rows(band) for band in bands]
    width = 0.7 * (right - left)

    def is_columnar(band: list[_Row]) -> bool:
        return any(len(row.pieces) > 1 for row in band) and not any(
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


def _of_bands(bands: list[list[_Row]]) -> tuple[PdfTable, list[_Row]] | None:
    every = [row for band in bands for row in band]
    body = [row for row in every if _is_body(row)]
    columns = _columns(body if len(body) > 1 else every)
    if len(bands) < 2 or not columns:
        return None
    cells: list[list[Cell]] = []
    for band in bands:
        each = [_in_columns(row.pieces, columns) for row in band]
        if any(sum(is_number(_text(row[n])) for row in each) > 1 for n in range(len(columns))):
            return None  # rows that no lines part
        cells.append([[line for row in each for line in row[n]] for n in range(len(columns))])
    number = _count_heads(cells)
    named = [[line for row in band for line in row.pieces] for band in bands[:number]]
    heads = _heads(named, columns)
    return PdfTable([*cells[:number], *_carried(cells[number:])], heads, head=number), every


def _of_grid(cells: dict[Span, Cell], grid: Grid) -> PdfTable | None:
    parts = [_Row([line]) for cell in cells.values() for line in cell]
    open_rows = sum(any(b - a > 2 * WORD_GAP * row.line.size for a, b in row.gaps) for row in parts)
    if not cells or max(len(_text(cell)) for cell in cells.values()) > _LONGEST or open_rows * 6 > len(parts):
        return None  # columns that no lines part
    height, width = len(grid.ys) - 1, len(grid.xs) - 1
    rows: list[list[Cell]] = [[[] for _ in range(width)] for _ in range(height)]
    whole: list[list[str]] = [[""] * width for _ in range(height)]
    for (row, column, tall, wide), cell in cells.items():
        cell.sort(key=lambda line: (-round(2 * line.bottom / max(line.size, 1.0)), line.left))
        for r in range(row, row + tall):
            rows[r][column] = cell
            whole[r][column : column + wide] = [_text(cell)] * wide
    kept = [r for r in range(height) if any(rows[r])]
    filled = [c for c in range(width) if any(row[c] for row in rows)]
    if len(kept) < 2 or len(filled) < 2:
        return None
    spans = [
        (kept.index(r), filled.index(c), sum(r <= k < r + h for k in kept), sum(c <= k < c + w for k in filled))
        for r, c, h, w in sorted(cells)
    ]
    rows = [[rows[r][c] for c in filled] for r in kept]
    whole = [[whole[r][c] for c in filled] for r in kept]
    title = _text(rows[0][0]) if spans[0][2:] == (1, len(filled)) else ""
    skip = int(bool(title))
    count = _count_heads(rows[skip:])
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


def _count_heads(rows: Sequence[Sequence[Cell]]) -> int:
    """How many rows at the top name columns: no figures in them, and other type than below, figures below, or
    words over each of several columns."""
    count = 0
    for n, row in enumerate(rows[:4]):
        texts = [_text(cell) for cell in row]
        own = bool(row[0]) and not (n and row[0] is rows[n - 1][0])
        if any(map(is_number, texts)) or (count and own) or not any(texts[1:]) or max(map(len, texts)) > 120:
            break
        count += 1
    body = rows[count:]
    if not count or not body:
        return 0
    head = [line for row in rows[:count] for cell in row for line in cell]
    bold = all(line.bold for line in head) and not all(c[0].bold for row in body for c in row if c)
    columns = [[_text(cell) for cell in column] for column in zip(*body, strict=True)]
    over = [" ".join(_text(row[c]) for row in rows[:count]) for c in range(len(columns))]
    contrast = any(
        sum(map(is_number, column)) * 2 >= sum(map(bool, column)) > 0
        or (not _QUANTITY.match(name) and sum(map(bool, map(_QUANTITY.match, column))) * 2 > len(column))
        for column, name in zip(columns[1:], over[1:], strict=True)
    )
    each = len(over) > 2 and all(rows[0]) and not any(map(_QUANTITY.match, over))
    return count if bold or contrast or each else 0


# Not ruled


class _Row:
    """What stands at one height: its lines and, joined, the pieces of it."""

    def __init__(self, lines: list[TextLine]) -> None:
        self.lines = lines
        self.line = together(sorted(lines, key=lambda line: line.left)) if len(lines) > 1 else lines[0]
        (self.read,) = pdf_rows.read_rows([self.line.text])

    @property
    def text(self) -> str:
        return self.line.text

    @cached_property
    def pieces(self) -> list[TextLine]:
        line, read = self.line, self.read
        figures = pdf_rows.cell_spans(line.text)[1:] if read.seed or (read.years and read.count > 1) else []
        if _LEADERS.search(line.text) or not line.boxes or not (figures or line.wide or len(self.lines) > 1):
            return [line]
        begins = {start for start, _ in figures}
        words = line.words()
        cuts = [0]
        for n, (before, word) in enumerate(pairwise(words), start=1):
            gap = word.first[0] - before.last[2]
            within = any(start < word.start < end for start, end in figures) or pdf_rows.belong_together(
                line.text[before.start : before.end], line.text[word.start : word.end]
            )
            apart = not -line.size < gap < line.size * WORD_GAP
            if word.start in begins or (apart and not within):
                cuts.append(n)
        return [line.part(a, b) for a, b in pairwise([*cuts, len(words)])]

    @property
    def gaps(self) -> list[tuple[float, float]]:
        return [(a.right, b.left) for a, b in pairwise(self.pieces)]


def _rows(lines: Sequence[TextLine]) -> list[_Row]:
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
    return [_Row(group) for group in groups]


def _unruled(lines: Sequence[TextLine]) -> Iterator[TextLine | PdfTable]:
    rows = _rows(lines)
    at = done = tried = 0
    while at < len(rows):
        end = _end(rows, at)
        found = _table(rows, at, end, done) if end > at + 1 else None
        if found is None:
            # Its first rows may be no part of it; what is none then is none from any row on.
            tried = tried + 1 if end > at + 1 else 0
            at = end if tried > _TRIES else at + 1
            continue
        tried = 0
        start, table = found
        yield from (line for row in rows[done:start] for line in row.lines)
        yield table
        at = done = end
    yield from (line for row in rows[done:] for line in row.lines)


def _end(rows: Sequence[_Row], first: int) -> int:
    """Behind the last row of the table that could begin with row `first`: one gap at least goes down through
    its rows, or each ends in figures."""
    if (len(rows[first].pieces) < 2 and not rows[first].read.seed) or _LEADERS.search(rows[first].text):
        return first
    gaps, last, over = rows[first].gaps, first, 0
    figures = rows[first].read.seed
    for n in range(first + 1, len(rows)):
        row, above = rows[n], rows[n - 1]
        line = row.line
        if line.boxes and not -0.8 * line.size < above.line.bottom - line.top < _FALL * line.size:
            break
        heads_anew = _heads_anew(row)
        if len(row.pieces) > 1 or row.read.seed:
            shared = [(max(a[0], b[0]), min(a[1], b[1])) for a in gaps for b in row.gaps]
            shared = [gap for gap in shared if gap[1] - gap[0] > 0.15 * line.size]
            if (figures and heads_anew) or not (shared or (row.read.seed and rows[last].read.seed)):
                break
            gaps, last, over, figures = shared, n, 0, figures or row.read.seed
            continue
        over += bool(gaps) and all(line.left < a and b < line.right for a, b in gaps)
        if (figures and heads_anew) or over > 1 or n - last > _MAX_GAP or not _is_label(row.text):
            break
    return _with_last_lines(rows, last) + 1


def _heads_anew(row: _Row) -> bool:
    """Whether a row below figures is the head of another table."""
    pieces, read = row.pieces, row.read
    if len(pieces) < 2:
        return _states_units(row.text)
    years = [pdf_rows.YEAR.match(piece.text) is not None for piece in pieces[1:]]
    return all(years) or (len(pieces) > 2 and not read.values and not any(is_number(p.text) for p in pieces[1:]))


def _with_last_lines(rows: Sequence[_Row], last: int) -> int:
    """The last row with lines of its cells that stand below it, right of the labels."""
    left = rows[last].pieces[0].right
    while last + 1 < len(rows) and rows[last].line.boxes:
        line, below = rows[last].line, rows[last + 1].line
        if not below.boxes or below.left < left or line.bottom - below.top > _CLOSE * line.size:
            break
        last += 1
    return last


def _is_label(text: str) -> bool:
    """A line of a table without figures: "Current assets:", or a part of a long label."""
    return (
        len(text) <= pdf_rows.MAX_LABEL
        and not pdf_rows.is_sentence(text.rstrip(":;"))
        and not re.match(r"(?:Item|Note)\s+\d", text, re.I)
    )


def _has_figures(rows: Sequence[_Row]) -> bool:
    """Whether rows are those of a table of figures."""
    reads = [row.read for row in rows if row.read.seed]
    several = sum(read.count > 1 for read in reads)
    labelled = sum(bool(read.label) for read in reads)
    if not reads or labelled * 2 < len(reads):
        return False
    return several >= 2 or (len(reads) >= 3 and max(len(read.label) for read in reads) <= 90)


def _table(rows: Sequence[_Row], first: int, end: int, floor: int) -> tuple[int, PdfTable] | None:
    """The table of these rows with the row that its head begins with; None where they are none."""
    figures = _has_figures(rows[first:end])
    if rows[first].line.size > 1.15 * median(row.line.size for row in rows[first:end]):
        return None  # a title
    top = _first_body(rows, first, end) if figures else first
    columns = _columns(rows[top:end])
    named = [n for n in range(first, top) if columns and rows[n].pieces[0].left < columns[1][0]]
    named = [n for n in named if len(rows[n].pieces) > 1]
    if len(named) > 1:
        if any(rows[n].read.years for n in named[1:]) and not rows[first].read.years:
            return None  # a title
        # Several rows with labels: the first names columns, or none does.
        cells = [_in_columns(row.pieces, columns) for row in rows[first:end]]
        top = first + min(_count_heads(cells), top - first)
        columns = _columns(rows[top:end])
    if not columns or (not figures and not _is_text_table(rows[first:end], columns)):
        several = sum(row.read.count > 1 for row in rows[top:end]) > 1
        return _as_lines(rows, top, end, floor) if figures and (several or not rows[top].line.boxes) else None
    start = _head_start(rows, top, floor, columns[1][0])
    body, number = _grouped(rows[top:end], columns), 0
    if not figures:
        number = _count_heads(body)
        top, start = top, top if number else start
    above = [[_in_columns(row.pieces, columns) for row in rows[start:top]], body[:number]]
    heads = _heads([row.pieces for row in rows[start:top]] + [sum(row, []) for row in body[:number]], columns)
    units = () if any(map(_states_units, map(" ".join, heads))) else _units_above(rows, start, floor)
    carried = _carried(body[number:])
    return start, PdfTable([*above[0], *body[:number], *carried], heads, units, top - start + number)


def _first_body(rows: Sequence[_Row], first: int, end: int) -> int:
    """The first row with figures, or of the labels above it."""
    top = next((n for n in range(first, end) if _is_body(rows[n])), first)
    left = rows[top].line.left
    while top > first and len(rows[top - 1].pieces) < 2 and rows[top - 1].line.left < left + 2 * rows[top].line.size:
        top -= 1
    return top


def _is_body(row: _Row) -> bool:
    return row.read.seed or any(is_number(piece.text) for piece in row.pieces[1:])


def _as_lines(rows: Sequence[_Row], top: int, end: int, floor: int) -> tuple[int, PdfTable]:
    """The rows as lines, with the lines above as heads."""
    start = _head_start(rows, top, floor)
    cells: list[list[Cell]] = []
    pending: Cell = []
    for n in range(start, end):
        pending += rows[n].lines
        following = rows[n + 1].text if n + 1 < end else ""
        if n >= top and not rows[n].read.values and pdf_rows.wraps(rows[n].text, following) and len(pending) < 4:
            continue  # a label of several lines stays with its figures
        cells.append([pending])
        pending = []
    heads = tuple(_short([row.text]) for row in rows[start:top])
    units = () if any(map(_states_units, map(" ".join, heads))) or not heads else _units_above(rows, start, floor)
    return start, PdfTable(cells, heads, units, top - start, placed=False)


def _columns(rows: Sequence[_Row]) -> list[tuple[float, float]]:
    """Left and right of each column: what the pieces of all rows leave free parts them; [] where nothing does."""
    split = [row.pieces for row in rows if len(row.pieces) > 1]
    if len(split) < 2:
        return []
    every = [piece for pieces in split for piece in pieces]
    found = _parted(_spread(every), split)
    if not found:
        # Pieces that lie across two of many other rows are no cells of one column.
        across = [sum(len(_over(piece, pieces)) > 1 for pieces in split) for piece in every]
        kept = [p for p, n in zip(every, across, strict=True) if n * 4 <= len(split) or n < 2]
        found = _parted(_spread(kept), split)
    return found


def _over(piece: TextLine, others: Sequence[TextLine]) -> list[TextLine]:
    """The pieces of another line that a piece lies over, those with a word gap between as one."""
    over = [other for other in others if other.left < piece.right and piece.left < other.right]
    return [o for n, o in enumerate(over) if not n or o.left - over[n - 1].right > WORD_GAP * o.size]


def _parted(columns: list[tuple[float, float]], split: Sequence[Sequence[TextLine]]) -> list[tuple[float, float]]:
    """The columns, those with only word gaps between as one; [] where pieces have no column of their own."""
    size = split[0][0].size
    places = [[_place(piece, columns) for piece in pieces] for pieces in split]
    gaps: dict[int, list[float]] = {}
    wide = []  # pairs of pieces with more than a word gap between
    for pieces, some in zip(split, places, strict=True):
        wide.append([])
        for (a, piece), (b, after) in pairwise(zip(some, pieces, strict=True)):
            gap = after.left - piece.right
            if a != b:
                gaps.setdefault(b, []).append(gap)
            if gap > WORD_GAP * size:
                wide[-1].append((a, b))
    joined = {n for n, some in gaps.items() if median(some) < 0.5 * size}
    number = [n - sum(k <= n for k in joined) for n in range(len(columns))]
    crowded = sum(any(number[a] == number[b] for a, b in pairs) for pairs in wide)
    found = [column for n, column in enumerate(columns) if n not in joined]
    for n in joined:
        found[number[n]] = (found[number[n]][0], columns[n][1])
    return found if 1 < len(found) <= _WIDEST and crowded * 5 <= len(split) else []


def _spread(pieces: Sequence[TextLine]) -> list[tuple[float, float]]:
    found: list[tuple[float, float]] = []
    for left, right in sorted((piece.left, piece.right) for piece in pieces):
        if found and left < found[-1][1] + 0.5:
            found[-1] = (found[-1][0], max(found[-1][1], right))
        else:
            found.append((left, right))
    return found


def _place(piece: TextLine, columns: Sequence[tuple[float, float]]) -> int:
    """The column that a piece stands in: the first one that it lies over, else the nearest."""
    for n, (left, right) in enumerate(columns):
        if piece.left < right:
            if left < piece.right or not n:
                return n
            return n if left - piece.right < piece.left - columns[n - 1][1] else n - 1
    return len(columns) - 1


def _in_columns(pieces: Sequence[TextLine], columns: Sequence[tuple[float, float]]) -> list[Cell]:
    cells: list[Cell] = [[] for _ in columns]
    for piece in pieces:
        cells[_place(piece, columns)].append(piece)
    return cells


def _is_text_table(rows: Sequence[_Row], columns: Sequence[tuple[float, float]]) -> bool:
    """Whether rows without figures are a table: at least three, most of them in several pieces, which begin or
    end at one place in each column; no list, no contents, no columns of prose."""
    split = [row.pieces for row in rows if len(row.pieces) > 1]
    if len(split) < 3 or len(split) * 2 < len(rows):
        return False
    if sum(is_list_item(f"{pieces[0].text} x") or len(pieces[0].text) < 3 for pieces in split) * 2 > len(split):
        return False
    cells = [_in_columns(row.pieces, columns) for row in rows]
    for n in range(1, len(columns)):
        own = [line for row in cells for line in row[n]]
        size = own[0].size if own else 0.0
        lined = [
            sum(abs(x - edge) < 0.6 * size for x in xs)
            for xs, edge in (
                ([line.left for line in own], min((line.left for line in own), default=0.0)),
                ([line.right for line in own], max((line.right for line in own), default=0.0)),
            )
        ]
        middles = [line.left + line.right for line in own]
        centred = sum(abs(x - median(middles)) < 1.2 * size for x in middles) if own else 0
        if max(*lined, centred) * 3 < 2 * len(own):
            return False
    last = [row[-1][0].text for row in cells if row[-1]]
    numbers = [int(text) for text in last if text.isdigit()]
    if len(columns) == 2 and len(numbers) * 2 > len(last) and numbers == sorted(numbers) and not _count_heads(cells):
        return False
    sides = [[line for row in cells for line in row[n]] for n in range(len(columns))]
    return len(columns) > 2 or not all(map(is_prose, sides))


def _grouped(rows: Sequence[_Row], columns: Sequence[tuple[float, float]]) -> list[list[Cell]]:
    """The cells of each row, lines of one cell together."""
    found: list[list[Cell]] = []
    widths = [0.0] * len(columns)
    cells = [_in_columns(row.pieces, columns) for row in rows]
    for row in cells:
        for n, cell in enumerate(row):
            widths[n] = max([widths[n], *(line.right - line.left for line in cell)]) if len(row) > 1 else widths[n]
    above: _Row | None = None
    for row, own in zip(rows, cells, strict=True):
        if found and above is not None and _goes_on(found[-1], own, above, row, widths):
            for n, cell in enumerate(own):
                found[-1][n] += cell
        else:
            found.append(own)
        above = row
    return found


def _goes_on(last: list[Cell], own: list[Cell], above: _Row, row: _Row, widths: Sequence[float]) -> bool:
    """Whether a line is the next one of the cells above: words that did not fit into the line before."""
    filled = [n for n, cell in enumerate(own) if cell]
    held = [n for n, cell in enumerate(last) if cell]
    if above.line.bottom - row.line.top > _CLOSE * row.line.size or any(
        is_number(line.text) for n in filled for line in own[n][:1] if n
    ):
        return held == [0] and 0 in filled and pdf_rows.wraps(_text(last[0]), row.text)
    if held == [0] and 0 in filled:
        return pdf_rows.wraps(_text(last[0]), row.text)
    if filled == [0]:
        return own[0][0].text[:1].islower() and _full(last[0], own[0], widths[0])
    if 0 in filled:
        return False
    return all(last[n] for n in filled) and any(_full(last[n], own[n], widths[n]) for n in filled)


def _full(last: Cell, own: Cell, width: float) -> bool:
    """Whether the first word of a line had no room in the line before."""
    if not last or not own or not own[0].boxes:
        return False
    word = own[0].boxes[1][2] - own[0].boxes[0][0]
    return last[-1].right - last[-1].left + word > width - 0.5 * own[0].size


def _carried(rows: list[list[Cell]]) -> list[list[Cell]]:
    """Blank means same: a label that stands for the rows below it is repeated in them, where the second column
    holds words."""
    words = [row[1] for row in rows if len(row) > 2 and row[1]]
    if not words or sum(is_number(_text(cell)) for cell in words) * 3 > len(words):
        return rows
    for above, row in pairwise(rows):
        if not row[0] and row[1] and any(row[2:]) and not is_number(_text(row[1])) and above[0]:
            row[0] = above[0]
    return rows


# Heads


def _head_start(rows: Sequence[_Row], first: int, floor: int, left: float = 0.0) -> int:
    """The topmost row above the figures that belongs to the table's head, with the labels under it; `first`
    for none. `left` is where the second column begins, if it is known."""
    top, labels = first, 0
    label_left = min((row.line.left for row in rows[first : first + 6]), default=0.0)
    for n in range(first - 1, max(floor, first - _MAX_LINES) - 1, -1):
        line, read = rows[n].line, rows[n].read
        far = line.size and line.bottom - rows[n + 1].line.top > _FALL * line.size
        if far or _ends_head(line.text) or (read.seed and not read.years):
            break
        # Column heads begin right of the labels; a title in the middle of the page does too, but in capitals.
        aside = line.size > 0 and line.left > label_left + 12 * line.size and not line.text.isupper()
        aside = aside and line.middle > left - 4 * line.size
        pieces = rows[n].pieces if n >= first - 2 and line.boxes else []
        heads_columns = len(pieces) > max(1, rows[first].read.count) and not any(
            pdf_rows.is_value(piece.text) for piece in pieces
        )
        telling = _states_units(line.text) or _PERIOD.search(line.text)
        caption = line.bold and not rows[first].line.bold and line.left < label_left + line.size
        title = len(line.text) > 8 and line.text.isupper() and not telling and not read.count
        if (caption or title) and len(rows[n].pieces) < 2 and line.text[:1] not in "(（":
            break
        if read.years or aside or telling or heads_columns or len(pieces) > 2:
            top, labels = n, 0
        else:
            labels += 1
            if labels > 3:
                break
    return top


def _ends_head(text: str) -> bool:
    """Prose, the sentence that introduces the table, its title, a running head: what is above is not its
    head."""
    sentence = pdf_rows.is_sentence(text.removesuffix(":")) or len(text) > pdf_rows.MAX_LABEL
    introduction = text.endswith((":", "：")) and (
        len(text) > 50 or _RE["introduces"].search(text) is not None
    )
    return bool(
        sentence
        or introduction
        or _RE["title"].search(text)
        or (re.fullmatch(r"\d{1,4}", text) and not pdf_rows.YEAR.match(text))
    )


def _units_above(rows: Sequence[_Row], head: int, floor: int) -> tuple[str, ...]:
    """ "in millions" from the sentence that introduces the table."""
    for n in range(head - 1, max(floor, head - 5) - 1, -1):
        found = _BRACKETS.search(rows[n].text) if _states_units(rows[n].text) else None
        if found and _states_units(found[0]):
            return (found[0],)
    return ()


def _heads(rows: Sequence[Sequence[TextLine]], columns: Sequence[tuple[float, float]]) -> tuple[tuple[str, ...], ...]:
    """What holds for all columns (units, period) with the head of the labels, then the heads of each column."""
    if not rows:
        return ()
    extents = [TextLine("", left, right) for left, right in columns[1:]]
    common: list[str] = []
    heads: list[list[str]] = [[] for _ in extents]
    dated = False
    for row in rows:
        pieces = _rejoined(row)
        if row is rows[-1]:
            pieces = [part for piece in pieces for part in _over_each(piece, columns)]
        named = len(pieces) > 1 or _PERIOD.search(pieces[0].text) or _states_units(pieces[0].text)
        # Labels between the heads and the first row: they begin where labels begin, below the years.
        aside = pieces[0].left > columns[0][0] + 2 * pieces[0].size and (
            not dated or _RE["head_word"].search(pieces[0].text)
        )
        if not named and not aside:
            continue
        dated = dated or any(_PERIOD.search(piece.text) for piece in pieces)
        over = []
        for piece in pieces:
            label = piece.left < columns[0][1] and piece.right < columns[1][0]
            (common if label else over).append(piece.text if label else piece)  # type: ignore[arg-type]
        _lay_over(over, extents, common, heads)
    if not any(heads):
        return (_short(common, 160),) if common else ()
    return (_short(common, 120), *map(_short, heads))


def _over_each(piece: TextLine, columns: Sequence[tuple[float, float]]) -> list[TextLine]:
    """A head that lies over two columns cut at its widest gap, where that is wider than a blank: heads that
    nearly touch."""
    words = piece.words()
    gaps = [after.first[0] - before.last[2] for before, after in pairwise(words)]
    over = [n for n, (left, right) in enumerate(columns) if piece.left < right and left < piece.right]
    if len(over) < 2 or len(gaps) < 2 or max(gaps) < 1.2 * median(gaps):
        return [piece]
    at = gaps.index(max(gaps)) + 1
    return [piece.part(0, at), *_over_each(piece.part(at, len(words)), columns)]


def _rejoined(pieces: Sequence[TextLine]) -> list[TextLine]:
    """Pieces with only word gaps between as one: years are no figures in a head."""
    found: list[TextLine] = []
    for piece in pieces:
        near = found and abs(found[-1].bottom - piece.bottom) < 0.3 * piece.size
        if near and -piece.size < piece.left - found[-1].right < WORD_GAP * piece.size:
            piece = together([found.pop(), piece])
        found.append(piece)
    return found


def _short(parts: Sequence[str], limit: int = 60) -> tuple[str, ...]:
    text = " ".join(parts)
    return tuple(filter(None, parts if len(text) <= limit else [text[:limit].rsplit(" ", 1)[0]]))


def _lay_over(
    cells: list[TextLine], columns: Sequence[TextLine], common: list[str], heads: list[list[str]]
) -> None:
    """Give each cell of a head row to the columns it stands over; what stands over the labels or over all
    goes to `common`."""
    pitch = (columns[-1].middle - columns[0].middle) / (len(columns) - 1) if len(columns) > 1 else 60.0
    over = []
    for cell in cells:
        if (
            (_RE["units"].search(cell.text) and len(_under(cell, columns)) != 1)
            or cell.right < columns[0].left - pitch * 0.4
            or (cell.left < columns[0].left - 1.5 * pitch)
        ):
            common.append(cell.text)
        else:
            over.append(cell)
    if not over:
        return
    if len(over) == len(columns):
        for head, cell in zip(heads, over, strict=True):
            head.append(cell.text)
        return
    if len(over) > 1 and len(columns) % len(over) == 0:
        each = len(columns) // len(over)
        groups = [columns[n : n + each] for n in range(0, len(columns), each)]
        if all(
            g[0].left - pitch / 2 < c.middle < g[-1].right + pitch / 2
            for c, g in zip(over, groups, strict=True)
        ):
            for n, head in enumerate(heads):
                head.append(over[n // each].text)
            return
    spanning = [cell for cell in over if _PERIOD.search(cell.text) or len(_under(cell, columns)) > 1]
    for cell in over:
        if cell not in spanning:
            heads[_nearest(cell, columns)].append(cell.text)
    if (
        len(spanning) == 1
        and len(over) == 1
        and abs(over[0].middle - (columns[0].middle + columns[-1].middle) / 2) < pitch / 2
    ):
        common.append(over[0].text)
        return
    for n, (column, head) in enumerate(zip(columns, heads, strict=True)):
        near = min(over, key=lambda cell: abs(cell.middle - column.middle))
        shared = len(over) > 1 or _PERIOD.search(near.text)
        if near in spanning and (shared or n in _under(near, columns)):
            head.append(near.text)


def _under(cell: TextLine, columns: Sequence[TextLine]) -> list[int]:
    return [n for n, c in enumerate(columns) if min(cell.right, c.right) > max(cell.left, c.left)]


def _nearest(cell: TextLine, columns: Sequence[TextLine]) -> int:
    return min(range(len(columns)), key=lambda n: abs(columns[n].middle - cell.middle))
