"""A follow-up question, completed from the conversation by code: what the index is searched with must stand
alone.

No model rewrites anything: the words that are carried forward are the user's own, and `Answer.searched` shows
them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.text import has_han, query_tokens
from rag.types import Turn

_REFERS_BACK = re.compile(
    r"^(?:and|or|but|also|what about|how about|then|so)\b"
    r"|\b(?:it|its|they|them|their|that|this|those|these|he|she|his|her|there|the same|the former|the latter|"
    r"the (?:company|contract|agreement|lease|drug|patient|party|borrower|policy))\b",
    re.IGNORECASE,
)
_REFERS_BACK_ZH = re.compile(
    r"^(?:那么?|还有|另外|以及)|它们?|他们?|她们?|其中|该|此|上述|这个|这些|那个|呢[？?]?$"
)
_SHORT_EN, _SHORT_ZH = 3, 4


def complete(question: str, history: Sequence[Turn]) -> str:
    """The question itself when it stands alone; else the last question that stood alone, a blank, and this
    one.

    A question refers back when it opens with "and", "what about", 那, holds a pronoun or "the company", or
    has fewer than four content words. Words of the earlier question that this one replaces (a year by another
    year) are left out."""
    if not history or not _refers_back(question):
        return question
    earlier = next(
        (t.question for t in reversed(history) if not _refers_back(t.question)), history[0].question
    )
    return f"{_without_replaced(earlier, question)} {question}".strip()


def _refers_back(question: str) -> bool:
    words = query_tokens(question)
    if has_han(question):
        return bool(_REFERS_BACK_ZH.search(question)) or len(question.strip("？?。 ")) <= _SHORT_ZH
    return bool(_REFERS_BACK.search(question)) or len(words) < _SHORT_EN


_YEAR = re.compile(r"(?:FY|fiscal(?: year)?)?\s?(?:19|20)\d{2}年?|Q[1-4]|第[一二三四]季度", re.IGNORECASE)


def _without_replaced(earlier: str, question: str) -> str:
    """A year or quarter in the new question takes the place of the one asked about before."""
    return _YEAR.sub("", earlier) if _YEAR.search(question) else earlier
