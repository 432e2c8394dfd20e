"""Statements, notes and sections of financial reports: a closed set of kinds, and the lines that open one.

A line opens something when it is a title and nothing else: words that could only be prose ("in our
Consolidated Balance Sheets, which") close the matter. Whether what follows is a statement, and not a table of
contents, is judged by `statements` from the rows below. The titles (sections.toml) are those of Regulations
S-X and S-K, of forms 10-K, 10-Q and 8-K, and of the statements of Chinese accounting standards."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Any

from rag.facts.numerals import HAN_NUMERAL
from rag.languages import Patterns
from rag.languages.text import has_han

PRIMARY = ("income", "balance", "cash flow", "equity", "comprehensive income")
# Statements that are not those of the whole group: parent company only, consolidating, pro forma.
SCHEDULE = "schedule"
COVER = "cover"
PATTERNS: Mapping[str, Any] = tomllib.loads(
    Path(__file__).with_name("sections.toml").read_text(encoding="utf-8")
)
KINDS = frozenset({*PRIMARY, SCHEDULE, COVER, *PATTERNS["notes"], *PATTERNS["sections"]})


class Rank(Enum):
    """What sort of thing a line opens; a thing ends where another of its own or a higher sort opens."""

    ITEM = 1
    NOTES = 2
    STATEMENT = 3
    NOTE = 4
    SECTION = 5


@dataclass(frozen=True, slots=True)
class Opening:
    """What a line opens. `kinds` may be empty: the thing still ends what stood before it. `number` is that of
    a note; `lines` is how many lines the title takes; `continued`: it says so itself."""

    rank: Rank
    kinds: tuple[str, ...] = ()
    number: int | None = None
    lines: int = 1
    continued: bool = False


_LONGEST = 150
_SUBJECTS: Mapping[str, str] = PATTERNS["subjects"]
_SUBJECT = f"(?:changes? in )?(?:{'|'.join(_SUBJECTS.values())})(?: \\((?:loss|income|deficit|losses)\\))?"
_ANY_SUBJECT = re.compile(r"(balance sheet)|" + "|".join(f"({pattern})" for pattern in _SUBJECTS.values()))


def _compiled(patterns: Mapping[str, list[str]], before: str = "") -> dict[str, re.Pattern[str]]:
    return {kind: re.compile(f"{before}(?:{'|'.join(titles)})") for kind, titles in patterns.items()}


_NOTE_KINDS = _compiled(PATTERNS["notes"])
_SECTION_KINDS = _compiled(PATTERNS["sections"]) | {
    kind: _NOTE_KINDS[kind] for kind in ("quarterly", "segments", "subsequent events")
}
_ZH_DIGITS = rf"[{HAN_NUMERAL}\d]+"
_ZH_NUMBER = rf"(?:第{_ZH_DIGITS}[节章]|{_ZH_DIGITS}[、.．]|[(（]{_ZH_DIGITS}[)）])?"
_RE = Patterns(__file__, subject=_SUBJECT, zh_number=_ZH_NUMBER, numeral=HAN_NUMERAL)
_TAIL_WORDS = _RE.words("tail_words")
_SMALL = _RE.words("small")
_ZH_SECTIONS = _compiled(PATTERNS["chinese"], _ZH_NUMBER)


def opening(line: str, following: str = "", *, heading: bool = False) -> Opening | None:
    """What `line` opens as a title; None for any other line. `following` is the next line with text, for
    titles that run over two; `heading`: the document marks the line as a heading."""
    line = line.strip()
    if not line or len(line) > _LONGEST:
        return None
    if has_han(line):
        return _chinese(line, heading)
    first = line[:4].lower()
    if first == "item" and (item := _RE["item"].match(line)):
        return _item(item.group(2), following, heading)
    if _RE["notes_to"].match(line):
        return Opening(Rank.NOTES) if first in ("note", "comb", "cond", "unau", "inte", "cons") else None
    if names_statement(line) and (found := statement_title(line) or _joined(line, following)):
        return found
    if first == "note" and (note := _RE["note"].match(line)):
        return _note(note.group(1), note.group(2), following)
    if line[0].isdigit() and (numbered := _RE["numbered"].match(line)):
        return _numbered(int(numbered.group(1)), numbered.group(2), heading)
    if first == "repo" and _RE["auditor"].match(line):
        return Opening(Rank.NOTES, ("auditor report",))
    if first in ("exhi", "sign") and _RE["back"].match(line):
        return Opening(Rank.ITEM)
    return _section(line) if heading else None


def names_statement(line: str) -> bool:
    """A cheap look for the word in the name of every primary statement."""
    return "tatement" in line or "TATEMENT" in line or "heet" in line or "HEET" in line


def statement_title(line: str) -> Opening | None:
    """The opening of a primary statement, where the whole line is its title."""
    plain = " ".join(line.replace("’", "'").replace("‘", "'").split())
    lowered = plain.lower()
    match = _RE["statement"].search(lowered)
    if match is None or len(lowered) != len(plain) or plain[0].islower():
        return None
    before, after = plain[: match.start()], plain[match.end() :]
    if len(before) > 80 or not _title_like(before) or _RE["not_a_title"].search(before.lower()):
        return None
    # Behind the name: a date, a unit, "(continued)", the company.
    if _RE["no_tail"].search(after.lower()) or not _title_like(after, _TAIL_WORDS):
        return None
    # Without blanks: the text of a PDF may have them inside a word.
    elsewhere = _RE["elsewhere"].search(lowered.replace(" ", ""))
    kinds = (SCHEDULE,) if elsewhere else _subjects(match.group())
    return Opening(Rank.STATEMENT, kinds, continued="cont" in after.lower())


def _subjects(title: str) -> tuple[str, ...]:
    """Kinds of a title that may name several: "of Operations and Comprehensive Loss"."""
    groups = (match.lastindex or 1 for match in _ANY_SUBJECT.finditer(title))
    return tuple(dict.fromkeys("balance" if g == 1 else tuple(_SUBJECTS)[g - 2] for g in groups))


def _joined(line: str, following: str) -> Opening | None:
    """A title that runs over two lines: "CONSOLIDATED STATEMENTS OF COMPREHENSIVE / INCOME"."""
    following = following.strip()
    if not following or len(following) > 60 or has_han(following):
        return None
    found = statement_title(f"{line} {following}")
    return replace(found, lines=2) if found else None


def _title_like(text: str, more: frozenset[str] = frozenset()) -> bool:
    """Whether the words could belong to a title: a company, an adjective, what is in `more`."""
    return all(not w[0].islower() or w in _SMALL or w.strip(".-") in more for w in _RE["word"].findall(text))


def _item(title: str, following: str, heading: bool) -> Opening | None:
    if not heading and not _title_like(title[:80]):
        return None
    kinds = (
        ()
        if _RE["page_number"].search(title)
        else _kinds((title or following).strip().lower(), _SECTION_KINDS)
    )
    return Opening(Rank.ITEM, kinds)


def _note(number: str, title: str, following: str) -> Opening | None:
    lines = 1 if title else 2
    title = (title or following).strip()
    if not title or title[0].islower() or len(title) > 110 or title.endswith((".", ",", ";")):
        return None
    value = int(number) if number.isdigit() else None
    kinds = () if _RE["page_number"].search(title) else _kinds(title.lower(), _NOTE_KINDS)
    return Opening(Rank.NOTE, kinds, value, lines)


def _numbered(number: int, title: str, heading: bool) -> Opening | None:
    """A note without the word, "7. Income Taxes": where the document calls it a heading, or its words do."""
    if (
        len(_RE["word"].findall(title)) > 10
        or title.endswith((".", ",", ";", ":"))
        or re.search(r"\d,\d|\d$|%", title)
    ):
        return None
    kinds = _kinds(title.lower(), _NOTE_KINDS)
    if heading or (kinds and _title_like(title)):
        return Opening(Rank.NOTE, kinds, number)
    return None


def _section(line: str) -> Opening | None:
    title = line.lower().strip(" .:")
    kinds = _kinds(title, _SECTION_KINDS, spare=40)
    whole = PATTERNS["whole"]
    kinds = tuple(kind for kind in kinds if kind not in whole or _SECTION_KINDS[kind].fullmatch(title))
    return Opening(Rank.SECTION, kinds) if kinds else None


def _kinds(title: str, patterns: Mapping[str, re.Pattern[str]], spare: int = _LONGEST) -> tuple[str, ...]:
    """Kinds whose pattern the title begins with, leaving at most `spare` characters."""
    found = ((kind, pattern.match(title)) for kind, pattern in patterns.items())
    return tuple(kind for kind, match in found if match and len(title) - match.end() <= spare)


def _chinese(line: str, heading: bool) -> Opening | None:
    plain = "".join(line.split())
    if len(plain) > 40:
        return None
    statement = _RE["zh_statement"].fullmatch(plain)
    if statement:
        kind = PATTERNS["whats"].get(statement["what"], "equity")
        alone = "公司" in statement["whose"] and "合并" not in statement["whose"]
        return Opening(Rank.STATEMENT, (SCHEDULE if alone else kind,), continued="续" in plain)
    numbered = _RE["zh_part"].match(plain)
    kinds = tuple(kind for kind, pattern in _ZH_SECTIONS.items() if pattern.fullmatch(plain))
    if kinds and (heading or _RE["zh_opens"].match(plain)):
        return Opening(Rank.ITEM if numbered else Rank.NOTE, kinds)
    return Opening(Rank.ITEM) if numbered and heading else None
