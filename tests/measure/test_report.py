"""The report: the same for the same numbers, with what turned and what went wrong."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rag.measure.metrics import EvidenceEntry, Passage, rank_scores
from rag.measure.report import Report, Section, measures_of
from rag.measure.yardstick import QuestionResult


def result(number: int, rank: int | None, **changes: Any) -> QuestionResult:
    passages = [Passage("x", "")] * ((rank or 101) - 1) + [Passage("a", "")] * (rank is not None)
    fields: dict[str, Any] = {
        "searched": True,
        "rank": rank,
        "document_rank": rank,
        "scores": rank_scores(passages, [EvidenceEntry("a")], 100),
    }
    return QuestionResult(
        f"q{number}", f"Question {number}?", True, ("even", "odd")[number % 2 :][:1], **(fields | changes)
    )


def report(results: Sequence[QuestionResult], **changes: Any) -> Report:
    tags = sorted({t for r in results for t in r.tags})
    fields: dict[str, Any] = {
        "name": "own",
        "settings": {"depth": 100},
        "measures": measures_of([r.scores for r in results]),
        "by_tag": {t: measures_of([r.scores for r in results if t in r.tags]) for t in tags},
        "counts": {"verdict: answered": 3},
        "missing": (),
        "results": tuple(results),
    }
    return Report(**(fields | changes))


ANSWERED = [
    result(n, rank, verdict=verdict, score=score, threshold=0.5)
    for n, (rank, verdict, score) in enumerate(
        [
            (1, "answered", 0.9),
            (7, "answered", 0.6),
            (None, "absent", 0.3),
            (2, "answered", 0.8),
        ]
    )
]


def test_same_numbers_give_the_same_text() -> None:
    assert report(ANSWERED).to_markdown() == report(ANSWERED).to_markdown()


def test_a_bar_in_a_question_opens_no_cell() -> None:
    assert Section("t", ("a",), [("b | c",)]).to_markdown().endswith("| b &#124; c |")


def test_questions_that_failed_are_listed_with_what_went_wrong() -> None:
    rows = [result(0, 40), result(1, None, error="the disk is full"), result(2, 1)]
    text = report(rows).to_markdown()
    assert "Evidence not in the first 5 passages: 2" in text
    assert "the disk is full" in text


def test_lone_surrogate_does_not_stop_the_report_from_being_written(tmp_path: Path) -> None:
    row = QuestionResult("q", "a\ud800b", True, searched=True)
    _, path = report([row]).write(tmp_path)
    assert "a?b" in path.read_text(encoding="utf-8")
