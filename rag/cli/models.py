"""`citewise models list|path|pull|verify`; `tune` is in rag.cli.tuning_models."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rag.cli import options, output
from rag.cli.options import JsonOption
from rag.errors import CitewiseError, ConfigError, ModelError, ModelMissing

if TYPE_CHECKING:
    from rag.config import Config

Name = Annotated[str, typer.Argument(help='"embedder", "llm", or a name of [models] in citewise.toml.')]


def list_models(as_json: JsonOption = False) -> None:
    """The models in use and those configured, each with its file and whether it is there."""
    settings = options.config()
    rows = [_describe(name, settings) for name in _names(settings)]
    if as_json:
        output.print_json(rows)
        return
    for row in rows:
        mark, colour = ("✓", "green") if row["found"] else ("✗", "red")
        typer.secho(f"{mark} ", fg=colour, nl=False)
        typer.echo(output.clean(f"{row['name']:<12} {row['path'] or row['error']}"))
        if row["tuned"]:
            typer.echo(output.clean(f"{'':14} {row['tuned']}"))


def path(name: Name = "llm", as_json: JsonOption = False) -> None:
    """Print where a model's file or folder is."""
    found = _locate(name, options.config())
    if as_json:
        output.print_json({"name": name, "path": found})
    else:
        typer.echo(found)


def verify(
    name: Annotated[str | None, typer.Argument(help="One model.  [default: all of them]")] = None,
    as_json: JsonOption = False,
) -> None:
    """Compute the SHA-256 of models and compare it with the pinned one (exit code 5 where one is wrong)."""
    settings = options.config()
    rows = [_hashed(each, settings) for each in ([name] if name else _names(settings))]
    if as_json:
        output.print_json(rows)
    else:
        for row in rows:
            typer.echo(output.clean(f"{row['name']:<12} {row['error'] or row['sha256']}"))
    if not all(row["found"] for row in rows):
        raise typer.Exit(ModelError.exit_code)


def pull(name: Name, as_json: JsonOption = False) -> None:
    """Fetch a configured model once and check its SHA-256: the only command that uses the network."""
    settings = options.config()
    spec = settings.models.get(name)
    if spec is None:
        known = ", ".join(sorted(settings.models)) or "none"
        raise ConfigError(f"No model is configured as {name}. Configured: {known}. See citewise.toml.")
    if not spec.url:
        raise ConfigError(f"{name} is the file {spec.path}: it has no url, there is nothing to fetch.")
    from rag.models import pull as fetch

    with output.progress_bars(quiet=as_json) as progress:
        found = fetch(name, spec, settings.cache_dir, progress)
    if as_json:
        output.print_json({"name": name, "path": found})
    else:
        typer.echo(found)


def _names(settings: Config) -> list[str]:
    return ["embedder", "llm", *sorted(settings.models)]


def _describe(name: str, settings: Config) -> dict[str, Any]:
    try:
        found = _locate(name, settings)
        return {"name": name, "found": True, "path": found, "error": "", "tuned": _tuned(found, settings)}
    except CitewiseError as error:
        return {"name": name, "found": False, "path": "", "error": str(error), "tuned": ""}


def _tuned(found: str, settings: Config) -> str:
    """How a model is run on this machine, where `citewise models tune` was here; "" elsewhere."""
    from rag.tuned import describe

    return describe(Path(found), settings.cache_dir, used=settings.tuned_models)


def locate_llm(name: str, settings: Config) -> Path:
    """The GGUF file of "llm", of a configured name or of a path. Raises ModelMissing, ModelMismatch,
    ModelError, ConfigError."""
    from rag.models import find_llm

    spec = settings.llm if name == "llm" else name
    if spec.lower() in ("", "none") or spec.startswith(("http://", "https://")):
        raise ConfigError(f"llm = {spec!r} is no file here: name a GGUF file or a model of [models].")
    return find_llm(spec, settings.cache_dir, settings.models)


def _hashed(name: str, settings: Config) -> dict[str, Any]:
    """The row of `_describe` with a hash computed now: finding a model trusts an earlier one."""
    from rag.models import sha256_file, verified_sha256

    row = _describe(name, settings)
    if row["found"]:
        weights = _weights(name, settings)
        row["sha256"] = sha256_file(weights)
        if row["sha256"] != verified_sha256(weights, settings.cache_dir):
            row |= {"found": False, "error": f"{weights} has changed since it was checked."}
    return row


def _locate(name: str, settings: Config) -> str:
    """The file or folder of a model, its SHA-256 checked. Raises ModelMissing, ModelMismatch, ConfigError."""
    from rag.models import find_embedder, find_llm

    if name == "embedder":
        return str(find_embedder(settings.embedder, settings.cache_dir, settings.models).folder)
    if name == "llm":
        return str(find_llm(settings.llm, settings.cache_dir, settings.models))
    if name not in settings.models:
        raise ConfigError(f"There is no model {name}. Known: {', '.join(_names(settings))}.")
    spec = settings.models[name]
    if spec.path is not None and not spec.path.exists():
        raise ModelMissing(f"{name}: {spec.path} is not there. Correct its path in citewise.toml.")
    if spec.path is not None and spec.path.is_dir():
        return str(find_embedder(name, settings.cache_dir, settings.models).folder)
    return str(find_llm(name, settings.cache_dir, settings.models))


def _weights(name: str, settings: Config) -> Path:
    from rag.models import find_embedder

    found = Path(_locate(name, settings))
    if found.is_dir():
        spec = settings.embedder if name == "embedder" else name
        return find_embedder(spec, settings.cache_dir, settings.models).weights
    return found
