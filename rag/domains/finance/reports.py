"""Kinds of company reports, the fiscal year and quarter that one is for, and how far a report agrees with
those that a question names.

A year that ends in January or February is called by the year before (most retailers) or by the year it ends
in: what the first pages say decides, then the file name; where nothing does, both readings are kept. So it
is for a quarter whose fiscal year ends in the next calendar year."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice

from rag.documents.catalogue import Catalogue, derived
from rag.facts.dates import FiscalPeriod, dates, read_periods
from rag.facts.numerals import SPELLED, fold, numerals
from rag.types.documents import Metadata, several, single

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
    rf"\b({SPELLED})[- ]+(months?|weeks?)(?![ \t]*(?:notice|after|before|prior))",
    re.I,
)


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
) -> tuple[str, ...]:
    """("2022",), or two where both readings are possible, the likelier first; () where nothing decides.

    `end` is the ISO day of `period_end`, `named` and `titled` the periods of file name and title."""
    from_file = next((p.year for p in named if p.year), 0)
    from_title = next((p.year for p in titled if p.year and not p.ended), 0)
    if not end:
        year = from_file or from_title or _commonest_year(head, None)
        return (str(year),) if year else ()
    candidates = _candidates(end, part)
    said = _commonest_year(head, candidates)
    readings = [y for y in (said, from_title if from_title in candidates else 0) if y]
    if from_file and abs(from_file - int(end[:4])) <= 1:
        readings.append(from_file)
    if not said:
        readings += candidates  # only a label speaks for the first reading
    return tuple(map(str, dict.fromkeys(readings)))[:2]


def _candidates(end: str, part: str) -> tuple[int, ...]:
    """The years by which a period ending on a day may be called, the likelier first: those of the fiscal year
    in which it lies, that ends with it or one to three quarters later."""
    year, month, day = int(end[:4]), int(end[5:7]), int(end[8:10])
    if day <= 7:  # a quarter of 13 weeks that ends a few days into the next month
        year, month = (year, month - 1) if month > 1 else (year - 1, 12)
    month += 3 * (4 - int(part[1])) if part[:1] == "Q" else 6 if part == "H1" else 3 if part == "9M" else 0
    year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
    return (year - 1, year) if month <= 2 else (year,)


def _commonest_year(head: str, among: Sequence[int] | None) -> int:
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
    counts = ((int(numerals(m[1])[0].value), 3 if m[2][0] in "mM" else 13) for m in _MONTHS.finditer(head))
    if spans := [n // each for n, each in counts if n % each == 0 and 0 < n <= 39 and n // each <= 4]:
        return f"Q{max(spans[:12])}"
    return f"Q{(int(end[5:7]) + 2) // 3}" if end else ""


# Kinds of reports, as questions, titles, file names and covers name them

ANNUAL = frozenset(("10-K", "20-F", "40-F", "annual report"))
QUARTERLY = frozenset(("10-Q", "quarterly report"))

_PATTERNS = (
    ("10-K", r"\b10[- ]?K(?:T|SB|405)?(?:/A)?\b"),
    ("10-Q", r"\b10[- ]?Q(?:T|SB)?(?:/A)?\b"),
    ("8-K", r"\b8[- ]?K(?:/A)?\b"),
    ("20-F", r"\b20[- ]?F(?:/A)?\b"),
    ("40-F", r"\b40[- ]?F(?:/A)?\b"),
    ("6-K", r"\b6[- ]?K(?:/A)?\b"),
    ("proxy statement", r"\bproxy statements?\b|\bDEF[ -]?14A\b"),
    ("prospectus", r"\bprospectus(?:es)?\b|\b(?:form )?S-1\b|\b424B\d?\b|招股(?:说明|意向)书"),
    ("earnings", r"\bearnings[ -]+(?:press[ -]+)?(?:release|report|announcement|call|presentation"
                 r"|update|statement)s?\b"
                 r"|\b(?:press|results) release\b|\bresults announcement\b|业绩(?:公告|快报|发布)"),
    ("interim report", r"\b(?:interim|half[- ]year(?:ly)?|semi-?annual) (?:financial )?(?:report"
                       r"|results|statements)\b"
                       r"|半年度?报告?|中期报告|中报"),
    ("quarterly report", r"\bquarterly (?:financial )?reports?\b|[一三]季度?报告?|季度报告|季报"),
    ("annual report", r"\bannual (?:financial )?reports?\b|\breport and accounts\b"
                      r"|(?<!半)年度?报告?(?=$|[^酬表])"),
)  # fmt: skip
_ASKED = tuple((form, re.compile(pattern, re.I)) for form, pattern in _PATTERNS)
_FILED = re.compile(r"(?:^|\n)\W*form\s+(10-[KQ]|8-K|20-F|40-F|6-K)T?(?:/A)?\b", re.I)
_RESULTS = re.compile(
    r"(?:reports?|announces?|reported|announced|delivers?|posts?|releases?"
    r"|provides)\b[^.\n]{0,80}?\b(?:results|earnings|sales growth)\b"
    r"|\b(?:quarter(?:ly)?|full[ -]year|half[ -]year|annual"
    r"|fiscal (?:year )?\d{4})[^.\n]{0,30}? (?:financial )?results\b"
    r"|\bearnings\b(?=[^a-z]*$)",
    re.I,
)
_FOR_RELEASE = re.compile(r"for immediate release|exhibit 99|press release", re.I)
_FAMILY = (ANNUAL, QUARTERLY | {"interim report"}, frozenset(("8-K", "6-K", "earnings")))


def asked_forms(question: str) -> tuple[str, ...]:
    """The forms that a question names, each once: ("10-K",)."""
    found = [(m.start(), form) for form, pattern in _ASKED if (m := pattern.search(question))]
    return tuple(form for _, form in sorted(found))


def document_form(title: str, stem: str, head: str) -> str:
    """The form of a document by its title, its file name, or the words with which it begins; "" for other
    documents."""
    if cover := _FILED.search(head[:1500]):
        return cover.group(1).upper()
    for text in (title, stem.replace("-", " "), stem):
        if named := asked_forms(text):
            return named[0]
        if _RESULTS.search(text):
            return "earnings"
    opening = head[:1500]
    return "earnings" if _RESULTS.search(opening) and _FOR_RELEASE.search(opening) else ""


def form_agreement(asked: str, form: str) -> float:
    """1 for the form asked for, or the filing that is its legal shape (a 10-K is an annual report), 0.6 for
    one of the same family, else -1; both named."""
    if asked == form:
        return 1.0
    general = {"annual report": ANNUAL, "quarterly report": QUARTERLY, "interim report": QUARTERLY}
    if form in general.get(asked, ()):
        return 1.0
    if any(asked in family and form in family for family in _FAMILY):
        return 0.6
    return -1.0


# Agreement with the periods that a question names

_CLOSE_DAYS = 7
_ANOTHER_DAY = 0.5
_ORDER = ("Q1", "Q2", "H1", "Q3", "9M", "Q4", "FY")


@dataclass(frozen=True, slots=True)
class ReportFacts:
    """What is known about one document: the fiscal years it may be called by, part of the year, ISO day of
    its end, form, and years that are not fiscal ones."""

    years: tuple[int, ...] = ()
    part: str = ""
    ended: str = ""
    form: str = ""
    other_years: tuple[int, ...] = ()


@derived
def report_facts(catalogue: Catalogue) -> Mapping[int, ReportFacts]:
    """The facts of every document."""
    return {
        document: ReportFacts(
            _years(meta, "fiscal_year"),
            single(meta, "fiscal_period"),
            single(meta, "period_end"),
            single(meta, "form"),
            () if meta.get("fiscal_year") else _years(meta, "year"),
        )
        for document, meta in catalogue.described()
    }


def _years(metadata: Metadata, key: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"(?:19|20)\d{2}", " ".join(several(metadata, key)))))


def period_agreement(periods: Sequence[FiscalPeriod], facts: ReportFacts) -> float:
    """How far a document's period agrees with those that a question names, -1 to 1.

    The report of the last year named is 1 (it shows the earlier ones beside it), those of the other years
    named 0.6, the next year's 0.4, that of the year after 0.1 (three years are shown); earlier ones are -1.
    A quarter asks for its own report; for the fourth, and for a whole year, the annual one is as good."""
    if not facts.years and not facts.ended:
        named = {p.year for p in periods}
        return 1.0 if named.intersection(facts.other_years) else 0.0
    if any(p.ended and _close(p.ended, facts.ended) for p in periods):
        return 1.0
    asked = {p.year for p in periods if p.year}
    main = max(asked, default=0)
    parts = {p.part for p in periods if p.year == main} - {""}
    if not asked:
        return _same_part({p.part for p in periods}, facts) * 0.5
    if facts.ended and all(p.ended for p in periods if p.year == main):
        # A day is asked for, and another one is reported on here.
        return min(_ANOTHER_DAY, _dated(int(facts.ended[:4]), asked, main, parts, facts))
    readings = facts.years or (int(facts.ended[:4]),)
    return max(_dated(y, asked, main, parts, facts) for y in readings)


def _dated(year: int, asked: set[int], main: int, parts: set[str], facts: ReportFacts) -> float:
    near = _year_agreement(year, asked, main)
    if near < 0 or not facts.part:
        return near if near < 0 else near * 0.6  # an 8-K of the year
    if not parts - {"FY"}:
        if facts.part in ("FY", "Q4"):
            return near * (1.0 if facts.part == "FY" else 0.9)
        return near * (0.15 if "FY" in parts else 0.3)
    fits = _same_part(parts, facts)
    if year == main:
        return fits
    return near * fits if fits > 0 else -0.5


def _year_agreement(year: int, asked: set[int], main: int) -> float:
    if year == main:
        return 1.0
    if year in asked:
        return 0.6
    if year > main:
        return {1: 0.4, 2: 0.1}.get(year - main, -0.7)
    return 0.3 if year > min(asked) else -1.0


def _same_part(parts: set[str], facts: ReportFacts) -> float:
    """Agreement of a document's part of a year with those asked for, the year being right."""
    return max((_part_agreement(asked, facts.part) for asked in parts), default=0.0)


def _part_agreement(asked: str, part: str) -> float:
    if asked == part:
        return 1.0
    if {asked, part} in ({"H1", "Q2"}, {"9M", "Q3"}, {"H2", "Q4"}):
        return 0.8
    if asked in ("Q4", "H2", "FY", "") and part in ("FY", "Q4"):
        return 0.9
    if part == "FY":
        return 0.3
    if asked not in _ORDER or part not in _ORDER:
        return 0.0
    # A later report of the year shows this quarter inside its sums at best.
    return 0.1 if _ORDER.index(part) > _ORDER.index(asked) else -0.5


def _close(a: str, b: str) -> bool:
    try:
        return abs((date.fromisoformat(a) - date.fromisoformat(b)).days) <= _CLOSE_DAYS
    except ValueError:
        return False
