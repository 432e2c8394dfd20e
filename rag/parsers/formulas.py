"""The values of formulas that a workbook does not hold: arithmetic, text, comparisons, references over sheets
and the functions that plain tables use. What else a formula says is not guessed: it has no value.

A formula is read into a tree and worked out with the cells that it names, each once. Circles end it, and so
do more nested cells than `_DEEPEST` and, for the whole workbook, more cells read than `_MOST_READ`."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any

from openpyxl.formula import Tokenizer
from openpyxl.utils.cell import range_boundaries

from rag.parsers import formula_functions as functions
from rag.parsers.formula_functions import ErrorValue, NoValue, Scalar
from rag.parsers.number_format import Value
from rag.parsers.workbook import SheetCell, SheetPart, SheetRow, WorkbookFile

_DEEPEST = 60
_MOST_READ = 10_000_000
_LONGEST = 32_767  # characters of a cell
_ERRORS = frozenset(("#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!"))
_LEVELS = (("=", "<>", "<", ">", "<=", ">="), ("&",), ("+", "-"), ("*", "/"), ("^",))
_AREA = re.compile(r"(?:(?P<sheet>'(?:[^']|'')+'|[^'!\[\]:]+)!)?(?P<area>[$A-Za-z0-9]+(?::[$A-Za-z0-9]+)?)")
# A node: ("value", v), ("area", sheet, c1, r1, c2, r2), ("op", sign, left, right), ("minus", x),
# ("percent", x), ("call", name, arguments).
Node = tuple[Any, ...]


class Formulas:
    """Works out the formulas of one workbook."""

    def __init__(self, book: WorkbookFile) -> None:
        self._book = book
        self._by_title = {sheet.title.lower(): sheet for sheet in book.sheets if sheet.part}
        self._cells: dict[str, dict[tuple[int, int], SheetCell]] = {}
        self._ends: dict[str, tuple[int, int]] = {}
        self._known: dict[tuple[str, int, int], Scalar] = {}
        self._open: set[tuple[str, int, int]] = set()
        self._left = _MOST_READ

    def value(self, sheet: SheetPart, row: int, column: int) -> Value | None:
        """The value of a cell (1-based), None where it is not worked out, or "#DIV/0!" and the like."""
        try:
            value = self._cell(sheet.title, row, column)
        except ErrorValue as error:
            return str(error)
        except (NoValue, RecursionError, OverflowError, ValueError, ArithmeticError, IndexError, TypeError):
            self._open.clear()
            return None
        return 0 if value is None else value

    def _sheet(self, title: str) -> dict[tuple[int, int], SheetCell]:
        if title not in self._cells:
            sheet = self._by_title.get(title)
            if sheet is None:
                raise NoValue
            rows = (row for row in self._book.rows(sheet) if isinstance(row, SheetRow))
            self._cells[title] = found = {(row.number, c.column): c for row in rows for c in row.cells}
            self._left -= len(found)
            self._ends[title] = (max((r for r, _ in found), default=0), max((c for _, c in found), default=0))
        return self._cells[title]

    def _cell(self, title: str, row: int, column: int) -> Scalar:
        title = title.lower()
        cell = self._sheet(title).get((row, column))
        stored = cell.value if cell is not None else None
        self._left -= 1 + (len(stored) // 16 if isinstance(stored, str) else 0)
        if self._left < 0:
            raise NoValue
        if cell is None or stored is not None:
            if stored in _ERRORS:
                raise ErrorValue(stored)
            return stored
        key = (title, row, column)
        if key not in self._known:
            if key in self._open or len(self._open) >= _DEEPEST:
                raise NoValue
            self._open.add(key)
            self._known[key] = self._one(self._work_out(_tree(cell.formula), title))
            self._open.discard(key)
        return self._known[key]

    def _one(self, value: Any) -> Scalar:
        """A value where an area of one cell may stand for it."""
        if isinstance(value, list):
            if len(value) != 1:
                raise NoValue
            value = value[0]
        if isinstance(value, float) and not math.isfinite(value):
            raise ErrorValue("#NUM!")
        if isinstance(value, str) and len(value) > _LONGEST:
            raise ErrorValue("#VALUE!")
        return value  # type: ignore[no-any-return]

    def _area(self, node: Node, title: str) -> list[Scalar]:
        """The values of an area row by row, empty cells as None, cut at the end of its sheet."""
        _, sheet, left, top, right, bottom = node
        title = sheet or title
        self._sheet(title)
        last_row, last_column = self._ends[title]
        bottom, right = min(bottom, max(last_row, top)), min(right, max(last_column, left))
        if (bottom - top + 1) * (right - left + 1) > self._left:
            raise NoValue
        return [self._cell(title, r, c) for r in range(top, bottom + 1) for c in range(left, right + 1)]

    def _work_out(self, node: Node, title: str) -> Any:
        match node:
            case ("value", value):
                return value
            case ("area", *_):
                return self._area(node, title)
            case ("name", name):
                text = self._book.names.get(name)
                if text is None:
                    raise NoValue
                return self._work_out(_tree(text), title)
            case ("minus", inner):
                return -functions.figure(self._one(self._work_out(inner, title)))
            case ("percent", inner):
                return functions.figure(self._one(self._work_out(inner, title))) / 100
            case ("op", sign, left, right):
                return functions.combined(
                    sign, self._one(self._work_out(left, title)), self._one(self._work_out(right, title))
                )
        _, name, arguments = node
        return self._call(name, arguments, title)

    def _call(self, name: str, arguments: Sequence[Node], title: str) -> Any:
        def at(n: int, default: Any = None) -> Scalar:
            return self._one(self._work_out(arguments[n], title)) if n < len(arguments) else default

        if name == "IF":
            return at(1) if functions.truth(at(0)) else at(2, False)
        if name in ("IFERROR", "IFNA"):
            try:
                return at(0)
            except ErrorValue:
                return at(1)
        if name == "SUBTOTAL" and int(functions.figure(at(0))) % 100 in (1, 2, 3, 4, 5, 9):
            name, arguments = functions.SUBTOTALS[int(functions.figure(at(0))) % 100], arguments[1:]
        if name in ("VLOOKUP", "INDEX"):
            return self._looked_up(name, arguments, title, at)
        worked = [self._work_out(argument, title) for argument in arguments]
        if name in functions.OVER_AREAS:
            return functions.OVER_AREAS[name](*worked)
        if name in functions.OVER_FIGURES:
            return functions.OVER_FIGURES[name](list(functions.figures(worked)))
        if name in functions.OVER_VALUES:
            values = (w if isinstance(w, list) else [w] for w in worked)
            return functions.OVER_VALUES[name](list(chain.from_iterable(values)))
        if name in functions.OF_VALUES:
            return functions.OF_VALUES[name](*map(self._one, worked))
        raise NoValue

    def _looked_up(self, name: str, arguments: Sequence[Node], title: str, at: Callable[..., Scalar]) -> Any:
        """VLOOKUP for what is the same, and INDEX: both need the shape of their area."""
        area = arguments[1 if name == "VLOOKUP" else 0]
        if area[0] != "area":
            raise NoValue
        _, sheet, left, top, right, bottom = area
        sheet = sheet or title
        if name == "INDEX":
            row, column = int(functions.figure(at(1))), int(functions.figure(at(2, 1)))
            if left != right and top == bottom and len(arguments) == 2:
                row, column = 1, row
            inside = 0 < row <= bottom - top + 1 and 0 < column <= right - left + 1
            if not inside:
                raise ErrorValue("#REF!")
            return self._cell(sheet, top + row - 1, left + column - 1)
        if functions.truth(at(3, True)):
            raise NoValue
        sought = at(0)
        keys = self._area(("area", sheet, left, top, left, bottom), title)
        found = next((n for n, key in enumerate(keys) if functions.same(key, sought)), None)
        if found is None:
            raise ErrorValue("#N/A")
        return self._cell(sheet, top + found, left + int(functions.figure(at(2))) - 1)


@lru_cache(maxsize=10_000)
def _tree(formula: str) -> Node:
    """The tree of a formula without its equals sign. Raises NoValue."""
    if not formula or len(formula) > 8192:
        raise NoValue
    try:
        items = [t for t in Tokenizer(f"={formula}").items if t.type != "WHITE-SPACE"]
    except Exception as error:  # the library's own, and what it did not foresee
        raise NoValue from error
    reader = _Reader(items)
    node = reader.expression(0)
    if reader.at < len(items):
        raise NoValue
    return node


class _Reader:
    """Reads the tokens of a formula; the tighter an operator binds, the deeper its level."""

    def __init__(self, items: Sequence[Any]) -> None:
        self._items = items
        self.at = 0

    def _next(self, kind: str = "") -> Any:
        if self.at >= len(self._items) or (kind and self._items[self.at].type != kind):
            raise NoValue
        self.at += 1
        return self._items[self.at - 1]

    def _is(self, kind: str, subtype: str = "") -> bool:
        item = self._items[self.at] if self.at < len(self._items) else None
        return item is not None and item.type == kind and (not subtype or item.subtype == subtype)

    def expression(self, level: int) -> Node:
        if level == len(_LEVELS):
            return self._operand()
        node = self.expression(level + 1)
        while self._is("OPERATOR-INFIX") and self._items[self.at].value in _LEVELS[level]:
            sign = self._next().value
            node = ("op", sign, node, self.expression(level + 1))
        return node

    def _operand(self) -> Node:
        if self._is("OPERATOR-PREFIX"):
            sign = self._next().value
            inner = self._operand()
            return ("minus", inner) if sign == "-" else inner
        if self._is("PAREN", "OPEN"):
            self._next()
            node = self.expression(0)
            self._next("PAREN")
        elif self._is("FUNC", "OPEN"):
            node = self._function()
        else:
            node = _operand(self._next("OPERAND"))
        while self._is("OPERATOR-POSTFIX"):
            self._next()
            node = ("percent", node)
        return node

    def _function(self) -> Node:
        name = self._next().value[:-1].upper().removeprefix("_XLFN.")
        arguments: list[Node] = []
        while not self._is("FUNC", "CLOSE"):
            if self._is("SEP", "ARG"):
                self._next()
                if self._is("SEP", "ARG") or self._is("FUNC", "CLOSE"):
                    arguments.append(("value", None))
                continue
            arguments.append(self.expression(0))
        self._next()
        return ("call", name, tuple(arguments))


def _operand(item: Any) -> Node:
    text = item.value
    if item.subtype == "NUMBER":
        return ("value", float(text) if re.search("[.eE]", text) else int(text))
    if item.subtype == "TEXT":
        return ("value", text[1:-1].replace('""', '"'))
    if item.subtype == "LOGICAL":
        return ("value", text.upper() == "TRUE")
    if item.subtype == "ERROR":
        raise NoValue
    match = _AREA.fullmatch(text)
    try:
        left, top, right, bottom = range_boundaries(match["area"]) if match else (None,) * 4
    except ValueError:
        left = top = None
    if match is None or not (top or (left and ":" in match["area"])):
        return ("name", text.lower())
    sheet = (match["sheet"] or "").strip("'").replace("''", "'").lower()
    (left, right), (top, bottom) = (
        sorted((left or 1, right or 16_384)),
        sorted((top or 1, bottom or 1_048_576)),
    )
    return ("area", sheet, left, top, right, bottom)
