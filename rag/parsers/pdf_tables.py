"""Tables of figures on a PDF page: runs of lines that end in numbers, with nothing but labels between them.

pdfium gives a row of a financial statement as one line, "Net sales $ 265,595 $ 229,234".
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from rag.parsers.pdf_heads import Geometry, head_start, head_text, speaks_of_units, units_above
from rag.parsers.pdf_lines import TextLine
from rag.parsers.pdf_rows import MAX_LABEL, PdfRow, is_sentence, read_rows

_MAX_GAP = 4


@dataclass(frozen=True, slots=True)
class PdfTable:
    """Lines `first` to `last` (exclusive) of a page; the first figures stand in line `body`. `header` is ""
    where no head was found above; `columns` is the usual number of figures in a row."""

    first: int
    body: int
    last: int
    header: str
    columns: int


def find_tables(lines: Sequence[TextLine], geometry: Geometry | None = None) -> list[PdfTable]:
    """The tables of a page in order. Lines of one table do not overlap those of another."""
    rows = read_rows([line.text for line in lines])
    tables: list[PdfTable] = []
    floor = 0
    for first, last in _runs(lines, rows):
        head = head_start(lines, rows, first, floor, geometry)
        counts = Counter(rows[n].count for n in range(first, last) if rows[n].seed)
        columns = max(counts, key=lambda n: (counts[n], n))
        samples = [lines[n] for n in range(first, last) if rows[n].seed and rows[n].count == columns][:3]
        header = head_text(lines[head:first], samples, columns, geometry)
        units = units_above(lines, head, floor) if header and not speaks_of_units(header) else ""
        tables.append(PdfTable(head, first, last, f"{units} {header}" if units else header, columns))
        floor = last
    return tables


def _runs(lines: Sequence[TextLine], rows: Sequence[PdfRow]) -> list[tuple[int, int]]:
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


def _only_labels(lines: Sequence[TextLine], rows: Sequence[PdfRow], first: int, last: int) -> bool:
    heads = sum(rows[n].years or speaks_of_units(lines[n].text) for n in range(first, last))
    return heads == 0 and all(_is_label(lines[n].text) for n in range(first, last))


def _is_label(text: str) -> bool:
    """A line of a table without figures: "Current assets:", or a part of a long label."""
    return (
        len(text) <= MAX_LABEL
        and not is_sentence(text.rstrip(":;"))
        and not re.match(r"(?:Item|Note)\s+\d", text, re.I)
    )


def _is_table(run: Sequence[PdfRow]) -> bool:
    several = sum(row.count > 1 for row in run)
    labelled = sum(bool(row.label) for row in run)
    if labelled * 2 < len(run):
        return False
    return several >= 2 or (len(run) >= 3 and max(len(row.label) for row in run) <= 90)
