"""What the operators and functions of a sheet's formulas give."""

from __future__ import annotations

import math
import operator
import re
import statistics
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import ROUND_DOWN, ROUND_HALF_UP, ROUND_UP, Decimal
from itertools import chain
from typing import Any

from rag.parsers.number_format import Value, show

_CRITERION = re.compile(r"(<=|>=|<>|<|>|=)?(.*)", re.S)
Scalar = Value | None


class NoValue(Exception):
    """A formula that is not worked out."""


class ErrorValue(Exception):
    """What a cell shows instead of a value: "#DIV/0!"."""


class Area(list[Scalar]):
    """The values of an area, row by row; `width` is its number of columns."""

    def __init__(self, values: Iterable[Scalar], width: int) -> None:
        super().__init__(values)
        self.width = width


def one(value: Any) -> Scalar:
    """A value, where an area of one cell may stand for it."""
    if isinstance(value, list):
        if len(value) != 1:
            raise NoValue
        value = value[0]
    return value  # type: ignore[no-any-return]


def figure(value: Scalar) -> float:
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError as error:
            raise ErrorValue("#VALUE!") from error
    return 0 if value is None else value


def _words(value: Scalar) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else show(value, "")


def truth(value: Scalar) -> bool:
    if isinstance(value, str):
        raise ErrorValue("#VALUE!")
    return bool(value)


def _figures(worked: Sequence[Any]) -> Iterator[float]:
    """The numbers of what a function was given: of areas only what is one, of values what reads as one."""
    for value in worked:
        if isinstance(value, list):
            yield from (v for v in value if isinstance(v, int | float) and not isinstance(v, bool))
        elif value is not None:
            yield figure(value)


def _same(left: Scalar, right: Scalar) -> bool:
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
    """What an operator makes of two values."""
    if sign == "&":
        return _words(left) + _words(right)
    if sign in ("=", "<>"):
        return _same(left, right) == (sign == "=")
    if sign in _COMPARED:
        # Text lies above all numbers.
        keys = ((True, v.casefold()) if isinstance(v, str) else (False, v or 0) for v in (left, right))
        return _COMPARED[sign](*keys)
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
        return lambda v: (
            v is not None and isinstance(v, str) == isinstance(limit, str) and bool(_COMPARED[sign](v, limit))
        )
    if isinstance(limit, str):
        if len(limit) > 255 or limit.count("*") > 2:
            raise NoValue
        wanted = re.compile(re.escape(limit).replace(r"\*", ".*").replace(r"\?", "."), re.I | re.S)
        return lambda v: (wanted.fullmatch(_words(v)[:1000]) is not None) == (sign != "<>")
    return lambda v: (v is not None and not isinstance(v, str) and v == limit) == (sign != "<>")


def _of_those(area: list[Scalar], criterion: Any, summed: list[Scalar] | None = None) -> list[float]:
    """The numbers of SUMIF and AVERAGEIF."""
    fits = _fits(one(criterion))
    summed = area if summed is None else summed
    return list(_figures([[s for v, s in zip(area, summed, strict=False) if fits(v)]]))


def _sum_of_products(*areas: list[Scalar]) -> float:
    if len({len(area) for area in areas}) != 1:
        raise ErrorValue("#VALUE!")
    rows = zip(*areas, strict=True)
    return sum(math.prod(float(v) if isinstance(v, int | float) else 0 for v in row) for row in rows)


def _match(sought: Any, area: Sequence[Scalar], kind: Any = 1) -> int:
    """MATCH for what is the same; to look for the nearest needs an order that nobody promises."""
    if one(kind) != 0:
        raise NoValue
    found = next((n for n, v in enumerate(area, 1) if _same(v, one(sought))), None)
    if found is None:
        raise ErrorValue("#N/A")
    return found


def _index(area: Area, row: Any, column: Any = None) -> Scalar:
    height = len(area) // area.width
    down, right = int(figure(one(row))), 1 if column is None else int(figure(one(column)))
    if column is None and height == 1:
        down, right = 1, down
    if not (0 < down <= height and 0 < right <= area.width):
        raise ErrorValue("#REF!")
    return area[(down - 1) * area.width + right - 1]


def _looked_up(sought: Any, area: Area, column: Any, near: Any = True) -> Scalar:
    return _index(area, _match(sought, area[:: area.width], int(truth(one(near)))), column)


def _mean(values: list[float]) -> float:
    if not values:
        raise ErrorValue("#DIV/0!")
    return statistics.fmean(values)


_OVER_FIGURES: dict[str, Callable[[list[float]], float]] = {
    "SUM": math.fsum, "AVERAGE": _mean, "COUNT": len, "MEDIAN": statistics.median, "PRODUCT": math.prod,
    "MIN": lambda v: min(v, default=0), "MAX": lambda v: max(v, default=0),
}  # fmt: skip
_OVER_VALUES: dict[str, Callable[[list[Scalar]], Scalar]] = {
    "COUNTA": lambda v: sum(x is not None for x in v),
    "AND": lambda v: all(truth(x) for x in v if x is not None),
    "OR": lambda v: any(truth(x) for x in v if x is not None),
    **dict.fromkeys(("CONCATENATE", "CONCAT"), lambda v: "".join(map(_words, v))),
}  # fmt: skip
_OF_VALUES: dict[str, Callable[..., Any]] = {
    "ROUND": _rounded(ROUND_HALF_UP), "ROUNDUP": _rounded(ROUND_UP), "ROUNDDOWN": _rounded(ROUND_DOWN),
    "TRUNC": _rounded(ROUND_DOWN), "INT": lambda v: math.floor(figure(v)), "ABS": lambda v: abs(figure(v)),
    "SQRT": lambda v: combined("^", v, 0.5), "POWER": lambda a, b: combined("^", a, b),
    "NOT": lambda v: not truth(v), "TRIM": lambda v: " ".join(_words(v).split()),
    "UPPER": lambda v: _words(v).upper(), "LOWER": lambda v: _words(v).lower(),
    "TEXT": lambda v, code: show(v, _words(code)), "VALUE": figure,
    "TRUE": lambda: True, "FALSE": lambda: False, "ISBLANK": lambda v: v is None,
}  # fmt: skip
_SUBTOTALS = {1: "AVERAGE", 2: "COUNT", 3: "COUNTA", 4: "MAX", 5: "MIN", 9: "SUM"}


def _over_figures(function: Callable[[list[float]], float]) -> Callable[..., Any]:
    return lambda *worked: function(list(_figures(worked)))


def _over_values(function: Callable[[list[Scalar]], Scalar]) -> Callable[..., Any]:
    return lambda *worked: function(
        list(chain.from_iterable(w if isinstance(w, list) else [w] for w in worked))
    )


def _of_values(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *worked: function(*map(one, worked))


# What a function gives for its arguments: values, areas as lists.
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "SUMIF": lambda *worked: math.fsum(_of_those(*worked)),
    "AVERAGEIF": lambda *worked: _mean(_of_those(*worked)),
    "COUNTIF": lambda area, criterion: sum(map(_fits(one(criterion)), area)),
    "SUMPRODUCT": _sum_of_products, "MATCH": _match, "INDEX": _index, "VLOOKUP": _looked_up,
    "SUBTOTAL": lambda kind, *worked: FUNCTIONS[_SUBTOTALS[int(figure(one(kind))) % 100]](*worked),
    **{name: _over_figures(function) for name, function in _OVER_FIGURES.items()},
    **{name: _over_values(function) for name, function in _OVER_VALUES.items()},
    **{name: _of_values(function) for name, function in _OF_VALUES.items()},
}  # fmt: skip
