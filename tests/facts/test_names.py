"""Names that a letter, a roman numeral or a number tells apart, read from text of either language."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.facts.names import capitalised_runs, labelled
from rag.facts.numerals import fold


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Party A supplies Party B's works.", ["Party A", "Party B"]),
        ("Hepatitis A and hepatitis b", ["Hepatitis A", "hepatitis b"]),
        ("The patient in ward II, not in ward I.", ["ward II", "ward I"]),
        ("vitamins A, D and K", ["vitamins A", "D", "K"]),
        ("Child-Pugh A, type 2, pump No. 4", ["Pugh A", "type 2", "pump No. 4"]),
        ("甲方与丙公司，被告乙", ["甲方", "丙公", "告乙"]),
        ("A类份额与B股，Ⅱ期，一审，2型", ["A类", "B股", "Ⅱ期", "一审", "2型"]),
    ],
)
def test_a_label_belongs_to_its_noun(text: str, names: list[str]) -> None:
    assert [text[n.start : n.end] for n in labelled(fold(text))] == names


@pytest.mark.parametrize(
    "text",
    [
        "What should I do if the ward is full? I asked a nurse.",
        "John A. Smith and J. Smith",
        "SHALL PAY A FEE. Buy A House.",
        "A current of 5 A at 12 V, P < 0.05",
        "Stock 12 14",
        "which party a tenant names",
        "张三等人分为两组",
        "Administer IV fluids",
    ],
)
def test_articles_pronouns_initials_and_units_are_no_labels(text: str) -> None:
    assert labelled(fold(text)) == ()


def test_all_spellings_of_a_label_are_one() -> None:
    said = {(n.noun, n.label) for n in labelled("Type II, type 2, types ii and iii, Type III")}
    assert said == {("type", "2"), ("type", "3")}
    assert {n.label for n in labelled("sites 1 to 4")} == {"1", "2", "3", "4"}


@given(st.text(alphabet="PartyABC I ivx12,.甲乙方一二审类 \n-and", max_size=60))
def test_labels_of_any_text_stand_where_they_are_said_to(text: str) -> None:
    for n in labelled(fold(text)):
        assert 0 <= n.start <= n.label_start < n.label_end <= n.end <= len(text)


@pytest.mark.parametrize(
    ("numbers", "names"),
    [
        ("none", ["Pemberry & Stroud LLP", "Bank of the West", "Larkwell Mills plc", "Transport Act"]),
        ("years", ["Pemberry & Stroud LLP", "Bank of the West", "Larkwell Mills plc", "Transport Act 2018"]),
        (
            "any",
            ["Pemberry & Stroud LLP", "3M", "Bank", "West", "Larkwell Mills plc", "Transport Act 2018"],
        ),
    ],
)
def test_capitalised_words_are_one_name_with_the_small_words_between(numbers: str, names: list[str]) -> None:
    text = (
        "fees of Pemberry & Stroud LLP, 3M, the Bank of the West and, Larkwell Mills plc: Transport Act 2018"
    )
    assert [m.group().rstrip(",:") for m in capitalised_runs(text, numbers)] == names
