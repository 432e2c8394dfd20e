"""Questions about many passages, answered by reading all that match: how many, which ones, all of them;
what a text says in short; two things side by side. What their answers have in common.

None where a question cannot be served so; it is then answered like any other, and the answer says that not
everything was read (`partly_read`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from rag.answers.compose import Basis, certificate, missing, quote_claim, refuse
from rag.answers.request import Setup
from rag.index import Index
from rag.languages import say
from rag.languages.text import detect_language
from rag.questions.query import Query
from rag.search.evidence import Selection, select
from rag.search.verdict import COUNTED, lacks, unmatched
from rag.store.store import Store
from rag.tasks.intents import Ask, CountUnit, Intent
from rag.tasks.topics import Text, TopicScope, TopicTerm
from rag.types import Answer, AnswerKind, Claim, ClaimState, Evidence, Filters, Hit, Part, Reading


@dataclass(frozen=True, slots=True)
class TaskRequest:
    """A question with what it is answered from, in `language`."""

    query: Query
    language: str
    intent: Intent
    setup: Setup
    filters: Filters | None = None
    _understood: dict[str, Query] = field(default_factory=dict)

    def understand(self, text: str) -> Query:
        """A piece of the question, or another wording of it; each is read once."""
        if text not in self._understood:
            self._understood[text] = self.index.understand(text)
        return self._understood[text]

    @property
    def store(self) -> Store:
        return self.index.store

    @property
    def index(self) -> Index:
        return self.setup.index

    @property
    def k(self) -> int:
        return self.setup.top_k

    def search(self, query: Query, filters: Filters | None = None) -> tuple[Hit, ...]:
        """The passages for a question, within the filters of this one where none are given."""
        return tuple(self.index.search(query, self.k, filters=filters or self.filters))

    def select(self, query: Query, hits: Sequence[Hit], limit: int = 0) -> Selection:
        """The sentences of the passages that bear on a question."""
        limit = limit or self.setup.max_evidence
        return select(query, hits, self.index, limit=limit, threshold=self.setup.threshold)

    def reading(self, matching: int, read: int, documents: int) -> Reading:
        return Reading(self.intent.ask.value, matching, read, documents)

    def basis(self, found: Selection, hits: Sequence[Hit]) -> Basis:
        proof = certificate(self.index, found, self.filters, self.language)
        return Basis(self.query, self.language, found, hits, proof)


def counted_answer(
    request: TaskRequest,
    head: str,
    text: str,
    evidence: Sequence[Evidence],
    quoted: Sequence[Evidence],
    reading: Reading,
    *,
    parts: Sequence[Part] = (),
    nearest: Sequence[Hit] = (),
) -> Answer:
    """The answer: `head` counted by code, `quoted` printed; all of the `evidence` is in the citations."""
    found = Selection(tuple(evidence), COUNTED, len(evidence))
    why = (say("tasks.counted", request.language),)
    claim = Claim(head, ClaimState.SUPPORTED, tuple(e.number for e in quoted), why)
    claims = (claim, *(quote_claim(e, request.language) for e in quoted))
    basis = request.basis(found, nearest)
    return basis.answer(AnswerKind.QUOTED, text, claims, parts=tuple(parts), reading=reading)


def none_match(request: TaskRequest, scope: TopicScope, terms: Sequence[TopicTerm]) -> Answer:
    """The refusal of a question that no passage matches. Its certificate's score is the largest share of the
    words asked for that one of the nearest passages holds, where all of them are needed."""
    hits = request.search(request.query)
    found = request.select(request.query, hits)
    topic = request.understand(scope.topic) if scope.topic else request.query
    reasons = lacks(topic, hits, request.store, filters=request.filters)
    verdict = replace(unmatched(found.verdict, _share(hits, terms)), reasons=reasons)
    refusal = refuse(request.basis(replace(found, verdict=verdict), hits), missing(verdict, request.language))
    words = [say("tasks.quoted", request.language, word=need.typed) for need in terms]
    zero = say("tasks.zero", request.language, words=words, refusal=refusal.text)
    return replace(refusal, text=zero, reading=request.reading(0, 0, 0))


def _share(hits: Sequence[Hit], terms: Sequence[TopicTerm]) -> float:
    if not terms:
        return 0.0
    texts = [Text("\n".join([*h.chunk.heading_path, h.chunk.text])) for h in hits]
    best = max((sum(map(text.holds, terms)) / len(terms) for text in texts), default=0.0)
    return min(best, 1 - 1 / (len(terms) + 1))  # all of them in one passage, but not in one sentence


def plain_question(intent: Intent, query: Query, index: Index) -> Query:
    """The question as others are asked, to be searched and judged where it is answered like them: "list all"
    and "summarise" stand in no document."""
    if not intent.sure or (intent.unit is not CountUnit.THING and intent.ask is not Ask.SUMMARISE):
        return query
    topic = intent.topic
    summary = intent.ask is Ask.SUMMARISE
    plain = index.understand(topic if summary else say("tasks.what_are", detect_language(topic), topic=topic))
    return replace(plain, asked=query.asked)


def partly_read(answer: Answer, intent: Intent) -> Answer:
    """An ordinary answer to such a question, saying that it rests on the best passages alone; unchanged where
    the wording may have asked for no more."""
    if not intent.sure:
        return answer
    documents = len({hit.document.id for hit in answer.nearest})
    reading = Reading(intent.ask.value, answer.certificate.passages, len(answer.nearest), documents)
    if reading.complete:
        return replace(answer, reading=reading)
    note = say("tasks.not_all_read", answer.language, read=reading.read, refused=answer.refused)
    return replace(answer, text=f"{answer.text}\n\n{note}", reading=reading)
