"""Builders for tests of the store and what stands on it: small documents, stores, folders of files."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np

from rag.domains import load_domains
from rag.errors import CitewiseError
from rag.index import Index, open_index
from rag.models.registry import EmbedderInfo
from rag.store.reading import passages
from rag.store.schema import Manifest, Space
from rag.store.store import Store
from rag.store.writer import FileState
from rag.types import Block, BlockKind, Document, Filters, Page
from tests.fakes import FakeEmbedder, fake_count_tokens

LEASE = "# Lease\n\n## Term\n\nThe lease runs for 24 months.\n\n## Notice\n\nThe notice period is 30 days.\n"
LOAN = "# Loan\n\nThe borrower pays interest of 4.5 percent a year.\n\nThe loan falls due in 2031.\n"
CHINESE = "# 劳动合同\n\n劳动者提前三十日以书面形式通知用人单位，可以解除劳动合同。\n"


def manifest(dimension: int = 64, languages: tuple[str, ...] = ("*",), **changes: object) -> Manifest:
    fields: dict[str, object] = {
        "space": Space(EmbedderInfo("fake", "f" * 64, dimension, 256, languages)),
        "chunker_version": 1,
        "tokens_version": 1,
        "created": "2025-01-01T00:00:00+00:00",
    }
    return Manifest(**(fields | changes))  # type: ignore[arg-type]


def document(path: str, paragraphs: Sequence[str], **changes: object) -> Document:
    """A document of one paragraph block per string, all on page 1."""
    text = "\n\n".join(paragraphs)
    blocks, start = [], 0
    for paragraph in paragraphs:
        blocks.append(Block(BlockKind.PARAGRAPH, start, start + len(paragraph)))
        start += len(paragraph) + 2
    fields: dict[str, object] = {
        "path": path,
        "source": f"/documents/{path}",
        "title": path.rsplit(".", 1)[0],
        "text": text,
        "kind": "pdf",
        "language": "en",
        "sha256": "0" * 64,
        "pages": (Page(1, 0, len(text)),),
        "blocks": tuple(blocks),
    }
    return Document(**(fields | changes))  # type: ignore[arg-type]


def put(store: Store, *documents: Document, embedded: bool = True, vectors: bool = False) -> list[int]:
    """Writes documents as an ingest does; with `vectors` embeds them too. Gives their ids."""
    with store.writing() as writer:
        with writer.transaction():
            ids = [
                writer.put_document(
                    FileState(d.source, d.path, len(d.text), 1),
                    read.document or d,
                    read.chunks,
                    read.tokens,
                    embedded=embedded,
                )
                for d in documents
                for read in [passages(d, fake_count_tokens, load_domains().each)]
            ]
        writer.resolve_relations()
        if vectors:
            space = store.space
            embedder = FakeEmbedder(dimension=space.info.dimension)
            while batch := space.pending(100):
                with writer.transaction():
                    writer.put_vectors([i for i, _ in batch], embedder.embed_passages([t for _, t in batch]))
    return ids


def write_files(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def new_index(folder: Path, embedder: FakeEmbedder | None = None) -> Index:
    return open_index(folder, embedder=embedder or FakeEmbedder(), create=True)


def run_here(function, jobs, *, workers, limits, initializer=None, initargs=(), stop=None):  # type: ignore[no-untyped-def]
    """`rag.parsers.pool.run_in_workers` without processes: seconds less for each test not about them."""
    if initializer is not None:
        initializer(*initargs)
    for job in jobs:
        if stop is not None and stop.is_set():
            return
        try:
            yield job, function(job)
        except CitewiseError as error:
            yield job, error


def contents(store: Store) -> dict[bytes, object]:
    """Everything that an index says, without ids: equal for two indexes that hold the same."""
    held: dict[bytes, object] = {}
    for info in store.documents():
        passages = store.document_chunks(info.id)
        ids = [chunk_id for chunk_id, _, _ in passages]
        held[os.fsencode(info.source)] = (
            info.path,
            info.status,
            info.sha256,
            store.load_document(info.id),
            [chunk for _, _, chunk in passages],
            store.space.vectors(ids).astype(np.float16).tobytes(),
        )
    return held


def found(store: Store, *tokens: str, filters: Filters | None = None) -> list[str]:
    """Paths of the documents of the passages that hold a token, best first, each once."""
    ids = [i for i, _ in store.lexical(tokens, limit=50, filters=filters)]
    return list(dict.fromkeys(store.document(d).path for _, d, _ in store.chunks(ids)))


def changes(results: Iterable[object]) -> dict[str, str]:
    return {r.path: r.change for r in results}  # type: ignore[attr-defined]


def waits_until(condition: Callable[[], bool], seconds: float = 20.0) -> bool:
    import time

    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.01)
    return False
