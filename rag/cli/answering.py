"""How `citewise ask` prints an answer: evidence (where its references lead, whether it is still in force),
sentences with their states, parts, what was read, refusals; in the language of the answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from rag.cli.shared import QUOTE, clean, duration, message, one_line, print_line
from rag.languages import say

if TYPE_CHECKING:
    from rag.types import Answer, Chunk, Citation, Claim, DocumentInfo, Evidence, Part

_COLOURS = {"supported": "green", "partial": "yellow", "unsupported": "red"}
_VERDICT_COLOURS = {"answered": "green", "nearby": "yellow", "absent": "red"}


def print_evidence(evidence: Sequence[Evidence], language: str = "en") -> None:
    """The sentences that bear on the question, before any answer."""
    print_line(say("cli.evidence", language), bold=True)
    for found in evidence:
        print_line(f"[{found.number}] {one_line(found.words, QUOTE)}", 2)
        if found.heads:
            print_line(say("cli.columns", language, header=one_line(found.header, QUOTE)), 6, dim=True)
        print_line(where(found.document.path, found, language), 6, dim=True)
        print_validity(found.document)
    typer.echo()


def print_answer(answer: Answer) -> None:
    """The line, the verdict on it with its confidence, cautions, the sentences, and the quotes that the line
    rests on; of what was not answered also what was searched."""
    language, answered = answer.language, answer.verdict.value == "answered"
    print_line(_marked(answer.line, answer.marks), bold=True)
    if not answer.talk:
        verdict = say(f"cli.{answer.verdict}", language, confidence=answer.confidence)
        print_line(verdict, fg=_VERDICT_COLOURS[answer.verdict.value])
    for caution in answer.cautions:
        print_line(f"⚠ {caution}", fg="yellow")
    if answer.reason and not answered:
        print_line(answer.reason)
    if answered:
        _print_sentences(answer)
    if answer.quotes:
        typer.secho(f"\n{say('cli.references', language)}", bold=True)
    documents = {e.number: e.document for e in answer.evidence}
    for citation in answer.quotes:
        columns = f" ({say('cli.columns', language, header=citation.header)})" if citation.heads else ""
        place = where(citation.document, citation, language)
        print_line(f"[{citation.number}] {place}: “{one_line(citation.words)}”{columns}", 2)
        if citation.number in documents:
            print_validity(documents[citation.number])
    if answer.choices:
        typer.echo()
    for number, choice in enumerate(answer.choices, 1):
        print_line(f"{number}. {choice}", 2)
    if not answered:
        _print_searched(answer)
    seconds = answer.timings.get("total", sum(answer.timings.values()))
    message(f"\n{duration(seconds)}{f', {answer.model}' if answer.model else ''}")


def _marked(text: str, numbers: Sequence[int]) -> str:
    return f"{text} {''.join(f'[{n}]' for n in numbers)}".rstrip()


def _print_sentences(answer: Answer) -> None:
    """What the answer says besides its line and its quotes."""
    if answer.reading is not None or answer.talk:  # grouped by document or heading: the text says it all
        text = clean(answer.text).removeprefix(answer.line).strip()
        typer.echo("\n".join(f"  {line}".rstrip() for line in text.splitlines()))
    elif answer.parts:
        for part in answer.parts:
            _print_part(part, answer)
    else:
        for claim in answer.further:
            _print_claim(claim, answer.language)


def _print_part(part: Part, answer: Answer) -> None:
    print_line(part.question, 2, bold=True)
    if not part.answered:
        typer.secho(f"    {say('cli.not_found', answer.language)}", fg="yellow", nl=False)
        typer.echo(f": {one_line(part.reason)}" if part.reason else "")
        return
    for claim in answer.claims:
        if set(claim.citations) & set(part.citations):
            _print_claim(claim, answer.language, indent=4)


def _print_claim(claim: Claim, language: str, indent: int = 2) -> None:
    colour = _COLOURS[claim.state.value]
    typer.echo(f"{' ' * indent}{_marked(one_line(claim.text), claim.citations)}  ", nl=False)
    print_line(say("cli.mark" if claim.quoted else f"cli.{claim.state}", language), fg=colour)
    if claim.state.value != "supported":
        for reason in claim.reasons:
            print_line(reason, indent + 4, fg=colour)


def print_validity(document: DocumentInfo, indent: int = 6) -> None:
    """ "⚠ superseded by Harbour Rules from 2021-01-01"; nothing for what is not known to have ended."""
    from rag.documents.validity import ended

    if force := ended(document):
        by = f" by {force.by_name}" if force.by_name else ""
        print_line(f"⚠ {force.reason}{by} from {force.end}", indent, fg="yellow")


def _print_searched(answer: Answer) -> None:
    """What was searched, and the nearest passages."""
    language, searched = answer.language, answer.certificate
    of = {"passages": searched.passages, "documents": searched.documents, "scope": searched.scope}
    bar = {"best": searched.confidence, "needed": searched.least, "meaning": searched.dense}
    typer.echo()
    print_line(say("cli.searched", language, **of, **bar))
    for path, status in searched.unreadable:
        print_line(say("cli.unread", language, path=path, status=status), 2)
    if answer.nearest:
        typer.secho(f"\n{say('cli.nearest', language)}", bold=True)
    for hit in answer.nearest[:3]:
        place = where(hit.document.path, hit.chunk, language)
        print_line(f"{place}: {one_line(hit.chunk.text, QUOTE)}", 2)
        print_validity(hit.document)


def where(document: str, passage: Evidence | Chunk | Citation, language: str = "en") -> str:
    """Where a passage stands: "lease.pdf, page 3, 5 Termination > 5.2 Notice"; what is not known is left
    out."""
    paged = say("cli.page", language, page=passage.page) if passage.page else passage.location
    return one_line(", ".join(filter(None, (document, paged, " > ".join(passage.heading_path)))))
