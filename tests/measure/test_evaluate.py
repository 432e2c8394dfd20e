from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import InputError, ModelMissing
from rag.languages.text import letters
from rag.measure import metrics
from rag.measure.evaluate import evaluate
from rag.measure.metrics import EvidenceEntry, Passage
from rag.measure.yardstick import Choice, load_questions
from rag.types import ClaimState, Hit
from tests.fakes import FakeAssistant, fake_answer, fake_document, fake_evidence, fake_hit

QUOTE = "The tenant may end the lease with thirty days’ notice, given in writing to the landlord."
ENTRY = EvidenceEntry("lease.md", quote=QUOTE)


class FakeIndex:
    """Hits by question."""

    def __init__(self, hits: dict[str, list[Hit]]) -> None:
        self.hits = hits

    def search(self, question: str, k: int = 8) -> list[Hit]:
        return self.hits.get(question, [])[:k]

    def documents(self) -> list[Any]:
        return [hit.document for hits in self.hits.values() for hit in hits]


def make_set(folder: Path, questions: list[dict[str, Any]]) -> Path:
    (folder / "documents").mkdir(parents=True)
    lines = [json.dumps(q) for q in questions]
    (folder / "questions.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return folder


# What a hit is.


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (QUOTE, True),
        (f"Before. {QUOTE} And after it a good deal more than that, which changes nothing.", True),
        (QUOTE.replace(" ", "\n").replace("’", "'").upper(), True),
        (QUOTE[: len(QUOTE) * 6 // 10], True),
        (f"{QUOTE[len(QUOTE) * 7 // 10 :]} {'Something else entirely. ' * 10}", False),
        ("thirty days’ notice", True),
        ("The landlord may end the lease only at the end of a year.", False),
        ("", False),
    ],
)
def test_passage_hits_a_quote_when_half_of_either_lies_in_the_other(text: str, expected: bool) -> None:
    assert metrics.is_hit(Passage("lease.md", text), ENTRY) is expected


def test_passage_of_another_document_never_hits() -> None:
    assert not metrics.is_hit(Passage("other.md", QUOTE), ENTRY)
    assert not metrics.is_hit(Passage("sublease.md", QUOTE), ENTRY)


def test_index_built_from_the_folder_above_has_the_same_documents() -> None:
    assert metrics.is_hit(Passage("documents/lease.md", QUOTE), ENTRY)


@pytest.mark.parametrize(
    ("first", "last", "expected"), [(2, 3, True), (3, 4, True), (1, 2, False), (4, 4, False)]
)
def test_passage_hits_a_page_that_it_overlaps(first: int, last: int, expected: bool) -> None:
    passage = Passage("a.pdf", "any words", first, last)
    assert metrics.is_hit(passage, EvidenceEntry("a.pdf", page=3)) is expected


def test_page_is_not_hit_by_a_passage_without_pages() -> None:
    assert not metrics.is_hit(Passage("a.pdf", "any words"), EvidenceEntry("a.pdf", page=3))


def test_without_page_and_quote_the_whole_document_counts() -> None:
    assert metrics.is_hit(Passage("a.md", "any words"), EvidenceEntry("a.md"))


def test_chinese_quote_is_hit_across_other_punctuation_and_width() -> None:
    entry = EvidenceEntry("法.md", quote="自然人从事工商业经营，经依法登记，为个体工商户。")
    assert metrics.is_hit(
        Passage("法.md", "第五十四条 自然人从事工商业经营,经依法登记,为个体工商户．"), entry
    )


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=60))
def test_coverage_is_one_for_contained_text_and_always_a_share(before: str, part: str, after: str) -> None:
    whole = letters(before + part + after)
    assert 0.0 <= metrics.coverage(letters(before), whole) <= 1.0
    inner = letters(part)
    outer = letters(before) + inner + letters(after)
    assert metrics.coverage(inner, outer) == (1.0 if inner else 0.0)


# Ranks to scores.


@pytest.mark.parametrize(
    ("text", "answer", "expected"),
    [
        ("Revenue was $1,234.5 million.", "1234.5", True),
        ("Revenue was 1.9% of sales.", "19%", False),
        ("Revenue was 1.9% of sales.", "1.9%", True),
        ("It rose by 12.", "2", False),
        ("由光荣和ω-force开发", "光荣和ω-force", True),
        ("Measured in HIT POINTS, or", "hit points", True),
        ("a catalogue", "cat", False),
        ("anything", "", False),
    ],
)
def test_answer_is_contained_as_whole_words_and_whole_numbers(text: str, answer: str, expected: bool) -> None:
    assert metrics.contains_answer(text, [answer]) is expected


def test_interval_holds_the_mean_and_shrinks_with_more_questions() -> None:
    few, many = metrics.measure([0.0, 1.0] * 5), metrics.measure([0.0, 1.0] * 500)
    for found in (few, many):
        assert found.low <= found.value <= found.high
        assert found.value == 0.5
    assert many.high - many.low < few.high - few.low
    assert metrics.measure([0.0, 1.0] * 5) == few, "the same numbers give the same interval"
    # Normal approximation: 1.96 * 0.5 / sqrt(1000) on either side
    assert many.high - many.low == pytest.approx(2 * 1.96 * 0.5 / math.sqrt(1000), rel=0.15)


# Sets.


def test_line_that_is_no_question_is_named(tmp_path: Path) -> None:
    make_set(tmp_path / "s", [{"question": "Good?"}, {"id": "bad"}])
    with pytest.raises(InputError, match=r"questions\.jsonl, line 2"):
        load_questions(tmp_path / "s" / "questions.jsonl")


def test_set_without_questions_is_an_error(tmp_path: Path) -> None:
    make_set(tmp_path / "s", [])
    with pytest.raises(InputError, match="no question"):
        load_questions(tmp_path / "s" / "questions.jsonl")
    with pytest.raises(InputError, match="cannot be read"):
        load_questions(tmp_path / "nowhere.jsonl")


# The whole.


def test_retrieval_is_measured_at_the_rank_of_the_first_hit(tmp_path: Path) -> None:
    lease, other = fake_document("lease.md"), fake_document("other.md")
    hits = [fake_hit("Nothing to the point here.", document=other)] * 3 + [fake_hit(QUOTE, document=lease)]
    entry = {"document": "lease.md", "quote": QUOTE}
    folder = make_set(
        tmp_path / "s",
        [
            {"id": "a", "question": "found fourth", "evidence": [entry]},
            {"id": "b", "question": "found never", "evidence": [entry]},
            {"id": "c", "question": "cannot be", "answerable": False},
        ],
    )
    report = evaluate(folder, FakeIndex({"found fourth": hits}))  # type: ignore[arg-type]
    values = {name: m.value for name, m in report.measures.items()}
    assert (values["hit@3"], values["hit@5"], values["document hit@5"]) == (0.0, 0.5, 0.5)
    assert values["MRR@10"] == 0.125
    assert report.measures["hit@5"].n == 2, "an unanswerable question has nothing to be found"
    assert [r.rank for r in report.results] == [4, None, None]
    assert "## Evidence not in the first 5 passages: 1\n\n- b: found never" in report.to_markdown()


def test_answers_are_measured_by_what_was_shown_cited_and_refused(tmp_path: Path) -> None:
    entry = {"document": "lease.md", "quote": QUOTE}
    right = fake_evidence(QUOTE)
    wrong = fake_evidence("Pets are not allowed in the stairwell at night.", number=2)
    answers = {
        "right": fake_answer("right", "With thirty days’ notice.", evidence=[right, wrong]),
        "wrong": fake_answer("wrong", "No pets.", evidence=[wrong], state=ClaimState.PARTIAL),
        "refused": fake_answer("refused", refused=True),
        "absent": fake_answer("absent", refused=True),
        "made up": fake_answer("made up"),
    }
    questions: list[dict[str, Any]] = [
        {"id": name, "question": name, "evidence": [entry], "answers": ["thirty days", "30 days"]}
        for name in ("right", "wrong", "refused")
    ]
    questions += [{"id": name, "question": name, "answerable": False} for name in ("absent", "made up")]
    folder = make_set(tmp_path / "s", questions)
    report = evaluate(folder, FakeIndex({}), FakeAssistant(answers), what="answers")  # type: ignore[arg-type]
    values = {name: m.value for name, m in report.measures.items()}
    third = pytest.approx(1 / 3)
    assert values["evidence shown"] == third
    assert values["refused, answerable"] == third
    assert values["refused, unanswerable"] == 0.5
    assert report.counts["verdict: absent"] == 2
    assert report.counts["state: partial"] == 1
    assert values["evidence shown@1"] == values["evidence shown@3"] == third
    # Answered: right, wrong and made up; the last two are errors.
    assert values["wrong when answered"] == pytest.approx(2 / 3)
    assert report.measures["wrong when answered"].n == 3
    assert "hit@1" not in values
    text = report.to_markdown()
    for title, question in (
        ("Answerable, but refused: 1", "refused"),
        ("Answered, but the evidence was not shown: 1", "wrong"),
        ("Unanswerable, but answered: 1", "made up"),
    ):
        assert f"## {title}\n\n- {question}: {question}" in text


def test_question_that_fails_counts_as_not_found_and_is_listed(tmp_path: Path) -> None:
    folder = make_set(tmp_path / "s", [{"id": "a", "question": "a", "evidence": [{"document": "lease.md"}]}])
    assistant = FakeAssistant({"a": ModelMissing("no model here")})
    report = evaluate(folder, FakeIndex({}), assistant, what="all")  # type: ignore[arg-type]
    assert report.measures["evidence shown"].value == 0.0
    assert report.measures["hit@10"].value == 0.0
    assert "- a: a: no model here" in report.to_markdown()


def test_evidence_that_the_index_does_not_hold_is_named(tmp_path: Path) -> None:
    folder = make_set(tmp_path / "s", [{"question": "a", "evidence": [{"document": "gone.pdf"}]}])
    report = evaluate(folder, FakeIndex({"a": [fake_hit("x")]}))  # type: ignore[arg-type]
    assert report.missing == ("gone.pdf",)
    assert "gone.pdf" in report.to_markdown()


def test_measures_are_also_given_by_tag(tmp_path: Path) -> None:
    entry = [{"document": "lease.md"}]
    folder = make_set(
        tmp_path / "s",
        [
            {"question": "a", "evidence": entry, "tags": ["easy"]},
            {"question": "b", "evidence": entry, "tags": ["hard"]},
        ],
    )
    report = evaluate(folder, FakeIndex({"a": [fake_hit("x")]}))  # type: ignore[arg-type]
    assert report.by_tag["easy"]["hit@1"].value == 1.0
    assert report.by_tag["hard"]["hit@1"].value == 0.0
    assert "| easy | 1.00 (1) |" in report.to_markdown()


def test_what_is_measured_must_be_one_of_three(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="retrieval, answers, all"):
        evaluate(tmp_path, FakeIndex({}), what="everything")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="needs an assistant"):
        evaluate(tmp_path, FakeIndex({}), what="all")  # type: ignore[arg-type]


def test_written_report_holds_the_measures(tmp_path: Path) -> None:
    entry = [{"document": "lease.md"}]
    folder = make_set(
        tmp_path / "s", [{"id": n, "question": n, "evidence": entry} for n in ("better", "worse", "same")]
    )
    hit = [fake_hit("x")]
    before = evaluate(folder, FakeIndex({"worse": hit, "same": hit}))  # type: ignore[arg-type]
    path, markdown = before.write(tmp_path / "out")
    assert "| hit@1 | 0.667 |" in markdown.read_text(encoding="utf-8")
    assert json.loads(path.read_text(encoding="utf-8"))["measures"]["hit@1"]["n"] == 3


def test_evidence_is_looked_for_among_the_first_quotes_in_their_order(tmp_path: Path) -> None:
    wrong = fake_evidence("Pets are not allowed in the stairwell at night.")
    answer = fake_answer("a", evidence=[wrong, fake_evidence(QUOTE, number=2)])
    entry = {"document": "lease.md", "quote": QUOTE}
    folder = make_set(tmp_path / "s", [{"id": "a", "question": "a", "evidence": [entry]}])
    report = evaluate(folder, FakeIndex({}), FakeAssistant({"a": answer}), what="answers")  # type: ignore[arg-type]
    shown = {n: report.measures[f"evidence shown@{n}"].value for n in (1, 2, 3)}
    assert shown == {1: 0.0, 2: 1.0, 3: 1.0}


def test_citation_mark_is_no_number_of_the_answer(tmp_path: Path) -> None:
    answer = fake_answer("a", "So it is.", evidence=[fake_evidence("x"), fake_evidence("y", number=2)])
    folder = make_set(tmp_path / "s", [{"id": "a", "question": "a", "answers": ["2"]}])
    report = evaluate(folder, FakeIndex({}), FakeAssistant({"a": answer}), what="answers")  # type: ignore[arg-type]
    assert "[2]" in answer.text
    assert report.measures["wrong"].value == 1.0


def test_hundred_passages_are_looked_at_unless_told_otherwise(tmp_path: Path) -> None:
    noise = [fake_hit("x", document=fake_document("other.md"))] * 60
    entry = [{"document": "lease.md"}]
    folder = make_set(tmp_path / "s", [{"id": "a", "question": "a", "evidence": entry}])
    index = FakeIndex({"a": [*noise, fake_hit("x")]})
    deep = evaluate(folder, index)  # type: ignore[arg-type]
    assert (deep.results[0].rank, deep.measures["hit@100"].value) == (61, 1)
    shallow = evaluate(folder, index, depth=20)  # type: ignore[arg-type]
    assert shallow.results[0].rank is None
    assert "hit@100" not in shallow.measures


def test_file_of_questions_is_measured_like_a_set_and_gives_the_report_its_name(tmp_path: Path) -> None:
    entry = [{"document": "lease.md"}]
    folder = make_set(tmp_path / "s", [{"id": "a", "question": "a", "evidence": entry}])
    own = (folder / "questions.jsonl").rename(tmp_path / "my questions.jsonl")
    report = evaluate(own, FakeIndex({"a": [fake_hit("x")]}))  # type: ignore[arg-type]
    assert (report.name, report.measures["hit@1"].value) == ("my questions", 1.0)


def test_questions_without_evidence_cannot_measure_retrieval(tmp_path: Path) -> None:
    folder = make_set(tmp_path / "s", [{"question": "a", "answers": ["b"]}])
    with pytest.raises(InputError, match="says where its evidence stands"):
        evaluate(folder, FakeIndex({}))  # type: ignore[arg-type]
    assert evaluate(folder, FakeIndex({}), FakeAssistant(), what="answers").results  # type: ignore[arg-type]


def test_only_questions_of_a_tag_or_half_are_asked_and_the_settings_say_so(tmp_path: Path) -> None:
    rows = [
        {"id": str(n), "question": f"{n}?", "evidence": [{"document": f"{n}.md"}], "tags": ["ab"[n % 2]]}
        for n in range(20)
    ]
    folder = make_set(tmp_path / "s", rows)
    kept = evaluate(folder, FakeIndex({}), choice=Choice(tags=("a",), half="test"))  # type: ignore[arg-type]
    other = evaluate(folder, FakeIndex({}), choice=Choice(tags=("a",), half="dev"))  # type: ignore[arg-type]
    ids = sorted((r.id for report in (kept, other) for r in report.results), key=int)
    assert ids == [str(n) for n in range(0, 20, 2)]
    assert (kept.settings["tags"], kept.settings["half"]) == ("a", "test")


def test_cell_cannot_add_columns_to_a_table(tmp_path: Path) -> None:
    entry = [{"document": "lease.md"}]
    rows = [{"id": t, "question": t, "evidence": entry, "tags": [t]} for t in ("a|b", "c")]
    report = evaluate(make_set(tmp_path / "s", rows), FakeIndex({}))  # type: ignore[arg-type]
    assert "| a&#124;b | 0.00 (1) |" in report.to_markdown()
