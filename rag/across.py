"""Which answer a question about many passages gets."""

from __future__ import annotations

from rag.comparing import compare
from rag.counting import count_or_list
from rag.intents import Ask
from rag.many import Asked
from rag.summing import summarise
from rag.types import Answer


def answer_across(asked: Asked) -> Answer | None:
    """The answer from every passage that matters, timings left empty; None where the question has to be
    answered like any other (`rag.many.partly_read`)."""
    if asked.intent.ask is Ask.COMPARE:
        return compare(asked)
    if asked.intent.ask is Ask.SUMMARISE:
        return summarise(asked)
    return count_or_list(asked)
