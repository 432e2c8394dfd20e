"""Expressions over the figures of a report: read from text, worked out and put in words.

    first(gross_profit, revenue - cost_of_sales) / revenue
    365 * avg(inventory) / cost_of_sales

A name is a figure of the asked period; `avg(x)` is the mean of opening and closing balance (the closing one
alone, with a note, where no opening one is found), `change(x)` closing less opening. `first(a, b)` is the
first alternative whose figures are all found, `opt(x)` is nothing where x is not found. The text is parsed
with `ast`; nothing but these and + - * / is accepted, and nothing is ever evaluated as Python.

Worked out, an expression gives the value (Decimal, 34 digits), the formula in words and the working, in which
figures stand as leaves."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Context, Decimal, DivisionByZero, InvalidOperation, Overflow

from rag.types import Figure

CONTEXT = Context(prec=34, traps=[DivisionByZero, InvalidOperation, Overflow])
_OVER_TWO = ("avg", "change")
_FUNCTIONS = (*_OVER_TWO, "first", "opt")
_OPERATORS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
_STRENGTH = {"+": 1, "-": 1, "*": 2, "/": 2}
_WORKED: Mapping[str, Callable[[Decimal, Decimal], Decimal]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Number:
    """A constant, as 365."""

    value: Decimal


@dataclass(frozen=True, slots=True)
class FormulaTerm:
    """A figure by its concept; `offset` 0 is the asked period, -1 the one before."""

    concept: str
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Call:
    """One of + - * / over two arguments, or one of the functions of the module's docstring."""

    name: str
    args: tuple[Node, ...]


Node = Number | FormulaTerm | Call


class MissingTerms(LookupError):
    """No figure was found for the terms in `args`, those of the alternative that lacks least."""


def parse(text: str, names: Mapping[str, Node]) -> Node:
    """The expression that a text writes; `names` are what its identifiers stand for. Raises ValueError or
    SyntaxError for anything that is not made of names, numbers, + - * / and the functions above."""

    def read(node: ast.expr) -> Node:
        match node:
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
                return Call(_OPERATORS[type(op)], (read(left), read(right)))
            case ast.Constant(value=value) if type(value) in (int, float):
                return Number(Decimal(str(value)))
            case ast.Name(id=name) if name in names:
                return names[name]
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in _FUNCTIONS and args:
                if len(args) > 1 and name != "first":
                    raise ValueError(f"{name} takes one argument in {text!r}")
                return Call(name, tuple(map(read, args)))
        raise ValueError(f"{ast.unparse(node)!r} means nothing in {text!r}")

    return read(ast.parse(text, mode="eval").body)


def shifted(node: Node, by: int) -> Node:
    """The same expression for another period: -1 for the one before."""
    match node:
        case FormulaTerm(concept, offset):
            return FormulaTerm(concept, offset + by)
        case Call(name, args):
            return Call(name, tuple(shifted(a, by) for a in args))
    return node


def terms(node: Node) -> tuple[FormulaTerm, ...]:
    """Every figure that an expression may use, all alternatives of `first` included, each once, in order."""
    if not isinstance(node, Call):
        return (node,) if isinstance(node, FormulaTerm) else ()
    found = [t for part in node.args for t in terms(part)]
    if node.name in _OVER_TWO:
        found += [FormulaTerm(t.concept, t.offset - 1) for t in found]
    return tuple(dict.fromkeys(found))


@dataclass(frozen=True, slots=True)
class Leaf:
    """A figure in its place; `value` is what is counted with, which differs from the figure's own in sign
    where a report prints what was paid in brackets. `name` is what the formula calls it."""

    figure: Figure
    value: Decimal
    name: str

    @property
    def cell(self) -> object:
        """The cell that it was read from; where none is known, what it is called."""
        figure = self.figure
        return self.name if figure.citation is None else (figure.citation, figure.start, figure.end)


@dataclass(frozen=True, slots=True)
class Worked:
    """What an expression comes to: `words` are its formula, `working` the same with leaves where numbers are
    put in, both in pieces; `strength` says how its parts hold together (1: by + or -)."""

    value: Decimal
    words: tuple[str, ...]
    working: tuple[str | Leaf, ...]
    strength: int = 3

    @property
    def leaves(self) -> tuple[Leaf, ...]:
        return tuple(dict.fromkeys(piece for piece in self.working if isinstance(piece, Leaf)))

    def within(self, strength: int) -> Worked:
        """In brackets where it would fall apart within what is as strong."""
        if self.strength >= strength:
            return self
        return replace(self, words=("(", *self.words, ")"), working=("(", *self.working, ")"), strength=3)


class Calculator:
    """Works expressions out. `read` gives the leaf of a term, None where none is found; `spoken` are the
    words in front of a name that "avg" and "change" put there; `notes` collects, in words, what had to be
    done without."""

    def __init__(
        self,
        read: Callable[[FormulaTerm], Leaf | None],
        note: Callable[[str, Node], str],
        spoken: Mapping[str, str],
    ) -> None:
        self._read, self._note, self._spoken = read, note, spoken
        self.notes: list[str] = []

    def work(self, node: Node) -> Worked:
        """What an expression comes to. Raises MissingTerms; DecimalException where it divides by zero."""
        match node:
            case Number(number):
                text = f"{number.normalize():f}"
                return Worked(number, (text,), (text,))
            case FormulaTerm():
                if (leaf := self._read(node)) is None:
                    raise MissingTerms(node)
                return Worked(leaf.value, (leaf.name,), (leaf,))
            case Call("first", args):
                return self._first(args)
            case Call("opt", (inner,)):
                return self._optional(inner) or self.work(Number(Decimal(0)))
            case Call("change", (inner,)):
                closing, opening = self._each(inner, shifted(inner, -1))
                return self._spoken_of("change", _over("-", closing, opening).within(3), closing)
            case Call("avg", (inner,)):
                return self._average(inner)
            case Call("+" | "-" as sign, (left, Call("opt", (inner,)))):
                base, more = self.work(left), self._optional(inner)
                if more is None or {leaf.cell for leaf in more.leaves} & {leaf.cell for leaf in base.leaves}:
                    return base  # a row that two names fit is one amount, not two
                return _over(sign, base, more) if base.leaves or sign == "-" else more
            case Call(sign, (left, right)):
                return _over(sign, *self._each(left, right))
        raise ValueError(f"{node} is no expression")

    def _average(self, inner: Node) -> Worked:
        closing = self.work(inner)
        try:
            opening = self.work(shifted(inner, -1))
        except MissingTerms:
            self.notes.append(self._note("closing", inner))
            return closing
        both = _over("+", closing, opening).within(2)
        return self._spoken_of(
            "avg", replace(_over("/", both, self.work(Number(Decimal(2)))), strength=3), closing
        )

    def _spoken_of(self, function: str, worked: Worked, closing: Worked) -> Worked:
        """Called by a word in front of the name of a single figure."""
        if len(closing.working) > 1 or not closing.leaves:
            return worked
        return replace(worked, words=(self._spoken[function], *closing.words))

    def _optional(self, node: Node) -> Worked | None:
        try:
            return self.work(node)
        except MissingTerms:
            self.notes.append(self._note("without", node))
            return None

    def _each(self, *nodes: Node) -> list[Worked]:
        found: list[Worked] = []
        lacking: list[FormulaTerm] = []
        for node in nodes:
            try:
                found.append(self.work(node))
            except MissingTerms as missing:
                lacking += missing.args
        if lacking:
            raise MissingTerms(*dict.fromkeys(lacking))
        return found

    def _first(self, alternatives: tuple[Node, ...]) -> Worked:
        lacking: list[MissingTerms] = []
        for node in alternatives:
            notes = list(self.notes)
            try:
                found = self.work(node)
            except MissingTerms as missing:
                self.notes = notes
                lacking.append(missing)
                continue
            self.notes += [self._note("instead", alternatives[0])] if lacking else []
            return found
        raise min(lacking, key=lambda missing: len(missing.args))


def _over(sign: str, left: Worked, right: Worked) -> Worked:
    own = _STRENGTH[sign]
    value = _WORKED[sign](left.value, right.value)
    a, b = left.within(own), right.within(own + 1)
    return Worked(value, (*a.words, f" {sign} ", *b.words), (*a.working, f" {sign} ", *b.working), own)
