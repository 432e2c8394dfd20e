"""What is read from inside a model: the value vectors behind a prompt, and the weights that judge by them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from rag.errors import ConfigError
from rag.models import native
from rag.models.llm import LlamaCpp, load_llm
from rag.models.native import Context, Model, judge_of
from rag.models.registry import NO_SOURCES, find_reader, readers


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Model]:
    model = Model(find_reader("embedded", tmp_path_factory.mktemp("cache"), NO_SOURCES).path)
    yield model
    model.close()


@pytest.fixture
def context(model: Model) -> Iterator[Context]:
    context = Context(model, sequences=2, context_tokens=256, slice_tokens=64, threads=1)
    yield context
    context.close()


def behind(context: Context, model: Model, text: str, sequence: int = 0) -> NDArray[np.float16]:
    tokens = model.tokenize(text, special=False)
    context.cut(sequence, 0)
    context.evaluate(tokens, range(len(tokens)), [sequence] * len(tokens), wanted=[len(tokens) - 1])
    values = context.values(sequence, len(tokens))
    assert values is not None
    return values


def test_values_are_those_of_the_last_token(context: Context, model: Model) -> None:
    """In the first layer they come of the token alone, whatever stands in front; farther up of all."""
    rent, dose = behind(context, model, "the rent is due on the day"), behind(context, model, "no dose a day")
    other = behind(context, model, "the rent is due on the month")
    assert rent.shape == (model.layers, model.width)
    assert np.abs(rent[0] - dose[0]).max() < 0.01 * np.abs(rent[0]).max()
    assert np.abs(rent[0] - other[0]).max() > 0.1 * np.abs(rent[0]).max()
    assert np.abs(rent[-1] - dose[-1]).max() > 0.1 * np.abs(rent[-1]).max()


def test_values_are_the_same_in_each_sequence_and_after_a_part_was_taken_back(
    context: Context, model: Model
) -> None:
    text = "the rent is due on the first day of each month"
    first, tokens = behind(context, model, text), model.tokenize(text, special=False)
    assert (behind(context, model, text, sequence=1) == first).all()
    half, rest = len(tokens) // 2, len(tokens) - len(tokens) // 2
    other = model.tokenize(" a dose of 25 mg is taken twice", special=False)
    context.cut(0, half)
    context.evaluate(other, range(half, half + len(other)), [0] * len(other), wanted=[0])
    assert context.cut(0, half) == half
    context.evaluate(tokens[half:], range(half, len(tokens)), [0] * rest, wanted=[rest - 1])
    again = context.values(0, len(tokens))
    assert again is not None and np.abs(again - first).max() < 0.02 * np.abs(first).max()


def test_state_of_another_length_has_no_values(context: Context, model: Model) -> None:
    text = "the rent is due"
    behind(context, model, text)
    assert context.values(0, len(model.tokenize(text, special=False)) + 1) is None


def test_default_reader_has_a_judge_of_its_shape_and_the_smallest_has_none() -> None:
    known = {each.name for each in readers()}
    found = judge_of("qwen2.5-coder-1.5b")
    assert "qwen2.5-coder-1.5b" in known and found is not None
    assert found.weights.shape == (len(found.layers), 256) and max(found.layers) < 28
    assert np.isfinite(found.odds(np.ones((28, 256), dtype=np.float16)))
    assert judge_of("smollm2-135m") is None


def test_model_without_weights_says_its_own_odds(tmp_path: Path) -> None:
    llm = load_llm("embedded", cache_dir=tmp_path, threads=1)
    assert isinstance(llm, LlamaCpp) and llm.judge is None and not llm.info.probed
    llm.close()


def test_damaged_weights_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "judge.json").write_text('{"m": {"layers": [1, 2], "weights": [[0.5]], "bias": 0}}')
    monkeypatch.setattr(native, "files", lambda package: tmp_path)
    with pytest.raises(ConfigError, match="Reinstall"):
        judge_of("m")
