"""The profiles of an index turned into look-ups: names of companies and words of titles to documents.

Built once for each generation of an index (`Store.catalogue`) from `DocumentInfo`s alone; what else
documents are called, a field derives from it (`derived`). Names are held by their keys
(`rag.facts.names`), so that a question's words are found by dictionary, whatever their spelling."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from functools import lru_cache
from typing import Any, TypeVar, cast

from rag.documents.description import stem
from rag.facts.names import (
    GENERIC,
    acronyms,
    name_key,
    name_words,
    short_name,
    shorter_name,
    squash,
)
from rag.languages.text import STOP_WORDS, has_han
from rag.types import DocumentInfo
from rag.types.documents import Metadata, several, single

T = TypeVar("T")
K = TypeVar("K")


class NameKind(IntEnum):
    """What sort of name a key is: the more, the more certain the company where it is read."""

    ACRONYM = 1
    LEAD = 2
    TICKER = 3
    NAME = 4


@dataclass(frozen=True, slots=True)
class Names:
    """Names of one sort that documents bear. `keys`: key -> documents; `display`: key -> the name as printed;
    `own`: document -> the key of its first name; `han`: first character -> lengths of the Chinese keys that
    begin with it, longest first."""

    keys: Mapping[str, tuple[int, ...]]
    display: Mapping[str, str]
    own: Mapping[int, str]
    han: Mapping[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Look-ups over the readable documents of an index.

    `documents`: all, by their ids. `owners`: document -> numbers of its companies in `companies`.
    `company_documents`: those of each company. `company_keys`: key of a name -> (number of a company, kind of
    name). `title_words`: word of titles and file names -> documents. `han`: see `Names`, of the companies."""

    documents: Mapping[int, DocumentInfo] = field(default_factory=dict)
    owners: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    companies: tuple[str, ...] = ()
    company_documents: tuple[tuple[int, ...], ...] = ()
    company_keys: Mapping[str, tuple[tuple[int, NameKind], ...]] = field(default_factory=dict)
    title_words: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    han: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    kept: dict[object, Any] = field(default_factory=dict, compare=False, repr=False)

    def described(self) -> Iterator[tuple[int, Metadata]]:
        """Every document with its description."""
        return ((document, info.metadata) for document, info in self.documents.items())


def derived(build: Callable[[Catalogue], T]) -> Callable[[Catalogue], T]:
    """The function with its value kept in the catalogue: what a field looks up, built when first needed."""

    def found(catalogue: Catalogue) -> T:
        if build not in catalogue.kept:
            catalogue.kept[build] = build(catalogue)
        return cast(T, catalogue.kept[build])

    return found


_TITLE_WORD = re.compile(r"[^\W\d_]{2,}")


def build_names(found: Iterable[tuple[int, str, str, Iterable[str]]]) -> Names:
    """The table of (document, name as printed, its key, keys of its other names)."""
    every = [
        (d, name, key, {form for form in (key, *others) if len(form) > 1}) for d, name, key, others in found
    ]
    keys = _grouped((form, document) for document, _, _, forms in every for form in forms)
    display = {form: name for _, name, _, forms in reversed(every) for form in forms}
    return Names(keys, display, {document: key for document, _, key, _ in every}, _han_lengths(keys))


def singular(word: str) -> str:
    """A key of a word without a plural s ("falls", "diseases"; not "virus", "illness", "sclerosis")."""
    return word[:-1] if len(word) > 3 and word[-1] == "s" and word[-2] not in "sui" else word


@lru_cache(maxsize=16384)
def _name_forms(name: str) -> tuple[tuple[str, NameKind], ...]:
    """Keys under which a company is found by one of its names, with their kinds."""
    if re.fullmatch(r"[A-Z]{1,5}(?:\.[A-Z])?", name):
        return ((squash(name), NameKind.TICKER),)
    short, cut = short_name(name), shorter_name(name)
    forms = {name_key(n): NameKind.NAME for n in (name, short, cut) if n}
    words = name_words(short)
    if not has_han(short):
        common = words and (words[0] in GENERIC or words[0].isdigit())
        for lead in ("".join(words[:n]) for n in range(2 if common else 1, len(words))):
            if len(lead) > 2 and words[0] not in STOP_WORDS:
                forms.setdefault(lead, NameKind.LEAD)
        for letters, joined in acronyms(name).items():
            forms.setdefault(f"{letters[0]}&{letters[1]}" if joined else letters, NameKind.ACRONYM)
    return tuple((key, kind) for key, kind in forms.items() if len(key) > 1)


def build_catalogue(documents: Iterable[DocumentInfo]) -> Catalogue:
    """The catalogue of these documents; those that gave no passage are left out."""
    readable = {info.id: info for info in documents if info.chunks}
    numbers: dict[str, int] = {}
    companies: list[str] = []
    names: dict[str, dict[int, NameKind]] = defaultdict(dict)

    def company(name: str, *others: str) -> int:
        number = numbers.setdefault(name_key(short_name(name)), len(companies))
        if number == len(companies):
            companies.append(name)
        for form, kind in (found for n in (name, *others) for found in _name_forms(n)):
            names[form][number] = max(kind, names[form].get(number, kind))
        return number

    owners: dict[int, tuple[int, ...]] = {}
    for document, info in readable.items():
        if name := single(info.metadata, "company"):
            owners[document] = (company(name, *several(info.metadata, "names")),)
        else:
            owners[document] = tuple(dict.fromkeys(map(company, several(info.metadata, "parties"))))
    reports = _grouped((number, document) for document, own in owners.items() for number in own)
    keys = {key: _ranked(found) for key, found in names.items()}
    untitled = (d for d, info in readable.items() if not info.metadata.get("law"))
    return Catalogue(
        documents=readable,
        owners=owners,
        companies=tuple(companies),
        company_documents=tuple(reports[number] for number in range(len(companies))),
        company_keys=keys,
        title_words=_grouped((word, d) for d in untitled for word in _title_words(readable[d])),
        han=_han_lengths(keys),
    )


def _ranked(found: Mapping[int, NameKind]) -> tuple[tuple[int, NameKind], ...]:
    """The companies that bear a key; where it is the full name of one, those that it only abbreviates go."""
    best = max(found.values())
    return tuple((n, k) for n, k in found.items() if k == best or best < NameKind.TICKER)


def _grouped(pairs: Iterable[tuple[K, T]]) -> dict[K, tuple[T, ...]]:
    found: dict[K, list[T]] = defaultdict(list)
    for key, value in pairs:
        found[key].append(value)
    return {key: tuple(values) for key, values in found.items()}


def _han_lengths(keys: Iterable[str]) -> dict[str, tuple[int, ...]]:
    lengths = _grouped((key[0], len(key)) for key in keys if not key.isascii() and has_han(key))
    return {first: tuple(sorted(set(found), reverse=True)) for first, found in lengths.items()}


def _title_words(info: DocumentInfo) -> set[str]:
    words = _TITLE_WORD.findall(f"{info.title} {stem(info.path)}")
    return {word.lower() for word in words} - STOP_WORDS
