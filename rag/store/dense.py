"""The dense leg: the vectors of an index, and a FAISS index derived from them, replaceable at any time.

A FAISS file is written under a temporary name, fsynced, renamed, and only then pointed to by a row in the
store that holds its vectors' generation and its SHA-256. What is absent, truncated, altered or of another
generation is built again from the store, and said so. The search is exact over the very float16 values that
the store holds (measured at 50,000 x 384: 1.2 ms a query against 7 ms for float32, and half the file)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rag.errors import IndexBusy, StorageError
from rag.files import replacing
from rag.models.registry import sha256_file
from rag.store.documents import Documents
from rag.store.schema import DenseFile, SentenceVectors, listed, storage_errors

if TYPE_CHECKING:
    from rag.store.writer import Writer


class VectorSpace:
    """The vectors of an open index; `info` is the embedder that made them."""

    def __init__(self, index: Documents) -> None:
        self.index = index
        self.info = index.manifest().space.info

    def _value(self, query: str) -> Any:
        return self.index.rows(query)[0][0]

    def generation(self) -> int:
        """Grows with every commit that adds or removes a vector: the generation that FAISS files are made
        from."""
        return int(self._value("SELECT generation FROM spaces"))

    def file(self) -> DenseFile | None:
        """The committed FAISS file."""
        file = self._value("SELECT file FROM spaces")
        return DenseFile(*json.loads(file)[:3]) if file else None

    def count(self) -> int:
        """Passages that have a vector."""
        return int(self._value("SELECT count(*) FROM vectors"))

    def count_pending(self) -> int:
        """Passages that wait for a vector."""
        return int(self._value("SELECT count(*) FROM pending"))

    def pending(self, limit: int) -> list[tuple[int, str]]:
        """(chunk id, text to embed) of passages that wait for a vector, by id."""
        found = self.index.rows("SELECT chunk_id FROM pending ORDER BY chunk_id LIMIT ?", (limit,))
        passages = self.index.chunks([i for (i,) in found])
        return [(chunk_id, chunk.indexed_text) for chunk_id, _, chunk in passages]

    def vectors(self, chunk_ids: Sequence[int]) -> NDArray[np.float32]:
        """(n, dimension) in the order asked; a row of zeros where a passage has no vector (yet)."""
        matrix = np.zeros((len(chunk_ids), self.info.dimension), dtype=np.float32)
        found = self._blobs("vectors", chunk_ids)
        present = [row for row, chunk_id in enumerate(chunk_ids) if int(chunk_id) in found]
        if present:
            joined = b"".join(found[int(chunk_ids[row])] for row in present)
            matrix[present] = np.frombuffer(joined, dtype="<f2").reshape(len(present), -1)
        return matrix

    def sentences(self, chunk_ids: Sequence[int]) -> Mapping[int, SentenceVectors]:
        """The vectors of the sentences of these passages, by chunk id; those without any are left out."""
        found = self._blobs("sentences", chunk_ids)
        return {i: SentenceVectors.unpack(blob, self.info.dimension) for i, blob in found.items()}

    def _blobs(self, table: str, chunk_ids: Sequence[int]) -> dict[int, bytes]:
        query = f"SELECT chunk_id, vector FROM {table} WHERE chunk_id IN (SELECT value FROM json_each(?))"
        return dict(self.index.rows(query, listed(chunk_ids)))

    def iter_vectors(self, batch: int = 8192) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float16]]]:
        """All vectors in batches of (ids, matrix), by id."""
        query = "SELECT chunk_id, vector FROM vectors WHERE chunk_id > ? ORDER BY chunk_id LIMIT ?"
        last = -1
        while found := self.index.rows(query, (last, batch)):
            matrix = np.frombuffer(b"".join(vector for _, vector in found), dtype="<f2")
            yield np.array([i for i, _ in found], dtype=np.int64), matrix.reshape(len(found), -1)
            last = found[-1][0]


class DenseIndex:
    """Vectors that can be searched. `generation` is that of the vectors it was made from;
    `rebuilt` says why it had to be built again ("" when its file was sound). Safe to search from several
    threads."""

    def __init__(self, space: VectorSpace, index: Any, generation: int, rebuilt: str = "") -> None:
        self._space = space
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
        import faiss

        query = np.ascontiguousarray(vector, dtype=np.float32)[None, :]
        parameters: Any = faiss.SearchParameters()
        if allowed is not None:
            parameters.sel = faiss.IDSelectorBatch(np.ascontiguousarray(allowed, np.int64))
        # Too little work to share: two threads of this one on busy cores took 10 ms where one took 2.5.
        faiss.omp_set_num_threads(1)
        scores, ids = self._index.search(query, count, params=parameters)
        return [(int(i), float(s)) for i, s in zip(ids[0], scores[0], strict=True) if i >= 0]

    def cosines(self, vector: NDArray[np.float32], chunk_ids: Sequence[int]) -> dict[int, float]:
        """Exact cosines of given passages, from the store; passages without a vector are left out."""
        if not len(chunk_ids):
            return {}
        matrix = self._space.vectors(chunk_ids)
        scores = matrix @ np.asarray(vector, dtype=np.float32)
        present = np.count_nonzero(matrix, axis=1) > 0
        return {int(i): float(s) for i, s, p in zip(chunk_ids, scores, present, strict=True) if p}


def open_dense(space: VectorSpace) -> DenseIndex:
    """The FAISS index of the vectors as they are now. A rebuilt one is saved unless somebody writes to the
    index or the disk does not allow it; it serves from memory all the same."""
    generation = space.generation()
    index, reason = _load(space, generation)
    if index is None:
        index = _build(space)
        try:
            with space.index.writing() as writer:
                if space.generation() == generation:
                    _save(index, generation, writer)
        except (IndexBusy, StorageError):
            pass
    return DenseIndex(space, index, generation, reason)


def save_dense(space: VectorSpace, writer: Writer) -> None:
    """Brings the FAISS file up to the vectors; does nothing where `file_problem` finds it sound.
    Raises StorageError when the disk is full (the store is not touched)."""
    generation = space.generation()
    if file_problem(space, generation):
        _save(_build(space), generation, writer)


def file_problem(space: VectorSpace, generation: int) -> str:
    """What is wrong with the FAISS file, in words; "" when it is sound. Its SHA-256 costs 0.5 s per GB."""
    file = space.file()
    if file is None:
        return "there was no FAISS file yet"
    if file.generation != generation:
        return f"the FAISS file was of generation {file.generation}, the vectors are of {generation}"
    path = space.index.folder / file.name
    try:
        same = sha256_file(path) == file.sha256
    except FileNotFoundError:
        return f"the FAISS file {file.name} was absent"
    return "" if same else f"the FAISS file {file.name} had another SHA-256 than the one recorded"


def _load(space: VectorSpace, generation: int) -> tuple[Any, str]:
    import faiss

    if not generation:  # no vector was ever written
        return _empty(space.info.dimension), ""
    problem, file = file_problem(space, generation), space.file()
    if problem or file is None:
        return None, problem
    try:
        return faiss.read_index(str(space.index.folder / file.name), faiss.IO_FLAG_MMAP_IFC), ""
    except RuntimeError as error:  # replaced between the check and the reading
        return None, f"the FAISS file could not be read ({str(error).splitlines()[0]})"


def _empty(dimension: int) -> Any:
    import faiss

    codes = faiss.IndexScalarQuantizer(dimension, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT)
    return faiss.IndexIDMap(codes)


def _build(space: VectorSpace) -> Any:
    """A new index over all vectors, read in bounded batches."""
    index = _empty(space.info.dimension)
    for ids, matrix in space.iter_vectors():
        index.add_with_ids(matrix.astype(np.float32), ids)
    return index


def _save(index: Any, generation: int, writer: Writer) -> None:
    import faiss

    name = f"dense-0-{generation}.faiss"
    path = writer.folder / name
    try:
        with storage_errors(path), replacing(path) as temporary:
            faiss.write_index(index, str(temporary))
            sha256 = sha256_file(temporary)
    except RuntimeError as error:  # FAISS's own writer on a full disk
        raise StorageError(
            f"{path} could not be written ({str(error).splitlines()[0]}). Texts and vectors are safe. "
            "Free some space, then run the same command again."
        ) from error
    writer.put_dense_file(DenseFile(generation, name, sha256))
    for old in writer.folder.glob("*dense-*.faiss*"):
        if old.name != name:
            old.unlink(missing_ok=True)
