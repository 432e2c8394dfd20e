"""Measurable signals of whether the sentences found suffice to answer a question.

As those of `rag.signals`: each in 0..1, weighed by `rag.calibration`, names and order a contract with its
file."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rag.answertypes import AnswerType
from rag.candidates import PreparedQuestion, Sentence
from rag.offered import answers_in
from rag.signals import nearness, share_found
from rag.text import normalise, search_tokens
from rag.types import Hit

ANSWER_SIGNALS = (
    "best_sentence",
    "best_passage",
    "best_cosine",
    "sentence_coverage",
    "topic_coverage",
    "topic_in_sentence",
    "added",
    "reworded",
    "line_item",
    "unknown_names",
    "names_found",
    "names_missing",
    "numbers_missing",
    "offers_type",
    "lacks_type",
    "near",
    "long_question",
)
_LONG_QUESTION = 20
_FIRST = 3


def answer_signals(
    prepared: PreparedQuestion,
    found: Sequence[Sentence],
    probabilities: Sequence[float],
    cosines: Sequence[float | None],
    hits: Sequence[Hit],
) -> NDArray[np.float64]:
    """ANSWER_SIGNALS of a ranked list of sentences (best first) over their hits: shape
    (len(ANSWER_SIGNALS),)."""
    if not found:
        return np.zeros(len(ANSWER_SIGNALS))
    best, first = found[0], found[:_FIRST]
    words = frozenset(search_tokens(hits[best.hit].chunk.indexed_text)) | best.context_tokens
    place = f"{hits[best.hit].chunk.indexed_text}\n{hits[best.hit].document.path}\n{best.head}"
    names = share_found(prepared.question.names, place)
    return np.array(
        [
            probabilities[0],
            max((h.score for h in hits), default=0.0),
            max((c for c in cosines if c is not None), default=0.0),
            max(prepared.coverage(s.tokens) for s in first),
            prepared.topic_coverage(words),
            max(prepared.topic_coverage(s.tokens) for s in first),
            max(prepared.added(s.tokens, s.titles) for s in first),
            max(prepared.expansion_share(s.tokens) for s in first),
            max(prepared.line_item(s.tokens) for s in first),
            sum(prepared.weights[t] for t in prepared.unknown - prepared.topic) / prepared.total,
            names if prepared.question.names else 0.0,
            1.0 - names,
            1.0 - share_found(prepared.question.numbers, place),
            *_kind(prepared, first),
            min(1.0, len(prepared.tokens) / _LONG_QUESTION),
        ]
    )


def _kind(prepared: PreparedQuestion, first: Sequence[Sentence]) -> tuple[float, float, float]:
    """Whether one of the first two sentences offers something of the expected kind, whether none does, and
    how near to the question's words."""
    kind, known = prepared.question.expects, normalise(prepared.question.text)
    offered = [answers_in(s.text, kind, known) for s in first[:2]]
    near = max(nearness(prepared, s.text, spans) for s, spans in zip(first, offered, strict=False))
    some = any(offered)
    return float(some), float(kind is not AnswerType.OTHER and not some), near
