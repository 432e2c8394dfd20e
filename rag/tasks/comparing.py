"""Two or three things side by side: evidence is looked for on each side by itself, within its document where
a side names one, and set out by code; a side without support is said to have none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from rag.answers.compose import missing
from rag.languages import say
from rag.search.verdict import lacks
from rag.tasks.survey import TaskRequest, counted_answer, evidence_of, occurs, survey
from rag.tasks.topics import Text, read_scope, topic_terms
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
    whole: Sequence[Evidence] = ()
    if not all(side.named for side in sides):  # documents often draw the comparison themselves
        found = request.select(request.query, request.search(request.query))
        whole = found.evidence if found.sufficient else ()
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
    documents = len({e.document.id for e in evidence})
    reading = request.reading(sum(s.matching for s in sides), sum(s.read for s in sides), documents)
    head = _head(request.intent.topic, parts, reading, request.language)
    text = f"{head}\n\n{_table(rows, request.language, frozenset(s.name for s in sides if not s.quotes))}"
    nearest = list({h.chunk_id: h for s in sides for h in s.hits}.values())[: request.setup.top_k]
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
    filters = Filters(documents=tuple(d.path for d in scope.documents)) if scope.named else request.filters
    hits = request.search(query, filters)
    chosen = request.select(query, hits, _QUOTES)
    known = not own_terms or all(occurs(store, scope, term) for term in own_terms)
    found = survey(store, scope, terms, most=_READ)
    quotes: Sequence[Evidence] = ()
    if known and chosen.sufficient:
        # A sentence that is about something near the side does not speak of it.
        said = [(e, Text("\n".join([e.document.title, *e.heading_path, e.text]))) for e in chosen.evidence]
        quotes = [e for e, text in said if all(map(text.holds, own_terms))]
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


def _table(rows: Mapping[str, Sequence[Evidence]], language: str, lacking: frozenset[str]) -> str:
    """Sides beneath each other, each with its quotes: a small Markdown table. Quotes of a side that is
    `lacking` support are the nearest."""
    heads = say("tasks.compared", language), say("tasks.in_their_words", language)
    none = say("tasks.not_found", language)
    lines = [f"| {heads[0]} | {heads[1]} |", "|---|---|"]
    for side, quotes in rows.items():
        parts = " ".join(f"“{' '.join(e.text.split())}” [{e.number}]" for e in quotes) or none
        if side in lacking and quotes:
            parts = say("tasks.nearest", language, quotes=parts)
        lines.append("| {} | {} |".format(*(cell.replace("|", "\\|") for cell in (side, parts))))
    return "\n".join(lines)


def _head(aspect: str, parts: Sequence[Part], reading: Reading, language: str) -> str:
    """What was compared and which side has no support."""
    head = say("tasks.compare", language, names=[p.question for p in parts], aspect=aspect)
    if lacking := [p for p in parts if not p.answered]:
        sides = [say("tasks.compare_side", language, name=p.question, reason=p.reason) for p in lacking]
        head += say("tasks.compare_lacking", language, lacking=sides)
    if not reading.complete:
        head += say("tasks.compare_unread", language, matching=reading.matching, read=reading.read)
    return head
