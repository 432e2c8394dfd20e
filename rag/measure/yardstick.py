"""Questions with evidence, and what a reader gets for each: right, half, wrong, refused or kept, and in how
many words; and whether the evidence was shown and cited.

A set is a folder with `documents/` and `questions.jsonl`, or such a file alone, one JSON object a line; a
file may hold labelled sentences instead.

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
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    ConfigDict,
    StrictBool,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    with_config,
)

from rag.errors import InputError
from rag.languages.text import letters, normalise
from rag.measure import metrics
from rag.measure.metrics import EvidenceEntry, Passage, Scores, hits_any, states_answer
from rag.types import Answer, Citation, Outcome, Pace, Progress, Turn

Half = Literal["dev", "test"]
HALVES: tuple[Half, ...] = ("dev", "test")
# The spellings of an item, or its only one.
Spellings = Annotated[
    tuple[str, ...], BeforeValidator(lambda item: item if isinstance(item, list) else [item])
]


@with_config(ConfigDict(coerce_numbers_to_str=True))
@dataclass(frozen=True, slots=True)
class EvalQuestion:
    """One line of `questions.jsonl`; all but `question` may be empty.

    `parts` are the items that a full answer has, each with its spellings; `conflict` the statements on which
    the documents disagree; `wrong` what must not be shown. `scale` ("thousand", "percent", "") is what the
    accepted figures are in, None where the set does not say. `scope` are the documents that the question
    names; `history` the turns before it, oldest first. One with a `derivation`, whose figure has to be worked
    out, has the tag "derived" beside its own, so that tables by tag tell how those are answered.

    A labelled sentence stands in `question`, what it is held against in `passages`, what it replies to in
    `asked`; it is `answerable` where people called it supported."""

    id: str
    question: Annotated[str, StringConstraints(pattern=r"\S")]
    answerable: StrictBool = True
    answers: tuple[str, ...] = ()
    evidence: tuple[EvidenceEntry, ...] = ()
    tags: tuple[str, ...] = ()
    parts: tuple[Spellings, ...] = ()
    conflict: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()
    scale: str | None = None
    scope: tuple[str, ...] = ()
    history: tuple[Turn, ...] = ()
    passages: tuple[str, ...] = ()
    asked: str = ""

    @property
    def located(self) -> bool:
        """Whether retrieval can be measured: there is something to be found, and known where."""
        return self.answerable and bool(self.evidence)


@dataclass(frozen=True, slots=True)
class Choice:
    """Which questions of a set are asked. Those with any of `tags` and of the `half`; of these at most a
    fixed `sample`, whose ids have the smallest SHA-256 (the same ones whatever else joins or leaves the set).
    `scoped`: each over the documents that it names alone."""

    tags: tuple[str, ...] = ()
    half: Half | None = None
    sample: int | None = None
    scoped: bool = False


EVERY = Choice()
_QUESTION = TypeAdapter(EvalQuestion)


def load_questions(path: Path) -> tuple[EvalQuestion, ...]:
    """The questions of a set's folder or of a file of questions, in order; blank lines do not count. Raises
    InputError naming the file and the line."""
    path = path / "questions.jsonl" if path.is_dir() else path
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read as UTF-8 text: {error}.") from error
    lines_of: dict[str, int] = {}
    questions: list[EvalQuestion] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        question = _parse(line, path, number)
        first = lines_of.setdefault(question.id, number)
        if first != number:
            raise InputError(
                f"{path}, line {number}: the id {question.id!r} is that of line {first}; ids must differ."
            )
        questions.append(question)
    if not questions:
        raise InputError(f"{path} holds no question.")
    return tuple(questions)


def _parse(line: str, path: Path, number: int) -> EvalQuestion:
    try:
        given = json.loads(line)
        if not isinstance(given, dict):
            raise ValueError("the line is not an object")
        row = {"id": f"line-{number}"} | {name: value for name, value in given.items() if value is not None}
        row = _sentence(row) if "sentence" in row else row
        if isinstance(tags := row.get("tags", []), list):
            derived = "derived" if row.get("derivation") else None
            row["tags"] = list(filter(None, [row.get("kind"), *tags, derived]))
        return _QUESTION.validate_python(row)
    except (ValueError, TypeError) as error:
        found = error.errors() if isinstance(error, ValidationError) else ()
        why = "; ".join(f"`{'.'.join(map(str, e['loc']))}`: {e['msg'].lower()}" for e in found) or error
        raise InputError(
            f"{path}, line {number}: not a question ({why}). Each line is a JSON object with `question`; "
            "`answers`, `evidence` and `tags` are lists, and `evidence` entries have a `document`."
        ) from error


def _sentence(row: dict[str, Any]) -> dict[str, Any]:
    """The question that a labelled sentence is; blank lines part the passages of its `evidence`."""
    for name in ("sentence", "evidence", "label"):
        if not str(row.get(name) or "").strip():
            raise ValueError(f"`{name}` of a sentence is missing")
    return {
        "id": row["id"],
        "question": row["sentence"],
        "answerable": row["label"] == "supported",
        "tags": [row["label"]],
        "passages": list(filter(str.strip, re.split(r"\n\s*\n", row["evidence"]))),
        "asked": row.get("question", ""),
    }


def half_of(question: EvalQuestion) -> Half:
    """The half that a question belongs to, whatever else is in its set: what is fitted on "dev" can be
    measured on "test".

    By the path of its first evidence document, so that two questions about one document alone are never on
    both sides; without evidence by its id. The parity of the first byte of the SHA-256: even is "dev"."""
    key = question.evidence[0].document if question.evidence else question.id
    return HALVES[_digest(key)[0] % 2]


def _digest(key: str) -> bytes:
    return hashlib.sha256(unicodedata.normalize("NFC", key).encode()).digest()


def choose(questions: Sequence[EvalQuestion], choice: Choice = EVERY) -> tuple[EvalQuestion, ...]:
    """The questions of a choice, in their order. Raises InputError, naming what there is, where nothing is
    left."""
    known = sorted({tag for q in questions for tag in q.tags})
    for tag in choice.tags:
        if tag not in known:
            there = f"There are: {', '.join(known)}." if known else "These questions have no tags."
            raise InputError(f"No question is tagged {tag!r}. {there}")
    tagged = [q for q in questions if not choice.tags or set(choice.tags) & set(q.tags)]
    kept = [q for q in tagged if choice.half in (None, half_of(q))]
    if not kept:
        left = f"Of {len(questions)} questions none is left in the half {choice.half!r}"
        raise InputError(f"{left}; leave the half out.")
    if choice.sample is not None:
        first = set(sorted(kept, key=lambda q: (_digest(q.id), q.id))[: choice.sample])
        kept = [q for q in kept if q in first]
    return tuple(kept)


def with_progress(
    questions: Sequence[EvalQuestion], progress: Callable[[Progress], None] | None, stage: str = "questions"
) -> Iterator[EvalQuestion]:
    """The questions one by one; the callback is given each when it is done."""
    pace = Pace(progress)
    pace(stage, 0, len(questions), next((q.question for q in questions), ""))
    for done, question in enumerate(questions, 1):
        yield question
        pace(stage, done, len(questions), question.question)


# How an answer is judged

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
