"""Whether an answer states what an accepted answer states: its figures by value, its yes or no, its words.

Wordings differ: "$1,450mn", "USD 1,450.0 million" and "1,450" of a table in millions are one figure, 0.75%
and 0.0075 too. A figure is stated when the text holds a value that, at the places of the accepted one, is it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction

from rag.quantities import extract
from rag.quantity import Kind, Quantity
from rag.text import content_tokens

_FIGURES = frozenset({Kind.NUMBER, Kind.SHARE, Kind.MONEY, Kind.MEASURE, Kind.DURATION})
# Money is printed in any of these; a bare share may be a fraction or a percentage.
_SCALES = (1, 10**3, 10**6, 10**9, 10**4, 10**8)
_MOST = 2 / 3
_PERCENT = Fraction(1, 100)
_VERDICT = re.compile(r"(?:^|[.\n。]\s*)[“\"]?(?P<said>yes|no|是|否)(?=[\s,.:;，。：]|$)", re.IGNORECASE)
_NO = frozenset(("no", "否"))


def states_answer(text: str, answers: Sequence[str]) -> bool:
    """Whether the text states one of the accepted answers.

    Of an answer's figures at least half have to be stated (it may spell out the way there), and a verdict of
    the text must not be the other one. An answer without figures is stated by its verdict, and one without
    that by two thirds of its content words."""
    return any(_states(text, answer) for answer in answers)


def _states(text: str, answer: str) -> bool:
    wanted, verdict = _figures(answer), _verdict(answer)
    said = _verdict(text)
    if not wanted and verdict is None:
        words = frozenset(content_tokens(answer))
        return bool(words) and len(words & frozenset(content_tokens(text))) >= _MOST * len(words)
    if not wanted:
        return said == verdict
    if verdict is not None and said is not None and said != verdict:
        return False
    held = _figures(text)
    stated = sum(any(_same(w, h) for h in held) for w in wanted)
    return stated * 2 >= len(wanted)


def _verdict(text: str) -> bool | None:
    m = _VERDICT.search(text)
    return None if m is None else m["said"].lower() not in _NO


def _figures(text: str) -> list[Quantity]:
    return [q for q in extract(text) if q.kind in _FIGURES]


def _same(wanted: Quantity, held: Quantity) -> bool:
    """Whether `held`, rounded at the last place of `wanted`, is it; the sign often stands in words. A
    ratio ("45/140") has no last place: `held` is then rounded at its own, at percents at the coarsest."""
    value, step = abs(wanted.value), wanted.step or min(held.step, _PERCENT)
    while 0 < step < 1 and value and not value % (step * 10):
        step *= 10  # "$212.00" says no more than 212
    shares = Kind.SHARE in (wanted.kind, held.kind)
    if shares and {wanted.kind, held.kind} - {Kind.SHARE, Kind.NUMBER}:
        return False
    factors: tuple[Fraction, ...] = (Fraction(1),)
    if shares and wanted.kind is not held.kind:
        factors = (Fraction(1), Fraction(1, 100), Fraction(100))
    elif Kind.NUMBER in (wanted.kind, held.kind) or Kind.MONEY in (wanted.kind, held.kind):
        factors = tuple(Fraction(a, b) for a in _SCALES for b in _SCALES if 1 in (a, b))
    return any(abs(abs(held.value) * f - value) * 2 <= step for f in factors)
