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
from rag.models.embedder import EmbedderInfo, load_embedder
from rag.store import dense
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
    vector = store.spaces[0].vectors([chunk_id])[0]
    return vector / np.linalg.norm(vector)


def all_ids(store: Store) -> list[int]:
    return [int(i) for ids, _ in store.spaces[0].iter_vectors(7) for i in ids]


def test_search_equals_brute_force_over_the_stored_vectors(store: Store) -> None:
    ids = all_ids(store)
    vector = query(store)
    scores = store.spaces[0].vectors(ids) @ vector
    found = open_dense(store.spaces[0]).search(vector, 10)
    assert [s for _, s in found] == pytest.approx(sorted(scores, reverse=True)[:10], abs=1e-5)
    assert all(score == pytest.approx(float(scores[ids.index(i)]), abs=1e-5) for i, score in found)


def test_only_allowed_passages_are_found(store: Store) -> None:
    allowed = np.array([3, 9, 11, 10**6], dtype=np.int64)
    found = open_dense(store.spaces[0]).search(query(store), 10, allowed=allowed)
    assert {i for i, _ in found} == {3, 9, 11}
    assert open_dense(store.spaces[0]).search(query(store), 10, allowed=np.array([], dtype=np.int64)) == []


def test_cosines_of_given_passages_leave_out_those_without_a_vector(store: Store) -> None:
    put(store, document("new.pdf", ["Not embedded yet."]))
    pending = store.spaces[0].pending(1)[0][0]
    vector = query(store)
    cosines = open_dense(store.spaces[0]).cosines(vector, [5, 6, pending])
    assert set(cosines) == {5, 6}
    assert cosines[6] == pytest.approx(float(store.spaces[0].vectors([6])[0] @ vector))
    assert open_dense(store.spaces[0]).cosines(vector, []) == {}


def test_index_without_vectors_is_empty_and_nothing_was_rebuilt(tmp_path: Path) -> None:
    with Store.create(tmp_path, manifest()) as store:
        index = open_dense(store.spaces[0])
        assert (len(index), index.rebuilt) == (0, "")
        assert index.search(np.ones(64, np.float32), 3) == []


def test_sound_file_is_loaded_and_not_rebuilt(store: Store) -> None:
    first = open_dense(store.spaces[0])
    assert "no FAISS file yet" in first.rebuilt
    again = open_dense(store.spaces[0])
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
    "harm, reason", [(Path.unlink, "absent"), (truncate, "bytes instead of"), (alter, "another SHA-256")]
)
def test_file_that_is_absent_truncated_or_altered_is_rebuilt_and_said_so(
    store: Store, harm: Callable[[Path], None], reason: str
) -> None:
    expected = open_dense(store.spaces[0]).search(query(store), 5)
    harm(faiss_file(store))
    mended = open_dense(store.spaces[0])
    assert reason in mended.rebuilt
    assert mended.search(query(store), 5) == expected
    assert open_dense(store.spaces[0]).rebuilt == ""


def test_file_of_another_generation_is_rebuilt_and_the_old_one_removed(store: Store) -> None:
    open_dense(store.spaces[0])
    old = faiss_file(store)
    put(store, document("new.pdf", ["Something quite different."]), vectors=True)
    index = open_dense(store.spaces[0])
    assert "generation" in index.rebuilt
    assert len(index) == 41
    assert faiss_file(store) != old


def test_file_of_another_index_under_the_right_name_is_not_believed(store: Store, tmp_path: Path) -> None:
    open_dense(store.spaces[0])
    with Store.create(tmp_path / "other", manifest()) as other:
        put(other, *(document(f"x{n}.pdf", [f"Foreign {n}."]) for n in range(40)), vectors=True)
        open_dense(other.spaces[0])
        faiss_file(other).replace(faiss_file(store))
    assert "SHA-256" in open_dense(store.spaces[0]).rebuilt


def test_copied_index_is_opened_without_rebuilding(store: Store, tmp_path: Path) -> None:
    import shutil

    open_dense(store.spaces[0])
    shutil.copytree(store.folder, tmp_path / "copy", copy_function=shutil.copy)  # other modification times
    with Store.open(tmp_path / "copy") as copy:
        assert open_dense(copy.spaces[0]).rebuilt == ""


def test_rebuilt_index_serves_although_somebody_writes(store: Store) -> None:
    with Store.open(store.folder) as reader, store.writing():
        assert len(open_dense(reader.spaces[0])) == 40
        assert list(store.folder.glob("dense-*")) == []
    assert open_dense(store.spaces[0]).rebuilt  # nothing was saved then; now it is
    assert open_dense(store.spaces[0]).rebuilt == ""


def test_failed_write_leaves_the_old_file_and_no_temporary_one(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    import faiss

    open_dense(store.spaces[0])
    before = faiss_file(store).read_bytes()
    put(store, document("new.pdf", ["More."]), vectors=True)

    def full(index: object, path: str) -> None:
        Path(path).write_bytes(b"half")
        raise RuntimeError("write error in ...: No space left on device")

    monkeypatch.setattr(faiss, "write_index", full)
    with pytest.raises(StorageError, match="Texts and vectors are safe"), store.writing() as writer:
        save_dense(store.spaces[0], writer)
    assert faiss_file(store).read_bytes() == before
    assert list(store.folder.glob("*.tmp")) == []
    assert len(open_dense(store.spaces[0])) == 41  # a reader still gets everything, from memory


def two_spaces(folder: Path) -> Store:
    """An index of two embedders: the second makes vectors of 32 components, and knows Chinese alone."""
    spaces = (
        Space(EmbedderInfo("first", "f" * 64, 64, 256, ("*",))),
        Space(EmbedderInfo("second", "0" * 64, 32, 512, ("zh",)), "other"),
    )
    return Store.create(folder, manifest(spaces=spaces))


def embed(store: Store, number: int) -> None:
    space = store.spaces[number]
    embedder = FakeEmbedder(dimension=space.info.dimension)
    with store.writing() as writer:
        while batch := space.pending(3):
            vectors = embedder.embed_passages([text for _, text in batch])
            with writer.transaction():
                writer.put_vectors([i for i, _ in batch], vectors, space=number)
        save_dense(space, writer)


def test_each_space_has_its_vectors_its_waiting_passages_and_its_file(tmp_path: Path) -> None:
    with two_spaces(tmp_path) as store:
        first, second = store.spaces
        put(store, document("a.md", ["One.", "Two."]), spaces=(0, 1))
        put(store, document("b.md", ["Three."]), spaces=(0,))
        assert (first.count_pending(), second.count_pending()) == (2, 1)
        embed(store, 1)
        assert (first.count(), second.count(), first.count_pending()) == (0, 1, 2)
        assert (first.generation(), second.generation()) == (0, 1)
        embed(store, 0)
        assert first.vectors([1, 2]).shape == (2, 64) and second.vectors([1, 2]).shape == (2, 32)
        assert first.vectors([2]).any() and not second.vectors([2]).any()
        assert [len(open_dense(space)) for space in store.spaces] == [2, 1]
        assert len(list(tmp_path.glob("dense-*.faiss"))) == 2
        with store.writing() as writer, writer.transaction():
            writer.remove("/documents/b.md")
        assert open_dense(second).rebuilt == ""  # it lost nothing
        assert "generation" in open_dense(first).rebuilt
        assert store.problems() == []


def test_an_update_keeps_the_vectors_of_every_space_and_of_the_sentences(tmp_path: Path) -> None:
    with two_spaces(tmp_path) as store:
        clauses = [f"Clause {n} says {'much ' * 100}." for n in range(10)]
        put(store, document("a.md", clauses), spaces=(0, 1))
        embed(store, 0)
        embed(store, 1)
        vectors = np.eye(2, 32, dtype=np.float32)
        with store.writing() as writer, writer.transaction():
            writer.put_sentences(1, SentenceVectors.of([(0, 5), (6, 9)], vectors), space=1)
            writer.put_sentences(2, SentenceVectors.of([], vectors[:0]), space=1)
            writer.put_sentences(99, SentenceVectors.of([(0, 5)], vectors[:1]), space=1)
        put(store, document("a.md", [*clauses[:9], "Another."]), spaces=(0, 1))
        kept = [i for i, _, _ in store.document_chunks(2)]
        assert 0 < store.spaces[1].count_pending() == store.spaces[0].count_pending() < len(kept)
        held = store.spaces[1].sentences(kept)
        assert list(held) == kept[:2] and len(held[kept[1]].rows) == 0
        assert np.allclose(held[kept[0]].cosines(vectors[1]), [0, 1])
        assert store.spaces[0].sentences(kept) == {}
        assert store.problems() == []


@pytest.mark.models
def test_sentences_are_ranked_from_a_byte_a_component_as_the_embedder_ranks_them(tmp_path: Path) -> None:
    embedder = load_embedder(cache_dir=default_cache_dir())
    text = LEASE.replace("#", "").strip() + "\n\nRent is due on the first of a month. No pets are allowed."
    with Store.create(tmp_path, manifest(spaces=(Space(embedder.info),))) as store:
        put(store, document("lease.md", [text]))
        ((chunk_id, _, chunk),) = store.document_chunks(1)
        spans = [(s.start, s.end) for s in sentences(chunk.text)]
        exact = embedder.embed_passages([chunk.text[start:end] for start, end in spans])
        with store.writing() as writer, writer.transaction():
            writer.put_vectors([chunk_id], embedder.embed_passages([chunk.indexed_text]))
            writer.put_sentences(chunk_id, SentenceVectors.of(spans, exact))
        held = store.spaces[0].sentences([chunk_id, 77])
        assert list(held) == [chunk_id]
        rows = held[chunk_id].rows
        assert [(int(row["start"]), int(row["end"])) for row in rows] == spans
        assert len(spans) > 3 and rows.nbytes < len(spans) * (embedder.info.dimension + 16)
        for question in ("How long is the notice period?", "May I keep a dog?", "When is the rent due?"):
            query = embedder.embed_query(question)
            near, cosines = held[chunk_id].cosines(query), exact @ query
            assert np.abs(near - cosines).max() < 0.01
            assert list(np.argsort(near)) == list(np.argsort(cosines))


def test_beyond_the_limit_lists_are_used_and_the_nearest_is_still_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import faiss

    monkeypatch.setattr(dense, "FLAT_LIMIT", 200)
    with Store.create(tmp_path, manifest()) as store:
        put(store, *(document(f"{n}.pdf", [f"alpha{n} beta{n * 3} gamma{n % 11}"]) for n in range(500)))
        rows = np.random.default_rng(0).standard_normal((500, 64)).astype(np.float32)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        with store.writing() as writer, writer.transaction():
            writer.put_vectors([i for i, _ in store.spaces[0].pending(500)], rows)
        open_dense(store.spaces[0])
        index = open_dense(store.spaces[0])
        assert index.rebuilt == ""
        assert isinstance(index._index, faiss.IndexIVF)
        ids = all_ids(store)
        for row in (0, 123, 499):
            ((nearest, score),) = index.search(rows[row], 1)
            assert (nearest, score) == (ids[row], pytest.approx(1.0, abs=0.02))
        allowed = np.array(ids[10:20], dtype=np.int64)
        assert {i for i, _ in index.search(rows[0], 5, allowed=allowed)} <= set(ids[10:20])
