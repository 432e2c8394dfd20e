"""`citewise tune`: fit an index to your own questions, or undo that."""

from __future__ import annotations

import dataclasses
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rag.cli import options, output
from rag.cli.measure import ingest_set
from rag.cli.options import SET_HELP, EmbedderOption, JsonOption, SetIndexOption
from rag.errors import InputError

if TYPE_CHECKING:
    from rag.config import Config
    from rag.measure.tune import Risk, Tuning

_COVERAGES = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5)


def tune(
    source: Annotated[
        Path | None,
        typer.Argument(metavar="SET", help=SET_HELP),
    ] = None,
    index: SetIndexOption = None,
    refuse: Annotated[
        float, typer.Option(help="Share of unanswerable questions to refuse, between 0 and 1.")
    ] = 0.85,
    risk: Annotated[
        float | None,
        typer.Option(help="Instead: the largest share of answers that may be wrong, such as 0.05."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Measure, and change nothing.")] = False,
    reset: Annotated[
        bool, typer.Option("--reset", help="Take an index's own order and threshold away; needs no SET.")
    ] = False,
    embedder: EmbedderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Fit the order of passages and the refusal threshold of an index to your own questions.

    One half of the questions is fitted, the other measures: an order that is worse there is not kept."""
    _check(source, refuse, risk, reset=reset, dry_run=dry_run)
    folder = index or (Path(f"indexes/eval-{source.resolve().name}") if source and source.is_dir() else None)
    settings = options.config(index=folder, embedder=embedder)
    if reset:
        _reset(settings, as_json=as_json)
        return
    assert source is not None
    if source.is_dir() and (index is None or not index.exists()):
        ingest_set(source / "documents", settings, quiet=as_json)
    tuning, path = _tuned(source, settings, refuse, risk, dry_run=dry_run, quiet=as_json)
    if as_json:
        output.print_json(_numbers(tuning) | {"index": settings.index, "written": path})
        return
    _print(tuning, refuse)
    _print_outcome(tuning, settings.index, path, dry_run=dry_run)


def _check(source: Path | None, refuse: float, risk: float | None, *, reset: bool, dry_run: bool) -> None:
    """What can be wrong with the arguments, before the minutes that an ingest may take."""
    from rag.measure.evalset import load_questions
    from rag.measure.tune import check_shares

    check_shares(refuse, risk)
    if reset:
        if dry_run:
            raise InputError("--reset takes the tuning away, --dry-run changes nothing; leave one out.")
        return
    if source is None:
        raise InputError("Give a SET of questions to tune with, or --reset to take the tuning away.")
    options.check_set(source, "tune")
    load_questions(source)


def _tuned(
    source: Path, settings: Config, refuse: float, risk: float | None, *, dry_run: bool, quiet: bool
) -> tuple[Tuning, Path | None]:
    """What came of it, and where it was written; None where nothing was."""
    from rag.measure.tune import save, tune

    with (
        closing(options.open_configured_index(settings)) as opened,
        output.progress_bars(quiet=quiet) as progress,
    ):
        tuning = tune(source, opened, refuse=refuse, risk=risk, progress=progress)
        is_better = tuning.kept or tuning.threshold is not None
        return tuning, save(opened, tuning) if is_better and not dry_run else None


def _reset(settings: Config, *, as_json: bool) -> None:
    from rag.search.ranker import TUNED

    with closing(options.open_configured_index(settings)) as opened:
        path = opened.folder / TUNED
        there = path.exists()
        path.unlink(missing_ok=True)
    if as_json:
        output.print_json({"index": settings.index, "removed": path if there else None})
    elif there:
        typer.echo(f"Removed {path}: the shipped order and threshold are used again.")
    else:
        typer.echo(f"{settings.index} was not tuned; nothing to take away.")


def risk_at(tuning: Tuning) -> list[tuple[float, float]]:
    """(share of questions answered, share of those answered wrongly) on the held-out half, for the smallest
    share that the scores allow at or above 100, 90, 80, 70, 60 and 50 %."""
    found = []
    for coverage in _COVERAGES:
        enough = [p for p in tuning.curve if p.coverage >= coverage - 1e-9]
        if enough:
            found.append((coverage, min(enough, key=lambda p: p.coverage).risk))
    return found


def _numbers(tuning: Tuning) -> dict[str, Any]:
    """What is printed, without the weights: those stand in the file."""
    names = [f.name for f in dataclasses.fields(tuning) if f.name not in ("ranker", "curve")]
    table = [{"coverage": coverage, "risk": risk} for coverage, risk in risk_at(tuning)]
    return {name: getattr(tuning, name) for name in names} | {"risk_coverage": table}


def _print(tuning: Tuning, refuse: float) -> None:
    typer.echo(f"Fitted to {tuning.fitted} questions, measured on {tuning.held_out} others.\n")
    typer.secho("Held-out half    before   after", bold=True)
    for name, before in tuning.before.items():
        typer.echo(f"{name:<15} {before:>7.3f} {tuning.after[name]:>7.3f}")
    typer.echo()
    if tuning.threshold is None:
        typer.echo("No threshold: none of the questions fitted is marked answerable: false.")
    else:
        wanted = f"to refuse {refuse:.0%} of unanswerable questions"
        if tuning.risk is not None:
            wanted = f"for at most {tuning.risk.wanted:.0%} wrong answers"
        typer.echo(f"Threshold {tuning.threshold:.3f}, {wanted}.")
        if tuning.risk is not None:
            _print_risk(tuning.risk)
        typer.echo(f"Refused, answerable:   {_share(tuning.refused_answerable)}")
        typer.echo(f"Refused, unanswerable: {_share(tuning.refused_unanswerable)}")
    typer.secho("\nAnswered   wrong", bold=True)
    for coverage, risk in risk_at(tuning):
        typer.echo(f"{coverage:>8.0%} {risk:>7.0%}")
    typer.echo()


def _print_risk(risk: Risk) -> None:
    if not risk.met:
        typer.echo("No threshold has so few wrong answers in the half fitted; this one has the fewest.")
    typer.echo(
        f"Held-out half: {risk.answered} of {risk.asked} answered, {risk.wrong} of them wrong "
        f"({risk.share:.1%}); with 95 % confidence at most {risk.bound:.1%} are."
    )


def _share(value: float | None) -> str:
    return "no such question in the held-out half" if value is None else f"{value:.0%}"


def _print_outcome(tuning: Tuning, index: Path, path: Path | None, *, dry_run: bool) -> None:
    if tuning.kept:
        order = "The new order is no worse on the held-out half and is kept."
    else:
        order = "The new order is worse on the held-out half; the one before stays."
    typer.echo(order.replace("is kept", "would be kept") if dry_run else order)
    if dry_run:
        typer.echo("Nothing was written (--dry-run).")
    elif path is None:
        typer.echo("Nothing was written.")
    else:
        what = "Order and threshold" if tuning.threshold is not None else "Order"
        what = what if tuning.kept else "Threshold"
        typer.echo(f"{what} written to {path}; every search uses it from now on.")
        typer.echo(f"To undo: citewise tune --reset --index {index}  (or delete that file)")
