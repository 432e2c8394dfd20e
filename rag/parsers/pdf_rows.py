"""Reading a line of figures from its end: "Cost of sales $ (1,234) 5.6 %" is a label and two figures."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.facts.dates import MONTH_NAME
from rag.languages import Patterns, patterns

_RE = Patterns(__file__)
_UNFINISHED = patterns("pdf_layout", re.NOFLAG)
YEAR = _RE["year"]
_NOTHING = _RE.words("nothing")
_GLUE = _RE.words("glue")
_OPENERS = _RE.words("openers")
_CLOSERS = _RE.words("closers")
MONTH = rf"(?:{MONTH_NAME})\.?"
MAX_LABEL = 160
_ROW_ENDS = frozenset("0123456789)）%％—–-―－*xAaMm.pts†‡#用无")


@dataclass(frozen=True, slots=True)
class PdfRow:
    """A line read from its end: words of the label, words that are figures, and how many figures."""

    label: str
    values: tuple[str, ...]
    years: bool  # all figures are bare years: a head, not a row

    @property
    def count(self) -> int:
        return len(self.values)

    @property
    def seed(self) -> bool:
        if self.years or not self.values or len(self.label) > MAX_LABEL or _RE["sentence"].search(self.label):
            return False
        return self.count > 1 or (
            _RE["financial"].search(self.values[0]) is not None and not YEAR.match(self.values[0])
        )


NO_ROW = PdfRow("", (), False)


def read_row(text: str) -> PdfRow:
    """Split "Cost of sales $ (1,234) 5.6 %" into its label and its two figures."""
    if text[-1:] not in _ROW_ENDS:  # which rules figures out
        return NO_ROW
    words = text.split()
    values: list[str] = []
    at = len(words)
    while at:
        word = words[at - 1]
        if word in _NOTHING or (is_value(word) and not _is_date_end(words, at - 1)):
            values.append(word)
        elif word not in _GLUE:
            break
        at -= 1
    values.reverse()
    return PdfRow(" ".join(words[:at]), tuple(values), bool(values) and all(YEAR.match(v) for v in values))


def cell_spans(text: str) -> list[tuple[int, int]]:
    """(start, end) of the label, empty where the line begins with a figure, and of each figure of a line,
    with the currency sign, bracket or percent sign that stand beside it."""
    plain = _RE["letter"].sub(lambda m: " " * len(m.group()), text)
    values = list(read_row(plain).values)
    words = [m.span() for m in re.finditer(r"\S+", plain)] if values else []
    found: list[tuple[int, int]] = []
    at = len(words)
    while at and values:
        at -= 1
        if plain[slice(*words[at])] != values[-1]:
            continue  # a sign that belongs to the figure before or after it
        values.pop()
        found.append(_with_signs(plain, words, at))
    # What `read_row` skipped in front of the first figure are its signs.
    while found and at and plain[slice(*words[at - 1])] in _OPENERS:
        at -= 1
    label = len(text[: words[at][0]].rstrip()) if found else len(text)
    return [(0, label), *reversed(found)]


def _with_signs(text: str, words: Sequence[tuple[int, int]], at: int) -> tuple[int, int]:
    first = last = at
    if text[slice(*words[at])] not in _NOTHING:
        while first and text[slice(*words[first - 1])] in _OPENERS:
            first -= 1
        while last + 1 < len(words) and text[slice(*words[last + 1])] in _CLOSERS:
            last += 1
    return words[first][0], words[last][1]


def is_value(word: str) -> bool:
    if not any(c.isdigit() for c in word):
        return False
    match = _RE["value"].match(word)
    # "18)" closes a bracket that a word before it opened, as in "(Note 18)".
    return match is not None and not (match.group("close") and "(" not in word and "（" not in word)


def _is_date_end(words: Sequence[str], at: int) -> bool:
    """The year of "December 31, 2019", or the day of "June 30"."""
    before = words[at - 1] if at else ""
    if before.endswith(",") and YEAR.match(words[at]) and before[:-1].isdigit():
        return True
    return words[at].isdigit() and len(words[at]) <= 2 and re.fullmatch(MONTH, before, re.I) is not None


def is_sign_of(word: str, after: str) -> bool:
    """Whether a word is the sign of the figure behind it: "$ 265"."""
    return word in _OPENERS and (after[:1].isdigit() or after[:1] in _OPENERS)


def is_sentence(text: str) -> bool:
    """Prose rather than a label: it ends like a sentence or has a full stop inside."""
    return _RE["sentence"].search(text) is not None


def is_blank_figure(word: str) -> bool:
    """A dash or the like, which stands where a figure would."""
    return word in _NOTHING


def wraps(text: str, following: str) -> bool:
    """A label whose end stands in the next line."""
    if not following or text.endswith((":", "：")):
        return False
    return (
        following[:1].islower()
        or following[:1].isdigit()
        or text.endswith((",", ";", "-"))
        or _UNFINISHED["unfinished_title"].search(text) is not None
    )
