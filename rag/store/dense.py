"""The dense leg: the vectors of an index, space by space, and a FAISS index derived from each space,
replaceable at any time.

A FAISS file is written under a temporary name, fsynced, renamed, and only then pointed to by a row in the
store that holds its vectors' generation and its SHA-256. What is absent, truncated, altered or of another
generation is built again from the store, and said so. Up to `FLAT_LIMIT` passages the search is exact over
the very float16 values that the store holds (measured at 50,000 x 384: 1.2 ms a query against 7 ms for
float32, and half the file); beyond that, IVF with 8-bit codes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rag.errors import IndexBusy, StorageError
from rag.files import sync
from rag.models.registry import sha256_file
from rag.store.documents import Documents
from rag.store.schema import DenseFile, SentenceVectors, listed, storage_errors

if TYPE_CHECKING:
    from rag.store.writer import Writer

FLAT_LIMIT = 200_000
_TRAINING_ROWS = 100_000
_PROBED_LISTS = 32


class VectorSpace:
    """The vectors that one embedder made of an open index: `number` is its place in the manifest, `info`
    what it is."""

    def __init__(self, index: Documents, number: int) -> None:
        self.index = index
        self.number = number
        self.info = index.manifest().spaces[number].info

    def _rows(self, query: str, *values: object) -> list[Any]:
        """What a query gives whose first value is the space."""
        return self.index.rows(query, (self.number, *values))

    def generation(self) -> int:
        """Grows with every commit that adds or removes a vector: the generation that FAISS files are made
        from."""
        return int(self._rows("SELECT generation FROM spaces WHERE id = ?")[0][0])

    def file(self) -> DenseFile | None:
        """The committed FAISS file."""
        ((file,),) = self._rows("SELECT file FROM spaces WHERE id = ?")
        return DenseFile(*json.loads(file)) if file else None

    def count(self) -> int:
        """Passages that have a vector."""
        return int(self._rows("SELECT count(*) FROM vectors WHERE space = ?")[0][0])

    def count_pending(self) -> int:
        """Passages that wait for a vector."""
        return int(self._rows("SELECT count(*) FROM pending WHERE space = ?")[0][0])

    def pending(self, limit: int) -> list[tuple[int, str]]:
        """(chunk id, text to embed) of passages that wait for a vector, by id."""
        found = self._rows("SELECT chunk_id FROM pending WHERE space = ? ORDER BY chunk_id LIMIT ?", limit)
        passages = self.index.chunks([i for (i,) in found])
        return [(chunk_id, chunk.indexed_text) for chunk_id, _, chunk in passages]

    def vectors(self, chunk_ids: Sequence[int]) -> NDArray[np.float32]:
        """(n, dimension) in the order asked; a row of zeros where a passage has no vector (yet)."""
        matrix = np.zeros((len(chunk_ids), self.info.dimension), dtype=np.float32)
        found = self._of("vectors", chunk_ids)
        present = [row for row, chunk_id in enumerate(chunk_ids) if int(chunk_id) in found]
        if present:
            joined = b"".join(found[int(chunk_ids[row])] for row in present)
            matrix[present] = np.frombuffer(joined, dtype="<f2").reshape(len(present), -1)
        return matrix

    def sentences(self, chunk_ids: Sequence[int]) -> Mapping[int, SentenceVectors]:
        """The vectors of the sentences of these passages, by chunk id; those without any are left out."""
        found = self._of("sentences", chunk_ids)
        return {i: SentenceVectors.unpack(blob, self.info.dimension) for i, blob in found.items()}

    def _of(self, table: str, chunk_ids: Sequence[int]) -> dict[int, bytes]:
        wanted = "space = ? AND chunk_id IN (SELECT value FROM json_each(?))"
        return dict(self._rows(f"SELECT chunk_id, vector FROM {table} WHERE {wanted}", *listed(chunk_ids)))

    def iter_vectors(self, batch: int = 8192) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float16]]]:
        """All vectors in batches of (ids, matrix), by id."""
        query = (
            "SELECT chunk_id, vector FROM vectors WHERE space = ? AND chunk_id > ? ORDER BY chunk_id LIMIT ?"
        )
        last = -1
        while found := self._rows(query, last, batch):
            matrix = np.frombuffer(b"".join(vector for _, vector in found), dtype="<f2")
            yield np.array([i for i, _ in found], dtype=np.int64), matrix.reshape(len(found), -1)
            last = found[-1][0]


class DenseIndex:
    """Vectors of a space that can be searched. `generation` is that of the vectors it was made from;
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
        matrix = self._space.vectors(chunk_ids)
        scores = matrix @ np.asarray(vector, dtype=np.float32)
        present = np.count_nonzero(matrix, axis=1) > 0
        return {int(i): float(s) for i, s, p in zip(chunk_ids, scores, present, strict=True) if p}


def open_dense(space: VectorSpace) -> DenseIndex:
    """The FAISS index of the space as it is now. A rebuilt one is saved unless somebody writes to the index
    or the disk does not allow it; it serves from memory all the same."""
    generation = space.generation()
    index, reason = _load(space, generation)
    if index is None:
        index = _build(space)
        try:
            with space.index.writing() as writer:
                if space.generation() == generation:
                    _save(index, space.number, generation, writer)
        except (IndexBusy, StorageError):
            pass
    return DenseIndex(space, index, generation, reason)


def save_dense(space: VectorSpace, writer: Writer, *, thorough: bool = False) -> None:
    """Brings the FAISS file up to the space's vectors; does nothing where `file_problem` finds it sound.
    Raises StorageError when the disk is full (the store is not touched)."""
    generation = space.generation()
    if file_problem(space, generation, thorough=thorough):
        _save(_build(space), space.number, generation, writer)


def file_problem(space: VectorSpace, generation: int, *, thorough: bool = False) -> str:
    """What is wrong with the FAISS file, in words; "" when it is sound. The SHA-256 is computed only when
    size or modification time differ from those recorded, or when `thorough` (0.5 s per GB)."""
    file = space.file()
    if file is None:
        return "there was no FAISS file yet"
    if file.generation != generation:
        return f"the FAISS file was of generation {file.generation}, the vectors are of {generation}"
    path = space.index.folder / file.name
    try:
        stat = path.stat()
    except FileNotFoundError:
        return f"the FAISS file {file.name} was absent"
    if stat.st_size != file.size:
        return f"the FAISS file {file.name} had {stat.st_size} bytes instead of {file.size}"
    if (thorough or stat.st_mtime_ns != file.mtime_ns) and sha256_file(path) != file.sha256:
        return f"the FAISS file {file.name} had another SHA-256 than the one recorded"
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
    """A new index over all vectors of the space, read in bounded batches."""
    count, dimension = space.count(), space.info.dimension
    index = _empty(dimension) if count <= FLAT_LIMIT else _trained(space, count, dimension)
    for ids, matrix in space.iter_vectors():
        index.add_with_ids(matrix.astype(np.float32), ids)
    return index


def _trained(space: VectorSpace, count: int, dimension: int) -> Any:
    """An empty IVF index whose lists are fitted to an even sample of the vectors."""
    import faiss

    step = max(1, count // _TRAINING_ROWS)
    sample = np.concatenate([matrix[::step] for _, matrix in space.iter_vectors()]).astype(np.float32)
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


def _save(index: Any, space: int, generation: int, writer: Writer) -> None:
    import faiss

    name = f"dense-{space}-{generation}.faiss"
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
    writer.put_dense_file(space, DenseFile(generation, name, sha256, stat.st_size, stat.st_mtime_ns))
    for old in writer.folder.glob(f"dense-{space}-*.faiss*"):
        if old.name != name:
            old.unlink(missing_ok=True)
