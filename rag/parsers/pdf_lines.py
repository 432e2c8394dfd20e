"""Lines of a PDF page: what stands at one height put together, and words mended that pdfium hands over broken
once the whole document is known."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from ctypes import CFUNCTYPE, c_int, c_void_p, cast
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple

from rag.languages import Patterns, listed, patterns
from rag.parsers.marks import signed_part

WORD_GAP = 0.7  # as a share of the height of the type's box
RUN_ON = "\u00ad"  # dropped with the line break behind it
CUT = "\ufffe"  # pdfium's mark where a word was cut at a line's end
_RE = Patterns(__file__, cut=CUT)
WORD = _RE["word"]
_HALVES = patterns("pdf_lines")
_CLOSED, _APART = (listed(f"spaced_{name}") for name in ("pairs", "series"))
_HAN = re.compile("[\u4e00-\u9fff]")
_LONGEST = 16  # letters of a word that is spaced

Box = tuple[float, float, float, float]
"""Left, top, right and bottom in PDF points, origin at the lower left of the page."""


@cache
def quick(name: str, *takes: Any, pointer: bool = False) -> Callable[..., Any]:
    """A function of pdfium without ctypes' look at each argument, which costs more than the call; `takes` are
    the kinds of numbers that it is called with."""
    import pypdfium2.raw as raw

    return CFUNCTYPE(c_void_p if pointer else c_int, *takes)(cast(getattr(raw, name), c_void_p).value or 0)


class PlacedWord(NamedTuple):
    """A word at `[start, end)` of its line, with the boxes of its first and last character."""

    start: int
    end: int
    first: Box
    last: Box


@dataclass(slots=True)
class TextLine:
    """`left` to `top` in PDF points, origin at the lower left of the page; `size` is the height of the type's
    box (0: no geometry known). `edge` is the right end of the column that it stands in (0: of the page).
    While the page is open, `boxes` are those of the first and last character of each word, `numbers` what
    pdfium counts the first one. `signed` is the text with the signs of its marks (`rag.parsers.marks`), ""
    without any. `former` is the text with the words that are struck out. `wide`: a gap in it could part
    columns; `uneven`: its type is of several heights."""

    text: str
    left: float = 0.0
    right: float = 0.0
    bottom: float = 0.0
    top: float = 0.0
    size: float = 0.0
    bold: bool = False
    edge: float = 0.0
    boxes: list[Box] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    signed: str = ""
    former: str = ""
    wide: bool = False
    uneven: bool = False

    @classmethod
    def of(cls, text: str, boxes: list[Box], numbers: list[int], bold: bool = False) -> TextLine:
        """A line from the boxes of its words."""
        left, top, _, bottom = boxes[0]
        size = abs(top - bottom)
        _, _, right, bottom = boxes[-1]
        return cls(text, left, right, bottom, top, size, bold, 0.0, boxes, numbers)

    @classmethod
    def within(cls, text: str, box: Box) -> TextLine:
        """A line whose words stand side by side in a box, whatever their width."""
        left, top, right, bottom = box
        count = len(text.split())
        ends = [left + (right - left) * n / count for n in range(count + 1)]
        boxes = [(a, top, b, bottom) for a, b in pairwise(ends) for _ in (0, 1)]
        return cls.of(text, boxes, [-1] * count)

    def words(self) -> list[PlacedWord]:
        """Its words with where they stand; [] without geometry."""
        spans = (match.span() for match in WORD.finditer(self.text)) if self.boxes else ()
        return [
            PlacedWord(*span, *pair)
            for span, pair in zip(spans, zip(self.boxes[::2], self.boxes[1::2], strict=True), strict=True)
        ]

    def parts(self, cuts: Sequence[int]) -> list[TextLine]:
        """The line cut in front of words: those between two of `cuts` (the last one excluded) make a part."""
        spans = [match.span() for match in WORD.finditer(self.text)]
        made = []
        for begin, end in pairwise(cuts):
            start, stop = spans[begin][0], spans[end - 1][1]
            part = TextLine.of(
                self.text[start:stop], self.boxes[2 * begin : 2 * end], self.numbers[begin:end], self.bold
            )
            part.wide, part.uneven = self.wide, self.uneven
            part.former = "" if begin else self.former
            if self.signed:
                signed = signed_part(
                    self.signed, *(len("".join(self.text[:at].split())) for at in (start, stop))
                )
                part.signed = signed if signed != part.text else ""
            made.append(part)
        return made

    def has_wide_gap(self) -> bool:
        """Whether a gap between its words could part columns."""
        gaps = zip(self.boxes[1::2], self.boxes[2::2], strict=False)
        return any(after[0] - before[2] > self.size * WORD_GAP for before, after in gaps)

    def change(self, by: Callable[[str], str]) -> None:
        """Change the text and its copy with signs."""
        self.text, self.signed = by(self.text), by(self.signed) if self.signed else ""

    @property
    def middle(self) -> float:
        return (self.left + self.right) / 2


def together(lines: Sequence[TextLine]) -> TextLine:
    """Lines that stand at one height as one, from left to right."""
    whole = lines[0]
    for line in lines[1:]:
        last = whole
        # Behind a mark a line goes on without a blank now and then.
        after_mark = last.signed or last.text[-1:] in "⁰¹²³⁴⁵⁶⁷⁸⁹"
        near = bool(after_mark) and line.left - last.right < 0.12 * line.size
        blank = "" if near else " "
        boxes = [*last.boxes[:-1], *line.boxes[1:]] if near else last.boxes + line.boxes
        numbers = last.numbers + line.numbers[near:]
        whole = TextLine.of(f"{last.text}{blank}{line.text}", boxes, numbers, last.bold and line.bold)
        if last.signed or line.signed:
            whole.signed = f"{last.signed or last.text}{blank}{line.signed or line.text}"
        whole.wide = last.wide or line.wide or line.left - last.right > line.size * WORD_GAP
        whole.right = line.right
        whole.bottom, whole.top = min(last.bottom, line.bottom), max(last.top, line.top)
        whole.former = " ".join(filter(None, (last.former, line.former)))
    return whole


def by_height(lines: Sequence[TextLine]) -> list[list[TextLine]]:
    """What stands at one height, from left to right; the heights from the top."""
    levels: list[list[TextLine]] = []
    for line in sorted(lines, key=lambda line: -line.bottom):
        if levels and levels[-1][0].bottom - line.bottom < 0.4 * line.size:
            levels[-1].append(line)
        else:
            levels.append([line])
    return [sorted(level, key=lambda line: line.left) for level in levels]


def without(line: TextLine, unwanted: Callable[[PlacedWord, int], bool]) -> tuple[TextLine | None, str]:
    """A line without some of its words (None: all of them), and those words."""
    words = line.words()
    kept = [n for n, word in enumerate(words) if not unwanted(word, line.numbers[n])]
    if len(kept) == len(words):
        return line, ""
    gone = " ".join(line.text[w.start : w.end] for n, w in enumerate(words) if n not in kept)
    if not kept:
        return None, gone
    text = " ".join(line.text[words[n].start : words[n].end] for n in kept)
    boxes = [box for n in kept for box in (words[n].first, words[n].last)]
    made = TextLine.of(text, boxes, [line.numbers[n] for n in kept], line.bold)
    made.size, made.edge = line.size, line.edge
    return made, gone


def joined(lines: Sequence[TextLine]) -> list[TextLine]:
    """pdfium gives the words of some lines one by one: put together what stands at one height with a word gap
    between, and figures to the label on their left."""
    result: list[TextLine] = []
    for line in lines:
        near = result and result[-1].boxes and line.boxes and _adjoin(result[-1], line)
        result.append(together([result.pop(), line]) if near else line)
    return result


def _adjoin(last: TextLine, line: TextLine) -> bool:
    if abs(last.bottom - line.bottom) > line.size * 0.2 or line.left < last.right - 1:
        return False
    return line.left - last.right < line.size * WORD_GAP or _RE["figures"].match(line.text) is not None


def close_spaced(line: TextLine) -> TextLine:
    """A line with its spaced letters ("N O T I C E") and characters closed. Only runs that stand apart evenly
    and look like words: no initials, column letters, choices or variables."""
    words = line.words()
    spans: list[tuple[int, int]] = []
    for match in _RE["spaced"].finditer(line.text) if words and not line.signed else ():
        first = sum(word.end <= match.start() for word in words)
        last = first + len(match[0].split())
        beside = [line.text[word.start : word.end] for word in words[:first][-1:] + words[last : last + 1]]
        if not any(map(_RE["operator"].fullmatch, beside)):
            whole = last - first == len(words)
            spans += [(first + begin, first + end) for begin, end in _spaced(line, words[first:last], whole)]
    for begin, end in reversed(spans):
        start, stop = words[begin].start, words[end - 1].end
        line.text = line.text[:start] + "".join(line.text[start:stop].split()) + line.text[stop:]
        line.boxes[2 * begin : 2 * end] = [words[begin].first, words[end - 1].last]
        line.numbers[begin:end] = [line.numbers[begin]]
    if spans:
        line.wide = line.has_wide_gap()
    return line


def _spaced(line: TextLine, run: Sequence[PlacedWord], whole: bool) -> list[tuple[int, int]]:
    """The spans of single characters that make a word each, [] where they do not; `whole`: nothing else
    stands in the line."""
    gaps = [after.first[0] - before.last[2] for before, after in pairwise(run)]
    usual = sorted(gaps)[len(gaps) // 2]
    between = max(1.9 * usual, usual + 0.18 * line.size)
    joined = "".join(line.text[word.start] for word in run)
    chinese = _HAN.search(joined) is not None
    kinds = [chinese or c.isdigit() for c in joined]
    breaks = (n for n, gap in enumerate(gaps, start=1) if gap > between or kinds[n - 1] != kinds[n])
    ends = [0, *breaks, len(run)]
    texts = [joined[begin:end] for begin, end in pairwise(ends)]
    spans = list(zip(pairwise(ends), texts, strict=True))
    far = usual > line.size * WORD_GAP
    if usual > 2.5 * line.size or (far and not whole):
        return []
    if chinese:
        # Pairs only as known words: two characters may be two columns or two choices.
        if max(map(len, texts)) < 3:
            return [span for span, text in spans if text in _CLOSED]
        apart = any(text in sequence for text in texts if len(text) > 1 for sequence in _APART)
        return [] if apart else [span for span, text in spans if len(text) > 1]
    return [span for span, text in spans if len(text) > 1] if _spelled(texts, 5 if far else 4) else []


def _spelled(texts: Sequence[str], fewest: int) -> bool:
    """Whether spaced Latin letters spell words of a text."""
    together = "".join(texts)
    letters = [c for c in together.casefold() if c.isalpha()]
    if len(letters) < fewest + together.islower() or len(set(letters)) < 4 or set(letters) <= set("abcdef"):
        return False
    in_order = any(sorted(text.casefold()) == list(text.casefold()) for text in texts if len(text) > 3)
    vowels = sum(c in "aeiouäöü" for c in letters)
    even = together.isupper() or together.islower() or all(_RE["title"].fullmatch(text) for text in texts)
    return even and not in_order and max(map(len, texts)) <= _LONGEST and vowels * 5 >= len(letters)


def mend(lines: Sequence[TextLine]) -> None:
    """Mend the texts of all lines of a document in place. A line whose last word goes on in the next one ends
    with `RUN_ON`."""
    _join_cut_words(lines)
    broken = [line for line in lines if "f " in line.text]
    if any(_RE["ligature"].search(line.text) for line in broken):
        for line in broken:
            line.change(lambda text: _RE["perhaps_ligature"].sub(r"\1f", _RE["ligature"].sub(r"\1f", text)))


def _join_cut_words(lines: Sequence[TextLine]) -> None:
    """The mark becomes a hyphen ("long-term"), unless the document writes the word without one elsewhere
    ("information") or one of its halves is none ("con-fidentiality"); so does a hyphen at a line's end."""
    marked = [line for line in lines if CUT in line.text]
    ending = [
        (line, below)
        for line, below in pairwise(lines)
        if line.text.endswith("-") and line.text[-2:-1].islower() and below.text[:1].islower()
    ]
    if not marked and not ending:
        return
    words = {word.casefold() for line in lines for word in _RE["letters"].findall(line.text)}

    def resolve(match: re.Match[str]) -> str:
        first, second = match.groups()
        return first + second if _one_word(first, second, words) else f"{first}-{second}"

    for line in marked:
        line.change(lambda text: _RE["cut_word"].sub(resolve, text))
    for line, below in ending:
        first, second = _RE["last_word"].search(line.text), _RE["letters"].match(below.text)
        one = first and second and _one_word(first[1], second[0], words)
        line.change(lambda text, end=-1 if one else None: text[:end] + RUN_ON)  # type: ignore[misc]


def _one_word(first: str, second: str, words: Collection[str]) -> bool:
    if not first or not second.islower():
        return False
    halves = _HALVES["cut_head"].fullmatch(first.casefold()), _HALVES["cut_tail"].fullmatch(second)
    return (first + second).casefold() in words or any(halves)
