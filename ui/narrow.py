"""What a search is limited to: the choices that an index offers, what the reader chose, and that in words.
Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from rag.names import name_key, short_name
from rag.types import DocumentInfo, FileStatus, Filters
from ui.listing import KINDS
from ui.texts import Texts

Choice = tuple[str, str]
_DAY = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")
_LANGUAGES = {"en": "English", "zh": "中文"}
_DATED = ("effective", "repealed", "superseded")
_SEPARATOR = "|"


@dataclass(frozen=True, slots=True)
class FilterChoices:
    """(label, value) pairs; a kind of filter that would not distinguish the index's documents is empty.
    `dated`: some document says from or until when it is in force."""

    companies: tuple[Choice, ...] = ()
    years: tuple[Choice, ...] = ()
    kinds: tuple[Choice, ...] = ()
    languages: tuple[Choice, ...] = ()
    authorities: tuple[Choice, ...] = ()
    dated: bool = False

    def __bool__(self) -> bool:
        listed = self.companies or self.years or self.kinds or self.languages or self.authorities
        return bool(listed or self.dated)


@dataclass(frozen=True, slots=True)
class Narrow:
    """What the reader chose, values as in `FilterChoices`; `in_force` is a day as typed."""

    companies: tuple[str, ...] = ()
    years: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    authority: str = ""
    in_force: str = ""

    @property
    def bad_day(self) -> str:
        """The day as typed where it is none, else ""."""
        typed = self.in_force.strip()
        return typed if typed and not read_day(typed) else ""

    def filters(self, documents: Sequence[str]) -> Filters:
        """The filters for a search in `documents` (paths or patterns; () for all). A day that is none is left
        as it is typed: the search refuses it."""
        return Filters(
            documents=tuple(documents),
            companies=self.companies,
            years=self.years,
            kinds=self.kinds,
            languages=self.languages,
            metadata={"authority": self.authority} if self.authority else {},
            in_force=read_day(self.in_force) or self.in_force.strip(),
        )


ALL = Narrow()


def read_day(text: str) -> str:
    """A day as ISO date: 2024-05-01, 2024/5/1, 2024年5月1日; "" for anything else."""
    found = _DAY.fullmatch("".join(text.split()))
    try:
        return date(*map(int, found.groups())).isoformat() if found else ""
    except ValueError:
        return ""


def choices(infos: Iterable[DocumentInfo], texts: Texts) -> FilterChoices:
    """What the readable documents of an index can be distinguished by."""
    readable = [info for info in infos if info.status is FileStatus.OK]
    companies: dict[str, str] = {}
    bearing: dict[str, list[set[str]]] = defaultdict(list)
    for info in readable:
        meta = info.metadata
        named = [meta.get("company", ""), *meta.get("parties", "").split(_SEPARATOR)]
        keys = {name_key(short_name(name)): name for name in named if name}
        for key, name in keys.items():
            companies.setdefault(key, name)
        bearing["companies"].append(set(keys))
        bearing["years"].append(
            {y for k in ("fiscal_year", "year") for y in meta.get(k, "").split(_SEPARATOR)}
        )
        bearing["kinds"].append({info.kind})
        bearing["languages"].append({info.language})
        bearing["authorities"].append({meta.get("authority", "")})
    found = {name: _distinguishing(sets) for name, sets in bearing.items()}
    return FilterChoices(
        companies=_sorted((companies[key], companies[key]) for key in found.get("companies", ())),
        years=tuple((y, y) for y in sorted(found.get("years", ()), reverse=True)),
        kinds=_sorted((KINDS.get(k, k), k) for k in found.get("kinds", ())),
        languages=_sorted((_LANGUAGES.get(code, code), code) for code in found.get("languages", ())),
        authorities=_sorted((texts.authorities.get(a, a), a) for a in found.get("authorities", ())),
        dated=any(info.metadata.get(key) for info in readable for key in _DATED),
    )


def _distinguishing(sets: Sequence[set[str]]) -> set[str]:
    """The values that some documents bear and others do not, all of them where there is any such; none where
    every document bears the same."""
    values = set().union(*sets) - {""}
    return values if any(values - held for held in sets) else set()


def _sorted(pairs: Iterable[Choice]) -> tuple[Choice, ...]:
    return tuple(sorted(pairs, key=lambda pair: (pair[0].casefold(), pair[1])))


def limits(filters: Filters, texts: Texts) -> tuple[str, ...]:
    """What a search was limited to, in words; () for a search in everything."""
    authority = filters.metadata.get("authority", "")
    return (
        *filters.documents,
        *filters.companies,
        *filters.years,
        *(KINDS.get(kind, kind) for kind in filters.kinds),
        *(_LANGUAGES.get(code, code) for code in filters.languages),
        *([texts.authorities.get(authority, authority)] if authority else ()),
        *([texts.in_force_on.format(day=filters.in_force)] if filters.in_force else ()),
    )
