"""Small stand-ins for the slow parts, with the same methods. Deterministic, no files, no network, no models.

Add to this file; do not change what others already rely on.
"""

from __future__ import annotations

import hashlib
import re
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.answers.compose import citation as fake_citation
from rag.answers.line import first_sentence
from rag.errors import GenerationError, InputError
from rag.languages.text import detect_language, search_tokens
from rag.models.llm import LLMInfo, Prompt
from rag.models.registry import EmbedderInfo
from rag.types import (
    Answer,
    Certificate,
    Chunk,
    Claim,
    ClaimState,
    DocumentInfo,
    Event,
    Evidence,
    EvidenceFound,
    FileStatus,
    Filters,
    Finished,
    Hit,
    Outcome,
    Queued,
    StageStarted,
    Turn,
)
from tests.rows import cells_of, heads_of

_WORD = re.compile(r"[\u3400-\u9fff]|[^\W\u3400-\u9fff]+|[^\w\s]")


class FakeEmbedder:
    """A signed, hashed bag of search tokens: texts that share words are close, and nothing else is known."""

    def __init__(
        self,
        *,
        dimension: int = 64,
        languages: tuple[str, ...] = ("*",),
        name: str = "fake",
        max_tokens: int = 256,
    ) -> None:
        fingerprint = hashlib.sha256(f"{name}:{dimension}".encode()).hexdigest()
        self.info = EmbedderInfo(
            name=name,
            fingerprint=fingerprint,
            dimension=dimension,
            max_tokens=max_tokens,
            languages=languages,
        )
        self.passages_embedded = 0
        self.queries_embedded = 0

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.passages_embedded += len(texts)
        rows = np.zeros((len(texts), self.info.dimension), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            row[:] = self._vector(text)
        return rows

    def embed_query(self, text: str) -> NDArray[np.float32]:
        self.queries_embedded += 1
        return self._vector(text)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return fake_count_tokens(texts)

    def _vector(self, text: str) -> NDArray[np.float32]:
        vector = np.zeros(self.info.dimension, dtype=np.float32)
        for token in search_tokens(text):
            code = zlib.crc32(token.encode())
            vector[code % self.info.dimension] += 1.0 if code & 0x10000 else -1.0
        length = float(np.linalg.norm(vector))
        if length == 0.0:  # no tokens, or tokens that cancel out: any fixed unit vector keeps the contract
            vector[0] = length = 1.0
        return vector / np.float32(length)


def fake_count_tokens(texts: Sequence[str]) -> list[int]:
    """Words, single Han characters and punctuation marks; at module level so that worker processes can
    pickle it."""
    return [len(_WORD.findall(text)) for text in texts]


class TwoLanguages(FakeEmbedder):
    """Knows some words in both languages; all texts of one language lie close together."""

    MEANINGS = (("deposit", "押金"), ("probation", "试用期"), ("invoice", "发票"))

    def __init__(self) -> None:
        super().__init__()
        pairs = (("en", 0.5, 1.0), ("zh", 0.5, 1.0), ("en-zh", 0.0, 0.5), ("zh-en", 0.0, 0.5))
        self.info = replace(self.info, cosines=pairs)

    def _vector(self, text: str) -> NDArray[np.float32]:
        vector = np.zeros(self.info.dimension, dtype=np.float32)
        vector[8 + (detect_language(text) == "zh")] = 1.0
        for axis, words in enumerate(self.MEANINGS):
            vector[axis] = any(word in text.lower() for word in words)
        return vector / np.linalg.norm(vector)


class FakeLLM:
    """Answers from a script, or repeats what stands behind the prompt's first evidence mark.

    `script`: one answer for every prompt, or a function from the prompt to its answer; None echoes. `delay`
    is seconds before each piece; `fail_after` raises GenerationError after that many pieces, `stop_after`
    sets `stop`. `likely` are the odds where the answer begins with neither side's texts; a function of the
    prompt gives them. `ahead` are the places in the queue that come before the first piece.
    """

    def __init__(
        self,
        script: str | Callable[[Prompt], str] | None = None,
        *,
        delay: float = 0.0,
        fail_after: int | None = None,
        stop_after: int | None = None,
        context_tokens: int = 2048,
        likely: float | Callable[[Prompt], float] = 4.0,
        ahead: Sequence[int] = (),
    ) -> None:
        self.script = script
        self.likely = likely
        self.ahead = ahead
        self.delay = delay
        self.fail_after = fail_after
        self.stop_after = stop_after
        self.info = LLMInfo(name="fake-llm", fingerprint="0" * 64, context_tokens=context_tokens, local=True)
        self.prompts: list[Prompt] = []
        self.stopped = False
        self.closed = False

    def count_tokens(self, text: str) -> int:
        return fake_count_tokens([text])[0]

    def generate(
        self, prompt: Prompt, *, max_tokens: int, stop: threading.Event | None = None
    ) -> Iterator[str | Queued]:
        self.prompts.append(prompt)
        yield from map(Queued, self.ahead)
        pieces = re.findall(r"\S+\s*|\s+", self._text(prompt))
        for number, piece in enumerate(pieces[:max_tokens]):
            if stop is not None and number == self.stop_after:
                stop.set()
            if stop is not None and stop.is_set():
                self.stopped = True
                return
            if self.fail_after is not None and number >= self.fail_after:
                raise GenerationError("the fake language model was told to fail")
            if self.delay:
                time.sleep(self.delay)
            yield piece

    def odds(
        self, prompt: Prompt, *, yes: Sequence[str], no: Sequence[str], stop: threading.Event | None = None
    ) -> float | None:
        if stop is not None and stop.is_set():
            return None
        if self.fail_after == 0:
            raise GenerationError("the fake language model was told to fail")
        self.prompts.append(prompt)
        for odds, texts in ((4.0, yes), (-4.0, no)):
            if re.match(rf"(?:{'|'.join(map(re.escape, texts))})(?!\w)", self._text(prompt)):
                return odds
        return self.likely(prompt) if callable(self.likely) else self.likely

    def close(self) -> None:
        self.closed = True

    def _text(self, prompt: Prompt) -> str:
        if callable(self.script):
            return self.script(prompt)
        if self.script is not None:
            return self.script
        marked = re.search(r"\[1\]\s*(.+)", prompt.user) or re.search(r"(\S.*)", prompt.user)
        return marked.group(1) if marked else ""


def fake_document(path: str = "lease.md", **changes: Any) -> DocumentInfo:
    """A catalogue row; any field can be given by name."""
    fields: dict[str, Any] = {
        "id": 1,
        "path": path,
        "source": f"/documents/{path}",
        "title": path.rsplit(".", 1)[0],
        "kind": "markdown",
        "language": "en",
        "status": FileStatus.OK,
        "detail": "",
        "sha256": "0" * 64,
        "size": 1000,
        "pages": 0,
        "chunks": 1,
    }
    return DocumentInfo(**(fields | changes))


def fake_hit(
    text: str,
    *,
    document: DocumentInfo | None = None,
    chunk_id: int = 1,
    start: int = 0,
    page: int | None = None,
    score: float = 0.8,
) -> Hit:
    chunk = Chunk(
        ordinal=0,
        start=start,
        end=start + len(text),
        text=text,
        context="",
        kind="paragraph",
        page=page,
        last_page=page,
    )
    return Hit(chunk_id=chunk_id, document=document or fake_document(), chunk=chunk, score=score)


def fake_evidence(
    text: str,
    *,
    number: int = 1,
    document: DocumentInfo | None = None,
    start: int = 0,
    page: int | None = None,
    chunk_id: int = 1,
    score: float = 0.8,
    header: str = "",
) -> Evidence:
    return Evidence(
        number=number,
        document=document or fake_document(),
        chunk_id=chunk_id,
        start=start,
        end=start + len(text),
        text=text,
        score=score,
        page=page,
        heads=heads_of(header),
        cells=cells_of(text, start) if header else (),
    )


def fake_answer(
    question: str,
    text: str = "The notice period is 30 days.",
    *,
    refused: bool = False,
    evidence: Sequence[Evidence] | None = None,
    state: ClaimState = ClaimState.SUPPORTED,
    quoted: bool = False,
) -> Answer:
    """An answer of one claim that cites every piece of evidence (by default one, with the claim's own
    words), or a refusal."""
    shown = tuple(evidence) if evidence is not None else (() if refused else (fake_evidence(text),))
    certificate = Certificate(
        documents=1, passages=3, unreadable=(), confidence=0.2 if refused else 0.8, least=0.4, dense=True
    )
    if refused:
        return Answer(
            question=question,
            language="en",
            line="The documents do not answer this question.",
            verdict=Outcome.ABSENT,
            confidence=certificate.confidence,
            text="The documents do not answer this question.",
            quotes=(),
            citations=(),
            evidence=shown,
            nearest=(fake_hit("A passage about something else.", score=0.2),),
            certificate=certificate,
            timings={"search": 0.001, "total": 0.002},
            reason="no sentence bears on the question",
        )
    citations = tuple(fake_citation(e) for e in shown)
    marks = "".join(f"[{c.number}]" for c in citations)
    return Answer(
        question=question,
        language="en",
        line=" ".join(text.split()) if quoted else first_sentence(text),
        verdict=Outcome.ANSWERED,
        confidence=certificate.confidence,
        text=f"{text} {marks}".rstrip(),
        quotes=citations,
        claims=(Claim(text=text, state=state, citations=tuple(c.number for c in citations), quoted=quoted),),
        citations=citations,
        evidence=shown,
        nearest=(),
        certificate=certificate,
        timings={"search": 0.001, "reading": 0.003, "total": 0.005},
        draft=text,
        model="" if quoted else "fake-llm",
    )


def manner(answer: Answer) -> str:
    """How an answer was come by: "computed" by code from cells, "written" by the model, "quoted"; the verdict
    where it is none."""
    if answer.verdict is not Outcome.ANSWERED:
        return answer.verdict.value
    return "computed" if answer.working else "written" if answer.model else "quoted"


Script = Mapping[str, Answer | Exception] | Callable[[str], Answer]


@dataclass
class FakeAssistant:
    """Gives scripted answers: a mapping from the question (an exception is raised), or a function.
    Questions without a script get `fake_answer(question)`. `asked` lists every question in order; `delay`
    is seconds per answer, and per word of what the model wrote when streaming."""

    script: Script = field(default_factory=dict)
    delay: float = 0.0
    index: Any = None
    llm: Any = None
    asked: list[str] = field(default_factory=list)
    calls: list[dict[str, Any]] = field(default_factory=list)
    closed: bool = False

    def ask(
        self,
        question: str,
        *,
        filters: Filters | None = None,
        history: Sequence[Turn] = (),
        language: str | None = None,
        stop: threading.Event | None = None,
    ) -> Answer:
        if not question.strip():
            raise InputError("The question is empty: type a question.")
        self.asked.append(question)
        self.calls.append({"filters": filters, "history": tuple(history), "language": language})
        if self.delay:
            time.sleep(self.delay)
        if callable(self.script):
            return self.script(question)
        scripted = self.script.get(question)
        if isinstance(scripted, Exception):
            raise scripted
        return scripted or fake_answer(question)

    def stream(
        self,
        question: str,
        *,
        filters: Filters | None = None,
        history: Sequence[Turn] = (),
        language: str | None = None,
        stop: threading.Event | None = None,
    ) -> Iterator[Event]:
        """The events of the real one, in its order; after `stop` the answer still comes."""
        yield StageStarted("searching")
        answer = self.ask(question, filters=filters, history=history, language=language, stop=stop)
        yield StageStarted("evidence")
        yield EvidenceFound(answer.evidence, answer.nearest, answer.understood, answer.relaxed)
        if answer.draft:
            yield StageStarted("reading")
            for _ in answer.draft.split():
                if stop is not None and stop.is_set():
                    break
                if self.delay:
                    time.sleep(self.delay)
            yield StageStarted("verifying")
        yield Finished(answer)

    def close(self) -> None:
        self.closed = True
