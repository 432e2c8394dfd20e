"""Passages that say the same: the first of them is shown, the others are named with it."""

from __future__ import annotations

import re
from collections.abc import Iterable

# Two passages are one when they share this much of their words and all of their numbers.
_OVERLAP = 0.95
_WORD = re.compile(r"\w+")

_Fingerprint = tuple[frozenset[str], frozenset[str]]


def distinct(texts: Iterable[tuple[int, str]], k: int) -> list[tuple[int, tuple[int, ...]]]:
    """The first `k` keys of (key, text) pairs whose texts differ, each with the keys of its later twins."""
    kept: list[tuple[int, _Fingerprint, list[int]]] = []
    for key, text in texts:
        fingerprint = _fingerprint(text)
        twin = next((row for row in kept if _same(row[1], fingerprint)), None)
        if twin is not None:
            twin[2].append(key)
        elif len(kept) < k:
            kept.append((key, fingerprint, []))
    return [(key, tuple(duplicates)) for key, _, duplicates in kept]


def _fingerprint(text: str) -> _Fingerprint:
    tokens = frozenset(_WORD.findall(text.lower()))
    return tokens, frozenset(t for t in tokens if any(c.isdigit() for c in t))


def _same(a: _Fingerprint, b: _Fingerprint) -> bool:
    if a[1] != b[1] or not a[0] or not b[0]:
        return False
    return len(a[0] & b[0]) >= _OVERLAP * len(a[0] | b[0])
