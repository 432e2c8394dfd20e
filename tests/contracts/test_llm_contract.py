"""What every LLM promises, held by the fake, the embedded model and a server."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.models.llm import LLM, Prompt, load_llm
from tests.fakes import FakeLLM
from tests.llm_server import ChatServer

PROMPT = Prompt(
    "Answer in one sentence.", "[1] The monthly rent is EUR 1,450.\n\nQuestion: How much is the rent?"
)

WITH_EXAMPLES = Prompt(
    PROMPT.system,
    PROMPT.user,
    examples=(("[1] The fee is EUR 5.\n\nQuestion: How much is the fee?", "The fee is EUR 5."),),
    ending="\nReply in English.",
)


@pytest.fixture(scope="module", params=["fake", pytest.param("real", marks=pytest.mark.models), "server"])
def llm(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LLM]:
    cache: Path = tmp_path_factory.mktemp("cache")
    if request.param == "fake":
        yield FakeLLM()
        return
    with ChatServer() as server:
        loaded = load_llm("embedded" if request.param == "real" else server.url, cache_dir=cache)
        assert loaded is not None
        yield loaded
        loaded.close()
        loaded.close()


def test_pieces_joined_are_the_answer_and_it_is_repeatable(llm: LLM) -> None:
    first = "".join(llm.generate(PROMPT, max_tokens=24))
    assert first.strip()
    assert "".join(llm.generate(PROMPT, max_tokens=24)) == first


def test_fewer_tokens_give_a_beginning_of_the_same_answer(llm: LLM) -> None:
    long, short = ("".join(llm.generate(PROMPT, max_tokens=n)) for n in (24, 4))
    assert long.startswith(short)
    assert len(short) < len(long)


def test_stop_that_is_already_set_gives_no_word(llm: LLM) -> None:
    stop = threading.Event()
    stop.set()
    assert list(llm.generate(PROMPT, max_tokens=24, stop=stop)) == []


def test_stop_between_words_ends_without_an_error(llm: LLM) -> None:
    stop = threading.Event()
    pieces = llm.generate(PROMPT, max_tokens=200, stop=stop)
    first = next(pieces)
    stop.set()
    assert len(list(pieces)) <= 1
    assert first


def test_closing_the_iterator_frees_the_model_for_the_next_question(llm: LLM) -> None:
    pieces = llm.generate(PROMPT, max_tokens=200)
    next(pieces)
    pieces.close()  # type: ignore[attr-defined]
    assert "".join(llm.generate(PROMPT, max_tokens=8)).strip()


def test_longer_text_never_counts_fewer_tokens(llm: LLM) -> None:
    assert llm.count_tokens("") == 0
    assert (
        0 < llm.count_tokens("rent") <= llm.count_tokens("rent and deposit") < llm.count_tokens("rent " * 50)
    )


def test_info_names_the_model(llm: LLM) -> None:
    assert llm.info.name
    assert len(llm.info.fingerprint) == 64
    assert llm.info.context_tokens > 0
    assert llm.info.local


def test_examples_and_ending_belong_to_the_prompt(llm: LLM) -> None:
    first = "".join(llm.generate(WITH_EXAMPLES, max_tokens=24))
    assert first.strip()
    list(llm.generate(PROMPT, max_tokens=4))
    assert "".join(llm.generate(WITH_EXAMPLES, max_tokens=24)) == first


def test_odds_favour_what_the_reply_begins_with_and_turn_with_the_sides(llm: LLM) -> None:
    begins = "".join(llm.generate(WITH_EXAMPLES, max_tokens=1)).strip()
    odds = llm.odds(WITH_EXAMPLES, yes=[begins], no=["No", "Never"])
    assert odds is not None
    assert odds > 0
    assert llm.odds(WITH_EXAMPLES, yes=["No", "Never"], no=[begins]) == -odds


def test_odds_that_nobody_waits_for_are_none(llm: LLM) -> None:
    stop = threading.Event()
    stop.set()
    assert llm.odds(PROMPT, yes=["The"], no=["No"], stop=stop) is None
