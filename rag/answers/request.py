"""What one question carries through the stages of its answer, and what its assistant brings to them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from threading import Event as StopEvent

from rag.index import Index
from rag.models.llm import LLM
from rag.questions.query import Query
from rag.types import Event, EvidenceFound, Filters, Finished

_LONGEST_SECONDS = 0.6


@dataclass(frozen=True, slots=True)
class Setup:
    """The parts and limits of an assistant; `rag.assistant.Assistant` says what each means."""

    index: Index
    llm: LLM | None = None
    top_k: int = 8
    max_evidence: int = 6
    threshold: float | None = None
    max_tokens: int = 64


@dataclass
class Clock:
    """Seconds by stage; a stage ends where the next begins."""

    seconds: dict[str, float] = field(default_factory=dict)
    begun: float = field(default_factory=time.perf_counter)

    def lap(self, stage: str) -> None:
        now = time.perf_counter()
        self.seconds[stage] = self.seconds.get(stage, 0.0) + now - self.begun
        self.begun = now


@dataclass(frozen=True, slots=True)
class AnswerRequest:
    """One question on its way, to be answered in `language`. `stop` ends what is being written; `clock` takes
    the time of each stage."""

    query: Query
    language: str
    filters: Filters | None = None
    stop: StopEvent | None = None
    clock: Clock = field(default_factory=Clock)

    @property
    def stopped(self) -> bool:
        return self.stop is not None and self.stop.is_set()


class Crowd:
    """The searches under way, by all assistants that share it."""

    def __init__(self) -> None:
        self._searching = 0
        self._quiet = threading.Condition()

    def evidence_first(self, events: Iterator[Event]) -> Iterator[Event]:
        """The same events; until the evidence is there, this question counts as being searched."""
        with self._quiet:
            self._searching += 1
        searching = True
        try:
            for event in events:
                if searching and isinstance(event, EvidenceFound | Finished):
                    searching = False
                    self._found()
                yield event
        finally:
            if searching:
                self._found()

    def give_way(self, stop: StopEvent | None = None, longest: float = _LONGEST_SECONDS) -> None:
        """Returns when nobody searches, when `stop` is set, or after `longest` seconds."""
        end = time.monotonic() + longest
        with self._quiet:
            while self._searching and (left := end - time.monotonic()) > 0 and not (stop and stop.is_set()):
                self._quiet.wait(min(left, 0.05))

    def _found(self) -> None:
        with self._quiet:
            self._searching -= 1
            self._quiet.notify_all()


CROWD = Crowd()
"""The processor is one for the whole process, and so is the crowd."""
