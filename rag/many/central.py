"""The sentences that say most of a text, chosen by code: a summary in the text's own words.

Centrality is continuous LexRank (Erkan and Radev, "LexRank: Graph-based Lexical Centrality as Salience in
Text Summarization", 2004) over tf-idf of search tokens, biased towards the passages nearest to the mean
vector of all of them where vectors are at hand (Otterbacher, Erkan and Radev, "Biased LexRank", 2009).
Redundancy is kept out by maximal marginal relevance (Carbonell and Goldstein, 1998); each heading gets a
sentence before any gets a second one."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag.text import has_han, query_tokens

_DAMPING = 0.15
_STEPS = 30
_RELEVANCE = 0.7
_VOCABULARY = 4096
_LEAST_TOKENS = 4
_LONG = 60


@dataclass(frozen=True, slots=True)
class SentenceAt:
    """A sentence to choose from: its `passage` (any key), the `heading` above it, and how near its passage is
    to the middle of the text, 0 to 1."""

    text: str
    passage: int
    heading: str = ""
    nearness: float = 1.0


def central(candidates: Sequence[SentenceAt], count: int) -> list[int]:
    """Indices of the at most `count` sentences that say most, in their order. Short ones and questions are
    none of them unless there is nothing else."""
    usable = [n for n, one in enumerate(candidates) if _is_statement(one.text)] or list(
        range(len(candidates))
    )
    if len(usable) <= count:
        return usable
    tokens = [query_tokens(candidates[n].text) for n in usable]
    rows = _weighed(tokens)
    scores = _ranked(rows, np.array([candidates[n].nearness for n in usable]))
    scores *= np.array([min(1.0, _LONG / max(1, len(t))) for t in tokens])
    headings = [candidates[n].heading for n in usable]
    return sorted(usable[i] for i in _chosen(rows, scores, headings, count))


def _is_statement(text: str) -> bool:
    plain = text.strip()
    if plain.endswith(("?", "？", ":", "：")):
        return False
    return len(plain) >= 10 if has_han(plain) else len(plain.split()) >= _LEAST_TOKENS + 2


def _weighed(tokens: Sequence[Sequence[str]]) -> NDArray[np.float32]:
    """(sentences, words): tf-idf over the sentences, rows of length 1. A word of one sentence likens it to no
    other and is left out."""
    held = Counter(t for row in tokens for t in set(row))
    weights = {t: math.log(len(tokens) / n) + 1e-3 for t, n in held.items() if n > 1}
    kept = sorted(weights, key=lambda t: -held[t] * weights[t])[:_VOCABULARY]
    column = {t: n for n, t in enumerate(kept)}
    rows = np.zeros((len(tokens), max(1, len(kept))), dtype=np.float32)
    for n, row in enumerate(tokens):
        for t, times in Counter(row).items():
            if t in column:
                rows[n, column[t]] = times * weights[t]
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    result: NDArray[np.float32] = rows / np.maximum(lengths, 1e-6)
    return result


def _ranked(rows: NDArray[np.float32], nearness: NDArray[np.float64]) -> NDArray[np.float64]:
    """Stationary weights of the walk from sentence to similar sentence, largest 1; similarities are never
    written out, their products with a vector are two products with `rows`."""
    bias = np.maximum(nearness, 1e-3)
    bias = bias / bias.sum()
    degrees = np.maximum(rows @ rows.sum(axis=0), 1e-6)
    weights = bias.copy()
    for _ in range(_STEPS):
        weights = _DAMPING * bias + (1 - _DAMPING) * (rows @ (rows.T @ (weights / degrees)))
        weights /= weights.sum()
    result: NDArray[np.float64] = np.asarray(weights / weights.max(), dtype=np.float64)
    return result


def _chosen(
    rows: NDArray[np.float32], scores: NDArray[np.float64], headings: Sequence[str], count: int
) -> list[int]:
    """Greedily by maximal marginal relevance; a heading that has its sentence waits for the others."""
    taken: list[int] = []
    covered: Counter[str] = Counter()
    nearest = np.zeros(len(scores))
    while len(taken) < count:
        value = _RELEVANCE * scores - (1 - _RELEVANCE) * nearest - np.array([covered[h] for h in headings])
        value[taken] = -np.inf
        best = int(np.argmax(value))
        if not np.isfinite(value[best]):
            break
        taken.append(best)
        covered[headings[best]] += 1
        nearest = np.maximum(nearest, rows @ rows[best])
    return taken


def nearness(vectors: NDArray[np.float32]) -> NDArray[np.float64]:
    """Cosine, clipped at 0, of each passage's vector with the mean of all; 1 where there are no vectors."""
    lengths = np.linalg.norm(vectors, axis=1)
    if not lengths.any():
        return np.ones(len(vectors))
    mean = vectors.sum(axis=0)
    cosines = vectors @ mean / (np.maximum(lengths, 1e-6) * max(1e-6, float(np.linalg.norm(mean))))
    return np.where(lengths > 0, np.clip(cosines, 0.0, 1.0), 1.0).astype(np.float64)
