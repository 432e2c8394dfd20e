"""What every language model offers, and how its words travel from the thread that makes them to the one that
asked."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar, runtime_checkable

from rag.types import Queued

# How often a waiting reader looks at its stop event, seconds.
_POLL = 0.05


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is said to the model. Both texts are untrusted: none of their characters can become a control
    token."""

    system: str
    user: str


@dataclass(frozen=True, slots=True)
class LLMInfo:
    """`fingerprint` names the weights (SHA-256 of the file; of address and name for a server).
    `context_tokens` holds prompt and answer together. `local` is False where the words leave this machine.
    `languages` are those it writes usably, ("*",) for all: in others answers are quotes."""

    name: str
    fingerprint: str
    context_tokens: int
    local: bool
    languages: tuple[str, ...] = ("*",)

    def writes(self, language: str) -> bool:
        return "*" in self.languages or language in self.languages


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """How llama.cpp runs a model on this machine. `threads` write, `threads_batch` read the prompt (0: all
    available cores). A prompt is evaluated `slice_tokens` at a time, and a stop is heard between them."""

    threads: int = 0
    threads_batch: int = 0
    flash_attention: bool = False
    slice_tokens: int = 32


@dataclass(frozen=True, slots=True)
class Piece:
    """Some words of a draft. Draft 0 is the likeliest; others are drawn, and come between its pieces."""

    text: str
    draft: int = 0


class LLM(Protocol):
    """A language model at temperature 0. Safe to call from several threads."""

    @property
    def info(self) -> LLMInfo: ...

    def count_tokens(self, text: str) -> int:
        """Tokens of a text, special tokens and chat template not included."""
        ...

    def generate(
        self, prompt: Prompt, *, max_tokens: int, stop: threading.Event | None = None
    ) -> Iterator[str]:
        """Pieces of the answer as they are made. Ends early, without an error, when `stop` is set or the
        iterator is closed. Raises GenerationError."""
        ...

    def close(self) -> None:
        """Frees what the model holds; may be called twice."""
        ...


@runtime_checkable
class DraftingLLM(Protocol):
    """A model that writes several drafts of an answer, and says how many are served before."""

    def write(
        self,
        prompt: Prompt,
        *,
        max_tokens: int,
        stop: threading.Event | None = None,
        drafts: int = 1,
        seed: int = 0,
    ) -> Iterator[Piece | Queued]:
        """Like `generate`, for draft 0 and `drafts` - 1 more that are drawn by `seed`. `Queued` may come
        before the first piece, each time with fewer ahead."""
        ...


def write(
    llm: LLM,
    prompt: Prompt,
    *,
    max_tokens: int,
    stop: threading.Event | None = None,
    drafts: int = 1,
    seed: int = 0,
) -> Iterator[Piece | Queued]:
    """`DraftingLLM.write`, for every model: one that only generates writes draft 0."""
    if isinstance(llm, DraftingLLM):
        yield from llm.write(prompt, max_tokens=max_tokens, stop=stop, drafts=drafts, seed=seed)
        return
    for text in llm.generate(prompt, max_tokens=max_tokens, stop=stop):
        yield Piece(text)


T = TypeVar("T")


class Delivery(Generic[T]):
    """One answer on its way from a producing thread to a reader.

    The producer calls `put`, and at last `finish` once; it looks at `cancelled` as often as it can, and may
    set `ahead`, how many are served before. The reader iterates; leaving early cancels."""

    def __init__(self, stop: threading.Event | None = None) -> None:
        self.ahead = 0
        self._stop = stop
        self._gone = threading.Event()
        self._pieces: queue.SimpleQueue[T | Exception | None] = queue.SimpleQueue()

    @property
    def cancelled(self) -> bool:
        """Whether nobody wants more."""
        return self._gone.is_set() or (self._stop is not None and self._stop.is_set())

    def cancel(self) -> None:
        self._gone.set()

    def put(self, piece: T) -> None:
        self._pieces.put(piece)

    def finish(self, error: Exception | None = None) -> None:
        """The end: None for a good one."""
        self._pieces.put(error)

    def read(self) -> Iterator[T]:
        """The pieces as they come."""
        for piece in self.follow():
            if not isinstance(piece, Queued):
                yield piece

    def follow(self) -> Iterator[T | Queued]:
        """The pieces, and while there are none yet, each new number of those that are served before."""
        told = 0
        try:
            while not self.cancelled:
                try:
                    piece = self._pieces.get(timeout=_POLL)
                except queue.Empty:
                    if self.ahead and self.ahead != told:
                        told = self.ahead
                        yield Queued(told)
                    continue
                if piece is None:
                    return
                if isinstance(piece, Exception):
                    raise piece
                yield piece
        finally:
            self.cancel()
