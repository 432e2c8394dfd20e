"""Documents and passages of an index, and which documents pass the filters of a user.

Ids of documents and passages are never used twice and what stands behind an id never changes: an updated file
is a new document. So whatever was cached under an id is either right or gone."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Mapping, Sequence
from datetime import date
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.documents.amendments import amendments
from rag.documents.catalogue import Catalogue, build_catalogue
from rag.documents.description import definitions
from rag.documents.lists import units
from rag.documents.validity import Validity, marked, stated, versions
from rag.errors import InputError
from rag.facts.names import name_key, short_name
from rag.store import schema
from rag.store.index_file import IndexFile
from rag.store.schema import PART, Manifest, begin, read_catalogue, read_relations
from rag.types import (
    Block,
    BlockKind,
    Chunk,
    Document,
    DocumentInfo,
    Filters,
    LeadIn,
    Mark,
    MarkKind,
    Page,
    Relation,
    RelationKind,
    Table,
)
from rag.types.documents import WITHDRAWN, Metadata, several, single
from rag.types.search import Candidate

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_CACHED_PARTS = 256
_NOTE = 400
_CHUNK = (
    "SELECT id, document_id, ordinal, start, end, context, kind, heading_path, page, last_page, location, "
    "tokens, roles, leads FROM chunks WHERE"
)


def matches(info: DocumentInfo, filters: Filters) -> bool:
    """Whether a document passes: its path is one of the names or fits one of the patterns, and so on for
    every given kind of filter."""
    asked, known = filters, info.metadata
    return (
        (not asked.documents or any(info.path == d or fnmatchcase(info.path, d) for d in asked.documents))
        and (not asked.kinds or info.kind in asked.kinds)
        and (not asked.languages or info.language in asked.languages)
        # The years that it may be called by: all readings of a reported year, its plain one, or of issue.
        and (not asked.years or not _years(known).isdisjoint(asked.years))
        and (not asked.companies or bool(set(map(name_key, asked.companies)) & _company_names(known)))
        and (not asked.in_force or stated(known).in_force(asked.in_force))
        and all(value in several(known, key) for key, value in asked.metadata.items())
    )


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


def _years(metadata: Metadata) -> set[str]:
    return set(several(metadata, "fiscal_year", "year")) or {single(metadata, "issued")[:4]}


def _company_names(metadata: Metadata) -> set[str]:
    """The keys of a document's company, its other names and, of a contract, its parties."""
    names = several(metadata, "company", "names", "parties")
    return {name_key(form) for name in names for form in (name, short_name(name))}


def _listing(connection: sqlite3.Connection) -> tuple[dict[int, DocumentInfo], Mapping[int, Validity]]:
    """Every file of a generation by its id, in the order of paths, with what others say of its force; and
    that force."""
    every = read_catalogue(connection)
    force = versions(every, read_relations(connection))
    return {info.id: info for info in marked(every, force)}, force


class Documents(IndexFile):
    """The documents and passages of an open index file."""

    def __init__(self, folder: Path, connection: sqlite3.Connection, manifest: Manifest) -> None:
        super().__init__(folder, connection, manifest)
        self._part = lru_cache(maxsize=_CACHED_PARTS)(self._read_part)
        self.amendments = lru_cache(maxsize=_CACHED_PARTS)(lambda i: amendments(self.load_document(i)))
        self.definitions = lru_cache(maxsize=_CACHED_PARTS)(lambda i: definitions(self.text(i)))

    def close(self) -> None:
        super().close()
        self._part.cache_clear()
        self.amendments.cache_clear()
        self.definitions.cache_clear()

    def _listed(self) -> dict[int, DocumentInfo]:
        return self._cached("listing", _listing)[0]

    def documents(self, filters: Filters | None = None) -> list[DocumentInfo]:
        """Every file that was ingested, unreadable ones too, by path. Raises InputError for a filter that
        cannot be used."""
        found = list(self._listed().values())
        if not filters:
            return found
        check_filters(filters)
        return [info for info in found if matches(info, filters)]

    def catalogue(self) -> Catalogue:
        """Names of the documents, for `rag.questions.constraints`."""
        return self._cached("catalogue", lambda connection: build_catalogue(read_catalogue(connection)))

    def document(self, document_id: int) -> DocumentInfo:
        """Raises InputError when there is no such document (any more)."""
        try:
            return self._listed()[document_id]
        except KeyError as error:
            text = f"The index {self.folder} holds no document {document_id} (any more)."
            raise InputError(text) from error

    def relations(self, document_id: int) -> list[Relation]:
        """What a document does to others (amends, repeals, supersedes)."""
        with self._connection() as connection:
            return read_relations(connection, "WHERE source = ?", document_id)

    def amending(self) -> tuple[Relation, ...]:
        """Which document amends which, of those that the index holds."""
        query = f"WHERE kind = '{RelationKind.AMENDS}' AND target IS NOT NULL"
        return self._cached("amending", lambda connection: tuple(read_relations(connection, query)))

    def validity(self) -> Mapping[int, Validity]:
        """From when to when each document is in force, by id; those of which nothing is known are left
        out."""
        return self._cached("listing", _listing)[1]

    # Texts

    def text(self, document_id: int, start: int = 0, end: int | None = None) -> str:
        """`document.text[start:end]`; only the parts needed are read. "" for a document that gave no text."""
        found = self.rows("SELECT length FROM documents WHERE id = ?", (document_id,))
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
        return "".join(schema.unpack(body) for (body,) in self.rows(query, (document_id, part)))

    def sentence_starts(self, document_id: int, passage: Chunk) -> list[int]:
        """Where the sentences of a passage begin (the rows of a table), counted from the passage's start."""
        if passage.kind != "table":
            return [unit.start - passage.start for unit in units(passage)]
        blocks = self.blocks(document_id, passage.start, passage.end)
        return [max(0, block.start - passage.start) for block in blocks]

    def blocks(self, document_id: int, start: int = 0, end: int | None = None) -> tuple[Block, ...]:
        """The blocks that overlap `text[start:end]`, in order, their tables with the rows among them; cheap
        for a short range of a long document."""
        found = self._overlapping("blocks", document_id, start, end)
        rows: dict[int, list[tuple[int, tuple[int, ...], list[Any]]]] = {}
        for _, at, _, _, _, _, *row in found:
            if row:
                rows.setdefault(row[0], []).append((row[1], (at, *row[2]), row[3]))
        listed = self._overlapping("tables", document_id, start, end) if rows else ()
        tables = {table[1]: _table(table, rows[table[1]]) for table in listed if table[1] in rows}
        blocks = []
        for kind, at, stop, path, level, place, *row in found:
            within = (tables[row[0]], row[1]) if row else ()
            blocks.append(Block(BlockKind(kind), at, stop, tuple(path), level, place, *within))
        return tuple(blocks)

    def marks(self, document_id: int, start: int = 0, end: int | None = None) -> tuple[Mark, ...]:
        """The marks that overlap `text[start:end]`, those of notes up to its end, in order."""
        found = self._overlapping("marks", document_id, start, end)
        return tuple(Mark(MarkKind(kind), *rest) for kind, *rest in found)

    def standing(self, document_id: int, start: int, end: int) -> tuple[MarkKind | None, tuple[str, ...]]:
        """How words of `text[start:end]` are withdrawn, None where all of them stand; and the words of the
        notes, outside of it, that its note marks lead to."""
        found = self.marks(document_id, start, end)
        kinds = {mark.kind for mark in found}
        places = [m.leads_to for m in found if m.leads_to is not None and not start <= m.leads_to < end]
        notes = tuple(self._note(document_id, at) for at in dict.fromkeys(places))
        return next((kind for kind in WITHDRAWN if kind in kinds), None), tuple(filter(None, notes))

    def _note(self, document_id: int, at: int) -> str:
        """The words of the note that begins there: to the end of its block, or to the next note in it."""
        block = next((b for b in self.blocks(document_id, at, at + 1) if b.start <= at < b.end), None)
        if block is None:
            return ""
        marks = self.marks(document_id, max(0, at - PART), block.end)
        others = (m.leads_to for m in marks if m.leads_to is not None and at < m.leads_to < block.end)
        end = min(others, default=block.end)
        words = " ".join(self.text(document_id, at, end).split())
        return words if len(words) <= _NOTE else f"{words[:_NOTE].rstrip()}…"

    def _overlapping(self, column: str, document_id: int, start: int, end: int | None) -> list[list[Any]]:
        """The rows (kind, start, end, ...) of a column of `texts` that overlap the range, in the order
        written. One that spans parts is kept with each of them, and given once."""
        last = 1 << 40 if end is None else max(0, end - 1) // PART
        found = self.rows(
            f"SELECT part, {column} FROM texts WHERE document_id = ? AND part BETWEEN ? AND ? ORDER BY part",
            (document_id, max(0, start) // PART, last),
        )
        return [
            row
            for part, blob in found
            for row in schema.unpack_rows(blob)
            if row[2] > start and (end is None or begin(row) < end)
            if part == found[0][0] or begin(row) >= part * PART
        ]

    def _pages(self, document_id: int) -> tuple[Page, ...]:
        found = self.rows("SELECT pagination FROM documents WHERE id = ?", (document_id,))
        return tuple(Page(*values) for (blob,) in found for values in schema.unpack_rows(blob))

    def page_at(self, document_id: int, offset: int) -> int | None:
        """The 1-based page on which the code point at `offset` stands; None for formats without pages."""
        return next((p.number for p in reversed(self._pages(document_id)) if p.start <= offset), None)

    def load_document(self, document_id: int) -> Document:
        """The whole document with text, pages, blocks and marks. Raises InputError when there is none (any
        more)."""
        info = self.document(document_id)
        names = ("path", "source", "title", "kind", "language", "sha256", "metadata", "losses")
        stated_ones = (Relation(r.kind, r.name, r.effective) for r in self.relations(info.id) if r.name)
        return Document(
            **{name: getattr(info, name) for name in names},
            text=self.text(document_id),
            pages=self._pages(document_id),
            blocks=self.blocks(document_id),
            marks=self.marks(document_id),
            relations=tuple(dict.fromkeys(stated_ones)),
        )

    # Passages

    def owners(self, ids: Sequence[int]) -> dict[int, int]:
        """The document of each passage; those that are gone are left out. Reads no text."""
        return dict(self._among("SELECT id, document_id FROM chunks WHERE id", ids))

    def passage_at(self, document_id: int, offset: int) -> int:
        """The id of the passage in which a character of a document stands; 0 for none."""
        query = "SELECT id FROM chunks WHERE document_id = ? AND start <= ? ORDER BY start DESC LIMIT 1"
        return next((i for (i,) in self.rows(query, (document_id, offset))), 0)

    def candidates(self, ids: Sequence[int]) -> list[Candidate]:
        """Passages without their text, by id; those that are gone are left out."""
        found = self.rows(
            "SELECT c.id, c.document_id, c.ordinal, d.chunks, c.kind, c.page, c.last_page, c.roles, "
            "d.language FROM json_each(?) wanted CROSS JOIN chunks c ON c.id = wanted.value "
            "JOIN documents d ON d.id = c.document_id ORDER BY c.id",
            schema.listed(dict.fromkeys(ids)),
        )
        return [Candidate(*(*row, schema.read_roles(roles), lang)) for *row, roles, lang in found]

    def languages(self) -> frozenset[str]:
        """Those of the documents that have passages."""
        query = "SELECT DISTINCT language FROM documents WHERE chunks > 0"
        return self._cached("languages", lambda c: frozenset(language for (language,) in c.execute(query)))

    def chunks(self, ids: Sequence[int]) -> list[tuple[int, int, Chunk]]:
        """(chunk id, document id, Chunk) in the order asked; those that are gone are left out."""
        found = {row[0]: row for row in self._among(f"{_CHUNK} id", ids)}
        return [self._chunk(found[i]) for i in ids if i in found]

    def document_chunks(self, document_id: int) -> list[tuple[int, int, Chunk]]:
        """All passages of a document, in order."""
        query = f"{_CHUNK} document_id = ? ORDER BY ordinal"
        return [self._chunk(row) for row in self.rows(query, (document_id,))]

    def _chunk(self, row: Sequence[Any]) -> tuple[int, int, Chunk]:
        number, document_id, ordinal, start, end, context, kind, path, *place, roles, over = row
        text, headings = self.text(document_id, start, end), tuple(json.loads(path))
        leads = tuple(
            LeadIn(a, b, until, words, tuple(at)) for a, b, until, words, at in json.loads(over or "[]")
        )
        place += [schema.read_roles(roles), leads]
        return number, document_id, Chunk(ordinal, start, end, text, context, kind, headings, *place)

    def chunk_ids(self, filters: Filters | None, documents: Sequence[int] | None = None) -> NDArray[np.int64]:
        """Ids of the passages of the documents that pass and, where given, are among `documents`,
        ascending."""
        scope = self.scope(filters, documents)
        found = (
            self.rows("SELECT id FROM chunks ORDER BY id")
            if scope is None
            else sorted(self._among("SELECT id FROM chunks WHERE document_id", scope))
        )
        return np.array([i for (i,) in found], dtype=np.int64)

    def scope(self, filters: Filters | None, documents: Sequence[int] | None = None) -> list[int] | None:
        """The ids of the documents that pass the filters and, where given, are among `documents`; None:
        all."""
        if not filters:
            return None if documents is None else list(documents)
        passing = [d.id for d in self.documents(filters)]
        return passing if documents is None else [i for i in passing if i in frozenset(documents)]


def _table(values: list[Any], rows: list[tuple[int, tuple[int, ...], list[Any]]]) -> Table:
    placed, start, end, heads, units, path, location, title = values
    spans = tuple((number, *span) for number, _, spanned in rows for span in spanned)
    return Table(
        start, end, tuple(map(tuple, heads)), tuple(units), placed, tuple(path), location, rows[0][0],
        tuple(cells for _, cells, _ in rows), spans, title,
    )  # fmt: skip
