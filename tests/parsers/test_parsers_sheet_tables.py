"""Tables of sheets cell by cell: several on a sheet, heads of several rows, titles, units, merged and blank
cells, forms; CSV of any delimiter."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.styles import Font

from rag.parsers import parse
from rag.types import BlockKind, Document, Table
from tests.files import write

Rows = Sequence[Sequence[object]]


def sheet(rows: Rows, *, merge: str = "", bold: str = "", beside: tuple[str, Rows] | None = None) -> Document:
    """A workbook whose one sheet holds these rows, and others from a cell on."""
    book = openpyxl.Workbook()
    active: Any = book.active
    active.title = "S"
    for place, part in (("A1", rows), *((beside,) if beside else ())):
        first = active[place]
        for down, row in enumerate(part):
            for across, value in enumerate(row):
                active.cell(first.row + down, first.column + across, value)
    for area in merge.split():
        active.merged_cells.add(area)  # without making each cell of it
    for place in bold.split():
        active[place].font = Font(bold=True)
    target = io.BytesIO()
    book.save(target)
    return read("a.xlsx", target.getvalue())


def read(name: str, content: bytes | str) -> Document:
    with tempfile.TemporaryDirectory() as folder:
        return parse(write(Path(folder), name, content), path=name)


def cells(document: Document, table: Table) -> list[list[str]]:
    return [
        [document.text[c.start : c.end] for c in block.cells]
        for block in document.blocks
        if block.table is table
    ]


def lines(document: Document) -> list[str]:
    return [document.text[b.start : b.end] for b in document.blocks if b.kind is BlockKind.PARAGRAPH]


def test_heads_of_two_rows_are_joined_through_what_spans_columns() -> None:
    document = sheet(
        [
            ["Segment results"],
            ["in EUR million"],
            ["Segment", 2023, None, 2024, None],
            [None, "Sales", "Profit", "Sales", "Profit"],
            ["North", 5, 1, 6, "(2)"],
            ["South", 7, "-", 8, "n/a"],
            ["Source: accounts of the segments."],
        ],
        merge="A1:E1 A3:A4 B3:C3 D3:E3",
    )
    (table,) = document.tables
    years = [(year, head) for year in ("2023", "2024") for head in ("Sales", "Profit")]
    assert table.heads == (("Segment",), *years)
    assert cells(document, table) == [
        ["Segment", "2023 Sales", "2023 Profit", "2024 Sales", "2024 Profit"],
        ["North", "5", "1", "6", "(2)"],
        ["South", "7", "-", "8", "n/a"],
    ]
    assert (table.title, table.units, table.location) == ("Segment results", ("in EUR million",), "S!A3:E6")
    assert lines(document) == ["Segment results", "in EUR million", "Source: accounts of the segments."]


def test_heads_that_span_leave_the_corner_to_the_row_below() -> None:
    document = sheet(
        [
            [None, "2025", None, "2026", None],
            ["Plan", "Plan", "Actual", "Plan", "Actual"],
            ["Gold", 1, 2, 3, 4],
            ["Tin", 5, 6, 7, 8],
        ],
        merge="B1:C1 D1:E1",
    )
    (table,) = document.tables
    years = [(year, head) for year in ("2025", "2026") for head in ("Plan", "Actual")]
    assert table.heads == (("Plan",), *years)
    assert [row[0] for row in cells(document, table)] == ["Plan", "Gold", "Tin"]


def test_a_head_over_two_that_nobody_merged_spans_up_to_the_next() -> None:
    rows = [
        [None, "2023", None, "2024", None],
        ["Segment", "Sales", "Profit", "Sales", "Profit"],
        ["North", 5, 1, 6, 2],
    ]
    assert sheet(rows).tables[0].heads == (
        ("Segment",), ("2023", "Sales"), ("2023", "Profit"), ("2024", "Sales"), ("2024", "Profit"),
    )  # fmt: skip


def test_tables_side_by_side_have_each_their_title_heads_and_rows() -> None:
    document = sheet(
        [["Fees"], ["Service", "Fee"], ["Copy", 25], ["Deed", 310]],
        beside=("D1", [["Staff"], ["Name", "Office"], ["Li", "Wuhan"], ["Ode", "Bern"], ["Per", "Oslo"]]),
    )
    fees, staff = document.tables
    assert cells(document, fees) == [["Service", "Fee"], ["Copy", "25"], ["Deed", "310"]]
    assert cells(document, staff) == [["Name", "Office"], ["Li", "Wuhan"], ["Ode", "Bern"], ["Per", "Oslo"]]
    assert [(t.title, t.location) for t in (fees, staff)] == [("Fees", "S!A2:B4"), ("Staff", "S!D2:E5")]
    assert staff.columns == ("Name", "Office")


def test_an_empty_column_within_a_table_does_not_part_it() -> None:
    document = sheet(
        [["Item", None, "2023", None, "2022"], ["Sales", None, 5, None, 4], ["Costs", None, 3, None, 2]]
    )
    (table,) = document.tables
    assert table.columns == ("Item", "2023", "2022")
    assert cells(document, table)[1:] == [["Sales", "5", "4"], ["Costs", "3", "2"]]


def test_tables_below_one_another_do_not_lend_their_heads() -> None:
    document = sheet(
        [
            ["Fees"],
            ["Service", "Fee"],
            ["Copy", 25],
            [],
            ["Rooms"],
            [None, "W-1", 12, "Ode"],
            [None, "W-2", 14, "Per"],
        ]
    )
    fees, rooms = document.tables
    assert (fees.title, fees.columns) == ("Fees", ("Service", "Fee"))
    assert (rooms.title, rooms.columns) == ("Rooms", ())
    assert cells(document, rooms) == [["W-1", "12", "Ode"], ["W-2", "14", "Per"]]


def test_merged_cells_stand_in_each_row_and_column_that_they_span() -> None:
    document = sheet(
        [
            ["Tenant", "Unit", "Rent"], ["Parrow", "A1", 5], [None, "A2", 6], ["Ullin", "B1", 7],
            ["Both", None, 13], ["Vacant units", None, None], ["None", "C1", 0],
        ],
        merge="A2:A3 A5:B5 A6:C6",
    )  # fmt: skip
    (table,) = document.tables
    assert cells(document, table)[1:] == [
        ["Parrow", "A1", "5"],
        ["Parrow", "A2", "6"],
        ["Ullin", "B1", "7"],
        ["Both", "Both", "13"],
        ["Vacant units"],
        ["None", "C1", "0"],
    ]
    assert table.spans == ((1, 0, 2, 1), (4, 0, 1, 2), (5, 0, 1, 3))


def test_a_blank_label_means_the_one_above_but_not_in_sums_nor_in_flags() -> None:
    document = sheet(
        [
            ["Region", "Branch", "Members"], ["Coast", "Alder", 12], [None, "Birch", 14],
            [None, "Subtotal", 26],
            ["Hills", "Cedar", 9], [None, "Dale", 8], [None, None, 43],
        ]
    )  # fmt: skip
    assert cells(document, document.tables[0])[1:] == [
        ["Coast", "Alder", "12"], ["Coast", "Birch", "14"], ["", "Subtotal", "26"],
        ["Hills", "Cedar", "9"], ["Hills", "Dale", "8"], ["", "", "43"],
    ]  # fmt: skip
    flags = sheet([["Urgent", "Task"], ["x", "Call"], [None, "Write"], ["x", "Pay"]])
    assert cells(flags, flags.tables[0])[2] == ["", "Write"]


@pytest.mark.parametrize(
    ("rows", "bold"),
    [
        ([["Client", "Parrow Ltd"], ["Street", "4 Mill Row"], ["Account", 12345]], "A1 A2 A3"),
        ([["Client:", "Parrow Ltd", "Opened:", "2024-01-05"], ["Matter:", "Lease", "Fee:", "300"]], ""),
        ([["File", "A-123/9"], ["Client", "Parrow Ltd"], ["Judge", "Ode Brandt"]], ""),
    ],
)
def test_a_form_has_labels_and_values_and_no_heads(rows: Rows, bold: str) -> None:
    document = sheet(rows, bold=bold)
    (table,) = document.tables
    assert table.heads == ()
    assert cells(document, table) == [list(map(str, row)) for row in rows]


def test_notes_alone_are_paragraphs() -> None:
    notes = ["This workbook lists what the office charges.", "It is kept by the clerk.", "Ask before use."]
    document = sheet([[note] for note in notes])
    assert lines(document) == notes and not document.tables


def test_a_chinese_statement_has_title_unit_and_heads() -> None:
    document = sheet(
        [
            ["资产负债表"], ["编制单位：岭川公司", "2024年12月31日", "单位：万元"],
            ["项目", "期末余额", "期初余额"],
            ["流动资产：", None, None], ["货币资金", 5, 6], ["合计", 5, 6], ["注：未经审计。"],
        ],
        merge="A1:C1",
    )  # fmt: skip
    (table,) = document.tables
    assert table.columns[1:] == ("期末余额", "期初余额") and table.heads[0] == ("项目",)
    assert table.units == ("单位：万元",) and table.title.startswith("资产负债表")
    assert cells(document, table)[1:] == [["流动资产："], ["货币资金", "5", "6"], ["合计", "5", "6"]]
    assert lines(document)[-1] == "注：未经审计。"


@pytest.mark.parametrize(
    ("line", "unit"),
    [
        ("in thousands", "in thousands"), ("(in EUR thousand)", "(in EUR thousand)"),
        ("USD million", "USD million"),
        ("All amounts in EUR", "All amounts in EUR"), ("Unit: EUR '000", "Unit: EUR '000"),
        ("Revenue by region (in millions of dollars)", "in millions of dollars"),
        ("金额单位：元", "金额单位：元"),
        ("Rooms in Lyon", ""),
    ],
)  # fmt: skip
def test_units_are_read_from_the_line_above(line: str, unit: str) -> None:
    document = read("a.csv", f'"{line}"\nItem,2023\nSales,5\n')
    assert document.tables[0].units == ((unit,) if unit else ())
    assert lines(document) == [line]


def test_sheets_of_a_kind_keep_their_names_with_their_rows() -> None:
    book = openpyxl.Workbook()
    for year in ("2023", "2024"):
        for row in (["Item", "Fee"], ["Copy", 25]):
            (book[year] if year in book.sheetnames else book.create_sheet(year)).append(row)
    target = io.BytesIO()
    book.save(target)
    document = read("a.xlsx", target.getvalue())
    assert [(t.heading_path, t.location) for t in document.tables] == [
        (("2023",), "2023!A1:B2"),
        (("2024",), "2024!A1:B2"),
    ]


@pytest.mark.parametrize(
    ("source", "rows"),
    [
        (
            "Artikel;Preis\nTee;1.234,56\nSaft;2,50\n",
            [["Artikel", "Preis"], ["Tee", "1.234,56"], ["Saft", "2,50"]],
        ),
        ("sep=|\nA|B\nx|1,5\n", [["A", "B"], ["x", "1,5"]]),
        ("A\tB\na, b\t1,5\nc, d\t2,5\n", [["A", "B"], ["a, b", "1,5"], ["c, d", "2,5"]]),
        ("Item,Note\nTea,a; b\nRye,c\n", [["Item", "Note"], ["Tea", "a; b"], ["Rye", "c"]]),
        ("A~B~C\nTea~1,5~kg\nRye~2,5~kg\n", [["A", "B", "C"], ["Tea", "1,5", "kg"], ["Rye", "2,5", "kg"]]),
        ("A^B^C\nTea^1^kg\nRye^2^kg\n", [["A", "B", "C"], ["Tea", "1", "kg"], ["Rye", "2", "kg"]]),
        # A time is one cell.
        (
            "List\n\nItem,At\nTea,08:30:00\nRye,09:15:00\nOat\n",
            [["Item", "At"], ["Tea", "08:30:00"], ["Rye", "09:15:00"], ["Oat"]],
        ),
    ],
)
def test_a_comma_within_numbers_cuts_no_cells(source: str, rows: list[list[str]]) -> None:
    document = read("a.csv", source)
    assert cells(document, document.tables[0]) == rows


def test_a_sheet_of_a_hundred_thousand_merged_cells_comes_to_an_end() -> None:
    rows = [["Key", "Value"], *([f"k{n}", n] for n in range(300))]
    document = sheet(rows, merge=" ".join(f"C{n}:XFD{n + 1}" for n in range(2, 300, 2)))
    assert cells(document, document.tables[0])[1:3] == [["k0", "0"], ["k1", "1"]]
