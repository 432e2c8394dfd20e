"""A question what a clause says is answered with the clause itself, whole, or with the question which
document's is intended."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rag.assistant import Assistant
from rag.types import Outcome
from tests.archive import archive

MORE = {
    "contracts/barge.md": "# Barge Hire Agreement\n\n## 4. Berths\n\n4.1 The hirer moors at berth nine.\n\n"
    "4.2 The hirer pays for the berth. The owner pays for the lamps.\n\n4.3 Berths close at ten.\n\n"
    "## 12. Fuel\n\n12.1 The tank holds 300 litres.\n",
    "contracts/crane.md": "# Crane Hire Agreement\n\n## 4. Loads\n\n4.2 No load is above nine tonnes.\n\n"
    "## Schedule 12\n\nHooks and slings.\n",
    "contracts/渔船租赁合同.md": "# 渔船租赁合同\n\n第七条 乙方每年检修船只一次。\n\n"
    "第八条 船只停靠第七条所称码头。\n",
}


@pytest.fixture(scope="module")
def assistant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assistant]:
    with archive(tmp_path_factory.mktemp("archive"), **MORE) as opened:
        yield Assistant(opened)


@pytest.mark.parametrize(
    ("question", "line"),
    [
        ("What does clause 4.2 of the barge hire agreement say?",
         "4.2 The hirer pays for the berth. The owner pays for the lamps."),
        ("Show me section 4.3 of the barge agreement", "4.3 Berths close at ten."),
        ("What is in section 4 of the crane agreement?", "4.2 No load is above nine tonnes."),
        ("渔船租赁合同第七条是怎么规定的？", "第七条乙方每年检修船只一次。"),
        ("第八条", "第八条船只停靠第七条所称码头。"),
    ],
)  # fmt: skip
def test_a_provision_asked_for_is_quoted_whole_and_alone(
    assistant: Assistant, question: str, line: str
) -> None:
    answer = assistant.ask(question)
    assert (answer.verdict, answer.line) == (Outcome.ANSWERED, line)
    assert "".join("".join(c.quote.split()) for c in answer.quotes) == "".join(line.split())


def test_where_several_documents_have_the_clause_the_reader_is_asked_which(assistant: Assistant) -> None:
    answer = assistant.ask("What does clause 4.2 say?")
    assert answer.verdict is Outcome.NEARBY and len(answer.choices) == 2
    lines = {assistant.ask(choice).line for choice in answer.choices}
    assert lines == {
        "4.2 The hirer pays for the berth. The owner pays for the lamps.",
        "4.2 No load is above nine tonnes.",
    }


def test_a_schedule_is_no_section_of_the_same_number(assistant: Assistant) -> None:
    assert assistant.ask("What does schedule 12 say?").line == "Hooks and slings."
    assert assistant.ask("What does section 12 say?").line == "12.1 The tank holds 300 litres."


@pytest.mark.parametrize(
    "question", ["What does clause 99 say?", "What does note 4 say?", "第九十条规定了什么？"]
)
def test_a_provision_that_no_document_has_is_not_answered_with_another(
    assistant: Assistant, question: str
) -> None:
    assert assistant.ask(question).verdict is not Outcome.ANSWERED
