"""The values of formulas that a workbook does not hold: arithmetic, text, comparisons, references over sheets
and the functions that plain tables use. What else a formula says is not guessed: it has no value.

A formula is read into a tree and worked out with the cells that it names, each once. Circles end it, and so
do more nested cells than `_DEEPEST` and, for the whole workbook, more cells read than `_MOST_READ`."""

from __future__ import annotations

import ast
import math
import re
from functools import lru_cache
from typing import Any

from openpyxl.formula import Tokenizer
from openpyxl.utils.cell import range_boundaries

from rag.parsers import formula_functions as functions
from rag.parsers.formula_functions import Area, ErrorValue, NoValue, Scalar, one
from rag.parsers.number_format import Value
from rag.parsers.workbook import SheetCell, SheetPart, SheetRow, WorkbookFile

_DEEPEST = 60
_MOST_READ = 10_000_000
_LONGEST = 32_767  # characters of a cell
_ERRORS = frozenset(("#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!"))
# The operators of Python that bind as those of a sheet do: `await` stands for the minus in front, which binds
# more tightly than a power, and an attribute for the percent sign.
_WRITTEN = {"^": "**", "=": "==", "<>": "!="}
_SIGNS = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "^", ast.BitAnd: "&", ast.Eq: "=",
    ast.NotEq: "<>", ast.Lt: "<", ast.Gt: ">", ast.LtE: "<=", ast.GtE: ">=",
}  # fmt: skip
_AREA = re.compile(r"(?:(?P<sheet>'(?:[^']|'')+'|[^'!\[\]:]+)!)?(?P<area>[$A-Za-z0-9]+(?::[$A-Za-z0-9]+)?)")


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
            value = self._cell(sheet.title.lower(), row, column)
        except ErrorValue as error:
            return str(error)
        except (NoValue, RecursionError, ArithmeticError, ValueError, LookupError, TypeError):
            self._open.clear()
            return None
        return 0 if value is None else value

    def _sheet(self, title: str) -> dict[tuple[int, int], SheetCell]:
        if title not in self._cells:
            sheet = self._by_title[title]
            rows = (row for row in self._book.rows(sheet) if isinstance(row, SheetRow))
            self._cells[title] = found = {(row.number, c.column): c for row in rows for c in row.cells}
            self._left -= len(found)
            self._ends[title] = (max((r for r, _ in found), default=0), max((c for _, c in found), default=0))
        return self._cells[title]

    def _cell(self, title: str, row: int, column: int) -> Scalar:
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
            value = one(self._work_out(_tree(cell.formula), title))
            if isinstance(value, float) and not math.isfinite(value):
                raise ErrorValue("#NUM!")
            if isinstance(value, str) and len(value) > _LONGEST:
                raise ErrorValue("#VALUE!")
            self._known[key] = value
            self._open.discard(key)
        return self._known[key]

    def _area(self, title: str, left: int, top: int, right: int, bottom: int) -> Area:
        """The values of an area row by row, empty cells as None, cut at the end of its sheet."""
        self._sheet(title)
        last_row, last_column = self._ends[title]
        bottom, right = min(bottom, max(last_row, top)), min(right, max(last_column, left))
        if (bottom - top + 1) * (right - left + 1) > self._left:
            raise NoValue
        places = ((r, c) for r in range(top, bottom + 1) for c in range(left, right + 1))
        return Area((self._cell(title, *place) for place in places), right - left + 1)

    def _work_out(self, node: ast.expr, title: str) -> Any:
        match node:
            case ast.Constant(value):
                return value
            case ast.Tuple():
                name, *place = ast.literal_eval(node)
                if place:
                    return self._area(name or title, *place)
                return self._work_out(_tree(self._book.names[name]), title)
            case ast.Await(inner):
                return -functions.figure(one(self._work_out(inner, title)))
            case ast.Attribute(inner):
                return functions.figure(one(self._work_out(inner, title))) / 100
            case ast.BinOp(_, ast.Pow(), ast.BinOp(_, ast.Pow())):
                raise NoValue  # a sheet reads powers of powers from the left
            case ast.BinOp(left, sign, right) | ast.Compare(left, [sign], [right]):
                a, b = one(self._work_out(left, title)), one(self._work_out(right, title))
                return functions.combined(_SIGNS[type(sign)], a, b)
            case ast.Call(ast.Name(name), arguments):
                return self._call(name, arguments, title)
        raise NoValue

    def _call(self, name: str, arguments: list[ast.expr], title: str) -> Any:
        if name == "IF":
            first, *rest = arguments
            holds = functions.truth(one(self._work_out(first, title)))
            rest = rest[:1] if holds else rest[1:]
            return self._work_out(rest[0], title) if rest else holds
        if name in ("IFERROR", "IFNA"):
            try:
                return one(self._work_out(arguments[0], title))
            except ErrorValue:
                return self._work_out(arguments[1], title)
        return functions.FUNCTIONS[name](*(self._work_out(argument, title) for argument in arguments))


@lru_cache(maxsize=10_000)
def _tree(formula: str) -> ast.expr:
    """The tree of a formula without its equals sign. Raises NoValue."""
    if not formula or len(formula) > 8192:
        raise NoValue
    pieces: list[str] = []
    try:
        for item in Tokenizer(f"={formula}").items:
            if item.type != "WHITE-SPACE":
                missing = item.type == "SEP" or (item.type == "FUNC" and item.subtype == "CLOSE")
                if missing and (pieces[-1] == "," or (item.type == "SEP" and pieces[-1].endswith("("))):
                    pieces.append("None")
                pieces.append(_written(item))
        return ast.parse(" ".join(filter(None, pieces)).replace("await await ", ""), mode="eval").body
    except Exception as error:  # the libraries' own, and what they did not foresee
        raise NoValue from error


def _written(item: Any) -> str:
    """A token of a formula as it stands in an expression of Python."""
    text = item.value
    match item.type, item.subtype:
        case ("FUNC", "OPEN"):
            return str(text.upper().removeprefix("_XLFN."))
        case ("FUNC" | "PAREN" | "SEP", "OPEN" | "CLOSE" | "ARG"):
            return str(text)
        case ("OPERATOR-PREFIX", _):
            return "await" if text == "-" else ""
        case ("OPERATOR-POSTFIX", _):
            return ".percent"
        case ("OPERATOR-INFIX", _):
            return str(_WRITTEN.get(text, text))
        case ("OPERAND", "NUMBER"):
            return repr(float(text) if re.search("[.eE]", text) else int(text))
        case ("OPERAND", "TEXT"):
            return repr(text[1:-1].replace('""', '"'))
        case ("OPERAND", "LOGICAL"):
            return str(text.title())
        case ("OPERAND", "RANGE"):
            return repr(_place(text))
    raise NoValue


def _place(text: str) -> tuple[Any, ...]:
    """A reference as sheet ("" for its own), first column, first row, last column, last row, or a name."""
    match = _AREA.fullmatch(text)
    try:
        left, top, right, bottom = range_boundaries(match["area"]) if match else (None,) * 4
    except ValueError:
        left = top = None
    if match is None or not (top or (left and ":" in match["area"])):
        return (text.lower(),)
    sheet = (match["sheet"] or "").strip("'").replace("''", "'").lower()
    (left, right), (top, bottom) = (
        sorted((left or 1, right or 16_384)),
        sorted((top or 1, bottom or 1_048_576)),
    )
    return sheet, left, top, right, bottom
