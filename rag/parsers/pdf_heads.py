"""Heads of the columns of a table on a PDF page: the lines above its body that speak of dates, periods, units
or columns, laid over the columns by where they stand. "Three Months Ended" over four years begins the first
two heads."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from statistics import median

from rag.languages import patterns
from rag.parsers import grids, pdf_rows
from rag.parsers.pdf_lines import TextLine, by_height
from rag.parsers.pdf_rows import Cell, Columns, Row, text_of

_RE = patterns("pdf_tables", re.NOFLAG)
_PERIOD = re.compile(
    rf"\b{pdf_rows.MONTH}\s+\d{{1,2}}\b|\b(?:19|20)\d\d\b|\b(?:ended|months|quarter|fiscal|weeks)\b|\byears?\b"
    r"|\d{4}\s*年|(?:本|上)(?:期|年)|期[末初]|年[末初]|同比|截至",
    re.I,
)
_DAY = re.compile(rf"\b{pdf_rows.MONTH}(?:\s+\d{{1,2}})?,?$", re.I)
_MAX_LINES = 24  # of a head
_MOST_LINES = 8  # of labels between a head and the first figures, in the column of labels
FALL = 3.0  # between two rows, as a share of the height of the type's box


def count_heads(rows: Sequence[Sequence[Cell]]) -> int:
    """How many rows at the top name columns."""
    texts = [[text_of(cell) for cell in row] for row in rows]
    bold = [all(line.bold for cell in row for line in cell) for row in rows]
    down = {(n, 0): (2, 1) for n, (row, below) in enumerate(pairwise(rows)) if row[0] and row[0] is below[0]}
    return grids.count_heads(texts, down, bold)


def head_start(rows: Sequence[Row], first: int, floor: int, left: float = 0.0) -> int:
    """The topmost row above the figures that belongs to the table's head, with the labels under it; `first`
    for none. `left` is where the second column begins, if it is known."""
    top, labels, highest = first, 0, 0.0
    label_left = min((row.line.left for row in rows[first : first + 6]), default=0.0)
    for n in range(first - 1, max(floor, first - _MAX_LINES) - 1, -1):
        line, read = rows[n].line, rows[n].read
        far = line.bottom - rows[n + 1].line.top > FALL * line.size
        # A line of prose goes from where labels begin far over the columns.
        across = not rows[n].parted and len(line.text) > 60 and line.left < left < line.right - 8 * line.size
        if far or across or _ends_head(line.text) or (read.seed and not read.years):
            break
        # Column heads begin right of the labels; a title in the middle of the page does too, but in capitals.
        over = bool(left) and line.left > left - line.size
        right = line.left > label_left + 12 * line.size and line.middle > left - 4 * line.size
        aside = over or (right and not line.text.isupper())
        pieces = rows[n].pieces if (n >= first - 2 or rows[n].banded) and line.words else []
        valued = any(pdf_rows.is_value(piece.text) for piece in pieces)
        heads_columns = len(pieces) > max(1, rows[first].read.count) and not valued
        telling = grids.stated_units(line.text) or _PERIOD.search(line.text)
        caption = line.bold and not rows[first].line.bold and line.left < label_left + line.size
        title = len(line.text) > 8 and line.text.isupper() and not (telling or read.count or aside)
        larger = line.size > 1.1 * rows[first].line.size
        beside = top < first and line.bottom < highest - 0.3 * line.size  # heads stand above it
        named = not beside and (caption or title) and (top < first or larger)
        named = named or (line.size > 1.25 * rows[first].line.size and not aside)
        if named and len(rows[n].pieces) < 2 and line.text[:1] not in "(（":
            break
        if read.years or aside or telling or heads_columns or beside or len(pieces) > 2:
            top, labels, highest = n, 0, max(line.top, highest if top < first else line.top)
        else:
            labels += 1
            if labels > (_MOST_LINES if left and line.right < left else 3):
                break
    return top


def _ends_head(text: str) -> bool:
    """Prose, an introduction, a title, a running head: what is above is not the head of the table."""
    sentence = pdf_rows.is_sentence(text.removesuffix(":")) or len(text) > pdf_rows.MAX_LABEL
    introduction = text.endswith((":", "：")) and (len(text) > 50 or _RE["introduces"].search(text))
    page_number = re.fullmatch(r"\d{1,4}", text) and not pdf_rows.YEAR.match(text)
    return bool(sentence or introduction or _RE["title"].search(text) or page_number)


def column_heads_of(rows: Sequence[Sequence[TextLine]], columns: Columns) -> tuple[tuple[str, ...], ...]:
    """What holds for all columns (units, period) with the head of the labels, then the heads of each."""
    if not rows:
        return ()
    extents = [TextLine("", left, right) for left, right in columns[1:]]
    common: list[str] = []
    heads: list[list[str]] = [[] for _ in extents]
    dated = False
    # Some programs write heads column by column.
    levels = _whole(by_height([piece for row in rows for piece in row]))
    for level in reversed(levels):  # heads of one column each say how wide it is
        over = [piece for piece in level if piece.right > columns[1][0]]
        for piece in over if len(over) * 2 > len(extents) else ():
            if len(own := _under(piece, extents)) == 1:
                column = extents[own[0]]
                column.left, column.right = min(column.left, piece.left), max(column.right, piece.right)
    for level in levels:
        if level is levels[-1]:
            level = [part for piece in level for part in _over_each(piece, columns)]
        first = level[0].text
        named = len(level) > 1 or _PERIOD.search(first) or grids.stated_units(first)
        # Labels between the heads and the first row: they begin where labels begin, below the years.
        aside = level[0].left > columns[0][0] + 2 * level[0].size and (
            not dated or _RE["head_word"].search(first)
        )
        if not named and not aside:
            continue
        dated = dated or any(_PERIOD.search(piece.text) for piece in level)
        over = []
        for piece in level:
            label = piece.left < columns[0][1] and piece.right < columns[1][0]
            (common if label else over).append(piece.text if label else piece)  # type: ignore[arg-type]
        _lay_over(over, extents, common, heads)
    if not any(heads):
        return (short(common, 160),) if common else ()
    return (short(common, 120), *map(short, heads))


def _whole(levels: list[list[TextLine]]) -> list[list[TextLine]]:
    """The levels with a head that wraps, in a level above the last, as one."""
    for n, level in enumerate(levels[:-1]):
        for piece in [*level]:
            for above in levels[max(0, n - 2) : n]:
                over = next((one for one in above if _wraps(one, piece, len(above) >= len(level))), None)
                if over is not None:
                    left, right = min(over.left, piece.left), max(over.right, piece.right)
                    whole = replace(over, text=f"{over.text} {piece.text}", left=left, right=right, words=[])
                    whole.bottom = piece.bottom
                    above[above.index(over)] = whole
                    level.remove(piece)
                    break
    return [level for level in levels if level]


def _wraps(line: TextLine, below: TextLine, even: bool) -> bool:
    """Whether a head goes on in a line below it; `even`: as many heads as stand there stand beside it, else
    what goes on is a bracket, or the year of a day."""
    day = pdf_rows.YEAR.match(below.text) and not pdf_rows.YEAR.search(line.text) and _DAY.search(line.text)
    near = -0.1 * below.size < line.bottom - below.top < 0.4 * below.size and line.bold == below.bold
    within = abs(line.middle - below.middle) < 0.3 * below.size
    return near and within and bool(even or day or below.text[0] in "(（")


def _over_each(piece: TextLine, columns: Columns) -> list[TextLine]:
    """A head that lies over two columns cut at its widest gap, if wider than a blank: two heads."""
    gaps = piece.gaps()
    over = [n for n, (left, right) in enumerate(columns) if piece.left < right and left < piece.right]
    if len(over) < 2 or len(gaps) < 2 or max(gaps) < 1.2 * median(gaps):
        return [piece]
    first, rest = piece.parts((0, gaps.index(max(gaps)) + 1, len(piece.words)))
    return [first, *_over_each(rest, columns)]


def short(parts: Sequence[str], limit: int = 60) -> tuple[str, ...]:
    text = " ".join(parts)
    return tuple(filter(None, parts if len(text) <= limit else [text[:limit].rsplit(" ", 1)[0]]))


def _lay_over(
    cells: list[TextLine], columns: Sequence[TextLine], common: list[str], heads: list[list[str]]
) -> None:
    """Give each cell of a head row to the columns it stands over; what stands over the labels or over all
    goes to `common`."""
    left, extent = columns[0].left, columns[-1].middle - columns[0].middle
    pitch = extent / (len(columns) - 1) if len(columns) > 1 else 60.0
    over = []
    for cell in cells:
        units = grids.stated_units(cell.text) and len(_under(cell, columns)) != 1
        if units or cell.right < left - pitch * 0.4 or cell.left < left - 1.5 * pitch:
            common.append(cell.text)
        else:
            over.append(cell)
    if not over:
        return
    each, rest = divmod(len(columns), len(over))
    each = each or 1
    nearest = [min(range(len(columns)), key=lambda n: abs(columns[n].middle - c.middle)) for c in over]
    dated = [_PERIOD.search(cell.text) is not None for cell in over]
    middles = [
        (a.middle + b.middle) / 2 for a, b in zip(columns[::each], columns[each - 1 :: each], strict=False)
    ]
    between = all(  # each in the middle of as many columns, and of none of them alone
        abs(cell.middle - at) < 0.3 * pitch < abs(cell.middle - columns[near].middle)
        for cell, at, near in zip(over, middles, nearest, strict=False)
    )
    alone = [_ends_with_one(cell, columns, 0.15 * pitch) for cell in over]
    groups = len(over) > 1 and not rest and ((all(dated) and not any(alone)) or between)
    if len(over) == len(columns) or (groups and all(c // each == n for n, c in enumerate(nearest))):
        for n, head in enumerate(heads):
            head.append(over[n // each].text)
        return
    under = [_under(cell, columns) for cell in over]
    # For several columns: it lies over more than one, or is a period that is no bare year over one.
    spans = [
        len(own) > 1
        or (period and not one and not (own and pdf_rows.YEAR.match(cell.text)))
        or (len(own) == 1 and not one and _is_between(cell, columns[own[0]], pitch))
        for cell, own, period, one in zip(over, under, dated, alone, strict=True)
    ]
    runs = [(a, b) for a in range(len(columns)) for b in range(a + 1, len(columns))]
    ends = (columns[a].left + columns[b].right for a, b in runs)
    middle = [
        run for run, both in zip(runs, ends, strict=True) if abs(both - 2 * over[0].middle) < 0.5 * pitch
    ]
    first, last = max(middle, key=lambda run: run[1] - run[0], default=runs[-1] if runs else (0, 0))
    whole = last - first + 1 == len(columns)
    if spans == [True] and whole and abs(over[0].middle - columns[0].middle - extent / 2) < pitch / 2:
        common.append(over[0].text)
        return
    for cell, at, spanning in zip(over, nearest, spans, strict=True):
        if not spanning:
            heads[at].append(cell.text)
    near = [min(range(len(over)), key=lambda k: abs(over[k].middle - c.middle)) for c in columns]
    right = [
        max((c.middle for c, k in zip(columns, near, strict=True) if k == n), default=0.0)
        for n in range(len(over))
    ]
    for n, (column, head) in enumerate(zip(columns, heads, strict=True)):
        if len(over) == 1 and not first <= n <= last:
            continue
        cell = over[near[n]]
        # It goes no further to the left than to the right.
        aside = len(over) > 1 and cell.middle - column.middle > right[near[n]] - cell.middle + 0.6 * pitch
        if spans[near[n]] and not aside and (len(over) > 1 or dated[near[n]] or n in under[near[n]]):
            head.append(cell.text)


def _is_between(cell: TextLine, column: TextLine, pitch: float) -> bool:
    """Whether a wide head that lies over one column stands beside its middle and its ends."""
    apart = min(abs(cell.middle - column.middle), abs(cell.left - column.left))
    return cell.right - cell.left > 0.8 * pitch and apart > 0.3 * pitch


def _ends_with_one(cell: TextLine, columns: Sequence[TextLine], near: float) -> bool:
    """Whether a head that begins with a year lies over one column and ends where its figures do."""
    own = _under(cell, columns) if pdf_rows.YEAR.match(cell.text.split(" ")[0]) else []
    return len(own) == 1 and abs(cell.right - columns[own[0]].right) < near


def _under(cell: TextLine, columns: Sequence[TextLine]) -> list[int]:
    return [n for n, c in enumerate(columns) if min(cell.right, c.right) > max(cell.left, c.left)]
