"""Savings, discounting and rates: what grows to what, how long it takes, what it is worth today."""

from __future__ import annotations

import re
from decimal import Decimal

from rag.money import annuities
from rag.money.given import Given, compounding, due
from rag.money.roots import PRECISE, NoRoot
from rag.money.sums import Lack, Sheet, times_word
from rag.types import Calculation

_DOUBLE = re.compile(r"\bdoubl\w*|翻一?倍|翻番|两倍|2倍")
_TRIPLE = re.compile(r"\btripl\w*|三倍|3倍")
_ANNUITY = "A * (1 - (1 + i)^-n) / i"
_ANNUITY_DUE = "A * (1 - (1 + i)^-n) / i * (1 + i)"
_SIMPLE = re.compile(r"simple interest|单利")


def effective_rate(sheet: Sheet) -> Calculation:
    """Effective annual rate of a nominal one."""
    text = sheet.inputs.text
    if monthly := sheet.take("monthly"):
        times, nominal = 12, monthly.value * 12
    elif daily := sheet.take("daily"):
        times, nominal = 365, daily.value * 365
    else:
        nominal = sheet.need("rate", "effective", "yield").value
        said = compounding(text)
        if said is None:
            raise Lack("compounding")
        times = said
    value = annuities.effective(nominal, times)
    sheet.note(f"nominal annual rate {sheet.percent(nominal)}", f"名义年利率（单利）{sheet.percent(nominal)}")
    r = sheet.rate(nominal)
    if not times:
        return sheet.result(
            ("effective annual rate", "实际年利率"), value, "%", ("e^r - 1",) * 2, f"e^{r} - 1"
        )
    return sheet.result(
        ("effective annual rate", "实际年利率"), value, "%", ("(1 + r / m)^m - 1",) * 2,
        f"(1 + {r} / {times})^{times} - 1",
    )  # fmt: skip


def nominal_rate(sheet: Sheet) -> Calculation:
    """Nominal rate of an effective one."""
    real = sheet.need("effective", "rate", "yield").value
    times = compounding(sheet.inputs.text)
    times = 12 if times is None else times
    value = annuities.nominal(real, times)
    word = times_word(times, sheet.zh)
    sheet.note(f"compounded {word}", f"{word}计息")
    return sheet.result(
        ("nominal annual rate", "名义年利率"), value, "%", ("m * ((1 + e)^(1/m) - 1)",) * 2,
        f"{times} * ((1 + {sheet.rate(real)})^(1/{times}) - 1)",
    )  # fmt: skip


def _regular(sheet: Sheet) -> tuple[Given | None, int]:
    """What is paid in regularly, and how often a year."""
    if g := sheet.take("monthly_amount"):
        g_role, times = g, 12
    elif g := sheet.take("yearly_amount"):
        g_role, times = g, 1
    elif g := sheet.take("each", "premium"):
        g_role, times = g, sheet.payments_a_year(default=1)
    else:
        return None, compounding(sheet.inputs.text) or 1
    return g_role, times


def _continuous(sheet: Sheet) -> bool:
    return compounding(sheet.inputs.text) == 0


def simple_interest(sheet: Sheet) -> Calculation:
    """Interest of a sum for a time, not compounded."""
    p = sheet.need("present", "principal", "amount", "price", "number").value
    term = sheet.need("term", "elapsed")
    if g := sheet.take("monthly"):
        rate, time = g.value, sheet.months(term)
        unit = sheet.say("months", "个月")
    elif g := sheet.take("daily"):
        rate, time = g.value, term.value if term.unit == "day" else term.value * 365 / 12
        unit = sheet.say("days", "天")
    else:
        basis = 360 if re.search(r"(?:act|actual)?/?360|360天", sheet.inputs.text) else 365
        rate = sheet.need("rate", "effective", "yield").value
        if term.unit == "day":
            time = PRECISE.divide(term.value, Decimal(basis))
            sheet.note(f"a year of {basis} days", f"一年按{basis}天计")
        else:
            time = PRECISE.divide(term.value, Decimal(12))
        unit = sheet.say("years", "年")
    value = p * rate * time
    total = sheet.money(p + value)
    sheet.note(f"together with the principal {total}; simple interest", f"本息合计{total}；按单利计")
    shown = time.quantize(Decimal("0.0001")).normalize()
    return sheet.result(
        ("interest", "利息"), value, "money", ("P * r * t", "本金 * 利率 * 时间"),
        f"{sheet.amount(p)} * {sheet.rate(rate)} * {shown:f} {unit}",
    )  # fmt: skip


def future_value(sheet: Sheet) -> Calculation:
    """What savings grow to."""
    text = sheet.inputs.text
    each, times = _regular(sheet)
    start = sheet.take("present", "principal", "number" if each is None else "", "amount")
    if each is None and start is None:
        raise Lack("present")
    if _SIMPLE.search(text) and start is not None and each is None:
        return _simple_future(sheet, start)
    if _continuous(sheet) and each is None and start is not None:
        rate, years = sheet.need("rate", "effective", "yield").value, sheet.years()
        value = start.value * PRECISE.multiply(rate, years).exp()
        return sheet.result(
            ("future value", "终值"),
            value,
            "money",
            ("P * e^(r * t)",) * 2,
            f"{sheet.amount(start.value)} * e^({sheet.rate(rate)} * {years.normalize():f})",
        )
    i = sheet.period_rate(times)
    n = PRECISE.divide(sheet.months(sheet.need("term", "elapsed")) * times, Decimal(12))
    early = due(text)
    value, steps = Decimal(0), list[str]()
    power = f"(1 + {sheet.rate(i)})^{n.normalize():f}"
    if start is not None:
        value += start.value * annuities.growth(i, n)
        steps.append(f"{sheet.amount(start.value)} * {power}")
    put_in = start.value if start is not None else Decimal(0)
    if each is not None:
        value += each.value * annuities.accumulated(i, n, due=early)
        put_in += each.value * n
        tail = f" * (1 + {sheet.rate(i)})" if early else ""
        steps.append(f"{sheet.amount(each.value)} * ({power} - 1) / {sheet.rate(i)}{tail}")
        if not early:
            sheet.note("paid in at the end of each period", "每期期末存入")
    grown = sheet.money(value - put_in)
    sheet.note(f"of it interest {grown}", f"其中收益{grown}")
    formula = "P * (1 + i)^n" if each is None else "A * ((1 + i)^n - 1) / i" + (" * (1 + i)" if early else "")
    if start is not None and each is not None:
        formula = f"P * (1 + i)^n + {formula}"
    return sheet.result(("future value", "终值"), value, "money", (formula, formula), " + ".join(steps))


def compound_interest(sheet: Sheet) -> Calculation:
    """What a sum grows by where interest bears interest."""
    p = sheet.need("present", "principal", "amount", "price", "number").value
    times = compounding(sheet.inputs.text) or 1
    i = sheet.period_rate(times)
    n = PRECISE.divide(sheet.months(sheet.need("term", "elapsed")) * times, Decimal(12))
    value = p * (annuities.growth(i, n) - 1)
    total = sheet.money(p + value)
    sheet.note(f"together with the principal {total}", f"本息合计{total}")
    return sheet.result(
        ("compound interest", "复利利息"), value, "money", ("P * ((1 + i)^n - 1)",) * 2,
        f"{sheet.amount(p)} * ((1 + {sheet.rate(i)})^{n.normalize():f} - 1)",
    )  # fmt: skip


def _simple_future(sheet: Sheet, start: Given) -> Calculation:
    rate = sheet.need("rate", "effective", "yield").value
    years = sheet.years()
    value = start.value * (1 + rate * years)
    return sheet.result(
        ("principal and interest", "本息合计"), value, "money", ("P * (1 + r * t)",) * 2,
        f"{sheet.amount(start.value)} * (1 + {sheet.rate(rate)} * {years.normalize():f})",
    )  # fmt: skip


def time_to_target(sheet: Sheet) -> Calculation:
    """How long savings take to reach a target."""
    text = sheet.inputs.text
    each, times = _regular(sheet)
    factor = Decimal(2) if _DOUBLE.search(text) else Decimal(3) if _TRIPLE.search(text) else None
    start = sheet.take("present", "principal", "amount", "number")
    if factor is not None:
        base = start.value if start is not None else Decimal(1)
        target = base * factor
    else:
        if start is None and each is None and len(sheet.inputs.all("target")) > 1:
            start = sheet.take("target")  # "10万元变成20万元": the first is what it begins with
        target = sheet.need("target", "future").value
        base = start.value if start is not None else Decimal(0)
        if start is None and each is None:
            raise Lack("present")
    i = sheet.period_rate(times)
    try:
        n = annuities.periods_to(target, base, i, each.value if each else Decimal(0))
    except NoRoot:
        raise Lack("rate") from None
    years = PRECISE.divide(n, Decimal(times))
    r = sheet.rate(i)
    if each is None:
        formula, working = (
            "ln(F / P) / ln(1 + i)",
            f"ln({sheet.amount(target)} / {sheet.amount(base)}) / ln(1 + {r})",
        )
    else:
        a = sheet.amount(each.value)
        formula = "ln((F * i + A) / (P * i + A)) / ln(1 + i)"
        working = (
            f"ln(({sheet.amount(target)} * {r} + {a}) / ({sheet.amount(base)} * {r} + {a})) / ln(1 + {r})"
        )
    if times != 1:
        formula, working = f"{formula} / m", f"{working} / {times}"
    return sheet.result(("time needed", "所需时间"), years, "years", (formula, formula), working)


def saving_needed(sheet: Sheet) -> Calculation:
    """What has to be paid in each period to reach a target."""
    times = sheet.payments_a_year(
        r"save", r"deposit", r"set aside", r"put", r"pay", r"contribut", r"存", r"定投", r"投", default=12
    )
    target = sheet.need("target", "future", "amount").value
    start = sheet.take("present")
    i = sheet.period_rate(times)
    n = sheet.periods(times)
    early = due(sheet.inputs.text)
    base = start.value * annuities.growth(i, n) if start else Decimal(0)
    value = PRECISE.divide(target - base, annuities.accumulated(i, n, due=early))
    r = sheet.rate(i)
    missing = f"({sheet.amount(target)} - {sheet.amount(base)})" if start else sheet.amount(target)
    working = f"{missing} * {r} / ((1 + {r})^{n} - 1)" + (f" / (1 + {r})" if early else "")
    return sheet.result(
        ("payment into savings per period", "每期应存金额"),
        value,
        "money",
        ("F * i / ((1 + i)^n - 1)",) * 2,
        working,
    )


def present_value(sheet: Sheet) -> Calculation:
    """What a future amount, or a row of level ones, is worth today."""
    each, times = _regular(sheet)
    if each is None:
        amount = sheet.need("future", "target", "amount", "present", "number").value
        i = sheet.period_rate(times)
        n = PRECISE.divide(sheet.months(sheet.need("term", "elapsed")) * times, Decimal(12))
        value = PRECISE.divide(amount, annuities.growth(i, n))
        return sheet.result(
            ("present value", "现值"),
            value,
            "money",
            ("F / (1 + i)^n",) * 2,
            f"{sheet.amount(amount)} / (1 + {sheet.rate(i)})^{n.normalize():f}",
        )
    i = sheet.period_rate(times)
    early = due(sheet.inputs.text)
    r = sheet.rate(i)
    if re.search(r"perpetu\w+|forever|永续", sheet.inputs.text):
        return sheet.result(
            ("present value", "现值"),
            PRECISE.divide(each.value, i),
            "money",
            ("A / i",) * 2,
            f"{sheet.amount(each.value)} / {r}",
        )
    count = sheet.periods(times)
    value = each.value * annuities.annuity_factor(i, count, due=early)
    tail = f" * (1 + {r})" if early else ""
    return sheet.result(
        ("present value", "现值"), value, "money", (_ANNUITY_DUE if early else _ANNUITY,) * 2,
        f"{sheet.amount(each.value)} * (1 - (1 + {r})^-{count}) / {r}{tail}",
    )  # fmt: skip


def growth_rate(sheet: Sheet) -> Calculation:
    """The yearly rate at which one amount becomes another."""
    start = sheet.need("present", "principal", "price", "amount").value
    end = sheet.need("future", "target", "amount", "price").value
    years = sheet.years()
    value = annuities.growth(PRECISE.divide(end, start) - 1, PRECISE.divide(Decimal(1), years)) - 1
    return sheet.result(
        ("annual rate of return", "年化收益率"), value, "%", ("(F / P)^(1/n) - 1",) * 2,
        f"({sheet.amount(end)} / {sheet.amount(start)})^(1/{years.normalize():f}) - 1",
    )  # fmt: skip
