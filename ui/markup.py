"""HTML that is escaped unless it was built here, the only way that text from a document reaches the page; and
what stands around the conversation. Pure.

`tag("p", name)` escapes `name`; `tag("p", tag("b", name))` does not escape the inner element, because `tag`
returns `Markup` and everything else is text. There is no function that turns a plain string into markup."""

from __future__ import annotations

from collections.abc import Iterable

from markupsafe import Markup, escape

from ui.texts import LANGUAGES, Texts

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


def header(texts: Texts, remote: str = "") -> Markup:
    """Name, promise, and the switches for documents, conversation, language and theme."""
    current = texts.code
    languages = [
        button(
            texts.face,
            "cw-switch",
            "language",
            data_code=code,
            aria_pressed="true" if code == current else "false",
            lang=code,
        )
        for code, texts in LANGUAGES.items()
    ]
    return tag(
        "header",
        _icon_button("library", "☰", texts.library_toggle, class_="cw-icon cw-only-narrow"),
        tag("h1", "Citewise", class_="cw-brand"),
        tag("p", texts.tagline, class_="cw-tagline"),
        _place(texts, remote),
        button(
            [
                tag("span", texts.new_conversation, class_="cw-long"),
                tag("span", "＋", class_="cw-short", aria_hidden="true"),
            ],
            "cw-action",
            "fresh",
            aria_label=texts.new_conversation,
        ),
        tag("div", languages, class_="cw-switches", role="group", aria_label=texts.language_label),
        _icon_button("theme", "◐", texts.theme),
        class_="cw-top",
        lang=texts.code,
    )


def _place(texts: Texts, remote: str) -> Markup:
    """Whether questions stay on this machine; where they do not, the host, whatever the width of the page."""
    if not remote:
        return tag("span", texts.local, class_="cw-local", title=texts.local_hint)
    hint = texts.remote_hint.format(host=remote)
    return tag("strong", texts.remote.format(host=remote), class_="cw-remote", title=hint, role="note")


def _icon_button(action: str, sign: str, words: str, *, class_: str = "cw-icon") -> Markup:
    return button(tag("span", sign, aria_hidden="true"), class_, action, aria_label=words, title=words)


def welcome(samples: tuple[str, ...], texts: Texts) -> Markup:
    """The page before the first question."""
    buttons = [
        tag("li", button(question, "cw-sample", "sample", data_number=number))
        for number, question in enumerate(samples)
    ]
    return tag(
        "section",
        tag("h2", texts.empty_title),
        tag("p", texts.empty_text, class_="cw-lead"),
        [tag("h3", texts.samples, class_="cw-label"), tag("ul", buttons, class_="cw-samples")]
        if buttons
        else None,
        class_="cw-welcome",
    )


def hint(text: str) -> Markup:
    return tag("p", text, class_="cw-note cw-hint")
