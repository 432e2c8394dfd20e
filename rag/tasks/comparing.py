"""Two or three things side by side: evidence is looked for on each side by itself, within its document where
a side names one, and set out by code; a side without support is said to have none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rag.answers.compose import missing
from rag.languages import say
from rag.search.evidence import Selection
from rag.search.verdict import lacks
from rag.tasks.common import TaskRequest, counted_answer
from rag.tasks.survey import evidence_of, occurs, survey
from rag.tasks.tally import compare_head, table
from rag.tasks.topics import Text, TopicScope, TopicTerm, read_scope, topic_terms
from rag.types import Answer, Evidence, Filters, Hit, Part, Reading

_QUOTES = 2
# Passages of a side that are read where they match.
_READ = 300


@dataclass(frozen=True, slots=True)
class _Side:
    """One side and what was found for it, `named` where it names documents; no `quotes` where it has no
    support: `reason` then says why, and `near` are the sentences of the document it names that come
    nearest."""

    name: str
    named: bool
    quotes: tuple[Evidence, ...]
    hits: tuple[Hit, ...]
    matching: int
    read: int
    reason: str = ""
    near: tuple[Evidence, ...] = ()


def compare(request: TaskRequest) -> Answer | None:
    """The sides with their quotes; None where none of them has support."""
    sides = [_side(request, side) for side in request.intent.sides]
    if not any(side.quotes for side in sides):
        return None
    whole = () if all(side.named for side in sides) else _as_a_whole(request)
    numbers: dict[tuple[int, int, int], Evidence] = {}

    def numbered(quotes: Sequence[Evidence]) -> tuple[Evidence, ...]:
        return tuple(
            numbers.setdefault((e.document.id, e.start, e.end), replace(e, number=len(numbers) + 1))
            for e in quotes
        )

    together = say("tasks.as_a_whole", request.language)
    rows = {together: numbered(whole[:_QUOTES])} if whole else {}
    rows |= {side.name: numbered(side.quotes or side.near) for side in sides}
    quoted = tuple(numbers.values())
    numbered(whole)
    evidence = tuple(numbers.values())
    parts = tuple(
        Part(s.name, bool(s.quotes), tuple(e.number for e in rows[s.name]), s.reason) for s in sides
    )
    reading = Reading(
        request.intent.ask.value,
        sum(s.matching for s in sides),
        sum(s.read for s in sides),
        len({e.document.id for e in evidence}),
    )
    head = compare_head(request.intent.topic, parts, reading, request.language)
    lacking = frozenset(s.name for s in sides if not s.quotes)
    text = f"{head}\n\n{table(rows, request.language, lacking)}"
    nearest = list({h.chunk_id: h for s in sides for h in s.hits}.values())[: request.k]
    return counted_answer(request, head, text, evidence, quoted, reading, parts=parts, nearest=nearest)


def _side(request: TaskRequest, name: str) -> _Side:
    """The sentences that bear on one side: those judged sufficient, else those that hold all of its words."""
    store, aspect = request.store, request.intent.topic
    scope = read_scope(name, request, request.filters, whole=True)
    topic = " ".join(t for t in (aspect, scope.topic) if t)
    own_terms = topic_terms(scope.topic, extra=request.index.lexicons) if scope.topic else ()
    terms = topic_terms(topic, extra=request.index.lexicons)
    query = about = request.understand(topic or name)
    if not aspect and not scope.named:
        query = request.understand(say("tasks.what_is", request.language, name=name))
    filters = _within(request.filters, scope)
    hits = request.search(query, filters)
    chosen = request.select(query, hits, _QUOTES)
    known = not own_terms or all(occurs(store, scope, term) for term in own_terms)
    found = survey(store, scope, terms, most=_READ)
    quotes: Sequence[Evidence] = ()
    if known and chosen.sufficient:
        quotes = _holding(chosen, own_terms)
    if known and not quotes:
        quotes = evidence_of(found.matches, store)[:_QUOTES]
    if known and not quotes and scope.named and not topic:
        quotes = chosen.evidence
    read = max(found.read, len(hits))
    matching = max(found.matching, read)
    if quotes:
        return _Side(name, scope.named, tuple(quotes[:_QUOTES]), hits, matching, read)
    verdict = replace(chosen.verdict, reasons=lacks(about, hits, store, filters=filters))
    why = missing(verdict, request.language)
    texts = [(e, Text(e.text)) for e in chosen.evidence] if scope.named and known else []
    near = [e for e, text in texts if 2 * sum(map(text.holds, terms)) >= len(terms)]
    return _Side(name, scope.named, (), hits, matching, read, why, tuple(near[:_QUOTES]))


def _within(filters: Filters | None, scope: TopicScope) -> Filters | None:
    if not scope.named:
        return filters
    return Filters(documents=tuple(d.path for d in scope.documents))


def _holding(chosen: Selection, own_terms: Sequence[TopicTerm]) -> list[Evidence]:
    """Evidence that speaks of the side itself: a sentence about something near it is none."""
    texts = [(e, Text("\n".join([e.document.title, *e.heading_path, e.text]))) for e in chosen.evidence]
    return [e for e, text in texts if all(map(text.holds, own_terms))]


def _as_a_whole(request: TaskRequest) -> tuple[Evidence, ...]:
    """What answers the question as it stands: documents often draw the comparison themselves. Nothing where
    the evidence does not suffice."""
    hits = request.search(request.query)
    chosen = request.select(request.query, hits)
    return chosen.evidence if chosen.sufficient else ()
