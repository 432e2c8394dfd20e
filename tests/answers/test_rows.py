"""Rows chosen by a value in their range or by their key, through the assistant without a language model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.assistant import Assistant
from rag.types import Answer, Outcome
from tests.indexing import new_index, write_files

LEAFLET = """# Velnoradine tablets

## Renal impairment

| Creatinine clearance (ml/min) | Starting dose | Maximum daily dose |
|---|---|---|
| 60 or above | 25 mg twice daily | 300 mg |
| 30–59 | 25 mg once daily | 200 mg |
| 15–29 | 12.5 mg once daily | 100 mg |
| below 15 | Do not use | – |

## Syrup by weight and age

| Weight (kg) | Age | Dose of syrup |
|---|---|---|
| 3–5 | under 3 months | 1 ml |
| 3–5 | 3 months and over | 1.5 ml |
| 6–10 | under 1 year | 2 ml |
| 6–10 | 1 year and over | 2.5 ml |

## Injection

Adults and children over 40 kg: 50 mg of the injection every eight hours.

Children from 3 months to 40 kg: 1.5 mg of the injection per kg every eight hours.

Children under 3 months: 1 mg of the injection per kg every twelve hours.
"""
CAPSULES = "# Ostravelline capsules\n\nOstravelline is given once daily with food.\n"
POLICY = """# Purchasing policy of Harrow Fen

## Approval of invoices

| Invoice value (EUR) | Approver | Days |
|---|---|---|
| up to 5,000 | Head of team | 2 |
| over 5,000 up to 25,000 | Finance director | 4 |
| over 25,000 | Board | 10 |

## Notice

| Length of service | Notice by employer | Notice by employee |
|---|---|---|
| After probation, up to 2 years | 4 weeks | 4 weeks |
| More than 2 and up to 6 years | 8 weeks | 6 weeks |
| More than 6 years | 12 weeks | 8 weeks |

## Service credits

| Monthly uptime | Credit |
|---|---|
| 99.9 % or more | none |
| 99.5 % to less than 99.9 % | 5 % of the fee |
| less than 99.5 % | 25 % of the fee |
"""
RULES = """# 合同审批制度

| 合同金额 | 审批人 | 时限 |
|---|---|---|
| 20万元以下（含） | 部门负责人 | 2个工作日 |
| 20万元以上至150万元（含） | 分管副总经理 | 3个工作日 |
| 150万元以上 | 总经理 | 5个工作日 |

## 年休假

| 累计工作年限 | 年休假天数 |
|---|---|
| 不满三年 | 5天 |
| 满三年不满十年 | 8天 |
| 满十年 | 12天 |
"""
RENT = """# Rent roll of Corran Court

| Tenant | Unit | Yearly rent (EUR) | Break date |
|---|---|---|---|
| Parrow Dental | A1 | 21600 | 2026-03-31 |
| Parrow Dental | A2 | 18400 | 2027-03-31 |
| Sedge & Finch Solicitors | C2 | 27300 | none |
| Total | | 67300 | |
"""
FEES = """# Fees of the notary

| Service | Fee (USD) | Turnaround |
|---|---|---|
| Certified copy | 25 | two days |
| Sworn translation | 90 | five days |
| Deed registration | 310 | six weeks |
"""
MEMBERS = """# Tarnwick Cooperative

| Region | Members | Farms |
|---|---|---|
| North dale | 214 | 198 |
| Coast | 387 | 341 |
"""
ORDER = """# 云岭设备采购清单

| 名称 | 型号 | 数量 | 单价（元） |
|---|---|---|---|
| 视觉检测工作站 | YL-V620 | 6 | 285,000 |
| 六轴搬运机械臂 | YL-R15 | 4 | 196,500 |
| 深沟球轴承 | 6204 | 40 | 18.5 |
| 深沟球轴承 | 6206 | 16 | 31 |
"""


@pytest.fixture(scope="module")
def assistant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assistant]:
    folder: Path = tmp_path_factory.mktemp("rows")
    files = {
        "velnoradine.md": LEAFLET,
        "ostravelline.md": CAPSULES,
        "policy.md": POLICY,
        "制度.md": RULES,
        "rent.md": RENT,
        "fees.md": FEES,
        "members.md": MEMBERS,
        "采购.md": ORDER,
    }
    index = new_index(folder / "index")
    index.ingest(write_files(folder / "documents", files), workers=1)
    with Assistant(index) as made:
        yield made


def by_code(answer: Answer) -> bool:
    return answer.verdict is Outcome.ANSWERED and bool(answer.claims) and not answer.claims[0].quoted


@pytest.mark.parametrize(
    ("question", "line"),
    [
        (
            "What is the starting dose of velnoradine at a creatinine clearance of 38?",
            "Creatinine clearance (ml/min) 30–59: Starting dose 25 mg once daily",
        ),
        (
            "Velnoradine dose for a patient with creatinine clearance 15 ml/min?",
            "15–29: Starting dose 12.5 mg once daily; Maximum daily dose 100 mg",
        ),
        (
            "How much velnoradine injection does a baby of 8 weeks get?",
            "Children under 3 months: 1 mg of the injection per kg every twelve hours.",
        ),
        ("An invoice of EUR 12,500: who approves it?", "over 5,000 up to 25,000: Approver Finance director"),
        ("Who approves an invoice of EUR 5,000?", "up to 5,000: Approver Head of team"),
        ("Who approves an invoice of EUR 1.2 million?", "over 25,000: Approver Board"),
        ("Which notice must the employer give after 4 years of service?", "Notice by employer 8 weeks"),
        ("What notice does an employee give after 18 months of service?", "Notice by employee 4 weeks"),
        ("What credit is due for an uptime of 99.95 %?", "99.9 % or more: none"),
        ("合同金额300万元由谁审批？", "150万元以上：审批人 总经理"),
        ("20万元的合同由谁审批？", "20万元以下（含）：审批人 部门负责人"),
        ("金额为150万元的合同审批时限是多久？", "20万元以上至150万元（含）：时限 3个工作日"),
        ("工作满四年的员工年休假几天？", "满三年不满十年：8天"),
    ],
)
def test_a_value_chooses_the_row_whose_range_holds_it(assistant: Assistant, question: str, line: str) -> None:
    answer = assistant.ask(question)
    assert by_code(answer)
    assert answer.line.endswith(line)
    (row,) = answer.quotes
    assert assistant.index.text(row.document_id)[row.start : row.end] == row.quote
    (working,) = answer.working
    assert working.result.printed in row.quote


def test_a_rule_per_kilogram_that_a_weight_chooses_is_worked_out(assistant: Assistant) -> None:
    answer = assistant.ask("How much velnoradine injection does a child of 14 kg get?")
    assert answer.line == "21 mg every eight hours." and len(answer.quotes) == 1
    assert answer.working[0].working == "1.5 mg of the injection per kg × 14 kg"


def test_where_two_heads_apply_both_values_hold(assistant: Assistant) -> None:
    young = assistant.ask("What is the dose of velnoradine syrup for a child of 4 kg aged 8 weeks?")
    older = assistant.ask("What is the dose of velnoradine syrup for a child of 4500 g aged 5 months?")
    assert (young.line, older.line) == (
        "Weight (kg) 3–5, under 3 months: 1 ml",
        "Weight (kg) 3–5, 3 months and over: 1.5 ml",
    )
    assert "4 kg lies in 3–5; 8 weeks lies in under 3 months" in young.working[0].working
    # Of one head alone all rows that hold the value are given.
    both = assistant.ask("What is the dose of velnoradine syrup for a child of 8 kg?")
    assert "2 ml" in both.line and "2.5 ml" in both.line and len(both.quotes) == 2


def test_a_value_that_no_row_holds_is_nearby_and_said_to_be_in_none(assistant: Assistant) -> None:
    answer = assistant.ask("What is the dose of velnoradine syrup for a child of 120 kg?")
    assert answer.verdict is Outcome.NEARBY
    assert answer.line.startswith("No row holds 120 kg (Weight (kg))")
    assert [quote.quote.split(" | ")[0] for quote in answer.quotes] == ["3–5", "6–10"]


@pytest.mark.parametrize(
    ("question", "line"),
    [
        (
            "What yearly rent does Parrow Dental pay for unit A2?",
            "Parrow Dental, A2: Yearly rent (EUR) 18400",
        ),
        ("Which tenant holds unit C2?", "C2: Tenant Sedge & Finch Solicitors"),
        ("How long does a sworn translation take?", "Sworn translation: Turnaround five days"),
        ("What does a certified copy cost?", "Certified copy: Fee (USD) 25"),
        ("Which service costs USD 310?", "Fee (USD) 310: Service Deed registration"),
        ("How many members are there in the Coast region?", "Coast: Members 387"),
        ("六轴搬运机械臂的单价是多少？", "六轴搬运机械臂：单价（元） 196,500"),
        ("YL-V620的数量是多少？", "YL-V620：数量 6"),
    ],
)
def test_a_row_is_found_by_its_key_and_its_cell_is_the_line(
    assistant: Assistant, question: str, line: str
) -> None:
    answer = assistant.ask(question)
    assert by_code(answer)
    assert (answer.line, len(answer.quotes)) == (line, 1)


def test_the_few_rows_that_a_question_names_alike_are_all_given(assistant: Assistant) -> None:
    answer = assistant.ask("What is the yearly rent of Parrow Dental?")
    assert by_code(answer) and len(answer.quotes) == 2
    assert answer.line == (
        "A1, Parrow Dental: Yearly rent (EUR) 21600; A2, Parrow Dental: Yearly rent (EUR) 18400"
    )


def test_a_price_is_what_the_one_column_of_money_says(assistant: Assistant) -> None:
    answer = assistant.ask("深沟球轴承多少钱一个？")
    assert by_code(answer)
    assert answer.line == "型号 6204，深沟球轴承：单价（元） 18.5；型号 6206，深沟球轴承：单价（元） 31"


def test_values_that_no_row_holds_together_are_said_and_no_row_is_quoted_as_the_answer(
    assistant: Assistant,
) -> None:
    answer = assistant.ask("What is the dose of velnoradine syrup for a child of 20 kg aged 2 months?")
    assert answer.verdict is Outcome.NEARBY
    assert answer.line == "No row holds 20 kg (Weight (kg)) and 2 months (Age)."
    assert answer.quotes


def test_a_row_that_a_value_lies_outside_of_is_never_quoted_for_it(assistant: Assistant) -> None:
    quotes = assistant.ask("Which velnoradine tablets fit Mr Orme, whose creatinine clearance is 38?").quotes
    rows = [q.quote for q in quotes if "once daily" in q.quote or "twice daily" in q.quote]
    assert all("30–59" in row for row in rows)


@pytest.mark.parametrize(
    "question",
    [
        # another drug, one that no document names, another currency, a year, an article
        "What is the dose of ostravelline for a child of 4 kg?",
        "What is the dose of zorbamol at a creatinine clearance of 38?",
        "Who approves an invoice of USD 12,500?",
        "Who approves a loan of EUR 12,500?",
        "Who approved invoices in 2024?",
        "Does article 38 mention the creatinine clearance?",
        "300万元的发票由谁开具？",
        # a key, a head or a thing that is not there
        "What is the yearly rent of unit D9?",
        "What deposit does Parrow Dental pay for unit A2?",
        "What is the yearly rent of Ullin Bakery's unit A2?",
        "How many goats are there in the Coast region?",
        "How many members did the Coast region have in 2021?",
        "Which service costs EUR 310?",
        "六轴搬运机械臂的保修期是多久？",
        "激光切割机的单价是多少？",
        "How much over the yearly rent does Parrow Dental pay for unit A2?",  # to be worked out
    ],
)
def test_no_row_is_chosen_where_the_table_is_not_about_the_question(
    assistant: Assistant, question: str
) -> None:
    answer = assistant.ask(question)
    assert not by_code(answer) and not answer.working
