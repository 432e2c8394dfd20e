"""When a document is in force: the dates that it says of itself, and what takes its place.

A rule is amended, replaced, repealed; each time its text changes and an index may hold several of them.
The dates are read at ingest (`stated`); `settled` orders the documents of an index that carry one name and
finds those that others name; `versions` says from when each has been superseded or repealed.

What is not said is not guessed: a document without a date is never superseded, and a filter by date lets it
pass. Reports, filings and decisions of one name are no versions of each other: only names of instruments
(acts, regulations, guidelines, agreements) are grouped."""

from __future__ import annotations

import datetime
import math
import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import takewhile
from pathlib import PurePosixPath

from rag.facts.dates import dates
from rag.facts.names import LEGAL_NAME, ZH_LEGAL_NAME, name_key
from rag.facts.numerals import fold, parse_han
from rag.languages import Patterns, patterns
from rag.languages.text import normalise
from rag.types import Document, DocumentInfo, Relation, RelationKind
from rag.types.documents import Metadata, several, single

_RE = patterns("validity", re.NOFLAG)
FILE_DATE = _RE["file_date"]
NOW = _RE["now"]
"""The present day, in a question."""

_SHAPES = Patterns(__file__)
_COUNTRY = "中华人民共和国"
_DATES = ("issued", "effective", "amended", "repealed", "superseded")
_ENDS = {RelationKind.SUPERSEDES: "superseded", RelationKind.REPEALS: "repealed"}
_YEARS = range(1900, 2100)
_HEAD_LINES = 8
_ISO = re.compile(r"\d{4}(?:-\d{2}){0,2}")


@dataclass(frozen=True, slots=True)
class Validity:
    """From when to when a document is in force, as ISO dates: `start` inclusive, `end` exclusive, "" where
    not known. `reason` is why it ended: "superseded", "repealed", or "" where nothing says so; `by` and
    `by_name` are the document that ended it (None and "" where it says so itself)."""

    start: str = ""
    end: str = ""
    reason: str = ""
    by: int | None = None
    by_name: str = ""

    def in_force(self, on: str) -> bool:
        """At the ISO date `on`: True also where nothing is known."""
        return (not self.start or self.start <= on) and not self.ended(on)

    def ended(self, on: str) -> bool:
        """Whether it was no longer in force on that ISO date, or ended on a day that nothing says."""
        return bool(self.reason) and self.end <= on


UNKNOWN = Validity()


def stated(metadata: Metadata) -> Validity:
    """What a document's metadata say of its force, other documents aside. A date without its day or month
    is taken for the first one."""
    dated = {
        key: f"{day}-01-01"[:10] if len(day) == 4 else f"{day}-01"[:10]
        for key in _DATES
        if _ISO.fullmatch(day := single(metadata, key))
    }
    start = max(dated.get("effective", ""), dated.get("amended", "")) or dated.get("issued", "")
    ends = ((dated[key], key) for key in ("repealed", "superseded") if key in dated)
    replaced = "superseded" if single(metadata, "superseded_by") else ""
    end, reason = min(ends, default=("", replaced))
    return Validity(start, end, reason, None, single(metadata, f"{reason}_by") if reason else "")


def ended(document: DocumentInfo, on: str = "") -> Validity | None:
    """How a document of an index has come out of force by the ISO date `on` (today); None while it has
    not."""
    force = stated(document.metadata)
    return force if force.ended(on or datetime.date.today().isoformat()) else None


def marked(documents: Sequence[DocumentInfo], force: Mapping[int, Validity]) -> list[DocumentInfo]:
    """The documents, those that others ended with that in their metadata: `superseded` or `repealed`, the
    date, and `superseded_by` or `repealed_by`, the other's title. So what came out of force can be filtered
    and shown wherever a document is at hand."""
    ends = {i: {one.reason: one.end, f"{one.reason}_by": one.by_name} for i, one in force.items() if one.by}
    ends = {i: {key: value for key, value in one.items() if value} for i, one in ends.items()}
    return [replace(d, metadata={**d.metadata, **ends[d.id]}) if d.id in ends else d for d in documents]


def edition_name(name: str) -> str:
    """The name by which editions of one text are the same: without the country, dates, brackets that
    distinguish versions, and punctuation. "中华人民共和国旅游法(2018-10-26)" -> "旅游法"."""
    return squashed(undated(name))


@lru_cache(maxsize=1 << 16)
def undated(name: str) -> str:
    """`name` without date and version, readable."""
    plain = " ".join(fold(name).replace("_", " ").split())
    bare = FILE_DATE.sub(" ", _RE["bracket"].sub(" ", plain)).replace("( )", " ").rstrip(" -,.")
    if _RE["single"].search(bare):
        return plain
    bare = _SHAPES["trailing"].sub("", bare).strip(" -,.")
    if year := _edition_year(bare):
        bare = bare[: year.start()]
    return bare.strip() or plain


@lru_cache(maxsize=1 << 16)
def squashed(name: str) -> str:
    """Letters and digits, lower case, the country's name left out."""
    plain = re.sub(r"[\W_]+", "", normalise(name))
    return plain.replace(_COUNTRY, "") or plain


def settled(documents: Sequence[DocumentInfo], relations: Sequence[Relation]) -> list[Relation]:
    """The relations between the documents of an index: the editions that take each other's place, and the
    relations that the documents' texts state, with the documents that bear the name (one each; none where no
    document does).

    Documents of one name, between the same parties, are ordered by the day from which each is in force (the
    later of its coming into force and its last amendment, else its issue), where nothing says that by their
    versions: an earlier one ends when the next begins, and a draft, of whatever it is, when the text that is
    none does."""
    drafts = {d.id for d in documents if is_draft(d)}
    found = []
    for group in _groups(documents):
        editions = any(_RE["instrument"].search(undated(d.title or d.path)) for d in group)
        older = [d for d in group if editions or d.id in drafts or "version" in d.metadata]
        starts = {d.id: stated(d.metadata).start for d in group} if older else {}
        later: dict[int, int] = {}
        for order in (starts, _ranks(group) if older else {}):
            ordered = sorted(
                (order[d.id], d.id not in drafts, is_copy(d), d.id) for d in group if d.id in order
            )
            known = frozenset(later)
            for d in older:
                if d.id in known or not (order.get(d.id) or d.id in drafts):
                    continue
                final = d.id not in drafts
                behind = ordered[bisect_right(ordered, (order[d.id], final, True, math.inf)) :]
                # A draft ends no text that is none, nor does a version what bears a day as it does.
                fit = (i for _, whole, _, i in behind if whole >= final and i not in known)
                if i := next((i for i in fit if order is starts or not (starts[i] and starts[d.id])), 0):
                    later[d.id] = i
        found += [Relation(RelationKind.SUPERSEDES, "", starts[i], i, d) for d, i in later.items()]
    by_name: dict[str, list[int]] = defaultdict(list)
    for document in documents if relations else ():
        for key in names_of(document):
            by_name[key].append(document.id)
    keys = sorted(by_name)
    parties = {d.id: _parties(d, "parties", "company") for d in documents} if relations else {}
    for relation in relations:
        key, own = edition_name(relation.name), relation.source or 0
        named = by_name.get(key, [])
        if relation.kind is RelationKind.AMENDS:
            exact = bool(set(named) - {own})
            begin = bisect_left(keys, key)
            longer = takewhile(lambda k: k.startswith(key), keys[begin:])  # noqa: B023
            others = [i for k in longer for i in by_name[k]]
            others = [i for i in dict.fromkeys(named if exact else others) if i != own]
            named = _of_parties(others, parties, own, exact=exact) or [i for i in named if i == own]
        else:
            named = [i for i in named if i != own]
        found += [replace(relation, target=i) for i in named] or [replace(relation, target=None)]
    return found


def _ranks(group: Sequence[DocumentInfo]) -> dict[int, tuple[int, ...]]:
    """The rank of each version of one text by id, () for none; {} where years stand beside numbers."""
    found = {d.id: _rank(single(d.metadata, "version")) for d in group}
    kinds = {rank[0] in _YEARS for rank in found.values() if rank}
    return found if len(kinds) < 2 else {}


def _rank(version: str) -> tuple[int, ...]:
    parts = version.split(".") if version else ()
    return tuple(int(part) if part.isdigit() else ord(part) for part in parts)


def versions_in(text: str) -> tuple[str, ...]:
    """The versions that a text names, in order, as "2.1", "b" (revision B) or "2023" (2023版)."""
    found = (match[match.lastgroup or 0].lower() for match in _RE["version"].finditer(fold(text)))
    return tuple(one if one.isascii() else str(parse_han(one) or one) for one in found)


def asks_of(text: str, document: DocumentInfo) -> bool:
    """Whether a question names the version that a document is: by its number, its year or month, as a draft,
    or, of one that another superseded, as the former one."""
    former = ended(document) and _RE["earlier_version"].search(text)
    drafted = is_draft(document) and _RE["draft"].search(text)
    return bool(former or drafted or single(document.metadata, "version") in _named_versions(text))


@lru_cache(maxsize=64)
def _named_versions(text: str) -> frozenset[str]:
    days = [day.period for day in dates(fold(text))]
    return frozenset(
        [*versions_in(text), *(f"{d.year}.{d.month}" for d in days), *(str(d.year) for d in days)]
    )


def unversioned(text: str) -> str:
    """A question without the words by which it names versions."""
    for key in ("version", "draft", "earlier_version"):
        text = _RE[key].sub(" ", text)
    return text


def called(document: DocumentInfo) -> str:
    """The title of a document, or its file name where that is the title with the version, and the version
    where neither has it."""
    stem, version = PurePosixPath(document.path).stem, single(document.metadata, "version")
    title = document.title or document.path
    if not version and not is_draft(document):
        return title
    if len(stem) > len(title) and edition_name(stem) == edition_name(title):
        title = stem.replace("_", " ")
    return title if version in title.lower() else f"{title} ({version})"


def version_of(title: str, path: str, head: str) -> str:
    """Which version of a text a document is by its file name, its title, a short line at its `head`, or, of a
    text that has editions, the year or month behind its name ("2025.6"); ""."""
    names = (PurePosixPath(path).stem.replace("_", " "), title)
    lines = (line for line in head.split("\n")[:_HEAD_LINES] if _SHAPES["version_line"].match(line))
    if found := [one for text in (*names, *lines) for one in versions_in(text)[-1:]]:
        return found[0]
    named = filter(None, map(_edition_year, map(fold, names)))
    days = (day.period for year in named for day in dates(year[0]))
    return next((f"{day.year}.{day.month}" if day.month else str(day.year) for day in days), "")


def _edition_year(name: str) -> re.Match[str] | None:
    year = _RE["trailing_year"].search(name.rstrip(" )"))
    return year if year and _RE["edited"].search(name[: year.start()]) else None


def is_draft(document: DocumentInfo) -> bool:
    """Whether a document calls itself a draft, by its title or its file name."""
    return _RE["draft"].search(f"{document.title} {PurePosixPath(document.path).stem}") is not None


def is_copy(document: DocumentInfo) -> bool:
    """Whether the path of a document calls it a copy."""
    return _SHAPES["copy"].search(document.path) is not None


def _parties(document: DocumentInfo, *keys: str) -> frozenset[str]:
    """The keys of the names of the companies that a document is between, or about."""
    names = several(document.metadata, *keys)
    return frozenset(name_key(n) for n in names if LEGAL_NAME.search(n) or ZH_LEGAL_NAME.search(n))


def _of_parties(
    named: Sequence[int], parties: Mapping[int, frozenset[str]], source: int, *, exact: bool
) -> list[int]:
    """Of the documents that bear a name those between the parties of the document that names it; where it
    or they have none, all that bear it `exact`ly."""
    own = parties.get(source, frozenset())
    shared = [i for i in named if own and own <= parties[i]]
    return shared or [i for i in named if exact and not (own and parties[i])]


def versions(documents: Sequence[DocumentInfo], relations: Sequence[Relation]) -> Mapping[int, Validity]:
    """The force of each document by id; those of which nothing is known are left out.

    A document that another supersedes or repeals (`relations`, settled) ends when that takes effect, if it
    had begun before. The earliest end counts."""
    found = {d.id: stated_dates for d in documents if (stated_dates := stated(d.metadata)) != UNKNOWN}
    names = {d.id: called(d) for d in documents} if relations else {}
    for relation in relations:
        known, end = found.get(relation.target or 0, UNKNOWN), relation.effective
        ordered = relation.kind is RelationKind.SUPERSEDES and (not relation.name or known.start in ("", end))
        if relation.kind not in _ENDS or not (ordered or "" < known.start < end):
            continue
        if relation.source in names and (not known.reason or "" < end < known.end):
            reason, by = _ENDS[relation.kind], relation.source
            found[relation.target or 0] = Validity(known.start, end, reason, by, names[by])
    return found


def names_of(document: DocumentInfo | Document) -> tuple[str, ...]:
    """The keys (see `edition_name`) under which others may name a document: its title and its file name, also
    without the court or council that a Chinese title begins with and without an English act's year."""
    variants = (
        variant
        for name in (document.title, PurePosixPath(document.path).stem)
        for bare in [undated(name)]
        for variant in (name, bare, _RE["issuer"].sub("关于", bare), _RE["trailing_year"].sub("", bare))
    )
    return tuple(dict.fromkeys(key for variant in variants if len(key := squashed(variant)) > 1))


def copies_of(documents: Iterable[DocumentInfo]) -> tuple[list[DocumentInfo], dict[int, tuple[str, ...]]]:
    """The documents without those that have the text of another, in whatever format, and for the one of each
    text that is kept, none called a copy where it can be, the paths of the others."""
    same: dict[str, list[DocumentInfo]] = {}
    for document in documents:
        same.setdefault(single(document.metadata, "text") or document.path, []).append(document)
    kept = [min(some, key=is_copy) for some in same.values()]
    others = zip(kept, same.values(), strict=True)
    return kept, {d.id: tuple(e.path for e in some if e is not d) for d, some in others if len(some) > 1}


def _groups(documents: Iterable[DocumentInfo]) -> Iterator[list[DocumentInfo]]:
    """Documents that are versions of one another. Two leases may both be titled "Lease": where the file name
    says more than the title, it must agree as well."""
    groups: dict[tuple[str, str, frozenset[str]], list[DocumentInfo]] = defaultdict(list)
    for document in documents:
        stem = PurePosixPath(document.path).stem
        title = undated(document.title or stem)
        if not _RE["single"].search(title):
            key, other = squashed(title), edition_name(stem)
            groups[key, "" if other == key else other, _parties(document, "parties")].append(document)
    return (group for group in groups.values() if len(group) > 1)
