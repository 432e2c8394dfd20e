"""The engine over a context that remembers what it was given: whatever happens beside it, each prompt is
answered as if it were alone."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from rag.errors import GenerationError
from rag.models.engine import Engine, Odds, Request, cuts, likeliest, shared
from rag.models.native import Interrupted, Judge, Prefixes
from rag.types import Queued

SIZE = 4
WORDS = 12
END = 0


class RememberingContext:
    """Each sequence is the list of its tokens; the next word is a hash of all of them. Only a sequence
    that holds exactly what a prompt would have computed gives its answer."""

    def __init__(self, sequences: int) -> None:
        self.sequences = sequences
        self.held: list[list[int]] = [[] for _ in range(sequences)]
        self.rows: list[NDArray[np.float32]] = []
        self.calls: list[list[int]] = []
        self.seconds = 0.0
        self.shows_values = True
        self.stopped = threading.Event()
        self.closed = False

    def evaluate(
        self,
        tokens: Sequence[int],
        positions: Sequence[int],
        sequences: Sequence[int],
        *,
        wanted: Sequence[int] = (),
    ) -> None:
        if self.stopped.wait(self.seconds):
            raise Interrupted
        self.calls.append(list(sequences))
        self.rows = []
        for token, position, number in zip(tokens, positions, sequences, strict=True):
            assert position == len(self.held[number]), "positions are filled without gaps"
            self.held[number].append(token)
            self.rows.append(next_word(self.held[number]))

    def logits(self, row: int) -> NDArray[np.float32]:
        return self.rows[row]

    def interrupt(self, on: bool) -> None:
        if on:
            self.stopped.set()
        else:
            self.stopped.clear()

    def cut(self, sequence: int, position: int) -> int:
        del self.held[sequence][position:]
        return position

    def state(self, sequence: int) -> bytes:
        return repr(self.held[sequence]).encode()

    def values(self, sequence: int, tokens: int) -> NDArray[np.float16] | None:
        assert tokens == len(self.held[sequence]), "the last token of the prompt is looked at"
        return np.full((3, 2), self.held[sequence][-1], dtype=np.float16) if self.shows_values else None

    def restore(self, sequence: int, state: bytes) -> bool:
        self.held[sequence] = eval(state)
        return True

    def close(self) -> None:
        self.closed = True


class Digits:
    """A model whose token n is written "n "."""

    def is_end(self, token: int) -> bool:
        return token == END

    def bytes_of(self, token: int, *, special: bool = False) -> bytes:
        return f"{token} ".encode()

    def close(self) -> None:
        """There are no weights."""


def next_word(cells: Sequence[int]) -> NDArray[np.float32]:
    digest = hashlib.sha256(repr(list(cells)).encode()).digest()
    return np.frombuffer(digest[:WORDS], dtype=np.uint8).astype(np.float32) / 32


def alone(tokens: Sequence[int], max_tokens: int) -> str:
    cells = list(tokens)
    said = ""
    for _ in range(max_tokens):
        token = int(np.argmax(next_word(cells)))
        if token == END:
            break
        said += f"{token} "
        cells.append(token)
    return said


@pytest.fixture
def made() -> Iterator[list[Engine]]:
    engines: list[Engine] = []
    yield engines
    for engine in engines:
        engine.close()


def start(
    sequences: int, made: list[Engine] | None = None, folder: Path = Path(os.devnull) / "none"
) -> tuple[Engine, RememberingContext]:
    context: Any = RememberingContext(sequences)
    model: Any = Digits()
    engine = Engine(context, model, slice_tokens=SIZE, prefixes=Prefixes(folder, {}))
    if made is not None:
        made.append(engine)
    return engine, context


def text(request: Request) -> str:
    return "".join(piece for piece in request.follow() if isinstance(piece, str))


prompts = st.builds(
    lambda stable, user, ending: (
        [*range(1, stable + 1), *user, *ending],
        (stable, stable + len(user)),
    ),
    st.sampled_from([0, 3, 20]),
    st.lists(st.integers(1, 3), max_size=14),
    st.lists(st.integers(1, 3), min_size=1, max_size=6),
)
asked = st.tuples(prompts, st.integers(1, 12), st.booleans())


@settings(max_examples=60)
@given(sequences=st.integers(1, 5), wanted=st.lists(asked, min_size=1, max_size=9))
def test_each_prompt_is_answered_as_if_it_were_alone(sequences: int, wanted: list[Any]) -> None:
    engine, _ = start(sequences)
    try:
        requests = []
        for (tokens, borders), length, leaves in wanted:
            request = Request(tokens, borders=borders, max_tokens=length)
            engine.offer(request)
            if leaves:
                request.cancel()
            requests.append((request, leaves))
        for request, leaves in requests:
            if not leaves:
                expected = alone(request.tokens, request.max_tokens)
                assert text(request) == expected
    finally:
        engine.close()


@given(sequences=st.integers(1, 6), busy=st.integers(0, 4))
@settings(max_examples=30)
def test_answers_are_the_same_whatever_is_written_beside_them(sequences: int, busy: int) -> None:
    def ask(among: int, sequences: int) -> list[str]:
        engine, _ = start(sequences)
        try:
            others = [Request([5, 6, n + 1], max_tokens=9) for n in range(among)]
            mine = [Request([1, 2, 3, 4, 5, 6, n], borders=(2,), max_tokens=10) for n in range(4)]
            for request in [*others, *mine]:
                engine.offer(request)
            return [text(request) for request in mine]
        finally:
            engine.close()

    assert ask(busy, sequences) == ask(0, 1)


def test_answers_are_written_together(made: list[Engine]) -> None:
    engine, context = start(4, made)
    context.seconds = 0.002
    requests = [Request([n, n, n, n, n], max_tokens=30) for n in range(1, 9)]
    for request in requests:
        engine.offer(request)
    for request in requests:
        assert text(request) == alone(request.tokens, 30)
    steps = [numbers for numbers in context.calls if len(set(numbers)) == len(numbers) > 1]
    assert max(map(len, steps)) == 4


def test_running_answer_goes_on_while_a_long_prompt_is_read(made: list[Engine]) -> None:
    engine, context = start(2, made)
    context.seconds = 0.002
    first, long = Request(talkative(50), max_tokens=50), Request([3, 1] * 100, max_tokens=1)
    reader = first.follow()
    engine.offer(first)
    next(reader)
    engine.offer(long)
    assert text(long) == alone(long.tokens, 1)
    order = [len(numbers) > 1 for numbers in context.calls]
    begun, ended = order.index(True), len(order) - order[::-1].index(True)
    assert order[begun:ended].count(False) > 10, "steps of the one stand between pieces of the other"
    assert len(list(reader)) == 49


def talkative(words: int) -> list[int]:
    """A prompt whose answer is at least that long."""
    return next([a, b] for a in range(1, 99) for b in range(99) if len(alone([a, b], words).split()) == words)


def test_beginning_that_is_still_held_is_not_read_again(made: list[Engine]) -> None:
    engine, context = start(1, made)
    beginning = list(range(1, 8)) * 4
    said = [text_after(engine, Request([*beginning, n], borders=(2,), max_tokens=1)) for n in (1, 2)]
    assert all(said)
    read = [len(numbers) for numbers in context.calls]
    assert sum(read) < len(beginning) + 1 + 2 * SIZE


def text_after(engine: Engine, request: Request) -> str:
    engine.offer(request)
    return text(request)


def test_instructions_are_read_once_for_all_sequences(made: list[Engine], tmp_path: Path) -> None:
    engine, context = start(3, made, tmp_path)
    instructions = [1 + n % 9 for n in range(40)]
    for _ in range(2):
        context.calls.clear()
        for n in range(4):
            request = Request([*instructions, n + 1, 9], borders=(40,), max_tokens=1)
            assert text_after(engine, request) == alone(request.tokens, 1)
    assert sum(map(len, context.calls)) == 4 * 2, "by then, only what differs is read"


ENDED = [1 + n % 9 for n in range(30)]


def test_second_ending_is_all_that_is_read_of_a_prompt(made: list[Engine], tmp_path: Path) -> None:
    engine, context = start(1, made, tmp_path)
    text_after(engine, Request([*ENDED, 1, 2, 3], borders=(20, 30), max_tokens=3))
    context.calls.clear()
    other = Request([*ENDED, 4, 5], borders=(20, 30), max_tokens=1)
    assert text_after(engine, other) == alone(other.tokens, 1)
    assert sum(map(len, context.calls)) == 2


def test_other_question_is_all_that_is_read_behind_the_instructions(
    made: list[Engine], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, context = start(1, made, tmp_path)
    text_after(engine, Request([*ENDED, 1, 2, 3], borders=(20, 30), max_tokens=3))
    context.calls.clear()
    monkeypatch.setattr(context, "restore", None)  # nothing comes from disk
    other = Request([*ENDED[:20], 7, 7, 7, 7, 7, 1], borders=(20, 25), max_tokens=1)
    assert text_after(engine, other) == alone(other.tokens, 1)
    assert sum(map(len, context.calls)) == 6


def test_odds_are_those_of_the_first_token(made: list[Engine]) -> None:
    engine, _ = start(1, made)
    tokens = [3, 1, 2]
    odds = Odds(tokens, yes={1, 2}, no={5})
    assert text_after(engine, odds) == ""
    p = np.exp(next_word(tokens).astype(np.float64))
    assert odds.value == pytest.approx(np.log((p[1] + p[2]) / p[5]))


def test_judge_decides_by_what_stands_behind_the_last_token_in_place_of_the_reply(made: list[Engine]) -> None:
    engine, context = start(1, made)
    judge = Judge((0, 2), np.ones((2, 2), dtype=np.float32), bias=-1.0)
    for tokens in ([3, 1, 2], [*ENDED, 7]):
        odds = Odds(tokens, yes={1}, no={5}, judge=judge)
        assert text_after(engine, odds) == ""
        assert odds.value == 4 * tokens[-1] - 1
    context.shows_values = False  # a model that keeps them otherwise
    odds = Odds([3, 1, 2], yes={1}, no={5}, judge=judge)
    assert text_after(engine, odds) == ""
    assert odds.value == pytest.approx(float(np.subtract(*next_word([3, 1, 2])[[1, 5]])))


def test_odds_are_answered_beside_answers_as_if_alone(made: list[Engine]) -> None:
    engine, context = start(2, made)
    context.seconds = 0.002
    long = Request(talkative(40), max_tokens=40)
    asked = [Odds([n, 2, 3], yes={1}, no={2}) for n in range(1, 6)]
    for request in [long, *asked]:
        engine.offer(request)
    assert text(long) == alone(long.tokens, 40)
    for odds in asked:
        assert text(odds) == ""
        assert odds.value == pytest.approx(float(np.subtract(*next_word(odds.tokens)[1:3])))


def test_reader_hears_how_many_are_ahead_and_that_they_become_fewer(made: list[Engine]) -> None:
    engine, context = start(1, made)
    context.seconds = 0.02
    requests = [Request(talkative(10), max_tokens=10) for _ in range(3)]
    for request in requests:
        engine.offer(request)
    heard = [piece.ahead for piece in requests[2].follow() if isinstance(piece, Queued)]
    assert heard[0] == 2
    assert heard == sorted(heard, reverse=True)
    assert requests[0].ahead == 0


def test_reader_that_leaves_ends_the_evaluation_in_hand(made: list[Engine]) -> None:
    engine, context = start(1, made)
    context.seconds = 30.0
    gone = Request([1, 2, 3], max_tokens=5)
    engine.offer(gone)
    reader = gone.follow()
    threading.Timer(0.1, gone.cancel).start()
    begun = time.monotonic()
    assert list(reader) == []
    context.seconds = 0.0
    assert text_after(engine, Request([4], max_tokens=3)) == alone([4], 3)
    assert time.monotonic() - begun < 5.0


def test_one_that_waits_and_leaves_frees_its_place_in_the_queue(made: list[Engine]) -> None:
    engine, context = start(1, made)
    context.seconds = 30.0
    running = Request([1], max_tokens=2)
    engine.offer(running)
    while running.ahead or engine._waiting:
        time.sleep(0.001)
    waiting = [Request([n], max_tokens=2) for n in (2, 3, 4)]
    for request in waiting:
        engine.offer(request)
    assert [request.ahead for request in waiting] == [1, 2, 3]
    waiting[0].cancel()
    assert [request.ahead for request in waiting[1:]] == [1, 2]


def test_failure_of_one_answer_leaves_its_neighbours_alone(made: list[Engine]) -> None:
    engine, context = start(2, made)
    context.seconds = 0.002
    whole = context.logits

    def broken_for_some(row: int) -> NDArray[np.float32]:
        number = context.calls[-1][row] if len(context.calls[-1]) > 1 else context.calls[-1][0]
        if context.held[number][0] == 2 and len(context.held[number]) > 6:
            return np.full(WORDS, np.nan, dtype=np.float32)
        return whole(row)

    context.logits = broken_for_some  # type: ignore[method-assign]
    good, bad = Request([1, 1, 1], max_tokens=12), Request([2, 2, 3], max_tokens=12)
    engine.offer(good)
    engine.offer(bad)
    with pytest.raises(GenerationError, match="no valid next word"):
        text(bad)
    assert text(good) == alone(good.tokens, 12)


def test_closing_answers_what_runs_and_what_waits_with_an_error() -> None:
    engine, context = start(1)
    context.seconds = 30.0
    requests = [Request([n], max_tokens=5) for n in (1, 2)]
    for request in requests:
        engine.offer(request)
    engine.close()
    for request in requests:
        with pytest.raises(GenerationError, match="was closed"):
            text(request)
    assert context.closed
    with pytest.raises(GenerationError, match="was closed"):
        engine.offer(Request([3], max_tokens=1))


def test_state_behind_the_instructions_outlives_the_engine(tmp_path: Path) -> None:
    instructions = [1 + n % 9 for n in range(30)]
    read = []
    for _ in range(2):
        context: Any = RememberingContext(1)
        model: Any = Digits()
        engine = Engine(context, model, slice_tokens=SIZE, prefixes=Prefixes(tmp_path, {"model": "m"}))
        request = Request([*instructions, 5, 6], borders=(30,), max_tokens=4)
        assert text_after(engine, request) == alone(request.tokens, 4)
        engine.close()
        read.append(sum(len(numbers) for numbers in context.calls))
    assert read[1] == read[0] - 30


# --- borders of prompts ---

PIECE = 8
sizes = st.integers(1, 100)


places = st.lists(st.integers(0, 99), max_size=3)


@given(length=sizes, borders=places, start=st.integers(0, 99))
def test_pieces_cover_the_rest_of_a_prompt_and_none_crosses_a_border(
    length: int, borders: list[int], start: int
) -> None:
    borders, start = [min(border, length - 1) for border in borders], min(start, length)
    pieces = list(cuts(length, borders, PIECE, start))
    assert [n for begin, end in pieces for n in range(begin, end)] == list(range(start, length))
    assert all(end - begin <= PIECE for begin, end in pieces)
    assert not any(begin < border < end for begin, end in pieces for border in borders)


@given(lengths=st.tuples(sizes, sizes), before=places, now=places, common=st.integers(0, 99))
def test_what_is_held_was_evaluated_in_the_very_pieces_and_leaves_a_token_to_evaluate(
    lengths: tuple[int, int], before: list[int], now: list[int], common: int
) -> None:
    kept = [*range(min(common, lengths[0])), *[-1] * (lengths[0] - common)]
    pieces = list(cuts(lengths[0], [border for border in before if border < lengths[0]], PIECE))
    request = Request(list(range(lengths[1])), borders=now, max_tokens=1)
    held = shared(kept, pieces, request, PIECE)
    own = list(cuts(lengths[1], request.borders, PIECE))
    alike = [piece for piece in own if piece[1] <= held]
    assert held == (alike[-1][1] if alike else 0)
    assert alike == pieces[: len(alike)]
    assert held < lengths[1]
    assert held <= common
    rest = own[len(alike) :], pieces[len(alike) :]
    assert not (rest[1] and rest[0][0] == rest[1][0] and rest[0][0][1] <= min(common, lengths[1] - 1))


# --- which token comes next ---


def test_next_token_is_the_likeliest_and_of_equals_the_lowest() -> None:
    assert likeliest(np.log(np.array([0.1, 0.4, 0.2, 0.3], dtype=np.float32))) == 1
    assert likeliest(np.zeros(4, dtype=np.float32)) == 0


def test_logits_that_are_no_numbers_are_an_error() -> None:
    with pytest.raises(GenerationError, match="no valid next word"):
        likeliest(np.full(4, np.nan, dtype=np.float32))
