"""XLSX and CSV: every level-2 heading of the source is a sheet, its tables and paragraphs the rows."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path

from corpora.rendering.archive import freeze_zip
from corpora.rendering.source import Source, blocks

_NUMBER = re.compile(r"-?\d{1,3}(?:,\d{3})*(?:\.\d+)?|-?\d+(?:\.\d+)?")


def render_xlsx(source: Source, target: Path) -> None:
    from openpyxl import Workbook
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    book = Workbook()
    book.remove(book.active)
    properties = book.properties
    properties.title, properties.creator, properties.description = source.title, source.author, source.mark
    for name, rows in _sheets(source):
        sheet = book.create_sheet(name)
        for bold, row in [*rows, (False, ()), (False, (source.mark,))]:
            sheet.append([_value(cell) for cell in row])
            for cell in sheet[sheet.max_row]:
                cell.font = Font(bold=bold)
        for column in range(1, sheet.max_column + 1):
            sheet.column_dimensions[get_column_letter(column)].width = 36 if column == 1 else 18
    book.save(target)
    freeze_zip(target)


def render_csv(source: Source, target: Path) -> None:
    """One table; the mark is the last row, in the first column."""
    (rows,) = [block.rows for block in blocks(source.body) if block.kind == "table"]
    with target.open("w", encoding=source.encoding, newline="") as file:
        writer = csv.writer(file)
        writer.writerows(rows)
        writer.writerow([source.mark] + [""] * (len(rows[0]) - 1))


def _sheets(source: Source) -> Iterator[tuple[str, list[tuple[bool, tuple[str, ...]]]]]:
    """(sheet name, [(header?, cells)])"""
    name, rows = "", list[tuple[bool, tuple[str, ...]]]()
    for block in blocks(source.body):
        if block.kind == "heading":
            if name:
                yield name, rows
            name, rows = block.text, [(True, (f"{source.title}: {block.text}",))]
        elif block.kind == "table":
            rows += [(False, ())] + [(i == 0, row) for i, row in enumerate(block.rows)]
        else:
            rows.append((False, (block.text,)))
    yield name, rows


def _value(cell: str) -> str | int | float:
    plain = cell.replace("**", "")
    if not _NUMBER.fullmatch(plain):
        return plain
    number = float(plain.replace(",", ""))
    return int(number) if "." not in plain else number
