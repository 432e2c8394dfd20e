"""What the style of an element says about its words: struck, hidden, raised, lowered, of the colour of what
lies behind them. Style attributes and the rules of <style>, whose selectors are the library's business; style
sheets beside the page are not read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from rag.languages import Patterns

_RE = Patterns(__file__)
_PROPERTIES = _RE.words("properties")
_INLINE = _RE.words("inline")
_COLOURS = _RE.pairs("colours")
_MOST_RULES = 400
_MOST_WORK = 200_000_000  # characters of the page times rules that are looked for in it
Declarations = Mapping[str, str]
_NONE: Declarations = {}


class PageStyles:
    """The declarations that hold for the elements of a page, later rules before earlier ones.
    `outside`: there are style sheets that are not read."""

    def __init__(self, tree: Any, size: int) -> None:
        from selectolax.lexbor import SelectolaxError

        self._rules: dict[int, dict[str, str]] = {}
        self.outside = tree.css_first('link[rel~="stylesheet" i]') is not None
        left = min(_MOST_RULES, _MOST_WORK // max(size, 1))
        for sheet in tree.css("style"):
            for selector, declared in _rules(sheet.text()):
                if left <= 0:
                    return
                left -= 1
                try:
                    found = tree.css(selector)
                except SelectolaxError:
                    continue
                for node in found:
                    self._rules.setdefault(node.mem_id, {}).update(declared)

    @property
    def any(self) -> bool:
        """Whether there are rules that matter."""
        return bool(self._rules)

    def by_rule(self, node: Any) -> Declarations:
        """What the rules say of an element."""
        return self._rules.get(node.mem_id, _NONE) if self._rules else _NONE


def declarations(text: str) -> dict[str, str]:
    """The declarations that matter here, of a style attribute or of the body of a rule."""
    found: dict[str, str] = {}
    text = _RE["opacity"].sub("", text) if "opacity" in text and _RE["moving"].search(text) else text
    for part in text.split(";"):
        name, colon, value = part.partition(":")
        name = name.strip().lower()
        if colon and name in _PROPERTIES:
            found[name] = value.replace("!important", "").strip().lower()
    return found


def _rules(sheet: str) -> list[tuple[str, dict[str, str]]]:
    """(selector, declarations) of the rules for a screen; what they make transparent is shown by a script."""
    text = _RE["at_rule"].sub(_of_screen, _RE["comment"].sub("", sheet[:1_000_000]))
    rules = ((m[1].strip(), declarations(_RE["opacity"].sub("", m[2]))) for m in _RE["rule"].finditer(text))
    return [(selector, declared) for selector, declared in rules if declared]


def _of_screen(rule: re.Match[str]) -> str:
    return rule[1] if rule[1] and _RE["screen"].match(rule[0]) else ""


def is_hidden(style: Declarations) -> bool:
    """Not drawn at all, or without any size or ink."""
    return (
        style.get("display") == "none"
        or style.get("visibility") in ("hidden", "collapse")
        or _RE["nothing"].fullmatch(style.get("opacity", "1")) is not None
        or _RE["nothing"].fullmatch(style.get("font-size", "1")) is not None
    )


def is_struck(style: Declarations) -> bool:
    return "line-through" in style.get("text-decoration", "") + style.get("text-decoration-line", "")


def shift(tag: str, style: Declarations) -> int:
    """1 for raised, -1 for lowered, 0 for text on its line."""
    if tag in ("sup", "sub"):
        return 1 if tag == "sup" else -1
    if not style or tag not in _INLINE:
        return 0
    align, top = style.get("vertical-align", ""), style.get("top", "")
    if style.get("position") == "relative" and _RE["length"].match(top):
        return 1 if top.startswith("-") else -1
    if align == "super" or (_RE["length"].match(align) and not align.startswith("-")):
        return 1
    return -1 if align == "sub" or _RE["length"].match(align) else 0


def colour(value: str) -> str:
    """A colour as six hexadecimal digits, "" for one that is not known: a picture, a variable, a mixture."""
    value = value.strip().lower()
    value = _COLOURS.get(value, value)
    if hexadecimal := _RE["hexadecimal"].fullmatch(value):
        digits = hexadecimal[1]
        return "".join(c * 2 for c in digits) if len(digits) == 3 else digits
    if rgb := _RE["rgb"].fullmatch(value):
        return "".join(f"{min(int(n), 255):02x}" for n in rgb.groups())
    return ""
