"""What a question is restricted to: companies, fiscal periods, forms, statutes, subjects and articles that it
names, and how far each document agrees.

Agreement is a preference, never a filter: the figure for a year also stands in the next year's report. It is
-1 to 1 in each of five matters: 1 where the document is what the question names, between by share, 0 where
question or document says nothing, -1 where the question names another one that the index holds."""

from __future__ import annotations

import math
import re
from collections.abc import ItemsView, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from rag.articles import article_labels, articles_agree
from rag.catalogue import Catalogue, Facts
from rag.domains.finance.reports import asked_forms, form_agreement, period_agreement
from rag.fiscal import FiscalPeriod, read_periods
from rag.names import says_form
from rag.naming import Named, find_names
from rag.question import analyse
from rag.text import STOPWORDS_EN

_LONGEST_QUESTION = 4000
_RELATED = 0.5
# The year in "Tenancy Deposits Act 2018" is part of the name.
_OF_A_STATUTE = re.compile(r"\b(?:Act|Code|Regulations?|Rules|Ordinance|Directive|Order),?\s+(?:of\s+)?$")


@dataclass(frozen=True, slots=True)
class Sought:
    """What answers a question without its words: the parts of documents where it stands (as `Chunk.role` has
    them, the likeliest first) and, for each line of them, the alternative wordings that it is printed under,
    the commonest first. `lines` is empty where the question names a part and nothing in it."""

    name: str
    roles: tuple[str, ...]
    lines: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far a document agrees with a question, each -1 to 1: the company (or other words of the title) it
    names, its fiscal year and quarter, the form of report, the statute, the subject."""

    name: float = 0.0
    year: float = 0.0
    form: float = 0.0
    law: float = 0.0
    subject: float = 0.0

    @property
    def total(self) -> float:
        """The sum of all, for a rough order."""
        return self.name + self.year + self.form + self.law + self.subject


NEUTRAL = Agreement()


@dataclass(frozen=True, slots=True)
class Constraints:
    """What a question names. `companies`, `laws` and `subjects` are names as printed in the documents;
    `years` are ascending, those inside a range included, `year` is the one whose report shows them all ("":
    none); `quarters` are "Q2 2023", "H1 2023" or "Q2"; `articles` are labels (`rag.articles`);
    `unknown_names` are companies and statutes that no document bears; `named` are the ids of documents of
    a company, statute or subject that the question names; `documents` holds those that agree or clash in
    something."""

    companies: tuple[str, ...] = ()
    laws: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()
    forms: tuple[str, ...] = ()
    years: tuple[str, ...] = ()
    year: str = ""
    quarters: tuple[str, ...] = ()
    articles: tuple[str, ...] = ()
    unknown_names: tuple[str, ...] = ()
    named: frozenset[int] = frozenset()
    documents: Mapping[int, Agreement] = field(default_factory=dict)

    def __bool__(self) -> bool:
        found = self.companies or self.laws or self.subjects or self.forms or self.years or self.quarters
        return bool(found or self.articles or self.unknown_names)

    def agreement(self, document_id: int) -> Agreement:
        """The agreement of a document; neutral for one that neither agrees nor clashes."""
        return self.documents.get(document_id, NEUTRAL)

    def matters(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """What the question names, each matter with its values; "also" are the years beside the main one,
        "unknown" the names that no document bears."""
        named = (
            ("company", self.companies),
            ("statute", self.laws),
            ("subject", self.subjects),
            ("form", self.forms),
            ("period", self.quarters),
            ("year", (self.year,) if self.year else ()),
            ("also", tuple(y for y in self.years if y != self.year)),
            ("passage", self.articles),
            ("unknown", self.unknown_names),
        )
        return tuple((what, values) for what, values in named if values)

    def describe(self) -> tuple[str, ...]:
        """What was understood, in words, for the reader: ("company: Thornfield Marsh plc", "year: 2022")."""
        said = {"unknown": "in no document"}
        return tuple(f"{said.get(what, what)}: {', '.join(values)}" for what, values in self.matters())


def read_constraints(question: str, catalogue: Catalogue) -> Constraints:
    """What a question names, held against the documents of a catalogue. Never raises; a few milliseconds at
    most."""
    question = question[:_LONGEST_QUESTION]
    forms = asked_forms(question)
    periods = _inherit([p for p in read_periods(question) if not _OF_A_STATUTE.search(question[: p.start])])
    named = find_names(question, catalogue, reporting=bool(forms or periods))
    agreements = _Agreements(catalogue, named, periods, forms, _title_shares(question, catalogue))
    years = sorted({p.year for p in periods if p.year})
    return Constraints(
        companies=tuple(catalogue.companies[n] for n in named.companies),
        laws=_displayed(named.laws, catalogue),
        subjects=_displayed(named.subjects, catalogue),
        forms=forms,
        years=tuple(map(str, years)),
        year=str(years[-1]) if years else "",
        quarters=tuple(dict.fromkeys(_spoken(p) for p in periods if p.part not in ("", "FY"))),
        articles=article_labels(question),
        unknown_names=named.unknown,
        named=agreements.named(),
        documents=agreements,
    )


def article_agrees(constraints: Constraints, heading_path: Sequence[str], text: str) -> float:
    """How well a passage fits the articles, sections or notes that the question names, -1 to 1 (see
    `rag.articles.articles_agree`); 0 where it names none."""
    return articles_agree(constraints.articles, heading_path, text)


def _displayed(found: Mapping[str, float], catalogue: Catalogue) -> tuple[str, ...]:
    ranked = sorted(found, key=lambda key: -found[key])
    return tuple(dict.fromkeys(catalogue.display.get(key, key) for key in ranked))


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


def _title_shares(question: str, catalogue: Catalogue) -> dict[int, float]:
    """Share of the weight of the question's names that stand in a document's title or file name; names that
    very many or no titles bear do not count, nor does what only says a legal form."""
    words = {
        part
        for name in analyse(question).names
        for part in name.lower().replace("-", " ").split()
        if part not in STOPWORDS_EN and part in catalogue.title_words and not says_form(part)
    }
    most = max(1, len(catalogue.facts) // 5)
    weights = {
        w: math.log((len(catalogue.facts) + 1) / (len(catalogue.title_words[w]) + 0.5))
        for w in words
        if len(catalogue.title_words[w]) <= most
    }
    total = sum(weights.values())
    shares: dict[int, float] = {}
    for word, weight in weights.items():
        for document in catalogue.title_words[word]:
            shares[document] = shares.get(document, 0.0) + weight / total
    return shares


class _Agreements(Mapping[int, Agreement]):
    """Agreements worked out when they are asked for: a question about one company clashes with all others,
    and retrieval looks at a few hundred documents only."""

    def __init__(
        self,
        catalogue: Catalogue,
        named: Named,
        periods: Sequence[FiscalPeriod],
        forms: Sequence[str],
        titles: Mapping[int, float],
    ) -> None:
        self._catalogue = catalogue
        self._companies = named.companies
        self._subject_keys = named.subjects
        self._periods = periods
        self._forms = forms
        self._titles = titles
        self._laws = _documents(named.laws, catalogue.law_keys)
        for key, weight in named.laws.items():
            for document in catalogue.related.get(key, ()):
                self._laws.setdefault(document, _RELATED * weight)
        self._law_clash = -max(named.laws.values(), default=0.0)
        self._subjects = _documents(named.subjects, catalogue.subject_keys)
        self._subject_clash = -max(named.subjects.values(), default=0.0)
        self._years: dict[tuple[object, ...], float] = {}
        self._form_agreements: dict[str, float] = {}
        self._made: dict[tuple[float, ...], Agreement] = {}
        self._all: dict[int, Agreement] | None = None

    def __getitem__(self, document_id: int) -> Agreement:
        facts = self._catalogue.facts[document_id]
        values = (
            self._name(document_id, facts),
            self._year(facts) if self._periods else 0.0,
            self._form(facts.form) if self._forms and facts.form else 0.0,
            self._law(document_id, facts) if self._laws else 0.0,
            self._subject(document_id, facts) if self._subjects else 0.0,
        )
        if not any(values):
            raise KeyError(document_id)
        # Few kinds of agreement stand behind many documents.
        found = self._made.get(values)
        if found is None:
            found = self._made[values] = Agreement(*values)
        return found

    def __iter__(self) -> Iterator[int]:
        return iter(self._whole())

    def __len__(self) -> int:
        return len(self._whole())

    def items(self) -> ItemsView[int, Agreement]:
        return self._whole().items()

    def _whole(self) -> dict[int, Agreement]:
        if self._all is None:
            found = ((document, self.get(document)) for document in self._catalogue.facts)
            self._all = {document: agreement for document, agreement in found if agreement is not None}
        return self._all

    def named(self) -> frozenset[int]:
        found = {
            d for n, w in self._companies.items() if w >= 0.5 for d in self._catalogue.company_documents[n]
        }
        found |= {d for d, w in self._laws.items() if w >= 0.5}
        return frozenset(found | {d for d, w in self._subjects.items() if w >= 0.5})

    def _name(self, document_id: int, facts: Facts) -> float:
        if self._companies and facts.companies:
            clash = -max(self._companies.values())
            return max(self._companies.get(n, clash) for n in facts.companies)
        return self._titles.get(document_id, 0.0)

    def _year(self, facts: Facts) -> float:
        key = (facts.years, facts.part, facts.ended, facts.other_years)
        if key not in self._years:
            self._years[key] = period_agreement(self._periods, facts)
        return self._years[key]

    def _form(self, form: str) -> float:
        if form not in self._form_agreements:
            best = max(form_agreement(asked, form) for asked in self._forms)
            held = any(form_agreement(a, f) == 1.0 for a in self._forms for f in self._catalogue.forms)
            self._form_agreements[form] = best if best > 0 or held else 0.0
        return self._form_agreements[form]

    def _law(self, document_id: int, facts: Facts) -> float:
        if document_id in self._laws:
            return self._laws[document_id]
        return self._law_clash if facts.law and facts.authority != "case" else 0.0

    def _subject(self, document_id: int, facts: Facts) -> float:
        if document_id in self._subjects:
            return self._subjects[document_id]
        if not facts.subject or not self._subject_keys:
            return 0.0
        shares = (
            w * len(k) / len(facts.subject)
            for k, w in self._subject_keys.items()
            if len(k) > 5 and k in facts.subject
        )
        return max(shares, default=0.0) or self._subject_clash


def _documents(found: Mapping[str, float], keys: Mapping[str, tuple[int, ...]]) -> dict[int, float]:
    documents: dict[int, float] = {}
    for key, weight in found.items():
        for document in keys.get(key, ()):
            documents[document] = max(weight, documents.get(document, -1.0))
    return documents
