"""Column heads of a table, and the lines above it -> the period, unit and scale of each column.

"(In thousands) Six Months Ended June 30, | 2023 | 2022" heads two columns: six months that end on 30 June of
the year 2023 and of the year before. Dates become fiscal quarters by the calendar of the document: what its
report covers and the day on which that ends. Nothing is guessed where a head says no period: `year` is 0."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from rag.domains.finance.concepts import ReportFacts
from rag.facts.dates import MONTHS, Period, dates, with_capitals
from rag.facts.numerals import CURRENCY_BEFORE, SPELLED, fold, numerals
from rag.facts.quantities import header_scales
from rag.languages import Patterns

_RE = Patterns(__file__, spelled=SPELLED)
_QUARTERS = {"Q1": 1, "Q2": 2, "H1": 2, "Q3": 3, "9M": 3, "Q4": 4, "H2": 4, "FY": 4}
_DAYS_A_MONTH = 30.44
_PERIOD_WORDS = _RE.words("period_words") | MONTHS.keys()


def units_sentence(above: str) -> str:
    """The last line above a table that speaks of units."""
    found = [m.group() for m in _RE["unit_line"].finditer(above) if len(m.group()) <= 160]
    return found[-1] if found else ""


@dataclass(frozen=True, slots=True)
class ColumnUnit:
    """What the figures of a table are multiplied by and their currency ("" where nothing says it). `stated`:
    a scale, or that there is none, is said. `shares` is the factor of numbers of shares."""

    factor: int = 1
    currency: str = ""
    stated: bool = False
    shares: int = 1


@dataclass(frozen=True, slots=True)
class Column:
    """One column of figures. `year` is the fiscal year (0: not known), `part` "FY", "Q1" to "Q4", "H1" or
    "9M"; a day counts as the end of the quarter that it closes (Q4 is "FY"). `ended` is the ISO day where one
    is printed. `change`: percentages and differences between columns. `other` holds words that set the
    column apart ("Restated")."""

    text: str
    year: int = 0
    part: str = ""
    ended: str = ""
    change: bool = False
    other: str = ""
    unit: ColumnUnit | None = None


def read_unit(text: str) -> ColumnUnit:
    """The scale and currency that a head, a title or the lines above a table state."""
    folded = fold(text)
    scales = header_scales(folded)
    currency_mark = _RE["currency"].search(folded)
    name = (currency_mark.group().lower() if currency_mark else "").replace("dollars", "$")
    found = next((c for _, c in scales if c), "") or CURRENCY_BEFORE.get(name, "")
    found = "USD" if found == "$" else found
    factor = int(scales[0][0]) if scales else 1
    shares = 1 if _RE["shares_apart"].search(_RE["per_share"].sub("", folded)) else factor
    if (m := _RE["shares_in"].search(folded)) and "except" in folded.lower():
        shares = 1000 if m["scale"].lower() == "thousands" else 1_000_000
    return ColumnUnit(factor, found, bool(scales) or _RE["plain_unit"].search(text) is not None, shares)


def read_columns(
    common: str, heads: Sequence[str], facts: ReportFacts, *, instant: bool
) -> tuple[Column, ...]:
    """The columns of a table. `instant`: figures of a day (a balance sheet), not of a period."""
    years = [year for head in heads for year in _years(head)] or _years(common)
    anchor = _anchor(years, facts)
    return tuple(_column(common, head, facts, anchor, instant) for head in heads)


def _anchor(years: Sequence[int], facts: ReportFacts) -> int:
    """The year that bare years call the report's own: its fiscal year, but for a table that goes by the
    calendar year in which that ends."""
    own = facts.years[0] if facts.years else 0
    closes = int(facts.ended[:4]) if facts.ended else 0
    if closes in years and not set(facts.years) & set(years):
        return closes
    return own or closes or max(years, default=0)


def _column(common: str, head: str, facts: ReportFacts, anchor: int, instant: bool) -> Column:
    column = Column(head, change=_RE["change"].search(head) is not None, other=_other(head))
    unit = read_unit(head)
    if unit.stated:
        column = replace(column, unit=unit)
    if column.change and not re.search(r"amount|金额", head, re.I):
        return column
    own = _years(head)
    day = _day(head) or (_day_of_year(common, head, own[0]) if own else _day(common))
    months = _months(head) or _months(common)
    current = facts.years[0] if facts.years else anchor
    if day is not None:
        year, quarter = fiscal_day(day, facts)
        span = None if instant else months or (12 if facts.part in ("FY", "") else None)
        return replace(column, year=year, part=part_of(quarter, span), ended=day.isoformat())
    part = _word_part(head, common, months, facts, instant)
    if own:
        return replace(column, year=current + own[0] - anchor if anchor else own[0], part=part)
    if _RE["previous"].search(head) and current:
        return replace(column, year=current - 1, part="FY" if _RE["opening"].search(head) else part)
    return replace(column, year=current, part=part) if _RE["current"].search(head) and current else column


def _other(head: str) -> str:
    """Words of a head that say more than a period, a unit and an audit."""
    plain = _RE["no_words"].sub(" ", head)
    words = re.findall(r"[A-Za-z]{3,}|[\u4e00-\u9fff]+", plain)
    return " ".join(w for w in words if w.lower().rstrip(".") not in _PERIOD_WORDS)


def _day(text: str) -> date | None:
    days = (_as_date(found.period) for found in dates(with_capitals(fold(text))))
    return next((day for day in days if day), None)


def _as_date(p: Period) -> date | None:
    try:
        return date(p.year, p.month, p.day) if p.year and p.month and p.day else None
    except ValueError:
        return None


def _day_of_year(common: str, head: str, year: int) -> date | None:
    """The day of "Years ended December 31, | 2022": from both."""
    for f in (f for text in (head, common) for f in dates(with_capitals(fold(text)))):
        if f.period.month and f.period.day and not f.period.year:
            return _as_date(replace(f.period, year=year))
    return None


def _years(text: str) -> list[int]:
    text = _RE["short_year"].sub(r"FY20\1", fold(text))
    return [f.period.year for f in dates(with_capitals(text)) if f.period.year]


def _months(text: str) -> int | None:
    """How many months a head says that its period has."""
    if m := _RE["months"].search(text):
        if m["quarter"]:
            return 3
        count = int(numerals(m["n"])[0].value)
        if m["unit"].lower().startswith("week"):
            return max(1, round(count / 13)) * 3 if count >= 12 else None
        return count
    if _RE["nine_word"].search(text):
        return 9
    if _RE["half_word"].search(text):
        return 6
    return 12 if _RE["years_ended"].search(text) else None


def fiscal_day(day: date, facts: ReportFacts) -> tuple[int, int]:
    """The fiscal year and quarter that a day closes, by the report's own period and its last day."""
    if not (facts.years and facts.ended):
        return day.year, _QUARTERS.get(facts.part, 4)
    last = date.fromisoformat(facts.ended)
    back = round((last - day).days / (3 * _DAYS_A_MONTH))
    index = 4 * facts.years[0] + _QUARTERS.get(facts.part, 4) - back
    return (index - 1) // 4, (index - 1) % 4 + 1


def part_of(quarter: int, months: int | None) -> str:
    """The part of a year: what ends with a quarter after so many months; None: a day, or not said."""
    if months is None:
        return "FY" if quarter == 4 else f"Q{quarter}"
    if months == 3:
        return f"Q{quarter}"
    return {(6, 2): "H1", (9, 3): "9M", (12, 4): "FY", (6, 4): "H2"}.get((months, quarter), f"{months}M")


def _word_part(head: str, common: str, months: int | None, facts: ReportFacts, instant: bool) -> str:
    for text in (head, common):
        if m := _RE["quarter_word"].search(text):
            return f"Q{numerals(m['q'] or m['q1'] or m['zq'])[0].value}"
        if _RE["half_word"].search(text):
            return "H1"
    quarter = _QUARTERS.get(facts.part, 4)
    if instant:
        return part_of(quarter, None)
    if months is None:
        return facts.part if facts.part in _QUARTERS and facts.part != "Q4" else "FY"
    return part_of(quarter, months)
