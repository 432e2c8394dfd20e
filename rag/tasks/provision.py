"""What a clause, section or article says: its own words, whole, from the document that is named or the only
one that has it; where several have it, the question back which of them is intended."""

from __future__ import annotations

from collections.abc import Sequence

from rag.answers.asking import ask_back
from rag.documents.validity import ended
from rag.facts.references import SIBLINGS, articles_agree, borne_labels
from rag.languages.text import in_one_piece
from rag.search.amended import with_changes
from rag.search.evidence import Selection
from rag.search.verdict import COUNTED
from rag.tasks import survey
from rag.tasks.topics import all_of, read_scope
from rag.types import Answer, Chunk, DocumentInfo, Evidence
from rag.types.documents import admitted

# "Article 12" stands under "12. Insurance" (0.6) and in its 12.1 (0.48), clause 4.2 not in "4." (0.4).
# A note or a schedule is no section.
_OWN, _OWN_KIND = 0.45, 0.75
_APART = 0.25
_LONGEST_LINE = 300
# Of so many documents all passages are read, of more those that search finds first.
_MOST_READ = 100
_MOST_QUOTES = 20


def provide(request: survey.TaskRequest) -> Answer | None:
    """The provision's sentences in their order, quoted; None where the question names none, or no document
    has it."""
    topic = request.intent.topic
    scope = read_scope(topic, request.index, request.filters, whole=True)
    if not (wanted := scope.constraints.articles):
        return None
    documents = scope.documents if scope.named else all_of(request.store, request.filters)
    if len(documents) > _MOST_READ:
        documents = tuple({h.document.id: h.document for h in request.search(request.query)}.values())
    found = {d.id: own for d in documents if (own := _provision(request, d, wanted))}
    best = max((fit for fit, _ in found.values()), default=0.0)
    standing = [own for fit, own in found.values() if fit == best and not ended(own[0].document)]
    several = standing or [own for fit, own in found.values() if fit == best]
    if not several:
        return None
    stated = survey.evidence_of([match for own in several for match in own], request.store)
    day = request.filters.in_force if request.filters else ""
    evidence = with_changes(stated, request.query, request.store, day, len(stated) + _MOST_QUOTES)
    if len(several) > 1:
        firsts = [next(e for e in evidence if e.document.id == own[0].document.id) for own in several]
        return ask_back(request.basis(Selection(evidence, COUNTED), ()), firsts)
    quotes = evidence[:_MOST_QUOTES]
    reading = request.reading(len(several[0]), len(several[0]), 1)
    sentences = [in_one_piece(e.text) for e in quotes]
    changing = {(one.document_id, one.start) for e in quotes for one in e.changes}
    standing_words = [e.in_force or e.text for e in quotes if (e.document.id, e.start) not in changing]
    whole = in_one_piece("\n".join(standing_words))
    line = whole if len(whole) <= _LONGEST_LINE else sentences[0]
    text = "\n".join(f"“{s}” [{n}]" for n, s in enumerate(sentences, 1))
    return survey.counted_answer(request, line, text, quotes, quotes, reading)


def _provision(
    request: survey.TaskRequest, document: DocumentInfo, wanted: Sequence[str]
) -> tuple[float, list[survey.MatchingPassage]] | None:
    """How well what a document has fits, up to 1, and its passages with the sentences that belong to it."""
    found: list[tuple[float, survey.MatchingPassage]] = []
    for chunk_id, _, chunk in request.store.document_chunks(document.id):
        if admitted(chunk.roles):
            fit, places = _own_places(request, document, chunk, wanted)
            if places:
                found.append((fit, survey.MatchingPassage(chunk_id, document, chunk, tuple(places))))
    best = max((fit for fit, _ in found), default=0.0)
    # Its clauses belong to a section; "Section 12" where Article 12 is asked for and stands here does not.
    return (best, [match for fit, match in found if fit > best - _APART]) if found else None


def _own_places(
    request: survey.TaskRequest, document: DocumentInfo, chunk: Chunk, wanted: Sequence[str]
) -> tuple[float, list[Evidence]]:
    """The sentences of a passage from one that bears the label to the next one that bears another."""
    least = _OWN if all(label.split()[0] in SIBLINGS for label in wanted) else _OWN_KIND
    above = articles_agree(wanted, chunk.heading_path, "")
    belongs, fit, places = above > least, 0.0, []
    for place in survey.units_of(request.store, document, chunk):
        own = above
        if borne_labels((), place.text):
            own = articles_agree(wanted, (), place.text)
            belongs = own > least
        if belongs:
            fit = max(fit, own)
            places.append(place)
    return fit, places
