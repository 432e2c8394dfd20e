"""The dense leg: exact over what the store holds, and built again whenever its file cannot be trusted."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from rag.errors import StorageError
from rag.store import dense
from rag.store.dense import open_dense, save_dense
from rag.store.store import Store
from tests.indexing import document, manifest, put


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
