"""Units of measure, money and time under one name each, with exact factors to their base unit.

Calendar units that have no fixed length in days stay apart: a month is never thirty days, a business day
never a day."""

from __future__ import annotations

import re
from fractions import Fraction

F = Fraction
CURRENCY_BEFORE = {
    "us$": "USD", "usd": "USD", "hk$": "HKD", "hkd": "HKD", "c$": "CAD", "cad": "CAD", "a$": "AUD",
    "aud": "AUD",
    "$": "$", "€": "EUR", "eur": "EUR", "£": "GBP", "gbp": "GBP", "rmb": "CNY", "cny": "CNY", "人民币": "CNY",
    "¥": "¥", "￥": "¥", "jpy": "JPY", "chf": "CHF", "sgd": "SGD", "s$": "SGD", "港币": "HKD", "inr": "INR",
    "₹": "INR",
}  # fmt: skip
CURRENCY_AFTER = {
    "us dollars": "USD", "u.s. dollars": "USD", "hong kong dollars": "HKD", "dollars": "$", "dollar": "$",
    "usd": "USD",
    "euros": "EUR", "euro": "EUR", "eur": "EUR", "pounds sterling": "GBP", "gbp": "GBP", "yuan": "CNY",
    "renminbi": "CNY",
    "rmb": "CNY", "cny": "CNY", "yen": "JPY", "jpy": "JPY", "hkd": "HKD", "chf": "CHF", "swiss francs": "CHF",
    "元人民币": "CNY", "元": "CNY", "圆": "CNY", "人民币": "CNY", "美元": "USD", "美金": "USD",
    "港元": "HKD", "港币": "HKD",
    "欧元": "EUR", "英镑": "GBP", "日元": "JPY", "新加坡元": "SGD", "加元": "CAD", "澳元": "AUD",
    "瑞士法郎": "CHF",
}  # fmt: skip
# A sign that several currencies share agrees with each of them.
_SHARED_SIGNS = {"$": {"USD", "HKD", "CAD", "AUD", "SGD"}, "¥": {"CNY", "JPY"}}
_NO_LETTER = r"(?![A-Za-z])"


def _table(*rows: tuple[str, str, Fraction | int]) -> dict[str, tuple[str, Fraction]]:
    return {alias: (base, Fraction(factor)) for names, base, factor in rows for alias in names.split("|")}


TIME = _table(
    ("second|seconds|sec|secs|秒|秒钟", "day", F(1, 86400)),
    ("minute|minutes|min|mins|分钟", "day", F(1, 1440)),
    ("hour|hours|hr|hrs|h|小时|个小时", "day", F(1, 24)),
    ("day|days|calendar day|calendar days|日|天|自然日|日内|日历日", "day", 1),
    (
        "business day|business days|working day|working days|trading day|trading "
        "days|工作日|个工作日|交易日|个交易日",
        "business day",
        1,
    ),
    ("week|weeks|周|个星期|星期", "day", 7),
    ("month|months|calendar month|calendar months|个月|月|mo", "month", 1),
    ("quarter|quarters|个季度", "month", 3),
    ("year|years|yr|yrs|年|周年|周岁|岁|calendar year|calendar years", "month", 12),
)

MEASURE = _table(
    ("mg|milligram|milligrams|毫克", "g", F(1, 1000)),
    ("g|gram|grams|gm|克", "g", 1),
    ("kg|kilogram|kilograms|kilo|kilos|千克|公斤", "g", 1000),
    ("mcg|µg|μg|ug|microgram|micrograms|微克", "g", F(1, 10**6)),
    ("ng|nanogram|nanograms|纳克", "g", F(1, 10**9)),
    ("tonne|tonnes|metric tons|吨", "g", 10**6),
    ("lb|lbs", "lb", 1),
    ("ml|milliliter|milliliters|millilitre|millilitres|毫升|cc", "l", F(1, 1000)),
    ("dl|deciliter|deciliters", "l", F(1, 10)),
    ("l|liter|liters|litre|litres|升", "l", 1),
    ("mmol|毫摩尔", "mol", F(1, 1000)),
    ("µmol|μmol|umol|微摩尔", "mol", F(1, 10**6)),
    ("mol|摩尔", "mol", 1),
    ("iu|international units|国际单位", "iu", 1),
    ("mmhg|毫米汞柱", "mmhg", 1),
    ("mm|millimeter|millimeters|millimetre|millimetres|毫米", "m", F(1, 1000)),
    ("cm|centimeter|centimeters|centimetre|centimetres|厘米", "m", F(1, 100)),
    ("m|meter|meters|metre|metres|米", "m", 1),
    ("km|kilometer|kilometers|kilometre|kilometres|公里|千米", "m", 1000),
    ("mile|miles|英里", "mile", 1),
    ("ft|feet|foot|英尺", "ft", 1),
    ("sq ft|square feet|平方英尺", "ft2", 1),
    ("m2|m²|sqm|square meters|square metres|平方米", "m2", 1),
    ("km2|km²|square kilometers|square kilometres|平方公里", "m2", 10**6),
    ("hectare|hectares|ha|公顷", "m2", 10**4),
    ("亩", "mu", 1),
    ("°c|℃|degrees celsius|摄氏度", "°c", 1),
    ("°f|℉|degrees fahrenheit|华氏度", "°f", 1),
    ("kcal|千卡", "kcal", 1),
    ("kwh|千瓦时", "wh", 1000),
    ("mw|megawatts|兆瓦", "w", 10**6),
    ("gw|gigawatts|吉瓦", "w", 10**9),
    ("kw|kilowatts|千瓦", "w", 1000),
    ("times|倍|fold|次", "times", 1),
)


def alternatives(names: dict[str, str] | dict[str, tuple[str, Fraction]]) -> str:
    """A regular expression of the names, longest first; an ASCII name does not run on into another letter."""
    ordered = sorted(names, key=len, reverse=True)
    return "|".join(
        re.escape(n) + (_NO_LETTER if n[-1].isascii() and n[-1].isalnum() else "") for n in ordered
    )


def same_currency(a: str, b: str) -> bool:
    """True where two currency names can mean the same money: "$" agrees with USD and HKD, which do not
    agree."""
    return a == b or b in _SHARED_SIGNS.get(a, ()) or a in _SHARED_SIGNS.get(b, ())
