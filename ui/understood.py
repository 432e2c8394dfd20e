"""What was understood of a question, what of it gave way, and why each passage was chosen. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from rag.telling import gap_words, leg_words, matter_words, reason_words, short, tells, values_words
from rag.types import Filters, Gap, Hit, Note
from ui.cards import place
from ui.markup import name, tag
from ui.narrow import limits
from ui.texts import Texts

_REASONS = 5


def understood(
    notes: Sequence[Note], relaxed: Sequence[Gap], filters: Filters, texts: Texts
) -> Markup | None:
    """The lines above an answer: what the question names, what the search was limited to, what gave way;
    nothing for a question that names nothing in a search of everything."""
    named = [
        tag("li", tag("span", matter_words(note.what, texts.code)), " ", name(values_words(note, texts.code)))
        for note in short(notes)
    ]
    within = [tag("li", name(words)) for words in limits(filters, texts)]
    gaps = [tag("p", gap_words(gap, texts.code), class_="cw-gap", role="note") for gap in relaxed]
    if not (named or within or gaps):
        return None
    return tag(
        "div", _line(texts.understood, named), _line(texts.limited, within), gaps, class_="cw-understood"
    )


def _line(label: str, items: Sequence[Markup]) -> Markup | None:
    if not items:
        return None
    return tag("div", tag("span", label, class_="cw-label"), tag("ul", items), class_="cw-named")


def why(hits: Sequence[Hit], texts: Texts) -> Markup | None:
    """For each passage where it stands in both searches and the reasons that weigh most, folded; nothing
    where no hit has reasons."""
    rows = [_why_one(hit, texts) for hit in hits if any(map(tells, hit.reasons))]
    if not rows:
        return None
    summary = tag(
        "summary",
        tag("span", texts.why, class_="cw-label"),
        tag("span", texts.why_note, class_="cw-note"),
    )
    return tag("details", summary, tag("ol", rows, class_="cw-why-list"), class_="cw-why")


def _why_one(hit: Hit, texts: Texts) -> Markup:
    found = "；" if texts.code == "zh" else "; "
    reasons = [
        tag(
            "li",
            tag("span", f"{reason.adds:+.1f}".replace("-", "−"), class_="cw-adds"),
            tag("span", reason_words(reason, texts.code)),
            class_="cw-against" if reason.adds < 0 else None,
        )
        for reason in [reason for reason in hit.reasons if tells(reason)][:_REASONS]
    ]
    where = place(hit.document.title, hit.document.path, hit.chunk.page, hit.chunk.location, texts)
    legs = found.join(leg_words(leg, texts.code) for leg in hit.legs)
    return tag(
        "li",
        tag("p", where, tag("span", texts.relevance.format(score=f"{hit.score:.2f}"), class_="cw-score")),
        tag("p", legs, class_="cw-note") if legs else None,
        tag("ul", reasons),
    )
