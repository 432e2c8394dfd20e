"""Whose reports a question about a figure is answered from, and for which period.

A computed figure of another company, or of another year, is worse than none: the company has to be named and
held by the index, or be the only one that the question can mean."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from rag.documents.catalogue import Catalogue, singular
from rag.domains.finance import Finance
from rag.domains.finance.concepts import (
    ORDER,
    ReportFacts,
    concepts,
    period_agreement,
    report_facts,
    reports,
)
from rag.domains.finance.figures.asked import FiscalTerm
from rag.domains.finance.figures.cells import fiscal_day, part_of
from rag.domains.finance.figures.formulas import book
from rag.facts.dates import FiscalPeriod
from rag.facts.names import name_words, short_name, squash
from rag.languages import Patterns
from rag.languages.text import has_han
from rag.questions.naming import find_names
from rag.questions.naming import name_words as words_in
from rag.questions.query import Query
from rag.store.store import Store
from rag.types import Filters
from rag.types.documents import several

_REPORTS = 12
_LOOKS_BACK = 4
_RE = Patterns(__file__)
_ABBREVIATIONS = _RE.words("abbreviations")


@dataclass(frozen=True, slots=True)
class CompanyReports:
    """The reports of one company. `only`: the question does not name it, but it can mean no other."""

    company: str
    documents: tuple[int, ...]
    only: bool = False


def in_calendar(term: FiscalTerm, reports: CompanyReports, catalogue: Catalogue) -> FiscalTerm:
    """The fiscal period that the day of a term closes, by the report that ends nearest to it."""
    if not term.ended:
        return term
    day = date.fromisoformat(term.ended)
    every = report_facts(catalogue)
    dated = [f for d in reports.documents if (f := every[d]).ended and f.years and f.part]
    if not dated:
        return FiscalTerm(term.year)
    facts = min(dated, key=lambda f: abs((date.fromisoformat(f.ended) - day).days))
    year, quarter = fiscal_day(day, facts)
    return FiscalTerm(year, part_of(quarter, None))


def find_reports(
    query: Query, store: Store, filters: Filters | None, terms: Sequence[FiscalTerm]
) -> CompanyReports | None:
    """The reports that the question means; None where it names a company that no document bears, names
    several, or leaves open whose figures it asks for."""
    constraints = query.constraints
    if constraints.unknown_names or constraints.values("statute"):
        return None
    allowed = store.scope(filters)
    held = reports(store) if allowed is None else reports(store).intersection(allowed)
    if constraints.companies:
        names = {squash(short_name(c)) for c in constraints.companies}
        own = [d for d in constraints.named if d in held and constraints.agreement(d)["name"] >= 0.5]
        return (
            CompanyReports(constraints.companies[0], tuple(sorted(own))) if len(names) == 1 and own else None
        )
    if _foreign_names(query) or _RE["digits"].search(query.text):
        return None
    # Chinese has no capitals that would mark a name that nothing here bears.
    return _only_company(store.catalogue(), held, () if has_han(query.text) else terms)


def about_a_part(query: Query, reports: CompanyReports, store: Store) -> bool:
    """Whether the question asks about less than the whole company: it speaks of segments, regions, products
    or subsidiaries, or holds a name that is neither the company's nor of accounting."""
    if _RE["parts"].search(query.text):
        return True
    own = {word for name in own_names(reports, store) for word in name_words(name)}
    catalogue, common = store.catalogue(), Finance.common_words
    for name in _foreign_names(query):
        known = own.issuperset(name_words(name))
        if not (known or find_names(name, words_in(name), catalogue, reporting=True, common=common)[0]):
            return True
    return not query.constraints.companies and not reports.only


def own_names(reports: CompanyReports, store: Store) -> set[str]:
    """What the company's reports call it."""
    names = {reports.company}
    for document in reports.documents:
        metadata = store.document(document).metadata
        names |= {*several(metadata, "company", "names")}
    return names


def _foreign_names(query: Query) -> tuple[str, ...]:
    """Capitalised words that are neither periods nor of accounting."""
    period_words = " ".join(query.text[p.start : p.end] for p in query.periods).lower().split()
    known = Finance.common_words | _ABBREVIATIONS | _finance_words() | set(period_words)
    found = []
    for name in query.names:
        words = [w for w in re.split(r"[\s&-]+", name.lower()) if len(w) > 1]
        if name.lower() not in known and any(w not in known and singular(w) not in known for w in words):
            found.append(name)
    return tuple(found)


@lru_cache(maxsize=1)
def _finance_words() -> frozenset[str]:
    """Every word that names a line item or a formula."""
    table = concepts()
    names = [*table.lines, *(formula.name for formula in book().formulas.values())]
    names += [wording for wordings, _ in table.lines.values() for wording in wordings]
    names += [name for concept in table.concepts for name in concept.names]
    return frozenset(singular(w) for name in names for w in re.findall(r"[a-z&]+", name.lower()))


def _only_company(
    catalogue: Catalogue, reports: frozenset[int], terms: Sequence[FiscalTerm]
) -> CompanyReports | None:
    """The one company with reports here, or the only one whose reports can show the last period asked for."""
    owners = {d: catalogue.owners[d][0] for d in reports if catalogue.owners[d]}
    everyone = set(owners.values())
    if len(everyone) > 1 and terms:
        everyone = {n for d, n in owners.items() if _may_show(report_facts(catalogue)[d], terms[-1])}
    if len(everyone) != 1:
        return None
    number = everyone.pop()
    own = tuple(sorted(d for d, n in owners.items() if n == number))
    return CompanyReports(catalogue.companies[number], own, only=True)


def _may_show(facts: ReportFacts, term: FiscalTerm) -> bool:
    """Whether a report may print figures of a term: its own, or those of up to four years before it."""
    years = facts.years or ((int(facts.ended[:4]),) if facts.ended else ())
    return any(0 <= year - term.year <= _LOOKS_BACK for year in years) or not years


def ordered_reports(reports: CompanyReports, catalogue: Catalogue, term: FiscalTerm) -> tuple[int, ...]:
    """The documents to look for a term in, those first that agree best with its period: its own report, then
    the following ones, which show it as the period before."""
    every, asked = report_facts(catalogue), (FiscalPeriod(0, 0, term.year, term.part),)
    dated = [d for d in reports.documents if (f := every[d]).years or f.ended or f.other_years]
    return tuple(sorted(dated, key=lambda d: (-period_agreement(asked, every[d]), d))[:_REPORTS])


def newest(reports: CompanyReports, catalogue: Catalogue) -> FiscalTerm | None:
    """The period of the newest annual report, or of the newest of any kind where none is annual."""
    every = report_facts(catalogue)
    found = [
        (facts.part in ("FY", "Q4"), facts.years[0], ORDER.index(facts.part))
        for d in reports.documents
        if (facts := every[d]).years and facts.part in ORDER
    ]
    if not found:
        return None
    annual, year, part = max(found)
    return FiscalTerm(year, "FY" if annual else ORDER[part])
