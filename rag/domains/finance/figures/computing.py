"""Works out what a question wants from the figures of cells: exact decimal arithmetic, the formula in words,
the working with numbers; and what a figure, or the lack of one, says in words: also to a question of yes or
no, of better or worse, of which period."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, DecimalException, localcontext
from itertools import pairwise

from rag.domains.finance.figures.asked import PAIRED, FigureRequest, Operation
from rag.domains.finance.figures.expressions import (
    CONTEXT,
    Calculator,
    FormulaTerm,
    Leaf,
    MissingTerms,
    Node,
    Worked,
    shifted,
    terms,
)
from rag.domains.finance.figures.formulas import book, concept_name
from rag.domains.finance.figures.reporter import CompanyReports
from rag.domains.finance.printing import (
    Formatter,
    NotComputed,
    Rounding,
    common_scale,
    plain,
    rounded,
)
from rag.languages import say, unspaced
from rag.types import Calculation, Figure

# What is asked with these aims is answered by a sentence, which is the first note of the calculation.
_CONCLUDED = frozenset(
    {Operation.TREND, Operation.VALUES, Operation.HIGHEST, Operation.LOWEST, Operation.SIGN, Operation.SOUND}
)


_MOST = (Operation.HIGHEST, Operation.LOWEST)


def conclusion(wanted: FigureRequest, values: Sequence[tuple[str, Decimal]], formatter: Formatter) -> str:
    """The sentence for the aims that ask for one, "" for the others. `values` are (period, metric) with the
    newest last, percentages in percent."""
    aim, unit, language = wanted.operation, wanted.unit, wanted.language
    if aim is Operation.VALUES:
        parts = [f"{period}: {formatter.text(v, unit)}" for period, v in values]
        return say("figures.clauses", language, clauses=parts)
    if aim in _MOST:
        pick = max if aim is Operation.HIGHEST else min
        period, v = pick(values, key=lambda pv: pv[1])
        return say(f"figures.{aim}", language, name=wanted.name, period=period, text=formatter.text(v, unit))
    (first, old), (last, new) = values[0], values[-1]
    if aim in (Operation.TREND, Operation.DIFFERENCE):
        way = (new > old) - (new < old)
        by = formatter.text(abs(new - old), "points" if unit == "%" else unit)
        if unit != "%" and old > 0 and way:  # with the share of where it began
            share = replace(formatter, rounding=Rounding()).text(abs(new - old) / old * 100, "%")
            by = say("figures.changed", language, by=by, share=share)
        quality = {"higher": way, "lower": -way}.get(wanted.formula.better, 0)
        right: bool | None = None
        if wanted.better and (quality or not way):  # else the metric has no better side
            right = quality == wanted.better
        elif wanted.rising and not wanted.better:
            right = way == wanted.rising
        # The metric's own direction is said first; better or worse only where the question asks for it.
        return say(
            f"figures.{aim}", language, answer=_answer(right, language), name=wanted.name, way=way, by=by,
            judged=quality if wanted.better else 0, first=first, old=formatter.text(old, unit), last=last,
            new=formatter.text(new, unit),
        )  # fmt: skip
    bound = wanted.limit or Decimal(0)
    above = (new > bound) - (new < bound)
    answer = _answer(above == (-1 if wanted.rising < 0 else 1), language)
    said = {"name": wanted.name, "text": formatter.text(new, unit)}
    if aim is Operation.SIGN:
        return say("figures.sign", language, answer=answer, way=above, **said)
    if aim is not Operation.SOUND or (wanted.limit is None and not wanted.formula.healthy):
        return ""
    if wanted.limit is not None:
        limit = plain(bound) + ("%" if unit == "%" else "")
        return say("figures.limit", language, answer=answer, way=above, limit=limit, **said)
    bound = Decimal(wanted.formula.healthy)
    answer = _answer((new >= bound) == (wanted.formula.better == "higher"), language)
    limit = formatter.text(bound, unit)
    return say("figures.sound", language, answer=answer, above=new >= bound, limit=limit, **said)


def _answer(true: bool | None, language: str) -> str:
    return "" if true is None else say("figures.answer", language, true=true)


def sentences(
    wanted: FigureRequest, result: Calculation, reports: CompanyReports, rows: tuple[int, ...]
) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """The conclusion, where one is asked for, and the figure with how it was come by."""
    conclusion = result.notes[0] if wanted.operation in _CONCLUDED and result.notes else ""
    language, figure = wanted.language, result.result
    head = say(
        "figures.head", language, name=result.name, company=reports.company, period=figure.period,
        printed=figure.printed,
    )  # fmt: skip
    opening = [say("figures.sentence", language, text=conclusion.rstrip(".。"))] if conclusion else []
    return tuple((text, rows) for text in (*opening, with_working(head, result, language)))


def with_working(head: str, result: Calculation, language: str) -> str:
    """What is said of the result, with its formula and working in brackets behind it."""
    how = say("figures.how", language, how=result.derivation) if result.derivation else ""
    return say("figures.worked", language, head=head, how=how)


def not_found_words(missing: NotComputed, wanted: FigureRequest, reports: CompanyReports) -> str:
    """What was not found, for the reader of a refusal."""
    if missing.reason:
        return missing.reason
    named, language = [], wanted.language
    for concept, offset in missing.required:
        name, period = concept_name(concept, language), wanted.period(offset)
        named.append(f"{name} ({period.in_words(language)})" if period else name)
    named = list(dict.fromkeys(named))
    return say("figures.not_found", language, name=wanted.name, company=reports.company, named=named)


Lookup = Callable[[str, int], Figure | None]
_STEPS = PAIRED | {Operation.AVERAGE, Operation.TOTAL}


@dataclass(frozen=True, slots=True)
class _Point:
    """The metric in one period: its value in the printed unit (percent for "%") and what it came from."""

    offset: int
    period: str
    value: Decimal
    worked: Worked


def compute(wanted: FigureRequest, lookup: Lookup) -> Calculation | NotComputed:
    """The figure that is wanted, from those that `lookup(concept, offset)` finds (None where there is none).

    Percentages come out in percent. A figure that is only read has an empty formula."""
    language = wanted.language
    used: list[Leaf] = []

    def read(term: FormulaTerm) -> Leaf | None:
        leaf = _leaf(term, wanted, lookup)
        used.extend([leaf] if leaf else [])
        return leaf

    gap = "" if unspaced(language) else " "
    words = {"avg": "average_of", "change": "change_in"}
    spoken = {name: say(f"figures.{key}", language) + gap for name, key in words.items()}
    calculator = Calculator(read, lambda kind, node: _note(kind, node, wanted), spoken)
    points: list[_Point] = []
    lacking: dict[tuple[str, int], None] = {}
    try:
        with localcontext(CONTEXT):
            for offset in wanted.offsets():
                try:
                    worked = calculator.work(shifted(wanted.formula.form(language), offset))
                except MissingTerms as missing:
                    lacking |= dict.fromkeys((t.concept, t.offset) for t in missing.args)
                    continue
                value = worked.value * 100 if wanted.unit == "%" else worked.value
                points.append(_Point(offset, _period(wanted, offset), value, worked))
            if lacking:
                return NotComputed(tuple(lacking))
            return _finished(wanted, points, tuple(dict.fromkeys(calculator.notes)))
    except DecimalException:
        named = dict.fromkeys(f"{leaf.name} {plain(leaf.value)}" for leaf in used)
        paired = wanted.operation in PAIRED
        said = say("figures.by_zero", language, name=wanted.name, paired=paired, named=", ".join(named))
        return NotComputed(reason=said)


def _leaf(term: FormulaTerm, wanted: FigureRequest, lookup: Lookup) -> Leaf | None:
    figure = lookup(term.concept, term.offset)
    if figure is None:
        return None
    spent = term.concept in book().outflows
    name = concept_name(term.concept, wanted.language)
    if not figure.period and (period := wanted.period(term.offset)):
        figure = replace(figure, period=period.in_words(wanted.language))
    return Leaf(figure, abs(figure.value) if spent else figure.value, name)


def _finished(wanted: FigureRequest, points: Sequence[_Point], notes: tuple[str, ...]) -> Calculation:
    language = wanted.language
    inputs = tuple(dict.fromkeys(leaf.figure for p in points for leaf in p.worked.leaves))
    money = [f for f in inputs if f.unit not in ("%", "shares", "times", "days")]
    currency = next((f.unit for f in money if f.unit), "") or wanted.rounding.currency
    formatter = Formatter(wanted.rounding, language, currency, common_scale(f.value for f in money))
    result, unit, step = _worked(wanted, points, formatter)
    printed = formatter.text(result, unit)
    label, last = wanted.name, points[-1].worked
    formula = "".join(last.words) if len(last.words) > 1 else ""
    working = [] if len(points) == 1 and not formula else [_numbers(wanted, p, formatter) for p in points]
    if len(points) > 1:
        working = [f"{p.period}: {text}" for p, text in zip(points, working, strict=True)]
    if wanted.operation in _STEPS:
        own = [f"{label} = {formula}"] if formula else []
        formula = say(f"figure_formula.{wanted.operation}", language, name=label)
        formula = say("figures.clauses", language, clauses=[formula, *own])
        label = say(f"figure_name.{wanted.operation}", language, name=label)
        working += [f"{step} = {printed}"] if working else []
    ends = [p for p in points if p.value == result] if wanted.operation in _MOST else [points[0], points[-1]]
    named = [p.period for p in ends[: 1 if wanted.operation in _MOST else 2]] if wanted.periods else []
    period = say("figures.span", language, ends=list(dict.fromkeys(named)))
    figure = Figure(label, result, formatter.unit_of(unit), period, printed)
    concluded = conclusion(wanted, [(p.period, p.value) for p in points], formatter)
    every = (concluded, wanted.formula.note, *wanted.notes, *notes)
    return Calculation(label, formula, inputs, figure, "; ".join(working), tuple(filter(None, every)))


def _worked(
    wanted: FigureRequest, points: Sequence[_Point], formatter: Formatter
) -> tuple[Decimal, str, str]:
    """The figure that the aim asks for, its unit ("points" for differences of percentages) and how the last
    step is written. Raises DecimalException where there is no such figure."""
    values, unit = [p.value for p in points], wanted.unit
    texts = [formatter.step(v, unit) for v in values]
    old, new, a, b, count = values[0], values[-1], texts[0], texts[-1], len(values)
    match wanted.operation:
        case Operation.DIFFERENCE | Operation.TREND:
            return new - old, "points" if unit == "%" else unit, f"{b} - {a}"
        case Operation.GROWTH:
            return _growth(old, new), "%", f"({b} - {a}) / {a.strip('()').lstrip('-')}"
        case Operation.CAGR:
            years = points[-1].offset - points[0].offset
            return ((new / old) ** (1 / Decimal(years)) - 1) * 100, "%", f"({b} / {a})^(1/{years}) - 1"
        case Operation.AVERAGE_GROWTH:
            rates = [_growth(a, b) for a, b in pairwise(values)]
            step = " + ".join(f"{plain(rounded(r, 2))}%" for r in rates)
            return sum(rates, Decimal(0)) / len(rates), "%", f"({step}) / {len(rates)}"
        case Operation.AVERAGE:
            return sum(values, Decimal(0)) / count, unit, f"({' + '.join(texts)}) / {count}"
        case Operation.TOTAL:
            return sum(values, Decimal(0)), unit, " + ".join(texts)
        case Operation.HIGHEST | Operation.LOWEST as most:
            return (max if most is Operation.HIGHEST else min)(values), unit, ""
    return new, unit, ""


def _growth(old: Decimal, new: Decimal) -> Decimal:
    """Percent, on the size of the oldest: from a loss of 4 to a profit of 2 is +150 %."""
    return (new - old) / abs(old) * 100


def _period(wanted: FigureRequest, offset: int) -> str:
    if named := wanted.period(offset):
        return named.in_words(wanted.language)
    return say("figures.before" if offset else "figures.latest", wanted.language, back=-offset)


def _numbers(wanted: FigureRequest, point: _Point, formatter: Formatter) -> str:
    """The metric of one period with its numbers."""
    pieces = []
    for piece in point.worked.working:
        text = formatter.input(piece.value) if isinstance(piece, Leaf) else piece
        pieces.append(f"({text})" if isinstance(piece, Leaf) and piece.value < 0 else text)
    text = "".join(pieces)
    return text if len(pieces) == 1 else f"{text} = {formatter.text(point.value, wanted.unit)}"


def _note(kind: str, node: Node, wanted: FigureRequest) -> str:
    names = dict.fromkeys(concept_name(t.concept, wanted.language) for t in terms(node))
    return say(f"figures.{kind}", wanted.language, names=list(names))
