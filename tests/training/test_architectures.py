"""Claims about Llama, Qwen2 and Qwen3: small random models compute alike in torch and in llama.cpp."""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np
import pytest
import torch

from rag.adapt.lora import write_adapter
from rag.adapt.network import Network
from rag.adapt.train import Plan, new_pairs
from rag.adapt.weights import read_base
from rag.errors import ModelError

VOCABULARY, WIDTH, HEADS, KEY_HEADS, FEED, BLOCKS = 48, 64, 4, 2, 96, 2
HEAD = WIDTH // HEADS
IDS = [3, 17, 5, 41, 9, 9, 30, 2, 11]


def small_model(path: Path, architecture: str, **more: object) -> Path:
    """A model of random weights in float32, as GGUF."""
    random = np.random.default_rng(7)
    writer = gguf.GGUFWriter(str(path), architecture)
    writer.add_block_count(BLOCKS)
    writer.add_context_length(128)
    writer.add_embedding_length(WIDTH)
    writer.add_feed_forward_length(FEED)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KEY_HEADS)
    writer.add_rope_freq_base(10000.0)
    writer.add_layer_norm_rms_eps(1e-5)
    for key, value in more.items():
        writer.add_uint32(f"{architecture}.{key}", value)  # type: ignore[arg-type]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2" if architecture != "llama" else "smollm")
    writer.add_token_list([chr(0x10A), *(f"t{n}" for n in range(1, VOCABULARY))])
    writer.add_token_types([1] * VOCABULARY)
    writer.add_token_merges(["t 1"])
    for name, shape in shapes(architecture).items():
        values = random.normal(size=shape) * (0.3 if len(shape) > 1 else 0.05) + (
            1.0 if "norm" in name else 0.0
        )
        writer.add_tensor(name, values.astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def shapes(architecture: str) -> dict[str, tuple[int, ...]]:
    found: dict[str, tuple[int, ...]] = {
        "token_embd.weight": (VOCABULARY, WIDTH),
        "output_norm.weight": (WIDTH,),
    }
    for n in range(BLOCKS):
        block = {
            "attn_norm.weight": (WIDTH,),
            "attn_q.weight": (HEADS * HEAD, WIDTH),
            "attn_k.weight": (KEY_HEADS * HEAD, WIDTH),
            "attn_v.weight": (KEY_HEADS * HEAD, WIDTH),
            "attn_output.weight": (WIDTH, HEADS * HEAD),
            "ffn_norm.weight": (WIDTH,),
            "ffn_gate.weight": (FEED, WIDTH),
            "ffn_up.weight": (FEED, WIDTH),
            "ffn_down.weight": (WIDTH, FEED),
        }
        if architecture == "qwen2":
            block |= {f"attn_{k}.bias": (block[f"attn_{k}.weight"][0],) for k in "qkv"}
        if architecture == "qwen3":
            block |= {"attn_q_norm.weight": (HEAD,), "attn_k_norm.weight": (HEAD,)}
        found |= {f"blk.{n}.{k}": v for k, v in block.items()}
    return found


def by_llama(model: Path, adapter: Path | None) -> np.ndarray:
    import llama_cpp

    lora = str(adapter) if adapter else None
    llama = llama_cpp.Llama(str(model), n_ctx=64, logits_all=True, verbose=False, n_threads=1, lora_path=lora)
    llama.eval(IDS)
    logits = np.array(llama.scores[: len(IDS)])
    llama.close()
    return logits


@pytest.mark.parametrize("architecture", ["llama", "qwen2", "qwen3"])
def test_torch_and_llama_cpp_agree_with_and_without_an_adapter(architecture: str, tmp_path: Path) -> None:
    model = small_model(tmp_path / "model.gguf", architecture)
    base = read_base(model)
    plan = Plan(rank=3, alpha=6.0)
    generator = torch.Generator().manual_seed(1)
    pairs = {
        name: (a.half().float(), torch.randn(b.shape, generator=generator).mul(0.3).half().float())
        for name, (a, b) in new_pairs(base, plan).items()
    }
    adapter = tmp_path / "adapter.gguf"
    write_adapter(adapter, pairs, alpha=plan.alpha, architecture=architecture)
    with torch.no_grad():
        plain = Network(base)
        adapted = Network(base, pairs, scale=plan.scale)
        ours = [n.logits(n.hidden(torch.tensor([IDS]))[0]).numpy() for n in (plain, adapted)]
    theirs = [by_llama(model, None), by_llama(model, adapter)]
    assert np.abs(theirs[0] - theirs[1]).max() > 0.5  # the adapter matters
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, atol=0.02, rtol=0.01)


def test_an_architecture_that_cannot_be_trained_is_named(tmp_path: Path) -> None:
    writer = gguf.GGUFWriter(str(tmp_path / "other.gguf"), "mamba")
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    with pytest.raises(ModelError, match=r"'mamba'.*llama, qwen2, qwen3"):
        read_base(tmp_path / "other.gguf")


def test_experts_cannot_be_trained(tmp_path: Path) -> None:
    model = small_model(tmp_path / "model.gguf", "llama", expert_count=4)
    with pytest.raises(ModelError, match="experts"):
        read_base(model)


def test_a_file_that_is_no_model_is_named(tmp_path: Path) -> None:
    path = tmp_path / "notes.gguf"
    path.write_bytes(b"GGUF but nothing that follows is of any use to anyone")
    with pytest.raises(ModelError, match=r"notes\.gguf"):
        read_base(path)
