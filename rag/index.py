"""The index that users hold: open or create it, put files in, search it, look after it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

from rag.domains import Domains, known_names, load_domains
from rag.errors import IndexBusy, InputError
from rag.models.embedder import Embedder, supports
from rag.models.generation import LLM
from rag.models.registry import NO_SOURCES, Sources
from rag.parsers import Limits
from rag.search.ranker import TUNED, Ranker, load_ranker
from rag.store.documents import check_filters, matches
from rag.store.index_file import EmbedderSource, check_versions, new_manifest, remove_index, writer_lock
from rag.store.schema import DATABASE, Manifest
from rag.store.store import DenseIndex, Store
from rag.types import DocumentInfo, FileStatus, Filters, Hit, IngestReport, Stages, Turn

if TYPE_CHECKING:
    from rag.config import Config
    from rag.questions.query import Query
    from rag.search.amended import Consolidated
    from rag.search.explain import Explanation
    from rag.search.pool import Retrievers
    from rag.store.ingest import ProgressCallback

# While an ingest adds vectors, searches use the FAISS index at hand for so long before they look for a newer
# one.
_REFRESH_SECONDS = 5.0
ALL_STAGES = Stages()


@dataclass(frozen=True, slots=True)
class IndexStats:
    """What an index holds. `documents` counts those with text, `incomplete` those of them that were not read
    as a whole, `unreadable` the others; `pending` are passages that wait for their vector; `bytes` is what
    the folder takes on disk."""

    folder: str
    documents: int
    incomplete: int
    unreadable: int
    passages: int
    vectors: int
    pending: int
    pages: int
    bytes: int
    generation: int
    manifest: Manifest


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """`problems` in words, empty when the index is sound."""

    documents: int
    passages: int
    problems: tuple[str, ...]

    @property
    def ok(self) -> bool:
        return not self.problems


def open_index(
    folder: Path | str,
    *,
    embedder: Embedder | str | None = None,
    create: bool = False,
    rebuild: bool = False,
    cache_dir: Path | None = None,
    models: Sources = NO_SOURCES,
    threads: int = 0,
    domains: Domains | None = None,
) -> Index:
    """Opens the index in `folder`; with `create` makes an empty one where there is none, with `rebuild` in
    any case.

    `embedder` is an object, or a name or path as in the configuration; None: the one the index was built with
    (for a new index the embedded one). Given by name it is loaded, and compared with the manifest, when first
    needed. `domains` are the fields, with the user's own lexicons; None: all, without any.
    Raises IndexMissing, IndexMismatch, IndexDamaged, IndexBusy, and ModelError for a new index."""
    folder = Path(folder)
    source = EmbedderSource(embedder, cache_dir, models, threads)
    if rebuild or (create and not (folder / DATABASE).exists()):
        manifest = new_manifest(source)  # before anything is removed: the model may be missing
        if rebuild:
            remove_index(folder)
        store = Store.create(folder, manifest)
    else:
        store = Store.open(folder)
    try:
        check_versions(store)
        source.expect(store)
        if source.given is not None:
            source.load()
    except BaseException:
        store.close()
        raise
    return Index(store, source, domains or load_domains())


def open_configured(
    config: Config, folder: Path | None = None, *, create: bool = False, rebuild: bool = False
) -> Index:
    """The index that a configuration names, or the one in `folder` with the same models and fields; raises as
    `open_index` does."""
    return open_index(
        folder or config.index,
        embedder=config.embedder,
        create=create,
        rebuild=rebuild,
        cache_dir=config.cache_dir,
        models=config.models,
        threads=config.threads,
        domains=load_domains(config.lexicons),
    )


class Index:
    """An open index; see `open_index`. Safe to use from several threads: one may ingest while others
    search."""

    def __init__(self, store: Store, source: EmbedderSource, domains: Domains) -> None:
        self.store = store
        self.fields = domains.each
        self.lexicon = domains.lexicon
        self.folder = store.folder
        self._space = store.space
        self._source = source
        self._dense: DenseIndex | None = None
        self._dense_at = 0.0
        self._guard = threading.Lock()

    @property
    def embedder(self) -> Embedder:
        """Loaded at first use. Raises ModelError, IndexMismatch when it is not the one the index was built
        with."""
        return self._source.load()

    def embedder_for(self, language: str) -> Embedder | None:
        """The embedder if it knows the language, else None; not loaded for nothing."""
        return self.embedder if supports(self._space.info, language) else None

    def closer_for(self, language: str) -> Embedder | None:
        """What tells which sentence answers a question in this language better than the index's own embedder
        of many languages: the installed one, if it is of that language. None where there is no such."""
        return self._source.closer(language) if self._space.info.cosines else None

    def understand(
        self,
        question: str,
        history: Sequence[Turn] = (),
        llm: LLM | None = None,
        stop: threading.Event | None = None,
    ) -> Query:
        """A question, completed from the earlier turns of a conversation (oldest first; by `llm` where code
        cannot), and with misspelt words mended, as every stage takes it. Raises InputError for a question
        without a word."""
        from rag.questions.query import Readers, understand
        from rag.search.spelling import mended

        catalogue = self.store.catalogue()
        readers = Readers(catalogue, self.fields, self.lexicon)
        if history:
            readers = replace(readers, known=known_names(catalogue))
        query = understand(question, readers, history, llm, stop)
        text = mended(query.text, self.store)
        return query if text == query.text else replace(understand(text, readers), asked=query.asked)

    def search(
        self,
        question: str | Query,
        k: int = 8,
        *,
        filters: Filters | None = None,
        stages: Stages = ALL_STAGES,
    ) -> list[Hit]:
        """The `k` best passages, best first; the scale of their scores is described in `rag.search.retrieve`.
        `stages` switches parts of retrieval off, to measure what each gives. Raises InputError for a question
        without a word."""
        from rag.search.retrieve import retrieve

        query = self.understand(question) if isinstance(question, str) else question
        legs = self.retrievers(query, stages)
        return retrieve(legs, query, k=k, filters=filters, stages=stages, ranker=self.ranker())

    def search_each(
        self, query: Query, k: int = 8, *, filters: Filters | None = None, stages: Stages = ALL_STAGES
    ) -> list[list[Hit]]:
        """For each of the questions that are asked in one its `k` best passages; what the whole names holds
        for each."""
        from rag.search.retrieve import retrieve_each

        legs = self.retrievers(query, stages)
        ranker = self.ranker()
        return retrieve_each(legs, query, query.questions, k=k, filters=filters, stages=stages, ranker=ranker)

    def retrievers(self, query: Query, stages: Stages = ALL_STAGES) -> Retrievers:
        """What searches for a question in its language; vectors only where the embedder knows it."""
        from rag.search.pool import Retrievers

        dense = embedder = None
        if stages.dense and self._space.generation():
            embedder = self.embedder_for(query.language)
            dense = self.dense() if embedder is not None else None
        return Retrievers(self.store, dense, embedder, self.fields)

    def explain(
        self,
        question: str | Query,
        k: int = 8,
        *,
        filters: Filters | None = None,
        hits: Sequence[Hit] | None = None,
    ) -> Explanation:
        """What is understood of a question, which of it gave way, and why the hits stand where they do.
        `hits` are those of an earlier `search` with the same filters; None: searched for here. Raises
        InputError for a question without a word."""
        from rag.search.explain import explain
        from rag.search.pool import Retrievers

        query = self.understand(question) if isinstance(question, str) else question
        hits = self.search(query, k, filters=filters) if hits is None else hits
        return explain(Retrievers(self.store, None, None, self.fields), query, hits, filters)

    def ranker(self) -> Ranker:
        """The index's own ranker where it was tuned, else the shipped one. Raises ConfigError."""
        own = self.folder / TUNED
        return load_ranker(own if own.exists() else None)

    def dense(self) -> DenseIndex:
        """The FAISS index, brought up to the store: at once when nobody writes, every few seconds while
        somebody does. A passage that was removed meanwhile is left out by the store."""
        with self._guard:
            now, known = time.monotonic(), self._dense
            current = known is not None and known.generation == self._space.generation()
            recent = now - self._dense_at < _REFRESH_SECONDS
            if known is not None and (current or (recent and self._is_written())):
                return known
            self._dense, self._dense_at = DenseIndex(self._space), time.monotonic()
            return self._dense

    def _is_written(self) -> bool:
        try:
            with writer_lock(self.folder):
                return False
        except IndexBusy:
            return True

    def ingest(
        self,
        *paths: Path | str,
        sync: bool = False,
        ocr: bool = False,
        limits: Limits = Limits(),  # noqa: B008  (frozen)
        workers: int = 0,
        progress: ProgressCallback | None = None,
        stop: threading.Event | None = None,
    ) -> IngestReport:
        """Adds, updates, skips files and the files below folders; with `sync` removes those that are gone.
        See `rag.store.ingest`."""
        from rag.store.ingest import ingest
        from rag.store.reading import Settings

        settings = Settings(self._source.counter(), self.fields, limits, workers, ocr)
        return ingest(
            self.store,
            paths,
            settings=settings,
            embedder=self._source.load,
            sync=sync,
            progress=progress,
            stop=stop,
        )

    def documents(self, filters: Filters | None = None) -> list[DocumentInfo]:
        """Every file that was ingested, unreadable ones too (status), by path."""
        return self.store.documents(filters)

    def consolidated(self, document: str, on: str = "") -> Consolidated:
        """The words in force on an ISO day ("": today) of a document, named by path, title or a pattern of
        paths. Raises InputError where that names none or several, and for a day that is no date."""
        from rag.search.amended import consolidated

        check_filters(Filters(in_force=on))
        found = [d for d in self.documents() if d.chunks and document in (d.path, d.source, d.title)]
        if len(found := found or self.documents(Filters(documents=(document,)))) != 1:
            which = "; ".join(d.path for d in found[:8]) or "none"
            raise InputError(f"{document!r} has to name one document. It names: {which}.")
        return consolidated(found[0], self.store, on)

    def delete(self, paths: Iterable[str]) -> list[str]:
        """Removes documents by shown path, source path or glob pattern over shown paths; gives the shown
        paths removed. The files themselves are not touched. Raises InputError, and removes nothing, when one
        of `paths` fits no document."""
        listed = self.documents()
        chosen: dict[str, str] = {}
        for path in paths:
            exact = [d for d in listed if path in (d.path, d.source)]
            exact += [
                d for d in listed for e in exact if d.source.startswith(f"{e.source}/")
            ]  # what is in it
            found = exact or [d for d in listed if matches(d, Filters(documents=(path,)))]
            if not found:
                raise InputError(
                    f"{self.folder} holds no document {path}. See: citewise index show {self.folder}"
                )
            chosen.update((d.source, d.path) for d in found)
        with self.store.writing() as writer:
            with writer.transaction():
                for source in chosen:
                    writer.remove(source)
            writer.resolve_relations()
            writer.shrink()
        return sorted(chosen.values())

    def verify(self) -> VerifyReport:
        """Reads everything: SQLite's own checks, counts of passages, lexical rows and vectors, passages
        against their documents' text."""
        problems, documents = self.store.problems(), self.documents()
        for info in documents:
            if info.status is FileStatus.OK:
                problems.extend(_text_problems(self.store, info))
        return VerifyReport(len(documents), self.store.passages(), tuple(problems))

    def stats(self) -> IndexStats:
        documents = self.documents()
        readable = [d for d in documents if d.status is FileStatus.OK]
        return IndexStats(
            folder=str(self.folder),
            documents=len(readable),
            incomplete=sum(bool(d.losses) for d in readable),
            unreadable=len(documents) - len(readable),
            passages=self.store.passages(),
            vectors=self._space.count(),
            pending=self._space.count_pending(),
            pages=sum(d.pages for d in readable),
            bytes=sum(f.stat().st_size for f in self.folder.iterdir() if f.is_file()),
            generation=self.store.generation(),
            manifest=self.store.manifest(),
        )

    def passage(self, chunk_id: int) -> Hit:
        """A passage by its id, with score 0. Raises InputError when it is gone."""
        found = self.store.chunks([chunk_id])
        if not found:
            raise InputError(f"{self.folder} holds no passage {chunk_id} (any more). Ask again.")
        ((_, document_id, chunk),) = found
        return Hit(chunk_id, self.store.document(document_id), chunk, 0.0)

    def text(self, document_id: int) -> str:
        return self.store.text(document_id)

    def close(self) -> None:
        self.store.close()
        self._dense = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _text_problems(store: Store, info: DocumentInfo) -> list[str]:
    """Whether the passages of a document are in order, disjoint, and miss nothing but white space."""
    text, end, found = store.text(info.id), 0, []
    for _, _, chunk in store.document_chunks(info.id):
        if text[chunk.start : chunk.end] != chunk.text or not chunk.text:
            place = f"{chunk.start}..{chunk.end}"
            found.append(f"{info.path}: passage {chunk.ordinal} is not the text at {place}")
        if chunk.start < end or text[end : chunk.start].strip():
            found.append(f"{info.path}: passage {chunk.ordinal} does not follow the one before it")
        end = chunk.end
    return found
