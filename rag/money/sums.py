"""What the calculations of loans, savings, flows, bonds and insurance share: asking for inputs, rates per
period, and the finished `Calculation`."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from rag.money.annuities import growth
from rag.money.given import Given, Inputs, compounding, count_of_periods, frequency
from rag.money.roots import PRECISE
from rag.rounding import Rounding, plain
from rag.shown import Shown
from rag.types import Calculation, Figure

LABELS: dict[str, tuple[str, str]] = {
    "principal": ("amount borrowed", "贷款本金"),
    "present": ("amount put in", "初始金额"),
    "each": ("payment per period", "每期金额"),
    "monthly_amount": ("amount per month", "每月金额"),
    "yearly_amount": ("amount per year", "每年金额"),
    "amount": ("amount", "金额"),
    "number": ("amount", "金额"),
    "compounding": ("how often interest is compounded", "计息频率"),
    "target": ("target", "目标金额"),
    "future": ("amount received later", "未来金额"),
    "face": ("face value", "面值"),
    "price": ("price", "价格"),
    "coupon": ("coupon rate", "票面利率"),
    "yield": ("yield", "收益率"),
    "rate": ("interest rate", "利率"),
    "monthly": ("interest rate per month", "月利率"),
    "daily": ("interest rate per day", "日利率"),
    "effective": ("effective annual rate", "实际年利率"),
    "term": ("term", "期限"),
    "elapsed": ("time passed", "已过时间"),
    "count": ("number of payments", "期数"),
    "fee": ("fee per period", "每期手续费率"),
    "deductible": ("deductible", "免赔额"),
    "share": ("share paid by the insurer", "赔付比例"),
    "own": ("share borne by the insured", "自付比例"),
    "ceiling": ("limit", "赔付限额"),
    "loss": ("loss", "损失金额"),
    "insured": ("sum insured", "保险金额"),
    "worth": ("value of what is insured", "保险价值"),
    "other": ("paid by others", "其他已赔付"),
    "down": ("down payment", "首付"),
    "premium": ("premium", "保费"),
    "flows": ("cash flows", "各期现金流"),
}
ROUND = Rounding()
_TIMES = {
    0: ("continuously", "连续"), 1: ("yearly", "按年"), 2: ("half-yearly", "按半年"),
    4: ("quarterly", "按季"),
    12: ("monthly", "按月"), 26: ("every two weeks", "每两周"), 52: ("weekly", "按周"),
    365: ("daily", "按日"),
}  # fmt: skip


class Lack(Exception):
    """Inputs that a calculation needs and nobody gave; `roles` are keys of LABELS."""

    def __init__(self, *roles: str) -> None:
        super().__init__(", ".join(roles))
        self.roles = roles


class Sheet:
    """One calculation under way: takes inputs, remembers which were used, and makes the result."""

    def __init__(self, inputs: Inputs, rounding: Rounding = ROUND) -> None:
        self.inputs = inputs
        self.zh = inputs.language == "zh"
        self.shown = Shown(rounding, inputs.language, inputs.currency or ("CNY" if self.zh else ""))
        self.rounding = rounding
        self.used: list[tuple[Given, str]] = []
        self.notes: list[str] = []

    def say(self, english: str, chinese: str) -> str:
        return chinese if self.zh else english

    def note(self, english: str, chinese: str) -> None:
        text = self.say(english, chinese)
        if text not in self.notes:
            self.notes.append(text)

    def take(self, role: str, *others: str) -> Given | None:
        """An input by its role or, where none has it, by another role; it counts as used."""
        for name in (role, *others):
            for g in self.inputs.all(name):
                if all(g is not u for u, _ in self.used):
                    self.used.append((g, role))
                    return g
        return None

    def need(self, role: str, *others: str) -> Given:
        """The same for an input that has to be there. Raises Lack."""
        found = self.take(role, *others)
        if found is None:
            raise Lack(role)
        return found

    def money(self, value: Decimal) -> str:
        places = 2 if self.rounding.places is None else self.rounding.places
        return Shown(
            Rounding(places, self.rounding.unit, self.rounding.currency),
            self.inputs.language,
            self.shown.currency,
        ).text(value, "money")

    def percent(self, share: Decimal) -> str:
        return f"{plain(share * 100, 2 if self.rounding.places is None else self.rounding.places)}%"

    def amount(self, value: Decimal) -> str:
        """A money input inside a working: without currency, no more than two places."""
        return plain(value, None if value == value.to_integral_value() else 2)

    def rate(self, share: Decimal) -> str:
        """A rate inside a working: at most six places of its percent."""
        return f"{plain((share * 100).quantize(Decimal('1.000000')).normalize())}%"

    def result(
        self, name: tuple[str, str], value: Decimal, unit: str, formula: tuple[str, str], working: str
    ) -> Calculation:
        """The finished calculation; `unit` is "money", "%" (value a share of one), "years", "months", or
        another word printed behind the number."""
        label = self.say(*name)
        places = 2 if self.rounding.places is None else self.rounding.places
        if unit == "money":
            printed, value_out, unit_out = self.money(value), value, self.shown.currency
        elif unit == "%":
            printed, value_out, unit_out = self.percent(value), value * 100, "%"
        else:
            word = {"years": ("years", "年"), "months": ("months", "个月"), "periods": ("payments", "期")}
            said = self.say(*word.get(unit, (unit, unit)))
            number = plain(value, None if value == value.to_integral_value() else places)
            printed, value_out, unit_out = f"{number}{'' if self.zh else ' '}{said}", value, unit
        shown_inputs = tuple(
            dict.fromkeys(g.figure(self.say(*LABELS.get(role, (role, role)))) for g, role in self.used)
        )
        return Calculation(
            name=label,
            formula=self.say(*formula),
            inputs=shown_inputs,
            result=Figure(label=label, value=value_out, unit=unit_out, printed=printed),
            working=f"{working} = {printed}" if working else "",
            notes=tuple(self.notes),
        )

    # --- rates and terms

    def period_rate(self, times: int) -> Decimal:
        """The rate of one of `times` periods a year. A yearly rate is nominal and compounded with the
        payments unless the question says otherwise. Raises Lack."""
        if g := self.take("monthly"):
            return g.value if times == 12 else growth(g.value, Decimal(12) / times) - 1
        if g := self.take("daily"):
            self.note("a year of 365 days", "一年按365天计")
            return PRECISE.divide(g.value * 365, Decimal(times))
        if g := self.take("effective"):
            return growth(g.value, Decimal(1) / times) - 1
        yearly = self.need("rate", "yield").value
        said = compounding(self.inputs.text)
        if said is None or said == times:
            if times != 1:
                english, chinese = _TIMES.get(times, (f"{times} times a year", f"每年{times}次"))
                self.note(f"nominal yearly rate, compounded {english}", f"名义年利率，{chinese}计息")
            return PRECISE.divide(yearly, Decimal(times))
        if said == 0:
            return PRECISE.divide(yearly, Decimal(times)).exp() - 1
        return (
            growth(PRECISE.divide(yearly, Decimal(said)), PRECISE.divide(Decimal(said), Decimal(times))) - 1
        )

    def payments_a_year(self, *near: str, default: int = 12) -> int:
        """How often a year is paid."""
        return frequency(self.inputs.text, *near) or default

    def periods(self, times: int) -> int:
        """The term in periods. Raises Lack; a term of no whole number of periods is rounded to one, with a
        note."""
        g = self.take("term", "elapsed")
        if g is None and (counted := self.take("count")):
            return int(counted.value)
        if g is None:
            count = count_of_periods(self.inputs.text)
            if count is None:
                raise Lack("term")
            return count
        n = PRECISE.divide(self.months(g) * times, Decimal(12))
        whole = int(n.to_integral_value())
        if whole != n:
            self.note(f"{plain(n, 2)} periods, taken as {whole}", f"共{plain(n, 2)}期，按{whole}期计")
        return whole

    def months(self, g: Given) -> Decimal:
        """A duration in months; days over 365, with a note."""
        if g.unit == "month":
            return g.value
        self.note("a year of 365 days", "一年按365天计")
        return PRECISE.divide(g.value * 12, Decimal(365))

    def years(self, *roles: str) -> Decimal:
        """The term in years. Raises Lack."""
        g = self.need(*(roles or ("term", "elapsed")))
        return PRECISE.divide(self.months(g), Decimal(12))


def summed(figures: Sequence[str]) -> str:
    """ "1 + 2 + 3", shortened in the middle where it is long."""
    return " + ".join(figures) if len(figures) <= 6 else f"{' + '.join(figures[:3])} + ... + {figures[-1]}"


def times_word(times: int, zh: bool) -> str:
    """ "monthly" or 按月."""
    return _TIMES.get(times, (f"{times} times a year", f"每年{times}次"))[zh]
