"""The prompt that an adapter is trained on, and what its answer means.

The model sees numbered sentences and a question and writes the number of the sentence that answers it and, in
that sentence's words, the answer: `2 Paris`; or `0`, where none does. The number comes first, so that the
probabilities of the numbers are known when the prompt has been read, before anything is written. Nothing of
it is believed: code checks that the words stand in that sentence."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.generation import Prompt
from rag.text import normalise
from rag.types import Evidence

NONE = "0"
"""The number that stands for "Not found in the sources."."""
MOST = 6
"""Sentences that fit into one prompt; adapters are trained on one to this many."""
MAX_ANSWER_TOKENS = 48
_SYSTEM = "Find the sentence that answers the question and copy the answer. 0 if there is none."
_SENTENCE_CHARACTERS = 300
_TITLE_CHARACTERS = 40
_WORDS = re.compile(r"[^\W_]+")


def pointer_prompt(question: str, sources: Sequence[tuple[str, str]]) -> Prompt:
    """The trained prompt over (title, sentence) pairs, at most `MOST` of them. The question stands before the
    sentences too: a causal model reads each sentence with what is asked in mind only if it comes later."""
    asked = " ".join(question.split())
    lines = [f"[{n}] {_clipped(title, _TITLE_CHARACTERS)}: {_clipped(text, _SENTENCE_CHARACTERS)}"
             for n, (title, text) in enumerate(sources[:MOST], 1)]  # fmt: skip
    return Prompt(_SYSTEM, "\n".join([f"Question: {asked}", *lines, f"Question: {asked}"]))


def source_of(evidence: Evidence) -> tuple[str, str]:
    """Title and sentence as the prompt shows them; a table row with its column heads."""
    return evidence.document.title or evidence.document.path, line_of(evidence.text, evidence.header)


def line_of(text: str, header: str) -> str:
    """A sentence in one line; a row as "name: cell; name: cell" where its heads match."""
    row, heads = " ".join(text.split()), " ".join(header.split())
    if not heads:
        return row
    names, cells = [[c.strip() for c in part.split("|")] for part in (heads, row)]
    if len(names) != len(cells):
        return f"{heads}: {row}"
    return "; ".join(f"{n}: {c}" if n else c for n, c in zip(names, cells, strict=True) if c)


def target_text(number: int, answer: str) -> str:
    """What the model is to write."""
    return f"{number} {' '.join(answer.split())}".strip() if number else NONE


def stands_in(answer: str, text: str) -> bool:
    """Whether all letters and digits of an answer stand in a text, in their order and as whole words."""
    wanted, there = _tokens(answer), _tokens(text)
    return bool(wanted.strip()) and wanted in there


def _tokens(text: str) -> str:
    return f" {' '.join(_WORDS.findall(normalise(text)))} "


def _clipped(text: str, limit: int) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= limit else plain[: limit - 1].rsplit(" ", 1)[0] + "…"
