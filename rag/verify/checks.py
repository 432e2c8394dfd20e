"""The single questions that verification asks of a sentence and its source: facts that must occur, and what
stands right at a figure or word and bounds it: "at least 30", "5 to 10 mg", 五千元以上, "semi-annually". Each
is a pure function that returns findings.

A finding is hard (the sentence is unsupported) or soft (at most partial), and says why in words a reader
understands. What belongs together, and words that turn a sentence, are judged in `rag.verify.polarity`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from rag.facts.dates import contradicts
from rag.facts.names import LabelledName
from rag.facts.quantity import Kind, Quantity, QuantityMatch, compare
from rag.languages import patterns
from rag.languages.text import STOP_WORDS, Cue
from rag.verify import polarity
from rag.verify.align import Alignment, Finding, Source, reason
from rag.verify.content import ROLE_WORDS, Assertions, Name, names, stem

_GROUPS = ("bound", "comparison")
_UP = {("bound", "at least"), ("comparison", "up")}
_NOT_BOUNDED = (Kind.DATE, Kind.REFERENCE, Kind.ORDINAL)
_RE = patterns("checks", re.NOFLAG)
_FEW = re.compile(r"\W*(?:\w+\W+){0,3}|[\u3400-\u9fff]{0,4}")


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
        claimed = _bound(claim, q) or _bound_elsewhere(claim, above)
        if claimed is not None:
            if all(_above(claim, claimed) != _above(source.facts, t) for t in bounds):
                # "Fails to pay within ten days" is "more than ten days late": only a reader can decide.
                because = reason("turned", claimed=claimed.text, stated=stated.text, label=source.label)
                yield Finding(not denied, because, reversed=not denied)
        elif claim.size > 3 or not _bound_elsewhere(question, above):
            figure = near.text.strip()
            yield Finding(False, reason("bound", stated=stated.text, figure=figure, label=source.label))


def _bound_elsewhere(facts: Assertions, above: bool) -> Cue | None:
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


def _bound(facts: Assertions, q: Quantity) -> Cue | None:
    """The bound or comparison that stands right before or right behind a figure."""
    for cue in facts.cues:
        if cue.group not in _GROUPS:
            continue
        if cue.end <= q.start and _RE["between"].fullmatch(facts.lower, cue.end, q.start):
            return cue
        if q.end <= cue.start and _behind(facts, q, cue):
            return cue
    return None


def _behind(facts: Assertions, q: Quantity, cue: Cue) -> bool:
    """三十日以内, "30 days or more", "40 mg at most": a bound behind its figure, and not one of the next."""
    between = facts.lower[q.end : cue.start]
    near = re.fullmatch(r"[ \t]*(?:及|\(|or[ \t])?[ \t]*", between)
    if near is None or re.match(r"[ \t]*(?:(?:of|than)[ \t]*)?[$€£¥]?\d", facts.lower[cue.end :]):
        return False
    return "or" in between or _RE["postfix"].fullmatch(cue.text.lower()) is not None


def ranges_whole(claim: Assertions, source: Source) -> Iterator[Finding]:
    """Of a range both ends are stated: "5 to 10 mg" is not "10 mg"."""
    for span in source.facts.ranges:
        ends = [q for q in (span.low, span.high) if q and q.kind not in _NOT_BOUNDED]
        said = [[q for q in claim.quantities if _same(q, end)] for end in ends]
        if len(ends) < 2 or bool(said[0]) == bool(said[1]):
            continue
        claimed = (said[0] or said[1])[0]
        others = (n for n in source.facts.quantities if not span.start <= n.start < span.end)
        if any(_same(claimed, n) for n in others):
            continue  # the end that is said also stands outside the range
        whole = span.text.strip()
        yield Finding(False, reason("range", claimed=claimed.text.strip(), stated=whole, label=source.label))


def _same(claim: Quantity, source: Quantity) -> bool:
    return compare(claim, source) is not QuantityMatch.DIFFERENT


def prefixes_kept(claim: Assertions, source: Source) -> Iterator[Finding]:
    """ "Semi-annually" is not "annually", "non-current" not "current"."""
    for m in _RE["prefixed"].finditer(source.facts.lower):
        rest = m["rest"]
        plain = re.search(rf"(?<![a-z-]){re.escape(rest)}\b", claim.lower)
        if plain and not re.search(rf"(?<![a-z-]){re.escape(rest)}\b", source.facts.lower):
            yield Finding(False, reason("left out", stated=m.group(), label=source.label))


def check(claim: Assertions, source: Source, question: Assertions, alignment: Alignment) -> list[Finding]:
    """All findings of all checks, hard ones first."""
    findings = [
        *quantities_occur(claim, source, question),
        *names_occur(claim, source, question),
        *labels_agree(claim, source, question),
        *polarity.negation_agrees(claim, source),
        *polarity.directions_agree(claim, source),
        *polarity.hedges_kept(claim, source),
        *bounds_kept(claim, source, question),
        *ranges_whole(claim, source),
        *prefixes_kept(claim, source),
        *polarity.opposites_absent(claim, source),
        *polarity.small_words_agree(claim, source, alignment),
        *polarity.columns_agree(claim, source),
        *polarity.order_holds(claim, source, alignment),
    ]
    return sorted(dict.fromkeys(findings), key=lambda f: not f.hard)


def quantities_occur(claim: Assertions, source: Source, question: Assertions) -> Iterator[Finding]:
    """Every number, date, amount, dose and article number of the claim stands in the source or its
    headings."""
    for q in claim.quantities:
        match, near = source.best(q)
        if match is QuantityMatch.DIFFERENT:
            match, near = _elsewhere(q, source, claim)
        brackets = near is not None and (near.bracketed or q.bracketed) and abs(near.value) == abs(q.value)
        if match is QuantityMatch.EXACT or (brackets and _is_negative(claim)):
            continue
        if match is QuantityMatch.ROUNDED and near is not None:
            yield Finding(False, reason("rounded", **_named(q, source), stated=near.text.strip()))
        elif any(compare(q, other) is QuantityMatch.EXACT for other in question.quantities):
            yield Finding(False, reason("asked only", **_named(q, source)))
        else:
            yield Finding(True, reason("absent", **_named(q, source)))


def _named(q: Quantity, source: Source) -> dict[str, str]:
    return {"kind": q.kind.value, "claimed": q.text.strip(), "label": source.label}


def _elsewhere(q: Quantity, source: Source, claim: Assertions) -> tuple[QuantityMatch, Quantity | None]:
    """A date or article number in the headings; a number that is the label of a name ("step 5"); a sign that
    the wording carries."""
    if q.kind in (Kind.DATE, Kind.REFERENCE):
        for other in source.context.quantities:
            if compare(q, other) is QuantityMatch.EXACT:
                # A heading dates what stands under it only where the sentence itself names no other date.
                own = (o.period for o in source.facts.quantities if o.period is not None)
                clash = q.period is not None and any(contradicts(period, q.period) for period in own)
                return (QuantityMatch.ROUNDED if clash else QuantityMatch.EXACT), other
    if named := next((n for n in source.facts.labelled if n.label == q.text.strip()), None):
        return QuantityMatch.ROUNDED, replace(q, text=source.facts.text[named.start : named.end])
    if q.value:
        opposite = replace(q, value=-q.value)
        match, near = source.best(opposite)
        if match is not QuantityMatch.DIFFERENT and (_is_negative(claim) or _is_negative(source.facts)):
            return QuantityMatch.ROUNDED, near
    return QuantityMatch.DIFFERENT, None


def _is_negative(facts: Assertions) -> bool:
    return any(c.name in ("down", "loss") for c in facts.cues)


def names_occur(claim: Assertions, source: Source, question: Assertions) -> Iterator[Finding]:
    """Every name of the claim stands in the source, its title or its headings."""
    found = names(claim)
    titled = len(found) > 4 and len(found) > 0.6 * len(claim.words)
    for name in found:
        if _has_name(name, source.facts) or _has_name(name, source.context):
            continue
        if _has_name(name, question):
            yield Finding(False, reason("asked only", kind="name", claimed=name.text, label=source.label))
        elif name.text.lower() in ROLE_WORDS or (name.initial and not name.acronym):
            continue  # the overlap checks judge it as a word
        else:  # in a headline every word is written as a name
            yield Finding(not titled, reason("absent", kind="name", claimed=name.text, label=source.label))


def labels_agree(claim: Assertions, source: Source, question: Assertions) -> Iterator[Finding]:
    """Party A is not Party B, ward II not ward III: a name has the label that the source gives it, there."""
    text, theirs = source.facts.text, source.facts.labelled
    for name in claim.labelled:
        claimed = claim.text[name.start : name.end]
        others = [n for n in theirs if n.noun == name.noun and n.label != name.label]
        if _labels(source.facts, name):
            if others and (other := _repeated(claim, source, name)):
                yield _turned(claimed, text[other.start : other.end], source, hard=False)
        elif not name.noun:  # the overlap checks judge it as a word
            known = any(n.label == name.label for n in (*theirs, *source.context.labelled))
            if not known and name.label not in source.facts.stems - STOP_WORDS:
                yield Finding(False, reason("absent", kind="name", claimed=claimed, label=source.label))
        elif others:
            others.sort(key=lambda n: _labels(claim, n))  # one that the claim does not name as well, if any
            yield _turned(claimed, text[others[0].start : others[0].end], source, hard=True)
        elif not _labels(source.context, name):
            asked = _labels(question, name)
            code = "asked only" if asked else "absent"
            yield Finding(not asked, reason(code, kind="name", claimed=claimed, label=source.label))


def _labels(facts: Assertions, name: LabelledName) -> bool:
    return any(n.label == name.label and n.noun in (name.noun, "") for n in facts.labelled)


def _turned(claimed: str, stated: str, source: Source, *, hard: bool) -> Finding:
    return Finding(hard, reason("turned", claimed=claimed, stated=stated, label=source.label), reversed=hard)


def _repeated(claim: Assertions, source: Source, name: LabelledName) -> LabelledName | None:
    """A name that the claim says less often than the source, where it says `name` more often."""
    own, theirs = (Counter(n.label for n in f.labelled if n.noun == name.noun) for f in (claim, source.facts))
    if own[name.label] <= theirs[name.label]:
        return None
    return next(
        (n for n in source.facts.labelled if n.noun == name.noun and own[n.label] < theirs[n.label]), None
    )


def _has_name(name: Name, facts: Assertions) -> bool:
    if not name.text.isascii() and re.search("[\u3400-\u9fff]", name.text):
        own = name.text[:2]  # "北湖" of 北湖银行, where the source shortens the name
        return name.text in facts.folded or (not name.titled and own in facts.folded)
    parts = [p for p in re.split(r"[\s&.'’-]+", name.text.lower()) if p]
    return name.text.lower() in facts.lower or all(stem(p) in facts.stems for p in parts)
