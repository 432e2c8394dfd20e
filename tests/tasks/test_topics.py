"""What a passage has to hold to match a topic, and whether it does."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.languages.lexicon import load
from rag.languages.text import search_tokens
from rag.tasks.topics import Text, expression, form_of, topic_terms

WORDS = load([Path(__file__).parents[1] / "data" / "lay_words.toml"])


def typed(topic: str) -> list[str]:
    return [need.typed for need in topic_terms(topic, extra=WORDS)]


@pytest.mark.parametrize(
    ("topic", "words"),
    [
        ("written notice", ["written", "notice"]),
        ("clauses about notice", ["notice"]),
        ("clauses", ["clauses"]),
        ("the word “vacant possession”", ["vacant possession"]),
        ("payments to Norwood Castings", ["payments", "Norwood Castings"]),
        ("the Bank of Port Merrow", ["Bank of Port Merrow"]),
        ("notice and notices", ["notice"]),
        ("违约金", ["违约金"]),
        ("有关违约金的条款", ["违约金"]),
        ("", []),
        ("the of", []),
    ],
)
def test_content_words_names_and_quoted_phrases_are_needed(topic: str, words: list[str]) -> None:
    assert typed(topic) == words


@pytest.mark.parametrize(
    ("topic", "text", "held"),
    [
        ("terminate", "The contract is terminated.", True),
        ("terminate", "The term ends.", False),
        ("Norwood Castings", "Castings of Norwood", False),
        ("Norwood Castings", "to Norwood Castings plc", True),
        ("side effects", "Adverse reactions were mild.", True),
        ("dying", "He died; dying is natural.", True),
        ("违约金", "每日支付违约\n金", True),
        ("违约金", "违约责任", False),
        ("GDPR", "Under the gdpr, data", True),
        ("1,500 euros", "a rent of 1500 euros", True),
    ],
)
def test_a_text_holds_a_need_in_any_of_its_forms(topic: str, text: str, held: bool) -> None:
    assert all(map(Text(text).holds, topic_terms(topic, extra=WORDS))) is held


def test_professional_words_are_told_from_the_topic_as_typed() -> None:
    (need,) = topic_terms("side effects", extra=WORDS)
    assert Text("side effects").has(need.form)
    said = Text("adverse reactions")
    assert said.holds(need) and not said.has(need.form) and "adverse reactions" in need.terms


@given(
    st.lists(
        st.sampled_from("terminate notices dying skies only early 违约金 gdpr 3.2 it's".split()), min_size=1
    )
)
def test_a_text_holds_every_word_of_itself(words: list[str]) -> None:
    """First letters, by which sentences are passed over, never rule out what is there."""
    text = Text(", ".join(words))
    assert all(text.has(form_of(word)) for word in words if search_tokens(word))


@given(st.text(max_size=60))
def test_any_topic_is_read_and_its_query_is_balanced(topic: str) -> None:
    needs = topic_terms(topic, extra=WORDS)
    if needs:
        query = expression(needs)
        assert query.count('"') % 2 == 0
        assert "()" not in query
