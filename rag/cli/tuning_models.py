"""`citewise models tune`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rag.cli import options, output
from rag.cli.models import locate_llm
from rag.cli.options import JsonOption

if TYPE_CHECKING:
    from rag.tuning_models import ModelTuning

_LINE = "{:<9} {:<9} {:>9} {:>5} {:>5} {:>6} {:>7} {:>13}"


def tune(
    model: Annotated[
        str, typer.Argument(help='"llm" (the one in use), a name of [models], or a GGUF file.')
    ] = "llm",
    minutes: Annotated[
        float, typer.Option(min=0.2, max=240, help="About how long to measure.  [default: 3]")
    ] = 3.0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Measure and report, but keep nothing.")] = False,
    reset: Annotated[
        bool, typer.Option("--reset", help="Forget what was found, and delete the files that were made.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Find the fastest way to run a model on this machine, and use it from then on.

    Makes other formats of the file (Q4_0, Q8_0, F16), checks that they write no worse, and times them with
    different numbers of threads, with and without flash attention and with prompt slices of different sizes.
    This changes how fast the model is, never what it knows. Let nothing else run meanwhile.
    """
    settings = options.config()
    source = locate_llm(model, settings)
    if reset:
        _reset(source, settings.cache_dir, as_json)
        return
    from rag.tuning_models import tune_model

    with output.progress_bars(quiet=as_json) as progress:
        found = tune_model(
            source, settings.cache_dir, seconds=60 * minutes, keep=not dry_run, progress=progress
        )
    if as_json:
        output.print_json(found)
    else:
        _print(found)


def _reset(source: Path, cache_dir: Path, as_json: bool) -> None:
    from rag.checksum import verified_sha256
    from rag.tuned import reset

    gone = reset(verified_sha256(source, cache_dir), cache_dir)
    if as_json:
        output.print_json({"model": str(source), "deleted": gone})
    else:
        typer.echo(output.clean(f"{source.name}: {len(gone)} files deleted; it runs as it is again."))


def _print(found: ModelTuning) -> None:
    """What was measured, what is chosen, and what it saves."""
    typer.echo(_LINE.format("", "format", "threads", "flash", "slice", "read/s", "write/s", "answer"))
    for row in found.outcome.rows:
        how = row.candidate.settings
        typer.echo(
            _LINE.format(
                row.stage,
                row.candidate.format,
                f"{how.threads or 'all'}/{how.threads_batch or 'all'}",
                "yes" if how.flash_attention else "no",
                how.slice_tokens,
                f"{row.prefill_rate:.0f}",
                f"{row.decode_rate:.0f}" if row.decode_rate else "",
                f"{row.seconds:.2f} s ±{row.spread / 2:.0%}" if row.seconds else "",
            )
        )
    for note in found.notes:
        typer.echo(output.clean(f"  {note}"))
    _print_choice(found)


def _print_choice(found: ModelTuning) -> None:
    tuned = found.tuned
    if tuned.saved_seconds <= 0:
        typer.echo("Nothing is faster than the defaults by more than the noise: it runs as it is.")
        return
    times = tuned.default_seconds / tuned.tuned_seconds
    saved = f"Saved: {tuned.saved_seconds:.2f} s an answer ({times:.2f} times as fast, ±{tuned.noise:.0%})."
    typer.echo(output.clean(f"{tuned.summary}. {saved}"))
    typer.echo(
        "Used from now on; --no-tuned or tuned_models = false runs the file as it is."
        if found.kept
        else "Nothing was kept (--dry-run)."
    )
