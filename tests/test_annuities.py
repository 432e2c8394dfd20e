"""Time value of money agrees with brute force, with itself and with textbook values."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal as D
from fractions import Fraction

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rag.money import annuities as a
from rag.money import bonds, cover, day_counts
from rag.money.roots import NoRoot, bracketed, root

RATES = st.decimals(D("0.0001"), D("0.05"), places=4)
AMOUNTS = st.integers(100, 10_000_000).map(D)
TERMS = st.integers(1, 360)


def walked(principal: D, rate: D, each: D, n: int, *, due: bool = False) -> D:
    """What is owed after n payments, one at a time."""
    owed = principal
    for _ in range(n):
        owed = (owed - each) * (1 + rate) if due else owed * (1 + rate) - each
    return owed


@given(AMOUNTS, RATES, TERMS, st.booleans())
def test_a_level_payment_leaves_nothing_owed(principal: D, rate: D, n: int, due: bool) -> None:
    each = a.payment(principal, rate, n, due=due)
    assert abs(walked(principal, rate, each, n, due=due)) < principal * D("1e-12")


@given(AMOUNTS, RATES, TERMS, st.data())
def test_the_balance_is_what_paying_step_by_step_leaves(
    principal: D, rate: D, n: int, data: st.DataObject
) -> None:
    each, paid = a.payment(principal, rate, n), data.draw(st.integers(0, n))
    assert (
        abs(a.balance(principal, rate, each, paid) - walked(principal, rate, each, paid))
        < D("1e-9") * principal
    )


@given(AMOUNTS, RATES, TERMS)
def test_the_number_of_payments_is_found_again(principal: D, rate: D, n: int) -> None:
    each = a.payment(principal, rate, n)
    assert abs(a.payments_needed(principal, rate, each) - n) < D("1e-9")


@given(AMOUNTS, RATES, st.integers(1, 120), st.booleans())
@settings(max_examples=40)
def test_the_rate_of_a_loan_is_found_again(principal: D, rate: D, n: int, due: bool) -> None:
    assume(n > 1)
    each = a.payment(principal, rate, n, due=due)
    assert abs(a.rate_of(principal, each, n, due=due) - rate) < D("1e-12")


@given(AMOUNTS, RATES, TERMS)
def test_equal_principal_costs_what_its_payments_add_up_to(principal: D, rate: D, n: int) -> None:
    first, last, fall, interest = a.equal_principal(principal, rate, n)
    payments = [principal / n + (principal - principal * k / n) * rate for k in range(n)]
    assert abs(payments[0] - first) < D("1e-9") and abs(payments[-1] - last) < D("1e-9")
    assert abs(sum(payments) - principal - interest) < D("1e-6")
    assert n == 1 or abs(payments[0] - payments[1] - fall) < D("1e-9")


@given(RATES, TERMS, st.booleans())
def test_savings_are_what_their_deposits_grow_to(rate: D, n: int, due: bool) -> None:
    each = [(1 + rate) ** (n - k + (1 if due else 0)) for k in range(1, n + 1)]
    assert abs(a.accumulated(rate, n, due=due) - sum(each)) < D("1e-9") * sum(each)


@given(AMOUNTS, RATES, AMOUNTS, AMOUNTS)
def test_time_to_a_target_reaches_it(present: D, rate: D, each: D, more: D) -> None:
    target = present + more
    n = a.periods_to(target, present, rate, each)
    assert abs(present * a.growth(rate, n) + each * a.accumulated(rate, n) - target) < target * D("1e-12")


@given(st.decimals(D("0.001"), D("0.5"), places=3), st.sampled_from([0, 1, 2, 4, 12, 52, 365]))
def test_nominal_and_effective_rates_undo_each_other(rate: D, times: int) -> None:
    assert abs(a.nominal(a.effective(rate, times), times) - rate) < D("1e-20")
    assert a.effective(rate, times) >= rate * (1 - D("1e-25"))


@given(st.lists(st.integers(1, 1000).map(D), min_size=1, max_size=12), st.integers(1, 5000).map(D))
@settings(max_examples=60)
def test_the_internal_rate_makes_the_flows_worth_nothing(returns: list[D], outlay: D) -> None:
    flows = [-outlay, *returns]
    rate = a.irr(flows)
    assert abs(a.npv(rate, flows)) < outlay * D("1e-12")


@given(
    st.lists(st.tuples(st.integers(1, 2000), st.integers(1, 1000).map(D)), min_size=1, max_size=6),
    st.integers(1, 3000).map(D),
)
@settings(max_examples=40)
def test_dated_flows_a_year_apart_have_the_plain_internal_rate(
    returns: list[tuple[int, D]], outlay: D
) -> None:
    start = date(2021, 1, 1)
    flows = [(start, -outlay), *((start + timedelta(days=365 * k), f) for k, (_, f) in enumerate(returns, 1))]
    assert abs(a.xirr(flows) - a.irr([f for _, f in flows])) < D("1e-9")


def test_textbook_values_come_out() -> None:
    assert round(a.payment(D(300_000), D("0.06") / 12, 360), 2) == D("1798.65")
    assert round(a.payment(D(1_000_000), D("0.049") / 12, 360), 2) == D("5307.27")
    assert round(a.effective(D("0.12"), 12), 6) == D("0.126825")
    assert round(a.effective(D("0.08"), 0), 6) == D("0.083287")
    assert round(a.annuity_factor(D("0.08"), 10), 5) == D("6.71008")
    assert round(a.irr([D(-70_000), D(12_000), D(15_000), D(18_000), D(21_000), D(26_000)]), 6) == D(
        "0.086631"
    )
    dated = [(date(2008, 1, 1), D(-10_000)), (date(2008, 3, 1), D(2_750)), (date(2008, 10, 30), D(4_250)),
             (date(2009, 2, 15), D(3_250)), (date(2009, 4, 1), D(2_750))]  # fmt: skip
    assert round(a.xirr(dated), 6) == D("0.373363")  # the example of the spreadsheet function's manual


@pytest.mark.parametrize("flows", [[D(1), D(2)], [D(-1), D(-2)], [D(0), D(0)]])
def test_flows_of_one_sign_have_no_internal_rate(flows: list[D]) -> None:
    with pytest.raises(NoRoot):
        a.irr(flows)


def test_a_payment_below_the_interest_never_repays() -> None:
    with pytest.raises(NoRoot):
        a.payments_needed(D(1000), D("0.02"), D(20))


@given(st.integers(-50, 50), st.integers(1, 9))
def test_a_root_is_found_wherever_it_lies(at: int, scale: int) -> None:
    found = root(lambda x: (x - D(at)) ** 3 * scale, D(-100), D(101))
    assert abs(found - at) < D("1e-6")


def test_a_bracket_without_a_change_of_sign_has_no_root() -> None:
    with pytest.raises(NoRoot):
        root(lambda x: x * x + 1, D(-1), D(1))
    with pytest.raises(NoRoot):
        bracketed(lambda x: x * x + 1, [D(-1), D(0), D(1)])


# --- Bonds

BONDS = st.builds(
    bonds.Bond,
    st.sampled_from([D(100), D(1000)]),
    st.decimals(D("0"), D("0.15"), places=3),
    st.integers(1, 60),
    st.sampled_from([1, 2, 4]),
)


@given(BONDS, st.decimals(D("0.001"), D("0.25"), places=3))
def test_a_price_is_the_sum_of_its_discounted_payments(bond: bonds.Bond, y: D) -> None:
    rate = y / bond.frequency
    flows = [bond.coupon] * (bond.periods - 1) + [bond.coupon + bond.face]
    assert abs(bonds.price(bond, y) - sum(f / (1 + rate) ** k for k, f in enumerate(flows, 1))) < D("1e-12")


@given(BONDS, st.decimals(D("0.001"), D("0.25"), places=3))
@settings(max_examples=40)
def test_the_yield_of_a_price_is_found_again(bond: bonds.Bond, y: D) -> None:
    assert abs(bonds.yield_to_maturity(bond, bonds.price(bond, y)) - y) < D("1e-12")


@given(BONDS, st.decimals(D("0.01"), D("0.2"), places=2))
def test_modified_duration_is_the_slope_of_the_price(bond: bonds.Bond, y: D) -> None:
    step = D("1e-9")
    slope = (bonds.price(bond, y + step) - bonds.price(bond, y - step)) / (2 * step)
    assert abs(-slope / bonds.price(bond, y) - bonds.modified(bond, y)) < D("1e-5")


def test_a_bond_at_its_coupon_is_worth_its_face() -> None:
    assert round(bonds.price(bonds.Bond(D(100), D("0.06"), 10, 2), D("0.06")), 20) == 100


def test_the_duration_of_a_zero_is_its_term() -> None:
    assert round(bonds.macaulay(bonds.Bond(D(100), D(0), 7, 0), D("0.05")), 20) == 7


# --- Day counts


@pytest.mark.parametrize(
    ("start", "end", "convention", "days"),
    [
        ("2007-01-15", "2007-01-30", "30/360", 15),
        ("2007-01-15", "2007-07-15", "30/360", 180),
        ("2007-09-30", "2008-03-31", "30/360", 180),
        ("2007-09-30", "2008-03-31", "30e/360", 180),
        ("2007-10-15", "2008-03-31", "30/360", 166),
        ("2007-10-15", "2008-03-31", "30e/360", 165),
        ("2007-08-31", "2008-02-28", "30/360", 178),
        ("2007-02-26", "2008-02-29", "act/365", 368),
    ],
)
def test_days_are_counted_as_the_convention_says(start: str, end: str, convention: str, days: int) -> None:
    assert day_counts.days(date.fromisoformat(start), date.fromisoformat(end), convention) == days


def test_actual_actual_divides_each_year_by_its_own_days() -> None:
    assert day_counts.year_share(date(2007, 12, 28), date(2008, 2, 28), "act/act") == Fraction(
        4, 365
    ) + Fraction(58, 366)


@given(
    st.dates(date(1990, 1, 1), date(2050, 1, 1)),
    st.integers(0, 4000),
    st.sampled_from(day_counts.CONVENTIONS),
)
def test_a_year_share_is_near_the_calendars_and_changes_sign_with_its_ends(
    start: date, days: int, convention: str
) -> None:
    end = start + timedelta(days=days)
    share = day_counts.year_share(start, end, convention)
    assert abs(share - Fraction(days, 365)) < Fraction(days, 60) / 1 + Fraction(6, 360)
    if convention == "act/act":
        assert day_counts.year_share(end, start, convention) == -share


# --- Insurance


@given(
    st.integers(0, 10**6).map(D), st.integers(0, 10**5).map(D), st.integers(0, 100).map(lambda x: D(x) / 100),
    st.one_of(st.none(), st.integers(0, 10**6).map(D)), st.integers(0, 10**6).map(D),
)  # fmt: skip
def test_an_insurer_never_pays_more_than_loss_limit_or_share(
    loss: D, deductible: D, share: D, ceiling: D | None, other: D
) -> None:
    paid = cover.paid(cover.Cover(deductible, share, ceiling), loss, other)
    assert 0 <= paid <= max(D(0), loss - other)
    assert paid <= max(D(0), loss - other - deductible) * share
    assert ceiling is None or paid <= ceiling


def test_under_insurance_is_paid_in_proportion() -> None:
    assert cover.paid(cover.Cover(insured=D(300), worth=D(400)), D(80)) == 60
