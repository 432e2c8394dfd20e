"""Day counts: the share of a year between two days, by the conventions that bonds and loans use (ISDA 2006
definitions, section 4.16)."""

from __future__ import annotations

from calendar import isleap
from datetime import date
from fractions import Fraction

CONVENTIONS = ("30/360", "30e/360", "act/365", "act/360", "act/act")


def days(start: date, end: date, convention: str) -> int:
    """Days between two dates as the convention counts them."""
    if convention not in ("30/360", "30e/360"):
        return (end - start).days
    d1, d2 = start.day, end.day
    if convention == "30e/360":
        d1, d2 = min(d1, 30), min(d2, 30)
    else:  # bond basis
        d1 = min(d1, 30)
        d2 = 30 if d2 == 31 and d1 == 30 else d2
    return 360 * (end.year - start.year) + 30 * (end.month - start.month) + d2 - d1


def year_share(start: date, end: date, convention: str) -> Fraction:
    """Share of a year between two dates; "act/act" as ISDA has it: days in leap years over 366, others over
    365. Raises ValueError for an unknown convention."""
    if convention not in CONVENTIONS:
        raise ValueError(f"unknown day count {convention!r}; known are {', '.join(CONVENTIONS)}")
    if convention != "act/act":
        return Fraction(days(start, end, convention), 365 if convention == "act/365" else 360)
    if end < start:
        return -year_share(end, start, convention)
    share, at = Fraction(0), start
    while at < end:
        stop = min(end, date(at.year + 1, 1, 1))
        share += Fraction((stop - at).days, 366 if isleap(at.year) else 365)
        at = stop
    return share
