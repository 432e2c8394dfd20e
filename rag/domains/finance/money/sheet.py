"""One calculation under way: it takes its inputs, remembers which were used, works out a result of
calculations.toml and prints it with formula and working, in both languages."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, NoReturn

from rag.domains.finance.money.given import TIMES, Given, cue, data, evaluate, lowered, read_inputs
from rag.domains.finance.printing import Formatter, plain, read_rounding
from rag.facts.quantity import Kind
from rag.languages import COMPLETE
from rag.languages.text import has_han
from rag.types import Calculation, Figure

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


class Sheet:
    """One calculation: `terms` are its symbols with their values, `m` among them the periods in a year."""

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
