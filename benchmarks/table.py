"""Measurements -> a Markdown table: both sides, their ratio, the goal, and whether it is met."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any


@dataclass(frozen=True)
class Line:
    """One measure. `goal` is in words; `met` None where no goal was set. `ratio` is how many times better
    Citewise is."""

    measure: str
    ours: str
    rival: str
    ratio: float | None
    goal: str
    met: bool | None


def middle(rows: list[dict[str, Any]], key: str) -> float | None:
    """Median of the rows that have the value."""
    values = [row[key] for row in rows if row.get(key) is not None]
    return median(values) if values else None


def lines(result: dict[str, Any]) -> list[Line]:
    ours, rival = result["citewise"], result["langchain"]
    mine, theirs = ours["questions"]["answers"], rival["questions"]["answers"]
    written = [row for row in mine if row["read"]]
    asked = {row["question"] for row in written}
    matching = [row for row in theirs if row["question"] in asked]
    large = ours["large"]["answers"]
    beyond = [{"ms": row["evidence_ms"] - row["embedding_ms"]} for row in large]
    size = ours["large"]["pages"]
    count = f"{len(written)} of {len(mine)} questions"
    out = [
        _faster(
            "Ingest to the end of dense vectors", ours, rival, _pages_per_second, "pages/s", 2, more=True
        ),
        _faster("First answerable moment", ours, rival, lambda s: s["ingest"]["answerable_seconds"], "s", 20),
        _faster("First answerable moment, process start included", ours, rival, _cold_answerable, "s"),
        _faster("`search` in a fresh process", ours, rival, lambda s: median(s["search_seconds"]), "s", 4),
        _limit(
            f"Evidence on screen, less the query's embedding, {size:,} pages", middle(beyond, "ms"), "ms", 60
        ),
        _times("Evidence on screen", middle(mine, "evidence_ms"), middle(theirs, "evidence_ms"), "ms"),
        _times("Query embedding alone", middle(mine, "embedding_ms"), middle(theirs, "embedding_ms"), "ms"),
        _times(
            f"Whole answer, verified ({count})",
            middle(written, "whole_ms"),
            middle(matching, "whole_ms"),
            "ms",
            2,
        ),
        _times(
            "Whole answer, refusals and quotes included",
            middle(mine, "whole_ms"),
            middle(theirs, "whole_ms"),
            "ms",
        ),
        _faster("`ask` in a fresh process", ours, rival, lambda s: s["ask"]["seconds"], "s"),
        _limit("Peak memory of `ask`", ours["ask"]["peak_mb"], "MB", 900, rival["ask"]["peak_mb"]),
        _growth(ours, rival),
        _faster("Index on disk per 1,000 pages", ours, rival, _bytes_per_page, "MB"),
    ]
    return [line for line in out if line is not None]


def _pages_per_second(side: dict[str, Any]) -> float:
    return side["ingest"]["pages"] / side["ingest"]["ingest_seconds"]


def _cold_answerable(side: dict[str, Any]) -> float:
    ingest = side["ingest"]
    return ingest["answerable_seconds"] + side["ingest_wall"]["seconds"] - ingest["ingest_seconds"]


def _bytes_per_page(side: dict[str, Any]) -> float:
    return side["ingest"]["index_bytes"] / side["ingest"]["pages"] * 1000 / 2**20


def _faster(
    measure: str,
    ours: dict[str, Any],
    rival: dict[str, Any],
    value: Callable[[dict[str, Any]], float],
    unit: str,
    goal: float | None = None,
    *,
    more: bool = False,
) -> Line | None:
    return _times(measure, value(ours), value(rival), unit, goal, more=more)


def _times(
    measure: str,
    ours: float | None,
    rival: float | None,
    unit: str,
    goal: float | None = None,
    *,
    more: bool = False,
) -> Line | None:
    if ours is None or rival is None:
        return Line(
            measure, _shown(ours, unit), _shown(rival, unit), None, f"≥ {goal:g} ×" if goal else "", None
        )
    ratio = (ours / rival if more else rival / ours) if rival and ours else None
    met = ratio >= goal if goal and ratio is not None else None
    return Line(measure, _shown(ours, unit), _shown(rival, unit), ratio, f"≥ {goal:g} ×" if goal else "", met)


def _limit(
    measure: str, ours: float | None, unit: str, goal: float, rival: float | None = None
) -> Line | None:
    if ours is None:
        return None
    ratio = rival / ours if rival else None
    return Line(measure, _shown(ours, unit), _shown(rival, unit), ratio, f"≤ {goal:g} {unit}", ours <= goal)


def _growth(ours: dict[str, Any], rival: dict[str, Any]) -> Line:
    """Peak memory of an ingest, all processes, for a quarter of the corpus and for the whole of it."""

    def pair(side: dict[str, Any]) -> tuple[float, float]:
        return side["small_ingest_wall"]["tree_mb"], side["ingest_wall"]["tree_mb"]

    shown = [f"{small:,.0f} → {large:,.0f} MB" for small, large in (pair(ours), pair(rival))]
    small, large = pair(ours)
    pages = f"{ours['small_ingest']['pages']} → {ours['ingest']['pages']} pages"
    return Line(f"Memory of an ingest, {pages}", *shown, None, "growth ≤ 10 %", large <= 1.1 * small)


def _shown(value: float | None, unit: str) -> str:
    if value is None:
        return "–"
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f} {unit}"


def markdown(result: dict[str, Any]) -> str:
    rows = ["| | Citewise | LangChain | times better | goal | met |", "|---|---|---|---|---|---|"]
    for line in lines(result):
        ratio = f"{line.ratio:.1f}" if line.ratio is not None else ""
        met = {True: "yes", False: "**no**", None: ""}[line.met]
        rows.append(f"| {line.measure} | {line.ours} | {line.rival} | {ratio} | {line.goal} | {met} |")
    machine, corpus = result["machine"], result["corpus"]
    head = (
        f"{result['date']}, {machine['processor']}, {machine['cores']} cores, {machine['memory_gb']:.0f} GB; "
        f"{corpus['files']} PDFs, {corpus['pages']} pages; {corpus['questions']} questions, medians."
    )
    return "\n".join([head, "", *rows, ""])
