"""What a question asks for, read by code: the kind of answer it expects, the names and numbers to find again.

Pure functions over strings, English and Chinese. An expected kind is a hint for choosing sentences, never a
filter.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from rag.answertypes import AnswerType, expected
from rag.text import STOPWORDS_EN, normalise


@dataclass(frozen=True, slots=True)
class ParsedQuestion:
    """A question taken apart. `names` are capitalised words or quoted titles as typed, `numbers` are digits
    without separators."""

    text: str
    expects: AnswerType
    names: tuple[str, ...]
    numbers: tuple[str, ...]


_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_CAPITALISED = re.compile(r"[A-Z][\w&.'’-]*")
_ZH_TITLE = re.compile(r"[《「“\"]([^》」”\"]{1,40})[》」”\"]")


def analyse(question: str) -> ParsedQuestion:
    """Takes a question apart; never raises."""
    return ParsedQuestion(
        text=question,
        expects=expected(question),
        names=_names(question),
        numbers=tuple(dict.fromkeys(n.replace(",", "") for n in _NUMBER.findall(normalise(question)))),
    )


def _names(question: str) -> tuple[str, ...]:
    """Quoted titles, and capitalised words that are more than the capital of a sentence's first word."""
    found = list(_ZH_TITLE.findall(question))
    if not question.isupper():
        for match in _CAPITALISED.finditer(question):
            word = match.group().rstrip(".'’").removesuffix("'s").removesuffix("’s")
            before = question[: match.start()].rstrip()
            opens = not before or before.endswith((".", "?", "!", ":"))
            if len(word) > 1 and word.lower() not in STOPWORDS_EN and not (opens and word[1:].islower()):
                found.append(word)
    return tuple(dict.fromkeys(found))
