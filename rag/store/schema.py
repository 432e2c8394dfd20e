"""How an index lies on disk: file names, tables, rows and their values, the manifest, connections, and what
SQLite's errors mean to us.

    <folder>/citewise.sqlite        the only truth (WAL, synchronous=FULL)
    <folder>/writer.lock            flock: one writer at a time

Text is kept once, in parts of `PART` code points: a passage is read by cutting it out of its document, so a
passage can never disagree with the document that it is quoted from."""

from __future__ import annotations

import json
import os
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.errors import IndexBusy, IndexDamaged
from rag.files import replacing, storage_error
from rag.models.registry import EmbedderInfo
from rag.types import DocumentInfo, FileStatus, Loss, LossKind, Relation, RelationKind

FORMAT_VERSION = 4
DATABASE = "citewise.sqlite"
LOCK = "writer.lock"
# Code points per stored part: small enough that cutting one passage out costs some 50 µs, large enough to
# compress well.
PART = 16384
_TABLES = Path(__file__).with_name("schema.sql")


@dataclass(frozen=True, slots=True)
class Space:
    """The embedder whose vectors an index holds. `embedder` is the spec that was asked for (a name or a
    path), `info` what it resolved to."""

    info: EmbedderInfo
    embedder: str = "embedded"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an index was built with: the embedder of its vectors, and the versions of what cut and tokenised
    its texts; `created` is ISO 8601 in UTC."""

    space: Space
    chunker_version: int
    tokens_version: int
    created: str
    format_version: int = FORMAT_VERSION

    def to_json(self) -> str:
        values = asdict(self)
        return json.dumps({"spaces": [values.pop("space")], **values}, ensure_ascii=False)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Manifest:
        """Of the values of `to_json` in this format."""
        ((info, embedder),) = ((space["info"], space["embedder"]) for space in values["spaces"])
        cosines = tuple(map(tuple, info.get("cosines", ())))
        tuples = {"languages": tuple(info["languages"]), "cosines": cosines}
        rest = {name: value for name, value in values.items() if name != "spaces"}
        return cls(Space(EmbedderInfo(**info | tuples), embedder), **rest)


@dataclass(frozen=True, slots=True)
class SentenceVectors:
    """Vectors of the n sentences of a passage. `rows` has the fields "start" and "end", counted from the
    passage's start, so that they hold wherever the passage stands, "scale" (float32) and "codes" (dimension;
    int8): a vector is its codes times its scale."""

    rows: NDArray[Any]

    @classmethod
    def of(cls, spans: Sequence[tuple[int, int]], vectors: NDArray[np.float32]) -> SentenceVectors:
        """Of vectors (n, dimension): each to the nearest of 255 steps of its own largest component."""
        rows = np.empty(len(vectors), _sentence_type(vectors.shape[1]))
        rows["start"], rows["end"] = np.array(spans, dtype="<u4").reshape(-1, 2).T
        rows["scale"] = np.maximum(np.abs(vectors).max(axis=1), 1e-12) / 127
        rows["codes"] = np.rint(vectors / rows["scale"][:, None])
        return cls(rows)

    @classmethod
    def unpack(cls, blob: bytes, dimension: int) -> SentenceVectors:
        """Of the bytes of `rows`."""
        return cls(np.frombuffer(blob, _sentence_type(dimension)))

    def cosines(self, vector: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n,): of unit vectors with a unit vector (dimension,)."""
        scores: NDArray[np.float32] = self.rows["codes"] @ np.asarray(vector, np.float32) * self.rows["scale"]
        return scores


def _sentence_type(dimension: int) -> np.dtype[Any]:
    return np.dtype([("start", "<u4"), ("end", "<u4"), ("scale", "<f4"), ("codes", "i1", (dimension,))])


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
    entirely or not at all, and what was killed before leaves nothing behind. Call with the writer's lock
    held."""
    for killed in file.parent.glob(f".{file.name}.*.tmp"):
        killed.unlink(missing_ok=True)
    with (
        replacing(file) as temporary,
        closing(sqlite3.connect(temporary, isolation_level=None)) as connection,
    ):
        tables = _TABLES.read_text("utf-8")
        connection.executescript(f"PRAGMA journal_mode = OFF; BEGIN; {tables} COMMIT;")
        rows = [("manifest", manifest.to_json()), ("generation", "1")]
        connection.executemany("INSERT INTO meta VALUES (?, ?)", rows)
        connection.execute("INSERT INTO spaces VALUES (0, 0, '')")


@contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Turns SQLite's and the file system's errors into ours."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise _translated(error, path) from error
    except OSError as error:
        raise storage_error(path, error) from error


def _translated(error: sqlite3.DatabaseError, path: Path) -> Exception:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN):
        return storage_error(path, error)
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


def read_roles(stored: str) -> tuple[str, ...]:
    """The column `roles` of a passage."""
    return tuple(json.loads(stored)) if stored else ()


def listed(ids: Iterable[int]) -> tuple[str]:
    """The value of a query's `json_each(?)`."""
    return (json.dumps([int(i) for i in ids]),)


def begin(row: Sequence[Any]) -> int:
    """Where a stored (kind, start, end, ...) begins; what has no length goes with the character before it."""
    start, end = int(row[1]), int(row[2])
    return start - (start == end > 0)


def read_generation(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT value FROM meta WHERE key = 'generation'").fetchone()[0])


# The columns of `documents` that make a DocumentInfo, in its order.
INFO = (
    "id, path, source, title, kind, language, status, detail, sha256, size, pages, chunks, metadata, losses"
)


def read_info(row: Sequence[Any]) -> DocumentInfo:
    """Of a row of `INFO`."""
    values = list(row)
    values[2] = os.fsdecode(row[2])
    values[6] = FileStatus(row[6])
    described = json.loads(row[12]).items()
    values[12] = {key: value if isinstance(value, str) else tuple(value) for key, value in described}
    values[13] = tuple(Loss(LossKind(kind), *rest) for kind, *rest in json.loads(row[13] or "[]"))
    return DocumentInfo(*values)


def read_catalogue(connection: sqlite3.Connection) -> list[DocumentInfo]:
    """Every file that was ingested, by path."""
    return list(map(read_info, connection.execute(f"SELECT {INFO} FROM documents ORDER BY path, source")))


def read_relations(connection: sqlite3.Connection, where: str = "", *values: object) -> list[Relation]:
    """In the order in which they were settled."""
    query = f"SELECT kind, name, effective, source, target FROM relations {where} ORDER BY id"
    return [Relation(RelationKind(kind), *rest) for kind, *rest in connection.execute(query, values)]  # type: ignore[arg-type]
