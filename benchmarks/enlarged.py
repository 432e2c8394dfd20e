"""An index of a given number of passages, through the store's own writer.

The first passages are embedded; the vectors of the others are those of the first, moved by noise: to embed
65,000 passages takes half an hour, and a flat search costs the same whatever the vectors say."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from synthetic import Text

from rag.index import Index
from rag.parsers import parse
from rag.store.reading import Read, passages
from rag.store.schema import SentenceVectors
from rag.store.writer import FileState, Writer
from rag.types import Document

_TOGETHER = 20
_NOISE = 0.03


def parsed(texts: Iterable[Text]) -> Iterator[Document]:
    """The documents as the Markdown parser reads them."""
    with tempfile.TemporaryDirectory() as folder:
        for text in texts:
            file = Path(folder) / Path(text.path).name
            file.write_text(text.markdown, encoding="utf-8")
            yield parse(file, path=text.path)
            file.unlink()


class Growing:
    """An index that grows to the sizes asked for, one after the other. `real` passages are embedded, none
    where `embed` is False; vectors of the others are made of theirs."""

    def __init__(self, index: Index, documents: Iterator[Document], *, embed: bool, real: int) -> None:
        self.index = index
        self._documents = documents
        self._embed = embed
        self._real = real
        self._base: list[NDArray[np.float32]] = []
        self._noise = np.random.default_rng(7)
        self._counter = index.embedder.count_tokens

    def _read(self, document: Document) -> Read:
        return passages(document, self._counter, self.index.fields)

    def grow(self, size: int) -> int:
        """At least `size` passages, or all documents; the number reached."""
        held = self.index.store.passages()
        with self._writing() as writer:
            while held < size and (some := list(islice(self._documents, _TOGETHER))):
                held += self._put(writer, [self._read(document) for document in some])
        return self.index.store.passages()

    def add(self, documents: Sequence[Document]) -> None:
        """These documents, whatever the size."""
        with self._writing() as writer:
            for start in range(0, len(documents), _TOGETHER):
                some = documents[start : start + _TOGETHER]
                self._put(writer, [self._read(document) for document in some])

    @contextmanager
    def _writing(self) -> Iterator[Writer]:
        with self.index.store.writing() as writer:
            yield writer
            writer.resolve_relations()
            writer.shrink()

    def _put(self, writer: Writer, reads: list[Read]) -> int:
        new: list[tuple[int, str]] = []
        with writer.transaction():
            for read in reads:
                assert read.document is not None
                file = FileState(read.document.source, read.document.path, len(read.document.text), 1)
                document = writer.put_document(
                    file, read.document, read.chunks, read.tokens, embedded=self._embed
                )
                new += [(document, chunk.indexed_text) for chunk in read.chunks]
        if self._embed:
            documents = dict.fromkeys(document for document, _ in new)
            ids = [i for d in documents for i, _, _ in self.index.store.document_chunks(d)]
            vectors = self._vectors([text for _, text in new])
            with writer.transaction():
                writer.put_vectors(ids, vectors)
                if self.index.embedder.info.cosines:
                    self._put_sentences(writer, ids, vectors)
        return len(new)

    def _put_sentences(self, writer: Writer, ids: Sequence[int], vectors: NDArray[np.float32]) -> None:
        """As ingest keeps them; the vectors are those of the passages, moved by noise."""
        store = self.index.store
        found = {i: (document, chunk) for i, document, chunk in store.chunks(ids)}
        for i, vector in zip(ids, vectors, strict=True):
            starts = store.sentence_starts(*found[i])
            spans = list(pairwise([*starts, len(found[i][1].text)])) if starts else []
            moved = vector + self._noise.normal(0, _NOISE, (len(spans), len(vector)))
            moved /= np.linalg.norm(moved, axis=1, keepdims=True)
            writer.put_sentences(i, SentenceVectors.of(spans, moved.astype(np.float32)))

    def _vectors(self, texts: list[str]) -> NDArray[np.float32]:
        if sum(map(len, self._base)) < self._real:
            self._base.append(self.index.embedder.embed_passages(texts))
            return self._base[-1]
        base: Any = np.concatenate(self._base)
        chosen = base[self._noise.integers(len(base), size=len(texts))]
        moved = chosen + self._noise.normal(0, _NOISE, chosen.shape)
        return (moved / np.linalg.norm(moved, axis=1, keepdims=True)).astype(np.float32)
