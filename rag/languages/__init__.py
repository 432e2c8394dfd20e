"""What depends on a language, a folder each: `en`, `zh`.

`words.toml` holds the words and patterns by which texts are understood, `says.toml` what answers and the page
say. A language is there because its folder is; nothing else names it. English and Chinese are complete;
another may leave out what it does not say, and is then answered in English.

Readers of text take the union over `LANGUAGES`; what speaks asks `say`."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from rag.errors import ConfigError

T = TypeVar("T")
COMPLETE = ("en", "zh")
"""Languages that leave nothing out; the first is what others fall back to."""


@dataclass(frozen=True, slots=True, eq=False)
class Language:
    """The words of a language, lower-case, each with what it stands for.

    `code` is the name of its folder ("en"), `name` what its speakers call it. `months` are 1 to 12, `scales`
    what multiplies the number before it, `ordinals` 1 for the first and -1 for the last. Units of time and
    measure have their base unit and the exact factor to it ("week": ("day", 7)), currencies a code or a sign
    that several share, `article_words` the kind of numbered part ("clause": "section"). Words
    that bound a value stand before it ("under": "<") or behind it ("or more": ">=")."""

    code: str
    name: str
    months: Mapping[str, int]
    numerals: Mapping[str, int]
    scales: Mapping[str, int]
    ordinals: Mapping[str, int]
    time_units: Mapping[str, tuple[str, Fraction]]
    measures: Mapping[str, tuple[str, Fraction]]
    currencies_before: Mapping[str, str]
    currencies_after: Mapping[str, str]
    article_words: Mapping[str, str]
    bounds_before: Mapping[str, str]
    bounds_behind: Mapping[str, str]


def _unit(text: str) -> tuple[str, Fraction]:
    factor, _, base = text.partition(" ")
    return base, Fraction(factor)


def _load(folder: Path) -> Language:
    path = folder / "words.toml"
    try:
        raw: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"The words of a language, {path}, cannot be read: {error}.") from error
    known = {field.name for field in fields(Language)} - {"code"}
    if surplus := raw.keys() - known:
        raise ConfigError(f"{path} has {', '.join(sorted(surplus))}, which no language has.")
    if folder.name in COMPLETE and (missing := known - raw.keys()):
        raise ConfigError(f"{path} leaves out {', '.join(sorted(missing))}.")
    raw["months"] = [[number, *words] for number, words in enumerate(raw.get("months", ()), 1)]
    words: dict[str, Any] = {key: {w: row[0] for row in raw.get(key, ()) for w in row[1:]} for key in known}
    for key in ("time_units", "measures"):
        words[key] = {word: _unit(unit) for word, unit in words[key].items()}
    words["name"] = raw.get("name", folder.name)
    return Language(code=folder.name, **words)


def _found() -> dict[str, Language]:
    folders = sorted(path.parent for path in Path(__file__).parent.glob("*/words.toml"))
    return {folder.name: _load(folder) for folder in folders}


_LANGUAGES = _found()
LANGUAGES: Mapping[str, Language] = MappingProxyType(_LANGUAGES)
"""Every language by its code."""


def register(folder: Path) -> Language:
    """Adds the language of a folder elsewhere; its name is the code. To be called before the packages that
    read text are imported: their patterns are the union of the languages at hand. Raises ConfigError for a
    file that cannot be read."""
    found = _LANGUAGES[folder.name] = _load(folder)
    return found


def language(code: str) -> Language:
    """The language of a code, else English."""
    return LANGUAGES.get(code, LANGUAGES[COMPLETE[0]])


def union(words: Callable[[Language], Mapping[str, T]]) -> dict[str, T]:
    """Words of all languages with what they stand for: `union(lambda of: of.months)`."""
    return {word: value for known in LANGUAGES.values() for word, value in words(known).items()}
