"""Raised and lowered characters of a PDF's lines, by their size and baseline: marks of notes, exponents,
indices."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from rag.parsers.marks import marked, note_body, note_labels, note_mark, raised, unmarked
from rag.parsers.pdf_lines import WORD, Box, TextLine
from rag.types import MarkKind

_SMALL = 0.8  # of the line's type
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
    uneven = [_is_uneven(line) or _holds(line, inner) for line in lines]
    if not any(uneven):
        return lines
    result: list[TextLine] = []
    for n, (line, odd) in enumerate(zip(lines, uneven, strict=True)):
        below = lines[n + 1] if n + 1 < len(lines) else None
        if below is not None and _is_label(line, below):
            # pdfium breaks the line behind a raised label.
            joined = replace(below, text=f"{line.text} {below.text}", left=line.left)
            joined.boxes, joined.numbers = line.boxes + below.boxes, line.numbers + below.numbers
            lines[n + 1], uneven[n + 1] = joined, True
            continue
        result.append(_read(line, placed) if odd else line)
    return result


def lead_to_notes(lines: Sequence[TextLine], page: int) -> None:
    """Notes at the foot of a page are those of its own marks: labels that stand on it get its number. A line
    of smaller type that begins with a label that is not raised is a note too."""
    signed = [line for line in lines if line.signed]
    labels = {match[1] for line in signed for match in _MARK.finditer(line.signed)}
    if not labels:
        return
    bodies = {match[1] for line in signed for match in _BODY.finditer(line.signed)}
    largest = max(line.size for line in signed)
    for line in lines:
        first = line.text.split(" ", 1)[0].rstrip(".")
        if first in labels - bodies and line.size < 0.95 * largest and " " in line.text:
            line.signed = note_body(first) + (line.signed or line.text)
            bodies.add(first)
    for line in lines:
        if line.signed:
            line.signed = _SIGN.sub(
                lambda match: f"{match[1]}{page}:{match[2]}" if match[2] in bodies else match[0], line.signed
            )


def _is_uneven(line: TextLine) -> bool:
    if not line.uneven and _CODED.isdisjoint(line.text):
        return False
    # Not type that is turned: its boxes are as high as its characters are wide.
    ends = zip(line.boxes[::2], line.boxes[1::2], strict=True)
    return line.size > 0 and not any(abs(b[0] - a[0]) < abs(b[3] - a[3]) for a, b in ends)


def _holds(line: TextLine, inner: Sequence[int]) -> bool:
    if not inner or not line.numbers:
        return False
    at = bisect_left(inner, line.numbers[0])
    return at < len(inner) and inner[at] < line.numbers[0] + len(line.text)


def _is_label(line: TextLine, below: TextLine) -> bool:
    """Whether a line is nothing but the raised label of the one that begins behind it."""
    return (
        len(line.text) <= 4
        and bool(note_labels(line.text) and line.boxes and below.boxes)
        and line.size < 0.9 * below.size
        and below.bottom + 0.1 * below.size < line.bottom < below.top
        and -0.1 * below.size < below.left - line.right < below.size
    )


def _read(line: TextLine, placed: Placed) -> TextLine:
    glyphs = _glyphs(line, placed)
    signed, numbers, boxes = "", [], []
    runs = [(level, list(run)) for level, run in groupby(glyphs, key=lambda glyph: glyph.level)]
    for n, (level, run) in enumerate(runs):
        near = not n or _adjoins(runs[n - 1][1], run)
        text = "".join(glyph.text for glyph in run)
        after = "".join(glyph.text for glyph in runs[n + 1][1][:20]) if n + 1 < len(runs) else ""
        if level and len(text.strip()) <= _MOST and (near or (level > 0 and _ALONE.fullmatch(text.strip()))):
            plain = text.translate(_SUPERSCRIPTS)
            if level < 0 and not text.strip().isalnum():
                piece = text
            elif level < 0:
                piece = marked(MarkKind.LOWERED, text.rstrip()) + text[len(text.rstrip()) :]
            elif not signed.strip():
                labels = note_labels(plain.strip())
                piece = note_body(labels[0]) if labels else text
            elif _BRACKETED.fullmatch(plain.strip()):
                piece = "".join(map(note_mark, note_labels(plain.strip())))
            else:
                piece = raised(signed, plain, after)
        else:
            piece = text
        signed += piece
        # As many characters as stand in the text now.
        kept = len(_plain(piece))
        places = [run[min(k, len(run) - 1)] for k in range(kept)]
        numbers += [glyph.number for glyph in places]
        boxes += [glyph.box for glyph in places]
    return _rebuilt(line, signed, numbers, boxes)


def _adjoins(before: Sequence[_Glyph], run: Sequence[_Glyph]) -> bool:
    """Whether raised text stands close behind what it is about."""
    last, first = before[-1].box, run[0].box
    return -0.5 * (last[1] - last[3]) < first[0] - last[2] < 0.4 * (last[1] - last[3])


def _plain(piece: str) -> str:
    """Without marks, but with the blanks around."""
    return unmarked(f"x{piece}x")[1:-1]


def _rebuilt(line: TextLine, signed: str, numbers: list[int], boxes: list[Box]) -> TextLine:
    text = _plain(signed)
    lead = len(text) - len(text.lstrip())
    text, numbers, boxes = text.strip(), numbers[lead:], boxes[lead:]
    if not text:
        return line
    spans = [match.span() for match in WORD.finditer(text)]
    ends = [boxes[at] for start, end in spans for at in (start, end - 1)]
    made = TextLine.of(text, ends, [numbers[start] for start, _ in spans], line.bold)
    made.signed = signed.strip() if signed.strip() != text else ""
    usual = _usual([box[1] - box[3] for box in boxes])
    whole = next((box for box in boxes if box[1] - box[3] > _SMALL * usual), boxes[0])
    made.wide = line.wide
    made.top, made.bottom, made.size, made.right = whole[1], whole[3], max(made.size, usual), line.right
    return made


def _usual(heights: Sequence[float]) -> float:
    return Counter(round(height, 1) for height in heights).most_common(1)[0][0]


def _glyphs(line: TextLine, placed: Placed) -> list[_Glyph]:
    """The characters of a line, each raised, lowered or neither."""
    words = line.words()
    known = [
        (word.start + k, number + k)
        for word, number in zip(words, line.numbers, strict=True)
        for k in range(word.end - word.start)
    ]
    places = placed([number for _, number in known])
    size = _usual([box[1] - box[3] for box, _ in places])
    usual = [y for box, y in places if box[1] - box[3] > _SMALL * size]
    base = usual[0] if usual else 0.0
    levels: list[int] = []
    for (at, _), (box, y) in zip(known, places, strict=True):
        height = box[1] - box[3]
        level = 0
        if height > _SMALL * size:
            base = y
            coded = line.text[at] in _CODED and levels and line.text[at - 1 : at].strip()
            level = 1 if coded else 0
        elif _RISE * size < y - base < size:
            level = 1
        elif _FALL * size < base - y < 0.6 * size:
            level = -1
        levels.append(level)
    found: list[_Glyph] = []
    before = 0
    for (at, number), (box, _), level in zip(known, places, levels, strict=True):
        # pdfium puts a blank where only the baseline changes.
        near = found and found[-1].level != level and abs(box[0] - found[-1].box[2]) < 0.12 * size
        for blank in "" if near else line.text[before:at]:
            same = level if found and found[-1].level == level else 0
            found.append(_Glyph(blank, number, box, same))
        found.append(_Glyph(line.text[at], number, box, level))
        before = at + 1
    return found
