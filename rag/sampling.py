"""Which token comes next: the likeliest, or one drawn from the likely ones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rag.errors import GenerationError

TEMPERATURE, TOP_P = 0.7, 0.95
"""How further drafts are drawn: logits divided by the temperature, of them the smallest set whose probability
reaches `TOP_P` (nucleus sampling, Holtzman et al. 2020, arXiv:1904.09751)."""


class Chooser:
    """The choices of one draft. Draft 0 is greedy; each other one draws from a generator of its own, seeded
    by the prompt and its number, so that the same question gets the same drafts."""

    def __init__(self, prompt: Sequence[int], draft: int) -> None:
        self._random = np.random.default_rng([*prompt, draft]) if draft else None

    def choose(self, logits: NDArray[np.float32]) -> int:
        """A token id for logits of shape (vocabulary,). Of equally likely ones, greedy takes the lowest id.
        Raises GenerationError where the model computed no numbers."""
        best = int(np.argmax(logits))
        if not np.isfinite(logits[best]):
            raise GenerationError("the language model computed no valid next word; its file may be damaged")
        if self._random is None:
            return best
        likely = np.argsort(-logits, kind="stable")
        weights = np.exp((logits[likely].astype(np.float64) - float(logits[best])) / TEMPERATURE)
        share = np.cumsum(weights)
        nucleus = int(np.searchsorted(share, TOP_P * share[-1])) + 1
        point = float(self._random.random()) * share[nucleus - 1]
        return int(likely[min(int(np.searchsorted(share, point, side="right")), nucleus - 1)])
