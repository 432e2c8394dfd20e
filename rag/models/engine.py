"""One thread that owns a model's context and writes several answers at a time.

Each turn of the owner evaluates a piece or two of one prompt and then one token of every answer that is being
written, these in one call: running answers go on while a new question is read. Prompts are evaluated in
pieces whose borders depend on the prompt alone, and each sequence has memory of its own, so that the same
prompt gives the same answer, whatever was asked before. What is written beside others may differ in the last
bits of its logits, and so seldom in a word: of 56 real prompts all had the same text alone and five at a time
(SmolLM2-135M in Q4_1).

A stop is noticed at once by the reader; the owner gives up the piece in hand and frees the sequence. Requests
are served in order."""

from __future__ import annotations

import codecs
import contextlib
import itertools
import queue
import threading
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.errors import CitewiseError, GenerationError
from rag.models.generation import POLL, Pieces, Stop
from rag.models.native import Context, Interrupted, Judge, Model, Prefixes
from rag.types import Queued

_PIECES_A_TURN = 2  # the sooner a prompt is read, the more answers are written in one call
Values = Callable[[], NDArray[np.float16] | None]
"""What a context holds of the last token of a prompt: `Context.values`."""
CLOSED = "the language model was closed; open it again to go on"


class Request:
    """One question and its answer in the making. Its tokens are evaluated with `borders` at these numbers of
    them; those before the first one begin many prompts. `token` is chosen and not yet evaluated,
    `position` is its place.

    The engine calls `put`, and at last `finish` once; it looks at `cancelled` as often as it can, and sets
    `ahead`, how many are served before. The reader iterates over `follow`; leaving early cancels."""

    def __init__(
        self,
        tokens: list[int],
        *,
        max_tokens: int,
        borders: Sequence[int] = (),
        stop: Stop = None,
    ) -> None:
        self.tokens = tokens
        self.max_tokens = max_tokens
        self.borders = tuple(border for border in borders if border < len(tokens))
        self.stable = self.borders[0] if self.borders else 0
        self.token, self.position = -1, len(tokens)
        self.ahead = 0
        self.on_cancel: Callable[[Request], None] = lambda request: None
        self._stop = stop
        self._gone = threading.Event()
        self._pieces: queue.SimpleQueue[str | Exception | None] = queue.SimpleQueue()
        # A character may span tokens; one that is cut off by the end is left out.
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    @property
    def cancelled(self) -> bool:
        """Whether nobody wants more."""
        return self._gone.is_set() or (self._stop is not None and self._stop.is_set())

    def cancel(self) -> None:
        self._gone.set()
        self.on_cancel(self)

    def put(self, piece: str) -> None:
        if piece:
            self._pieces.put(piece)

    def finish(self, error: Exception | None = None) -> None:
        """The end: None for a good one."""
        self._pieces.put(error)

    def follow(self) -> Pieces:
        """The pieces, and while there are none yet, each new number of those that are served before."""
        position = 0
        try:
            while not self.cancelled:
                try:
                    piece = self._pieces.get(timeout=POLL)
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

    def take(self, logits: NDArray[np.float32], model: Model, values: Values) -> bool:
        """Chooses the next token and delivers it; False where the answer ends."""
        self.token = likeliest(logits)
        if model.is_end(self.token) or self.cancelled:
            return False
        self.put(self._decoder.decode(model.bytes_of(self.token)))
        return self.position + 1 - len(self.tokens) < self.max_tokens


class Odds(Request):
    """Asks for no word, but for `value`: the natural log-odds that the next token is one of `yes` against one
    of `no`, or in their place what `judge` says; None until it is known."""

    def __init__(
        self,
        tokens: list[int],
        *,
        yes: Collection[int],
        no: Collection[int],
        judge: Judge | None = None,
        **how: Any,
    ) -> None:
        super().__init__(tokens, max_tokens=0, **how)
        self.value: float | None = None
        self._yes, self._no, self._judge = list(yes), list(no), judge

    def take(self, logits: NDArray[np.float32], model: Model, values: Values) -> bool:
        likeliest(logits)
        yes, no = (np.logaddexp.reduce(logits[each].astype(np.float64)) for each in (self._yes, self._no))
        self.value = float(yes - no)
        if self._judge and (held := values()) is not None:
            self.value = self._judge.odds(held)
        return False


def likeliest(logits: NDArray[np.float32]) -> int:
    """The next token for logits of shape (vocabulary,), of equals the lowest. Raises GenerationError where
    the model computed no numbers."""
    best = int(np.argmax(logits))
    if not np.isfinite(logits[best]):
        raise GenerationError("the language model computed no valid next word; its file may be damaged")
    return best


def cuts(length: int, borders: Iterable[int], size: int, start: int = 0) -> Iterator[tuple[int, int]]:
    """The pieces [begin, end) in which a prompt of `length` tokens is evaluated from `start` on: at most
    `size` long, and none across one of its `borders`, so that what stands before them is computed alike
    whatever follows."""
    for border in sorted({*borders, length}):
        while start < border:
            end = min(start + size, border)
            yield start, end
            start = end


def shared(kept: Sequence[int], pieces: Iterable[tuple[int, int]], request: Request, size: int) -> int:
    """Tokens of the common beginning that need no evaluation, where `kept` were evaluated in these `pieces`:
    as long as those are the request's own, leaving at least one token to evaluate."""
    same = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(kept, request.tokens[:-1], strict=False))
    common, own = sum(1 for _ in same), cuts(len(request.tokens), request.borders, size)
    pairs = zip(pieces, own, strict=False)
    held = itertools.takewhile(lambda pair: pair[0] == pair[1] and pair[1][1] <= common, pairs)
    return max((piece[1] for piece, _ in held), default=0)


@dataclass(slots=True, eq=False)
class Slot:
    """A sequence. `kept` are the tokens whose keys and values it surely holds, from its start, computed in
    the pieces `done`; `used` grows with each use. `pieces` of the prompt of its `request` are still to be
    read; None while the answer is written."""

    number: int
    kept: list[int] = field(default_factory=list)
    done: list[tuple[int, int]] = field(default_factory=list)
    used: int = 0
    request: Request | None = None
    pieces: Iterator[tuple[int, int]] | None = None

    def release(self) -> None:
        self.request = self.pieces = None


class Engine:
    """The context, and the only thread that touches it; at the end it frees the model, too. Does not refer to
    its `LlamaCpp`, so that that one can be collected."""

    def __init__(self, context: Context, model: Model, *, slice_tokens: int, prefixes: Prefixes) -> None:
        self.context = context
        self.closed = False
        self._model = model
        self._slots = [Slot(number) for number in range(context.sequences)]
        self._slice = slice_tokens
        self._prefixes = prefixes
        self._clock = itertools.count(1)
        self._changed = threading.Condition()
        self._waiting: deque[Request] = deque()
        self._evaluated: set[Request | None] = set()  # whose tokens are being computed now
        self._thread = threading.Thread(target=self._serve, name="citewise-llama", daemon=True)
        self._thread.start()

    # --- for other threads ---

    @property
    def running(self) -> list[Request]:
        """What is being read or written."""
        return [request for slot in self._slots if (request := slot.request)]

    def offer(self, request: Request) -> None:
        """Queues a request. Raises GenerationError once the engine is closed."""
        with self._changed:
            if self.closed:
                raise GenerationError(CLOSED)
            request.on_cancel = self._give_up
            self._waiting.append(request)
            self._set_places()
            self._changed.notify()

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
                self._set_places()
            if self._evaluated == {request}:
                self.context.interrupt(True)

    # --- the owner ---

    def _serve(self) -> None:
        while self._work_is_there():
            for _ in range(_PIECES_A_TURN):
                self._begin()
                self._read()
            self._write()
        with self._changed:
            left = [*self.running, *self._waiting]
        for request in left:
            request.finish(GenerationError(CLOSED))
        self.context.close()
        self._model.close()

    def _work_is_there(self) -> bool:
        with self._changed:
            for slot in self._slots:
                if slot.request and slot.request.cancelled:
                    slot.release()
            self._set_places()
            self._changed.wait_for(lambda: self.closed or self._waiting or self.running)
            return not self.closed

    def _set_places(self) -> None:
        """How many are served before each one that waits; called with the lock held."""
        running = len(self.running)
        for place, request in enumerate(self._waiting):
            request.ahead = place + running if running >= len(self._slots) or place else 0

    def _begin(self) -> None:
        """Gives the next request a free sequence, where no other prompt is being read: the one that still
        holds most of its beginning; of equals, the one unused for longest. What it can use stays there, its
        own beginning or that of every prompt."""
        free = [slot for slot in self._slots if slot.request is None]
        with self._changed:
            if not (free and self._waiting) or any(slot.pieces for slot in self._slots):
                return
            request = self._waiting.popleft()
            slot = max(free, key=lambda slot: (self._held(slot, request), -slot.used))
            slot.request, slot.used = request, next(self._clock)
            self._set_places()
        with self._sparing([slot]):
            start, slot.kept = self._held(slot, request), []
            own = list(cuts(len(request.tokens), request.borders, self._slice))
            if start < request.stable and (state := self._prefixes.get(request.tokens[: request.stable])):
                start = request.stable if self.context.restore(slot.number, state) else 0
            start = self.context.cut(slot.number, start)
            slot.kept, slot.done = request.tokens[:start], [piece for piece in own if piece[1] <= start]
            slot.pieces = iter(own[len(slot.done) :])

    def _held(self, slot: Slot, request: Request) -> int:
        return shared(slot.kept, slot.done, request, self._slice)

    def _read(self) -> None:
        """Evaluates the next piece of the prompt in hand; behind the last one, writing begins."""
        slot = next((slot for slot in self._slots if slot.pieces), None)
        if self.closed or slot is None or slot.request is None or slot.pieces is None:
            return
        request, (begin, end) = slot.request, next(slot.pieces)
        size, last = end - begin, end == len(request.tokens)
        with self._sparing([slot]):
            wanted = [size - 1] if last else []
            self._evaluate([slot] * size, request.tokens[begin:end], range(begin, end), wanted)
            slot.kept += request.tokens[begin:end]
            slot.done.append((begin, end))
            if end == request.stable:
                self._prefixes.put(request.tokens[:end], self.context.state(slot.number))
            if last:
                slot.pieces = None
                self._take(slot, request, size - 1)

    def _write(self) -> None:
        """One more token of everything that is being written."""
        writing = [(slot, slot.request) for slot in self._slots if slot.request and not slot.pieces]
        if not writing:
            return
        slots, requests = zip(*writing, strict=True)
        with self._sparing(slots):
            positions = [request.position for request in requests]
            self._evaluate(slots, [request.token for request in requests], positions, range(len(slots)))
            for row, (slot, request) in enumerate(writing):
                request.position += 1
                with self._sparing([slot]):
                    self._take(slot, request, row)

    def _take(self, slot: Slot, request: Request, row: int) -> None:
        values = partial(self.context.values, slot.number, len(slot.kept))
        if not request.take(self.context.logits(row), self._model, values):
            slot.release()
            request.finish()

    def _evaluate(
        self, slots: Sequence[Slot], tokens: Sequence[int], positions: Sequence[int], wanted: Sequence[int]
    ) -> None:
        """One row for each token. Raises Interrupted where it is given up."""
        with self._changed:
            if self.closed:
                raise Interrupted
            self._evaluated = {slot.request for slot in slots}
            self.context.interrupt(False)
        self.context.evaluate(tokens, positions, [slot.number for slot in slots], wanted=wanted)

    @contextlib.contextmanager
    def _sparing(self, slots: Sequence[Slot]) -> Iterator[None]:
        """What goes wrong ends the requests of these slots, whose memory is not relied on then, and spares
        the thread and all others."""
        try:
            yield
        except Interrupted:  # closed, or nobody wants it any more
            for slot in [] if self.closed else slots:
                slot.release()
        except Exception as error:  # whatever llama.cpp raises
            if not isinstance(error, CitewiseError):
                said = f"the language model failed while writing ({error}); ask again, or use another model"
                error = GenerationError(said).with_traceback(error.__traceback__)
            for slot in slots:
                if slot.request:
                    slot.request.finish(error)
                slot.kept = []
                slot.release()
