"""What a question mentions that a follow-up can put another one in the place of: periods, articles,
companies, statutes, drugs, groups of people, sides of a bargain. Pure functions over
strings, English and Chinese.

`Known` recognises names of the index at hand, which no pattern can: it is asked for runs of words and answers
with the kind of name, or None."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from rag.facts.dates import MONTHS, dates, read_periods
from rag.facts.names import capitalised_runs
from rag.facts.numerals import fold
from rag.languages import Patterns, patterns
from rag.languages.text import STOP_WORDS, has_han


class MentionKind(StrEnum):
    """What a mention is. A NAME is a proper name of an unknown kind; it may stand for any other name."""

    YEAR = "year"
    PART = "part of a year"
    DATE = "date"
    REFERENCE = "reference"
    COMPANY = "company"
    STATUTE = "statute"
    SUBJECT = "subject"
    NAME = "name"
    GROUP = "group"
    SIDE = "side"


NAMES = frozenset({MentionKind.COMPANY, MentionKind.STATUTE, MentionKind.SUBJECT, MentionKind.NAME})
PERIODS = frozenset({MentionKind.YEAR, MentionKind.PART, MentionKind.DATE})
Known = Callable[[str], MentionKind | None]


@dataclass(frozen=True, slots=True)
class Mention:
    """`[start, end)` of the question; `text` is what stands there, `unit` the sort of reference
    ("article")."""

    slot: MentionKind
    start: int
    end: int
    text: str
    unit: str = ""


def nothing_known(_: str) -> MentionKind | None:
    """No index: no name is known."""
    return None


# "May" and "March" are also words: alone they are months only behind "in".
_MONTHS = "|".join(n.capitalize() for n in MONTHS if len(n) > 3 and n not in ("may", "march", "sept"))
_MONTH_ALONE = re.compile(rf"\b(?:{_MONTHS}|(?<=in )March)\b")
_RE = Patterns(__file__)
_RULES = patterns("mentions")
_NOT_NAMES = STOP_WORDS.union(_RE.words("not_names"), MONTHS.keys() - {"may"})


def mentions(question: str, known: Known = nothing_known) -> tuple[Mention, ...]:
    """What the question mentions, in order, without overlaps; dates before years, names of the index before
    names by their look."""
    found: list[Mention] = []

    def add(slot: MentionKind, start: int, end: int, unit: str = "") -> None:
        if start < end and not any(m.start < end and start < m.end for m in found):
            found.append(Mention(slot, start, end, question[start:end], unit))

    for m in _RULES["reference"].finditer(question):
        add(MentionKind.REFERENCE, m.start(), m.end(), next(filter(None, m.groups()), "").lower())
    for d in dates(fold(question)):
        if d.period.month:
            add(MentionKind.DATE, d.start, d.end)
    for slot, pattern in ((MentionKind.DATE, _MONTH_ALONE), (MentionKind.PART, _RULES["part"])):
        for m in pattern.finditer(question):
            add(slot, m.start(), m.end())
    for start, end, slot in _known_names(question, known):
        add(slot, start, end)
    for start, end, slot in _names(question):
        add(slot, start, start + len(_RE["fiscal"].sub("", question[start:end])))
    rest = question
    for part in (m for m in found if m.slot is MentionKind.PART):
        rest = rest[: part.start] + " " * len(part.text) + rest[part.end :]
    for p in read_periods(rest):
        if not (p.part or p.ended or p.inner):
            add(MentionKind.YEAR, p.start, p.end)
    for slot, pattern in (
        (MentionKind.SUBJECT, _RULES["drug"]),
        (MentionKind.GROUP, _RULES["group"]),
        (MentionKind.SIDE, _RULES["side"]),
    ):
        for m in pattern.finditer(question):
            add(slot, m.start(), m.end())
    return tuple(sorted(found, key=lambda m: m.start))


def alike(one: Mention, other: Mention) -> bool:
    """Whether one can take the place of the other, by their kinds."""
    if one.slot is other.slot:
        return one.slot is not MentionKind.REFERENCE or one.unit == other.unit
    return one.slot in NAMES and other.slot in NAMES and MentionKind.NAME in (one.slot, other.slot)


def moved_year(fragment: str, earlier: str, known: Known = nothing_known) -> tuple[str, str]:
    """A fragment that says "the year before", without it, and the question before with its only year moved;
    both as they are where nothing can be moved."""
    years = [m for m in mentions(earlier, known) if m.slot is MentionKind.YEAR]
    digits = re.search(r"\d{4}", years[0].text) if len(years) == 1 else None
    for name, step in (("earlier_year", -1), ("later_year", 1)):
        if digits and (m := _RULES[name].search(fragment)):
            at = years[0].start + digits.start()
            moved = f"{earlier[:at]}{int(digits.group()) + step}{earlier[at + 4 :]}"
            return fragment[: m.start()] + fragment[m.end() :], moved
    return fragment, earlier


_READ = 300  # characters in which names of the index are looked for


def _known_names(question: str, known: Known) -> Iterator[tuple[int, int, MentionKind]]:
    """Runs of words that the index knows, the longest first; Chinese ones by their characters."""
    if known is nothing_known:
        return
    question = question[:_READ]
    words = [(m.start(), m.end()) for m in _RE["word"].finditer(question)]
    for size in range(min(8, len(words)), 0, -1):
        for first in range(len(words) - size + 1):
            start, end = words[first][0], words[first + size - 1][1]
            text = re.sub(r"['’]s?$", "", question[start:end]).rstrip(".")
            if text.lower() not in STOP_WORDS and (slot := known(text)):
                yield start, start + len(text), slot
    if has_han(question):
        for size in range(min(20, len(question)), 1, -1):
            for start in range(len(question) - size + 1):
                run = question[start : start + size]
                if "\u4e00" <= run[0] <= "\u9fff" and (slot := known(run)):
                    yield start, start + size, slot


def _names(question: str) -> Iterator[tuple[int, int, MentionKind]]:
    """Names by their look: capitals, 《titles》, Chinese organisations and statutes."""
    for m in _RE["zh_name"].finditer(question):
        lead = _RE["zh_lead"].match(m.group())
        start = m.start() + (lead.end() if lead else 0)
        yield start, m.end(), _kind(m.group())
    if question.isupper():
        return
    for m in capitalised_runs(question, "years"):
        number = _RE["house_number"].search(question, 0, m.start())
        start, text = (number or m).start(), question[(number or m).start() : m.end()]
        while re.split("['’]", (first := text.split(" ", 1))[0].lower())[0].rstrip(".") in _NOT_NAMES:
            if len(first) == 1:
                text = ""
                break
            start, text = start + len(first[0]) + 1, first[1]
        text = re.sub(r"['’]s?$|[.]$", "", text)
        text = re.sub(r"(?: (?:and|or|of|the|for))+$", "", text)
        if len(text) > 1 and (text[0].isupper() or text[0].isdigit()):
            yield start, start + len(text), _kind(text)


def _kind(text: str) -> MentionKind:
    if _RULES["statute"].search(text):
        return MentionKind.STATUTE
    return MentionKind.COMPANY if _RULES["company"].search(text.rstrip(".")) else MentionKind.NAME
