"""Claims about adapters as files: llama.cpp computes with them what training computed."""

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from rag.adapt.encoding import Encoder
from rag.adapt.lora import read_adapter, write_adapter
from rag.adapt.network import Network
from rag.adapt.train import Plan, new_pairs
from rag.adapt.weights import Base
from rag.errors import ModelError

pytestmark = pytest.mark.models

TEXT = "The lease of the third floor began on 6 May 2023. When did the lease begin? It began on"
PLAN = Plan(rank=4, alpha=8.0, seed=3)


def random_pairs(base: Base) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
    """An adapter large enough to change what the model says next."""
    generator = torch.Generator().manual_seed(5)
    return {
        name: (a, torch.randn(b.shape, generator=generator) * 0.3)
        for name, (a, b) in new_pairs(base, PLAN).items()
    }


def by_llama(file: Path, ids: list[int], adapter: Path | None) -> NDArray[np.float64]:
    import llama_cpp

    llama = llama_cpp.Llama(
        str(file),
        n_ctx=256,
        logits_all=True,
        verbose=False,
        n_threads=1,
        lora_path=str(adapter) if adapter else None,
    )
    llama.eval(ids)
    logits = np.array(llama.scores[: len(ids)], dtype=np.float64)
    llama.close()
    return logits


def by_torch(network: Network, ids: list[int]) -> NDArray[np.float64]:
    with torch.no_grad():
        return network.logits(network.hidden(torch.tensor([ids]))[0]).double().numpy()


def agreement(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Correlation of the logits, each position's mean taken away: softmax does not see it."""
    a, b = (x - x.mean(axis=1, keepdims=True) for x in (one, other))
    return float((a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum()))


def test_the_network_computes_what_llama_cpp_computes(model_file: Path, base: Base, encoder: Encoder) -> None:
    ids = encoder.tokenize(TEXT, special=False)
    ours, theirs = by_torch(Network(base), ids), by_llama(model_file, ids, None)
    # llama.cpp rounds activations to 8 bits before it multiplies; that is all the difference there is.
    assert agreement(ours, theirs) > 0.997
    assert (ours.argmax(1) == theirs.argmax(1)).mean() > 0.9


def test_an_adapter_that_we_write_gives_llama_cpp_the_logits_of_torch(
    model_file: Path, base: Base, encoder: Encoder, tmp_path: Path
) -> None:
    ids = encoder.tokenize(TEXT, special=False)
    pairs = random_pairs(base)
    file = tmp_path / "adapter.gguf"
    write_adapter(file, pairs, alpha=PLAN.alpha, architecture=base.shape.architecture)
    ours = by_torch(Network(base, pairs, scale=PLAN.scale), ids)
    theirs, plain = by_llama(model_file, ids, file), by_llama(model_file, ids, None)
    assert agreement(ours, theirs) > 0.995
    assert (ours.argmax(1) == theirs.argmax(1)).mean() > 0.9
    # The adapter matters, and only the one that was written agrees: half of it, or its q and k turned
    # otherwise, would not.
    assert agreement(theirs, plain) < 0.97
    half = by_torch(Network(base, pairs, scale=PLAN.scale / 2), ids)
    assert agreement(half, theirs) < agreement(ours, theirs) - 0.002


def test_what_was_written_is_read_back(base: Base, tmp_path: Path) -> None:
    pairs = random_pairs(base)
    write_adapter(tmp_path / "a.gguf", pairs, alpha=8.0, architecture="llama", about={"questions": "mine"})
    again, alpha = read_adapter(tmp_path / "a.gguf")
    assert alpha == 8.0
    assert again.keys() == pairs.keys()
    for name, (a, b) in pairs.items():
        assert torch.allclose(again[name][0], a, atol=2e-3)
        assert torch.allclose(again[name][1], b, atol=2e-3)


def test_a_model_is_no_adapter(model_file: Path) -> None:
    with pytest.raises(ModelError, match="is not a GGUF adapter"):
        read_adapter(model_file)


def test_a_file_that_is_not_gguf_is_named(tmp_path: Path) -> None:
    file = tmp_path / "words.gguf"
    file.write_bytes(b"these are words, not tensors" * 20)
    with pytest.raises(ModelError, match=r"words\.gguf"):
        read_adapter(file)
