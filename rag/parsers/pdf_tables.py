"""Tables of figures on a PDF page: runs of lines that end in numbers, with nothing but labels between them.
pdfium gives a row of a financial statement as one line, "Net sales $ 265,595 $ 229,234".

Their column heads are the lines above that speak of dates, periods, units or columns, laid over the columns
by where they stand on the page: "Three Months Ended" over four years begins the first two heads."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from rag.languages import patterns
from rag.parsers import pdf_rows
from rag.parsers.pdf_lines import TextCell, TextLine

_RE = patterns("pdf_tables", re.NOFLAG)
_PERIOD = re.compile(
    rf"\b{pdf_rows.MONTH}\s+\d{{1,2}}\b|\b(?:19|20)\d\d\b|\b(?:ended|months|quarter|fiscal|weeks)\b|\byears?\b"
    r"|\d{4}\s*年|(?:本|上)(?:期|年)|期[末初]|年[末初]|同比|截至",
    re.I,
)
_MAX_LINES = 10
_MAX_GAP = 4


def speaks_of_units(text: str) -> bool:
    """Whether a line states a unit, as "(in millions)" or "单位：万元" does."""
    return _RE["units"].search(text) is not None


def head_start(
    lines: Sequence[TextLine],
    rows: Sequence[pdf_rows.PdfRow],
    first: int,
    floor: int,
) -> int:
    """The topmost line above the figures that belongs to the table's head, with the labels under it; `first`
    for none."""
    top, labels = first, 0
    label_left = min((line.left for line in lines[first : first + 6]), default=0.0)
    for n in range(first - 1, max(floor, first - _MAX_LINES) - 1, -1):
        line = lines[n]
        if _ends_head(line.text) or (rows[n].seed and not rows[n].years):
            break
        # Column heads begin right of the labels; a title in the middle of the page does too, but in capitals.
        aside = line.size > 0 and line.left > label_left + 12 * line.size and not line.text.isupper()
        cells = line.cells() if n >= first - 2 else []
        heads_columns = len(cells) > rows[first].count and not any(
            pdf_rows.is_value(cell.text) for cell in cells
        )
        telling = _RE["units"].search(line.text) or _PERIOD.search(line.text)
        if rows[n].years or aside or telling or heads_columns:
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


def units_above(lines: Sequence[TextLine], head: int, floor: int) -> tuple[str, ...]:
    """ "in millions" from the sentence that introduces the table."""
    for n in range(head - 1, max(floor, head - 5) - 1, -1):
        found = (
            re.search(r"[(（][^()（）]*[)）]", lines[n].text) if _RE["units"].search(lines[n].text) else None
        )
        if found and _RE["units"].search(found.group()):
            return (found.group(),)
    return ()


def column_heads(
    head: Sequence[TextLine], samples: Sequence[TextLine], columns: int
) -> tuple[tuple[str, ...], ...]:
    """What holds for all columns (units, period), then the heads of each column; the head lines themselves
    where the columns are not found."""
    lines = _without_labels(head, samples)
    if not lines:
        return ()
    extents = _extents(samples, columns)
    if not extents:
        return tuple(_short([line.text]) for line in lines)
    common: list[str] = []
    heads: list[list[str]] = [[] for _ in extents]
    for cells in _visual_rows(lines):
        _lay_over(cells, extents, common, heads)
    if not any(heads):
        return (_short(common, 160),)
    return (_short(common, 120), *map(_short, heads))


def _without_labels(head: Sequence[TextLine], samples: Sequence[TextLine]) -> list[TextLine]:
    """Head lines without the labels between them and the first row ("Assets", "Current assets:"): those begin
    where labels begin, or stand alone below the years."""
    left = min((sample.left for sample in samples), default=0.0)
    kept: list[TextLine] = []
    dated = False
    for line in head:
        names_columns = _PERIOD.search(line.text) or _RE["units"].search(line.text)
        alone = len(line.cells()) < 2
        aside = line.left > left + 2 * line.size and (not dated or _RE["head_word"].search(line.text))
        if names_columns or not alone or aside:
            kept.append(line)
        dated = dated or bool(_PERIOD.search(line.text))
    return kept


def _short(parts: Sequence[str], limit: int = 60) -> tuple[str, ...]:
    text = " ".join(parts)
    return tuple(filter(None, parts if len(text) <= limit else [text[:limit].rsplit(" ", 1)[0]]))


def _extents(samples: Sequence[TextLine], columns: int) -> list[TextCell]:
    """Left and right of each column of figures, over the sample rows."""
    extents: list[TextCell] = []
    for line in samples:
        words = line.word_cells()
        figures = [
            word for word in words if pdf_rows.is_blank_figure(word.text) or pdf_rows.is_value(word.text)
        ][-columns:]
        if len(figures) < columns:
            continue
        if not extents:
            extents = figures
        else:
            pairs = zip(extents, figures, strict=True)
            extents = [TextCell("", min(a.left, b.left), max(a.right, b.right)) for a, b in pairs]
    return extents


def _visual_rows(lines: Sequence[TextLine]) -> list[list[TextCell]]:
    """Cells of lines that stand at one height, from left to right: pdfium gives the heads "December 1," and
    "December 2," of two columns as separate lines."""
    rows: list[tuple[float, list[TextCell]]] = []
    for line in lines:
        cells = line.cells() or [TextCell(line.text, line.left, line.right)]
        for height, row in rows:
            if line.size and abs(height - line.top) < line.size * 0.4:
                row.extend(cells)
                break
        else:
            rows.append((line.top, cells))
    rows.sort(key=lambda row: -row[0])
    return [sorted(cells, key=lambda cell: cell.left) for _, cells in rows]


def _lay_over(
    cells: list[TextCell], columns: Sequence[TextCell], common: list[str], heads: list[list[str]]
) -> None:
    """Give each cell of a head row to the columns it stands over; what stands over the labels or over all
    goes to `common`."""
    pitch = (columns[-1].middle - columns[0].middle) / (len(columns) - 1) if len(columns) > 1 else 60.0
    over = []
    for cell in cells:
        if (
            _RE["units"].search(cell.text)
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


def _under(cell: TextCell, columns: Sequence[TextCell]) -> list[int]:
    return [n for n, c in enumerate(columns) if min(cell.right, c.right) > max(cell.left, c.left)]


def _nearest(cell: TextCell, columns: Sequence[TextCell]) -> int:
    return min(range(len(columns)), key=lambda n: abs(columns[n].middle - cell.middle))


@dataclass(frozen=True, slots=True)
class PdfTable:
    """Lines `first` to `last` (exclusive) of a page; the first figures stand in line `body`. `heads` are
    `column_heads`, () where no head was found above; `columns` is the usual number of figures in a row;
    `units` are stated by the sentence that introduces the table."""

    first: int
    body: int
    last: int
    columns: int
    heads: tuple[tuple[str, ...], ...] = ()
    units: tuple[str, ...] = ()


def find_tables(lines: Sequence[TextLine]) -> list[PdfTable]:
    """The tables of a page in order. Lines of one table do not overlap those of another."""
    rows = pdf_rows.read_rows([line.text for line in lines])
    tables: list[PdfTable] = []
    floor = 0
    for first, last in _runs(lines, rows):
        head = head_start(lines, rows, first, floor)
        counts = Counter(rows[n].count for n in range(first, last) if rows[n].seed)
        columns = max(counts, key=lambda n: (counts[n], n))
        samples = [lines[n] for n in range(first, last) if rows[n].seed and rows[n].count == columns][:3]
        heads = column_heads(lines[head:first], samples, columns)
        stated = any(speaks_of_units(" ".join(parts)) for parts in heads)
        units = () if stated or not any(heads) else units_above(lines, head, floor)
        tables.append(PdfTable(head, first, last, columns, heads, units))
        floor = last
    return tables


def _runs(lines: Sequence[TextLine], rows: Sequence[pdf_rows.PdfRow]) -> list[tuple[int, int]]:
    """Ranges from a first to a last row of figures with nothing but labels between."""
    runs: list[tuple[int, int]] = []
    seeds = [n for n, row in enumerate(rows) if row.seed]
    begin = 0
    for k, seed in enumerate(seeds):
        following = seeds[k + 1] if k + 1 < len(seeds) else None
        if (
            following is not None
            and following - seed <= _MAX_GAP + 1
            and _only_labels(lines, rows, seed + 1, following)
        ):
            continue
        run = seeds[begin : k + 1]
        begin = k + 1
        if _is_table([rows[n] for n in run]):
            runs.append((run[0], seed + 1))
    return runs


def _only_labels(lines: Sequence[TextLine], rows: Sequence[pdf_rows.PdfRow], first: int, last: int) -> bool:
    heads = sum(rows[n].years or speaks_of_units(lines[n].text) for n in range(first, last))
    return heads == 0 and all(_is_label(lines[n].text) for n in range(first, last))


def _is_label(text: str) -> bool:
    """A line of a table without figures: "Current assets:", or a part of a long label."""
    return (
        len(text) <= pdf_rows.MAX_LABEL
        and not pdf_rows.is_sentence(text.rstrip(":;"))
        and not re.match(r"(?:Item|Note)\s+\d", text, re.I)
    )


def _is_table(run: Sequence[pdf_rows.PdfRow]) -> bool:
    several = sum(row.count > 1 for row in run)
    labelled = sum(bool(row.label) for row in run)
    if labelled * 2 < len(run):
        return False
    return several >= 2 or (len(run) >= 3 and max(len(row.label) for row in run) <= 90)
