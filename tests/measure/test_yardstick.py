"""One yardstick for answers: right, half, wrong, refused, kept; and texts that are written once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rag.errors import GenerationError
from rag.measure import metrics
from rag.measure.evaluate import evaluate
from rag.measure.metrics import EvidenceEntry
from rag.measure.yardstick import Choice, EvalQuestion, choose, f1, judge, load_questions
from rag.models.generation import KeptLLM, LLMInfo, Prompt
from rag.types import Answer, Turn
from tests.fakes import FakeAssistant, fake_answer, fake_document, fake_evidence

LEASE = "The lease ends on thirty days’ notice."
ASKED = EvalQuestion(
    "a",
    "How can the lease be ended?",
    answers=("30 days", "thirty days"),
    evidence=(EvidenceEntry("lease.md"),),
    wrong=("90 days",),
)


def answer(text: str, document: str = "lease.md", quote: str = LEASE) -> Answer:
    return fake_answer("q", text, evidence=[fake_evidence(quote, document=fake_document(document))])


REFUSAL = fake_answer("q", refused=True)
ABSENT = replace(ASKED, answerable=False, answers=(), evidence=())


@pytest.mark.parametrize(
    ("question", "given", "expected"),
    [
        (ASKED, answer("It ends on 30 days’ notice. Pets are allowed."), "right"),
        (ASKED, answer("Pets are allowed. It ends on 30 days’ notice."), "half"),
        (ASKED, answer("It ends on 30 days’ notice.", document="other.md"), "half"),
        (ASKED, answer("It ends on 90 days’ notice, once 30 days."), "wrong"),
        (ASKED, answer("It ends on 90 days’ notice. Or on 30 days’ notice."), "half"),
        (ASKED, answer("Pets are allowed."), "wrong"),
        (ASKED, REFUSAL, "refused"),
        (ABSENT, REFUSAL, "kept"),
        (ABSENT, answer("It ends on 30 days’ notice."), "wrong"),
        (ABSENT, answer("Which lease do you mean?"), "kept"),
        (ASKED, answer("Which lease do you mean?"), "refused"),
        (replace(ASKED, evidence=()), answer("It ends on 30 days’ notice.", document="any.md"), "right"),
        (replace(ASKED, answers=("yes",)), answer("Yes, on 30 days’ notice."), "right"),
        (replace(ASKED, answers=("yes",)), answer("No, on 30 days’ notice. Yes."), "wrong"),
        (replace(ASKED, answers=("no",)), answer("The tenant has no notice to give."), "wrong"),
        (replace(ASKED, answers=(), evidence=()), answer("Pets."), ""),
    ],
)
def test_every_outcome_is_that_of_the_line_and_its_source(
    question: EvalQuestion, given: Answer, expected: str
) -> None:
    came = judge(question, given)
    assert came.outcome == expected
    assert [name for name in ("right", "half", "wrong", "refused", "kept") if came.scores.get(name)] == (
        [expected] if expected else []
    )


def test_page_of_the_evidence_has_to_be_cited() -> None:
    paged = replace(ASKED, evidence=(EvidenceEntry("lease.md", page=2),))
    given = answer("It ends on 30 days’ notice.")
    cited = replace(given, quotes=(replace(given.citations[0], page=2),))
    assert judge(paged, cited).outcome == "right"
    assert judge(paged, given).outcome == "half"
    assert judge(paged, cited).citations == ("lease.md, 2",)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("Stroke and DVT. Also embolism.", "right"), ("Deep vein thrombosis.", "half"), ("None.", "wrong")],
)
@pytest.mark.parametrize("field", ["parts", "conflict"])
def test_full_answer_has_all_items_and_some_are_half(field: str, text: str, expected: str) -> None:
    items: dict[str, Any] = {
        "parts": (("stroke",), ("DVT", "deep vein thrombosis"), ("embolism",)),
        "conflict": ("stroke", "embolism"),
    }
    if field == "conflict":
        text = text.replace("Deep vein thrombosis", "Stroke")
    assert judge(replace(ASKED, **{field: items[field]}), answer(text)).outcome == expected


def test_without_accepted_answers_the_words_of_the_evidence_stand_for_them() -> None:
    asked = replace(ASKED, answers=(), evidence=(EvidenceEntry("lease.md", quote=LEASE),))
    right, other = fake_evidence(LEASE), fake_evidence("Pets are not allowed in the stairwell.", number=2)
    for order, expected in (([right, other], "right"), ([other, right], "half"), ([other], "wrong")):
        given = fake_answer("q", evidence=order)
        quoted = [replace(given.claims[0], text=e.text, citations=(e.number,), quoted=True) for e in order]
        assert judge(asked, replace(given, claims=tuple(quoted))).outcome == expected


@pytest.mark.parametrize(
    ("said", "accepted", "expected"),
    [
        ("The notice period is 30 days.", "30 days", 4 / 7),
        ("30 days", "the 30 days.", 1.0),
        ("光荣公司", "光荣", 2 / 3),
        ("Yes, they may.", "yes", 1.0),
        ("No, they may not.", "yes", 0.0),
        ("", "30 days", 0.0),
    ],
)
def test_token_f1_is_that_of_squad_and_of_characters_for_chinese(
    said: str, accepted: str, expected: float
) -> None:
    assert f1(said, accepted) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("ones", "n", "low", "high"), [(0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634), (10, 10, 0.7225, 1.0)]
)
def test_interval_of_a_share_is_that_of_wilson(ones: int, n: int, low: float, high: float) -> None:
    found = metrics.share([1.0] * ones + [0.0] * (n - ones))
    assert (found.low, found.high) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))
    assert metrics.share([]).n == 0


# Sets.


class SetIndex:
    def search(self, question: str, k: int = 8) -> list[Any]:
        return []

    def documents(self) -> list[Any]:
        return [fake_document("sets/lease.md"), fake_document("sets/other.md")]


def questions(folder: Path, *rows: dict[str, Any]) -> Path:
    path = folder / "own.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return path


def test_question_is_asked_with_its_turns_and_over_the_documents_that_it_names(tmp_path: Path) -> None:
    turn = {"question": "Whose lease?", "answer": "Ada’s."}
    source = questions(tmp_path, {"question": "And when?", "history": [turn], "scope": ["lease.md"]})
    for scoped, documents in ((True, ("sets/lease.md",)), (False, None)):
        assistant = FakeAssistant()
        evaluate(source, SetIndex(), assistant, what="answers", choice=Choice(scoped=scoped))  # type: ignore[arg-type]
        (call,) = assistant.calls
        assert call["history"] == (Turn("Whose lease?", "Ada’s."),)
        assert (call["filters"] and call["filters"].documents) == documents


def test_report_gives_outcomes_by_kind_and_by_question(tmp_path: Path) -> None:
    common = {"answers": ["30 days"], "evidence": [{"document": "lease.md"}]}
    source = questions(
        tmp_path,
        {"id": "a", "question": "a", "kind": "fact", **common},
        {"id": "b", "question": "b", "kind": "list", **common},
        {"id": "c", "question": "c", "kind": "list", "answerable": False},
    )
    script = {"a": answer("On 30 days’ notice."), "b": REFUSAL, "c": REFUSAL}
    report = evaluate(source, SetIndex(), FakeAssistant(script), what="answers")  # type: ignore[arg-type]
    assert [r.outcome for r in report.results] == ["right", "refused", "kept"]
    assert report.results[0].line == "On 30 days’ notice."
    assert (report.results[0].verdict, report.results[0].citations) == ("answered", ("lease.md",))
    values = {name: (m.value, m.n) for name, m in report.measures.items()}
    assert values["right"] == values["refused"] == (0.5, 2)
    assert values["wrong"] == (0.0, 3)
    assert values["kept"] == (1.0, 1)
    assert "| fact | 1 | 1.00 (0.21–1.00) | 0.00 (0.00–0.79) |" in report.to_markdown()


def test_sample_is_the_same_whatever_else_is_in_the_set() -> None:
    some = [EvalQuestion(str(n), "?") for n in range(60)]
    drawn = choose(some, Choice(sample=10))
    assert len(drawn) == 10
    assert [int(q.id) for q in drawn] == sorted(int(q.id) for q in drawn)
    assert choose([q for q in some if q not in drawn[:2]], Choice(sample=8)) == drawn[2:]
    assert choose(some, Choice(sample=99)) == tuple(some)


def test_fields_that_a_set_may_have_are_read(tmp_path: Path) -> None:
    row = {
        "question": "?",
        "parts": [["a", "b"], "c"],
        "conflict": ["x", "y"],
        "wrong": ["z"],
        "scale": "percent",
        "kind": "sum",
        "tags": ["t"],
    }
    (read,) = load_questions(questions(tmp_path, row))
    assert (read.parts, read.conflict, read.wrong) == ((("a", "b"), ("c",)), ("x", "y"), ("z",))
    assert (read.scale, read.tags) == ("percent", ("sum", "t"))


# Generations.


class Writer:
    """A model that counts how often it writes, and fails after its first piece if told so."""

    info = LLMInfo("writer", "f" * 64, 2048, local=True)

    def __init__(self, fails: bool = False) -> None:
        self.fails = fails
        self.written = 0

    def count_tokens(self, text: str) -> int:
        return len(text)

    def generate(self, prompt: Prompt, **settings: Any) -> Iterator[str]:
        self.written += 1
        yield prompt.user
        if self.fails:
            raise GenerationError("no more")
        yield "!"

    def close(self) -> None: ...


def said(llm: KeptLLM, user: str = "a", max_tokens: int = 9) -> str:
    return "".join(p for p in llm.generate(Prompt("", user), max_tokens=max_tokens) if isinstance(p, str))


def test_text_is_written_once_for_model_prompt_and_settings(tmp_path: Path) -> None:
    writer = Writer()
    assert said(KeptLLM(writer, tmp_path)) == said(KeptLLM(writer, tmp_path)) == "a!"
    assert said(KeptLLM(writer, tmp_path), "b") == "b!"
    assert writer.written == 2
    assert said(KeptLLM(writer, tmp_path), max_tokens=8) == "a!"
    writer.info = replace(writer.info, fingerprint="e" * 64)
    assert said(KeptLLM(writer, tmp_path)) == "a!"
    assert writer.written == 4


def test_text_that_failed_is_written_again(tmp_path: Path) -> None:
    writer = Writer(fails=True)
    with pytest.raises(GenerationError):
        said(KeptLLM(writer, tmp_path))
    writer.fails = False
    assert said(KeptLLM(writer, tmp_path)) == "a!"
    assert writer.written == 2
