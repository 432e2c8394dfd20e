"""The dense leg: exact over what the store holds, in memory alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rag.config import default_cache_dir
from rag.languages.text import sentences
from rag.models.embedder import load_embedder
from rag.store.schema import SentenceVectors, Space
from rag.store.store import DenseIndex, Store
from tests.fakes import FakeEmbedder
from tests.indexing import LEASE, document, manifest, put


@pytest.fixture
def store(tmp_path: Path):
    with Store.create(tmp_path / "index", manifest()) as opened:
        put(
            opened, *(document(f"{n}.pdf", [f"Topic {n} and word {n * 7}."]) for n in range(40)), vectors=True
        )
        yield opened


def query(store: Store, chunk_id: int = 5) -> np.ndarray:
    vector = store.space.vectors([chunk_id])[0]
    return vector / np.linalg.norm(vector)


def all_ids(store: Store) -> list[int]:
    return [int(i) for ids, _ in store.space.iter_vectors(7) for i in ids]


def test_search_equals_brute_force_over_the_stored_vectors(store: Store) -> None:
    ids = all_ids(store)
    vector = query(store)
    scores = store.space.vectors(ids) @ vector
    found = DenseIndex(store.space).search(vector, 10)
    assert [s for _, s in found] == pytest.approx(sorted(scores, reverse=True)[:10], abs=1e-5)
    assert all(score == pytest.approx(float(scores[ids.index(i)]), abs=1e-5) for i, score in found)


def test_only_allowed_passages_are_found(store: Store) -> None:
    allowed = np.array([3, 9, 11, 10**6], dtype=np.int64)
    found = DenseIndex(store.space).search(query(store), 10, allowed=allowed)
    assert {i for i, _ in found} == {3, 9, 11}
    assert DenseIndex(store.space).search(query(store), 10, allowed=np.array([], dtype=np.int64)) == []


def test_cosines_of_given_passages_leave_out_those_without_a_vector(store: Store) -> None:
    put(store, document("new.pdf", ["Not embedded yet."]))
    pending = store.space.pending(1)[0][0]
    vector = query(store)
    cosines = DenseIndex(store.space).cosines(vector, [5, 6, pending])
    assert set(cosines) == {5, 6}
    assert cosines[6] == pytest.approx(float(store.space.vectors([6])[0] @ vector))
    assert DenseIndex(store.space).cosines(vector, []) == {}


def test_index_without_vectors_is_empty(tmp_path: Path) -> None:
    with Store.create(tmp_path, manifest()) as store:
        index = DenseIndex(store.space)
        assert (len(index), index.generation) == (0, 0)
        assert index.search(np.ones(64, np.float32), 3) == []


def test_an_index_is_of_the_vectors_as_they_were(store: Store) -> None:
    before = DenseIndex(store.space)
    put(store, document("new.pdf", ["Something quite different."]), vectors=True)
    after = DenseIndex(store.space)
    assert (len(before), len(after)) == (40, 41)
    assert before.generation < after.generation == store.space.generation()


def test_it_can_be_had_while_somebody_writes_and_leaves_no_file(store: Store) -> None:
    with Store.open(store.folder) as reader, store.writing():
        assert len(DenseIndex(reader.space)) == 40
    assert not list(store.folder.glob("*.faiss"))


def embed(store: Store) -> None:
    embedder = FakeEmbedder(dimension=store.space.info.dimension)
    with store.writing() as writer:
        while batch := store.space.pending(3):
            vectors = embedder.embed_passages([text for _, text in batch])
            with writer.transaction():
                writer.put_vectors([i for i, _ in batch], vectors)


def test_a_document_without_vectors_leaves_their_generation_as_it_is(tmp_path: Path) -> None:
    with Store.create(tmp_path, manifest()) as store:
        put(store, document("a.md", ["One.", "Two."]))
        put(store, document("b.md", ["Three."]), embedded=False)
        space = store.space
        assert (space.count(), space.count_pending(), space.generation()) == (0, 1, 0)
        embed(store)
        assert (space.count(), space.count_pending(), space.generation()) == (1, 0, 1)
        assert space.vectors([1]).any() and not space.vectors([2]).any()
        with store.writing() as writer, writer.transaction():
            writer.remove("/documents/b.md")
        assert space.generation() == 1  # no vector was lost
        with store.writing() as writer, writer.transaction():
            writer.remove("/documents/a.md")
        assert (space.generation(), len(DenseIndex(space))) == (2, 0)
        assert store.problems() == []


def test_an_update_keeps_the_vectors_of_passages_and_of_their_sentences(tmp_path: Path) -> None:
    with Store.create(tmp_path, manifest()) as store:
        clauses = [f"Clause {n} says {'much ' * 100}." for n in range(10)]
        put(store, document("a.md", clauses))
        embed(store)
        vectors = np.eye(2, 64, dtype=np.float32)
        with store.writing() as writer, writer.transaction():
            writer.put_sentences(1, SentenceVectors.of([(0, 5), (6, 9)], vectors))
            writer.put_sentences(2, SentenceVectors.of([], vectors[:0]))
            writer.put_sentences(99, SentenceVectors.of([(0, 5)], vectors[:1]))
        put(store, document("a.md", [*clauses[:9], "Another."]))
        kept = [i for i, _, _ in store.document_chunks(2)]
        assert 0 < store.space.count_pending() < len(kept)
        held = store.space.sentences(kept)
        assert list(held) == kept[:2] and len(held[kept[1]].rows) == 0
        assert np.allclose(held[kept[0]].cosines(vectors[1]), [0, 1])
        assert store.problems() == []


@pytest.mark.models
def test_sentences_are_ranked_from_a_byte_a_component_as_the_embedder_ranks_them(tmp_path: Path) -> None:
    embedder = load_embedder(cache_dir=default_cache_dir())
    text = LEASE.replace("#", "").strip() + "\n\nRent is due on the first of a month. No pets are allowed."
    with Store.create(tmp_path, manifest(space=Space(embedder.info))) as store:
        put(store, document("lease.md", [text]))
        ((chunk_id, _, chunk),) = store.document_chunks(1)
        spans = [(s.start, s.end) for s in sentences(chunk.text)]
        exact = embedder.embed_passages([chunk.text[start:end] for start, end in spans])
        with store.writing() as writer, writer.transaction():
            writer.put_vectors([chunk_id], embedder.embed_passages([chunk.indexed_text]))
            writer.put_sentences(chunk_id, SentenceVectors.of(spans, exact))
        held = store.space.sentences([chunk_id, 77])
        assert list(held) == [chunk_id]
        rows = held[chunk_id].rows
        assert [(int(row["start"]), int(row["end"])) for row in rows] == spans
        assert len(spans) > 3 and rows.nbytes < len(spans) * (embedder.info.dimension + 16)
        for question in ("How long is the notice period?", "May I keep a dog?", "When is the rent due?"):
            query = embedder.embed_query(question)
            near, cosines = held[chunk_id].cosines(query), exact @ query
            assert np.abs(near - cosines).max() < 0.01
            assert list(np.argsort(near)) == list(np.argsort(cosines))
