"""The lines of a PDF page as pdfium reads them, with where and in which type they stand.

Only the first and last character of a line are looked up: a call per character would cost more than reading the page.
"""

from __future__ import annotations

import re
from ctypes import byref, c_int, create_string_buffer
from dataclasses import dataclass
from typing import Any

_BOLD = re.compile(rb"bold|black|heavy|demi", re.I)


@dataclass(slots=True)
class Line:
    """`left` to `top` in PDF points, origin at the lower left of the page; `size` is the height of the type's box (0: no
    geometry known). `index` is pdfium's number of the first character, -1 where numbers and text do not run in step."""

    text: str
    left: float = 0.0
    right: float = 0.0
    bottom: float = 0.0
    top: float = 0.0
    size: float = 0.0
    bold: bool = False
    index: int = -1


@dataclass(frozen=True, slots=True)
class Cell:
    """A word, or several with only word gaps between them, and its horizontal extent in points."""

    text: str
    left: float
    right: float

    @property
    def middle(self) -> float:
        return (self.left + self.right) / 2


class PageText:
    """The text of one open page. Not to be used after its `close`."""

    def __init__(self, page: Any) -> None:
        import pypdfium2.raw as raw

        self._raw = raw
        self._page = page.get_textpage()
        self._rect = raw.FS_RECTF()
        self._name = create_string_buffer(256)
        self._flags = c_int()
        self.lines = self._read()

    def close(self) -> None:
        self._page.close()

    def _read(self) -> list[Line]:
        text: str = self._page.get_text_range()
        wide = bool(text) and max(text) > "\uffff"  # pdfium counts UTF-16 units
        lines = []
        position = 0
        for piece in text.split("\n"):
            stripped = piece.strip()
            if stripped:
                lead = len(piece) - len(piece.lstrip())
                first = position + lead
                length = len(stripped) + (sum(c > "\uffff" for c in stripped) if wide else 0)
                lines.append(self._line(stripped, first, first + length - 1))
            position += len(piece) + 1 + (sum(c > "\uffff" for c in piece) if wide else 0)
        return lines

    def _line(self, text: str, first: int, last: int) -> Line:
        raw, page, rect = self._raw, self._page.raw, self._rect
        start = raw.FPDFText_GetCharIndexFromTextIndex(page, first)
        end = raw.FPDFText_GetCharIndexFromTextIndex(page, last)
        if start < 0 or end < start or not raw.FPDFText_GetLooseCharBox(page, start, rect):
            return Line(text)
        left, top, size = rect.left, rect.top, rect.top - rect.bottom
        raw.FPDFText_GetLooseCharBox(page, end, rect)
        bold = self._bold(start) and self._bold(end)
        index = start if end - start == last - first and len(text) == last - first + 1 else -1
        return Line(text, left, rect.right, rect.bottom, top, abs(size), bold, index)

    def _bold(self, index: int) -> bool:
        length = self._raw.FPDFText_GetFontInfo(self._page.raw, index, self._name, 256, byref(self._flags))
        return length > 0 and _BOLD.search(self._name.value) is not None

    def words(self, line: Line) -> list[Cell]:
        """The line's words with their extents; [] without geometry."""
        if line.index < 0:
            return []
        raw, page, rect = self._raw, self._page.raw, self._rect
        found = []
        for match in re.finditer(r"\S+", line.text):
            if not raw.FPDFText_GetLooseCharBox(page, line.index + match.start(), rect):
                return []
            left = rect.left
            raw.FPDFText_GetLooseCharBox(page, line.index + match.end() - 1, rect)
            found.append(Cell(match.group(), left, rect.right))
        return found

    def cells(self, line: Line) -> list[Cell]:
        """The line's words joined where only a word gap (under 0.7 of the type's height) parts them."""
        joined: list[Cell] = []
        for word in self.words(line):
            if joined and -line.size < word.left - joined[-1].right < line.size * 0.7:
                last = joined.pop()
                word = Cell(f"{last.text} {word.text}", last.left, word.right)
            joined.append(word)
        return joined
