"""Whether an answer states what an accepted answer states."""

import pytest

from rag.measure.metrics import states_answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("Quick ratio for FY2020: 0.79 (388 / 490).", "0.79"),
        ("Quick ratio for FY2020: 0.7936.", "0.79"),
        ("Adjusted EBITDA: USD 1,450.4 million.", "Adjusted EBITDA was $1,450mn in FY 2021"),
        ("Accounts payable: USD 211.58 million.", "$212.00"),
        ("Cash: USD 1,204,388 thousand", "$1,204.4 million"),
        ("Margin: 7.34%", "0.0734"),
        ("Yes: cash fell by 35.7%, from USD 1,220 million.", "Yes, it went down by ~36%."),
        ("Yes: inventories rose by USD 310 million.", "Yes, they grew"),
        ("No: gross margin fell.", "No"),
        ("The segment is Harbour & Inland Services.", "Harbour and Inland Services"),
        ("45/140 of the members voted.", "45/140"),
        ("32.1% of the members voted.", "45/140"),
        ("The notice of 7/7/99 was late.", "7/7/99"),
        ("It fell due on 5 March 2019.", "2019-03-05"),
        ("Revenue was 12.0 and cost 8.5 million yuan.", "revenue: 12.0; cost: 8.5"),
        ("The animals are rodents.", "rodent"),
        ("Clause 5.2 limits it.", "5.2"),
        ("是的，双方当庭认可。", "是"),
        ("被告对此予以否认。", "予以否认"),
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
        ("USD 1,550 million", "$1,450mn"),
        ("Effective tax rate: 0.7%", "0.75%"),
        ("No: cash fell by 36%.", "Yes, it went down by 36%."),
        ("Inventories rose by USD 310 million.", "Yes, they grew"),
        ("Revenue was $10 million.", "It grew 20% (from $10m to $12m, +$2m)."),
        ("5%", "$5 million"),
        ("Nothing of the kind.", "Harbour and Inland Services"),
        ("45/141 of the members voted.", "45/140"),
        ("33% of the members voted.", "45/140"),
        ("Nobody voted.", "7/7/99"),
        ("It fell due on 6 March 2019.", "2019-03-05"),
        ("It fell due on 3 March.", "3"),
        ("It sold 3 million.", "3"),
        ("Revenue was 12.0 million yuan.", "revenue: 12.0; cost: 8.5"),
        ("The code is 123.", "000123"),
        ("EUR 1,120", "GBP 1,120"),
        ("25 mL", "25 mg"),
        ("Wuyan Dyeing Works", "dyes"),
        ("A catalogue.", "cat"),
        ("Clause 5.20 limits it.", "5.2"),
        ("二人对其殴打。", "轻伤二级"),
        ("We pay for theft by forced entry.", "theft where no force was used"),
        ("Two of them are approved.", "two potential drugs, of which chloroquine is the choice"),
        ("", "0.79"),
    ],
)
def test_another_figure_or_conclusion_is_not_stated(text: str, answer: str) -> None:
    assert not states_answer(text, [answer])


def test_one_of_several_accepted_answers_is_enough() -> None:
    assert states_answer("12 days", ["0.5", "12"])
    assert not states_answer("12 days", [])


@pytest.mark.parametrize(
    ("text", "stated"), [("1,407", True), ("1.407 million", True), ("1.407 billion", False)]
)
def test_where_a_set_names_its_scale_a_figure_of_another_scale_is_not_stated(text: str, stated: bool) -> None:
    assert states_answer(f"It was {text}.", ["1,407"], "thousand") is stated
