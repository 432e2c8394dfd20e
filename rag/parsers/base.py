"""What every parser shares: limits, the parsed value, the builder that keeps text and offsets together, and
whether a picture, of which nothing is read, looks like print.

No parser ever computes an offset. It hands pieces to a `TextBuilder`, which writes each one down and notes
where it stands, so a block's span is right by construction."""

from __future__ import annotations

import io
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby, pairwise
from typing import Any

from rag.languages import patterns
from rag.languages.text import letters
from rag.parsers.marks import FoundMark, taken, unmarked
from rag.types import Block, BlockKind, Loss, LossKind, Mark, Page, Table
from rag.types.tables import JOINT, joined_location, packed, row_spans, row_text

# Kept out of stored text: controls (lone surrogates too, which no UTF-8 database takes) and characters that
# nobody sees.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u200b\u200e\u200f\u2060\ufeff\ufffe\uffff]"
)
_LINE_BREAK = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_BLANK = re.compile("[\u00a0\u202f\u2007]")
_NEEDS_CLEANING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\xa0\u00ad\u2007\u200b\u200e\u200f\u2028\u2029\u202f\u2060\ufeff\ufffe\uffff\ud800-\udfff]"
)
TITLE_LIMIT = 200
_NUMBER = re.compile(r"[(（+\-–—−]?\s*(?:[A-Z]{0,3}[$€£¥￥])?\s*[(（]?[-−]?\d[\d,.\s]*[)）]?\s*[%％]?[)）]?$")
_YEAR = re.compile(r"(?:FY\s?)?(?:19|20)\d\d(?:\s?[-–/]\s?(?:\d{2}|\d{4}))?$")
MAX_COLUMNS = 256
_TABLES = patterns("tables", re.NOFLAG)
_LEAST_PIXELS, _MOST_PIXELS = 100_000, 40_000_000  # of a picture that is opened
_SIDE = 100  # pixels, below which a picture is a sign
MOST_LABELS = 5  # leading columns in which a blank may mean the label above, and the next


@dataclass(frozen=True, slots=True)
class Limits:
    """What one file may cost. `seconds`, `step_seconds` (for a page of a PDF) and `memory_mb` (growth of a
    worker's address space over its idle size) are kept by `rag.parsers.pool`; `max_bytes` (of the file, and
    of what a compressed file unfolds to, tenfold), `max_pages` and `max_chars` (of the text) by the parsers.
    Past a limit a parser raises ParseError("too_large")."""

    seconds: float = 120
    step_seconds: float = 30
    memory_mb: int = 2048
    max_bytes: int = 200 * 1024 * 1024
    max_pages: int = 20_000
    max_chars: int = 100_000_000


@dataclass(frozen=True, slots=True)
class Parsed:
    """A file's content, without what only its path knows; the fields are those of `Document`. `title` may be
    empty: the caller falls back to the file name."""

    title: str
    text: str
    blocks: tuple[Block, ...]
    pages: tuple[Page, ...] = ()
    marks: tuple[Mark, ...] = ()
    losses: tuple[Loss, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)


def clean(text: str) -> str:
    """Line breaks as "\\n", no-break blanks as blanks, controls and invisible characters dropped, lone
    surrogates replaced."""
    if _NEEDS_CLEANING.search(text) is None:
        return text
    text = _BLANK.sub(" ", _LINE_BREAK.sub("\n", text))
    return _SURROGATE.sub("\ufffd", _INVISIBLE.sub("", text))


def one_line(text: str) -> str:
    """Cleaned, and every run of white space as one blank."""
    return " ".join(clean(text).split())


def shorten(text: str, limit: int = TITLE_LIMIT) -> str:
    """`one_line`, cut at a word where that is possible."""
    line = one_line(text)
    if len(line) <= limit:
        return line
    cut = line.rfind(" ", limit // 2, limit)
    return line[: cut if cut > 0 else limit - 1].rstrip() + "…"


# A block, and of a row what is known of its table before its end, and its cells as `Table.rows` has them.
_Piece = tuple[Block, Table | None, tuple[int, ...]]


class TextBuilder:
    """Collects a document piece by piece.

    Blocks are separated by a blank line, rows of one table and items of one list by a line break. Pages, when
    used, partition the text: what separates two pages belongs to the first of them."""

    _CLOSE = frozenset({BlockKind.TABLE_ROW, BlockKind.LIST_ITEM})
    _OPEN = frozenset({BlockKind.HEADING, BlockKind.PARAGRAPH})

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = 0
        self._blocks: list[_Piece] = []
        self._pages: list[tuple[int, int]] = []
        self._headings: list[tuple[int, str]] = []
        self._page_break = False
        self._new_group = False
        self._table = Table(0, 0)
        self._marks: list[FoundMark] = []
        self.losses: list[Loss] = []
        self.closing: list[tuple[BlockKind, str]] = []  # a heading and paragraphs that end what was added

    def __len__(self) -> int:
        return self._length

    def start_page(self, number: int, *, back: int = 0) -> None:
        """Everything added from now on stands on page `number` (1-based, rising), and so do the last `back`
        characters of what was added: a sentence that runs over the page's end."""
        if self._length and not back:
            self._put("\n\n" if not self._page_break else "")
            self._page_break = True
        self._pages.append((number, self._length - back))

    def start_group(self) -> None:
        """The next row or item begins another table or list."""
        self._new_group = True

    def heading(self, text: str, level: int, *, location: str = "") -> None:
        """A heading of `level` (1 = outermost); it closes all headings of the same or a deeper level."""
        line = unmarked(one_line(text))
        if not line:
            return
        while self._headings and self._headings[-1][0] >= level:
            self._headings.pop()
        self._add(BlockKind.HEADING, text, level=level, location=location)
        self._headings.append((level, shorten(line)))

    def end_headings(self) -> None:
        """What follows stands under no heading."""
        self._headings.clear()

    def paragraph(self, text: str, *, location: str = "", listed: int | None = None) -> None:
        """A paragraph, or an item of a list at this depth (0 = outermost)."""
        kind = BlockKind.PARAGRAPH if listed is None else BlockKind.LIST_ITEM
        self._add(kind, text, level=listed or 0, location=location)

    def code(self, text: str) -> None:
        self._add(BlockKind.CODE, text)

    def table(
        self,
        heads: Sequence[Sequence[str]] = (),
        *,
        units: tuple[str, ...] = (),
        placed: bool = True,
        spans: Sequence[tuple[int, int, int, int]] = (),
        title: str = "",
    ) -> None:
        """The rows that follow are those of another table; see `Table`."""
        self._new_group = True
        lines = tuple(tuple(filter(None, (unmarked(one_line(p)) for p in parts))) for parts in heads)
        name = shorten(unmarked(title))
        self._table = Table(0, 0, lines, tuple(map(one_line, units)), placed, spans=tuple(spans), title=name)

    def row(self, cells: Sequence[str], *, location: str = "", joint: str = JOINT) -> None:
        """One row of the table; a row without words is left out. With another joint its text is as the page
        shows it: no empty cells."""
        parts = [taken(one_line(cell)) for cell in cells]
        flat = [plain for plain, _ in parts]
        spans, text = row_spans(flat), row_text(flat)
        if joint != JOINT:
            text, at = joint.join(filter(None, flat)), 0
            for n, cell in enumerate(flat[: len(spans)]):
                begin = at + len(joint) if at and cell else at
                at = begin + len(cell)
                spans[n] = begin, at
        marks = [
            (kind, at + start, at + end, label)
            for (at, _), (_, found) in zip(spans, parts, strict=False)
            for kind, start, end, label in found
        ]
        self._add(BlockKind.TABLE_ROW, text, location=location, cells=spans, marks=marks)

    def line(self, text: str, cells: Sequence[tuple[int, int]]) -> None:
        """One row as a line of text without white space around it, with the (start, end) of its cells."""
        self._add(BlockKind.TABLE_ROW, text, cells=cells)

    def build(self, title: str = "") -> tuple[str, tuple[Block, ...], tuple[Page, ...]]:
        """Text, blocks and pages. A top heading that repeats `title` is left out of the heading paths. What
        stands between two rows ends their table."""
        own = letters(title)
        blocks: list[Block] = []
        for path, group in groupby(self._blocks, key=lambda piece: piece[0].heading_path):
            path = path[1:] if own and path and letters(path[0]) == own else path
            for _, same in groupby(group, key=lambda piece: id(piece[1])):
                run = list(same)
                table, first, last = run[0][1], run[0][0], run[-1][0]
                if table is not None:
                    rows = tuple(cells for *_, cells in run)
                    place = joined_location(first.location, last.location)
                    table = replace(
                        table, start=first.start, end=last.end, heading_path=path, location=place, rows=rows
                    )
                for n, (b, *_) in enumerate(run):
                    row = (table, n) if table is not None else ()
                    blocks.append(Block(b.kind, b.start, b.end, path, b.level, b.location, *row))
        ends = [start for _, start in self._pages[1:]] + [self._length]
        pages = tuple(Page(*page, end) for page, end in zip(self._pages, ends, strict=False))
        return "".join(self._parts), tuple(blocks), pages

    def parsed(self, title: str, metadata: Mapping[str, str] | None = None) -> Parsed:
        """The document as it was added."""
        text, blocks, pages = self.build(title)
        return Parsed(title, text, blocks, pages, self.marks(), tuple(self.losses), metadata or {})

    def lose(self, kind: LossKind, what: str, *, under: str | None = None) -> None:
        """`what` is not read that stands here, under the last heading if no other is named."""
        if under is None:
            under = self._headings[-1][1] if self._headings else ""
        self.losses.append(Loss(kind, f"{what} under “{shorten(under, 80)}”" if under else what))

    def marks(self) -> tuple[Mark, ...]:
        """The marks of what was added, in order; those of notes lead to where their note begins."""
        bodies: dict[str, list[int]] = defaultdict(list)
        for kind, start, _, label in self._marks:
            if kind is None:
                bodies[label].append(start)
        found = []
        for kind, start, end, label in self._marks:
            if kind is not None:
                notes = bodies.get(label, []) if label else []
                leads_to = next((at for at in notes if at >= start), notes[-1] if notes else None)
                found.append(Mark(kind, start, end, leads_to))
        return tuple(sorted(found, key=lambda mark: (mark.start, mark.end)))

    def _put(self, piece: str) -> None:
        self._parts.append(piece)
        self._length += len(piece)

    def _add(
        self,
        kind: BlockKind,
        text: str,
        *,
        level: int = 0,
        location: str = "",
        cells: Sequence[tuple[int, int]] = (),
        marks: Sequence[FoundMark] = (),
    ) -> None:
        body, found = taken(clean(text).strip())
        if not body:
            return
        if self._length and not self._page_break:
            close = kind in self._CLOSE and self._blocks[-1][0].kind is kind and not self._new_group
            self._put("\n" if close else "\n\n")
        self._page_break = False
        self._new_group = False
        path = tuple(line for _, line in self._headings)
        start = self._length
        self._marks += [(of, start + a, start + b, label) for of, a, b, label in (*marks, *found)]
        self._put(body)
        block = Block(kind, start, self._length, path, level, location)
        self.closing = [] if kind not in self._OPEN else [*self.closing[-3:], (kind, body)]
        row = kind is BlockKind.TABLE_ROW
        self._blocks.append((block, self._table if row else None, packed(start, cells) if row else ()))


def is_number(cell: str) -> bool:
    """A quantity, as body cells hold; a bare year is none, because years head columns."""
    text = unmarked(cell).strip()
    return _NUMBER.match(text) is not None and _YEAR.match(text) is None


def column_heads(rows: Sequence[Sequence[str]]) -> list[tuple[str, ...]]:
    """The heads of each column, read downwards: "2019" above "Revenue"; a head that spans columns counts for
    each of them (its copies stand in `rows`). Columns at the end without one are left out."""
    heads = [tuple(dict.fromkeys(filter(None, column))) for column in zip(*rows, strict=True)]
    while heads and not heads[-1]:
        heads.pop()
    return heads


def same_as_above(rows: Sequence[Sequence[str]]) -> list[tuple[int, int]]:
    """(row, column) of the blank labels of a table that mean the one above, from top to bottom, as in
    "North | 2023 | 5" over " | 2024 | 7": in leading columns of labels, none of which comes back, where both
    rows go on with a label that is none of a sum, or with a number and a label behind it."""
    width = min(max(map(len, rows), default=0), MOST_LABELS)
    known = [[*row, *[""] * (width - len(row))][:width] for row in rows]
    seen: set[tuple[str, ...]] = set()
    wide, above = width - 1, [""] * width
    for before, row in pairwise([[""] * width, *known]):
        for c in range(wide):
            if row[c] and row[: c + 1] != before[: c + 1]:
                above[c:] = [row[c], *[""] * (width - c - 1)]
                again = tuple(above[: c + 1])
                wide = c if again in seen or is_number(row[c]) else wide
                seen.add(again)
    found = []
    # Where the first row has no label, labels do not stand beside the first of their rows.
    wide = min(wide, next((c for c, cell in enumerate(known[0]) if not cell), wide)) if known else 0
    for n, (before, row) in enumerate(pairwise(known), 1):
        first = next((c for c, cell in enumerate(row) if cell), 0)
        if 0 < first <= wide and all(before[:first]) and _labelled(before[first:]) and _labelled(row[first:]):
            row[:first] = before[:first]
            found += [(n, c) for c in range(first)]
    return found


def _labelled(cells: Sequence[str]) -> bool:
    summed = any(map(_TABLES["sum"].search, cells))
    return is_label(cells[0]) or (is_number(cells[0]) and not summed and any(map(is_label, cells[1:])))


def is_label(cell: str) -> bool:
    """Whether a cell says what its row is about: neither a number nor that of a sum."""
    return cell == unmarked(cell) > "" and not is_number(cell) and not _TABLES["sum"].search(cell)


def shows_text(picture: bytes, *, least: int = _LEAST_PIXELS) -> bool:
    """Whether a picture file with at least so many pixels looks like print; what is drawn with lines (EMF,
    WMF) and what is too large to open may be."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(picture)) as image:
            pixels = image.width * image.height
            if pixels < least or min(image.size) < _SIDE:
                return False
            if image.format == "WMF" or pixels > _MOST_PIXELS:
                return True
            image.draft("RGB", (800, 800))
            if image.has_transparency_data:
                white = Image.new("RGBA", image.size, "white")
                return is_print(Image.alpha_composite(white, image.convert("RGBA")).convert("L"))
            return is_print(image.convert("L"))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return False


def is_print(picture: Any) -> bool:
    """Whether the pixels of a picture look like print: one ground over most of it, and many sharp changes
    from it and back in its rows; no photograph, no plain area."""
    import numpy as np

    pixels = np.asarray(picture)
    some = pixels[:: max(1, len(pixels) // 200)].astype(int)
    grey = some if some.ndim < 3 else some[..., min(1, some.shape[2] - 1)]
    ground = np.bincount(grey.ravel()).argmax()
    inked = abs(grey - ground) > 64
    sharp = abs(np.diff(grey)) > 40
    changing = ((inked[:, 1:] != inked[:, :-1]) & sharp).sum(axis=1) > 12
    return bool(
        0.005 < inked.mean() < 0.4 and changing.mean() > 0.15 and (abs(grey - ground) < 24).mean() > 0.5
    )
