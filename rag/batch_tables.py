"""Question tables in (csv, jsonl, xlsx, txt), answers out as a table (csv, jsonl, xlsx) or a Word document.
Nothing in a cell becomes a formula."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.errors import InputError, ParseError
from rag.files import plain, to_json, write_atomically
from rag.parsers.encoding import decode

INPUTS = (".csv", ".tsv", ".jsonl", ".xlsx", ".txt")
OUTPUTS = (".csv", ".jsonl", ".xlsx", ".docx")
# A quoted cell with more lines than this is a forgotten closing quote, which would swallow the rest of the
# file.
_LINES_PER_ROW = 200
_DELIMITERS = ",;\t|"
_EXCEL_CELL = 32_767
_NUMBER = re.compile(r"[+-]?\d[\d,]*(?:\.\d+)?(?:[eE][+-]?\d+)?%?")
# What spreadsheets take as the start of a formula (OWASP, "CSV injection"), full-width forms included.
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")


@dataclass(frozen=True, slots=True)
class BatchRow:
    """One row: values by column; `error` is set where it could not be read, and `values` hold what there
    was."""

    values: Mapping[str, Any]
    error: str = ""


@dataclass(frozen=True, slots=True)
class BatchTable:
    """Columns in order, and rows in order; rows that are wholly empty are not in it."""

    columns: tuple[str, ...]
    rows: tuple[BatchRow, ...] = ()


@dataclass(frozen=True, slots=True)
class Quoted:
    """What an answer rests on: number, place and words; where it is a row of a table its (head, words), and
    which of its cells hold the answer."""

    about: str
    row: tuple[tuple[str, str], ...] = ()
    marked: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Answered:
    """A question and what is said of it: the line, or what went wrong; how it stands; its cautions; what it
    rests on."""

    question: str
    line: str
    standing: str
    cautions: tuple[str, ...]
    quotes: tuple[Quoted, ...]


def read_table(path: Path) -> BatchTable:
    """Read a table by its suffix; text in any encoding that can be found out. Raises InputError when it is
    no such file."""
    suffix = path.suffix.lower()
    if suffix not in INPUTS:
        raise InputError(f"{path} is not a table of questions. Give a file that ends in {', '.join(INPUTS)}.")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.") from error
    if suffix == ".xlsx":
        return _read_xlsx(data, path)
    try:
        text = decode(data, path=str(path)).removeprefix("\ufeff")
    except ParseError as error:
        raise InputError(str(error)) from error
    if suffix == ".jsonl":
        return _read_jsonl(text)
    if suffix == ".txt":
        lines = [line.strip() for line in text.splitlines()]
        return BatchTable(("question",), tuple(BatchRow({"question": line}) for line in lines if line))
    return _read_csv(text, path)


def _read_csv(text: str, path: Path) -> BatchTable:
    lines = io.StringIO(text, newline="").readlines()
    # The candidate that the first row with text has most of, outside quotes.
    bare = re.sub(r'"[^"]*"', "", next((line for line in lines if line.strip()), ""))
    records = _records(lines, max(_DELIMITERS, key=bare.count))
    columns = _columns(next((cells for cells, error in records if not error), None), path)
    return BatchTable(columns, tuple(_csv_row(columns, cells, error) for cells, error in records))


def _records(lines: Sequence[str], delimiter: str) -> Iterator[tuple[list[str], str]]:
    """(cells, error) of each record that is not empty. After a record that cannot be parsed, reading goes
    on at the line behind the one where it began, so that a broken quote costs one row."""
    csv.field_size_limit(1 << 30)
    at = 0
    while at < len(lines):
        reader = csv.reader(iter(lines[at : at + _LINES_PER_ROW]), delimiter=delimiter, strict=True)
        try:
            cells = next(reader)
        except csv.Error as error:
            yield [lines[at].rstrip("\r\n")], f"line {at + 1} is not valid CSV: {error}"
            at += 1
            continue
        if any(cell.strip() for cell in cells):
            yield cells, ""
        at += max(reader.line_num, 1)


def _csv_row(columns: Sequence[str], cells: Sequence[str], error: str) -> BatchRow:
    if not error and len(cells) > len(columns):
        extra = [c for c in cells[len(columns) :] if c.strip()]
        error = f"the row has {len(cells)} cells, the header {len(columns)}" if extra else ""
    padded = [*cells, *[""] * (len(columns) - len(cells))]
    return BatchRow(dict(zip(columns, padded, strict=False)), error)


def _read_jsonl(text: str) -> BatchTable:
    rows: list[BatchRow] = []
    columns: dict[str, None] = {}
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
            if not isinstance(value, dict):
                raise ValueError("not a JSON object")
        except (ValueError, RecursionError) as error:
            rows.append(BatchRow({}, f"line {number} is not valid JSON ({error}): {line[:200]}"))
            continue
        rows.append(BatchRow(value))
        columns.update(dict.fromkeys(value))
    return BatchTable(tuple(columns), tuple(rows))


def _read_xlsx(data: bytes, path: Path) -> BatchTable:
    import openpyxl

    try:
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        sheet = book.worksheets[0]
        sheet.reset_dimensions()  # some writers state a wrong size, and rows beyond it would be lost
        values = [[_text(c) for c in row] for row in sheet.iter_rows(values_only=True)]
    except (zipfile.BadZipFile, KeyError, ValueError, OSError, IndexError, SyntaxError, TypeError) as error:
        raise InputError(f"{path} is not a workbook that can be read: {error}.") from error
    rows = [row for row in values if any(map(str.strip, row))]
    columns = _columns(rows[0] if rows else None, path)
    return BatchTable(columns, tuple(_csv_row(columns, row, "") for row in rows[1:]))


def _columns(head: Sequence[str] | None, path: Path) -> tuple[str, ...]:
    """Header cells as names: trimmed, none empty, none twice. Raises InputError where there is no header."""
    if head is None:
        raise InputError(
            f"{path} is empty: its first row has to name the columns, one of them the questions."
        )
    names: list[str] = []
    for number, cell in enumerate(head, 1):
        base = name = " ".join(cell.split()) or f"column {number}"
        copy = 2
        while name in names:
            name, copy = f"{base} ({copy})", copy + 1
        names.append(name)
    while names and names[-1] == f"column {len(names)}" and not head[len(names) - 1].strip():
        names.pop()  # empty cells at the end of a sheet's first row are no columns
    return tuple(names)


def write_table(
    path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, Any]], quoted: Sequence[Quoted] = ()
) -> None:
    """Write by the suffix (csv, jsonl, xlsx), atomically. csv has a byte order mark, so that spreadsheets
    read Chinese; xlsx has the `quoted` rows as small tables on a second sheet. Raises StorageError."""
    suffix = path.suffix.lower()
    if suffix == ".jsonl":
        content = "".join(to_json(row) + "\n" for row in rows).encode("utf-8", "backslashreplace")
    elif suffix == ".csv":
        text = io.StringIO(newline="")
        writer = csv.writer(text)
        writer.writerow([harmless(c) for c in columns])
        writer.writerows([harmless(_text(row.get(c))) for c in columns] for row in rows)
        content = text.getvalue().encode("utf-8-sig", "backslashreplace")
    else:
        content = _xlsx_bytes(columns, rows, quoted)
    write_atomically(path, content)


def harmless(cell: str) -> str:
    """The cell with a quote mark in front where a spreadsheet would take it for a formula; plain numbers
    stay."""
    begins = cell.startswith(_FORMULA) or cell.lstrip().startswith(_FORMULA)
    return f"'{cell}" if begins and not _NUMBER.fullmatch(cell.strip(" ")) else cell


def _xlsx_bytes(columns: Sequence[str], rows: Iterable[Mapping[str, Any]], quoted: Sequence[Quoted]) -> bytes:
    import openpyxl
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Font, PatternFill

    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("answers")

    bold, fill = Font(bold=True), PatternFill("solid", "FFFFE08A")

    def cell(value: Any, font: Font | None = None, marked: bool = False) -> Any:
        if isinstance(value, bool | int | float):
            return value
        text = _for_xml(_text(value))
        made = WriteOnlyCell(sheet)
        made.value = text if len(text) <= _EXCEL_CELL else f"{text[: _EXCEL_CELL - 1]}…"
        made.data_type = "s"  # whatever it begins with
        if font is not None:
            made.font = font
        if marked:
            made.fill = fill
        made.quotePrefix = text.startswith(_FORMULA)  # and it stays a string when somebody edits it
        return made

    for values in (columns, *([row.get(c) for c in columns] for row in rows)):
        sheet.append([cell(value) for value in values])
    if quoted:
        sheet = book.create_sheet("quoted rows")
    for one in quoted:
        sheet.append([cell(one.about)])
        sheet.append([cell(head, bold) for head, _ in one.row])
        sheet.append([cell(words, None, n in one.marked) for n, (_, words) in enumerate(one.row)])
        sheet.append([])
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def write_document(path: Path, answers: Iterable[Answered]) -> None:
    """A Word document, written atomically: each question as a heading, its line, how it stands, the words it
    rests on, rows of tables under their heads with the answer marked. Raises StorageError."""
    import docx
    from docx.enum.text import WD_COLOR_INDEX

    document = docx.Document()
    for answer in answers:
        document.add_heading(_for_xml(answer.question), 2)
        document.add_paragraph().add_run(_for_xml(answer.line)).bold = True
        for said in filter(None, (answer.standing, *answer.cautions)):
            document.add_paragraph().add_run(_for_xml(said)).italic = True
        for quote in answer.quotes:
            document.add_paragraph(_for_xml(quote.about), style="List Bullet")
            if not quote.row:
                continue
            heads, cells = (row.cells for row in document.add_table(2, len(quote.row), "Table Grid").rows)
            for n, (head, words) in enumerate(quote.row):
                heads[n].paragraphs[0].add_run(_for_xml(head)).bold = True
                run = cells[n].paragraphs[0].add_run(_for_xml(words))
                run.font.highlight_color = WD_COLOR_INDEX.YELLOW if n in quote.marked else None
    content = io.BytesIO()
    document.save(content)
    write_atomically(path, content.getvalue())


def _for_xml(text: str) -> str:
    """The text without what XML cannot hold: control characters, and lone surrogates."""
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    return str(ILLEGAL_CHARACTERS_RE.sub("", text)).encode("utf-8", "replace").decode()


def _text(value: Any) -> str:
    """A cell's value in one line of text: dates in ISO form, whole numbers without a point, structures as
    JSON."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return to_json(value) if isinstance(value, dict | list) else str(plain(value))
