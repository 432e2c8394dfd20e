"""Sentences found -> the words in force: what later texts of the index change stands beside what it changes.

The sentence is quoted as it stands in its document; what it reads since is worked out from the instruction,
which is quoted behind it. Instructions found alone bring their provision."""

from __future__ import annotations

import datetime
import re
from calendar import monthrange
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from rag.documents.amendments import Amendment, ChangeKind
from rag.documents.lists import units
from rag.documents.validity import edition_name, stated
from rag.facts.dates import dates
from rag.facts.references import borne_labels
from rag.languages.text import letters, search_tokens, sentences
from rag.questions.query import Query
from rag.store.store import Store
from rag.types import ChangedBy, Chunk, DocumentInfo, Evidence, Span
from rag.types.documents import led

_BEFORE = 6000  # code points in which the number of a provision stands above a sentence of it
_LONGEST, _WHOLE = 1200, 300
_ITEM = re.compile(r"[^(（\n]{0,12}[(（]([a-z0-9]{1,3})[)）]")


@dataclass(frozen=True, slots=True)
class _Change:
    """An instruction of a document about another, and from when."""

    amendment: Amendment
    source: int
    day: str


def with_changes(
    found: Sequence[Evidence], query: Query, store: Store, on: str = "", limit: int = 6
) -> tuple[Evidence, ...]:
    """The sentences, numbered anew, those that are changed on the ISO day asked about (`on`, a date in the
    question, else today) with their words in force, each followed by the instructions that change it."""
    if not store.amending():
        return tuple(found)
    kept: dict[tuple[int, int], Evidence] = {}
    for piece in found:
        for one in _provisions(piece, store) or (piece,):
            changes = list(_changes(one, store))
            seen = [one, *(_instruction(change, one, store) for change in changes)]
            seen[0] = _in_force(one, changes, seen[1:], on or _day(query, seen), query)
            for each in seen:
                kept.setdefault((each.document.id, each.start), each)
    return tuple(replace(one, number=n) for n, one in enumerate([*kept.values()][:limit], 1))


def _day(query: Query, about: Sequence[Evidence]) -> str:
    """The last day of the time that a question speaks of, but for years in the names of the documents; for
    former words the first of all, else today."""
    if query.withdrawn:
        return "0001-01-01"
    names = " ".join(one.document.title for one in about)
    for period in (one.period for one in dates(query.text)):
        if period.year and not period.swapped and str(period.year) not in names:
            month = period.month or 12
            return f"{period.year:04d}-{month:02d}-{period.day or monthrange(period.year, month)[1]:02d}"
    return datetime.date.today().isoformat()


def _changes(piece: Evidence, store: Store) -> Iterator[_Change]:
    """What is said about the provision that a sentence stands in, by the day from which it is."""
    about = [r for r in store.amending() if r.target == piece.document.id and r.source is not None]
    if not about:
        return
    number, lines = _provision(piece, store)
    text, since = piece.text, stated(piece.document.metadata).start
    for relation in sorted(about, key=lambda r: r.effective):
        own = relation.source == piece.document.id
        for one in store.amendments(relation.source or 0):
            target = one.reference.target
            named = edition_name(target) == edition_name(relation.name) if target else own
            if not named or (own and one.start <= piece.start < one.end) or not _holds(one, number, lines):
                continue
            after = one.applied(text)
            same = one.kind is ChangeKind.REPLACE and letters(text) in letters(one.new)
            day = one.day or relation.effective
            held = bool(day) and day <= since and not own  # what is dated later has the change in it
            if not same and not held and (after is not None or one.kind is ChangeKind.UNCLEAR):
                text = after or text
                yield _Change(one, relation.source or 0, day)


def _provision(piece: Evidence, store: Store) -> tuple[str, list[str]]:
    """The number of the provision that a sentence stands in, "" for none, and its lines down to the end of
    the sentence."""
    start = max(0, piece.start - _BEFORE)
    lines: list[str] = []
    for line in reversed(store.text(piece.document.id, start, piece.end).splitlines()):
        lines.insert(0, line)
        if labels := borne_labels((), line):
            return labels[0].split()[-1].lower(), lines
    headed = borne_labels(piece.heading_path, "")
    return headed[-1].split()[-1].lower() if headed else "", lines


def _holds(one: Amendment, number: str, lines: Sequence[str]) -> bool:
    """Whether an instruction is about what stands there: section 4, and all of 4.2, for section 4; for 4(2)
    what is marked so, or is the second paragraph of an article, where the words do not tell."""
    base, _, sub = one.reference.label.lower().partition("(")
    if not number or (number.partition("(")[0] != base and not number.startswith(f"{base}.")):
        return False
    if not sub or one.old:
        return True
    marks = [match[1] for line in lines if (match := _ITEM.match(line))]
    sub = sub.partition(")")[0]
    return (
        marks[-1] == sub
        if marks
        else sub.isdigit() and len([one for one in lines if one.strip()]) == int(sub)
    )


def _in_force(
    piece: Evidence, changes: Sequence[_Change], instructions: Sequence[Evidence], on: str, query: Query
) -> Evidence:
    """The sentence with its words on that day; "" where they are as they were, or not known."""
    text, known = piece.text, True
    for change, instruction in zip(changes, instructions, strict=True):
        if change.day <= on:
            words = change.amendment.applied(text)
            known &= change.amendment.kind is not ChangeKind.UNCLEAR
            if change.amendment.kind is ChangeKind.REPLACE:
                words = _bearing(words or "", query)
            text = text if words is None else words or instruction.text
    made = tuple(ChangedBy(one.source, one.amendment.start, one.day, one.day <= on) for one in changes)
    return replace(piece, changes=made, in_force=text if known and text != piece.text else "")


def _bearing(words: str, query: Query) -> str:
    """New words as they are, of long ones the sentence that has most of what is asked about."""
    if len(words) <= _WHOLE:
        return words
    content = frozenset(query.content)
    said = (words[span.start : span.end] for span in sentences(words))
    return max(said, key=lambda text: len(content.intersection(search_tokens(text))))


def _instruction(change: _Change, beside: Evidence, store: Store) -> Evidence:
    """The instruction as evidence, as likely as what it changes."""
    one, source = change.amendment, store.document(change.source)
    end = min(one.end, one.start + _LONGEST)
    chunk_id = store.passage_at(source.id, one.start)
    ((_, _, chunk),) = store.chunks([chunk_id])
    made = _sentence(Span(one.start, end), beside, chunk_id, source, chunk)
    text, page = store.text(source.id, one.start, end), store.page_at(source.id, one.start)
    return replace(made, text=text, page=page)


def _provisions(piece: Evidence, store: Store) -> list[Evidence]:
    """The sentences that an instruction changes, where the piece is one."""
    if not any(r.source == piece.document.id for r in store.amending()):
        return []
    end = piece.start + len(piece.text)
    stated = [one for one in store.amendments(piece.document.id) if one.start < end and piece.start < one.end]
    leads = {r.start: r.target_chunk_id for r in store.references(piece.chunk_id)} if stated else {}
    found = []
    for one in stated:
        for chunk_id, document_id, chunk in store.chunks([leads.get(one.reference.start) or 0]):
            document = store.document(document_id)
            sentences = (_sentence(span, piece, chunk_id, document, chunk) for span in units(chunk))
            changed = (was for was in sentences if any(c.amendment is one for c in _changes(was, store)))
            found += list(islice(changed, 1))
    return found


def _sentence(span: Span, instead: Evidence, chunk_id: int, document: DocumentInfo, chunk: Chunk) -> Evidence:
    """A sentence of a passage as evidence, as likely as another piece."""
    text = chunk.text[span.start - chunk.start : span.end - chunk.start]
    return Evidence(
        0, document, chunk_id, span.start, span.end, text, instead.score, chunk.page, chunk.heading_path,
        location=chunk.location, leads=led(chunk.leads, span.start),
    )  # fmt: skip
