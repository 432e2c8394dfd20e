"""Numbers, amounts, percentages, doses, durations, dates and article numbers of a text, as values.

`extract` finds them with exact spans, by what the words around a numeral make of it; `compare` holds one
against another (`rag.facts.quantity`), and `in_header_scale` reads a table figure under the scale and unit of
its column headers."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache

from rag.facts import numerals
from rag.facts.dates import dates
from rag.facts.quantity import Kind, Quantity
from rag.facts.references import ordinals, references
from rag.languages import Patterns, patterns

_SHORT_SCALE = re.compile(r"[ \t]?(?P<s>mm|bn|[mMbBkK])(?![A-Za-z])")
_RE = patterns("quantities", re.NOFLAG)
# "in 2023 EUR 1.3 million": a code between two numbers is that of the second.
_MONEY = re.compile(
    rf"[ \t]*-?[ \t]*(?P<u>(?i:{numerals.alternatives(numerals.CURRENCY_AFTER)}))(?!(?<=[A-Z])[ \t]?\d)"
)
_TIME = re.compile(rf"[ \t]*-?[ \t]*(?P<u>(?i:{numerals.alternatives(numerals.TIME)}))")
_MEASURE = re.compile(rf"[ \t]*-?[ \t]*(?P<u>(?i:{numerals.alternatives(numerals.MEASURE)}))")
_DENOMINATORS = {"股": "share", "人": "person", "名": "person", "次": "dose", "annum": "year"}
_ADVERBS = {
    "hourly": "hour", "daily": "day", "weekly": "week", "monthly": "month", "quarterly": "quarter",
    "annually": "year", "yearly": "year",
}  # fmt: skip
_ADVERB = re.compile(rf"[ \t]+(?:paid |payable )?(?P<a>(?i:{'|'.join(_ADVERBS)}))\b")
_HAN_UNITS = "|".join(n for n in sorted(numerals.UNITS, key=len, reverse=True) if not n[0].isascii())
_BRACKET_SCALE = re.compile(rf"[ \t]*\)[ \t]*(?P<s>(?i:{'|'.join(numerals.WORD_SCALES)}))\b")
_CLOSE = re.compile(r"[ \t]*\)")
_REPEAT = re.compile(r"[ \t]*\([ \t]*[\d,.]{1,12}[ \t]*[%％]?[ \t]*\)")
_FRACTION = re.compile(r"[ \t]?/[ \t]?(?P<d>\d{1,3})(?![\d/.])")
_EN_PARTS = {"half": 2, "halves": 2, "third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "tenth": 10}
_SCALE_NAMES = "|".join(word for word, n in numerals.WORD_SCALES.items() if n >= 1000)
_SHAPES = Patterns(
    __file__, han_numeral=numerals.HAN_NUMERAL, han_units=_HAN_UNITS, scale_names=_SCALE_NAMES,
    currency_before=numerals.alternatives(numerals.CURRENCY_BEFORE),
    units=numerals.alternatives(numerals.UNITS),
)  # fmt: skip


@lru_cache(maxsize=1024)
def extract(text: str) -> tuple[Quantity, ...]:
    """Every quantity of the text, in order; spans index into `text` and do not overlap. Pure and linear in
    its length."""
    folded = numerals.fold(text)
    found: list[Quantity] = []
    taken = numerals.Taken(folded)
    dated = [Quantity(Kind.DATE, d.start, d.end, "", period=d.period) for d in dates(folded)]
    for first in (references(folded), dated, [*shares(folded), *ordinals(folded)]):
        new = [q for q in first if taken.free(q.start, q.end)]
        found += new
        for q in new:
            taken.take(q.start, q.end)
    amounts: list[Quantity] = []
    for numeral in numerals.numerals(folded):
        last = amounts[-1].end if amounts else -1
        if taken.free(numeral.start, numeral.end) and numeral.start >= last:
            amounts += filter(None, [_amount(folded, numeral, last)])
    found += _spread_units(folded, amounts)
    return tuple(replace(q, text=text[q.start : q.end]) for q in sorted(found, key=lambda q: q.start))


def shares(text: str) -> list[Quantity]:
    """百分之三十, 千分之五, 三分之二."""
    found = []
    for m in _RE["zh_share"].finditer(text):
        below, above = _plain(m["d"]), _plain(m["n"])
        if below and above is not None:
            percent = m["d"] in ("百", "千", "万")
            step = Fraction(1, 10 ** len(m["n"].partition(".")[2])) / below if percent else Fraction(0)
            share = Quantity(Kind.SHARE, *m.span(), "", above / below, "share", step=step, loose=percent)
            found.append(share)
    return found


def _plain(text: str) -> Fraction | None:
    if text in ("百", "千", "万"):
        return Fraction(10 ** ("百千万".index(text) + 2))
    digits = text.replace(",", "")
    plain = digits[:1].isdigit() and digits.isascii() and len(digits) < 30
    return Fraction(digits) if plain else numerals.parse_han(digits)


def _amount(text: str, n: numerals.Numeral, last_end: int) -> Quantity | None:
    """What the words around a numeral make of it; None where it is part of a word or name (COVID-19, 10b,
    一致). `last_end` is where the amount before it ends: "5 days-10 days" is no name."""
    if _RE["each"].match(text, n.start):  # 一日2次: every day, not one day
        return None
    before = _SHAPES["before"].search(text, max(0, n.start - 16), n.start)
    currency = before["cur"] if before and before["cur"] else ""
    last = text[max(0, n.start - 2) : n.start]
    if not currency and re.search(r"[A-Za-z_.@#]\Z", last):
        return None
    glued = n.style == "digits" and n.start - 1 != last_end and re.search(r"[A-Za-z]-$", last)
    if not currency and glued:
        return None
    if currency and (short := _SHORT_SCALE.match(text, n.end)):
        factor = {"m": 10**6, "mm": 10**6, "b": 10**9, "bn": 10**9, "k": 1000}[short["s"].lower()]
        n = numerals.Numeral(n.start, short.end(), n.value * factor, n.step * factor, n.style, True)
    opened = before and "(" in f"{before['neg']}{before['neg2']}"
    scale = _BRACKET_SCALE.match(text, n.end) if opened else None  # "$(45) million"
    approximate = (
        _SHAPES["approximate"].search(text, max(0, n.start - 24), n.start) is not None
        or text[n.end : n.end + 2] == "左右"
    )
    loose = approximate or n.scaled or n.step < 1
    step = n.step
    if approximate and n.value and not n.scaled and n.value.denominator == 1:
        while n.value % (step * 10) == 0:
            step *= 10
    plain = Quantity(Kind.NUMBER, n.start, n.end, "", value=n.value, step=step, loose=loose)
    quantity = _with_unit(text, _after_bracket(text, plain), currency)
    once = quantity.unit == "times" and text[n.start : n.end + 1] == "一次"
    if once and _SHAPES["each_before"].search(text, max(0, n.start - 16), n.start) is None:
        return None  # 再评估一次 says no number, 每日一次 does
    if quantity.kind is Kind.NUMBER and not _stands_alone(text, n):
        return None
    if before and (before["neg"] or before["neg2"]) and n.style == "digits":
        quantity = _signed(text, quantity, before)
    if scale is not None and quantity.bracketed:
        times = quantity.times(numerals.SCALES[scale["s"].lower()])
        quantity = replace(times, end=scale.end(), loose=True)
    return _each_before(text, quantity, before.start("cur") if currency and before else n.start)


def _each_before(text: str, q: Quantity, start: int) -> Quantity:
    """每月5000元, 每公斤体重5毫克, 一日三次: a denominator in front joins the unit, too."""
    if "/" in q.unit or q.kind not in (Kind.MONEY, Kind.MEASURE, Kind.SHARE):
        return q
    m = _SHAPES["each_before"].search(text, max(0, start - 16), start)
    if m is None or (m["each"] == "一" and q.unit != "times"):
        return q
    return _over(q, m["u"], q.end)


def _signed(text: str, q: Quantity, before: re.Match[str]) -> Quantity:
    """-5 is negative; so is (1,234), the accounting bracket, unless it repeats a word (thirty (30)) or is a
    small list number."""
    mark = (before["neg"] or "") + (before["neg2"] or "")
    if "-" in mark:
        return replace(q, value=-q.value)
    closes = _CLOSE.match(text, q.end)
    amount = "," in text[q.start : q.end] or "." in text[q.start : q.end] or bool(q.unit) or q.value >= 10
    if not (closes and amount):
        return q
    q = replace(q, value=-q.value, bracketed=True)
    percent = _RE["percent"].match(text, closes.end()) if q.kind is Kind.NUMBER else None
    return _percent(q, percent) if percent else q


def _after_bracket(text: str, q: Quantity) -> Quantity:
    """ "thirty (30) days": the unit stands behind the repetition, which is read as a quantity of its own."""
    repeat = _REPEAT.match(text, q.end)
    same = repeat and [n.value for n in numerals.numerals(repeat.group())][:1] == [q.value]
    return replace(q, end=repeat.end()) if repeat and same else q


def _with_unit(text: str, q: Quantity, currency: str) -> Quantity:
    if currency:
        q = replace(q, kind=Kind.MONEY, unit=numerals.CURRENCY_BEFORE[currency.lower()])
        twice = _MONEY.match(text, q.end)  # 人民币20万元, US$5 dollars
        if twice and numerals.same_currency(q.unit, numerals.CURRENCY_AFTER[twice["u"].lower()]):
            q = replace(q, end=twice.end())
        # "US$5 per share" is another amount than US$5.
        return _per(text, q)
    if m := _RE["percent"].match(text, q.end):
        return _per(text, _percent(q, m))
    if m := _FRACTION.match(text, q.end):
        below = int(m["d"])
        if 0 < q.value < below:
            return _fraction(q, below, m.end())
    if m := _RE["en_fraction"].match(text, q.end):
        name = m["d"] if m["d"] != "halves" else "half"
        return _fraction(q, _EN_PARTS[name.removesuffix("s")], m.end())
    millions = q.loose and "million" in text[q.start : q.end]
    for pattern, kind in ((_MEASURE, Kind.MEASURE), (_TIME, Kind.DURATION)):
        m = pattern.match(text, q.end)
        if m and not (millions and kind is Kind.MEASURE and m["u"] == "m"):
            base, factor = numerals.UNITS[re.sub(r"\s+", " ", m["u"].lower())]
            return _per(text, replace(q.times(factor), kind=kind, unit=base, end=m.end()))
    if m := _MONEY.match(text, q.end):
        unit = numerals.CURRENCY_AFTER[m["u"].lower()]
        return _per(text, replace(q, kind=Kind.MONEY, unit=unit, end=m.end()))
    return q


def _fraction(q: Quantity, below: int, end: int) -> Quantity:
    """Two thirds are exact: nothing was rounded to write them."""
    return replace(q, kind=Kind.SHARE, value=q.value / below, unit="share", step=Fraction(0), end=end)


def _percent(q: Quantity, m: re.Match[str]) -> Quantity:
    word = (m["pc"] or m["pp"] or "").lower()
    basis = word.startswith(("basis", "bp")) or word == "个基点"
    below = 10_000 if basis else {"‰": 1000, "成": 10}.get(word, 100)
    unit = "points" if basis or "point" in word or word == "个百分点" else "share"
    return replace(q.times(Fraction(1, below)), kind=Kind.SHARE, unit=unit, end=m.end(), loose=True)


def _per(text: str, q: Quantity) -> Quantity:
    """mg/kg, 5 mg per day, 元每股: the denominator joins the unit, with its factor."""
    for _ in range(2):
        m = _SHAPES["per"].match(text, q.end)
        if m is None:
            break
        q = _over(q, m["u"], m.end())
    if "/" not in q.unit and (m := _ADVERB.match(text, q.end)):
        q = _over(q, _ADVERBS[m["a"].lower()], m.end())
    return q


def _over(q: Quantity, name: str, end: int) -> Quantity:
    """The quantity divided by one unit of that name."""
    name = _DENOMINATORS.get(name.lower(), name.lower())
    base, factor = numerals.UNITS.get(name, (name, Fraction(1)))
    return replace(q.times(1 / factor), unit=f"{q.unit}/{base}", end=end)


def _stands_alone(text: str, n: numerals.Numeral) -> bool:
    following = text[n.end : n.end + 1]
    if n.style == "digits":
        return not (following.isascii() and (following.isalpha() or following == "_"))
    if n.style == "words":
        return n.value != 1 or " " in text[n.start : n.end].strip()
    if n.end - n.start == 1 or text[n.start : n.end] in ("千万", "百万", "十分", "万千"):
        return text[n.start] not in "一零万亿" and _RE["counted"].match(text, n.end) is not None
    return True


def _spread_units(text: str, amounts: list[Quantity]) -> list[Quantity]:
    """ "5 to 10 mg", "3至5年": the unit behind a range belongs to both ends."""
    spread = list(amounts)
    for i in range(len(spread) - 2, -1, -1):
        first, second = spread[i], spread[i + 1]
        if second.start - first.end < 8 and _SHAPES["range"].fullmatch(text, first.end, second.start):
            spread[i] = in_unit_of(text, first, second)
    return spread


def in_unit_of(text: str, bare: Quantity, other: Quantity) -> Quantity:
    """The bare number in the unit and scale of another quantity of the (folded) text: the 5 of "5 to 10 mg".
    Itself where it is not bare, or the other one, too."""
    if bare.kind is not Kind.NUMBER or other.kind is Kind.NUMBER or other.value <= 0:
        return bare
    if (scale := scale_of(text, other)) is None:
        return bare
    return replace(bare.times(scale), kind=other.kind, unit=other.unit, loose=other.loose)


def scale_of(text: str, q: Quantity) -> Fraction | None:
    """Base value of one written unit of `q` (0.001 for "5 mg", 10^6 for "5 million dollars")."""
    digits = re.match(r"[\d.,]+", text[q.start : q.end])
    written = numerals.numerals(digits.group() if digits else text[q.start : q.end])
    return abs(q.value) / written[0].value if written and written[0].value else None


def header_scales(header: str) -> tuple[tuple[Fraction, str], ...]:
    """Scales and currencies that a table's header states for its figures, such as (10**6, "USD") for "(US$
    in millions)"."""
    scales = []
    for m in _SHAPES["header_scale"].finditer(numerals.fold(header)):
        factor = numerals.SCALES[m["en"].lower()] if m["en"] else int(numerals.parse_han("一" + m["zh"]) or 0)
        after = numerals.CURRENCY_AFTER.get(m["unit"] or m["zhcur"] or "", "")
        before = numerals.CURRENCY_BEFORE.get((m["cur"] or "").lower(), "")
        scales.append((Fraction(factor), before if m["en"] else after))
    return tuple(dict.fromkeys(scales))


def in_header_scale(cell: Quantity, header: str) -> tuple[Quantity, ...]:
    """The readings of a bare table figure under the scales and units of its header, besides the figure
    itself."""
    readings = []
    folded = numerals.fold(header)
    if cell.kind in (Kind.NUMBER, Kind.MONEY):
        for factor, currency in header_scales(header):
            unit = cell.unit or currency
            kind = Kind.MONEY if unit else Kind.NUMBER
            readings.append(replace(cell.times(factor), kind=kind, unit=unit))
    if cell.kind is Kind.NUMBER:
        if "%" in folded or "percent" in folded.lower() or "百分比" in folded or "比例" in folded:
            readings.append(replace(cell.times(Fraction(1, 100)), kind=Kind.SHARE, unit="share"))
        for word in re.findall(r"\(([^()]{1,12})\)", folded):
            unit_name = word.strip().lower()
            if unit_name in numerals.UNITS:
                base, factor = numerals.UNITS[unit_name]
                kind = Kind.DURATION if unit_name in numerals.TIME else Kind.MEASURE
                readings.append(replace(cell.times(factor), kind=kind, unit=base))
    return tuple(readings)
