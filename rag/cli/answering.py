"""How `citewise ask` prints an answer: evidence (where its references lead, whether it is still in force),
sentences with their states, parts, what was read, refusals; in the language of the answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from rag.cli import shared
from rag.languages import say

if TYPE_CHECKING:
    from rag.types import Answer, Certificate, Citation, Claim, DocumentInfo, Evidence, Hit, Part

QUOTE = 320
_COLOURS = {"supported": "green", "partial": "yellow", "unsupported": "red"}
_VERDICT_COLOURS = {"answered": "green", "nearby": "yellow", "absent": "red"}


def validity_line(document: DocumentInfo) -> str:
    """ "superseded by Harbour Rules from 2021-01-01"; "" for what is in force, or says nothing of it."""
    from rag.documents.validity import ended

    force = ended(document)
    if force is None:
        return ""
    by = f" by {shared.one_line(force.by_name)}" if force.by_name else ""
    return f"{force.reason}{by} from {force.end}"


def print_evidence(evidence: Sequence[Evidence], language: str = "en") -> None:
    """The sentences that bear on the question, before any answer."""
    typer.secho(say("cli.evidence", language), bold=True)
    for found in evidence:
        typer.echo(f"  [{found.number}] {shared.one_line(found.words, QUOTE)}")
        if found.heads:
            columns = say("cli.columns", language, header=shared.one_line(found.header, QUOTE))
            typer.secho(f"      {columns}", dim=True)
        place = where(found.document.path, found.page, found.heading_path, found.location, language)
        typer.secho(f"      {place}", dim=True)
        print_validity(found.document)
    typer.echo()


def print_answer(answer: Answer) -> None:
    """The line, the verdict on it with its confidence, cautions, the sentences, and the quotes that the line
    rests on; of what was not answered also what was searched."""
    language = answer.language
    marks = "".join(f"[{n}]" for n in answer.marks)
    typer.secho(f"{shared.one_line(answer.line)} {marks}".rstrip(), bold=True)
    if not answer.talk:
        verdict = say(f"cli.{answer.verdict}", language, confidence=answer.confidence)
        typer.secho(verdict, fg=_VERDICT_COLOURS[answer.verdict.value])
    for caution in answer.cautions:
        typer.secho(f"⚠ {shared.one_line(caution)}", fg="yellow")
    if answer.reason and answer.verdict.value != "answered":
        typer.echo(shared.one_line(answer.reason))
    _print_sentences(answer)
    if answer.quotes:
        typer.secho(f"\n{say('cli.references', language)}", bold=True)
    documents = {e.number: e.document for e in answer.evidence}
    for citation in answer.quotes:
        _print_citation(citation, language)
        if citation.number in documents:
            print_validity(documents[citation.number])
    if answer.choices:
        typer.echo()
    for number, choice in enumerate(answer.choices, 1):
        typer.echo(f"  {number}. {shared.one_line(choice)}")
    if answer.verdict.value != "answered":
        _print_searched(answer)
    seconds = answer.timings.get("total", sum(answer.timings.values()))
    shared.message(f"\n{shared.duration(seconds)}{f', {answer.model}' if answer.model else ''}")


def _print_sentences(answer: Answer) -> None:
    """What the answer says besides its line and its quotes."""
    if answer.verdict.value != "answered":
        return
    if answer.reading is not None or answer.talk:  # grouped by document or heading: the text says it all
        text = shared.clean(answer.text).removeprefix(answer.line).strip()
        typer.echo("\n".join(f"  {line}".rstrip() for line in text.splitlines()))
    elif answer.parts:
        for part in answer.parts:
            _print_part(part, answer)
    else:
        for claim in answer.further:
            _print_claim(claim, answer.language)


def _print_part(part: Part, answer: Answer) -> None:
    typer.secho(f"  {shared.one_line(part.question)}", bold=True)
    if not part.answered:
        typer.secho(f"    {say('cli.not_found', answer.language)}", fg="yellow", nl=False)
        typer.echo(f": {shared.one_line(part.reason)}" if part.reason else "")
        return
    for claim in answer.claims:
        if set(claim.citations) & set(part.citations):
            _print_claim(claim, answer.language, indent="    ")


def _print_claim(claim: Claim, language: str, indent: str = "  ") -> None:
    marks = "".join(f"[{n}]" for n in claim.citations)
    colour = _COLOURS[claim.state.value]
    typer.echo(f"{indent}{shared.one_line(claim.text)} {marks}  ", nl=False)
    typer.secho(say("cli.mark" if claim.quoted else f"cli.{claim.state}", language), fg=colour)
    if claim.state.value != "supported":
        for reason in claim.reasons:
            typer.secho(f"{indent}    {shared.one_line(reason)}", fg=colour)


def _print_citation(citation: Citation, language: str) -> None:
    place = where(citation.document, citation.page, citation.heading_path, citation.location, language)
    columns = say("cli.columns", language, header=shared.one_line(citation.header))
    beside = f" ({columns})" if citation.heads else ""
    typer.echo(f"  [{citation.number}] {place}: “{shared.one_line(citation.words)}”{beside}")


def print_validity(document: DocumentInfo, indent: str = "      ") -> None:
    """Whether a document is known to be no longer in force; nothing where it is not."""
    if validity := validity_line(document):
        typer.secho(f"{indent}⚠ {validity}", fg="yellow")


def _print_searched(answer: Answer) -> None:
    """What was searched, and the nearest passages."""
    _print_certificate(answer.certificate, answer.language)
    if answer.nearest:
        typer.secho(f"\n{say('cli.nearest', answer.language)}", bold=True)
    for hit in answer.nearest[:3]:
        typer.echo(f"  {place_of(hit, answer.language)}: {shared.one_line(hit.chunk.text, QUOTE)}")
        print_validity(hit.document)


def _print_certificate(searched: Certificate, language: str) -> None:
    line = say(
        "cli.searched",
        language,
        meaning=searched.dense,
        passages=searched.passages,
        documents=searched.documents,
        scope=shared.one_line(searched.scope),
        best=searched.confidence,
        needed=searched.least,
    )
    typer.echo(f"\n{line}")
    for path, status in searched.unreadable:
        typer.echo(f"  {say('cli.unread', language, path=shared.one_line(path), status=status)}")


def place_of(hit: Hit, language: str = "en") -> str:
    """Where a passage stands: "lease.pdf, page 3, 5 Termination > 5.2 Notice"."""
    chunk = hit.chunk
    return where(hit.document.path, chunk.page, chunk.heading_path, chunk.location, language)


def where(
    document: str, page: int | None, heading_path: Sequence[str], location: str, language: str = "en"
) -> str:
    """The same from its pieces; what is not known is left out."""
    paged = say("cli.page", language, page=page) if page else location
    return shared.one_line(", ".join(part for part in (document, paged, " > ".join(heading_path)) if part))
