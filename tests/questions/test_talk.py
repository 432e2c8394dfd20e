"""What is said to the program itself is told from what asks of the documents."""

from __future__ import annotations

import pytest

from rag.questions.query import Readers, talk_of, understand
from rag.types import Turn


@pytest.mark.parametrize(
    ("kind", "texts"),
    [
        ("greeting", ("Hello", "hi there!", "Good morning.", "你好", "您好！")),
        ("thanks", ("Thanks a lot", "thank you!", "谢谢", "好的，谢谢您。")),
        (
            "help",
            ("What can you do?", "Hello, what can you do?", "help", "你能做什么？", "我可以问什么问题？"),
        ),
        (
            "documents",
            ("What documents do you have?", "which files are there", "有哪些文件？", "你们有什么资料"),
        ),
        (
            "",
            (
                "What documents must be filed?",
                "Hello, how long is the notice period?",
                "What do you do if the tenant leaves?",
                "thanks for the deposit",
                "Which documents mention arbitration?",
                "有哪些文件提到仲裁？",
                "你好公司的注册资本是多少？",
                "",
                "?!",
            ),
        ),
    ],
)
def test_only_what_asks_nothing_of_the_documents_is_talk(kind: str, texts: tuple[str, ...]) -> None:
    assert {text: talk_of(text) for text in texts} == dict.fromkeys(texts, kind)


@pytest.mark.parametrize("said", ["thanks", "hello", "What documents do you have?", "谢谢"])
def test_talk_within_a_conversation_is_not_completed_from_it(said: str) -> None:
    from rag.documents.catalogue import Catalogue

    history = [Turn("What is the monthly rent of Harbour Lane?", "1,450 euros [1].")]
    assert understand(said, Readers(Catalogue(())), history).text == said
