"""Fits rag/calibration.json: how the signals of `rag.signals` weigh, and where to refuse.

    scripts/calibrate.py INDEX=SET [INDEX=SET ...] [--refused 0.85] [--write]

SET is a folder in the shape that `citewise eval` reads (documents/ and questions.jsonl), INDEX an index of
its documents. Questions are split into halves by the document that holds their evidence (unanswerable ones by
their id), so that no document is on both sides. The first half is fitted on; everything printed was measured
on the second. Absent facts are also made: a question whose evidence sentences are taken away must be refused.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from rag import evidence as ev
from rag.calibration import Calibration, Logistic
from rag.index import Index, open_index
from rag.signals import ANSWER_SIGNALS, SENTENCE_SIGNALS, answer_signals, sentence_signals
from rag.text import detect_language, normalise
from rag.types import Hit

TARGET = Path(__file__).parent.parent / "rag" / "calibration.json"
TOP_K = 8


@dataclass
class Case:
    """One question with its passages, ranked candidate sentences, and which of those hold the answer."""

    question: str
    hits: list[Hit]
    ranked: ev.Ranked
    holds: NDArray[np.bool_]
    answerable: bool
    training: bool
    weight: float = 1.0


def plain(text: str) -> str:
    return "".join(c for c in normalise(text) if c.isalnum())


def holds(sentence: str, path: str, row: dict) -> bool:
    """A sentence holds the answer when it comes from an evidence document and shares half of itself or of the
    quote."""
    words = plain(sentence)
    for entry in row["evidence"]:
        if entry["document"] != path or not words:
            continue
        quote = plain(entry.get("quote", ""))
        if quote and (quote in words or (words in quote and len(words) * 2 >= min(len(quote), 60))):
            return True
        if any(plain(a) and plain(a) in words for a in row["answers"]) and quote:
            return True
    return False


def in_training(row: dict) -> bool:
    key = row["evidence"][0]["document"] if row["evidence"] else row["id"]
    return hashlib.sha256(key.encode()).digest()[0] % 2 == 0


def read_cases(index: Index, folder: Path, dense: bool) -> Iterator[Case]:
    for line in (folder / "questions.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        if row["answerable"] and not any("quote" in e for e in row["evidence"]):
            continue
        question = row["question"]
        embedder = index.embedder_for(detect_language(question)) if dense else None
        hits = index.search(question, TOP_K)
        ranked = ev.rank_sentences(question, hits, index.store, embedder)
        labels = np.array(
            [holds(s.text, hits[s.hit].document.path, row) for s in ranked.sentences], dtype=bool
        )
        yield Case(question, hits, ranked, labels, row["answerable"], in_training(row))


def sentence_rows(case: Case) -> NDArray[np.float64]:
    r = case.ranked
    return sentence_signals(r.asked, r.sentences, case.hits, r.cosines)


# Signals that can only speak against an answer; all others can only speak for it. Without the signs, signals
# that say nearly the same take opposite weights, which fits the sets at hand and fails on other documents.
AGAINST = {"lacks_type", "asks", "rarest_missing", "unknown_words", "names_missing", "numbers_missing"}
PENALTY = 0.0005


def fit(
    x: NDArray[np.float64], y: NDArray[np.bool_], weights: NDArray[np.float64], names: tuple[str, ...]
) -> Logistic:
    """Logistic regression with signed weights and an L2 penalty; `weights` are relative sample weights."""
    sign, w = np.where(y, 1.0, -1.0), weights / weights.sum()

    def loss(p: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        margin = sign * (x @ p[:-1] + p[-1])
        slope = -w * sign * expit(-margin)
        value = float(w @ np.logaddexp(0, -margin) + PENALTY * p[:-1] @ p[:-1])
        return value, np.append(x.T @ slope + 2 * PENALTY * p[:-1], slope.sum())

    bounds = [(None, 0) if n in AGAINST else (0, None) for n in names] + [(None, None)]
    found = minimize(loss, np.zeros(x.shape[1] + 1), jac=True, bounds=bounds, method="L-BFGS-B")
    return Logistic(found.x[:-1], float(found.x[-1]))


def fit_sentences(cases: list[Case]) -> Logistic:
    """Every question weighs the same, however many sentences its passages have."""
    useful = [c for c in cases if c.training and c.holds.any() and not c.holds.all()]
    x = np.vstack([sentence_rows(c) for c in useful])
    y = np.concatenate([c.holds for c in useful])
    shares = [np.where(c.holds, 0.5 / c.holds.sum(), 0.5 / (~c.holds).sum()) for c in useful]
    weights = np.concatenate([c.weight * s for c, s in zip(useful, shares, strict=True)])
    return fit(x, y, weights, SENTENCE_SIGNALS)


def reranked(case: Case, model: Logistic, *, without_answer: bool = False) -> Case:
    keep = ~case.holds if without_answer else np.ones(len(case.holds), dtype=bool)
    if not keep.any():
        return dataclasses.replace(
            case,
            ranked=dataclasses.replace(case.ranked, sentences=(), probabilities=(), cosines=()),
            holds=case.holds[:0],
        )
    p = model.probability(sentence_rows(case))
    order = [int(i) for i in np.argsort(-p, kind="stable") if keep[i]]
    r = case.ranked
    ranked = dataclasses.replace(
        r,
        sentences=tuple(r.sentences[i] for i in order),
        probabilities=tuple(float(p[i]) for i in order),
        cosines=tuple(r.cosines[i] for i in order),
    )
    return dataclasses.replace(
        case, ranked=ranked, holds=case.holds[order], answerable=case.answerable and not without_answer
    )


def answer_row(case: Case) -> NDArray[np.float64]:
    r = case.ranked
    return answer_signals(r.asked, r.sentences, r.probabilities, r.cosines, case.hits)


def answer_sets(cases: list[Case], training: bool) -> tuple[list[Case], list[Case]]:
    """(answerable with the answer among the first three, to be refused: unanswerable ones and ones with the
    answer taken away)."""
    side = [c for c in cases if c.training is training]
    good = [c for c in side if c.answerable and c.holds[:3].any()]
    return good, [c for c in side if not c.answerable]


def fit_answers(cases: list[Case], made: list[Case]) -> Logistic:
    """Half the weight lies on questions to answer, a third on unanswerable ones, the rest on absent facts."""
    good, bad = answer_sets(cases, True)
    absent = answer_sets(made, True)[1]
    groups = [(good, 0.5), (bad, 0.33), (absent, 0.17)]
    x = np.vstack([answer_row(c) for group, _ in groups for c in group])
    y = np.array([group is good for group, _ in groups for _ in group])
    weights = [share * c.weight / sum(g.weight for g in group) for group, share in groups for c in group]
    return fit(x, y, np.array(weights), ANSWER_SIGNALS)


def weigh_sets(sets: list[list[Case]]) -> list[Case]:
    """All cases; a set counts by the square root of its size: a large one must not drown the others."""
    for cases in sets:
        for case in cases:
            case.weight = len(cases) ** -0.5
    return [case for cases in sets for case in cases]


def report(mode: str, cases: list[Case], made: list[Case], calibration: Calibration) -> None:
    held = [c for c in cases if not c.training]
    answerable = [c for c in held if c.answerable]
    reached = [c for c in answerable if c.holds.any()]
    print(f"[{mode}] held out: {len(held)} questions, {len(answerable)} answerable")
    print(f"  answer in the passages: {len(reached) / max(1, len(answerable)):.3f}")
    for n in (1, 2, 3, 6):
        print(f"  then within the first {n}: {np.mean([c.holds[:n].any() for c in reached]):.3f}")

    def refused(some: list[Case], bar: float) -> float:
        scores = [float(calibration.answer.probability(answer_row(c))) for c in some]
        return float(np.mean(np.array(scores) < bar)) if scores else float("nan")

    absent = [c for c in held if not c.answerable]
    taken = [c for c in made if not c.training]
    for bar in sorted({0.1, 0.2, 0.3, 0.4, 0.5, 0.6, round(calibration.threshold, 3)}):
        print(
            f"  below {bar:.3f} refused: answerable {refused(answerable, bar):.3f}, "
            f"unanswerable {refused(absent, bar):.3f}, answer taken away {refused(taken, bar):.3f}"
        )


def calibrate(mode: str, cases: list[Case], refused: float) -> dict[str, object]:
    sentence = fit_sentences(cases)
    cases = [reranked(c, sentence) for c in cases]
    made = [reranked(c, sentence, without_answer=True) for c in cases if c.answerable and c.holds.any()]
    made = [c for c in made if c.ranked.sentences]
    answer = fit_answers(cases, made)
    threshold = weighted_quantile([c for c in cases if not c.answerable], answer, refused)
    report(mode, cases, made, Calibration(sentence, answer, threshold))
    return {
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


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pairs", nargs="+", metavar="INDEX=SET")
    parser.add_argument(
        "--refused", type=float, default=0.85, help="share of unanswerable questions that must be refused"
    )
    parser.add_argument("--write", action="store_true", help=f"replace {TARGET.name}")
    arguments = parser.parse_args()
    sets: dict[str, list[list[Case]]] = {"dense": [], "lexical": []}
    for pair in arguments.pairs:
        index_path, folder = pair.split("=", 1)
        with open_index(index_path) as index:
            found = list(read_cases(index, Path(folder), dense=True))
            for mode, chosen in (("dense", True), ("lexical", False)):
                sets[mode].append([c for c in found if c.ranked.dense is chosen])
    fitted = {m: calibrate(m, weigh_sets(s), arguments.refused) for m, s in sets.items() if any(s)}
    if arguments.write:
        TARGET.write_text(
            json.dumps({**json.loads(TARGET.read_text("utf-8")), **fitted}, indent=1) + "\n", "utf-8"
        )
        print(f"wrote {TARGET}")


if __name__ == "__main__":
    main()
