"""Which token comes next."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import GenerationError
from rag.sampling import Chooser, Sampling, drawn

LOGITS = np.log(np.array([0.1, 0.4, 0.2, 0.3], dtype=np.float32))
PLAIN = Sampling(temperature=1.0, top_k=4, top_p=1.0)


def test_first_draft_is_the_likeliest_and_of_equals_the_lowest() -> None:
    assert Chooser(9, 0, PLAIN).choose(LOGITS) == 1
    assert Chooser(9, 0, PLAIN).choose(np.zeros(4, dtype=np.float32)) == 0


@pytest.mark.parametrize(
    ("point", "token"), [(0.0, 1), (0.39, 1), (0.41, 3), (0.69, 3), (0.71, 2), (0.95, 0)]
)
def test_points_fall_into_the_distribution_likeliest_first(point: float, token: int) -> None:
    assert drawn(LOGITS, PLAIN, point) == token


def test_nucleus_and_top_k_leave_the_tail_out() -> None:
    assert {drawn(LOGITS, Sampling(1.0, 4, 0.6), p / 100) for p in range(100)} == {1, 3}
    assert {drawn(LOGITS, Sampling(1.0, 1, 1.0), p / 100) for p in range(100)} == {1}


def test_drafts_are_drawn_again_the_same_and_differ_from_each_other() -> None:
    def run(seed: int, draft: int) -> list[int]:
        chooser = Chooser(seed, draft, PLAIN)
        return [chooser.choose(LOGITS) for _ in range(40)]

    assert run(1, 1) == run(1, 1)
    assert run(1, 1) != run(1, 2)
    assert run(1, 1) != run(2, 1)


def test_draws_follow_the_probabilities() -> None:
    chooser = Chooser(5, 1, PLAIN)
    counts = np.bincount([chooser.choose(LOGITS) for _ in range(4000)], minlength=4) / 4000
    assert np.allclose(counts, [0.1, 0.4, 0.2, 0.3], atol=0.03)


@pytest.mark.parametrize("draft", [0, 1])
def test_logits_that_are_no_numbers_are_an_error(draft: int) -> None:
    with pytest.raises(GenerationError, match="no valid next word"):
        Chooser(1, draft, PLAIN).choose(np.full(4, np.nan, dtype=np.float32))


@given(
    st.lists(st.floats(-50, 50, width=32), min_size=1, max_size=60),
    st.floats(0.1, 2.0),
    st.integers(1, 80),
    st.floats(0.01, 1.0),
    st.floats(0.0, 1.0, exclude_max=True),
)
def test_what_is_drawn_is_among_the_likeliest(
    values: list[float], temperature: float, top_k: int, top_p: float, point: float
) -> None:
    logits = np.array(values, dtype=np.float32)
    token = drawn(logits, Sampling(temperature, top_k, top_p), point)
    better = int((logits > logits[token]).sum())
    assert better < top_k
