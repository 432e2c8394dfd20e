"""The stages of an answer, as events: search, select, judge, compute, draft, verify, compose.

Evidence comes before any generation, a figure that code can read or work out before any draft. Each
function is one way through: about many passages, in one piece, part by part."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace

from rag.asking import Query, Setup
from rag.compose import Basis, Written, certificate, compose, compose_figures, refuse, with_rows
from rag.evidence import Selection, select
from rag.figures import Computed, find_figures
from rag.many import TASKS, TaskRequest, partly_read, plain_question, read_intent
from rag.many.intent import Intent
from rag.missing import missing
from rag.partial import compose_parts, look, nearest, together
from rag.parts import separate
from rag.types import Answer, Event, EvidenceFound, Finished, Hit, StageStarted
from rag.writing import written


def answer_stages(setup: Setup, query: Query) -> Iterator[Event]:
    """Stages, the evidence before any generation, tokens of the unverified draft, and last `Finished`."""
    intent = read_intent(query.searched)
    if intent is None:
        yield from _by_evidence(setup, query)
        return
    if (yield from _by_task(setup, query, intent)) is not None:
        return
    query = replace(query, searched=plain_question(intent, query.searched))
    for event in _by_evidence(setup, query):
        yield Finished(partly_read(event.answer, intent)) if isinstance(event, Finished) else event


def _by_task(setup: Setup, query: Query, intent: Intent) -> Generator[Event, None, Answer | None]:
    """A question that a task serves; None, and no end of the stream, where it has to be answered like any
    other."""
    yield StageStarted("searching")
    answer = TASKS[intent.ask.value](
        TaskRequest(
            query.question,
            query.searched,
            query.language,
            intent,
            setup.index,
            query.filters,
            setup.top_k,
            setup.max_evidence,
            setup.threshold,
        )
    )
    query.clock.lap("searching")
    if answer is not None:
        answer = replace(answer, timings=dict(query.clock.seconds))
        shown = {n for claim in answer.claims for n in claim.citations}
        yield EvidenceFound(tuple(e for e in answer.evidence if e.number in shown), answer.nearest)
        yield Finished(answer)
    return answer


def _by_evidence(setup: Setup, query: Query) -> Iterator[Event]:
    if parts := separate(query.searched):
        return _by_parts(setup, query, parts)
    return _whole(setup, query)


def _whole(setup: Setup, query: Query) -> Iterator[Event]:
    """A question that is one question."""
    index, searched, filters, clock = setup.index, query.searched, query.filters, query.clock
    yield StageStarted("searching")
    hits = tuple(index.search(searched, setup.top_k, filters=filters))
    clock.lap("searching")
    yield StageStarted("evidence")
    found = select(searched, hits, index, limit=setup.max_evidence, threshold=setup.threshold)
    clock.lap("evidence")
    figures = find_figures(searched, index, filters=filters, facts=found.evidence)
    if isinstance(figures, Computed):
        found = with_rows(found, figures, setup.max_evidence)
    clock.lap("figures")
    seen = index.explain(searched, hits=hits, filters=filters)
    clock.lap("explaining")
    yield EvidenceFound(found.evidence, hits, seen.understood, seen.relaxed)
    basis = _basis(setup, query, found, hits)
    if isinstance(figures, Computed):
        answer = compose_figures(basis, figures)
    elif not found.sufficient:
        why = missing(searched, hits, index.store, query.language, relaxed=seen.relaxed, filters=filters)
        if figures is not None and figures.reason:
            why = f"{figures.reason}; {why}" if why else figures.reason
        answer = refuse(basis, why)
    else:
        answer = compose(basis, (yield from written(setup, query, found)))
    yield Finished(replace(answer, understood=seen.understood, relaxed=seen.relaxed))


def _by_parts(setup: Setup, query: Query, parts: Sequence[str]) -> Iterator[Event]:
    """A question of several parts: each is searched for, judged and answered by itself."""
    index, clock = setup.index, query.clock
    yield StageStarted("searching")
    looks = look(setup, query, parts)
    clock.lap("searching")
    yield StageStarted("evidence")
    found, hits = together(looks), nearest(looks, setup.top_k)
    seen = index.explain(query.searched, hits=hits, filters=query.filters)
    clock.lap("evidence")
    yield EvidenceFound(found.evidence, hits, seen.understood, seen.relaxed)
    by_part = []
    for one in looks:
        by = Written()
        if one.found.sufficient and one.figures is None:
            by = yield from written(setup, query, one.found, one.searched)
        by_part.append(by)
    answer = compose_parts(_basis(setup, query, found, hits), looks, by_part)
    yield Finished(replace(answer, understood=seen.understood, relaxed=seen.relaxed))


def _basis(setup: Setup, query: Query, found: Selection, hits: Sequence[Hit]) -> Basis:
    proof = certificate(setup.index, found, query.filters, query.language)
    return Basis(query.question, query.language, found, hits, proof, query.clock.seconds, query.searched)
