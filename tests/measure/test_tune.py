"""`scripts/fitting.py` from questions to hits: what is learned is kept, used by every later search, and
survives a rebuild."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest
from fitting import CUTOFFS, Example, Tuning, examples, hits, risk_coverage, save, tune, whole_half_of
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import ConfigError, InputError
from rag.index import Index, open_index
from rag.measure.yardstick import load_questions
from rag.search.ranker import FEATURES, SHIPPED, TUNED, Ranker, load_ranker
from rag.types import Hit, Progress, Stages
from tests.fakes import FakeEmbedder
from tests.files import ROOT
from tests.indexing import new_index, run_here, write_files

PLACES = (
    "harbour quarry orchard foundry brewery tannery sawmill bakery dairy cannery pottery smithy vineyard "
    "granary chapel lighthouse"
).split()
RENT = "What is the yearly rent for the use of the {0}?"
ANSWER = "Schedule, {0} | {1} | {2}"
TALK = "The yearly rent for the use of the {0} is what the parties say the yearly rent for its use is."
SAILOR = "Who sailed {} to the moon?"


def contract(place: str, n: int) -> str:
    """Prose that says all the words of the question, and the figures, which say few of them, behind it."""
    figures = ANSWER.format(place, 2000 + n, 450 + n)
    return (
        f"# Contract {n}\n\n## Talk\n\n{TALK.format(place)}\n\n## Further talk\n\n{TALK.format(place)} It is "
        f"agreed.\n\n## Last talk\n\nOf the yearly rent for the {place} the parties have talked.\n\n"
        f"## Annex\n\n| Item | Year | Euros |\n| --- | --- | --- |\n| {figures} |\n"
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index whose answers are rows of figures, with two questions about each of its documents."""
    root = tmp_path_factory.mktemp("tuned")
    rows: list[dict[str, Any]] = []
    folder = write_files(root / "docs", {f"{p}.md": contract(p, n) for n, p in enumerate(PLACES)})
    for n, place in enumerate(PLACES):
        entry = [{"document": f"{place}.md", "quote": ANSWER.format(place, 2000 + n, 450 + n)}]
        for m, asked in enumerate((RENT, "For the use of the {0} which yearly rent is due?")):
            rows.append({"id": f"{place}-{m}", "question": asked.format(place), "evidence": entry})
    for n in range(8):
        rows.append({"id": f"no-{n}", "question": SAILOR.format(f"ship {n}"), "answerable": False})
    (root / "questions.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    with mock.patch("rag.store.ingest.run_in_workers", run_here), new_index(root / "index") as index:
        index.ingest(folder)
    return root


@pytest.fixture
def index(made: Path) -> Iterator[Index]:
    with open_index(made / "index", embedder=FakeEmbedder()) as opened:
        yield opened
        (opened.folder / TUNED).unlink(missing_ok=True)


@pytest.fixture(scope="module")
def tuning(made: Path) -> Tuning:
    with open_index(made / "index", embedder=FakeEmbedder()) as opened:
        return tune(made, opened)


def shown(hits_: list[Hit]) -> list[tuple[str, int, float]]:
    return [(h.document.path, h.chunk.ordinal, h.score) for h in hits_]


def first_holds_figures(index: Index) -> float:
    found = [index.search(RENT.format(place), 1)[0] for place in PLACES]
    return sum("Schedule," in h.chunk.text for h in found) / len(found)


def test_what_was_learned_from_one_half_orders_the_other_better(tuning: Tuning) -> None:
    assert tuning.kept
    assert tuning.before["hit@1"] < 0.5
    assert tuning.after["hit@1"] > 0.9
    assert set(tuning.before) == {f"hit@{k}" for k in CUTOFFS}
    weights = dict(zip(FEATURES, tuning.ranker.weights, strict=True))
    assert weights["table"] > dict(zip(FEATURES, load_ranker().weights, strict=True))["table"]


def test_every_question_is_in_one_half(made: Path, tuning: Tuning) -> None:
    assert tuning.fitted + tuning.held_out == len(load_questions(made))
    assert min(tuning.fitted, tuning.held_out) >= 8


def test_threshold_lies_between_the_scores_of_both_kinds_and_its_shares_are_shares(tuning: Tuning) -> None:
    assert tuning.threshold is not None and 0.0 <= tuning.threshold <= 1.0
    assert tuning.refused_answerable is not None and tuning.refused_unanswerable is not None
    assert 0.0 <= tuning.refused_answerable <= 1.0
    assert 0.0 <= tuning.refused_unanswerable <= 1.0
    assert tuning.curve


def test_tuning_alone_changes_no_file_and_is_the_same_every_time(
    made: Path, index: Index, tuning: Tuning
) -> None:
    before = sorted(f.name for f in index.folder.iterdir())
    again = tune(made, index)
    assert sorted(f.name for f in index.folder.iterdir()) == before
    assert again.ranker.to_json() == tuning.ranker.to_json()
    assert (again.threshold, again.before, again.after) == (tuning.threshold, tuning.before, tuning.after)


def test_saved_order_is_used_by_the_search_of_a_new_process(index: Index, tuning: Tuning) -> None:
    before = first_holds_figures(index)
    save(index, tuning)
    expected = shown(index.search(RENT.format("quarry"), 5))
    assert first_holds_figures(index) > max(0.9, before)
    program = (
        "import sys, json; from rag.index import open_index; from tests.fakes import FakeEmbedder; "
        "hits = open_index(sys.argv[1], embedder=FakeEmbedder()).search(sys.argv[2], 5); "
        "print(json.dumps([[h.document.path, h.chunk.ordinal, h.score] for h in hits]))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program, str(index.folder), RENT.format("quarry")],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    assert [tuple(row) for row in json.loads(ran.stdout)] == expected
    assert expected[0][0] == "quarry.md"


def test_saved_file_holds_the_order_and_the_threshold(index: Index, tuning: Tuning) -> None:
    path = save(index, tuning)
    assert path == index.folder / TUNED
    loaded = index.ranker()
    np.testing.assert_allclose(loaded.weights, tuning.ranker.weights, rtol=1e-4)
    assert loaded.threshold == pytest.approx(tuning.threshold, rel=1e-4)
    save(index, replace(tuning, threshold=None))
    assert index.ranker().threshold is None


def test_tuning_again_starts_from_what_was_saved(made: Path, index: Index, tuning: Tuning) -> None:
    save(index, tuning)
    again = tune(made, index)
    assert again.before["hit@1"] == pytest.approx(tuning.after["hit@1"])


def test_order_that_is_worse_on_the_held_out_half_is_not_kept(
    made: Path, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = index.ranker()
    worse = Ranker(-start.weights, start.scale, start.bias)
    monkeypatch.setattr("fitting.fit", lambda some, begin: worse)
    refused = tune(made, index)
    assert not refused.kept
    assert sum(refused.after.values()) < sum(refused.before.values())
    before = shown(index.search(RENT.format("dairy"), 5))
    save(index, refused)
    assert (
        json.loads((index.folder / TUNED).read_text())["weights"]
        == json.loads(SHIPPED.read_text())["weights"]
    )
    assert shown(index.search(RENT.format("dairy"), 5)) == before


# What is read of the questions


def test_pools_hold_the_evidence_where_it_stands(made: Path, index: Index) -> None:
    questions = [q for q in load_questions(made) if q.answerable]
    for question, example in zip(questions, examples(index, questions), strict=True):
        assert example.id == question.id
        assert example.rows.shape == (len(example.holds), len(FEATURES))
        assert example.holds.sum() == 1
    (alone,) = examples(index, [q for q in load_questions(made) if q.id == "no-0"])
    assert not alone.holds.any()


def test_hits_count_the_first_passage_with_evidence() -> None:
    rows = np.zeros((12, len(FEATURES)))
    rows[:, 0] = np.linspace(1, 0, 12)
    order = Ranker(np.eye(len(FEATURES))[0])
    second, last, never = (np.zeros(12, dtype=bool) for _ in range(3))
    second[[1, 5]] = last[11] = True
    some = [Example(str(n), rows, holds) for n, holds in enumerate((second, last, never))]
    assert hits(some, order) == pytest.approx({"hit@1": 0, "hit@3": 1 / 3, "hit@5": 1 / 3, "hit@10": 1 / 3})
    assert hits([], order) == {f"hit@{k}": 0.0 for k in CUTOFFS}


def test_progress_names_every_question_that_is_searched(made: Path, index: Index) -> None:
    seen: list[Progress] = []
    tune(made, index, progress=seen.append)
    questions = [p for p in seen if p.stage == "questions"]
    assert {p.current for p in questions} == {q.question for q in load_questions(made)}
    assert all(p.done <= (p.total or 0) for p in seen)


@pytest.mark.parametrize("refuse", [0.0, 1.0, -1.0, 85.0, float("nan")])
def test_share_that_is_none_is_an_input_error(made: Path, index: Index, refuse: float) -> None:
    with pytest.raises(InputError, match=r"share such as 0\.85"):
        tune(made, index, refuse=refuse)


def test_too_few_questions_are_an_input_error_before_anything_is_searched(
    made: Path, tmp_path: Path, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    questions = load_questions(made)
    lines = (made / "questions.jsonl").read_text("utf-8").split("\n")
    monkeypatch.setattr("fitting.examples", mock.Mock(side_effect=AssertionError))
    dev = [line for q, line in zip(questions, lines, strict=True) if whole_half_of(q) == "dev"]
    for kept, said in ((dev, "0 to measure on"), (lines[:4], "at least 8 of each")):
        path = tmp_path / "questions.jsonl"
        path.write_text("\n".join(kept), "utf-8")
        with pytest.raises(InputError, match=said):
            tune(path, index)


# Rebuilding


def rebuilt(made: Path, folder: Path) -> Index:
    index = open_index(folder, embedder=FakeEmbedder(), rebuild=True)
    with mock.patch("rag.store.ingest.run_in_workers", run_here):
        index.ingest(made / "docs")
    return index


def test_tuning_is_the_users_and_survives_a_rebuild(made: Path, tmp_path: Path, tuning: Tuning) -> None:
    with rebuilt(made, tmp_path / "index") as index:
        save(index, tuning)
        before = shown(index.search(RENT.format("bakery"), 5))
    with rebuilt(made, tmp_path / "index") as index:
        assert shown(index.search(RENT.format("bakery"), 5)) == before
        assert index.ranker().threshold == pytest.approx(tuning.threshold, rel=1e-4)
        assert index.verify().ok


def test_tuning_of_another_version_is_an_error_that_says_how_to_go_on(
    made: Path, tmp_path: Path, tuning: Tuning
) -> None:
    """A rebuild does not throw it away either: the questions that made it may be hard to come by."""
    with rebuilt(made, tmp_path / "index") as index:
        own = save(index, tuning)
        data = json.loads(own.read_text("utf-8"))
        data["weights"]["feature_of_yore"] = data["weights"].pop("length")
        own.write_text(json.dumps(data), "utf-8")
    with rebuilt(made, tmp_path / "index") as index:
        with pytest.raises(ConfigError, match=r"feature_of_yore, length.*scripts/tune.py"):
            index.search(RENT.format("bakery"))
        with pytest.raises(ConfigError, match="delete it"):
            tune(made, index)
        own.unlink()
        assert index.search(RENT.format("bakery"))


def test_without_the_ranker_a_tuned_index_searches_as_an_untuned_one(index: Index, tuning: Tuning) -> None:
    plain = Stages(ranker=False)
    before = shown(index.search(RENT.format("smithy"), 5, stages=plain))
    save(index, tuning)
    assert shown(index.search(RENT.format("smithy"), 5, stages=plain)) == before


def test_risk_coverage_agrees_with_a_hand_computed_curve() -> None:
    points = risk_coverage([0.9, 0.5, 0.7, 0.5], [False, True, True, False])
    told = [(p.threshold, p.coverage, p.risk) for p in points]
    assert told == [(0.9, 0.25, 0.0), (0.7, 0.5, 0.5), (0.5, 1.0, 0.5)]
    assert risk_coverage([], []) == ()


@given(st.lists(st.tuples(st.sampled_from([0.1, 0.2, 0.5, 0.9]), st.booleans()), min_size=1, max_size=30))
def test_risk_at_each_threshold_is_the_share_of_wrong_ones_at_or_above_it(
    rows: list[tuple[float, bool]],
) -> None:
    points = risk_coverage([s for s, _ in rows], [w for _, w in rows])
    assert [p.threshold for p in points] == sorted({s for s, _ in rows}, reverse=True)
    for point in points:
        kept = [w for s, w in rows if s >= point.threshold]
        assert point.coverage == pytest.approx(len(kept) / len(rows))
        assert point.risk == pytest.approx(sum(kept) / len(kept))
