"""Passages as cards: what was found, and what came nearest. Pure."""

from __future__ import annotations

from markupsafe import Markup

from rag.types import Evidence, Hit
from ui.follow import standing
from ui.markup import join, name, tag
from ui.texts import Texts


def citation_button(number: int, turn: int, texts: Texts) -> Markup:
    """An inline [n] that opens the source pane."""
    return tag(
        "button",
        f"[{number}]",
        type="button",
        class_="cw-cite",
        data_action="cite",
        data_turn=turn,
        data_number=number,
        aria_label=texts.open_source.format(number=number),
    )


def evidence_list(
    evidence: tuple[Evidence, ...], turn: int, texts: Texts, *, unfolded: bool = True
) -> Markup:
    """The evidence of one exchange, folded where `unfolded` is False; nothing where there is none."""
    if not evidence:
        return Markup("")
    found = texts.evidence_found if len(evidence) > 1 else texts.evidence_found_one
    summary = tag(
        "summary",
        tag("span", texts.evidence, class_="cw-label"),
        tag("span", found.format(count=len(evidence)), class_="cw-note"),
    )
    cards = tag("ol", [evidence_card(e, turn, texts) for e in evidence], class_="cw-cards")
    return tag("details", summary, cards, class_="cw-evidence", open=unfolded)


def evidence_card(e: Evidence, turn: int, texts: Texts) -> Markup:
    """A statement in the document's own words, with where it stands."""
    return tag(
        "li",
        citation_button(e.number, turn, texts),
        tag(
            "div",
            tag(
                "p",
                tag("span", e.header, class_="cw-header") if e.header else None,
                e.text,
                class_="cw-quote",
            ),
            tag(
                "p",
                place(e.document.title, e.document.path, e.page, e.location, texts),
                standing(e.document, texts),
                tag("span", texts.relevance.format(score=f"{e.score:.2f}"), class_="cw-score"),
                class_="cw-place",
            ),
        ),
        class_="cw-card",
        data_action="cite",
        data_turn=turn,
        data_number=e.number,
    )


def place(title: str, path: str, page: int | None, location: str, texts: Texts) -> Markup:
    """Document, page or cell range; the file name too where the title does not already say it."""
    parts: list[Markup] = [tag("span", name(title or path), class_="cw-doc")]
    if title and title not in path:
        parts.append(tag("span", name(path), class_="cw-path"))
    if page is not None:
        parts.append(tag("span", texts.page.format(page=page), class_="cw-page"))
    if location:
        parts.append(tag("span", location, class_="cw-page"))
    return join(parts)


def nearest_card(position: int, hit: Hit, turn: int, texts: Texts) -> Markup:
    return tag(
        "li",
        tag(
            "button",
            "↗",
            type="button",
            class_="cw-cite",
            data_action="near",
            data_turn=turn,
            data_number=position,
            aria_label=texts.open_source.format(number=position + 1),
        ),
        tag(
            "div",
            tag("p", hit.chunk.text, class_="cw-quote cw-quote--clamped"),
            tag(
                "p",
                place(hit.document.title, hit.document.path, hit.chunk.page, hit.chunk.location, texts),
                standing(hit.document, texts),
                tag("span", texts.relevance.format(score=f"{hit.score:.2f}"), class_="cw-score"),
                class_="cw-place",
            ),
        ),
        class_="cw-card",
        data_action="near",
        data_turn=turn,
        data_number=position,
    )
