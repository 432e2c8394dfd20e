"""One thread that owns a model and writes several answers at a time.

Each turn of the owner evaluates a piece or two of one prompt and then one token of every answer that is being
written, all in one call: running answers go on while a new question is read. Prompts are evaluated in pieces
whose borders depend on the prompt alone, and each sequence has memory of its own, so that the same prompt
gives the same answer, whatever was asked before and whatever is written beside it. Of 56 real prompts all had
the same text alone and five at a time (SmolLM2-135M in Q4_1, with flash attention and without, there with
logits equal to the last bit; of 12 prompts all in Q4_0, Q8_0 and F16, two to eight at a time).

A stop is heard at once by the reader; the owner gives up the piece in hand and frees the sequence. Requests
are served in order."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag.errors import GenerationError
from rag.kvstate import Prefixes
from rag.native import Context, Interrupted, Vocabulary
from rag.requests import Request, Writer
from rag.sampling import Sampling
from rag.sequences import Sequences, Slot

WAITING = 64
CLOSED = "the language model was closed; open it again to go on"
# Pieces of a prompt that are read between two tokens of the answers that are being written.
_PIECES_A_TURN = 2


@dataclass(slots=True)
class _Reading:
    """A prompt that is being evaluated in a slot."""

    request: Request
    slot: Slot
    pieces: Iterator[tuple[int, int]]


@dataclass(slots=True)
class _Fork:
    """Drafts that begin where a prompt was read, and wait for a sequence; `origin` holds the prompt."""

    request: Request
    origin: Slot
    logits: NDArray[np.float32]
    drafts: deque[int]


class Engine:
    """The context, and the only thread that touches it. Does not refer to its `LlamaCpp`, so that that one
    can be collected. `dispose` frees what lies below the context, at the end."""

    def __init__(
        self,
        context: Context,
        vocabulary: Vocabulary,
        *,
        slice_tokens: int,
        prefixes: Prefixes,
        sampling: Sampling | None = None,
        dispose: Callable[[], None] = lambda: None,
    ) -> None:
        self.context = context
        self.vocabulary = vocabulary
        self.closed = False
        self._prefixes = prefixes
        self._sampling = sampling or Sampling()
        self._dispose = dispose
        self._sequences = Sequences(context, prefixes, slice_tokens)
        self._reading: _Reading | None = None
        self._forks: list[_Fork] = []
        self._changed = threading.Condition()
        self._waiting: deque[Request] = deque()
        self._evaluated: set[Request] = set()  # whose tokens are being computed now
        self._thread = threading.Thread(target=self._serve, name="citewise-llama", daemon=True)
        self._thread.start()

    # --- for other threads ---

    def offer(self, request: Request) -> bool:
        """Queues a request; False while the queue is full. Raises GenerationError once the engine is
        closed."""
        with self._changed:
            if self.closed:
                raise GenerationError(CLOSED)
            if len(self._waiting) >= WAITING:
                return False
            request.on_cancel = self._give_up
            self._waiting.append(request)
            self._tell_positions()
            self._changed.notify()
        return True

    def close(self) -> None:
        """Ends what runs and what waits with an error, frees the native memory."""
        with self._changed:
            self.closed = True
            self.context.interrupt(True)
            self._changed.notify()
        if threading.current_thread() is not self._thread:  # which may collect what refers to it
            self._thread.join()

    def _give_up(self, request: Request) -> None:
        """A reader has left: what is computed for it alone ends now."""
        with self._changed:
            if request in self._waiting:
                self._waiting.remove(request)
                self._tell_positions()
            if self._evaluated == {request}:
                self.context.interrupt(True)
            self._changed.notify()

    # --- the owner ---

    def _serve(self) -> None:
        while self._work_is_there():
            self._release_cancelled()
            self._begin_reading()
            for _ in range(_PIECES_A_TURN if self._sequences.writing() else 1):
                self._read_on()
            self._spread_drafts()
            self._write_on()
        self._end()

    def _work_is_there(self) -> bool:
        with self._changed:
            if self._idle():
                self._prefixes.save()
            while self._idle() and not self.closed:
                self._changed.wait()
            self._tell_positions()
            return not self.closed

    def _idle(self) -> bool:
        return not (self._waiting or self._reading or self._forks or self._sequences.writing())

    def _taken(self) -> set[int]:
        taken = {fork.origin.number for fork in self._forks}
        return taken | ({self._reading.slot.number} if self._reading else set())

    def _running(self) -> set[Request]:
        running = {slot.writer.request for slot in self._sequences.slots if slot.writer}
        running |= {fork.request for fork in self._forks}
        return running | ({self._reading.request} if self._reading else set())

    def _tell_positions(self) -> None:
        """Sets how many are served before each one that waits; called with the lock held."""
        if self._waiting:
            running = len(self._running())
            full = running >= len(self._sequences.slots)
            for place, request in enumerate(self._waiting):
                request.ahead = place + running if full or place else 0

    def _release_cancelled(self) -> None:
        self._drop([request for request in self._running() if request.cancelled])

    def _begin_reading(self) -> None:
        """Gives the next request a sequence, where one is free."""
        if self._reading or self._forks:
            return
        self._sequences.close_ranks((), None)
        free = self._sequences.free(())
        with self._changed:
            while self._waiting and self._waiting[0].cancelled:
                self._waiting.popleft()
            if not self._waiting or not free:
                return
            request = self._waiting.popleft()
            slot = self._sequences.choose(request, free)
            self._reading = _Reading(request, slot, iter(()))
        try:
            self._reading.pieces = self._sequences.prepare(slot, request)
        except Exception as error:  # ends this request, not the thread
            self._fail([request], error)

    def _read_on(self) -> None:
        """Evaluates the next piece of the prompt in hand; behind the last one, writing begins."""
        if (reading := self._reading) is None or self.closed:
            return
        request, slot = reading.request, reading.slot
        begin, end = next(reading.pieces)
        last = end == len(request.tokens)
        rows = range(begin, end)
        wanted = [len(rows) - 1] if last else []
        if not self._evaluate([request], request.tokens[begin:end], rows, [slot.number] * len(rows), wanted):
            return
        self._sequences.evaluated(slot, request, begin, end)
        if last:
            self._begin_writing(reading, self.context.logits(len(rows) - 1))

    def _begin_writing(self, reading: _Reading, logits: NDArray[np.float32]) -> None:
        request, slot = reading.request, reading.slot
        if request.drafts > 1:
            drafts = deque(range(1, request.drafts))
            self._forks.append(_Fork(request, slot, np.array(logits), drafts))
        self._sequences.close_ranks(self._taken(), slot.number)
        seat = self._sequences.seat(slot, self._taken())
        self._reading = None
        self._start(Writer(request, 0, self._sampling), seat, logits)

    def _spread_drafts(self) -> None:
        """Further drafts take the sequences that are free, and at last the one that the prompt was read
        in."""
        for fork in self._forks:
            while fork.drafts:
                target = self._sequences.beside(self._taken())
                slot = target or fork.origin
                if slot.writer is not None:
                    break
                if target is not None:
                    self._sequences.copy(fork.origin, slot)
                self.context.cut(slot.number, len(fork.request.tokens))
                draft = Writer(fork.request, fork.drafts.popleft(), self._sampling)
                self._start(draft, slot, fork.logits)
        self._forks = [fork for fork in self._forks if fork.drafts]

    def _write_on(self) -> None:
        """One more token of everything that is being written."""
        self._sequences.close_ranks(self._taken(), self._reading.slot.number if self._reading else None)
        writing = [(slot, slot.writer) for slot in self._sequences.slots if slot.writer]
        if not writing:
            return
        done = self._evaluate(
            list(dict.fromkeys(writer.request for _, writer in writing)),
            [writer.token for _, writer in writing],
            [writer.position for _, writer in writing],
            [slot.number for slot, _ in writing],
            range(len(writing)),
        )
        if done:
            for row, (slot, writer) in enumerate(writing):
                writer.position += 1
                self._take(slot, writer, self.context.logits(row))

    def _start(self, writer: Writer, slot: Slot, logits: NDArray[np.float32]) -> None:
        slot.writer = writer
        self._take(slot, writer, logits)

    def _take(self, slot: Slot, writer: Writer, logits: NDArray[np.float32]) -> None:
        """The next token of one draft; ends it where it ends."""
        request = writer.request
        try:
            more = writer.take(logits, self.vocabulary)
        except Exception as error:  # no number in the logits: this answer fails, not the others
            self._fail([request], error)
            return
        if not more:
            slot.writer = None
            request.unfinished -= 1
            if not request.unfinished:
                request.finish()

    def _evaluate(
        self,
        requests: Collection[Request],
        tokens: Sequence[int],
        positions: Sequence[int],
        sequences: Sequence[int],
        wanted: Sequence[int],
    ) -> bool:
        """False where it was given up or failed; the requests then hold no sequence any more."""
        with self._changed:
            if self.closed or all(request.cancelled for request in requests):
                self._drop([] if self.closed else requests)
                return False
            self._evaluated = set(requests)
            self.context.interrupt(False)
        try:
            self.context.evaluate(tokens, positions, sequences, wanted=wanted)
        except Interrupted:
            self._drop([] if self.closed else requests)
            return False
        except Exception as error:  # whatever llama.cpp raises ends these requests, not the thread
            self._fail(requests, error)
            return False
        finally:
            with self._changed:
                self._evaluated = set()
        return True

    def _drop(self, requests: Collection[Request]) -> None:
        """Takes their sequences from requests; what these hold of prompts stays."""
        for slot in self._sequences.slots:
            if slot.writer and slot.writer.request in requests:
                slot.writer = None
        self._forks = [fork for fork in self._forks if fork.request not in requests]
        if self._reading and self._reading.request in requests:
            self._reading = None

    def _fail(self, requests: Collection[Request], error: Exception) -> None:
        """Ends requests with an error; what their sequences hold is not relied on."""
        for slot in self._sequences.slots:
            if slot.writer and slot.writer.request in requests:
                slot.kept = []
        if self._reading and self._reading.request in requests:
            self._reading.slot.kept = []
        self._drop(requests)
        for request in requests:
            request.fail(error)

    def _end(self) -> None:
        with self._changed:
            left = [*self._running(), *self._waiting]
            self._waiting.clear()
        for request in left:
            request.finish(GenerationError(CLOSED))
        self._prefixes.save()
        self.context.close()
        self._dispose()
