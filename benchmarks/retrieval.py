"""Retrieval measured: how long a search takes at two sizes, whether it holds among ever more documents, and
what reading documents costs.

    .venv/bin/python benchmarks/retrieval.py [--only latency growth reading] [--files FILE ...]

Writes benchmarks/results/retrieval-<date>.json and .md, and docs/growth.svg. What is measured, and how, is in
benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
import latency
import synthetic
from enlarged import Growing, parsed
from growth import OURS, PLAIN, TIMES, grow, plot
from latency import Search
from reading_cost import reading_cost
from rivals import rivals
from run import machine, say
from synthetic import Asked

from rag.config import default_cache_dir
from rag.index import Index, open_index
from rag.measure.evaluate import STAGE_NAMES, stages_without

HERE = Path(__file__).resolve().parent
CORPORA = HERE.parent / "corpora"
SIZES = (20_000, 65_000)
GOALS = {20_000: 120.0, 65_000: 250.0}
REAL = 3000
K = 8


def systems(index: Index, *, dense: bool) -> dict[str, Search]:
    """What is compared: ours, ours with every stage off, and the rivals."""
    plain = stages_without(n for n in STAGE_NAMES if n != "dense")

    def ours(asked: Asked) -> object:
        return index.search(asked.question, K, filters=asked.filters)

    def every_stage_off(asked: Asked) -> object:
        return index.search(asked.question, K, filters=asked.filters, stages=plain)

    found: dict[str, Search] = {OURS: ours, PLAIN: every_stage_off}
    for name, search in rivals(index, dense=dense).items():
        found[name] = lambda asked, search=search: search(asked.question, K)  # type: ignore[misc]
    return found


def latencies(scratch: Path, sizes: tuple[int, ...], each: int) -> list[dict[str, Any]]:
    """English with vectors and Chinese without, at every size."""
    found = []
    for language, texts, questions in (
        ("English, words and vectors", synthetic.english(), synthetic.english_questions(each)),
        ("Chinese, words alone", synthetic.chinese(), synthetic.chinese_questions(each)),
    ):
        dense = language.startswith("English")
        folder = scratch / language[:7].lower()
        with open_index(folder, create=True, cache_dir=default_cache_dir()) as index:
            growing = Growing(index, parsed(texts), embed=dense, real=REAL)
            latency.forget(index)
            for size in sizes:
                say(f"{language}: growing to {size:,} passages ...")
                found.append(_latency(index, growing.grow(size), language, questions, size, dense=dense))
    return found


def _latency(
    index: Index, passages: int, language: str, questions: list[Asked], size: int, *, dense: bool
) -> dict[str, Any]:
    compared = systems(index, dense=dense)
    before = latency.load()
    times, kinds = latency.measure(compared, questions)
    after = latency.load()
    return {
        "language": language,
        "passages": passages,
        "documents": len(index.documents()),
        "questions": len(questions),
        "goal_ms": GOALS.get(size),
        "load": [before, after],
        "times": {name: asdict(value) for name, value in times.items()},
        "p95_by_kind": kinds,
        "stages_ms": latency.by_stage(compared[OURS], questions),
    }


def growths(scratch: Path, times: tuple[int, ...]) -> list[dict[str, Any]]:
    found = []
    with open_index(scratch / "growth", create=True, cache_dir=default_cache_dir()) as index:
        for step in grow(index, CORPORA, times):
            say(f"{step.copies} copies, {step.passages:,} passages: {step.hits}")
            found.append(asdict(step) | {"load": latency.load()})
    return found


def reading_costs(scratch: Path, files: list[Path]) -> dict[str, Any]:
    with open_index(scratch / "reading", create=True, cache_dir=default_cache_dir()) as index:
        samples = sorted(f for f in CORPORA.glob("*/documents/**/*") if f.is_file())
        found = {"sample corpora": reading_cost(samples, index.embedder)}
        if files:
            found["files given"] = reading_cost(files, index.embedder)
    return found


def markdown(result: dict[str, Any]) -> str:
    about = result["machine"]
    parts = [f"{result['date']}, {about['processor']}, {about['cores']} cores, {about['memory_gb']:.0f} GB."]
    if found := result.get("latency"):
        parts += [_latency_table(found), _kinds_table(found), _stages_table(found)]
    if found := result.get("growth"):
        parts.append(_growth_table(found))
    if found := result.get("reading"):
        parts.append(_reading_table(found))
    return "\n\n".join(parts) + "\n"


def _table(head: list[str], rows: list[list[str]]) -> str:
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *rows])


def _latency_table(found: list[dict[str, Any]]) -> str:
    rows = []
    for one in found:
        ours = one["times"][OURS]["p95"]
        for name, t in one["times"].items():
            mine = name == OURS and one["goal_ms"]
            goal = (
                f"< {one['goal_ms']:.0f} ms: " + ("yes" if ours < one["goal_ms"] else "**no**")
                if mine
                else ""
            )
            where = (
                f"{one['language']}, {one['passages']:,}, load {one['load'][0]:.1f}" if name == OURS else ""
            )
            cpu = f"{t['cpu_p50']:.0f} / {t['cpu_p95']:.0f}"
            rows.append(
                [where, name, f"{t['p50']:.0f}", f"{t['p95']:.0f}", f"{ours / t['p95']:.1f}", cpu, goal]
            )
    head = ["passages", "search", "p50 ms", "p95 ms", "ours / it", "processor ms, p50 / p95", "goal (p95)"]
    return _table(head, rows)


def _kinds_table(found: list[dict[str, Any]]) -> str:
    kinds = list(dict.fromkeys(kind for one in found for kind in one["p95_by_kind"][OURS]))
    rows = [
        [f"{one['language']}, {one['passages']:,}"]
        + [f"{v:.0f}" if (v := one["p95_by_kind"][OURS].get(kind)) else "" for kind in kinds]
        for one in found
    ]
    return _table(["Citewise, p95 ms by kind of question", *kinds], rows)


def _stages_table(found: list[dict[str, Any]]) -> str:
    stages = list(found[0]["stages_ms"])
    rows = [
        [f"{one['language']}, {one['passages']:,}"] + [f"{one['stages_ms'][stage]:.1f}" for stage in stages]
        for one in found
    ]
    return _table(["Citewise, mean ms by stage", *stages], rows)


def _growth_table(found: list[dict[str, Any]]) -> str:
    names = list(found[0]["hits"])
    rows = [
        [f"{one['copies']} ×", f"{one['passages']:,}"]
        + [f"{one['hits'][n]:.2f} / {one['hits_naming'][n]:.2f} / {one['p95'][n]:.0f}" for n in names]
        for one in found
    ]
    head = [
        "distractors",
        "passages",
        *(f"{name}: hit@5 / where a document is named / p95 ms" for name in names),
    ]
    return _table(head, rows)


def _reading_table(found: dict[str, Any]) -> str:
    parts = list(next(iter(found.values()))["ms"])
    rows = []
    for name, one in found.items():
        whole = sum(one["ms"].values())
        per = [f"{one['ms'][p] / one['documents']:.1f} ({100 * one['ms'][p] / whole:.1f} %)" for p in parts]
        added = f"{100 * one['added']:.1f} % / {100 * one['added without embedding']:.1f} %"
        rows.append([f"{name}: {one['documents']} documents, {one['passages']} passages", *per, added])
    return _table(["processor ms per document", *parts, "slower by, with / without embedding"], rows)


def main() -> None:
    parser = argparse.ArgumentParser(description="Retrieval: latency, growth, cost of reading.")
    parser.add_argument("--only", nargs="+", choices=("latency", "growth", "reading"))
    parser.add_argument("--sizes", nargs="+", type=int, default=list(SIZES), help="passages")
    parser.add_argument("--each", type=int, default=8, help="questions of every kind (default: 8)")
    parser.add_argument("--copies", nargs="+", type=int, default=list(TIMES), help="distractors per document")
    parser.add_argument("--files", nargs="+", type=Path, default=[], help="more files to time the reading of")
    parser.add_argument("--results", type=Path, default=HERE / "results")
    parser.add_argument("--plot", type=Path, default=HERE.parent / "docs" / "growth.svg")
    given = parser.parse_args()
    wanted = given.only or ["latency", "growth", "reading"]
    result: dict[str, Any] = {"date": datetime.now().isoformat(timespec="minutes"), "machine": machine()}
    with tempfile.TemporaryDirectory(prefix="citewise-benchmark-") as scratch:
        if "reading" in wanted:
            result["reading"] = reading_costs(Path(scratch), given.files)
        if "growth" in wanted:
            result["growth"] = growths(Path(scratch), tuple(sorted(given.copies)))
            plot(result["growth"], given.plot)
        if "latency" in wanted:
            result["latency"] = latencies(Path(scratch), tuple(sorted(given.sizes)), given.each)
    given.results.mkdir(parents=True, exist_ok=True)
    stem = given.results / f"retrieval-{result['date'].replace(':', '')}"
    stem.with_suffix(".json").write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", "utf-8")
    stem.with_suffix(".md").write_text(markdown(result), "utf-8")
    print(markdown(result))


if __name__ == "__main__":
    main()
