"""Ranges, bounds, and where one value lies against another."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.facts.quantity import Kind, Quantity
from rag.facts.values import Comparison, Range, Value, numbers_in, read, relation

_MONTHS = {"day": 1, "week": 7, "month": 1, "year": 12}


def _one(text: str) -> Value:
    (value,) = read(text)
    return value


def _ends(text: str) -> tuple[object, ...]:
    """(low, whether it belongs, high, whether it belongs, unit) of the one range of a text."""
    (found,) = [v for v in read(text) if isinstance(v, Range)]
    low, high = found.low, found.high
    return (
        None if low is None else low.value, found.low_in,
        None if high is None else high.value, found.high_in,
        (low or high or Quantity(Kind.NUMBER, 0, 0, "")).unit,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "low", "low_in", "high", "high_in", "unit"),
    [
        ("10–29 employees", 10, True, 29, True, ""),
        ("1,000–4,999", 1000, True, 4999, True, ""),
        ("five to ten days", 5, True, 10, True, "day"),
        ("5至10个工作日", 5, True, 10, True, "business day"),
        ("between 5% and 10%", Fraction(1, 20), True, Fraction(1, 10), True, "share"),
        ("between $5 and $10", 5, True, 10, True, "$"),
        ("US$5–10 million", 5 * 10**6, True, 10**7, True, "USD"),
        ("百分之五至百分之十", Fraction(1, 20), True, Fraction(1, 10), True, "share"),
        ("-5 to 10 °C", -5, True, 10, True, "°c"),
        ("under 3 months", None, True, 3, False, "month"),
        ("up to 5 %", None, True, Fraction(1, 20), True, "share"),
        ("no more than 30 days", None, True, 30, True, "day"),
        ("within 14 days", None, True, 14, True, "day"),
        ("at least 18 years of age", 216, True, None, True, "month"),
        ("aged 18 or older", 18, True, None, True, ""),
        ("more than 18 years", 216, False, None, True, "month"),
        ("≥ 65 years", 780, True, None, True, "month"),
        ("50 employees or fewer", None, True, 50, True, ""),
        ("不满三年", None, True, 36, False, "month"),
        ("不超过三年", None, True, 36, True, "month"),
        ("超过三年", 36, False, None, True, "month"),
        ("18岁以上", 216, True, None, True, "month"),
        ("人数10人（含）以上", 10, True, None, True, ""),
        ("满三年不满五年", 36, True, 60, False, "month"),
        ("处三年以上十年以下有期徒刑", 36, True, 120, True, "month"),
        ("over 5 but not more than 10 years", 60, False, 120, True, "month"),
        ("not less than 2 nor more than 5 years", 24, True, 60, True, "month"),
        ("≥10 to <20 kg", 10_000, True, 20_000, False, "g"),
        ("5 to <10 mg", Fraction(1, 200), True, Fraction(1, 100), False, "g"),
        ("7日≤N＜30日", 7, True, 30, False, "day"),
        ("30 < CrCl ≤ 60", 30, False, 60, True, ""),
        ("over £1,000 and up to £5,000", 1000, False, 5000, True, "GBP"),
    ],
)
def test_a_range_has_the_ends_that_its_words_give_it(
    text: str, low: object, low_in: bool, high: object, high_in: bool, unit: str
) -> None:
    assert _ends(text) == (low, low_in, high, high_in, unit)


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2016-2018", 2016, 2018),
        ("FY2016-18", 2016, 2018),
        ("1 January 2020 to 31 March 2021", 2020, 2021),
        ("2020年1月1日至2021年3月31日", 2020, 2021),
        ("from 1 March to 5 May 2021", 2021, 2021),
        ("before 1 May 2023", None, 2023),
        ("2021年5月1日前", None, 2021),
        ("on or after 30 June 2024", 2024, None),
    ],
)
def test_dates_have_ranges_too(text: str, first: int | None, last: int | None) -> None:
    (found,) = [v for v in read(text) if isinstance(v, Range)]
    years = [
        q.period.year if q is not None and q.period is not None else None for q in (found.low, found.high)
    ]
    assert years == [first, last]


@pytest.mark.parametrize(
    "text",
    [
        "revenue rose from 5% to 10%",
        "3天前",
        "after 3 weeks",
        "§ 4 to 6",
        "2016-05",
        "100 - 5",
        "5 mg and 10 mg",
    ],
)
def test_a_change_a_point_in_time_and_two_values_are_no_range(text: str) -> None:
    assert not any(isinstance(v, Range) for v in read(text))


_BOUNDS = {
    "{low} to {high}": (True, True), "{low}–{high}": (True, True), "between {low} and {high}": (True, True),
    "at least {low} but less than {high}": (True, False), "more than {low}, up to {high}": (False, True),
    "≥{low} to <{high}": (True, False), "over {low} and not exceeding {high}": (False, True),
    "{low}至{high}": (True, True), "{low}以上{high}以下": (True, True), "超过{low}不满{high}": (False, False),
}  # fmt: skip
_UNITS = {
    " days": ("day", 1), " weeks": ("day", 7), " years": ("month", 12), "个月": ("month", 1),
    " kg": ("g", 1000), "%": ("share", Fraction(1, 100)), "元": ("CNY", 1),
}  # fmt: skip


@given(
    st.integers(1, 900),
    st.integers(1, 900),
    st.sampled_from(list(_BOUNDS)),
    st.sampled_from(list(_UNITS)),
    st.data(),
)
def test_every_spelling_of_a_range_reads_as_it_was_written(
    low: int, more: int, wording: str, unit: str, data: st.DataObject
) -> None:
    before, after = data.draw(st.sampled_from([("", ""), ("The rule for ", " holds."), ("对", "适用。")]))
    written = wording.format(low=f"{low}{unit}", high=f"{low + more}{unit}")
    text = f"{before}{written}{after}"
    (found,) = [v for v in read(text) if isinstance(v, Range)]
    base, factor = _UNITS[unit]
    assert found.low is not None and found.high is not None
    assert (found.low.unit, found.low.value, found.high.value) == (base, low * factor, (low + more) * factor)
    assert (found.low_in, found.high_in) == _BOUNDS[wording]
    assert found.text == text[found.start : found.end] and found.text in written
    for end, number in ((found.low, low), (found.high, low + more)):
        assert text[end.start : end.end].startswith(str(number))


@given(st.text(alphabet="0159 .,-–<≥%kgd至不满以上年月元to\nunder", max_size=60))
def test_values_lie_in_the_text_and_do_not_overlap(text: str) -> None:
    values = read(text)
    assert all(text[v.start : v.end] == v.text and v.start < v.end for v in values)
    assert all(a.end <= b.start for a, b in pairwise(values))
    assert all(v.low or v.high for v in values if isinstance(v, Range))


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("a period of 12 months", "1 year", "equal"),
        ("14 days", "2 weeks", "equal"),
        ("三年", "36 months", "equal"),
        ("11 months", "1 year", "before"),
        ("90分钟", "1 hour", "after"),
        ("100 days", "3 months", "after"),
        ("80 days", "3 months", "before"),
        ("30 days", "1 month", None),
        ("5 kg", "5 days", None),
        ("5 business days", "5 days", None),
        ("8", "48", "before"),
        ("20 employees", "10–29 employees", "within"),
        ("29", "10–29", "within"),
        ("30", "10–29", "after"),
        ("2 years", "不满三年", "within"),
        ("36 months", "不满三年", "after"),
        ("36 months", "满三年不满五年", "within"),
        ("800 days", "不满三年", "within"),
        ("5 %", "up to 5 %", "within"),
        ("18 years", "more than 18 years", "before"),
        ("5 May 2021", "2021", "within"),
        ("2021", "before 2022", "within"),
        ("2021", "2021年5月1日", "holds"),
        ("Q1 2023", "March 2023", "holds"),
        ("30 June 2021", "Q3 2021", "before"),
        ("up to 2020", "before 2021", "equal"),
        ("until 2020", "before 2021", "equal"),
        ("10–29", "20–49", "overlaps"),
        ("US$5", "$5", "equal"),
        ("US$5", "€5", None),
        ("第十二条", "Article 12", "equal"),
        ("Article 12", "Article 13", None),
    ],
)
def test_one_value_is_held_against_another_as_a_value(a: str, b: str, expected: str | None) -> None:
    found = relation(_one(a), _one(b))
    assert (None if found is None else found.value) == expected


@given(
    st.integers(0, 400), st.sampled_from(list(_MONTHS)), st.integers(0, 400), st.sampled_from(list(_MONTHS))
)
def test_durations_of_one_calendar_compare_as_their_numbers_do(n: int, unit: str, m: int, other: str) -> None:
    found = relation(_one(f"{n} {unit}s"), _one(f"{m} {other}s"))
    back = relation(_one(f"{m} {other}s"), _one(f"{n} {unit}s"))
    if (unit in ("day", "week")) == (other in ("day", "week")):
        a, b = n * _MONTHS[unit], m * _MONTHS[other]
        assert found is (Comparison.EQUAL if a == b else Comparison.BEFORE if a < b else Comparison.AFTER)
    mirrored = {Comparison.BEFORE: Comparison.AFTER, Comparison.AFTER: Comparison.BEFORE}
    assert back is (mirrored.get(found, found) if found else None)


@given(st.integers(0, 60), st.integers(0, 60), st.integers(1, 60), st.sampled_from(list(_BOUNDS)))
def test_a_bracket_holds_what_lies_between_its_ends(n: int, low: int, more: int, wording: str) -> None:
    low_in, high_in = _BOUNDS[wording]
    bracket = [
        v for v in read(wording.format(low=f"{low} days", high=f"{low + more} days")) if isinstance(v, Range)
    ]
    inside = (low < n < low + more) or (n == low and low_in) or (n == low + more and high_in)
    found = relation(_one(f"{n} days"), bracket[0])
    assert (found is Comparison.WITHIN) is inside
    assert found in (Comparison.WITHIN, Comparison.BEFORE, Comparison.AFTER)


@pytest.mark.parametrize(
    ("asked", "text", "stated"),
    [
        ("notice of 8 days", "within 48 days", False),
        ("notice of 8 days", "within eight days", True),
        ("20万元", "CNY 200,000", True),
        ("on 5 April 2023", "| 2023年4月5日 |", True),
        ("on 11 July 2023", "| 11.VII.2023 |", True),
        ("on 11 July 2023", "| 11 June 2023, July 2023 |", False),
        ("in June 2027", "15 June 2027", True),
    ],
)
def test_numbers_and_dates_are_found_again_by_their_values(asked: str, text: str, stated: bool) -> None:
    assert (numbers_in(asked, asked=True) <= numbers_in(text)) is stated
