"""How the terms of the sums of data/calculations.toml are read, and the sums that no formula says: rows of cash
flows and insurance. A reader raises Lack where the question does not give its term."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal

from rag.money import formulas as f
from rag.money.formulas import ZERO
from rag.money.given import (
    Given,
    compounding,
    count_of_periods,
    cue,
    dated_flows,
    days_of,
    flow_list,
    frequency,
    often,
)
from rag.money.sheet import Lack, Sheet
from rag.rounding import plain

_PERIODS = {"monthly": 12, "quarterly": 4}


# --- How often, how long, at what rate


def _per_year(near: str) -> Callable[[Sheet], Decimal]:
    return lambda s: Decimal(frequency(s.inputs.text, near) or 12)


def _nominal_periods(s: Sheet) -> Decimal:
    """How often a nominal rate is compounded, 0 for continuously."""
    said = compounding(s.inputs.text)
    times = 12 if said is None else said
    s.note("compounded", often=often(times, s.zh))
    return Decimal(times)


def _months(s: Sheet, g: Given) -> Decimal:
    """A duration in months; days over 365, with a note."""
    if g.unit == "month":
        return g.value
    s.note("days", base="365")
    return g.value * 12 / 365


def _years(s: Sheet) -> Decimal:
    return _months(s, s.need("term", "elapsed")) / 12


def _parts(s: Sheet) -> Decimal:
    """The term in periods, whole or not."""
    return _years(s) * s.terms["m"]


def _periods(s: Sheet) -> Decimal:
    """The term in whole periods, rounded with a note."""
    g = s.take("term", "elapsed")
    if g is None:
        counted = s.take("count")
        count = counted.value if counted else count_of_periods(s.inputs.text)
        if count is None:
            raise Lack("term")
        return Decimal(int(count))
    n = _months(s, g) * s.terms["m"] / 12
    whole = n.to_integral_value()
    if whole != n:
        s.note("whole", n=n, whole=whole)
    return whole


def _yearly_rate(s: Sheet) -> Decimal:
    """A nominal rate of a year; one of a month or quarter so many times."""
    g = s.take("monthly") or s.take("quarterly")
    return g.value * _PERIODS[g.role] if g else s.need("rate", "effective", "yield").value


def _period_rate(s: Sheet) -> Decimal:
    """The rate of one of `m` periods a year. A yearly rate is nominal and compounded with the payments unless
    the question says otherwise."""
    m: Decimal = s.terms["m"]
    if g := s.take("monthly") or s.take("quarterly"):
        base = _PERIODS[g.role]
        return g.value if m == base else (1 + g.value) ** (base / m) - 1
    if g := s.take("daily"):
        s.note("days", base="365")
        return g.value * 365 / m
    if g := s.take("effective"):
        return (1 + g.value) ** (1 / m) - 1
    yearly = s.need("rate", "yield").value
    said = compounding(s.inputs.text)
    if said is not None and said != m:
        return (1 + f.effective(yearly, Decimal(said))) ** (1 / m) - 1
    if m != 1:
        s.note("nominal", often=often(int(m), s.zh))
    return yearly / m


def _nominal(s: Sheet) -> Decimal:
    """The nominal rate whose effective one is asked for; it says how often it is compounded, too."""
    if g := s.take("monthly") or s.take("quarterly") or s.take("daily"):
        s.terms["m"] = Decimal(_PERIODS.get(g.role, 365))
        return g.value * s.terms["m"]
    nominal = s.need("rate", "effective", "yield").value
    said = compounding(s.inputs.text)
    if said is None:
        raise Lack("compounding")
    s.terms["m"] = Decimal(said)
    return nominal


def _simple(s: Sheet) -> Decimal:
    """The rate of simple interest; the time is counted in its periods."""
    term = s.need("term", "elapsed")
    unit = "years"
    if g := s.take("monthly"):
        time, unit = _months(s, term), "months"
    elif g := s.take("daily"):
        time, unit = term.value if term.unit == "day" else term.value * 365 / 12, "days"
    elif term.unit == "day":
        base = 360 if s.inputs.says("days_360") else 365
        s.note("days", base=str(base))
        time = term.value / base
    else:
        time = term.value / 12
    s.terms |= {"t": time, "unit": s.word("unit", unit)}
    return g.value if g else _yearly_rate(s)


# --- Amounts


def _borrowed(s: Sheet) -> Decimal:
    """What is borrowed: said as such, or a price less what is paid down."""
    down = s.take("down")
    roles = ("principal", "price", "amount", "worth", "present", "number")
    borrowed = s.need(*(("price", *roles) if down else roles)).value
    if down is None:
        return borrowed
    s.note("down")
    return borrowed - (borrowed * down.value if down.sort == "share" else down.value)


def _paid(s: Sheet) -> Decimal:
    """How many payments have been made."""
    g = s.take("elapsed")
    count = int(_months(s, g) * s.terms["m"] / 12) if g else count_of_periods(s.inputs.text, "paid")
    if count is None:
        raise Lack("elapsed")
    return Decimal(count)


def _left(s: Sheet) -> Decimal:
    """How many payments are still to be made."""
    if s.terms["k"] > s.terms["n"]:
        raise Lack("elapsed")
    return s.terms["n"] - s.terms["k"]


def _regular(s: Sheet) -> Decimal:
    """What is paid regularly, 0 for nothing; it says how often a year."""
    g = s.take("monthly_amount") or s.take("yearly_amount") or s.take("each", "premium")
    said = frequency(s.inputs.text) if g else compounding(s.inputs.text)
    s.terms["m"] = Decimal({"monthly_amount": 12, "yearly_amount": 1}.get(g.role if g else "", said or 1))
    s.terms["per"] = s.terms["m"] - 1
    return g.value if g else ZERO


def _repayment(s: Sheet) -> Decimal:
    """What a loan is paid back by each period; it says how often, too."""
    g = s.take("monthly_amount") or s.take("yearly_amount") or s.need("each")
    s.terms["m"] = Decimal({"monthly_amount": 12, "yearly_amount": 1}.get(g.role, 0)) or s.terms["m"]
    return g.value


def _start(s: Sheet) -> Decimal:
    """What savings begin with, 0 for nothing where something is paid in regularly."""
    regular = s.terms["A"] > 0
    roles = ("present", "principal", "amount") if regular else ("present", "principal", "number", "amount")
    return s.amount(*roles) if regular else s.need(*roles).value


def _goal(s: Sheet) -> Decimal:
    """What savings are to become; it says what they begin with, too."""
    start = s.take("present", "principal", "amount", "number")
    for name, factor in (("double", 2), ("triple", 3)):
        if s.inputs.says(name):
            s.terms["P"] = start.value if start else Decimal(1)
            return s.terms["P"] * factor
    if not start and not s.terms["A"] and sum(g.role == "target" for g in s.inputs.given) > 1:
        start = s.take("target")  # "10万元变成20万元": the first is what it begins with
    target = s.need("target", "future").value
    if not start and not s.terms["A"]:
        raise Lack("present")
    s.terms["P"] = start.value if start else ZERO
    return target


def _fee(s: Sheet) -> Decimal:
    """A fee on the full amount each period; sets the number of periods."""
    fee = s.need("fee", "rate", "monthly").value
    term = next((g for g in s.inputs.given if g.role == "term"), None)
    n = count_of_periods(s.inputs.text) or (int(_months(s, term)) if term else 0)
    if n < 1:
        raise Lack("term")
    s.terms["n"] = Decimal(n)
    return fee / n if s.inputs.says("whole_fee") else fee


# --- Bonds


def _face(s: Sheet) -> Decimal:
    """The face value: 100 where none is said, 1,000 of a dollar bond."""
    if g := s.take("face", "principal"):
        return g.value
    size = Decimal(1000 if s.shown.currency == "USD" and not s.zh else 100)
    s.note("face", size=size)
    return size


def _coupon(s: Sheet) -> Decimal:
    """What the bond pays each period; sets how often a year."""
    zero = s.inputs.says("zero_coupon")
    rate = ZERO if zero else s.need("coupon", "rate").value
    s.terms["m"] = Decimal((not zero and frequency(s.inputs.text, "coupons")) or 1)
    if not zero and s.terms["m"] == 1:
        s.note("yearly_coupons")
    return s.terms["F"] * rate / s.terms["m"]


def _coupons(s: Sheet) -> Decimal:
    n = _parts(s)
    if n != n.to_integral_value() or n < 1:
        raise Lack("term")
    return n


def _market(s: Sheet) -> Decimal:
    """The market's yield, taken before the coupon so that "rate" is left to it; -1 where none is said."""
    g = s.take("yield", "effective")
    return g.value if g else Decimal(-1)


def _yield(s: Sheet) -> Decimal:
    """The yield of a coupon period: the market's, a second rate, or what the price says."""
    t = s.terms
    if t["y"] < 0 and (g := s.take("yield", "rate")):
        t["y"] = g.value
    if t["y"] < 0:
        if not s.inputs.says("duration"):
            raise Lack("yield")
        t["y"] = t["m"] * f.rate(t["n"], t["C"], _price(s), t["F"])
    return t["y"] / t["m"]


def _price(s: Sheet) -> Decimal:
    """The price; one quoted as a percentage of face becomes an amount."""
    face: Decimal = s.terms["F"]
    if g := s.take("price", "amount", "present"):
        return g.value
    if m := cue("quoted").search(s.inputs.text):
        s.note("quoted", price=m[1])
        return Decimal(m[1]) * face / 100
    if s.inputs.says("at_par"):
        return face
    raise Lack("price")


def _share_of_year(s: Sheet) -> Decimal:
    """The share of a year since the last coupon, by the day count that is named (30/360 otherwise)."""
    m = cue("actual").search(s.inputs.text)
    base = next((g for g in m.groups() if g), "") if m else ""
    count = f"act/{base if base.isdigit() else 'act'}" if m else "30/360"
    count = "30e/360" if s.inputs.says("eurobond") else count
    days = sorted(days_of(s.inputs.text))
    s.note("day_count", count=count.upper())
    if len(days) >= 2:
        start, end = days[0], days[-1]
        s.terms["passed"] = f"{f.days(start, end, count)} {s.word('unit', 'days')} ({count.upper()})"
        return f.decimal(f.year_share(start, end, count))
    g = s.need("elapsed", "term")
    year = 12 if g.unit != "day" else 360 if "360" in count else 365
    s.terms["passed"] = f"{plain(g.value)} / {year}"
    return g.value / year


# --- Rows of cash flows


def _level(s: Sheet) -> list[Decimal]:
    """An outlay, then the same amount so many times."""
    each = s.take("yearly_amount", "each", "monthly_amount")
    outlay = s.take("present", "price", "principal", "amount")
    if each is None or outlay is None:
        raise Lack("flows")
    s.terms["m"] = Decimal(12 if each.role == "monthly_amount" else 1)
    return [-outlay.value] + [each.value] * int(_periods(s))


def _row(flows: Sequence[Decimal]) -> str:
    shown = [plain(x) for x in flows]
    return ", ".join(shown if len(shown) <= 12 else [*shown[:5], "...", shown[-1]])


def _net_present_value(s: Sheet) -> None:
    """NPV of the flows at a rate of their periods."""
    monthly = s.take("monthly")
    rate = (monthly or s.need("yield", "rate", "effective")).value
    flows = flow_list(s.inputs.text) or _level(s)
    r = s.printed("r", rate)
    steps = [f"{plain(x)} / (1 + {r})^{t}" if t else plain(x) for t, x in enumerate(flows)]
    s.note("monthly_flows" if monthly else "yearly_flows", flows=_row(flows))
    working = " + ".join(steps if len(steps) <= 8 else [*steps[:4], "...", steps[-1]])
    s.terms |= {"total": f.npv(rate, flows), "steps": working}


def _internal_rate(s: Sheet) -> None:
    """IRR of the flows; dated flows by their days over 365, policies by their years."""
    dated = dated_flows(s.inputs.text)
    s.terms["dated"] = len(dated)
    if dated:
        first = min(day for day, _ in dated)
        s.note("dated", flows=", ".join(f"{day.isoformat()}: {plain(x)}" for day, x in dated))
        years = [Decimal((day - first).days) / 365 for day, _ in dated]
        s.terms["found"] = f.irr([x for _, x in dated], years)
        return
    flows = flow_list(s.inputs.text) or _policy(s) or _level(s)
    s.note("flows_apart", flows=_row(flows))
    s.terms["found"] = f.irr(flows)


def _policy(s: Sheet) -> list[Decimal]:
    """A policy's flows by year: premiums at the beginning of so many years, then what is received at a year's
    end; the nothing between them too. Empty where it is no policy."""
    if not s.inputs.says("policy"):
        return []
    premium, received = s.take("premium") or s.take("yearly_amount", "each"), s.take("future")
    term = s.take("term", "elapsed")
    if premium is None or received is None:
        return []
    single = s.inputs.says("single_premium")
    n = 1 if single or term is None else int(_months(s, term) / 12)
    named = sorted(int(next(g for g in m.groups() if g)) for m in cue("nth_year").finditer(s.inputs.text))
    other = [g for g in s.inputs.given if g.sort == "time" and g is not term] + (
        [term] if single and term else []
    )
    last = next((y for y in named if y >= n), int(_months(s, other[0]) / 12) if other else n)
    if last < 1:
        return []
    s.note("policy", n=str(n), last=str(last))
    flows = [-premium.value if year < n else ZERO for year in range(last + 1)]
    flows[last] += received.value
    return flows


def _payback(s: Sheet) -> None:
    """After how many years the flows have paid back the outlay, undiscounted."""
    flows = flow_list(s.inputs.text) or _level(s)
    total = ZERO
    for year, flow in enumerate(flows):
        if total < 0 <= total + flow:
            s.note("flows", flows=_row(flows))
            s.terms |= {"years": Decimal(year - 1), "missing": -total, "flow": flow}
            return
        total += flow
    raise Lack("flows")


# --- Insurance


def _payout(s: Sheet) -> None:
    """What an insurer pays of a loss, or what is left to the insured: after what others paid and the deductible,
    a share, at most the limit; in proportion where less than the value is insured."""
    t = s.terms
    t["loss"] = s.need("loss", "amount", "principal", "price").value
    t["deductible"], t["r"] = s.amount("deductible"), _insurers_share(s)
    t["limit"], t["insured"], t["worth"] = s.amount("ceiling"), s.amount("insured"), s.amount("worth")
    t["other"] = s.amount("other")
    working = "loss - other" if t["other"] else "loss"
    left = f.ZERO.max(t["loss"] - t["other"])
    covered = left
    if 0 < t["insured"] < t["worth"]:
        covered = left * t["insured"] / t["worth"]
        working = f"({working}) * insured / worth" if t["other"] else f"{working} * insured / worth"
        s.note("under_insured")
    if t["deductible"]:
        working += " - deductible"
        working = f"max({working}, 0)" if covered < t["deductible"] else working
    if t["r"] != 1:
        working = f"({working}) * r" if " " in working else f"{working} * r"
    working = f"min({working}, limit)" if t["limit"] else working
    limits = [x for x in (t["limit"], t["insured"]) if x]
    t["paid"] = min(max(ZERO, covered - t["deductible"]) * t["r"], left, *limits)
    if t["paid"] in limits:
        s.note("limit")
    if t["paid"] == 0 and t["deductible"]:
        s.note("below_deductible")
    t["own"], t["steps"] = t["loss"] - t["paid"] - t["other"], s.work(working)


def _insurers_share(s: Sheet) -> Decimal:
    """The insurer's share; "20% coinsurance" is the insured's by the usage of health plans, "80%" is not."""
    if own := s.take("own"):
        return 1 - own.value
    g = s.take("share", "rate")
    if g and s.inputs.says("coinsurance") and g.value < Decimal("0.5"):
        s.used = [(u, "own" if u is g else role) for u, role in s.used]
        s.note("coinsurance", share=g.value)
        return 1 - g.value
    return g.value if g else Decimal(1)


READERS: dict[str, Callable[[Sheet], Decimal]] = {
    "loan payments": _per_year("payments"), "saving payments": _per_year("saving"),
    "compounded": lambda s: Decimal(compounding(s.inputs.text) or 1), "nominal periods": _nominal_periods,
    "period rate": _period_rate, "yearly rate": _yearly_rate, "nominal": _nominal, "simple rate": _simple,
    "years": _years, "periods": _periods, "parts": _parts, "paid": _paid, "left": _left,
    "borrowed": _borrowed, "repayment": _repayment, "regular": _regular, "start": _start, "goal": _goal,
    "fee rate": _fee, "face value": _face, "coupons paid": _coupon, "coupon periods": _coupons,
    "market": _market, "bond rate": _yield, "bond price": _price, "share of year": _share_of_year,
}  # fmt: skip
PREPARE: dict[str, Callable[[Sheet], None]] = {
    "net_present_value": _net_present_value, "internal_rate": _internal_rate, "payback": _payback,
    "payout": _payout,
}  # fmt: skip
