"""The result of answers.py -> a Markdown table: every side, how many times better Citewise is, the goal, and
whether it is met."""

from __future__ import annotations

from statistics import median
from typing import Any

OURS = "Citewise"
RIVALS = ("LangChain", "LlamaIndex", "txtai")


def middle(rows: list[dict[str, Any]], key: str) -> float | None:
    """Median of the rows that have the value."""
    values = [row[key] for row in rows if row.get(key) is not None]
    return median(values) if values else None


def cells(result: dict[str, Any]) -> list[dict[str, Any]]:
    """The lines of the table: `values` by side; `more` where larger is better; `goal` in words, and `met`."""
    single = {name: rows for name, rows in result["single"].items() if rows}
    on_screen = middle(result["evidence"], "evidence_ms")
    evidence = {n: middle(rows, "evidence_ms") for n, rows in single.items()} | {OURS: on_screen}
    whole = {n: middle(rows, "whole_ms") for n, rows in single.items()}
    memory = {n: middle(rows, "peak_mb") for n, rows in single.items()}
    lines = [
        _line(
            "Evidence on screen, p50", evidence, "ms", "≤ 100 ms", on_screen is not None and on_screen <= 100
        ),
        _line("Whole answer (ours verified)", whole, "ms", "≥ 3 ×", _at_least(3, whole)),
        _line("Peak memory of one question", memory, "MB", "≤ 900 MB", (memory.get(OURS) or 1e9) <= 900),
    ]
    rivals = {name: middle(rows, "per_minute") for name, rows in result["batch_rivals"].items()}
    counts = {n: middle(rows, "per_minute") for n, rows in result["batch"].items() if rows}
    for count, rate in counts.items():
        values = rivals | {OURS: rate}
        best = count == max(counts, key=lambda n: counts[n] or 0)
        met = _at_least(4, values, more=True) if best else None
        goal = "≥ 4 ×" if best else ""
        lines.append(_line(f"Batch, {count} at a time", values, "answers/min", goal, met, more=True))
    return lines


def _line(
    measure: str,
    values: dict[str, float | None],
    unit: str,
    goal: str,
    met: bool | None,
    *,
    more: bool = False,
) -> dict[str, Any]:
    return {"measure": measure, "values": values, "unit": unit, "goal": goal, "met": met, "more": more}


def ratio(values: dict[str, float | None], rival: str, *, more: bool = False) -> float | None:
    """How many times better Citewise is."""
    ours, theirs = values.get(OURS), values.get(rival)
    if not ours or not theirs:
        return None
    return ours / theirs if more else theirs / ours


def _at_least(times: float, values: dict[str, float | None], *, more: bool = False) -> bool | None:
    found = ratio(values, RIVALS[0], more=more)
    return None if found is None else found >= times


def markdown(result: dict[str, Any]) -> str:
    sides = [OURS, *(name for name in RIVALS if name in result["single"])]
    rows = [
        f"| | {' | '.join(sides)} | goal (LangChain) | met |",
        "|---" * (len(sides) + 3) + "|",
    ]
    for line in cells(result):
        shown = [_shown(line["values"].get(OURS), line["unit"])]
        for name in sides[1:]:
            times = ratio(line["values"], name, more=line["more"])
            value = _shown(line["values"].get(name), line["unit"])
            shown.append(value if times is None else f"{value} ({times:.1f} ×)")
        met = {True: "yes", False: "**no**", None: ""}[line["met"]]
        rows.append(f"| {line['measure']} | {' | '.join(shown)} | {line['goal']} | {met} |")
    machine = result["machine"]
    alone = len(next(iter(result["single"].values()), ())) - 1
    head = (
        f"{result['date']}, {machine['processor']}, {machine['cores']} cores, {machine['memory_gb']:.0f} GB, "
        f"load before {machine['load_before']:.1f}; {result['size']:,} passages; {alone} questions one by "
        f"one, medians; {result['model']}."
    )
    notes = [f"{name}: {error}" for name, errors in result["errors"].items() for error in errors]
    return "\n".join([head, "", *rows, "", *notes, ""] if notes else [head, "", *rows, ""])


def _shown(value: float | None, unit: str) -> str:
    if value is None:
        return "–"
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f} {unit}"
