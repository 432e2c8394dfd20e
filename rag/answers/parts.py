"""A question of several parts, answered part by part: evidence is chosen and judged for each, what has
support is answered, what has none is refused and named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from rag.answers.choosing import asks_which, cues_of
from rag.answers.compose import (
    Basis,
    compose,
    compose_figures,
    missing,
    quote_claim,
    refuse,
    render_text,
    with_rows,
)
from rag.answers.deadlines import find_date
from rag.answers.doses import find_dose
from rag.answers.lists import find_excluded, find_list
from rag.answers.reading import ReaderReply
from rag.answers.request import AnswerRequest, Setup
from rag.answers.rows import NoRow, find_row, one_of_several, rows_in_range
from rag.domains.finance.figures import Computed, Uncomputed, find_figures
from rag.languages import say
from rag.questions.query import Query
from rag.search.evidence import Selection, rank_closer, select
from rag.search.verdict import RankedSentences, Verdict, lacks, of_parts, outdated, unstated, worth_reading
from rag.types import Answer, Calculation, Claim, Evidence, Figure, Filters, Hit, Part

_LEAST = 2
_TABLES_AMONG = 40  # passages in which tables are looked for, where a question is one over rows
_Place = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Look:
    """One question and what was found for it; `searched` are more passages, for the tables among them;
    `reason` says what had no support, "" where the evidence suffices; `figures` is what code read from cells
    or worked out for it, `no_row` that it found the table without the row. Evidence is numbered within the
    part."""

    query: Query
    hits: tuple[Hit, ...]
    searched: tuple[Hit, ...]
    found: Selection
    reason: str
    figures: Computed | None = None
    no_row: NoRow | None = None


def look(setup: Setup, request: AnswerRequest) -> tuple[Look, ...]:
    """Searches for all parts side by side, what the whole question names holding for each, and judges each
    by itself. The setup's limit of sentences is shown in all, at least two of each part."""
    index, filters = setup.index, request.filters
    parts = request.query.questions
    each = max(_LEAST, setup.max_evidence // len(parts))
    most = max(how_many(setup, part) for part in parts)
    searched = index.search_each(request.query, most, filters=filters)
    found = zip(parts, searched, strict=True)
    return tuple(look_at(setup, part, hits, each, filters) for part, hits in found)


def how_many(setup: Setup, query: Query) -> int:
    """Passages to search: more where tables are looked for among them."""
    return max(setup.top_k, _TABLES_AMONG) if cues_of(query) else setup.top_k


def look_at(setup: Setup, query: Query, hits: Sequence[Hit], limit: int, filters: Filters | None) -> Look:
    """The passages of one question with the sentences chosen, at most `limit`, or what code works out."""
    day = filters.in_force if filters else ""
    over = outdated(query, (hit.document for hit in hits), dated=bool(day))
    searched, hits = tuple(h for h in hits if h.document.id not in over), tuple(hits[: setup.top_k])
    found = _chosen(setup, query, hits, limit, day)
    figures = worked_out(query, searched, found, setup, filters)
    if isinstance(figures, Computed | NoRow):
        found = with_rows(found, figures, limit, setup.index.store)
    elif setup.llm is None and any(
        one_of_several(query, e, hits, setup.index.store) for e in found.evidence[:1]
    ):
        found = replace(found, verdict=unstated(found.verdict))  # a reader sees the others beside it
    reason = figures.reason if isinstance(figures, Uncomputed | NoRow) else ""
    computed = figures if isinstance(figures, Computed) else None
    no_row = figures if isinstance(figures, NoRow) else None
    return Look(query, hits, searched, found, reason, computed, no_row)


def _chosen(
    setup: Setup,
    query: Query,
    hits: Sequence[Hit],
    limit: int,
    day: str,
    ranked: RankedSentences | None = None,
) -> Selection:
    index, least = setup.index, setup.threshold
    found = select(query, hits, index, limit=limit, threshold=least, in_force=day, ranked=ranked)
    return replace(found, evidence=tuple(rows_in_range(query, found.evidence, hits, index.store)))


def looked_closer(setup: Setup, one: Look, limit: int, filters: Filters | None) -> Selection:
    """The sentences of a part that are to be read, compared once more by an embedder of the question's
    language, where there is one: a third of a second of processor time that their display need not wait
    for."""
    ranked = one.found.ranked
    if ranked is None or setup.llm is None or not worth_reading(one.found.verdict):
        return one.found
    closer = rank_closer(one.query, ranked, one.hits, setup.index)
    day = filters.in_force if filters else ""
    return one.found if closer is ranked else _chosen(setup, one.query, one.hits, limit, day, closer)


def worked_out(
    query: Query, hits: Sequence[Hit], found: Selection, setup: Setup, filters: Filters | None
) -> Computed | Uncomputed | NoRow | None:
    """What code reads or works out for a question: a figure of statements, else a date, else a row that it
    chooses, or the dose that this gives for a weight, else a list."""
    figures = find_figures(query, setup.index, filters=filters, facts=found.evidence)
    if isinstance(figures, Computed):
        if not asks_which(query):
            return figures
        figures = None
    store = setup.index.store
    if dated := find_date(query, found, setup.index, filters):
        return dated
    row = find_row(query, hits, store)
    rules = row.evidence if isinstance(row, Computed) else found.evidence if row is None else ()
    return (
        find_dose(query, rules)
        or row
        or find_list(query, hits, store)
        or find_excluded(query, hits, store)
        or figures
    )


def judged(one: Look, verdict: Verdict, setup: Setup, request: AnswerRequest) -> Look:
    """The part with the verdict on it once it was read, and why it is not answered, if so."""
    if verdict.sufficient:
        return replace(one, found=replace(one.found, verdict=verdict), reason="")
    verdict = replace(verdict, reasons=lacks(one.query, one.hits, setup.index.store, filters=request.filters))
    reason = "; ".join(filter(None, (one.reason, missing(verdict, request.language))))
    return replace(one, found=replace(one.found, verdict=verdict), reason=reason)


def together(looks: Sequence[Look]) -> Selection:
    """The evidence of the parts that have support (of all, where none has), numbered through; a sentence that
    serves two parts has one number."""
    numbers = numbering(looks)
    evidence: dict[int, Evidence] = {}
    for one in _counted(looks):
        for e in one.found.evidence:
            number = numbers[_place(e)]
            evidence.setdefault(number, replace(e, number=number))
    return Selection(tuple(evidence.values()), of_parts([one.found.verdict for one in looks]))


def nearest(looks: Sequence[Look], k: int) -> tuple[Hit, ...]:
    """The first `k` passages of all parts in turn, each once, by score."""
    turns = [h for rank in range(k) for one in looks for h in one.hits[rank : rank + 1]]
    first = list({h.chunk_id: h for h in reversed(turns)}.values())[::-1][:k]
    return tuple(sorted(first, key=lambda h: -h.score))


def numbering(looks: Sequence[Look]) -> dict[_Place, int]:
    """The number of each sentence over all parts."""
    places = dict.fromkeys(_place(e) for one in _counted(looks) for e in one.found.evidence)
    return {place: number for number, place in enumerate(places, 1)}


def compose_parts(
    basis: Basis, looks: Sequence[Look], reads: Sequence[ReaderReply], *, beside: bool = False
) -> Answer:
    """One answer of all parts, one after the other or `beside` one another in a small table; `reads` is what
    the model made of each. All parts without support are a refusal. The basis is that of the whole:
    `together(looks)`, `nearest`."""
    language = basis.language
    numbers = numbering(looks)
    subs = [
        (one, _sub(one, by, basis, numbers, whole=beside) if one.found.sufficient else None)
        for one, by in zip(looks, reads, strict=True)
    ]
    answers = [answer for _, answer in subs if answer is not None]
    answered_parts = tuple(
        Part(one.query.asked, True, tuple(sorted({n for c in a.claims for n in c.citations})))
        if a is not None
        else Part(one.query.asked, False, (), one.reason)
        for one, a in subs
    )
    lacking = _not_found(answered_parts, language)
    if not answers:
        return replace(refuse(basis), reason=lacking, parts=answered_parts)
    evidence = basis.found.evidence
    blocks = [f"{one.query.asked}\n{render_text(a.claims, evidence)}" for one, a in subs if a is not None]
    lines, text = list(dict.fromkeys(a.line for a in answers)), "\n\n".join(blocks)
    if beside:
        none = say("tasks.not_found", language)
        sides = [
            (one.query.asked, a.line if a else none, part)
            for (one, a), part in zip(subs, answered_parts, strict=True)
        ]
        lines = [say("answers.rows", language, rows=[f"{name} – {line}" for name, line, _ in sides])]
        text = f"{_table(sides, language)}\n\n{text}"
    answer = basis.answer(
        say("answers.lines", language, lines=lines),
        text,
        list(dict.fromkeys(c for a in answers for c in a.claims)),
        dropped=tuple(dict.fromkeys(c for a in answers for c in a.dropped)),
        draft="\n".join(a.draft for a in answers if a.draft),
        model=next((a.model for a in answers if a.model), ""),
        reason="; ".join(dict.fromkeys(a.reason for a in answers if a.reason)),
        parts=answered_parts,
        working=tuple(c for a in answers for c in a.working),
    )
    return replace(answer, cautions=(*answer.cautions, lacking)) if lacking else answer


def _table(sides: Sequence[tuple[str, str, Part]], language: str) -> str:
    """Sides beneath each other, each with its line: a small Markdown table."""
    rows = [(say("tasks.compared", language), say("tasks.in_their_words", language)), ("---", "---")]
    rows += [(name, line + "".join(f" [{n}]" for n in part.citations)) for name, line, part in sides]
    return "\n".join("| {} | {} |".format(*(cell.replace("|", "\\|") for cell in row)) for row in rows)


def _sub(
    one: Look, by: ReaderReply, of: Basis, numbers: Mapping[_Place, int], *, whole: bool = False
) -> Answer:
    """The answer to one part, its citations numbered as in the whole; `whole`: with all sentences chosen."""
    basis = Basis(one.query, of.language, one.found, one.hits, of.proof)
    answer = compose(basis, by) if one.figures is None else compose_figures(basis, one.figures)
    if whole and one.figures is None:
        cited = {n for c in answer.claims for n in c.citations}
        more = [quote_claim(e, of.language) for e in one.found.evidence if e.number not in cited]
        answer = replace(answer, claims=(*answer.claims, *more))
    numbering = {e.number: numbers[_place(e)] for e in one.found.evidence}

    def renumbered(claims: Sequence[Claim]) -> tuple[Claim, ...]:
        return tuple(
            replace(c, citations=tuple(numbering[n] for n in c.citations if n in numbering)) for c in claims
        )

    return replace(
        answer,
        claims=renumbered(answer.claims),
        dropped=renumbered(answer.dropped),
        working=tuple(_cited(c, numbering) for c in answer.working),
    )


def _cited(calculation: Calculation, numbering: Mapping[int, int]) -> Calculation:
    """The calculation with its figures cited by the numbers of the whole."""

    def cited(figure: Figure) -> Figure:
        return figure if figure.citation is None else replace(figure, citation=numbering.get(figure.citation))

    return replace(
        calculation, inputs=tuple(map(cited, calculation.inputs)), result=cited(calculation.result)
    )


def _counted(looks: Sequence[Look]) -> list[Look]:
    return [one for one in looks if one.found.sufficient] or list(looks)


def _place(e: Evidence) -> _Place:
    return e.document.id, e.start, e.end


def _not_found(parts: Sequence[Part], language: str) -> str:
    """ "Not found in the documents: who won the regatta (in no document searched: regatta)."; "" where
    nothing is missing."""
    unanswered = [
        say("answers.part", language, question=p.question, reason=p.reason) for p in parts if not p.answered
    ]
    return say("answers.parts_lacking", language, parts=unanswered) if unanswered else ""
