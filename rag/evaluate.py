"""Measure an index on a set of questions: is the evidence found, shown and cited, and is what is absent
refused?

A set is a folder with `documents/` and `questions.jsonl`, one JSON object a line: `id`, `question`,
`answers` (accepted ones; may be empty), `answerable`, `evidence` (entries of `document`, and `page` or
`quote`), `tags`.
"""

from __future__ import annotations

import resource
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag import metrics
from rag.errors import CitewiseError, InputError
from rag.evalset import Question, load_questions, sample
from rag.metrics import EvidenceEntry, Measure, Passage
from rag.report import QuestionResult, Report
from rag.types import Answer, Evidence, EvidenceFound, Finished, Hit, Progress, Token

if TYPE_CHECKING:
    from rag.answer import Assistant
    from rag.index import Index

CUTOFFS = (1, 3, 5, 10, 20, 100)
Scores = dict[str, float]
_SHOWN = ("evidence shown", "answered with its evidence")
PARTS = ("retrieval", "answers", "all")


def evaluate(
    set_folder: Path,
    index: Index,
    assistant: Assistant | None = None,
    *,
    what: str = "retrieval",
    limit: int | None = None,
    seed: int = 0,
    depth: int = 20,
    progress: Callable[[Progress], None] | None = None,
) -> Report:
    """Ask the set's questions and measure. `what` is "retrieval", "answers" (needs an assistant) or "all".

    `depth` passages are retrieved per question; measures @k are given up to it. A question that fails
    counts as not found and is listed with its error. Raises InputError for an unusable set, CitewiseError
    where the index cannot be used.
    """
    if what not in PARTS:
        raise InputError(f"There is nothing called {what!r} to measure. Allowed: {', '.join(PARTS)}.")
    if what != "retrieval" and assistant is None:
        raise InputError(f"Measuring {what} needs an assistant.")
    questions = sample(load_questions(set_folder / "questions.jsonl"), limit, seed)
    run = _Run(index, assistant, what, depth)
    run.warm_up(questions[0])
    results = tuple(run.ask(q) for q in _with_progress(questions, progress))
    settings = {"what": what, "questions": len(questions), "seed": seed, "depth": depth}
    return run.report(set_folder.resolve().name, settings, results, questions)


@dataclass
class _Run:
    """What accumulates over the questions: times, counts, and the numbers of each question by measure."""

    index: Index
    assistant: Assistant | None
    what: str
    depth: int
    values: list[tuple[Question, Scores]] = field(default_factory=list)
    times: dict[str, list[float]] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)

    def warm_up(self, question: Question) -> None:
        """Models load at first use; that second belongs to no question. Also the place where a broken index
        shows."""
        self.index.search(question.question, 1)

    def ask(self, question: Question) -> QuestionResult:
        scores: Scores = {}
        result = QuestionResult(question.id, question.question, question.answerable, question.tags)
        try:
            if self.what != "answers" and question.answerable and question.evidence:
                result = self._retrieve(question, result, scores)
            if self.what != "retrieval":
                result = self._answer(question, result, scores)
        except CitewiseError as error:
            result = replace(result, error=str(error))
            for name in self._expected(question):
                scores.setdefault(name, 0.0)
        self.values.append((question, scores))
        return result

    def _expected(self, question: Question) -> list[str]:
        """Measures that a question which failed is to be counted in, as nothing found."""
        if not (question.answerable and question.evidence):
            return []
        ranked = _rank_scores([], question.evidence, self._cutoffs()) if self.what != "answers" else {}
        return [*ranked, *(_SHOWN if self.what != "retrieval" else ())]

    def _cutoffs(self) -> list[int]:
        return [k for k in CUTOFFS if k <= self.depth]

    def _retrieve(self, question: Question, result: QuestionResult, scores: Scores) -> QuestionResult:
        begun = time.perf_counter()
        hits = self.index.search(question.question, self.depth)
        self._time("search", time.perf_counter() - begun)
        passages = [_passage(hit) for hit in hits]
        scores |= _rank_scores(passages, question.evidence, self._cutoffs())
        rank = metrics.first_rank(passages, question.evidence)
        document_rank = metrics.first_document_rank(passages, question.evidence)
        return replace(result, searched=True, rank=rank, document_rank=document_rank)

    def _answer(self, question: Question, result: QuestionResult, scores: Scores) -> QuestionResult:
        answer = self._timed_answer(question.question)
        self.counts[f"kind: {answer.kind.value}"] += 1
        self.counts.update(f"state: {claim.state.value}" for claim in answer.claims)
        shown, cited, inside, in_text = _judge(question, answer)
        judged = {"evidence shown": shown, "answer in evidence": inside, "answer in text": in_text}
        scores |= {name: float(value) for name, value in judged.items() if value is not None}
        if cited:
            scores["citation precision"] = sum(cited) / len(cited)
        if shown is not None:
            scores["answered with its evidence"] = float(shown and not answer.refused)
        about = "answerable" if question.answerable else "unanswerable"
        scores[f"refused, {about}"] = float(answer.refused)
        return replace(
            result,
            kind=answer.kind.value,
            score=answer.certificate.best_score,
            evidence_shown=shown,
            answer_in_evidence=inside,
            answer_in_text=in_text,
            answer=answer.text,
        )

    def _timed_answer(self, question: str) -> Answer:
        assert self.assistant is not None, "evaluate() checked it"
        begun = time.perf_counter()
        written = False
        for event in self.assistant.stream(question):
            if isinstance(event, EvidenceFound):
                self._time("evidence", time.perf_counter() - begun)
            elif isinstance(event, Token) and not written:
                written = True
                self._time("first token", time.perf_counter() - begun)
            elif isinstance(event, Finished):
                self._time("answer", time.perf_counter() - begun)
                return event.answer
        raise InputError(f"No answer came for: {question}")

    def _time(self, stage: str, seconds: float) -> None:
        self.times.setdefault(stage, []).append(seconds)

    def report(
        self,
        name: str,
        settings: Mapping[str, Any],
        results: tuple[QuestionResult, ...],
        questions: Sequence[Question],
    ) -> Report:
        tags = sorted({tag for q in questions for tag in q.tags})
        by_tag = {t: _measures(s for q, s in self.values if t in q.tags) for t in tags}
        seconds = {
            f"{stage} p{share}": metrics.percentile(values, share / 100)
            for stage, values in self.times.items()
            for share in (50, 95)
        }
        return Report(
            name=name,
            settings=settings,
            measures=_measures(s for _, s in self.values),
            by_tag=by_tag if len(tags) > 1 else {},
            counts=dict(sorted(self.counts.items())),
            seconds=seconds,
            memory_mb=_peak_memory_mb(),
            missing=_missing(self.index, questions),
            results=results,
        )


def _rank_scores(
    passages: Sequence[Passage], entries: Sequence[EvidenceEntry], cutoffs: Sequence[int]
) -> Scores:
    """Every retrieval measure of one question by name."""
    rank = metrics.first_rank(passages, entries)
    document_rank = metrics.first_document_rank(passages, entries)
    scores = {f"hit@{k}": float(rank is not None and rank <= k) for k in cutoffs}
    scores |= {f"document hit@{k}": float(document_rank is not None and document_rank <= k) for k in cutoffs}
    scores["MRR@10"] = metrics.reciprocal_rank(rank)
    scores["nDCG@10"] = metrics.ndcg(metrics.gains(passages, entries), len(entries))
    scores["recall@10"] = metrics.recall(passages, entries, 10)
    return scores


def _judge(question: Question, answer: Answer) -> tuple[bool | None, list[bool], bool | None, bool | None]:
    """(evidence shown, each citation right, accepted answer in the evidence, in the text); None: does not
    apply."""
    judged = question.answerable and bool(question.evidence)
    shown = any(_hits_any(_shown(e), question.evidence) for e in answer.evidence) if judged else None
    cited = [
        _hits_any(Passage(c.document, c.quote, c.page, c.page), question.evidence)
        for c in answer.cited
        if judged
    ]
    # A bare "yes" stands in any text; only answers that say something can be looked for.
    answers = [a for a in question.answers if metrics.letters(a) not in ("yes", "no", "maybe", "是", "否")]
    if not (question.answerable and answers):
        return shown, cited, None, None
    inside = metrics.contains_answer(" … ".join(f"{e.header} {e.text}" for e in answer.evidence), answers)
    return shown, cited, inside, not answer.refused and metrics.contains_answer(answer.text, answers)


def _passage(hit: Hit) -> Passage:
    return Passage(hit.document.path, hit.chunk.text, hit.chunk.page, hit.chunk.last_page)


def _shown(evidence: Evidence) -> Passage:
    return Passage(evidence.document.path, evidence.text, evidence.page, evidence.page)


def _hits_any(passage: Passage, entries: Sequence[EvidenceEntry]) -> bool:
    return any(metrics.is_hit(passage, entry) for entry in entries)


def _measures(rows: Iterator[Scores]) -> dict[str, Measure]:
    columns: dict[str, list[float]] = {}
    for row in rows:
        for name, value in row.items():
            columns.setdefault(name, []).append(value)
    return {name: metrics.measure(values) for name, values in columns.items()}


def _missing(index: Index, questions: Sequence[Question]) -> tuple[str, ...]:
    """Evidence documents that the index does not hold: their questions cannot be found by any search."""
    held = [d.path for d in index.documents() if d.chunks]
    exact = set(held)
    wanted = {e.document for q in questions if q.answerable for e in q.evidence}
    return tuple(
        sorted(w for w in wanted if w not in exact and not any(metrics.same_document(p, w) for p in held))
    )


def _with_progress(
    questions: Sequence[Question], progress: Callable[[Progress], None] | None
) -> Iterator[Question]:
    begun = time.perf_counter()
    for done, question in enumerate(questions):
        if progress is not None:
            rate = done / (time.perf_counter() - begun)
            remaining = (len(questions) - done) / rate if rate else None
            progress(Progress("questions", done, len(questions), rate, remaining, question.question))
        yield question
    if progress is not None:
        rate = len(questions) / (time.perf_counter() - begun)
        progress(Progress("questions", len(questions), len(questions), rate, 0.0))


def _peak_memory_mb() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)
