"""Which sequence of a context serves what. llama.cpp computes sequences together only where their numbers
follow one another, so that those that write are kept side by side; and a question goes where most of its
beginning is still in memory. Pure bookkeeping: no model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence


def cuts(length: int, stable: int, size: int, start: int = 0) -> Iterator[tuple[int, int]]:
    """The pieces [begin, end) in which a prompt of `length` tokens is evaluated from `start` on: at most
    `size` long, with a border where its `stable` beginning ends, so that this is computed alike for every
    question."""
    while start < length:
        end = min(start + size, stable if start < stable else length, length)
        yield start, end
        start = end


def shared(kept: Sequence[int], tokens: Sequence[int], stable: int, size: int) -> int:
    """Tokens of the common beginning that need no evaluation: up to a border of `cuts` behind a whole piece,
    leaving at least one token to evaluate."""
    length = 0
    for a, b in zip(kept, tokens[:-1], strict=False):
        if a != b:
            break
        length += 1
    if length >= stable:
        return length - (length - stable) % size
    return length - length % size


def moves(writing: Sequence[int], free: Sequence[int], reading: int | None = None) -> list[tuple[int, int]]:
    """Pairs (from, to) that bring the writing sequences side by side, as far as free ones lie between them;
    the fewest there can be. Holes are filled from the end that is farther from the sequence `reading`."""
    block, holes = set(writing), set(free)
    found: list[tuple[int, int]] = []
    while block:
        low, high = min(block), max(block)
        between = sorted(n for n in holes if low < n < high)
        if not between:
            break
        pair = (low, between[-1]) if reading is not None and reading > high else (high, between[0])
        found.append(pair)
        block = block - {pair[0]} | {pair[1]}
        holes = holes - {pair[1]} | {pair[0]}
    return found


def beside(writing: Sequence[int], free: Sequence[int]) -> int | None:
    """The free sequence to write in next: beside those that write where that can be; None where none is
    free."""
    if writing:
        near = (max(writing) + 1, min(writing) - 1)
        return next((n for n in near if n in free), free[0] if free else None)
    return free[0] if free else None
