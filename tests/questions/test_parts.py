"""Several questions in one are told from one question, and each gets its evidence."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.questions.query import MAX_PARTS, completed, separated
from tests.archive import archive

ONE = [
    "How many days of notice must the tenant give?",
    "What are revenue and operating income?",
    "Which drug is safe and is approved for children?",
    "Who signs the lease and has the right to sublet?",
    "Does the policy state when and how employees are paid?",
    "Where and when does the board meet?",
    "Base your answer on the balance sheet. What is the quick ratio?",
    "What was the deposit, and when must it be returned?",
    "What is the loan? Why?",
    "How is 'research and development' defined?",
    "deposit and rent",
    "the",
    "",
    "？？",
    "试用期有多长？",
    "工资和奖金是多少？",
    "什么？为什么？",
]
SEVERAL = {
    "What was the deposit, and who repairs the roof?": ("What was the deposit", "who repairs the roof"),
    "What is the deposit and is it returned with interest?": (
        "What is the deposit",
        "is it returned with interest",
    ),
    "What is the quick ratio of Vextra and did Mirves pay a dividend?": (
        "What is the quick ratio of Vextra",
        "did Mirves pay a dividend",
    ),
    "Who pays the rent? Who pays the taxes?": ("Who pays the rent", "Who pays the taxes"),
    "What did Norden deliver; what was the penalty": ("What did Norden deliver", "what was the penalty"),
    "试用期多长？工资多少？": ("试用期多长", "工资多少"),
    "该合同的期限是多久，并且违约金是多少": ("该合同的期限是多久", "违约金是多少"),
    "押金是多少，以及什么时候退还？": ("押金是多少", "什么时候退还"),
}


def test_no_more_than_three_parts_are_kept() -> None:
    asked = "Who pays rent? Who pays taxes? Who pays repairs? Who pays insurance? Who pays heating?"
    assert separated(asked) == ("Who pays rent", "Who pays taxes", "Who pays repairs")


def test_the_same_question_twice_is_one() -> None:
    assert separated("Who pays the rent? Who pays the rent?") == ()


# Forty passages speak of rents and outnumber the two others, which say little of what the whole asks.
RENTS = {
    "rents__md": "# Rents\n\n"
    + "\n\n".join(
        f"## Rent {n}\n\nThe monthly rent of the flat number {n} in the house is {n * 10} euros a month."
        for n in range(40)
    ),
    "regatta__md": "# Sports\n\nThe regatta of the lake was won by Ottilie Brandt in a wooden boat.\n",
}
THREE = (
    "What is the monthly rent of the flat in the house, and how do staff wash their hands, "
    "and who won the regatta?"
)


def test_each_part_is_searched_for_by_itself(tmp_path: Path) -> None:
    with archive(tmp_path, **RENTS) as index:
        query = index.understand(THREE)
        found = index.search_each(query, 3)
        assert len(found) == len(query.questions) == 3
        for hits, first in zip(found, ("rents.md", "medicine/handwashing.txt", "regatta.md"), strict=True):
            assert hits[0].document.path == first
            assert [h.score for h in hits] == sorted((h.score for h in hits), reverse=True)


@pytest.mark.parametrize(
    "question",
    [
        *ONE,
        "What is the turnover ratio? Turnover is defined as: revenue / inventory.",
        "Is the margin improving? If it is not useful, then state that and explain why.",
        "What is the margin of Vextra? Calculate what was asked by using the line items shown.",
        "律师费由谁承担？/律师费是否由对方承担？",
        "合同可以解除吗？（合同能否解除）",
        "承揽人可以将工作交给第三人吗？承揽人将工作交给第三人要定作人同意吗？",
        "合同金额变更后需要重新审批吗？依据哪一条？",
    ],
)
def test_instructions_and_rewordings_are_no_parts_to_be_answered(question: str) -> None:
    assert separated(question) == ()


@pytest.mark.parametrize("question", SEVERAL)
def test_what_is_asked_in_parts_is_answered_in_parts(question: str) -> None:
    assert separated(question) == SEVERAL[question]


def test_part_that_leans_on_the_one_before_is_completed_by_its_words() -> None:
    asked = completed(("What is the deposit", "is it returned with interest", "who repairs the roof"))
    assert asked == ("What is the deposit", "is it returned with interest (deposit)", "who repairs the roof")
    assert completed(("什么是动产质押", "怎么设立"))[1] == "怎么设立 (动产, 质押)"


@given(st.lists(st.sampled_from([*ONE, *SEVERAL, "; ", " and ", "，", "?", "\ud800", "\x00"]), max_size=5))
def test_parts_are_two_or_three_distinct_stretches_of_the_question(pieces: list[str]) -> None:
    question = " ".join(pieces)
    parts = separated(question)
    assert len(parts) != 1
    assert len(set(parts)) == len(parts) <= MAX_PARTS
    assert all(part and part in question for part in parts)
    assert all(whole.startswith(part) for whole, part in zip(completed(parts), parts, strict=True))
