"""Whose reports a question about a figure is answered from, and for which period.

A computed figure of another company, or of another year, is worse than none: the company has to be named and
held by the index, or be the only one that the question can mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from rag.catalogue import Catalogue, Facts
from rag.constraints import Constraints
from rag.fiscal import FiscalPeriod, read_periods
from rag.heads import fiscal_day, part_of
from rag.names import short_name, squash
from rag.question import analyse
from rag.store import Store
from rag.types import Filters
from rag.unknown import REPORT_WORDS

_ORDER = ("Q1", "Q2", "H1", "Q3", "9M", "Q4", "FY")
_REPORTS = 12
_ZH_PARTS = {
    "Q1": "第一季度", "Q2": "第二季度", "Q3": "第三季度", "Q4": "第四季度", "H1": "上半年", "H2": "下半年",
    "9M": "前三季度",
}  # fmt: skip
_ABBREVIATIONS = frozenset(
    """eps ebit ebitda ebt cogs capex opex sg&a sg r&d ppe pp&e ppne roa roe roic roce dpo dso dio ccc
    fcf p&l us usd fy gaap non-gaap ifrs eur gbp rmb cny ttm ytd yoy cash equivalents accounts q1 q2 q3
    q4 h1 h2""".split()
)


@dataclass(frozen=True, slots=True)
class Term:
    """A fiscal period: the year and its part, "FY" for all of it. `ended`: an ISO day instead, where the
    question names one; it becomes a fiscal period by the calendar of the company's reports."""

    year: int
    part: str = "FY"
    ended: str = ""

    @property
    def written(self) -> str:
        """As `rag.asked` writes periods: "FY2019", "Q2 2023"."""
        return f"FY{self.year}" if self.part == "FY" else f"{self.part} {self.year}"

    def spoken(self, language: str) -> str:
        if language == "zh":
            return f"{self.year}年{_ZH_PARTS.get(self.part, '度')}"
        return self.written


@dataclass(frozen=True, slots=True)
class Whose:
    """The reports of one company. `only`: the question does not name it, but it can mean no other."""

    company: str
    documents: tuple[int, ...]
    only: bool = False


def read_terms(periods: Sequence[str]) -> tuple[Term, ...]:
    """Periods as written ("FY2019", "Q2 2023") -> terms, each once, in order."""
    found = (p for text in periods for p in read_periods(text))
    return tuple(dict.fromkeys(_term(p) for p in found if p.year))


def _term(period: FiscalPeriod) -> Term:
    return Term(period.year, period.part or "FY", period.ended)


def in_calendar(term: Term, whose: Whose, catalogue: Catalogue) -> Term:
    """The fiscal period that the day of a term closes, by the report that ends nearest to it."""
    if not term.ended:
        return term
    day = date.fromisoformat(term.ended)
    dated = [f for d in whose.documents if (f := catalogue.facts[d]).ended and f.years and f.part]
    if not dated:
        return Term(term.year)
    facts = min(dated, key=lambda f: abs((date.fromisoformat(f.ended) - day).days))
    year, quarter = fiscal_day(day, facts)
    return Term(year, part_of(quarter, None))


def find_whose(
    question: str, constraints: Constraints, store: Store, filters: Filters | None, terms: Sequence[Term]
) -> Whose | None:
    """The reports that the question means; None where it names a company that no document bears, names
    several, or leaves open whose figures it asks for."""
    if constraints.unknown_names or constraints.laws:
        return None
    allowed = store.scope(filters)
    reports = store.reports() if allowed is None else store.reports().intersection(allowed)
    if constraints.companies:
        names = {squash(short_name(c)) for c in constraints.companies}
        own = [d for d in constraints.named if d in reports and constraints.agreement(d).name >= 0.5]
        return Whose(constraints.companies[0], tuple(sorted(own))) if len(names) == 1 and own else None
    if _names_something(question):
        return None
    return _only_company(store.catalogue(), reports, terms)


def _names_something(question: str) -> bool:
    """Whether capitalised words are left that are neither of accounting nor periods: perhaps a company."""
    spoken = " ".join(question[p.start : p.end] for p in read_periods(question)).lower()
    words = [w for name in analyse(question).names for w in name.lower().replace("&", " & ").split()]
    known = REPORT_WORDS | _ABBREVIATIONS
    letters_and_digits = [
        w for w in question.split() if any(c.isdigit() for c in w) and any(c.isupper() for c in w)
    ]
    return any(
        w.lower().strip("?.,'’s") not in known | set(spoken.split()) for w in letters_and_digits
    ) or any(w not in known and w not in spoken and len(w) > 1 for w in words)


def _only_company(catalogue: Catalogue, reports: frozenset[int], terms: Sequence[Term]) -> Whose | None:
    """The one company that has reports here, or the one that has a report of the last period asked for."""
    owners = {d: catalogue.facts[d].companies[0] for d in reports if catalogue.facts[d].companies}
    everyone = set(owners.values())
    if len(everyone) > 1 and terms:
        everyone = {n for d, n in owners.items() if _covers(catalogue.facts[d], terms[-1])}
    if len(everyone) != 1:
        return None
    number = everyone.pop()
    own = tuple(sorted(d for d, n in owners.items() if n == number))
    return Whose(catalogue.companies[number], own, only=True)


def _covers(facts: Facts, term: Term) -> bool:
    return term.year in facts.years and (facts.part == term.part or {facts.part, term.part} == {"Q4", "FY"})


def ordered_reports(whose: Whose, catalogue: Catalogue, term: Term) -> tuple[int, ...]:
    """The documents to look for a term in, the likeliest first: its own report, then the following reports,
    which show it as the period before, then the others."""

    def rank(document: int) -> tuple[int, int, int, int]:
        facts = catalogue.facts[document]
        year = facts.years[0] if facts.years else int(facts.ended[:4])
        later = year - term.year if year >= term.year else 10 + term.year - year
        annual = facts.part in ("FY", "Q4")
        return 1 - _covers(facts, term), later, 1 - annual, document

    dated = [d for d in whose.documents if catalogue.facts[d].years or catalogue.facts[d].ended]
    return tuple(sorted(dated, key=rank)[:_REPORTS])


def newest(whose: Whose, catalogue: Catalogue) -> Term | None:
    """The period of the newest annual report, or of the newest of any kind where none is annual."""
    found = [
        (facts.part in ("FY", "Q4"), facts.years[0], _ORDER.index(facts.part))
        for d in whose.documents
        if (facts := catalogue.facts[d]).years and facts.part in _ORDER
    ]
    if not found:
        return None
    annual, year, part = max(found)
    return Term(year, "FY" if annual else _ORDER[part])
