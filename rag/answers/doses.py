"""A dose by body weight, worked out: what a rule gives for each kilogram, times the weight that a question
states, and no more than the sentence allows ("15 mg/kg every 8 hours, at most 500 mg")."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from rag.answers.choosing import given
from rag.answers.grid import HeldWords
from rag.answers.ranges import OUT
from rag.domains.finance.figures import Computed
from rag.facts.quantities import extract
from rag.facts.quantity import Quantity, as_written
from rag.facts.values import Range, Value, read, relation
from rag.languages import patterns, say
from rag.questions.query import Query
from rag.types import Calculation, Evidence, Figure

_RE = patterns("doses")
_UNIT = re.compile(r"([A-Za-zµμ]+|[\u3400-\u9fff]+)\s*(?=/|per\b|of\b|$)")
_WEIGHT = 500  # grams, at least, of a body; less is of a drug


def find_dose(query: Query, pieces: Sequence[Evidence]) -> Computed | None:
    """The dose for the one weight that a question states, by the one rule among the sentences that holds for
    it; None where there is none, or more than one."""
    asked = given(query)
    weights = [v for v in asked.values if isinstance(v, Quantity) and v.unit == "g" and v.value >= _WEIGHT]
    if len(weights) != 1 or not _RE["asked"].search(query.text):
        return None
    found: dict[str, Computed] = {}
    for piece in pieces:
        about = HeldWords(piece.document.title, *piece.heading_path, piece.header, piece.words)
        ranges = [r for r in read(piece.words) if isinstance(r, Range)]
        ranges = [r for r in ranges if r.kind != "measure" or any(q.value >= _WEIGHT for q in _ends(r))]
        apart = any(relation(value, r) in OUT for r in ranges for value in asked.values)
        made = None if apart or asked.unheld(about) else _dose(piece, weights[0], query.language)
        if made:
            found.setdefault(made.calculations[0].working, made)
    return next(iter(found.values())) if len(found) == 1 else None


def _dose(piece: Evidence, weight: Quantity, language: str) -> Computed | None:
    text = piece.words
    rates = [v for v in read(text) if _ends(v) and all(_by_weight(q, text) for q in _ends(v))]
    if len(rates) != 1 or not (unit := _UNIT.search(_ends(rates[0])[-1].text)):
        return None
    rate, kilograms = rates[0], weight.value / 1000
    first = _ends(rate)[0]
    daily = "day" in first.unit
    limits = [
        q.value
        for q in extract(text)
        if not rate.start <= q.start < rate.end
        and q.unit.split("/")[0] == first.unit.split("/")[0]
        and ("/" not in q.unit or ("day" in q.unit) == daily)
        and _RE["most"].search(text[: q.start])
    ]
    scale = as_written(first).value / first.value / (1000 if "/" in first.unit else 1)
    most = min(limits) * scale if limits else None
    amounts = [as_written(q).value * kilograms for q in _ends(rate)]
    doses = [a if most is None else min(a, most) for a in amounts]
    dose = f"{'–'.join(dict.fromkeys(map(_plain, doses)))} {unit[1]}{'/day' * daily}"
    often = _RE["often"].search(text, rate.end)
    behind = None if "/" in first.unit else _RE["each"].match(text, rate.end)
    working = f"{text[rate.start : behind.end() if behind else rate.end]} × {weight.text}"
    if doses != amounts and most is not None:
        working = say("answers.dose_most", language, working=working, most=f"{_plain(most)} {unit[1]}")
    line = say("answers.dose", language, dose=dose, often=often[0] if often else "", working=working)
    result = Figure(unit[1], Decimal(_plain(doses[0])), printed=dose)
    inputs = (Figure("", Decimal(_plain(kilograms)), "kg", printed=weight.text),)
    calculation = Calculation(dose, "", inputs, result, working)
    return Computed((replace(piece, number=1),), (calculation,), ((line, (1,)),))


def _ends(value: Value) -> list[Quantity]:
    return [value] if isinstance(value, Quantity) else [q for q in (value.low, value.high) if q]


def _by_weight(q: Quantity, text: str) -> bool:
    """Whether an amount is one for each unit of weight: 10 mg/kg, 1.5 mg of the syrup per kg."""
    unit = q.unit.split("/")
    behind = len(unit) == 1 and q.kind == "measure" and _RE["each"].match(text, q.end)
    return (len(unit) > 1 and unit[1] == "g") or bool(behind)


def _plain(value: Fraction) -> str:
    return f"{round(Decimal(value.numerator) / Decimal(value.denominator), 2).normalize():f}"
