"""What is read from a question by code: expected type, names, numbers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.questions.expects import AnswerType, read_wording, tells
from rag.search.candidates import answers_in


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("How many days of notice must the tenant give?", AnswerType.DURATION),
        ("What is the notice period?", AnswerType.DURATION),
        ("试用期最长几个月？", AnswerType.DURATION),
        ("How many people work there?", AnswerType.NUMBER),
        ("公司有多少名员工？", AnswerType.NUMBER),
        ("What was the total net revenue?", AnswerType.MONEY),
        ("How much does the licence cost?", AnswerType.MONEY),
        ("违约金是多少？", AnswerType.MONEY),
        ("What percentage of the fee is due on signing?", AnswerType.PERCENT),
        ("年利率是多少？", AnswerType.PERCENT),
        ("What late fee does the lease impose?", AnswerType.MONEY),
        ("合同约定的滞纳金是多少？", AnswerType.MONEY),
        ("What is Varn's leverage ratio?", AnswerType.NUMBER),
        ("What floor area does the office have?", AnswerType.MEASURE),
        ("How far is the depot from the port?", AnswerType.MEASURE),
        ("仓库面积多大？", AnswerType.MEASURE),
        ("儿童每日剂量是多少？", AnswerType.MEASURE),
        ("审计机构是哪家？", AnswerType.ORGANISATION),
        ("When does the lease end?", AnswerType.DATE),
        ("In which year was it signed?", AnswerType.DATE),
        ("Under the lease, when is rent due?", AnswerType.DATE),
        ("Where does the fund go when it is wound up?", AnswerType.PLACE),
        ("Is there a fee when rent is late?", AnswerType.OTHER),
        ("合同何时生效？", AnswerType.DATE),
        ("Who signed the lease?", AnswerType.PERSON),
        ("谁签署了合同？", AnswerType.PERSON),
        ("Which bank holds the account?", AnswerType.ORGANISATION),
        ("由哪家公司承建？", AnswerType.ORGANISATION),
        ("What is the drug called?", AnswerType.NAME),
        ("Where is the registered office?", AnswerType.PLACE),
        ("公司注册在哪里？", AnswerType.PLACE),
        ("Why was it terminated?", AnswerType.REASON),
        ("合同为什么终止？", AnswerType.REASON),
        ("What does force majeure mean?", AnswerType.DEFINITION),
        ("什么是不可抗力？", AnswerType.DEFINITION),
        ("How is the rent paid?", AnswerType.MANNER),
        ("如何支付租金？", AnswerType.MANNER),
        ("Does the tenant keep a dog?", AnswerType.OTHER),
        ("", AnswerType.OTHER),
    ],
)
def test_expected_type_of_the_answer(question: str, expected: AnswerType) -> None:
    assert read_wording(question).expects is expected


def test_names_are_capitalised_words_but_not_the_first_of_a_sentence_nor_stop_words() -> None:
    assert read_wording("Does Larkwell Ltd owe Norden's fees? The deposit?").names == (
        "Larkwell",
        "Ltd",
        "Norden",
    )
    assert read_wording("WHAT IS THE FEE").names == ()
    assert read_wording("NASA pays what?").names == ("NASA",)


@pytest.mark.parametrize(
    ("question", "names"),
    [
        ("What does Party A supply?", ("Party A",)),
        ("Which vaccine is given against hepatitis b?", ("hepatitis b",)),
        ("甲方应在多少日内付款？", ("甲方",)),
        ("What does Article 5 of Schedule 2 say?", ()),
        ("What should I pay for a room?", ()),
        ("Does Party A insure the cloth?", ()),
    ],
)
def test_a_letter_or_numeral_makes_a_name_unless_it_is_of_an_article_or_in_doubt(
    question: str, names: tuple[str, ...]
) -> None:
    assert read_wording(question).labelled == names


def test_a_name_with_a_letter_answers_where_the_question_names_another_or_none() -> None:
    def answers(question: str) -> list[str]:
        sentence = "Party B holds the deposit"
        return [sentence[s.start : s.end] for s in answers_in(sentence, AnswerType.PERSON, question)]

    assert "Party B" in answers("which party holds a deposit by then?")
    assert "Party B" not in answers("who pays the deposit held by party b?")


def test_quoted_titles_are_names() -> None:
    assert read_wording("《劳动合同法》第37条规定了什么？").names == ("劳动合同法",)
    assert read_wording('What does "Force Majeure" mean?').names[0] == "Force Majeure"


def test_numbers_lose_separators_and_width() -> None:
    assert read_wording("Is it 1,450 or ２０２３ or 3.5%?").numbers == ("1450", "2023", "3.5")


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
        ("The lease was signed by Maria Holt.", AnswerType.PERSON, True),
        ("Maria Holt signed the lease.", AnswerType.PERSON, True),
        ("However, the lease was signed.", AnswerType.PERSON, False),
        ("租约由王小明签署。", AnswerType.PERSON, True),
        ("It was sold to Norden Bank in March.", AnswerType.ORGANISATION, True),
        ("该项目由北方建设公司承建。", AnswerType.ORGANISATION, True),
        ("The fee is USD 1,200.", AnswerType.MONEY, True),
        ("The fee is due twice a year.", AnswerType.MONEY, False),
        ("违约金为五万元。", AnswerType.MONEY, True),
        ("It bears interest at 5.5% a year.", AnswerType.PERCENT, True),
        ("Interest is due on 5 May.", AnswerType.PERCENT, False),
        ("The term is twenty-five years.", AnswerType.DURATION, True),
        ("The term is stated in clause 25.", AnswerType.DURATION, False),
        ("The office has 310 square metres.", AnswerType.MEASURE, True),
        ("成人每次两片。", AnswerType.MEASURE, True),
        ("The office costs 310 euros.", AnswerType.MEASURE, False),
        ("In the 1970s it was replaced.", AnswerType.DATE, True),
        ("It failed because the notice was late.", AnswerType.REASON, True),
        ("It failed on Monday.", AnswerType.REASON, False),
        ("A lien is a right over goods.", AnswerType.DEFINITION, True),
        ("租金通过银行转账支付。", AnswerType.MANNER, True),
        ("The office is in Rotterdam.", AnswerType.PLACE, True),
        ("Anything.", AnswerType.OTHER, False),
    ],
)
def test_sentence_offers_what_is_expected(sentence: str, expects: AnswerType, offered: bool) -> None:
    assert bool(answers_in(sentence, expects)) is offered


def test_name_that_the_question_itself_says_is_no_answer() -> None:
    asked = "who signed for maria holt?"
    assert not answers_in("Maria Holt was ill.", AnswerType.PERSON, asked)
    assert answers_in("Maria Holt was ill and Jonas Reed signed.", AnswerType.PERSON, asked)


@given(st.text(max_size=200), st.sampled_from(AnswerType))
def test_possible_answers_are_spans_within_the_sentence(text: str, kind: AnswerType) -> None:
    for span in answers_in(text, kind):
        assert 0 <= span.start < span.end <= len(text)


def test_number_that_the_question_itself_says_is_no_answer() -> None:
    asked = "how long is the period of clause 12?"
    assert not answers_in("Clause 12 applies.", AnswerType.NUMBER, asked)
    assert answers_in("Clause 12: 30 days.", AnswerType.NUMBER, asked)


@given(st.text(max_size=200))
def test_any_text_can_be_taken_apart(text: str) -> None:
    taken = read_wording(text)
    assert taken.text == text
    assert all(not n or n in text for n in taken.names)
    answers_in(text, taken.expects, text)


@pytest.mark.parametrize(
    ("question", "told", "untold"),
    [
        ("When was the lease signed?", "Signed on completion of the works.", "The lease binds Alder Ltd."),
        ("How many cranes are let?", "Several cranes are let.", "This Agreement is made between A and B."),
        ("Where is the Yard?", "The cranes stand at the quay.", "The cranes are inspected at the Yard."),
        ("恒运每月收多少仓储费？", "仓储费每月9,000元。", "甲方：恒运物流有限公司"),
    ],
)
def test_a_sentence_that_tells_nothing_of_the_kind_asked_for_is_known(
    question: str, told: str, untold: str
) -> None:
    asked = read_wording(question)
    assert tells(asked, told) and not tells(asked, untold)
