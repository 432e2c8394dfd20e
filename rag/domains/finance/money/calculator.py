"""Answers questions of loans, savings, bonds, flows and insurance whose inputs stand in the question, or in
sentences found for it, by code.

    calculate("What is the monthly payment on a $300,000 mortgage at 6% for 30 years?")

calculations.toml says by which words a sum is asked for, which terms it needs, how it is worked out and
worded; where a term is missing the result says which."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Context, DecimalException, DivisionByZero, InvalidOperation, Overflow, localcontext
from functools import cache
from typing import Any

from rag.domains.finance.money.given import RATES, Inputs, Unsolved, data, read_inputs
from rag.domains.finance.money.sheet import Lack, Sheet, Way
from rag.domains.finance.money.sums import READERS
from rag.domains.finance.printing import NotComputed, read_rounding
from rag.languages import say
from rag.types import Calculation

MAX_CHARS = 2000
_PRECISE = Context(prec=40, traps=[DivisionByZero, InvalidOperation, Overflow])


def calculate(question: str, facts: Sequence[str] = ()) -> Calculation | NotComputed | None:
    """The calculation that a question asks for; `NotComputed` with a reason that names the inputs which
    neither question nor `facts` give; None where it asks for no such calculation. An input that stands in a
    fact has that fact's number (from 1) as its `citation` and its place in it as `start` and `end`."""
    text = question[:MAX_CHARS]
    with localcontext(_PRECISE):
        inputs = read_inputs(text, facts)
        asked = _asked(inputs)
        if asked is None:
            return None
        sheet = Sheet(inputs, read_rounding(text))
        try:
            return _worked(sheet, asked)
        except Lack as lack:
            names = [sheet.word("label", role) for role in dict.fromkeys(lack.roles)]
            reason = say("figures.not_given", sheet.language, names=names)
        except Unsolved:
            reason = sheet.filled(sheet.own(asked.get("never", data()["never"])), sheet.terms)
        except (DecimalException, ZeroDivisionError, OverflowError, ValueError):
            reason = sheet.own(data()["never"])
    # One number alone in a question is a topic, not a sum to be done.
    return NotComputed(reason=reason) if sum(not g.source for g in inputs.given) >= 2 else None


@cache
def _sums() -> tuple[tuple[tuple[re.Pattern[str], ...], Mapping[str, Any]], ...]:
    """The sums of calculations.toml, each with the patterns that are all found in a question for it."""
    return tuple((tuple(re.compile("".join(p)) for p in row["all"]), row) for row in data()["sum"].values())


def _way(when: str, name: list[str], unit: str, formula: str | list[str], *rest: Mapping[str, Any]) -> Way:
    """A way from its row."""
    texts = [formula] * 2 if isinstance(formula, str) else formula
    return Way(when, name, unit, texts, **{key: value for part in rest for key, value in part.items()})


def _asked(inputs: Inputs) -> Mapping[str, Any] | None:
    """The sum that a question asks for, the first whose patterns it all holds."""
    if not inputs.given or not inputs.says("asks") or inputs.says("rules"):
        return None
    for patterns, row in _sums():
        if all(p.search(inputs.text) for p in patterns):
            if row.get("saving") and inputs.says("loan") and not inputs.says("saved"):
                return None  # some other question about a loan
            if not (row.get("rate_asked") and any(g.role in RATES for g in inputs.given)):
                return row
    return None


def _worked(sheet: Sheet, asked: Mapping[str, Any]) -> Calculation:
    """A sum: its terms are read, then those of the first of its ways that fits. Raises Lack, Unsolved."""
    _read(sheet, asked.get("terms", {}))
    ways = (_way(*row) for row in asked["ways"])
    chosen = next(w for w in ways if all(_holds(sheet, c) for c in w.when.split()))
    _read(sheet, chosen.terms)
    return sheet.result(chosen)


def _holds(sheet: Sheet, condition: str) -> bool:
    """Whether a term is not 0 ("A"), is 0 ("!A"), or a cue stands in the question."""
    if condition[0] == "!":
        return not sheet.terms[condition[1:]]
    return bool(sheet.terms[condition]) if condition in sheet.terms else sheet.inputs.says(condition)


def _read(sheet: Sheet, terms: Mapping[str, str]) -> None:
    """Reads terms by name of a reader or by roles ("target/future"), optional ones with "?"; raises Lack with
    all that are missing."""
    lacking: list[str] = []
    for symbol, source in terms.items():
        try:
            if source in READERS:
                sheet.terms[symbol] = READERS[source](sheet)
            elif source.endswith("?"):
                sheet.terms[symbol] = sheet.amount(*source[:-1].split("/"))
            else:
                sheet.terms[symbol] = sheet.need(*source.split("/")).value
        except Lack as lack:
            lacking += lack.roles
        except KeyError:
            continue  # it rests on a term that is missing
    if lacking:
        raise Lack(*lacking)
