"""Where the statements, notes and sections of a financial report stand in its text: a closed set of kinds.

A heading opens one of them when it is a title and nothing else: words that could only be prose ("in our
Consolidated Balance Sheets, which") close the matter. Filings repeat the name of a statement everywhere
(contents, auditor's report, notes); the statement itself are the tables below its title with rows that only
this statement has ("total assets"). The titles (sections.toml) are those of Regulations S-X and S-K, of forms
10-K, 10-Q and 8-K, and of the statements of Chinese accounting standards."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import zip_longest
from pathlib import Path
from typing import Any

from rag.facts.numerals import HAN_NUMERAL
from rag.languages import Patterns
from rag.languages.text import has_han
from rag.types import BlockKind, Document, Table

PRIMARY = ("income", "balance", "cash flow", "equity", "comprehensive income")
# Statements that are not those of the whole group: parent company only, consolidating, pro forma.
SCHEDULE = "schedule"
COVER = "cover"
PATTERNS: Mapping[str, Any] = tomllib.loads(
    Path(__file__).with_name("sections.toml").read_text(encoding="utf-8")
)
KINDS = frozenset({*PRIMARY, SCHEDULE, COVER, *PATTERNS["notes"], *PATTERNS["sections"]})


class Rank(IntEnum):
    """What sort of thing a heading opens; a thing ends where another of its own or a higher sort opens."""

    ITEM = 1
    STATEMENT = 2
    NOTE = 3
    SECTION = 4


@dataclass(frozen=True, slots=True)
class Title:
    """What a heading opens. `kinds` may be empty: the thing still ends what stood before it. `continued`: it
    says so itself."""

    rank: Rank
    kinds: tuple[str, ...] = ()
    continued: bool = False


@dataclass(frozen=True, slots=True)
class Role:
    """A range of a document's text (code points, end exclusive) and what stands there, one of `KINDS`."""

    kind: str
    start: int
    end: int


_LONGEST, _SHORT = 150, 12
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
# The rows of a statement, and the last of them: without it the next table may go on.
_ROWS = {kind: tuple(map(re.compile, found["rows"])) for kind, found in PATTERNS["rows"].items()}
_CLOSES = {kind: re.compile(found["closes"]) for kind, found in PATTERNS["rows"].items()}
# Between the tables of a statement there is no more than what stands at the end and the head of a page.
_APART = 1_500
# Where nothing else ends them.
_MOST = {Rank.NOTE: 60_000, Rank.SECTION: 15_000}
_COVER_CHARS = 12_000
# Characters between the sets of statements of one file; notes are longer than this, a statement is not.
_SET_GAP = 60_000
_OF_SCHEDULE = 3


def read_title(text: str, *, heading: bool = True) -> Title | None:
    """What a line opens as a title; None for any other. `heading`: the document marks it as one; another
    line has to name a statement, a note or an item by its words."""
    line = " ".join(text.split())
    if not line or len(line) > _LONGEST:
        return None
    if has_han(line):
        return _chinese(line, heading)
    if not heading and not (_RE["titled"].search(line) and _title_like(line, _TAIL_WORDS)):
        return None
    if item := _RE["item"].match(line):
        return Title(Rank.ITEM, _kinds(item[2].lower(), _SECTION_KINDS))
    if found := _statement_title(line):
        return found
    if note := _RE["note"].match(line) or _RE["numbered"].match(line):
        return Title(Rank.NOTE, _kinds(note[2].lower(), _NOTE_KINDS))
    if _RE["auditor"].match(line):
        return Title(Rank.NOTE, ("auditor report",))
    if _RE["back"].match(line):
        return Title(Rank.ITEM)
    title = line.lower().strip(" .:")
    kinds = _kinds(title, _SECTION_KINDS, spare=40)
    whole = PATTERNS["whole"]
    kinds = tuple(kind for kind in kinds if kind not in whole or _SECTION_KINDS[kind].fullmatch(title))
    return Title(Rank.SECTION, kinds) if kinds else None


def _statement_title(line: str) -> Title | None:
    """The title of a primary statement, where the whole line is that."""
    plain = line.replace("’", "'").replace("‘", "'")
    lowered = plain.lower()
    match = _RE["statement"].search(lowered)
    if match is None or len(lowered) != len(plain):
        return None
    before, after = plain[: match.start()], plain[match.end() :]
    if len(before) > 80 or not _title_like(before) or _RE["not_a_title"].search(before.lower()):
        return None
    # Behind the name: a date, a unit, "(continued)", the company.
    if _RE["no_tail"].search(after.lower()) or not _title_like(after, _TAIL_WORDS):
        return None
    # A title may name several: "of Operations and Comprehensive Loss".
    groups = (found.lastindex or 1 for found in _ANY_SUBJECT.finditer(match.group()))
    kinds = tuple(dict.fromkeys("balance" if g == 1 else tuple(_SUBJECTS)[g - 2] for g in groups))
    elsewhere = _RE["elsewhere"].search(lowered.replace(" ", ""))  # a PDF may have blanks inside a word
    return Title(Rank.STATEMENT, (SCHEDULE,) if elsewhere else kinds, "cont" in after.lower())


def _title_like(text: str, more: frozenset[str] = frozenset()) -> bool:
    """Whether the words could belong to a title: a company, an adjective, what is in `more`."""
    return all(not w[0].islower() or w in _SMALL or w.strip(".-") in more for w in _RE["word"].findall(text))


def _kinds(title: str, patterns: Mapping[str, re.Pattern[str]], spare: int = _LONGEST) -> tuple[str, ...]:
    """Kinds whose pattern the title begins with, leaving at most `spare` characters."""
    found = ((kind, pattern.match(title)) for kind, pattern in patterns.items())
    return tuple(kind for kind, match in found if match and len(title) - match.end() <= spare)


def _chinese(line: str, heading: bool) -> Title | None:
    plain = "".join(line.split())
    if statement := _RE["zh_statement"].fullmatch(plain):
        kind = PATTERNS["whats"].get(statement["what"], "equity")
        alone = "公司" in statement["whose"] and "合并" not in statement["whose"]
        return Title(Rank.STATEMENT, (SCHEDULE if alone else kind,), "续" in plain)
    kinds = tuple(kind for kind, pattern in _ZH_SECTIONS.items() if pattern.fullmatch(plain))
    numbered = _RE["zh_part"].match(plain)
    opens = heading and (kinds or numbered)
    return Title(Rank.ITEM if numbered else Rank.NOTE, kinds) if opens else None


def roles(document: Document) -> tuple[Role, ...]:
    """What stands where, in order of `start`. Ranges may nest (a note stands in its item) and one range may
    have several kinds, each with its own Role. A document that is no report has none."""
    titles, length = list(_titles(document)), len(document.text)
    tables, statements, found = document.tables, [], list(_cover(document))
    for n, (start, title) in enumerate(titles):
        if title.rank is Rank.STATEMENT:
            until = _next(titles[n + 1 :], Rank.NOTE, length)
            below = [table for table in tables if start <= table.start < until]
            statements.append(_statement(document, title, start, below))
    shown = {each[0].start for each in statements if each}
    titles = [(at, title) for at, title in titles if title.rank is not Rank.STATEMENT or at in shown]
    for n, (start, title) in enumerate(titles):
        end = _next(titles[n + 1 :], title.rank, min(length, start + _MOST.get(title.rank, length)))
        found += [Role(kind, start, end) for kind in title.kinds if title.rank is not Rank.STATEMENT]
    found += _own([each for each in statements if each])
    return tuple(sorted(dict.fromkeys(found), key=lambda role: (role.start, role.end, role.kind)))


def _next(titles: Sequence[tuple[int, Title]], rank: Rank, most: int) -> int:
    """Where the first of the titles stands that ends what has a rank, at `most` there."""
    return min(most, next((at for at, title in titles if title.rank <= rank), most))


def _titles(document: Document) -> Iterator[tuple[int, Title]]:
    """The lines that open something, with their starts; the name of a note may stand below its number."""
    lines = [b for b in document.blocks if b.table is None and b.end - b.start <= _LONGEST]
    for block, below in zip_longest(lines, lines[1:]):
        text = document.text[block.start : block.end]
        if below and len(text) < _SHORT and _RE["number_alone"].fullmatch(text):
            text = f"{text} {document.text[below.start : below.end]}"
        if title := read_title(text, heading=block.kind is BlockKind.HEADING):
            yield block.start, title


def kinds_between(found: Sequence[Role], start: int, end: int) -> tuple[str, ...]:
    """Distinct kinds of the ranges that overlap `start` to `end`, primary statements first."""
    kinds = dict.fromkeys(role.kind for role in found if role.start < end and role.end > start)
    return tuple(sorted(kinds, key=lambda kind: PRIMARY.index(kind) if kind in PRIMARY else len(PRIMARY)))


def _statement(document: Document, title: Title, start: int, tables: Sequence[Table]) -> list[Role]:
    """The statements whose rows the tables below a title show; [] for none."""
    kinds = title.kinds
    above = document.text[max(0, start - 2 * _LONGEST) : start].splitlines()[-4:]
    if any(len(line) <= 100 and _RE["parent"].search(line) for line in above):
        kinds = (SCHEDULE,)
    end, body = start, ""
    for table in tables:
        if table.start - end > _APART or ((closes := _CLOSES.get(kinds[0])) and closes.search(body)):
            break
        end = table.end
        body += document.text[table.start : end].lower()
    shown = {kind: sum(bool(row.search(body)) for row in rows) for kind, rows in _ROWS.items()}
    shown[SCHEDULE] = 1 + max(shown.values()) - _OF_SCHEDULE
    least = {kind: 1 if title.continued else PATTERNS["rows"][kind]["needed"] for kind in _ROWS}
    return [Role(kind, start, end) for kind in kinds if shown[kind] >= least.get(kind, 1)]


def _own(statements: Sequence[Sequence[Role]]) -> Iterator[Role]:
    """The statements with those of others set apart: a filing may hold, far behind its own statements, those
    of a joint venture or a subsidiary. The first of the sets that have most kinds is the filing's own."""
    sets: list[list[Role]] = []
    for found in statements:
        if not sets or found[0].start - sets[-1][-1].end > _SET_GAP:
            sets.append([])
        sets[-1] += found
    own = max(sets, key=lambda each: len({role.kind for role in each} - {SCHEDULE}), default=[])
    for role in (role for each in sets for role in each):
        other = role.start > own[-1].end
        yield Role(SCHEDULE, role.start, role.end) if other else role


def _cover(document: Document) -> Iterator[Role]:
    cues = list(_RE["cover_cue"].finditer(document.text, 0, _COVER_CHARS))
    if len(cues) >= 2:
        last = cues[-1].end()
        yield Role(COVER, 0, next((page.end for page in document.pages if page.end > last), last))
