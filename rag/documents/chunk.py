"""Document -> passages of a bounded number of the embedder's own tokens, title and headings in front.

Short neighbours under one heading share a passage; an article, a clause or a table row is cut only
when it is larger than the limit by itself: then between its paragraphs, at sentence ends, at line ends, and
last of all between words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from pathlib import PurePosixPath

from rag.documents.cuts import CHARS_PER_TOKEN, PROSE_CHARS_PER_TOKEN, Meter, cut, halves
from rag.documents.lists import reaching
from rag.documents.segments import Segment, SegmentKind, article_label, leads_of, segment
from rag.types import Chunk, Document
from rag.types.documents import led
from rag.types.tables import heads_text, joined_location, reads_as_heads

_TITLE_AND_HEADINGS_TOKENS = 60
_COLUMNS_TOKENS = 70
_ELLIPSIS = "…"
# Words of a file name that can say whose or of which year a document is; a bare serial number cannot.
_NAME_WORD = re.compile(r"(?:FY|Q)?(?:19|20)\d{2}(?:Q[1-4])?|[^\W\d_]{3,}|[\u4e00-\u9fff]+", re.IGNORECASE)
_NAME_WORDS = 8
# Part of the index manifest: an index holds passages of one version only.
CHUNKER_VERSION = 4
MIN_TOKENS = 16
_PROSE = (SegmentKind.TEXT, SegmentKind.ITEM)


def document_name(title: str, path: str) -> str:
    """The title, and in brackets the words of the file name that it lacks: "agreement-brightquill.pdf"
    distinguishes two agreements of one title."""
    known = title.casefold()
    extra = [w for w in _NAME_WORD.findall(PurePosixPath(path).stem) if w.casefold() not in known]
    kept = " ".join(list(dict.fromkeys(extra))[:_NAME_WORDS])
    return f"{title} ({kept})" if title and kept else title or kept


def _plain(text: str) -> str:
    """A heading on one line, without its Markdown marks."""
    return " ".join(text.lstrip("# \t").split())


def _paths(title: str, path: tuple[str, ...]) -> Iterator[str]:
    """The path in full, then shorter and shorter: the title and the innermost heading say most."""
    headings = [h for h in map(_plain, path) if h and h != title]
    names = [title, *headings] if title else headings
    yield " > ".join(names)
    for length in (80, 40, 20):
        short = [_shortened(name, length) for name in names]
        yield " > ".join(short)
        for kept in (2, 1):
            if len(short) > kept + 1:
                yield " > ".join([short[0], _ELLIPSIS, *short[-kept:]])


def _columns(heads: tuple[str, ...]) -> Iterator[str]:
    cells = [_plain(cell) for cell in heads]
    for length in (max(map(len, cells), default=0), 40, 20, 10):
        yield heads_text([_shortened(cell, length) for cell in cells])


def _shortened(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1].rstrip() + _ELLIPSIS


@dataclass(frozen=True, slots=True)
class _Item:
    """A piece that goes into a passage whole: a range, its weight in tokens, the segment it comes from."""

    start: int
    end: int
    weight: int
    segment: Segment


# Tokens left for a passage that begins with an item.
Room = Callable[[_Item], int]


def chunk(
    document: Document, *, count_tokens: Callable[[Sequence[str]], list[int]], max_tokens: int = 220
) -> tuple[Chunk, ...]:
    """Passages of `document`, in order and disjoint, that together hold every visible character of it.

    `Chunk.tokens` never exceeds `max_tokens`: the count of `Chunk.indexed_text`, context included, special
    tokens not (or one for every 16 characters, where a tokenizer counts fewer). `count_tokens` takes texts
    in batches. `Chunk.kind` is "text", "table", "article" or "heading" (headings with no text below them).
    Raises ValueError when `max_tokens` is under 16."""
    if max_tokens < MIN_TOKENS:
        raise ValueError(f"max_tokens is {max_tokens}; a passage needs at least {MIN_TOKENS}")
    meter = Meter(document.text, count_tokens)
    drafts = list(_Packer(document, meter, max_tokens).drafts())
    counts = meter.count([draft.indexed_text for draft in drafts])
    pairs = zip(drafts, counts, strict=True)
    made = [final for draft, tokens in pairs for final in _within(meter, draft, tokens, max_tokens)]
    over = reaching(leads_of(document), ((one.start, one.end) for one in made))
    return tuple(
        replace(one, ordinal=n, leads=leads, page=page(one.start), last_page=page(one.end - 1))
        for page in [document.page_of]
        for n, (one, leads) in enumerate(zip(made, over, strict=True))
    )


class _Packer:
    """Packs the segments of one document. Weights add up; where with some tokenizer they do not, `_within`
    mends it.

    Contexts are "Title > Heading > Sub-heading", and on a second line column heads, or what leads into a
    list. Title and headings get at most 60 tokens and a quarter of `limit`, the second line 70 and a third:
    what is too long loses the middle of the path first, then the ends of long headings or cells."""

    def __init__(self, document: Document, meter: Meter, limit: int) -> None:
        self._document = document
        self._text = document.text
        self._title = _plain(document_name(document.title, document.path))
        self._meter = meter
        self._limit = limit
        self._written: dict[tuple[tuple[str, ...], tuple[str, ...]], str] = {}

    def drafts(self) -> Iterator[Chunk]:
        items = self._weighed(segment(self._document))
        lead: list[_Item] = []
        for (withdrawn, _), group in groupby(items, lambda i: (i.segment.withdrawn, _company(i.segment))):
            run = list(group)
            if lead and lead[0].segment.withdrawn != withdrawn:
                yield from self._headings(lead)
                lead = []
            if run[0].segment.kind is SegmentKind.HEADING:
                lead += run
                continue
            yield from self._run(lead, run)
            lead = []
        yield from self._headings(lead)

    def _weighed(self, segments: list[Segment]) -> list[_Item]:
        """Prose that is certainly too long is not tokenised twice: its sentences will be packed again
        anyway."""
        weights: dict[int, int] = {}
        for prose, density in ((True, PROSE_CHARS_PER_TOKEN), (False, CHARS_PER_TOKEN)):
            some = [(s.start, s.end) for s in segments if (s.kind in _PROSE) is prose]
            found = self._meter.ranges(some, self._limit, density)
            weights |= {start: weight for (start, _), weight in zip(some, found, strict=True)}
        return [_Item(s.start, s.end, weights[s.start], s) for s in segments]

    def _run(self, lead: list[_Item], run: list[_Item]) -> Iterator[Chunk]:
        """Passages of a run of segments that may share one; `lead` are the headings right above it."""
        first = run[0].segment
        path = _path(first)
        if first.label and any(item.weight > self._room(path, item) for item in run):
            path = (*first.heading_path, first.label)
        room = partial(self._room, path)
        items = self._pieces(run, room)
        alone, lead = self._seated(lead, items, room)
        yield from self._headings(alone)
        above, first_room = self._first_context(lead, first), self._limit - self._lead_weight(lead, first)
        for number, members in enumerate(self._filled(items, first_room, room)):
            start = lead[0].start if lead and number == 0 else members[0].start
            kind = _kind(members[0].segment)
            context = self._context(path, members[0]) if number else above
            yield self._draft(members, start, context, kind)

    def _context(self, path: tuple[str, ...], item: _Item) -> str:
        """The context of a passage that begins with an item: what leads into it stands in another one."""
        over = [lead.text for lead in led(item.segment.leads, item.start) if lead.text not in path]
        return self._write(path, item.segment.heads or tuple(over))

    def _room(self, path: tuple[str, ...], item: _Item) -> int:
        return self._limit - self._meter.words(self._context(path, item))

    def _seated(self, lead: list[_Item], items: list[_Item], room: Room) -> tuple[list[_Item], list[_Item]]:
        """(headings that must stand alone, headings that share the first passage). Prose is cut to make
        room for its heading, in `items` itself; an article, a clause or a row is not."""
        alone: list[_Item] = []
        while lead and items[0].weight > (left := self._limit - self._lead_weight(lead, items[0].segment)):
            if items[0].segment.kind in _PROSE and left > self._limit // 4:
                pieces = self._cut(items[0], min(left, room(items[0])))
                if pieces[0].weight <= left and len(pieces) > 1:
                    items[:1] = pieces
                    break
            alone, lead = [*alone, lead[0]], lead[1:]
        return alone, lead

    def _lead_weight(self, lead: list[_Item], first: Segment) -> int:
        return self._meter.words(self._first_context(lead, first)) + _weight(lead)

    def _first_context(self, lead: list[_Item], first: Segment) -> str:
        """The context of a passage that opens with its headings, or of a table that opens with its head
        row: what is in the text already is not repeated."""
        lead_headings = {_plain(self._text[h.start : h.end]) for h in lead}
        text = self._text[first.start : first.end]
        heads = () if reads_as_heads(text, first.heads) else first.heads
        path = tuple(h for h in _path(first) if _plain(h) not in lead_headings)
        label = "" if first.kind is SegmentKind.TABLE else first.label
        if label and not article_label(text):
            path = (*path, label)  # the rest of an article, behind withdrawn words
        known = lead_headings.union(map(_plain, path))
        over = (lead.text for lead in led(first.leads, first.start))
        return self._write(path, heads or tuple(t for t in over if _plain(t) not in known))

    def _headings(self, lead: list[_Item]) -> Iterator[Chunk]:
        """Headings without text below them, packed together."""
        if not lead:
            return
        context = self._write(lead[0].segment.heading_path, ())
        left = self._limit - self._meter.words(context)
        for members in self._filled(self._pieces(lead, lambda _: left), left, lambda _: left):
            yield self._draft(members, members[0].start, context, "heading")

    def _draft(self, members: list[_Item], start: int, context: str, kind: str) -> Chunk:
        """A passage whose tokens have not been counted as a whole."""
        first, last, end = members[0].segment, members[-1].segment, members[-1].end
        return Chunk(
            0, start, end, self._text[start:end], context, kind, first.heading_path,
            location=joined_location(first.location, last.last_location),
            roles=(first.withdrawn,) if first.withdrawn else (),
        )  # fmt: skip

    def _write(self, path: tuple[str, ...], heads: tuple[str, ...]) -> str:
        """The context of what stands below this path."""
        if (path, heads) not in self._written:
            lines = [
                self._first_fit(_paths(self._title, path), min(_TITLE_AND_HEADINGS_TOKENS, self._limit // 4))
            ]
            if any(heads):
                lines.append(self._first_fit(_columns(heads), min(_COLUMNS_TOKENS, self._limit // 3)))
            self._written[path, heads] = "\n".join(filter(None, lines))
        return self._written[path, heads]

    def _first_fit(self, candidates: Iterator[str], limit: int) -> str:
        shortest = ""
        for shortest in candidates:
            if self._meter.words(shortest) <= limit:
                return shortest
        while self._meter.words(shortest) > limit:
            shortest = shortest[: len(shortest) // 2].rstrip()
        return shortest

    def _pieces(self, items: list[_Item], room: Room) -> list[_Item]:
        rooms = ((item, room(item)) for item in items)
        return [p for item, left in rooms for p in ([item] if item.weight <= left else self._cut(item, left))]

    def _cut(self, item: _Item, room: int) -> list[_Item]:
        whole = (item.start, item.end) == (item.segment.start, item.segment.end)
        ranges = [(p.start, p.end) for p in item.segment.parts] if whole else [(item.start, item.end)]
        pieces = cut(self._meter, ranges, room)
        return [_Item(start, end, weight, item.segment) for start, end, weight in pieces]

    def _filled(self, items: list[_Item], first_room: int, room: Room) -> list[list[_Item]]:
        """Greedy packing; a line that announces a list moves on with it, and the last passage is no mere
        scrap."""
        bins: list[list[_Item]] = [[]]
        left = first_room
        for item in items:
            if bins[-1] and item.weight > left:
                bins.append(self._announcing(bins[-1], item, room(item)))
                left = room(bins[-1][0] if bins[-1] else item) - _weight(bins[-1])
            bins[-1].append(item)
            left -= item.weight
        if len(bins) > 1:
            before, last = bins[-2:]
            while len(before) > 1 and _weight(last) + before[-1].weight <= min(
                room(before[-1]), _weight(before) - before[-1].weight
            ):
                last.insert(0, before.pop())
        return bins

    def _announcing(self, members: list[_Item], item: _Item, room: int) -> list[_Item]:
        colon = self._text[members[-1].end - 1] in ":：" and len(members) > 1
        return [members.pop()] if colon and members[-1].weight + item.weight <= room else []


def _weight(items: Sequence[_Item]) -> int:
    return sum(item.weight for item in items)


def _path(segment: Segment) -> tuple[str, ...]:
    """What the passages of a segment stand below: of a table its title, too."""
    path = segment.heading_path
    named = segment.kind is SegmentKind.TABLE and segment.label and segment.label not in path
    return (*path, segment.label) if named else path


def _company(segment: Segment) -> tuple[object, ...]:
    """Neighbours with equal keys may share a passage; an article has a key of its own."""
    if segment.kind is SegmentKind.ARTICLE:
        return segment.kind, segment.start
    if segment.kind in (SegmentKind.TABLE, SegmentKind.HEADING):
        path = segment.heading_path if segment.kind is SegmentKind.TABLE else ()
        return segment.kind, path, segment.heads, segment.label
    return "prose", segment.heading_path


def _kind(segment: Segment) -> str:
    if segment.kind is SegmentKind.TABLE:
        return "table"
    article = segment.kind is SegmentKind.ARTICLE or (
        segment.heading_path and article_label(segment.heading_path[-1])
    )
    return "article" if article else "text"


def _within(meter: Meter, draft: Chunk, tokens: int, limit: int) -> Iterator[Chunk]:
    """`draft`, or its halves and theirs while one is over the limit as a whole."""
    if tokens <= limit:
        yield replace(draft, tokens=tokens)
        return
    parts = halves(meter.text, draft.start, draft.end)
    if len(parts) == 1:  # one code point and its context are over the limit: the context gives way
        yield replace(draft, context="", tokens=meter.words(draft.text))
        return
    for start, end in parts:
        half = replace(draft, start=start, end=end, text=meter.text[start:end])
        yield from _within(meter, half, meter.count([half.indexed_text])[0], limit)
