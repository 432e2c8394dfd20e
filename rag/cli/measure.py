"""`citewise eval`: measure an index on questions with evidence."""

from __future__ import annotations

from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rag.cli import options, output
from rag.cli.options import EmbedderOption, JsonOption, Llm
from rag.errors import InputError

if TYPE_CHECKING:
    from rag.config import Config
    from rag.report import Report


def evaluate(
    folder: Annotated[
        Path, typer.Argument(metavar="SET", help="Folder with documents/ and questions.jsonl.")
    ],
    index: Annotated[
        Path | None,
        typer.Option("--index", "-i", help="Folder of the index.  [default: indexes/eval-SET, kept current]"),
    ] = None,
    what: Annotated[str, typer.Option(help="retrieval, answers, or all.")] = "retrieval",
    limit: Annotated[int | None, typer.Option(min=1, help="At most this many questions, drawn.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of the draw.")] = 0,
    depth: Annotated[int, typer.Option(min=1, max=1000, help="Passages to retrieve per question.")] = 20,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Folder for the reports.")] = None,
    former: Annotated[
        Path | None,
        typer.Option("--compare", metavar="FILE", help="Say what turned since that report.json."),
    ] = None,
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Make the index anew first.")] = False,
    llm: Llm = None,
    embedder: EmbedderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Measure retrieval and answers on a set of questions; write report.json and report.md."""
    from rag.report import compare

    if not (folder / "documents").is_dir() or not (folder / "questions.jsonl").is_file():
        raise InputError(f"{folder} is not a set: it needs a folder documents/ and a file questions.jsonl.")
    name = folder.resolve().name
    settings = options.config(index=index or Path(f"indexes/eval-{name}"), llm=llm, embedder=embedder)
    if rebuild or index is None or not index.exists():
        _ingest(folder / "documents", settings, rebuild=rebuild, quiet=as_json)
    report = _measure(folder, settings, what=what, limit=limit, seed=seed, depth=depth, quiet=as_json)
    turned = compare(report, former) if former else ()
    paths = report.write(out or Path("reports") / name)
    if as_json:
        output.print_json({"report": report, "turned": turned, "written": paths})
        return
    typer.echo(report.to_markdown())
    for turn in turned:
        sign = "better" if turn.better else "worse"
        typer.echo(f"{sign}: {turn.id} ({turn.what}: {turn.before} -> {turn.after}) {turn.question}")
    output.message(f"Written: {', '.join(map(str, paths))}")


def _ingest(documents: Path, settings: Config, *, rebuild: bool, quiet: bool) -> None:
    """Bring the set's index up to date: unchanged files cost only a look, an ingest that was cut short is
    finished."""
    with (
        closing(options.open_configured_index(settings, create=True, rebuild=rebuild)) as opened,
        output.progress_bars(quiet=quiet) as progress,
    ):
        opened.ingest(documents, sync=True, progress=progress)


def _measure(
    folder: Path, settings: Config, *, what: str, limit: int | None, seed: int, depth: int, quiet: bool
) -> Report:
    from rag.evaluate import evaluate

    with ExitStack() as stack:
        assistant = None
        if what == "retrieval":  # needs no language model, and not the second it takes to load
            index = stack.enter_context(closing(options.open_configured_index(settings)))
        else:
            from rag.answer import build_assistant

            assistant = stack.enter_context(closing(build_assistant(settings)))
            index = assistant.index
        progress = stack.enter_context(output.progress_bars(quiet=quiet))
        return evaluate(
            folder, index, assistant, what=what, limit=limit, seed=seed, depth=depth, progress=progress
        )
