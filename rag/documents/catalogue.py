"""The profiles of an index turned into look-ups: names, tickers, statutes and subjects to documents.

Built once for each generation of an index (`Store.catalogue`) from `DocumentInfo`s alone. Names are held by
their keys (`rag.facts.names`), so that a question's words are found by dictionary, whatever their
spelling."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from functools import lru_cache
from pathlib import PurePosixPath

from rag.facts.names import (
    GENERIC,
    acronyms,
    law_key,
    name_key,
    name_words,
    short_name,
    shorter_name,
    squash,
    statute_names,
    statutes_in,
)
from rag.languages.text import STOPWORDS_EN, has_han
from rag.types import DocumentInfo


class NameKind(IntEnum):
    """What sort of name a key is: the more, the more certain the company where it is read."""

    ACRONYM = 1
    LEAD = 2
    TICKER = 3
    NAME = 4


@dataclass(frozen=True, slots=True)
class DocumentFacts:
    """What is known about one document: numbers of its companies in `Catalogue.companies`, the fiscal years
    it may be called by, part of the year, ISO day of its end, form, key of its statute, rank, key of its
    subject, and years that are not fiscal ones."""

    companies: tuple[int, ...] = ()
    years: tuple[int, ...] = ()
    part: str = ""
    ended: str = ""
    form: str = ""
    law: str = ""
    authority: str = ""
    subject: str = ""
    other_years: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Look-ups over the readable documents of an index.

    `company_documents`: those of each company in `companies`. `company_keys`: key of a name -> (number of a
    company, kind of name). `company_words`: first letter -> (number, words of the short name), for
    contractions. `initial`: first letter -> long keys, for misspellings. `law_keys`, `subject_keys`: key ->
    documents. `related`: key of a statute -> documents that apply or carry it out. `title_words`: word of
    titles and file names -> documents. `han`: first character -> lengths of the Chinese keys that begin with
    it, longest first. `display`: key -> the name as printed."""

    facts: Mapping[int, DocumentFacts] = field(default_factory=dict)
    companies: tuple[str, ...] = ()
    company_documents: tuple[tuple[int, ...], ...] = ()
    company_keys: Mapping[str, tuple[tuple[int, NameKind], ...]] = field(default_factory=dict)
    company_words: Mapping[str, tuple[tuple[int, tuple[str, ...]], ...]] = field(default_factory=dict)
    initial: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    law_keys: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    related: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    subject_keys: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    title_words: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    han: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    forms: frozenset[str] = frozenset()
    display: Mapping[str, str] = field(default_factory=dict)


_YEAR = re.compile(r"(?:19|20)\d{2}")
_TITLE_WORD = re.compile(r"[^\W\d_]{2,}")
_PROPERTIES = re.compile(r"\b(?:10-?[KQ]|8-?K|form|filed|fictional)\b", re.I)


def build_catalogue(documents: Iterable[DocumentInfo]) -> Catalogue:
    """The catalogue of these documents; those that gave no passage are left out."""
    builder = _Builder()
    for info in documents:
        if info.chunks:
            builder.add(info)
    return builder.finish()


@lru_cache(maxsize=65536)
def subject_key(text: str) -> str:
    """The key of a subject: words without their plural s, so that "Rickets" is "ricket"."""
    return squash(text) if has_han(text) else "".join(map(singular, name_words(text)))


def singular(word: str) -> str:
    """A key of a word without a plural s ("falls", "diseases"; not "virus", "illness", "sclerosis")."""
    if len(word) > 3 and word[-1] == "s" and word[-2] not in "sui":
        return word[:-1]
    return word


@lru_cache(maxsize=16384)
def _name_forms(name: str) -> tuple[tuple[str, NameKind], ...]:
    """Keys under which a company is found by one of its names, with their kinds."""
    if re.fullmatch(r"[A-Z]{1,5}(?:\.[A-Z])?", name):
        return ((squash(name), NameKind.TICKER),)
    short, cut = short_name(name), shorter_name(name)
    forms = {name_key(n): NameKind.NAME for n in (name, short, cut) if n}
    words = name_words(short)
    if not has_han(short):
        for n in range(1, len(words)):
            lead = "".join(words[:n])
            known = len(lead) > 2 and words[0] not in STOPWORDS_EN
            if known and not (n == 1 and (words[0] in GENERIC or words[0].isdigit())):
                forms.setdefault(lead, NameKind.LEAD)
        for letters, joined in acronyms(name).items():
            forms.setdefault(f"{letters[0]}&{letters[1]}" if joined else letters, NameKind.ACRONYM)
    return tuple((key, kind) for key, kind in forms.items() if len(key) > 1)


class _Builder:
    """Collects what `Catalogue` holds, one document after the other."""

    def __init__(self) -> None:
        self.facts: dict[int, DocumentFacts] = {}
        self.numbers: dict[str, int] = {}
        self.companies: list[str] = []
        self.reports: list[list[int]] = []
        self.names: dict[str, dict[int, NameKind]] = defaultdict(dict)
        self.laws: dict[str, list[int]] = defaultdict(list)
        self.related: dict[str, list[int]] = defaultdict(list)
        self.subjects: dict[str, list[int]] = defaultdict(list)
        self.words: dict[str, list[int]] = defaultdict(list)
        self.display: dict[str, str] = {}

    def add(self, info: DocumentInfo) -> None:
        meta = info.metadata
        company, law = meta.get("company", ""), meta.get("law", "")
        numbers = self._companies(meta, company)
        for number in numbers:
            self.reports[number].append(info.id)
        subject = "" if company or law else self._subject(info, meta)
        self.facts[info.id] = DocumentFacts(
            companies=numbers,
            years=_years(meta.get("fiscal_year", "")),
            part=meta.get("fiscal_period", ""),
            ended=meta.get("period_end", ""),
            form=meta.get("form", ""),
            law=self._law(info, law, meta) if law else "",
            authority=meta.get("authority", ""),
            subject=subject,
            other_years=() if meta.get("fiscal_year") else _years(meta.get("year", "")),
        )
        if not law:
            for word in _title_words(info.title, info.path):
                self.words[word].append(info.id)

    def _companies(self, meta: Mapping[str, str], company: str) -> tuple[int, ...]:
        if company:
            return (self._company(company, meta.get("names", "")),)
        parties = meta.get("parties", "")
        return tuple(dict.fromkeys(self._company(p, "") for p in parties.split("|"))) if parties else ()

    def _company(self, name: str, others: str) -> int:
        key = name_key(short_name(name))
        number = self.numbers.get(key)
        if number is None:
            number = self.numbers[key] = len(self.companies)
            self.companies.append(name)
            self.reports.append([])
        for n in (name, *others.split("|")) if others else (name,):
            for form, kind in _name_forms(n):
                known = self.names[form]
                known[number] = max(kind, known.get(number, kind))
        return number

    def _law(self, info: DocumentInfo, law: str, meta: Mapping[str, str]) -> str:
        key = law_key(law)
        others = meta.get("law_names", "")
        names = others.split("|") if others else statute_names(law)
        for form in {key, *map(law_key, names)}:
            self.laws[form].append(info.id)
            self.display.setdefault(form, law)
        if has_han(law):
            for applied in statutes_in(law):
                self.related[law_key(applied)].append(info.id)
        return key

    def _subject(self, info: DocumentInfo, meta: Mapping[str, str]) -> str:
        subject = meta.get("subject", "")
        if not subject or len(subject) > 120 or _PROPERTIES.search(subject):
            return ""
        key = subject_key(subject)
        others = meta.get("names", "")
        for form in {key, *map(subject_key, others.split("|"))} if others else (key,):
            if len(form) > 1:
                self.subjects[form].append(info.id)
                self.display.setdefault(form, subject)
        return key

    def finish(self) -> Catalogue:
        keys = {key: _ranked(found) for key, found in self.names.items()}
        initial: dict[str, list[str]] = defaultdict(list)
        words: dict[str, list[tuple[int, tuple[str, ...]]]] = defaultdict(list)
        for key, found in keys.items():
            if len(key) > 6 and found[0][1] in (NameKind.NAME, NameKind.LEAD):
                initial[key[0]].append(key)
        for number, name in enumerate(self.companies):
            parts = name_words(short_name(name))
            if len(parts) > 1:
                words[parts[0][0]].append((number, parts))
        return Catalogue(
            facts=self.facts,
            companies=tuple(self.companies),
            company_documents=tuple(map(tuple, self.reports)),
            company_keys=keys,
            company_words={k: tuple(v) for k, v in words.items()},
            initial={k: tuple(v) for k, v in initial.items()},
            law_keys=_frozen(self.laws),
            related=_frozen(self.related),
            subject_keys=_frozen(self.subjects),
            title_words=_frozen(self.words),
            han=_han_lengths((keys, self.laws, self.subjects)),
            forms=frozenset(f.form for f in self.facts.values() if f.form),
            display=self.display,
        )


def _ranked(found: Mapping[int, NameKind]) -> tuple[tuple[int, NameKind], ...]:
    """The companies that bear a key; where it is the full name of one, those that it only abbreviates go."""
    best = max(found.values())
    return tuple((n, k) for n, k in found.items() if k == best or best < NameKind.TICKER)


def _frozen(found: Mapping[str, list[int]]) -> dict[str, tuple[int, ...]]:
    return {key: tuple(documents) for key, documents in found.items()}


def _han_lengths(tables: Iterable[Iterable[str]]) -> dict[str, tuple[int, ...]]:
    lengths: dict[str, set[int]] = defaultdict(set)
    for table in tables:
        for key in table:
            if not key.isascii() and has_han(key):
                lengths[key[0]].add(len(key))
    return {first: tuple(sorted(found, reverse=True)) for first, found in lengths.items()}


def _years(text: str) -> tuple[int, ...]:
    return tuple(int(y) for y in _YEAR.findall(text)) if text else ()


def _title_words(title: str, path: str) -> set[str]:
    words = {w.lower() for w in _TITLE_WORD.findall(f"{title} {PurePosixPath(path).stem.replace('_', ' ')}")}
    return words - STOPWORDS_EN
