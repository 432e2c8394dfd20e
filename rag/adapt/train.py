"""Trains a LoRA beside a frozen model: bf16 base, float32 adapter, loss at the target tokens only.

Stops at the held-out loss's best point, at the last example, or when the time is up; continues from a
checkpoint that is written atomically. The same plan, examples and seed give the same adapter on the same
machine."""

from __future__ import annotations

import io
import os
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.adapt.encoding import Encoded, batches, padded
from rag.adapt.network import Adapter, Network
from rag.adapt.weights import LINEAR, Base, need_torch
from rag.files import write_atomically
from rag.types import Progress

if TYPE_CHECKING:
    from torch import Tensor

_CHECK_EXAMPLES = 160
_PATIENCE = 4
_NUMBER_WEIGHT = 3.0
"""The first target token, the sentence's number, weighs this much against 1 for the others."""
_SAVE_SECONDS = 60.0
_STEP = 8
"""Lengths are padded to multiples of this: matrix units work in such steps."""
ProgressCallback = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """How to train. `rate` is the highest learning rate, reached after `warmup` of the steps and led to zero
    in a straight line; `tokens` is one step's size; `minutes` 0: no limit; `passes` over the examples;
    `first_block`: blocks before it get no adapter."""

    rank: int = 16
    alpha: float = 32.0
    rate: float = 6e-4
    warmup: float = 0.05
    tokens: int = 2048
    passes: int = 2
    minutes: float = 0.0
    checks: int = 10
    seed: int = 0
    first_block: int = 0
    threads: int = 1

    @property
    def scale(self) -> float:
        return self.alpha / self.rank


@dataclass(slots=True)
class State:
    """Where training stands: `pairs` learn, `best` are those with the lowest held-out loss so far."""

    pairs: dict[str, tuple[Tensor, Tensor]]
    best: dict[str, tuple[Tensor, Tensor]]
    best_loss: float = float("inf")
    first_loss: float = float("nan")
    step: int = 0
    seconds: float = 0.0
    worse: int = 0
    losses: list[float] = field(default_factory=list)
    held: list[tuple[int, float]] = field(default_factory=list)
    finished: str = ""


def new_pairs(base: Base, plan: Plan) -> dict[str, tuple[Tensor, Tensor]]:
    """A at random (Kaiming uniform), B zero: training begins at the plain model."""
    torch = need_torch()
    generator = torch.Generator().manual_seed(plan.seed)
    pairs = {}
    for block in range(plan.first_block, base.shape.blocks):
        for name in LINEAR:
            outputs, inputs = base.tensors[f"blk.{block}.{name}.weight"].shape
            a = torch.empty(plan.rank, inputs).uniform_(-1.0, 1.0, generator=generator) / inputs**0.5
            pairs[f"blk.{block}.{name}"] = (a, torch.zeros(outputs, plan.rank))
    return pairs


def train(
    base: Base,
    examples: Sequence[Encoded],
    held_out: Sequence[Encoded],
    plan: Plan,
    *,
    start: Adapter | None = None,
    checkpoint: Path | None = None,
    progress: ProgressCallback | None = None,
) -> State:
    """The state at the end; `best` is the adapter to keep. `start`: an adapter to go on from. A checkpoint
    at that path of the same plan and examples is gone on from, and removed when training has ended."""
    torch = need_torch()
    torch.set_num_threads(plan.threads or len(os.sched_getaffinity(0)))
    device = base.tensors["token_embd.weight"].device
    pairs = {k: (a.to(device), b.to(device)) for k, (a, b) in (start or new_pairs(base, plan)).items()}
    for a, b in pairs.values():
        a.requires_grad_(), b.requires_grad_()
    state = State(pairs, _copy(pairs))
    learn = [t for pair in pairs.values() for t in pair]
    optimiser = torch.optim.AdamW(learn, lr=plan.rate, weight_decay=0.01, betas=(0.9, 0.98))
    mark = _mark(plan, examples)
    _resume(state, optimiser, checkpoint, mark)
    network = Network(base, pairs, scale=plan.scale)
    steps = _steps(examples, plan)
    check_every = max(1, len(steps) // max(1, plan.checks))
    begun, saved = time.monotonic() - state.seconds, time.monotonic()
    if state.step == 0 and not state.held:
        state.first_loss = loss_of(network, held_out[:_CHECK_EXAMPLES], plan)
        state.held.append((0, state.first_loss))
    while state.step < len(steps) and not state.finished:
        done = max(state.step / len(steps), state.seconds / (60 * plan.minutes) if plan.minutes else 0.0)
        if done >= 1.0:
            state.finished = "the time is up"
            break
        for group in optimiser.param_groups:
            group["lr"] = (
                plan.rate * min(1.0, (state.step + 1) / max(1, plan.warmup * len(steps))) * (1 - done)
            )
        loss = _loss(network, [examples[i] for i in steps[state.step]])
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(learn, 1.0)
        optimiser.step()
        state.losses.append(float(loss.detach()))
        state.step += 1
        state.seconds = time.monotonic() - begun
        if state.step % check_every == 0 or state.step == len(steps):
            _check(state, loss_of(network, held_out[:_CHECK_EXAMPLES], plan))
        if checkpoint is not None and (
            time.monotonic() - saved > _SAVE_SECONDS or state.step % check_every == 0
        ):
            _save(state, optimiser, checkpoint, mark)
            saved = time.monotonic()
        if progress is not None:
            progress(_told(state, len(steps), plan))
    if state.step % check_every or not state.held:
        _check(state, loss_of(network, held_out[:_CHECK_EXAMPLES], plan))
    state.finished = state.finished or "all examples were seen"
    if checkpoint is not None:
        checkpoint.unlink(missing_ok=True)
    return state


def _steps(examples: Sequence[Encoded], plan: Plan) -> list[list[int]]:
    """The examples of every step of every pass: known from the start, so that a resumed run sees what is
    left."""
    generator = random.Random(plan.seed)
    steps: list[list[int]] = []
    for _ in range(plan.passes):
        order = generator.sample(range(len(examples)), len(examples))
        steps += batches(examples, order, tokens=plan.tokens, step=_STEP)
    return steps


def loss_of(network: Network, examples: Sequence[Encoded], plan: Plan) -> float:
    """Mean loss per step's batch over examples, nothing learned."""
    torch = need_torch()
    if not examples:
        return float("nan")
    total = 0.0
    with torch.no_grad():
        for batch in batches(examples, range(len(examples)), tokens=plan.tokens, step=_STEP):
            total += float(_loss(network, [examples[i] for i in batch])) * len(batch)
    return total / len(examples)


def _loss(network: Network, batch: Sequence[Encoded]) -> Tensor:
    """Cross entropy at the target tokens, averaged by weight; a batch's mean over its examples."""
    torch = need_torch()
    longest = padded(max(len(e.ids) for e in batch), _STEP)
    ids = torch.zeros(len(batch), longest, dtype=torch.long)
    rows, places, wanted, weights = [], [], [], []
    for row, example in enumerate(batch):
        ids[row, : len(example.ids)] = torch.tensor(example.ids)
        for place in range(example.start, len(example.ids)):
            rows.append(row)
            places.append(place - 1)
            wanted.append(example.ids[place])
            first = place == example.start
            weights.append(_NUMBER_WEIGHT if first else 1.0 / max(1, len(example.ids) - example.start - 1))
    hidden = network.hidden(ids.to(network.device))[rows, places]
    losses = torch.nn.functional.cross_entropy(
        network.logits(hidden), torch.tensor(wanted, device=network.device), reduction="none"
    )
    weight = torch.tensor(weights, device=network.device)
    total: Tensor = (losses * weight).sum() / weight.sum()
    return total


def _check(state: State, loss: float) -> None:
    state.held.append((state.step, loss))
    if loss < state.best_loss or loss != loss:
        state.best_loss, state.best, state.worse = loss, _copy(state.pairs), 0
    else:
        state.worse += 1
        if state.worse >= _PATIENCE:
            state.finished = "the held-out loss no longer falls"


def _copy(pairs: Mapping[str, tuple[Tensor, Tensor]]) -> dict[str, tuple[Tensor, Tensor]]:
    return {
        k: (a.detach().float().cpu().clone(), b.detach().float().cpu().clone()) for k, (a, b) in pairs.items()
    }


def _told(state: State, steps: int, plan: Plan) -> Progress:
    rate = state.step / max(1e-9, state.seconds)
    left = (steps - state.step) / rate
    if plan.minutes:
        left = min(left, 60 * plan.minutes - state.seconds)
    recent = state.losses[-20:]
    held = f", held out {state.held[-1][1]:.3f}" if state.held else ""
    return Progress(
        "training", state.step, steps, rate, max(0.0, left), f"loss {sum(recent) / len(recent):.3f}{held}"
    )


def _mark(plan: Plan, examples: Sequence[Encoded]) -> dict[str, Any]:
    """What a checkpoint must agree with to be gone on from; the time allowed and the threads may differ."""
    settings = {k: v for k, v in asdict(plan).items() if k not in ("minutes", "threads", "checks")}
    return settings | {"examples": len(examples), "ids": hash(tuple(e.ids for e in examples))}


def _save(state: State, optimiser: Any, path: Path, mark: Mapping[str, Any]) -> None:
    torch = need_torch()
    held = {
        "mark": dict(mark),
        "pairs": _copy(state.pairs),
        "best": state.best,
        "optimiser": optimiser.state_dict(),
        "numbers": (state.best_loss, state.first_loss, state.step, state.seconds, state.worse),
        "losses": state.losses,
        "held": state.held,
    }
    buffer = io.BytesIO()
    torch.save(held, buffer)
    write_atomically(path, buffer.getvalue())


def _resume(state: State, optimiser: Any, path: Path | None, mark: Mapping[str, Any]) -> None:
    """Takes up a checkpoint of the same plan; another one is left alone and written over."""
    torch = need_torch()
    if path is None or not path.is_file():
        return
    try:
        held = torch.load(path, map_location="cpu", weights_only=True)
    except Exception:  # a damaged or foreign file is no checkpoint; training begins anew
        return
    if held.get("mark") != dict(mark):
        return
    with torch.no_grad():
        for name, (a, b) in state.pairs.items():
            a.copy_(held["pairs"][name][0])
            b.copy_(held["pairs"][name][1])
    optimiser.load_state_dict(held["optimiser"])
    state.best = held["best"]
    state.best_loss, state.first_loss, state.step, state.seconds, state.worse = held["numbers"]
    state.losses, state.held = held["losses"], held["held"]
