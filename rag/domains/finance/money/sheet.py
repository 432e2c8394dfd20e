"""One calculation under way: it takes its inputs, remembers which were used, works out a result of
calculations.toml and prints it with formula and working, in both languages."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, NoReturn

from rag.domains.finance.money import given
from rag.domains.finance.money.given import Given, Inputs, data
from rag.domains.finance.printing import Formatter, Rounding, plain
from rag.languages import own
from rag.types import Calculation, Figure

_SYMBOL = re.compile(r"(?<![\w.])[A-Za-z]\w*")
_PLACEHOLDER = re.compile(r"\{([^|{}]+)\|(\w+|%)\}")
_RATES = frozenset({"i", "r", "c", "e", "y", "found"})
_MONEY = frozenset("P F A C payment loss other deductible ceiling paid missing flow exact".split())
_OPERATORS: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}  # fmt: skip


class Lack(Exception):
    """Inputs that a calculation needs and nobody gave; `roles` are keys of [label]."""

    def __init__(self, *roles: str) -> None:
        super().__init__(", ".join(roles))
        self.roles = roles


@dataclass(frozen=True, slots=True)
class Way:
    """One result that a sum may come to, as calculations.toml has it; texts in English and Chinese."""

    when: str
    name: Sequence[str]
    unit: str
    formula: Sequence[str]
    value: str = ""
    working: str = ""
    due: str = ""
    per: str = ""
    terms: Mapping[str, str] = field(default_factory=dict)
    also: Mapping[str, str] = field(default_factory=dict)
    notes: Sequence[Sequence[str]] = ()


def evaluate(text: str, terms: Mapping[str, Any]) -> Decimal:
    """An expression of numbers, `terms` and the functions of `rag.domains.finance.money.given`; ^ is a
    power. Raises KeyError for a name that is neither."""

    def value(node: ast.expr) -> Any:
        match node:
            case ast.BinOp(left, op, right):
                return _OPERATORS[type(op)](value(left), value(right))
            case ast.UnaryOp(ast.USub(), operand):
                return -value(operand)
            case ast.Call(ast.Name(name), args):
                return given.FUNCTIONS[name](*map(value, args))
            case ast.Name(name):
                return terms[name]
            case ast.Constant(number):
                return Decimal(str(number))
        raise ValueError(f"no expression of a sum: {text}")

    return Decimal(value(ast.parse(text.replace("^", "**"), mode="eval").body))


class Sheet:
    """One calculation: `terms` are its symbols with their values, `m` among them the periods in a year."""

    def __init__(self, inputs: Inputs, rounding: Rounding) -> None:
        self.inputs = inputs
        self.language = inputs.language
        self.places = 2 if rounding.places is None else rounding.places
        currency = inputs.currency or self.own(("", "CNY"))
        self.shown = Formatter(replace(rounding, places=self.places), inputs.language, currency)
        self.used: list[tuple[Given, str]] = []
        self.notes: list[str] = []
        self.terms: dict[str, Any] = {"due": int(inputs.says("due")), "per": 0, "m": Decimal(1)}

    def __getitem__(self, symbol: str) -> Decimal:
        return Decimal(self.terms[symbol])

    def take(self, *roles: str) -> Given | None:
        """An input by its role or, where none has it, by another role; it counts as used in the first."""
        for name in roles:
            for g in self.inputs.given:
                if g.role == name and all(g is not u for u, _ in self.used):
                    self.used.append((g, roles[0]))
                    return g
        return None

    def lack(self, role: str) -> NoReturn:
        raise Lack(role)

    def need(self, *roles: str) -> Given:
        """The same for an input that has to be there. Raises Lack."""
        return self.take(*roles) or self.lack(roles[0])

    def amount(self, *roles: str) -> Decimal:
        """The value of an optional input, 0 where it is not given."""
        found = self.take(*roles)
        return found.value if found else given.ZERO

    def word(self, table: str, name: str) -> str:
        """An entry of [label] or [unit] in the question's language."""
        return str(self.own(data()[table][name]))

    def own(self, texts: Sequence[str]) -> str:
        """Of a text in English and Chinese the one in the question's language."""
        return own(texts, self.language)

    def note(self, name: str, **terms: Any) -> None:
        """A line of [note] under the result, said once."""
        self._say(data()["note"][name], terms)

    def _say(self, texts: Sequence[str], terms: Mapping[str, Any]) -> None:
        """A line in both languages; a third text is an expression that has to be above zero for it."""
        if len(texts) < 3 or evaluate(texts[2], self.terms | {**terms}) > 0:
            text = self.filled(self.own(texts), self.terms | {**terms})
            self.notes += [text] if text not in self.notes else []

    def filled(self, text: str, terms: Mapping[str, Any]) -> str:
        """A text with its placeholders, "{n * payment - P|money}", worked out and printed."""

        def printed(m: re.Match[str]) -> str:
            if m[2] == "text":
                return str(terms[m[1]])
            value = evaluate(m[1], terms)
            return plain(value, int(m[2][1:])) if m[2][1:].isdigit() else self._print(value, m[2])

        return _PLACEHOLDER.sub(printed, text)

    def _print(self, value: Decimal, unit: str) -> str:
        if unit == "money":
            return self.shown.text(value, "money")
        if unit == "%":
            return f"{plain(value * 100, self.places)}%"
        number = plain(value, None if value == value.to_integral_value() else self.places)
        return f"{number}{self.own((' ', ''))}{self.word('unit', unit)}"

    def work(self, formula: str) -> str:
        """A formula with the terms' values in place of their symbols."""
        return _SYMBOL.sub(
            lambda m: self.printed(m[0], self.terms[m[0]]) if m[0] in self.terms else m[0], formula
        )

    def printed(self, symbol: str, value: Any) -> str:
        """A term inside a working: money with two places, rates with six of their percent, others four."""
        if isinstance(value, str):
            return value
        if symbol in _MONEY:
            return plain(value, None if value == value.to_integral_value() else 2)
        if symbol in _RATES:
            return f"{plain((value * 100).quantize(Decimal('1.000000')).normalize())}%"
        return f"{value.quantize(Decimal('0.0001')).normalize():f}"

    def result(self, way: Way) -> Calculation:
        """The finished calculation; values of "%" are shares of one."""
        for symbol, text in way.also.items():
            self.terms[symbol] = evaluate(text, self.terms)
        value = evaluate(way.value or way.formula[0], self.terms)
        for texts in way.notes:
            self._say(texts, {"value": value})
        suffix = (way.due if self.terms["due"] else "") + (way.per if self.terms["per"] else "")
        printed = self._print(value, way.unit)
        label = self.own(way.name)
        unit = self.shown.currency if way.unit == "money" else way.unit
        shown = value * 100 if unit == "%" else value
        inputs = (g.figure(self.word("label", role)) for g, role in self.used)
        return Calculation(
            name=label,
            formula=self.own(way.formula) + suffix,
            inputs=tuple(dict.fromkeys(inputs)),
            result=Figure(label=label, value=shown, unit=unit, printed=printed),
            working=f"{self.work((way.working or way.formula[0]) + suffix)} = {printed}",
            notes=tuple(self.notes),
        )
