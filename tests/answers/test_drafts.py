"""Which of several drafts is kept."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rag.answers.writing import choose

from rag.types import ClaimState
from tests.asking import asked
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
    return choose(drafts, EVIDENCE, asked(question))[0]


def test_supported_draft_beats_an_unsupported_one_in_any_order() -> None:
    assert kept(FALSE, TRUE) == 1
    assert kept(TRUE, FALSE) == 0


def test_draft_about_the_question_beats_a_true_one_about_something_else() -> None:
    assert kept("It is payable in advance.", TRUE) == 1


def test_draft_that_rests_on_the_first_evidence_beats_one_that_rests_on_other() -> None:
    assert kept("The deposit is EUR 4,350.", TRUE) == 1


def test_of_equal_drafts_the_likeliest_is_kept() -> None:
    assert kept(TRUE, TRUE, TRUE) == 0


def test_draft_full_of_unsupported_sentences_loses_to_a_plain_one() -> None:
    assert kept(f"{TRUE} {FALSE} The landlord is a baker from Ghent.", TRUE) == 1


def test_one_draft_is_kept_as_it_is() -> None:
    best, claims = choose([FALSE], EVIDENCE, asked(QUESTION))
    assert (best, [c.text for c in claims]) == (0, [FALSE])
    assert choose([""], EVIDENCE, asked(QUESTION)) == (0, ())


words = st.sampled_from([*TRUE.split(), *DEPOSIT.text.split(), "not", "2019.", "baker", "。", "%"])


@given(st.lists(st.lists(words, max_size=12).map(" ".join), min_size=1, max_size=4))
def test_draft_that_shows_something_is_kept_before_one_that_shows_nothing(drafts: list[str]) -> None:
    def shows(draft: str) -> bool:
        claims = choose([draft], EVIDENCE, asked(QUESTION))[1]
        return any(c.state is ClaimState.SUPPORTED and 1 in c.citations for c in claims)

    assert shows(drafts[kept(*drafts)]) == any(map(shows, drafts))
