"""Passages as cards: what was found, and what came nearest. Pure."""

from __future__ import annotations

from markupsafe import Markup

from rag.types import Chunk, DocumentInfo, Evidence, Hit
from ui.follow import validity_note
from ui.markup import button, folded, join, name, tag
from ui.texts import Texts


def citation_button(number: int, turn: int, texts: Texts) -> Markup:
    """An inline [n] that opens the source pane."""
    words = texts.open_source.format(number=number)
    return button(f"[{number}]", "cw-cite", "cite", data_turn=turn, data_number=number, aria_label=words)


def evidence_list(
    evidence: tuple[Evidence, ...], turn: int, texts: Texts, *, unfolded: bool = True
) -> Markup:
    """The evidence of one exchange, folded where `unfolded` is False; nothing where there is none."""
    if not evidence:
        return Markup("")
    found = (texts.evidence_found if len(evidence) > 1 else texts.evidence_found_one).format(
        count=len(evidence)
    )
    cards = tag("ol", [evidence_card(e, turn, texts) for e in evidence], class_="cw-cards")
    return folded(texts.evidence, found, cards, "cw-evidence", unfolded=unfolded)


def evidence_card(e: Evidence, turn: int, texts: Texts) -> Markup:
    """A statement in the document's own words, with where it stands."""
    header = tag("span", e.header, class_="cw-header") if e.header else None
    return tag(
        "li",
        citation_button(e.number, turn, texts),
        tag("div", tag("p", header, e.text, class_="cw-quote"), _about(e, e, texts)),
        class_="cw-card",
        data_action="cite",
        data_turn=turn,
        data_number=e.number,
    )


def nearest_card(position: int, hit: Hit, turn: int, texts: Texts) -> Markup:
    words = texts.open_source.format(number=position + 1)
    quote = tag("p", hit.chunk.text, class_="cw-quote cw-quote--clamped")
    return tag(
        "li",
        button("↗", "cw-cite", "near", data_turn=turn, data_number=position, aria_label=words),
        tag("div", quote, _about(hit, hit.chunk, texts)),
        class_="cw-card",
        data_action="near",
        data_turn=turn,
        data_number=position,
    )


def _about(found: Evidence | Hit, passage: Evidence | Chunk, texts: Texts) -> Markup:
    where = place(found.document, passage, texts)
    return tag("p", where, validity_note(found.document, texts), relevance(found, texts), class_="cw-place")


def place(document: DocumentInfo, passage: Evidence | Chunk, texts: Texts) -> Markup:
    """Document, page or cell range; the file name too where the title does not already say it."""
    title, path = document.title, document.path
    parts: list[Markup] = [tag("span", name(title or path), class_="cw-doc")]
    if title and title not in path:
        parts.append(tag("span", name(path), class_="cw-path"))
    if passage.page is not None:
        parts.append(tag("span", texts.page.format(page=passage.page), class_="cw-page"))
    if passage.location:
        parts.append(tag("span", passage.location, class_="cw-page"))
    return join(parts)


def relevance(found: Evidence | Hit, texts: Texts) -> Markup:
    return tag("span", texts.relevance.format(score=f"{found.score:.2f}"), class_="cw-score")
