"""The one document that a question names by words of its title, file name or opening, and what is asked
about it: "Who may assign the Reseller Agreement between Northlight Limited and Diversa Corp?" is about that
agreement, and its names would only find the page that introduces the parties."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from rag.languages.text import search_tokens
from rag.questions.query import Query
from rag.search.pool import idf_weights
from rag.store.store import Store
from rag.types.documents import path_words

_OPENING = 600  # characters of a document that say what it is
_SURELY = 0.75  # weight of the names of a question that stand there
_WORD = re.compile(r"[^\s,;:()?!“”\"]+")


def identified(query: Query, store: Store, documents: Iterable[int]) -> tuple[int, frozenset[str]] | None:
    """The one of the documents that surely is what the names of a question name, and these as tokens; None
    where none is, or several are, or nothing is left to be asked about it."""
    names = frozenset(search_tokens(" ".join(query.names)))
    weights = idf_weights(store, sorted(names))
    held: dict[int, frozenset[str]] = {}
    for document in dict.fromkeys(documents) if names else ():
        info = store.document(document)
        named = (info.title, path_words(info.path), store.text(document, 0, _OPENING))
        held[document] = names.intersection(search_tokens("\n".join(named)))
    shares = {document: sum(weights[t] for t in own) for document, own in held.items()}
    most = max(shares.values(), default=0.0)
    best = [document for document, share in shares.items() if share == most]
    if len(best) != 1 or most < _SURELY * sum(weights.values()) or held[best[0]].issuperset(query.content):
        return None
    return best[0], held[best[0]]


def without(query: Query, names: frozenset[str]) -> Query:
    """The question without names, as tokens, that its text has in capitals."""

    def left(word: re.Match[str]) -> str:
        tokens = search_tokens(word[0])
        named = tokens and names.issuperset(tokens) and not word[0].islower()
        return "" if named else word[0]

    return replace(
        query,
        tokens=tuple(t for t in query.tokens if t not in names),
        content=tuple(t for t in query.content if t not in names),
        text=" ".join(_WORD.sub(left, query.text).split()),
    )
