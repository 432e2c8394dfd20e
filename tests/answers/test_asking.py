"""A question back: only where three documents answer alike, each with another value."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rag.assistant import Assistant
from rag.index import Index
from rag.types import Filters, Outcome
from tests.archive import archive
from tests.fakes import FakeLLM

QUESTION = "How long is the notice period for termination?"
CONTRACT = "# {title}\n\n## Termination\n\nThe notice period for termination is {days} days.\n"
TITLES = {"Office lease": 30, "Supply agreement": 60, "Cleaning contract": 90}
ZH = "# {title}\n\n第五条 解除合同的通知期为{days}日。\n"


def contracts(**changes: int) -> dict[str, str]:
    days = TITLES | {name.replace("_", " "): n for name, n in changes.items()}
    return {f"{n}__md": CONTRACT.format(title=t, days=d) for n, (t, d) in enumerate(days.items())}


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    chinese = {
        f"zh{d}__md": ZH.format(title=t, days=d) for d, t in ((15, "租赁"), (20, "供货"), (25, "保洁"))
    }
    with archive(tmp_path_factory.mktemp("archive"), **contracts(), **chinese) as opened:
        yield opened


def test_three_documents_that_answer_alike_are_asked_about_and_no_model_reads(index: Index) -> None:
    llm = FakeLLM()
    answer = Assistant(index, llm, threshold=0.0).ask(QUESTION)
    assert llm.prompts == [] and answer.verdict is Outcome.NEARBY and answer.claims == ()
    assert answer.line.startswith("Which document do you mean: ") and answer.line.endswith("?")
    assert {c.title for c in answer.quotes} == set(TITLES)
    assert set(answer.choices) == {f"{QUESTION[:-1]} in {title}?" for title in TITLES}
    assert all(f"{days} days" in answer.text for days in TITLES.values())


def test_a_choice_is_answered_from_its_document(index: Index) -> None:
    for choice in Assistant(index, threshold=0.0).ask(QUESTION).choices:
        answer = Assistant(index, threshold=0.0).ask(choice)
        title = choice.rstrip("?").rpartition(" in ")[2]
        assert answer.verdict is Outcome.ANSWERED and answer.choices == ()
        assert answer.quotes[0].title == title and f"{TITLES[title]} days" in answer.line


def test_chinese_question_back_names_the_documents_and_offers_them(index: Index) -> None:
    answer = Assistant(index, threshold=0.0).ask("解除合同的通知期是多久？")
    assert answer.line.startswith("您指的是哪份文件：《")
    assert set(answer.choices) == {f"《{t}》中，解除合同的通知期是多久？" for t in ("租赁", "供货", "保洁")}


@pytest.mark.parametrize(
    "question",
    [
        "How long is the notice period for termination of the supply agreement?",
        "What does the termination section say?",
        "How long is the notice period for termination of Norden Paper?",
    ],
)
def test_question_that_names_a_document_or_asks_for_no_value_is_answered(index: Index, question: str) -> None:
    assert Assistant(index, threshold=0.0).ask(question).choices == ()


def test_chosen_documents_are_not_asked_about_again(index: Index) -> None:
    answer = Assistant(index, threshold=0.0).ask(QUESTION, filters=Filters(documents=("*.md",)))
    assert answer.verdict is Outcome.ANSWERED and answer.choices == ()


def test_documents_that_agree_leave_no_doubt(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("agreeing")
    with archive(folder, **contracts(Supply_agreement=30, Cleaning_contract=30)) as opened:
        assert Assistant(opened, threshold=0.0).ask(QUESTION).choices == ()
