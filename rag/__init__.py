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
    from rag.assistant import Assistant as Assistant
    from rag.assistant import build_assistant as build_assistant
    from rag.config import load_config as load_config
    from rag.domains import load_domains as load_domains
    from rag.errors import CitewiseError as CitewiseError
    from rag.index import Index as Index
    from rag.index import open_index as open_index
    from rag.models.embedder import load_embedder as load_embedder
    from rag.models.llm import ServerAccess as ServerAccess
    from rag.models.llm import load_llm as load_llm
    from rag.search.explain import Explanation as Explanation
    from rag.types import *  # noqa: F403

_PUBLIC = {
    "rag.assistant": "Assistant build_assistant",
    "rag.config": "load_config",
    "rag.domains": "load_domains",
    "rag.errors": "CitewiseError",
    "rag.index": "Index open_index",
    "rag.models.embedder": "load_embedder",
    "rag.models.llm": "ServerAccess load_llm",
    "rag.search.explain": "Explanation",
    "rag.types": "Answer Calculation Chunk Citation Claim ClaimState Document Evidence Figure Filters Gap "
    "Hit Leg Note Outcome Part Reading Reason Stages Turn",
}
_MODULES = {name: module for module, names in _PUBLIC.items() for name in names.split()}
__all__ = sorted(_MODULES)


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_MODULES[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
