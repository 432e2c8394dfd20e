"""A table row as a label and figures, each with its own characters and its value.

Rows come in two shapes: cells joined by " | " (sheets, HTML, DOCX, Markdown), whose columns are known by
their place, and lines of a PDF ("Net sales $ 265,595 $ (1,234) 5.6 %"), read from the end, whose figures are
known by their order only."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from rag.facts.numerals import fold
from rag.facts.units import CURRENCY_BEFORE
from rag.parsers.pdf_rows import is_blank_figure, read_row

JOINT = " | "
_SCALES = {
    "thousand": 1_000, "million": 1_000_000, "mn": 1_000_000, "m": 1_000_000, "billion": 1_000_000_000,
    "bn": 1_000_000_000, "万": 10_000, "亿": 100_000_000, "千": 1_000, "百万": 1_000_000,
}  # fmt: skip
_CURRENCY = r"US\$|HK\$|NT\$|[ACRS]\$|\$|€|£|¥|￥|₹|USD|EUR|GBP|RMB|CNY|HKD|CHF"
_FIGURE = re.compile(
    rf"(?P<minus>[-+]\s*)?(?P<open>[(]\s*)?(?P<minus2>[-+]\s*)?(?:(?P<currency>{_CURRENCY})\s*)?"
    r"(?P<open2>[(]\s*)?(?P<minus3>[-+]\s*)?"
    r"(?P<digits>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)(?:\s*%)?\s*[)]?"
    r"\s*(?P<percent>%|个?百分点|points?\b|pts\b|pp\b|bps\b)?"
    r"(?:\s*(?P<scale>thousand|million|mn|billion|bn|百万|万|亿|千)?"
    r"\s*(?P<yuan>元|美元|港元)?)(?:[)])?(?:\s*x)?(?:\s*(?:[*†‡]|\(\d\)))*"
)
_OPENERS = frozenset(["$", "€", "£", "¥", "￥", "(", "US$", "HK$", "RMB", "($", "（"])
_CLOSERS = frozenset(["%", "％", ")", ")%", "%)", "）"])
_MARK = re.compile(r"[(]\d[)]")
_LETTER = re.compile(r"(?<=[\d)%] )[(][a-z][)](?!\S)")
_YUAN = {"元": "CNY", "美元": "USD", "港元": "HKD"}


@dataclass(frozen=True, slots=True)
class FigureCell:
    """A figure as printed at `[start, end)` of the document. `value` is what stands there: brackets are a
    minus, a dash is nil (0), "n/a" is None, a percent sign is kept apart; a scale that the cell itself states
    ("3.2 million") is applied, that of its table is not. `place` is its column in a row of cells, None in a
    line."""

    start: int
    end: int
    printed: str
    value: Decimal | None
    nil: bool = False
    percent: bool = False
    currency: str = ""
    place: int | None = None
    scaled: bool = False


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row taken apart; `label` is the words in front of the figures, on one line."""

    label: str
    cells: tuple[FigureCell, ...]


def read_figure(text: str) -> FigureCell | None:
    """The figure that is all of `text`, with offsets into it; None where it says anything else."""
    folded = fold(text)
    begin = len(folded) - len(folded.lstrip())
    stop = len(folded.rstrip())
    if begin >= stop:
        return None
    printed = text[begin:stop]
    if is_blank_figure(printed):
        # Words such as "n/a" say that there is none; only a dash says that it is nil.
        nil = not any(c.isalnum() for c in printed) and printed not in ("*", "#")
        return FigureCell(begin, stop, printed, Decimal(0) if nil else None, nil=nil)
    m = _FIGURE.fullmatch(folded, begin, stop)
    if m is None:
        return None
    value = Decimal(m["digits"].replace(",", ""))
    brackets = (m["open"] or m["open2"]) is not None and ")" in folded[m.end("digits") : stop]
    if brackets or any((m[name] or "").startswith("-") for name in ("minus", "minus2", "minus3")):
        value = -value
    if m["scale"]:
        value *= _SCALES[m["scale"]]
    currency = CURRENCY_BEFORE.get((m["currency"] or "").lower(), "") or _YUAN.get(m["yuan"] or "", "")
    return FigureCell(
        begin, stop, printed, value, percent="%" in folded[m.end("digits") : stop], currency=currency,
        scaled=bool(m["scale"] or m["yuan"]),
    )  # fmt: skip


def read_cells(text: str, start: int = 0, *, grid: bool) -> TableRow:
    """The row `text`, which begins at `start` of its document. `grid`: its cells are joined by " | "."""
    return _from_grid(text, start) if grid else _from_line(text, start)


def _from_grid(text: str, start: int) -> TableRow:
    label, cells = "", []
    for place, (at, part) in enumerate(split_cells(text)):
        figure = read_figure(part)
        if figure is not None and place:
            cells.append(_moved(figure, start + at, place))
        elif not label and figure is None:
            label = " ".join(part.split())
    return TableRow(label, tuple(cells))


def split_cells(text: str) -> list[tuple[int, str]]:
    """(offset, text) of each cell of a row of cells; an empty first one leaves only its joint."""
    found, at = [], 0
    if text.startswith(JOINT.lstrip()):
        found, at = [(0, "")], len(JOINT) - 1
    for part in text[at:].split(JOINT):
        found.append((at, part))
        at += len(part) + len(JOINT)
    return found


def _from_line(text: str, start: int) -> TableRow:
    # Marks of footnotes between figures, "(a)", would end the row.
    plain = _LETTER.sub(lambda m: " " * len(m.group()), text)
    values = list(read_row(plain).values)
    spans = [m.span() for m in re.finditer(r"\S+", plain)]
    cells: list[FigureCell] = []
    at = len(spans)
    while at and values:
        at -= 1
        begin, end = spans[at]
        if text[begin:end] != values[-1]:
            continue  # a sign that belongs to the figure before or after it
        values.pop()
        cells.append(_with_signs(text, spans, at, start))
    # What read_row skipped in front of the first figure are its signs.
    while cells and at and text[slice(*spans[at - 1])] in _OPENERS:
        at -= 1
    label = text[: spans[at][0]] if cells and at < len(spans) else text
    return TableRow(" ".join(label.split()), tuple(reversed(cells)))


def _with_signs(text: str, spans: Sequence[tuple[int, int]], at: int, start: int) -> FigureCell:
    """The figure at word `at` with the currency sign, bracket or percent sign that stand beside it."""
    first, last = at, at
    while first and text[slice(*spans[first - 1])] in _OPENERS:
        first -= 1
    while last + 1 < len(spans) and text[slice(*spans[last + 1])] in _CLOSERS:
        last += 1
    for a, b in ((first, last), (at, last), (first, at), (at, at)):
        begin, end = spans[a][0], spans[b][1]
        figure = read_figure(text[begin:end])
        if figure is not None:
            return _moved(figure, start + begin, None)
    begin, end = spans[at]
    return FigureCell(start + begin, start + end, text[begin:end], None)


def _moved(cell: FigureCell, by: int, place: int | None) -> FigureCell:
    return replace(cell, start=cell.start + by, end=cell.end + by, place=place)


def fitted(cells: Sequence[FigureCell], columns: int) -> tuple[FigureCell, ...] | None:
    """The cells of a line that stand in its `columns` columns; None where they cannot be determined.

    Too many: marks of footnotes go first, then figures that belong to the label ("Note 7", "311,108,000
    shares"). Too few: which column is empty is not known."""
    kept = list(cells)
    while len(kept) > columns:
        mark = next((n for n in range(1, len(kept)) if _MARK.fullmatch(kept[n].printed)), None)
        kept.pop(0 if mark is None else mark)
    return tuple(kept) if len(kept) == columns else None
