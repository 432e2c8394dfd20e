"""Definitions that questions give are read into expressions over lines and periods."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.domains.finance.figures.definitions import read_definitions, read_expression
from rag.domains.finance.figures.expressions import Binary, Call, FormulaTerm, Node, Number
from rag.domains.finance.figures.formulas import book
from rag.languages.text import normalise


def shape(node: Node) -> str:
    match node:
        case Number(value):
            return str(value)
        case FormulaTerm(concept, offset):
            return concept if not offset else f"{concept}[{offset}]"
        case Call(name, args):
            return f"{name}({', '.join(shape(a) for a in args)})"
        case Binary(sign, left, right):
            return f"({shape(left)} {sign} {shape(right)})"


@pytest.mark.parametrize(
    ("question", "key", "expected"),
    [
        ("DPO is defined as: 365 * (average accounts payable between FY2021 and FY2022) / (FY2022 "
         "COGS + change in inventory between FY2021 and FY2022). Round your answer.",
         "f:days payable outstanding", "((365 * mean2(payables)) / (cost of sales + change(inventory)))"),
        ("Fixed asset turnover ratio is defined as: FY2022 revenue / (average PP&E between FY2021 "
         "and FY2022).",
         "f:fixed asset turnover", "(revenue / mean2(net ppe))"),
        ("Define unadjusted EBITDA as unadjusted operating income + depreciation and amortization.",
         "f:ebitda", "(operating income + depreciation)"),
        ("FCF here is defined as: (cash from operations - "
         "capex).", "f:free cash flow", "(operating cash flow - capex)"),
        ("Dividend payout ratio is defined as: total cash dividends paid / net income "
         "attributable to shareholders.",
         "f:dividend payout ratio", "(dividends paid / net income attributable)"),
        ("Inventory turnover is defined as cost of goods sold / ((beginning inventory + ending "
         "inventory) / 2).",
         "f:inventory turnover", "(cost of sales / ((inventory[-1] + inventory) / 2))"),
        ("asset turnover = revenue / average of opening and closing total "
         "assets", "f:asset turnover", "(revenue / mean2(total assets))"),
        ("Net debt is defined as long-term debt plus short-term borrowings less cash and cash equivalents.",
         "f:net debt", "((long-term debt + short-term debt) - cash)"),
        ("Interest coverage is calculated as operating income divided by interest "
         "expense.", "f:interest coverage", "(operating income / interest expense)"),
        ("The working capital ratio is computed as FY2022 current assets divided by FY2021 "
         "current liabilities.",
         "f:current ratio", "(current assets / current liabilities[-1])"),
        ("Asset growth is defined as (FY2022 total assets - FY2021 total assets) / FY2021 total assets.",
         "l:total assets", "((total assets - total assets[-1]) / total assets[-1])"),
        ("流动比率的计算公式为：流动资产/流动负债。",
         "f:current ratio", "(current assets / current liabilities)"),
        ("速动比率=（流动资产-存货）÷流动负债，2022年是多少", "f:quick ratio", "((current assets "
         "- inventory) / current liabilities)"),
        ("应收账款周转率定义为：营业收入除以（期初应收账款加期末应收账款）/2。",
         "f:receivables turnover", "(revenue / ((receivables[-1] + receivables) / 2))"),
        ("存货周转天数的计算公式为：365×平均存货/营业成本。",
         "f:days of inventory", "((365 * mean2(inventory)) / cost of sales)"),
        ("The reserve ratio is defined as pension shortfall / total "
         "assets.", "f:allowance to loans", "(=pension shortfall / total assets)"),
    ],
)  # fmt: skip
def test_a_definition_is_read(question: str, key: str, expected: str) -> None:
    found = read_definitions(normalise(question), book(), 2022)
    assert found is not None
    node = found.of(key)
    assert node is not None and shape(node) == expected


def test_a_definition_may_use_another_of_the_same_question() -> None:
    text = (
        "CCC is defined as: DIO + DSO - DPO. DIO is defined as: 365 * inventory / COGS. DSO is "
        "defined as: 365 * accounts"
        " receivable / revenue. DPO is defined as: 365 * accounts payable / COGS."
    )
    found = read_definitions(normalise(text), book())
    assert found is not None
    node = found.of("f:cash conversion cycle")
    assert node is not None
    assert shape(node) == (
        "((((365 * inventory) / cost of sales) + ((365 * receivables) / revenue)) - ((365 * "
        "payables) / cost of sales))"
    )


@pytest.mark.parametrize(
    "text",
    ["What was revenue in FY2022?", "What is capex as a % of revenue in FY2022?", "2022年毛利率是多少？", ""],
)
def test_a_question_without_a_definition_has_none(text: str) -> None:
    assert read_definitions(normalise(text), book()) is None


@pytest.mark.parametrize(
    "text", ["revenue revenue", "/ revenue", "revenue /", ") revenue (", "revenue ** 2", "365"]
)
def test_what_is_no_expression_is_not_read_as_one(text: str) -> None:
    node = read_expression(text, book())
    assert node is None or node == Number(Decimal(365))


@given(
    st.lists(
        st.sampled_from(
            "( ) + - * / revenue inventory average change in 365 and between fy2021 的 平均".split()
        ),
        max_size=14,
    )
)
def test_no_row_of_words_breaks_the_grammar(parts: list[str]) -> None:
    read_expression(" ".join(parts), book(), 2022)
