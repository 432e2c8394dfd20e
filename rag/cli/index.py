"""`citewise ingest`, `citewise index show|text|delete|verify`, and `citewise eval`, which measures an index
on questions with evidence."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack, closing, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from rag.cli import shared
from rag.cli.shared import SET_HELP, EmbedderOption, IndexOption, JsonOption, Llm, SetIndexOption
from rag.errors import IndexProblem, InputError, ParseError
from rag.files import plain

if TYPE_CHECKING:
    from rag.config import Config
    from rag.measure.report import Report
    from rag.types import DocumentInfo, IngestReport

_LISTED = 50
_WATCHED_SECONDS = 5.0

Folder = Annotated[Path | None, typer.Argument(help="Folder of the index, instead of --index.")]


def ingest(
    paths: Annotated[list[Path], typer.Argument(help="Files and folders to read.")],
    index: IndexOption = None,
    sync: Annotated[
        bool, typer.Option("--sync", help="Also remove documents that are gone from the folders.")
    ] = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Go on, and read what comes or changes, until stopped.")
    ] = False,
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Make the index anew from the files.")] = False,
    ocr: Annotated[bool, typer.Option("--ocr", help="Read scanned pages (needs the ocr extra).")] = False,
    workers: Annotated[
        int | None, typer.Option(help="Processes that read files.  [default: one per core]")
    ] = None,
    embedder: EmbedderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read documents into an index: new and changed ones are read, unchanged ones skipped.

    Can be stopped at any point and run again. Ends with exit code 3 where some files could not be read."""
    from rag.parsers import Limits

    settings = shared.config()
    limits = Limits(
        seconds=settings.file_timeout, memory_mb=settings.file_memory_mb, max_bytes=settings.max_file_mb << 20
    )
    with (
        closing(shared.open_configured_index(settings, create=True, rebuild=rebuild)) as opened,
        shared.stop_on_interrupt() as stop,
        shared.progress_bars(quiet=as_json) as progress,
    ):
        run = partial(opened.ingest, sync=sync, ocr=ocr, limits=limits, workers=settings.workers, stop=stop)
        report = run(*paths, progress=progress)
        shown: object = None
        while watch and not stop.is_set():
            news = any(report.count(change) for change in ("added", "updated", "moved", "removed"))
            failed = [(file.path, file.detail) for file in report.failed]
            if (news or failed != shown) and not as_json:
                _print_report(report)
            shown = failed
            if not stop.wait(_WATCHED_SECONDS):
                with suppress(InputError):  # a folder that is not there may come back
                    report = run(*paths)
    if as_json:
        shared.print_json(report)
    elif not watch:
        _print_report(report)
    if stop.is_set():
        raise typer.Exit(shared.EXIT_STOPPED)
    if report.failed:
        raise typer.Exit(ParseError.exit_code)


def _print_report(report: IngestReport) -> None:
    from rag.languages import say
    from rag.search.explain import loss_words
    from rag.types import FileStatus

    counts = {c: report.count(c) for c in ("added", "updated", "moved", "skipped", "removed", "failed")}
    names = {"skipped": "unchanged", "failed": "not read"}
    changes = ", ".join(f"{n:,} {names.get(c, c)}" for c, n in counts.items() if n) or "nothing to do"
    typer.echo(f"{len(report.files):,} files: {changes}.")
    typer.echo(
        f"{report.passages:,} passages, {report.vectors:,} vectors in {shared.duration(report.seconds)}; "
        f"could be asked after {shared.duration(report.seconds_to_answerable)}."
    )
    _print_some("The same text", [f"{path}: as {other}" for path, other in report.copies.items()])
    _print_some("Superseded", [f"{path}: by {other}" for path, other in report.superseded.items()])
    unsupported = Counter(f.detail for f in report.failed if f.status is FileStatus.UNSUPPORTED)
    kinds = {detail for detail, count in unsupported.items() if count > 1}
    each = [f"{f.path}: {f.status.value}. {f.detail}" for f in report.failed if f.detail not in kinds]
    _print_some("Not read", [*(f"{unsupported[kind]:,} files: {kind}" for kind in sorted(kinds)), *each])
    otherwise = [f for f in report.files if f.status is FileStatus.OK and f.detail]
    _print_some("Read by their content", [f"{f.path}: {f.detail}" for f in otherwise])
    _print_some("Not read as a whole", [f"{f.path}: {loss_words(f.losses)}" for f in report.incomplete])
    for kind in dict.fromkeys(loss.kind for file in report.incomplete for loss in file.losses):
        typer.echo(say(f"mending.{kind}", "en"))


def _print_some(title: str, lines: Sequence[str]) -> None:
    if lines:
        typer.secho(f"\n{title}", bold=True)
    for line in lines[:_LISTED]:
        typer.echo(f"  {shared.one_line(line)}")
    if len(lines) > _LISTED:
        typer.echo(f"  … and {len(lines) - _LISTED:,} more (all of them with --json)")


def show(folder: Folder = None, index: IndexOption = None, as_json: JsonOption = False) -> None:
    """What is in an index: counts, sizes, and its documents."""
    from rag.documents.validity import copies_of

    settings = shared.config(index=folder or index)
    with closing(shared.open_configured_index(settings)) as opened:
        stats, documents = opened.stats(), opened.documents()
    if as_json:
        shared.print_json({"index": settings.index, "stats": stats, "documents": documents})
        return
    typer.secho(str(settings.index), bold=True)
    for name, value in plain(stats).items():
        typer.echo(f"  {name.replace('_', ' ')}: {_readable(name, value)}")
    typer.secho("\nDocuments", bold=True)
    kept, copies = copies_of(documents)
    first = {path: document.path for document in kept for path in copies.get(document.id, ())}
    for document in documents:
        copied = f" — the same text as {same}" if (same := first.get(document.path)) else ""
        typer.echo(f"  {shared.one_line(_describe(document) + copied)}")


def text(
    document: Annotated[str, typer.Argument(help="A document: its path, its title, or a glob.")],
    in_force: Annotated[
        str | None, typer.Option("--in-force", metavar="YYYY-MM-DD", help="The day.  [default: today]")
    ] = None,
    index: IndexOption = None,
    as_json: JsonOption = False,
) -> None:
    """The words of a document in force on a day, each change marked and cited."""
    with closing(shared.open_configured_index(shared.config(index=index))) as opened:
        found = opened.consolidated(document, in_force or "")
    if as_json:
        shared.print_json(found)
        return
    typer.secho(shared.one_line(f"{found.document.path}, in force on {found.day}"), bold=True)
    for words in found.words:
        numbers = "".join(f"[{n}]" for n in words.changes)
        typer.echo(shared.clean(f"⟦{words.text.strip()}⟧{numbers}" if numbers else words.text), nl=False)
    typer.echo("\n")
    states = {"later": "Not yet in force. ", "open": "In force, its words not put in above. ", "made": ""}
    for number, by in enumerate(found.changes, 1):
        was = next((w.was for w in found.words if number in w.changes and w.was), "")
        where = ", ".join(filter(None, (by.document.path, by.clause, by.day and f"from {by.day}")))
        said = f"{states[by.state]}{where}: “{by.text}”" + (f" It read: “{was}”" if was else "")
        typer.echo(shared.one_line(f"[{number}] {said}"))


def delete(
    paths: Annotated[list[str], typer.Argument(help="Documents as `index show` lists them, or globs.")],
    index: IndexOption = None,
    as_json: JsonOption = False,
) -> None:
    """Remove documents from an index; the files themselves stay."""
    settings = shared.config()
    with closing(shared.open_configured_index(settings)) as opened:
        removed = opened.delete(paths)
    if as_json:
        shared.print_json({"removed": removed})
        return
    for path in removed:
        typer.echo(f"removed {shared.one_line(path)}")


def verify(folder: Folder = None, index: IndexOption = None, as_json: JsonOption = False) -> None:
    """Check an index against itself: offsets, vectors, checksums. Ends with exit code 4 where something is
    wrong."""
    settings = shared.config(index=folder or index)
    with closing(shared.open_configured_index(settings)) as opened:
        report = opened.verify()
    values = plain(report)
    if as_json:
        shared.print_json(values)
    else:
        for name, value in values.items():
            typer.echo(f"{name.replace('_', ' ')}: {_readable(name, value)}")
    if not report.ok:
        raise typer.Exit(IndexProblem.exit_code)


def _readable(name: str, value: object) -> str:
    if isinstance(value, dict):
        return "".join(f"\n    {k.replace('_', ' ')}: {_readable(k, v)}" for k, v in value.items())
    if isinstance(value, bool) or not isinstance(value, int | list):
        return shared.one_line(str(value))
    if isinstance(value, list):
        return "".join(f"\n    {shared.one_line(str(v))}" for v in value) or "none"
    return f"{value / 1e6:,.1f} MB" if "bytes" in name else f"{value:,}"


def _describe(document: DocumentInfo) -> str:
    from rag.search.explain import loss_words

    pages = f", {document.pages} pages" if document.pages else ""
    trouble = f" — {document.status.value}: {document.detail}" if document.detail else ""
    trouble += f" — not read: {loss_words(document.losses)}" if document.losses else ""
    what = f"{document.kind}, {document.language}{pages}, {document.chunks} passages"
    return shared.one_line(f"{document.path}  ({what}){trouble}")


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
    llm: Llm = None,
    embedder: EmbedderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Measure retrieval and answers on questions; write report.json and report.md."""
    from rag.measure.evaluate import judge_sentences, read_set, set_name, stages_without
    from rag.measure.report import sets_table
    from rag.measure.yardstick import Choice

    # Everything that can be wrong with the arguments, before the minutes that an ingest may take.
    choice, stages = Choice(tuple(tag or ()), half, sample, scoped), stages_without(without or ())
    several, names = len(sources) > 1, [set_name(source) for source in sources]
    if several and (index or len(set(names)) < len(names)):
        raise InputError(
            "Several sets are measured each with its own index and name; leave --index out, give each once."
        )
    for source in sources:
        if what != "verify":
            check_set(source, "measure")
        read_set(source, choice, what)
    reports = {}
    for source, name in zip(sources, names, strict=True):
        if what == "verify":  # needs no index
            with shared.progress_bars(quiet=as_json) as progress:
                report = judge_sentences(source, choice, progress)
        else:
            settings = set_config(source, index, quiet=as_json)
            how = {"choice": choice, "depth": depth, "stages": stages}
            report = _measure(source, settings, what, quiet=as_json, **how)
        paths = report.write((out or Path("reports")) / name if several or not out else out)
        reports[name] = report
    if several and as_json:
        shared.print_json({name: {"measures": report.measures} for name, report in reports.items()})
    elif as_json:
        shared.print_json({"report": report, "written": paths})
    elif several:
        typer.echo(shared.clean(sets_table(reports)))
    else:
        typer.echo(shared.clean(report.to_markdown()))
        shared.message(f"Written: {', '.join(map(str, paths))}")


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
