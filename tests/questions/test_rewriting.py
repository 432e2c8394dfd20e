"""A follow-up that code cannot complete is rewritten by a model, and nothing comes in that was not said."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rag.models.generation import Prompt
from rag.questions.followup import completed, looks_incomplete, rewritten, translated
from rag.types import Turn
from tests.fakes import FakeLLM, fake_evidence

HISTORY = (Turn("What is the notice period of the Brightquill lease?", "It is 30 days, says Ms Orme."),)
AGAIN = "Is it the same for the landlord?"
RENTALS = (Turn("哪些费用由承租人承担？", "水电费由承租人承担。"),)


def by(reply: str, question: str = AGAIN, language: str = "en") -> str | None:
    return rewritten(question, HISTORY if language == "en" else RENTALS, FakeLLM(reply), language)


@pytest.mark.parametrize(
    ("question", "reply"),
    [
        (AGAIN, "Is the notice period of the Brightquill lease the same for the landlord?"),
        ("Who said so?", "Who said that the notice period of the Brightquill lease is 30 days?"),
        ("And how does she count them?", "How does Ms Orme count the 30 days?"),
    ],
)
def test_rewriting_of_what_was_said_is_taken(question: str, reply: str) -> None:
    assert by(reply, question) == reply
    assert by(f'"{reply}"\nThe landlord...', question) == reply


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        ("Is the notice period of the Harlow lease the same for the landlord?", "a name"),
        ("Is the notice period of 60 days the same for the landlord?", "a number"),
        ("Is the notice period the same for the landlord's children?", "a word"),
        ("What is the notice period of the Brightquill lease?", "another question"),
        (AGAIN, "nothing new"),
        ("", "nothing"),
    ],
)
def test_rewriting_that_adds_or_loses_something_is_not_taken(reply: str, why: str) -> None:
    assert by(reply) is None, why


def test_a_number_or_negation_of_the_question_stays() -> None:
    assert by("What is the notice period of the Brightquill lease after years?", "And after 3 years?") is None
    assert by("Is notice of the Brightquill lease required?", "Is it not required?") is None
    kept = "Is notice of the Brightquill lease not required?"
    assert by(kept, "Is it not required?") == kept


def test_chinese_is_held_against_the_words_of_the_turns() -> None:
    asked = "房东承担哪些？"
    assert by("房东承担哪些费用？", asked, "zh") == "房东承担哪些费用？"
    assert by("房东承担哪些税费和物业费？", asked, "zh") is None


@pytest.mark.parametrize("question", [AGAIN, "Are these clinics open at night?", "Which ones?", "那它呢？"])
def test_what_points_out_of_a_question_is_seen(question: str) -> None:
    assert looks_incomplete(question)


def test_the_model_is_asked_only_where_code_cannot_complete_the_question() -> None:
    llm = FakeLLM("What is the notice period of the Brightquill lease for the landlord?")
    for question in ("And of the Harlow lease?", "Which court decides disputes between landlord and tenant?"):
        assert completed(question, HISTORY, llm=llm) == completed(question, HISTORY)
    assert not llm.prompts
    assert completed("Why?", HISTORY) == "What is the notice period of the Brightquill lease, why?"
    llm.script = "Why is the notice period of the Brightquill lease 30 days?"
    assert completed("Why?", HISTORY, llm=llm) == llm.script


def test_what_comes_before_the_question_is_the_same_each_time() -> None:
    prompts: list[Prompt] = []
    for question in ("Why?", "Is that all?"):
        llm = FakeLLM("")
        rewritten(question, HISTORY, llm, "en")
        prompts += llm.prompts
    first, second = prompts
    assert (first.system, first.examples, first.ending) == (second.system, second.examples, second.ending)
    assert "Why?" in first.user and "Is that all?" in second.user


def test_a_model_that_fails_leaves_the_question_as_code_made_it() -> None:
    assert completed("Why?", HISTORY, llm=FakeLLM(fail_after=0, script="Why is it?")) == completed(
        "Why?", HISTORY
    )


ASKED_ZH = "承租人欠租多少天后出租人可以收回房屋？"
ABOUT_RENT = fake_evidence("The Landlord may re-enter the Premises if rent is unpaid for 21 days.")


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        ("The Landlord may re-enter after how many days.", "no question"),
        ("After how many of the 21 days may the Landlord re-enter the Premises?", "a number"),
        ("When may the Landlord re-enter the Premises if rent is unpaid for many days?", "a clause"),
        ("出租人可以在多少天后收回房屋？", "the same language"),
    ],
)
def test_a_translation_is_a_question_with_its_numbers_or_made_again_without_the_texts(
    reply: str, why: str
) -> None:
    plain = "After how many days of unpaid rent may the landlord take back the house?"
    model = FakeLLM(lambda prompt: reply if "re-enter" in prompt.user else plain)
    assert translated(ASKED_ZH, model, "en", [ABOUT_RENT]) == plain, why
    assert translated(ASKED_ZH, FakeLLM(reply), "en", [ABOUT_RENT]) is None, why


def test_a_translation_has_the_words_of_the_texts_before_it_and_may_hold_a_number_of_a_title() -> None:
    reply = "After how many days of unpaid rent may the Landlord re-enter the Premises?"
    model = FakeLLM(reply)
    assert translated(ASKED_ZH, model, "en", [ABOUT_RENT]) == reply
    assert ABOUT_RENT.text in model.prompts[0].user
    titled = replace(ABOUT_RENT, document=replace(ABOUT_RENT.document, title="Lease of 310 Tannery Row"))
    named = "After how many days may the Landlord of 310 Tannery Row re-enter the Premises?"
    assert translated(ASKED_ZH, FakeLLM(named), "en", [titled]) == named
    large = FakeLLM("Who approves a contract of 9 million yuan?")
    assert translated("900万元的合同由谁批准？", large, "en")
    assert "9,000,000元的合同" in large.prompts[0].user
