"""Tables that come as cells (HTML, DOCX, Markdown, charts): which rows are column heads, what merged and
blank cells stand for, and the title and the units that stand above."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise, takewhile

from rag.languages import patterns
from rag.parsers.base import MAX_COLUMNS, TextBuilder, column_heads, is_number, one_line, same_as_above
from rag.parsers.marks import marked, rows_before, unmarked
from rag.types import BlockKind, MarkKind

_RE = patterns("grids", re.NOFLAG)
_TABLES = patterns("tables", re.NOFLAG)
_OPENS = frozenset(("$", "€", "£", "¥", "￥", "(", "US$", "HK$", "RMB", "($", "(€", "(£"))
_CLOSES = frozenset((")", "%", "%)", ")%", "％"))
_QUANTITY = re.compile(
    r"[-−(（]?\s*(?:[A-Z]{0,3}[$€£¥￥]|[A-Z]{3})?\s*[-−(（]?\d[\d.,\s’']*(?:[%％$€£¥￥元]|[A-Z]{3})?[)）]?"
)
_YEAR = re.compile(r"(?:19|20)\d\d")
_SCALE = re.compile(r"[(]?(?:[A-Z]{0,3}[$€£¥]?)\s?[’']?000s?[)]?")
_MOST_HEADS = 4  # rows of heads that the format does not mark, and columns of labels
_LONGEST_HEAD, _LONGEST_TITLE = 120, 160
_FEW = 12  # lines of a table within a cell that are lines of the cell
# The words of a cell or line as they stand, and as they read before (`as_it_stands`).
Passage = tuple[str, Mapping[MarkKind, str]]


def _passage(lines: Sequence[Passage]) -> Passage:
    """The lines of a cell as one passage, apart by line breaks."""
    kinds = sorted({kind for _, former in lines for kind in former})
    standing = "\n".join(text for text, _ in lines if unmarked(text))
    before = {kind: "\n".join(unmarked(former.get(kind, text)) for text, former in lines) for kind in kinds}
    return standing, {kind: marked(kind, text.strip("\n")) for kind, text in before.items()}


@dataclass(slots=True)
class _Row:
    """A row with each cell once; what spans rows stands in each of them. `head`: the format marks it as one
    of column heads; `set_off`: it looks like one."""

    cells: list[str] = field(default_factory=list)
    head: bool = False
    set_off: bool = False


class CellGrid:
    """A table read cell by cell: for each row `begin`, then `skip` and `cell`, then `end`; at last `add_to`.
    Rows as they read before something in them was struck, deleted or hidden follow those that lost it."""

    def __init__(self) -> None:
        self._behind: list[tuple[str, CellGrid]] = []  # tables in cells, with what their row is about
        self._inner: list[CellGrid] = []
        self._rows: list[_Row] = []
        self._late: list[_Row] = []  # what head rows were: behind all of them
        self._row = _Row()
        self._before: list[Mapping[MarkKind, str]] = []
        self._above: list[str] = []
        self._spans: dict[tuple[int, int], tuple[int, int]] = {}
        self._tops: dict[int, int] = {}
        self._below: dict[int, tuple[int, int]] = {}  # rows that a cell goes on for, and its columns

    def begin(self, *, head: bool = False, set_off: bool = False) -> None:
        """A row begins. `head`: the format marks it as one of column heads; `set_off`: it looks like one,
        bold or on a ground of its own."""
        self._row, self._before = _Row([], head, set_off), []
        self._end_heads(head)

    def skip(self, columns: int) -> None:
        """The row leaves columns out."""
        if columns:
            self._put("", {}, columns)

    def cell(
        self, parts: Sequence[Passage | CellGrid], *, columns: int = 1, rows: int = 1, goes_on: bool = False
    ) -> None:
        """The next cell of the row, of lines and tables. It spans `columns` and `rows`, or `goes_on` from the
        row above. A small table in it is lines of the cell, another stands behind the whole table."""
        self._carry()
        if rows > 1:
            self._below[len(self._row.cells)] = (rows - 1, columns)
        lines: list[Passage] = []
        for part in parts:
            if not isinstance(part, CellGrid):
                lines.append(part)
            elif (of_cell := part._lines()) is not None:
                lines += [(line, {}) for line in of_cell]
            else:
                self._inner.append(part)
        plain = len(lines) == 1 and not lines[0][1]
        self._put(*(lines[0] if plain else _passage(lines)), columns, goes_on=goes_on)

    @property
    def filled(self) -> int:
        """The most cells of a row that have words in them."""
        return max((sum(map(bool, row.cells)) for row in self._rows), default=0)

    def end(self) -> None:
        """The row is whole."""
        self._carry()
        row = self._row.cells
        if self._inner:
            about = next(filter(None, (unmarked(one_line(cell)) for cell in row)), "")
            self._behind += [(about, inner) for inner in self._inner]
            self._inner = []
        former = rows_before(list(zip(row, self._before, strict=True)))
        if not former or any(map(unmarked, row)):
            self._rows.append(self._row)
            self._above = row
        self._late += map(_Row, former)
        self._end_heads(self._row.head)

    def _end_heads(self, more: bool = False) -> None:
        if not more:
            self._rows += self._late
            self._late = []

    def _carry(self) -> None:
        """A cell that spans rows stands in each of them, so that every row can be read alone."""
        while (column := len(self._row.cells)) in self._below and column < MAX_COLUMNS:
            left, columns = self._below.pop(column)
            if left > 1:
                self._below[column] = (left - 1, columns)
            self._put("", {}, columns, goes_on=True)

    def _put(self, text: str, former: Mapping[MarkKind, str], columns: int, *, goes_on: bool = False) -> None:
        row, column = len(self._rows), len(self._row.cells)
        columns = max(0, min(columns, MAX_COLUMNS - column))
        if goes_on and column < len(self._above):
            text, top, former = self._above[column], self._tops.get(column, row), {}
            self._spans[top, column] = (row - top + 1, columns)
        else:
            self._tops[column] = row
            if columns > 1:
                self._spans[row, column] = (1, columns)
        self._row.cells += ([text] + [""] * (columns - 1))[:columns]
        self._before += ([former] + [{}] * (columns - 1))[:columns]

    def _lines(self) -> list[str] | None:
        """A small table of labels and values as lines; None for one that is to stand as a table."""
        rows = [[one_line(cell) for cell in row.cells if cell.strip()] for row in self._rows]
        heads = any(row.head for row in self._rows)
        small = len(rows) <= _FEW and not heads and max(map(len, rows), default=0) <= 2
        return [" ".join(row) for row in rows if row] if small else None

    def add_to(self, builder: TextBuilder, caption: str = "") -> None:
        """Add the table row by row, its head rows as one; what stands above all columns is its title. Heads
        in the middle begin another table. Currency signs and closing brackets in cells of their own, as in
        filings, are put to their numbers, and columns without content are left out."""
        self._end_heads()
        rows = self._rows
        width = max((len(row.cells) for row in rows), default=0)
        for row in rows:
            row.cells += [""] * (width - len(row.cells))
            _attach_signs(row.cells)
        first = 0
        while first < len(rows) - 1 and self._spans.get((first, 0), (1, 1)) == (1, width) and width > 1:
            builder.paragraph(rows[first].cells[0])  # a line of its own above all columns
            first += 1
        title, units = title_and_units(builder, caption)
        # Heads in the middle, several of them, begin another table.
        begins = [b.head and not a.head and len({*filter(None, b.cells)}) > 1 for a, b in pairwise(rows)]
        starts = [first, *(n for n in range(first + 1, len(rows)) if begins[n - 1]), len(rows)]
        for start, end in pairwise(starts):
            self._add_rows(builder, range(start, end), title, units)
        for about, grid in self._behind:
            grid.add_to(builder, ", ".join(filter(None, (title, about))))

    def _add_rows(self, builder: TextBuilder, part: range, title: str, units: tuple[str, ...]) -> None:
        rows = self._rows[part.start : part.stop]
        spans = {(row - part.start, c): span for (row, c), span in self._spans.items() if row in part}
        once = [row.cells for row in rows]
        full = _repeated(once, spans, len(once))
        given = sum(1 for _ in takewhile(lambda row: row.head, rows))
        ends = (top + down for (top, _), (down, _) in spans.items() if top < given)
        given = max((given, *(end for end in ends if end <= _MOST_HEADS)))  # a head that spans rows
        count = given if 0 < given < len(rows) else count_heads(full, spans, [row.set_off for row in rows])
        while 0 < count < len(full) - 1 and _goes_on(full, count):
            count += 1
        kept = _columns_with_content(once, full, count)
        if len(kept) < 2 and not given:
            builder.start_group()
            for row in once:
                builder.paragraph("".join(row[c] for c in kept))
            return
        heads = column_heads([[one_line(row[c]) for c in kept] for row in spread_heads(full[:count], spans)])
        body = [[_joined(row[c]) for c in kept] for row in _repeated(once, spans, 0)[count:]]
        filled = [n for n, row in enumerate(body, count) if any(row)]
        numbers = {number: n for n, number in enumerate(filled, bool(heads))}
        builder.table(heads, units=units, spans=kept_spans(spans, kept, numbers), title=title)
        builder.row([" ".join(parts) for parts in heads])
        for n, c in same_as_above(body):
            body[n][c] = body[n - 1][c]
        for row in body:
            builder.row(row)


# (rows, columns) that a cell spans, by its row and column in a grid.
Spans = Mapping[tuple[int, int], tuple[int, int]]


def _repeated(once: list[list[str]], spans: Spans, whole: int) -> list[list[str]]:
    """The grid with what spans columns in each of them. What spans all the words of its row, as a line
    between groups of rows does, stands once from row `whole` on."""
    full = [list(row) for row in once]
    more = [sum(map(bool, row)) > 1 for row in once]
    for (top, left), (rows, columns) in spans.items():
        for n in range(top, min(top + rows, len(once))) if columns > 1 else ():
            if n < whole or more[n]:
                full[n][left : left + columns] = [once[n][left]] * len(once[n][left : left + columns])
    return full


def count_heads(full: list[list[str]], spans: Spans, set_off: Sequence[bool]) -> int:
    """How many top rows name columns where none is marked: rows without quantities; after the first only
    those that name no line (an empty first cell, or that of the row above) or that are set off, too.

    Two columns without quantities are labels and what is said of them, unless the first row is set off, or
    each line of a column has a digit but not that one."""
    count = 0
    for n, row in enumerate(full[:_MOST_HEADS]):
        filled = [one_line(cell) for cell in row if cell.strip()]
        names_line = n and _names_line(row[0]) and (n - 1, 0) not in spans and not set_off[n]
        names_line = names_line and not _under_heads(full, n, spans)
        long = max(map(len, filled), default=999) > _LONGEST_HEAD
        if long or names_line or any(map(is_quantity, filled)) or _is_like_below(full[n : n + 3]):
            break
        if filled[0].endswith((":", "：")):
            return 0
        count += 1
    if not 0 < count < len(full):
        return 0
    told = set_off[0] and not all(set_off)
    columns = [column for column in zip(*full, strict=True) if any(column)]
    counted = any(
        body
        and all(re.search(r"\d", cell) for cell in body)
        and not re.search(r"\d", "".join(column[:count]))
        for column in columns
        for body in [[cell for cell in column[count:] if cell]]
    )
    return count if told or counted or len(columns) > 2 else 0


def _is_like_below(rows: list[list[str]]) -> bool:
    """Whether the first of three rows has a cell that differs from those below it in its figures alone."""
    columns = (cells for cells in zip(*rows, strict=True) if all(re.search(r"\d", cell) for cell in cells))
    words = ({re.sub(r"[\W\d]+", "", cell) for cell in cells} for cells in columns)
    return len(rows) > 2 and any(len(found) == 1 and any(found) for found in words)


def _under_heads(full: list[list[str]], n: int, spans: Spans) -> bool:
    """Whether a row stands below heads that span columns, none of them the first, and above figures."""
    over = not full[n - 1][0] and any(row == n - 1 and wide > 1 for (row, _), (_, wide) in spans.items())
    return over and any(map(is_quantity, (cell for row in full[n + 1 : n + 2] for cell in row[1:])))


def _goes_on(full: list[list[str]], n: int) -> bool:
    """Whether a row behind heads names no line but its columns, as one of units or of years does."""
    filled = [one_line(cell) for cell in full[n] if cell.strip()]
    more = any(_names_line(row[0]) for row in full[n + 1 :]) and not _is_like_below(full[n : n + 3])
    return more and not _names_line(full[n][0]) and len(filled) > 1 and not any(map(is_quantity, filled))


def spread_heads(heads: list[list[str]], spans: Spans) -> list[list[str]]:
    """Heads given to all columns that they are about where nothing says what they span: a
    period alone in its row is that of the years below it, and each over equal groups that of its group."""
    for n, (row, below) in enumerate(pairwise(heads)):
        named = [c for c, cell in enumerate(row) if cell and c]
        if not named or any((n, c) in spans for c in named):
            continue
        groups = [below[a:b] for a, b in pairwise([*named, len(below)])]
        if len(named) == 1 and not row[0] and _RE["period"].search(row[named[0]]):
            dated = {c for c, cell in enumerate(below) if c and any(map(str.isdigit, cell))}
            wanted = dated or {c for c, cell in enumerate(below) if c and cell}
            heads[n] = [row[named[0]] if c in wanted else "" for c in range(len(row))]
        elif len(groups) > 1 and len(groups[0]) > 1 and all(g == groups[0] and all(g) for g in groups):
            heads[n] = [row[max((a for a in named if a <= c), default=c)] for c in range(len(row))]
    return heads


def _names_line(cell: str) -> bool:
    """Whether the first cell of a row says what it is about, not only in which units."""
    return bool(line := one_line(cell)) and not only_units(line)


def is_quantity(cell: str) -> bool:
    """Whether a cell states a number, with its currency or without, and not the scale of others."""
    money = _QUANTITY.fullmatch(cell) is not None and not _YEAR.fullmatch(cell)
    return (money or is_number(cell)) and _SCALE.fullmatch(cell) is None


def _columns_with_content(once: list[list[str]], full: list[list[str]], count: int) -> list[int]:
    """Columns that a body row fills; all that are not empty where a head would be lost with the others."""
    columns = range(len(once[0]) if once else 0)
    kept = [c for c in columns if any(row[c] for row in once[count:])]
    heads = {row[c] for row in full[:count] for c in kept}
    if all(cell in heads for row in full[:count] for cell in row if cell):
        return kept
    return [c for c in columns if any(row[c] for row in once)]


def kept_spans(
    spans: Spans, kept: Sequence[int], numbers: Mapping[int, int]
) -> list[tuple[int, int, int, int]]:
    """`Table.spans`: what a cell spans of the columns that are kept and of the rows that have a number."""
    places = {column: n for n, column in enumerate(kept)}
    found = []
    for (row, column), (rows, columns) in spans.items():
        if row in numbers and column in places:
            down = sum(n in numbers for n in range(row, row + rows))
            across = sum(n in places for n in range(column, column + columns))
            found += [(numbers[row], places[column], down, across)] if max(down, across) > 1 else []
    return found


def _attach_signs(row: list[str]) -> None:
    for c, cell in enumerate(row):
        following = row[c + 1 : c + 2] or [""]
        if cell in _OPENS and (following[0][:1].isdigit() or following[0][:1] in ("(", "—", "-", "–")):
            row[c], row[c + 1] = "", cell + following[0]
        elif cell in _CLOSES and c and row[c - 1]:
            row[c - 1], row[c] = row[c - 1] + cell, ""


def _joined(cell: str) -> str:
    """The lines of a cell on one line: apart by a semicolon where no sign ends them."""
    if "\n" not in cell:
        return cell
    found = ""
    for line in filter(None, map(one_line, cell.split("\n"))):
        last = unmarked(found)[-1:]
        apart = last.isalnum() or last in tuple(")]%）")
        found += (("；" if last >= "\u2e80" else "; ") if apart else " ") * bool(found) + line
    return found


def stated_units(line: str) -> tuple[str, ...]:
    """What a line says of the units of a table: "(in thousands)", "EUR million", "单位：万元"."""
    found = [match[0].strip() for match in _TABLES["units"].finditer(line)]
    return tuple(one if ("(" in one) == (")" in one) else one.strip("()") for one in found)


def only_units(line: str) -> bool:
    """Whether a line says little else."""
    stated = stated_units(line)
    return bool(stated) and len(line) <= len(" ".join(stated)) + 12


def title_and_units(builder: TextBuilder, caption: str = "") -> tuple[str, tuple[str, ...]]:
    """The title of a table that follows, and its units: of its caption, else of the lines above, of which the
    nearest that says more than units is the title if it ends in a colon or is short and no sentence."""
    units: tuple[str, ...] = stated_units(caption)
    title = one_line(unmarked(caption)).strip("*_ ")
    for kind, text in reversed(builder.closing):
        line = one_line(text)
        stated = stated_units(line)
        alone = kind is BlockKind.PARAGRAPH and only_units(line)
        names = _TABLES["caption"].match(line) or (
            kind is BlockKind.PARAGRAPH and not _RE["ends"].search(line)
        )
        if not alone and (title or len(line) > _LONGEST_TITLE or not names):
            break
        units = units or stated
        title = title if alone else line.strip("*_ ")
    return title, units


def rows_to(builder: TextBuilder, rows: Iterable[Sequence[str]], *, heads: int, title: str = "") -> None:
    """Add a table of plain cells, the first `heads` rows of which are heads."""
    grid = CellGrid()
    for n, row in enumerate(rows):
        grid.begin(head=n < heads)
        for cell in row:
            grid.cell([(cell, {})])
        grid.end()
    grid.add_to(builder, title)
