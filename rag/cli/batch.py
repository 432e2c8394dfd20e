"""`citewise batch`: a file of questions in, a file of answers out."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rag.cli import options, output
from rag.cli.options import Drafts, EmbedderOption, IndexOption, JsonOption, Llm, NoTuned, TopK
from rag.errors import ParseError

if TYPE_CHECKING:
    from rag.batch import BatchReport

# On two cores SmolLM2-135M answered, by processor time, 76 questions a minute one by one, 97 four and 98
# eight at a time (Q4_1), or 86, 143 and 150 (Q8_0); each one more takes memory.
_PARALLEL = 4


def batch(
    questions: Annotated[Path, typer.Argument(help="csv, jsonl, xlsx, or txt (one question a line).")],
    out: Annotated[Path, typer.Option("--output", "-o", help="csv, jsonl or xlsx.")],
    column: Annotated[
        str | None, typer.Option(help="Column with the questions.  [default: question]")
    ] = None,
    index: IndexOption = None,
    top: TopK = None,
    llm: Llm = None,
    embedder: EmbedderOption = None,
    threshold: Annotated[float | None, typer.Option(help="Refuse below this evidence score, 0 to 1.")] = None,
    drafts: Drafts = None,
    parallel: Annotated[int | None, typer.Option(help="Questions to answer at a time.  [default: 4]")] = None,
    no_tuned: NoTuned = False,
    as_json: JsonOption = False,
) -> None:
    """Answer a file of questions.

    Keeps its columns and adds answer, kind, state, refused, citations and error. Can be stopped at any
    point, and run again to go on. Ends with exit code 3 where some rows could not be answered."""
    from rag.assistant import build_assistant
    from rag.batch import check_paths, run_batch

    check_paths(questions, out)  # before models are loaded
    settings = options.config(
        index=index,
        top_k=top,
        llm=llm,
        embedder=embedder,
        threshold=threshold,
        drafts=drafts,
        parallel=parallel or max(_PARALLEL, options.config().parallel),
        tuned_models=options.untuned(no_tuned),
    )
    with (
        closing(build_assistant(settings)) as assistant,
        output.stop_on_interrupt() as stop,
        output.progress_bars(quiet=as_json) as progress,
    ):
        report = run_batch(
            assistant,
            questions,
            out,
            question_column=column,
            progress=progress,
            stop=stop,
            parallel=settings.parallel,
        )
    if as_json:
        output.print_json(report)
    else:
        _print_report(report)
    if report.stopped:
        raise typer.Exit(output.EXIT_STOPPED)
    if report.failed:
        raise typer.Exit(ParseError.exit_code)


def _print_report(report: BatchReport) -> None:
    done = report.answered + report.refused + report.failed
    kept = f" ({report.resumed:,} from the run before)" if report.resumed else ""
    typer.echo(
        f"{done:,} of {report.rows:,} rows{kept}: {report.answered:,} answered, {report.refused:,} refused, "
        f"{report.failed:,} with an error, in {output.duration(report.seconds)}."
    )
    if report.stopped:
        typer.echo("Stopped; what was answered is kept. Run the same command again to go on.")
    else:
        typer.echo(f"Written: {report.output}")
