"""The command line: one command per verb, the same names as in Python. Nothing heavy is imported before a
command runs."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from rag.cli import ask as _ask
from rag.cli import index as _index
from rag.cli import models as _models
from rag.cli.shared import Command

# "\b" keeps the lines of a paragraph apart in help.
_EXIT_CODES = """\b
Exit codes:
  0    done
  1    something is wrong (doctor), or an unexpected error
  2    an argument, a setting or an input file cannot be used
  3    done, but some documents or rows could not be read
  4    the index is missing, damaged, in use, or made with other models
  5    a model is missing or is not the right file
  6    the language model failed
  7    a file or folder cannot be written, or the disk is full
  10   the documents do not hold the answer (ask)
  130  stopped with Ctrl-C

Settings: citewise.toml, CITEWISE_* variables, flags; later beats earlier.
"""
_settings: dict[str, Any] = {
    "no_args_is_help": True,
    "pretty_exceptions_enable": False,
    "rich_markup_mode": None,
}

app = typer.Typer(
    name="citewise",
    help="Ask your own documents, offline: cited, verified answers from a small local language model.",
    epilog=_EXIT_CODES,
    **_settings,
)
_index_app = typer.Typer(
    help="Look into an index, print the words in force, remove documents, check it.", **_settings
)
_models_app = typer.Typer(help="Models: which there are, where, and whether they are right.", **_settings)

_NAMES = {_index.evaluate: "eval", _models.list_models: "list"}
_asking = (_ask.ask, _ask.search, _index.ingest, _ask.batch, _models.ui)
_modelling = (_models.list_models, _models.pull, _models.add)
for _group, _commands in (
    (app, (*_asking, _index.evaluate, _models.doctor)),
    (_models_app, _modelling),
    (_index_app, (_index.show, _index.text, _index.delete, _index.verify)),
):
    for _command in _commands:
        _group.command(_NAMES.get(_command), cls=Command)(_command)
app.add_typer(_models_app, name="models")
app.add_typer(_index_app, name="index")


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"citewise {_models.version()}")
        raise typer.Exit


@app.callback()
def _root(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """The `citewise` script. Ends the process with one of the documented exit codes."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a terminal that knows no Chinese shows "?" and does not fail
            stream.reconfigure(errors="replace")
    app()
