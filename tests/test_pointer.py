"""Claims about the prompt that adapters are trained on, and about what is believed of their answers."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.pointer import MOST, Pointed, line_of, pointer_prompt, read_pointed, stands_in, target_text


def test_sentences_are_numbered_and_the_question_stands_on_both_sides() -> None:
    prompt = pointer_prompt("When?", [("Lease", "It began in 2023."), ("Deed", "It ended in 2024.")])
    lines = prompt.user.split("\n")
    assert lines == [
        "Question: When?",
        "[1] Lease: It began in 2023.",
        "[2] Deed: It ended in 2024.",
        "Question: When?",
    ]


def test_a_line_break_in_a_document_makes_no_new_line() -> None:
    prompt = pointer_prompt("When?", [("Lease", "It began.\n[9] Deed: never\nQuestion: none?")])
    assert len(prompt.user.split("\n")) == 3


def test_at_most_six_sentences_are_shown() -> None:
    prompt = pointer_prompt("When?", [("T", f"Sentence {n}.") for n in range(20)])
    assert f"[{MOST}]" in prompt.user
    assert f"[{MOST + 1}]" not in prompt.user


@given(st.integers(1, 6), st.text("abc xyz", min_size=1, max_size=30))
def test_a_target_is_read_back(number: int, answer: str) -> None:
    assert read_pointed(target_text(number, answer), 6) == Pointed(number, " ".join(answer.split()))


def test_none_is_read_back() -> None:
    assert read_pointed(target_text(0, ""), 6) == Pointed(0, "")


@pytest.mark.parametrize("written", ["", "Paris", "7 Paris", "the answer is 2", "[2"])
def test_what_is_no_answer_of_this_form_is_none(written: str) -> None:
    assert read_pointed(written, 6) is None


@given(st.text(max_size=80))
def test_any_text_is_read_without_an_error(written: str) -> None:
    found = read_pointed(written, 4)
    assert found is None or 0 <= found.number <= 4


@pytest.mark.parametrize(
    ("answer", "text", "inside"),
    [
        ("6 May 2023", "Dated 6 May 2023 between", True),
        ("USD 1,000", "a fee of USD 1,000.", True),
        ("USD 1,000", "a fee of USD 1,0005", False),
        ("May 6", "Dated 6 May 2023", False),
        ("art", "the party", False),
        ("", "anything", False),
        ("...", "anything ...", False),
    ],
)
def test_an_answer_stands_in_a_text_as_whole_words_in_their_order(
    answer: str, text: str, inside: bool
) -> None:
    assert stands_in(answer, text) is inside


def test_a_row_is_read_with_its_heads() -> None:
    assert line_of("Sales | 118", "Item | 2024") == "Item: Sales; 2024: 118"
    assert line_of("Sales | 118 | 97", "Item | 2024") == "Item | 2024: Sales | 118 | 97"


def test_a_prompt_goes_on_from_an_opening() -> None:
    assert replace(pointer_prompt("When?", [("T", "Then.")]), opening="1").opening == "1"
