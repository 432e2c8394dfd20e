"""Claims about training: it lowers the loss, stops, and goes on where it was killed."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from rag.adapt import train as training
from rag.adapt.encoding import Encoded, Encoder, batches
from rag.adapt.examples import Example, Source
from rag.adapt.network import Network
from rag.adapt.train import Plan, State, loss_of, train
from rag.adapt.weights import Base

pytestmark = pytest.mark.models

PLAN = Plan(rank=2, alpha=4.0, rate=2e-3, tokens=400, passes=4, checks=2, first_block=24)
CITIES = ("Oslo", "Riga", "Turin", "Porto", "Ghent", "Malmo", "Varna", "Brno")


def made(city: str, right: int) -> Example:
    texts = [f"The fair of {year} was held in {place}." for year, place in (("1901", city), ("1950", "Lima"))]
    sources = tuple(Source("Fairs", t) for t in (texts if right == 1 else texts[::-1]))
    return Example("Where was the fair of 1901 held?", sources, right, city, "test")


@pytest.fixture(scope="module")
def examples(encoder: Encoder) -> list[Encoded]:
    return [encoder.example(made(city, 1 + i % 2)) for i, city in enumerate(CITIES)]


def test_twenty_steps_lower_the_loss(base: Base, examples: list[Encoded]) -> None:
    state = train(base, examples, examples, PLAN)
    assert state.step <= 20
    assert state.best_loss < 0.7 * state.first_loss
    best = Network(base, state.best, scale=PLAN.scale)
    assert loss_of(best, examples, PLAN) == pytest.approx(state.best_loss, rel=1e-3)


def test_the_gradient_is_the_slope_of_the_loss(base: Base, examples: list[Encoded]) -> None:
    pairs = {k: (a, b + 0.01) for k, (a, b) in training.new_pairs(base, PLAN).items()}
    a, b = pairs["blk.26.attn_k"]
    a.requires_grad_(), b.requires_grad_()
    network = Network(base, pairs, scale=PLAN.scale)
    training._loss(network, examples[:2]).backward()
    for tensor in (a, b):
        place = divmod(int(tensor.grad.abs().argmax()), tensor.shape[1])
        slope, step = float(tensor.grad[place]), 1.0 * float(tensor.detach().abs().mean())
        sides = []
        for sign in (1, -1):
            with torch.no_grad():
                tensor[place] += sign * step
                sides.append(float(training._loss(network, examples[:2])))
                tensor[place] -= sign * step
        assert (sides[0] - sides[1]) / (2 * step) == pytest.approx(slope, rel=0.05)


class Killed(Exception):
    pass


def test_a_killed_run_goes_on_and_ends_with_the_same_adapter(
    base: Base, examples: list[Encoded], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = replace(PLAN, passes=2)
    whole = train(base, examples, examples, plan)
    checkpoint = tmp_path / "run.checkpoint"
    monkeypatch.setattr(training, "_SAVE_SECONDS", 0.0)

    def kill(progress: object) -> None:
        if progress.done == 2:  # type: ignore[attr-defined]
            raise Killed

    with pytest.raises(Killed):
        train(base, examples, examples, plan, checkpoint=checkpoint, progress=kill)
    assert checkpoint.is_file()
    steps: list[int] = []
    again = train(
        base, examples, examples, plan, checkpoint=checkpoint, progress=lambda p: steps.append(p.done)
    )
    assert steps[0] == 3
    assert same(whole, again)
    assert not checkpoint.exists()


def same(one: State, other: State) -> bool:
    return all(
        torch.allclose(a, c, atol=1e-6) and torch.allclose(b, d, atol=1e-6)
        for (a, b), (c, d) in zip(one.best.values(), other.best.values(), strict=True)
    )


def test_a_checkpoint_of_another_plan_is_not_gone_on_from(
    base: Base, examples: list[Encoded], tmp_path: Path
) -> None:
    checkpoint = tmp_path / "run.checkpoint"
    checkpoint.write_bytes(b"not a checkpoint at all")
    steps: list[int] = []
    plan = replace(PLAN, passes=1)
    train(base, examples, examples, plan, checkpoint=checkpoint, progress=lambda p: steps.append(p.done))
    assert steps[0] == 1


def test_the_time_allowed_ends_a_run(base: Base, examples: list[Encoded]) -> None:
    state = train(base, examples, examples, replace(PLAN, passes=500, minutes=0.05))
    assert state.finished == "the time is up"
    assert state.step < 500


def test_a_loss_that_no_longer_falls_ends_a_run(
    base: Base, examples: list[Encoded], encoder: Encoder
) -> None:
    other = [encoder.example(replace(made(c, 1), right=0, answer="")) for c in CITIES[:2]]
    state = train(base, examples, other, replace(PLAN, passes=60, checks=60))
    assert state.finished == "the held-out loss no longer falls"
    assert state.best_loss == min(loss for _, loss in state.held)


def test_batches_hold_every_example_once_within_their_size() -> None:
    encoded = [Encoded(tuple(range(10 + 7 * (i % 13))), 5) for i in range(300)]
    found = list(batches(encoded, range(300), tokens=200, step=1))
    assert sorted(i for batch in found for i in batch) == list(range(300))
    assert all(len(b) * max(len(encoded[i].ids) for i in b) <= 200 for b in found if len(b) > 1)
