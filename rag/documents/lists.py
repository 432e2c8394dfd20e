"""Blocks -> which words lead into their lists, and how far they reach: "We do not pay for:" belongs to each
item below it, "6.2 The supplier shall:" and "(b) deliver" to (i) and (ii); a heading belongs to the bullets
right below it where no other words lead into them.

How deep an item stands says its block, where the format knows, else the kind of its number: (i) below (a)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from unicodedata import category

from rag.documents.cuts import trim
from rag.languages import patterns
from rag.languages.text import has_han, sentences
from rag.types import Block, BlockKind, Chunk, LeadIn, Span

_RE = patterns("segments", re.NOFLAG)
_NEXT_LINE = re.compile(r"\n[ \t\u3000]*(?=\S)")
COLONS = (":", "：")
_ENDS = (".", "。", "!", "！", "?", "？", ";", "；")
_STOPS = _ENDS[:-2]
_ROMAN = dict(zip("ivxIVX", "iiiIII", strict=True))
# A parent item that ends as a sentence does still leads where it is so short; no lead is longer than that.
_SHORT, _LONGEST = 80, 400
# Characters and items of a list that is quoted as a whole.
_QUOTED, _ITEMS = 600, 12
_FIRST = frozenset(("1", "a", "A", "i", "I", "一", "①"))

Depth = tuple[int, str]


@dataclass(slots=True)
class _Open:
    """Words below which items may stand: of an item with its depth, of a paragraph or heading without one."""

    words: Span
    depth: Depth | None = None
    label: str = ""
    items: list[int] = field(default_factory=list)
    until: int = 0


def leads(text: str, blocks: Iterable[Block]) -> tuple[LeadIn, ...]:
    """The words that lead into a list, in order; those of a list within a list stand in the other's reach.
    `blocks` are in order and do not overlap."""
    found: list[_Open] = []
    above: list[_Open] = []
    heading: Span | None = None
    broken = False
    for block, piece, depth, label in _pieces(text, blocks):
        if block.kind in (BlockKind.HEADING, BlockKind.TABLE_ROW, BlockKind.CODE):
            heading, above = (piece if block.kind is BlockKind.HEADING else None), []
        elif depth is None:
            broken = not _leading(text, piece)
            if not broken:
                above = [_Open(_last_sentence(text, piece))]
        else:
            # (i) behind (h) is a letter.
            depth = next((one.depth for one in above if one.depth and _follows(one.label, label)), depth)
            if broken and (label in _FIRST or all(one.depth != depth for one in above)):
                above = []
            above = _parents(text, above, depth)
            if not above and heading:
                above = [_Open(heading)]
            if above:
                if not above[-1].items and _leads(text, above[-1], piece, label):
                    found.append(above[-1])
                above[-1].items.append(piece.start)
            for one in above:
                one.until = piece.end
            above, broken = [*above, _Open(piece, depth, label)], False
    return tuple(
        LeadIn(words.start, words.end, one.until, text[words.start : words.end], tuple(one.items))
        for one in sorted(found, key=lambda one: (one.words.start, -one.until))
        for words in [one.words if one.depth is None else _last_sentence(text, one.words)]
    )


def reaching(found: Sequence[LeadIn], ranges: Iterable[tuple[int, int]]) -> Iterator[tuple[LeadIn, ...]]:
    """For each range, in order of their starts, the leads that anything of it belongs to, or is."""
    open_, at = list[LeadIn](), 0
    for start, end in ranges:
        while at < len(found) and found[at].start < end:
            open_.append(found[at])
            at += 1
        open_ = [lead for lead in open_ if lead.until > start]
        yield tuple(open_)


def is_short(lead: LeadIn) -> bool:
    """Whether a list is quoted as a whole, with what leads into it."""
    return lead.until - lead.start <= _QUOTED and len(lead.items) <= _ITEMS


def announces(passage: Chunk, sentence: Span) -> bool:
    """Whether a sentence of a passage does nothing but lead into items that begin in the passage, too."""
    ahead = (one for one in passage.leads if sentence.start <= one.start and one.end <= sentence.end)
    colon = passage.text[sentence.end - passage.start - 1] in COLONS
    return colon and any(one.items[0] < passage.end for one in ahead)


def units(passage: Chunk) -> list[Span]:
    """The sentences of a passage in prose, by their offsets in the document; each list item begins one."""
    starts = {start for lead in passage.leads for start in lead.items if passage.start < start < passage.end}
    borders = [0, *(start - passage.start for start in sorted(starts)), len(passage.text)]
    return [
        Span(passage.start + found.start, passage.start + found.end)
        for begin, end in pairwise(borders)
        for found in sentences(passage.text, begin, end)
    ]


def _pieces(text: str, blocks: Iterable[Block]) -> Iterator[tuple[Block, Span, Depth | None, str]]:
    """The blocks, cut before each line that opens an item: with the depth of an item (None for anything else)
    and what its number says beside brackets and points ("" for a bullet)."""
    for block in blocks:
        starts = [block.start]
        if block.kind in (BlockKind.PARAGRAPH, BlockKind.LIST_ITEM):
            lines = (line.end() for line in _NEXT_LINE.finditer(text, block.start, block.end))
            starts += [at for at in lines if _marker(text, at, block.end)]
        for begin, end in pairwise([*starts, block.end]):
            if piece := trim(text, begin, end):
                marker = _marker(text, piece.start, piece.end)
                listed = block.kind is BlockKind.LIST_ITEM or (marker and block.kind is BlockKind.PARAGRAPH)
                label = "".join(c for c in marker if c.isalnum())
                yield block, piece, (block.level, _style(marker)) if listed else None, label


def _marker(text: str, start: int, end: int) -> str:
    """The number or bullet of an item; "" for none, and for the number of a clause or an article."""
    if _RE["clause"].match(text, start, end) or _RE["article"].match(text, start, end):
        return ""
    match = _RE["sub_item"].match(text, start, end)
    return match.group().strip("“") if match else ""


def _style(marker: str) -> str:
    """What numbers of one list share: "(1)" for "(12)", "（一）" for "（三）", "i." for "iv."."""
    kinds = (_ROMAN.get(c) or (category(c) + "n" * c.isnumeric() if c.isalnum() else c) for c in marker)
    return "".join(kind for kind, _ in groupby(kinds))


def _parents(text: str, above: list[_Open], depth: Depth) -> list[_Open]:
    """Of what is open, outermost first, that which an item of this depth stands below."""
    if known := [n for n, one in enumerate(above) if one.depth == depth]:
        return above[: known[-1]]
    left = list(above)
    while left and (last := left[-1]).depth:
        if last.depth[0] < depth[0] or (last.depth[0] == depth[0] and text[last.words.end - 1] not in _ENDS):
            break
        left.pop()
    return left


def _follows(letter: str, next_one: str) -> bool:
    return len(letter) == len(next_one) == 1 and ord(next_one) - ord(letter) == 1


def _leading(text: str, words: Span) -> bool:
    """Whether what stands here goes on in what follows. A word or two without a colon are a title."""
    said = text[words.start : words.end]
    return said[-1] in COLONS or (said[-1] not in _ENDS and (has_han(said) or len(said.split()) > 2))


def _leads(text: str, one: _Open, item: Span, label: str) -> bool:
    """Whether words lead into a list with this first item: those that end in a colon, an item that is a short
    title, as a term is of what it means, and those that are short, or no item themselves, where the item says
    nothing alone: no sentence, or a short one without a number."""
    said, first = text[one.words.start : one.words.end], text[item.start : item.end]
    if said[-1] in COLONS or len(said) > _LONGEST:
        return said[-1] in COLONS
    if one.depth is not None and len(said) <= _SHORT and said[-1] not in _ENDS:
        return True
    numbered = bool(label) or first[0].isdigit() or _RE["clause"].match(first)
    fragment = first[-1] not in _STOPS or (not numbered and len(first) <= _SHORT)
    return fragment and (one.depth is None or len(said) <= _SHORT)


def _last_sentence(text: str, words: Span) -> Span:
    return sentences(text, words.start, words.end)[-1]
