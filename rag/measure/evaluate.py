"""Measure an index on a set of questions: is the evidence found, shown and cited, and is what is absent
refused?"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.errors import CitewiseError, InputError
from rag.measure import metrics
from rag.measure.report import FALSE_SUPPORTED, TRUE_SUPPORTED, Report, measures_of
from rag.measure.yardstick import (
    EVERY,
    Choice,
    EvalQuestion,
    QuestionResult,
    choose,
    judge,
    load_questions,
    nothing_scores,
    unanswered,
    with_progress,
)
from rag.questions.expects import read_wording
from rag.types import ClaimState, DocumentInfo, Evidence, FileStatus, Filters, Progress, Stages
from rag.verify.claims import verify_sentence

if TYPE_CHECKING:
    from rag.assistant import Assistant
    from rag.index import Index

PARTS = ("retrieval", "answers", "all", "verify")
DEPTH = 100
ALL_STAGES = Stages()
STAGE_NAMES = tuple(f.name for f in fields(Stages))


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
    if what in ("answers", "all") and assistant is None:
        raise InputError(f"Measuring {what} needs an assistant.")
    questions = read_set(source, choice, what)
    run = _Run(_narrowed(index, stages), assistant, what, depth, choice.scoped)
    run.index.search(questions[0].question, 1)  # where the index cannot be used, that is no question's fault
    if assistant is not None:
        whole, assistant.index = assistant.index, _narrowed(assistant.index, stages)
    try:
        results = tuple(run.ask(q) for q in with_progress(questions, progress))
    finally:
        if assistant is not None:
            assistant.index = whole
    tags = sorted({tag for q in questions for tag in q.tags})
    by_tag = {t: measures_of([r.scores for r in results if t in r.tags]) for t in tags}
    # There are two where some questions are searched without vectors.
    thresholds = sorted({round(r.threshold, 4) for r in results if r.threshold is not None})
    narrowing = {
        "tags": ", ".join(choice.tags),
        "half": choice.half,
        "sample": choice.sample,
        "scoped": choice.scoped,
        "without": ", ".join(name for name in STAGE_NAMES if not getattr(stages, name)),
        "threshold": " and ".join(map(str, thresholds)),
    }
    settings = {"what": what, "questions": len(questions), "depth": depth}
    return Report(
        name=set_name(source),
        settings=settings | {name: value for name, value in narrowing.items() if value},
        measures=measures_of([r.scores for r in results]),
        by_tag=by_tag if len(tags) > 1 else {},
        counts=dict(sorted(run.counts.items())),
        missing=_missing(index, questions),
        results=results,
    )


def read_set(source: Path, choice: Choice = EVERY, what: str = "retrieval") -> tuple[EvalQuestion, ...]:
    """The questions to ask, in their order. For "retrieval" at least one must say where its evidence stands.
    Raises InputError, also for anything that cannot be measured."""
    if what not in PARTS:
        raise InputError(f"There is nothing called {what!r} to measure. Allowed: {', '.join(PARTS)}.")
    questions = choose(load_questions(source), choice)
    if other := next((q.id for q in questions if bool(q.passages) != (what == "verify")), None):
        wanted = "sentences with `evidence` and `label`" if what == "verify" else "questions"
        raise InputError(f"--what {what} measures {wanted}, and {other!r} of {source} is none.")
    if what == "retrieval" and not any(q.located for q in questions):
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


def judge_sentences(
    source: Path, choice: Choice = EVERY, progress: Callable[[Progress], None] | None = None
) -> Report:
    """Hold the labelled sentences of a file against their evidence: how many of the true ones verification
    calls supported, and how many of the others. Raises InputError for an unusable file."""
    sentences = read_set(source, choice, "verify")
    document = DocumentInfo(1, "", "", "", "", "", FileStatus.OK, "", "", 0, 0, 0)
    results = []
    for one in with_progress(sentences, progress, "sentences"):
        passages = enumerate(one.passages, 1)
        evidence = [Evidence(n, document, n, 0, len(text), text, 1.0) for n, text in passages]
        claim = verify_sentence(one.question, evidence, read_wording(one.asked) if one.asked else None)
        granted = float(claim.state is ClaimState.SUPPORTED)
        scores = {TRUE_SUPPORTED if one.answerable else FALSE_SUPPORTED: granted}
        results.append(replace(unanswered(one), answer=" ".join(claim.reasons), scores=scores))
    return Report(
        name=set_name(source),
        settings={"what": "verify", "sentences": len(results)}
        | ({"half": choice.half} if choice.half else {}),
        measures=measures_of([r.scores for r in results]),
        by_tag={},
        counts={},
        missing=(),
        results=tuple(results),
    )


@dataclass
class _Run:
    """Asks questions, and counts verdicts and states of claims over all of them."""

    index: Index
    assistant: Assistant | None
    what: str
    depth: int
    scoped: bool = False
    counts: Counter[str] = field(default_factory=Counter)

    def ask(self, question: EvalQuestion) -> QuestionResult:
        found = unanswered(question)
        try:
            if self.what != "answers" and question.located:
                passages = [metrics.passage(hit) for hit in self.index.search(question.question, self.depth)]
                found = replace(
                    found,
                    searched=True,
                    rank=metrics.first_rank(passages, question.evidence),
                    document_rank=metrics.first_document_rank(passages, question.evidence),
                    scores=metrics.rank_scores(passages, question.evidence, self.depth),
                )
            if self.what != "retrieval" and self.assistant is not None:
                filters = self._scope(question) if self.scoped and question.scope else None
                answer = self.assistant.ask(question.question, filters=filters, history=question.history)
                self.counts[f"verdict: {answer.verdict.value}"] += 1
                self.counts.update(f"state: {claim.state.value}" for claim in answer.claims)
                self.counts.update(f"dropped from the draft: {claim.state.value}" for claim in answer.dropped)
                found = judge(question, answer, found)
        except CitewiseError as error:
            lost = nothing_scores(question, self.what, self.depth)
            found = replace(found, error=str(error), scores={**lost, **found.scores})
        return found

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


def _missing(index: Index, questions: Sequence[EvalQuestion]) -> tuple[str, ...]:
    """Evidence documents that the index does not hold: their questions cannot be found by any search."""
    held = {d.path for d in index.documents() if d.chunks}
    wanted = {e.document for q in questions if q.answerable for e in q.evidence}
    return tuple(sorted(w for w in wanted - held if not any(metrics.same_document(p, w) for p in held)))


def stages_without(names: Iterable[str]) -> Stages:
    """All stages but those named. Raises InputError that lists the names for one that there is not."""
    off = tuple(names)
    for name in off:
        if name not in STAGE_NAMES:
            raise InputError(
                f"There is no stage of retrieval called {name!r}. Stages: {', '.join(STAGE_NAMES)}."
            )
    return replace(ALL_STAGES, **dict.fromkeys(off, False))


def _narrowed(index: Index, stages: Stages) -> Index:
    """The index, which searches with these stages alone; itself for all of them."""
    if stages == ALL_STAGES:
        return index
    narrowed: Any = copy.copy(index)
    narrowed.search = partial(index.search, stages=stages)
    narrowed.search_each = partial(index.search_each, stages=stages)
    return narrowed  # type: ignore[no-any-return]
