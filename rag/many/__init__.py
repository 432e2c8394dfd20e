"""Questions about many passages, answered by reading all that match: counts, lists, comparisons, summaries.

`read_intent` tells such a question by its wording, `answer_across` answers it from an `Asked`; what is
counted and chosen, code counts and chooses. Where it gives None the question is answered like any other
(`plain_question`), and `partly_read` says that not everything was read."""

from __future__ import annotations

from rag.many.across import answer_across
from rag.many.common import Asked, partly_read, plain_question
from rag.many.intents import read_intent

__all__ = ["Asked", "answer_across", "partly_read", "plain_question", "read_intent"]
