"""The report page: whole in itself, the same for the same numbers; nothing from outside becomes markup."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from rag.measure.metrics import EvidenceEntry, Passage, difference, rank_scores
from rag.measure.report import Change, ChangedQuestion, Report, hit_curve, measures_of, risk_plot, to_html
from rag.measure.yardstick import QuestionResult

ATTACK = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&</svg></style>]]>"


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
    result(n, rank, verdict=verdict, score=score, threshold=0.5, wrong=wrong)
    for n, (rank, verdict, score, wrong) in enumerate(
        [
            (1, "answered", 0.9, False),
            (7, "answered", 0.6, True),
            (None, "absent", 0.3, True),
            (2, "answered", 0.8, False),
        ]
    )
]


class Elements(HTMLParser):
    """Every element's name and attributes, and all text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def test_page_loads_nothing_and_runs_nothing() -> None:
    page = to_html(report(ANSWERED))
    elements = Elements(page).elements
    assert not {name for name, _ in elements} & {
        "script",
        "link",
        "img",
        "iframe",
        "object",
        "embed",
        "image",
    }
    for _, attributes in elements:
        assert not [name for name in attributes if name.startswith("on") or name == "src"]
        for name, value in attributes.items():
            if name.endswith("href"):
                assert (value or "").startswith("#")
    assert "http://" not in page
    assert "https://" not in page
    assert "@import" not in page
    assert not re.search(r"url\((?!#)", page)


def test_every_plot_is_on_the_page_with_labelled_axes() -> None:
    seen = Elements(to_html(report(ANSWERED)))
    labels = [attributes.get("aria-label") for name, attributes in seen.elements if name == "svg"]
    assert labels == [
        "Hit rate by number of passages",
        "Risk against coverage",
    ]
    for axis in ("k (passages, log scale)", "coverage: share of 4 questions answered"):
        assert axis in seen.text


def page_about(words: str) -> str:
    """A page where every text that comes from a set, a file name or a model is `words`."""
    wrong = result(9, None, verdict="answered", evidence_shown=False, answer=words)
    rows = [
        *ANSWERED,
        dataclasses.replace(wrong, id=words, question=words, tags=(words,)),
        dataclasses.replace(wrong, error=words, answer=""),
    ]
    own = report(rows, name=words, missing=(words,), settings={"depth": 100, "index": words})
    change = Change(words, (ChangedQuestion(words, words, "evidence in the first 5", "None", words, True),))
    return to_html(own, change.sections())


def test_markup_from_a_set_stays_text() -> None:
    plain, attacked = Elements(page_about("plain")), Elements(page_about(ATTACK))
    assert [name for name, _ in attacked.elements] == [name for name, _ in plain.elements]
    assert [set(a) for _, a in attacked.elements] == [set(a) for _, a in plain.elements]
    assert attacked.text.count(ATTACK) >= 9, "it is shown, as text"


@settings(max_examples=8, deadline=None)
@given(st.text(min_size=1, max_size=20), st.text(max_size=20))
def test_any_tag_and_question_give_a_page_that_parses(tag: str, question: str) -> None:
    row = result(0, 3)
    odd = QuestionResult("q", question, True, (tag,), scores=row.scores, searched=True, rank=3)
    page = to_html(report([odd, row]))
    names = [name for name, _ in Elements(page).elements]
    assert names.count("main") == names.count("html") == 1
    assert names.count("script") == 0


def test_same_numbers_give_the_same_page() -> None:
    assert to_html(report(ANSWERED)) == to_html(report(ANSWERED))


def test_plots_take_their_colours_from_the_page() -> None:
    page = to_html(report(ANSWERED))
    drawn = "".join(re.findall(r"<svg.*?</svg>", page, re.S))
    assert "var(--data-1)" in drawn
    assert not re.search(r"(?:fill|stroke)=\"#", drawn), "no colour that only one background suits"


def test_curves_hold_the_shares_and_their_intervals() -> None:
    drawn = hit_curve(ANSWERED, 100)
    assert drawn is not None
    evidence = drawn.curves[0]
    assert [share for _, share in evidence.points][:8] == [0.25, *[0.5] * 5, 0.75, 0.75]
    assert [label for _, label in drawn.x_ticks] == ["1", "3", "5", "10", "20", "100"]
    assert all(low <= value <= high for _, low, value, high in evidence.marks)
    risk = risk_plot(ANSWERED)
    assert risk is not None
    assert [x for x, _ in risk.curves[0].points] == [0.25, 0.5, 0.75, 1.0]
    assert risk.curves[2].label == "as it is: 0.75 answered, 0.33 of them wrong"


def test_hit_curve_counts_a_question_that_failed_as_not_found() -> None:
    drawn = hit_curve([result(0, None, searched=False), result(1, 1)], 100)
    assert drawn is not None and drawn.y == "share of 2 questions"
    assert drawn.curves[0].points[-1] == (1.0, 0.5)


def test_what_was_not_measured_is_not_drawn() -> None:
    assert hit_curve([], 100) is risk_plot([]) is None
    assert "<svg" not in to_html(Report("own", {}, {}, {}, {}, (), ()))


def test_page_lists_what_turned_with_its_ranks_and_what_changed() -> None:
    turned = (
        ChangedQuestion("q1", "Up?", "evidence in the first 5", "9", "2", True),
        ChangedQuestion("q2", "Down?", "evidence in the first 5", "1", "None", False),
    )
    rose = difference([0.0] * 20, [1.0] * 20)
    change = Change(
        "old.json", turned, {"hit@1": rose, "refused, answerable": rose, "hit@3": difference([1.0], [1.0])}
    )
    page = to_html(report(ANSWERED), change.sections())
    text = " ".join(Elements(page).text.split())
    assert "Turned worse: 1" in text
    assert "1 → not found" in text
    assert "9 → 2" in text
    assert page.count("<bdi>+1.000 to +1.000</bdi>") == 2
    assert "Unchanged on every question: hit@3" in text


def test_questions_that_failed_are_listed_with_what_went_wrong() -> None:
    rows = [result(0, 40), result(1, None, error="the disk is full"), result(2, 1)]
    text = " ".join(Elements(to_html(report(rows))).text.split())
    assert "Evidence not in the first 5 passages: 2" in text
    assert "the disk is full" in text


def test_lone_surrogate_does_not_stop_the_page_from_being_written(tmp_path: Path) -> None:
    row = QuestionResult("q", "a\ud800b", True, searched=True)
    _, _, path = report([row]).write(tmp_path)
    assert "a?b" in path.read_text(encoding="utf-8")
