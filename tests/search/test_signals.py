"""Each signal says what its name says of a sentence, or of the sentences found."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.languages.text import search_tokens
from rag.questions.expects import read_wording
from rag.search.candidates import PreparedQuestion, Sentence, SentenceUnit, make_sentences
from rag.search.sufficiency import (
    ANSWER_SIGNALS,
    SENTENCE_SIGNALS,
    answer_signals,
    label_of,
    sentence_signals,
    share_named,
    with_cosines,
)
from rag.types import Hit
from tests.fakes import fake_document, fake_hit

TITLE = "Lease of Harbour Lane 4"


def asked(question: str, *, lines: Sequence[str] = (), unknown: Sequence[str] = ()) -> PreparedQuestion:
    taken = read_wording(question)
    tokens = taken.content
    named = frozenset(search_tokens(" ".join([*taken.names, *taken.numbers])))
    return PreparedQuestion(
        taken,
        dict.fromkeys(tokens, 1.0),
        frozenset(unknown),
        frozenset(tokens) - named,
        (),
        tuple(frozenset(search_tokens(line)) for line in lines),
    )


def hit(text: str) -> Hit:
    return fake_hit(text, document=fake_document(title=TITLE))


def read(*units: str, row: bool = False, surroundings: str = TITLE) -> list[Sentence]:
    return make_sentences(
        0, [SentenceUnit(100 * n, text, row=row) for n, text in enumerate(units)], surroundings
    )


def signals(question: PreparedQuestion, found: Sequence[Sentence]) -> list[dict[str, float]]:
    rows = sentence_signals(question, found, [hit(" ".join(s.text for s in found))])
    return [dict(zip(SENTENCE_SIGNALS, map(float, row), strict=True)) for row in rows]


def sufficiency(
    question: PreparedQuestion, found: Sequence[Sentence], probability: float = 0.5
) -> dict[str, float]:
    hits = [hit(" ".join(s.text for s in found))]
    row = answer_signals(question, found, [probability] * len(found), [None] * len(found), hits)
    return dict(zip(ANSWER_SIGNALS, map(float, row), strict=True))


def test_words_that_the_title_gives_are_not_what_a_sentence_adds() -> None:
    opening, answer = signals(
        asked("When does the lease of Harbour Lane end?"),
        read("The lease of Harbour Lane covers two floors.", "It ends on 3 March 2031."),
    )
    assert opening["coverage"] > answer["coverage"]
    assert answer["added"] > opening["added"]
    assert opening["title"] == answer["title"] > 0


def test_neighbours_are_those_of_the_same_passage() -> None:
    question = asked("How large is the deposit?")
    first, second = signals(question, read("The deposit is due.", "It is three months' rent."))
    assert (first["before"], first["after"]) == (0.0, 0.0)
    assert second["before"] == first["added"] > 0
    far = [
        *read("The deposit is due."),
        *make_sentences(1, [SentenceUnit(0, "It is three months' rent.")], "Other"),
    ]
    rows = sentence_signals(question, far, [hit("a"), hit("b")])
    assert rows[1][SENTENCE_SIGNALS.index("before")] == 0.0


def test_full_name_answers_alone_and_a_word_with_a_capital_does_not() -> None:
    question = asked("Who signed the lease?")
    full, part = signals(question, read("Jonas Reed signed it.", "The Landlord signed it."))
    assert (full["whole_answer"], part["whole_answer"]) == (1.0, 0.0)


def test_kind_is_offered_or_lacked_and_neither_where_none_is_asked_for() -> None:
    (dated,) = signals(asked("When does it end?"), read("It ends on 3 March 2031."))
    (undated,) = signals(asked("When does it end?"), read("It ends on the agreed day."))
    (open_,) = signals(asked("Does the tenant keep a dog?"), read("It ends on 3 March 2031."))
    assert [(s["offers_type"], s["lacks_type"]) for s in (dated, undated, open_)] == [(1, 0), (0, 1), (0, 0)]


def test_row_whose_label_is_asked_for_is_told_from_its_likes() -> None:
    question = asked("What is the hourly rate of a partner?", lines=["partner"])
    senior, partner = signals(question, read("Senior partner | 610 | 685", "Partner | 495 | 540", row=True))
    assert partner["label"] > senior["label"]
    assert partner["line_item"] > senior["line_item"] > 0


def test_sentence_has_no_label() -> None:
    (sentence,) = signals(
        asked("What is the rate of a partner?", lines=["partner"]), read("Partner rates rose.")
    )
    assert sentence["label"] == sentence["line_item"] == 0.0


@pytest.mark.parametrize(
    ("row", "label"),
    [
        ("Total assets 1,698.2 1,638.5", "Total assets"),
        ("Partner | 495 | 540", "Partner"),
        ("Net revenues $ 6,489", "Net revenues"),
        ("Sodium", "Sodium"),
    ],
)
def test_label_ends_before_the_first_figure_or_border(row: str, label: str) -> None:
    assert label_of(row) == label


def test_cosines_change_their_own_column_only() -> None:
    question, found = asked("Who signed the lease?"), read("Jonas Reed signed it.", "It is long.")
    before = sentence_signals(question, found, [hit("a b")])
    after = with_cosines(before, np.array([0.7, np.nan]))
    column = SENTENCE_SIGNALS.index("cosine")
    assert list(after[:, column]) == [0.7, 0.0]
    assert np.array_equal(np.delete(before, column, axis=1), np.delete(after, column, axis=1))


def test_name_that_is_not_there_speaks_against_an_answer() -> None:
    found = read("The tenant Larkwell pays a deposit of 900 euros.")
    here = sufficiency(asked("What deposit does Larkwell pay?"), found)
    elsewhere = sufficiency(asked("What deposit does Thornfield pay?", unknown=["thornfield"]), found)
    assert (here["names_found"], here["names_missing"], here["unknown_names"]) == (1.0, 0.0, 0.0)
    assert (elsewhere["names_found"], elsewhere["names_missing"]) == (0.0, 1.0)
    assert elsewhere["unknown_names"] > 0


def test_nothing_found_says_nothing() -> None:
    assert set(sufficiency(asked("Who signed?"), []).values()) == {0.0}


@given(st.text(max_size=80), st.lists(st.text(min_size=1, max_size=120), max_size=4), st.booleans())
def test_every_signal_of_any_text_lies_between_0_and_1(question: str, units: list[str], row: bool) -> None:
    prepared, found = asked(question), read(*units, row=row)
    if found:
        assert all(0.0 <= v <= 1.0 + 1e-9 for s in signals(prepared, found) for v in s.values())
        assert all(0.0 <= v <= 1.0 + 1e-9 for v in sufficiency(prepared, found).values())


def test_a_sentence_that_names_another_party_is_not_about_the_one_that_is_asked_for() -> None:
    opening = "Party A: Lanhe. Party B: Wuyan."
    assert share_named(["Party A"], "Party A supplies the cloth.", opening) == 1.0
    assert share_named(["Party A"], "Party B supplies the dyes.", opening) == 0.0
    assert share_named(["Party A"], "The cloth is dyed first.", opening) == 1.0
    assert share_named(["Party A"], "Each party agreement is filed.") == 0.0


def test_names_are_found_as_whole_words() -> None:
    assert share_named(["Acme", "Harlow"], "Acme's office and the Harlows") == 1.0
    assert share_named(["Art"], "The party starts.") == 0.0
