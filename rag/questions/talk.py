"""What is said to the program itself and asks nothing of the documents: greetings, thanks, what it can do and
which documents it has (tables "talk" of the languages)."""

from __future__ import annotations

import re
from functools import cache

from rag.languages import patterns

_LONGEST = 120
_ENDS = " \t\r\n.,!?;:~…。，！？；：～"


def talk_of(text: str) -> str:
    """ "greeting", "thanks", "help" or "documents"; "" for anything that asks, or says, more than that."""
    plain = " ".join(text.split()).strip(_ENDS)
    if not 0 < len(plain) <= _LONGEST:
        return ""
    return next((kind for kind, pattern in _talk().items() if pattern.fullmatch(plain)), "")


@cache
def _talk() -> dict[str, re.Pattern[str]]:
    return patterns("talk")
