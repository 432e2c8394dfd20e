"""A sentence that says what is asked by a defined term brings the definition of the term."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rag.assistant import Assistant
from rag.index import Index
from rag.search.defined import of_same_contract
from tests.archive import archive
from tests.indexing import write_files

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
HIRE = (
    '# Hire Agreement\n\nThis Agreement is made on {day} May 2024 between {owner} Ltd (the "Owner") and '
    'Sable Choir Ltd (the "Hirer").\n\n## 1. Place\n\nThe Hirer keeps the piano at the Agreed Place.\n\n'
    "## 2. Tuning\n\n{owner} tunes the piano on each Tuning Day.\n"
)
# Two owners, each with its agreement and a schedule in a file of its own.
APART = {
    "dorn/hire.md": HIRE.format(day=3, owner="Dornwell"),
    "dorn/Schedules/schedule-1.md": '# Schedule 1\n\n"Agreed Place" means the vestry of St Olave.\n',
    "pell/hire.md": HIRE.format(day=9, owner="Pellgate"),
    "pell/Exhibit A.md": '# Exhibit A\n\n"Tuning Day" means the first Monday of a quarter.\n',
    "flat/Annex B.md": '# Annex B\n\n"Agreed Place" means a cellar in Torr Street.\n',
    "flat/one.md": HIRE.format(day=1, owner="Ardmoor"),
    "flat/two.md": HIRE.format(day=2, owner="Brackwell"),
    "培训/服务合同.txt": "培训服务合同\n\n甲方：远汀示例教育有限公司\n乙方：泊川示例科技有限公司\n\n"
    "第一条 地点\n培训在约定地点举行。\n",
    "培训/附件一.txt": "附件一 术语\n\n“约定地点”是指望江路12号二楼。\n",
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


@pytest.fixture(scope="module")
def apart(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    root = tmp_path_factory.mktemp("apart")
    write_files(root / "docs", APART)
    with archive(root, **{"note.md": "# Note\n\nThe choir meets at noon.\n"}) as opened:
        yield opened


@pytest.mark.parametrize(
    ("question", "document", "definition"),
    [
        ("Where does Sable Choir keep the piano of Dornwell?", "dorn/", "the vestry of St Olave"),
        ("When does Pellgate tune the piano?", "pell/", "the first Monday of a quarter"),
        ("培训在哪里举行？", "培训/", "望江路12号二楼"),
    ],
)
def test_term_that_a_schedule_of_its_own_defines_is_followed(
    apart: Index, question: str, document: str, definition: str
) -> None:
    quotes = Assistant(apart, threshold=0.0).ask(question).quotes
    assert [c.document.startswith(document) for c in quotes] == [True, True]
    assert definition in quotes[1].quote


def test_term_is_never_taken_from_the_contract_of_others(apart: Index) -> None:
    every = {d.path: d for d in apart.documents()}
    assert [d.path for d in of_same_contract(every["pell/hire.md"], apart.store)] == ["pell/Exhibit A.md"]
    quotes = Assistant(apart, threshold=0.0).ask("Where does Sable Choir keep the piano of Pellgate?").quotes
    assert not any("means" in c.quote for c in quotes)


def test_schedule_that_may_be_of_either_contract_is_of_none(apart: Index) -> None:
    (annex,) = [d for d in apart.documents() if d.path == "flat/Annex B.md"]
    assert of_same_contract(annex, apart.store) == []
