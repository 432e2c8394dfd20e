"""Several questions in one: "What was the deposit, and who repairs the roof?"

Each part is searched for by itself, so that each gets its evidence; what one part names is carried to the
others by the constraints, which are read from the whole."""

from __future__ import annotations

import re

from rag.text import content_tokens, has_han, search_tokens

MAX_PARTS = 3
_WH = r"(?:what|who|whom|whose|when|where|which|why|how)"
_HAVING = r"(?:has|have|had)"
_VERB = r"(?:is|are|was|were|does|do|did|can|could|will|would|should|may|must)"
_SUBJECT = (
    r"(?:(?:it|they|he|she|we|you|I|there|this|that|these|those|my|your|our|their|his|her|its)\b"
    r"|(?-i:[A-Z]))"
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

    Statements around questions ("Base your answer on the balance sheet.") are no parts."""
    pieces = [piece.strip(" ,;/，；／") for piece in _CUT.split(question)]
    asked = dict.fromkeys(p for p in pieces if p and _IS_QUESTION.search(p) and _says_enough(p))
    return tuple(asked)[:MAX_PARTS] if len(asked) > 1 else ()


def _says_enough(piece: str) -> bool:
    if _UNFINISHED.search(piece) or (has_han(piece) and len(piece) < 4):
        return False
    content = content_tokens(piece)
    if set(search_tokens(piece)) <= set(content):  # nothing is left but words that ask: they were given back
        return False
    return len(content) > 1 or not _POINTS.search(piece)
