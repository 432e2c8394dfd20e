"""What a sum of money is worked out with: functions, expressions, and inputs read from words.

Functions and expressions of calculations.toml work in Decimal. Rates are per period and parts of one (0.004
for 0.4 % a month), `n` counts periods, amounts are positive. An annuity's worth and rate are
numpy-financial's, which takes Decimals.

Inputs are amounts, rates and terms of a question, or of a sentence of a document. Every quantity of the text
(`rag.facts.quantities`) gets the role that the nearest words around it say: "a loan of $300,000" is the
principal, "6% coupon" the coupon rate, 首付30% a share paid down. Nothing goes by order: an amount without
such words has the role "amount", a percentage "rate", a duration "term"."""

from __future__ import annotations

import ast
import math
import operator
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import numpy_financial as npf

from rag.facts.dates import with_capitals
from rag.facts.numerals import fold
from rag.facts.quantities import extract
from rag.facts.quantity import Kind, Quantity
from rag.types import Figure

ZERO = Decimal(0)


class Unsolved(ValueError):
    """No rate, or no number of periods, makes the amounts meet."""


def annuity(rate: Decimal, n: Decimal, due: int = 0) -> Decimal:
    """What n payments of 1 at each period's end (0) or beginning (1) are worth now; n need not be whole."""
    return Decimal(-npf.pv(rate, n, 1, when=due)) if rate else n


def nper(rate: Decimal, each: Decimal, start: Decimal, target: Decimal) -> Decimal:
    """Periods until `start` and `each` at every period's end come to `target`, not whole; a debt is a start
    below 0. Raises Unsolved where they never do. (numpy-financial's takes floats only.)"""
    if target <= start:
        return ZERO
    if start * rate + each <= 0 or rate < 0:
        raise Unsolved("the target is never reached")
    if not rate:
        return (target - start) / each
    return ((target * rate + each) / (start * rate + each)).ln() / (1 + rate).ln()


def rate(n: Decimal, each: Decimal, price: Decimal, due: int = 0) -> Decimal:
    """The rate at which n payments of `each` are worth `price`. Raises Unsolved."""
    try:
        above = each / (price - due * each)  # Newton's method comes down from it
        found = npf.rate(n, each, -price, ZERO, when=due, guess=above, tol=Decimal("1e-20"), maxiter=1000)
    except ArithmeticError:
        found = -1
    if not found > -1:
        raise Unsolved("no rate makes the payments worth the price")
    return Decimal(found)


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "annuity": annuity, "nper": nper, "rate": rate,
    "ln": Decimal.ln, "exp": Decimal.exp, "ceil": lambda x: Decimal(math.ceil(x - Decimal("1e-9"))),
}  # fmt: skip
_OPERATORS: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}  # fmt: skip


def evaluate(text: str, terms: Mapping[str, Any]) -> Decimal:
    """An expression of numbers, `terms` and the functions above; ^ is a power. Raises KeyError for a name
    that is neither."""

    def value(node: ast.expr) -> Any:
        match node:
            case ast.BinOp(left, op, right):
                return _OPERATORS[type(op)](value(left), value(right))
            case ast.UnaryOp(ast.USub(), operand):
                return -value(operand)
            case ast.Call(ast.Name(name), args):
                return _FUNCTIONS[name](*map(value, args))
            case ast.Name(name):
                return terms[name]
            case ast.Constant(number):
                return Decimal(str(number))
        raise ValueError(f"no expression of a sum: {text}")

    return Decimal(value(ast.parse(text.replace("^", "**"), mode="eval").body))


# Characters around a quantity in which words say its role; those behind it count as so much farther away.
_BEFORE, _BEHIND, _FARTHER = 34, 26, 9
_CLAUSE = re.compile(r"[;.?!。；？！](?!\d)|[,，](?!\d{3})")
# The words that give quantities their roles, and the role where none of them stands near.
_TABLES = {
    Kind.MONEY: ("money", "amount"), Kind.SHARE: ("share", "rate"), Kind.DURATION: ("time", "term"),
    Kind.NUMBER: ("money", "number"),
}  # fmt: skip
# How often a year an amount or a rate comes that is said for a period.
TIMES = {"yearly": 1, "quarterly": 4, "monthly": 12, "daily": 365, "yearly_amount": 1, "monthly_amount": 12}
RATES = frozenset({"rate", "yield", "effective", "monthly", "quarterly", "daily"})


@dataclass(frozen=True, slots=True)
class Given:
    """One input, read from `quantity`: `value` in base units (shares as parts of one, durations in months or
    days as `unit` says), `source` 0 for the question, else the number of the fact it stands in; `guessed`:
    no word gave a role."""

    role: str
    value: Decimal
    unit: str
    quantity: Quantity
    source: int
    guessed: bool

    def figure(self, label: str) -> Figure:
        """As an input of a calculation; percentages in percent."""
        q = self.quantity
        value, unit = (self.value * 100, "%") if q.kind is Kind.SHARE else (self.value, self.unit)
        start, end = (q.start, q.end) if self.source else (0, 0)
        return Figure(label, value, unit, "", q.text, self.source or None, start, end)


@cache
def data() -> Mapping[str, Any]:
    """calculations.toml, read once, its patterns compiled; "label" holds the names of the roles."""
    read = tomllib.loads(Path(__file__).with_name("calculations.toml").read_text(encoding="utf-8"))
    read["label"] = {role: names for role, *names in read["labels"]}
    read["cue"] = {name: re.compile("".join(lines)) for name, lines in read["cue"].items()}
    for table in {table for table, _ in _TABLES.values()}:
        words = {role: "".join(lines) for role, lines in read[table].items()}
        read[table] = {role: re.compile(rf"(?<![a-z])(?:{word})(?![a-z])") for role, word in words.items()}
    for row in read["sum"].values():
        row["all"] = [re.compile("".join(lines)) for lines in row["all"]]
    return read


def cue(name: str) -> re.Pattern[str]:
    """A pattern of [cue]."""
    pattern: re.Pattern[str] = data()["cue"][name]
    return pattern


def lowered(text: str) -> str:
    """Folded and in lower case, but for the names of months, by whose capitals dates are known."""
    return with_capitals(fold(text).lower())


def read_inputs(text: str, facts: Sequence[str]) -> list[Given]:
    """The inputs of a question and, for what it leaves open, of facts, whose quantities count only where
    words say what they are; texts as `lowered` gives them."""
    given = list(_given(text, 0))
    for number, fact in enumerate(facts, 1):
        known = {g.role for g in given}
        given += [g for g in _given(lowered(fact), number) if not g.guessed and g.role not in known]
    return given


def _given(text: str, source: int) -> Iterator[Given]:
    quantities = [q for q in extract(text) if q.kind in _TABLES and (q.kind is not Kind.NUMBER or q.value)]
    ends = [0, *(q.end for q in quantities)]
    starts = [*(q.start for q in quantities[1:]), len(text)]
    for q, last, following in zip(quantities, ends, starts, strict=False):
        before = _CLAUSE.split(text[max(last, q.start - _BEFORE) : q.start])[-1]
        after = _CLAUSE.split(text[q.end : min(following, q.end + _BEHIND)])[0]
        yield _one(q, before, after, source)


def _one(q: Quantity, before: str, after: str, source: int) -> Given:
    unit, _, per = q.unit.partition("/")
    table, default = _TABLES[q.kind]
    role = _nearest(table, before, after)
    # "a year" and "a quarter" come as "a month" with a part of the value: it is made whole again.
    said = [str(m.lastgroup) for m in cue("period").finditer(before[-10:] + q.text)]
    period = "daily" if per != "month" else said[-1] if said else "monthly"
    months = 12 // TIMES[period] if per == "month" and (q.kind, period) != (Kind.MONEY, "quarterly") else 1
    said_behind = cue("each_period").match(after)
    if q.kind is Kind.NUMBER and cue("counted").match(after):
        role = "count"
    elif q.kind is Kind.MONEY or (q.kind is Kind.NUMBER and said_behind):
        every = "year" if period == "yearly" else per or (said_behind[1] if said_behind else "")
        periodic = {"month": "monthly_amount", "year": "yearly_amount", "quarter": "each", "share": "each"}
        role = periodic.get(every, role)
    guessed = not role
    role = role or default
    if q.kind is Kind.SHARE and per and period != "yearly" and role in RATES:
        yearly = cue("yearly_rate").search(before) or cue("only_paid").search(q.text)
        role = role if yearly or cue("payments_after").match(after) else period
    value = Decimal(q.value.numerator) * months / q.value.denominator
    return Given(role, value, unit, q, source, guessed)


def _nearest(table: str, before: str, after: str) -> str:
    """The role whose word stands nearest, before or (a little farther) behind; "" where none does."""
    found, ahead = [], f"\0{before}"  # "^ a month" is of what stands in front of it: 200 a month at 3%
    for role, word in data()[table].items():
        found += [(len(ahead) - m.end(), -len(m.group()), role) for m in word.finditer(ahead)]
        if behind := word.search(after):
            found.append((behind.start() + _FARTHER, -len(behind.group()), role))
    return min(found)[2] if found else ""


def times_a_year(text: str, near: str) -> int | None:
    """How often a year, as said within a few words of a cue; 0: continuously, of interest alone."""
    places = [text[max(0, m.start() - 12) : m.end() + 22] for m in cue(near).finditer(text)]
    often = {words: times for words, (times, *_) in data()["often"].items() if times or near == "compound"}
    return next((often[words] for place in places for words in often if re.search(words, place)), None)
