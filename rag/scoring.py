"""What one question scores: the passages that were found for it, the answer that it got. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag import metrics, yardstick
from rag.evalset import Question
from rag.metrics import EvidenceEntry, Passage
from rag.stated import states_answer
from rag.types import Answer, Evidence, Hit

Scores = dict[str, float]

CUTOFFS = (1, 3, 5, 10, 20, 100)
RECALLS = (5, 10, 100)
QUOTES = (1, 2, 3)
SHOWN = "evidence shown"
ANSWERED = "answered with its evidence"
RISK = "wrong when answered"
FIGURE = "figure with its page"
_FIRST_CITATIONS = 3
_NOTHING_SAID = ("yes", "no", "maybe", "是", "否")


@dataclass(frozen=True, slots=True)
class Judged:
    """An answer judged: its scores by name; whether the evidence is among what is shown and whether an
    accepted answer stands there or in the answer's text (None: the question cannot say); whether giving this
    answer is an error, refused or not (None: not known)."""

    scores: Scores
    shown: bool | None
    inside: bool | None
    in_text: bool | None
    wrong: bool | None


def rank_scores(passages: Sequence[Passage], entries: Sequence[EvidenceEntry], depth: int) -> Scores:
    """Every retrieval measure of one question by name, for a list of `depth` passages or fewer.

    No passages: nothing was found, all zero. Measures deeper than `depth` are left out, not guessed."""
    rank = metrics.first_rank(passages, entries)
    document_rank = metrics.first_document_rank(passages, entries)
    cutoffs = [k for k in CUTOFFS if k <= depth]
    scores = {f"hit@{k}": float(rank is not None and rank <= k) for k in cutoffs}
    scores |= {f"document hit@{k}": float(document_rank is not None and document_rank <= k) for k in cutoffs}
    scores["MRR@10"] = metrics.reciprocal_rank(rank)
    scores["nDCG@10"] = metrics.ndcg(metrics.gains(passages, entries), len(entries))
    scores |= {f"recall@{k}": metrics.recall(passages, entries, k) for k in RECALLS if k <= depth}
    return scores


def nothing_scores(question: Question, what: str, depth: int) -> Scores:
    """What a question scores that failed: as if nothing had been found and shown."""
    scores = yardstick.nothing(question) if what != "retrieval" else {}
    if not is_searched(question):
        return scores
    scores |= rank_scores([], question.evidence, depth) if what != "answers" else {}
    if what != "retrieval":
        scores |= dict.fromkeys([SHOWN, ANSWERED, *(f"{SHOWN}@{n}" for n in QUOTES)], 0.0)
        scores |= {FIGURE: 0.0} if question.answers else {}
    return scores


def is_searched(question: Question) -> bool:
    """Whether retrieval can be measured on the question: there is something to be found, and known where."""
    return question.answerable and bool(question.evidence)


def judge(question: Question, answer: Answer) -> Judged:
    """The answer held against the question's evidence and accepted answers."""
    about = "answerable" if question.answerable else "unanswerable"
    scores: Scores = {f"refused, {about}": float(answer.refused)}
    shown = None
    if is_searched(question):
        hits = [_hits_any(_shown(e), question.evidence) for e in answer.evidence]
        shown = any(hits)
        scores |= {SHOWN: float(shown), ANSWERED: float(shown and not answer.refused)}
        scores |= {f"{SHOWN}@{n}": float(any(hits[:n])) for n in QUOTES}
        cited = [
            _hits_any(Passage(c.document, c.quote, c.page, c.page), question.evidence) for c in answer.cited
        ]
        if cited:
            scores["citation precision"] = sum(cited) / len(cited)
        if question.answers:
            scores[FIGURE] = _figure(question, answer)
    inside, in_text = _accepted(question, answer, scores)
    right = shown if shown is not None else inside
    wrong = True if not question.answerable else None if right is None else not right
    if wrong is not None and not answer.refused:
        scores[RISK] = float(wrong)
    return Judged(scores, shown, inside, in_text, wrong)


def _accepted(question: Question, answer: Answer, scores: Scores) -> tuple[bool | None, bool | None]:
    """Whether an accepted answer stands in the evidence and in the text; adds these and the numbers to
    `scores`. A bare "yes" stands in any text; only answers that say something can be looked for."""
    answers = [a for a in question.answers if metrics.letters(a) not in _NOTHING_SAID]
    if not (question.answerable and answers):
        return None, None
    inside = metrics.contains_answer(" … ".join(f"{e.header} {e.text}" for e in answer.evidence), answers)
    in_text = not answer.refused and metrics.contains_answer(answer.text, answers)
    scores |= {"answer in evidence": float(inside), "answer in text": float(in_text)}
    # A refusal says how many documents were searched; that number answers nothing.
    numbers = metrics.numbers_correct("" if answer.refused else _unmarked(answer), answers)
    if numbers is not None:
        scores["numbers correct"] = numbers
    return inside, in_text


def _figure(question: Question, answer: Answer) -> float:
    """1 where the answer states the accepted figure or conclusion and one of its first three citations is of
    the evidence."""
    stated = not answer.refused and states_answer(_unmarked(answer), question.answers)
    first = answer.citations[:_FIRST_CITATIONS]
    placed = any(_hits_any(Passage(c.document, c.quote, c.page, c.page), question.evidence) for c in first)
    return float(stated and placed)


def _unmarked(answer: Answer) -> str:
    """The text without its citation marks: [2] is no number of the answer."""
    marks = "|".join(str(c.number) for c in answer.citations)
    return re.sub(rf"\[(?:{marks})\]", "", answer.text) if marks else answer.text


def passage(hit: Hit) -> Passage:
    return Passage(hit.document.path, hit.chunk.text, hit.chunk.page, hit.chunk.last_page)


def _shown(evidence: Evidence) -> Passage:
    return Passage(evidence.document.path, evidence.text, evidence.page, evidence.page)


def _hits_any(passage: Passage, entries: Sequence[EvidenceEntry]) -> bool:
    return any(metrics.is_hit(passage, entry) for entry in entries)
