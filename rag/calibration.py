"""Weights that turn signals into probabilities, fitted by `scripts/calibrate.py` and shipped as
calibration.json.

Two logistic models for each mode of retrieval ("dense": question and passage vectors were compared;
"lexical": words alone): `sentence`, the probability that a sentence holds the answer, and `answer`, the
probability that the sentences found do. The threshold on the second is what a question is refused below."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from rag.errors import ConfigError
from rag.signals import SENTENCE_SIGNALS
from rag.sufficiency import ANSWER_SIGNALS


@dataclass(frozen=True, slots=True)
class Logistic:
    """A logistic regression over named signals in 0..1."""

    weights: NDArray[np.float64]
    bias: float

    def probability(self, signals: NDArray[np.float64]) -> NDArray[np.float64]:
        """For rows of signals (n, d) or one row (d,): probabilities (n,) or a scalar array."""
        result: NDArray[np.float64] = 1.0 / (1.0 + np.exp(-(signals @ self.weights + self.bias)))
        return result


@dataclass(frozen=True, slots=True)
class Calibration:
    sentence: Logistic
    answer: Logistic
    threshold: float


@lru_cache(maxsize=4)
def load_calibration(mode: str) -> Calibration:
    """The shipped weights for "dense" or "lexical". Raises ConfigError when the file does not fit this
    version's signals."""
    data = json.loads(files("rag").joinpath("calibration.json").read_text("utf-8"))[mode]
    return Calibration(
        _logistic(data["sentence"], SENTENCE_SIGNALS),
        _logistic(data["answer"], ANSWER_SIGNALS),
        float(data["threshold"]),
    )


def _logistic(data: dict[str, float], names: tuple[str, ...]) -> Logistic:
    missing = [n for n in names if n not in data]
    if missing or len(data) != len(names) + 1:
        raise ConfigError(
            "rag/calibration.json does not fit this version of the program "
            f"(missing signals: {', '.join(missing) or 'none'}). "
            "Reinstall citewise, or refit it with scripts/calibrate.py."
        )
    return Logistic(np.array([data[n] for n in names]), float(data["bias"]))
