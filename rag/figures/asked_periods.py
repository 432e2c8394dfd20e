"""The periods that a question for a figure names."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator, Sequence

from rag.fiscal import FiscalPeriod, read_periods

# Month names are read as names: with their capitals, which the normalised text has not.
_MONTH = re.compile(
    r"\b(?:january|february|march|april|may|june|july|august|september|october|november|december"
    r"|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec)\b"
)
_YEARS_ZH = re.compile(r"(?<!\d)((?:19|20)\d\d)\s*年?\s*[-–—~至到]\s*((?:19|20)\d\d)\s*年")
_MONTH_END_ZH = re.compile(r"(?<!\d)((?:19|20)\d\d)年(\d{1,2})月[末底]")


def asked_periods(text: str, core: tuple[int, int]) -> list[FiscalPeriod]:
    """The periods of the asking sentence; of the whole question where that names none."""
    found = read_periods(_MONTH.sub(lambda m: m.group().title(), text))
    found = (*found, *_missed(text, found))
    own = [p for p in found if core[0] <= p.start < core[1]]
    return own or list(found)


def _missed(text: str, found: Sequence[FiscalPeriod]) -> Iterator[FiscalPeriod]:
    """The first years of Chinese ranges (2019-2021年) and those inside them, and ends of months (6月末)."""
    known = {p.year for p in found}
    for m in _YEARS_ZH.finditer(text):
        first, last = int(m[1]), int(m[2])
        for year in range(first, min(last, first + 12)):
            if year not in known:
                yield FiscalPeriod(m.start(), m.end(), year, inner=year != first)
    for m in _MONTH_END_ZH.finditer(text):
        year, month = int(m[1]), int(m[2])
        if 1 <= month <= 12:
            day = monthrange(year, month)[1]
            yield FiscalPeriod(m.start(), m.end(), year, "", f"{year:04}-{month:02}-{day:02}")


def labels(text: str, periods: Sequence[FiscalPeriod], keep_inner: bool) -> tuple[str, ...]:
    """The periods by name, oldest first, as `asked.Wanted.periods` has them; those inside a range where
    `keep_inner`."""
    named = [p for p in periods if p.year and (keep_inner or not p.inner)]
    parts = {p.part for p in periods if p.part not in ("", "FY")}
    single = next(iter(parts)) if len(parts) == 1 else ""
    found = []
    for p in sorted(named, key=lambda p: (p.year, p.ended, p.part)):
        # "Q2 of 2023 against 2022" is the same quarter twice, "Q2 2023 against FY2022" is not.
        part = p.part or ("" if text[p.start : p.end].startswith(("f", "year")) else single)
        if p.ended:
            found.append(p.ended)
        elif part in ("", "FY"):
            found.append(f"FY{p.year}")
        else:
            found.append(f"{part} {p.year}")
    distinct = list(dict.fromkeys(found))
    # A day and its year are one period.
    years = {d[:4] for d in distinct if d[:2] != "FY" and "-" in d}
    return tuple(d for d in distinct if not (d.startswith("FY") and d[2:] in years))
