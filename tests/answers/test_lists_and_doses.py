"""Lists are quoted whole with their count, and doses by weight worked out, without a language model."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rag.assistant import Assistant
from rag.types import Outcome
from tests.indexing import new_index, write_files

FILES = {
    "tarvoxil.md": """# Tarvoxil suspension

## Contraindications

Tarvoxil must not be given in:

- known allergy to tarvoxil;
- severe liver failure,
  - of any cause,
  - of any length;
- children under 2 months.

## Dose

Children of 3 to 40 kg: tarvoxil 10 mg/kg every 8 hours.

## Adverse reactions

| Adverse reaction | Patients (%) |
|---|---|
| Rash | 4.1 |
| Nausea | 11.6 |
| Headache | 7.3 |
""",
    "melcadine.md": "# Melcadine syrup\n\n## Dose in children\n\nMelcadine is given as 15 mg per kg of "
    "body weight twice daily, at most 200 mg a dose.\n\n## Side effects\n\nMelcadine may cause:\n\n"
    "- thirst;\n- cramps.\n",
    "brancor.md": "# Brancor drops\n\n## Dose\n\nOver 40 kg: 150 mg of Brancor once daily.\n\n"
    "From 2 years to 40 kg: 5 mg of Brancor per kg once daily, at most 150 mg a dose.\n",
    "policy.md": """# Pallister home policy

## What we cover

We pay for:

- fire;
- burst pipes.

## Losses left out

We do not pay for:

- rust and rot;
- damage by pets; and
- losses outside Europe.
""",
    "rates.md": """# Fee schedule of Orrin Partners

| Grade | Hourly rate (EUR) |
|---|---|
| Partner | 520 |
| Counsel | 430 |
| Senior associate | 360 |
| Associate | 280 |
""",
    "苔原.md": """# 苔原家庭财产保险条款

## 保险责任

火灾、水管爆裂造成的损失，本公司负责赔偿。

## 责任免除

下列损失，本公司不负责赔偿：

1. 地震；
2. 虫蛀；
3. 自然磨损。
""",
    "说明书.md": """# 泰洛新颗粒说明书

## 禁忌

下列患者禁用泰洛新颗粒：

1. 对泰洛新过敏者；
2. 严重肝功能不全者；
3. 两个月以下婴儿。

## 用法用量

泰洛新颗粒按体重12mg/kg给药，每8小时一次，单次最大剂量不超过300mg。
""",
}


@pytest.fixture(scope="module")
def assistant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assistant]:
    folder = tmp_path_factory.mktemp("lists")
    index = new_index(folder / "index")
    index.ingest(write_files(folder / "documents", FILES), workers=1)
    with Assistant(index) as made:
        yield made


@pytest.mark.parametrize(
    ("question", "line"),
    [
        ("List the contraindications of Tarvoxil",
         "3 contraindications: known allergy to tarvoxil; severe liver failure, - of any cause, - of any "
         "length; children under 2 months."),
        ("What are the contraindications of Tarvoxil?",
         "3 contraindications: known allergy to tarvoxil; severe liver failure, - of any cause, - of any "
         "length; children under 2 months."),
        ("What are the side effects of Melcadine?", "2 side effects: thirst; cramps."),
        ("What are the exclusions of the Pallister policy?",
         "3 exclusions: rust and rot; damage by pets; losses outside Europe."),
        ("What does the Pallister policy not cover?",
         "We do not pay for: rust and rot; damage by pets; losses outside Europe (3 in all)."),
        ("What is excluded from the Pallister policy?",
         "We do not pay for: rust and rot; damage by pets; losses outside Europe (3 in all)."),
        ("苔原家庭财产保险哪些损失不赔？", "下列损失，本公司不负责赔偿：地震；虫蛀；自然磨损（共 3 项）。"),
        ("列出泰洛新颗粒的禁忌", "禁忌共 3 项：对泰洛新过敏者；严重肝功能不全者；两个月以下婴儿。"),
        ("泰洛新颗粒的禁忌有哪些？", "禁忌共 3 项：对泰洛新过敏者；严重肝功能不全者；两个月以下婴儿。"),
    ],
)  # fmt: skip
def test_a_list_is_quoted_whole_with_its_count(assistant: Assistant, question: str, line: str) -> None:
    answer = assistant.ask(question)
    assert (answer.verdict, answer.line) == (Outcome.ANSWERED, line)
    for quote in answer.quotes:
        assert assistant.index.text(quote.document_id)[quote.start : quote.end] == quote.quote


@pytest.mark.parametrize(
    ("question", "line"),
    [
        ("Is damage by pets covered by the Pallister policy?", "No: We do not pay for: damage by pets"),
        ("Can a child of 1 month take Tarvoxil?",
         "No: Tarvoxil must not be given in: children under 2 months"),
        ("严重肝功能不全者能用泰洛新颗粒吗？", "否：下列患者禁用泰洛新颗粒：严重肝功能不全者"),
    ],
)  # fmt: skip
def test_what_a_list_leaves_out_is_answered_no_by_its_item(
    assistant: Assistant, question: str, line: str
) -> None:
    answer = assistant.ask(question)
    assert (answer.verdict, answer.line, len(answer.quotes)) == (Outcome.ANSWERED, line, 1)


@pytest.mark.parametrize(
    "question",
    [
        "Is damage by fire covered by the Pallister policy?",
        "Can a child of 5 months take Tarvoxil?",
        "Can a patient with mild liver failure take Tarvoxil?",
        "Is damage by pets excluded by the Pallister policy?",
        "轻度肝功能不全者能用泰洛新颗粒吗？",
    ],
)
def test_no_item_of_a_list_says_no_to_anything_else(assistant: Assistant, question: str) -> None:
    assert not assistant.ask(question).line.startswith(("No:", "否"))


@pytest.mark.parametrize(
    ("question", "line", "working"),
    [
        ("What dose of Tarvoxil for a child of 14 kg?", "140 mg every 8 hours.", "10 mg/kg × 14 kg"),
        ("What dose of Brancor for a child of 35 kg?",
         "150 mg once daily.", "5 mg of Brancor per kg × 35 kg, at most 150 mg"),
        ("What dose of Melcadine does a child of 12 kg get?",
         "180 mg twice daily.", "15 mg per kg × 12 kg"),
        ("What dose of Melcadine does a child of 20 kg get?",
         "200 mg twice daily.", "15 mg per kg × 20 kg, at most 200 mg"),
        ("体重14公斤的儿童泰洛新颗粒剂量是多少？", "168 mg，每8小时一次。", "12mg/kg × 14公斤"),
        ("体重30公斤的儿童泰洛新颗粒剂量是多少？", "300 mg，每8小时一次。", "12mg/kg × 30公斤，最多 300 mg"),
    ],
)  # fmt: skip
def test_a_dose_by_weight_is_worked_out_within_its_maximum(
    assistant: Assistant, question: str, line: str, working: str
) -> None:
    answer = assistant.ask(question)
    assert (answer.verdict, answer.line, len(answer.quotes)) == (Outcome.ANSWERED, line, 1)
    assert [one.working for one in answer.working] == [working] and working in answer.text


@pytest.mark.parametrize(
    "question",
    [
        "What dose of Tarvoxil for a child of 50 kg?",  # the rule ends at 40 kg
        "What dose of Zorbamol for a child of 14 kg?",
        "What is the dose of Tarvoxil?",
    ],
)
def test_no_dose_is_worked_out_that_no_rule_gives(assistant: Assistant, question: str) -> None:
    assert not any("×" in one.working for one in assistant.ask(question).working)


@pytest.mark.parametrize(
    ("question", "line"),
    [
        ("What are the three highest hourly rates?",
         "Partner (520); Counsel (430); Senior associate (360) (of 4 rows)."),
        ("What is the most common adverse reaction to Tarvoxil?", "Nausea (11.6) (of 3 rows)."),
    ],
)  # fmt: skip
def test_ends_of_a_column_that_is_named_are_read_from_its_table(
    assistant: Assistant, question: str, line: str
) -> None:
    assert assistant.ask(question).line.endswith(line)
