"""That an index and what it is used with belong together: the embedder, the chunker, the search tokens."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from rag.documents.chunk import CHUNKER_VERSION
from rag.errors import IndexMismatch, InputError, ModelError
from rag.languages.text import TOKENS_VERSION
from rag.models.embedder import Embedder, EmbedderInfo, load_embedder, load_token_counter
from rag.models.registry import EMBEDDED, Sources, find_embedder
from rag.store.schema import Manifest, Space
from rag.store.store import Store


class EmbedderSource:
    """Where the embedder comes from, and the check that it is the one an index was built with."""

    def __init__(
        self, embedder: Embedder | str | None, cache_dir: Path | None, models: Sources, threads: int
    ) -> None:
        self.given = None if embedder is None or isinstance(embedder, str) else embedder
        self.spec = embedder if isinstance(embedder, str) else ""
        self._given_cache_dir = cache_dir
        self._models = models
        self._threads = threads
        self._loaded: Embedder | None = None
        self._store: Store | None = None
        self._guard = threading.Lock()

    @property
    def _cache_dir(self) -> Path:
        if self._given_cache_dir is None:
            from rag.config import default_cache_dir  # pydantic takes longer to load than an index to open

            self._given_cache_dir = default_cache_dir()
        return self._given_cache_dir

    def expect(self, store: Store) -> None:
        """From now on only the embedder of this index is accepted."""
        self._store = store
        self.spec = self.spec or store.manifest().spaces[0].embedder

    def load(self) -> Embedder:
        with self._guard:
            if self._loaded is None:
                self._loaded = self.given or load_embedder(
                    self.spec or EMBEDDED,
                    cache_dir=self._cache_dir,
                    models=self._models,
                    threads=self._threads,
                )
            if self._store is not None:
                _check_embedder(self._store, self._loaded.info)
            return self._loaded

    def name(self) -> str:
        """The spec under which others can load it; "" for an object that is not the embedded one."""
        if self.given is None or self.spec:
            return self.spec or EMBEDDED
        try:
            embedded = find_embedder(EMBEDDED, self._cache_dir).fingerprint
        except ModelError:  # it is not installed, so this is another
            return ""
        return EMBEDDED if embedded == self.given.info.fingerprint else ""

    def counter(self) -> Callable[[Sequence[str]], list[int]]:
        """Counts tokens as the embedder does, in any process. The embedder is loaded: a mismatch is said
        before an hour of parsing, not after it."""
        embedder = self.load()
        if self.given is not None:
            counter: Callable[[Sequence[str]], list[int]]
            counter = getattr(embedder, "token_counter", embedder.count_tokens)
            with suppress(Exception):  # whatever the object's own reducer raises
                pickle.dumps(counter)
                return counter
        if not self.spec:
            raise InputError(
                "This embedder object cannot be sent to the worker processes that read files. Give its name "
                "or path instead (embedder=...), or an object that can be pickled."
            )
        return load_token_counter(self.spec, cache_dir=self._cache_dir, models=self._models)


def new_manifest(source: EmbedderSource) -> Manifest:
    """For an index built now with this embedder, which is loaded."""
    return Manifest(
        spaces=(Space(source.load().info, source.name()),),
        chunker_version=CHUNKER_VERSION,
        tokens_version=TOKENS_VERSION,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def check_versions(store: Store) -> None:
    """Raises IndexMismatch where passages or tokens were made by another version."""
    manifest = store.manifest()
    for what, built, here in (
        ("chunker", manifest.chunker_version, CHUNKER_VERSION),
        ("search tokens", manifest.tokens_version, TOKENS_VERSION),
    ):
        if built != here:
            raise IndexMismatch(
                f"{store.folder} was built with version {built} of the {what}; this Citewise has version "
                f"{here}. Build it anew: "
                f"citewise ingest PATH --index {store.folder} --rebuild"
            )


def _check_embedder(store: Store, info: EmbedderInfo) -> None:
    space = store.manifest().spaces[0]
    built = space.info
    if (built.fingerprint, built.dimension) != (info.fingerprint, info.dimension):
        raise IndexMismatch(
            f"{store.folder} was built with the embedder {built.name} ({built.fingerprint[:8]}…), the one "
            f"in use is {info.name} ({info.fingerprint[:8]}…). Use the first (embedder = "
            f"{space.embedder!r}), or build it anew: citewise ingest PATH --index {store.folder} --rebuild"
        )
