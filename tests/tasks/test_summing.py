"""What opens each heading says in short what a text is about."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rag.tasks.summing import opening

RENT = [
    "The tenant pays the monthly rent to the landlord in advance.",
    "The monthly rent of the tenant is paid to the landlord by transfer.",
    "The landlord may raise the monthly rent that the tenant pays once a year.",
    "A heron was seen standing beside the northern pond at dawn.",
    "Rent unpaid by the tenant for a month bears interest to the landlord.",
]


def said(texts: list[str], count: int, headings: list[str] | None = None) -> list[int]:
    return opening(texts, headings or [""] * len(texts), count)


def test_repetition_is_chosen_once() -> None:
    chosen = said([RENT[0], RENT[0], RENT[0], RENT[2], RENT[4]], 2)
    assert len({[RENT[0], RENT[0], RENT[0], RENT[2], RENT[4]][n] for n in chosen}) == 2


def test_every_heading_gets_a_sentence_before_any_gets_two() -> None:
    headings = ["rent", "rent", "rent", "birds", "rent"]
    assert said(RENT, 2, headings) == [0, 3]
    assert said(RENT, 3, headings) == [0, 1, 3]


def test_of_many_headings_some_from_all_over_are_chosen() -> None:
    assert said(RENT, 2, list("abcde")) == [0, 2]


def test_questions_and_fragments_are_chosen_only_where_there_is_nothing_else() -> None:
    texts = ["What does the tenant pay to the landlord each month?", "Rent.", *RENT[:2]]
    assert said(texts, 2) == [2, 3]
    assert said(texts[:2], 5) == [0, 1]


@given(st.lists(st.sampled_from([*RENT, "", "?", "一", "\ud800"]), max_size=12), st.integers(1, 6))
def test_choice_is_in_order_distinct_and_no_longer_than_asked(texts: list[str], count: int) -> None:
    chosen = said(texts, count)
    assert chosen == sorted(set(chosen))
    assert len(chosen) <= count and all(0 <= n < len(texts) for n in chosen)
    assert said(texts, count) == chosen
