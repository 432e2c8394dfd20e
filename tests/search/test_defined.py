"""A sentence that says what is asked by a defined term brings the definition of the term."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rag.assistant import Assistant
from rag.index import Index
from tests.archive import archive

FILES = {
    "warehouse.md": "# Warehouse Lease\n\n## 1. Definitions\n\n"
    '"Permitted Use" means the storage of dry food and nothing else. "Charges" means the amounts payable '
    'under clause 4. "Site" has the meaning given in Schedule 2.\n\n'
    "## 2. Use\n\nThe tenant may use the warehouse only for the Permitted Use.\n\n"
    "## 4. Charges\n\nThe Charges fall due ten days after the end of the month at the landlord's bank.\n",
    "服务.txt": "技术服务合同\n\n第一条 定义\n\n本合同所称“服务”是指软件安装、数据迁移和两次现场培训。"
    "本合同所称“交付地点”是指泠溪市松茂路8号。\n\n第二条 服务\n\n乙方向甲方提供服务。\n\n"
    "第三条 交付\n\n设备应当运至交付地点。\n",
}


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    with archive(tmp_path_factory.mktemp("defined"), **FILES) as opened:
        yield opened


@pytest.mark.parametrize(
    ("question", "sentence", "definition"),
    [
        (
            "What may the warehouse be used for?",
            "The tenant may use the warehouse only for the Permitted Use.",
            '"Permitted Use" means the storage of dry food and nothing else.',
        ),
        ("设备应当运至哪里？", "设备应当运至交付地点。", "本合同所称“交付地点”是指泠溪市松茂路8号。"),
    ],
)
def test_sentence_that_says_little_but_a_term_brings_its_definition(
    index: Index, question: str, sentence: str, definition: str
) -> None:
    answer = Assistant(index, threshold=0.0).ask(question)
    assert [c.quote for c in answer.quotes] == [sentence, definition]
    for citation in answer.citations:
        assert index.text(citation.document_id)[citation.start : citation.end] == citation.quote


def test_sentence_that_says_what_is_asked_itself_brings_none(index: Index) -> None:
    answer = Assistant(index, threshold=0.0).ask("When do the Charges fall due?")
    assert len(answer.quotes) == 1 and "ten days" in answer.quotes[0].quote


def test_question_what_a_term_means_is_answered_by_its_definition(index: Index) -> None:
    answer = Assistant(index, threshold=0.0).ask("What does Permitted Use mean?")
    assert answer.quotes[0].quote == '"Permitted Use" means the storage of dry food and nothing else.'
    assert "软件安装" in Assistant(index, threshold=0.0).ask("“服务”是指什么？").quotes[0].quote


def test_definition_that_only_leads_elsewhere_is_none(index: Index) -> None:
    (lease,) = [d.id for d in index.documents() if d.path == "warehouse.md"]
    assert set(index.store.definitions(lease)) == {"Permitted Use", "Charges"}
