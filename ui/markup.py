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


def name(text: str) -> Markup:
    """A title or file name: isolated, so that right-to-left characters in it cannot reorder what stands
    around it."""
    return tag("bdi", text)
