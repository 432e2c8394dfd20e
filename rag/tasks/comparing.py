"""Two or three things side by side: each side is a question of its own, searched within the documents that it
names, computed, read or quoted like any other; a side without support is said to have none."""

from __future__ import annotations

import re
from dataclasses import replace

from rag.answers.compose import missing
from rag.answers.parts import Look, look_at
from rag.facts.quantity import Kind
from rag.facts.values import read
from rag.languages import patterns, say
from rag.search.verdict import lacks, unmatched, worth_reading
from rag.tasks.survey import TaskRequest, occurs
from rag.tasks.topics import Text, TopicScope, read_scope, topic_terms
from rag.types import Filters

_EACH = 2
_RE = patterns("intents", re.NOFLAG)


def compared(request: TaskRequest) -> tuple[Look, ...]:
    """A look for each side, named as typed; () where none of them has support, nor may be found to have."""
    *firsts, last = request.intent.sides
    days = [v for v in read(last) if v.kind is Kind.DATE]
    period = ""
    if days and not any(v.kind is Kind.DATE for side in firsts for v in read(side)):
        at = _RE["dated"].search(last, 0, days[0].start)
        period, last = (
            last[at.start() if at else days[0].start :],
            last[: at.start() if at else days[0].start],
        )
    names = [side.strip() for side in (*firsts, last) if side.strip()]
    scopes = [read_scope(name, request.index, request.filters, whole=True) for name in names]
    apart = len({tuple(d.id for d in scope.documents) for scope in scopes}) == len(scopes)
    looks = tuple(_look(request, *side, period, apart) for side in zip(names, scopes, strict=True))
    able = request.setup.llm is not None and any(worth_reading(one.found.verdict) for one in looks)
    return looks if able or any(one.found.sufficient for one in looks) else ()


def _look(request: TaskRequest, name: str, scope: TopicScope, period: str, apart: bool) -> Look:
    """What is found for one side, in the period that is named behind the last for all; where sides stand
    `apart`, in documents of their own, the name of a side that is one is left out of the question. A sentence
    that is about something near the side does not speak of it."""
    own_terms = topic_terms(scope.topic, extra=request.index.lexicon) if scope.topic else ()
    text = say("tasks.what_of", request.query.language, name=f"{name}{period}", topic=request.intent.topic)
    if apart and scope.named and request.intent.topic and not scope.topic:
        text = say("tasks.what_is", request.query.language, name=f"{request.intent.topic}{period}")
    query = replace(request.index.understand(text), asked=name)
    filters = Filters(documents=tuple(d.path for d in scope.documents)) if scope.named else request.filters
    hits = request.search(query, filters)
    one = look_at(request.setup, query, hits, _EACH, filters)
    said = [
        (e, Text("\n".join([e.document.title, *e.heading_path, e.header, e.text])))
        for e in one.found.evidence
    ]
    speaking = [e for e, words in said if all(map(words.holds, own_terms))]
    if one.figures is not None or (speaking and all(occurs(request.store, scope, t) for t in own_terms)):
        return one
    reasons = lacks(query, hits, request.store, filters=filters)
    verdict = replace(unmatched(one.found.verdict, 0.0), reasons=reasons)
    return replace(one, found=replace(one.found, verdict=verdict), reason=missing(verdict, request.language))
