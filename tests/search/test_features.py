"""Features of candidates: in range, the same in any order, and equal to what they claim to be."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.index import Index
from rag.languages.text import content_tokens, query_tokens, search_tokens
from rag.search.pool import LegResults, Retrievers, idf_weights, make_pool, query_vector, weigh_terms
from rag.search.ranker import FEATURES, MATCHING, Pool, Terms, fused, matching
from rag.store.store import Store
from rag.types.search import Candidate, Lengths
from tests.archive import archive

SHARES = set(MATCHING) - {"length"}
VOCABULARY = (
    "notice tenant landlord lease days rent deposit interest 30 2024 4.5 the of to and shall not 押金 租金 "
    "通知 承租人 三十日 解除 劳动合同 3.2.1 café O'Neill"
).split()
TEXT = st.lists(st.sampled_from(VOCABULARY), max_size=90).map(" ".join)
SHORT = st.lists(st.sampled_from(VOCABULARY), max_size=6).map(" ".join)
QUESTION = st.lists(st.sampled_from(VOCABULARY), min_size=1, max_size=14).map(" ".join)


def terms(question: str, *reworded: str, rare: float = 2.0) -> Terms:
    """Every token weighs `rare`; those that begin later in the alphabet a little less."""
    tokens = tuple(query_tokens(question))
    content = frozenset(content_tokens(question)).intersection(tokens) or frozenset(tokens)
    return Terms(
        tokens=tokens,
        weights=np.array([rare / (1 + n / 10) for n in range(len(tokens))]),
        words=np.array([t in content for t in tokens]),
        added={t: rare for term in reworded for t in query_tokens(term) if t not in tokens},
    )


def pool(*passages: tuple[str, str, str], documents: tuple[int, ...] = (), dense: object = None) -> Pool:
    """(title, heading, text) of each; one document unless told otherwise."""
    owners = documents or (1,) * len(passages)
    seen: dict[int, int] = {}
    rows = []
    for n, owner in enumerate(owners, 1):
        ordinal = seen[owner] = seen.get(owner, -1) + 1
        rows.append(
            Candidate(n, owner, ordinal, owners.count(owner), ("paragraph", "table", "article")[n % 3])
        )
    return Pool(
        rows=tuple(rows),
        fields=tuple(tuple(" ".join(search_tokens(field)) for field in p) for p in passages),  # type: ignore[misc]
        dense=np.full(len(passages), math.nan) if dense is None else np.asarray(dense, dtype=float),
        lexical_rank=np.arange(1, len(passages) + 1),
        dense_rank=np.zeros(len(passages), dtype=np.int64),
    )


LENGTHS = Lengths(3.0, 67.0)


def column(name: str, asked: Terms, some: Pool, lengths: Lengths = LENGTHS) -> list[float]:
    table, lexical = matching(asked, some, lengths)
    return list(lexical if name == "lexical" else table[:, MATCHING.index(name)])


@st.composite
def pools(draw: st.DrawFn) -> Pool:
    count = draw(st.integers(0, 7))
    passages = [(draw(SHORT), draw(SHORT), draw(TEXT)) for _ in range(count)]
    owners = tuple(draw(st.integers(1, 3)) for _ in range(count))
    cosine = st.one_of(st.just(math.nan), st.floats(0, 1))
    return pool(*passages, documents=owners, dense=[draw(cosine) for _ in range(count)])


@given(QUESTION, st.lists(SHORT.filter(bool), max_size=3), pools(), st.floats(1e-6, 12))
def test_every_feature_is_finite_and_in_its_range(
    question: str, reworded: list[str], some: Pool, rare: float
) -> None:
    table, lexical = matching(terms(question, *reworded, rare=rare), some, LENGTHS)
    assert table.shape == (len(some), len(MATCHING))
    assert lexical.shape == (len(some),) and (lexical >= 0).all() and (lexical <= 1).all()
    for name in MATCHING:
        values = table[:, MATCHING.index(name)]
        if name in ("dense", "dense_share"):  # nan says that no vectors were compared
            values = values[~np.isnan(values)]
        assert np.isfinite(values).all(), name
        assert (values >= 0).all(), name
        if name in SHARES:
            assert (values <= 1 + 1e-9).all(), name


@given(QUESTION, pools(), st.randoms(use_true_random=False))
def test_features_do_not_depend_on_the_order_of_candidates(question: str, some: Pool, random) -> None:
    order = list(range(len(some)))
    random.shuffle(order)
    turned = Pool(
        tuple(some.rows[n] for n in order),
        tuple(some.fields[n] for n in order),
        some.dense[order],
        some.lexical_rank[order],
        some.dense_rank[order],
    )
    asked = terms(question, "security deposit", "tenancy")
    straight, turned_table = matching(asked, some, LENGTHS)[0], matching(asked, turned, LENGTHS)[0]
    np.testing.assert_allclose(turned_table, straight[order], atol=1e-12)


def test_feature_names_are_distinct_and_each_is_a_column() -> None:
    assert len(set(FEATURES)) == len(FEATURES)
    assert FEATURES[: len(MATCHING)] == MATCHING


@given(st.text(max_size=40), st.text(max_size=80))
def test_any_text_is_looked_at_without_an_error(question: str, text: str) -> None:
    if not query_tokens(question):
        question += " x"
    some = pool((question, text, text), (text, question, question))
    assert np.isfinite(column("lexical", terms(question), some)).all()


# BM25


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    more = {
        f"terms{n}__md": f"# Terms {n}\n\n## Notice\n\n"
        + f"The tenant and the landlord agree. {'Rent is due. ' * n}"
        for n in range(12)
    }
    with archive(tmp_path_factory.mktemp("features"), **more) as opened:
        yield opened


@pytest.mark.parametrize(
    "question",
    [
        "How many days of notice must the tenant give?",
        "What interest does the borrower pay?",
        "monthly rent of the landlord",
        "逾期交货的违约金是多少？",
        "committee room noon adjourned minutes",
    ],
)
def test_bm25_is_what_sqlite_computes(index: Index, question: str) -> None:
    """But for the weights of words, which FTS5 has its own of: those of words in more than half of the
    passages are a millionth."""
    legs = Retrievers(index.store, None, None)
    query = replace(index.understand(question), reworded=())
    asked = weigh_terms(legs, query)
    held, every = index.store.document_frequency(asked.tokens), [int(i) for i in index.store.chunk_ids(None)]
    found = np.array([held.get(token, 0) for token in asked.tokens])
    weights = np.log((len(every) - found + 0.5) / (found + 0.5))
    asked = replace(asked, weights=np.maximum(weights, 1e-6))
    some = make_pool(legs, query, LegResults((), ()), None, every)
    own = column("lexical", asked, some, index.store.lengths())
    theirs = dict(index.store.lexical(asked.tokens, limit=len(some)))
    attainable = 2.2 * asked.weights.sum()
    assert len(some) == len(every)
    assert len(theirs) >= 1
    expected = [theirs.get(row.id, 0.0) / attainable for row in some.rows]
    assert own == pytest.approx(expected, rel=0.03, abs=1e-6)
    assert np.argsort(own)[-1] == np.argsort(expected)[-1]


def test_lengths_are_close_to_the_mean_where_passages_are_sampled(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    fields = index.store.token_fields([int(i) for i in index.store.chunk_ids(None)])
    whole = np.mean([sum(len(f.split()) for f in row) for row in fields.values()])
    assert index.store.lengths().whole == pytest.approx(whole, rel=1e-6)
    monkeypatch.setattr("rag.store.store._SAMPLED", 10)
    with Store.open(index.folder) as again:
        assert again.lengths().whole == pytest.approx(whole, rel=0.5)


def test_word_that_no_passage_holds_lowers_the_lexical_score() -> None:
    some = pool(("", "", "the tenant gives notice"))
    with_strange = terms("tenant notice quagga")
    assert column("lexical", with_strange, some)[0] < column("lexical", terms("tenant notice"), some)[0]


def test_the_more_of_the_question_a_passage_holds_the_more_its_words_say() -> None:
    some = pool(("", "", "tenant"), ("", "", "tenant notice"), ("", "notice", "tenant"))
    asked = terms("tenant notice")
    words, anywhere = column("words", asked, some), column("words_anywhere", asked, some)
    assert words[0] == words[2] < words[1] == pytest.approx(1.0)
    assert anywhere[0] < anywhere[1] == anywhere[2] == pytest.approx(1.0)


def test_title_is_weighed_by_what_the_question_holds_of_it() -> None:
    some = pool(("tenant handbook", "notice", "x"), ("handbook", "notice of rent due", "x"))
    asked = terms("tenant notice")
    assert column("title_filled", asked, some) == pytest.approx([0.5, 0.0])
    assert column("title_words", asked, some)[1] == 0.0


# Professional words


def test_professional_word_counts_less_than_the_questions_own() -> None:
    asked = terms("boss", "employer")
    own, professional, neither = column(
        "lexical", asked, pool(("", "", "the boss"), ("", "", "the employer"), ("", "", "the boat"))
    )
    assert own > professional > neither == 0.0


def test_no_candidates_give_no_rows_with_and_without_professional_words() -> None:
    for asked in (terms("boss"), terms("boss", "employer")):
        assert matching(asked, pool(), LENGTHS)[0].shape == (0, len(MATCHING))


# Around the passage


def test_neighbours_and_document_speak_for_a_passage() -> None:
    asked = terms("tenant notice")
    some = pool(
        *(("", "", text) for text in ("tenant notice", "x", "x", "tenant notice")), documents=(1, 1, 1, 2)
    )
    best = column("fused", asked, some)[0]
    assert column("neighbours", asked, some) == pytest.approx([0.0, best, 0.0, 0.0])
    assert column("document_best", asked, some) == pytest.approx([best] * 4)
    assert column("document_top", asked, some) == pytest.approx([best / 3] * 4)


def test_fused_is_the_mean_of_both_legs_and_words_alone_where_no_vector_was_compared() -> None:
    np.testing.assert_allclose(fused(np.array([0.4, 0.4]), np.array([0.8, math.nan])), [0.6, 0.4])


def test_weights_are_those_of_the_whole_index(index: Index) -> None:
    weights = idf_weights(index.store, ["committe", "velnorad", "quagga"])
    assert weights["committe"] < weights["velnorad"] < weights["quagga"]


def test_question_vector_lies_between_both_wordings(index: Index) -> None:
    query = replace(index.understand("late delivery"), reworded=())
    legs = index.retrievers(query)
    plain = query_vector(legs, query)
    both = query_vector(legs, replace(query, reworded=("liquidated damages",)))
    again = query_vector(legs, replace(query, text="late delivery (liquidated damages)"))
    assert plain is not None and both is not None and again is not None
    np.testing.assert_allclose(both, (plain + again) / 2, atol=1e-6)


def test_index_folder_is_left_as_it_was(index: Index) -> None:
    """Searching writes nothing."""
    before = {p.name: p.stat().st_mtime_ns for p in Path(index.folder).glob("index.sqlite")}
    index.search("tenant notice")
    assert {p.name: p.stat().st_mtime_ns for p in Path(index.folder).glob("index.sqlite")} == before
