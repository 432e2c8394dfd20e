"""Where a passage leads and whether its document is still in force: shown beside the words. Pure but for
`leads`, which asks the index."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from rag.documents.validity import ended
from rag.errors import InputError
from rag.types import DocumentInfo
from ui.markup import button, name, note, tag
from ui.texts import Texts

_MOST, _PREVIEW = 12, 140


@dataclass(frozen=True, slots=True)
class Lead:
    """A reference of a passage: its words, the document it leads to ("" for the same) and how that passage
    begins; `chunk_id` is what opens."""

    words: str
    document: str
    preview: str
    chunk_id: int


def leads(index: Any, chunk_id: int) -> tuple[Lead, ...]:
    """What a passage of the index refers to and the index holds, each passage once, the first twelve."""
    found: dict[int, Lead] = {}
    for reference in index.references(chunk_id) if index is not None and chunk_id else ():
        if reference.target_document_id is None or len(found) == _MOST:
            continue
        target = reference.target_chunk_id or index.opening(reference.target_document_id)
        try:
            hit = index.passage(target)
        except InputError:  # removed meanwhile
            continue
        other = hit.document.id != reference.document_id
        document = (hit.document.title or hit.document.path) if other else ""
        preview = " ".join(hit.chunk.text.split())
        cut = f"{preview[:_PREVIEW]}…" if len(preview) > _PREVIEW else preview
        found.setdefault(target, Lead(reference.text, document, cut, target))
    return tuple(found.values())


def leads_list(found: tuple[Lead, ...], turn: int, texts: Texts) -> Markup | None:
    """The passages that a passage refers to, each a button that opens it."""
    if not found:
        return None
    rows = [
        tag(
            "li",
            button(
                lead.words,
                "cw-lead",
                "passage",
                data_turn=turn,
                data_number=lead.chunk_id,
                aria_label=texts.open_reference.format(words=lead.words),
            ),
            tag("span", name(lead.document), class_="cw-doc") if lead.document else None,
            note(lead.preview),
        )
        for lead in found
    ]
    return tag("div", tag("h4", texts.refers_to, class_="cw-label"), tag("ul", rows), class_="cw-leads")


def validity_note(document: DocumentInfo, texts: Texts) -> Markup | None:
    """That the document has been superseded or repealed, by what and when; nothing where it is in force."""
    force = ended(document)
    if force is None:
        return None
    kind = {"superseded": texts.superseded, "repealed": texts.repealed}.get(force.reason, texts.repealed)
    by = texts.ended_by.format(name=force.by_name) if force.by_name else ""
    return tag("span", kind.format(by=by, date=force.end), class_="cw-ended", role="note")
