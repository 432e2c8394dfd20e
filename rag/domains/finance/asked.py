"""Which forms and periods of reports a question names, and how far a report is of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache, partial

from rag.documents.catalogue import Catalogue, derived
from rag.domains.finance.reports import ANNUAL, QUARTERLY, asked_forms
from rag.facts.dates import FiscalPeriod
from rag.questions.constraints import Matter, Restriction, sign
from rag.questions.expects import Wording

_AGREES = 0.5
# The year in "Tenancy Deposits Act 2018" is part of the name.
_OF_A_STATUTE = re.compile(r"\b(?:Act|Code|Regulations?|Rules|Ordinance|Directive|Order),?\s+(?:of\s+)?$")
_FAMILY = (ANNUAL, QUARTERLY | {"interim report"}, frozenset(("8-K", "6-K", "earnings")))
_CLOSE_DAYS = 7
_ANOTHER_DAY = 0.5
_ORDER = ("Q1", "Q2", "H1", "Q3", "9M", "Q4", "FY")


def asked_reports(wording: Wording, catalogue: Catalogue) -> Restriction:
    """Forms, years and quarters. "year" is the one whose report shows them all, "also" are the others, those
    inside a range included; "period" is "Q2 2023", "H1 2023" or "Q2"."""
    forms = asked_forms(wording.text)
    own = [p for p in wording.periods if not _OF_A_STATUTE.search(wording.text[: p.start])]
    periods = _inherit(own)
    if not forms and not periods:
        return Restriction()
    agreement = _Agreement(catalogue, periods, forms)
    years = tuple(map(str, sorted({p.year for p in periods if p.year})))
    quarters = tuple(dict.fromkeys(_spoken(p) for p in periods if p.part not in ("", "FY")))
    matters = (
        Matter("form", forms, agreement.of_form, True),
        Matter("period", quarters, agreement.of_period, True),
        Matter("year", years[-1:], None if quarters else lambda d: agreement.of_year(d, years), True),
        Matter("also", years[:-1]),
    )
    return Restriction(matters, agreement, reporting=True)


def _spoken(p: FiscalPeriod) -> str:
    return f"{p.part} {p.year}" if p.year else p.part


def _inherit(periods: Sequence[FiscalPeriod]) -> tuple[FiscalPeriod, ...]:
    """ "Q2 and Q3 of 2022": a quarter without a year has that of the next period that has one."""
    found: list[FiscalPeriod] = []
    for p in reversed(periods):
        found.insert(0, p if p.year or not found else replace(p, year=found[0].year))
    return tuple(found)


class _Agreement:
    """How far documents agree in year and form: few periods and forms stand behind many documents."""

    def __init__(self, catalogue: Catalogue, periods: Sequence[FiscalPeriod], forms: Sequence[str]) -> None:
        self._facts = report_facts(catalogue)
        self._held = {facts.form for facts in self._facts.values()} - {""}
        self._periods = periods
        self._forms = forms
        self._year = cache(partial(period_agreement, periods))
        self._form = cache(self._form_agreement)

    def __call__(self, document_id: int) -> tuple[float, float]:
        facts = self._facts[document_id]
        return (
            self._year(facts) if self._periods else 0.0,
            self._form(facts.form) if self._forms and facts.form else 0.0,
        )

    def of_form(self, document_id: int) -> bool | None:
        return sign(self(document_id)[1]) if self._facts[document_id].form else None

    def of_period(self, document_id: int) -> bool | None:
        return self(document_id)[0] >= _AGREES if self._facts[document_id].part else None

    def of_year(self, document_id: int, asked: Sequence[str]) -> bool | None:
        """Any part of one of the years: a quarter's report is of its year."""
        facts = self._facts[document_id]
        own = {str(y) for y in (*facts.years, *facts.other_years)} or {facts.ended[:4]} - {""}
        return bool(own.intersection(asked)) if own else None

    def _form_agreement(self, form: str) -> float:
        best = max(form_agreement(asked, form) for asked in self._forms)
        held = any(form_agreement(a, f) == 1.0 for a in self._forms for f in self._held)
        return best if best > 0 or held else 0.0


def form_agreement(asked: str, form: str) -> float:
    """1 for the form asked for, or the filing that is its legal shape (a 10-K is an annual report), 0.6 for
    one of the same family, else -1; both named."""
    if asked == form:
        return 1.0
    general = {"annual report": ANNUAL, "quarterly report": QUARTERLY, "interim report": QUARTERLY}
    if form in general.get(asked, ()):
        return 1.0
    return 0.6 if any({asked, form} <= family for family in _FAMILY) else -1.0


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
            _years(meta.get("fiscal_year", "")),
            meta.get("fiscal_period", ""),
            meta.get("period_end", ""),
            meta.get("form", ""),
            () if meta.get("fiscal_year") else _years(meta.get("year", "")),
        )
        for document, meta in catalogue.described()
    }


def _years(text: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"(?:19|20)\d{2}", text)))


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
    if near < 0:
        return near
    if not facts.part:
        return near * 0.6  # an 8-K of the year
    if not parts - {"FY"}:
        return near * {"FY": 1.0, "Q4": 0.9}.get(facts.part, 0.15 if "FY" in parts else 0.3)
    fits = _same_part(parts, facts)
    if year == main:
        return fits
    return near * fits if fits > 0 else -0.5


def _year_agreement(year: int, asked: set[int], main: int) -> float:
    if year in asked:
        return 1.0 if year == main else 0.6
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
