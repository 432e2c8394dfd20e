"""Which token comes next."""

from __future__ import annotations

import numpy as np
import pytest

from rag.errors import GenerationError
from rag.sampling import TEMPERATURE, Chooser

SHARES = [0.1, 0.4, 0.2, 0.3]
LOGITS = (np.log(SHARES) * TEMPERATURE).astype(np.float32)


def run(prompt: list[int], draft: int, logits: np.ndarray = LOGITS, count: int = 40) -> list[int]:
    chooser = Chooser(prompt, draft)
    return [chooser.choose(logits) for _ in range(count)]


def test_first_draft_is_the_likeliest_and_of_equals_the_lowest() -> None:
    assert run([9], 0, count=1) == [1]
    assert run([9], 0, np.zeros(4, dtype=np.float32), 1) == [0]


def test_drafts_are_drawn_again_the_same_and_differ_from_each_other() -> None:
    assert run([1, 2], 1) == run([1, 2], 1)
    assert run([1, 2], 1) != run([1, 2], 2)
    assert run([1, 2], 1) != run([1, 3], 1)


def test_draws_follow_the_probabilities() -> None:
    counts = np.bincount(run([5], 1, count=4000), minlength=4) / 4000
    assert np.allclose(counts, SHARES, atol=0.03)


def test_nucleus_leaves_the_tail_out() -> None:
    tail = [0.6, 0.36, *[0.001] * 40]
    assert set(run([5], 1, (np.log(tail) * TEMPERATURE).astype(np.float32), 2000)) == {0, 1}


@pytest.mark.parametrize("draft", [0, 1])
def test_logits_that_are_no_numbers_are_an_error(draft: int) -> None:
    with pytest.raises(GenerationError, match="no valid next word"):
        Chooser([1], draft).choose(np.full(4, np.nan, dtype=np.float32))
