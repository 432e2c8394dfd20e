"""The tables of a sheet: where one ends and another begins, its heads, its title and units, and what of its
cells holds for more than one row.

Rows without words part tables, and so do columns without words between two that have heads of their own. The
lines above a table are its title or state its units; heads of several rows are joined through the cells that
span columns. Nothing is made up: a column without a head has none, a form (labels beside values) has none at
all."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate, groupby

from rag.languages import patterns
from rag.parsers import base
from rag.parsers.grids import count_heads, is_quantity, kept_spans, only_units, spread_heads, stated_units
from rag.parsers.marks import unmarked, without_notes
from rag.types.tables import joined_location

_RE = patterns("sheet_tables", re.NOFLAG)
_MOST_ROWS = 20_000  # rows that are looked at together
_MOST_HEADS = 4
_TITLE = 120  # characters of a line that may be a title
_YEAR = re.compile(r"(?:19|20)\d\d")
# Text and location of a note.
_Said = tuple[str, str]


@dataclass(slots=True)
class SheetLine:
    """A row of a sheet. `former` is the row as it read before; `across` are the columns that only repeat what
    spans them from the left; `spans` (rows, columns) of cells by column; `bold` columns in bold type; `notes`
    with their places. Columns count from 0."""

    number: int
    cells: list[str]
    former: list[list[str]] = field(default_factory=list)
    hidden: bool = False
    across: frozenset[int] = frozenset()
    spans: dict[int, tuple[int, int]] = field(default_factory=dict)
    bold: frozenset[int] = frozenset()
    notes: list[_Said] = field(default_factory=list)

    def filled(self, columns: Sequence[int]) -> list[int]:
        """The columns with words."""
        rows = (self.cells, *self.former)
        return [c for c in columns if any(c < len(row) and row[c] for row in rows)]

    def own(self, columns: Sequence[int]) -> list[int]:
        """The columns with words, what spans several once."""
        return [c for c in self.filled(columns) if c not in self.across]

    def word(self, column: int) -> str:
        return unmarked(self.cells[column]) if column < len(self.cells) else ""


class SheetTables:
    """Adds the rows of a sheet to a builder, table by table. `place` names a row from one column to another
    ("Sheet1!A4:F4")."""

    def __init__(self, builder: base.TextBuilder, place: Callable[[int, int, int], str]) -> None:
        self._builder = builder
        self._place = place
        self._band: list[SheetLine] = []
        self._title: list[str] = []  # lines that may be the title of the next table
        self._units: list[str] = []
        self._heads: list[tuple[str, ...]] = []
        self._columns: Sequence[int] = ()
        self._goes_on = False

    def add(self, line: SheetLine) -> None:
        """The next row, by rising numbers; rows between that were not given are empty."""
        if not any(map(any, (line.cells, *line.former))):
            return
        gap = self._band and line.number > self._band[-1].number + 1
        if gap or len(self._band) >= _MOST_ROWS:
            self.end()
            self._goes_on = not gap
        self._band.append(line)

    def end(self) -> None:
        """The rows so far are all of their tables."""
        band, self._band = self._band, []
        if band:
            self._region(band, range(max(len(row) for line in band for row in (line.cells, *line.former))))
        self._goes_on = False

    def _region(self, lines: Sequence[SheetLine], columns: Sequence[int]) -> None:
        """Rows without an empty one among them: lines above, then one table or several side by side."""
        first = min((c for line in lines for c in line.filled(columns)), default=0)
        for at_once in (True, False):  # lines of several cells only where nothing stands side by side
            lead = 0
            while lead < len(lines) and _is_line(lines[lead : lead + 6], columns, first, at_once):
                lead += 1
            self._lines(lines[:lead], columns)
            lines = lines[lead:]
            parts = _side_by_side(lines, columns)
            if len(parts) > 1:
                break
        else:
            if lines:
                self._table(lines, parts[0])
            return
        for part in parts:
            # Notes stay with the first part.
            held = [
                line if part is parts[0] else replace(line, notes=[]) for line in lines if line.filled(part)
            ]
            for _, run in groupby(enumerate(held), key=lambda item: item[1].number - item[0]):
                self._region([line for _, line in run], part)

    def _lines(self, lines: Sequence[SheetLine], columns: Sequence[int]) -> None:
        """Add rows as paragraphs, and note what they are for the table under them: its title, its units."""
        title, units = [], []
        for line in lines:
            for row in (line.cells, *line.former):
                for c in (c for c in columns if c < len(row) and row[c] and c not in line.across):
                    self._builder.paragraph(row[c], location=self._place(line.number, c, c))
            for word in map(line.word, line.own(columns)):
                units += [
                    u if u == word else u.strip("()（）") for u in stated_units(word) if len(word) <= _TITLE
                ]
                title += [word] if word and not only_units(word) and len(word) <= _TITLE else []
            self._notes([line])
        self._title, self._units = [*self._title, *title][-3:], units or self._units

    def _table(self, lines: Sequence[SheetLine], columns: Sequence[int]) -> None:
        rows = [line for line in lines if not line.hidden]
        form = not self._goes_on and _is_form(rows, columns)
        count = 0 if form or self._goes_on else _head_rows(rows, columns)
        same = bool(self._columns) and columns[0] == self._columns[0] and set(columns) <= set(self._columns)
        if count or form or not same:
            heads = spread_heads(*_grid(rows[:count], columns))
            self._heads, self._columns = base.column_heads(heads), columns
        columns = self._columns
        body = rows[count:]
        remarks = (  # on the table, under it
            line.own(columns) == [columns[0]] and _RE["remark"].search(line.word(columns[0]))
            for line in reversed(body)
        )
        notes = next((n for n, remark in enumerate(remarks) if not remark), 0)
        body, tail = body[: len(body) - notes], body[len(body) - notes :]
        kept = [line for line in body if not line.former]  # blank means same
        labels = [[line.word(c) for c in columns[: base.MOST_LABELS]] for line in kept]
        for n, c in base.same_as_above(labels):
            kept[n].cells[columns[c]] = without_notes(kept[n - 1].cells[columns[c]])
        body += [line for line in lines if line.hidden]
        at = accumulate((1 + len(line.former) for line in body), initial=int(count > 0))
        spans = kept_spans(_grid(body, columns)[1], range(len(columns)), dict(enumerate(at)))
        if spans or not self._goes_on:
            title = " ".join(self._title)
            self._builder.table(self._heads, units=tuple(self._units), spans=spans, title=title)
        if count > 1:  # heads of several rows are one
            ends = [self._place(line.number, columns[0], columns[-1]) for line in rows[:count]]
            self._builder.row([" ".join(p) for p in self._heads], location=joined_location(ends[0], ends[-1]))
        for line in rows[: count if count == 1 else 0] + body:
            self._row(line, columns)
        self._notes(rows[:count] + body)
        self._lines(tail, columns)
        self._title, self._units = [], []

    def _row(self, line: SheetLine, columns: Sequence[int]) -> None:
        filled = line.filled(columns)
        if len(line.own(columns)) < 2:  # what spans all, once
            columns = [c for c in columns if c <= filled[0]]
        place = self._place(line.number, filled[0], filled[-1])
        for row in (line.cells, *line.former):
            self._builder.row([row[c] if c < len(row) else "" for c in columns], location=place)

    def _notes(self, lines: Sequence[SheetLine]) -> None:
        for text, location in (note for line in lines for note in line.notes):
            self._builder.paragraph(text, location=location)


def _has_quantity(line: SheetLine, columns: Sequence[int]) -> bool:
    return any(is_quantity(line.word(c)) for c in columns)


def _is_line(lines: Sequence[SheetLine], columns: Sequence[int], first: int, alone: bool) -> bool:
    """Whether the first of some rows is a line above a table that begins in column `first`: it has one cell,
    unless that is a head over several, or, unless it is to be `alone`, a few in front of a row that looks
    more like heads."""
    line, *rest = lines
    own = line.own(columns)
    if line.hidden:
        return False
    if len(own) < 2:
        spans = own and own[0] > first and line.spans.get(own[0], (1, 1))[1] > 1
        return not (spans and rest and not _has_quantity(rest[0], columns))
    if alone or len(rest) < 2 or any(_has_quantity(row, columns) for row in (line, rest[0])):
        return False
    figures = any(_has_quantity(row, columns) for row in rest[1:])
    more = len(rest[0].own(columns)) - len(own)
    if any(only_units(line.word(c)) for c in own) and more >= 0:
        return more > 0 or figures
    both = first in own and first in rest[0].own(columns)
    return both and more > 0 and not line.across and figures


def _side_by_side(lines: Sequence[SheetLine], columns: Sequence[int]) -> list[Sequence[int]]:
    """The columns of each table of a region. An empty column parts two tables where both have heads of their
    own over a column of labels, and it is plain that their rows do not belong together: they are not as many,
    have the same heads, or lie further apart."""
    used = sorted({c for line in lines for c in line.filled(columns)})
    parts: list[Sequence[int]] = []
    for _, group in groupby(enumerate(used), key=lambda item: item[1] - item[0]):
        part = [c for _, c in group]
        if parts and not (_stands_alone(lines, parts[-1]) and _apart(lines, parts[-1], part)):
            parts[-1] = [*parts[-1], *part]
        else:
            parts.append(part)
    return parts


def _stands_alone(lines: Sequence[SheetLine], part: Sequence[int]) -> bool:
    rows = [line for line in lines if line.filled(part) and not line.hidden]
    while rows and len(rows[0].own(part)) < 2:
        rows = rows[1:]
    count = _head_rows(rows, part) if len(part) > 1 else 0
    labels = [line.word(part[0]) for line in rows[count:] if line.word(part[0])]
    return count > 0 and sum(map(is_quantity, labels)) * 2 < len(labels)


def _apart(lines: Sequence[SheetLine], left: Sequence[int], right: Sequence[int]) -> bool:
    if not _stands_alone(lines, right):
        return False
    over, other = ([line.number for line in lines if line.filled(part)] for part in (left, right))
    heads = ({line.word(c) for line in lines[:2] for c in part if line.word(c)} for part in (left, right))
    return over != other or bool(set.intersection(*heads)) or right[0] - left[-1] > 2


def _is_form(rows: Sequence[SheetLine], columns: Sequence[int]) -> bool:
    """Labels beside values: they are bold as nothing else is, or a value stands where the head would."""
    if len(columns) < 2 or not rows:
        return True
    values = [line.word(columns[1]) for line in rows]
    bold = sum(columns[0] in line.bold for line in rows)
    if bold * 2 > len(rows) > 1 and not any(columns[1] in line.bold for line in rows):
        return True
    quantities = sum(map(is_quantity, values[1:]))
    digits = any(c.isdigit() for c in _YEAR.sub("", values[0])) and not is_quantity(values[0])
    return len(columns) == 2 and digits and quantities * 2 < len(rows)


def _head_rows(rows: Sequence[SheetLine], columns: Sequence[int]) -> int:
    """How many rows at the top name columns (`count_heads`): the first one wherever it could, and a fuller
    one below where the first leaves the corner out."""
    full, spans = _grid(rows[: _MOST_HEADS + 1], columns)
    filled = [sum(map(bool, row)) for row in full]
    if not full or filled[0] < 2:
        return 0
    wider = not full[0][0] and max(filled[1:2], default=0) > filled[0] + 1
    return count_heads([*full, [""] * len(columns)], spans, [True, wider, *[False] * len(full)])


def _grid(
    rows: Sequence[SheetLine], columns: Sequence[int]
) -> tuple[list[list[str]], dict[tuple[int, int], tuple[int, int]]]:
    """The words of rows, and what cells span of them, by row and column of the grid."""
    places = {c: n for n, c in enumerate(columns)}
    spans = {
        (n, places[c]): span for n, row in enumerate(rows) for c, span in row.spans.items() if c in places
    }
    return [[row.word(c) for c in columns] for row in rows], spans
