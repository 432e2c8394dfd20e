"""The style of a page: rules for its elements, and the words that they put beside them (CSS 2.2, 12): what
`::before` and `::after` say, with counters, which number headings, clauses and items."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rag.languages import Patterns
from rag.parsers.docx_styles import written
from rag.parsers.marks import marked, without_signs
from rag.types import MarkKind

_RE = Patterns(__file__)
FORMS = _RE.pairs("forms")
_STEPS = {"counter-reset": 0, "counter-increment": 1, "counter-set": 0}
_CELLS = ("td", "th")
_PROPERTIES = _RE.words("properties")
# For each element its declarations.
Rules = dict[int, dict[str, str]]


def read_rules(tree: Any, most: int) -> tuple[Rules, Generated]:
    """What the rules of a page say of its elements and of what stands beside them, later ones before earlier
    ones; so many rules `most`."""
    from selectolax.lexbor import SelectolaxError

    found, generated = Rules(), Generated()
    rules = [rule for sheet in tree.css("style") for rule in _rules(sheet.text())]
    for selector, declared in rules[:most]:
        beside = [_RE["beside"].fullmatch(one) for one in selector.split(",")] if ":" in selector else [None]
        for part in beside if all(beside) else [None]:
            try:
                nodes = tree.css((part[1] or "*") if part else selector)
            except SelectolaxError:
                continue
            for node in nodes:
                key = (node.mem_id, part[2]) if part else None
                own = generated.declared.setdefault(key, {}) if key else found.setdefault(node.mem_id, {})
                own.update(declared)
    return found, generated


def declarations(text: str) -> dict[str, str]:
    """The declarations that matter here, of a style attribute or of the body of a rule."""
    found: dict[str, str] = {}
    text = _RE["opacity"].sub("", text) if "opacity" in text and _RE["moving"].search(text) else text
    for part in text.split(";"):
        name, colon, value = part.partition(":")
        name = name.strip().lower()
        if colon and name in _PROPERTIES:
            value = value.replace("!important", "").strip()
            found[name] = value if name == "content" else value.lower()
    return found


def _rules(sheet: str) -> list[tuple[str, dict[str, str]]]:
    """(selector, declarations) of the rules for a screen; what they make transparent is shown by a script."""
    text = _RE["comment"].sub("", sheet[:1_000_000])
    text = _RE["at_rule"].sub(lambda rule: (_RE["screen"].match(rule[0]) and rule[1]) or "", text)
    rules = ((m[1].strip(), declarations(_RE["opacity"].sub("", m[2]))) for m in _RE["rule"].finditer(text))
    return [(selector, declared) for selector, declared in rules if declared]


class Generated:
    """What rules say of parts beside elements ("before", "after"), and the counters as they stand where the
    page is walked."""

    def __init__(self) -> None:
        self.declared: dict[tuple[int, str], dict[str, str]] = {}  # by element and part
        self._counts: dict[str, list[list[int]]] = {}  # by name, from the outermost: depth and count
        self._begun: list[tuple[int, str]] = []  # the depths of counters, with their names
        self._depth = 0

    def open(self, style: Mapping[str, str], *, shown: bool = True) -> None:
        """An element begins; what is not shown is not counted."""
        self._depth += 1
        if shown and style:
            self._count(style)

    def close(self) -> None:
        """The last one that began ends, and with it the counters of what stands in it."""
        self._depth -= 1
        while self._begun and self._begun[-1][0] > self._depth + 1:
            self._counts[self._begun.pop()[1]].pop()

    def words(self, node: Any, part: str) -> str:
        """What stands in a part beside the element, "" for nothing and ornaments; counted under a mark."""
        style = self.declared.get((node.mem_id, part), {})
        content = style.get("content", "")
        # What stands in an attribute of a cell is the head of its column.
        if not content or style.get("display") == "none" or ("attr(" in content and node.tag in _CELLS):
            return ""
        self._count(style)
        said, counted = "", False
        for token in _RE["content"].finditer(content):
            if token["name"]:
                form = FORMS.get(token["form"] or "decimal", "decimal")
                counts = [count for _, count in self._counts.get(token["name"]) or [[0, 0]]]
                numbers = [written(n, form) for n in (counts if token["joint"] is not None else counts[-1:])]
                said, counted = said + (token["joint"] or "").join(numbers), True
            elif token["attribute"]:
                said += node.attributes.get(token["attribute"]) or ""
            else:
                text = token["text"] or ""
                said += _RE["escape"].sub(lambda c: c[2] or chr(min(int(c[1], 16), 0x10FFFF)), text)
        said = _RE["icon"].sub("", without_signs(said))
        bare = said.rstrip()
        if counted:
            return marked(MarkKind.NUMBERED, bare) + said[len(bare) :]
        return "" if _RE["ornament"].fullmatch(said) else said

    def _count(self, style: Mapping[str, str]) -> None:
        for kind, usual in _STEPS.items():
            for step in _RE["step"].finditer(style.get(kind, "")):
                counts = self._counts.setdefault(step[1], [])
                number = int(step[2] or usual)
                if (kind == "counter-reset" and (not counts or counts[-1][0] != self._depth)) or not counts:
                    counts.append([self._depth, 0])
                    self._begun.append((self._depth, step[1]))
                counts[-1][:] = [counts[-1][0], number + counts[-1][1] * (kind == "counter-increment")]
