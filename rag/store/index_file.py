"""The file of an index: opened, made, read from any thread, written by one at a time, and used only with the
embedder, the chunker and the search tokens that it was built with.

Reads are safe from any thread and beside a writer in this or another process (WAL; one pooled connection per
call). The writer's lock file is released by the kernel when its holder dies."""

from __future__ import annotations

import fcntl
import json
import os
import pickle
import re
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Self, TypeVar

from rag.documents.chunk import CHUNKER_VERSION
from rag.errors import IndexBusy, IndexMismatch, IndexMissing, InputError, StorageError
from rag.languages.text import TOKENS_VERSION
from rag.models.embedder import Embedder, load_embedder
from rag.models.registry import AUTO, EMBEDDED, Sources, chosen_embedder, embedded
from rag.store import schema
from rag.store.schema import DATABASE, LOCK, Manifest, storage_errors
from rag.store.writer import Writer

T = TypeVar("T")
# What names no row of another table, and that one.
_ORPHANS = """chunks.id lexical_docsize; lexical_docsize.id chunks; chunks.document_id documents
    vectors.chunk_id chunks; sentences.chunk_id chunks; pending.chunk_id chunks
    relations.source documents; relations.target documents"""
_INVARIANTS = {
    f"rows of {table} whose {key} is not in {other}": (
        f"SELECT count(*) FROM {table} WHERE {key} IS NOT NULL AND {key} NOT IN (SELECT id FROM {other})"
    )
    for table, key, other in re.findall(r"(\w+)\.(\w+) (\w+)", _ORPHANS)
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


@contextmanager
def writer_lock(folder: Path) -> Iterator[None]:
    """Holds `writer.lock` of an index. The kernel lets go of it when the process dies. Raises IndexBusy."""
    with storage_errors(folder / LOCK):
        handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        with storage_errors(folder / LOCK):
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                owner = os.pread(handle, 32, 0).decode("ascii", "replace").strip()
                raise IndexBusy(
                    f"{folder} is being written by another ingest (process {owner or 'unknown'}). It can be "
                    "asked meanwhile; to write to it, wait until that one has ended."
                ) from error
            os.ftruncate(handle, 0)
            os.pwrite(handle, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(handle)


def remove_index(folder: Path) -> None:
    """Deletes the files of an index and nothing else; quiet when there is none. A tuned ranker stays: it was
    made from questions, which the documents do not hold. Raises IndexBusy while the index is written."""
    if not (folder / DATABASE).exists():
        return
    with writer_lock(folder), storage_errors(folder):
        for pattern in (f"{DATABASE}*", f".{DATABASE}.*.tmp", "*dense-*.faiss*"):
            for file in folder.glob(pattern):
                file.unlink(missing_ok=True)


class IndexFile:
    """An open index file and what it says as a whole. Make one with `open` or `create`; use as a context
    manager or call `close`."""

    def __init__(self, folder: Path, connection: sqlite3.Connection, manifest: Manifest) -> None:
        self.folder = folder
        self.file = folder / DATABASE
        self._manifest = manifest
        self._idle = [connection]
        self._closed = False
        self._derived: tuple[int, dict[str, Any]] = (-1, {})
        self._guard = threading.Lock()

    @classmethod
    def open(cls, folder: Path | str) -> Self:
        """Raises IndexMissing, IndexMismatch (another format) or IndexDamaged."""
        folder = Path(folder)
        file = folder / DATABASE
        if not file.is_file():
            raise IndexMissing(
                f"There is no index in {folder}. Build one with: citewise ingest PATH --index {folder}"
            )
        connection = schema.connect(file)
        try:
            with storage_errors(file):
                row = connection.execute("SELECT value FROM meta WHERE key = 'manifest'").fetchone()
            values = json.loads(row[0])
            if (built := values.get("format_version")) != schema.FORMAT_VERSION:
                raise IndexMismatch(
                    f"{folder} has index format {built}; this version of Citewise reads format "
                    f"{schema.FORMAT_VERSION}. {_anew(folder)}"
                )
            manifest = Manifest.from_json(values)
        except BaseException:
            connection.close()
            raise
        return cls(folder, connection, manifest)

    @classmethod
    def create(cls, folder: Path | str, manifest: Manifest) -> Self:
        """A new, empty index. Raises InputError where there is one already, StorageError where none can be
        written."""
        folder = Path(folder)
        file = folder / DATABASE
        if file.exists():
            raise InputError(f"{folder} holds an index already. Open it, or build it anew with --rebuild.")
        with storage_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
        with writer_lock(folder), storage_errors(file):
            schema.create_database(file, manifest)
        return cls.open(folder)

    def close(self) -> None:
        with self._guard:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def _borrowed(self) -> Iterator[sqlite3.Connection]:
        with self._guard:
            if self._closed:
                raise StorageError(f"The index {self.folder} was closed. Open it again.")
            idle = self._idle.pop() if self._idle else None
        connection = idle or schema.connect(self.file)
        try:
            yield connection
        finally:
            with self._guard:
                if self._closed:
                    connection.close()
                else:
                    self._idle.append(connection)

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        with self._borrowed() as connection, storage_errors(self.file):
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Writer]:
        """The writer, alone until the block ends. Raises IndexBusy when another process or thread writes."""
        with writer_lock(self.folder), self._borrowed() as connection:
            yield Writer(connection, self.folder)

    # What the index as a whole says

    def manifest(self) -> Manifest:
        return self._manifest

    def generation(self) -> int:
        """Grows with every commit that changes documents, passages or vectors."""
        with self._connection() as connection:
            return schema.read_generation(connection)

    def rows(self, query: str, values: Sequence[object] = ()) -> list[Any]:
        """What a query gives; for the modules of this package."""
        with self._connection() as connection:
            return connection.execute(query, values).fetchall()  # type: ignore[arg-type]

    def _among(self, query: str, ids: Sequence[int]) -> list[Any]:
        """What a query gives that ends before the ids wanted."""
        return self.rows(f"{query} IN (SELECT value FROM json_each(?))", schema.listed(ids))

    def _cached(self, key: str, compute: Callable[[sqlite3.Connection], T]) -> T:
        """A value derived from one generation, computed when first asked for in it."""
        with self._connection() as connection:
            generation = schema.read_generation(connection)
            known, values = self._derived
            if known != generation:
                values = {}
                self._derived = (generation, values)
            if key not in values:
                values[key] = compute(connection)
            value: T = values[key]
            return value

    def passages(self) -> int:
        """Number of passages in the index."""
        return self._cached("passages", lambda c: int(c.execute("SELECT count(*) FROM chunks").fetchone()[0]))

    def problems(self) -> list[str]:
        """What SQLite's integrity check and our own counts find wrong; empty for a sound file. Reads the
        whole file."""
        found = [str(row[0]) for row in self.rows("PRAGMA integrity_check") if row[0] != "ok"]
        counts = {name: self.rows(query)[0][0] for name, query in _INVARIANTS.items()}
        return found + [f"{count} {name}" for name, count in counts.items() if count]


class EmbedderSource:
    """Where the embedder comes from, and the check that it is the one an index was built with."""

    def __init__(
        self, embedder: Embedder | str | None, cache_dir: Path | None, models: Sources, threads: int
    ) -> None:
        self.spec = embedder if isinstance(embedder, str) else ""
        self.given: Embedder | None = None if isinstance(embedder, str) else embedder
        self._loaded, self._given_cache_dir = self.given, cache_dir
        self._load = partial(load_embedder, models=models, threads=threads)
        self._store: IndexFile | None = None
        self._guard = threading.Lock()

    @property
    def _cache_dir(self) -> Path:
        from rag.config import default_cache_dir  # pydantic takes longer to load than an index to open

        return self._given_cache_dir or default_cache_dir()

    def expect(self, store: IndexFile) -> None:
        """From now on only the embedder of this index is accepted."""
        self._store = store
        self.spec = store.manifest().space.embedder if self.spec in ("", AUTO) else self.spec

    def load(self) -> Embedder:
        with self._guard:
            if self._loaded is None:
                self._loaded = self._load(self.spec or EMBEDDED, cache_dir=self._cache_dir)
            if self._store is None:
                return self._loaded
            folder, space, info = self._store.folder, self._store.manifest().space, self._loaded.info
            built = space.info
            if (built.fingerprint, built.dimension) != (info.fingerprint, info.dimension):
                raise IndexMismatch(
                    f"{folder} was built with the embedder {built.name} ({built.fingerprint[:8]}…), the one "
                    f"in use is {info.name} ({info.fingerprint[:8]}…). Use the first (embedder = "
                    f"{space.embedder!r}). {_anew(folder)}"
                )
            return self._loaded

    def closer(self, language: str) -> Embedder | None:
        """The installed embedder, where it is of this language."""
        known = language in embedded("embedder").languages
        return self._load(EMBEDDED, cache_dir=self._cache_dir) if known else None

    def name(self) -> str:
        """The spec under which others can load it; "" for an object that is not the embedded one."""
        if self.spec == AUTO:
            return chosen_embedder(self._cache_dir)
        if self.given is None:
            return self.spec or EMBEDDED
        return EMBEDDED if self.given.info.fingerprint == embedded("embedder").sha256 else ""

    def counter(self) -> Callable[[Sequence[str]], list[int]]:
        """Counts tokens as the embedder does, in any process. The embedder is loaded: a mismatch is said
        before an hour of parsing, not after it."""
        embedder = self.load()
        counter: Callable[[Sequence[str]], list[int]]
        counter = getattr(embedder, "token_counter", embedder.count_tokens)
        try:
            pickle.dumps(counter)
        except Exception as error:  # whatever the object's own reducer raises
            raise InputError(
                "This embedder object cannot be sent to the worker processes that read files. Give its name "
                "or path instead (embedder=...), or an object that can be pickled."
            ) from error
        return counter


def new_manifest(source: EmbedderSource) -> Manifest:
    """For an index built now with this embedder, which is loaded."""
    return Manifest(
        space=schema.Space(source.load().info, source.name()),
        chunker_version=CHUNKER_VERSION,
        tokens_version=TOKENS_VERSION,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def check_versions(store: IndexFile) -> None:
    """Raises IndexMismatch where passages or tokens were made by another version."""
    manifest = store.manifest()
    chunker = ("chunker", manifest.chunker_version, CHUNKER_VERSION)
    for what, built, here in (chunker, ("search tokens", manifest.tokens_version, TOKENS_VERSION)):
        if built != here:
            raise IndexMismatch(
                f"{store.folder} was built with version {built} of the {what}; this Citewise has version "
                f"{here}. {_anew(store.folder)}"
            )


def _anew(folder: Path) -> str:
    return f"Build it anew: citewise ingest PATH --index {folder} --rebuild"
