"""Fits the order of passages and the refusal threshold of an index to questions of its own.

    python scripts/tune.py SET  # as `citewise eval`: indexes/eval-SET
    python scripts/tune.py questions.jsonl --index indexes/mine [--refuse 0.95] [--dry-run]
    python scripts/tune.py --reset --index indexes/mine  # the shipped order and threshold again

How it is done stands in `fitting`. What was fitted goes into `tuned.json` in the index's folder, where every
search finds it."""

from __future__ import annotations

import dataclasses
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import fitting
import typer
from fitting import Tuning

from rag.cli import shared
from rag.cli.index import check_set, set_config
from rag.cli.shared import SET_HELP, Command, EmbedderOption, JsonOption, SetIndexOption
from rag.config import Config
from rag.errors import InputError
from rag.measure.yardstick import load_questions
from rag.search.ranker import TUNED

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
_COVERAGES = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5)


@app.command(cls=Command)
def tune(
    source: Annotated[Path | None, typer.Argument(metavar="SET", help=SET_HELP)] = None,
    index: SetIndexOption = None,
    refuse: Annotated[
        float, typer.Option(help="Share of unanswerable questions to refuse, between 0 and 1.")
    ] = 0.85,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Measure, and change nothing.")] = False,
    reset: Annotated[
        bool, typer.Option("--reset", help="Take an index's own order and threshold away; needs no SET.")
    ] = False,
    embedder: EmbedderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Fit the order of passages and the refusal threshold of an index to your own questions.

    One half of the questions is fitted, the other measures: an order that is worse there is not kept."""
    fitting.check_share(refuse)
    if reset and dry_run:
        raise InputError("--reset takes the tuning away, --dry-run changes nothing; leave one out.")
    if reset or source is None:
        if not reset:
            raise InputError("Give a SET of questions to tune with, or --reset to take the tuning away.")
        _reset(shared.config(), as_json=as_json)
        return
    check_set(source, "tune")
    load_questions(source)  # before the minutes that an ingest may take
    settings = set_config(source, index, quiet=as_json)
    with (
        closing(shared.open_configured_index(settings)) as opened,
        shared.progress_bars(quiet=as_json) as progress,
    ):
        tuning = fitting.tune(source, opened, refuse=refuse, progress=progress)
        better = tuning.kept or tuning.threshold is not None
        path = fitting.save(opened, tuning) if better and not dry_run else None
    if as_json:
        shared.print_json(_numbers(tuning) | {"index": settings.index, "written": path})
    else:
        _print(tuning, refuse)
        _print_outcome(tuning, settings.index, path, dry_run=dry_run)


def _reset(settings: Config, *, as_json: bool) -> None:
    with closing(shared.open_configured_index(settings)) as opened:
        path = opened.folder / TUNED
        there = path.exists()
        path.unlink(missing_ok=True)
    if as_json:
        shared.print_json({"index": settings.index, "removed": path if there else None})
    elif there:
        typer.echo(f"Removed {path}: the shipped order and threshold are used again.")
    else:
        typer.echo(f"{settings.index} was not tuned; nothing to take away.")


def risk_at(tuning: Tuning) -> list[tuple[float, float]]:
    """(share of questions answered, share of those answered wrongly) on the held-out half, for the smallest
    share that the scores allow at or above 100, 90, 80, 70, 60 and 50 %."""
    enough = [(c, [p for p in tuning.curve if p.coverage >= c - 1e-9]) for c in _COVERAGES]
    return [(c, min(points, key=lambda p: p.coverage).risk) for c, points in enough if points]


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
        typer.echo(f"Threshold {tuning.threshold:.3f}, to refuse {refuse:.0%} of unanswerable questions.")
        for what in ("answerable", "unanswerable"):
            share = getattr(tuning, f"refused_{what}")
            found = "no such question in the held-out half" if share is None else f"{share:.0%}"
            typer.echo(f"{f'Refused, {what}:':<22} {found}")
    typer.secho("\nAnswered   wrong", bold=True)
    for coverage, risk in risk_at(tuning):
        typer.echo(f"{coverage:>8.0%} {risk:>7.0%}")
    typer.echo()


def _print_outcome(tuning: Tuning, index: Path, path: Path | None, *, dry_run: bool) -> None:
    order = "The new order is worse on the held-out half; the one before stays."
    if tuning.kept:
        kept = "would be" if dry_run else "is"
        order = f"The new order is no worse on the held-out half and {kept} kept."
    typer.echo(order)
    if path is None:
        typer.echo(f"Nothing was written{' (--dry-run)' if dry_run else ''}.")
        return
    what = "Order and threshold" if tuning.threshold is not None else "Order"
    typer.echo(f"{what if tuning.kept else 'Threshold'} written to {path}; every search uses it from now on.")
    typer.echo(f"To undo: python scripts/tune.py --reset --index {index}  (or delete that file)")


if __name__ == "__main__":
    app()
