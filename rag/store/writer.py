"""The one writer of an index: every change is a transaction, and a document changes whole or not at all."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rag.documents.links import Links
from rag.store import links as linking
from rag.store import sql as rows
from rag.store.schema import DATABASE, PART, pack, storage_errors
from rag.types import Block, Chunk, Document, FileStatus


@dataclass(frozen=True, slots=True)
class FileState:
    """A file as an ingest saw it, to be compared with at the next one. `path` is the shown one."""

    source: str
    path: str
    size: int
    mtime_ns: int
    ocr: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """What the index remembers of a file."""

    document_id: int
    path: str
    size: int
    mtime_ns: int
    sha256: str
    status: FileStatus
    detail: str
    ocr: bool
    pages: int
    empty_pages: int
    chunks: int


# Search tokens of one passage, joined by blanks: (title, heading, body).
Tokens = tuple[str, str, str]
NO_LINKS = Links()
_KNOWN = (
    "SELECT id, path, size, mtime_ns, sha256, status, detail, ocr, pages, empty_pages, chunks, source "
    "FROM documents"
)


class Writer:
    """Changes to an index; made by `Store.writing`, which holds the lock. All calls but `known`, `shrink`,
    `resolve_references` and `transaction` belong inside `with writer.transaction():`."""

    def __init__(self, connection: sqlite3.Connection, folder: Path) -> None:
        self._connection = connection
        self._file = folder / DATABASE
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
                self._bump("generation")
                if self._vectors_changed:
                    self._bump("vectors_generation")
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:  # SQLite may have rolled back by itself, on a full disk
                    self._connection.execute("ROLLBACK")
                raise

    def _bump(self, key: str) -> None:
        self._connection.execute("UPDATE meta SET value = CAST(value AS INTEGER) + 1 WHERE key = ?", (key,))

    def known(self) -> dict[str, Known]:
        """Every file of the index by its source path."""
        with storage_errors(self._file):
            found = self._connection.execute(_KNOWN).fetchall()
        return {
            os.fsdecode(row[11]): Known(*[*row[:5], FileStatus(row[5]), row[6], bool(row[7]), *row[8:11]])
            for row in found
        }

    def put_document(
        self,
        file: FileState,
        document: Document,
        chunks: Sequence[Chunk],
        tokens: Sequence[Tokens],
        *,
        embed: bool,
        links: Links = NO_LINKS,
    ) -> int:
        """Puts a parsed file in the place of whatever was known of it. Its passages wait for vectors when
        `embed`; the references among `links` that name other documents wait for `resolve_references`."""
        kept = self._vectors_by_text(file.source) if embed else {}
        self.remove(file.source)
        document_id = self._put_row(file, document, FileStatus.OK, "", len(chunks))
        self._put_text(document_id, document)
        chunk_ids = []
        for chunk, columns in zip(chunks, tokens, strict=True):
            chunk_id = self._put_chunk(document_id, chunk, columns)
            chunk_ids.append(chunk_id)
            if not embed:
                continue
            vector = kept.get((chunk.context, chunk.text))
            if vector is None:
                self._connection.execute("INSERT INTO pending VALUES (?)", (chunk_id,))
            else:
                self._put_vector(chunk_id, vector)
        linking.put(self._connection, document_id, chunk_ids, links)
        return document_id

    def resolve_references(self) -> None:
        """Points references that name a document to it, where documents have come or gone since the last
        time. A transaction of its own."""
        with storage_errors(self._file):
            if linking.is_resolved(self._connection):
                return
            if not linking.has_names(self._connection):  # nothing changes for a reader: no new generation
                linking.mark_resolved(self._connection)
                return
        with self.transaction():
            linking.resolve(self._connection, rows.catalogue(self._connection))

    def put_failure(self, file: FileState, status: FileStatus, detail: str, *, kind: str) -> int:
        """Remembers a file that gave no text, in the place of whatever was known of it."""
        self.remove(file.source)
        nothing = Document(file.path, file.source, Path(file.path).stem, "", kind, "", "")
        return self._put_row(file, nothing, status, detail, 0)

    def touch(self, document_id: int, file: FileState) -> None:
        """The file was written again with the same content."""
        self._connection.execute(
            "UPDATE documents SET size = ?, mtime_ns = ? WHERE id = ?",
            (file.size, file.mtime_ns, document_id),
        )

    def remove(self, source: str) -> bool:
        """Forgets a file with all its passages; whether it was known."""
        execute = self._connection.execute
        row = execute("SELECT id FROM documents WHERE source = ?", (os.fsencode(source),)).fetchone()
        if row is None:
            return False
        chosen = "IN (SELECT id FROM chunks WHERE document_id = ?)"
        self._vectors_changed |= execute(f"DELETE FROM vectors WHERE chunk_id {chosen}", row).rowcount > 0
        execute(f"DELETE FROM pending WHERE chunk_id {chosen}", row)
        execute(f"DELETE FROM lexical WHERE rowid {chosen}", row)
        linking.remove(self._connection, row[0])
        execute("DELETE FROM chunks WHERE document_id = ?", row)
        execute("DELETE FROM texts WHERE document_id = ?", row)
        execute("DELETE FROM documents WHERE id = ?", row)
        return True

    def put_vectors(self, chunk_ids: Sequence[int], vectors: NDArray[np.float32]) -> None:
        """(n, dimension), kept as float16; passages that are gone meanwhile are left out."""
        for chunk_id, vector in zip(chunk_ids, np.asarray(vectors).astype("<f2"), strict=True):
            gone = self._connection.execute("DELETE FROM pending WHERE chunk_id = ?", (chunk_id,)).rowcount
            if gone:
                self._put_vector(chunk_id, vector.tobytes())

    def put_dense_file(self, generation: int, name: str, sha256: str, size: int, mtime_ns: int) -> None:
        """Points to the FAISS file made from that generation of vectors. Call outside of `transaction`: this
        does not change what the index holds."""
        value = json.dumps([generation, name, sha256, size, mtime_ns])
        with storage_errors(self._file):
            self._connection.execute("INSERT OR REPLACE INTO meta VALUES ('dense', ?)", (value,))

    def forget_dense_file(self) -> None:
        """The next `save_dense` makes a new FAISS file."""
        with storage_errors(self._file):
            self._connection.execute("DELETE FROM meta WHERE key = 'dense'")

    def vectors_generation(self) -> int:
        return rows.counter(self._connection, "vectors_generation")

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
        self, file: FileState, document: Document, status: FileStatus, detail: str, chunks: int
    ) -> int:
        structure = json.dumps(
            [[[p.number, p.start, p.end] for p in document.pages], list(document.empty_pages)]
        )
        values: dict[str, object] = {
            "source": os.fsencode(file.source),
            "path": file.path,
            "title": printable(document.title),
            "kind": document.kind,
            "language": document.language,
            "status": status.value,
            "detail": printable(detail),
            "sha256": document.sha256,
            "size": file.size,
            "mtime_ns": file.mtime_ns,
            "ocr": int(file.ocr),
            "pages": len(document.pages),
            "empty_pages": len(document.empty_pages),
            "chunks": chunks,
            "length": len(document.text),
            "metadata": json.dumps(dict(document.metadata)),
            "structure": pack(structure),
        }
        return self._insert("documents", values)

    def _put_text(self, document_id: int, document: Document) -> None:
        parts = range(-(-len(document.text) // PART))
        blocks: list[list[Block]] = [[] for _ in parts]
        for block in document.blocks:
            for part in range(block.start // PART, max(block.start, block.end - 1) // PART + 1):
                if part < len(blocks):
                    blocks[part].append(block)
        self._connection.executemany(
            "INSERT INTO texts VALUES (?, ?, ?, ?)",
            (
                (
                    document_id,
                    part,
                    pack(document.text[part * PART : (part + 1) * PART]),
                    pack(json.dumps(rows.block_values(blocks[part]), separators=(",", ":"))),
                )
                for part in parts
            ),
        )

    def _put_chunk(self, document_id: int, chunk: Chunk, columns: Tokens) -> int:
        values = {name: getattr(chunk, name) for name in Chunk.__slots__ if name != "text"}
        values |= {"document_id": document_id, "heading_path": json.dumps(chunk.heading_path)}
        values |= {"context": printable(chunk.context), "location": printable(chunk.location)}
        chunk_id = self._insert("chunks", values)
        self._connection.execute(
            "INSERT INTO lexical (rowid, title, heading, body) VALUES (?, ?, ?, ?)",
            (chunk_id, *map(printable, columns)),
        )
        return chunk_id

    def _put_vector(self, chunk_id: int, vector: bytes) -> None:
        self._vectors_changed = True
        self._connection.execute("INSERT INTO vectors VALUES (?, ?)", (chunk_id, vector))

    def _vectors_by_text(self, source: str) -> dict[tuple[str, str], bytes]:
        """Vectors of the file as it was, by (context, text): only what changed in a file is embedded
        again."""
        row = self._connection.execute(
            "SELECT id FROM documents WHERE source = ?", (os.fsencode(source),)
        ).fetchone()
        if row is None:
            return {}
        text = rows.whole_text(self._connection, row[0])
        found = self._connection.execute(
            "SELECT c.context, c.start, c.end, v.vector FROM chunks c JOIN vectors v ON v.chunk_id = c.id "
            "WHERE c.document_id = ?",
            row,
        )
        return {(context, text[start:end]): vector for context, start, end, vector in found}


def printable(text: str) -> str:
    """Lone surrogates (bytes of a file name that are no UTF-8) written as \\xNN: every name can be shown and
    stored."""
    if text.isascii():
        return text
    try:
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:  # surrogates that stand for no byte
        return text.encode("utf-8", "backslashreplace").decode("utf-8")
