"""Numbers, amounts, percentages, doses, durations, dates and article numbers of English and Chinese text, as values.

`extract` finds them with exact spans; `compare` holds one against another by kind, value and unit:

- EXACT: the same value and unit, however spelled (200,000 == 20万 == 二十万; 5 mg == 0.005 g; 第十二条 == Article 12), or a
  coarser statement that follows (March 2021 from 5 March 2021).
- ROUNDED: the claim is the source rounded to the place in which the claim is written ("1.2 million" for 1,234,567), or
  the same number with a unit, sign or depth that only one of the two states. Rounding is granted to amounts with a scale
  word, with decimals, in percent, or called approximate; a plain 1,230 is not 1,234.
- DIFFERENT: anything else.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, replace
from enum import IntEnum, StrEnum
from fractions import Fraction

from rag import units
from rag.dates import Period, contradicts, dates, holds
from rag.numerals import HAN_NUMERAL, SCALES, Numeral, fold, numerals, parse_han


class Kind(StrEnum):
    """What a quantity is. SHARE values are parts of one (30 % is 3/10)."""

    NUMBER = "number"
    SHARE = "percentage"
    MONEY = "amount"
    MEASURE = "measure"
    DURATION = "duration"
    DATE = "date"
    REFERENCE = "reference"
    ORDINAL = "ordinal"


class Match(IntEnum):
    """How well a source bears a claimed quantity."""

    DIFFERENT = 0
    ROUNDED = 1
    EXACT = 2


@dataclass(frozen=True, slots=True)
class Quantity:
    """One quantity at `[start, end)` of the text. `value` is in base units (grams, litres, days, months, parts of one);
    `unit` is the base unit, currency or reference name; `label` is a reference's number ("12", "7.3(b)"); `step` is the weight of
    the last place written; `loose` marks amounts that may be rounded."""

    kind: Kind
    start: int
    end: int
    text: str
    value: Fraction = Fraction(0)
    unit: str = ""
    label: str = ""
    step: Fraction = Fraction(1)
    loose: bool = False
    bracketed: bool = False
    period: Period | None = None

    @property
    def key(self) -> str:
        """Equal for quantities that are EXACT in each other's place, apart from coarser dates."""
        if self.period is not None:
            return f"date:{self.period.parts}"
        if self.label:
            return f"{self.unit}:{self.label}"
        return f"{self.value}:{self.unit}"


_REFERENCE_NAMES = {
    "article": "article", "articles": "article", "art": "article", "section": "section", "sections": "section", "sec": "section",
    "§": "section", "§§": "section", "clause": "section", "clauses": "section", "paragraph": "paragraph", "paragraphs": "paragraph",
    "para": "paragraph", "note": "note", "notes": "note", "chapter": "chapter", "part": "part", "schedule": "schedule",
    "exhibit": "exhibit", "appendix": "appendix", "annex": "appendix", "item": "item", "table": "table", "figure": "figure",
    "rule": "rule", "regulation": "regulation", "title": "title", "phase": "phase", "type": "type", "class": "class", "grade": "grade",
    "stage": "stage", "level": "level", "条": "article", "款": "paragraph", "项": "item", "章": "chapter", "节": "section",
    "编": "part", "目": "item", "附件": "appendix", "附录": "appendix", "附表": "table", "表": "table", "图": "figure", "期": "phase",
    "类": "class", "级": "grade",
}  # fmt: skip
_LABEL = (
    r"(?:\d{1,5}(?:\.\d{1,4})*(?:-\d{1,4})?[A-Za-z]?(?![\w])|[IVXL]{1,6}\b|[A-Z]\b)(?:\([0-9A-Za-z]{1,4}\))*"
)
_REF_EN = re.compile(
    rf"(?:\b(?P<name>(?i:{'|'.join(n for n in _REFERENCE_NAMES if n.isascii())}))\b\.?|(?P<sign>§{{1,2}}))[ \t]*"
    rf"(?:(?i:no)\.?[ \t]*)?(?P<label>{_LABEL})"
)
_REF_MORE = re.compile(rf"(?P<join>[ \t]*(?:,|and|or|to|through|-|&)[ \t]*)(?P<label>{_LABEL})")
_REF_ZH = re.compile(
    rf"第\s*[(]?(?P<n>\d{{1,5}}|[{HAN_NUMERAL}]{{1,8}})[)]?\s*(?P<name>[条款项章节编目期类级])(?:之(?P<sub>[{HAN_NUMERAL}\d]{{1,3}}))?"
    rf"|(?P<name2>附件|附录|附表|表|图)\s*(?P<n2>\d{{1,3}}|[一二三四五六七八九十]{{1,3}})(?![\d.年月日个%])"
)
_ORDINAL_ZH = re.compile(rf"第\s*(?P<n>\d{{1,6}}|[{HAN_NUMERAL}]{{1,8}})(?![条款项章节编目期类级季])")
_ORDINAL_EN = re.compile(r"\b(?P<n>\d{1,4})(?:st|nd|rd|th)\b")
_ROMAN = {c: n for c, n in zip("IVXL", (1, 5, 10, 50), strict=True)}

_BEFORE = re.compile(
    rf"(?P<neg>(?:^|(?<=[\s(:=|]))-|\(-?[ \t]*)?(?:(?P<cur>(?<![A-Za-z])(?i:{units.alternatives(units.CURRENCY_BEFORE)}))"
    r"[ \t]*(?P<neg2>-|\()?[ \t]*)?$"
)
_SHORT_SCALE = re.compile(r"[ \t]?(?P<s>mm|[mMbBkK])(?![A-Za-z])")
_PERCENT = re.compile(
    r"[ \t]*-?[ \t]*(?P<pc>%|‰|per[ \t]?cent\b|pct\b|percent\b|(?i:basis points?\b|bps?\b)|percentage points?\b)|(?P<pp>个百分点|个基点|成(?![员立为年本功果交就份分]))"
)
_MONEY = re.compile(rf"[ \t]*-?[ \t]*(?P<u>(?i:{units.alternatives(units.CURRENCY_AFTER)}))")
_TIME = re.compile(rf"[ \t]*-?[ \t]*(?P<u>(?i:{units.alternatives(units.TIME)}))")
_MEASURE = re.compile(rf"[ \t]*-?[ \t]*(?P<u>(?i:{units.alternatives(units.MEASURE)}))")
_ALL_UNITS = units.MEASURE | units.TIME
_PER = re.compile(
    rf"[ \t]*(?:/|(?:per|a|an|each|every)\b[ \t]+|每)[ \t]*(?P<u>(?i:{units.alternatives(_ALL_UNITS)}|dose|patient|share|person|股|人|次))"
)
_CLOSE = re.compile(r"[ \t]*\)")
_FRACTION = re.compile(r"[ \t]?/[ \t]?(?P<d>\d{1,3})(?![\d/.])")
_EN_FRACTION = re.compile(
    r"[ \t-]+(?P<d>half|halves|third|thirds|quarters?|fourths?|fifths?|tenths?)\b(?!\s+(?:of\s+)?(?:the\s+)?(?:fiscal|year|20|19))"
)
_EN_PARTS = {"half": 2, "halves": 2, "third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "tenth": 10}
_ZH_SHARE = re.compile(
    rf"(?P<d>[百千{HAN_NUMERAL}]{{1,6}})分之(?P<n>\d[\d,]*(?:\.\d+)?|[{HAN_NUMERAL}]+(?:点[{HAN_NUMERAL}]+)?)"
)
_RANGE = re.compile(r"[ \t]*(?:-|~|～|to|and|至|到)[ \t]*(?:[$€£¥]|US\$)?[ \t]*$")
_APPROXIMATE = re.compile(
    r"(?i:\b(?:about|approximately|around|roughly|nearly|almost|some|circa|over|approx\.?)|[约近逾])[ \t]*[^\s\w]{0,4}[ \t]*$"
)
# A single Han numeral is a number only before what can be counted; 一 alone is mostly an article.
_EACH = re.compile(r"一[日天周月年次]\s*[\d一两二三四五六]")
_COUNTED = re.compile(r"[个名人家位份次倍种类件只片粒支股票套台辆间户所处级档期周元天日年月岁成点]")


def extract(text: str) -> tuple[Quantity, ...]:
    """Every quantity of the text, in order; spans index into `text` and do not overlap. Pure and linear in its length."""
    folded = fold(text)
    found = _references(folded)
    found += _free(
        found,
        [Quantity(Kind.DATE, d.start, d.end, text[d.start : d.end], period=d.period) for d in dates(folded)],
    )
    found += _free(found, _shares(folded) + _ordinals(folded))
    taken = _Taken(found)
    amounts: list[Quantity] = []
    for numeral in numerals(folded):
        if taken.free(numeral.start, numeral.end) and (not amounts or numeral.start >= amounts[-1].end):
            quantity = _amount(folded, numeral)
            if quantity is not None:
                amounts.append(quantity)
    found += _spread_units(folded, amounts)
    return tuple(replace(q, text=text[q.start : q.end]) for q in sorted(found, key=lambda q: q.start))


class _Taken:
    """Spans already used, for a free-or-not test in logarithmic time."""

    def __init__(self, found: list[Quantity]) -> None:
        self.spans = sorted((q.start, q.end) for q in found)

    def free(self, start: int, end: int) -> bool:
        at = bisect_right(self.spans, (start, 1 << 60))
        before = self.spans[at - 1] if at else (-1, -1)
        after = self.spans[at] if at < len(self.spans) else (1 << 60, 1 << 60)
        return before[1] <= start and end <= after[0]


def _free(taken: list[Quantity], new: list[Quantity]) -> list[Quantity]:
    spans = _Taken(taken)
    return [q for q in new if spans.free(q.start, q.end)]


def _references(text: str) -> list[Quantity]:
    found: list[Quantity] = []
    for m in _REF_EN.finditer(text):
        name = _REFERENCE_NAMES[(m["name"] or "§").lower()]
        if m["name"] and len(m["label"]) == 1 and m["label"].isalpha() and not m["name"][0].isupper():
            continue
        found.append(Quantity(Kind.REFERENCE, m.start(), m.end(), "", unit=name, label=_label(m["label"])))
        plural = m["sign"] == "§§" or (m["name"] or "").lower() in (
            "articles",
            "sections",
            "clauses",
            "notes",
            "paragraphs",
        )
        end = m.end()
        while plural and (more := _REF_MORE.match(text, end)):
            found.append(
                Quantity(
                    Kind.REFERENCE,
                    more.start("label"),
                    more.end(),
                    "",
                    unit=name,
                    label=_label(more["label"]),
                )
            )
            end = more.end()
    for m in _REF_ZH.finditer(text):
        number = _integer(m["n"] or m["n2"])
        if number is not None:
            sub = f"-{_integer(m['sub'])}" if m["sub"] else ""
            unit = _REFERENCE_NAMES[m["name"] or m["name2"]]
            found.append(Quantity(Kind.REFERENCE, m.start(), m.end(), "", unit=unit, label=f"{number}{sub}"))
    return found


def _integer(text: str) -> int | None:
    value = Fraction(text) if text.isdigit() else parse_han(text)
    return None if value is None or value.denominator != 1 else int(value)


def _label(label: str) -> str:
    head = re.match(r"[IVXL]+(?![A-Za-z])", label)
    if head is None or (len(head.group()) == 1 and head.group() == "L"):
        return label.lower()
    values = [_ROMAN[c] for c in head.group()]
    total = sum(-v if any(w > v for w in values[i + 1 : i + 2]) else v for i, v in enumerate(values))
    return str(total) + label[head.end() :].lower()


def _ordinals(text: str) -> list[Quantity]:
    found = []
    for pattern in (_ORDINAL_ZH, _ORDINAL_EN):
        for m in pattern.finditer(text):
            value = _integer(m["n"])
            if value is not None:
                found.append(Quantity(Kind.ORDINAL, m.start(), m.end(), "", value=Fraction(value), unit="th"))
    return found


def _shares(text: str) -> list[Quantity]:
    """百分之三十, 千分之五, 三分之二."""
    found = []
    for m in _ZH_SHARE.finditer(text):
        below, above = _plain(m["d"]), _plain(m["n"])
        if below and above is not None:
            percent = m["d"] in ("百", "千", "万")
            step = Fraction(1, 10 ** len(m["n"].partition(".")[2])) / below if percent else Fraction(0)
            found.append(
                Quantity(
                    Kind.SHARE,
                    m.start(),
                    m.end(),
                    "",
                    value=above / below,
                    unit="share",
                    step=step,
                    loose=percent,
                )
            )
    return found


def _plain(text: str) -> Fraction | None:
    if text in ("百", "千", "万"):
        return Fraction(10 ** ("百千万".index(text) + 2))
    digits = text.replace(",", "")
    return (
        Fraction(digits)
        if digits[:1].isdigit() and digits.isascii() and len(digits) < 30
        else parse_han(digits)
    )


def _amount(text: str, n: Numeral) -> Quantity | None:
    """What the words around a numeral make of it; None where it is part of a word or name (COVID-19, 10b, 一致)."""
    if _EACH.match(text, n.start):  # 一日2次: every day, not one day
        return None
    before = _BEFORE.search(text, max(0, n.start - 16), n.start)
    currency = before["cur"] if before and before["cur"] else ""
    if (
        not currency
        and n.start
        and ((text[n.start - 1].isalpha() and text[n.start - 1].isascii()) or text[n.start - 1] in "_.@#")
    ):
        return None
    if not currency and n.style == "digits" and re.search(r"[A-Za-z]-$", text[max(0, n.start - 2) : n.start]):
        return None
    if currency and (short := _SHORT_SCALE.match(text, n.end)):
        factor = {"m": 10**6, "mm": 10**6, "b": 10**9, "k": 1000}[short["s"].lower()]
        n = Numeral(n.start, short.end(), n.value * factor, n.step * factor, n.style, True)
    approximate = (
        _APPROXIMATE.search(text, max(0, n.start - 24), n.start) is not None
        or text[n.end : n.end + 2] == "左右"
    )
    loose = approximate or n.scaled or n.step < 1
    step = n.step
    if approximate and n.value and not n.scaled and n.value.denominator == 1:
        while n.value % (step * 10) == 0:
            step *= 10
    plain = Quantity(Kind.NUMBER, n.start, n.end, "", value=n.value, step=step, loose=loose)
    quantity = _with_unit(text, _after_bracket(text, plain), currency)
    if quantity.kind is Kind.NUMBER and not _stands_alone(text, n):
        return None
    negative = before is not None and bool(before["neg"] or before["neg2"])
    return _signed(text, quantity, before) if before and negative and n.style == "digits" else quantity


def _signed(text: str, q: Quantity, before: re.Match[str]) -> Quantity:
    """-5 is negative; so is (1,234), the accounting bracket, unless it repeats a word (thirty (30)) or is a small list number."""
    mark = (before["neg"] or "") + (before["neg2"] or "")
    if "-" in mark:
        return replace(q, value=-q.value)
    closes = _CLOSE.match(text, q.end)
    amount = "," in text[q.start : q.end] or "." in text[q.start : q.end] or bool(q.unit) or q.value >= 10
    if not (closes and amount):
        return q
    q = replace(q, value=-q.value, bracketed=True)
    percent = _PERCENT.match(text, closes.end()) if q.kind is Kind.NUMBER else None
    return _percent(q, percent) if percent else q


def _after_bracket(text: str, q: Quantity) -> Quantity:
    """ "thirty (30) days": the unit stands behind the repetition, which is read as a quantity of its own."""
    repeat = re.compile(r"[ \t]*\([ \t]*[\d,.]{1,12}[ \t]*[%％]?[ \t]*\)").match(text, q.end)
    return (
        replace(q, end=repeat.end())
        if repeat and numerals(text[q.end : repeat.end()])[0].value == q.value
        else q
    )


def _with_unit(text: str, q: Quantity, currency: str) -> Quantity:
    if currency:
        q = replace(q, kind=Kind.MONEY, unit=units.CURRENCY_BEFORE[currency.lower()])
        twice = _MONEY.match(text, q.end)  # 人民币20万元, US$5 dollars
        if twice and units.same_currency(q.unit, units.CURRENCY_AFTER[twice["u"].lower()]):
            q = replace(q, end=twice.end())
        # "US$5 per share" is another amount than US$5.
        return _per(text, q)
    if m := _PERCENT.match(text, q.end):
        return _percent(q, m)
    if m := _FRACTION.match(text, q.end):
        below = int(m["d"])
        if 0 < q.value < below:
            return _fraction(q, below, m.end())
    if m := _EN_FRACTION.match(text, q.end):
        name = m["d"] if m["d"] != "halves" else "half"
        return _fraction(q, _EN_PARTS[name.removesuffix("s")], m.end())
    for pattern, kind in ((_MEASURE, Kind.MEASURE), (_TIME, Kind.DURATION)):
        if (m := pattern.match(text, q.end)) and not (
            kind is Kind.MEASURE
            and re.match(r"[ \t]*m\b", m.group())
            and q.loose
            and "million" in text[q.start : q.end]
        ):
            base, factor = _ALL_UNITS[re.sub(r"\s+", " ", m["u"].lower())]
            return _per(
                text,
                replace(q, kind=kind, value=q.value * factor, step=q.step * factor, unit=base, end=m.end()),
            )
    if m := _MONEY.match(text, q.end):
        unit = units.CURRENCY_AFTER[m["u"].lower()]
        return _per(text, replace(q, kind=Kind.MONEY, unit=unit, end=m.end()))
    return q


def _fraction(q: Quantity, below: int, end: int) -> Quantity:
    """Two thirds are exact: nothing was rounded to write them."""
    return replace(q, kind=Kind.SHARE, value=q.value / below, unit="share", step=Fraction(0), end=end)


def _percent(q: Quantity, m: re.Match[str]) -> Quantity:
    word = (m["pc"] or m["pp"] or "").lower()
    factor, unit = Fraction(1, 100), "share"
    if word == "‰":
        factor = Fraction(1, 1000)
    elif word == "成":
        factor = Fraction(1, 10)
    elif word.startswith(("basis", "bp")) or word == "个基点":
        factor, unit = Fraction(1, 10000), "points"
    elif "point" in word or word == "个百分点":
        unit = "points"
    return replace(
        q, kind=Kind.SHARE, value=q.value * factor, step=q.step * factor, unit=unit, end=m.end(), loose=True
    )


def _per(text: str, q: Quantity) -> Quantity:
    """mg/kg, 5 mg per day, 元每股: the denominator joins the unit, with its factor."""
    for _ in range(2):
        m = _PER.match(text, q.end)
        if m is None:
            break
        name = m["u"].lower()
        base, factor = _ALL_UNITS.get(name, ({"股": "share", "人": "person"}.get(name, name), Fraction(1)))
        q = replace(q, value=q.value / factor, step=q.step / factor, unit=f"{q.unit}/{base}", end=m.end())
    return q


def _stands_alone(text: str, n: Numeral) -> bool:
    following = text[n.end : n.end + 1]
    if n.style == "digits":
        return not (following.isascii() and (following.isalpha() or following == "_"))
    if n.style == "words":
        return n.value != 1 or " " in text[n.start : n.end].strip()
    if n.end - n.start == 1 or text[n.start : n.end] in ("千万", "百万", "十分", "万千"):
        return text[n.start] not in "一零万亿" and _COUNTED.match(text, n.end) is not None
    return True


def _spread_units(text: str, amounts: list[Quantity]) -> list[Quantity]:
    """ "5 to 10 mg", "3至5年": the unit behind a range belongs to both ends."""
    spread = list(amounts)
    for i in range(len(spread) - 2, -1, -1):
        first, second = spread[i], spread[i + 1]
        if first.kind is Kind.NUMBER and second.kind is not Kind.NUMBER and second.start - first.end < 8:
            between = text[first.end : second.start]
            scale = _scale_of(text, second)
            if _RANGE.fullmatch(between) and scale is not None and second.value > 0:
                spread[i] = replace(
                    first,
                    kind=second.kind,
                    unit=second.unit,
                    value=first.value * scale,
                    step=first.step * scale,
                    loose=second.loose,
                )
                if second.value < 0:
                    spread[i + 1] = replace(second, value=-second.value)
    return spread


def _scale_of(text: str, q: Quantity) -> Fraction | None:
    """Base value of one written unit of `q` (0.001 for "5 mg", 10^6 for "5 million dollars")."""
    digits = re.match(r"[\d.,]+", text[q.start : q.end])
    written = numerals(digits.group() if digits else text[q.start : q.end])
    return abs(q.value) / written[0].value if written and written[0].value else None


def compare(claim: Quantity, source: Quantity) -> Match:
    """How well `source` bears `claim`; see the module docstring. Not symmetric: the claim may be the coarser."""
    if claim.kind is Kind.REFERENCE or source.kind is Kind.REFERENCE:
        return _compare_references(claim, source)
    if claim.period is not None or source.period is not None:
        return _compare_dates(claim, source)
    if (claim.kind is Kind.ORDINAL) != (source.kind is Kind.ORDINAL):
        return Match.DIFFERENT
    same_unit = _units_agree(claim, source)
    return Match.DIFFERENT if same_unit is None else _compare_values(claim, source, same_unit)


def _units_agree(claim: Quantity, source: Quantity) -> bool | None:
    """True: one unit. None: two. False: one of them says less (bare, without "per day", % for percentage points)."""
    a, _, per_a = claim.unit.partition("/")
    b, _, per_b = source.unit.partition("/")
    if a != b and not (claim.kind is source.kind is Kind.MONEY and units.same_currency(a, b)):
        return False if {a, b} == {"share", "points"} or "" in (a, b) else None
    if per_a != per_b:
        return None if per_a and per_b else False
    return True



def _compare_values(claim: Quantity, source: Quantity, same_unit: bool) -> Match:
    if not same_unit and {claim.unit, source.unit} != {"share", "points"}:
        # One of the two is bare: compare the figures as written.
        claim, source = _bare(claim, source)
    if claim.value == source.value:
        return Match.EXACT if same_unit else Match.ROUNDED
    if claim.value == -source.value and (claim.bracketed or source.bracketed):
        return Match.ROUNDED
    gap = abs(abs(claim.value) - abs(source.value)) if source.bracketed else abs(claim.value - source.value)
    coarser = claim.step > source.step and source.value != 0
    return Match.ROUNDED if claim.loose and coarser and gap * 2 <= claim.step else Match.DIFFERENT


def _bare(claim: Quantity, source: Quantity) -> tuple[Quantity, Quantity]:
    def written(q: Quantity) -> Quantity:
        found = numerals(fold(q.text).lstrip("-( $€£¥"))
        return (
            replace(q, value=found[0].value if q.value >= 0 else -found[0].value, step=found[0].step)
            if found and q.unit
            else q
        )

    return written(claim), written(source)


def _compare_references(claim: Quantity, source: Quantity) -> Match:
    if claim.kind is not source.kind:
        return Match.DIFFERENT
    if claim.label == source.label:
        return (
            Match.EXACT
            if claim.unit == source.unit
            else Match.ROUNDED
            if {claim.unit, source.unit} <= {"section", "article"}
            else Match.DIFFERENT
        )
    deeper = source.label.startswith(claim.label) and source.label[len(claim.label) :][:1] in ("(", ".", "-")
    return Match.ROUNDED if deeper and claim.unit == source.unit else Match.DIFFERENT


def _compare_dates(claim: Quantity, source: Quantity) -> Match:
    if claim.period is None or source.period is None:
        dated, other = (claim, source) if claim.period is not None else (source, claim)
        only_year = dated.period is not None and set(dated.period.parts) == {"year"}
        same = (
            only_year
            and dated.period is not None
            and other.kind is Kind.NUMBER
            and other.value == dated.period.year
        )
        return Match.ROUNDED if same else Match.DIFFERENT
    if not holds(source.period, claim.period):
        return Match.DIFFERENT
    # A whole year said of one quarter or half follows grammatically, not in substance.
    partial = {"quarter", "half"} & (source.period.parts.keys() - claim.period.parts.keys())
    return Match.ROUNDED if partial else Match.EXACT


def dates_conflict(claim: Quantity, source: Quantity) -> bool:
    """True where two dates name the same part with different values."""
    return claim.period is not None and source.period is not None and contradicts(source.period, claim.period)


_HEADER_SCALE = re.compile(
    rf"(?i:\b(?:in|of|[(])?[ \t]*(?P<cur>US\$|\$|USD|RMB|CNY|EUR|€|£|HK\$)?[ \t]*(?:in[ \t]+)?(?P<en>{'|'.join(s for s in SCALES if s not in ('dozen', 'mm', 'hundred'))})\b)"
    r"|(?P<zhcur>人民币)?(?P<zh>百万|千万|万|亿|千)(?P<unit>元|美元|港元|欧元)?"
)


def header_scales(header: str) -> tuple[tuple[Fraction, str], ...]:
    """Scales and currencies that a table's header states for its figures, such as (10**6, "USD") for "(US$ in millions)"."""
    scales = []
    for m in _HEADER_SCALE.finditer(fold(header)):
        if m["en"]:
            factor, currency = (
                SCALES[m["en"].lower()],
                units.CURRENCY_BEFORE.get((m["cur"] or "").lower(), ""),
            )
        else:
            factor = int(
                parse_han("一" + m["zh"].lstrip("一")) or 10 ** {"百万": 6, "千万": 7}.get(m["zh"], 0)
            )
            currency = units.CURRENCY_AFTER.get(m["unit"] or m["zhcur"] or "", "")
        scales.append((Fraction(factor), currency))
    return tuple(dict.fromkeys(scales))


def in_header_scale(cell: Quantity, header: str) -> tuple[Quantity, ...]:
    """The readings of a bare table figure under the scales and units of its header, besides the figure itself."""
    readings = []
    folded = fold(header)
    if cell.kind in (Kind.NUMBER, Kind.MONEY):
        for factor, currency in header_scales(header):
            unit = cell.unit or currency
            kind = Kind.MONEY if unit else Kind.NUMBER
            readings.append(
                replace(cell, kind=kind, unit=unit, value=cell.value * factor, step=cell.step * factor)
            )
    if cell.kind is Kind.NUMBER:
        if "%" in folded or "percent" in folded.lower() or "百分比" in folded or "比例" in folded:
            readings.append(
                replace(cell, kind=Kind.SHARE, unit="share", value=cell.value / 100, step=cell.step / 100)
            )
        for word in re.findall(r"\(([^()]{1,12})\)", folded):
            unit_name = word.strip().lower()
            if unit_name in _ALL_UNITS:
                base, factor = _ALL_UNITS[unit_name]
                kind = Kind.DURATION if unit_name in units.TIME else Kind.MEASURE
                readings.append(
                    replace(cell, kind=kind, unit=base, value=cell.value * factor, step=cell.step * factor)
                )
    return tuple(readings)
