"""What a question asks to be read or computed, and for which periods, as values; and the words by which such
a question is known, and those that turn it into another.

The words themselves are cues.toml. All functions take text as `rag.languages.text.normalise` gives it
(lower case), English or Chinese."""

from __future__ import annotations

import re
import tomllib
from calendar import isleap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from rag.domains.finance.figures.formulas import Formula
from rag.domains.finance.printing import Rounding
from rag.facts.dates import FiscalPeriod, read_periods, with_capitals
from rag.facts.numerals import numerals
from rag.languages import say, unspaced
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


_RAW: Mapping[str, Any] = tomllib.loads(Path(__file__).with_name("cues.toml").read_text(encoding="utf-8"))
# Words in one string of cues.toml, and what is done over the periods with its cue.
_BEFORE_LABEL, _COMMON_BEFORE, _WEAK_EN = (
    frozenset(" ".join(_RAW[name]).split()) for name in ("before_label", "common_before", "weak_en")
)
_SHORT_EN = 9


@cache
def cue(name: str) -> re.Pattern[str]:
    """A pattern of cues.toml."""
    return re.compile("".join(_RAW[name]))


def says(name: str, text: str) -> bool:
    """Whether a text holds a cue."""
    return cue(name).search(text) is not None


def sentences(text: str) -> Iterator[tuple[int, int]]:
    """Spans of the sentences of a question, without the blanks around them."""
    start = 0
    for m in [*cue("stop").finditer(text), None]:
        end = m.end() if m else len(text)
        piece = text[start:end]
        if piece.strip():
            yield start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip())
        start = end


def asks(sentence: str, language: str) -> bool:
    """Whether a sentence asks, or is so short that it can do nothing else ("FY22 quick ratio")."""
    if unspaced(language):
        return says("asks_zh", sentence) or len(sentence) <= 24
    return says("asks_en", sentence) or (
        len(sentence.split()) <= _SHORT_EN
        and not re.search(r"\b(?:is|are|was|were|has|have|can|will|may)\b", sentence)
    )


def is_aside(sentence: str, asked: str) -> bool:
    """Whether a sentence only defines the metric, says how to answer, or who is asking; `asked` is what
    stands before a definition in it."""
    parts = (("defines", sentence), ("instructs", asked))
    return any(says(name, part) and not says("aside", part) for name, part in parts)


def head(before: str, after: str, language: str) -> bool:
    """Whether a name between `before` and `after` is the head of its phrase: not "revenue recognition"."""
    if unspaced(language) and (not after or not after[0].isascii() or after[0] in ",.?;:()/ %+-*="):
        return cue("next_zh").match(after) is not None and not says("before_zh_bad", before)
    return cue("next_en").match(after) is not None


def qualified(before: str, name: str, key: str, question: str) -> str:
    """The row label that a lower-case word before a line's name makes of it ("the cloud revenue"); "" where
    the word is a common one, a name, a verb, or says how long. Formulas are left alone."""
    m = re.search(r"(?:^|([\w'.,?:]+) )([a-z][a-z&/-]*) $", before)
    if m is None or key.startswith("f:") or m[2] in _COMMON_BEFORE or says("lasting", m[2]):
        return ""
    if not (m[1] and (m[1].endswith(("'s", "s'")) or m[1] in _BEFORE_LABEL or m[1][-1].isdigit())):
        return ""
    word = m[2]
    capital = word[0].upper() + word[1:]
    if re.search(rf"(?<![A-Za-z])(?:{re.escape(capital)}|{re.escape(word.upper())})(?![A-Za-z])", question):
        return ""
    return f"{word} {name}"


def limit(core: str) -> tuple[int, str]:
    """What a question holds the metric against: 1 and the number for "above 1.5", -1 for "below 20%"; 0 and
    "" for nothing."""
    m = cue("bound").search(core)
    if m is None:
        return 0, ""
    return (1 if m["up"] else -1), m["n"]


def cash_flow(sentence: str) -> str:
    """The flow that a sentence about cash means ("cash from operations"); "" for cash that is held."""
    m = cue("flow").search(sentence)
    if m is None:
        return ""
    return str(_RAW["flows"][(m["k"] or m["k2"] or m["k3"] or m["z"])[:6]])


def weak(name: str) -> bool:
    """Whether a name is an everyday word too, and says little without a period."""
    return name in _WEAK_EN or cue("weak").fullmatch(name) is not None


def combination(before: str, between: str, after: str, language: str) -> str:
    """How two names are combined: "%", "/", "-", "+" ("~" in front: the second over the first); "" not."""
    context = between if unspaced(language) else before
    for sign, name, said_before, said_after in _RAW["combined"][language]:
        said = cue("share_before").pattern if said_before == "{share_before}" else said_before
        if cue(name).match(between) and re.search(said, context) and re.match(said_after, after):
            return str(sign)
    return ""


def operation(core: str, language: str) -> Operation:
    """What the asking sentence wants done with its metric."""
    without = cue("no_average").sub("", core)
    if says("points", without):
        return Operation.DIFFERENCE
    if limit(without)[0] and says("yes_no", without):
        return Operation.SOUND
    return next((a for a, pattern in _aims(f"aims_{language}") if pattern.search(without)), Operation.VALUE)


@cache
def _aims(name: str) -> tuple[tuple[Operation, re.Pattern[str]], ...]:
    return tuple((Operation(aim), re.compile("".join(lines))) for aim, lines in _RAW[name].items())


def supposed(core: str, language: str) -> tuple[int, int]:
    """What a question of yes or no supposes: a rise (1) or fall (-1), getting better (1) or worse (-1)."""
    if not re.search(
        r"^(?:[^?]*,\s*)?(?:is|are|was|were|did|does|do|has|have|had)\b|\bwhether\b|是否|有没有|是不是|有无|吗",
        core,
    ):
        return 0, 0
    up, down, better, worse = (
        says(name, core) for name in (f"up_{language}", f"down_{language}", "better", "worse")
    )
    return up - down, better - worse


def span(core: str) -> int:
    """The number of periods that a sentence names ("three-year average", 近三年); 0 where it names none."""
    m = cue("span").search(core)
    if m is None:
        return 0
    return int(numerals(m["n"] or m["z"] or m["z2"])[0].value)
