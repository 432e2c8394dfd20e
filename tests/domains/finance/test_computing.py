"""Figures are computed exactly, shown with formula and working, and missing ones are named."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal as D
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.domains.finance.figures.asked import FigureRequest, FiscalTerm, Operation
from rag.domains.finance.figures.computing import compute
from rag.domains.finance.figures.expressions import CONTEXT, parse, shifted, terms
from rag.domains.finance.figures.expressions import FormulaTerm as T
from rag.domains.finance.figures.formulas import book, metric
from rag.domains.finance.figures.understanding import read_figure
from rag.domains.finance.printing import (
    Formatter,
    NotComputed,
    Rounding,
    common_scale,
    plain,
    read_rounding,
    rounded,
)
from rag.questions.expects import read_wording
from rag.types import Calculation, Figure

# (concept, offset) -> millions of dollars
SHEET: dict[tuple[str, int], float] = {
    ("revenue", 0): 23601, ("revenue", -1): 16434, ("revenue", -2): 9763, ("gross profit", 0): 10603,
    ("gross profit", -1): 7929, ("cash", 0): 4835, ("short-term investments", 0): 1020,
    ("receivables", 0): 4126,
    ("inventory", 0): 3771, ("inventory", -1): 1955, ("current assets", 0): 15019,
    ("current liabilities", 0): 6369,
    ("cost of sales", 0): -12998, ("payables", 0): 2493, ("payables", -1): 1321, ("net income", 0): 1320,
    ("net income", -1): 3162, ("capex", 0): -450, ("operating cash flow", 0): 3565, ("total debt", 0): 0,
    ("long-term debt", 0): 2467, ("equity", 0): 54750, ("income tax", 0): -122, ("pretax income", 0): 1184,
}  # fmt: skip


def table(sheet: dict[tuple[str, int], float] | None = None) -> Callable[[str, int], Figure | None]:
    cells = SHEET if sheet is None else sheet
    places = {key: n * 10 for n, key in enumerate(cells)}

    def lookup(concept: str, offset: int) -> Figure | None:
        value = cells.get((concept, offset))
        if value is None:
            return None
        start = places[concept, offset]
        return Figure(
            concept, D(str(value)) * 10**6, "USD", printed=str(value), citation=1, start=start, end=start + 5
        )

    return lookup


def answered(question: str, sheet: dict[tuple[str, int], float] | None = None) -> Calculation:
    wanted = read_figure(read_wording(question))
    assert wanted is not None
    found = compute(wanted, table(sheet))
    assert isinstance(found, Calculation), found
    return found


@pytest.mark.parametrize(
    ("question", "printed"),
    [
        ("What was revenue in FY2022?", "USD 23,601 million"),
        ("What was revenue in FY2022, in USD billions?", "USD 23.60 billion"),
        ("What was revenue in FY2022 in thousands?", "USD 23,601,000 thousand"),
        ("What was the gross margin in FY2022?", "44.9%"),
        ("What was the gross margin in FY2022? Round to two decimal places.", "44.93%"),
        ("What was the quick ratio at the end of FY2022?", "1.57"),
        ("What was FY2022 days payable outstanding? Round to two decimals.", "46.99 days"),
        ("What was free cash flow in FY2022?", "USD 3,115 million"),
        ("What is capex as a % of revenue in FY2022?", "1.9%"),
        ("By how much did revenue grow in FY2022?", "43.6%"),
        ("What was revenue growth from FY2021 to FY2022?", "43.6%"),
        ("What was the change in revenue between FY2021 and FY2022?", "USD 7,167 million"),
        ("What was the change in gross margin between FY2021 and FY2022?", "-3.3 percentage points"),
        ("What is the revenue CAGR from FY2020 to FY2022?", "55.5%"),
        ("What was the average revenue over FY2020 to FY2022?", "USD 16,599.33 million"),
        ("What was cumulative revenue from FY2020 to FY2022?", "USD 49,798 million"),
        ("What was the average annual growth of revenue from FY2020 to FY2022?", "56.0%"),
        ("In which year from FY2020 to FY2022 was revenue highest?", "USD 23,601 million"),
        ("What is the effective tax rate for FY2022?", "-10.3%"),
        ("2022年的毛利率是多少？", "44.93%"),
        ("2022年营业收入是多少亿元？", "236.01亿美元"),
        ("2022年流动比率是多少？保留三位小数", "2.358"),
    ],
)
def test_a_question_gets_its_figure(question: str, printed: str) -> None:
    assert answered(question).result.printed == printed


def test_a_computed_figure_has_formula_working_and_cells() -> None:
    found = answered("What was the quick ratio at the end of FY2022?")
    assert found.formula == "(cash + short-term investments + receivables) / current liabilities"
    assert found.working == "(4,835 + 1,020 + 4,126) / 6,369 = 1.57"
    assert [f.label for f in found.inputs] == [
        "cash",
        "short-term investments",
        "receivables",
        "current liabilities",
    ]
    assert all(f.citation == 1 and f.end > f.start for f in found.inputs)


def test_a_figure_that_is_only_read_has_no_formula() -> None:
    found = answered("What was revenue in FY2022?")
    assert (found.formula, found.working) == ("", "")
    assert found.inputs[0].value == found.result.value == D(23_601_000_000)


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("Did the gross margin improve in FY2022?",
         "No: gross margin fell by 3.3 percentage points, from 48.2% (FY2021) to 44.9% (FY2022), "
         "a deterioration"),
        ("Did revenue increase in FY2022?", "Yes: revenue rose by USD 7,167 million (43.6%), from "
         "USD 16,434 million (FY2021) to USD 23,601 million (FY2022)"),
        ("Did net income fall in FY2022?", "Yes: net income fell by USD 1,842 million (58.3%), "
         "from USD 3,162 million (FY2021) to USD 1,320 million (FY2022)"),
        ("2022年毛利率是否提高？", "否：毛利率由2021年的48.25%变为2022年的44.93%，下降3.32个百分点"),
        ("Does the company have positive working capital at the end of "
         "FY2022?", "Yes: working capital is positive (USD 8,650 million)"),
        ("Is the quick ratio healthy in FY2022?", "Yes: quick ratio is 1.57, at or above the "
         "customary bound of 1.00"),
        ("Was the quick ratio above 2 in FY2022?", "No: quick ratio is 1.57, below 2"),
        ("2022年速动比率是否低于2？", "是：速动比率为1.77，低于2"),
        ("In which year from FY2020 to FY2022 was revenue lowest?", "lowest in FY2020: USD 9,763 million"),
    ],
)  # fmt: skip
def test_a_conclusion_is_said_first(question: str, said: str) -> None:
    assert answered(question).notes[0] == said


def test_a_figure_that_is_missing_is_named_with_its_period() -> None:
    wanted = read_figure(read_wording("What was the fixed asset turnover in FY2022?"))
    assert wanted is not None
    found = compute(wanted, table())
    assert found == NotComputed((("net ppe", 0),))


def test_the_alternative_that_lacks_least_is_what_is_missing() -> None:
    wanted = read_figure(read_wording("What was EBITDA in FY2022?"))
    assert wanted is not None
    found = compute(wanted, table({("operating income", 0): 5}))
    assert found == NotComputed((("depreciation", 0),))


def test_a_line_that_is_not_printed_is_made_of_others() -> None:
    sheet = {key: v for key, v in SHEET.items() if key[0] != "gross profit"}
    found = answered("What was the gross margin in FY2022?", sheet)
    assert found.result.printed == "44.9%"
    assert found.formula == "(revenue - cost of sales) / revenue"


def test_without_an_opening_balance_the_closing_one_serves_and_that_is_said() -> None:
    found = answered("What was the return on equity in FY2022?")
    assert found.result.printed == "2.4%"
    assert any("closing balance is used" in note for note in found.notes)


def test_one_row_that_two_names_fit_is_counted_once() -> None:
    cell = Figure("Debt", D(100), "USD", citation=3, start=7, end=10)

    def lookup(concept: str, offset: int) -> Figure | None:
        return (
            cell
            if concept in ("short-term debt", "current maturities of debt")
            else (
                Figure("L", D(900), "USD", citation=3, start=20, end=23)
                if concept == "long-term debt"
                else None
            )
        )

    wanted = read_figure(read_wording("What was total debt at the end of FY2022?"))
    assert wanted is not None
    found = compute(wanted, lookup)
    assert isinstance(found, Calculation) and found.result.value == 1000


def test_division_by_nought_is_said_and_no_figure_given() -> None:
    wanted = read_figure(read_wording("What was the gross margin in FY2022?"))
    assert wanted is not None
    found = compute(wanted, table({("gross profit", 0): 5, ("revenue", 0): 0}))
    assert isinstance(found, NotComputed) and "divides by nought" in found.reason


def test_growth_over_a_loss_goes_by_its_size() -> None:
    sheet = {("net income", -1): -4.0, ("net income", 0): 2.0}
    assert answered("By how much did net income grow in FY2022?", sheet).result.printed == "150.0%"


def test_a_compound_rate_from_a_loss_is_refused() -> None:
    wanted = read_figure(read_wording("What is the net income CAGR from FY2020 to FY2022?"))
    assert wanted is not None
    found = compute(wanted, table({("net income", -2): -4.0, ("net income", 0): 2.0}))
    assert isinstance(found, NotComputed) and found.reason


NUMBERS = st.integers(1, 10**12)


@given(NUMBERS, NUMBERS, NUMBERS)
def test_ratios_are_exact_to_many_digits(a: int, b: int, c: int) -> None:
    sheet = {
        ("gross profit", 0): Figure("g", D(a), "USD"),
        ("revenue", 0): Figure("r", D(b), "USD"),
        ("cash", 0): Figure("c", D(c), "USD"),
    }
    wanted = FigureRequest(book().formulas["gross margin"], (FiscalTerm(2022),), Rounding())
    found = compute(wanted, lambda concept, offset: sheet.get((concept, offset)))
    assert isinstance(found, Calculation)
    exact = Fraction(a, b) * 100
    assert abs(Fraction(found.result.value) - exact) <= exact / 10**30


@given(st.lists(NUMBERS, min_size=2, max_size=8))
def test_a_compound_rate_leads_from_the_first_to_the_last(values: list[int]) -> None:
    n = len(values)
    wanted = FigureRequest(
        metric("l:revenue"), (FiscalTerm(2022 - n + 1), FiscalTerm(2022)), Rounding(), Operation.CAGR, 2
    )
    found = compute(wanted, lambda _c, offset: Figure("revenue", D(values[n - 1 + offset]), "USD"))
    assert isinstance(found, Calculation)
    back = values[0] * (1 + found.result.value / 100) ** (n - 1)
    assert abs(back - values[-1]) <= D(max(values)) * D("1e-24")


# --- Expressions


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os')",
        "a.b",
        "a[0]",
        "a if b else c",
        "lambda: 1",
        "a ** 2",
        "'x'",
        "f(a)",
        "avg(a, b)",
        "(",
        "a b",
        "True",
    ],
)
def test_nothing_but_arithmetic_is_an_expression(text: str) -> None:
    with pytest.raises((ValueError, SyntaxError)):
        parse(text, {"a": T("a"), "b": T("b"), "c": T("c")})


@given(st.integers(-5, 5), st.integers(-5, 5))
def test_shifting_adds_up(a: int, b: int) -> None:
    node = parse("first(avg(x), y) / change(z)", {n: T(n) for n in "xyz"})
    assert shifted(shifted(node, a), b) == shifted(node, a + b)
    assert {t.offset for t in terms(shifted(node, a))} == {a, a - 1}


# --- Rounding


@pytest.mark.parametrize(
    ("question", "rounding"),
    [
        ("Round your answer to two decimal places.", Rounding(2)),
        ("Round to the nearest tenth.", Rounding(1)),
        ("Answer in USD millions.", Rounding(None, "million", "USD")),
        ("What is it (in USD billions)? Round to 1 decimal place.", Rounding(1, "billion", "USD")),
        ("Answer in units of percents and round to one decimal place.", Rounding(1, "%")),
        ("in thousands of dollars", Rounding(None, "thousand", "USD")),
        ("to the nearest million", Rounding(0, "million")),
        ("What was the percentage change? Give 3 decimals.", Rounding(3, "%")),
        ("请保留两位小数", Rounding(2)),
        ("单位：万元", Rounding(None, "万", "")),
        ("是多少亿元？保留一位小数", Rounding(1, "亿", "")),
        ("以百分比表示，保留2位小数", Rounding(2, "%")),
        ("精确到分", Rounding(2)),
        ("What was revenue in FY2022?", Rounding()),
        ("What percentage of revenue was it in the last two years?", Rounding()),
    ],
)
def test_how_a_figure_is_to_be_written_is_read(question: str, rounding: Rounding) -> None:
    found = read_rounding(question)
    assert (found.places, found.unit) == (rounding.places, rounding.unit)
    assert not rounding.currency or found.currency == rounding.currency


@given(st.decimals(D(-(10**12)), D(10**12), allow_nan=False, places=6), st.integers(0, 5))
def test_halves_are_rounded_away_from_nought(value: D, places: int) -> None:
    step = Fraction(1, 10**places)
    exact = Fraction(value)
    units = abs(exact) / step
    expected = (units.numerator * 2 + units.denominator) // (2 * units.denominator)
    assert abs(Fraction(rounded(value, places))) == expected * step
    assert not str(rounded(value, places)).startswith("-0") or rounded(value, places) != 0


@pytest.mark.parametrize(
    ("value", "places", "text"),
    [("2.675", 2, "2.68"), ("-2.5", 0, "-3"), ("-0.04", 1, "0.0"), ("1234567.5", None, "1,234,567.5")],
)
def test_numbers_are_printed_as_analysts_do(value: str, places: int | None, text: str) -> None:
    assert plain(D(value), places) == text


def test_the_scale_of_the_inputs_is_kept_where_none_is_asked_for() -> None:
    assert common_scale([D(1_577_000_000), D(303_000_000)]) == "million"
    assert common_scale([D(1_577_300_000)]) == "million"
    assert common_scale([D(1_577_302_000)]) == "thousand"
    assert common_scale([D("1577302123.45")]) == ""
    assert common_scale([]) == ""


def test_values_are_shown_in_their_language() -> None:
    zh = Formatter(Rounding(2, "亿"), "zh", "CNY")
    assert zh.text(D(12_345_678_900), "money") == "123.46亿元"
    assert zh.text(D("1.234"), "points") == "1.23个百分点"
    assert Formatter(Rounding(), "en").text(D("0.456"), "%") == "0.46%"
    assert Formatter(Rounding(), "en").text(CONTEXT.divide(D(1), D(3)), "times") == "0.33"
