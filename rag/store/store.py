"""The only truth of an index: documents with their text, blocks and pages, passages, vectors and lexical
tokens in one SQLite file (`rag.store.index_file`); which documents pass the filters of a user.

Ids of documents and passages are never used twice and what stands behind an id never changes: an updated file
is a new document. So whatever was cached under an id is either right or gone."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rag.documents.catalogue import Catalogue, build_catalogue
from rag.documents.validity import Validity, marked, stated, versions
from rag.errors import InputError
from rag.facts.crossrefs import CrossReference
from rag.facts.names import name_key, short_name
from rag.store import lexical
from rag.store import links as linking
from rag.store import sql as rows
from rag.store.index_file import IndexFile
from rag.store.schema import PART, Manifest, unpack
from rag.types import Block, Chunk, Document, DocumentInfo, Filters
from rag.types.search import Candidate, Lengths

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_CACHED_PARTS = 256
_PHRASE_HITS = 200


def matches(info: DocumentInfo, filters: Filters) -> bool:
    """Whether a document passes: its path is one of the names or fits one of the patterns, and so on for
    every given kind of filter."""
    if filters.documents and not any(info.path == d or fnmatchcase(info.path, d) for d in filters.documents):
        return False
    if filters.kinds and info.kind not in filters.kinds:
        return False
    if filters.languages and info.language not in filters.languages:
        return False
    if filters.years and not _years(info.metadata).intersection(filters.years):
        return False
    if filters.companies and not {name_key(n) for n in filters.companies} & _company_names(info.metadata):
        return False
    if filters.in_force and not stated(info.metadata).in_force(filters.in_force):
        return False
    return all(info.metadata.get(key) == value for key, value in filters.metadata.items())


def check_filters(filters: Filters) -> None:
    """Raises InputError for a day that is no ISO date, or a year that is no year."""
    try:
        if filters.in_force and not _DAY.fullmatch(filters.in_force):
            raise ValueError
        date.fromisoformat(filters.in_force or "2000-01-01")
    except ValueError as error:
        raise InputError(
            f"in_force is {filters.in_force!r}, which is no date. Write year, month and day: 2024-05-01."
        ) from error
    for year in filters.years:
        if not re.fullmatch(r"\d{4}", year):
            raise InputError(f"{year!r} is no year to filter by. Write four digits: 2023.")


def _years(metadata: Mapping[str, str]) -> set[str]:
    """The years that a document may be called by: all readings of a reported year, or its plain year."""
    return {year for key in ("fiscal_year", "year") for year in metadata.get(key, "").split("|") if year}


def _company_names(metadata: Mapping[str, str]) -> set[str]:
    """The keys of a document's company, its other names and, of a contract, its parties."""
    names = [n for key in ("company", "names", "parties") for n in metadata.get(key, "").split("|") if n]
    return {name_key(form) for name in names for form in (name, short_name(name))}


class Documents(IndexFile):
    """The documents and passages of an open index file."""

    def __init__(self, folder: Path, connection: sqlite3.Connection, manifest: Manifest) -> None:
        super().__init__(folder, connection, manifest)
        self._part = lru_cache(maxsize=_CACHED_PARTS)(self._read_part)

    def close(self) -> None:
        super().close()
        self._part.cache_clear()

    def documents(self, filters: Filters | None = None) -> list[DocumentInfo]:
        """Every file that was ingested, unreadable ones too, by path. Raises InputError for a filter that
        cannot be used."""
        force = self.validity()
        listed = self._cached("documents", lambda c: marked(rows.catalogue(c), force))
        if not filters:
            return list(listed)
        check_filters(filters)
        return [info for info in listed if matches(info, filters)]

    def catalogue(self) -> Catalogue:
        """Names of the documents, for `rag.questions.constraints`."""
        return self._cached("catalogue", lambda connection: build_catalogue(rows.catalogue(connection)))

    def document(self, document_id: int) -> DocumentInfo:
        """Raises InputError when there is no such document (any more)."""
        with self._connection() as connection:
            info = rows.document(connection, document_id)
        if info is None:
            raise InputError(f"The index {self.folder} holds no document {document_id} (any more).")
        return marked([info], self.validity())[0]

    def text(self, document_id: int, start: int = 0, end: int | None = None) -> str:
        """`document.text[start:end]`; only the parts needed are read. "" for a document that gave no text."""
        found = self._rows("SELECT length FROM documents WHERE id = ?", (document_id,))
        length = found[0][0] if found else 0
        stop = length if end is None else min(end, length)
        start = max(0, start)
        if start >= stop:
            return ""
        joined = "".join(self._part(document_id, n) for n in range(start // PART, (stop - 1) // PART + 1))
        base = start // PART * PART
        return joined[start - base : stop - base]

    def _read_part(self, document_id: int, part: int) -> str:
        query = "SELECT body FROM texts WHERE document_id = ? AND part = ?"
        return "".join(unpack(body) for (body,) in self._rows(query, (document_id, part)))

    def blocks(self, document_id: int, start: int = 0, end: int | None = None) -> tuple[Block, ...]:
        """The blocks that overlap `text[start:end]`, in order; cheap for a short range of a long document."""
        with self._connection() as connection:
            return rows.blocks(connection, document_id, start, end)

    def page_at(self, document_id: int, offset: int) -> int | None:
        """The 1-based page on which the code point at `offset` stands; None for formats without pages."""
        with self._connection() as connection:
            pages, _ = rows.pages(connection, document_id)
        return next((p.number for p in reversed(pages) if p.start <= offset), None)

    def load_document(self, document_id: int) -> Document:
        """The whole document with text, pages and blocks. Raises InputError when there is none (any more)."""
        info = self.document(document_id)
        with self._connection() as connection:
            pages, empty_pages = rows.pages(connection, document_id)
        names = ("path", "source", "title", "kind", "language", "sha256", "metadata")
        return Document(
            **{name: getattr(info, name) for name in names},
            text=self.text(document_id),
            pages=pages,
            blocks=self.blocks(document_id),
            empty_pages=empty_pages,
        )

    def validity(self) -> Mapping[int, Validity]:
        """From when to when each document is in force, by id; those of which nothing is known are left
        out."""
        return self._cached("validity", lambda connection: versions(rows.catalogue(connection)))

    # Passages

    def owners(self, ids: Sequence[int]) -> dict[int, int]:
        """The document of each passage; those that are gone are left out. Reads no text."""
        query = "SELECT id, document_id FROM chunks WHERE id IN (SELECT value FROM json_each(?))"
        return dict(self._rows(query, rows.listed(ids)))

    def candidates(self, ids: Sequence[int]) -> list[Candidate]:
        """Passages without their text, by id; those that are gone are left out."""
        with self._connection() as connection:
            return [Candidate(*row) for row in rows.candidates(connection, ids)]

    def chunks(self, ids: Sequence[int]) -> list[tuple[int, int, Chunk]]:
        """(chunk id, document id, Chunk) in the order asked; those that are gone are left out."""
        with self._connection() as connection:
            found = {row[0]: row for row in rows.chunk_rows(connection, ids)}
        return [self._chunk(found[i]) for i in ids if i in found]

    def document_chunks(self, document_id: int) -> list[tuple[int, int, Chunk]]:
        """All passages of a document, in order."""
        with self._connection() as connection:
            found = rows.chunk_range(connection, document_id, 0, 1 << 60)
        return [self._chunk(row) for row in found]

    def _chunk(self, row: rows.ChunkRow) -> tuple[int, int, Chunk]:
        return row[0], row[1], rows.chunk(row, self.text(row[1], row[3], row[4]))

    def chunk_ids(self, filters: Filters | None, documents: Sequence[int] | None = None) -> NDArray[np.int64]:
        """Ids of the passages of the documents that pass and, where given, are among `documents`,
        ascending."""
        scope = self.scope(filters, documents)
        if scope is None:
            found = self._rows("SELECT id FROM chunks ORDER BY id")
        else:
            query = "SELECT id FROM chunks WHERE document_id IN (SELECT value FROM json_each(?)) ORDER BY id"
            found = self._rows(query, rows.listed(scope))
        return np.array([i for (i,) in found], dtype=np.int64)

    def scope(self, filters: Filters | None, documents: Sequence[int] | None = None) -> list[int] | None:
        """The ids of the documents that pass the filters and, where given, are among `documents`; None:
        all."""
        if not filters:
            return None if documents is None else list(documents)
        passing = [d.id for d in self.documents(filters)]
        return passing if documents is None else [i for i in passing if i in frozenset(documents)]


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
        """The documents that have a passage in one of these parts of a document; read once for each
        generation, from every passage's row."""
        return self._cached(f"with {kinds}", lambda connection: rows.with_roles(connection, kinds))

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
