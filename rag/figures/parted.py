"""Questions about segments, regions and products: the breakdown that answers them, in figures and words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from rag.figures.breakdown import (
    Breakdown,
    BreakdownPart,
    PartsQuestion,
    asked_about_parts,
    find_breakdown,
    ranked,
)
from rag.figures.formulas import concept_name, concept_unit
from rag.figures.lineitems import FigureReading, find_figure, item
from rag.figures.whose import CompanyReports, FiscalTerm, ordered_reports
from rag.rounding import Rounding, common_scale
from rag.shown import Formatter
from rag.store import Store
from rag.types import Calculation, Figure

_NAMED = 4
_REPORTS = 3
_SAID = {
    "first": ("{part} had the {most} {growth}{name} of {company} for {period}: {value}",
              "{company}{period}{name}{growth}{most}的是{part}：{value}"),
    "over": ("Yes: more than {share}% of {name} of {company} for {period}: {rest}.",
             "是：{company}{period}超过{name}{share}%的有{rest}。"),
    "none": ("No: no part of {company} is more than {share}% of {name} for {period}.",
             "否：{company}{period}没有任何部分超过{name}的{share}%。"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Ranking:
    """The rows that a ranking rests on, the first place's first; the calculation, whose figures cite them by
    their place in `readings` from 1; and what is said."""

    readings: tuple[FigureReading, ...]
    calculation: Calculation
    text: str


def rank_parts(
    question: str, store: Store, reports: CompanyReports, term: FiscalTerm, language: str
) -> Ranking | None:
    """The parts of the company ranked as the question asks, from a report of the term; None where it asks
    for no ranking, or no table there gives the parts of the company's own figure."""
    request = asked_about_parts(question)
    if request is None:
        return None
    for report in ordered_reports(reports, store.catalogue(), term)[:_REPORTS]:
        wanted = item(request.key, store.document(report).language == "zh")
        company = find_figure(store, [report], wanted, term.year, term.part) if wanted else None
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
    zh = language == "zh"
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
    rest = ("、" if zh else ", ").join(f"{n}（{v}）" if zh else f"{n} ({v})" for n, v in listed)
    first = said[0] if said else ("", "")
    text = _SAID[kind][zh].format(
        company=company, period=period, name=name, share=share, rest=rest, part=first[0], value=first[1],
        most=("lowest", "最低")[zh] if request.least else ("highest", "最高")[zh],
        growth=("growth of ", "增长")[zh] if request.growth else "",
    )  # fmt: skip
    if kind == "first":
        text += (("; then {}.", "；其次为{}。")[zh].format(rest)) if rest else (".", "。")[zh]
    part, value = rows[0]
    result = Figure(part.name, value, formatter.unit_of(unit), period, formatter.text(value, unit))
    readings = (*(part.reading for part, _ in rows), found.total)
    return Ranking(readings, Calculation(name, "", inputs, result), text)
