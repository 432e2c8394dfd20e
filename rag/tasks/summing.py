"""What a document, a section or a topic says in short: the sentence that opens each heading, quoted, in their
order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import groupby

from rag.facts.references import articles_agree
from rag.languages import say
from rag.languages.text import has_han
from rag.tasks import survey
from rag.tasks.topics import Text, TopicScope, TopicTerm, read_scope, topic_terms
from rag.types import Answer, Chunk, DocumentInfo, Evidence
from rag.types.documents import admitted

_LEAST_WORDS = 6
MOST = 600
_FEWEST, _MOST_SENTENCES = 5, 10
_OF_AN_ARTICLE = 0.5
_Passage = tuple[int, DocumentInfo, Chunk]


def opening(texts: Sequence[str], headings: Sequence[str], count: int) -> list[int]:
    """Indices of at most `count` sentences, in their order: the first below each heading, spread evenly where
    there are more headings, then the second ones. Short ones, questions and repetitions are none of them
    unless there is nothing else."""
    first = {text: n for n, text in reversed(list(enumerate(texts)))}
    usable = [n for n, text in enumerate(texts) if _is_statement(text) and first[text] == n]
    turns: Counter[str] = Counter()
    ranked: list[tuple[int, int]] = []
    for n in usable or range(len(texts)):
        ranked.append((turns[headings[n]], n))
        turns[headings[n]] += 1
    firsts = [n for turn, n in ranked if not turn]
    if len(firsts) > count:
        return [firsts[at * len(firsts) // count] for at in range(count)]
    return sorted(n for _, n in sorted(ranked)[:count])


def _is_statement(text: str) -> bool:
    plain = text.strip()
    if plain.endswith(("?", "？", ":", "：")):
        return False
    return len(plain) >= 10 if has_han(plain) else len(plain.split()) >= _LEAST_WORDS


def summarise(request: survey.TaskRequest) -> Answer | None:
    """The summary of what the question names; a refusal where no document holds one of its words; None where
    it names nothing that can be read as a whole."""
    store = request.store
    scope = read_scope(request.intent.topic, request.index, request.filters, whole=True)
    if not request.intent.sure and (scope.topic or not scope.named):
        return None
    terms = topic_terms(scope.topic, extra=request.index.lexicon) if scope.topic else ()
    passages = _passages(request, scope, terms)
    if not passages:
        absent = not all(survey.occurs(store, scope, term) for term in terms)
        return survey.none_match(request, scope, terms) if absent else None
    most = min(MOST, len(passages))
    read = [passages[n * len(passages) // most] for n in range(most)]  # spread over the whole
    chosen = _chosen(request, read)
    quotes = survey.evidence_of([survey.MatchingPassage(i, d, c, (p,)) for i, d, c, p in chosen], store)
    if not quotes:
        return None
    documents = len({d.id for _, d, _ in read})
    reading = request.reading(len(passages), len(read), documents)
    key = "tasks.summary_all" if reading.complete else "tasks.summary_some"
    sizes = {"count": len(quotes), "read": len(read), "matching": len(passages)}
    head = say(key, request.language, name=request.intent.topic, **sizes)
    return survey.counted_answer(request, head, f"{head}\n\n{_by_heading(quotes)}", quotes, quotes, reading)


def _passages(request: survey.TaskRequest, scope: TopicScope, terms: Sequence[TopicTerm]) -> list[_Passage]:
    """All passages in question: the articles or the section named, else those about the topic, else the whole
    of the documents named."""
    store = request.store
    everything: list[_Passage] = []
    if scope.named or not terms:
        every = ((d, store.document_chunks(d.id)) for d in scope.documents)
        everything = [(i, d, c) for d, own in every for i, _, c in own if admitted(c.roles)]
    if (named := scope.constraints).articles:
        agreed = [
            articles_agree(named.articles, chunk.heading_path, chunk.text) for _, _, chunk in everything
        ]
        if agreeing := [p for p, share in zip(everything, agreed, strict=True) if share >= _OF_AN_ARTICLE]:
            return agreeing
    if not terms:
        return everything
    if headed := [p for p in everything if any(all(map(Text(h).holds, terms)) for h in p[2].heading_path)]:
        return headed
    found = survey.survey(store, scope, terms)
    return [(m.chunk_id, m.document, m.chunk) for m in found.matches]


def _chosen(
    request: survey.TaskRequest, read: Sequence[_Passage]
) -> list[tuple[int, DocumentInfo, Chunk, Evidence]]:
    store = request.store
    prose = [p for p in read if p[2].kind != "table"] or list(read)
    placed = [(n, place) for n, (_, d, c) in enumerate(prose) for place in survey.units_of(store, d, c)]
    times = Counter(" ".join(place.text.split()) for _, place in placed)
    # What stands in several places heads or foots a page.
    places = [(n, p) for n, p in placed if times[" ".join(p.text.split())] == 1] or placed
    headings = [f"{prose[n][1].id} {prose[n][2].heading_path[:1]}" for n, _ in places]
    count = max(_FEWEST, min(_MOST_SENTENCES, len(set(headings))))
    chosen = opening([place.text for _, place in places], headings, count)
    return [(*prose[places[i][0]], places[i][1]) for i in chosen]


def _by_heading(quotes: Sequence[Evidence]) -> str:
    """The quotes in order, beneath their documents and headings."""
    lines: list[str] = []
    for path, document in groupby(quotes, key=lambda e: e.document.path):
        lines += ([""] if lines else []) + [path]
        for headings, under in groupby(document, key=lambda e: e.heading_path[:1]):
            lines += [f"  {above}" for above in headings if above]
            lines += [f"    “{' '.join(e.text.split())}” [{e.number}]" for e in under]
    return "\n".join(lines)
