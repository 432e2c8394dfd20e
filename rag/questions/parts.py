"""Several questions in one: "What was the deposit, and who repairs the roof?" And what asks nothing of the
documents, but is said to the program itself (tables "talk" of the languages).

Each part is searched for and answered by itself; what one part names is carried to the others by the
constraints, which are read from the whole.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from itertools import pairwise

from rag.languages import Patterns, patterns
from rag.languages.text import content_tokens, has_han, search_tokens, words

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


MAX_PARTS = 3
_RE = Patterns(__file__)


# Two pieces that share this much of the shorter one's content ask the same in other words.
_SAME = 0.7


def separate(question: str) -> tuple[str, ...]:
    """The parts that are each answered or refused by themselves, at most three; () where it is one question.

    A part says by itself what it is about ("when must it be returned" does not), is a question by its form
    (no "Base your answer on ..." nor "X is defined as ..."), asks for more than the grounds of another
    (依据哪一条), and is no rewording of one."""
    cut = (piece.strip(" ,;/，；／") for piece in _RE["cut"].split(question))
    questions = dict.fromkeys(p for p in cut if p and _RE["is_question"].search(p) and _is_complete(p))
    pieces = tuple(questions)[:MAX_PARTS]
    if len(pieces) < 2 or _RE["restates"].search(question):
        return ()
    asked = ((has_han(p) and not p.startswith(("请", "如果", "若"))) or _RE["asks"].search(p) for p in pieces)
    if (
        not all(asked)
        or any(map(_RE["defines"].search, pieces))
        or any(_RE["grounds"].search(p) for p in pieces[1:])
    ):
        return ()
    tokens = [frozenset(content_tokens(p)) for p in pieces]
    for n, one in enumerate(tokens):
        for other in tokens[:n]:
            if len(one & other) >= _SAME * min(len(one), len(other)):
                return ()
    return pieces


def completed(parts: Sequence[str]) -> tuple[str, ...]:
    """The parts as they are searched for and judged: one that points back ("is it returned with interest") or
    says no subject (怎么设立) is followed by the words of the part before."""
    found = list(parts[:1])
    for before, part in pairwise(parts):
        missing = [w for w in words(_RE["asking"].sub(" ", before)) if w not in part]
        leans = _RE["points"].search(part) or _RE["no_subject"].search(part)
        found.append(f"{part} ({', '.join(missing)})" if leans and missing else part)
    return tuple(found)


def _is_complete(piece: str) -> bool:
    if _RE["unfinished"].search(piece) or (has_han(piece) and len(piece) < 4):
        return False
    content = content_tokens(piece)
    if set(search_tokens(piece)) <= set(content):  # nothing is left but words that ask: they were given back
        return False
    return len(content) > 1 or not _RE["points"].search(piece)
