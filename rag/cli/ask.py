"""`citewise ask` and `citewise search`: what was understood, what gave way, and why each passage."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rag.cli import answering, options, output
from rag.cli import answering as following
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
from rag.types.plain import plain

if TYPE_CHECKING:
    from rag.assistant import Assistant
    from rag.search.explain import Explanation, HitExplanation
    from rag.types import Answer, Evidence, Gap, Note

_REASONS = 5
_STAGES = {
    "searching": "Searching …",
    "evidence": "Reading the passages …",
    "writing": "Writing …",
    "verifying": "Checking each sentence …",
}


def print_short(understood: Sequence[Note], relaxed: Sequence[Gap]) -> None:
    """The lines above an answer: "Understood: company: Thornfield Marsh plc; year: 2022"; nothing where the
    question names nothing."""
    from rag.search.explain import note_words, short

    if notes := short(understood):
        typer.secho(f"Understood: {output.one_line('; '.join(map(note_words, notes)))}", dim=True)
    _print_gaps(relaxed, indent="")
    if notes or relaxed:
        typer.echo()


def print_understood(explanation: Explanation) -> None:
    """Everything that was understood, each on a line, the documents named, and what gave way."""
    from rag.search.explain import note_words

    typer.secho("Understood", bold=True)
    for note in explanation.understood:
        typer.echo(f"  {output.one_line(note_words(note))}")
    if not explanation.understood:
        typer.echo("  no company, statute, period or other name; searched by its words alone")
    for path in explanation.documents:
        typer.echo(f"  document: {output.one_line(path)}")
    _print_gaps(explanation.relaxed, indent="  ")
    typer.echo()


def print_reasons(because: HitExplanation) -> None:
    """The searches that found a passage, what of the question it meets, and the heaviest reasons, with what
    each adds to the log-odds of its score."""
    from rag.languages import named
    from rag.search.explain import leg_words

    typer.secho(f"   {'; '.join(map(leg_words, because.legs))}", dim=True)
    matters = [f"✓ {named('matters', what, 'en')}" for what in because.agrees]
    matters += [f"✗ other {named('matters', what, 'en')}" for what in because.clashes]
    if matters:
        typer.secho(f"   {', '.join(matters)}", dim=True)
    for reason, words in list(zip(because.reasons, because.words, strict=True))[:_REASONS]:
        typer.secho(f"   {reason.adds:+.2f}  {words}", dim=True)


def _print_gaps(relaxed: Sequence[Gap], *, indent: str) -> None:
    from rag.search.explain import gap_words

    for gap in relaxed:
        typer.secho(f"{indent}⚠ {output.one_line(gap_words(gap))}", fg="yellow")


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

    Ends with exit code 10 where the documents do not hold the answer."""
    from rag.assistant import build_assistant

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
            output.print_json(plain(answer) | {"refused": answer.refused})
        else:
            answer = _follow(assistant, question, scope)
            answering.print_answer(answer)
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
        explanation = opened.explain(question, hits=hits, filters=scope) if explain else None
    if as_json:
        output.print_json({"hits": hits, "explanation": explanation} if explanation else hits)
        return
    if explanation:
        print_understood(explanation)
    for rank, hit in enumerate(hits, 1):
        typer.secho(f"{rank}. {answering.place_of(hit)}", bold=True, nl=False)
        typer.echo(f"  {hit.score:.2f}")
        answering.print_validity(hit.document, indent="")
        typer.echo(output.clean(hit.chunk.text) if full else output.one_line(hit.chunk.text, answering.QUOTE))
        for line in leads.get(hit.chunk_id, ()):
            typer.secho(f"   {line}", dim=True)
        if explanation:
            print_reasons(explanation.hits[rank - 1])
        typer.echo()
    if not hits:
        output.message("Nothing found.")


def _follow(assistant: Assistant, question: str, scope: Any) -> Answer:
    """Show the stages and the evidence as they come, and return the verified answer.

    The unverified draft is shown only on a terminal, dimmed and on standard error, so that what is piped on
    or kept is verified."""
    from rag.languages.text import detect_language
    from rag.types import EvidenceFound, Finished, StageStarted, Token

    drafting = False
    evidence: tuple[Evidence, ...] = ()
    found: EvidenceFound | None = None
    for event in assistant.stream(question, filters=scope):
        if found is not None:
            print_short(found.understood, found.relaxed)
            found = None
        if evidence and not (isinstance(event, Finished) and _prints_evidence(event.answer)):
            answering.print_evidence(evidence, detect_language(question))
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


def _prints_evidence(answer: Answer) -> bool:
    """Of a refusal the nearest passages are shown instead of evidence; an answer that read everything is made
    of its evidence."""
    return answer.refused or answer.reading is not None
