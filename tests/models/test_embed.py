"""The embedded embedder against sentence-transformers, and how it behaves at the edges."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rag.errors import ModelError, ModelMismatch
from rag.models import export
from rag.models.embedder import (
    EmbedderInfo,
    OnnxEmbedder,
    SentenceTransformerEmbedder,
    load_embedder,
    supports,
)
from rag.models.registry import EmbedderFiles, find_embedder

pytestmark = pytest.mark.models

TEXTS = [
    "The tenant shall pay a monthly rent of EUR 1,450 on the third working day of each month.",
    "Revenue",
    "",
    "每月租金是多少？ The deposit is two months' rent. 😀",
    "The infusion is stopped if systolic pressure falls below 90 mmHg. " * 60,
    "A table row | 1,234.5 | (12.3) | n/a",
]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def embedder(cache: Path) -> OnnxEmbedder:
    loaded = load_embedder(cache_dir=cache)
    assert isinstance(loaded, OnnxEmbedder)
    return loaded


@pytest.fixture(scope="module")
def files(cache: Path) -> EmbedderFiles:
    return find_embedder("embedded", cache)


def test_vectors_equal_those_of_sentence_transformers(embedder: OnnxEmbedder, files: EmbedderFiles) -> None:
    reference = SentenceTransformerEmbedder(files)
    ours, theirs = embedder.embed_passages(TEXTS), reference.embed_passages(TEXTS)
    assert (ours * theirs).sum(axis=1).min() > 0.9999
    assert reference.info == embedder.info
    counts = embedder.count_tokens(TEXTS)
    assert reference.count_tokens(TEXTS) == counts
    slow = SentenceTransformerEmbedder(replace(files, tokenizer=None))  # a model that has none
    for counter in (reference.token_counter, slow.token_counter):
        assert pickle.loads(pickle.dumps(counter))(TEXTS) == counts
    assert slow.count_tokens([]) == []


def test_a_vector_does_not_depend_on_its_neighbours_in_the_batch(embedder: OnnxEmbedder) -> None:
    together = embedder.embed_passages(TEXTS)
    alone = np.stack([embedder.embed_passages([text])[0] for text in TEXTS])
    assert np.abs(together - alone).max() < 1e-5


def test_fresh_process_embeds_a_query_without_torch(embedder: OnnxEmbedder, cache: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from rag.models.embedder import load_embedder\n"
        f"e = load_embedder(cache_dir=Path({str(cache)!r})); e.embed_query('rent')\n"
        "bad = {'torch', 'transformers', 'sentence_transformers', 'onnx'} & set(sys.modules)\n"
        "assert not bad, bad"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_export_itself_needs_no_torch(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from rag.models.embedder import load_embedder\n"
        f"load_embedder(cache_dir=Path({str(tmp_path)!r}))\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_second_identical_query_is_not_computed_and_cannot_be_changed(
    embedder: OnnxEmbedder, monkeypatch
) -> None:
    first = embedder.embed_query("a question asked twice")
    monkeypatch.setattr(embedder, "_session", None)
    again = embedder.embed_query("a question asked twice")
    assert np.array_equal(first, again)
    with pytest.raises(ValueError, match="read-only"):
        again[0] = 1.0


def test_lone_surrogates_do_not_stop_an_ingest(embedder: OnnxEmbedder) -> None:
    vectors = embedder.embed_passages(["broken \ud800 text", "text"])
    assert np.isfinite(vectors).all()
    assert embedder.count_tokens(["broken \ud800 text"])[0] > 0


def test_threads_may_embed_at_once(embedder: OnnxEmbedder) -> None:
    expected = embedder.embed_passages(TEXTS)
    results: list[np.ndarray] = []
    threads = [
        threading.Thread(target=lambda: results.append(embedder.embed_passages(TEXTS))) for _ in range(4)
    ]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(results) == 4
    assert all(np.abs(r - expected).max() < 1e-5 for r in results)


def test_token_counter_agrees_and_survives_a_pickle(embedder: OnnxEmbedder) -> None:
    counter = embedder.token_counter
    data = pickle.dumps(counter)
    assert len(data) < 1000
    assert pickle.loads(data)(TEXTS) == counter(TEXTS) == embedder.count_tokens(TEXTS)
    assert counter(TEXTS)[4] > embedder.info.max_tokens


def test_half_written_export_is_never_seen(files: EmbedderFiles, tmp_path: Path, monkeypatch) -> None:
    def fail(descriptor: int) -> None:
        os.ftruncate(descriptor, 1000)
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        assert isinstance(export.exported(files, tmp_path), bytes)
    assert [path for path in (tmp_path / "onnx").rglob("*") if path.is_file()] == []
    assert isinstance(export.exported(files, tmp_path), Path)


def test_damaged_export_is_replaced(files: EmbedderFiles, tmp_path: Path) -> None:
    model = export.exported(files, tmp_path)
    assert isinstance(model, Path)
    model.write_bytes(model.read_bytes()[:1000])
    assert export.exported(files, tmp_path) == model
    assert model.stat().st_size > 10_000_000
    assert list(model.parent.iterdir()) == [model]


def _export(cache: str) -> str:
    return str(export.exported(find_embedder("embedded", Path(cache)), Path(cache)))


def test_two_processes_may_export_at_once(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        exported = pool.map(_export, [str(tmp_path)] * 2)
    assert len(set(exported)) == 1
    assert [str(path) for path in Path(exported[0]).parent.iterdir()] == exported[:1]


def test_unwritable_cache_costs_time_but_not_the_answer(embedder: OnnxEmbedder, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    other = load_embedder(cache_dir=tmp_path / "cache")
    assert np.allclose(other.embed_query("rent"), embedder.embed_query("rent"), atol=1e-6)


def test_weights_of_another_architecture_are_a_mismatch(tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    save_file({"something": np.zeros(3, dtype=np.float32)}, tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text(
        '{"model_type": "bert", "hidden_act": "gelu", "hidden_size": 8, "num_hidden_layers": 1}'
    )
    with pytest.raises(ModelMismatch, match="has no tensor"):
        export.build_graph(find_embedder(str(tmp_path), tmp_path / "cache"))


def test_folder_that_holds_no_model_is_a_model_error(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"junk")
    (tmp_path / "config.json").write_text('{"model_type": "unheard-of"}')
    with pytest.raises(ModelError, match="cannot load"):
        load_embedder(str(tmp_path), cache_dir=tmp_path / "cache")


def test_languages_decide_what_an_embedder_is_asked() -> None:
    english = EmbedderInfo("a", "0", 1, 1, ("en",))
    everything = EmbedderInfo("b", "0", 1, 1, ("*",))
    assert supports(english, "en")
    assert not supports(english, "zh")
    assert supports(everything, "zh")


def test_the_first_token_pools_each_text_of_a_batch_by_itself(files: EmbedderFiles, tmp_path: Path) -> None:
    first = OnnxEmbedder(
        replace(files, pooling="cls", info=replace(files.info, fingerprint="cls")), cache_dir=tmp_path
    )
    together = first.embed_passages(["The rent is due.", "Notice ends the lease."])
    assert together.shape == (2, files.info.dimension)
    np.testing.assert_allclose(together[1], first.embed_passages(["Notice ends the lease."])[0], atol=1e-6)
