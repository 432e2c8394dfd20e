"""The learned order: a weighted sum of `rag.features`, shipped as ranker.json.

`citewise tune` fits the weights by the softmax of each question's pool (ListNet's top-one loss; Cao et al.,
2007), each with the sign that its feature may have, then one scale and bias that make the sum a probability
(Platt, 1999). Boosted trees over the same features ordered held-out questions no better, and those over kinds
of documents that they had not seen far worse. A weight says what a feature is worth: `explain` shows it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.errors import ConfigError
from rag.features import FEATURES

SHIPPED = Path(__file__).with_name("ranker.json")
# In an index's folder: its own ranker and threshold, made by `citewise tune`.
TUNED = "tuned.json"
_LARGEST = 1e9
_DAMAGES = (OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError)
# exp() of more overflows; the probability is 0 or 1 to all digits long before.
_LARGEST_ODDS = 700.0


@dataclass(frozen=True, slots=True)
class Ranker:
    """`weights` of shape (len(FEATURES),); `scale` and `bias` turn their sum into log-odds. `threshold` is
    the evidence score below which a question is refused, None for the calibrated one."""

    weights: NDArray[np.float64]
    scale: float = 1.0
    bias: float = 0.0
    threshold: float | None = None

    def parts(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """What each feature adds to the log-odds: the shape of `rows`, (n, len(FEATURES))."""
        result: NDArray[np.float64] = np.nan_to_num(rows) * (self.scale * self.weights)
        return result

    def probability(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n,), 0 to 1: that a passage holds evidence."""
        odds = np.clip(self.parts(rows).sum(axis=1) + self.bias, -_LARGEST_ODDS, _LARGEST_ODDS)
        result: NDArray[np.float64] = 1.0 / (1.0 + np.exp(-odds))
        return result

    def to_json(self) -> str:
        """What `parse` reads, to five significant digits."""
        weights = {name: _short(w) for name, w in zip(FEATURES, self.weights, strict=True)}
        data: dict[str, Any] = {"weights": weights, "scale": _short(self.scale), "bias": _short(self.bias)}
        if self.threshold is not None:
            data["threshold"] = _short(self.threshold)
        return json.dumps(data, indent=1)


def _short(value: float) -> float:
    return float(f"{float(value):.5g}")


def load_ranker(path: Path | None = None) -> Ranker:
    """The shipped ranker, or one from `path`; read once for each state of the file. Raises ConfigError where
    it cannot be read or does not fit this version's features."""
    file = path or SHIPPED
    try:
        state = file.stat()
    except OSError as error:
        raise ConfigError(f"The ranker {file} cannot be read ({error.strerror}).") from error
    return _load(file, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=4)
def _load(file: Path, changed_ns: int, size: int) -> Ranker:
    try:
        return parse(json.loads(file.read_text(encoding="utf-8")))
    except _DAMAGES as error:
        problem = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        mend = (
            "It is part of Citewise: install that again."
            if file == SHIPPED
            else "Make it anew with: citewise tune SET; or delete it: then the shipped one is used."
        )
        raise ConfigError(f"{file} is no ranker for this version of Citewise ({problem}). {mend}") from error


def parse(data: Mapping[str, Any]) -> Ranker:
    """A ranker from its JSON form. Raises ValueError, LookupError, TypeError, AttributeError,
    ArithmeticError."""
    weights = data["weights"]
    if set(weights) != set(FEATURES):
        odd = sorted(set(weights) ^ set(FEATURES))
        raise ValueError(f"its features are not this version's: {', '.join(odd)}")
    values = np.array([float(weights[name]) for name in FEATURES])
    scale, bias = float(data["scale"]), float(data["bias"])
    threshold = None if data.get("threshold") is None else float(data["threshold"])
    if not (np.abs([*values, scale, bias, threshold or 0.0]) < _LARGEST).all():
        raise ValueError("a weight is not a finite number of a sane size")
    if scale <= 0:
        raise ValueError(f"its scale is {scale}, which would turn the order around")
    if threshold is not None and not 0.0 <= threshold <= 1.0:
        raise ValueError(f"its threshold is {threshold}, which is no probability")
    return Ranker(values, scale, bias, threshold)
