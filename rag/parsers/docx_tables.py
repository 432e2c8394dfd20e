"""The rows of a table of a Word file as a grid for `add_table`: spanning cells once and repeated, and how a
row with words that are gone read with them, behind it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rag.parsers.base import MAX_COLUMNS, Grid, one_line
from rag.parsers.docx_lines import Line
from rag.parsers.docx_styles import W, integer, value
from rag.parsers.marks import marked, unmarked
from rag.types import MarkKind


class Rows:
    """`body` has each cell once, `heads` spanning ones repeated, `spans` their (rows, columns) by row and
    column; `headers` of the top rows are marked as repeating heads."""

    def __init__(self) -> None:
        self.body: Grid = []
        self.heads: Grid = []
        self.spans: dict[tuple[int, int], tuple[int, int]] = {}
        self.headers = 0
        self._tops: dict[int, int] = {}
        self._head = False
        self._above: list[str] = []
        self._once: list[str] = []
        self._repeated: list[str] = []
        self._before: dict[MarkKind, dict[int, str]] = {}
        self._late: list[list[str]] = []  # what head rows were: behind all of them

    def begin(self, *, head: bool) -> None:
        """A row begins; `head`: it is marked as one of column heads."""
        self._head = head and self.headers == len(self.body)
        self._once, self._repeated, self._before = [], [], {}
        if not self._head:
            self.end_table()

    def cell(self, lines: Sequence[Line], element: Any) -> None:
        """The next cell of the row (w:tc) and what it says."""
        text = one_line(" ".join(line.numbered for line in lines))
        merge = element.find(f"{W}tcPr/{W}vMerge")
        span = integer(element.find(f"{W}tcPr/{W}gridSpan")) or 1
        row, column = len(self.body), len(self._once)
        count = max(0, min(span, MAX_COLUMNS - column))
        if merge is not None and value(merge) != "restart" and column < len(self._above):
            text, top = self._above[column], self._tops.get(column, row)
            self.spans[top, column] = (row - top + 1, count)
        else:
            self._tops[column] = row
            if count > 1:
                self.spans[row, column] = (1, count)
            for kind in {kind for line in lines for kind, _ in line.former}:
                self._before.setdefault(kind, {})[column] = one_line(" ".join(x.before(kind) for x in lines))
        self._once += ([text] + [""] * (count - 1))[:count]
        self._repeated += [text] * count

    def end(self) -> None:
        """The row is whole."""
        former = [
            [marked(kind, before.get(n, unmarked(cell))) for n, cell in enumerate(self._once)]
            for kind, before in sorted(self._before.items())
        ]
        if not former or any(unmarked(cell) for cell in self._once):
            self.headers += self._head
            self.body.append(self._once)
            self.heads.append(self._repeated)
            self._above = self._once
        self._late += former
        if not self._head:
            self.end_table()

    def end_table(self) -> None:
        """Nothing follows."""
        self.body += self._late
        self.heads += self._late
        self._late = []
