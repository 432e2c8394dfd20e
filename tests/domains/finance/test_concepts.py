"""Financial concepts of a question find the statements and the line items that answer it."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.domains.finance.concepts import concepts, sought_items
from rag.domains.finance.sections import KINDS
from rag.languages.text import has_han, normalise, search_tokens

TABLE = concepts()
NAMES = [(name, concept) for concept in TABLE.concepts for name in concept.names]


def wordings(question: str) -> set[str]:
    return {wording for need in sought_items(question) for line in need.lines for wording in line}


def places(question: str) -> set[str]:
    return {kind for need in sought_items(question) for kind in need.roles}


@pytest.mark.parametrize(
    ("question", "statement", "printed"),
    [
        ("What is the quick ratio?", "balance", "total current liabilities"),
        ("Has capex gone up?", "cash flow", "additions to property and equipment"),
        (
            "How large were the capital expenditures?",
            "cash flow",
            "purchases of property, plant and equipment",
        ),
        ("What was DPO in 2021?", "income", "cost of goods sold"),
        ("What was DPO in 2021?", "balance", "trade payables"),
        ("Compute the days payable outstanding.", "balance", "accounts payable"),
        ("What is the effective tax rate?", "tax note", "provision for income taxes"),
        ("Give the working capital", "balance", "total current assets"),
        ("unadjusted EBITDA margin", "cash flow", "depreciation and amortization"),
        ("fixed asset turnover", "balance", "property and equipment, net"),
        ("What's the dividend payout ratio?", "cash flow", "dividends paid"),
        ("retention ratio", "income", "net earnings"),
        ("Is this a capital-intensive business?", "cash flow", "capital expenditures"),
        ("net profit margin", "income", "total revenues"),
        ("free cash flow conversion", "cash flow", "net cash from operating activities"),
        ("interest coverage ratio", "income", "interest expense"),
        ("How much goodwill is there?", "intangibles note", "goodwill"),
        ("What are the revenues by segment?", "segments", "reportable segments"),
        ("Is the firm in legal proceedings?", "legal proceedings", "plaintiffs"),
        ("What is the number of stores?", "properties", "number of stores"),
        ("Did shareholders reject any of the board nominees?", "shareholder vote", "votes against"),
        ("Which debt securities are registered on a stock exchange?", "cover", "title of each class"),
        ("net interest margin", "average balances", "net interest income"),
        ("combined ratio", "income", "losses and loss adjustment expenses"),
        ("2022年的流动比率是多少", "balance", "流动负债合计"),
        ("资产负债率", "balance", "负债合计"),
        ("毛利率为多少", "income", "营业成本"),
        ("经营活动产生的现金流量净额", "cash flow", "经营活动产生的现金流量净额"),
        ("公司的EBITDA是多少", "income", "利润总额"),
    ],
)
def test_a_concept_gives_its_statement_and_what_filings_print(
    question: str, statement: str, printed: str
) -> None:
    assert statement in places(question)
    assert printed in wordings(question)


@pytest.mark.parametrize(
    ("question", "statement"),
    [
        ("from the balance sheet", "balance"),
        ("in the Statement of Financial Position", "balance"),
        ("per the P&L", "income"),
        ("Using the cash flow statement only", "cash flow"),
        ("在资产负债表中", "balance"),
        ("看利润表", "income"),
    ],
)
def test_a_statement_that_is_named_is_a_need_without_lines(question: str, statement: str) -> None:
    (need,) = sought_items(question)
    assert need.roles == (statement,)
    assert need.lines == ()


def test_only_the_longest_name_in_one_place_speaks() -> None:
    assert [need.name for need in sought_items("What is the free cash flow?")] == ["free cash flow"]
    assert [need.name for need in sought_items("off-balance sheet items")] == ["contractual obligations"]
    assert [need.name for need in sought_items("资产负债表")] == ["资产负债表"]


def test_needs_come_in_order_of_occurrence_and_once() -> None:
    asked = sought_items("Goodwill, then inventory turnover, then goodwill, then ROE")
    assert [need.name for need in asked] == ["goodwill", "inventory turnover", "return on equity"]


def test_a_definition_inside_the_question_brings_the_line_items_it_names() -> None:
    question = "Widget yield is defined as: FY2019 revenue / (average PP&E between FY2018 and FY2019)."
    assert {"net sales", "property, plant and equipment, net"} <= wordings(question)
    assert places(question) >= {"income", "balance"}


def test_a_line_item_that_a_ratio_holds_already_is_not_said_again() -> None:
    asked = sought_items("Fixed asset turnover, that is revenue / average PP&E")
    assert [need.name for need in asked] == ["fixed asset turnover"]
    asked = sought_items("Fixed asset turnover, and what is the inventory?")
    assert [need.name for need in asked] == ["fixed asset turnover", "inventory"]


def test_a_question_without_a_concept_needs_nothing() -> None:
    assert sought_items("") == ()
    assert sought_items("Purple elephants dance quietly") == ()
    assert sought_items("紫色的大象安静地跳舞") == ()


@given(st.text(max_size=300) | st.lists(st.sampled_from([n for n, _ in NAMES]), max_size=20).map(" ".join))
def test_any_text_gives_distinct_needs_of_known_kinds_and_always_the_same(question: str) -> None:
    found = sought_items(question)
    assert found == sought_items(question)
    assert len(found) == len(set(found))
    assert all(need.roles and set(need.roles) <= KINDS for need in found)


@pytest.mark.parametrize("chinese", [False, True])
def test_the_shipped_table_is_large_and_no_name_stands_for_two_things(chinese: bool) -> None:
    mine = [concept for concept in TABLE.concepts if concept.chinese == chinese]
    assert len(mine) >= (40 if chinese else 150)
    keys = [normalise(n) if has_han(n) else tuple(search_tokens(n)) for c in mine for n in c.names]
    assert sorted(str(key) for key in set(keys) if keys.count(key) > 1) == []


def test_every_shipped_name_finds_its_concept_when_typed_alone() -> None:
    for name, concept in NAMES:
        assert set(concept.item.roles) <= KINDS, name
        question = f"请问{name}" if concept.chinese else name
        assert concept.item in sought_items(question), name


def test_every_shipped_line_is_found_in_the_wordings_of_no_other_language() -> None:
    for wordings_, _ in TABLE.lines.values():
        assert len({has_han(wording) for wording in wordings_}) == 1
        assert len(wordings_) == len(set(wordings_))


def test_a_long_question_takes_a_few_milliseconds() -> None:
    question = "What is the quick ratio given cash, receivables and current liabilities? 流动比率 " * 4
    sought_items(question)
    best = min(_seconds(question) for _ in range(5))
    assert best < 0.02  # measured: 0.3 ms; the limit leaves room for a busy machine


def _seconds(question: str) -> float:
    begun = time.perf_counter()
    sought_items(question)
    return time.perf_counter() - begun
