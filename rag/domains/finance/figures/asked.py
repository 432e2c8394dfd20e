"""What a question asks to be read or computed, and for which periods, as values."""

from __future__ import annotations

import re
from calendar import isleap
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from rag.domains.finance.figures.formulas import Formula
from rag.domains.finance.printing import Rounding
from rag.facts.dates import FiscalPeriod, read_periods, with_capitals
from rag.languages import say
from rag.languages.lexicon import MAX_CHARS
from rag.languages.text import normalise
from rag.questions.expects import Wording

_RANGE = re.compile(r"\b((?:19|20)\d\d)\s?[-–—]\s?((?:19|20)\d\d)\b")
_SHORT = re.compile(r"\bfy?\s?['’]?(\d\d)\b")


@dataclass(frozen=True, slots=True)
class FiscalTerm:
    """A fiscal period: the year and its part, "FY" for all of it. `ended`: an ISO day instead, where the
    question names one; it becomes a fiscal period by the calendar of the company's reports."""

    year: int
    part: str = "FY"
    ended: str = ""

    def __str__(self) -> str:
        return self.in_words("en")

    def in_words(self, language: str) -> str:
        return self.ended or say(f"periods.{self.part}", language, year=self.year)

    def moved(self, by: int, sequential: bool = False) -> FiscalTerm:
        """The period so many years (quarters and halves, where `sequential`) later."""
        count = {"Q": 4, "H": 2}.get(self.part[0], 0)
        if sequential and count:
            year, before = divmod(self.year * count + int(self.part[1]) - 1 + by, count)
            return FiscalTerm(year, f"{self.part[0]}{before + 1}")
        year = self.year + by
        day = "02-28" if self.ended[5:] == "02-29" and not isleap(year) else self.ended[5:]
        return FiscalTerm(year, self.part, f"{year}-{day}" if day else "")

    def steps_to(self, other: FiscalTerm, sequential: bool = False) -> int | None:
        """How many steps away `other` lies (negative: before it), None where none lead there."""
        return next((by for by in (0, *range(-40, 41)) if self.moved(by, sequential) == other), None)


class Operation(StrEnum):
    """What is done with the metric over the periods asked for.

    VALUE: as it is in the one period. VALUES: in each of several. DIFFERENCE: newest less oldest, in its own
    unit (points for percentages). GROWTH: that as a share of the oldest. CAGR: per year, compounded. AVERAGE,
    TOTAL: over the periods. AVERAGE_GROWTH: the mean of the yearly growth rates. TREND: whether it rose or
    fell, improved or worsened. HIGHEST, LOWEST: in which period. SIGN: whether it is above zero. SOUND:
    whether it keeps the customary bound."""

    VALUE = "value"
    VALUES = "values"
    DIFFERENCE = "difference"
    GROWTH = "growth"
    CAGR = "cagr"
    AVERAGE = "average"
    AVERAGE_GROWTH = "average growth"
    TOTAL = "total"
    TREND = "trend"
    HIGHEST = "highest"
    LOWEST = "lowest"
    SIGN = "sign"
    SOUND = "sound"


_FIRST_AND_LAST = frozenset({Operation.DIFFERENCE, Operation.GROWTH, Operation.CAGR})
PAIRED = _FIRST_AND_LAST | {Operation.TREND, Operation.AVERAGE_GROWTH}


@dataclass(frozen=True, slots=True)
class FigureRequest:
    """The figure that a question asks for.

    `formula` is what is computed, or read. `periods` are those asked for, the newest last, empty where none
    is named.
    `span` is the number of periods that an average, a growth or a trend goes over where fewer are named.
    `sequential`: the period before a quarter is the quarter before, not the same one a year earlier. `rising`
    is what a yes/no question supposes: 1 it rose, -1 it fell, 0 neither; `better`: the supposition is that it
    improved (1) or worsened (-1). `notes` are choices made in reading it. `limit` is what the question holds
    the metric against, in the metric's printed unit; `rising` is then 1 for above it and -1 for below."""

    formula: Formula
    periods: tuple[FiscalTerm, ...]
    rounding: Rounding
    operation: Operation = Operation.VALUE
    span: int = 1
    language: str = "en"
    sequential: bool = False
    rising: int = 0
    better: int = 0
    notes: tuple[str, ...] = ()
    limit: Decimal | None = None

    @property
    def name(self) -> str:
        """What the metric is called in the question's language."""
        return self.formula.in_words(self.language)

    @property
    def unit(self) -> str:
        """Unit of the metric itself: one of `rag.domains.finance.figures.formulas.UNITS`."""
        return self.formula.unit

    def period(self, offset: int = 0) -> FiscalTerm | None:
        """The period `offset` steps from the newest one asked for (-1 from FY2022 is FY2021); None where the
        question names none."""
        if self._uneven() and -len(self.periods) < offset <= 0:
            return self.periods[offset - 1]
        return self.periods[-1].moved(offset, self.sequential) if self.periods else None

    def _steps(self) -> list[int | None]:
        return [self.periods[-1].steps_to(p, self.sequential) for p in self.periods]

    def _uneven(self) -> bool:
        """Whether the periods are no steps of one kind (FY2023 and Q2 2024): they count as they come."""
        return None in self._steps()

    def offsets(self) -> tuple[int, ...]:
        """The periods that the aim goes over as offsets, the newest (0) last."""
        if self._uneven():
            return tuple(range(1 - len(self.periods), 1))
        if len(self.periods) > 1:
            known = sorted({s for s in self._steps() if s is not None and s <= 0})
            if len(known) > 1:
                return (known[0], known[-1]) if self.operation in _FIRST_AND_LAST else tuple(known)
        if self.operation in (Operation.VALUE, Operation.SIGN, Operation.SOUND):
            return (0,)
        span = max(self.span, 2 if self.operation in PAIRED else 1)
        return (1 - span, 0) if self.operation in _FIRST_AND_LAST else tuple(range(1 - span, 1))


def read_text(asked: Wording) -> str:
    """A question as figures are read from it: normalised, "2017-2019" as a range, F19 as FY2019."""
    text = normalise(asked.text[:MAX_CHARS]).replace(" & ", " and ")
    return _SHORT.sub(r"fy20\1", _RANGE.sub(r"\1 to \2", text))


def asked_periods(text: str, core: tuple[int, int]) -> list[FiscalPeriod]:
    """The periods of the asking sentence; of the whole question where that names none."""
    found = read_periods(with_capitals(text))
    own = [p for p in found if core[0] <= p.start < core[1]]
    return own or list(found)


def named_terms(text: str, periods: Sequence[FiscalPeriod], keep_inner: bool) -> tuple[FiscalTerm, ...]:
    """The periods as terms, oldest first, each once; those inside a range where `keep_inner`."""
    named = [p for p in periods if p.year and (keep_inner or not p.inner)]
    parts = {p.part for p in named} - {"", "FY"}
    single = parts.pop() if len(parts) == 1 else ""
    found: dict[FiscalTerm, None] = {}
    for p in sorted(named, key=lambda p: (p.year, p.ended, p.part)):
        # "Q2 of 2023 against 2022" is the same quarter twice, "Q2 2023 against FY2022" is not.
        part = p.part or ("" if text[p.start : p.end].startswith(("f", "year")) else single)
        found[FiscalTerm(p.year, "FY" if p.ended else part or "FY", p.ended)] = None
    days = {term.year for term in found if term.ended}  # a day and its year are one period
    return tuple(t for t in found if t.ended or t.part != "FY" or t.year not in days)
