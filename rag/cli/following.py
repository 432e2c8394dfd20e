"""Lines about a passage beside its text: where its references lead, and whether it is still in force."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rag.cli import output

if TYPE_CHECKING:
    from rag.index import Index
    from rag.types import DocumentInfo

_MOST, _WIDTH = 8, 160


def followed(index: Index, chunk_id: int) -> list[str]:
    """One line for each passage or document of the index that the passage refers to, each once."""
    lines: dict[tuple[int, int | None], str] = {}
    for reference in index.references(chunk_id):
        document, passage = reference.target_document_id, reference.target_chunk_id
        if document is None or (document, passage) in lines:
            continue
        info = index.store.document(document)
        words = output.one_line(index.passage(passage).chunk.text, _WIDTH) if passage is not None else ""
        place = info.path if document != reference.document_id else ""
        target = ": ".join(part for part in (place, words) if part)
        lines[document, passage] = output.one_line(f"→ {reference.text}  {target}")
    page = list(lines.values())
    return page[:_MOST] + ([f"→ and {len(page) - _MOST} more"] if len(page) > _MOST else [])


def validity_line(document: DocumentInfo) -> str:
    """ "superseded by Harbour Rules from 2021-01-01"; "" for what is in force, or says nothing of it."""
    from rag.validity import ended

    force = ended(document)
    if force is None:
        return ""
    by = f" by {output.one_line(force.by_name)}" if force.by_name else ""
    return f"{force.reason}{by} from {force.end}"
