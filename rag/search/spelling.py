"""Words of a question that no document holds, read as the nearest ones that some do.

A word is misspelt where neither a passage nor a dictionary holds it, and one word of the documents, or of
those that say nothing of the matter, is nearest: one letter away, two for a long one, by optimal string
alignment (changed, left out, added, or two beside each other exchanged)."""

from __future__ import annotations

import re

from rapidfuzz.distance import OSA

from rag.languages.text import STOP_WORDS, is_word, search_tokens
from rag.store.store import Store

_WORD = re.compile(r"(?<![\w'’.-])[A-Za-z]{5,}(?![\w'’-])")
_LONG = 8


def mended(text: str, store: Store) -> str:
    """The text with its misspelt words as the documents spell them."""
    words = {m[0]: stems for m in _WORD.finditer(text) if len(stems := search_tokens(m[0])) == 1}
    frequency = store.document_frequency([stem for [stem] in words.values()])
    for word, [stem] in words.items():
        lower = word.lower()
        good = frequency[stem] or lower in STOP_WORDS or is_word(lower)
        if not good and (better := _nearest(lower, stem, store)):
            text = re.sub(rf"\b{word}\b", better, text)
    return text


def _nearest(word: str, stem: str, store: Store) -> str:
    """The one word nearest to a misspelt one; "" for none and for several."""
    most = 2 if len(word) >= _LONG else 1
    stems = {term: OSA.distance(stem, term, score_cutoff=most) for term in store.terms(word[0])}
    nearest = min(stems.values(), default=most + 1)
    words = {store.spelled(t) for t, away in stems.items() if away == nearest <= most and t.isalpha()}
    words = words or {one for one in STOP_WORDS if OSA.distance(word, one) <= most}
    best = min(words) if len(words) == 1 else ""
    return best if best and OSA.distance(word, best.lower()) <= most else ""
