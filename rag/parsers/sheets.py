"""CSV, TSV and XLSX: one block per row, with the column heads of its table and its place ("Sheet1!A4:F4",
"row 4")."""

from __future__ import annotations

import csv
import datetime
import io
import re
import warnings
from collections.abc import Sequence
from typing import Any

from rag.errors import ParseError
from rag.parsers import base
from rag.parsers.encoding import decode
from rag.parsers.office import open_package

_DELIMITERS = ",;\t|"


def read(data: bytes, *, path: str, limits: base.Limits, ocr: bool = False) -> base.Parsed:
    """Parse a sheet file; which kind is determined by the suffix of `path`, and for a text file by its
    content."""
    if path.lower().endswith((".xlsx", ".xlsm")):
        return _read_workbook(data, path, limits)
    builder = base.TextBuilder()
    rows = _Rows(builder)
    content = base.clean(decode(data, path=path))
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
    row ends a table; if no head row follows it, the old heads still hold."""

    def __init__(self, builder: base.TextBuilder) -> None:
        self._builder = builder
        self._begun = False
        self._offset = 0
        self._gap = False

    def add(self, cells: Sequence[str], location: str) -> None:
        filled = [cell for cell in cells if cell.strip()]
        if not filled:
            self._gap = True
            return
        opens = self._gap or not self._begun
        if len(filled) == 1 and opens:
            self._builder.paragraph(filled[0], location=location)
            return
        if opens and _names_columns(filled):
            self._offset = next(n for n, cell in enumerate(cells) if cell.strip())
            self._builder.table(base.column_heads([[base.one_line(cell) for cell in cells[self._offset :]]]))
        elif not self._begun:
            self._builder.table()
        self._begun, self._gap = True, False
        if not any(cell.strip() for cell in cells[: self._offset]):
            cells = cells[self._offset :]
        self._builder.row(cells, location=location)


def _names_columns(filled: list[str]) -> bool:
    return len(filled) > 1 and not any(base.is_number(cell) or len(cell) > 120 for cell in filled)


def _read_workbook(data: bytes, path: str, limits: base.Limits) -> base.Parsed:
    package = open_package(data, path=path, limits=limits, root="workbook")
    import openpyxl

    with warnings.catch_warnings():  # about parts of the file that hold no cells
        warnings.simplefilter("ignore")
        workbook = openpyxl.load_workbook(
            io.BytesIO(package.workbook()), read_only=True, data_only=True, keep_links=False
        )
        try:
            metadata = package.properties()
            builder = base.TextBuilder()
            for sheet in workbook.worksheets:
                _add_sheet(builder, sheet, path, limits)
        finally:
            workbook.close()
    title = metadata.pop("title", "")
    text, blocks, _ = builder.build(title)
    # Sheet names alone are no content.
    if all(block.kind == "heading" for block in blocks):
        raise ParseError(f"{path}: no filled cells in it.", "empty")
    return base.Parsed(title, text, blocks, metadata=metadata)


def _add_sheet(builder: base.TextBuilder, sheet: Any, path: str, limits: base.Limits) -> None:
    sheet.reset_dimensions()  # some writers state a wrong size, and rows beyond it would be lost
    builder.heading(sheet.title, 1, location=sheet.title)
    rows = _Rows(builder)
    name = f"'{sheet.title}'" if re.search(r"[^\w]", sheet.title) else sheet.title
    for cells in sheet.iter_rows(max_col=base.MAX_COLUMNS):
        values = [_show(cell) for cell in cells]
        filled = [n for n, value in enumerate(values) if value.strip()]
        if not filled:
            rows.add([], "")
            continue
        first, last = cells[filled[0]], cells[filled[-1]]
        place = first.coordinate if first is last else f"{first.coordinate}:{last.coordinate}"
        rows.add(values, f"{name}!{place}")
        if len(builder) > limits.max_chars:
            raise ParseError(f"{path}: more than {limits.max_chars:,} characters.", "too_large")


def _show(cell: Any) -> str:
    """A cell's value as a reader sees it: dates in ISO form, percentages with their sign, whole numbers
    without ".0"."""
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, datetime.datetime):
        return (
            value.date().isoformat() if value.time() == datetime.time() else value.isoformat(" ", "seconds")
        )
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, int | float):
        return _show_number(value, cell.number_format or "")
    return str(value)


def _show_number(value: float, number_format: str) -> str:
    section = number_format.split(";")[0]
    if section.endswith("%"):
        decimals = len(section.partition(".")[2].rstrip("%")) if "." in section else 0
        return f"{value * 100:.{max(decimals, 0)}f}%"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        value = int(value)
    text = f"{value:,}" if "#,##" in section and isinstance(value, int) else repr(value)
    decimals = len(re.match(r"0*", section.partition(".")[2]).group()) if "." in section else -1  # type: ignore[union-attr]
    if isinstance(value, float) and decimals >= 0 and re.match(r"[#,0$€£¥\s\"_()-]*\.0+", section):
        text = f"{value:,.{decimals}f}" if "#,##" in section else f"{value:.{decimals}f}"
    return text
