"""What a reader gets for a question: right, half, wrong, refused or kept, and in how many words; and whether
the evidence was shown and cited. Pure, beside the generations that `KeptLLM` keeps.

The line is what a reader acts on, so it has to hold an accepted answer, and the document and page have to
stand among its quotes; a question without accepted answers is held against its evidence's words. F1 and exact
match are those of SQuAD (Rajpurkar et al., 2016), of the shortest thing that the answer states: the figure of
a computed one, else its line; for Chinese over characters."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rag.files import write_atomically
from rag.languages.text import letters, normalise
from rag.measure import metrics
from rag.measure.evalset import EvalQuestion
from rag.measure.metrics import EvidenceEntry, Passage, Scores, hits_any, states_answer
from rag.models.generation import LLM, Pieces, Prompt, Stop, Texts
from rag.types import Answer, Citation, Outcome

RIGHT, HALF, WRONG, REFUSED, KEPT = "right", "half", "wrong", "refused", "kept"
F1, EXACT, SOURCE = "F1", "exact match", "right source"
SHARES = (RIGHT, HALF, WRONG, REFUSED, KEPT, EXACT, SOURCE)
COLUMNS = (RIGHT, HALF, WRONG, REFUSED, KEPT, F1, EXACT, SOURCE)
SHOWN = "evidence shown"
REFUSALS = {True: "refused, answerable", False: "refused, unanswerable"}
_SHOWN_AT = {n: f"{SHOWN}@{n}" for n in (1, 2, 3)}
# The answer states the accepted figure or conclusion and one of its first citations is of the evidence.
_FIGURE = "figure with its page"
_FIRST_CITATIONS = 3
_MARK = re.compile(r"\s*\[\d+\]")
_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_TOKEN = re.compile(r"[\u3400-\u9fff]|[^\s\u3400-\u9fff]+")


@dataclass(frozen=True, slots=True)
class QuestionResult:
    """One question: whether retrieval was measured, 1-based ranks (None: not in the list), what the answer
    was, its scores by measure, and what went wrong.

    Fields about answers are None where no answer was asked for, or where they do not apply (`evidence_shown`
    without evidence entries). `score` is the probability that the evidence suffices and `threshold` what it
    was held against. `outcome` is one of the five, "" where the set cannot say; `verdict` that of the answer,
    "" where none was asked for; `citations` what its line rests on, as "lease.pdf, 3"."""

    id: str
    question: str
    answerable: bool
    tags: tuple[str, ...] = ()
    searched: bool = False
    rank: int | None = None
    document_rank: int | None = None
    verdict: str = ""
    score: float | None = None
    evidence_shown: bool | None = None
    answer: str = ""
    error: str = ""
    threshold: float | None = None
    scores: Mapping[str, float] = field(default_factory=dict)
    outcome: str = ""
    line: str = ""
    citations: tuple[str, ...] = ()


def unanswered(question: EvalQuestion) -> QuestionResult:
    return QuestionResult(question.id, question.question, question.answerable, question.tags)


def judge(question: EvalQuestion, answer: Answer, found: QuestionResult | None = None) -> QuestionResult:
    """The answer judged, beside what retrieval found. `right`, `half` and `refused` are scored over the
    answerable questions, `kept` over the others, `wrong` over all: an unanswerable question that was answered
    is wrong, too."""
    refused = answer.verdict is not Outcome.ANSWERED
    scores: Scores = {REFUSALS[question.answerable]: float(refused)}
    displayed = _score_sources(question, answer, scores) if question.located else None
    right = displayed if displayed is not None else _holds_answer(question, answer)
    if not refused and not (question.answerable and right is None):
        scores["wrong when answered"] = float(not (question.answerable and right))
    name = _name(question, answer)
    if name:
        own = (RIGHT, HALF, WRONG, REFUSED) if question.answerable else (WRONG, KEPT)
        scores |= {one: float(one == name) for one in own}
    if question.answerable and question.answers:
        printed = [c.result.printed for c in answer.working if c.result.printed]
        said = "" if name == REFUSED else min([answer.line, *printed[:1]], key=len)
        scores[F1] = max(f1(said, one) for one in question.answers)
        scores[EXACT] = max(float(_words(said) == _words(one)) for one in question.answers)
    if question.located:
        scores[SOURCE] = float(name != REFUSED and _placed(question, answer.quotes))
    cited = [c.document if c.page is None else f"{c.document}, {c.page}" for c in answer.quotes]
    return dataclasses.replace(
        found or unanswered(question),
        verdict=answer.verdict.value,
        score=answer.confidence,
        evidence_shown=displayed,
        answer=answer.text,
        threshold=answer.certificate.least,
        scores={**(found.scores if found else {}), **scores},
        outcome=name,
        line=answer.line,
        citations=tuple(dict.fromkeys(cited)),
    )


def _score_sources(question: EvalQuestion, answer: Answer, scores: Scores) -> bool:
    """Scores what of the evidence is shown and cited; whether any is shown."""
    hits = [metrics.is_shown(e, question.evidence) for e in answer.evidence]
    answered = answer.verdict is Outcome.ANSWERED
    scores[SHOWN] = float(any(hits))
    scores |= {name: float(any(hits[:n])) for n, name in _SHOWN_AT.items()}
    if question.answers:
        marks = "|".join(str(c.number) for c in answer.citations) or "(?!)"  # [2] is no number of the answer
        text = re.sub(rf"\[(?:{marks})\]", "", answer.text)
        stated = answered and states_answer(text, question.answers)
        first = answer.citations[:_FIRST_CITATIONS]
        scores[_FIGURE] = float(stated and any(_is_cited(c, question) for c in first))
    return any(hits)


def _holds_answer(question: EvalQuestion, answer: Answer) -> bool | None:
    """Whether an accepted answer stands in the evidence. A bare "yes" stands in any text; only answers that
    say something can be looked for."""
    answers = [a for a in question.answers if letters(a) not in metrics.VERDICTS]
    if not (question.answerable and answers):
        return None
    return metrics.contains_answer(" … ".join(f"{e.header} {e.text}" for e in answer.evidence), answers)


def nothing_scores(question: EvalQuestion, what: str, depth: int) -> Scores:
    """What a question scores that failed: nothing was found, and no answer came."""
    scores: Scores = {}
    if question.located and what != "answers":
        scores = metrics.rank_scores([], question.evidence, depth)
    if what == "retrieval":
        return scores
    names: tuple[str, ...] = (RIGHT, HALF, WRONG, REFUSED) if question.answerable else (WRONG, KEPT)
    names += (F1, EXACT) if question.answerable and question.answers else ()
    if question.located:
        names += (SHOWN, *_SHOWN_AT.values(), SOURCE, *([_FIGURE] if question.answers else []))
    return scores | dict.fromkeys(names, 0.0)


def _is_cited(c: Citation, question: EvalQuestion) -> bool:
    return hits_any(Passage(c.document, c.quote, c.page, c.page), question.evidence)


def _name(question: EvalQuestion, answer: Answer) -> str:
    quoted = bool(answer.claims) and answer.claims[0].quoted
    asks_back = answer.line.rstrip("”\"'").endswith(("?", "？")) and not quoted
    if answer.verdict is not Outcome.ANSWERED or asks_back:
        return REFUSED if question.answerable else KEPT
    if not question.answerable:
        return WRONG
    if not (question.answers or question.evidence):
        return ""
    misleads = any(metrics.contains_answer(answer.line, [one]) for one in question.wrong)
    leading, anywhere = _stated(question, answer, misleads)
    if leading and not misleads and (not question.evidence or _placed(question, answer.quotes)):
        return RIGHT
    return HALF if anywhere else WRONG


def _stated(question: EvalQuestion, answer: Answer, misleads: bool) -> tuple[bool, bool]:
    """Whether an accepted answer, or every item of one that has several, is stated where it should be; and
    whether one is anywhere, behind a line that misleads."""
    shown = f"{answer.line}\n{_MARK.sub('', answer.text)}"
    items = question.parts or tuple((one,) for one in question.conflict)
    if items:
        stated = [states_answer(shown, spellings, question.scale) for spellings in items]
        return all(stated), any(stated)
    if question.answers:
        leading = states_answer(answer.line, question.answers, question.scale)
        shown = shown.replace(answer.line, "") if misleads else shown
        return leading, states_answer(shown, question.answers, question.scale)
    first = {n for claim in answer.claims[:1] for n in claim.citations}
    hits = {c.number: _is_cited(c, question) for c in answer.quotes}
    return any(hits.get(n) for n in first), any(hits.values())


def _placed(question: EvalQuestion, cited: Sequence[Citation]) -> bool:
    """Whether document and page of the evidence are among the citations."""
    places = [EvidenceEntry(e.document, e.page) for e in question.evidence]
    return any(hits_any(Passage(c.document, "", c.page, c.page), places) for c in cited)


def f1(said: str, accepted: str) -> float:
    """Token F1, 0..1; of an accepted yes, no or maybe whether the verdict is it."""
    if _words(accepted) in (["yes"], ["no"], ["maybe"], ["是"], ["否"]):
        return float(metrics.verdict(said) == metrics.verdict(accepted))
    a, b = _words(said), _words(accepted)
    shared = sum((Counter(a) & Counter(b)).values())
    return 2 * shared / (len(a) + len(b)) if shared else 0.0


def _words(text: str) -> list[str]:
    kept = (c for c in normalise(text) if unicodedata.category(c)[0] not in "PS")
    return _TOKEN.findall(_ARTICLES.sub(" ", "".join(kept)))


class KeptLLM:
    """A language model whose texts are kept in a folder: what it wrote for the same prompt under the same
    settings is read there. A text that was stopped or failed is not kept."""

    def __init__(self, llm: LLM, folder: Path) -> None:
        self._llm, self._folder = llm, folder
        self.info, self.count_tokens, self.close = llm.info, llm.count_tokens, llm.close

    def __getattr__(self, name: str) -> Any:
        return getattr(self._llm, name)

    def generate(self, prompt: Prompt, *, max_tokens: int, stop: Stop = None) -> Pieces:
        """As `LLM.generate`. Raises GenerationError, StorageError."""
        path, kept = self._kept(prompt, max_tokens)
        if kept:
            yield from kept
            return
        pieces: list[str] = []
        for piece in self._llm.generate(prompt, max_tokens=max_tokens, stop=stop):
            if isinstance(piece, str):
                pieces.append(piece)
            yield piece
        if stop is None or not stop.is_set():
            write_atomically(path, json.dumps(pieces).encode())

    def odds(self, prompt: Prompt, *, yes: Texts, no: Texts, stop: Stop = None) -> float | None:
        """As `LLM.odds`. Raises GenerationError, StorageError."""
        path, kept = self._kept(prompt, list(yes), list(no))
        if kept is None and (kept := self._llm.odds(prompt, yes=yes, no=no, stop=stop)) is not None:
            write_atomically(path, json.dumps(kept).encode())
        return None if kept is None else float(kept)

    def _kept(self, prompt: Prompt, *settings: object) -> tuple[Path, Any]:
        """Where the reply to a prompt belongs, and what is there; None where that is nothing."""
        asked = [self.info.fingerprint, dataclasses.astuple(prompt), *settings]
        key = hashlib.sha256(json.dumps(asked).encode()).hexdigest()
        path = self._folder / key[:2] / f"{key}.json"
        try:
            return path, json.loads(path.read_text("utf-8"))
        except (OSError, ValueError):
            return path, None
