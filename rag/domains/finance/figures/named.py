"""Questions that call lines of a table by the table's own words: "the percentage change in deferred contract
costs from 2018 to 2019", 研发人员工资占总工资的比例.

What is wanted of them is read by what stands around their names, once periods and the company are taken out.
A question with a word that neither its wording nor the line accounts for is not read here: a figure of
another line is worse than none."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from rag.domains.finance.figures.asked import FigureRequest, Operation, asked_periods, named_terms, read_text
from rag.domains.finance.figures.cues import cue
from rag.domains.finance.figures.expressions import Call, FormulaTerm, Node, Number
from rag.domains.finance.figures.formulas import Formula, metric
from rag.domains.finance.printing import read_rounding
from rag.facts.dates import FiscalPeriod
from rag.languages import COMPLETE, Patterns, say
from rag.languages.text import has_han, normalise
from rag.questions.expects import Wording

_RE = Patterns(__file__)
_WHEN = {"en": _RE["when_en"], "zh": _RE["when_zh"]}
_AROUND = {"en": _RE["around_en"], "zh": _RE["around_zh"]}
_ASKED = {"en": _RE.table("en"), "zh": _RE.table("zh")}
_SIGNS = {"share": "%", "ratio": "/", "plus": "+", "minus": "-", "mean": "+"}
_OVER_PERIODS = frozenset({Operation.AVERAGE, Operation.TOTAL})
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
    named = named_terms(text, periods, keep_inner=operation in _OVER_PERIODS)
    every = operation in _OVER_PERIODS and not dated
    if operation in _OVER_PERIODS and len(named) < 2 and not every:
        return None
    if operation is Operation.VALUE and len(named) > 1:
        both = _RE["both"].search(text) is not None
        operation = Operation.TOTAL if both else Operation.VALUES
    span = 2 if operation in _CHANGES else 1
    request = FigureRequest(metric(f"l:={names[0]}"), named, read_rounding(text), operation, span, language)
    each = _RE["joint"].split(names[0]) if kind == "value" else ()
    return NamedLines(names, request, sign, kind == "mean", every, tuple(each) if len(each) > 1 else ())
