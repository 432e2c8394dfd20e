"""How a question wants its figure written, how figures are so written, English and Chinese, and what is said
where one is missing.

Halves are rounded away from zero, as analysts and spreadsheets do. Money is written in the scale asked for
("in USD millions", 单位：万元), else in the largest of thousand and million that loses nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal

from rag.facts import numerals
from rag.facts.numerals import CURRENCY_AFTER, CURRENCY_BEFORE, NUMERALS, fold
from rag.languages import Patterns, language, named, say, unspaced

_WIDE = Context(prec=60, rounding=ROUND_HALF_UP)
SCALES = {"": Decimal(1)} | {name: Decimal(n) for name, n in numerals.SCALES.items()}
_FEW = rf"(?P<n>\d|no|{'|'.join(word for word, n in NUMERALS.items() if n <= 6 and len(word) > 1)})"
_FEW_HAN = rf"\d|[{''.join(word for word, n in NUMERALS.items() if n <= 6 and len(word) == 1)}]"
_RE = Patterns(__file__, few=_FEW, few_han=_FEW_HAN)
_PLACES = _RE.table("places").values()
_NEAREST_PLACES = {
    "tenth": 1, "角": 1, "十分位": 1, "hundredth": 2, "cent": 2, "分": 2, "百分位": 2,
    "thousandth": 3, "千分位": 3,
}  # fmt: skip
_SHORT = {"mn": "million", "mm": "million", "m": "million", "bn": "billion", "b": "billion", "k": "thousand"}
_ZH_SCALES = {
    "万": "万", "亿": "亿", "百万": "million", "千": "thousand", "十亿": "billion", "万亿": "trillion",
}  # fmt: skip
_CURRENCIES = CURRENCY_AFTER | CURRENCY_BEFORE
_PRINTED_PLACES = {"%": 1, "times": 2, "days": 1, "points": 1, "money per share": 2, "rate": 2}


@dataclass(frozen=True, slots=True)
class Rounding:
    """`places` after the point, None where the question does not say; `unit` is the scale ("", "thousand",
    "million", "billion", "万", "亿" ...) or "%"; `currency` as named ("" where not)."""

    places: int | None = None
    unit: str = ""
    currency: str = ""

    @property
    def scale(self) -> str:
        """The scale of money asked for; "" for none."""
        return "" if self.unit == "%" else self.unit


def read_rounding(question: str) -> Rounding:
    """What a question says about how to write its figure."""
    text = fold(question)
    return Rounding(_places(text), _unit(text), _currency(text))


def _places(text: str) -> int | None:
    for pattern in _PLACES:
        for m in pattern.finditer(text):
            wording = next(g for g in m.groups() if g)
            return int(wording) if wording.isdigit() else NUMERALS.get(wording.lower(), 0)
    if near := _RE["nearest"].search(text):
        return _NEAREST_PLACES.get(near["near"].lower(), 0)
    if _RE["zh_whole"].search(text):
        return 0
    return _NEAREST_PLACES[found["p"]] if (found := _RE["zh_named"].search(text)) else None


def _unit(text: str) -> str:
    if m := _RE["bracket_scale"].search(text):
        wording = (m["s"] or m["s2"]).lower()
        return _SHORT.get(wording, wording)
    if m := _RE["in_scale"].search(text):
        return m["s"].lower()
    if m := _RE["nearest"].search(text):
        near = m["near"].lower()
        if near in SCALES or near in ("percent", "%"):
            return near.replace("percent", "%")
    if (m := _RE["zh_scale"].search(text)) and m["s"]:
        return _ZH_SCALES.get(m["s"], "")
    return "%" if _RE["percent"].search(text) else ""


def _currency(text: str) -> str:
    m = _RE["currency"].search(text)
    named = _CURRENCIES.get(m.group().lower(), "$") if m else ""
    return "USD" if named == "$" else named


def rounded(value: Decimal, places: int) -> Decimal:
    """`value` at so many places, halves away from zero; never a negative zero."""
    result = value.quantize(Decimal(1).scaleb(-places), context=_WIDE)
    return result or abs(result)


def plain(value: Decimal, places: int | None = None) -> str:
    """1234567.5 -> "1,234,567.5"; without `places` every digit that the value has, at most ten."""
    if places is None:
        places = min(10, _exact_places(value))
    return f"{rounded(value, places):,f}"


def _exact_places(value: Decimal) -> int:
    return max(0, -int(value.normalize().as_tuple().exponent))


def common_scale(values: Iterable[Decimal]) -> str:
    """The largest of million and thousand of which every value is a whole number or one decimal ("" where
    none is, or all are zero)."""
    known = [v for v in values if v]
    for name in ("million", "thousand"):
        step = SCALES[name] / 10
        if known and all(not v % step for v in known) and max(abs(v) for v in known) >= SCALES[name]:
            return name
    return ""


@dataclass(frozen=True, slots=True)
class NotComputed:
    """Why nothing was computed: the figures that were not found, each as (concept, period: 0 the asked one,
    -1 the one before), or what in the numbers forbids it."""

    required: tuple[tuple[str, int], ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Formatter:
    """Prints values in `language` as `rounding` asks. `currency` is an ISO code or ""; `scale` is the one
    that the figures came in ("", "thousand", "million"), used for money where the question names none."""

    rounding: Rounding
    language: str = "en"
    currency: str = ""
    scale: str = ""

    def unit_of(self, unit: str) -> str:
        """The unit as `Figure.unit` has it: a currency for money."""
        return self.currency if unit.startswith("money") else unit

    def text(self, value: Decimal, unit: str) -> str:
        """`value` (in base units; percent and points as such) with its unit, rounded as asked."""
        places = self.rounding.places
        if unit == "money":
            return self._money(value, places)
        if places is None:
            places = _PRINTED_PLACES.get(unit, 0 if value == value.to_integral_value() else 2)
            if unit in ("%", "points") and (abs(value) < 1 or unspaced(self.language)):
                places = 2  # one place of a small share says too little; Chinese reports print two
        if unit == "times" and self.rounding.unit == "%":
            value, unit = value * 100, "%"
        number = plain(value, None if unit == "shares" else places)
        if unit == "%":
            return f"{number}%"
        if unit in ("points", "days", "shares"):
            return say(f"figures.{unit}", self.language, number=number)
        if unit == "money per share":
            currency = named("currency", self.currency, self.language)
            return say("figures.per_share", self.language, number=number, currency=currency)
        return number

    def _money(self, value: Decimal, places: int | None) -> str:
        millions = 10**6 in language(self.language).scales.values()
        scale = self.rounding.scale or (self.scale if millions else "")
        scaled = value / SCALES[scale]
        number = plain(scaled, min(_exact_places(scaled), 2) if places is None else places)
        currency = named("currency", self.currency, self.language)
        name = named("scale", scale, self.language)
        return say("figures.money", self.language, number=number, scale=name, currency=currency)

    def input(self, value: Decimal) -> str:
        """A figure inside a working: in the scale that the figures came in, without its name."""
        scale = self.rounding.scale or self.scale
        return plain(value / SCALES[scale])

    def step(self, value: Decimal, unit: str) -> str:
        """An intermediate value inside a working, without currency and scale."""
        places = max(4 if unit == "times" else 2, self.rounding.places or 0)
        text = self.input(value) if unit == "money" else plain(value, places)
        text = f"{text}%" if unit == "%" else text
        return f"({text})" if value < 0 else text
