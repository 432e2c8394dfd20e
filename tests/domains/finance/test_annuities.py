"""Time value of money agrees with brute force, with itself and with textbook values."""

from __future__ import annotations

from decimal import Decimal as D

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rag.domains.finance import given as a
from rag.domains.finance.money import calculate
from rag.types import Calculation

RATES = st.decimals(D("0.0001"), D("0.05"), places=4)
AMOUNTS = st.integers(100, 10_000_000).map(D)
TERMS = st.integers(1, 360)
ZERO = D(0)


def walked(principal: D, rate: D, each: D, n: int, *, due: bool = False) -> D:
    """What is owed after n payments, one at a time."""
    owed = principal
    for _ in range(n):
        owed = (owed - each) * (1 + rate) if due else owed * (1 + rate) - each
    return owed


@given(AMOUNTS, RATES, TERMS, st.booleans())
def test_a_level_payment_leaves_nothing_owed(principal: D, rate: D, n: int, due: bool) -> None:
    each = principal / a.annuity(rate, D(n), due)
    assert abs(walked(principal, rate, each, n, due=due)) < principal * D("1e-12")


@given(AMOUNTS, RATES, TERMS, st.data())
def test_the_balance_is_what_paying_step_by_step_leaves(
    principal: D, rate: D, n: int, data: st.DataObject
) -> None:
    each, paid = principal / a.annuity(rate, D(n)), data.draw(st.integers(0, n))
    owed = (principal - each * a.annuity(rate, D(paid))) * (1 + rate) ** paid
    assert abs(owed - walked(principal, rate, each, paid)) < D("1e-9") * principal


@given(AMOUNTS, RATES, TERMS)
def test_the_number_of_payments_is_found_again(principal: D, rate: D, n: int) -> None:
    each = principal / a.annuity(rate, D(n))
    assert abs(a.nper(rate, each, -principal, ZERO) - n) < D("1e-9")


@given(AMOUNTS, RATES, st.integers(1, 120), st.booleans())
@settings(max_examples=40)
def test_the_rate_of_a_loan_is_found_again(principal: D, rate: D, n: int, due: bool) -> None:
    assume(n > 1)
    each = principal / a.annuity(rate, D(n), due)
    assert abs(a.rate(D(n), each, principal, due) - rate) < D("1e-12")


@given(AMOUNTS, RATES, TERMS)
@settings(max_examples=40)
def test_equal_principal_costs_what_its_payments_add_up_to(principal: D, rate: D, n: int) -> None:
    asked = f"贷款{principal}元，月利率{rate * 100}%，分{n}期等额本金，"
    payments = [principal / n + (principal - principal * k / n) * rate for k in range(n)]
    for question, expected in (
        ("首月还款多少？", payments[0]),
        ("总利息是多少？", sum(payments) - principal),
    ):
        found = calculate(asked + question)
        assert isinstance(found, Calculation)
        assert abs(found.result.value - expected) < D("1e-6")


@given(RATES, TERMS, st.booleans())
def test_savings_are_what_their_deposits_grow_to(rate: D, n: int, due: bool) -> None:
    each = [(1 + rate) ** (n - k + (1 if due else 0)) for k in range(1, n + 1)]
    assert abs(a.annuity(rate, D(n), due) * (1 + rate) ** n - sum(each)) < D("1e-9") * sum(each)


@given(AMOUNTS, RATES, AMOUNTS, AMOUNTS)
def test_time_to_a_target_reaches_it(present: D, rate: D, each: D, more: D) -> None:
    target = present + more
    n = a.nper(rate, each, present, target)
    assert abs((present + each * a.annuity(rate, n)) * (1 + rate) ** n - target) < target * D("1e-12")


@given(st.decimals(D("0.001"), D("0.5"), places=3), st.sampled_from([0, 1, 2, 4, 12, 52, 365]))
def test_nominal_and_effective_rates_undo_each_other(rate: D, times: int) -> None:
    word = {0: "continuously", 1: "yearly", 2: "half-yearly", 4: "quarterly", 12: "monthly", 52: "weekly"}
    effective = (1 + rate / times) ** times - 1 if times else rate.exp() - 1
    found = calculate(
        f"What nominal rate compounded {word.get(times, 'daily')} corresponds to an effective rate of "
        f"{effective * 100:f}%?"
    )
    assert isinstance(found, Calculation)
    assert abs(found.result.value / 100 - rate) < D("1e-20")
    assert effective >= rate * (1 - D("1e-25"))


def test_textbook_values_come_out() -> None:
    assert round(300_000 / a.annuity(D("0.06") / 12, D(360)), 2) == D("1798.65")
    assert round(1_000_000 / a.annuity(D("0.049") / 12, D(360)), 2) == D("5307.27")
    for often, expected in (("monthly", "12.6825"), ("continuously", "12.7497")):
        found = calculate(f"What is the effective annual rate of 12% compounded {often}?")
        assert isinstance(found, Calculation)
        assert round(found.result.value, 4) == D(expected)
    assert round(a.annuity(D("0.08"), D(10)), 5) == D("6.71008")
    assert round(a.rate(D(12), D(9), D(100)), 6) == D("0.012043")


def test_a_payment_below_the_interest_never_repays() -> None:
    with pytest.raises(a.Unsolved):
        a.nper(D("0.02"), D(20), D(-1000), ZERO)


@pytest.mark.parametrize("given_terms", [(3, -5, 100, 0), (1, 5, 5, 1), (10, 0, 100, 0)])
def test_payments_that_are_worth_the_price_at_no_rate_have_none(given_terms: tuple[int, ...]) -> None:
    n, each, price, due = given_terms
    with pytest.raises(a.Unsolved):
        a.rate(D(n), D(each), D(price), due)
