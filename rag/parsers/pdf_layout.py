"""From the lines of a PDF's pages to headings, paragraphs, list items and table rows."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from rag.languages import patterns
from rag.parsers.base import TextBuilder, letters
from rag.parsers.pdf_lines import TextLine
from rag.parsers.pdf_rows import cell_spans, read_row
from rag.parsers.pdf_tables import PdfTable
from rag.parsers.plain import heading_level, is_list_item, is_title_case

_BULLET = re.compile(r"[•·▪●○◦‣■□➢✓–—-]$")
_BULLETED = re.compile(r"[•▪●○◦‣■□➢✓]\s*\S")
_FINISHED = re.compile(r"[.!?:;。！？：；][”’\"')）」』]*$")
_RE = patterns("pdf_layout", re.NOFLAG)
_DIGITS = re.compile(r"\d+")


@dataclass(slots=True)
class PageLines:
    """One page as read: its lines, its tables, and the outline's headings that point to it, as (level,
    title)."""

    number: int
    lines: list[TextLine]
    tables: list[PdfTable] = field(default_factory=list)
    outline: list[tuple[int, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Style:
    """What is usual in this document: height of body type, whether body type is bold, keys of lines that
    recur on many pages."""

    size: float
    bold: bool
    repeated: frozenset[str]


def measure(pages: Sequence[PageLines]) -> Style:
    """Find the usual type by number of characters, and the running heads and feet."""
    types: Counter[tuple[float, bool]] = Counter()
    edges: Counter[str] = Counter()
    for page in pages:
        for line in page.lines:
            types[(round(line.size, 1), line.bold)] += len(line.text)
        edges.update({running_key(line.text) for line in page.lines[:3] + page.lines[-3:]})
    (size, bold), _ = types.most_common(1)[0] if types else ((0.0, False), 0)
    often = max(3, len(pages) // 5)
    return Style(size, bold, frozenset(key for key, count in edges.items() if count >= often))


def running_key(text: str) -> str:
    return _DIGITS.sub("#", text.casefold())


class Layout:
    """Adds pages to a builder, one after the other."""

    def __init__(self, builder: TextBuilder, style: Style, outline_depth: int) -> None:
        self._builder = builder
        self._style = style
        self._depth = outline_depth
        self._last_table: PdfTable | None = None
        self._last_table_page = 0

    def add(self, page: PageLines) -> None:
        """Add one page. Every line becomes part of exactly one block."""
        outline = {letters(title): level for level, title in page.outline if letters(title)}
        edge = max((line.right for line in page.lines), default=0.0)
        at = 0
        for table in page.tables:
            self._prose(page.lines[at : table.first], outline, edge)
            self._table(page, table)
            at = table.last
        self._prose(page.lines[at:], outline, edge)

    def _table(self, page: PageLines, table: PdfTable) -> None:
        if not any(table.heads):
            table = self._continued(page, table)
        self._last_table, self._last_table_page = table, page.number
        self._builder.table(table.heads, units=table.units, placed=False)
        pending: list[str] = []
        for n in range(table.first, table.last):
            text = page.lines[n].text
            row = read_row(text)
            pending.append(text)
            following = page.lines[n + 1].text if n + 1 < table.last else ""
            if n >= table.body and not row.values and _wraps(text, following) and len(pending) < 4:
                continue  # a label of several lines stays with its figures
            whole = "\n".join(pending).strip()
            self._builder.line(whole, cell_spans(whole))
            pending = []

    def _continued(self, page: PageLines, table: PdfTable) -> PdfTable:
        """With the heads of the table before, where this one goes on with as many columns."""
        last = self._last_table
        if last is None or page.number - self._last_table_page > 1 or last.columns != table.columns:
            return table
        return replace(table, heads=last.heads, units=last.units)

    def _prose(self, lines: Sequence[TextLine], outline: Mapping[str, int], edge: float) -> None:
        paragraph: list[TextLine] = []
        heading: list[TextLine] = []
        level = 0
        for line in lines:
            if running_key(line.text) in self._style.repeated:
                self._flush(paragraph, heading, level)
                self._builder.paragraph(line.text)
                continue
            found = 0 if self._continues(paragraph, line, edge) else self._heading_level(line, outline)
            if found and heading and self._one_heading(heading[-1], line):
                heading.append(line)
            elif found:
                self._flush(paragraph, heading, level)
                heading, level = [line], found
            else:
                if heading or (paragraph and self._is_split(paragraph[-1], line, edge)):
                    self._flush(paragraph, heading, level)
                paragraph.append(line)
        self._flush(paragraph, heading, level)

    def _flush(self, paragraph: list[TextLine], heading: list[TextLine], level: int) -> None:
        if heading:
            self._builder.heading("\n".join(line.text for line in heading), level)
            heading.clear()
        if paragraph:
            text = "\n".join(line.text for line in paragraph)
            if _BULLETED.match(text) or _BULLET.match(paragraph[0].text) or is_list_item(text):
                self._builder.list_item(text)
            else:
                self._builder.paragraph(text)
            paragraph.clear()

    def _continues(self, paragraph: Sequence[TextLine], line: TextLine, edge: float) -> bool:
        """In the middle of a sentence: the line before runs to the edge, unfinished, in the same type."""
        if not paragraph:
            return False
        last = paragraph[-1]
        same = last.bold == line.bold and abs(last.size - line.size) < 0.5
        return (
            same
            and not _FINISHED.search(last.text)
            and not self._spaced(last, line)
            and (not last.size or last.right > edge * 0.8)
        )

    def _heading_level(self, line: TextLine, outline: Mapping[str, int]) -> int:
        text = line.text
        listed = outline.get(letters(text))
        if listed:
            return listed
        worded = heading_level(text)
        larger = self._style.size > 0 and line.size > self._style.size * 1.12
        set_off = larger or (line.bold and not self._style.bold)
        if worded and (set_off or not line.size or text.isupper() or _RE["article"].match(text)):
            return worded + self._depth
        if (
            not set_off
            or len(text) > 110
            or re.search(r"[.,;。，；]$", text)
            or not any(c.isalpha() for c in text)
        ):
            return 0
        if not (is_title_case(text) or (larger and text[:1].isupper())) or read_row(text).count > 1:
            return 0
        if larger:
            return self._depth + (1 if line.size > self._style.size * 1.5 else 2)
        # Bold type alone: a heading only where what follows is not bold too (a bold paragraph) or another
        # heading.
        return self._depth + 4

    def _one_heading(self, last: TextLine, line: TextLine) -> bool:
        """Two lines of one heading: same type, close, and the second does not begin a heading of its own."""
        if abs(last.size - line.size) > 0.5 or last.bold != line.bold or self._spaced(last, line):
            return False
        return _RE["unfinished_title"].search(last.text) is not None or (
            not heading_level(line.text) and last.size > 0
        )

    def _spaced(self, last: TextLine, line: TextLine) -> bool:
        gap = last.bottom - line.top
        return bool(last.size) and (gap > max(last.size, line.size) * 0.45 or gap < -3 * last.size)

    def _is_split(self, last: TextLine, line: TextLine, edge: float) -> bool:
        """Whether a new paragraph begins: a list item, an article, a gap, other type, or a finished line that
        ends early."""
        if _BULLET.match(last.text):
            return False
        if (
            _BULLETED.match(line.text)
            or _BULLET.match(line.text)
            or is_list_item(line.text)
            or _RE["article"].match(line.text)
        ):
            return True
        if last.size and abs(last.size - line.size) > 1.5:
            return True
        if self._spaced(last, line):
            # A jump upwards is a new column or page part: the sentence may go on there.
            return last.bottom > line.top or _FINISHED.search(last.text) is not None
        early = last.right < edge - max(6 * last.size, edge * 0.12)
        return bool(last.size) and _FINISHED.search(last.text) is not None and early


def _wraps(text: str, following: str) -> bool:
    """A label whose end stands in the next line."""
    if not following or text.endswith((":", "：")):
        return False
    return (
        following[:1].islower()
        or following[:1].isdigit()
        or text.endswith((",", ";", "-"))
        or _RE["unfinished_title"].search(text) is not None
    )
