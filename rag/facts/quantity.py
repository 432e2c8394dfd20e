"""One quantity as a value, and how a claimed one is held against a source's.

`compare` goes by kind, value and unit:

- EXACT: the same value and unit, however spelled (200,000 == 20万 == 二十万; 5 mg == 0.005 g; 第十二条 ==
  Article 12), or a coarser statement that follows (March 2021 from 5 March 2021).
- ROUNDED: the claim is the source rounded to the place in which the claim is written ("1.2 million" for
  1,234,567), or the same number with a unit, sign or depth that only one of the two states. Rounding is
  granted to amounts with a scale word, with decimals, in percent, or called approximate; a plain 1,230 is
  not 1,234.
- DIFFERENT: anything else."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum, StrEnum
from fractions import Fraction

from rag.facts.dates import Period, holds
from rag.facts.numerals import fold, numerals, same_currency


class Kind(StrEnum):
    """What a quantity is. SHARE values are parts of one (30 % is 3/10)."""

    NUMBER = "number"
    SHARE = "percentage"
    MONEY = "amount"
    MEASURE = "measure"
    DURATION = "duration"
    DATE = "date"
    REFERENCE = "reference"
    ORDINAL = "ordinal"


class QuantityMatch(IntEnum):
    """How well a source bears a claimed quantity."""

    DIFFERENT = 0
    ROUNDED = 1
    EXACT = 2


@dataclass(frozen=True, slots=True)
class Quantity:
    """One quantity at `[start, end)` of the text. `value` is in base units (grams, litres, days, months,
    parts of one); `unit` is the base unit, currency or reference name; `label` is a reference's number
    ("12", "7.3(b)"); `step` is the weight of the last place written; `loose` marks amounts that may be
    rounded."""

    kind: Kind
    start: int
    end: int
    text: str
    value: Fraction = Fraction(0)
    unit: str = ""
    label: str = ""
    step: Fraction = Fraction(1)
    loose: bool = False
    bracketed: bool = False
    period: Period | None = None

    def times(self, factor: Fraction | int) -> Quantity:
        """As many times as much, written to a place as many times as coarse."""
        return replace(self, value=self.value * factor, step=self.step * factor)

    @property
    def key(self) -> str:
        """Equal for quantities that are EXACT in each other's place, apart from coarser dates."""
        if self.period is not None:
            return f"date:{self.period.parts}"
        if self.label:
            return f"{self.unit}:{self.label}"
        return f"{self.value}:{self.unit}"


def compare(claim: Quantity, source: Quantity) -> QuantityMatch:
    """How well `source` bears `claim`; see the module docstring. Not symmetric: the claim may be the
    coarser."""
    if claim.kind is Kind.REFERENCE or source.kind is Kind.REFERENCE:
        return _compare_references(claim, source)
    if claim.period is not None or source.period is not None:
        return _compare_dates(claim, source)
    if (claim.kind is Kind.ORDINAL) != (source.kind is Kind.ORDINAL):
        return QuantityMatch.DIFFERENT
    same_unit = _units_agree(claim, source)
    return QuantityMatch.DIFFERENT if same_unit is None else _compare_values(claim, source, same_unit)


def _units_agree(claim: Quantity, source: Quantity) -> bool | None:
    """True: one unit. None: two. False: one of them says less (bare, without "per day", % for percentage
    points)."""
    a, _, per_a = claim.unit.partition("/")
    b, _, per_b = source.unit.partition("/")
    if a != b and not (claim.kind is source.kind is Kind.MONEY and same_currency(a, b)):
        return False if {a, b} == {"share", "points"} or "" in (a, b) else None
    if per_a != per_b:
        return None if per_a and per_b else False
    return True


def _compare_values(claim: Quantity, source: Quantity, same_unit: bool) -> QuantityMatch:
    if not same_unit and {claim.unit, source.unit} != {"share", "points"}:
        # One of the two is bare: compare the figures as written.
        claim, source = as_written(claim), as_written(source)
    if claim.value == source.value:
        return QuantityMatch.EXACT if same_unit else QuantityMatch.ROUNDED
    if claim.value == -source.value and (claim.bracketed or source.bracketed):
        return QuantityMatch.ROUNDED
    gap = abs(abs(claim.value) - abs(source.value)) if source.bracketed else abs(claim.value - source.value)
    coarser = claim.loose and claim.step > source.step and source.value != 0
    return QuantityMatch.ROUNDED if coarser and gap * 2 <= claim.step else QuantityMatch.DIFFERENT


def as_written(q: Quantity) -> Quantity:
    """The bare figure that is written: 45 of "45 ml/min", 3,000,000 of 300万元."""
    found = numerals(fold(q.text).lstrip("-( $€£¥"))
    if not found or not q.unit:
        return q
    return replace(q, value=found[0].value if q.value >= 0 else -found[0].value, step=found[0].step)


def _compare_references(claim: Quantity, source: Quantity) -> QuantityMatch:
    same_unit, same_label = claim.unit == source.unit, claim.label == source.label
    if claim.kind is source.kind and same_unit and same_label:
        return QuantityMatch.EXACT
    alike = same_label and {claim.unit, source.unit} <= {"section", "article"}
    deeper = same_unit and source.label.startswith(tuple(claim.label + sign for sign in "(.-"))
    near = claim.kind is source.kind and (alike or deeper)
    return QuantityMatch.ROUNDED if near else QuantityMatch.DIFFERENT


def _compare_dates(claim: Quantity, source: Quantity) -> QuantityMatch:
    if claim.period is None or source.period is None:
        period, other = (claim.period, source) if claim.period is not None else (source.period, claim)
        year = period.year if period is not None and set(period.parts) == {"year"} else None
        same = other.kind is Kind.NUMBER and other.value == year
        return QuantityMatch.ROUNDED if same else QuantityMatch.DIFFERENT
    if not holds(source.period, claim.period):
        return QuantityMatch.DIFFERENT
    # A whole year said of one quarter or half follows grammatically, not in substance.
    partial = {"quarter", "half"} & (source.period.parts.keys() - claim.period.parts.keys())
    return QuantityMatch.ROUNDED if partial else QuantityMatch.EXACT
