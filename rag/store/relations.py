"""Relations between the documents of an index: found by the name that the text gives the other
(`rag.documents.validity.settled`), settled again whenever documents have come or gone. Functions of a
connection inside a transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import replace

from rag.documents.validity import settled
from rag.store.schema import read_catalogue, read_relations
from rag.types import Relation

_STATE = "references"


def put(connection: sqlite3.Connection, relations: Iterable[Relation]) -> None:
    """Keeps relations with the source that they name."""
    connection.executemany(
        "INSERT INTO relations (kind, name, effective, source, target) VALUES (?, ?, ?, ?, ?)",
        ((r.kind, r.name, r.effective, r.source, r.target) for r in relations),
    )


def remove(connection: sqlite3.Connection, document_id: int) -> None:
    """Forgets what the document does to others; what leads to it is open again."""
    execute = connection.execute
    execute("DELETE FROM relations WHERE source = ?1 OR target = ?1 AND name = ''", (document_id,))
    execute("UPDATE relations SET target = NULL WHERE target = ?", (document_id,))


def _state(connection: sqlite3.Connection) -> str:
    """Ids are never used twice, so the highest and the number of them distinguish every set of documents that
    has grown or shrunk out of another."""
    highest, count = connection.execute("SELECT coalesce(max(id), 0), count(*) FROM documents").fetchone()
    return f"{highest}:{count}"


def unresolved(connection: sqlite3.Connection) -> list[Relation] | None:
    """The relations as they are with the documents at hand; None where no document has come or gone since
    `resolve`, or they are as they were."""
    row = connection.execute("SELECT value FROM meta WHERE key = ?", (_STATE,)).fetchone()
    if (row[0] if row else "0:0") == _state(connection):
        return None
    kept = read_relations(connection)
    said = dict.fromkeys(replace(r, target=None) for r in kept if r.name)
    found = settled(read_catalogue(connection), list(said))
    if found == kept:
        _mark_resolved(connection)  # nothing changes for a reader: no new generation
        return None
    return found


def resolve(connection: sqlite3.Connection, relations: list[Relation]) -> None:
    """Keeps these relations in the place of those that there were."""
    connection.execute("DELETE FROM relations")
    put(connection, relations)
    _mark_resolved(connection)


def forget_state(connection: sqlite3.Connection) -> None:
    """A document was read again under the id that it had: its names are to be looked up once more."""
    connection.execute("DELETE FROM meta WHERE key = ?", (_STATE,))


def _mark_resolved(connection: sqlite3.Connection) -> None:
    """Remembers the documents for which every name was looked up."""
    connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (_STATE, _state(connection)))
