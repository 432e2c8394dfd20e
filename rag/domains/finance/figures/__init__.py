"""Questions for a figure, answered from the cells of tables by code.

What is asked: `understanding` reads a question into an `asked.FigureRequest`, with the book of `formulas` and
the `expressions` that it is made of, or one that calls lines of any table by the table's own words.
What is there: `cells` and `lines` read tables into figures with their periods, units and places; `lineitems`
finds the one that is intended, `reporter` the reports it is looked for in.
What comes of it: `computing` works it out and says it.

`find_figures` is the one entry: what a question wants computed or read meets the statements of the company
that it names. Every input is a cell with its page and characters, every result shows how it was come by.
Where one input is missing there is no figure, and what was missing is said; nothing is guessed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from rag.domains.finance.figures import reporter
from rag.domains.finance.figures.asked import FigureRequest, FiscalTerm, Operation
from rag.domains.finance.figures.computing import compute, not_found_words, sentences, with_working
from rag.domains.finance.figures.expressions import FormulaTerm as Leaf
from rag.domains.finance.figures.formulas import concept_name
from rag.domains.finance.figures.lineitems import FigureReading, find_figure, find_line, item
from rag.domains.finance.figures.understanding import NamedLines, read_figure, read_lines
from rag.domains.finance.money import calculate
from rag.domains.finance.printing import NotComputed
from rag.languages import say, unspaced
from rag.questions.query import Query
from rag.search.evidence import Searched
from rag.store.store import Store
from rag.types import Calculation, Evidence, Figure, Filters


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
    """Looks up what is wanted in the reports of one company and remembers the rows that gave it. `share`: a
    row called by its label has to be printed in percent; its value is then its share of one."""

    store: Store
    reports: reporter.CompanyReports
    wanted: FigureRequest
    share: bool
    readings: dict[tuple[str, FiscalTerm], FigureReading | None] = field(default_factory=dict)
    rows: list[FigureReading] = field(default_factory=list)

    def term(self, offset: int = 0) -> FiscalTerm | None:
        term = self.wanted.period(offset)
        return reporter.in_calendar(term, self.reports, self.store.catalogue()) if term else None

    def reading(self, concept: str, term: FiscalTerm) -> FigureReading | None:
        """The cell of a concept, or of the line of a label ("=label"), for a term."""
        key = (concept, term)
        if key not in self.readings:
            reports = reporter.ordered_reports(self.reports, self.store.catalogue(), term)
            if concept.startswith("="):
                documents = reports or self.reports.documents
                self.readings[key] = find_line(self.store, documents, concept[1:], term.year, term.part)
            else:
                wanted = item(concept, *(self.store.document(d).language for d in reports[:1]))
                found = find_figure(self.store, reports, wanted, term.year, term.part) if wanted else None
                self.readings[key] = found
        return self.readings[key]

    def figure(self, concept: str, offset: int) -> Figure | None:
        """The figure of a concept; its citation is the number of its row, from 1."""
        term = self.term(offset)
        reading = self.reading(concept, term) if term else None
        if term is None or reading is None:
            return None
        value, language = reading.value, self.wanted.language
        if concept.startswith("="):
            if self.share != (reading.amount.unit == "%"):
                return None
            value = value / 100 if self.share else value
        places = [r.place for r in self.rows]
        if reading.place not in places:
            self.rows.append(reading)
            places.append(reading.place)
        label = reading.line.label or concept_name(concept, language)
        return reading.figure(label, value, term.in_words(language), places.index(reading.place) + 1)

    def computed(self) -> Computed | NotComputed:
        """What is wanted, with its rows in the order in which it uses them, in words."""
        result, language = compute(self.wanted, self.figure), self.wanted.language
        if isinstance(result, NotComputed):
            return result
        numbers = _in_order(result.inputs)
        chosen = [self.rows[n - 1] for n in numbers]
        only = [say("figures.only", language)] if self.reports.only else []
        notes = tuple(dict.fromkeys((*result.notes, *only)))
        result = replace(result, inputs=_renumbered(result.inputs, numbers), notes=notes)
        evidence = tuple(reading.evidence(n) for n, reading in enumerate(chosen, 1))
        rows = tuple(numbers.values())
        return Computed(evidence, (result,), sentences(self.wanted, result, self.reports, rows))


def find_figures(
    query: Query, index: Searched, *, filters: Filters | None = None, facts: Sequence[Evidence] = ()
) -> Computed | Uncomputed | None:
    """The figure that a question asks for; None where it asks for none, or does not say whose. `facts` are
    sentences found for it, which sums of loans and savings may take their terms from."""
    sums = calculate(query.text, [fact.text for fact in facts])
    if isinstance(sums, Calculation):
        return _from_facts(sums, facts, query.language)
    if sums is not None:
        return Uncomputed(sums.reason)
    store = index.store
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
    reports = reporter.find_reports(query, store, filters, wanted.periods)
    if reports is None or reporter.about_a_part(query, reports, store):
        return None
    desk = _desk(store, reports, wanted)
    if desk is None:
        return None
    found, formula = desk.computed(), wanted.formula
    if isinstance(found, Computed):
        none = (
            query.whether and wanted.operation is Operation.VALUE and not found.calculations[0].result.value
        )
        (text, rows), *more = found.sentences
        text = say("figures.answer", query.language, true=False) + text if none else text
        return replace(found, sentences=((text, rows), *more))
    if formula.source:
        # What cannot be worked out may be printed: "Effective tax rate 25.5%".
        row = Leaf(f"={formula.name}")
        formula = replace(formula, expression=row, expression_zh=row)
        printed = replace(desk, wanted=replace(desk.wanted, formula=formula)).computed()
        if isinstance(printed, Computed):
            return printed
    return Uncomputed(not_found_words(found, desk.wanted, reports))


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
    term = desk.term() if desk else None
    if desk is None or term is None:
        return None
    readings = [desk.reading(f"={name}", term) for name in named.names]
    units = {r.amount.unit if r.amount.unit in ("%", "shares") else "money" for r in readings if r}
    if len(units) != 1 or None in readings:
        return None
    wanted = replace(named.asked(*units), periods=desk.wanted.periods, notes=desk.wanted.notes)
    if named.every:
        shown = {a.column.year for r in readings if r for a in r.line.amounts if not a.column.change}
        wanted = replace(wanted, periods=tuple(map(FiscalTerm, sorted(shown - {0}))), notes=())
    found = replace(desk, wanted=wanted, share="%" in units).computed()
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
        wanted = replace(wanted, periods=(base,), notes=(*wanted.notes, assumed))
    return _FigureLookup(store, reports, wanted, wanted.unit == "%")


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
