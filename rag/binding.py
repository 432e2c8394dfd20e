"""Checks of what belongs together: figures to their columns and neighbours, who does what to whom, words to
one clause."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from rag.align import Alignment, Anchor, Finding, Source, reading
from rag.facts import Assertions
from rag.grounds import reason
from rag.quantities import Kind, Quantity, QuantityMatch, compare, in_header_scale
from rag.wording import OPPOSITES


def columns_agree(claim: Assertions, source: Source) -> Iterator[Finding]:
    """A figure of a table row belongs to the period that heads its column."""
    headings = source.header.split("|") if "|" in source.header else []
    cells = re.split(r"\||\t", source.facts.text)
    if not headings or len(cells) - len(headings) not in (0, 1):
        return
    headings = [""] * (len(cells) - len(headings)) + headings
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
    row = Source(source.numbers, Assertions(""), Assertions(""), source.header)
    if not any(_cell_matches(figures[0], q, row) for cell in under for q in cell):
        figure, heading = figures[0].text.strip(), heads[0].text.strip()
        yield Finding(
            True, reason("column", claimed=figure, stated=heading, label=source.label), reversed=True
        )


def _cell_matches(claim: Quantity, cell: Quantity, row: Source) -> bool:
    readings = (cell, *in_header_scale(cell, row.header))
    return any(
        compare(replace(claim, value=v), r) > QuantityMatch.DIFFERENT
        for r in readings
        for v in (claim.value, -claim.value)
    )


def order_holds(claim: Assertions, source: Source, alignment: Alignment) -> Iterator[Finding]:
    """The found pieces come in the source's order, and no rival figure stands between a figure and its
    neighbour."""
    anchors = _bound(source, [a for a in alignment.anchors if a.places])
    if len(anchors) < 2:
        return
    places, in_order = reading(anchors)
    if not in_order:
        first, second = _first_break(anchors, places)
        same_words = not alignment.new and not alignment.echoed and not alignment.scattered
        parties = _swapped_parties(claim, anchors, places)
        hard = same_words and len(source.numbers) == 1 and _voice(claim) == _voice(source.facts) and parties
        yield Finding(hard, reason("order", claimed=first, stated=second, label=source.label), reversed=hard)
        return
    if _voice(claim) != _voice(source.facts) and len(places) > 2:
        yield Finding(False, reason("voice", label=source.label))
    yield from _rivals_between(claim, source, anchors, places)
    yield from _across_clauses(claim, source, anchors, places)


_PASSIVE = re.compile(
    r"\b(?:is|are|was|were|be|been|being) (?:\w+ ){0,2}?\w+(?:ed|en|wn|ne|ld|id|ght) (?:\w+ ){0,3}?by\b|被"
)
_JOINT = re.compile(r"[,;:](?!\d)|[、]|\b(?:and|or|but|while|whereas|versus|than)\b|和|而|但|且|或|与")


def _bound(source: Source, anchors: list[Anchor]) -> list[Anchor]:
    """Anchors whose order matters. A figure without a rival of its kind, in one clause with its neighbours,
    cannot belong to anything else and may stand anywhere."""
    kept: list[Anchor] = []
    for i, anchor in enumerate(anchors):
        figure = anchor.quantity
        rivals = [q for q in source.facts.quantities if figure and q.kind is figure.kind]
        if (
            figure is None
            or len(rivals) > 1
            or not _in_clause(source, anchor, anchors[max(0, i - 1) : i + 2])
        ):
            kept.append(anchor)
    return kept


def _in_clause(source: Source, anchor: Anchor, neighbours: Sequence[Anchor]) -> bool:
    here = anchor.places[0]
    spans = [(min(here, p), max(here, p)) for n in neighbours for p in n.places[:1]]
    return not any(_JOINT.search(source.facts.lower, a, b) for a, b in spans)


def _first_break(anchors: Sequence[Anchor], places: Sequence[int]) -> tuple[str, str]:
    at = next(i for i in range(1, len(places)) if places[i] <= places[i - 1])
    return anchors[at - 1].text, anchors[at].text


def _voice(facts: Assertions) -> bool:
    """Whether a passive names who acts."""
    return _PASSIVE.search(facts.lower) is not None


_PARTY = re.compile(r"[A-Z].*|.*[方人者].*|.*(?:公司|银行|单位|机关|法院|集团)")
_SIDES = frozenset(word for pair in OPPOSITES for word in pair)


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
    return all(a.text.lower() in _SIDES or (_PARTY.fullmatch(a.text) and a.start > initial) for a in swapped)


def _rivals_between(
    claim: Assertions, source: Source, anchors: Sequence[Anchor], places: Sequence[int]
) -> Iterator[Finding]:
    """ "10 mg for adults and 5 mg for children" does not say "10 mg for children"."""
    for i in range(1, len(anchors)):
        left, right = places[i - 1], places[i]
        figure = anchors[i - 1].quantity or anchors[i].quantity
        if figure is None or right <= left:
            continue
        for rival in source.facts.quantities:
            between = left < rival.start < right and rival.kind is figure.kind
            if between and all(compare(q, rival) is QuantityMatch.DIFFERENT for q in claim.quantities):
                claimed, intended = anchors[i - 1].text, anchors[i].text
                other = rival.text.strip()
                yield Finding(
                    False, reason("rival", rival=other, claimed=claimed, stated=intended, label=source.label)
                )
                return


_CLAUSE_BREAK = re.compile(r";|\b(?:while|whereas)\b")


def _across_clauses(
    claim: Assertions, source: Source, anchors: Sequence[Anchor], places: Sequence[int]
) -> Iterator[Finding]:
    """One clause made of words from two: "mild impairment has not been studied" out of "mild impairment is
    no bar; severe impairment has not been studied"."""
    if not _CLAUSE_BREAK.search(source.facts.lower):
        return
    for (a, left), (b, right) in pairwise(zip(anchors, places, strict=True)):
        apart = _CLAUSE_BREAK.search(source.facts.lower, left, max(left, right))
        if apart and not re.search(r"[,;]|\b(?:and|while|whereas|but)\b", claim.lower[a.start : b.start]):
            yield Finding(False, reason("clauses", claimed=a.text, stated=b.text, label=source.label))
            return
