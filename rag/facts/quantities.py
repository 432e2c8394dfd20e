"""Numbers, amounts, percentages, doses, durations, dates and article numbers of English and Chinese text,
as values.

`extract` finds them with exact spans, `compare` holds one against another (`rag.facts.quantity`), and
`in_header_scale` reads a table figure under the scale and unit of its column headers."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import replace
from fractions import Fraction

from rag.facts import units
from rag.facts.amounts import ALL_UNITS, amount, shares, spread_units
from rag.facts.dates import dates
from rag.facts.numerals import SCALES, fold, numerals, parse_han
from rag.facts.quantity import Kind, Quantity, QuantityMatch, compare, dates_conflict
from rag.facts.references import ordinals, references

__all__ = [
    "Kind",
    "Quantity",
    "QuantityMatch",
    "compare",
    "dates_conflict",
    "extract",
    "header_scales",
    "in_header_scale",
]
_SCALE_NAMES = "|".join(s for s in SCALES if s not in ("dozen", "hundred"))
_HEADER_SCALE = re.compile(
    rf"(?i:\b(?:in|of|[(])?[ \t]*(?P<cur>US\$|\$|USD|RMB|CNY|EUR|€|£"
    rf"|HK\$)?[ \t]*(?:in[ \t]+)?(?P<en>{_SCALE_NAMES})\b)"
    r"|(?P<zhcur>人民币)?(?P<zh>百万|千万|万|亿|千)(?P<unit>元|美元|港元|欧元)?"
)


def extract(text: str) -> tuple[Quantity, ...]:
    """Every quantity of the text, in order; spans index into `text` and do not overlap. Pure and linear in
    its length."""
    folded = fold(text)
    found = references(folded)
    dated = [Quantity(Kind.DATE, d.start, d.end, "", period=d.period) for d in dates(folded)]
    found += _free(found, dated)
    found += _free(found, shares(folded) + ordinals(folded))
    taken = _Taken(found)
    amounts: list[Quantity] = []
    for numeral in numerals(folded):
        if taken.free(numeral.start, numeral.end) and (not amounts or numeral.start >= amounts[-1].end):
            quantity = amount(folded, numeral)
            if quantity is not None:
                amounts.append(quantity)
    found += spread_units(folded, amounts)
    return tuple(replace(q, text=text[q.start : q.end]) for q in sorted(found, key=lambda q: q.start))


class _Taken:
    """Spans already used, for a free-or-not test in logarithmic time."""

    def __init__(self, found: list[Quantity]) -> None:
        self.spans = sorted((q.start, q.end) for q in found)

    def free(self, start: int, end: int) -> bool:
        at = bisect_right(self.spans, (start, 1 << 60))
        before = self.spans[at - 1] if at else (-1, -1)
        after = self.spans[at] if at < len(self.spans) else (1 << 60, 1 << 60)
        return before[1] <= start and end <= after[0]


def _free(taken: list[Quantity], new: list[Quantity]) -> list[Quantity]:
    spans = _Taken(taken)
    return [q for q in new if spans.free(q.start, q.end)]


def header_scales(header: str) -> tuple[tuple[Fraction, str], ...]:
    """Scales and currencies that a table's header states for its figures, such as (10**6, "USD") for "(US$
    in millions)"."""
    scales = []
    for m in _HEADER_SCALE.finditer(fold(header)):
        if m["en"]:
            factor = SCALES[m["en"].lower()]
            currency = units.CURRENCY_BEFORE.get((m["cur"] or "").lower(), "")
        else:
            factor = int(
                parse_han("一" + m["zh"].lstrip("一")) or 10 ** {"百万": 6, "千万": 7}.get(m["zh"], 0)
            )
            currency = units.CURRENCY_AFTER.get(m["unit"] or m["zhcur"] or "", "")
        scales.append((Fraction(factor), currency))
    return tuple(dict.fromkeys(scales))


def in_header_scale(cell: Quantity, header: str) -> tuple[Quantity, ...]:
    """The readings of a bare table figure under the scales and units of its header, besides the figure
    itself."""
    readings = []
    folded = fold(header)
    if cell.kind in (Kind.NUMBER, Kind.MONEY):
        for factor, currency in header_scales(header):
            unit = cell.unit or currency
            kind = Kind.MONEY if unit else Kind.NUMBER
            readings.append(replace(cell.times(factor), kind=kind, unit=unit))
    if cell.kind is Kind.NUMBER:
        if "%" in folded or "percent" in folded.lower() or "百分比" in folded or "比例" in folded:
            readings.append(replace(cell.times(Fraction(1, 100)), kind=Kind.SHARE, unit="share"))
        for word in re.findall(r"\(([^()]{1,12})\)", folded):
            unit_name = word.strip().lower()
            if unit_name in ALL_UNITS:
                base, factor = ALL_UNITS[unit_name]
                kind = Kind.DURATION if unit_name in units.TIME else Kind.MEASURE
                readings.append(replace(cell.times(factor), kind=kind, unit=base))
    return tuple(readings)
