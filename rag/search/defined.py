"""Sentences found -> the definitions of the terms in which they say what is asked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from rag.documents.definitions import definitions
from rag.languages.text import content_tokens, has_han
from rag.questions.query import Query
from rag.search.amended import evidence_at
from rag.store.store import Store
from rag.types import Evidence

# Words that a sentence may say beside what the question and the term say: "Clippings are taken to the
# Permitted Site." says nothing but the term, "The Fees fall due ten days after the end of the month." does.
_MOST_OWN = 3
_FIRST = 2


def with_definitions(
    found: Sequence[Evidence], query: Query, store: Store, limit: int = 6
) -> tuple[Evidence, ...]:
    """The sentences, numbered anew; behind one of the first that says little but a term, the sentence of its
    document that defines the term."""
    kept: dict[tuple[int, int], Evidence] = {}
    for n, piece in enumerate(found):
        document = piece.document
        kept.setdefault((document.id, piece.start), piece)
        for term, span in store.definitions(document.id).items() if n < _FIRST else ():
            if _rests_on(piece, term, query) and not span.start <= piece.start < span.end:
                kept.setdefault((document.id, span.start), evidence_at(document, span, piece, store))
    return tuple(replace(one, number=n) for n, one in enumerate([*kept.values()][:limit], 1))


def defining(piece: Evidence, found: Sequence[Evidence], query: Query) -> list[Evidence]:
    """Those of the sentences found that define the terms by which a piece says what is asked."""
    others = [e for e in found if e.document.id == piece.document.id and e.start != piece.start]
    return [e for e in others if any(_rests_on(piece, term, query) for term in definitions(e.text))]


def _rests_on(piece: Evidence, term: str, query: Query) -> bool:
    written = re.escape(term) if has_han(term) else rf"\b{re.escape(term)}\b"
    if piece.heads or not re.search(written, piece.text):
        return False
    own = {token for token in content_tokens(piece.text) if any(map(str.isalpha, token))}
    named = set(content_tokens(term))
    asked = len(named) > 1 and named.issubset(query.content)
    return asked or len(own.difference(query.content, named)) <= _MOST_OWN
