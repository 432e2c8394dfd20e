"""SQLite rows <-> values: the queries behind `rag.store.store`, each a function of a connection."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Collection, Sequence
from typing import Any

from rag.store.schema import PART, unpack
from rag.types import Block, BlockKind, Chunk, DocumentInfo, FileStatus, Page, Table

ChunkRow = tuple[int, int, int, int, int, str, str, str, int | None, int | None, str, int, str]
_CHUNK = (
    "id, document_id, ordinal, start, end, context, kind, heading_path, page, last_page, location, tokens, "
    "role"
)
_INFO = (
    "id, path, source, title, kind, language, status, detail, sha256, size, pages, empty_pages, chunks, "
    "metadata"
)


def counter(connection: sqlite3.Connection, key: str) -> int:
    row = connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return int(row[0])


def _info(row: tuple[Any, ...]) -> DocumentInfo:
    values = list(row)
    values[2] = os.fsdecode(row[2])
    values[6] = FileStatus(row[6])
    values[13] = json.loads(row[13])
    return DocumentInfo(*values)


def catalogue(connection: sqlite3.Connection) -> list[DocumentInfo]:
    return [_info(row) for row in connection.execute(f"SELECT {_INFO} FROM documents ORDER BY path, source")]


def document(connection: sqlite3.Connection, document_id: int) -> DocumentInfo | None:
    row = connection.execute(f"SELECT {_INFO} FROM documents WHERE id = ?", (document_id,)).fetchone()
    return _info(row) if row else None


def whole_text(connection: sqlite3.Connection, document_id: int) -> str:
    query = "SELECT body FROM texts WHERE document_id = ? ORDER BY part"
    return "".join(unpack(body) for (body,) in connection.execute(query, (document_id,)))


def pages(connection: sqlite3.Connection, document_id: int) -> tuple[tuple[Page, ...], tuple[int, ...]]:
    """Pages and the numbers of those without text."""
    row = connection.execute("SELECT structure FROM documents WHERE id = ?", (document_id,)).fetchone()
    if row is None:
        return (), ()
    listed, empty = json.loads(unpack(row[0]))
    return tuple(Page(*values) for values in listed), tuple(empty)


def block_values(blocks: Sequence[Block]) -> list[list[list[object]]]:
    """The JSON form of blocks, read back by `blocks`: what they are, for a row its table's start, its number
    and its cells (`Table.rows`); and their tables without rows."""
    listed: list[list[object]] = []
    tables: dict[int, tuple[Table, list[int]]] = {}
    for b in blocks:
        listed.append([b.kind.value, b.start, b.end, b.heading_path, b.level, b.location])
        if (t := b.table) is not None:
            listed[-1] += [t.start, b.row, t.rows[b.row - t.first][1:]]
            tables.setdefault(t.start, (t, []))[1].append(b.row)
    kept = []
    for t, rows in tables.values():
        spans = [span for span in t.spans if rows[0] <= span[0] <= rows[-1]]
        kept.append([t.start, t.end, t.heads, t.units, t.placed, t.heading_path, t.location, spans])
    return [listed, kept]


def blocks(
    connection: sqlite3.Connection, document_id: int, start: int, end: int | None
) -> tuple[Block, ...]:
    """Blocks that overlap the range, their tables with the rows among them. A block that spans parts is kept
    with each of them."""
    last = 1 << 40 if end is None else max(0, end - 1) // PART
    found = connection.execute(
        "SELECT blocks FROM texts WHERE document_id = ? AND part BETWEEN ? AND ? ORDER BY part",
        (document_id, max(0, start) // PART, last),
    )
    by_start: dict[int, list[Any]] = {}
    heads: dict[int, list[Any]] = {}
    rows: dict[int, dict[int, tuple[int, ...]]] = {}
    for (blob,) in found:
        listed, tables = json.loads(unpack(blob))
        for values in listed:
            if values[2] > start and (end is None or values[1] < end):
                by_start[values[1]] = values
                if len(values) > 6:
                    rows.setdefault(values[6], {})[values[7]] = (values[1], *values[8])
        for table in tables:
            heads.setdefault(table[0], [*table[:7], []])[7] += table[7]
    made = {at: _table(heads[at], rows[at]) for at in rows}
    return tuple(
        Block(BlockKind(v[0]), v[1], v[2], tuple(v[3]), *v[4:6], *((made[v[6]], v[7]) if len(v) > 6 else ()))
        for v in by_start.values()
    )


def _table(values: list[Any], rows: dict[int, tuple[int, ...]]) -> Table:
    start, end, heads, units, placed, path, location, spans = values
    kept = sorted({tuple(s) for s in spans if s[0] in rows})
    first = min(rows)
    cells = tuple(rows.get(n, ()) for n in range(first, max(rows) + 1))
    heads = tuple(map(tuple, heads))
    return Table(start, end, heads, tuple(units), placed, tuple(path), location, first, cells, tuple(kept))


def chunk(row: ChunkRow, text: str) -> Chunk:
    return Chunk(
        *row[2:5], text, *row[5:7], tuple(json.loads(row[7])), row[8], row[9], row[10], row[11], row[12]
    )


def listed(ids: Sequence[int]) -> tuple[str]:
    """The value of a query's `json_each(?)`."""
    return (json.dumps([int(i) for i in ids]),)


def chunk_rows(connection: sqlite3.Connection, ids: Sequence[int]) -> list[ChunkRow]:
    query = f"SELECT {_CHUNK} FROM chunks WHERE id IN (SELECT value FROM json_each(?))"
    return connection.execute(query, listed(ids)).fetchall()


def candidates(connection: sqlite3.Connection, ids: Sequence[int]) -> list[tuple[Any, ...]]:
    """The columns of `rag.types.search.Candidate` of given passages, by id."""
    return connection.execute(
        "SELECT c.id, c.document_id, c.ordinal, d.chunks, c.kind, c.role, c.page, c.last_page "
        "FROM json_each(?) wanted CROSS JOIN chunks c ON c.id = wanted.value "
        "JOIN documents d ON d.id = c.document_id ORDER BY c.id",
        (json.dumps(list(dict.fromkeys(ids))),),
    ).fetchall()


def roles(connection: sqlite3.Connection, document_ids: Sequence[int]) -> dict[int, str]:
    query = "SELECT id, role FROM chunks WHERE document_id IN (SELECT value FROM json_each(?)) AND role != ''"
    return dict(connection.execute(query, listed(document_ids)).fetchall())


def with_roles(connection: sqlite3.Connection, kinds: Collection[str]) -> set[int]:
    """Documents with a passage in one of these parts."""
    found = connection.execute("SELECT DISTINCT document_id, role FROM chunks WHERE role != ''")
    return {document_id for document_id, role in found if not frozenset(kinds).isdisjoint(role.split("|"))}


def token_means(connection: sqlite3.Connection, sampled: int = 1000) -> tuple[float, float]:
    """Mean number of search tokens of a passage's title, and of all its fields, over an even sample."""
    count, last = connection.execute("SELECT count(*), max(id) FROM chunks").fetchone()
    step = max(1, count // sampled)
    found = connection.execute(
        "SELECT title, heading, body FROM lexical WHERE rowid IN (SELECT id FROM chunks WHERE id % ? = ?)",
        (step, (last or 0) % step),
    ).fetchall()
    sizes = [[len(field.split()) for field in row] for row in found] or [[1, 1, 1]]
    return sum(row[0] for row in sizes) / len(sizes), sum(map(sum, sizes)) / len(sizes)


def chunk_range(connection: sqlite3.Connection, document_id: int, first: int, last: int) -> list[ChunkRow]:
    """Rows of the passages whose ordinal is in first..last, in order."""
    query = f"SELECT {_CHUNK} FROM chunks WHERE document_id = ? AND ordinal BETWEEN ? AND ? ORDER BY ordinal"
    return connection.execute(query, (document_id, first, last)).fetchall()


def token_fields(connection: sqlite3.Connection, ids: Sequence[int]) -> dict[int, tuple[str, str, str]]:
    """Search tokens (title, heading, body) of passages, read from the table that FTS5 keeps them in: asking
    the virtual table itself opens a cursor for each row."""
    query = "SELECT id, c0, c1, c2 FROM lexical_content WHERE id IN (SELECT value FROM json_each(?))"
    return {row[0]: row[1:] for row in connection.execute(query, listed(ids))}


def chunk_ranges(connection: sqlite3.Connection, documents: Sequence[int]) -> list[tuple[int, int]]:
    """First and last passage id of the documents, ascending, neighbours joined: a document is put in one
    transaction, so its ids follow each other."""
    found = connection.execute(
        "SELECT c.id, d.chunks FROM documents d JOIN chunks c ON c.document_id = d.id AND c.ordinal = 0 "
        "WHERE d.id IN (SELECT value FROM json_each(?)) ORDER BY c.id",
        listed(documents),
    )
    ranges: list[tuple[int, int]] = []
    for first, count in found:
        if ranges and ranges[-1][1] + 1 == first:
            ranges[-1] = (ranges[-1][0], first + count - 1)
        else:
            ranges.append((first, first + count - 1))
    return ranges


def phrase_hits(
    connection: sqlite3.Connection, phrase: str, ranges: Sequence[tuple[int, int]], limit: int
) -> list[int]:
    """Ids of up to `limit` passages in each of the ranges whose heading or text holds the tokens of `phrase`
    one after the other."""
    match = '{heading body} : "' + phrase.replace('"', '""') + '"'
    found: list[int] = []
    for first, last in ranges:
        rows = connection.execute(
            "SELECT rowid FROM lexical WHERE lexical MATCH ? AND rowid BETWEEN ? AND ? LIMIT ?",
            (match, first, last, limit),
        )
        found.extend(row[0] for row in rows)
    return found


# What is wrong where a column names no row of another table: (table, column, the other).
_ORPHANS = {
    "passages without a lexical row": ("chunks", "id", "lexical_docsize"),
    "lexical rows without a passage": ("lexical_docsize", "id", "chunks"),
    "vectors without a passage": ("vectors", "chunk_id", "chunks"),
    "references without their passage": ("crossrefs", "chunk_id", "chunks"),
    "references to passages that are gone": ("crossrefs", "target_chunk_id", "chunks"),
    "references to documents that are gone": ("crossrefs", "target_document_id", "documents"),
    "article numbers without a passage": ("anchors", "chunk_id", "chunks"),
    "waiting passages that do not exist": ("pending", "chunk_id", "chunks"),
    "passages without a document": ("chunks", "document_id", "documents"),
}
_INVARIANTS = {
    name: f"SELECT count(*) FROM {table} WHERE {key} IS NOT NULL AND {key} NOT IN (SELECT id FROM {other})"
    for name, (table, key, other) in _ORPHANS.items()
} | {
    "documents whose count of passages is wrong": (
        "SELECT count(*) FROM documents d "
        "WHERE d.chunks != (SELECT count(*) FROM chunks c WHERE c.document_id = d.id)"
    ),
    "passages that reach beyond their document": (
        "SELECT count(*) FROM chunks c JOIN documents d ON d.id = c.document_id "
        "WHERE c.start < 0 OR c.end <= c.start OR c.end > d.length"
    ),
}


def problems(connection: sqlite3.Connection) -> list[str]:
    """SQLite's integrity check, FTS5's own, and our invariants."""
    found = [str(row[0]) for row in connection.execute("PRAGMA integrity_check") if row[0] != "ok"]
    for name, query in _INVARIANTS.items():
        count = connection.execute(query).fetchone()[0]
        if count:
            found.append(f"{count} {name}")
    return found
