"""What a search understood, what of it gave way, and why each passage stands where it does; as values, and
in words, the same for the terminal and the page.

What a question names is a preference (`rag.questions.constraints`): where no passage is what was asked for,
the nearest is given. Here that is said: the reader of figures for 2022 learns that 2021 was asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rag.documents.catalogue import Catalogue
from rag.facts.references import articles_agree
from rag.languages import named, say
from rag.questions.constraints import Constraints, sign
from rag.questions.query import Query
from rag.search.pool import Retrievers, sources
from rag.search.retrieve import named_within
from rag.types import (
    Answer,
    Citation,
    Claim,
    ClaimState,
    DocumentInfo,
    Filters,
    Gap,
    Hit,
    Leg,
    Loss,
    Note,
    Outcome,
    Reason,
)
from rag.types.documents import several, single

# What is said only where somebody asks for the explanation, subjects too, which are a weak hint.
_LONG = frozenset({"subject", "words"})
# The authority of what has no rank.
_UNRANKED = 0.5
# So many places of each kind of loss are named.
_PLACES = 5
# What says more of a document than whose it is.
_BESIDES = frozenset({"form", "period", "year", "passage"})


def is_informative(reason: Reason) -> bool:
    """Whether a reason says something about this passage."""
    unranked = reason.name == "authority" and reason.value == _UNRANKED
    return not unranked and abs(reason.adds) >= 0.005


def leg_words(leg: Leg, language: str = "en") -> str:
    """Where a passage stands in one search: "words: place 3 (0.41)"."""
    name = named("search", leg.name, language)
    return say("search.leg", language, name=name, rank=str(leg.rank or ""), score=leg.value)


def reason_words(reason: Reason, language: str = "en") -> str:
    """A reason in words, for or against as its value says: "its document is of another period"."""
    against = named("against", reason.name, language) if reason.value < 0 else reason.name
    return named("features", reason.name, language) if against == reason.name else against


def note_values(note: Note, language: str = "en") -> str:
    """The values of a note, by their names where there are any for them."""
    values = [named(note.what, value, language) for value in note.values]
    return say("search.values", language, values=values)


def note_words(note: Note, language: str = "en") -> str:
    """A note in words: "company: Thornfield Marsh plc"."""
    label = named("matters", note.what, language)
    return say("search.note", language, label=label, values=note_values(note, language))


def short(notes: Sequence[Note]) -> tuple[Note, ...]:
    """The notes that are said above every answer."""
    return tuple(note for note in notes if note.what not in _LONG)


def gap_words(gap: Gap, language: str = "en") -> str:
    """What gave way, in words: "no passage of Thornfield Marsh plc for 2021 was found; nearest: Thornfield
    Marsh plc, 2022 (thornfield.pdf)"."""
    if gap.missed == ("unknown",):
        return say("search.unknown", language, names=gap.wanted[0].values)
    key = "search.none" if gap.rank is None else "search.other_first"
    return say(key, language, wanted=_wanted(gap.wanted, language), rank=gap.rank, nearest=gap.nearest)


def _wanted(notes: Sequence[Note], language: str) -> str:
    by = {note.what: say("search.several", language, values=note.values) for note in notes}
    owner, *others = [by[note.what] for note in notes if note.what not in _BESIDES] or [""]
    known = {what: by.get(what, "") for what in ("period", "year", "form", "passage")}
    document = say("search.document", language, owner=owner, others=others, **known)
    return say("search.wanted", language, document=document, **known).strip()


def loss_words(losses: Sequence[Loss], language: str = "en") -> str:
    """What could not be read of a document, counted by kind, with the first places: "2 pages without text,
    as scans have (pages 3, 7)"."""
    said = []
    for kind in dict.fromkeys(loss.kind for loss in losses):
        own = [loss for loss in losses if loss.kind is kind]
        pages = list(dict.fromkeys(str(loss.page) for loss in own if loss.page is not None))
        places = list(dict.fromkeys(loss.place for loss in own if loss.place and loss.page is None))
        first = {"pages": pages[:_PLACES], "places": places[:_PLACES]}
        more = max(len(pages), len(places)) > _PLACES
        where = say("losses.where", language, one=len(pages) == 1, more=more, **first)
        said.append(say(f"losses.{kind}", language, count=len(own), where=where))
    return say("losses.several", language, losses=said)


def standing(answer: Answer, claim: Claim | None = None, language: str = "") -> str:
    """How a sentence of an answer stands, None for its line, in plain words: "Stated in Lease, 7.2 Notice",
    "Worked out from 2 rows", "Probably here: Lease, page 3", "Not in these 10 documents (2 could not be
    read)"; "" for what rests on no document."""
    code, searched = language or answer.language, answer.certificate
    if claim is None and answer.verdict is Outcome.ABSENT:
        missing = len(searched.unreadable)
        count, unread = searched.documents + missing, str(missing or "")
        return say("standing.absent", code, count=count, unread=unread)
    if claim is not None and claim.state is ClaimState.UNSUPPORTED:
        return say("standing.unsupported", code)
    numbers = answer.marks if claim is None else claim.citations
    rows = {f.citation for one in answer.working if one.formula for f in one.inputs if f.citation}
    if rows and rows.issuperset(numbers):
        return say("standing.computed", code, count=len(rows))
    over = next((one.formula for one in answer.working if one.formula and not one.inputs), "")
    if claim is None and over:
        return say("standing.worked_out", code, formula=over)
    cited = [one for one in answer.citations if one.number in numbers] or (answer.quotes if not claim else ())
    if not cited:
        return ""
    if claim is not None:
        how = "partial" if claim.state is ClaimState.PARTIAL else "stated"
    else:
        how = "stated" if answer.verdict is Outcome.ANSWERED else "nearby"
    first, more = cited[0], len(cited) - 1 if how == "stated" else 0
    source = {"title": first.title or first.document, "place": _place(first, code)}
    return say(f"standing.{how}", code, **source, more=str(more or ""), several=more > 1)


def _place(cited: Citation, language: str) -> str:
    """The innermost heading over it, else its page, else its cells."""
    if cited.heading_path and cited.heading_path[-1] != cited.title:
        return cited.heading_path[-1]
    return say("cli.page", language, page=cited.page) if cited.page else cited.location


_AGREES = 0.5


@dataclass(frozen=True, slots=True)
class HitExplanation:
    """The matters (`Note.what`) in which a hit is, or is not, what the question demands."""

    agrees: tuple[str, ...]
    clashes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """`understood` is what the question was taken to name and need; `documents` are the paths of those that
    it names, the best agreeing first; `relaxed` is what no passage, or not the first, satisfies, and names
    that no document bears; `hits` explains the passages in their order."""

    question: str
    understood: tuple[Note, ...]
    documents: tuple[str, ...]
    relaxed: tuple[Gap, ...]
    hits: tuple[HitExplanation, ...]


def explain(
    legs: Retrievers, query: Query, hits: Sequence[Hit], filters: Filters | None = None
) -> Explanation:
    """Explains the hits that `rag.search.retrieve.retrieve` gave for the question with these filters. Reads
    the catalogue, no passages."""
    documents = named_within(legs, query, filters)
    catalogue = legs.store.catalogue()
    met = [_met(hit, query.constraints) for hit in hits]
    return Explanation(
        question=query.text,
        understood=tuple(_understood(legs, query, documents, hits)),
        documents=tuple(legs.store.document(d).path for d in documents),
        relaxed=tuple(_relaxed(query.constraints, hits, met, catalogue)),
        hits=tuple(
            HitExplanation(*(tuple(w for w, s in one.items() if s is state) for state in (True, False)))
            for one in met
        ),
    )


def _understood(
    legs: Retrievers, query: Query, documents: Sequence[int], hits: Sequence[Hit]
) -> Iterator[Note]:
    yield from (Note(what, values) for what, values in query.constraints.named_values() if what != "unknown")
    looked_at = {*documents, *(hit.document.id for hit in hits)}
    if query.sought and sources(legs.fields, legs.store) & looked_at:
        # What has no lines is a part of documents by its name.
        concepts = tuple(dict.fromkeys(one.name for one in query.sought if one.lines))
        statements = tuple(dict.fromkeys(role for one in query.sought for role in one.roles))
        yield from (Note(*note) for note in (("concept", concepts), ("statement", statements)) if note[1])
    if query.reworded:
        yield Note("words", query.reworded)


def _met(hit: Hit, constraints: Constraints) -> dict[str, bool | None]:
    """For each matter that the question demands, whether the hit is what it names; None where its document
    says nothing of it."""
    document = hit.document.id
    met: dict[str, bool | None] = {}
    if constraints.companies:
        met["company"] = sign(constraints.agreement(document)["name"])
    met |= {matter.what: matter.met(document) for matter in constraints.read if matter.met}
    if constraints.articles:
        met["passage"] = (
            articles_agree(constraints.articles, hit.chunk.heading_path, hit.chunk.text) >= _AGREES
        )
    return met


def _missed(met: Mapping[str, bool | None], constraints: Constraints) -> tuple[str, ...]:
    """A document that says nothing of its company is not what was asked for; one without a year may be."""
    must = {"company", *(matter.what for matter in constraints.read if matter.must)}
    return tuple(w for w, state in met.items() if state is False or (state is None and w in must))


def _relaxed(
    constraints: Constraints,
    hits: Sequence[Hit],
    met: Sequence[Mapping[str, bool | None]],
    catalogue: Catalogue,
) -> Iterator[Gap]:
    demanded = {"company", "passage", *(matter.what for matter in constraints.read if matter.demanded)}
    wanted = tuple(Note(what, values) for what, values in constraints.named_values() if what in demanded)
    whole = next((rank for rank, state in enumerate(met, 1) if not _missed(state, constraints)), None)
    if wanted and not hits:
        yield Gap(wanted, tuple(note.what for note in wanted))
    # What the first passage leaves open is named where no other passage has it.
    elif wanted and whole != 1 and (whole is None or False in met[0].values()):
        yield Gap(wanted, _missed(met[0], constraints), _called(hits[0].document), whole)
    if hits and whole is not None:
        yield from (Gap((note,), (note.what,)) for note in _without_hit(constraints, hits, catalogue))
    if constraints.unknown_names:
        yield Gap((Note("unknown", constraints.unknown_names),), ("unknown",))


def _without_hit(constraints: Constraints, hits: Sequence[Hit], catalogue: Catalogue) -> Iterator[Note]:
    """Of several companies, or other names of one sort, those that no passage is of."""
    found = {hit.document.id for hit in hits}
    for name in constraints.companies if len(constraints.companies) > 1 else ():
        if found.isdisjoint(catalogue.company_documents[catalogue.companies.index(name)]):
            yield Note("company", (name,))
    for matter in constraints.read:
        for name, documents in zip(matter.values, matter.bearers, strict=False):
            if found.isdisjoint(documents):
                yield Note(matter.what, (name,))


def _called(info: DocumentInfo) -> str:
    """What a document is, and its path: "Thornfield Marsh plc, annual report, 2022 (thornfield.pdf)"."""
    meta = info.metadata
    years = "/".join(several(meta, "fiscal_year") or several(meta, "year"))
    period = " ".join(v for v in (single(meta, "fiscal_period").replace("FY", ""), years) if v)
    named = (single(meta, "company") or single(meta, "law") or info.title, single(meta, "form"), period)
    description = ", ".join(part for part in named if part)
    return f"{description} ({info.path})" if description and description != info.path else info.path
