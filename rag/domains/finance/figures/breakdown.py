"""Figures by segment, region or product: which part of a company has most of something, or more than a share,
in figures and words.

Two layouts are read: parts as rows under the name of the figure ("Revenues:", a row for each segment, a
total), and parts as columns ("Retail 2022 | Retail 2021 | ... | Total 2022"). A table counts only where its
total is the company's own figure of the statements and its parts add up to it: then they are all there
are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from rag.domains.finance.figures import lineitems
from rag.domains.finance.figures.formulas import book, concept_name, concept_unit
from rag.domains.finance.figures.lines import Amount, TableLine, table_lines
from rag.domains.finance.figures.reporter import CompanyReports, FiscalTerm, ordered_reports
from rag.domains.finance.printing import Formatter, Rounding, common_scale
from rag.facts.dates import MONTH_NAME
from rag.languages import Patterns, say
from rag.languages.text import normalise, search_tokens
from rag.questions.query import Query
from rag.store.store import Store
from rag.types import Calculation, Chunk, Figure

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
    reading: lineitems.FigureReading
    before: lineitems.FigureReading | None = None


@dataclass(frozen=True, slots=True)
class Breakdown:
    """The parts of a figure as one table gives them, and the total that it shows; `rest` is the sum of what
    is no part (eliminations, what is not allocated)."""

    parts: tuple[BreakdownPart, ...]
    total: lineitems.FigureReading
    rest: Decimal = Decimal(0)

    @property
    def complete(self) -> bool:
        """Whether the parts and the rest make the total, but for rounding."""
        added = sum((part.reading.value for part in self.parts), self.rest)
        return abs(added - self.total.value) <= self.total.amount.factor * (len(self.parts) + 1)


def asked_about_parts(query: Query) -> PartsQuestion | None:
    """What a question asks about segments, regions or products; None where it ranks none of them."""
    question = query.text
    share = _RE["share"].search(question)
    which = _RE["which"].search(question) or _RE["which_zh"].search(question)
    if share is None and which is None:
        return None
    keys = [
        value[2:] for _, _, value in book().find(normalise(question)) if lineitems.item(value[2:]) is not None
    ]
    key = next((k for k in keys if lineitems.item(k).statements[:1] == ("income",)), "")  # type: ignore[union-attr]
    if not key:
        return None
    if share is not None:
        return PartsQuestion(key, share=Decimal(share["n"]))
    assert which is not None
    return PartsQuestion(
        key, least=which["least"] is not None, growth=_RE["growth"].search(question) is not None
    )


def find_breakdown(
    store: Store,
    document: int,
    wanted: lineitems.Item,
    year: int,
    part: str,
    company: lineitems.FigureReading,
) -> Breakdown | None:
    """The parts of an item in one document for a period, where their total is `company`, the figure of the
    statements. None where no table gives them."""
    chunks = _about(store, document, company)
    lines = table_lines(store, store.document(document), chunks)
    groups = [*_columns(lines, wanted, year, part), *_rows(lines, wanted, year, part)]
    fitting = [g for g in groups if g.total.value == company.value and len(g.parts) > 1 and g.complete]
    return max(fitting, key=lambda g: len(g.parts), default=None)


def _about(store: Store, document: int, company: lineitems.FigureReading) -> list[tuple[int, Chunk]]:
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


def _columns(lines: Sequence[TableLine], wanted: lineitems.Item, year: int, part: str) -> Iterator[Breakdown]:
    """Tables with a column for each part: the line of the item, over all tables of one page."""
    pages: dict[tuple[int | None, str], list[TableLine]] = {}
    for line in lines:
        if lineitems.label_score(line.label, line.section, wanted) >= _SURE:
            pages.setdefault((line.row.page, line.label), []).append(line)
    for found in pages.values():
        parts: dict[str, BreakdownPart] = {}
        total: lineitems.FigureReading | None = None
        rest: dict[str, Decimal] = {}
        for line in found:
            for name, now, before in _named(line, year, part):
                reading = _reading(wanted, line, now)
                if _RE["total"].search(name):
                    total = reading
                elif _RE["no_part"].search(name):
                    rest[name] = reading.value
                else:
                    parts.setdefault(
                        name, BreakdownPart(name, reading, _reading(wanted, line, before) if before else None)
                    )
        if total is not None:
            yield Breakdown(tuple(parts.values()), total, sum(rest.values(), Decimal(0)))


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


def _rows(lines: Sequence[TableLine], wanted: lineitems.Item, year: int, part: str) -> Iterator[Breakdown]:
    """Tables with a row for each part, between the name of the figure and its total."""
    open_parts: list[BreakdownPart] = []
    rest = Decimal(0)
    section = ""
    for line in lines:
        now = _of(line, year, part)
        if now is None:
            continue
        reading = _reading(wanted, line, now)
        says = lineitems.label_score(line.label, "", wanted) >= _SURE
        if open_parts and (says or _RE["total"].search(line.label)):
            yield Breakdown(tuple(open_parts), reading, rest)
            open_parts, rest, section = [], Decimal(0), ""
            continue
        if line.section != section or not line.section:
            open_parts, rest, section = [], Decimal(0), line.section
        if lineitems.label_score(line.section, "", wanted) < _SURE:
            continue
        if _RE["no_part"].search(line.label):
            rest += reading.value
        else:
            before = _of(line, year - 1, part)
            open_parts.append(
                BreakdownPart(line.label, reading, _reading(wanted, line, before) if before else None)
            )


def _reading(wanted: lineitems.Item, line: TableLine, amount: Amount) -> lineitems.FigureReading:
    return lineitems.FigureReading(line, amount, lineitems.signed(wanted.key, line, amount), _SURE)


def _of(line: TableLine, year: int, part: str) -> Amount | None:
    amount = lineitems.figure_for(line, year, part)
    return amount if amount and amount.cell.value is not None else None


def ranked(found: Breakdown, request: PartsQuestion) -> tuple[tuple[BreakdownPart, Decimal], ...]:
    """The parts with what they are ranked by, first the one asked for: the figure, its growth in percent, or
    its share of the total in percent."""
    values = []
    for part in found.parts:
        value = part.reading.value
        if request.growth:
            if part.before is None or not part.before.value:
                continue
            value = (value - part.before.value) / abs(part.before.value) * 100
        elif request.share is not None:
            value = value / found.total.value * 100
        values.append((part, value))
    return tuple(sorted(values, key=lambda pv: pv[1], reverse=not request.least))


@dataclass(frozen=True, slots=True)
class Ranking:
    """The rows that a ranking rests on, the first place's first; the calculation, whose figures cite them by
    their place in `readings` from 1; and what is said."""

    readings: tuple[lineitems.FigureReading, ...]
    calculation: Calculation
    text: str


def rank_parts(
    request: PartsQuestion, store: Store, reports: CompanyReports, term: FiscalTerm, language: str
) -> Ranking | None:
    """The parts of the company ranked as is asked, from a report of the term; None where no table there gives
    the parts of the company's own figure."""
    for report in ordered_reports(reports, store.catalogue(), term)[:_REPORTS]:
        wanted = lineitems.item(request.key, store.document(report).language)
        company = lineitems.find_figure(store, [report], wanted, term.year, term.part) if wanted else None
        if wanted is None or company is None:
            continue
        found = find_breakdown(store, report, wanted, term.year, term.part, company)
        if found is not None and (order := ranked(found, request)):
            return _ranking(request, found, order, reports.company, term.in_words(language), language)
    return None


def _ranking(
    request: PartsQuestion, found: Breakdown, order: Sequence[tuple[BreakdownPart, Decimal]], company: str,
    period: str, language: str,
) -> Ranking:  # fmt: skip
    scale = common_scale(part.reading.value for part in found.parts)
    formatter = Formatter(Rounding(), language, found.total.amount.unit, scale)
    share = request.share
    named = order[:_NAMED] if share is None else [(part, v) for part, v in order if v > share]
    rows = named or order[:1]
    unit = "%" if request.growth or share is not None else concept_unit(request.key)
    inputs = tuple(
        part.reading.figure(part.name, part.reading.value, period, number)
        for number, (part, _) in enumerate(rows, 1)
    )
    name = concept_name(request.key, language)
    said = [(part.name, formatter.text(v, unit)) for part, v in named]
    if share is not None:
        kind, listed = "over" if said else "none", said
    else:
        kind, listed = "first", said[1:]
    rest = [say("figures.part", language, name=n, value=v) for n, v in listed]
    first = said[0] if said else ("", "")
    text = say(
        f"figures.{kind}", language, company=company, period=period, name=name, share=share, rest=rest,
        part=first[0], value=first[1], least=request.least, growth=request.growth,
    )  # fmt: skip
    part, value = rows[0]
    result = Figure(part.name, value, formatter.unit_of(unit), period, formatter.text(value, unit))
    readings = (*(part.reading for part, _ in rows), found.total)
    return Ranking(readings, Calculation(name, "", inputs, result), text)
