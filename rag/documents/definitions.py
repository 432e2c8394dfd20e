"""Terms that a document defines: "Permitted Use" means ..., 本合同所称“服务”是指……"""

from __future__ import annotations

import re
from collections.abc import Mapping

from rag.languages import patterns
from rag.languages.text import sentences
from rag.types import Span

_RE = patterns("definitions", re.NOFLAG)
ATTACHED = _RE["attached"]
"""Titles and file names of what is attached to a contract."""
_LONGEST = 600


def definitions(text: str) -> Mapping[str, Span]:
    """The terms that a text defines, each with the sentence that does so; the first where several do."""
    found: dict[str, Span] = {}
    for match in _RE["means"].finditer(text):
        begin = text.rfind("\n", 0, match.start()) + 1
        line = text[begin : match.end() + _LONGEST].partition("\n")[0]
        at = match.start() - begin
        for one in sentences(line):
            if one.start <= at < one.end:
                term = " ".join((match["term"] or match["zh_term"]).split())
                found.setdefault(term, Span(begin + one.start, begin + one.end))
    return found
