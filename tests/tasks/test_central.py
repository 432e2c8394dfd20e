"""The sentences that say most of a text are central, not redundant, and cover its headings."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rag.tasks.summing import central

RENT = [
    "The tenant pays the monthly rent to the landlord in advance.",
    "The monthly rent of the tenant is paid to the landlord by transfer.",
    "The landlord may raise the monthly rent that the tenant pays once a year.",
    "A heron was seen standing beside the northern pond at dawn.",
    "Rent unpaid by the tenant for a month bears interest to the landlord.",
]


def said(texts: list[str], count: int, headings: list[str] | None = None) -> list[int]:
    return central(texts, headings or [""] * len(texts), count)


def test_sentence_that_is_like_no_other_is_not_central() -> None:
    assert 3 not in said(RENT, 3)


def test_repetition_is_chosen_once() -> None:
    chosen = said([RENT[0], RENT[0], RENT[0], RENT[2], RENT[4]], 2)
    assert len({[RENT[0], RENT[0], RENT[0], RENT[2], RENT[4]][n] for n in chosen}) == 2


def test_every_heading_gets_a_sentence_before_any_gets_two() -> None:
    headings = ["rent", "rent", "rent", "birds", "rent"]
    assert 3 in said(RENT, 2, headings)


def test_questions_and_fragments_are_chosen_only_where_there_is_nothing_else() -> None:
    texts = ["What does the tenant pay to the landlord each month?", "Rent.", *RENT[:2]]
    assert said(texts, 2) == [2, 3]
    assert said(texts[:2], 5) == [0, 1]


def test_chinese_needs_no_vectors() -> None:
    texts = [
        "甲方每月支付租金人民币八千元。",
        "租金由甲方按月支付给乙方。",
        "湖边有一只白鹭在站立。",
        "甲方逾期支付租金的，承担违约责任。",
    ]
    assert 2 not in said(texts, 2)


@given(st.lists(st.sampled_from([*RENT, "", "?", "一", "\ud800"]), max_size=12), st.integers(1, 6))
def test_choice_is_in_order_distinct_and_no_longer_than_asked(texts: list[str], count: int) -> None:
    chosen = said(texts, count)
    assert chosen == sorted(set(chosen))
    assert len(chosen) <= count and all(0 <= n < len(texts) for n in chosen)
    assert said(texts, count) == chosen
