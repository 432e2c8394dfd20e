"""Citewise: cited, verified answers from your own documents, offline.

    from rag import Assistant, load_config, build_assistant

    with build_assistant(load_config(index="indexes/contracts")) as assistant:
        answer = assistant.ask("How long is the notice period?")
        print(answer.line, answer.verdict)
        for citation in answer.quotes:
            print(citation.number, citation.document, citation.page, citation.quote)

These are the public names; each is loaded when it is first used, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rag.assistant import Assistant, build_assistant
    from rag.config import load_config
    from rag.domains import load_domains
    from rag.errors import CitewiseError
    from rag.index import Index, open_index
    from rag.models.embedder import load_embedder
    from rag.models.llm import ServerAccess, load_llm
    from rag.search.explain import Explanation
    from rag.types import (
        Answer,
        Calculation,
        Chunk,
        Citation,
        Claim,
        ClaimState,
        Document,
        Evidence,
        Figure,
        Filters,
        Gap,
        Hit,
        Leg,
        Note,
        Outcome,
        Part,
        Reading,
        Reason,
        Stages,
        Turn,
    )

__all__ = [
    "Answer",
    "Assistant",
    "Calculation",
    "Chunk",
    "Citation",
    "CitewiseError",
    "Claim",
    "ClaimState",
    "Document",
    "Evidence",
    "Explanation",
    "Figure",
    "Filters",
    "Gap",
    "Hit",
    "Index",
    "Leg",
    "Note",
    "Outcome",
    "Part",
    "Reading",
    "Reason",
    "ServerAccess",
    "Stages",
    "Turn",
    "build_assistant",
    "load_config",
    "load_domains",
    "load_embedder",
    "load_llm",
    "open_index",
]

_ELSEWHERE = {
    "Assistant": "rag.assistant",
    "CitewiseError": "rag.errors",
    "Explanation": "rag.search.explain",
    "Index": "rag.index",
    "ServerAccess": "rag.models.llm",
    "build_assistant": "rag.assistant",
    "load_config": "rag.config",
    "load_domains": "rag.domains",
    "load_embedder": "rag.models.embedder",
    "load_llm": "rag.models.llm",
    "open_index": "rag.index",
}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_ELSEWHERE.get(name, "rag.types")), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
