"""What was understood of a question, what of it gave way, and why each passage was chosen. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from rag.telling import gap_words, is_informative, label_words, leg_words, reason_words, short, values_words
from rag.types import Filters, Gap, Hit, Note
from ui.cards import place, relevance
from ui.markup import folded, label, name, tag
from ui.narrow import limits
from ui.texts import Texts

_REASONS = 5


def explanation(
    notes: Sequence[Note], relaxed: Sequence[Gap], filters: Filters, texts: Texts
) -> Markup | None:
    """The lines above an answer: what the question names, what the search was limited to, what gave way;
    nothing for a question that names nothing in a search of everything."""
    named = [
        tag("li", tag("span", label_words(note.what, texts.code)), " ", name(values_words(note, texts.code)))
        for note in short(notes)
    ]
    within = [tag("li", name(words)) for words in limits(filters, texts)]
    gaps = [tag("p", gap_words(gap, texts.code), class_="cw-gap", role="note") for gap in relaxed]
    if not (named or within or gaps):
        return None
    return tag(
        "div", _line(texts.understood, named), _line(texts.limited, within), gaps, class_="cw-understood"
    )


def _line(title: str, items: Sequence[Markup]) -> Markup | None:
    return tag("div", label(title), tag("ul", items), class_="cw-named") if items else None


def why(hits: Sequence[Hit], texts: Texts) -> Markup | None:
    """For each passage where it stands in both searches and the reasons that weigh most, folded; nothing
    where no hit has reasons."""
    rows = [_why_one(hit, texts) for hit in hits if any(map(is_informative, hit.reasons))]
    if not rows:
        return None
    return folded(texts.why, texts.why_note, tag("ol", rows, class_="cw-why-list"), "cw-why")


def _why_one(hit: Hit, texts: Texts) -> Markup:
    found = "；" if texts.code == "zh" else "; "
    reasons = [
        tag(
            "li",
            tag("span", f"{reason.adds:+.1f}".replace("-", "−"), class_="cw-adds"),
            tag("span", reason_words(reason, texts.code)),
            class_="cw-against" if reason.adds < 0 else None,
        )
        for reason in [reason for reason in hit.reasons if is_informative(reason)][:_REASONS]
    ]
    legs = found.join(leg_words(leg, texts.code) for leg in hit.legs)
    return tag(
        "li",
        tag("p", place(hit.document, hit.chunk, texts), relevance(hit, texts)),
        tag("p", legs, class_="cw-note") if legs else None,
        tag("ul", reasons),
    )
