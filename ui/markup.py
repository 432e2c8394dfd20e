"""HTML that is escaped unless it was built here: the only way that text from a document reaches the page.

`tag("p", name)` escapes `name`; `tag("p", tag("b", name))` does not escape the inner element, because `tag`
returns `Markup` and everything else is text. There is no function that turns a plain string into markup.
"""

from __future__ import annotations

from collections.abc import Iterable

from markupsafe import Markup, escape

Child = str | Markup | int | float | None | Iterable["Child"]

_VOID = frozenset({"br", "hr", "img", "input", "meta", "wbr", "rect"})


def tag(name: str, *children: Child, **attributes: str | int | float | bool | None) -> Markup:
    """One element. Attribute names: a trailing underscore is dropped (`class_`), others become hyphens
    (`aria_label`). An attribute that is None or False is left out, True stands alone. Children that are None
    are left out."""
    opening = Markup("<") + Markup(name) + _attributes(attributes) + Markup(">")
    if name in _VOID:
        return opening
    return opening + join(children) + Markup("</") + Markup(name) + Markup(">")


def join(children: Iterable[Child], separator: str = "") -> Markup:
    """Children one after the other, plain strings escaped."""
    return escape(separator).join(_flatten(children))


def _flatten(children: Iterable[Child]) -> Iterable[Markup]:
    for child in children:
        if child is None:
            continue
        if isinstance(child, str | int | float):
            yield escape(child)
        else:
            yield from _flatten(child)


def _attributes(attributes: dict[str, str | int | float | bool | None]) -> Markup:
    parts = Markup("")
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        name = Markup(key.rstrip("_").replace("_", "-"))
        parts += Markup(" ") + name
        if value is not True:
            parts += Markup('="') + escape(value) + Markup('"')
    return parts


def button(face: Child, class_: str, action: str, **attributes: str | int | float | bool | None) -> Markup:
    """A button that page.js knows by its action; what it acts on is in the attributes."""
    return tag("button", face, type="button", class_=class_, data_action=action, **attributes)


def label(text: str) -> Markup:
    return tag("span", text, class_="cw-label")


def note(text: str) -> Markup:
    return tag("span", text, class_="cw-note")


def folded(title: str, about: str, body: Markup, class_: str, *, unfolded: bool = False) -> Markup:
    """A part of the page under a line that opens and closes it."""
    return tag("details", tag("summary", label(title), note(about)), body, class_=class_, open=unfolded)


def name(text: str) -> Markup:
    """A title or file name: isolated, so that right-to-left characters in it cannot reorder what stands
    around it."""
    return tag("bdi", text)
