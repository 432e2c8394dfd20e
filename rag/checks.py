"""The single questions that verification asks of a sentence and its source. Each is a pure function that returns findings.

A finding is hard (the sentence is unsupported) or soft (at most partial), and says why in words a reader understands.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from rag.align import Alignment, Anchor, Source, reading
from rag.dates import Period
from rag.facts import ROLE_WORDS, Facts, Name, names, stem
from rag.quantities import Kind, Match, Quantity, compare, dates_conflict
from rag.wording import OPPOSITES, Cue


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that speaks against a sentence. `turned`: its words are there and say something else, so that no second source
    can mend it."""

    hard: bool
    reason: str
    turned: bool = False


def check(claim: Facts, source: Source, question: Facts, alignment: Alignment) -> list[Finding]:
    """All findings of all checks, hard ones first."""
    findings = [
        *quantities_occur(claim, source, question),
        *names_occur(claim, source, question),
        *identifiers_occur(claim, source, question),
        *negation_agrees(claim, source),
        *modality_agrees(claim, source),
        *directions_agree(claim, source),
        *opposites_absent(claim, source),
        *small_words_agree(claim, source, alignment),
        *columns_agree(claim, source),
        *order_holds(claim, source, alignment),
    ]
    return sorted(dict.fromkeys(findings), key=lambda f: not f.hard)


# --- facts that must occur --------------------------------------------------------------------------------------------


def quantities_occur(claim: Facts, source: Source, question: Facts) -> Iterator[Finding]:
    """Every number, date, amount, dose and article number of the claim stands in the source or its headings."""
    for q in claim.quantities:
        match, near = source.best(q)
        if match is Match.DIFFERENT:
            match, near = _elsewhere(q, source, claim)
        brackets = near is not None and (near.bracketed or q.bracketed) and abs(near.value) == abs(q.value)
        if match is Match.EXACT or (brackets and _said_negative(claim)):
            continue
        if match is Match.ROUNDED and near is not None:
            yield Finding(
                False, f"{q.kind.value} {q.text.strip()} stands in {source.label} as {near.text.strip()}"
            )
        elif any(compare(q, other) is Match.EXACT for other in question.quantities):
            yield Finding(
                False, f"{q.kind.value} {q.text.strip()} occurs in the question only, not in {source.label}"
            )
        else:
            yield Finding(True, f"{q.kind.value} {q.text.strip()} does not occur in {source.label}")


def _elsewhere(q: Quantity, source: Source, claim: Facts) -> tuple[Match, Quantity | None]:
    """A date or article number in the headings; a date told in two parts; a sign that the wording carries."""
    if q.kind in (Kind.DATE, Kind.REFERENCE):
        for other in source.context.quantities:
            if compare(q, other) is Match.EXACT:
                # A heading dates what stands under it only where the sentence itself names no other date.
                clash = any(dates_conflict(q, own) for own in source.facts.quantities)
                return (Match.ROUNDED if clash else Match.EXACT), other
        if q.period is not None:
            return _assembled(q, q.period, source)
    if q.value:
        opposite = replace(q, value=-q.value)
        match, near = source.best(opposite)
        if match is not Match.DIFFERENT and (_said_negative(claim) or _said_negative(source.facts)):
            return Match.ROUNDED, near
    return Match.DIFFERENT, None


def _assembled(q: Quantity, period: Period, source: Source) -> tuple[Match, Quantity | None]:
    """ "31 December 2019" from "December 31" in the sentence and "2019" in its headings; never against a differing year."""
    if period.year is None or len(period.parts) < 2:
        return Match.DIFFERENT, None
    rest = replace(q, period=replace(period, year=None))
    year = replace(q, period=Period(year=period.year))
    everywhere = (*source.facts.quantities, *source.context.quantities)
    partial = [
        d
        for d in everywhere
        if compare(rest, d) > Match.DIFFERENT and d.period is not None and d.period.year is None
    ]
    if partial and any(compare(year, d) > Match.DIFFERENT for d in everywhere):
        return Match.ROUNDED, partial[0]
    return Match.DIFFERENT, None


def _said_negative(facts: Facts) -> bool:
    return any(c.name in ("down", "loss") for c in facts.cues)


def names_occur(claim: Facts, source: Source, question: Facts) -> Iterator[Finding]:
    """Every name of the claim stands in the source, its title or its headings."""
    found = names(claim)
    titled = len(found) > 4 and len(found) > 0.6 * len(claim.words)
    for name in found:
        if _has_name(name, source.facts) or _has_name(name, source.context):
            continue
        if _has_name(name, question):
            yield Finding(False, f"name {name.text} occurs in the question only, not in {source.label}")
        elif name.acronym and _spelled_out(name.text, source):
            yield Finding(False, f"{name.text} is spelled out in {source.label}")
        elif name.text.lower() in ROLE_WORDS or (name.initial and not name.acronym) or titled:
            continue  # the overlap checks judge it as a word
        else:
            yield Finding(True, f"name {name.text} does not occur in {source.label}")


def _has_name(name: Name, facts: Facts) -> bool:
    if not name.text.isascii() and re.search("[\u3400-\u9fff]", name.text):
        own = name.text[:2]  # "北湖" of 北湖银行, where the source shortens the name
        return name.text in facts.folded or (not name.titled and own in facts.folded)
    parts = [p for p in re.split(r"[\s&.'’-]+", name.text.lower()) if p]
    return name.text.lower() in facts.lower or all(stem(p) in facts.stems for p in parts)


def _spelled_out(acronym: str, source: Source) -> bool:
    words = re.findall(r"\b[A-Za-z]", f"{source.context.folded} {source.facts.folded}")
    return len(acronym) > 1 and acronym.rstrip("s").lower() in "".join(words).lower()


def identifiers_occur(claim: Facts, source: Source, question: Facts) -> Iterator[Finding]:
    """Words with digits in them (10b, COVID19, A320) are facts, too."""
    for word in claim.words:
        if word.han or not any(c.isdigit() for c in word.stem) or source.has_stem(word.stem):
            continue
        text = claim.text[word.start : word.end]
        if text.lower() not in source.facts.lower and text.lower() not in source.context.lower:
            yield Finding(not question.has_stem(word.stem), f"{text} does not occur in {source.label}")


# --- words that turn a sentence ---------------------------------------------------------------------------------------


def _of(facts: Facts, *groups: str) -> list[Cue]:
    return [c for c in facts.cues if c.group in groups]


def negation_agrees(claim: Facts, source: Source) -> Iterator[Finding]:
    """What the source denies the claim denies, and nothing else."""
    theirs, own = _of(source.facts, "negation"), _of(claim, "negation")
    weak_theirs = theirs or _of(source.facts, "denial", "bound")
    weak_own = own or _of(claim, "denial", "bound")
    near = [source.facts.scope(t.start, t.end, before=3) for t in theirs]
    for cue in own:
        if any(claim.scope(cue.start, cue.end, before=3) & scope for scope in near):
            continue
        head = claim.scope(cue.start, cue.end, after=1)
        # With a denial of another wording in the source the same may be said in other words: only a reader can tell.
        hard = not weak_theirs or (bool(theirs) and bool(head & source.facts.items))
        yield Finding(hard, f"the sentence says “{cue.text}” where {source.label} does not", turned=True)
    kept = [claim.scope(o.start, o.end, before=3) for o in own]
    dropped = []
    for cue in theirs:
        scope = source.facts.scope(cue.start, cue.end)
        if scope and 2 * len(scope & claim.items) >= len(scope) and not any(scope & k for k in kept):
            dropped.append(cue)
    for cue in dropped:
        # "Not without consent" and "with consent" say the same: an even number of negations may go.
        hard = not weak_own and len(theirs) % 2 == 1
        yield Finding(hard, f"{source.label} says “{cue.text}” and the sentence does not", turned=True)


_STRICT = {"must", "may", "must not", "need not"}


def modality_agrees(claim: Facts, source: Source) -> Iterator[Finding]:
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
            yield Finding(
                hard, f"the sentence says “{cue.text}” where {source.label} says “{_words(theirs, other)}”", turned=True)
        elif cue.name != "must not" or not _of(source.facts, "negation", "denial"):
            yield Finding(False, f"“{cue.text}” is not said in {source.label}")
    for cue in theirs:
        if cue.name in ("may", "should", "need not") and not any(o.name == cue.name for o in own):
            scope = source.facts.scope(cue.start, cue.end)
            if scope and 2 * len(scope & claim.items) >= len(scope):
                yield Finding(False, f"{source.label} says “{cue.text}” and the sentence does not")


def _words(found: Sequence[Cue], name: str) -> str:
    return next(c.text for c in found if c.name == name)


_TURNING = ("trend", "comparison", "bound", "time", "balance", "result")


def directions_agree(claim: Facts, source: Source) -> Iterator[Finding]:
    """More is not less, above not below, before not after, profit not loss: by the nearest words on both sides."""
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
                yield Finding(
                    True, f"the sentence says “{cue.text}” where {source.label} says “{nearest.text}”", turned=True)


def opposites_absent(claim: Facts, source: Source) -> Iterator[Finding]:
    """Buyer for seller, 甲方 for 乙方: a word of the claim that the source lacks while it has its opposite."""
    for pair in OPPOSITES:
        for said, meant in (pair, pair[::-1]):
            if not claim.mentions(said) or claim.mentions(meant) or source.facts.mentions(said):
                continue
            if source.facts.mentions(meant) and not source.context.mentions(said):
                yield Finding(True, f"the sentence says “{said}” where {source.label} says “{meant}”", turned=True)


def small_words_agree(claim: Facts, source: Source, alignment: Alignment) -> Iterator[Finding]:
    """Conditions, restrictions, quantifiers and choices are kept; no turning word is used more often than in the source."""
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
            yield Finding(False, f"“{word}” is said more often than in {source.label}")
        elif theirs[kind] and not own[kind] and group in ("condition", "restriction"):
            yield Finding(False, f"{source.label} says “{word}” and the sentence does not")
        elif own[kind] < theirs[kind] and whole:
            yield Finding(False, f"“{word}” of {source.label} is left out")


def _nearly_whole(claim: Facts, source: Source, alignment: Alignment) -> bool:
    """Whether the claim retells all of the source, so that a turning word left out is missing rather than out of view."""
    return alignment.coverage > 0.85 and claim.size >= 0.7 * source.facts.size


# --- what belongs together --------------------------------------------------------------------------------------------


def columns_agree(claim: Facts, source: Source) -> Iterator[Finding]:
    """A figure of a table row belongs to the period that heads its column."""
    headings = source.header.split("|") if "|" in source.header else []
    cells = re.split(r"\||\t", source.facts.text)
    if not headings or len(cells) - len(headings) not in (0, 1):
        return
    headings = [""] * (len(cells) - len(headings)) + headings
    columns = [
        (Facts(cell).quantities, Facts(heading).quantities)
        for cell, heading in zip(cells, headings, strict=True)
    ]
    said = [q for q in claim.quantities if q.kind is Kind.DATE]
    figures = [q for q in claim.quantities if q.kind is not Kind.DATE]
    heads = [d for d in said if any(compare(d, h) is Match.EXACT for _, head in columns for h in head)]
    if len(heads) != 1 or len(figures) != 1:
        return
    under = [cell for cell, head in columns if any(compare(heads[0], h) is Match.EXACT for h in head)]
    row = Source(source.numbers, Facts(""), Facts(""), source.header)
    if not any(_cell_bears(figures[0], q, row) for cell in under for q in cell):
        yield Finding(
            True, f"{figures[0].text.strip()} does not stand under {heads[0].text.strip()} in {source.label}", turned=True)


def _cell_bears(claim: Quantity, cell: Quantity, row: Source) -> bool:
    from rag.quantities import in_header_scale

    readings = (cell, *in_header_scale(cell, row.header))
    return any(
        compare(replace(claim, value=v), r) > Match.DIFFERENT
        for r in readings
        for v in (claim.value, -claim.value)
    )


def order_holds(claim: Facts, source: Source, alignment: Alignment) -> Iterator[Finding]:
    """The found pieces come in the source's order, and no rival figure stands between a figure and its neighbour."""
    anchors = _bound(source, [a for a in alignment.anchors if a.places])
    if len(anchors) < 2:
        return
    places, in_order = reading(anchors)
    if not in_order:
        first, second = _first_break(anchors, places)
        same_words = not alignment.new and not alignment.echoed and not alignment.scattered
        parties = _swapped_parties(claim, anchors, places)
        hard = same_words and len(source.numbers) == 1 and _voice(claim) == _voice(source.facts) and parties
        yield Finding(hard, f"“{first}” and “{second}” stand in another order in {source.label}", turned=hard)
        return
    if _voice(claim) != _voice(source.facts) and len(places) > 2:
        yield Finding(False, f"one of the sentence and {source.label} is in the passive, in the same order")
    yield from _rivals_between(claim, source, anchors, places)
    yield from _across_clauses(claim, source, anchors, places)


_PASSIVE = re.compile(r"\b(?:is|are|was|were|be|been|being) (?:\w+ ){0,2}?\w+(?:ed|en|wn|ne|ld|id|ght) (?:\w+ ){0,3}?by\b|被")
_JOINT = re.compile(r"[,;:](?!\d)|[、]|\b(?:and|or|but|while|whereas|versus|than)\b|和|而|但|且|或|与")


def _bound(source: Source, anchors: list[Anchor]) -> list[Anchor]:
    """Anchors whose order matters. A figure without a rival of its kind, in one clause with its neighbours, cannot belong to
    anything else and may stand anywhere."""
    kept: list[Anchor] = []
    for i, anchor in enumerate(anchors):
        figure = anchor.quantity
        rivals = [q for q in source.facts.quantities if figure and q.kind is figure.kind]
        if figure is None or len(rivals) > 1 or not _in_clause(source, anchor, anchors[max(0, i - 1) : i + 2]):
            kept.append(anchor)
    return kept


def _in_clause(source: Source, anchor: Anchor, neighbours: Sequence[Anchor]) -> bool:
    here = anchor.places[0]
    spans = [(min(here, p), max(here, p)) for n in neighbours for p in n.places[:1]]
    return not any(_JOINT.search(source.facts.lower, a, b) for a, b in spans)


def _first_break(anchors: Sequence[Anchor], places: Sequence[int]) -> tuple[str, str]:
    at = next(i for i in range(1, len(places)) if places[i] <= places[i - 1])
    return anchors[at - 1].text, anchors[at].text


def _voice(facts: Facts) -> bool:
    """Whether a passive names who acts."""
    return _PASSIVE.search(facts.lower) is not None


_PARTY = re.compile(r"[A-Z].*|.*[方人者].*|.*(?:公司|银行|单位|机关|法院|集团)")
_SIDES = frozenset(word for pair in OPPOSITES for word in pair)


def _swapped_parties(claim: Facts, anchors: Sequence[Anchor], places: Sequence[int]) -> bool:
    """Whether exchanging two pieces restores the order, and both are parties: names, roles, sides of a bargain."""
    wrong = [i for i, (a, b) in enumerate(zip(places, sorted(places), strict=True)) if a != b]
    if len(wrong) != 2:
        return False
    swapped = [anchors[i] for i in wrong]
    initial = len(claim.text) - len(claim.text.lstrip("\"'“‘( "))
    if any(a.quantity for a in swapped):
        return False
    sides = any(a.text.lower() in _SIDES for a in swapped)
    return sides or all(_PARTY.fullmatch(a.text) and a.start > initial for a in swapped)


def _rivals_between(
    claim: Facts, source: Source, anchors: Sequence[Anchor], places: Sequence[int]
) -> Iterator[Finding]:
    """ "10 mg for adults and 5 mg for children" does not say "10 mg for children"."""
    for i in range(1, len(anchors)):
        left, right = places[i - 1], places[i]
        figure = anchors[i - 1].quantity or anchors[i].quantity
        if figure is None or right <= left:
            continue
        for rival in source.facts.quantities:
            between = left < rival.start < right and rival.kind is figure.kind
            if between and all(compare(q, rival) is Match.DIFFERENT for q in claim.quantities):
                yield Finding(
                    False,
                    f"{rival.text.strip()} stands in {source.label} between “{anchors[i - 1].text}” and “{anchors[i].text}”",
                )
                return


_CLAUSE_BREAK = re.compile(r";|\b(?:while|whereas)\b")


def _across_clauses(claim: Facts, source: Source, anchors: Sequence[Anchor], places: Sequence[int]) -> Iterator[Finding]:
    """One clause made of words from two: "mild impairment has not been studied" out of "mild impairment is no bar; severe
    impairment has not been studied"."""
    if not _CLAUSE_BREAK.search(source.facts.lower):
        return
    for (a, b), (left, right) in zip(zip(anchors, anchors[1:], strict=False), zip(places, places[1:], strict=False), strict=True):
        apart = _CLAUSE_BREAK.search(source.facts.lower, left, max(left, right))
        if apart and not re.search(r"[,;]|\b(?:and|while|whereas|but)\b", claim.lower[a.start : b.start]):
            yield Finding(False, f"“{a.text}” and “{b.text}” stand in different clauses of {source.label}")
            return
