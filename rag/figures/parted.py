"""Questions about segments, regions and products: the breakdown that answers them, in figures and words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from rag.figures.breakdown import Asked, Breakdown, Part, asked_about_parts, find_breakdown, ranked
from rag.figures.formulas import concept_name, concept_unit
from rag.figures.lineitems import Reading, find_figure, item
from rag.figures.whose import Term, Whose, ordered_reports
from rag.rounding import Rounding, common_scale
from rag.shown import Shown
from rag.store import Store
from rag.types import Calculation, Figure

_NAMED = 4
_REPORTS = 3


@dataclass(frozen=True, slots=True)
class Ranking:
    """The rows that a ranking rests on, the first place's first; the calculation, whose figures cite them by
    their place in `readings` from 1; and what is said."""

    readings: tuple[Reading, ...]
    calculation: Calculation
    text: str


def rank_parts(question: str, store: Store, whose: Whose, term: Term, language: str) -> Ranking | None:
    """The parts of the company ranked as the question asks, from a report of the term; None where it asks
    for no ranking, or no table there gives the parts of the company's own figure."""
    asked = asked_about_parts(question)
    if asked is None:
        return None
    for report in ordered_reports(whose, store.catalogue(), term)[:_REPORTS]:
        wanted = item(asked.key, store.document(report).language == "zh")
        company = find_figure(store, [report], wanted, term.year, term.part) if wanted else None
        if wanted is None or company is None:
            continue
        found = find_breakdown(store, report, wanted, term.year, term.part, company)
        if found is not None and (order := ranked(found, asked)):
            return _told(asked, found, order, whose, term, language)
    return None


def _told(
    asked: Asked,
    found: Breakdown,
    order: Sequence[tuple[Part, Decimal]],
    whose: Whose,
    term: Term,
    language: str,
) -> Ranking:
    over = [(part, value) for part, value in order if asked.share is None or value > asked.share]
    shown = _shown(found, language)
    named = over[:_NAMED] if asked.share is None else over
    readings = tuple(part.reading for part, _ in named or order[:1])
    inputs = tuple(
        part.reading.figure(part.name, part.reading.value, term.spoken(language), number)
        for number, (part, _) in enumerate(named or order[:1], 1)
    )
    ranks = asked.growth or asked.share is not None
    unit = "%" if ranks else concept_unit(asked.key)
    first, value = (named or order)[0]
    text = (_over if asked.share is not None else _first)(asked, named, shown, unit, whose, term, language)
    name = concept_name(asked.key, language)
    result = Figure(first.name, value, shown.unit_of(unit), term.spoken(language), shown.text(value, unit))
    readings = (*readings, found.total)
    return Ranking(readings, Calculation(name, "", inputs, result), text)


def _shown(found: Breakdown, language: str) -> Shown:
    values = [part.reading.value for part in found.parts]
    return Shown(Rounding(), language, found.total.amount.unit, common_scale(values))


def _list(named: Sequence[tuple[Part, Decimal]], shown: Shown, unit: str, zh: bool) -> str:
    said = [
        f"{part.name}（{shown.text(v, unit)}）" if zh else f"{part.name} ({shown.text(v, unit)})"
        for part, v in named
    ]
    return ("、" if zh else ", ").join(said)


def _first(
    asked: Asked,
    named: Sequence[tuple[Part, Decimal]],
    shown: Shown,
    unit: str,
    whose: Whose,
    term: Term,
    language: str,
) -> str:
    zh = language == "zh"
    name, period = concept_name(asked.key, language), term.spoken(language)
    rest = _list(named[1:], shown, unit, zh)
    (part, value), text = named[0], ""
    if zh:
        what = f"{name}{'增长' if asked.growth else ''}{'最低' if asked.least else '最高'}"
        text = f"{whose.company}{period}{what}的是{part.name}：{shown.text(value, unit)}"
        return text + (f"；其次为{rest}。" if rest else "。")
    what = f"{'lowest' if asked.least else 'highest'} {'growth of ' if asked.growth else ''}{name}"
    text = f"{part.name} had the {what} of {whose.company} for {period}: {shown.text(value, unit)}"
    return text + (f"; then {rest}." if rest else ".")


def _over(
    asked: Asked,
    named: Sequence[tuple[Part, Decimal]],
    shown: Shown,
    unit: str,
    whose: Whose,
    term: Term,
    language: str,
) -> str:
    zh = language == "zh"
    name, period = concept_name(asked.key, language), term.spoken(language)
    if zh:
        if not named:
            return f"否：{whose.company}{period}没有任何部分超过{name}的{asked.share}%。"
        return f"是：{whose.company}{period}超过{name}{asked.share}%的有{_list(named, shown, unit, zh)}。"
    if not named:
        return f"No: no part of {whose.company} is more than {asked.share}% of {name} for {period}."
    listed = _list(named, shown, unit, zh)
    return f"Yes: more than {asked.share}% of {name} of {whose.company} for {period}: {listed}."
