"""What a question (or a sentence of a document) gives a calculation to work with, amounts, rates, terms, and
the functions that sums of money are made of.

Every quantity of the text (`rag.facts.quantities`) gets the role that the nearest words around it say: "a
loan of $300,000" is the principal, "6% coupon" the coupon rate, 首付30% a share paid down. Nothing goes by
order: an amount without such words has the role "amount", a percentage "rate", a duration "term".

The functions work in Decimal. Rates are per period and parts of one (0.004 for 0.4 % a month), `n` counts
periods, amounts are positive unless they are flows. Closed forms are those of numpy-financial, which takes
Decimals; rates are found by Brent's method (scipy) and refined to the digits of the context by Newton's."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy_financial as npf

from rag.facts.numerals import fold
from rag.facts.quantities import extract
from rag.facts.quantity import Kind, Quantity
from rag.types import Figure

ZERO = Decimal(0)
# Rates per period at which signs are compared: dense around zero, far out on both sides.
_UP = (0.0, 0.001, 0.005, 0.01, 0.02, 0.03, 0.05, 0.08, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1.0,
       1.5, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0, 100.0, 1e3, 1e5, 1e8)  # fmt: skip
_DOWN = (0.0, -0.001, -0.01, -0.02, -0.05, -0.1, -0.2, -0.3, -0.4, -0.5, -0.6, -0.7, -0.8, -0.9,
         -0.95, -0.99, -0.999, -0.9999, -0.999999, -0.999999999)  # fmt: skip
CALCULATIONS = Path(__file__).with_name("calculations.toml")
# Characters around a quantity in which words say its role; those behind it count as so much farther away.
_BEFORE, _BEHIND, _FARTHER = 34, 26, 9
_CLAUSE = re.compile(r"[;.?!。；？！](?!\d)|[,，](?!\d{3})")
_TABLES = {
    Kind.MONEY: ("money", "amount", "money"),
    Kind.SHARE: ("share", "rate", "share"),
    Kind.DURATION: ("time", "term", "time"),
    Kind.NUMBER: ("money", "number", "number"),
}
RATES = frozenset({"rate", "yield", "effective", "monthly", "quarterly", "daily"})


class Unsolved(ValueError):
    """No rate, or no number of periods, makes the amounts meet."""


def pmt(rate: Decimal, n: Decimal, principal: Decimal, due: int = 0) -> Decimal:
    """The level payment that repays `principal`, at each period's end (0) or beginning (1)."""
    return Decimal(-npf.pmt(rate, n, principal, when=due))


def fv(rate: Decimal, n: Decimal, each: Decimal, start: Decimal, due: int = 0) -> Decimal:
    """What `start` and n payments of `each` grow to; n need not be whole."""
    return Decimal(-npf.fv(rate, n, each, start, when=due)) if rate else start + n * each


def pv(rate: Decimal, n: Decimal, each: Decimal, last: Decimal, due: int = 0) -> Decimal:
    """What n payments of `each` and `last` after all of them are worth now."""
    return Decimal(-npf.pv(rate, n, each, last, when=due)) if rate else n * each + last


def npv(rate: Decimal, flows: Sequence[Decimal]) -> Decimal:
    """Value of flows one period apart, the first at once."""
    return Decimal(npf.npv(rate, list(flows)))


def nper(rate: Decimal, each: Decimal, start: Decimal, target: Decimal) -> Decimal:
    """Periods until `start` and `each` at every period's end come to `target`, not whole; a debt is a start
    below 0. Raises Unsolved where they never do."""
    if target <= start:
        return ZERO
    if start * rate + each <= 0 or rate < 0:
        raise Unsolved("the target is never reached")
    if not rate:
        return (target - start) / each
    return ((target * rate + each) / (start * rate + each)).ln() / (
        1 + rate
    ).ln()  # npf.nper takes floats only


def rate(n: Decimal, each: Decimal, price: Decimal, last: Decimal, due: int = 0) -> Decimal:
    """The rate at which n payments of `each` and `last` after them are worth `price`. Raises Unsolved."""
    flows = [-price, *[ZERO] * int(n)]
    for k in range(int(n)):
        flows[k + 1 - due] += each
    flows[-1] += last
    return irr(flows)


def irr(flows: Sequence[Decimal]) -> Decimal:
    """The rate at which flows one period apart are worth nothing, the nearest to zero where there are
    several. Raises Unsolved where there is none, as with flows of one sign."""
    from scipy.optimize import brentq

    cash = [(x, t) for t, x in enumerate(flows) if x]
    floats = [(float(x), t) for x, t in cash]
    if len({x > 0 for x, _ in cash}) < 2:
        raise Unsolved("the flows have one sign")

    def worth(rate: float) -> float:
        try:
            return math.fsum(x * (1 + rate) ** -t for x, t in floats)
        except OverflowError:
            return math.nan

    found: list[float] = []
    for grid in (_UP, _DOWN):
        values = [(rate, worth(rate)) for rate in grid]
        bracket = next(((a, b) for (a, x), (b, y) in pairwise(values) if x * y <= 0), None)
        found += [brentq(worth, *bracket, xtol=1e-15, rtol=1e-15)] if bracket else []
    if not found:
        raise Unsolved("no rate makes the flows come to nothing")
    rate = Decimal(min(found, key=abs))
    for _ in range(3):
        slope = sum((t * x / (1 + rate) ** (t + 1) for x, t in cash), ZERO)
        rate += sum((x / (1 + rate) ** t for x, t in cash), ZERO) / slope
    return rate


def effective(nominal: Decimal, times: Decimal) -> Decimal:
    """Effective rate of a year from a nominal one compounded so many times; 0 times: continuously."""
    return (1 + nominal / times) ** times - 1 if times else nominal.exp() - 1


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "pmt": pmt, "fv": fv, "pv": pv, "nper": nper, "rate": rate, "effective": effective,
    "ln": Decimal.ln, "exp": Decimal.exp, "min": min, "max": max,
    "ceil": lambda x: Decimal(math.ceil(x - Decimal("1e-9"))),
}  # fmt: skip


def decimal(value: Fraction) -> Decimal:
    """A fraction as a Decimal, in the digits of the context."""
    return Decimal(value.numerator) / value.denominator


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

    def says(self, name: str) -> bool:
        """Whether the question holds a cue of calculations.toml."""
        return cue(name).search(self.text) is not None


@cache
def data() -> Mapping[str, Any]:
    """calculations.toml, read once; "label" holds the names of the roles in English and Chinese."""
    read = tomllib.loads(CALCULATIONS.read_text(encoding="utf-8"))
    return read | {"label": {role: names for role, *names in read["labels"]}}


@cache
def cue(name: str) -> re.Pattern[str]:
    """A pattern of [cue]."""
    return re.compile("".join(data()["cue"][name]))


@cache
def _roles(table: str) -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple(
        (role, re.compile(rf"(?<![a-z])(?:{''.join(lines)})(?![a-z])"))
        for role, lines in data()[table].items()
    )


def read_inputs(question: str, facts: Sequence[str] = ()) -> Inputs:
    """The inputs of a question and, for what it leaves open, of facts, whose quantities count only where
    words say what they are."""
    text = _lowered(question)
    given = list(_given(text, 0))
    for number, fact in enumerate(facts, 1):
        known = {g.role for g in given}
        given += [g for g in _given(_lowered(fact), number) if not g.guessed and g.role not in known]
    currency = next((g.unit for g in given if g.sort == "money" and g.unit), "")
    chinese = re.search(r"[\u3400-\u9fff]", question) is not None
    return Inputs(text, tuple(given), "zh" if chinese else "en", "USD" if currency == "$" else currency)


def _lowered(text: str) -> str:
    """Folded and in lower case, but for the names of months, by whose capitals dates are known."""
    return cue("month").sub(lambda m: m.group().title(), fold(text).lower())


def _given(text: str, source: int) -> Iterator[Given]:
    quantities = [q for q in extract(text) if q.kind in _TABLES and (q.kind is not Kind.NUMBER or q.value)]
    starts = [0, *(q.end for q in quantities)]
    ends = [*(q.start for q in quantities), len(text)]
    for n, q in enumerate(quantities):
        before = _CLAUSE.split(text[max(starts[n], q.start - _BEFORE) : q.start])[-1]
        after = _CLAUSE.split(text[q.end : min(ends[n + 1], q.end + _BEHIND)])[0]
        yield _one(q, before, after, source)


def _one(q: Quantity, before: str, after: str, source: int) -> Given:
    unit, _, per = q.unit.partition("/")
    table, default, sort = _TABLES[q.kind]
    role = _nearest(table, before, after)
    # "a year" and "a quarter" come as "a month" with a part of the value: it is made whole again.
    period = _period(q.text, before, after) if per == "month" else "daily"
    months = {"yearly": 12, "quarterly": 3 if sort == "share" else 1}.get(period, 1)
    if sort == "number" and cue("counted").match(after):
        role = "count"
    elif sort == "money" and per:
        role = {"month": "monthly_amount", "share": "each"}.get(per, role or default)
        role = "yearly_amount" if period == "yearly" else role
    elif sort == "money" and (said := cue("each_period").match(after)):  # "$1,000 at the end of each year"
        role = {"month": "monthly_amount", "year": "yearly_amount"}.get(said[1], "each")
    guessed = not role
    if sort == "share" and per and period != "yearly" and (role or default) in RATES:
        yearly = cue("yearly_rate").search(before) or cue("only_paid").search(q.text)
        role = role if yearly or cue("payments_after").match(after) else period
    value = decimal(q.value * months)
    return Given(role or default, value, unit, q.text, source, q.start, q.end, guessed, sort)


def _period(text: str, before: str, after: str) -> str:
    """Which multiple of a month an amount or rate is for: "monthly", "quarterly" or "yearly"."""
    if not (cue("monthly").search(text) or cue("monthly_before").search(before)):
        for name in ("quarterly", "yearly"):
            words = cue(name), cue(f"{name}_before"), cue(f"{name}_after")
            if words[0].search(text) or words[1].search(before) or words[2].match(after):
                return name
    return "monthly"


def _nearest(table: str, before: str, after: str) -> str:
    """The role whose word stands nearest, before or (a little farther) behind; "" where none does."""
    found = []
    for role, word in _roles(table):
        found += [(len(before) - m.end(), -len(m.group()), role) for m in word.finditer(before)]
        if behind := word.search(after):
            found.append((behind.start() + _FARTHER, -len(behind.group()), role))
    return min(found)[2] if found else ""


def compounding(text: str) -> int | None:
    """How often a year interest is compounded, as said near "compounded" or 复利 (0: continuously)."""
    near = [text[max(0, m.start() - 12) : m.end() + 22] for m in cue("compound").finditer(text)]
    return next((times for place in near for times, word, _ in _often() if word.search(place)), None)


def frequency(text: str, near: str = "") -> int | None:
    """How often a year, as said within a few words of a cue; anywhere where none is given."""
    near_to = cue(near).finditer(text) if near else ()
    places = [text[max(0, m.start() - 26) : m.end() + 26] for m in near_to] if near else [text]
    found = (times for place in places for times, _, word in _often() if times and word.search(place))
    return next(found, None)


def count_of_periods(text: str, name: str = "periods") -> int | None:
    """A number of instalments ("12 monthly payments", 分12期), or of those paid (name "paid")."""
    m = cue(name).search(text)
    return int(next(g for g in m.groups() if g)) if m else None


def often(times: int) -> Sequence[str]:
    """ "monthly" and 按月."""
    return next(names for number, *names in data()["often"].values() if number == times)


@cache
def _often() -> tuple[tuple[int, re.Pattern[str], re.Pattern[str]], ...]:
    """How often a year, in the order in which it is looked for; the words anywhere, and as whole words."""
    return tuple(
        (times, re.compile(words), re.compile(rf"(?<![a-z])(?:{words})(?![a-z])"))
        for words, (times, *_) in data()["often"].items()
    )


# --- Rows of cash flows


def _amounts(text: str) -> list[tuple[Quantity, Decimal]]:
    """The amounts of a text with their signs; numbers of years are none."""
    found = []
    for q in extract(text):
        if q.kind in (Kind.MONEY, Kind.NUMBER) and not cue("no_amount").match(text[q.end : q.end + 6]):
            minus = cue("minus").search(text[max(0, q.start - 4) : q.start])
            value = decimal(q.value)
            found.append((q, -abs(value) if minus else value))
    return found


def _outlay(text: str, q: Quantity) -> bool:
    return cue("outlay").search(text[max(0, q.start - 40) : q.start]) is not None


def flow_list(text: str) -> list[Decimal]:
    """The longest row of amounts of a text ("-1000, 300 and 400"), with an outlay named before it; empty
    where nothing in it is paid out."""
    amounts = _amounts(text)
    best: list[tuple[Quantity, Decimal]] = []
    run: list[tuple[Quantity, Decimal]] = []
    for q, value in amounts:
        if run and not cue("list_gap").fullmatch(text[run[-1][0].end : q.start].rstrip("-−–")):
            run = []
        run = [*run, (q, value)]
        best = run if len(run) > len(best) else best
    if len(best) < 2:
        return []
    flows = [value for _, value in best]
    if all(f > 0 for f in flows):
        for q, value in amounts:
            if all(q is not b for b, _ in best) and _outlay(text, q):
                return [-abs(value), *flows]
        if len(flows) > 2 and _outlay(text, best[0][0]):
            flows[0] = -flows[0]
    return flows if any(f < 0 for f in flows) else []
