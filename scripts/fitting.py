"""An index fitted to its users' own questions: the order of passages, and where to refuse.

Questions are halved by the documents that hold their evidence (`whole_half_of`): what
is fitted on one half is measured on the other, which shares no evidence document with it; questions whose
documents lie on both sides are left out. Nothing is kept unless it orders the held-out half at least as
well as what was there before.

The loss of a question is -log of the softmax share that its passages with evidence have of the whole pool
(ListNet's top-one loss; Cao et al., "Learning to Rank: From Pairwise Approach to Listwise Approach", 2007),
plus a penalty that pulls each weight towards the one it had before: few questions change little. Weights keep
the sign that their feature may have: features that say nearly the same would else take opposite weights,
which fits the questions at hand and fails on other documents."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rag.errors import InputError
from rag.files import write_atomically
from rag.index import Index
from rag.measure.metrics import Passage, hits_any, is_shown, same_document
from rag.measure.yardstick import HALVES, EvalQuestion, Half, half_of, load_questions, with_progress
from rag.search.evidence import select
from rag.search.ranker import FEATURES, TUNED, Ranker
from rag.search.retrieve import rank, retrieve
from rag.types import Progress
from rag.types.search import Candidate

# Features that may speak for or against, and those that can only speak against. All others can only speak for
# a passage.
_EITHER = frozenset({"table", "article", "length", "opening"})
_AGAINST = frozenset({"superseded"})
# Questions that a weight of one is worth.
_PULL = 0.3
LEAST = 8
CUTOFFS = (1, 3, 5, 10)
_TOP = 8
ProgressCallback = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class Example:
    """The pool of one question: features (n, len(FEATURES)), which passages hold evidence (n,), and what the
    question counts for."""

    id: str
    rows: NDArray[np.float64]
    holds: NDArray[np.bool_]
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class RiskPoint:
    """If only questions with a score of at least `threshold` were answered: the share answered (`coverage`)
    and, among those, the share of wrong answers (`risk`), both 0..1."""

    threshold: float
    coverage: float
    risk: float


def risk_coverage(scores: Sequence[float], wrong: Sequence[bool]) -> tuple[RiskPoint, ...]:
    """The risk-coverage curve (El-Yaniv and Wiener, 2010): one point for each distinct score, from the
    highest threshold to the lowest. Equal scores are answered or refused together."""
    asked = sorted(zip(scores, wrong, strict=True), key=lambda row: -row[0])
    errors = accumulate(is_wrong for _, is_wrong in asked)
    reached = zip((score for score, _ in asked), errors, strict=True)
    points = {s: RiskPoint(s, n / len(asked), e / n) for n, (s, e) in enumerate(reached, 1)}
    return tuple(points.values())


@dataclass(frozen=True, slots=True)
class Tuning:
    """What came of it. `fitted` and `held_out` count questions; `before` and `after` are hit@k on the
    held-out half; `threshold` is the evidence score below which is refused, fitted on the first half, None
    without unanswerable questions there; the `refused` shares, None without a threshold, and the
    risk-coverage curve are of the held-out half. `kept`: the new order was no worse there and is the one in
    `ranker`."""

    ranker: Ranker
    kept: bool
    fitted: int
    held_out: int
    before: Mapping[str, float]
    after: Mapping[str, float]
    threshold: float | None = None
    refused_answerable: float | None = None
    refused_unanswerable: float | None = None
    curve: tuple[RiskPoint, ...] = ()


def tune(
    source: Path, index: Index, *, refuse: float = 0.85, progress: ProgressCallback | None = None
) -> Tuning:
    """Fits a ranker and a threshold for `index` to the questions of a set (a folder or a questions file).

    `refuse` is the share of the first half's unanswerable questions that is to be refused; without such
    questions there is no threshold. The index itself is not changed: `save` does that. Raises InputError
    where there are too few questions or `refuse` is no share."""
    check_share(refuse)
    read = [q for q in load_questions(source) if q.evidence or not q.answerable]
    dev, test = ([q for q in read if whole_half_of(q) == half] for half in HALVES)
    to_fit, to_measure = (sum(q.answerable for q in half) for half in (dev, test))
    if min(to_fit, to_measure) < LEAST:  # before the long part
        raise InputError(
            f"{source} has {to_fit} questions with evidence to fit to and {to_measure} to measure on, told "
            f"apart by their documents; at least {LEAST} of each are needed. Add questions about more "
            "documents."
        )
    pools = {e.id: e for e in examples(index, [*dev, *test], progress)}
    start = index.ranker()
    found = fit([pools[q.id] for q in dev], start)
    held = [pools[q.id] for q in test if q.answerable]
    before, after = hits(held, start), hits(held, found)
    kept = sum(after.values()) >= sum(before.values())
    ranker = found if kept else start
    absent = [q for q in dev if not q.answerable]
    scores, wrong = _judged(index, [*absent, *test], ranker, progress)
    own, scores, wrong = scores[: len(absent)], scores[len(absent) :], wrong[len(absent) :]
    bar = float(np.quantile(own, refuse)) if absent else None

    def refused(answerable: bool) -> float | None:
        asked = zip(test, scores, strict=True)
        some = [score < bar for q, score in asked if bar is not None and q.answerable is answerable]
        return sum(some) / len(some) if some else None

    counts, shares = (len(dev), len(test)), (refused(True), refused(False))
    return Tuning(ranker, kept, *counts, before, after, bar, *shares, risk_coverage(scores, wrong))


def whole_half_of(question: EvalQuestion) -> Half | None:
    """The half that a question belongs to with all of its evidence documents; None where they lie on both
    sides. What is fitted on one half of these and measured on the other shares no document with it."""
    halves = {half_of(replace(question, evidence=(entry,))) for entry in question.evidence}
    halves = halves or {half_of(question)}
    return halves.pop() if len(halves) == 1 else None


def check_share(refuse: float) -> None:
    """Raises InputError for what is no share of questions."""
    if not 0.0 < refuse < 1.0:
        raise InputError(
            f"The share to refuse, {refuse}, is no share of questions; give a share such as 0.85."
        )


def save(index: Index, tuning: Tuning) -> Path:
    """Puts ranker and threshold into the index's folder, where every later search finds them. Raises
    StorageError."""
    path = index.folder / TUNED
    ranker = replace(tuning.ranker, threshold=tuning.threshold)
    write_atomically(path, f"{ranker.to_json()}\n".encode())
    return path


def examples(
    index: Index, questions: Sequence[EvalQuestion], progress: ProgressCallback | None = None
) -> Iterator[Example]:
    """The pool of each question as it is ranked, and which of its passages hold evidence."""
    for question in with_progress(questions, progress):
        query = index.understand(question.question)
        legs = index.retrievers(query)
        ranked = rank(legs, query, whole=query, learned=False)
        yield Example(question.id, ranked.rows, _holds(index, question, ranked.pool.rows))


def _holds(index: Index, question: EvalQuestion, candidates: Sequence[Candidate]) -> NDArray[np.bool_]:
    """Which candidates are hits; only texts of the evidence's own documents are read."""
    paths = {i: index.store.document(i).path for i in {c.document_id for c in candidates}}
    wanted = {e.document for e in question.evidence}
    right = {i for i, path in paths.items() if any(same_document(path, w) for w in wanted)}
    near = index.store.chunks([c.id for c in candidates if c.document_id in right])
    texts = {i: Passage(paths[d], chunk.text, chunk.page, chunk.last_page) for i, d, chunk in near}
    found = {i for i, text in texts.items() if hits_any(text, question.evidence)}
    return np.array([c.id in found for c in candidates], dtype=np.bool_)


def hits(examples: Sequence[Example], ranker: Ranker) -> dict[str, float]:
    """hit@k of these pools in a ranker's order, before near-duplicates and pages are seen to."""
    orders = [np.argsort(-ranker.probability(e.rows), kind="stable") for e in examples]
    held = [e.holds[order] for e, order in zip(examples, orders, strict=True)]
    return {f"hit@{k}": sum(bool(h[:k].any()) for h in held) / max(1, len(held)) for k in CUTOFFS}


def _judged(
    index: Index, questions: Sequence[EvalQuestion], ranker: Ranker, progress: ProgressCallback | None
) -> tuple[list[float], list[bool]]:
    """The evidence score of each question, as it would be judged with this ranker, and whether giving the
    quotes as an answer would be wrong."""
    scores, wrong = [], []
    for question in with_progress(questions, progress, "evidence"):
        query = index.understand(question.question)
        found = retrieve(index.retrievers(query), query, k=_TOP, ranker=ranker)
        selection = select(query, found, index)
        scores.append(selection.verdict.confidence)
        shown = any(is_shown(e, question.evidence) for e in selection.evidence)
        wrong.append(not (question.answerable and shown))
    return scores, wrong


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
    begin = np.array([np.clip(start.weights[n], *b) for n, b in zip(free, bounds, strict=True)])
    found = minimize(loss, begin, jac=True, bounds=bounds, method="L-BFGS-B", options={"maxiter": 300})
    weights = start.weights.copy()
    weights[free] = found.x
    scale, bias = _platt(examples, weights)
    return Ranker(weights, scale, bias)


def _bounds(name: str) -> tuple[float, float]:
    if name in _EITHER:
        return -np.inf, np.inf
    return (-np.inf, 0.0) if name in _AGAINST else (0.0, np.inf)


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
