"""The text of a PDF page as pdfium reads it, with where and in which type it stands.

Only the first and last character of a word are looked up: a call per character would cost as much as reading
the page. Fonts with a broken map of characters give glyph numbers, boxes, private characters or letters
shifted by a constant; the last are read back."""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections.abc import Callable, Sequence
from ctypes import byref, c_double, c_float, c_size_t, c_void_p, cast, create_string_buffer
from itertools import chain, repeat
from operator import sub
from typing import Any

from rag.languages.text import STOP_WORDS
from rag.parsers.pdf_drawn import Seen, shows_text
from rag.parsers.pdf_lines import (
    WORD,
    WORD_GAP,
    Box,
    PlacedWord,
    TextLine,
    close_spaced,
    joined,
    quick,
    without,
)
from rag.parsers.pdf_marks import read_marks

_FEWEST = 40  # letters, below which nothing is said
_VOWELS = frozenset("aeiouyAEIOUY")
_NO_TEXT = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ue000-\uf8ff\ufffd\u25a0\u25a1\U000f0000-\U0010ffff]")
_GLYPHS = re.compile(r"(?:/?\b(?:g|gid|glyph|cid|uni|c|G)[:.]?\d{1,5}\b|\(cid:\d+\))")
_WORDS = re.compile(r"[^\W\d_]+")
_PLAIN = re.compile("[A-Za-z]")
_LATIN_1 = re.compile("[\u00a1-\u00ff]")
# The most frequent characters of Chinese texts, which make up a third of any of them.
_COMMON = frozenset(
    "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面"
    "而方后多定行学法所民得经十三之进着等部度家电力里如水化高自二理起小物现实加量都两体制机当使点从业本去把性"
    "好应开它合还因由其些然前外天政四日那社义事平形相全表间样与关各重新线内数正心反你明看原又么利比或但质气第"
    "向道命此变条只没结解问意建月公无系军很情者最立代想已通并提直题党程展五果料象员革位入常文总次品式活设及管"
)
_HAN = re.compile("[\u4e00-\u9fff]")
_BOLD = re.compile(rb"bold|black|heavy|demi", re.I)
# Where a mark may stand within a word: in front of a stop, or between letters.
_WITHIN = re.compile(r"(?<=\S)[\d*†‡)](?=[.,;:)\]]{1,2}\s)|(?<=[^\W\d_])\d(?=[^\W\d_])")
_SPACED = re.compile(r"(?<!\S)[^\W\d_]\s+[^\W_](?!\S)")
_SMALL = 0.8
_LEAST_PICTURE = 0.08  # of the page
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
        self.hidden: list[str] = []
        self.text = self._units()
        self.readable = is_language(self.text)
        if not self.readable:
            self._shift_back()
        parts = [part for line in self._read() for part in _fallen(line)]
        parts = [part for part in parts if self._is_seen(part)]
        lines = read_marks(parts, self._placed, self._small())
        self._turn = _turn_of(lines)
        if self._turn:
            lines = [_turned(line, self._turn) for line in lines]
        lines = joined(lines)
        self.lines = list(map(close_spaced, lines)) if _SPACED.search(self.text) else lines

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

    def _shift_back(self) -> None:
        generated = quick("FPDFText_IsGenerated")
        text = shifted_back(self.text, lambda number: generated(self._handle, number) == 1)
        if text:
            self.text, self.readable = text, True

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

    def is_turned(self, number: int) -> bool:
        """Whether a character lies on its side."""
        import pypdfium2.raw as raw

        return abs(math.sin(raw.FPDFText_GetCharAngle(self._page, number))) > 0.7

    def _small(self) -> list[int]:
        """Characters within words that are smaller than the next one, where marks may stand."""
        numbers = [match.start() for match in _WITHIN.finditer(self.text)]
        boxes = self.boxes([n for number in numbers for n in (number, number + 1)])
        pairs = zip(numbers, boxes[::2], boxes[1::2], strict=True)
        return [n for n, box, after in pairs if box[1] - box[3] < _SMALL * (after[1] - after[3])]

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
        spans = [match.span() for match in WORD.finditer(self.text)]
        boxes = self.boxes([n for start, end in spans for n in (start, end - 1)])
        wide, heights = _measured(boxes)
        starts = [start for start, _ in spans]
        lines: list[TextLine] = []
        first = end = 0  # words
        position = 0
        for piece in self.text.split("\n"):
            position += len(piece) + 1
            end = bisect_left(starts, position, first)
            if end > first:
                text = self.text[starts[first] : spans[end - 1][1]]
                line = TextLine.of(text, boxes[2 * first : 2 * end], starts[first:end])
                line.wide = any(wide[first : end - 1])
                some = heights[2 * first : 2 * end]
                line.uneven = min(some) < _SMALL * max(some)
                lines.append(line)
            first = end
        return lines

    def _is_seen(self, line: TextLine) -> bool:
        """Look up whether a line is bold, and take out of it what cannot be seen; False where nothing is
        left."""
        ends = self._drawn(line.numbers[0]), self._drawn(line.numbers[-1])
        line.bold = all(map(self._bold, ends))
        if not any(
            self._seen.hidden(d, b) for d, b in zip(ends, (line.boxes[0], line.boxes[-1]), strict=True)
        ):
            return True

        def is_hidden(word: PlacedWord, number: int) -> bool:
            return self._seen.hidden(self._drawn(number), word.first)

        rest, gone = without(line, is_hidden)
        self.hidden += [gone] if gone else []
        if rest is not None and gone:
            line.text, line.boxes, line.numbers = rest.text, rest.boxes, rest.numbers
            line.left, line.right = rest.left, rest.right
        return rest is not None

    def rules(self) -> list[Box]:
        """Level and upright lines drawn on the page, as its type stands."""
        return [_turned_box(box, self._turn) if self._turn else box for box in self._seen.rules()]

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

    def _bold(self, drawn: int) -> bool:
        """Whether a text object's type is bold."""
        if drawn not in self._bolds:
            font = quick("FPDFTextObj_GetFont", pointer=True)(c_void_p(drawn)) if drawn else 0
            if font not in self._fonts:
                name = create_string_buffer(256)
                if font:
                    quick("FPDFFont_GetBaseFontName")(c_void_p(font), name, c_size_t(256))
                self._fonts[font] = _BOLD.search(name.value) is not None
            self._bolds[drawn] = self._fonts[font]
        return self._bolds[drawn]


def _is_turned(line: TextLine) -> bool:
    """Whether the words of a line stand one above the other: its letters are turned, or it is upright."""
    (left, _, _, bottom), (last, _, _, end) = line.boxes[0], line.boxes[-1]
    return len(line.boxes) > 2 and abs(last - left) < abs(end - bottom) / 4


def _turn_of(lines: Sequence[TextLine]) -> int:
    """1 where most of a page's type runs upwards, -1 where it runs downwards, 0 where it is level."""
    turned = [line for line in lines if _is_turned(line)]
    if sum(len(line.text) for line in turned) * 2 <= sum(len(line.text) for line in lines):
        return 0
    return 1 if sum(1 if line.boxes[-1][3] > line.boxes[0][3] else -1 for line in turned) > 0 else -1


def _turned_box(box: Box, turn: int) -> Box:
    """A box as it stands for a reader who turns the page."""
    left, top, right, bottom = box
    return (bottom, -left, top, -right) if turn > 0 else (-top, right, -bottom, left)


def _turned(line: TextLine, turn: int) -> TextLine:
    if not _is_turned(line):
        return line
    made = TextLine.of(line.text, [_turned_box(box, turn) for box in line.boxes], line.numbers, line.bold)
    made.signed, made.wide = line.signed, made.has_wide_gap()
    return made


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


def _measured(boxes: Sequence[Box]) -> tuple[list[bool], list[float]]:
    """Whether a gap that could part columns follows each word, and the heights of all boxes."""
    if not boxes:
        return [], []
    values = list(chain.from_iterable(boxes))
    heights = list(map(sub, values[1::4], values[3::4]))
    gaps = map(sub, values[8::8], values[6::8])
    return [gap > WORD_GAP * height for gap, height in zip(gaps, heights[::2], strict=False)], heights


def _fallen(line: TextLine) -> list[TextLine]:
    """pdfium takes rows of small type for one line now and then: cut where a word stands lower than the one
    before."""
    if not line.size or line.top - line.bottom < line.size * (1 + _FALL) or _is_turned(line):
        return [line]
    ends = enumerate(zip(line.boxes[1::2], line.boxes[2::2], strict=False), 1)
    cuts = [n for n, (before, after) in ends if before[3] - after[3] > line.size * _FALL]
    return line.parts([0, *cuts, len(line.numbers)])


def is_language(text: str) -> bool:
    """False for what no language looks like; True where there is too little text to say."""
    shown = sum(not c.isspace() for c in text)
    if shown < _FEWEST:
        return True
    if len(_NO_TEXT.findall(text)) * 3 > shown or sum(map(len, _GLYPHS.findall(text))) * 2 > shown:
        return False
    han = _HAN.findall(text)
    if len(han) * 3 > shown and len(han) >= 2 * _FEWEST:
        return sum(c in _COMMON for c in han) * 12 > len(han)
    strange, plain = len(_LATIN_1.findall(text)), _PLAIN.findall(text)
    if strange > _FEWEST and strange * 2 > shown:
        return False
    if len(plain) < max(100, 0.5 * shown) or len(set(plain)) < 12:
        return True
    vowels = sum(c in _VOWELS for c in plain)
    return vowels * 100 > 21 * len(plain) or _share_known(text) > 0.1


def _share_known(text: str) -> float:
    """The share of the letters that stand in stop words of two letters and more; 0 for fewer than four."""
    words = [word.casefold() for word in _WORDS.findall(text)]
    known = [word for word in words if len(word) > 1 and word in STOP_WORDS]
    return sum(map(len, known)) / sum(map(len, words)) if len(known) > 3 else 0.0


def shifted_back(text: str, generated: Callable[[int], bool]) -> str:
    """Text whose characters all stand a constant below or above what they mean, as glyph numbers of common
    fonts do (29); "" where no shift makes words of it. `generated` says which characters pdfium put there
    itself (blanks and line breaks), by their place."""
    own = [c.isspace() and generated(n) for n, c in enumerate(text)]
    best, share = "", 0.12
    for shift in (29, *range(1, 29), *range(30, 60), *range(-40, 0)):
        made = "".join(
            c if kept else chr(ord(c) + shift) if 0 <= ord(c) + shift < 0x3000 else c
            for c, kept in zip(text, own, strict=True)
        )
        known = _share_known(made)
        if known > share and is_language(made):
            best, share = made, known
            if shift == 29:
                break
    return best
