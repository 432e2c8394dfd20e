"""Figures by segment, region or product: which part of a company has most of something, or more than a share,
in figures and words.

Parts are rows under the name of the figure ("Revenues:", a row for each segment, a total). A table counts
only where its total is the company's own figure of the statements and its parts add up to it: then they are
all there are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from rag.domains.finance.figures.asked import FiscalTerm
from rag.domains.finance.figures.formulas import book, concept_name, concept_unit
from rag.domains.finance.figures.lineitems import (
    FigureReading,
    Item,
    figure_for,
    find_figure,
    item,
    label_score,
    signed,
)
from rag.domains.finance.figures.lines import TableLine, table_lines
from rag.domains.finance.figures.reporter import CompanyReports, ordered_reports
from rag.domains.finance.printing import Formatter, Rounding, common_scale
from rag.languages import Patterns, say
from rag.languages.text import normalise, search_tokens
from rag.questions.query import Query
from rag.store.store import Store
from rag.types import Calculation, Chunk, Evidence, Figure

_RE = Patterns(__file__)
_SURE = 0.75
_LOOKED_AT = 20
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
    """A part of a company with its figure; `before` is that of the year before."""

    reading: FigureReading
    before: FigureReading | None

    @property
    def name(self) -> str:
        return self.reading.line.label


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
    """The table passages that print the company's figure, each with the one before it, where its table may
    begin."""
    phrase = " ".join(search_tokens(company.amount.cell.printed.strip("$€£¥ ()（）")))
    held = store.phrase_hits([phrase], [document]).get(phrase, [])[:_LOOKED_AT]
    around = sorted({i for hit in held for i in (hit - 1, hit)})
    return [(i, c) for i, owner, c in store.chunks(around) if owner == document and c.kind == "table"]


def _breakdowns(
    lines: Iterable[TableLine], wanted: Item, term: FiscalTerm
) -> Iterator[tuple[list[BreakdownPart], FigureReading]]:
    """The parts that stand between the name of the figure and its total, and the total, where they and what
    is no part (eliminations, what is not allocated) add up to it but for rounding."""
    parts: list[BreakdownPart] = []
    rest, section = Decimal(0), ""
    for line in lines:
        reading = _reading(wanted, line, term)
        if reading is None:
            continue
        if parts and (_RE["total"].search(line.label) or label_score(line.label, "", wanted) >= _SURE):
            added = sum((p.reading.value for p in parts), rest)
            if len(parts) > 1 and abs(added - reading.value) <= reading.amount.factor * (len(parts) + 1):
                yield parts, reading
            parts, rest, section = [], Decimal(0), ""
            continue
        if line.section != section or not line.section:
            parts, rest, section = [], Decimal(0), line.section
        if label_score(line.section, "", wanted) < _SURE:
            continue
        if _RE["no_part"].search(line.label):
            rest += reading.value
        else:
            parts.append(BreakdownPart(reading, _reading(wanted, line, term.moved(-1))))


def _reading(wanted: Item, line: TableLine, term: FiscalTerm) -> FigureReading | None:
    amount = figure_for(line, term.year, term.part)
    if amount is None or amount.cell.value is None:
        return None
    return FigureReading(line, amount, signed(wanted.key, line, amount), _SURE)


def rank_parts(
    request: PartsQuestion, store: Store, reports: CompanyReports, term: FiscalTerm, language: str
) -> tuple[tuple[Evidence, ...], Calculation, str] | None:
    """The parts of the company ranked as is asked, from a report of the term: the rows that the ranking rests
    on, numbered from 1, the first place's first; the calculation, whose figures cite them; and what is said.
    None where no table there gives the parts of the company's own figure."""
    for report in ordered_reports(reports, store.catalogue(), term)[:_REPORTS]:
        wanted = item(request.key, store.document(report).language)
        company = find_figure(store, [report], wanted, term.year, term.part) if wanted else None
        if wanted is None or company is None:
            continue
        lines = table_lines(store, store.document(report), _about(store, report, company))
        found = [(p, t) for p, t in _breakdowns(lines, wanted, term) if t.value == company.value]
        parts, total = max(found, key=lambda table: len(table[0]), default=([], company))
        if order := _ranked(parts, total, request):
            return _ranking(request, order, total, reports.company, term.in_words(language), language)
    return None


def _ranked(
    parts: Iterable[BreakdownPart], total: FigureReading, request: PartsQuestion
) -> list[tuple[BreakdownPart, Decimal]]:
    """The parts with what they are ranked by, first the one asked for: the figure, its growth in percent, or
    its share of the total in percent."""
    values = []
    for part in parts:
        value, before = part.reading.value, part.before.value if part.before else None
        if not request.growth:
            values.append((part, value if request.share is None else value / total.value * 100))
        elif before:
            values.append((part, (value - before) / abs(before) * 100))
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
    readings = [part.reading for part, _ in named or order[:1]]
    evidence = tuple(reading.evidence(n) for n, reading in enumerate((*readings, total), 1))
    inputs = tuple(r.figure(r.line.label, r.value, period, n) for n, r in enumerate(readings, 1))
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
    return evidence, Calculation(name, "", inputs, result), text
