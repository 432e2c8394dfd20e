"""The whole flow from question to verified answer, on one screen: search, select, judge, draft, verify,
answer."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event as StopEvent

from rag.compose import certificate, compose, compose_figures, refuse, with_rows
from rag.config import Config
from rag.conversation import complete, known_names
from rag.crowd import CROWD
from rag.drafts import Sheets, seed_of, settle
from rag.errors import GenerationError
from rag.evidence import Selection, select
from rag.figures import Computed, find_figures
from rag.generation import Piece, write
from rag.index import Index, open_index
from rag.llm import LLM, load_llm
from rag.many import Asked, answer_across, partly_read, plain_question, read_intent
from rag.missing import missing, missing_words
from rag.partial import Written, compose_parts, look, nearest, together
from rag.parts import separate
from rag.pointing import adapter_for, adapters_of, point, shipped_adapter
from rag.prompt import build_prompt
from rag.retrieve import check_question
from rag.text import detect_language
from rag.types import Answer, Event, EvidenceFound, Filters, Finished, Queued, StageStarted, Token, Turn


@dataclass
class _Clock:
    """Seconds by stage; a stage ends where the next begins."""

    seconds: dict[str, float] = field(default_factory=dict)
    begun: float = field(default_factory=time.perf_counter)

    def lap(self, stage: str) -> None:
        now = time.perf_counter()
        self.seconds[stage] = self.seconds.get(stage, 0.0) + now - self.begun
        self.begun = now


class Assistant:
    """Answers questions from one index. Safe to call from several threads: searches run side by side, drafts
    queue.

    `llm=None` answers in quotes only. `top_k` passages are read, at most `max_evidence` sentences shown, the
    draft has at most `max_tokens` tokens, and of `drafts` the best is kept (`rag.drafts`); `threshold` (0..1)
    replaces the calibrated sufficiency below which a question is refused."""

    def __init__(
        self,
        index: Index,
        llm: LLM | None = None,
        *,
        top_k: int = 8,
        max_evidence: int = 6,
        threshold: float | None = None,
        max_tokens: int = 160,
        drafts: int = 1,
    ) -> None:
        self.index = index
        self.llm = llm
        self._top_k = top_k
        self._max_evidence = max_evidence
        self._threshold = threshold
        self._max_tokens = max_tokens
        self.drafts = drafts

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
        ends the draft early; what was written until then is verified all the same."""
        answer: Answer | None = None
        for event in self.stream(question, filters=filters, history=history, language=language, stop=stop):
            if isinstance(event, Finished):
                answer = event.answer
        assert answer is not None, "a stream always ends with Finished"
        return answer

    def stream(
        self,
        question: str,
        *,
        filters: Filters | None = None,
        history: Sequence[Turn] = (),
        language: str | None = None,
        stop: StopEvent | None = None,
    ) -> Iterator[Event]:
        """The same as events: stages, the evidence before any generation, tokens of the unverified draft, and
        last `Finished`."""
        return CROWD.evidence_first(self._stream(question, filters, history, language, stop))

    def _stream(
        self,
        question: str,
        filters: Filters | None,
        history: Sequence[Turn],
        language: str | None,
        stop: StopEvent | None,
    ) -> Iterator[Event]:
        question = check_question(question)
        searched = self._stand_alone(question, history)
        language = language or detect_language(question)
        clock = _Clock()
        intent = read_intent(searched)
        if intent is not None:
            asked = Asked(
                question,
                searched,
                language,
                intent,
                self.index,
                filters,
                self._top_k,
                self._max_evidence,
                self._threshold,
            )
            if (yield from self._stream_across(asked, clock)) is not None:
                return
            searched = plain_question(intent, searched)
        if parts := separate(searched):
            flow = self._stream_parts(question, searched, parts, filters, language, stop, clock)
        else:
            flow = self._stream_one(question, searched, filters, language, stop, clock)
        if intent is None:
            yield from flow
            return
        for event in flow:
            yield Finished(partly_read(event.answer, intent)) if isinstance(event, Finished) else event

    def _stand_alone(self, question: str, history: Sequence[Turn]) -> str:
        """The question as it is searched with."""
        return complete(question, history, known_names(self.index.store.catalogue())) if history else question

    def _stream_across(self, asked: Asked, clock: _Clock) -> Generator[Event, None, Answer | None]:
        """The stages for a question about many passages; None, and no end of the stream, where it has to be
        answered like any other."""
        yield StageStarted("searching")
        answer = answer_across(asked)
        clock.lap("searching")
        if answer is not None:
            answer = replace(answer, timings=dict(clock.seconds))
            shown = {n for claim in answer.claims for n in claim.citations}
            quoted = tuple(e for e in answer.evidence if e.number in shown)
            yield EvidenceFound(quoted, answer.nearest)
            yield Finished(answer)
        return answer

    def _stream_one(
        self,
        question: str,
        searched: str,
        filters: Filters | None,
        language: str,
        stop: StopEvent | None,
        clock: _Clock,
    ) -> Iterator[Event]:
        """The stages for one question."""
        yield StageStarted("searching")
        hits = tuple(self.index.search(searched, self._top_k, filters=filters))
        clock.lap("searching")
        yield StageStarted("evidence")
        found = select(searched, hits, self.index, limit=self._max_evidence, threshold=self._threshold)
        clock.lap("evidence")
        figures = find_figures(searched, self.index, filters=filters, facts=found.evidence)
        if isinstance(figures, Computed):
            found = with_rows(found, figures, self._max_evidence)
        clock.lap("figures")
        seen = self.index.explain(searched, hits=hits, filters=filters)
        clock.lap("explaining")
        yield EvidenceFound(found.evidence, hits, seen.understood, seen.relaxed)
        proof = certificate(self.index, found, filters, language)
        if isinstance(figures, Computed):
            answer = compose_figures(question, language, figures, found, hits, proof, clock.seconds, searched)
            yield Finished(replace(answer, understood=seen.understood, relaxed=seen.relaxed))
            return
        if not found.sufficient:
            lacking = missing(searched, hits, self.index.store, relaxed=seen.relaxed, filters=filters)
            why = missing_words(lacking, language)
            if figures is not None and figures.reason:
                why = f"{figures.reason}; {why}" if why else figures.reason
            refusal = refuse(question, language, found, hits, proof, clock.seconds, searched, why)
            yield Finished(replace(refusal, understood=seen.understood, relaxed=seen.relaxed))
            return
        by = yield from self._written(searched, found, language, stop, clock)
        answer = compose(
            question,
            language,
            by.claims,
            found,
            hits,
            proof,
            clock.seconds,
            by.draft,
            by.model,
            by.trouble,
            searched,
            first=by.first,
        )
        yield Finished(replace(answer, understood=seen.understood, relaxed=seen.relaxed))

    def _stream_parts(
        self,
        question: str,
        searched: str,
        parts: Sequence[str],
        filters: Filters | None,
        language: str,
        stop: StopEvent | None,
        clock: _Clock,
    ) -> Iterator[Event]:
        """The stages for a question of several parts: each is searched for, judged and answered by itself."""
        yield StageStarted("searching")
        looks = look(
            searched,
            parts,
            self.index,
            k=self._top_k,
            limit=self._max_evidence,
            language=language,
            threshold=self._threshold,
            filters=filters,
        )
        clock.lap("searching")
        yield StageStarted("evidence")
        found, hits = together(looks), nearest(looks, self._top_k)
        seen = self.index.explain(searched, hits=hits, filters=filters)
        clock.lap("evidence")
        yield EvidenceFound(found.evidence, hits, seen.understood, seen.relaxed)
        written = []
        for one in looks:
            by = Written()
            if one.found.sufficient and one.figures is None:
                by = yield from self._written(one.searched, one.found, language, stop, clock)
            written.append(by)
        proof = certificate(self.index, found, filters, language)
        answer = compose_parts(
            question, language, looks, written, found, proof, clock.seconds, searched=searched, k=self._top_k
        )
        yield Finished(replace(answer, understood=seen.understood, relaxed=seen.relaxed))

    def _written(
        self, searched: str, found: Selection, language: str, stop: StopEvent | None, clock: _Clock
    ) -> Generator[Event, None, Written]:
        """The stages of writing and verifying, and what they gave."""
        if adapter := adapter_for(self.llm, found.evidence, language):
            return (yield from self._pointed(searched, found, adapter, stop, clock))
        sheets, trouble = Sheets(), ""
        if self.llm is not None and self.llm.info.writes(language) and not (stop and stop.is_set()):
            yield StageStarted("writing")
            CROWD.give_way(stop)
            try:
                for piece in self._write(self.llm, searched, found, language, stop):
                    if isinstance(piece, Queued):
                        yield piece
                        continue
                    if not sheets.pieces:
                        clock.lap("first_token")
                    sheets.add(piece)
                    if not piece.draft:
                        yield Token(piece.text)
            except GenerationError as error:  # the quoted answer always exists
                trouble = str(error)
            clock.lap("writing")
        yield StageStarted("verifying")
        said = sheets.said(self._max_tokens, interrupted=bool(trouble or (stop and stop.is_set())))
        kept = settle(said, found.evidence, question=searched, asked=self.drafts)
        clock.lap("verifying")
        draft = sheets.texts.get(kept.draft, sheets.texts.get(0, ""))
        return Written(kept.claims, draft, self.llm.info.name if self.llm else "", trouble)

    def _pointed(
        self, searched: str, found: Selection, adapter: str, stop: StopEvent | None, clock: _Clock
    ) -> Generator[Event, None, Written]:
        """The same with an adapter, which points at a sentence and copies the answer from it."""
        assert self.llm is not None
        yield StageStarted("writing")
        CROWD.give_way(stop)
        try:
            pointing = point(self.llm, searched, found.evidence, adapter=adapter, stop=stop)
        except GenerationError as error:  # the quoted answer always exists
            return Written(model=self.llm.info.name, trouble=str(error))
        clock.lap("writing")
        if pointing.written:
            yield Token(pointing.written)
        yield StageStarted("verifying")
        claims = (pointing.claim,) if pointing.claim is not None and not (stop and stop.is_set()) else ()
        clock.lap("verifying")
        return Written(claims, pointing.written, self.llm.info.name, first=pointing.number)

    def _write(
        self, llm: LLM, question: str, found: Selection, language: str, stop: StopEvent | None
    ) -> Iterator[Piece | Queued]:
        prompt = build_prompt(
            question,
            found.evidence[: found.core],
            llm=llm,
            max_tokens=self._max_tokens,
            language=language,
        )
        return write(
            llm,
            prompt,
            max_tokens=self._max_tokens,
            stop=stop,
            drafts=self.drafts,
            seed=seed_of(question),
        )

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

    Raises IndexMissing, IndexMismatch, ModelMissing, ModelMismatch, Offline.
    """
    opened = open_index(
        index or config.index,
        embedder=config.embedder,
        cache_dir=config.cache_dir,
        models=config.models,
        threads=config.threads,
        lexicons=config.lexicons,
        concepts=config.concepts,
    )
    llm = None
    if with_llm:
        llm = load_llm(
            config.llm,
            cache_dir=config.cache_dir,
            models=config.models,
            threads=config.threads,
            allow_remote=config.allow_remote,
            api_key=config.llm_api_key,
            remote_model=config.llm_model,
            parallel=max(config.parallel, config.drafts),
            tuned=config.tuned_models,
            adapters=adapters_of(config.adapters, shipped_adapter(config.llm)),
        )
    return Assistant(
        opened,
        llm,
        top_k=config.top_k,
        max_evidence=config.max_evidence,
        threshold=config.threshold,
        max_tokens=config.max_tokens,
        drafts=config.drafts,
    )
