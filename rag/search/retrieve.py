"""Question -> the passages that bear on it, best first, in two stages.

1. A wide pool: words and vectors (`rag.search.pool`), over the whole index and once more within the
   documents that the question names (`rag.questions.constraints`), and the line items that answer it beside
   its words (`rag.search.pool.Searches`).
2. An order learned from features of the candidates (`rag.search.ranker`).

Of passages that say the same the first is shown, the others are named with it.

A hit's score, 0 to 1, is the ranker's probability that the passage holds evidence: it can be compared between
questions and held against a threshold. Without the ranker it is the mean of the cosine and of the share of
the question's attainable BM25 weight (a convex combination with theoretical bounds; Bruch, Gai and Ingber,
"An Analysis of Fusion Functions for Hybrid Retrieval", 2023).

What a question names is a strong preference that gives way in the open: where the documents named hold
nothing, others are found, and each hit says what it agrees with and what not (`Hit.reasons`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from rag.documents.validity import is_copy
from rag.errors import InputError
from rag.questions.constraints import Constraints
from rag.questions.query import Query
from rag.search.pool import (
    LegResults,
    Lines,
    Retrievers,
    SearchScope,
    agreements,
    compares,
    find_line_items,
    identified,
    make_pool,
    named_documents,
    pages_of,
    search,
    sources,
    weigh_terms,
    without,
)
from rag.search.ranker import AGREEMENTS, FEATURES, Pool, Ranker, load_ranker, matching
from rag.types import DocumentInfo, Filters, Hit, Leg, Reason, Stages
from rag.types.documents import withdrawn
from rag.types.search import Candidate

# Two passages are one when they share this much of their words and all of their numbers.
_OVERLAP = 0.95
_WORD = re.compile(r"\w+")


def distinct(texts: Iterable[tuple[int, str]], k: int) -> list[tuple[int, tuple[int, ...]]]:
    """The first `k` keys of (key, text) pairs whose texts differ, each with the keys of its later twins."""
    kept: list[tuple[int, frozenset[str], list[int]]] = []
    for key, text in texts:
        words = frozenset(_WORD.findall(text.lower()))
        twin = next((row for row in kept if _same(row[1], words)), None)
        if twin is not None:
            twin[2].append(key)
        elif len(kept) < k:
            kept.append((key, words, []))
    return [(key, tuple(duplicates)) for key, _, duplicates in kept]


def _same(a: frozenset[str], b: frozenset[str]) -> bool:
    alike = a and b and len(a & b) >= _OVERLAP * len(a | b)
    return bool(alike) and not any(c.isdigit() for word in a ^ b for c in word)


ALL_STAGES = Stages()
# Passages of each leg over the whole index (of a leg that is alone), and within the documents that a question
# names.
POOL = 150
_POOL_ALONE = 300
_POOL_NAMED = 60
# Where a question names no document, line items are looked up in those that its words point to.
_MOST_PROBABLE = 3
_PROBABLE_AMONG = 40
# Passages read for near-duplicates, for each that is asked for.
_READ_PER_HIT = 3
# Another passage of a page that is in the list already counts this much less.
_SPREAD = 0.8
# So does a passage in hidden rows or sheets, where the question does not ask for such.
_HIDDEN = 0.5
_REASONS = 8
# Where the first passages are of the document that a question names, those of all others count so much.
_IDENTIFYING = 5
_OTHERS = 0.5
# Without the ranker: what full agreement in one matter adds to the fused score.
_PREFERENCE = 0.05
# All but a weak hint, what a page's lines say already, and what holds whatever is asked.
_WEAK = ("article_named", "lines", "authority", "superseded")
_PREFERRED = tuple(FEATURES.index(name) for name in AGREEMENTS if name not in _WEAK)


@dataclass(frozen=True, slots=True)
class RankedPassages:
    """The pool of one question, with a lexical score, a row of features and a score for each candidate;
    `parts` is what each feature adds to the log-odds of the score, None without a ranker."""

    pool: Pool
    lexical: NDArray[np.float64]
    rows: NDArray[np.float64]
    scores: NDArray[np.float64]
    parts: NDArray[np.float64] | None


def retrieve(
    legs: Retrievers,
    query: Query,
    *,
    k: int = 8,
    filters: Filters | None = None,
    stages: Stages = ALL_STAGES,
    ranker: Ranker | None = None,
) -> list[Hit]:
    """The `k` best passages for a question, best first, near-duplicates folded into the first of them.

    `ranker` None: the shipped one. Raises InputError for k < 1, ConfigError where the ranker does not fit."""
    return retrieve_each(legs, query, [query], k=k, filters=filters, stages=stages, ranker=ranker)[0]


def retrieve_each(
    legs: Retrievers,
    whole: Query,
    queries: Sequence[Query],
    *,
    k: int = 8,
    filters: Filters | None = None,
    stages: Stages = ALL_STAGES,
    ranker: Ranker | None = None,
) -> list[list[Hit]]:
    """For each of several questions in one the `k` best passages, as `retrieve` gives them; what the whole
    names holds for each. In threads: SQLite, FAISS and the embedder do not hold the interpreter. Raises what
    `retrieve` raises."""
    if k < 1:
        raise InputError(f"k is {k}; ask for at least one passage.")
    whole, *narrow = (narrowed(one, stages) for one in (whole, *queries))
    rank_one = partial(rank, legs, whole=whole, k=k, filters=filters, ranker=ranker, learned=stages.ranker)
    with ThreadPoolExecutor(len(queries)) as pool:
        ranked = pool.map(rank_one, narrow) if len(narrow) > 1 else map(rank_one, narrow)
    found = []
    for query, one in zip(queries, ranked, strict=True):
        places = _places(one)
        owners = (place.candidate.document_id for place in places[:_IDENTIFYING])
        # Lines of a statement are found by the report that they stand in.
        reported = query.sought and query.periods
        if stages.constraints and not reported and (about := identified(query, legs.store, owners)):
            document, names = about
            inside = rank_one(without(query, names), within=document)
            others = [replace(p, score=p.score * _OTHERS) for p in places]
            places = [p for p in _places(inside) if p.candidate.document_id == document]
            places += [p for p in others if p.candidate.document_id != document]
            places.sort(key=_order)
        most = _READ_PER_HIT * k
        first = _spread(places, most) if stages.spread else places[:most]
        found.append(_hits(legs, first, k))
    return found


def _places(ranked: RankedPassages) -> list[_Place]:
    return sorted((_Place(ranked, row, float(score)) for row, score in enumerate(ranked.scores)), key=_order)


def _order(place: _Place) -> tuple[float, int]:
    return -place.score, place.candidate.id


def narrowed(query: Query, stages: Stages) -> Query:
    """The question without what the stages leave out."""
    return replace(
        query,
        constraints=query.constraints if stages.constraints else Constraints(),
        sought=query.sought if stages.concepts else (),
        reworded=query.reworded if stages.lexicon else (),
    )


def named_within(legs: Retrievers, query: Query, filters: Filters | None = None) -> tuple[int, ...]:
    """The documents within the filters that a question names (see `named_documents`)."""
    allowed = legs.store.scope(filters)
    return named_documents(query.constraints, None if allowed is None else frozenset(allowed))


def rank(
    legs: Retrievers,
    query: Query,
    *,
    whole: Query,
    k: int = 8,
    filters: Filters | None = None,
    ranker: Ranker | None = None,
    learned: bool = True,
    within: int | None = None,
) -> RankedPassages:
    """The pool of one question (or of one part of the `whole`, which says what is named, unless it is the
    document `within`); its features and scores, fused where they are not `learned`; in no order."""
    terms = weigh_terms(legs, query)
    named = named_within(legs, whole, filters) if within is None else (within,)
    size = max(POOL if compares(legs, query) else _POOL_ALONE, 2 * k)
    scopes = [SearchScope(size), *([SearchScope(_POOL_NAMED, named)] if named else [])]
    vector, (found, *among) = search(legs, query, terms, scopes, filters)
    more = [i for one in among for i in one.ids]
    lines = Lines()
    if whole.sought:
        held, documents = sources(legs.fields, legs.store), named or _probable_documents(legs, found)
        lines = find_line_items(legs.store, whole.sought, [d for d in documents if d in held])
    more += lines.best
    pool = make_pool(legs, query, found, vector, more)
    matched, lexical = matching(terms, pool, legs.store.lengths())
    agreed = agreements(legs, pool.rows, whole, lines, filters.in_force if filters else "")
    rows = np.hstack([matched, agreed])
    aside = [withdrawn(row.roles) not in (None, *query.withdrawn) for row in pool.rows]
    ranker = (ranker or load_ranker()) if learned else None
    if ranker:
        scores = ranker.probability(rows)
    else:  # the mean of both legs, and a little for what the question demands
        preference = rows[:, _PREFERRED].sum(axis=1) * _PREFERENCE
        scores = np.clip(rows[:, FEATURES.index("fused")] + preference, 0.0, 1.0)
    scores = scores * np.where(aside, _HIDDEN, 1.0)
    return RankedPassages(pool, lexical, rows, scores, ranker.parts(rows) if ranker else None)


def _probable_documents(legs: Retrievers, found: LegResults) -> tuple[int, ...]:
    """The documents that most of the first passages are from, by the sum of 1 / rank."""
    first = (found.lexical[:_PROBABLE_AMONG], found.dense[:_PROBABLE_AMONG])
    owners = legs.store.owners([i for leg in first for i in leg])
    weights: dict[int, float] = {}
    for leg in first:
        for rank_, i in enumerate(leg, 1):
            if i in owners:
                weights[owners[i]] = weights.get(owners[i], 0.0) + 1.0 / rank_
    return tuple(sorted(weights, key=lambda d: (-weights[d], d))[:_MOST_PROBABLE])


@dataclass(frozen=True, slots=True)
class _Place:
    """One candidate of a pool, with the score that it is ordered by."""

    ranked: RankedPassages
    row: int
    score: float

    @property
    def candidate(self) -> Candidate:
        return self.ranked.pool.rows[self.row]

    @property
    def legs(self) -> tuple[Leg, ...]:
        pool, row = self.ranked.pool, self.row
        legs = [("lexical", pool.lexical_rank, self.ranked.lexical), ("dense", pool.dense_rank, pool.dense)]
        return tuple(
            Leg(name, int(rank_[row]) or None, round(float(scores[row]), 6))
            for name, rank_, scores in legs
            if not np.isnan(scores[row])
        )

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """The features that weigh most, either way."""
        if self.ranked.parts is None:
            return ()
        adds, values = self.ranked.parts[self.row], np.nan_to_num(self.ranked.rows[self.row])
        heaviest = [int(n) for n in np.argsort(-np.abs(adds), kind="stable")[:_REASONS] if adds[n]]
        return tuple(
            Reason(FEATURES[n], round(float(values[n]), 4), round(float(adds[n]), 4)) for n in heaviest
        )


def _spread(order: Sequence[_Place], most: int) -> list[_Place]:
    """The first `most` places with other pages first: each further passage of a page counts 0.8 times as much
    as the one before. Documents without pages are left as they are."""
    left = list(order)
    taken: dict[tuple[int, int], int] = {}
    spread: list[_Place] = []
    while left and len(spread) < most:
        best, best_score = 0, -1.0
        for n, place in enumerate(left):
            if place.score <= best_score:
                break
            seen = max((taken.get(page, 0) for page in pages_of(place.candidate)), default=0)
            score = place.score * _SPREAD**seen
            if score > best_score:
                best, best_score = n, score
        place = replace(left.pop(best), score=best_score)
        for page in pages_of(place.candidate):
            taken[page] = taken.get(page, 0) + 1
        spread.append(place)
    return spread


def _hits(legs: Retrievers, order: Sequence[_Place], k: int) -> list[Hit]:
    """The first `k` places whose texts differ, by score. What was deleted meanwhile is left out."""
    places = {place.candidate.id: place for place in order}
    texts = {i: chunk for i, _, chunk in legs.store.chunks(list(places))}
    kept = distinct(((i, texts[i].text) for i in places if i in texts), k)
    documents: dict[int, DocumentInfo] = {}
    for owner in {places[i].candidate.document_id for first, similar in kept for i in (first, *similar)}:
        with suppress(InputError):
            documents[owner] = legs.store.document(owner)

    def copied(i: int) -> bool:
        owner = documents.get(places[i].candidate.document_id)
        return owner is None or is_copy(owner)

    originals_first = (sorted((first, *similar), key=copied) for first, similar in kept)
    hits = [
        Hit(
            chunk_id=i,
            document=documents[places[i].candidate.document_id],
            chunk=texts[i],
            score=round(places[i].score, 6),
            legs=places[i].legs,
            similar=tuple(similar),
            reasons=places[i].reasons,
        )
        for i, *similar in originals_first
        if places[i].candidate.document_id in documents
    ]
    return sorted(hits, key=lambda hit: -hit.score)
