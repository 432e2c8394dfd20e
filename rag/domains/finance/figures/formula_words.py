"""The words of an expression in a question ("average accounts payable between FY2021 and FY2022") as tokens:
numbers, operators, modes (average, change, opening ...), periods, and operands by their names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from rag.domains.finance.figures.expressions import FormulaTerm, Node, Number
from rag.domains.finance.figures.formulas import Book
from rag.facts.dates import read_periods

_TOKEN = re.compile(
    r"(?P<num>\d[\d,]*(?:\.\d+)?\s?%?)|(?P<op>[-+*/()×÷–−（）])|(?P<word>[a-z][a-z&'’.-]*[a-z]"
    r"|[a-z])|(?P<han>[\u3400-\u9fff])|(?P<sep>\S)"
)
_PHRASES: tuple[tuple[str, str], ...] = (
    (r"divided by|over(?= )|as an? (?:percentage|percent|%|share|proportion|fraction|multiple) of|÷"
     r"|除以|relative to|per(?= )", "/"),
    (r"multiplied by|times(?= )|x(?= )|×|乘以?", "*"),
    (r"plus|加上?", "+"),
    (r"less(?= )|minus|net of|subtracting|–|−|减去?|扣除", "-"),
    (r"（", "("),
    (r"）", ")"),
)  # fmt: skip
_MODES: tuple[tuple[str, str], ...] = (
    (r"(?:the )?average of (?:the )?(?:beginning|opening) and (?:the )?(?:ending|closing"
     r"|end)(?: of (?:the )?(?:year|period))?", "mean2"),
    (r"(?:two|2)-(?:year|period) average(?: of| in)?", "mean2"),
    (r"(?:the )?(?:simple )?average(?: of| in| balance of| value of| for)?(?: the| total(?= of))?"
     r"|avg\.?|mean(?: of)?|平均", "mean2"),
    (r"(?:the )?(?:change|increase|movement|growth)s? in(?: the)?|δ", "change"),
    (r"(?:the )?(?:beginning|opening|prior[- ]year(?:'s)?|previous[- ]year(?:'s)?|last year's"
     r"|beginning-of-year|期初|年初|上年|上期|去年)(?: balance of)?", "prev"),
    (r"(?:the )?(?:ending|closing|year-end|current[- ]year(?:'s)?|end-of-year|期末|年末|本年|本期"
     r"|当年|当期)(?: balance of)?", "now"),
    (r"(?:the )?sum of", "sum"),
    (r"(?:the )?ratio of", "ratio"),
)  # fmt: skip
_AFTER_ZH = (
    (r"平均(?:余额|值|数)?", "mean2"),
    (r"(?:的)?(?:变动|变动额|增加额|增减额)", "change"),
    (r"期初(?:余额|数)", "prev"),
    (r"期末(?:余额|数)", "now"),
)
_FILLER = re.compile(
    r"(?:total|unadjusted|annual|reported|consolidated|gaap|net|cash|the|of|a|an|its|their|company"
    r"|company's|for|in|on|at|that|this|same|year|years|fiscal|period|end|ended|ending|days?"
    r"|balance|amount|value|reported|both|usd|millions?|net of tax|expressed|as|it|is|from|during"
    r"|sheet|statement"
    r"|[的之额余数总期末天日与该])"
)
_JOINING = {"and": "and", "和": "and", "与": "and", "及": "and", "to": "to", "比": "to", "between": "between"}
_IGNORED = ",:\"'“”’‘[]{}$"


class FormulaError(Exception):
    """The text is no expression of the grammar. Caught by `rag.domains.finance.figures.definitions`."""


@dataclass(frozen=True, slots=True)
class FormulaToken:
    """`kind`: "num", "op", "operand", "mode", "period", "and", "to", "between" or "end". `node` is what
    numbers and operands stand for, `text` the operator or mode, `offset` a period's distance from the
    newest."""

    kind: str
    text: str = ""
    node: Node | None = None
    offset: int | None = None


def tokens(text: str, book: Book, newest: int, own: Mapping[str, Node]) -> list[FormulaToken]:
    """The tokens of a normalised text; `newest` is the year that offsets are counted from (0: none is known),
    `own` are definitions that go before the book's. Words that are no name become row labels. Raises
    Unreadable for signs that belong to no expression."""
    return _Reader(text, book, newest, own).read()


class _Reader:
    def __init__(self, text: str, book: Book, newest: int, own: Mapping[str, Node]) -> None:
        self.text, self.book, self.newest, self.own = text, book, newest, own
        self.names = {start: (end, key) for start, end, key in book.find(text) if key[0] in "fl"}
        self.periods = {p.start: p for p in read_periods(text) if p.year and not p.inner}
        self.found: list[FormulaToken] = []
        self.label: list[str] = []

    def read(self) -> list[FormulaToken]:
        at = 0
        while at < len(self.text):
            at = self._step(at)
        self._flush()
        return self.found

    def _step(self, at: int) -> int:
        """Reads what stands at a place; the place behind it."""
        if self.text[at].isspace():
            return at + 1
        if (p := self.periods.get(at)) and p.end > at:
            self.found.append(FormulaToken("period", offset=p.year - self.newest if self.newest else 0))
            return p.end
        special = _special(self.text, at)
        if special and not (at in self.names and self.names[at][0] > special[1]):
            self._put(special[0])
            return special[1]
        return self._name(at) if at in self.names else self._word(at)

    def _flush(self) -> None:
        """Words that were no name become an operand of their own."""
        if any(len(word) > 1 for word in self.label):
            label = " ".join(self.label)
            self.found.append(FormulaToken("operand", label, FormulaTerm(f"={label}")))
        self.label.clear()

    def _put(self, token: FormulaToken) -> None:
        self._flush()
        self.found.append(token)

    def _name(self, at: int) -> int:
        end, key = self.names[at]
        if self.label:  # "cloud revenue" is another row than revenue
            self.label.append(self.text[at:end])
            self._flush()
        else:
            node = self.own.get(key)
            if node is None:
                node = (
                    self.book.formulas[key[2:]].expression if key.startswith("f:") else FormulaTerm(key[2:])
                )
            self.found.append(FormulaToken("operand", self.text[at:end], node))
        for pattern, mode in _AFTER_ZH:
            if m := re.compile(pattern).match(self.text, end):
                self.found.insert(len(self.found) - 1, FormulaToken("mode", mode))
                return m.end()
        return end

    def _word(self, at: int) -> int:
        m = _TOKEN.match(self.text, at)
        if m is None:
            raise FormulaError
        if m["num"]:
            self._put(_number(m["num"]))
        elif m["op"]:
            hyphen = m["op"] == "-" and self.label and self.text[at - 1 : at].isalpha()
            if not hyphen:
                self._put(FormulaToken("op", m["op"]))
        elif m["sep"]:
            if m["sep"] not in _IGNORED:
                raise FormulaError
        elif kind := _JOINING.get(m.group()):
            self._put(FormulaToken(kind))
        elif not _FILLER.fullmatch(m.group()):
            self.label.append(m.group())
        return m.end()


def _special(text: str, at: int) -> tuple[FormulaToken, int] | None:
    """An operator or mode in words at a place that begins a word."""
    if at and text[at - 1].isalnum() and text[at].isascii() and text[at - 1].isascii():
        return None
    for kind, table in (("op", _PHRASES), ("mode", _MODES)):
        for pattern, meaning in table:
            m = re.compile(rf"(?:{pattern})(?![a-z])").match(text, at)
            if m:
                return FormulaToken(kind, meaning), m.end()
    return None


def _number(text: str) -> FormulaToken:
    """A number; 21% is 0.21, but 100% the hundred that a percentage is multiplied by."""
    value = Decimal(text.rstrip("% ").replace(",", ""))
    share = text.endswith("%") and value != 100
    return FormulaToken("num", node=Number(value / 100 if share else value))
