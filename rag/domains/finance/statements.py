"""Where the statements, notes and sections of a financial report stand in its text.

A question about a current ratio is answered by one page of three hundred: the balance sheet. Filings repeat
its name everywhere (contents, auditor's report, notes, prose); the statement itself is recognised by three
things together: a line that is its title and nothing else, below it mostly lines that end in figures, among
them rows that only this statement has ("total assets"). Ranges of offsets, not pages: formats without pages
and pages with two statements are served alike."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rag.domains.finance import sections
from rag.domains.finance.sections import PRIMARY, SCHEDULE, Opening, Rank, names_statement, opening
from rag.languages import Patterns
from rag.languages.text import has_han
from rag.types import BlockKind, Document

# Of a title's region: more lines than any statement has, and what a note or section has at least.
_MAX_LINES = 150
_MIN_SECTION = 250
_MIN_NOTE = 120
# Where nothing more ends them.
_MAX_SECTION = 15_000
_MAX_NOTE = 60_000
_COVER_CHARS = 12_000
_AFTER_CUE = 600
_RE = Patterns(__file__)
_FIRST = _RE.words("first")
_LOOKAHEAD = 15
# Characters between the sets of statements of one file; notes are longer than this, a statement is not.
_SET_GAP = 60_000


@dataclass(frozen=True, slots=True)
class Role:
    """A range of a document's text (code points, end exclusive) and what stands there, one of
    `rag.domains.finance.sections.KINDS`."""

    kind: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Evidence:
    """What a statement shows: rows of which `needed` have to be there, at least `figures` lines that end in
    figures, and the row that `closes` it: without it the next page may go on."""

    rows: tuple[re.Pattern[str], ...]
    needed: int
    figures: int
    closes: re.Pattern[str]


_EVIDENCE: Mapping[str, _Evidence] = {
    kind: _Evidence(tuple(map(re.compile, s["rows"])), s["needed"], s["figures"], re.compile(s["closes"]))
    for kind, s in sections.PATTERNS["rows"].items()
}


@dataclass(frozen=True, slots=True)
class _Lines:
    """The lines of a text that hold something: where each begins and what it says; what some open; and where
    pages end."""

    starts: Sequence[int]
    texts: Sequence[str]
    openings: Mapping[int, Opening]
    page_ends: Sequence[int]

    def end(self, index: int) -> int:
        return self.starts[index] + len(self.texts[index])

    def breaks(self, index: int) -> bool:
        """Whether the line ends what stood before it: a section alone may stand inside a statement."""
        return index in self.openings and self.openings[index].rank is not Rank.SECTION

    def same_page(self, first: int, second: int) -> bool:
        pages = [bisect_right(self.page_ends, self.starts[line]) for line in (first, second)]
        return pages[0] == pages[1]


def roles(document: Document) -> tuple[Role, ...]:
    """What stands where, in order of `start`. Ranges may nest (a note stands in its item) and one range may
    have several kinds, each with its own Role. A document that is no report has none."""
    lines = _lines(document)
    statements = _principal({i: shown for i in lines.openings if (shown := _statement(lines, i))})
    own = (role for group in statements.values() for role in group)
    found = [*own, *_sections(lines, statements), *_cover(document)]
    return tuple(sorted(_merged(found), key=lambda role: (role.start, role.end, role.kind)))


def kinds_between(found: Sequence[Role], start: int, end: int) -> tuple[str, ...]:
    """Distinct kinds of the ranges that overlap `start` to `end`, primary statements first."""
    kinds = dict.fromkeys(role.kind for role in found if role.start < end and role.end > start)
    return tuple(sorted(kinds, key=lambda kind: PRIMARY.index(kind) if kind in PRIMARY else len(PRIMARY)))


def _lines(document: Document) -> _Lines:
    headings = {block.start for block in document.blocks if block.kind is BlockKind.HEADING}
    chinese = has_han(document.text)
    starts: list[int] = []
    texts: list[str] = []
    candidates: list[int] = []
    for match in _RE["line"].finditer(document.text):
        start, line = match.start(), match.group().rstrip()
        if len(line) <= 160 and (start in headings or _may_open(line, chinese)):
            candidates.append(len(starts))
        starts.append(start)
        texts.append(line)
    openings = {}
    for index in candidates:
        following = texts[index + 1] if index + 1 < len(texts) else ""
        # The line before may leave a sentence open: "the affected line item in the".
        if index and _RE["hanging"].search(texts[index - 1]) and starts[index] not in headings:
            continue
        if found := opening(texts[index], following, heading=starts[index] in headings):
            openings[index] = found
    return _Lines(starts, texts, openings, [page.end for page in document.pages])


def _may_open(line: str, chinese: bool) -> bool:
    """A cheap look before the costly one: most of the lines of a filing are neither."""
    return (
        names_statement(line)
        or line[0] in "0123456789"
        or line[:4] in _FIRST
        or (chinese and len(line) <= 60 and has_han(line))
    )


def _statement(lines: _Lines, index: int) -> tuple[Role, ...]:
    title = lines.openings[index]
    if title.rank is not Rank.STATEMENT:
        return ()
    kinds = title.kinds
    above = (i for i in range(max(0, index - 4), index) if lines.same_page(i, index))
    if any(len(lines.texts[i]) <= 100 and _RE["parent"].search(lines.texts[i]) for i in above):
        kinds = (SCHEDULE,)
    end, figures = _region(lines, index, kinds[0])
    count = end - index - title.lines + 1
    if count <= 0 or figures * 4 < count:
        return ()
    body = "\n".join(lines.texts[index + title.lines : end + 1]).lower()
    shown = [kind for kind in kinds if _accepted(kind, body, figures, title.continued)]
    return tuple(Role(kind, lines.starts[index], lines.end(end)) for kind in shown)


def _principal(statements: Mapping[int, Sequence[Role]]) -> Mapping[int, Sequence[Role]]:
    """The statements with those of others set apart: a filing may hold, far behind its own statements, those
    of a joint venture or a subsidiary. The first of the sets that have most kinds is the filing's own."""
    sets: list[list[int]] = []
    for index in sorted(statements):
        if not sets or statements[index][0].start - statements[sets[-1][-1]][0].end > _SET_GAP:
            sets.append([])
        sets[-1].append(index)
    if not sets:
        return statements
    own = max(sets, key=lambda each: len({role.kind for i in each for role in statements[i]} - {SCHEDULE}))
    return {
        i: [Role(SCHEDULE, role.start, role.end) if i > own[-1] else role for role in found]
        for i, found in statements.items()
    }


def _accepted(kind: str, body: str, figures: int, continued: bool) -> bool:
    if kind == SCHEDULE:
        return figures >= 4 and max(_matching_rows(primary, body) for primary in PRIMARY) >= 3
    evidence = _EVIDENCE[kind]
    needed = 1 if continued else evidence.needed
    return figures >= min(evidence.figures, 3 if continued else 99) and _matching_rows(kind, body) >= needed


def _matching_rows(kind: str, lowered: str) -> int:
    return sum(bool(row.search(lowered)) for row in _EVIDENCE[kind].rows)


def _region(lines: _Lines, index: int, kind: str) -> tuple[int, int]:
    """Index of the last line of what stands below a title, and how many of its lines end in figures."""
    figures = prose = 0
    last = index
    first = index + lines.openings[index].lines
    for at in range(first, min(len(lines.texts), first + _MAX_LINES)):
        if lines.breaks(at):
            break
        if not lines.same_page(at - 1, at) and not _goes_on(lines, first, at, kind):
            break
        text = lines.texts[at]
        figure = bool(_RE["figure"].search(text))
        figures += figure
        prose = 0 if figure or len(text) < 100 else prose + 1
        if prose >= 3 or (not figure and len(text) >= 300):
            break
        last = at
    return last, figures


def _goes_on(lines: _Lines, first: int, at: int, kind: str) -> bool:
    """Whether a statement whose last row has not been seen runs on over the page that begins at line `at`."""
    if kind == SCHEDULE or _EVIDENCE[kind].closes.search("\n".join(lines.texts[first:at]).lower()):
        return False
    ahead = range(at, min(len(lines.texts), at + _LOOKAHEAD))
    if any(map(lines.breaks, ahead)):
        return False
    return sum(bool(_RE["figure"].search(lines.texts[i])) for i in ahead) * 2 > len(ahead)


def _sections(lines: _Lines, statements: Mapping[int, Sequence[Role]]) -> Iterator[Role]:
    """Notes, items and other parts: each ends where the next of its own or a higher sort opens."""
    order = sorted(lines.openings)
    for place, index in enumerate(order):
        title = lines.openings[index]
        if not title.kinds or title.rank is Rank.STATEMENT:
            continue
        stop = next((i for i in order[place + 1 :] if _ends(lines, statements, index, i)), len(lines.texts))
        start, end = lines.starts[index], lines.end(stop - 1)
        if title.rank is not Rank.ITEM:
            end = min(end, start + (_MAX_NOTE if title.rank is Rank.NOTE else _MAX_SECTION))
        if end - start >= (_MIN_NOTE if title.rank is Rank.NOTE else _MIN_SECTION):
            for kind in title.kinds:
                yield Role(kind, start, end)


def _ends(lines: _Lines, statements: Mapping[int, Sequence[Role]], index: int, at: int) -> bool:
    title, found = lines.openings[index], lines.openings[at]
    if Rank.ITEM in (title.rank, found.rank):
        return found.rank is Rank.ITEM
    if found.rank is Rank.STATEMENT:
        return at in statements
    if found.rank is Rank.NOTES and found.kinds:
        return True
    if found.rank is Rank.NOTE:
        return title.rank is not Rank.NOTE or found.number is None or found.number != title.number
    return title.rank is Rank.SECTION and found.rank is Rank.SECTION


def _cover(document: Document) -> Iterator[Role]:
    cues = list(_RE["cover_cue"].finditer(document.text, 0, _COVER_CHARS))
    if len(cues) >= 2:
        last = cues[-1].end()
        stop = next((page.end for page in document.pages if page.end > last), last + _AFTER_CUE)
        yield Role(sections.COVER, 0, min(stop, len(document.text)))


def _merged(found: Sequence[Role]) -> Sequence[Role]:
    """Ranges of one kind that touch or overlap become one."""
    merged: list[Role] = []
    for role in sorted(found, key=lambda role: (role.kind, role.start, role.end)):
        if merged and merged[-1].kind == role.kind and role.start <= merged[-1].end + 2:
            before = merged.pop()
            role = Role(role.kind, before.start, max(before.end, role.end))
        merged.append(role)
    return merged
