"""What a computed figure, or the lack of one, says in words: also to a question of yes or no, of better or
worse, of which period."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from rag.domains.finance.figures.asked import FigureRequest, Operation
from rag.domains.finance.figures.formulas import concept_name
from rag.domains.finance.figures.reporter import CompanyReports, read_terms
from rag.domains.finance.printing import Formatter, NotComputed, RequiredFigure, Rounding, plain
from rag.languages import say
from rag.types import Calculation

# What is asked with these aims is answered by a sentence, which is the first note of the calculation.
_CONCLUDED = frozenset(
    {Operation.TREND, Operation.VALUES, Operation.HIGHEST, Operation.LOWEST, Operation.SIGN, Operation.SOUND}
)


def conclusion(wanted: FigureRequest, values: Sequence[tuple[str, Decimal]], formatter: Formatter) -> str:
    """The sentence for the aims that ask for one, "" for the others. `values` are (period, metric) with the
    newest last, percentages in percent."""
    match wanted.operation:
        case Operation.TREND:
            return _trend(wanted, values, formatter)
        case Operation.DIFFERENCE:
            return _difference(wanted, values, formatter)
        case Operation.VALUES:
            parts = [f"{period}: {formatter.text(v, wanted.unit)}" for period, v in values]
            return say("figures.clauses", wanted.language, clauses=parts)
        case Operation.HIGHEST | Operation.LOWEST:
            pick = max if wanted.operation is Operation.HIGHEST else min
            period, v = pick(values, key=lambda pv: pv[1])
            text, key = formatter.text(v, wanted.unit), f"figures.{wanted.operation}"
            return say(key, wanted.language, name=wanted.name, period=period, text=text)
        case Operation.SIGN:
            return _sign(wanted, values[-1][1], formatter)
        case Operation.SOUND:
            return _sound(wanted, values[-1][1], formatter)
    return ""


def _yes(true: bool, language: str) -> str:
    return say("figures.answer", language, true=true)


def _change(wanted: FigureRequest, old: Decimal, new: Decimal, shown: Formatter) -> tuple[int, str]:
    """1 for a rise, -1 for a fall; by how much, with the share of where it began for what is no percentage
    itself."""
    by = shown.text(abs(new - old), "points" if wanted.unit == "%" else wanted.unit)
    if wanted.unit != "%" and old > 0 and old != new:
        share = replace(shown, rounding=Rounding()).text(abs(new - old) / old * 100, "%")
        by = say("figures.changed", wanted.language, by=by, share=share)
    return (new > old) - (new < old), by


def _trend(wanted: FigureRequest, values: Sequence[tuple[str, Decimal]], formatter: Formatter) -> str:
    (first, old), (last, new) = values[0], values[-1]
    direction, by = _change(wanted, old, new, formatter)
    better = wanted.formula.better if wanted.formula else "higher"
    quality = {"higher": direction, "lower": -direction}.get(better, 0)
    a, b = formatter.text(old, wanted.unit), formatter.text(new, wanted.unit)
    language, answer = wanted.language, ""
    if wanted.better and (quality or not direction):  # else the metric has no better side
        answer = _yes(quality == wanted.better, language)
    elif wanted.rising and not wanted.better:
        answer = _yes(direction == wanted.rising, language)
    # The metric's own direction is said first; better or worse only where the question asks for it.
    judged = quality if wanted.better else 0
    return say(
        "figures.trend", language, answer=answer, name=wanted.name, way=direction, by=by, judged=judged,
        first=first, old=a, last=last, new=b,
    )  # fmt: skip


def _difference(wanted: FigureRequest, values: Sequence[tuple[str, Decimal]], formatter: Formatter) -> str:
    (first, old), (last, new) = values[0], values[-1]
    up, by = _change(wanted, old, new, formatter)
    name, language = wanted.name, wanted.language
    return say("figures.difference", language, name=name, way=up, by=by, first=first, last=last)


def _sign(wanted: FigureRequest, value: Decimal, formatter: Formatter) -> str:
    text, side = formatter.text(value, wanted.unit), (value > 0) - (value < 0)
    answer = _yes(side == (-1 if wanted.rising < 0 else 1), wanted.language)
    return say("figures.sign", wanted.language, answer=answer, name=wanted.name, way=side, text=text)


def _sound(wanted: FigureRequest, value: Decimal, formatter: Formatter) -> str:
    """Against the bound that the question names, else the customary one."""
    formula, text, language = wanted.formula, formatter.text(value, wanted.unit), wanted.language
    said = {"name": wanted.name, "text": text}
    if wanted.limit is not None:
        side = (value > wanted.limit) - (value < wanted.limit)
        said["answer"] = _yes(side == (-1 if wanted.rising < 0 else 1), language)
        limit = plain(wanted.limit) + ("%" if wanted.unit == "%" else "")
        return say("figures.limit", language, way=side, limit=limit, **said)
    if formula is None or not formula.healthy:
        return ""
    bound = Decimal(formula.healthy)
    above, limit = value >= bound, formatter.text(bound, wanted.unit)
    said["answer"] = _yes(above == (formula.better == "higher"), language)
    return say("figures.sound", language, above=above, limit=limit, **said)


def sentences(
    wanted: FigureRequest, result: Calculation, reports: CompanyReports, rows: tuple[int, ...]
) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """The conclusion, where one is asked for, and the figure with how it was come by."""
    conclusion = result.notes[0] if wanted.operation in _CONCLUDED and result.notes else ""
    language, period = wanted.language, _in_words(result.result.period, wanted.language)
    head = say(
        "figures.head", language, name=result.name, company=reports.company, period=period,
        printed=result.result.printed,
    )  # fmt: skip
    opening = [say("figures.sentence", language, text=conclusion.rstrip(".。"))] if conclusion else []
    return tuple((text, rows) for text in (*opening, with_working(head, result, language)))


def with_working(head: str, result: Calculation, language: str) -> str:
    """What is said of the result, with its formula and working in brackets behind it."""
    how = say("figures.how", language, how=result.derivation) if result.derivation else ""
    return say("figures.worked", language, head=head, how=how)


def _in_words(period: str, language: str) -> str:
    """ "FY2023至FY2024" -> "2023年度至2024年度"."""
    between = say("figures.span", language, ends=("", ""))
    named = [(part, read_terms([part])) for part in period.split(between)]
    ends = [terms[0].in_words(language) if terms and not terms[0].ended else part for part, terms in named]
    return say("figures.span", language, ends=ends)


def not_found_words(missing: NotComputed, wanted: FigureRequest, reports: CompanyReports) -> str:
    """What was not found, for the reader of a refusal."""
    if missing.reason:
        return missing.reason
    named, language = _named(missing.required, wanted), wanted.language
    return say("figures.not_found", language, name=wanted.name, company=reports.company, named=named)


def _named(required: Sequence[RequiredFigure], wanted: FigureRequest) -> list[str]:
    named = []
    for need in required:
        period = wanted.period(need.offset)
        name = concept_name(need.concept, wanted.language)
        named.append(f"{name} ({period})" if period else name)
    return list(dict.fromkeys(named))
