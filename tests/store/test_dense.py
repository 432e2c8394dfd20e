"""The dense leg: exact over what the store holds, and built again whenever its file cannot be trusted."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from rag.config import default_cache_dir
from rag.errors import StorageError
from rag.languages.text import sentences
from rag.models.embedder import load_embedder
from rag.store.dense import open_dense, save_dense
from rag.store.schema import SentenceVectors, Space
from rag.store.store import Store
from tests.fakes import FakeEmbedder
from tests.indexing import LEASE, document, manifest, put


@pytest.fixture
def store(tmp_path: Path):
    with Store.create(tmp_path / "index", manifest()) as opened:
        put(
            opened, *(document(f"{n}.pdf", [f"Topic {n} and word {n * 7}."]) for n in range(40)), vectors=True
        )
        yield opened


def faiss_file(store: Store) -> Path:
    (path,) = store.folder.glob("dense-*.faiss")
    return path


def query(store: Store, chunk_id: int = 5) -> np.ndarray:
    vector = store.space.vectors([chunk_id])[0]
    return vector / np.linalg.norm(vector)


def all_ids(store: Store) -> list[int]:
    return [int(i) for ids, _ in store.space.iter_vectors(7) for i in ids]


def test_search_equals_brute_force_over_the_stored_vectors(store: Store) -> None:
    ids = all_ids(store)
    vector = query(store)
    scores = store.space.vectors(ids) @ vector
    found = open_dense(store.space).search(vector, 10)
    assert [s for _, s in found] == pytest.approx(sorted(scores, reverse=True)[:10], abs=1e-5)
    assert all(score == pytest.approx(float(scores[ids.index(i)]), abs=1e-5) for i, score in found)


def test_only_allowed_passages_are_found(store: Store) -> None:
    allowed = np.array([3, 9, 11, 10**6], dtype=np.int64)
    found = open_dense(store.space).search(query(store), 10, allowed=allowed)
    assert {i for i, _ in found} == {3, 9, 11}
    assert open_dense(store.space).search(query(store), 10, allowed=np.array([], dtype=np.int64)) == []


def test_cosines_of_given_passages_leave_out_those_without_a_vector(store: Store) -> None:
    put(store, document("new.pdf", ["Not embedded yet."]))
    pending = store.space.pending(1)[0][0]
    vector = query(store)
    cosines = open_dense(store.space).cosines(vector, [5, 6, pending])
    assert set(cosines) == {5, 6}
    assert cosines[6] == pytest.approx(float(store.space.vectors([6])[0] @ vector))
    assert open_dense(store.space).cosines(vector, []) == {}


def test_index_without_vectors_is_empty_and_nothing_was_rebuilt(tmp_path: Path) -> None:
    with Store.create(tmp_path, manifest()) as store:
        index = open_dense(store.space)
        assert (len(index), index.rebuilt) == (0, "")
        assert index.search(np.ones(64, np.float32), 3) == []


def test_sound_file_is_loaded_and_not_rebuilt(store: Store) -> None:
    first = open_dense(store.space)
    assert "no FAISS file yet" in first.rebuilt
    again = open_dense(store.space)
    assert again.rebuilt == ""
    assert again.search(query(store), 5) == first.search(query(store), 5)


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def alter(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-5] ^= 0xFF
    path.write_bytes(content)
    os.utime(path, ns=(1, 1))


@pytest.mark.parametrize(
    "harm, reason", [(Path.unlink, "absent"), (truncate, "another SHA-256"), (alter, "another SHA-256")]
)
def test_file_that_is_absent_truncated_or_altered_is_rebuilt_and_said_so(
    store: Store, harm: Callable[[Path], None], reason: str
) -> None:
    expected = open_dense(store.space).search(query(store), 5)
    harm(faiss_file(store))
    mended = open_dense(store.space)
    assert reason in mended.rebuilt
    assert mended.search(query(store), 5) == expected
    assert open_dense(store.space).rebuilt == ""


def test_file_of_another_generation_is_rebuilt_and_the_old_one_removed(store: Store) -> None:
    open_dense(store.space)
    old = faiss_file(store)
    put(store, document("new.pdf", ["Something quite different."]), vectors=True)
    index = open_dense(store.space)
    assert "generation" in index.rebuilt
    assert len(index) == 41
    assert faiss_file(store) != old


def test_file_of_another_index_under_the_right_name_is_not_believed(store: Store, tmp_path: Path) -> None:
    open_dense(store.space)
    with Store.create(tmp_path / "other", manifest()) as other:
        put(other, *(document(f"x{n}.pdf", [f"Foreign {n}."]) for n in range(40)), vectors=True)
        open_dense(other.space)
        faiss_file(other).replace(faiss_file(store))
    assert "SHA-256" in open_dense(store.space).rebuilt


def test_copied_index_is_opened_without_rebuilding(store: Store, tmp_path: Path) -> None:
    import shutil

    open_dense(store.space)
    shutil.copytree(store.folder, tmp_path / "copy", copy_function=shutil.copy)  # other modification times
    with Store.open(tmp_path / "copy") as copy:
        assert open_dense(copy.space).rebuilt == ""


def test_rebuilt_index_serves_although_somebody_writes(store: Store) -> None:
    with Store.open(store.folder) as reader, store.writing():
        assert len(open_dense(reader.space)) == 40
        assert list(store.folder.glob("dense-*")) == []
    assert open_dense(store.space).rebuilt  # nothing was saved then; now it is
    assert open_dense(store.space).rebuilt == ""


def test_failed_write_leaves_the_old_file_and_no_temporary_one(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    import faiss

    open_dense(store.space)
    before = faiss_file(store).read_bytes()
    put(store, document("new.pdf", ["More."]), vectors=True)

    def full(index: object, path: str) -> None:
        Path(path).write_bytes(b"half")
        raise RuntimeError("write error in ...: No space left on device")

    monkeypatch.setattr(faiss, "write_index", full)
    with pytest.raises(StorageError, match="Texts and vectors are safe"), store.writing() as writer:
        save_dense(store.space, writer)
    assert faiss_file(store).read_bytes() == before
    assert list(store.folder.glob("*.tmp")) == []
    assert len(open_dense(store.space)) == 41  # a reader still gets everything, from memory


def embed(store: Store) -> None:
    embedder = FakeEmbedder(dimension=store.space.info.dimension)
    with store.writing() as writer:
        while batch := store.space.pending(3):
            vectors = embedder.embed_passages([text for _, text in batch])
            with writer.transaction():
                writer.put_vectors([i for i, _ in batch], vectors)
        save_dense(store.space, writer)


def test_a_document_without_vectors_leaves_the_file_as_it_is(tmp_path: Path) -> None:
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
        assert open_dense(space).rebuilt == ""  # it lost nothing
        with store.writing() as writer, writer.transaction():
            writer.remove("/documents/a.md")
        assert "generation" in open_dense(space).rebuilt
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
