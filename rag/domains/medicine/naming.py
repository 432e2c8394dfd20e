"""Which subjects a question names, and how far a page is about them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from rag.documents.catalogue import Catalogue, Names, build_names, derived, singular
from rag.facts.names import name_words, squash
from rag.languages.text import STOP_WORDS, has_han
from rag.questions.constraints import Matter, Restriction, bearing, displayed
from rag.questions.expects import Wording
from rag.questions.naming import Word, best, han_matches, longest, run_matches
from rag.types.documents import several, single

_PROPERTIES = re.compile(r"\b(?:10-?[KQ]|8-?K|form|filed|fictional)\b", re.I)


@lru_cache(maxsize=65536)
def subject_key(text: str) -> str:
    """The key of a subject: words without their plural s, so that "Rickets" is "ricket"."""
    return squash(text) if has_han(text) else "".join(map(singular, name_words(text)))


@derived
def subjects(catalogue: Catalogue) -> Names:
    """The subjects of the pages of an index that are neither a company's nor a statute."""
    return build_names(
        (document, subject, subject_key(subject), map(subject_key, several(meta, "names")))
        for document, meta in catalogue.described()
        if (subject := single(meta, "subject")) and not meta.get("company") and not meta.get("law")
        if len(subject) <= 120 and not _PROPERTIES.search(subject)
    )


def asked_subjects(wording: Wording, catalogue: Catalogue) -> Restriction:
    """The subjects that a question names; pages of others clash, by less the more their names share."""
    names = subjects(catalogue)
    keys = names.keys
    matches = longest(run_matches(wording.name_words, keys, _weight, True), nested=True)
    if has_han(wording.spaced):
        matches += han_matches(wording.spaced, names.han, keys)
    found = best(matches)
    documents = bearing(found, keys)
    if not documents:
        return Restriction()
    clash = -max(found.values())

    def agreement(document_id: int) -> tuple[float]:
        subject = names.own.get(document_id, "")
        if document_id in documents or not subject:
            return (documents.get(document_id, 0.0),)
        shares = (w * len(k) / len(subject) for k, w in found.items() if len(k) > 5 and k in subject)
        return (max(shares, default=0.0) or clash,)

    named = frozenset(d for d, w in documents.items() if w >= 0.5)
    return Restriction((Matter("subject", displayed(found, names)),), agreement, named)


def _weight(run: Sequence[Word]) -> float:
    if len(run) > 1:
        return 1.0
    word = run[0]
    if word.key in STOP_WORDS or len(word.key) < 3:
        return 0.0
    return 0.9 if len(word.key) > 7 or (word.raw[0].isupper() and not word.opens) else 0.6
