"""The functions that sums of money are made of, in Decimal: payments, growth, discounting, rates.

Rates are per period and parts of one (0.004 for 0.4 % a month), `n` counts periods, amounts are positive
unless they are flows. Closed forms are those of numpy-financial, which takes Decimals; rates are found by
Brent's method (scipy) and refined to the digits of the context by Newton's."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy_financial as npf

ZERO = Decimal(0)
# Rates per period at which signs are compared: dense around zero, far out on both sides.
_UP = (0.0, 0.001, 0.005, 0.01, 0.02, 0.03, 0.05, 0.08, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1.0,
       1.5, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0, 100.0, 1e3, 1e5, 1e8)  # fmt: skip
_DOWN = (0.0, -0.001, -0.01, -0.02, -0.05, -0.1, -0.2, -0.3, -0.4, -0.5, -0.6, -0.7, -0.8, -0.9,
         -0.95, -0.99, -0.999, -0.9999, -0.999999, -0.999999999)  # fmt: skip


class Unsolved(ValueError):
    """No rate, or no number of periods, makes the amounts meet."""


def pmt(rate: Decimal, n: Decimal, principal: Decimal, due: int = 0) -> Decimal:
    """The level payment that repays `principal`, at each period's end (0) or beginning (1)."""
    return Decimal(-npf.pmt(rate, n, principal, when=due))


def fv(rate: Decimal, n: Decimal, each: Decimal, start: Decimal, due: int = 0) -> Decimal:
    """What `start` and n payments of `each` grow to; n need not be whole."""
    return Decimal(-npf.fv(rate, n, each, start, when=due)) if rate else start + n * each


def pv(rate: Decimal, n: Decimal, each: Decimal, last: Decimal, due: int = 0) -> Decimal:
    """What n payments of `each` and `last` after all of them are worth now."""
    return Decimal(-npf.pv(rate, n, each, last, when=due)) if rate else n * each + last


def npv(rate: Decimal, flows: Sequence[Decimal]) -> Decimal:
    """Value of flows one period apart, the first at once."""
    return Decimal(npf.npv(rate, list(flows)))


def nper(rate: Decimal, each: Decimal, start: Decimal, target: Decimal) -> Decimal:
    """Periods until `start` and `each` at every period's end come to `target`, not whole; a debt is a start
    below 0. Raises Unsolved where they never do."""
    if target <= start:
        return ZERO
    if start * rate + each <= 0 or rate < 0:
        raise Unsolved("the target is never reached")
    if not rate:
        return (target - start) / each
    return ((target * rate + each) / (start * rate + each)).ln() / (
        1 + rate
    ).ln()  # npf.nper takes floats only


def rate(n: Decimal, each: Decimal, price: Decimal, last: Decimal, due: int = 0) -> Decimal:
    """The rate at which n payments of `each` and `last` after them are worth `price`. Raises Unsolved."""
    flows = [-price, *[ZERO] * int(n)]
    for k in range(int(n)):
        flows[k + 1 - due] += each
    flows[-1] += last
    return irr(flows)


def irr(flows: Sequence[Decimal]) -> Decimal:
    """The rate at which flows one period apart are worth nothing, the nearest to zero where there are
    several. Raises Unsolved where there is none, as with flows of one sign."""
    from scipy.optimize import brentq

    cash = [(x, t) for t, x in enumerate(flows) if x]
    floats = [(float(x), t) for x, t in cash]
    if len({x > 0 for x, _ in cash}) < 2:
        raise Unsolved("the flows have one sign")

    def worth(rate: float) -> float:
        try:
            return math.fsum(x * (1 + rate) ** -t for x, t in floats)
        except OverflowError:
            return math.nan

    found: list[float] = []
    for grid in (_UP, _DOWN):
        values = [(rate, worth(rate)) for rate in grid]
        bracket = next(((a, b) for (a, x), (b, y) in pairwise(values) if x * y <= 0), None)
        found += [brentq(worth, *bracket, xtol=1e-15, rtol=1e-15)] if bracket else []
    if not found:
        raise Unsolved("no rate makes the flows come to nothing")
    rate = Decimal(min(found, key=abs))
    for _ in range(3):
        slope = sum((t * x / (1 + rate) ** (t + 1) for x, t in cash), ZERO)
        rate += sum((x / (1 + rate) ** t for x, t in cash), ZERO) / slope
    return rate


def effective(nominal: Decimal, times: Decimal) -> Decimal:
    """Effective rate of a year from a nominal one compounded so many times; 0 times: continuously."""
    return (1 + nominal / times) ** times - 1 if times else nominal.exp() - 1


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "pmt": pmt, "fv": fv, "pv": pv, "nper": nper, "rate": rate, "effective": effective,
    "ln": Decimal.ln, "exp": Decimal.exp, "min": min, "max": max,
    "ceil": lambda x: Decimal(math.ceil(x - Decimal("1e-9"))),
}  # fmt: skip


def decimal(value: Fraction) -> Decimal:
    """A fraction as a Decimal, in the digits of the context."""
    return Decimal(value.numerator) / value.denominator
