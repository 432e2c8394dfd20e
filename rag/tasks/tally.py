"""What a survey found, in words: counts made by code, the passages by document, and how much was read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rag.languages import say
from rag.tasks.intents import Ask, Intent
from rag.tasks.survey import Survey
from rag.types import Evidence, Part, Reading

# Quotes in the text; all of them are in the citations.
MOST_QUOTES = 12


def headline(intent: Intent, found: Survey, language: str) -> str:
    """The count and what was counted: "3 of 12 documents match: 7 passages hold “notice”."."""
    line = say(
        f"tasks.{intent.unit}",
        language,
        scope=len(found.scope.documents),
        documents=len(found.documents),
        passages=len(found.matches),
        sections=found.sections,
        places=found.places,
        tables=len({(m.document.id, m.chunk.heading_path) for m in found.matches}),
        words=[need.typed for need in found.terms],
        noun=intent.noun if intent.ask is Ask.COUNT else "",
    )
    return line if found.read >= found.matching else say("tasks.at_least", language, line=line)


def remarks(found: Survey, language: str, noun: str = "", called: int = 0) -> str:
    """What else is to be known of a count: how many of the documents are `called` by the noun asked for,
    other words that were counted, words that stand apart, repeats, and what was not read."""
    said = []
    if noun and 0 < called < len(found.documents):
        said.append(say("tasks.called", language, called=called, noun=noun))
    if worded := sum(not m.literal for m in found.matches):
        terms = dict.fromkeys(t for need in found.terms for t in need.terms)
        said.append(say("tasks.worded", language, count=worded, terms=list(terms)[:6]))
    if found.apart:
        said.append(say("tasks.apart", language, count=found.apart))
    if found.duplicates:
        said.append(say("tasks.duplicates", language, count=found.duplicates))
    read = "tasks.all_read" if found.read >= found.matching else "tasks.some_read"
    said.append(say(read, language, matching=found.matching, read=found.read))
    return say("tasks.remarks", language, remarks=said)


def not_all_read(reading: Reading, language: str, *, refused: bool = False) -> str:
    """Said where a question about many passages is answered, or refused, like any other."""
    return say("tasks.not_all_read", language, read=reading.read, refused=refused)


def listing(
    evidence: Sequence[Evidence], language: str, most: int = MOST_QUOTES
) -> tuple[str, list[Evidence]]:
    """Quotes by document, and which of them are shown: at least one of each of the first documents, `most`
    in all; what is left out is counted."""
    by_document: dict[int, list[Evidence]] = {}
    for e in evidence:
        by_document.setdefault(e.document.id, []).append(e)
    room = _room([len(rows) for rows in by_document.values()], most)
    blocks, taken = [], []
    for rows, few in zip(by_document.values(), room, strict=True):
        if not few:
            continue
        path, count = rows[0].document.path, len(rows)
        lines = [say("tasks.of_document", language, path=path, count=count)]
        for e in rows[:few]:
            taken.append(e)
            head = f" ({' '.join(e.header.split())})" if e.header else ""
            lines.append(f"  “{' '.join(e.text.split())}”{head} [{e.number}]")
        if len(rows) > few:
            lines.append("  " + _and_more(rows[few:], language))
        blocks.append("\n".join(lines))
    if left := sum(1 for few in room if not few):
        rest = sum(len(rows) for rows, few in zip(by_document.values(), room, strict=True) if not few)
        blocks.append(say("tasks.more_documents", language, count=rest, documents=left))
    return "\n\n".join(blocks), taken


def _room(sizes: Sequence[int], most: int) -> list[int]:
    """How many quotes each document may show: one each in turn until the room is used up."""
    room = [0] * len(sizes)
    while sum(room) < most and any(r < s for r, s in zip(room, sizes, strict=True)):
        for n, size in enumerate(sizes):
            if room[n] < size and sum(room) < most:
                room[n] += 1
    return room


def _and_more(rows: Sequence[Evidence], language: str) -> str:
    first, last = rows[0].number, rows[-1].number
    marks = f"[{first}]" if first == last else f"[{first}] … [{last}]"
    return say("tasks.more", language, count=len(rows), marks=marks)


def table(
    rows: Mapping[str, Sequence[Evidence]], language: str, lacking: frozenset[str] = frozenset()
) -> str:
    """Sides beneath each other, each with its quotes: a small Markdown table. Quotes of a side that is
    `lacking` support are the nearest."""
    heads = say("tasks.compared", language), say("tasks.in_their_words", language)
    none = say("tasks.not_found", language)
    lines = [f"| {heads[0]} | {heads[1]} |", "|---|---|"]
    for side, quotes in rows.items():
        parts = " ".join(f"“{' '.join(e.text.split())}” [{e.number}]" for e in quotes) or none
        if side in lacking and quotes:
            parts = say("tasks.nearest", language, quotes=parts)
        lines.append("| {} | {} |".format(*(cell.replace("|", "\\|") for cell in (side, parts))))
    return "\n".join(lines)


def summary_head(name: str, quotes: Sequence[Evidence], reading: Reading, language: str) -> str:
    """What was summarised, how, and how much of it was read."""
    key = "tasks.summary_all" if reading.complete else "tasks.summary_some"
    return say(key, language, name=name, count=len(quotes), read=reading.read, matching=reading.matching)


def summary_text(quotes: Sequence[Evidence]) -> str:
    """The quotes in order, beneath their documents and headings."""
    lines: list[str] = []
    document, heading = 0, ""
    for e in quotes:
        if e.document.id != document:
            lines += ([""] if lines else []) + [e.document.path]
            document, heading = e.document.id, ""
        above = e.heading_path[0] if e.heading_path else ""
        if above != heading:
            lines += [f"  {above}"] if above else []
            heading = above
        lines.append(f"    “{' '.join(e.text.split())}” [{e.number}]")
    return "\n".join(lines)


def compare_head(aspect: str, parts: Sequence[Part], reading: Reading, language: str) -> str:
    """What was compared and which side has no support."""
    head = say("tasks.compare", language, names=[p.question for p in parts], aspect=aspect)
    if lacking := [p for p in parts if not p.answered]:
        sides = [say("tasks.compare_side", language, name=p.question, reason=p.reason) for p in lacking]
        head += say("tasks.compare_lacking", language, lacking=sides)
    if not reading.complete:
        head += say("tasks.compare_unread", language, matching=reading.matching, read=reading.read)
    return head
