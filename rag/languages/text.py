"""Language, sentences and search tokens of a text, and the small words that turn its sentences round.

Everything here is a pure function over strings. Sentence spans index into the text that was passed: nothing
is cleaned, so `text[span.start:span.end]` is always verbatim."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Container
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from rag.languages import LANGUAGES, either, listed, patterns, union
from rag.types import Span

# Part of the index manifest: tokens made by another version do not match the ones in an index.
TOKENS_VERSION = 3

_HAN = "".join(known.script for known in LANGUAGES.values() if known.unspaced)
_HAN_RUN = re.compile(f"[{_HAN}]+")
_TOKEN = re.compile(f"[{_HAN}]+|[^\\W_{_HAN}]+(?:[.,'’][^\\W_{_HAN}]+)*")
_SCRIPTS = {code: re.compile(f"[{known.script}]+") for code, known in LANGUAGES.items() if known.script}
_PLAIN = [known for known in LANGUAGES.values() if not known.script]
_THOUSANDS = re.compile(r"^\d{1,3}(?:,\d{3})+(?:\.\d+)?$")

ABBREVIATIONS: frozenset[str] = frozenset().union(*(known.abbreviations for known in LANGUAGES.values()))
STOP_WORDS: frozenset[str] = frozenset().union(*(known.stop_words for known in LANGUAGES.values()))
# Abbreviations that do end a sentence when a capital letter follows are not worth guessing at: a missed
# boundary makes one long quote, a wrong one cuts a quote in two.
SPACED_ENDS = either(lambda of: "" if of.unspaced else of.ends)
UNSPACED_ENDS = either(lambda of: of.ends if of.unspaced else "")
_SENTENCE_END = re.compile(
    rf"(?P<unspaced>{UNSPACED_ENDS})|(?P<spaced>{SPACED_ENDS})(?=\s+[\"'“‘\(\[]*[^\W_a-z]|\s*$)"
    r"|(?P<para>\n[ \t\r\u3000]*\n)"
    rf"|(?P<item>\n)(?=[ \t\u3000]*(?:[-*•·▪]|{either(lambda of: of.items)})\s*)"
)

# Letters that are stop words, where they may tell a name from others.
_LETTER = re.compile(
    r"[AIST](?:(?<=[A-Za-z]{3}[ \xa0-].)(?!\w)(?![.'’&-]\w)(?P<capital>(?=[ \xa0][A-Z]))?"
    r"(?P<ends>(?=\s*(?:[.,;:!?)\]/]|$|(?:and|or|of|in|to|is|are|has|shall|must|may|with|for)\b)))?"
    rf"|(?<![A-Za-z].)(?=[{_HAN}]))"
)
_NOUN = re.compile(r"[A-Za-z]+$")
_LETTERED = frozenset(union(lambda language: language.label_nouns))
_ASKING = re.compile(either(lambda of: "" if of.unspaced else of.asking), re.IGNORECASE)
_ASKING_UNSPACED = re.compile(either(lambda of: of.asking if of.unspaced else ""))


_BETWEEN_HAN = re.compile(rf"(?<=[{_HAN}，。；：、！？）》」』])\s+(?=[{_HAN}（《「『])")


def in_one_piece(text: str) -> str:
    """The text on one line: every run of white space as one blank, and as none between Chinese characters,
    where a line was only broken."""
    return " ".join(_BETWEEN_HAN.sub("", text).split())


def normalise(text: str) -> str:
    """NFKC and lower case: full-width digits, ligatures and letters become their plain forms. Length may
    change."""
    return unicodedata.normalize("NFKC", text).lower()


def letters(text: str) -> str:
    """Letters and digits only, NFKC and lower case: white space and punctuation do not count."""
    return "".join(c for c in normalise(text) if c.isalnum())


def detect_language(text: str) -> str:
    """The code of the language of a text: one with a script of its own that has at least a fifth of the
    letters, else of the others the one with most words that it calls stop words, English where that is open.

    Only the first 20,000 code points are looked at."""
    sample = text[:20000]
    letters = sum(c.isalpha() for c in sample) or 1
    for code, script in _SCRIPTS.items():
        if sum(len(run) for run in script.findall(sample)) / letters >= 0.2:
            return code
    if len(_PLAIN) == 1:
        return _PLAIN[0].code
    words = Counter(_TOKEN.findall(sample.lower()))
    return max(_PLAIN, key=lambda known: sum(words[word] for word in known.stop_words)).code


def has_han(text: str) -> bool:
    return _HAN_RUN.search(text) is not None


# A line that goes on in the next one: no full stop or colon at its end, no number or bullet behind it.
_WRAPPED = re.compile(
    r"(?<=[^\s:：;；。.!?！？])(?<![。.!?！？][”\"’」』)）])[ \t]*\n"
    r"(?![\s#>*|•·–—-]|\d{1,3}(?:\.\d{1,3})*[.)、\s]|[(（]\w{1,4}[)）]|第)"
)


def unwrapped(text: str) -> str:
    """The text with a blank for each line break within a sentence; of the same length."""
    return _WRAPPED.sub(lambda found: " " * len(found[0]), text)


def sentences(text: str, start: int = 0, end: int | None = None) -> list[Span]:
    """Sentence spans of `text[start:end]`, in order, trimmed of white space, covering every visible
    character.

    Boundaries: 。！？；… with closing quotes; . ! ? before white space and a capital, digit or opening quote,
    abbreviations and initials apart; blank lines; a line break before a list item or an article number. A
    lone line break is white space."""
    stop = len(text) if end is None else end
    spans: list[Span] = []
    begin = start
    for match in _SENTENCE_END.finditer(text, start, stop):
        if match.lastgroup == "spaced" and _is_abbreviation(text, begin, match.start()):
            continue
        cut = match.start() if match.lastgroup in ("para", "item") else match.end()
        _append_trimmed(spans, text, begin, cut)
        begin = match.end() if match.lastgroup == "para" else cut
    _append_trimmed(spans, text, begin, stop)
    return spans


def _append_trimmed(spans: list[Span], text: str, start: int, end: int) -> None:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if end > start:
        spans.append(Span(start, end))


def _is_abbreviation(text: str, begin: int, dot: int) -> bool:
    if text[dot] != ".":
        return False
    word_start = dot
    while word_start > begin and not text[word_start - 1].isspace() and text[word_start - 1] not in "(“\"'":
        word_start -= 1
    word = text[word_start:dot]
    initial = len(word) == 1 and word.isalpha() and word.isupper() and word != "I"
    # A bare list number ("1.") at the start of a sentence belongs to what follows it.
    numbering = word.isdigit() and len(word) <= 2 and word_start <= begin + 1
    return initial or numbering or word.lower() in ABBREVIATIONS


@lru_cache(maxsize=1)
def _stemmer() -> Any:
    import Stemmer

    return Stemmer.Stemmer("english")


@lru_cache(maxsize=1)
def _jieba() -> Any:
    import logging

    import jieba

    jieba.setLogLevel(logging.ERROR)
    return jieba


@lru_cache(maxsize=65536)
def _stem(word: str) -> str:
    stemmed: str = _stemmer().stemWord(word)
    return stemmed


@lru_cache(maxsize=4096)
def _han_tokens(run: str) -> list[str]:
    """jieba's search words plus every two-character gram that is not already one of them: words carry
    meaning, grams catch what the dictionary cuts elsewhere in question and text."""
    words = [w for w in _jieba().lcut_for_search(run) if w.strip()]
    seen = set(words)
    grams = [run[i : i + 2] for i in range(len(run) - 1)]
    return words + [g for g in grams if g not in seen]


def search_tokens(text: str) -> list[str]:
    """Tokens for the lexical index, in order: English words lower-cased and stemmed (Snowball English),
    numbers without thousands separators, Han runs as words and two-character grams. Stop words are kept;
    `query_tokens` drops them. The letter of a name (Party A, A股) is no stop word: "lettera"."""
    tokens: list[str] = []
    for match in _TOKEN.finditer(normalise(_LETTER.sub(_letter, text))):
        token = match.group()
        if _HAN_RUN.match(token):
            tokens.extend(_han_tokens(token))
        elif token.isascii() and token.isalpha():
            tokens.append(_stem(token))
        else:
            tokens.extend(_mixed_tokens(token))
    return tokens


def _letter(match: re.Match[str]) -> str:
    """A stop word of one letter, marked where it is the letter of the name before it (in Chinese behind it);
    `rag.facts.names.labelled` reads all labels of names."""
    letter = match.group()
    if before := _NOUN.search(match.string, max(0, match.start() - 24), match.start() - 1):
        noun = before.group().lower()
        named = match["ends"] is not None if letter == "I" else match["capital"] is None
        if not {noun, noun.removesuffix("s")} & _LETTERED and (not named or noun in STOP_WORDS):
            return letter
    return f"letter{letter}"


def _mixed_tokens(token: str) -> list[str]:
    """Thousands separators and possessives go; "3.2.1" stays whole and gives its parts too."""
    if _THOUSANDS.match(token):
        return [token.replace(",", "")]
    token = re.sub(r"['’]s?$|['’]s(?=\W|$)", "", token)
    parts = [p for p in re.split(r"[.,'’]", token) if p]
    whole = [token] if len(parts) > 1 and any(p.isdigit() for p in parts) else []
    return whole + [
        _stem(p) if p.isalpha() else p for p in parts if not (whole and len(parts) == 2 and p.isdigit())
    ]


def words(text: str) -> list[str]:
    """Distinct words as typed, in order, stop words left out: English words and numbers, Chinese words as
    jieba cuts them."""
    found: list[str] = []
    for match in _TOKEN.finditer(text):
        run = match.group()
        found.extend(_jieba().lcut(run) if _HAN_RUN.match(run) else [run])
    return [w for w in dict.fromkeys(found) if w.lower() not in STOP_WORDS]


def cut_words(text: str) -> list[str]:
    """All of a text cut into words as jieba does it; joined they are the text again."""
    return [str(word) for word in _jieba().lcut(text)]


def query_tokens(question: str) -> list[str]:
    """Distinct search tokens of a question without stop words, in order; all tokens when only stop words
    remain."""
    tokens = list(dict.fromkeys(search_tokens(question)))
    kept = [t for t in tokens if not _is_function_word(t)]
    return kept or tokens


def content_tokens(question: str) -> list[str]:
    """What the question is about, to be found again in an answer: `query_tokens` without question words and,
    in Chinese, words alone: a gram across two words proves nothing by its absence. Never empty for a question
    with a word."""
    stripped = _ASKING_UNSPACED.sub(" ", question)
    wording = normalise(stripped)
    if not has_han(wording):
        return query_tokens(_ASKING.sub(" ", stripped)) or query_tokens(question)
    tokens: list[str] = []
    for match in _TOKEN.finditer(wording):
        run = match.group()
        han = _HAN_RUN.match(run)
        tokens.extend(_jieba().lcut_for_search(run) if han else search_tokens(run))
    kept = [t for t in dict.fromkeys(tokens) if not _is_function_word(t)]
    return kept or query_tokens(question)


def _is_function_word(token: str) -> bool:
    return token in stemmed_stop_words() or (len(token) == 1 and has_han(token))


@lru_cache(maxsize=1)
def stemmed_stop_words() -> frozenset[str]:
    """Stop words and their stems."""
    return STOP_WORDS | frozenset(_stem(w) for w in STOP_WORDS if not has_han(w))


# Small words that turn a sentence round

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


@lru_cache(maxsize=1)
def _cues() -> dict[str, re.Pattern[str]]:
    return patterns("cues")


def cues(text: str) -> tuple[Cue, ...]:
    """Turning words of a folded text in order. Prohibitions ("shall not", 不得) are given as modality and
    as negation."""
    found: list[Cue] = []
    used = bytearray(len(text))
    for key, pattern in _cues().items():
        group, name = key.split(".")
        for m in pattern.finditer(text):
            if m.start() == m.end() or any(used[m.start() : m.end()]):
                continue
            found.append(Cue(group, name, m.group(), m.start(), m.end()))
            if name in ("must not", "should not", "need not"):
                found.append(Cue("negation", "not", m.group(), m.start(), m.end()))
            if group in _CONSUMING:
                used[m.start() : m.end()] = b"\1" * (m.end() - m.start())
    return tuple(sorted(found, key=lambda c: (c.start, c.group)))


@lru_cache(maxsize=1024)
def denials(text: str) -> int:
    """How often a text says "not"."""
    return sum(cue.group in ("negation", "denial") for cue in cues(normalise(text)))


def is_word(word: str) -> bool:
    """Whether a word in small letters stands in a dictionary; names seldom do. Loads them, a tenth of a
    second, when first asked."""
    return any(word in words for words in _dictionaries())


@cache
def _dictionaries() -> list[Container[str]]:
    from spellchecker import SpellChecker

    return [
        SpellChecker(language, distance=1).word_frequency.dictionary for language in listed("dictionaries")
    ]
