"""Claims about the four numbers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.adapt.measure import Quality, Reply, Shown, exact, f1, quality, refused
from rag.evalset import Question
from rag.metrics import EvidenceEntry
from rag.pointing import Pointing, checked
from tests.fakes import fake_document, fake_evidence

EVIDENCE = (
    fake_evidence("The rent is 900 euros.", number=1, document=fake_document("a.md")),
    fake_evidence("The deposit is 2,000 euros.", number=2, document=fake_document("a.md")),
)
ASKED = Question(
    "1", "What is the deposit?", True, ("2,000 euros",), (EvidenceEntry("a.md", None, EVIDENCE[1].text),)
)
ABSENT = Question("2", "Who is the landlord?", False)


def said(question: Question, number: int, words: str, weights: tuple[float, ...]) -> Reply:
    shares = tuple(w / (1.0 - weights[0]) for w in weights[1:])
    claim = checked(words, EVIDENCE[number - 1], question.question)
    return Reply(Shown(question, EVIDENCE, 0.9, True), Pointing(number, weights[0], shares, words, claim))


def test_a_right_answer_counts_in_full() -> None:
    found = quality([said(ASKED, 2, "2,000 euros", (0.1, 0.2, 0.7)), said(ABSENT, 1, "x", (0.9, 0.1, 0.0))])
    assert found == Quality(1, 1, 1.0, 1.0, 1.0, 1.0, 0.0, 1.0, 0.0, pytest.approx(2 / 7))


def test_a_false_refusal_is_no_answer() -> None:
    found = quality([said(ASKED, 2, "2,000 euros", (0.8, 0.1, 0.1))])
    assert (found.f1, found.right_source, found.false_refusals) == (0.0, 0.0, 1.0)


def test_a_threshold_moves_refusals() -> None:
    reply = said(ASKED, 2, "2,000 euros", (0.3, 0.3, 0.4))
    assert not refused(reply, None)
    assert refused(reply, 0.25)
    assert not refused(reply, 0.35)


def test_words_of_another_sentence_are_not_supported() -> None:
    assert quality([said(ASKED, 1, "2,000 euros", (0.0, 0.9, 0.1))]).supported == 0.0


def test_articles_and_case_do_not_count() -> None:
    assert f1("The Deposit", ["deposit"]) == 1.0
    assert exact("the deposit.", ["Deposit"]) == 1.0
    assert exact("the deposit of 9", ["Deposit"]) == 0.0
    assert f1("two words", ["two other things"]) == pytest.approx(0.4)


@given(st.text(max_size=40), st.lists(st.text(max_size=40), max_size=3))
def test_f1_is_a_share(words: str, accepted: list[str]) -> None:
    assert 0.0 <= f1(words, accepted) <= 1.0
