"""Questions about many passages, answered by reading all that match: how many, which ones, all of them;
what a text says in short; two things side by side. What their answers have in common.

None where a question cannot be served so; it is then answered like any other, and the answer says that not
everything was read (`partly_read`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rag.answers.compose import Basis, certificate, missing, quote_claim, refuse
from rag.index import Index
from rag.languages import say
from rag.languages.text import detect_language
from rag.search.evidence import Selection, select
from rag.tasks.tally import not_all_read
from rag.tasks.topics import Text, TopicScope, TopicTerm
from rag.tasks.wordings import Ask, CountUnit, Intent
from rag.types import Answer, AnswerKind, Claim, ClaimState, Evidence, Filters, Hit, Part, Reading


@dataclass(frozen=True, slots=True)
class TaskRequest:
    """A question with what it is answered from. `searched` is it as completed from the conversation; `k`,
    `limit` and `threshold` are the assistant's."""

    question: str
    searched: str
    language: str
    intent: Intent
    index: Index
    filters: Filters | None = None
    k: int = 8
    limit: int = 6
    threshold: float | None = None

    def basis(self, found: Selection, hits: Sequence[Hit]) -> Basis:
        proof = certificate(self.index, found, self.filters, self.language)
        return Basis(self.question, self.language, found, hits, proof, searched=self.searched)


def counted_claim(text: str, language: str, citations: Sequence[int] = ()) -> Claim:
    """A sentence whose figures were counted by code."""
    return Claim(text, ClaimState.SUPPORTED, tuple(citations), (say("tasks.counted", language),))


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
    found = Selection(tuple(evidence), True, 1.0, 1.0, len(evidence), False)
    claims = [counted_claim(head, request.language, [e.number for e in quoted])] if head else []
    shown_claims = (*claims, *(quote_claim(e, request.language) for e in quoted))
    basis = request.basis(found, nearest)
    return basis.answer(AnswerKind.QUOTED, text, shown_claims, parts=tuple(parts), reading=reading)


def none_match(
    request: TaskRequest, scope: TopicScope, terms: Sequence[TopicTerm], reading: Reading
) -> Answer:
    """The refusal of a question that no passage matches. Its certificate's score is the largest share of the
    words asked for that one of the nearest passages holds, where all of them are needed."""
    hits = request.index.search(request.searched, request.k, filters=request.filters)
    found = select(request.searched, hits, request.index, limit=request.limit, threshold=request.threshold)
    found = replace(found, sufficient=False, score=_share(hits, terms), threshold=1.0)
    topic, store = scope.topic or request.searched, request.index.store
    why = missing(topic, hits, store, request.language, filters=request.filters)
    refusal = refuse(request.basis(found, hits), why)
    words = [say("tasks.quoted", request.language, word=need.typed) for need in terms]
    zero = say("tasks.zero", request.language, words=words, refusal=refusal.text)
    return replace(refusal, text=zero, reading=reading)


def _share(hits: Sequence[Hit], terms: Sequence[TopicTerm]) -> float:
    if not terms:
        return 0.0
    texts = [Text("\n".join([*h.chunk.heading_path, h.chunk.text])) for h in hits]
    best = max((sum(map(text.holds, terms)) / len(terms) for text in texts), default=0.0)
    return min(best, 1 - 1 / (len(terms) + 1))  # all of them in one passage, but not in one sentence


def plain_question(intent: Intent, question: str) -> str:
    """The question as others are asked, to be searched and judged where it is answered like them: "list all"
    and "summarise" stand in no document."""
    if not intent.sure or (intent.unit is not CountUnit.THING and intent.ask is not Ask.SUMMARISE):
        return question
    if intent.ask is Ask.SUMMARISE:
        return intent.topic
    return say("tasks.what_are", detect_language(intent.topic), topic=intent.topic)


def partly_read(answer: Answer, intent: Intent) -> Answer:
    """An ordinary answer to such a question, saying that it rests on the best passages alone; unchanged where
    the wording may have asked for no more."""
    if not intent.sure:
        return answer
    documents = len({hit.document.id for hit in answer.nearest})
    reading = Reading(intent.ask.value, answer.certificate.passages, len(answer.nearest), documents)
    if reading.complete:
        return replace(answer, reading=reading)
    note = not_all_read(reading, answer.language, refused=answer.refused)
    return replace(answer, text=f"{answer.text}\n\n{note}", reading=reading)
