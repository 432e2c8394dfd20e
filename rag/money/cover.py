"""What an insurance pays for a loss: deductible, share borne by the insurer, ceiling, under-insurance."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, localcontext

from rag.money.roots import PRECISE


@dataclass(frozen=True, slots=True)
class Cover:
    """`deductible` is borne by the insured first, of the rest the insurer pays `share` (0 to 1), at most
    `ceiling`. `insured` under `worth` (both known) is under-insurance: paid in proportion."""

    deductible: Decimal = Decimal(0)
    share: Decimal = Decimal(1)
    ceiling: Decimal | None = None
    insured: Decimal | None = None
    worth: Decimal | None = None


def paid(cover: Cover, loss: Decimal, other: Decimal = Decimal(0)) -> Decimal:
    """What the insurer pays of `loss`, `other` of which someone else has paid; never under nought, never over
    the ceiling nor what is left of the loss."""
    with localcontext(PRECISE):
        left = max(Decimal(0), loss - other)
        proportion = Decimal(1)
        if cover.insured is not None and cover.worth and cover.insured < cover.worth:
            proportion = cover.insured / cover.worth
        amount = max(Decimal(0), left * proportion - cover.deductible) * cover.share
        limits = [limit for limit in (cover.ceiling, cover.insured, left) if limit is not None]
        return min(amount, *limits)
