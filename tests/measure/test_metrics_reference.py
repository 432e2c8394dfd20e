"""Our ranking measures against trec_eval's (Buckley; through pytrec_eval, Van Gysel and de Rijke, 2018)."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import pytrec_eval
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.measure.metrics import CUTOFFS, EvidenceEntry, Passage, rank_scores

RELEVANT = [f"r{n}" for n in range(12)]
OTHERS = [f"x{n}" for n in range(130)]


@st.composite
def rankings(draw: st.DrawFn) -> tuple[list[str], list[str]]:
    """(documents in the order found, relevant documents). Each document is found once, so that an evidence
    entry gains once in trec_eval as it does here."""
    wanted = draw(st.lists(st.sampled_from(RELEVANT), min_size=1, unique=True))
    found = draw(st.lists(st.sampled_from(wanted + OTHERS), min_size=1, max_size=100, unique=True))
    return found, wanted


def ours(found: Sequence[str], wanted: Sequence[str]) -> dict[str, float]:
    return rank_scores([Passage(d, d) for d in found], [EvidenceEntry(d) for d in wanted], 100)


def reference(found: Sequence[str], wanted: Sequence[str]) -> dict[str, float]:
    cutoffs = ",".join(map(str, CUTOFFS))
    measures = {f"success.{cutoffs}", "recip_rank"}
    evaluator = pytrec_eval.RelevanceEvaluator({"q": dict.fromkeys(wanted, 1)}, measures)
    run = {document: float(len(found) - place) for place, document in enumerate(found)}
    result: dict[str, float] = evaluator.evaluate({"q": run})["q"]
    return result


@settings(max_examples=300, deadline=None)
@given(rankings())
def test_ranking_measures_are_those_of_trec_eval(ranking: tuple[list[str], list[str]]) -> None:
    mine, theirs = ours(*ranking), reference(*ranking)
    for k in CUTOFFS:
        assert mine[f"hit@{k}"] == theirs[f"success_{k}"]
    # trec_eval's reciprocal rank has no cutoff; ours ends at ten.
    within_ten = theirs["recip_rank"] if theirs["success_10"] else 0.0
    assert mine["MRR@10"] == pytest.approx(within_ten, abs=1e-9)


@pytest.mark.parametrize(
    ("found", "wanted", "expected"),
    [
        (["x", "a", "y", "b"], ["a", "b", "c"], {"hit@1": 0, "hit@3": 1, "MRR@10": 0.5}),
        (["x"] * 10 + ["a"], ["a"], {"hit@10": 0, "hit@20": 1, "MRR@10": 0}),
        ([], ["a"], {"hit@100": 0, "MRR@10": 0, "document hit@1": 0}),
    ],
)
def test_ranking_measures_agree_with_hand_computed_ones(
    found: list[str], wanted: list[str], expected: dict[str, float]
) -> None:
    scores = ours(found, wanted)
    assert {name: scores[name] for name in expected} == pytest.approx(expected)


def test_measures_deeper_than_the_list_are_left_out() -> None:
    names = set(rank_scores([Passage("a", "a")], [EvidenceEntry("a")], 10))
    assert {"hit@10", "document hit@10"} <= names
    assert not names & {"hit@20", "hit@100", "document hit@20"}


# Intervals, risk.
