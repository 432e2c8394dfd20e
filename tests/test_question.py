"""What is read from a question by code: expected type, names, numbers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.question import AnswerType, analyse, offers


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("How many days of notice must the tenant give?", AnswerType.NUMBER),
        ("What is the notice period?", AnswerType.NUMBER),
        ("What was the total net revenue?", AnswerType.NUMBER),
        ("违约金是多少？", AnswerType.NUMBER),
        ("试用期最长几个月？", AnswerType.NUMBER),
        ("When does the lease end?", AnswerType.DATE),
        ("In which year was it signed?", AnswerType.DATE),
        ("合同何时生效？", AnswerType.DATE),
        ("Who signed the lease?", AnswerType.NAME),
        ("谁签署了合同？", AnswerType.NAME),
        ("Where is the registered office?", AnswerType.PLACE),
        ("公司注册在哪里？", AnswerType.PLACE),
        ("Why was it terminated?", AnswerType.OTHER),
        ("", AnswerType.OTHER),
    ],
)
def test_expected_type_of_the_answer(question: str, expected: AnswerType) -> None:
    assert analyse(question).expects is expected


def test_names_are_capitalised_words_but_not_the_first_of_a_sentence_nor_stop_words() -> None:
    assert analyse("Does Larkwell Ltd owe Norden's fees? The deposit?").names == ("Larkwell", "Ltd", "Norden")
    assert analyse("WHAT IS THE FEE").names == ()
    assert analyse("NASA pays what?").names == ("NASA",)


def test_quoted_titles_are_names() -> None:
    assert analyse("《劳动合同法》第37条规定了什么？").names == ("劳动合同法",)
    assert analyse('What does "Force Majeure" mean?').names[0] == "Force Majeure"


def test_numbers_lose_separators_and_width() -> None:
    assert analyse("Is it 1,450 or ２０２３ or 3.5%?").numbers == ("1450", "2023", "3.5")


@pytest.mark.parametrize(
    ("sentence", "expects", "offered"),
    [
        ("The notice period is 30 days.", AnswerType.NUMBER, True),
        ("The notice period is thirty days.", AnswerType.NUMBER, True),
        ("通知期为三十日。", AnswerType.NUMBER, True),
        ("The notice period is stated elsewhere.", AnswerType.NUMBER, False),
        ("It ends on 3 March 2031.", AnswerType.DATE, True),
        ("合同于二〇二四年三月一日生效。", AnswerType.DATE, True),
        ("It ends on the agreed day.", AnswerType.DATE, False),
        ("The lease was signed by Maria Holt.", AnswerType.NAME, True),
        ("The office is in Rotterdam.", AnswerType.PLACE, True),
        ("Anything.", AnswerType.OTHER, None),
    ],
)
def test_sentence_offers_what_is_expected(sentence: str, expects: AnswerType, offered: bool | None) -> None:
    assert offers(sentence, expects) is offered


def test_number_that_the_question_itself_says_is_no_answer() -> None:
    assert offers("Clause 12 applies.", AnswerType.NUMBER, "How long is the period of clause 12?") is False
    assert offers("Clause 12: 30 days.", AnswerType.NUMBER, "How long is the period of clause 12?") is True


@given(st.text(max_size=200))
def test_any_text_can_be_taken_apart(text: str) -> None:
    taken = analyse(text)
    assert taken.text == text
    assert all(not n or n in text for n in taken.names)
    assert offers(text, taken.expects, text) in (True, False, None)
