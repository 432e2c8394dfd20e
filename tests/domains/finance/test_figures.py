"""Questions for a figure, answered from the cells of the company's statements."""

from collections.abc import Iterator
from decimal import Decimal
from unittest import mock

import pytest

from rag.assistant import Assistant
from rag.domains.finance.figures import Computed, Uncomputed, find_figures
from rag.index import Index
from rag.types import ClaimState, Filters, Outcome
from tests.fakes import manner
from tests.indexing import new_index, run_here, write_files
from tests.statements_files import FILES


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    root = tmp_path_factory.mktemp("statements")
    folder = write_files(root / "files", FILES)
    with mock.patch("rag.store.ingest.run_in_workers", run_here), new_index(root / "index") as made:
        made.ingest(folder)
        yield made


def computed(question: str, index: Index) -> Computed:
    found = find_figures(index.understand(question), index)
    assert isinstance(found, Computed), found
    return found


@pytest.mark.parametrize(
    ("question", "value"),
    [
        ("What was Marrowby Foods' net income in FY2023?", "105000000"),
        ("What was Marrowby's net income in 2022?", "70000000"),
        ("What were Marrowby's total revenues for FY2023?", "1000000000"),
        ("How much did Marrowby spend on capital expenditures in FY2022?", "41000000"),
        ("What was Marrowby's accounts payable at the end of FY2023?", "90000000"),
        ("What was Marrowby's diluted EPS in FY2023?", "1.05"),
        ("What was the current ratio of Marrowby Foods for FY2023?", "1.25"),
        ("What was Marrowby's effective tax rate in FY2023?", "25"),
        ("澄原示例2024年的净利润是多少？", "60000000"),
        ("澄原示例2023年的营业收入是多少？", "400000000"),
        ("澄原示例2024年末的资产负债率是多少？", "33.33"),
    ],
)
def test_figure_is_the_cell_s_value_in_single_units(question: str, value: str, index: Index) -> None:
    (calculation,) = computed(question, index).calculations
    assert round(calculation.result.value, 2) == Decimal(value)


def test_what_is_nought_is_denied_to_who_asks_whether_there_was_any(index: Index) -> None:
    (text, _), *_ = computed("Was Marrowby's goodwill impaired in FY2023?", index).sentences
    assert text.startswith("No: Impairment") and text.endswith(": USD 0.")
    (text, _), *_ = computed("What was Marrowby's goodwill impairment in FY2023?", index).sentences
    assert text.startswith("Impairment")


def test_every_input_is_cited_by_its_row_and_by_its_own_characters(index: Index) -> None:
    found = computed("What was Marrowby's return on assets for FY2023?", index)
    evidence = {e.number: e for e in found.evidence}
    (calculation,) = found.calculations
    assert calculation.inputs
    for figure in calculation.inputs:
        assert figure.citation is not None
        row = evidence[figure.citation]
        assert row.start <= figure.start < figure.end <= row.end
        text = index.store.text(row.document.id, figure.start, figure.end)
        assert text == figure.printed
        assert index.store.text(row.document.id, row.start, row.end) == row.text


def test_rows_are_numbered_in_the_order_in_which_they_are_used(index: Index) -> None:
    found = computed("What was the current ratio of Marrowby Foods for FY2023?", index)
    assert [e.text.split(" | ")[0] for e in found.evidence] == [
        "Total current assets",
        "Total current liabilities",
    ]
    assert [e.number for e in found.evidence] == [1, 2]


def test_change_in_payables_of_the_cash_flow_statement_is_not_the_balance(index: Index) -> None:
    found = computed("What was Marrowby's accounts payable at the end of FY2023?", index)
    assert found.evidence[0].text.startswith("Accounts payable | 90,000")


def test_figure_that_only_the_report_of_the_year_before_prints_is_read_there(index: Index) -> None:
    found = computed("What was Marrowby's current ratio in FY2021?", index)
    assert found.calculations[0].result.value == Decimal("1.2")
    assert {e.document.path for e in found.evidence} == {"marrowby-2022.md"}


def test_figure_of_a_year_that_no_report_prints_is_not_computed(index: Index) -> None:
    found = find_figures(index.understand("What was Marrowby's current ratio in FY2019?"), index)
    assert isinstance(found, Uncomputed)
    assert "current assets" in found.reason and "FY2019" in found.reason


@pytest.mark.parametrize(
    "question",
    [
        "What was Ostrava Mills' current ratio in FY2023?",
        "What was the current ratio of 4K Holdings for FY2023?",
        "What was the net income of Marrowby's Groceries segment in FY2023?",
        "What was the current ratio in FY2023?",
        "Who audits Marrowby Foods?",
        "澄原示例境外地区2024年的营业收入是多少？",
    ],
)
def test_another_company_a_part_of_one_or_no_figure_gets_none(question: str, index: Index) -> None:
    assert find_figures(index.understand(question), index) is None


def test_company_outside_the_filters_gets_none(index: Index) -> None:
    question = "What was the current ratio of Marrowby Foods for FY2023?"
    assert (
        find_figures(index.understand(question), index, filters=Filters(documents=("pellwood-2023.md",)))
        is None
    )


def test_only_company_that_the_filters_leave_is_meant_and_said_to_be(index: Index) -> None:
    only = Filters(documents=("marrowby-*",))
    found = find_figures(index.understand("What was the net income in FY2022?"), index, filters=only)
    assert isinstance(found, Computed)
    assert "only this one" in " ".join(found.calculations[0].notes)
    assert find_figures(index.understand("What was the net income in FY2022?"), index) is None


def test_without_a_period_the_newest_report_s_is_taken_and_said(index: Index) -> None:
    found = computed("What is the current ratio of Marrowby Foods?", index)
    assert found.calculations[0].result.value == Decimal("1.25")
    assert "FY2023" in " ".join(found.calculations[0].notes)


def test_trend_is_concluded_from_two_years(index: Index) -> None:
    found = computed("Did Marrowby Foods' gross margin improve in FY2023?", index)
    conclusion, figure = (text for text, _ in found.sentences)
    assert conclusion.startswith("Yes")
    assert "35.0%" in conclusion and "40.0%" in conclusion
    assert "Marrowby" in figure


def test_sum_of_the_question_s_own_numbers_rests_on_no_document(index: Index) -> None:
    question = "What is the monthly payment on a $300,000 mortgage at 6% for 30 years?"
    answer = Assistant(index).ask(question)
    assert manner(answer) == "computed"
    assert "1,798.65" in answer.text
    assert answer.citations == ()


def test_answer_says_the_figure_and_quotes_its_rows_first(index: Index) -> None:
    answer = Assistant(index).ask("What was the current ratio of Marrowby Foods for FY2023?")
    assert manner(answer) == "computed"
    assert "1.25" in answer.text
    assert answer.citations[0].quote.startswith("Total current assets")
    assert answer.claims[0].state is ClaimState.SUPPORTED and answer.claims[0].citations == (1, 2)
    assert [f.citation for f in answer.working[0].inputs] == [1, 2]
    assert len({c.number for c in answer.citations}) == len(answer.citations)


def test_chinese_answer_speaks_chinese(index: Index) -> None:
    answer = Assistant(index).ask("澄原示例2024年的毛利率是多少？")
    assert manner(answer) == "computed"
    assert "40.00%" in answer.text and "2024年" in answer.text


def test_refusal_says_which_row_was_missing(index: Index) -> None:
    answer = Assistant(index, threshold=1.0).ask("What was Marrowby's current ratio in FY2019?")
    assert answer.verdict is not Outcome.ANSWERED
    assert "current assets (FY2019)" in answer.reason
