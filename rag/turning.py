"""Checks of the words that turn a sentence round: negation, modality, direction, opposites, conditions and
quantifiers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from rag.align import Alignment, Finding, Source
from rag.facts import Assertions
from rag.grounds import reason
from rag.quantities import Kind, QuantityMatch
from rag.wording import OPPOSITES, Cue


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


_STRICT = {"must", "may", "must not", "need not"}


def modality_agrees(claim: Assertions, source: Source) -> Iterator[Finding]:
    """May is not shall. Cues are held against each other by what they govern."""
    theirs = _of(source.facts, "modality")
    own = _of(claim, "modality")
    for cue in own:
        scope = claim.scope(cue.start, cue.end, after=2)
        near = {t.name for t in theirs if scope & source.facts.scope(t.start, t.end, after=2)}
        everywhere = {t.name for t in theirs}
        if cue.name in near or (not near and cue.name in everywhere):
            continue
        if near:
            other = sorted(near)[0]
            hard = cue.name in _STRICT and other in _STRICT
            stated = next(t.text for t in theirs if t.name == other)
            yield Finding(
                hard, reason("turned", claimed=cue.text, stated=stated, label=source.label), reversed=True
            )
        elif cue.name != "must not" or not _of(source.facts, "negation", "denial"):
            yield Finding(False, reason("not said", claimed=cue.text, label=source.label))
    for cue in theirs:
        unsaid = cue.name in ("may", "should", "need not") and all(o.name != cue.name for o in own)
        if unsaid and _retold(claim, source, cue):
            yield Finding(False, reason("left out", stated=cue.text, label=source.label))


_TURNING = ("trend", "comparison", "bound", "time", "balance", "result")


def directions_agree(claim: Assertions, source: Source) -> Iterator[Finding]:
    """More is not less, above not below, before not after, profit not loss: by the nearest words on both
    sides."""
    for group in _TURNING:
        theirs = _of(source.facts, group)
        if not theirs:
            continue
        scopes = [source.facts.scope(t.start, t.end, before=3) for t in theirs]
        for cue in _of(claim, group):
            scope = claim.scope(cue.start, cue.end, before=3)
            ranked = [(len(scope & s), t.name == cue.name, t) for s, t in zip(scopes, theirs, strict=True)]
            shared, same, nearest = max(ranked, key=lambda r: r[:2])
            if not same and (shared or all(t.name != cue.name for t in theirs)):
                because = reason("turned", claimed=cue.text, stated=nearest.text, label=source.label)
                yield Finding(True, because, reversed=True)


# "Rose to 5" gives a level, "rose by 5" and "rose due to an inflow of 5" do not.
_LEVEL = re.compile(r"(?:\b(?:to|at|was|were|is|are|of which|reach\w*|total\w*)|[至到为达])\W*$")
_NOT_A_VALUE = (Kind.DATE, Kind.REFERENCE, Kind.ORDINAL)


def changes_kept(claim: Assertions, source: Source) -> Iterator[Finding]:
    """A figure that the source gives for a change, or for what caused one, is not stated as the thing's
    level: "grew by 5 million" is not "was 5 million"."""
    trends = _of(source.facts, "trend")
    if not trends or _of(claim, "trend", "cause"):
        return
    for q in claim.quantities:
        match, near = source.best(q)
        if q.kind in _NOT_A_VALUE or match is QuantityMatch.DIFFERENT or near not in source.facts.quantities:
            continue
        before = [t for t in trends if t.end <= near.start]
        between = source.facts.lower[before[-1].end : near.start] if before else ";"
        if not re.search(r"[,;，；。]", between) and not _LEVEL.search(between):
            figure = near.text.strip()
            yield Finding(False, reason("change", stated=before[-1].text, figure=figure, label=source.label))


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
    for pair in OPPOSITES:
        for claimed, stated in (pair, pair[::-1]):
            if not claim.mentions(claimed) or claim.mentions(stated) or source.facts.mentions(claimed):
                continue
            if source.facts.mentions(stated) and not source.context.mentions(claimed):
                because = reason("turned", claimed=claimed, stated=stated, label=source.label)
                yield Finding(True, because, reversed=True)


def small_words_agree(claim: Assertions, source: Source, alignment: Alignment) -> Iterator[Finding]:
    """Conditions, restrictions, quantifiers and choices are kept; no turning word is used more often than
    in the source."""
    own = Counter((c.group, c.name) for c in claim.cues)
    theirs = Counter((c.group, c.name) for c in source.facts.cues)
    texts = {(c.group, c.name): c.text for c in (*source.facts.cues, *claim.cues)}
    whole = _nearly_whole(claim, source, alignment)
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


def _nearly_whole(claim: Assertions, source: Source, alignment: Alignment) -> bool:
    """Whether the claim retells all of the source, so that a turning word left out is missing rather than
    out of view."""
    return alignment.coverage > 0.85 and claim.size >= 0.7 * source.facts.size
