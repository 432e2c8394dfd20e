"""Figures by segment, region or product: which part of a company has most of something, or more than a share,
in figures and words.

Two layouts are read: parts as rows under the name of the figure ("Revenues:", a row for each segment, a
total), and parts as columns ("Retail 2022 | Retail 2021 | ... | Total 2022"). A table counts only where its
total is the company's own figure of the statements and its parts add up to it: then they are all there
are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from rag.domains.finance.figures import lineitems
from rag.domains.finance.figures.formulas import book, concept_name, concept_unit
from rag.domains.finance.figures.lineitems import FigureReading, Item, figure_for, item, label_score
from rag.domains.finance.figures.lines import Amount, TableLine, table_lines
from rag.domains.finance.figures.reporter import CompanyReports, FiscalTerm, ordered_reports
from rag.domains.finance.printing import Formatter, Rounding, common_scale
from rag.facts.dates import MONTH_NAME
from rag.languages import Patterns, say
from rag.languages.text import normalise, search_tokens
from rag.questions.query import Query
from rag.store.store import Store
from rag.types import Calculation, Chunk, Evidence, Figure

_RE = Patterns(__file__, month_name=MONTH_NAME)
_SURE = 0.75
_LOOKED_AT = 20
_BEFORE, _BEHIND = 6, 3
_NAMED = 4
_REPORTS = 3


@dataclass(frozen=True, slots=True)
class PartsQuestion:
    """What is asked about the parts: the figure's `key`; `least`: the smallest and not the largest; `share`:
    those above so many percent; `growth`: of the figure against the year before."""

    key: str
    least: bool = False
    share: Decimal | None = None
    growth: bool = False


@dataclass(frozen=True, slots=True)
class BreakdownPart:
    """A part of a company with its figure, read as `reading`; `before` is that of the year before."""

    name: str
    reading: FigureReading
    before: FigureReading | None = None


@dataclass
class Breakdown:
    """The parts of a figure as one table gives them, by where they stand, and the total that it shows; `rest`
    is what is no part (eliminations, what is not allocated)."""

    parts: dict[str | int, BreakdownPart] = field(default_factory=dict)
    rest: dict[str | int, Decimal] = field(default_factory=dict)
    total: FigureReading | None = None

    def add(self, place: str | int, name: str, reading: FigureReading, before: FigureReading | None) -> None:
        if _RE["no_part"].search(name):
            self.rest[place] = reading.value
        else:
            self.parts.setdefault(place, BreakdownPart(name, reading, before))

    def gives(self, company: FigureReading) -> bool:
        """Whether several parts and the rest make the company's own figure, but for rounding."""
        if self.total is None or self.total.value != company.value or len(self.parts) < 2:
            return False
        added = sum((part.reading.value for part in self.parts.values()), sum(self.rest.values(), Decimal(0)))
        return abs(added - company.value) <= self.total.amount.factor * (len(self.parts) + 1)


def asked_about_parts(query: Query) -> PartsQuestion | None:
    """What a question asks about segments, regions or products; None where it ranks none of them."""
    question = query.text
    share = _RE["share"].search(question)
    which = _RE["which"].search(question) or _RE["which_zh"].search(question)
    if share is None and which is None:
        return None
    found = (item(value[2:]) for _, _, value in book().find(normalise(question)))
    key = next((i.key for i in found if i is not None and i.statements[:1] == ("income",)), "")
    if not key:
        return None
    if share is not None:
        return PartsQuestion(key, share=Decimal(share["n"]))
    least = which is not None and which["least"] is not None
    return PartsQuestion(key, least=least, growth=_RE["growth"].search(question) is not None)


def _about(store: Store, document: int, company: FigureReading) -> list[tuple[int, Chunk]]:
    """The table passages that print the company's figure, with the others of their pages: one breakdown may
    stand in several."""
    phrase = " ".join(search_tokens(company.amount.cell.printed.strip("$€£¥ ()（）")))
    held = store.phrase_hits([phrase], [document]).get(phrase, [])[:_LOOKED_AT]
    around = {i for hit in held for i in range(hit - _BEFORE, hit + _BEHIND + 1)}
    found = [
        (i, c) for i, owner, c in store.chunks(sorted(around)) if owner == document and c.kind == "table"
    ]
    pages = {chunk.page for i, chunk in found if i in held}
    return [(i, chunk) for i, chunk in found if chunk.page in pages]


def _columns(lines: Sequence[TableLine], wanted: Item, year: int, part: str) -> Iterable[Breakdown]:
    """Tables with a column for each part: the line of the item, over all tables of one page."""
    pages: defaultdict[tuple[int | None, str], Breakdown] = defaultdict(Breakdown)
    for line in lines:
        if label_score(line.label, line.section, wanted) >= _SURE:
            table = pages[line.row.page, line.label]
            for name, now, before in _named(line, year, part):
                if reading := _reading(wanted, line, now):
                    if _RE["total"].search(name):
                        table.total = reading
                    else:
                        table.add(name, name, reading, _reading(wanted, line, before))
    return pages.values()


def _named(line: TableLine, year: int, part: str) -> Iterator[tuple[str, Amount, Amount | None]]:
    """(name of the part, its figure, that of the year before) of the columns that a part heads."""
    named: dict[str, dict[int, Amount]] = {}
    for amount in line.amounts:
        column = amount.column
        name = " ".join(_RE["period"].sub(" ", column.text).split()).strip(" ,|")
        fits = column.year in (year, year - 1) and lineitems.same_part(column.part, part, False)
        if name and fits and not column.change and amount.cell.value is not None:
            named.setdefault(name, {}).setdefault(column.year, amount)
    for name, amounts in named.items():
        if year in amounts:
            yield name, amounts[year], amounts.get(year - 1)


def _rows(lines: Sequence[TableLine], wanted: Item, year: int, part: str) -> Iterator[Breakdown]:
    """Tables with a row for each part, between the name of the figure and its total."""
    table, section = Breakdown(), ""
    for line in lines:
        reading = _reading(wanted, line, figure_for(line, year, part))
        if reading is None:
            continue
        whole = _RE["total"].search(line.label) or label_score(line.label, "", wanted) >= _SURE
        if table.parts and whole:
            table.total = reading
            yield table
            table, section = Breakdown(), ""
            continue
        if line.section != section or not line.section:
            table, section = Breakdown(), line.section
        if label_score(line.section, "", wanted) >= _SURE:
            before = _reading(wanted, line, figure_for(line, year - 1, part))
            table.add(line.row.start, line.label, reading, before)


def _reading(wanted: Item, line: TableLine, amount: Amount | None) -> FigureReading | None:
    if amount is None or amount.cell.value is None:
        return None
    return FigureReading(line, amount, lineitems.signed(wanted.key, line, amount), _SURE)


def rank_parts(
    request: PartsQuestion, store: Store, reports: CompanyReports, term: FiscalTerm, language: str
) -> tuple[tuple[Evidence, ...], Calculation, str] | None:
    """The parts of the company ranked as is asked, from a report of the term: the rows that the ranking rests
    on, numbered from 1, the first place's first; the calculation, whose figures cite them; and what is said.
    None where no table there gives the parts of the company's own figure."""
    for report in ordered_reports(reports, store.catalogue(), term)[:_REPORTS]:
        wanted = item(request.key, store.document(report).language)
        company = lineitems.find_figure(store, [report], wanted, term.year, term.part) if wanted else None
        if wanted is None or company is None:
            continue
        lines = table_lines(store, store.document(report), _about(store, report, company))
        tables = (table for f in (_columns, _rows) for table in f(lines, wanted, term.year, term.part))
        fitting = [table for table in tables if table.gives(company)]
        found = max(fitting, key=lambda table: len(table.parts), default=None)
        if found and found.total and (order := _ranked(found.parts.values(), found.total, request)):
            return _ranking(request, order, found.total, reports.company, term.in_words(language), language)
    return None


def _ranked(
    parts: Iterable[BreakdownPart], total: FigureReading, request: PartsQuestion
) -> list[tuple[BreakdownPart, Decimal]]:
    """The parts with what they are ranked by, first the one asked for: the figure, its growth in percent, or
    its share of the total in percent."""
    values = []
    for part in parts:
        value = part.reading.value
        if request.growth:
            if part.before is None or not part.before.value:
                continue
            value = (value - part.before.value) / abs(part.before.value) * 100
        elif request.share is not None:
            value = value / total.value * 100
        values.append((part, value))
    return sorted(values, key=lambda pv: pv[1], reverse=not request.least)


def _ranking(
    request: PartsQuestion, order: Sequence[tuple[BreakdownPart, Decimal]], total: FigureReading,
    company: str, period: str, language: str,
) -> tuple[tuple[Evidence, ...], Calculation, str]:  # fmt: skip
    scale = common_scale(part.reading.value for part, _ in order)
    formatter = Formatter(Rounding(), language, total.amount.unit, scale)
    share = request.share
    named = order[:_NAMED] if share is None else [(part, v) for part, v in order if v > share]
    unit = "%" if request.growth or share is not None else concept_unit(request.key)
    rows: dict[int, Evidence] = {}  # one row may hold several parts
    readings = [part.reading for part, _ in named or order[:1]]
    for reading in (*readings, total):
        rows.setdefault(reading.line.row.start, reading.evidence(len(rows) + 1))
    inputs = tuple(
        part.reading.figure(part.name, part.reading.value, period, rows[part.reading.line.row.start].number)
        for part, _ in named or order[:1]
    )
    name = concept_name(request.key, language)
    said = [(part.name, formatter.text(v, unit)) for part, v in named]
    first = said[0] if said else ("", "")
    listed = said[1:] if share is None else said
    text = say(
        f"figures.{'first' if share is None else 'over' if said else 'none'}", language, company=company,
        period=period, name=name, share=share, part=first[0], value=first[1], least=request.least,
        rest=[say("figures.part", language, name=n, value=v) for n, v in listed], growth=request.growth,
    )  # fmt: skip
    part, value = (named or order)[0]
    result = Figure(part.name, value, formatter.unit_of(unit), period, formatter.text(value, unit))
    return tuple(rows.values()), Calculation(name, "", inputs, result), text
