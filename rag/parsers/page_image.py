"""The picture of a PDF page and where a quote stands on it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence, Set
from contextlib import closing, contextmanager
from ctypes import byref, c_int
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.errors import InputError, ParseError
from rag.parsers import content, holder
from rag.parsers.pdf_glyphs import PageText
from rag.parsers.pdf_lines import Box
from rag.parsers.pdf_tables import arrange

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_PIXELS = 24_000_000
_UNIT = 10_000  # pixels of a side, on which a place is looked up


def render_page(source: Path, page: int, *, scale: float = 1.5) -> Image:
    """Page `page` (1-based) as an RGB image of `scale` pixels per point (1.5 = 108 dpi); smaller where that
    would pass 24 million pixels. Raises ParseError for a file that cannot be opened, InputError for a page
    that it does not have."""
    with _opened(source, page) as leaf:
        width, height = leaf.get_size()
        scale = min(scale, (MAX_PIXELS / max(width * height, 1.0)) ** 0.5)
        image: Image = leaf.render(scale=scale).to_pil().convert("RGB")
        return image


def find_boxes(source: Path, page: int, quote: str, *, part: tuple[int, int] | None = None) -> list[Box]:
    """Where `quote` stands on page `page`: one box (left, top, right, bottom) per line, as shares 0..1 of the
    page's width and height from its top left corner; multiply by an image's size to draw.

    White space, hyphens and letter case are ignored in the search, and so are marks of notes and words of
    another column that the page has between those of the quote. A quote that runs on to the next page is
    found by the part that stands on this one; [] where nothing is found. With `part`, only the characters
    `quote[start:end]` are boxed, where they are found: a cell of a table row."""
    with _opened(source, page) as leaf, closing(PageText(leaf)) as text:
        return _locate(leaf, text, quote, part)


@contextmanager
def _opened(source: Path, page: int) -> Iterator[Any]:
    """A page of the document, for this thread alone."""
    from rag.parsers.pdf import PDFIUM, open_pdf

    if not holder(source).is_file():
        raise ParseError(f"{source}: the file is no longer there.", "unreadable")
    file = str(source) if source.is_file() else content(source, path=source.name)
    with PDFIUM, closing(open_pdf(file, path=source.name)) as document:
        if not 1 <= page <= len(document):
            raise InputError(f"{source.name} has pages 1 to {len(document)}, not {page}.")
        with closing(document[page - 1]) as leaf:
            yield leaf


# Left out of the comparison: white space, hyphens and the marks that stand for them at line ends.
_IGNORED = re.compile("[\\s\u00a0\u00ad\u200b\ufeff\ufffe\u2010\u2011-]")
_LEAST, _SURE = 8, 24  # letters of a piece of a quote: beside others, and by itself
_NEAR = 6  # letters between pieces of a quote


def _locate(leaf: Any, page: PageText, quote: str, part: tuple[int, int] | None) -> list[Box]:
    needle, letters, starts = _letters(quote), *_as_read(page)
    haystack, numbers = "".join(letter for letter, _ in letters), [n for _, n in letters]
    at = haystack.find(needle) if needle else -1
    pieces = [(at, 0, len(needle))] if at >= 0 else _pieces(haystack, needle, starts)
    places = {b + k: a + k for a, b, size in pieces for k in range(size)}
    found = list(places.values())
    if part is not None:
        start, end = (len(_letters(quote[:at])) for at in part)
        found = [places[k] for k in range(start, end) if k in places] or found
    return _boxes(leaf, page, [numbers[n] for n in found])


def _as_read(page: PageText) -> tuple[list[tuple[str, int]], set[int]]:
    """The letters of a page with pdfium's numbers, in the order in which the parser reads them: column by
    column; and those (by their places) that begin a line, with the end of the last one."""
    lines, _ = arrange(page.lines, page.rules())
    firsts = sorted(word.number for line in lines for word in line.words)
    ends = dict(pairwise([*firsts, len(page.text)]))
    letters, starts = list[tuple[str, int]](), {0}
    for line in lines:
        for n in (n for word in line.words for n in range(word.number, ends[word.number])):
            c = page.text[n]
            # "ff" counts as "f": pdfium loses the second letter of that ligature in some fonts.
            if c > "\0" and not _IGNORED.match(c) and (not letters or letters[-1][0] + _letter(c) != "ff"):
                letters.append((_letter(c), n))
        starts.add(len(letters))
    return letters, starts


def _letter(c: str) -> str:
    """A character as it is compared: an exponent is the digit that stands on the page."""
    return unicodedata.normalize("NFKC", c).casefold()[:1] or c


def _letters(quote: str) -> str:
    return "".join(map(_letter, _IGNORED.sub("", quote))).replace("ff", "f")


def _pieces(haystack: str, needle: str, starts: Set[int]) -> list[tuple[int, int, int]]:
    """(place in the haystack, in the needle, length) of what is found of a needle that does not stand there
    whole: around the marks of notes that were taken out of it and the words of another column, or the part of
    it that is on this page."""
    from difflib import Match, SequenceMatcher

    blocks = [*SequenceMatcher(None, haystack, needle, autojunk=False).get_matching_blocks()[:-1]]
    for n in range(len(blocks) - 1):
        (a, b, size), (c, d, more) = blocks[n : n + 2]
        # A letter behind the end of a line that is also the first one of the next piece belongs to that.
        for k in range(1, min(4, size)) if b + size == d else ():
            same = haystack[a + size - k : a + size] == haystack[c - k : c]
            if same and not starts.isdisjoint((a + size - k, c - k)):
                blocks[n], blocks[n + 1] = Match(a, b, size - k), Match(c - k, d - k, more + k)
                break
    weights = [_weight(needle[b : b + size]) for _, b, size in blocks]
    kept: list[tuple[int, int, int]] = []
    if sum(weight for weight in weights if weight >= _LEAST) * 10 >= 6 * _weight(needle):
        large = {a for (a, _, _), weight in zip(blocks, weights, strict=True) if weight >= _LEAST}
        for a, b, size in blocks:
            # What is alike by chance stands far from the rest.
            behind = bool(kept) and a - kept[-1][0] - kept[-1][2] <= _NEAR
            before = any(a + size <= place <= a + size + _NEAR for place in large)
            if a in large or behind or before:
                kept.append((a, b, size))
        return kept
    for (a, b, size), weight in zip(blocks, weights, strict=True):
        # What goes on over a page's end ends a line of this page, or begins one.
        crosses = (not b and a + size in starts) or (b + size == len(needle) and a in starts)
        if weight >= _SURE or (crosses and weight >= _LEAST):
            kept.append((a, b, size))
    return kept


def _weight(letters: str) -> int:
    """Letters, of which a Chinese character counts as three."""
    return sum(3 if c > "\u2e80" else 1 for c in letters)


def _boxes(leaf: Any, page: PageText, characters: Sequence[int]) -> list[Box]:
    """One box a line: characters are joined in page space, where lines are level, or upright where turned."""
    lines: list[Box] = []
    for n, box in zip(characters, page.boxes(characters), strict=True):
        if lines and _same_line(lines[-1], box, page.turn(n) != 0):
            last = lines.pop()
            box = (min(last[0], box[0]), max(last[1], box[1]), max(last[2], box[2]), min(last[3], box[3]))
        lines.append(box)
    boxes = (_on_image(leaf, line) for line in lines)
    return [box for box in boxes if box[2] > box[0] and box[3] > box[1]]


def _same_line(last: Box, box: Box, turned: bool) -> bool:
    low, high = (0, 2) if turned else (3, 1)
    overlap = min(last[high], box[high]) - max(last[low], box[low])
    level = overlap > 0.5 * min(last[high] - last[low], box[high] - box[low])
    return level and (turned or box[2] >= last[0])


def _on_image(leaf: Any, line: Box) -> Box:
    """A box in page space as shares of the picture, whatever the page's rotation and crop box."""
    import pypdfium2.raw as raw

    x, y = c_int(), c_int()
    shares = []
    for corner in (line[:2], line[2:]):
        raw.FPDF_PageToDevice(leaf, 0, 0, _UNIT, _UNIT, 0, *corner, byref(x), byref(y))
        shares.append([min(max(one.value / _UNIT, 0.0), 1.0) for one in (x, y)])
    (left, right), (top, bottom) = map(sorted, zip(*shares, strict=True))
    return left, top, right, bottom
