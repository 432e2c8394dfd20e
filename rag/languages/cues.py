"""Small words that turn a sentence round: negation, modality, direction, bounds, conditions, quantifiers,
opposites.

Each is found as a `Cue`: its class, and its scope, the content words next to it. Scopes decide which "not"
of a long sentence answers which "not" of another. The lists are those of the languages; a word that is in
none of them is left to the overlap checks."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rag.languages import LANGUAGES, language

_PATTERNS = tuple(
    (group, name, re.compile("|".join(filter(None, patterns)), re.IGNORECASE))
    for group, classes in language("en").cues.items()
    for name in classes
    if (patterns := [known.cues.get(group, {}).get(name, "") for known in LANGUAGES.values()])
)
# Expressions of these groups use their words up: the "not" of "not more than" is no negation, nor its
# "more" a comparison.
_CONSUMING = frozenset({"bound", "modality"})

OPPOSITES = tuple(pair for known in LANGUAGES.values() for pair in known.opposites)


@dataclass(frozen=True, slots=True)
class Cue:
    """A turning word: its group ("negation"), class ("not"), the words themselves, span, and where its
    scope ends."""

    group: str
    name: str
    text: str
    start: int
    end: int


def cues(text: str) -> tuple[Cue, ...]:
    """Turning words of a folded text in order. Prohibitions ("shall not", 不得) are given as modality and
    as negation."""
    found: list[Cue] = []
    used = bytearray(len(text))
    for group, name, pattern in _PATTERNS:
        for m in pattern.finditer(text):
            if m.start() == m.end() or any(used[m.start() : m.end()]):
                continue
            found.append(Cue(group, name, m.group(), m.start(), m.end()))
            if name in ("must not", "should not", "need not"):
                found.append(Cue("negation", "not", m.group(), m.start(), m.end()))
            if group in _CONSUMING:
                used[m.start() : m.end()] = b"\1" * (m.end() - m.start())
    return tuple(sorted(found, key=lambda c: (c.start, c.group)))
