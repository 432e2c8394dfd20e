"""Which of several drafts is kept."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from rag.drafts import LEAST, WEIGHTS, Sheets, best, judge, seed_of, settle
from rag.generation import Piece
from rag.types import ClaimState
from tests.fakes import fake_document, fake_evidence

LEASE = fake_document("lease.md", title="Lease of Harbour House")
RENT = fake_evidence("The monthly rent is EUR 1,450, payable in advance.", document=LEASE)
DEPOSIT = fake_evidence("The deposit is EUR 4,350.", number=2, document=LEASE)
EVIDENCE = [RENT, DEPOSIT]
QUESTION = "How much is the monthly rent?"
TRUE = "The monthly rent is EUR 1,450."
FALSE = "The monthly rent is EUR 1,540."
ASIDE = "The deposit is EUR 4,350, a sum."


def kept(*drafts: str, question: str = QUESTION) -> int:
    return best(judge(dict(enumerate(drafts)), EVIDENCE, question=question)).draft


def test_supported_draft_beats_an_unsupported_one_in_any_order() -> None:
    assert kept(FALSE, TRUE) == 1
    assert kept(TRUE, FALSE) == 0


def test_draft_about_the_question_beats_a_true_one_about_something_else() -> None:
    assert kept("It is payable in advance.", TRUE) == 1


def test_draft_that_rests_on_other_evidence_than_the_first_is_not_kept() -> None:
    assert kept("The deposit is EUR 4,350.") == -1


def test_of_equal_drafts_the_likeliest_is_kept() -> None:
    assert kept(TRUE, TRUE, TRUE) == 0


def test_draft_that_others_agree_with_beats_one_that_stands_alone() -> None:
    alone, shared = "The rent is payable in advance.", TRUE
    judged = judge({0: alone, 1: shared, 2: shared}, EVIDENCE, question="What about the rent?")
    assert best(judged).draft == 1
    assert judged[1].marks["agreement"] > judged[0].marks["agreement"]


def test_draft_full_of_unsupported_sentences_loses_to_a_plain_one() -> None:
    assert kept(f"{TRUE} {FALSE} The landlord is a baker from Ghent.", TRUE) == 1


def test_where_nothing_is_good_enough_the_quotes_alone_are_kept_and_the_rest_is_told() -> None:
    result = best(judge({0: FALSE, 1: "Nobody knows."}, EVIDENCE, question=QUESTION))
    assert result.draft == -1
    assert not any(c.state is ClaimState.SUPPORTED for c in result.claims)
    assert best([]).draft == -1


def test_supported_sentence_that_is_not_kept_says_why() -> None:
    weak = replace(judge({0: TRUE}, EVIDENCE, question=QUESTION)[0], score=LEAST - 0.01)
    (claim,) = best([weak]).claims
    assert claim.state is ClaimState.PARTIAL
    assert claim.reasons == ("the quotes say more of what was asked",)


def test_one_draft_is_kept_as_it_is_where_one_was_asked_for() -> None:
    result = settle({0: FALSE}, EVIDENCE, question=QUESTION)
    assert (result.draft, [c.text for c in result.claims]) == (0, [FALSE])
    assert settle({}, EVIDENCE, question=QUESTION).claims == ()


def test_drafts_that_were_cut_lose_their_last_sentence_and_whole_ones_do_not() -> None:
    sheets = Sheets()
    for draft, words in ((0, "One is here. Two is"), (1, "Whole without a stop")):
        for word in words.split():
            sheets.add(Piece(f"{word} ", draft))
    assert sheets.said(5, interrupted=False) == {0: "One is here.", 1: "Whole without a stop "}
    assert sheets.said(99, interrupted=True) == {0: "One is here."}


def test_seed_is_the_questions_own() -> None:
    assert seed_of(QUESTION) == seed_of(QUESTION) != seed_of("How much is the deposit?")
    assert 0 <= seed_of("\ud800") < 2**32


words = st.sampled_from([*TRUE.split(), *DEPOSIT.text.split(), "not", "2019.", "baker", "。", "%"])


@given(st.lists(st.lists(words, max_size=12).map(" ".join), max_size=4))
def test_scores_are_shares_and_what_is_kept_has_the_best(drafts: list[str]) -> None:
    judged = judge(dict(enumerate(drafts)), EVIDENCE, question=QUESTION)
    assert all(0.0 <= j.score <= 1.0 + 1e-9 for j in judged)
    assert all(0.0 <= mark <= 1.0 for j in judged for mark in j.marks.values())
    result = best(judged)
    assert result.draft == -1 or result.score == max(j.score for j in judged) >= LEAST
    assert abs(sum(WEIGHTS.values()) - 1.0) < 1e-9
