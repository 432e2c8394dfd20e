"""Which questions of a set are asked: halves, tags, and lines that are no questions."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import InputError
from rag.evalset import Question, half_of, restrict
from rag.metrics import EvidenceEntry


def about(document: str, *, name: str = "q", tags: tuple[str, ...] = ()) -> Question:
    return Question(name, "Why?", evidence=(EvidenceEntry(document),), tags=tags)


def test_half_is_the_parity_of_the_first_byte_of_the_hash_of_the_first_evidence_document() -> None:
    for n in range(40):
        path = f"folder/{n}.md"
        first = hashlib.sha256(path.encode()).digest()[0]
        assert half_of(about(path)) == ("test" if first % 2 else "dev")
    assert {half_of(about(f"{n}.md")) for n in range(40)} == {"dev", "test"}


@given(st.text(max_size=20), st.text(max_size=20), st.text(max_size=20), st.text(max_size=20))
def test_questions_about_one_document_are_in_one_half(doc: str, a: str, b: str, other: str) -> None:
    one = Question(a, "x?", evidence=(EvidenceEntry(doc, 3), EvidenceEntry(other)))
    two = Question(b, "y?", evidence=(EvidenceEntry(doc, quote="words"),), tags=("t",))
    assert half_of(one) == half_of(two)


def test_question_without_evidence_is_placed_by_its_id() -> None:
    ids = [f"id-{n}" for n in range(40)]
    halves = [half_of(Question(i, "x?", answerable=False)) for i in ids]
    assert halves == [half_of(about(i)) for i in ids]
    assert set(halves) == {"dev", "test"}


def test_a_path_written_decomposed_is_in_the_same_half() -> None:
    for n in range(20):
        assert half_of(about(f"caf\u00e9{n}.md")) == half_of(about(f"cafe\u0301{n}.md"))


def test_restriction_keeps_order_and_takes_any_of_the_tags() -> None:
    questions = [about(f"{n}.md", name=str(n), tags=(("a", "b", "c")[n % 3],)) for n in range(30)]
    kept = restrict(questions, tags=["a", "b"], half="test")
    assert [q.id for q in kept] == [q.id for q in questions if q.tags != ("c",) and half_of(q) == "test"]
    assert restrict(questions) == tuple(questions)
    assert sorted(q.id for h in ("dev", "test") for q in restrict(questions, half=h)) == sorted(  # type: ignore[arg-type]
        q.id for q in questions
    ), "the halves are disjoint and make up the whole"


def test_tag_that_no_question_has_is_an_error_that_lists_the_tags() -> None:
    with pytest.raises(InputError, match=r"'number'.*There are: clause, en"):
        restrict([about("x", tags=("en", "clause"))], tags=["number"])
    with pytest.raises(InputError, match="no tags"):
        restrict([about("x")], tags=["en"])


def test_half_without_questions_is_an_error() -> None:
    one = about("x.md")
    other = "dev" if half_of(one) == "test" else "test"
    with pytest.raises(InputError, match=f"half '{other}'"):
        restrict([one], half=other)  # type: ignore[arg-type]
