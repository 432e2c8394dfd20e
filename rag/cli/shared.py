"""What the commands share: options, opening the index they name, how they print, fail and are stopped.

Results go to standard output, progress and messages to standard error; text from documents is freed of
control characters, which a terminal obeys."""

from __future__ import annotations

import os
import signal
import sys
import threading
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer
from typer.core import TyperCommand

from rag.errors import CitewiseError
from rag.files import to_json

if TYPE_CHECKING:
    from rag.config import Config
    from rag.index import Index
    from rag.types import Filters, Progress


_Some: TypeAlias = list[str] | None
_Folder: TypeAlias = Path | None
IndexOption = Annotated[
    _Folder, typer.Option("--index", "-i", help="Folder of the index.  [default: indexes/default]")
]
SET_HELP = "Folder with documents/ and questions.jsonl, or a file of questions for an index of yours."
_SET_INDEX = "Folder of the index.  [default: indexes/eval-SET, or default for a file]"
SetIndexOption = Annotated[_Folder, typer.Option("--index", "-i", help=_SET_INDEX)]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
TopK = Annotated[int | None, typer.Option("--top", "-k", help="Passages to retrieve.  [default: 8]")]
Documents = Annotated[
    _Some, typer.Option("--documents", "-d", metavar="GLOB", help="Only where the path matches; repeatable.")
]
Kinds = Annotated[
    _Some, typer.Option("--kind", help="Only this format (pdf, docx, html, markdown, ...); repeatable.")
]
Languages = Annotated[_Some, typer.Option("--language", help="Only in this language (en, zh); repeatable.")]
Years = Annotated[
    _Some, typer.Option("--year", metavar="YYYY", help="Only of this fiscal or calendar year; repeatable.")
]
_COMPANY = "Only of this company: name, short name or ticker; repeatable."
Companies = Annotated[_Some, typer.Option("--company", metavar="NAME", help=_COMPANY)]
_IN_FORCE = "Leave out what was not yet, or no longer, in force on this day."
InForce = Annotated[str | None, typer.Option("--in-force", metavar="YYYY-MM-DD", help=_IN_FORCE)]
_LLM = 'Language model: "auto", "embedded", "none" (quotes only), a name, GGUF or address.'
Llm = Annotated[str | None, typer.Option("--llm", help=_LLM)]
Threshold = Annotated[float | None, typer.Option(help='The least confidence of "answered", 0 to 1.')]
EmbedderOption = Annotated[
    str | None, typer.Option("--embedder", help='Embedder: "embedded", folder, or configured name.')
]


_given: dict[str, Any] = {}


def config(**flags: Any) -> Config:
    """The settings in force under the options of the command that bear a setting's name, and under these
    flags; the import is here because pydantic takes a fifth of a second."""
    from rag.config import Config, load_config

    own = {name: value for name, value in _given.items() if name in Config.model_fields}
    return load_config(**own | flags)


def asked_filters() -> Filters | None:
    """The filters that the options of the command say; None for all documents. Raises InputError for what is
    no year or no date."""
    from rag.store.documents import check_filters
    from rag.types import Filters

    lists = ("documents", "kinds", "languages", "years", "companies")
    given: dict[str, Any] = {name: tuple(_given[name] or ()) for name in lists}
    asked = Filters(**given, in_force=_given["in_force"] or "")
    check_filters(asked)
    return asked or None


def open_configured_index(settings: Config, *, create: bool = False, rebuild: bool = False) -> Index:
    """The index that the settings name. Raises IndexMissing, IndexMismatch."""
    from rag.index import open_configured

    return open_configured(settings, create=create, rebuild=rebuild)


QUOTE = 320  # code points of a passage that are printed
EXIT_ERROR, EXIT_REFUSED, EXIT_STOPPED = 1, 10, 130
_OVERRIDES = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class Command(TyperCommand):
    """A command that fails in one clear line: CitewiseError with its own exit code, Ctrl-C with 130."""

    def invoke(self, ctx: Any) -> Any:
        _given.clear()
        _given.update(ctx.params)
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


def print_line(text: str, indent: int = 0, **style: Any) -> None:
    """A line of text from anywhere, in a style of `typer.secho`."""
    typer.secho(f"{' ' * indent}{one_line(text)}", **style)


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
        *(TextColumn(f"{{task.fields[{name}]}}", markup=False) for name in ("count", "rate", "left")),
    )
    tasks: dict[str, TaskID] = {}
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:

        def show(progress: Progress) -> None:
            size, unit, digits = (1e6, " MB", 1) if progress.stage == "fetch" else (1, "", 0)
            done, total = (f"{n / size:,.{digits}f}" for n in (progress.done, progress.total))
            fields: dict[str, Any] = {
                "count": f"{done}/{total}{unit}",
                "rate": pace(progress.rate / size, unit),
                "left": f"{duration(progress.remaining)} left" if progress.remaining else "",
            }
            if progress.stage not in tasks:
                tasks[progress.stage] = bars.add_task(progress.stage, **fields)
            bars.update(tasks[progress.stage], completed=progress.done, total=progress.total, **fields)

        yield show


def pace(rate: float, unit: str = "") -> str:
    """ "12.5/s", "3.1 MB/s", below one a second "6.0/min"; "" where nothing is known."""
    if not rate:
        return ""
    return f"{rate:,.1f}{unit}/s" if rate >= 1 else f"{60 * rate:.1f}{unit}/min"


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
