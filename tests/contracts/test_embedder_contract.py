"""What every Embedder promises, held by the fake and the real one."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from rag.models.embedder import Embedder, load_embedder
from tests.fakes import FakeEmbedder

TEXTS = ["The rent is 1,450 euros.", "租金为每月8,500元。", "", "x" * 5000, "rent " * 400]


@pytest.fixture(scope="module", params=["fake", pytest.param("real", marks=pytest.mark.models)])
def embedder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Embedder:
    if request.param == "fake":
        return FakeEmbedder()
    cache: Path = tmp_path_factory.mktemp("cache")
    return load_embedder(cache_dir=cache)


def test_rows_are_unit_vectors_of_the_stated_dimension(embedder: Embedder) -> None:
    vectors = embedder.embed_passages(TEXTS)
    assert vectors.shape == (len(TEXTS), embedder.info.dimension)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-4)


def test_no_texts_give_no_rows(embedder: Embedder) -> None:
    assert embedder.embed_passages([]).shape == (0, embedder.info.dimension)
    assert embedder.count_tokens([]) == []


def test_query_is_one_unit_vector(embedder: Embedder) -> None:
    vector = embedder.embed_query("What is the rent?")
    assert vector.shape == (embedder.info.dimension,)
    assert vector.dtype == np.float32
    assert np.isclose(np.linalg.norm(vector), 1.0, atol=1e-4)


def test_order_of_rows_is_the_order_of_texts(embedder: Embedder) -> None:
    forward, backward = embedder.embed_passages(TEXTS), embedder.embed_passages(TEXTS[::-1])
    assert np.allclose(forward, backward[::-1], atol=1e-5)


def test_same_text_gives_the_same_vector(embedder: Embedder) -> None:
    assert np.array_equal(embedder.embed_passages(TEXTS), embedder.embed_passages(TEXTS))


def test_related_texts_are_closer_than_unrelated_ones(embedder: Embedder) -> None:
    query = embedder.embed_query("How much is the monthly rent?")
    near, far = embedder.embed_passages(["The monthly rent is 1,450 euros.", "Penguins live in Antarctica."])
    assert query @ near > query @ far


def test_token_counts_are_not_cut_and_empty_text_has_none(embedder: Embedder) -> None:
    counts = embedder.count_tokens(["", "rent", "rent " * 2000])
    assert counts[0] == 0
    assert counts[1] >= 1
    assert counts[2] >= 2000


def test_counter_for_other_processes_can_be_sent_and_counts_the_same(embedder: Embedder) -> None:
    counter = getattr(embedder, "token_counter", embedder.count_tokens)
    assert pickle.loads(pickle.dumps(counter))(TEXTS) == embedder.count_tokens(TEXTS)
