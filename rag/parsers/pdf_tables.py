"""Tables of a PDF page as cells: ruled ones (`pdf_ruled`), and runs of lines whose pieces stand one below the
other. Where no columns are found, a row of figures is a line with a label and figures."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise
from statistics import median

from rag.parsers import pdf_rows
from rag.parsers.base import is_number
from rag.parsers.grids import stated_units
from rag.parsers.pdf_heads import FALL, column_heads_of, count_heads, head_start, short
from rag.parsers.pdf_lines import FINISHED, HAN, Box, TextLine
from rag.parsers.pdf_rows import Cell, Columns, PdfTable, Row, in_cells, text_of
from rag.parsers.pdf_ruled import banded, with_ruled
from rag.parsers.plain import is_list_item

Gap = tuple[float, float]
_FAR = 1e5
_MAX_GAP = 4  # rows without figures between two that have some
_CLOSE = 0.6  # between two lines of a cell, likewise
_TRIES = 1
_FEWEST = 4  # lines of prose side by side
_NARROWEST = 16  # characters in a line of a column of prose


def arrange(lines: Sequence[TextLine], rules: Sequence[Box] = ()) -> tuple[list[TextLine], list[PdfTable]]:
    """The lines of a page in reading order, and its tables, whose lines follow one another row by row."""
    found: list[TextLine] = []
    tables: list[PdfTable] = []
    for ruled, run in groupby(with_ruled(lines, rules), key=lambda item: isinstance(item, PdfTable)):
        for item in list(run) if ruled else _unruled(list(run), rules):  # type: ignore[arg-type]
            if isinstance(item, TextLine):
                found.append(item)
                continue
            own = item.lines()
            item.first, item.last = len(found), len(found) + len(own)
            tables.append(item)
            found += own
    return found, tables


def _unruled(lines: Sequence[TextLine], rules: Sequence[Box]) -> list[TextLine | PdfTable]:
    """The lines with their tables; cells of several lines are bands where more lines are in tables so."""
    rows = pdf_rows.read_rows(lines)
    found, bands = list(_with_tables(rows, rules)), banded(rows)
    loose = {id(item) for item in found}
    if any(len(row.lines) > 1 and any(id(line) in loose for line in row.lines) for row in bands):
        found = max(found, list(_with_tables(bands, rules)), key=_in_tables)
    return found


def _in_tables(items: Sequence[TextLine | PdfTable]) -> tuple[int, int]:
    """How many lines are in tables, and that in few."""
    own = [len(item.lines()) for item in items if isinstance(item, PdfTable)]
    return sum(own), -len(own)


def _with_tables(rows: Sequence[Row], rules: Sequence[Box]) -> Iterator[TextLine | PdfTable]:
    at = done = tried = 0
    while at < len(rows):
        if not (rows[at].parted or rows[at].read.seed):
            at += 1
            continue
        end = _end(rows, at)
        found = _table(rows, at, end, done, rules) if end > at + 1 else None
        if found is None:
            # Its first rows may be no part of it; what is none then is none from any row on.
            tried = tried + 1 if end > at + 1 else 0
            at = end if tried > _TRIES else at + 1
            continue
        tried = 0
        start, items = found
        yield from (line for row in rows[done:start] for line in row.lines)
        yield from items
        at = done = end
    yield from (line for row in rows[done:] for line in row.lines)


def _end(rows: Sequence[Row], first: int) -> int:
    """Behind the last row of the table from `first` on: a gap goes through its rows, or each has figures."""
    gaps, last = rows[first].gaps, first
    figures = rows[first].read.seed
    for n in range(first + 1, len(rows)):
        row, above = rows[n], rows[n - 1]
        line = row.line
        fall = above.line.bottom - line.top
        beside = line.left > above.line.right - 1 and fall > -4 * line.size  # the label has more lines
        if line.words and not (fall < FALL * line.size and (beside or fall > -0.8 * line.size)):
            break
        if row.parted or row.read.seed:
            shared = _shared(gaps, row.gaps, line)
            chained = row.read.seed and rows[last].read.seed and (not gaps or row.read.count > 1)
            if not (shared or chained) or (figures and _heads_anew(row)):
                break
            # What a row leaves free at its ends parts columns as before.
            ends = (-_FAR, line.left), (line.right, _FAR)
            gaps, last, figures = _shared(gaps, [*row.gaps, *ends], line), n, figures or row.read.seed
            continue
        within = any(line.right < b or a < line.left for a, b in gaps)  # in one of the columns
        far = n - last > _MAX_GAP and not (within and not figures)
        if (figures and _heads_anew(row)) or far or not (within or _is_label(row.text)):
            break
    return _with_last_lines(rows, last) + 1


def _shared(gaps: Sequence[Gap], others: Sequence[Gap], line: TextLine) -> list[Gap]:
    """What is free in both."""
    both = [(max(a[0], b[0]), min(a[1], b[1])) for a in gaps for b in others]
    return sorted({gap for gap in both if gap[1] - gap[0] > 0.15 * line.size})[: pdf_rows.WIDEST]


def _heads_anew(row: Row) -> bool:
    """Whether a row below figures is the head of another table."""
    if not row.parted:
        return bool(stated_units(row.text))
    pieces, read = row.pieces, row.read
    years = [pdf_rows.YEAR.match(piece.text) is not None for piece in pieces[1:]]
    figures = read.values or any(is_number(piece.text) for piece in pieces[1:])
    return all(years) or (len(pieces) > 2 and not figures)


def _with_last_lines(rows: Sequence[Row], last: int) -> int:
    """The last row with lines of its cells that stand below it, right of the labels."""
    left = next((a for a, _ in rows[last].gaps), rows[last].line.right)
    while last + 1 < len(rows) and rows[last].line.words:
        line, below = rows[last].line, rows[last + 1].line
        if not below.words or below.left < left or line.bottom - below.top > _CLOSE * line.size:
            break
        last += 1
    return last


def _is_label(text: str) -> bool:
    """A line of a table without figures: "Current assets:", or a part of a long label."""
    prose = len(text) > pdf_rows.MAX_LABEL or pdf_rows.is_sentence(text.rstrip(":;"))
    return not prose and not re.match(r"(?:Item|Note)\s+\d", text, re.I)


def _has_figures(rows: Sequence[Row]) -> bool:
    """Whether rows are those of a table of figures."""
    reads = [row.read for row in rows if row.read.seed]
    several = sum(read.count > 1 for read in reads)
    labelled = sum(bool(read.label) for read in reads)
    if not reads or labelled * 2 < len(reads):
        return False
    return several >= 2 or (len(reads) >= 3 and max(len(read.label) for read in reads) <= 90)


def _table(
    rows: Sequence[Row], first: int, end: int, floor: int, rules: Sequence[Box]
) -> tuple[int, Sequence[TextLine | PdfTable]] | None:
    """The table of these rows with the row that its head begins with, or the lines of columns of prose one
    column after the other; None where they are neither."""
    figures = _has_figures(rows[first:end])
    if rows[first].line.size > 1.15 * median(row.line.size for row in rows[first:end]):
        return None  # a title
    top = _first_body(rows, first, end) if figures else first
    columns = pdf_rows.find_columns(rows[top:end])
    if columns and (prose := _columns_of_prose(rows[first:end], columns)):
        return first, prose
    if not columns or (not figures and not _is_text_table(rows[first:end], columns)):
        several = sum(row.read.count > 1 for row in rows[top:end]) > 1
        return _as_lines(rows, top, end, floor) if figures and several else None
    start = head_start(rows, top, floor, columns[1][0])
    apart = _usual_fall(rows[top:end])
    width = columns[0][1] - columns[0][0]
    # The label of the first row may begin above its figures.
    while figures and top > start and not rows[top - 1].parted and _is_near(rows[top - 1], rows[top], apart):
        if not _full(rows[top - 1].pieces, rows[top].pieces, width):
            break
        top -= 1
    body, number = _grouped(rows[top:end], columns, apart), 0
    if not figures:
        number = count_heads(body)
        top, start = top, top if number else start
    above = [in_cells(row.pieces, columns) for row in rows[start:top]]
    over = [row.pieces for row in rows[start:top]]
    over += [[line for cell in row for line in cell] for row in body[:number]]
    heads = column_heads_of(over, columns)
    rest = body[number:]
    if number < 2 or body[number - 1][0]:  # else it may be a row whose label stands further down
        rest = pdf_rows.carried(rest, _tops(rest, rules))
    return start, [PdfTable([*above, *body[:number], *rest], heads, top - start + number)]


def _tops(rows: Sequence[Sequence[Cell]], rules: Sequence[Box]) -> list[int]:
    """The rows that stand apart from those above: below a line, or further down than most do."""
    lines = [[line for cell in row for line in cell] for row in rows]
    ends = [(min(o.bottom for o in row), max(o.top for o in row), row[0]) for row in lines]
    falls = [above - top for (above, *_), (_, top, _) in pairwise(ends)]
    usual = median(falls) if falls else 0.0
    levels = [b[1] for b in rules if b[2] - b[0] > 60 and b[1] - b[3] < 3]
    return [
        n
        for n, (fall, (above, line)) in enumerate(zip(falls, pairwise(o for *_, o in ends), strict=True), 1)
        if fall > usual + 0.3 * line.size
        or any(line.bottom + 0.5 * line.size < y < above.bottom + 0.5 * line.size for y in levels)
    ]


def _first_body(rows: Sequence[Row], first: int, end: int) -> int:
    """The first row with figures, or of the labels above it."""
    top = next((n for n in range(first, end) if rows[n].is_body), first)
    left = rows[top].line.left
    while (
        top > first and not rows[top - 1].parted and rows[top - 1].line.left < left + 2 * rows[top].line.size
    ):
        top -= 1
    return top


def _as_lines(rows: Sequence[Row], top: int, end: int, floor: int) -> tuple[int, list[PdfTable]]:
    """The rows as lines, with the lines above as heads."""
    start = head_start(rows, top, floor)
    cells: list[list[Cell]] = []
    pending: Cell = []
    for n in range(start, end):
        pending += rows[n].lines
        following = rows[n + 1].text if n + 1 < end else ""
        label = n >= top and not rows[n].read.values and len(pending) < 4
        if not (label and pdf_rows.wraps(rows[n].text, following)):  # which stays with its figures
            cells.append([pending])
            pending = []
    heads = tuple(short([row.text]) for row in rows[start:top])
    return start, [PdfTable(cells, heads, top - start, placed=False)]


def _is_text_table(rows: Sequence[Row], columns: Columns) -> bool:
    """Whether rows without figures are a table: at least three, most of them in several pieces, which begin
    or end at one place in each column; no list, no contents, no columns of prose."""
    firsts = [row.pieces[0].text for row in rows if row.parted]
    listed = sum(is_list_item(f"{text} x") or len(text) < 3 for text in firsts)
    if len(firsts) < 3 or len(firsts) * 2 < len(rows) or listed * 2 > len(firsts):
        return False
    cells = [in_cells(row.pieces, columns) for row in rows]
    for n in range(1, len(columns)):
        own = [line for row in cells for line in row[n]]
        edges = zip(*((line.left, line.right, line.middle) for line in own), strict=True)
        near = [sum(abs(x - median(xs)) < 0.6 * own[0].size for x in xs) for xs in edges]
        if max(near, default=0) * 3 < 2 * len(own):
            return False
    last = [row[-1][0].text for row in cells if row[-1]]
    numbers = [int(text) for text in last if text.isdigit()]
    contents = len(columns) == 2 and len(numbers) * 2 > len(last) and numbers == sorted(numbers)
    return not contents


def _grouped(rows: Sequence[Row], columns: Columns, apart: float) -> list[list[Cell]]:
    """The cells of each row, which stand `apart`, lines of one cell together."""
    found: list[list[Cell]] = []
    cells = [in_cells(row.pieces, columns, cut=True) for row in rows]
    widths = [
        max((line.right - line.left for row in cells for line in row[n]), default=0.0)
        for n in range(len(columns))
    ]
    for n, (row, own) in enumerate(zip(rows, cells, strict=True)):
        near = n > 0 and _is_near(rows[n - 1], row, apart)
        # What stands between two rows, near to both, is the beginning of the lower one's label.
        last = near and not (n + 1 < len(rows) and _is_near(row, rows[n + 1], apart))
        if n and _goes_on(found[-1], own, rows[n - 1], row, widths, near, last):
            for place, cell in enumerate(own):
                found[-1][place] += cell
        else:
            found.append(own)
    return found


def _usual_fall(rows: Sequence[Row]) -> float:
    """How far rows of several cells stand below each other, in points; 0 where no two follow each other."""
    pairs = [(a.line, b.line) for a, b in pairwise(rows) if a.parted and b.parted and a.line.words]
    return median(falls) if (falls := [a.bottom - b.bottom for a, b in pairs if a.bottom > b.bottom]) else 0.0


def _is_near(above: Row, row: Row, apart: float) -> bool:
    """Whether a row stands nearer below another, in like type, than rows stand `apart`."""
    fall = above.line.bottom - row.line.bottom
    return 0 < fall < apart - 0.15 * row.line.size and above.line.bold == row.line.bold


def _goes_on(
    last: list[Cell], own: list[Cell], above: Row, row: Row, widths: Sequence[float], near: bool, ends: bool
) -> bool:
    """Whether a line is the next one of the cells above: words that did not fit into the line before, or a
    label's that stands `near`, and if there are figures above `ends` it."""
    filled = [n for n, cell in enumerate(own) if cell]
    held = [n for n, cell in enumerate(last) if cell]
    if 0 in held and not {*held} & {*filled} and row.line.top > above.line.bottom + 0.5 * row.line.size:
        return True  # figures beside a label of several lines
    if held == [0] and 0 in filled:
        label = text_of(last[0])
        return pdf_rows.wraps(label, row.text) or (near and _full(last[0], own[0], widths[0]))
    if ends and filled == [0] and _full(last[0], own[0], widths[0]):
        return True
    figures = any(is_number(line.text) for n in filled for line in own[n][:1] if n)
    if figures or above.line.bottom - row.line.top > _CLOSE * row.line.size:
        return False
    if 0 in filled or (not near and 2 < len(own) == len(filled) + 1):
        return False  # the row lacks its label alone
    return all(last[n] for n in filled) and (near or any(_full(last[n], own[n], widths[n]) for n in filled))


def _full(last: Cell, own: Cell, width: float) -> bool:
    """Whether the first word of a line had no room in the line before."""
    if not last or not own or not own[0].words or last[-1].text.endswith((":", "：")):
        return False
    word = own[0].words[0]
    room = width - last[-1].right + last[-1].left
    return word.last[2] - word.first[0] > room - 0.5 * own[0].size


def _columns_of_prose(rows: Sequence[Row], columns: Columns) -> list[TextLine]:
    """The lines of columns that hold prose, one column after the other; [] where they do not."""
    both = sum(row.parted for row in rows)
    if both < max(_FEWEST, 0.6 * len(rows)):
        return []
    cells = [in_cells(row.pieces, columns) for row in rows]
    sides = [[line for row in cells for line in row[n]] for n in range(len(columns))]
    every = [line for side in sides for line in side]
    if not all(map(_is_prose, sides)):
        return []
    for side in sides:
        edge = max(line.right for line in side)
        for line in side:
            line.edge = edge
    return every


def _is_prose(side: Sequence[TextLine]) -> bool:
    """Whether the lines of a column are sentences that go on from one line to the next."""
    letters = sum(len(line.text) for line in side)
    if len(side) < _FEWEST - 1 or letters < _NARROWEST * len(side):
        return False
    left, edge = min(line.left for line in side), max(line.right for line in side)
    # A column begins at one place, or its paragraphs at a second one.
    if sum(line.left < left + 0.5 * line.size for line in side) * 10 < 6 * len(side):
        return False
    goes_on = 0
    for above, line in pairwise(side):
        if FINISHED.search(above.text) or "@" in line.text or above.right < left + 0.6 * (edge - left):
            continue
        full = HAN.search(above.text[-1:]) and above.right > edge - 1.5 * above.size
        goes_on += bool(line.text[:1].islower() or full)
    return goes_on * 3 >= len(side) - 1
