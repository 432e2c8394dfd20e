"""Which figure a question wants is read from it; a question that wants none is left alone."""

from __future__ import annotations

import time
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.domains.finance.figures.asked import FigureRequest, FiscalTerm, Operation
from rag.domains.finance.figures.understanding import read_figure
from rag.questions.expects import read_wording
from tests.asked_questions import FIGURES, NOT_FIGURES


def term(written: str) -> FiscalTerm:
    """Of "FY2022", "Q1 2023" and "2022-12-31"."""
    if written.count("-") == 2:
        return FiscalTerm(int(written[:4]), ended=written)
    return FiscalTerm(int(written[-4:]), written[:-4].strip())


@pytest.mark.parametrize(("question", "key", "periods", "aim"), FIGURES)
def test_a_question_for_a_figure_is_understood(
    question: str, key: str, periods: tuple[str, ...], aim: str
) -> None:
    wanted = read_figure(read_wording(question))
    assert wanted is not None
    assert (wanted.formula.key, (*map(str, wanted.periods),), wanted.operation.value) == (key, periods, aim)


@pytest.mark.parametrize("question", NOT_FIGURES)
def test_a_question_for_something_else_is_left_alone(question: str) -> None:
    assert read_figure(read_wording(question)) is None


def test_both_kinds_of_question_are_many_and_none_stands_twice() -> None:
    asked = [q for q, *_ in FIGURES] + list(NOT_FIGURES)
    assert len(FIGURES) > 150 and len(NOT_FIGURES) > 100
    assert len(set(asked)) == len(asked)


def test_a_word_before_a_line_makes_another_row_of_it() -> None:
    for row in ("subscription revenue", "cloud revenue", "hardware sales"):
        wanted = read_figure(read_wording(f"What was the {row} in FY2022?"))
        assert wanted is not None and wanted.formula.key == f"={row}"


def test_a_definition_over_other_lines_than_the_books_is_no_question_for_the_books_figure() -> None:
    own = "What is the FY2022 quick ratio? It is defined as: (cash + liquid things ++) / total liabilities."
    assert read_figure(read_wording(own)) is None
    asked = "What is Acme's FY2022 return on assets? ROA is defined as: net income / (average total {})."
    wanted = read_figure(read_wording(asked.format("assets between FY2021 and FY2022")))
    assert wanted is not None and wanted.formula.key == "return on assets"
    assert read_figure(read_wording(asked.format("equity between FY2021 and FY2022"))) is None


@pytest.mark.parametrize(
    ("question", "rising", "better"),
    [
        ("Did revenue increase in FY2022?", 1, 0),
        ("Did revenue decline in FY2022?", -1, 0),
        ("Is the operating margin improving as of FY2022?", 0, 1),
        ("Has the debt-to-equity ratio deteriorated in FY2022?", 0, -1),
        ("2022年毛利率下降了吗？", -1, 0),
        ("2022年资产负债率是否改善？", 0, 1),
    ],
)
def test_what_a_question_of_yes_or_no_supposes_is_read(question: str, rising: int, better: int) -> None:
    wanted = read_figure(read_wording(question))
    assert wanted is not None
    assert (wanted.operation, wanted.rising, wanted.better) == (Operation.TREND, rising, better)


def test_a_bound_in_the_question_is_read() -> None:
    above = read_figure(read_wording("Was the current ratio above 1.5 at the end of 2022?"))
    below = read_figure(read_wording("2022年资产负债率是否低于60%？"))
    assert above is not None and (above.limit, above.rising) == (Decimal("1.5"), 1)
    assert below is not None and (below.limit, below.rising) == (Decimal(60), -1)


@pytest.mark.parametrize(
    ("periods", "aim", "span", "offsets"),
    [
        (("FY2022",), Operation.VALUE, 1, (0,)),
        (("FY2022",), Operation.GROWTH, 2, (-1, 0)),
        (("FY2018", "FY2022"), Operation.CAGR, 2, (-4, 0)),
        (("FY2020", "FY2021", "FY2022"), Operation.AVERAGE, 1, (-2, -1, 0)),
        ((), Operation.AVERAGE, 3, (-2, -1, 0)),
        (("Q2 2022", "Q2 2023"), Operation.TREND, 2, (-1, 0)),
        (("FY2023", "Q2 2024"), Operation.DIFFERENCE, 2, (-1, 0)),
    ],
)
def test_offsets_are_the_periods_an_aim_goes_over(
    periods: tuple[str, ...], aim: Operation, span: int, offsets: tuple[int, ...]
) -> None:
    wanted = read_figure(read_wording("What was revenue in FY2022?"))
    assert wanted is not None
    shaped = FigureRequest(wanted.formula, tuple(map(term, periods)), wanted.rounding, aim, span)
    assert shaped.offsets() == offsets


def test_periods_of_two_kinds_are_counted_as_they_come() -> None:
    wanted = read_figure(
        read_wording("Was there any drop in cash & cash equivalents between FY2023 and Q2 of FY2024?")
    )
    assert wanted is not None
    assert [str(wanted.period(o)) for o in wanted.offsets()] == ["FY2023", "Q2 2024"]


@pytest.mark.parametrize(
    ("period", "by", "sequential", "other"),
    [
        ("FY2022", -1, False, "FY2021"),
        ("Q1 2023", -1, False, "Q1 2022"),
        ("Q1 2023", -1, True, "Q4 2022"),
        ("H2 2023", -1, True, "H1 2023"),
        ("2024-02-29", -1, False, "2023-02-28"),
        ("2022-12-31", -2, False, "2020-12-31"),
    ],
)
def test_periods_move_by_years_or_one_by_one(period: str, by: int, sequential: bool, other: str) -> None:
    assert term(period).moved(by, sequential) == term(other)


@given(st.integers(1990, 2040), st.integers(-9, 9), st.sampled_from(["FY{}", "Q3 {}", "H1 {}", "{}-06-30"]))
def test_steps_lead_back_to_where_they_came_from(year: int, by: int, pattern: str) -> None:
    period = term(pattern.format(year))
    assert period.steps_to(period.moved(by)) == by


def test_chinese_answers_name_periods_in_chinese() -> None:
    assert [term(p).in_words("zh") for p in ("FY2021", "Q3 2022", "H1 2023")] == [
        "2021年",
        "2022年第三季度",
        "2023年上半年",
    ]


@given(st.text(max_size=300))
@settings(max_examples=100)
def test_no_text_breaks_the_reading(text: str) -> None:
    read_figure(read_wording(text))


@given(st.sampled_from(FIGURES), st.data())
@settings(max_examples=100)
def test_no_torn_question_breaks_the_reading(
    row: tuple[str, str, tuple[str, ...], str], data: st.DataObject
) -> None:
    cut = data.draw(st.integers(0, len(row[0])))
    read_figure(read_wording(row[0][cut:] + " " + row[0][:cut]))


def test_long_questions_are_read_in_linear_time() -> None:
    read_figure(read_wording("What was revenue in FY2022?"))
    start = time.perf_counter()
    read_figure(
        read_wording("What was the revenue (in FY2022) / of the company, less cost of sales plus " * 400)
    )
    read_figure(read_wording("2022年营业收入占总资产的比例与净利润之比" * 400))
    assert time.perf_counter() - start < 3
