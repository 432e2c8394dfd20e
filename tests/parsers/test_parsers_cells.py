"""Cells of tables stand where they say: in every format a cell's offsets give its words, under its heads."""

from __future__ import annotations

import ast
import csv
import io
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag.parsers import parse
from rag.parsers.base import TextBuilder
from rag.parsers.grids import rows_to
from rag.types import Cell, Document, Table
from rag.types.tables import heads_text, joined_location, packed, row_spans, row_text
from tests.files import docx_bytes, pdf_bytes, write, xlsx_bytes

QUICK = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
HEADS = ["Item", "Place", "Kind"]
# Words that no format reads as marks of its own, among them what a row of cells is joined by.
WORD = st.from_regex(r"[A-Za-z汉字é]{1,8}( [A-Za-z]{1,5}){0,2}", fullmatch=True)
NUMBER = st.integers(-(10**9), 10**9).map(lambda n: f"{n:,}")
ROW = st.tuples(WORD, st.one_of(WORD, NUMBER, st.just("")), st.one_of(NUMBER, st.just(""))).map(list)
ROWS = st.lists(ROW, min_size=1, max_size=6)


def read(name: str, content: bytes | str) -> Document:
    with tempfile.TemporaryDirectory() as folder:
        return parse(write(Path(folder), name, content), path=name)


def words(document: Document, cells: tuple[Cell, ...]) -> list[str]:
    return [document.text[cell.start : cell.end] for cell in cells]


def tables_of(document: Document) -> list[tuple[Table, list[list[str]]]]:
    """Each table with the words of its rows, having held every cell to its block and its table."""
    found: list[tuple[Table, list[list[str]]]] = [(table, []) for table in document.tables]
    by_table = {id(table): rows for table, rows in found}
    for block in document.blocks:
        if (table := block.table) is None:
            continue
        rows = by_table[id(table)]
        assert block.row == len(rows)
        assert table.start <= block.start < block.end <= table.end
        ends = [block.start, *(cell.end for cell in block.cells)]
        assert all(end <= cell.start <= cell.end for end, cell in zip(ends, block.cells, strict=False))
        assert ends[-1] <= block.end
        assert [(cell.row, cell.column) for cell in block.cells] == [
            (block.row, column) for column in range(len(block.cells))
        ]
        rows.append(words(document, block.cells))
        if table.placed:
            assert row_text(rows[-1]) == document.text[block.start : block.end]
            assert len(block.cells) <= max(len(table.heads), len(block.cells))
    assert all(len(table.rows) == len(rows) for table, rows in found)
    return found


def trimmed(rows: list[list[str]]) -> list[list[str]]:
    """Without the empty cells at the end of each."""
    return [row[: max((n for n, cell in enumerate(row, 1) if cell), default=0)] for row in rows]


def assert_table(document: Document, rows: list[list[str]]) -> None:
    ((table, found),) = tables_of(document)
    assert table.columns == tuple(HEADS)
    assert found == trimmed([HEADS, *rows])


@QUICK
@given(ROWS, st.sampled_from([",", ";", "\t"]))
def test_cells_of_csv(rows: list[list[str]], delimiter: str) -> None:
    target = io.StringIO(newline="")
    csv.writer(target, delimiter=delimiter).writerows([HEADS, *rows])
    assert_table(read("a.tsv" if delimiter == "\t" else "a.csv", target.getvalue()), rows)


@QUICK
@given(ROWS)
def test_cells_of_a_sheet(rows: list[list[str]]) -> None:
    document = read("a.xlsx", xlsx_bytes({"Data": [HEADS, *rows]}))
    assert_table(document, rows)
    assert document.tables[0].location.startswith("Data!A1:C")


@QUICK
@given(ROWS)
def test_cells_of_markdown(rows: list[list[str]]) -> None:
    lines = [f"| {' | '.join(row)} |" for row in (HEADS, ["---"] * 3, *rows)]
    assert_table(read("a.md", "\n".join(lines)), rows)


def html_table(rows: list[list[str]], heads: str = "") -> str:
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    heads = heads or f"<tr>{''.join(f'<th>{head}</th>' for head in HEADS)}</tr>"
    return f"<html><body><table>{heads}{body}</table></body></html>"


@QUICK
@given(ROWS.filter(lambda rows: all(any(row[n] for row in rows) for n in range(3))))
def test_cells_of_html(rows: list[list[str]]) -> None:
    assert_table(read("a.html", html_table(rows)), rows)


@QUICK
@given(ROWS.filter(lambda rows: all(any(row[n] for row in rows) for n in range(3))))
def test_cells_of_docx(rows: list[list[str]]) -> None:
    document = read(
        "a.docx", docx_bytes([("Normal", "A table."), ("table", [HEADS, *[["x", "y", "z"]], *rows])])
    )
    ((table, found),) = tables_of(document)
    assert table.columns == tuple(HEADS)
    assert found[2:] == trimmed(rows)


# Syllables: letters without vowels are taken for a broken map of characters.
LABEL = st.from_regex(
    r"[BDLMNPRST][aeiou]([bdlmnprst][aeiou]){1,4}( ([bdlmnprst][aeiou]){2,4}){0,2}", fullmatch=True
)
FIGURES = st.lists(st.integers(1000, 10**8).map(lambda n: f"{n:,}"), min_size=2, max_size=2)


@QUICK
@given(st.lists(st.tuples(LABEL, FIGURES, st.booleans()), min_size=3, max_size=8))
def test_cells_of_lines_of_a_pdf_are_a_label_and_figures(
    lines: list[tuple[str, list[str], bool]],
) -> None:
    printed = [
        [label, *(f"$ {figure}" if dollar else f"({figure})" for figure in figures)]
        for label, figures, dollar in lines
    ]
    document = read("a.pdf", pdf_bytes([[" ".join(row) for row in printed]]))
    for table, rows in tables_of(document):
        assert not table.placed
        assert all(row in printed for row in rows)
    assert sum(len(rows) for _, rows in tables_of(document)) == len(printed)


def test_heads_of_several_rows_are_joined_by_what_they_span() -> None:
    heads = (
        "<tr><th rowspan=2>Item</th><th colspan=2>2023</th><th>2022</th></tr>"
        "<tr><th>Sales</th><th>Cost</th><th>Sales</th></tr>"
    )
    document = read("a.html", html_table([["North", "1", "2", "3"], ["South", "4", "5", "6"]], heads))
    (table,) = document.tables
    assert table.heads == (("Item",), ("2023", "Sales"), ("2023", "Cost"), ("2022", "Sales"))
    assert table.columns == ("Item", "2023 Sales", "2023 Cost", "2022 Sales")


def test_a_cell_that_spans_says_so_and_its_words_stand_in_each_row() -> None:
    rows = (
        "<tr><td rowspan=2>North</td><td>Tea</td><td>1</td></tr><tr><td>Rye</td><td>2</td></tr>"
        "<tr><td colspan=2>Both</td><td>3</td></tr>"
    )
    document = read("a.html", html_table([]).replace("</table>", f"{rows}</table>"))
    ((table, found),) = tables_of(document)
    assert found[1:] == [["North", "Tea", "1"], ["North", "Rye", "2"], ["Both", "Both", "3"]]
    assert table.spans == ((1, 0, 2, 1), (3, 0, 1, 2))
    first, second, both = table.cells(1)[0], table.cells(2)[0], table.cells(3)[0]
    assert (first.rows, second.rows, both.columns) == (2, 1, 2)


def test_a_head_in_the_middle_that_is_empty_keeps_its_column() -> None:
    document = read("a.csv", "Item,,2023\nTea,x,12\nRye,y,13\n")
    (table,) = document.tables
    assert table.heads == (("Item",), (), ("2023",))
    assert words(document, table.cells(1)) == ["Tea", "x", "12"]


def test_what_stands_between_rows_ends_a_table_whose_heads_go_on() -> None:
    document = read("a.csv", "Item,Price\nTea,12\n,\nA remark\nRye,13\n")
    (_, before), (after, rows) = tables_of(document)
    assert (before, rows) == ([["Item", "Price"], ["Tea", "12"]], [["Rye", "13"]])
    assert after.columns == ("Item", "Price")


def test_units_of_the_sentence_above_stand_beside_the_heads_of_a_pdf() -> None:
    lines = [
        "The table below shows revenue by region (in millions):",
        "Years ended December 31,",
        "2023 2022",
        "North 1,204 1,100",
        "South 1,310 1,222",
    ]
    table = read("a.pdf", pdf_bytes([lines])).tables[0]
    assert table.units == ("(in millions)",)
    assert table.columns[0].startswith("(in millions) ")


def test_a_table_keeps_the_title_that_it_was_given_on_one_line() -> None:
    builder = TextBuilder()
    rows_to(builder, [["Item", "Fee"], ["Survey", "40"]], heads=1, title="Table 2.\n  Fees")
    builder.start_group()
    rows_to(builder, [["Item", "Fee"], ["Search", "50"]], heads=1)
    _, blocks, _ = builder.build()
    assert [block.table.title for block in blocks if block.table] == ["Table 2. Fees"] * 2 + [""] * 2


@given(st.lists(st.text("ab |", max_size=4).map(str.strip), max_size=6), st.integers(0, 1000))
def test_a_row_reads_as_its_cells_and_is_packed_without_loss(cells: list[str], start: int) -> None:
    text, spans = row_text(cells), row_spans(cells)
    kept = trimmed([cells])[0]
    assert [text[a:b] for a, b in spans] == kept
    row = packed(start, spans)
    table = Table(start, start + len(text), rows=(row,))
    assert [(cell.start - start, cell.end - start) for cell in table.cells(0)] == spans
    assert table.cells(1) == ()


@pytest.mark.parametrize(
    ("first", "last", "whole"),
    [
        ("S!A4:F4", "S!A9:F9", "S!A4:F9"),
        ("'A b'!A4", "'A b'!C4", "'A b'!A4:C4"),
        ("row 2", "row 5", "row 2 – row 5"),
        ("row 2", "", "row 2"),
        ("", "", ""),
    ],
)
def test_places_of_rows_make_the_place_of_a_table(first: str, last: str, whole: str) -> None:
    assert joined_location(first, last) == whole


def test_heads_read_on_one_line() -> None:
    assert heads_text(("A", "", "B  c")) == "A | | B c"


def cuts_cells(path: Path) -> bool:
    """Whether a module joins by " | ", or splits at it or at "|"."""
    for call in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute):
            marks = [call.func.value] if call.func.attr == "join" else call.args[:1]
            wanted = {"join": (" | ",), "split": ("|", " | "), "partition": ("|", " | ")}.get(
                call.func.attr, ()
            )
            if any(isinstance(mark, ast.Constant) and mark.value in wanted for mark in marks):
                return True
    return False


def test_only_one_module_joins_or_cuts_rows_of_cells() -> None:
    root = Path(__file__).parents[2]
    sources = [path for package in ("rag", "ui") for path in (root / package).rglob("*.py")]
    # Reports of measures are Markdown tables that the program itself writes.
    assert {path.name for path in sources if cuts_cells(path)} <= {"report.py"}
