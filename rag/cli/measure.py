"""`citewise eval`: measure an index on questions with evidence."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from rag.cli import options, output
from rag.cli.options import SET_HELP, EmbedderOption, JsonOption, Llm, SetIndexOption
from rag.errors import InputError

if TYPE_CHECKING:
    from rag.ablation import Ablation
    from rag.answer import Assistant
    from rag.config import Config
    from rag.evalset import Half
    from rag.index import Index
    from rag.report import Report
    from rag.report_html import Change


@dataclasses.dataclass(frozen=True, slots=True)
class Choices:
    """What to ask and to measure, as the options say it."""

    what: str
    limit: int | None
    seed: int
    depth: int
    tags: tuple[str, ...]
    half: Half | None
    without: tuple[str, ...]

    @property
    def questions(self) -> dict[str, Any]:
        """The arguments of `evaluate` and `ablate` that choose questions and how deep to look."""
        names = ("limit", "seed", "depth", "tags", "half")
        return {name: getattr(self, name) for name in names}


def evaluate(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="SET",
            help=SET_HELP,
        ),
    ],
    index: SetIndexOption = None,
    what: Annotated[str, typer.Option(help="retrieval, answers, or all.")] = "retrieval",
    limit: Annotated[int | None, typer.Option(min=1, help="At most this many questions, drawn.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of the draw.")] = 0,
    tag: Annotated[
        list[str] | None, typer.Option("--tag", help="Only questions with this tag; repeatable.")
    ] = None,
    half: Annotated[
        Literal["dev", "test"] | None,
        typer.Option(help="Only one half of the questions, the same one every time, split by document."),
    ] = None,
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
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Make the index anew first.")] = False,
    llm: Llm = None,
    embedder: EmbedderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Measure retrieval and answers on questions; write report.json, report.md and report.html."""
    if ablate and without:
        raise InputError("--ablate switches every stage off in turn; leave --without out.")
    choices = Choices(what, limit, seed, depth, tuple(tag or ()), half, tuple(without or ()))
    _check(source, choices, former, rebuild=rebuild)
    name = source.resolve().name if source.is_dir() else source.resolve().stem
    folder = index or (Path(f"indexes/eval-{name}") if source.is_dir() else None)
    settings = options.config(index=folder, llm=llm, embedder=embedder)
    if source.is_dir() and (rebuild or index is None or not index.exists()):
        ingest_set(source / "documents", settings, rebuild=rebuild, quiet=as_json)
    if ablate:
        report, ablation = _measure_with_ablation(source, settings, choices, quiet=as_json)
    else:
        report, ablation = _measure(source, settings, choices, quiet=as_json), None
    change = _change(report, former) if former else None
    paths = _write(report, out or Path("reports") / name, change, ablation)
    _show(report, change, ablation, paths, as_json=as_json)


def _check(source: Path, choices: Choices, former: Path | None, *, rebuild: bool) -> None:
    """Everything that can be wrong with the arguments, before the minutes that an ingest may take."""
    from rag.evaluate import check_what, choose
    from rag.staging import stages_without

    check_what(choices.what)
    if source.is_dir() or not source.exists():
        if not (source / "documents").is_dir() or not (source / "questions.jsonl").is_file():
            raise InputError(
                f"{source} is not a set: it needs a folder documents/ and a file questions.jsonl. To measure "
                "an index of yours give a file of questions and --index."
            )
    elif rebuild:
        raise InputError(
            f"{source} is a file of questions: it has no documents to rebuild an index from. "
            "Rebuild it with: citewise ingest FOLDER --index INDEX --rebuild"
        )
    if former is not None and not former.is_file():
        raise InputError(f"{former}, to compare with, is not there; give the report.json of an earlier run.")
    stages_without(choices.without)
    choose(source, limit=choices.limit, seed=choices.seed, tags=choices.tags, half=choices.half)


def ingest_set(documents: Path, settings: Config, *, rebuild: bool, quiet: bool) -> None:
    """Bring the set's index up to date: unchanged files cost only a look, an ingest that was cut short is
    finished."""
    with (
        closing(options.open_configured_index(settings, create=True, rebuild=rebuild)) as opened,
        output.progress_bars(quiet=quiet) as progress,
    ):
        opened.ingest(documents, sync=True, progress=progress)


@contextmanager
def _opened(settings: Config, what: str) -> Iterator[tuple[Index, Assistant | None]]:
    with ExitStack() as stack:
        if what == "retrieval":  # needs no language model, and not the second it takes to load
            yield stack.enter_context(closing(options.open_configured_index(settings))), None
            return
        from rag.answer import build_assistant

        assistant = stack.enter_context(closing(build_assistant(settings)))
        yield assistant.index, assistant


def _measure(source: Path, settings: Config, choices: Choices, *, quiet: bool) -> Report:
    with _opened(settings, choices.what) as (index, assistant):
        return _evaluated(source, index, assistant, choices, quiet=quiet)


def _measure_with_ablation(
    source: Path, settings: Config, choices: Choices, *, quiet: bool
) -> tuple[Report, Ablation]:
    from rag.ablation import ablate

    with _opened(settings, choices.what) as (index, assistant):
        report = _evaluated(source, index, assistant, choices, quiet=quiet)
        with output.progress_bars(quiet=quiet) as progress:
            return report, ablate(source, index, **choices.questions, progress=progress)


def _evaluated(
    source: Path, index: Index, assistant: Assistant | None, choices: Choices, *, quiet: bool
) -> Report:
    from rag.cli.system import version
    from rag.evaluate import evaluate
    from rag.staging import stages_without

    stages = stages_without(choices.without)
    with output.progress_bars(quiet=quiet) as progress:
        report = evaluate(
            source,
            index,
            assistant,
            what=choices.what,
            stages=stages,
            **choices.questions,
            progress=progress,
        )
    about = {"index": str(index.folder), "citewise": version()}
    return dataclasses.replace(report, settings={**report.settings, **about})


def _change(report: Report, former: Path) -> Change:
    from rag.report import compare, differences
    from rag.report_html import Change

    return Change(str(former), compare(report, former), differences(report, former))


def _write(
    report: Report, folder: Path, change: Change | None, ablation: Ablation | None
) -> tuple[Path, ...]:
    from rag.report_html import write_html

    paths: tuple[Path, ...] = report.write(folder)
    if ablation is not None:
        paths += ablation.write(folder)
    return (*paths, write_html(report, folder, change=change, ablation=ablation))


def _show(
    report: Report,
    change: Change | None,
    ablation: Ablation | None,
    paths: tuple[Path, ...],
    *,
    as_json: bool,
) -> None:
    turned = change.turned if change else ()
    if as_json:
        changes = change.differences if change else {}
        told = {"report": report, "turned": turned, "differences": changes, "ablation": ablation}
        output.print_json({**told, "written": paths})
        return
    typer.echo(output.clean(report.to_markdown()))
    if ablation is not None:
        typer.echo(output.clean(ablation.to_markdown()))
    for turn in turned:
        sign = "better" if turn.better else "worse"
        line = f"{sign}: {turn.id} ({turn.what}: {turn.before} -> {turn.after}) {turn.question}"
        typer.echo(output.one_line(line))
    output.message(f"Written: {', '.join(map(str, paths))}")
