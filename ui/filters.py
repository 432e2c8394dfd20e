"""What a search is limited to: the choices that an index offers, what the reader chose, that in words, and
what the components for it are called and set to; and what each part of the page shall show (`View`)."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from datetime import date
from typing import Any

from markupsafe import Markup

from rag.facts.names import name_key, short_name
from rag.languages import LANGUAGES
from rag.types import DocumentInfo, FileStatus, Filters
from rag.types.documents import several, single
from ui import Texts

Choice = tuple[str, str]
EVERYTHING = Filters()
KINDS = {"pdf": "PDF", "docx": "Word", "html": "HTML", "markdown": "Markdown", "text": "TXT"}
KINDS |= {"csv": "CSV", "xlsx": "Excel"}
# Components by their name among the page's parts, in the order in which `read` takes their values; those with
# something to choose from.
CHOSEN = ("companies", "years", "kinds", "languages", "authority", "in_force")
CHOICES = CHOSEN[:-1]
_DAY = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")
_DATED = ("effective", "repealed", "superseded")


@dataclass(frozen=True, slots=True)
class View:
    """Parts of the page; None leaves a part as it is. `readers` are the language models to choose from,
    `scope` the documents; `scope_chosen` which are; `choices` and `chosen` the same for the other filters,
    `narrow_note` what is wrong with them."""

    transcript: Markup | None = None
    live: Markup | None = None
    source: Markup | None = None
    upload: Markup | None = None
    documents: Markup | None = None
    indexes: tuple[str, ...] | None = None
    index: str | None = None
    readers: tuple[str, ...] | None = None
    reader: str | None = None
    scope: tuple[str, ...] | None = None
    scope_chosen: tuple[str, ...] | None = None
    choices: FilterChoices | None = None
    chosen: Filters | None = None
    narrow_note: Markup | None = None
    running: bool | None = None
    clear_question: bool = False


@dataclass(frozen=True, slots=True)
class FilterChoices:
    """(label, value) pairs; a kind of filter that would not distinguish the index's documents is empty.
    `dated`: some document says from or until when it is in force."""

    companies: tuple[Choice, ...] = ()
    years: tuple[Choice, ...] = ()
    kinds: tuple[Choice, ...] = ()
    languages: tuple[Choice, ...] = ()
    authority: tuple[Choice, ...] = ()
    dated: bool = False

    def __bool__(self) -> bool:
        return any(astuple(self))


def bad_day(typed: str) -> str:
    """The day as typed where it is none, else ""."""
    return typed.strip() if not read_day(typed) else ""


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
        keys = {name_key(short_name(name)): name for name in several(meta, "company", "parties")}
        for key, name in keys.items():
            companies.setdefault(key, name)
        bearing["companies"].append(set(keys))
        bearing["years"].append(set(several(meta, "fiscal_year", "year")))
        bearing["kinds"].append({info.kind})
        bearing["languages"].append({info.language})
        bearing["authority"].append({single(meta, "authority")})
    found = {name: _distinguishing(sets) for name, sets in bearing.items()}
    return FilterChoices(
        companies=_sorted((companies[key], companies[key]) for key in found.get("companies", ())),
        years=tuple((y, y) for y in sorted(found.get("years", ()), reverse=True)),
        kinds=_sorted((KINDS.get(k, k), k) for k in found.get("kinds", ())),
        languages=_sorted((_named(code), code) for code in found.get("languages", ())),
        authority=_sorted((texts.authorities.get(a, a), a) for a in found.get("authority", ())),
        dated=any(info.metadata.get(key) for info in readable for key in _DATED),
    )


def _named(code: str) -> str:
    return LANGUAGES[code].name if code in LANGUAGES else code


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
        *(_named(code) for code in filters.languages),
        *([texts.authorities.get(authority, authority)] if authority else ()),
        *([texts.in_force_on.format(day=filters.in_force)] if filters.in_force else ()),
    )


def labels(texts: Texts) -> dict[str, dict[str, Any]]:
    """What the components are called in a language."""
    return {
        "narrow": {"label": texts.narrow},
        "clear_filters": {"value": texts.clear_filters},
        "companies": {"label": texts.companies},
        "years": {"label": texts.years},
        "kinds": {"label": texts.formats},
        "languages": {"label": texts.languages},
        "authority": {"label": texts.authority},
        "in_force": {"label": texts.in_force, "placeholder": texts.in_force_hint},
    }


def choice_updates(offered: FilterChoices) -> dict[str, dict[str, Any]]:
    """Updates for what an index offers: a filter without choices is hidden, the group too without any."""
    listed = {name: list(getattr(offered, name)) for name in CHOICES}
    visible = {name: {"choices": found, "visible": bool(found)} for name, found in listed.items()}
    return {**visible, "in_force": {"visible": offered.dated}, "narrow": {"visible": bool(offered)}}


def set_to(chosen: Filters) -> dict[str, dict[str, Any]]:
    """Updates that put these values into the components."""
    values: dict[str, Any] = {name: list(getattr(chosen, name)) for name in CHOSEN[:4]}
    values |= {"authority": chosen.metadata.get("authority"), "in_force": chosen.in_force}
    return {name: {"value": value} for name, value in values.items()}


def read(documents: Sequence[str] | None, values: Sequence[Any]) -> Filters:
    """The documents chosen (paths or patterns; none for all) and the values of the components in the order of
    `CHOSEN`, as the browser sent them. A day that is none is left as it is typed: the search refuses it."""
    *lists, authority, day = (value or "" for value in values)
    given: dict[str, Any] = {n: tuple(map(str, v)) for n, v in zip(CHOSEN[:4], lists, strict=True)}
    given |= {"documents": tuple(documents or ()), "in_force": read_day(str(day)) or str(day).strip()}
    return Filters(**given, metadata={"authority": str(authority)} if authority else {})
