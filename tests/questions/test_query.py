"""A question is understood once, and what lies behind takes what was understood."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest

import rag
from rag.assistant import Assistant
from rag.errors import InputError
from rag.index import Index
from rag.questions import query as queries
from rag.questions.expects import read_wording
from rag.types import Turn
from tests.archive import archive
from tests.asking import asked

_RAG = Path(rag.__file__).parent
BEHIND = ("search", "answers", "verify", "tasks", "domains/finance/figures")
NAMES = ("question", "questions", "searched", "asked")
READERS = {_RAG / "domains/finance/figures" / f"{name}.py" for name in ("asked", "understanding")}
QUESTIONS = (
    "How many days of notice must the tenant give?",
    "What interest does the borrower pay, and when is the loan repaid?",
    "What was the deposit?",
    "Can we walk away from the lease?",
    "Which goalkeeper saved the decisive shot, and who conducted the orchestra?",
    "What was the net income of Vextra Foods in FY2022?",
    "By how much did revenue of Vextra Foods grow in FY2022?",
    "Compare the lease and the loan agreement.",
    "How many documents mention a deposit?",
    "List all obligations of the tenant.",
    "Summarise the lease of Harbour Lane.",
    "What does article 12 of the Harbour Safety Act 2015 say?",
    "Who repairs the roof?",
    "When does the term begin?",
    "What is the monthly payment on a $300,000 mortgage at 6% for 30 years?",
    "试用期有几个月？",
    "试用期有几个月？谁赢得了世界杯？",
    "逾期交货的违约金是多少？",
    "采购合同的主要内容是什么？",
    "有多少份文件提到押金？",
)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    with archive(tmp_path_factory.mktemp("archive")) as opened:
        yield opened


@pytest.mark.parametrize("question", QUESTIONS)
def test_every_text_is_read_once_on_the_way_to_an_answer(index: Index, question: str) -> None:
    read: Counter[str] = Counter()
    whole = queries._read

    def counted(text: str, readers: queries.Readers) -> queries.Query:
        read[text] += 1
        return whole(text, readers)

    with mock.patch.object(queries, "_read", counted):
        Assistant(index).ask(question)
    assert read[question] == 1
    assert max(read.values()) == 1


def test_no_stage_behind_takes_the_words_of_a_question() -> None:
    """A parameter of that name is a Query. How the field of finance reads one is a part of understanding."""
    found = []
    for folder in BEHIND:
        for path in {*(_RAG / folder).glob("*.py")} - READERS:
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                words = isinstance(node, ast.arg) and node.arg in (
                    "question",
                    "questions",
                    "searched",
                    "asked",
                )
                if words and node.annotation and ast.unparse(node.annotation) in ("str", "Sequence[str]"):
                    found.append(f"{folder}/{path.name}:{node.lineno} {node.arg}")
    assert not found


def test_a_part_is_a_query_of_its_own_and_has_no_parts() -> None:
    whole = asked("What was the deposit, and when must it be returned to the tenant?")
    assert [part.asked for part in whole.questions] == [
        "What was the deposit",
        "when must it be returned to the tenant",
    ]
    assert whole.questions[1].text == "when must it be returned to the tenant (deposit)"
    assert not any(part.questions for part in whole.questions)


def test_a_follow_up_stands_by_itself(index: Index) -> None:
    before = Turn("What was the revenue of Vextra Foods in FY2022?", "It was 5.")
    query = index.understand("And in FY2021?", [before])
    assert query.completed and query.asked == "And in FY2021?"
    assert "FY2021" in query.text and "Vextra Foods" in query.text
    assert not index.understand("And in FY2021?").completed


@pytest.mark.parametrize("empty", ["", "  ", "?!", "。"])
def test_nothing_asked_is_an_error_that_says_what_to_do(empty: str) -> None:
    with pytest.raises(InputError, match="Ask it in a sentence"):
        asked(empty)


def test_an_answer_is_in_the_language_asked_for_whatever_the_question_is_in(index: Index) -> None:
    asked_in_chinese = index.understand("试用期有几个月？")
    answer = Assistant(index).ask(asked_in_chinese.text, language="en")
    assert (asked_in_chinese.language, answer.language) == ("zh", "en")


@pytest.mark.parametrize(
    ("question", "content"),
    [
        ("What happened on June 30th, 2023?", {"d20230630"}),
        ("2024年6月12日发生了什么？", {"d20240612"}),
        ("Which notice is of 11.VII.2023?", {"notic", "d20230711"}),
        ("Who fell on 03/04/2023?", {"fell", "d20230304", "d20230403"}),
    ],
)
def test_a_date_in_a_question_is_looked_for_in_any_spelling_and_its_month_is_no_name(
    question: str, content: set[str]
) -> None:
    wording = read_wording(question)
    assert set(wording.content) == content and content <= {*wording.tokens, "notic", "fell"}
    assert not wording.names
