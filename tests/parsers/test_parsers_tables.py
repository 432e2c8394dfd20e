"""Tables of HTML, Word and Markdown files and of plain text, cell by cell: heads, merged cells, what
stands in cells, titles and units."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.parsers import parse
from rag.types import BlockKind, Document, Table
from tests.files import write
from tests.parsers.test_parsers_words_docx import paragraph, row, run, word

BOLD = "<w:b/>"


def read(folder: Path, name: str, source: str) -> Document:
    return parse(write(folder, name, source), path=name)


def cells(document: Document, table: Table) -> list[list[str]]:
    return [[document.text[c.start : c.end] for c in table.cells(n)] for n in range(len(table.rows))]


def body(document: Document) -> list[list[str]]:
    """The rows of the only table, its heads left out."""
    (table,) = document.tables
    return cells(document, table)[bool(table.heads) :]


def html(folder: Path, *rows: str, before: str = "") -> Document:
    return read(
        folder, "a.html", f"{before}<table>{''.join(f'<tr>{r}</tr>' for r in rows)}</table><p>End.</p>"
    )


def tc(inner: str, properties: str = "") -> str:
    return f"<w:tc><w:tcPr>{properties}</w:tcPr>{inner if inner.startswith('<') else paragraph(inner)}</w:tc>"


def tr(*cells: str, properties: str = "") -> str:
    return f"<w:tr><w:trPr>{properties}</w:trPr>{''.join(cells)}</w:tr>"


# Heads


def test_heads_of_several_rows_are_found_where_the_format_does_not_mark_them(tmp_path: Path) -> None:
    found = html(
        tmp_path,
        "<td rowspan=2>Region<td colspan=2>Members",
        "<td>2023<td>2024",
        "<td>Coast<td>1,200<td>1,310",
    )
    assert found.tables[0].heads == (("Region",), ("Members", "2023"), ("Members", "2024"))
    assert body(found) == [["Coast", "1,200", "1,310"]]


@pytest.mark.parametrize("of", ["html", "docx"])
def test_labels_and_what_is_said_of_them_have_no_heads(tmp_path: Path, of: str) -> None:
    pairs = [["Patient", "Jorun Haldane"], ["Ward", "North"], ["Physician", "Dr Ames"]]
    if of == "html":
        found = html(tmp_path, *("".join(f"<td>{c}" for c in pair) for pair in pairs))
    else:
        found = word(tmp_path, f"<w:tbl>{''.join(row(*pair) for pair in pairs)}</w:tbl>")
    assert found.tables[0].heads == ()
    assert body(found) == pairs


@pytest.mark.parametrize("of", ["html", "docx"])
def test_two_columns_of_words_have_heads_where_the_first_row_is_set_off(tmp_path: Path, of: str) -> None:
    if of == "html":
        found = html(tmp_path, "<td><b>Term</b><td><b>Meaning</b>", "<td>Lot<td>one bale")
    else:
        head = row(run("Term", BOLD), run("Meaning", BOLD))
        found = word(tmp_path, f"<w:tbl>{head}{row('Lot', 'one bale')}</w:tbl>")
    assert found.tables[0].heads == (("Term",), ("Meaning",))


def test_heads_in_the_middle_are_those_of_another_table(tmp_path: Path) -> None:
    found = html(
        tmp_path, "<th>Item<th>2023", "<td>Tea<td>5", "<th>Place<th>Staff", "<td>Orlan<td>9", "<td>Tarn<td>4"
    )
    assert [table.heads for table in found.tables] == [(("Item",), ("2023",)), (("Place",), ("Staff",))]
    assert cells(found, found.tables[1])[1:] == [["Orlan", "9"], ["Tarn", "4"]]


def test_a_row_over_all_columns_is_a_title_above_and_a_line_between(tmp_path: Path) -> None:
    found = html(
        tmp_path,
        "<th colspan=3>Doses of Metrovine (in mg)",
        "<th>Age<th>Start<th>Most",
        "<td colspan=3>Children",
        "<td>2 to 5<td>10<td>40",
    )
    (table,) = found.tables
    assert table.title == "Doses of Metrovine (in mg)"
    assert table.heads == (("Age",), ("Start",), ("Most",))
    assert body(found) == [["Children"], ["2 to 5", "10", "40"]]


def test_a_head_of_a_row_is_a_cell_of_it(tmp_path: Path) -> None:
    found = html(
        tmp_path, "<td><th>2023<th>2024", "<th scope=row>Sales<td>5<td>7", "<th scope=row>Cost<td>3<td>4"
    )
    assert found.tables[0].heads == ((), ("2023",), ("2024",))
    assert body(found) == [["Sales", "5", "7"], ["Cost", "3", "4"]]


def test_rows_of_years_and_units_below_the_heads_are_heads(tmp_path: Path) -> None:
    source = (
        "|  | Years ended June 30, |  |\n|---|---|---|\n| (in millions) | 2024 | 2023 |\n|  | £000 | £000 |\n"
        "| Sales | 5 | 7 |\n| Cost | 3 | 4 |\n"
    )
    found = read(tmp_path, "a.md", source)
    period = "Years ended June 30,"
    assert found.tables[0].heads == (("(in millions)",), (period, "2024", "£000"), (period, "2023", "£000"))
    assert body(found) == [["Sales", "5", "7"], ["Cost", "3", "4"]]


def test_heads_over_equal_groups_of_columns_are_those_of_each(tmp_path: Path) -> None:
    source = (
        "|  | 2024 |  | 2023 |  |\n|---|---|---|---|---|\n|  | Shares | Price | Shares | Price |\n"
        "| Granted | 5 | 7 | 9 | 2 |\n"
    )
    found = read(tmp_path, "a.md", source)
    assert found.tables[0].columns == ("", "2024 Shares", "2024 Price", "2023 Shares", "2023 Price")


# Merged and blank cells


def test_merged_cells_of_word_stand_in_each_row_and_column(tmp_path: Path) -> None:
    found = word(
        tmp_path,
        "<w:tbl>"
        + tr(
            tc("Grade", '<w:vMerge w:val="restart"/>'),
            tc("Price", '<w:gridSpan w:val="2"/>'),
            properties="<w:tblHeader/>",
        )
        + tr(tc("", "<w:vMerge/>"), tc("2025"), tc("2026"), properties="<w:tblHeader/>")
        + tr(tc("Fine", '<w:vMerge w:val="restart"/>'), tc("910"), tc("950"))
        + tr(tc("", "<w:vMerge/>"), tc("on request", '<w:gridSpan w:val="2"/>'))
        + tr(tc("880"), tc("900"), properties='<w:gridBefore w:val="1"/>')
        + tr(tc("Coarse"), tc("700"), properties='<w:gridAfter w:val="1"/>')
        + "</w:tbl>",
    )
    (table,) = found.tables
    assert table.heads == (("Grade",), ("Price", "2025"), ("Price", "2026"))
    assert body(found) == [
        ["Fine", "910", "950"],
        ["Fine", "on request", "on request"],
        ["", "880", "900"],
        ["Coarse", "700"],
    ]
    assert table.spans == ((1, 0, 2, 1), (2, 1, 1, 2))


def test_a_blank_label_means_the_one_above_where_the_table_shows_it(tmp_path: Path) -> None:
    found = html(
        tmp_path,
        "<th>Region<th>Year<th>Sales",
        "<td>North<td>2023<td>5",
        "<td><td>2024<td>7",
        "<td><td>Total<td>12",
        "<td>South<td>2023<td>4",
    )
    assert body(found) == [
        ["North", "2023", "5"], ["North", "2024", "7"], ["", "Total", "12"], ["South", "2023", "4"],
    ]  # fmt: skip


def test_a_blank_label_before_figures_means_the_one_above_where_words_stand_behind(tmp_path: Path) -> None:
    rows = [["Goods", "0", "25", "Clerk"], ["", "25", "90", "Board"], ["Fuel", "0", "10", "Clerk"]]
    rows += [["", "10", "125", "Total"], ["", "125", "140", ""]]
    found = html(tmp_path, "<th>Spend<th>From<th>To<th>By", *("".join(f"<td>{c}" for c in r) for r in rows))
    assert [row[0] for row in body(found)] == ["Goods", "Goods", "Fuel", "", ""]


@pytest.mark.parametrize(
    "rows",
    [
        [["yes", "Tea", "5"], ["", "Rye", "7"], ["yes", "Oats", "4"]],
        [["Revenue", "", "9"], ["", "Products", "5"], ["", "Services", "4"]],
        [["Sales", "5", "7"], ["", "3", "4"]],
    ],
    ids=["a flag", "an indent", "a sum without label"],
)
def test_a_blank_cell_that_means_nothing_stays_blank(tmp_path: Path, rows: list[list[str]]) -> None:
    found = html(tmp_path, "<th>A<th>B<th>C", *("".join(f"<td>{c}" for c in r) for r in rows))
    assert body(found) == rows


# What stands in cells


def test_lists_headings_and_paragraphs_in_cells_of_a_page(tmp_path: Path) -> None:
    found = html(
        tmp_path,
        "<th>Clearance<th>Dose<th>Notes",
        "<td><h3>30 to 59</h3><td><p>200 mg</p><p>twice daily.</p><p>With food</p>"
        "<td><ul><li>check sodium<li>no dose at night</ul>",
        "<td><p>below 30</p><td>100 mg<br>once daily<td><ol><li>stop<li>ask</ol>",
    )
    assert found.tables[0].heads == (("Clearance",), ("Dose",), ("Notes",))
    assert body(found) == [
        ["30 to 59", "200 mg; twice daily. With food", "check sodium; no dose at night"],
        ["below 30", "100 mg once daily", "1. stop; 2. ask"],
    ]


def test_a_small_table_in_a_cell_is_lines_of_the_cell(tmp_path: Path) -> None:
    inner = "<table><tr><td>Surgery<td>EUR 4,000</tr><tr><td>Dental<td>nothing</tr></table>"
    found = html(tmp_path, "<th>Plan<th>Limits", f"<td>Basic<td>Up to:{inner}", "<td>Extra<td>all")
    assert body(found) == [["Basic", "Up to: Surgery EUR 4,000; Dental nothing"], ["Extra", "all"]]


@pytest.mark.parametrize("of", ["html", "docx"])
def test_a_larger_table_in_a_cell_stands_behind_under_the_name_of_its_row(tmp_path: Path, of: str) -> None:
    rows = [["Care", "Limit", "Own part"], ["Surgery", "4,000", "100"], ["Dental", "600", "50"]]
    if of == "html":
        inner = "".join(f"<tr>{''.join(f'<td>{c}' for c in r)}</tr>" for r in rows)
        found = html(
            tmp_path, "<th>Plan<th>Pays", f"<td>Basic<td>See:<table>{inner}</table>", "<td>Extra<td>all"
        )
    else:
        inner = paragraph("See:") + f"<w:tbl>{''.join(row(*r) for r in rows)}</w:tbl>" + paragraph("")
        found = word(
            tmp_path,
            "<w:tbl>" + tr(tc("Plan"), tc("Pays"), properties="<w:tblHeader/>")
            + tr(tc("Basic"), tc(inner)) + tr(tc("Extra"), tc("all")) + "</w:tbl>",
        )  # fmt: skip
    outer, limits = found.tables
    assert cells(found, outer) == [["Plan", "Pays"], ["Basic", "See:"], ["Extra", "all"]]
    assert limits.title == "Basic"
    assert limits.heads == (("Care",), ("Limit",), ("Own part",))
    assert cells(found, limits)[1:] == rows[1:]


def test_paragraphs_and_counted_items_in_cells_of_word(tmp_path: Path) -> None:
    found = word(
        tmp_path,
        f"<w:tbl>{row('Place', 'Hours', 'Rooms', properties='<w:tblHeader/>')}"
        + tr(tc("Orlan"), tc(paragraph("Monday 9 to 5") + paragraph("Tuesday 9 to 7")), tc("4"))
        + tr(tc("Tarn"), tc(paragraph("closed,") + paragraph("as a rule")), tc("2"))
        + "</w:tbl>",
    )
    assert body(found) == [
        ["Orlan", "Monday 9 to 5; Tuesday 9 to 7", "4"],
        ["Tarn", "closed, as a rule", "2"],
    ]


@pytest.mark.parametrize(
    "source",
    [
        "<table><tr><td><h2>Terms</h2><p>One.</p><td><p>Two.</p></tr></table>",
        "<table><tr><td><h2>Terms</h2></tr><tr><td><p>One.</p></tr><tr><td><p>Two.</p></tr></table>",
        "<table role=presentation><tr><td><h2>Terms</h2><td></tr><tr><td>One.<td>Two.</tr></table>",
        f"<table><tr><td><h2>Terms</h2><p>One.</p><p>{'word ' * 300}</p><td></tr><tr><td>b<td>c</table>",
        "<table><tr><td><h2>Terms</h2><td>x</tr><tr><td><table><tr><td>a<td>1</tr><tr><td>b<td>2</tr></table>"
        "<td>One.</tr></table>",
    ],
    ids=["one row", "one column", "said so", "sections", "tables without heads around"],
)
def test_a_table_that_lays_out_a_page_is_read_as_its_blocks(tmp_path: Path, source: str) -> None:
    found = read(tmp_path, "a.html", source)
    assert [found.text[b.start : b.end] for b in found.blocks if b.kind is BlockKind.HEADING] == ["Terms"]
    assert "One." in [found.text[b.start : b.end] for b in found.blocks if b.kind is BlockKind.PARAGRAPH]


def test_a_table_of_word_that_lays_out_a_page_is_read_as_its_blocks(tmp_path: Path) -> None:
    style = '<w:style w:type="paragraph" w:styleId="H1"><w:name w:val="heading 1"/></w:style>'
    title = paragraph("Terms", '<w:pStyle w:val="H1"/>')
    long = tc(title + paragraph("word " * 100) + paragraph("The fee is EUR 9."))
    found = word(
        tmp_path, f"<w:tbl>{tr(long, tc('Aside.'))}{tr(tc('Below.'), tc('Last.'))}</w:tbl>", {"styles": style}
    )
    assert not found.tables
    kinds = [BlockKind.HEADING, *[BlockKind.PARAGRAPH] * 5]
    assert [block.kind for block in found.blocks] == kinds


# Titles and units


@pytest.mark.parametrize(
    ("above", "title", "units"),
    [
        ("<p>Table 3. Members by region</p>", "Table 3. Members by region", ()),
        (
            "<p>The plans pay:</p><p>(in thousands of euros)</p>",
            "The plans pay:",
            ("(in thousands of euros)",),
        ),
        ("<p>Revenue by region, EUR million</p>", "Revenue by region, EUR million", ("EUR million",)),
        ("<p>We pay what is due. It is not much.</p>", "", ()),
        ("<h2>Table 4: Fees</h2>", "Table 4: Fees", ()),
        ("<h2>Fees</h2>", "", ()),
        ("<p>表2 主要数据</p><p>金额单位：万元</p>", "表2 主要数据", ("金额单位：万元",)),
    ],
)
def test_title_and_units_stand_above(tmp_path: Path, above: str, title: str, units: tuple[str, ...]) -> None:
    found = html(tmp_path, "<th>Region<th>Members", "<td>Coast<td>12", before=above)
    assert (found.tables[0].title, found.tables[0].units) == (title, units)


def test_a_caption_is_a_title_and_stays_text(tmp_path: Path) -> None:
    rows = "<caption>Fees (in EUR)</caption><tr><th>A<th>B</tr><tr><td>x<td>1</tr>"
    source = f"<p>Some words:</p><table>{rows}</table>"
    found = read(tmp_path, "a.html", source)
    assert (found.tables[0].title, found.tables[0].units) == ("Fees (in EUR)", ("(in EUR)",))
    assert "Fees (in EUR)" in found.text


def test_a_caption_of_word_is_a_title(tmp_path: Path) -> None:
    caption = paragraph(
        run("Table ") + '<w:fldSimple w:instr="SEQ Table">' + run("2") + "</w:fldSimple>" + run(". Fees.")
    )
    found = word(
        tmp_path, paragraph("Words.") + caption.replace("<w:pPr>", '<w:pPr><w:pStyle w:val="Caption"/>')
        + f"<w:tbl>{row('Item', 'Fee')}{row('Scan', '120')}</w:tbl>",
    )  # fmt: skip
    assert found.tables[0].title == "Table 2. Fees."


# Markdown


def test_a_markdown_table_has_a_title_units_lines_in_cells_and_no_heads_that_are_blank(
    tmp_path: Path,
) -> None:
    source = (
        "**Table 1. Fees**\n\n(in EUR)\n\n| Item | Fee |\n|---|---:|\n| Scan<br>or film | 120 |\n\nMore.\n\n"
        "| | |\n|---|---|\n| Name | Ames |\n| Ward | North |\n"
    )
    found = read(tmp_path, "a.md", source)
    fees, form = found.tables
    assert (fees.title, fees.units) == ("Table 1. Fees", ("(in EUR)",))
    assert cells(found, fees)[1:] == [["Scan; or film", "120"]]
    assert (form.heads, cells(found, form)) == ((), [["Name", "Ames"], ["Ward", "North"]])


# Tables that say otherwise than by their tags that they are some


def test_a_row_that_differs_from_those_below_in_figures_alone_is_no_head(tmp_path: Path) -> None:
    rows = [
        ["Purchase", "Approved by", "Within"],
        ["", "head", "3 days"],
        ["up to 300", "director", "5 days"],
    ]
    rows += [["over 300", "board", "10 days"]]
    document = html(tmp_path, *("".join(f"<td>{cell}</td>" for cell in row) for row in rows))
    assert document.tables[0].heads == (("Purchase",), ("Approved by",), ("Within",))


def test_a_box_beside_a_table_of_word_is_no_title_of_it(tmp_path: Path) -> None:
    box = f"<w:pict><w:txbxContent>{paragraph(run('Rates of last year'))}</w:txbxContent></w:pict>"
    rows = [["Loan", "Term", "Rate"], ["House", "20 years", "3.9 %"], ["Car", "5 years", "6.4 %"]]
    table = "".join(tr(*map(tc, row)) for row in rows)
    intro = paragraph(run("Rates of interest:") + f"<w:r>{box}</w:r>")
    document = word(tmp_path, f"{intro}<w:tbl>{table}</w:tbl>")
    assert document.tables[0].title == "Rates of interest:"
    assert "Rates of last year" in document.text


def test_lines_of_a_word_file_cut_by_tabs_are_a_table_and_other_tabs_are_none(tmp_path: Path) -> None:
    def line(*cells: str, look: str = "") -> str:
        runs = "<w:r><w:tab/></w:r>".join(run(cell, look) if cell else "" for cell in cells)
        return paragraph(runs or run(""))

    prices = [["Probe", "2", "2,960.00"], ["Service, 24 months", "1", "3,200.00"]]
    found = word(
        tmp_path,
        line("Item", "Qty", "Total", look=BOLD)
        + "".join(line(*price) for price in prices)
        + line("Total", "", "6,160.00")
        + paragraph("Prices in euros.")
        + line("Seller:", "Orlan Mills")
        + line("Buyer:", "Tarnby Clinic")
        + line("Place:", "Ellerby")
        + line("(a)", "notice was given;")
        + line("(b)", "the fee was paid; and")
        + line("(c)", "no appeal lies."),
    )
    assert found.tables[0].heads == (("Item",), ("Qty",), ("Total",))
    assert body(found) == [*prices, ["Total", "", "6,160.00"]]
    assert [b.kind for b in found.blocks[-6:]] == [BlockKind.PARAGRAPH] * 6


@pytest.mark.parametrize("by", ["role", "style"])
def test_elements_that_are_a_table_by_role_or_style_are_one(tmp_path: Path, by: str) -> None:
    named = {
        "role": ("role=table", "role=row", "role=columnheader", "role=cell"),
        "style": ("class=t", "class=r", "class=c", "class=c"),
    }
    table, row_of, head, cell = named[by]
    style = "<style>.t{display:table}.r{display:table-row}.c{display:table-cell}</style>"
    rows = [["Class", "Fee", "Due"], ["Adult", "EUR 60", "1 March"], ["Child", "EUR 20", "1 April"]]
    inner = "".join(
        f"<div {row_of}>{''.join(f'<span {cell if n else head}>{c}</span>' for c in row)}</div>"
        for n, row in enumerate(rows)
    )
    found = read(tmp_path, "a.html", f"{style}<p>Fees</p><div {table}>{inner}</div><p>End.</p>")
    assert found.tables[0].heads == (("Class",), ("Fee",), ("Due",))
    assert body(found) == rows[1:]


# Tables drawn in plain text

_BARS = "| Coast | 1,200 | 9 |\n| Hill | 88 | 12 |\n| Old town | 40 | 7 |"


@pytest.mark.parametrize(
    "drawn",
    [
        "Region    Members   Fee\nCoast       1,200     9\nHill           88    12\nOld town       40     7",
        "Region    Members   Fee\n--------  -------  ---\nCoast       1,200     9\nHill           88    12\n"
        "Old town       40     7",
        f"| Region | Members | Fee |\n|---|---|---|\n{_BARS}",
        f"+------+-----+---+\n| Region | Members | Fee |\n+------+-----+---+\n{_BARS}\n+---+---+---+",
        "Region\tMembers\tFee\nCoast\t1,200\t9\nHill\t88\t12\nOld town\t40\t7",
        "    Region\t\tMembers\t\tFee\n    Coast\t\t1,200\t\t9\n    Hill\t\t88\t\t12\n    Old town\t40\t\t7",
    ],
    ids=["blanks", "ruled", "bars", "boxes", "tabs", "tabs as blanks"],
)
def test_a_table_drawn_in_text_is_a_table(tmp_path: Path, drawn: str) -> None:
    source = f"Notes\n\nMembers by region:\n\n{drawn}\n\nAll fees are in euros.\n"
    found = read(tmp_path, "a.txt", source)
    (table,) = found.tables
    assert table.title == "Members by region:"
    assert table.columns == ("Region", "Members", "Fee")
    assert body(found) == [["Coast", "1,200", "9"], ["Hill", "88", "12"], ["Old town", "40", "7"]]
    assert found.text.endswith("\n\nAll fees are in euros.")


def test_wide_signs_and_cells_that_go_on_below_keep_their_columns(tmp_path: Path) -> None:
    source = (
        "项目          金额    说明\n流动资产      120     按月\n应收账款      35      按季，\n"
        "                      到期付\n存货          8       年末\n"
    )
    assert body(read(tmp_path, "a.txt", source)) == [
        ["流动资产", "120", "按月"], ["应收账款", "35", "按季， 到期付"], ["存货", "8", "年末"],
    ]  # fmt: skip


@pytest.mark.parametrize(
    "source",
    [
        "The lender pays.  The borrower\nrepays each  quarter.  A fee\nis due  as agreed in writing.",
        "1.  First of all\n2.  Then this\n3.  At last that",
        "Signed    Ames\nfor the lender",
        "    A first line that is indented\nand goes on here\nand ends.",
        "第一条　　本法适用于合同。\n第二条　　当事人应当守信。\n第三条　　自公布施行。\n"
        "第四条　　废止旧法。",
        "4.1  The fee is due.\n4.2  The lender may ask.\n4.3  Nothing else is.\n4.4  The end of it.",
    ],
    ids=["prose", "items", "a signature", "an indent", "articles", "clauses"],
)
def test_text_with_gaps_is_no_table(tmp_path: Path, source: str) -> None:
    assert not read(tmp_path, "a.txt", source).tables
