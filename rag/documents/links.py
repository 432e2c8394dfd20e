"""Which passage bears an article, a section, a note, and where the references of a document lead.

A passage bears a number when a heading, an article or a clause with that number opens in it, at the
beginning of a line; whoever only mentions the number does not bear it. Lines of a table of contents count
less than what they announce, and numbers in a schedule less than those of the main part, except for
references from within that schedule. A number that two passages bear equally leads nowhere."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from rag.documents.amendments import amendments
from rag.documents.cuts import ended
from rag.documents.validity import edition_name, names_of
from rag.facts.crossrefs import DOCUMENT, Reference, find
from rag.facts.numerals import HAN_NUMERAL, fold
from rag.facts.references import references
from rag.languages import Patterns, patterns
from rag.types import BlockKind, Chunk, Document
from rag.types.documents import withdrawn

_SHAPES = Patterns(__file__, han_numeral=HAN_NUMERAL)
_SCOPES = ("schedule", "exhibit", "appendix")
_ALSO_ENDED = "-*#>"
_RE = patterns("links", re.NOFLAG)
_TITLE_LINE, _LINE = 100, 160
# Where a kind is looked for, in this order: a clause may be called section, an article "paragraph".
_ALSO = {"section": "article", "article": "section", "paragraph": "section"}


@dataclass(frozen=True, slots=True)
class PassageAnchor:
    """The passage `ordinal` bears `label` of `kind`; `start` is where in the document. `quality`: how surely
    (see `_quality`); `scope`: 0 in the main part, else the number of the schedule."""

    kind: str
    label: str
    ordinal: int
    start: int = 0
    quality: int = 0
    scope: int = 0


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


def links(document: Document, chunks: Sequence[Chunk]) -> Links:
    """Anchors and references of a document that was cut into these passages. References that lead to their
    own passage, and those to parts of the document that nothing bears, are left out. Withdrawn words bear
    nothing."""
    if not chunks:
        return Links()
    text, starts = document.text, [c.start for c in chunks]
    tree = _Tree(
        replace(o, ordinal=_place(o.ordinal, chunks))
        for o in _openers(document, fold(text), starts)
        if not withdrawn(chunks[o.ordinal].roles)
    )
    own = names_of(document)
    amended = {a.reference.start: a.reference.target for a in amendments(document)}
    bearing = {o.start for o in tree.openers}
    seen: set[tuple[int, str]] = set()
    found: list[Link] = []
    for reference in find(text, language=document.language):
        ordinal = bisect_right(starts, reference.start) - 1
        heading = _line_start(text, reference.start) in bearing
        if heading or ordinal < 0 or reference.start >= chunks[ordinal].end:
            continue
        mine = _is_own(reference, own, document.title)
        name = amended.get(reference.start) or ("" if mine else reference.target)
        reference = replace(reference, target=name)
        if name:
            if reference.kind != DOCUMENT or (ordinal, name) not in seen:
                found.append(Link(ordinal, reference))
            seen.add((ordinal, name))
        elif reference.kind != DOCUMENT:
            target = _target(reference, tree, text, starts)
            if target is not None and target != ordinal:
                found.append(Link(ordinal, reference, target))
    return Links(tree.anchors(), tuple(found))


def _is_own(reference: Reference, names: Sequence[str], title: str) -> bool:
    """Whether the document names itself, or calls itself "the Agreement"."""
    target, name = reference.target, edition_name(reference.target)
    if name in names:
        return True
    if target.isascii():
        return " " not in target and target.istitle() and target.lower() in title.lower()
    return reference.kind != DOCUMENT and any(name.endswith(key) for key in names)


class _Tree:
    """Openers, in order, by kind and label and part of the document; where several passages bear a label, the
    one of the highest quality, and none where they share that."""

    def __init__(self, openers: Iterable[PassageAnchor]) -> None:
        self.openers = list(openers)
        grouped: dict[tuple[int, str, str], list[PassageAnchor]] = defaultdict(list)
        for o in self.openers:
            grouped[o.scope, o.kind, o.label].append(o)
            grouped[-1, o.kind, o.label].append(o)
        self._unique: dict[tuple[int, str, str], PassageAnchor] = {}
        for key, found in grouped.items():
            top = max(o.quality for o in found)
            best = [o for o in found if o.quality == top]
            if len({o.ordinal for o in best}) == 1:
                self._unique[key] = best[0]

    def _above(self, start: int) -> list[PassageAnchor]:
        return self.openers[: bisect_right(self.openers, start, key=lambda o: o.start)]

    def target(self, kind: str, label: str, start: int) -> int | None:
        """The passage that bears it, for a reference at `start`: in the same schedule, the main part, or
        anywhere. "4.2(b)" is looked for under "4.2" where nothing bears it."""
        above = self._above(start)
        scopes = (above[-1].scope if above else 0, 0, -1)
        while True:
            for where in scopes:
                for also in (kind, _ALSO.get(kind, kind)):
                    if found := self._unique.get((where, also, label)):
                        return found.ordinal
            if not label.endswith(")") or (cut := label.rfind("(")) <= 0:
                return None
            label = label[:cut]

    def before(self, start: int, back: int) -> int | None:
        """The passage of the article `back` places before the one that `start` stands in; articles are
        numbered on from those of their kind, depth and schedule."""
        above = [o for o in self._above(start) if o.kind in ("article", "section")]
        like = [(o.kind, o.scope, o.label.count(".")) for o in above]
        same = [o for o, one in zip(above, like, strict=True) if one == like[-1]]
        return same[-1 - back].ordinal if back < len(same) else None

    def anchors(self) -> tuple[PassageAnchor, ...]:
        """What is borne once in the main part, or once in all."""
        found: dict[tuple[str, str], PassageAnchor] = {}
        for where in (-1, 0):
            found |= {(kind, label): o for (scope, kind, label), o in self._unique.items() if scope == where}
        return tuple(sorted(found.values(), key=lambda o: o.start))


def _target(reference: Reference, tree: _Tree, text: str, starts: Sequence[int]) -> int | None:
    if not reference.label.startswith("-"):
        return tree.target(reference.kind, reference.label, reference.start)
    back = int(reference.label[1:])
    if reference.kind != "paragraph":
        return tree.before(reference.start, back)
    above = text[: text.rfind("\n", 0, reference.start) + 1].rstrip()  # 前款: the paragraph before
    for _ in range(back - 1):
        above = above[: above.rfind("\n") + 1].rstrip()
    return bisect_right(starts, len(above) - 1) - 1 if above else None


def _line_start(text: str, offset: int) -> int:
    line = text.rfind("\n", 0, offset) + 1
    return line if not text[line:offset].strip(" \t\u3000#*|") else -1


def _place(ordinal: int, chunks: Sequence[Chunk]) -> int:
    """The passage; where it is a heading alone, the one that it stands over."""
    if chunks[ordinal].kind != "heading":
        return ordinal
    later = range(ordinal + 1, len(chunks))
    following = next((n for n in later if not withdrawn(chunks[n].roles)), ordinal)
    path, below = chunks[ordinal].heading_path, chunks[following].heading_path
    return following if len(below) > len(path) and below[: len(path)] == path else ordinal


def _openers(document: Document, text: str, starts: Sequence[int]) -> Iterator[PassageAnchor]:
    """Every line of the document that opens a numbered part, with how sure that is, and the passage that it
    stands in."""
    headings, cuts = {b.start for b in document.blocks if b.kind is BlockKind.HEADING}, set(starts)
    lines = f"\n{text}"  # each line begins behind a line break, at the offset that it has in `text`
    notes = match.start() if (match := _RE["notes"].search(lines)) else len(text)
    scope, before = 0, -1
    for match in _SHAPES["opener"].finditer(lines):
        group = match.lastgroup or ""
        start, label_start, end = match.start(), match.start(group) - 1, match.end() - 1
        line_end = at if (at := text.find("\n", end)) >= 0 else len(text)
        rest = text[end : min(line_end, end + 1 + _LINE)]
        heading = start in headings or label_start in headings
        after_opener = before >= 0 and not text[before:start].strip()
        if not (heading or after_opener or label_start in cuts or ended(text, 0, start, _ALSO_ENDED)):
            continue
        kind, label = _number(group, match[group])
        sentence = group == "en" and _RE["article_sentence"].match(text, end)
        if not label or sentence or _RE["continued"].search(rest):
            continue
        if group == "bare" and start > notes:
            kind = "note"
        quality = _quality(group, rest, heading)
        scope += kind in _SCOPES and quality > 0
        before = line_end
        yield PassageAnchor(kind, label, max(0, bisect_right(starts, start) - 1), start, quality, scope)


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
