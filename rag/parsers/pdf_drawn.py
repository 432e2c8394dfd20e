"""Words of a PDF page that a reader does not see, or sees struck out: invisible or white type, lines drawn
through words."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from ctypes import byref, c_float, c_int, c_uint, c_void_p, cast
from dataclasses import replace
from functools import cached_property
from itertools import repeat
from typing import Any

from rag.parsers.pdf_lines import Box, PlacedWord, TextLine, quick, without

_TEXT, _PATH, _IMAGE = 1, 2, 3  # kinds of objects of a page
_LINE_TO, _MOVE_TO = 0, 2  # kinds of pieces of a path
_INVISIBLE = 3  # of the ways in which text is drawn
_MOST = 2500  # objects of a page that is looked through for lines and pictures
_MOST_EDGES = 400
_THIN = 2.5  # points
_WHITE = 250


class Seen:
    """What is drawn on an open page beside its text."""

    def __init__(self, page: Any) -> None:
        self._page = c_void_p(page.raw if isinstance(page.raw, int) else cast(page.raw, c_void_p).value)
        self._count: int = quick("FPDFPage_CountObjects")(self._page)
        self._grounds: list[Box] | None = None
        self._styles: dict[int, bool] = {}
        self._kinds: list[int] = []

    def hidden(self, drawn: int, box: Box) -> bool:
        """Whether the text object `drawn` cannot be seen at `box`: invisible without the picture of a scan,
        white without a ground."""
        if drawn not in self._styles:
            own = c_void_p(drawn)
            unseen = quick("FPDFTextObj_GetTextRenderMode")(own) == _INVISIBLE
            self._styles[drawn] = unseen or _fill(own) >= _WHITE
        if not self._styles[drawn]:
            return False
        x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        if self._grounds is None:
            self._grounds = [b for b in map(self._ground, map(c_void_p, self._objects)) if b is not None]
        return not any(b[0] <= x <= b[2] and b[3] <= y <= b[1] for b in self._grounds)

    @cached_property
    def _objects(self) -> list[int]:
        call = quick("FPDFPage_GetObject", c_void_p, c_int, pointer=True)
        return list(map(call, repeat(self._page), range(self._count)))

    def _of_kind(self, kind: int) -> list[c_void_p]:
        if not 0 < self._count <= _MOST:
            return []
        kinds = self._kinds = self._kinds or list(map(quick("FPDFPageObj_GetType", c_void_p), self._objects))
        return [c_void_p(drawn) for drawn, own in zip(self._objects, kinds, strict=True) if own == kind]

    def _ground(self, drawn: c_void_p) -> Box | None:
        """The box of what text may stand out from."""
        kind = quick("FPDFPageObj_GetType")(drawn)
        if kind == _TEXT or (kind == _PATH and (not _filled(drawn) or _fill(drawn) >= _WHITE)):
            return None
        return _bounds(drawn)

    def rules(self) -> list[Box]:
        """Level and upright lines, drawn as such, as thin boxes or as the edges of boxes."""
        found: list[Box] = []
        for drawn in self._of_kind(_PATH):
            box = _bounds(drawn)
            thin = min(box[2] - box[0], box[1] - box[3]) < _THIN
            found += [box] if thin else _edges(drawn)
        return [b for b in found if max(b[2] - b[0], b[1] - b[3]) > 3]

    def pictures(self, least: float) -> Iterator[tuple[Box, c_void_p]]:
        """The pictures of at least so many square points, none of them a strip."""
        for drawn in self._of_kind(_IMAGE):
            box = _bounds(drawn)
            width, height = box[2] - box[0], box[1] - box[3]
            if width * height > least and min(width, height) > 50:
                yield box, drawn


def shows_text(picture: c_void_p) -> bool:
    """Whether a picture looks like print: one ground over most of it, and many changes from it and back in
    its rows; no photograph, no plain area."""
    import numpy as np
    from pypdfium2 import PdfBitmap, raw

    found = raw.FPDFImageObj_GetBitmap(cast(picture, raw.FPDF_PAGEOBJECT))
    if not found:
        return False
    pixels = PdfBitmap.from_raw(found).to_numpy()
    some = pixels[:: max(1, len(pixels) // 200)].astype(int)
    grey = some if some.ndim < 3 else some[..., min(1, some.shape[2] - 1)]
    ground = np.bincount(grey.ravel()).argmax()
    inked = abs(grey - ground) > 64
    changing = (inked[:, 1:] != inked[:, :-1]).sum(axis=1) > 12
    return bool(
        0.005 < inked.mean() < 0.4 and changing.mean() > 0.15 and (abs(grey - ground) < 24).mean() > 0.5
    )


def _edges(drawn: c_void_p) -> list[Box]:
    """The level and upright lines of a path that is stroked."""
    count = quick("FPDFPath_CountSegments")(drawn)
    mode, stroke, matrix = c_int(), c_int(), (c_float * 6)()
    quick("FPDFPath_GetDrawMode")(drawn, byref(mode), byref(stroke))
    if not stroke.value or count > _MOST_EDGES:
        return []
    quick("FPDFPageObj_GetMatrix")(drawn, byref(matrix))
    a, b, c, d, e, f = matrix
    found: list[Box] = []
    x, y = c_float(), c_float()
    start = last = (0.0, 0.0)
    for n in range(count):
        piece = c_void_p(quick("FPDFPath_GetPathSegment", pointer=True)(drawn, n))
        quick("FPDFPathSegment_GetPoint")(piece, byref(x), byref(y))
        point = (a * x.value + c * y.value + e, b * x.value + d * y.value + f)
        kind = quick("FPDFPathSegment_GetType")(piece)
        ends = [(last, point)] if kind == _LINE_TO else []
        start = point if kind == _MOVE_TO else start
        ends += [(point, start)] if quick("FPDFPathSegment_GetClose")(piece) else []
        boxes = [(min(p[0], q[0]), max(p[1], q[1]), max(p[0], q[0]), min(p[1], q[1])) for p, q in ends]
        found += [box for box in boxes if min(box[2] - box[0], box[1] - box[3]) < _THIN]
        last = point
    return found


def _bounds(drawn: c_void_p) -> Box:
    left, bottom, right, top = c_float(), c_float(), c_float(), c_float()
    quick("FPDFPageObj_GetBounds")(drawn, byref(left), byref(bottom), byref(right), byref(top))
    return left.value, top.value, right.value, bottom.value


def _fill(drawn: c_void_p) -> int:
    """The darkest of red, green and blue of an object's fill, 0 to 255."""
    red, green, blue, alpha = c_uint(), c_uint(), c_uint(), c_uint()
    quick("FPDFPageObj_GetFillColor")(drawn, byref(red), byref(green), byref(blue), byref(alpha))
    return min(red.value, green.value, blue.value)


def _filled(drawn: c_void_p) -> bool:
    mode, stroke = c_int(), c_int()
    quick("FPDFPath_GetDrawMode")(drawn, byref(mode), byref(stroke))
    return mode.value != 0


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
