"""The lines of a PDF page as pdfium reads them, with where and in which type they stand; words that it hands
over broken are mended once the whole document is known.

Only the first and last character of a line are looked up: a call per character would cost more than reading
the page."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from ctypes import byref, c_int, create_string_buffer
from dataclasses import dataclass
from typing import Any

from rag.languages import Patterns

_BOLD = re.compile(rb"bold|black|heavy|demi", re.I)
# Shares of the height of the type's box: a word gap, and the fall of the line that a break needs.
WORD_GAP = 0.7
_FALL = 0.5
CUT = "\ufffe"  # pdfium's mark where a word was cut at a line's end
_RE = Patterns(__file__, cut=CUT)


@dataclass(slots=True)
class TextLine:
    """`left` to `top` in PDF points, origin at the lower left of the page; `size` is the height of the type's
    box (0: no geometry known). `segments` map the text to pdfium's characters: from text offset a on,
    character b + offset - a; empty where the two do not run in step."""

    text: str
    left: float = 0.0
    right: float = 0.0
    bottom: float = 0.0
    top: float = 0.0
    size: float = 0.0
    bold: bool = False
    segments: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class TextCell:
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
        self.lines = _joined([part for line in self._read() for part in self._split(line)])

    def close(self) -> None:
        self._page.close()

    def _read(self) -> list[TextLine]:
        text: str = self._page.get_text_range()
        wide = bool(text) and max(text) > "\uffff"  # pdfium counts UTF-16 units
        lines = []
        position = 0
        for piece in text.split("\n"):
            stripped = piece.strip()
            if stripped:
                first = position + len(piece) - len(piece.lstrip())
                extra = sum(c > "\uffff" for c in stripped) if wide else 0
                lines.append(self._line(stripped, first, first + len(stripped) + extra - 1))
            position += len(piece) + 1 + (sum(c > "\uffff" for c in piece) if wide else 0)
        return lines

    def _line(self, text: str, first: int, last: int) -> TextLine:
        raw, page = self._raw, self._page.raw
        start = raw.FPDFText_GetCharIndexFromTextIndex(page, first)
        end = raw.FPDFText_GetCharIndexFromTextIndex(page, last)
        if start < 0 or end < start:
            return TextLine(text)
        in_step = end - start == last - first == len(text) - 1
        return self._between(text, start, end, ((0, start),) if in_step else ())

    def _between(self, text: str, start: int, end: int, segments: tuple[tuple[int, int], ...]) -> TextLine:
        """A line from its first and last character."""
        rect = self._rect
        if not self._raw.FPDFText_GetLooseCharBox(self._page.raw, start, rect):
            return TextLine(text)
        left, top, size = rect.left, rect.top, rect.top - rect.bottom
        self._raw.FPDFText_GetLooseCharBox(self._page.raw, end, rect)
        bold = self._bold(start) and self._bold(end)
        return TextLine(text, left, rect.right, rect.bottom, top, abs(size), bold, segments)

    def _bold(self, index: int) -> bool:
        length = self._raw.FPDFText_GetFontInfo(self._page.raw, index, self._name, 256, byref(self._flags))
        return length > 0 and _BOLD.search(self._name.value) is not None

    def _split(self, line: TextLine) -> list[TextLine]:
        """pdfium takes rows of small type for one line now and then: cut where a word stands lower than the
        one before."""
        if len(line.segments) != 1 or not line.size or line.top - line.bottom < line.size * (1 + _FALL):
            return [line]
        base = line.segments[0][1]
        rect = self._rect
        cuts = []
        height: float | None = None
        for match in _RE["word"].finditer(line.text):
            if not self._raw.FPDFText_GetLooseCharBox(self._page.raw, base + match.start(), rect):
                return [line]
            if height is not None and height - rect.bottom > line.size * _FALL:
                cuts.append(match.start())
            self._raw.FPDFText_GetLooseCharBox(self._page.raw, base + match.end() - 1, rect)
            height = rect.bottom
        parts = []
        for begin, end in zip([0, *cuts], [*cuts, len(line.text)], strict=True):
            text = line.text[begin:end].rstrip()
            parts.append(
                self._between(text, base + begin, base + begin + len(text) - 1, ((0, base + begin),))
            )
        return parts

    def words(self, line: TextLine) -> list[TextCell]:
        """The line's words with their extents; [] without geometry."""
        if not line.segments:
            return []
        raw, page, rect = self._raw, self._page.raw, self._rect
        starts = [offset for offset, _ in line.segments]
        found = []
        for match in _RE["word"].finditer(line.text):
            offset, base = line.segments[bisect_right(starts, match.start()) - 1]
            if not raw.FPDFText_GetLooseCharBox(page, base + match.start() - offset, rect):
                return []
            left = rect.left
            raw.FPDFText_GetLooseCharBox(page, base + match.end() - 1 - offset, rect)
            found.append(TextCell(match.group(), left, rect.right))
        return found

    def cells(self, line: TextLine) -> list[TextCell]:
        """The line's words, joined where only a word gap parts them."""
        joined: list[TextCell] = []
        for word in self.words(line):
            if joined and -line.size < word.left - joined[-1].right < line.size * WORD_GAP:
                last = joined.pop()
                word = TextCell(f"{last.text} {word.text}", last.left, word.right)
            joined.append(word)
        return joined


def _joined(lines: list[TextLine]) -> list[TextLine]:
    """pdfium gives the words of some lines one by one: put together what stands at one height with a word gap
    between, and figures to the label on their left."""
    result: list[TextLine] = []
    for line in lines:
        last = result[-1] if result else None
        if last is not None and last.segments and line.segments and _adjoin(last, line):
            shift = len(last.text) + 1
            segments = last.segments + tuple((offset + shift, base) for offset, base in line.segments)
            bottom, top = min(last.bottom, line.bottom), max(last.top, line.top)
            bold = last.bold and line.bold
            result[-1] = TextLine(
                f"{last.text} {line.text}", last.left, line.right, bottom, top, last.size, bold, segments
            )
        else:
            result.append(line)
    return result


def _adjoin(last: TextLine, line: TextLine) -> bool:
    if abs(last.bottom - line.bottom) > line.size * 0.2 or line.left < last.right - 1:
        return False
    return line.left - last.right < line.size * WORD_GAP or _RE["figures"].match(line.text) is not None


def mend(lines: Sequence[TextLine]) -> None:
    """Mend the texts of all lines of a document in place."""
    _join_cut_words(lines)
    broken = [line for line in lines if "f " in line.text]
    if any(_RE["ligature"].search(line.text) for line in broken):
        for line in broken:
            # As long as before, so that offsets into pdfium's characters still hold.
            line.text = _RE["perhaps_ligature"].sub(r"\1f", _RE["ligature"].sub(r"\1f", line.text))


def _join_cut_words(lines: Sequence[TextLine]) -> None:
    """The mark becomes a hyphen ("long-term"), unless the document writes the word without one elsewhere
    ("information")."""
    cut = [line for line in lines if CUT in line.text]
    if not cut:
        return
    words = {word.casefold() for line in lines for word in _RE["letters"].findall(line.text)}

    def resolve(match: re.Match[str]) -> str:
        first, second = match.groups()
        joined = first and second.islower() and (first + second).casefold() in words
        return first + second if joined else f"{first}-{second}"

    for line in cut:
        line.text = _RE["cut_word"].sub(resolve, line.text)
