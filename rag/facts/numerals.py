"""Numerals as exact values, with the precision in which they were written, and the units of measure, money
and time under one name each, with exact factors to their base unit.

Values are `fractions.Fraction`, so 0.1 is a tenth and a third is a third. Digit runs longer than
`MAX_DIGITS` are identifiers, not amounts, and are left alone: nothing here can be made to compute with a
million digits. Calendar units that have no fixed length in days stay apart: a month is never thirty days, a
business day never a day."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from rag.languages import union

MAX_DIGITS = 30

NUMERALS = union(lambda language: language.numerals)
SCALES = union(lambda language: language.scales)
# Numerals of one character are put together as 二十三 is, words as "twenty-three".
_WORDS = {word: n for word, n in NUMERALS.items() if len(word) > 1}
_HAN_DIGITS = {word: n for word, n in NUMERALS.items() if len(word) == 1}
HAN_SCALES = {word: n for word, n in SCALES.items() if len(word) == 1}
_HAN_SMALL = {word: n for word, n in HAN_SCALES.items() if n < 10**4}
_HAN_BIG_DESCENDING = sorted(((w, n) for w, n in HAN_SCALES.items() if n >= 10**4), key=lambda item: -item[1])
HAN_NUMERAL = "".join([*_HAN_DIGITS, *HAN_SCALES])
_USUAL = {n: word for word, n in reversed((_HAN_DIGITS | HAN_SCALES).items())}
HAN_DIGITS = "".join(_USUAL.get(n, "") for n in range(10))
"""The usual letters of the numbers from 0 to 9, and `HAN_ONES` of those from 1 to 10 with these numbers."""
HAN_ONES = {_USUAL[n]: str(n) for n in range(1, 11) if n in _USUAL}
WORD_SCALES = {word: n for word, n in SCALES.items() if len(word) > 1}
TIME = union(lambda language: language.time_units)
MEASURE = union(lambda language: language.measures)
UNITS = MEASURE | TIME
CURRENCY_BEFORE = union(lambda language: language.currencies_before)
CURRENCY_AFTER = union(lambda language: language.currencies_after)
# A sign that several currencies share agrees with each of them.
_SHARED_SIGNS = {"$": {"USD", "HKD", "CAD", "AUD", "SGD"}, "¥": {"CNY", "JPY"}}


def alternatives(names: Iterable[str]) -> str:
    """A regular expression of the names, longest first; an ASCII name does not run on into another letter."""
    ordered = sorted(names, key=len, reverse=True)
    return "|".join(
        re.escape(n) + (r"(?![A-Za-z])" if n[-1].isascii() and n[-1].isalnum() else "") for n in ordered
    )


def same_currency(a: str, b: str) -> bool:
    """True where two currency names can mean the same money: "$" agrees with USD and HKD, which do not
    agree."""
    return a == b or b in _SHARED_SIGNS.get(a, ()) or a in _SHARED_SIGNS.get(b, ())


_WORD = "|".join(sorted(_WORDS, key=len, reverse=True))
SPELLED = rf"\d{{1,2}}|(?:(?:{_WORD})-)?(?:{_WORD})"
"""A regular expression of a count up to 99, in digits or in words; `numerals` reads it."""
_JOIN = r"(?:[ \t]+and[ \t]+|[ \t]*-[ \t]*|[ \t]+)"
_ANY = "|".join(sorted([*_WORDS, *WORD_SCALES], key=len, reverse=True))
_HEAD = re.compile(
    r"(?P<digits>(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?|\.\d+)"
    rf"|(?P<words>\b(?:{_WORD})\b(?:{_JOIN}(?:{_ANY})\b){{0,12}})"
    rf"|(?P<han>[{HAN_NUMERAL}]{{1,40}}(?:点[{''.join(_HAN_DIGITS)}]{{1,20}})?)",
    re.IGNORECASE,
)
_WORD_SCALE = re.compile(
    rf"[ \t]*-?[ \t]*({'|'.join(sorted(WORD_SCALES, key=len, reverse=True))})\b", re.IGNORECASE
)
_HAN_SCALE = re.compile(rf"[ \t]*[余多]?([{''.join(HAN_SCALES)}]{{1,4}})[余多]?")
_MORE_HAN = re.compile(r"零?(\d{1,9}(?:\.\d+)?)(?=[ \t]*[十百千万亿])")


@dataclass(frozen=True, slots=True)
class Numeral:
    """A number as written at `[start, end)`: exact `value`, the weight `step` of its last written place,
    and its `style` ("digits", "words" or "han"). `scaled` says that a scale word (million, 万) was part of
    it."""

    start: int
    end: int
    value: Fraction
    step: Fraction
    style: str
    scaled: bool = False


def fold(text: str) -> str:
    """Full-width forms as ASCII, every decimal digit as 0-9, dashes and blanks plain; the length stays the
    same."""
    return text if text.isascii() else text.translate(_FOLDS)


class Taken:
    """Which characters of a text something has been read of."""

    def __init__(self, text: str) -> None:
        self._covered = bytearray(len(text))

    def free(self, start: int, end: int) -> bool:
        return not any(self._covered[start:end])

    def take(self, start: int, end: int) -> bool:
        """Covers a range; whether all of it was free."""
        free = self.free(start, end)
        self._covered[start:end] = b"\1" * (end - start)
        return free


class _Folds(dict[int, str]):
    """What each character is folded to, found when first met."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        if 0xFF01 <= code <= 0xFF5E:
            folded = chr(code - 0xFEE0)
        elif (digit := unicodedata.decimal(character, None)) is not None:
            folded = str(digit)
        elif character in "\u2010\u2011\u2012\u2013\u2014\u2212":
            folded = "-"
        else:
            folded = " " if character.isspace() and character != "\n" else character
        return self.setdefault(code, folded)


_FOLDS = _Folds()


def numerals(text: str) -> list[Numeral]:
    """Every numeral of a folded text, in order. Words alone such as "one" are included: context decides
    what counts."""
    found: list[Numeral] = []
    position = 0
    while match := _HEAD.search(text, position):
        numeral = _read(text, match)
        position = numeral.end if numeral else match.end()
        if numeral:
            found.append(numeral)
    return found


def _read(text: str, match: re.Match[str]) -> Numeral | None:
    style = match.lastgroup or ""
    if style == "words":
        return _spelled(match)
    if style == "han":
        parsed = parse_han(match.group())
        if parsed is None:
            return None
        last = HAN_SCALES.get(match.group()[-1], 1)
        return Numeral(match.start(), match.end(), parsed, Fraction(last), style, last > 1000)
    return _with_scales(text, match)


def _with_scales(text: str, match: re.Match[str]) -> Numeral | None:
    digits = match.group().replace(",", "")
    if len(digits) > MAX_DIGITS:
        return None
    value, end = Fraction(digits), match.end()
    step = Fraction(1, 10 ** len(digits.partition(".")[2]))
    scaled = False
    for pattern, scales in ((_WORD_SCALE, WORD_SCALES), (_HAN_SCALE, HAN_SCALES)):
        for _ in range(2):
            scale = pattern.match(text, end)
            if scale is None:
                break
            word = scale.group(1).lower()
            factor = scales.get(word) or math.prod(scales[character] for character in word)
            value, step, end, scaled = value * factor, step * factor, scale.end(), True
    if scaled and (more := _MORE_HAN.match(text, end)):
        rest = _with_scales(text, re.compile(r"\d+(?:\.\d+)?").match(text, more.start(1)) or more)
        if rest and rest.value < step:
            value, step, end = value + rest.value, rest.step, rest.end
    return Numeral(match.start(), end, value, step, "digits", scaled)


def _spelled(match: re.Match[str]) -> Numeral:
    """ "one hundred and five thousand"; words that cannot continue the number are left."""
    total = group = 0
    scale, before, end = 1, "", match.start()
    for word in re.finditer(r"[^\W\d_]+", match.group()):
        name = word.group().lower()
        factor = WORD_SCALES.get(name, 0)
        if name not in _WORDS and not factor:  # "and"
            continue
        if factor >= 1000:
            total, group, scale = total + max(group, 1) * factor, 0, max(scale, factor)
        elif factor:
            group = max(group, 1) * factor
        else:
            tens = before in _WORDS and _WORDS[before] >= 20
            if before in _WORDS and not (tens and 0 < _WORDS[name] < 10):
                break
            group += _WORDS[name]
        before, end = name, match.start() + word.end()
    value = total + group
    step = Fraction(scale if value % scale == 0 else 1)
    return Numeral(match.start(), end, Fraction(value), step, "words", scale > 1)


def parse_han(numeral: str) -> Fraction | None:
    """Value of a Chinese numeral: 三十, 二十万, 一百零五, 二〇二一, 三点五, 壹拾万. None where it is none
    (三四十, 一一)."""
    whole, point, decimals = numeral.partition("点")
    value = _han_whole(whole)
    if value is None or (point and not (decimals and all(c in _HAN_DIGITS for c in decimals))):
        return None
    if not point:
        return Fraction(value)
    digits = "".join(str(_HAN_DIGITS[c]) for c in decimals)
    return Fraction(value) + Fraction(int(digits), 10 ** len(digits))


def _han_whole(numeral: str) -> int | None:
    """The largest of 万, 亿, 兆 multiplies all that stands before it: 二十万亿 is 200,000 times 亿."""
    for big, unit in _HAN_BIG_DESCENDING:
        if big in numeral:
            left, _, right = numeral.rpartition(big)
            times = _han_whole(left) if left else None
            rest = _han_whole(right.lstrip("零〇")) if right else 0
            return None if times is None or rest is None or rest >= unit else times * unit + rest
    if all(c in _HAN_DIGITS for c in numeral):
        return _positional(numeral) if numeral else 0
    return _han_section(numeral)


def _han_section(numeral: str) -> int | None:
    """A numeral below 万: digits each followed by a falling 千, 百, 十, a leading 十 standing for 一十."""
    total, digit, unit_before = 0, None, 10_000
    for position, character in enumerate(numeral):
        if character in _HAN_DIGITS:
            if digit:
                return None
            digit = _HAN_DIGITS[character]
            continue
        unit = _HAN_SMALL[character]
        if unit >= unit_before or (not digit and (unit != 10 or position > 0)):
            return None
        total, digit, unit_before = total + (digit or 1) * unit, None, unit
    return total + (digit or 0)


def _positional(numeral: str) -> int | None:
    """二〇二一 is read digit by digit; 三四 (three or four) and 一一 (one by one) are no numbers."""
    if len(numeral) == 1:
        return _HAN_DIGITS[numeral]
    spelled = len(numeral) == 4 or any(c in "零〇○" for c in numeral)
    return int("".join(str(_HAN_DIGITS[c]) for c in numeral)) if spelled and len(numeral) <= 12 else None
