"""Column heads -> fiscal period, unit and scale of each column."""

import pytest

from rag.domains.finance.concepts import ReportFacts
from rag.domains.finance.figures.cells import Column, read_columns, read_unit

ANNUAL = ReportFacts(years=(2023,), part="FY", ended="2023-12-31")
SECOND_QUARTER = ReportFacts(years=(2022,), part="Q2", ended="2021-10-30")
EARLY_YEAR_END = ReportFacts(years=(2019,), part="FY", ended="2019-04-27")


def terms(header: str, facts: ReportFacts, *, instant: bool = False) -> list[str]:
    common, *heads = header.split(" | ")
    return [f"{c.year} {c.part}" for c in read_columns(common, heads, facts, instant=instant)]


def test_day_of_the_common_head_and_year_of_each_column_are_read_together() -> None:
    header = "(In thousands) Years ended December 31, | 2023 | 2022 | 2021"
    assert terms(header, ANNUAL) == ["2023 FY", "2022 FY", "2021 FY"]


def test_months_tell_a_quarter_from_what_has_passed_of_the_year() -> None:
    header = (
        "$ in millions | Three Months Ended October 30, 2021 | Three Months Ended October 31, 2020"
        " | Six Months Ended October 30, 2021 | Six Months Ended October 31, 2020"
    )
    assert terms(header, SECOND_QUARTER) == ["2022 Q2", "2021 Q2", "2022 H1", "2021 H1"]


def test_balance_of_the_last_year_end_in_a_quarterly_report_is_that_year_s() -> None:
    header = "$ in millions | October 30, 2021 | May 1, 2021 | October 31, 2020"
    assert terms(header, SECOND_QUARTER, instant=True) == ["2022 Q2", "2021 FY", "2021 Q2"]


def test_fiscal_year_that_ends_in_april_keeps_its_name() -> None:
    header = "$ in millions | April 27, 2019 | April 28, 2018 | April 29, 2017"
    assert terms(header, EARLY_YEAR_END) == ["2019 FY", "2018 FY", "2017 FY"]


def test_bare_years_are_counted_from_the_report_s_own() -> None:
    facts = ReportFacts(years=(2022,), part="FY", ended="2023-01-03")
    assert terms("(in millions) | 2022 | 2021", facts) == ["2022 FY", "2021 FY"]


def test_oldest_column_first_is_read_as_it_stands() -> None:
    header = "(USD million) Twelve Months Ended September 30, | 2020 | 2021"
    assert terms(header, ReportFacts(years=(2021,), part="Q4", ended="2021-09-30")) == [
        "2020 FY",
        "2021 FY",
    ]


@pytest.mark.parametrize(
    ("head", "period"),
    [
        ("本期金额", "2023 FY"),
        ("上期金额", "2022 FY"),
        ("期末余额", "2023 FY"),
        ("期初余额", "2022 FY"),
        ("2022年末", "2022 FY"),
        ("2022年度", "2022 FY"),
    ],
)
def test_chinese_heads_name_this_period_and_the_one_before(head: str, period: str) -> None:
    (column,) = read_columns("单位：元", (head,), ANNUAL, instant=False)
    assert f"{column.year} {column.part}" == period


def test_columns_of_changes_have_no_period() -> None:
    columns = read_columns("单位：万元 项目", ("2023年", "2022年", "增减"), ANNUAL, instant=False)
    assert [(c.year, c.change) for c in columns] == [(2023, False), (2022, False), (0, True)]


def test_columns_whose_heads_say_no_period_have_none() -> None:
    columns = read_columns("(Unaudited)", ("Amount", "Percent to sales", "Amount"), ANNUAL, instant=False)
    assert [c.year for c in columns] == [0, 0, 0]


def test_words_that_set_a_column_apart_are_kept() -> None:
    columns = read_columns("December 31,", ("2023 Restated", "2023"), ANNUAL, instant=True)
    assert [c.other for c in columns] == ["Restated", ""]
    assert isinstance(columns[0], Column)


@pytest.mark.parametrize(
    ("head", "factor", "currency", "shares"),
    [
        ("(In thousands, except per share data)", 1000, "", 1000),
        ("(In thousands, except share and per share data)", 1000, "", 1),
        ("$ and shares in thousands, except per share amounts", 1000, "USD", 1000),
        ("(In millions, except number of shares, which are reflected in thousands)", 10**6, "", 1000),
        ("USD million | FY2025", 10**6, "USD", 10**6),
        ("单位：人民币万元", 10**4, "CNY", 10**4),
        ("单位：亿元", 10**8, "CNY", 10**8),
        ("Change", 1, "", 1),
    ],
)
def test_head_gives_scale_currency_and_what_holds_for_shares(
    head: str, factor: int, currency: str, shares: int
) -> None:
    unit = read_unit(head)
    assert (unit.factor, unit.currency, unit.shares) == (factor, currency, shares)


def test_chinese_head_in_single_yuan_states_that_there_is_no_scale() -> None:
    assert read_unit("单位：元").stated
    assert not read_unit("项目").stated
