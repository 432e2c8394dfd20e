"""Checks of what belongs together (figures to their columns and neighbours, who does what to whom, words to
one clause) and of the words that turn a sentence round: negation, modality, direction, opposites, conditions
and quantifiers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise

from rag.facts.names import LabelledName
from rag.facts.quantity import Kind, Quantity, QuantityMatch, compare
from rag.languages import patterns
from rag.languages.text import OPPOSITES, Cue
from rag.verify.align import Alignment, Anchor, Finding, Source, reading, reason
from rag.verify.content import Assertions

_RE = patterns("polarity", re.NOFLAG)
_SIDES = frozenset(word for pair in OPPOSITES for word in pair)
_STRICT = {"must", "may", "must not", "need not"}
_TURNING = ("modality", "trend", "comparison", "bound", "time", "balance", "result")


def columns_agree(claim: Assertions, source: Source) -> Iterator[Finding]:
    """A figure of a table row belongs to the period that heads its column."""
    cells, headings = source.cells, source.heads
    if len(headings) < 2 or len(cells) - len(headings) not in (0, 1):
        return
    headings = ("",) * (len(cells) - len(headings)) + headings
    columns = [
        (Assertions(cell).quantities, Assertions(heading).quantities)
        for cell, heading in zip(cells, headings, strict=True)
    ]
    claimed = [q for q in claim.quantities if q.kind is Kind.DATE]
    figures = [q for q in claim.quantities if q.kind is not Kind.DATE]
    heads = [
        d for d in claimed if any(compare(d, h) is QuantityMatch.EXACT for _, head in columns for h in head)
    ]
    if len(heads) != 1 or len(figures) != 1:
        return
    under = [cell for cell, head in columns if any(compare(heads[0], h) is QuantityMatch.EXACT for h in head)]
    if not any(_cell_matches(figures[0], q, source) for cell in under for q in cell):
        figure, heading = figures[0].text.strip(), heads[0].text.strip()
        yield Finding(
            True, reason("column", claimed=figure, stated=heading, label=source.label), reversed=True
        )


def _cell_matches(claim: Quantity, cell: Quantity, source: Source) -> bool:
    return any(
        compare(replace(claim, value=v), r) > QuantityMatch.DIFFERENT
        for r in (cell, *source.scaled(cell))
        for v in (claim.value, -claim.value)
    )


def order_holds(claim: Assertions, source: Source, alignment: Alignment) -> Iterator[Finding]:
    """The found pieces come in the source's order, and no rival figure stands between a figure and its
    neighbour."""
    # A figure without a rival of its kind belongs to nothing else and may stand anywhere.
    kinds = Counter(q.kind for q in source.facts.quantities)
    anchors = [
        a for a in alignment.anchors if a.places and (a.quantity is None or kinds[a.quantity.kind] > 1)
    ]
    if len(anchors) < 2:
        return
    places, in_order = reading(anchors)
    if not in_order:
        at = next(i for i in range(1, len(places)) if places[i] <= places[i - 1])
        same_words = not alignment.new and not alignment.echoed
        parties = _swapped_parties(claim, anchors, places)
        hard = same_words and _voice(claim) == _voice(source.facts) and parties
        yield Finding(
            hard,
            reason("order", claimed=anchors[at - 1].text, stated=anchors[at].text, label=source.label),
            reversed=hard,
        )
        return
    if _voice(claim) != _voice(source.facts) and len(places) > 2:
        yield Finding(False, reason("voice", label=source.label))
    yield from _rivals_between(claim, source, anchors, places)


def _voice(facts: Assertions) -> bool:
    """Whether a passive names who acts."""
    return _RE["passive"].search(facts.lower) is not None


def _swapped_parties(claim: Assertions, anchors: Sequence[Anchor], places: Sequence[int]) -> bool:
    """Whether exchanging two pieces restores the order, and both are parties: names, roles, sides of a
    bargain."""
    wrong = [i for i, (a, b) in enumerate(zip(places, sorted(places), strict=True)) if a != b]
    if len(wrong) != 2:
        return False
    swapped = [anchors[i] for i in wrong]
    initial = len(claim.text) - len(claim.text.lstrip("\"'“‘( "))
    if any(a.quantity for a in swapped):
        return False
    return all(
        a.text.lower() in _SIDES or (_RE["party"].fullmatch(a.text) and a.start > initial) for a in swapped
    )


def _rivals_between(
    claim: Assertions, source: Source, anchors: Sequence[Anchor], places: Sequence[int]
) -> Iterator[Finding]:
    """ "10 mg for adults and 5 mg for children" does not say "10 mg for children", nor "Party A pays the rent
    and Party B the deposit" that Party A pays the deposit."""
    said = {(n.noun, n.label) for n in claim.labelled}
    nouns = {noun for noun, _ in said}
    named = [n for n in source.facts.labelled if n.noun in nouns and (n.noun, n.label) not in said]
    figures = [
        q
        for q in source.facts.quantities
        if all(compare(own, q) is QuantityMatch.DIFFERENT for own in claim.quantities)
    ]
    for (a, left), (b, right) in pairwise(zip(anchors, places, strict=True)):
        figure = a.quantity or b.quantity
        rivals: list[Quantity | LabelledName] = [q for q in figures if figure and q.kind is figure.kind]
        rivals += [n for n in named if _RE["joint"].search(source.facts.lower, left, max(left, n.start))]
        for rival in rivals:
            if left < rival.start < right:
                other = source.facts.text[rival.start : rival.end].strip()
                because = reason("rival", rival=other, claimed=a.text, stated=b.text, label=source.label)
                yield Finding(False, because)
                return


def _of(facts: Assertions, *groups: str) -> list[Cue]:
    return [c for c in facts.cues if c.group in groups]


def _retold(claim: Assertions, source: Source, cue: Cue, before: int = 0) -> bool:
    """Whether the claim says at least half of what a turning word of the source governs."""
    scope = source.facts.scope(cue.start, cue.end, before=before)
    return bool(scope) and 2 * len(scope & claim.items) >= len(scope)


def negation_agrees(claim: Assertions, source: Source) -> Iterator[Finding]:
    """What the source denies the claim denies, and nothing else."""
    theirs, own = _of(source.facts, "negation"), _of(claim, "negation")
    weak_theirs = theirs or _of(source.facts, "denial", "bound")
    weak_own = own or _of(claim, "denial", "bound")
    near = [source.facts.scope(t.start, t.end, before=3) for t in theirs]
    for cue in own:
        if any(claim.scope(cue.start, cue.end, before=3) & scope for scope in near):
            continue
        head = claim.scope(cue.start, cue.end, after=1)
        # With a denial of another wording in the source the same may be said in other words: only a reader
        # can decide.
        hard = not weak_theirs or (bool(theirs) and bool(head & source.facts.items))
        yield Finding(hard, reason("denies", claimed=cue.text, label=source.label), reversed=True)
    kept = [claim.scope(o.start, o.end, before=3) for o in own]
    told = [(c, source.facts.scope(c.start, c.end)) for c in theirs if _retold(claim, source, c)]
    if not weak_own and all(c.name != "no" for c in _of(claim, "result")):
        for cue in _of(source.facts, "denial"):
            if _retold(claim, source, cue) and not claim.mentions(cue.text.lower()):
                yield Finding(False, reason("left out", stated=cue.text, label=source.label), reversed=True)
    for cue in (c for c, scope in told if not any(scope & k for k in kept)):
        # "Not without consent" and "with consent" say the same: an even number of negations may go.
        hard = not weak_own and len(theirs) % 2 == 1
        yield Finding(hard, reason("left out", stated=cue.text, label=source.label), reversed=True)


def directions_agree(claim: Assertions, source: Source) -> Iterator[Finding]:
    """May is not shall, more not less, above not below, before not after, profit not loss: by the nearest
    words on both sides."""
    for group in _TURNING:
        theirs = _of(source.facts, group)
        if not theirs:
            continue
        scopes = [source.facts.scope(t.start, t.end, before=3) for t in theirs]
        for cue in _of(claim, group):
            scope = claim.scope(cue.start, cue.end, before=3)
            ranked = [(len(scope & s), t.name == cue.name, t) for s, t in zip(scopes, theirs, strict=True)]
            shared, same, nearest = max(ranked, key=lambda r: r[:2])
            spoken = group == "modality"  # of these only what binds, or allows, turns a sentence round
            if not same and (shared or (not spoken and all(t.name != cue.name for t in theirs))):
                because = reason("turned", claimed=cue.text, stated=nearest.text, label=source.label)
                hard = not spoken or {cue.name, nearest.name} <= _STRICT
                yield Finding(hard, because, reversed=hard)


def hedges_kept(claim: Assertions, source: Source) -> Iterator[Finding]:
    """What the source expects, plans or reports that others say is not stated as having happened."""
    if _of(claim, "hedge", "modality"):
        return
    for cue in _of(source.facts, "hedge"):
        if _retold(claim, source, cue, before=1):
            yield Finding(False, reason("left out", stated=cue.text, label=source.label))


def opposites_absent(claim: Assertions, source: Source) -> Iterator[Finding]:
    """Buyer for seller, 甲方 for 乙方: a word of the claim that the source lacks while it has its
    opposite."""
    for claimed, stated in _one_sided(claim):
        if source.facts.mentions(claimed) or not source.facts.mentions(stated):
            continue
        if not source.context.mentions(claimed):
            because = reason("turned", claimed=claimed, stated=stated, label=source.label)
            yield Finding(True, because, reversed=True)


@lru_cache(maxsize=64)
def _one_sided(claim: Assertions) -> tuple[tuple[str, str], ...]:
    """Opposites of which the claim says the first alone."""
    ordered = (turned for pair in OPPOSITES for turned in (pair, pair[::-1]))
    return tuple((a, b) for a, b in ordered if claim.mentions(a) and not claim.mentions(b))


def small_words_agree(claim: Assertions, source: Source, alignment: Alignment) -> Iterator[Finding]:
    """Conditions, restrictions, quantifiers and choices are kept; no turning word is used more often than
    in the source."""
    own = Counter((c.group, c.name) for c in claim.cues)
    theirs = Counter((c.group, c.name) for c in source.facts.cues)
    texts = {(c.group, c.name): c.text for c in (*source.facts.cues, *claim.cues)}
    # Where all of the source is retold, a turning word left out is missing rather than out of view.
    whole = alignment.coverage > 0.85 and claim.size >= 0.7 * source.facts.size
    for kind in sorted(own.keys() | theirs.keys()):
        group, _ = kind
        if group == "denial":
            continue
        word = texts[kind]
        if own[kind] > theirs[kind] and not (group == "condition" and theirs[kind]):
            yield Finding(False, reason("said more", claimed=word, label=source.label))
        elif theirs[kind] and not own[kind] and group in ("condition", "restriction"):
            yield Finding(False, reason("left out", stated=word, label=source.label))
        elif own[kind] < theirs[kind] and whole:
            yield Finding(False, reason("dropped", stated=word, label=source.label))
