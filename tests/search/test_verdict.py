"""One place says whether what was found suffices, and what forbids an answer."""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path

import pytest

import rag
from rag.search.verdict import (
    COUNTED,
    READ_RIGHTLY,
    OddsWeights,
    Verdict,
    Veto,
    of_parts,
    read_from,
    surer,
    unmatched,
    with_odds,
)
from tests.fakes import fake_answer, fake_evidence

ENOUGH, LITTLE = Verdict(0.9, 0.5), Verdict(0.2, 0.5)


@pytest.mark.parametrize("veto", Veto)
def test_a_veto_forbids_an_answer_however_sure_it_is(veto: Veto) -> None:
    assert ENOUGH.sufficient and COUNTED.sufficient and not LITTLE.sufficient
    assert not Verdict(1.0, 0.0, (veto,)).sufficient


def test_what_code_read_from_rows_suffices_and_is_as_sure_as_its_least_sure_row() -> None:
    rows = [fake_evidence("a", number=1), fake_evidence("b", number=2)]
    found = read_from(rows, Verdict(0.2, 0.9, (Veto.OTHER_YEARS,)))
    assert found.sufficient and found.confidence == min(row.score for row in rows)
    assert read_from((), LITTLE).confidence == 0.95


def test_what_has_to_be_matched_and_is_not_is_refused_with_its_share() -> None:
    found = unmatched(ENOUGH, 0.5)
    assert not found.sufficient and (found.confidence, found.vetoes) == (0.5, (Veto.UNMATCHED,))


def test_several_questions_are_answered_where_one_of_them_is() -> None:
    vetoed = Verdict(0.99, 0.5, (Veto.OTHER_NAMES,))
    assert of_parts([vetoed, ENOUGH, LITTLE]) is ENOUGH
    assert of_parts([LITTLE, vetoed]) is vetoed


def test_no_other_module_compares_a_confidence() -> None:
    """`least`, `confidence` and vetoes are handed on and printed elsewhere, never weighed."""
    weighed = []
    for path in sorted(Path(rag.__file__).parent.rglob("*.py")):
        if path.name == "verdict.py" or "measure" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Compare) and not isinstance(node.ops[0], ast.Is | ast.IsNot):
                names = {n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute)}
                if names & {"least", "confidence", "vetoes", "threshold"}:
                    weighed.append(f"{path.name}:{node.lineno}")
    assert not weighed


@pytest.mark.parametrize(("sure", "taken"), [(0.49, False), (0.55, True)])
def test_an_answer_to_a_translated_question_has_to_be_surer_than_its_own_bar(
    sure: float, taken: bool
) -> None:
    """Translated, what the board has to approve was answered, little sure, by a limit on something else."""
    own, answered = fake_answer("q", refused=True), fake_answer("q")
    assert surer(replace(answered, confidence=sure), replace(own, confidence=0.4)) is taken


@pytest.mark.parametrize("odds", [-1.0, 0.5, 3.0])
def test_among_few_passages_the_model_decides_and_among_many_the_signals_as_well(odds: float) -> None:
    weights = OddsWeights(0.0, 1.0, 1.0, 0.5)
    likely, unlikely = (
        [with_odds(Verdict(found, 0.5), odds, weights, count).confidence for count in (1, 19, 150, 502, 9000)]
        for found in (0.9, 0.2)
    )
    assert likely[:2] == unlikely[:2] and likely[3] == likely[4]
    assert likely[1] < likely[2] < likely[3] < READ_RIGHTLY and unlikely[1] > unlikely[2] > unlikely[3]
