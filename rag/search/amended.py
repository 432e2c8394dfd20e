"""Sentences found -> the words in force: what later texts of the index change stands beside what it changes.

The sentence is quoted as it stands in its document; what it reads since is worked out from the instruction,
which is quoted behind it. Instructions found alone bring their provision."""

from __future__ import annotations

import datetime
import re
from calendar import monthrange
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from itertools import islice

from rag.documents.amendments import BEHIND, Amendment, ChangeKind
from rag.documents.description import definitions
from rag.documents.lists import units
from rag.documents.validity import edition_name, stated
from rag.facts.dates import dates
from rag.facts.numerals import HAN_NUMERAL
from rag.facts.quantity import Kind
from rag.facts.references import SIBLINGS, articles_agree, borne_labels
from rag.facts.values import read
from rag.languages.text import letters, search_tokens, sentences
from rag.questions.query import Query
from rag.store.store import Store
from rag.types import BlockKind, ChangedBy, Chunk, DocumentInfo, Evidence, Span
from rag.types.documents import WITHDRAWN, led

_BEFORE = 6000  # code points in which the number of a provision stands above a sentence of it
_LONGEST, _WHOLE = 1200, 300
_BORNE = 0.4  # how well a passage bears the provision that an instruction is about
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


def _instructions(document: DocumentInfo, store: Store) -> Iterator[_Change]:
    """What is said about a document, by the day from which it is."""
    since = stated(document.metadata).start
    about = (r for r in store.amending() if r.target == document.id and r.source is not None)
    for relation in sorted(about, key=lambda r: r.effective):
        own = relation.source == document.id
        for one in store.amendments(relation.source or 0):
            target, day = one.reference.target, one.day or relation.effective
            named = edition_name(target) == edition_name(relation.name) if target else own
            held = bool(day) and day <= since and not own  # what is dated later has the change in it
            if named and not held:
                yield _Change(one, relation.source or 0, day)


def _changes(piece: Evidence, store: Store) -> Iterator[_Change]:
    """What is said about the provision that a sentence stands in."""
    text, provision = piece.text, None
    for change in _instructions(piece.document, store):
        one = change.amendment
        if change.source == piece.document.id and one.start <= piece.start < one.end:
            continue
        provision = provision or _provision(piece, store)
        after = one.applied(text) if _holds(one, *provision) else None
        same = one.kind is ChangeKind.REPLACE and letters(text) in letters(one.new)
        unclear = one.kind is ChangeKind.UNCLEAR and _holds(one, *provision)
        if not same and (after is not None or unclear):
            said = store.text(change.source, one.start, one.end) if unclear else ""
            text = after or (said if _states(one, said) else text)
            yield change


def _provision(piece: Evidence, store: Store) -> tuple[str, list[str]]:
    """The number of the provision that a sentence stands in, "" for none, and its lines down to the end of
    the sentence."""
    lines: list[str] = []
    above = store.text(piece.document.id, max(0, piece.start - _BEFORE), piece.end).splitlines()
    for line in reversed(above):
        lines.insert(0, line)
        if labels := borne_labels((), line):
            return labels[0].split()[-1].lower(), lines
    headed = borne_labels(piece.heading_path, "")
    return headed[-1].split()[-1].lower() if headed else "", lines


def _holds(one: Amendment, number: str, lines: Sequence[str]) -> bool:
    """Whether an instruction is about what stands there: section 4, and all of 4.2, for section 4; for 4(2)
    what is marked so, or is the second paragraph of an article, where the words do not tell; for a term the
    line that defines it."""
    if not one.reference.kind:
        return any(one.reference.label in definitions(line) for line in lines[-1:])
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
            elif not known and _states(change.amendment, instruction.text):
                words, known = instruction.text, True
            text = text if words is None else words or instruction.text
    made = tuple(ChangedBy(one.source, one.amendment.start, one.day, one.day <= on) for one in changes)
    return replace(piece, changes=made, in_force=text if known and text != piece.text else "")


def _states(one: Amendment, instruction: str) -> bool:
    """Whether an instruction that gives no new words says a value: "is extended to 31 August 2027"."""
    reference = slice(one.reference.start - one.start, one.reference.end - one.start)
    rest = instruction.replace(instruction[reference], " ") if one.kind is ChangeKind.UNCLEAR else ""
    return any(value.kind not in (Kind.REFERENCE, Kind.ORDINAL, Kind.NUMBER) for value in read(rest))


def _bearing(words: str, query: Query) -> str:
    """New words as they are, of long ones the sentence that has most of what is asked about."""
    if len(words) <= _WHOLE:
        return words
    content = frozenset(query.content)
    said = (words[span.start : span.end] for span in sentences(words))
    return max(said, key=lambda text: len(content.intersection(search_tokens(text))))


def _instruction(change: _Change, beside: Evidence, store: Store) -> Evidence:
    """The instruction as evidence, as likely as what it changes."""
    one = change.amendment
    span = Span(one.start, min(one.end, one.start + _LONGEST))
    return evidence_at(store.document(change.source), span, beside.score, store)


def evidence_at(document: DocumentInfo, span: Span, score: float, store: Store) -> Evidence:
    """The words there as evidence."""
    chunk_id = store.passage_at(document.id, span.start)
    ((_, _, chunk),) = store.chunks([chunk_id])
    made = _sentence(span, score, chunk_id, document, chunk)
    text, page = store.text(document.id, span.start, span.end), store.page_at(document.id, span.start)
    return replace(made, text=text, page=page)


def _provisions(piece: Evidence, store: Store) -> list[Evidence]:
    """The sentences that an instruction changes, where the piece is one."""
    amended = dict.fromkeys(r.target for r in store.amending() if r.source == piece.document.id and r.target)
    end = piece.start + len(piece.text)
    stated = store.amendments(piece.document.id) if amended else ()
    found = []
    for one in (one for one in stated if one.start < end and piece.start < one.end):
        label = f"{one.reference.kind} {one.reference.label}"
        sentences = (
            _sentence(span, piece.score, chunk_id, store.document(document_id), chunk)
            for target in amended
            for chunk_id, document_id, chunk in store.document_chunks(target)
            if not one.reference.kind or articles_agree([label], chunk.heading_path, chunk.text) > _BORNE
            for span in units(chunk)
        )
        changed = (was for was in sentences if any(c.amendment is one for c in _changes(was, store)))
        found += list(islice(changed, 1))
    return found


def _sentence(span: Span, score: float, chunk_id: int, document: DocumentInfo, chunk: Chunk) -> Evidence:
    """A sentence of a passage as evidence."""
    text = chunk.text[span.start - chunk.start : span.end - chunk.start]
    return Evidence(
        0, document, chunk_id, span.start, span.end, text, score, chunk.page, chunk.heading_path,
        location=chunk.location, leads=led(chunk.leads, span.start),
    )  # fmt: skip


# A whole document as it reads on a day

_CLAUSE = re.compile(
    r"[\s#>*|]*(第\S{1,8}?条|\([a-z]{1,3}\)|(?:[A-Z][A-Za-z]+\.?\s)?\d[\d.]*(?<!\.)|"
    + f"[{HAN_NUMERAL}]+(?=、))"
)
_OPENING = re.compile(r"[\s#>*|]*(?:第\S{1,8}?条|(?:[A-Z][a-z]+\.?\s)?\d[\d.]*)[.)、:：]?[\s\u3000]*")
_MADE = 0xF0000  # with the number of changed words: the character that stands for them in the text
_IS_MADE = re.compile(r"[\U000f0000-\U000ffffd]")


@dataclass(frozen=True, slots=True)
class WordsInForce:
    """Words of a document as they read on a day; `was`: those that stood there, `changes`: the numbers, from
    1, of the changes that made them so, () for words as they were."""

    text: str
    was: str = ""
    changes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Instruction:
    """What changes a document: `text`, verbatim, of `document`, in its `clause` ("Section 2", "" where none
    is numbered), from the ISO `day` ("" where not known). `state`: "made", "later" than the day asked
    about, or "open" where the new words are not given or the old ones not found."""

    document: DocumentInfo
    clause: str
    page: int | None
    day: str
    text: str
    state: str


@dataclass(frozen=True, slots=True)
class Consolidated:
    """A document as it reads on the ISO `day`: the `words`, one behind the other, are the whole text."""

    document: DocumentInfo
    day: str
    words: tuple[WordsInForce, ...]
    changes: tuple[Instruction, ...]


def consolidated(document: DocumentInfo, store: Store, on: str = "") -> Consolidated:
    """The words of a document in force on an ISO day ("": today), with what changed them. Words that are
    struck out or hidden are left out."""
    text, on = store.text(document.id), on or datetime.date.today().isoformat()
    for mark in store.marks(document.id):
        if mark.kind in WITHDRAWN:
            text = text[: mark.start] + " " * (mark.end - mark.start) + text[mark.end :]
    heads = (b for b in store.blocks(document.id) if b.kind is BlockKind.HEADING)
    borders = {text[head.start : head.end].strip("# ") for head in heads}
    found, made, changes = (
        sorted(_instructions(document, store), key=lambda c: c.day),
        list[WordsInForce](),
        [],
    )
    own = [c.amendment for c in found if c.source == document.id]
    said = {line for one in own for line in text[one.start : one.end].splitlines() if line}
    for number, change in enumerate(found, 1):
        one, source = change.amendment, store.document(change.source)
        words = store.text(source.id, one.start, min(one.end, one.start + _LONGEST))
        state = "later" if change.day > on else "open"
        span = _lines_of(_beside(one, words), text, borders, said)
        if state == "open" and span and one.kind is not ChangeKind.UNCLEAR:
            after = _changed(text[span.start : span.end], one, number, made)
            state = "open" if after is None else "made"
            text = text[: span.start] + (after or text[span.start : span.end]) + text[span.end :]
        clause, page = _clause(source.id, one.start, store), store.page_at(source.id, one.start)
        changes.append(Instruction(source, clause, page, change.day, words, state))
    return Consolidated(document, on, tuple(_wordings(text, made)), tuple(changes))


def _beside(one: Amendment, instruction: str) -> Amendment:
    """The instruction about the provision that it changes or adds to: 作为第十条 adds to the ninth, "a new
    clause 6 after clause 5" to clause 5."""
    base, _, sub = one.reference.label.rstrip(")").partition("(")
    number, before = sub or base, instruction[: one.reference.start - one.start]
    if one.kind is ChangeKind.ADD and (behind := BEHIND.search(instruction)):
        return replace(one, reference=replace(one.reference, label=behind["label"]))
    if one.kind is not ChangeKind.ADD or not before.endswith("作为") or not number.isdigit():
        return one
    label = f"{base}({int(number) - 1})" if sub else str(int(number) - 1)
    return replace(one, reference=replace(one.reference, label=label))


def _lines_of(one: Amendment, text: str, borders: AbstractSet[str], said: AbstractSet[str]) -> Span | None:
    """The lines that an instruction is about, the first that stand together; none of those `said` in
    instructions. A heading, one of `borders`, ends a provision."""
    units, unit, number = SIBLINGS | {one.reference.kind, "item"}, "", ""
    above: list[str] = []
    run: Span | None = None
    for match in re.finditer(r"[^\n]+", text):
        line = match.group()
        heading = [plain] if (plain := line.strip("# ")) in borders else []
        if (labels := borne_labels(heading, "") if heading else borne_labels((), line)) or heading:
            unit, _, number = labels[0].lower().rpartition(" ") if labels else ("", "", "")
            above = []
        above.append(line)
        instruction = any(words in line for words in said)
        if not instruction and unit in units and _holds(one, number, above):
            run = Span(run.start if run else match.start(), match.end())
        elif run:
            break
    return run


def _changed(words: str, one: Amendment, number: int, made: list[WordsInForce]) -> str | None:
    """The words of a provision with the change made; None where those that go do not stand there."""

    def put(text: str, was: str, *changes: int) -> str:
        made.append(WordsInForce(text, was, (*changes, number)))
        return chr(_MADE + len(made) - 1)

    if one.kind is ChangeKind.ADD:
        return words + "\n\n" + put(one.new, "")
    earlier = [ord(match.group()) - _MADE for match in _IS_MADE.finditer(words)]
    if not one.old:
        was = "".join(wording.text for wording in _wordings(words, made))
        opening = _OPENING.match(was) if one.new and not borne_labels((), one.new) else None
        numbers = dict.fromkeys(n for i in earlier for n in made[i].changes)
        return put((opening.group() if opening else "") + one.new, was, *numbers)
    after, at = "", 0
    for place in one.places(words):
        after += words[at : place.start] + put(one.put, words[place.start : place.end])
        at = place.end
    again = [(i, text) for i in earlier if (text := one.applied(made[i].text)) is not None]
    for i, text in again:
        made[i] = WordsInForce(text, made[i].was, (*made[i].changes, number))
    return after + words[at:] if at or again else None


def _wordings(text: str, made: Sequence[WordsInForce]) -> Iterator[WordsInForce]:
    at = 0
    for match in _IS_MADE.finditer(text):
        yield from [WordsInForce(text[at : match.start()])] if match.start() > at else []
        yield made[ord(match.group()) - _MADE]
        at = match.end()
    yield from [WordsInForce(text[at:])] if at < len(text) else []


def _clause(document_id: int, at: int, store: Store) -> str:
    """The number of the clause that an instruction stands in, as it is written."""
    start = max(0, at - _BEFORE)
    above, line = store.text(document_id, start, at), store.text(document_id, at, at + _WHOLE)
    lines = (above + line.partition("\n")[0]).splitlines()
    numbered = ((match, dates(one)) for one in reversed(lines) if (match := _CLAUSE.match(one)))
    return next((match[1] for match, days in numbered if not (days and days[0].start <= match.start(1))), "")
