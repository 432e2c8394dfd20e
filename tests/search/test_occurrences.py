"""Counting many passages at once gives what reading them one by one gives."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rag.search.occurrences import occurrences

WORDS = ("rent", "deposit", "2023", "押金", "租金", "٣", "a", "b", "1.5", "due")
TOKENS, ADDED = ("rent", "deposit", "2023", "押金"), ("due", "1.5")
PHRASES = (("due", "rent"), ("1.5",), ("rent", "deposit"))
WEIGHTS = np.array([1.0, 2.0, 0.0, 0.5])
text = st.lists(st.sampled_from(WORDS), max_size=30).map(" ".join)
passages = st.lists(st.tuples(text, text, text), max_size=6)


def _window(words: list[str], window: int) -> float:
    weights = dict(zip(TOKENS, WEIGHTS, strict=True))
    starts = range(max(1, len(words)))
    return max(sum(weights.get(w, 0.0) for w in set(words[s : s + window])) for s in starts)


def _pairs(words: list[str]) -> float:
    places = [(at, TOKENS.index(w)) for at, w in enumerate(words) if w in TOKENS]
    found = {n for at, n in places for there, m in places if 0 < there - at <= 2 and m == n + 1}
    return len(found) / (len(TOKENS) - 1)


@given(passages, st.integers(1, 12))
def test_arrays_hold_what_reading_passage_by_passage_finds(fields: list, window: int) -> None:
    seen = occurrences(fields, TOKENS, WEIGHTS, ADDED, PHRASES, window)
    assert seen.body.shape == (len(fields), len(TOKENS))
    for n, row in enumerate(fields):
        title, heading, body = (field.split() for field in row)
        for counts, words in ((seen.title, title), (seen.heading, heading), (seen.body, body)):
            assert counts[n].tolist() == [words.count(t) for t in TOKENS]
        assert seen.sizes[n].tolist() == [len(title), len(heading), len(body)]
        assert seen.digits[n] == sum(w[0].isdigit() for w in body)
        assert seen.added[n].tolist() == [body.count(t) for t in ADDED]
        assert seen.phrases[n].tolist() == [{*heading, *body}.issuperset(p) for p in PHRASES]
        assert seen.phrases_title[n].tolist() == [set(title).issuperset(p) for p in PHRASES]
        assert np.isclose(seen.window[n], _window(body, window))
        assert np.isclose(seen.pairs[n], _pairs(body))


def test_equal_passages_get_equal_numbers_wherever_they_stand() -> None:
    one = ("rent", "deposit due", "rent a deposit 2023 b rent 押金")
    seen = occurrences([one, ("", "", "押金 rent"), one, one], TOKENS, WEIGHTS / 3, ADDED, PHRASES, 4)
    assert seen.window[0] == seen.window[2] == seen.window[3]
