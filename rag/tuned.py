"""What `citewise models tune` found to be the fastest way to run a model on this machine, kept and read
again.

One JSON file a model under `cache_dir/tuned`, named by the model's SHA-256, the processor, the cores that
this process may use and the version of llama.cpp: on another machine, after an update or for another file it
does not apply. A made file counts only while it has the SHA-256 that was written down."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from rag.checksum import verified_sha256
from rag.files import storage_error, write_atomically
from rag.generation import EngineSettings

_FORMAT = 1
SOURCE = "as it is"
"""The format of a record that runs the model's own file."""


@dataclass(frozen=True, slots=True)
class Tuned:
    """The choice for one model file (`source`, `sha256`). `format` is that of `file`, made from the source,
    or SOURCE with `file` the source itself. Seconds are those of one answer of the app's usual shape, by the
    defaults and by this choice, medians measured in turn; `noise` is the relative spread of those runs."""

    source: str
    sha256: str
    processor: str
    llama: str
    format: str
    file: Path
    file_sha256: str
    settings: EngineSettings
    default_seconds: float
    tuned_seconds: float
    noise: float
    agreement: float
    made: str
    """When, ISO 8601."""

    @property
    def saved_seconds(self) -> float:
        return self.default_seconds - self.tuned_seconds

    @property
    def name(self) -> str:
        """The name that answers carry: which file wrote them."""
        stem = Path(self.source).stem
        return stem if self.format == SOURCE else f"{stem} as {self.format} ({self.file_sha256[:12]})"

    @property
    def summary(self) -> str:
        """One line for people."""
        s = self.settings
        how = f"{self.format}, {s.threads or 'all'} threads ({s.threads_batch or 'all'} for the prompt)"
        how += f", prompt by {s.slice_tokens}" + (", flash attention" if s.flash_attention else "")
        return f"{how}: {self.tuned_seconds:.2f} s an answer instead of {self.default_seconds:.2f} s"


def processor() -> str:
    """Name of the processor and the number of cores that this process may use."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    name = platform.processor() or platform.machine()
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines()
        name = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), name)
    return f"{name}, {cores} cores"


def llama_version() -> str:
    """Version of llama-cpp-python, which brings llama.cpp; "" where it is not installed."""
    try:
        return version("llama-cpp-python")
    except PackageNotFoundError:
        return ""


def folder(cache_dir: Path) -> Path:
    """Where records and made files are."""
    return cache_dir / "tuned"


def record_path(sha256: str, cache_dir: Path) -> Path:
    """The record of a model on this machine, whether it is there or not."""
    key = hashlib.sha256(f"{sha256}\n{processor()}\n{llama_version()}".encode()).hexdigest()
    return folder(cache_dir) / f"{sha256[:12]}-{key[:16]}.json"


def read_record(source: Path, cache_dir: Path) -> Tuned | None:
    """What was found for this file on this machine, its made file not looked at; None where there is nothing
    or it cannot be read."""
    if not folder(cache_dir).is_dir():
        return None
    with contextlib.suppress(OSError):
        sha256 = verified_sha256(source, cache_dir)
        found = _parsed(record_path(sha256, cache_dir), source)
        if found is not None and found.sha256 == sha256:
            return found
    return None


def find_tuned(source: Path, cache_dir: Path) -> Tuned | None:
    """As `read_record`, and None too where the made file is gone or is no longer the one that was measured:
    the model then runs as it would without."""
    found = read_record(source, cache_dir)
    return found if found is not None and not damage(found, cache_dir) else None


def damage(tuned: Tuned, cache_dir: Path) -> str:
    """What is wrong with the file of a record; "" when nothing is."""
    try:
        now = verified_sha256(tuned.file, cache_dir)
    except OSError as error:
        return f"{tuned.file} cannot be read ({error.strerror or error})"
    if now != tuned.file_sha256:
        return f"{tuned.file} has SHA-256 {now[:12]}… and not {tuned.file_sha256[:12]}…"
    return ""


def describe(source: Path, cache_dir: Path, *, used: bool = True) -> str:
    """One line about how this file is run here; "" where it was never tuned. `used`: the setting."""
    if source.suffix != ".gguf" or (found := read_record(source, cache_dir)) is None:
        return ""
    if wrong := damage(found, cache_dir):
        return f"tuned, but {wrong}: it runs as it is; run citewise models tune again"
    return f"tuned: {found.summary}" + ("" if used else " (switched off: tuned_models = false)")


def write_record(tuned: Tuned, cache_dir: Path) -> Path:
    """Keeps a record, in one step. Raises StorageError."""
    values = asdict(tuned) | {"file": "" if tuned.format == SOURCE else tuned.file.name, "record": _FORMAT}
    path = record_path(tuned.sha256, cache_dir)
    write_atomically(path, json.dumps(values, indent=1, ensure_ascii=False).encode() + b"\n")
    return path


def reset(sha256: str, cache_dir: Path) -> list[Path]:
    """Deletes every record of a model, whatever machine it is of, and the files made from it. Returns what
    was deleted. Raises StorageError."""
    gone: list[Path] = []
    for path in sorted([*folder(cache_dir).glob(f"{sha256[:12]}-*"), *partial_files(cache_dir)]):
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise storage_error(path, error) from error
        gone.append(path)
    return gone


def partial_files(cache_dir: Path) -> Iterator[Path]:
    """What a run that was killed left half-written."""
    return folder(cache_dir).glob(".making-*")


def _parsed(path: Path, source: Path) -> Tuned | None:
    """A record, or None for one that is absent, cut short or of another time."""
    try:
        values: dict[str, Any] = json.loads(path.read_text("utf-8"))
        if values.pop("record") != _FORMAT:
            return None
        values["settings"] = EngineSettings(**values["settings"])
        # The name alone is written down: a cache folder can be moved, and no record can point out of it.
        values["file"] = path.with_name(Path(values["file"]).name) if values["file"] else source
        return Tuned(**values)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
