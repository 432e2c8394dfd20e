"""A text that changes another -> its instructions: which provision, which words go, which come.

"In section 4, for "8 pm" substitute "6 pm"", "Clause 4.2 is replaced by the following: ...", "omit section
6", 将第九条中的“……”修改为“……”、删去第七条、增加一条. Quoted words are not read for instructions. What is an
instruction but says its words in no way known here is UNCLEAR: the provision does not stand as it was."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache

from rag.documents.cuts import trim
from rag.documents.description import definitions
from rag.documents.validity import edition_name, names_of
from rag.facts.crossrefs import DOCUMENT, Reference, find
from rag.facts.dates import dates
from rag.languages import Patterns
from rag.languages.text import unwrapped
from rag.types import Document, Span

_RE = Patterns(__file__)
BEHIND = _RE["behind"]
_QUOTED = "\ue000"  # stands for each quoted character: what stands in quotes is no instruction
_HEAD = 1500
_ITEM = 24  # code points in which "paragraph (b) of" stands
_LONGEST = 400_000


class ChangeKind(StrEnum):
    """What an instruction does: new words for old ones, or behind them; words that go; new words for the
    whole provision, or none; a provision more; another definition of the term that is `old`."""

    SUBSTITUTE = "substitute"
    INSERT = "insert"
    OMIT = "omit"
    REPLACE = "replace"
    REPEAL = "repeal"
    ADD = "add"
    REDEFINE = "redefine"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class Amendment:
    """An instruction at `[start, end)`, about the provision that `reference` names: its `target` is the text
    that is amended, "" for the same document; one of no kind is the definition of the term that is its
    label. `old` and `new` are the words, verbatim; `day` is the ISO day from which, where it is said."""

    start: int
    end: int
    reference: Reference
    kind: ChangeKind
    old: str = ""
    new: str = ""
    day: str = ""

    def places(self, text: str) -> Iterator[Span]:
        """Where the words stand that it names, whole and whatever the white space between them; the
        sentence that defines the term."""
        if self.kind is ChangeKind.REDEFINE:
            # What stands in front of the term, such as the number, stays.
            said = filter(None, [definitions(text).get(self.old)])
            return (Span(max(one.start, text.find(self.old, one.start) - 1), one.end) for one in said)
        words = _between_words(self.old).finditer(text) if self.old else ()
        return (Span(*match.span()) for match in words)

    @property
    def put(self) -> str:
        """What stands in place of the words that it names from then on."""
        gap = " " * (self.new[:1].isascii() and self.new[:1].isalnum())
        return self.old + gap + self.new if self.kind is ChangeKind.INSERT else self.new

    def applied(self, text: str) -> str | None:
        """A sentence of the provision as it reads from then on; None where it is not changed. A repealed one
        reads ""."""
        if self.kind in (ChangeKind.REPLACE, ChangeKind.REPEAL):
            return self.new
        after, at = "", 0
        for place in self.places(text):
            after, at = after + text[at : place.start] + self.put, place.end
        return after + text[at:] if at else None


@lru_cache(maxsize=256)
def _between_words(old: str) -> re.Pattern[str]:
    """The words, whatever the white space, and no part of a longer word or number."""
    inner = r"\s+".join(map(re.escape, old.split()))
    return re.compile(rf"(?<![A-Za-z0-9](?=[A-Za-z0-9])){inner}(?![A-Za-z0-9](?<=[A-Za-z0-9]{{2}}))")


def amendments(document: Document) -> tuple[Amendment, ...]:
    """The instructions of a document, in order. One that names no document is about the text that title or
    first lines say is amended, else about the document itself."""
    text = unwrapped(document.text[:_LONGEST])
    if not _RE["verb"].search(text):
        return ()
    plain = _RE["quote"].sub(lambda m: m[0][0] + _QUOTED * (len(m[0]) - 2) + m[0][-1], text)
    own = names_of(document)
    every = [r for r in find(text, language=document.language) if plain[r.start] != _QUOTED]
    names = [_RE["before_name"].sub("", r.target) for r in every]
    names = ["" if edition_name(n) in own else n for n in names]
    amended = _amended(
        document.title, text, [replace(r, target=n) for r, n in zip(every, names, strict=True)]
    )
    varied = "" if amended else _varied(text[:_HEAD])
    amended = amended or ("" if edition_name(varied) in own else varied)
    names = ["" if _RE["lone"].fullmatch(n) else n for n in names]
    named = [replace(r, target=name, label=_label(r, plain)) for r, name in zip(every, names, strict=True)]
    numbered = [r for r in named if r.kind != DOCUMENT and r.label and not _own_heading(plain, r)]
    found = list(_read(text, plain, numbered, amended))
    since = _from_day(plain[: min(_HEAD, found[0].start)]) if found else ""
    return tuple(replace(a, day=a.day or since) for a in found)


def _amended(title: str, text: str, named: Sequence[Reference]) -> str:
    """The text that a document says it amends, by its title, or the first one that it names, behind "varies"
    before any; ""."""
    if not _RE["amending"].search(title):
        return ""
    if match := _RE["title_zh"].search(title):
        return match["name"] or match["bare"]
    if match := _RE["title_en"].search(title):
        return match["name"].strip()
    if match := _RE["said_zh"].search(text, 0, _HEAD):
        return match["name"]
    former = _RE["former"]  # 原合同 says no name
    first = [r for r in named if r.start < _HEAD and r.target and not former.match(r.target)]
    changed = (r for r in first if _RE["changed"].search(text, 0, r.start))
    return next((r.target for r in (*changed, *first)), "")


def _varied(head: str) -> str:
    """The text that a letter changes: "we agree to vary the Lease" below a line "Lease of Unit 7, dated 4
    March 2023"; ""."""
    said = _RE["varied"].search(head)
    lines = (m["name"].strip() for m in _RE["subject"].finditer(head)) if said else ()
    return next((line for line in lines if said and re.search(rf"(?i)\b{said['noun']}\b", line)), "")


def _label(reference: Reference, plain: str) -> str:
    """The number of a provision, with the item of it that stands in front: "paragraph (b) of clause 8"."""
    item = _RE["item_of"].search(plain, max(0, reference.start - _ITEM), reference.start)
    return f"{reference.label}({item['item']})" if item and reference.label else reference.label


def _own_heading(plain: str, reference: Reference) -> bool:
    """Whether a reference is the number of the instruction itself: "Section 1. In section 4 ..."."""
    begins = not plain[plain.rfind("\n", 0, reference.start) + 1 : reference.start].strip(" \t\u3000#*|")
    return begins and _RE["numbers"].match(plain, reference.end) is not None


def _read(text: str, plain: str, numbered: Sequence[Reference], amended: str) -> Iterator[Amendment]:
    starts = [r.start for r in numbered]
    about: list[Reference] = []
    for piece in _pieces(plain):
        own = numbered[bisect_right(starts, piece.start - 1) : bisect_right(starts, piece.end - 1)]
        defined = None if own else _RE["defined"].search(plain, piece.start, piece.end)
        if defined:
            term = text[slice(*defined.span(defined.lastgroup or 0))].strip()
            about = [Reference(piece.start, defined.end(), "", term)]
        elif own and own[0].kind == "paragraph" and about:  # of the article named before
            label = f"{about[0].label.partition('(')[0]}({own[0].label})"
            about = [replace(about[0], label=label)]
        else:
            about = _together(plain, own) or about
        said = plain[piece.start : piece.end]
        leads = about and (about[0].target or amended or _RE["own_lead"].search(said))
        if not leads or not _RE["verb"].search(said) or _RE["condition"].search(said):
            continue
        for kind, old, new, end in _changes(text, plain, piece, bool(own), about[0].target or amended):
            for one in about:
                named = edition_name(one.target)  # "the Supply Agreement" may be the one with Alder Ltd
                target = amended if edition_name(amended).startswith(named) else one.target
                if kind is not ChangeKind.UNCLEAR or target:
                    span = trim(text, min(piece.start, one.start), end) or piece
                    day = _from_day(plain[span.start : span.end])
                    yield Amendment(span.start, span.end, replace(one, target=target), kind, old, new, day)


def _from_day(instruction: str) -> str:
    for day in dates(instruction):
        if day.period.iso and _RE["from_day"].search(instruction, 0, day.start):
            return day.period.iso
    return ""


def _pieces(plain: str) -> Iterator[Span]:
    """The sentences outside quotes; a line that ends in a colon goes on in a quote on the next one."""
    begin = 0
    for match in _RE["border"].finditer(plain):
        if plain[begin : match.end()].strip():
            yield Span(begin, match.end())
        begin = match.end()
    if plain[begin:].strip():
        yield Span(begin, len(plain))


def _together(plain: str, own: Sequence[Reference]) -> list[Reference]:
    """The first provision that a sentence names, and those joined to it: "sections 4 and 6"."""
    if len(own) > 1 and plain[own[0].end : own[0].end + 1] in (":", "："):  # the instruction's own number
        own = own[1:]
    kept = list(own[:1])
    for one in own[1:]:
        if one.start > kept[-1].end and not _RE["join"].fullmatch(plain, kept[-1].end, one.start):
            break
        kept.append(replace(one, target=one.target or kept[0].target))
    last = kept[-1].target if kept else ""
    return [replace(one, target=one.target or last) for one in kept]


def _changes(
    text: str, plain: str, piece: Span, whole: bool, target: str
) -> Iterator[tuple[ChangeKind, str, str, int]]:
    """(kind, old, new, end of the instruction) of each change that a sentence states to the text `target`;
    `whole`: it names the provision itself."""
    taken: list[Span] = []
    if whole and _RE["together"].search(plain, piece.start, piece.end):  # "A" and "B" by "C" and "D"
        yield ChangeKind.UNCLEAR, "", "", piece.end
        return
    for name, pattern in _WORDS.items():
        for match in pattern.finditer(plain, piece.start, piece.end):
            here = Span(*match.span())
            bare = not target and _QUOTED not in match["old"]
            if not bare and not any(one.start < here.end and here.start < one.end for one in taken):
                taken.append(here)
                new = text[slice(*match.span("new"))] if "new" in pattern.groupindex else ""
                old = text[slice(*match.span("old"))]
                yield ChangeKind(name.partition("_")[0]), old.strip(), new.strip(), piece.end
    if taken or not whole:
        return
    for name, pattern in _WHOLE.items():
        if said := pattern.search(plain, piece.start, piece.end):
            kind, new, end = ChangeKind(name.partition("_")[0]), "", piece.end
            if "new" in pattern.groupindex:
                span = said.span("new")
                if not said["new"] and (below := _RE["next"].match(plain, end)):
                    span, end = below.span(below.lastgroup or 0), below.end()
                new = text[slice(*span)].strip() if span[0] >= 0 else ""
            yield kind if new or kind is ChangeKind.REPEAL else ChangeKind.UNCLEAR, "", new, end
            return
    if _RE["unclear"].search(plain, piece.start, piece.end):
        yield ChangeKind.UNCLEAR, "", "", piece.end


_WORDS, _WHOLE = _RE.table("words"), _RE.table("whole")
