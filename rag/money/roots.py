"""The root of a function of one Decimal between two bounds, to about 28 digits."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import (
    Context,
    Decimal,
    DecimalException,
    DivisionByZero,
    InvalidOperation,
    Overflow,
    localcontext,
)

PRECISE = Context(prec=40, traps=[DivisionByZero, InvalidOperation, Overflow])
_STEPS = 300
_TOLERANCE = Decimal("1e-28")


class NoRoot(ValueError):
    """The function does not change its sign where it was looked for."""


def root(f: Callable[[Decimal], Decimal], low: Decimal, high: Decimal) -> Decimal:
    """Where `f` is nought between two points at which its signs differ. Raises NoRoot where they do not.

    Regula falsi as modified by Dowell and Jarratt (1971, "Illinois"), with a bisection whenever three steps
    did not halve the bracket: it always converges."""
    with localcontext(PRECISE):
        a, b, fa, fb = low, high, f(low), f(high)
        if not fa or not fb:
            return a if not fa else b
        if (fa > 0) == (fb > 0):
            raise NoRoot(f"no change of sign between {low} and {high}")
        width, side = abs(b - a), 0
        for step in range(_STEPS):
            slow = step % 3 == 2 and abs(b - a) > width / 2
            c = (a + b) / 2 if slow else b - fb * (b - a) / (fb - fa)
            if step % 3 == 2:
                width = abs(b - a)
            fc = f(c)
            if not fc or abs(b - a) <= _TOLERANCE * max(Decimal(1), abs(c)):
                return c
            if (fc > 0) == (fb > 0):
                b, fb = c, fc
                fa = fa / 2 if side == 1 else fa
                side = 1
            else:
                a, fa = c, fc
                fb = fb / 2 if side == -1 else fb
                side = -1
        return (a + b) / 2


def bracketed(f: Callable[[Decimal], Decimal], grid: Iterable[Decimal]) -> Decimal:
    """The first root between neighbours of `grid`, points where `f` is undefined left out.
    Raises NoRoot where its sign changes nowhere."""
    before: tuple[Decimal, Decimal] | None = None
    for x in grid:
        try:
            y = PRECISE.plus(f(x))
        except DecimalException:
            continue
        if not y:
            return x
        if before and (before[1] > 0) != (y > 0):
            return root(f, before[0], x)
        before = (x, y)
    raise NoRoot("the sign changes nowhere")
