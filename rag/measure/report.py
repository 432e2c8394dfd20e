"""A measured set as values, as JSON, and as sections of a text in Markdown."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.files import to_json, write_atomically
from rag.measure import metrics
from rag.measure.metrics import Measure
from rag.measure.yardstick import COLUMNS, REFUSALS, SHARES, SHOWN, WRONG, QuestionResult
from rag.types import Outcome

RETRIEVED = ("hit@1", "hit@5", "hit@10", "document hit@1", "MRR@10")
TRUE_SUPPORTED, FALSE_SUPPORTED = "supported, true", "supported, false"
BALANCED = "balanced accuracy"
TAG_COLUMNS = (*RETRIEVED, SHOWN, *REFUSALS.values(), BALANCED, TRUE_SUPPORTED, FALSE_SUPPORTED)


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
    verdicts and claim states; `missing` are evidence documents not in the index."""

    name: str
    settings: Mapping[str, Any]
    measures: Mapping[str, Measure]
    by_tag: Mapping[str, Mapping[str, Measure]]
    counts: Mapping[str, int]
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
        if self.counts:
            found.append(Section("Counts", ("what", "count"), [(k, str(v)) for k, v in self.counts.items()]))
        if self.missing:
            found.append(Section("Evidence documents that are not in the index", items=self.missing))
        return found + _to_look_at(self.results)

    def to_markdown(self) -> str:
        settings = ", ".join(f"{k} {v}" for k, v in self.settings.items())
        sections = (s.to_markdown() for s in self.sections())
        return "\n\n".join([f"# {self.name}", settings, *sections]) + "\n"

    def write(self, folder: Path) -> tuple[Path, ...]:
        """`report.json` and `report.md` in `folder`, each written atomically. Raises StorageError."""
        texts = {"json": to_json(self, indent=1) + "\n", "md": self.to_markdown()}
        for kind, text in texts.items():  # a lone surrogate of a question is no text
            write_atomically(folder / f"report.{kind}", text.encode("utf-8", "replace"))
        return tuple(folder / f"report.{kind}" for kind in texts)


def measures_of(rows: Sequence[Mapping[str, float]]) -> dict[str, Measure]:
    """Each score over the questions that have it, in the order of first appearance."""
    columns: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        for name, value in row.items():
            columns[name].append(value)
    shares = (*SHARES, TRUE_SUPPORTED, FALSE_SUPPORTED)
    found = {n: (metrics.share if n in shares else metrics.measure)(values) for n, values in columns.items()}
    if TRUE_SUPPORTED in found and FALSE_SUPPORTED in found:
        found[BALANCED] = metrics.balanced(found[TRUE_SUPPORTED], found[FALSE_SUPPORTED])
    return found


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
    judged = {name: measures for name, measures in groups.items() if WRONG in measures}
    rows = [
        (name, str(measures[WRONG].n), *_cells(measures, COLUMNS, "{0.value:.2f} ({0.low:.2f}–{0.high:.2f})"))
        for name, measures in judged.items()
    ]
    return [Section(title, (what, "questions", *COLUMNS), rows)] if rows else []


def _by_tag(title: str, what: str, groups: Mapping[str, Mapping[str, Measure]]) -> Section:
    names = [n for n in TAG_COLUMNS if any(n in measures for measures in groups.values())]
    rows = [(name, *_cells(measures, names, "{0.value:.2f} ({0.n})")) for name, measures in groups.items()]
    return Section(title, (what, *names), rows)


def _cells(measures: Mapping[str, Measure], names: Sequence[str], form: str) -> list[str]:
    return [form.format(measures[name]) if name in measures else "" for name in names]


def sets_table(reports: Mapping[str, Report]) -> str:
    """Several sets as one Markdown table, a row for each and one for all of their questions: the outcomes of
    the answers, or where none was asked for the measures that are shown by tag."""
    rows = {name: report.measures for name, report in reports.items()}
    rows["all"] = measures_of([r.scores for report in reports.values() for r in report.results])
    (shown,) = _outcomes("", "set", rows) or [_by_tag("", "set", rows)]
    return shown.to_markdown()
