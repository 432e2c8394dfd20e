"""Replies to what is said to the program itself."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rag.assistant import Assistant
from rag.index import Index
from rag.types import Answer, FileStatus, Filters, Outcome
from tests.archive import archive
from tests.fakes import FakeLLM


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    with archive(tmp_path_factory.mktemp("archive"), broken__docx=b"this is no zip") as opened:
        yield opened


def ask(index: Index, said: str, **more: object) -> Answer:
    llm = FakeLLM()
    answer = Assistant(index, llm).ask(said, **more)  # type: ignore[arg-type]
    assert llm.prompts == [] and answer.talk and answer.quotes == ()
    assert answer.verdict is Outcome.ANSWERED
    return answer


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("Hello!", "Hello."),
        ("Thanks", "You are welcome."),
        ("What can you do?", "say so where they hold no answer"),
        ("您好", "您好。"),
        ("谢谢", "不客气。"),
        ("你能做什么？", "文件中没有的，会直接说明"),
    ],
)
def test_reply_is_in_the_language_and_says_how_many_documents_there_are(
    index: Index, said: str, words: str
) -> None:
    answer = ask(index, said)
    readable = sum(d.status is FileStatus.OK for d in index.documents())
    assert words in answer.line and str(readable) in answer.line


def test_documents_are_listed_by_title_and_those_that_could_not_be_read_named(index: Index) -> None:
    answer = ask(index, "What documents do you have?")
    for document in index.documents():
        assert document.path in answer.text
    assert "not read: broken.docx (corrupt)" in answer.text


def test_documents_are_those_that_pass_the_filters(index: Index) -> None:
    answer = ask(index, "有哪些文件？", filters=Filters(documents=("medicine/*",)))
    assert answer.line == "这里有 2 份文件。"
    assert "contracts/" not in answer.text and answer.text.count("medicine/") == 2


@pytest.mark.parametrize(
    "said", ["Hello", "What can you do?", "What documents do you have?", "你好", "有哪些文件？"]
)
def test_every_choice_is_a_question_that_is_answered(index: Index, said: str) -> None:
    choices = ask(index, said).choices
    assert choices
    for choice in choices:
        assert Assistant(index).ask(choice).verdict is Outcome.ANSWERED, choice
