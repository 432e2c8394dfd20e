"""Which documents a topic names, and what of it is left to look for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rag.index import Index
from rag.tasks.topics import all_of, called, read_scope
from rag.types import Filters
from tests.archive import archive


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    with archive(tmp_path_factory.mktemp("archive"), broken__docx=b"this is no zip") as opened:
        yield opened


@pytest.mark.parametrize(
    ("topic", "document", "left"),
    [
        ("notice in the Harbour Lane lease", "contracts/lease-harbour.md", "notice"),
        ("the interest of the loan", "contracts/loan-larkwell.md", "the interest"),
        ("劳动合同的试用期", "中文/劳动合同.txt", "试用期"),
        ("采购合同第三条", "中文/采购.txt", "第三条"),
        ("《劳动合同》中关于工资", "中文/劳动合同.txt", "工资"),
    ],
)
def test_a_topic_may_name_its_document(index: Index, topic: str, document: str, left: str) -> None:
    scope = read_scope(topic, index)
    assert scope.named and scope.topic == left
    assert [d.path for d in scope.documents] == [document]


@pytest.mark.parametrize(
    "topic", ["mentions of notice", "notice", "kidney disease", "试用期", "the documents"]
)
def test_a_topic_that_names_no_document_is_looked_for_in_all(index: Index, topic: str) -> None:
    scope = read_scope(topic, index)
    assert not scope.named and scope.topic == topic
    assert len(scope.documents) == index.stats().documents


def test_only_where_the_whole_is_meant_a_name_alone_is_a_document(index: Index) -> None:
    whole = read_scope("the Harbour Lane lease", index, whole=True)
    assert ([d.path for d in whole.documents], whole.topic) == (["contracts/lease-harbour.md"], "")
    assert read_scope("lease", index).topic == "lease"


def test_filters_hold_and_unreadable_files_are_no_part_of_it(index: Index) -> None:
    scope = read_scope("notice", index, Filters(documents=("medicine/*",)))
    assert {d.path for d in scope.documents} == {"medicine/velnorade.md", "medicine/handwashing.txt"}
    assert "broken.docx" not in {d.path for d in all_of(index.store)}


def test_documents_are_called_by_title_name_or_folder(index: Index) -> None:
    documents = all_of(index.store)
    assert [d.path for d in called(documents, "leases")] == ["contracts/lease-harbour.md"]
    assert len(called(documents, "contracts")) == 3
    assert called(documents, "documents") == ()
