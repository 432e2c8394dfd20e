"""A question and the sentences of its passages, prepared once, for the signals that compare them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rag.question import ParsedQuestion
from rag.text import search_tokens


@dataclass(frozen=True, slots=True)
class PreparedQuestion:
    """A question prepared once: its parts, distinct content tokens and their idf weights over the index.

    `unknown` are tokens that no passage holds; `topic` are those that are no part of a name or a number: what
    is asked about the named thing; `expansions` are the tokens of each professional term for it, `lines`
    those of each wording of a line item that it needs."""

    question: ParsedQuestion
    tokens: tuple[str, ...]
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
    """A candidate sentence and what stands around it: `surroundings` are title, headings and table header,
    the tokens `context_tokens` are theirs and those of the sentence before; `titles` are those of title and
    headings alone; `head` is how the document begins: parties, company, patient are often named there and
    nowhere else. `place` (0..1) is where in its passage it stands."""

    hit: int
    start: int
    end: int
    text: str
    surroundings: str
    header: str
    location: str
    head: str
    first: bool
    tokens: frozenset[str]
    sequence: tuple[str, ...]
    context_tokens: frozenset[str]
    titles: frozenset[str]
    place: float = 0.0
    row: bool = False


@dataclass(frozen=True, slots=True)
class SentenceUnit:
    """A sentence or a table row as read: offset in the document, verbatim text, column heads and cells of a
    row; whether it is a row."""

    start: int
    text: str
    header: str = ""
    location: str = ""
    row: bool = False


def make_sentences(
    hit: int, units: Sequence[SentenceUnit], surroundings: str, head: str = ""
) -> list[Sentence]:
    """The sentences of one passage from its units in reading order; each knows the one before it.

    A unit that holds no word beyond title, headings and column heads is left out: it names, and says nothing.
    """
    made: list[Sentence] = []
    titles = frozenset(search_tokens(surroundings))
    for n, unit in enumerate(units):
        context_tokens = titles | frozenset(search_tokens(unit.header)) if unit.header else titles
        sequence = tuple(search_tokens(unit.text))
        if context_tokens.issuperset(sequence):
            continue
        before = made[-1].tokens if made else frozenset()
        made.append(
            Sentence(
                hit=hit,
                start=unit.start,
                end=unit.start + len(unit.text),
                text=unit.text,
                surroundings=f"{surroundings}\n{unit.header}",
                header=unit.header,
                location=unit.location,
                head=head,
                first=not made,
                tokens=frozenset(sequence),
                sequence=sequence,
                context_tokens=context_tokens | before,
                titles=titles,
                place=n / max(1, len(units) - 1),
                row=unit.row,
            )
        )
    return made
