"""What an installation needs, looked at one by one: each check says what was found and what to do about
what is wrong."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from rag.config import Config, config_file
from rag.errors import CitewiseError, IndexMissing

_GIGA = 1 << 30
_LEAST_MEMORY = _GIGA  # asking a question peaks below 0.9 GB with the embedded models
_LEAST_DISK = _GIGA
_LIBRARIES = (
    "numpy faiss-cpu onnxruntime tokenizers llama-cpp-python sentence-transformers torch pypdfium2 pypdf "
    "jieba gradio"
).split()


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at. `advice` says what to do; with `ok` it is a hint, without it is needed."""

    name: str
    value: str
    ok: bool = True
    advice: str = ""


def examine(config: Config) -> tuple[Check, ...]:
    """Every check, in a fixed order. Never raises for what it finds wrong: that is in the checks."""
    machine = (_citewise, _processor, _memory, _disk, _libraries)
    chosen = (_embedder, _language_model, _index, _network, _audit)
    return tuple(_guarded(look, config) for look in (*machine, *chosen))


def _guarded(look: Callable[[Config], Check], config: Config) -> Check:
    name = look.__name__.strip("_").replace("_", " ")
    try:
        return look(config)
    except CitewiseError as error:
        what, _, advice = str(error).partition("; ")
        return Check(name, what, ok=False, advice=advice)
    except Exception as error:
        return Check(name, f"cannot be examined: {type(error).__name__}: {error}", ok=False)


def _needs(good: bool, name: str, value: str, advice: str) -> Check:
    return Check(name, value, good, "" if good else advice)


def _citewise(_: Config) -> Check:
    found = installed("citewise") or "running from its source tree, not installed"
    python = f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"
    settings = config_file() or "defaults, no citewise.toml here"
    return Check("citewise", f"{found}; {python} ({sys.executable}); settings: {settings}")


def installed(name: str) -> str:
    """The version of an installed distribution; "" where it is not."""
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _processor(config: Config) -> Check:
    available = len(os.sched_getaffinity(0))
    used = config.threads or available
    return Check("processor", f"{available} of {os.cpu_count()} cores available, {used} used")


def _memory(_: Config) -> Check:
    import psutil

    memory = psutil.virtual_memory()
    text = f"{memory.available / _GIGA:.1f} GB free of {memory.total / _GIGA:.1f} GB"
    advice = "Close other programs: answering takes up to 0.9 GB."
    return _needs(memory.available >= _LEAST_MEMORY, "memory", text, advice)


def _disk(config: Config) -> Check:
    free = {}
    for folder in (config.index, config.cache_dir):
        whole = folder.absolute()
        there = next(parent for parent in (whole, *whole.parents) if parent.exists())
        if not os.access(there, os.W_OK):
            advice = "Choose another folder, or make it writable."
            return Check("disk", f"{folder} cannot be written", ok=False, advice=advice)
        free[str(folder)] = shutil.disk_usage(there).free
    text = ", ".join(f"{size / _GIGA:.1f} GB free for {folder}" for folder, size in free.items())
    advice = "Free some space: an index takes a few MB per 1,000 pages."
    return _needs(min(free.values()) >= _LEAST_DISK, "disk", text, advice)


def _libraries(_: Config) -> Check:
    found = {name: installed(name) for name in _LIBRARIES}
    missing = [name for name in found if not found[name]]
    text = ", ".join(f"{name} {number}" for name, number in found.items() if number)
    advice = f"Missing: {', '.join(missing)}. Run: pip install citewise"
    return _needs(not missing, "libraries", text, advice)


def _embedder(config: Config) -> Check:
    from rag.models.registry import find_embedder

    files = find_embedder(config.embedder, config.cache_dir, config.models)
    info = files.info
    languages = "all languages" if "*" in info.languages else "/".join(info.languages)
    return Check("embedder", f"{info.name} ({languages}), SHA-256 {info.fingerprint}, {files.folder}")


def _language_model(config: Config) -> Check:
    from rag.files import verified_sha256
    from rag.models.registry import AUTO, default_reader, find_reader, machine_memory_mb
    from rag.models.remote import is_address

    if config.llm == "none":
        return Check("language model", "none: answers are quotes from the documents")
    if is_address(config.llm):
        return Check("language model", f"{config.llm_model or 'a model'} at {config.llm}; not tried")
    reader = find_reader(config.llm, config.cache_dir, config.models)
    path, known, memory = reader.path, reader.known, machine_memory_mb()
    text = f"{reader.name or path.name}{', chosen by auto' if config.llm == AUTO else ''} ("
    text += f"{path.stat().st_size / 1e6:,.0f} MB), SHA-256 {verified_sha256(path, config.cache_dir)}, {path}"
    advice, fits, better = "", not known or known.fits(memory), default_reader(memory)
    if known:
        fit = "fits" if fits else "too much for"
        text += f"; {known.memory_mb / 1000:.1f} GB of memory, {fit} this machine ({memory / 1000:.1f} GB)"
    if not fits:
        advice = f'A reader that fits: citewise models pull {better.name}, and llm = "auto"'
    elif config.llm == AUTO and known is not better:
        advice = f"One that reads better: citewise models pull {better.name}"
    return Check("language model", text, fits, advice)


def _index(config: Config) -> Check:
    from rag.index import open_configured

    try:
        opened = open_configured(config)
    except IndexMissing:
        return Check("index", f"none in {config.index}", advice="Make one: citewise ingest FOLDER")
    with opened:
        assert opened.embedder  # loads it, and compares it with the one the index was built with
        stats, report = opened.stats(), opened.verify()
    text = (
        f"{config.index}: {stats.documents:,} documents, {stats.passages:,} passages, "
        f"{stats.vectors:,} vectors, {stats.bytes / 1e6:,.1f} MB"
    )
    if report.problems:
        text += f". Damaged: {'; '.join(report.problems[:3])}"
        advice = f"Build it anew: citewise ingest FOLDER --index {config.index} --rebuild"
        return Check("index", text, ok=False, advice=advice)
    hints = (
        (stats.incomplete, f"Documents not read as a whole: {stats.incomplete:,}; see: citewise index show"),
        (stats.unreadable, f"{stats.unreadable:,} files could not be read; see: citewise index show"),
        (stats.pending, f"{stats.pending:,} passages wait for their vector; run citewise ingest again."),
    )
    return Check("index", text, advice=" ".join(hint for count, hint in hints if count))


def _network(config: Config) -> Check:
    from rag.models.remote import is_address, leaves_for

    host = leaves_for(config.llm)
    if not host:
        local = ": the server asked is on this machine" if is_address(config.llm) else ""
        return Check("network", f"not needed{local}")
    stay = 'To stay on this machine: llm = "auto"'
    if config.allow_remote:
        text = f"needed for the language model at {host}: questions and evidence leave this machine"
        return Check("network", text, advice=stay)
    text = f"llm names another machine, {host}, and allow_remote = false forbids to ask it"
    stay += "; to send questions and evidence there: allow_remote = true"
    return Check("network", text, ok=False, advice=stay)


def _audit(config: Config) -> Check:
    from rag.models.remote import audit_file

    file = audit_file(config.cache_dir)
    lines = file.read_text("utf-8", "replace").splitlines() if file.exists() else []
    if not lines:
        return Check("audit", "nothing was ever sent to another machine")
    return Check("audit", f"{len(lines):,} requests to other machines, in {file}; the last: {lines[-1]}")
