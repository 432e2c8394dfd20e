"""Tables and their cells as values, and how a row of cells reads in a document's text.

A cell's words are characters of the text like all others: `document.text[cell.start:cell.end]`. Nobody cuts a
row up by its joints to find its cells."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

JOINT = " | "
_CELLS = re.compile(r"(?P<sheet>.*!)?(?P<first>[A-Z]{1,3}\d+)(?::(?P<last>[A-Z]{1,3})\d+)?")


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a table: its words are `document.text[start:end]`, none where it is empty. `row` and `column`
    count from 0 in what the table shows; `rows` and `columns` are how many it spans. The words of a cell that
    spans rows stand in each of them, as cells of their own."""

    start: int
    end: int
    row: int
    column: int
    rows: int = 1
    columns: int = 1


@dataclass(frozen=True, slots=True)
class Table:
    """A table at `[start, end)` of its document, a block for each row.

    `heads` are the heads of each column from the outermost to the innermost ("2023", "Revenue"), () for a
    column without one; where the columns of a PDF were not found, its head lines. `units` are lines that
    state units beside the heads ("(in millions)"). `placed`: cells stand in the columns of their heads;
    otherwise (lines of a PDF) they are a label and figures in their order, and which column is empty is not
    known. `location` is where it stands, if there are no pages ("Sheet1!A4:F20"). `title` is its caption
    ("Table 3. Dosing in renal impairment"), on one line; it is text of the document, too.

    `rows` are the cells of each row, packed: where the first one starts, its width, then by turns the gap to
    the next one and its width, in code points; empty cells at the end of a row are left out. The first of
    them is row `first`: a store gives the rows of a range. `spans` are (row, column, rows, columns) of cells
    that span several. `cells` unpacks."""

    start: int
    end: int
    heads: tuple[tuple[str, ...], ...] = ()
    units: tuple[str, ...] = ()
    placed: bool = True
    heading_path: tuple[str, ...] = ()
    location: str = ""
    first: int = 0
    rows: tuple[tuple[int, ...], ...] = ()
    spans: tuple[tuple[int, int, int, int], ...] = ()
    title: str = ""

    def cells(self, row: int) -> tuple[Cell, ...]:
        """The cells of a row, () for one that the table was not given with."""
        if not self.first <= row < self.first + len(self.rows) or not self.rows[row - self.first]:
            return ()
        at, *steps = self.rows[row - self.first]
        spans = {span[1]: span[2:] for span in self.spans if span[0] == row} if self.spans else {}
        found = []
        for column, (width, gap) in enumerate(zip_longest(steps[::2], steps[1::2], fillvalue=0)):
            found.append(Cell(at, at + width, row, column, *spans.get(column, ())))
            at += width + gap
        return tuple(found)

    @property
    def columns(self) -> tuple[str, ...]:
        """What stands over each column, on one line; what states units in front of the first."""
        named = [" ".join(parts) for parts in self.heads]
        if self.units:
            named[:1] = [" ".join(filter(None, (*self.units, *named[:1])))]
        return tuple(named)


def packed(start: int, spans: Sequence[tuple[int, int]]) -> tuple[int, ...]:
    """A row of `Table.rows` from the (start, end) of each cell, counted from `start`; () without any."""
    found = [start + begin for begin, _ in spans[:1]]
    at = 0
    for number, (begin, end) in enumerate(spans):
        found += [begin - at, end - begin] if number else [end - begin]
        at = end
    return tuple(found)


def row_text(cells: Sequence[str]) -> str:
    """How a row of cells reads in text: "a | b | c"; empty cells at the end are left out, and so is the blank
    before the joint where the first one is empty."""
    last = max((n for n, cell in enumerate(cells, 1) if cell), default=0)
    return JOINT.join(cells[:last]).lstrip(" ")


def row_spans(cells: Sequence[str]) -> list[tuple[int, int]]:
    """Where each cell stands in `row_text(cells)`."""
    last = max((n for n, cell in enumerate(cells, 1) if cell), default=0)
    found, at = [], 0
    for number, cell in enumerate(cells[:last]):
        found.append((at, at + len(cell)))
        at += len(cell) + len(JOINT) - (number == 0 and not cell)
    return found


def heads_text(columns: Sequence[str]) -> str:
    """How column heads read where they are shown or embedded, on one line."""
    return " ".join(JOINT.join(columns).split())


def reads_as_heads(row: str, columns: Sequence[str]) -> bool:
    """Whether the text of a row is that of the column heads."""
    return row.replace("|", " ").split() == " ".join(columns).replace("|", " ").split()


def joined_location(first: str, last: str) -> str:
    """One location for a range of rows: "S!A4:F4" and "S!A9:C9" give "S!A4:F9"."""
    if first == last or not last:
        return first
    a, b = _CELLS.fullmatch(first), _CELLS.fullmatch(last)
    if a and b and a["sheet"] == b["sheet"]:
        ends = [m["last"] or m["first"].rstrip("0123456789") for m in (a, b)]
        row = b["first"].lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
        return f"{a['sheet'] or ''}{a['first']}:{max(ends, key=lambda end: (len(end), end))}{row}"
    return f"{first} – {last}" if first else last
