"""One thread that owns a model and writes several answers at a time.

Each turn of the owner evaluates at most one piece of one prompt and then one token of every answer that is
being written, all in one call: running answers go on while a new question is read. Prompts are evaluated in
pieces whose borders depend on the prompt alone, and each sequence has memory of its own, so that the same
prompt gives the same answer to the last bit, whatever was asked before and whatever is written beside it
(measured for Q4_1 without flash attention; see `rag.native`).

A stop is heard at once by the reader; the owner gives up the piece in hand and frees the sequence. Requests
are served in order; those for another adapter wait until what runs has ended."""

from __future__ import annotations

import codecs
import itertools
import threading
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from rag import slots
from rag.errors import CitewiseError, GenerationError
from rag.generation import Delivery, Piece
from rag.kvstate import Prefixes
from rag.native import Context, Interrupted, Vocabulary
from rag.sampling import Chooser, Sampling

WAITING = 64
CLOSED = "the language model was closed; open it again to go on"
# Pieces of a prompt that are read between two tokens of the answers that are being written.
_PIECES_A_TURN = 2


class Request(Delivery[Piece]):
    """One question. `stable` tokens at its beginning are those of every prompt; draft 0 is greedy, the other
    `drafts` are drawn by `seed`."""

    def __init__(
        self,
        tokens: list[int],
        *,
        stable: int = 0,
        max_tokens: int,
        adapter: str = "",
        drafts: int = 1,
        seed: int = 0,
        stop: threading.Event | None = None,
    ) -> None:
        super().__init__(stop)
        self.tokens = tokens
        self.stable = min(stable, len(tokens) - 1)
        self.max_tokens = max_tokens
        self.adapter = adapter
        self.seed = seed
        self.drafts = drafts
        self.unfinished = drafts
        self.on_cancel: Callable[[Request], None] = lambda request: None

    def cancel(self) -> None:
        super().cancel()
        self.on_cancel(self)


class _Writer:
    """One draft in the making."""

    def __init__(self, request: Request, draft: int, sampling: Sampling) -> None:
        self.request = request
        self.draft = draft
        self.position = len(request.tokens)  # of the next token
        self.token = -1  # chosen, not yet evaluated
        self._count = 0
        self._chooser = Chooser(request.seed, draft, sampling)
        # A character may span tokens; one that is cut off by the end is left out.
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def take(self, logits: NDArray[np.float32], vocabulary: Vocabulary) -> bool:
        """Chooses the next token and delivers it; False where the draft ends."""
        self.token = self._chooser.choose(logits)
        if vocabulary.is_end(self.token) or self.request.cancelled:
            return False
        if text := self._decoder.decode(vocabulary.bytes_of(self.token)):
            self.request.put(Piece(text, self.draft))
        self._count += 1
        return self._count < self.request.max_tokens


@dataclass(slots=True, eq=False)
class _Slot:
    """A sequence of the context. `kept` are the tokens whose keys and values it surely holds, from its
    start."""

    number: int
    kept: list[int] = field(default_factory=list)
    stable: int = 0
    adapter: str = ""
    used: int = 0
    writer: _Writer | None = None


@dataclass(slots=True)
class _Reading:
    """A prompt that is being evaluated in a slot."""

    request: Request
    slot: _Slot
    pieces: Iterator[tuple[int, int]]


@dataclass(slots=True)
class _Fork:
    """Drafts that begin where a prompt was read, and wait for a sequence; `origin` holds the prompt."""

    request: Request
    origin: _Slot
    logits: NDArray[np.float32]
    drafts: deque[int]


class Engine:
    """The context, and the only thread that touches it. Does not refer to its `LlamaCpp`, so that that one
    can be collected."""

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
        self._slice = slice_tokens
        self._prefixes = prefixes
        self._sampling = sampling or Sampling()
        self._dispose = dispose
        self._slots = [_Slot(n) for n in range(context.sequences)]
        self._clock = itertools.count(1)
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
        """Ends what runs, answers what waits with an error, frees the native memory."""
        with self._changed:
            self.closed = True
            self.context.interrupt(True)
            self._changed.notify()
        if threading.current_thread() is not self._thread:
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
            for _ in range(_PIECES_A_TURN if self._writing() else 1):
                self._read_on()
            self._spread_drafts()
            self._write_on()
        self._end()

    def _work_is_there(self) -> bool:
        with self._changed:
            if self._idle() and not self.closed:
                self._prefixes.save()
            while self._idle() and not self.closed:
                self._changed.wait()
            return not self.closed

    def _idle(self) -> bool:
        return not (self._waiting or self._reading or self._forks or self._writing())

    def _writing(self) -> list[_Slot]:
        return [slot for slot in self._slots if slot.writer is not None]

    def _free(self) -> list[_Slot]:
        taken = {fork.origin.number for fork in self._forks}
        if self._reading:
            taken.add(self._reading.slot.number)
        return [s for s in self._slots if s.writer is None and s.number not in taken]

    def _running(self) -> set[Request]:
        running = {slot.writer.request for slot in self._slots if slot.writer}
        running |= {fork.request for fork in self._forks}
        return running | ({self._reading.request} if self._reading else set())

    def _tell_positions(self) -> None:
        """Sets how many are served before each one that waits; called with the lock held."""
        running = len(self._running())
        full = running >= len(self._slots)
        for place, request in enumerate(self._waiting):
            request.ahead = place + running if full or place else 0

    def _release_cancelled(self) -> None:
        for slot in self._writing():
            if slot.writer and slot.writer.request.cancelled:
                slot.writer = None
        self._forks = [fork for fork in self._forks if not fork.request.cancelled]
        if self._reading and self._reading.request.cancelled:
            self._reading = None

    def _begin_reading(self) -> None:
        """Gives the next request a sequence: the one that still holds most of its beginning."""
        if self._reading or self._forks:
            return
        self._close_ranks()
        with self._changed:
            while self._waiting and self._waiting[0].cancelled:
                self._waiting.popleft()
            free = self._free()
            if not self._waiting or not free:
                return
            running = self._running()
            if any(other.adapter != self._waiting[0].adapter for other in running):
                return
            request = self._waiting.popleft()
            slot, start = max(
                ((s, self._held(s, request)) for s in free), key=lambda pair: (pair[1], -pair[0].used)
            )
            self._reading = _Reading(request, slot, iter(()))
            self._tell_positions()
        try:
            self._prepare(request, slot, start)
        except Exception as error:  # ends this request, not the thread
            self._fail([request], error)
            self._reading = None

    def _held(self, slot: _Slot, request: Request) -> int:
        if (slot.adapter, slot.stable) != (request.adapter, request.stable):
            return 0
        return slots.shared(slot.kept, request.tokens, request.stable, self._slice)

    def _prepare(self, request: Request, slot: _Slot, start: int) -> None:
        """Leaves in the slot what the request can use: its own beginning, or that of every prompt."""
        self.context.use_adapter(request.adapter)
        beginning = request.tokens[: request.stable]
        if start < request.stable and (state := self._prefixes.get(request.adapter, beginning)):
            start = request.stable if self.context.restore(slot.number, state) else 0
        if not self.context.cut(slot.number, start):
            start = 0
        slot.kept, slot.stable = request.tokens[:start], request.stable
        slot.adapter, slot.used = request.adapter, next(self._clock)
        pieces = slots.cuts(len(request.tokens), request.stable, self._slice, start)
        self._reading = _Reading(request, slot, pieces)

    def _read_on(self) -> None:
        """Evaluates the next piece of the prompt in hand; behind the last one, writing begins."""
        if (reading := self._reading) is None:
            return
        request, slot = reading.request, reading.slot
        begin, end = next(reading.pieces)
        last = end == len(request.tokens)
        rows = range(begin, end)
        done = self._evaluate(
            [request], request.tokens[begin:end], rows, [slot.number] * len(rows), [len(rows) - 1] * last
        )
        if not done:
            self._reading = None
            return
        if len(rows) == self._slice or end == request.stable:
            slot.kept += request.tokens[begin:end]
        beginning = request.tokens[: request.stable]
        if end == request.stable and self._prefixes.wants(request.adapter, beginning):
            self._prefixes.put(request.adapter, beginning, self.context.state(slot.number))
        if last:
            self._reading = None
            self._begin_writing(request, slot, self.context.logits(len(rows) - 1))

    def _begin_writing(self, request: Request, slot: _Slot, logits: NDArray[np.float32]) -> None:
        if request.drafts > 1:
            drafts = deque(range(1, request.drafts))
            self._forks.append(_Fork(request, slot, np.array(logits), drafts))
        self._close_ranks()
        numbers = [s.number for s in self._writing()]
        free = [s.number for s in self._free()]
        seat = slot
        if numbers and slot.number not in (min(numbers) - 1, max(numbers) + 1):
            target = slots.beside(numbers, free)
            if target is not None and target in (min(numbers) - 1, max(numbers) + 1):
                seat = self._move(slot, self._slots[target])
        self._start(_Writer(request, 0, self._sampling), seat, logits)

    def _spread_drafts(self) -> None:
        """Further drafts take the sequences that are free, and at last the one that the prompt was read
        in."""
        for fork in self._forks:
            while fork.drafts:
                numbers = [s.number for s in self._writing()]
                target = slots.beside(numbers, [s.number for s in self._free()])
                slot = fork.origin if target is None else self._slots[target]
                if slot.writer is not None:
                    break
                if slot is not fork.origin:
                    self._move(fork.origin, slot)
                self.context.cut(slot.number, len(fork.request.tokens))
                draft = _Writer(fork.request, fork.drafts.popleft(), self._sampling)
                self._start(draft, slot, fork.logits)
        self._forks = [fork for fork in self._forks if fork.drafts]

    def _start(self, writer: _Writer, slot: _Slot, logits: NDArray[np.float32]) -> None:
        slot.writer = writer
        self._take(slot, logits)

    def _write_on(self) -> None:
        """One more token of everything that is being written."""
        self._close_ranks()
        writing = self._writing()
        writers = [slot.writer for slot in writing if slot.writer]
        if not writers:
            return
        rows = range(len(writers))
        requests = list(dict.fromkeys(writer.request for writer in writers))
        done = self._evaluate(
            requests,
            [writer.token for writer in writers],
            [writer.position for writer in writers],
            [slot.number for slot in writing],
            rows,
        )
        if done:
            for row, slot, writer in zip(rows, writing, writers, strict=True):
                writer.position += 1
                self._take(slot, self.context.logits(row))

    def _take(self, slot: _Slot, logits: NDArray[np.float32]) -> None:
        """The next token of one draft; ends it where it ends."""
        assert slot.writer is not None
        request = slot.writer.request
        try:
            more = slot.writer.take(logits, self.vocabulary)
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
        requests: list[Request],
        tokens: Sequence[int],
        positions: Sequence[int],
        sequences: Sequence[int],
        wanted: Sequence[int],
    ) -> bool:
        """False where it was given up or failed; the requests have been told."""
        with self._changed:
            if self.closed or all(request.cancelled for request in requests):
                self._drop(requests)
                return False
            self._evaluated = set(requests)
            self.context.interrupt(False)
        try:
            self.context.evaluate(tokens, positions, sequences, wanted=wanted)
        except Interrupted:
            self._drop(requests)
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
        for slot in self._slots:
            if slot.writer and slot.writer.request in requests:
                slot.writer = None
        self._forks = [fork for fork in self._forks if fork.request not in requests]

    def _fail(self, requests: Collection[Request], error: Exception) -> None:
        for slot in self._slots:
            if slot.writer and slot.writer.request in requests:
                slot.kept = []
        if self._reading and self._reading.request in requests:
            self._reading.slot.kept = []
        self._drop(requests)
        for request in requests:
            request.finish(_as_generation_error(error))

    def _close_ranks(self) -> None:
        """Brings what is written side by side, so that it is computed together."""
        numbers = [s.number for s in self._writing()]
        reading = self._reading.slot.number if self._reading else None
        for source, target in slots.moves(numbers, [s.number for s in self._free()], reading):
            moved, self._slots[source].writer = self._slots[source].writer, None
            self._move(self._slots[source], self._slots[target]).writer = moved

    def _move(self, source: _Slot, target: _Slot) -> _Slot:
        """Makes `target` hold what `source` holds; copying took 6 ms for 1,024 tokens of SmolLM2-135M."""
        self.context.copy(source.number, target.number)
        target.kept, target.stable = list(source.kept), source.stable
        target.adapter, target.used = source.adapter, next(self._clock)
        return target

    def _end(self) -> None:
        with self._changed:
            left = [*self._running(), *self._waiting]
            self._waiting.clear()
        for request in left:
            request.finish(GenerationError(CLOSED))
        self._prefixes.save()
        self.context.close()
        self._dispose()


def _as_generation_error(error: Exception) -> Exception:
    if isinstance(error, CitewiseError):
        return error
    wrapped = GenerationError(
        f"the language model failed while writing ({error}); ask again, or use another model"
    )
    wrapped.__cause__ = error
    return wrapped
