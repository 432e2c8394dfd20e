"""A measured set as values, JSON and Markdown."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.errors import InputError
from rag.files import write_atomically
from rag.metrics import Measure
from rag.types import AnswerKind


@dataclass(frozen=True, slots=True)
class QuestionResult:
    """One question: whether retrieval was measured, 1-based ranks (None: not in the list), what the answer
    was, seconds, and what went wrong.

    Fields about answers are None where no answer was asked for, or where they do not apply
    (`evidence_shown` without evidence entries, `answer_in_evidence` without accepted answers).
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
        return json.dumps(dataclasses.asdict(self), ensure_ascii=False, indent=1) + "\n"

    def to_markdown(self) -> str:
        """Tables for reading; the same numbers as the JSON."""
        settings = ", ".join(f"{k} {v}" for k, v in self.settings.items())
        parts = [f"# {self.name}", settings, "## All questions", _measure_table(self.measures)]
        if self.by_tag:
            parts += ["## By tag (questions in brackets)", _tag_table(self.by_tag)]
        if self.counts:
            parts += ["## Counts", _table(("what", "count"), [(k, str(v)) for k, v in self.counts.items()])]
        times = [(k, f"{v * 1000:.1f}") for k, v in self.seconds.items()]
        peak = f"Peak memory: {self.memory_mb:.0f} MB"
        parts += ["## Times and memory", _table(("what", "ms"), times), peak]
        if self.missing:
            missing = "\n".join(f"- {m}" for m in self.missing)
            parts += ["## Evidence documents that are not in the index", missing]
        for title, lines in _to_look_at(self.results):
            parts += [f"## {title}: {len(lines)}", "\n".join(lines)] if lines else []
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


def compare(report: Report, former: Path, *, cutoff: int = 5) -> tuple[Turned, ...]:
    """Questions that turned against a former `report.json`: evidence within the first `cutoff` passages or
    not, shown or not, refused rightly or not. Raises InputError where the file is not such a report."""
    try:
        rows = {r["id"]: r for r in json.loads(former.read_text(encoding="utf-8"))["results"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{former} is not a report of an earlier run: {error}.") from error
    turned = []
    for now in report.results:
        old = rows.get(now.id)
        if old is not None:
            turned += _turns(now, old, cutoff)
    return tuple(turned)


def _turns(now: QuestionResult, old: Mapping[str, Any], cutoff: int) -> list[Turned]:
    turns: list[Turned] = []

    def add(what: str, before: Any, after: Any, was: bool, is_now: bool) -> None:
        if was != is_now:
            turns.append(Turned(now.id, now.question, what, str(before), str(after), is_now))

    def within(rank: int | None) -> bool:
        return rank is not None and rank <= cutoff

    rank, shown = old.get("rank"), old.get("evidence_shown")
    add(f"evidence in the first {cutoff}", rank, now.rank, within(rank), within(now.rank))
    if now.evidence_shown is not None and shown is not None:
        add("evidence shown", shown, now.evidence_shown, shown, now.evidence_shown)
    if now.kind and old.get("kind"):
        was_right = (old["kind"] == "refused") != now.answerable
        add(
            "answered or refused", old["kind"], now.kind, was_right, (now.kind == "refused") != now.answerable
        )
    return turns


def _to_look_at(results: Sequence[QuestionResult]) -> list[tuple[str, list[str]]]:
    """Titles and lines of the questions that came out wrong, by what went wrong."""

    def lines(
        wrong: Callable[[QuestionResult], bool | None], note: Callable[[QuestionResult], str]
    ) -> list[str]:
        return [f"- {r.id}: {r.question}{note(r)}" for r in results if wrong(r)]

    def ranks(r: QuestionResult) -> str:
        return f" (evidence at {r.rank or '-'}, document at {r.document_rank or '-'})"

    def said(r: QuestionResult) -> str:
        return f" ({' '.join(r.answer.split())[:160]})"

    refused = AnswerKind.REFUSED.value
    return [
        ("Evidence not in the first 5 passages", lines(lambda r: r.searched and (r.rank or 6) > 5, ranks)),
        ("Answerable, but refused", lines(lambda r: r.answerable and r.kind == refused, ranks)),
        (
            "Answered, but the evidence was not shown",
            lines(lambda r: r.evidence_shown is False and r.kind not in ("", refused), said),
        ),
        (
            "Unanswerable, but answered",
            lines(lambda r: not r.answerable and r.kind not in ("", refused), said),
        ),
        ("Errors", lines(lambda r: bool(r.error), lambda r: f": {r.error}")),
    ]


_TAG_COLUMNS = (
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


def _tag_table(by_tag: Mapping[str, Mapping[str, Measure]]) -> str:
    names = [n for n in _TAG_COLUMNS if any(n in measures for measures in by_tag.values())]

    def cell(measure: Measure | None) -> str:
        return f"{measure.value:.2f} ({measure.n})" if measure else ""

    rows = [(tag, *(cell(measures.get(n)) for n in names)) for tag, measures in by_tag.items()]
    return _table(("tag", *names), rows)


def _measure_table(measures: Mapping[str, Measure]) -> str:
    rows = [(k, f"{m.value:.3f}", f"{m.low:.3f} to {m.high:.3f}", str(m.n)) for k, m in measures.items()]
    return _table(("measure", "value", "95 % interval", "questions"), rows)


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
