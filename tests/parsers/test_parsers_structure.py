"""What each parser makes of structure: headings, tables with heads, lists, titles, metadata, encodings."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from rag.parsers import parse
from rag.parsers.pdf_rows import read_row
from rag.parsers.plain import heading_level
from rag.types import Block, BlockKind, Document, MarkKind
from rag.types.tables import heads_text
from tests.files import docx_bytes, pdf_bytes, write, xlsx_bytes


def read(folder: Path, name: str, content: bytes | str) -> Document:
    return parse(write(folder, name, content), path=name)


def quote(document: Document, block: Block) -> str:
    return document.text[block.start : block.end]


def rows(document: Document) -> list[tuple[str, str]]:
    """(text, column heads) of each table row."""
    return [
        (quote(document, b), heads_text(b.heads)) for b in document.blocks if b.kind is BlockKind.TABLE_ROW
    ]


def headings(document: Document) -> list[tuple[int, str]]:
    return [(b.level, quote(document, b)) for b in document.blocks if b.kind is BlockKind.HEADING]


def block_with(document: Document, text: str) -> Block:
    return next(b for b in document.blocks if text in quote(document, b))


# Encodings

CHINESE = "第一条 为了规范合同，保护当事人的合法权益，制定本法。"
TRADITIONAL = "本報告所載資料僅供參考，並不構成任何投資建議。"
GERMAN = "Änderungen der Verträge müssen schriftlich erfolgen; größere Übersichten folgen."
FRENCH = "Le prêt a été accordé à l’emprunteur; les intérêts sont dus à échéance, café compris."


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (CHINESE, "utf-8"),
        (CHINESE, "utf-8-sig"),
        (CHINESE, "gb18030"),
        (CHINESE, "utf-16"),
        (CHINESE, "utf-16-le"),
        (CHINESE, "utf-16-be"),
        (CHINESE, "utf-32"),
        (TRADITIONAL, "big5"),
        (TRADITIONAL, "gb18030"),
        (TRADITIONAL, "utf-16-be"),
        (GERMAN, "cp1252"),
        (FRENCH, "cp1252"),
        ("甲方", "gb18030"),
        ("合约", "gb18030"),
        ("合約條款", "big5"),
        ("Fee: 5 元, 费用 per day", "gb18030"),
        ("plain ASCII words", "utf-16-le"),
    ],
)
def test_encodings_are_found(tmp_path: Path, text: str, encoding: str) -> None:
    assert read(tmp_path, "a.txt", text.encode(encoding)).text == text


@pytest.mark.parametrize("encoding", ["gb18030", "big5", "utf-8", "utf-16"])
@pytest.mark.parametrize("name", ["a.csv", "a.md", "a.html"])
def test_encodings_are_found_in_marked_up_files_too(tmp_path: Path, name: str, encoding: str) -> None:
    source = "名稱,地址\n甲公司,台北市\n" if name == "a.csv" else "# 名稱\n\n甲公司位於台北市。\n"
    document = read(tmp_path, name, source.encode(encoding))
    assert "台北市" in document.text
    assert document.language == "zh"


def test_the_charset_that_html_declares_is_used(tmp_path: Path) -> None:
    source = '<meta charset="gb2312"><title>表</title><p>合</p>'.encode("gb18030")
    assert read(tmp_path, "a.html", source).text == "合"


def test_a_gb18030_file_cut_in_a_character_is_still_read(tmp_path: Path) -> None:
    assert read(tmp_path, "a.txt", (CHINESE * 20).encode("gb18030")[:-1]).text.startswith(CHINESE)


# Headings by wording


@pytest.mark.parametrize(
    "line",
    [
        "第三章 违约责任",
        "第十二条",
        "第二节 财务报告",
        "第一编 总则",
        "附件一 价格表",
        "一、公司概况",
        "PART II",
        "Item 7. Management’s Discussion and Analysis",
        "ITEM 1A. RISK FACTORS",
        "Article 5",
        "Note 7 — Income Taxes",
        "SECTION 2. TERM",
        "Schedule A",
        "1. Definitions",
        "4.2 Payment Terms",
        "CONSOLIDATED BALANCE SHEETS",
    ],
)
def test_headings_are_known_by_their_wording(line: str) -> None:
    assert heading_level(line) > 0


@pytest.mark.parametrize(
    "line",
    [
        "第十二条 当事人应当遵循公平原则确定各方的权利和义务。",
        "第三条所称的合同",
        "Item 7 of this report describes the risks.",
        "Item 7. Risk Factors 33",
        "Article 5, as amended, applies.",
        "1. The fee is due on the first day of each month.",
        "Section 12 of the Act requires notice",
        "USD",
        "(1,234)",
        "the company and its subsidiaries",
        "Note 7 to the financial statements",
        "12 March 2024",
        "2019 2018 2017",
        "",
    ],
)
def test_sentences_references_and_contents_lines_are_no_headings(line: str) -> None:
    assert heading_level(line) == 0


def test_levels_nest_chapter_section_article(tmp_path: Path) -> None:
    lines = (
        "某某法|第一章 总则|第一节 范围|第一条|为了规范，制定本法。|第二章 分则|第二条 适用本法，依照规定。"
    )
    text = "\n\n".join(lines.split("|"))
    document = read(tmp_path, "a.txt", text)
    assert document.title == "某某法"
    assert block_with(document, "为了规范").heading_path == ("第一章 总则", "第一节 范围", "第一条")
    assert block_with(document, "第二条 适用").heading_path == ("第二章 分则",)
    assert block_with(document, "第二条 适用").kind is BlockKind.PARAGRAPH


def test_a_line_right_above_who_and_when_is_the_title(tmp_path: Path) -> None:
    text = "设备采购合同\n甲方：岚海实业有限公司\n乙方：青禾机械有限公司\n\n第一条 定义\n\n设备是指包装机。"
    assert read(tmp_path, "a.txt", text).title == "设备采购合同"
    assert read(tmp_path, "b.txt", "甲方：岚海\n乙方：青禾\n\n第一条 定义\n\n无。").title != "甲方：岚海"


def test_each_article_of_a_statute_is_a_block_of_its_own(tmp_path: Path) -> None:
    text = "第一条 甲方应当付款。\n第二条 乙方应当交货。\n第三条 其他。"
    document = read(tmp_path, "a.txt", text)
    assert [quote(document, b)[:3] for b in document.blocks] == ["第一条", "第二条", "第三条"]


# Markdown and HTML


def test_markdown_front_matter_lists_code_and_setext(tmp_path: Path) -> None:
    front = "---\ntitle: Lease\nauthor: A. Author\ndate: 2024-05-01\n---\n"
    body = "Lease\n=====\n\nTerms\n-----\n\n- one\n  more\n  - two\n\n```sql\n# no heading\n```\n"
    source = front + body
    document = read(tmp_path, "a.md", source)
    assert document.title == "Lease"
    assert document.metadata == {"author": "A. Author", "date": "2024-05-01"}
    assert [(str(b.kind), b.level, quote(document, b), b.heading_path) for b in document.blocks] == [
        ("heading", 1, "Lease", ()),
        ("heading", 2, "Terms", ()),
        ("list_item", 0, "- one\nmore", ("Terms",)),
        ("list_item", 1, "- two", ("Terms",)),
        ("code", 0, "# no heading", ("Terms",)),
    ]


def markdown(tmp_path: Path, source: str) -> list[tuple[str, int, str]]:
    document = read(tmp_path, "a.md", source)
    return [(str(b.kind), b.level, quote(document, b)) for b in document.blocks]


def test_markdown_inside_quotes_is_read_as_lists_and_tables(tmp_path: Path) -> None:
    source = "> said\n> so\n>\n> - one\n>   - two\n>\n> | a | b |\n> |---|---|\n> | 1 | 2 |\n"
    assert markdown(tmp_path, source) == [
        ("paragraph", 0, "said\nso"),
        ("list_item", 0, "- one"),
        ("list_item", 1, "- two"),
        ("table_row", 0, "a | b"),
        ("table_row", 0, "1 | 2"),
    ]


def test_markdown_table_keeps_escaped_bars_and_cells_beyond_its_columns(tmp_path: Path) -> None:
    source = "| a | b |\n|---|---|\n| x\\|y | 2 | 3 |\n(in thousands)\n"
    assert markdown(tmp_path, source) == [
        ("table_row", 0, "a | b"),
        ("table_row", 0, "x|y | 2 | 3"),
        ("paragraph", 0, "(in thousands)"),
    ]


def test_markdown_html_blocks_are_read_as_html_and_comments_are_not(tmp_path: Path) -> None:
    table = "<table><tr><th>Drug<th>Dose</tr>\n\n<tr><td>A<td>5 mg</tr></table>"
    source = f"<!-- INFO\n\nEND -->\n{table}\n\n<Name of tenant>\n\na <b>bold</b> word <!-- gone -->\n"
    assert markdown(tmp_path, source) == [
        ("table_row", 0, "Drug | Dose"),
        ("table_row", 0, "A | 5 mg"),
        ("paragraph", 0, "<Name of tenant>"),
        ("paragraph", 0, "a <b>bold</b> word"),
    ]


def test_markdown_loses_no_text_to_its_syntax(tmp_path: Path) -> None:
    lines = (
        "# The *first* [act](u)",
        "[1]: http://x.y",
        "    第一条 甲方应当付款。",
        "2019.",
        "**5*3*2** `x`",
    )
    assert markdown(tmp_path, "\n\n".join(lines)) == [
        ("heading", 1, "The first act"),
        ("paragraph", 0, "[1]: http://x.y"),
        ("paragraph", 0, "第一条 甲方应当付款。"),
        ("list_item", 0, "2019."),
        ("paragraph", 0, "**5*3*2** `x`"),
    ]


def test_html_leaves_out_what_no_reader_sees(tmp_path: Path) -> None:
    source = (
        "<html><head><title>Policy</title><style>p{}</style><meta name=author content='B. Author'></head>"
        "<body><nav>Menu</nav>"
        "<script>var hidden = 1</script><div style='display: none'>secret</div>"
        "<p hidden>also</p><!-- note --><p>Shown&nbsp;<b>te</b>xt.</p></body></html>"
    )
    document = read(tmp_path, "a.html", source)
    assert (document.text, document.title, document.metadata) == (
        "Shown text.",
        "Policy",
        {"author": "B. Author"},
    )


def test_html_table_with_two_head_rows_and_signs_in_their_own_cells(tmp_path: Path) -> None:
    source = (
        "<table><tr><td></td><td colspan=4>Years ended June 30,</td></tr>"
        "<tr><td></td><td colspan=2>2023</td><td colspan=2>2022</td></tr>"
        "<tr><td>Revenue</td><td>$</td><td>1,234</td><td>$</td><td>(56</td><td>)</td></tr></table>"
    )
    head = "| Years ended June 30, 2023 | Years ended June 30, 2022"
    assert rows(read(tmp_path, "a.html", source)) == [(head, head), ("Revenue | $1,234 | $(56)", head)]


def test_html_cell_that_spans_rows_stands_in_each(tmp_path: Path) -> None:
    head = "<tr><th>Drug<th>Age<th>Dose</tr>"
    source = f"<table>{head}<tr><td rowspan=2>A<td>adult<td>5 mg</tr><tr><td>child<td>2 mg</tr></table>"
    assert [text for text, _ in rows(read(tmp_path, "a.html", source))] == [
        "Drug | Age | Dose",
        "A | adult | 5 mg",
        "A | child | 2 mg",
    ]


def test_html_layout_table_is_read_as_prose(tmp_path: Path) -> None:
    source = (
        "<table><tr><td><h2>Title</h2><p>One.</p></td></tr><tr><td><ul><li>item</li></ul></td></tr></table>"
    )
    document = read(tmp_path, "a.html", source)
    assert [str(b.kind) for b in document.blocks] == ["heading", "paragraph", "list_item"]


# DOCX


def test_docx_order_headings_lists_tables_and_properties(tmp_path: Path) -> None:
    table = [["Item", "Price"], ["Service", "120"], ["Travel", "30"]]
    content = [
        ("Title", "Agreement"),
        ("Heading 1", "Fees"),
        ("Normal", "See below."),
        ("table", table),
        ("Heading 2", "Terms"),
        ("List Bullet", "Pay"),
    ]
    document = read(tmp_path, "a.docx", docx_bytes(content, author="C. Author"))
    assert document.title == "Agreement"
    assert document.metadata["author"] == "C. Author"
    assert [str(b.kind) for b in document.blocks] == [
        "heading",
        "heading",
        "paragraph",
        *["table_row"] * 3,
        "heading",
        "list_item",
    ]
    assert rows(document)[1] == ("Service | 120", "Item | Price")
    assert block_with(document, "Pay").heading_path == ("Fees", "Terms")


def test_docx_merged_cells_are_not_repeated_in_a_row(tmp_path: Path) -> None:
    import io

    import docx

    word = docx.Document()
    table = word.add_table(rows=3, cols=3)
    for row, cells in zip(
        table.rows, [["Drug", "Dose", ""], ["A", "5 mg", "daily"], ["", "7 mg", "weekly"]], strict=True
    ):
        for cell, text in zip(row.cells, cells, strict=True):
            cell.text = text
    table.cell(0, 1).merge(table.cell(0, 2))
    table.cell(1, 0).merge(table.cell(2, 0))
    target = io.BytesIO()
    word.save(target)
    found = rows(read(tmp_path, "a.docx", target.getvalue()))
    assert [text for text, _ in found] == ["Drug | Dose | Dose", "A | 5 mg | daily", "A | 7 mg | weekly"]


def test_docx_keeps_insertions_and_drops_deletions(tmp_path: Path) -> None:
    import io

    import docx
    from docx.oxml import parse_xml

    word = docx.Document()
    space = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    paragraph = word.add_paragraph("The fee is ")
    paragraph._p.append(parse_xml(f"<w:del {space}><w:r><w:delText>10</w:delText></w:r></w:del>"))
    paragraph._p.append(parse_xml(f"<w:ins {space}><w:r><w:t>20 euros.</w:t></w:r></w:ins>"))
    target = io.BytesIO()
    word.save(target)
    document = read(tmp_path, "a.docx", target.getvalue())
    assert document.text == "The fee is 20 euros.\n\nThe fee is 10"
    deleted = next(mark for mark in document.marks if mark.kind is MarkKind.DELETED)
    assert document.text[deleted.start : deleted.end] == "The fee is 10"


# Sheets


def test_xlsx_values_are_shown_as_a_reader_sees_them(tmp_path: Path) -> None:
    day, moment = datetime.datetime(2024, 3, 1), datetime.datetime(2024, 3, 1, 9, 30)
    data = xlsx_bytes(
        {
            "Loans 2024": [
                ["Name", "Rate", "Amount", "Day"],
                ["A", 0.0525, 1200000.0, day],
                ["B", 1.5, True, moment],
            ]
        },
        formats={"B2": "0.00%", "C2": "#,##0"},
    )
    document = read(tmp_path, "a.xlsx", data)
    assert [text for text, _ in rows(document)][1:] == [
        "A | 5.25% | 1,200,000 | 2024-03-01",
        "B | 1.5 | TRUE | 2024-03-01 09:30:00",
    ]
    assert document.blocks[-1].location == "'Loans 2024'!A3:D3"
    assert headings(document) == [(1, "Loans 2024")]


def test_xlsx_title_line_blank_rows_and_a_second_table(tmp_path: Path) -> None:
    sheet = [
        ["Budget"],
        [],
        [None, "Item", "2024"],
        [None, "Rent", 5],
        [],
        [None, "Staff", 7],
        [],
        [None, "Person", "City"],
        [None, "Li", "Wuhan"],
    ]
    document = read(tmp_path, "a.xlsx", xlsx_bytes({"S": sheet}))
    assert rows(document) == [
        ("Item | 2024", "Item | 2024"),
        ("Rent | 5", "Item | 2024"),
        ("Staff | 7", "Item | 2024"),
        ("Person | City", "Person | City"),
        ("Li | Wuhan", "Person | City"),
    ]
    assert block_with(document, "Rent").location == "S!B4:C4"
    assert block_with(document, "Budget").kind is BlockKind.PARAGRAPH


def test_xlsx_without_cells_is_empty(tmp_path: Path) -> None:
    from rag.errors import ParseError

    with pytest.raises(ParseError) as caught:
        read(tmp_path, "a.xlsx", xlsx_bytes({"Blank": []}))
    assert caught.value.status == "empty"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_csv_delimiter_is_found(tmp_path: Path, delimiter: str) -> None:
    source = "\n".join(delimiter.join(row) for row in [["Name", "Fee"], ["A", "1.5"], ["B", "2.5"]])
    assert rows(read(tmp_path, "a.csv", source)) == [
        ("Name | Fee", "Name | Fee"),
        ("A | 1.5", "Name | Fee"),
        ("B | 2.5", "Name | Fee"),
    ]


def test_csv_without_a_head_row_has_no_header(tmp_path: Path) -> None:
    assert rows(read(tmp_path, "a.csv", "A,1.5\nB,2.5\n")) == [("A | 1.5", ""), ("B | 2.5", "")]


# PDF


@pytest.mark.parametrize(
    ("line", "label", "values"),
    [
        ("Net sales $ 265,595 $ 229,234", "Net sales", ("265,595", "229,234")),
        ("Loss on extinguishment of debt — 40 12", "Loss on extinguishment of debt", ("—", "40", "12")),
        ("Other expense, net (Note 18) (26) 71 146", "Other expense, net (Note 18)", ("(26)", "71", "146")),
        ("Gross margin 37.8 % 38.2 %", "Gross margin", ("37.8", "38.2")),
        ("Balance, December 31, 2018 1,234 56", "Balance, December 31, 2018", ("1,234", "56")),
        ("Diluted $1.95 $2.40", "Diluted", ("$1.95", "$2.40")),
        ("营业收入 1,234,567.89 (2,345.00)", "营业收入", ("1,234,567.89", "(2,345.00)")),
        ("the years ended December 31, 2019 and 2018", "the years ended December 31, 2019 and", ("2018",)),
    ],
)
def test_a_row_of_figures_is_read_from_its_end(line: str, label: str, values: tuple[str, ...]) -> None:
    row = read_row(line)
    assert (row.label, row.values) == (label, values)


PERIODS = "September 28, 2019 | September 29, 2018 | September 30, 2017"
STATEMENT = [
    "* CONSOLIDATED STATEMENTS OF OPERATIONS",
    "(In millions, except per share data)",
    "\t\tYears ended\t",
    "\tSeptember 28, 2019\tSeptember 29, 2018\tSeptember 30, 2017",
    "Net sales:",
    "Products\t$ 213,883\t$ 225,847\t$ 196,534",
    "Services\t46,291\t39,748\t32,700",
    "Total net sales\t260,174\t265,595\t229,234",
    "Other income/(expense), net\t1,807\t(2,005)\t—",
    "Net income\t$ 55,256\t$ 59,531\t$ 48,351",
    "See accompanying notes to the consolidated financial statements of the company.",
]


def test_pdf_statement_rows_keep_their_periods_and_units(tmp_path: Path) -> None:
    document = read(tmp_path, "a.pdf", pdf_bytes([STATEMENT], title="Report of ACME", size=9))
    header = f"(In millions, except per share data) Years ended | {PERIODS}"
    found = dict(rows(document))
    assert found["Total net sales 260,174 265,595 229,234"] == header
    assert found["Net sales:"] == header
    assert block_with(document, "Net income").heading_path == ("CONSOLIDATED STATEMENTS OF OPERATIONS",)
    assert block_with(document, "See accompanying").kind is BlockKind.PARAGRAPH


def test_pdf_table_head_that_spans_some_columns_is_put_to_each(tmp_path: Path) -> None:
    lines = [
        "($ million)\t\t",
        "\tThree months\t\tTwelve months\t",
        "\t2022\t2023\t2022\t2023",
        "Net sales\t3,909\t3,673\t14,544\t14,694",
        "Cost of sales\t(3,115)\t(2,951)\t(11,724)\t(11,969)",
        "Gross profit\t794\t722\t2,820\t2,725",
    ]
    document = read(tmp_path, "a.pdf", pdf_bytes([lines], size=9))
    header = "($ million) | Three months 2022 | Three months 2023 | Twelve months 2022 | Twelve months 2023"
    assert dict(rows(document))["Gross profit 794 722 2,820 2,725"] == header


def test_pdf_table_that_goes_on_overleaf_keeps_its_head(tmp_path: Path) -> None:
    first = STATEMENT[:8]
    second = ["Costs\t100\t200\t300", "Tax\t1,000\t2,000\t3,000", "Profit\t5,000\t6,000\t7,000"]
    document = read(tmp_path, "a.pdf", pdf_bytes([first, second], size=9))
    assert dict(rows(document))["Tax 1,000 2,000 3,000"].endswith(
        "| September 28, 2019 | September 29, 2018 | September 30, 2017"
    )


def test_chinese_pdf_table_keeps_its_unit_and_years(tmp_path: Path) -> None:
    lines = [
        "# 合并利润表",
        "单位：万元",
        "项目\t2023年度\t2022年度",
        "营业收入\t1,234.56\t1,100.00",
        "营业成本\t800.10\t750.20",
        "净利润\t120.00\t(30.50)",
    ]
    document = read(tmp_path, "a.pdf", pdf_bytes([lines]))
    header = dict(rows(document))["净利润 120.00 (30.50)"]
    assert "单位：万元" in header
    assert header.endswith("| 2023年度 | 2022年度")
    assert document.language == "zh"


def test_the_sentence_before_a_table_is_prose_and_gives_its_unit(tmp_path: Path) -> None:
    lines = [
        "一、财务情况",
        "",
        "主要财务数据如下（单位：万元）：",
        "项目\t2023年\t2022年",
        "流动资产\t12,345.67\t11,000.00",
        "资产总计\t99,999.00\t88,888.00",
    ]
    document = read(tmp_path, "a.pdf", pdf_bytes([lines], title="某某公司年度报告"))
    assert block_with(document, "如下").kind is BlockKind.PARAGRAPH
    assert headings(document) == [(3, "一、财务情况")]
    assert "单位：万元" in dict(rows(document))["资产总计 99,999.00 88,888.00"]


def test_pdf_prose_with_numbers_is_no_table(tmp_path: Path) -> None:
    lines = [
        "Net sales for the year were $14.2 billion, an increase of $107 million when compared to 2021,",
        "driven by growth of 15% in the segment and by higher prices, which added sales of $674 million,",
        "while currency movements took away $616 million and the remaining businesses lost 4% of $1,200",
        "in the fourth quarter.",
    ]
    document = read(tmp_path, "a.pdf", pdf_bytes([lines]))
    assert [str(b.kind) for b in document.blocks] == ["paragraph"]


def test_pdf_lines_become_paragraphs_and_keep_their_breaks(tmp_path: Path) -> None:
    lines = [
        "The borrower shall repay the loan on the date that is agreed in",
        "writing.",
        "",
        "The lender may ask for a guarantee.",
    ]
    document = read(tmp_path, "a.pdf", pdf_bytes([lines]))
    assert [quote(document, b) for b in document.blocks] == ["\n".join(lines[:2]), lines[3]]


def test_pdf_headings_by_type_and_wording_and_title_by_size(tmp_path: Path) -> None:
    page = [
        "# Loan Agreement",
        "",
        "* ARTICLE 1 DEFINITIONS",
        "",
        "In this agreement the words have the meaning given below and no other.",
        "They are used throughout.",
        "",
        "* Interest",
        "",
        "Interest is due each quarter and is computed on the days that have passed.",
    ]
    document = read(tmp_path, "a.pdf", pdf_bytes([page]))
    assert document.title == "Loan Agreement"
    assert [text for _, text in headings(document)] == ["Loan Agreement", "ARTICLE 1 DEFINITIONS", "Interest"]
    assert block_with(document, "computed on").heading_path == ("ARTICLE 1 DEFINITIONS", "Interest")


def test_pdf_outline_gives_levels(tmp_path: Path) -> None:
    pages = [
        ["Overview", "", "Words that belong to the overview of this text."],
        ["Risks", "", "Words about risks that may come."],
    ]
    outline = [("Overview", 1, 0), ("Risks", 2, 1)]
    document = read(tmp_path, "a.pdf", pdf_bytes(pages, title="Report of ACME", outline=outline))
    assert headings(document) == [(1, "Overview"), (2, "Risks")]
    assert block_with(document, "may come").heading_path == ("Overview", "Risks")


def test_running_heads_are_kept_and_are_no_headings(tmp_path: Path) -> None:
    pages = [
        ["* ACME CORPORATION REPORT", "", f"Sentence number {n} stands on this page.", "", str(n)]
        for n in range(1, 7)
    ]
    document = read(tmp_path, "a.pdf", pdf_bytes(pages))
    assert headings(document) == []
    assert document.text.count("ACME CORPORATION REPORT") == 6


def test_pdf_metadata_title_unless_it_is_a_file_name(tmp_path: Path) -> None:
    lines = [["# Annual Report", "", "Words of the report that are long enough."]]
    good = read(tmp_path, "a.pdf", pdf_bytes(lines, title="Report of ACME 2023", author="D. Author"))
    assert (good.title, good.metadata["author"]) == ("Report of ACME 2023", "D. Author")
    assert (
        read(tmp_path, "b.pdf", pdf_bytes(lines, title="Microsoft Word - final_v3.docx")).title
        == "Annual Report"
    )


def test_the_cover_of_a_filing_names_company_form_and_period(tmp_path: Path) -> None:
    cover = [
        "UNITED STATES",
        "SECURITIES AND EXCHANGE COMMISSION",
        "FORM 10-K",
        "For the fiscal year ended December 31, 2023",
        "* ACME INDUSTRIES, INC.",
        "(Exact name of registrant as specified in its charter)",
    ]
    document = read(tmp_path, "a.pdf", pdf_bytes([cover], title="10K Doc & Exhibits"))
    assert document.title == "ACME INDUSTRIES, INC., Form 10-K, fiscal year ended December 31, 2023"
    assert document.metadata["company"] == "ACME INDUSTRIES, INC."


def test_words_that_pdfium_breaks_are_mended() -> None:
    from rag.parsers.pdf_lines import TextLine, mend

    lines = [
        TextLine("The ef ective rate of interest, a long\ufffeterm one"),
        TextLine("see infor\ufffemation of ice"),
        TextLine("Information"),
    ]
    mend(lines)
    assert [line.text for line in lines[:2]] == [
        "The effective rate of interest, a long-term one",
        "see information office",
    ]


def test_words_are_left_alone_where_no_ligature_is_broken() -> None:
    from rag.parsers.pdf_lines import TextLine, mend

    line = TextLine("a block of ice, if any, of the chief")
    mend([line])
    assert line.text == "a block of ice, if any, of the chief"


def test_a_term_of_html_leads_into_what_it_means(tmp_path: Path) -> None:
    from rag.documents.lists import leads

    meaning = "A day on which the banks of Ellerby are open for business, other than a Saturday or a holiday."
    second = "<dt>押金</dt><dd>900元。</dd><dd><p>30日内退还。</p></dd>"
    page = f"<dl><dt>Working day</dt><dd>{meaning}</dd>{second}</dl>"
    document = parse(write(tmp_path, "a.html", page.encode()), path="a.html")
    assert [(b.kind, b.level) for b in document.blocks] == [
        (BlockKind.LIST_ITEM, level) for level in (0, 1, 0, 1, 1)
    ]
    found = leads(document.text, document.blocks)
    assert [(one.text, len(one.items)) for one in found] == [("Working day", 1), ("押金", 2)]
