"""Columns of prose that a PDF's text runs across, line by line: found by the gap between them and put one
behind the other."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from rag.parsers.pdf_lines import TextLine
from rag.parsers.pdf_rows import is_blank_figure, is_value

_GAP = 0.9  # of a gap between columns, as a share of the height of the type's box
_LEADING = 3.0  # between two lines of a column, likewise
_FEWEST = 4  # lines that have the gap
_NARROWEST = 16  # characters in a line of a column
_FINISHED = re.compile(r"[.!?:;。！？：；][”’\"')」』]*$")
_HAN = re.compile("[\u4e00-\u9fff]")
_NUMBERED = re.compile(r"\W?(\d{1,3})[.)、．]\s*\D")


@dataclass(slots=True)
class _Region:
    """Lines `first` to `last` (exclusive) with a gap from `left` to `right` between their columns."""

    first: int
    last: int
    left: float
    right: float
    both: int = 0


def in_columns(lines: list[TextLine]) -> list[TextLine]:
    """The lines in reading order: where prose stands in columns side by side, each line is cut at the gap and
    the columns follow one another."""
    wide = [_gaps(line) for line in lines]
    if sum(map(bool, wide)) < _FEWEST:
        return lines
    found: list[TextLine] = []
    at = 0
    while at < len(lines):
        region = max((_region(lines, wide, at, gap) for gap in wide[at]), key=lambda r: r.both, default=None)
        beside = region is not None and region.both >= max(_FEWEST, 0.6 * (region.last - region.first))
        columns = _columns(lines, region) if beside and region is not None else []
        for column in columns:
            found += in_columns(column)
        # A table of as many lines is not tried again at each of them.
        end = region.last if region is not None and (columns or beside) else at + 1
        found += [] if columns else lines[at:end]
        at = end
    return found


def _gaps(line: TextLine) -> list[tuple[float, float]]:
    """Gaps of a line that could part columns: wider than those between its words."""
    if not line.wide:
        return []
    boxes, least = line.boxes, line.size * _GAP
    gaps = [(before[2], after[0]) for before, after in zip(boxes[1::2], boxes[2::2], strict=False)]
    if not gaps:
        return []
    usual = sorted(right - left for left, right in gaps)[len(gaps) // 2]
    least = max(least, 1.6 * usual)
    return [(left, right) for left, right in gaps if right - left >= least]


def _region(
    lines: Sequence[TextLine],
    wide: Sequence[Sequence[tuple[float, float]]],
    first: int,
    gap: tuple[float, float],
) -> _Region:
    """How far down from line `first` the gap goes."""
    region = _Region(first, first + 1, *gap, both=1)
    for n in range(first + 1, len(lines)):
        line, above = lines[n], lines[n - 1]
        fall = above.bottom - line.top
        if not line.boxes or not -0.8 * line.size < fall < _LEADING * line.size:
            break
        if line.right <= region.right - 1 or line.left >= region.left + 1:
            region.last = n + 1
            continue  # it stands in one of the columns alone
        shared = [(max(a, region.left), min(b, region.right)) for a, b in wide[n]]
        left, right = max(shared, key=lambda s: s[1] - s[0], default=(0.0, 0.0))
        if right - left < 0.6 * line.size:
            break
        region.left, region.right, region.last, region.both = left, right, n + 1, region.both + 1
    return region


def _columns(lines: Sequence[TextLine], region: _Region) -> list[list[TextLine]]:
    """The lines of each column; of a table whose cells hold prose those of each cell, row by row; [] where it
    is no prose."""
    middle = (region.left + region.right) / 2
    words = [word for line in lines[region.first : region.last] for word in line.text.split()]
    if _figures(words) * 5 > len(words):
        return []
    rows = [_cut(line, middle) for line in lines[region.first : region.last]]
    sides = [[row[side] for row in rows] for side in (0, 1)]
    if not all(is_prose([line for line in side if line is not None]) for side in sides):
        return []
    ends = [0, *_shared_breaks(rows), len(rows)]
    columns = []
    for begin, end in pairwise(ends):
        for side in sides:
            column = [line for line in side[begin:end] if line is not None]
            edge = max((line.right for line in side if line is not None), default=0.0)
            for line in column:
                line.edge = edge
            columns.append(column)
    return columns


def _cut(line: TextLine, middle: float) -> tuple[TextLine | None, TextLine | None]:
    at = sum(box[0] < middle for box in line.boxes[::2])
    count = len(line.numbers)
    return line.part(0, at) if at else None, line.part(at, count) if at < count else None


def _figures(words: Sequence[str]) -> int:
    return sum(is_value(word) or is_blank_figure(word) for word in words)


def is_prose(side: Sequence[TextLine]) -> bool:
    """Whether the lines of a column are sentences that go on from one line to the next."""
    words = [word for line in side for word in line.text.split()]
    letters = sum(len(line.text) for line in side)
    if len(side) < _FEWEST - 1 or letters < _NARROWEST * len(side):
        return False
    if _figures(words) * 6 > len(words):
        return False
    left, edge = min(line.left for line in side), max(line.right for line in side)
    # A column begins at one place, or its paragraphs at a second one.
    if sum(line.left < left + 0.5 * line.size for line in side) * 10 < 6 * len(side):
        return False
    goes_on = 0
    for above, line in pairwise(side):
        if _FINISHED.search(above.text) or "@" in line.text or above.right < left + 0.6 * (edge - left):
            continue
        full = _HAN.search(above.text[-1:]) and above.right > edge - 1.5 * above.size
        goes_on += bool(line.text[:1].islower() or full)
    return goes_on * 3 >= len(side) - 1


def _shared_breaks(rows: Sequence[tuple[TextLine | None, TextLine | None]]) -> list[int]:
    """Where each row of a table begins: all its cells begin at one height, below a wider space. Columns whose
    paragraphs do so by chance are told by sentences that run over it, or by numbers that go on in the second
    column."""
    some = [left or right for left, right in rows]
    pitches = [above.top - line.top for above, line in pairwise(some) if above and line]
    usual = sorted(pitches)[len(pitches) // 3] if pitches else 0.0
    breaks = [n for n, pitch in enumerate(pitches, start=1) if pitch > 1.25 * usual]
    if len(breaks) < 2 or not all(left and right for left, right in (rows[n] for n in breaks)):
        return []
    for side in (0, 1):
        texts = [line.text if (line := row[side]) else "" for row in rows]
        for n in breaks:
            above = next((text for text in reversed(texts[:n]) if text), "")
            if not _FINISHED.search(above) and texts[n][:1].islower():
                return []
    firsts = [
        [_NUMBERED.match(line.text) if (line := rows[n][s]) else None for n in [0, *breaks]] for s in (0, 1)
    ]
    numbers = [[int(match[1]) for match in side if match] for side in firsts]
    if all(len(side) == len(breaks) + 1 for side in numbers) and numbers[1][0] == numbers[0][-1] + 1:
        return []
    return breaks
