"""Checks of what stands right at a figure or word and bounds it: "at least 30", "5 to 10 mg", 五千元以上,
"semi-annually". A figure given without its bound, or half a range, is another statement."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from rag.align import Finding, Source
from rag.facts import Assertions
from rag.grounds import reason
from rag.quantities import Kind, Quantity, QuantityMatch, compare
from rag.wording import Cue

_GROUPS = ("bound", "comparison")
_UP = {("bound", "at least"), ("comparison", "up")}
_NOT_BOUNDED = (Kind.DATE, Kind.REFERENCE, Kind.ORDINAL)
# What may stand between a bound and its figure: "more than about US$ 5", "not exceed the amount of 5".
_BETWEEN = re.compile(
    r"\W*(?:(?:of|a|an|the|total|about|approximately|some|than|or|equal|to|is|was|are|were|dose|amount|rate|value)\b\W*){0,4}"
    r"|\W*[为是达约人民币等于]{0,4}\W*"
)


def bounds_kept(claim: Assertions, source: Source, question: Assertions) -> Iterator[Finding]:
    """A figure keeps the bound that the source gives it: "at most 40" is neither "40" nor "more than 40"."""
    denied = any(c.group == "denial" for c in (*claim.cues, *source.facts.cues))
    for q in claim.quantities:
        match, near = source.best(q)
        if match is QuantityMatch.DIFFERENT or q.kind in _NOT_BOUNDED or near not in source.facts.quantities:
            continue
        theirs = [_bound(source.facts, n) for n in source.facts.quantities if _same(q, n)]
        bounds = [c for c in theirs if c is not None]
        if not bounds or None in theirs:  # the figure also stands there alone
            continue
        stated = bounds[0]
        above = _above(source.facts, stated)
        claimed = _bound(claim, q) or _elsewhere(claim, above)
        if claimed is not None:
            if all(_above(claim, claimed) != _above(source.facts, t) for t in bounds):
                # "Fails to pay within ten days" is "more than ten days late": only a reader can decide.
                because = reason("turned", claimed=claimed.text, stated=stated.text, label=source.label)
                yield Finding(not denied, because, reversed=not denied)
        elif claim.size > 3 or not _elsewhere(question, above):
            figure = near.text.strip()
            yield Finding(False, reason("bound", stated=stated.text, figure=figure, label=source.label))


def _elsewhere(facts: Assertions, above: bool) -> Cue | None:
    """A bound of that direction anywhere: "the maximum that a patient may take is 40 mg"."""
    return next((c for c in facts.cues if c.group in _GROUPS and _above(facts, c) == above), None)


def _above(facts: Assertions, cue: Cue) -> bool:
    """Whether the bound is a lower one: "more than 5" is, "not receive more than 5" is not."""
    above = (cue.group, cue.name) in _UP
    if cue.group == "bound" or cue.text.lower() in ("under", "over", "above", "below"):
        return above
    denied = any(
        c.group == "negation" and c.end <= cue.start and _FEW.fullmatch(facts.lower, c.end, cue.start)
        for c in facts.cues
    )
    return above != denied


_FEW = re.compile(r"\W*(?:\w+\W+){0,3}|[\u3400-\u9fff]{0,4}")


def _bound(facts: Assertions, q: Quantity) -> Cue | None:
    """The bound or comparison that stands right before or right behind a figure."""
    for cue in facts.cues:
        if cue.group not in _GROUPS:
            continue
        if cue.end <= q.start and _BETWEEN.fullmatch(facts.lower, cue.end, q.start):
            return cue
        if q.end <= cue.start and _behind(facts, q, cue):
            return cue
    return None


_POSTFIX = re.compile(r"[\u3400-\u9fff]+|or \w+|(?:at (?:the )?)?(?:most|least)|maximum|minimum")


def _behind(facts: Assertions, q: Quantity, cue: Cue) -> bool:
    """三十日以内, "30 days or more", "40 mg at most": a bound behind its figure, and not one of the next."""
    between = facts.lower[q.end : cue.start]
    near = re.fullmatch(r"[ \t]*(?:及|\(|or[ \t])?[ \t]*", between)
    if near is None or re.match(r"[ \t]*(?:(?:of|than)[ \t]*)?[$€£¥]?\d", facts.lower[cue.end :]):
        return False
    return "or" in between or _POSTFIX.fullmatch(cue.text.lower()) is not None


_TO = re.compile(r"[ \t]*(?:-|~|to|至|到|through)[ \t]*(?:[$€£¥]|us\$)?[ \t]*")
_AND = re.compile(r"[ \t]*(?:and|和|与)[ \t]*(?:[$€£¥]|us\$)?[ \t]*")


def ranges_whole(claim: Assertions, source: Source) -> Iterator[Finding]:
    """Of a range both ends are stated: "5 to 10 mg" is not "10 mg"."""
    found = source.facts.quantities
    for first, second in pairwise(found):
        alike = first.kind is second.kind and first.kind not in _NOT_BOUNDED
        if not alike or not _is_range(source, first, second):
            continue
        ends = [[q for q in claim.quantities if _same(q, end)] for end in (first, second)]
        if bool(ends[0]) == bool(ends[1]):
            continue
        claimed = (ends[0] or ends[1])[0]
        if any(_same(claimed, n) for n in found if n not in (first, second)):
            continue  # the end that is said also stands outside the range
        whole = source.facts.text[first.start : second.end].strip()
        yield Finding(False, reason("range", claimed=claimed.text.strip(), stated=whole, label=source.label))


def _same(claim: Quantity, source: Quantity) -> bool:
    return compare(claim, source) is not QuantityMatch.DIFFERENT


def _is_range(source: Source, first: Quantity, second: Quantity) -> bool:
    text = source.facts.lower
    between = text[first.end : second.start]
    if _TO.fullmatch(between):
        before = text[max(0, first.start - 24) : first.start]
        # "Rose from 5 to 10" gives two levels, "increased 5% to 10" a change and a level.
        return not re.search(
            r"\b(?:from|increas\w*|decreas\w*|rose|fell|grew|declin\w*|compared)\b|[从由]", before
        )
    return bool(_AND.fullmatch(between)) and "between" in text[max(0, first.start - 16) : first.start]


_PREFIXED = re.compile(
    r"\b(?P<first>semi|bi|non|pre|post|anti|un|sub|ex|quasi|half|mid|multi|tri|inter|intra|pro|co|self)-(?P<rest>[a-z]{4,})"
)


def prefixes_kept(claim: Assertions, source: Source) -> Iterator[Finding]:
    """ "Semi-annually" is not "annually", "non-current" not "current"."""
    for m in _PREFIXED.finditer(source.facts.lower):
        rest = m["rest"]
        plain = re.search(rf"(?<![a-z-]){re.escape(rest)}\b", claim.lower)
        if plain and not re.search(rf"(?<![a-z-]){re.escape(rest)}\b", source.facts.lower):
            yield Finding(False, reason("left out", stated=m.group(), label=source.label))
