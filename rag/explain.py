"""What a search understood, what of it gave way, and why each passage stands where it does.

What a question names is a preference (`rag.constraints`): where no passage is what was asked for, the nearest
is given. Here that is said: the reader of figures for 2022 learns that 2021 was asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rag import parts
from rag.catalogue import Catalogue
from rag.constraints import Constraints, article_agrees, sign
from rag.lexicon import expand
from rag.pool import Retrievers, sources
from rag.retrieve import QueryDemands, check_question, read_demands
from rag.telling import is_informative, reason_words
from rag.types import DocumentInfo, Filters, Gap, Hit, Leg, Note, Reason

_AGREES = 0.5


@dataclass(frozen=True, slots=True)
class HitExplanation:
    """Why one hit stands where it does. `agrees` and `clashes` are the matters (`Note.what`) in which it is,
    or is not, what the question demands; `reasons` the features that weigh most, the heaviest first, without
    those that say nothing; `words` the same in English."""

    chunk_id: int
    document: str
    page: int | None
    score: float
    legs: tuple[Leg, ...]
    agrees: tuple[str, ...]
    clashes: tuple[str, ...]
    reasons: tuple[Reason, ...]
    words: tuple[str, ...]


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
    legs: Retrievers, question: str, hits: Sequence[Hit], filters: Filters | None = None
) -> Explanation:
    """Explains the hits that `rag.retrieve.retrieve` gave for the question with these filters. Reads the
    catalogue, no passages. Raises InputError for a question without a word."""
    question = check_question(question)
    demands = read_demands(legs, question, filters)
    catalogue = legs.store.catalogue()
    met = [_met(hit, demands.constraints) for hit in hits]
    return Explanation(
        question=question,
        understood=tuple(_understood(legs, question, demands, hits)),
        documents=tuple(legs.store.document(d).path for d in demands.documents),
        relaxed=tuple(_relaxed(demands.constraints, hits, met, catalogue)),
        hits=tuple(_because(hit, state) for hit, state in zip(hits, met, strict=True)),
    )


def _understood(
    legs: Retrievers, question: str, demands: QueryDemands, hits: Sequence[Hit]
) -> Iterator[Note]:
    yield from (
        Note(what, values) for what, values in demands.constraints.named_values() if what != "unknown"
    )
    looked_at = {*demands.documents, *(hit.document.id for hit in hits)}
    if demands.sought and sources(legs.fields, legs.store) & looked_at:
        # What has no lines is a statement by its name.
        concepts = tuple(dict.fromkeys(one.name for one in demands.sought if one.lines))
        statements = tuple(dict.fromkeys(role for one in demands.sought for role in one.roles))
        yield from (Note(*note) for note in (("concept", concepts), ("statement", statements)) if note[1])
    if words := expand(question, legs.lexicons):
        yield Note("words", words)
    if separate := parts.split(question):
        yield Note("part", separate)


def _met(hit: Hit, constraints: Constraints) -> dict[str, bool | None]:
    """For each matter that the question demands, whether the hit is what it names; None where its document
    says nothing of it."""
    document = hit.document.id
    met: dict[str, bool | None] = {}
    if constraints.companies:
        met["company"] = sign(constraints.agreement(document)["name"])
    met |= {matter.what: matter.met(document) for matter in constraints.read if matter.met}
    if constraints.articles:
        met["passage"] = article_agrees(constraints, hit.chunk.heading_path, hit.chunk.text) >= _AGREES
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
    """Of several companies or statutes, those that no passage is of."""
    found = {hit.document.id for hit in hits}
    for name in constraints.companies if len(constraints.companies) > 1 else ():
        if found.isdisjoint(catalogue.company_documents[catalogue.companies.index(name)]):
            yield Note("company", (name,))
    for matter in constraints.read:
        for name, documents in zip(matter.values, matter.bearers, strict=False):
            if found.isdisjoint(documents):
                yield Note(matter.what, (name,))


def _called(info: DocumentInfo) -> str:
    """What a document is, and its path: "Thornfield Marsh plc, 10-K, 2022 (thornfield.pdf)"."""
    meta = info.metadata
    period = " ".join(v for v in (meta.get("fiscal_period", "").replace("FY", ""), _years(meta)) if v)
    named = (meta.get("company") or meta.get("law") or info.title, meta.get("form", ""), period)
    description = ", ".join(part for part in named if part)
    return f"{description} ({info.path})" if description and description != info.path else info.path


def _years(meta: Mapping[str, str]) -> str:
    return (meta.get("fiscal_year") or meta.get("year", "")).replace("|", "/")


def _because(hit: Hit, met: Mapping[str, bool | None]) -> HitExplanation:
    reasons = tuple(reason for reason in hit.reasons if is_informative(reason))
    return HitExplanation(
        chunk_id=hit.chunk_id,
        document=hit.document.path,
        page=hit.chunk.page,
        score=hit.score,
        legs=hit.legs,
        agrees=tuple(what for what, state in met.items() if state),
        clashes=tuple(what for what, state in met.items() if state is False),
        reasons=reasons,
        words=tuple(map(reason_words, reasons)),
    )
