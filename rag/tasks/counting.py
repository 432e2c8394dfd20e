"""How many, which ones, all of them: answered from every passage that matches, with counts made by code."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import groupby

from rag.facts.values import Range, read
from rag.languages import say
from rag.languages.text import has_han
from rag.store.store import Store
from rag.tasks import survey
from rag.tasks.intents import Ask, CountUnit, Intent
from rag.tasks.topics import TopicScope, TopicTerm, all_of, called, read_scope, topic_terms
from rag.types import Answer, DocumentInfo, Evidence, Reading

# Quotes in the text; all of them are in the citations.
MOST_QUOTES = 12
# A topic of more words than this is a sentence, which no passage repeats.
_MOST_TERMS = 6
_MOST_DOCUMENTS = 200
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
    if not intent.topic:
        return _documents(request, intent)
    # "How many articles does the statute have?" is about a document as a whole.
    whole = intent.ask is Ask.COUNT and intent.unit is CountUnit.SECTION
    scope = read_scope(intent.topic, request, request.filters, whole=whole)
    if intent.unit is CountUnit.DOCUMENT:
        scope = replace(scope, named=False, topic=intent.topic, documents=all_of(store, request.filters))
    if scope.named and not scope.topic:
        return _sections(request, scope)
    terms = topic_terms(scope.topic, extra=request.index.lexicons)
    bounds = any(isinstance(value, Range) for value in read(scope.topic))  # rows are held against them
    if not terms or len(terms) > _MOST_TERMS or bounds:
        return None
    found = survey.survey(store, scope, terms)
    if found.matches:
        kind = called(found.documents, intent.noun) if intent.unit is CountUnit.DOCUMENT else ()
        remarks = _remarks(found, request.language, intent.noun, len(kind))
        reading = request.reading(found.matching, found.read, len(found.documents))
        return _listed(request, _headline(intent, found, request.language), found.matches, reading, remarks)
    if found.apart or _may_be_worded_otherwise(intent, scope, terms, store):
        return None
    return survey.none_match(request, scope, found.terms)


def _may_be_worded_otherwise(
    intent: Intent, scope: TopicScope, terms: Sequence[TopicTerm], store: Store
) -> bool:
    """Whether things are listed whose every word stands somewhere, but for what they are called: the duties
    of a tenant need not be called duties."""
    if intent.unit is not CountUnit.THING:
        return False
    kind = terms[-1 if has_han(scope.topic) else 0]
    absent = [term for term in terms if not survey.occurs(store, scope, term)]
    return not absent or (len(terms) > 1 and absent == [kind])


def _documents(request: survey.TaskRequest, intent: Intent) -> Answer | None:
    """The documents themselves, each cited by its opening sentence."""
    store = request.store
    documents = all_of(store, request.filters)
    if not documents:
        return None
    documents = called(documents, intent.noun) or documents
    openings = [_first_words(store, d, store.opening(d.id)) for d in documents[:_MOST_DOCUMENTS]]
    matches = [match for match in openings if match is not None]
    head = say("tasks.all_documents", request.language, count=len(documents))
    return _listed(request, head, matches, _whole(request, documents), most=min(len(documents), 30))


def _first_words(store: Store, document: DocumentInfo, chunk_id: int) -> survey.MatchingPassage | None:
    for i, _, chunk in store.chunks([chunk_id]):
        for place in survey.units_of(store, document, chunk):
            return survey.MatchingPassage(i, document, chunk, (place,))
    return None


def _sections(request: survey.TaskRequest, scope: TopicScope) -> Answer | None:
    """The numbered parts of the documents named, counted by the numbers that their passages bear."""
    store = request.store
    kinds = next((k for pattern, k in _KINDS if pattern.match(request.intent.noun)), ())
    numbered = [(d, i) for d in scope.documents for i in _numbered(store.labels(d.id), kinds)]
    matches = [m for d, i in numbered if (m := _first_words(store, d, i)) is not None]
    if not matches:
        return None
    paths, noun = [d.path for d in scope.documents], request.intent.noun
    head = say(
        "tasks.sections", request.language, count=len(matches), noun=noun, long=len(noun) > 1, paths=paths
    )
    return _listed(request, head, matches, _whole(request, scope.documents))


def _whole(request: survey.TaskRequest, documents: Sequence[DocumentInfo]) -> Reading:
    passages = sum(d.chunks for d in documents)
    return request.reading(passages, passages, len(documents))


def _numbered(labels: Sequence[tuple[str, str, int]], kinds: Sequence[str]) -> list[int]:
    """Passages that bear the outermost numbers of the first kind that the document has."""
    outer = [[i for k, n, i in labels if k == kind and "." not in n and "(" not in n] for kind in kinds]
    return next(filter(None, outer), [])


def _headline(intent: Intent, found: survey.Survey, language: str) -> str:
    """The count and what was counted: "3 of 12 documents match: 7 passages hold “notice”."."""
    line = say(
        f"tasks.{intent.unit}",
        language,
        scope=len(found.scope.documents),
        documents=len(found.documents),
        passages=len(found.matches),
        sections=found.sections,
        places=found.places,
        words=[need.typed for need in found.terms],
        noun=intent.noun if intent.ask is Ask.COUNT else "",
    )
    return line if found.read >= found.matching else say("tasks.at_least", language, line=line)


def _remarks(found: survey.Survey, language: str, noun: str, called: int) -> str:
    """What else is to be known of a count: how many of the documents are `called` by the noun asked for,
    other words that were counted, words that stand apart, repeats, and what was not read."""
    remarks = []
    if noun and 0 < called < len(found.documents):
        remarks.append(say("tasks.called", language, called=called, noun=noun))
    if worded := sum(not m.literal for m in found.matches):
        terms = dict.fromkeys(t for need in found.terms for t in need.terms)
        remarks.append(say("tasks.worded", language, count=worded, terms=list(terms)[:6]))
    if found.apart:
        remarks.append(say("tasks.apart", language, count=found.apart))
    if found.duplicates:
        remarks.append(say("tasks.duplicates", language, count=found.duplicates))
    read = "tasks.all_read" if found.read >= found.matching else "tasks.some_read"
    remarks.append(say(read, language, matching=found.matching, read=found.read))
    return say("tasks.remarks", language, remarks=remarks)


def _listed(
    request: survey.TaskRequest,
    head: str,
    matches: Iterable[survey.MatchingPassage],
    reading: Reading,
    remarks: str = "",
    most: int = 0,
) -> Answer:
    """The answer with its quotes by document, `most` in all (else MOST_QUOTES), at least one of each of the
    first documents; what is left out is counted."""
    evidence, language = survey.evidence_of(list(matches), request.store), request.language
    owners = {e.number: e.document.id for e in evidence}
    numbers = set(survey.in_turn(list(owners), owners, most or MOST_QUOTES))
    blocks: list[str] = []
    quoted: list[Evidence] = []
    left: list[int] = []
    for _, own in groupby(evidence, key=lambda e: e.document.id):
        rows = list(own)
        few = [e for e in rows if e.number in numbers]
        if not few:
            left.append(len(rows))
            continue
        quoted += few
        lines = [say("tasks.of_document", language, path=rows[0].document.path, count=len(rows))]
        for e in few:
            above = f" ({e.header})" if e.heads else ""
            lines.append(f"  “{' '.join(e.words.split())}”{above} [{e.number}]")
        if more := rows[len(few) :]:
            marks = " … ".join(f"[{n}]" for n in dict.fromkeys((more[0].number, more[-1].number)))
            lines.append("  " + say("tasks.more", language, count=len(more), marks=marks))
        blocks.append("\n".join(lines))
    if left:
        blocks.append(say("tasks.more_documents", language, count=sum(left), documents=len(left)))
    text = "\n\n".join([head, "\n\n".join(blocks), *filter(None, [remarks])])
    return survey.counted_answer(request, head, text, evidence, quoted, reading)
