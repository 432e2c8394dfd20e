"""Question -> the passages that bear on it: dense and lexical legs, fused on one scale.

The score, 0 to 1. Each leg has an absolute scale of its own, so that scores can be compared between questions
and held against a threshold:

- lexical: BM25 of the passage, divided by the weight that a passage would reach which held every word of the
  question so often that more would not help (sum of idf * (k1 + 1)). Words that no document holds count in
  the divisor: a question about something that is not in the index scores low. Professional words for what the
  question says in lay words (`rag.lexicon`) count a third.
- dense: cosine of question and passage vectors, negative values as 0; the mean of the question as asked and
  with its professional words, where there are any.

Where both legs speak, the score is their mean (a convex combination with theoretical bounds; Bruch, Gai and
Ingber, "An Analysis of Fusion Functions for Hybrid Retrieval", 2023, find it better than fusion by rank).
Where the embedder does not know the language of question or passage, or its vector is still to be computed,
the lexical score stands alone. Passages of documents that the question names (`rag.affinity`) are preferred
by at most 0.1: other documents are not shut out."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag.affinity import named_documents
from rag.dense import DenseIndex
from rag.embed import Embedder, supports
from rag.errors import InputError
from rag.lexicon import expand
from rag.store import Store
from rag.text import detect_language, query_tokens
from rag.types import Chunk, Filters, Hit, Leg

POOL = 150
DENSE_WEIGHT = 0.5
EXPANSION_WEIGHT = 0.3
_EXPANSIONS_EMBEDDED = 6
# BM25's k1 in SQLite's FTS5: term frequency can raise a word's weight at most (k1 + 1) times.
_SATURATION = 2.2
# Two passages are one when they share this much of their words and all of their numbers.
_DUPLICATE_OVERLAP = 0.95
MAX_QUESTION_CHARS = 4000
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A passage as the legs saw it. Ranks are 1-based, None outside a leg's pool; `named` is the preference,
    0 to 0.1, for a document that the question names."""

    chunk_id: int
    document_id: int
    lexical: float
    dense: float | None
    named: float
    lexical_rank: int | None
    dense_rank: int | None

    @property
    def score(self) -> float:
        base = self.lexical
        if self.dense is not None:
            base = DENSE_WEIGHT * self.dense + (1 - DENSE_WEIGHT) * self.lexical
        return min(1.0, base + self.named)


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
    without a word.
    """
    question = check_question(question)
    if k < 1:
        raise InputError(f"k is {k}; ask for at least one passage.")
    pool = max(POOL, 2 * k)
    terms = expand(question)
    lexical = _lexical_leg(store, question, terms, pool, filters)
    near = _dense_leg(store, dense, embedder, question, terms, pool, filters)
    candidates = _candidates(store, question, lexical, near)
    candidates.sort(key=lambda c: (-c.score, c.chunk_id))
    return _hits(store, candidates[: 3 * k], k)


def check_question(question: str) -> str:
    """The question, stripped; only its first 4,000 code points are searched with. Raises InputError when
    nothing is asked."""
    question = question.strip()
    if not any(c.isalnum() for c in question):
        raise InputError("The question is empty or holds no word. Ask it in a sentence or a few key words.")
    return question[:MAX_QUESTION_CHARS]


@dataclass(frozen=True, slots=True)
class _LexicalLeg:
    """The passages that hold the question's words, best first, and the score of any passage."""

    ids: tuple[int, ...]
    tokens: tuple[str, ...]
    added: tuple[str, ...]

    def scores(self, store: Store, chunk_ids: Sequence[int]) -> dict[int, float]:
        attainable = attainable_weight(store, self.tokens)
        own = store.lexical_scores(self.tokens, chunk_ids)
        more = store.lexical_scores(self.added, chunk_ids) if self.added else {}
        return {
            i: min(1.0, (own.get(i, 0.0) + EXPANSION_WEIGHT * more.get(i, 0.0)) / attainable)
            for i in chunk_ids
        }


@dataclass(frozen=True, slots=True)
class _DenseLeg:
    """The passages nearest to the question's vector (the mean of its wordings), best first."""

    ids: tuple[int, ...]
    index: DenseIndex | None = None
    vector: NDArray[np.float32] | None = None

    def scores(self, chunk_ids: Sequence[int]) -> dict[int, float]:
        if self.index is None or self.vector is None:
            return {}
        cosines = self.index.cosines(self.vector, chunk_ids)
        return {i: max(0.0, min(1.0, c)) for i, c in cosines.items()}


def _lexical_leg(
    store: Store, question: str, terms: Sequence[str], pool: int, filters: Filters | None
) -> _LexicalLeg:
    tokens = query_tokens(question)
    added = [t for t in query_tokens(" ".join(terms)) if t not in tokens] if terms else []
    found = store.lexical([*tokens, *added], limit=pool, filters=filters)
    return _LexicalLeg(tuple(i for i, _ in found), tuple(tokens), tuple(added))


def _dense_leg(
    store: Store,
    dense: DenseIndex | None,
    embedder: Embedder | None,
    question: str,
    terms: Sequence[str],
    pool: int,
    filters: Filters | None,
) -> _DenseLeg:
    if dense is None or embedder is None or not supports(embedder.info, detect_language(question)):
        return _DenseLeg(())
    allowed = store.chunk_ids(filters) if filters else None
    if allowed is not None and not len(allowed):
        return _DenseLeg(())
    vector = embedder.embed_query(question)
    if terms:
        reworded = embedder.embed_query(f"{question} ({', '.join(terms[:_EXPANSIONS_EMBEDDED])})")
        # Not normalised again: its product with a passage is then the mean of the two cosines.
        vector = (vector + reworded) * np.float32(0.5)
    return _DenseLeg(tuple(i for i, _ in dense.search(vector, pool, allowed=allowed)), dense, vector)


def _candidates(store: Store, question: str, lexical: _LexicalLeg, near: _DenseLeg) -> list[Candidate]:
    owners = store.owners(list(dict.fromkeys([*lexical.ids, *near.ids])))
    ids = list(owners)
    weights, cosines = lexical.scores(store, ids), near.scores(ids)
    named = named_documents(question, store.names())
    lexical_ranks = {i: rank for rank, i in enumerate(lexical.ids, 1)}
    dense_ranks = {i: rank for rank, i in enumerate(near.ids, 1)}
    return [
        Candidate(
            chunk_id=i,
            document_id=document_id,
            lexical=weights[i],
            dense=cosines.get(i),
            named=named.get(document_id, 0.0),
            lexical_rank=lexical_ranks.get(i),
            dense_rank=dense_ranks.get(i),
        )
        for i, document_id in owners.items()
    ]


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
    texts = {i: chunk for i, _, chunk in store.chunks([c.chunk_id for c in candidates])}
    kept: list[tuple[Candidate, _Fingerprint, list[int]]] = []
    for candidate in candidates:
        if candidate.chunk_id not in texts:  # deleted between the two reads
            continue
        fingerprint = _fingerprint(texts[candidate.chunk_id])
        twin = next((row for row in kept if _same(row[1], fingerprint)), None)
        if twin is not None:
            twin[2].append(candidate.chunk_id)
        elif len(kept) < k:
            kept.append((candidate, fingerprint, []))
    documents = {d: store.document(d) for d in {c.document_id for c, _, _ in kept}}
    return [
        Hit(
            chunk_id=candidate.chunk_id,
            document=documents[candidate.document_id],
            chunk=texts[candidate.chunk_id],
            score=round(candidate.score, 6),
            legs=_legs(candidate),
            similar=tuple(similar),
        )
        for candidate, _, similar in kept
    ]


def _legs(candidate: Candidate) -> tuple[Leg, ...]:
    legs = [Leg("lexical", candidate.lexical_rank, round(candidate.lexical, 6))]
    if candidate.dense is not None:
        legs.append(Leg("dense", candidate.dense_rank, round(candidate.dense, 6)))
    if candidate.named:
        legs.append(Leg("named", None, round(candidate.named, 6)))
    return tuple(legs)


_Fingerprint = tuple[frozenset[str], frozenset[str]]


def _fingerprint(chunk: Chunk) -> _Fingerprint:
    tokens = frozenset(_WORD.findall(chunk.text.lower()))
    return tokens, frozenset(t for t in tokens if any(c.isdigit() for c in t))


def _same(a: _Fingerprint, b: _Fingerprint) -> bool:
    if a[1] != b[1] or not a[0] or not b[0]:
        return False
    return len(a[0] & b[0]) >= _DUPLICATE_OVERLAP * len(a[0] | b[0])
