"""From the lines of a PDF's pages to headings, paragraphs, list items and table rows."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from rag.facts.numerals import fold, numerals
from rag.languages import patterns
from rag.languages.text import letters
from rag.parsers.base import TITLE_LIMIT, TextBuilder, clean, one_line
from rag.parsers.grids import stated_units, title_and_units
from rag.parsers.marks import marked, note_body, unmarked
from rag.parsers.pdf_lines import FINISHED, RUN_ON, TextLine
from rag.parsers.pdf_rows import PdfTable, cell_spans, is_sentence, read_row, text_of
from rag.parsers.plain import heading_level, is_list_item, is_title_case
from rag.types import BlockKind, LossKind, MarkKind

_BULLET = re.compile(r"[•·▪●○◦‣■□➢✓–—-]$")
_BULLETED = re.compile(r"[•▪●○◦‣■□➢✓]\s*\S")
_FIGURES = re.compile(r"\((?P<n>\d{1,6})\)")
_OPEN = re.compile(r"[,，、(（–—-]$")
_FOOT_NOTE = re.compile(rf"{note_body('')[0]}|(?:\d{{1,3}}|[*†‡§¶]+)\s")
_RE = patterns("pdf_layout", re.NOFLAG)
_TABLES, _RE_TABLES = patterns("tables", re.NOFLAG), patterns("pdf_tables", re.NOFLAG)
_SENTENCE_END = re.compile(r"(?<=[a-z)][.!?])\s+(?=[A-Z])|(?<=[。！？])(?=.)")
_DIGITS = re.compile(r"\d+")


@dataclass(slots=True)
class PageLines:
    """One page as read: its lines, its tables, the outline's headings that point to it, as (level, title),
    the words that cannot be seen, the comments on it, and what of it could not be read."""

    number: int
    lines: list[TextLine]
    tables: list[PdfTable] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    outline: list[tuple[int, str]] = field(default_factory=list)
    losses: list[LossKind] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Style:
    """What is usual in this document: height of body type, whether body type is bold, keys of lines that
    recur on many pages."""

    size: float
    bold: bool
    repeated: frozenset[str]


def measure(pages: Sequence[PageLines]) -> Style:
    """Find the usual type by number of characters, and the running heads and feet: what stands at
    the edge of many pages, or of most pages of a short document at one height."""
    types: Counter[tuple[float, bool]] = Counter()
    edges: Counter[str] = Counter()
    heights: Counter[tuple[str, int]] = Counter()
    for page in pages:
        for line in page.lines:
            types[(round(line.size, 1), line.bold)] += len(line.text)
        some = page.lines[:3] + page.lines[-3:]
        edges.update({running_key(line.text) for line in some if line.text})
        heights.update({(running_key(line.text), round(line.top / 2)) for line in some})
    (size, bold), _ = types.most_common(1)[0] if types else ((0.0, False), 0)
    often = max(3, len(pages) // 5)
    repeated = {key for key, count in edges.items() if count >= often}
    if 1 < len(pages) < 5:
        repeated |= {key for (key, _), count in heights.items() if count * 2 > len(pages) and letters(key)}
    return Style(size, bold, frozenset(repeated))


def running_key(text: str) -> str:
    return _DIGITS.sub("#", text.casefold())


class Layout:
    """Adds pages to a builder, one after the other; `close` ends it. A paragraph that runs over the end of a
    page stays one, and what stands at the edges of pages is put in front of it or behind it."""

    def __init__(self, builder: TextBuilder, style: Style, outline_depth: int) -> None:
        self._builder = builder
        self._style = style
        self._depth = outline_depth
        self._open_table: PdfTable | None = None  # at the end of the page before
        self._paragraph: list[TextLine] = []
        self._starts: list[tuple[int, int]] = []  # pages that begin within the paragraph, at its line n
        self._apart: list[TextLine] = []
        self._edge = 0.0

    def add(self, page: PageLines) -> None:
        """Add one page. Every line becomes part of exactly one block."""
        outline = {letters(title): level for level, title in page.outline if letters(title)}
        ends = [0, *(n for table in page.tables for n in (table.first, table.last)), len(page.lines)]
        head, foot = self._running(page.lines)
        prose: list[list[TextLine]] = []
        apart: list[TextLine] = []
        for begin, end in zip(ends[::2], ends[1::2], strict=True):
            first, last = max(begin, head), max(begin, min(end, foot))
            prose.append(page.lines[first:last])
            apart += page.lines[begin : min(first, end)] + page.lines[max(last, first) : end]
        edge = max((line.right for line in page.lines), default=0.0)
        notes = [note for lines in prose for note in self._foot_notes(lines, edge)]
        goes_on = bool(prose[0]) and self._runs_over(prose[0][0], outline)
        table_goes_on = not prose[0] and bool(page.tables) and self._goes_on(page.tables[0])
        if goes_on:
            self._starts.append((page.number, len(self._paragraph)))
        else:
            self._flush()
            if not table_goes_on:
                self._put_apart()
            self._builder.start_page(page.number)
        self._apart += [*apart, *map(TextLine, page.comments)]
        self._apart += [TextLine(text, signed=marked(MarkKind.HIDDEN, text)) for text in page.hidden]
        if not goes_on and not table_goes_on:
            self._put_apart()
        self._edge = edge
        for n, lines in enumerate(prose):
            if n:
                self._flush()
                self._table(page.tables[n - 1], goes_on=table_goes_on and n == 1)
                if lines or n + 1 < len(prose):  # else it may go on overleaf
                    self._put_apart()
            self._prose(lines, outline, goes_on and not n)
        if notes and self._paragraph and FINISHED.search(self._paragraph[-1].text):
            self._flush()
        for note in notes:  # in front of the sentence that goes on
            self._builder.paragraph(note)
        self._open_table = page.tables[-1] if page.tables and not prose[-1] else None

    def close(self) -> None:
        self._flush()
        self._put_apart()

    def _foot_notes(self, lines: list[TextLine], edge: float) -> list[str]:
        """Take the notes at the foot of a page or of a column on it out of its lines: in smaller type below a
        sentence that is not at its end, and each with its label in front."""
        found: list[str] = []
        size = self._style.size
        columns = [n for n, (last, line) in enumerate(pairwise(lines), 1) if line.bottom > last.top]
        for end in (len(lines), *reversed(columns)):
            first = next((n for n in range(end, 0, -1) if lines[n - 1].size >= 0.95 * size), 0)
            below = [line.signed or line.text for line in lines[first:end]]
            starts = [n for n, text in enumerate(below) if _FOOT_NOTE.match(text)]
            if not first or starts[:1] != [0] or not self._spaced(lines[first - 1], lines[first]):
                continue
            last = lines[first - 1]
            full = last.right > 0.8 * (last.edge or edge) or end < len(lines)
            if last.size * 0.95 <= size and full and not FINISHED.search(last.text):
                del lines[first:end]
                found[:0] = [_joined(below[begin:end]) for begin, end in pairwise([*starts, len(below)])]
        return found

    def _running(self, lines: Sequence[TextLine]) -> tuple[int, int]:
        """Where the lines between the running heads and feet begin and end: what recurs, or the number of the
        page, and stands off from the rest."""

        def recurs(line: TextLine) -> bool:
            numbered = _RE["page_number"].search(line.text) is not None
            return numbered or running_key(line.text) in self._style.repeated

        head = next((n for n, line in enumerate(lines) if not recurs(line)), 0)
        if head and not _apart(lines[head - 1], lines[head]):
            head = 0
        foot = next((n for n in range(len(lines), head, -1) if not recurs(lines[n - 1])), len(lines))
        if head < foot < len(lines) and not _apart(lines[foot - 1], lines[foot]):
            foot = len(lines)
        return head, foot

    def _put_apart(self) -> None:
        for line in self._apart:
            self._builder.paragraph(line.signed or line.text)
        if self._apart:
            self._builder.closing = []  # no caption
        self._apart.clear()

    def _runs_over(self, line: TextLine, outline: Mapping[str, int]) -> bool:
        """Whether the sentence at the end of the page before goes on with the first line of this one."""
        if not self._paragraph or self._starts_anew(line) or self._heading_level(line, outline):
            return False
        last = self._paragraph[-1]
        other_type = last.bold != line.bold or abs(last.size - line.size) > 0.5
        if other_type or FINISHED.search(last.text) or not any(map(str.isalnum, line.text)):
            return False
        full = last.right > (last.edge or self._edge) * 0.85
        return line.text[:1].islower() or full or bool(_OPEN.search(last.text))

    def _goes_on(self, table: PdfTable) -> bool:
        """Whether a table at the top of a page is the rest of the one at the end of the page before."""
        last = self._open_table
        same = last is not None and (last.columns, last.placed) == (table.columns, table.placed)
        return same and last is not None and (not any(table.heads) or table.heads == last.heads)

    def _table(self, table: PdfTable, *, goes_on: bool) -> None:
        """The rows of a table; the head of one that goes on is repeated on the page alone."""
        rows = table.rows
        if goes_on and self._open_table is not None:
            repeated = rows[: table.head] if any(table.heads) else []
            self._apart += [TextLine(" ".join(map(text_of, filter(None, row)))) for row in repeated]
            rows = rows[len(repeated) :]
            table.heads, table.units = self._open_table.heads, self._open_table.units
        else:
            caption = table.title or self._caption()
            title, units = title_and_units(self._builder, caption)
            title = title if caption or _TABLES["caption"].match(title) else ""
            table.units = () if any(map(stated_units, map(" ".join, table.heads))) else units
            self._builder.table(
                table.heads, units=table.units, placed=table.placed, title=title, spans=table.spans
            )
        for row in rows:
            texts = [_joined([line.signed or line.text for line in cell]) for cell in row]
            if table.placed:
                self._builder.row(texts, joint=" ")
            else:
                whole = clean(texts[0]).strip()
                self._builder.line(whole, cell_spans(unmarked(whole)))
        for line in table.lines():
            self._builder.paragraph(marked(MarkKind.STRUCK, line.former))

    def _caption(self) -> str:
        """The heading, or the sentence that introduces a table, where it is the last that was added."""
        kind, text = self._builder.closing[-1] if self._builder.closing else (BlockKind.PARAGRAPH, "")
        line = one_line(text)
        line = line if len(line) <= TITLE_LIMIT else _SENTENCE_END.split(line)[-1]
        introduces = line.endswith((":", "：")) or _RE_TABLES["introduces"].search(line)
        return line if kind is BlockKind.HEADING or introduces else ""

    def _prose(self, lines: Sequence[TextLine], outline: Mapping[str, int], goes_on: bool) -> None:
        heading: list[TextLine] = []
        level = 0
        for n, line in enumerate(lines):
            if goes_on and not n:
                self._paragraph.append(line)
                continue
            following = lines[n + 1] if n + 1 < len(lines) else None
            if not line.text:  # struck out as a whole
                if heading or (self._paragraph and self._spaced(self._paragraph[-1], line)):
                    self._flush(heading, level)
                self._paragraph.append(line)
                continue
            if running_key(line.text) in self._style.repeated:
                self._flush(heading, level)
                self._builder.paragraph(line.signed or line.text)
                continue
            prose = self._continues(line) or self._begins_prose(line, following)
            found = 0 if self._continues(line) else self._heading_level(line, outline, prose=prose)
            if found and heading and self._one_heading(heading[-1], line):
                heading.append(line)
            elif found:
                self._flush(heading, level)
                heading, level = [line], found
            else:
                if heading or (self._paragraph and self._is_split(self._paragraph[-1], line)):
                    self._flush(heading, level)
                self._paragraph.append(line)
        if heading:
            self._flush(heading, level)

    def _flush(self, heading: list[TextLine] | None = None, level: int = 0) -> None:
        """End the paragraph or the heading."""
        if heading:
            self._builder.heading(_joined([line.signed or line.text for line in heading]), level)
            heading.clear()
        if not self._paragraph:
            return
        former = ""
        if any(line.former for line in self._paragraph):
            former = _joined([line.former or line.text for line in self._paragraph])
        lines = [line.signed or line.text for line in self._paragraph]
        text = _joined(lines)
        plain = unmarked(text)
        listed = _BULLETED.match(plain) or _BULLET.match(self._paragraph[0].text) or is_list_item(plain)
        self._builder.paragraph(text, listed=0 if listed else None)
        for number, n in self._starts:
            self._builder.start_page(number, back=len(unmarked(clean(_joined(lines[n:])))))
        self._builder.paragraph(marked(MarkKind.STRUCK, former))
        self._paragraph.clear()
        self._starts.clear()
        self._put_apart()

    def _continues(self, line: TextLine) -> bool:
        """In the middle of a sentence: the line before runs to the edge, unfinished, in the same type."""
        if not self._paragraph:
            return False
        last = self._paragraph[-1]
        same = last.bold == line.bold and abs(last.size - line.size) < 0.5
        full = last.right > (last.edge or self._edge) * 0.8
        return same and full and not FINISHED.search(last.text) and not self._spaced(last, line)

    def _begins_prose(self, line: TextLine, below: TextLine | None) -> bool:
        """Whether a line begins a paragraph; two of: full, small letters follow, a sentence ends in it."""
        if below is None or abs(line.size - below.size) >= 0.5 or self._spaced(line, below):
            return False
        full = line.right > (line.edge or self._edge) * 0.9
        return full + below.text[:1].islower() + is_sentence(line.text) > 1

    def _heading_level(self, line: TextLine, outline: Mapping[str, int], *, prose: bool = False) -> int:
        text = line.text
        listed = outline.get(letters(text)) if outline else None
        if listed:
            return listed
        worded = heading_level(text)
        larger = line.size > self._style.size * 1.12
        set_off = larger or (line.bold and not self._style.bold)
        if worded and (set_off or text.isupper() or _RE["article"].match(text)):
            return worded + self._depth
        ends = re.search(r"[.,;。，；]$", text)
        if not set_off or prose or len(text) > 110 or ends or not any(map(str.isalpha, text)):
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
        return _RE["unfinished_title"].search(last.text) is not None or (not heading_level(line.text))

    def _spaced(self, last: TextLine, line: TextLine) -> bool:
        gap = last.bottom - line.top
        return gap > max(last.size, line.size) * 0.45 or gap < -3 * last.size

    def _is_split(self, last: TextLine, line: TextLine) -> bool:
        """Whether a paragraph begins: an item, article, gap, other type, or behind a short finished line."""
        if _BULLET.match(last.text):
            return False
        if self._starts_anew(line) or abs(last.size - line.size) > 1.5:
            return True
        finished = FINISHED.search(last.text) is not None
        if self._spaced(last, line):
            # A jump upwards is a new column or page part: the sentence may go on there.
            return last.bottom > line.top or finished
        edge = last.edge or self._edge
        return finished and last.right < edge - max(6 * last.size, edge * 0.12)

    def _starts_anew(self, line: TextLine) -> bool:
        """A list item or an article; no figures in brackets behind the number that ends the line before:
        "thirty / (30) days"."""
        if self._paragraph and (figures := _FIGURES.match(line.text)):
            above = self._paragraph[-1].text
            spelled = [n for n in numerals(fold(above)) if n.end == len(above)]
            if spelled and spelled[0].value == int(figures["n"]):
                return False
        bulleted = _BULLETED.match(line.text) or _BULLET.match(line.text)
        return bool(bulleted or is_list_item(line.text) or _RE["article"].match(line.text))


def _apart(line: TextLine, other: TextLine) -> bool:
    """Whether two lines that follow one another stand further apart than lines of a paragraph."""
    return abs(line.bottom - other.top) > 0.6 * max(line.size, other.size)


def _joined(texts: Sequence[str]) -> str:
    """Lines one below the other; the halves of a cut word together."""
    return "\n".join(filter(None, texts)).replace(f"{RUN_ON}\n", "")
