"""Time value of money, exact in Decimal: level payments, loans, savings, discounting, internal rates.

Rates are per period and parts of one (0.004 for 0.4 % a month); `n` counts periods; amounts are positive
unless they are flows. The closed forms are those of every textbook (CFA curriculum, Quantitative Methods:
time value of money); internal rates are found by bracketing (`rag.money.roots`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal, localcontext
from fractions import Fraction

from rag.money.roots import PRECISE, NoRoot, bracketed

ONE = Decimal(1)
NOUGHT = Decimal(0)
# Rates per period at which signs are compared: dense around nought, far out on both sides.
_GRID = tuple(
    Decimal(x)
    for x in (
        "-0.999999999 -0.999999 -0.9999 -0.999 -0.99 -0.95 -0.9 -0.8 -0.7 -0.6 -0.5 -0.4 -0.3 "
        "-0.2 -0.1 -0.05 -0.02 -0.01 -0.001 0 0.001 0.005 0.01"
        " 0.02 0.03 0.05 0.08 0.1 0.15 0.2 0.3 0.5 0.75 1 1.5 2 3 5 10 20 50 100 1000 1e5 1e8"
    ).split()
)


def growth(rate: Decimal, n: Decimal | int) -> Decimal:
    """(1 + rate) ** n; n need not be whole."""
    return PRECISE.power(ONE + rate, Decimal(n))


def annuity_factor(rate: Decimal, n: Decimal | int, *, due: bool = False) -> Decimal:
    """Present value of 1 a period, n times, first paid after one period (at once where `due`)."""
    with localcontext(PRECISE):
        plain = Decimal(n) if not rate else (1 - 1 / growth(rate, n)) / rate
        return plain * (1 + rate) if due else plain


def payment(principal: Decimal, rate: Decimal, n: Decimal | int, *, due: bool = False) -> Decimal:
    """The level payment that repays `principal` in n periods (等额本息)."""
    return PRECISE.divide(principal, annuity_factor(rate, n, due=due))


def payments_needed(principal: Decimal, rate: Decimal, each: Decimal) -> Decimal:
    """How many payments of `each` repay `principal`; not whole. Raises NoRoot where they never do."""
    with localcontext(PRECISE):
        if each <= principal * rate:
            raise NoRoot("the payment does not cover the interest")
        if not rate:
            return principal / each
        return -(1 - principal * rate / each).ln() / (1 + rate).ln()


def balance(principal: Decimal, rate: Decimal, each: Decimal, paid: int) -> Decimal:
    """What is still owed after `paid` level payments of `each`."""
    with localcontext(PRECISE):
        return principal * growth(rate, paid) - each * accumulated(rate, paid)


def accumulated(rate: Decimal, n: Decimal | int, *, due: bool = False) -> Decimal:
    """Future value of 1 a period, n times, paid at each period's end (beginning where `due`)."""
    with localcontext(PRECISE):
        plain = Decimal(n) if not rate else (growth(rate, n) - 1) / rate
        return plain * (1 + rate) if due else plain


def equal_principal(principal: Decimal, rate: Decimal, n: int) -> tuple[Decimal, Decimal, Decimal, Decimal]:
    """Equal shares of principal (等额本金): first payment, last payment, fall from one to the next, and the
    interest of all, which is principal * rate * (n + 1) / 2."""
    with localcontext(PRECISE):
        share = principal / n
        return share + principal * rate, share * (1 + rate), share * rate, principal * rate * (n + 1) / 2


def periods_to(target: Decimal, present: Decimal, rate: Decimal, each: Decimal = NOUGHT) -> Decimal:
    """Periods until `present` and `each` at every period's end have grown to `target`; not whole. Raises
    NoRoot where they never do."""
    with localcontext(PRECISE):
        if target <= present:
            return NOUGHT
        if not rate:
            if each <= 0:
                raise NoRoot("nothing is added and nothing grows")
            return (target - present) / each
        top, bottom = target * rate + each, present * rate + each
        if rate < 0 or bottom <= 0:
            raise NoRoot("it never grows to the target")
        return (top / bottom).ln() / (1 + rate).ln()


def effective(nominal: Decimal, times: int) -> Decimal:
    """Effective rate of a year from a nominal one compounded so many times; 0 times: continuously."""
    with localcontext(PRECISE):
        return nominal.exp() - 1 if not times else growth(nominal / times, times) - 1


def nominal(effective_rate: Decimal, times: int) -> Decimal:
    """The nominal rate of a year, compounded so many times (0: continuously), of an effective one."""
    with localcontext(PRECISE):
        if not times:
            return (1 + effective_rate).ln()
        return times * (growth(effective_rate, ONE / times) - 1)


def npv(rate: Decimal, flows: Sequence[Decimal]) -> Decimal:
    """Net present value of flows one period apart, the first at once."""
    with localcontext(PRECISE):
        total, factor = NOUGHT, ONE
        for flow in flows:
            total += flow * factor
            factor /= 1 + rate
        return total


def irr(flows: Sequence[Decimal]) -> Decimal:
    """The rate per period at which flows come to nought; the one nearest to nought where there are several.
    Raises NoRoot where there is none, as with flows of one sign."""
    return _nearest(lambda rate: npv(rate, flows), flows)


def xirr(flows: Sequence[tuple[date, Decimal]]) -> Decimal:
    """The yearly rate at which dated flows come to nought, days over 365 as spreadsheets count them. Raises
    NoRoot."""
    first = min(day for day, _ in flows)
    years = [(PRECISE.divide(Decimal((day - first).days), Decimal(365)), flow) for day, flow in flows]

    def value(rate: Decimal) -> Decimal:
        with localcontext(PRECISE):
            return sum((flow / growth(rate, t) for t, flow in years), NOUGHT)

    return _nearest(value, [flow for _, flow in flows])


def rate_of(principal: Decimal, each: Decimal, n: int, *, due: bool = False) -> Decimal:
    """The rate per period of a loan from what is paid. Raises NoRoot."""
    flows = [principal - each if due else principal] + [-each] * (n - 1 if due else n)
    return irr(flows)


def _nearest(value: Callable[[Decimal], Decimal], flows: Sequence[Decimal]) -> Decimal:
    if not (any(f > 0 for f in flows) and any(f < 0 for f in flows)):
        raise NoRoot("the flows have one sign")
    found = []
    for grid in ([r for r in _GRID if r >= 0], [r for r in reversed(_GRID) if r <= 0]):
        try:
            found.append(bracketed(value, grid))
        except NoRoot:
            continue
    if not found:
        raise NoRoot("no rate makes the flows come to nought")
    return min(found, key=abs)


def decimal(value: Fraction | int) -> Decimal:
    """A fraction as a Decimal of 40 digits."""
    exact = Fraction(value)
    return PRECISE.divide(Decimal(exact.numerator), Decimal(exact.denominator))
