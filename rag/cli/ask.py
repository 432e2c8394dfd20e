"""`citewise ask`, `citewise search` and `citewise batch`: what was understood of a question, what gave way,
why each passage; and a file of questions in, a file of answers out."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rag.cli import answering, shared
from rag.errors import ParseError

if TYPE_CHECKING:
    from rag.assistant import Assistant
    from rag.batch import BatchReport
    from rag.search.explain import Explanation, HitExplanation
    from rag.types import Answer, Gap, Hit, Note, Progress


_REASONS = 5
_STAGES = {
    "searching": "Searching …",
    "evidence": "Choosing sentences …",
    "reading": "Reading …",
    "verifying": "Checking each sentence …",
}


def print_short(understood: Sequence[Note], relaxed: Sequence[Gap]) -> None:
    """The lines above an answer: "Understood: company: Thornfield Marsh plc; year: 2022"; nothing where the
    question names nothing."""
    from rag.search.explain import note_words, short

    if notes := short(understood):
        typer.secho(f"Understood: {shared.one_line('; '.join(map(note_words, notes)))}", dim=True)
    _print_gaps(relaxed, indent="")
    if notes or relaxed:
        typer.echo()


def print_understood(explanation: Explanation) -> None:
    """Everything that was understood, each on a line, the documents named, and what gave way."""
    from rag.search.explain import note_words

    typer.secho("Understood", bold=True)
    for note in explanation.understood:
        typer.echo(f"  {shared.one_line(note_words(note))}")
    if not explanation.understood:
        typer.echo("  no company, statute, period or other name; searched by its words alone")
    for path in explanation.documents:
        typer.echo(f"  document: {shared.one_line(path)}")
    _print_gaps(explanation.relaxed, indent="  ")
    typer.echo()


def print_reasons(hit: Hit, because: HitExplanation) -> None:
    """The searches that found a passage, what of the question it meets, and the heaviest reasons, with what
    each adds to the log-odds of its score."""
    from rag.languages import named
    from rag.search.explain import leg_words

    typer.secho(f"   {'; '.join(map(leg_words, hit.legs))}", dim=True)
    matters = [f"✓ {named('matters', what, 'en')}" for what in because.agrees]
    matters += [f"✗ other {named('matters', what, 'en')}" for what in because.clashes]
    if matters:
        typer.secho(f"   {', '.join(matters)}", dim=True)
    for reason, words in list(zip(because.reasons, because.words, strict=True))[:_REASONS]:
        typer.secho(f"   {reason.adds:+.2f}  {words}", dim=True)


def _print_gaps(relaxed: Sequence[Gap], *, indent: str) -> None:
    from rag.search.explain import gap_words

    for gap in relaxed:
        typer.secho(f"{indent}⚠ {shared.one_line(gap_words(gap))}", fg="yellow")


def ask(
    question: Annotated[str, typer.Argument(help='The question; "-" reads it from standard input.')],
    index: shared.IndexOption = None,
    top: shared.TopK = None,
    documents: shared.Documents = None,
    kind: shared.Kinds = None,
    language: shared.Languages = None,
    year: shared.Years = None,
    company: shared.Companies = None,
    in_force: shared.InForce = None,
    llm: shared.Llm = None,
    embedder: shared.EmbedderOption = None,
    threshold: shared.Threshold = None,
    max_tokens: Annotated[int | None, typer.Option(help="Longest line to write, in tokens.")] = None,
    as_json: shared.JsonOption = False,
) -> None:
    """Ask a question; print the evidence, the verified answer and its references.

    Ends with exit code 10 where the documents do not hold the answer."""
    from rag.assistant import build_assistant

    question = sys.stdin.read() if question == "-" else question
    settings = shared.config(
        index=index,
        top_k=top,
        llm=llm,
        embedder=embedder,
        threshold=threshold,
        max_tokens=max_tokens,
    )
    scope = shared.filters(
        documents=documents, kinds=kind, languages=language, years=year, companies=company, in_force=in_force
    )
    with closing(build_assistant(settings)) as assistant:
        if as_json:
            answer = assistant.ask(question, filters=scope)
            shared.print_json(answer)
        else:
            answer = _follow(assistant, question, scope)
            answering.print_answer(answer)
    if answer.verdict.value != "answered":
        raise typer.Exit(shared.EXIT_REFUSED)


def search(
    question: Annotated[str, typer.Argument(help="What to look for.")],
    index: shared.IndexOption = None,
    top: shared.TopK = None,
    documents: shared.Documents = None,
    kind: shared.Kinds = None,
    language: shared.Languages = None,
    year: shared.Years = None,
    company: shared.Companies = None,
    in_force: shared.InForce = None,
    embedder: shared.EmbedderOption = None,
    full: Annotated[bool, typer.Option("--full", help="Print whole passages.")] = False,
    explain: Annotated[
        bool,
        typer.Option("--explain", help="Print what was understood, what gave way, and why each passage."),
    ] = False,
    as_json: shared.JsonOption = False,
) -> None:
    """Find passages; no answer is written."""
    settings = shared.config(index=index, top_k=top, embedder=embedder)
    scope = shared.filters(
        documents=documents, kinds=kind, languages=language, years=year, companies=company, in_force=in_force
    )
    with closing(shared.open_configured_index(settings)) as opened:
        hits = opened.search(question, settings.top_k, filters=scope)
        explanation = opened.explain(question, hits=hits, filters=scope) if explain else None
    if as_json:
        shared.print_json({"hits": hits, "explanation": explanation} if explanation else hits)
        return
    if explanation:
        print_understood(explanation)
    for rank, hit in enumerate(hits, 1):
        typer.secho(f"{rank}. {answering.place_of(hit)}", bold=True, nl=False)
        typer.echo(f"  {hit.score:.2f}")
        answering.print_validity(hit.document, indent="")
        typer.echo(shared.clean(hit.chunk.text) if full else shared.one_line(hit.chunk.text, answering.QUOTE))
        if explanation:
            print_reasons(hit, explanation.hits[rank - 1])
        typer.echo()
    if not hits:
        shared.message("Nothing found.")


def _follow(assistant: Assistant, question: str, scope: Any) -> Answer:
    """Show the stages and the evidence as they come, and return the verified answer. The stages are shown
    only on a terminal, dimmed and on standard error."""
    from rag.languages.text import detect_language
    from rag.types import EvidenceFound, Finished, StageStarted

    found = None
    for event in assistant.stream(question, filters=scope):
        if found is not None:
            print_short(found.understood, found.relaxed)
            answer = event.answer if isinstance(event, Finished) else None
            # Of a refusal the nearest passages are printed instead, and an answer that read everything is
            # made of its evidence.
            whole = answer is not None and (answer.verdict.value != "answered" or answer.reading is not None)
            if found.evidence and not whole:
                answering.print_evidence(found.evidence, detect_language(question))
            found = None
        if isinstance(event, StageStarted):
            if sys.stderr.isatty():
                typer.secho(_STAGES.get(event.stage, event.stage), err=True, dim=True)
        elif isinstance(event, EvidenceFound):
            found = event
        elif isinstance(event, Finished):
            return event.answer
    raise RuntimeError("the answer ended without a result")


# On two cores SmolLM2-135M answered, by processor time, 76 questions a minute one by one, 97 four and 98
# eight at a time (Q4_1), or 86, 143 and 150 (Q8_0); each one more takes memory.
_PARALLEL = 4
# Answers after which the time of the rest is estimated.
_MEASURED = 5


def batch(
    questions: Annotated[Path, typer.Argument(help="csv, jsonl, xlsx, or txt (one question a line).")],
    out: Annotated[Path, typer.Option("--output", "-o", help="csv, jsonl or xlsx.")],
    column: Annotated[
        str | None, typer.Option(help="Column with the questions.  [default: question]")
    ] = None,
    index: shared.IndexOption = None,
    top: shared.TopK = None,
    llm: shared.Llm = None,
    embedder: shared.EmbedderOption = None,
    threshold: shared.Threshold = None,
    parallel: Annotated[int | None, typer.Option(help="Questions to answer at a time.  [default: 4]")] = None,
    as_json: shared.JsonOption = False,
) -> None:
    """Answer a file of questions.

    Keeps its columns and adds line, verdict, confidence, answer, citations and error. Can be stopped at any
    point, and run again to go on. Ends with exit code 3 where some rows could not be answered."""
    from rag.assistant import build_assistant
    from rag.batch import check_paths, run_batch

    check_paths(questions, out)  # before models are loaded
    settings = shared.config(
        index=index,
        top_k=top,
        llm=llm,
        embedder=embedder,
        threshold=threshold,
        parallel=parallel or max(_PARALLEL, shared.config().parallel),
    )
    with (
        closing(build_assistant(settings)) as assistant,
        shared.stop_on_interrupt() as stop,
        shared.progress_bars(quiet=as_json) as progress,
    ):
        report = run_batch(
            assistant,
            questions,
            out,
            question_column=column,
            progress=progress if assistant.llm is None else _estimating(progress, assistant.llm.info.name),
            stop=stop,
            parallel=settings.parallel,
        )
    if as_json:
        shared.print_json(report)
    else:
        _print_report(report)
    if report.stopped:
        raise typer.Exit(shared.EXIT_STOPPED)
    if report.failed:
        raise typer.Exit(ParseError.exit_code)


def _estimating(show: Callable[[Progress], None], model: str) -> Callable[[Progress], None]:
    """The same callback, which says at the start that a model reads, and after the first answers how long the
    rest and a thousand questions take on this machine."""
    first: list[int] = []
    said = False

    def follow(progress: Progress) -> None:
        nonlocal said
        show(progress)
        if not first:
            first.append(progress.done)
            shared.message(
                f"{progress.total - progress.done:,} questions; {model} reads those that code cannot answer. "
                "How long that takes is said after the first ones. Ctrl-C keeps what is done; the same "
                "command goes on from there."
            )
        elif not said and progress.rate and progress.done >= first[0] + _MEASURED < progress.total:
            said = True
            shared.message(
                f"{shared.pace(progress.rate)}: about {shared.duration(progress.remaining or 0.0)} left; a "
                f"thousand questions take about {shared.duration(1000 / progress.rate)} on this machine."
            )

    return follow


def _print_report(report: BatchReport) -> None:
    done = report.answered + report.nearby + report.absent + report.failed
    kept = f" ({report.resumed:,} from the run before)" if report.resumed else ""
    typer.echo(
        f"{done:,} of {report.rows:,} rows{kept}: {report.answered:,} answered, {report.nearby:,} nearby, "
        f"{report.absent:,} absent, {report.failed:,} with an error, in {shared.duration(report.seconds)}."
    )
    if report.stopped:
        typer.echo("Stopped; what was answered is kept. Run the same command again to go on.")
    else:
        typer.echo(f"Written: {report.output}")
