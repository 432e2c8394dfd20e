"""A measured set as values, as JSON, and as sections that Markdown and the page (`rag.measure.report_html`)
show."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rag.errors import InputError
from rag.files import write_atomically
from rag.measure import metrics
from rag.measure.metrics import Difference, Measure, RiskPoint, area_under_risk, difference
from rag.measure.yardstick import ANSWERED, COLUMNS, PRECISION, REFUSALS, SHARES, SHOWN, WRONG, QuestionResult
from rag.types import Outcome
from rag.types.plain import to_json

RETRIEVED = ("hit@1", "hit@5", "hit@10", "document hit@1", "MRR@10")
# A rank that crosses several of these has turned at the first; five is what a reader looks at.
TURNS = (5, 1, 10)
TAG_COLUMNS = (*RETRIEVED, SHOWN, ANSWERED, PRECISION, *REFUSALS.values())


@dataclass(frozen=True, slots=True)
class Section:
    """A title, and below it a table (`rows` under `head`), a list of `items`, a `note`; what is empty is left
    out, a head without rows too."""

    title: str
    head: tuple[str, ...] = ()
    rows: Sequence[Sequence[str]] = ()
    items: tuple[str, ...] = ()
    note: str = ""

    def to_markdown(self) -> str:
        lines: list[Sequence[str]] = [self.head, ["---"] * len(self.head), *self.rows] if self.rows else []
        table = [f"| {' | '.join(cell.replace('|', '&#124;') for cell in line)} |" for line in lines]
        title = f"## {self.title}" if self.title else ""
        parts = (title, "\n".join(table), "\n".join(f"- {i}" for i in self.items), self.note)
        return "\n\n".join(filter(None, parts))


@dataclass(frozen=True, slots=True)
class Report:
    """A set, measured. `measures` by name over all questions, `by_tag` the same for each tag; `counts` of
    verdicts and claim states; `seconds` are "NAME p50" and "NAME p95" by stage; `missing` are evidence
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

    def sections(self) -> list[Section]:
        """Everything for reading; the same numbers as the JSON."""
        found = [*_outcomes("Answers", "kind", {"all": self.measures, **self.by_tag})]
        rows = [
            (k, f"{m.value:.3f}", f"{m.low:.3f} to {m.high:.3f}", str(m.n)) for k, m in self.measures.items()
        ]
        found.append(Section("All questions", ("measure", "value", "95 % interval", "questions"), rows))
        if self.by_tag:
            found.append(_by_tag("By tag (questions in brackets)", "tag", self.by_tag))
        points = risk_curve(self.results)
        area = f"Risk averaged over all coverages (AURC, lower is better): {area_under_risk(points):.3f}"
        if self.counts or points:
            counts = [(k, str(v)) for k, v in self.counts.items()]
            title = "Counts" if counts else ""
            found.append(Section(title, ("what", "count"), counts, note=area if points else ""))
        times = [(k, f"{v * 1000:.1f}") for k, v in self.seconds.items()]
        peak = f"Peak memory: {self.memory_mb:.0f} MB"
        found.append(Section("Times and memory", ("what", "ms"), times, note=peak))
        if self.missing:
            found.append(Section("Evidence documents that are not in the index", items=self.missing))
        return found + _to_look_at(self.results)

    def to_markdown(self) -> str:
        settings = ", ".join(f"{k} {v}" for k, v in self.settings.items())
        return "\n\n".join([f"# {self.name}", settings, *(s.to_markdown() for s in self.sections())]) + "\n"

    def write(self, folder: Path) -> tuple[Path, Path]:
        """`report.json` and `report.md` in `folder`, each written atomically. Raises StorageError."""
        paths = folder / "report.json", folder / "report.md"
        write_atomically(paths[0], f"{to_json(self, indent=1)}\n".encode())
        write_atomically(paths[1], self.to_markdown().encode())
        return paths


def measures_of(rows: Sequence[Mapping[str, float]]) -> dict[str, Measure]:
    """Each score over the questions that have it, in the order of first appearance."""
    columns: dict[str, list[float]] = {}
    for row in rows:
        for name, value in row.items():
            columns.setdefault(name, []).append(value)
    return {
        name: metrics.share(values) if name in SHARES else metrics.measure(values)
        for name, values in columns.items()
    }


@dataclass(frozen=True, slots=True)
class ChangedQuestion:
    """A question that came out differently: `before` and `after` are ranks, or what the answer was."""

    id: str
    question: str
    what: str
    before: str
    after: str
    better: bool


@dataclass(frozen=True, slots=True)
class Change:
    """A former report's name, the questions that turned since, and the paired differences by measure."""

    former: str
    turned: tuple[ChangedQuestion, ...] = ()
    differences: Mapping[str, Difference] = field(default_factory=dict)

    def sections(self) -> list[Section]:
        """The measures that changed, those that did not, and the questions that turned worse and better."""
        moved = [(name, d) for name, d in self.differences.items() if d.better or d.worse]
        same = "; ".join(name for name in self.differences if name not in dict(moved))
        rows = [
            (n, f"{d.value:+.3f}", f"{d.low:+.3f} to {d.high:+.3f}", str(d.better), str(d.worse), str(d.n))
            for n, d in moved
        ]
        head = ("measure", "difference", "95 % interval", "rose", "fell", "questions")
        note = f"Unchanged on every question: {same}." if same else ""
        found = [Section(f"Against {self.former}", head, rows, note=note)]
        for name, better in (("worse", False), ("better", True)):
            cells = [
                (t.id, t.what, f"{t.before} → {t.after}".replace("None", "not found"), t.question)
                for t in self.turned
                if t.better is better
            ]
            shown = ("id", "what", "before → after", "question")
            found.append(Section(f"Turned {name}: {len(cells)}", shown, cells))
        return found


def changed(report: Report, former: Path) -> Change:
    """What is different from a former `report.json`: questions that turned (evidence within the first
    passages or not, shown or not, answered or refused), and each measure's paired difference (now - then)
    over the questions that both have. Raises InputError where the file is not such a report."""
    try:
        rows = {r["id"]: dict(r) for r in json.loads(former.read_text(encoding="utf-8"))["results"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{former} is not a report of an earlier run: {error}.") from error
    turned: list[ChangedQuestion] = []
    pairs: dict[str, tuple[list[float], list[float]]] = {}
    for now in report.results:
        old = rows.get(now.id)
        if old is None:
            continue
        turned += _turns(now, old)
        then = old.get("scores") or {}
        for name in (n for n in now.scores if n in then):
            before, after = pairs.setdefault(name, ([], []))
            before.append(float(then[name]))
            after.append(now.scores[name])
    changes = {name: difference(before, after) for name, (before, after) in pairs.items()}
    return Change(str(former), tuple(turned), changes)


def _turns(now: QuestionResult, old: Mapping[str, Any]) -> list[ChangedQuestion]:
    found: list[tuple[str, Any, Any, bool, bool]] = []
    rank, was_displayed, before = old.get("rank"), old.get("evidence_shown"), old.get("verdict")
    for k in TURNS:
        was, within = ((rank or k + 1) <= k), ((now.rank or k + 1) <= k)
        if was != within:
            found.append((f"evidence in the first {k}", rank, now.rank, was, within))
            break
    if now.evidence_shown is not None and was_displayed is not None:
        found.append(("evidence shown", was_displayed, now.evidence_shown, was_displayed, now.evidence_shown))
    if now.verdict and before:
        right = [(one == Outcome.ANSWERED) == now.answerable for one in (before, now.verdict)]
        found.append(("answered or refused", before, now.verdict, *right))
    return [
        ChangedQuestion(now.id, now.question, what, str(before), str(after), better)
        for what, before, after, was, better in found
        if was != better
    ]


def risk_curve(results: Sequence[QuestionResult]) -> tuple[RiskPoint, ...]:
    """The risk-coverage curve over the questions whose answers can be judged, by how far their score lies
    above the threshold that it was held against (questions searched without vectors have another one). The
    point of the threshold itself is that of 0."""
    judged = [(r.score - (r.threshold or 0.0), r.wrong) for r in results if r.score is not None]
    known = [(margin, wrong) for margin, wrong in judged if wrong is not None]
    return metrics.risk_coverage([m for m, _ in known], [w for _, w in known])


def _to_look_at(results: Sequence[QuestionResult]) -> list[Section]:
    """The questions that came out wrong, each with a note, under a title for what went wrong."""
    groups: dict[str, list[str]] = {}
    for r in results:
        answered = r.verdict == Outcome.ANSWERED
        refused = bool(r.verdict) and not answered
        ranks = f" (evidence at {r.rank or '-'}, document at {r.document_rank or '-'})"
        as_answered = f" ({' '.join(r.answer.split())[:160]})"
        for title, applies, note in (
            ("Evidence not in the first 5 passages", r.searched and (r.rank or 6) > 5, ranks),
            ("Answerable, but refused", r.answerable and refused, ranks),
            ("Answered, but the evidence was not shown", r.evidence_shown is False and answered, as_answered),
            ("Unanswerable, but answered", not r.answerable and answered, as_answered),
            ("Errors", bool(r.error), f": {r.error}"),
        ):
            groups.setdefault(title, []).extend([f"{r.id}: {r.question}{note}"] if applies else [])
    return [Section(f"{title}: {len(items)}", items=tuple(items)) for title, items in groups.items() if items]


def _outcomes(title: str, what: str, groups: Mapping[str, Mapping[str, Measure]]) -> list[Section]:
    """A row for each set or kind that was judged: how many questions, then each measure with its 95 %
    interval."""

    def cell(measure: Measure | None) -> str:
        return f"{measure.value:.2f} ({measure.low:.2f}–{measure.high:.2f})" if measure else ""

    rows = [
        (name, str(measures[WRONG].n), *(cell(measures.get(c)) for c in COLUMNS))
        for name, measures in groups.items()
        if WRONG in measures
    ]
    return [Section(title, (what, "questions", *COLUMNS), rows)] if rows else []


def _by_tag(title: str, what: str, groups: Mapping[str, Mapping[str, Measure]]) -> Section:
    names = [n for n in TAG_COLUMNS if any(n in measures for measures in groups.values())]

    def cell(measure: Measure | None) -> str:
        return f"{measure.value:.2f} ({measure.n})" if measure else ""

    rows = [(name, *(cell(measures.get(n)) for n in names)) for name, measures in groups.items()]
    return Section(title, (what, *names), rows)


def sets_table(reports: Mapping[str, Report]) -> str:
    """Several sets as one Markdown table, a row for each and one for all of their questions: the outcomes of
    the answers, or where none was asked for the measures that are shown by tag."""
    rows = {name: report.measures for name, report in reports.items()}
    rows["all"] = measures_of([r.scores for report in reports.values() for r in report.results])
    (shown,) = _outcomes("", "set", rows) or [_by_tag("", "set", rows)]
    return shown.to_markdown()
