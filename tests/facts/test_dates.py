"""Fiscal periods in any spelling."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.facts.dates import read_periods

_HAN = str.maketrans("0123456789", "〇一二三四五六七八九")


@given(st.integers(2001, 2035), st.data())
def test_any_spelling_of_a_fiscal_year_gives_the_same_year(year: int, data: st.DataObject) -> None:
    short = f"{year % 100:02}"
    spelt = data.draw(
        st.sampled_from(
            [
                f"FY{year}", f"FY {year}", f"FY{short}",
                f"FY {short}", f"FY'{short}", f"fy{year}", f"fiscal {year}",
                f"fiscal year {year}", f"Fiscal Year {year}",
                f"financial year {year}", f"{year}", f"the year {year}",
                f"{year}年", f"{year}年度",
                f"{year}财年", f"{str(year).translate(_HAN)}年", f"{year} fiscal year",
                f"year ended December 31, {year}",
                f"the year ended 31 December {year}", f"{year}年12月31日",
                f"{year} year-end", f"year-end {year}", f"{year} 10-K", f"{year}'s",
            ]
        )
    )  # fmt: skip
    assert [p.year for p in read_periods(f"capex in {spelt}?")] == [year]


@given(st.integers(2001, 2035), st.integers(1, 4), st.data())
def test_any_spelling_of_a_quarter_gives_the_same_quarter(year: int, n: int, data: st.DataObject) -> None:
    short, ordinal = f"{year % 100:02}", ("first", "second", "third", "fourth")[n - 1]
    spelt = data.draw(
        st.sampled_from(
            [
                f"Q{n} {year}", f"Q{n}{year}", f"Q{n}'{year}",
                f"Q{n}'{short}", f"Q{n} FY{year}", f"Q{n} of {year}",
                f"{n}Q{short}", f"{n}Q{year}", f"{n}Q {year}",
                f"{year}Q{n}", f"{year} Q{n}", f"FY{short} Q{n}",
                f"FY{year}Q{n}",
                f"{ordinal} quarter of FY{year}", f"{ordinal} quarter of fiscal {year}",
                f"{ordinal}-quarter {year}",
                f"{ordinal.title()} Quarter {year}", f"{year} {ordinal} quarter",
                f"{year}年第{n}季度", f"{year}年第{'一二三四'[n - 1]}季度",
                f"{year}年{'一二三四'[n - 1]}季报",
            ]
        )
    )  # fmt: skip
    assert [(p.year, p.part) for p in read_periods(f"sales in {spelt}?")] == [(year, f"Q{n}")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("H1 FY2023", [(2023, "H1")]),
        ("1H23", [(2023, "H1")]),
        ("first half of fiscal year 2023", [(2023, "H1")]),
        ("2023年上半年", [(2023, "H1")]),
        ("2023年半年度报告", [(2023, "H1")]),
        ("nine months of 2023", [(2023, "9M")]),
        ("as of the end of FY2022", [(2022, "FY")]),
        ("2022年末", [(2022, "FY")]),
        ("18年年报", [(2018, "FY")]),
        ("in the second quarter", [(0, "Q2")]),
    ],
)
def test_halves_and_ends_of_years(text: str, expected: list[tuple[int, str]]) -> None:
    assert [(p.year, p.part) for p in read_periods(text)] == expected


@pytest.mark.parametrize(
    "text", ["FY2016 - FY2018", "between 2016 and 2018", "from FY2016 to FY2018", "2016-18", "FY16–FY18",
             "2016年至2018年", "3 year average in FY2018", "three-year CAGR ending FY2018"],
)  # fmt: skip
def test_range_or_average_holds_the_years_inside(text: str) -> None:
    assert sorted({p.year for p in read_periods(text)}) == [2016, 2017, 2018]


def test_two_years_that_are_no_range_hold_none_between() -> None:
    assert [p.year for p in read_periods("FY2016 and FY2019")] == [2016, 2019]
    assert [p.year for p in read_periods("FY2018/19")] == [2018, 2019]


def test_day_on_which_a_period_ended_is_kept() -> None:
    (found,) = read_periods("the year ended January 28, 2017")
    assert (found.year, found.ended) == (2017, "2017-01-28")


@pytest.mark.parametrize(
    "text",
    [
        "revenue of 2018 million",
        "paid $2,018",
        "a rate of 2018%",
        "Q2 margin of 23%",
        "a 10-K",
        "2012-05",
    ],
)
def test_amounts_are_no_years(text: str) -> None:
    assert not any(p.year for p in read_periods(text) if p.year not in (2012,))


@given(st.text(max_size=120))
def test_spans_lie_in_the_text(text: str) -> None:
    assert all(0 <= p.start < p.end <= len(text) for p in read_periods(text))


@pytest.mark.parametrize("joint", ["-", "至", "—", "~", "年至", "年到"])
def test_a_chinese_range_of_years_names_its_first_year(joint: str) -> None:
    found = read_periods(f"公司2019{joint}2021年的净利润")
    assert [(p.year, p.inner) for p in found] == [(2019, False), (2020, True), (2021, False)]


@pytest.mark.parametrize("end", ["末", "底"])
def test_the_end_of_a_chinese_month_is_its_last_day(end: str) -> None:
    assert [p.ended for p in read_periods(f"2024年2月{end}的总资产")] == ["2024-02-29"]
