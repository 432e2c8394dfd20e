"""Words of a question that no document holds, read as the nearest ones that some do.

A word is misspelt where no passage holds it, the embedder's vocabulary knows neither it nor its singular (a
good word that stands in no document is one piece, mostly), and one word of the documents, or of those that
say nothing of the matter, is nearest: one letter away, two for a long one, by optimal string alignment
(changed, left out, added, or two beside each other exchanged)."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from rapidfuzz.distance import OSA

from rag.documents.catalogue import singular
from rag.languages.text import STOP_WORDS, search_tokens
from rag.store.store import Store

_WORD = re.compile(r"(?<![\w'’.-])[A-Za-z]{5,}(?![\w'’-])")
_LONG = 8


def mended(text: str, store: Store, pieces: Callable[[Sequence[str]], Sequence[int]]) -> str:
    """The text with its misspelt words as the documents spell them; `pieces` counts the pieces of each text
    in the embedder's vocabulary, marks at its ends included."""
    words = {m[0]: stems for m in _WORD.finditer(text) if len(stems := search_tokens(m[0])) == 1}
    frequency = store.document_frequency([stem for [stem] in words.values()])
    unknown = [w for w, [stem] in words.items() if not frequency[stem] and w.lower() not in STOP_WORDS]
    if not unknown:
        return text
    single = pieces(["a"])[0]
    for word in unknown:
        lower = word.lower()  # "contracts" is two pieces, "contract" one
        good = min(pieces([lower, singular(lower)])) <= single
        if not good and (better := _nearest(lower, words[word][0], store)):
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
