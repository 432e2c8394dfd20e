"""Answers questions of loans and savings whose inputs stand in the question, or in sentences found for it, by
code.

    calculate("What is the monthly payment on a $300,000 mortgage at 6% for 30 years?")

calculations.toml says by which words a sum is asked for, which terms it needs, how it is worked out and
worded; where a term is missing the result says which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, localcontext
from typing import Any

from rag.domains.finance.money.given import (
    RATES,
    TIMES,
    ZERO,
    Unsolved,
    cue,
    data,
    evaluate,
    times_a_year,
)
from rag.domains.finance.money.sheet import MissingTerm, Sheet, Way
from rag.domains.finance.printing import NotComputed
from rag.languages import say
from rag.types import Calculation

MAX_CHARS = 2000


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


def _asked(sheet: Sheet) -> Mapping[str, Any] | None:
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


class SumTerms(Sheet):
    """A calculation that reads its terms. Those that are no mere input have a method of the name that
    calculations.toml calls them by; it raises MissingTerm where the question gives no such term."""

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
