"""What every language model offers, and how its words travel from the thread that makes them to the one that
asked."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from rag.types import Queued

# How often a waiting reader looks at its stop event, seconds.
_POLL = 0.05
_THOUGHT, _THOUGHT_END = "<think>", "</think>"


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is said to the model: instructions, worked examples (user, assistant), and the last turn, which is
    `user` (sources and question) with `ending` (what to do with them) right behind it.

    Instructions and examples are computed once and kept on disk. Prompts that differ in their ending alone
    share all before it, so that a second one costs no more than its ending. All texts are untrusted: none of
    their characters can become a control token."""

    system: str
    user: str
    examples: tuple[tuple[str, str], ...] = ()
    ending: str = ""


@dataclass(frozen=True, slots=True)
class LLMInfo:
    """`fingerprint` names the weights (SHA-256 of the file; of address and name for a server).
    `context_tokens` holds prompt and answer together. `local` is False where the words leave this machine.
    `languages` are those it writes usably, ("*",) for all: in others answers are quotes. `judges`: whether
    its yes or no, and the source that it names, bear on what it read."""

    name: str
    fingerprint: str
    context_tokens: int
    local: bool
    languages: tuple[str, ...] = ("*",)
    judges: bool = True

    def writes(self, language: str) -> bool:
        return "*" in self.languages or language in self.languages


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """How llama.cpp runs a model on this machine. `threads` write, `threads_batch` read the prompt (0: all
    available cores). A prompt is evaluated `slice_tokens` at a time, and answers that are being written go on
    between them. `repack`: weights are copied into the order that this processor multiplies fastest."""

    # Qwen2.5-Coder-1.5B (Q4_K_M), ms of processor time for a token: read in slices of 32 it took 24, of 256
    # 17; repacked 24 and 22. Written: 180, repacked 157. Repacking took 0.6 GB more and 2.5 s at each start.
    threads: int = 0
    threads_batch: int = 0
    flash_attention: bool = False
    slice_tokens: int = 256
    repack: bool = False


class LLM(Protocol):
    """A language model. Safe to call from several threads."""

    @property
    def info(self) -> LLMInfo: ...

    def count_tokens(self, text: str) -> int:
        """Tokens of a text, special tokens and chat template not included."""

    def generate(
        self, prompt: Prompt, *, max_tokens: int, stop: threading.Event | None = None
    ) -> Iterator[str | Queued]:
        """Pieces of the answer as they are made. `Queued` may come before the first one, each time with fewer
        ahead. The same prompt has the same answer. Ends early, without an error, when `stop` is set or the
        iterator is closed. Raises GenerationError."""

    def odds(
        self, prompt: Prompt, *, yes: Sequence[str], no: Sequence[str], stop: threading.Event | None = None
    ) -> float | None:
        """The natural log-odds that the reply begins as one of the texts of `yes` does, against those of
        `no`, by their first tokens. None where `stop` was set, and from a server that does not say. Raises
        GenerationError."""

    def close(self) -> None:
        """Frees what the model holds; may be called twice."""


class Delivery:
    """One answer on its way from a producing thread to a reader, without the thoughts before it.

    The producer calls `put`, and at last `finish` once; it looks at `cancelled` as often as it can, and may
    set `ahead`, how many are served before. The reader iterates; leaving early cancels."""

    def __init__(self, stop: threading.Event | None = None) -> None:
        self.ahead = 0
        self._stop = stop
        self._gone = threading.Event()
        self._thoughts = Thoughts()
        self._pieces: queue.SimpleQueue[str | Exception | None] = queue.SimpleQueue()

    @property
    def cancelled(self) -> bool:
        """Whether nobody wants more."""
        return self._gone.is_set() or (self._stop is not None and self._stop.is_set())

    def cancel(self) -> None:
        self._gone.set()

    def put(self, piece: str) -> None:
        if released := self._thoughts.feed(piece):
            self._pieces.put(released)

    def finish(self, error: Exception | None = None) -> None:
        """The end: None for a good one."""
        if rest := "" if error else self._thoughts.flush():
            self._pieces.put(rest)
        self._pieces.put(error)

    def follow(self) -> Iterator[str | Queued]:
        """The pieces, and while there are none yet, each new number of those that are served before."""
        position = 0
        try:
            while not self.cancelled:
                try:
                    piece = self._pieces.get(timeout=_POLL)
                except queue.Empty:
                    if self.ahead and self.ahead != position:
                        position = self.ahead
                        yield Queued(position)
                    continue
                if piece is None:
                    return
                if isinstance(piece, Exception):
                    raise piece
                yield piece
        finally:
            self.cancel()


class Thoughts:
    """What a model that thinks aloud writes between <think> and </think> before its answer is not the answer.
    Takes an answer piece by piece and leaves a block of thoughts out that it begins with, empty or not, and
    the white space behind it. Anything else comes through unchanged; thoughts that never end are no
    answer."""

    def __init__(self) -> None:
        self._held = ""
        self._answering = False

    def feed(self, text: str) -> str:
        """What of the answer can be released so far."""
        if self._answering:
            return text
        self._held += text
        begun = self._held.lstrip()
        if begun.startswith(_THOUGHT):
            answer = begun.partition(_THOUGHT_END)[2].lstrip()
        else:
            answer = "" if _THOUGHT.startswith(begun) else self._held
        self._answering = bool(answer)
        return answer

    def flush(self) -> str:
        """What is still held back when the answer ends; nothing of unfinished thoughts."""
        held, self._held = self._held, ""
        return "" if self._answering or held.lstrip().startswith(_THOUGHT) else held
