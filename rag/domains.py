"""Which field a text is of: law, medicine or finance, by the professional words of the lexicons that stand in
it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from rag.lexicon import LEXICONS, load
from rag.text import has_han, search_tokens

DOMAINS = {"legal": "law", "medical": "medicine", "finance": "finance"}
"""Names of domains, and of the lexicons that tell them."""
# So many different professional words, and so many more than any other domain's, make a domain.
_LEAST = 2


def domain_of(texts: Sequence[str]) -> str:
    """ "legal", "medical" or "finance"; "" where the texts hold too few professional words, or as many of two
    fields."""
    stems = f" {' '.join(t for text in texts for t in search_tokens(text))} "
    plain = "".join(texts)
    counts = {
        name: sum((term in plain) if has_han(term) else (f" {term} " in stems) for term in terms)
        for name, terms in _terms().items()
    }
    best, second = sorted(counts, key=lambda name: -counts[name])[:2]
    return best if counts[best] >= _LEAST and counts[best] > counts[second] else ""


@lru_cache(maxsize=1)
def _terms() -> dict[str, frozenset[str]]:
    """The words of each domain that are no other's: Chinese ones as they stand, English ones as stems."""
    by_name = {path.stem: path for path in LEXICONS}
    found = {
        name: {_form(term) for entry in load(by_name[lexicon]) for term in entry.terms}
        for name, lexicon in DOMAINS.items()
    }
    return {
        name: frozenset(t for t in terms if t and not any(t in found[o] for o in found if o != name))
        for name, terms in found.items()
    }


def _form(term: str) -> str:
    return term if has_han(term) else " ".join(search_tokens(term))
