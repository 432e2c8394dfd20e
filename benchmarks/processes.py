"""Running one measured process: wall time, peak memory of the process and of its whole tree, and the JSON
it prints."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

_INTERVAL = 0.25


@dataclass(frozen=True)
class Run:
    """`peak_mb` is the process's own peak resident memory as the kernel counted it (never less than what its
    starter, this process, holds: keep that small), `tree_mb` the highest
    sum of proportional memory (PSS) over the process and its children, sampled four times a second."""

    seconds: float
    peak_mb: float
    tree_mb: float
    output: Any
    returncode: int


class BenchmarkError(Exception):
    """A measured process failed; the message holds the end of what it said."""


def run(
    command: Sequence[str | Path], *, cwd: Path, tree: bool = False, allowed: Sequence[int] = (0,)
) -> Run:
    """Runs `command` to its end. `output` is its last line as JSON, or None. Without `tree` nothing is
    sampled, so that nothing disturbs a short run. Raises BenchmarkError."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        begun = time.perf_counter()
        child = subprocess.Popen([str(c) for c in command], cwd=cwd, stdout=out, stderr=err)
        highest, pid = 0.0, 0
        while not pid:
            pid, status, usage = os.wait4(child.pid, os.WNOHANG if tree else 0)
            if not pid:
                highest = max(highest, _tree_mb(child.pid))
                time.sleep(_INTERVAL)
        seconds = time.perf_counter() - begun
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        said, errors = out.read().decode(errors="replace"), err.read().decode(errors="replace")
    if child.returncode not in allowed:
        raise BenchmarkError(
            f"{' '.join(map(str, command[:4]))} ended with {child.returncode}:\n{errors[-2000:]}"
        )
    return Run(seconds, usage.ru_maxrss / 1024, highest, _last_json(said), child.returncode)


def _last_json(text: str) -> Any:
    lines = text.strip().splitlines()
    try:
        return json.loads(lines[-1]) if lines else None
    except ValueError:
        return None


def _tree_mb(pid: int) -> float:
    total = 0
    try:
        root = psutil.Process(pid)
        for process in [root, *root.children(recursive=True)]:
            total += process.memory_full_info().pss
    except psutil.Error:
        pass
    return total / 2**20
