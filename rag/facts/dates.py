"""Dates and periods in English and Chinese text, compared by their parts.

A period is what is known of a date: any of year, quarter, half, month, day. "March 2021" holds 5 March
2021; the reverse needs a day that the coarser text does not have."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from rag.facts import units
from rag.facts.numerals import parse_han

_MONTHS = "january february march april may june july august september october november december"
_MONTH_NUMBER = {name: n for n, name in enumerate(_MONTHS.split(), 1)}
_MONTH_NUMBER |= {name[:3]: n for name, n in _MONTH_NUMBER.items()} | {"sept": 9}
# Month names are capitals: "may" and "march" are also words.
_MONTH = (
    "(?:"
    + "|".join(f"{n.capitalize()}|{n.upper()}" for n in sorted(_MONTH_NUMBER, key=len, reverse=True))
    + r")\b\.?"
)
_YEAR = r"(?:1[5-9]|20|21)\d{2}"
_DAY = r"(?:3[01]|[12]\d|0?[1-9])(?:st|nd|rd|th)?"
_H = "〇○零一二三四五六七八九十"
_ZH_YEAR = rf"(?:{_YEAR}|[〇○零一二三四五六七八九]{{4}})"
# 2000 mg and 1500 days are no years; 2019年 is one.
_TIME_WORDS = {name: u for name, u in units.TIME.items() if name not in ("年", "月", "日")}
_UNIT = "|".join(units.alternatives(t) for t in (units.MEASURE, units.CURRENCY_AFTER, _TIME_WORDS))
_ORDINALS = "first second third fourth 1st 2nd 3rd 4th last"
_ORDINAL = dict(zip(_ORDINALS.split(), (1, 2, 3, 4, 1, 2, 3, 4, 4), strict=True))
_ORD = "|".join(_ORDINAL)
_HALF = {"first": 1, "second": 2, "上": 1, "下": 2}


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


@dataclass(frozen=True, slots=True)
class FoundDate:
    start: int
    end: int
    period: Period


def _number(text: str) -> int | None:
    digits = re.sub(r"\D", "", text)
    if digits:
        return int(digits)
    value = parse_han(text)
    return None if value is None else int(value)


def _month(name: str) -> int:
    return _MONTH_NUMBER[name.lower().rstrip(".")]


def _numeric(m: re.Match[str]) -> Period | None:
    a, b, year = int(m["a"]), int(m["b"]), int(m["y"])
    if a > 12 and b <= 12:
        return Period(year, b, a)
    if a > 12 or b > 31:
        return None
    return Period(year, a, b, swapped=(b, a) if b <= 12 and a != b else None)


def _zh_date(m: re.Match[str]) -> Period | None:
    year, month, day = (_number(m[name]) if m[name] else None for name in ("y", "m", "d"))
    if (month or 1) > 12 or (day or 1) > 31:
        return None
    return Period(year, month, day)


def _clock(m: re.Match[str]) -> Period | None:
    hour, minute = int(m["h"]), int(m["min"] or 0)
    half = (m["ap"] or "").lower().replace(".", "")
    if hour > 24 or minute > 59 or (half and hour > 12):
        return None
    return Period(time=(hour % 12 + (12 if half == "pm" else 0) if half else hour) * 60 + minute)


_Reader = Callable[[re.Match[str]], Period | None]
_PATTERNS: tuple[tuple[re.Pattern[str], _Reader], ...] = tuple(
    (re.compile(pattern), reader)
    for pattern, reader in (
        (rf"(?<![\d.])(?P<y>{_YEAR})([-/.])(?P<m>1[0-2]|0?[1-9])\2(?P<d>3[01]|[12]\d|0?[1-9])(?![\d])",
         lambda m: Period(int(m["y"]), int(m["m"]), int(m["d"]))),
        (rf"(?<![\d./])(?P<a>\d{{1,2}})([/.-])(?P<b>\d{{1,2}})\2(?P<y>{_YEAR})(?!\d)", _numeric),
        (rf"\b(?P<m>{_MONTH})\s+(?P<d>{_DAY})\b(?!\s*%)(?:\s*,?\s+(?P<y>{_YEAR})\b)?",
         lambda m: Period(int(m["y"]) if m["y"] else None, _month(m["m"]), _number(m["d"]))),
        (rf"\b(?P<d>{_DAY})\s+(?:day\s+)?(?:of\s+)?(?P<m>{_MONTH})(?:\s*,?\s+(?P<y>{_YEAR})\b)?",
         lambda m: Period(int(m["y"]) if m["y"] else None, _month(m["m"]), _number(m["d"]))),
        (rf"\b(?P<m>{_MONTH})\s*,?\s+(?:of\s+)?(?P<y>{_YEAR})\b",
         lambda m: Period(int(m["y"]), _month(m["m"]))),
        (rf"(?<![\d{_H}])(?P<y>{_ZH_YEAR})\s*年\s*(?P<m>[\d{_H}]{{1,3}})\s*月(?:份)?(?:\s*(?P<d>[\d{_H}]{{1,3}})\s*[日号])?",
         _zh_date),
        (rf"(?<![\d{_H}年])(?P<y>)(?P<m>[\d{_H}]{{1,3}})\s*月\s*(?P<d>[\d{_H}]{{1,3}})\s*[日号]", _zh_date),
        (rf"(?<![\d{_H}])(?P<y>{_ZH_YEAR})\s*年?(?:度)?\s*第?(?P<q>[一二三四1-4])\s*季度?",
         lambda m: Period(_number(m["y"]), quarter=_number(m["q"]))),
        (rf"(?<![\d{_H}])(?P<y>{_ZH_YEAR})\s*年(?:度)?(?P<h>[上下])半年",
         lambda m: Period(_number(m["y"]), half=_HALF[m["h"]])),
        (rf"\b[Qq](?P<q>[1-4])[\s-]*(?:of\s+)?(?:[Ff][Yy]|fiscal(?: year)?)?\s*'?(?P<y>{_YEAR}|\d\d)\b",
         lambda m: Period(_full_year(m["y"]), quarter=int(m["q"]))),
        (rf"\b(?P<y>{_YEAR})\s*[Qq](?P<q>[1-4])\b", lambda m: Period(int(m["y"]), quarter=int(m["q"]))),
        (r"\b[Qq](?P<q>[1-4])\b", lambda m: Period(quarter=int(m["q"]))),
        (rf"\b(?P<q>(?i:{_ORD}))\s+(?:fiscal\s+)?quarter(?:\s*,?\s+(?:of\s+)?(?:the\s+year\s+)?(?:fiscal\s+)?(?:year\s+)?(?P<y>{_YEAR})\b)?",
         lambda m: Period(int(m["y"]) if m["y"] else None, quarter=_ORDINAL[m["q"].lower()])),
        (rf"\b(?P<h>(?i:first|second))\s+half\s+of\s+(?:fiscal\s+)?(?:year\s+)?(?P<y>{_YEAR})\b",
         lambda m: Period(int(m["y"]), half=_HALF[m["h"].lower()])),
        (rf"\bH(?P<h>[12])\s*(?P<y>{_YEAR})\b", lambda m: Period(int(m["y"]), half=int(m["h"]))),
        (rf"\b(?:[Ff][Yy]|[Ff]iscal(?:\s+[Yy]ear)?s?)[\s-]*'?(?P<y>{_YEAR}|\d\d)\b",
         lambda m: Period(_full_year(m["y"]))),
        (rf"(?<![\d,.])(?P<y>{_YEAR})s\b", lambda m: Period(int(m["y"]), decade=True)),
        (rf"(?<![\d{_H}])(?P<y>{_ZH_YEAR})\s*(?:年度?|财年|会计年度)(?!代)",
         lambda m: Period(_number(m["y"]))),
        (r"(?<![\d:])(?P<h>\d{1,2}):(?P<min>\d{2})(?::\d\d)?(?!\d)\s*(?P<ap>[ap]\.?m\b\.?)?", _clock),
        (r"(?<![\d:.])\b(?P<h>\d{1,2})(?P<min>)\s*(?P<ap>[ap]\.?m\b\.?)", _clock),
        (rf"(?<![\w.,$€£¥/])(?<!\d-)(?P<y>{_YEAR})(?![\w%/]|[.,]\d|\s*(?:million|billion|thousand|[万亿千百股人名份])|\s*-?\s*(?i:{_UNIT}))",
         lambda m: Period(int(m["y"]))),
    )
)  # fmt: skip


def _full_year(text: str) -> int:
    return int(text) if len(text) == 4 else 2000 + int(text)


def dates(text: str) -> list[FoundDate]:
    """Dates and periods of a folded text (`rag.facts.numerals.fold`), in order, without overlaps; earlier
    patterns win."""
    taken: list[FoundDate] = []
    covered = bytearray(len(text))
    for pattern, reader in _PATTERNS:
        for match in pattern.finditer(text):
            period = None if any(covered[match.start() : match.end()]) else reader(match)
            if period is not None:
                taken.append(FoundDate(match.start(), match.end(), period))
                covered[match.start() : match.end()] = b"\1" * (match.end() - match.start())
    return sorted(taken, key=lambda f: f.start)


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
