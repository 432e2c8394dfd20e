"""Weights of the ranker from questions whose evidence is known: pure numerics.

The loss of a question is -log of the softmax share that its passages with evidence have of the whole pool
(ListNet's top-one loss; Cao et al., "Learning to Rank: From Pairwise Approach to Listwise Approach", 2007),
plus a penalty that pulls each weight towards the one it had before: few questions change little. Weights keep
the sign that their feature may have: features that say nearly the same would else take opposite weights,
which fits the questions at hand and fails on other documents."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag.errors import InputError
from rag.features import FEATURES
from rag.ranker import Ranker

# Features that may speak for or against, and those that can only speak against. All others can only speak for
# a passage.
_EITHER = frozenset({"table", "article", "length", "opening", "numbers"})
_AGAINST = frozenset({"rarest_missing", "headings_only", "place", "superseded"})
# Questions that a weight of one is worth.
_PULL = 0.3
LEAST = 8


@dataclass(frozen=True, slots=True)
class Example:
    """The pool of one question: features (n, len(FEATURES)), which passages hold evidence (n,), and what the
    question counts for."""

    id: str
    rows: NDArray[np.float64]
    holds: NDArray[np.bool_]
    weight: float = 1.0


def fit(examples: Sequence[Example], start: Ranker, *, fixed: Collection[str] = ()) -> Ranker:
    """A ranker for these questions, begun from `start`; the weights of `fixed` features stay as they are, as
    do those of features that the examples never show.

    Raises InputError with fewer than eight questions whose evidence is in the pool."""
    from scipy.optimize import minimize

    useful = [e for e in examples if e.holds.any() and not e.holds.all()]
    if len(useful) < LEAST:
        raise InputError(
            f"Only {len(useful)} of {len(examples)} questions have their evidence among the passages found; "
            f"at least {LEAST} are needed to learn an order from."
        )
    pools = [(np.nan_to_num(e.rows), e.holds, e.weight) for e in useful]
    shown = np.any([np.ptp(rows, axis=0) > 0 for rows, _, _ in pools], axis=0)
    free = [n for n, name in enumerate(FEATURES) if shown[n] and name not in fixed]
    mass = sum(weight for _, _, weight in pools)
    pull = _PULL / len(useful)

    def loss(values: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights = start.weights.copy()
        weights[free] = values
        total, slope = 0.0, np.zeros(len(FEATURES))
        for rows, holds, weight in pools:
            part, gradient = _top_one(rows, holds, weights)
            total += weight * part / mass
            slope += weight * gradient / mass
        off = values - start.weights[free]
        return total + pull * float(off @ off), slope[free] + 2 * pull * off

    bounds = [_bounds(FEATURES[n]) for n in free]
    begin = np.array([np.clip(start.weights[n], *_finite(b)) for n, b in zip(free, bounds, strict=True)])
    found = minimize(loss, begin, jac=True, bounds=bounds, method="L-BFGS-B", options={"maxiter": 300})
    weights = start.weights.copy()
    weights[free] = found.x
    scale, bias = _platt(examples, weights)
    return Ranker(weights, scale, bias)


def _bounds(name: str) -> tuple[float | None, float | None]:
    if name in _EITHER:
        return None, None
    return (None, 0.0) if name in _AGAINST else (0.0, None)


def _finite(bound: tuple[float | None, float | None]) -> tuple[float, float]:
    low, high = bound
    return (-np.inf if low is None else low), (np.inf if high is None else high)


def _top_one(
    rows: NDArray[np.float64], holds: NDArray[np.bool_], weights: NDArray[np.float64]
) -> tuple[float, NDArray[np.float64]]:
    """Loss of one question and its gradient."""
    sums = rows @ weights
    powers = np.exp(sums - sums.max())
    everything, right = powers.sum(), powers[holds].sum()
    gradient = rows.T @ powers / everything - rows[holds].T @ powers[holds] / max(right, 1e-300)
    return float(np.log(everything) - np.log(max(right, 1e-300))), gradient


def _platt(examples: Sequence[Example], weights: NDArray[np.float64]) -> tuple[float, float]:
    """Scale and bias of a logistic curve over the sums (Platt, 1999), of all candidates of all questions,
    those without evidence too; each question counts the same."""
    from scipy.optimize import minimize

    sums = np.concatenate([np.nan_to_num(e.rows) @ weights for e in examples])
    sign = np.where(np.concatenate([e.holds for e in examples]), 1.0, -1.0)
    shares = np.concatenate([np.full(len(e.holds), e.weight / max(1, len(e.holds))) for e in examples])
    shares /= shares.sum()
    middle, spread = float(np.average(sums, weights=shares)), float(sums.std()) or 1.0
    scaled = (sums - middle) / spread

    def loss(p: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        margin = sign * (p[0] * scaled + p[1])
        slope = -shares * sign / (1.0 + np.exp(np.clip(margin, -500, 500)))
        value = float(shares @ np.logaddexp(0.0, -margin))
        return value, np.array([float(slope @ scaled), float(slope.sum())])

    found = minimize(loss, np.array([1.0, -3.0]), jac=True, bounds=[(1e-3, None), (None, None)])
    scale = float(found.x[0]) / spread
    return scale, float(found.x[1]) - scale * middle
