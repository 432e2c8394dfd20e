"""`citewise eval`: measure an index on questions with evidence."""

from __future__ import annotations

import dataclasses
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from rag.cli import options, output
from rag.cli.options import SET_HELP, EmbedderOption, JsonOption, Llm, SetIndexOption
from rag.errors import InputError

if TYPE_CHECKING:
    from rag.assistant import Assistant
    from rag.config import Config
    from rag.measure.evalset import Choice
    from rag.measure.report import Change, Report


@dataclasses.dataclass(frozen=True, slots=True)
class Options:
    """What to ask, to measure and to write, as the command line says it."""

    what: str
    choice: Choice
    depth: int
    without: tuple[str, ...]
    ablate: bool
    former: Path | None
    quiet: bool


def evaluate(
    sources: Annotated[list[Path], typer.Argument(metavar="SET...", help=SET_HELP)],
    index: SetIndexOption = None,
    what: Annotated[str, typer.Option(help="retrieval, answers, or all.")] = "retrieval",
    sample: Annotated[
        int | None, typer.Option(min=1, help="At most this many questions, always the same ones.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="At most this many questions, drawn.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of the draw.")] = 0,
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
    ablate: Annotated[
        bool, typer.Option("--ablate", help="Also measure retrieval without each of its stages.")
    ] = False,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Folder for the reports.")] = None,
    former: Annotated[
        Path | None,
        typer.Option("--compare", metavar="FILE", help="Say what turned since that report.json."),
    ] = None,
    llm: Llm = None,
    embedder: EmbedderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Measure retrieval and answers on questions; write report.json, report.md and report.html."""
    from rag.measure.evalset import Choice
    from rag.measure.evaluate import set_name
    from rag.measure.report import changed, sets_table
    from rag.measure.report_html import write_html

    choice = Choice(limit, seed, tuple(tag or ()), half, sample, scoped)
    asked = Options(what, choice, depth, tuple(without or ()), ablate, former, as_json)
    several = len(sources) > 1
    _check(sources, index, asked)
    reports = {}
    for source in sources:
        name = set_name(source)
        folder = index or (Path(f"indexes/eval-{name}") if source.is_dir() else None)
        settings = options.config(index=folder, llm=llm, embedder=embedder)
        if source.is_dir() and (index is None or not index.exists()):
            ingest_set(source / "documents", settings, quiet=as_json)
        report = _measure(source, settings, asked)
        change = changed(report, former) if former else None
        target = (out or Path("reports")) / name if several or not out else out
        paths = (*report.write(target), write_html(report, target, change.sections() if change else ()))
        reports[name] = report
        if not several:
            _print_report(report, change, paths, as_json=as_json)
    if several and as_json:
        output.print_json({name: {"measures": report.measures} for name, report in reports.items()})
    elif several:
        typer.echo(output.clean(sets_table(reports)))


def _check(sources: list[Path], index: Path | None, asked: Options) -> None:
    """Everything that can be wrong with the arguments, before the minutes that an ingest may take."""
    from rag.measure.evaluate import read_set, set_name, stages_without

    if asked.ablate and asked.without:
        raise InputError("--ablate switches every stage off in turn; leave --without out.")
    names = [set_name(source) for source in sources]
    if len(sources) > 1 and (index or asked.former or asked.ablate or len(set(names)) < len(names)):
        raise InputError(
            "Several sets are measured each with its own index and name; leave --index, --compare and "
            "--ablate out, and give each once."
        )
    for source in sources:
        options.check_set(source, "measure")
        stages_without(asked.without)
        read_set(source, asked.choice, asked.what)
    former = asked.former
    if former is not None and not former.is_file():
        raise InputError(f"{former}, to compare with, is not there; give the report.json of an earlier run.")


def ingest_set(documents: Path, settings: Config, *, quiet: bool) -> None:
    """Bring the set's index up to date: unchanged files cost only a look, an ingest that was cut short is
    finished."""
    with (
        closing(options.open_configured_index(settings, create=True)) as opened,
        output.progress_bars(quiet=quiet) as progress,
    ):
        opened.ingest(documents, sync=True, progress=progress)


def _measure(source: Path, settings: Config, asked: Options) -> Report:
    from rag.cli.models import version
    from rag.measure.evaluate import ablate, evaluate, stages_without

    common: dict[str, Any] = {"choice": asked.choice, "depth": asked.depth}
    stages, assistant = stages_without(asked.without), None
    with ExitStack() as stack:
        if asked.what == "retrieval":  # needs no language model, and not the second it takes to load
            index = stack.enter_context(closing(options.open_configured_index(settings)))
        else:
            assistant = stack.enter_context(closing(_assistant(settings, asked.what)))
            index = assistant.index
        common["progress"] = stack.enter_context(output.progress_bars(quiet=asked.quiet))
        report = evaluate(source, index, assistant, what=asked.what, stages=stages, **common)
        about = {"index": str(index.folder), "citewise": version()}
        variants = ablate(source, index, **common) if asked.ablate else ()
    return dataclasses.replace(report, settings={**report.settings, **about}, ablation=variants)


def _assistant(settings: Config, what: str) -> Assistant:
    from rag.assistant import build_assistant
    from rag.measure.yardstick import KeptLLM

    assistant = build_assistant(settings)
    if what == "answers" and assistant.llm is not None:  # "all" gives times, too
        assistant.llm = KeptLLM(assistant.llm, settings.cache_dir / "generations")
    return assistant


def _print_report(report: Report, change: Change | None, paths: tuple[Path, ...], *, as_json: bool) -> None:
    turned, differences = (change.turned, change.differences) if change else ((), {})
    if as_json:
        output.print_json({"report": report, "turned": turned, "differences": differences, "written": paths})
        return
    typer.echo(output.clean(report.to_markdown()))
    for turn in turned:
        sign = "better" if turn.better else "worse"
        line = f"{sign}: {turn.id} ({turn.what}: {turn.before} -> {turn.after}) {turn.question}"
        typer.echo(output.one_line(line))
    output.message(f"Written: {', '.join(map(str, paths))}")
