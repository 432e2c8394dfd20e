"""Fiscal years, quarters and halves in any spelling, of questions, titles, file names and covers.

FY2018, FY 18, fiscal 2018, 2018年度, 二〇一八年; Q2 2023, Q22023, Q2'23, 2Q23, second quarter of FY2024,
2023年三季报; H1 FY2023, 上半年; year ended 31 December 2018; ranges (FY2016 - FY2018, FY2016-18). Calendar
dates come from `rag.facts.dates`, which also distinguishes years from amounts."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass, replace

from rag.facts.dates import dates
from rag.facts.numerals import fold, parse_han

_Y = r"(?:19|20)\d{2}"
_FY = r"(?:(?:FY|FISCAL|FINANCIAL|CALENDAR|BUSINESS)(?:[ \t-]*YEARS?|[ \t-]*YR)?|\bYEAR)[ \t]*-?[ \t]*"
# Two digits are a year only where nothing says that they are an amount.
_NO_AMOUNT = (
    r"(?![\d,.]*\d|[ \t]*(?:%|PERCENT|MILLION|BILLION|THOUSAND|BASIS|POINTS?|DAYS?|CENTS?|BPS)|-[KQ]\b)"
)
_YEAR = rf"'?(?P<y>{_Y}|\d\d){_NO_AMOUNT}(?!\w)"
_YEAR_BEFORE = rf"(?<![\w.,$])(?:{_FY}'?(?P<y>{_Y}|\d\d)|(?P<y1>{_Y}))"
_OF = r"[ \t]*(?:,|OF|FOR|IN|-|_|/)?[ \t]*(?:THE[ \t]+)?"
_ORDINAL_NAMES = "FIRST 1ST SECOND 2ND THIRD 3RD FOURTH 4TH FINAL"
_ORDINALS = dict(zip(_ORDINAL_NAMES.split(), (1, 1, 2, 2, 3, 3, 4, 4, 4), strict=True))
_ORD = "|".join(_ORDINALS)
_H = "〇○零一二三四五六七八九"
_ZH_Y = rf"(?<![\d{_H}])(?P<zy>{_Y}|[{_H}]{{4}})\s*(?:年|财年|会计)?(?:年?度|财年)?\s*(?:的?第?)"
_PART = (
    rf"(?:Q(?P<q>[1-4])|(?P<q1>[1-4])Q|H(?P<h>[12])|(?P<h1>[12])H"
    rf"|(?P<oq>{_ORD})[ \t-]+(?:FISCAL[ \t]+)?QUARTER"
    rf"|(?P<oh>FIRST|SECOND|1ST|2ND)[ \t-]+HALF|(?P<nm>NINE|9)[ \t-]*MONTHS)"
)
_ZH_PART = (
    r"(?:(?P<zq>[一二三四1-4])\s*季(?:度报告|度|报)?|Q(?P<zq1>[1-4])|(?P<zh>[上下])半年"
    r"|(?P<zm>半年度?报告?|中期报告|中报))"
)
_PATTERNS = tuple(
    re.compile(pattern)
    for pattern in (
        rf"(?<![A-Z0-9]){_PART}{_OF}(?:{_FY})?{_YEAR}",  # Q2 2023, 2Q23, second quarter of fiscal 2024
        rf"{_YEAR_BEFORE}[ \t]*[-_/,. ]?[ \t]*(?:'S[ \t]+)?{_PART}(?![A-Z0-9])",  # FY24 Q2
        rf"{_ZH_Y}{_ZH_PART}",
        rf"(?<![A-Z0-9]){_FY}'?(?P<y0>{_Y})[ \t]*[-/][ \t]*'?(?P<y>\d\d)(?![\d%]|[.,]\d)",  # FY2018/19
        rf"(?<![\w.,$/-])(?P<y0>{_Y})[ \t]*[-/][ \t]*'?(?P<y>\d\d)(?![\w%/-]|[.,]\d)",  # 2016-18
        rf"(?<![A-Z0-9]){_FY}{_YEAR}",
        rf"(?<![\w.,$])(?P<y>{_Y})(?='S\b|[ \t]+(?:FISCAL|CALENDAR|FINANCIAL"
        rf"|FULL)?[ \t-]*YEARS?\b)",  # 2022 year-end
        rf"(?<![\d{_H}])(?P<zy>{_Y}|[{_H}]{{4}})\s*(?:年度?|财年|会计年度)(?!代|\s*[\d{_H}十]{{1,3}}\s*月)",
        rf"(?<![\d{_H}])(?P<zy>\d\d)年(?=年报|年度|财报|财年|[上下]半年|[一二三四]季)",
        rf"(?<![A-Z0-9]){_PART}(?![A-Z0-9])",  # no year
        r"第(?P<zq>[一二三四1-4])季度|(?P<zh>[上下])半年(?!内)",
    )
)
_RANGE = re.compile(
    r"[ \t]*(?:-+|~|TO|THROUGH|THRU|UNTIL|TILL|至"
    r"|到)[ \t]*(?:THE[ \t]+)?(?:END[ \t]+OF[ \t]+)?(?:Q[1-4][ \t]*)?"
)
_BETWEEN = re.compile(r"\bBETWEEN[ \t]+(?:THE[ \t]+)?(?:YEARS[ \t]+)?$")
_AND = re.compile(r"[ \t]+AND[ \t]+(?:THE[ \t]+)?")
_SPELLED = {"TWO": 2, "THREE": 3, "FOUR": 4, "FIVE": 5, "两": 2, "二": 2, "三": 3, "四": 4, "五": 5}
_AVERAGE = re.compile(
    r"\b(?P<n>[2-5]|TWO|THREE|FOUR|FIVE)[ \t-]*(?:YEARS?|YR"
    r"|FISCAL YEARS?)[ \t-]+(?:\w+[ \t-]+){0,2}?(?:AVERAGE|AVG|CAGR|MEAN|COMPOUND)"
    r"|\bAVERAGE[ \t]+(?:OF|OVER)[ \t]+THE[ \t]+(?:LAST|PAST)[ \t]+(?P<n1>[2-5]|TWO|THREE|FOUR"
    r"|FIVE)[ \t]+YEARS|(?P<n2>[二两三四五2-5])年(?:平均|均值|复合)"
)
_YEAR_END = re.compile(r"YEAR[ \t-]*END|END OF|FULL[ \t-]YEAR|年末|年底|全年|期末|年年?度报告|年报")
_MOST_YEARS = 12
# "The quarter to December 2025" ends on the last of that month.
_UP_TO = re.compile(
    r"\b(?:quarter|half|months|weeks|year|period)(?: (?:to|ended|ending|through|until)| of)?"
    r"(?: (?:the )?end of)? $",
    re.IGNORECASE,
)


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
    found = [*_whole_dates(folded)]
    covered = bytearray(len(text))
    for p in found:
        covered[p.start : p.end] = b"\1" * (p.end - p.start)
    for pattern in _PATTERNS:
        for m in pattern.finditer(upper):
            if any(covered[m.start() : m.end()]):
                continue
            found.extend(_periods(m))
            covered[m.start() : m.end()] = b"\1" * (m.end() - m.start())
    found.extend(_bare_years(folded, covered))
    found.sort(key=lambda p: (p.start, p.year))
    return tuple(_averaged(upper, list(_ranges(upper, [_with_end(upper, p) for p in found]))))


def _periods(m: re.Match[str]) -> Iterator[FiscalPeriod]:
    groups = m.groupdict()
    year = _year(groups.get("y") or groups.get("y1") or groups.get("zy") or "")
    if first := groups.get("y0"):
        last = int(first) // 100 * 100 + int(groups["y"])
        if not int(first) < last <= int(first) + 10:
            return  # 2012-05 is a month
        yield from (
            FiscalPeriod(m.start(), m.end(), y, inner=int(first) < y < last)
            for y in range(int(first), last + 1)
        )
        return
    part = _part(groups)
    if year or part:
        yield FiscalPeriod(m.start(), m.end(), year, part)


def _part(groups: dict[str, str | None]) -> str:
    quarter = groups.get("q") or groups.get("q1") or groups.get("zq") or groups.get("zq1")
    if quarter:
        return f"Q{quarter if quarter.isdigit() else '一二三四'.index(quarter) + 1}"
    if spelled := groups.get("oq"):
        return f"Q{_ORDINALS[spelled]}"
    half = groups.get("h") or groups.get("h1")
    if half or (half := groups.get("oh")):
        return f"H{half if half.isdigit() else _ORDINALS[half]}"
    if groups.get("zm"):
        return "H1"
    if groups.get("nm"):
        return "9M"
    return {"上": "H1", "下": "H2"}.get(groups.get("zh") or "", "")


def _year(text: str) -> int:
    if not text:
        return 0
    if not text.isdigit():
        return int(parse_han(text) or 0)
    return int(text) if len(text) == 4 else (2000 if int(text) < 70 else 1900) + int(text)


def _whole_dates(folded: str) -> Iterator[FiscalPeriod]:
    for f in dates(folded):
        p = f.period
        if not (p.year and p.month):
            continue
        day = p.day
        if day is None and _UP_TO.search(folded[max(0, f.start - 40) : f.start]):
            day = monthrange(p.year, p.month)[1]
        if day:
            yield FiscalPeriod(f.start, f.end, p.year, "", f"{p.year:04}-{p.month:02}-{day:02}")


def _bare_years(folded: str, covered: bytearray) -> Iterator[FiscalPeriod]:
    for f in dates(folded):
        if (
            not any(covered[f.start : f.end])
            and f.period.year
            and not f.period.decade
            and f.period.day is None
        ):
            part = f"Q{f.period.quarter}" if f.period.quarter else ""
            yield FiscalPeriod(f.start, f.end, f.period.year, part)


def _with_end(upper: str, p: FiscalPeriod) -> FiscalPeriod:
    """The whole year, where the words beside a year say that it, or its end, is intended."""
    near = upper[max(0, p.start - 14) : p.end + 10]
    return replace(p, part="FY") if not p.part and not p.ended and _YEAR_END.search(near) else p


def _ranges(upper: str, found: list[FiscalPeriod]) -> Iterator[FiscalPeriod]:
    for n, p in enumerate(found):
        yield p
        after = found[n + 1] if n + 1 < len(found) else None
        if after is None or not 0 < p.year + 1 < after.year <= p.year + _MOST_YEARS or p.end > after.start:
            continue
        between = upper[p.end : after.start]
        joined = _RANGE.fullmatch(between) or (
            _AND.fullmatch(between) and _BETWEEN.search(upper[max(0, p.start - 24) : p.start])
        )
        if joined:
            yield from (
                FiscalPeriod(p.start, after.end, y, inner=True) for y in range(p.year + 1, after.year)
            )


def _averaged(upper: str, found: list[FiscalPeriod]) -> list[FiscalPeriod]:
    """ "Three-year average in FY2018" is about the two years before it, too."""
    years = {p.year for p in found if p.year}
    m = _AVERAGE.search(upper) if len(years) == 1 else None
    if m is None:
        return found
    number = m["n"] or m["n1"] or m["n2"]
    n, last = int(number) if number.isdigit() else _SPELLED[number], max(years)
    at = next(p for p in found if p.year == last)
    return [FiscalPeriod(at.start, at.end, y, inner=True) for y in range(last - n + 1, last)] + found
