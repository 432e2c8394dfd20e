"""Which token comes next: the likeliest, or one drawn from the likeliest few."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag.errors import GenerationError


@dataclass(frozen=True, slots=True)
class Sampling:
    """How further drafts are drawn: logits divided by `temperature`, of them the `top_k` largest, of these
    the smallest set whose probability reaches `top_p` (nucleus sampling, Holtzman et al. 2020,
    arXiv:1904.09751).
    """

    temperature: float = 0.7
    top_k: int = 40
    top_p: float = 0.95


class Chooser:
    """The choices of one draft. Draft 0 is greedy; draft n draws from its own generator, seeded by `seed` and
    n, so that the same question gets the same drafts."""

    def __init__(self, seed: int, draft: int, sampling: Sampling) -> None:
        self._sampling = sampling
        self._random = np.random.default_rng([seed, draft]) if draft else None

    def choose(self, logits: NDArray[np.float32]) -> int:
        """A token id for logits of shape (vocabulary,). Of equally likely ones, greedy takes the lowest id.
        Raises GenerationError where the model computed no numbers."""
        best = int(np.argmax(logits))
        if not np.isfinite(logits[best]):
            raise GenerationError("the language model computed no valid next word; its file may be damaged")
        if self._random is None:
            return best
        return drawn(logits, self._sampling, float(self._random.random()))


def drawn(logits: NDArray[np.float32], sampling: Sampling, point: float) -> int:
    """The token at `point` (0 <= point < 1) of the distribution that is left, most likely first."""
    count = min(sampling.top_k, len(logits))
    likely = np.argpartition(logits, -count)[-count:]
    likely = likely[np.lexsort((likely, -logits[likely]))]
    scaled = logits[likely].astype(np.float64) / sampling.temperature
    weights = np.exp(scaled - scaled[0])
    share = np.cumsum(weights / weights.sum())
    nucleus = int(np.searchsorted(share, sampling.top_p)) + 1
    within = share[:nucleus] / share[min(nucleus, count) - 1]
    return int(likely[min(int(np.searchsorted(within, point, side="right")), len(within) - 1)])
