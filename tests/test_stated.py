"""Whether an answer states what an accepted answer states."""

import pytest

from rag.stated import states_answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("Quick ratio for FY2020: 0.79 (388 / 490).", "0.79"),
        ("Quick ratio for FY2020: 0.7936.", "0.79"),
        ("Adjusted EBITDA: USD 2,018.4 million.", "Adjusted EBITDA was $2,018mn in FY 2023"),
        ("Accounts payable: USD 302.58 million.", "$303.00"),
        ("Cash: USD 1,204,388 thousand", "$1,204.4 million"),
        ("Margin: 5.26%", "0.0526"),
        ("Yes: cash fell by 41.7%, from USD 1,874 million.", "Yes, there was a decline of ~42%."),
        ("Yes: net ppe rose by USD 1,137 million.", "Yes, the change was positive"),
        ("No: gross margin fell.", "No"),
        ("The segment is Corporate & Investment Bank.", "Corporate and Investment Bank"),
        ("Revenue rose from $10 million to $12 million, by 20%.", "It grew 20% (from $10m to $12m, +$2m)."),
    ],
)
def test_same_figure_or_conclusion_in_other_words_is_stated(text: str, answer: str) -> None:
    assert states_answer(text, [answer])


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("Quick ratio for FY2020: 0.80.", "0.79"),
        ("In FY2020 and again in 2021.", "2020 million"),
        ("USD 2,118 million", "$2,018mn"),
        ("Effective tax rate: 0.6%", "0.62%"),
        ("No: cash fell by 42%.", "Yes, there was a decline of 42%."),
        ("Net ppe rose by USD 1,137 million.", "Yes, the change was positive"),
        ("Revenue was $10 million.", "It grew 20% (from $10m to $12m, +$2m)."),
        ("5%", "$5 million"),
        ("Nothing of the kind.", "Corporate and Investment Bank"),
        ("", "0.79"),
    ],
)
def test_another_figure_or_conclusion_is_not_stated(text: str, answer: str) -> None:
    assert not states_answer(text, [answer])


def test_one_of_several_accepted_answers_is_enough() -> None:
    assert states_answer("12 days", ["0.5", "12"])
    assert not states_answer("12 days", [])
