"""Document -> segments: the pieces that a passage must not cut, found from structure alone (no token is
counted).

A segment is a heading, a paragraph, a table row, a numbered clause with its sub-items, or an article
with every paragraph up to the next article or heading. `rag.documents.chunk` packs segments into passages."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from rag.documents.cuts import ended, trim
from rag.documents.lists import is_short, leads, reaching
from rag.languages import patterns
from rag.types import Block, BlockKind, Document, LeadIn, Mark, MarkKind, Span
from rag.types.documents import WITHDRAWN, led

_RE = patterns("segments", re.NOFLAG)
_LINE = re.compile(r"(?m)^[ \t\u3000]*(?=\S)")
_BLANK_LINES = re.compile(r"\n[ \t\r\u3000]*\n\s*|\f\s*")
_LONGEST_TITLE = 200


class SegmentKind(StrEnum):
    HEADING = "heading"
    TEXT = "text"
    ITEM = "item"
    CLAUSE = "clause"
    ARTICLE = "article"
    TABLE = "table"


_WHOLE = {
    BlockKind.HEADING: SegmentKind.HEADING,
    BlockKind.TABLE_ROW: SegmentKind.TABLE,
    BlockKind.CODE: SegmentKind.TEXT,
}
_OF_ARTICLES = (SegmentKind.TEXT, SegmentKind.ITEM, SegmentKind.CLAUSE)


@dataclass(frozen=True, slots=True)
class Segment:
    """A range of the document, trimmed of white space. `label` names an article ("第十二条", "Section
    4.2") or a table, `parts` are the paragraphs it is made of (where it is cut first, should it be too
    large); `heads` are the column heads of a table row; `leads` those that anything of it belongs to, or is;
    `withdrawn` says how all of its words are, if they are."""

    kind: SegmentKind
    start: int
    end: int
    heading_path: tuple[str, ...] = ()
    heads: tuple[str, ...] = ()
    label: str = ""
    location: str = ""
    last_location: str = ""
    parts: tuple[Span, ...] = ()
    withdrawn: MarkKind | None = None
    leads: tuple[LeadIn, ...] = ()


def segment(document: Document) -> list[Segment]:
    """Segments of `document`, in order and disjoint. They cover every visible character, blocks or no
    blocks."""
    pieces = list(_pieces(document))
    over = reaching(leads_of(document), ((piece.start, piece.end) for piece in pieces))
    found = _grouped(replace(piece, leads=those) for piece, those in zip(pieces, over, strict=True))
    return list(found)


def leads_of(document: Document) -> tuple[LeadIn, ...]:
    """The words that lead into a list of the document, in order."""
    return leads(document.text, _covering_blocks(document))


def article_label(text: str) -> str:
    """The article number that `text` opens with, blanks made single: "第十二条", "Section 4.2"; "" if
    none."""
    match = _RE["article"].match(text)
    return " ".join(match.group().split()) if match else ""


def _pieces(document: Document) -> Iterator[Segment]:
    """One segment per heading, paragraph, article opening and row: nothing is grouped yet."""
    text = document.text
    tables = {id(table): (table.title, table.columns) for table in document.tables}
    marks = [mark for mark in document.marks if mark.kind in WITHDRAWN]
    for block in _covering_blocks(document):
        span = trim(text, block.start, block.end)
        if span is None:
            continue
        gone = _withdrawn(text, span, marks) if marks else None
        if block.kind in _WHOLE:
            made = _make(_WHOLE[block.kind], block, span, *tables.get(id(block.table), ()))
            yield replace(made, withdrawn=gone)
        else:
            for part in _opened(text, span):
                yield replace(_classified(block, text, part), withdrawn=gone)


def _withdrawn(text: str, span: Span, marks: Sequence[Mark]) -> MarkKind | None:
    """How a block is withdrawn whose words all stand under such marks; none lies over two blocks."""
    first, last = (bisect_left(marks, at, key=lambda mark: mark.start) for at in (span.start, span.end))
    at, standing = span.start, ""
    for mark in marks[first:last]:
        standing += text[at : mark.start]
        at = max(at, mark.end)
    if first == last or any(c.isalnum() for c in standing + text[at : span.end]):
        return None
    return min((mark.kind for mark in marks[first:last]), key=WITHDRAWN.index)


def _covering_blocks(document: Document) -> Iterator[Block]:
    """The blocks, clipped where they overlap, with paragraphs made up for any text between them."""
    position, length = 0, len(document.text)
    path: tuple[str, ...] = ()
    for block in sorted(document.blocks, key=lambda b: b.start):
        start, end = min(max(block.start, position), length), min(block.end, length)
        yield from _paragraphs(document.text, position, start, path)
        if start < end:
            yield block if (start, end) == (block.start, block.end) else replace(block, start=start, end=end)
        position, path = max(start, end), block.heading_path
    yield from _paragraphs(document.text, position, length, path)


def _paragraphs(text: str, start: int, end: int, path: tuple[str, ...]) -> Iterator[Block]:
    for match in _BLANK_LINES.finditer(text, start, end) if start < end else ():
        if trim(text, start, match.start()):
            yield Block(BlockKind.PARAGRAPH, start, match.start(), path)
        start = match.end()
    if start < end and trim(text, start, end):
        yield Block(BlockKind.PARAGRAPH, start, end, path)


def _opened(text: str, span: Span) -> Iterator[Span]:
    """`span` cut before each line that opens an article, chapter or clause: PDF and plain text run them
    together."""
    begin = span.start
    for line in _LINE.finditer(text, span.start + 1, span.end):
        at = line.end()
        if at > begin and _opens(text, at, span.end) and _closed(text, begin, line.start()):
            if part := trim(text, begin, at):
                yield part
            begin = at
    if part := trim(text, begin, span.end):
        yield part


def _opens(text: str, at: int, end: int) -> bool:
    numbered = any(_RE[kind].match(text, at, end) for kind in ("article", "clause"))
    return numbered or _is_chapter(text, at, end)


def _closed(text: str, begin: int, end: int) -> bool:
    """Whether the text before a line break had ended, or is a chapter's title."""
    last_line = text[max(begin, end - _LONGEST_TITLE) : end].strip().rpartition("\n")[2]
    return ended(text, begin, end) or _RE["chapter"].fullmatch(last_line) is not None


def _is_chapter(text: str, start: int, end: int) -> bool:
    stop = text.find("\n", start, end)
    return _RE["chapter"].fullmatch(text, start, end if stop < 0 else stop) is not None


def _classified(block: Block, text: str, span: Span) -> Segment:
    label = ""
    if _RE["chapter"].fullmatch(text, span.start, span.end):
        kind = SegmentKind.HEADING
    elif label := article_label(text[span.start : span.end]):
        kind = SegmentKind.ARTICLE
    elif _RE["clause"].match(text, span.start, span.end):
        kind = SegmentKind.CLAUSE
    else:
        item = block.kind is BlockKind.LIST_ITEM or _RE["sub_item"].match(text, span.start, span.end)
        kind = SegmentKind.ITEM if item else SegmentKind.TEXT
    return _make(kind, block, span, label)


def _make(
    kind: SegmentKind, block: Block, span: Span, label: str = "", heads: tuple[str, ...] = ()
) -> Segment:
    where = block.location
    return Segment(kind, span.start, span.end, block.heading_path, heads, label, where, where, (span,))


def _grouped(pieces: Iterator[Segment]) -> Iterator[Segment]:
    """Articles with all the paragraphs below them, clauses with their sub-items, short lists with what leads
    into them. What goes on behind withdrawn words is a segment of its own, of the same kind and label."""
    open_group: list[Segment] = []
    cut: Segment | None = None
    for piece in pieces:
        if open_group and _continues(open_group[0], piece):
            open_group.append(piece)
            continue
        if open_group and piece.withdrawn and not open_group[0].withdrawn:
            cut = open_group[0]
        elif cut is not None and not piece.withdrawn:
            if _continues(cut, piece):
                piece = replace(piece, kind=cut.kind, label=cut.label)
            cut = None
        if open_group:
            yield _merged(open_group)
        open_group = [piece]
    if open_group:
        yield _merged(open_group)


def _continues(head: Segment, piece: Segment) -> bool:
    if piece.heading_path != head.heading_path or piece.withdrawn != head.withdrawn:
        return False
    if head.kind is SegmentKind.CLAUSE and piece.kind is SegmentKind.ITEM:
        return True
    if head.kind in (SegmentKind.TEXT, SegmentKind.CLAUSE):
        return any(head.start <= lead.start and is_short(lead) for lead in led(piece.leads, piece.start))
    return head.kind is SegmentKind.ARTICLE and piece.kind in _OF_ARTICLES


def _merged(group: list[Segment]) -> Segment:
    head, last = group[0], group[-1]
    parts = tuple(span for piece in group for span in piece.parts)
    over = tuple(dict.fromkeys(lead for piece in group for lead in piece.leads))
    return replace(head, end=last.end, last_location=last.location, parts=parts, leads=over)
