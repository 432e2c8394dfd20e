"""The only truth of an index: documents, passages, vectors and lexical tokens in one SQLite file.

Below lie the file itself (`rag.store.index_file`) and its documents and passages (`rag.store.documents`);
here stands what searches look up in it: tokens, labels, statements, references, vectors."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from rag.facts.crossrefs import CrossReference
from rag.store import lexical
from rag.store import links as linking
from rag.store import sql as rows
from rag.store.documents import Documents
from rag.types import Filters
from rag.types.search import Lengths

_PHRASE_HITS = 200
T = TypeVar("T")


class Store(Documents):
    """An open index file. Make one with `Store.open` or `Store.create`; use as a context manager or call
    `close`."""

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
        with self._connection() as connection:
            ranges = None if scope is None else rows.chunk_ranges(connection, scope)
            return lexical.best(connection, frequency, limit=limit, ranges=ranges)

    def document_frequency(self, tokens: Sequence[str]) -> dict[str, int]:
        """Number of passages that hold each token (0: none)."""
        known: dict[str, int] = self._cached("frequencies", lambda _: {})
        missing = [t for t in tokens if t not in known]
        if missing:
            with self._connection() as connection:
                known.update(lexical.frequencies(connection, missing))
        return {t: known[t] for t in tokens}

    def matching(self, expression: str) -> list[int]:
        """Ids of all passages that an FTS5 query matches, ascending."""
        return [i for (i,) in self._rows("SELECT rowid FROM lexical WHERE lexical MATCH ?", (expression,))]

    def labels(self, document_id: int) -> list[tuple[str, str, int]]:
        """The numbered parts of a document that passages bear: (kind, number, chunk id), as ("article", "12",
        31), in the order of the passages."""
        query = "SELECT kind, label, chunk_id FROM anchors WHERE document_id = ? ORDER BY chunk_id, label"
        return self._rows(query, (document_id,))

    def token_fields(self, ids: Sequence[int]) -> dict[int, tuple[str, str, str]]:
        """Search tokens of passages, blank-joined: (title, heading, body). Those that are gone are left
        out."""
        with self._connection() as connection:
            return rows.token_fields(connection, ids)

    def roles(self, document_ids: Sequence[int]) -> dict[int, str]:
        """The parts that passages of these documents stand in, joined by "|", by chunk id; those that stand
        in none are left out."""
        with self._connection() as connection:
            return rows.roles(connection, document_ids)

    def with_roles(self, kinds: Collection[str]) -> set[int]:
        """The documents that have a passage in one of these parts of a document. Reads every passage's row:
        to be kept with `derived`."""
        with self._connection() as connection:
            return rows.with_roles(connection, kinds)

    def derived(self, key: str, build: Callable[[], T]) -> T:
        """What is made of the index as it is, under a key, once for each generation."""
        return self._cached(key, lambda _: build())

    def lengths(self) -> Lengths:
        """Mean lengths of the passages' fields in search tokens."""
        return self._cached("lengths", lambda connection: Lengths(*rows.token_means(connection)))

    def phrase_hits(self, phrases: Sequence[str], document_ids: Sequence[int]) -> dict[str, list[int]]:
        """For each phrase of search tokens, blank-joined, up to 200 ids of passages of each of these
        documents whose heading or text holds it, ascending. A phrase without a token is held by none."""
        with self._connection() as connection:
            # Each by itself: one that repeats a phrase must not use up the places of the others.
            ranges = sorted(r for d in document_ids for r in rows.chunk_ranges(connection, [d]))
            return {
                phrase: rows.phrase_hits(connection, phrase, ranges, _PHRASE_HITS) if phrase.strip() else []
                for phrase in phrases
            }

    # References and validity

    def references(self, chunk_id: int, *, incoming: bool = False) -> list[CrossReference]:
        """The references of a passage, with their words, or those that lead to it."""
        with self._connection() as connection:
            found = (linking.incoming if incoming else linking.outgoing)(connection, chunk_id)
        return [replace(r, text=self.text(r.document_id, r.start, r.end)) for r in found]

    def opening(self, document_id: int) -> int:
        """The id of a document's first passage; 0 where it has none (any more)."""
        with self._connection() as connection:
            ranges = rows.chunk_ranges(connection, [document_id])
        return ranges[0][0] if ranges else 0

    def ended(self, day: str) -> frozenset[int]:
        """The documents that are known to be no longer in force on an ISO day."""
        force = self.validity()
        return self._cached(f"ended {day}", lambda _: frozenset(d for d, v in force.items() if v.ended(day)))

    # Vectors

    def vectors(self, chunk_ids: Sequence[int]) -> NDArray[np.float32]:
        """(n, dimension) in the order asked; a row of zeros where a passage has no vector (yet)."""
        matrix = np.zeros((len(chunk_ids), self._manifest.dimension), dtype=np.float32)
        query = "SELECT chunk_id, vector FROM vectors WHERE chunk_id IN (SELECT value FROM json_each(?))"
        found = dict(self._rows(query, rows.listed(chunk_ids)))
        present = [row for row, chunk_id in enumerate(chunk_ids) if int(chunk_id) in found]
        if present:
            joined = b"".join(found[int(chunk_ids[row])] for row in present)
            matrix[present] = np.frombuffer(joined, dtype="<f2").reshape(len(present), -1)
        return matrix

    def iter_vectors(self, batch: int = 8192) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float16]]]:
        """All vectors in batches of (ids, matrix), by id."""
        query = "SELECT chunk_id, vector FROM vectors WHERE chunk_id > ? ORDER BY chunk_id LIMIT ?"
        last = -1
        while found := self._rows(query, (last, batch)):
            matrix = np.frombuffer(b"".join(vector for _, vector in found), dtype="<f2")
            yield np.array([i for i, _ in found], dtype=np.int64), matrix.reshape(len(found), -1)
            last = found[-1][0]

    def count_vectors(self) -> int:
        return int(self._rows("SELECT count(*) FROM vectors")[0][0])

    def count_pending(self) -> int:
        """Passages that wait for a vector."""
        return int(self._rows("SELECT count(*) FROM pending")[0][0])

    def pending_vectors(self, limit: int) -> list[tuple[int, str]]:
        """(chunk id, text to embed) of passages that wait for a vector, by id."""
        found = self._rows("SELECT chunk_id FROM pending ORDER BY chunk_id LIMIT ?", (limit,))
        return [(chunk_id, chunk.indexed_text) for chunk_id, _, chunk in self.chunks([i for (i,) in found])]
