"""A packed encoder: its tokens, its weights, and the vectors that an embedder makes of it."""

from __future__ import annotations

import hashlib
import json
import pickle
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from rag.errors import ModelError, ModelMissing
from rag.index import open_index
from rag.models import registry
from rag.models.embedder import load_embedder, similarities
from rag.models.packed import PackedEncoder, UnigramTokenizer, is_packed, open_tokenizer
from rag.models.registry import EmbedderInfo

WIDTH, LAYERS, HEADS, INNER = 32, 2, 2, 64
PIECES = {
    "<s>": 0.0,
    "<pad>": 0.0,
    "</s>": 0.0,
    "<unk>": 0.0,
    "▁": -3.0,
    "▁rent": -4.0,
    "▁re": -3.5,
    "nt": -3.6,
    "r": -6.0,
    "e": -6.0,
    "n": -6.0,
    "t": -6.0,
    "租": -5.0,
    "租金": -4.0,
    "金": -5.0,
}
CHARACTERS = {"Ｒ": "r", "\u3000": " ", "\n": " ", "\x07": "", "℃": "°C"}


def quantised(rows: int, columns: int, random: np.random.Generator) -> tuple[bytes, NDArray[np.float32]]:
    """A matrix in blocks of four bits, and its values."""
    codes = random.integers(-7, 8, (rows * columns // 32, 32))
    codes[:, 5] = -8
    scales = random.uniform(0.01, 0.03, len(codes)).astype(np.float16)
    whole = (codes + 8).astype(np.uint8)
    packed = whole[:, :16] | whole[:, 16:] << 4
    data = b"".join(s.tobytes() + row.tobytes() for s, row in zip(scales, packed, strict=True))
    return data, (codes * scales[:, None].astype(np.float32)).astype(np.float32).reshape(rows, columns)


def write_packed(path: Path) -> dict[str, NDArray[np.float32]]:
    """A small encoder; its tensors by the names that the file gives them."""
    random = np.random.default_rng(5)
    shapes = {"emb.word": (len(PIECES), WIDTH), "emb.pos": (64, WIDTH), "emb.type": (2, WIDTH)}
    shapes |= {f"emb.ln.{part}": (WIDTH,) for part in "wb"}
    for layer in range(LAYERS):
        for name in ("q", "k", "v", "ao", "fi", "fo"):
            out, into = INNER if name == "fi" else WIDTH, INNER if name == "fo" else WIDTH
            shapes |= {f"l{layer}.{name}.w": (out, into), f"l{layer}.{name}.b": (out,)}
        shapes |= {f"l{layer}.{name}.{part}": (WIDTH,) for name in ("aln", "oln") for part in "wb"}
    tensors, stored = {}, {}
    for name, shape in shapes.items():
        if name == "emb.word" or (len(shape) == 2 and name.startswith("l")):
            stored[name], tensors[name] = quantised(*shape, random)
        else:
            tensors[name] = random.normal(1.0 if name.endswith("ln.w") else 0.0, 0.1, shape).astype(
                np.float32
            )
            stored[name] = tensors[name].tobytes()
    blob = "".join(PIECES).encode()
    ends = np.cumsum([0, *(len(piece.encode()) for piece in PIECES)], dtype="<u4")
    characters = b"".join(
        struct.pack("<IB", ord(c), len(to)) + to.encode("utf-32-le") for c, to in sorted(CHARACTERS.items())
    )
    head = b"E5S1" + struct.pack("<I7ifi", 1, WIDTH, LAYERS, HEADS, INNER, len(PIECES), 64, 2, 1e-12, 32)
    head += struct.pack("<5iQ", len(PIECES), 0, 2, 1, 3, len(blob)) + ends.tobytes()
    head += np.array(list(PIECES.values()), "<f4").tobytes() + blob
    head += struct.pack("<iI", len(CHARACTERS), len(characters)) + characters + struct.pack("<i", len(shapes))
    at = len(head) + sum(2 + len(name) + struct.calcsize("<BIQQ") for name in shapes)
    for name, data in stored.items():
        kind = int(name == "emb.word" or (tensors[name].ndim == 2 and name.startswith("l")))
        head += struct.pack("<H", len(name)) + name.encode()
        head += struct.pack("<BIQQ", kind, tensors[name].size, at, len(data))
        at += len(data)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(head + b"".join(stored.values()))
    return tensors


@pytest.fixture
def packed(tmp_path: Path) -> Path:
    write_packed(tmp_path / "cache" / "models" / "small.bin")
    return tmp_path / "cache" / "models" / "small.bin"


@pytest.fixture
def fetched(packed: Path, tmp_path: Path, monkeypatch) -> Iterator[Path]:
    """The cache of a machine on which it was fetched, as the only known model beside the embedded ones."""
    table = {
        "kind": "embedder",
        "title": "small",
        "file": packed.name,
        "bytes": packed.stat().st_size,
        "sha256": hashlib.sha256(packed.read_bytes()).hexdigest(),
        "licence": "MIT",
        "languages": ["*"],
        "memory_mb": 1,
        "url": "https://example.org/small.bin",
    }
    toml = "[small]\n" + "".join(f"{name} = {json.dumps(value)}\n" for name, value in table.items())
    (tmp_path / "models.toml").write_text(
        toml + "cosines = { en = [0.5, 0.9] }\n" + registry.FILE.read_text()
    )
    monkeypatch.setattr(registry, "FILE", tmp_path / "models.toml")
    registry.known_models.cache_clear()
    yield packed.parents[1]
    registry.known_models.cache_clear()


def tokens(path: Path, text: str) -> list[str]:
    pieces = list(PIECES)
    return [pieces[i] for i in open_tokenizer(path)([text], None)[0]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("rent", ["▁rent"]),
        ("rer", ["▁re", "r"]),
        ("rent  rent", ["▁rent", "▁rent"]),
        (" rent\n", ["▁rent", "▁"]),
        ("Ｒent\u3000租金", ["▁rent", "▁", "租金"]),
        ("re\x07nt", ["▁rent"]),
        ("", ["▁"]),
        ("x租xx", ["▁", "<unk>", "租", "<unk>", "<unk>"]),
        ("℃", ["▁", "<unk>", "<unk>"]),
    ],
)
def test_tokens_are_the_likeliest_pieces_of_the_normalised_text(packed, text, expected) -> None:
    assert tokens(packed, text) == expected


def test_long_words_are_cut_as_short_ones_are(packed: Path) -> None:
    assert tokens(packed, "租金" * 30) == ["▁", *["租金"] * 30]


def test_a_limit_counts_the_special_tokens(packed: Path) -> None:
    tokenizer = UnigramTokenizer(PackedEncoder(packed).vocabulary())
    assert tokenizer(["rent rent rent", "rent"], 4) == [[0, 5, 5, 2], [0, 5, 2]]


def test_words_and_weights_are_unpacked_exactly(tmp_path: Path) -> None:
    tensors = write_packed(tmp_path / "small.bin")
    encoder = PackedEncoder(tmp_path / "small.bin")
    assert np.array_equal(encoder.words()[[3, 0, 3]], tensors["emb.word"][[3, 0, 3]])
    weights = encoder.weights()
    assert "embeddings.word_embeddings.weight" not in weights
    for theirs, ours in {
        "emb.pos": "embeddings.position_embeddings.weight",
        "l1.fi.w": "encoder.layer.1.intermediate.dense.weight",
        "l0.fo.w": "encoder.layer.0.output.dense.weight",
        "l0.ao.w": "encoder.layer.0.attention.output.dense.weight",
        "l1.oln.b": "encoder.layer.1.output.LayerNorm.bias",
    }.items():
        assert np.array_equal(weights[ours], tensors[theirs]), ours


def test_a_file_cut_short_or_of_another_kind_is_a_model_error(packed: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.bin"
    for data in (packed.read_bytes()[:300], b"GGUF" + packed.read_bytes()[4:], b""):
        cut.write_bytes(data)
        with pytest.raises(ModelError, match="fetch it again"):
            PackedEncoder(cut)
    assert is_packed(packed)
    assert not is_packed(cut)


def reference(
    tensors: Mapping[str, NDArray[np.float32]], row: list[int], first: int = 0, last: int | None = None
) -> NDArray[np.float32]:
    """The mean of the last layer (of some tokens), normalised: Devlin et al. 2019, written down plainly."""

    def normalised(x: NDArray[np.float32], name: str) -> NDArray[np.float32]:
        x = (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + 1e-12)
        return x * tensors[f"{name}.w"] + tensors[f"{name}.b"]

    def dense(x: NDArray[np.float32], name: str) -> NDArray[np.float32]:
        return x @ tensors[f"{name}.w"].T + tensors[f"{name}.b"]

    def gelu(x: NDArray[np.float32]) -> NDArray[np.float32]:
        from math import erf

        return x * 0.5 * (1 + np.vectorize(erf)(x / np.sqrt(2)))

    x = tensors["emb.word"][row] + tensors["emb.pos"][: len(row)] + tensors["emb.type"][0]
    x = normalised(x, "emb.ln")
    for n in range(LAYERS):
        q, k, v = (dense(x, f"l{n}.{part}").reshape(len(row), HEADS, -1).swapaxes(0, 1) for part in "qkv")
        scores = q @ k.swapaxes(1, 2) / np.sqrt(WIDTH // HEADS)
        shares = np.exp(scores - scores.max(-1, keepdims=True))
        mixed = (shares / shares.sum(-1, keepdims=True)) @ v
        x = normalised(x + dense(mixed.swapaxes(0, 1).reshape(len(row), -1), f"l{n}.ao"), f"l{n}.aln")
        x = normalised(x + dense(gelu(dense(x, f"l{n}.fi")), f"l{n}.fo"), f"l{n}.oln")
    mean = x[first:last].mean(0)
    return mean / np.linalg.norm(mean)


def test_vectors_are_those_of_the_encoder_and_do_not_depend_on_neighbours(
    fetched: Path, tmp_path: Path
) -> None:
    tensors = write_packed(tmp_path / "again.bin")
    embedder = load_embedder("small", cache_dir=fetched)
    texts = ["rent", "租金 rent x", "rent " * 200]
    together = embedder.embed_passages(texts)
    for text, vector in zip(texts, together, strict=True):
        (row,) = open_tokenizer(tmp_path / "again.bin")([f"passage: {text}"], 64)
        assert vector @ reference(tensors, row) > 0.999
        assert np.allclose(vector, embedder.embed_passages([text])[0], atol=1e-6)
    assert embedder.embed_query("rent") @ together[0] < 0.9999  # each has its own prompt


def test_parts_are_the_means_of_their_tokens_in_the_passage(fetched: Path, tmp_path: Path) -> None:
    tensors = write_packed(tmp_path / "again.bin")
    embedder = load_embedder("small", cache_dir=fetched)
    texts, starts = ["rent rent 租金 re", "rent " * 200, ""], [[0, 10], [0, 990], []]
    vectors, parts = embedder.embed_with_parts(texts, starts)
    assert np.allclose(vectors, embedder.embed_passages(texts), atol=1e-6)
    assert [len(part) for part in parts] == [2, 2, 0]
    (row,) = open_tokenizer(tmp_path / "again.bin")([f"passage: {texts[0]}"], 64)
    prompt = len(open_tokenizer(tmp_path / "again.bin")(["passage:"], None)[0])
    assert parts[0][0] @ reference(tensors, row, 1 + prompt, 3 + prompt) > 0.999
    assert parts[0][1] @ reference(tensors, row, 3 + prompt, -1) > 0.999
    assert np.allclose(parts[1][1], vectors[1])  # beyond what the encoder reads


def test_auto_is_the_fetched_embedder_and_the_embedded_one_where_none_is(
    fetched: Path, tmp_path: Path
) -> None:
    assert registry.chosen_embedder(fetched) == "small"
    assert registry.chosen_embedder(tmp_path / "empty") == "embedded"
    with pytest.raises(ModelMissing, match="citewise models pull small"):
        load_embedder("small", cache_dir=tmp_path / "empty")


def test_an_index_keeps_the_embedder_that_auto_stood_for(fetched: Path, tmp_path: Path) -> None:
    (tmp_path / "租约.md").write_text("# 租金\n\n租金每月一日支付。")
    with open_index(tmp_path / "index", embedder="auto", create=True, cache_dir=fetched) as index:
        assert index.ingest(tmp_path / "租约.md").vectors == 1  # Chinese passages, too
    with open_index(tmp_path / "index", embedder="auto", cache_dir=fetched) as index:
        assert index.store.manifest().space.embedder == "small"
        assert [hit.document.path for hit in index.search("rent")] == ["租约.md"]
    with (
        open_index(tmp_path / "index", embedder="auto", cache_dir=tmp_path / "empty") as index,
        pytest.raises(ModelMissing, match="citewise models pull small"),
    ):
        index.search("rent")


def test_a_token_counter_survives_a_pickle(fetched: Path) -> None:
    counter = load_embedder("auto", cache_dir=fetched).token_counter
    assert pickle.loads(pickle.dumps(counter))(["rent 租金", ""]) == counter(["rent 租金", ""]) == [3, 1]


def test_cosines_that_lie_close_together_are_spread_by_language() -> None:
    info = EmbedderInfo("a", "0", 1, 1, ("*",), (("en", 0.5, 0.9), ("zh", 0.8, 1.0)))
    cosines = np.array([0.3, 0.7, 0.95, np.nan])
    assert np.allclose(similarities(info, cosines, "en"), [0.0, 0.5, 1.0, np.nan], equal_nan=True)
    assert np.allclose(similarities(info, cosines, "zh"), [0.0, 0.0, 0.75, np.nan], equal_nan=True)
    assert np.allclose(similarities(info, cosines, "fr"), cosines, equal_nan=True)
