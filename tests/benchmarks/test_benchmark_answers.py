"""The tables of the benchmarks of answers and of users say what was measured, and where a goal was missed."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytest

from tests.files import ROOT

BENCHMARKS = str(ROOT / "benchmarks")


@pytest.fixture
def modules(monkeypatch: pytest.MonkeyPatch) -> tuple[ModuleType, ModuleType]:
    monkeypatch.syspath_prepend(BENCHMARKS)
    before = set(sys.modules)
    import answers_table
    import users

    for name in set(sys.modules) - before:
        monkeypatch.delitem(sys.modules, name, raising=False)
    return answers_table, users


def measured(speed: float) -> dict[str, Any]:
    """A run in which LangChain is `speed` times as slow as Citewise; txtai was not there."""

    def rows(slower: float) -> list[dict[str, Any]]:
        return [
            {"question": "warm-up", "peak_mb": 400 * slower},
            {"evidence_ms": 60 * slower, "whole_ms": 900 * slower},
        ]

    return {
        "date": "2026-01-01T00:00",
        "machine": {"processor": "P", "cores": 2, "memory_gb": 24.0, "load_before": 0.1},
        "model": "small.Q4_1",
        "size": 20_000,
        "single": {"Citewise": rows(1), "LangChain": rows(speed), "LlamaIndex": rows(speed)},
        "evidence": [{"evidence_ms": 70.0}, {"evidence_ms": 90.0}],
        "batch_rivals": {"LangChain": [{"per_minute": 20 / speed}], "LlamaIndex": []},
        "batch": {"1": [{"per_minute": 20.0}], "4": [{"per_minute": 50.0}], "8": [{"per_minute": 40.0}]},
        "errors": {"Citewise": [], "LlamaIndex": ["batch: RuntimeError: no"]},
    }


def test_ratios_are_to_each_rival_and_goals_are_held_against_langchain(modules: Any) -> None:
    table, _ = modules
    lines = {line["measure"]: line for line in table.cells(measured(4.0))}
    assert table.ratio(lines["Whole answer (ours verified)"]["values"], "LangChain") == 4.0
    assert lines["Whole answer (ours verified)"]["met"] is True
    assert lines["Evidence on screen, p50"]["values"]["Citewise"] == 80.0
    best = lines["Batch, 4 at a time"]
    assert table.ratio(best["values"], "LangChain", more=True) == 10.0
    assert best["met"] is True
    assert lines["Batch, 8 at a time"]["met"] is None


def test_missed_goals_failures_and_absent_sides_are_said(modules: Any) -> None:
    table, _ = modules
    text = table.markdown(measured(2.0))
    assert "| Whole answer (ours verified) | 900 ms | 1,800 ms (2.0 ×) |" in text
    assert text.count("**no**") == 1
    assert "txtai" not in text
    assert "LlamaIndex: batch: RuntimeError: no" in text
    assert "20,000 passages" in text


def test_users_table_counts_crossed_answers_and_users_that_were_told(modules: Any) -> None:
    _, users = modules

    def seen(evidence: float, ahead: list[int]) -> dict[str, Any]:
        return {"evidence_ms": evidence, "whole_ms": 5000.0, "ahead": ahead, "error": ""}

    result = {
        "date": "2026-01-01T00:00",
        "machine": measured(1.0)["machine"],
        "parallel": 4,
        "alone": [seen(80, []), seen(80, [])],
        "rounds": [[seen(300, []), seen(1200, [2, 1])], [seen(400, []), seen(700, [1, 2])]],
        "stop_ms": [50.0],
        "crossed": 1,
    }
    text = users.markdown(result)
    assert "| Evidence, last user (median of rounds) | 950 ms | ≤ 1,000 ms | yes |" in text
    assert "1 of 4 | 0 | **no** |" in text
    assert "| 2, 1 | all | **no** |" in text
