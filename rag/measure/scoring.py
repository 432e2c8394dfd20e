"""Whether a text states what an accepted answer states: its figures by value, its yes or no, its words. Pure.

Wordings differ: "$1,450mn", "USD 1,450.0 million" and "1,450" of a table in millions are one figure, 0.75%
and 0.0075 too. A figure is stated when the text holds a value that, at the places of the accepted one, is it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction

from rag.facts.numerals import same_currency
from rag.facts.quantities import extract
from rag.facts.quantity import Kind, Quantity, QuantityMatch, compare
from rag.languages.text import content_tokens, letters
from rag.measure.metrics import contains_answer

_FIGURES = frozenset({Kind.NUMBER, Kind.SHARE, Kind.MONEY, Kind.MEASURE, Kind.DURATION})
# Money is printed in any of these; a bare share may be a fraction or a percentage.
_SCALES = (1, 10**3, 10**6, 10**9, 10**4, 10**8)
_NAMED = {"": 1, "percent": 1, "thousand": 10**3, "million": 10**6, "billion": 10**9}
_MOST = 2 / 3
_PERCENT = Fraction(1, 100)
# An answer of at most so many other words is its figures or its date; so many figures are all needed.
_FEW = 2
_ALL_WORDS = 3
_SMALL = 10
_VERDICT = re.compile(
    r"(?:^|[.\n。]\s*)[“\"]?(?P<said>yes|no|maybe|是的?|不是|否)(?=[\s,.:;，。：；]|$)", re.IGNORECASE
)
VERDICTS = {"yes": "yes", "是": "yes", "是的": "yes", "no": "no", "否": "no", "不是": "no", "maybe": "maybe"}


def states_answer(text: str, answers: Sequence[str], scale: str | None = None) -> bool:
    """Whether the text states one of the accepted answers.

    An answer is stated in its own words, one that is nothing but a figure or a date by its value. Of an
    answer's figures at least half have to be stated (it may spell out the way there), of one or two all, and
    a verdict of the text must not be the other one. An answer without figures is stated by its verdict, and
    one without that by its content words, of more than three by two thirds. `scale` ("thousand", "percent",
    ... or "") is what accepted figures are in; where it is None a figure may be printed in any."""
    return any(_states(text, answer, scale) for answer in answers)


def verdict(text: str) -> str | None:
    """ "yes", "no" or "maybe" where a sentence of the text begins with it, in either language."""
    m = _VERDICT.search(text)
    return None if m is None else VERDICTS[m["said"].lower()]


def _states(text: str, answer: str, scale: str | None) -> bool:
    if (said := VERDICTS.get(letters(answer))) is not None:
        return verdict(text) == said
    quantities = extract(answer)
    bare = not letters(_without(answer, quantities))
    code = re.fullmatch(r"0\d+", answer) is not None  # 000123 is no number
    if (code or not bare) and contains_answer(text, [answer]):
        return True
    wanted = _decisive(answer, quantities)
    own = verdict(answer)
    if code or (not wanted and own is None):
        return not bare and _says(text, answer)
    if not wanted:
        return verdict(text) == own
    if own is not None and verdict(text) not in (None, own):
        return False
    held = extract(text)
    stated = sum(any(_same(w, h, scale) for h in held) for w in wanted)
    return stated == len(wanted) if len(wanted) <= _FEW else stated * 2 >= len(wanted)


def _says(text: str, answer: str) -> bool:
    """Whether most content words of the answer stand in the text: of up to three all, and one alone as it is
    written, but for a plural: a stem is shared by other words ("dyes", "Dyeing Works")."""
    words = frozenset(content_tokens(answer))
    if len(words) <= 1:
        return contains_answer(text, [f"{answer}s", answer.removesuffix("s")])
    found = len(words & frozenset(content_tokens(text)))
    return found >= (len(words) if len(words) <= _ALL_WORDS else _MOST * len(words))


def _without(text: str, quantities: Sequence[Quantity]) -> str:
    for quantity in reversed(quantities):
        text = text[: quantity.start] + " " + text[quantity.end :]
    return text


def _decisive(answer: str, quantities: Sequence[Quantity]) -> list[Quantity]:
    """The quantities that make the answer what it is: its figures (a small count beside words is one of
    them); without any, the dates and references of an answer of few other words."""
    others = len(content_tokens(_without(answer, quantities)))
    figures = [q for q in quantities if q.kind in _FIGURES and not (others and _count(q))]
    if figures or others > _FEW:
        return figures
    return [q for q in quantities if q.kind not in _FIGURES]


def _same(wanted: Quantity, held: Quantity, scale: str | None) -> bool:
    """Whether `held`, rounded at the last place of `wanted`, is it; the sign often stands in words. A
    ratio ("45/140") has no last place: `held` is then rounded at its own, at percents at the coarsest."""
    if wanted.kind is Kind.NUMBER and held.kind is Kind.REFERENCE:
        return wanted.text == held.label  # "5.2" of "clause 5.2"
    if not {wanted.kind, held.kind} <= _FIGURES:
        return compare(wanted, held) is not QuantityMatch.DIFFERENT
    if _other_unit(wanted, held):
        return False
    value, step = abs(wanted.value), wanted.step or min(held.step, _PERCENT)
    while 0 < step < 1 and value and not value % (step * 10):
        step *= 10  # "$212.00" says no more than 212
    shares = Kind.SHARE in (wanted.kind, held.kind)
    if shares and {wanted.kind, held.kind} - {Kind.SHARE, Kind.NUMBER}:
        return False
    factors: tuple[Fraction, ...] = (Fraction(1),)
    if shares and wanted.kind is not held.kind:
        factors = (Fraction(1), Fraction(1, 100), Fraction(100))
    elif Kind.MONEY in (wanted.kind, held.kind) or (wanted.kind is Kind.NUMBER and not _count(wanted)):
        scales = _SCALES if scale is None else (1, _NAMED.get(scale, 1))
        factors = tuple(Fraction(a, b) for a in scales for b in scales if 1 in (a, b))
    return any(abs(abs(held.value) * f - value) * 2 <= step for f in factors)


def _count(quantity: Quantity) -> bool:
    return quantity.kind is Kind.NUMBER and quantity.step >= 1 and abs(quantity.value) < _SMALL


def _other_unit(a: Quantity, b: Quantity) -> bool:
    """Whether the two have units, and not the same one; shares and bare numbers agree with each other."""
    if not (a.unit and b.unit) or a.unit == b.unit or Kind.SHARE in (a.kind, b.kind):
        return False
    return not (a.kind is b.kind is Kind.MONEY and same_currency(a.unit, b.unit))
