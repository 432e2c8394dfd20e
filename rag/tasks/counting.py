"""How many, which ones, all of them: answered from every passage that matches, with counts made by code."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

from rag.documents.description import SENT, day_of, type_of_noun
from rag.documents.validity import copies_of
from rag.facts.references import borne_labels
from rag.facts.values import Range, read
from rag.languages import say
from rag.languages.text import has_han
from rag.store.store import Store
from rag.tasks import survey
from rag.tasks.described import described, of_kind
from rag.tasks.intents import CountUnit, Intent
from rag.tasks.topics import TopicScope, all_of, called, read_scope, topic_terms
from rag.types import Answer, DocumentInfo
from rag.types.documents import admitted, several, single

# Quotes in the text; all of them are in the citations.
MOST_QUOTES = 12
# A topic of more words than this is a sentence, which no passage repeats.
_MOST_TERMS = 6
_MOST_DOCUMENTS = 200
_MOST_NAMED = 30
_KINDS = (
    (re.compile(r"^(?:articles?|条|条文|条款)$", re.IGNORECASE), ("article", "section")),
    (re.compile(r"^(?:clauses?|sections?|provisions?|规定|款)$", re.IGNORECASE), ("section", "article")),
    (re.compile(r"^(?:chapters?|章|章节)$", re.IGNORECASE), ("chapter",)),
    (re.compile(r"^(?:schedules?|annexe?s?)$", re.IGNORECASE), ("schedule", "appendix")),
)


def count_or_list(request: survey.TaskRequest) -> Answer | None:
    """The answer to a question that counts or lists; a refusal where nothing matches; None where it cannot be
    answered by reading what matches."""
    intent, store = request.intent, request.store
    if intent.unit is CountUnit.DESCRIBED:
        return _described(request)
    if not intent.topic:
        return _documents(request)
    if intent.unit is CountUnit.SECTION:
        scope = read_scope(intent.topic, request.index, request.filters, whole=True)
        return _sections(request, scope) if scope.named and not scope.topic else None
    if intent.unit is CountUnit.THING and (listed := survey.listed_whole(request)):
        return listed
    scope = read_scope(intent.topic, request.index, request.filters)
    if intent.unit is CountUnit.DOCUMENT:
        scope = TopicScope(all_of(store, request.filters), False, intent.topic, query=scope.query)
    terms = topic_terms(scope.topic, extra=request.index.lexicons)
    bounds = any(isinstance(value, Range) for value in read(scope.topic))  # rows are held against them
    if not terms or len(terms) > _MOST_TERMS or bounds:
        return None
    if intent.unit is CountUnit.THING:  # the duties of a tenant need not be called duties
        absent = [term for term in terms if not survey.occurs(store, scope, term)]
        kind = terms[-1 if has_han(scope.topic) else 0]
        unknown = absent and (absent != [kind] or len(terms) == 1)
        return survey.none_match(request, scope, terms) if unknown else None
    found = survey.survey(store, scope, terms)
    if found.matches:
        found, others = _by_kind(found, intent, request)
        head, read_some = _headline(intent, found, request.language), (found.matching, found.read)
        remarks = "\n\n".join(filter(None, (_remarks(found, request.language), others)))
        return _listed(request, head, found.matches, read_some, remarks)
    return None if found.apart else survey.none_match(request, scope, found.terms)


def _by_kind(found: survey.Survey, intent: Intent, request: survey.TaskRequest) -> tuple[survey.Survey, str]:
    """What is of the kind that is asked for ("contracts"), where any is, and a remark that names what else
    matches and may be of it."""
    kind = type_of_noun(intent.noun) if intent.unit is CountUnit.DOCUMENT else ""
    kept = {d.id for d in of_kind(found.documents, intent.noun)} if kind else set()
    others = [d.path for d in found.documents if not (d.id in kept or d.metadata.get("document_type"))]
    if not kept:
        return found, ""
    matches = tuple(m for m in found.matches if m.document.id in kept)
    sizes = {"noun": intent.noun, "paths": others[:MOST_QUOTES], "more": len(others) > MOST_QUOTES}
    remark = say("tasks.other_kinds", request.language, **sizes) if others else ""
    return replace(found, matches=matches), remark


def _documents(request: survey.TaskRequest) -> Answer | None:
    """The documents themselves, each cited by its opening sentence."""
    every = all_of(request.store, request.filters)
    documents, _ = copies_of(called(every, request.intent.noun) or every)
    openings = [(d, request.store.opening(d.id)) for d in documents[:_MOST_DOCUMENTS]]
    head = say("tasks.all_documents", request.language, count=len(documents))
    most = min(len(documents), _MOST_NAMED)
    return _listed(request, head, _first_words(request.store, openings), most=most) if documents else None


def _described(request: survey.TaskRequest) -> Answer | None:
    """The documents that fit a description, named with their days."""
    intent, language = request.intent, request.language
    found = described(intent.noun, intent.topic, request.store, request.filters)
    if found is None:
        return None
    scope, unclear = len(found.looked_at), [d.path for d in found.unclear]
    sent = any(single(d.metadata, "document_type") in SENT for d in found.unclear)
    undated = say("tasks.undated", language, paths=unclear, sent=sent) if unclear else ""
    if found.ours is not None:
        undated = "\n\n".join(filter(None, (say("tasks.ours", language, name=found.ours), undated)))
    if not found.matches:
        none = survey.none_match(request, TopicScope(found.looked_at, False, ""), (), "none_described")
        return replace(none, text="\n\n".join(filter(None, (none.text, undated))))
    names = [_named(d, language, found.copies.get(d.id, ())) for d in found.documents]
    sizes = {"count": len(names), "scope": scope, "names": names[:MOST_QUOTES]}
    sizes |= {"more": len(names) > MOST_QUOTES}
    head = say("tasks.described", language, **sizes)
    return _listed(request, head, found.matches, None, undated, _MOST_NAMED)


def _named(document: DocumentInfo, language: str, copies: Sequence[str]) -> str:
    """A document by its title, its day and, of what is sent, its sender, with the paths of its copies."""
    known = document.metadata
    sender = several(known, "sender")[:1] if single(known, "document_type") in SENT else ()
    said = {"name": document.title, "day": day_of(known), "sender": "".join(sender), "copies": copies}
    return say("tasks.dated", language, **said)


def _sections(request: survey.TaskRequest, scope: TopicScope) -> Answer | None:
    """The numbered parts of the documents named, counted by the numbers that their passages bear."""
    store, noun = request.store, request.intent.noun
    kinds = next((k for pattern, k in _KINDS if pattern.match(noun)), ())
    numbered = [(d, i) for d in scope.documents for i in _numbered(store, d.id, kinds)]
    matches, paths = _first_words(store, numbered), [d.path for d in scope.documents]
    sizes = {"count": len(matches), "long": len(noun) > 1}
    head = say("tasks.sections", request.language, noun=noun, paths=paths, **sizes)
    return _listed(request, head, matches) if matches else None


def _first_words(store: Store, found: Sequence[tuple[DocumentInfo, int]]) -> list[survey.MatchingPassage]:
    """The first sentence of each passage, by its id."""
    chunks = {i: chunk for i, _, chunk in store.chunks([i for _, i in found])}
    passages = [(i, d, chunks[i]) for d, i in found if i in chunks]
    firsts = ((i, d, c, next(survey.units_of(store, d, c), None)) for i, d, c in passages)
    return [survey.MatchingPassage(i, d, c, (place,)) for i, d, c, place in firsts if place]


def _numbered(store: Store, document_id: int, kinds: Sequence[str]) -> list[int]:
    """Passages that bear the outermost numbers of the first kind that the document has."""
    first: dict[str, int] = {}
    for i, _, chunk in store.document_chunks(document_id):
        for label in borne_labels(chunk.heading_path, chunk.text) if admitted(chunk.roles) else ():
            first.setdefault(label, i)
    outer = [label.split() for label in first if "." not in label and "(" not in label]
    found = ([first[f"{k} {n}"] for k, n in outer if k == kind] for kind in kinds)
    return next(filter(None, found), [])


def _headline(intent: Intent, found: survey.Survey, language: str) -> str:
    """The count and what was counted: "3 of 12 documents match: 7 passages hold “notice”."."""
    line = say(
        f"tasks.{intent.unit}",
        language,
        scope=len(found.scope.documents),
        documents=len(found.documents),
        passages=len(found.matches),
        places=sum(len(m.places) for m in found.matches),
        words=[" / ".join([need.typed, *need.terms[:2]]) for need in found.terms],
    )
    return line if found.read >= found.matching else say("tasks.at_least", language, line=line)


def _remarks(found: survey.Survey, language: str) -> str:
    """What else is to be known of a count: words that stand apart, and what was not read."""
    remarks = [say("tasks.apart", language, count=found.apart)] if found.apart else []
    if found.read < found.matching:
        remarks.append(say("tasks.some_read", language, matching=found.matching, read=found.read))
    return say("tasks.remarks", language, remarks=remarks)


def _listed(
    request: survey.TaskRequest,
    head: str,
    matches: Sequence[survey.MatchingPassage],
    read: tuple[int, int] | None = None,
    remarks: str = "",
    most: int = 0,
) -> Answer:
    """The answer with its quotes by document, `most` in all (else MOST_QUOTES), at least one of each of the
    first documents; what is left out is counted. `read`: how many passages hold the words, and were read; all
    of the documents where nothing is given."""
    evidence, language = survey.evidence_of(matches, request.store), request.language
    owners = {e.number: e.document.id for e in evidence}
    numbers = set(survey.in_turn(list(owners), owners, most or MOST_QUOTES))
    quoted = [e for e in evidence if e.number in numbers]
    sizes = Counter(e.document.path for e in evidence)
    blocks: list[str] = []
    for path, own in groupby(quoted, key=lambda e: e.document.path):
        lines = [say("tasks.of_document", language, path=path, count=sizes.pop(path))]
        for e in own:
            above = f" ({e.header})" if e.heads else ""
            lines.append(f"  “{' '.join(e.words.split())}”{above} [{e.number}]")
        blocks.append("\n".join(lines))
    if sizes:
        blocks.append(say("tasks.more_documents", language, count=sizes.total(), documents=len(sizes)))
    text = "\n\n".join([head, "\n\n".join(blocks), *filter(None, [remarks])])
    documents = {m.document.id: m.document.chunks for m in matches}
    matching, seen = read or (sum(documents.values()),) * 2
    reading = request.reading(matching, seen, len(documents))
    return survey.counted_answer(request, head, text, evidence, quoted, reading)
