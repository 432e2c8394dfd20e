"""Whether sources state an answer, read from inside a language model.

Halfway up, a small model knows more of whether the sources answer the question than its yes or no says: a
linear classifier over what its middle layers hold ("probe"; Azaria and Mitchell, "The Internal State of an
LLM Knows When It's Lying", 2023) tells it better than the odds of the reply. It reads the place in front of
the answer, which tells more than the one behind a question for yes or no, above all of near misses.
judge.json has the weights of each model and what they were fitted to; `scripts/fit_judge.py` fits them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from rag.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Judge:
    """`weights` of shape (len(layers), width) for the value vectors of these `layers`."""

    layers: tuple[int, ...]
    weights: NDArray[np.float32]
    bias: float

    def odds(self, values: NDArray[np.float16]) -> float:
        """How sure it is that the sources state the answer, on the scale of a model's log-odds of yes against
        no, by the value vectors of all its layers behind the prompt: shape (layers of the model, width)."""
        held = values[list(self.layers)].astype(np.float32)
        return float((held * self.weights).sum()) + self.bias


@cache
def judge_of(model: str) -> Judge | None:
    """The one for a model of the registry; None where there is none. Raises ConfigError for weights of
    another shape."""
    data = json.loads(files("rag.models").joinpath("judge.json").read_text("utf-8")).get(model)
    if data is None:
        return None
    weights = np.array(data["weights"], dtype=np.float32)
    if weights.shape[:1] != (len(data["layers"]),) or weights.ndim != 2:
        raise ConfigError("rag/models/judge.json is damaged. Reinstall citewise.")
    return Judge(tuple(data["layers"]), weights, data["bias"])
