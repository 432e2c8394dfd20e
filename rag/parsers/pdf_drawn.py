"""Words of a PDF page that a reader does not see, or sees struck out: invisible or white type, lines drawn
through words."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from ctypes import byref, c_float, c_int, c_uint, c_void_p, cast
from dataclasses import replace
from functools import cached_property
from itertools import repeat, starmap
from typing import Any

from rag.parsers.pdf_lines import Box, PlacedWord, TextLine, quick, without
from rag.parsers.pictures import is_print

_TEXT, _PATH, IMAGE, SHADING, _FORM = 1, 2, 3, 4, 5  # kinds of objects of a page
_LINE_TO, _MOVE_TO = 0, 2  # kinds of pieces of a path
_INVISIBLE = 3  # of the ways in which text is drawn
_MOST = 2500  # objects of a page that is looked through for lines and pictures
_MOST_EDGES = 400
_THIN = 2.5  # points
_WHITE = 250
_UNMOVED = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
Colour = tuple[int, int, int, int]
"""Red, green, blue and opacity, 0 to 255."""
_COLOUR = (c_uint * 4)()  # pdfium is called by one thread at a time
_PARTS = tuple(byref(_COLOUR, 4 * n) for n in range(4))
_Matrix = tuple[float, float, float, float, float, float]


class Seen:
    """What is drawn on an open page, in the order in which it is drawn; what stands in a form where the form
    is."""

    def __init__(self, page: Any) -> None:
        self.page = c_void_p(page.raw if isinstance(page.raw, int) else cast(page.raw, c_void_p).value)
        self._count: int = quick("FPDFPage_CountObjects")(self.page)
        self._grounds: list[Box] | None = None
        self._styles: dict[int, bool] = {}
        self._moved: dict[int, _Matrix] = {}  # what stands in a form, and how that is placed

    def hidden(self, drawn: int, box: Box) -> bool:
        """Whether the text object `drawn` cannot be seen at `box`: invisible without the picture of a scan,
        white without a ground."""
        if drawn not in self._styles:
            self._styles[drawn] = _is_unseen(drawn, fill(c_void_p(drawn)))
        if not self._styles[drawn]:
            return False
        x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        if self._grounds is None:
            placed = zip(map(c_void_p, self.objects), self._kinds, strict=True)
            self._grounds = [self.bounds(one) for one, kind in placed if _is_ground(one, kind)]
        return not any(b[0] <= x <= b[2] and b[3] <= y <= b[1] for b in self._grounds)

    @cached_property
    def inks(self) -> dict[int, Colour]:
        """The text objects, in order, and the colour of each; {} on a page with too much."""
        return {drawn.value or 0: fill(drawn) for _, drawn in self.of_kinds(_TEXT)}

    @cached_property
    def all_seen(self) -> bool:
        """Whether no text object is white or invisible."""
        return bool(self.inks) and not any(starmap(_is_unseen, self.inks.items()))

    @cached_property
    def objects(self) -> list[int]:
        """All that is drawn."""
        call = quick("FPDFPage_GetObject", c_void_p, c_int, pointer=True)
        found, at = list(map(call, repeat(self.page), range(self._count))), 0
        self._kinds = list(map(_kind(), found))
        while self._count <= _MOST and _FORM in self._kinds[at:]:
            at = self._kinds.index(_FORM, at)
            inner = self._opened(found[at]) if len(found) < _MOST else []
            found[at : at + 1], self._kinds[at : at + 1] = inner, map(_kind(), inner)
        return found

    def _opened(self, form: int) -> list[int]:
        """What stands in a form."""
        call = quick("FPDFFormObj_GetObject", c_void_p, c_int, pointer=True)
        count = quick("FPDFFormObj_CountObjects")(c_void_p(form))
        inner = list(map(call, repeat(c_void_p(form)), range(count)))
        (a, b, c, d, e, f), outer = _matrix(c_void_p(form)), self._moved.get(form, _UNMOVED)
        turned = (*_at((*outer[:4], 0, 0), a, b), *_at((*outer[:4], 0, 0), c, d))
        self._moved |= dict.fromkeys(inner, (*turned, *_at(outer, e, f)))
        return inner

    def of_kinds(self, *kinds: int) -> Iterator[tuple[int, c_void_p]]:
        """What is drawn of some kinds, with its place in the order; nothing on a page with too much."""
        if 0 < self._count <= _MOST and len(self.objects) <= _MOST:
            for n, (drawn, kind) in enumerate(zip(self.objects, self._kinds, strict=True)):
                if kind in kinds:
                    yield n, c_void_p(drawn)

    @cached_property
    def paths(self) -> list[tuple[int, c_void_p, Box]]:
        """Lines and areas, with their place in the order and their box."""
        return [(n, drawn, self.bounds(drawn)) for n, drawn in self.of_kinds(_PATH)]

    def rules(self) -> list[Box]:
        """Level and upright lines, drawn as such, as thin boxes or as the edges of boxes."""
        found: list[Box] = []
        for _, drawn, box in self.paths:
            thin = min(box[2] - box[0], box[1] - box[3]) < _THIN
            found += [box] if thin else self._edges(drawn)
        return [b for b in found if max(b[2] - b[0], b[1] - b[3]) > 3]

    def pictures(self, least: float) -> Iterator[tuple[Box, c_void_p]]:
        """The pictures of at least so many square points, none of them a strip."""
        for _, drawn in self.of_kinds(IMAGE):
            box = self.bounds(drawn)
            width, height = box[2] - box[0], box[1] - box[3]
            if width * height > least and min(width, height) > 50:
                yield box, drawn

    def bounds(self, drawn: c_void_p) -> Box:
        """The box of what is drawn."""
        left, bottom, right, top = c_float(), c_float(), c_float(), c_float()
        quick("FPDFPageObj_GetBounds")(drawn, byref(left), byref(bottom), byref(right), byref(top))
        box = left.value, top.value, right.value, bottom.value
        if not self._moved or drawn.value not in self._moved:
            return box
        return _around([_at(self._moved[drawn.value], x, y) for x in box[::2] for y in box[1::2]])

    def _edges(self, drawn: c_void_p) -> list[Box]:
        """The level and upright lines of a path that is stroked."""
        count = quick("FPDFPath_CountSegments")(drawn)
        mode, stroke = c_int(), c_int()
        quick("FPDFPath_GetDrawMode")(drawn, byref(mode), byref(stroke))
        if not stroke.value or count > _MOST_EDGES:
            return []
        a, b, c, d, e, f = _matrix(drawn)
        moved = self._moved.get(drawn.value or 0) if self._moved else None
        found: list[Box] = []
        x, y = c_float(), c_float()
        start = last = (0.0, 0.0)
        for n in range(count):
            piece = c_void_p(quick("FPDFPath_GetPathSegment", pointer=True)(drawn, n))
            quick("FPDFPathSegment_GetPoint")(piece, byref(x), byref(y))
            point = (a * x.value + c * y.value + e, b * x.value + d * y.value + f)
            point = _at(moved, *point) if moved else point
            kind = quick("FPDFPathSegment_GetType")(piece)
            ends = [(last, point)] if kind == _LINE_TO else []
            start = point if kind == _MOVE_TO else start
            ends += [(point, start)] if quick("FPDFPathSegment_GetClose")(piece) else []
            boxes = map(_around, ends)
            found += [box for box in boxes if min(box[2] - box[0], box[1] - box[3]) < _THIN]
            last = point
        return found


def shows_text(picture: c_void_p) -> bool:
    """Whether a picture of a page looks like print."""
    from pypdfium2 import PdfBitmap, raw

    found = raw.FPDFImageObj_GetBitmap(cast(picture, raw.FPDF_PAGEOBJECT))
    return bool(found) and is_print(PdfBitmap.from_raw(found).to_numpy())


def _kind() -> Callable[..., int]:
    return quick("FPDFPageObj_GetType", c_void_p)


def _matrix(drawn: c_void_p) -> _Matrix:
    found = (c_float * 6)()
    quick("FPDFPageObj_GetMatrix")(drawn, byref(found))
    a, b, c, d, e, f = found
    return a, b, c, d, e, f


def _at(matrix: _Matrix, x: float, y: float) -> tuple[float, float]:
    a, b, c, d, e, f = matrix
    return a * x + c * y + e, b * x + d * y + f


def _around(points: Sequence[tuple[float, float]]) -> Box:
    xs, ys = zip(*points, strict=True)
    return min(xs), max(ys), max(xs), min(ys)


def fill(drawn: c_void_p) -> Colour:
    """The colour of an object's fill."""
    _COLOUR[:] = [0, 0, 0, 0]
    quick("FPDFPageObj_GetFillColor")(drawn, *_PARTS)
    red, green, blue, alpha = _COLOUR
    return red, green, blue, alpha


def _is_unseen(drawn: int, ink: Colour) -> bool:
    invisible = quick("FPDFTextObj_GetTextRenderMode")(c_void_p(drawn)) == _INVISIBLE
    return invisible or min(ink[:3]) >= _WHITE


def filled(drawn: c_void_p) -> bool:
    """Whether a path is an area."""
    mode, stroke = c_int(), c_int()
    quick("FPDFPath_GetDrawMode")(drawn, byref(mode), byref(stroke))
    return mode.value != 0


def _is_ground(drawn: c_void_p, kind: int) -> bool:
    """Whether text may stand out from it."""
    return kind != _TEXT and (kind != _PATH or (filled(drawn) and min(fill(drawn)[:3]) < _WHITE))


def strike(lines: Sequence[TextLine], strokes: Sequence[Box], struck: Sequence[Box]) -> list[TextLine]:
    """The lines without the words that a stroke goes through or that stand in a box that is `struck` out;
    `TextLine.former` is the line with them."""
    strokes = sorted((b for b in strokes if b[1] - b[3] < _THIN), key=lambda b: b[3])
    levels = [b[3] for b in strokes]
    if not strokes and not struck:
        return list(lines)
    result = []
    for line in lines:
        near = strokes[bisect_right(levels, line.bottom) : bisect_left(levels, line.top)]
        through = [b for b in near if _goes_through(b, line)]
        over = [b for b in struck if b[3] < line.top and line.bottom < b[1]]
        if not through and not over:
            result.append(line)
            continue

        def is_struck(word: PlacedWord, through: Any = through, over: Any = over) -> bool:
            left, top, bottom, right = *word.first[:2], word.first[3], word.last[2]
            # In the middle of the letters: a line that was cut within a word holds two lines of the page.
            inside = [
                b for b in through if 0.3 < (b[1] + b[3] - 2 * bottom) / (2 * max(top - bottom, 0.1)) < 0.65
            ]
            inside += [b for b in over if b[3] < (bottom + top) / 2 < b[1]]
            return any(min(right, b[2]) - max(left, b[0]) > 0.6 * (right - left) for b in inside)

        rest, gone = without(line, is_struck)
        if gone:
            rest = rest or replace(line, text="", signed="", words=[])
            rest.left, rest.right, rest.former = line.left, line.right, line.text
        result.append(rest or line)
    return result


def _goes_through(stroke: Box, line: TextLine) -> bool:
    """Within the line, and from the beginning of a word to the end of one."""
    height = line.size
    if not line.words or not height or not line.bottom < stroke[3] <= stroke[1] < line.top:
        return False
    ends = [word.first[0] for word in line.words], [word.last[2] for word in line.words]
    near = 0.5 * height
    return min(abs(x - stroke[0]) for x in ends[0]) < near and min(abs(x - stroke[2]) for x in ends[1]) < near
