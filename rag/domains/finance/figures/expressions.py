"""Expressions over the figures of a report: read from text, filled in, worked out, put in words.

    first(gross_profit, revenue - cost_of_sales) / revenue
    365 * avg(inventory) / cost_of_sales

A name is a figure of the asked period; `prev(x)` is x a period earlier, `avg(x)` the mean of opening and
closing balance (the closing one alone, with a note, where no opening one is found), `change(x)` closing less
opening. `first(a, b)` is the first alternative whose figures are all found, `opt(x)` is nothing where x is
not found. `abs(x)`. The text is parsed with `ast`; nothing but these and + - * / is accepted, and nothing
is ever evaluated as Python.

Filling in gives a tree whose leaves are figures; the same tree gives the value (Decimal, 34 digits), the
formula in words and the working with numbers."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Context, Decimal, DivisionByZero, InvalidOperation, Overflow

from rag.types import Figure

CONTEXT = Context(prec=34, traps=[DivisionByZero, InvalidOperation, Overflow])
_FUNCTIONS = ("prev", "avg", "mean2", "change", "first", "opt", "abs")
_OPERATORS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
_STRENGTH = {"+": 1, "-": 1, "*": 2, "/": 2}
_WORKED: Mapping[str, Callable[[Decimal, Decimal], Decimal]] = {
    "+": CONTEXT.add, "-": CONTEXT.subtract, "change": CONTEXT.subtract, "*": CONTEXT.multiply,
    "/": CONTEXT.divide,
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
class Call:
    """One of the functions of the module's docstring; `name` "mean2" is an average that cannot do without
    the opening balance."""

    name: str
    args: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Binary:
    """left `sign` right, with `sign` one of + - * /."""

    sign: str
    left: Node
    right: Node


Node = Number | FormulaTerm | Call | Binary


@dataclass(frozen=True, slots=True)
class Leaf:
    """A figure in its place; `value` is what is counted with, which differs from the figure's own in sign
    where a report prints what was paid in brackets. `name` is what the formula calls it."""

    figure: Figure
    value: Decimal
    name: str


@dataclass(frozen=True, slots=True)
class Filled:
    """An operation over filled parts. `kind`: + - * /, "mean", "change" or "abs"."""

    kind: str
    parts: tuple[Tree, ...]


Tree = Number | Leaf | Filled


class MissingTerms(LookupError):
    """No figure was found for the terms in `args`, those of the alternative that lacks least."""


def parse(text: str, names: Mapping[str, Node]) -> Node:
    """The expression that a text writes; `names` are what its identifiers stand for. Raises ValueError for
    anything that is not made of names, numbers, + - * / and the functions above."""
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, RecursionError, MemoryError) as error:
        raise ValueError(f"{text!r} is not an expression") from error
    if sum(1 for _ in ast.walk(tree)) > _MAX_NODES:
        raise ValueError(f"{text[:60]!r}... is too long an expression")
    return _node(tree.body, names, text)


def _node(node: ast.expr, names: Mapping[str, Node], text: str) -> Node:
    match node:
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            return Binary(_OPERATORS[type(op)], _node(left, names, text), _node(right, names, text))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return Binary("-", Number(Decimal(0)), _node(operand, names, text))
        case ast.Constant(value=value) if type(value) in (int, float):
            return Number(Decimal(str(value)))
        case ast.Name(id=name) if name in names:
            return names[name]
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in _FUNCTIONS and args:
            if len(args) > 1 and name != "first":
                raise ValueError(f"{name} takes one argument in {text!r}")
            return Call(name, tuple(_node(a, names, text) for a in args))
    raise ValueError(f"{ast.unparse(node)!r} means nothing in {text!r}")


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
    match node:
        case FormulaTerm():
            return (node,)
        case Call(name, args):
            inner = tuple(dict.fromkeys(t for a in args for t in terms(a)))
            if name == "prev":
                return tuple(FormulaTerm(t.concept, t.offset - 1) for t in inner)
            if name in ("avg", "mean2", "change"):
                return inner + tuple(FormulaTerm(t.concept, t.offset - 1) for t in inner)
            return inner
        case Binary(_, left, right):
            return tuple(dict.fromkeys(terms(left) + terms(right)))
    return ()


class Filling:
    """Puts figures in the place of terms. `read` gives the leaf of a term, None where none is found; `notes`
    collects, in words, what had to be done without."""

    def __init__(self, read: Callable[[FormulaTerm], Leaf | None], note: Callable[[str, Node], str]) -> None:
        self._read = read
        self._note = note
        self.notes: list[str] = []
        self._used: list[Leaf] = []

    def fill(self, node: Node) -> Tree:
        """The tree of `node` with its figures. Raises MissingTerms."""
        match node:
            case Number():
                return node
            case FormulaTerm():
                leaf = self._read(node)
                if leaf is None:
                    raise MissingTerms(node)
                self._used.append(leaf)
                return leaf
            case Binary("+" | "-" as sign, left, Call("opt", (inner,))):
                base, more = self.fill(left), self._optional(inner)
                return Filled(sign, (base, more)) if more else base
            case Binary(sign, left, right):
                return self._joined(sign, (left, right))
            case Call("prev", (inner,)):
                return self.fill(shifted(inner, -1))
            case Call("abs", args):
                return self._joined("abs", args)
            case Call("mean2" | "change" as name, (inner,)):
                return self._joined("mean" if name == "mean2" else name, (inner, shifted(inner, -1)))
            case Call("avg", (inner,)):
                closing = self.fill(inner)
                try:
                    return Filled("mean", (closing, self.fill(shifted(inner, -1))))
                except MissingTerms:
                    self.notes.append(self._note("closing", inner))
                    return closing
            case Call("opt", (inner,)):
                return self._optional(inner) or Number(Decimal(0))
            case Call(_, args):
                return self._first(args)

    def _optional(self, node: Node) -> Tree | None:
        used = list(self._used)
        try:
            tree = self.fill(node)
        except MissingTerms:
            self._used = used
            self.notes.append(self._note("without", node))
            return None
        # A row that two names fit is one amount, not two.
        if isinstance(tree, Leaf) and any(_same_cell(tree, other) for other in used):
            self._used = used
            return None
        return tree

    def _joined(self, kind: str, nodes: tuple[Node, ...]) -> Tree:
        filled: list[Tree] = []
        lacking: dict[FormulaTerm, None] = {}
        for node in nodes:
            try:
                filled.append(self.fill(node))
            except MissingTerms as missing:
                lacking |= dict.fromkeys(missing.args)
        if lacking:
            raise MissingTerms(*lacking)
        return Filled(kind, tuple(filled))

    def _first(self, args: tuple[Node, ...]) -> Tree:
        lacking: list[MissingTerms] = []
        for alternative in args:
            notes, used = list(self.notes), list(self._used)
            try:
                tree = self.fill(alternative)
            except MissingTerms as missing:
                self.notes, self._used = notes, used
                lacking.append(missing)
                continue
            self.notes += [self._note("instead", args[0])] if lacking else []
            return tree
        raise min(lacking, key=lambda missing: len(missing.args))


def _same_cell(a: Leaf, b: Leaf) -> bool:
    f, g = a.figure, b.figure
    return f.citation is not None and (f.citation, f.start, f.end) == (g.citation, g.start, g.end)


def value(tree: Tree) -> Decimal:
    """What a filled expression comes to. Raises decimal.DivisionByZero or InvalidOperation (0 / 0)."""
    if not isinstance(tree, Filled):
        return tree.value
    values = [value(part) for part in tree.parts]
    if tree.kind == "mean":
        return CONTEXT.divide(sum(values, Decimal(0)), Decimal(len(values)))
    return abs(values[0]) if tree.kind == "abs" else _WORKED[tree.kind](*values)


def leaves(tree: Tree) -> tuple[Leaf, ...]:
    """The figures of a filled expression in order, each once."""
    match tree:
        case Leaf():
            return (tree,)
        case Filled(_, parts):
            return tuple(dict.fromkeys(leaf for p in parts for leaf in leaves(p)))
    return ()


def written(tree: Tree, leaf_text: Callable[[Leaf], str], average: str = "", change: str = "") -> str:
    """The formula with its figures as `leaf_text` writes them: "365 * average inventory / cost of sales";
    `average` and `change` stand in front of a name, else "(1,204 + 388) / 2"."""

    def inner(t: Tree, strength: int, right: bool = False) -> str:
        match t:
            case Number():
                return f"{t.value.normalize():f}"
            case Leaf():
                return leaf_text(t)
            case Filled("abs", (only,)):
                return f"|{inner(only, 0)}|"
            case Filled("mean" | "change" as kind, parts):
                word = average if kind == "mean" else change
                if word and isinstance(parts[0], Leaf):
                    gap = "" if word[-1] > "\u2e80" else " "
                    return f"{word}{gap}{leaf_text(parts[0])}"
                if kind == "mean":
                    return f"({' + '.join(inner(p, 1) for p in parts)}) / {len(parts)}"
                return f"({inner(parts[0], 1)} - {inner(parts[1], 2)})"
            case Filled(kind, (a, b)):
                if kind == "-" and a == Number(Decimal(0)):
                    return f"-{inner(b, 2)}"
                own = _STRENGTH[kind]
                text = f"{inner(a, own)} {kind} {inner(b, own, True)}"
                weak = own < strength or (right and own == strength)
                return f"({text})" if weak else text
        return ""

    return inner(tree, 0)
