"""Loans: level and falling payments, total interest, what is still owed, how long it takes, what it costs."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from decimal import Decimal

from rag.money import annuities
from rag.money.given import count_of_periods, due
from rag.money.roots import NoRoot
from rag.money.sums import Lack, Sheet
from rag.types import Calculation

_PAYMENT = ("P * i / (1 - (1 + i)^-n)", "P * i / (1 - (1 + i)^-n)")
_PAYMENT_DUE = ("P * i / ((1 - (1 + i)^-n) * (1 + i))", "P * i / ((1 - (1 + i)^-n) * (1 + i))")
_FALLING = re.compile(r"等额本金|equal principal|straight[- ]line principal|constant principal")
_NEAR = (r"payments?", r"instal\w+", r"repa\w+", r"还款", r"月供", r"还")


def principal(sheet: Sheet) -> Decimal:
    """What is borrowed: said as such, or a price less what is paid down."""
    down = sheet.take("down")
    roles = ("principal", "price", "amount", "worth", "present", "number")
    borrowed = sheet.take(*(("price", *roles) if down else roles))
    if borrowed is None:
        raise Lack("principal")
    if down is None:
        return borrowed.value
    paid = borrowed.value * down.value if down.sort == "share" else down.value
    sheet.note("the price less the down payment is borrowed", "贷款本金为总价减首付")
    return borrowed.value - paid


def _loan(sheet: Sheet) -> tuple[Decimal, Decimal, int, int]:
    """Principal, rate per period, number of payments, payments a year."""
    times = sheet.payments_a_year(*_NEAR)
    parts: tuple[Callable[[], Decimal], ...] = (
        lambda: principal(sheet),
        lambda: sheet.period_rate(times),
        lambda: Decimal(sheet.periods(times)),
    )
    lacking: list[str] = []
    values: list[Decimal] = []
    for part in parts:
        try:
            values.append(part())
        except Lack as lack:
            lacking += lack.roles
    if lacking:
        raise Lack(*lacking)
    return values[0], values[1], int(values[2]), times


def level_payment(sheet: Sheet) -> Calculation:
    """The payment of each period."""
    p, i, n, _ = _loan(sheet)
    if _FALLING.search(sheet.inputs.text):
        return _falling_payment(sheet, p, i, n)
    early = due(sheet.inputs.text)
    value = annuities.payment(p, i, n, due=early)
    total = sheet.money(value * n - p)
    sheet.note(f"total interest {total}", f"利息总额{total}")
    tail = f" / (1 + {sheet.rate(i)})" if early else ""
    working = f"{sheet.amount(p)} * {sheet.rate(i)} / (1 - (1 + {sheet.rate(i)})^-{n}){tail}"
    name = ("payment per period", "每期还款额")
    return sheet.result(name, value, "money", _PAYMENT_DUE if early else _PAYMENT, working)


def _falling_payment(sheet: Sheet, p: Decimal, i: Decimal, n: int) -> Calculation:
    first, last, fall, interest = annuities.equal_principal(p, i, n)
    sheet.note(
        f"falls by {sheet.money(fall)} each period to {sheet.money(last)}; total interest "
        f"{sheet.money(interest)}",
        f"以后每期递减{sheet.money(fall)}，末期{sheet.money(last)}；利息总额{sheet.money(interest)}",
    )
    working = f"{sheet.amount(p)} / {n} + {sheet.amount(p)} * {sheet.rate(i)}"
    return sheet.result(
        ("first payment", "首期还款额"), first, "money", ("P / n + P * i", "P / n + P * i"), working
    )


def total_paid(sheet: Sheet) -> Calculation:
    """All payments of the term together."""
    p, i, n, _ = _loan(sheet)
    name = ("total of the payments", "还款总额")
    if _FALLING.search(sheet.inputs.text):
        interest = annuities.equal_principal(p, i, n)[3]
        working = f"{sheet.amount(p)} + {sheet.amount(p)} * {sheet.rate(i)} * ({n} + 1) / 2"
        return sheet.result(name, p + interest, "money", ("P + P * i * (n + 1) / 2",) * 2, working)
    each = annuities.payment(p, i, n, due=due(sheet.inputs.text))
    formula = ("n * payment", "n * 每期还款")
    return sheet.result(name, each * n, "money", formula, f"{n} * {sheet.amount(each)}")


def total_interest(sheet: Sheet) -> Calculation:
    """The interest of the whole term."""
    p, i, n, _ = _loan(sheet)
    if _FALLING.search(sheet.inputs.text):
        value = annuities.equal_principal(p, i, n)[3]
        working = f"{sheet.amount(p)} * {sheet.rate(i)} * ({n} + 1) / 2"
        return sheet.result(
            ("total interest", "利息总额"), value, "money", ("P * i * (n + 1) / 2",) * 2, working
        )
    each = annuities.payment(p, i, n, due=due(sheet.inputs.text))
    sheet.note(f"payment per period {sheet.money(each)}", f"每期还款{sheet.money(each)}")
    working = f"{n} * {sheet.amount(each)} - {sheet.amount(p)}"
    return sheet.result(
        ("total interest", "利息总额"),
        each * n - p,
        "money",
        ("n * payment - P", "n * 每期还款 - P"),
        working,
    )


def remaining(sheet: Sheet) -> Calculation:
    """What is still owed after some payments."""
    times = sheet.payments_a_year(*_NEAR)
    passed = sheet.take("elapsed")
    paid = int(sheet.months(passed) * times / 12) if passed else 0
    if passed is None:
        m = re.search(r"after (\d+) payments|还了?(\d+)期|第(\d+)期", sheet.inputs.text)
        if m is None:
            raise Lack("elapsed")
        paid = int(next(g for g in m.groups() if g))
    p, i, n, _ = _loan(sheet)
    if paid > n:
        raise Lack("elapsed")
    if _FALLING.search(sheet.inputs.text):
        value = p * (n - paid) / n
        return sheet.result(
            ("balance owed", "剩余本金"),
            value,
            "money",
            ("P * (n - k) / n",) * 2,
            f"{sheet.amount(p)} * ({n} - {paid}) / {n}",
        )
    each = annuities.payment(p, i, n)
    value = annuities.balance(p, i, each, paid)
    sheet.note(f"payment per period {sheet.money(each)}", f"每期还款{sheet.money(each)}")
    r = sheet.rate(i)
    working = f"{sheet.amount(p)} * (1 + {r})^{paid} - {sheet.amount(each)} * ((1 + {r})^{paid} - 1) / {r}"
    formula = (
        "P * (1 + i)^k - payment * ((1 + i)^k - 1) / i",
        "P * (1 + i)^k - 每期还款 * ((1 + i)^k - 1) / i",
    )
    return sheet.result(("balance owed", "剩余本金"), value, "money", formula, working)


def payoff_time(sheet: Sheet) -> Calculation:
    """How many payments of a given size repay a loan."""
    monthly = sheet.take("monthly_amount")
    yearly = None if monthly else sheet.take("yearly_amount")
    each = monthly or yearly or sheet.need("each")
    times = 12 if monthly else 1 if yearly else sheet.payments_a_year(*_NEAR)
    p = principal(sheet)
    i = sheet.period_rate(times)
    try:
        exact = annuities.payments_needed(p, i, each.value)
    except NoRoot:
        interest = sheet.money(p * i)
        raise NoRoot(
            sheet.say(
                f"the payment does not cover the interest of a period, {interest}: the debt is never repaid",
                f"每期还款不足以支付利息{interest}，债务不会还清",
            )
        ) from None
    n = math.ceil(exact - Decimal("1e-20"))
    r = sheet.rate(i)
    years = Decimal(n) / times
    sheet.note(
        f"about {years.quantize(Decimal('0.1'))} years; the last payment is smaller",
        f"约{years.quantize(Decimal('0.1'))}年，末期金额较小",
    )
    working = (
        f"-ln(1 - {sheet.amount(p)} * {r} / {sheet.amount(each.value)}) / ln(1 + {r}) = "
        f"{exact.quantize(Decimal('0.01'))}, rounded up"
    )
    return sheet.result(
        ("payments needed", "所需期数"),
        Decimal(n),
        "periods",
        ("-ln(1 - P * i / payment) / ln(1 + i)",) * 2,
        working,
    )


def loan_rate(sheet: Sheet) -> Calculation:
    """The rate that a loan costs, from its payments."""
    each = sheet.take("monthly_amount") or sheet.take("yearly_amount") or sheet.need("each")
    times = {"monthly_amount": 12, "yearly_amount": 1}.get(each.role, sheet.payments_a_year(*_NEAR))
    p = principal(sheet)
    n = sheet.periods(times)
    rate = annuities.rate_of(p, each.value, n, due=due(sheet.inputs.text))
    real = sheet.percent(annuities.effective(rate * times, times))
    sheet.note(f"effective annual rate {real}", f"实际年利率（复利）{real}")
    working = (
        f"{sheet.amount(p)} = {sheet.amount(each.value)} * (1 - (1 + i)^-{n}) / i; i = "
        f"{sheet.rate(rate)}; {times} * i"
    )
    return sheet.result(
        ("nominal annual rate", "名义年利率"),
        rate * times,
        "%",
        ("P = payment * (1 - (1 + i)^-n) / i",) * 2,
        working,
    )


def instalment_fee(sheet: Sheet) -> Calculation:
    """What a fee on the full amount each period, with equal shares of principal, costs as a yearly rate."""
    fee = sheet.need("fee", "rate", "monthly")
    count = sheet.inputs.first("term")
    n = count_of_periods(sheet.inputs.text) or (int(sheet.months(count)) if count else 0)
    if n < 1:
        raise Lack("term")
    total = re.search(r"总(?:手续)?费|total fee|一次性", sheet.inputs.text)
    each_fee = fee.value / n if total else fee.value
    payment = Decimal(1) / n + each_fee
    rate = annuities.rate_of(Decimal(1), payment, n)
    real = sheet.percent(annuities.effective(rate * 12, 12))
    sheet.note(
        f"fees come to {sheet.percent(each_fee * n)} of the amount; with compounding {real} a year",
        f"手续费合计为本金的{sheet.percent(each_fee * n)}；按复利计为{real}",
    )
    working = f"1 = (1/{n} + {sheet.rate(each_fee)}) * (1 - (1 + i)^-{n}) / i; i = {sheet.rate(rate)}; 12 * i"
    return sheet.result(
        ("annual rate of the instalments", "折合年化利率（单利）"),
        rate * 12,
        "%",
        ("P = payment * (1 - (1 + i)^-n) / i",) * 2,
        working,
    )
