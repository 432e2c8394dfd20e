"""How many, which ones, all of them: answered from every passage that matches, with counts made by code. Or
documents by what they are: of which kind, between whom, from whom to whom, of when, about what, answered from
what was read of each at its ingest (`rag.documents.description`), each cited by the words that name party and
day."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, islice

from rag.answers.ranges import IN
from rag.documents.description import HEAD, SENT, day_of, document_type, type_of_noun
from rag.documents.validity import copies_of, is_draft
from rag.facts.dates import MONTHS, dates
from rag.facts.names import short_name
from rag.facts.quantity import Kind
from rag.facts.values import Range, Value, read, relation
from rag.languages import patterns, say
from rag.languages.text import has_han
from rag.store.store import Store
from rag.tasks import survey
from rag.tasks.intents import CountUnit, Intent
from rag.tasks.topics import (
    Text,
    TopicScope,
    all_of,
    called,
    distinctive_words,
    form_of,
    label_of,
    read_scope,
    topic_terms,
)
from rag.types import Answer, DocumentInfo, Filters
from rag.types.documents import several, single

_RE = patterns("described", re.IGNORECASE)
_ABOUT = 1500  # code points at the beginning that say what a document is about
_WRITTEN = ("letter", "mail")
_MOST_COMMON = 5


@dataclass(frozen=True, slots=True)
class Described:
    """Of the documents `looked_at` those that fit, with the words that say so; `unclear` would fit but for
    their day, or who sent them to whom, which nothing says. `copies`: paths of files that are one of the
    documents by their text, by its id; `ours` is the name read as "us" where it is asked who wrote to us, ""
    where nothing tells, None for other questions."""

    looked_at: tuple[DocumentInfo, ...]
    documents: tuple[DocumentInfo, ...]
    matches: tuple[survey.MatchingPassage, ...]
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
                within = (any(relation(value, asked) in IN for value in read(day)) for asked in days)
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
) -> Iterator[survey.MatchingPassage]:
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
    sentences: dict[int, survey.MatchingPassage] = {}
    for at in sorted(places) or [store.chunks([store.opening(document.id)])[0][2].start]:
        ((chunk_id, _, chunk),) = store.chunks([store.passage_at(document.id, at)])
        holding = (e for e in survey.units_of(store, document, chunk) if e.start <= at < e.end)
        place = next(holding, None) or survey.line_of(document, chunk, at)
        sentences[place.start] = survey.MatchingPassage(chunk_id, document, chunk, (place,))
    yield from sentences.values()


# Quotes in the text; all of them are in the citations.
MOST_QUOTES = 12
# A topic of more words than this is a sentence, which no passage repeats.
_MOST_TERMS = 6
_MOST_DOCUMENTS = 200
_MOST_NAMED = 30


def count_or_list(request: survey.TaskRequest) -> Answer | None:
    """The answer to a question that counts or lists; a refusal where nothing matches; None where it cannot be
    answered by reading what matches."""
    intent, store = request.intent, request.store
    if intent.unit is CountUnit.DESCRIBED:
        return _described(request)
    if not intent.topic:
        return _documents(request)
    if intent.unit is CountUnit.THING and (listed := survey.listed_whole(request)):
        return listed
    scope = read_scope(intent.topic, request.index, request.filters)
    if intent.unit is CountUnit.DOCUMENT:
        scope = TopicScope(all_of(store, request.filters), False, intent.topic, query=scope.query)
    terms = topic_terms(scope.topic, extra=request.index.lexicon)
    bounds = any(isinstance(value, Range) for value in read(scope.topic))  # rows are held against them
    if not terms or len(terms) > _MOST_TERMS or bounds:
        return None
    if intent.unit is CountUnit.THING:  # the duties of a tenant need not be called duties
        absent = [term for term in terms if not survey.occurs(store, scope, term)]
        kind = terms[-1 if has_han(scope.topic) else 0]
        unknown = absent and (absent != [kind] or len(terms) == 1)
        return survey.none_match(request, scope, terms) if unknown else None
    found = survey.survey(store, scope, terms)
    if found.matches:
        found, others = _by_kind(found, intent, request)
        head, read_some = _headline(intent, found, request.language), (found.matching, found.read)
        remarks = "\n\n".join(filter(None, (_remarks(found, request.language), others)))
        return _listed(request, head, found.matches, read_some, remarks)
    return None if found.apart else survey.none_match(request, scope, found.terms)


def _by_kind(found: survey.Survey, intent: Intent, request: survey.TaskRequest) -> tuple[survey.Survey, str]:
    """What is of the kind that is asked for ("contracts"), where any is, and a remark that names what else
    matches and may be of it."""
    kind = type_of_noun(intent.noun) if intent.unit is CountUnit.DOCUMENT else ""
    kept = {d.id for d in of_kind(found.documents, intent.noun)} if kind else set()
    others = [d.path for d in found.documents if not (d.id in kept or d.metadata.get("document_type"))]
    if not kept:
        return found, ""
    matches = tuple(m for m in found.matches if m.document.id in kept)
    sizes = {"noun": intent.noun, "paths": others[:MOST_QUOTES], "more": len(others) > MOST_QUOTES}
    remark = say("tasks.other_kinds", request.language, **sizes) if others else ""
    return replace(found, matches=matches), remark


def _documents(request: survey.TaskRequest) -> Answer | None:
    """The documents themselves, each cited by its opening sentence."""
    every = all_of(request.store, request.filters)
    documents, _ = copies_of(called(every, request.intent.noun) or every)
    openings = [(d, request.store.opening(d.id)) for d in documents[:_MOST_DOCUMENTS]]
    head = say("tasks.all_documents", request.language, count=len(documents))
    most = min(len(documents), _MOST_NAMED)
    return _listed(request, head, _first_words(request.store, openings), most=most) if documents else None


def _described(request: survey.TaskRequest) -> Answer | None:
    """The documents that fit a description, named with their days."""
    intent, language = request.intent, request.language
    found = described(intent.noun, intent.topic, request.store, request.filters)
    if found is None:
        return None
    scope, unclear = len(found.looked_at), [d.path for d in found.unclear]
    sent = any(single(d.metadata, "document_type") in SENT for d in found.unclear)
    undated = say("tasks.undated", language, paths=unclear, sent=sent) if unclear else ""
    if found.ours is not None:
        undated = "\n\n".join(filter(None, (say("tasks.ours", language, name=found.ours), undated)))
    if not found.matches:
        none = survey.none_match(request, TopicScope(found.looked_at, False, ""), (), "none_described")
        return replace(none, text="\n\n".join(filter(None, (none.text, undated))))
    names = [_named(d, language, found.copies.get(d.id, ())) for d in found.documents]
    sizes = {"count": len(names), "scope": scope, "names": names[:MOST_QUOTES]}
    sizes |= {"more": len(names) > MOST_QUOTES}
    head = say("tasks.described", language, **sizes)
    return _listed(request, head, found.matches, None, undated, _MOST_NAMED)


def _named(document: DocumentInfo, language: str, copies: Sequence[str]) -> str:
    """A document by its title, its day and, of what is sent, its sender, with the paths of its copies."""
    known = document.metadata
    sender = several(known, "sender")[:1] if single(known, "document_type") in SENT else ()
    said = {"name": document.title, "day": day_of(known), "sender": "".join(sender), "copies": copies}
    return say("tasks.dated", language, **said)


def _first_words(store: Store, found: Sequence[tuple[DocumentInfo, int]]) -> list[survey.MatchingPassage]:
    """The first sentence of each passage, by its id."""
    chunks = {i: chunk for i, _, chunk in store.chunks([i for _, i in found])}
    passages = [(i, d, chunks[i]) for d, i in found if i in chunks]
    firsts = ((i, d, c, next(survey.units_of(store, d, c), None)) for i, d, c in passages)
    return [survey.MatchingPassage(i, d, c, (place,)) for i, d, c, place in firsts if place]


def _headline(intent: Intent, found: survey.Survey, language: str) -> str:
    """The count and what was counted: "3 of 12 documents match: 7 passages hold “notice”."."""
    line = say(
        f"tasks.{intent.unit}",
        language,
        scope=len(found.scope.documents),
        documents=len(found.documents),
        passages=len(found.matches),
        places=sum(len(m.places) for m in found.matches),
        words=[" / ".join([need.typed, *need.terms[:2]]) for need in found.terms],
    )
    return line if found.read >= found.matching else say("tasks.at_least", language, line=line)


def _remarks(found: survey.Survey, language: str) -> str:
    """What else is to be known of a count: words that stand apart, and what was not read."""
    remarks = [say("tasks.apart", language, count=found.apart)] if found.apart else []
    if found.read < found.matching:
        remarks.append(say("tasks.some_read", language, matching=found.matching, read=found.read))
    return say("tasks.remarks", language, remarks=remarks)


def _listed(
    request: survey.TaskRequest,
    head: str,
    matches: Sequence[survey.MatchingPassage],
    read: tuple[int, int] | None = None,
    remarks: str = "",
    most: int = 0,
) -> Answer:
    """The answer with its quotes by document, `most` in all (else MOST_QUOTES), at least one of each of the
    first documents; what is left out is counted. `read`: how many passages hold the words, and were read; all
    of the documents where nothing is given."""
    evidence, language = survey.evidence_of(matches, request.store), request.language
    owners = {e.number: e.document.id for e in evidence}
    numbers = set(survey.in_turn(list(owners), owners, most or MOST_QUOTES))
    quoted = [e for e in evidence if e.number in numbers]
    sizes = Counter(e.document.path for e in evidence)
    blocks: list[str] = []
    for path, own in groupby(quoted, key=lambda e: e.document.path):
        lines = [say("tasks.of_document", language, path=path, count=sizes.pop(path))]
        for e in own:
            above = f" ({e.header})" if e.heads else ""
            lines.append(f"  “{' '.join(e.words.split())}”{above} [{e.number}]")
        blocks.append("\n".join(lines))
    if sizes:
        blocks.append(say("tasks.more_documents", language, count=sizes.total(), documents=len(sizes)))
    text = "\n\n".join([head, "\n\n".join(blocks), *filter(None, [remarks])])
    documents = {m.document.id: m.document.chunks for m in matches}
    matching, seen = read or (sum(documents.values()),) * 2
    reading = request.reading(matching, seen, len(documents))
    return survey.counted_answer(request, head, text, evidence, quoted, reading)
