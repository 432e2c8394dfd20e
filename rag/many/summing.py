"""What a document, a section or a topic says in short: its most central sentences, quoted, in their order,
chosen by code from all of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rag.constraints import article_agrees
from rag.many.central import SentenceAt, central, nearness
from rag.many.common import TaskRequest, counted_answer, none_match
from rag.many.scope import TopicScope, read_scope
from rag.many.survey import MatchingPassage, Place, evidence, occurs, survey, units_of
from rag.many.tally import summary_head, summary_text
from rag.many.topics import Text, TopicTerm, topic_terms
from rag.types import Answer, Chunk, DocumentInfo, Reading

MOST = 600
_FEWEST, _MOST_SENTENCES = 5, 10
_OF_AN_ARTICLE = 0.5
_Passage = tuple[int, DocumentInfo, Chunk]


def summarise(request: TaskRequest) -> Answer | None:
    """The summary of what the question names; a refusal where no document holds one of its words; None where
    it names nothing that can be read as a whole."""
    store = request.index.store
    scope = read_scope(request.intent.topic, request.index, request.filters, whole=True)
    if not request.intent.sure and (scope.topic or not scope.named):
        return None
    terms = topic_terms(scope.topic, extra=request.index.lexicons) if scope.topic else ()
    passages = _passages(request, scope, terms)
    if not passages:
        absent = not all(occurs(store, scope, term) for term in terms)
        reading = Reading(request.intent.ask.value, 0, 0, 0)
        return none_match(request, scope, terms, reading) if absent else None
    read = _evenly(passages, MOST)
    chosen = _chosen(request, read)
    quotes = [
        evidence(n, MatchingPassage(i, d, c, (p,)), p, store) for n, (i, d, c, p) in enumerate(chosen, 1)
    ]
    if not quotes:
        return None
    documents = len({d.id for _, d, _ in read})
    reading = Reading(request.intent.ask.value, len(passages), len(read), documents)
    head = summary_head(request.intent.topic, quotes, reading, request.language)
    return counted_answer(request, head, f"{head}\n\n{summary_text(quotes)}", quotes, quotes, reading)


def _passages(request: TaskRequest, scope: TopicScope, terms: Sequence[TopicTerm]) -> list[_Passage]:
    """All passages in question: the articles or the section named, else those about the topic, else the whole
    of the documents named."""
    store = request.index.store
    everything: list[_Passage] = []
    if scope.named or not terms:
        everything = [(i, d, c) for d in scope.documents for i, _, c in store.document_chunks(d.id)]
    if (named := scope.constraints).articles:
        agreed = [article_agrees(named, chunk.heading_path, chunk.text) for _, _, chunk in everything]
        if agreeing := [p for p, share in zip(everything, agreed, strict=True) if share >= _OF_AN_ARTICLE]:
            return agreeing
    headed = [
        p for p in everything if terms and any(all(map(Text(h).holds, terms)) for h in p[2].heading_path)
    ]
    if headed or not terms:
        return headed or everything
    found = survey(store, scope, terms)
    return [(m.chunk_id, m.document, m.chunk) for m in found.matches]


def _evenly(passages: Sequence[_Passage], most: int) -> list[_Passage]:
    """All passages, or `most` of them spread over the whole."""
    if len(passages) <= most:
        return list(passages)
    return [passages[n * len(passages) // most] for n in range(most)]


def _chosen(request: TaskRequest, read: Sequence[_Passage]) -> list[tuple[int, DocumentInfo, Chunk, Place]]:
    store = request.index.store
    prose = [p for p in read if p[2].kind != "table"] or list(read)
    near = nearness(store.vectors([i for i, _, _ in prose]))
    placed = [(n, place) for n, (_, d, c) in enumerate(prose) for place in units_of(store, d, c)]
    times = Counter(" ".join(place.text.split()) for _, place in placed)
    # What stands in several places heads or foots a page.
    places = [(n, p) for n, p in placed if times[" ".join(p.text.split())] == 1] or placed
    candidates = [
        SentenceAt(
            place.text, prose[n][0], f"{prose[n][1].id} {prose[n][2].heading_path[:1]}", float(near[n])
        )
        for n, place in places
    ]
    headings = len({one.heading for one in candidates})
    count = max(_FEWEST, min(_MOST_SENTENCES, headings))
    return [(*prose[places[i][0]], places[i][1]) for i in central(candidates, count)]
