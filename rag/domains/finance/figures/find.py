"""Questions for a figure, answered from table cells by code.

What a question wants computed or read (`asked`) meets the statements of the company that it names
(`lineitems`): every input is a cell with its page and characters, every result shows how it was come by.
Where one input is missing there is no figure, and what was missing is said; nothing is guessed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from rag.domains.finance.figures import reporter
from rag.domains.finance.figures.asked import FigureRequest
from rag.domains.finance.figures.breakdown import PartsQuestion, asked_about_parts, rank_parts
from rag.domains.finance.figures.computing import compute, not_found_words, sentences, with_working
from rag.domains.finance.figures.expressions import FormulaTerm as Leaf
from rag.domains.finance.figures.formulas import concept_name
from rag.domains.finance.figures.lineitems import FigureReading, find_figure, find_line, item, phrases
from rag.domains.finance.figures.named import NamedLines, read_lines
from rag.domains.finance.figures.understanding import read_figure
from rag.domains.finance.money import calculate
from rag.domains.finance.printing import NotComputed
from rag.languages import say, unspaced
from rag.questions.query import Query
from rag.search.evidence import Searched
from rag.store.store import Store
from rag.types import Calculation, Chunk, Evidence, Figure, Filters

# Where so many rows are cited or fewer, one of the page that repeats their figures joins them.
_FEW = 2
_EXPLAINED = frozenset(("discussion", "liquidity", "reconciliation"))
_EXPLANATIONS = 24
_DISTINCT = 4


@dataclass(frozen=True, slots=True)
class Computed:
    """A question's figure: the rows it was read from, numbered from 1, the calculation, and what they say in
    words: each sentence with the numbers of the rows that it rests on."""

    evidence: tuple[Evidence, ...]
    calculations: tuple[Calculation, ...]
    sentences: tuple[tuple[str, tuple[int, ...]], ...]


@dataclass(frozen=True, slots=True)
class Uncomputed:
    """A question for a figure that could not be had: what was missing, in words."""

    reason: str


@dataclass
class _FigureLookup:
    """Looks the figures of what is wanted up in the reports of one company and remembers the rows that gave
    them. `share`: the figure asked for is a percentage, and a row printed as it has to be one; its value is
    then its share of one."""

    store: Store
    reports: reporter.CompanyReports
    wanted: FigureRequest
    share: bool
    readings: dict[tuple[str, reporter.FiscalTerm], FigureReading | None] = field(default_factory=dict)
    rows: list[FigureReading] = field(default_factory=list)

    def look_up(self, concept: str, term: reporter.FiscalTerm | None) -> Figure | None:
        """The figure of a concept for a term; its citation is the number of its row, from 1."""
        reading = self.reading(concept, term) if term else None
        if (
            term is None
            or reading is None
            or (concept.startswith("=") and self.share != (reading.amount.unit == "%"))
        ):
            return None
        return self._figure(reading, concept, term)

    def reading(self, concept: str, term: reporter.FiscalTerm) -> FigureReading | None:
        """The cell of a concept for a term."""
        key = (concept, term)
        if key not in self.readings:
            self.readings[key] = self._found(concept, term)
        return self.readings[key]

    def _found(self, concept: str, term: reporter.FiscalTerm) -> FigureReading | None:
        reports = reporter.ordered_reports(self.reports, self.store.catalogue(), term)
        if concept.startswith("="):
            return find_line(self.store, reports or self.reports.documents, concept[1:], term.year, term.part)
        wanted = item(concept, *(self.store.document(d).language for d in reports[:1]))
        return find_figure(self.store, reports, wanted, term.year, term.part) if wanted else None

    def _figure(self, reading: FigureReading, concept: str, term: reporter.FiscalTerm) -> Figure:
        places = [(r.line.row.document.id, r.line.row.start) for r in self.rows]
        place = (reading.line.row.document.id, reading.line.row.start)
        if place not in places:
            self.rows.append(reading)
            places.append(place)
        return reading.figure(
            reading.line.label or concept_name(concept, self.wanted.language),
            reading.value / 100 if concept.startswith("=") and self.share else reading.value,
            term.in_words(self.wanted.language),
            places.index(place) + 1,
        )


def find_figures(
    query: Query, index: Searched, *, filters: Filters | None = None, facts: Sequence[Evidence] = ()
) -> Computed | Uncomputed | None:
    """The figure that a question asks for; None where it asks for none, or does not say whose. `facts` are
    sentences found for it, which loan, bond and insurance sums may take their terms from."""
    sums = calculate(query.text, [fact.text for fact in facts])
    if isinstance(sums, Calculation):
        return _from_facts(sums, facts, query.language)
    if sums is not None:
        return Uncomputed(sums.reason)
    store = index.store
    if (ranked := asked_about_parts(query)) is not None:
        return _parts(query, ranked, store, filters)
    named = read_lines(query, _names(query, store))
    several = named is not None and (
        named.every or named.sign != "" or (named.each != () and unspaced(query.language))
    )
    if named and several and (computed := _of_lines(named, query, store, filters, facts)):
        return computed
    found = _of_accounts(query, store, filters, combined=named is not None and named.sign != "")
    if isinstance(found, Computed) or named is None or several:
        return found
    return _of_lines(named, query, store, filters, facts) or found


def _of_accounts(
    query: Query, store: Store, filters: Filters | None, *, combined: bool
) -> Computed | Uncomputed | None:
    """A figure that the book knows, from the reports of a company. Where two are to be `combined`, one alone
    answers nothing."""
    wanted = read_figure(query, _names(query, store))
    if wanted is None or (combined and not wanted.formula.source):
        return None
    terms = reporter.read_terms(wanted.periods)
    reports = reporter.find_reports(query, store, filters, terms)
    if reports is None or reporter.about_a_part(query, reports, store):
        return None
    desk = _desk(store, reports, wanted)
    if desk is None:
        return None
    wanted = desk.wanted
    result = _computed(wanted, desk)
    if isinstance(result, NotComputed) and wanted.formula.source and not wanted.formula.defined:
        # What cannot be worked out may be printed: "Effective tax rate 25.5%".
        row = Leaf(f"={wanted.formula.name}")
        printed = replace(
            wanted, formula=replace(wanted.formula, expression=row, expression_zh=row, variants=())
        )
        again = _computed(printed, desk)
        result = again if isinstance(again, Calculation) else result
    if isinstance(result, NotComputed):
        return Uncomputed(not_found_words(result, wanted, reports))
    return _assembled(wanted, result, desk, reports)


def _names(query: Query, store: Store) -> list[str]:
    """What the companies that a question names are called."""
    reports = reporter.CompanyReports("", tuple(sorted(query.constraints.named)))
    named = reporter.own_names(reports, store) if query.constraints.companies else set()
    return sorted({*named, *query.constraints.companies} - {""}, key=len, reverse=True)


def _of_lines(
    named: NamedLines, query: Query, store: Store, filters: Filters | None, facts: Sequence[Evidence]
) -> Computed | None:
    """Figures of lines that the question calls by name, from tables of the company that it names, or, where
    it names none, of the documents of `facts` that are no company's."""
    reports = reporter.find_reports(query, store, filters, ())
    if reports is None and not (query.constraints.companies or query.constraints.unknown_names):
        owners = store.catalogue().owners
        free = tuple(dict.fromkeys(f.document.id for f in facts if not owners[f.document.id]))
        reports = reporter.CompanyReports(store.document(free[0]).title, free) if free else None
    if reports is None:
        return None
    if (found := _of_names(named, store, reports)) or not named.each:
        return found
    each = [_of_names(replace(named, names=(name,)), store, reports) for name in named.each]
    return _together([one for one in each if one]) if all(each) else None


def _of_names(named: NamedLines, store: Store, reports: reporter.CompanyReports) -> Computed | None:
    """What is wanted of the lines; None where one of them is not surely found, or their units differ."""
    desk = _desk(store, reports, named.asked("money"))
    term = _term(desk.wanted, 0, desk) if desk else None
    if desk is None or term is None:
        return None
    readings = [desk.reading(f"={name}", term) for name in named.names]
    units = {r.amount.unit if r.amount.unit in ("%", "shares") else "money" for r in readings if r}
    if len(units) != 1 or None in readings:
        return None
    wanted = replace(named.asked(*units), periods=desk.wanted.periods, notes=desk.wanted.notes)
    if named.every:
        shown = {a.column.year for r in readings if r for a in r.line.amounts if not a.column.change}
        wanted = replace(wanted, periods=tuple(f"FY{year}" for year in sorted(shown - {0})), notes=())
    desk = replace(desk, wanted=wanted, share="%" in units)
    result = _computed(wanted, desk)
    found = _assembled(wanted, result, desk, reports) if isinstance(result, Calculation) else None
    return found if isinstance(found, Computed) else None


def _together(found: Sequence[Computed]) -> Computed:
    """Several figures as one answer, their rows numbered through."""
    rows = {(e.document.id, e.start): e for one in found for e in reversed(one.evidence)}
    places = {place: n for n, place in enumerate(rows, 1)}
    calculations, said = [], []
    for one in found:
        numbers = {e.number: places[e.document.id, e.start] for e in one.evidence}
        calculations += [replace(c, inputs=_renumbered(c.inputs, numbers)) for c in one.calculations]
        said += [(text, tuple(numbers[n] for n in cited)) for text, cited in one.sentences]
    evidence = tuple(replace(e, number=n) for n, e in enumerate(rows.values(), 1))
    return Computed(evidence, tuple(calculations), tuple(said))


def _desk(store: Store, reports: reporter.CompanyReports, wanted: FigureRequest) -> _FigureLookup | None:
    """The look-up of what is wanted, of the newest report's period where none is named."""
    if not wanted.periods:
        base = reporter.newest(reports, store.catalogue())
        if base is None:
            return None
        assumed = say("figures.assumed", wanted.language, period=base.in_words(wanted.language))
        wanted = replace(wanted, periods=(base.written,), notes=(*wanted.notes, assumed))
    return _FigureLookup(store, reports, wanted, wanted.unit == "%")


def _parts(query: Query, asked: PartsQuestion, store: Store, filters: Filters | None) -> Computed | None:
    """Which segment, region or product has most of a figure, or more than a share of it."""
    catalogue = store.catalogue()
    terms = reporter.as_terms(query.periods)
    reports = reporter.find_reports(query, store, filters, terms)
    term = terms[-1] if terms else reporter.newest(reports, catalogue) if reports else None
    if reports is None or term is None:
        return None
    term = reporter.in_calendar(term, reports, catalogue)
    if (ranking := rank_parts(asked, store, reports, term, query.language)) is None:
        return None
    evidence, calculation, text = ranking
    return Computed(evidence, (calculation,), ((text, tuple(e.number for e in evidence)),))


def _renumbered(inputs: Sequence[Figure], numbers: Mapping[int, int]) -> tuple[Figure, ...]:
    """The figures with their citations' new numbers."""
    return tuple(replace(f, citation=numbers[f.citation]) if f.citation else f for f in inputs)


def _in_order(inputs: Sequence[Figure]) -> dict[int, int]:
    """Citations -> their numbers in the order in which the figures use them, from 1."""
    return {old: n for n, old in enumerate(dict.fromkeys(f.citation for f in inputs if f.citation), 1)}


def _from_facts(sums: Calculation, facts: Sequence[Evidence], language: str) -> Computed:
    """A sum whose inputs stand in the question or in the facts, with those facts as its rows."""
    numbers = _in_order(sums.inputs)
    placed = [
        replace(f, start=facts[f.citation - 1].start + f.start, end=facts[f.citation - 1].start + f.end)
        if f.citation else f
        for f in sums.inputs
    ]  # fmt: skip
    sums = replace(sums, inputs=_renumbered(placed, numbers))
    evidence = tuple(replace(facts[old - 1], number=new) for old, new in numbers.items())
    head = say("figures.sum", language, name=sums.name, printed=sums.result.printed)
    text = with_working(head, sums, language)
    return Computed(evidence, (sums,), ((text, tuple(numbers.values())),))


def _computed(wanted: FigureRequest, desk: _FigureLookup) -> Calculation | NotComputed:
    return compute(wanted, lambda concept, offset: desk.look_up(concept, _term(wanted, offset, desk)))


def _term(wanted: FigureRequest, offset: int, desk: _FigureLookup) -> reporter.FiscalTerm | None:
    found = reporter.read_terms([wanted.period(offset)])
    return reporter.in_calendar(found[0], desk.reports, desk.store.catalogue()) if found else None


def _assembled(
    wanted: FigureRequest, result: Calculation, desk: _FigureLookup, reports: reporter.CompanyReports
) -> Computed | Uncomputed:
    """The rows in the order in which the calculation uses them, and what is said."""
    numbers = _in_order(result.inputs)
    inputs = _renumbered(result.inputs, numbers)
    chosen = [desk.rows[n - 1] for n in numbers]
    notes = [r.note for r in chosen if r.note]
    if any(r.amount.column.inferred for r in chosen):
        notes.append(say("figures.inferred", wanted.language))
    notes += [say("figures.only", wanted.language)] if reports.only else []
    result = replace(result, inputs=inputs, notes=tuple(dict.fromkeys((*result.notes, *notes))))
    if not chosen:
        return Uncomputed("")
    rows = tuple(range(1, len(chosen) + 1))
    evidence = [reading.evidence(n) for n, reading in enumerate(chosen, 1)]
    if len(chosen) <= _FEW and (again := _repeated_in_discussion(desk, chosen, inputs)):
        evidence.append(replace(again, number=len(evidence) + 1))
    return Computed(tuple(evidence), (result,), sentences(wanted, result, reports, rows))


def _repeated_in_discussion(
    desk: _FigureLookup, chosen: Sequence[FigureReading], inputs: Sequence[Figure]
) -> Evidence | None:
    """The line of management's discussion that prints most of these figures once more: where they are
    explained. None where none does."""
    document = chosen[0].line.row.document
    roles = desk.store.roles([document.id])
    items = {c: item(c, document.language) for (c, _), r in desk.readings.items() if r in chosen}
    wanted = [p for found in items.values() if found for p in phrases(found)]
    held = desk.store.phrase_hits(wanted, [document.id])
    explained = {i for ids in held.values() for i in ids if _EXPLAINED & set(roles.get(i, ()))}
    printed = {f.printed.strip("$€£¥ ()（）") for f in inputs if len(f.printed) >= _DISTINCT}
    best: tuple[int, Evidence] | None = None
    for chunk_id, _, chunk in desk.store.chunks(sorted(explained)[:_EXPLANATIONS]):
        for start, line in _lines(chunk):
            matching = sum(p in line for p in printed)
            if matching > (best[0] if best else 0):
                page = chunk.page if chunk.page == chunk.last_page else desk.store.page_at(document.id, start)
                best = matching, Evidence(
                    0, document, chunk_id, start, start + len(line), line, 0.5, page, chunk.heading_path,
                    location=chunk.location,
                )  # fmt: skip
    return best[1] if best and best[1].page != chosen[0].line.row.page else None


def _lines(chunk: Chunk) -> Iterator[tuple[int, str]]:
    at = chunk.start
    for line in chunk.text.split("\n"):
        if line.strip():
            yield at, line
        at += len(line) + 1
