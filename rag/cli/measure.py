"""`citewise eval`: measure an index on questions with evidence."""

from __future__ import annotations

import dataclasses
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from rag.cli import shared
from rag.cli.shared import SET_HELP, EmbedderOption, JsonOption, Llm, SetIndexOption
from rag.errors import InputError

if TYPE_CHECKING:
    from rag.config import Config
    from rag.measure.report import Change, Report


def evaluate(
    sources: Annotated[list[Path], typer.Argument(metavar="SET...", help=SET_HELP)],
    index: SetIndexOption = None,
    what: Annotated[
        str, typer.Option(help="retrieval, answers, all, or verify: files of labelled sentences.")
    ] = "retrieval",
    sample: Annotated[
        int | None, typer.Option(min=1, help="At most this many questions, always the same ones.")
    ] = None,
    tag: Annotated[
        list[str] | None, typer.Option("--tag", help="Only questions with this tag; repeatable.")
    ] = None,
    half: Annotated[
        Literal["dev", "test"] | None,
        typer.Option(help="Only one half of the questions, the same one every time, split by document."),
    ] = None,
    scoped: Annotated[
        bool, typer.Option("--scoped", help="Ask over the documents alone that a question names.")
    ] = False,
    depth: Annotated[int, typer.Option(min=1, max=1000, help="Passages to retrieve per question.")] = 100,
    without: Annotated[
        list[str] | None,
        typer.Option("--without", metavar="STAGE", help="Switch this stage of retrieval off; repeatable."),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Folder for the reports.")] = None,
    former: Annotated[
        Path | None, typer.Option("--compare", metavar="FILE", help="Say what turned since that report.json.")
    ] = None,
    llm: Llm = None,
    embedder: EmbedderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Measure retrieval and answers on questions; write report.json and report.md."""
    from rag.measure.evaluate import judge_sentences, read_set, set_name, stages_without
    from rag.measure.report import changed, sets_table
    from rag.measure.yardstick import Choice

    # Everything that can be wrong with the arguments, before the minutes that an ingest may take.
    choice, stages = Choice(tuple(tag or ()), half, sample, scoped), stages_without(without or ())
    several, names = len(sources) > 1, [set_name(source) for source in sources]
    if several and (index or former or len(set(names)) < len(names)):
        raise InputError(
            "Several sets are measured each with its own index and name; leave --index and --compare out, "
            "and give each once."
        )
    for source in sources:
        if what != "verify":
            check_set(source, "measure")
        read_set(source, choice, what)
    if former is not None and not former.is_file():
        raise InputError(f"{former}, to compare with, is not there; give the report.json of an earlier run.")
    reports = {}
    for source, name in zip(sources, names, strict=True):
        if what == "verify":  # needs no index
            with shared.progress_bars(quiet=as_json) as progress:
                report = judge_sentences(source, choice, progress)
        else:
            settings = set_config(source, index, quiet=as_json)
            how = {"choice": choice, "depth": depth, "stages": stages}
            report = _measure(source, settings, what, quiet=as_json, **how)
        change = changed(report, former) if former else None
        target = (out or Path("reports")) / name if several or not out else out
        paths = report.write(target, change.sections() if change else ())
        reports[name] = report
        if not several:
            _print_report(report, change, paths, as_json=as_json)
    if several and as_json:
        shared.print_json({name: {"measures": report.measures} for name, report in reports.items()})
    elif several:
        typer.echo(shared.clean(sets_table(reports)))


def check_set(source: Path, purpose: str) -> None:
    """Raises InputError for a folder that is no set of questions, and for what is not there; `purpose` is
    what an index of the user's own would be used for."""
    if source.is_file() or ((source / "documents").is_dir() and (source / "questions.jsonl").is_file()):
        return
    raise InputError(
        f"{source} is not a set: it needs a folder documents/ and a file questions.jsonl. To {purpose} "
        "an index of yours give a file of questions and --index."
    )


def set_config(source: Path, index: Path | None, *, quiet: bool) -> Config:
    """The settings with the index of a set, which is brought up to date: unchanged files cost only a look, an
    ingest that was cut short is finished."""
    folder = index or (Path(f"indexes/eval-{source.resolve().name}") if source.is_dir() else None)
    settings = shared.config(index=folder)
    if source.is_dir() and (index is None or not index.exists()):
        ingest_set(source / "documents", settings, quiet=quiet)
    return settings


def ingest_set(documents: Path, settings: Config, *, quiet: bool) -> None:
    with (
        closing(shared.open_configured_index(settings, create=True)) as opened,
        shared.progress_bars(quiet=quiet) as progress,
    ):
        opened.ingest(documents, sync=True, progress=progress)


def _measure(source: Path, settings: Config, what: str, *, quiet: bool, **how: Any) -> Report:
    from rag.assistant import build_assistant
    from rag.cli.models import version
    from rag.measure.evaluate import evaluate
    from rag.models.generation import KeptLLM

    with ExitStack() as stack:
        progress, assistant = stack.enter_context(shared.progress_bars(quiet=quiet)), None
        if what == "retrieval":  # needs no language model, and not the second it takes to load
            index = stack.enter_context(closing(shared.open_configured_index(settings)))
        else:
            assistant = stack.enter_context(closing(build_assistant(settings)))
            index = assistant.index
            if assistant.llm is not None:
                assistant.llm = KeptLLM(assistant.llm, settings.cache_dir / "generations")
        report = evaluate(source, index, assistant, what=what, progress=progress, **how)
        about = {"index": str(index.folder), "citewise": version()}
    return dataclasses.replace(report, settings={**report.settings, **about})


def _print_report(report: Report, change: Change | None, paths: tuple[Path, ...], *, as_json: bool) -> None:
    turned, differences = (change.turned, change.differences) if change else ((), {})
    if as_json:
        shared.print_json({"report": report, "turned": turned, "differences": differences, "written": paths})
        return
    typer.echo(shared.clean(report.to_markdown(change.sections() if change else ())))
    shared.message(f"Written: {', '.join(map(str, paths))}")
