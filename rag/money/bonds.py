"""Bonds: price, yields, duration, accrued interest. Rates are yearly and parts of one; `frequency` is the
number of coupons a year; price and face are amounts. Yields are compounded as often as coupons are paid (the
bond-equivalent convention; CFA curriculum, Fixed Income)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, localcontext

from rag.money.annuities import NOUGHT, annuity_factor, growth
from rag.money.roots import PRECISE, bracketed

_YIELDS = tuple(Decimal(x) for x in "-0.9 -0.5 -0.2 -0.05 0 0.02 0.05 0.1 0.2 0.4 0.8 1.5 3 10 50".split())


@dataclass(frozen=True, slots=True)
class Bond:
    """A bond that pays `face` after `periods` coupon periods (a whole number of them) and a coupon at the end
    of each; `frequency` 0 is a zero-coupon bond, whose periods are years."""

    face: Decimal
    coupon_rate: Decimal
    periods: int
    frequency: int

    @property
    def coupon(self) -> Decimal:
        """What is paid each period."""
        return PRECISE.divide(PRECISE.multiply(self.face, self.coupon_rate), Decimal(self.frequency or 1))


def price(bond: Bond, yearly_yield: Decimal) -> Decimal:
    """Present value of coupons and face at a yield, just after a coupon."""
    with localcontext(PRECISE):
        rate = yearly_yield / (bond.frequency or 1)
        return bond.coupon * annuity_factor(rate, bond.periods) + bond.face / growth(rate, bond.periods)


def yield_to_maturity(bond: Bond, paid: Decimal) -> Decimal:
    """The yield at which the bond is worth `paid`. Raises rag.money.roots.NoRoot where no yield does."""
    return bracketed(lambda y: price(bond, y) - paid, _YIELDS)


def current_yield(bond: Bond, paid: Decimal) -> Decimal:
    """The coupons of a year over the price."""
    return PRECISE.divide(PRECISE.multiply(bond.face, bond.coupon_rate), paid)


def macaulay(bond: Bond, yearly_yield: Decimal) -> Decimal:
    """Macaulay duration in years: the mean time of the payments, weighted by their present values."""
    with localcontext(PRECISE):
        times = bond.frequency or 1
        rate = yearly_yield / times
        weighted = NOUGHT
        for k in range(1, bond.periods + 1):
            flow = bond.coupon + (bond.face if k == bond.periods else NOUGHT)
            weighted += k * flow / growth(rate, k)
        return weighted / price(bond, yearly_yield) / times


def modified(bond: Bond, yearly_yield: Decimal) -> Decimal:
    """Modified duration in years: by how many percent the price falls when the yield rises by one."""
    with localcontext(PRECISE):
        return macaulay(bond, yearly_yield) / (1 + yearly_yield / (bond.frequency or 1))
