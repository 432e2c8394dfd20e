"""What a question (or a sentence of a document) gives a calculation to work with: amounts, rates, terms.

Every quantity of the text (`rag.quantities`) gets the role that the nearest words around it say: "a loan of
$300,000" is the principal, "6% coupon" the coupon rate, 首付30% a share paid down. Nothing goes by order:
an amount without such words has the role "amount", a percentage "rate", a duration "term"."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

from rag.money.annuities import decimal
from rag.numerals import fold
from rag.quantities import extract
from rag.quantity import Kind, Quantity
from rag.types import Figure

CALCULATIONS = Path(__file__).parent.parent / "data" / "calculations.toml"
# An insurer's "按80%赔付": the share stands before its word; these words may stand behind their quantity.
_BEHIND = 26
_BEFORE = 34
_FARTHER = 9
_CLAUSE = re.compile(r"[;.?!。；？！](?!\d)|[,，](?!\d{3})")
_FREQUENCY: tuple[tuple[int, str], ...] = (
    (0, r"continuous\w*|连续复利"),
    (365, r"daily|every day|按[日天]|每[日天]"),
    (52, r"weekly|every week|每周|按周"),
    (26, r"bi-?weekly|fortnightly|every two weeks|每两周"),
    (2, r"semi-?annual\w*|half-?yearly|twice a year|every six months|every half-year|半年"
     r"|一年[两二]次|每年[两二]次"),
    (12, r"monthly|every month|each month|a month|per month|按月|每月|月供|逐月"),
    (4, r"quarterly|every quarter|each quarter|按季|每季"),
    (1, r"annual\w*|yearly|every year|each year|a year|per year|once a year|按年|每年|逐年|一年一次"),
)  # fmt: skip
_MONTH = re.compile(
    r"\b(?:january|february|march|april|may|june|july|august|september|october|november|december"
    r"|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec)\b"
)
_COUNTED = re.compile(
    r"\s*(?:equal |level |monthly |annual |yearly |quarterly )*(?:payments?|instal\w+|periods?"
    r"|times|期|次|笔|个)"
)
_OFTEN = re.compile(r"\s*(?:at the (?:end|beginning|start) of )?(?:each|every|per) (month|year|quarter)")
_COMPOUND = re.compile(r"(?:compound\w*|复利|计息)")
_DUE = re.compile(
    r"beginning of (?:each|every|the)|annuity[- ]due|in advance|at the start of|期初|年初|月初|先付|预付年金"
)
_NTH_YEAR = re.compile(r"第\s*(\d{1,3})\s*个?(年|月|期)|(?:end of |in )?(year|month) (\d{1,3})\b")
_PERIODS = re.compile(
    r"(\d{1,3})\s*(?:期|个月|monthly (?:payments|instal\w+)|(?:equal )?instal\w+|payments)"
    r"|分\s*(\d{1,3})\s*[期个]"
)


@dataclass(frozen=True, slots=True)
class Given:
    """One input: `value` in base units (shares as parts of one, durations in months or days as `unit` says),
    `source` 0 for the question, else the number of the fact it stands in; `guessed`: no word gave a role."""

    role: str
    value: Decimal
    unit: str
    printed: str
    source: int = 0
    start: int = 0
    end: int = 0
    guessed: bool = False
    sort: str = ""

    def figure(self, label: str) -> Figure:
        """As an input of a calculation; percentages in percent."""
        percent = self.sort == "share"
        return Figure(
            label=label, value=self.value * 100 if percent else self.value,
            unit="%" if percent else self.unit, printed=self.printed, citation=self.source or None,
            start=self.start if self.source else 0, end=self.end if self.source else 0,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Inputs:
    """What question and facts give. `text` is the question, folded and in lower case."""

    text: str
    given: tuple[Given, ...]
    language: str
    currency: str = ""
    facts: tuple[str, ...] = field(default=())

    def first(self, *roles: str) -> Given | None:
        """The first input of the first role that has one, the question's before the facts'."""
        for role in roles:
            for g in self.given:
                if g.role == role:
                    return g
        return None

    def all(self, role: str) -> tuple[Given, ...]:
        return tuple(g for g in self.given if g.role == role)


def read_inputs(question: str, facts: Sequence[str] = ()) -> Inputs:
    """The inputs of a question and, for what it leaves open, of facts, whose quantities count only where
    words say what they are."""
    text = _lowered(question)
    given = list(_given(text, 0))
    for number, fact in enumerate(facts, 1):
        known = {g.role for g in given}
        given += [g for g in _given(_lowered(fact), number) if not g.guessed and g.role not in known]
    currency = next((g.unit.partition("/")[0] for g in given if g.sort == "money" and g.unit), "")
    chinese = re.search(r"[\u3400-\u9fff]", question) is not None
    return Inputs(
        text, tuple(given), "zh" if chinese else "en", "USD" if currency == "$" else currency, tuple(facts)
    )


def _lowered(text: str) -> str:
    """Folded and in lower case, but for the names of months, by whose capitals dates are known."""
    return _MONTH.sub(lambda m: m.group().title(), fold(text).lower())


def _given(text: str, source: int) -> Iterator[Given]:
    quantities = [
        q
        for q in extract(text)
        if q.kind in (Kind.MONEY, Kind.SHARE, Kind.DURATION) or (q.kind is Kind.NUMBER and q.value)
    ]
    for n, q in enumerate(quantities):
        before = text[max(quantities[n - 1].end if n else 0, q.start - _BEFORE) : q.start]
        after = text[
            q.end : min(quantities[n + 1].start if n + 1 < len(quantities) else len(text), q.end + _BEHIND)
        ]
        before = _CLAUSE.split(before)[-1]
        after = _CLAUSE.split(after)[0]
        yield _one(q, before, after, source)


def _one(q: Quantity, before: str, after: str, source: int) -> Given:
    value, unit = decimal(q.value), q.unit
    table, default, sort = {
        Kind.MONEY: ("money", "amount", "money"),
        Kind.SHARE: ("share", "rate", "share"),
        Kind.DURATION: ("time", "term", "time"),
        Kind.NUMBER: ("money", "number", "number"),
    }[q.kind]
    role = _nearest(table, before, after)
    if sort == "number" and _COUNTED.match(after):
        role = "count"
    if sort == "money" and "/" in unit:  # an amount a month or a year, told apart by its base
        per = unit.partition("/")[2]
        unit = unit.partition("/")[0]
        role = {"month": "monthly_amount", "share": "each"}.get(per, role or default)
        yearly = re.search(r"(?:年|year|annum|annual)[^\d]{0,8}$", before) or re.match(
            r"\s*(?:/|a|per|each|every)\s*(?:year|annum)", after
        )
        if per == "month" and (yearly or "year" in q.text or "annum" in q.text or "年" in q.text):
            role, value = "yearly_amount", decimal(q.value * 12)
    elif sort == "money" and (often := _OFTEN.match(after)):  # "$1,000 at the end of each year"
        role = {"month": "monthly_amount", "year": "yearly_amount"}.get(often[1], "each")
    return Given(role or default, value, unit, q.text, source, q.start, q.end, not role, sort)


@lru_cache(maxsize=1)
def data() -> Mapping[str, Any]:
    """data/calculations.toml, read once."""
    return tomllib.loads(CALCULATIONS.read_text(encoding="utf-8"))


@lru_cache(maxsize=4)
def _roles(table: str) -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple(
        (role, re.compile(rf"(?<![a-z])(?:{''.join(lines)})(?![a-z])"))
        for role, lines in data()[table].items()
    )


def _nearest(table: str, before: str, after: str) -> str:
    """The role whose word stands nearest, before or (a little farther) behind; "" where none does."""
    best: tuple[int, int, str] | None = None
    for role, word in _roles(table):
        for m in word.finditer(before):
            key = (len(before) - m.end(), -len(m.group()), role)
            best = min(best, key) if best else key
        if behind := word.search(after):
            key = (behind.start() + _FARTHER, -len(behind.group()), role)
            best = min(best, key) if best else key
    return best[2] if best else ""


def compounding(text: str) -> int | None:
    """How often a year interest is compounded, as said near "compounded" or 复利 (0: continuously)."""
    for m in _COMPOUND.finditer(text):
        near = text[max(0, m.start() - 12) : m.end() + 22]
        for times, pattern in _FREQUENCY:
            if re.search(pattern, near):
                return times
    return 0 if re.search("连续复利", text) else None


def frequency(text: str, *patterns: str) -> int | None:
    """How often a year, as said within a few words of one of the patterns; anywhere where none is given."""
    places = [text]
    if patterns:
        places = [text[max(0, m.start() - 26) : m.end() + 26] for p in patterns for m in re.finditer(p, text)]
    for place in places:
        for times, pattern in _FREQUENCY:
            if times and re.search(rf"(?:(?<![a-z])(?:{pattern})(?![a-z]))", place):
                return times
    return None


def due(text: str) -> bool:
    """Whether payments are made at the beginning of their periods."""
    return bool(_DUE.search(text))


def count_of_periods(text: str) -> int | None:
    """A number of instalments ("12 monthly payments", 分12期)."""
    m = _PERIODS.search(text)
    return int(next(g for g in m.groups() if g)) if m else None


def nth_years(text: str) -> tuple[int, ...]:
    """The years named as 第20年 or "year 20"."""
    return tuple(int(m[1] or m[4]) for m in _NTH_YEAR.finditer(text) if (m[2] == "年") or m[3] == "year")
