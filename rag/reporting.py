"""Which fiscal year and quarter a company's report is for.

A year that ends in January or February is called by the year before (most retailers) or by the year it ends
in: what the first pages say decides, then the file name; where nothing does, both readings are kept. So it
is for a quarter whose fiscal year ends in the next calendar year."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import islice

from rag.dates import dates
from rag.fiscal import FiscalPeriod, read_periods
from rag.numerals import fold

_ENDED = re.compile(
    r"(?:years?|quarters?|quarterly period|months|weeks|periods?)[ \t]+ended\b[:,]?|date of report"
    r"|period(?: of)? report:?"
    r"|截[至止]|报告期",
    re.I,
)
_REPORTED = re.compile(r"\breported\b|\bdated?\b|[-–—:,(]\s", re.I)
_UNTIL = re.compile(r"\s*(?:至|到|-|to|through)\s*", re.I)
_AS_OF = re.compile(r"\bas (?:of|at)\b|\bended\b", re.I)
_SAID = re.compile(
    r"\b(?:fiscal(?:[ \t]+year)?|FY)[ \t]*-?'?[ \t]*((?:19|20)\d{2})\b(?!\s*(?:outlook|guidance|target))",
    re.I,
)
_AHEAD = re.compile(r"\b(?:outlook|guidance|expect\w*|target\w*|forecast\w*|for) (?:for )?(?:the )?$", re.I)
_MONTHS = re.compile(
    r"\b(three|six|nine|twelve|3|6|9|12|twenty-six|thirty-nine|thirteen|26|39|13)[- ]+(?:months?"
    r"|weeks?)(?![ \t]*(?:notice|after|before|prior))",
    re.I,
)
_QUARTER_OF = {
    "three": 1, "3": 1, "thirteen": 1, "13": 1, "six": 2, "6": 2, "twenty-six": 2, "26": 2,
    "nine": 3, "9": 3, "thirty-nine": 3, "39": 3, "twelve": 4, "12": 4,
}  # fmt: skip


def period_end(cover: str, head: str) -> str:
    """The day on which the reported period ended (of an 8-K: the day reported), as an ISO date; "" where
    none is named."""
    dated = _days(cover, _REPORTED)
    return (
        max(_days(cover, _ENDED), default="")
        or next((day for day in dated if not 3 < int(day[8:]) < 28), "")  # a title rather dates the period
        or max(_days(head[:2500], _ENDED), default="")
        or next(iter(_days(head, _ENDED)), "")
        or next(iter(dated), "")
        or next(iter(_days(head, _AS_OF)), "")
    )


def _days(text: str, pattern: re.Pattern[str]) -> list[str]:
    """The days right behind such words, as ISO dates, in order; of a range of days, the last one."""
    folded = fold(text)
    found = []
    for m in islice(pattern.finditer(folded), 8):
        behind = folded[m.end() : m.end() + 70]
        days = [
            f for f in dates(behind.title() if behind.isupper() else behind) if f.period.year and f.period.day
        ]
        if not days or days[0].start > 22:
            continue
        last = days[1] if len(days) > 1 and _UNTIL.fullmatch(behind[days[0].end : days[1].start]) else days[0]
        p = last.period
        found.append(f"{p.year:04}-{p.month or 1:02}-{p.day:02}")
    return found


def fiscal_year(
    end: str, part: str, named: Sequence[FiscalPeriod], titled: Sequence[FiscalPeriod], head: str
) -> str:
    """ "2022", or "2022|2023" where both readings are possible, the likelier first; "" where nothing tells.

    `end` is the ISO day of `period_end`, `named` and `titled` the periods of file name and title."""
    from_file = next((p.year for p in named if p.year), 0)
    from_title = next((p.year for p in titled if p.year and not p.ended), 0)
    if not end:
        year = from_file or from_title or _most_said(head, None)
        return str(year) if year else ""
    candidates = _candidates(end, part)
    said = _most_said(head, candidates)
    readings = [y for y in (said, from_title if from_title in candidates else 0) if y]
    if from_file and abs(from_file - int(end[:4])) <= 1:
        readings.append(from_file)
    if not said:
        readings += candidates  # only a label speaks for the first reading
    return "|".join(map(str, list(dict.fromkeys(readings))[:2]))


def _candidates(end: str, part: str) -> tuple[int, ...]:
    """The years by which a period ending on a day may be called, the likelier first: those of the fiscal year
    in which it lies, that ends with it or one to three quarters later."""
    year, month, day = int(end[:4]), int(end[5:7]), int(end[8:10])
    if day <= 7:  # a quarter of 13 weeks that ends a few days into the next month
        year, month = (year, month - 1) if month > 1 else (year - 1, 12)
    month += 3 * (4 - int(part[1])) if part[:1] == "Q" else 6 if part == "H1" else 3 if part == "9M" else 0
    year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
    return (year - 1, year) if month <= 2 else (year,)


def _most_said(head: str, among: Sequence[int] | None) -> int:
    """The fiscal year that the first pages speak of, where they speak of one clearly more than of others."""
    counts: Counter[int] = Counter()
    for m in _SAID.finditer(head):
        year = int(m.group(1))
        if not _AHEAD.search(head[max(0, m.start() - 24) : m.start()]) and (among is None or year in among):
            counts[year] += 1
    ranked = counts.most_common(2)
    if not ranked or (len(ranked) > 1 and ranked[0][1] < 2 * ranked[1][1]):
        return 0
    return ranked[0][0]


def quarter(title: str, head: str, end: str) -> str:
    """The quarter of a quarterly report or a release by its own words ("second quarter", "six months ended"),
    else by the month in which it ended; "FY" for a release of a whole year."""
    for text in (title, head[:800]):
        parts = [p.part for p in read_periods(text) if p.part.startswith("Q")]
        if re.search(r"\bfull[ -]year|\bannual results|全年", text, re.I) and not any(
            p in ("Q1", "Q2", "Q3") for p in parts
        ):
            return "FY" if "Q4" not in parts else "Q4"
        if parts:
            return parts[0]
    if spans := [_QUARTER_OF[m.group(1).lower()] for m in _MONTHS.finditer(head)]:
        return f"Q{max(spans[:12])}"
    return f"Q{(int(end[5:7]) + 2) // 3}" if end else ""
