"""Several questions in one: "What was the deposit, and who repairs the roof?" And what asks nothing of the
documents, but is said to the program itself (tables "talk" of the languages).

Each part is searched for by itself, so that each gets its evidence; what one part names is carried to the
others by the constraints, which are read from the whole.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from itertools import pairwise

from rag.languages import patterns
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
_WH = r"(?:what|who|whom|whose|when|where|which|why|how)"
_HAVING = r"(?:has|have|had)"
_VERB = r"(?:is|are|was|were|does|do|did|can|could|will|would|should|may|must)"
_SUBJECT = (
    r"(?:(?:it|they|he|she|we|you|I|there|this|that|these|those|my|your|our|their|his|her|its)\b|(?-i:[A-Z]))"
)
# A verb opens a question where a subject follows: "and is it returned", not "and is approved for children",
# nor "and has the right to".
_OPENS = (
    rf"(?:{_WH}\b|{_HAVING}\s+{_SUBJECT}|{_VERB}\s+(?:{_SUBJECT}|(?:the|an?|any|all|each|every|some|no)\b))"
)
_CUT = re.compile(
    r"[?？]+[\s/／;；,，]*"
    rf"|(?:,|;)?\s+(?:and|or|but|as well as|plus)\s+(?=(?:also\s+)?{_OPENS})"
    r"|[;；。]\s*|[,，]?(?:以及|并且|同时|另外|还有)(?=[^,，]{0,12}(?:什么|多[少久长大高]|何|哪|谁|怎么|如何|是否|几))",
    re.IGNORECASE,
)
# "... state when" and "how employees are paid" are one question.
_UNFINISHED = re.compile(rf"\b{_WH}$", re.IGNORECASE)
# One word says enough about what is asked unless the rest points elsewhere.
_POINTS = re.compile(
    r"\b(?:it|its|they|them|their|he|him|his|she|her|this|that|these|those|so|not)\b|它|他|她|其|这|那|该|此",
    re.IGNORECASE,
)
_IS_QUESTION = re.compile(
    rf"\b(?:{_WH}|{_HAVING}|{_VERB})\b|什么|多[少久长大高]|何时|何处|如何|哪|谁|怎|是否|能否|可否|吗|几|么|呢",
    re.IGNORECASE,
)


def split(question: str) -> tuple[str, ...]:
    """The parts of a question, at most three; () where it is one question. A part says by itself what it is
    about: "when must it be returned" does not, and is left to the whole question.

    Statements around questions ("Base your answer on the schedule.") are no parts."""
    pieces = [piece.strip(" ,;/，；／") for piece in _CUT.split(question)]
    questions = dict.fromkeys(p for p in pieces if p and _IS_QUESTION.search(p) and _is_complete(p))
    return tuple(questions)[:MAX_PARTS] if len(questions) > 1 else ()


# What is asked for itself: a question by its form, with nothing said before it but "and" or a place.
_ASKS = re.compile(
    rf"^(?:(?:and|or|also|but|then|so|finally|secondly|first(?:ly)?)\b,?\s*)*"
    rf"(?:(?:in|at|on|by|to|for|from|of|with|under|until|since)\s+)?(?:{_OPENS})",
    re.IGNORECASE,
)
_DEFINES = re.compile(
    r"^(?:if|when(?:ever)?|where)\b.*\bthen\b|\b(?:is|are) defined as\b|^round\b", re.IGNORECASE
)
_RESTATES = re.compile(r"[?？]\s*(?:[/／(（]|即|也就是)")
_GROUNDS = re.compile(
    r"^(?:法律)?(?:依据|根据|按照)|^(?:有何|什么|哪些?)?(?:法律)?依据|法条|^(?:为什么|为何|原因|理由)|怎么办$"
)
_NO_SUBJECT = re.compile(
    r"^(?:又|还|也)?(?:怎么|怎样|如何|是否|能否|可否|会|可以|应当?|需要?|有(?:什么|哪些|无|没有)|由谁|何时|什么时候|多[久长少])"
)
_ASKING = re.compile(
    rf"\b(?:{_WH}|{_VERB}|{_HAVING})\b|什么|多[少久长大高]|何时|如何|哪些?|谁|怎么样?|是否|能否|可否|吗", re.I
)
# Two pieces that share this much of the shorter one's content ask the same in other words.
_SAME = 0.7


def separate(question: str) -> tuple[str, ...]:
    """The parts that are each answered or refused by themselves; () where it is one question.

    Stricter than `split`, which only widens a search: each part is a question by its form (no "Round your
    answer ..." nor "X is defined as ..."), asks for more than the grounds of another (依据哪一条), and is no
    rewording of one."""
    pieces = split(question)
    if len(pieces) < 2 or _RESTATES.search(question):
        return ()
    questions = [p for p in pieces if not _DEFINES.search(p) and (_ASKS.search(p) or _asks_zh(p))]
    if len(questions) < len(pieces) or any(_GROUNDS.search(p) for p in pieces[1:]):
        return ()
    tokens = [frozenset(content_tokens(p)) for p in pieces]
    for n, one in enumerate(tokens):
        for other in tokens[:n]:
            if len(one & other) >= _SAME * min(len(one), len(other)):
                return ()
    return pieces


def _asks_zh(piece: str) -> bool:
    return has_han(piece) and not piece.startswith(("请", "如果", "若"))


def completed(parts: Sequence[str]) -> tuple[str, ...]:
    """The parts as they are searched for and judged: one that points back ("is it returned with interest") or
    says no subject (怎么设立) is followed by the words of the part before."""
    found = list(parts[:1])
    for before, part in pairwise(parts):
        missing = [w for w in words(_ASKING.sub(" ", before)) if w not in part]
        leans = _POINTS.search(part) or _NO_SUBJECT.search(part)
        found.append(f"{part} ({', '.join(missing)})" if leans and missing else part)
    return tuple(found)


def _is_complete(piece: str) -> bool:
    if _UNFINISHED.search(piece) or (has_han(piece) and len(piece) < 4):
        return False
    content = content_tokens(piece)
    if set(search_tokens(piece)) <= set(content):  # nothing is left but words that ask: they were given back
        return False
    return len(content) > 1 or not _POINTS.search(piece)
