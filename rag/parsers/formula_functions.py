"""What the operators and functions of a sheet's formulas give; areas come as lists of their values."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Iterator, Sequence
from decimal import ROUND_DOWN, ROUND_HALF_UP, ROUND_UP, Decimal
from typing import Any

from rag.parsers.number_format import Value, show

_CRITERION = re.compile(r"(<=|>=|<>|<|>|=)?(.*)", re.S)
Scalar = Value | None


class NoValue(Exception):
    """A formula that is not worked out."""


class ErrorValue(Exception):
    """What a cell shows instead of a value: "#DIV/0!"."""


def figure(value: Scalar) -> float:
    if value is None:
        return 0
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError as error:
            raise ErrorValue("#VALUE!") from error
    return value


def _words(value: Scalar) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else show(value, "")


def truth(value: Scalar) -> bool:
    if isinstance(value, str):
        raise ErrorValue("#VALUE!")
    return bool(value)


def figures(worked: Sequence[Any]) -> Iterator[float]:
    """The numbers of what a function was given: of areas only what is one, of values what reads as one."""
    for value in worked:
        if isinstance(value, list):
            yield from (v for v in value if isinstance(v, int | float) and not isinstance(v, bool))
        elif value is not None:
            yield figure(value)


def same(left: Scalar, right: Scalar) -> bool:
    if isinstance(left, str) and isinstance(right, str):
        return left.casefold() == right.casefold()
    if left is None or right is None:
        return (left is None and right is None) or not (left or right)
    return isinstance(left, str) == isinstance(right, str) and left == right


_SIGNS: dict[str, Callable[[float, float], float]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "^": operator.pow,
}  # fmt: skip
_COMPARED: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt, ">": operator.gt, "<=": operator.le, ">=": operator.ge,
}  # fmt: skip


def combined(sign: str, left: Scalar, right: Scalar) -> Scalar:
    if sign == "&":
        return _words(left) + _words(right)
    if sign in ("=", "<>"):
        return same(left, right) == (sign == "=")
    if sign in _COMPARED:
        if isinstance(left, str) != isinstance(right, str):  # text lies above all numbers
            left, right = int(isinstance(left, str)), int(isinstance(right, str))
        elif isinstance(left, str) and isinstance(right, str):
            return _COMPARED[sign](left.casefold(), right.casefold())
        return _COMPARED[sign](left or 0, right or 0)
    a, b = figure(left), figure(right)
    if sign == "/":
        if not b:
            raise ErrorValue("#DIV/0!")
        return a / b
    if sign == "^" and (abs(b) > 1000 or (not a and b < 0) or (a < 0 and b != int(b))):
        raise ErrorValue("#NUM!")
    result = _SIGNS[sign](float(a) if sign == "^" or abs(a) > 1e9 else a, b)
    return 0.0 if sign in "+-" and abs(result) < 1e-15 * max(abs(a), abs(b)) else result


def _rounded(mode: str) -> Callable[..., float]:
    def work_out(value: Scalar, places: Scalar = 0) -> float:
        step = Decimal(1).scaleb(-int(figure(places)))
        exact = Decimal(repr(float(figure(value))))
        return float((exact / step).quantize(Decimal(1), mode) * step)

    return work_out


def _fits(criterion: Scalar) -> Callable[[Scalar], bool]:
    """What SUMIF and COUNTIF ask of a cell: a value, ">=5", "<>", or words with * and ?."""
    sign, text = _CRITERION.fullmatch(_words(criterion)).groups()  # type: ignore[union-attr]
    try:
        limit: Value = float(text)
    except ValueError:
        limit = text
    if sign in _COMPARED:
        compare = _COMPARED[sign]
        return lambda v: (
            v is not None and isinstance(v, str) == isinstance(limit, str) and bool(compare(v, limit))
        )
    if isinstance(limit, str):
        if len(limit) > 255 or limit.count("*") > 2:
            raise NoValue
        pattern = re.escape(limit).replace(r"\*", ".*").replace(r"\?", ".")
        wanted = re.compile(pattern, re.I | re.S)
        return lambda v: (wanted.fullmatch(_words(v)[:1000]) is not None) == (sign != "<>")
    return lambda v: (v is not None and not isinstance(v, str) and v == limit) == (sign != "<>")


def _if_areas(count: bool, mean: bool = False) -> Callable[..., float]:
    def work_out(area: list[Scalar], criterion: Any, summed: list[Scalar] | None = None) -> float:
        fits = _fits(criterion[0] if isinstance(criterion, list) else criterion)
        summed = area if summed is None else summed
        if count:
            return sum(map(fits, area))
        found = list(figures([[s for v, s in zip(area, summed, strict=False) if fits(v)]]))
        return _mean(found) if mean else sum(found)

    return work_out


def _sum_of_products(*areas: list[Scalar]) -> float:
    if len({len(area) for area in areas}) != 1:
        raise ErrorValue("#VALUE!")
    rows = zip(*areas, strict=True)
    return sum(math.prod(float(v) if isinstance(v, int | float) else 0 for v in row) for row in rows)


def _matched(sought: Any, area: list[Scalar], kind: Any = 1) -> float:
    if kind != 0:
        raise NoValue
    value = sought[0] if isinstance(sought, list) else sought
    found = next((n for n, v in enumerate(area, 1) if same(v, value)), None)
    if found is None:
        raise ErrorValue("#N/A")
    return found


def _mean(values: Sequence[float]) -> float:
    if not values:
        raise ErrorValue("#DIV/0!")
    return math.fsum(values) / len(values)


def _middle(values: list[float]) -> float:
    values, half = sorted(values), len(values) // 2
    return values[half] if len(values) % 2 else _mean(values[half - 1 : half + 1])


def _divided(a: Scalar, b: Scalar) -> tuple[float, float]:
    if not figure(b):
        raise ErrorValue("#DIV/0!")
    return figure(a), figure(b)


SUBTOTALS = {1: "AVERAGE", 2: "COUNT", 3: "COUNTA", 4: "MAX", 5: "MIN", 9: "SUM"}
OVER_AREAS: dict[str, Callable[..., Any]] = {
    "SUMIF": _if_areas(False), "COUNTIF": _if_areas(True), "AVERAGEIF": _if_areas(False, True),
    "SUMPRODUCT": _sum_of_products, "MATCH": _matched, "ROWS": len,
}  # fmt: skip
OVER_FIGURES: dict[str, Callable[[list[float]], float]] = {
    "SUM": math.fsum, "AVERAGE": _mean, "COUNT": len,
    "MIN": lambda v: min(v, default=0), "MAX": lambda v: max(v, default=0),
    "PRODUCT": lambda v: math.prod(map(float, v)), "MEDIAN": _middle,
}  # fmt: skip
OVER_VALUES: dict[str, Callable[[list[Scalar]], Scalar]] = {
    "COUNTA": lambda v: sum(x is not None for x in v),
    "COUNTBLANK": lambda v: sum(x in (None, "") for x in v),
    "AND": lambda v: all(truth(x) for x in v if x is not None),
    "OR": lambda v: any(truth(x) for x in v if x is not None),
    **dict.fromkeys(("CONCATENATE", "CONCAT"), lambda v: "".join(map(_words, v))),
}  # fmt: skip
OF_VALUES: dict[str, Callable[..., Any]] = {
    "ROUND": _rounded(ROUND_HALF_UP), "ROUNDUP": _rounded(ROUND_UP), "ROUNDDOWN": _rounded(ROUND_DOWN),
    "TRUNC": _rounded(ROUND_DOWN), "INT": lambda v: math.floor(figure(v)), "ABS": lambda v: abs(figure(v)),
    "SQRT": lambda v: math.sqrt(figure(v)), "POWER": lambda a, b: combined("^", a, b),
    "MOD": lambda a, b: operator.mod(*_divided(a, b)), "NOT": lambda v: not truth(v),
    "LEN": lambda v: len(_words(v)), "LEFT": lambda v, n=1: _words(v)[: max(int(figure(n)), 0)],
    "RIGHT": lambda v, n=1: _words(v)[max(len(_words(v)) - int(figure(n)), 0) :],
    "MID": lambda v, a, n: _words(v)[int(a) - 1 : int(a) - 1 + int(n)], "UPPER": lambda v: _words(v).upper(),
    "LOWER": lambda v: _words(v).lower(), "TRIM": lambda v: " ".join(_words(v).split()),
    "TEXT": lambda v, code: show(v, _words(code)), "VALUE": figure, "TRUE": lambda: True,
    "FALSE": lambda: False, "ISBLANK": lambda v: v is None, "N": lambda v: figure(v) if v is not None else 0,
}  # fmt: skip
