"""A refusal says what of the question had no support."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rag.answers.compose import missing
from rag.index import Index
from rag.search.verdict import Verdict, lacks
from rag.types import Filters, Gap, Note
from tests.archive import archive


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    with archive(tmp_path_factory.mktemp("archive")) as opened:
        yield opened


def lacking(
    index: Index,
    question: str,
    language: str = "en",
    filters: Filters | None = None,
    relaxed: tuple[Gap, ...] = (),
) -> str:
    hits = index.search(question, 4, filters=filters)
    reasons = lacks(index.understand(question), hits, index.store, filters=filters, relaxed=relaxed)
    return missing(Verdict(0.0, 1.0, reasons=reasons), language)


def test_words_of_no_document_are_told_from_words_of_others(index: Index) -> None:
    absent, far = lacking(index, "Does the Harbour Lane lease mention a regatta and the kidney?").split("; ")
    assert absent.startswith("in no document searched: ")
    assert "regatta" in absent
    assert far.startswith("not in the passages nearest to it: ")
    assert "kidney" in far
    assert "lease" not in absent + far


def test_what_only_other_documents_hold_is_absent_under_a_filter(index: Index) -> None:
    contracts = Filters(documents=("contracts/*",))
    words = lacking(index, "kidney disease of the tenant", filters=contracts)
    assert "kidney" in words.split(";")[0]
    assert words.startswith("in no document searched: ")


def test_stems_count_as_the_word(index: Index) -> None:
    assert "in no document" not in lacking(index, "paying deposits")


def test_company_and_year_that_no_passage_is_of_are_named(index: Index) -> None:
    gap = Gap((Note("company", ("Kestrel Bank",)), Note("year", ("2019",))), ("company", "year"), "x.pdf")
    words = lacking(index, "What is the rent?", relaxed=(gap,))
    assert "no passage found is of: company Kestrel Bank, year 2019" in words
    later = Gap(gap.wanted, gap.missed, "x.pdf", rank=2)
    assert "Kestrel" not in lacking(index, "What is the rent?", relaxed=(later,))


def test_names_that_no_document_bears_are_in_no_document(index: Index) -> None:
    gap = Gap((Note("unknown", ("Kestrel Act",)),), ("unknown",))
    assert "in no document searched: Kestrel Act" in lacking(index, "What is the rent?", relaxed=(gap,))


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("谁赢得了世界杯？", "没有出现：赢得、世界杯"),
        ("试用期从何时起计算？", "没有一句能回答"),
        ("违约金和直升机", "直升机"),
    ],
)
def test_chinese_questions_are_told_in_chinese(index: Index, question: str, said: str) -> None:
    words = lacking(index, question, "zh")
    assert said in words
    assert not any(c.isascii() and c.isalpha() for c in words)


def test_where_every_word_is_there_the_sort_of_answer_is_named(index: Index) -> None:
    assert "asked for was a date" in lacking(index, "When is the monthly rent due?")
