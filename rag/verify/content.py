"""What a sentence asserts, taken apart once: words, quantities, names and turning words with their places.

Words are stems for Latin script and plain characters for Han, so that nothing depends on how a Chinese run
is cut into words. Quantities are taken out of the words: "20万元" and "CNY 200,000" share no letters and
are the same fact."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache

from rag.facts.names import CAPITALISED, LabelledName, labelled
from rag.facts.numerals import fold
from rag.facts.quantities import extract
from rag.facts.quantity import Kind, Quantity
from rag.facts.values import Range, read
from rag.languages import listed, patterns
from rag.languages.text import STOP_WORDS, Cue, cues, search_tokens, stemmed_stop_words

_RE = patterns("content", re.NOFLAG)
# Han characters that carry grammar rather than content; turning words are judged as cues.
FUNCTION_HAN = frozenset("".join(listed("function_letters")))
LIGHT_WORDS = listed("light_words")
_TITLE_ZH = re.compile(r"《([^《》\n]{1,60})》")
ROLE_WORDS = listed("roles")
_ENDINGS = listed("endings")
_AGENTS = frozenset({"ee", "er", "or", "ator"})


@dataclass(frozen=True, slots=True)
class AssertedWord:
    """A Latin-script word (stem, span) or one Han run (itself, span)."""

    stem: str
    start: int
    end: int
    han: bool = False


@dataclass(frozen=True)
class Assertions:
    """A sentence taken apart. `folded` has the length of `text`; all spans index into either."""

    text: str

    @cached_property
    def folded(self) -> str:
        return fold(self.text)

    @cached_property
    def lower(self) -> str:
        return self.folded.lower()

    @cached_property
    def _facts(self) -> tuple[tuple[Quantity, ...], tuple[LabelledName, ...]]:
        """A label is no quantity ("ward 3", "type 2"), unless it is of an article, a date or a measure."""
        found = extract(self.text)
        firm = [q for q in found if q.kind not in _PLAIN and q.unit not in _LABELLED]
        names = tuple(n for n in labelled(self.folded) if not any(_meet(q, n) for q in firm))
        return tuple(q for q in found if not any(_meet(q, n) for n in names)), names

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        return self._facts[0]

    @cached_property
    def ranges(self) -> tuple[Range, ...]:
        """Those of the text; without two quantities it has none with two ends."""
        several = len(self.quantities) > 1
        return tuple(v for v in read(self.text) if isinstance(v, Range)) if several else ()

    @property
    def labelled(self) -> tuple[LabelledName, ...]:
        return self._facts[1]

    @cached_property
    def cues(self) -> tuple[Cue, ...]:
        return cues(self.folded)

    @cached_property
    def words(self) -> tuple[AssertedWord, ...]:
        """Words outside quantities, in order; stop words included. The label of a name is a word of that
        name alone: no article, no word of other names."""
        masked = list(self.lower)
        spans = [(q.start, q.end) for q in self.quantities]
        found: list[AssertedWord] = []
        for n in self.labelled:
            start, end = n.label_start, n.label_end
            if not _RE["han_run"].match(self.text, start):
                spans.append((start, end))
                found.append(AssertedWord(f"{n.label}·{n.noun}", start, end))
        for start, end in spans:
            masked[start:end] = "\n" * (end - start)
        for m in _RE["word"].finditer("".join(masked)):
            if _RE["han_run"].match(m.group()):
                found.append(AssertedWord(m.group(), m.start(), m.end(), han=True))
            else:
                found.append(AssertedWord(stem(m.group()), m.start(), m.end()))
        return tuple(sorted(found, key=lambda w: w.start))

    @cached_property
    def content(self) -> tuple[AssertedWord, ...]:
        """Latin-script words that carry meaning."""
        return tuple(
            w
            for w in self.words
            if not w.han and w.stem not in stemmed_stop_words() and w.stem not in LIGHT_WORDS
        )

    @cached_property
    def stems(self) -> frozenset[str]:
        return frozenset(w.stem for w in self.words if not w.han)

    @cached_property
    def prefixes(self) -> dict[str, tuple[str, ...]]:
        """Longer stems by their first five letters."""
        found: dict[str, tuple[str, ...]] = {}
        for s in self.stems:
            if len(s) >= 5:
                found[s[:5]] = (*found.get(s[:5], ()), s)
        return found

    @cached_property
    def han(self) -> tuple[AssertedWord, ...]:
        return tuple(w for w in self.words if w.han)

    @cached_property
    def han_characters(self) -> frozenset[str]:
        return frozenset("".join(w.stem for w in self.han))

    @cached_property
    def grams(self) -> frozenset[str]:
        """Overlapping two-character grams of Han runs."""
        return frozenset(w.stem[i : i + 2] for w in self.han for i in range(len(w.stem) - 1))

    @cached_property
    def squeezed(self) -> str:
        """Lower-case text without white space, for verbatim tests."""
        return re.sub(r"\s+", "", self.lower)

    @cached_property
    def size(self) -> int:
        """How much is asserted: content words, Han characters in pairs, quantities."""
        return len(self.content) + sum(len(w.stem) for w in self.han) // 2 + len(self.quantities)

    @cached_property
    def _plain_words(self) -> frozenset[str]:
        return frozenset(re.findall(r"[a-z]+", self.lower))

    def mentions(self, word: str) -> bool:
        """Whether a lower-case word or phrase occurs: whole (or with a plural s) in Latin letters, anywhere
        in Han."""
        if not word.isascii():
            return word in self.lower
        if not word.isalpha():
            return re.search(rf"\b{re.escape(word)}\b", self.lower) is not None
        return word in self._plain_words or f"{word}s" in self._plain_words

    def has_stem(self, word: str) -> bool:
        """Whether a stem occurs, or one that is made of the same root: commerci and commerc, not johnston and
        johnson."""
        if word in self.stems:
            return True
        return len(word) >= 5 and any(related(word, s) for s in self.prefixes.get(word[:5], ()))

    def scope(self, start: int, end: int, *, before: int = 0, after: int = 3) -> frozenset[str]:
        """Content next to `[start, end)` within its clause: stems, Han grams and quantity keys, at most
        that many a side."""
        left = _clause_edge(self.folded, start, -1)
        right = _clause_edge(self.folded, end, 1)
        words, grams = self._near(end, right)
        scope = words[:after] + grams[: 3 * after]
        if before:
            words, grams = self._near(left, start)
            scope += words[-before:] + grams[-3 * before :]
        return frozenset(scope)

    def _near(self, start: int, end: int) -> tuple[list[str], list[str]]:
        """Words with quantities, and Han grams, between two places; three grams are about one word."""
        items = [(w.start, w.stem) for w in self.content if start <= w.start < end]
        items += [(q.start, q.key) for q in self.quantities if start <= q.start < end]
        runs = (m.group() for m in _RE["han_run"].finditer(self.lower, start, end))
        grams = [run[i : i + 2] for run in runs for i in range(len(run) - 1)]
        return [item for _, item in sorted(items)], grams

    @cached_property
    def items(self) -> frozenset[str]:
        """Everything a scope can contain."""
        return (
            frozenset(w.stem for w in self.content) | self.grams | frozenset(q.key for q in self.quantities)
        )


# Numbers that a label may be, and nouns whose labels are no numbers of articles.
_PLAIN = (Kind.NUMBER, Kind.ORDINAL)
_LABELLED = frozenset(("phase", "type", "class", "grade", "stage", "level"))


def _meet(quantity: Quantity, name: LabelledName) -> bool:
    return quantity.start < name.label_end and name.label_start < quantity.end


@lru_cache(maxsize=65536)
def related(a: str, b: str) -> bool:
    """Whether two stems differ only in what derivation adds to a common root of five letters or more."""
    root = 0
    while root < min(len(a), len(b)) and a[root] == b[root]:
        root += 1
    for cut in range(root, 4, -1):
        one, other = a[cut:], b[cut:]
        if {one, other} <= _AGENTS:
            return False
        if (not one or one in _ENDINGS) and (not other or other in _ENDINGS):
            return True
    return False


def _clause_edge(text: str, position: int, direction: int) -> int:
    reach = 160
    if direction > 0:
        m = _RE["clause"].search(text, position, position + reach)
        return m.start() if m else min(len(text), position + reach)
    edge = max(0, position - reach)
    for m in _RE["clause"].finditer(text, edge, position):
        edge = m.end()
    return edge


@lru_cache(maxsize=512)
def assertions_of(text: str) -> Assertions:
    """Facts of a source text, kept for the next draft that rests on it."""
    return Assertions(text)


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """The search token of one Latin-script word, possessives and dots apart."""
    word = re.sub(r"['’]s?$", "", word.strip("."))
    tokens = search_tokens(word)
    return tokens[0] if tokens else word


@dataclass(frozen=True, slots=True)
class Name:
    """A proper name of the sentence; `initial` where only its place at the start may make it a capital."""

    text: str
    start: int
    initial: bool = False
    acronym: bool = False
    titled: bool = False


def names(facts: Assertions) -> tuple[Name, ...]:
    """Capitalised sequences, acronyms, 《titles》 and Chinese organisations, quantities apart."""
    text = facts.folded
    taken = [(q.start, q.end) for q in facts.quantities]
    taken += [(n.label_start, n.label_end) for n in facts.labelled]
    found: list[Name] = []
    for m in CAPITALISED.finditer(text):
        before, word = text[: m.start()], re.sub(r"['’]s$", "", m.group().rstrip(".,'’-&"))
        if len(word) < 2 or any(a <= m.start() < b for a, b in taken) or word.lower() in STOP_WORDS:
            continue
        initial = not before.strip(" \"'“‘([-*\t") or before.rstrip().endswith((".", "!", "?", ":", "。"))
        found.append(Name(word, m.start(), initial, acronym=word.isupper()))
    found += [Name(m.group(1), m.start(1), titled=True) for m in _TITLE_ZH.finditer(text)]
    for m in _RE["org_zh"].finditer(text):
        # What stands before the name may have been taken along: the two characters before "bank" or "court"
        # say which one it is.
        stem_end = _RE["org_suffix"].search(m.group())
        own = m.group()[: stem_end.start()][-2:] if stem_end else ""
        if len(own) == 2 and not set(own) & FUNCTION_HAN:
            found.append(Name(own + (stem_end.group() if stem_end else ""), m.start()))
    return tuple(found)
