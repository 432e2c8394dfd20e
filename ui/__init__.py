"""The chat page. Here are its words: page.toml of each language, in English where another says nothing."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from rag import languages


class Texts(SimpleNamespace):
    """One language by the names of page.toml, and its `code`; words with braces are format strings. Tables
    are by the values of Outcome, ClaimState, FileStatus and the like."""


def _load(code: str) -> Texts:
    nested: dict[str, Any] = {}
    for key, text in languages.sayings("page", code).items():
        table, _, name = key.rpartition(".")
        (nested.setdefault(table, {}) if table else nested)[name] = text
    return Texts(code=code, **nested)


LANGUAGES = {code: _load(code) for code in languages.LANGUAGES}
ENGLISH, CHINESE = (LANGUAGES[code] for code in languages.COMPLETE)


def texts_for(code: str | None) -> Texts:
    """The texts of a language code or of an Accept-Language header; English for anything unknown."""
    return LANGUAGES[languages.language((code or "").strip()).code]
