"""How the terms of the sums of calculations.toml are read, those that no formula says among them: rows
of cash flows, insurance. A reader raises Lack where the question gives no such term."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal

from rag.domains.finance.money import given as f
from rag.domains.finance.money.given import ZERO, Given, cue
from rag.domains.finance.money.sheet import Lack, Sheet, evaluate
from rag.domains.finance.printing import plain

# Periods in a year of what is said for a period.
_TIMES = {"monthly": 12, "quarterly": 4, "daily": 365, "monthly_amount": 12, "yearly_amount": 1}


# --- How often, how long, at what rate


def _months(s: Sheet, g: Given) -> Decimal:
    """A duration in months; days over 365, with a note."""
    if g.unit == "month":
        return g.value
    s.note("days", base="365")
    return g.value * 12 / 365


def _years(s: Sheet) -> Decimal:
    return _months(s, s.need("term", "elapsed")) / 12


def _periods(s: Sheet) -> Decimal:
    """The term in whole periods, rounded with a note."""
    g = s.take("term", "elapsed")
    if g is None:
        counted = s.take("count")
        return Decimal(int(counted.value) if counted else f.count_of_periods(s.inputs.text) or s.lack("term"))
    n = _months(s, g) * s["m"] / 12
    whole = n.to_integral_value()
    if whole != n:
        s.note("whole", n=n, whole=whole)
    return whole


def _yearly_rate(s: Sheet) -> Decimal:
    """A nominal rate of a year; one of a month or quarter so many times."""
    g = s.take("monthly") or s.take("quarterly")
    return g.value * _TIMES[g.role] if g else s.need("rate", "effective", "yield").value


def _period_rate(s: Sheet) -> Decimal:
    """The rate of one of `m` periods a year. A yearly rate is nominal and compounded with the payments unless
    the question says otherwise."""
    m = s["m"]
    if g := s.take("monthly") or s.take("quarterly"):
        return g.value if m == _TIMES[g.role] else (1 + g.value) ** (_TIMES[g.role] / m) - 1
    if g := s.take("daily"):
        s.note("days", base="365")
        return g.value * 365 / m
    if g := s.take("effective"):
        return (1 + g.value) ** (1 / m) - 1
    yearly = s.need("rate", "yield").value
    said = f.compounding(s.inputs.text)
    if said is not None and said != m:
        return (1 + f.effective(yearly, Decimal(said))) ** (1 / m) - 1
    if m != 1:
        s.note("nominal", often=s.own(f.often(int(m))))
    return yearly / m


def _nominal(s: Sheet) -> Decimal:
    """The nominal rate whose effective one is asked for; it says how often it is compounded, too."""
    if g := s.take("monthly") or s.take("quarterly") or s.take("daily"):
        s.terms["m"] = Decimal(_TIMES[g.role])
        return g.value * s["m"]
    nominal = s.need("rate", "effective", "yield").value
    said = f.compounding(s.inputs.text)
    s.terms["m"] = Decimal(s.lack("compounding") if said is None else said)
    return nominal


def _nominal_periods(s: Sheet) -> Decimal:
    """How often a nominal rate is compounded, 0 for continuously."""
    said = f.compounding(s.inputs.text)
    times = 12 if said is None else said
    s.note("compounded", often=s.own(f.often(times)))
    return Decimal(times)


def _simple_rate(s: Sheet) -> Decimal:
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
    if g := s.take("elapsed"):
        return Decimal(int(_months(s, g) * s["m"] / 12))
    return Decimal(f.count_of_periods(s.inputs.text, "paid") or s.lack("elapsed"))


def _left(s: Sheet) -> Decimal:
    """How many payments are still to be made."""
    return s["n"] - s["k"] if s["k"] <= s["n"] else s.lack("elapsed")


def _regular(s: Sheet) -> Decimal:
    """What is paid regularly, 0 for nothing; it says how often a year."""
    g = s.take("monthly_amount") or s.take("yearly_amount") or s.take("each", "premium")
    said = f.frequency(s.inputs.text) if g else f.compounding(s.inputs.text)
    s.terms["m"] = Decimal(_TIMES.get(g.role if g else "", said or 1))
    s.terms["per"] = s["m"] - 1
    return g.value if g else ZERO


def _repayment(s: Sheet) -> Decimal:
    """What a loan is paid back by each period; it says how often, too."""
    g = s.take("monthly_amount") or s.take("yearly_amount") or s.need("each")
    s.terms["m"] = Decimal(_TIMES.get(g.role, s["m"]))
    return g.value


def _start(s: Sheet) -> Decimal:
    """What savings begin with, 0 for nothing where something is paid in regularly."""
    if s["A"]:
        return s.amount("present", "principal", "amount")
    return s.need("present", "principal", "number", "amount").value


def _goal(s: Sheet) -> Decimal:
    """What savings are to become; it says what they begin with, too."""
    start = s.take("present", "principal", "amount", "number")
    factor = 2 if s.inputs.says("double") else 3 if s.inputs.says("triple") else 0
    if not (factor or start or s["A"]) and sum(g.role == "target" for g in s.inputs.given) > 1:
        start = s.take("target")  # "10万元变成20万元": the first is what it begins with
    s.terms["P"] = start.value if start else Decimal(1 if factor else 0)
    target = s["P"] * factor or s.need("target", "future").value
    return target if factor or start or s["A"] else s.lack("present")


def _fee(s: Sheet) -> Decimal:
    """A fee on the full amount each period; sets the number of periods."""
    fee = s.need("fee", "rate", "monthly").value
    term = next((int(_months(s, g)) for g in s.inputs.given if g.role == "term"), 0)
    s.terms["n"] = Decimal(f.count_of_periods(s.inputs.text) or term or s.lack("term"))
    return fee / s["n"] if s.inputs.says("whole_fee") else fee


# --- Bonds


def _face(s: Sheet) -> Decimal:
    """The face value: 100 where none is said, 1,000 of a dollar bond."""
    if g := s.take("face", "principal"):
        return g.value
    size = Decimal(1000 if s.shown.currency == "USD" and s.own(("USD", "")) else 100)
    s.note("face", size=size)
    return size


def _coupon(s: Sheet) -> Decimal:
    """What the bond pays each period; sets how often a year."""
    if s.inputs.says("zero_coupon"):
        return ZERO
    rate = s.need("coupon", "rate").value
    s.terms["m"] = Decimal(f.frequency(s.inputs.text, "coupons") or 1)
    s.terms["per"] = s["m"] - 1
    if s["m"] == 1:
        s.note("yearly_coupons")
    return s["F"] * rate / s["m"]


def _coupons(s: Sheet) -> Decimal:
    n = _years(s) * s["m"]
    return n if n == n.to_integral_value() and n >= 1 else s.lack("term")


def _market(s: Sheet) -> Decimal:
    """The market's yield, taken before the coupon so that "rate" is left to it; -1 where none is said."""
    g = s.take("yield", "effective")
    return g.value if g else Decimal(-1)


def _yield(s: Sheet) -> Decimal:
    """The yield of a coupon period: the market's, or a second rate."""
    if s["y"] < 0:
        s.terms["y"] = s.need("yield", "rate").value
    return s["y"] / s["m"]


def _price(s: Sheet) -> Decimal:
    """The price; one quoted as a percentage of face becomes an amount."""
    if g := s.take("price", "amount", "present"):
        return g.value
    if m := cue("quoted").search(s.inputs.text):
        s.note("quoted", price=m[1])
        return Decimal(m[1]) * s["F"] / 100
    return s["F"] if s.inputs.says("at_par") else s.lack("price")


# --- Rows of cash flows


def _flows(s: Sheet) -> list[Decimal]:
    """Those listed, or an outlay and then the same amount so many times; sets how many come in a year."""
    if listed := f.flow_list(s.inputs.text):
        return listed
    each = s.take("yearly_amount") or s.take("each") or s.take("monthly_amount")
    outlay = s.take("present", "price", "principal", "amount")
    if each is None or outlay is None:
        raise Lack("flows")
    s.terms["m"] = Decimal(_TIMES.get(each.role, 1))
    return [-outlay.value] + [each.value] * int(_periods(s))


def _row(flows: Sequence[Decimal]) -> str:
    shown = [plain(x) for x in flows]
    return ", ".join(shown if len(shown) <= 12 else [*shown[:5], "...", shown[-1]])


def _net_present_value(s: Sheet) -> Decimal:
    """NPV of the flows at a rate of their periods; those listed are a month apart where the rate is."""
    monthly = s.take("monthly")
    s.terms["m"] = Decimal(12 if monthly else 1)
    rate = (monthly or s.need("yield", "rate", "effective")).value
    flows = _flows(s)
    rate = rate / s["m"] if not monthly else rate if s["m"] > 1 else (1 + rate) ** 12 - 1
    r = s.printed("r", rate)
    steps = [f"{plain(x)} / (1 + {r})^{t}" if t else plain(x) for t, x in enumerate(flows)]
    s.note("monthly_flows" if s["m"] > 1 else "yearly_flows", flows=_row(flows))
    steps = steps if len(steps) <= 8 else [*steps[:4], "...", steps[-1]]
    s.terms["steps"] = " + ".join(steps)
    return f.npv(rate, flows)


def _internal_rate(s: Sheet) -> Decimal:
    """IRR of the flows, one period apart."""
    flows = _flows(s)
    s.note("flows_apart", flows=_row(flows))
    return f.irr(flows)


def _payback(s: Sheet) -> Decimal:
    """After how many years the flows have paid back the outlay, undiscounted."""
    flows = _flows(s)
    total = ZERO
    for year, flow in enumerate(flows):
        if total < 0 <= total + flow:
            s.note("flows", flows=_row(flows))
            s.terms |= {"missing": -total, "flow": flow, "per": s["m"] - 1}
            return Decimal(year - 1)
        total += flow
    raise Lack("flows")


# --- Insurance


def _payout(s: Sheet) -> Decimal:
    """What an insurer pays of a loss: a share of what others and the deductible leave, at most the limit."""
    s.terms["loss"] = s.need("loss", "amount", "principal", "price").value
    s.terms["deductible"], s.terms["r"] = s.amount("deductible"), _insurers_share(s)
    s.terms |= {role: s.amount(role) for role in ("ceiling", "other")}
    working = "loss - other" if s["other"] else "loss"
    working += " - deductible" if s["deductible"] else ""
    working = f"max({working}, 0)" if s["loss"] < s["other"] + s["deductible"] else working
    if s["r"] != 1:
        working = f"({working}) * r" if " " in working else f"{working} * r"
    working = f"min({working}, ceiling)" if s["ceiling"] else working
    paid = evaluate(working, s.terms)
    if paid == s["ceiling"] > 0:
        s.note("limit")
    if paid == 0 and s["deductible"]:
        s.note("below_deductible")
    s.terms |= {"own": s["loss"] - paid - s["other"], "steps": s.work(working)}
    return paid


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
    "worth of flows": _net_present_value, "rate of flows": _internal_rate, "periods paid back": _payback,
    "payout": _payout,
    "loan payments": lambda s: Decimal(f.frequency(s.inputs.text, "payments") or 12),
    "saving payments": lambda s: Decimal(f.frequency(s.inputs.text, "saving") or 12),
    "compounded": lambda s: Decimal(f.compounding(s.inputs.text) or 1),
    "parts": lambda s: _years(s) * s["m"],
    "nominal": _nominal, "nominal periods": _nominal_periods, "period rate": _period_rate,
    "yearly rate": _yearly_rate, "simple rate": _simple_rate, "years": _years, "periods": _periods,
    "paid": _paid, "left": _left, "borrowed": _borrowed, "repayment": _repayment, "regular": _regular,
    "start": _start, "goal": _goal, "fee rate": _fee, "face value": _face, "coupons paid": _coupon,
    "coupon periods": _coupons, "market": _market, "bond rate": _yield, "bond price": _price,
}  # fmt: skip
