"""multilingual-e5-small as a package registry holds it: one file (magic `E5S1`, 72 MB) with the weights of a
BERT encoder in blocks of four bits (Q4_0) and the vocabulary of XLM-RoBERTa.

The file is memory-mapped and used as it is: a word's vector is unpacked when it is looked up, and a text's
tokens are found here, where the `tokenizers` library would take 290 MB and a second to load. They are those
of the file's own engine: the best segmentation by a unigram model (Kudo, 2018)."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.errors import ModelError

QUERY_PROMPT, PASSAGE_PROMPT = "query: ", "passage: "
_MAGIC = b"E5S1"
_VERSION = 1
_BLOCK = np.dtype([("scale", "<f2"), ("codes", "u1", (16,))])
_WORDS = "embeddings.word_embeddings"
# The file's names of layers, and of the parts of a layer, in BERT's own words.
_TOP = {
    "word": _WORDS,
    "pos": "embeddings.position_embeddings",
    "type": "embeddings.token_type_embeddings",
    "ln": "embeddings.LayerNorm",
}
_LAYER = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
_SUFFIXES = {"w": ".weight", "b": ".bias", "": ".weight"}
_SPACE = "▁"
# A character that is no piece costs so much more than the worst piece.
_UNKNOWN_COST = 10.0
_REMEMBERED_WORDS = 1 << 15
_LONGEST_REMEMBERED = 20  # characters: whole Chinese sentences seldom come again


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Pieces by their ids with their scores (log-probabilities), what characters are replaced by (by code
    point), and the special tokens."""

    pieces: tuple[str, ...]
    scores: tuple[float, ...]
    characters: Mapping[int, str]
    first: int
    last: int
    unknown: int


def is_packed(path: Path) -> bool:
    """Whether a file begins as one of these. Raises OSError."""
    with path.open("rb") as file:
        return file.read(len(_MAGIC)) == _MAGIC


class PackedEncoder:
    """A file of the format, open. Raises ModelError for one that is cut short or of another version."""

    def __init__(self, path: Path) -> None:
        try:
            self._data = np.memmap(path, np.uint8, "r")
            self._at = 0
            if bytes(self._data[:4]) != _MAGIC or self._numbers("4sI")[1] != _VERSION:
                raise ValueError(f"no {_MAGIC.decode()} of version {_VERSION}")
            width, layers, heads, inner, words, positions, kinds = self._numbers("7i")
            self._numbers("fi")
            self.config: Mapping[str, Any] = MappingProxyType(
                {
                    "model_type": "bert",
                    "hidden_act": "gelu",
                    "hidden_size": width,
                    "num_hidden_layers": layers,
                    "num_attention_heads": heads,
                    "intermediate_size": inner,
                    "vocab_size": words,
                    "max_position_embeddings": positions,
                    "type_vocab_size": kinds,
                    "layer_norm_eps": 1e-12,
                }
            )
            self._vocabulary_at = self._at
            count, *_, size = self._numbers("5iQ")
            self._at += 4 * (count + 1) + 4 * count + size
            _, size = self._numbers("iI")
            self._at += size
            self._tensors = {}
            for _ in range(self._numbers("i")[0]):
                name = self._bytes(self._numbers("H")[0]).decode()
                quantised, values, offset, _ = self._numbers("BIQQ")
                self._tensors[self._full(name)] = bool(quantised), values, offset
        except (OSError, ValueError, LookupError, struct.error) as error:
            raise ModelError(
                f"{path} cannot be read as a packed encoder ({error}); fetch it again"
            ) from error

    @staticmethod
    def _full(name: str) -> str:
        head, _, rest = name.partition(".")
        part, _, suffix = rest.partition(".")
        within = _TOP[part] if head == "emb" else f"encoder.layer.{head[1:]}.{_LAYER[part]}"
        return within + _SUFFIXES[suffix]

    def _numbers(self, layout: str) -> tuple[Any, ...]:
        return struct.unpack(f"<{layout}", self._bytes(struct.calcsize(f"<{layout}")))

    def _bytes(self, size: int) -> bytes:
        self._at += size
        return self._data[self._at - size : self._at].tobytes()

    def vocabulary(self) -> Vocabulary:
        self._at = self._vocabulary_at
        count, first, last, _, unknown, size = self._numbers("5iQ")
        ends = np.frombuffer(self._bytes(4 * (count + 1)), "<u4").tolist()
        scores = np.frombuffer(self._bytes(4 * count), "<f4").tolist()
        joined = self._bytes(size)
        pieces = [joined[a:b].decode("utf-8", "replace") for a, b in pairwise(ends)]
        characters = {}
        for _ in range(self._numbers("iI")[0]):
            code, length = self._numbers("IB")
            characters[code] = self._bytes(4 * length).decode("utf-32-le")
        return Vocabulary(tuple(pieces), tuple(scores), characters, first, last, unknown)

    def weights(self) -> dict[str, NDArray[np.float32]]:
        """All tensors but the word table, by BERT's names; vectors have one axis, weights (out, in)."""
        names = [name for name in self._tensors if name != f"{_WORDS}.weight"]
        return {name: self._tensor(name) for name in names}

    def _tensor(self, name: str) -> NDArray[np.float32]:
        quantised, values, offset = self._tensors[name]
        if quantised:
            narrowing = name.endswith(".output.dense.weight") and ".attention." not in name
            columns = self.config["intermediate_size" if narrowing else "hidden_size"]
            return _unpacked(self._blocks(values, offset)).reshape(-1, columns)
        array = self._data[offset : offset + 4 * values].view("<f4")
        return array.reshape(-1, self.config["hidden_size"]) if "_embeddings." in name else np.array(array)

    def _blocks(self, values: int, offset: int) -> NDArray[Any]:
        size = values // 32 * _BLOCK.itemsize
        return self._data[offset : offset + size].view(_BLOCK)

    def words(self) -> WordTable:
        _, values, offset = self._tensors[f"{_WORDS}.weight"]
        return WordTable(self._blocks(values, offset).reshape(self.config["vocab_size"], -1))


def _unpacked(blocks: NDArray[Any]) -> NDArray[np.float32]:
    """(n, 32) of n blocks: four bits less 8, times a scale; the low bits come first."""
    codes = blocks["codes"]
    values = np.concatenate([codes & 15, codes >> 4], axis=-1).astype(np.float32) - np.float32(8)
    return values * blocks["scale"][..., None].astype(np.float32)


class WordTable:
    """The vectors of words, unpacked where they are looked up: `table[ids]` is (n, dimension) float32."""

    def __init__(self, rows: NDArray[Any]) -> None:
        self._rows = rows

    def __getitem__(self, ids: Sequence[int]) -> NDArray[np.float32]:
        return _unpacked(self._rows[ids]).reshape(len(ids), -1)


class UnigramTokenizer:
    """Finds the tokens of texts. Blanks are one blank, and part of the word that they stand before."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._ids = {piece: i for i, piece in enumerate(vocabulary.pieces) if i != vocabulary.unknown}
        self._unknown_score = min(vocabulary.scores) - _UNKNOWN_COST
        self._longest: dict[str, int] = {}
        for piece in vocabulary.pieces:
            self._longest[piece[:1]] = max(len(piece), self._longest.get(piece[:1], 0))
        self._remembered = lru_cache(_REMEMBERED_WORDS)(self._best)

    def __call__(self, texts: Sequence[str], limit: int | None) -> list[list[int]]:
        """Ids of each text: at most `limit` of them with the two special tokens, or for None all, without."""
        rows = [self._tokens(text) for text in texts]
        if limit is None:
            return rows
        first, last = self._vocabulary.first, self._vocabulary.last
        return [[first, *row[: limit - 2], last] for row in rows]

    def _tokens(self, text: str) -> list[int]:
        words = text.translate(self._vocabulary.characters).split(" ")
        # Of a run of blanks one is left; at the end of a text it is a word of its own.
        kept = [word for n, word in enumerate(words) if word or n == len(words) - 1]
        return [token for word in kept for token in self._segmented(_SPACE + word)]

    def _segmented(self, word: str) -> tuple[int, ...]:
        return self._remembered(word) if len(word) <= _LONGEST_REMEMBERED else self._best(word)

    def _best(self, word: str) -> tuple[int, ...]:
        """The best segmentation (Viterbi, 1967)."""
        scores, size = self._vocabulary.scores, len(word)
        best, back = [0.0, *[float("-inf")] * size], [(0, 0)] * (size + 1)
        for start in range(size):
            so_far = best[start]
            for end in range(start + 1, min(size, start + self._longest.get(word[start], 0)) + 1):
                token = self._ids.get(word[start:end])
                if token is not None and so_far + scores[token] > best[end]:
                    best[end], back[end] = so_far + scores[token], (start, token)
            if so_far + self._unknown_score > best[start + 1]:
                best[start + 1] = so_far + self._unknown_score
                back[start + 1] = start, self._vocabulary.unknown
        tokens, end = [], size
        while end:
            end, token = back[end]
            tokens.append(token)
        return tuple(reversed(tokens))


@lru_cache(1)
def open_tokenizer(path: Path) -> UnigramTokenizer:
    """The tokenizer of a packed encoder, read once: it takes some 60 MB. Raises ModelError."""
    return UnigramTokenizer(PackedEncoder(path).vocabulary())
