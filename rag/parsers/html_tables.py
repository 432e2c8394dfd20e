"""The cells of an HTML table: spans, heads, and the rows as they read before something in them was struck."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rag.languages import Patterns
from rag.parsers.base import MAX_COLUMNS, Grid, one_line
from rag.parsers.html_words import LineWords, traverse
from rag.parsers.marks import rows_before
from rag.types import MarkKind

_RE = Patterns(__file__)
BLOCK = _RE.words("block")
Spans = dict[tuple[int, int], tuple[int, int]]
Passage = tuple[str, dict[MarkKind, str]]


class Cells:
    """Reads the rows of a table: `rows` of them, `header_rows` of which are marked as heads at its top."""

    def __init__(self, around: LineWords, table: Any) -> None:
        self._words = around.within()
        self._body: Grid = []
        self._heads: Grid = []
        self._former: dict[int, Grid] = {}
        self._spans: Spans = {}
        self._below: dict[int, tuple[int, str]] = {}
        self.header_rows = 0
        caption = table.css_first("caption")
        self.caption: list[str] = []
        if caption is not None:
            standing, former = self._passage(caption) or ("", {})
            self.caption = [standing, *former.values()]
        for row in table.css("tr"):
            # What a part of the table says holds for its rows.
            if self._words.open(row.parent) and self._words.open(row):
                self._add(row)
                self._words.close()
            self._words.close()

    @property
    def rows(self) -> int:
        return len(self._body)

    def grids(self) -> tuple[Grid, Grid, Spans]:
        """Two grids of one shape: cells once, and with spanning cells repeated; and (rows, columns) of
        spanning cells by row and column. Behind a row of which something is struck or hidden stands the row
        as it read with it, behind the heads what stood among them."""
        body: Grid = []
        heads: Grid = []
        places = []
        waiting: Grid = []
        for number, (once, repeated) in enumerate(zip(self._body, self._heads, strict=True)):
            places.append(len(body))
            body.append(once)
            heads.append(repeated)
            waiting += self._former.get(number, [])
            if number + 1 >= self.header_rows:
                body += waiting
                heads += waiting
                waiting = []
        places.append(len(body))
        spans = {
            (places[row], column): (places[min(row + down, len(places) - 1)] - places[row], across)
            if down > 1
            else (1, across)
            for (row, column), (down, across) in self._spans.items()
        }
        return body, heads, spans

    def _add(self, row: Any) -> None:
        once: list[str] = []
        repeated: list[str] = []
        passages: list[dict[MarkKind, str]] = []
        cells = [c for c in row.iter() if c.tag in ("td", "th")]
        for cell in cells:
            self._carry_down(once, repeated, passages)
            passage = self._passage(cell)
            if passage is None:
                continue
            text, former = passage
            attributes = cell.attributes
            columns, lines = _span(attributes, "colspan"), _span(attributes, "rowspan")
            if max(columns, lines) > 1:
                self._spans[len(self._body), len(once)] = (lines, columns)
            for n in range(min(columns, MAX_COLUMNS - len(once))):
                if lines > 1:
                    self._below[len(once)] = (lines - 1, text if n == 0 else "")
                once.append(text if n == 0 else "")
                repeated.append(text)
                passages.append(former if n == 0 else {})
        self._carry_down(once, repeated, passages)
        headed = row.parent.tag == "thead" or all(c.tag == "th" for c in cells)
        if self.header_rows == len(self._body) and cells and headed:
            self.header_rows += 1
        before = rows_before(list(zip(once, passages, strict=True)))
        if before:
            self._former[len(self._body)] = before
        self._body.append(once)
        self._heads.append(repeated)

    def _passage(self, node: Any) -> Passage | None:
        """The words of a cell as they stand and as they read before, each on one line; None for a cell that
        is left out."""
        words = self._words
        opened = words.open(node)
        text = words.alone(node) if opened and node.mem_id not in words.page.targets else None
        words.close()
        if text is not None or not opened:
            return (one_line(text or ""), {}) if opened else None

        def enter(child: Any) -> bool:
            if child.tag == "-text":
                words.text(child)
                return False
            read = words.open(child)
            if child.tag in BLOCK or child.tag == "li":
                words.add(" ")
            return read and words.read(child)

        def leave(child: Any) -> None:
            if child.tag != "-text" and words.close() and (child.tag in BLOCK or child.tag == "li"):
                words.add(" ")

        traverse(node, enter, leave)
        standing, former = words.take()
        return one_line(standing), {kind: one_line(text) for kind, text in former.items()}

    def _carry_down(self, once: list[str], repeated: list[str], passages: list[dict[MarkKind, str]]) -> None:
        """A cell that spans rows stands in each of them, so that every row can be read alone."""
        while (column := len(once)) in self._below and column < MAX_COLUMNS:
            left, text = self._below.pop(column)
            if left > 1:
                self._below[column] = (left - 1, text)
            once.append(text)
            repeated.append(text)
            passages.append({})


def _span(attributes: Mapping[str, str | None], name: str) -> int:
    value = attributes.get(name) or "1"
    return max(1, min(int(value), 1000)) if value.isdecimal() and len(value) < 6 else 1
