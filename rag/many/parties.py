"""The companies and the parties of contracts that documents are of, as ingest read them from titles, covers
and first lines: listed and counted by code, each cited where its document first names it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from rag.many.common import TaskRequest, counted_answer
from rag.many.scope import TopicScope, all_of, read_scope
from rag.many.survey import MatchingPassage, evidence_of, survey
from rag.many.tally import listing
from rag.many.topics import TopicTerm, form_of
from rag.types import Answer, DocumentInfo, Reading

_ENGLISH = re.compile(
    r"^(?:contracting\s+)?(?:parties|companies)\b\s*"
    r"(?:(?:named|mentioned)\s+)?(?:(?:to|of|in|covered\s+by)\s+)?(?P<rest>.*)$",
    re.IGNORECASE,
)
_CHINESE = re.compile(r"^(?P<rest>.*?)(?:[中里]?的)?(?:各方|合同)?(?:当事人|签约方|公司)$")
_EVERYWHERE = re.compile(
    r"^(?:(?:the|these|all|our)\s+)*(?:documents?|index|files?)?$|^(?:这些|所有|全部)?文件$", re.I
)
_MOST = 200


def parties(request: TaskRequest) -> Answer | None:
    """The companies or parties that a question counts or lists; None where it asks for something else, or the
    documents are of none."""
    match = (_CHINESE if request.chinese else _ENGLISH).match(request.intent.topic)
    documents = _documents(request, match["rest"].strip()) if match else ()
    named = _named(documents)
    if not named:
        return None
    store = request.index.store
    matches = [
        m for name, held in list(named.items())[:_MOST] if (m := _first(request, name, held[0])) is not None
    ]
    places = {(m.document.id, m.places[0].start): m for m in matches}  # one sentence often names both
    evidence = evidence_of(list(places.values()), store)
    among = len({d.id for held in named.values() for d in held})
    listed = ("；" if request.chinese else "; ").join(named)
    head = (
        f"{among} 份文件共涉及 {len(named)} 个当事人或公司：{listed}。"
        if request.chinese
        else f"{len(named):,} {'name' if len(named) == 1 else 'names'} of parties and companies in {among:,} "
        f"{'document' if among == 1 else 'documents'}: {listed}."
    )
    quotes, quoted = listing(evidence, request.language)
    remarks_text = (
        "以上取自文件的标题、封面和首部；正文中提到的其他名称未计入。"
        if request.chinese
        else "Read from titles, covers and first lines; other names that the text mentions are not counted."
    )
    reading = Reading(request.intent.ask.value, len(evidence), len(evidence), among)
    return counted_answer(request, head, f"{head}\n\n{quotes}\n\n{remarks_text}", evidence, quoted, reading)


def _documents(request: TaskRequest, rest: str) -> tuple[DocumentInfo, ...]:
    """The documents that the question means; () where it says something else of them."""
    if _EVERYWHERE.match(rest):
        return all_of(request.index.store, request.filters)
    scope = read_scope(rest, request.index, request.filters, whole=True)
    return scope.documents if scope.named and not scope.topic else ()


def _named(documents: Sequence[DocumentInfo]) -> dict[str, list[DocumentInfo]]:
    named: dict[str, list[DocumentInfo]] = {}
    for document in documents:
        found = document.metadata.get("parties") or document.metadata.get("company", "")
        for name in dict.fromkeys(n for n in found.split("|") if n):
            named.setdefault(name, []).append(document)
    return named


def _first(request: TaskRequest, name: str, document: DocumentInfo) -> MatchingPassage | None:
    """The first sentence of the document that holds the name."""
    scope = TopicScope((document,), True, name)
    found = survey(request.index.store, scope, [TopicTerm(name, form_of(name))]).matches
    return replace(found[0], places=found[0].places[:1]) if found else None
