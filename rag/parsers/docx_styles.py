"""The styles of a Word file: what paragraphs and runs inherit from them (ISO/IEC 29500-1, 17.7); what signs
symbol fonts have for the letters that stand in it; and the numbers that Word counts itself (17.9).

Lists that share their abstract definition are counted on, as Word does; a level that is passed over has its
first number."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from rag.facts.numerals import HAN_DIGITS, NUMERALS
from rag.facts.references import han
from rag.languages import Patterns, union
from rag.parsers.office import W

_RE = Patterns(__file__)
_HEADING_STYLE = re.compile(r"(?:heading|标题|überschrift|titre)\s*([1-9])$", re.I)
_DEEP = 12  # a style that is based on more than that is based on itself
_OFF = ("0", "false", "off")
_WHITE = ("FFFFFF", "white")
_SIGNS = {
    (place.split(":")[0], int(place.split(":")[1], 16) + n): sign
    for place, row in _RE.pairs("fonts").items()
    for n, sign in enumerate(row)
}
_SYMBOL_FONTS = {font for font, _ in _SIGNS}
TICKED, UNTICKED = "☒", "☐"
LEAST_SHIFT = 4  # half-points by which text is moved that reads as raised or lowered
_LEVELS = 9
_ROMAN = _RE.pairs("roman")
# The signs of forms by their names.
_LETTERS, _ONCE = _RE.pairs("letters"), _RE.pairs("signs")
_DIGITS, _DEEDS = _RE.pairs("digits"), _RE.pairs("deeds")
_HAN, _COUNTED = _RE.words("han"), _RE.words("counted")
_WORDS = {n: word for word, n in reversed(NUMERALS.items()) if word.isascii()}
_ORDINALS = {n: re.sub("y$", "ie", re.sub("ve$", "f", word)) + "th" for n, word in _WORDS.items()} | {
    n: word
    for word, n in union(lambda language: language.ordinals).items()
    if word.isascii() and word.isalpha()
}


@dataclass(frozen=True, slots=True)
class RunLook:
    """How a run stands on the page: whether struck, hidden (or white, where nothing dark lies behind it), set
    off by a line below or a colour, `shift` 1 raised, -1 lowered, and its font."""

    struck: bool = False
    hidden: bool = False
    white: bool = False
    set_off: bool = False
    shift: int = 0
    font: str = ""


# What one place says of a run: "strike", "dstrike", "vanish", "white", "backed", "set_off", "shift", "font".
_Asked = Mapping[str, Any]


class Styles:
    """The styles of one file, by id."""

    def __init__(self, root: Any) -> None:
        """`root`: of styles.xml, or None."""
        self._styles: dict[str, Any] = {}
        self.default = ""
        for style in root.iterchildren(W + "style") if root is not None else ():
            identifier = style.get(W + "styleId") or ""
            self._styles[identifier] = style
            if style.get(W + "type") == "paragraph" and style.get(W + "default") not in (None, *_OFF):
                self.default = identifier
        self._chain = cache(self._chain_of)
        self._style = cache(self._asked_of)
        self._looks: dict[tuple[str, str, tuple[tuple[str, Any], ...]], RunLook] = {}

    def _chain_of(self, identifier: str) -> list[Any]:
        """The style and those that it is based on."""
        found: list[Any] = []
        while identifier in self._styles and len(found) < _DEEP:
            found.append(self._styles[identifier])
            identifier = value(found[-1].find(W + "basedOn"))
        return found

    def _asked_of(self, identifier: str) -> _Asked:
        said = [_asked(style.find(W + "rPr")) for style in reversed(self._chain(identifier))]
        return {name: value for one in said for name, value in one.items()}

    def level(self, identifier: str) -> int:
        """The heading level of a paragraph style, 1 to 9; -1 for that of titles, 0 for none: by its name, by
        its outline level, or as the style that it is based on."""
        for style in self._chain(identifier):
            name = value(style.find(W + "name")).strip()
            outline = integer(style.find(f"{W}pPr/{W}outlineLvl"))
            if match := _HEADING_STYLE.match(name):
                return int(match.group(1))
            if name.lower() in ("title", "标题"):
                return -1
            if outline is not None:
                return outline + 1 if outline < 9 else 0
        return 0

    def numbering(self, identifier: str) -> tuple[str, int | None]:
        """The id of the list that a style belongs to ("": none) and its level there, where it says it."""
        level: int | None = None
        for style in self._chain(identifier):
            level = integer(style.find(f"{W}pPr/{W}numPr/{W}ilvl")) if level is None else level
            number = style.find(f"{W}pPr/{W}numPr/{W}numId")
            if number is not None:
                return value(number), level
        return "", None

    def shades(self, identifier: str) -> bool:
        """Whether a table style lays a colour behind cells."""
        return any(is_dark(shade) for style in self._chain(identifier) for shade in style.iter(W + "shd"))

    def backed(self, paragraph: str) -> bool:
        """Whether a paragraph style lays a colour behind its words."""
        return any(is_dark(style.find(f"{W}pPr/{W}shd")) for style in self._chain(paragraph))

    def look(self, properties: Any, paragraph: str) -> RunLook:
        """How a run with these properties (w:rPr, or None) stands in a paragraph of this style."""
        own = _asked(properties)
        named = value(properties.find(W + "rStyle")) if properties is not None else ""
        key = (paragraph, named, tuple(own.items()))
        if key not in self._looks:
            outer, inner = self._style(paragraph), self._style(named)
            # In both a paragraph's and a character's style, these cancel out (17.7.3).
            toggled = {n: bool(outer.get(n)) != bool(inner.get(n)) for n in ("strike", "vanish")}
            said = {**outer, **inner, **toggled, **own}
            struck, hidden = bool(said["strike"] or said.get("dstrike")), bool(said["vanish"])
            white, set_off = bool(said.get("white") and not said.get("backed")), bool(said.get("set_off"))
            shift, font = said.get("shift") or 0, said.get("font") or ""
            self._looks[key] = RunLook(struck, hidden, white, set_off, shift, font)
        return self._looks[key]


def _asked(properties: Any) -> _Asked:
    found: dict[str, Any] = {}
    for child in properties.iterchildren() if properties is not None else ():
        name = child.tag.rpartition("}")[2] if isinstance(child.tag, str) else ""
        if name in ("strike", "dstrike", "vanish"):
            found[name] = is_on(child)
        elif name == "color":
            found["white"] = value(child) in _WHITE
            found["set_off"] = found.get("set_off") or value(child) not in ("auto", "000000", *_WHITE)
        elif name == "u":
            found["set_off"] = found.get("set_off") or value(child) != "none"
        elif name == "shd" or name == "highlight":
            found["backed"] = is_dark(child) or found.get("backed", False)
        elif name == "vertAlign":
            found["shift"] = {"superscript": 1, "subscript": -1}.get(value(child), 0)
        elif name == "position" and value(child).lstrip("-").isdigit():
            moved = int(value(child))
            found.setdefault("shift", (moved >= LEAST_SHIFT) - (moved <= -LEAST_SHIFT))
        elif name == "rFonts":
            found |= {"font": font} if (font := child.get(W + "ascii") or child.get(W + "hAnsi")) else {}
    return found


def value(element: Any) -> str:
    """`w:val`; "" without it."""
    return (element.get(W + "val") or "") if element is not None else ""


def integer(element: Any) -> int | None:
    """`w:val` as a number; None for anything else."""
    said = value(element)
    return int(said) if said.isdecimal() else None


def is_on(element: Any) -> bool:
    """Whether a property that is on or off is there and on."""
    return element is not None and element.get(W + "val") not in _OFF


def is_dark(element: Any) -> bool:
    """Whether a shading or a highlight lays something behind words on which white ones show."""
    if element is None:
        return False
    if element.tag == W + "highlight":
        return value(element) not in ("", "none", "white")
    fill = (element.get(W + "fill") or "auto").upper()
    patterned = value(element) not in ("", "clear", "nil")
    return (
        patterned
        or fill not in ("AUTO", "FFFFFF")
        or element.get(W + "themeFill") not in (None, "background1")
    )


def symbol(font: str, code: int) -> str:
    """What a character of a font shows: `code` 0x20 to 0xFF, or with 0xF000 added as files have it. "" for
    signs of a symbol font that are not known, the character itself for other fonts."""
    place = code - 0xF000 if 0xF000 <= code <= 0xF0FF else code
    if is_symbol_font(font) or code != place:
        name = "".join(font.split()).casefold() if is_symbol_font(font) else "symbol"  # which files leave out
        return _SIGNS.get((name, place), " " if place == 0x20 else "")
    return chr(code) if 0x20 <= code < 0x110000 else ""


def is_symbol_font(font: str) -> bool:
    """Whether letters typed in this font show signs."""
    return "".join(font.split()).casefold() in _SYMBOL_FONTS


class _Level:
    """A level of a list as it is defined (w:lvl), or as it is where that says nothing."""

    def __init__(self, element: Any = None) -> None:
        start, restart = _value(element, "start"), _value(element, "lvlRestart")
        self.start = int(start) if start.lstrip("-").isdigit() else int(element is None)
        self.text = _value(element, "lvlText")
        self.suffix = "" if _value(element, "suff") == "nothing" else " "
        # -1: after any level above; 0: never; n: after level n or one above that
        self.restart = int(restart) if restart.isdigit() else -1
        self.style = _value(element, "pStyle")
        self.legal = element is not None and is_on(element.find(W + "isLgl"))
        self.shown = element is None or not is_on(element.find(f"{W}rPr/{W}vanish"))
        form = None if element is None else next(element.iter(W + "numFmt"), None)  # or of an alternative
        example = None if form is None else re.match("0+1", form.get(W + "format") or "")
        self.form = (None if form is None else form.get(W + "val")) or "decimal"
        if self.form == "custom" and example:  # shown by an example: "001, 002, 003, ..."
            self.form = f"zeros{len(example[0])}"


class Numbering:
    """Counts through a document: one call of `number` for each numbered paragraph, in order."""

    def __init__(self, root: Any, styles: Styles) -> None:
        """`root`: of numbering.xml, or None."""
        self._styles = styles
        both = (root.findall(W + kind) if root is not None else [] for kind in ("abstractNum", "num"))
        self._abstract, self._lists = ({e.get(f"{e.tag}Id", ""): e for e in found} for found in both)
        self._list = cache(self._defined)
        self._counts: dict[str, list[int | None]] = {}
        self._begun: set[tuple[str, int]] = set()

    def place(self, properties: Any) -> tuple[str, int | None, int | None, str]:
        """Of a paragraph (its w:pPr) the style id, its own outline level (1 to 9, None: as the style says),
        depth in a list (None: in none) and the id of the list whose numbers are counted ("": none)."""
        found = (f"{W}pStyle", f"{W}outlineLvl", f"{W}numPr/{W}numId", f"{W}numPr/{W}ilvl")
        named, lined, number, ilvl = (properties.find(n) if properties is not None else None for n in found)
        style, outline, level = value(named), integer(lined), integer(ilvl)
        own = value(number) if number is not None else None
        styled, styled_level = self._styles.numbering(style or self._styles.default)
        number_id = styled if own is None else own
        number_id = "" if number_id == "0" else number_id
        listed: int | None = None
        if number_id:
            of_style = (n for n, one in enumerate(self._list(number_id)[1]) if one.style == style and style)
            listed = next((n for n in (level, styled_level) if n is not None), next(of_style, 0))
        elif style.lower().startswith("list") and style.lower() != "listcontents" and own is None:
            listed = 0
        return style, (outline + 1 if outline is not None and outline < 9 else None), listed, number_id

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
        if own.form == "bullet" or not own.shown:
            return ""
        numbers = {}
        for n, (one, count) in enumerate(zip(levels[: level + 1], counts, strict=False), 1):
            form = "decimal" if own.legal and one.form not in ("bullet", "none") else one.form
            numbers[str(n)] = written(count or 0, form)
        text = _RE["place"].sub(lambda place: numbers.get(place[1], ""), own.text).strip()
        return f"{text}{own.suffix}" if text else ""

    def _defined(self, number_id: str) -> tuple[str, list[_Level], dict[int, int]]:
        """The id of the abstract definition, its levels as this list has them, and their starts."""
        element = self._lists.get(number_id)
        abstract = _value(element, "abstractNumId")
        for _ in range(_LEVELS):  # a definition may stand in a style: the list that this one names
            style = _value(self._abstract.get(abstract), "numStyleLink")
            linked = self._lists.get(self._styles.numbering(style)[0]) if style else None
            if linked is None:
                break
            abstract = _value(linked, "abstractNumId")
        if element is None or abstract not in self._abstract:
            return abstract, [], {}
        levels, starts = [_Level()] * _LEVELS, {}
        for child in self._abstract[abstract].iterchildren(W + "lvl"):
            levels[_place(child)] = _Level(child)
        for change in element.iterchildren(W + "lvlOverride"):
            n, own = _place(change), change.find(W + "lvl")
            levels[n] = _Level(own) if own is not None else levels[n]
            if (start := _value(change, "startOverride")).isdigit() or own is not None:
                starts[n] = int(start) if start.isdigit() else levels[n].start
        return abstract, levels, starts


def _value(element: Any, name: str) -> str:
    return value(element.find(W + name)) if element is not None else ""


def _place(element: Any) -> int:
    said = element.get(W + "ilvl", "0")
    return min(int(said), _LEVELS - 1) if said.isdigit() else 0


def written(number: int, form: str) -> str:
    """A number in one of Word's forms (ST_NumberFormat): "iv", "D", "3rd", "二十一", "③"; in digits where the
    form is none that is known or has no such number."""
    if form == "none" or (number == 0 and form in _LETTERS):
        return ""
    if not 0 <= number <= 32767:
        return str(number)
    if form.startswith("zeros"):
        return str(number).zfill(int(form[5:]))
    if signs := _LETTERS.get(form):  # a to z, then aa, bb: as often as they were gone through
        return signs[(number - 1) % len(signs)] * ((number - 1) // len(signs) + 1)
    if signs := _ONCE.get(form):
        return signs[number - 1] if 0 < number <= len(signs) else str(number)
    if digits := _DIGITS.get(form, _DIGITS["ideographDigital"] if form in _COUNTED and number > 99 else ""):
        return "".join(digits[int(digit)] for digit in str(number))
    if form in _HAN or form in _COUNTED:
        return han(number) if number < 10_000 else str(number)
    if letters := _DEEDS.get(form):
        words = han(number) if number < 10_000 else str(number)
        words = f"{HAN_DIGITS[1]}{words}" if words.startswith("十") else words
        return words.translate(str.maketrans(f"{HAN_DIGITS}十百千", letters))
    return _FORMS[form](number) if form in _FORMS else str(number)


def _roman(number: int) -> str:
    found = ""
    for worth, letters in _ROMAN.items():
        found += letters * (number // int(worth))
        number %= int(worth)
    return found


def _ordinal(number: int) -> str:
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _in_words(number: int, last: Mapping[int, str] = _WORDS) -> str:
    """First, Twenty-one: up to 99."""
    tens, ones = (number // 10 * 10, number % 10) if number > 20 else (0, number)
    words = [_WORDS.get(tens, ""), last.get(ones, "")] if tens and ones else [last.get(tens or ones, "")]
    return "-".join(words).capitalize() if number < 100 and all(words) else str(number)


_FORMS: dict[str, Callable[[int], str]] = {
    "decimalZero": "{:02d}".format, "numberInDash": "- {} -".format, "hex": "{:X}".format,
    "upperRoman": _roman, "lowerRoman": lambda number: _roman(number).lower(), "ordinal": _ordinal,
    "cardinalText": _in_words, "ordinalText": lambda number: _in_words(number, _ORDINALS),
}  # fmt: skip
