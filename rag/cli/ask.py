"""`citewise ask`, `citewise search`, `citewise batch`; how an answer is printed, in its language: evidence,
the line with the verdict on it, sentences with their states, what it rests on, what was searched."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rag.cli import shared
from rag.cli.shared import QUOTE, duration, message, one_line, print_line
from rag.errors import ParseError
from rag.languages import named, say

if TYPE_CHECKING:
    from rag.assistant import Assistant
    from rag.batch import BatchReport
    from rag.search.explain import Explanation, HitExplanation
    from rag.types import Answer, Chunk, Citation, Claim, DocumentInfo, Evidence, Gap, Hit, Progress


_COLOURS = {"supported": "green", "partial": "yellow", "unsupported": "red"}
_VERDICT_COLOURS = {"answered": "green", "nearby": "yellow", "absent": "red"}
_REASONS = 5


def _print_understood(explanation: Explanation) -> None:
    """Everything that was understood, each on a line, the documents named, and what gave way."""
    from rag.search.explain import note_words

    nothing = "no company, statute, period or other name; searched by its words alone"
    print_line("Understood", bold=True)
    for words in list(map(note_words, explanation.understood)) or [nothing]:
        print_line(words, 2)
    for path in explanation.documents:
        print_line(f"document: {path}", 2)
    _print_gaps(explanation.relaxed, 2)
    typer.echo()


def _print_reasons(hit: Hit, because: HitExplanation) -> None:
    """The searches that found a passage, what of the question it meets, and the heaviest reasons, with what
    each adds to the log-odds of its score."""
    from rag.search.explain import is_informative, leg_words, reason_words

    print_line("; ".join(map(leg_words, hit.legs)), 3, dim=True)
    matters = [f"✓ {named('matters', what, 'en')}" for what in because.agrees]
    matters += [f"✗ other {named('matters', what, 'en')}" for what in because.clashes]
    if matters:
        print_line(", ".join(matters), 3, dim=True)
    for reason in list(filter(is_informative, hit.reasons))[:_REASONS]:
        typer.secho(f"   {reason.adds:+.2f}  {reason_words(reason)}", dim=True)


def _print_gaps(relaxed: Sequence[Gap], indent: int = 0) -> None:
    from rag.search.explain import gap_words

    for gap in relaxed:
        print_line(f"⚠ {gap_words(gap)}", indent, fg="yellow")


def _print_evidence(evidence: Sequence[Evidence], language: str) -> None:
    """The sentences that bear on the question, before any answer."""
    print_line(say("cli.evidence", language), bold=True)
    for found in evidence:
        print_line(f"[{found.number}] {one_line(found.words, QUOTE)}", 2)
        if found.heads:
            print_line(say("cli.columns", language, header=one_line(found.header, QUOTE)), 6, dim=True)
        print_line(_where(found.document.path, found, language), 6, dim=True)
        _print_validity(found.document)
    typer.echo()


def _print_answer(answer: Answer) -> None:
    """The line, the verdict on it with its confidence, cautions, the sentences, and the quotes that the line
    rests on; of what was not answered also what was searched, and the nearest passages."""
    from rag.search.explain import standing

    language, answered = answer.language, answer.verdict.value == "answered"
    print_line(_marked(answer.line, answer.marks), bold=True)
    if not answer.talk:
        verdict = say(f"cli.{answer.verdict}", language, confidence=answer.confidence)
        print_line(verdict, fg=_VERDICT_COLOURS[answer.verdict.value])
        if stands := standing(answer):
            print_line(stands)
    for caution in answer.cautions:
        print_line(f"⚠ {caution}", fg="yellow")
    if answered:
        _print_sentences(answer)
    elif answer.reason:
        print_line(answer.reason)
    if answer.quotes:
        typer.secho(f"\n{say('cli.references', language)}", bold=True)
    documents = {e.number: e.document for e in answer.evidence}
    for citation in answer.quotes:
        columns = f" ({say('cli.columns', language, header=citation.header)})" if citation.heads else ""
        place = _where(citation.document, citation, language)
        print_line(f"[{citation.number}] {place}: “{one_line(citation.words)}”{columns}", 2)
        if citation.number in documents:
            _print_validity(documents[citation.number])
    if answer.choices:
        typer.echo()
    for number, choice in enumerate(answer.choices, 1):
        print_line(f"{number}. {choice}", 2)
    if not answered:
        searched = answer.certificate
        of = {"passages": searched.passages, "documents": searched.documents, "scope": searched.scope}
        bar = {"best": searched.confidence, "needed": searched.least, "meaning": searched.dense}
        typer.echo()
        print_line(say("cli.searched", language, **of, **bar))
        for path, status in searched.unreadable:
            print_line(say("cli.unread", language, path=path, status=status), 2)
        if answer.nearest:
            typer.secho(f"\n{say('cli.nearest', language)}", bold=True)
        for hit in answer.nearest[:3]:
            place = _where(hit.document.path, hit.chunk, language)
            print_line(f"{place}: {one_line(hit.chunk.text, QUOTE)}", 2)
            _print_validity(hit.document)
    seconds = answer.timings.get("total", sum(answer.timings.values()))
    message(f"\n{duration(seconds)}{f', {answer.model}' if answer.model else ''}")


def _marked(text: str, numbers: Sequence[int]) -> str:
    return f"{text} {''.join(f'[{n}]' for n in numbers)}".rstrip()


def _print_sentences(answer: Answer) -> None:
    """What the answer says besides its line and its quotes."""
    if answer.reading is not None or answer.talk:  # grouped by document or heading: the text says it all
        text = shared.clean(answer.text).removeprefix(answer.line).strip()
        typer.echo("\n".join(f"  {line}".rstrip() for line in text.splitlines()))
        return
    for part in answer.parts:
        print_line(part.question, 2, bold=True)
        if not part.answered:
            typer.secho(f"    {say('cli.not_found', answer.language)}", fg="yellow", nl=False)
            typer.echo(f": {one_line(part.reason)}" if part.reason else "")
        for claim in answer.claims if part.answered else ():
            if set(claim.citations) & set(part.citations):
                _print_claim(claim, answer, indent=4)
    for claim in () if answer.parts else answer.further:
        _print_claim(claim, answer)


def _print_claim(claim: Claim, answer: Answer, indent: int = 2) -> None:
    from rag.search.explain import standing

    colour = _COLOURS[claim.state.value]
    typer.echo(f"{' ' * indent}{_marked(one_line(claim.text), claim.citations)}  ", nl=False)
    state = say("cli.mark" if claim.quoted else f"cli.{claim.state}", answer.language)
    print_line(": ".join(filter(None, (state, standing(answer, claim)))), fg=colour)
    for reason in claim.reasons if claim.state.value != "supported" else ():
        print_line(reason, indent + 4, fg=colour)


def _print_validity(document: DocumentInfo, indent: int = 6) -> None:
    """ "⚠ superseded by Harbour Rules from 2021-01-01"; nothing for what is not known to have ended."""
    from rag.documents.validity import ended

    if force := ended(document):
        by = f" by {force.by_name}" if force.by_name else ""
        print_line(f"⚠ {force.reason}{by} from {force.end}", indent, fg="yellow")


def _where(document: str, passage: Evidence | Chunk | Citation, language: str = "en") -> str:
    """Where a passage stands: "lease.pdf, page 3, 5 Termination > 5.2 Notice"; what is not known is left
    out."""
    paged = say("cli.page", language, page=passage.page) if passage.page else passage.location
    return one_line(", ".join(filter(None, (document, paged, " > ".join(passage.heading_path)))))


def ask(
    question: Annotated[str, typer.Argument(help='The question; "-" reads it from standard input.')],
    index: shared.IndexOption = None,
    top_k: shared.TopK = None,
    documents: shared.Documents = None,
    kinds: shared.Kinds = None,
    languages: shared.Languages = None,
    years: shared.Years = None,
    companies: shared.Companies = None,
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
    scope = shared.asked_filters()
    with closing(build_assistant(shared.config())) as assistant:
        if as_json:
            answer = assistant.ask(question, filters=scope)
            shared.print_json(answer)
        else:
            answer = _follow(assistant, question, scope)
            _print_answer(answer)
    if answer.verdict.value != "answered":
        raise typer.Exit(shared.EXIT_REFUSED)


def search(
    question: Annotated[str, typer.Argument(help="What to look for.")],
    index: shared.IndexOption = None,
    top_k: shared.TopK = None,
    documents: shared.Documents = None,
    kinds: shared.Kinds = None,
    languages: shared.Languages = None,
    years: shared.Years = None,
    companies: shared.Companies = None,
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
    settings, scope = shared.config(), shared.asked_filters()
    with closing(shared.open_configured_index(settings)) as opened:
        hits = opened.search(question, settings.top_k, filters=scope)
        explanation = opened.explain(question, hits=hits, filters=scope) if explain else None
    if as_json:
        shared.print_json({"hits": hits, "explanation": explanation} if explanation else hits)
        return
    if explanation:
        _print_understood(explanation)
    for rank, hit in enumerate(hits, 1):
        place = _where(hit.document.path, hit.chunk)
        typer.secho(f"{rank}. {place}", bold=True, nl=False)
        typer.echo(f"  {hit.score:.2f}")
        _print_validity(hit.document, indent=0)
        text = hit.chunk.text
        typer.echo(shared.clean(text) if full else one_line(text, QUOTE))
        if explanation:
            _print_reasons(hit, explanation.hits[rank - 1])
        typer.echo()
    if not hits:
        message("Nothing found.")


def _follow(assistant: Assistant, question: str, scope: Any) -> Answer:
    """Show the stages and the evidence as they come, and return the verified answer. The stages are shown
    only on a terminal, dimmed and on standard error."""
    from rag.languages import sayings
    from rag.languages.text import detect_language
    from rag.search.explain import note_words, short
    from rag.types import EvidenceFound, Finished, StageStarted

    found, words = None, sayings("page", "en")
    for event in assistant.stream(question, filters=scope):
        if found is not None:
            if notes := short(found.understood):
                print_line(f"Understood: {'; '.join(map(note_words, notes))}", dim=True)
            _print_gaps(found.relaxed)
            if notes or found.relaxed:
                typer.echo()
            answer = event.answer if isinstance(event, Finished) else None
            # Of a refusal the nearest passages are printed instead, and an answer that read everything is
            # made of its evidence.
            whole = answer is not None and (answer.verdict.value != "answered" or answer.reading is not None)
            if found.evidence and not whole:
                _print_evidence(found.evidence, detect_language(question))
        found = event if isinstance(event, EvidenceFound) else None
        if isinstance(event, StageStarted) and sys.stderr.isatty():
            typer.secho(f"{words.get(f'stages.{event.stage}', event.stage)} …", err=True, dim=True)
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
    out: Annotated[Path, typer.Option("--output", "-o", help="csv, jsonl, xlsx or docx.")],
    column: Annotated[
        str | None, typer.Option(help="Column with the questions.  [default: question]")
    ] = None,
    index: shared.IndexOption = None,
    top_k: shared.TopK = None,
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
    settings = shared.config()
    settings = shared.config(parallel=parallel or max(_PARALLEL, settings.parallel))
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
    first: int | None = None
    said = False

    def follow(progress: Progress) -> None:
        nonlocal first, said
        show(progress)
        if first is None:
            first = progress.done
            message(
                f"{progress.total - first:,} questions; {model} reads those that code cannot answer. How "
                "long that takes is said after the first ones. Ctrl-C keeps what is done; the same command "
                "goes on from there."
            )
        elif not said and progress.rate and progress.done >= first + _MEASURED < progress.total:
            said = True
            message(
                f"{shared.pace(progress.rate)}: about {duration(progress.remaining or 0.0)} left; a "
                f"thousand questions take about {duration(1000 / progress.rate)} on this machine."
            )

    return follow


def _print_report(report: BatchReport) -> None:
    done = report.answered + report.nearby + report.absent + report.failed
    kept = f" ({report.resumed:,} from the run before)" if report.resumed else ""
    typer.echo(
        f"{done:,} of {report.rows:,} rows{kept}: {report.answered:,} answered, {report.nearby:,} nearby, "
        f"{report.absent:,} absent, {report.failed:,} with an error, in {duration(report.seconds)}."
    )
    if report.stopped:
        typer.echo("Stopped; what was answered is kept. Run the same command again to go on.")
    else:
        typer.echo(f"Written: {report.output}")
