"""References and relations between the documents of an index: found by the name that the text gives the
other, settled again whenever documents have come or gone. Functions of a connection inside a transaction.

A name is first looked up whole (`rag.documents.validity.edition_name`), then, where it is written without
brackets and so without a clear beginning (根据刑法第十二条), by its ends. Of several editions of one text
those in force last are taken. Where several documents still bear the name, the reference is settled if one
of them alone bears the article, and stays open otherwise."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from rag.documents.links import Links
from rag.documents.validity import edition_name, names_of, settled, versions
from rag.facts.crossrefs import LAW_WORDS, CrossReference
from rag.store.schema import listed, read_catalogue, read_relations
from rag.types import DocumentInfo, Relation

_STATE = "references"
_COLUMNS = "chunk_id, document_id, start, end, kind, label, target, target_document_id, target_chunk_id"
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


def _state(connection: sqlite3.Connection) -> str:
    """Ids are never used twice, so the highest and the number of them distinguish every set of documents that
    has grown or shrunk out of another."""
    highest, count = connection.execute("SELECT coalesce(max(id), 0), count(*) FROM documents").fetchone()
    return f"{highest}:{count}"


def unresolved(connection: sqlite3.Connection) -> list[Relation] | None:
    """The relations as they are with the documents at hand; None where no document has come or gone since
    `resolve`, or nothing names one."""
    row = connection.execute("SELECT value FROM meta WHERE key = ?", (_STATE,)).fetchone()
    if (row[0] if row else "0:0") == _state(connection):
        return None
    kept = read_relations(connection)
    said = dict.fromkeys(replace(r, target=None) for r in kept if r.name)
    found = settled(read_catalogue(connection), list(said))
    named = connection.execute("SELECT 1 FROM crossrefs WHERE target != '' LIMIT 1").fetchone()
    if found == kept and named is None:
        _mark_resolved(connection)  # nothing changes for a reader: no new generation
        return None
    return found


def resolve(connection: sqlite3.Connection, relations: list[Relation]) -> None:
    """Keeps these relations, and points every reference that names a document to it, or to nothing. A name
    costs one look-up however often it occurs."""
    if relations != read_relations(connection):
        connection.execute("DELETE FROM relations")
        put_relations(connection, relations)
    by_name = _by_name(read_catalogue(connection), read_relations(connection))
    names = connection.execute("SELECT DISTINCT target FROM crossrefs WHERE target != ''").fetchall()
    for (target,) in names:
        _point(connection, target, _named(target, by_name))
    _mark_resolved(connection)


def forget_state(connection: sqlite3.Connection) -> None:
    """A document was read again under the id that it had: its names are to be looked up once more."""
    connection.execute("DELETE FROM meta WHERE key = ?", (_STATE,))


def _mark_resolved(connection: sqlite3.Connection) -> None:
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
    """Sets the targets of the references of this name; only rows that change are written. "12(2)(3)" is
    looked for under "12" where nothing bears it."""
    only = candidates[0] if len(candidates) == 1 else None
    # "target != ''" is said for SQLite to see that the partial index serves.
    named = connection.execute(
        "SELECT id, kind, label, target_document_id, target_chunk_id FROM crossrefs "
        "WHERE target = ? AND target != ''",
        (target,),
    )
    rows = [row for row in named if len(candidates) > 1 or row[3] != only]
    anchors = connection.execute(
        "SELECT document_id, kind, label, chunk_id FROM anchors "
        "WHERE document_id IN (SELECT value FROM json_each(?))",
        listed(candidates if rows else ()),
    )
    bearing = {(document, kind, label): passage for document, kind, label, passage in anchors}
    changed = []
    for number, kind, label, *kept in rows:
        base = label[: label.find("(", 1)] if "(" in label[1:] else label
        bear = [d for d in candidates if d == only or (d, kind, base) in bearing]
        document = bear[0] if len(bear) == 1 else None
        passage = bearing.get((document, kind, label), bearing.get((document, kind, base)))
        if [document, passage] != kept:
            changed.append((document, passage, number))
    update = "UPDATE crossrefs SET target_document_id = ?, target_chunk_id = ? WHERE id = ?"
    connection.executemany(update, changed)


def read(connection: sqlite3.Connection, chunk_id: int, *, incoming: bool) -> list[CrossReference]:
    """References of a passage, or those that lead to it, by where they stand."""
    column = "target_chunk_id" if incoming else "chunk_id"
    query = f"SELECT {_COLUMNS} FROM crossrefs WHERE {column} = ? ORDER BY document_id, start, end, id"
    return [CrossReference(*row) for row in connection.execute(query, (chunk_id,))]
