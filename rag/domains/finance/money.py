"""Answers questions of loans and savings whose inputs stand in the question, or in sentences found for it, by
code.

    calculate("What is the monthly payment on a $300,000 mortgage at 6% for 30 years?")

calculations.toml says by which words a sum is asked for, which terms it needs, how it is worked out and
worded, in both languages; where a term is missing the result says which. `given` reads the inputs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal, localcontext
from typing import Any, NoReturn

from rag.domains.finance.given import (
    RATES,
    TIMES,
    ZERO,
    Given,
    Unsolved,
    cue,
    data,
    evaluate,
    lowered,
    read_inputs,
    times_a_year,
)
from rag.domains.finance.printing import Formatter, NotComputed, plain, read_rounding
from rag.facts.quantity import Kind
from rag.languages import COMPLETE, say
from rag.languages.text import has_han
from rag.types import Calculation, Figure

MAX_CHARS = 2000
_SYMBOL = re.compile(r"(?<![\w.])[A-Za-z]\w*")
_PLACEHOLDER = re.compile(r"\{([^|{}]+)\|(\w+|%)\}")
_RATES = frozenset({"i", "r", "e", "found"})
_MONEY = frozenset("P F A payment exact".split())


class MissingTerm(Exception):
    """Inputs that a calculation needs and nobody gave, by their keys in [label]."""


@dataclass(frozen=True, slots=True)
class Way:
    """One result that a sum may come to, as calculations.toml has it; texts in English and Chinese."""

    when: str
    name: Sequence[str]
    unit: str
    formula: str | Sequence[str]
    value: str = ""
    working: str = ""
    due: str = ""
    per: str = ""
    terms: Mapping[str, str] = field(default_factory=dict)
    notes: Sequence[Sequence[str]] = ()


def calculate(question: str, facts: Sequence[str] = ()) -> Calculation | NotComputed | None:
    """The calculation that a question asks for; `NotComputed` with a reason that names the inputs which
    neither question nor `facts` give; None where it asks for no such calculation. An input that stands in a
    fact has that fact's number (from 1) as its `citation` and its place in it as `start` and `end`."""
    with localcontext(prec=40):
        sheet = SumTerms(question[:MAX_CHARS], facts)
        asked = _asked(sheet)
        if asked is None:
            return None
        try:
            sheet.read(asked["terms"])
            ways = (Way(*row[:4], **dict(*row[4:])) for row in asked["ways"])
            way = next(way for way in ways if all(map(sheet.holds, way.when.split())))
            sheet.read(way.terms)
            return sheet.result(way)
        except MissingTerm as lack:
            names = [sheet.word("label", role) for role in dict.fromkeys(lack.args)]
            reason = say("figures.not_given", sheet.shown.language, names=names)
        except Unsolved:
            reason = sheet.filled(asked.get("never", data()["never"])[sheet.zh])
        except (ArithmeticError, ValueError):
            reason = data()["never"][sheet.zh]
    # One number alone in a question is a topic, not a sum to be done.
    return NotComputed(reason=reason) if sum(not g.source for g in sheet.given) >= 2 else None


def _asked(sheet: SumTerms) -> Mapping[str, Any] | None:
    """The sum that a question asks for, the first whose patterns it all holds. It gives a term at least:
    where all come from sentences found, they are seldom of one thing."""
    if all(g.source for g in sheet.given) or not sheet.says("asks") or sheet.says("rules"):
        return None
    sums: Mapping[str, Mapping[str, Any]] = data()["sum"]
    for row in sums.values():
        known = row.get("rate_asked") and any(g.role in RATES for g in sheet.given)
        if not known and all(p.search(sheet.text) for p in row["all"]):
            # What asks of a loan as if of savings is some other question.
            return None if row.get("saving") and sheet.says("loan") and not sheet.says("saved") else row
    return None


class SumTerms:
    """One calculation: `terms` are its symbols with their values, `m` among them the periods in a year. Those
    that are no mere input have a method of the name that calculations.toml calls them by; it raises
    MissingTerm where the question gives no such term."""

    def __init__(self, question: str, facts: Sequence[str]) -> None:
        self.text = lowered(question)
        self.zh = has_han(question)
        self.given = read_inputs(self.text, facts)
        self.used: list[tuple[Given, str]] = []
        self.notes: list[str] = []
        self.terms: dict[str, Any] = {"due": int(self.says("due")), "m": Decimal(1)}
        rounding = read_rounding(question)
        rounding = replace(rounding, places=2) if rounding.places is None else rounding
        money = (g.unit for g in self.given if g.quantity.kind is Kind.MONEY and g.unit)
        currency = next(money, "CNY" if self.zh else "").replace("$", "USD")
        self.shown = Formatter(rounding, COMPLETE[self.zh], currency)

    def __getitem__(self, symbol: str) -> Decimal:
        return Decimal(self.terms[symbol])

    def says(self, name: str) -> bool:
        """Whether the question holds a cue of calculations.toml."""
        return cue(name).search(self.text) is not None

    def take(self, *roles: str) -> Given | None:
        """An input by its role or, where none has it, by another role; it counts as used in the first, unless
        it has its name from a period."""
        used = [g for g, _ in self.used]
        found = next((g for role in roles for g in self.given if g.role == role and g not in used), None)
        if found:
            self.used.append((found, found.role if found.role in {*TIMES, "count"} else roles[0]))
        return found

    def lack(self, role: str) -> NoReturn:
        raise MissingTerm(role)

    def need(self, *roles: str) -> Given:
        """As `take`, an input that has to be there. Raises MissingTerm."""
        return self.take(*roles) or self.lack(roles[0])

    def value(self, *roles: str, default: Decimal | None = None) -> Decimal:
        """The value of an input. Raises MissingTerm where it is not given and there is no `default`."""
        found = self.take(*roles)
        return found.value if found else self.lack(roles[0]) if default is None else default

    def word(self, table: str, name: str) -> str:
        """An entry of [label] or [unit] in the question's language."""
        words: Sequence[str] = data()[table][name]
        return words[self.zh]

    def note(self, line: str | Sequence[str], **terms: Any) -> None:
        """A line under the result, said once: its name in [note] or its texts, English and Chinese; a third
        is an expression that has to be above zero for it. `terms` are what the line names."""
        texts: Sequence[str] = data()["note"][line] if isinstance(line, str) else line
        self.terms |= terms
        if len(texts) < 3 or evaluate(texts[2], self.terms) > 0:
            self.notes = list(dict.fromkeys([*self.notes, self.filled(texts[self.zh])]))

    def filled(self, text: str) -> str:
        """A text with its placeholders, "{n * payment - P|money}", worked out and printed."""
        return _PLACEHOLDER.sub(self._placeholder, text)

    def _placeholder(self, m: re.Match[str]) -> str:
        value = evaluate(m[1], self.terms)
        if m[2] == "often":
            return next(str(names[self.zh]) for n, *names in data()["often"].values() if n == value)
        if m[2] in ("p", "p0", "p1", "p2"):
            return plain(value, int(m[2][1:]) if m[2] != "p" else None)
        return self._print(value, m[2])

    def _print(self, value: Decimal, unit: str) -> str:
        if unit in ("money", "%"):
            return self.shown.text(value * 100 if unit == "%" else value, unit)
        number = plain(value, None if value == value.to_integral_value() else self.shown.rounding.places)
        return f"{number}{'' if self.zh else ' '}{self.word('unit', unit)}"

    def work(self, formula: str) -> str:
        """A formula with the terms' values in place of their symbols: money with two places, rates with six
        of their percent, others four."""
        return _SYMBOL.sub(self._symbol, formula)

    def _symbol(self, m: re.Match[str]) -> str:
        value = self.terms.get(m[0], m[0])
        if isinstance(value, str):
            return value
        if m[0] in _MONEY:
            return plain(value, None if value == value.to_integral_value() else 2)
        if m[0] in _RATES:
            return f"{plain((value * 100).quantize(Decimal('1.000000')).normalize())}%"
        return f"{value.quantize(Decimal('0.0001')).normalize():f}"

    def result(self, way: Way) -> Calculation:
        """The finished calculation; values of "%" are shares of one."""
        words = [way.formula] * 2 if isinstance(way.formula, str) else way.formula
        self.terms["value"] = value = evaluate(way.value or words[0], self.terms)
        for texts in way.notes:
            self.note(texts)
        suffix = (way.due if self.terms["due"] else "") + (way.per if self["m"] != 1 else "")
        printed = self._print(value, way.unit)
        label, unit = way.name[self.zh], self.shown.currency if way.unit == "money" else way.unit
        figure = Figure(label, value * 100 if unit == "%" else value, unit, printed=printed)
        inputs = tuple(dict.fromkeys(g.figure(self.word("label", role)) for g, role in self.used))
        working = f"{self.work((way.working or words[0]) + suffix)} = {printed}"
        return Calculation(label, words[self.zh] + suffix, inputs, figure, working, tuple(self.notes))

    def holds(self, condition: str) -> bool:
        """Whether a cue stands in the question or an expression is not 0; with "!", the contrary."""
        name = condition.lstrip("!")
        holds = self.says(name) if name in data()["cue"] else evaluate(name, self.terms) != 0
        return holds != condition.startswith("!")

    def read(self, terms: Mapping[str, str]) -> None:
        """Reads terms as calculations.toml says; raises MissingTerm with all that are missing."""
        lacking: list[str] = []
        for symbol, source in terms.items():
            try:
                self.terms[symbol] = self._term(source)
            except MissingTerm as lack:
                lacking += lack.args
            except KeyError:
                continue  # it rests on a term that is missing
        if lacking:
            raise MissingTerm(*lacking)

    def _term(self, source: str) -> Any:
        if source.isidentifier():
            return getattr(self, source)()
        if source.startswith("="):
            return evaluate(source[1:].strip(), self.terms)
        near, _, times = source.partition(" ")
        if times:
            return Decimal(times_a_year(self.text, near) or times)
        return self.value(*source.rstrip("?").split("/"), default=ZERO if source.endswith("?") else None)

    # --- How long, at what rate
    def duration(self, *roles: str) -> Decimal:
        """A time or a number of payments in periods; days over 365, with a note."""
        g = self.need(*(roles or ("term", "elapsed")))
        if g.role == "count":
            return g.value
        daily = any(u.role == "daily" for u, _ in self.used)
        base = 12 if g.unit == "month" else 360 if self.says("days_360") and not daily else 365
        if g.unit == "day" and not daily:
            self.note("days", base=base)
        return g.value * self["m"] / base

    def periods(self) -> Decimal:
        """The term in whole periods, rounded with a note."""
        n = self.duration("term", "elapsed", "count")
        whole = n.to_integral_value()
        if whole != n:
            self.note("whole", n=n, whole=whole)
        return whole

    def paid(self) -> Decimal:
        """How many payments have been made."""
        if said := cue("paid").search(self.text):
            return Decimal(said[said.lastindex or 0])
        return Decimal(int(self.duration("elapsed")))

    def left(self) -> Decimal:
        """How many payments are still to be made."""
        return self["n"] - self["k"] if self["k"] <= self["n"] else self.lack("elapsed")

    def yearly_rate(self) -> Decimal:
        """A nominal rate of a year; one of a month, quarter or day so many times."""
        g = self.take("monthly", "quarterly", "daily") or self.need("rate", "effective", "yield")
        return g.value * TIMES.get(g.role, 1)

    def nominal(self) -> Decimal:
        """The nominal rate whose effective one is asked for; it says how often it is compounded, too."""
        rate = self.yearly_rate()
        times = TIMES.get(self.used[-1][0].role, times_a_year(self.text, "compound"))
        self.terms["m"] = Decimal(self.lack("compounding") if times is None else times)
        return rate

    def period_rate(self) -> Decimal:
        """The rate of one of `m` periods a year. A yearly rate is nominal and compounded with the payments
        unless the question says otherwise."""
        m = self["m"]
        if g := self.take("monthly", "quarterly") or self.take("effective"):
            times = TIMES.get(g.role, 1)
            return g.value if m == times else (1 + g.value) ** (times / m) - 1
        if g := self.take("daily"):
            self.note("days", base=365)
            return g.value * 365 / m
        yearly = self.value("rate", "yield")
        said = times_a_year(self.text, "compound")
        if said not in (None, m):
            return ((1 + yearly / said) ** said if said else yearly.exp()) ** (1 / m) - 1
        if m != 1:
            self.note("nominal")
        return yearly / m

    def simple_rate(self) -> Decimal:
        """The rate of simple interest, of a month or a day where it is said for one; it says the period."""
        g = self.take("monthly", "daily")
        unit = {"monthly": "months", "daily": "days"}[g.role] if g else "years"
        self.terms |= {"m": Decimal(TIMES[g.role] if g else 1), "unit": self.word("unit", unit)}
        return g.value if g else self.yearly_rate()

    # --- Amounts
    def borrowed(self) -> Decimal:
        """What is borrowed: said as such, or a price less what is paid down."""
        down = self.take("down")
        roles = ("principal", "price", "amount", "worth", "present", "number")
        if down is None:
            return self.value(*roles)
        price = self.value("price", *roles)
        self.note("down")
        return price - (price * down.value if down.unit == "share" else down.value)

    def repayment(self) -> Decimal:
        """What is paid regularly; it says how often a year, too."""
        g = self.take("monthly_amount", "yearly_amount") or self.need("each", "premium")
        self.terms["m"] = Decimal(TIMES.get(g.role, self["m"]))
        return g.value

    def regular(self) -> Decimal:
        """The same of savings, 0 for nothing."""
        paid = {"monthly_amount", "yearly_amount", "each", "premium"} & {g.role for g in self.given}
        self.terms["m"] = Decimal(times_a_year(self.text, "anywhere" if paid else "compound") or 1)
        return self.repayment() if paid else ZERO

    def start(self) -> Decimal:
        """What savings begin with, 0 for nothing where something is paid in regularly."""
        if self["A"]:
            return self.value("present", "principal", "amount", default=ZERO)
        return self.value("present", "principal", "number", "amount")

    def goal(self) -> Decimal:
        """What savings are to become; it says what they begin with, too."""
        factor = 2 if self.says("double") else 3 if self.says("triple") else 0
        start = self.take("present", "principal", "amount", "number")
        if not (factor or start or self["A"]) and sum(g.role == "target" for g in self.given) > 1:
            start = self.take("target")  # "10万元变成20万元": the first is what it begins with
        self.terms["P"] = start.value if start else Decimal(1 if factor else 0)
        target = self["P"] * factor or self.value("target", "future")
        return target if factor or start or self["A"] else self.lack("present")
