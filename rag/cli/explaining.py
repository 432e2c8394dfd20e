"""What a search understood, what gave way, and why each passage, for the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from rag.cli import output

if TYPE_CHECKING:
    from rag.explain import Explanation, HitExplanation
    from rag.types import Gap, Note

_REASONS = 5


def print_short(understood: Sequence[Note], relaxed: Sequence[Gap]) -> None:
    """The lines above an answer: "Understood: company: Thornfield Marsh plc; year: 2022"; nothing where the
    question names nothing."""
    from rag.telling import note_words, short

    if notes := short(understood):
        typer.secho(f"Understood: {output.one_line('; '.join(map(note_words, notes)))}", dim=True)
    _print_gaps(relaxed, indent="")
    if notes or relaxed:
        typer.echo()


def print_understood(explanation: Explanation) -> None:
    """Everything that was understood, each on a line, the documents named, and what gave way."""
    from rag.telling import note_words

    typer.secho("Understood", bold=True)
    for note in explanation.understood:
        typer.echo(f"  {output.one_line(note_words(note))}")
    if not explanation.understood:
        typer.echo("  no company, statute, period or other name; searched by its words alone")
    for path in explanation.documents:
        typer.echo(f"  document: {output.one_line(path)}")
    _print_gaps(explanation.relaxed, indent="  ")
    typer.echo()


def print_reasons(because: HitExplanation) -> None:
    """The searches that found a passage, what of the question it meets, and the heaviest reasons, with what
    each adds to the log-odds of its score."""
    from rag.telling import label_words, leg_words

    typer.secho(f"   {'; '.join(map(leg_words, because.legs))}", dim=True)
    matters = [f"✓ {label_words(what)}" for what in because.agrees]
    matters += [f"✗ other {label_words(what)}" for what in because.clashes]
    if matters:
        typer.secho(f"   {', '.join(matters)}", dim=True)
    for reason, words in list(zip(because.reasons, because.words, strict=True))[:_REASONS]:
        typer.secho(f"   {reason.adds:+.2f}  {words}", dim=True)


def _print_gaps(relaxed: Sequence[Gap], *, indent: str) -> None:
    from rag.telling import gap_words

    for gap in relaxed:
        typer.secho(f"{indent}⚠ {output.one_line(gap_words(gap))}", fg="yellow")
