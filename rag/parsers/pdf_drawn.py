"""Words of a PDF page that a reader does not see, or sees struck out: invisible or white type, lines drawn
through words, and what was blacked out without being taken out: words under something opaque, or in the
colour of the area that they stand on. Where the boxes say that it may be so, the page is drawn with these
words and without them: where that makes no difference, nobody sees them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from ctypes import byref, c_float, c_int, c_uint, c_void_p, cast
from dataclasses import replace
from functools import cached_property
from itertools import repeat, starmap
from typing import Any, NamedTuple

from rag.parsers.base import is_print
from rag.parsers.pdf_lines import Box, PlacedWord, TextLine, quick, without

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
            others = ((one, kind == _PATH) for one, kind in placed if kind != _TEXT)
            shown = (one for one, path in others if not path or (filled(one) and min(fill(one)[:3]) < _WHITE))
            self._grounds = [self.bounds(one) for one in shown]  # which text may stand out from
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


_LEAST = 3.0  # points of each side of what covers words
_SHARE = 0.4  # of the height of its type that is covered of a word, at least
_RECTANGLE = 6  # pieces of a path, at most
_SCALE, _MOST_PIXELS = 2.0, 4e6  # of the page as it is drawn
_FLAT = 8  # between the darkest and the brightest of one colour
_INSET = 0.15  # of a character's box, on each side
_MOST_ANNOTATIONS = 2000
_BEYOND = 1 << 30  # the place of what is drawn last
# Annotations that are drawn over words: free text, line, square, circle, polygon, open polygon, stamp, ink.
_DRAWN_OVER = frozenset((3, 4, 5, 6, 7, 8, 13, 15))


class _Cover(NamedTuple):
    """What may cover words: its place in the order in which things are drawn, its box, and whether it is a
    picture."""

    place: int
    box: Box
    picture: bool = False


def covered(
    page: Any,
    seen: Seen,
    lines: Sequence[TextLine],
    boxes: Callable[[Sequence[int]], list[Box]],
    drawn: Callable[[int], int],
) -> frozenset[int]:
    """The numbers of the characters of an open page that are drawn and that nobody sees. `boxes` gives those
    of characters, `drawn` the text object that one belongs to."""
    suspects: dict[int, Box] = {}
    under_pictures: set[int] = set()
    placed: list[tuple[float, int]] = []
    order: dict[int, int] = {}
    tallest = 0.0
    for cover, colour in _covers(page, seen):
        if not order:
            order = {one: n for n, one in enumerate(seen.objects)}
            placed = sorted((min(line.bottom, line.top), n) for n, line in enumerate(lines))
            tallest = max((abs(line.top - line.bottom) for line in lines), default=0.0)
        first, last = (bisect_left(placed, (y, 0)) for y in (cover.box[3] - tallest, cover.box[1]))
        words = (word for _, n in placed[first:last] for word in lines[n].words)
        for word in words:
            if not _lies_in(word, cover.box):
                continue
            own = drawn(word.number)
            below = order.get(own, _BEYOND) < cover.place
            if below or (colour is not None and seen.inks.get(own) == colour):
                numbers = range(word.number, word.number + len(word.text))
                left, top, right, low = cover.box
                found = {
                    n: b
                    for n, b in zip(numbers, boxes(numbers), strict=True)
                    if 2 * left < b[0] + b[2] < 2 * right and 2 * low < b[1] + b[3] < 2 * top
                }
                suspects |= found
                under_pictures |= found.keys() if cover.picture else set()
    return _unseen(page, suspects, under_pictures, drawn) if suspects else frozenset()


def _covers(page: Any, seen: Seen) -> Iterator[tuple[_Cover, Colour | None]]:
    """What may cover words: what is drawn behind some, and areas in the colour of some, with that."""
    colours, first = {*seen.inks.values()}, next(iter(seen.inks), 0)
    start = seen.objects.index(first) if first else _BEYOND
    for place, drawn, box in seen.paths:
        if box[2] - box[0] > _LEAST < box[1] - box[3] and filled(drawn):
            ink = fill(drawn)
            alike = ink in colours and quick("FPDFPath_CountSegments")(drawn) <= _RECTANGLE
            if place > start or alike:
                yield _Cover(place, box), ink if alike else None
    for place, drawn in seen.of_kinds(IMAGE, SHADING) if start < _BEYOND else ():
        if place > start:
            yield _Cover(place, seen.bounds(drawn), picture=True), None
    if quick("FPDFPage_GetAnnotCount")(seen.page):
        yield from ((_Cover(_BEYOND, box), None) for box in _annotations(page))


def _annotations(page: Any) -> Iterator[Box]:
    """The boxes of annotations that are drawn over words."""
    import pypdfium2.raw as raw

    box = raw.FS_RECTF()
    for n in range(min(raw.FPDFPage_GetAnnotCount(page), _MOST_ANNOTATIONS)):
        annotation = raw.FPDFPage_GetAnnot(page, n)
        over = raw.FPDFAnnot_GetSubtype(annotation) in _DRAWN_OVER
        if over and raw.FPDFAnnot_GetRect(annotation, byref(box)):
            yield box.left, box.top, box.right, box.bottom
        raw.FPDFPage_CloseAnnot(annotation)


def _lies_in(word: PlacedWord, box: Box) -> bool:
    """Whether so much of a word lies in a box that a character of it may."""
    left, top, _, low = word.first
    _, high, right, bottom = word.last
    least = _SHARE * min(abs(top - low), abs(right - left))
    across = min(right, box[2]) - max(left, box[0])
    return across > least < min(max(top, high), box[1]) - max(min(low, bottom), box[3])


def _unseen(
    page: Any, suspects: Mapping[int, Box], under_pictures: Collection[int], drawn: Callable[[int], int]
) -> frozenset[int]:
    """The characters without which the page looks the same; those under a picture only where it shows
    nothing there, as the picture of a scan shows its words."""
    import numpy
    import pypdfium2.raw as raw

    width, height = page.get_size()
    scale = min(_SCALE, (_MOST_PIXELS / max(width * height, 1.0)) ** 0.5)
    before = page.render(scale=scale, may_draw_forms=False).to_numpy().copy()
    tall, wide = before.shape[:2]
    areas: dict[int, tuple[slice, slice]] = {}
    for number, (left, top, right, bottom) in suspects.items():
        x, y = c_int(), c_int()
        ends = []
        inset = (right - left) * _INSET, (top - bottom) * _INSET  # what stands beside it does not count
        for corner in ((left + inset[0], top - inset[1]), (right - inset[0], bottom + inset[1])):
            raw.FPDF_PageToDevice(page, 0, 0, wide, tall, 0, *corner, byref(x), byref(y))
            ends.append((x.value, y.value))
        (x0, x1), (y0, y1) = (sorted(max(0, one) for one in side) for side in zip(*ends, strict=True))
        area = slice(y0, y1 + 1), slice(x0, x1 + 1)
        shown = before[area].reshape(-1, before.shape[2]).astype(int)
        if number not in under_pictures or not shown.size or (numpy.ptp(shown, axis=0) <= _FLAT).all():
            areas[number] = area
    owners = {drawn(number) for number in areas}
    for own in owners:
        quick("FPDFPageObj_SetIsActive")(c_void_p(own), 0)
    after = page.render(scale=scale, may_draw_forms=False).to_numpy() if areas else before
    for own in owners:
        quick("FPDFPageObj_SetIsActive")(c_void_p(own), 1)
    return frozenset(number for number, area in areas.items() if (before[area] == after[area]).all())
