"""The only truth of an index: documents with their text, passages, vectors and search tokens in one SQLite
file (`rag.store.documents`), and the two legs of a search.

The lexical leg is BM25 over our own tokens, computed by SQLite's FTS5. Weights are FTS5's bm25() with the
sign turned, so higher is better (Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and
Beyond", 2009; k1 = 1.2, b = 0.75; a column's weight counts in the term frequency).

To weigh a passage costs far more than to see that a word is in it, so a query with frequent words runs in two
steps (the idea of MaxScore: Turtle and Flood, "Query evaluation: strategies and optimizations", 1995):
passages that hold one of its rarer words are weighed by those, then the best of them by all words. What holds
frequent words alone is not found then; that is also what weighs least.

The dense leg is a FAISS index over the vectors in memory. It is made from the store whenever they have
changed, and kept nowhere else, so that the two cannot disagree: 0.13 s of processor time at 20,000 passages.
The search is exact over the very float16 values that the store holds (measured at 50,000 x 384: 1.2 ms a
query against 7 ms for float32)."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.languages.text import search_tokens
from rag.store.documents import Documents
from rag.store.schema import Manifest, SentenceVectors, listed, read_roles
from rag.types import Filters
from rag.types.search import Lengths


class VectorSpace:
    """The vectors of an open index; `info` is the embedder that made them."""

    def __init__(self, index: Documents) -> None:
        self.index = index
        self.info = index.manifest().space.info

    def _value(self, query: str) -> Any:
        return self.index.rows(query)[0][0]

    def generation(self) -> int:
        """Grows with every commit that adds or removes a vector."""
        return int(self._value("SELECT generation FROM spaces"))

    def count(self) -> int:
        """Passages that have a vector."""
        return int(self._value("SELECT count(*) FROM vectors"))

    def count_pending(self) -> int:
        """Passages that wait for a vector."""
        return int(self._value("SELECT count(*) FROM pending"))

    def pending(self, limit: int) -> list[tuple[int, str]]:
        """(chunk id, text to embed) of passages that wait for a vector, by id."""
        found = self.index.rows("SELECT chunk_id FROM pending ORDER BY chunk_id LIMIT ?", (limit,))
        passages = self.index.chunks([i for (i,) in found])
        return [(chunk_id, chunk.indexed_text) for chunk_id, _, chunk in passages]

    def vectors(self, chunk_ids: Sequence[int]) -> NDArray[np.float32]:
        """(n, dimension) in the order asked; a row of zeros where a passage has no vector (yet)."""
        matrix = np.zeros((len(chunk_ids), self.info.dimension), dtype=np.float32)
        found = self._blobs("vectors", chunk_ids)
        present = [row for row, chunk_id in enumerate(chunk_ids) if int(chunk_id) in found]
        if present:
            joined = b"".join(found[int(chunk_ids[row])] for row in present)
            matrix[present] = np.frombuffer(joined, dtype="<f2").reshape(len(present), -1)
        return matrix

    def sentences(self, chunk_ids: Sequence[int]) -> Mapping[int, SentenceVectors]:
        """The vectors of the sentences of these passages, by chunk id; those without any are left out."""
        found = self._blobs("sentences", chunk_ids)
        return {i: SentenceVectors.unpack(blob, self.info.dimension) for i, blob in found.items()}

    def _blobs(self, table: str, chunk_ids: Sequence[int]) -> dict[int, bytes]:
        query = f"SELECT chunk_id, vector FROM {table} WHERE chunk_id IN (SELECT value FROM json_each(?))"
        return dict(self.index.rows(query, listed(chunk_ids)))

    def iter_vectors(self, batch: int = 8192) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float16]]]:
        """All vectors in batches of (ids, matrix), by id."""
        query = "SELECT chunk_id, vector FROM vectors WHERE chunk_id > ? ORDER BY chunk_id LIMIT ?"
        last = -1
        while found := self.index.rows(query, (last, batch)):
            matrix = np.frombuffer(b"".join(vector for _, vector in found), dtype="<f2")
            yield np.array([i for i, _ in found], dtype=np.int64), matrix.reshape(len(found), -1)
            last = found[-1][0]


class DenseIndex:
    """The vectors as they are now, to be searched; `generation` is theirs. Safe to search from several
    threads."""

    def __init__(self, space: VectorSpace) -> None:
        import faiss

        self.generation = space.generation()
        self._space = space
        size, kind = space.info.dimension, faiss.ScalarQuantizer.QT_fp16
        self._index: Any = faiss.IndexIDMap(
            faiss.IndexScalarQuantizer(size, kind, faiss.METRIC_INNER_PRODUCT)
        )
        for ids, matrix in space.iter_vectors():
            self._index.add_with_ids(matrix.astype(np.float32), ids)

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def search(
        self, vector: NDArray[np.float32], k: int, *, allowed: NDArray[np.int64] | None = None
    ) -> list[tuple[int, float]]:
        """(chunk id, cosine) of the nearest `k` passages, best first; only `allowed` ids when given. `vector`
        is (dimension,) and L2-normalised."""
        count = min(k, len(self) if allowed is None else len(allowed))
        if count < 1 or not len(self):
            return []
        import faiss

        query = np.ascontiguousarray(vector, dtype=np.float32)[None, :]
        parameters: Any = faiss.SearchParameters()
        if allowed is not None:
            parameters.sel = faiss.IDSelectorBatch(np.ascontiguousarray(allowed, np.int64))
        # Too little work to share: two threads of this one on busy cores took 10 ms where one took 2.5.
        faiss.omp_set_num_threads(1)
        scores, ids = self._index.search(query, count, params=parameters)
        return [(int(i), float(s)) for i, s in zip(ids[0], scores[0], strict=True) if i >= 0]

    def cosines(self, vector: NDArray[np.float32], chunk_ids: Sequence[int]) -> dict[int, float]:
        """Exact cosines of given passages, from the store; passages without a vector are left out."""
        if not len(chunk_ids):
            return {}
        matrix = self._space.vectors(chunk_ids)
        scores = matrix @ np.asarray(vector, dtype=np.float32)
        present = np.count_nonzero(matrix, axis=1) > 0
        return {int(i): float(s) for i, s, p in zip(chunk_ids, scores, present, strict=True) if p}


# Title (with the file's name), heading path and table header, text.
COLUMN_WEIGHTS = (1.0, 1.2, 1.0)
# Postings of the words that candidates are found by. At 50,000 passages this keeps a query to some 15 ms.
POSTINGS_BUDGET = 20_000
MAX_TOKENS = 64
_ESSENTIAL_AT_LEAST = 2
_CANDIDATES = 400
_PHRASE_HITS = 200
_SAMPLED = 1000


class Store(Documents):
    """An open index file. Make one with `Store.open` or `Store.create`; use as a context manager or call
    `close`. `space` are its vectors."""

    def __init__(self, folder: Path, connection: sqlite3.Connection, manifest: Manifest) -> None:
        super().__init__(folder, connection, manifest)
        self.space = VectorSpace(self)

    # The lexical leg

    def lexical(
        self,
        tokens: Sequence[str],
        *,
        limit: int,
        filters: Filters | None = None,
        documents: Sequence[int] | None = None,
    ) -> list[tuple[int, float]]:
        """(chunk id, BM25 weight, higher is better), best first. `tokens` come from
        `rag.languages.text.query_tokens`."""
        frequency, scope = self.document_frequency(tokens), self.scope(filters, documents)
        restriction, values = _within(self._ranges(scope)) if scope is not None else ("", [])
        known = known_tokens(frequency)
        essential = essential_tokens(known, frequency)
        if len(essential) == len(known):
            return self._weights(known, restriction, values, limit)
        candidates = self._weights(essential, restriction, values, max(_CANDIDATES, 4 * limit))
        if not candidates:
            return []
        # "+rowid" makes this one pass over the postings; a seek per rowid would compute every idf anew.
        ids = sorted(chunk_id for chunk_id, _ in candidates)
        restriction = " AND rowid BETWEEN ? AND ? AND +rowid IN (SELECT value FROM json_each(?))"
        return self._weights(known, restriction, [ids[0], ids[-1], *listed(ids)], limit)

    def _weights(
        self, tokens: Sequence[str], restriction: str, values: Sequence[str | int], limit: int
    ) -> list[tuple[int, float]]:
        """The best passages, heaviest first; ties by id."""
        if not tokens or limit < 1:
            return []
        match = " OR ".join('"' + token.replace('"', '""') + '"' for token in tokens)
        query = (
            f"SELECT rowid, bm25(lexical, {', '.join(map(str, COLUMN_WEIGHTS))}) AS weight FROM lexical "
            f"WHERE lexical MATCH ?{restriction} ORDER BY weight, rowid LIMIT ?"
        )
        return [(row[0], -row[1]) for row in self.rows(query, (match, *values, limit))]

    def _ranges(self, documents: Sequence[int]) -> list[tuple[int, int]]:
        """First and last passage id of the documents, ascending, neighbours joined: a document is put in one
        transaction, so its ids follow each other."""
        found = self.rows(
            "SELECT c.id, d.chunks FROM documents d JOIN chunks c ON c.document_id = d.id AND c.ordinal = 0 "
            "WHERE d.id IN (SELECT value FROM json_each(?)) ORDER BY c.id",
            listed(documents),
        )
        ranges: list[tuple[int, int]] = []
        for first, count in found:
            start = ranges.pop()[0] if ranges and ranges[-1][1] + 1 == first else first
            ranges.append((start, first + count - 1))
        return ranges

    def document_frequency(self, tokens: Sequence[str]) -> dict[str, int]:
        """Number of passages that hold each token (0: none)."""
        known: dict[str, int] = self._cached("frequencies", lambda _: {})
        for token in dict.fromkeys(tokens):
            if token not in known:
                found = self.rows("SELECT doc FROM vocabulary WHERE term = ?", (token,))
                known[token] = found[0][0] if found else 0
        return {t: known[t] for t in tokens}

    def terms(self, initial: str) -> list[str]:
        """The search tokens of all passages that begin with a letter."""
        query = "SELECT term FROM vocabulary WHERE term >= ? AND term < ?"
        return [term for (term,) in self.rows(query, (initial, chr(ord(initial) + 1)))]

    def spelled(self, token: str) -> str:
        """A search token as a passage that holds it spells its word; "" where none does."""
        ids = [i for i, _ in self.lexical([token], limit=1)]
        texts = [chunk.indexed_text for _, _, chunk in self.chunks(ids)]
        words = (word for text in texts for word in re.findall(r"[^\W\d_]+", text))
        return next((word for word in words if search_tokens(word) == [token]), "")

    def matching(self, expression: str) -> list[int]:
        """Ids of all passages that an FTS5 query matches, ascending."""
        return [i for (i,) in self.rows("SELECT rowid FROM lexical WHERE lexical MATCH ?", (expression,))]

    def token_fields(self, ids: Sequence[int]) -> dict[int, tuple[str, str, str]]:
        """Search tokens of passages, blank-joined: (title, heading, body). Those that are gone are left
        out. Read from the table that FTS5 keeps them in: asking the virtual table itself opens a cursor for
        each row."""
        found = self._among("SELECT id, c0, c1, c2 FROM lexical_content WHERE id", ids)
        return {row[0]: row[1:] for row in found}

    def roles(self, document_ids: Sequence[int]) -> dict[int, tuple[str, ...]]:
        """The parts that passages of these documents stand in, by chunk id; those that stand in none are left
        out."""
        query = "SELECT id, roles FROM chunks WHERE roles != '' AND document_id"
        read = lru_cache(maxsize=None)(read_roles)  # few, for many passages
        return {i: read(roles) for i, roles in self._among(query, document_ids)}

    def with_roles(self, kinds: Collection[str]) -> set[int]:
        """The documents that have a passage in one of these parts of a document; read once for each
        generation, from every passage's row."""

        def compute(connection: sqlite3.Connection) -> set[int]:
            found = connection.execute("SELECT DISTINCT document_id, roles FROM chunks WHERE roles != ''")
            return {d for d, roles in found if not frozenset(kinds).isdisjoint(read_roles(roles))}

        return self._cached(f"with {kinds}", compute)

    def lengths(self) -> Lengths:
        """Mean lengths of the passages' fields in search tokens, over an even sample."""
        return self._cached("lengths", _lengths)

    def phrase_hits(self, phrases: Sequence[str], document_ids: Sequence[int]) -> dict[str, list[int]]:
        """For each phrase of search tokens, blank-joined, up to 200 ids of passages of each of these
        documents whose heading or text holds it, ascending. A phrase without a token is held by none."""
        # Each by itself: one that repeats a phrase must not use up the places of the others.
        ranges = sorted(r for d in document_ids for r in self._ranges([d]))
        query = "SELECT rowid FROM lexical WHERE lexical MATCH ? AND rowid BETWEEN ? AND ? LIMIT ?"
        hits: dict[str, list[int]] = {phrase: [] for phrase in phrases}
        for phrase in filter(str.strip, hits):
            match = '{heading body} : "' + phrase.replace('"', '""') + '"'
            for first, last in ranges:
                hits[phrase] += [i for (i,) in self.rows(query, (match, first, last, _PHRASE_HITS))]
        return hits

    # Validity

    def opening(self, document_id: int) -> int:
        """The id of a document's first passage; 0 where it has none (any more)."""
        ranges = self._ranges([document_id])
        return ranges[0][0] if ranges else 0

    def ended(self, day: str) -> frozenset[int]:
        """The documents that are known to be no longer in force on an ISO day."""
        force = self.validity()
        return self._cached(f"ended {day}", lambda _: frozenset(d for d, v in force.items() if v.ended(day)))


def _lengths(connection: sqlite3.Connection) -> Lengths:
    count, last = connection.execute("SELECT count(*), max(id) FROM chunks").fetchone()
    step = max(1, count // _SAMPLED)
    found = connection.execute(
        "SELECT title, heading, body FROM lexical WHERE rowid IN (SELECT id FROM chunks WHERE id % ? = ?)",
        (step, (last or 0) % step),
    ).fetchall()
    sizes = [[len(field.split()) for field in row] for row in found] or [[1, 1, 1]]
    return Lengths(sum(row[0] for row in sizes) / len(sizes), sum(map(sum, sizes)) / len(sizes))


def known_tokens(frequency: Mapping[str, int]) -> list[str]:
    """The tokens that some passage holds, rarest first, at most `MAX_TOKENS`."""
    return sorted((t for t in frequency if frequency[t]), key=lambda t: (frequency[t], t))[:MAX_TOKENS]


def essential_tokens(tokens: Sequence[str], frequency: Mapping[str, int]) -> list[str]:
    """Of tokens given rarest first, those that candidates are found by: as many as the budget allows, at
    least two."""
    postings = accumulate(frequency[token] for token in tokens)
    within = sum(reached <= POSTINGS_BUDGET for reached in postings)
    return list(tokens[: max(within, _ESSENTIAL_AT_LEAST)])


def _within(ranges: Sequence[tuple[int, int]]) -> tuple[str, list[str | int]]:
    """Passages in ranges of ids. FTS5 seeks to the first id and stops at the last, whatever lies between;
    "+rowid" keeps it from seeking anew for each range, which would compute every idf anew."""
    if not ranges:
        return " AND +rowid IN ()", []
    span: list[str | int] = [ranges[0][0], ranges[-1][1]]
    if len(ranges) == 1:
        return " AND rowid BETWEEN ? AND ?", span
    among = (
        " AND +rowid IN (SELECT c.id FROM json_each(?) r JOIN chunks c "
        "ON c.id BETWEEN json_extract(r.value, '$[0]') AND json_extract(r.value, '$[1]'))"
    )
    return f" AND rowid BETWEEN ? AND ?{among}", [*span, json.dumps(ranges)]
