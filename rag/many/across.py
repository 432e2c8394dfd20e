"""Which answer a question about many passages gets."""

from __future__ import annotations

from rag.many.common import Asked
from rag.many.comparing import compare
from rag.many.counting import count_or_list
from rag.many.intent import Ask
from rag.many.summing import summarise
from rag.types import Answer


def answer_across(asked: Asked) -> Answer | None:
    """The answer from every passage that matters, timings left empty; None where the question has to be
    answered like any other (`rag.many.common.partly_read`)."""
    if asked.intent.ask is Ask.COMPARE:
        return compare(asked)
    if asked.intent.ask is Ask.SUMMARISE:
        return summarise(asked)
    return count_or_list(asked)
