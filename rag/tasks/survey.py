"""Every passage that matches a topic, read sentence by sentence and grouped by document: what questions that
count and list are answered from.

A passage matches where one of its sentences (or table rows), with its headings and column heads, holds all
that the topic names. Passages that hold the words apart from each other are counted apart."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import count

from rag.languages.text import sentences
from rag.store.store import Store
from rag.tasks.topics import Text, TopicScope, TopicTerm, expression
from rag.types import BlockKind, Chunk, DocumentInfo, Evidence

# Passages that are read for one question; what matches beyond them is counted by its words alone.
MOST = 2000
_LONGEST = 1200
_TOTAL = re.compile(r"^\W*(?:(?:grand|sub)?[ -]?total|sum|合\s*计|总\s*计|小\s*计)\b", re.IGNORECASE)
# "Article 4 . . . . . 12" is a line of a table of contents.
_CONTENTS = re.compile(r"(?:\.\s?){5}|…{2}|·{5}")
_OWN = re.compile(
    r"^\s*(?:第[〇零一二三四五六七八九十百千\d]+条(?:之[一二三四五六七八九十\d]+)?"
    r"|(?:Article|Section|Clause|Art\.|Sec\.|§)\s*\d+(?:\.\d+)*[A-Za-z]?)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Place:
    """A sentence or table row: code points of its document; `literal` where it holds the topic as typed and
    not only in other words."""

    start: int
    end: int
    text: str
    header: str = ""
    location: str = ""
    literal: bool = True


@dataclass(frozen=True, slots=True)
class MatchingPassage:
    """A passage that matches, with the sentences that make it match, at least one."""

    chunk_id: int
    document: DocumentInfo
    chunk: Chunk
    places: tuple[Place, ...]

    @property
    def literal(self) -> bool:
        return any(place.literal for place in self.places)

    @property
    def section(self) -> tuple[int, str]:
        """What counts as one section: the passage's own article, else the headings above it."""
        own = _OWN.match(self.chunk.text)
        name = "".join(own.group().lower().split()) if own else " > ".join(self.chunk.heading_path)
        return self.document.id, name or f"#{self.chunk.ordinal}"


@dataclass(frozen=True, slots=True)
class Survey:
    """What was read. `matching` counts the passages found by their words, `read` those that were read;
    `apart` are passages that hold the words, but not in one sentence; `duplicates` repeats within a document
    that were left out; `matches` stand in the order of the documents."""

    scope: TopicScope
    terms: tuple[TopicTerm, ...]
    matches: tuple[MatchingPassage, ...]
    matching: int
    read: int
    apart: int = 0
    duplicates: int = 0

    @property
    def documents(self) -> tuple[DocumentInfo, ...]:
        return tuple({m.document.id: m.document for m in self.matches}.values())

    @property
    def sections(self) -> int:
        return len({m.section for m in self.matches})

    @property
    def places(self) -> int:
        return sum(len(m.places) for m in self.matches)


def survey(
    store: Store, scope: TopicScope, terms: Sequence[TopicTerm], *, rows: bool = False, most: int = MOST
) -> Survey:
    """Reads every passage of the scope that holds all needs (with `rows` only those of tables, whose titles
    count as column heads do), at most `most`, the first ones of each document where there are more."""
    if not terms:
        return Survey(scope, (), (), 0, 0)
    by_id = {d.id: d for d in scope.documents}
    found = store.matching(expression(terms, "title heading body" if rows else "heading body"))
    owners = store.owners(found)
    ids = [i for i in found if owners.get(i) in by_id]
    read = in_turn(ids, owners, most)
    matches, apart, duplicates = [], 0, 0
    seen: set[tuple[int, str]] = set()
    passages = {i: (d, c) for i, d, c in store.chunks(read)}
    order = {d.id: n for n, d in enumerate(scope.documents)}
    for i in sorted(passages, key=lambda i: (order[passages[i][0]], passages[i][1].ordinal)):
        document_id, chunk = passages[i]
        if rows and chunk.kind != "table":
            continue
        places = _places(store, by_id[document_id], chunk, terms, rows=rows)
        key = document_id, " ".join(chunk.text.split())
        if not places:
            apart += 1
        elif key in seen and not rows:
            duplicates += 1
        else:
            seen.add(key)
            matches.append(MatchingPassage(i, by_id[document_id], chunk, places))
    return Survey(scope, tuple(terms), tuple(matches), len(ids), len(passages), apart, duplicates)


def occurs(store: Store, scope: TopicScope, term: TopicTerm) -> bool:
    """Whether any passage of the scope holds one of its forms; Chinese characters by their pairs alone."""
    allowed = frozenset(scope.ids)
    found = store.matching(expression([term]))
    return any(owner in allowed for owner in store.owners(found).values())


def in_turn(ids: Sequence[int], owners: Mapping[int, int], most: int) -> list[int]:
    """All ids in their order, or the first `most` of them taken from the documents in turn."""
    if len(ids) <= most:
        return list(ids)
    turn: defaultdict[int, count[int]] = defaultdict(count)
    return sorted(sorted(ids, key=lambda i: (next(turn[owners[i]]), i))[:most])


def _places(
    store: Store, document: DocumentInfo, chunk: Chunk, terms: Sequence[TopicTerm], *, rows: bool
) -> tuple[Place, ...]:
    """The sentences or rows that hold all needs together with what stands above them; where the headings hold
    all of them, the first sentence stands for the passage."""
    title = document.title if rows else ""
    above = _above("\n".join([title, *chunk.heading_path]))
    units = list(units_of(store, document, chunk))
    given = {id(n) for n in terms if above.holds(n)}
    found = []
    for unit in units:
        text = Text(f"{unit.text}\n{unit.header}" if unit.header else unit.text)
        own = [n for n in terms if text.holds(n)]
        if len(own) + sum(id(n) in given and n not in own for n in terms) < len(terms):
            continue
        if own or rows:
            literal = all(text.has(n.form) or above.has(n.form) for n in terms)
            found.append(replace(unit, literal=literal))
    if not found and len(given) == len(terms) and units:
        found = [replace(units[0], literal=all(above.has(n.form) for n in terms))]
    return tuple(found)


@lru_cache(maxsize=4096)
def _above(headings: str) -> Text:
    """Many passages stand under the same headings."""
    return Text(headings)


def units_of(store: Store, document: DocumentInfo, chunk: Chunk) -> Iterator[Place]:
    """The sentences of a passage in prose; the rows of one in a table, without column heads and totals."""
    if chunk.kind != "table":
        for s in sentences(chunk.text):
            end = min(s.end, s.start + _LONGEST)
            text = chunk.text[s.start : end]
            has_words = any(c.isalnum() for c in text) and not _CONTENTS.search(text)
            if has_words and text.strip() not in (*chunk.heading_path, document.title):
                yield Place(chunk.start + s.start, chunk.start + end, text, "", chunk.location)
        return
    found = []
    for block in store.blocks(document.id, chunk.start, chunk.end):
        start, end = max(block.start, chunk.start), min(block.end, chunk.end, block.start + _LONGEST)
        text = chunk.text[start - chunk.start : end - chunk.start]
        plain = _letters(text)
        heads = block.kind is BlockKind.HEADING or plain in (_letters(block.header), _letters(document.title))
        if plain and not heads and not _TOTAL.match(text):
            found.append(Place(start, end, text, block.header, block.location or chunk.location))
    celled = [place for place in found if " | " in place.text]
    # A line without cells among rows with cells is a remark below the table.
    yield from celled if 2 * len(celled) > len(found) else found


def _letters(text: str) -> str:
    return "".join(c for c in text if c.isalnum())


def evidence_of(matches: Sequence[MatchingPassage], store: Store) -> tuple[Evidence, ...]:
    """Every sentence of the matches, numbered through from 1."""
    places = [(m, m.chunk, place) for m in matches for place in m.places]
    return tuple(
        Evidence(
            number=number,
            document=m.document,
            chunk_id=m.chunk_id,
            start=place.start,
            end=place.end,
            text=place.text,
            score=1.0,
            page=chunk.page if chunk.page == chunk.last_page else store.page_at(m.document.id, place.start),
            heading_path=chunk.heading_path,
            header=place.header,
            location=place.location,
        )
        for number, (m, chunk, place) in enumerate(places, 1)
    )
