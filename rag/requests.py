"""One question to a model on its way through the engine, and each of its drafts in the making."""

from __future__ import annotations

import codecs
import threading
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from rag.errors import CitewiseError, GenerationError
from rag.generation import Delivery, Piece
from rag.native import Vocabulary
from rag.sampling import Chooser, Sampling
from rag.thoughts import Thoughts


class Request(Delivery[Piece]):
    """One question. `stable` tokens at its beginning are those of every prompt; draft 0 is greedy, the other
    `drafts` are drawn by `seed`."""

    def __init__(
        self,
        tokens: list[int],
        *,
        stable: int = 0,
        max_tokens: int,
        drafts: int = 1,
        seed: int = 0,
        stop: threading.Event | None = None,
    ) -> None:
        super().__init__(stop)
        self.tokens = tokens
        self.stable = min(stable, len(tokens) - 1)
        self.max_tokens = max_tokens
        self.seed = seed
        self.drafts = drafts
        self.unfinished = drafts
        self.on_cancel: Callable[[Request], None] = lambda request: None

    def cancel(self) -> None:
        super().cancel()
        self.on_cancel(self)

    def fail(self, error: Exception) -> None:
        """Ends with an error that the reader can act on."""
        if not isinstance(error, CitewiseError):
            wrapped = GenerationError(
                f"the language model failed while writing ({error}); ask again, or use another model"
            )
            wrapped.__cause__ = error
            error = wrapped
        self.finish(error)


class Writer:
    """One draft in the making."""

    def __init__(self, request: Request, draft: int, sampling: Sampling) -> None:
        self.request = request
        self.draft = draft
        self.position = len(request.tokens)  # of the next token
        self.token = -1  # chosen, not yet evaluated
        self._count = 0
        self._chooser = Chooser(request.seed, draft, sampling)
        self._thoughts = Thoughts()
        # A character may span tokens; one that is cut off by the end is left out.
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def take(self, logits: NDArray[np.float32], vocabulary: Vocabulary) -> bool:
        """Chooses the next token and delivers it; False where the draft ends."""
        self.token = self._chooser.choose(logits)
        if vocabulary.is_end(self.token) or self.request.cancelled:
            self._deliver(self._thoughts.flush())
            return False
        self._deliver(self._thoughts.feed(self._decoder.decode(vocabulary.bytes_of(self.token))))
        self._count += 1
        if self._count < self.request.max_tokens:
            return True
        self._deliver(self._thoughts.flush())
        return False

    def _deliver(self, text: str) -> None:
        if text:
            self.request.put(Piece(text, self.draft))
