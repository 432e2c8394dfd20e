"""The one writer of an index: every change is a transaction, and a document changes whole or not at all."""

from __future__ import annotations

import json
import os
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.documents.validity import settled
from rag.parsers import other_format
from rag.store import schema
from rag.store.schema import (
    PART,
    SentenceVectors,
    begin,
    pack_rows,
    read_catalogue,
    read_relations,
    storage_errors,
)
from rag.types import Block, Chunk, Document, DocumentInfo, FileStatus, LossKind, Relation


@dataclass(frozen=True, slots=True)
class FileState:
    """A file as an ingest saw it, to be compared with at the next one. `path` is the shown one, `kind` ""
    for formats that are not read, `ocr` whether it is read with OCR on."""

    source: str
    path: str
    size: int
    mtime_ns: int
    kind: str = ""
    ocr: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """What the index remembers of a file."""

    info: DocumentInfo
    mtime_ns: int
    ocr: bool


# The documents for which every name of a relation was looked up.
_REFERENCES = "references"
_REMEMBER = "INSERT OR REPLACE INTO meta VALUES (?, ?)"

# Search tokens of one passage, joined by blanks: (title, heading, body).
Tokens = tuple[str, str, str]


class Writer:
    """Changes to an index; made by `Store.writing`, which holds the lock. All calls but `known`, `shrink`,
    `resolve_relations` and `transaction` belong inside `with writer.transaction():`."""

    def __init__(self, connection: sqlite3.Connection, folder: Path) -> None:
        self._connection = connection
        self._file = folder / schema.DATABASE
        self.folder = folder
        self._vectors_changed = False

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, and on disk when the block has ended. Raises StorageError when the disk is full."""
        with storage_errors(self._file):
            self._connection.execute("BEGIN IMMEDIATE")
            self._vectors_changed = False
            try:
                yield
                self._connection.execute(
                    "UPDATE meta SET value = CAST(value AS INTEGER) + 1 WHERE key = 'generation'"
                )
                if self._vectors_changed:
                    self._connection.execute("UPDATE spaces SET generation = generation + 1")
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:  # SQLite may have rolled back by itself, on a full disk
                    self._connection.execute("ROLLBACK")
                raise

    def known(self) -> dict[str, Known]:
        """Every file of the index by its source path."""
        with storage_errors(self._file):
            found = self._connection.execute(f"SELECT {schema.INFO}, mtime_ns, ocr FROM documents").fetchall()
        every = (Known(schema.read_info(info), mtime_ns, bool(ocr)) for *info, mtime_ns, ocr in found)
        return {known.info.source: known for known in every}

    def put_document(
        self,
        file: FileState,
        document: Document,
        chunks: Sequence[Chunk],
        tokens: Sequence[Tokens],
        *,
        embedded: bool = False,
        moved_from: str = "",
    ) -> int:
        """Puts a parsed file in the place of whatever was known of it, or of the file of the same content at
        `moved_from`, whose id it keeps. With `embedded` its passages wait for vectors, where they had none;
        what its relations name waits for `resolve_relations`."""
        before = moved_from or file.source
        kept = self._vectors_by_text(before, whole=not moved_from) if embedded else {}
        known = self.remove(before)
        if moved_from:  # read again under the id that it had: its names are to be looked up once more
            self._connection.execute("DELETE FROM meta WHERE key = ?", (_REFERENCES,))
        detail = other_format(file.path, document.kind)
        document_id = self._put_row(
            file, document, FileStatus.OK, detail, len(chunks), known if moved_from else 0
        )
        self._put_text(document_id, document)
        for chunk, columns in zip(chunks, tokens, strict=True):
            chunk_id = self._put_chunk(document_id, chunk, columns)
            if embedded:
                context = "" if moved_from else chunk.context
                self._put_kept(chunk_id, *kept.get((context, chunk.text), (None, None)))
        self._put_relations(replace(relation, source=document_id) for relation in document.relations)
        return document_id

    def resolve_relations(self) -> None:
        """Points relations that name a document to it, and orders editions, where documents have come or gone
        since the last time. A transaction of its own, if anything changes for a reader."""
        execute = self._connection.execute
        with storage_errors(self._file):
            row = execute("SELECT value FROM meta WHERE key = ?", (_REFERENCES,)).fetchone()
            # Ids are never used twice, so the highest and the number of them distinguish every set of
            # documents that has grown or shrunk out of another.
            highest, count = execute("SELECT coalesce(max(id), 0), count(*) FROM documents").fetchone()
            state = f"{highest}:{count}"
            if (row[0] if row else "0:0") == state:
                return
            kept = read_relations(self._connection)
            named = dict.fromkeys(replace(r, target=None) for r in kept if r.name)
            found = settled(read_catalogue(self._connection), list(named))
            if found == kept:
                execute(_REMEMBER, (_REFERENCES, state))
                return
        with self.transaction():
            execute("DELETE FROM relations")
            self._put_relations(found)
            execute(_REMEMBER, (_REFERENCES, state))

    def _put_relations(self, relations: Iterable[Relation]) -> None:
        """Keeps relations with the source that they name."""
        self._connection.executemany(
            "INSERT INTO relations (kind, name, effective, source, target) VALUES (?, ?, ?, ?, ?)",
            ((r.kind, r.name, r.effective, r.source, r.target) for r in relations),
        )

    def put_failure(self, file: FileState, status: FileStatus, detail: str) -> int:
        """Remembers a file that gave no text, in the place of whatever was known of it."""
        self.remove(file.source)
        nothing = Document(file.path, file.source, Path(file.path).stem, "", file.kind, "", "")
        return self._put_row(file, nothing, status, detail, 0)

    def touch(self, document_id: int, file: FileState) -> None:
        """The file was written again with the same content."""
        changed = "UPDATE documents SET size = ?, mtime_ns = ? WHERE id = ?"
        self._connection.execute(changed, (file.size, file.mtime_ns, document_id))

    def remove(self, source: str) -> int:
        """Forgets a file with all its passages; the id that it had, 0 where it was not known."""
        execute = self._connection.execute
        row = execute("SELECT id FROM documents WHERE source = ?", (os.fsencode(source),)).fetchone()
        if row is None:
            return 0
        chosen = "IN (SELECT id FROM chunks WHERE document_id = ?)"
        self._vectors_changed |= execute(f"DELETE FROM vectors WHERE chunk_id {chosen}", row).rowcount > 0
        for column in ("sentences WHERE chunk_id", "pending WHERE chunk_id", "lexical WHERE rowid"):
            execute(f"DELETE FROM {column} {chosen}", row)
        execute("DELETE FROM relations WHERE source = ?1 OR target = ?1 AND name = ''", row)
        execute("UPDATE relations SET target = NULL WHERE target = ?", row)  # what leads to it is open again
        execute("DELETE FROM chunks WHERE document_id = ?", row)
        execute("DELETE FROM texts WHERE document_id = ?", row)
        execute("DELETE FROM documents WHERE id = ?", row)
        return int(row[0])

    def put_vectors(self, chunk_ids: Sequence[int], vectors: NDArray[np.float32]) -> None:
        """(n, dimension), kept as float16; passages that are gone meanwhile, or wait for none, are left
        out."""
        query = "DELETE FROM pending WHERE chunk_id = ?"
        for chunk_id, vector in zip(chunk_ids, np.asarray(vectors).astype("<f2"), strict=True):
            if self._connection.execute(query, (chunk_id,)).rowcount:
                self._put_kept(chunk_id, vector.tobytes(), None)

    def put_sentences(self, chunk_id: int, sentences: SentenceVectors) -> None:
        """Keeps the vectors of a passage's sentences, in the place of those kept before; a passage without a
        vector gets none."""
        self._connection.execute(
            "INSERT OR REPLACE INTO sentences SELECT chunk_id, space, ?2 FROM vectors WHERE chunk_id = ?1",
            (chunk_id, sentences.rows.tobytes()),
        )

    def shrink(self) -> None:
        """Folds the write-ahead log into the file and merges small lexical segments. Keeps quiet when a
        reader is in the way or the disk is full: nothing depends on it."""
        try:
            self._connection.execute("INSERT INTO lexical (lexical, rank) VALUES ('merge', 500)")
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        except sqlite3.OperationalError:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    def _insert(self, table: str, values: dict[str, object]) -> int:
        names, marks = ", ".join(values), ", ".join(f":{name}" for name in values)
        cursor = self._connection.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", values)
        return int(cursor.lastrowid or 0)

    def _put_row(
        self, file: FileState, document: Document, status: FileStatus, detail: str, chunks: int, kept: int = 0
    ) -> int:
        """`kept` is the id of a document that was moved; else a new one is given."""
        losses = [[loss.kind, loss.place, loss.page] for loss in document.losses]
        values: dict[str, object] = {
            **({"id": kept} if kept else {}),
            "source": os.fsencode(file.source),
            "title": printable(document.title),
            "status": status,
            "detail": printable(detail),
            **{name: getattr(document, name) for name in ("kind", "language", "sha256")},
            **{name: getattr(file, name) for name in ("path", "size", "mtime_ns", "ocr")},
            "pages": len(document.pages),
            "empty_pages": sum(loss.kind is LossKind.PAGE_WITHOUT_TEXT for loss in document.losses),
            "chunks": chunks,
            "length": len(document.text),
            "metadata": json.dumps(dict(document.metadata)),
            "pagination": pack_rows([p.number, p.start, p.end] for p in document.pages),
            "losses": json.dumps(losses) if losses else "",
        }
        return self._insert("documents", values)

    def _put_text(self, document_id: int, document: Document) -> None:
        texts = [document.text[at : at + PART] for at in range(0, len(document.text), PART)]
        spans: dict[tuple[int, int], list[tuple[int, ...]]] = defaultdict(list)
        for table in document.tables:
            for row, *span in table.spans:
                spans[table.start, row].append(tuple(span))

        def row_values(block: Block) -> list[object]:
            """Of a row: where its table starts, its number, its cells and what they span, as in `Table`."""
            if (t := block.table) is None:
                return []
            cells = t.rows[block.row - t.first][1:]
            return [t.start, block.row, cells, spans.get((t.start, block.row), ())]

        blocks = _by_part(
            [b.kind, b.start, b.end, b.heading_path, b.level, b.location, *row_values(b)]
            for b in document.blocks
        )
        tables = _by_part(
            [t.placed, t.start, t.end, t.heads, t.units, t.heading_path, t.location, t.title]
            for t in document.tables
        )
        marks = _by_part([m.kind, m.start, m.end, m.leads_to] for m in document.marks)
        for part, text in enumerate(texts):
            lists = (pack_rows(kind[part]) for kind in (blocks, tables, marks))
            query = "INSERT INTO texts VALUES (?, ?, ?, ?, ?, ?)"
            self._connection.execute(query, (document_id, part, schema.pack(text), *lists))

    def _put_chunk(self, document_id: int, chunk: Chunk, columns: Tokens) -> int:
        values = {name: getattr(chunk, name) for name in Chunk.__slots__ if name != "text"}
        values |= {"document_id": document_id, "heading_path": json.dumps(chunk.heading_path)}
        values |= {"roles": json.dumps(chunk.roles) if chunk.roles else ""}
        values |= {"leads": json.dumps([astuple(lead) for lead in chunk.leads]) if chunk.leads else ""}
        values |= {"context": printable(chunk.context), "location": printable(chunk.location)}
        chunk_id = self._insert("chunks", values)
        title, heading, body = map(printable, columns)
        self._insert("lexical", {"rowid": chunk_id, "title": title, "heading": heading, "body": body})
        return chunk_id

    def _put_kept(self, chunk_id: int, vector: bytes | None, sentences: bytes | None) -> None:
        """Vectors as they are kept; a passage without one waits for it."""
        if vector is None:
            self._connection.execute("INSERT INTO pending VALUES (?, 0)", (chunk_id,))
            return
        self._vectors_changed = True
        self._connection.execute("INSERT INTO vectors VALUES (?, 0, ?)", (chunk_id, vector))
        if sentences is not None:
            self._connection.execute("INSERT INTO sentences VALUES (?, 0, ?)", (chunk_id, sentences))

    def _vectors_by_text(
        self, source: str, *, whole: bool
    ) -> dict[tuple[str, str], tuple[bytes, bytes | None]]:
        """Vectors of the file as it was and of its sentences, by (context, text): only what changed in a file
        is embedded again. Not `whole`: by ("", text), since a context may begin with the name of the file."""
        execute = self._connection.execute
        row = execute("SELECT id FROM documents WHERE source = ?", (os.fsencode(source),)).fetchone()
        if row is None:
            return {}
        bodies = execute("SELECT body FROM texts WHERE document_id = ? ORDER BY part", row)
        text = "".join(schema.unpack(body) for (body,) in bodies)
        found = execute(
            "SELECT c.context, c.start, c.end, v.vector, s.vector FROM chunks c JOIN vectors v "
            "ON v.chunk_id = c.id LEFT JOIN sentences s ON s.chunk_id = c.id WHERE c.document_id = ?",
            row,
        )
        return {
            (context if whole else "", text[start:end]): (kept, parts)
            for context, start, end, kept, parts in found
        }


def _by_part(found: Iterable[list[Any]]) -> Mapping[int, list[list[Any]]]:
    """The rows (kind, start, end, ...) with each part of the text that they overlap."""
    by_part: dict[int, list[list[Any]]] = defaultdict(list)
    for row in found:
        for part in range(begin(row) // PART, max(row[1], row[2] - 1) // PART + 1):
            by_part[part].append(row)
    return by_part


def printable(text: str) -> str:
    """Lone surrogates (bytes of a file name that are no UTF-8) written as \\xNN: every name can be shown and
    stored."""
    if text.isascii():
        return text
    try:
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:  # surrogates that stand for no byte
        return text.encode("utf-8", "backslashreplace").decode("utf-8")
