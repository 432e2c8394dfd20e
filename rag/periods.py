"""How far the period of a report agrees with the periods that a question names."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from rag.catalogue import Facts
from rag.fiscal import FiscalPeriod

_CLOSE_DAYS = 7
_ANOTHER_DAY = 0.5
_ORDER = ("Q1", "Q2", "H1", "Q3", "9M", "Q4", "FY")


def period_agreement(periods: Sequence[FiscalPeriod], facts: Facts) -> float:
    """How far a document's period agrees with those that a question names, -1 to 1.

    The report of the last year named is 1 (it shows the earlier ones beside it), those of the other years
    named 0.6, the next year's 0.4, that of the year after 0.1 (three years are shown); earlier ones are -1.
    A quarter asks for its own report; for the fourth, and for a whole year, the annual one is as good."""
    if not facts.years and not facts.ended:
        named = {p.year for p in periods}
        return 1.0 if named.intersection(facts.other_years) else 0.0
    if any(p.ended and _close(p.ended, facts.ended) for p in periods):
        return 1.0
    asked = {p.year for p in periods if p.year}
    main = max(asked, default=0)
    parts = {p.part for p in periods if p.year == main} - {""}
    if not asked:
        return _same_part({p.part for p in periods}, facts) * 0.5
    if facts.ended and all(p.ended for p in periods if p.year == main):
        # A day is asked for, and another one is reported on here.
        return min(_ANOTHER_DAY, _dated(int(facts.ended[:4]), asked, main, parts, facts))
    readings = facts.years or (int(facts.ended[:4]),)
    return max(_dated(y, asked, main, parts, facts) for y in readings)


def _dated(year: int, asked: set[int], main: int, parts: set[str], facts: Facts) -> float:
    near = _year_agreement(year, asked, main)
    if near < 0 or not facts.part:
        return near if near < 0 else near * 0.6  # an 8-K of the year
    if not parts - {"FY"}:
        if facts.part in ("FY", "Q4"):
            return near * (1.0 if facts.part == "FY" else 0.9)
        return near * (0.15 if "FY" in parts else 0.3)
    fits = _same_part(parts, facts)
    if year == main:
        return fits
    return near * fits if fits > 0 else -0.5


def _year_agreement(year: int, asked: set[int], main: int) -> float:
    if year == main:
        return 1.0
    if year in asked:
        return 0.6
    if year > main:
        return {1: 0.4, 2: 0.1}.get(year - main, -0.7)
    return 0.3 if year > min(asked) else -1.0


def _same_part(parts: set[str], facts: Facts) -> float:
    """Agreement of a document's part of a year with those asked for, the year being right."""
    return max((_part_agreement(asked, facts.part) for asked in parts), default=0.0)


def _part_agreement(asked: str, part: str) -> float:
    if asked == part:
        return 1.0
    if {asked, part} in ({"H1", "Q2"}, {"9M", "Q3"}, {"H2", "Q4"}):
        return 0.8
    if asked in ("Q4", "H2", "FY", "") and part in ("FY", "Q4"):
        return 0.9
    if part == "FY":
        return 0.3
    if asked not in _ORDER or part not in _ORDER:
        return 0.0
    # A later report of the year shows this quarter inside its sums at best.
    return 0.1 if _ORDER.index(part) > _ORDER.index(asked) else -0.5


def _close(a: str, b: str) -> bool:
    try:
        return abs((date.fromisoformat(a) - date.fromisoformat(b)).days) <= _CLOSE_DAYS
    except ValueError:
        return False
