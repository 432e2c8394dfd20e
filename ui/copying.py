"""An answer as plain text for somebody else's document: sentences, then numbered references."""

from __future__ import annotations

from rag.types import Answer, AnswerKind, Citation, Claim, ClaimState
from ui.texts import Texts


def copy_text(a: Answer, texts: Texts) -> str:
    """The answer as plain text with numbered references: document, page, quote. Sentences that are not fully
    supported say so."""
    lines = [a.question, ""]
    if a.kind is AnswerKind.REFUSED:
        c = a.certificate
        lines += [a.text or texts.refused_why, ""]
        lines += [f"{texts.searched_documents}: {c.documents}", f"{texts.searched_passages}: {c.passages}"]
        return "\n".join(lines)
    lines += [_copied_claim(c, texts) for c in a.claims] or [a.text]
    if a.citations:
        lines += ["", texts.references]
        lines += [_reference(c, texts) for c in a.citations]
    return "\n".join(lines)


def _copied_claim(c: Claim, texts: Texts) -> str:
    marks = "".join(f"[{n}]" for n in c.citations)
    words = f"“{c.text}”" if c.quoted else c.text
    caution = "" if c.state is ClaimState.SUPPORTED else f" ({texts.states[c.state]})"
    return f"{words} {marks}".rstrip() + caution


def _reference(c: Citation, texts: Texts) -> str:
    where = [c.title or c.document]
    if c.title and c.title not in c.document:
        where.append(c.document)
    if c.page is not None:
        where.append(texts.page.format(page=c.page))
    if c.location:
        where.append(c.location)
    quote = " ".join(c.quote.split())
    return f"[{c.number}] {', '.join(where)}: “{quote}”"
