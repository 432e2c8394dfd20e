"""kill -9 at any point of an ingest: nothing committed is lost, nothing is there twice or by half, the next
run completes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from rag.errors import CitewiseError
from rag.store.store import Store
from tests.indexing import contents, new_index, waits_until, write_files

ROOT = Path(__file__).parents[2]


def notes(count: int, size: int = 40) -> dict[str, str]:
    files = {f"{n}.md": f"# Note {n}\n\n" + f"Number {n} stands here. " * size for n in range(count)}
    return {**files, "zero.txt": "", "劳动.txt": "劳动者提前三十日以书面形式通知用人单位，可以解除劳动合同。"}


@pytest.mark.timeout(300)
def test_killed_at_any_step_and_resumed_equals_an_undisturbed_run(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "docs", notes(9))
    command = [sys.executable, "-m", "tests.faults.ingesting", "kill", str(tmp_path), str(folder), "24"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    outcome = json.loads(run.stdout)
    assert outcome["killed"] == 24, run.stderr
    assert outcome["wrong"] == {}, run.stderr


@pytest.mark.timeout(300)
def test_killed_with_its_worker_processes_running_leaves_none_and_resumes(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "docs", notes(60, size=400))
    code = (
        "from pathlib import Path\n"
        "import rag.store.ingest\n"
        "from tests.indexing import new_index\n"
        "rag.store.ingest._COMMIT_PASSAGES = 10\n"
        f"index = new_index(Path({str(tmp_path / 'index')!r}))\n"
        f"index.ingest({str(folder)!r}, workers=2)\n"
    )
    child = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stderr=subprocess.DEVNULL)
    assert waits_until(lambda: _documents(tmp_path / "index") >= 5, seconds=60)
    workers = psutil.Process(child.pid).children(recursive=True)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    kept = _documents(tmp_path / "index")
    assert 5 <= kept < 62
    assert waits_until(lambda: not any(_lives(w) for w in workers), seconds=30)
    with new_index(tmp_path / "index") as index, new_index(tmp_path / "whole") as whole:
        assert index.store.problems() == []
        report = index.ingest(folder, workers=2)
        assert report.count("added") == 61 - sum(f.change == "skipped" for f in report.files)
        assert report.count("skipped") >= kept - 1  # the empty file may be among those kept
        whole.ingest(folder, workers=2)
        assert contents(index.store) == contents(whole.store)
        assert index.verify().ok


def _documents(folder: Path) -> int:
    try:
        with Store.open(folder) as store:
            return len(store.documents())
    except CitewiseError:
        time.sleep(0.05)
        return 0


def _lives(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
