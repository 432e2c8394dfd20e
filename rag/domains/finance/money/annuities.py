"""The functions that sums of money are made of, and the expressions of calculations.toml over them.

They work in Decimal. Rates are per period and parts of one (0.004 for 0.4 % a month), `n` counts periods,
amounts are positive unless they are flows. An annuity's worth is numpy-financial's, which takes Decimals;
rates are found by Brent's method (scipy) and refined to the digits of the context by Newton's."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any

import numpy as np
import numpy_financial as npf

ZERO = Decimal(0)
# Rates per period at which signs are compared: from -100 % to 10^8, dense around zero.
_GRID = [math.expm1((k / 20) ** 3) for k in range(-54, 55)]


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


def rate(n: Decimal, each: Decimal, price: Decimal, last: Decimal, due: int = 0) -> Decimal:
    """The rate at which n payments of `each` and `last` after them are worth `price`. Raises Unsolved."""
    flows = [each] * int(n)
    flows.insert(int(n) * due, ZERO)
    flows[0] -= price
    flows[-1] += last
    return irr(flows)


def irr(flows: Sequence[Decimal]) -> Decimal:
    """The rate at which flows one period apart are worth nothing, the nearest to zero where there are
    several. Raises Unsolved where there is none, as with flows of one sign."""
    from scipy.optimize import brentq

    floats = [float(x) for x in flows]
    with np.errstate(all="ignore"):
        worth = [(rate, w) for rate in _GRID if math.isfinite(w := npf.npv(rate, floats))]
    brackets = [(a, b) for (a, x), (b, y) in pairwise(worth) if (x > 0) != (y > 0)]
    if not brackets or min(flows) >= 0 or max(flows) <= 0:
        raise Unsolved("no rate makes the flows come to nothing")
    found = [brentq(npf.npv, a, b, args=(floats,), xtol=1e-15, rtol=1e-15) for a, b in brackets]
    rate = Decimal(min(found, key=abs))
    for _ in range(3):
        rate += npf.npv(rate, flows) * (1 + rate) / npf.npv(rate, [t * x for t, x in enumerate(flows)])
    return rate


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "annuity": annuity, "nper": nper, "rate": rate, "npv": npf.npv, "irr": irr,
    "ln": Decimal.ln, "exp": Decimal.exp, "min": min, "max": max,
    "ceil": lambda x: Decimal(math.ceil(x - Decimal("1e-9"))),
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
