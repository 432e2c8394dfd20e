"""How an index lies on disk: file names, tables, the manifest, connections, and what SQLite's errors mean to
us.

    <folder>/citewise.sqlite      the only truth (WAL, synchronous=FULL)
    <folder>/dense-<n>.faiss      derived from the vectors of generation n, replaceable at any time
    <folder>/writer.lock          flock: one writer at a time

Text is kept once, in parts of `PART` code points: a passage is read by cutting it out of its document, so a
passage can never disagree with the document that it is quoted from."""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rag.errors import IndexBusy, IndexDamaged, StorageError
from rag.files import sync

FORMAT_VERSION = 3
DATABASE = "citewise.sqlite"
LOCK = "writer.lock"
# Code points per stored part: small enough that cutting one passage out costs some 50 µs, large enough to
# compress well.
PART = 16384

_TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE documents (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    source BLOB NOT NULL UNIQUE,          -- absolute path, as bytes: any name, NFC and NFD apart
    path TEXT NOT NULL,
    title TEXT NOT NULL,
    kind TEXT NOT NULL,
    language TEXT NOT NULL,
    status TEXT NOT NULL,
    detail TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    size INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    ocr INTEGER NOT NULL,                 -- whether it was parsed with OCR on
    pages INTEGER NOT NULL,
    empty_pages INTEGER NOT NULL,
    chunks INTEGER NOT NULL,
    length INTEGER NOT NULL,              -- code points
    metadata TEXT NOT NULL,               -- JSON object of strings
    pagination BLOB NOT NULL,             -- zlib JSON: number, start and end of each page
    losses TEXT NOT NULL                  -- JSON: kind, place and page of what could not be read; '' for none
);
CREATE INDEX documents_path ON documents (path);
CREATE TABLE texts (
    document_id INTEGER NOT NULL,
    part INTEGER NOT NULL,
    body BLOB NOT NULL,                   -- zlib UTF-8
    blocks BLOB NOT NULL,                 -- zlib JSON: the blocks that overlap this part, '' for none
    marks BLOB NOT NULL,                  -- the same of its marks
    PRIMARY KEY (document_id, part)
);
CREATE TABLE chunks (
    id INTEGER PRIMARY KEY AUTOINCREMENT, -- never used twice: a stale FAISS file cannot name another passage
    document_id INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    start INTEGER NOT NULL,
    end INTEGER NOT NULL,
    context TEXT NOT NULL,
    kind TEXT NOT NULL,
    heading_path TEXT NOT NULL,           -- JSON array
    page INTEGER,
    last_page INTEGER,
    location TEXT NOT NULL,
    tokens INTEGER NOT NULL,
    role TEXT NOT NULL DEFAULT ''         -- financial statements it stands in: "income|balance"
);
CREATE UNIQUE INDEX chunks_document ON chunks (document_id, ordinal);
CREATE TABLE vectors (chunk_id INTEGER PRIMARY KEY, vector BLOB NOT NULL);   -- float16, little endian
CREATE TABLE pending (chunk_id INTEGER PRIMARY KEY);                         -- passages still to be embedded
-- Which passage bears an article, a section, a note: its heading or its first words. Only what is borne once.
CREATE TABLE anchors (
    document_id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    label TEXT NOT NULL,
    chunk_id INTEGER NOT NULL,
    PRIMARY KEY (document_id, kind, label)
) WITHOUT ROWID;
-- References from passages to passages. `start` and `end` are code points of the citing document; `target` is
-- another document as the text names it, '' for the document itself; what is not found is NULL.
CREATE TABLE crossrefs (
    id INTEGER PRIMARY KEY,
    document_id INTEGER NOT NULL,         -- of the citing passage
    chunk_id INTEGER NOT NULL,
    start INTEGER NOT NULL,
    end INTEGER NOT NULL,
    kind TEXT NOT NULL,
    label TEXT NOT NULL,
    target TEXT NOT NULL,
    target_document_id INTEGER,
    target_chunk_id INTEGER
);
CREATE INDEX crossrefs_from ON crossrefs (chunk_id, start);
CREATE INDEX crossrefs_of ON crossrefs (document_id);
CREATE INDEX crossrefs_to ON crossrefs (target_chunk_id) WHERE target_chunk_id IS NOT NULL;
CREATE INDEX crossrefs_to_document ON crossrefs (target_document_id) WHERE target_document_id IS NOT NULL;
CREATE INDEX crossrefs_named ON crossrefs (target, target_document_id) WHERE target != '';
-- Tokens are made by rag.languages.text and joined by blanks. The ascii tokeniser keeps every code point
-- beyond ASCII in the token.
CREATE VIRTUAL TABLE lexical USING fts5 (title, heading, body, tokenize = "ascii tokenchars '.,'''");
CREATE VIRTUAL TABLE vocabulary USING fts5vocab (lexical, 'row');
"""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an index was built with. `embedder` is the spec that was asked for (a name or a path), the
    fingerprint what it resolved to; `created` is ISO 8601 in UTC."""

    embedder_name: str
    embedder_fingerprint: str
    dimension: int
    languages: tuple[str, ...]
    chunker_version: int
    tokens_version: int
    created: str
    embedder: str = "embedded"
    embedder_max_tokens: int = 256
    format_version: int = FORMAT_VERSION

    def to_json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Manifest:
        """Unknown keys of a later format are ignored; the format number is what decides."""
        values: dict[str, Any] = json.loads(text)
        known = {name: values[name] for name in cls.__slots__ if name in values}
        return cls(**{**known, "languages": tuple(known.get("languages", ()))})


def connect(file: Path) -> sqlite3.Connection:
    """A connection in autocommit mode; may be used by any one thread at a time. Raises what `storage_errors`
    makes."""
    with storage_errors(file):
        connection = sqlite3.connect(
            f"{file.absolute().as_uri()}?mode=rw",
            uri=True,
            isolation_level=None,
            check_same_thread=False,
            timeout=10.0,
            cached_statements=256,
        )
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA cache_size = -16384")
        except BaseException:
            connection.close()
            raise
        return connection


def create_database(file: Path, manifest: Manifest) -> None:
    """All tables and the manifest, under a temporary name that is changed at the end: an index exists
    entirely or not at all. Call with the writer's lock held."""
    temporary = file.with_name(f"{file.name}.new")
    try:
        temporary.unlink(missing_ok=True)
        connection = sqlite3.connect(temporary, isolation_level=None)
        try:
            connection.executescript(f"PRAGMA journal_mode = OFF; BEGIN; {_TABLES} COMMIT;")
            counters = [("generation", "1"), ("vectors_generation", "0")]
            connection.executemany(
                "INSERT INTO meta VALUES (?, ?)", [("manifest", manifest.to_json()), *counters]
            )
        finally:
            connection.close()
        sync(temporary)
        temporary.replace(file)
        sync(file.parent)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Turns SQLite's and the file system's errors into ours."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise _translated(error, path) from error
    except OSError as error:
        raise StorageError(
            f"{path}: {error.strerror or error}. What was committed before is intact. Free some space or "
            "choose a folder that can be written, then run the same command again."
        ) from error


def _translated(error: sqlite3.DatabaseError, path: Path) -> Exception:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN):
        return StorageError(
            f"{path} could not be read or written ({error}). What was committed before is intact. Free "
            "some space "
            "or make the folder writable, then run the same command again."
        )
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return IndexBusy(f"{path} is held by another process. Wait for it to end, then try again.")
    return IndexDamaged(
        f"{path} cannot be used as an index ({error}). Build it anew: "
        f"citewise ingest PATH --index {path.parent} --rebuild"
    )


def pack(text: str) -> bytes:
    return zlib.compress(text.encode("utf-8", "surrogatepass"), 6)


def unpack(blob: bytes) -> str:
    return zlib.decompress(blob).decode("utf-8", "surrogatepass")


def pack_rows(rows: Iterable[Sequence[object]]) -> bytes:
    """Rows of JSON values; b"" for none."""
    listed = list(rows)
    return pack(json.dumps(listed)) if listed else b""


def unpack_rows(blob: bytes) -> list[list[Any]]:
    """What `pack_rows` was given."""
    return json.loads(unpack(blob)) if blob else []
