"""CSV, TSV and XLSX: one block per row, with the column heads of its table and its place ("Sheet1!A4:F4",
"row 4")."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence

from openpyxl.utils.cell import get_column_letter

from rag.errors import ParseError
from rag.parsers import base, marks
from rag.parsers.encoding import decode
from rag.parsers.formulas import Formulas
from rag.parsers.number_format import show
from rag.parsers.office import open_package
from rag.parsers.workbook import SheetCell, SheetPart, SheetRow, WorkbookFile
from rag.types import Loss, LossKind, MarkKind

Passage = tuple[str, dict[MarkKind, str]]
_DELIMITERS = ",;\t|"


def read(data: bytes, *, path: str, limits: base.Limits, ocr: bool = False) -> base.Parsed:
    """Parse a sheet file; which kind is determined by the suffix of `path`, and for a text file by its
    content."""
    if path.lower().endswith((".xlsx", ".xlsm")):
        return _read_workbook(data, path, limits)
    builder = base.TextBuilder()
    rows = _Rows(builder)
    content = marks.without_signs(base.clean(decode(data, path=path)))
    csv.field_size_limit(max(csv.field_size_limit(), len(content) + 1))
    records = csv.reader(io.StringIO(content, newline=""), delimiter=_delimiter(content, path))
    for number, cells in enumerate(records, start=1):
        rows.add(cells, f"row {number}")
    text, blocks, _ = builder.build()
    return base.Parsed("", text, blocks)


def _delimiter(text: str, path: str) -> str:
    """The one of , ; tab | that cuts the first lines into the most even number of cells."""
    if path.lower().endswith(".tsv"):
        return "\t"
    sample = text[:65536].split("\n")[:50]
    best, best_score = ",", 0.0
    for delimiter in _DELIMITERS:
        counts = [len(row) for row in csv.reader(sample, delimiter=delimiter) if row]
        usual = max(set(counts), key=counts.count) if counts else 1
        if usual > 1:
            score = counts.count(usual) / len(counts) + min(usual, 20) / 100
            if score > best_score:
                best, best_score = delimiter, score
    return best


class _Rows:
    """Finds the head row of each table in a stream of rows.

    The first row of a table with at least two filled cells and no quantity among them is its head. An empty
    row ends a table; if no head row follows it, the old heads still hold. Hidden rows and the notes of a
    table stand at its end."""

    def __init__(self, builder: base.TextBuilder) -> None:
        self._builder = builder
        self._begun = False
        self._offset = 0
        self._gap = False
        self._hidden: list[tuple[Sequence[str], str]] = []
        self._notes: list[tuple[str, str]] = []

    def add(self, cells: Sequence[str], location: str, before: Sequence[Sequence[str]] = ()) -> None:
        """A row, and behind it the same row as it read `before`."""
        filled = [cell for cell in cells if cell.strip()]
        if not filled and not before:
            self._gap = True
            return
        opens = self._gap or not self._begun
        if opens:
            self.end()
        if opens and all(sum(map(bool, row)) < 2 for row in (filled, *before)):
            for text in (*filled, *("".join(row) for row in before)):
                self._builder.paragraph(text, location=location)
            return
        if opens and filled and _names_columns(filled):
            self._offset = next(n for n, cell in enumerate(cells) if cell.strip())
            self._builder.table(base.column_heads([[base.one_line(cell) for cell in cells[self._offset :]]]))
        elif not self._begun:
            self._builder.table()
        self._begun, self._gap = True, False
        for row in (cells, *before):
            self._put(row, location)

    def add_hidden(self, cells: Sequence[str], location: str) -> None:
        """A row that is not shown."""
        self._hidden.append((cells, location))

    def add_note(self, text: str, location: str) -> None:
        self._notes.append((text, location))

    def end(self) -> None:
        """The table ends: what stands behind its rows."""
        if self._hidden and not self._begun:
            self._builder.table()
            self._begun = True
        for cells, location in self._hidden:
            self._put(cells, location)
        for text, location in self._notes:
            self._builder.paragraph(text, location=location)
        self._hidden, self._notes = [], []

    def _put(self, cells: Sequence[str], location: str) -> None:
        if not any(cell.strip() for cell in cells[: self._offset]):
            cells = cells[self._offset :]
        self._builder.row(cells, location=location)


def _names_columns(filled: list[str]) -> bool:
    return len(filled) > 1 and not any(base.is_number(cell) or len(cell) > 120 for cell in filled)


def _read_workbook(data: bytes, path: str, limits: base.Limits) -> base.Parsed:
    package = open_package(data, path=path, limits=limits, root="workbook")
    reader = _Workbook(WorkbookFile(package), path, limits)
    reader.run()
    metadata = package.properties()
    title = metadata.pop("title", "")
    text, blocks, _ = reader.builder.build(title)
    # Sheet names alone are no content.
    if all(block.kind == "heading" for block in blocks):
        if any(loss.kind is LossKind.UNREADABLE_TEXT for loss in reader.losses):
            raise ParseError(f"{path}: damaged: its sheets cannot be read. Save it anew in Excel.", "corrupt")
        raise ParseError(f"{path}: no filled cells in it.", "empty")

    losses = tuple(reader.losses)
    return base.Parsed(title, text, blocks, marks=reader.builder.marks(), losses=losses, metadata=metadata)


class _Workbook:
    """Adds the sheets of a workbook, hidden ones behind the others."""

    def __init__(self, book: WorkbookFile, path: str, limits: base.Limits) -> None:
        self.builder = base.TextBuilder()
        self.losses: list[Loss] = []
        self._book = book
        self._formulas = Formulas(book)
        self._path = path
        self._limits = limits
        self._missing: list[tuple[int, int]] = []  # (column, row) of formulas without a value

    def run(self) -> None:
        for sheet in sorted(self._book.sheets, key=lambda sheet: sheet.hidden):
            if not sheet.part or sheet.kind not in ("worksheet", "chartsheet"):
                self.losses.append(Loss(LossKind.UNSUPPORTED_PART, sheet.title))
                continue
            title = base.one_line(sheet.title)
            self.builder.heading(
                marks.marked(MarkKind.HIDDEN, title) if sheet.hidden else title, 1, location=sheet.title
            )
            self._add(sheet)

    def _add(self, sheet: SheetPart) -> None:
        name = f"'{sheet.title}'" if re.search(r"[^\w]", sheet.title) else sheet.title
        comments = self._book.comments(sheet)
        rows = _Rows(self.builder)
        hidden: frozenset[int] = frozenset()
        last, widest = 0, 0
        self._missing = []
        for row in self._book.rows(sheet):
            if not isinstance(row, SheetRow):
                hidden |= row
                continue
            if row.number > last + 1:
                rows.add([], "")
            last = row.number
            widest = max(widest, row.cells[-1].column)
            unseen = sheet.hidden or row.hidden
            passages: list[Passage] = [("", {})] * min(widest, base.MAX_COLUMNS)
            for cell in row.cells:
                if cell.column > base.MAX_COLUMNS:
                    break
                place = f"{get_column_letter(cell.column)}{row.number}"
                passage = self._passage(sheet, row.number, cell, unseen or cell.column in hidden)
                said = comments.pop(place, "")
                if said:
                    label = f"{name}!{place}"
                    passage = f"{passage[0]}{marks.note_mark(label)}", passage[1]
                    said = marks.marked(MarkKind.HIDDEN, said) if unseen or cell.column in hidden else said
                    rows.add_note(marks.note_body(label) + said, label)
                passages[cell.column - 1] = passage
            self._write(rows, passages, name, row, sheet.hidden)
        rows.end()
        for place, said in comments.items():
            self.builder.paragraph(said, location=f"{name}!{place}")
        for words in self._book.boxes(sheet):
            self.builder.paragraph(words, location=sheet.title)
        self.losses += [Loss(LossKind.FORMULA_WITHOUT_VALUE, f"{name}!{p}") for p in _areas(self._missing)]
        if sheet.part in self._book.damaged:
            self.losses.append(Loss(LossKind.UNREADABLE_TEXT, sheet.title))
        if widest > base.MAX_COLUMNS:
            beyond = f"{get_column_letter(base.MAX_COLUMNS + 1)}:{get_column_letter(widest)}"
            self.losses.append(Loss(LossKind.UNSUPPORTED_PART, f"{name}!{beyond}"))

    def _write(
        self, rows: _Rows, passages: list[Passage], name: str, row: SheetRow, whole_sheet: bool
    ) -> None:
        """Add a row with its place: from its first filled cell to its last."""
        filled = [n for n, (text, former) in enumerate(passages, 1) if marks.unmarked(text) or former]
        if not filled:
            rows.add([], "")
            return
        first, last = (f"{get_column_letter(n)}{row.number}" for n in (filled[0], filled[-1]))
        place = f"{name}!{first}" + (f":{last}" if first != last else "")
        cells = [text for text, _ in passages]
        if row.hidden and not whole_sheet:
            rows.add_hidden(cells, place)
        else:
            rows.add(cells, place, marks.rows_before(passages))
        if len(self.builder) > self._limits.max_chars:
            raise ParseError(f"{self._path}: more than {self._limits.max_chars:,} characters.", "too_large")

    def _passage(self, sheet: SheetPart, row: int, cell: SheetCell, hidden: bool) -> Passage:
        """A cell's words as they stand and as they read before."""
        value = cell.value
        if value is None:
            value = self._formulas.value(sheet, row, cell.column)
            if value is None:
                self._missing.append((cell.column, row))
                return "", {}
        text = show(value, cell.style.format, epoch_1904=self._book.epoch_1904)
        if not text.strip() and value and (plain := show(value, "")).strip():
            return marks.marked(MarkKind.HIDDEN, plain), {}  # its format shows nothing
        runs = ((MarkKind.STRUCK if run.struck else None, run.shift, run.text) for run in cell.runs)
        pieces: list[tuple[MarkKind | None, str]] = [(None, text)]
        pieces = marks.on_the_line(runs) if cell.runs else pieces
        if cell.style.struck:
            pieces = [(MarkKind.STRUCK, words) for _, words in pieces]
        if hidden:
            return marks.marked(MarkKind.HIDDEN, marks.unmarked("".join(words for _, words in pieces))), {}
        return marks.as_it_stands(pieces)


def _areas(places: list[tuple[int, int]]) -> list[str]:
    """Cells (column, row) as areas of a column: "D2:D5"."""
    found: list[list[int]] = []
    for column, row in sorted(places):
        if found and found[-1][0] == column and found[-1][2] == row - 1:
            found[-1][2] = row
        else:
            found.append([column, row, row])
    return [
        f"{get_column_letter(c)}{top}" + (f":{get_column_letter(c)}{bottom}" if bottom > top else "")
        for c, top, bottom in found
    ]
