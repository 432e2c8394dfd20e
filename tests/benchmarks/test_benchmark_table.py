"""The benchmark's table says what was measured, and says so where a goal was missed."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.files import ROOT

BENCHMARKS = ROOT / "benchmarks"


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"benchmark_{name}", BENCHMARKS / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def side(speed: float) -> dict[str, Any]:
    """Measurements of a side that takes `speed` seconds for 100 pages."""
    rows = [
        {
            "question": "a",
            "evidence_ms": 30 * speed,
            "embedding_ms": 5,
            "read": True,
            "whole_ms": 300 * speed,
        },
        {
            "question": "b",
            "evidence_ms": 30 * speed,
            "embedding_ms": 5,
            "read": False,
            "whole_ms": 10 * speed,
        },
    ]
    wall = {"seconds": 2 * speed, "peak_mb": 500.0, "tree_mb": 800.0}
    ingest = {"pages": 100, "ingest_seconds": speed, "answerable_seconds": speed / 2, "index_bytes": 2**20}
    return {
        "ingest": ingest,
        "ingest_wall": wall,
        "small_ingest": ingest | {"pages": 25},
        "small_ingest_wall": wall,
        "search_seconds": [speed],
        "ask": wall,
        "questions": {"answers": rows},
        "large": {"answers": rows, "pages": 10_000},
    }


def row(table: str, measure: str) -> list[str]:
    (line,) = [x for x in table.splitlines() if x.startswith(f"| {measure}")]
    return [cell.strip() for cell in line.strip("|").split("|")]


def result(ours: float, rival: float) -> dict[str, Any]:
    return {
        "date": "2026-01-01T00:00",
        "machine": {"processor": "P", "cores": 2, "memory_gb": 8.0},
        "corpus": {"files": 1, "pages": 100, "questions": 2},
        "citewise": side(ours),
        "langchain": side(rival),
    }


def test_met_and_missed_goals_are_told_apart() -> None:
    table = load("table").markdown(result(1.0, 3.0))
    assert row(table, "Ingest to the end")[1:] == ["100 pages/s", "33.3 pages/s", "3.0", "≥ 2 ×", "yes"]
    assert row(table, "First answerable moment, process")[4:] == ["", ""]
    assert row(table, "`search` in a fresh")[3:] == ["3.0", "≥ 4 ×", "**no**"]
    assert row(table, "Evidence on screen, less")[-1] == "yes"
    assert row(table, "Memory of an ingest")[-1] == "yes"


def test_time_of_reading_counts_only_questions_that_the_model_read() -> None:
    cells = row(load("table").markdown(result(1.0, 4.0)), "Whole answer, verified")
    assert cells[0].endswith("(1 of 2 questions)")
    assert cells[1:] == ["300 ms", "1,200 ms", "4.0", "≥ 2 ×", "yes"]


def test_corpus_is_whole_files_up_to_the_pages_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus = load("corpus")
    pages = {"a.pdf": 50, "b.pdf": 500, "c.pdf": 40}
    for name in pages:
        (tmp_path / name).write_bytes(b"")
    monkeypatch.setattr(corpus, "page_count", lambda path: pages[path.name])
    assert [p.name for p in corpus.choose(tmp_path, 100)] == ["a.pdf", "c.pdf"]
    assert [p.name for p in corpus.choose(tmp_path, 10)] == ["c.pdf"]


def test_a_failed_process_is_an_error_with_what_it_said(tmp_path: Path) -> None:
    processes = load("processes")
    with pytest.raises(processes.BenchmarkError, match="no such thing"):
        processes.run([sys.executable, "-c", "raise SystemExit('no such thing')"], cwd=tmp_path)


def test_peak_memory_and_output_of_a_process_are_measured(tmp_path: Path) -> None:
    code = "x = bytearray(100 << 20); x[::4096] = b'x' * len(x[::4096]); print('log'); print('{\"a\": 1}')"
    # From a small process, as the benchmark does: the kernel counts what a child shares with the process that
    # starts it.
    small = (
        "import sys; from pathlib import Path; from processes import run\n"
        f"done = run([sys.executable, '-c', {code!r}], cwd=Path({str(tmp_path)!r}))\n"
        "print(done.peak_mb, done.output)"
    )
    said = subprocess.run([sys.executable, "-c", small], cwd=BENCHMARKS, capture_output=True, text=True)
    peak, output = said.stdout.split(maxsplit=1)
    assert output.strip() == "{'a': 1}", said.stderr
    assert 100 < float(peak) < 300
