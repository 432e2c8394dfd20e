"""Fits rag/models/judge.json: how a reader's own value vectors tell whether sources state an answer.

    scripts/fit_judge.py MODEL INDEX=SET [INDEX=SET ...] [--kept FILE.npz] [--write --data FILE]

MODEL is a name of the registry, SET a folder in the shape that `citewise eval` reads, INDEX an index of its
documents. Of sets of more than 60 questions the first half is taken ("dev" of `citewise eval --half`), of
smaller ones all. Each question is put to the model with the sources that it would be shown, and once more
without those that hold the answer; what stands behind the prompt is kept in FILE, which a later call goes on
from. Weights are a logistic regression with an L2 penalty to whether the sources hold the answer; scale and
bias are those at which the probability that they hold it (`rag.search.verdict.with_odds`) is true of
questions that were not fitted on (each small set, and each quarter of a large one, is judged by the others).

What is fitted ships: take only sets whose licence allows that. FILE of --data, JSON, says which they are.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from rag.answers.prompt import MOST_SOURCES, instructions, reading_prompt
from rag.assistant import load_reader
from rag.config import Config
from rag.index import Index, open_index
from rag.measure.metrics import Passage, contains_answer, hits_any
from rag.measure.yardstick import EvalQuestion, half_of, load_questions
from rag.models.llm import LlamaCpp
from rag.models.native import Judge
from rag.search.evidence import rank_closer, rank_sentences, select
from rag.search.verdict import found_odds
from rag.types import Evidence
from scripts.calibrate import fit_logistic

TARGET = Path(__file__).parent.parent / "rag" / "models" / "judge.json"
LAYERS = (14, 16, 18, 20, 22, 24)
SMALL_SET = 60
PENALTY = 0.1
TOKENS = 64
Array = NDArray[np.float64]


class Noting(Judge):
    """Keeps the values that it is shown."""

    seen: NDArray[np.float16]

    def odds(self, values: NDArray[np.float16]) -> float:
        object.__setattr__(self, "seen", values)
        return 0.0


@dataclass(frozen=True)
class Case:
    """What stood behind a prompt: `values` (len(LAYERS), width) of float16, the `found_odds` of the
    evidence, whether the sources hold the answer, whether they are `own` or less, the fold."""

    values: NDArray[np.float16]
    found: float
    holds: bool
    own: bool
    fold: str


def holding(question: EvalQuestion, piece: Evidence) -> bool:
    text = f"{piece.header} {piece.text}"
    passage = Passage(piece.document.path, piece.text, piece.page, piece.page)
    said = bool(question.answers) and contains_answer(text, list(question.answers))
    return question.answerable and (said or hits_any(passage, question.evidence))


def cases(llm: LlamaCpp, index: Index, folder: Path) -> Iterator[Case]:
    questions = load_questions(folder)
    small = len(questions) <= SMALL_SET
    judge = Noting((), np.zeros((0, 0), dtype=np.float32), 0.0)
    llm.judge, passages = judge, index.store.passages()
    for number, question in enumerate(q for q in questions if small or half_of(q) == "dev"):
        query = index.understand(question.question)
        hits = index.search(question.question, 8)
        ranked = rank_sentences(query, hits, index, index.embedder_for(query.language))
        found = select(query, hits, index, ranked=rank_closer(query, ranked, hits, index))
        asked, verdict = instructions(query.language), found.verdict
        shown = found.evidence[:MOST_SOURCES]
        less = [piece for piece in found.evidence if not holding(question, piece)][:MOST_SOURCES]
        for own, sources in ((True, shown), (False, less)):
            if not sources or (not own and less == list(shown)):
                continue
            numbered = [replace(piece, number=n) for n, piece in enumerate(sources, 1)]
            prompt = reading_prompt(query, numbered, llm=llm, max_tokens=TOKENS, ending=asked.answer)
            llm.odds(prompt, yes=asked.yes, no=asked.no)
            holds = any(holding(question, piece) for piece in sources)
            fold = folder.name if small else f"{folder.name} {number % 4}"
            yield Case(judge.seen[list(LAYERS)], found_odds(verdict, passages), holds, own, fold)


def fitted(values: Array, holds: NDArray[np.bool_]) -> tuple[Array, float]:
    """Weights (d,) and bias of a logistic regression over values (n, d), each scaled to a spread of one."""
    middle, spread = values.mean(0), values.std(0) + 1e-6
    free = [(None, None)] * values.shape[1]
    one = np.ones(len(values))
    model = fit_logistic((values - middle) / spread, holds, one, free, PENALTY)
    return model.weights / spread, model.bias - float((model.weights * middle / spread).sum())


def scaled(sums: Array, found: Array, holds: NDArray[np.bool_], mass: Array) -> tuple[float, float]:
    """Scale and bias for sums that were not fitted on, so that the verdict's probability is true."""
    weights = instructions("en").confidence.of_judge()
    own, mass = weights.bias + weights.found * found, mass / mass.sum()

    def loss(p: Array) -> float:
        odds = own + weights.odds * (p[0] * sums + p[1])
        return float(mass @ (np.logaddexp(0, odds) - holds * odds))

    scale, bias = minimize(loss, np.zeros(2)).x
    return float(scale), float(bias)


def is_small(fold: str) -> bool:
    return fold[-2:-1] != " "


def area(sums: Array, holds: NDArray[np.bool_]) -> float:
    """The share of pairs of one that holds and one that does not in which the first has the higher sum."""
    return float((sums[holds][:, None] > sums[~holds][None]).mean())


def judge_from(kept: Sequence[Case]) -> tuple[Judge, Array]:
    """The judge, and for each case what those of the other folds say."""
    values = np.stack([c.values for c in kept]).astype(np.float64).reshape(len(kept), -1)
    holds, own = np.array([c.holds for c in kept]), np.array([c.own for c in kept])
    folds, found = np.array([c.fold for c in kept]), np.array([c.found for c in kept])
    sums = np.zeros(len(kept))
    for fold in sorted(set(folds)):
        weights, bias = fitted(values[folds != fold], holds[folds != fold])
        sums[folds == fold] = values[folds == fold] @ weights + bias
    small = np.array([is_small(fold) for fold in folds])
    mass = np.where(small, 1 / max(1, small.sum()), 1 / max(1, (~small).sum()))
    scale, shift = scaled(sums[own], found[own], holds[own], mass[own])
    weights, bias = fitted(values, holds)
    shaped = (scale * weights).reshape(len(LAYERS), -1).astype(np.float32)
    return Judge(LAYERS, shaped, scale * bias + shift), scale * sums + shift


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model")
    parser.add_argument("pairs", nargs="*", metavar="INDEX=SET")
    parser.add_argument("--kept", type=Path, metavar="FILE", help="what the model said, kept for later calls")
    parser.add_argument("--write", action="store_true", help=f"put the weights into {TARGET.name}")
    parser.add_argument("--data", type=Path, metavar="FILE", help="what is fitted on, and its licences")
    arguments = parser.parse_args()
    if arguments.write and not arguments.data:
        parser.error("--write needs --data: the file says what it was fitted on")
    names = ("values", "found", "holds", "own", "fold")
    kept: list[Case] = []
    if arguments.kept and arguments.kept.exists():
        with np.load(arguments.kept) as file:
            kept = [Case(*row) for row in zip(*(file[name] for name in names), strict=True)]
    if arguments.pairs:
        llm = load_reader(Config(llm=arguments.model))
        assert isinstance(llm, LlamaCpp)
        for pair in arguments.pairs:
            path, folder = pair.split("=", 1)
            with closing(open_index(path)) as index:
                kept += cases(llm, index, Path(folder))
        if arguments.kept:
            columns = {name: np.array([getattr(case, name) for case in kept]) for name in names}
            np.savez_compressed(arguments.kept, **columns)
    judge, said = judge_from(kept)
    holds, small = np.array([c.holds for c in kept]), np.array([is_small(c.fold) for c in kept])
    for name, some in (("small sets", small), ("large sets", ~small)):
        if holds[some].any() and not holds[some].all():
            print(f"{name}: {some.sum()} prompts, area under the curve {area(said[some], holds[some]):.3f}")
    if arguments.write:
        known = json.loads(TARGET.read_text("utf-8")) if TARGET.exists() else {}
        weights = [[float(f"{value:.4g}") for value in row] for row in judge.weights]
        known[arguments.model] = {
            "layers": list(judge.layers),
            "bias": round(judge.bias, 4),
            "weights": weights,
            **json.loads(arguments.data.read_text("utf-8")),
        }
        TARGET.write_text(json.dumps(known, ensure_ascii=False) + "\n", "utf-8")
        print(f"wrote {TARGET}")


if __name__ == "__main__":
    main()
