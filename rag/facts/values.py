"""Every value that a text states, ranges and bounds among them, and where one lies against another.

`read` is the door: "10–29 employees", "under 3 months", "up to 5 %", "65 and over", 不满三年, 满三年不满五年
are ranges with open or closed ends; every other value is the quantity that `quantities.extract` reads.
`relation` compares values of one dimension: a month against a year, a day against a week, a date against a
range of dates. A number is held against another as a value, never as digits within digits."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from fractions import Fraction
from functools import cache, lru_cache
from math import inf

from rag.facts.dates import Period, dates
from rag.facts.numerals import CURRENCY_BEFORE, alternatives, fold, numerals, same_currency
from rag.facts.quantities import extract, in_unit_of, scale_of
from rag.facts.quantity import Kind, Quantity
from rag.languages import patterns, union

_SIGNS = {"<": "<", "≤": "<=", "<=": "<=", ">": ">", "≥": ">=", ">=": ">="}
_CURRENCY = rf"(?:(?i:{alternatives(CURRENCY_BEFORE)}))?[ \t]*"
_BETWEEN = re.compile(rf"(?:(?<![A-Za-z])between|介于|在)[ \t]*{_CURRENCY}$", re.IGNORECASE)
# What joins two ends to one range: "5 to 10", 3至5年; "at least 18 but under 65", 满三年不满五年; 7日≤N<30日.
_TO = re.compile(rf"[ \t]*(?:--?|~|to|through|thru|until|至|到)[ \t]*(?P<sign>[<≤]?=?)[ \t]*{_CURRENCY}")
_AND = re.compile(rf"[ \t]*(?:and|和|与)[ \t]*{_CURRENCY}")
_VARIABLE = re.compile(r"[ \t]*(<=|[<≤])[ \t]*[^\W\d_][\w ]{0,15}[ \t]*")
_RE = patterns("values", re.NOFLAG)
_REACH = 40  # characters in which the words of a bound stand
_A_YEAR = Fraction(3652425, 10000)  # days, Gregorian


@dataclass(frozen=True, slots=True)
class Range:
    """What lies between two values, as stated at `[start, end)` of the text. `low` and `high` have offsets
    of their own and are of one kind and unit; None: no end on that side. `low_in` and `high_in` say whether
    the end itself belongs to it."""

    start: int
    end: int
    text: str
    low: Quantity | None
    high: Quantity | None
    low_in: bool = True
    high_in: bool = True

    @property
    def kind(self) -> Kind:
        """That of its ends."""
        return (self.low or self.high or _NOTHING).kind


_NOTHING = Quantity(Kind.NUMBER, 0, 0, "")
Value = Quantity | Range
Numbers = frozenset[Fraction | tuple[str, int]]


class Comparison(StrEnum):
    """Where the first of two values lies: `BEFORE` is less or earlier, `WITHIN` inside the second, `HOLDS`
    around it, `OVERLAPS` partly each."""

    EQUAL = "equal"
    WITHIN = "within"
    HOLDS = "holds"
    BEFORE = "before"
    AFTER = "after"
    OVERLAPS = "overlaps"


def read(text: str) -> tuple[Value, ...]:
    """Every value of the text, in order; spans index into `text` and do not overlap."""
    folded = fold(text)
    values: list[Value] = []
    for value in _bounded(folded, extract(text)):
        joined = _joined(folded, values[-1], value) if values else None
        if joined is None:
            values += _apart(folded, values, value)
        else:
            values[-1] = joined
    return tuple(replace(v, text=text[v.start : v.end]) if isinstance(v, Range) else v for v in values)


@lru_cache(maxsize=256)
def numbers_in(text: str, *, asked: bool = False) -> Numbers:
    """The numbers of a text, whatever their units, and the parts of its dates, for finding again: years are
    numbers, a day is one of its month. `asked`: what is to be found, numbers in digits and no month beside
    its day."""
    folded = fold(text)
    found: set[Fraction | tuple[str, int]] = set()
    covered: set[int] = set()
    for d in dates(folded):
        p = d.period
        covered.update(range(d.start, d.end))
        days = [(p.month, p.day), *([p.swapped] if p.swapped and not asked else ())]
        found.update(("day", 100 * (month or 0) + day) for month, day in days if day)
        found.update((name, n) for name, n in p.parts.items() if name not in ("year", "day", "decade"))
        found.update([Fraction(p.year)] if p.year else ())
        if asked and p.day and p.month:
            found.discard(("month", p.month))
    for n in numerals(folded):
        if n.start in covered or (asked and (n.style != "digits" or _RE["places"].match(folded, n.end))):
            continue
        if n.style == "digits" or n.value != 1:  # "one" is mostly an article
            found.add(n.value)
    return frozenset(found)


def _bounded(text: str, quantities: Sequence[Quantity]) -> Iterator[Value]:
    """The quantities, those that words bound as ranges of one end."""
    last = 0
    for n, q in enumerate(quantities):
        stop = quantities[n + 1].start if n + 1 < len(quantities) else len(text)
        bound = _bound(text, q, max(last, q.start - _REACH), min(stop, q.end + _REACH))
        last = bound.end if bound else q.end
        yield bound or q


def _bound(text: str, q: Quantity, first: int, last: int) -> Range | None:
    if q.kind in (Kind.REFERENCE, Kind.ORDINAL):
        return None
    for behind, m in enumerate(
        (_pattern(behind=False).search(text, first, q.start), _pattern(behind=True).match(text, q.end, last))
    ):
        sign, _, what = _words(behind=bool(behind))[m["bound"].lower()].partition(" ") if m else ("", "", "")
        if m is None or (what != "any" and (what == "date") != (q.kind is Kind.DATE)):
            continue
        start, end = min(m.start(), q.start), max(m.end(), q.end)
        if sign[0] == "<":
            return Range(start, end, "", None, q, high_in=sign == "<=")
        return Range(start, end, "", q, None, low_in=sign == ">=")
    return None


@cache
def _words(*, behind: bool) -> dict[str, str]:
    words = union(lambda language: language.bounds_behind if behind else language.bounds_before)
    return words | (dict.fromkeys("+", ">=") if behind else _SIGNS)


@cache
def _pattern(*, behind: bool) -> re.Pattern[str]:
    ordered = sorted(_words(behind=behind), key=len, reverse=True)
    spaced, other = (
        "|".join(re.escape(w) for w in ordered if (w[0].isalpha() and w[0] < "\u2e80") is blank)
        for blank in (True, False)
    )
    if not behind:
        return re.compile(
            rf"(?P<bound>(?<![A-Za-z-])(?:{spaced})(?![A-Za-z])|{other})"
            rf"[ \t]*(?:(?:the|an?|aged?|of)[ \t]+)*{_CURRENCY}\(?$",
            re.IGNORECASE,
        )
    # "18 years of age or older", 10人(含)以上
    return re.compile(
        rf"(?:(?:[ \t]+[a-z-]+){{0,2}}?,?[ \t]+|[\u3400-\u9fff]{{0,2}}?(?:\(含本?数?\))?)"
        rf"(?P<bound>(?:{spaced})(?![A-Za-z])|(?:{other})(?!\d))",
        re.IGNORECASE,
    )


def _joined(text: str, a: Value, b: Value) -> Range | None:
    """The range that two neighbours are the ends of: 5-10, "at least 18 but under 65", 满三年不满五年."""
    low_in = isinstance(a, Quantity) or a.low_in
    low = a if isinstance(a, Quantity) else a.low if a.high is None else None
    high = b if isinstance(b, Quantity) else b.high if b.low is None else None
    if low is None or high is None:
        return None
    if isinstance(a, Range) and isinstance(b, Range):
        fits = _RE["also"].fullmatch(text, a.end, b.start) is not None
    elif isinstance(b, Range) and (sign := _VARIABLE.fullmatch(text, a.end, b.start)):
        fits, low_in = True, sign[1] != "<"
    elif _TO.fullmatch(text, a.end, b.start):
        fits = _RE["changed"].search(text, max(0, a.start - 2 * _REACH), a.start) is None
    else:
        fits = bool(_AND.fullmatch(text, a.end, b.start) and _BETWEEN.search(text, 0, a.start))
    ends = _in_one_unit(text, low, high) if fits else None
    if ends is None or relation(*ends) is not Comparison.BEFORE:
        return None
    return Range(
        a.start, b.end, "", *ends,
        low_in=low_in, high_in=isinstance(b, Quantity) or b.high_in,
    )  # fmt: skip


def _apart(text: str, before: list[Value], b: Value) -> list[Value]:
    """The value, or the two ends of "from 3 months to 40 kg", the first of them taken from what stands before
    it: they have no common measure, and each bounds what it measures."""
    a = before[-1] if before else None
    if not (isinstance(a, Quantity) and isinstance(b, Quantity) and a.kind is not b.kind):
        return [b]
    if not (_TO.fullmatch(text, a.end, b.start) and _RE["from"].search(text, 0, a.start)):
        return [b]
    before.pop()
    return [Range(a.start, a.end, "", a, None), Range(b.start, b.end, "", None, b)]


def _in_one_unit(text: str, low: Quantity, high: Quantity) -> tuple[Quantity, Quantity] | None:
    """Both ends with what only one of them says: a unit, a currency, a scale, a year."""
    low = in_unit_of(text, low, high)
    if low.kind is Kind.MONEY and high.kind is Kind.NUMBER:  # US$5-10 million
        high, scale = replace(high, kind=Kind.MONEY, unit=low.unit), scale_of(text, high) or 1
        if scale_of(text, low) == 1 and low.value * scale < high.value:
            low = low.times(scale)
    if low.period is not None and high.kind is Kind.NUMBER:  # 2016-2018, FY2016-18
        year = int(high.value)
        if set(low.period.parts) != {"year"} or high.value != year or len(high.text) not in (2, 4):
            return None
        year += (low.period.year or 0) // 100 * 100 if year < 100 else 0
        high = replace(high, kind=Kind.DATE, value=Fraction(0), period=Period(year))
    if low.period is not None and high.period is not None and low.period.year is None:
        low = replace(low, period=replace(low.period, year=high.period.year))
    return (low, high) if low.kind is high.kind else None


# --- Where one value lies against another

_End = tuple[Fraction | float, Fraction | float, int]
"""The least and the most that an end may be (a month has from 28 to 31 days), and whether it lies right above
(1) or below (-1) that, where the value itself does not belong to the range."""


def relation(a: Value, b: Value) -> Comparison | None:
    """Where `a` lies against `b`; None where the two have no common measure ("5 kg" and "5 days"), or where
    it depends on the calendar ("30 days" and "a month"). A date is all of its days, a year of 12 months."""
    ends = [q for v in (a, b) for q in ((v,) if isinstance(v, Quantity) else (v.low, v.high)) if q]
    if any(q.kind in (Kind.REFERENCE, Kind.ORDINAL) for q in ends):
        return Comparison.EQUAL if len({(q.kind, q.key) for q in ends}) == 1 else None
    units = {q.unit for q in ends}
    common = "day" if (calendar := units == {"day", "month"}) else ends[0].unit
    if not calendar and not all(same_currency(common, unit) for unit in units):
        return None
    if len({q.kind is Kind.DATE for q in ends}) > 1:
        return None
    one, two = extent(a, common), extent(b, common)
    return _of_extents(*one, *two) if one and two else None


def extent(v: Value, unit: str) -> tuple[_End, _End] | None:
    """The first and the last that a value may be."""
    if isinstance(v, Quantity):
        return _ends(v, unit)
    low = _ends(v.low, unit) if v.low else ((-inf, -inf, 0),) * 2
    high = _ends(v.high, unit) if v.high else ((inf, inf, 0),) * 2
    if low is None or high is None:
        return None
    if v.kind is Kind.DATE:  # days are whole: before 2021 is until the last day of 2020
        first, last = (low[0] if v.low_in else low[1]), (high[1] if v.high_in else high[0])
        from_, until = not v.low_in, not v.high_in
        return (first[0] + from_, first[1] + from_, 0), (last[0] - until, last[1] - until, 0)
    return (*low[0][:2], int(not v.low_in)), (*high[1][:2], -int(not v.high_in))


def _ends(q: Quantity, unit: str) -> tuple[_End, _End] | None:
    """The first and the last that a quantity is of its measure: days for dates, else its value twice."""
    if q.period is not None:
        days = _days(q.period)
        return None if days is None else ((days[0], days[0], 0), (days[1], days[1], 0))
    about, spread = q.value, Fraction(0)
    if q.unit == "month" and unit == "day":
        about, spread = q.value * _A_YEAR / 12, Fraction(5, 2)  # by no more does any count of months differ
    end = (about - spread, about + spread, 0)
    return end, end


def _days(p: Period) -> tuple[Fraction, Fraction] | None:
    """The first and the last day of a period as numbers; None where its year is not known."""
    if p.year is None or p.time is not None:
        return None
    year = p.year + (9 if p.decade else 0)
    first, last = (p.month, p.month) if p.month else (1, 12)
    if p.quarter or p.half:
        first, last = (
            (3 * p.quarter - 2, 3 * p.quarter) if p.quarter else (6 * (p.half or 1) - 5, 6 * (p.half or 1))
        )
    try:
        begin = date(p.year, first, p.day or 1)
        end = begin if p.day else date(year, last, monthrange(year, last)[1])
    except ValueError:  # 30 February
        return None
    return Fraction(begin.toordinal()), Fraction(end.toordinal())


def _of_extents(a_low: _End, a_high: _End, b_low: _End, b_high: _End) -> Comparison | None:
    before, after = _order(a_high, b_low), _order(b_high, a_low)
    if before == -1:
        return Comparison.BEFORE
    if after == -1:
        return Comparison.AFTER
    starts, ends = _order(a_low, b_low), _order(a_high, b_high)
    if None in (before, after) or starts is None or ends is None:
        return None
    if starts == ends == 0:
        return Comparison.EQUAL
    if starts >= 0 >= ends:
        return Comparison.WITHIN
    return Comparison.HOLDS if starts <= 0 <= ends else Comparison.OVERLAPS


def _order(a: _End, b: _End) -> int | None:
    """-1, 0, 1 as the first is less, equal or more; None where that is not sure."""
    if a[:2] == b[:2] and a[0] == a[1]:
        return (a[2] > b[2]) - (a[2] < b[2])
    return -1 if a[1] < b[0] else 1 if a[0] > b[1] else None
