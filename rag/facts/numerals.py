"""Numerals of English and Chinese text as exact values, with the precision in which they were written.

Values are `fractions.Fraction`, so 0.1 is a tenth and a third is a third. Digit runs longer than
`MAX_DIGITS` are identifiers, not amounts, and are left alone: nothing here can be made to compute with a
million digits."""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

MAX_DIGITS = 30

_ONES = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen"
_WORDS = {word: n for n, word in enumerate(f"{_ONES} sixteen seventeen eighteen nineteen".split())}
_TEN_NAMES = "twenty thirty forty fifty sixty seventy eighty ninety"
_TENS = {word: 10 * n for n, word in enumerate(_TEN_NAMES.split(), 2)}
_WORDS |= _TENS | {"fourty": 40}
_BIG = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
SCALES = _BIG | {"hundred": 100, "mn": 10**6, "mln": 10**6, "bn": 10**9, "bln": 10**9, "tn": 10**12}
SCALES |= {"thousands": 10**3, "millions": 10**6, "billions": 10**9, "trillions": 10**12, "dozen": 12}

_HAN_DIGITS = {c: n for n, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "○": 0, "两": 2}
_HAN_DIGITS |= {c: n for n, c in enumerate("壹贰叁肆伍陆柒捌玖", 1)}
_HAN_DIGITS |= dict(zip("貳參叄陸兩", (2, 3, 3, 6, 2), strict=True))
_HAN_SMALL = {"十": 10, "百": 100, "千": 1000, "拾": 10, "佰": 100, "仟": 1000}
_HAN_BIG = {"万": 10**4, "亿": 10**8, "萬": 10**4, "億": 10**8, "兆": 10**12}
_HAN_BIG_DESCENDING = sorted(_HAN_BIG.items(), key=lambda item: -item[1])
HAN_SCALES = _HAN_SMALL | _HAN_BIG
HAN_NUMERAL = "".join(_HAN_DIGITS) + "".join(_HAN_SMALL) + "".join(_HAN_BIG)

_WORD = "|".join(sorted(_WORDS, key=len, reverse=True))
_JOIN = r"(?:[ \t]+and[ \t]+|[ \t]*-[ \t]*|[ \t]+)"
_ANY = "|".join(sorted([*_WORDS, *_BIG, "hundred"], key=len, reverse=True))
_HEAD = re.compile(
    r"(?P<digits>(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?|\.\d+)"
    rf"|(?P<words>\b(?:{_WORD})\b(?:{_JOIN}(?:{_ANY})\b){{0,12}})"
    rf"|(?P<han>[{HAN_NUMERAL}]{{1,40}}(?:点[{''.join(_HAN_DIGITS)}]{{1,20}})?)",
    re.IGNORECASE,
)
_EN_SCALE = re.compile(rf"[ \t]*-?[ \t]*({'|'.join(sorted(SCALES, key=len, reverse=True))})\b", re.IGNORECASE)
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
    return text if text.isascii() else "".join(map(_fold_character, text))


@lru_cache(maxsize=4096)
def _fold_character(character: str) -> str:
    code = ord(character)
    if 0xFF01 <= code <= 0xFF5E:
        return chr(code - 0xFEE0)
    digit = unicodedata.decimal(character, None)
    if digit is not None:
        return str(digit)
    if character in "\u2010\u2011\u2012\u2013\u2014\u2212":
        return "-"
    return " " if character.isspace() and character != "\n" else character


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
        value, end = _english(text, match)
        scale = max((n for word, n in _BIG.items() if word in match.group().lower()), default=1)
        step = Fraction(scale) if value % scale == 0 else Fraction(1)
        return Numeral(match.start(), end, value, step, style, scale > 1)
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
    for pattern, scales in ((_EN_SCALE, SCALES), (_HAN_SCALE, HAN_SCALES)):
        for _ in range(2):
            scale = pattern.match(text, end)
            if scale is None:
                break
            factor = _factor(scale.group(1).lower(), scales)
            value, step, end, scaled = value * factor, step * factor, scale.end(), True
    if scaled and (more := _MORE_HAN.match(text, end)):
        rest = _with_scales(text, re.compile(r"\d+(?:\.\d+)?").match(text, more.start(1)) or more)
        if rest and rest.value < step:
            value, step, end = value + rest.value, rest.step, rest.end
    return Numeral(match.start(), end, value, step, "digits", scaled)


def _factor(word: str, scales: dict[str, int]) -> int:
    if word in scales:
        return scales[word]
    return math.prod(scales[character] for character in word)


def _english(text: str, match: re.Match[str]) -> tuple[Fraction, int]:
    """Value of "one hundred and five thousand", and where it ends: words that cannot continue the number
    are left."""
    total = group = 0
    last = ""
    end = match.start()
    for word in re.finditer(r"[A-Za-z]+", match.group()):
        name = word.group().lower()
        if name == "and":
            continue
        if name in _BIG:
            total, group = total + max(group, 1) * _BIG[name], 0
        elif name == "hundred":
            group = max(group, 1) * 100
        else:
            if last in _WORDS and not (last in _TENS and 0 < _WORDS[name] < 10):
                break
            group += _WORDS[name]
        last, end = name, match.start() + word.end()
    return Fraction(total + group), end


def parse_han(numeral: str) -> Fraction | None:
    """Value of a Chinese numeral: 三十, 二十万, 一百零五, 二〇二一, 三点五, 壹拾万. None where it is none
    (三四十, 一一)."""
    whole, point, decimals = numeral.partition("点")
    value = _han_whole(whole)
    if value is None or (point and not decimals):
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
