"""Rows of cash flows: net present value, internal rate of return, dated flows, payback, policies."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from rag.money import annuities
from rag.money.annuities import decimal
from rag.money.given import nth_years
from rag.money.roots import PRECISE
from rag.money.sums import Lack, Sheet
from rag.quantities import extract
from rag.quantity import Kind, Quantity
from rag.rounding import plain
from rag.types import Calculation

_LIST_GAP = re.compile(r"\s*(?:[,，、;；和与]|and|,\s*and|;\s*and|then|以及)?\s*[$€£¥]?\s*")
_OUTLAY = re.compile(
    r"(?:initial|outlay|invest\w*|costs?|paid|pay|buy\w*|bought|outflow|spend|投资|投入|投|初始"
    r"|支出|成本|买入|购入)[^.;。；,，]{0,24}$"
)
_SIGN = re.compile(r"[-−–]\s*[$€£¥]?\s*$")
_POLICY = re.compile(r"premium|policy|insur|annuity|保费|保险|保单|年金|缴|交|领取?|给付")


def _moneys(text: str) -> list[Quantity]:
    return [
        q
        for q in extract(text)
        if q.kind in (Kind.MONEY, Kind.NUMBER)
        and not re.match(r"\s*(?:年|years?|%|期)", text[q.end : q.end + 6])
    ]


def _signed(text: str, q: Quantity) -> Decimal:
    value = decimal(q.value)
    minus = _SIGN.search(text[max(0, q.start - 4) : q.start])
    return -value if minus and value > 0 else value


def flow_list(text: str) -> list[Decimal]:
    """The longest row of amounts of a text ("-1000, 300 and 400"), with an outlay named before it."""
    best: list[Quantity] = []
    run: list[Quantity] = []
    for q in _moneys(text):
        if run and not _LIST_GAP.fullmatch(text[run[-1].end : q.start].rstrip("-−–")):
            run = []
        run = [*run, q]
        best = run if len(run) > len(best) else best
    if len(best) < 2:
        return []
    flows = [_signed(text, q) for q in best]
    if all(f > 0 for f in flows):
        for q in _moneys(text):
            if q not in best and _OUTLAY.search(text[max(0, q.start - 40) : q.start]):
                return [-abs(decimal(q.value)), *flows]
        if _OUTLAY.search(text[max(0, best[0].start - 40) : best[0].start]) and len(flows) > 2:
            flows[0] = -flows[0]
    return flows


def _level(sheet: Sheet) -> list[Decimal]:
    """An outlay, then the same amount a year so many times."""
    each = sheet.take("yearly_amount", "each", "monthly_amount")
    outlay = sheet.take("present", "price", "principal", "amount")
    if each is None or outlay is None:
        raise Lack("flows")
    n = sheet.periods(12 if each.role == "monthly_amount" else 1)
    return [-outlay.value] + [each.value] * n


def _flows(sheet: Sheet) -> list[Decimal]:
    flows = flow_list(sheet.inputs.text)
    return flows if flows and any(f < 0 for f in flows) else _level(sheet)


def _row(flows: Sequence[Decimal]) -> str:
    shown = [plain(f) for f in flows]
    return ", ".join(shown if len(shown) <= 12 else [*shown[:5], "...", shown[-1]])


def net_present_value(sheet: Sheet) -> Calculation:
    """NPV of the flows at a rate."""
    rate = sheet.need("yield", "rate", "effective").value
    flows = _flows(sheet)
    value = annuities.npv(rate, flows)
    r = sheet.rate(rate)
    steps = [f"{plain(f)} / (1 + {r})^{t}" if t else plain(f) for t, f in enumerate(flows)]
    shown = steps if len(steps) <= 8 else [*steps[:4], "...", steps[-1]]
    sheet.note(f"flows one year apart: {_row(flows)}", f"各年现金流：{_row(flows)}")
    return sheet.result(
        ("net present value", "净现值"),
        value,
        "money",
        ("sum of flow_t / (1 + r)^t", "Σ 现金流_t / (1 + r)^t"),
        " + ".join(shown),
    )


def internal_rate(sheet: Sheet) -> Calculation:
    """IRR of the flows; dated flows by their days, policies by their years."""
    dated = dated_flows(sheet.inputs.text)
    if len(dated) >= 2:
        return _dated_rate(sheet, dated)
    listed = flow_list(sheet.inputs.text)
    flows = listed if listed and any(f < 0 for f in listed) else policy_flows(sheet) or _level(sheet)
    value = annuities.irr(flows)
    sheet.note(f"flows one period apart: {_row(flows)}", f"各期现金流：{_row(flows)}")
    return sheet.result(
        ("internal rate of return", "内部收益率"), value, "%",
        ("rate at which the flows' present values sum to nought", "使各期现金流现值之和为零的利率"),
        "0 = Σ flow_t / (1 + r)^t; r",
    )  # fmt: skip


def _dated_rate(sheet: Sheet, dated: Sequence[tuple[date, Decimal]]) -> Calculation:
    value = annuities.xirr(dated)
    row = ", ".join(f"{day.isoformat()}: {plain(f)}" for day, f in dated)
    sheet.note(f"dated flows, days over 365: {row}", f"按日期计（天数/365）：{row}")
    return sheet.result(
        ("annual rate of return (XIRR)", "年化内部收益率（XIRR）"), value, "%",
        ("rate at which the flows' present values sum to nought", "使各笔现金流现值之和为零的年利率"),
        "0 = Σ flow / (1 + r)^(days / 365); r",
    )  # fmt: skip


def dated_flows(text: str) -> list[tuple[date, Decimal]]:
    """Amounts with the days they are paid on, each amount with the nearest day that is free."""
    found = extract(text)
    days = [(q.start, date(q.period.year, q.period.month, q.period.day)) for q in found
            if q.period and q.period.year and q.period.month and q.period.day]  # fmt: skip
    amounts = _moneys(text)
    pairs: list[tuple[date, Decimal]] = []
    if len(days) < 2 or len(amounts) != len(days):
        return []
    for (_, day), q in zip(days, amounts, strict=True):
        value = _signed(text, q)
        if value > 0 and _OUTLAY.search(text[max(0, q.start - 30) : q.start]):
            value = -value
        pairs.append((day, value))
    return pairs if any(f < 0 for _, f in pairs) else []


def policy_flows(sheet: Sheet) -> list[Decimal]:
    """A policy's flows by year: premiums at the beginning of so many years, then what is received at a year's
    end; the nothing between them too. Empty where it is no policy."""
    text = sheet.inputs.text
    if not _POLICY.search(text):
        return []
    premium = sheet.take("premium") or sheet.take("yearly_amount", "each")
    received = sheet.take("future")
    years = sorted(set(nth_years(text)))
    term = sheet.take("term", "elapsed")
    if premium is None or received is None:
        return []
    single = re.search(r"single premium|一次性|趸交|lump sum", text)
    n = 1 if single or term is None else int(sheet.months(term) / 12)
    ends = [y for y in years if y >= n]
    if not ends:
        ends = [
            int(PRECISE.divide(sheet.months(g), Decimal(12)))
            for g in sheet.inputs.given
            if g.sort == "time" and g is not term
        ][:1]
    if single and term is not None and not ends:
        ends = [int(sheet.months(term) / 12)]
    last = ends[0] if ends else n
    if last < 1:
        return []
    sheet.note(
        f"premiums at the beginning of years 1 to {n}, payment at the end of year {last}",
        f"保费于第1至{n}年年初缴纳，第{last}年末领取",
    )
    flows = [Decimal(0)] * (last + 1)
    for year in range(n):
        flows[year] -= premium.value
    flows[last] += received.value
    return flows


def payback(sheet: Sheet) -> Calculation:
    """After how many years the flows have paid back the outlay, undiscounted."""
    flows = _flows(sheet)
    total = Decimal(0)
    for year, flow in enumerate(flows):
        if total < 0 <= total + flow and flow:
            value = year - 1 + PRECISE.divide(-total, flow)
            sheet.note(f"flows: {_row(flows)}", f"各期现金流：{_row(flows)}")
            return sheet.result(
                ("payback period", "投资回收期"), value, "years",
                ("years before recovery + what is missing / flow of the "
                 "year", "收回前年数 + 未收回额 / 当年现金流"),
                f"{year - 1} + {plain(-total)} / {plain(flow)}",
            )  # fmt: skip
        total += flow
    raise Lack("flows")
