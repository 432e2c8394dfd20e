"""A misspelt word is read as the one word of the documents that is nearest, and the answer says so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.assistant import Assistant
from rag.index import Index
from rag.search.spelling import mended
from tests.archive import archive

MORE = {
    "care.md": "# Care of Ambreltine patients\n\nAmbreltine is stopped six days before surgery.\n\n"
    "The maintenance dose is 75 mg. No premises are let.\n\n"
    "The form of the storage room is formal; the farm is closed.\n"
}


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    with archive(tmp_path_factory.mktemp("archive"), **MORE) as opened:
        yield opened


@pytest.mark.parametrize(
    ("asked", "read"),
    [
        ("Whcih surgury is ambrelltine stopped for?", "which surgery is Ambreltine stopped for?"),
        ("What is the maintainance dose?", "What is the maintenance dose?"),
        ("Is the Zelmorin dose 75 mg?", "Is the Zelmorin dose 75 mg?"),  # nothing is near
        ("What does the promise say?", "What does the promise say?"),  # a word of the dictionary
        ("What do the promises say?", "What do the promises say?"),  # its plural
        ("Is the storage room normal?", "Is the storage room normal?"),  # and not formal
        ("What is the frm?", "What is the frm?"),  # too short
        ("维持剂量是多少？", "维持剂量是多少？"),
    ],
)
def test_a_misspelt_word_is_read_as_the_nearest_of_the_documents(index: Index, asked: str, read: str) -> None:
    assert mended(asked, index.store) == read


def test_the_answer_says_how_the_question_was_read(tmp_path: Path) -> None:
    with archive(tmp_path, **MORE) as opened:
        answer = Assistant(opened).ask("How many days before surgury is Ambrelltine stopped?")
    assert answer.question == "How many days before surgury is Ambrelltine stopped?"
    assert answer.searched == "How many days before surgery is Ambreltine stopped?"
    assert "six days before surgery" in answer.line
