"""Claims about training data: what is right in it, and that nothing of the measuring half is in it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.adapt.adapting import Data, Source, check_questions, gather
from rag.adapt.examples import Pool, asked_of, augment, made_examples
from rag.errors import InputError
from rag.evalset import load_questions, whole_half_of
from rag.index import Index
from rag.pointer import stands_in
from tests.training.towns import towns


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Index]]:
    with towns(tmp_path_factory.mktemp("towns")) as found:
        yield found


@pytest.fixture(scope="module")
def data(opened: tuple[Path, Index]) -> Data:
    file, index = opened
    return gather([Source(file, index, times=4)])


def documents(file: Path, half: str) -> set[str]:
    return {
        e.document
        for q in load_questions(file)
        if whole_half_of(q) == half  # type: ignore[comparison-overlap]
        for e in q.evidence
    }


def test_no_sentence_of_the_measuring_half_is_ever_right(opened: tuple[Path, Index], data: Data) -> None:
    held = documents(opened[0], "test")
    right = {e.sources[e.right - 1].document for e in (*data.train, *data.stop) if e.right}
    assert held
    assert right
    assert not right & held


def test_no_question_of_the_measuring_half_is_trained_on(opened: tuple[Path, Index], data: Data) -> None:
    measured = {s.question.question.lower().rstrip("?") for s in data.held_out}
    trained = {e.question.lower().rstrip("?") for e in (*data.train, *data.stop)}
    assert len(measured) > 20
    assert not trained & measured


def test_what_decides_when_to_stop_is_not_trained_on(data: Data) -> None:
    stop = {e.sources[e.right - 1].document for e in data.stop if e.right}
    assert stop
    asked = [e for e in data.train if e.origin == "question" and e.right]
    assert not stop & {e.sources[e.right - 1].document for e in asked}


def test_answers_stand_in_the_right_sentence_and_in_no_other(data: Data) -> None:
    assert any(e.right == 0 for e in data.train)
    for example in data.train:
        assert 0 <= example.right <= len(example.sources) <= 6
        if example.right and example.answer:
            assert stands_in(example.answer, example.sources[example.right - 1].text)
        if example.right and example.origin == "question":
            others = [s for n, s in enumerate(example.sources, 1) if n != example.right]
            assert not any(stands_in(example.answer, s.text) for s in others)


def test_the_same_seed_gives_the_same_data(opened: tuple[Path, Index], data: Data) -> None:
    file, index = opened
    assert gather([Source(file, index, times=4)]).train == data.train


def test_a_question_is_shown_in_other_company_and_without_its_sentence(opened: tuple[Path, Index]) -> None:
    file, index = opened
    asked = asked_of(index, load_questions(file)[0])
    found = list(augment(asked, random.Random(0), count=9))
    assert {bool(e.right) for e in found} == {True, False}
    assert len({e.sources for e in found}) > 3
    assert len({e.right for e in found}) > 2


def test_made_questions_ask_about_the_documents_they_may(opened: tuple[Path, Index]) -> None:
    _, index = opened
    pool = Pool(index, lambda path: path != "Ashbury.md", most=100, seed=0)
    found = list(made_examples(pool, random.Random(0), 50))
    assert found
    assert {s.document for e in found for s in e.sources} == {"Ashbury.md"}


def test_too_few_questions_are_refused_before_anything_is_searched(tmp_path: Path) -> None:
    with towns(tmp_path, count=12) as (file, index):
        with pytest.raises(InputError, match=r"at least 20 of each"):
            check_questions([file])
        with pytest.raises(InputError, match="Add questions about more documents"):
            gather([Source(file, index)])
