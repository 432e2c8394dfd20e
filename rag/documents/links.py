"""Which passage bears an article, a section, a note, and where the references of a document lead.

A passage bears a number when a heading, an article or a clause with that number opens in it, at the
beginning of a line; whoever only mentions the number does not bear it. Lines of a table of contents count
less than what they announce, and numbers in a schedule less than those of the main part, except for
references from within that schedule. A number that two passages bear equally leads nowhere."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from rag.documents.validity import edition_name, names_of
from rag.facts.crossrefs import DOCUMENT, Reference, find
from rag.facts.numerals import HAN_NUMERAL, fold
from rag.facts.references import references
from rag.languages import Patterns, patterns
from rag.types import BlockKind, Chunk, Document
from rag.types.documents import withdrawn

_SHAPES = Patterns(__file__, han_numeral=HAN_NUMERAL)
_SCOPES = ("schedule", "exhibit", "appendix")
_ENDED = frozenset("。！？；…：.!?;:”’」』）)\"'|-*#>")
_RE = patterns("links", re.NOFLAG)
_TITLE_LINE, _LINE = 100, 160
# Where a kind is looked for, in this order: a clause may be called section, an article "paragraph".
_ALSO = {"section": "article", "article": "section", "paragraph": "section"}


@dataclass(frozen=True, slots=True)
class PassageAnchor:
    """The passage `ordinal` bears `label` of `kind`; `start` is where in the document."""

    kind: str
    label: str
    ordinal: int
    start: int = 0


@dataclass(frozen=True, slots=True)
class Link:
    """A reference of the passage `ordinal`; `target` is the ordinal it leads to in the same document."""

    ordinal: int
    reference: Reference
    target: int | None = None


@dataclass(frozen=True, slots=True)
class Links:
    """What a document bears, and its references: those that lead to another passage, and those to other
    documents, which wait to be settled by the index."""

    anchors: tuple[PassageAnchor, ...] = ()
    links: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class _Found:
    kind: str
    label: str
    start: int
    quality: int
    scope: int


def links(document: Document, chunks: Sequence[Chunk]) -> Links:
    """Anchors and references of a document that was cut into these passages. References that lead to their
    own passage, and those to parts of the document that nothing bears, are left out. Withdrawn words bear
    nothing."""
    if not chunks:
        return Links()
    text = document.text
    starts = [c.start for c in chunks]
    openers = [
        o
        for o in _openers(document, fold(text), set(starts))
        if not withdrawn(chunks[max(0, bisect_right(starts, o.start) - 1)].roles)
    ]
    tree = _Tree(openers, [_place(o.start, starts, chunks) for o in openers])
    own = names_of(document)
    bearing = {o.start for o in openers}
    seen: set[tuple[int, str]] = set()
    found: list[Link] = []
    for reference in find(text, language=document.language):
        if _line_start(text, reference.start) in bearing:
            continue  # the heading itself
        ordinal = bisect_right(starts, reference.start) - 1
        if ordinal < 0 or reference.start >= chunks[ordinal].end:
            continue
        reference = _owned(reference, own, document.title)
        if reference.target:
            if reference.kind != DOCUMENT or (ordinal, reference.target) not in seen:
                found.append(Link(ordinal, reference))
            seen.add((ordinal, reference.target))
        elif reference.kind != DOCUMENT:
            target = _target(reference, tree, text, starts)
            if target is not None and target != ordinal:
                found.append(Link(ordinal, reference, target))
    return Links(tree.anchors(), tuple(found))


def _owned(reference: Reference, names: Sequence[str], title: str) -> Reference:
    """The reference with target "" where the document names itself, or calls itself "the Agreement"."""
    if not reference.target:
        return reference
    lone = " " not in reference.target and reference.target.isascii()
    name = edition_name(reference.target)
    mine = name in names or (
        lone and reference.target.istitle() and reference.target.lower() in title.lower()
    )
    if not mine and reference.kind != DOCUMENT and not reference.target.isascii():
        mine = any(name.endswith(key) for key in names if len(key) > 1)
    return replace(reference, target="") if mine else reference


class _Tree:
    """Openers by kind and label, by part of the document, and articles in order."""

    def __init__(self, openers: Sequence[_Found], ordinals: Sequence[int]) -> None:
        self._openers = openers
        self._ordinals = ordinals
        self._scope_starts = [0]
        for o in openers:
            if o.scope == len(self._scope_starts):
                self._scope_starts.append(o.start)
        grouped: dict[tuple[int, str, str], list[int]] = defaultdict(list)
        for position, o in enumerate(openers):
            grouped[o.scope, o.kind, o.label].append(position)
            grouped[-1, o.kind, o.label].append(position)
        self._unique = {
            key: best for key, places in grouped.items() if (best := self._best(places)) is not None
        }
        self._articles = [p for p, o in enumerate(openers) if o.kind in ("article", "section")]
        self._article_starts = [openers[p].start for p in self._articles]

    def _best(self, places: Sequence[int]) -> int | None:
        """The one of the highest quality; None where several passages share it."""
        if len(places) == 1:
            return places[0]
        top = max(self._openers[p].quality for p in places)
        chosen = [p for p in places if self._openers[p].quality == top]
        return chosen[0] if len({self._ordinals[p] for p in chosen}) == 1 else None

    def target(self, kind: str, label: str, start: int) -> int | None:
        """The passage that bears it, for a reference at `start`: in the same schedule, the main part, or
        anywhere."""
        scope = bisect_right(self._scope_starts, start) - 1
        for spelled in _spellings(label):
            for where in dict.fromkeys((scope, 0, -1)):
                for also in (kind, _ALSO.get(kind, kind)):
                    position = self._unique.get((where, also, spelled))
                    if position is not None:
                        return self._ordinals[position]
        return None

    def before(self, start: int, back: int) -> int | None:
        """The passage of the article `back` places before the one that `start` stands in."""
        here = bisect_right(self._article_starts, start) - 1
        if here < 0:
            return None
        own = _like(self._openers[self._articles[here]])
        same = [p for p in self._articles[: here + 1] if _like(self._openers[p]) == own]
        wanted = len(same) - 1 - back
        return self._ordinals[same[wanted]] if 0 <= wanted < len(same) - 1 else None

    def anchors(self) -> tuple[PassageAnchor, ...]:
        """What is borne once in the main part, or once in all."""
        found: dict[tuple[str, str], int] = {}
        for where in (-1, 0):
            found |= {(kind, label): p for (scope, kind, label), p in self._unique.items() if scope == where}
        return tuple(
            PassageAnchor(kind, label, self._ordinals[p], self._openers[p].start)
            for (kind, label), p in sorted(found.items(), key=lambda item: item[1])
        )


def _like(opener: _Found) -> tuple[str, int, int]:
    """Articles with equal keys are numbered on from each other."""
    return opener.kind, opener.scope, opener.label.count(".")


def _spellings(label: str) -> Iterator[str]:
    """ "4.2(b)(i)", "4.2(b)", "4.2"."""
    yield label
    while label.endswith(")") and (cut := label.rfind("(")) > 0:
        label = label[:cut]
        yield label


def _target(reference: Reference, tree: _Tree, text: str, starts: Sequence[int]) -> int | None:
    if not reference.label.startswith("-"):
        return tree.target(reference.kind, reference.label, reference.start)
    back = int(reference.label[1:])
    if reference.kind != "paragraph":
        return tree.before(reference.start, back)
    at = text.rfind("\n", 0, reference.start)  # 前款: the paragraph before, wherever it was cut
    for _ in range(back):
        while at > 0 and text[at - 1].isspace():
            at -= 1
        if at <= 0:
            return None
        line, at = at - 1, text.rfind("\n", 0, at)
    return bisect_right(starts, line) - 1


def _line_start(text: str, offset: int) -> int:
    line = text.rfind("\n", 0, offset) + 1
    return line if not text[line:offset].strip(" \t\u3000#*|") else -1


def _place(start: int, starts: Sequence[int], chunks: Sequence[Chunk]) -> int:
    """The passage at `start`; where it is a heading alone, the one that it stands over."""
    ordinal = max(0, bisect_right(starts, start) - 1)
    here = chunks[ordinal]
    if here.kind != "heading" or ordinal + 1 == len(chunks):
        return ordinal
    later = range(ordinal + 1, len(chunks))
    following = next((n for n in later if not withdrawn(chunks[n].roles)), ordinal)
    path, below = here.heading_path, chunks[following].heading_path
    return following if len(below) > len(path) and below[: len(path)] == path else ordinal


def _openers(document: Document, text: str, cuts: set[int]) -> Iterator[_Found]:
    """Every line of the document that opens a numbered part, with how sure that is."""
    headings = {b.start for b in document.blocks if b.kind is BlockKind.HEADING}
    lines = f"\n{text}"  # each line begins behind a line break, at the offset that it has in `text`
    notes = match.start() if (match := _RE["notes"].search(lines)) else len(text)
    scope, before = 0, -1
    for match in _SHAPES["opener"].finditer(lines):
        group = match.lastgroup or ""
        start, label_start = match.start(), match.start(group) - 1
        line_end = text.find("\n", match.end() - 1)
        line_end = line_end if line_end >= 0 else len(text)
        rest = text[match.end() - 1 : min(line_end, match.end() + _LINE)]
        heading = start in headings or label_start in headings
        after_opener = before >= 0 and not text[before:start].strip()
        if not (heading or after_opener or label_start in cuts or _ended(text, start)):
            continue
        kind, label = _number(group, match[group])
        sentence = group == "en" and _RE["article_sentence"].match(text, match.end() - 1)
        if not label or sentence or _RE["continued"].search(rest):
            continue
        if group == "bare" and start > notes:
            kind = "note"
        quality = _quality(group, rest, heading)
        scope += kind in _SCOPES and quality > 0
        before = line_end
        yield _Found(kind, label, start, quality, scope)


def _number(group: str, opening: str) -> tuple[str, str]:
    if group in ("dotted", "bare"):
        return "section", opening.rstrip(".)")
    found = references(opening)
    return (found[0].unit, found[0].label) if found else ("", "")


def _quality(group: str, rest: str, heading: bool) -> int:
    """3: a heading; 2: an article or clause; 1: a numbered title; 0: a numbered sentence, a line of
    contents. `rest` is what follows the number on its line."""
    if len(rest) <= _LINE and _SHAPES["contents_line"].search(rest):
        return 0
    if heading:
        return 3
    if group != "bare":
        return 2
    return 1 if len(rest) <= _TITLE_LINE and rest.rstrip()[-1:] not in ".;,。；，：:" else 0


def _ended(text: str, start: int) -> bool:
    """Whether what stands before the line had ended: a number that a narrow column wrapped opens nothing."""
    at = start
    while at > 0 and text[at - 1].isspace():
        at -= 1
    return at == 0 or text[at - 1] in _ENDED or text.count("\n", at, start) > 1
