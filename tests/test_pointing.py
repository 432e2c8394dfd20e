"""Claims about adapted answers: the model points, code checks."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from rag.answer import Assistant
from rag.generation import Prompt
from rag.index import Index
from rag.pointing import DEFAULT, adapter_for, checked, domain_of, followed, point
from rag.types import AnswerKind, ClaimState
from tests.archive import archive
from tests.fakes import FakeLLM, fake_evidence

QUESTION = "How many days of notice must the tenant give?"


class Pointing(FakeLLM):
    """Weighs the options as told, then writes `words`."""

    def __init__(
        self, weights: Sequence[float], words: str, *, names: tuple[str, ...] = (DEFAULT,), **more: int
    ) -> None:
        super().__init__(words, **more)
        self.weights = weights
        self.adapters = names
        self.used: list[str] = []

    def weigh(self, prompt: Prompt, options: Sequence[str], *, adapter: str = "") -> tuple[float, ...]:
        given = [*self.weights, *[0.0] * len(options)][: len(options)]
        total = sum(given) or 1.0
        return tuple(w / total for w in given)

    def generate(
        self, prompt: Prompt, *, max_tokens: int, stop: threading.Event | None = None, adapter: str = ""
    ) -> Iterator[str]:
        self.used.append(adapter)
        return super().generate(prompt, max_tokens=max_tokens, stop=stop, adapter=adapter)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    with archive(tmp_path_factory.mktemp("archive")) as opened:
        yield opened


SENTENCES = [
    fake_evidence("The landlord may enter after 24 hours.", number=1, score=0.6),
    fake_evidence("The tenant gives 60 days of notice.", number=2, score=0.5),
]


def test_the_sentence_pointed_at_is_opened_and_its_words_are_supported() -> None:
    llm = Pointing((0.1, 0.1, 0.8), "60 days")
    found = point(llm, QUESTION, SENTENCES, adapter=DEFAULT)
    assert found.number == 2
    assert llm.prompts[-1].opening == "2"
    assert found.claim is not None
    assert (found.claim.state, found.claim.citations) == (ClaimState.SUPPORTED, (2,))
    assert found.absent == pytest.approx(0.1)


@pytest.mark.parametrize("words", ["90 days", "60 hours", "days 60", "the tenant gives no notice"])
def test_words_that_do_not_stand_in_the_sentence_are_not_supported(words: str) -> None:
    found = point(Pointing((0, 0, 1), words), QUESTION, SENTENCES, adapter=DEFAULT)
    assert found.claim is not None
    assert found.claim.state is not ClaimState.SUPPORTED


def test_words_of_another_sentence_are_not_supported_by_the_one_pointed_at() -> None:
    claim = checked("24 hours", SENTENCES[1], QUESTION)
    assert claim.state is not ClaimState.SUPPORTED


def test_the_number_is_a_hint_and_the_sentence_that_holds_the_words_is_cited() -> None:
    found = point(Pointing((0, 0, 1), "24 hours"), QUESTION, SENTENCES, adapter=DEFAULT)
    assert found.number == 1
    assert found.claim is not None
    assert found.claim.citations == (1,)


def test_a_marker_that_the_model_types_is_no_citation() -> None:
    found = point(Pointing((0, 0, 1), "60 days [1]"), QUESTION, SENTENCES, adapter=DEFAULT)
    assert found.claim is not None
    assert found.claim.citations == (2,)


def test_a_sure_model_is_followed_and_an_unsure_one_leaves_the_rankers_order() -> None:
    assert followed((0.02, 0.98), (0.9, 0.6)) == (2, 1)
    assert followed((0.45, 0.55), (0.9, 0.3)) == (1, 2)
    assert followed((0.5, 0.5), (0.5, 0.5)) == (1, 2)


def test_without_an_adapter_there_is_none_to_answer_with() -> None:
    assert adapter_for(FakeLLM("x"), SENTENCES, "en") == ""
    assert adapter_for(Pointing((1,), "x", names=()), SENTENCES, "en") == ""
    assert adapter_for(Pointing((1,), "x"), [], "en") == ""
    assert adapter_for(None, SENTENCES, "en") == ""


def test_the_adapter_of_the_evidences_domain_is_taken() -> None:
    law = [fake_evidence("The parties may seek termination; consent shall not be unreasonably withheld.")]
    llm = Pointing((1,), "x", names=("legal", DEFAULT))
    assert domain_of([law[0].text]) == "legal"
    assert adapter_for(llm, law, "en") == "legal"
    assert adapter_for(llm, [fake_evidence("A picture of a dog.")], "en") == DEFAULT
    assert adapter_for(Pointing((1,), "x", names=("medical",)), law, "en") == ""


def test_the_answer_shows_the_words_in_front_of_the_quote_they_stand_in(index: Index) -> None:
    plain = Assistant(index, None, threshold=0.0).ask(QUESTION)
    number = next(e.number for e in plain.evidence if "60 days" in e.text)
    weights = [0.0] * 7
    weights[number] = 1.0
    answer = Assistant(index, Pointing(weights, "60 days"), threshold=0.0).ask(QUESTION)
    assert answer.kind is AnswerKind.WRITTEN
    assert answer.claims[0].text == "60 days"
    assert answer.claims[0].citations == (number,)
    assert answer.claims[1].quoted
    assert answer.claims[1].citations == (number,)
    assert answer.evidence == plain.evidence  # what was on screen stays as it was


def test_the_quote_pointed_at_comes_first_even_where_nothing_is_written(tmp_path: Path) -> None:
    with archive(tmp_path) as own:
        quotes = Assistant(own, None, threshold=0.0).ask(QUESTION)
        assert len(quotes.evidence) > 1
        answer = Assistant(own, Pointing((0.0, 0.0, 1.0), ""), threshold=0.0).ask(QUESTION)
    assert answer.kind is AnswerKind.QUOTED
    assert answer.claims[0].citations == (2,)


def test_what_is_not_supported_is_dropped_and_the_quotes_stay(index: Index) -> None:
    answer = Assistant(index, Pointing((0, 1), "90 days"), threshold=0.0).ask(QUESTION)
    assert answer.kind is AnswerKind.QUOTED
    assert [c.text for c in answer.dropped] == ["90 days"]


def test_a_model_that_fails_leaves_the_quotes(index: Index) -> None:
    answer = Assistant(index, Pointing((0, 1), "60 days", fail_after=0), threshold=0.0).ask(QUESTION)
    assert answer.kind is AnswerKind.QUOTED
    assert answer.claims
    assert "told to fail" in answer.reason
