"""What the commands print, how they fail and are stopped. Results go to standard output, progress and
messages to standard error; text from documents is freed of control characters, which a terminal obeys."""

from __future__ import annotations

import os
import signal
import sys
import threading
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperCommand

from rag.errors import CitewiseError
from rag.types.plain import to_json

if TYPE_CHECKING:
    from rag.types import Progress

EXIT_ERROR, EXIT_REFUSED, EXIT_STOPPED = 1, 10, 130
_OVERRIDES = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class Command(TyperCommand):
    """A command that fails in one clear line: CitewiseError with its own exit code, Ctrl-C with 130."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except CitewiseError as error:
            fail(error, error.exit_code, as_json=bool(ctx.params.get("as_json")))
        except KeyboardInterrupt:
            message("\nStopped.")
            raise typer.Exit(EXIT_STOPPED) from None
        except (typer.Exit, typer.Abort, BrokenPipeError):
            raise
        except Exception as error:
            if os.environ.get("CITEWISE_TRACEBACK") or type(error).__module__.startswith("typer"):
                raise
            text = f"This should not have happened: {type(error).__name__}: {error}"
            hint = "Set CITEWISE_TRACEBACK=1 and run it again to see where, and please report it."
            fail(RuntimeError(f"{text}. {hint}"), EXIT_ERROR, as_json=bool(ctx.params.get("as_json")))


def fail(error: Exception, code: int, *, as_json: bool) -> None:
    """End the command with a message on standard error, and with --json also an object on standard output."""
    if as_json:
        kind = type(error).__name__
        print_json({"error": {"type": kind, "message": str(error), "exit_code": code}})
    typer.secho(f"citewise: {clean(str(error))}", err=True, fg="red")
    raise typer.Exit(code) from error


def message(text: str) -> None:
    typer.echo(clean(text), err=True)


def clean(text: str) -> str:
    """The text without what a terminal would obey: escape sequences, controls, direction overrides. Line
    breaks and tabs stay."""
    return "".join(
        c
        for c in text
        if c in "\n\t" or (unicodedata.category(c) not in ("Cc", "Cs") and c not in _OVERRIDES)
    )


def one_line(text: str, limit: int = 0) -> str:
    """Clean text with white space runs as one blank, cut at `limit` code points (0: whole)."""
    line = " ".join(clean(text).split())
    return f"{line[: limit - 1]}…" if limit and len(line) > limit else line


def print_json(value: Any) -> None:
    typer.echo(to_json(value, indent=2))


@contextmanager
def progress_bars(*, quiet: bool = False) -> Iterator[Callable[[Progress], None]]:
    """A callback that draws one bar per stage with rate and time left; nothing where standard error is no
    terminal."""
    if quiet or not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, TaskID, TextColumn
    from rich.progress import Progress as Bars

    columns = (
        TextColumn("{task.description:<10}", markup=False),
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
        TextColumn("{task.fields[rate]}", markup=False),
        TextColumn("{task.fields[left]}", markup=False),
    )
    tasks: dict[str, TaskID] = {}
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:

        def show(progress: Progress) -> None:
            if progress.stage not in tasks:
                tasks[progress.stage] = bars.add_task(progress.stage, total=progress.total, rate="", left="")
            bars.update(
                tasks[progress.stage],
                completed=progress.done,
                total=progress.total,
                rate=f"{progress.rate:,.1f}/s" if progress.rate else "",
                left=f"{duration(progress.remaining)} left" if progress.remaining else "",
            )

        yield show


def duration(seconds: float) -> str:
    """ "42 s", "3 min 05 s", "2 h 10 min"."""
    whole = round(seconds)
    if whole < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


@contextmanager
def stop_on_interrupt() -> Iterator[threading.Event]:
    """An event that the first Ctrl-C (or a TERM) sets, so that work in hand is finished and kept; the second
    interrupts at once. Only a process's main thread may handle signals; elsewhere the event is never set."""
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return

    def handle(_number: int, _frame: Any) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()
        message("\nStopping; press Ctrl-C again to stop at once.")

    former = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
