"""Answers questions of loans, savings, bonds, flows and insurance whose inputs stand in the question, or in
sentences found for it, by code.

    calculate("What is the monthly payment on a $300,000 mortgage at 6% for 30 years?")

Which calculation is asked for is told by words; where an input is missing the result says which. A question
that asks for none of them gives None."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from decimal import DecimalException
from functools import lru_cache

from rag.money import bond_sums, cover_sums, flow_sums, loan_sums, saving_sums
from rag.money.given import Inputs, data, read_inputs
from rag.money.roots import NoRoot
from rag.money.sums import LABELS, Lack, Sheet
from rag.needs import Missing
from rag.rounding import read_rounding
from rag.types import Calculation

MAX_CHARS = 2000
_Task = Callable[[Sheet], Calculation]
_ASKS = re.compile(r"[?？]|\bwhat\b|\bhow\b|calculate|compute|find\b|determine|多少|几|计算|求|算")
_MODULES = (bond_sums, cover_sums, flow_sums, loan_sums, saving_sums)


_SAVINGS = (saving_sums.future_value, saving_sums.saving_needed, saving_sums.growth_rate)
_LOAN = re.compile(r"\bloans?\b|mortgage|borrow|\bowe|贷款|房贷|车贷|借款|按揭|还款|欠")
_SAVED = re.compile(r"sav(?:e|ing)|deposit|invest|存|投资|投入|理财|定投")
_COMPOUNDED = re.compile(r"compound|复利|利滚利")
_RULES = re.compile(
    r"\b(?:lawful|legal(?:ly)?|usur\w+|court|statut\w+|article \d|plaintiff|valid|invalid|void"
    r"|enforceable)\b|法律|法院|合法|有效吗|无效|支持吗|受保护|保护|诉讼|民法|规定|条例|违约"
)
_RATES = frozenset({"rate", "monthly", "daily", "effective", "yield"})


def calculate(question: str, facts: Sequence[str] = ()) -> Calculation | Missing | None:
    """The calculation that a question asks for; `Missing` with a reason that names the inputs which neither
    question nor `facts` give; None where it asks for no such calculation. An input that stands in a fact has
    that fact's number (from 1) as its `citation` and its place in it as `start` and `end`."""
    text = question[:MAX_CHARS]
    inputs = read_inputs(text, facts)
    task = _task(inputs)
    if task is None:
        return None
    own = sum(1 for g in inputs.given if not g.source)
    sheet = Sheet(inputs, read_rounding(text))
    try:
        return task(sheet)
    except Lack as lack:
        # One number alone in a question is a topic, not a sum to be done.
        return Missing(reason=_lacking(lack, inputs.language)) if own >= 2 else None
    except NoRoot as error:
        return Missing(reason=str(error)) if own >= 2 else None
    except (DecimalException, ZeroDivisionError, OverflowError, ValueError):
        return Missing(reason=_impossible(inputs.language)) if own >= 2 else None


def _task(inputs: Inputs) -> _Task | None:
    text = inputs.text
    if not inputs.given or not _ASKS.search(text) or _RULES.search(text):
        return None
    for task, patterns in _tasks():
        if all(p.search(text) for p in patterns):
            if task in _SAVINGS and _LOAN.search(text) and not _SAVED.search(text):
                return None  # some other question about a loan
            if task is loan_sums.loan_rate and any(g.role in _RATES for g in inputs.given):
                continue  # the rate is known
            # "Interest earned ... compounded" is what the sum grows by, not simple interest.
            if task is saving_sums.simple_interest and _COMPOUNDED.search(text):
                return saving_sums.compound_interest
            return task
    return None


@lru_cache(maxsize=1)
def _tasks() -> tuple[tuple[_Task, tuple[re.Pattern[str], ...]], ...]:
    """The tasks of data/calculations.toml in order, each with the patterns that a question has to hold."""
    functions = {name: f for module in _MODULES for name, f in vars(module).items() if callable(f)}
    return tuple(
        (functions[row["does"]], tuple(re.compile("".join(lines)) for lines in row["all"]))
        for row in data()["task"]
    )


def _lacking(lack: Lack, language: str) -> str:
    names = [LABELS.get(r, (r, r))[language == "zh"] for r in dict.fromkeys(lack.roles)]
    if language == "zh":
        return f"缺少：{'、'.join(names)}"
    return f"not given: {', '.join(names)}"


def _impossible(language: str) -> str:
    return "这些数字无法得出结果" if language == "zh" else "these numbers give no result"
