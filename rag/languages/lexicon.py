"""Lay words -> the professional words that documents use.

People ask "can we walk away without a reason"; the contract says "terminate for convenience". A lexicon is a
TOML file of entries, one for each thing that people name in their own words:

    [[entry]]
    lay = ["walk away", "get out of"]
    terms = ["terminate for convenience", "termination"]

`lay` are the forms that people type, `terms` the forms that stand in documents, the most useful one first.
An entry whose terms hold Chinese speaks to questions that hold Chinese, any other entry to English ones.

- A lay form in English matches whole words, lower-cased and stemmed: "walked away" is "walk away". A pronoun,
  article or adverb may stand between two of its words ("get my money back"), any one word before a particle
  ("walk right away").
- A lay form with Chinese in it matches as a piece of the text; "…" in it stands for up to six characters:
  "欠…工资" is in "欠了我三个月工资".

Of two forms that match in the same place only the longer speaks: "free cash flow" is not a question about
cash. One is shipped (`rag.domains`); a user's own are read before it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Generic, TypeVar

from rag.errors import ConfigError
from rag.languages.text import detect_language, has_han, normalise, search_tokens

MAX_TERMS = 12
# As much of a question as the search itself looks at.
MAX_CHARS = 4000
_T = TypeVar("_T")
_HAN_GAP = 6
_WORD = re.compile("[^\\W_\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+")
_FILLERS = frozenset("a an the my our your his her their its s it this that them me him us any some".split())
_PARTICLES = frozenset("away out off up down back over in on".split())
_SHAPE = 'Write an entry as lay = ["a form people type", ...] and terms = ["a form in documents", ...].'


@dataclass(frozen=True, slots=True)
class Entry:
    """What the file says, as typed."""

    lay: tuple[str, ...]
    terms: tuple[str, ...]

    @property
    def chinese(self) -> bool:
        return any(has_han(term) for term in self.terms)


@dataclass(frozen=True, slots=True)
class LexiconWord:
    """A stemmed word of a text and where it stands; `joined`: no Chinese between it and the word before."""

    stem: str
    start: int
    end: int
    joined: bool


@dataclass(frozen=True, slots=True)
class Forms(Generic[_T]):
    """What forms stand for, ready to match: English forms by their first stem; Chinese forms, as pieces
    between gaps, by their first character, so that a question is searched only for those it can hold."""

    worded: Mapping[str, Sequence[tuple[tuple[str, ...], _T]]]
    chinese: Mapping[str, Sequence[tuple[tuple[str, ...], _T]]]


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Entries ready to match: those that speak to English questions, and those that speak to Chinese ones."""

    english: Forms[Entry]
    chinese: Forms[Entry]

    def matched(self, text: str) -> tuple[list[LexiconWord], list[tuple[int, int, Entry]]]:
        """The words of a normalised question, and the entries that speak to it with their places."""
        asked = ((self.english, detect_language(text) == "en"), (self.chinese, has_han(text)))
        words = words_of(text)
        found = (match for forms, speaks in asked if speaks for match in matches(forms, text, words))
        return words, list(longest(found))


NO_WORDS = Lexicon(Forms({}, {}), Forms({}, {}))


def expand(question: str, lexicon: Lexicon) -> tuple[str, ...]:
    """Professional terms for the lay words of a question: distinct, in order of occurrence, the first 12 of
    those that do not stand in the question."""
    text = normalise(question[:MAX_CHARS])
    words, found = lexicon.matched(text)
    said = f" {' '.join(word.stem for word in words)} "

    def stands(term: str) -> bool:
        return normalise(term) in text if has_han(term) else f" {' '.join(stems_of(term))} " in said

    terms = dict.fromkeys(term for _, _, entry in found for term in entry.terms)
    return tuple(term for term in terms if not stands(term))[:MAX_TERMS]


def lay_matches(question: str, lexicon: Lexicon) -> tuple[tuple[int, int, tuple[str, ...]], ...]:
    """Where a question speaks in lay words: start and end in its normalised text, and the professional terms
    for them."""
    _, found = lexicon.matched(normalise(question[:MAX_CHARS]))
    return tuple((start, end, entry.terms) for start, end, entry in found)


def load(paths: Iterable[Path]) -> Lexicon:
    """The entries of lexicon files, the first having the say. Raises ConfigError naming file, entry and what
    to write instead."""
    entries = [entry for path in paths for entry in _entries(path)]
    return Lexicon(
        *(
            compiled((form, entry) for entry in entries if entry.chinese == chinese for form in entry.lay)
            for chinese in (False, True)
        )
    )


def _entries(path: Path) -> Iterator[Entry]:
    number = 0
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8-sig"))
        if set(table) != {"entry"}:
            raise ValueError("it has to be [[entry]] tables and nothing else")
        for row in table["entry"]:
            number += 1
            yield _entry(row)
    except (OSError, ValueError, TypeError) as error:
        place = f", entry {number}," if number else ""
        raise ConfigError(f"The lexicon {path}{place} cannot be used: {error}. {_SHAPE}") from error


def _entry(row: Mapping[str, Any]) -> Entry:
    """Raises ValueError or TypeError for what is no entry."""
    if set(row) != {"lay", "terms"}:
        raise ValueError("it has to hold lay and terms and nothing else")
    for key, forms in row.items():
        if not isinstance(forms, list) or not forms:
            raise ValueError(f"there is no list under {key}")
        for form in forms:
            if not isinstance(form, str) or not any(c.isalnum() for c in form):
                raise ValueError(f"{form!r} under {key} is not a word")
    for form in row["lay"]:
        # Normalisation turns the sign into three full stops, so it is looked for in the form as typed.
        if "…" in form and (not has_han(form) or not all(part.strip() for part in form.split("…"))):
            raise ValueError(f"{form!r} under lay: … goes between two pieces of a Chinese form")
    return Entry(tuple(row["lay"]), tuple(row["terms"]))


def compiled(pairs: Iterable[tuple[str, _T]]) -> Forms[_T]:
    """Forms as people type them, each with what it stands for. A form without a word is passed over."""
    worded: dict[str, list[tuple[tuple[str, ...], _T]]] = {}
    chinese: dict[str, list[tuple[tuple[str, ...], _T]]] = {}
    for form, value in pairs:
        if has_han(form):
            parts = tuple(normalise(part).strip() for part in form.split("…"))
            chinese.setdefault(parts[0][:1], []).append((parts, value))
        elif stems := stems_of(form):
            worded.setdefault(stems[0], []).append((stems, value))
    return Forms(worded, chinese)


def words_of(text: str) -> list[LexiconWord]:
    """The words of a normalised text outside its Chinese, which is left alone: cutting it is what costs."""
    found: list[LexiconWord] = []
    end = 0
    for match in _WORD.finditer(text):
        joined = not has_han(text[end : match.start()])
        end = match.end()
        found.extend(LexiconWord(stem, match.start(), end, joined) for stem in search_tokens(match.group()))
    return found


@lru_cache(maxsize=4096)
def stems_of(form: str) -> tuple[str, ...]:
    """The stems of a form's words outside its Chinese."""
    return tuple(word.stem for word in words_of(normalise(form)))


def matches(forms: Forms[_T], text: str, words: Sequence[LexiconWord]) -> Iterator[tuple[int, int, _T]]:
    """Every place where a form stands: start and end in the normalised `text`, and what the form means."""
    for at, word in enumerate(words):
        for stems, value in forms.worded.get(word.stem, ()):
            last = _phrase_end(words, at, stems)
            if last is not None:
                yield word.start, words[last].end, value
    for first in dict.fromkeys(text):
        for parts, value in forms.chinese.get(first, ()):
            for start, end in _piece_spans(text, parts):
                yield start, end, value


def _phrase_end(words: Sequence[LexiconWord], at: int, stems: Sequence[str]) -> int | None:
    """Index of the last word of the phrase that begins at `at`, None where it does not stand there."""
    for stem in stems[1:]:
        at += 1
        if at < len(words) and words[at].stem != stem and (words[at].stem in _FILLERS or stem in _PARTICLES):
            if not words[at].joined:
                return None
            at += 1
        if at >= len(words) or words[at].stem != stem or not words[at].joined:
            return None
    return at


def _piece_spans(text: str, parts: Sequence[str]) -> Iterator[tuple[int, int]]:
    start = text.find(parts[0])
    while start >= 0:
        end = start + len(parts[0])
        for part in parts[1:]:
            at = text.find(part, end, end + _HAN_GAP + len(part))
            if at < 0:
                break
            end = at + len(part)
        else:
            yield start, end
        start = text.find(parts[0], start + 1)


def longest(found: Iterable[tuple[int, int, _T]]) -> Iterator[tuple[int, int, _T]]:
    """Matches in order of their place, without those inside a longer one."""
    widest = (-1, -1)
    for match in sorted(found, key=lambda m: (m[0], -m[1])):
        if match[1] > widest[1] or match[:2] == widest:
            widest = match[:2]
            yield match
