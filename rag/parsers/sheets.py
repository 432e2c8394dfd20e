"""CSV, TSV, XLSX, XLS, XLSB and ODS: the rows of each table with their place ("Sheet1!A4:F4", "row 4")."""

from __future__ import annotations

import codecs
import csv
import datetime
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import groupby
from typing import Any

from openpyxl.utils.cell import get_column_letter

from rag.errors import ParseError
from rag.parsers import base, marks
from rag.parsers.encoding import decode
from rag.parsers.grids import Passage
from rag.parsers.number_format import Value, show
from rag.parsers.office import open_package, open_zip, parse_xml
from rag.parsers.sheet_tables import SheetLine, SheetTables
from rag.parsers.workbook import CellStyle, Formulas, SheetCell, SheetPart, SheetRow, WorkbookFile
from rag.types import Loss, LossKind, MarkKind

_NOTHING: Passage = ("", {})
_DELIMITERS = "\t;|,~^"
_SS = "{urn:schemas-microsoft-com:office:spreadsheet}"
# What formats are called there that have a name.
_XML_FORMATS = {"Percent": "0.00%", "Fixed": "0.00", "Standard": "#,##0.00", "General": ""}
_SEPARATOR = re.compile(r'"?sep=(.)"?\n', re.I)


def read(data: bytes, *, path: str, limits: base.Limits, ocr: bool = False) -> base.Parsed:
    """Parse a sheet file; which kind is determined by the suffix of `path`, and for a text file by its
    content."""
    if not path.lower().endswith((".csv", ".tsv")):
        return _read_workbook(data, path, limits)
    builder = base.TextBuilder()
    tables = SheetTables(builder, lambda number, first, last: f"row {number}")
    content = marks.without_signs(base.clean(decode(data, path=path)))
    csv.field_size_limit(max(csv.field_size_limit(), len(content) + 1))
    stated = _SEPARATOR.match(content)
    records = csv.reader(io.StringIO(content, newline=""), delimiter=_delimiter(content, path))
    for number, cells in enumerate(records, start=1):
        if number > 1 or not stated:
            tables.add(SheetLine(number, list(map(base.one_line, cells))))
    tables.end()
    return builder.parsed("")


def _delimiter(text: str, path: str) -> str:
    """The one that the first line states ("sep=;"), or that cuts the first lines into the most even number of
    cells, all lines alike for signs that seldom do. A comma may stand within numbers, so the others come
    first."""
    if stated := _SEPARATOR.match(text):
        return stated[1]
    if path.lower().endswith(".tsv"):
        return "\t"
    sample = text[:65536].split("\n")[:50]

    def even(delimiter: str) -> float:
        counts = [len(row) for row in csv.reader(sample, delimiter=delimiter) if row]
        usual = max(set(counts), key=counts.count, default=1)
        share = counts.count(usual) / len(counts) if usual > 1 else 0
        return share if delimiter not in "~^" or (usual > 2 and share == 1) else 0

    return max(_DELIMITERS, key=even) if any(map(even, _DELIMITERS)) else ","


def _read_workbook(data: bytes, path: str, limits: base.Limits) -> base.Parsed:
    metadata: dict[str, str] = {}
    if path.lower().endswith((".xlsx", ".xlsm", ".xltx")):
        package = open_package(data, path=path, limits=limits, root="workbook")
        book, metadata = WorkbookFile(package), package.properties()
    else:
        if not path.lower().endswith(".xls"):
            open_zip(data, path=path, limits=limits)  # raises for one that unfolds beyond measure
        root = parse_xml(data) if data.startswith((b"<", codecs.BOM_UTF8)) else None
        book = _OtherWorkbook(data, path) if root is None else _XmlWorkbook(root)
    reader = _Workbook(book, path, limits)
    reader.run()
    parsed = reader.builder.parsed(metadata.pop("title", ""), metadata)
    if all(block.kind == "heading" for block in parsed.blocks):  # sheet names alone are no content
        if any(loss.kind is LossKind.UNREADABLE_TEXT for loss in parsed.losses):
            raise ParseError(f"{path}: damaged: its sheets cannot be read. Save it anew in Excel.", "corrupt")
        raise ParseError(f"{path}: no filled cells in it.", "empty")
    return parsed


class _OtherWorkbook(WorkbookFile):
    """A workbook of a format that only calamine reads: its values, without formats, notes and formulas."""

    def __init__(self, data: bytes, path: str) -> None:
        import python_calamine as calamine

        try:
            self._book = calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
        except calamine.PasswordError as error:
            raise ParseError(f"{path}: protected by a password. Save it without.", "password") from error
        found = self._book.sheets_metadata
        shown, plain = calamine.SheetVisibleEnum.Visible, calamine.SheetTypeEnum.WorkSheet
        self.sheets = [SheetPart(s.name, s.name, s.visible != shown) for s in found if s.typ == plain]
        self.epoch_1904, self.damaged = False, set()

    def rows(self, sheet: SheetPart) -> Iterator[SheetRow]:
        for number, row in enumerate(self._book.get_sheet_by_name(sheet.part).to_python(False), 1):
            values = ((column, value) for column, value in enumerate(row, 1) if value != "")
            if cells := tuple(SheetCell(column, _stated(value), CellStyle()) for column, value in values):
                yield SheetRow(number, cells, False, frozenset())

    def merged(self, sheet: SheetPart) -> list[tuple[int | None, ...]]:
        areas = self._book.get_sheet_by_name(sheet.part).merged_cell_ranges or ()
        return [(left + 1, top + 1, right + 1, bottom + 1) for (top, left), (bottom, right) in areas]

    def related(self, part: str, kind: str) -> Iterator[tuple[str, Any]]:
        yield from ()


class _XmlWorkbook(_OtherWorkbook):
    """A workbook in the XML of Excel 2003, as programs export it under .xls and .xml."""

    def __init__(self, root: Any) -> None:
        numbers = (e for style in root.iter(f"{_SS}Style") for e in style.iter(f"{_SS}NumberFormat"))
        formats = ((e.getparent().get(f"{_SS}ID"), e.get(f"{_SS}Format", "")) for e in numbers)
        self._looks = {key: CellStyle(_XML_FORMATS.get(code, code)) for key, code in formats}
        self._roots = {e.get(f"{_SS}Name", ""): e for e in root.iter(f"{_SS}Worksheet")}
        shown = {name: e.findtext(".//{*}Visible") or "" for name, e in self._roots.items()}
        self.sheets = [SheetPart(name, name, state.startswith("Sheet")) for name, state in shown.items()]
        self.epoch_1904, self.damaged = False, set()

    def rows(self, sheet: SheetPart) -> Iterator[SheetRow]:
        for number, row, placed in self._placed(sheet):
            found = ((column, cell, cell.find(f"{_SS}Data")) for column, cell in placed)
            cells = tuple(
                SheetCell(column, _typed(data), self._looks.get(cell.get(f"{_SS}StyleID"), CellStyle()))
                for column, cell, data in found
                if data is not None and "".join(data.itertext())
            )
            if cells:
                yield SheetRow(number, cells, row.get(f"{_SS}Hidden") == "1", frozenset())

    def _placed(self, sheet: SheetPart) -> Iterator[tuple[int, Any, list[tuple[int, Any]]]]:
        """Number, element and cells of each row, those with their columns."""
        number = 0
        for row in self._roots[sheet.part].iterfind(f"{_SS}Table/{_SS}Row"):
            number, column, cells = int(row.get(f"{_SS}Index", number + 1)), 0, []
            for cell in row.iterchildren(f"{_SS}Cell"):
                column = int(cell.get(f"{_SS}Index", column + 1))
                cells.append((column, cell))
                column += int(cell.get(f"{_SS}MergeAcross", 0))
            yield number, row, cells

    def merged(self, sheet: SheetPart) -> list[tuple[int | None, ...]]:
        return [
            (column, number, column + across, number + down)
            for number, _, cells in self._placed(sheet)
            for column, cell in cells
            for across, down in [[int(cell.get(f"{_SS}Merge{way}", 0)) for way in ("Across", "Down")]]
            if across or down
        ]


def _typed(data: Any) -> Value:
    """The value of an element of a cell."""
    kind, text = data.get(f"{_SS}Type"), marks.without_signs("".join(data.itertext()))
    if kind == "DateTime":
        return text.partition(".")[0].removesuffix("T00:00:00").replace("T", " ")
    return float(text) if kind == "Number" else text


def _stated(value: Any) -> Value:
    """A value of a cell, days in ISO form."""
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat().removesuffix("T00:00:00").replace("T", " ")
    return value if isinstance(value, int | float) else marks.without_signs(str(value))


class _Workbook:
    """Adds the sheets of a workbook, hidden ones behind the others."""

    def __init__(self, book: WorkbookFile, path: str, limits: base.Limits) -> None:
        self.builder = base.TextBuilder()
        self._losses = self.builder.losses
        self._book = book
        self._formulas = Formulas(book)
        self._path = path
        self._limits = limits
        self._missing: list[tuple[int, int]] = []  # (column, row) of formulas without a value

    def run(self) -> None:
        for sheet in sorted(self._book.sheets, key=lambda sheet: sheet.hidden):
            if not sheet.part or sheet.kind not in ("worksheet", "chartsheet"):
                self._losses.append(Loss(LossKind.UNSUPPORTED_PART, sheet.title))
                continue
            title = base.one_line(sheet.title)
            title = marks.marked(MarkKind.HIDDEN, title) if sheet.hidden else title
            self.builder.heading(title, 1, location=sheet.title)
            self._add(sheet)

    def _add(self, sheet: SheetPart) -> None:
        name = f"'{sheet.title}'" if re.search(r"[^\w]", sheet.title) else sheet.title

        def place(number: int, first: int, last: int) -> str:
            ends = dict.fromkeys(f"{get_column_letter(c + 1)}{number}" for c in (first, last))
            return f"{name}!{':'.join(ends)}"

        comments = self._book.comments(sheet)
        tables = SheetTables(self.builder, place)
        merged = _Merged(self._book.merged(sheet))
        widest = 0
        self._missing = []
        for row in self._book.rows(sheet):
            widest = max(widest, row.cells[-1].column)
            unseen = sheet.hidden or row.hidden
            passages = [_NOTHING] * min(row.cells[-1].column, base.MAX_COLUMNS)
            notes = []
            for cell in row.cells:
                if cell.column > base.MAX_COLUMNS:
                    break
                at = f"{get_column_letter(cell.column)}{row.number}"
                hidden = unseen or cell.column in row.hidden_columns
                passage = self._passage(sheet, row.number, cell, hidden)
                if said := comments.pop(at, ""):
                    label = f"{name}!{at}"
                    passage = f"{passage[0]}{marks.note_mark(label)}", passage[1]
                    said = marks.marked(MarkKind.HIDDEN, said) if hidden else said
                    notes.append((marks.note_body(label) + said, label))
                passages[cell.column - 1] = passage
            line = merged.line(row.number, passages)
            bold = frozenset(cell.column - 1 for cell in row.cells if cell.style.bold)
            tables.add(replace(line, hidden=row.hidden and not sheet.hidden, bold=bold, notes=notes))
            if len(self.builder) > self._limits.max_chars:
                raise ParseError(
                    f"{self._path}: more than {self._limits.max_chars:,} characters.", "too_large"
                )
        tables.end()
        for at, said in comments.items():
            self.builder.paragraph(said, location=f"{name}!{at}")
        for words in self._book.boxes(sheet):
            self.builder.paragraph(words, location=sheet.title)
        if any(map(base.shows_text, self._book.pictures(sheet))):
            self._losses.append(Loss(LossKind.PICTURE_WITH_TEXT, sheet.title))
        self._losses += [Loss(LossKind.FORMULA_WITHOUT_VALUE, f"{name}!{p}") for p in _areas(self._missing)]
        if sheet.part in self._book.damaged:
            self._losses.append(Loss(LossKind.UNREADABLE_TEXT, sheet.title))
        if widest > base.MAX_COLUMNS:
            beyond = f"{get_column_letter(base.MAX_COLUMNS + 1)}:{get_column_letter(widest)}"
            self._losses.append(Loss(LossKind.UNSUPPORTED_PART, f"{name}!{beyond}"))

    def _passage(self, sheet: SheetPart, row: int, cell: SheetCell, hidden: bool) -> Passage:
        """A cell's words as they stand and as they read before."""
        value = cell.value
        if value is None:
            value = self._formulas.value(sheet, row, cell.column)
            if value is None:
                self._missing.append((cell.column, row))
                return _NOTHING
        text = show(value, cell.style.format, epoch_1904=self._book.epoch_1904)
        if not text.strip() and value and (plain := show(value, "")).strip():
            return marks.marked(MarkKind.HIDDEN, plain), {}  # its format shows nothing
        pieces = marks.on_the_line(cell.runs or [(None, 0, text)])
        if cell.style.struck:
            pieces = [(MarkKind.STRUCK, words) for _, words in pieces]
        if hidden:
            return marks.marked(MarkKind.HIDDEN, marks.unmarked("".join(words for _, words in pieces))), {}
        return marks.as_it_stands(pieces)


class _Merged:
    """The merged cells of a sheet: their words stand in each row and column that they span."""

    def __init__(self, areas: Iterable[tuple[int | None, ...]]) -> None:
        """`areas`: first column and row, last column and row of each."""
        self._begin: dict[int, list[tuple[int, int, int]]] = {}
        for left, top, right, bottom in areas:
            if left and top and right and bottom and left <= base.MAX_COLUMNS:
                self._begin.setdefault(top, []).append((left - 1, min(right, base.MAX_COLUMNS), bottom))
        self._open: dict[int, tuple[int, int, Passage]] = {}  # by first column: end, last row, words

    def line(self, number: int, passages: list[Passage]) -> SheetLine:
        """A row with what cells that are merged say in it; rows come in order."""
        spans = {}
        self._open = {left: cell for left, cell in self._open.items() if cell[1] >= number}
        for left, stop, bottom in self._begin.get(number, ()):
            if left < len(passages) and passages[left] != _NOTHING:
                self._open[left] = stop, bottom, passages[left]
                spans[left] = bottom - number + 1, stop - left
        across = set()
        for left, (stop, _, (text, before)) in self._open.items():
            passages += [_NOTHING] * (stop - len(passages))
            across |= set(range(left + 1, stop))
            for c in range(left, stop) if left not in spans else range(left + 1, stop):
                passages[c] = marks.without_notes(text), before
        cells = [base.one_line(text) for text, _ in passages]
        former = marks.rows_before(passages) if any(f for _, f in passages) else []
        return SheetLine(number, cells, former, False, frozenset(across), spans)


def _areas(places: list[tuple[int, int]]) -> Iterator[str]:
    """Cells (column, row) as areas of a column: "D2:D5"."""
    for _, run in groupby(enumerate(sorted(places)), key=lambda item: (item[1][0], item[1][1] - item[0])):
        ends = [f"{get_column_letter(column)}{row}" for _, (column, row) in run]
        yield ":".join(dict.fromkeys((ends[0], ends[-1])))
