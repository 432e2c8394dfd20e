"""What a document is about, read at ingest from its title, file name, first pages and metadata.

The values are strings that the store keeps with the document. What each field knows of its documents it says
itself (`Describes`); here stand what any document may have: its type, its parties, its day and year. Nothing
is guessed where nothing says it: a key that is not known is left out. `rag.documents.catalogue` turns the
profiles of an index into look-ups.

`definitions` are the terms that a text defines: "Permitted Use" means ..., 本合同所称“服务”是指……"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Protocol

from rag.documents.validity import version_of
from rag.facts.dates import FiscalPeriod, dates, read_periods
from rag.facts.names import LEGAL_NAME, ZH_LEGAL_NAME, name_key, short_name, squash
from rag.facts.numerals import fold
from rag.languages import patterns
from rag.languages.text import sentences, unwrapped
from rag.types import Chunk, Document, Relation, Span
from rag.types.documents import Metadata, single

HEAD = 6000
_FIRST_WORDS = 1500
_DAYS = ("fiscal_year", "issued", "dated", "effective", "amended", "year")
_RE = patterns("description", re.NOFLAG)
_DEFINES = patterns("definitions", re.NOFLAG)
ATTACHED = _DEFINES["attached"]
"""Titles and file names of what is attached to a contract."""
_LONGEST = 600
_TYPES = patterns("document_types", re.NOFLAG)
_AS_A_WHOLE, SALUTATION, _LISTING = map(_TYPES.pop, ("as_a_whole", "salutation", "listing"))
SENT = ("invoice", "letter", "mail")
"""Kinds of documents that somebody sends to somebody."""
_BETWEEN_PARTIES = ("contract", "judgment", *SENT)
_MAILS, _SHEETS = ("eml", "msg"), ("csv", "ods", "xls", "xlsb", "xlsx")
_CLOSING_LINES = 3
_NO_SIGNATURE = frozenset(":：，。；")
# "1. Fee. " in front of a name at the beginning of a sentence, and the full stop behind one.
_NO_NAME = re.compile(r"^(?:\d.*\w{3}|.*\d{4})\.\s+|(?i:(?<=\bplc|\bLLP|\bLLC)\.$)")
_NO_COMPANY = re.compile(
    "commission|exchangeact|securitiesact|washington|^form|^the(?:company|corporation)$|^company$"
)


class Describes(Protocol):
    """A field as the ingest asks it. It is pickled for the worker processes."""

    @property
    def describes_rest(self) -> bool:
        """Whether it is asked after the others, for what they do not know."""

    @property
    def own_keys(self) -> frozenset[str]:
        """Its keys that count more than those of the file's properties."""

    def describe(self, document: Document, known: Metadata) -> Metadata:
        """What it knows of a document beside what the fields before it said ("": nothing)."""

    def roles(self, document: Document, passages: Sequence[Chunk]) -> Sequence[tuple[str, ...]]:
        """The parts of the document that each passage stands in, as ("balance",); () where it knows none."""

    def relations(self, document: Document) -> Sequence[Relation]:
        """What a document, its metadata complete, says that it does to others."""


def with_profile(document: Document, fields: Sequence[Describes]) -> dict[str, str | tuple[str, ...]]:
    """The document's metadata as the store keeps them: what its parser found, and where that gave nothing,
    or a field's own words count more, what is known by the fields and by the keys parties and year. A few
    milliseconds at most."""
    found: dict[str, str | tuple[str, ...]] = {}
    for one in sorted(fields, key=lambda one: one.describes_rest):
        found |= one.describe(document, found)
    if not found.get("law"):
        named = f"{document.title} {stem(document.path)}"
        listing = document.kind in _SHEETS and _LISTING.search(named)
        kind = "" if listing else document_type(document.title, document.text[:HEAD])
        kind = "mail" if document.kind in _MAILS else kind
        found["document_type"] = kind
        found["sender"] = sender = _sender(document.text, kind)
        between = sender + _named(document.text, "to") if kind == "mail" else ()
        between = between or _parties(document.title, document.text[:HEAD], kind)
        addressee = _addressee(document.text) if kind == "letter" else ()
        found["parties"] = between + tuple(n for n in addressee if name_key(n) not in map(name_key, between))
    if not found.get("issued"):
        found["dated"] = _dated(document.text[:_FIRST_WORDS])
    found.setdefault("year", _year(found, document))
    found["version"] = version_of(document.title, document.path, document.text[:_FIRST_WORDS])
    own = frozenset().union(*(one.own_keys for one in fields))
    known = {key: value[0] if len(value) == 1 else value for key, value in found.items() if value}
    given = {key: value for key, value in document.metadata.items() if value}
    return known | given | {key: known[key] for key in own & known.keys()}


def stem(path: str) -> str:
    """The file name without its ending, as words."""
    return PurePosixPath(path).stem.replace("_", " ")


def is_company(name: str) -> bool:
    """Not an authority, an act or a part that looks like a company's legal name."""
    return not _NO_COMPANY.search(squash(name))


def document_type(title: str, head: str = "") -> str:
    """What kind of document it is by its title, or as a letter by how it begins ("contract", "invoice");
    "" where neither says."""
    kinds = (kind for kind, pattern in _TYPES.items() if pattern.search(title))
    return next(kinds, "letter" if SALUTATION.search(head[:_FIRST_WORDS]) else "")


def type_of_noun(noun: str) -> str:
    """The kind that a noun stands for as a whole ("contracts", not "leases"); ""."""
    return document_type(noun) if _AS_A_WHOLE.fullmatch(noun) else ""


def day_of(known: Metadata) -> str:
    """Of when a document is by its metadata, as an ISO date, or a year alone; ""."""
    return next((day for key in _DAYS if (day := single(known, key))), "")


def _parties(title: str, head: str, kind: str) -> tuple[str, ...]:
    """The companies, and persons with a part, that a contract, an award, a letter or an invoice names
    first, at most four; () for other documents."""
    between = kind in _BETWEEN_PARTIES or _RE["contract"].search(title)
    if not (between or _RE["contract_body"].search(head[:600])):
        return ()
    text = f"{title}\n\n{unwrapped(head[:_FIRST_WORDS])}"
    found = (m.group() for m in LEGAL_NAME.finditer(text) if is_company(m.group()))
    names = [_RE["label"].sub("", _NO_NAME.sub("", name)).strip(" ,") for name in found]
    names += [_RE["zh_label"].sub("", m.group()) for m in ZH_LEGAL_NAME.finditer(text)]
    names += [m["person"] or m["zh_person"] for m in _RE["person"].finditer(text)]
    named: dict[str, str] = {}
    for name in names:
        if (
            len(short_name(name)) > 1
            and not name[0].islower()
            and not any(n.startswith(name) or name.endswith(n) for n in named.values())
        ):
            named.setdefault(name_key(name), name)
    return tuple(named.values())[:4]


def _named(text: str, label: str) -> tuple[str, ...]:
    """Who stands behind "From:" or "To:" in the first lines; ()."""
    found = _RE[label].search(text[:_FIRST_WORDS])
    return (found[found.lastgroup or 0].strip(),) if found else ()


def _sender(text: str, kind: str) -> tuple[str, ...]:
    """Who sent a letter, an invoice or a mail, by every name, a company first: behind "From:", below the
    closing words, on the letterhead; () for other documents, and where nothing says it."""
    named = _named(text, "from") if kind in SENT else ()
    if named or kind not in ("letter", "invoice"):
        return named
    lines = [line.strip(" #*>") for line in text.splitlines() if line.strip(" #*>")]
    closings = [n for n, line in enumerate(lines) if _RE["closing"].search(line)] if kind == "letter" else []
    signed = lines[closings[-1] + 1 :][:_CLOSING_LINES] if closings else []
    below = (ZH_LEGAL_NAME.match(line) for line in lines[-_CLOSING_LINES:] if _NO_SIGNATURE.isdisjoint(line))
    signed += [match.group() for match in below if match] if kind == "letter" else []
    border = _RE["to"].search(text[:_FIRST_WORDS])
    days = [one.start for one in dates(text[:_FIRST_WORDS])]
    above = text[: min([*days[:1], *([border.start()] if border else [])], default=0)]
    companies = [m.group() for line in (*signed, above) for m in LEGAL_NAME.finditer(line)]
    return tuple(dict.fromkeys([*filter(is_company, companies[:1]), *signed]))


def _addressee(text: str) -> tuple[str, ...]:
    """To whom a letter is: behind "To:", or on the line between its day and "Dear ..."; ()."""
    head = text[:_FIRST_WORDS]
    day = next(iter(dates(head)), None)
    dear = SALUTATION.search(head)
    if (said := _named(text, "to")) or not (day and dear and day.end < dear.start()):
        return said
    line = head[day.end : dear.start()].strip(" .\n").partition("\n")[0].strip()
    return (line,) if line[:1].isupper() and not any(map(str.isdigit, line)) else ()


def _dated(head: str) -> str:
    """The day that a document bears at its head, as an ISO date: on a line of its own, or behind words that
    say so; ""."""
    folded = fold(head)
    for one in dates(folded):
        before = folded[folded.rfind("\n", 0, one.start) + 1 : one.start]
        alone = not before.strip(" #*") and not folded[one.end :].partition("\n")[0].strip(" *.")
        if one.period.day and one.period.iso and (alone or _RE["dated"].search(before)):
            return one.period.iso
    return ""


def first_year(named: Sequence[FiscalPeriod]) -> str:
    """The first year that any of the periods has; ""."""
    return next((str(p.year) for p in named if p.year), "")


def _year(found: Metadata, document: Document) -> str:
    """The best single year for a filter. A bare number of a file name is believed only where the title says
    it too, or where the rest of the profile says what kind of document it is."""
    if value := single(found, "fiscal_year") or single(found, "period_end"):
        return value[:4]
    named = read_periods(stem(document.path))
    if year := first_year(read_periods(_RE["due"].sub("", document.title))):
        return year
    known = found.get("form") or found.get("law") or found.get("company")
    return first_year(named) if known or any(p.ended for p in named) else ""


def definitions(text: str) -> Mapping[str, Span]:
    """The terms that a text defines, each with the sentence that does so; the first where several do."""
    found: dict[str, Span] = {}
    for match in _DEFINES["means"].finditer(text):
        begin = text.rfind("\n", 0, match.start()) + 1
        line = text[begin : match.end() + _LONGEST].partition("\n")[0]
        at = match.start() - begin
        for one in sentences(line):
            if one.start <= at < one.end:
                term = " ".join((match["term"] or match["zh_term"]).split())
                found.setdefault(term, Span(begin + one.start, begin + one.end))
    return found
