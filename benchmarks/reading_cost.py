"""What reading a document costs, part by part: parsing, passages, and what is read of it besides (profile
with validity, statements, references)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from rag.domains import finance, load_domains
from rag.errors import ParseError
from rag.models.embedder import Embedder
from rag.parsers import parse
from rag.store import reading

# Parts of `rag.store.reading.passages` by the names that it calls them by, those of a field by its method.
_PARTS = {
    "profile": ((reading, "with_profile"),),
    "statements": ((finance.Finance, "roles"),),
    "passages": ((reading, "chunk"),),
    "search tokens": ((reading, "search_tokens"),),
}
ADDED = ("profile", "statements")
_FIELDS = load_domains().each
_EMBEDDED = 48


def reading_cost(files: Sequence[Path], embedder: Embedder) -> dict[str, Any]:
    """Processor milliseconds by part over all files; `added` is what the added parts are of the rest of the
    ingest, with embedding (measured on up to 48 passages of each document) and without."""
    spent = dict.fromkeys(["parse", *_PARTS, "embedding"], 0.0)
    documents = passages = 0
    reading.passages(
        parse(files[0], path=files[0].name), embedder.count_tokens, _FIELDS
    )  # dictionaries load once
    for file in files:
        begun = time.thread_time()
        try:
            document = parse(file, path=file.name)
        except ParseError:
            continue
        spent["parse"] += time.thread_time() - begun
        with _timed(spent):
            read = reading.passages(document, embedder.count_tokens, _FIELDS)
        documents, passages = documents + 1, passages + len(read.chunks)
        spent["embedding"] += _embedding(read, embedder)
    added = sum(spent[name] for name in ADDED)
    rest = sum(spent.values()) - added
    return {
        "documents": documents,
        "passages": passages,
        "ms": {name: 1000 * seconds for name, seconds in spent.items()},
        "added": added / rest,
        "added without embedding": added / (rest - spent["embedding"]),
    }


def _embedding(read: reading.Read, embedder: Embedder) -> float:
    if not read.chunks:
        return 0.0
    texts = [chunk.indexed_text for chunk in read.chunks[:: max(1, len(read.chunks) // _EMBEDDED)]]
    begun = time.process_time()
    embedder.embed_passages(texts)
    return (time.process_time() - begun) * len(read.chunks) / len(texts)


@contextmanager
def _timed(spent: dict[str, float]) -> Iterator[None]:
    def wrapped(part: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            begun = time.thread_time()
            try:
                return function(*arguments, **named)
            finally:
                spent[part] += time.thread_time() - begun

        return call

    with ExitStack() as stack:
        for part, names in _PARTS.items():
            for owner, name in names:
                stack.enter_context(patch.object(owner, name, wrapped(part, getattr(owner, name))))
        yield
