"""Lines of a PDF page: what stands at one height put together, and words mended that pdfium hands over broken
once the whole document is known."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from ctypes import CFUNCTYPE, c_int, c_void_p, cast
from dataclasses import dataclass, field
from functools import cache
from itertools import groupby, pairwise
from typing import Any, NamedTuple

from rag.languages import Patterns, listed, patterns
from rag.languages.text import is_word

WORD_GAP = 0.7  # as a share of the height of the type's box
RUN_ON = "\u00ad"  # dropped with the line break behind it
CUT = "\ufffe"  # pdfium's mark where a word was cut at a line's end
_RE = Patterns(__file__, cut=CUT)
_HALVES = patterns("pdf_lines")
_CLOSED, _APART = (listed(f"spaced_{name}") for name in ("pairs", "series"))
HAN = re.compile("[\u4e00-\u9fff]")
FINISHED = re.compile(r"[.!?:;。！？：；][”’\"')）」』]*$")
_TOUCH = 0.04  # between letters of a word, as a share of the height of the type's box
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
    """A word of a line: its text, the boxes of its first and last character, what pdfium counts the first
    one, and the text with the signs of its marks (`rag.parsers.marks`), "" without any."""

    text: str
    first: Box
    last: Box
    number: int = -1
    signed: str = ""

    @classmethod
    def joined(cls, words: Sequence[PlacedWord]) -> PlacedWord:
        """Words as one."""
        text, signed = "".join(w.text for w in words), "".join(w.signed or w.text for w in words)
        return cls(text, words[0].first, words[-1].last, words[0].number, signed if signed != text else "")


@dataclass(slots=True)
class TextLine:
    """`left` to `top` in PDF points, origin at the lower left of the page; `size` is the height of the type's
    box (0: no geometry known). `edge` is the right end of the column that it stands in (0: of the page).
    `words` are known while the page is open. `signed` is the text with the signs of its marks, "" without
    any, `former` the text with the words that are struck out. `uneven`: its type is of several heights."""

    text: str
    left: float = 0.0
    right: float = 0.0
    bottom: float = 0.0
    top: float = 0.0
    size: float = 0.0
    bold: bool = False
    edge: float = 0.0
    words: list[PlacedWord] = field(default_factory=list)
    signed: str = ""
    former: str = ""
    uneven: bool = False

    @classmethod
    def of(cls, words: list[PlacedWord], bold: bool = False) -> TextLine:
        """A line of words from left to right."""
        (left, top, _, low), (_, _, right, bottom) = words[0].first, words[-1].last
        made = cls("", left, right, bottom, top, abs(top - low), bold)
        made.put(words)
        return made

    @classmethod
    def within(cls, text: str, box: Box) -> TextLine:
        """A line whose words stand side by side in a box, whatever their width."""
        left, top, right, bottom = box
        words = text.split()
        ends = [left + (right - left) * n / len(words) for n in range(len(words) + 1)]
        boxes = [(a, top, b, bottom) for a, b in pairwise(ends)]
        return cls.of([PlacedWord(word, box, box) for word, box in zip(words, boxes, strict=True)])

    def put(self, words: list[PlacedWord]) -> None:
        """Put words in place of its own; where it stands is not changed."""
        self.words = words
        self.text = " ".join([word.text for word in words])
        signed = any(word.signed for word in words)
        self.signed = " ".join([word.signed or word.text for word in words]) if signed else ""

    def parts(self, cuts: Sequence[int]) -> list[TextLine]:
        """The line cut in front of words: those between two of `cuts` (the last one excluded) make a part."""
        made = [TextLine.of(self.words[begin:end], self.bold) for begin, end in pairwise(cuts)]
        for part in made:
            part.uneven = self.uneven
        made[0].former = self.former
        return made

    def gaps(self) -> list[float]:
        """The width of each gap between its words."""
        return [after.first[0] - before.last[2] for before, after in pairwise(self.words)]

    def change(self, by: Callable[[str], str]) -> None:
        """Change the text and its copy with signs."""
        self.text, self.signed = by(self.text), by(self.signed) if self.signed else ""

    @property
    def middle(self) -> float:
        return (self.left + self.right) / 2


def together(lines: Sequence[TextLine]) -> TextLine:
    """Lines that stand at one height as one, from left to right."""
    words = [*lines[0].words]
    for last, line in pairwise(lines):
        # Behind a mark a line goes on without a blank now and then.
        marked = words[-1].signed or words[-1].text[-1] in "⁰¹²³⁴⁵⁶⁷⁸⁹"
        first = [words.pop()] if marked and line.left - last.right < 0.12 * line.size else []
        words += [PlacedWord.joined([*first, line.words[0]]), *line.words[1:]]
    whole = TextLine.of(words, all(line.bold for line in lines))
    whole.right = lines[-1].right
    whole.bottom, whole.top = min(line.bottom for line in lines), max(line.top for line in lines)
    whole.former = " ".join(line.former for line in lines if line.former)
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


def without(line: TextLine, unwanted: Callable[[PlacedWord], bool]) -> tuple[TextLine | None, str]:
    """A line without some of its words (None: all of them), and those words."""
    kept: list[PlacedWord] = []
    gone: list[PlacedWord] = []
    for word in line.words:
        (gone if unwanted(word) else kept).append(word)
    if not gone:
        return line, ""
    made = TextLine.of(kept, line.bold) if kept else None
    if made is not None:
        made.size, made.edge = line.size, line.edge
    return made, " ".join(word.text for word in gone)


def joined(lines: Sequence[TextLine]) -> list[TextLine]:
    """pdfium gives the words of some lines one by one: put together what stands at one height with a word gap
    between, and figures to the label on their left."""
    result: list[TextLine] = []
    for line in lines:
        result.append(together([result.pop(), line]) if result and _adjoin(result[-1], line) else line)
    return result


def with_initials(lines: Sequence[TextLine], words: Collection[str]) -> list[TextLine]:
    """The lines with an initial that is several lines high put to the word that goes on beside it. "A" stays
    a word where only what is beside it is one of the page's `words` (casefolded)."""
    result: list[TextLine] = []
    for line in lines:
        if result and _is_initial(result[-1], line):
            initial, word = result.pop().text, line.words[0]
            whole = f"{initial}{word.text}".casefold()
            blank = " " if whole not in words and initial == "A" and word.text.casefold() in words else ""
            signed = f"{initial}{blank}{word.signed}" if word.signed else ""
            whole_word = word._replace(text=f"{initial}{blank}{word.text}", signed=signed)
            line.put([whole_word, *line.words[1:]])
        result.append(line)
    return result


def _is_initial(last: TextLine, line: TextLine) -> bool:
    above = last.bottom < line.bottom and line.top < last.top + 0.3 * line.size
    beside = -0.3 * line.size < line.left - last.right < line.size and line.text[:1].isalpha()
    return len(last.text) == 1 and last.text.isupper() and last.size > 1.6 * line.size and above and beside


def with_edges(lines: Sequence[TextLine]) -> list[TextLine]:
    """The lines with the foot of the page behind the rest and its head in front, where they are written the
    other way round."""
    levels = by_height(lines)
    if len(levels) < 4:
        return [*lines]
    head, foot = levels[0], levels[-1]
    ends = {*map(id, lines[-3:])}, {*map(id, lines[:3])}
    late = head[0].bottom - levels[1][0].top > head[0].size and ends[0].issuperset(map(id, head))
    early = levels[-2][0].bottom - foot[0].top > foot[0].size and ends[1].issuperset(map(id, foot))
    first, last = head if late else [], foot if early else []
    moved = set(map(id, (*first, *last)))
    return [*first, *(line for line in lines if id(line) not in moved), *last]


def _adjoin(last: TextLine, line: TextLine) -> bool:
    if abs(last.bottom - line.bottom) > line.size * 0.2 or line.left < last.right - 1:
        return False
    gap, between = line.left - last.right, [*last.gaps(), *line.gaps()]
    spread = bool(between) and gap < min(1.2 * line.size, 1.1 * min(between))  # as its words are
    return gap < line.size * WORD_GAP or spread or _RE["figures"].match(line.text) is not None


def close_spaced(line: TextLine) -> TextLine:
    """A line with its spaced letters ("N O T I C E") and characters closed. Only runs that stand apart evenly
    and look like words: no initials, column letters, choices or variables."""
    words, at = list[PlacedWord](), 0
    for single, some in groupby(line.words, lambda word: len(word.text) == 1 and word.text.isalnum()):
        run = list(some)
        beside = [*line.words[:at][-1:], *line.words[at + len(run) :][:1]]
        at += len(run)
        if single and len(run) > 1 and not any(_RE["operator"].fullmatch(word.text) for word in beside):
            run = _closed(line, run, whole=not beside)
        words += run
    if len(words) < len(line.words) and not line.signed:
        line.put(words)
    return line


def close_gaps(line: TextLine, generated: Callable[[int], bool]) -> TextLine:
    """A line without the blanks that pdfium sees where letters touch: "1 , 0 3 6". `generated` says of the
    number of a character whether pdfium put it there."""
    words = line.words[:1]
    for gap, word in zip(line.gaps(), line.words[1:], strict=True):
        touches = abs(gap) < _TOUCH * line.size and generated(word.number - 1)
        words.append(PlacedWord.joined([words.pop(), word]) if touches else word)
    if len(words) < len(line.words) and not line.signed:
        line.put(words)
    return line


def _closed(line: TextLine, run: list[PlacedWord], *, whole: bool) -> list[PlacedWord]:
    """Single characters with those that make a word as one; `whole`: nothing else stands in the line."""
    gaps = [after.first[0] - before.last[2] for before, after in pairwise(run)]
    usual = sorted(gaps)[len(gaps) // 2]
    between = max(1.9 * usual, usual + 0.18 * line.size)
    text = "".join(word.text for word in run)
    chinese = HAN.search(text) is not None
    kinds = [chinese or c.isdigit() for c in text]
    breaks = (n for n, gap in enumerate(gaps, start=1) if gap > between or kinds[n - 1] != kinds[n])
    parts = [run[begin:end] for begin, end in pairwise([0, *breaks, len(run)])]
    texts = ["".join(word.text for word in part) for part in parts]
    far = usual > line.size * WORD_GAP
    if usual > 2.5 * line.size or (far and not whole):
        return run
    if not chinese:
        closed = texts if _spelled(texts, 5 if far else 4) else []
    elif max(map(len, texts)) < 3:
        closed = [*_CLOSED]  # pairs only as known words: two characters may be two columns or two choices
    else:
        apart = any(text in sequence for text in texts if len(text) > 1 for sequence in _APART)
        closed = [] if apart else texts
    made = (
        [PlacedWord.joined(part)] if text in closed else part for part, text in zip(parts, texts, strict=True)
    )
    return [word for part in made for word in part]


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
    """The mark becomes a hyphen ("long-term"), unless what was cut is one word (`_Cuts`); so does a hyphen at
    a line's end."""
    marked = [line for line in lines if CUT in line.text]
    ending = [
        (line, below)
        for line, below in pairwise(lines)
        if line.text.endswith("-") and line.text[-2:-1].islower() and below.text[:1].islower()
    ]
    if not marked and not ending:
        return
    ends = [(_RE["last_word"].search(line.text), _RE["letters"].match(below.text)) for line, below in ending]
    halves = [(first[1], second[0]) if first and second else ("", "") for first, second in ends]
    cuts = _Cuts(lines, [cut for line in marked for cut in _RE["cut_word"].findall(line.text)] + halves)

    def resolve(match: re.Match[str]) -> str:
        return ("" if cuts.one_word(*match.groups()) else "-").join(match.groups())

    for line in marked:
        line.change(lambda text: _RE["cut_word"].sub(resolve, text))
    for (line, _), cut in zip(ending, halves, strict=True):
        end = -1 if cuts.one_word(*cut) else None
        line.change(lambda text, end=end: text[:end] + RUN_ON)  # type: ignore[misc]


class _Cuts:
    """What was cut at the ends of a document's lines, as pairs of halves, and which of it is one word: what
    the document writes without a hyphen elsewhere ("information"); what a dictionary has of which a half is
    no word ("con-fidentiality"); and, where a third of all that was cut is of these two kinds, so that its
    lines are broken within words, all that a dictionary has ("war-den"; it has "knowhow", too), and what is
    of two halves that are none."""

    def __init__(self, lines: Sequence[TextLine], cuts: Sequence[tuple[str, str]]) -> None:
        self.written = {word.casefold() for line in lines for word in _RE["letters"].findall(line.text)}
        self.breaks_words = False
        self.breaks_words = 3 * sum(self.one_word(*cut) for cut in cuts) >= len(cuts)

    def one_word(self, first: str, second: str) -> bool:
        if not first or not second.islower():
            return False
        whole, words = (first + second).casefold(), [is_word(first.casefold()), is_word(second)]
        if whole in self.written or (self.breaks_words and not any(words)):
            return True
        meant = words[1] and _HALVES["prefix"].fullmatch(first.casefold())
        return not meant and (self.breaks_words or not all(words)) and is_word(whole)
