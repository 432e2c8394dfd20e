"""What stands around the conversation: the top line, the empty page, hints. Pure."""

from __future__ import annotations

from markupsafe import Markup

from ui.markup import button, tag
from ui.texts import Texts


def header(texts: Texts, remote: str = "") -> Markup:
    """Name, promise, and the switches for documents, conversation, language and theme."""
    languages = [
        button(
            face,
            "cw-switch",
            "language",
            data_code=code,
            aria_pressed="true" if code == texts.code else "false",
            lang=code,
        )
        for code, face in (("en", "EN"), ("zh", "中文"))
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
