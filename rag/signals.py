"""Measurable signals of how a sentence, and a set of sentences, bears on a question.

Every signal is in 0..1 and is computed by code that never saw the question's answer; `rag.calibration` weighs
them. Names and order of the signals are the contract with the weights file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from rag.question import Question, offers
from rag.text import normalise, search_tokens
from rag.types import Hit

SENTENCE_SIGNALS = (
    "coverage",
    "context_coverage",
    "topic",
    "reworded",
    "phrase",
    "cosine",
    "passage",
    "passage_share",
    "passage_rank",
    "offers_type",
    "lacks_type",
    "coverage_and_type",
    "names",
    "numbers",
    "length",
    "opening",
    "asks",
)
ANSWER_SIGNALS = (
    "best_sentence",
    "second_sentence",
    "best_passage",
    "passage_margin",
    "best_cosine",
    "coverage",
    "sentence_coverage",
    "topic_coverage",
    "topic_in_sentence",
    "reworded",
    "rarest_missing",
    "unknown_words",
    "names_found",
    "names_missing",
    "numbers_missing",
    "offers_type",
    "lacks_type",
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question prepared once: its parts, distinct content tokens and their idf weights over the index.

    `unknown` are tokens that no passage holds; `topic` are those that are no part of a name or a number: what
    is asked about the named thing; `rewordings` are the tokens of each professional term for it."""

    question: Question
    tokens: tuple[str, ...]
    weights: Mapping[str, float]
    unknown: frozenset[str]
    topic: frozenset[str]
    rewordings: tuple[frozenset[str], ...] = ()

    @property
    def total(self) -> float:
        return max(1e-6, sum(self.weights.values()))

    def coverage(self, tokens: frozenset[str]) -> float:
        """Share of the question's idf weight that these tokens hold."""
        return sum(w for t, w in self.weights.items() if t in tokens) / self.total

    def topic_coverage(self, tokens: frozenset[str]) -> float:
        """The same share over the topic alone; 1.0 where the question is nothing but names."""
        total = sum(self.weights[t] for t in self.topic)
        return sum(self.weights[t] for t in self.topic if t in tokens) / total if total else 1.0

    def reworded(self, tokens: frozenset[str]) -> float:
        """1.0 where these tokens hold a professional term for what the question says in lay words."""
        return 1.0 if any(tokens.issuperset(term) for term in self.rewordings) else 0.0

    def rarest_missing(self, tokens: frozenset[str]) -> float:
        """Weight share of the heaviest question word that is missing, against the heaviest of all."""
        missing = [w for t, w in self.weights.items() if t not in tokens]
        return max(missing, default=0.0) / max(1e-6, max(self.weights.values(), default=1.0))


@dataclass(frozen=True, slots=True)
class Sentence:
    """A candidate sentence and what stands around it: `surroundings` are title, headings and table header,
    the tokens `around` are theirs and those of the sentence before; `head` is how the document begins:
    parties, company, patient are often named there and nowhere else."""

    hit: int
    start: int
    end: int
    text: str
    surroundings: str
    header: str
    location: str
    head: str
    first: bool
    tokens: frozenset[str]
    sequence: tuple[str, ...]
    around: frozenset[str]


@dataclass(frozen=True, slots=True)
class Unit:
    """A sentence or a table row as read: offset in the document, verbatim text, column heads and cells of a
    row."""

    start: int
    text: str
    header: str = ""
    location: str = ""


def make_sentences(hit: int, units: Sequence[Unit], surroundings: str, head: str = "") -> list[Sentence]:
    """The sentences of one passage from its units in reading order; each knows the one before it.

    A unit that holds no word beyond title, headings and column heads is left out: it names, and says nothing.
    """
    made: list[Sentence] = []
    for unit in units:
        around = frozenset(search_tokens(f"{surroundings}\n{unit.header}"))
        sequence = tuple(search_tokens(unit.text))
        if around.issuperset(sequence):
            continue
        before = made[-1].tokens if made else frozenset()
        made.append(
            Sentence(
                hit=hit,
                start=unit.start,
                end=unit.start + len(unit.text),
                text=unit.text,
                surroundings=f"{surroundings}\n{unit.header}",
                header=unit.header,
                location=unit.location,
                head=head,
                first=not made,
                tokens=frozenset(sequence),
                sequence=sequence,
                around=around | before,
            )
        )
    return made


def sentence_signals(
    asked: Asked, found: Sequence[Sentence], hits: Sequence[Hit], cosines: Sequence[float | None]
) -> NDArray[np.float64]:
    """One row of SENTENCE_SIGNALS for each sentence: shape (len(found), len(SENTENCE_SIGNALS))."""
    best = max((h.score for h in hits), default=0.0) or 1.0
    rows = [_sentence_row(asked, s, hits[s.hit].score, best, c) for s, c in zip(found, cosines, strict=True)]
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(SENTENCE_SIGNALS))


def _sentence_row(
    asked: Asked, s: Sentence, passage: float, best: float, cosine: float | None
) -> list[float]:
    coverage = asked.coverage(s.tokens)
    offered = offers(s.text, asked.question.expects, asked.question.text)
    place = f"{s.surroundings}\n{s.text}\n{s.head}"
    return [
        coverage,
        asked.coverage(s.tokens | s.around),
        asked.topic_coverage(s.tokens),
        asked.reworded(s.tokens),
        _phrase_share(asked.tokens, s.sequence),
        cosine if cosine is not None else 0.0,
        passage,
        passage / best,
        1.0 / (1 + s.hit),
        1.0 if offered else 0.0,
        1.0 if offered is False else 0.0,
        coverage if offered else 0.0,
        share_found(asked.question.names, place),
        share_found(asked.question.numbers, place),
        min(1.0, len(s.sequence) / 40),
        1.0 if s.first else 0.0,
        1.0 if s.text.rstrip().endswith(("?", "？")) else 0.0,
    ]


def _phrase_share(question: Sequence[str], sentence: Sequence[str]) -> float:
    """Share of the question's neighbouring token pairs that are neighbours in the sentence too."""
    pairs = set(pairwise(question))
    if not pairs:
        return 0.0
    near = set(pairwise(sentence)) | set(zip(sentence, sentence[2:], strict=False))
    return len(pairs & near) / len(pairs)


def share_found(parts: Sequence[str], text: str) -> float:
    """Share of names or numbers that occur in a text (1.0 when there are none to find)."""
    if not parts:
        return 1.0
    plain = normalise(text).replace(",", "")
    return sum(normalise(p) in plain for p in parts) / len(parts)


def answer_signals(
    asked: Asked,
    found: Sequence[Sentence],
    probabilities: Sequence[float],
    cosines: Sequence[float | None],
    hits: Sequence[Hit],
) -> NDArray[np.float64]:
    """ANSWER_SIGNALS of a ranked list of sentences (best first) over their hits: shape
    (len(ANSWER_SIGNALS),)."""
    if not found:
        return np.zeros(len(ANSWER_SIGNALS))
    best = found[0]
    words = frozenset(search_tokens(hits[best.hit].chunk.indexed_text)) | best.around
    place = f"{hits[best.hit].chunk.indexed_text}\n{hits[best.hit].document.path}\n{best.head}"
    expects = asked.question.expects
    offered = [offers(s.text, expects, asked.question.text) for s in found[:2]]
    scores = sorted((h.score for h in hits), reverse=True)
    names = share_found(asked.question.names, place)
    return np.array(
        [
            probabilities[0],
            probabilities[1] if len(probabilities) > 1 else 0.0,
            scores[0],
            scores[0] - (scores[min(4, len(scores) - 1)] if len(scores) > 1 else 0.0),
            max((c for c in cosines if c is not None), default=0.0),
            asked.coverage(words),
            max(asked.coverage(s.tokens) for s in found[:3]),
            asked.topic_coverage(words),
            max(asked.topic_coverage(s.tokens) for s in found[:3]),
            max(asked.reworded(s.tokens) for s in found[:3]),
            asked.rarest_missing(words),
            sum(asked.weights[t] for t in asked.unknown) / asked.total,
            names if asked.question.names else 0.0,
            1.0 - names,
            1.0 - share_found(asked.question.numbers, place),
            1.0 if any(offered) else 0.0,
            1.0 if offered and all(o is False for o in offered) else 0.0,
        ]
    )
