"""What one question carries through the stages of its answer, and what its assistant brings to them."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from threading import Event as StopEvent

from rag.index import Index
from rag.models.llm import LLM
from rag.questions.query import Query
from rag.types import Filters


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
