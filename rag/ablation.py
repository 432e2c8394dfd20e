"""What each stage of retrieval gives: the same questions with all stages, without each one, and plainly.

The differences are paired: a question is compared with itself. The variants of one question are asked one
after the other, each time beginning with another, so that neither the machine's mood nor a warm cache favours
any of them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag import metrics
from rag.errors import CitewiseError
from rag.evalset import Half, Question
from rag.evaluate import DEPTH, choice, choose, first_of_each_language, measures_of, set_name, with_progress
from rag.files import write_atomically
from rag.metrics import Difference, Measure
from rag.report import table
from rag.scoring import Scores, is_searched, passage, rank_scores
from rag.staging import ALL_STAGES, STAGE_NAMES, search, stages_without
from rag.types import Progress, Stages
from rag.types.plain import to_json

if TYPE_CHECKING:
    from rag.index import Index

ALL, PLAIN = "all stages", "plain"
# What is left in the plain variant besides the lexical leg, which has no switch.
_PLAIN_KEEPS = "dense"
COLUMNS = ("hit@1", "hit@5", "hit@10", "document hit@1", "MRR@10")
_TURNED = "MRR@10"


@dataclass(frozen=True, slots=True)
class Variant:
    """Retrieval with some stages: its measures, their paired differences from all stages (empty for all
    stages itself), median seconds of a search; `ranks` of the first evidence by question id (None: not
    found). `better` and `worse` count questions whose evidence stands higher or lower among the first ten."""

    name: str
    stages: Stages
    measures: Mapping[str, Measure]
    differences: Mapping[str, Difference]
    seconds_p50: float
    ranks: Mapping[str, int | None]
    errors: int = 0

    @property
    def better(self) -> int:
        return self.differences[_TURNED].better if _TURNED in self.differences else 0

    @property
    def worse(self) -> int:
        return self.differences[_TURNED].worse if _TURNED in self.differences else 0


@dataclass(frozen=True, slots=True)
class Ablation:
    """All variants over the same questions; the first has all stages."""

    name: str
    settings: Mapping[str, Any]
    variants: tuple[Variant, ...]

    def to_json(self) -> str:
        return to_json(self, indent=1) + "\n"

    def to_markdown(self) -> str:
        """One row per variant: the difference from all stages with its 95 % interval under each value."""
        settings = ", ".join(f"{k} {v}" for k, v in self.settings.items())
        head = ("retrieval", *COLUMNS, "better", "worse", "p50 ms")
        rows = [
            (
                v.name,
                *(_cell(v, name) for name in COLUMNS),
                *((str(v.better), str(v.worse)) if v.differences else ("", "")),
                f"{v.seconds_p50 * 1000:.1f}",
            )
            for v in self.variants
        ]
        notes = (
            f"In brackets: the difference from {ALL}, with its 95 % interval (paired bootstrap over the "
            "questions). Better and worse: questions whose evidence stands higher or lower among the first "
            f"ten passages. {PLAIN.capitalize()}: words and vectors alone."
        )
        failed = [f"- {v.name}: {v.errors} questions failed" for v in self.variants if v.errors]
        parts = [f"# {self.name}: what each stage of retrieval gives", settings, table(head, rows), notes]
        return "\n\n".join([*parts, *(["\n".join(failed)] if failed else [])]) + "\n"

    def write(self, folder: Path) -> tuple[Path, Path]:
        """`ablation.json` and `ablation.md` in `folder`, each written atomically. Raises StorageError."""
        paths = folder / "ablation.json", folder / "ablation.md"
        write_atomically(paths[0], self.to_json().encode())
        write_atomically(paths[1], self.to_markdown().encode())
        return paths


def variants() -> dict[str, Stages]:
    """What `ablate` measures: all stages, without each one, and the plain fusion of words and vectors."""
    plain = stages_without(n for n in STAGE_NAMES if n != _PLAIN_KEEPS)
    return {ALL: ALL_STAGES} | {f"without {n}": stages_without([n]) for n in STAGE_NAMES} | {PLAIN: plain}


def ablate(
    source: Path,
    index: Index,
    *,
    limit: int | None = None,
    seed: int = 0,
    depth: int = DEPTH,
    tags: Sequence[str] = (),
    half: Half | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Ablation:
    """Measure retrieval under every variant on the questions of `source` that say where their evidence
    stands. `depth` passages are retrieved each time. Raises InputError for an unusable set, CitewiseError
    where the index cannot be used."""
    chosen = choose(source, limit=limit, seed=seed, tags=tags, half=half, searched=True)
    questions = [q for q in chosen if is_searched(q)]
    runs = [_Run(name, stages) for name, stages in variants().items()]
    for question in first_of_each_language(questions):  # models and indexes load at first use
        for run in runs:
            search(index, question.question, 1, run.stages)
    for number, question in enumerate(with_progress(questions, progress)):
        first = number % len(runs)
        for run in runs[first:] + runs[:first]:
            run.ask(index, question, depth)
    settings = {"questions": len(questions), "seed": seed, "depth": depth} | choice(tags, half)
    return Ablation(set_name(source), settings, tuple(run.variant(runs[0]) for run in runs))


@dataclass
class _Run:
    """What accumulates for one variant; the lists are in the order of the questions."""

    name: str
    stages: Stages
    scores: list[Scores] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    ranks: dict[str, int | None] = field(default_factory=dict)
    errors: int = 0

    def ask(self, index: Index, question: Question, depth: int) -> None:
        begun = time.perf_counter()
        try:
            hits = search(index, question.question, depth, self.stages)
            self.seconds.append(time.perf_counter() - begun)
        except CitewiseError:
            hits = []
            self.errors += 1
        passages = [passage(hit) for hit in hits]
        self.scores.append(rank_scores(passages, question.evidence, depth))
        self.ranks[question.id] = metrics.first_rank(passages, question.evidence)

    def variant(self, base: _Run) -> Variant:
        differences = {
            name: metrics.difference([s[name] for s in base.scores], [s[name] for s in self.scores])
            for name in self.scores[0]
        }
        return Variant(
            self.name,
            self.stages,
            measures_of(self.scores),
            {} if self is base else differences,
            metrics.percentile(self.seconds, 0.5),
            self.ranks,
            self.errors,
        )


def _cell(variant: Variant, name: str) -> str:
    value, change = variant.measures.get(name), variant.differences.get(name)
    if value is None:
        return ""
    if change is None:
        return f"{value.value:.3f}"
    if not (change.better or change.worse):
        return f"{value.value:.3f} (unchanged)"
    return f"{value.value:.3f} ({change.value:+.3f}; {change.low:+.3f} to {change.high:+.3f})"
