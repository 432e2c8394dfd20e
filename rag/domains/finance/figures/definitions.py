"""Definitions that a question gives for its own metric, read into an expression.

    DPO is defined as: 365 * (average accounts payable between FY2021 and FY2022) / (FY2022 COGS + change in
    inventory between FY2021 and FY2022).

The grammar: sums and products of operands with + - * / x ÷, "plus", "less", "minus", "net of", "divided by",
"over", "times", "multiplied by", "as a percentage of", 加 减 乘以 除以; brackets; numbers; "average A
[between P and P]", "change in A", "opening", "closing" and "prior-year A", 平均, 期初, 期末, 上年. An
operand is a name of the book (`formulas`) with a period before or after it, or words that no name is, which
then are a row label of the report. The words are cut into tokens: numbers, operators, modes (average, change,
opening ...), periods, and operands by their names; brackets and signs are read by `expressions.parse`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from rag.domains.finance.figures.expressions import (
    Binary,
    Call,
    FormulaTerm,
    Node,
    Number,
    parse,
    shifted,
    terms,
)
from rag.domains.finance.figures.formulas import Book, metric
from rag.facts.dates import read_periods
from rag.languages import Patterns

_RE = Patterns(__file__)
_PHRASES, _MODES, _AFTER_ZH = _RE.table("phrase"), _RE.table("mode"), _RE.table("after_zh")
# So near its cue does a defined name stand: "DPO ratio (or days) is defined as".
_NEAR = 12
_JOINING = {"and": "and", "和": "and", "与": "and", "及": "and", "to": "to", "比": "to", "between": "between"}
_IGNORED = ",:\"'“”’‘[]{}$"


@dataclass(frozen=True, slots=True)
class Definitions:
    """What a question defines: `nodes` by the key defined ("f:..." or "l:...", "" where the book has no such
    name), `unread`: right-hand sides that could not be read."""

    nodes: Mapping[str, Node]
    unread: tuple[str, ...] = ()

    def of(self, key: str) -> Node | None:
        """The definition that concerns the metric `key`: its own, else the only one without a known name."""
        return self.nodes.get(key) or self.nodes.get("")


def definition_spans(text: str) -> tuple[tuple[int, int, int], ...]:
    """Every definition of a normalised text: where its cue begins, where its right-hand side stands."""
    found: list[tuple[int, int, int]] = []
    for m in _RE["cue"].finditer(text):
        end = _RE["end"].search(text, m.end())
        stop = end.start() if end else len(text)
        if (not found or m.start() >= found[-1][2]) and _RE["formula"].search(text[m.end() : stop]):
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
    return Definitions(nodes, tuple(unread)) if spans else None


def read_expression(
    text: str, book: Book, newest: int = 0, own: Mapping[str, Node] | None = None
) -> Node | None:
    """An expression in words over named figures; `own` are definitions that go before the book's. None where
    it is not one."""
    try:
        return _averages(_expression(_tokens(text, book, newest, own or {})))
    except ValueError:
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


@dataclass(frozen=True, slots=True)
class FormulaToken:
    """`kind`: "num", "op", "operand", "mode", "period", "and", "to" or "between". `node` is what numbers and
    operands stand for, `text` the operator or mode, `offset` a period's distance from the newest."""

    kind: str
    text: str = ""
    node: Node | None = None
    offset: int = 0


def _expression(tokens: Sequence[FormulaToken]) -> Node:
    """What the tokens say; signs and brackets are Python's. Raises ValueError for what is no expression."""
    names: dict[str, Node] = {}
    written: list[str] = []
    mode, ahead, at, depth = "", None, 0, 0
    while at < len(tokens):
        token, at = tokens[at], at + 1
        if token.kind == "period":
            ahead = token.offset
        elif token.kind == "mode":
            mode = token.text
        elif token.node:
            node = token.node
            if mode == "mean2" and [t.kind for t in tokens[at : at + 2]] == ["and", "operand"]:
                mode, node, at = "", _mean(node, tokens[at + 1].node or node), at + 2
            after, at = _periods(tokens, at)
            if mode:
                node = _moded(mode, node, after)
            elif len(after) == 1 and ahead is None:
                ahead = after[0]
            # A node that has periods of its own keeps them.
            fixed = ahead is None or isinstance(node, Number) or any(t.offset for t in terms(node))
            names[f"_{at}"] = node if fixed else shifted(node, ahead or 0)
            written.append(f"_{at}")
            mode, ahead = "", None
        elif token.kind == "op":
            after, at = _periods(tokens, at) if token.text == ")" else ([], at)
            if any(after) or ahead or (mode and token.text != "("):
                raise ValueError("a period of no operand")
            written.append(f"{mode.removesuffix('now')} {token.text}")
            depth += (token.text == "(") - (token.text == ")")
            mode, ahead = "", None
        elif at < len(tokens):
            raise ValueError(f"{token.kind} joins nothing")
    return parse(" ".join([*written, ")" * depth]), names)


def _periods(tokens: Sequence[FormulaToken], at: int) -> tuple[list[int], int]:
    """Periods behind an operand ("between FY2021 and FY2022", "in FY2022") and the place behind them; none
    that belong to the operand that follows."""
    end, found = at, []
    while end < len(tokens):
        following = tokens[end + 1].kind if end + 1 < len(tokens) else ""
        if tokens[end].kind == "period":
            found.append(tokens[end].offset)
        elif tokens[end].kind != "between" and (
            tokens[end].kind not in ("and", "to") or following != "period"
        ):
            break
        end += 1
    given_back = end < len(tokens) and tokens[end].kind in ("operand", "mode")
    return ([], at) if given_back else (found, end)


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


def _tokens(text: str, book: Book, newest: int, own: Mapping[str, Node]) -> list[FormulaToken]:
    """The tokens of a normalised text; words that are no name become row labels. Raises ValueError for signs
    that belong to no expression."""
    names = {start: (end, key) for start, end, key in book.find(text) if key[0] in "fl"}
    periods = {p.start: p for p in read_periods(text) if p.year and not p.inner}
    found: list[FormulaToken] = []
    label: list[str] = []

    def put(*tokens: FormulaToken) -> None:
        if any(len(word) > 1 for word in label):
            row = " ".join(label)
            found.append(FormulaToken("operand", row, FormulaTerm(f"={row}")))
        label.clear()
        found.extend(tokens)

    at = 0
    while at < len(text):
        end, key = names.get(at, (0, ""))
        if text[at].isspace():
            at += 1
        elif (p := periods.get(at)) and p.end > at:
            found.append(FormulaToken("period", offset=p.year - newest if newest else 0))
            at = p.end
        elif (special := _special(text, at)) and end <= special[1]:
            put(special[0])
            at = special[1]
        elif key:
            if label:  # "cloud revenue" is another row than revenue
                label.append(text[at:end])
                put()
            else:
                put(FormulaToken("operand", text[at:end], own.get(key) or metric(key).expression))
            after = ((mode, m.end()) for mode, p in _AFTER_ZH.items() if (m := p.match(text, end)))
            mode, at = next(after, ("", end))
            found[-1:-1] = [FormulaToken("mode", mode)] if mode else []
        else:
            m = _RE["token"].match(text, at)
            if m is None or (m["sep"] and m["sep"] not in _IGNORED):
                raise ValueError(f"no part of an expression: {text[at:]}")
            if m["num"]:
                put(_number(m["num"]))
            elif m["op"]:
                hyphen = m["op"] == "-" and label and text[at - 1 : at].isalpha()
                if not hyphen:
                    put(FormulaToken("op", m["op"]))
            elif kind := _JOINING.get(m.group()):
                put(FormulaToken(kind))
            elif not m["sep"] and not _RE["filler"].fullmatch(m.group()):
                label.append(m.group())
            at = m.end()
    put()
    return found


def _special(text: str, at: int) -> tuple[FormulaToken, int] | None:
    """An operator or mode in words at a place that begins a word."""
    if at and text[at - 1].isalnum() and text[at].isascii() and text[at - 1].isascii():
        return None
    for kind, table in (("op", _PHRASES), ("mode", _MODES)):
        for meaning, pattern in table.items():
            if m := pattern.match(text, at):
                return FormulaToken(kind, meaning), m.end()
    return None


def _number(text: str) -> FormulaToken:
    """A number; 21% is 0.21, but 100% the hundred that a percentage is multiplied by."""
    value = Decimal(text.rstrip("% ").replace(",", ""))
    share = text.endswith("%") and value != 100
    return FormulaToken("num", node=Number(value / 100 if share else value))
