"""Replies of a real model, written down once, so that tests of what is made of them need no model.

`CITEWISE_RECORD=NAME pytest tests/...` asks that model, one of the registry that was pulled, for what is
missing and keeps it; without, a prompt that is not there is a failure that says so."""

from __future__ import annotations

import atexit
import json
import os
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rag.config import default_cache_dir
from rag.models.llm import LLM, LLMInfo, Prompt, load_llm
from rag.types import Queued
from tests.fakes import fake_count_tokens

_FOLDER = Path(__file__).parent / "data" / "replies"


class RecordedLLM:
    """Says what stands in `tests/data/replies/NAME.json`: for each last turn of a user its reply, or its
    odds, as they are read from inside the default reader. Instructions and examples are no part of the key:
    record anew when they change (delete the file)."""

    def __init__(self, name: str) -> None:
        self._file = _FOLDER / f"{name}.json"
        self._replies: dict[str, Any] = (
            json.loads(self._file.read_text("utf-8")) if self._file.exists() else {}
        )
        self.info = LLMInfo("recorded", "0" * 64, 3072, local=True, probed=True)

    def count_tokens(self, text: str) -> int:
        return fake_count_tokens([text])[0]

    def generate(
        self, prompt: Prompt, *, max_tokens: int, stop: threading.Event | None = None
    ) -> Iterator[str | Queued]:
        key = prompt.user + prompt.ending
        if key not in self._replies:
            pieces = _real(key).generate(prompt, max_tokens=max_tokens)
            self._keep(key, "".join(piece for piece in pieces if isinstance(piece, str)))
        yield self._replies[key]

    def odds(
        self, prompt: Prompt, *, yes: Sequence[str], no: Sequence[str], stop: threading.Event | None = None
    ) -> float | None:
        key = f"{prompt.user}{prompt.ending}\n(odds)"
        if key not in self._replies:
            self._keep(key, _real(key).odds(prompt, yes=yes, no=no))
        return self._replies[key]  # type: ignore[no-any-return]

    def close(self) -> None:
        """There is nothing to free."""

    def _keep(self, key: str, reply: object) -> None:
        self._replies[key] = round(reply, 3) if isinstance(reply, float) else reply
        self._file.parent.mkdir(exist_ok=True)
        text = json.dumps(self._replies, ensure_ascii=False, indent=1, sort_keys=True)
        self._file.write_text(text + "\n", "utf-8")


_loaded: list[LLM] = []


def _real(key: str) -> LLM:
    if not (model := os.environ.get("CITEWISE_RECORD")):
        raise AssertionError(f"no reply is recorded for this prompt; see {__name__}:\n{key}")
    if not _loaded:
        llm = load_llm(model, cache_dir=default_cache_dir(), context_tokens=3072)
        assert llm is not None
        _loaded.append(llm)
        atexit.register(llm.close)
    return _loaded[0]
