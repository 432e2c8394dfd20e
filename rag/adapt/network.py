"""The forward pass of a Llama, Qwen2 or Qwen3 network over GGUF weights, with LoRA beside its linear layers.

Computes what llama.cpp computes for the same file, in torch and therefore with gradients: RMSNorm, rotary
positions, grouped-query attention, SwiGLU. LoRA (Hu et al., 2021, arXiv 2106.09685) adds (alpha / r) B A x.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from rag.adapt.weights import Base, Shape, need_torch

if TYPE_CHECKING:
    from torch import Tensor

Pair = tuple["Tensor", "Tensor"]
"""A (rank x inputs) and B (outputs x rank)."""
Adapter = Mapping[str, Pair]
"""Pairs by the name of the tensor that they stand beside, such as "blk.0.attn_q"."""
Block = Callable[..., "Tensor"]


class Network:
    """A frozen base and the adapter that learns beside it. `scale` is alpha / rank."""

    def __init__(self, base: Base, adapter: Adapter | None = None, *, scale: float = 1.0) -> None:
        self._torch = need_torch()
        self.shape, self.tensors = base.shape, base.tensors
        self.adapter, self.scale = dict(adapter or {}), scale
        embedding = base.tensors["token_embd.weight"]
        self._dtype, self.device = embedding.dtype, embedding.device
        self._block: Block = block_of(base.shape)
        self._turns: dict[int, tuple[Tensor, Tensor, Tensor]] = {}

    def hidden(self, ids: Tensor) -> Tensor:
        """Final hidden states, normalised: (batch, length) ids -> (batch, length, width). Padding stands at
        the right, where causal attention keeps it from having any effect."""
        x = self._torch.nn.functional.embedding(ids, self.tensors["token_embd.weight"])
        turn = self._turn(ids.shape[1])
        for number in range(self.shape.blocks):
            x = self._block(x, *turn, *self._parts(f"blk.{number}"))
        return norm(x, self.tensors["output_norm.weight"], self.shape.epsilon)

    def logits(self, hidden: Tensor) -> Tensor:
        """(n, width) hidden states -> (n, vocabulary), float32."""
        head = self.tensors.get("output.weight", self.tensors["token_embd.weight"])
        return self._torch.nn.functional.linear(hidden, head).float()

    def _parts(self, block: str) -> tuple[dict[str, Tensor], dict[str, Pair]]:
        """The block's own tensors and pairs by their short names, the scale in B, in the base's precision."""
        cut = len(block) + 1
        frozen = {k[cut:]: v for k, v in self._of(self.tensors, block)}
        beside = {
            k[cut:]: (a.to(self._dtype), (b * self.scale).to(self._dtype))
            for k, (a, b) in self._of(self.adapter, block)
        }
        return frozen, beside

    def _of(self, table: Mapping[str, Any], block: str) -> list[tuple[str, Any]]:
        return [(k, v) for k, v in table.items() if k.startswith(f"{block}.")]

    def _turn(self, length: int) -> tuple[Tensor, Tensor, Tensor]:
        """Cosine, sine, and the mask that keeps later positions from earlier ones."""
        if length not in self._turns:
            hidden = self._torch.full((length, length), -1e9, dtype=self._torch.float32).triu(1)
            one, two, three = (t.to(self.device, self._dtype) for t in (*angles(self.shape, length), hidden))
            self._turns[length] = (one, two, three)
        return self._turns[length]


def beside_linear(x: Tensor, weight: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """W x + B A x, where W does not learn. Both products are added while they are made, forwards and
    backwards: as separate operations the additions took as long as the products."""
    flat = _beside_function().apply(x.reshape(-1, x.shape[-1]), weight, a, b)
    y: Tensor = flat.view(*x.shape[:-1], weight.shape[0])
    return y


@lru_cache(maxsize=1)
def _beside_function() -> Any:
    torch = need_torch()

    class Beside(torch.autograd.Function):  # type: ignore[misc, name-defined]
        @staticmethod
        def forward(context: Any, x: Tensor, weight: Tensor, a: Tensor, b: Tensor) -> Tensor:
            inner = x @ a.t()
            context.save_for_backward(x, weight, a, b, inner)
            y: Tensor = torch.addmm(x @ weight.t(), inner, b.t())
            return y

        @staticmethod
        def backward(context: Any, dy: Tensor) -> tuple[Tensor | None, None, Tensor, Tensor]:
            x, weight, a, b, inner = context.saved_tensors
            through = dy @ b
            dx = torch.addmm(dy @ weight, through, a) if context.needs_input_grad[0] else None
            return dx, None, through.t() @ x, dy.t() @ inner

    return Beside


def block_of(shape: Shape) -> Block:
    """One block as a function of (x, cos, sin, mask, frozen tensors, pairs). Attention is spelled out: for
    prompts of a few hundred tokens that is faster on a CPU, backwards above all, than torch's own (2.13, with
    AMX: 560 tokens/s against 520)."""
    import torch.nn.functional as functional

    def linear(x: Tensor, name: str, frozen: dict[str, Tensor], beside: dict[str, Pair]) -> Tensor:
        weight = frozen[f"{name}.weight"]
        plain = name not in beside
        y: Tensor = functional.linear(x, weight) if plain else beside_linear(x, weight, *beside[name])
        return y + frozen[f"{name}.bias"].to(y.dtype) if f"{name}.bias" in frozen else y

    group = shape.heads // shape.key_heads

    def attention(
        x: Tensor, cos: Tensor, sin: Tensor, mask: Tensor, frozen: dict[str, Tensor], beside: dict[str, Pair]
    ) -> Tensor:
        batch, length, _ = x.shape
        q = linear(x, "attn_q", frozen, beside).view(batch, length, shape.heads, shape.head)
        k = linear(x, "attn_k", frozen, beside).view(batch, length, shape.key_heads, shape.head)
        v = linear(x, "attn_v", frozen, beside).view(batch, length, shape.key_heads, shape.head)
        if "attn_q_norm.weight" in frozen:
            q = norm(q, frozen["attn_q_norm.weight"], shape.epsilon)
            k = norm(k, frozen["attn_k_norm.weight"], shape.epsilon)
        q = rotate(q.transpose(1, 2), cos, sin, pairs=shape.pairs)
        k = rotate(k.transpose(1, 2), cos, sin, pairs=shape.pairs)
        # The queries that share a key head stand one after another: (batch, key heads, group x length, head).
        near = (
            q.reshape(batch, shape.key_heads, group * length, shape.head) @ k.transpose(2, 3)
        ) * shape.head**-0.5
        near = near.view(batch, shape.key_heads, group, length, length) + mask
        share = near.softmax(-1).view(batch, shape.key_heads, group * length, length)
        y = (share @ v.transpose(1, 2)).view(batch, shape.heads, length, shape.head)
        return linear(y.transpose(1, 2).reshape(batch, length, -1), "attn_output", frozen, beside)

    def block(
        x: Tensor, cos: Tensor, sin: Tensor, mask: Tensor, frozen: dict[str, Tensor], beside: dict[str, Pair]
    ) -> Tensor:
        x = x + attention(norm(x, frozen["attn_norm.weight"], shape.epsilon), cos, sin, mask, frozen, beside)
        y = norm(x, frozen["ffn_norm.weight"], shape.epsilon)
        gate = functional.silu(linear(y, "ffn_gate", frozen, beside))
        return x + linear(gate * linear(y, "ffn_up", frozen, beside), "ffn_down", frozen, beside)

    return block


def norm(x: Tensor, weight: Tensor, epsilon: float) -> Tensor:
    """RMSNorm (Zhang and Sennrich, 2019) over the last dimension, computed in float32."""
    full = x.float()
    scaled: Tensor = full * (full.pow(2).mean(-1, keepdim=True) + epsilon).rsqrt() * weight
    return scaled.to(x.dtype)


def angles(shape: Shape, length: int) -> Pair:
    """Cosine and sine of the rotary angles (Su et al., 2021): (length, head / 2) each."""
    torch = need_torch()
    steps = torch.arange(0, shape.head, 2, dtype=torch.float64) / shape.head
    turned = torch.outer(torch.arange(length, dtype=torch.float64), shape.theta**-steps)
    return turned.cos(), turned.sin()


def rotate(x: Tensor, cos: Tensor, sin: Tensor, *, pairs: bool) -> Tensor:
    """(batch, heads, length, head) turned by the angles: neighbours together, or the two halves."""
    import torch

    if pairs:
        a, b = x.unflatten(-1, (-1, 2)).unbind(-1)
        return torch.stack((a * cos - b * sin, a * sin + b * cos), dim=-1).flatten(-2)
    a, b = x.chunk(2, dim=-1)
    return torch.cat((a * cos - b * sin, a * sin + b * cos), dim=-1)
