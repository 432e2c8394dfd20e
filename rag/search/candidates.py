"""A question and the sentences of its passages, prepared once, for the signals that compare them.

Where a sentence holds something of the kind that a question asks for.

Pure functions over strings, English and Chinese. The patterns are short on purpose and read words, not
meaning: what they find is a hint for choosing sentences, never a filter.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rag.facts.dates import FoundDate, dated, dates
from rag.facts.names import capitalised_runs, labelled
from rag.facts.numerals import CURRENCY_AFTER, CURRENCY_BEFORE, alternatives, fold
from rag.facts.quantities import extract
from rag.facts.quantity import Quantity
from rag.languages import listed, patterns
from rag.languages.text import STOP_WORDS, has_han, normalise, search_tokens
from rag.questions.expects import KINDS, AnswerType, Wording
from rag.types import Cell, LeadIn, Span
from rag.types.tables import heads_text


@dataclass(frozen=True, slots=True)
class PreparedQuestion:
    """A question with the idf weights over the index of its content tokens.

    `unknown` are tokens that no passage holds; `topic` are those that are no part of a name or a number: what
    is asked about the named thing; `expansions` are the tokens of each professional term for it, `lines`
    those of each wording of a line item that it needs."""

    query: Wording
    weights: Mapping[str, float]
    unknown: frozenset[str]
    topic: frozenset[str]
    expansions: tuple[frozenset[str], ...] = ()
    lines: tuple[frozenset[str], ...] = ()

    @property
    def total(self) -> float:
        return max(1e-6, sum(self.weights.values()))

    def coverage(self, tokens: frozenset[str]) -> float:
        """Share of the question's idf weight that these tokens hold."""
        return sum(w for t, w in self.weights.items() if t in tokens) / self.total

    def topic_coverage(self, tokens: frozenset[str]) -> float:
        """The same share over the topic alone; 1.0 where the question is nothing but names."""
        total = sum(self.weights[t] for t in self.topic)
        return sum(self.weights[t] for t in self.topic if t in tokens) / total if total else 1.0

    def added(self, tokens: frozenset[str], given: frozenset[str]) -> float:
        """Share of what the given tokens (a title, headings) leave to be said that these tokens say; 0.0
        where nothing is left."""
        rest = {t: w for t, w in self.weights.items() if t not in given}
        total = sum(rest.values())
        return sum(w for t, w in rest.items() if t in tokens) / total if total > 0 else 0.0

    def expansion_share(self, tokens: frozenset[str]) -> float:
        """1.0 where these tokens hold a professional term for what the question says in lay words."""
        return 1.0 if any(tokens.issuperset(term) for term in self.expansions) else 0.0

    def line_item(self, tokens: frozenset[str]) -> float:
        """The largest share that the wording of a needed line item has of a label that holds it whole."""
        shares = [len(line) / len(tokens) for line in self.lines if line and tokens.issuperset(line)]
        return max(shares, default=0.0)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A candidate sentence and what stands around it: `surroundings` are title, headings and what stands over
    it (`SentenceUnit.over`), the tokens `context_tokens` are theirs and those of the sentence before;
    `titles` are those of title and headings alone; `head` is how the document begins: parties, company,
    patient are often named there and nowhere else. `sequence` are the tokens of its own words, `tokens` those
    and what stands over it. `place` (0..1) is where in its passage it stands."""

    hit: int
    start: int
    end: int
    text: str
    surroundings: str
    unit: SentenceUnit
    head: str
    first: bool
    tokens: frozenset[str]
    sequence: tuple[str, ...]
    context_tokens: frozenset[str]
    titles: frozenset[str]
    place: float = 0.0


@dataclass(frozen=True, slots=True)
class SentenceUnit:
    """A sentence or a table row as read: offset in the document, verbatim text; of a row its column heads and
    cells (as in `Evidence`) and the title of its table; its place; whether it is a row; of an item of a list
    what leads into it, and whether the list is a unit, too."""

    start: int
    text: str
    heads: tuple[str, ...] = ()
    cells: tuple[Cell, ...] = ()
    location: str = ""
    row: bool = False
    table: str = ""
    leads: tuple[LeadIn, ...] = ()
    listed: bool = False

    @property
    def over(self) -> str:
        """What stands over it: title and column heads, or what leads into the list."""
        named = (self.table, heads_text(self.heads), *(lead.text for lead in self.leads))
        return "\n".join(filter(None, named))


_SALUTATION = 6


def make_sentences(
    hit: int, units: Sequence[SentenceUnit], surroundings: str, head: str = ""
) -> list[Sentence]:
    """The sentences of one passage from its units in reading order; each knows the one before it.

    A unit that holds no word beyond title, headings and column heads is left out, and so is a salutation: it
    names, and says nothing.
    """
    made: list[Sentence] = []
    titles = frozenset((*search_tokens(surroundings), *dated(surroundings)))
    for n, unit in enumerate(units):
        over = frozenset((*search_tokens(unit.over), *dated(unit.over)))
        sequence = tuple(search_tokens(unit.text))
        salutation = not unit.row and unit.text.rstrip().endswith((",", "，")) and len(sequence) < _SALUTATION
        if salutation or (titles | over).issuperset(sequence):
            continue
        before = made[-1].tokens if made else frozenset()
        one = Sentence(
            hit, unit.start, unit.start + len(unit.text), unit.text, f"{surroundings}\n{unit.over}", unit,
            head, not made, over.union(sequence, dated(unit.text)), sequence, titles | over | before, titles,
            place=n / max(1, len(units) - 1),
        )  # fmt: skip
        made.append(one)
    return made


# What else than a number tells how much, how long and when.
_ALSO = {AnswerType(kind): pattern for kind, pattern in patterns("offers").items()}
_RE = patterns("candidates", re.NOFLAG)
_HINTS = {
    AnswerType.MONEY: re.compile(alternatives([*CURRENCY_BEFORE, *CURRENCY_AFTER]), re.IGNORECASE),
    AnswerType.PERCENT: _RE["percent"],
}
_QUOTED = re.compile(r"[\"“《「]([^\"”》」]{2,60})[\"”》」]")
_NAMES_ZH = {AnswerType(kind): pattern for kind, pattern in patterns("named", re.NOFLAG).items()}
_CLAUSES = {AnswerType(kind): pattern for kind, pattern in patterns("clause").items()}
NAMING = frozenset({AnswerType.PERSON, AnswerType.ORGANISATION, AnswerType.NAME})
_OPENERS = STOP_WORDS | listed("openers")


def answers_in(sentence: str, kind: AnswerType, known: str = "") -> list[Span]:
    """Spans of `sentence` that could answer a question of this kind and that `known` (the question,
    normalised) does not say itself; for clauses the words that open one. Empty for OTHER."""
    if kind is AnswerType.OTHER:
        return []
    if kind in _CLAUSES:
        return [Span(m.start(), m.end()) for m in _CLAUSES[kind].finditer(sentence)]
    if kind in NAMING:
        spans = list(_names_in(sentence, kind))
    elif kind is AnswerType.PLACE:
        spans = [Span(m.start(), m.end()) for m in _RE["place"].finditer(sentence)]
    else:
        spans = [Span(v.start, v.end) for v in _values(sentence, kind)]
        spans += [Span(m.start(), m.end()) for m in _ALSO[kind].finditer(sentence)]
    return [s for s in spans if _is_fresh(sentence[s.start : s.end], known)]


def _values(sentence: str, kind: AnswerType) -> Iterable[Quantity | FoundDate]:
    """The quantities of a kind; a sentence is read whole only where it may hold one."""
    if kind is AnswerType.DATE:
        return dates(fold(sentence))
    if kind in _HINTS and not _HINTS[kind].search(sentence):
        return ()
    return (q for q in extract(sentence) if q.kind in KINDS[kind])


def _is_fresh(text: str, known: str) -> bool:
    """Whether it says anything that the question does not: one new word is enough for a name, or one letter
    for "Party B"."""
    plain = normalise(text).strip()
    if has_han(plain):
        return plain not in known
    said = _words(known)
    if any(w not in said for w in _words(plain) if w not in STOP_WORDS):
        return True
    lettered = (normalise(text[n.start : n.end]) for n in labelled(fold(text)) if n.noun)
    return any(not re.search(rf"\b{re.escape(name)}\b", known) for name in lettered)


@lru_cache(maxsize=4096)
def _words(plain: str) -> frozenset[str]:
    return frozenset(re.findall(r"[^\W_]+", plain))


def _names_in(sentence: str, kind: AnswerType) -> Iterator[Span]:
    if has_han(sentence):
        for match in _NAMES_ZH[kind].finditer(sentence):
            yield Span(match.start(), match.end())
        return
    for match in capitalised_runs(sentence):
        start = match.start()
        first = match.group().split(" ", 1)[0]
        if first.lower().rstrip(".'’") in _OPENERS:
            rest = sentence[start + len(first) : match.end()].lstrip()
            while rest and not rest[0].isupper():
                rest = rest.split(" ", 1)[1] if " " in rest else ""
            if not rest:
                continue
            start = match.end() - len(rest)
        yield Span(start, match.end())
    if kind is AnswerType.NAME:
        for match in _QUOTED.finditer(sentence):
            yield Span(match.start(1), match.end(1))
