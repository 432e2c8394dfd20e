"""Documents that say the same with something else where the answer is are both shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.answers.prompt import instructions
from rag.assistant import Assistant
from rag.types import Answer, Filters
from tests.archive import archive
from tests.fakes import FakeLLM

SIGNED = "The Tenant shall pay a deposit of USD 60,915 to the Landlord on signing the lease."
DRAFT = "The Tenant shall pay a deposit of USD 55,000 to the Landlord on signing this lease."
ELSEWHERE = "The Tenant shall insure the premises for USD 55,000 on signing the lease."
DEPOSIT = "What deposit does the tenant pay on signing?"
RATE = "2019年全年出生人口1465万人，人口出生率为{}，为1949年有记录以来最低。"


def ask(tmp: Path, question: str, reply: str, filters: Filters | None = None, **texts: str) -> Answer:
    files = {f"{name}__md": f"# {name}\n\n{text}\n" for name, text in texts.items()}
    endings = {instructions(code).answer for code in ("en", "zh")}
    model = FakeLLM(lambda prompt: reply if prompt.ending in endings else "", likely=30.0)
    with archive(tmp, **files) as index:
        return Assistant(index, model).ask(question, filters=filters)


def test_draft_that_says_another_sum_is_quoted_beside_the_signed_text(tmp_path: Path) -> None:
    answer = ask(tmp_path, DEPOSIT, "USD 60,915", final=SIGNED, draft=DRAFT, other=ELSEWHERE)
    assert answer.line == "USD 60,915."
    [caution] = answer.cautions
    assert caution.startswith("draft.md says otherwise: “55,000”")
    assert DRAFT in answer.text and ELSEWHERE not in answer.text
    assert {c.document for c in answer.quotes} == {"final.md", "draft.md"}


def test_another_contract_with_another_value_is_quoted_beside_the_one_answered_from(tmp_path: Path) -> None:
    harbour = "Invoices are payable within thirty (30) days of the invoice date."
    orchard = "Undisputed invoices are payable within forty-five (45) days of their receipt by the Buyer."
    stale = "Invoices presented more than one hundred and eighty (180) days late need not be answered at all."
    question = "Within how many days are invoices payable?"
    answer = ask(tmp_path, question, "30 days [1]", harbour=harbour, orchard=orchard, stale=stale)
    assert answer.line == "Within thirty (30) days."
    [caution] = answer.cautions
    assert caution.startswith("orchard.md says otherwise: “forty-five (45) days”")


def test_chinese_documents_that_disagree(tmp_path: Path) -> None:
    one, other = RATE.format("10.48‰"), RATE.format("5.48‰")
    answer = ask(tmp_path, "2019年人口出生率是多少？", "10.48‰", first=one, second=other)
    assert answer.line == "10.48‰。"
    assert answer.cautions[0].startswith("second.md 的说法不同：“5.48‰”")


@pytest.mark.parametrize(
    ("texts", "filters", "why"),
    [
        ({"final": SIGNED, "copy": SIGNED}, None, "the same"),
        ({"final": SIGNED, "copy": SIGNED.replace("lease", "Lease Agreement")}, None, "the sum is the same"),
        ({"final": SIGNED, "other": ELSEWHERE}, None, "of another thing"),
        ({"final": SIGNED, "draft": DRAFT}, Filters(documents=("final.md",)), "not searched"),
    ],
)
def test_nothing_disagrees(tmp_path: Path, texts: dict[str, str], filters: Filters | None, why: str) -> None:
    answer = ask(tmp_path, DEPOSIT, "USD 60,915", filters, **texts)
    assert (answer.line, answer.cautions) == ("USD 60,915.", ()), why
