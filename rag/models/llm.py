"""Language models: the protocol, and the one function that opens any of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.models.generation import LLM, LLMInfo, Prompt
from rag.models.registry import EMBEDDED, NO_SOURCES, Sources, find_llm
from rag.models.remote import audit_file
from rag.models.tuning import find_tuned

__all__ = ["LLM", "LLMInfo", "Prompt", "ServerAccess", "load_llm"]


@dataclass(frozen=True, slots=True)
class ServerAccess:
    """How a server may be asked: whether one on another machine at all, with which key, for which model."""

    allow_remote: bool = False
    api_key: str = ""
    model: str = ""


def load_llm(
    spec: str,
    *,
    cache_dir: Path,
    models: Sources = NO_SOURCES,
    threads: int = 0,
    context_tokens: int = 2048,
    server: ServerAccess = ServerAccess(),
    tuned: bool = True,
    parallel: int = 1,
) -> LLM | None:
    """The language model that `spec` means; None for "none": answers are then quotes only.

    An http(s) address is an OpenAI-compatible server; anything else is resolved by
    `rag.models.registry.find_llm` and run by llama.cpp with `threads` (0: all available cores), `parallel`
    answers at a time, and as `citewise models tune` found it fastest on this machine unless `tuned` is
    False: `info` names the file that runs. Raises Offline for a server on another machine without
    `server.allow_remote`, ModelMissing, ModelMismatch or ModelError."""
    if spec.lower() in ("", "none"):
        return None
    if spec.lower().startswith(("http://", "https://")):
        from rag.models.remote import OpenAIServer

        return OpenAIServer(
            spec,
            model=server.model,
            api_key=server.api_key,
            allow_remote=server.allow_remote,
            context_tokens=context_tokens,
            audit_to=audit_file(cache_dir),
        )
    path = find_llm(spec, cache_dir, models)
    from rag.models.llama import LlamaCpp

    # Asked in Chinese, the embedded model wrote a usable sentence for 2 of 6 pairs: seconds for nothing.
    languages = ("en",) if spec.lower() == EMBEDDED else ("*",)
    common: dict[str, Any] = {
        "cache_dir": cache_dir,
        "threads": threads,
        "context_tokens": context_tokens,
        "languages": languages,
        "parallel": parallel,
    }
    found = find_tuned(path, cache_dir) if tuned else None
    if found is None:
        return LlamaCpp(path, **common)
    return LlamaCpp(found.file, settings=found.settings, **common)
