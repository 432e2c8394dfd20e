"""The styles of a Word file: what paragraphs and runs inherit from them (ISO/IEC 29500-1, 17.7); and what
signs the symbol fonts have for the letters that stand in it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from rag.languages import Patterns

_RE = Patterns(__file__)
W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
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
_LEAST_SHIFT = 4  # half-points by which text is moved that reads as raised or lowered


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
        for style in self._chain(identifier):
            number = style.find(f"{W}pPr/{W}numPr/{W}numId")
            if number is not None:
                return value(number), integer(style.find(f"{W}pPr/{W}numPr/{W}ilvl"))
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
            self._looks[key] = RunLook(
                struck=bool(said["strike"] or said.get("dstrike")),
                hidden=bool(said["vanish"]),
                white=bool(said.get("white") and not said.get("backed")),
                set_off=bool(said.get("set_off")),
                shift=said.get("shift") or 0,
                font=said.get("font") or "",
            )
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
            found.setdefault("shift", (moved >= _LEAST_SHIFT) - (moved <= -_LEAST_SHIFT))
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
