"""A threshold set by risk keeps to it where it was set; bounds on shares hold."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.measure.tune import measured, threshold_for, upper_bound

SHARES = st.floats(0.0, 1.0, allow_nan=False)
JUDGED = st.lists(st.tuples(SHARES, st.booleans()), min_size=1, max_size=40)


Judged = list[tuple[float, bool]]


def risk_above(judged: Judged, bar: float) -> float:
    answered = [bad for score, bad in judged if score >= bar]
    return sum(answered) / len(answered) if answered else 0.0


@given(JUDGED, SHARES)
def test_threshold_keeps_to_the_risk_and_no_lower_one_does(
    judged: list[tuple[float, bool]], risk: float
) -> None:
    bar, met = threshold_for([s for s, _ in judged], [w for _, w in judged], risk)
    lower = {s for s, _ in judged if s < bar}
    if met:
        assert risk_above(judged, bar) <= risk
        assert all(risk_above(judged, s) > risk for s in lower)
    else:
        every = {s for s, _ in judged}
        assert risk_above(judged, bar) == min(risk_above(judged, s) for s in every) > risk


def test_more_is_answered_where_more_may_be_wrong() -> None:
    scores, wrong = [0.9, 0.8, 0.7, 0.6, 0.5], [False, False, True, False, True]
    bars = [threshold_for(scores, wrong, risk)[0] for risk in (0.0, 0.25, 0.5)]
    assert bars == [0.8, 0.6, 0.5]


def test_what_was_measured_is_counted_at_and_above_the_threshold() -> None:
    risk = measured([0.9, 0.5, 0.4], [False, True, True], 0.5, wanted=0.1, met=True)
    assert (risk.asked, risk.answered, risk.wrong, risk.share) == (3, 2, 1, 0.5)
    assert risk.share < risk.bound <= 1.0
    nothing = measured([0.1], [True], 0.5, wanted=0.1, met=False)
    assert (nothing.answered, nothing.share, nothing.bound) == (0, 0.0, 1.0)


@pytest.mark.parametrize(
    ("wrong", "answered", "bound"), [(0, 59, 0.0495), (1, 100, 0.0466), (5, 100, 0.1023)]
)
def test_bound_is_that_of_clopper_and_pearson(wrong: int, answered: int, bound: float) -> None:
    assert upper_bound(wrong, answered) == pytest.approx(bound, abs=5e-4)


@given(st.integers(1, 300), st.data())
def test_bound_lies_above_what_was_seen_and_falls_with_more_questions(
    answered: int, data: st.DataObject
) -> None:
    wrong = data.draw(st.integers(0, answered))
    bound = upper_bound(wrong, answered)
    assert wrong / answered <= bound <= 1.0
    assert upper_bound(wrong, answered + 50) <= bound


def test_nothing_judged_sets_no_threshold() -> None:
    with pytest.raises(ValueError, match="no scores"):
        threshold_for([], [], 0.05)
