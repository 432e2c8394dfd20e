"""How long searches take, the whole and by stage, side by side with rivals."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import numpy as np
from synthetic import Asked

from rag.index import Index
from rag.search import retrieve
from rag.search.ranker import Ranker
from rag.store.store import DenseIndex, Store

Search = Callable[[Asked], object]


def percentile(values: Sequence[float], share: float) -> float:
    """Value below which `share` (0..1) of the values lie, linear between neighbours; 0 for no values."""
    return float(np.percentile(np.asarray(values), share * 100)) if values else 0.0


RUNS = 3
# What is timed as which stage. What is inside of another stage does not count there too.
_STAGES: tuple[tuple[str, Any, str], ...] = (
    ("read question", Index, "understand"),
    ("read question", retrieve, "named_within"),
    ("read question", retrieve, "weigh_terms"),
    ("line items", retrieve, "find_line_items"),
    ("embed", "rag.search.pool", "query_vector"),
    ("lexical leg", Store, "lexical"),
    ("dense leg", DenseIndex, "search"),
    ("tokens fetched", retrieve, "make_pool"),
    ("features", retrieve, "matching"),
    ("features", retrieve, "agreements"),
    ("ranker", Ranker, "probability"),
    ("ranker", Ranker, "parts"),
    ("read question", retrieve, "identified"),
    ("hits", retrieve, "_spread"),
    ("hits", retrieve, "_hits"),
)
NAMED = "within named documents"


@dataclass(frozen=True, slots=True)
class Times:
    """Milliseconds of one system: wall time in the run with the best p95, and processor time of the whole
    process, over all cores, in that of its own best."""

    p50: float
    p95: float
    cpu_p50: float
    cpu_p95: float
    p95_runs: tuple[float, ...]


def forget(index: Index) -> None:
    """Vectors of questions are remembered; a measurement must not find them."""
    if hasattr(index.embedder, "_queries"):
        index.embedder._queries = index.embedder._query


def measure(
    systems: dict[str, Search], questions: Sequence[Asked], runs: int = RUNS
) -> tuple[dict[str, Times], dict[str, dict[str, float]]]:
    """Times by system, and the best p95 by system and kind of question. The systems take turns at each
    question, so that whatever else the machine does meets all of them; the first questions warm up."""
    for asked in questions[:: max(1, len(questions) // 6)]:
        for search in systems.values():
            search(asked)
    wall: dict[str, list[list[float]]] = {name: [] for name in systems}
    cpu: dict[str, list[list[float]]] = {name: [] for name in systems}
    for run in range(runs):
        for name in systems:
            wall[name].append([])
            cpu[name].append([])
        for number, asked in enumerate(questions):
            names = list(systems)
            turn = (number + run) % len(names)
            for name in names[turn:] + names[:turn]:
                begun, used = time.perf_counter(), time.process_time()
                systems[name](asked)
                cpu[name][-1].append(1000 * (time.process_time() - used))
                wall[name][-1].append(1000 * (time.perf_counter() - begun))
    kinds = {
        name: {
            kind: min(percentile([row[i] for i in members], 0.95) for row in rows)
            for kind in dict.fromkeys(a.kind for a in questions)
            if (members := [i for i, a in enumerate(questions) if a.kind == kind])
        }
        for name, rows in wall.items()
    }
    return {name: _times(wall[name], cpu[name]) for name in systems}, kinds


def _times(wall: list[list[float]], cpu: list[list[float]]) -> Times:
    best = min(wall, key=lambda row: percentile(row, 0.95))
    least = min(cpu, key=lambda row: percentile(row, 0.95))
    return Times(
        p50=percentile(best, 0.5),
        p95=percentile(best, 0.95),
        cpu_p50=percentile(least, 0.5),
        cpu_p95=percentile(least, 0.95),
        p95_runs=tuple(percentile(row, 0.95) for row in wall),
    )


def by_stage(search: Search, questions: Sequence[Asked]) -> dict[str, float]:
    """Mean milliseconds of a search by stage, and "whole". Stages overlap (words are searched while the
    question is embedded, parts of a question side by side), so their sum is more than the whole."""
    spent: dict[str, float] = {}
    with _timed(spent):
        begun = time.perf_counter()
        for asked in questions:
            search(asked)
        whole = time.perf_counter() - begun
    return {name: 1000 * seconds / len(questions) for name, seconds in [*spent.items(), ("whole", whole)]}


@contextmanager
def _timed(spent: dict[str, float]) -> Iterator[None]:
    guard, inside = threading.Lock(), threading.local()
    spent |= dict.fromkeys([*(stage for stage, _, _ in _STAGES), NAMED], 0.0)

    def wrapped(stage: str, function: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: Any, **named: Any) -> object:
            name = NAMED if stage == "lexical leg" and named.get("documents") is not None else stage
            before, inside.inner = getattr(inside, "inner", 0.0), 0.0
            begun = time.perf_counter()
            try:
                return function(*arguments, **named)
            finally:
                seconds = time.perf_counter() - begun
                with guard:
                    spent[name] += seconds - inside.inner
                inside.inner = before + seconds

        return call

    with ExitStack() as stack:
        for stage, owner, name in _STAGES:
            target = __import__(owner, fromlist=["_"]) if isinstance(owner, str) else owner
            stack.enter_context(patch.object(target, name, wrapped(stage, getattr(target, name))))
        yield


def load() -> float:
    """Processes that want a processor, the mean over the last minute."""
    return os.getloadavg()[0]
