"""Raised and lowered characters of a PDF's lines, by their size and baseline: marks of notes, exponents,
indices."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

from rag.parsers.marks import marked, note_body, note_labels, note_mark, raised, unmarked
from rag.parsers.pdf_lines import WORD_GAP, Box, PlacedWord, TextLine
from rag.types import MarkKind

SMALL = 0.88  # of the line's type; browsers print raised type at five sixths
_TINY = 0.4  # smaller type stands beside a large initial
_RISE, _FALL = 0.12, 0.05  # of a baseline, as a share of the height of the line's type
_MOST = 12  # characters
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
_CODED = frozenset("⁰¹²³⁴⁵⁶⁷⁸⁹")

_BRACKETED = re.compile(r"(?:\([a-z\d]{1,2}\)[\s,]*)+")
_ALONE = re.compile(rf"{_BRACKETED.pattern}|[a-z*†‡§]{{1,2}}")  # marks that stand by themselves too
_OPEN, _NOTE, _CLOSE = note_mark("x")[0], note_body("x")[0], note_body("x")[-1]
_MARK, _BODY = re.compile(f"{_OPEN}([^{_CLOSE}]*)"), re.compile(f"{_NOTE}([^{_CLOSE}]*)")
_SIGN = re.compile(f"([{_OPEN}{_NOTE}])([^{_CLOSE}]*)")

# The boxes and baselines of characters by pdfium's numbers.
Placed = Callable[[Sequence[int]], list[tuple[Box, float]]]


@dataclass(frozen=True, slots=True)
class _Glyph:
    text: str
    number: int
    box: Box
    level: int  # 1 raised, -1 lowered


def read_marks(lines: list[TextLine], placed: Placed, inner: Sequence[int] = ()) -> list[TextLine]:
    """Take the marks of notes out of the lines' text and write exponents as such; `TextLine.signed` has the
    signs for them. A raised label in front of a line is that of a note. `inner` are pdfium's numbers of small
    characters within words, in order."""
    lines = _as_printed(lines)
    uneven = [_is_uneven(line) or _holds(line, inner) for line in lines]
    if not any(uneven):
        return lines
    result: list[TextLine] = []
    for n, (line, odd) in enumerate(zip(lines, uneven, strict=True)):
        below = lines[n + 1] if n + 1 < len(lines) else None
        if below is not None and _is_label(line, below):
            # pdfium breaks the line behind a raised label.
            below.put([*line.words, *below.words])
            below.left, uneven[n + 1] = line.left, True
            continue
        result.append(_read(line, placed) if odd else line)
    return result


def lead_to_notes(lines: Sequence[TextLine], page: int) -> None:
    """Notes at the foot of a page are those of its own marks: labels that stand on it get its number. A line
    of smaller type that begins with a label that is not raised is a note too, in any type with a sign."""
    signed = [line for line in lines if line.signed]
    labels = {match[1] for line in signed for match in _MARK.finditer(line.signed)}
    if not labels:
        return
    bodies = {match[1] for line in signed for match in _BODY.finditer(line.signed)}
    largest = max(line.size for line in signed)
    for line in lines:
        first = line.text.split(" ", 1)[0].rstrip(".")
        smaller = line.size < 0.95 * largest or not first.isalnum()
        if first in labels - bodies and smaller and " " in line.text:
            line.signed = note_body(first) + (line.signed or line.text)
            bodies.add(first)
    for line in lines:
        if line.signed:
            line.signed = _SIGN.sub(
                lambda match: f"{match[1]}{page}:{match[2]}" if match[2] in bodies else match[0], line.signed
            )


def _as_printed(lines: Sequence[TextLine]) -> list[TextLine]:
    """Lines that pdfium breaks where raised or lowered type begins or ends, put together."""
    result: list[TextLine] = []
    for line in lines:
        if result and _is_broken(result[-1].words[-1].last, line.words[0].first):
            last = result[-1]
            last.put([*last.words, *line.words])
            last.right, last.uneven, last.bold = line.right, True, last.bold and line.bold
        else:
            result.append(line)
    return result


def _is_broken(last: Box, first: Box) -> bool:
    """Whether characters that follow each other stand in one line, one of them smaller, raised or lowered."""
    heights = last[1] - last[3], first[1] - first[3]
    size, shift = max(heights), abs(last[3] - first[3])
    beside = -0.1 * size < first[0] - last[2] < WORD_GAP * size
    return beside and _TINY * size < min(heights) < SMALL * size and _RISE * size < shift < 0.6 * size


def _is_uneven(line: TextLine) -> bool:
    if not line.uneven and _CODED.isdisjoint(line.text):
        return False
    # Not type that is turned: its boxes are as high as its characters are wide.
    ends = ((word.first, word.last) for word in line.words)
    return line.size > 0 and not any(abs(b[0] - a[0]) < abs(b[3] - a[3]) for a, b in ends)


def _holds(line: TextLine, inner: Sequence[int]) -> bool:
    first, last = line.words[0].number, line.words[-1].number + len(line.words[-1].text)
    return bisect_left(inner, first) < bisect_left(inner, last)


def _is_label(line: TextLine, below: TextLine) -> bool:
    """Whether a line is nothing but the raised label of the one that begins behind it."""
    return (
        len(line.text) <= 4
        and bool(note_labels(line.text))
        and line.size < 0.9 * below.size
        and below.bottom + 0.1 * below.size < line.bottom < below.top
        and -0.1 * below.size < below.left - line.right < below.size
    )


def _read(line: TextLine, placed: Placed) -> TextLine:
    glyphs = _glyphs(line, placed)
    # Text as it reads, with signs, and the characters that it stands for.
    pieces: list[tuple[str, list[_Glyph]]] = []
    runs = [(level, list(run)) for level, run in groupby(glyphs, key=lambda glyph: glyph.level)]
    for n, (level, run) in enumerate(runs):
        near = not n or _adjoins(runs[n - 1][1], run)
        text = "".join(glyph.text for glyph in run)
        after = "".join(glyph.text for glyph in runs[n + 1][1][:20]) if n + 1 < len(runs) else ""
        piece = text
        if level and len(text) <= _MOST and (near or (level > 0 and _ALONE.fullmatch(text))):
            piece = _reading(level, text, "".join(piece for piece, _ in pieces), after)
        one = piece != text and " " not in piece
        pieces += [(piece, run)] if one else [(glyph.text, [glyph]) for glyph in run]
    words, lead = list[PlacedWord](), ""
    for blank, some in groupby(pieces, key=lambda piece: piece[0] == " "):
        token = list(some)
        signed = lead + "".join(piece for piece, _ in token)
        own = [glyph for piece, run in token if unmarked(piece) for glyph in run]
        if blank:
            continue
        if own:
            text = unmarked(signed)
            words.append(
                PlacedWord(text, own[0].box, own[-1].box, own[0].number, signed if signed != text else "")
            )
        elif words:  # marks by themselves
            words[-1] = words[-1]._replace(signed=(words[-1].signed or words[-1].text) + signed)
        lead = signed if not words else ""
    if not words:
        return line
    made = TextLine.of(words, line.bold)
    boxes = [glyph.box for glyph in glyphs if not glyph.level] or [words[0].first]
    usual = _usual([box[1] - box[3] for box in boxes])
    whole = next((box for box in boxes if box[1] - box[3] > SMALL * usual), boxes[0])
    made.top, made.bottom, made.size, made.right = whole[1], whole[3], max(made.size, usual), line.right
    return made


def _reading(level: int, text: str, before: str, after: str) -> str:
    """Raised or lowered text as it reads behind and in front of other text of its line, with signs."""
    if level < 0:
        return marked(MarkKind.LOWERED, text) if text.isalnum() else text
    plain = text.translate(_SUPERSCRIPTS)
    if not before.strip():
        labels = note_labels(plain)
        return note_body(labels[0]) if labels else text
    if _BRACKETED.fullmatch(plain):
        return "".join(map(note_mark, note_labels(plain)))
    return raised(before, plain, after)


def _adjoins(before: Sequence[_Glyph], run: Sequence[_Glyph]) -> bool:
    """Whether raised text stands close behind what it is about."""
    last, first = before[-1].box, run[0].box
    return -0.5 * (last[1] - last[3]) < first[0] - last[2] < 0.4 * (last[1] - last[3])


def _usual(heights: Sequence[float]) -> float:
    return Counter(round(height, 1) for height in heights).most_common(1)[0][0]


def _glyphs(line: TextLine, placed: Placed) -> list[_Glyph]:
    """The characters of a line, each raised, lowered or neither."""
    known = [(c, word.number + k, k) for word in line.words for k, c in enumerate(word.text)]
    places = placed([number for _, number, _ in known])
    size = _usual([box[1] - box[3] for box, _ in places])
    base = next((y for box, y in places if box[1] - box[3] > SMALL * size), 0.0)
    found: list[_Glyph] = []
    for (c, number, within), (box, y) in zip(known, places, strict=True):
        level = 0
        if box[1] - box[3] > SMALL * size:
            base, level = y, int(c in _CODED and within > 0)
        elif _RISE * size < y - base < size:
            level = 1
        elif _FALL * size < base - y < 0.6 * size:
            level = -1
        # pdfium puts a blank where only the baseline changes.
        if (
            found
            and not within
            and (found[-1].level == level or abs(box[0] - found[-1].box[2]) >= 0.12 * size)
        ):
            found.append(_Glyph(" ", number, box, level if found[-1].level == level else 0))
        found.append(_Glyph(c, number, box, level))
    return found
