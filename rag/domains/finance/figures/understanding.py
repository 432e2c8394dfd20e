"""Reads from a question which figure it wants: metric, periods, what is done with it, how it is written.

Only questions for a figure are understood; for any other, None. Being wrong here would put a number under a
question that asked for none, so every step wants to see what it needs: a sentence that asks (what was, how
much, is it improving, 多少), in it the name of a formula or line that is the head of its phrase, no word that
turns the question elsewhere (why, what drove, policy, tenant, dose, 原因, 合同), and for names that are
everyday words a period or another sign that a company's accounts are intended.

Or it calls lines of a table by the table's own words: "the percentage change in deferred contract costs from
2018 to 2019", 研发人员工资占总工资的比例. What is wanted of them is read by what stands around their names,
once periods and the company are taken out. A question with a word that neither its wording nor the line
accounts for is not read here: a figure of another line is worse than none."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import pairwise

from rag.domains.finance.figures import asked
from rag.domains.finance.figures.asked import (
    PAIRED,
    FigureRequest,
    Operation,
    asked_periods,
    cue,
    named_terms,
    read_text,
)
from rag.domains.finance.figures.expressions import Call, FormulaTerm, Node, Number, terms
from rag.domains.finance.figures.formulas import Book, Formula, book, metric
from rag.domains.finance.printing import read_rounding
from rag.facts.dates import FiscalPeriod
from rag.languages import COMPLETE, Patterns, say, unspaced
from rag.languages.text import has_han, normalise
from rag.questions.expects import Wording

_MOST = frozenset({Operation.HIGHEST, Operation.LOWEST})
_SUMMED = frozenset({Operation.AVERAGE, Operation.TOTAL})
_ALL_PERIODS = _MOST | _SUMMED | {Operation.AVERAGE_GROWTH, Operation.VALUE, Operation.VALUES}
_RE = Patterns(__file__)


# A name in the asking sentence: its place in the whole normalised text and what it means.
_Operand = tuple[int, int, Formula]


def read_figure(query: Wording, companies: Sequence[str] = ()) -> FigureRequest | None:
    """The figure that a question wants, the first where it wants several; None where it wants none. The
    names of `companies` say nothing of what is wanted. Never raises."""
    question = query.text
    text = read_text(query)
    for name in companies if has_han(text) else ():
        text = text.replace(normalise(name), "它" * len(normalise(name)))
    language = COMPLETE[has_han(text)]
    known = book()
    span = _core(text, language, known)
    if span is None or asked.says("means", text):
        return None
    operands = _operands(text, span, language, known, question)
    if not operands:
        return None
    periods = asked_periods(text, span)
    if not _enough(text, operands, periods, question):
        return None
    named = _metric(text, operands, language)
    if named is None or _defined_otherwise(text, named, known):
        return None
    return _wanted(text, text[slice(*span)], named, periods, language)


def _core(text: str, language: str, known: Book) -> tuple[int, int] | None:
    """The sentence that asks for the figure: it has a name and a cue and nothing that forbids it."""
    spans = definition_spans(text)
    best: tuple[int, int] | None = None
    lines_only = False
    for start, end in asked.sentences(text):
        start = front.end() if (front := asked.cue("front").match(text, start)) else start
        cut = min((s[0] for s in spans if start <= s[0] < end), default=end)
        # "Define X as ..." holds its name before the cue; such a sentence defines and does not ask.
        if asked.is_aside(text[start:end], text[start:cut]):
            continue
        names = [key for _, _, key in known.find(text[start:cut]) if key[0] in "fl"]
        if not names:
            continue
        # Reasons, words, rules, people: anything but a figure of the accounts.
        if any(asked.says(f"forbidden_{code}", text[start:end]) for code in {COMPLETE[0], language}):
            return None
        # "How often was the stock sold? Calculate the inventory turnover": the ratio is what is asked.
        better = best is None or (lines_only and any(key[0] == "f" for key in names))
        if better and asked.asks(text[start:cut], language):
            best, lines_only = (start, cut), all(key[0] == "l" for key in names)
    return best


def _operands(text: str, span: tuple[int, int], language: str, known: Book, question: str) -> list[_Operand]:
    """The names of the asking sentence that are heads of their phrases; none where one of them is turned into
    something else ("revenue recognition", "sales by region")."""
    start, end = span
    found: list[_Operand] = []
    for a, b, key in known.find(text[start:end]):
        before, after = text[start : start + a], text[start + b : end]
        if key.startswith("s:"):
            continue
        if key.startswith("x:") or not asked.head(before, after, language):
            if not found:
                return []
            break
        label = (
            asked.qualified(before, text[start + a : start + b], key, question)
            if not unspaced(language)
            else ""
        )
        if unspaced(language) and has_han(before[-1:]) and not asked.says("before_zh", before):
            return []  # "营业外收入" is another line than "收入"
        if key == "l:cash" and (flow := asked.cash_flow(text[start:end])):
            key, label = f"l:{flow}", ""
        found.append((start + a, start + b, metric(f"l:={label}" if label else key)))
    return found


def _enough(text: str, operands: Sequence[_Operand], periods: Sequence[FiscalPeriod], question: str) -> bool:
    """Whether it is clear that a company's accounts are intended."""
    if periods or asked.says("accounts", text):
        return True
    strong = [formula for start, end, formula in operands if not asked.weak(text[start:end])]
    owned = asked.says("owned", text) or asked.says("possessive", question)
    return any(formula.source or owned for formula in strong)


# --- Which metric


def _metric(text: str, operands: Sequence[_Operand], language: str) -> Formula | None:
    """A combination of two names, else the first name."""
    for (start, end, first), (behind, stop, second) in pairwise(operands):
        before, after = text[max(0, start - 60) : start], text[stop : stop + 40]
        if sign := asked.combination(before, text[end:behind], after, language):
            a, b = (second, first) if sign.startswith("~") else (first, second)
            return _combined(a, b, sign.lstrip("~"), language)
    start, end, named = operands[0]
    if unspaced(language) and text[end : end + 1] in ("中", "里"):
        return None  # a part of the line, which nothing names
    # "the days to collect receivables (DSO)": what stands in brackets is the metric's name.
    for begin, stop, formula in operands[1:]:
        bracketed = text[begin - 1 : begin] == "(" and text[stop : stop + 1] == ")"
        if formula.source and not named.source and bracketed:
            return formula
    share = "share_zh_asked" if unspaced(language) else "share_before"
    about = text if unspaced(language) else text[:start]
    return None if len(operands) < 2 and not named.source and asked.says(share, about) else named


def _combined(a: Formula, b: Formula, sign: str, language: str) -> Formula:
    """ "%": a as a share of b; "/": a over b; "+" and "-": in money."""
    names, keys = [[a.in_words(language), b.in_words(language)], [f.key.lstrip("=") for f in (a, b)]]
    local = unspaced(language)
    return Formula(
        f"{keys[0]} {sign} {keys[1]}",
        say(f"combined.{sign}", COMPLETE[0], names=keys if local else names),
        say(f"combined.{sign}", language, names=names) if local else "",
        Call("/" if sign == "%" else sign, (a.form(language), b.form(language))),
        {"%": "%", "/": "times"}.get(sign, "money"),
        source="as the question puts it",
    )


# --- Aim and definition


def definition_spans(text: str) -> tuple[tuple[int, int, int], ...]:
    """Every definition of a normalised text: where its cue begins, where its right-hand side stands."""
    found: list[tuple[int, int, int]] = []
    for m in _RE["cue"].finditer(text):
        end = _RE["end"].search(text, m.end())
        stop = end.start() if end else len(text)
        if (not found or m.start() >= found[-1][2]) and _RE["formula"].search(text[m.end() : stop]):
            found.append((m.start(), m.end(), stop))
    return tuple(found)


def _defined_otherwise(text: str, named: Formula, known: Book) -> bool:
    """Whether the question defines a metric over other lines than the book has for it."""
    own = [named, *(metric(key) for _, _, key in known.find(text) if key[0] == "f")]
    forms = [form for one in own for form in (one.expression, one.expression_zh) if form]
    forms += [part for form in forms if isinstance(form, Call) for part in form.args]
    lines = [{term.concept for term in terms(form)} for form in forms]
    for _, start, stop in definition_spans(text):
        keys = [key for _, _, key in known.find(text[start:stop]) if key[0] in "fl"]
        if {term.concept for key in keys for term in terms(metric(key).expression)} not in lines:
            return True
    return False


def _wanted(
    text: str,
    core: str,
    formula: Formula,
    periods: Sequence[FiscalPeriod],
    language: str,
) -> FigureRequest:
    aim = asked.operation(core, language)
    inner = aim in _ALL_PERIODS or (aim is Operation.TREND and asked.says("every", core))
    named = named_terms(text, periods, keep_inner=inner)
    span, aim = _spanned(core, len(named), aim)
    if aim is Operation.SOUND and not formula.healthy and not asked.limit(core)[0]:
        aim = Operation.VALUE
    sense, limit = asked.limit(core) if aim is Operation.SOUND else (0, "")
    bound = Decimal(limit) if limit else None
    rising, better = asked.supposed(core, language) if aim in (Operation.TREND, Operation.SIGN) else (0, 0)
    return FigureRequest(
        formula, named, read_rounding(text), aim, span, language,
        asked.says("sequential", core), sense or rising, better, limit=bound,
    )  # fmt: skip


def _spanned(core: str, named: int, aim: Operation) -> tuple[int, Operation]:
    """Over how many periods the aim goes, where so many are named, and the aim where these decide it."""
    span = asked.span(core)
    if named > 1:
        aim = Operation.VALUES if aim is Operation.VALUE else aim
    elif aim is Operation.CAGR:
        return (span + 1 if span else 2), aim  # three years' growth needs four year ends
    elif not span and aim in _SUMMED:
        aim = Operation.VALUE
    least = 2 if aim in PAIRED else 3 if aim in _MOST and named < 2 else 1
    return max(span, least), aim


# Questions that call lines by name

_WHEN = {"en": _RE["when_en"], "zh": _RE["when_zh"]}
_AROUND = {"en": _RE["around_en"], "zh": _RE["around_zh"]}
_ASKED = {"en": _RE.table("en"), "zh": _RE.table("zh")}
_SIGNS = {"share": "%", "ratio": "/", "plus": "+", "minus": "-", "mean": "+"}
_CHANGES = frozenset({Operation.GROWTH, Operation.DIFFERENCE})


@dataclass(frozen=True, slots=True)
class NamedLines:
    """What a question wants of the lines that it calls `names`: one, or two that `sign` combines as
    `rag.domains.finance.figures.formulas` does ("%": the first as a share of the second); `halved`: their
    mean. `each` are the lines that are asked for where none has the one name ("A and B"). `request` is
    without what is computed; `every`: it names no periods, and all of the line's are asked for."""

    names: tuple[str, ...]
    request: FigureRequest
    sign: str = ""
    halved: bool = False
    every: bool = False
    each: tuple[str, ...] = ()

    def asked(self, unit: str) -> FigureRequest:
        """The request, the figures of the lines being of a unit (one of UNITS)."""
        language, parts = self.request.language, tuple(FormulaTerm(f"={name}") for name in self.names)
        expression: Node = parts[0]
        name = self.names[0]
        if self.sign:
            expression = Call("/" if self.sign == "%" else self.sign, parts)
            name = say(f"combined.{self.sign}", language, names=self.names)
            unit = {"%": "%", "/": "times"}.get(self.sign, unit)
        if self.halved:
            expression = Call("/", (expression, Number(Decimal(2))))
            name = say("figure_name.average", language, name=name)
        formula = Formula(name, name, name, expression, unit, source="as the question names them")
        return replace(self.request, formula=formula)


def read_lines(query: Wording, companies: Sequence[str]) -> NamedLines | None:
    """The lines that a question calls by name and what it wants of them; `companies` are names that stand for
    whose they are. None for a question of any other form. Never raises."""
    whole = read_text(query)
    language = COMPLETE[has_han(whole)]
    start = front.end() if (front := cue("front").match(whole)) else 0
    periods = asked_periods(whole, (start, len(whole)))
    text = whole[start:]
    for period in sorted(periods, key=lambda p: -p.start):
        if start <= period.start and not period.inner:
            text = f"{text[: period.start - start]} @ {text[period.end - start :]}"
    for name in sorted(companies, key=len, reverse=True):
        text = re.sub(
            rf"(?<![^\W_\u3400-\u9fff]){re.escape(normalise(name))}(?:['’]s?|的)?(?![a-z])", " ", text
        )
    text = _RE["aside_zh"].sub("", text)
    text = " ".join(_WHEN[language].sub(" ", " ".join(text.split())).split())
    text = _RE["either"].sub("change", text)
    about = _RE["about_en"].match(text)
    text = text[about.end() :] if about else text
    text = _AROUND[language].sub("", text).strip(" ,.?？。、的")
    several = len({p.year for p in periods if p.year}) > 1
    for kind, pattern in _ASKED[language].items():
        m = pattern.fullmatch(text)
        kind = kind.split()[0]
        if m is None or (kind in ("minus", "plus", "mean") and several):
            continue
        of = f" {about['what']}" if about else ""
        fillers = _RE["filler"]
        names = tuple(f"{fillers.sub('', n).strip()}{of}" for n in m.groups() if n)
        if kind.endswith("~"):
            names = names[::-1]
        if all(names) and "@" not in "".join(names):
            own = tuple(p for p in periods if p.start >= start)
            return _read(whole, own or periods, kind.rstrip("~"), names, language, bool(own))
    return None


def _read(
    text: str, periods: Sequence[FiscalPeriod], kind: str, names: tuple[str, ...], language: str, dated: bool
) -> NamedLines | None:
    sign = _SIGNS.get(kind, "")
    operation = Operation.VALUE if sign else Operation(kind)
    named = named_terms(text, periods, keep_inner=operation in _SUMMED)
    every = operation in _SUMMED and not dated
    if operation in _SUMMED and len(named) < 2 and not every:
        return None
    if operation is Operation.VALUE and len(named) > 1:
        both = _RE["both"].search(text) is not None
        operation = Operation.TOTAL if both else Operation.VALUES
    span = 2 if operation in _CHANGES else 1
    request = FigureRequest(metric(f"l:={names[0]}"), named, read_rounding(text), operation, span, language)
    each = _RE["joint"].split(names[0]) if kind == "value" else ()
    return NamedLines(names, request, sign, kind == "mean", every, tuple(each) if len(each) > 1 else ())
