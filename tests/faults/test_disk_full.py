"""A disk that fills up: the error says so, what was committed stays whole, and a run with room completes
it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.test_kill_ingest import ROOT, notes
from tests.indexing import write_files

# Shares of the finished index that each file may grow to: the tables alone, texts, vectors, almost all.
SHARES = (0.01, 0.2, 0.4, 0.6, 0.8, 0.95)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path | None]:
    """A file system of 384 KiB; None where this user may not mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=384k", "tmpfs", str(place)]
    try:
        mounted = subprocess.run(command, capture_output=True).returncode == 0
    except FileNotFoundError:
        mounted = False
    yield place if mounted else None
    if mounted:
        subprocess.run(["umount", str(place)], check=True)


@pytest.mark.timeout(300)
def test_full_disk_is_said_and_nothing_is_half_written(tmp_path: Path, small_disk: Path | None) -> None:
    folder = write_files(tmp_path / "docs", notes(9, size=900))
    command = [sys.executable, "-m", "tests.faults.ingesting", "full", str(tmp_path), str(folder)]
    command += [",".join(map(str, SHARES)), *([str(small_disk / "index")] if small_disk else [])]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    outcome = json.loads(run.stdout)
    size = outcome.pop("size")
    assert size > 2 * 384 * 1024 / 3, f"{size} bytes are too few for this test"
    assert len(outcome) == len(SHARES) + (small_disk is not None)
    for case, (error, wrong, unfinished, same) in outcome.items():
        assert error.startswith("StorageError"), f"{case}: {error!r} {run.stderr}"
        assert "Free some space" in error
        assert (wrong, unfinished, same) == ([], [], True), f"{case} {run.stderr}"
