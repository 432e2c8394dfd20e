"""Fits rag/search/calibration.json: how the signals of `rag.search.sufficiency` weigh, and where to refuse.

    scripts/calibrate.py INDEX=SET [INDEX=SET ...] [--refused 0.79 0.81] [--write --data FILE]

SET is a folder in the shape that `citewise eval` reads (documents/ and questions.jsonl), INDEX an index of
its documents. Questions are split into halves by the document that holds their evidence, as `citewise eval
--half` does (unanswerable ones by their id). The first half is fitted on, and the threshold is set on it and
on all questions of sets of fewer than 60; what is printed was measured on the second. Folders of fewer than
30 questions count as one set; the order of sentences is fitted on the whole of it, the judgement not at all.
Absent facts are also made: a question whose evidence sentences are taken away must be refused.

What is fitted ships: take only sets whose licence allows that. FILE, JSON, says which they are: "data", a
list of {"set", "licence", "source", "part"}, and "note"; calibration.json itself is one, where the sets stay
the same, and the weights of modes of which there are no questions here.

The sentences of a question are fitted as a list (ListNet's top-one loss, as in `fitting`), then
their sums are turned into probabilities by a logistic curve (Platt, 1999); the judgement is a logistic
regression.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from rag.index import Index, open_index
from rag.measure import metrics
from rag.measure.metrics import Passage
from rag.measure.yardstick import EvalQuestion, half_of, load_questions
from rag.questions.query import Query
from rag.search import evidence as ev
from rag.search.sufficiency import (
    ANSWER_SIGNALS,
    LEXICAL,
    SENTENCE_SIGNALS,
    Calibration,
    Logistic,
    answer_signals,
)
from rag.types import Hit

TARGET = Path(__file__).parent.parent / "rag" / "search" / "calibration.json"
TOP_K = 8
# Which sentences' vectors are looked at depends on the weights, so they are fitted again on those.
ROUNDS = 2
SMALL_SET = 60
SMALL_FOLDER = 30
# Signals that can only speak against an answer, and those that may speak for or against; all others can only
# speak for it. Without the signs, signals that say nearly the same take opposite weights, which fits the sets
# at hand and fails on other documents.
AGAINST = frozenset({"lacks_type", "unknown_names", "names_missing", "numbers_missing"})
EITHER = frozenset(
    {"length", "novel", "opening", "introduces", "defines", "position", "before", "after", "title"}
    | {"long_question"}
)
SENTENCE_PENALTY = 0.0001
ANSWER_PENALTY = 0.0005
# What sentences are ranked by before anything is fitted.
START = {"coverage": 2.0, "context_coverage": 2.0, "passage_share": 3.0, "cosine": 3.0, "offers_type": 0.5}
Array = NDArray[np.float64]


@dataclass
class Case:
    """One question with its passages, ranked candidate sentences, and which of those hold the answer."""

    question: EvalQuestion
    hits: list[Hit]
    ranked: ev.RankedSentences
    holds: NDArray[np.bool_]
    answerable: bool
    set: str
    weight: float = 1.0

    @property
    def training(self) -> bool:
        return self.set == SMALL or half_of(self.question) == "dev"


SMALL = "small folders"


@dataclass
class Found:
    """A question, read, and what was found for it in an index that stays open."""

    question: EvalQuestion
    query: Query
    index: Index
    hits: list[Hit]
    set: str
    closely: bool


def search(index: Index, folder: Path) -> Iterator[Found]:
    """Twice where another embedder compares the sentences once more: the index's own says which."""
    questions = load_questions(folder)
    name = SMALL if len(questions) < SMALL_FOLDER else folder.name
    for question in questions:
        if question.evidence or not question.answerable:
            query = index.understand(question.question)
            hits = index.search(query, TOP_K)
            yield Found(question, query, index, hits, name, closely=False)
            if index.closer_for(query.language):
                yield Found(question, query, index, hits, name, closely=True)


def read_case(found: Found, calibration: Callable[[str], Calibration]) -> Case:
    """The sentences as these weights rank them: that decides whose vectors are looked at."""
    question, query, index = found.question, found.query, found.index
    embedder = index.embedder_for(query.language)
    ranked = ev.rank_sentences(query, found.hits, index, embedder, weights=calibration)
    if found.closely:
        ranked = ev.rank_closer(query, ranked, found.hits, index, weights=calibration)
    shown = [
        Passage(e.document.path, e.text, e.page, e.page)
        for s in ranked.sentences
        for e in [ev.as_evidence(1, s, found.hits, 0.0, index.store)]
    ]
    holds = [any(metrics.is_hit(p, entry) for entry in question.evidence) for p in shown]
    return Case(question, found.hits, ranked, np.array(holds, dtype=bool), question.answerable, found.set)


def bounds_of(names: Sequence[str]) -> list[tuple[float | None, float | None]]:
    return [(None, None) if n in EITHER else (None, 0.0) if n in AGAINST else (0.0, None) for n in names]


def fit_list(pools: Sequence[tuple[Array, NDArray[np.bool_], float]]) -> Array:
    """Weights of the sentence signals by ListNet's top-one loss; pools are (signals, holds, weight)."""
    rows, holds = np.vstack([p[0] for p in pools]), np.concatenate([p[1] for p in pools])
    sizes = [len(p[1]) for p in pools]
    starts = np.cumsum([0, *sizes[:-1]])
    of, mass = np.repeat(np.arange(len(pools)), sizes), np.array([p[2] for p in pools])
    mass = mass / mass.sum()

    def loss(p: Array) -> tuple[float, Array]:
        sums = rows @ p
        powers = np.exp(sums - np.maximum.reduceat(sums, starts)[of])
        everything = np.add.reduceat(powers, starts)
        right = np.maximum(np.add.reduceat(np.where(holds, powers, 0.0), starts), 1e-300)
        slope = (mass / everything)[of] * powers - (mass / right)[of] * np.where(holds, powers, 0.0)
        value = float(mass @ (np.log(everything) - np.log(right)) + SENTENCE_PENALTY * p @ p)
        return value, rows.T @ slope + 2 * SENTENCE_PENALTY * p

    start = np.zeros(rows.shape[1])
    found = minimize(loss, start, jac=True, bounds=bounds_of(SENTENCE_SIGNALS), method="L-BFGS-B")
    return np.asarray(found.x)


def fit_logistic(
    x: Array,
    y: NDArray[np.bool_],
    weights: Array,
    bounds: list[tuple[float | None, float | None]],
    penalty: float,
) -> Logistic:
    """Logistic regression with bounded weights and an L2 penalty; `weights` are relative sample weights."""
    sign, w = np.where(y, 1.0, -1.0), weights / weights.sum()

    def loss(p: Array) -> tuple[float, Array]:
        margin = sign * (x @ p[:-1] + p[-1])
        slope = -w * sign * expit(-margin)
        value = float(w @ np.logaddexp(0, -margin) + penalty * p[:-1] @ p[:-1])
        return value, np.append(x.T @ slope + 2 * penalty * p[:-1], slope.sum())

    start, free = np.zeros(x.shape[1] + 1), (None, None)
    found = minimize(loss, start, jac=True, bounds=[*bounds, free], method="L-BFGS-B")
    return Logistic(found.x[:-1], float(found.x[-1]))


def fit_sentences(cases: list[Case]) -> Logistic:
    """Every question weighs as its set says, however many sentences its passages have."""
    useful = [c for c in cases if c.training and c.holds.any() and not c.holds.all()]
    order = fit_list([(c.ranked.signals, c.holds, c.weight) for c in useful])
    sums = np.concatenate([c.ranked.signals @ order for c in useful])
    middle = float(np.mean(sums))
    shares = [np.where(c.holds, 0.5 / c.holds.sum(), 0.5 / (~c.holds).sum()) * c.weight for c in useful]
    curve = fit_logistic(
        (sums - middle)[:, None],
        np.concatenate([c.holds for c in useful]),
        np.concatenate(shares),
        [(1e-3, None)],
        0.0,
    )
    scale = float(curve.weights[0])
    return Logistic(order * scale, curve.bias - scale * middle)


def reranked(case: Case, model: Logistic, *, without_answer: bool = False) -> Case:
    """In the order of a model, all or those that do not hold the answer."""
    p = model.probability(case.ranked.signals) if len(case.holds) else np.zeros(0)
    order = [int(i) for i in np.argsort(-p, kind="stable") if not (without_answer and case.holds[i])]
    r = case.ranked
    ranked = dataclasses.replace(
        r,
        sentences=tuple(r.sentences[i] for i in order),
        probabilities=tuple(float(p[i]) for i in order),
        cosines=tuple(r.cosines[i] for i in order),
        signals=r.signals[order],
    )
    return dataclasses.replace(
        case, ranked=ranked, holds=case.holds[order], answerable=case.answerable and not without_answer
    )


def answer_row(case: Case) -> Array:
    r = case.ranked
    return answer_signals(r.question, r.sentences, r.probabilities, r.cosines, case.hits)


def fit_answers(cases: list[Case], made: list[Case]) -> Logistic:
    """Half the weight lies on questions to answer (those with the answer among the first three), a third on
    unanswerable ones, the rest on absent facts. Small folders are of near misses, which words do not tell
    from answers: that is for who reads them."""
    side = [c for c in cases if c.training and c.set != SMALL]
    good = [c for c in side if c.answerable and c.holds[:3].any()]
    bad = [c for c in side if not c.answerable]
    absent = [c for c in made if c.training and c.set != SMALL]
    groups = [(good, 0.5), (bad, 0.33), (absent, 0.17)]
    x = np.vstack([answer_row(c) for group, _ in groups for c in group])
    y = np.array([group is good for group, _ in groups for _ in group])
    weights = [share * c.weight / sum(g.weight for g in group) for group, share in groups for c in group]
    return fit_logistic(x, y, np.array(weights), bounds_of(ANSWER_SIGNALS), ANSWER_PENALTY)


def weigh_sets(cases: list[Case]) -> list[Case]:
    """A set counts by the square root of its size: a large one must not drown the others."""
    sizes = {c.set: sum(o.set == c.set for o in cases) for c in cases}
    for case in cases:
        case.weight = float(sizes[case.set]) ** -0.5
    return cases


def report(mode: str, cases: list[Case], made: list[Case], calibration: Calibration) -> None:
    """What the questions not fitted on say, set by set."""
    scores = {id(c): float(calibration.answer.probability(answer_row(c))) for c in [*cases, *made]}

    def refused(some: list[Case]) -> str:
        below = [scores[id(c)] < calibration.threshold for c in some]
        return f"{np.mean(below):.3f} of {len(below):3d}" if below else "-"

    print(f"[{mode}] threshold {calibration.threshold:.4f}")
    for training in (True, False):
        for name in dict.fromkeys(c.set for c in cases):
            side = [c for c in cases if c.training is training and c.set == name]
            asked = [c for c in side if c.answerable]
            taken = [c for c in made if c.training is training and c.set == name]
            first = " ".join(f"{np.mean([c.holds[:n].any() for c in asked]):.3f}" for n in (1, 2, 3, 6))
            print(
                f"  {'fitted' if training else 'held out'} {name:18s} within the first 1/2/3/6: {first}; "
                f"refused: answerable {refused(asked)}, "
                f"unanswerable {refused([c for c in side if not c.answerable])}, taken away {refused(taken)}"
            )


def calibrate(mode: str, cases: list[Case], refused: float) -> tuple[Calibration, dict[str, object]]:
    sentence = fit_sentences(cases)
    cases = [reranked(c, sentence) for c in cases]
    made = [reranked(c, sentence, without_answer=True) for c in cases if c.answerable and c.holds.any()]
    made = [c for c in made if c.ranked.sentences]
    answer = fit_answers(cases, made)
    sizes = {c.set: sum(o.set == c.set for o in cases) for c in cases}
    judged = [c for c in cases if not c.answerable and c.set != SMALL]
    shown = [c for c in judged if c.training or sizes[c.set] < SMALL_SET]
    threshold = weighted_quantile(shown, answer, refused)
    calibration = Calibration(sentence, answer, threshold)
    report(mode, cases, made, calibration)
    return calibration, {
        "sentence": as_json(sentence, SENTENCE_SIGNALS),
        "answer": as_json(answer, ANSWER_SIGNALS),
        "threshold": round(threshold, 4),
    }


def weighted_quantile(cases: list[Case], answer: Logistic, share: float) -> float:
    """The probability below which this share of the cases' weight lies."""
    scores = np.array([float(answer.probability(answer_row(c))) for c in cases])
    order = np.argsort(scores)
    below = np.cumsum(np.array([c.weight for c in cases])[order])
    return float(scores[order][np.searchsorted(below, share * below[-1])])


def as_json(model: Logistic, names: tuple[str, ...]) -> dict[str, float]:
    return {
        **{n: round(float(w), 4) for n, w in zip(names, model.weights, strict=True)},
        "bias": round(model.bias, 4),
    }


def start(_: str) -> Calibration:
    weights = np.array([START.get(n, 0.0) for n in SENTENCE_SIGNALS])
    nothing = Logistic(np.zeros(len(ANSWER_SIGNALS)), 0.0)
    return Calibration(Logistic(weights, -4.0), nothing, 0.5)


def fit_both(found: Sequence[Found], refused: Sequence[float]) -> dict[str, dict[str, object]]:
    """Weights and threshold of each mode of retrieval; `refused` is the share for each."""
    weights: Callable[[str], Calibration] = start
    fitted: dict[str, dict[str, object]] = {}
    for _ in range(ROUNDS):
        cases = [read_case(f, weights) for f in found]
        modes: dict[str, Calibration] = {}
        for mode in sorted({c.ranked.mode for c in cases}):
            some = weigh_sets([c for c in cases if c.ranked.mode == mode])
            modes[mode], fitted[mode] = calibrate(mode, some, refused[mode == LEXICAL])
        weights = modes.__getitem__
    return fitted


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pairs", nargs="+", metavar="INDEX=SET")
    parser.add_argument(
        "--refused",
        type=float,
        nargs=2,
        metavar=("DENSE", "LEXICAL"),
        default=(0.79, 0.81),
        help="share of unanswerable questions that must be refused, with vectors and by words alone",
    )
    parser.add_argument("--write", action="store_true", help=f"replace {TARGET.name}")
    parser.add_argument("--data", type=Path, metavar="FILE", help="what is fitted on, and its licences")
    arguments = parser.parse_args()
    if arguments.write and not arguments.data:
        parser.error("--write needs --data: the file says what it was fitted on")
    known = json.loads(arguments.data.read_text("utf-8")) if arguments.data else {}
    found: list[Found] = []
    for pair in arguments.pairs:
        index_path, folder = pair.split("=", 1)
        found.extend(search(open_index(index_path), Path(folder)))
    fitted = fit_both(found, arguments.refused)
    if arguments.write:
        kept = {mode: known[mode] for mode in known if mode not in fitted}
        TARGET.write_text(json.dumps({**fitted, **kept}, indent=1, ensure_ascii=False) + "\n", "utf-8")
        print(f"wrote {TARGET}")


if __name__ == "__main__":
    main()
