"""Claims about questions that code makes from sentences."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.adapt.cloze import altered, questions_from, questions_from_row


def made(sentence: str, title: str = "Something") -> dict[str, str]:
    return {m.question: m.answer for m in questions_from(sentence, title, random.Random(0))}


BRIDGE = "The Tidewater Bridge was designed by Ada Bellweather in 1931."
ASKED = [
    (BRIDGE, "By whom was the Tidewater Bridge designed?", "Ada Bellweather"),
    (BRIDGE, "When was the Tidewater Bridge designed?", "1931"),
    (
        "Halvorane is a maker of surgical lamps that was bought twice.",
        "What is Halvorane?",
        "a maker of surgical lamps",
    ),
    ("Ada Bellweather won the Northmere Prize in 1950.", "Who won the Northmere Prize?", "Ada Bellweather"),
    (
        "The observatory has twelve telescopes on its roof.",
        "How many telescopes does the observatory have?",
        "twelve",
    ),
    (
        "There are four gates in the old town wall.",
        "How many gates in the old town wall are there?",
        "four",
    ),
]


@pytest.mark.parametrize(("sentence", "question", "answer"), ASKED)
def test_a_sentence_is_asked_about_in_the_words_of_a_person(
    sentence: str, question: str, answer: str
) -> None:
    assert made(sentence).get(question) == answer


def test_a_pronoun_gives_way_to_the_title() -> None:
    found = made("It was founded by Ada Bellweather in 1931.", "Halvorane (company)")
    assert found["When was Halvorane founded?"] == "1931"


@given(st.text(max_size=300), st.integers(0, 99))
def test_answers_stand_in_their_sentence_and_not_in_their_question(text: str, seed: int) -> None:
    plain = " ".join(text.split())
    for one in questions_from(text, "A title", random.Random(seed)):
        assert one.answer.lower() not in one.question.lower()
        assert one.answer in plain or one.answer in "A title"


def test_the_same_sentence_gives_the_same_questions() -> None:
    text = "In 1931 Ada Bellweather designed 14 bridges for the county of Northmere and its neighbours."
    assert made(text) == made(text)


def test_a_cell_is_asked_for_by_row_and_column() -> None:
    found = {m.question: m.answer for m in questions_from_row("Item | 2024 | 2023", "Sales | 118 | 97")}
    assert found["What is the 2024 of Sales?"] == "118"
    assert found["Sales: 2023?"] == "97"


def test_a_row_that_does_not_fit_its_header_is_not_asked_about() -> None:
    assert questions_from_row("Item | 2024", "Sales | 118 | 97") == []


def test_an_altered_question_has_another_year() -> None:
    other = altered("What did Halvorane earn in 2019?", random.Random(1))
    assert other is not None
    assert "2019" not in other
    assert other.startswith("What did Halvorane earn in ")
    assert altered("What did Halvorane earn?", random.Random(1)) is None
