"""Verified claims and evidence -> the Answer: its line, what is written, what is quoted, what is refused, and
what of a question had no support: names and words that stand in no document, or not near the best passages,
and what it demands (a company, a year, an article) that no passage is.

The quoted answer always exists. The line that the model read is put in front of it only where verification
found it supported; what did not pass is kept apart in `dropped`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from rag.answers.disagreeing import disagreeing
from rag.answers.line import line_of, worked_line
from rag.answers.reading import ReaderReply
from rag.answers.rows import NoRow
from rag.documents.validity import called, ended
from rag.domains.finance.figures import Computed
from rag.index import Index
from rag.languages import named, say
from rag.languages.text import in_one_piece
from rag.questions.constraints import Constraints
from rag.questions.query import Query
from rag.search.defined import defining
from rag.search.evidence import Selection, with_marks
from rag.search.explain import loss_words
from rag.search.pool import named_documents
from rag.search.verdict import CORE, LackKind, Verdict, outcome, read_from, unstated
from rag.store.store import Store
from rag.types import (
    Answer,
    Certificate,
    Citation,
    Claim,
    ClaimState,
    Evidence,
    FileStatus,
    Filters,
    Hit,
    Outcome,
    Reading,
)
from rag.types.documents import WITHDRAWN
from rag.verify.align import reason

# So many documents that could not be read as a whole are named.
_LOSSES = 3


def missing(verdict: Verdict, language: str) -> str:
    """What a refusal lacks, in words of the language for its reader: words that no searched document holds,
    demands that no passage meets ("company Thornfield Marsh plc"), words that stand in none of the passages;
    without any of these the sort of answer that was looked for."""
    by = {kind: [one for one in verdict.reasons if one.kind is kind] for kind in LackKind}
    said = [say("answers.nothing", language) for _ in by[LackKind.PASSAGES]]
    said += [say("answers.absent", language, words=one.words) for one in by[LackKind.ABSENT]]
    if by[LackKind.DEMANDED]:
        demands = [
            say("answers.demand", language, label=named("matters", one.what, language), names=one.words)
            for one in by[LackKind.DEMANDED]
        ]
        said.append(say("answers.demanded", language, demands=demands))
    said += [say("answers.far", language, words=one.words) for one in by[LackKind.FAR]]
    for one in by[LackKind.SENTENCE]:
        said.append(say("answers.on_topic", language))
        if (kind := named("expected", one.words[0], language)) != one.words[0]:
            said.append(say("answers.asked", language, kind=kind))
    return say("answers.reasons", language, reasons=said)


@dataclass(frozen=True, slots=True)
class Basis:
    """What every answer to a question rests on: the sentences chosen (`found`), the passages they are from
    (`hits`, best first), what was searched (`proof`), and `timings` in seconds by stage."""

    query: Query
    language: str
    found: Selection
    hits: Sequence[Hit]
    proof: Certificate
    timings: Mapping[str, float] = field(default_factory=dict)

    @property
    def outcome(self) -> Outcome:
        return outcome(self.found.verdict)

    def answer(
        self,
        line: str,
        text: str,
        claims: Sequence[Claim] = (),
        *,
        reading: Reading | None = None,
        **more: Any,
    ) -> Answer:
        """The answer with this line and text; `more` are further fields of `Answer`. It rests on what the
        claims cite; without any it quotes the nearest sentences where the answer is probably nearby."""
        numbers = {n for claim in claims for n in claim.citations}
        if self.outcome is Outcome.NEARBY:
            numbers |= {e.number for e in self.nearest_sentences}
        resting = [e for e in self.found.evidence if e.number in numbers]
        return Answer(
            question=self.query.asked,
            language=self.language,
            line=line,
            verdict=self.outcome,
            confidence=self.proof.confidence,
            text=text,
            quotes=tuple(map(citation, resting)),
            citations=tuple(map(citation, self.found.evidence)),
            evidence=self.found.evidence,
            nearest=tuple(self.hits),
            certificate=self.proof,
            timings=dict(self.timings),
            claims=tuple(claims),
            cautions=self._cautions(resting, reading),
            searched=self.query.text if self.query.completed else "",
            reading=reading,
            **more,
        )

    @property
    def nearest_sentences(self) -> tuple[Evidence, ...]:
        return self.found.evidence[:CORE]

    def _cautions(self, resting: Sequence[Evidence], reading: Reading | None) -> tuple[str, ...]:
        """What is quoted but does not stand, or is no longer in force, and the notes of what is quoted; and,
        where something may have been missed, what could not be read, of the nearest documents first."""
        over = {e.document.id: (e.document, force) for e in resting if (force := ended(e.document))}
        found = [
            say(
                "answers.ended",
                self.language,
                title=called(document),
                superseded=force.reason == "superseded",
                by=force.by_name,
                day=force.end,
            )
            for document, force in over.values()
        ]
        for kind in WITHDRAWN:
            if numbers := [f"[{e.number}]" for e in resting if e.withdrawn is kind]:
                how = named("withdrawn", kind, self.language)
                found.append(say("answers.withdrawn", self.language, numbers=numbers, how=how))
        titles = {(e.document.id, e.start): e.document.title or e.document.path for e in self.found.evidence}
        for e in resting:
            by = {(titles.get((one.document_id, one.start)), one.day): None for one in e.changes}
            found += [
                say("answers.amended", self.language, number=e.number, by=title or "", day=day)
                for title, day in by
            ]
        notes = {note: e.number for e in reversed(resting) for note in reversed(e.notes)}
        found += [
            say("answers.note", self.language, number=n, note=note) for note, n in reversed(notes.items())
        ]
        if reading is None and self.outcome is Outcome.ANSWERED:
            return tuple(found)
        if unread := [path for path, _ in self.proof.unreadable]:
            some = {"paths": unread[:_LOSSES], "more": len(unread) > _LOSSES}
            found.append(say("answers.unread", self.language, count=len(unread), **some))
        near = {hit.document.path: n for n, hit in reversed([*enumerate(self.hits)])}
        lost = sorted(self.proof.losses, key=lambda one: near.get(one[0], len(near)))
        for path, losses in lost[:_LOSSES]:
            what = loss_words(losses, self.language)
            found.append(say("answers.lost", self.language, path=path, what=what))
        if (more := len(lost) - _LOSSES) > 0:
            found.append(say("answers.lost_more", self.language, count=more))
        return tuple(found)


def compose(basis: Basis, by: ReaderReply) -> Answer:
    """The answer to a question whose evidence suffices: the line that was read, and the quotes it rests on;
    without one the sentence that the model named, else the likeliest, as it stands."""
    found, language = basis.found, basis.language
    cited = by.claim.citations if by.claim else (by.source,)
    quotes = [quote_claim(e, language) for e in found.evidence if e.number in cited]
    displayed = [by.claim, *quotes] if by.claim else quotes
    line = line_of(displayed[0], found.evidence)
    piece = next(e for e in found.evidence if e.number in cited)
    others = disagreeing(displayed[0], piece, found.evidence, basis.query)
    displayed += [quote_claim(e, language) for e, _ in others]
    known = [e for e in defining(piece, found.evidence, basis.query) if e.number not in cited]
    displayed += [quote_claim(e, language) for e in known]
    answer = basis.answer(
        line,
        render_text(displayed, found.evidence, line),
        displayed,
        draft=by.draft,
        model=by.model if by.claim else "",
        reason=by.trouble,
        dropped=by.dropped,
    )
    differs = [
        say("answers.disagrees", language, path=e.document.path, said=said, number=e.number)
        for e, said in others
    ]
    return replace(answer, cautions=(*differs, *answer.cautions))


def compose_figures(basis: Basis, figures: Computed) -> Answer:
    """The answer that code read or worked out: what it says, then the rows it was read from, quoted. The rows
    are the first of the basis's evidence (see `with_rows`)."""
    language = basis.language
    statements = [
        Claim(text, ClaimState.SUPPORTED, rows, (reason("computed" if rows else "given").words(language),))
        for text, rows in figures.sentences
    ]
    cited = {n for _, rows in figures.sentences for n in rows}
    displayed = statements + [quote_claim(e, language) for e in figures.evidence if e.number in cited]
    return basis.answer(
        worked_line(statements[0].text, figures.calculations, language),
        render_text(displayed, basis.found.evidence),
        displayed,
        working=figures.calculations,
    )


def with_rows(found: Selection, figures: Computed | NoRow, limit: int, store: Store) -> Selection:
    """The selection with the rows of a figure in front, then the sentences that are none of them, `limit` in
    all (every row stays). It suffices: the rows are of the company and the period that were asked for; but
    for a value that no row holds it is at best nearby."""
    rows = [with_marks(row, store) for row in figures.evidence]
    held = {(e.document.id, e.start) for e in rows}
    rest = [e for e in found.evidence if (e.document.id, e.start) not in held]
    # What comes from the question alone rests on no document.
    kept = [*rows, *rest[: max(0, limit - len(rows))]] if rows else []
    verdict = read_from(rows, found.verdict)
    return replace(
        found,
        evidence=tuple(replace(e, number=n) for n, e in enumerate(kept, 1)),
        verdict=unstated(verdict) if isinstance(figures, NoRow) else verdict,
    )


def no_row(basis: Basis, figures: NoRow) -> Answer:
    """The answer where a value lies in no row: says so, and quotes the rows that there are."""
    rows = basis.found.evidence[: len(figures.evidence)]
    text = f"{figures.reason}\n\n{render_text([quote_claim(e, basis.language) for e in rows], rows)}"
    return replace(basis.answer(figures.reason, text), quotes=tuple(map(citation, rows)))


def quote_claim(evidence: Evidence, language: str = "en") -> Claim:
    """The evidence itself as a sentence of the answer: supported, because it is the words of the document."""
    return Claim(
        text=evidence.words,
        state=ClaimState.SUPPORTED,
        citations=(evidence.number,),
        reasons=(reason("quoted").words(language),),
        quoted=True,
    )


def render_text(claims: Sequence[Claim], evidence: Sequence[Evidence] = (), line: str = "") -> str:
    """Plain text: written sentences in one paragraph, each quote on a line of its own in quotation marks, [n]
    behind each; the quote of a table row is followed by its column heads. `line` stands in front where it
    says the first quote in other words than its own."""
    heads = {e.number: e.header for e in evidence if e.heads}
    written, quotes = [], []
    if line and claims and claims[0].quoted and line != in_one_piece(claims[0].text):
        written.append(f"{line} {marks_of(claims[0])}")
    for claim in claims:
        marks = marks_of(claim)
        if claim.quoted:
            columns = next((f" ({heads[n]})" for n in claim.citations if heads.get(n)), "")
            quotes.append(f"“{in_one_piece(claim.text)}”{columns} {marks}")
        else:
            written.append(f"{claim.text} {marks}".rstrip())
    return "\n\n".join(part for part in (" ".join(written), "\n".join(quotes)) if part)


def marks_of(claim: Claim) -> str:
    return "".join(f"[{n}]" for n in claim.citations)


def citation(evidence: Evidence) -> Citation:
    return Citation(
        number=evidence.number,
        document=evidence.document.path,
        title=evidence.document.title,
        source=evidence.document.source,
        page=evidence.page,
        start=evidence.start,
        end=evidence.end,
        quote=evidence.text,
        heading_path=evidence.heading_path,
        location=evidence.location,
        chunk_id=evidence.chunk_id,
        document_id=evidence.document.id,
        heads=evidence.heads,
        withdrawn=evidence.withdrawn,
        notes=evidence.notes,
        leads=evidence.leads,
        cells=evidence.cells,
    )


def certificate(
    index: Index,
    found: Selection,
    filters: Filters | None,
    language: str = "en",
    asked: Constraints | None = None,
) -> Certificate:
    """What was searched: counts over the scope and the files there that could not be read, or not as a whole:
    of these the documents that are `asked` about, where any are named."""
    documents = index.documents(filters)
    lost = {d.id: (d.path, d.losses) for d in documents if d.losses}
    about = named_documents(asked, frozenset(d.id for d in documents)) if asked and lost else ()
    readable = [d for d in documents if d.status is FileStatus.OK]
    return Certificate(
        documents=len(readable),
        passages=sum(d.chunks for d in readable),
        unreadable=tuple((d.path, d.status.value) for d in documents if d.status is not FileStatus.OK),
        confidence=round(found.verdict.confidence, 4),
        least=round(found.verdict.least, 4),
        scope=_scope(filters, language),
        dense=found.verdict.dense,
        losses=tuple(what for i, what in lost.items() if not about or i in about),
    )


def _scope(filters: Filters | None, language: str) -> str:
    if not filters:
        return ""
    parts = [*filters.documents, *filters.kinds, *filters.languages, *filters.companies, *filters.years]
    if filters.in_force:
        parts.append(say("answers.in_force", language, day=filters.in_force))
    return say("answers.scope", language, parts=[*parts, *(f"{k}={v}" for k, v in filters.metadata.items())])


def refuse(basis: Basis, reason: str = "") -> Answer:
    """The refusal: says so, says what was searched, and carries the nearest passages; where the answer is
    probably nearby, quotes the nearest sentences. `reason` says what of the question had no support."""
    proof, near = basis.proof, basis.outcome is Outcome.NEARBY
    line = say(
        "answers.nearby" if near else "answers.refused",
        basis.language,
        documents=proof.documents,
        passages=proof.passages,
    )
    quotes = [quote_claim(e) for e in basis.nearest_sentences] if near else []
    text = "\n\n".join(filter(None, (line, render_text(quotes, basis.found.evidence))))
    return basis.answer(line, text, reason=reason)
