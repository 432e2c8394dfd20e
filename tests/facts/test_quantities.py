"""Quantities are values: spelling, script, scale and unit do not change them; anything else does."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rag.facts.dates import dates
from rag.facts.numerals import fold, numerals, parse_han
from rag.facts.quantities import extract, header_scales, in_header_scale
from rag.facts.quantity import Kind, Quantity, QuantityMatch, compare

_ONES = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen"
_SMALL = f"{_ONES} sixteen seventeen eighteen nineteen".split()
_TENS = "- - twenty thirty forty fifty sixty seventy eighty ninety".split()


def one(text: str) -> Quantity:
    found = extract(text)
    assert len(found) == 1, (text, found)
    return found[0]


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("200,000", "20万"),
        ("二十万", "200000"),
        ("1.5 million", "150万"),
        ("$4.5 million", "US$4,500,000"),
        ("人民币20万元", "CNY 200,000"),
        ("３０％", "百分之三十"),
        ("30 per cent", "30%"),
        ("千分之五", "5‰"),
        ("two-thirds", "三分之二"),
        ("thirty (30) days", "三十日"),
        ("12 months", "1 year"),
        ("两周", "14 days"),
        ("5 mg", "0.005 g"),
        ("500毫升", "0.5 L"),
        ("7.0毫摩尔/升", "7 mmol/L"),
        ("5 mg per day", "5毫克/日"),
        ("March 5, 2021", "2021年3月5日"),
        ("5th March 2021", "2021-03-05"),
        ("二〇二一年三月五日", "2021/3/5"),
        ("FY2019", "2019财年"),
        ("Q3 2020", "2020年第三季度"),
        ("third quarter of 2020", "2020 Q3"),
        ("第十二条", "Article 12"),
        ("第12条", "Art. 12"),
        ("§ 4.2", "Section 4.2"),
        ("第三章", "Chapter III"),
        ("1亿2000万元", "1.2亿元"),
        ("三千五百万", "35 million"),
        ("10:30 a.m.", "10:30"),
    ],
)
def test_two_spellings_of_one_quantity_are_equal(a: str, b: str) -> None:
    assert compare(one(a), one(b)) is QuantityMatch.EXACT
    assert compare(one(b), one(a)) is QuantityMatch.EXACT


@pytest.mark.parametrize(
    ("claim", "source"),
    [
        ("20万元", "20亿元"),
        ("$5 million", "$5 billion"),
        ("€5", "$5"),
        ("5 mg", "5 g"),
        ("30 days", "30 business days"),
        ("30 days", "one month"),
        ("30%", "31%"),
        ("1,230", "1,234"),
        ("about 1.3 million", "1,234,567"),
        ("1,234,567", "about 1.2 million"),
        ("Article 12", "Article 13"),
        ("Section 7.3(b)", "Section 7.3"),
        ("第十二条", "第十二款"),
        ("March 5, 2021", "March 5, 2020"),
        ("March 5, 2021", "March 2021"),
        ("Q3 2020", "2020"),
        ("$5 per share", "$5 per month"),
        ("3rd", "3"),
        ("-5%", "5%"),
    ],
)
def test_another_value_unit_or_kind_is_different(claim: str, source: str) -> None:
    assert compare(one(claim), one(source)) is QuantityMatch.DIFFERENT


@pytest.mark.parametrize(
    ("claim", "source"),
    [
        ("about 1.2 million", "1,234,567"),
        ("about 1,200,000", "1,234,567"),
        ("12%", "12.3%"),
        ("33%", "one third"),
        ("42", "42%"),
        ("5 mg", "5 mg/day"),
        ("1.75%", "175 basis points"),
        ("Section 7.3", "Section 7.3(b)"),
        ("Section 7", "Article 7"),
        ("2020", "Q3 2020"),
        ("1,234", "(1,234)"),
    ],
)
def test_rounded_or_less_specific_is_only_near(claim: str, source: str) -> None:
    assert compare(one(claim), one(source)) is QuantityMatch.ROUNDED


def test_a_coarser_date_follows_from_a_finer_one() -> None:
    assert compare(one("March 2021"), one("5 March 2021")) is QuantityMatch.EXACT
    assert compare(one("2021"), one("2021年3月5日")) is QuantityMatch.EXACT


@pytest.mark.parametrize(
    "text", ["一致同意", "COVID-19", "one of the parties", "十分重要", "统一", "Rule 10b", "形成"]
)
def test_words_that_look_like_numbers_are_not(text: str) -> None:
    assert not [q for q in extract(text) if q.kind in (Kind.NUMBER, Kind.SHARE, Kind.DATE)]


def test_may_in_small_letters_is_no_month_and_a_year_before_a_unit_is_no_year() -> None:
    assert one("may 5").kind is Kind.NUMBER
    assert one("2000 mg").kind is Kind.MEASURE
    assert one("1500 days").kind is Kind.DURATION
    assert one("2000元").kind is Kind.MONEY
    assert one("in 2000").kind is Kind.DATE


def test_a_range_gives_its_unit_to_both_ends() -> None:
    assert [(q.kind, q.value) for q in extract("10-20 mg")] == [
        (Kind.MEASURE, Fraction(1, 100)),
        (Kind.MEASURE, Fraction(1, 50)),
    ]
    assert [q.value for q in extract("3至5年")] == [36, 60]


def test_an_accounting_bracket_is_negative_and_a_repetition_is_not() -> None:
    assert one("(1,234)").value == -1234
    assert one("thirty (30) days").value == 30
    assert one("(5.2)%").value == Fraction(-52, 1000)


def test_each_reference_of_a_list_is_found() -> None:
    assert [q.label for q in extract("Notes 7 and 8")] == ["7", "8"]
    assert [(q.unit, q.label) for q in extract("第十二条第二款第(三)项")] == [
        ("article", "12"),
        ("paragraph", "2"),
        ("item", "3"),
    ]


@pytest.mark.parametrize(
    ("header", "scale"),
    [
        ("(in millions) | 2019 | 2018", (Fraction(10**6), "")),
        ("(US$ in thousands)", (Fraction(1000), "USD")),
        ("项目 | 单位：万元", (Fraction(10**4), "CNY")),
        ("人民币百万元", (Fraction(10**6), "CNY")),
    ],
)
def test_a_header_states_the_scale_of_its_figures(header: str, scale: tuple[Fraction, str]) -> None:
    assert header_scales(header) == (scale,)


def test_a_cell_is_read_under_the_scale_of_its_header() -> None:
    readings = in_header_scale(one("1,234"), "(US$ in millions) | 2019")
    assert QuantityMatch.EXACT in [compare(one("$1,234 million"), r) for r in readings]
    assert QuantityMatch.EXACT not in [compare(one("$1,234 thousand"), r) for r in readings]


def test_digit_runs_of_any_length_are_survived() -> None:
    assert extract("9" * 5000) == ()
    assert all(len(q.text) < 200 for q in extract("零" * 5000 + "1," * 5000))


def english(n: int) -> str:
    if n < 20:
        return _SMALL[n]
    if n < 100:
        return _TENS[n // 10] + (f"-{_SMALL[n % 10]}" if n % 10 else "")
    if n < 1000:
        return f"{_SMALL[n // 100]} hundred" + (f" and {english(n % 100)}" if n % 100 else "")
    return f"{english(n // 1000)} thousand" + (f" {english(n % 1000)}" if n % 1000 else "")


def chinese(n: int) -> str:
    digits = "零一二三四五六七八九"
    if n < 10:
        return digits[n]
    for unit, name in ((10**8, "亿"), (10**4, "万"), (1000, "千"), (100, "百"), (10, "十")):
        if n >= unit:
            rest = n % unit
            gap = "零" if rest and rest < unit // 10 else ""
            return chinese(n // unit) + name + gap + (chinese(rest) if rest else "")
    raise AssertionError


def han(n: int) -> str:
    """As in dates: 十二, not 一十二."""
    spelled = chinese(n)
    return spelled.removeprefix("一") if n >= 10 else spelled


@given(st.integers(2, 999_999))
def test_english_words_spell_the_value(n: int) -> None:
    [found] = numerals(english(n))
    assert found.value == n


@given(st.integers(0, 10**12))
def test_chinese_numerals_spell_the_value(n: int) -> None:
    assert parse_han(chinese(n)) == n


@given(st.integers(2, 10**9), st.integers(0, 3))
def test_separators_scales_and_width_do_not_change_a_value(n: int, places: int) -> None:
    value = Fraction(n, 10**places)
    plain = f"{n / 10**places:.{places}f}" if n < 10**9 else str(n)
    full = "".join(chr(ord(c) + 0xFEE0) for c in plain)
    assert one(f"{Fraction(plain) if '.' not in plain else plain} kg").value == Fraction(plain) * 1000
    assert one(full + "公斤").value == Fraction(plain) * 1000
    if places == 0:
        assert one(f"${n:,}").value == value


@given(st.dates())
def test_a_date_survives_every_spelling(day) -> None:  # type: ignore[no-untyped-def]
    if not 1500 <= day.year < 2200:
        day = day.replace(year=2020, day=min(day.day, 28))
    year = "".join("〇一二三四五六七八九"[int(c)] for c in str(day.year))
    spellings = [
        day.isoformat(),
        f"{day:%B} {day.day}, {day.year}",
        f"{day.day} {day:%B} {day.year}",
        f"{day.year}年{day.month}月{day.day}日",
        f"{year}年{han(day.month)}月{han(day.day)}日",
    ]
    for spelling in spellings:
        [found] = dates(fold(spelling))
        assert (found.period.year, found.period.month, found.period.day) == (day.year, day.month, day.day), (
            spelling
        )


@given(st.text(max_size=300))
def test_extraction_takes_any_text_and_its_spans_are_true(text: str) -> None:
    last = 0
    for q in extract(text):
        assert text[q.start : q.end] == q.text and q.text
        assert q.start >= last
        last = q.end


@example("0(.)")
@example("百分之零点十")
@given(st.text(alphabet="0123456789,.$%()- 年月日万亿三十百千第条mgday/至to", max_size=120))
def test_extraction_takes_any_heap_of_number_parts(text: str) -> None:
    found = extract(text)
    assert all(a.end <= b.start for a, b in pairwise(found))
    assert all(compare(q, q) is QuantityMatch.EXACT for q in found)
