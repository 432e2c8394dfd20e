"""One question and what has come back so far: a value, and the function that takes it one event further."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from rag.types import (
    Answer,
    Event,
    Evidence,
    EvidenceFound,
    Filters,
    Finished,
    Gap,
    Note,
    Queued,
    StageStarted,
    Token,
    Turn,
)

STAGES = ("searching", "evidence", "writing", "verifying")


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question under way or done. `number` is its place in the conversation, from 1; `index` the name of
    the index asked; `filters` what the search was limited to; `understood` and `relaxed` are as in Answer.
    `alone`: it was asked without what came before; `ahead` questions are served by the model first.
    Once it is done it has an answer, or an error (a message for the reader, "" where something unforeseen
    failed), or it was stopped; an answer to a stopped exchange covers what was written until then."""

    number: int
    index: str
    question: str
    filters: Filters = field(default_factory=Filters)
    alone: bool = False
    stage: str = ""
    evidence: tuple[Evidence, ...] = ()
    understood: tuple[Note, ...] = ()
    relaxed: tuple[Gap, ...] = ()
    ahead: int = 0
    draft: str = ""
    answer: Answer | None = None
    error: str | None = None
    stopped: bool = False

    @property
    def done(self) -> bool:
        return self.answer is not None or self.error is not None or self.stopped

    @property
    def visible_evidence(self) -> tuple[Evidence, ...]:
        return self.answer.evidence if self.answer else self.evidence


def advance(exchange: Exchange, event: Event) -> Exchange:
    """The exchange after one event of `Assistant.stream`; a finished exchange no longer changes."""
    if exchange.done:
        return exchange
    match event:
        case StageStarted(stage):
            return replace(exchange, stage=stage, ahead=0)
        case Queued(ahead):
            return replace(exchange, ahead=ahead)
        case EvidenceFound(evidence, _, understood, relaxed):
            return replace(exchange, evidence=evidence, understood=understood, relaxed=relaxed)
        case Token(text):
            return replace(exchange, draft=exchange.draft + text, ahead=0)
        case Finished(answer):
            return replace(exchange, answer=answer)


def turns(exchanges: tuple[Exchange, ...], index: str, *, most: int = 4) -> tuple[Turn, ...]:
    """The last answered exchanges with this index, oldest first, as history for a follow-up question: each as
    it was searched with, and none from before a question that was asked alone."""
    answered: list[Turn] = []
    for e in exchanges:
        if e.index == index and e.answer is not None:
            answered = [] if e.alone else answered
            answered.append(Turn(question=e.answer.searched or e.question, answer=e.answer.text))
    return tuple(answered[-most:])
