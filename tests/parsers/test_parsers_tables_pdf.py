"""Tables of a PDF are cells with heads, whether lines are drawn around them or not.

The files are made here."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from rag.parsers import parse
from rag.types import BlockKind, Document, Table
from tests.files import scanned_pdf, write
from tests.parsers.test_parsers_words_pdf import canvas_pdf, lines, read

Rows = Sequence[Sequence[str]]


def cells(document: Document, table: Table) -> list[list[str]]:
    return [[document.text[cell.start : cell.end] for cell in table.cells(n)] for n in range(len(table.rows))]


def tables(document: Document) -> list[tuple[Table, list[list[str]]]]:
    return [(table, cells(document, table)) for table in document.tables]


def set_rows(canvas: Any, rows: Rows, xs: Sequence[float], y: float, *, right: bool = True) -> None:
    """Cells from one place down: the first column begins at its x, the others end at theirs (`right`)."""
    for n, row in enumerate(rows):
        canvas.setFont("Helvetica-Bold" if row[0].startswith("*") else "Helvetica", 10)
        for k, (x, cell) in enumerate(zip(xs, row, strict=False)):
            draw = canvas.drawRightString if right and k else canvas.drawString
            draw(x, y - 15 * n, cell.lstrip("*"))


MEMBERS = [
    ["Region", "Members", "Farms"],
    ["Northdale", "214", "198"],
    ["Coast", "387", "341"],
    ["Uplands", "96", "95"],
]
HEADS = (("Region",), ("Members",), ("Farms",))


def test_columns_are_found_by_the_gaps_between_them(tmp_path: Path) -> None:
    def draw(canvas: Any) -> None:
        canvas.drawString(72, 790, "Members by region:")
        set_rows(canvas, MEMBERS, (72, 300, 420), 770)
        canvas.setFont("Helvetica", 10)
        canvas.drawString(
            72, 680, "The count is that of 30 September, and no member is counted in two regions."
        )

    document = read(tmp_path, canvas_pdf(draw))
    ((table, found),) = tables(document)
    assert table.placed
    assert (table.title, table.heads) == ("Members by region:", HEADS)
    assert found == MEMBERS
    assert document.blocks[-1].kind is BlockKind.PARAGRAPH


def test_a_cell_that_is_empty_keeps_its_column(tmp_path: Path) -> None:
    rows = [
        ["EUR thousand", "Note", "2024", "2023"],
        ["Revenue", "2", "1,237.6", "1,188.4"],
        ["Cost of sales", "", "(786.3)", "(768.5)"],
        ["Impairment", "5", "", "(4.6)"],
        ["Profit", "", "451.3", "415.3"],
    ]
    document = read(tmp_path, canvas_pdf(lambda c: set_rows(c, rows, (72, 260, 340, 420), 770)))
    ((table, found),) = tables(document)
    assert table.heads == (("EUR thousand",), ("Note",), ("2024",), ("2023",))
    assert found == rows


@pytest.mark.parametrize("turn", [90, -90])
def test_a_sideways_table_is_read_as_one_that_stands(tmp_path: Path, turn: int) -> None:
    def draw(canvas: Any) -> None:
        canvas.saveState()
        canvas.translate(300, 400)
        canvas.rotate(turn)
        set_rows(canvas, MEMBERS, (-200, 30, 150), 100)
        canvas.restoreState()

    ((table, found),) = tables(read(tmp_path, canvas_pdf(draw)))
    assert (table.heads, found) == (HEADS, MEMBERS)


@pytest.mark.parametrize("turn", [90, -90])
@pytest.mark.parametrize("written", ["by rows", "by columns", "corner last"])
def test_single_words_of_a_sideways_table_are_cells_in_whatever_order_they_are_written(
    tmp_path: Path, turn: int, written: str
) -> None:
    rows = [["Route", "Winter", "Summer"], ["Tarn", "Daily", "Twice"], ["Holm", "None", "Daily"]]
    placed = [(x, 100 - 15 * n, row[k]) for n, row in enumerate(rows) for k, x in enumerate((-200, 30, 150))]
    if written == "by columns":
        placed.sort(key=lambda cell: (cell[0], -cell[1]))
    elif written == "corner last":
        placed.append(placed.pop(0))

    def draw(canvas: Any) -> None:
        canvas.saveState()
        canvas.translate(300, 400)
        canvas.rotate(turn)
        for cell in placed:
            canvas.drawString(*cell)
        canvas.restoreState()

    ((table, found),) = tables(read(tmp_path, canvas_pdf(draw)))
    assert found == rows
    assert table.heads == tuple((head,) for head in rows[0])


@pytest.mark.parametrize("turn", [90, -90])
def test_a_sideways_table_beside_prose_is_one_below_it(tmp_path: Path, turn: int) -> None:
    prose = ["The members of the society meet once a year in the hall.", "Each of them may bring one guest."]

    def draw(canvas: Any) -> None:
        for n in range(6):
            canvas.drawString(72, 760 - 30 * n, prose[n % 2])
        canvas.saveState()
        canvas.translate(480, 400)
        canvas.rotate(turn)
        set_rows(canvas, MEMBERS, (-200, 30, 150), 0)
        canvas.restoreState()
        canvas.drawString(72, 300, "What is said of members holds for guests.")

    document = read(tmp_path, canvas_pdf(draw))
    ((table, found),) = tables(document)
    assert (table.heads, found) == (HEADS, MEMBERS)
    assert document.text.index("holds for guests") < document.text.index("Coast")


def test_figures_behind_dots_have_columns(tmp_path: Path) -> None:
    rows = [
        ["Revenue", "12,400", "11,050"],
        ["Cost of sales", "(7,210)", "(6,900)"],
        ["Profit", "5,190", "4,150"],
    ]

    def draw(canvas: Any) -> None:
        canvas.drawRightString(380, 730, "2026")
        canvas.drawRightString(470, 730, "2025")
        for n, (label, *figures) in enumerate(rows):
            y = 714 - 14 * n
            dots = "." * int((230 - canvas.stringWidth(label)) / canvas.stringWidth("."))
            canvas.drawString(72, y, f"{label} {dots}")
            for x, figure in zip((380, 470), figures, strict=True):
                canvas.drawString(x - 50, y, "$")
                canvas.drawRightString(x, y, figure)

    ((table, found),) = tables(read(tmp_path, canvas_pdf(draw)))
    assert table.heads == ((), ("2026",), ("2025",))
    assert [row[1:] for row in found[1:]] == [[f"$ {figure}" for figure in row[1:]] for row in rows]


def test_a_foot_that_is_written_first_is_no_head_of_a_table(tmp_path: Path) -> None:
    def draw(canvas: Any) -> None:
        canvas.drawString(72, 815, "Society of Ellerby")
        canvas.drawString(300, 30, "Page 1 of 3")
        set_rows(canvas, MEMBERS, (72, 300, 420), 780)

    document = read(tmp_path, canvas_pdf(draw))
    ((table, found),) = tables(document)
    assert (table.heads, found) == (HEADS, MEMBERS)
    assert document.text.startswith("Page 1 of 3\n\nSociety of Ellerby\n\n")


def test_a_title_in_larger_type_is_no_head_of_the_columns_below(tmp_path: Path) -> None:
    def draw(canvas: Any) -> None:
        canvas.setFont("Helvetica", 15)
        canvas.drawString(72, 790, "Members 2024")
        set_rows(canvas, MEMBERS, (72, 300, 420), 768)

    ((table, found),) = tables(read(tmp_path, canvas_pdf(draw)))
    assert (table.heads, found) == (HEADS, MEMBERS)


def test_a_table_over_four_pages_that_repeats_its_head_is_one(tmp_path: Path) -> None:
    def page(number: int) -> Any:
        def draw(canvas: Any) -> None:
            rows = [["Boat", "Master", "Berth fee"]]
            rows += [[f"Tern {n}", f"Ann {n}", f"{n}1.50"] for n in range(10 * number, 10 * number + 10)]
            set_rows(canvas, rows, (72, 200, 340), 780, right=False)

        return draw

    ((table, found),) = tables(read(tmp_path, canvas_pdf(*map(page, range(4)))))
    assert len(found) == 41
    assert found[40] == ["Tern 39", "Ann 39", "391.50"]
    assert table.heads == (("Boat",), ("Master",), ("Berth fee",))


def test_a_year_over_the_last_column_is_no_head_of_the_one_before_it(tmp_path: Path) -> None:
    def draw(canvas: Any) -> None:
        canvas.setFont("Helvetica", 10)
        canvas.drawCentredString(350, 770, "Year ended 31 December")
        canvas.drawCentredString(350, 757, "2025")
        canvas.drawRightString(530, 757, "2024")
        for x, head in zip((270, 370, 450, 530), ("Retail", "Wholesale", "Total", "Total"), strict=True):
            canvas.drawRightString(x, 742, head)
        rows = [
            ["Revenue", "1,204.5", "388.1", "1,592.6", "1,470.2"],
            ["Result", "98.3", "(4.2)", "94.1", "101.0"],
        ]
        set_rows(
            canvas, [*rows, ["Investments", "45.0", "12.7", "57.7", "49.9"]], (72, 270, 370, 450, 530), 725
        )

    ((table, found),) = tables(read(tmp_path, canvas_pdf(draw)))
    heads = [" ".join(parts) for parts in table.heads]
    assert heads[1:] == [
        "Year ended 31 December 2025 Retail", "Year ended 31 December 2025 Wholesale",
        "Year ended 31 December 2025 Total", "2024 Total",
    ]  # fmt: skip
    assert found[-1] == ["Investments", "45.0", "12.7", "57.7", "49.9"]


CHECKS = [
    [
        ["Full blood", "count"],
        ["Before each", "cycle"],
        ["Delay the cycle by one week below", "1.5 and count again"],
    ],
    [["Clearance"], ["Every", "second", "cycle"], ["Reduce the dose by a quarter"]],
    [["Liver enzymes"], ["Monthly"], ["Stop above five times the limit", "of the laboratory"]],
]


def draw_checks(canvas: Any) -> None:
    """Cell by cell, as browsers and word processors write them."""
    canvas.setFont("Helvetica-Bold", 10)
    for x, head in zip((72, 170, 250), ("Test", "When", "Action"), strict=True):
        canvas.drawString(x, 760, head)
    canvas.setFont("Helvetica", 10)
    y = 742
    for row in CHECKS:
        for x, cell in zip((72, 170, 250), row, strict=True):
            lines(canvas, x, y, cell, 12)
        y -= 12 * max(map(len, row)) + 8


def test_cells_of_several_lines_side_by_side_are_rows_without_any_line_drawn(tmp_path: Path) -> None:
    ((table, found),) = tables(read(tmp_path, canvas_pdf(draw_checks)))
    assert table.heads == (("Test",), ("When",), ("Action",))
    assert found[1:] == [[" ".join(cell) for cell in row] for row in CHECKS]


def test_level_lines_of_cells_side_by_side_say_where_columns_end(tmp_path: Path) -> None:
    def draw(canvas: Any) -> None:
        draw_checks(canvas)
        for y in (753, 722, 678, 645):
            for left, right in ((70, 166), (166, 246), (246, 480)):
                canvas.line(left, y, right, y)

    ((table, found),) = tables(read(tmp_path, canvas_pdf(draw)))
    assert table.heads == (("Test",), ("When",), ("Action",))
    assert found[1:] == [[" ".join(cell) for cell in row] for row in CHECKS]


LIVER = ["Liver", "Enzymes", "15", "5", "4", "1"]


def test_a_head_that_spans_rows_stands_beside_those_on_its_right(tmp_path: Path) -> None:
    def draw(canvas: Any) -> None:
        canvas.setFont("Helvetica-Bold", 10)
        canvas.drawString(72, 760, "Table 2. Adverse reactions")
        lines(canvas, 72, 732, ["Organ", "class"], 12)
        lines(canvas, 170, 732, ["Preferred", "term"], 12)
        for x, group in ((330, "Relvanib 20 mg"), (480, "Placebo")):
            canvas.drawCentredString(x, 738, group)
            canvas.drawRightString(x - 10, 720, "All, %")
            canvas.drawRightString(x + 60, 720, "Severe, %")
        rows = [["Gut", "Nausea", "33", "2", "20", "1"], ["Skin", "Rash", "22", "3", "9", "0"], LIVER]
        for n, row in enumerate(rows):
            canvas.setFont("Helvetica", 10)
            canvas.drawString(72, 700 - 15 * n, row[0])
            set_rows(canvas, [row[1:]], (170, 320, 390, 470, 540), 700 - 15 * n)

    ((table, found),) = tables(read(tmp_path, canvas_pdf(draw)))
    assert [" ".join(parts) for parts in table.heads] == [
        "Organ class", "Preferred term", "Relvanib 20 mg All, %", "Relvanib 20 mg Severe, %",
        "Placebo All, %", "Placebo Severe, %",
    ]  # fmt: skip
    assert found[-1] == LIVER


def ruled(canvas: Any, xs: Sequence[float], ys: Sequence[float]) -> None:
    for y in ys:
        canvas.line(xs[0], y, xs[-1], y)
    for x in xs:
        canvas.line(x, ys[0], x, ys[-1])


def test_lines_drawn_around_cells_are_the_grid_and_words_in_a_cell_stay_together(tmp_path: Path) -> None:
    rows = [
        [["Party"], ["Duty"], ["Until"]],
        [["Tenant"], ["keeps the garden and", "mends the fence"], ["1 May"]],
        [["Landlord"], ["paints the house", "every fifth year", "on his own cost"], ["1 June"]],
    ]
    ys = [760, 740, 700, 640]

    def draw(canvas: Any) -> None:
        ruled(canvas, (70, 150, 300, 380), ys)
        # Column by column, as some programs write them.
        for k, x in enumerate((74, 154, 304)):
            for row, y in zip(rows, ys, strict=False):
                lines(canvas, x, y - 14, row[k], 13)

    document = read(tmp_path, canvas_pdf(draw))
    ((table, found),) = tables(document)
    assert found == [[" ".join(cell) for cell in row] for row in rows]
    assert table.heads == (("Party",), ("Duty",), ("Until",))


def test_a_line_that_is_missing_makes_one_cell_of_two(tmp_path: Path) -> None:
    def draw(canvas: Any) -> None:
        for y in (760, 720, 680):
            canvas.line(70, y, 330, y)
        canvas.line(170, 740, 330, 740)  # the first cell spans two rows of heads
        canvas.line(170, 700, 330, 700)  # and the second one two rows
        for x in (70, 170, 330):
            canvas.line(x, 760, x, 680)
        canvas.line(250, 740, 250, 680)  # "2024" spans two columns
        for x, y, text in (
            (74, 745, "Site"),
            (174, 745, "2024"),
            (174, 725, "Hens"),
            (254, 725, "Eggs"),
            (74, 705, "Mill"),
            (174, 705, "12"),
            (254, 705, "80"),
            (174, 685, "14"),
            (254, 685, "90"),
        ):
            canvas.drawString(x, y, text)

    ((table, found),) = tables(read(tmp_path, canvas_pdf(draw)))
    assert table.heads == (("Site",), ("2024", "Hens"), ("2024", "Eggs"))
    assert found[2:] == [["Mill", "12", "80"], ["Mill", "14", "90"]]
    assert {(2, 0, 2, 1), (0, 1, 1, 2)} <= set(table.spans)


def test_rows_between_level_lines_are_rows_whatever_their_height(tmp_path: Path) -> None:
    rows = [
        (760, 742, [["*Medicine"], ["*Effect"], ["*Advice"]]),
        (
            742,
            714,
            [["Fostrenazole", "(strong inhibitor)"], ["Exposure rises fourfold"], ["Contraindicated"]],
        ),
        (714, 696, [["Marilutide"], ["Exposure rises"], ["Lower the dose"]]),
        (696, 668, [["Pentabarbine"], ["Exposure falls"], ["The dose may be", "doubled"]]),
    ]

    def draw(canvas: Any) -> None:
        for top, _, row in rows:
            canvas.line(70, top, 480, top)
            for x, cell in zip((74, 200, 340), row, strict=True):
                canvas.setFont("Helvetica-Bold" if cell[0].startswith("*") else "Helvetica", 10)
                lines(canvas, x, top - 12, [text.lstrip("*") for text in cell], 12)
        canvas.line(70, 668, 480, 668)

    ((table, found),) = tables(read(tmp_path, canvas_pdf(draw)))
    assert table.heads == (("Medicine",), ("Effect",), ("Advice",))
    assert found[1:] == [
        ["Fostrenazole (strong inhibitor)", "Exposure rises fourfold", "Contraindicated"],
        ["Marilutide", "Exposure rises", "Lower the dose"],
        ["Pentabarbine", "Exposure falls", "The dose may be doubled"],
    ]


def test_heads_above_the_lines_that_part_the_rows_are_those_of_the_table(tmp_path: Path) -> None:
    rows = [(["Hay"], "1,200", "1,100"), (["Oats, with what the", "mill gave back"], "300", "(20)")]
    rows += [(["Rye"], "450", "400")]

    def draw(canvas: Any) -> None:
        canvas.setFont("Helvetica", 10)
        set_rows(canvas, [["EUR thousand", "2024", "2023"]], (74, 340, 440), 770)
        y = 764.0
        canvas.line(70, y, 480, y)
        for label, *figures in rows:
            lines(canvas, 74, y - 11, label, 11)
            y -= 11 * len(label) + 4
            for x, figure in zip((340, 440), figures, strict=True):
                canvas.drawRightString(x, y + 4, figure)
            canvas.line(70, y, 480, y)

    ((table, found),) = tables(read(tmp_path, canvas_pdf(draw)))
    assert table.heads == (("EUR thousand",), ("2024",), ("2023",))
    assert found[1:] == [[" ".join(label), *figures] for label, *figures in rows]


def test_a_table_over_two_pages_is_one_and_its_head_stands_in_it_once(tmp_path: Path) -> None:
    rows = [[f"Lot {n}", f"{n},120", f"{n},340"] for n in range(1, 9)]
    head = ["*Lot", "Weight", "Price"]

    def page(number: int, some: Rows) -> Any:
        def draw(canvas: Any) -> None:
            canvas.drawString(72, 800, "Auction of the mill. List of lots.")
            set_rows(canvas, [head, *some], (72, 300, 420), 760)
            canvas.setFont("Helvetica", 10)
            canvas.drawString(290, 40, f"Page {number} of 2")

        return draw

    document = read(tmp_path, canvas_pdf(page(1, rows[:4]), page(2, rows[4:])))
    ((table, found),) = tables(document)
    assert table.heads == (("Lot",), ("Weight",), ("Price",))
    assert found == [["Lot", "Weight", "Price"], *rows]
    assert document.page_of(document.text.index("Lot 5")) == 2
    assert document.text.count("Page") == 2


def test_units_of_a_caption_are_the_tables(tmp_path: Path) -> None:
    def draw(canvas: Any) -> None:
        canvas.setFont("Helvetica-Bold", 10)
        canvas.drawString(72, 790, "Table 3. Farms of the cooperative (in thousands)")
        set_rows(canvas, MEMBERS, (72, 300, 420), 770)

    ((table, _),) = tables(read(tmp_path, canvas_pdf(draw)))
    assert table.title.startswith("Table 3.")
    assert table.units == ("(in thousands)",)


def test_a_label_that_stands_for_the_rows_below_is_repeated_in_them(tmp_path: Path) -> None:
    rows = [
        ["Region", "Crop", "Tons"],
        ["North", "Tea", "1,200"],
        ["", "Rye", "1,350"],
        ["South", "Tea", "1,410"],
        ["", "Oats", "1,560"],
    ]

    def draw(canvas: Any) -> None:
        for n, row in enumerate(rows):
            canvas.drawString(72, 770 - 15 * n, row[0])
            canvas.drawString(200, 770 - 15 * n, row[1])
            canvas.drawRightString(400, 770 - 15 * n, row[2])

    ((_, found),) = tables(read(tmp_path, canvas_pdf(draw)))
    assert found[1:] == [
        ["North", "Tea", "1,200"],
        ["North", "Rye", "1,350"],
        ["South", "Tea", "1,410"],
        ["South", "Oats", "1,560"],
    ]


@pytest.mark.parametrize("below", [False, True], ids=["first line", "last line"])
def test_lines_of_a_label_stand_closer_than_rows_and_are_one_label(tmp_path: Path, below: bool) -> None:
    """Figures stand beside the first line of the label or beside its last."""
    rows: list[tuple[list[str], str]] = [
        (["Cost of hay and straw", "Bought from neighbours"], "1,240"),
        (["Wages of the season"], "1,980"),
        (["Repairs of the two old", "Harvesters and carts"], "3,310"),
        (["Rent"], "2,205"),
    ]

    def draw(canvas: Any) -> None:
        canvas.drawRightString(300, 775, "2024")
        canvas.drawRightString(380, 775, "2023")
        y = 760
        for label, figure in rows:
            for n, line in enumerate(label):
                canvas.drawString(72, y - 12 * n, line)
            for x in (300, 380):
                canvas.drawRightString(x, y - 12 * (len(label) - 1) * below, figure)
            y -= 12 * len(label) + 6

    ((_, found),) = tables(read(tmp_path, canvas_pdf(draw)))
    assert [row[1:] for row in found[-4:]] == [[figure] * 2 for _, figure in rows]
    assert [row[0].replace("\n", " ") for row in found][-4:] == [" ".join(label) for label, _ in rows]


def test_prose_above_a_table_is_no_head_of_it_though_it_names_a_year(tmp_path: Path) -> None:
    prose = [
        "obligations of the group, which came to 1,750 thousand as of 26 May 2024, are not yet",
        "recognised in the balance sheet of 2024, for the goods have not been delivered to us",
    ]

    def draw(canvas: Any) -> None:
        for n, line in enumerate(prose):
            canvas.drawString(72, 800 - 13 * n, line)
        rows = [["", "Total", "2025"], ["Leases", "1,200", "300"], ["Purchases", "550", "410"]]
        set_rows(canvas, rows, (72, 300, 420), 770)

    ((table, _),) = tables(read(tmp_path, canvas_pdf(draw)))
    assert table.heads == ((), ("Total",), ("2025",))


def test_a_sum_without_a_label_gets_none(tmp_path: Path) -> None:
    rows = [["", "2024", "2023"], ["Hay", "1,200", "1,100"], ["Oats", "300", "200"], ["", "1,500", "1,300"]]
    ((_, found),) = tables(read(tmp_path, canvas_pdf(lambda c: set_rows(c, rows, (72, 300, 420), 770))))
    assert found[-1] == ["", "1,500", "1,300"]


def test_words_without_figures_in_columns_are_a_table_whose_first_row_need_not_be_a_head(
    tmp_path: Path,
) -> None:
    rows = [
        ["Issuer", "Mill of Ellerby"],
        ["Status", "Senior, unsecured"],
        ["Listing", "Port Merrow"],
        ["Fiscal agent", "Underhallow Trust"],
    ]
    ((table, found),) = tables(
        read(tmp_path, canvas_pdf(lambda c: set_rows(c, rows, (72, 220), 770, right=False)))
    )
    assert (table.heads, found) == ((), rows)


def test_each_table_has_the_heads_that_are_printed_over_it(tmp_path: Path) -> None:
    first = [
        ["USD million", "FY2025", "FY2024"],
        ["Revenue", "1,237.6", "1,188.4"],
        ["Costs", "(786.3)", "(768.5)"],
    ]
    second = [
        ["USD million", "Owners", "Others", "Total"],
        ["At 30 September 2024", "708.9", "24.3", "733.2"],
        ["Profit for the year", "94.8", "3.7", "98.5"],
        ["Dividends", "(30.8)", "–", "(30.8)"],
    ]

    def draw(canvas: Any) -> None:
        set_rows(canvas, first, (72, 340, 440), 770)
        set_rows(canvas, second, (72, 300, 380, 440), 725)

    found = tables(read(tmp_path, canvas_pdf(draw)))
    assert [table.columns for table, _ in found] == [tuple(first[0]), tuple(second[0])]
    assert [rows for _, rows in found] == [first, second]


LISTS = [
    ["(a)", "the tenant keeps the garden in order,"],
    ["(b)", "the landlord paints the house, and"],
    ["(c)", "both mend the fence between the yards."],
    ["(d)", "nobody fells a tree."],
]
CONTENTS = [
    ["Highlights", "2"],
    ["Letter from the Chair", "3"],
    ["Business review", "5"],
    ["Governance", "9"],
]


@pytest.mark.parametrize(("rows", "right"), [(LISTS, False), (CONTENTS, True)])
def test_lists_and_contents_are_no_tables(tmp_path: Path, rows: Rows, right: bool) -> None:
    document = read(
        tmp_path, canvas_pdf(lambda c: set_rows(c, rows, (72, 110 if not right else 400), 770, right=right))
    )
    assert not document.tables


def test_a_table_of_a_scan_has_columns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [["Item", "2024", "2023"], ["Hay", "1,200", "1,100"], ["Oats", "300", "280"]]

    class Engine:
        def __call__(self, image: object) -> tuple[list[tuple[list[tuple[float, float]], str, float]], None]:
            found = []
            for n, row in enumerate(rows):
                for left, right, text in zip((200, 800, 1100), (300, 920, 1220), row, strict=True):
                    top, bottom = 280 + 45 * n, 308 + 45 * n
                    found.append(([(left, top), (right, top), (right, bottom), (left, bottom)], text, 0.9))
            return found, None

    engine = ModuleType("rapidocr_onnxruntime")
    engine.__spec__ = ModuleSpec(engine.__name__, None)
    engine.RapidOCR = Engine  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, engine.__name__, engine)
    path = write(tmp_path, "scan.pdf", scanned_pdf(1))
    ((table, found),) = tables(parse(path, path="scan.pdf", ocr=True))
    assert (table.heads, found) == ((("Item",), ("2024",), ("2023",)), rows)


def test_heads_in_three_rows_over_thirteen_narrow_columns_are_joined_by_what_they_span(
    tmp_path: Path,
) -> None:
    groups, doses, sides = ("Vaccine A", "Vaccine B"), ("Dose 1", "Dose 2", "Dose 3"), ("Any", "Grade 3")
    events = ["Pain", "Swelling", "Redness", "Fever"]
    values = [[f"{(7 * n + 3 * k) % 90}.{k % 10}" for k in range(12)] for n in range(len(events))]

    def draw(canvas: Any) -> None:
        canvas.setFont("Helvetica", 7)
        for n, group in enumerate(groups):
            canvas.drawCentredString(130 + 222 * n + 92.5, 780, group)
        for n, dose in enumerate([*doses, *doses]):
            canvas.drawCentredString(130 + 74 * n + 18.5, 768, dose)
        for n, side in enumerate(sides * 6):
            canvas.drawCentredString(130 + 37 * n, 756, side)
        for n, (event, row) in enumerate(zip(events, values, strict=True)):
            canvas.drawString(50, 744 - 12 * n, event)
            for k, value in enumerate(row):
                canvas.drawCentredString(130 + 37 * k, 744 - 12 * n, value)

    ((table, found),) = tables(read(tmp_path, canvas_pdf(draw)))
    assert table.heads == ((), *((g, d, s) for g in groups for d in doses for s in sides))
    assert found[-4:] == [[event, *row] for event, row in zip(events, values, strict=True)]


FEES = [
    ("Adult", [("1 to 5", "10.00"), ("6 to 10", "20.00"), ("11 and more", "30.00")]),
    ("Child", [("1 to 5", "8.00"), ("6 to 10", "16.00"), ("11 and more", "24.00")]),
    ("Student", [("1 to 5", "9.00"), ("6 to 10", "18.50")]),
]
FEE_ROWS = [[label, *row] for label, rows in FEES for row in rows]


def draw_fees(canvas: Any, where: int, apart: str) -> None:
    """Labels beside the first, the second or the last of their rows."""
    set_rows(canvas, [["Visitor", "Visits", "Fee"]], (72, 180, 360), 760, right=False)
    y = 742.0
    for label, rows in FEES:
        if apart == "lines":
            canvas.line(72, y + 11, 400, y + 11)
        for row in rows:
            set_rows(canvas, [[label if row is rows[where] else "", *row]], (72, 180, 360), y, right=False)
            y -= 14
        y -= 10 if apart == "gaps" else 0


@pytest.mark.parametrize("where", [0, 1, -1])
@pytest.mark.parametrize("apart", ["lines", "gaps"])
def test_a_label_is_that_of_the_rows_that_stand_together_beside_it(
    tmp_path: Path, where: int, apart: str
) -> None:
    ((table, found),) = tables(read(tmp_path, canvas_pdf(lambda canvas: draw_fees(canvas, where, apart))))
    assert table.heads == (("Visitor",), ("Visits",), ("Fee",))
    assert found[1:] == FEE_ROWS


def test_labels_of_rows_that_nothing_parts_are_said_of_their_own_alone(tmp_path: Path) -> None:
    ((_, found),) = tables(read(tmp_path, canvas_pdf(lambda canvas: draw_fees(canvas, -1, ""))))
    assert found[1:] == [[label * (row == rows[-1]), *row] for label, rows in FEES for row in rows]


def test_a_row_of_several_cells_that_lacks_its_label_is_a_row(tmp_path: Path) -> None:
    rows = [["Stall", "Length", "Due"], ["", "up to three metres of front", "in advance"]]
    rows += [["Food", "over three metres of front", "each month"], ["", "over nine metres", "each year"]]
    rows += [["Crafts", "of any length", "in advance"]]
    document = read(tmp_path, canvas_pdf(lambda c: set_rows(c, rows, (72, 180, 360), 770, right=False)))
    ((_, found),) = tables(document)
    assert found == rows
