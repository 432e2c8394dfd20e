"""What a reader gets for a question: right, half, wrong, refused or kept, and in how many words. Pure, beside
the generations that `KeptLLM` keeps.

The first sentence shown is what a reader acts on, so it has to hold an accepted answer, and the document and
page have to stand among the citations; a question without accepted answers is held against its evidence's
words. F1 and exact match are those of SQuAD (Rajpurkar et al., 2016), of the shortest thing that the answer
states: the figure of a computed one, else its first sentence; for Chinese over characters."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
import threading
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.files import write_atomically
from rag.languages.text import normalise, sentences
from rag.measure.evalset import EvalQuestion
from rag.measure.metrics import Measure, Passage, contains_answer, hits_any, same_document
from rag.measure.scoring import states_answer, verdict
from rag.models.generation import LLM, LLMInfo, Prompt
from rag.types import Answer, Citation, Claim, Queued

RIGHT, HALF, WRONG, REFUSED, KEPT = "right", "half", "wrong", "refused", "kept"
F1, EXACT, SOURCE = "F1", "exact match", "right source"
SHARES = (RIGHT, HALF, WRONG, REFUSED, KEPT, EXACT, SOURCE)
COLUMNS = (RIGHT, HALF, WRONG, REFUSED, KEPT, F1, EXACT, SOURCE)
_MARK = re.compile(r"\s*\[\d+\]")
_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_TOKEN = re.compile(r"[\u3400-\u9fff]|[^\s\u3400-\u9fff]+")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a question. `name` is one of the five, "" where the set cannot say; `first` the first
    sentence shown and `state` the state that it is shown with ("supported", "quoted", ...); `citations` what
    the answer rests on, as "lease.pdf, 3"; `scores` the measures by name."""

    name: str
    first: str
    state: str
    citations: tuple[str, ...]
    scores: Mapping[str, float]


def outcome(question: EvalQuestion, answer: Answer) -> Outcome:
    """The answer judged. `right`, `half` and `refused` are scored over the answerable questions, `kept` over
    the others, `wrong` over all: an unanswerable question that was answered is wrong, too."""
    first = "" if answer.refused else first_sentence(answer)
    name = _name(question, answer, first)
    scores = {}
    if name:
        own = (RIGHT, HALF, WRONG, REFUSED) if question.answerable else (WRONG, KEPT)
        scores = {one: float(one == name) for one in own}
    if question.answerable and question.answers:
        said = "" if name == REFUSED else _shortest(answer, first)
        scores[F1] = max(f1(said, one) for one in question.answers)
        scores[EXACT] = max(float(_words(said) == _words(one)) for one in question.answers)
    if question.answerable and question.evidence:
        scores[SOURCE] = float(name != REFUSED and _placed(question, answer.cited))
    claim = answer.claims[0] if answer.claims else None
    state = "" if claim is None else "quoted" if claim.quoted else claim.state.value
    cited = [c.document if c.page is None else f"{c.document}, {c.page}" for c in answer.cited]
    return Outcome(name, first, state, tuple(dict.fromkeys(cited)), scores)


def nothing(question: EvalQuestion) -> dict[str, float]:
    """What a question scores that failed: no answer."""
    if not question.answerable:
        return {WRONG: 0.0, KEPT: 0.0}
    scores = dict.fromkeys((RIGHT, HALF, WRONG, REFUSED), 0.0)
    scores |= dict.fromkeys((F1, EXACT), 0.0) if question.answers else {}
    return scores | ({SOURCE: 0.0} if question.evidence else {})


def _name(question: EvalQuestion, answer: Answer, first: str) -> str:
    if answer.refused or _asks_back(answer, first):
        return REFUSED if question.answerable else KEPT
    if not question.answerable:
        return WRONG
    if not (question.answers or question.evidence):
        return ""
    misleads = any(contains_answer(first, [one]) for one in question.wrong)
    leading, anywhere = _stated(question, answer, first, misleads)
    if leading and not misleads and (not question.evidence or _placed(question, answer.cited)):
        return RIGHT
    return HALF if anywhere else WRONG


def _stated(question: EvalQuestion, answer: Answer, first: str, misleads: bool) -> tuple[bool, bool]:
    """Whether an accepted answer, or every item of one that has several, is stated where it should be; and
    whether one is anywhere, behind a first sentence that misleads."""
    shown = _MARK.sub("", answer.text)
    items = question.parts or tuple((one,) for one in question.conflict)
    if items:
        stated = [states_answer(shown, spellings, question.scale) for spellings in items]
        return all(stated), any(stated)
    if question.answers:
        leading = states_answer(first, question.answers, question.scale)
        shown = shown.replace(first, "", 1) if misleads else shown
        return leading, states_answer(shown, question.answers, question.scale)
    quotes = [_quotes_evidence(question, answer, claim) for claim in answer.claims]
    return any(quotes[:1]), any(quotes)


def first_sentence(answer: Answer) -> str:
    """The first sentence that a reader sees, without its marks; a quote whole, a row's with column heads."""
    if not answer.claims:
        text = _MARK.sub("", answer.text)
    elif answer.claims[0].quoted:
        claim = answer.claims[0]
        heads = (c.header for c in answer.citations if c.number in claim.citations and c.header)
        return claim.text + "".join(f" ({' '.join(head.split())})" for head in heads)
    else:
        text = answer.claims[0].text
    return next((text[span.start : span.end] for span in sentences(text)), "")


def _asks_back(answer: Answer, first: str) -> bool:
    return first.rstrip("”\"'").endswith(("?", "？")) and not (answer.claims and answer.claims[0].quoted)


def _quotes_evidence(question: EvalQuestion, answer: Answer, claim: Claim) -> bool:
    cited = [c for c in answer.citations if c.number in claim.citations]
    passages = [Passage(c.document, claim.text if claim.quoted else c.quote, c.page, c.page) for c in cited]
    return any(hits_any(p, question.evidence) for p in passages)


def _placed(question: EvalQuestion, cited: Sequence[Citation]) -> bool:
    """Whether document and page of the evidence are among the citations."""
    return any(
        same_document(c.document, e.document) and e.page in (None, c.page)
        for c in cited
        for e in question.evidence
    )


def _shortest(answer: Answer, first: str) -> str:
    printed = [c.result.printed for c in answer.calculations if c.result.printed]
    return min([first, *printed[:1]], key=len)


def f1(said: str, accepted: str) -> float:
    """Token F1, 0..1; of an accepted yes, no or maybe whether the verdict is it."""
    if _words(accepted) in (["yes"], ["no"], ["maybe"], ["是"], ["否"]):
        return float(verdict(said) == verdict(accepted))
    a, b = _words(said), _words(accepted)
    shared = sum((Counter(a) & Counter(b)).values())
    return 2 * shared / (len(a) + len(b)) if shared else 0.0


def _words(text: str) -> list[str]:
    kept = (c for c in normalise(text) if unicodedata.category(c)[0] not in "PS")
    return _TOKEN.findall(_ARTICLES.sub(" ", "".join(kept)))


def table(rows: Mapping[str, Mapping[str, Measure]], what: str) -> list[tuple[str, ...]]:
    """Head and a row for each set or kind that was judged: how many questions, then each measure with its
    95 % interval."""
    found: list[tuple[str, ...]] = [(what, "questions", *COLUMNS)]
    for name, measures in rows.items():
        if WRONG in measures:
            cells = [_cell(measures[c]) if c in measures else "" for c in COLUMNS]
            found.append((name, str(measures[WRONG].n), *cells))
    return found if len(found) > 1 else []


def _cell(measure: Measure) -> str:
    return f"{measure.value:.2f} ({measure.low:.2f}–{measure.high:.2f})"


class KeptLLM:
    """A language model whose texts are kept in a folder: what it wrote for the same prompt under the same
    settings is read there. A text that was stopped or failed is not kept."""

    def __init__(self, llm: LLM, folder: Path) -> None:
        self._llm = llm
        self._folder = folder

    @property
    def info(self) -> LLMInfo:
        return self._llm.info

    def __getattr__(self, name: str) -> Any:
        return getattr(self._llm, name)

    def count_tokens(self, text: str) -> int:
        return self._llm.count_tokens(text)

    def generate(
        self, prompt: Prompt, *, max_tokens: int, stop: threading.Event | None = None, draft: int = 0
    ) -> Iterator[str | Queued]:
        """As `LLM.generate`. Raises GenerationError, StorageError."""
        asked = [self._llm.info.fingerprint, dataclasses.astuple(prompt), max_tokens, draft]
        key = hashlib.sha256(json.dumps(asked).encode()).hexdigest()
        path = self._folder / key[:2] / f"{key}.json"
        try:
            kept: list[str] = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError):
            kept = []
        if kept:
            yield from kept
            return
        pieces: list[str] = []
        for piece in self._llm.generate(prompt, max_tokens=max_tokens, stop=stop, draft=draft):
            if isinstance(piece, str):
                pieces.append(piece)
            yield piece
        if stop is None or not stop.is_set():
            write_atomically(path, json.dumps(pieces).encode())

    def close(self) -> None:
        self._llm.close()
