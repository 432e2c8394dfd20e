"""Documents by what they are: of which kind, between whom, from whom to whom, of when, about what. Answered
from what was read of each at its ingest (`rag.documents.description`), each cited by the words that name
party and day."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from rag.documents.description import HEAD, SENT, day_of, document_type, type_of_noun
from rag.documents.validity import copies_of, is_draft
from rag.facts.dates import MONTHS, dates
from rag.facts.names import short_name
from rag.facts.quantity import Kind
from rag.facts.values import Comparison, Value, read, relation
from rag.languages import patterns
from rag.store.store import Store
from rag.tasks.survey import MatchingPassage, line_of, units_of
from rag.tasks.topics import Text, all_of, called, distinctive_words, form_of, label_of
from rag.types import DocumentInfo, Filters
from rag.types.documents import several, single

_RE = patterns("described", re.IGNORECASE)
_ABOUT = 1500  # code points at the beginning that say what a document is about
_WRITTEN = ("letter", "mail")
_MOST_COMMON = 5
_WITHIN = (Comparison.EQUAL, Comparison.WITHIN)


@dataclass(frozen=True, slots=True)
class Described:
    """Of the documents `looked_at` those that fit, with the words that say so; `unclear` would fit but for
    their day, or who sent them to whom, which nothing says. `copies`: paths of files that are one of the
    documents by their text, by its id; `ours` is the name read as "us" where it is asked who wrote to us, ""
    where nothing tells, None for other questions."""

    looked_at: tuple[DocumentInfo, ...]
    documents: tuple[DocumentInfo, ...]
    matches: tuple[MatchingPassage, ...]
    unclear: tuple[DocumentInfo, ...]
    copies: Mapping[int, tuple[str, ...]]
    ours: str | None = None


def described(noun: str, topic: str, store: Store, filters: Filters | None = None) -> Described | None:
    """The documents called by a noun ("contracts") that are described so ("with Norrington signed in 2024");
    None where the description names neither a day nor a party of any document, or anything else besides."""
    every = all_of(store, filters)
    noun, days = _apart(noun)
    topic, more = _apart(topic)
    days += more
    month = _RE["month"].search(topic)
    topic = topic[: month.start()] + topic[month.end() :] if month else topic
    of_month = int(month["zh_month"] or MONTHS[month["month"].lower()]) if month else 0
    # Who sent something: of letters and mails where no kind is said.
    everyone = _RE["everyone"].search(topic)
    topic = topic[: everyone.start()] + topic[everyone.end() :] if everyone else topic
    about = _RE["about"].search(topic)
    matter = _forms(about["matter"] or about["zh_matter"]) if about else []
    topic = topic[: about.start()] + topic[about.end() :] if about else topic
    names = _forms(topic)
    parties = {d.id: Text(" / ".join(_parties(d))) for d in every}
    labels = {d.id: label_of(d) for d in every}
    of_party = [name for name in names if any(text.has(name) for text in parties.values())]
    ends = [_ends(topic, key) for key in ("sender", "recipient")]
    known = all(n in of_party or any(of.has(n) for of in labels.values()) for n in names)
    kinds = of_kind(every, noun) if noun else [d for d in every if _kind(d) in _WRITTEN]
    if not (known and (days or of_month or of_party or (everyone and any(_kind(d) in SENT for d in kinds)))):
        return None
    found: list[DocumentInfo] = []
    unclear: list[DocumentInfo] = []
    kinds, copies = copies_of(d for d in kinds if not (_RE["signed"].search(topic) and is_draft(d)))
    if ours := _ours(every) if everyone else "":
        ends = [[], [form_of(short_name(ours))]]
    for d in kinds:
        opening = Text(store.text(d.id, 0, _ABOUT)) if matter else Text("")
        fits = all((parties if n in of_party else labels)[d.id].has(n) for n in names)
        if fits and all(labels[d.id].has(m) or opening.has(m) for m in matter):
            day, sent = day_of(d.metadata), _sent(d, ends)
            if (not day and (days or of_month)) or sent is None:
                unclear.append(d)
            elif sent and of_month in (0, int(day[5:7] or 0)):
                within = (any(relation(value, asked) in _WITHIN for value in read(day)) for asked in days)
                found += [d] * all(within)
    matches = tuple(m for d in found for m in _matches(d, of_party, bool(days), store))
    return Described(every, tuple(found), matches, tuple(unclear), copies, ours if everyone else None)


def _ours(every: Iterable[DocumentInfo]) -> str:
    """Who stands at one end of most that was sent; "" where nobody does, or those who do face each other."""
    sent = [d for d in every if _kind(d) in SENT and several(d.metadata, "sender")]
    ends = [_both_ends(d) for d in sent]
    common = [name for name, _ in Counter(n for d in sent for n in _parties(d)).most_common(_MOST_COMMON)]
    forms = {name: form_of(short_name(name)) for name in common}
    held = {name: sum(said.has(form) or got.has(form) for said, got in ends) for name, form in forms.items()}
    most = max(held.values(), default=0)
    ours = [name for name in common if held[name] == most and 3 * most >= 2 * len(ends) > 2]
    own = [forms[name] for name in ours]
    faced = any(any(map(said.has, own)) and any(map(got.has, own)) for said, got in ends)
    return ours[0] if ours and not faced else ""


def _both_ends(document: DocumentInfo) -> tuple[Text, Text]:
    """Who sent a document, and who else it names."""
    said = Text(" / ".join(several(document.metadata, "sender")))
    return said, Text(" / ".join(p for p in _parties(document) if not said.has(form_of(short_name(p)))))


def _ends(topic: str, key: str) -> list[str]:
    """The names of who sent what is asked for, or of whom it was sent to; []."""
    said = (_forms(next(filter(None, match.groups()), "")) for match in _RE[key].finditer(topic))
    return next(filter(None, said), [])


def _sent(document: DocumentInfo, ends: Sequence[Sequence[str]]) -> bool | None:
    """Whether a document was sent by the first of the ends to the second, None where nothing says it; true of
    what nobody sends."""
    if not any(ends) or _kind(document) not in SENT:
        return True
    if not several(document.metadata, "sender"):
        return None
    said, others = _both_ends(document)
    return all(map(said.has, ends[0])) and all(map(others.has, ends[1]))


def _kind(document: DocumentInfo) -> str:
    return single(document.metadata, "document_type")


def _parties(document: DocumentInfo) -> tuple[str, ...]:
    """Between whom or whose a document is, by every name."""
    keys = ("company", "names") if document.metadata.get("company") else ()
    return several(document.metadata, "parties", "sender", *keys)


def _apart(text: str) -> tuple[str, list[Value]]:
    """The text without the days that it names, and those."""
    found = [value for value in read(text) if value.kind is Kind.DATE]
    for value in reversed(found):
        text = f"{text[: value.start]} {text[value.end :]}"
    return text.strip(), found


def _forms(text: str) -> list[str]:
    """What is said beside words that any description has."""
    words = (word.strip(".,;?!？，。“”\"'") for word in _RE["light"].sub(" ", text).split())
    return [form for word in words if (form := form_of(word))]


def of_kind(every: Sequence[DocumentInfo], noun: str) -> Sequence[DocumentInfo]:
    """Those of the documents that a noun is for ("contracts", "leases")."""
    if kind := type_of_noun(noun):
        return [d for d in every if (single(d.metadata, "document_type") or document_type(d.title)) == kind]
    return called(every, noun) if distinctive_words(noun) else every


def _matches(
    document: DocumentInfo, names: Sequence[str], dated: bool, store: Store
) -> Iterator[MatchingPassage]:
    """The sentences that name the parties asked for, and the day; the first one where none does."""
    text = store.text(document.id)
    places: list[int] = []
    for party in _parties(document):
        if any(map(Text(party).has, names)):
            written = re.compile(r"\s+".join(map(re.escape, party.split())), re.IGNORECASE)
            named = [match.start() for match in written.finditer(text[:HEAD])]
            places += [at for at in named if at > len(document.title)][:1] or named[:1]
    if dated:
        iso = day_of(document.metadata)
        ends = ((at, text[at : at + HEAD]) for at in (0, max(HEAD, len(text) - HEAD)))
        said = (at + one.start for at, part in ends for one in dates(part) if iso == one.period.iso)
        places += islice(said, 1)
    sentences: dict[int, MatchingPassage] = {}
    for at in sorted(places) or [store.chunks([store.opening(document.id)])[0][2].start]:
        ((chunk_id, _, chunk),) = store.chunks([store.passage_at(document.id, at)])
        holding = (e for e in units_of(store, document, chunk) if e.start <= at < e.end)
        place = next(holding, None) or line_of(document, chunk, at)
        sentences[place.start] = MatchingPassage(chunk_id, document, chunk, (place,))
    yield from sentences.values()
