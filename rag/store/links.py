"""References and relations between the documents of an index: found by the name that the text gives the
other, settled again whenever documents have come or gone. Functions of a connection inside a transaction.

A name is first looked up whole (`rag.documents.validity.edition_name`), then, where it is written without
brackets and so without a clear beginning (根据刑法第十二条), by its ends. Of several editions of one text
those in force last are taken. Where several documents still bear the name, the reference is settled if one
of them alone bears the article, and stays open otherwise."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from rag.documents.links import Links
from rag.documents.validity import edition_name, names_of, settled, versions
from rag.facts.crossrefs import LAW_WORDS, CrossReference
from rag.store.schema import read_catalogue, read_relations
from rag.types import DocumentInfo, Relation

_STATE = "references"
_COLUMNS = "chunk_id, document_id, start, end, kind, label, target, target_document_id, target_chunk_id"
# "12(2)(3)" is looked for under "12" where nothing bears it.
_BASE = (
    "CASE WHEN instr(crossrefs.label, '(') > 1 "
    "THEN substr(crossrefs.label, 1, instr(crossrefs.label, '(') - 1) ELSE crossrefs.label END"
)
_SHORTEST_END = 2


def put(connection: sqlite3.Connection, document_id: int, chunk_ids: Sequence[int], links: Links) -> None:
    """Keeps what `rag.documents.links.links` found in a document just written, whose passages have these
    ids."""
    connection.executemany(
        "INSERT OR IGNORE INTO anchors VALUES (?, ?, ?, ?)",
        ((document_id, a.kind, a.label, chunk_ids[a.ordinal]) for a in links.anchors),
    )
    connection.executemany(
        f"INSERT INTO crossrefs ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            (chunk_ids[link.ordinal], document_id, r.start, r.end, r.kind, r.label, r.target, *to)
            for link in links.links
            for r in [link.reference]
            for to in [(None, None) if link.target is None else (document_id, chunk_ids[link.target])]
        ),
    )


def put_relations(connection: sqlite3.Connection, relations: Iterable[Relation]) -> None:
    """Keeps relations with the source that they name."""
    connection.executemany(
        "INSERT INTO relations (kind, name, effective, source, target) VALUES (?, ?, ?, ?, ?)",
        ((r.kind, r.name, r.effective, r.source, r.target) for r in relations),
    )


def remove(connection: sqlite3.Connection, document_id: int) -> None:
    """Forgets what the document refers to, bears and does to others; what leads to it is open again."""
    execute = connection.execute
    execute("DELETE FROM crossrefs WHERE document_id = ?", (document_id,))
    execute(
        "UPDATE crossrefs SET target_document_id = NULL, target_chunk_id = NULL WHERE target_document_id = ?",
        (document_id,),
    )
    execute("DELETE FROM anchors WHERE document_id = ?", (document_id,))
    execute("DELETE FROM relations WHERE source = ?1 OR target = ?1 AND name = ''", (document_id,))
    execute("UPDATE relations SET target = NULL WHERE target = ?", (document_id,))


def is_resolved(connection: sqlite3.Connection) -> bool:
    """Whether no document has come or gone since `resolve`."""
    row = connection.execute("SELECT value FROM meta WHERE key = ?", (_STATE,)).fetchone()
    return (row[0] if row else "0:0") == _state(connection)


def _state(connection: sqlite3.Connection) -> str:
    """Ids are never used twice, so the highest and the number of them distinguish every set of documents that
    has grown or shrunk out of another."""
    highest, count = connection.execute("SELECT coalesce(max(id), 0), count(*) FROM documents").fetchone()
    return f"{highest}:{count}"


def open_relations(connection: sqlite3.Connection) -> list[Relation] | None:
    """The relations as they are with the documents at hand, where that is not how they are kept."""
    kept = read_relations(connection)
    said = dict.fromkeys(replace(r, target=None) for r in kept if r.name)
    found = settled(read_catalogue(connection), list(said))
    return found if found != kept else None


def resolve(connection: sqlite3.Connection, relations: Sequence[Relation] | None) -> None:
    """Keeps these relations (None: those that are kept), and points every reference that names a document to
    it, or to nothing. A name costs one look-up however often it occurs."""
    if relations is not None:
        connection.execute("DELETE FROM relations")
        put_relations(connection, relations)
    by_name = _by_name(read_catalogue(connection), read_relations(connection))
    names = connection.execute("SELECT DISTINCT target FROM crossrefs WHERE target != ''").fetchall()
    for (target,) in names:
        _point(connection, target, _named(target, by_name))
    mark_resolved(connection)


def has_names(connection: sqlite3.Connection) -> bool:
    """Whether any reference names a document."""
    return connection.execute("SELECT 1 FROM crossrefs WHERE target != '' LIMIT 1").fetchone() is not None


def mark_resolved(connection: sqlite3.Connection) -> None:
    """Remembers the documents for which every name was looked up."""
    connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (_STATE, _state(connection)))


def _by_name(documents: Sequence[DocumentInfo], relations: Sequence[Relation]) -> dict[str, list[int]]:
    """Readable documents by every key that names them; an edition that another has taken the place of, only
    where that one does not bear the same name."""
    force = versions(documents, relations)
    later = {i: v.by for i, v in force.items() if v.reason == "superseded"}
    by_name: dict[str, list[int]] = defaultdict(list)
    for document in documents:
        for key in names_of(document) if document.chunks else ():
            by_name[key].append(document.id)
    return {key: [i for i in ids if later.get(i) not in ids] or ids for key, ids in by_name.items()}


def _named(target: str, by_name: Mapping[str, list[int]]) -> list[int]:
    key = edition_name(target)
    if key in by_name:
        return by_name[key]
    if target.isascii() or "《" in target:
        return []
    ends = (key[at:] for at in range(1, len(key) - _SHORTEST_END + 1))
    return next((by_name[end] for end in ends if end in by_name and end not in LAW_WORDS), [])


def _point(connection: sqlite3.Connection, target: str, candidates: Sequence[int]) -> None:
    """Sets the targets of the references of this name; only rows that change are written. "target != ''"
    is said in each query for SQLite to see that the partial index serves."""
    if not candidates:
        connection.execute(
            "UPDATE crossrefs SET target_document_id = NULL, target_chunk_id = NULL "
            "WHERE target = ? AND target != '' AND target_document_id IS NOT NULL",
            (target,),
        )
        return
    if len(candidates) == 1:
        (only,) = candidates
        connection.execute(
            f"UPDATE crossrefs SET target_document_id = ?1, target_chunk_id = {_numbered_passage('?1')} "
            "WHERE target = ?2 AND target != '' AND target_document_id IS NOT ?1",
            (only, target),
        )
        return
    among = "(SELECT value FROM json_each(?1))"
    bearing = (
        f"FROM anchors a WHERE a.document_id IN {among} AND a.kind = crossrefs.kind AND a.label = {_BASE}"
    )
    connection.execute(
        "UPDATE crossrefs SET "
        f"target_document_id = (SELECT CASE WHEN count(*) = 1 THEN min(a.document_id) END {bearing}), "
        f"target_chunk_id = (SELECT CASE WHEN count(*) = 1 THEN min(a.chunk_id) END {bearing}) "
        "WHERE target = ?2 AND target != ''",
        (json.dumps(list(candidates)), target),
    )


def _numbered_passage(document: str) -> str:
    """SQL: the passage of `document` that bears the number, the sub-number too where it is borne."""
    found = f"SELECT chunk_id FROM anchors a WHERE a.document_id = {document} AND a.kind = crossrefs.kind"
    return f"coalesce(({found} AND a.label = crossrefs.label), ({found} AND a.label = {_BASE}))"


def outgoing(connection: sqlite3.Connection, chunk_id: int) -> list[CrossReference]:
    """References of a passage, in the order of its text."""
    query = f"SELECT {_COLUMNS} FROM crossrefs WHERE chunk_id = ? ORDER BY start, end, id"
    return [CrossReference(*row) for row in connection.execute(query, (chunk_id,))]


def incoming(connection: sqlite3.Connection, chunk_id: int) -> list[CrossReference]:
    """References that lead to a passage, by where they stand."""
    query = f"SELECT {_COLUMNS} FROM crossrefs WHERE target_chunk_id = ? ORDER BY document_id, start, end, id"
    return [CrossReference(*row) for row in connection.execute(query, (chunk_id,))]
