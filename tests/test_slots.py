"""Borders of prompts, and the places of sequences."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rag.slots import beside, cuts, moves, shared

SIZE = 8
sizes = st.integers(1, 100)


@given(length=sizes, stable=st.integers(0, 99), start=st.integers(0, 99))
def test_pieces_cover_the_rest_of_a_prompt_and_none_crosses_the_end_of_the_instructions(
    length: int, stable: int, start: int
) -> None:
    stable, start = min(stable, length - 1), min(start, length)
    pieces = list(cuts(length, stable, SIZE, start))
    assert [n for begin, end in pieces for n in range(begin, end)] == list(range(start, length))
    assert all(end - begin <= SIZE for begin, end in pieces)
    assert not any(begin < stable < end for begin, end in pieces)


@given(length=sizes, stable=st.integers(0, 99), common=st.integers(0, 99))
def test_what_is_kept_ends_where_a_piece_does_and_leaves_a_token_to_evaluate(
    length: int, stable: int, common: int
) -> None:
    stable = min(stable, length - 1)
    tokens = list(range(length))
    kept = [*tokens[:common], -1]
    held = shared(kept, tokens, stable, SIZE)
    borders = {0, *(end for _, end in cuts(length, stable, SIZE))}
    assert held in borders
    assert held < length
    assert held <= common
    assert not any(held < border <= min(common, length - 1) for border in borders)


@given(writing=st.sets(st.integers(0, 11), max_size=12), taken=st.sets(st.integers(0, 11), max_size=3))
def test_moves_bring_writers_side_by_side_and_touch_nothing_else(writing: set[int], taken: set[int]) -> None:
    taken = {n for n in taken if not writing or not min(writing) < n < max(writing)} - writing
    reading = min(taken, default=None)
    free = sorted(set(range(12)) - writing - taken)
    now = set(writing)
    for source, target in moves(sorted(writing), free, reading):
        assert source in now
        assert target not in now | taken
        now = now - {source} | {target}
    assert len(now) == len(writing)
    assert not now or max(now) - min(now) == len(now) - 1


def test_one_hole_takes_one_move() -> None:
    assert moves([0, 1, 3, 4], [2, 5, 6]) == [(4, 2)]


def test_holes_are_filled_from_the_end_that_is_farther_from_what_is_being_read() -> None:
    assert moves([0, 1, 3], [2, 5], reading=4) == [(0, 2)]
    assert moves([2, 4, 5], [1, 3], reading=0) == [(5, 3)]


def test_next_draft_is_written_beside_the_others_where_there_is_room() -> None:
    assert beside([], [2, 3]) == 2
    assert beside([1, 2], [0, 3]) == 3
    assert beside([1, 2], [0, 5]) == 0
    assert beside([1, 2], [5]) == 5
    assert beside([1, 2], []) is None
