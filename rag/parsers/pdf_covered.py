"""Words of a PDF page that lie under something opaque, or have the colour of the area that they stand on:
what was blacked out without being taken out. Where the boxes say that it may be so, the page is drawn with
these words and without them: where that makes no difference, nobody sees them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from ctypes import byref, c_int, c_void_p
from typing import Any, NamedTuple

from rag.parsers.pdf_drawn import IMAGE, SHADING, Colour, Seen, fill, filled
from rag.parsers.pdf_lines import Box, PlacedWord, TextLine, quick

_LEAST = 3.0  # points of each side of what covers words
_SHARE = 0.4  # of the height of its type that is covered of a word, at least
_RECTANGLE = 6  # pieces of a path, at most
_SCALE, _MOST_PIXELS = 2.0, 4e6  # of the page as it is drawn
_FLAT = 8  # between the darkest and the brightest of one colour
_OPAQUE = 255
_INSET = 0.15  # of a character's box, on each side
_MOST_ANNOTATIONS = 2000
_BEYOND = 1 << 30  # the place of what is drawn last
# Annotations that are drawn over words: free text, line, square, circle, polygon, open polygon, stamp, ink.
_DRAWN_OVER = frozenset((3, 4, 5, 6, 7, 8, 13, 15))


class _Cover(NamedTuple):
    """What may cover words: its place in the order in which things are drawn, itself (None: an annotation),
    its box, and whether it is a picture."""

    place: int
    drawn: c_void_p | None
    box: Box
    picture: bool = False

    def is_opaque(self) -> bool:
        if self.drawn is None:
            return True
        transparent = quick("FPDFPageObj_HasTransparency")(self.drawn)
        return not transparent and (self.picture or fill(self.drawn)[3] == _OPAQUE)


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
        opaque: bool | None = None
        for word in words:
            if not _lies_in(word, cover.box):
                continue
            own = drawn(word.number)
            if order.get(own, _BEYOND) < cover.place:
                hides = opaque = cover.is_opaque() if opaque is None else opaque
            else:
                hides = colour is not None and seen.inks.get(own) == colour
            if hides:
                numbers = range(word.number, word.number + len(word.text))
                found = {
                    n: b for n, b in zip(numbers, boxes(numbers), strict=True) if _is_within(b, cover.box)
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
                yield _Cover(place, drawn, box), ink if alike else None
    for place, drawn in seen.of_kinds(IMAGE, SHADING) if start < _BEYOND else ():
        if place > start:
            yield _Cover(place, drawn, seen.bounds(drawn), picture=True), None
    if quick("FPDFPage_GetAnnotCount")(seen.page):
        yield from ((_Cover(_BEYOND, None, box), None) for box in _annotations(page))


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


def _is_within(character: Box, box: Box) -> bool:
    x, y = (character[0] + character[2]) / 2, (character[1] + character[3]) / 2
    return box[0] < x < box[2] and box[3] < y < box[1]


def _unseen(
    page: Any, suspects: Mapping[int, Box], under_pictures: Collection[int], drawn: Callable[[int], int]
) -> frozenset[int]:
    """The characters without which the page looks the same; those under a picture only where it shows
    nothing there, as the picture of a scan shows its words."""
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
        if number not in under_pictures or before[area].size == 0 or _is_flat(before[area]):
            areas[number] = area
    owners = {drawn(number) for number in areas}
    for own in owners:
        quick("FPDFPageObj_SetIsActive")(c_void_p(own), 0)
    after = page.render(scale=scale, may_draw_forms=False).to_numpy() if areas else before
    for own in owners:
        quick("FPDFPageObj_SetIsActive")(c_void_p(own), 1)
    return frozenset(number for number, area in areas.items() if (before[area] == after[area]).all())


def _is_flat(area: Any) -> bool:
    return bool((area.max(axis=(0, 1)).astype(int) - area.min(axis=(0, 1)) <= _FLAT).all())
