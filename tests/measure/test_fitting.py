"""Weights fitted to questions: signs, what stays as it was, what is found, and that halves share nothing."""

from __future__ import annotations

import importlib.util
import json
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from fitting import _AGAINST, _EITHER, LEAST, Example, fit, tune, whole_half_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag.errors import InputError
from rag.measure.metrics import EvidenceEntry
from rag.measure.yardstick import EvalQuestion, half_of, load_questions
from rag.search.ranker import FEATURES, Ranker, load_ranker
from tests.files import ROOT

COUNT = len(FEATURES)
AT = {name: n for n, name in enumerate(FEATURES)}
SCRIPT = ROOT / "scripts" / "train_ranker.py"
NOTHING = Ranker(np.zeros(COUNT))


def examples(
    seed: int, questions: int = 20, planted: Sequence[str] = (), shown: Sequence[str] = FEATURES
) -> list[Example]:
    """Pools of 30 random passages, one to three of which hold evidence; those have more of what is planted
    than any other. Only the `shown` features differ within a pool."""
    random = np.random.default_rng(seed)
    made = []
    for n in range(questions):
        rows = random.random((30, COUNT))
        holds = np.zeros(30, dtype=bool)
        holds[random.choice(30, random.integers(1, 4), replace=False)] = True
        for name in planted:
            rows[:, AT[name]] = random.random(30) * 0.6 + np.where(holds, 0.6, 0.0)
        for name in set(FEATURES) - set(shown):
            rows[:, AT[name]] = 0.25
        made.append(Example(f"q{n}", rows, holds))
    return made


def first_is_right(found: Ranker, some: Sequence[Example]) -> float:
    return float(np.mean([e.holds[int(np.argmax(found.probability(e.rows)))] for e in some]))


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(LEAST, 14))
def test_every_weight_keeps_the_sign_that_its_feature_may_have(seed: int, questions: int) -> None:
    found = fit(examples(seed, questions), NOTHING)
    assert np.isfinite([*found.weights, found.scale, found.bias]).all()
    assert found.scale > 0
    for name, weight in zip(FEATURES, found.weights, strict=True):
        if name not in _EITHER:
            assert weight <= 0 if name in _AGAINST else weight >= 0, name


def test_features_named_in_the_signs_exist_and_have_one_sign() -> None:
    assert set(FEATURES) >= _EITHER | _AGAINST
    assert not _EITHER & _AGAINST


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sets(st.sampled_from(FEATURES), min_size=1, max_size=6))
def test_fixed_weights_stay_as_they_are(seed: int, fixed: set[str]) -> None:
    start = Ranker(np.linspace(-2, 3, COUNT))
    found = fit(examples(seed, 10), start, fixed=fixed)
    for name in fixed:
        assert found.weights[AT[name]] == start.weights[AT[name]]
    assert (found.weights != start.weights).any()


def test_features_that_the_questions_never_show_keep_their_start() -> None:
    start = Ranker(np.full(COUNT, 0.75))
    found = fit(examples(1, 12, shown=("fused", "dense", "words")), start)
    hidden = [n for name, n in AT.items() if name not in ("fused", "dense", "words")]
    assert (found.weights[hidden] == 0.75).all()


@pytest.mark.parametrize("planted", ["words", "dense", "role", "authority", "table"])
def test_planted_signal_is_found_and_holds_for_other_questions(planted: str) -> None:
    found = fit(examples(3, 60, (planted,)), NOTHING)
    assert AT[planted] == int(np.argmax(np.abs(found.weights)))
    held = examples(4, 60, (planted,))
    assert first_is_right(NOTHING, held) < 0.3
    assert first_is_right(found, held) > 0.9


def test_signal_that_speaks_against_a_passage_is_found_where_it_may() -> None:
    turned = []
    for e in examples(5, 60, ("superseded", "words")):
        rows = e.rows.copy()
        rows[:, AT["superseded"]] *= -1
        rows[:, AT["words"]] *= -1  # words can only speak for a passage
        turned.append(Example(e.id, rows, e.holds))
    found = fit(turned, NOTHING)
    assert found.weights[AT["superseded"]] < -1
    assert found.weights[AT["words"]] == 0.0


def test_few_questions_change_less_than_many() -> None:
    start = load_ranker()
    few, many = (fit(examples(6, n, ("words",)), start) for n in (LEAST, 120))
    moved = [np.abs(f.weights - start.weights)[AT["words"]] for f in (few, many)]
    assert 0 < moved[0] < moved[1]


def test_probability_is_on_average_the_share_of_passages_with_evidence() -> None:
    some = examples(7, 60, ("words", "dense"))
    found = fit(some, NOTHING)
    rows = np.concatenate([e.rows for e in some])
    share = np.concatenate([e.holds for e in some]).mean()
    assert found.probability(rows).mean() == pytest.approx(share, abs=0.02)


def test_questions_weigh_as_much_as_they_are_said_to() -> None:
    """Two kinds of questions that want opposite tables: the heavier kind has its way."""

    def of(sign: float, weight: float) -> list[Example]:
        kind = examples(8, 20, ("table",))
        for e in kind:
            e.rows[:, AT["table"]] *= sign
        return [Example(e.id, e.rows, e.holds, weight) for e in kind]

    assert fit([*of(1, 9.0), *of(-1, 1.0)], NOTHING).weights[AT["table"]] > 0
    assert fit([*of(1, 1.0), *of(-1, 9.0)], NOTHING).weights[AT["table"]] < 0


def test_same_questions_give_the_same_weights() -> None:
    assert fit(examples(9), NOTHING).to_json() == fit(examples(9), NOTHING).to_json()


def test_start_on_the_wrong_side_is_brought_to_the_right_one() -> None:
    found = fit(examples(10, 12), Ranker(np.full(COUNT, -1.0)))
    assert found.weights[AT["words"]] >= 0.0


def test_passages_without_vectors_are_fitted_as_if_theirs_were_zero() -> None:
    plain, blank = examples(11, 12), examples(11, 12)
    for e, f in zip(plain, blank, strict=True):
        e.rows[:, AT["dense"]] = 0.0
        f.rows[:, AT["dense"]] = np.nan
    assert fit(plain, NOTHING).to_json() == fit(blank, NOTHING).to_json()


@pytest.mark.parametrize("useful", [0, 1, LEAST - 1])
def test_too_few_questions_whose_evidence_was_found_are_an_input_error(useful: int) -> None:
    """Questions without evidence in their pool, or with nothing else in it, teach no order."""
    empty = [Example(e.id, e.rows, np.zeros(30, dtype=bool)) for e in examples(12, 9)]
    full = [Example(e.id, e.rows, np.ones(30, dtype=bool)) for e in examples(12, 9)]
    nothing = [Example("none", np.zeros((0, COUNT)), np.zeros(0, dtype=bool))]
    with pytest.raises(InputError, match=f"Only {useful} of {useful + 19} questions.*at least {LEAST}"):
        fit([*examples(13, useful), *empty, *full, *nothing], NOTHING)
    assert fit([*examples(13, LEAST), *empty, *full, *nothing], NOTHING).weights.any()


# Halves

NAMES = [f"folder/{n}.pdf" for n in range(14)] + ["caf\u00e9.md", "cafe\u0301.md", "法/一.md"]
ASKED = st.builds(
    lambda documents, answerable: (documents, answerable or not documents),
    st.lists(st.sampled_from(NAMES), max_size=3),
    st.booleans(),
)
SETS = st.lists(ASKED, min_size=50, max_size=70)


def write_set(folder: Path, asked: Sequence[tuple[list[str], bool]]) -> Path:
    rows = [
        {
            "id": f"q{n}",
            "question": f"What is {n}?",
            "answerable": answerable,
            "evidence": [{"document": d} for d in documents],
        }
        for n, (documents, answerable) in enumerate(asked)
    ]
    path = folder / "questions.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    return path


def evidence_of(questions: Sequence[EvalQuestion], ids: set[str]) -> set[str]:
    return {unicodedata.normalize("NFC", e.document) for q in questions if q.id in ids for e in q.evidence}


def blank(question: EvalQuestion) -> Example:
    return Example(question.id, np.zeros((2, COUNT)), np.array([True, False]))


@given(SETS)
def test_halves_share_no_evidence_document(asked: list[tuple[list[str], bool]]) -> None:
    questions = [
        EvalQuestion(f"q{n}", "What?", evidence=tuple(EvidenceEntry(d) for d in documents))
        for n, (documents, _) in enumerate(asked)
    ]
    dev, test = ({q.id for q in questions if whole_half_of(q) == half} for half in ("dev", "test"))
    assert not evidence_of(questions, dev) & evidence_of(questions, test)
    for q in questions:
        if len({unicodedata.normalize("NFC", e.document) for e in q.evidence}) <= 1:
            assert whole_half_of(q) == half_of(q)


class Done(Exception):
    """Enough was seen."""


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(SETS)
def test_tuning_measures_on_no_document_that_it_was_fitted_to(
    tmp_path: Path, asked: list[tuple[list[str], bool]]
) -> None:
    path = write_set(tmp_path, asked)
    seen: list[set[str]] = []

    def fitted(some: Sequence[Example], start: Ranker, **_: object) -> Ranker:
        seen.append({e.id for e in some})
        return start

    def measured(some: Sequence[Example], ranker: Ranker) -> dict[str, float]:
        seen.append({e.id for e in some})
        raise Done

    class NoIndex:
        def ranker(self) -> Ranker:
            return NOTHING

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("fitting.examples", lambda index, questions, progress=None: map(blank, questions))
        patch.setattr("fitting.fit", fitted)
        patch.setattr("fitting.hits", measured)
        try:
            tune(path, NoIndex())  # type: ignore[arg-type]
        except Done:
            pass
        except InputError as error:
            assert f"at least {LEAST}" in str(error)
            return
    questions = load_questions(path)
    assert len(seen) == 2 and all(seen)
    assert not seen[0] & seen[1]
    assert not evidence_of(questions, seen[0]) & evidence_of(questions, seen[1])


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("train_ranker", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(asked=SETS)
def test_shipped_order_is_measured_on_no_document_that_it_was_fitted_to(
    tmp_path: Path, script: ModuleType, asked: list[tuple[list[str], bool]]
) -> None:
    write_set(tmp_path, asked)

    @contextmanager
    def nothing(_: object) -> Iterator[None]:
        yield None

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(script, "examples", lambda index, questions: map(blank, questions))
        patch.setattr(script, "open_index", nothing)
        name, dev, test = script.read(f"index={tmp_path}*2.5")
    questions = load_questions(tmp_path)
    assert name == tmp_path.name
    fitted, held = {e.id for e in dev}, {e.id for e in test}
    assert not fitted & held
    assert not evidence_of(questions, fitted) & evidence_of(questions, held)
    assert {q.id for q in questions if q.id in held and not q.answerable} == set()
    if dev:
        assert sum(e.weight for e in dev) == pytest.approx(2.5)


def test_weights_chosen_by_hand_are_features_with_the_sign_that_they_may_have(script: ModuleType) -> None:
    for name, weight in script.DEMANDED.items():
        assert name in FEATURES
        assert weight <= 0 if name in _AGAINST else weight >= 0
