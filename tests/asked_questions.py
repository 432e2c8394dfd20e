"""Questions written by hand for the tests of what a question wants: data/asked_figures.jsonl.

A metric is the key of a formula or line, "a / b", "a % b", "a - b" or "a + b" for combinations, null where no
figure is asked for."""

from __future__ import annotations

import json
from pathlib import Path

_ROWS = [
    json.loads(line)
    for line in (Path(__file__).parent / "data" / "asked_figures.jsonl")
    .read_text(encoding="utf-8")
    .splitlines()
]
FIGURES: tuple[tuple[str, str, tuple[str, ...], str], ...] = tuple(
    (row["question"], row["metric"], tuple(row["periods"]), row["aim"]) for row in _ROWS if row["metric"]
)
NOT_FIGURES: tuple[str, ...] = tuple(row["question"] for row in _ROWS if row["metric"] is None)
