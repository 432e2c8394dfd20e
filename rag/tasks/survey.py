"""What tasks have in common: the request, every passage that matches a topic, read sentence by sentence and
grouped by document, and the answer that is made of them.

A passage matches where one of its sentences (or table rows), with its headings and column heads, holds all
that the topic names. Passages that hold the words apart from each other are counted apart.

A task gives None where a question cannot be served so; it is then answered like any other, and the answer
says that not everything was read (`partly_read`)."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from itertools import count

from rag.answers.compose import (
    Basis,
    certificate,
    compose_figures,
    missing,
    quote_claim,
    refuse,
    with_rows,
)
from rag.answers.lists import find_list
from rag.answers.request import Setup
from rag.documents.lists import announces, units
from rag.index import Index
from rag.languages import patterns, say
from rag.languages.text import detect_language, letters
from rag.questions.query import Query
from rag.search.evidence import Selection, select, with_marks
from rag.search.verdict import COUNTED, lacks, unmatched
from rag.store.store import Store
from rag.tasks.intents import Ask, CountUnit, Intent
from rag.tasks.topics import Text, TopicScope, TopicTerm, expression
from rag.types import (
    Answer,
    BlockKind,
    Chunk,
    Claim,
    ClaimState,
    DocumentInfo,
    Evidence,
    Filters,
    Hit,
    Outcome,
    Reading,
)
from rag.types.documents import admitted, led
from rag.types.tables import heads_text

# Passages that are read for one question; what matches beyond them is counted by its words alone.
MOST = 2000
_LONGEST = 1200
_RE = patterns("survey", re.NOFLAG)
# "Article 4 . . . . . 12" is a line of a table of contents.
_CONTENTS = re.compile(r"(?:\.\s?){5}|…{2}|·{5}")


@dataclass(frozen=True, slots=True)
class MatchingPassage:
    """A passage that matches, with the sentences that make it match, at least one."""

    chunk_id: int
    document: DocumentInfo
    chunk: Chunk
    places: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Survey:
    """What was read. `matching` counts the passages found by their words, `read` those that were read;
    `apart` are passages that hold the words, but not in one sentence; `matches` stand in the order of the
    documents, repeats within one left out."""

    scope: TopicScope
    terms: tuple[TopicTerm, ...]
    matches: tuple[MatchingPassage, ...]
    matching: int
    read: int
    apart: int = 0

    @property
    def documents(self) -> tuple[DocumentInfo, ...]:
        return tuple({m.document.id: m.document for m in self.matches}.values())


def survey(store: Store, scope: TopicScope, terms: Sequence[TopicTerm], *, most: int = MOST) -> Survey:
    """Reads every passage of the scope that holds all needs, at most `most`, the first ones of each document
    where there are more."""
    if not terms:
        return Survey(scope, (), (), 0, 0)
    by_id = {d.id: d for d in scope.documents}
    found = store.matching(expression(terms))
    owners = store.owners(found)
    ids = [i for i in found if owners.get(i) in by_id]
    read = in_turn(ids, owners, most)
    matches, apart = [], 0
    seen: set[tuple[int, str]] = set()
    passages = {i: (d, c) for i, d, c in store.chunks(read)}
    order = {d.id: n for n, d in enumerate(scope.documents)}
    for i in sorted(passages, key=lambda i: (order[passages[i][0]], passages[i][1].ordinal)):
        document_id, chunk = passages[i]
        if not admitted(chunk.roles):
            continue
        places = _places(store, by_id[document_id], chunk, terms)
        key = document_id, " ".join(chunk.text.split())
        if not places:
            apart += 1
        elif key not in seen:
            seen.add(key)
            matches.append(MatchingPassage(i, by_id[document_id], chunk, places))
    return Survey(scope, tuple(terms), tuple(matches), len(ids), len(passages), apart)


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
    store: Store, document: DocumentInfo, chunk: Chunk, terms: Sequence[TopicTerm]
) -> tuple[Evidence, ...]:
    """The sentences or rows that hold all needs together with what stands above them; where the headings hold
    all of them, the first sentence, or the list that it is of, stands for the passage."""
    places = tuple(units_of(store, document, chunk))
    above = _above("\n".join(chunk.heading_path))
    given = frozenset(filter(above.holds, terms))
    found = []
    for unit in places:
        over = [heads_text(unit.heads)] if unit.heads else [lead.text for lead in unit.leads]
        own = frozenset(filter(Text("\n".join([unit.text, *over])).holds, terms))
        if own and own | given == frozenset(terms):
            found.append(unit)
    if found or len(given) < len(terms):
        return tuple(found)
    return tuple(p for n, p in enumerate(places) if not n or (p.leads and p.leads == places[0].leads))


@lru_cache(maxsize=4096)
def _above(headings: str) -> Text:
    """Many passages stand under the same headings."""
    return Text(headings)


def units_of(store: Store, document: DocumentInfo, chunk: Chunk) -> Iterator[Evidence]:
    """The sentences of a passage in prose; the rows of one in a table, without column heads and totals. They
    are numbered and have their passage and page by `evidence_of`."""
    unit = partial(Evidence, 0, document, 0, score=1.0, heading_path=chunk.heading_path)
    if chunk.kind != "table":
        for s in units(chunk):
            end = min(s.end, s.start + _LONGEST)
            text = chunk.text[s.start - chunk.start : end - chunk.start]
            has_words = any(c.isalnum() for c in text) and not _CONTENTS.search(text)
            named = text.strip() in (*chunk.heading_path, document.title) or announces(chunk, s)
            if has_words and not named:
                leads = led(chunk.leads, s.start)
                yield unit(start=s.start, end=end, text=text, location=chunk.location, leads=leads)
        return
    found = []
    for block in store.blocks(document.id, chunk.start, chunk.end):
        start, end = max(block.start, chunk.start), min(block.end, chunk.end, block.start + _LONGEST)
        text = chunk.text[start - chunk.start : end - chunk.start]
        plain, above = letters(text), block.heads
        over = (letters("".join(above)), letters(document.title))
        heads = block.kind is BlockKind.HEADING or plain in over
        if plain and not heads and not _RE["total"].match(text):
            cells, location = block.placed_cells(start, end), block.location or chunk.location
            row = unit(start=start, end=end, text=text, heads=above, cells=cells, location=location)
            found.append(row)
    celled = [place for place in found if len(place.cells) > 1]
    # A line without cells among rows with cells is a remark below the table.
    yield from celled if 2 * len(celled) > len(found) else found


def line_of(document: DocumentInfo, chunk: Chunk, at: int) -> Evidence:
    """The line of a passage in which a character of the document stands."""
    text, at = chunk.text, at - chunk.start
    start, end = text.rfind("\n", 0, at) + 1, text.find("\n", at) % (len(text) + 1)
    words = text[start:end][:_LONGEST]
    start += chunk.start
    line = Evidence(0, document, 0, start=start, end=start + len(words), text=words, score=1.0)
    return replace(line, heading_path=chunk.heading_path, location=chunk.location)


def evidence_of(matches: Sequence[MatchingPassage], store: Store) -> tuple[Evidence, ...]:
    """Every sentence of the matches, numbered through from 1."""
    places = [(m, m.chunk, place) for m in matches for place in m.places]
    return tuple(
        replace(
            place,
            number=number,
            chunk_id=m.chunk_id,
            page=chunk.page if chunk.page == chunk.last_page else store.page_at(m.document.id, place.start),
        )
        for number, (m, chunk, place) in enumerate(places, 1)
    )


@dataclass(frozen=True, slots=True)
class TaskRequest:
    """A question with what it is answered from, in `language`."""

    query: Query
    language: str
    intent: Intent
    setup: Setup
    filters: Filters | None = None

    @property
    def store(self) -> Store:
        return self.index.store

    @property
    def index(self) -> Index:
        return self.setup.index

    def search(self, query: Query, filters: Filters | None = None) -> tuple[Hit, ...]:
        """The passages for a question, within the filters of this one where none are given."""
        return tuple(self.index.search(query, self.setup.top_k, filters=filters or self.filters))

    def reading(self, matching: int, read: int, documents: int) -> Reading:
        return Reading(self.intent.ask.value, matching, read, documents)

    def basis(self, found: Selection, hits: Sequence[Hit]) -> Basis:
        proof = certificate(self.index, found, self.filters, self.language, self.query.constraints)
        return Basis(self.query, self.language, found, hits, proof)


def counted_answer(
    request: TaskRequest,
    head: str,
    text: str,
    evidence: Sequence[Evidence],
    quoted: Sequence[Evidence],
    reading: Reading,
) -> Answer:
    """The answer: `head` counted by code, `quoted` printed; all of the `evidence` is in the citations."""
    shown = {e.number: with_marks(e, request.store) for e in quoted}
    found = Selection(tuple(shown.get(e.number, e) for e in evidence), COUNTED)
    why = (say("tasks.counted", request.language),)
    claim = Claim(head, ClaimState.SUPPORTED, tuple(e.number for e in quoted), why)
    claims = (claim, *(quote_claim(e, request.language) for e in quoted))
    return request.basis(found, ()).answer(head, text, claims, reading=reading)


def listed_whole(request: TaskRequest) -> Answer | None:
    """The list that is asked for, whole; None where no one list is called so."""
    hits = request.search(request.query)
    if (figures := find_list(request.query, hits, request.store)) is None:
        return None
    found = with_rows(Selection((), COUNTED), figures, request.setup.max_evidence, request.store)
    return compose_figures(request.basis(found, hits), figures)


def none_match(
    request: TaskRequest, scope: TopicScope, terms: Sequence[TopicTerm], what: str = "zero"
) -> Answer:
    """The refusal of a question that no passage matches."""
    hits = request.search(request.query)
    setup = request.setup
    found = select(request.query, hits, request.index, limit=setup.max_evidence, threshold=setup.threshold)
    topic = scope.query or (request.index.understand(scope.topic) if scope.topic else request.query)
    reasons = lacks(topic, hits, request.store, filters=request.filters)
    verdict = replace(unmatched(found.verdict, 0.0), reasons=reasons)
    refusal = refuse(request.basis(replace(found, verdict=verdict), hits), missing(verdict, request.language))
    words = [say("tasks.quoted", request.language, word=need.typed) for need in terms]
    sizes = {"words": words, "scope": len(scope.documents)}
    zero = say(f"tasks.{what}", request.language, refusal=refusal.text, **sizes)
    return replace(refusal, line=zero, text=zero, reading=request.reading(0, 0, 0))


def plain_question(intent: Intent, query: Query, index: Index) -> Query:
    """The question as others are asked, to be searched and judged where it is answered like them: "list all"
    and "summarise" stand in no document."""
    if not intent.sure or (intent.unit is not CountUnit.THING and intent.ask is not Ask.SUMMARISE):
        return query
    topic = intent.topic
    summary = intent.ask is Ask.SUMMARISE
    plain = index.understand(topic if summary else say("tasks.what_are", detect_language(topic), topic=topic))
    return replace(plain, asked=query.asked)


def partly_read(answer: Answer, intent: Intent) -> Answer:
    """An ordinary answer to such a question, saying that it rests on the best passages alone; unchanged where
    the wording may have asked for no more."""
    if not intent.sure:
        return answer
    documents = len({hit.document.id for hit in answer.nearest})
    reading = Reading(intent.ask.value, answer.certificate.passages, len(answer.nearest), documents)
    if reading.complete:
        return replace(answer, reading=reading)
    absent = answer.verdict is not Outcome.ANSWERED
    note = say("tasks.not_all_read", answer.language, read=reading.read, refused=absent)
    return replace(answer, cautions=(*answer.cautions, note), reading=reading)
