"""The assistant: an index, a language model, and the way in for every question; `rag.flow` has the stages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from threading import Event as StopEvent

from rag.asking import Query, Setup
from rag.config import Config
from rag.conversation import complete, known_names
from rag.domains import load_domains
from rag.flow import answer_stages
from rag.index import Index, open_index
from rag.llm import LLM, ServerAccess, load_llm
from rag.retrieve import check_question
from rag.text import detect_language
from rag.types import Answer, Event, Filters, Finished, Turn
from rag.writing import CROWD


class Assistant:
    """Answers questions from one index. Safe to call from several threads: searches run side by side, drafts
    queue.

    `llm=None` answers in quotes only. `top_k` passages are read, at most `max_evidence` sentences shown, the
    draft has at most `max_tokens` tokens, and of `drafts` the best is kept (`rag.drafts`); `threshold` (0..1)
    replaces the calibrated sufficiency below which a question is refused."""

    def __init__(
        self,
        index: Index,
        llm: LLM | None = None,
        *,
        top_k: int = 8,
        max_evidence: int = 6,
        threshold: float | None = None,
        max_tokens: int = 160,
        drafts: int = 1,
    ) -> None:
        self._setup = Setup(index, llm, top_k, max_evidence, threshold, max_tokens, drafts)

    @property
    def index(self) -> Index:
        return self._setup.index

    @index.setter
    def index(self, index: Index) -> None:
        self._setup = replace(self._setup, index=index)

    @property
    def llm(self) -> LLM | None:
        return self._setup.llm

    @llm.setter
    def llm(self, llm: LLM | None) -> None:
        self._setup = replace(self._setup, llm=llm)

    @property
    def drafts(self) -> int:
        return self._setup.drafts

    def ask(
        self,
        question: str,
        *,
        filters: Filters | None = None,
        history: Sequence[Turn] = (),
        language: str | None = None,
        stop: StopEvent | None = None,
    ) -> Answer:
        """The verified answer to one question. Raises InputError for an empty question; a refusal is an
        Answer, not an error.

        `history` are earlier turns, oldest first: a follow-up ("and in 2023?") is completed from them. `stop`
        ends the draft early; what was written until then is verified all the same."""
        answer: Answer | None = None
        for event in self.stream(question, filters=filters, history=history, language=language, stop=stop):
            if isinstance(event, Finished):
                answer = event.answer
        assert answer is not None, "a stream always ends with Finished"
        return answer

    def stream(
        self,
        question: str,
        *,
        filters: Filters | None = None,
        history: Sequence[Turn] = (),
        language: str | None = None,
        stop: StopEvent | None = None,
    ) -> Iterator[Event]:
        """The same as events: stages, the evidence before any generation, tokens of the unverified draft, and
        last `Finished`."""
        question = check_question(question)
        known = known_names(self.index.store.catalogue()) if history else None
        searched = complete(question, history, known) if known is not None else question
        query = Query(question, searched, language or detect_language(question), filters, stop)
        yield from CROWD.evidence_first(answer_stages(self._setup, query))

    def close(self) -> None:
        """Frees the model and the index."""
        if self.llm is not None:
            self.llm.close()
        self.index.close()

    def __enter__(self) -> Assistant:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def build_assistant(config: Config, *, index: Path | None = None, with_llm: bool = True) -> Assistant:
    """The assistant that a configuration describes: what the command line and the page both call.

    Raises IndexMissing, IndexMismatch, ModelMissing, ModelMismatch, Offline.
    """
    opened = open_index(
        index or config.index,
        embedder=config.embedder,
        cache_dir=config.cache_dir,
        models=config.models,
        threads=config.threads,
        domains=load_domains(config.lexicons, config.concepts),
    )
    llm = None
    if with_llm:
        llm = load_llm(
            config.llm,
            cache_dir=config.cache_dir,
            models=config.models,
            threads=config.threads,
            server=ServerAccess(config.allow_remote, config.llm_api_key, config.llm_model),
            parallel=config.parallel,
            tuned=config.tuned_models,
        )
    return Assistant(
        opened,
        llm,
        top_k=config.top_k,
        max_evidence=config.max_evidence,
        threshold=config.threshold,
        max_tokens=config.max_tokens,
        drafts=config.drafts,
    )
