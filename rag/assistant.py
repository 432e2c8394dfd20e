"""The assistant: an index, a language model, and the stages of an answer, as events: search, select, judge,
compute, read, verify, compose. Evidence comes before any generation, a figure that code can read or work out
before any reading."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from threading import Event as StopEvent

from rag.answers.asking import ambiguous, ask_back
from rag.answers.compose import (
    Basis,
    certificate,
    compose,
    compose_figures,
    missing,
    no_row,
    refuse,
    with_rows,
)
from rag.answers.parts import (
    Look,
    compose_parts,
    how_many,
    judged,
    look,
    look_at,
    looked_closer,
    nearest,
    together,
)
from rag.answers.proposing import propose
from rag.answers.reading import ReaderReply, read
from rag.answers.request import CROWD, AnswerRequest, Setup
from rag.config import Config
from rag.index import Index, open_configured
from rag.languages.text import detect_language
from rag.models.embedder import reached
from rag.models.llm import LLM, ServerAccess, load_llm
from rag.questions.followup import translated
from rag.search.evidence import Selection, select
from rag.search.verdict import lacks, surer
from rag.tasks import TASKS, TaskRequest, compared, partly_read, plain_question, read_intents
from rag.tasks.intents import Ask, Intent
from rag.types import Answer, Event, EvidenceFound, Filters, Finished, Hit, Outcome, StageStarted, Turn

_NEAR = 4
"""Sentences of another language whose words a translated question takes."""


class Assistant:
    """Answers questions from one index. Safe to call from several threads: searches run side by side, what is
    read queues.

    `llm=None` answers in quotes only. `top_k` passages are searched, at most `max_evidence` sentences shown,
    and what the model writes has at most `max_tokens` tokens (`rag.answers.reading`);
    `threshold` (0..1) replaces the calibrated least confidence of "answered"."""

    def __init__(
        self,
        index: Index,
        llm: LLM | None = None,
        *,
        top_k: int = 8,
        max_evidence: int = 6,
        threshold: float | None = None,
        max_tokens: int = 64,
    ) -> None:
        self._setup = Setup(index, llm, top_k, max_evidence, threshold, max_tokens)

    @property
    def index(self) -> Index:
        return self._setup.index

    @index.setter
    def index(self, index: Index) -> None:
        self._setup = replace(self._setup, index=index)

    @property
    def llm(self) -> LLM | None:
        return self._setup.llm

    @llm.setter
    def llm(self, llm: LLM | None) -> None:
        self._setup = replace(self._setup, llm=llm)

    def ask(
        self,
        question: str,
        *,
        filters: Filters | None = None,
        history: Sequence[Turn] = (),
        language: str | None = None,
        stop: StopEvent | None = None,
    ) -> Answer:
        """The verified answer to one question. Raises InputError for an empty question; a refusal is an
        Answer, not an error.

        `history` are earlier turns, oldest first: a follow-up ("and in 2023?") is completed from them. `stop`
        ends the reading early: the quotes answer then."""
        *_, last = self.stream(question, filters=filters, history=history, language=language, stop=stop)
        assert isinstance(last, Finished), "a stream always ends with it"
        return last.answer

    def stream(
        self,
        question: str,
        *,
        filters: Filters | None = None,
        history: Sequence[Turn] = (),
        language: str | None = None,
        stop: StopEvent | None = None,
    ) -> Iterator[Event]:
        """The same as events: stages, the evidence before any generation, and last `Finished`."""
        query = self.index.understand(question, history, self.llm, stop)
        request = AnswerRequest(query, language or detect_language(query.asked), filters, stop)
        yield from CROWD.evidence_first(answer_stages(self._setup, request))

    def close(self) -> None:
        """Frees the model and the index."""
        if self.llm is not None:
            self.llm.close()
        self.index.close()

    def __enter__(self) -> Assistant:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def build_assistant(config: Config, *, index: Path | None = None, with_llm: bool = True) -> Assistant:
    """The assistant that a configuration describes: what the command line and the page both call.

    Raises IndexMissing, IndexMismatch, ModelMissing, ModelMismatch, Offline."""
    return Assistant(
        open_configured(config, index),
        load_reader(config) if with_llm else None,
        top_k=config.top_k,
        max_evidence=config.max_evidence,
        threshold=config.threshold,
        max_tokens=config.max_tokens,
    )


def load_reader(config: Config) -> LLM | None:
    """The language model that a configuration describes; None for none. Raises ModelMissing, ModelMismatch,
    Offline."""
    return load_llm(
        config.llm,
        cache_dir=config.cache_dir,
        models=config.models,
        threads=config.threads,
        server=ServerAccess(config.allow_remote, config.llm_api_key, config.llm_model),
        parallel=config.parallel,
    )


def answer_stages(setup: Setup, request: AnswerRequest) -> Iterator[Event]:
    """Stages, the evidence before any generation, and last `Finished`."""
    intent: Intent | None = None
    for intent in read_intents(request.query):
        yield StageStarted("searching")
        task = TaskRequest(request.query, request.language, intent, setup, request.filters)
        if intent.ask is Ask.COMPARE:
            if looks := compared(task):
                yield from _by_parts(setup, request, looks, beside=True)
                return
        elif (answer := TASKS[intent.ask.value](task)) is not None:
            request.clock.lap("searching")
            shown = {n for claim in answer.claims for n in claim.citations}
            yield EvidenceFound(tuple(e for e in answer.evidence if e.number in shown), answer.nearest)
            yield Finished(replace(answer, timings=dict(request.clock.seconds)))
            return
    if intent is None:
        yield from _by_evidence(setup, request)
        return
    request = replace(request, query=plain_question(intent, request.query, setup.index))
    for event in _by_evidence(setup, request):
        yield Finished(partly_read(event.answer, intent)) if isinstance(event, Finished) else event


def _by_evidence(setup: Setup, request: AnswerRequest) -> Iterator[Event]:
    if not request.query.questions:
        yield from _whole(setup, request)
        return
    yield StageStarted("searching")
    yield from _by_parts(setup, request, look(setup, request))


def _whole(setup: Setup, request: AnswerRequest) -> Iterator[Event]:
    """A question that is one question: as it was put and, where that is answered badly, in the language of
    other documents. The surer of the answers is given, with its evidence."""
    yield StageStarted("searching")
    searched = setup.index.search(request.query, how_many(setup, request.query), filters=request.filters)
    request.clock.lap("searching")
    yield StageStarted("evidence")
    own = look_at(setup, request.query, searched, setup.max_evidence, request.filters)
    request.clock.lap("evidence")
    answer = yield from _answered(setup, request, own)
    for other in _across(setup, request, own, answer):
        again = yield from _answered(setup, request, other)
        if surer(again, answer):
            answer = again
            yield EvidenceFound(again.evidence, again.nearest, again.understood, again.relaxed)
    yield Finished(answer)


def _answered(setup: Setup, request: AnswerRequest, one: Look) -> Generator[Event, None, Answer]:
    """The answer that what was found gives; where the question is the one that was put, its evidence is shown
    at once."""
    index, query, hits, found = setup.index, one.query, one.hits, one.found
    seen = index.explain(query, hits=hits, filters=request.filters)
    request.clock.lap("explaining")
    if query is request.query:
        yield EvidenceFound(found.evidence, hits, seen.understood, seen.relaxed)
    if one.figures is not None:
        answer = compose_figures(_basis(setup, request, found, hits), one.figures)
    elif one.no_row is not None:
        answer = no_row(_basis(setup, request, found, hits), one.no_row)
    elif found.sufficient and (rivals := ambiguous(query, found, request.filters)):
        answer = ask_back(_basis(setup, request, found, hits), rivals)
    elif (proposed := (yield from propose(setup, request, query, one.searched))) is not None:
        found = with_rows(found, proposed, setup.max_evidence, index.store)
        answer = compose_figures(_basis(setup, request, found, hits), proposed)
    else:
        found = looked_closer(setup, one, setup.max_evidence, request.filters)
        by = yield from read(setup, request, found, query)
        basis = _basis(setup, request, replace(found, verdict=by.verdict), hits)
        if by.verdict.sufficient:
            answer = compose(basis, by)
        else:
            # What was typed is what its asker can mend, not its translation.
            reasons = lacks(request.query, hits, index.store, relaxed=seen.relaxed, filters=request.filters)
            why = missing(replace(by.verdict, reasons=reasons), request.language)
            answer = refuse(basis, "; ".join(filter(None, (one.reason, why))))
    return replace(answer, understood=seen.understood, relaxed=seen.relaxed)


def _across(setup: Setup, request: AnswerRequest, own: Look, answer: Answer) -> Iterator[Look]:
    """What is found for the question in the languages of documents that are in another than its own, as the
    model translates it: where its own words are not answered, or bear less on what they find than on those
    documents. What code chose or worked out, and what asks back, stands."""
    index, llm, asked = setup.index, setup.llm, request.query
    embedder = index.embedder_for(asked.language)
    stands = own.figures or own.no_row or answer.choices or answer.working
    if stands or llm is None or embedder is None or not llm.info.writes(asked.language):
        return
    for code in sorted(index.store.languages().intersection(reached(embedder.info, asked.language))):
        if request.stopped or not llm.info.writes(code):
            continue
        filters = replace(request.filters or Filters(), languages=(code,))
        near = select(asked, tuple(index.search(asked, setup.top_k, filters=filters)), index, limit=_NEAR)
        if answer.verdict is Outcome.ANSWERED and not surer(near.verdict, own.found.verdict):
            continue
        if text := translated(asked.text, llm, code, near.evidence, stop=request.stop):
            query = index.understand(text)
            searched = index.search(query, how_many(setup, query), filters=filters)
            yield look_at(setup, query, searched, setup.max_evidence, request.filters)


def _by_parts(
    setup: Setup, request: AnswerRequest, found_each: Sequence[Look], *, beside: bool = False
) -> Iterator[Event]:
    """A question of several parts, or of sides `beside` one another: each is judged and answered by
    itself."""
    index, clock, looks = setup.index, request.clock, list(found_each)
    clock.lap("searching")
    yield StageStarted("evidence")
    found, hits = together(looks), nearest(looks, setup.top_k)
    seen = index.explain(request.query, hits=hits, filters=request.filters)
    clock.lap("evidence")
    yield EvidenceFound(found.evidence, hits, seen.understood, seen.relaxed)
    reads = []
    for n, one in enumerate(looks):
        by = ReaderReply(one.found.verdict)
        if one.figures is None and (made := (yield from propose(setup, request, one.query, one.searched))):
            rows = with_rows(one.found, made, len(one.found.evidence), index.store)
            one = replace(one, figures=made, found=rows, reason="")
            by = ReaderReply(rows.verdict)
        elif one.figures is None:
            limit = len(one.found.evidence)
            one = replace(one, found=looked_closer(setup, one, limit, request.filters))
            by = yield from read(setup, request, one.found, one.query)
        looks[n] = judged(one, by.verdict, setup, request)
        reads.append(by)
    found = together(looks)
    answer = compose_parts(_basis(setup, request, found, hits), looks, reads, beside=beside)
    yield Finished(replace(answer, understood=seen.understood, relaxed=seen.relaxed))


def _basis(setup: Setup, request: AnswerRequest, found: Selection, hits: Sequence[Hit]) -> Basis:
    proof = certificate(setup.index, found, request.filters, request.language, request.query.constraints)
    return Basis(request.query, request.language, found, hits, proof, request.clock.seconds)
