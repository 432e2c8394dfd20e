"""Retrieval on a small real index: what the score means, what is folded, what is filtered, what each stage
gives, what is asked badly."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from rag.errors import InputError
from rag.index import Index, open_index
from rag.languages.text import detect_language
from rag.search.pool import Retrievers
from rag.search.ranker import FEATURES, Ranker
from rag.search.retrieve import narrowed, rank, retrieve
from rag.types import Filters, Hit, Stages
from tests.archive import archive
from tests.fakes import FakeEmbedder, TwoLanguages
from tests.files import pdf_bytes
from tests.indexing import new_index, run_here, write_files

NOTICE = "How many days of notice must the tenant give?"
LEASE = "contracts/lease-harbour.md"


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    with archive(tmp_path_factory.mktemp("archive")) as opened:
        yield opened


@pytest.fixture(scope="module")
def english(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    """Its embedder knows English only."""
    root = tmp_path_factory.mktemp("english")
    with archive(root, FakeEmbedder(languages=("en",))) as opened:
        yield opened


def paths(hits: list[Hit]) -> list[str]:
    return [h.document.path for h in hits]


QUESTIONS = {
    NOTICE: LEASE,
    "What interest does the borrower pay?": "contracts/loan-larkwell.md",
    "What does a late delivery cost the supplier?": "contracts/supply-norden.txt",
    "What is the daily dosage of velnorade?": "medicine/velnorade.md",
    "monthly fee of a Premier account": "finance/fees.csv",
    "How many people did Larkwell employ?": "finance/report.html",
    "试用期有多长？": "中文/劳动合同.txt",
    "逾期交货的违约金是多少？": "中文/采购.txt",
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_document_that_answers_comes_first(index: Index, question: str) -> None:
    assert paths(index.search(question, 3))[0] == QUESTIONS[question]


@pytest.mark.parametrize("question", [*QUESTIONS, "Who won the football match?", "the", "12.4", "委员会"])
def test_scores_are_shares_in_order_and_so_are_those_of_the_legs(index: Index, question: str) -> None:
    hits = index.search(question, 20)
    scores = [h.score for h in hits]
    assert scores == sorted(scores, reverse=True)
    assert all(0.0 <= score <= 1.0 for score in scores)
    for hit in hits:
        assert all(0.0 <= leg.value <= 1.0 for leg in hit.legs)
        assert [leg.name for leg in hit.legs] in (["lexical"], ["lexical", "dense"])
        assert all(leg.rank is None or leg.rank >= 1 for leg in hit.legs)


def test_scores_can_be_compared_between_questions(index: Index) -> None:
    """By words alone: the fake vectors hash words into few places, so that unlike texts may look alike."""
    words = Retrievers(index.store, None, None)
    answered = [retrieve(words, index.understand(q))[0].score for q in QUESTIONS if q.isascii()]
    elsewhere = retrieve(
        words, index.understand("Which goalkeeper was paid to save a penalty in extra time?")
    )
    assert elsewhere  # "paid" and "penalty" do occur
    assert elsewhere[0].score < min(answered)


def test_words_that_no_document_holds_lower_the_score(index: Index) -> None:
    known, strange = index.search(NOTICE, 1)[0], index.search(f"{NOTICE} zyxomma quagga?", 1)[0]
    assert known.chunk_id == strange.chunk_id
    assert strange.score < known.score


def test_score_of_the_lexical_leg_alone_has_the_same_scale(index: Index) -> None:
    alone = retrieve(Retrievers(index.store, None, None), index.understand(NOTICE))
    assert paths(alone)[0] == LEASE
    assert [leg.name for leg in alone[0].legs] == ["lexical"]
    assert 0.0 < alone[0].score <= 1.0
    unranked = retrieve(
        Retrievers(index.store, None, None), index.understand(NOTICE), stages=Stages(ranker=False)
    )
    assert paths(unranked)[0] == LEASE
    assert 0.2 < unranked[0].score <= 1.0


@pytest.mark.parametrize("question", QUESTIONS)
def test_same_question_gives_the_same_hits(index: Index, question: str) -> None:
    assert index.search(question) == index.search(question)


def test_eight_threads_find_what_one_finds(index: Index) -> None:
    asked = [q for q in QUESTIONS for _ in range(6)]
    alone = [index.search(q, 12) for q in asked]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda q: index.search(q, 12), asked)) == alone


def test_fresh_process_state_finds_the_same(tmp_path: Path) -> None:
    with archive(tmp_path) as index:
        first = index.search(NOTICE, 12)
    with open_index(tmp_path / "index", embedder=FakeEmbedder()) as again:
        assert again.search(NOTICE, 12) == first


# Stages

REPORT = """# Vextra Foods, Inc. annual report on Form 10-K

For the fiscal year ended December 31, 2022

## Consolidated Balance Sheets

| (In millions) | 2022 | 2021 |
|---|---|---|
| Cash and cash equivalents | 1,671 | 2,148 |
| Accounts receivable | 1,721 | 2,004 |
| Inventories | 2,904 | 2,481 |
| Total current assets | 7,453 | 7,659 |
| Total assets | 29,499 | 30,154 |
| Total current liabilities | 5,175 | 4,806 |
| Total liabilities | 17,223 | 17,609 |
| Total shareholders' equity | 12,276 | 12,545 |
"""
DAMAGES = "# Damages\n\nLiquidated damages are due where the delivery date is missed.\n"
ASKED = "What was the quick ratio of Vextra Foods in FY2022, and what does a late delivery cost?"
GIVES = {
    "dense": ("dense", "dense_share", "dense_rank"),
    "constraints": ("name", "year"),
    "concepts": ("lines", "page_lines", "role"),
}


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    with archive(tmp_path_factory.mktemp("staged"), vextra__md=REPORT, damages__md=DAMAGES) as opened:
        yield opened


def features(index: Index, question: str, stages: Stages) -> dict[str, NDArray[np.float64]]:
    query = narrowed(index.understand(question), stages)
    legs = index.retrievers(query, stages)
    rows = np.nan_to_num(rank(legs, query, whole=query).rows)
    return {name: rows[:, n] for n, name in enumerate(FEATURES)}


@pytest.mark.parametrize("stage", GIVES)
def test_stage_that_is_off_leaves_no_trace_in_the_features(staged: Index, stage: str) -> None:
    everything = features(staged, ASKED, Stages())
    without = features(staged, ASKED, replace(Stages(), **{stage: False}))
    given = [n for n in GIVES[stage] if n != "page_lines"]  # Markdown has no pages
    assert all(everything[name].any() for name in given)
    assert not any(without[name].any() for name in GIVES[stage])


@pytest.mark.parametrize("stage", GIVES)
def test_stage_that_is_off_leaves_the_others_as_they_were(staged: Index, stage: str) -> None:
    without = features(staged, ASKED, replace(Stages(), **{stage: False}))
    for other in set(GIVES) - {stage}:
        assert any(without[name].any() for name in GIVES[other]), other


def test_without_the_lexicon_a_question_is_not_reworded(staged: Index) -> None:
    query = replace(staged.understand(ASKED), reworded=("liquidated damages",))
    assert narrowed(query, Stages()).reworded and not narrowed(query, Stages(lexicon=False)).reworded


def test_every_stage_is_switched_off_by_one_of_these_claims() -> None:
    assert {f.name for f in fields(Stages)} == {*GIVES, "lexicon", "ranker", "spread"}


def test_without_vectors_the_embedder_is_not_asked(staged: Index) -> None:
    assert isinstance(staged.embedder, FakeEmbedder)
    before = staged.embedder.queries_embedded
    hits = staged.search(ASKED, stages=Stages(dense=False))
    assert staged.embedder.queries_embedded == before
    assert {leg.name for hit in hits for leg in hit.legs} == {"lexical"}


def test_without_the_ranker_the_score_is_the_mean_of_both_legs_and_has_no_reasons(index: Index) -> None:
    for hit in index.search(NOTICE, 8, stages=Stages(ranker=False, spread=False)):
        lexical, dense = (leg.value for leg in hit.legs)
        assert hit.score == pytest.approx((lexical + dense) / 2, abs=1e-5)
        assert hit.reasons == ()


def test_with_the_ranker_the_heaviest_reasons_come_first(index: Index) -> None:
    for hit in index.search(NOTICE, 8):
        weights = [abs(r.adds) for r in hit.reasons]
        assert weights == sorted(weights, reverse=True)
        assert 1 <= len(weights) <= 8
        assert {r.name for r in hit.reasons} <= set(FEATURES)


def test_other_ranker_gives_another_order(index: Index) -> None:
    first = Ranker(np.array([float(name == "opening") for name in FEATURES]))
    query = index.understand(NOTICE)
    legs = index.retrievers(query)
    assert retrieve(legs, query, k=1, ranker=first)[0].chunk.ordinal == 0
    assert retrieve(legs, query, k=1, ranker=first)[0].score == pytest.approx(1 / (1 + np.exp(-1)), abs=1e-6)


def test_passages_of_one_page_give_way_to_other_pages(tmp_path: Path) -> None:
    """Each further one counts 0.8 times as much as the one before."""
    said = "The tenant pays the harbour dues of the lease before the notice ends."
    many = [line for n in range(40) for line in ("", f"* {n}. Harbour dues", f"Part {n}. {said}")]
    pdf = pdf_bytes([many[:54], ["# Payments", "", "Who has a lease pays the harbour dues."]], size=9)
    question = "Who pays the harbour dues of the lease?"
    with archive(tmp_path, dues__pdf=pdf) as index:

        def pages(stages: Stages) -> list[Hit]:
            return [h for h in index.search(question, 12, stages=stages) if h.document.path == "dues.pdf"]

        together, spread = pages(Stages(spread=False)), pages(Stages())
        plain = {h.chunk_id: h.score for h in together}
        first_page = [h for h in spread if h.chunk.page == 1 and h.chunk_id in plain]
        assert len(first_page) >= 3
        for n, hit in enumerate(first_page):
            assert hit.score == pytest.approx(plain[hit.chunk_id] * 0.8**n, abs=1e-5)
        assert 2 not in [h.chunk.page for h in together[:3]]
        assert 2 in [h.chunk.page for h in spread[:3]]


def test_hits_are_passages_of_their_documents_word_for_word(index: Index) -> None:
    for hit in index.search(NOTICE, 20):
        assert index.text(hit.document.id)[hit.chunk.start : hit.chunk.end] == hit.chunk.text


def test_chinese_question_is_lexical_only_where_the_embedder_knows_english_only(english: Index) -> None:
    assert isinstance(english.embedder, FakeEmbedder)
    before = english.embedder.queries_embedded
    hits = english.search("试用期有多长？", 5)
    assert paths(hits)[0] == "中文/劳动合同.txt"
    assert {leg.name for hit in hits for leg in hit.legs} == {"lexical"}
    assert english.embedder.queries_embedded == before
    english.search(NOTICE, 1)
    assert english.embedder.queries_embedded > before


def test_near_duplicates_fold_into_one_hit_that_names_them(tmp_path) -> None:
    clause = "# Terms\n\nThe contractor warrants the roof against leaks for a period of 24 months.\n"
    with archive(tmp_path, a__md=clause, b__md=clause.replace("the roof", "THE  ROOF")) as index:
        hits = [h for h in index.search("warranty of the roof against leaks", 8) if "leaks" in h.chunk.text]
        assert len(hits) == 1
        (twin,) = hits[0].similar
        assert index.passage(twin).document.path in {"a.md", "b.md"} - {hits[0].document.path}


def test_passages_that_differ_in_a_number_are_not_folded(tmp_path) -> None:
    clause = "# Terms\n\nThe contractor warrants the roof against leaks for a period of 24 months.\n"
    with archive(tmp_path, a__md=clause, b__md=clause.replace("24", "36")) as index:
        hits = [h for h in index.search("warranty of the roof against leaks", 8) if "roof" in h.chunk.text]
        assert sorted(paths(hits)) == ["a.md", "b.md"]
        assert all(h.similar == () for h in hits)


@pytest.mark.parametrize(
    ("filters", "allowed"),
    [
        (Filters(documents=("medicine/*",)), {"medicine/velnorade.md", "medicine/handwashing.txt"}),
        (Filters(documents=(LEASE,)), {LEASE}),
        (Filters(kinds=("csv",)), {"finance/fees.csv"}),
        (Filters(languages=("zh",)), {"中文/劳动合同.txt", "中文/采购.txt"}),
    ],
)
def test_hits_come_from_the_documents_allowed_only(index: Index, filters: Filters, allowed: set[str]) -> None:
    found = {p for q in QUESTIONS for p in paths(index.search(q, 20, filters=filters))}
    assert found
    assert found <= allowed


def test_filter_that_fits_no_document_gives_no_hit(index: Index) -> None:
    assert index.search(NOTICE, filters=Filters(documents=("nothing/*",))) == []


@pytest.mark.parametrize("question", ["", "   \n\t", "?!… 。，", "---", "\x00", "🙂🙂"])
def test_question_without_a_word_is_an_input_error(index: Index, question: str) -> None:
    with pytest.raises(InputError, match="holds no word"):
        index.search(question)


@pytest.mark.parametrize("k", [0, -3])
def test_less_than_one_passage_is_an_input_error(index: Index, k: int) -> None:
    with pytest.raises(InputError, match="at least one"):
        index.search(NOTICE, k)


def test_more_passages_than_there_are_gives_those_there_are(index: Index) -> None:
    assert 1 <= len(index.search(NOTICE, 1000)) <= index.store.passages()
    assert len(index.search(NOTICE, 2)) == 2


@pytest.mark.parametrize("unit", ["notice period tenant ", "通知期解除劳动合同", "x", "notice\x00 "])
def test_question_of_fifty_thousand_characters_is_searched_at_once(index: Index, unit: str) -> None:
    question = (unit * 50_000)[:50_000]
    began = time.perf_counter()
    hits = index.search(question)
    assert time.perf_counter() - began < 5
    assert all(0.0 <= h.score <= 1.0 for h in hits)


@pytest.mark.parametrize(
    "question",
    [
        "<|im_start|>system\nnotice of the tenant<|im_end|>",
        '"notice" OR tenant* NEAR(lease, 2) NOT "',
        "notice; DROP TABLE chunks; -- tenant",
        "title : notice ^tenant {lease}",
        "notice tenant \ud800 lease",
    ],
)
def test_control_words_of_any_engine_are_only_words(index: Index, question: str) -> None:
    assert paths(index.search(question, 3))[0] == LEASE
    assert index.store.passages() > 0


@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize(
    ("question", "document"),
    [
        ("押金是多少？", "lease.md"),
        ("试用期有多长？", "handbook.md"),
        ("When is the invoice sent?", "采购.md"),
    ],
)
def test_a_question_finds_what_only_the_other_language_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, question: str, document: str, own: bool
) -> None:
    monkeypatch.setattr("rag.store.ingest.run_in_workers", run_here)
    texts = {
        "lease.md": "The deposit is three months' rent.",
        "handbook.md": "Probation lasts five months for all staff.",
        "采购.md": "甲方收到发票后付款。",
        "制度.md": "合同由法务部门负责审查。",
    }
    asked = detect_language(question)
    kept = {name: text for name, text in texts.items() if own or detect_language(text) != asked}
    with new_index(tmp_path / "index", TwoLanguages()) as index:
        index.ingest(write_files(tmp_path / "files", kept))
        assert paths(index.search(question, 2))[0] == document
