"""kill -9 in the middle of a batch, again and again, until a run is let live to its end."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import openpyxl
import pytest

ROWS = 60
PROGRAM = """
import os, sys
from pathlib import Path
from rag.batch import run_batch
from tests.fakes import FakeAssistant, fake_answer

asked = os.open(sys.argv[3], os.O_WRONLY | os.O_CREAT | os.O_APPEND)

def answer(question):
    os.write(asked, (question + "\\n").encode())
    return fake_answer(question, "Answer to " + question)

run_batch(FakeAssistant(answer, delay=0.01), Path(sys.argv[1]), Path(sys.argv[2]), parallel=int(sys.argv[4]))
"""


def start(questions: Path, out: Path, asked: Path, parallel: int) -> subprocess.Popen[bytes]:
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", PROGRAM, questions, out, asked, str(parallel)]
    return subprocess.Popen(command, cwd=root)


def count(asked: Path) -> int:
    return len(asked.read_text().splitlines()) if asked.exists() else 0


def kill_after(process: subprocess.Popen[bytes], asked: Path, number: int) -> None:
    """SIGKILL once `number` questions have been asked in all."""
    deadline = time.monotonic() + 60
    while count(asked) < number and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait(10)


def read_rows(path: Path) -> list[tuple[str, str]]:
    if path.suffix == ".jsonl":
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        return [(r["question"], r["answer"]) for r in rows]
    if path.suffix == ".csv":
        with path.open(encoding="utf-8-sig", newline="") as file:
            return [(r["question"], r["answer"]) for r in csv.DictReader(file)]
    _, *rows = openpyxl.load_workbook(path).active.iter_rows(values_only=True)
    return [(row[0], row[1]) for row in rows]


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    ("suffix", "parallel"), [(".csv", 1), (".jsonl", 1), (".xlsx", 1), (".csv", 4), (".jsonl", 16)]
)
def test_batch_killed_three_times_loses_no_row_and_asks_none_of_the_recorded_twice(
    tmp_path: Path, suffix: str, parallel: int
) -> None:
    questions, out, asked = tmp_path / "in.txt", tmp_path / f"out{suffix}", tmp_path / "asked"
    names = [f"Question {n}?" for n in range(ROWS)]
    questions.write_text("\n".join(names))
    for number in (7, 23, 41):
        kill_after(start(questions, out, asked, parallel), asked, number)
        assert not out.exists(), "an output appears only when it is whole"
    assert start(questions, out, asked, parallel).wait(60) == 0

    assert [q for q, _ in read_rows(out)] == names
    assert all(a.startswith(f"Answer to {q}") for q, a in read_rows(out))
    # Questions that were being answered at a kill have no answer to keep; no others may be asked again.
    assert ROWS <= count(asked) <= ROWS + 3 * parallel
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(["in.txt", out.name, "asked"])
