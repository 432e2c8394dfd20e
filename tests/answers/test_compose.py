"""From claims and evidence to an answer: what is written, what is quoted, what is left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from rag.answers.compose import Basis, certificate, compose, quote_claim, refuse, render_text
from rag.answers.reading import ReaderReply
from rag.documents.lists import leads
from rag.search.evidence import Selection
from rag.search.verdict import Verdict, Veto, outcome
from rag.types import (
    Answer,
    Block,
    BlockKind,
    Certificate,
    Claim,
    ClaimState,
    Evidence,
    FileStatus,
    Filters,
    Loss,
    LossKind,
    Outcome,
)
from rag.types.documents import led
from tests.asking import asked
from tests.fakes import fake_document, fake_evidence, fake_hit, manner

QUESTION = "How long is the notice period?"
EVIDENCE = (
    fake_evidence("The notice period is 30 days.", number=1, page=4),
    fake_evidence("Notice is given\n  in writing.", number=2, start=100),
    fake_evidence("The deposit is 900 euros.", number=3, start=200),
    fake_evidence("The house is red.", number=4, start=300),
)
PROOF = Certificate(documents=2, passages=7, unreadable=(), confidence=0.9, least=0.5)


def selection(evidence: Sequence[Evidence] = EVIDENCE) -> Selection:
    return Selection(tuple(evidence), Verdict(0.9, 0.5))


def claim(text: str, *citations: int, state: ClaimState = ClaimState.SUPPORTED) -> Claim:
    return Claim(text, state, citations, ("because",))


def composed(
    read: Claim | None = None, *, found: Selection | None = None, searched: str = QUESTION, **more: Any
) -> Answer:
    """The answer where the model read this claim."""
    query, found = replace(asked(searched), asked=QUESTION), found or selection()
    basis = Basis(query, "en", found, (fake_hit("x"),), PROOF, {"total": 1.0})
    return compose(basis, ReaderReply(found.verdict, read, **{"model": "m", **more}))


def quoted(answer: Answer) -> list[str]:
    return [c.text for c in answer.claims if c.quoted]


def test_where_nothing_was_read_the_likeliest_sentence_is_quoted_and_no_other() -> None:
    answer = composed()
    assert manner(answer) == "quoted"
    assert quoted(answer) == [EVIDENCE[0].text]
    assert answer.text == "“The notice period is 30 days.” [1]"
    assert [c.number for c in answer.quotes] == [1] and len(answer.citations) == len(EVIDENCE)


def test_line_that_was_read_stands_in_front_of_the_quote_it_rests_on_and_no_other() -> None:
    answer = composed(claim("One must give notice in writing.", 2), draft="in writing [2]")
    assert (manner(answer), answer.line) == ("written", "One must give notice in writing.")
    assert answer.text == "One must give notice in writing. [2]\n\n“Notice is given in writing.” [2]"
    assert (quoted(answer), answer.dropped) == ([EVIDENCE[1].text], ())
    assert (answer.draft, answer.model) == ("in writing [2]", "m")


@pytest.mark.parametrize("state", [ClaimState.PARTIAL, ClaimState.UNSUPPORTED])
def test_sentence_that_did_not_pass_is_kept_apart_and_never_in_the_text(state: ClaimState) -> None:
    bad = claim("The notice period is 90 days.", 1, state=state)
    answer = composed(dropped=(bad,), draft="90 days [1]")
    assert (manner(answer), answer.line) == ("quoted", EVIDENCE[0].text)
    assert "90" not in answer.text
    assert answer.dropped == (bad,)


def test_every_piece_that_the_line_cites_is_quoted() -> None:
    answer = composed(claim("After 30 days 900 euros are paid.", 1, 3))
    assert quoted(answer) == [EVIDENCE[0].text, EVIDENCE[2].text]
    assert {c.number for c in answer.quotes} == {1, 3}


@pytest.mark.parametrize("read", [None, claim("900 euros are paid.", 3)])
def test_every_mark_in_the_text_has_its_citation(read: Claim | None) -> None:
    answer = composed(read)
    for sentence in answer.claims:
        for number in sentence.citations:
            assert f"[{number}]" in answer.text
    by_number = {c.number: c for c in answer.citations}
    for piece in answer.evidence:
        cited = by_number[piece.number]
        assert (cited.quote, cited.start, cited.end, cited.page) == (
            *(piece.text, piece.start, piece.end),
            piece.page,
        )
        assert (cited.document, cited.chunk_id) == (piece.document.path, piece.chunk_id)


def test_quotes_are_the_words_of_the_document_and_supported() -> None:
    made = quote_claim(EVIDENCE[1])
    assert (made.text, made.state, made.citations, made.quoted) == (
        *(EVIDENCE[1].text, ClaimState.SUPPORTED, (2,)),
        True,
    )


def test_quoted_row_is_followed_by_its_column_heads() -> None:
    row = fake_evidence("Plus | 4.90", header="Account | Fee")
    text = render_text([quote_claim(row)], [row])
    assert text == "“Plus | 4.90” (Account | Fee) [1]"


def test_trouble_of_the_model_is_the_reason_and_the_quotes_remain() -> None:
    answer = composed(trouble="the model failed", model="m")
    assert (answer.reason, manner(answer), answer.model) == ("the model failed", "quoted", "")


def test_completed_question_is_shown_only_where_it_differs() -> None:
    assert composed(searched=QUESTION).searched == ""
    assert composed(searched="What of it? " + QUESTION).searched == "What of it? " + QUESTION


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ("do not hold", "2 documents", "7 passages")),
        ("zh", ("没有", "2 份文件", "7 个段落")),
        ("fr", ("do not",)),
    ],
)
def test_refusal_says_so_and_what_was_searched(language: str, words: tuple[str, ...]) -> None:
    hits = (fake_hit("near"),)
    found = replace(selection(), verdict=Verdict(0.2, 0.5))
    answer = refuse(Basis(asked(QUESTION), language, found, hits, PROOF), "not found: x")
    assert answer.verdict is Outcome.ABSENT and answer.quotes == ()
    assert all(word in answer.line for word in words) and answer.text == answer.line
    assert (answer.claims, answer.nearest, answer.certificate) == ((), hits, PROOF)
    assert answer.reason == "not found: x"
    assert "[1]" not in answer.text


def test_answer_that_is_perhaps_near_quotes_the_nearest_sentences_and_claims_nothing() -> None:
    found = replace(selection(), verdict=Verdict(0.3, 0.5))
    answer = refuse(Basis(asked(QUESTION), "en", found, (fake_hit("near"),), PROOF))
    assert answer.verdict is Outcome.NEARBY and answer.claims == ()
    assert [c.number for c in answer.quotes] == [1, 2, 3]
    assert answer.line.startswith("No sentence found states the answer")
    assert answer.text.startswith(answer.line) and "“The notice period is 30 days.” [1]" in answer.text


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [
        (Verdict(0.5, 0.5), Outcome.ANSWERED),
        (Verdict(0.25, 0.5), Outcome.NEARBY),
        (Verdict(0.24, 0.5), Outcome.ABSENT),
        (Verdict(0.9, 0.5, (Veto.OTHER_NAMES,)), Outcome.ABSENT),
    ],
)
def test_outcome_is_answered_nearby_from_half_of_the_least_or_absent(
    verdict: Verdict, expected: Outcome
) -> None:
    assert outcome(verdict) is expected


def test_line_of_a_row_has_its_heads_and_stands_in_front_of_the_quote() -> None:
    row = fake_evidence("Plus | 4.90", header="Account | Fee")
    answer = composed(found=selection([row]))
    assert answer.line == "Account: Plus; Fee: 4.90"
    assert answer.text == "Account: Plus; Fee: 4.90 [1]\n\n“Plus | 4.90” (Account | Fee) [1]"


@pytest.mark.parametrize(
    ("passage", "item", "line"),
    [
        (
            "General. The tenant shall:\n(a) pay rent;\n(b) keep quiet.",
            "(b) keep quiet.",
            "The tenant shall: keep quiet.",
        ),
        ("乙方应当：\n（一）按期付款；\n（二）保持安静。", "（二）保持安静。", "乙方应当：保持安静。"),
        ("Rules\n- keep quiet.", "- keep quiet.", "keep quiet."),
    ],
)
def test_line_of_a_list_item_begins_with_what_leads_into_its_list(passage: str, item: str, line: str) -> None:
    start = passage.index(item)
    over = led(leads(passage, [Block(BlockKind.PARAGRAPH, 0, len(passage))]), start)
    piece = replace(fake_evidence(item, start=start), leads=over)
    basis = Basis(asked(QUESTION), "en", selection([piece]), (fake_hit(passage),), PROOF)
    assert compose(basis, ReaderReply(basis.found.verdict)).line == line


@pytest.mark.parametrize(
    ("heading", "line"),
    [("3. Deposit", "The deposit is 900 euros."), ("Deposit", "3.1 The deposit is 900 euros.")],
)
def test_line_leaves_out_the_number_of_a_clause_of_the_section_above(heading: str, line: str) -> None:
    piece = replace(fake_evidence("3.1 The deposit is 900 euros."), heading_path=(heading,))
    assert composed(found=selection([piece])).line == line


def test_quote_of_a_document_no_longer_in_force_is_a_caution() -> None:
    force = {"superseded": "2020-01-01", "superseded_by": "New rules"}
    over = fake_document("old.md", metadata=force)
    answer = composed(found=selection([fake_evidence("Thirty days.", document=over)]))
    assert answer.cautions == ("old was superseded by New rules from 2020-01-01.",)
    assert composed().cautions == ()


def test_refusal_names_what_was_not_read_of_the_nearest_documents_first() -> None:
    lost = (Loss(LossKind.PAGE_WITHOUT_TEXT, page=2),)
    unreadable = tuple((f"{n}.pdf", "empty") for n in range(5))
    proof = replace(PROOF, unreadable=unreadable, losses=tuple((f"{c}.md", lost) for c in "abcde"))
    hits = [fake_hit("near", document=fake_document(f"{c}.md")) for c in "edd"]
    found = replace(selection(), verdict=Verdict(0.2, 0.5))
    said = refuse(Basis(asked(QUESTION), "en", found, hits, proof)).cautions
    assert said[0] == "5 files could not be read and may hold more: 0.pdf, 1.pdf, 2.pdf, …"
    assert [line.split(":")[0] for line in said[1:4]] == [f"Not read in {c}.md" for c in "eda"]
    assert said[4].startswith("Something could not be read in 2 more documents")


def test_certificate_counts_what_can_be_read_in_scope_and_lists_what_cannot() -> None:
    documents = [
        fake_document("a.md", chunks=3),
        fake_document("b.md", chunks=4),
        fake_document("c.pdf", status=FileStatus.PASSWORD, chunks=0),
    ]
    asked: list[Filters | None] = []

    def listed(filters: Filters | None) -> list[Any]:
        asked.append(filters)
        return documents

    filters = Filters(documents=("*.md",), languages=("en",), metadata={"year": "2024"})
    index: Any = SimpleNamespace(documents=listed)
    proof = certificate(index, replace(selection(), verdict=Verdict(0.123456, 0.5)), filters)
    assert (proof.documents, proof.passages) == (2, 7)
    assert proof.unreadable == (("c.pdf", "password"),)
    assert (proof.confidence, proof.least) == (0.1235, 0.5)
    assert asked == [filters]
    assert proof.scope == "*.md, en, year=2024"
    assert certificate(index, selection(), None).scope == ""
