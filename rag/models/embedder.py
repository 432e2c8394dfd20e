"""Text to vectors: the Embedder protocol and its two implementations.

`OnnxEmbedder` runs BERT encoders (the embedded default among them) with onnxruntime and tokenizers only;
torch is never imported. `SentenceTransformerEmbedder` takes every other model."""

from __future__ import annotations

import os
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import lru_cache, partial
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol
from weakref import WeakValueDictionary

import numpy as np
from numpy.typing import NDArray

from rag.errors import ModelError
from rag.models import export
from rag.models.packed import open_tokenizer
from rag.models.registry import (
    EMBEDDED,
    NO_SOURCES,
    EmbedderFiles,
    EmbedderInfo,
    Sources,
    find_embedder,
)

# Padded tokens in one run of the encoder: larger batches fall out of the cache and are slower on a CPU.
_BATCH_TOKENS = 2048
# Texts tokenised at a time: bounds memory whatever the caller passes.
_SLICE = 1024
_REMEMBERED_QUERIES = 256
_OFFLINE = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_DATASETS_OFFLINE", "HF_HUB_DISABLE_TELEMETRY")


class Embedder(Protocol):
    """Turns text into unit vectors. Safe to call from several threads."""

    @property
    def info(self) -> EmbedderInfo: ...

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(n, dimension), rows L2-normalised; text beyond `max_tokens` is not seen."""
        ...

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """(dimension,), L2-normalised."""
        ...

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, without special tokens and without truncation. Where an embedder itself cannot
        be pickled, its attribute `token_counter` is a function that counts the same and can: the processes
        that read files count by it."""
        ...


def supports(info: EmbedderInfo, language: str) -> bool:
    """Whether vectors of text in this language mean anything."""
    return "*" in info.languages or language in info.languages


def similarities(
    info: EmbedderInfo, cosines: NDArray[Any], language: str, other: str = ""
) -> NDArray[np.float64]:
    """Cosines of texts (in the `other` language, where it is given) with a question in this language, on the
    scale 0 to 1 on which unrelated texts lie near 0: some embedders put all texts close together, and those
    of one language closer. nan stays."""
    known = {code: (low, high) for code, low, high in info.cosines}
    lowest, highest = known.get(f"{language}-{other}") or known.get(language) or (0.0, 1.0)
    scaled = (np.asarray(cosines, dtype=np.float64) - lowest) / (highest - lowest)
    result: NDArray[np.float64] = np.clip(scaled, 0.0, 1.0)
    return result


def reached(info: EmbedderInfo, language: str) -> tuple[str, ...]:
    """The other languages whose texts can be compared with a question in this one."""
    pairs = (code.partition("-") for code, _, _ in info.cosines)
    return tuple(other for asked, _, other in pairs if other and asked == language)


def load_embedder(
    spec: str = EMBEDDED, *, cache_dir: Path, models: Sources = NO_SOURCES, threads: int = 0
) -> Embedder:
    """The embedder that `spec` means (see `rag.models.registry.find_embedder`), ready to use; one that is in
    use already is given again. `threads` 0: all available cores.

    The first load of a BERT model converts it once into `cache_dir` (a second). Raises ModelMissing,
    ModelMismatch, ModelError."""
    files = find_embedder(spec, cache_dir, models)
    if export.can_export(files):
        with _LOADING:
            key = files.folder, files.info.fingerprint, cache_dir, threads
            if (loaded := _IN_USE.get(key)) is None:
                loaded = _IN_USE[key] = OnnxEmbedder(files, cache_dir=cache_dir, threads=threads)
            return loaded
    return SentenceTransformerEmbedder(files, threads=threads)


_IN_USE: WeakValueDictionary[tuple[Path, str, Path, int], OnnxEmbedder] = WeakValueDictionary()
_LOADING = threading.Lock()


class _FilesEmbedder(ABC):
    """What the two share: prompts, and the last few query vectors, kept read-only: a follow-up or a retry
    embeds nothing."""

    token_counter: Callable[[Sequence[str]], list[int]]

    def __init__(self, files: EmbedderFiles) -> None:
        self._files = files
        self.info = files.info
        self._queries = lru_cache(_REMEMBERED_QUERIES)(self._query)

    @abstractmethod
    def _embed(self, texts: Sequence[str], prompt: str) -> NDArray[np.float32]: ...

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return self._embed(texts, self._files.passage_prompt)

    def embed_query(self, text: str) -> NDArray[np.float32]:
        return self._queries(text)

    def _query(self, text: str) -> NDArray[np.float32]:
        vector: NDArray[np.float32] = self._embed([text], self._files.query_prompt)[0].copy()
        vector.flags.writeable = False
        return vector

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return self.token_counter(texts)


class OnnxEmbedder(_FilesEmbedder):
    """A BERT encoder run by onnxruntime. Each run has one thread and batches go side by side: the same
    vectors as one run on all cores, for less processor time, and a question, which is one short run, does not
    wait for threads that spin (measured on two busy cores: 10 ms instead of 24)."""

    def __init__(self, files: EmbedderFiles, *, cache_dir: Path, threads: int = 0) -> None:
        super().__init__(files)
        import onnxruntime as ort

        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4
        graph = export.exported(files, cache_dir)
        try:
            self._session = ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime raises types of its own that share no base but Exception
            raise ModelError(f"onnxruntime cannot load the embedding model ({error})") from error
        self._words = export.word_table(files.weights)
        self._threads = threads or len(os.sched_getaffinity(0))
        assert files.tokenizer is not None
        self.token_counter = counter = TokenCounter(files.tokenizer)
        self._rows = counter.rows

    def embed_with_parts(
        self, texts: Sequence[str], starts: Sequence[Sequence[int]]
    ) -> tuple[NDArray[np.float32], list[NDArray[np.float32]]]:
        """The vectors of passages, as `embed_passages` gives them, and for each those of its parts, (n,
        dimension), L2-normalised: the means of the last layer over their tokens, so that a part is understood
        in its passage and costs no run of its own. A part reaches from one of the `starts` (code points,
        ascending) to the next; one beyond `max_tokens` gets the passage's vector."""
        prompt, kept = self._files.passage_prompt, dict[int, NDArray[np.float32]]()
        vectors = self._embed(texts, prompt, kept)
        parts = []
        for number, (text, begins) in enumerate(zip(texts, starts, strict=True)):
            layer = kept[number]
            before = self._rows([(prompt + text[:begin]).rstrip() for begin in begins], None)
            bounds = [min(1 + len(row), len(layer) - 1) for row in before] + [len(layer) - 1]
            means = [layer[a:b].mean(axis=0) if b > a else vectors[number] for a, b in pairwise(bounds)]
            matrix = np.array(means, dtype=np.float32).reshape(len(begins), self.info.dimension)
            parts.append(matrix / np.maximum(np.linalg.norm(matrix, axis=1, keepdims=True), 1e-12))
        return vectors, parts

    def _embed(
        self, texts: Sequence[str], prompt: str, layers: dict[int, NDArray[np.float32]] | None = None
    ) -> NDArray[np.float32]:
        """Vectors of texts; `layers` takes the last layer of each, (tokens, dimension), by its number."""
        vectors = np.empty((len(texts), self.info.dimension), dtype=np.float32)
        run = partial(self._run, wanted=["embedding"] if layers is None else ["embedding", "tokens"])
        for start in range(0, len(texts), _SLICE):
            part = [prompt + text for text in texts[start : start + _SLICE]]
            rows = self._rows(part, self.info.max_tokens)
            batches = list(in_batches([len(row) for row in rows], _padded_is_full))
            runs = [[rows[i] for i in batch] for batch in batches]
            if min(self._threads, len(runs)) < 2:
                results = list(map(run, runs))
            else:
                with ThreadPoolExecutor(self._threads) as pool:
                    results = list(pool.map(run, runs))
            for batch, found in zip(batches, results, strict=True):
                vectors[[start + i for i in batch]] = found[0]
                if layers is not None:
                    layers |= {start + i: row[: len(rows[i])] for i, row in zip(batch, found[1], strict=True)}
        return vectors

    def _run(self, rows: Sequence[Sequence[int]], wanted: list[str]) -> list[NDArray[np.float32]]:
        mask = np.zeros((len(rows), max(map(len, rows))), dtype=np.int32)
        words = np.zeros((*mask.shape, self.info.dimension), dtype=np.float32)
        for i, row in enumerate(rows):
            words[i, : len(row)] = self._words[row]
            mask[i, : len(row)] = 1
        found: list[NDArray[np.float32]]
        found = self._session.run(wanted, {"words": words, "attention_mask": mask})
        return found


def _padded_is_full(sizes: list[int], longest: int) -> bool:
    return (len(sizes) + 1) * longest > _BATCH_TOKENS  # every row is padded to the length of the last one


def in_batches(sizes: Sequence[int], full: Callable[[list[int], int], bool]) -> Iterator[list[int]]:
    """Positions in batches of similar size, ascending; `full` says of the sizes in hand whether the next one
    begins a new batch."""
    batch: list[int] = []
    for position in sorted(range(len(sizes)), key=sizes.__getitem__):
        if batch and full([sizes[i] for i in batch], sizes[position]):
            yield batch
            batch = []
        batch.append(position)
    if batch:
        yield batch


# Token ids of each text: at most so many of them with special tokens, or for None all, without.
Rows = Callable[[Sequence[str], int | None], list[list[int]]]


def encodable(text: str) -> str:
    """The text without lone surrogates, which no tokenizer takes (they come from broken file names and
    PDFs)."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def _fast_tokenizer(path: Path) -> Rows:
    """One of the `tokenizers` library, called as `rag.models.packed.UnigramTokenizer` is."""
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # the Rust side raises bare Exception
        raise ModelError(f"{path} cannot be read as a tokenizer ({error}); download it again") from error
    tokenizer.no_padding()
    tokenizer.no_truncation()

    def rows(texts: Sequence[str], limit: int | None) -> list[list[int]]:
        found = tokenizer.encode_batch_fast(texts, add_special_tokens=limit is not None)
        ids = [encoding.ids for encoding in found]
        return [row if limit is None or len(row) <= limit else [*row[: limit - 1], row[-1]] for row in ids]

    return rows


class TokenCounter:
    """Counts tokens as the embedder cuts them, without special tokens and without truncation. Pickled by its
    path: cheap to send to a worker process."""

    def __init__(self, tokenizer: Path) -> None:
        self._path = tokenizer
        fast = tokenizer.suffix == ".json"
        self._rows: Rows = _fast_tokenizer(tokenizer) if fast else open_tokenizer(tokenizer)

    def rows(self, texts: Sequence[str], limit: int | None = None) -> list[list[int]]:
        return self._rows(list(map(encodable, texts)), limit)

    def __call__(self, texts: Sequence[str]) -> list[int]:
        return list(map(len, self.rows(texts)))

    def __reduce__(self) -> tuple[type[TokenCounter], tuple[Path]]:
        return TokenCounter, (self._path,)


def _counted(tokenizer: Any, texts: Sequence[str]) -> list[int]:
    """The same by a tokenizer of transformers, for models without `tokenizer.json`."""
    rows = [tokenizer(encodable(text), add_special_tokens=False, truncation=False) for text in texts]
    return [len(row["input_ids"]) for row in rows]


class SentenceTransformerEmbedder(_FilesEmbedder):
    """Any other model, run by sentence-transformers from local files only. Importing torch takes about ten
    seconds."""

    def __init__(self, files: EmbedderFiles, *, threads: int = 0) -> None:
        # Local files only, for every Hugging Face library of this process and of those it starts.
        os.environ.update(dict.fromkeys(_OFFLINE, "1"))
        try:
            import torch
            from sentence_transformers import SentenceTransformer

            if threads:
                torch.set_num_threads(threads)
            self._model = SentenceTransformer(str(files.folder), device="cpu", local_files_only=True)
        except Exception as error:  # a foreign folder can fail in any way that its libraries know
            raise ModelError(f"sentence-transformers cannot load {files.folder} ({error})") from error
        # What the loaded model says counts more than what its files seemed to say.
        dimension = int(self._model.get_embedding_dimension() or files.info.dimension)
        limit = int(self._model.max_seq_length or files.info.max_tokens)
        info = replace(files.info, dimension=dimension, max_tokens=limit)
        super().__init__(replace(files, info=info))
        fast = files.tokenizer
        self.token_counter = TokenCounter(fast) if fast else partial(_counted, self._model.tokenizer)
        # PyTorch modules are not promised to be safe under concurrent calls with changing truncation
        # settings.
        self._lock = threading.Lock()

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        with self._lock:
            return self.token_counter(texts)

    def _embed(self, texts: Sequence[str], prompt: str) -> NDArray[np.float32]:
        how = {"batch_size": 16, "prompt": "", "normalize_embeddings": True, "show_progress_bar": False}
        with self._lock:
            vectors = self._model.encode([encodable(prompt + text) for text in texts], **how)
        return np.asarray(vectors, dtype=np.float32).reshape(len(texts), self.info.dimension)
