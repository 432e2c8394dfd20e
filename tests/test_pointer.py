"""Claims about the prompt that adapters are trained on, and about what is believed of their answers."""

from dataclasses import replace

import pytest

from rag.pointer import MOST, line_of, pointer_prompt, stands_in, target_text


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


def test_a_target_is_the_number_and_the_answer_in_one_line_and_nought_where_none_answers() -> None:
    assert target_text(3, " 60\n days ") == "3 60 days"
    assert target_text(0, "60 days") == "0"


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
