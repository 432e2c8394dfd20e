"""How computed figures are printed: scale, places, currency and unit, in English and Chinese."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from rag.rounding import SCALES, Rounding, plain

_ZH_CURRENCY = {"CNY": "元", "USD": "美元", "HKD": "港元", "EUR": "欧元", "GBP": "英镑", "JPY": "日元"}
_ZH_SCALE = {"thousand": "千", "million": "百万", "billion": "十亿", "trillion": "万亿"}
_EN_SCALE = {"万": "ten thousand", "亿": "hundred million"}
_PLACES = {"%": 1, "times": 2, "days": 1, "points": 1, "money per share": 2, "rate": 2}


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
            places = _PLACES.get(unit, 0 if value == value.to_integral_value() else 2)
            if unit in ("%", "points") and abs(value) < 1:
                places = 2  # one place of a small share says too little
        if unit == "times" and self.rounding.unit == "%":
            return f"{plain(value * 100, places)}%"
        number = plain(value, places)
        if unit == "%":
            return f"{number}%"
        zh = self.language == "zh"
        if unit == "points":
            return f"{number}个百分点" if zh else f"{number} percentage points"
        if unit == "days":
            return f"{number}天" if zh else f"{number} days"
        if unit == "shares":
            return f"{plain(value)}股" if zh else f"{plain(value)} shares"
        if unit == "money per share":
            return f"{number}{_ZH_CURRENCY.get(self.currency, '')}/股" if zh else self._named(number, "")
        return number

    def _money(self, value: Decimal, places: int | None) -> str:
        scale = self.rounding.scale or self.scale
        if not self.rounding.scale and self.language == "zh":
            scale = ""
        scaled = value / SCALES[scale]
        if places is None:
            exact = max(0, -int(scaled.normalize().as_tuple().exponent))
            places = min(exact, 2)
        number = plain(scaled, places)
        if self.language == "zh":
            return f"{number}{_ZH_SCALE.get(scale, scale)}{_ZH_CURRENCY.get(self.currency, '元')}"
        return self._named(number, scale)

    def _named(self, number: str, scale: str) -> str:
        name = _EN_SCALE.get(scale, scale)
        return " ".join(part for part in (self.currency, number, name) if part)

    def input(self, value: Decimal) -> str:
        """A figure inside a working: in the scale that the figures came in, without its name."""
        scale = self.rounding.scale or self.scale
        return plain(value / SCALES[scale])

    def step(self, value: Decimal, unit: str) -> str:
        """An intermediate value inside a working, without currency and scale."""
        if unit == "money":
            text = self.input(value)
        else:
            text = plain(value, max(4 if unit == "times" else 2, self.rounding.places or 0))
        text = f"{text}%" if unit == "%" else text
        return f"({text})" if value < 0 else text
