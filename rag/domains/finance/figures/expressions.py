"""Expressions over the figures of a report: read from text, filled in, worked out, put in words.

    first(gross_profit, revenue - cost_of_sales) / revenue
    365 * avg(inventory) / cost_of_sales

A name is a figure of the asked period; `prev(x)` is x a period earlier, `avg(x)` the mean of opening and
closing balance (the closing one alone, with a note, where no opening one is found), `change(x)` closing less
opening. `first(a, b)` is the first alternative whose figures are all found, `opt(x)` is nothing where x is
not found. `abs(x)`. The text is parsed with `ast`; nothing but these and + - * / is accepted, and nothing
is ever evaluated as Python.

Filled in, an expression has leaves with figures for its terms; it then gives the value (Decimal, 34 digits),
the formula in words and the working with numbers."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal, DivisionByZero, InvalidOperation, Overflow, localcontext

from rag.types import Figure

CONTEXT = Context(prec=34, traps=[DivisionByZero, InvalidOperation, Overflow])
_FUNCTIONS = ("prev", "avg", "mean2", "change", "first", "opt", "abs")
_OVER_TWO = ("avg", "mean2", "change")
_OPERATORS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
_STRENGTH = {"+": 1, "-": 1, "*": 2, "/": 2}
_WORKED: Mapping[str, Callable[..., Decimal]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "abs": abs,
    "change": operator.sub, "mean2": lambda a, b: (a + b) / 2,
}  # fmt: skip
_MAX_NODES = 400


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
class Leaf:
    """A figure in its place; `value` is what is counted with, which differs from the figure's own in sign
    where a report prints what was paid in brackets. `name` is what the formula calls it."""

    figure: Figure
    value: Decimal
    name: str


@dataclass(frozen=True, slots=True)
class Call:
    """One of the functions of the module's docstring; `name` "mean2" is an average that cannot do without
    the opening balance. Once filled in, "mean2" and "change" have two arguments: closing and opening."""

    name: str
    args: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Binary:
    """left `sign` right, with `sign` one of + - * /."""

    sign: str
    left: Node
    right: Node


Node = Number | FormulaTerm | Leaf | Call | Binary
_ZERO = Number(Decimal(0))


class MissingTerms(LookupError):
    """No figure was found for the terms in `args`, those of the alternative that lacks least."""


def parse(text: str, names: Mapping[str, Node]) -> Node:
    """The expression that a text writes; `names` are what its identifiers stand for. Raises ValueError for
    anything that is not made of names, numbers, + - * / and the functions above."""

    def read(node: ast.expr) -> Node:
        match node:
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
                return Binary(_OPERATORS[type(op)], read(left), read(right))
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return Binary("-", _ZERO, read(operand))
            case ast.Constant(value=value) if type(value) in (int, float):
                return Number(Decimal(str(value)))
            case ast.Name(id=name) if name in names:
                return names[name]
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in _FUNCTIONS and args:
                if len(args) > 1 and name != "first":
                    raise ValueError(f"{name} takes one argument in {text!r}")
                return Call(name, tuple(map(read, args)))
        raise ValueError(f"{ast.unparse(node)!r} means nothing in {text!r}")

    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, RecursionError, MemoryError) as error:
        raise ValueError(f"{text!r} is not an expression") from error
    if sum(1 for _ in ast.walk(tree)) > _MAX_NODES:
        raise ValueError(f"{text[:60]!r}... is too long an expression")
    return read(tree.body)


def _parts(node: Node) -> tuple[Node, ...]:
    match node:
        case Call(_, args):
            return args
        case Binary(_, left, right):
            return left, right
    return ()


def shifted(node: Node, by: int) -> Node:
    """The same expression for another period: -1 for the one before."""
    match node:
        case FormulaTerm(concept, offset):
            return FormulaTerm(concept, offset + by)
        case Call(name, args):
            return Call(name, tuple(shifted(a, by) for a in args))
        case Binary(sign, left, right):
            return Binary(sign, shifted(left, by), shifted(right, by))
    return node


def terms(node: Node) -> tuple[FormulaTerm, ...]:
    """Every figure that an expression may use, all alternatives of `first` included, each once, in order."""
    if isinstance(node, FormulaTerm):
        return (node,)
    found = [t for part in _parts(node) for t in terms(part)]
    if isinstance(node, Call) and node.name in ("prev", *_OVER_TWO):
        before = [FormulaTerm(t.concept, t.offset - 1) for t in found]
        found = before if node.name == "prev" else [*found, *before]
    return tuple(dict.fromkeys(found))


class Filling:
    """Puts figures in the place of terms. `read` gives the leaf of a term, None where none is found; `notes`
    collects, in words, what had to be done without."""

    def __init__(self, read: Callable[[FormulaTerm], Leaf | None], note: Callable[[str, Node], str]) -> None:
        self._read, self._note = read, note
        self.notes: list[str] = []
        self._used: list[Leaf] = []

    def fill(self, node: Node) -> Node:
        """The expression with its figures. Raises MissingTerms."""
        match node:
            case FormulaTerm():
                if (leaf := self._read(node)) is None:
                    raise MissingTerms(node)
                self._used.append(leaf)
                return leaf
            case Binary("+" | "-" as sign, left, Call("opt", (inner,))):
                base, more = self.fill(left), self._optional(inner)
                return Binary(sign, base, more) if more else base
            case Binary(sign, left, right):
                return Binary(sign, *self._all(left, right))
            case Call("prev", (inner,)):
                return self.fill(shifted(inner, -1))
            case Call("abs", args):
                return Call("abs", self._all(*args))
            case Call("mean2" | "change" as name, (inner,)):
                return Call(name, self._all(inner, shifted(inner, -1)))
            case Call("avg", (inner,)):
                closing = self.fill(inner)
                try:
                    return Call("mean2", (closing, self.fill(shifted(inner, -1))))
                except MissingTerms:
                    self.notes.append(self._note("closing", inner))
                    return closing
            case Call("opt", (inner,)):
                return self._optional(inner) or _ZERO
            case Call(_, args):
                return self._first(args)
        return node

    def _optional(self, node: Node) -> Node | None:
        used = list(self._used)
        try:
            filled = self.fill(node)
        except MissingTerms:
            self._used = used
            self.notes.append(self._note("without", node))
            return None
        # A row that two names fit is one amount, not two.
        if isinstance(filled, Leaf) and any(_same_cell(filled.figure, other.figure) for other in used):
            self._used = used
            return None
        return filled

    def _all(self, *nodes: Node) -> tuple[Node, ...]:
        filled: list[Node] = []
        lacking: list[FormulaTerm] = []
        for node in nodes:
            try:
                filled.append(self.fill(node))
            except MissingTerms as missing:
                lacking += missing.args
        if lacking:
            raise MissingTerms(*dict.fromkeys(lacking))
        return tuple(filled)

    def _first(self, alternatives: Sequence[Node]) -> Node:
        lacking: list[MissingTerms] = []
        for node in alternatives:
            notes, used = list(self.notes), list(self._used)
            try:
                filled = self.fill(node)
            except MissingTerms as missing:
                self.notes, self._used = notes, used
                lacking.append(missing)
                continue
            self.notes += [self._note("instead", alternatives[0])] if lacking else []
            return filled
        raise min(lacking, key=lambda missing: len(missing.args))


def _same_cell(f: Figure, g: Figure) -> bool:
    return f.citation is not None and (f.citation, f.start, f.end) == (g.citation, g.start, g.end)


def value(node: Node) -> Decimal:
    """What a filled expression comes to. Raises decimal.DivisionByZero or InvalidOperation (0 / 0)."""
    if isinstance(node, Number | Leaf):
        return node.value
    name = node.sign if isinstance(node, Binary) else node.name if isinstance(node, Call) else ""
    with localcontext(CONTEXT):
        return _WORKED[name](*map(value, _parts(node)))


def leaves(node: Node) -> tuple[Leaf, ...]:
    """The figures of a filled expression in order, each once."""
    own = (node,) if isinstance(node, Leaf) else ()
    return tuple(dict.fromkeys((*own, *(leaf for part in _parts(node) for leaf in leaves(part)))))


def written(node: Node, leaf_text: Callable[[Leaf], str], words: Mapping[str, str] | None = None) -> str:
    """A filled formula with its figures as `leaf_text` writes them: "365 * average inventory / cost of sales"
    with the `words` in front of a name for "mean2" and "change", else "(1,204 + 388) / 2"."""

    def inner(n: Node, strength: int = 0, right: bool = False) -> str:
        match n:
            case Number(number):
                return f"{number.normalize():f}"
            case Leaf():
                return leaf_text(n)
            case Call("abs", (only,)):
                return f"|{inner(only)}|"
            case Call(name, (Leaf() as first, _)) if words:
                return f"{words[name]}{leaf_text(first)}"
            case Call("mean2", (a, b)):
                return f"({inner(a, 1)} + {inner(b, 1)}) / 2"
            case Call("change", (a, b)):
                return f"({inner(a, 1)} - {inner(b, 2)})"
            case Binary("-", a, b) if a == _ZERO:
                return f"-{inner(b, 2)}"
            case Binary(sign, a, b):
                own = _STRENGTH[sign]
                text = f"{inner(a, own)} {sign} {inner(b, own, True)}"
                return f"({text})" if own < strength or (right and own == strength) else text
        return ""

    return inner(node)
