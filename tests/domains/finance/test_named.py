"""Figures of lines that a question calls by a table's own words: of any table whose columns have heads."""

from collections.abc import Iterator
from unittest import mock

import pytest

from rag.assistant import Assistant
from rag.domains.finance.figures import Computed, find_figures
from rag.domains.finance.figures.understanding import read_lines
from rag.index import Index
from rag.questions.expects import read_wording
from tests.indexing import new_index, run_here, write_files

REPORT = """# Ostrava Mills Inc.: annual report 2023, extract 1

## Other assets

(in thousands)

| | December 31, 2023 | December 31, 2022 |
|---|---|---|
| Deferred contract costs | 3,307 | 3,006 |
| Deposits | 1,203 | 1,503 |
| Total other assets | 4,510 | 4,509 |

## Fees

| | 2023 | 2022 | 2021 |
|---|---|---|---|
| Audit fees | 900 | 700 | 500 |
| Tax fees | 100 | 300 | 100 |
| Share of tax fees | 10.0% | 30.0% | 16.7% |

## Profit for the year

| | Owners of the parent | Non-controlling interests |
|---|---|---|
| Surplus brought forward | 70 | 30 |

## Loans

| | Note | 2023 | 2022 |
|---|---|---|---|
| Bank loans | 7 | 640 | 800 |

## Reserves

| | Fuel | Spares |
|---|---|---|
| Reserve at December 31, 2021 | 3 | 9 |
| Additions | 1 | 3 |
| Reserve at December 31, 2022 | 4 | 8 |

## Mills

| | 2023 | 2022 |
|---|---|---|
| Looms | 40 | 50 |

## Warehouses

| | 2023 | 2022 |
|---|---|---|
| Looms | 4 | 5 |
"""
PAGE = """<html><head><title>Ostrava Mills Inc.: annual report 2023, extract 2</title></head><body>
<h2>Yarn</h2><table><tr><th></th><th>Years ended December 31,</th><th></th></tr>
<tr><td></td><td>2023</td><td>2022</td></tr><tr><td>Yarn spun</td><td>800</td><td>500</td></tr></table>
</body></html>"""
BUDGET = """Region,2018,2019
North coast,400,500
South coast,300,330
"""
CHINESE = """# 澄原示例股份有限公司（澄原）2024年年度报告：财务报表摘要

## 合并利润表

| 项目 | 2024年（元） | 2023年（元） |
|---|---|---|
| 营业总收入 | 1,000.00 | 800.00 |
| 营业总成本 | 900.00 | 700.00 |
| 营业成本 | 600.00 | 500.00 |
| 销售费用 | 100.00 | 80.00 |
| 管理费用 | 60.00 | 50.00 |
| 研发费用 | 40.00 | 20.00 |
| 财务费用 | -10.00 | 10.00 |
| 营业利润 | 210.00 | 140.00 |
| 营业外收入 | 5.00 | 4.00 |
| 利润总额 | 215.00 | 144.00 |
| 净利润 | 170.00 | 100.00 |
| 营业收入 | 1,000.00 | 800.00 |
"""


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    root = tmp_path_factory.mktemp("lines")
    files = {"budget.csv": BUDGET, "ostrava/1.md": REPORT, "ostrava/2.html": PAGE, "chengyuan.md": CHINESE}
    folder = write_files(root / "files", files)
    with mock.patch("rag.store.ingest.run_in_workers", run_here), new_index(root / "index") as made:
        made.ingest(folder)
        yield made


def said(question: str, index: Index) -> str:
    found = find_figures(index.understand(question), index)
    assert isinstance(found, Computed), found
    for calculation in found.calculations:
        for figure in calculation.inputs:
            row = found.evidence[(figure.citation or 0) - 1]
            assert index.store.text(row.document.id, figure.start, figure.end) == figure.printed
    return " ".join(text for text, _ in found.sentences)


@pytest.mark.parametrize(
    ("asked", "figure"),
    [
        ("What were the deferred contract costs as of December 31, 2022?", "3,006 thousand"),
        ("What was the percentage change in deferred contract costs from 2022 to 2023?", "10.0%"),
        ("By how much did deposits decrease from 2022 to 2023?", "-300"),
        ("What is the average audit fees for 2021, 2022 and 2023?", "700"),
        ("What is the average audit fees over the 3 year period from 2021-2023?", "700"),
        ("What is the total tax fees in both 2022 and 2023?", "400"),
        ("What percentage of total other assets were deposits in 2022?", "33.3%"),
        ("What is the percentage of deposits in total other assets in 2022?", "33.3%"),
        ("What is the ratio of audit fees to tax fees in 2023?", "9.00"),
        ("What is the sum of audit fees and tax fees in 2022?", "1,000"),
        ("What is the difference between audit fees and tax fees in 2021?", "400"),
        ("What was the change in the share of tax fees between 2022 and 2023?", "20.0 percentage points"),
        ("What were the bank loans in 2023?", "640"),
        ("What is the total amount of audit fees in 2022 and 2023?", "1,600"),
        ("What is the increase / (decrease) in audit fees from 2022 to 2023?", "200"),
        ("For the reserve at December 31, 2022, what is fuel as a percentage of spares?", "50.0%"),
        ("What was the yarn spun in 2022?", "500"),
    ],
)
def test_line_called_by_its_label_is_read_or_worked_out(asked: str, figure: str, index: Index) -> None:
    assert figure in said(f"Ostrava Mills Inc, annual report 2023: {asked}", index)


@pytest.mark.parametrize(
    ("asked", "figure"),
    [
        ("2024年澄原示例股份有限公司营业总成本是多少元？", "900元"),
        ("澄原2024年的营业外收入是多少？", "5元"),
        ("在2024年的时候，澄原营业利润增长率为多少？", "50.00%"),
        ("请告诉我2024年澄原的年报中，财务费用率保留两位小数为多少。", "-1.00%"),
        ("澄原2024年三费比重是多少?保留2位小数。", "15.00%"),
        ("澄原2024年企业研发经费与营业收入的比值是多少？", "0.04"),
    ],
)
def test_line_of_a_chinese_table_is_read_or_worked_out(asked: str, figure: str, index: Index) -> None:
    assert figure in said(asked, index)


def test_two_lines_asked_for_at_once_are_both_said(index: Index) -> None:
    text = said("澄原2024年营业成本和管理费用分别是多少元？", index)
    assert "600元" in text and "60元" in text


@pytest.mark.parametrize(
    "asked",
    [
        "What was the surplus brought forward in 2023?",  # no column is of that year
        "What were the looms in 2023?",  # two tables have them
        "What were the rented looms in 2023?",
        "What were the deposits in 2019?",
        "What do the tax fees comprise?",
        "Why did audit fees increase in 2023?",
        "In which year were tax fees less than 200?",
    ],
)
def test_what_is_not_surely_one_cell_is_left_alone(asked: str, index: Index) -> None:
    found = find_figures(index.understand(f"Ostrava Mills Inc, annual report 2023: {asked}"), index)
    assert not isinstance(found, Computed), found


def test_column_that_the_question_names_is_read(index: Index) -> None:
    question = "Ostrava Mills Inc, annual report 2023: What was the surplus brought forward of {}?"
    assert "70" in said(question.format("owners of the parent"), index)
    assert "30" in said(question.format("non-controlling interests"), index)


def test_sheet_of_no_company_is_worked_out_too(index: Index) -> None:
    answer = Assistant(index).ask("By what percentage did North coast grow from 2018 to 2019?")
    assert "25.0%" in answer.line
    assert answer.citations[0].document == "budget.csv"


def test_company_is_no_word_of_a_line_s_name() -> None:
    named = read_lines(read_wording("What was Ostrava Mills' cotton stock in 2022?"), ["Ostrava Mills"])
    assert named is not None
    assert named.names == ("cotton stock",) and [*map(str, named.request.periods)] == ["FY2022"]
