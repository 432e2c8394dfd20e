"""Question -> the passages that bear on it: dense and lexical legs, fused on one scale.

The score, 0 to 1. Each leg has an absolute scale of its own, so that scores can be compared between questions
and held against a threshold:

- lexical: BM25 of the passage, divided by the weight that a passage would reach which held every word of the
  question
  so often that more would not help (sum of idf * (k1 + 1)). Words that no document holds count in the
  divisor: a question about something that is not in the index scores low.
- dense: cosine of question and passage vectors, negative values as 0.

Where both legs speak, the score is their weighted mean (a convex combination with theoretical bounds; Bruch,
Gai and Ingber, "An Analysis of Fusion Functions for Hybrid Retrieval", 2023, find it better than fusion by
rank). Where the embedder does not know the language of question or passage, or its vector is still to be
computed, the lexical score stands alone."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rag.dense import DenseIndex
from rag.embed import Embedder, supports
from rag.errors import InputError
from rag.store import Store
from rag.text import detect_language, query_tokens
from rag.types import Chunk, Filters, Hit, Leg

POOL = 100
DENSE_WEIGHT = 0.5
# BM25's k1 in SQLite's FTS5: term frequency can raise a word's weight at most (k1 + 1) times.
_SATURATION = 2.2
# Two passages are one when they share this much of their words and all of their numbers.
_DUPLICATE_OVERLAP = 0.95
MAX_QUESTION_CHARS = 4000
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A passage as the legs saw it, before its text is read. Ranks are 1-based, None outside a leg's pool."""

    chunk_id: int
    lexical: float
    dense: float | None
    lexical_rank: int | None
    dense_rank: int | None

    @property
    def score(self) -> float:
        if self.dense is None:
            return self.lexical
        return DENSE_WEIGHT * self.dense + (1 - DENSE_WEIGHT) * self.lexical


def retrieve(
    store: Store,
    dense: DenseIndex | None,
    embedder: Embedder | None,
    question: str,
    *,
    k: int = 8,
    filters: Filters | None = None,
) -> list[Hit]:
    """The `k` best passages for a question, best first, near-duplicates folded into the first of them.

    `dense` and `embedder` may be None: then the lexical leg works alone. Raises InputError for a question
    without a word."""
    question = check_question(question)
    if k < 1:
        raise InputError(f"k is {k}; ask for at least one passage.")
    pool = max(POOL, 2 * k)
    candidates = _candidates(store, dense, embedder, question, pool, filters)
    candidates.sort(key=lambda c: (-c.score, c.chunk_id))
    return _hits(store, candidates[: 3 * k], k)


def check_question(question: str) -> str:
    """The question, stripped; only its first 4,000 code points are searched with. Raises InputError when
    nothing is asked."""
    question = question.strip()
    if not any(c.isalnum() for c in question):
        raise InputError("The question is empty or holds no word. Ask it in a sentence or a few key words.")
    return question[:MAX_QUESTION_CHARS]


def _candidates(
    store: Store,
    dense: DenseIndex | None,
    embedder: Embedder | None,
    question: str,
    pool: int,
    filters: Filters | None,
) -> list[Candidate]:
    tokens = query_tokens(question)
    lexical = store.lexical(tokens, limit=pool, filters=filters)
    near = _dense_leg(store, dense, embedder, question, pool, filters)
    ids = list(dict.fromkeys([i for i, _ in lexical] + [i for i, _ in near]))
    if not ids:
        return []
    weights = dict(lexical)
    weights.update(store.lexical_scores(tokens, [i for i in ids if i not in weights]))
    cosines = dict(near)
    if near and embedder is not None and dense is not None:
        missing = [i for i in ids if i not in cosines]
        cosines.update(dense.cosines(embedder.embed_query(question), missing))
    attainable = attainable_weight(store, tokens)
    lexical_ranks = {i: rank for rank, (i, _) in enumerate(lexical, 1)}
    dense_ranks = {i: rank for rank, (i, _) in enumerate(near, 1)}
    return [
        Candidate(
            chunk_id=i,
            lexical=min(1.0, weights.get(i, 0.0) / attainable),
            dense=max(0.0, min(1.0, cosines[i])) if i in cosines else None,
            lexical_rank=lexical_ranks.get(i),
            dense_rank=dense_ranks.get(i),
        )
        for i in ids
    ]


def _dense_leg(
    store: Store,
    dense: DenseIndex | None,
    embedder: Embedder | None,
    question: str,
    pool: int,
    filters: Filters | None,
) -> list[tuple[int, float]]:
    if dense is None or embedder is None or not supports(embedder.info, detect_language(question)):
        return []
    allowed = store.chunk_ids(filters) if filters else None
    if allowed is not None and not len(allowed):
        return []
    return dense.search(embedder.embed_query(question), pool, allowed=allowed)


def idf(passages: int, frequency: int) -> float:
    """Inverse document frequency as FTS5's bm25() computes it, floored just above zero."""
    return max(1e-6, math.log((passages - frequency + 0.5) / (frequency + 0.5)))


def idf_weights(store: Store, tokens: Sequence[str]) -> dict[str, float]:
    """Weight of each token over the whole index; one that no passage holds gets the largest."""
    passages = store.passages()
    frequencies: Mapping[str, int] = store.document_frequency(tokens)
    return {t: idf(passages, frequencies.get(t, 0)) for t in tokens}


def attainable_weight(store: Store, tokens: Sequence[str]) -> float:
    """The BM25 weight that no passage can exceed for these tokens (never 0)."""
    return max(1e-6, _SATURATION * sum(idf_weights(store, tokens).values()))


def _hits(store: Store, candidates: Sequence[Candidate], k: int) -> list[Hit]:
    rows = {chunk_id: (doc, chunk) for chunk_id, doc, chunk in store.chunks([c.chunk_id for c in candidates])}
    kept: list[tuple[Candidate, int, Chunk, _Fingerprint, list[int]]] = []
    for candidate in candidates:
        if candidate.chunk_id not in rows:  # deleted between the two reads
            continue
        document_id, chunk = rows[candidate.chunk_id]
        fingerprint = _fingerprint(chunk)
        twin = next((row for row in kept if _same(row[3], fingerprint)), None)
        if twin is not None:
            twin[4].append(candidate.chunk_id)
        elif len(kept) < k:
            kept.append((candidate, document_id, chunk, fingerprint, []))
    documents = {d: store.document(d) for d in {row[1] for row in kept}}
    return [
        Hit(
            chunk_id=candidate.chunk_id,
            document=documents[document_id],
            chunk=chunk,
            score=round(candidate.score, 6),
            legs=_legs(candidate),
            similar=tuple(similar),
        )
        for candidate, document_id, chunk, _, similar in kept
    ]


def _legs(candidate: Candidate) -> tuple[Leg, ...]:
    lexical = Leg("lexical", candidate.lexical_rank, round(candidate.lexical, 6))
    if candidate.dense is None:
        return (lexical,)
    return (lexical, Leg("dense", candidate.dense_rank, round(candidate.dense, 6)))


_Fingerprint = tuple[frozenset[str], frozenset[str]]


def _fingerprint(chunk: Chunk) -> _Fingerprint:
    tokens = frozenset(_WORD.findall(chunk.text.lower()))
    return tokens, frozenset(t for t in tokens if any(c.isdigit() for c in t))


def _same(a: _Fingerprint, b: _Fingerprint) -> bool:
    if a[1] != b[1] or not a[0] or not b[0]:
        return False
    return len(a[0] & b[0]) >= _DUPLICATE_OVERLAP * len(a[0] | b[0])
