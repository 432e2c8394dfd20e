"""`citewise adapt`: train an adapter for a small language model on your own questions."""

from __future__ import annotations

import dataclasses
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rag.cli import options, output
from rag.cli.measure import ingest_set
from rag.cli.options import SET_HELP, JsonOption, Llm, SetIndexOption
from rag.errors import InputError

if TYPE_CHECKING:
    from rag.adapt.adapting import Adaptation, Target
    from rag.adapt.embedder import Embedding
    from rag.adapt.measure import Quality
    from rag.adapt.train import Plan
    from rag.config import Config
    from rag.index import Index


def adapt(
    source: Annotated[Path, typer.Argument(metavar="SET", help=SET_HELP)],
    index: SetIndexOption = None,
    minutes: Annotated[
        float, typer.Option(min=0, help="Longest time to train, in minutes; 0: until it gains no more.")
    ] = 30.0,
    out: Annotated[
        Path | None,
        typer.Option(help="File to write (with --embedder a folder).  [default: adapters/SET.gguf]"),
    ] = None,
    rank: Annotated[
        int | None,
        typer.Option(min=1, max=256, help="Rank of the adapter.  [default: 16]"),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume/--anew", help="Go on where a run that was stopped left off.")
    ] = True,
    distil: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Let the model at this address make short answers to learn."),
    ] = None,
    ranker: Annotated[
        bool, typer.Option("--ranker", help="Fit the order of passages instead: what `citewise tune` does.")
    ] = False,
    embedder: Annotated[
        bool,
        typer.Option("--embedder", help="Tune the embedding model instead; the index must then be rebuilt."),
    ] = False,
    llm: Llm = None,
    as_json: JsonOption = False,
) -> None:
    """Train a small adapter (LoRA) for the language model on your own questions.

    One half of the questions is trained on, the other, about other documents, measures before and after.
    """
    if ranker and embedder:
        raise InputError("--ranker and --embedder are two things to tune; give one at a time.")
    if ranker:
        from rag.cli.tune import tune

        tune(source, index=index, as_json=as_json)
        return
    settings = _settings(source, index, llm)
    _check(source)
    if source.is_dir() and (index is None or not index.exists()):
        ingest_set(source / "documents", settings, rebuild=False, quiet=as_json)
    with closing(options.open_configured_index(settings)) as opened:
        if embedder:
            _tell_embedding(_embedder(source, opened, settings, out, minutes, quiet=as_json), as_json=as_json)
            return
        target = out or Path("adapters") / f"{_name(source)}.gguf"
        found = _adapted(
            source, opened, settings, target, rank, minutes, distil, resume=resume, quiet=as_json
        )
    _tell(found, as_json=as_json)


def _settings(source: Path, index: Path | None, llm: str | None) -> Config:
    folder = index or (Path(f"indexes/eval-{source.resolve().name}") if source.is_dir() else None)
    return options.config(index=folder, llm=llm)


def _name(source: Path) -> str:
    return source.resolve().name if source.is_dir() else source.stem


def _check(source: Path) -> None:
    """What can be wrong with the set, before the minutes that an ingest may take."""
    from rag.adapt.adapting import check_questions
    from rag.adapt.weights import need_gguf

    whole = (source / "documents").is_dir() and (source / "questions.jsonl").is_file()
    if not whole and not source.is_file():
        raise InputError(
            f"{source} is not a set: it needs a folder documents/ and a file questions.jsonl. To adapt to an "
            "index of yours give a file of questions and --index."
        )
    need_gguf()
    check_questions([source])


def _adapted(
    source: Path,
    opened: Index,
    settings: Config,
    out: Path,
    rank: int | None,
    minutes: float,
    distil: str | None,
    *,
    resume: bool,
    quiet: bool,
) -> Adaptation:
    from rag.adapt.adapting import Source, adapt
    from rag.models import find_llm

    if settings.llm.lower().startswith(("http://", "https://", "none")):
        raise InputError(f"llm = {settings.llm!r} is no model file; an adapter is trained for a GGUF file.")
    base = find_llm(settings.llm, settings.cache_dir, settings.models)
    with output.progress_bars(quiet=quiet) as progress:
        return adapt(
            [Source(source, opened)],
            base,
            out,
            plan=_plan(rank, minutes, settings.threads),
            target=_target(distil, settings),
            about={"questions": _name(source)},
            cache_dir=settings.cache_dir,
            resume=resume,
            progress=progress,
        )


def _plan(rank: int | None, minutes: float, threads: int) -> Plan:
    from rag.adapt.train import Plan

    rank = rank or 16
    return Plan(rank=rank, alpha=2.0 * rank, minutes=minutes, passes=3, threads=threads)


def _target(address: str | None, settings: Config) -> Target | None:
    """The larger model that makes short answers. Raises Offline where it is elsewhere and that is not
    allowed."""
    if address is None:
        return None
    from rag.adapt.distil import targets_from
    from rag.llm import load_llm

    if not address.startswith(("http://", "https://")):
        raise InputError(f"--distil {address} is no address; one looks like http://127.0.0.1:8080/v1.")
    teacher = load_llm(
        address,
        cache_dir=settings.cache_dir,
        allow_remote=settings.allow_remote,
        api_key=settings.llm_api_key,
        remote_model=settings.llm_model,
    )
    assert teacher is not None, "an address is a model"
    return targets_from(teacher)


def _embedder(
    source: Path, opened: Index, settings: Config, out: Path | None, minutes: float, *, quiet: bool
) -> Embedding:
    from rag.adapt.embedder import adapt_embedder
    from rag.models import find_embedder

    folder = find_embedder(settings.embedder, settings.cache_dir, settings.models).folder
    target = out or Path("adapters") / f"{_name(source)}-embedder"
    with output.progress_bars(quiet=quiet) as progress:
        return adapt_embedder(source, opened, folder, target, minutes=minutes, progress=progress)


_ROWS = (
    ("Short-answer F1", "f1"),
    ("Right source", "right_source"),
    ("Refused, unanswerable", "refused"),
    ("Refused, answerable", "false_refusals"),
    ("Words in their source", "supported"),
)


def _tell(found: Adaptation, *, as_json: bool) -> None:
    if as_json:
        output.print_json(dataclasses.asdict(found))
        return
    counts = found.counts
    typer.echo(
        f"Trained on {counts['examples']} examples of {counts['questions']} questions and {counts['made']} "
        f"made from the documents; measured on {counts['held_out']} other questions. "
        f"Ended: {found.finished}.\n"
    )
    typer.secho("Held-out half            before   after", bold=True)
    for label, name in _ROWS:
        typer.echo(f"{label:<23} {_of(found.before, name):>7.2f} {_of(found.after, name):>7.2f}")
    quotes = f"first quote alone: right source {found.after.first_quote:.2f}, F1 {found.after.quote_f1:.2f}"
    typer.echo(f"For comparison, the {quotes}\n")
    typer.echo(f"Adapter: {found.path}\nCard:    {found.card}")
    if found.better:
        typer.echo(f'To answer with it: [adapters] default = "{found.path}" in citewise.toml')
    else:
        typer.echo("It is no better than what was there on the held-out half; do not use it.")


def _of(quality: Quality, name: str) -> float:
    return float(getattr(quality, name))


def _tell_embedding(found: Embedding, *, as_json: bool) -> None:
    if as_json:
        output.print_json(dataclasses.asdict(found))
        return
    typer.echo(f"Trained on {found.fitted} questions, measured on {found.held_out} others.\n")
    typer.secho("Held-out half    before   after", bold=True)
    for name, before in found.before.items():
        typer.echo(f"{name:<15} {before:>7.3f} {found.after[name]:>7.3f}")
    if found.kept:
        typer.echo(f'\nWritten to {found.path}. To use it: embedder = "{found.path}" in citewise.toml, then')
        typer.echo("citewise ingest --rebuild: vectors of another model do not fit the index.")
    else:
        typer.echo("\nIt finds no more on the held-out half; nothing was written.")
