"""The single questions that verification asks of a sentence and its source. Each is a pure function that
returns findings.

A finding is hard (the sentence is unsupported) or soft (at most partial), and says why in words a reader
understands. Here: facts that must occur. Words that turn a sentence are judged in `rag.turning`, what
belongs together in `rag.binding`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from rag.align import Alignment, Finding, Source
from rag.binding import columns_agree, order_holds
from rag.bounds import bounds_kept, prefixes_kept, ranges_whole
from rag.dates import Period
from rag.facts import ROLE_WORDS, Assertions, Name, names, stem
from rag.grounds import reason
from rag.quantities import Kind, Quantity, QuantityMatch, compare, dates_conflict
from rag.turning import (
    changes_kept,
    directions_agree,
    hedges_kept,
    modality_agrees,
    negation_agrees,
    opposites_absent,
    small_words_agree,
)


def check(claim: Assertions, source: Source, question: Assertions, alignment: Alignment) -> list[Finding]:
    """All findings of all checks, hard ones first."""
    findings = [
        *quantities_occur(claim, source, question),
        *names_occur(claim, source, question),
        *identifiers_occur(claim, source, question),
        *negation_agrees(claim, source),
        *modality_agrees(claim, source),
        *directions_agree(claim, source),
        *hedges_kept(claim, source),
        *changes_kept(claim, source),
        *bounds_kept(claim, source, question),
        *ranges_whole(claim, source),
        *prefixes_kept(claim, source),
        *opposites_absent(claim, source),
        *small_words_agree(claim, source, alignment),
        *columns_agree(claim, source),
        *order_holds(claim, source, alignment),
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
    """A date or article number in the headings; a date given in two parts; a sign that the wording
    carries."""
    if q.kind in (Kind.DATE, Kind.REFERENCE):
        for other in source.context.quantities:
            if compare(q, other) is QuantityMatch.EXACT:
                # A heading dates what stands under it only where the sentence itself names no other date.
                clash = any(dates_conflict(q, own) for own in source.facts.quantities)
                return (QuantityMatch.ROUNDED if clash else QuantityMatch.EXACT), other
        if q.period is not None:
            return _assembled(q, q.period, source)
    if q.value:
        opposite = replace(q, value=-q.value)
        match, near = source.best(opposite)
        if match is not QuantityMatch.DIFFERENT and (_is_negative(claim) or _is_negative(source.facts)):
            return QuantityMatch.ROUNDED, near
    return QuantityMatch.DIFFERENT, None


def _assembled(q: Quantity, period: Period, source: Source) -> tuple[QuantityMatch, Quantity | None]:
    """ "31 December 2019" from "December 31" in the sentence and "2019" in its headings; never against a
    differing year."""
    if period.year is None or len(period.parts) < 2:
        return QuantityMatch.DIFFERENT, None
    rest = replace(q, period=replace(period, year=None))
    year = replace(q, period=Period(year=period.year))
    everywhere = (*source.facts.quantities, *source.context.quantities)
    partial = [
        d
        for d in everywhere
        if compare(rest, d) > QuantityMatch.DIFFERENT and d.period is not None and d.period.year is None
    ]
    if partial and any(compare(year, d) > QuantityMatch.DIFFERENT for d in everywhere):
        return QuantityMatch.ROUNDED, partial[0]
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
        elif name.acronym and _spelled_out(name.text, source):
            yield Finding(False, reason("spelled out", claimed=name.text, label=source.label))
        elif name.text.lower() in ROLE_WORDS or (name.initial and not name.acronym):
            continue  # the overlap checks judge it as a word
        else:  # in a headline every word is written as a name
            yield Finding(not titled, reason("absent", kind="name", claimed=name.text, label=source.label))


def _has_name(name: Name, facts: Assertions) -> bool:
    if not name.text.isascii() and re.search("[\u3400-\u9fff]", name.text):
        own = name.text[:2]  # "北湖" of 北湖银行, where the source shortens the name
        return name.text in facts.folded or (not name.titled and own in facts.folded)
    parts = [p for p in re.split(r"[\s&.'’-]+", name.text.lower()) if p]
    return name.text.lower() in facts.lower or all(stem(p) in facts.stems for p in parts)


def _spelled_out(acronym: str, source: Source) -> bool:
    words = re.findall(r"\b[A-Za-z]", f"{source.context.folded} {source.facts.folded}")
    return len(acronym) > 1 and acronym.rstrip("s").lower() in "".join(words).lower()


def identifiers_occur(claim: Assertions, source: Source, question: Assertions) -> Iterator[Finding]:
    """Words with digits in them (10b, COVID19, A320) are facts, too."""
    for word in claim.words:
        if word.han or not any(c.isdigit() for c in word.stem) or source.has_stem(word.stem):
            continue
        text = claim.text[word.start : word.end]
        if text.lower() not in source.facts.lower and text.lower() not in source.context.lower:
            missing = reason("absent", kind="", claimed=text, label=source.label)
            yield Finding(not question.has_stem(word.stem), missing)
