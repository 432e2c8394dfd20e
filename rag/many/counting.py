"""How many, which ones, all of them: answered from every passage that matches, with counts made by code."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from rag.many.common import Asked, made, none_match
from rag.many.intent import Ask, Intent, Unit
from rag.many.parties import parties
from rag.many.scope import Scope, all_of, called, read_scope
from rag.many.survey import Match, Survey, evidence_of, heard, survey, units_of
from rag.many.tally import headline, listing, remarks
from rag.many.topics import Need, read_needs
from rag.store import Store
from rag.text import has_han
from rag.types import Answer, DocumentInfo, Reading

# A topic of more words than this is a sentence, which no passage repeats.
_MOST_NEEDS = 6
_MOST_DOCUMENTS = 200
_KINDS = (
    (re.compile(r"^(?:articles?|条|条文|条款)$", re.IGNORECASE), ("article", "section")),
    (re.compile(r"^(?:clauses?|sections?|provisions?|规定|款)$", re.IGNORECASE), ("section", "article")),
    (re.compile(r"^(?:chapters?|章|章节)$", re.IGNORECASE), ("chapter",)),
    (re.compile(r"^(?:schedules?|annexe?s?)$", re.IGNORECASE), ("schedule", "appendix")),
)


def count_or_list(asked: Asked) -> Answer | None:
    """The answer to a question that counts or lists; a refusal where nothing matches; None where it cannot be
    answered by reading what matches."""
    intent, store = asked.intent, asked.index.store
    if not intent.topic:
        return _documents(asked, intent)
    if intent.unit in (Unit.THING, Unit.ROW) and (answer := parties(asked)) is not None:
        return answer
    # "How many articles does the statute have?" is about a document as a whole.
    whole = intent.ask is Ask.COUNT and intent.unit is Unit.SECTION
    scope = read_scope(intent.topic, asked.index, asked.filters, whole=whole)
    if intent.unit is Unit.DOCUMENT:
        scope = replace(scope, named=False, topic=intent.topic, documents=all_of(store, asked.filters))
    if scope.named and not scope.topic:
        return _sections(asked, scope)
    needs = read_needs(scope.topic, extra=asked.index.lexicons)
    if not needs or len(needs) > _MOST_NEEDS:
        return None
    found = survey(store, scope, needs, rows=intent.unit is Unit.ROW)
    if intent.unit is Unit.ROW and not found.matches:
        intent = replace(intent, unit=Unit.THING)
        found = survey(store, scope, needs)
    if found.matches:
        return _told(asked, intent, found)
    if found.apart or _may_be_worded_otherwise(intent, scope, needs, store):
        return None
    return none_match(asked, scope, found.needs, Reading(asked.intent.ask.value, 0, 0, 0))


def _may_be_worded_otherwise(intent: Intent, scope: Scope, needs: Sequence[Need], store: Store) -> bool:
    """Whether things are listed whose every word stands somewhere, but for what they are called: the duties
    of a tenant need not be called duties."""
    if intent.unit is not Unit.THING:
        return False
    kind = needs[-1 if has_han(scope.topic) else 0]
    unheard = [need for need in needs if not heard(store, scope, need)]
    return not unheard or (len(needs) > 1 and unheard == [kind])


def _told(asked: Asked, intent: Intent, found: Survey) -> Answer:
    store, language = asked.index.store, asked.language
    evidence = evidence_of(found.matches, store)
    head = headline(intent, found, language)
    quotes, shown = listing(evidence, language)
    kind = called(found.documents, intent.noun) if intent.unit is Unit.DOCUMENT else ()
    told = ("" if asked.chinese else " ").join(remarks(found, language, intent.noun, len(kind)))
    reading = Reading(intent.ask.value, found.matching, found.read, len(found.documents))
    return made(asked, head, f"{head}\n\n{quotes}\n\n{told}", evidence, shown, reading)


def _documents(asked: Asked, intent: Intent) -> Answer | None:
    """The documents themselves, each cited by its opening sentence."""
    store = asked.index.store
    documents = all_of(store, asked.filters)
    if not documents:
        return None
    documents = called(documents, intent.noun) or documents
    openings = [_first_words(store, d, store.opening(d.id)) for d in documents[:_MOST_DOCUMENTS]]
    matches = [match for match in openings if match is not None]
    evidence = evidence_of(matches, store)
    count = len(documents)
    head = (
        f"共有 {count} 份文件。"
        if asked.chinese
        else f"There {'is 1 document' if count == 1 else f'are {count:,} documents'}."
    )
    quotes, shown = listing(evidence, asked.language, shown=2 * len(matches) if count <= 30 else 30)
    passages = sum(d.chunks for d in documents)
    reading = Reading(intent.ask.value, passages, passages, count)
    return made(asked, head, f"{head}\n\n{quotes}", evidence, shown, reading)


def _first_words(store: Store, document: DocumentInfo, chunk_id: int) -> Match | None:
    for i, _, chunk in store.chunks([chunk_id]):
        for place in units_of(store, document, chunk):
            return Match(i, document, chunk, (place,))
    return None


def _sections(asked: Asked, scope: Scope) -> Answer | None:
    """The numbered parts of the documents named, counted by the numbers that their passages bear."""
    store = asked.index.store
    kinds = next((k for pattern, k in _KINDS if pattern.match(asked.intent.noun)), ())
    numbered = [(d, i) for d in scope.documents for i in _numbered(store.labels(d.id), kinds)]
    matches = [m for d, i in numbered if (m := _first_words(store, d, i)) is not None]
    if not matches:
        return None
    evidence = evidence_of(matches, store)
    names = ("、" if asked.chinese else ", ").join(d.path for d in scope.documents)
    noun = asked.intent.noun
    head = (
        f"{names}：共 {len(matches)} {'个' if len(noun) > 1 else ''}{noun}（按编号统计）。"
        if asked.chinese
        else f"{len(matches):,} {noun} in {names}, counted by their outermost numbers."
    )
    quotes, shown = listing(evidence, asked.language)
    passages = sum(d.chunks for d in scope.documents)
    reading = Reading(asked.intent.ask.value, passages, passages, len(scope.documents))
    return made(asked, head, f"{head}\n\n{quotes}", evidence, shown, reading)


def _numbered(labels: Sequence[tuple[str, str, int]], kinds: Sequence[str]) -> list[int]:
    """Passages that bear the outermost numbers of the first kind that the document has."""
    for kind in kinds:
        outer = [(n, i) for k, n, i in labels if k == kind and "." not in n and "(" not in n]
        if outer:
            return [i for _, i in outer]
    return []
