"""Several questions in one: "What was the deposit, and when must it be returned?"

Each part is searched for by itself, so that each gets its evidence; what one part names is carried to the
others by the constraints, which are read from the whole."""

from __future__ import annotations

import re

from rag.text import content_tokens, has_han

MAX_PARTS = 3
_LEAST_WORDS = 2
_ASKING = (
    r"(?:what|who|whom|whose|when|where|which|why|how|is|are|was|were|does|do|did|has|have|had|can|could|will|"
    r"would|should|may|must)"
)
_CUT = re.compile(
    r"[?？]+[\s/／;；,，]*"
    rf"|(?:,|;)?\s+(?:and|or|but|as well as|plus)\s+(?=(?:also\s+)?{_ASKING}\b)"
    r"|[;；。]\s*|[,，]?(?:以及|并且|同时|另外|还有)(?=[^,，]{0,12}(?:什么|多少|何|哪|谁|怎么|如何|是否|几))",
    re.IGNORECASE,
)
_IS_QUESTION = re.compile(
    rf"\b{_ASKING}\b|什么|多少|何时|何处|如何|哪|谁|怎|是否|能否|可否|吗|几|么|呢", re.IGNORECASE
)


def split(question: str) -> tuple[str, ...]:
    """The parts of a question, at most three, each of two content words or more; () where it is one question.

    Statements around questions ("Base your answer on the balance sheet.") are no parts."""
    pieces = [piece.strip(" ,;/，；／") for piece in _CUT.split(question)]
    asked = [p for p in pieces if p and _IS_QUESTION.search(p) and _says_enough(p)]
    return tuple(dict.fromkeys(asked))[:MAX_PARTS] if len(asked) > 1 else ()


def _says_enough(piece: str) -> bool:
    return len(content_tokens(piece)) >= _LEAST_WORDS and (not has_han(piece) or len(piece) >= 4)
