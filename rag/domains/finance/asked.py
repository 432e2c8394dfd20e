"""Which forms and periods of reports a question names, and how far a report is of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache, partial

from rag.documents.catalogue import Catalogue
from rag.domains.finance.reports import (
    asked_forms,
    form_agreement,
    period_agreement,
    report_facts,
)
from rag.facts.dates import FiscalPeriod
from rag.questions.constraints import Matter, Restriction, sign
from rag.questions.expects import Wording

_AGREES = 0.5
# The year in "Tenancy Deposits Act 2018" is part of the name.
_OF_A_STATUTE = re.compile(r"\b(?:Act|Code|Regulations?|Rules|Ordinance|Directive|Order),?\s+(?:of\s+)?$")


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
    year = 0
    for p in reversed(periods):
        year = p.year or year
        found.append(p if p.year else FiscalPeriod(p.start, p.end, year, p.part))
    return tuple(reversed(found))


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
