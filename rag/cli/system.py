"""`citewise ui`, `citewise doctor`, and the version."""

from __future__ import annotations

from typing import Annotated

import typer

from rag.cli import options, output
from rag.cli.options import EmbedderOption, IndexOption, JsonOption, Llm, NoTuned


def ui(
    index: IndexOption = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.  [default: 127.0.0.1]")] = None,
    port: Annotated[int | None, typer.Option(help="Port.  [default: 7860]")] = None,
    llm: Llm = None,
    embedder: EmbedderOption = None,
    no_tuned: NoTuned = False,
    as_json: JsonOption = False,
) -> None:
    """Serve the chat page on this machine until stopped.

    Any other address than this machine's own needs a password: ui_password in citewise.toml, or
    CITEWISE_UI_PASSWORD.
    """
    from importlib import import_module

    settings = options.config(
        index=index,
        ui_host=host,
        ui_port=port,
        llm=llm,
        embedder=embedder,
        tuned_models=options.untuned(no_tuned),
    )

    def ready(url: str) -> None:
        if as_json:
            output.print_json({"url": url})
        else:
            typer.echo(f"Citewise is at {url}  (Ctrl-C ends it)")

    # By name: the page stands above the command line, which only starts it.
    import_module("ui.app").serve(settings, on_ready=ready)


def doctor(
    index: IndexOption = None, llm: Llm = None, embedder: EmbedderOption = None, as_json: JsonOption = False
) -> None:
    """Check this machine, the models and the index; say what to do about what is wrong (exit code 1)."""
    from rag.doctor import examine

    checks = examine(options.config(index=index, llm=llm, embedder=embedder))
    if as_json:
        output.print_json({"ok": all(c.ok for c in checks), "checks": checks})
    else:
        for check in checks:
            mark, colour = ("✓", "green") if check.ok else ("✗", "red")
            typer.secho(f"{mark} ", fg=colour, nl=False)
            typer.echo(output.clean(f"{check.name:<15} {check.value}"))
            if check.advice:
                typer.secho(f"{'':17} {output.clean(check.advice)}", fg=None if check.ok else "yellow")
    if not all(c.ok for c in checks):
        raise typer.Exit(output.EXIT_ERROR)


def version() -> str:
    """Version of the installed distribution; of the source tree where it is not installed."""
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as installed

    try:
        return installed("citewise")
    except PackageNotFoundError:
        return "0.1.0 (not installed)"
