"""Definitions that a question gives for its own metric, read into an expression.

    DPO is defined as: 365 * (average accounts payable between FY2021 and FY2022) / (FY2022 COGS + change in
    inventory between FY2021 and FY2022).

The grammar: sums and products of operands with + - * / x ÷, "plus", "less", "minus", "net of", "divided by",
"over", "times", "multiplied by", "as a percentage of", 加 减 乘以 除以; brackets; numbers; "average A
[between P and P]", "change in A", "opening", "closing" and "prior-year A", 平均, 期初, 期末, 上年;
"sum of A and B", "ratio of A to B". An operand is a name of the book (`formulas`) with a period before or
after it, or words that no name is, which then are a row label of the report."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from rag.domains.finance.figures.expressions import Binary, Call, FormulaTerm, Node, Number, shifted, terms
from rag.domains.finance.figures.formula_words import FormulaError, FormulaToken, tokens
from rag.domains.finance.figures.formulas import Book

_CUE = re.compile(
    r"\b(?:is|are|was|be|being)? ?(?:here |herein |to be )?"
    r"(?:defined|calculated|computed|measured|derived|expressed|taken) "
    r"(?:here )?(?:as|by(?: (?:dividing|taking))?)\b(?: follows)?\s*[:=]?"
    r"|\b(?:defin(?:e|ing)|calculat(?:e|ing)|comput(?:e"
    r"|ing)) (?!as\b)[\w&/% ()'-]{2,70}? as\b(?! (?:an? )?(?:%|percent|of))\s*[:=]?"
    r"|:\s+(?=[^:?;。]{2,90}[/÷*+])"
    r"|\bformula(?: is| to use is| used is)?\s*[:=]|\bmeans\s*:|\s?=\s?|\bequals\b"
    r"|(?:定义为|定义是|的?计算公式[为是:]|公式[为是:]|计算方法[为是:]|口径[为是:])\s*:?"
    r"|(?:按照?|用|以)(?=[^。?？]{2,60}(?:计算|算出|得出))"
)
_FORMULA = re.compile(r"[-+*/×÷]|divided|ratio|percent|average|\bsum\b|\bless\b|minus|除|减|加|平均")
_END = re.compile(
    r"(?:\.(?=\s|$)|[?;。？；\n]|,\s*(?=(?:and (?:then )?)?(?:round|answer|give|express|what|how"
    r"|please|where)\b)|,\s*(?=请|保留|结果)|(?:来)?计算(?=[,。]|$))"
)
# So near its cue does a defined name stand: "DPO ratio (or days) is defined as".
_NEAR = 12


@dataclass(frozen=True, slots=True)
class Definitions:
    """What a question defines: `nodes` by the key defined ("f:..." or "l:...", "" where the book has no such
    name), `start`: where the first right-hand side begins in the normalised text, `unread`: right-hand sides
    that could not be read."""

    nodes: Mapping[str, Node]
    start: int
    unread: tuple[str, ...] = ()

    def of(self, key: str) -> Node | None:
        """The definition that concerns the metric `key`: its own, else the only one without a known name."""
        return self.nodes.get(key) or self.nodes.get("")


def definition_spans(text: str) -> tuple[tuple[int, int, int], ...]:
    """Every definition of a normalised text: where its cue begins, where its right-hand side stands."""
    found: list[tuple[int, int, int]] = []
    for m in _CUE.finditer(text):
        end = _END.search(text, m.end())
        stop = end.start() if end else len(text)
        if (not found or m.start() >= found[-1][2]) and _FORMULA.search(text[m.end() : stop]):
            found.append((m.start(), m.end(), stop))
    return tuple(found)


def read_definitions(text: str, book: Book, newest: int = 0) -> Definitions | None:
    """The definitions in a normalised question; `newest` is the last fiscal year that the question names (0:
    none), from which periods are counted. One may use what another defines. None where there is none."""
    spans = definition_spans(text)
    nodes: dict[str, Node] = {}
    unread: list[str] = []
    for cue, start, stop in reversed(spans):
        node = read_expression(text[start:stop], book, newest, nodes)
        if node is None or not terms(node):
            unread.append(text[start:stop].strip())
            continue
        begin = max(text.rfind(mark, 0, cue) for mark in (". ", "? ", "; ", "。", "?"))
        subject = text[max(0, begin) : start]
        names = [
            n for n in book.find(subject) if n[2][0] in "fl" and n[1] > len(subject) - (start - cue) - _NEAR
        ]
        nodes[names[-1][2] if names else ""] = node
    return Definitions(nodes, spans[0][1], tuple(unread)) if spans else None


def read_expression(
    text: str, book: Book, newest: int = 0, own: Mapping[str, Node] | None = None
) -> Node | None:
    """An expression in words over named figures; `own` are definitions that go before the book's. None where
    it is not one."""
    try:
        return _averages(_Parser(tokens(text, book, newest, own or {})).whole())
    except FormulaError:
        return None


def _averages(node: Node) -> Node:
    """x / (opening + closing) / 2 is intended as x / ((opening + closing) / 2), however it is written."""
    match node:
        case Binary("/", Binary("/", top, Binary("+", FormulaTerm(a, m), FormulaTerm(b, n))), Number(two)):
            if two == 2 and a == b and m != n:
                return Binary("/", _averages(top), _mean(FormulaTerm(a, m), FormulaTerm(b, n)))
        case Binary(sign, left, right):
            return Binary(sign, _averages(left), _averages(right))
    return node


def _mean(a: Node, b: Node) -> Node:
    return Binary("/", Binary("+", a, b), Number(Decimal(2)))


class _Parser:
    """Recursive descent over the tokens."""

    def __init__(self, tokens: Sequence[FormulaToken]) -> None:
        self.tokens = tokens
        self.at = 0

    def whole(self) -> Node:
        node = self.sum()
        while self.peek().kind == "period":
            self.at += 1
        if self.peek().kind != "end":
            raise FormulaError
        return node

    def peek(self, ahead: int = 0) -> FormulaToken:
        place = self.at + ahead
        return self.tokens[place] if place < len(self.tokens) else FormulaToken("end")

    def take(self) -> FormulaToken:
        token = self.peek()
        self.at += 1
        return token

    def sum(self) -> Node:
        return self.chain("+-", self.product)

    def product(self) -> Node:
        return self.chain("*/×÷", self.factor)

    def chain(self, signs: str, part: Callable[[], Node]) -> Node:
        node = part()
        while (t := self.peek()).kind == "op" and t.text in signs:
            self.at += 1
            node = Binary({"×": "*", "÷": "/"}.get(t.text, t.text), node, part())
        return node

    def factor(self) -> Node:
        token = self.take()
        offset: int | None = None
        while token.kind == "period":
            offset = token.offset
            token = self.take()
        node = self._of(token)
        after = self._trailing()
        if len(after) == 1 and offset is None:
            offset = after[0]
        # A node that has periods of its own keeps them.
        fixed = offset is None or isinstance(node, Number) or any(t.offset for t in terms(node))
        return node if fixed else shifted(node, offset or 0)

    def _of(self, token: FormulaToken) -> Node:
        if token.kind in ("num", "operand") and token.node:
            return token.node
        if token.kind == "op" and token.text == "(":
            inner = self.sum()
            if (t := self.peek()).kind == "op" and t.text == ")":
                self.at += 1
            elif t.kind != "end":
                raise FormulaError
            return inner
        if token.kind == "op" and token.text == "-":
            return Binary("-", Number(Decimal(0)), self.factor())
        if token.kind == "mode":
            return self._mode(token.text)
        raise FormulaError

    def _mode(self, mode: str) -> Node:
        if mode in ("sum", "ratio"):
            left = self.product()
            want = ("and",) if mode == "sum" else ("to", "and")
            while self.peek().kind in want or (self.peek().kind == "op" and self.peek().text == "+"):
                self.at += 1
                right = self.product()
                left = Binary("+" if mode == "sum" else "/", left, right)
            return left
        token = self.take()
        while token.kind == "period":
            token = self.take()
        operand = self._of(token)
        if mode == "mean2" and self.peek().kind == "and" and self.peek(1).kind == "operand":
            self.at += 1
            return _mean(operand, self.take().node or operand)
        return _moded(mode, operand, self._trailing())

    def _trailing(self) -> list[int]:
        """Periods behind an operand: "between FY2021 and FY2022", "in FY2022"."""
        start, found = self.at, []
        while True:
            kind = self.peek().kind
            if kind == "period":
                found.append(self.take().offset or 0)
            elif kind == "between" or (kind in ("and", "to") and self.peek(1).kind == "period"):
                self.at += 1
            else:
                break
        # A period that belongs to the operand that follows it is given back.
        if found and self.peek().kind in ("operand", "mode"):
            self.at = start
            return []
        return found


def _moded(mode: str, node: Node, offsets: Sequence[int]) -> Node:
    years = sorted(set(offsets))
    if mode == "now":
        return shifted(node, years[-1]) if years else node
    if mode == "prev":
        return shifted(node, years[0] if years else -1)
    if len(years) < 2 or years[-1] - years[0] == 1:
        return shifted(Call(mode, (node,)), years[-1] if years else 0)
    first, last = shifted(node, years[0]), shifted(node, years[-1])
    return Binary("-", last, first) if mode == "change" else _mean(last, first)
