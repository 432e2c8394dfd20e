"""The words of the page, one file for each language. Every file has the entries of the others, or the module
does not import."""

from __future__ import annotations

import tomllib
from pathlib import Path
from types import SimpleNamespace


class Texts(SimpleNamespace):
    """One language by the names of `en.toml` and `zh.toml`, and its `code`; words with braces are format
    strings. Tables are by the values of AnswerKind, ClaimState, FileStatus and the like."""


def _load(code: str) -> Texts:
    path = Path(__file__).parent / f"{code}.toml"
    return Texts(code=code, **tomllib.loads(path.read_text("utf-8")))


ENGLISH, CHINESE = _load("en"), _load("zh")
if missing := vars(ENGLISH).keys() ^ vars(CHINESE).keys():
    raise KeyError(f"only one of en.toml and zh.toml has {', '.join(sorted(missing))}")
LANGUAGES = {texts.code: texts for texts in (ENGLISH, CHINESE)}


def texts_for(code: str | None) -> Texts:
    """The texts of a language code or of an Accept-Language header; English for anything unknown."""
    first = (code or "").strip().lower()[:2]
    return LANGUAGES.get(first, ENGLISH)
