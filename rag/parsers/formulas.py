"""The values of formulas that a workbook does not hold, worked out by formualizer. What it does not know,
what another file holds, what changes by the day and what goes in a circle is not guessed: it has no value."""

from __future__ import annotations

import re
from contextlib import suppress
from functools import cached_property, lru_cache
from typing import Any

from openpyxl.formula import Tokenizer

from rag.parsers.number_format import Value
from rag.parsers.workbook import SheetPart, WorkbookFile

_QUOTED = re.compile("\"[^\"]*\"|'[^']*'")
_FUNCTION = re.compile(r"[\w.]+(?=\()")
_CHANGING = re.compile(r"(?:NOW|TODAY|RAND\w*)$", re.I)
_OTHER_FILE = re.compile(r"\[\d+\]")
_UNKNOWN = "=_unknown_()"
_SHOWN = {
    "Div": "#DIV/0!", "Na": "#N/A", "Null": "#NULL!", "Num": "#NUM!", "Ref": "#REF!", "Value": "#VALUE!",
}  # fmt: skip
_MOST_WORK = 50_000_000
_NOISE = 1e-13  # a difference that is none, as binary numbers have it


class Formulas:
    """Works out the formulas of one workbook, all of them when the first value is asked for."""

    def __init__(self, book: WorkbookFile) -> None:
        self._book = book

    def value(self, sheet: SheetPart, row: int, column: int) -> Value | None:
        """The value of a cell (1-based), None where it is not worked out, or "#DIV/0!" and the like."""
        value = self._engine.get_value(sheet.title, row, column)
        if isinstance(value, dict):
            return _SHOWN.get(value["kind"])
        return 0 if isinstance(value, float) and abs(value) < _NOISE else value

    @cached_property
    def _engine(self) -> Any:
        import formualizer

        limits = formualizer.EvaluationConfig()
        limits.enable_parallel, limits.max_work_units = False, _MOST_WORK
        engine: Any = formualizer.Workbook(config=formualizer.WorkbookConfig(eval_config=limits))
        engine.set_temporal_egress("serial")
        formulas: list[tuple[str, int, int, str]] = []
        for sheet in filter(lambda sheet: sheet.part, self._book.sheets):
            engine.add_sheet(sheet.title)
            for row in self._book.rows(sheet):
                first = row.cells[0].column
                values: list[Value | None] = [None] * (row.cells[-1].column - first + 1)
                for cell in row.cells:
                    values[cell.column - first] = cell.value
                    if cell.value is None:
                        formulas.append((sheet.title, row.number, cell.column, cell.formula))
                engine.set_values_batch(sheet.title, row.number, first, [values])
        for *place, formula in formulas:
            try:
                engine.set_formula(*place, self._readable(formula))
            except RuntimeError:  # no formula, too deep, about itself
                engine.set_formula(*place, _UNKNOWN)
        with suppress(Exception):  # too much work: what is done until then has values
            engine.evaluate_all()
        return engine

    def _readable(self, formula: str) -> str:
        """A formula with what the names in it stand for."""
        plain = _QUOTED.sub("", formula)
        if _OTHER_FILE.search(plain) or not all(map(_is_known, _FUNCTION.findall(plain))):
            return _UNKNOWN
        tokens = Tokenizer(f"={formula}").items
        named = (self._book.names.get(token.value.lower()) for token in tokens)
        return "=" + "".join(f"({n})" if n else t.value for n, t in zip(named, tokens, strict=True))


@lru_cache(maxsize=1000)
def _is_known(function: str) -> bool:
    """Whether a function is worked out, and gives the same every day."""
    import formualizer

    engine = formualizer.Workbook()
    with suppress(RuntimeError):  # it asks for arguments
        engine.set_formula("Sheet1", 1, 1, f"={function}()")
        return not _CHANGING.match(function) and "Name" not in str(engine.evaluate_cell("Sheet1", 1, 1))
    return True
