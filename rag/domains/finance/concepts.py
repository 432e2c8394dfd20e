"""What a question asks of reports: forms, periods, and the statements and line items of its concepts.

"What was the quick ratio?" is answered by no sentence that says "quick ratio", but by a balance sheet with
cash, receivables and total current liabilities. concepts.toml holds that knowledge as data and describes
its two sorts of table; what is worked out needs the lines of its formula (formulas.toml).

Names match as in `rag.languages.lexicon`: whole stemmed words, the longest form in one place wins. Every
place counts, so that a definition inside a question ("defined as: revenue / average PP&E") brings the line
items it names. A concept with Chinese among its names speaks to questions that hold Chinese, any other to
all."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache, partial
from pathlib import Path
from typing import Any

from rag.documents.catalogue import Catalogue, derived
from rag.domains.finance.reports import ANNUAL, QUARTERLY, asked_forms
from rag.domains.finance.sections import PRIMARY
from rag.facts.dates import FiscalPeriod
from rag.languages import Patterns, lexicon
from rag.languages.text import has_han, normalise
from rag.questions.constraints import Matter, Restriction, Sought, sign
from rag.questions.expects import Wording
from rag.store.store import Store
from rag.types.documents import Metadata, several, single


@dataclass(frozen=True, slots=True)
class Concept:
    """An entry: the names that questions use, and what they need."""

    names: tuple[str, ...]
    item: Sought

    @property
    def chinese(self) -> bool:
        return any(has_han(name) for name in self.names)


@dataclass(frozen=True, slots=True)
class ConceptTable:
    """What concepts.toml and formulas.toml hold: `lines` are the wordings and statements of the line items,
    by id; `rows` as they stand there."""

    concepts: tuple[Concept, ...]
    lines: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]
    rows: Mapping[str, Any]


def sought_items(question: str) -> tuple[Sought, ...]:
    """What the financial concepts of a question need, in order of occurrence, each once. A line item whose
    wordings another of them holds already says nothing new and is left out. Never raises."""
    text = normalise(question[: lexicon.MAX_CHARS])
    words = lexicon.words_of(text)
    spoken = (True, False) if has_han(text) else (False,)
    found = [match for chinese in spoken for match in lexicon.matches(_forms(chinese), text, words)]
    distinct = list(dict.fromkeys(need for _, _, need in lexicon.longest(found)))
    held = [set(need.lines) for need in distinct]
    return tuple(n for n in distinct if not n.lines or not any(set(n.lines) < other for other in held))


def reports(store: Store) -> frozenset[int]:
    """The documents that are financial reports: they hold a primary statement, or are of a known form.
    "Associated" is no question about associates, nor "restructuring" of a tissue one about its cost: only
    these are asked for line items."""
    facts = report_facts(store.catalogue())
    return frozenset({d for d in facts if facts[d].form} | store.with_roles(PRIMARY))


@cache
def concepts() -> ConceptTable:
    """The concepts and lines of concepts.toml, and the formulas as concepts, read once."""
    raw: dict[str, Any] = {}
    for name in ("concepts.toml", "formulas.toml"):
        raw |= tomllib.loads(Path(__file__).with_name(name).read_text(encoding="utf-8"))
    raw["line"] = list(_lines(raw["line"]))
    raw["twins"] |= {row["id"]: row["zh"][0] for row in raw["line"] if "zh" in row}
    raw["formula"] = [
        {"key": row["names"][0], "unit": unit} | row for unit, rows in raw["formula"].items() for row in rows
    ]
    lines = {row["id"]: (tuple(row["wordings"]), tuple(row["statements"])) for row in raw["line"]}
    found: list[Concept] = []
    for row in (*raw["line"], *raw["concept"], *_computed(raw)):
        used = [lines[name] for name in row.get("lines", ())]
        inputs = [tuple(row["wordings"])] if "wordings" in row else []
        inputs += [wordings for wordings, _ in used]
        # A line's first place is where it is read; its others only where it is asked for itself.
        places = dict.fromkeys(row.get("statements") or [statements[0] for _, statements in used])
        names = tuple(row["names"])
        found.append(Concept(names, Sought(names[0], tuple(places), tuple(inputs))))
    return ConceptTable(tuple(found), lines, raw)


def _lines(tables: Mapping[str, Sequence[Mapping[str, Any]]]) -> Iterator[Mapping[str, Any]]:
    """The lines, each followed by what Chinese reports print for it."""
    for kind, rows in tables.items():
        for row in rows:
            also = row.get("also", [])
            yield {"id": row["names"][0], **row, "statements": [kind, *also]}
            if "zh" in row:
                stands, names = [kind, *row.get("also_zh", also)], row["zh"]
                yield {"id": names[0], "names": names, "wordings": row["wordings_zh"], "statements": stands}


def identifier(key: str) -> str:
    """How an expression writes a key: "short-term debt" -> short_term_debt."""
    return re.sub(r"\W+", "_", key)


def _computed(raw: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """A concept for each formula: English names that no other concept has, the lines of the expression."""
    rows = (row for row in (*raw["line"], *raw["concept"]) if not any(map(has_han, row["names"])))
    stated = {lexicon.stems_of(name) for row in rows for name in row["names"]}
    lines = {identifier(row["id"]): [row["id"]] for row in raw["line"]}
    for row in raw["formula"]:
        held = [key for word in re.findall(r"\w+", row["expression"]) for key in lines.get(word, ())]
        lines[identifier(row["key"])] = held
        names: dict[tuple[str, ...], str] = {}
        for name in row["names"]:
            if not has_han(name) and (stems := lexicon.stems_of(name)) not in stated:
                names.setdefault(stems, name)
        if names and held:
            yield {"names": list(names.values()), "lines": dict.fromkeys(held)}


@cache
def _forms(chinese: bool) -> lexicon.Forms[Sought]:
    table = concepts().concepts
    return lexicon.compiled((name, c.item) for c in table if c.chinese == chinese for name in c.names)


# Forms and periods

_AGREES = 0.5
_FAMILY = (ANNUAL, QUARTERLY | {"interim report"}, frozenset(("8-K", "6-K", "earnings")))
_CLOSE_DAYS = 7
_ANOTHER_DAY = 0.5
ORDER = ("Q1", "Q2", "H1", "Q3", "9M", "Q4", "FY")
_RE = Patterns(__file__)


def asked_reports(wording: Wording, catalogue: Catalogue) -> Restriction:
    """Forms, years and quarters. "year" is the one whose report shows them all, "also" are the others, those
    inside a range included; "period" is "Q2 2023", "H1 2023" or "Q2"."""
    forms = asked_forms(wording.text)
    own = [p for p in wording.periods if not _RE["of_a_statute"].search(wording.text[: p.start])]
    periods = _inherit(own)
    if not forms and not periods:
        return Restriction()
    agreement = _Agreement(catalogue, periods, forms)
    years = tuple(map(str, sorted({p.year for p in periods if p.year})))
    parts = [p for p in periods if p.part not in ("", "FY")]
    quarters = tuple(dict.fromkeys(f"{p.part} {p.year}" if p.year else p.part for p in parts))
    matters = (
        Matter("form", forms, agreement.of_form, True),
        Matter("period", quarters, agreement.of_period, True),
        Matter("year", years[-1:], None if quarters else lambda d: agreement.of_year(d, years), True),
        Matter("also", years[:-1]),
    )
    return Restriction(matters, agreement, reporting=True)


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
    general = {"annual report": ANNUAL, "quarterly report": QUARTERLY, "interim report": QUARTERLY}
    if asked == form or form in general.get(asked, ()):
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
            _years(meta, "fiscal_year"), single(meta, "fiscal_period"), single(meta, "period_end"),
            single(meta, "form"), () if meta.get("fiscal_year") else _years(meta, "year"),
        )
        for document, meta in catalogue.described()
    }  # fmt: skip


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
    if year in asked:
        near = 1.0 if year == main else 0.6
    elif year > main:
        near = {1: 0.4, 2: 0.1}.get(year - main, -0.7)
    else:
        near = 0.3 if year > min(asked) else -1.0
    if near < 0 or not facts.part:
        return near if near < 0 else near * 0.6  # an 8-K of the year
    if not parts - {"FY"}:
        return near * {"FY": 1.0, "Q4": 0.9}.get(facts.part, 0.15 if "FY" in parts else 0.3)
    fits = _same_part(parts, facts)
    if year == main:
        return fits
    return near * fits if fits > 0 else -0.5


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
    if asked not in ORDER or part not in ORDER:
        return 0.0
    # A later report of the year shows this quarter inside its sums at best.
    return 0.1 if ORDER.index(part) > ORDER.index(asked) else -0.5


def _close(a: str, b: str) -> bool:
    try:
        return abs((date.fromisoformat(a) - date.fromisoformat(b)).days) <= _CLOSE_DAYS
    except ValueError:
        return False
