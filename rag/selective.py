"""Where to refuse so that few answers are wrong, and how far a count of wrong answers can be trusted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rag.metrics import risk_coverage

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Risk:
    """What a threshold costs on questions that it was not set on: how many of `asked` are `answered`, how
    many of those `wrong`, and the share of wrong answers that is not exceeded with 95 % confidence (1.0
    where nothing was answered). `wanted` is what was asked for; `met` says whether any threshold of the
    questions fitted came down to it."""

    wanted: float
    met: bool
    asked: int
    answered: int
    wrong: int
    bound: float

    @property
    def share(self) -> float:
        """Of what was answered, how much is wrong; 0.0 where nothing was."""
        return self.wrong / self.answered if self.answered else 0.0


def threshold_for(scores: Sequence[float], wrong: Sequence[bool], risk: float) -> tuple[float, bool]:
    """The lowest threshold above which at most the share `risk` of the answers is wrong: as many answers as
    that allows. Where none is (False), the one with the least wrong. Raises ValueError without scores."""
    points = risk_coverage(scores, wrong)
    if not points:
        raise ValueError("no scores")
    low_enough = [p for p in points if p.risk <= risk]
    if low_enough:
        return low_enough[-1].threshold, True
    return min(points, key=lambda p: (p.risk, -p.coverage)).threshold, False


def measured(
    scores: Sequence[float], wrong: Sequence[bool], threshold: float, *, wanted: float, met: bool
) -> Risk:
    """The risk of a threshold on questions that did not set it."""
    errors = [bad for score, bad in zip(scores, wrong, strict=True) if score >= threshold]
    bound = upper_bound(sum(errors), len(errors))
    return Risk(wanted, met, len(scores), len(errors), sum(errors), bound)


def upper_bound(wrong: int, answered: int, *, confidence: float = CONFIDENCE) -> float:
    """The one-sided binomial bound on a share of which `wrong` of `answered` were seen (Clopper and Pearson,
    1934; for selective classifiers: Geifman and El-Yaniv, "Selective Classification for Deep Neural
    Networks", 2017). With no error among n it is about 3/n: fewer than 59 questions cannot show 5 %."""
    from scipy.stats import beta

    if wrong >= answered:
        return 1.0
    return float(beta.ppf(confidence, wrong + 1, answered - wrong))
