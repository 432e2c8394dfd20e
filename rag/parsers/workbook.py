"""The cells of a workbook (SpreadsheetML, ISO/IEC 29500-1, 18): values, formulas, formats, runs of text, and
which rows, columns and sheets are hidden, read from the parts themselves in one pass a sheet; and what
formulas give whose value the file does not hold.

The library that knows workbooks gives either values or formulas, and hidden rows and comments only with all
cells in memory; it stops at styles that Office opens."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from openpyxl.styles.numbers import BUILTIN_FORMATS
from openpyxl.utils.cell import column_index_from_string, range_boundaries

from rag.languages import Patterns
from rag.parsers.marks import without_signs
from rag.parsers.number_format import Value
from rag.parsers.office import Package, R
from rag.types import MarkKind

_S = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_EMPTY_CELL = re.compile(rb"<((?:\w+:)?c)\s[^<>]*(?:/>|></\1>)")
_EMPTY_ROW = re.compile(rb"<((?:\w+:)?row)(?:\s[^<>]*)?(?:/>|>\s*</\1>)")
_REFERENCE = re.compile(r"([A-Z]{1,3})(\d{1,7})")
_NUMERAL = re.compile(r"[+-]?(?=\.?\d)\d{0,400}(?:\.\d{0,400})?(?:[eE][+-]?\d{1,4})?")
_ZERO = re.compile(r"0+(?:\.0*)?")
_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")
_MERGED = re.compile(rb'<(?:\w+:)?mergeCell\s[^>]*?ref="([A-Z]{1,3}[0-9]{1,7}:[A-Z]{1,3}[0-9]{1,7})"')
_MOST_MERGED = 100_000
_LARGE = 2_000_000  # bytes of a sheet from which it is worth to look for cells that only have a format
_RE = Patterns(__file__)
Run = tuple[MarkKind | None, int, str]
_HAN_FORMATS = {int(n): code for numbers, code in _RE.pairs("formats").items() for n in numbers.split(",")}
_TEXT, _QUOTED = re.compile('"[^"]*"'), re.compile("\"[^\"]*\"|'[^']*'")
_FUNCTION = re.compile(r"[\w.]+(?=\()")
_CHANGING = re.compile(r"(?:NOW|TODAY|RAND\w*)$", re.I)
_OTHER_FILE = re.compile(r"'[^']*\[[^']*'!|\[[^\[\]]+\][\w.]+!|\[\d+\]")
_UNKNOWN = "=_unknown_()"
_SHOWN = {
    "Div": "#DIV/0!", "Na": "#N/A", "Null": "#NULL!", "Num": "#NUM!", "Ref": "#REF!", "Value": "#VALUE!",
}  # fmt: skip
_MOST_WORK = 50_000_000
_NOISE = 1e-13  # a difference that is none, as binary numbers have it


@dataclass(frozen=True, slots=True)
class CellStyle:
    format: str = ""
    struck: bool = False
    bold: bool = False


@dataclass(frozen=True, slots=True)
class SheetCell:
    """A filled cell. `column` is 1-based; `value` is None for a formula whose value the file does not hold,
    `formula` says that it is one; `runs` (as `on_the_line` takes them) is the text where parts of it look
    otherwise."""

    column: int
    value: Value | None
    style: CellStyle
    formula: bool = False
    runs: tuple[Run, ...] = ()


@dataclass(frozen=True, slots=True)
class SheetRow:
    """A row with a filled cell, hidden or not, and the columns (1-based) that are hidden in its sheet."""

    number: int
    cells: tuple[SheetCell, ...]
    hidden: bool
    hidden_columns: frozenset[int]


@dataclass(frozen=True, slots=True)
class SheetPart:
    """A sheet of a workbook by its name and part; "" for one that is missing."""

    title: str
    part: str
    hidden: bool
    kind: str = "worksheet"


class WorkbookFile:
    """An opened workbook."""

    def __init__(self, package: Package) -> None:
        self.package = package
        self._root = package.xml(package.main)
        self.epoch_1904 = any(_on(e, "date1904") for e in self._root.iterfind(_S + "workbookPr"))
        # Written by programs that do not calculate: their zeros are no values.
        self.uncalculated = any(_on(e, "fullCalcOnLoad") for e in self._root.iterfind(_S + "calcPr"))
        relations = package.relations(package.main)
        self.sheets = []
        for sheet in self._root.iter(_S + "sheet"):
            kind, target = relations.get(sheet.get(R + "id", ""), ("worksheet", ""))
            hidden = sheet.get("state", "visible") in ("hidden", "veryHidden")
            part = target if target in package else ""
            self.sheets.append(SheetPart(sheet.get("name", ""), part, hidden, kind))
        self.damaged: set[str] = set()

    @cached_property
    def _strings(self) -> list[tuple[Run, ...]]:
        parts = self.package.related(self.package.main, "sharedStrings")
        return [_runs(item) for part in parts for item in self._elements(part, _S + "si")]

    @cached_property
    def _styles(self) -> list[CellStyle]:
        """The styles of cells by their number; what a damaged or missing part lacks is plain."""
        root = next((root for _, root in self.related(self.package.main, "styles")), None)
        if root is None:
            return []
        codes = {**BUILTIN_FORMATS, **_HAN_FORMATS}
        for element in root.iter(_S + "numFmt"):
            codes[_number(element, "numFmtId")] = element.get("formatCode", "")
        looks = [(_flag(f, "strike"), _flag(f, "b")) for f in root.iterfind(f"{_S}fonts/{_S}font")]
        return [
            CellStyle(
                code if (code := codes.get(_number(xf, "numFmtId"), "")) != "General" else "",
                *(looks[font] if (font := _number(xf, "fontId")) < len(looks) else ()),
            )
            for xf in root.iterfind(f"{_S}cellXfs/{_S}xf")
        ]

    def merged(self, sheet: SheetPart) -> list[tuple[int | None, ...]]:
        """The areas of a sheet that are one cell, by first column and row, last column and row; they stand
        behind the rows in the file."""
        data = self.package.read(sheet.part)
        found = _MERGED.findall(data, data.rfind(b"sheetData>") + 1)[:_MOST_MERGED]
        return [range_boundaries(area.decode()) for area in found]

    def rows(self, sheet: SheetPart) -> Iterator[SheetRow]:
        """The filled rows of a sheet in order. What of it cannot be read puts it among the `damaged` ones."""
        data = self.package.read(sheet.part)
        if len(data) > _LARGE and data.count(b"<v>") < len(data) // 200:
            data = _EMPTY_ROW.sub(b"", _EMPTY_CELL.sub(b"", data))
        number, unseen = 0, frozenset[int]()
        for element in self._elements(sheet.part, _S + "row", _S + "cols", data=data):
            if element.tag == _S + "cols":
                for e in (e for e in element.iterchildren(_S + "col") if _unseen(e, "width")):
                    unseen |= {*range(_number(e, "min", 1), min(_number(e, "max", 1), 16_384) + 1)}
                continue
            number = _number(element, "r", number + 1)
            if cells := tuple(self._cells(element, sheet.part)):
                yield SheetRow(number, cells, _unseen(element, "ht"), unseen)

    def _elements(self, part: str, *tags: str, data: bytes = b"") -> Iterator[Any]:
        """The elements of a part as they end, each emptied behind it, up to where the part is damaged."""
        from lxml import etree

        source = io.BytesIO(data or self.package.read(part))
        try:
            for _, element in etree.iterparse(source, tag=tags, resolve_entities=False, no_network=True):
                yield element
                element.clear()
                while element.getprevious() is not None:
                    del element.getparent()[0]
        except etree.XMLSyntaxError:
            self.damaged.add(part)

    def _cells(self, row: Any, part: str) -> Iterator[SheetCell]:
        column = 0
        for element in row.iterchildren(_S + "c"):
            place = _REFERENCE.match(element.get("r", ""))
            column = column_index_from_string(place[1]) if place else column + 1
            if not len(element):
                continue
            style = _number(element, "s")
            style_of = self._styles[style] if style < len(self._styles) else CellStyle()
            value, runs = self._value(element)
            if element.get("t") == "s" and not runs and not self._strings:
                self.damaged.add(part)
            formula = element.find(_S + "f") is not None
            if formula and self.uncalculated and value == 0 and not isinstance(value, bool):
                value = None
            if value is not None or formula:
                plain = not any(kind or shift for kind, shift, _ in runs)
                yield SheetCell(column, value, style_of, formula, () if plain else runs)

    def _value(self, cell: Any) -> tuple[Value | None, tuple[Run, ...]]:
        kind, text = cell.get("t", "n"), cell.findtext(_S + "v", "")
        plain = text.strip()
        if kind in ("inlineStr", "s") and (plain or kind == "inlineStr"):
            known = plain.isdigit() and int(plain) < len(self._strings) if kind == "s" else False
            item = cell.find(_S + "is") if kind == "inlineStr" else None
            runs = self._strings[int(plain)] if known else _runs(item) if item is not None else ()
            return "".join(words for *_, words in runs), runs
        if kind == "str":
            return (_text(text) if cell.find(_S + "v") is not None else None), ()
        if kind == "b" and plain:
            return plain == "1", ()
        if kind == "n" and plain and _NUMERAL.fullmatch(plain):
            value = int(plain) if plain.lstrip("+-").isdigit() and len(text) < 20 else float(plain)
            return (value if math.isfinite(value) else text), ()
        return (_text(text) if plain else None), ()

    def comments(self, sheet: SheetPart) -> dict[str, str]:
        """The comments of a sheet by their cell; of threads all of it."""
        found: dict[str, str] = {}
        for kind in ("comments", "threadedComment"):
            said: dict[str, list[str]] = {}
            for _, root in self.related(sheet.part, kind):
                for e in root.iter("{*}comment", "{*}threadedComment"):
                    text = "".join(t.text or "" for t in e.iter("{*}t", "{*}text") if len(t) == 0)
                    said.setdefault(e.get("ref", ""), []).append(_text(text).strip())
            found |= {place: "\n".join(filter(None, texts)) for place, texts in said.items()}
        return found

    def related(self, part: str, kind: str) -> Iterator[tuple[str, Any]]:
        """The parts that one leads to by relations of a kind, with their roots."""
        parts = ((name, self.package.xml(name)) for name in self.package.related(part, kind))
        return (both for both in parts if both[1] is not None)

    def pictures(self, sheet: SheetPart) -> Iterator[bytes]:
        """The files of the pictures that lie on a sheet."""
        for part, _ in self.related(sheet.part, "drawing"):
            yield from map(self.package.read, self.package.related(part, "image"))

    def boxes(self, sheet: SheetPart) -> list[str]:
        """The words of text boxes, shapes and titles of charts that lie on a sheet."""
        found = []
        for part, drawing in self.related(sheet.part, "drawing"):
            for root in (drawing, *(chart for _, chart in self.related(part, "chart"))):
                for body in root.iter("{*}txBody", "{*}title"):
                    lines = ("".join(t.text or "" for t in p.iter("{*}t")) for p in body.iter("{*}p"))
                    found.append(_text("\n".join(filter(None, lines))))
        return [text for text in found if text.strip()]


class Formulas:
    """Works out the formulas of one workbook by formualizer, all of them when the first value is asked for.
    What it does not know, what another file holds, what changes by the day and what goes in a circle is not
    guessed: it has no value."""

    def __init__(self, book: WorkbookFile) -> None:
        self._book = book

    def value(self, sheet: SheetPart, row: int, column: int) -> Value | None:
        """The value of a cell (1-based), None where it is not worked out, or "#DIV/0!" and the like."""
        value = self._engine and self._engine.get_value(sheet.title, row, column)
        if isinstance(value, dict):
            return _SHOWN.get(value["kind"])
        return 0 if isinstance(value, float) and abs(value) < _NOISE else value

    @cached_property
    def _engine(self) -> Any:
        import formualizer

        limits = formualizer.EvaluationConfig()
        limits.enable_parallel, limits.max_work_units = False, _MOST_WORK
        config = formualizer.WorkbookConfig(eval_config=limits)
        try:
            engine: Any = formualizer.Workbook.from_bytes(self._book.package.data, config=config)
        except Exception:  # a damaged file, of which it reads less than we do
            return None
        engine.set_temporal_egress("serial")
        for sheet in filter(lambda sheet: sheet.part, self._book.sheets):
            for number, cell in ((row.number, c) for row in self._book.rows(sheet) for c in row.cells):
                place = sheet.title, number, cell.column
                if cell.formula and cell.value is not None:
                    engine.set_value(*place, cell.value)
                elif cell.formula:
                    formula = engine.get_formula(*place) or ""
                    readable = formula and not _OTHER_FILE.search(_TEXT.sub("", formula))
                    readable = readable and all(map(_is_known, _FUNCTION.findall(_QUOTED.sub("", formula))))
                    try:
                        engine.set_formula(*place, f"={formula}" if readable else _UNKNOWN)
                    except RuntimeError:  # no formula, too deep, about itself
                        engine.set_formula(*place, _UNKNOWN)
        with suppress(Exception):  # too much work: what is done until then has values
            engine.evaluate_all()
        return engine


@lru_cache(maxsize=1000)
def _is_known(function: str) -> bool:
    """Whether a function is worked out, and gives the same every day."""
    import formualizer

    engine = formualizer.Workbook()
    with suppress(RuntimeError):  # it asks for arguments
        engine.set_formula("Sheet1", 1, 1, f"={function}()")
        return not _CHANGING.match(function) and "Name" not in str(engine.evaluate_cell("Sheet1", 1, 1))
    return True


def _runs(item: Any) -> tuple[Run, ...]:
    """The text of a string item, without how it is spoken."""
    found = []
    for part in item.iterchildren(_S + "t", _S + "r"):
        text = part.text if part.tag == _S + "t" else part.findtext(_S + "t")
        align = part.find(f"{_S}rPr/{_S}vertAlign")
        shift = {"superscript": 1, "subscript": -1}.get(align.get("val", ""), 0) if align is not None else 0
        struck = MarkKind.STRUCK if _flag(part, f"rPr/{_S}strike") else None
        found += [(struck, shift, _text(text))] if text else []
    return tuple(found)


def _text(text: str) -> str:
    """Characters that XML cannot hold are written "_x000D_"."""
    return without_signs(_ESCAPED.sub(lambda m: chr(int(m[1], 16)), text) if "_x" in text else text)


def _flag(element: Any, name: str) -> bool:
    found = element.find(_S + name)
    return found is not None and found.get("val", "1") not in ("0", "false")


def _on(element: Any, name: str) -> bool:
    return element.get(name, "0") in ("1", "true")


def _unseen(element: Any, size: str) -> bool:
    """Whether a row or column is hidden, or has no size."""
    return _on(element, "hidden") or _ZERO.fullmatch(element.get(size, "")) is not None


def _number(element: Any, name: str, default: int = 0) -> int:
    value = element.get(name, "")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else default
