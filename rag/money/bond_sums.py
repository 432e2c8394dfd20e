"""Bonds of a question: price, yield to maturity, current yield, duration, accrued interest."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from rag.money import bonds, day_counts
from rag.money.annuities import decimal
from rag.money.given import frequency
from rag.money.roots import PRECISE
from rag.money.sums import Lack, Sheet
from rag.quantities import extract
from rag.rounding import plain
from rag.types import Calculation

_ZERO = re.compile(r"zero[- ]coupon|零息|贴现(?:债|国债)|discount bond")
_HUNDRED = Decimal(100)


def _bond(sheet: Sheet) -> bonds.Bond:
    """The bond that the question describes; face 100 where none is said (1,000 of a dollar bond)."""
    text = sheet.inputs.text
    zero = _ZERO.search(text) is not None
    coupon = None if zero else sheet.take("coupon", "rate")
    if not zero and coupon is None:
        raise Lack("coupon")
    face = sheet.take("face", "principal")
    if face is None:
        size = Decimal(1000) if sheet.shown.currency == "USD" and not sheet.zh else _HUNDRED
        sheet.note(f"face value {plain(size)}, as none is said", f"未给出面值，按{plain(size)}计")
    else:
        size = face.value
    times = (
        0
        if zero
        else frequency(text, r"coupons?", r"pays?", r"interest", r"付息", r"票息", r"计息", r"票面") or 1
    )
    if not zero and times == 1:
        sheet.note("coupons paid yearly", "每年付息一次")
    years = sheet.years("term", "elapsed")
    n = PRECISE.multiply(years, Decimal(times or 1))
    whole = int(n.to_integral_value())
    if whole != n or whole < 1:
        raise Lack("term")
    return bonds.Bond(size, coupon.value if coupon else Decimal(0), whole, times)


def _paid(sheet: Sheet, bond: bonds.Bond) -> Decimal:
    """The price; one quoted as a percentage of face becomes an amount."""
    if g := sheet.take("price", "amount", "present"):
        return g.value
    if m := re.search(
        r"(?:pric\w+|trad\w+|quoted|sells?|selling|bought|buy|at|价格?"
        r"|净价)[^\d%]{0,12}(\d{1,3}(?:\.\d+)?)\b(?!\s*(?:%|年|years?|-year))",
        sheet.inputs.text,
    ):
        quoted = Decimal(m[1])
        sheet.note(f"price {m[1]} for 100 of face value", f"价格为每百元面值{m[1]}元")
        return quoted * bond.face / _HUNDRED
    if re.search(r"\bat par\b|平价", sheet.inputs.text):
        return bond.face
    raise Lack("price")


def _described(sheet: Sheet, bond: bonds.Bond) -> str:
    return f"{plain(bond.coupon, None if bond.coupon == bond.coupon.to_integral_value() else 4)}"


def bond_price(sheet: Sheet) -> Calculation:
    """Present value at the market's yield."""
    market = sheet.need("yield", "effective").value if sheet.inputs.first("yield", "effective") else None
    bond = _bond(sheet)
    if market is None:
        market = sheet.need("yield", "rate").value
    value = bonds.price(bond, market)
    rate = sheet.rate(market / (bond.frequency or 1))
    working = f"{plain(bond.face)} / (1 + {rate})^{bond.periods}"
    if bond.coupon:
        working = f"{_described(sheet, bond)} * (1 - (1 + {rate})^-{bond.periods}) / {rate} + {working}"
    side = value - bond.face
    above = (
        "above par" if side > 0 else "below par" if side < 0 else "at par",
        "溢价" if side > 0 else "折价" if side < 0 else "平价",
    )
    sheet.note(*above)
    return sheet.result(
        ("bond price", "债券价格"), value, "money", ("C * (1 - (1 + i)^-n) / i + F / (1 + i)^n",) * 2, working
    )


def bond_yield(sheet: Sheet) -> Calculation:
    """Yield to maturity."""
    bond = _bond(sheet)
    paid = _paid(sheet, bond)
    value = bonds.yield_to_maturity(bond, paid)
    times = bond.frequency or 1
    rate = sheet.rate(value / times)
    working = f"{sheet.amount(paid)} = {plain(bond.face)} / (1 + i)^{bond.periods}"
    if bond.coupon:
        working = (
            f"{sheet.amount(paid)} = {_described(sheet, bond)} * (1 - (1 + "
            f"i)^-{bond.periods}) / i + {plain(bond.face)} / (1 + i)^{bond.periods}"
        )
        now = sheet.percent(bonds.current_yield(bond, paid))
        sheet.note(f"current yield {now}", f"当期收益率{now}")
    return sheet.result(
        ("yield to maturity", "到期收益率"),
        value,
        "%",
        ("P = C * (1 - (1 + i)^-n) / i + F / (1 + i)^n",) * 2,
        f"{working}; i = {rate}" + (f"; {times} * i" if times != 1 else ""),
    )


def current_yield(sheet: Sheet) -> Calculation:
    """Yearly coupon over price."""
    coupon = sheet.need("coupon", "rate").value
    face = sheet.take("face")
    size = (
        face.value if face else Decimal(1000) if sheet.shown.currency == "USD" and not sheet.zh else _HUNDRED
    )
    bond = bonds.Bond(size, coupon, 1, 1)
    paid = _paid(sheet, bond)
    value = bonds.current_yield(bond, paid)
    return sheet.result(
        ("current yield", "当期收益率"),
        value,
        "%",
        ("yearly coupon / price", "年票息 / 价格"),
        f"{plain(bond.coupon)} / {sheet.amount(paid)}",
    )


def duration(sheet: Sheet) -> Calculation:
    """Macaulay duration, or the modified one where it is asked for."""
    first = sheet.take("yield", "effective")
    bond = _bond(sheet)
    market = first.value if first else None
    if market is None:
        second = sheet.take("rate")
        market = second.value if second else bonds.yield_to_maturity(bond, _paid(sheet, bond))
    mac, mod = bonds.macaulay(bond, market), bonds.modified(bond, market)
    asked = re.search(r"modified|修正", sheet.inputs.text)
    other = mac if asked else mod
    text = plain(other, 2)
    sheet.note(
        f"{'Macaulay' if asked else 'modified'} duration {text} years",
        f"{'麦考利' if asked else '修正'}久期{text}年",
    )
    name = ("modified duration", "修正久期") if asked else ("Macaulay duration", "麦考利久期")
    formula = (
        ("Macaulay / (1 + y / m)",) * 2
        if asked
        else ("sum of t * PV(flow_t) / price", "Σ t * 现值(现金流_t) / 价格")
    )
    working = (
        f"{plain(mac, 4)} / (1 + {sheet.rate(market)} / {bond.frequency or 1})"
        if asked
        else f"Σ / {sheet.amount(bonds.price(bond, market))}"
    )
    return sheet.result(name, mod if asked else mac, "years", formula, working)


def accrued(sheet: Sheet) -> Calculation:
    """Interest since the last coupon, by the day count that the question names (30/360 otherwise)."""
    text = sheet.inputs.text
    face = sheet.need("face", "principal", "amount", "present").value
    rate = sheet.need("coupon", "rate").value
    count = day_count(text)
    days = list(_days(text))
    if len(days) >= 2:
        start, end = min(days), max(days)
        share = decimal(day_counts.year_share(start, end, count))
        working = (
            f"{sheet.amount(face)} * {sheet.rate(rate)} * "
            f"{day_counts.days(start, end, count)} {sheet.say('days', '天')} ({count.upper()})"
        )
    else:
        passed = sheet.need("elapsed", "term")
        base = Decimal(360) if "360" in count else Decimal(365)
        share = (
            PRECISE.divide(passed.value, base)
            if passed.unit == "day"
            else PRECISE.divide(passed.value, Decimal(12))
        )
        working = (
            f"{sheet.amount(face)} * {sheet.rate(rate)} * {plain(passed.value)} / "
            f"{base if passed.unit == 'day' else 12}"
        )
    sheet.note(f"day count {count.upper()}", f"计息基准 {count.upper()}")
    return sheet.result(
        ("accrued interest", "应计利息"),
        face * rate * share,
        "money",
        ("F * c * share of the year", "面值 * 票面利率 * 年占比"),
        working,
    )


def day_count(text: str) -> str:
    """The convention that a text names; "30/360" where it names none."""
    if re.search(r"30e/360|eurobond basis", text):
        return "30e/360"
    m = re.search(r"\b(?:act|actual)\s*/\s*(365|360|act|actual)\b|实际\s*/\s*(365|360|实际)", text)
    if m:
        base = m[1] or m[2]
        return f"act/{'act' if base in ('act', 'actual', '实际') else base}"
    return "30/360"


def _days(text: str) -> Iterator[date]:
    for q in extract(text):
        if q.period and q.period.year and q.period.month and q.period.day:
            yield date(q.period.year, q.period.month, q.period.day)
