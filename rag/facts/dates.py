"""Dates, and periods of calendar and fiscal years, in any spelling.

`dates` reads what is known of a date: any of year, quarter, half, month, day. Two are compared by these
parts: "March 2021" holds 5 March 2021; the reverse needs a day that the coarser text does not have.

`read_periods` reads the periods of questions, titles, file names and covers: FY2018, FY 18, fiscal 2018,
2018年度, 二〇一八年; Q2 2023, Q22023, Q2'23, 2Q23, second quarter of FY2024, 2023年三季报; H1 FY2023, 上半年;
year ended 31 December 2018; ranges (FY2016 - FY2018, FY2016-18). "The last quarter" is the fourth where a
year follows, else it may be any."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache

from rag.facts.numerals import (
    CURRENCY_AFTER,
    HAN_DIGITS,
    NUMERALS,
    SCALES,
    UNITS,
    Taken,
    alternatives,
    fold,
    parse_han,
)
from rag.languages import Patterns, union

MONTHS = union(lambda language: language.months)
MONTH_NAME = "|".join(sorted(MONTHS, key=len, reverse=True))
"""A regular expression of the names of months and their short forms, in lower case."""
_IN_LOWER_CASE = re.compile(rf"\b(?:{MONTH_NAME})\b")
# Month names are capitals: "may" and "march" are also words.
_MONTH = (
    "(?:"
    + "|".join(f"{n.capitalize()}|{n.upper()}" for n in sorted(MONTHS, key=len, reverse=True))
    + r")\b\.?"
)
_ROMAN = dict(zip("I II III IV V VI VII VIII IX X XI XII".split(), range(1, 13), strict=True))
_HAN_DIGIT = f"〇○{HAN_DIGITS}"
_H = f"{_HAN_DIGIT}十"
# 2000 mg and 1500 days are no years; 2019年 is one.
_UNIT = alternatives([*CURRENCY_AFTER, *(UNITS.keys() - {"年", "月", "日"})])
_COUNTED = alternatives([*SCALES, *"股人名份"])
_ORDINALS = union(lambda language: language.ordinals)
_ORDINAL, _LAST, _FIRST_TWO = (
    "|".join(word for word, n in _ORDINALS.items() if n in which and len(word) > 1)
    for which in (range(1, 5), (-1,), (1, 2))
)
_FEW = "|".join(word.upper() for word, n in NUMERALS.items() if 2 <= n <= 5)
_RE = Patterns(
    __file__, month=_MONTH, han=_H, han_digit=_HAN_DIGIT, unit=_UNIT, counted=_COUNTED, few=_FEW,
    roman="|".join(_ROMAN), scales="|".join(SCALES).upper(), ordinal=_ORDINAL, ordinals=_ORDINAL.upper(),
    last=_LAST, lasts=_LAST.upper(), first_two=_FIRST_TWO, first_twos=_FIRST_TWO.upper(),
)  # fmt: skip
_periods_named = cache(lambda: _RE.table("period"))


@dataclass(frozen=True, slots=True)
class Period:
    """The known parts of a date; None: not said. `decade` marks "1990s" (year 1990). `time` is minutes
    after midnight. `swapped` is the other reading of a numeric date whose day and month cannot be
    distinguished."""

    year: int | None = None
    month: int | None = None
    day: int | None = None
    quarter: int | None = None
    half: int | None = None
    decade: bool = False
    time: int | None = None
    swapped: tuple[int, int] | None = None

    @property
    def parts(self) -> dict[str, int]:
        names = ("year", "month", "day", "quarter", "half", "time")
        return {n: value for n in names if (value := getattr(self, n)) is not None} | (
            {"decade": 1} if self.decade else {}
        )

    @property
    def iso(self) -> str:
        """ISO date of a day, or the first of a month; "" for anything coarser or for 3/4/2021, which may be
        either."""
        exact = self.year and self.month and not self.swapped
        return f"{self.year:04d}-{self.month:02d}-{self.day or 1:02d}" if exact else ""


@dataclass(frozen=True, slots=True)
class FoundDate:
    start: int
    end: int
    period: Period


def _numeric(m: re.Match[str]) -> Period | None:
    a, b, year = int(m["a"]), int(m["b"]), int(m["y"])
    if a > 12:
        return Period(year, b, a) if b <= 12 else None
    return Period(year, a, b, swapped=(b, a) if b <= 12 and a != b else None) if b <= 31 else None


def _parts(m: re.Match[str]) -> Period | None:
    """The period of the groups y, m, d, q, h (half) and `last` (the last quarter)."""
    groups = m.groupdict()
    numbers = {n: (_year if n == "y" else _number)(groups[n]) for n in "ymdqh" if groups.get(n)}
    said = {name: n for name, n in numbers.items() if n is not None}
    if said.get("m", 1) > 12 or said.get("d", 1) > 31:
        return None
    if groups.get("last"):
        said["q"] = 4
        if "y" not in said:
            return None
    return Period(said.get("y"), said.get("m"), said.get("d"), said.get("q"), said.get("h"))


def _number(text: str) -> int | None:
    """A year, a month by its name or number, a day, the number of a quarter or a half; None for no number."""
    word = text.lower().rstrip(".")
    if known := MONTHS.get(word) or _ORDINALS.get(word) or _ROMAN.get(text):
        return known
    if digits := re.sub(r"\D", "", text):
        return int(digits)
    value = parse_han(text)
    return None if value is None else int(value)


def _clock(m: re.Match[str]) -> Period | None:
    hour, minute = int(m["h"]), int(m["min"] or 0)
    half = (m["ap"] or "").lower().replace(".", "")
    if hour > 24 or minute > 59 or (half and hour > 12):
        return None
    return Period(time=(hour % 12 + (12 if half == "pm" else 0) if half else hour) * 60 + minute)


# What reads the parts of a date; `_parts` where none is named.
_READERS: dict[str, Callable[[re.Match[str]], Period | None]] = {
    "digit_numeric": _numeric, "digit_decade": lambda m: Period(int(m["y"]), decade=True),
    "clock_minutes": _clock, "clock_hours": _clock,
}  # fmt: skip


@cache
def _shapes() -> list[tuple[str, re.Pattern[str], Callable[[re.Match[str]], Period | None]]]:
    """What a text has to hold for a shape of dates, the shape, and what reads its parts."""
    shapes = _RE.table("date").items()
    return [(name.split("_")[0], pattern, _READERS.get(name, _parts)) for name, pattern in shapes]


# What a pattern cannot do without, so that most texts are spared most patterns.
_HINTS = {
    "digit": r"\d", "month": _MONTH, "han": "[年月季]", "Q": r"[Qq][1-4]", "quarter": "quarter",
    "half": r"half|\bH[12]",
    "FY": r"[Ff][Yy]|iscal", "clock": r"\d:\d|\d\s*[ap]\.?m",
}  # fmt: skip


def _year(text: str) -> int:
    """The year of four digits, of Chinese ones, or of two: those of this century up to 69."""
    year = _number(text) or 0
    return year if len(text) != 2 else year + (2000 if year < 70 else 1900)


def with_capitals(text: str) -> str:
    """A text of small letters with the capitals of its months, by which dates are known."""
    return _IN_LOWER_CASE.sub(lambda m: m.group().title(), text)


def dates(text: str) -> list[FoundDate]:
    """Dates of a folded text (`rag.facts.numerals.fold`), in order, without overlaps; earlier
    patterns win."""
    taken: list[FoundDate] = []
    taken_at = Taken(text)
    hints = {name for name, hint in _HINTS.items() if re.search(hint, text)}
    for _, pattern, read in (shape for shape in _shapes() if shape[0] in hints) if hints else ():
        for match in pattern.finditer(text):
            period = read(match) if taken_at.free(*match.span()) else None
            if period is not None:
                taken.append(FoundDate(match.start(), match.end(), period))
                taken_at.take(*match.span())
    return sorted(taken, key=lambda f: f.start)


# A year in digits, full-width ones too, or in Chinese ones; without one a date has no token.
_YEAR_LIKE = re.compile(rf"\d\d|[{_HAN_DIGIT}]{{4}}")


def date_tokens(found: Sequence[FoundDate], *, parts: bool = False) -> tuple[str, ...]:
    """The search tokens of days and months, one for all spellings ("d20230630"), both for a day whose month
    cannot be told; with `parts` those of a day's month, too ("d202306"). None for a date without a year."""
    tokens = []
    for p in (f.period for f in found if f.period.year and f.period.month):
        for month, day in filter(None, ((p.month, p.day), p.swapped)):
            whole = f"d{p.year}{month:02}"
            tokens += [f"{whole}{day:02}", *([whole] if parts else [])] if day else [whole]
    return tuple(dict.fromkeys(tokens))


def dated(text: str) -> tuple[str, ...]:
    """The search tokens of the dates that a text states, with those of their months."""
    return date_tokens(dates(fold(text)), parts=True) if _YEAR_LIKE.search(text) else ()


def holds(source: Period, claim: Period) -> bool:
    """True where every part that the claim names stands in the source with the same value."""
    have = source.parts
    readings = [claim] if claim.swapped is None else [claim, Period(claim.year, *claim.swapped)]
    if source.swapped is not None:
        readings += [Period(r.year, r.day, r.month) for r in readings if r.day is not None]
    return any(all(have.get(name) == value for name, value in r.parts.items()) for r in readings)


def contradicts(source: Period, claim: Period) -> bool:
    """True where a part named by both differs."""
    have = source.parts
    return any(name in have and have[name] != value for name, value in claim.parts.items())


# --- Fiscal periods, in a text of capitals


_MOST_YEARS = 12


@dataclass(frozen=True, slots=True)
class FiscalPeriod:
    """A period as a text names it at `[start, end)`: `year` (0: not said), `part` ("Q1" to "Q4", "H1", "H2",
    "9M", "FY" where the whole year or its end is spoken of, else ""), `ended` (ISO day, where one is named).
    `inner` marks a year that only lies inside a range."""

    start: int
    end: int
    year: int
    part: str = ""
    ended: str = ""
    inner: bool = False


def read_periods(text: str) -> tuple[FiscalPeriod, ...]:
    """The periods that a text names, in order; the years inside a range follow its first one."""
    folded = fold(text)
    upper = folded.upper()
    if len(upper) != len(folded):  # a letter whose capital is two letters: offsets would not fit
        upper = "".join(c.upper() if len(c.upper()) == 1 else c for c in folded)
    dated = dates(folded)
    found = [*_whole_dates(folded, dated)]
    taken = Taken(text)
    for p in found:
        taken.take(p.start, p.end)
    for pattern in _periods_named().values():
        for m in pattern.finditer(upper):
            if taken.take(*m.span()):
                found.extend(_periods(m))
    for f in dated:  # years that no period holds
        day = f.period
        if day.year and day.day is None and not day.decade and taken.free(f.start, f.end):
            part = f"Q{day.quarter}" if day.quarter else ""
            found.append(FiscalPeriod(f.start, f.end, day.year, part))
    for n, one in enumerate(found):
        near = upper[max(0, one.start - 14) : one.end + 10]
        if not one.part and not one.ended and _RE["year_end"].search(near):
            found[n] = replace(one, part="FY")
    found.sort(key=lambda p: (p.start, p.year))
    return tuple(_averaged(upper, list(_ranges(upper, found))))


def _periods(m: re.Match[str]) -> Iterator[FiscalPeriod]:
    groups = m.groupdict()
    year = _year(groups.get("y") or groups.get("y1") or "")
    if first := groups.get("y0"):
        last = int(first) // 100 * 100 + int(groups["y"])
        if int(first) < last <= int(first) + 10:  # 2012-05 is a month
            yield from (
                FiscalPeriod(m.start(), m.end(), y, inner=int(first) < y < last)
                for y in range(int(first), last + 1)
            )
        return
    said = groups.get("part") or groups.get("part1")
    if year or said:
        yield FiscalPeriod(m.start(), m.end(), year, _part(said) if said else "")


def _part(said: str) -> str:
    """ "Q2" of "2Q", "SECOND QUARTER" or 二季报, "H1" of 上半年 or 中报."""
    if said.endswith("MONTHS"):
        return "9M"
    if said[0] in "半中":
        return "H1"
    half = "半年" in said or "HALF" in said or (len(said) == 2 and "H" in said)
    digit = re.search(r"\d", said)
    word = said[0] if said[0] > "z" else re.split(r"\W", said)[0].lower()
    n = int(digit.group()) if digit else _ORDINALS.get(word) or NUMERALS[word]
    return f"{'H' if half else 'Q'}{n if n > 0 else 4}"


def _whole_dates(folded: str, dated: Sequence[FoundDate]) -> Iterator[FiscalPeriod]:
    for f in dated:
        p = f.period
        day = p.day
        closes = folded[f.end : f.end + 1] in ("末", "底") or _RE["up_to"].search(
            folded, max(0, f.start - 40), f.start
        )
        if p.year and p.month and day is None and closes:
            day = monthrange(p.year, p.month)[1]
        if p.year and p.month and day:
            yield FiscalPeriod(f.start, f.end, p.year, "", f"{p.year:04}-{p.month:02}-{day:02}")


def _ranges(upper: str, found: list[FiscalPeriod]) -> Iterator[FiscalPeriod]:
    for n, p in enumerate(found):
        yield p
        after = found[n + 1] if n + 1 < len(found) else None
        if after is None or not 0 < p.year + 1 < after.year <= p.year + _MOST_YEARS or p.end > after.start:
            continue
        between = upper[p.end : after.start]
        joined = _RE["years_between"].fullmatch(between) or (
            _RE["and"].fullmatch(between) and _RE["between"].search(upper[max(0, p.start - 24) : p.start])
        )
        if joined:
            yield from (
                FiscalPeriod(p.start, after.end, y, inner=True) for y in range(p.year + 1, after.year)
            )


def _averaged(upper: str, found: list[FiscalPeriod]) -> list[FiscalPeriod]:
    """ "Three-year average in FY2018" is about the two years before it, too."""
    years = {p.year for p in found if p.year}
    m = _RE["average"].search(upper) if len(years) == 1 else None
    if m is None:
        return found
    number = m["n"] or m["n1"] or m["n2"]
    n, last = int(number) if number.isdigit() else NUMERALS[number.lower()], max(years)
    at = next(p for p in found if p.year == last)
    return [FiscalPeriod(at.start, at.end, y, inner=True) for y in range(last - n + 1, last)] + found
