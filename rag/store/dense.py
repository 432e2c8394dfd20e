"""The dense leg: a FAISS index derived from the store's vectors, replaceable at any time.

A file is written under a temporary name, fsynced, renamed, and only then pointed to by a row in the store
that holds its vectors' generation and its SHA-256. What is absent, truncated, altered or of another
generation is built again from the store, and said so. Up to `FLAT_LIMIT` passages the search is exact over
the very float16 values that the store holds (measured at 50,000 x 384: 1.2 ms a query against 7 ms for
float32, and half the file); beyond that, IVF with 8-bit codes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rag.errors import IndexBusy, StorageError
from rag.files import sync
from rag.models.registry import sha256_file
from rag.store.schema import storage_errors
from rag.store.store import Store

if TYPE_CHECKING:
    from rag.store.writer import Writer

FLAT_LIMIT = 200_000
_TRAINING_ROWS = 100_000
_PROBED_LISTS = 32


class DenseIndex:
    """Vectors that can be searched. `generation` is the store's vectors generation it was made from;
    `rebuilt` says why it had to be built again ("" when its file was sound). Safe to search from several
    threads."""

    def __init__(self, store: Store, index: Any, generation: int, rebuilt: str = "") -> None:
        self._store = store
        self._index = index
        self.generation = generation
        self.rebuilt = rebuilt

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def search(
        self, vector: NDArray[np.float32], k: int, *, allowed: NDArray[np.int64] | None = None
    ) -> list[tuple[int, float]]:
        """(chunk id, cosine) of the nearest `k` passages, best first; only `allowed` ids when given. `vector`
        is (dimension,) and L2-normalised."""
        count = min(k, len(self) if allowed is None else len(allowed))
        if count < 1 or not len(self):
            return []
        query = np.ascontiguousarray(vector, dtype=np.float32)[None, :]
        with _one_thread():
            scores, ids = self._index.search(query, count, params=self._parameters(allowed))
        return [(int(i), float(s)) for i, s in zip(ids[0], scores[0], strict=True) if i >= 0]

    def _parameters(self, allowed: NDArray[np.int64] | None) -> Any:
        import faiss

        ivf = isinstance(self._index, faiss.IndexIVF)
        parameters: Any = faiss.SearchParametersIVF() if ivf else faiss.SearchParameters()
        if ivf:
            parameters.nprobe = _PROBED_LISTS
        if allowed is not None:
            parameters.sel = faiss.IDSelectorBatch(np.ascontiguousarray(allowed, np.int64))
        return parameters

    def cosines(self, vector: NDArray[np.float32], chunk_ids: Sequence[int]) -> dict[int, float]:
        """Exact cosines of given passages, from the store; passages without a vector are left out."""
        if not len(chunk_ids):
            return {}
        matrix = self._store.vectors(chunk_ids)
        scores = matrix @ np.asarray(vector, dtype=np.float32)
        present = np.count_nonzero(matrix, axis=1) > 0
        return {int(i): float(s) for i, s, p in zip(chunk_ids, scores, present, strict=True) if p}


def open_dense(store: Store) -> DenseIndex:
    """The FAISS index of the store as it is now. A rebuilt one is saved unless somebody writes to the index
    or the disk does not allow it; it serves from memory all the same."""
    generation = store.vectors_generation()
    index, reason = _load(store, generation)
    if index is None:
        index = _build(store)
        try:
            with store.writing() as writer:
                if writer.vectors_generation() == generation:
                    _save(index, generation, writer)
        except (IndexBusy, StorageError):
            pass
    return DenseIndex(store, index, generation, reason)


def save_dense(store: Store, writer: Writer) -> None:
    """Brings the FAISS file up to the store's vectors; does nothing when it is. Raises StorageError when the
    disk is full (the store is not touched)."""
    generation = writer.vectors_generation()
    if file_problem(store, generation):
        _save(_build(store), generation, writer)


def file_problem(store: Store, generation: int, *, thorough: bool = False) -> str:
    """What is wrong with the FAISS file, in words; "" when it is sound. The SHA-256 is computed only when
    size or modification time differ from those recorded, or when `thorough` (0.5 s per GB)."""
    pointer = store.dense_file()
    if pointer is None:
        return "there was no FAISS file yet"
    made_from, name, sha256, size, mtime_ns = pointer
    if made_from != generation:
        return f"the FAISS file was of generation {made_from}, the vectors are of generation {generation}"
    path = store.folder / name
    try:
        stat = path.stat()
    except FileNotFoundError:
        return f"the FAISS file {name} was absent"
    if stat.st_size != size:
        return f"the FAISS file {name} had {stat.st_size} bytes instead of {size}"
    if (thorough or stat.st_mtime_ns != mtime_ns) and sha256_file(path) != sha256:
        return f"the FAISS file {name} had another SHA-256 than the one recorded"
    return ""


@contextmanager
def _one_thread() -> Iterator[None]:
    """One query is too little work to share: two OpenMP threads on busy cores took 10 ms where one took
    2.5."""
    import faiss

    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(threads)


def _load(store: Store, generation: int) -> tuple[Any, str]:
    import faiss

    if not generation:  # no vector was ever written
        return _empty(store.manifest().dimension), ""
    problem = file_problem(store, generation)
    if problem:
        return None, problem
    pointer = store.dense_file()
    assert pointer is not None
    try:
        return faiss.read_index(str(store.folder / pointer[1]), faiss.IO_FLAG_MMAP_IFC), ""
    except RuntimeError as error:  # replaced between the check and the reading
        return None, f"the FAISS file could not be read ({str(error).splitlines()[0]})"


def _empty(dimension: int) -> Any:
    import faiss

    codes = faiss.IndexScalarQuantizer(dimension, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT)
    return faiss.IndexIDMap(codes)


def _build(store: Store) -> Any:
    """A new index over all vectors of the store, read in bounded batches."""
    count, dimension = store.count_vectors(), store.manifest().dimension
    index = _empty(dimension) if count <= FLAT_LIMIT else _trained(store, count, dimension)
    for ids, matrix in store.iter_vectors():
        index.add_with_ids(matrix.astype(np.float32), ids)
    return index


def _trained(store: Store, count: int, dimension: int) -> Any:
    """An empty IVF index whose lists are fitted to an even sample of the vectors."""
    import faiss

    step = max(1, count // _TRAINING_ROWS)
    sample = np.concatenate([matrix[::step] for _, matrix in store.iter_vectors()]).astype(np.float32)
    lists = max(1, min(4 * int(count**0.5), len(sample) // 39))
    index = faiss.IndexIVFScalarQuantizer(
        faiss.IndexFlatIP(dimension),
        dimension,
        lists,
        faiss.ScalarQuantizer.QT_8bit,
        faiss.METRIC_INNER_PRODUCT,
    )
    index.train(sample)
    return index


def _save(index: Any, generation: int, writer: Writer) -> None:
    import faiss

    name = f"dense-{generation}.faiss"
    path, temporary = writer.folder / name, writer.folder / f"{name}.tmp"
    try:
        with storage_errors(path):
            faiss.write_index(index, str(temporary))
            sha256 = sha256_file(temporary)
            sync(temporary)
            temporary.replace(path)
            sync(writer.folder)
            stat = path.stat()
    except RuntimeError as error:  # FAISS's own writer on a full disk
        raise StorageError(
            f"{path} could not be written ({str(error).splitlines()[0]}). Texts and vectors are safe. "
            "Free some space, then "
            "run the same command again."
        ) from error
    finally:
        temporary.unlink(missing_ok=True)
    writer.put_dense_file(generation, name, sha256, stat.st_size, stat.st_mtime_ns)
    for old in writer.folder.glob("dense-*.faiss*"):
        if old.name != name:
            old.unlink(missing_ok=True)
