"""Works out what a question wants from the figures of cells: exact decimal arithmetic, the formula in words,
the working with numbers; and what a figure, or the lack of one, says in words: also to a question of yes or
no, of better or worse, of which period."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from decimal import Decimal, DecimalException
from itertools import pairwise

from rag.domains.finance.figures import expressions
from rag.domains.finance.figures.asked import PAIRED, FigureRequest, Operation
from rag.domains.finance.figures.expressions import value
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
from rag.languages import say
from rag.types import Calculation, Figure

# What is asked with these aims is answered by a sentence, which is the first note of the calculation.
_CONCLUDED = frozenset(
    {Operation.TREND, Operation.VALUES, Operation.HIGHEST, Operation.LOWEST, Operation.SIGN, Operation.SOUND}
)


def conclusion(wanted: FigureRequest, values: Sequence[tuple[str, Decimal]], formatter: Formatter) -> str:
    """The sentence for the aims that ask for one, "" for the others. `values` are (period, metric) with the
    newest last, percentages in percent."""
    aim, unit, language = wanted.operation, wanted.unit, wanted.language
    if aim is Operation.VALUES:
        parts = [f"{period}: {formatter.text(v, unit)}" for period, v in values]
        return say("figures.clauses", language, clauses=parts)
    if aim in (Operation.HIGHEST, Operation.LOWEST):
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
_HUNDRED = Decimal(100)
_STEPS = PAIRED | {Operation.AVERAGE, Operation.TOTAL}


@dataclass(frozen=True, slots=True)
class _Point:
    """The metric in one period: its value in the printed unit (percent for "%") and the tree it came from."""

    offset: int
    value: Decimal
    tree: expressions.Tree


def compute(wanted: FigureRequest, lookup: Lookup) -> Calculation | NotComputed:
    """The figure that is wanted, from those that `lookup(concept, offset)` finds (None where there is none).

    Percentages come out in percent. A figure that is only read has an empty formula."""
    filling = expressions.Filling(
        lambda term: _leaf(term, wanted, lookup), lambda kind, n: _note(kind, n, wanted)
    )
    points: list[_Point] = []
    lacking: list[expressions.FormulaTerm] = []
    for offset in wanted.offsets():
        try:
            tree = filling.fill(expressions.shifted(wanted.formula.form(wanted.language), offset))
        except expressions.MissingTerms as missing:
            lacking.extend(missing.args)
            continue
        try:
            points.append(_Point(offset, _percent(wanted, value(tree)), tree))
        except DecimalException:
            return NotComputed(reason=_by_zero(wanted, tree))
    if lacking:
        return NotComputed(tuple(dict.fromkeys((t.concept, t.offset) for t in lacking)))
    try:
        return _finished(wanted, points, tuple(dict.fromkeys(filling.notes)), lookup)
    except DecimalException:
        return NotComputed(reason=_by_zero(wanted, points[0].tree))


def _leaf(term: expressions.FormulaTerm, wanted: FigureRequest, lookup: Lookup) -> expressions.Leaf | None:
    figure = lookup(term.concept, term.offset)
    if figure is None:
        return None
    spent = term.concept in book().outflows
    name = concept_name(term.concept, wanted.language)
    if not figure.period and (period := wanted.period(term.offset)):
        figure = replace(figure, period=period.in_words(wanted.language))
    return expressions.Leaf(figure, abs(figure.value) if spent else figure.value, name)


def _percent(wanted: FigureRequest, share: Decimal) -> Decimal:
    return expressions.CONTEXT.multiply(share, _HUNDRED) if wanted.unit == "%" else share


def _finished(
    wanted: FigureRequest, points: Sequence[_Point], notes: tuple[str, ...], lookup: Lookup
) -> Calculation:
    formatter = _formatter(wanted, points)
    result, unit = _result(wanted, points)
    values = [(_period(wanted, p.offset), p.value) for p in points]
    concluded = conclusion(wanted, values, formatter)
    inputs = tuple(dict.fromkeys(leaf.figure for p in points for leaf in expressions.leaves(p.tree)))
    figure = Figure(
        label=_label(wanted), value=result, unit=formatter.unit_of(unit), period=_periods(wanted, points),
        printed=formatter.text(result, unit),
    )  # fmt: skip
    every = (concluded, wanted.formula.note, *wanted.notes, *notes, *_variants(wanted, lookup, formatter))
    working = _working(wanted, points, formatter, figure.printed)
    formula = _formula(wanted, points)
    return Calculation(_label(wanted), formula, inputs, figure, working, tuple(filter(None, every)))


def _result(wanted: FigureRequest, points: Sequence[_Point]) -> tuple[Decimal, str]:
    """The figure that the aim asks for and its unit ("points" for differences of percentages)."""
    values = [p.value for p in points]
    oldest, newest = values[0], values[-1]
    match wanted.operation:
        case Operation.DIFFERENCE | Operation.TREND:
            unit = "points" if wanted.unit == "%" else wanted.unit
            return expressions.CONTEXT.subtract(newest, oldest), unit
        case Operation.GROWTH:
            return _growth(oldest, newest), "%"
        case Operation.CAGR:
            return _compound(oldest, newest, points[-1].offset - points[0].offset), "%"
        case Operation.AVERAGE_GROWTH:
            rates = [_growth(a, b) for a, b in pairwise(values)]
            return expressions.CONTEXT.divide(sum(rates, Decimal(0)), Decimal(len(rates))), "%"
        case Operation.AVERAGE:
            return expressions.CONTEXT.divide(sum(values, Decimal(0)), Decimal(len(values))), wanted.unit
        case Operation.TOTAL:
            return sum(values, Decimal(0)), wanted.unit
        case Operation.HIGHEST:
            return max(values), wanted.unit
        case Operation.LOWEST:
            return min(values), wanted.unit
    return newest, wanted.unit


def _growth(oldest: Decimal, newest: Decimal) -> Decimal:
    """Percent, on the size of the oldest: from a loss of 4 to a profit of 2 is +150 %."""
    return expressions.CONTEXT.multiply(
        expressions.CONTEXT.divide(expressions.CONTEXT.subtract(newest, oldest), abs(oldest)), _HUNDRED
    )


def _compound(oldest: Decimal, newest: Decimal, years: int) -> Decimal:
    """(newest / oldest) ** (1 / years) - 1, in percent. Raises DecimalException where it is not real."""
    ratio = expressions.CONTEXT.divide(newest, oldest)
    root = expressions.CONTEXT.power(ratio, expressions.CONTEXT.divide(Decimal(1), Decimal(years)))
    return expressions.CONTEXT.multiply(root - 1, _HUNDRED)


def _formatter(wanted: FigureRequest, points: Sequence[_Point]) -> Formatter:
    figures = [leaf.figure for p in points for leaf in expressions.leaves(p.tree)]
    money = [f for f in figures if f.unit not in ("%", "shares", "times", "days")]
    currency = next((f.unit for f in money if f.unit), "") or wanted.rounding.currency
    return Formatter(wanted.rounding, wanted.language, currency, common_scale(f.value for f in money))


def _label(wanted: FigureRequest) -> str:
    if wanted.operation not in _STEPS:
        return wanted.name
    return say(f"figure_name.{wanted.operation}", wanted.language, name=wanted.name)


def _periods(wanted: FigureRequest, points: Sequence[_Point]) -> str:
    if wanted.operation in (Operation.HIGHEST, Operation.LOWEST):
        pick = max if wanted.operation is Operation.HIGHEST else min
        points = [pick(points, key=lambda p: p.value)]
    named = (wanted.period(p.offset) for p in (points[0], points[-1]))
    ends = dict.fromkeys(period.in_words(wanted.language) for period in named if period)
    return say("figures.span", wanted.language, ends=list(ends))


def _period(wanted: FigureRequest, offset: int) -> str:
    if named := wanted.period(offset):
        return named.in_words(wanted.language)
    return say("figures.before" if offset else "figures.latest", wanted.language, back=-offset)


def _words(tree: expressions.Tree, wanted: FigureRequest) -> str:
    return expressions.words(
        tree, *(say(f"figures.{key}", wanted.language) for key in ("average_of", "change_in"))
    )


def _formula(wanted: FigureRequest, points: Sequence[_Point]) -> str:
    own = "" if isinstance(points[-1].tree, expressions.Leaf) else _words(points[-1].tree, wanted)
    if wanted.operation not in _STEPS:
        return own
    text = say(f"figure_formula.{wanted.operation}", wanted.language, name=wanted.name)
    return say(
        "figures.clauses", wanted.language, clauses=[text, *([f"{wanted.name} = {own}"] if own else [])]
    )


def _working(wanted: FigureRequest, points: Sequence[_Point], formatter: Formatter, printed: str) -> str:
    """Each period's metric with its numbers, then the last step."""
    lines = []
    single = len(points) == 1
    for p in points:
        if isinstance(p.tree, expressions.Leaf) and single:
            return ""
        text = expressions.numbers(p.tree, formatter.input)
        if not isinstance(p.tree, (expressions.Leaf, expressions.Number)):
            text += f" = {formatter.text(p.value, wanted.unit)}"
        name = _period(wanted, p.offset)
        lines.append(text if single else f"{name}: {text}")
    if wanted.operation in _STEPS:
        lines.append(f"{_last_step(wanted, points, formatter)} = {printed}")
    return "; ".join(lines)


def _last_step(wanted: FigureRequest, points: Sequence[_Point], formatter: Formatter) -> str:
    figures = [formatter.step(p.value, wanted.unit) for p in points]
    a, b = figures[0], figures[-1]
    years = points[-1].offset - points[0].offset
    match wanted.operation:
        case Operation.GROWTH:
            return f"({b} - {a}) / {a.strip('()').lstrip('-')}"
        case Operation.CAGR:
            return f"({b} / {a})^(1/{years}) - 1"
        case Operation.AVERAGE:
            return f"({' + '.join(figures)}) / {len(figures)}"
        case Operation.TOTAL:
            return " + ".join(figures)
        case Operation.AVERAGE_GROWTH:
            rates = [_growth(p.value, q.value) for p, q in pairwise(points)]
            return f"({' + '.join(f'{plain(rounded(r, 2))}%' for r in rates)}) / {len(rates)}"
    return f"{b} - {a}"


def _variants(wanted: FigureRequest, lookup: Lookup, formatter: Formatter) -> list[str]:
    """What the other forms in use would give, where their figures are found and the result differs."""
    if wanted.operation is not Operation.VALUE:
        return []
    variants: dict[str, expressions.Tree] = {}
    for node in (wanted.formula.form(wanted.language), *wanted.formula.variants):
        with suppress(DecimalException, expressions.MissingTerms):
            tree = expressions.Filling(lambda t: _leaf(t, wanted, lookup), lambda *_: "").fill(node)
            variants.setdefault(formatter.text(_percent(wanted, value(tree)), wanted.unit), tree)
    others = [(_words(tree, wanted), text) for text, tree in list(variants.items())[1:]]
    return [say("figures.variant", wanted.language, form=form, text=text) for form, text in others]


def _note(kind: str, node: expressions.Node, wanted: FigureRequest) -> str:
    names = dict.fromkeys(concept_name(t.concept, wanted.language) for t in expressions.terms(node))
    return say(f"figures.{kind}", wanted.language, names=list(names))


def _by_zero(wanted: FigureRequest, tree: expressions.Tree) -> str:
    named = ", ".join(f"{leaf.name} {plain(leaf.value)}" for leaf in expressions.leaves(tree))
    paired = wanted.operation in PAIRED
    return say("figures.by_zero", wanted.language, name=wanted.name, named=named, paired=paired)
