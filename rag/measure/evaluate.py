"""Measure an index on a set of questions: is the evidence found, shown and cited, and is what is absent
refused?

A set is a folder with `documents/` and `questions.jsonl`, or such a file alone, one JSON object a line: `id`,
`question`, `answers` (accepted ones; may be empty), `answerable`, `evidence` (entries of `document`, and
`page` or `quote`), `tags`."""

from __future__ import annotations

import copy
import dataclasses
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.errors import CitewiseError, InputError
from rag.languages.text import detect_language
from rag.measure import metrics
from rag.measure.evalset import EVERY, Choice, EvalQuestion, fixed_sample, load_questions, restrict, sample
from rag.measure.report import ALL, PLAIN, QuestionResult, Report, Variant, measures_of
from rag.measure.scoring import Scores, is_searched, judge, nothing_scores, passage, rank_scores
from rag.measure.yardstick import nothing, outcome
from rag.types import Answer, EvidenceFound, Filters, Finished, Hit, Progress, Stages, Token

if TYPE_CHECKING:
    from rag.assistant import Assistant
    from rag.index import Index

PARTS = ("retrieval", "answers", "all")
DEPTH = 100
ALL_STAGES = Stages()
STAGE_NAMES = tuple(f.name for f in dataclasses.fields(Stages))


def evaluate(
    source: Path,
    index: Index,
    assistant: Assistant | None = None,
    *,
    what: str = "retrieval",
    choice: Choice = EVERY,
    depth: int = DEPTH,
    stages: Stages = ALL_STAGES,
    progress: Callable[[Progress], None] | None = None,
) -> Report:
    """Ask the questions of `source` (a set's folder or a file of questions) and measure. `what` is
    "retrieval", "answers" (needs an assistant) or "all".

    `depth` passages are retrieved per question; measures @k are given up to it. `stages` are those of
    retrieval that take part, for the answers too. A question that fails counts as not found and is listed
    with its error. Raises InputError for an unusable set, CitewiseError where the index cannot be used."""
    check_what(what)
    if what != "retrieval" and assistant is None:
        raise InputError(f"Measuring {what} needs an assistant.")
    questions = choose(source, choice, searched=what == "retrieval")
    run = Run(index, assistant, what, depth, stages, scoped=choice.scoped)
    run.warm_up(questions)
    with staged(assistant, stages):
        results = tuple(run.ask(q) for q in with_progress(questions, progress))
    settings = {"what": what} | settings_of(choice, questions, depth, stages)
    return run.report(set_name(source), settings, results, questions)


def check_what(what: str) -> None:
    """Raises InputError, naming what there is, for anything that cannot be measured."""
    if what not in PARTS:
        raise InputError(f"There is nothing called {what!r} to measure. Allowed: {', '.join(PARTS)}.")


def choose(source: Path, choice: Choice = EVERY, *, searched: bool = False) -> tuple[EvalQuestion, ...]:
    """The questions to ask, in their order. With `searched` at least one must say where its evidence stands:
    without any, retrieval cannot be measured. Raises InputError."""
    found = restrict(load_questions(source), tags=choice.tags, half=choice.half)
    questions = sample(fixed_sample(found, choice.sample), choice.limit, choice.seed)
    if searched and not any(map(is_searched, questions)):
        raise InputError(
            f"None of the {len(questions)} questions of {source} says where its evidence stands: retrieval "
            'cannot be measured. Add `evidence` ({"document": ..., "quote": ...}), or measure answers alone '
            "(--what answers)."
        )
    return questions


def set_name(source: Path) -> str:
    """What reports call a set: its folder's name, or that of a file of questions without suffix."""
    resolved = source.resolve()
    return resolved.name if resolved.is_dir() else resolved.stem


def settings_of(
    choice: Choice, questions: Sequence[EvalQuestion], depth: int, stages: Stages = ALL_STAGES
) -> dict[str, Any]:
    """What a report says of a run: how many questions, and what narrowed it."""
    found: dict[str, Any] = {"questions": len(questions), "seed": choice.seed, "depth": depth}
    if choice.tags:
        found["tags"] = ", ".join(choice.tags)
    found |= {name: getattr(choice, name) for name in ("half", "sample", "scoped") if getattr(choice, name)}
    if stages != ALL_STAGES:
        found["without"] = ", ".join(name for name in STAGE_NAMES if not getattr(stages, name))
    return found


@dataclass
class Run:
    """What accumulates over the questions: times, counts, and the numbers of each question by measure."""

    index: Index
    assistant: Assistant | None
    what: str
    depth: int
    stages: Stages
    scoped: bool = False
    thresholds: set[float] = field(default_factory=set)
    counts: Counter[str] = field(default_factory=Counter)

    def warm_up(self, questions: Sequence[EvalQuestion]) -> None:
        """Models load at first use, and each language's tokenizer; that second belongs to no question. Also
        the place where a broken index shows."""
        first: dict[str, str] = {}
        for q in questions:
            first.setdefault(detect_language(q.question), q.question)
        for question in first.values():
            search(self.index, question, 1, self.stages)

    def ask(self, question: EvalQuestion) -> QuestionResult:
        scores: Scores = {}
        seconds: dict[str, float] = {}
        found: dict[str, Any] = {}
        try:
            if self.what != "answers" and is_searched(question):
                found |= self._retrieve(question, scores, seconds)
            if self.what != "retrieval":
                found |= self._answer(question, scores, seconds)
        except CitewiseError as error:
            found["error"] = str(error)
            lost = nothing_scores(question, self.what, self.depth)
            lost |= nothing(question) if self.what != "retrieval" else {}
            for name, value in lost.items():
                scores.setdefault(name, value)
        about = (question.id, question.question, question.answerable, question.tags)
        return QuestionResult(*about, scores=scores, seconds=seconds, **found)

    def _retrieve(self, question: EvalQuestion, scores: Scores, seconds: dict[str, float]) -> dict[str, Any]:
        begun = time.perf_counter()
        hits = search(self.index, question.question, self.depth, self.stages)
        seconds["search"] = time.perf_counter() - begun
        passages = [passage(hit) for hit in hits]
        scores |= rank_scores(passages, question.evidence, self.depth)
        return {
            "searched": True,
            "rank": metrics.first_rank(passages, question.evidence),
            "document_rank": metrics.first_document_rank(passages, question.evidence),
        }

    def _answer(self, question: EvalQuestion, scores: Scores, seconds: dict[str, float]) -> dict[str, Any]:
        answer = self._timed_answer(question, seconds)
        self.thresholds.add(round(answer.certificate.least, 4))
        self.counts[f"kind: {answer.kind.value}"] += 1
        self.counts.update(f"state: {claim.state.value}" for claim in answer.claims)
        self.counts.update(f"dropped from the draft: {claim.state.value}" for claim in answer.dropped)
        judged, about = judge(question, answer)
        came = outcome(question, answer)
        scores |= {**judged, **came.scores}
        return about | {
            "kind": answer.kind.value,
            "score": answer.certificate.confidence,
            "threshold": answer.certificate.least,
            "answer": answer.text,
            "outcome": came.name,
            "first_sentence": came.first,
            "state": came.state,
            "citations": came.citations,
        }

    def _timed_answer(self, question: EvalQuestion, seconds: dict[str, float]) -> Answer:
        assert self.assistant is not None, "evaluate() checked it"
        filters = self._scope(question) if self.scoped and question.scope else None
        begun = time.perf_counter()
        for event in self.assistant.stream(question.question, filters=filters, history=question.history):
            if isinstance(event, EvidenceFound):
                seconds["evidence"] = time.perf_counter() - begun
            elif isinstance(event, Token):
                seconds.setdefault("first token", time.perf_counter() - begun)
            elif isinstance(event, Finished):
                seconds["answer"] = time.perf_counter() - begun
                return event.answer
        raise InputError(f"No answer came for: {question.question}")

    def _scope(self, question: EvalQuestion) -> Filters:
        """The documents that the question names, as the index calls them. Raises InputError without any."""
        paths = tuple(
            d.path
            for d in self.index.documents()
            if any(metrics.same_document(d.path, wanted) for wanted in question.scope)
        )
        if not paths:
            raise InputError(f"The index holds none of: {', '.join(question.scope)}.")
        return Filters(documents=paths)

    def report(
        self,
        name: str,
        settings: dict[str, Any],
        results: tuple[QuestionResult, ...],
        questions: Sequence[EvalQuestion],
    ) -> Report:
        tags = sorted({tag for q in questions for tag in q.tags})
        by_tag = {t: measures_of([r.scores for r in results if t in r.tags]) for t in tags}
        if self.thresholds:  # there are two where some questions are searched without vectors
            settings = settings | {"threshold": " and ".join(map(str, sorted(self.thresholds)))}
        return Report(
            name=name,
            settings=settings,
            measures=measures_of([r.scores for r in results]),
            by_tag=by_tag if len(tags) > 1 else {},
            counts=dict(sorted(self.counts.items())),
            seconds=percentiles([r.seconds for r in results]),
            memory_mb=_peak_memory_mb(),
            missing=_missing(self.index, questions),
            results=results,
        )


def percentiles(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """ "NAME p50" and "NAME p95" in seconds, by stage."""
    stages = dict.fromkeys(name for row in rows for name in row)
    return {
        f"{stage} p{share}": metrics.percentile([r[stage] for r in rows if stage in r], share / 100)
        for stage in stages
        for share in (50, 95)
    }


def _missing(index: Index, questions: Sequence[EvalQuestion]) -> tuple[str, ...]:
    """Evidence documents that the index does not hold: their questions cannot be found by any search."""
    held = [d.path for d in index.documents() if d.chunks]
    exact = set(held)
    wanted = {e.document for q in questions if q.answerable for e in q.evidence}
    return tuple(
        sorted(w for w in wanted if w not in exact and not any(metrics.same_document(p, w) for p in held))
    )


def with_progress(
    questions: Sequence[EvalQuestion], progress: Callable[[Progress], None] | None
) -> Iterator[EvalQuestion]:
    """The questions one by one; the callback is given each before it is asked, and of the end."""
    begun = time.perf_counter()
    for done, question in enumerate([*questions, None]):
        if progress is not None:
            rate = done / (time.perf_counter() - begun)
            remaining = (len(questions) - done) / rate if rate else None
            current = question.question if question else ""
            progress(Progress("questions", done, len(questions), rate, remaining, current))
        if question:
            yield question


def _peak_memory_mb() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def stages_without(names: Iterable[str]) -> Stages:
    """All stages but those named. Raises InputError that lists the names for one that there is not."""
    off = tuple(names)
    for name in off:
        if name not in STAGE_NAMES:
            raise InputError(
                f"There is no stage of retrieval called {name!r}. Stages: {', '.join(STAGE_NAMES)}."
            )
    return dataclasses.replace(ALL_STAGES, **dict.fromkeys(off, False))


def search(index: Index, question: str, k: int, stages: Stages = ALL_STAGES) -> list[Hit]:
    """The index's search as users have it unless stages are switched off."""
    return index.search(question, k) if stages == ALL_STAGES else index.search(question, k, stages=stages)


@contextmanager
def staged(assistant: Assistant | None, stages: Stages) -> Iterator[None]:
    """While it lasts the assistant searches with these stages alone; nothing changes for all of them."""
    if assistant is None or stages == ALL_STAGES:
        yield
        return
    whole = assistant.index
    narrowed: Any = copy.copy(whole)
    narrowed.search = partial(whole.search, stages=stages)
    narrowed.search_each = partial(whole.search_each, stages=stages)
    assistant.index = narrowed
    try:
        yield
    finally:
        assistant.index = whole


def variants() -> dict[str, Stages]:
    """What `ablate` measures: all stages, without each one, and the plain fusion of words and vectors (the
    words have no switch)."""
    plain = stages_without(n for n in STAGE_NAMES if n != "dense")
    return {ALL: ALL_STAGES} | {f"without {n}": stages_without([n]) for n in STAGE_NAMES} | {PLAIN: plain}


def ablate(
    source: Path,
    index: Index,
    *,
    choice: Choice = EVERY,
    depth: int = DEPTH,
    progress: Callable[[Progress], None] | None = None,
) -> tuple[Variant, ...]:
    """Measure retrieval under every variant, first with all stages, on the questions of `source` that say
    where their evidence stands. `depth` passages are retrieved each time. The variants of a question are
    asked one after the other, each time beginning with another, so that neither the machine's mood nor a
    warm cache favours any. Raises InputError for an unusable set, CitewiseError where the index cannot be
    used."""
    questions = [q for q in choose(source, choice, searched=True) if is_searched(q)]
    runs = [(name, Run(index, None, "retrieval", depth, stages)) for name, stages in variants().items()]
    results: dict[str, list[QuestionResult]] = {name: [] for name, _ in runs}
    for _, run in runs:  # models and indexes load at first use
        run.warm_up(questions)
    for number, question in enumerate(with_progress(questions, progress)):
        first = number % len(runs)
        for name, run in runs[first:] + runs[:first]:
            results[name].append(run.ask(question))
    return tuple(_variant(name, run.stages, results[name], results[ALL]) for name, run in runs)


def _variant(
    name: str, stages: Stages, results: Sequence[QuestionResult], base: Sequence[QuestionResult]
) -> Variant:
    differences = {
        measure: metrics.difference([r.scores[measure] for r in base], [r.scores[measure] for r in results])
        for measure in results[0].scores
    }
    return Variant(
        name,
        stages,
        measures_of([r.scores for r in results]),
        {} if results is base else differences,
        metrics.percentile([r.seconds["search"] for r in results if "search" in r.seconds], 0.5),
        {r.id: r.rank for r in results},
        sum(bool(r.error) for r in results),
    )
