"""The numbers of a Word file that Word counts itself (ISO/IEC 29500-1, 17.9): lists and numbered headings,
their levels, restarts and forms.

Lists that share their abstract definition are counted on, as Word does; a level that is passed over has its
first number."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rag.facts.numerals import HAN_DIGITS, NUMERALS
from rag.facts.references import han
from rag.languages import union

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_LEVELS = 9
_PLACE = re.compile("%([1-9])")
_ROMAN = ((1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"), (50, "L"), (40, "XL"),
          (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"))  # fmt: skip
_DIGITS = f"〇{HAN_DIGITS[1:]}"
_WORDS = {n: word for word, n in reversed(NUMERALS.items()) if word.isascii()}
_ORDINALS = {n: re.sub("y$", "ie", re.sub("ve$", "f", word)) + "th" for n, word in _WORDS.items()} | {
    n: word
    for word, n in union(lambda language: language.ordinals).items()
    if word.isascii() and word.isalpha()
}


@dataclass(frozen=True, slots=True)
class _Level:
    start: int = 1
    form: str = "decimal"
    text: str = ""
    suffix: str = " "
    restart: int = -1  # -1: after any level above; 0: never; n: after level n or one above that
    legal: bool = False
    style: str = ""
    shown: bool = True


class Numbering:
    """Counts through a document: one call of `number` for each numbered paragraph, in order."""

    def __init__(self, root: Any, style_number: Callable[[str], tuple[str, int | None]]) -> None:
        """`root`: of numbering.xml, or None. `style_number`: the number id and level of a style."""
        self._abstract: dict[str, Any] = {}
        self._lists: dict[str, Any] = {}
        self._style_number = style_number
        for element in root.iterchildren(_W + "abstractNum") if root is not None else ():
            self._abstract[element.get(_W + "abstractNumId", "")] = element
        for element in root.iterchildren(_W + "num") if root is not None else ():
            self._lists[element.get(_W + "numId", "")] = element
        self._levels: dict[str, tuple[str, list[_Level], dict[int, int]]] = {}
        self._counts: dict[str, list[int | None]] = {}
        self._begun: set[tuple[str, int]] = set()

    def level_of(self, number_id: str, style: str) -> int:
        """The level of a list that belongs to a paragraph style; 0 where none does."""
        _, levels, _ = self._list(number_id)
        return next((n for n, level in enumerate(levels) if level.style == style and style), 0)

    def number(self, number_id: str, level: int) -> str:
        """The next number of a list at a level (0 to 8), with what separates it from the words behind; "" for
        bullets, for numbers that are not shown and for a list that is not defined."""
        abstract, levels, starts = self._list(number_id)
        if not levels:
            return ""
        level = min(max(level, 0), _LEVELS - 1)
        counts = self._counts.setdefault(abstract, [None] * _LEVELS)
        if level in starts and (number_id, level) not in self._begun:
            counts[level] = None
        self._begun.add((number_id, level))
        for n in range(level):
            if counts[n] is None:
                counts[n] = starts.get(n, levels[n].start)
        here = counts[level]
        counts[level] = starts.get(level, levels[level].start) if here is None else here + 1
        for n in range(level + 1, _LEVELS):
            restart = levels[n].restart
            if restart < 0 or level < restart:
                counts[n] = None
        own = levels[level]

        def shown(place: re.Match[str]) -> str:
            n = int(place[1]) - 1
            value = counts[n] if n <= level else None
            form = "decimal" if own.legal and levels[n].form not in ("bullet", "none") else levels[n].form
            return "" if value is None else written(value, form)

        if own.form == "bullet" or not own.shown:
            return ""
        text = _PLACE.sub(shown, own.text).strip()
        return f"{text}{own.suffix}" if text else ""

    def _list(self, number_id: str) -> tuple[str, list[_Level], dict[int, int]]:
        """The id of the abstract definition, its levels as this list changes them, and the numbers that it
        starts its levels with."""
        if number_id not in self._levels:
            element = self._lists.get(number_id)
            abstract = _value(element, "abstractNumId") if element is not None else ""
            for _ in range(_LEVELS):  # a definition may stand in a style: the list that this one names
                style = _value(self._abstract.get(abstract), "numStyleLink")
                linked = self._lists.get(self._style_number(style)[0]) if style else None
                if linked is None:
                    break
                abstract = _value(linked, "abstractNumId")
            levels: list[_Level] = []
            starts: dict[int, int] = {}
            if element is not None and abstract in self._abstract:
                levels = [_Level()] * _LEVELS
                for child in self._abstract[abstract].iterchildren(_W + "lvl"):
                    levels[_place(child)] = _level(child)
                for change in element.iterchildren(_W + "lvlOverride"):
                    n = _place(change)
                    own = change.find(_W + "lvl")
                    levels[n] = _level(own) if own is not None else levels[n]
                    if (start := _value(change, "startOverride")).isdigit():
                        starts[n] = int(start)
                    elif own is not None:
                        starts[n] = levels[n].start
            self._levels[number_id] = abstract, levels, starts
        return self._levels[number_id]


def _value(element: Any, name: str) -> str:
    found = element.find(_W + name) if element is not None else None
    return (found.get(_W + "val") or "") if found is not None else ""


def _place(element: Any) -> int:
    value = element.get(_W + "ilvl", "0")
    return min(int(value), _LEVELS - 1) if value.isdigit() else 0


def _level(element: Any) -> _Level:
    form = next((e for e in element.iter(_W + "numFmt")), None)  # one of another namespace's alternatives
    start, restart = _value(element, "start"), _value(element, "lvlRestart")
    legal, hidden = element.find(_W + "isLgl"), element.find(f"{_W}rPr/{_W}vanish")
    return _Level(
        int(start) if start.lstrip("-").isdigit() else 0,
        _form(form),
        _value(element, "lvlText"),
        "" if _value(element, "suff") == "nothing" else " ",
        int(restart) if restart.isdigit() else -1,
        _is_on(legal),
        _value(element, "pStyle"),
        not _is_on(hidden),
    )


def _is_on(element: Any) -> bool:
    return element is not None and element.get(_W + "val") not in ("0", "false", "off")


def _form(element: Any) -> str:
    """The name of a form; of one that is shown by an example ("001, 002, 003, ...") that of its zeros."""
    if element is None:
        return "decimal"
    example = re.match("0+1", element.get(_W + "format") or "")
    name = element.get(_W + "val") or "decimal"
    return f"zeros{len(example[0])}" if name == "custom" and example else name


def written(value: int, form: str) -> str:
    """A number in one of Word's forms (ST_NumberFormat): "iv", "D", "3rd", "二十一", "③"; in digits where the
    form is none that is known or has no such number."""
    if form == "none":
        return ""
    if value < 0 or value > 32767:
        return str(value)
    if form.startswith("zeros"):
        return str(value).zfill(int(form[5:]))
    return _FORMS[form](value) if form in _FORMS else str(value)


def _roman(value: int) -> str:
    found = ""
    for worth, letters in _ROMAN:
        found += letters * (value // worth)
        value %= worth
    return found


def _letters(alphabet: str) -> Callable[[int], str]:
    """a to z, then aa, bb: the letter as often as the alphabet was gone through."""
    size = len(alphabet)
    return lambda value: alphabet[(value - 1) % size] * ((value - 1) // size + 1) if value else ""


def _from(first: str, most: int, zero: str = "") -> Callable[[int], str]:
    """Characters in a row, the one of 1 first; digits beyond them."""
    return lambda value: (
        chr(ord(first) + value - 1) if 0 < value <= most else zero if zero and not value else str(value)
    )


def _cycle(signs: str) -> Callable[[int], str]:
    return lambda value: signs[value - 1] if 0 < value <= len(signs) else str(value)


def _ordinal(value: int) -> str:
    ending = "th" if value % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(value % 10, "th")
    return f"{value}{ending}"


def _in_words(ordinal: bool) -> Callable[[int], str]:
    """First, Twenty-one: up to 99."""

    def write(value: int) -> str:
        tens, ones = (value // 10 * 10, value % 10) if value > 20 else (0, value)
        last = _ORDINALS if ordinal else _WORDS
        words = [_WORDS.get(tens, ""), last.get(ones, "")] if tens and ones else [last.get(tens or ones, "")]
        return "-".join(words).capitalize() if value < 100 and all(words) else str(value)

    return write


def _digits(digits: str) -> Callable[[int], str]:
    return lambda value: "".join(digits[int(d)] for d in str(value))


def _han(value: int) -> str:
    return han(value) if value < 10_000 else str(value)


def _counting(value: int) -> str:
    """Chinese counting: words up to 99, digit by digit beyond."""
    return han(value) if value < 100 else _digits(_DIGITS)(value)


def _legal(letters: str) -> Callable[[int], str]:
    """The same number in the letters of deeds (壹拾贰)."""
    table = str.maketrans(f"{HAN_DIGITS}十百千", letters)

    def write(value: int) -> str:
        words = _han(value)
        return (f"{HAN_DIGITS[1]}{words}" if words.startswith("十") else words).translate(table)

    return write


_FORMS: dict[str, Callable[[int], str]] = {
    "decimalZero": lambda value: f"{value:02d}",
    "upperRoman": _roman,
    "lowerRoman": lambda value: _roman(value).lower(),
    "upperLetter": _letters("ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    "lowerLetter": _letters("abcdefghijklmnopqrstuvwxyz"),
    "russianLower": _letters("абвгдежзиклмнопрстуфхцчшщыэюя"),
    "russianUpper": _letters("АБВГДЕЖЗИКЛМНОПРСТУФХЦЧШЩЫЭЮЯ"),
    "ordinal": _ordinal,
    "cardinalText": _in_words(ordinal=False),
    "ordinalText": _in_words(ordinal=True),
    "hex": lambda value: f"{value:X}",
    "chicago": _letters("*†‡§"),
    "numberInDash": lambda value: f"- {value} -",
    "decimalFullWidth": _digits("０１２３４５６７８９"),
    "decimalFullWidth2": _digits("０１２３４５６７８９"),
    "decimalEnclosedFullstop": _from("⒈", 20),
    "decimalEnclosedParen": _from("⑴", 20),
    **dict.fromkeys(("decimalEnclosedCircle", "decimalEnclosedCircleChinese"), _from("①", 20, "⓪")),
    "ideographEnclosedCircle": _from("㊀", 10),
    "ideographTraditional": _cycle("甲乙丙丁戊己庚辛壬癸"),
    "ideographZodiac": _cycle("子丑寅卯辰巳午未申酉戌亥"),
    **dict.fromkeys(("chineseCounting", "taiwaneseCounting"), _counting),
    **dict.fromkeys(
        ("chineseCountingThousand", "taiwaneseCountingThousand", "japaneseCounting", "koreanCounting"), _han
    ),
    **dict.fromkeys(
        ("ideographDigital", "taiwaneseDigital", "japaneseDigitalTenThousand", "koreanDigital2"),
        _digits(_DIGITS),
    ),
    "chineseLegalSimplified": _legal("零壹贰叁肆伍陆柒捌玖拾佰仟"),
    "ideographLegalTraditional": _legal("零壹貳參肆伍陸柒捌玖拾佰仟"),
    "japaneseLegal": _legal("零壱弐参四伍六七八九拾百阡"),
    "koreanDigital": _digits("영일이삼사오육칠팔구"),
    "ganada": _cycle("가나다라마바사아자차카타파하"),
    "chosung": _cycle("ㄱㄴㄷㄹㅁㅂㅅㅇㅈㅊㅋㅌㅍㅎ"),
    **dict.fromkeys(
        ("aiueo", "aiueoFullWidth"),
        _letters(
            "アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワヲン"
        ),
    ),
    **dict.fromkeys(
        ("iroha", "irohaFullWidth"),
        _letters(
            "イロハニホヘトチリヌルヲワカヨタレソツネナラムウヰノオクヤマケフコエテアサキユメミシヱヒモセスン"
        ),
    ),
}
