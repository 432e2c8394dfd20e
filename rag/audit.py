"""What left this machine: one line a request to another host, in a file that stays here.

`cache_dir/audit.jsonl` says when, where to, how many bytes and the SHA-256 of the prompt, so that a prompt at
hand can be proved to have been sent or not; it holds no text. The line is on disk before the request is made:
where it cannot be written, nothing is sent."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rag.files import storage_error


@dataclass(frozen=True, slots=True)
class Sent:
    """The sum of an audit file. `last` is ISO 8601, "" where nothing was sent; `damaged` counts lines that
    cannot be read."""

    requests: int = 0
    size: int = 0
    hosts: tuple[str, ...] = ()
    last: str = ""
    damaged: int = 0


def audit_file(cache_dir: Path) -> Path:
    """Where the requests of this user are written down."""
    return cache_dir / "audit.jsonl"


def record(file: Path, *, host: str, what: str, body: bytes, prompt: str = "") -> None:
    """Adds a line and syncs it. Lines of several processes do not mix. Raises StorageError."""
    entry = {
        "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "host": host,
        "what": what,
        "bytes": len(body),
        "prompt_sha256": hashlib.sha256(prompt.encode("utf-8", "replace")).hexdigest() if prompt else "",
    }
    line = json.dumps(entry).encode() + b"\n"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            if os.write(handle, line) != len(line):
                raise OSError(28, "No space left on device")
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        raise storage_error(file, error) from error


def read(file: Path) -> Sent:
    """The sum of what was sent. Raises StorageError where there is a file that cannot be read."""
    requests = size = damaged = 0
    hosts: dict[str, None] = {}
    last = ""
    try:
        lines = file.read_bytes().splitlines()
    except FileNotFoundError:
        return Sent()
    except OSError as error:
        raise storage_error(file, error) from error
    for line in lines:
        with contextlib.suppress(ValueError, TypeError, KeyError):
            entry = json.loads(line)
            host, when, count = str(entry["host"]), str(entry["time"]), int(entry["bytes"])
            requests, size, last = requests + 1, size + count, max(last, when)
            hosts[host] = None
            continue
        damaged += 1
    return Sent(requests, size, tuple(hosts), last, damaged)
