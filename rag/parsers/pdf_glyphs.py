"""The text of a PDF page as pdfium reads it, with where and in which type it stands.

Only the first and last character of a word are looked up: a call per character would cost as much as reading
the page."""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections.abc import Sequence
from ctypes import byref, c_double, c_float, c_size_t, c_void_p, cast, create_string_buffer
from itertools import groupby, pairwise, repeat
from typing import Any

from rag.parsers import pdf_lines
from rag.parsers.encoding import is_language, shifted_back
from rag.parsers.pdf_drawn import Seen, covered, shows_text
from rag.parsers.pdf_lines import Box, PlacedWord, TextLine, quick
from rag.parsers.pdf_marks import SMALL, read_marks

_WORD = re.compile(r"\S+")
_WORDS = re.compile(r"[^\W\d_]+")
_BOLD = re.compile(rb"bold|black|heavy|demi", re.I)
# Where a mark may stand within a word: in front of a stop or of a unit ("10⁹/L"), or between letters.
_WITHIN = re.compile(
    r"(?<=\S)[\d*†‡)](?=[.,;:)\]]{1,2}\s)|(?<=[^\W\d_])\d(?=[^\W\d_])|(?<=\w)\d(?=/[^\W\d_])"
)
_SPACED = re.compile(r"(?<!\S)[^\W\d_]\s+[^\W_](?!\S)")
_TOUCH, _MOST_TOUCHING = 0.4, 9  # points between words, of which few on a page touch, as behind an f
_LEAST_PICTURE = 0.08  # of the page
_BELOW, _NEAR = 2000.0, 12.0  # points that turned lines are moved; around them
_COLUMN_GAP = 1.5  # between words, as a share of the height of the type's box
_FALL = 0.5  # of a word that begins another line, as a share of the height of the type's box
# Room for the boxes of so many characters at a time; pdfium is called by one thread at a time.
_MANY = 1024
_ROOM = (c_float * (4 * _MANY))()
_PLACES = tuple(byref(_ROOM, 16 * n) for n in range(_MANY))


class PageText:
    """The text of one open page. Not to be used after its `close`."""

    def __init__(self, page: Any) -> None:
        self._page = page.get_textpage()
        self._handle = cast(self._page.raw, c_void_p)
        self._fonts: dict[int, bool] = {}
        self._bolds: dict[int, bool] = {}
        self._seen = Seen(page)
        self._area = page.get_width() * page.get_height()
        crop = page.get_cropbox()
        self._crop = crop if crop != page.get_mediabox() else None  # what of the page is shown
        self.hidden: list[str] = []
        self._upright: list[tuple[Box, int, tuple[float, float]]] = []  # areas of turned lines, and where to
        self._gaps: list[TextLine] = []  # lines without words that are covered
        self.text = self._units()
        every = self._read_back()
        parts = self._readable(every)
        self.garbled = len(parts) < len(every)  # whether some of it is no language, which is left out
        self._covered = covered(page, self._seen, parts, self.boxes, self._drawn)
        seen = self._fill_gaps([part for part in map(self._seen_part, parts) if part])
        lines = read_marks(seen, self._placed, self._small())
        beside = {
            id(line): line
            for line in lines
            if _is_turned(line) or (len(line.text) == 1 and self.turn(line.words[0].number) != 0)
        }
        lines = [line for line in lines if id(line) not in beside]
        lines = pdf_lines.joined(lines)
        lines = [pdf_lines.close_gaps(line, self._generated) for line in lines] if self._touching else lines
        lines = list(map(pdf_lines.close_spaced, lines)) if _SPACED.search(self.text) else lines
        if any(len(line.text) == 1 and line.text.isupper() for line in lines):
            lines = pdf_lines.with_initials(lines, {word.casefold() for word in _WORDS.findall(self.text)})
        edge = max((line.right for line in lines), default=0.0)
        self.lines = [*pdf_lines.with_edges(lines), *self._set_upright([*beside.values()], edge)]

    def close(self) -> None:
        self._page.close()

    def _units(self) -> str:
        """The page's text with one code point for each of pdfium's characters, which are UTF-16 units."""
        text: str = self._page.get_text_range()
        count = self._page.count_chars()
        if len(text) == count:
            return text
        # Characters that the text leaves out: controls, halves of a pair.
        units = map(quick("FPDFText_GetUnicode"), repeat(self._handle), range(count))
        return "".join(chr(unit if unit < 0x110000 else 0xFFFD) for unit in units)

    def _generated(self, number: int) -> bool:
        """Whether pdfium put a character there itself: blanks and line breaks."""
        return bool(quick("FPDFText_IsGenerated")(self._handle, number) == 1)

    def boxes(self, numbers: Sequence[int]) -> list[Box]:
        """The boxes of characters, each as high as its type."""
        found: list[Box] = []
        call = quick("FPDFText_GetLooseCharBox")
        for at in range(0, len(numbers), _MANY):
            some = numbers[at : at + _MANY]
            list(map(call, repeat(self._handle), some, _PLACES))
            values = iter(_ROOM[: 4 * len(some)])
            # pdfium's order is left, top, right, bottom.
            found += zip(values, values, values, values, strict=True)
        return found

    def turn(self, number: int) -> int:
        """1 where a character runs upwards, -1 where it runs downwards, 0 where it is level."""
        import pypdfium2.raw as raw

        return -round(math.sin(raw.FPDFText_GetCharAngle(self._page, number)))

    def _set_upright(self, lines: Sequence[TextLine], edge: float) -> list[TextLine]:
        """Turned lines as they read, and the rules among them, below all of the page, up to its edge."""
        found: list[TextLine] = []
        turns = [self.turn(line.words[0].number) for line in lines]
        for turn in sorted(set(turns), reverse=True):
            some = [line for line, own in zip(lines, turns, strict=True) if own == turn]
            boxes = [box for line in some for word in line.words for box in word[1:3]]
            places = [_turned_box(box, turn, (0.0, 0.0)) for box in boxes]
            by = edge - max(box[2] for box in places), -_BELOW - max(box[1] for box in places)
            lefts, tops, rights, bottoms = zip(*boxes, strict=True)
            area = min(lefts) - _NEAR, max(tops) + _NEAR, max(rights) + _NEAR, min(bottoms) - _NEAR
            self._upright.append((area, turn, by))
            levels = pdf_lines.by_height([_turned(line, turn, by) for line in some])
            whole = pdf_lines.joined([line for level in levels for line in level])
            found += [pdf_lines.close_gaps(line, self._generated) for line in whole]
        return found

    def _small(self) -> list[int]:
        """Characters within words that are smaller than the next one, where marks may stand."""
        numbers = [match.start() for match in _WITHIN.finditer(self.text)]
        boxes = self.boxes([n for number in numbers for n in (number, number + 1)])
        pairs = zip(numbers, boxes[::2], boxes[1::2], strict=True)
        return [n for n, box, after in pairs if box[1] - box[3] < SMALL * (after[1] - after[3])]

    def _placed(self, numbers: Sequence[int]) -> list[tuple[Box, float]]:
        """The boxes and baselines of characters."""
        x, y = c_double(), c_double()
        call = quick("FPDFText_GetCharOrigin")
        levels = []
        for number in numbers:
            call(self._handle, number, byref(x), byref(y))
            levels.append(y.value)
        return list(zip(self.boxes(numbers), levels, strict=True))

    def _read(self) -> list[TextLine]:
        found = [*_WORD.finditer(self.text)]
        starts = [match.start() for match in found]
        boxes = self.boxes([n for match in found for n in (match.start(), match.end() - 1)])
        words = list(map(PlacedWord, [match[0] for match in found], boxes[::2], boxes[1::2], starts))
        gaps = [after[0] - before[2] for before, after in zip(boxes[1::2], boxes[2::2], strict=False)]
        self._touching = sum(-_TOUCH < gap < _TOUCH for gap in gaps) > _MOST_TOUCHING
        lines: list[TextLine] = []
        first = position = 0
        for piece in self.text.split("\n"):
            position += len(piece) + 1
            end = bisect_left(starts, position, first)
            if end > first:
                line = TextLine.of(words[first:end])
                heights = [box[1] - box[3] for box in boxes[2 * first : 2 * end]]
                line.uneven = min(heights) < SMALL * max(heights)
                lines.append(line)
            first = end
        return lines

    def _seen_part(self, line: TextLine) -> TextLine | None:
        """A line, bold or not, without what cannot be seen; None where nothing is left."""
        first, last = line.words[0], line.words[-1]
        ends = self._drawn(first.number), self._drawn(last.number)
        line.bold = all(map(self._bold, ends))
        if self._covered and not self._uncover(line):
            return None
        if self._seen.all_seen and not self._crop:
            return line
        rest, gone = pdf_lines.without(line, self._is_unseen)
        self.hidden += [gone] if gone else []
        return rest

    def _read_back(self) -> list[TextLine]:
        """The lines, in type that is no language with their letters shifted back, where that makes words."""
        lines, text = self._parts(), self.text
        for own in self._by_font(lines).values():
            if is_language(_text_of(own)):
                continue
            ends = ((line.words[0].number, line.words[-1].number + len(line.words[-1].text)) for line in own)
            places = [n for begin, end in ends for n in range(begin, min(end + 2, len(self.text)))]
            some = "".join(self.text[n] for n in places)
            if made := shifted_back(some, lambda n: self._generated(places[n])):  # noqa: B023
                letters = [*self.text]
                for n, letter in zip(places, made, strict=True):
                    letters[n] = letter
                self.text = "".join(letters)
        return lines if self.text == text else self._parts()

    def _parts(self) -> list[TextLine]:
        return [part for line in self._read() for part in _fallen(self._uncut(line))]

    def _uncut(self, line: TextLine) -> TextLine:
        """In a line of several columns, a cut word is two: the second begins another column."""
        gaps = (b.first[0] - a.last[2] for a, b in pairwise(line.words))
        if pdf_lines.CUT not in line.text or max(gaps, default=0.0) < _COLUMN_GAP * line.size:
            return line
        words: list[PlacedWord] = []
        for word in line.words:
            head, cut, tail = word.text.partition(pdf_lines.CUT)
            if cut and tail:
                at = word.number + len(head)
                end, begin = self.boxes((at, at + 1))
                words.append(PlacedWord(f"{head}-", word.first, end, word.number))
                word = PlacedWord(tail, begin, word.last, at + 1)
            words.append(word)
        made = TextLine.of(words, line.bold)
        made.uneven = line.uneven
        return made

    def _by_font(self, lines: Sequence[TextLine]) -> dict[int, list[TextLine]]:
        fonts: dict[int, list[TextLine]] = {}
        for line in lines:
            fonts.setdefault(self._font(self._drawn(line.words[0].number)), []).append(line)
        return fonts

    def _readable(self, lines: Sequence[TextLine]) -> list[TextLine]:
        """The lines in type of which the text is a language."""
        bad = [own for own in self._by_font(lines).values() if not is_language(_text_of(own))]
        if not bad and not is_language(self.text):
            return []
        gone = {id(line) for own in bad for line in own}
        return [line for line in lines if id(line) not in gone]

    def _is_unseen(self, word: PlacedWord) -> bool:
        """Whether a word cannot be seen, or stands outside of what is shown of the page."""
        left, top, right, bottom = word.first
        x, y = (left + right) / 2, (top + bottom) / 2
        crop = self._crop
        cut = crop is not None and not (crop[0] <= x <= crop[2] and crop[1] <= y <= crop[3])
        return cut or self._seen.hidden(self._drawn(word.number), word.first)

    def _uncover(self, line: TextLine) -> bool:
        """Take what is covered out of a line, which is hidden; whether something is left."""
        words, gone = list[PlacedWord](), list[str]()
        for word in line.words:
            for unseen, run in groupby(range(len(word.text)), lambda k: word.number + k in self._covered):  # noqa: B023
                places = list(run)
                text, number = word.text[places[0] : places[-1] + 1], word.number + places[0]
                if unseen:
                    gone.append(text)
                    continue
                first, last = self.boxes((number, number + len(text) - 1))
                words.append(PlacedWord(text, first, last, number))
        if gone:
            self.hidden.append(" ".join(gone))
            line.put(words)
            self._gaps.append(line)
        return bool(words)

    def _fill_gaps(self, lines: Sequence[TextLine]) -> list[TextLine]:
        """The lines with what stands in the place of covered words put there."""
        gone: set[int] = set()
        for gap in self._gaps:
            patches = [n for n, line in enumerate(lines) if n not in gone and _is_within(line, gap)]
            if patches:
                gone.update(patches)
                words = [*gap.words, *(word for n in patches for word in lines[n].words)]
                gap.put(sorted(words, key=lambda word: word.first[0]))
        return [line for n, line in enumerate(lines) if n not in gone]

    def rules(self) -> list[Box]:
        """Level and upright lines drawn on the page, as its type stands."""
        found = self._seen.rules()
        for area, turn, by in self._upright:
            left, top, right, low = area
            own = [b for b in found if b[0] < right and left < b[2] and b[3] < top and low < b[1]]
            found = [box for box in found if box not in own] + [_turned_box(box, turn, by) for box in own]
        return found

    def has_unread_picture(self) -> bool:
        """Whether a picture of a good size, with no words over it, shows text."""
        for box, picture in self._seen.pictures(_LEAST_PICTURE * self._area):
            places = (((line.left + line.right) / 2, (line.bottom + line.top) / 2) for line in self.lines)
            over = sum(box[0] < x < box[2] and box[3] < y < box[1] for x, y in places)
            if over < 2 and shows_text(picture):
                return True
        return False

    def _drawn(self, number: int) -> int:
        """The text object that a character belongs to, 0 for none."""
        return quick("FPDFText_GetTextObject", pointer=True)(self._handle, number) or 0

    def _font(self, drawn: int) -> int:
        return quick("FPDFTextObj_GetFont", pointer=True)(c_void_p(drawn)) or 0 if drawn else 0

    def _bold(self, drawn: int) -> bool:
        """Whether a text object's type is bold."""
        if drawn not in self._bolds:
            font = self._font(drawn)
            if font not in self._fonts:
                name = create_string_buffer(256)
                if font:
                    quick("FPDFFont_GetBaseFontName")(c_void_p(font), name, c_size_t(256))
                self._fonts[font] = _BOLD.search(name.value) is not None
            self._bolds[drawn] = self._fonts[font]
        return self._bolds[drawn]


def _text_of(lines: Sequence[TextLine]) -> str:
    """The text of lines, without single signs such as ticks and bullets."""
    return " ".join(line.text for line in lines if len(line.text) > 2)


def _is_turned(line: TextLine) -> bool:
    """Whether the words of a line stand one above the other: its letters are turned, or it is upright."""
    (left, _, _, bottom), (last, _, _, end) = line.words[0].first, line.words[-1].last
    return len(line.text) > 1 and abs(last - left) < abs(end - bottom) / 4


def _is_within(line: TextLine, other: TextLine) -> bool:
    """Whether a line stands at the height of another, between its ends."""
    level = abs(line.bottom - other.bottom) < 0.3 * other.size
    return line is not other and level and other.left < line.left and line.right < other.right


def _turned_box(box: Box, turn: int, by: tuple[float, float]) -> Box:
    """A box as it stands for a reader who turns the page, moved `by` points to the right and up."""
    left, top, right, bottom = box
    box = (bottom, -left, top, -right) if turn > 0 else (-top, right, -bottom, left)
    return box[0] + by[0], box[1] + by[1], box[2] + by[0], box[3] + by[1]


def _turned(line: TextLine, turn: int, by: tuple[float, float]) -> TextLine:
    boxes = ((_turned_box(word.first, turn, by), _turned_box(word.last, turn, by)) for word in line.words)
    words = [word._replace(first=a, last=b) for word, (a, b) in zip(line.words, boxes, strict=True)]
    return TextLine.of(words, line.bold)


def has_overlay(page: Any) -> bool:
    """Whether fields or annotations other than links stand above the page's content."""
    import pypdfium2.raw as raw

    for n in range(min(raw.FPDFPage_GetAnnotCount(page), 2000)):
        annotation = raw.FPDFPage_GetAnnot(page, n)
        kind = raw.FPDFAnnot_GetSubtype(annotation)
        raw.FPDFPage_CloseAnnot(annotation)
        if kind not in (raw.FPDF_ANNOT_LINK, raw.FPDF_ANNOT_POPUP):
            return True
    return False


def _fallen(line: TextLine) -> list[TextLine]:
    """Rows of small type that pdfium takes for one line: cut where a word stands lower than the last."""
    if not line.size or line.top - line.bottom < line.size * (1 + _FALL) or _is_turned(line):
        return [line]
    ends = enumerate(pairwise(line.words), 1)
    cuts = [n for n, (before, after) in ends if before.last[3] - after.first[3] > line.size * _FALL]
    return line.parts([0, *cuts, len(line.words)])
