"""Which documents of an index pass the filters that a user sets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from fnmatch import fnmatchcase

from rag.errors import InputError
from rag.names import name_key, short_name
from rag.types import DocumentInfo, Filters
from rag.validity import stated

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def matches(info: DocumentInfo, filters: Filters) -> bool:
    """Whether a document passes: its path is one of the names or fits one of the patterns, and so on for
    every given kind of filter."""
    if filters.documents and not any(info.path == d or fnmatchcase(info.path, d) for d in filters.documents):
        return False
    if filters.kinds and info.kind not in filters.kinds:
        return False
    if filters.languages and info.language not in filters.languages:
        return False
    if filters.years and not _years(info.metadata).intersection(filters.years):
        return False
    if filters.companies and not {name_key(n) for n in filters.companies} & _company_names(info.metadata):
        return False
    if filters.in_force and not stated(info.metadata).in_force(filters.in_force):
        return False
    return all(info.metadata.get(key) == value for key, value in filters.metadata.items())


def check_filters(filters: Filters) -> None:
    """Raises InputError for a day that is no ISO date, or a year that is no year."""
    try:
        if filters.in_force and not _DAY.fullmatch(filters.in_force):
            raise ValueError
        date.fromisoformat(filters.in_force or "2000-01-01")
    except ValueError as error:
        raise InputError(
            f"in_force is {filters.in_force!r}, which is no date. Write year, month and day: 2024-05-01."
        ) from error
    for year in filters.years:
        if not re.fullmatch(r"\d{4}", year):
            raise InputError(f"{year!r} is no year to filter by. Write four digits: 2023.")


def _years(metadata: Mapping[str, str]) -> set[str]:
    """The years that a document may be called by: all readings of its fiscal year, or its plain year."""
    return {year for key in ("fiscal_year", "year") for year in metadata.get(key, "").split("|") if year}


def _company_names(metadata: Mapping[str, str]) -> set[str]:
    """The keys of a document's company, its other names and, of a contract, its parties."""
    names = [n for key in ("company", "names", "parties") for n in metadata.get(key, "").split("|") if n]
    return {name_key(form) for name in names for form in (name, short_name(name))}
