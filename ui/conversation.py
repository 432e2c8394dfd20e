"""One question and what has come back so far, and what belongs to one open page: its exchanges and the
question under way. Several pages never see each other's."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from rag.errors import CitewiseError
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
    Turn,
)

STAGES = ("searching", "evidence", "reading", "verifying")
_log = logging.getLogger(__name__)


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
    answer: Answer | None = None
    error: str | None = None
    stopped: bool = False

    @property
    def done(self) -> bool:
        return self.answer is not None or self.error is not None or self.stopped


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


@dataclass
class Conversation:
    """The state of one page. `begin` stops a question that is still under way: a page has one at a time."""

    language: str = "en"
    exchanges: tuple[Exchange, ...] = ()
    live: Exchange | None = None
    open_source: tuple[str, int, int] | None = None
    _stop: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _counter: int = 0

    def begin(
        self, index: str, question: str, filters: Filters, *, alone: bool = False
    ) -> tuple[Exchange, threading.Event]:
        with self._lock:
            self._stop.set()
            self._stop = threading.Event()
            self._counter += 1
            self.live = Exchange(self._counter, index, question, filters, alone=alone)
            return self.live, self._stop

    def update(self, exchange: Exchange) -> bool:
        """Takes the exchange over; False where the page has meanwhile moved on to another question."""
        with self._lock:
            if self.live is None or self.live.number != exchange.number:
                return False
            if exchange.done:
                self.exchanges = (*self.exchanges, exchange)
                self.live = None
            else:
                self.live = exchange
            return True

    def stop(self) -> None:
        with self._lock:
            self._stop.set()

    def clear(self) -> None:
        with self._lock:
            self._stop.set()
            self.exchanges, self.live, self.open_source = (), None, None

    def find(self, number: int) -> Exchange | None:
        with self._lock:
            known = (*self.exchanges, *([self.live] if self.live else []))
        return next((e for e in known if e.number == number), None)

    def drop(self, number: int) -> None:
        with self._lock:
            self.exchanges = tuple(e for e in self.exchanges if e.number != number)


class Conversations:
    """Conversations by the page's session key. The oldest are forgotten beyond `most`."""

    def __init__(self, *, most: int = 1000) -> None:
        self._most = most
        self._known: OrderedDict[str, Conversation] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: str | None) -> Conversation:
        if not key:  # no key, no memory: never a shared conversation
            return Conversation()
        with self._lock:
            conversation = self._known.setdefault(key, Conversation())
            self._known.move_to_end(key)
            while len(self._known) > self._most:
                self._known.popitem(last=False)[1].stop()
            return conversation

    def forget(self, key: str | None) -> None:
        with self._lock:
            conversation = self._known.pop(key or "", None)
        if conversation is not None:
            conversation.clear()


def run(
    assistant: Any, exchange: Exchange, *, history: Sequence[Turn], stop: threading.Event
) -> Iterator[Exchange]:
    """The exchange as it grows, until it is done. `stop` ends the reading early: what the assistant gives
    then is kept."""
    question, filters = exchange.question, exchange.filters or None
    try:
        for event in assistant.stream(question, filters=filters, history=history, stop=stop):
            exchange = advance(exchange, event)
            yield replace(exchange, stopped=exchange.done and stop.is_set())
            if exchange.done:
                return
        raise RuntimeError("the stream ended without an answer")
    except CitewiseError as error:
        yield replace(exchange, error=str(error))
    except Exception as error:
        _log.error("question failed", exc_info=error)
        yield replace(exchange, error="")
    finally:
        stop.set()  # the page has gone, or the answer is there: nobody waits for more
