"""Which names of a catalogue a question holds, and how surely, 0 to 1: companies here, others where a field
looks them up with what is found here; and companies that no document bears, a reason to refuse.

Words are looked up as keys of up to twelve words, the longest first; Chinese text by its characters, for it
has no blanks. A single common word counts only where it is written as a name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rag.documents.catalogue import Catalogue, NameKind, singular
from rag.facts.names import (
    ABBREVIATIONS,
    GENERIC,
    JOINING,
    LEGAL_NAME,
    POSSESSIVE,
    WORD,
    ZH_LEGAL_NAME,
    ZH_SHORT_NAME,
    capitalised_runs,
    name_key,
    short_name,
    squash,
)
from rag.languages import Patterns
from rag.languages.text import STOP_WORDS, has_han, normalise

_RE = Patterns(__file__)


def unknown_companies(
    question: str,
    catalogue: Catalogue,
    spans: Sequence[tuple[int, int]],
    common: frozenset[str],
    reporting: bool,
) -> Iterator[str]:
    if not catalogue.companies:
        return

    def known(start: int, end: int) -> bool:
        return any(s < end and start < e for s, e in spans)

    for pattern in (LEGAL_NAME, ZH_LEGAL_NAME):
        for m in pattern.finditer(question):
            name = m.group().strip(" ,.")
            if not known(m.start(), m.end()) and name_key(short_name(name)) not in catalogue.company_keys:
                yield re.sub(r"^.*(?:[，。、的是与和]|关于)", "", _trimmed(name, common))
    if reporting:
        yield from (m.group() for m in ZH_SHORT_NAME.finditer(question) if not known(*m.span()))
        for m in capitalised_runs(question, "any"):
            run, *owner = _RE["owner"].split(m.group(), 1)
            name = _trimmed(run.rstrip(".,'’"), common)
            owns = bool(owner and owner[0]) or question[m.end() : m.end() + 1] in ("'", "’")
            before = question[: m.start()]
            opens = not before.strip() or before.rstrip()[-1] in ".?!"
            led = _RE["leads_to_name"].search(before) and not (opens and name == run and " " not in name)
            keys = [squash(w) for w in name.split()]
            new = len("".join(keys)) > 1 and not any(
                k in catalogue.title_words for k in keys if k not in JOINING
            )
            if name and (owns or led) and new:
                yield name


def _trimmed(name: str, common: frozenset[str]) -> str:
    """The name without words at its edges that are none of a name (What, In, FY2019, EBITDA, Net)."""
    words = name.split()
    nothing = (STOP_WORDS, ABBREVIATIONS, common, JOINING)

    def says_nothing(key: str) -> bool:
        number = re.fullmatch(r"(?:fy|q[1-4]|h[12])?\d*(?:q[1-4])?|\d+[kq]", key)
        return bool(number) or any(key in some for some in nothing)

    while words and says_nothing(squash(words[0])):
        words.pop(0)
    while words and says_nothing(squash(words[-1])):
        words.pop()
    return " ".join(words)


_LONGEST = 12


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a question: as written, its key, its place, whether it owns what follows ("Vextra's"), and
    whether it opens a sentence."""

    raw: str
    key: str
    start: int
    end: int
    possessive: bool
    opens: bool


@dataclass(frozen=True, slots=True)
class Match:
    """A key that stands in a question: its place, its size in words or characters, how surely it is meant."""

    key: str
    start: int
    end: int
    size: int
    weight: float = 1.0


def find_names(
    question: str,
    words: Sequence[Word],
    catalogue: Catalogue,
    *,
    reporting: bool,
    common: frozenset[str] = frozenset(),
) -> tuple[dict[int, float], tuple[str, ...]]:
    """The numbers of the companies that a question, `spaced`, names by its words, with how surely, and names
    that no company bears. `reporting`: it speaks of a period or a
    form, so that a capitalised name which no document bears is taken for a company; `common` are words that
    no name is made of."""
    companies, spans = _companies(question, words, catalogue, common)
    if has_han(question):
        for match in han_matches(question, catalogue.han, catalogue.company_keys):
            spans.append((match.start, match.end))
            for number, _ in catalogue.company_keys[match.key]:
                companies[number] = max(match.weight, companies.get(number, 0.0))
    unknown = unknown_companies(question, catalogue, spans, common, reporting and not companies)
    return companies, tuple(dict.fromkeys(unknown))


def spaced(question: str) -> str:
    """The question with "A & B" as one word: what the places of words and matches are places in."""
    return _RE["spaced_and"].sub(r"\1&\2", question)


def best(matches: Iterable[Match]) -> dict[str, float]:
    """Each key with the greatest of its weights."""
    found: dict[str, float] = {}
    for m in matches:
        found[m.key] = max(m.weight, found.get(m.key, 0.0))
    return found


def name_words(question: str) -> tuple[Word, ...]:
    """The words of a question, `spaced`, that may be of a name."""
    found = []
    for m in WORD.finditer(question):
        raw = POSSESSIVE.sub("", m.group())
        key = squash(raw)
        if key and key not in JOINING:
            before = question[: m.start()].rstrip()
            opens = not before or before[-1] in ".?!:"
            owns = raw != m.group() or question[m.end() : m.end() + 1] in ("'", "’")
            found.append(Word(raw, key, m.start(), m.end(), owns, opens))
    return tuple(found)


Weigh = Callable[[Sequence[Word]], float]
Doubt = Callable[[str, int], float]


def run_matches(
    words: Sequence[Word], keys: Mapping[str, object], weigh: Weigh, singulars: bool = False
) -> Iterator[Match]:
    """Every run of words that is a key, with the weight that its spelling gives it."""
    if not keys:
        return
    parts = [singular(w.key) if singulars else w.key for w in words]
    for first in range(len(words)):
        key = ""
        for last in range(first, min(first + _LONGEST, len(words))):
            key += parts[last]
            if key in keys and (weight := weigh(words[first : last + 1])) > 0:
                yield Match(key, words[first].start, words[last].end, last - first + 1, weight)


def longest(matches: Iterable[Match], nested: bool = False) -> list[Match]:
    """Matches that lie in no longer one; `nested`: those that do are kept with their share of its words."""
    kept: list[Match] = []
    for m in sorted(matches, key=lambda m: (-m.size, m.start)):
        around = next((k for k in kept if k.start < m.end and m.start < k.end), None)
        if around is None:
            kept.append(m)
        elif nested and around.start <= m.start and m.end <= around.end and m.key != around.key:
            kept.append(Match(m.key, m.start, m.end, m.size, 0.6 * m.weight * m.size / around.size))
    return kept


# Companies


def _companies(
    question: str, words: Sequence[Word], catalogue: Catalogue, common: frozenset[str]
) -> tuple[dict[int, float], list[tuple[int, int]]]:
    """Company numbers with how surely they are named, and the spans of the question that name them."""
    if not catalogue.companies:
        return {}, []
    shouting = question.isupper()
    written = any(c.isupper() for c in question)
    found: dict[int, float] = {}
    spans: list[tuple[int, int]] = []
    runs = run_matches(words, catalogue.company_keys, lambda run: 1.0)
    signed = (
        Match(key, w.start, w.end, 1)
        for w in words
        if "&" in w.raw and (key := w.raw.lower()) in catalogue.company_keys
    )
    for m in sorted([*runs, *signed], key=lambda m: (-m.size, m.start)):
        if any(s < m.end and m.start < e for s, e in spans):
            continue
        documents = catalogue.company_keys[m.key]
        run = [w for w in words if m.start <= w.start and w.end <= m.end]
        weight = _company_weight(documents[0][1], run, m, shouting, written, run[0].key in common)
        if not weight or (documents[0][1] is NameKind.ACRONYM and len(documents) > 1):
            continue
        if len(documents) > 1 and documents[0][1] is NameKind.LEAD:
            weight = 0.6
        spans.append((m.start, m.end))
        for number, _ in documents:
            found[number] = max(weight, found.get(number, 0.0))
    return found, spans


def _company_weight(
    kind: NameKind, run: Sequence[Word], match: Match, shouting: bool, written: bool, common: bool
) -> float:
    """How surely words that are a key name its company. `shouting`: all is in capitals; `written`: there is
    any capital; `common`: no name begins so."""
    word = run[0]
    capital = word.raw[0].isupper() or word.raw[0].isdigit()
    if kind is NameKind.TICKER:
        shouted = sum(c.isupper() for c in word.raw) > 1  # "AnB" is typed for the ticker ANB
        plain = shouted and len(word.key) > 2 and word.key not in ABBREVIATIONS and not shouting
        return 0.9 if plain and len(run) == 1 else 0.0
    if kind is NameKind.ACRONYM:
        capitals = sum(c.isupper() for c in word.raw)
        known = len(word.key) > 2 or "&" in match.key
        return 0.8 if capitals > 1 and known and word.key not in ABBREVIATIONS and not shouting else 0.0
    if len(run) > 1:
        return 1.0 if kind is NameKind.NAME else 0.9 if capital else 0.0
    if word.key in STOP_WORDS or word.key in ABBREVIATIONS:
        return 0.0
    if kind is NameKind.LEAD:
        starts = word.opens and not word.possessive and len(word.key) < 5
        return 0.85 if capital and not starts and not (word.opens and common) else 0.0
    if not capital:
        plain = common or word.key in GENERIC
        return 0.8 if not written and len(word.key) > 3 and not plain else 0.0
    return 0.5 if word.opens and common else 1.0


# Chinese names


def han_matches(
    question: str, sizes: Mapping[str, Sequence[int]], keys: Mapping[str, object], doubt: Doubt | None = None
) -> list[Match]:
    """Keys with a Chinese letter in the question's letters and digits, the longest first, of the `sizes` that
    keys with this first letter have; the more surely the longer it is, or as `doubt` says of the place where
    it begins."""
    if not keys:
        return []
    letters, places = _letters(question)
    found: list[Match] = []
    for n, character in enumerate(letters):
        for size in sizes.get(character, ()):
            key = letters[n : n + size]
            if len(key) == size and key in keys:
                weight = doubt(question, places[n]) if doubt else min(1.0, 0.2 + 0.2 * size)
                found.append(Match(key, places[n], places[n + size - 1] + 1, size, weight))
                break
    return longest(found)


def _letters(text: str) -> tuple[str, list[int]]:
    """Letters and digits, normalised, each with its place in the text."""
    letters: list[str] = []
    places: list[int] = []
    for n, character in enumerate(text):
        if character.isalnum():
            for plain in normalise(character):
                letters.append(plain)
                places.append(n)
    return "".join(letters), places
