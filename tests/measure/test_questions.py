"""Which questions of a set are asked: halves, tags, and lines that are no questions."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import InputError
from rag.measure.metrics import EvidenceEntry
from rag.measure.yardstick import Choice, EvalQuestion, choose, half_of, load_questions


def about(document: str, *, name: str = "q", tags: tuple[str, ...] = ()) -> EvalQuestion:
    return EvalQuestion(name, "Why?", evidence=(EvidenceEntry(document),), tags=tags)


def test_half_is_the_parity_of_the_first_byte_of_the_hash_of_the_first_evidence_document() -> None:
    for n in range(40):
        path = f"folder/{n}.md"
        first = hashlib.sha256(path.encode()).digest()[0]
        assert half_of(about(path)) == ("test" if first % 2 else "dev")
    assert {half_of(about(f"{n}.md")) for n in range(40)} == {"dev", "test"}


@given(st.text(max_size=20), st.text(max_size=20), st.text(max_size=20), st.text(max_size=20))
def test_questions_about_one_document_are_in_one_half(doc: str, a: str, b: str, other: str) -> None:
    one = EvalQuestion(a, "x?", evidence=(EvidenceEntry(doc, 3), EvidenceEntry(other)))
    two = EvalQuestion(b, "y?", evidence=(EvidenceEntry(doc, quote="words"),), tags=("t",))
    assert half_of(one) == half_of(two)


def test_question_without_evidence_is_placed_by_its_id() -> None:
    ids = [f"id-{n}" for n in range(40)]
    halves = [half_of(EvalQuestion(i, "x?", answerable=False)) for i in ids]
    assert halves == [half_of(about(i)) for i in ids]
    assert set(halves) == {"dev", "test"}


def test_a_path_written_decomposed_is_in_the_same_half() -> None:
    for n in range(20):
        assert half_of(about(f"caf\u00e9{n}.md")) == half_of(about(f"cafe\u0301{n}.md"))


def test_restriction_keeps_order_and_takes_any_of_the_tags() -> None:
    questions = [about(f"{n}.md", name=str(n), tags=(("a", "b", "c")[n % 3],)) for n in range(30)]
    kept = choose(questions, Choice(tags=("a", "b"), half="test"))
    assert [q.id for q in kept] == [q.id for q in questions if q.tags != ("c",) and half_of(q) == "test"]
    assert choose(questions) == tuple(questions)
    assert sorted(q.id for h in ("dev", "test") for q in choose(questions, Choice(half=h))) == sorted(  # type: ignore[arg-type]
        q.id for q in questions
    ), "the halves are disjoint and make up the whole"


def test_tag_that_no_question_has_is_an_error_that_lists_the_tags() -> None:
    with pytest.raises(InputError, match=r"'number'.*There are: clause, en"):
        choose([about("x", tags=("en", "clause"))], Choice(tags=("number",)))
    with pytest.raises(InputError, match="no tags"):
        choose([about("x")], Choice(tags=("en",)))


def test_half_without_questions_is_an_error() -> None:
    one = about("x.md")
    other = "dev" if half_of(one) == "test" else "test"
    with pytest.raises(InputError, match=f"half '{other}'"):
        choose([one], Choice(half=other))  # type: ignore[arg-type]


# Lines.


GOOD = {"id": "good", "question": "Why?", "evidence": [{"document": "a.md", "page": 2}], "tags": ["en"]}


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("{not json", "Expecting property name"),
        ("[1, 2]", "the line is not an object"),
        ('"Why?"', "the line is not an object"),
        ({"id": "x"}, "`question`: field required"),
        ({"question": "  "}, "`question`: string should match"),
        ({"question": ["Why?"]}, "`question`: input should be a valid string"),
        ({"question": "Why?", "answers": "yes"}, "`answers`: input should be a valid tuple"),
        ({"question": "Why?", "answers": [["yes"]]}, "`answers.0`: input should be a valid string"),
        ({"question": "Why?", "answerable": "no"}, "`answerable`: input should be a valid boolean"),
        ({"question": "Why?", "evidence": ["a.md"]}, "`evidence.0`: input should be a dictionary"),
        ({"question": "Why?", "evidence": {"document": "a.md"}}, "`evidence`: input should be a valid tuple"),
        ({"question": "Why?", "evidence": [{"quote": "x"}]}, "`evidence.0.document`: field required"),
        (
            {"question": "Why?", "evidence": [{"document": "a", "page": "x"}]},
            "`evidence.0.page`",
        ),
        (
            {"question": "Why?", "evidence": [{"document": "a", "page": 0}]},
            "should be greater than 0",
        ),
        (
            {"question": "Why?", "evidence": [{"document": "a", "quote": []}]},
            "`evidence.0.quote`",
        ),
        ({"question": "Why?", "tags": "en"}, "`tags`: input should be a valid tuple"),
        ({"id": "good", "question": "Again?"}, "the id 'good' is that of line 1"),
    ],
)
def test_line_that_is_no_question_is_named_with_what_is_wrong(tmp_path: Path, line: Any, why: str) -> None:
    text = line if isinstance(line, str) else json.dumps(line)
    path = tmp_path / "own.jsonl"
    path.write_text(f"{json.dumps(GOOD)}\n\n{text}\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_questions(path)
    assert f"{path}, line 3: " in str(caught.value)
    assert why in str(caught.value)


def test_separators_inside_a_question_do_not_shift_the_lines(tmp_path: Path) -> None:
    path = tmp_path / "own.jsonl"
    rows = [{"question": "one\u2028two\x85?"}, {"question": []}]
    path.write_text("\n".join(json.dumps(r, ensure_ascii=False) for r in rows), encoding="utf-8")
    with pytest.raises(InputError, match="line 2: "):
        load_questions(path)


def test_nulls_and_numbers_of_other_tools_are_accepted(tmp_path: Path) -> None:
    path = tmp_path / "own.jsonl"
    row = {"id": 7, "question": "Why?", "answers": [12, "x"], "evidence": None, "tags": None}
    path.write_text("\ufeff" + json.dumps(row), encoding="utf-8")
    (question,) = load_questions(path)
    assert (question.id, question.answers, question.evidence, question.tags) == ("7", ("12", "x"), (), ())


def test_question_whose_figure_has_to_be_worked_out_is_of_a_kind_of_its_own(tmp_path: Path) -> None:
    rows = [{"question": "a", "answers": ["2"], "derivation": "4 / 2", "tags": ["x"]}, {"question": "b"}]
    file = tmp_path / "questions.jsonl"
    file.write_text("".join(json.dumps({"id": str(n), **row}) + "\n" for n, row in enumerate(rows)))
    assert [q.tags for q in load_questions(file)] == [("x", "derived"), ()]
