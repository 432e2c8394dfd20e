"""Plain hybrid search as most write it: BM25 over the same tokens, a flat FAISS index over the same vectors,
reciprocal rank fusion (Cormack, Clarke and Büttcher, 2009). No reading of the question, no features."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.index import Index
from rag.languages.text import detect_language, query_tokens

_DEPTH = 150
_RRF = 60
Ranking = list[int]


def rivals(index: Index, *, dense: bool) -> dict[str, Callable[[str, int], Ranking]]:
    """Searches over the passages of an index by name: question, k -> ids, best first. bm25s where it is
    installed, SQLite's FTS5 in any case."""
    ids, tokens = _tokens(index)
    near = _flat(index) if dense else None
    found: dict[str, Callable[[str, int], Ranking]] = {}
    legs = {"bm25s": _bm25s(ids, tokens), "FTS5": _fts5(ids, tokens)}
    for name, leg in legs.items():
        if leg is not None:
            found[f"{name} + FAISS flat" if dense else name] = _hybrid(index, leg, near)
    return found


def _hybrid(
    index: Index,
    lexical: Callable[[list[str]], Ranking],
    near: Callable[[NDArray[np.float32]], Ranking] | None,
) -> Callable[[str, int], Ranking]:
    def search(question: str, k: int) -> Ranking:
        lists = [lexical(query_tokens(question))]
        if near is not None and index.embedder_for(detect_language(question)) is not None:
            lists.append(near(index.embedder.embed_query(question)))
        scores: dict[int, float] = {}
        for ranking in lists:
            for rank, passage in enumerate(ranking, 1):
                scores[passage] = scores.get(passage, 0.0) + 1 / (_RRF + rank)
        best = sorted(scores, key=lambda passage: -scores[passage])[:k]
        index.store.chunks(best)  # a search gives texts, here as with us
        return best

    return search


def _tokens(index: Index) -> tuple[Sequence[int], list[str]]:
    ids = [int(i) for i in index.store.chunk_ids(None)]
    fields: dict[int, tuple[str, str, str]] = {}
    for start in range(0, len(ids), 10_000):
        fields |= index.store.token_fields(ids[start : start + 10_000])
    return ids, [" ".join(fields[i]) for i in ids]


def _bm25s(ids: Sequence[int], tokens: list[str]) -> Callable[[list[str]], Ranking] | None:
    try:
        import bm25s
    except ImportError:
        return None
    model: Any = bm25s.BM25(k1=1.2, b=0.75)
    model.index([text.split() for text in tokens], show_progress=False)

    def search(words: list[str]) -> Ranking:
        known = [w for w in words if w in model.vocab_dict]
        if not known:
            return []
        depth = min(_DEPTH, len(ids))
        rows, _ = model.retrieve([known], k=depth, show_progress=False, n_threads=0)
        return [ids[int(row)] for row in rows[0]]

    return search


def _fts5(ids: Sequence[int], tokens: list[str]) -> Callable[[list[str]], Ranking]:
    base = sqlite3.connect(":memory:")
    base.execute("CREATE VIRTUAL TABLE passages USING fts5 (body, tokenize = \"ascii tokenchars '.,'''\")")
    base.executemany("INSERT INTO passages (rowid, body) VALUES (?, ?)", zip(ids, tokens, strict=True))
    base.execute("INSERT INTO passages (passages) VALUES ('optimize')")

    def search(words: list[str]) -> Ranking:
        match = " OR ".join(json.dumps(word, ensure_ascii=False) for word in words)
        query = "SELECT rowid FROM passages WHERE passages MATCH ? ORDER BY bm25(passages) LIMIT ?"
        return [row[0] for row in base.execute(query, (match, _DEPTH))]

    return search


def _flat(index: Index) -> Callable[[NDArray[np.float32]], Ranking]:
    import faiss

    flat: Any = faiss.IndexIDMap(faiss.IndexFlatIP(index.store.space.info.dimension))
    for ids, matrix in index.store.space.iter_vectors():
        flat.add_with_ids(matrix.astype(np.float32), ids)

    def search(vector: NDArray[np.float32]) -> Ranking:
        return [int(i) for i in flat.search(vector[None, :], _DEPTH)[1][0] if i >= 0]

    return search
