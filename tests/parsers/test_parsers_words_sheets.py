"""Workbooks read as a person sees them: values by their formats, formulas without a stored value, hidden and
struck cells, comments; text, marks and losses."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.chart import BarChart, Reference
from openpyxl.comments import Comment
from openpyxl.styles import Font

from rag.parsers import parse
from rag.parsers.number_format import show
from rag.types import BlockKind, Document, LossKind, MarkKind
from tests.files import write, xlsx_bytes


def workbook(make: Callable[[Any], None]) -> bytes:
    """A workbook whose one sheet "S" `make` fills."""
    book = openpyxl.Workbook()
    book.active.title = "S"
    make(book.active)
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def edited(data: bytes, more: dict[str, str] | None = None, **changes: Callable[[str], str]) -> bytes:
    """A workbook with parts changed, by the last word of their names, and with more of them."""
    source, target = zipfile.ZipFile(io.BytesIO(data)), io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in source.namelist():
            change = changes.get(name.rpartition("/")[2].partition(".")[0])
            content = source.read(name)
            archive.writestr(name, change(content.decode()) if change else content)
        for name, text in (more or {}).items():
            archive.writestr(name, text)
    return target.getvalue()


def read(folder: Path, data: bytes) -> Document:
    return parse(write(folder, "a.xlsx", data), path="a.xlsx")


def rows(document: Document) -> list[str]:
    return [document.text[b.start : b.end] for b in document.blocks if b.kind is BlockKind.TABLE_ROW]


def marks(document: Document, kind: MarkKind) -> list[str]:
    return [document.text[m.start : m.end] for m in document.marks if m.kind is kind and m.start < m.end]


ACCOUNTING = '_("$"* #,##0.00_);_("$"* \\(#,##0.00\\);_("$"* "-"??_);_(@_)'
DISPLAYED = [
    (858, "000000", "000858"), (7, '"W-"000', "W-007"), (7, "\\W-000", "W-007"),
    (5551234, "000-0000", "555-1234"), (1250, '"CHF" #,##0', "CHF 1,250"),
    (1250, "[$CHF-807] #,##0.00", "CHF 1,250.00"), (1234.5, "#,##0.00\\ [$€-407]", "1,234.50 €"),
    (5, "￥#,##0.00", "￥5.00"), (5, '0"元"', "5元"), (1234.5, "$#,##0.00", "$1,234.50"),
    (-1234.5, "$#,##0.00", "-$1,234.50"), (1234.5, ACCOUNTING, "$1,234.50"),
    (-1234.5, ACCOUNTING, "$(1,234.50)"), (0, ACCOUNTING, "$-"), (-340, "#,##0_);(#,##0)", "(340)"),
    (-12, "0.00;[Red]0.00", "12.00"), (-1234.5, "[Red]-#,##0.00", "--1,234.50"), (-5, '0;-0;"nil"', "-5"),
    (0, '0;-0;"nil"', "nil"), (1234567, "#,##0,", "1,235"), (1234567, '0.0,,"M"', "1.2M"),
    (1234567.891, "#,##0.0", "1,234,567.9"), (0.231, "0.0%", "23.1%"), (0.0525, "0.00%", "5.25%"),
    (-0.05, "0%", "-5%"), (0.5, "0 %", "50 %"), (2.5, "# ?/?", "2.5"), (0.25, "# ??/??", "0.25"),
    (-2, "# ?/8", "-2"),
    (12345, "0.00E+00", "1.23E+04"),
    (0.00012, "0.0E-0", "1.2E-4"), (50, '[<100]"low "0;[>=100]"high "0', "low 50"),
    (150, '[<100]"low "0;[>=100]"high "0', "high 150"), (3, "0.##", "3"), (3.14159, "0.##", "3.14"),
    (2.675, "0.00", "2.68"), (0.5, "0", "1"), (0.5, ".00", ".50"), (-0.4, "0", "0"), (5, "0,000", "0,005"),
    (0.1 + 0.2, "General", "0.3"), (1.5, "", "1.5"), (12.0, "", "12"), ("00123", "@", "00123"),
    ("12", '"W-"@', "W-12"), ("abc", "0.00", "abc"), (5, "@", "5"), (True, "0", "TRUE"),
    (45352, "yyyy-mm-dd", "2024-03-01"), (45352, "[$-409]d-mmm-yy;@", "2024-03-01"),
    (45352, "mmm yyyy", "Mar 2024"), (45352, 'yyyy"年"m"月"d"日"', "2024年3月1日"), (45352, "yyyy", "2024"),
    (45352, "dddd", "Friday"), (45352.395833333336, "dd/mm/yyyy hh:mm:ss", "2024-03-01 09:30:00"),
    (0.395833333333, "h:mm", "09:30"), (1.1041666, "[h]:mm", "26:30"), (0.75, 'h"时"mm"分"', "18时00分"),
    (12, ";;;", ""),
]  # fmt: skip


@pytest.mark.parametrize(("value", "code", "displayed"), DISPLAYED)
def test_a_number_is_shown_in_its_format(value: float | str | bool, code: str, displayed: str) -> None:
    assert show(value, code) == displayed


def test_days_are_counted_from_1904_where_the_workbook_says_so(tmp_path: Path) -> None:
    data = xlsx_bytes({"S": [["Day", "Fee"], [43890, 5]]}, formats={"A2": "yyyy-mm-dd"})
    assert rows(read(tmp_path, data))[1] == "2020-02-29 | 5"
    since = '<workbookPr date1904="1"/>'
    data = edited(data, workbook=lambda xml: re.sub("<workbookPr[^>]*>", since, xml))
    assert rows(read(tmp_path, data))[1] == "2024-03-01 | 5"


def test_codes_and_text_that_looks_like_numbers_keep_their_spelling(tmp_path: Path) -> None:
    data = xlsx_bytes(
        {"S": [["Code", "Room", "Share"], [123, 7, 0.0286], ["007", "1.50", "1e3"]]},
        formats={"A2": "000000", "B2": '"W-"000', "C2": "0.0%"},
    )
    assert rows(read(tmp_path, data))[1:] == ["000123 | W-007 | 2.9%", "007 | 1.50 | 1e3"]


# Formulas


def test_formulas_without_a_stored_value_are_worked_out(tmp_path: Path) -> None:
    sheets = {
        "Budget 2025": [
            ["Centre", "Budget", "Spent", "Left", "Note"],
            ["A", 412000, 388500, "=B2-C2", '=IF(D2<0,"over","within")'],
            ["B", 956000, 981200, "=B3-C3", '=IF(D3<0,"over","within")'],
            ["Total", "=SUM(B2:B3)", "=SUM(C2:C3)", "=SUM($D$2:D3)", '="ends "&TEXT(D4/B4,"0.0%")'],
        ],
        "Rates": [
            ["Item", "Value"],
            ["Spent share", "='Budget 2025'!C4/'Budget 2025'!B4"],
            ["Mean", "=ROUND(AVERAGE('Budget 2025'!B2:B3),-3)"],
            ["Of A", "=SUMIF('Budget 2025'!A:A,\"A\",'Budget 2025'!C:C)"],
            ["Large", "=COUNTIF('Budget 2025'!B2:B3,\">500000\")"],
            ["Looked up", "=VLOOKUP(\"b\",'Budget 2025'!A2:D3,4,FALSE)"],
            ["Least", "=MIN(3,MAX(1,2^3),50%*-4)"],
            ["None", "=B2/0"],
        ],
    }
    document = read(tmp_path, xlsx_bytes(sheets, formats={"D2": "#,##0"}))
    assert rows(document)[1:4] == [
        "A | 412000 | 388500 | 23,500 | within",
        "B | 956000 | 981200 | -25200 | over",
        "Total | 1368000 | 1369700 | -1700 | ends -0.1%",
    ]
    assert [row.split(" | ")[1] for row in rows(document)[5:]] == [
        "1.00124269005848",
        "684000",
        "388500",
        "1",
        "-25200",
        "-2",
        "#DIV/0!",
    ]
    assert document.losses == ()


def test_what_is_not_worked_out_is_named_with_its_place(tmp_path: Path) -> None:
    sheet = [
        ["Item", "Rate", "Loop"],
        ["A", "=WEBSERVICE(A1)", "=C3"],
        ["B", "=CUBEVALUE(A1,A2)", "=C2"],
        ["C", "=[1]Other!A1", "=C4"],
        ["D", 4, "=NOSUCHNAME+1"],
        ["E", "=IFERROR(TODAY(),1)"],
    ]
    document = read(tmp_path, xlsx_bytes({"My sheet": sheet}))
    assert [(loss.kind, loss.place) for loss in document.losses] == [
        (LossKind.FORMULA_WITHOUT_VALUE, "'My sheet'!B2:B4"),
        (LossKind.FORMULA_WITHOUT_VALUE, "'My sheet'!B6"),
        (LossKind.FORMULA_WITHOUT_VALUE, "'My sheet'!C2:C5"),
    ]
    assert rows(document)[1:] == ["A", "B", "C", "D | 4", "E"]


@pytest.mark.parametrize("other", ["[1]Rates!B2", "'[rates.xlsx]Rates'!B2", "'[1]P&L (2)'!B2"])
def test_a_formula_that_leads_to_another_file_leaves_the_others(other: str, tmp_path: Path) -> None:
    sheet = [["Item", "Cost"], ["A", "=4*25"], ["B", f"={other}*2"], ["C", '=SUM(B2:B2)&"[x]y!"']]
    document = read(tmp_path, xlsx_bytes({"S": sheet}))
    assert [loss.place for loss in document.losses] == ["S!B3"]
    assert rows(document)[1:] == ["A | 100", "B", "C | 100[x]y!"]


def test_a_stored_value_is_taken_and_a_zero_that_nobody_calculated_is_not(tmp_path: Path) -> None:
    def stored(xml: str) -> str:
        return xml.replace("<v></v>", "<v>0</v>").replace("<v />", "<v>0</v>").replace("<v/>", "<v>0</v>")

    data = edited(xlsx_bytes({"S": [["Item", "Sum"], ["A", "=1+1"]]}), sheet1=stored)
    assert rows(read(tmp_path, data))[1] == "A | 2"
    calm = edited(data, workbook=lambda xml: xml.replace('fullCalcOnLoad="1"', ""))
    assert rows(read(tmp_path, calm))[1] == "A | 0"


def test_a_shared_formula_is_moved_to_each_of_its_cells(tmp_path: Path) -> None:
    def share(xml: str) -> str:
        xml = re.sub(r"<f>B2\*2</f>", '<f t="shared" ref="C2:C4" si="0">B2*2</f>', xml)
        return re.sub(r"<f>B[34]\*2</f>", '<f t="shared" si="0"/>', xml)

    sheet = [["Item", "One", "Two"], *([n, int(m), f"=B{m}*2"] for n, m in ("A2", "B3", "C4"))]
    assert rows(read(tmp_path, edited(xlsx_bytes({"S": sheet}), sheet1=share)))[1:] == [
        "A | 2 | 4",
        "B | 3 | 6",
        "C | 4 | 8",
    ]


def test_a_chain_and_a_costly_sum_of_formulas_come_to_an_end(tmp_path: Path) -> None:
    sheet: list[list[object]] = [["Day", "Balance", "All"], ["d", 1, "=SUM(B:B)"]]
    sheet += [["d", f"=B{n - 1}+1", f"=SUM(A1:XFD{n})"] for n in range(3, 400)]
    document = read(tmp_path, xlsx_bytes({"S": sheet}))
    assert rows(document)[-1].startswith("d | 398")


# Hidden, struck, raised


def test_hidden_rows_columns_and_sheets_are_marked_and_stand_behind(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    costs, prices, deep = book.active, book.create_sheet("Prices"), book.create_sheet("Deep")
    costs.title = "Costs"
    for sheet, table in (
        (costs, [["Article", "Cost"], ["Shield", 12.7]]),
        (prices, [["Article", "Price", "Margin"], ["Glove", 7.9, 2], ["Glove", 9.4, 3], ["Gown", 33.5, 4]]),
        (deep, [["Only one"]]),
    ):
        for row in table:
            sheet.append(row)
    costs.sheet_state, deep.sheet_state = "hidden", "veryHidden"
    prices.row_dimensions[2].hidden = True
    prices.column_dimensions["C"].hidden = True
    target = io.BytesIO()
    book.save(target)
    document = read(tmp_path, target.getvalue())
    assert rows(document) == [
        "Article | Price | Margin",
        "Glove | 9.4 | 3",
        "Gown | 33.5 | 4",
        "Glove | 7.9 | 2",
        "Article | Cost",
        "Shield | 12.7",
    ]
    assert marks(document, MarkKind.HIDDEN) == [
        "Margin", "3", "4", "Glove", "7.9", "2",
        "Costs", "Article", "Cost", "Shield", "12.7", "Deep", "Only one",
    ]  # fmt: skip
    places = {document.text[b.start : b.end]: b.location for b in document.blocks}
    assert places["Glove | 7.9 | 2"] == "Prices!A2:C2"
    assert {b.heads for b in document.blocks if b.heads} == {
        ("Article", "Price", "Margin"),
        ("Article", "Cost"),
    }


def test_struck_cells_follow_as_the_former_row(tmp_path: Path) -> None:
    def fill(sheet: Any) -> None:
        old = TextBlock(InlineFont(strike=True), "31 May")
        for row in (["Item", "Fee", "Due"], ["Tea", 4, CellRichText(old, " 30 June")], ["Milk", 3, "now"]):
            sheet.append(row)
        for place in ("A3", "B3", "C3"):
            sheet[place].font = Font(strike=True)

    document = read(tmp_path, workbook(fill))
    assert rows(document) == [
        "Item | Fee | Due",
        "Tea | 4 | 30 June",
        "Tea | 4 | 31 May",
        "Milk | 3 | now",
    ]
    assert marks(document, MarkKind.STRUCK) == ["Tea", "4", "31 May", "Milk", "3", "now"]


def test_raised_runs_are_notes_and_exponents(tmp_path: Path) -> None:
    up, down = InlineFont(vertAlign="superscript"), InlineFont(vertAlign="subscript")

    def fill(sheet: Any) -> None:
        sheet.append(["Area", "Dose", "Gas"])
        sheet.append(
            [
                CellRichText("70 m", TextBlock(up, "2")),
                CellRichText("25", TextBlock(up, "1"), " mg"),
                CellRichText("CO", TextBlock(down, "2")),
            ]
        )
        sheet.append([])
        sheet.append([CellRichText(TextBlock(up, "1"), " With food")])

    document = read(tmp_path, workbook(fill))
    assert rows(document)[1] == "70 m² | 25 mg | CO2"
    assert marks(document, MarkKind.LOWERED) == ["2"]
    note = next(m for m in document.marks if m.kind is MarkKind.RAISED)
    assert document.text[: note.start].endswith("25")
    assert note.leads_to is not None and document.text[note.leads_to :] == "With food"


def test_comments_are_notes_of_their_cells(tmp_path: Path) -> None:
    def fill(sheet: Any) -> None:
        for row in (["Item", "Fee"], ["Tea", 4], ["Milk", 3]):
            sheet.append(row)
        sheet["B2"].comment = Comment("Without tax.", "A")
        sheet["D9"].comment = Comment("To be done.", "A")

    document = read(tmp_path, workbook(fill))
    assert document.text == "S\n\nItem | Fee\nTea | 4\nMilk | 3\n\nWithout tax.\n\nTo be done."
    (mark,) = document.marks
    assert document.text[: mark.start].endswith("Tea | 4")
    assert mark.leads_to == document.text.index("Without")
    assert [b.location for b in document.blocks if b.kind is BlockKind.PARAGRAPH] == ["S!B2", "S!D9"]


def test_a_value_that_its_format_hides_is_marked(tmp_path: Path) -> None:
    data = xlsx_bytes({"S": [["Item", "Fee"], ["Tea", 4], ["Milk", 3]]}, formats={"B2": ";;;"})
    document = read(tmp_path, data)
    assert rows(document)[1:] == ["Tea | 4", "Milk | 3"]
    assert marks(document, MarkKind.HIDDEN) == ["4"]


# Files that Office opens


def test_long_formatting_without_cells_costs_little(tmp_path: Path) -> None:
    def lengthen(xml: str) -> str:
        cells = "".join(f'<c r="{c}7" s="0"/>' for c in "ABCDEFGH")
        empty = f'<row r="7" ht="12">{cells}</row>' * 60_000
        return xml.replace("</sheetData>", f'{empty}<row r="9"><c r="A9"><v>8</v></c></row></sheetData>')

    data = edited(xlsx_bytes({"S": [["Item", "Fee"], ["Tea", 4]]}), sheet1=lengthen)
    document = read(tmp_path, data)
    assert document.text == "S\n\nItem | Fee\nTea | 4\n\n8"
    assert document.blocks[-1].location == "S!A9"


def test_styles_that_are_damaged_or_missing_do_not_keep_the_cells_away(tmp_path: Path) -> None:
    data = xlsx_bytes({"S": [["Item", "Fee"], ["Tea", 4]]}, formats={"B2": "0.00"})
    for spoilt in (lambda xml: xml[:200], lambda xml: re.sub(r'numFmtId="\d+"', 'numFmtId="x"', xml)):
        assert rows(read(tmp_path, edited(data, styles=spoilt)))[1] == "Tea | 4"


def test_a_strict_workbook_is_read_like_another(tmp_path: Path) -> None:
    def strict(content: bytes) -> bytes:
        usual = rb"http://schemas.openxmlformats.org/(spreadsheetml|officeDocument)/2006/"
        return re.sub(usual, rb"http://purl.oclc.org/ooxml/\1/", content)

    data = xlsx_bytes({"S": [["Item", "Share"], ["Tea", 0.5]]}, formats={"B2": "0.0%"})
    source, target = zipfile.ZipFile(io.BytesIO(data)), io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name in source.namelist():
            archive.writestr(name, strict(source.read(name)))
    assert rows(read(tmp_path, target.getvalue())) == ["Item | Share", "Tea | 50.0%"]


def test_titles_of_charts_and_rows_without_height(tmp_path: Path) -> None:
    def fill(sheet: Any) -> None:
        for row in (["Item", "Fee"], ["Tea", 4], ["Milk", 3]):
            sheet.append(row)
        chart = BarChart()
        chart.title = "Fees of the year"
        chart.add_data(Reference(sheet, min_col=2, min_row=1, max_row=3), titles_from_data=True)
        sheet.add_chart(chart, "E2")

    data = edited(workbook(fill), sheet1=lambda xml: xml.replace('<row r="2"', '<row ht="0" r="2"'))
    document = read(tmp_path, data)
    assert document.text.endswith("Fees of the year")
    assert marks(document, MarkKind.HIDDEN) == ["Tea", "4"]


def test_a_sheet_that_is_missing_or_holds_no_cells_is_named(tmp_path: Path) -> None:
    data = xlsx_bytes({"S": [["Item", "Fee"], ["Tea", 4]], "Lost": [["x", "y"]]})
    document = read(tmp_path, edited(data, workbook=lambda xml: xml.replace('r:id="rId2"', 'r:id="rId77"')))
    assert [(loss.kind, loss.place) for loss in document.losses] == [(LossKind.UNSUPPORTED_PART, "Lost")]


def test_a_damaged_sheet_gives_what_stands_before_the_damage_and_is_named(tmp_path: Path) -> None:
    sheet = [["Item", "Fee"], *(["Tea", n] for n in range(5000))]
    data = xlsx_bytes({"S": sheet, "Other": [["a", "b"]]})
    document = read(tmp_path, edited(data, sheet1=lambda xml: xml[: len(xml) // 2]))
    assert rows(document)[:2] == ["Item | Fee", "Tea | 0"]
    assert rows(document)[-1] == "a | b"
    assert [(loss.kind, loss.place) for loss in document.losses] == [(LossKind.UNREADABLE_TEXT, "S")]


_KIND = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def test_shared_texts_are_read_and_named_where_the_workbook_lost_them(tmp_path: Path) -> None:
    space = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    relation = f'<Relationship Id="rId9" Type="{_KIND}/sharedStrings" Target="sharedStrings.xml"/>'
    struck = "<r><rPr><strike/></rPr><t>Coffee</t></r><r><t xml:space='preserve'> Tea_x000D_</t></r>"
    texts = f"<sst {space}><si><t>Item</t></si><si>{struck}</si><si><t>x</t></si></sst>"
    cells = '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1"><v>5</v></c></row>'
    cells += '<row r="2"><c r="A2" t="s"><v>1</v></c><c r="B2"><v>4</v></c></row>'
    data = edited(
        xlsx_bytes({"S": [["x"]]}),
        {"xl/sharedStrings.xml": texts},
        sheet1=lambda _: f"<worksheet {space}><sheetData>{cells}</sheetData></worksheet>",
        workbook=lambda xml: xml.replace("</Relationships>", f"{relation}</Relationships>"),
    )
    document = read(tmp_path, data)
    assert document.text == "S\n\nItem | 5\nTea | 4\nCoffee Tea | 4"
    assert document.losses == ()
    lost = read(tmp_path, edited(data, sharedStrings=lambda _: texts[:60]))
    assert lost.text == "S\n\n5\n\n4"
    assert [(loss.kind, loss.place) for loss in lost.losses] == [(LossKind.UNREADABLE_TEXT, "S")]


_TEXTS = st.text("abc 12㐀|;\n", max_size=5)
_CELLS = st.tuples(_TEXTS, st.booleans())


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.lists(_CELLS, max_size=4), max_size=5), st.sets(st.integers(2, 6), max_size=2))
def test_a_workbook_gives_back_the_cells_that_went_in(
    tmp_path: Path, table: list[list[tuple[str, bool]]], hidden: set[int]
) -> None:
    def fill(sheet: Any) -> None:
        sheet.append(["key", "one", "two", "three", "four"])
        for number, row in enumerate(table, 2):
            sheet.cell(number, 1, f"r{number}")
            for column, (text, struck) in enumerate(row, 2):
                cell = sheet.cell(number, column, text or None)
                cell.font = Font(strike=struck)
        for number in hidden:
            sheet.row_dimensions[number].hidden = True

    document = read(tmp_path, workbook(fill))
    text = document.text
    assert all(text[b.start : b.end].strip() for b in document.blocks)
    assert all(0 <= m.start <= m.end <= len(text) for m in document.marks)
    covered = [(m.start, m.end) for m in document.marks if m.kind in (MarkKind.STRUCK, MarkKind.HIDDEN)]
    shown = [
        " ".join(text[c.start : c.end].split())
        for b in document.blocks
        for c in b.cells or [b]
        if b.kind is not BlockKind.HEADING and not any(a <= c.start and c.end <= e for a, e in covered)
    ]
    expected = [
        " ".join(cell.split())
        for number, row in enumerate(table, 2)
        for cell, struck in row
        if number not in hidden and not struck
    ]
    keys = [f"r{number}" for number in range(2, len(table) + 2) if number not in hidden]
    assert sorted(filter(None, shown[5:])) == sorted(filter(None, [*keys, *expected]))
