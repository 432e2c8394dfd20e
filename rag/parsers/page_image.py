"""The picture of a PDF page and where a quote stands on it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.errors import InputError, ParseError

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_PIXELS = 24_000_000
Box = tuple[float, float, float, float]


def render_page(source: Path, page: int, *, scale: float = 1.5) -> Image:
    """Page `page` (1-based) as an RGB image of `scale` pixels per point (1.5 = 108 dpi); smaller where that
    would pass 24 million pixels. Raises ParseError for a file that cannot be opened, InputError for a page
    that it does not have."""
    with _opened(source) as document:
        leaf = _page(document, page, source)
        width, height = leaf.get_size()
        scale = min(scale, (MAX_PIXELS / max(width * height, 1.0)) ** 0.5)
        image: Image = leaf.render(scale=scale).to_pil().convert("RGB")
        leaf.close()
        return image


def find_boxes(source: Path, page: int, quote: str, *, part: tuple[int, int] | None = None) -> list[Box]:
    """Where `quote` stands on page `page`: one box (left, top, right, bottom) per line, as shares 0..1 of the
    page's width and height from its top left corner; multiply by an image's size to draw.

    White space, hyphens and letter case are ignored in the search. A quote that runs on to the next page is
    found by the part that stands on this one; [] where nothing is found. With `part`, only the characters
    `quote[start:end]` are boxed, where the quote stands on the page whole: a cell of a table row."""
    with _opened(source) as document:
        leaf = _page(document, page, source)
        text_page = leaf.get_textpage()
        boxes = _locate(leaf, text_page, quote, part)
        text_page.close()
        leaf.close()
        return boxes


@contextmanager
def _opened(source: Path) -> Iterator[Any]:
    """The document, for this thread alone."""
    from rag.parsers.pdf import PDFIUM, open_pdf

    if not source.is_file():
        raise ParseError(f"{source}: the file is no longer there.", "unreadable")
    with PDFIUM:
        document = open_pdf(str(source), path=source.name)
        try:
            yield document
        finally:
            document.close()


def _page(document: Any, page: int, source: Path) -> Any:
    if not 1 <= page <= len(document):
        raise InputError(f"{source.name} has pages 1 to {len(document)}, not {page}.")
    return document[page - 1]


# Left out of the comparison: white space, hyphens and the marks that stand for them at line ends.
_IGNORED = re.compile("[\\s\u00a0\u00ad\u200b\ufeff\ufffe\u2010\u2011-]")


def _locate(leaf: Any, text_page: Any, quote: str, part: tuple[int, int] | None) -> list[Box]:
    # Character by character, so that a place in the text is the number of a character in pdfium.
    import pypdfium2.raw as raw

    count = text_page.count_chars()
    units = [raw.FPDFText_GetUnicode(text_page, n) for n in range(count)]
    letters = [(chr(u).casefold()[0], n) for n, u in enumerate(units) if u and not _IGNORED.match(chr(u))]
    # "ff" counts as "f": pdfium loses the second letter of that ligature in some fonts.
    letters = [
        pair
        for before, pair in zip([("", 0), *letters], letters, strict=False)
        if before[0] + pair[0] != "ff"
    ]
    haystack = "".join(letter for letter, _ in letters)
    needle = _letters(quote)
    found = _search(haystack, needle)
    if found is None:
        return []
    if part is not None and found[1] - found[0] == len(needle):
        start, end = (found[0] + len(_letters(quote[:at])) for at in part)
        found = (start, end) if start < end else found
    return _boxes(leaf, text_page, [n for _, n in letters[found[0] : found[1]]])


def _letters(quote: str) -> str:
    return "".join(c.casefold()[0] for c in _IGNORED.sub("", quote)).replace("ff", "f")


def _search(haystack: str, needle: str) -> tuple[int, int] | None:
    """The needle whole; else the longest beginning of it that ends the page, or end of it that begins the
    page."""
    if not needle:
        return None
    at = haystack.find(needle)
    if at >= 0:
        return at, at + len(needle)
    if len(needle) <= 24:
        return None
    at = haystack.rfind(needle[:24])
    if at >= 0:
        return at, at + _alike(needle, haystack[at:])
    at = haystack.find(needle[-24:])
    if at >= 0:
        end = at + 24
        return end - _alike(needle[::-1], haystack[:end][::-1]), end
    return None


def _alike(one: str, other: str) -> int:
    """How many characters two texts begin with alike."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((n for n, (a, b) in pairs if a != b), min(len(one), len(other)))


def _boxes(leaf: Any, text_page: Any, characters: list[int]) -> list[Box]:
    """One box per line: characters are joined in page space, where a line is level (or upright, where the
    type is turned)."""
    import pypdfium2.raw as raw

    rect = raw.FS_RECTF()
    lines: list[list[float]] = []
    for n in characters:
        if not raw.FPDFText_GetLooseCharBox(text_page, n, rect):
            continue
        box = [rect.left, rect.bottom, rect.right, rect.top]
        turned = abs(math.sin(raw.FPDFText_GetCharAngle(text_page, n))) > 0.7
        if lines and _same_line(lines[-1], box, turned):
            last = lines[-1]
            lines[-1] = [*map(min, last[:2], box[:2]), *map(max, last[2:], box[2:])]
        else:
            lines.append(box)
    boxes = (_on_image(leaf, line) for line in lines)
    return [box for box in boxes if box[2] > box[0] and box[3] > box[1]]


def _same_line(last: list[float], box: list[float], turned: bool) -> bool:
    low, high = (0, 2) if turned else (1, 3)
    overlap = min(last[high], box[high]) - max(last[low], box[low])
    level = overlap > 0.5 * min(last[high] - last[low], box[high] - box[low])
    return level and (turned or box[2] >= last[0])


def _on_image(leaf: Any, line: list[float]) -> Box:
    """A box in page space as shares of the picture, whatever the page's rotation and crop box."""
    from ctypes import byref, c_int

    import pypdfium2.raw as raw

    unit = 10_000
    xs, ys = [], []
    for x, y in (line[:2], line[2:]):
        px, py = c_int(), c_int()
        raw.FPDF_PageToDevice(leaf, 0, 0, unit, unit, 0, x, y, byref(px), byref(py))
        xs.append(min(max(px.value / unit, 0.0), 1.0))
        ys.append(min(max(py.value / unit, 0.0), 1.0))
    return min(xs), min(ys), max(xs), max(ys)
