"""`citewise ask` and `citewise search`."""

from __future__ import annotations

import sys
from contextlib import closing
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rag.cli import explaining, following, options, output
from rag.cli.options import (
    Companies,
    Documents,
    Drafts,
    EmbedderOption,
    IndexOption,
    InForce,
    JsonOption,
    Kinds,
    Languages,
    Llm,
    NoTuned,
    TopK,
    Years,
)

if TYPE_CHECKING:
    from rag.answer import Assistant
    from rag.types import Answer, Certificate, Citation, Claim, DocumentInfo, Evidence, Hit

_STAGES = {
    "searching": "Searching …",
    "evidence": "Reading the passages …",
    "writing": "Writing …",
    "verifying": "Checking each sentence …",
}
_MARKS = {
    "supported": ("✓ supported", "green"),
    "partial": ("~ partly supported", "yellow"),
    "unsupported": ("✗ not supported", "red"),
}
_QUOTE = 320


def ask(
    question: Annotated[str, typer.Argument(help='The question; "-" reads it from standard input.')],
    index: IndexOption = None,
    top: TopK = None,
    documents: Documents = None,
    kind: Kinds = None,
    language: Languages = None,
    year: Years = None,
    company: Companies = None,
    in_force: InForce = None,
    llm: Llm = None,
    embedder: EmbedderOption = None,
    threshold: Annotated[float | None, typer.Option(help="Refuse below this evidence score, 0 to 1.")] = None,
    max_tokens: Annotated[int | None, typer.Option(help="Longest answer to write, in tokens.")] = None,
    drafts: Drafts = None,
    no_tuned: NoTuned = False,
    as_json: JsonOption = False,
) -> None:
    """Ask a question; print the evidence, the verified answer and its references.

    Ends with exit code 10 where the documents do not hold the answer.
    """
    from rag.answer import build_assistant

    question = sys.stdin.read() if question == "-" else question
    settings = options.config(
        index=index,
        top_k=top,
        llm=llm,
        embedder=embedder,
        threshold=threshold,
        max_tokens=max_tokens,
        drafts=drafts,
        tuned_models=options.untuned(no_tuned),
    )
    scope = options.filters(documents, kind, language, year, company, in_force)
    with closing(build_assistant(settings)) as assistant:
        if as_json:
            answer = assistant.ask(question, filters=scope)
            output.print_json(output.plain(answer) | {"refused": answer.refused})
        else:
            answer = _follow(assistant, question, scope)
            _print_answer(answer)
    if answer.refused:
        raise typer.Exit(output.EXIT_REFUSED)


def search(
    question: Annotated[str, typer.Argument(help="What to look for.")],
    index: IndexOption = None,
    top: TopK = None,
    documents: Documents = None,
    kind: Kinds = None,
    language: Languages = None,
    year: Years = None,
    company: Companies = None,
    in_force: InForce = None,
    embedder: EmbedderOption = None,
    full: Annotated[bool, typer.Option("--full", help="Print whole passages.")] = False,
    follow: Annotated[bool, typer.Option("--follow", help="Print what each passage refers to.")] = False,
    explain: Annotated[
        bool,
        typer.Option("--explain", help="Print what was understood, what gave way, and why each passage."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Find passages; no answer is written."""
    settings = options.config(index=index, top_k=top, embedder=embedder)
    scope = options.filters(documents, kind, language, year, company, in_force)
    with closing(options.open_configured_index(settings)) as opened:
        hits = opened.search(question, settings.top_k, filters=scope)
        leads = {h.chunk_id: following.followed(opened, h.chunk_id) for h in hits} if follow else {}
        told = opened.explain(question, hits=hits, filters=scope) if explain else None
    if as_json:
        output.print_json({"hits": hits, "explanation": told} if told else hits)
        return
    if told:
        explaining.print_understood(told)
    for rank, hit in enumerate(hits, 1):
        typer.secho(f"{rank}. {_place(hit)}", bold=True, nl=False)
        typer.echo(f"  {hit.score:.2f}")
        _print_standing(hit.document, indent="")
        typer.echo(output.clean(hit.chunk.text) if full else output.one_line(hit.chunk.text, _QUOTE))
        for line in leads.get(hit.chunk_id, ()):
            typer.secho(f"   {line}", dim=True)
        if told:
            explaining.print_reasons(told.hits[rank - 1])
        typer.echo()
    if not hits:
        output.message("Nothing found.")


def _follow(assistant: Assistant, question: str, scope: Any) -> Answer:
    """Show the stages and the evidence as they come, and return the verified answer.

    The unverified draft is shown only on a terminal, dimmed and on standard error, so that what is piped on
    or kept is verified.
    """
    from rag.types import EvidenceFound, Finished, StageStarted, Token

    drafting = False
    evidence: tuple[Evidence, ...] = ()
    found: EvidenceFound | None = None
    for event in assistant.stream(question, filters=scope):
        if found is not None:
            explaining.print_short(found.understood, found.relaxed)
            found = None
        if evidence and not (isinstance(event, Finished) and event.answer.refused):
            _print_evidence(evidence)  # of a refusal, the nearest passages are shown instead
            evidence = ()
        if isinstance(event, StageStarted):
            if drafting:
                typer.echo(err=True)
                drafting = False
            if sys.stderr.isatty():
                typer.secho(_STAGES.get(event.stage, event.stage), err=True, dim=True)
        elif isinstance(event, EvidenceFound):
            found, evidence = event, event.evidence
        elif isinstance(event, Token) and sys.stderr.isatty():
            drafting = True
            typer.secho(output.clean(event.text), err=True, dim=True, nl=False)
        elif isinstance(event, Finished):
            return event.answer
    raise RuntimeError("the answer ended without a result")


def _print_evidence(evidence: tuple[Evidence, ...]) -> None:
    typer.secho("Evidence", bold=True)
    for found in evidence:
        typer.echo(f"  [{found.number}] {output.one_line(found.text, _QUOTE)}")
        if found.header:
            typer.secho(f"      columns: {output.one_line(found.header, _QUOTE)}", dim=True)
        where = _where(found.document.path, found.page, found.heading_path, found.location)
        typer.secho(f"      {where}", dim=True)
        _print_standing(found.document)
    typer.echo()


def _print_answer(answer: Answer) -> None:
    if answer.refused:
        _print_refusal(answer)
        return
    typer.secho(
        "Answer" if answer.kind.value == "written" else "Answer, in the documents' own words", bold=True
    )
    for claim in answer.claims:
        _print_claim(claim)
    typer.echo()
    typer.secho("References", bold=True)
    documents = {e.number: e.document for e in answer.evidence}
    for citation in answer.cited:
        _print_citation(citation)
        if citation.number in documents:
            _print_standing(documents[citation.number])
    seconds = answer.timings.get("total", sum(answer.timings.values()))
    output.message(f"\n{output.duration(seconds)}{f', {answer.model}' if answer.model else ''}")


def _print_claim(claim: Claim) -> None:
    marks = "".join(f"[{n}]" for n in claim.citations)
    label, colour = _MARKS[claim.state.value]
    typer.echo(f"  {output.one_line(claim.text)} {marks}  ", nl=False)
    typer.secho("✓ quoted" if claim.quoted else label, fg=colour)
    if claim.state.value != "supported":
        for reason in claim.reasons:
            typer.secho(f"      {output.one_line(reason)}", fg=colour)


def _print_citation(citation: Citation) -> None:
    where = _where(citation.document, citation.page, citation.heading_path, citation.location)
    columns = f" (columns: {output.one_line(citation.header)})" if citation.header else ""
    typer.echo(f"  [{citation.number}] {where}: “{output.one_line(citation.quote)}”{columns}")


def _print_standing(document: DocumentInfo, indent: str = "      ") -> None:
    if standing := following.standing(document):
        typer.secho(f"{indent}⚠ {standing}", fg="yellow")


def _print_refusal(answer: Answer) -> None:
    typer.secho(output.clean(answer.text), fg="yellow", bold=True)
    if answer.reason:
        typer.echo(output.one_line(answer.reason))
    _print_certificate(answer.certificate)
    if answer.nearest:
        typer.secho("\nNearest passages", bold=True)
    for hit in answer.nearest[:3]:
        typer.echo(f"  {_place(hit)}: {output.one_line(hit.chunk.text, _QUOTE)}")
        _print_standing(hit.document)


def _print_certificate(searched: Certificate) -> None:
    scope = f" ({output.one_line(searched.scope)})" if searched.scope else ""
    how = "words and meaning" if searched.dense else "words"
    typer.echo(
        f"\nSearched by {how}: {searched.passages:,} passages of {searched.documents:,} documents{scope}. "
        f"Best score {searched.best_score:.2f}, needed {searched.threshold:.2f}."
    )
    for path, status in searched.unreadable:
        typer.echo(f"  not read: {output.one_line(path)} ({status})")


def _place(hit: Hit) -> str:
    chunk = hit.chunk
    return _where(hit.document.path, chunk.page, chunk.heading_path, chunk.location)


def _where(document: str, page: int | None, heading_path: tuple[str, ...], location: str) -> str:
    """ "lease.pdf, page 3, 5 Termination > 5.2 Notice"."""
    parts = [document, f"page {page}" if page else location, " > ".join(heading_path)]
    return output.one_line(", ".join(part for part in parts if part))
