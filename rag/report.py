"""A measured set as values, JSON and Markdown."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rag import metrics
from rag.errors import InputError
from rag.files import write_atomically
from rag.metrics import Difference, Measure, RiskPoint
from rag.types import AnswerKind
from rag.types.plain import to_json


@dataclass(frozen=True, slots=True)
class QuestionResult:
    """One question: whether retrieval was measured, 1-based ranks (None: not in the list), what the answer
    was, its scores by measure, seconds by stage, and what went wrong.

    Fields about answers are None where no answer was asked for, or where they do not apply
    (`evidence_shown` without evidence entries, `answer_in_evidence` without accepted answers). `score` is
    the probability that the evidence suffices and `threshold` what it was held against; `wrong` says whether
    an answer from this evidence is an error, also where it was refused.
    """

    id: str
    question: str
    answerable: bool
    tags: tuple[str, ...] = ()
    searched: bool = False
    rank: int | None = None
    document_rank: int | None = None
    kind: str = ""
    score: float | None = None
    evidence_shown: bool | None = None
    answer_in_evidence: bool | None = None
    answer_in_text: bool | None = None
    answer: str = ""
    error: str = ""
    threshold: float | None = None
    wrong: bool | None = None
    scores: Mapping[str, float] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Report:
    """A set, measured. `measures` by name over all questions, `by_tag` the same for each tag; `counts` of
    answer kinds and claim states; `seconds` are "NAME p50" and "NAME p95" by stage; `missing` are evidence
    documents not in the index."""

    name: str
    settings: Mapping[str, Any]
    measures: Mapping[str, Measure]
    by_tag: Mapping[str, Mapping[str, Measure]]
    counts: Mapping[str, int]
    seconds: Mapping[str, float]
    memory_mb: float
    missing: tuple[str, ...]
    results: tuple[QuestionResult, ...]

    def to_json(self) -> str:
        return to_json(self, indent=1) + "\n"

    def to_markdown(self) -> str:
        """Tables for reading; the same numbers as the JSON."""
        settings = ", ".join(f"{k} {v}" for k, v in self.settings.items())
        parts = [f"# {self.name}", settings, "## All questions", _measure_table(self.measures)]
        if self.by_tag:
            parts += ["## By tag (questions in brackets)", _tag_table(self.by_tag)]
        if self.counts:
            parts += ["## Counts", table(("what", "count"), [(k, str(v)) for k, v in self.counts.items()])]
        if points := risk_curve(self.results):
            area = metrics.area_under_risk(points)
            parts.append(f"Risk averaged over all coverages (AURC, lower is better): {area:.3f}")
        times = [(k, f"{v * 1000:.1f}") for k, v in self.seconds.items()]
        peak = f"Peak memory: {self.memory_mb:.0f} MB"
        parts += ["## Times and memory", table(("what", "ms"), times), peak]
        if self.missing:
            missing = "\n".join(f"- {m}" for m in self.missing)
            parts += ["## Evidence documents that are not in the index", missing]
        for title, rows in to_look_at(self.results):
            lines = [f"- {r.id}: {r.question}{note}" for r, note in rows]
            parts += [f"## {title}: {len(lines)}", "\n".join(lines)]
        return "\n\n".join(parts) + "\n"

    def write(self, folder: Path) -> tuple[Path, Path]:
        """`report.json` and `report.md` in `folder`, each written atomically. Raises StorageError."""
        paths = folder / "report.json", folder / "report.md"
        write_atomically(paths[0], self.to_json().encode())
        write_atomically(paths[1], self.to_markdown().encode())
        return paths


@dataclass(frozen=True, slots=True)
class Turned:
    """A question that came out differently: `before` and `after` are ranks, or what the answer was."""

    id: str
    question: str
    what: str
    before: str
    after: str
    better: bool


# A rank that crosses several of these has turned at the first; five is what a reader looks at.
TURNS = (5, 1, 10)


def compare(report: Report, former: Path, *, cutoffs: Sequence[int] = TURNS) -> tuple[Turned, ...]:
    """Questions that turned against a former `report.json`: evidence within the first passages or not (at the
    first of `cutoffs` that its rank crossed), shown or not, answered or refused. Raises InputError where the
    file is not such a report."""
    rows = _former(former)
    turned = []
    for now in report.results:
        old = rows.get(now.id)
        if old is not None:
            turned += _turns(now, old, cutoffs)
    return tuple(turned)


def differences(report: Report, former: Path) -> dict[str, Difference]:
    """Each measure's paired difference (now - then) over the questions that both reports have. Empty for a
    former report that holds no scores by question. Raises InputError where the file is not a report."""
    rows = _former(former)
    pairs: dict[str, tuple[list[float], list[float]]] = {}
    for now in report.results:
        then = rows.get(now.id, {}).get("scores") or {}
        for name, value in now.scores.items():
            if name in then:
                before, after = pairs.setdefault(name, ([], []))
                before.append(float(then[name]))
                after.append(value)
    return {name: metrics.difference(before, after) for name, (before, after) in pairs.items()}


def _former(path: Path) -> dict[str, Mapping[str, Any]]:
    try:
        return {r["id"]: dict(r) for r in json.loads(path.read_text(encoding="utf-8"))["results"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} is not a report of an earlier run: {error}.") from error


def _turns(now: QuestionResult, old: Mapping[str, Any], cutoffs: Sequence[int]) -> list[Turned]:
    turns: list[Turned] = []

    def add(what: str, before: Any, after: Any, was: bool, is_now: bool) -> None:
        if was != is_now:
            turns.append(Turned(now.id, now.question, what, str(before), str(after), is_now))

    def within(rank: int | None, cutoff: int) -> bool:
        return rank is not None and rank <= cutoff

    rank, shown = old.get("rank"), old.get("evidence_shown")
    crossed = [k for k in cutoffs if within(rank, k) != within(now.rank, k)]
    if crossed:
        k = crossed[0]
        add(f"evidence in the first {k}", rank, now.rank, within(rank, k), within(now.rank, k))
    if now.evidence_shown is not None and shown is not None:
        add("evidence shown", shown, now.evidence_shown, shown, now.evidence_shown)
    if now.kind and old.get("kind"):
        was_right = (old["kind"] == "refused") != now.answerable
        is_right = (now.kind == "refused") != now.answerable
        add("answered or refused", old["kind"], now.kind, was_right, is_right)
    return turns


def risk_curve(results: Sequence[QuestionResult]) -> tuple[RiskPoint, ...]:
    """The risk-coverage curve over the questions whose answers can be judged, by how far their score lies
    above the threshold that it was held against (questions searched without vectors have another one). The
    point of the threshold itself is that of 0."""
    judged = [(r.score - (r.threshold or 0.0), r.wrong) for r in results if r.score is not None]
    known = [(margin, wrong) for margin, wrong in judged if wrong is not None]
    return metrics.risk_coverage([m for m, _ in known], [w for _, w in known])


Noted = tuple[QuestionResult, str]


def to_look_at(results: Sequence[QuestionResult]) -> list[tuple[str, list[Noted]]]:
    """The questions that came out wrong, each with a note, under a title for what went wrong; empty groups
    are left out."""

    def ranks(r: QuestionResult) -> str:
        return f" (evidence at {r.rank or '-'}, document at {r.document_rank or '-'})"

    def said(r: QuestionResult) -> str:
        return f" ({' '.join(r.answer.split())[:160]})"

    def error(r: QuestionResult) -> str:
        return f": {r.error}"

    refused = AnswerKind.REFUSED.value
    groups: list[tuple[str, Callable[[QuestionResult], bool], Callable[[QuestionResult], str]]] = [
        ("Evidence not in the first 5 passages", lambda r: r.searched and (r.rank or 6) > 5, ranks),
        ("Answerable, but refused", lambda r: r.answerable and r.kind == refused, ranks),
        (
            "Answered, but the evidence was not shown",
            lambda r: r.evidence_shown is False and r.kind not in ("", refused),
            said,
        ),
        ("Unanswerable, but answered", lambda r: not r.answerable and r.kind not in ("", refused), said),
        ("Errors", lambda r: bool(r.error), error),
    ]
    found = [(title, [(r, note(r)) for r in results if wrong(r)]) for title, wrong, note in groups]
    return [(title, rows) for title, rows in found if rows]


TAG_COLUMNS = (
    "hit@1",
    "hit@5",
    "hit@10",
    "document hit@1",
    "MRR@10",
    "evidence shown",
    "answered with its evidence",
    "citation precision",
    "refused, answerable",
    "refused, unanswerable",
)


def tag_columns(by_tag: Mapping[str, Mapping[str, Measure]]) -> list[str]:
    """The measures that are shown by tag, those of them that some tag has."""
    return [n for n in TAG_COLUMNS if any(n in measures for measures in by_tag.values())]


def _tag_table(by_tag: Mapping[str, Mapping[str, Measure]]) -> str:
    names = tag_columns(by_tag)

    def cell(measure: Measure | None) -> str:
        return f"{measure.value:.2f} ({measure.n})" if measure else ""

    rows = [(tag, *(cell(measures.get(n)) for n in names)) for tag, measures in by_tag.items()]
    return table(("tag", *names), rows)


def _measure_table(measures: Mapping[str, Measure]) -> str:
    rows = [(k, f"{m.value:.3f}", f"{m.low:.3f} to {m.high:.3f}", str(m.n)) for k, m in measures.items()]
    return table(("measure", "value", "95 % interval", "questions"), rows)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines: list[Sequence[str]] = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '&#124;') for cell in line)} |" for line in lines)
