"""Lays a sentence along the source it is said to rest on: which words are found, which are new, and in
which order.

Latin-script words meet by stem, Han runs by the longest stretches (two characters and more) that the source
also has, quantities by `rag.facts.quantities.compare`. The order test reads the found pieces from left to
right through the source: one block may have moved (a leading clause), anything else is reported, because "A
pays B" and "B pays A" have the same words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from rag.facts.quantities import in_header_scale
from rag.facts.quantity import Quantity, QuantityMatch, compare
from rag.languages import named, say
from rag.types.tables import heads_text
from rag.verify.content import FUNCTION_HAN, AssertedWord, Assertions

_MAX_PLACES = 12  # places remembered for one word: enough for any sentence, bounded for hostile ones


@dataclass(frozen=True, slots=True)
class VerificationReason:
    """Why a sentence has its state: a code, which [reasons] of says.toml has, and the words that go into it
    as they stand."""

    code: str
    values: tuple[tuple[str, str], ...] = ()

    def words(self, language: str = "en") -> str:
        """The reason as a sentence."""
        values = dict(self.values)
        if "kind" in values:
            values["kind"] = named("fact", values["kind"], language)
        return say(f"reasons.{self.code}", language, **values)


def reason(code: str, **values: str) -> VerificationReason:
    """The reason of that code; KeyError for one that does not exist or lacks a value."""
    made = VerificationReason(code, tuple(values.items()))
    made.words()
    return made


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that speaks against a sentence. `reversed`: its words are there and say something else, so
    that no second source can mend it."""

    hard: bool
    reason: VerificationReason
    reversed: bool = False


@dataclass(frozen=True, slots=True)
class Anchor:
    """A piece of the claim that stands in the source: where in the claim, where in the source (starts,
    ascending)."""

    text: str
    start: int
    places: tuple[int, ...]
    quantity: Quantity | None = None


@dataclass(frozen=True)
class Source:
    """A unit of evidence: one sentence or table row, with the context that belongs to it.

    `number` is that of the citation; `context` holds title, headings and column heads; `heads` are the
    column heads of a row and `cells` the words of its cells."""

    number: int
    facts: Assertions
    context: Assertions
    heads: tuple[str, ...] = ()
    cells: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        return f"[{self.number}]"

    @cached_property
    def quantities(self) -> tuple[Quantity, ...]:
        """Figures of the sentence, also as read under the scale of the column heads."""
        own = self.facts.quantities
        return (*own, *(r for q in own for r in self.scaled(q)))

    def scaled(self, figure: Quantity) -> tuple[Quantity, ...]:
        """The readings of a figure under the scale of the column heads."""
        return in_header_scale(figure, heads_text(self.heads)) if self.heads else ()

    @cached_property
    def places(self) -> dict[str, list[int]]:
        """Where each stem stands."""
        found: dict[str, list[int]] = {}
        for word in self.facts.words:
            if not word.han:
                found.setdefault(word.stem, []).append(word.start)
        return found

    def has_stem(self, word: str) -> bool:
        return self.facts.has_stem(word) or self.context.has_stem(word)

    def best(self, claim: Quantity) -> tuple[QuantityMatch, Quantity | None]:
        """The best-matching quantity of the sentence itself."""
        best: tuple[QuantityMatch, Quantity | None] = (QuantityMatch.DIFFERENT, None)
        for q in self.quantities:
            match = compare(claim, q)
            if match > best[0]:
                best = (match, q)
                if match is QuantityMatch.EXACT:
                    break
        return best


@dataclass(frozen=True, slots=True)
class Alignment:
    """`found` and `total` weigh the claim's content (a word 1, a Han character 1/2); `new` are its words
    that the source lacks, and Han characters that it has only apart; `echoed` words known from the question
    alone."""

    found: float
    total: float
    new: tuple[str, ...]
    echoed: tuple[str, ...]
    anchors: tuple[Anchor, ...]

    @property
    def coverage(self) -> float:
        """Share of the claim's content that stands in the source; 1.0 for a claim without content words."""
        return self.found / self.total if self.total else 1.0


def align(claim: Assertions, source: Source, question: Assertions) -> Alignment:
    anchors: list[Anchor] = []
    new: list[str] = []
    echoed: list[str] = []
    found = total = 0.0
    alike = _same_cues(claim, source)
    for word in claim.content:
        total += 1
        text = claim.text[word.start : word.end]
        if any(n.start <= word.start < n.label_start for n in claim.labelled) and source.has_stem(word.stem):
            found += 1  # the label says where the name stands
        elif places := source.places.get(word.stem):
            anchors.append(Anchor(text, word.start, tuple(places[:_MAX_PLACES])))
            found += 1
        elif source.has_stem(word.stem):
            found += 1
        elif any(a <= word.start < b for a, b in alike):
            found += 1  # "fell" for "declined": the checks of turning words have judged it
        elif question.has_stem(word.stem):
            echoed.append(text)
        else:
            new.append(text)
    for run in claim.han:
        part = _align_han(run, source, question, alike)
        found, total = found + part.found, total + part.total
        anchors += part.anchors
        new += part.new
        echoed += part.echoed
    figures = _quantity_anchors(claim, source)
    anchors += figures
    found, total = found + len(figures), total + len(claim.quantities)
    ordered = sorted(anchors, key=lambda a: a.start)
    return Alignment(found, total, tuple(new), tuple(echoed), tuple(ordered))


def _same_cues(claim: Assertions, source: Source) -> list[tuple[int, int]]:
    """Spans of turning words for which the source has one of the same class. Results ("valid", "approved")
    are words of their own, and so are denials."""
    classes = {(c.group, c.name) for c in source.facts.cues}
    return [
        (c.start, c.end)
        for c in claim.cues
        if (c.group, c.name) in classes and c.group not in ("result", "denial")
    ]


def _align_han(
    word: AssertedWord, source: Source, question: Assertions, alike: Sequence[tuple[int, int]]
) -> Alignment:
    """Greedy tiling of a Han run by stretches of the source, longest first from the left."""
    run, text = word.stem, source.facts.lower
    tiles: list[Anchor] = []
    loose: list[tuple[str, int]] = []
    found = total = 0.0
    i = 0
    while i < len(run):
        length = _longest(run, i, text)
        if length >= 2:
            tile = run[i : i + length]
            tiles.append(Anchor(tile, word.start + i, _find_all(text, tile)))
        elif (length := _longest(run, i, source.context.lower)) < 2:
            length = 1
            loose.append((run[i], i))
        else:
            tile = run[i : i + length]
        if length >= 2:
            weight = sum(c not in FUNCTION_HAN for c in tile) / 2
            found, total = found + weight, total + weight
        i += length
    new: list[str] = []
    echoed: list[str] = []
    for character, at in loose:
        place = word.start + at
        if character in FUNCTION_HAN or any(a <= place < b for a, b in alike):
            continue
        total += 0.5
        if character in source.facts.han_characters:
            found += 0.25
            new.append(run[max(0, at - 1) : at + 2])
        elif any(run[a : a + 2] in question.lower for a in (max(0, at - 1), at)) and len(run) > 1:
            echoed.append(character)
        else:
            new.append(run[max(0, at - 1) : at + 2])
    return Alignment(found, total, tuple(new), tuple(echoed), tuple(tiles))


def _longest(run: str, start: int, text: str) -> int:
    """Length of the longest stretch of `run` from `start` that `text` contains, at most 64."""
    low, high = 0, min(64, len(run) - start)
    while low < high:  # substrings of a contained string are contained, so bisection holds
        middle = (low + high + 1) // 2
        if run[start : start + middle] in text:
            low = middle
        else:
            high = middle - 1
    return low


def _find_all(text: str, piece: str) -> tuple[int, ...]:
    places: list[int] = []
    at = text.find(piece)
    while at >= 0 and len(places) < _MAX_PLACES:
        places.append(at)
        at = text.find(piece, at + 1)
    return tuple(places)


def _quantity_anchors(claim: Assertions, source: Source) -> list[Anchor]:
    anchors = []
    for q in claim.quantities:
        matches = [(compare(q, s), s.start) for s in source.quantities]
        best = max((m for m, _ in matches), default=QuantityMatch.DIFFERENT)
        if best > QuantityMatch.DIFFERENT:
            places = tuple(sorted({start for m, start in matches if m is best})[:_MAX_PLACES])
            anchors.append(Anchor(q.text, q.start, places, q))
    return anchors


def reading(anchors: Sequence[Anchor]) -> tuple[list[int], bool]:
    """The source place of each anchor, read from left to right, and whether that order holds.

    It holds where the anchors follow the source, or where exactly one leading block was moved behind the
    rest (three anchors and more: with two, a moved block and a swap look the same)."""
    places: list[int] = []
    last, breaks, edge = -1, 0, 0
    for i, anchor in enumerate(anchors):
        at = next((p for p in anchor.places if p > last), None)
        if at is None:
            breaks, edge = breaks + 1, i
            at = anchor.places[0]
        places.append(at)
        last = at
    if breaks == 0:
        return places, True
    rotated = breaks == 1 and len(places) > 3 and max(places[edge:]) < min(places[:edge])
    return places, rotated
