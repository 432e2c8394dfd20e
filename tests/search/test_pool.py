"""The wide pool: both legs and what was named are in it, nothing outside of the filters, nothing removed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag.domains.finance.concepts import reports
from rag.index import Index
from rag.questions.query import Query
from rag.search.pool import (
    LegResults,
    Retrievers,
    SearchScope,
    idf,
    make_pool,
    query_vector,
    search,
    weigh_terms,
)
from rag.search.retrieve import named_within, narrowed, rank, retrieve
from rag.types import Filters, Stages
from tests.archive import FILES, archive
from tests.fakes import FakeEmbedder

NOTICE = "How many days of notice must the tenant give?"
# Invented reports in Markdown: the first lines tell a report, the rows its statements.
ROWS = """
| (In millions) | {year} | {before} |
|---|---|---|
| Cash and cash equivalents | 1,671 | 2,148 |
| Accounts receivable | 1,721 | 2,004 |
| Inventories | 2,904 | 2,481 |
| Total current assets | 7,453 | 7,659 |
| Total assets | 29,499 | 30,154 |
| Accounts payable | 1,804 | 1,612 |
| Total current liabilities | 5,175 | 4,806 |
| Total liabilities | 17,223 | 17,609 |
| Total shareholders' equity | 12,276 | 12,545 |
"""


def report(company: str, year: int) -> str:
    return (
        f"# {company} annual report on Form 10-K\n\nFor the fiscal year ended December 31, {year}\n\n"
        f"## Consolidated Balance Sheets\n{ROWS.format(year=year, before=year - 1)}\n"
        f"## Liquidity\n\n{company} had a quick ratio and cash that served its current liabilities well.\n"
    )


REPORTS = {
    f"filings/{company.split()[0].lower()}-{year}.md": report(company, year)
    for company in ("Vextra Foods, Inc.", "Mirves Corporation", "Kolbar Stores Corp")
    for year in (2021, 2022)
}


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    root = tmp_path_factory.mktemp("pool")
    for path, text in REPORTS.items():
        file = root / "docs" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    with archive(root) as opened:
        yield opened


def found(
    index: Index,
    question: str,
    *scopes: SearchScope,
    filters: Filters | None = None,
) -> list[LegResults]:
    query = index.understand(question)
    legs = index.retrievers(query)
    return search(legs, query, weigh_terms(legs, query), scopes or (SearchScope(150),), filters)[1]


def pooled(index: Index, question: str, filters: Filters | None = None) -> set[str]:
    query = index.understand(question)
    legs = index.retrievers(query)
    rows = rank(legs, query, whole=query, filters=filters).pool.rows
    return {index.store.document(row.document_id).path for row in rows}


def test_pool_holds_both_legs_with_their_ranks_and_what_was_named(index: Index) -> None:
    query = index.understand(NOTICE)
    legs = index.retrievers(query)
    vector, (both,) = search(legs, query, weigh_terms(legs, query), [SearchScope(5)])
    more = [int(i) for i in index.store.chunk_ids(None)][-3:]
    pool = make_pool(legs, query, both, vector, more)
    ids = [row.id for row in pool.rows]
    assert both.lexical and len(both.dense) == 5
    assert set(ids) == {*both.lexical, *both.dense, *more}
    assert len(ids) == len(set(ids)) == len(pool)
    for leg, ranks in ((both.lexical, pool.lexical_rank), (both.dense, pool.dense_rank)):
        assert [ids[n] for n in np.argsort(ranks, kind="stable") if ranks[n]] == list(leg)
    outside = [n for n, i in enumerate(ids) if i not in both.ids]
    assert all(pool.lexical_rank[n] == pool.dense_rank[n] == 0 for n in outside)


def test_each_leg_is_what_the_store_and_the_vectors_give(index: Index) -> None:
    query = replace(index.understand(NOTICE), reworded=())
    legs = index.retrievers(query)
    terms = weigh_terms(legs, query)
    vector, (both,) = search(legs, query, terms, [SearchScope(7)])
    assert vector is not None and legs.dense is not None
    assert list(both.lexical) == [i for i, _ in index.store.lexical(terms.tokens, limit=7)]
    assert list(both.dense) == [i for i, _ in legs.dense.search(vector, 7)]


def test_every_candidate_has_its_cosine_and_none_without_vectors(index: Index) -> None:
    query = index.understand(NOTICE)
    legs = index.retrievers(query)
    ids = [int(i) for i in index.store.chunk_ids(None)]
    vector = query_vector(legs, replace(query, reworded=()))
    assert vector is not None
    pool = make_pool(legs, query, LegResults((), ()), vector, ids)
    expected = np.clip(index.store.space.vectors([row.id for row in pool.rows]) @ vector, 0, 1)
    np.testing.assert_allclose(pool.dense, expected, atol=1e-5)
    without = make_pool(Retrievers(index.store, None, None), query, LegResults((), ()), None, ids)
    assert np.isnan(without.dense).all()


def test_a_scope_of_documents_gives_their_passages_alone(index: Index) -> None:
    names = {d.path: d.id for d in index.documents()}
    chosen = (names["contracts/lease-harbour.md"], names["notes/03.md"])
    every, some = found(index, NOTICE, SearchScope(150), SearchScope(150, chosen))
    assert {index.store.owners([i])[i] for i in some.ids} == set(chosen)
    assert set(some.lexical) <= set(every.lexical)
    nothing = found(index, NOTICE, SearchScope(150, ()))[0]
    assert nothing.ids == ()


# Filters

QUESTIONS = [
    NOTICE,
    "What was the quick ratio of Vextra Foods in 2022?",
    "quick ratio and total current liabilities, and who gives notice to the tenant?",
    "What does a late delivery cost the supplier, and what was Mirves' inventory turnover in FY2021?",
    "Did Kolbar Stores pay a dividend? What were its total assets?",
    "试用期有多长？速动比率是多少？",
    "What was the working capital?",
]
PATHS = sorted([*FILES, *REPORTS])
FILTERS = st.one_of(
    st.lists(st.sampled_from(PATHS), min_size=1, max_size=4).map(lambda p: Filters(documents=tuple(p))),
    st.sampled_from(
        [
            Filters(documents=("filings/*2021*",)),
            Filters(documents=("nothing/*",)),
            Filters(companies=("Mirves",)),
            Filters(companies=("Nobody",)),
            Filters(years=("2021",)),
            Filters(years=("2022",), companies=("Vextra Foods",)),
            Filters(kinds=("csv", "html")),
            Filters(languages=("zh",)),
            Filters(in_force="2021-06-30"),
            Filters(in_force="1950-01-01", languages=("en",)),
        ]
    ),
)
STAGES = st.builds(Stages, *[st.booleans()] * 4)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(QUESTIONS), FILTERS, STAGES, st.integers(1, 40))
def test_no_hit_nor_twin_is_ever_outside_of_the_filters(
    index: Index, question: str, filters: Filters, stages: Stages, k: int
) -> None:
    """Line items and the documents that a question names included."""
    allowed = {d.id for d in index.documents(filters)}
    query = narrowed(index.understand(question), stages)
    legs = index.retrievers(query, stages)
    assert set(named_within(legs, query, filters)) <= allowed
    ranked = rank(legs, query, whole=query, filters=filters, learned=stages.ranker)
    assert {row.document_id for row in ranked.pool.rows} <= allowed
    for hit in retrieve(legs, query, k=k, filters=filters, stages=stages):
        assert hit.document.id in allowed
        assert set(index.store.owners(hit.similar).values()) <= allowed


def test_line_items_are_looked_up_within_the_filters(index: Index) -> None:
    """The company that the question names is filtered out; the balance sheets of the other are found."""
    question = "What was the quick ratio of Vextra Foods in 2022?"
    assert len(reports(index.store)) == len(REPORTS)
    assert "filings/vextra-2022.md" in pooled(index, question)
    only = Filters(companies=("Mirves",))
    assert pooled(index, question, only) == {"filings/mirves-2021.md", "filings/mirves-2022.md"}


def test_filter_that_fits_no_document_gives_an_empty_pool_for_every_question(index: Index) -> None:
    for question in QUESTIONS:
        assert pooled(index, question, Filters(documents=("nothing/*",))) == set()
        assert index.search(question, filters=Filters(documents=("nothing/*",))) == []


# What was removed


def test_removed_passages_are_left_out_even_where_the_vectors_still_hold_them(tmp_path: Path) -> None:
    with archive(tmp_path) as index:
        query = index.understand(NOTICE)
        legs = index.retrievers(query)  # its FAISS index is that of now
        vector, (before,) = search(legs, query, weigh_terms(legs, query), [SearchScope(50)])
        (gone,) = (d for d in index.documents() if d.path == "contracts/lease-harbour.md")
        lost = {i for i, owner in index.store.owners(before.ids).items() if owner == gone.id}
        assert lost
        index.delete(["contracts/lease-harbour.md"])
        pool = make_pool(legs, query, before, vector, sorted(lost))
        assert pool.rows
        assert not lost & {row.id for row in pool.rows}
        hits = retrieve(legs, query, k=50)
        assert hits
        assert gone.id not in {h.document.id for h in hits}


def test_document_deleted_between_two_reads_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with archive(tmp_path) as index:
        query = index.understand(NOTICE)
        legs = index.retrievers(query)
        first = retrieve(legs, query, k=3)
        chunks = index.store.chunks
        deleted: list[str] = []

        def slow(ids: Sequence[int]):  # type: ignore[no-untyped-def]
            read = chunks(ids)
            if not deleted:
                deleted.append(first[0].document.path)
                index.delete(deleted)
            return read

        monkeypatch.setattr(index.store, "chunks", slow)
        again = retrieve(legs, query, k=3)
        assert deleted
        assert first[0].document.id not in {h.document.id for h in again}


# Weights and stages


def test_weight_is_that_of_fts5_and_never_negative() -> None:
    assert idf(100, 1) == pytest.approx(np.log(99.5 / 1.5))
    assert idf(100, 99) == idf(100, 51) == 1e-6


def test_words_of_a_very_small_index_weigh_about_alike_whether_it_holds_them_or_not() -> None:
    for passages in (1, 6):
        assert 1 < idf(passages, 0) / idf(passages, 1) < 1.5
    assert idf(1, 1) > 2
    assert idf(6, 0) > idf(6, 1) > idf(6, 6) > 0.5


def reworded(index: Index, question: str) -> Query:
    return replace(index.understand(question), reworded=("liquidated damages", "time is of the essence"))


def test_without_the_lexicon_no_professional_word_is_added(index: Index) -> None:
    query = reworded(index, "What does a late delivery cost the supplier?")
    legs = index.retrievers(query)
    with_it, without = weigh_terms(legs, query), weigh_terms(legs, replace(query, reworded=()))
    assert with_it.added
    assert not without.added
    assert with_it.tokens == without.tokens
    np.testing.assert_array_equal(with_it.weights, without.weights)


def test_professional_terms_are_searched_without_stop_words_and_the_questions_own(index: Index) -> None:
    query = reworded(index, "What does a late delivery cost the supplier?")
    terms = weigh_terms(index.retrievers(query), query)
    assert terms.added and not {"is", "of", "the", *terms.tokens} & set(terms.added)


def test_gram_across_two_words_is_no_word_of_content(index: Index) -> None:
    query = index.understand("试用期有多长")
    terms = weigh_terms(index.retrievers(query), query)
    words = {t for t, word in zip(terms.tokens, terms.words, strict=True) if word}
    assert "试用期" in words
    assert "期有" not in words


def test_question_in_a_language_that_the_embedder_does_not_know_has_no_vector(tmp_path: Path) -> None:
    with archive(tmp_path, FakeEmbedder(languages=("en",))) as index:
        legs = Retrievers(index.store, index.dense(), index.embedder)
        query = index.understand("试用期有多长？")
        assert query_vector(legs, query) is None
        assert query_vector(legs, index.understand(NOTICE)) is not None
        vector, (both,) = search(legs, query, weigh_terms(legs, query), [SearchScope(5)])
        assert vector is None
        assert both.dense == ()
        assert both.lexical
