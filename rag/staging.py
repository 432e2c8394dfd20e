"""Retrieval with stages switched off, for an index and for an assistant that searches it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from rag.errors import InputError
from rag.types import Filters, Hit, Stages

if TYPE_CHECKING:
    from rag.answer import Assistant
    from rag.index import Index

ALL_STAGES = Stages()
STAGE_NAMES = tuple(f.name for f in dataclasses.fields(Stages))


def stages_without(names: Iterable[str]) -> Stages:
    """All stages but those named. Raises InputError that lists the names for one that there is not."""
    off = tuple(names)
    for name in off:
        if name not in STAGE_NAMES:
            raise InputError(
                f"There is no stage of retrieval called {name!r}. Stages: {', '.join(STAGE_NAMES)}."
            )
    return dataclasses.replace(ALL_STAGES, **dict.fromkeys(off, False))


def search(index: Index, question: str, k: int, stages: Stages = ALL_STAGES) -> list[Hit]:
    """The index's search as users have it unless stages are switched off."""
    return index.search(question, k) if stages == ALL_STAGES else index.search(question, k, stages=stages)


class _Staged:
    """An index that searches without some stages, in all else the one it stands for."""

    def __init__(self, index: Index, stages: Stages) -> None:
        self._index = index
        self._stages = stages

    def search(self, question: str, k: int = 8, *, filters: Filters | None = None) -> list[Hit]:
        return self._index.search(question, k, filters=filters, stages=self._stages)

    def search_each(
        self, question: str, asked: Sequence[str], k: int = 8, *, filters: Filters | None = None
    ) -> list[list[Hit]]:
        return self._index.search_each(question, asked, k, filters=filters, stages=self._stages)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._index, name)


@contextmanager
def staged(assistant: Assistant | None, stages: Stages) -> Iterator[None]:
    """While it lasts the assistant searches with these stages alone; nothing changes for all of them."""
    if assistant is None or stages == ALL_STAGES:
        yield
        return
    whole = assistant.index
    assistant.index = cast("Index", _Staged(whole, stages))
    try:
        yield
    finally:
        assistant.index = whole
