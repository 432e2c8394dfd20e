"""The statements of a report are found where they stand, and not where they are only named."""

from __future__ import annotations

import re
import time
from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.domains.finance.sections import KINDS, PRIMARY, Role, kinds_between, read_title, roles
from rag.types import Block, BlockKind, Document, Page, Table

INCOME = """CONSOLIDATED STATEMENTS OF INCOME

(In millions, except per share data) 2022 2021
Net sales $ 14,189 $ 14,082
Cost of sales 9,683 9,019
Gross profit 4,506 5,063
Operating income 1,438 2,112
Interest expense (292) (300)
Income before income taxes 1,797 2,426
Provision for income taxes (411) (491)
Net income $ 1,386 $ 1,935
Diluted earnings per share $ 1.54 $ 1.28
"""
BALANCE_TOP = """CONSOLIDATED BALANCE SHEETS

(In millions) 2022 2021
Cash and cash equivalents $ 1,671 $ 2,148
Trade accounts receivable, net 1,721 2,004
Inventories 2,904 2,481
Total current assets 7,453 7,659
Property, plant and equipment, net 15,371 15,804
Goodwill 2,394 2,421
Total assets $ 29,499 $ 30,154
"""
BALANCE_BOTTOM = """Accounts payable 1,804 1,612
Accrued liabilities 3,147 3,139
Total current liabilities 5,175 4,806
Long-term debt 6,687 6,989
Total liabilities 17,223 17,609
Retained earnings 16,778 16,389
Treasury stock (20,532) (20,263)
Total shareholders' equity 12,276 12,545
Total liabilities and shareholders' equity $ 29,499 $ 30,154
"""
CASH = """CONSOLIDATED STATEMENTS OF CASH FLOWS

(In millions) 2022 2021
Net income $ 1,386 $ 1,935
Depreciation 1,329 1,352
Amortization of purchased intangibles 123 129
Net cash provided by operating activities 2,615 3,412
Capital expenditures (1,604) (1,637)
Net cash used in investing activities (1,355) (1,419)
Repayments of debt (87) (144)
Net cash used in financing activities (1,649) (2,452)
Cash and cash equivalents at end of year $ 1,671 $ 2,148
"""
NOTE = "See accompanying notes.\n"
CONTENTS = """Index to Consolidated Financial Statements

Consolidated Balance Sheets 57
Consolidated Statements of Income 58
Consolidated Statements of Cash Flows 61
Notes to Consolidated Financial Statements 62
"""
OPINION = (
    """Report of Independent Registered Public Accounting Firm

To the shareholders

"""
    + "We have audited the accompanying consolidated balance sheets and the related statements of\n" * 4
    + "Consolidated Statements of Income\nare presented fairly in all material respects.\n"
)
CHINESE = """合并资产负债表

2022年12月31日
单位：元
项目 期末余额 期初余额
货币资金 58,274,000.00 49,032,000.00
应收账款 20,937,000.00 33,197,000.00
存货 2,824,000.00 2,869,000.00
流动资产合计 216,611,000.00 220,766,000.00
资产总计 254,365,000.00 255,168,000.00
应付账款 2,408,000.00 2,009,000.00
流动负债合计 49,066,000.00 57,914,000.00
负债合计 49,400,000.00 58,211,000.00
未分配利润 161,302,000.00 160,716,000.00
所有者权益合计 204,965,000.00 196,957,000.00
"""


FIGURES = re.compile(r".*(?: [$()\d,.—%-]+){2}")


def document(*pages: str, headings: tuple[str, ...] = (), kind: str = "pdf") -> Document:
    """A document of these pages; lines that equal one of `headings` are marked as headings, and those that
    end in two figures are rows of tables."""
    text = "\n".join(pages)
    ranges, blocks, at = [], [], 0
    for number, page in enumerate(pages, 1):
        ranges.append(Page(number, at, at + len(page)))
        at += len(page) + 1
    at = 0
    for figures, lines in groupby(text.split("\n"), key=lambda line: FIGURES.fullmatch(line) is not None):
        rows = list(lines)
        table = Table(at, at + len("\n".join(rows))) if figures else None
        for line in rows:
            title = BlockKind.HEADING if line in headings else BlockKind.PARAGRAPH
            blocks.append(Block(BlockKind.TABLE_ROW if table else title, at, at + len(line), table=table))
            at += len(line) + 1
    paged = tuple(ranges) if kind == "pdf" else ()
    return Document("a.pdf", "/a.pdf", "A", text, kind, "en", "0", paged, tuple(blocks))


def found(doc: Document) -> dict[str, str]:
    return {role.kind: doc.text[role.start : role.end] for role in roles(doc)}


def pages_of(doc: Document, kind: str) -> list[tuple[int | None, int | None]]:
    return [(doc.page_of(role.start), doc.page_of(role.end - 1)) for role in roles(doc) if role.kind == kind]


def test_the_three_statements_stand_on_their_pages_and_nowhere_else() -> None:
    doc = document(
        CONTENTS, OPINION, INCOME + NOTE, BALANCE_TOP + BALANCE_BOTTOM + NOTE, CASH, "Notes to Consolidated\n"
    )
    assert pages_of(doc, "income") == [(3, 3)]
    assert pages_of(doc, "balance") == [(4, 4)]
    assert pages_of(doc, "cash flow") == [(5, 5)]
    assert found(doc)["balance"].startswith("CONSOLIDATED BALANCE SHEETS")
    assert "Total liabilities and shareholders' equity" in found(doc)["balance"]


def test_two_statements_on_one_page_have_each_their_range() -> None:
    doc = document(INCOME + BALANCE_TOP + BALANCE_BOTTOM)
    assert "Total assets" not in found(doc)["income"]
    assert "Net sales" not in found(doc)["balance"]


def test_a_document_without_pages_is_served_alike() -> None:
    prose = (
        "The company grew in all of its regions during the year, and costs grew less than revenue did. " * 5
    )
    doc = document(INCOME, prose, BALANCE_TOP + BALANCE_BOTTOM, prose, kind="html")
    assert prose.strip() not in found(doc)["income"]
    assert set(found(doc)) == {"income", "balance"}


@pytest.mark.parametrize(
    "page",
    [
        CONTENTS,
        OPINION,
        "Consolidated Statements of Income\n"
        + "Revenue rose because customers bought more of everything.\n" * 12,
        INCOME.replace(
            "CONSOLIDATED STATEMENTS OF INCOME", "Results are in our Consolidated Statements of Income"
        ),
        INCOME.replace("CONSOLIDATED STATEMENTS OF INCOME", "Price List"),
        "CONSOLIDATED BALANCE SHEETS\n" + INCOME.split("\n", 1)[1],
    ],
    ids=["contents", "opinion", "prose", "sentence", "no title", "wrong rows"],
)
def test_what_only_names_a_statement_is_none(page: str) -> None:
    assert not set(found(document(page))) & set(PRIMARY)


def test_a_statement_runs_on_over_the_page_only_until_it_is_complete() -> None:
    doc = document(
        BALANCE_TOP, BALANCE_BOTTOM, "Net sales 5 4\nCosts 3 2\nTaxes 2 1\nStores 1 1\nStaff 9 8\n"
    )
    assert pages_of(doc, "balance") == [(1, 2)]


def test_a_continued_statement_counts_with_fewer_rows() -> None:
    second = "CONSOLIDATED BALANCE SHEETS (continued)\n" + BALANCE_BOTTOM
    doc = document(BALANCE_TOP, second)
    assert {page for span in pages_of(doc, "balance") for page in span} == {1, 2}
    short = "CONSOLIDATED BALANCE SHEETS {}\nLong-term debt 6 7\nOther 5 4\nTotal liabilities 17 18\n"
    assert "balance" in found(document(short.format("(continued)")))
    assert "balance" not in found(document(short.format("")))


@pytest.mark.parametrize(
    "above", ["PARENT COMPANY", "Schedule I", "Condensed Consolidating Information", "Pro Forma"]
)
def test_statements_of_the_parent_alone_are_another_kind(above: str) -> None:
    kinds = set(found(document(above + "\n" + INCOME)))
    assert "schedule" in kinds
    assert "income" not in kinds


def test_statements_far_behind_the_own_ones_are_another_kind() -> None:
    filler = "A sentence of a note that says something and ends like a sentence does. \n" * 900
    doc = document(INCOME, BALANCE_TOP + BALANCE_BOTTOM, CASH, filler, INCOME)
    assert pages_of(doc, "income") == [(1, 1)]
    assert pages_of(doc, "schedule") == [(5, 5)]


def test_chinese_statements_are_found_and_those_of_the_parent_told_apart() -> None:
    assert set(found(document(CHINESE))) == {"balance"}
    assert set(found(document(CHINESE.replace("合并", "母公司")))) == {"schedule"}
    assert set(found(document(CHINESE.replace("合并资产负债表", "资产负债表附注说明")))) == set()


@pytest.mark.parametrize(
    ("title", "kinds"),
    [
        ("Consolidated statements of income (unaudited)", ("income",)),
        ("CONDENSED CONSOLIDATED STATEMENT OF EARNINGS", ("income",)),
        ("Consolidated Statements of Operations and Comprehensive Loss", ("income", "comprehensive income")),
        ("Acme Corp. and Subsidiaries Consolidated Balance Sheets (continued)", ("balance",)),
        ("Consolidated Balance Sheets Acme Corporation and Subsidiary Companies", ("balance",)),
        ("Statement of Financial Position", ("balance",)),
        ("STATEMENT OF CONSOLIDATED CASH FLOWS", ("cash flow",)),
        ("Consolidated Statements of Shareholders’ Equity", ("equity",)),
        ("Condensed Consolidated Statements of Changes in Stockholders' Equity", ("equity",)),
        ("Consolidated Statements of Comprehensive Income", ("comprehensive income",)),
        ("Parent Company Condensed Statements of Income", ("schedule",)),
        ("合并利润表（续）", ("income",)),
        ("2022年度合并现金流量表", ("cash flow",)),
        ("Note 7 - Income Taxes", ("tax note",)),
        ("12. Leases", ("lease note",)),
        ("NOTE 17 — OPERATING SEGMENTS AND RELATED INFORMATION", ("segments",)),
        ("Item 3. Legal Proceedings", ("legal proceedings",)),
        ("Item 5.07 Submission of Matters to a Vote of Security Holders.", ("shareholder vote",)),
    ],
)
def test_a_title_opens_its_kinds(title: str, kinds: tuple[str, ...]) -> None:
    opened = read_title(title)
    assert opened is not None
    assert opened.kinds == kinds


@pytest.mark.parametrize(
    "line",
    [
        "in our Consolidated Statements of Income. Any portion",
        "Off-Balance Sheet Arrangements",
        "Consolidated Balance Sheets analysis",
        "Note 5 for further information on debt",
        "See Note 12, Leases.",
        "7 stores were opened in the year",
        "",
        "资产负债表日后非调整事项的说明文字",
    ],
)
def test_other_lines_open_nothing(line: str) -> None:
    assert read_title(line, heading=False) is None


def test_the_name_of_a_note_may_stand_below_its_number() -> None:
    body = "Words of the note that go on for a while and say what there is to say about it.\n"
    assert set(found(document(f"NOTE 20\nINCOME TAXES\n{body}"))) == {"tax note"}


def test_notes_and_items_end_where_the_next_begins() -> None:
    body = "Words of the note that go on for a while and say what there is to say about it.\n" * 6
    doc = document(
        f"Note 1 - Leases\n{body}Note 2 - Debt\n{body}",
        f"Item 9A. Controls and Procedures\n{body}Signatures\n{body}",
    )
    texts = found(doc)
    assert set(texts) == {"lease note", "debt note", "controls"}
    assert "Debt" not in texts["lease note"]
    assert "Controls" not in texts["debt note"]
    assert "Signatures" not in texts["controls"]


def test_headings_open_sections_and_the_same_words_in_prose_do_not() -> None:
    body = "Adjusted figures leave out what does not recur, as the table that follows shows in detail.\n" * 6
    title = "Reconciliation of Non-GAAP Measures"
    assert set(found(document(f"{title}\n{body}", headings=(title,)))) == {"reconciliation"}
    assert found(document(f"{title}\n{body}")) == {}


def test_the_cover_page_is_found() -> None:
    cover = (
        "FORM 10-K\nCommission file number 1-2\nSecurities registered pursuant to Section 12(b) of the Act:\n"
    )
    assert pages_of(document(cover, CONTENTS), "cover") == [(1, 1)]


def test_kinds_between_are_those_that_overlap_primary_first() -> None:
    ranges = (Role("tax note", 0, 50), Role("income", 40, 60))
    assert kinds_between(ranges, 45, 46) == ("income", "tax note")
    assert kinds_between(ranges, 50, 70) == ("income",)
    assert kinds_between(ranges, 60, 70) == ()


PIECES = st.sampled_from(
    [
        INCOME,
        CASH,
        BALANCE_TOP,
        BALANCE_BOTTOM,
        CONTENTS,
        OPINION,
        CHINESE,
        "Note 3 Debt\n",
        "Item 2. Properties\n",
    ]
)


@given(st.lists(PIECES | st.text(max_size=80), max_size=12))
def test_ranges_lie_in_the_text_in_order(pieces: list[str]) -> None:
    doc = document(*pieces)
    ranges = roles(doc)
    assert list(ranges) == sorted(ranges, key=lambda role: (role.start, role.end, role.kind))
    for role in ranges:
        assert role.kind in KINDS
        assert 0 <= role.start < role.end <= len(doc.text)


def test_three_hundred_pages_take_a_fraction_of_a_second() -> None:
    page = "Words of a page that say something about the year and its many figures, such as 12 or 5.\n" * 40
    doc = document(*([page] * 290), INCOME, BALANCE_TOP + BALANCE_BOTTOM, CASH)
    begun = time.perf_counter()
    assert {"income", "balance", "cash flow"} <= {role.kind for role in roles(doc)}
    assert time.perf_counter() - begun < 2  # measured: 170 ms; the limit leaves room for a busy machine
