"""Hits -> the sentences that bear on the question, and whether they suffice to answer it.

Sentences of the retrieved passages are ranked by a logistic model over the signals of
`rag.search.sufficiency`. Vectors of sentences that the index holds are all compared with the question;
otherwise, and by an embedder of the question's own language beside one of many, only the few sentences that
are likeliest so far: embedding them is the costliest step of showing evidence, and the second waits until
they are read. `rag.search.verdict` says whether they suffice."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rag.documents.lists import announces, is_short, units
from rag.languages.text import denials, search_tokens
from rag.models.embedder import Embedder, similarities, supports
from rag.questions.expects import Wording, left_office
from rag.questions.query import Query
from rag.search.amended import with_changes
from rag.search.candidates import PreparedQuestion, Sentence, SentenceUnit, make_sentences
from rag.search.defined import with_definitions
from rag.search.pool import identified, idf_weights, without
from rag.search.ranker import Ranker
from rag.search.sufficiency import (
    LEXICAL,
    SENTENCE_SIGNALS,
    Calibration,
    load_calibration,
    mode_of,
    sentence_signals,
    with_cosines,
)
from rag.search.verdict import RankedSentences, Verdict, judge, of_any_version, outdated
from rag.store.store import Store
from rag.types import Chunk, Evidence, Hit
from rag.types.documents import led, withdrawn

# Sentences that are embedded when the question is asked, the costliest step of showing evidence. With six
# instead of four one or two more answers in a hundred are among the first two; twelve bring no more. Of an
# embedder of the question's language eight are worth it: ten more in a hundred are among the first three.
_EMBEDDED = 6
_COMPARED = 8
_EMBEDDED_CHARS = 240
_RANKED = 16
_TITLE_CHARS = 60
# A sentence this much less likely than the best is not shown; the first two always are.
_LEAST_SHARE = 0.2
# What does not stand counts so much less; where former words are asked for and found, so do the others.
_NAMES = 5
_ASIDE = 0.5
_OF_PASSAGE = ("passage", "passage_share", "passage_rank")
_LONGEST = 1200
_HEAD_CHARS = 1200


@dataclass(frozen=True, slots=True)
class Selection:
    """Ranked evidence (numbers 1..n) and the verdict on it; `ranked` are the sentences that it was chosen
    from."""

    evidence: tuple[Evidence, ...]
    verdict: Verdict
    ranked: RankedSentences | None = None

    @property
    def sufficient(self) -> bool:
        return self.verdict.sufficient


class Searched(Protocol):
    """An index as it is judged: what it holds, what it is searched with, and its own threshold."""

    @property
    def store(self) -> Store: ...

    def embedder_for(self, language: str) -> Embedder | None: ...

    def closer_for(self, language: str) -> Embedder | None: ...

    def ranker(self) -> Ranker: ...


def select(
    query: Query,
    hits: Sequence[Hit],
    index: Searched,
    *,
    limit: int = 6,
    threshold: float | None = None,
    in_force: str = "",
    ranked: RankedSentences | None = None,
) -> Selection:
    """The at most `limit` sentences that bear on the question, best first, each with what changes it by the
    ISO day `in_force` (see `with_changes`) and the definitions by which it says what is asked; of those
    `ranked`, if they are; what is `outdated` stands behind. No hit gives an empty, insufficient selection."""
    ranked = ranked or rank_sentences(query, hits, index, index.embedder_for(query.language))
    over = outdated(query, (hit.document for hit in hits), dated=bool(in_force))
    ranked = ranked.behind([hits[s.hit].document.id in over for s in ranked.sentences])
    evidence = tuple(
        as_evidence(n, ranked.sentences[i], hits, ranked.probabilities[i], index.store)
        for n, i in enumerate(_displayed(ranked, limit), 1)
    )
    evidence = with_changes(evidence, query, index.store, in_force, limit)
    evidence = with_definitions(evidence, query, index.store, in_force, limit)
    calibration = load_calibration(ranked.mode)
    least = index.ranker().threshold if threshold is None else threshold
    verdict = judge(query, ranked, evidence, hits, calibration, least, index.store)
    return Selection(evidence, verdict, ranked)


def prepare(query: Query, store: Store, aside: frozenset[str] = frozenset()) -> PreparedQuestion:
    """The question with its content tokens, but those set `aside`, weighed by how rare they are in the
    index."""
    tokens = tuple(token for token in query.content if token not in aside)
    frequencies = store.document_frequency(tokens)
    named = frozenset(search_tokens(" ".join([*query.names, *query.numbers])))
    lines = [line for one in query.sought for line in one.lines]
    return PreparedQuestion(
        query,
        idf_weights(store, tokens),
        frozenset(t for t in tokens if not frequencies.get(t)),
        frozenset(tokens) - named,
        tuple(frozenset(search_tokens(term)) for term in query.reworded),
        tuple(dict.fromkeys(frozenset(search_tokens(wording)) for line in lines for wording in line)),
    )


def rank_sentences(
    query: Query,
    hits: Sequence[Hit],
    index: Searched,
    embedder: Embedder | None,
    *,
    weights: Callable[[str], Calibration] = load_calibration,
) -> RankedSentences:
    """All sentences of the hits, most likely first; titles, headings and column heads are none. `embedder` is
    None where it does not know the question's language. `weights` are those of a mode (`mode_of`)."""
    former = any(withdrawn(hit.chunk.roles) in query.withdrawn for hit in hits)
    about = identified(query, index.store, (hit.document.id for hit in hits))
    # A name or two weigh little in a sentence; those of a contract with its parties outweigh what is asked.
    asked_of = without(query, about[1]) if about and len(about[1]) >= _NAMES else query
    asked_of = of_any_version(asked_of, [hit.document for hit in hits], index.store)
    prepared = prepare(asked_of, index.store, query.cues if former else frozenset())
    found = []
    for number, hit in enumerate(hits):
        surroundings = "\n".join([hit.document.title, hit.chunk.context, *hit.chunk.heading_path])
        read = _rows(hit, index.store) if hit.chunk.kind == "table" else _prose(hit.chunk)
        head = index.store.text(hit.document.id, 0, _HEAD_CHARS)
        found += make_sentences(number, read, surroundings, head)
    # Where a question says nothing that an item says by itself, the list is what it asks about.
    found = [s for s in found if not s.unit.listed or prepared.coverage(frozenset(s.sequence) - s.titles)]
    compared = embedder if embedder is not None and supports(embedder.info, query.language) else None
    signals = _as_one_table(sentence_signals(prepared, found, hits), found, hits)
    cosines = _held(asked_of, found, hits, index, compared) if compared else np.full(len(found), np.nan)
    mode = mode_of(compared.info if compared is not None else None)
    first = weights(mode).sentence.probability(with_cosines(signals, cosines))
    order = np.argsort(-first, kind="stable")
    if compared is not None:
        order = order[:_RANKED]
        own = [n for n in order[:_EMBEDDED] if math.isnan(cosines[n])]
        cosines[own] = _embedded(asked_of, [found[n] for n in own], hits, compared)
    kept, near = [found[i] for i in order], cosines[order]
    return _in_order(query, prepared, kept, signals[order], near, hits, mode, weights(mode))


def rank_closer(
    query: Query,
    ranked: RankedSentences,
    hits: Sequence[Hit],
    index: Searched,
    *,
    weights: Callable[[str], Calibration] = load_calibration,
) -> RankedSentences:
    """The sentences, the likeliest compared once more by the index's `closer_for` the question's language;
    the same where it has none."""
    embedder, closer = index.embedder_for(query.language), index.closer_for(query.language)
    if embedder is None or closer is None or ranked.mode == LEXICAL:
        return ranked
    mode, kept = mode_of(embedder.info, closer.info), ranked.sentences
    near = np.array([math.nan if cosine is None else cosine for cosine in ranked.cosines])
    near[_COMPARED:] = math.nan
    languages = [hits[sentence.hit].document.language for sentence in kept[:_COMPARED]]
    own = [n for n, language in enumerate(languages) if supports(closer.info, language)]
    near[own] = _embedded(ranked.question.query, [kept[n] for n in own], hits, closer)
    return _in_order(query, ranked.question, kept, ranked.signals, near, hits, mode, weights(mode))


def _in_order(
    query: Query,
    prepared: PreparedQuestion,
    kept: Sequence[Sentence],
    signals: NDArray[np.float64],
    near: NDArray[np.float64],
    hits: Sequence[Hit],
    mode: str,
    weights: Calibration,
) -> RankedSentences:
    """The sentences with these signals and, where they are known, cosines, most likely first."""
    signals = with_cosines(signals, near)
    final = weights.sentence.probability(signals)
    final = final * [
        _ASIDE if _turned(query, sentence.unit, hits[sentence.hit]) else 1.0 for sentence in kept
    ]
    former = any(withdrawn(hit.chunk.roles) in query.withdrawn for hit in hits)
    asked = set(query.withdrawn) if former else {None}
    aside = [withdrawn(hits[s.hit].chunk.roles) not in asked for s in kept]
    best = [int(i) for i in np.argsort(-final * np.where(aside, _ASIDE, 1.0), kind="stable")]
    return RankedSentences(
        prepared,
        tuple(kept[i] for i in best),
        tuple(float(final[i]) for i in best),
        tuple(None if math.isnan(near[i]) else float(near[i]) for i in best),
        mode,
        signals[best],
    )


def _turned(query: Query, unit: SentenceUnit, hit: Hit) -> bool:
    """Whether the question denies and the sentence, what leads into it and its heading do not ("What is not
    covered?", "We cover loss by fire"), or what leads into it denies and the question does not, or the
    sentence is of somebody who left the office asked about. A question for yes or no is answered either
    way."""
    if left_office(query, unit.text):
        return True
    if query.whether or not (denials(query.text) or unit.leads):
        return False
    over = "\n".join(lead.text for lead in unit.leads)
    if denials(query.text):
        return not denials("\n".join([over, unit.text, *hit.chunk.heading_path[-1:]]))
    return denials(over) > 0


def _as_one_table(
    signals: NDArray[np.float64], found: Sequence[Sentence], hits: Sequence[Hit]
) -> NDArray[np.float64]:
    """The signals, those of the passage for each row as of the best passage of its table: where a table was
    cut says nothing of its rows."""
    result, columns = signals.copy(), [SENTENCE_SIGNALS.index(name) for name in _OF_PASSAGE]
    tables: dict[tuple[object, ...], list[int]] = defaultdict(list)
    for n, one in enumerate(found):
        if one.unit.row:
            hit = hits[one.hit]  # rows that are hidden stand apart
            key = (hit.document.id, withdrawn(hit.chunk.roles), one.unit.heads, one.unit.table)
            tables[key].append(n)
    for rows in tables.values():
        result[np.ix_(rows, columns)] = signals[np.ix_(rows, columns)].max(axis=0)
    return result


def _prose(chunk: Chunk) -> list[SentenceUnit]:
    """Sentences, a very long one cut so that a quote stays readable; what leads into a short list goes on to
    its end."""
    whole = {lead.start: lead for lead in chunk.leads if is_short(lead) and lead.until <= chunk.end}
    found = []
    for span in units(chunk):
        over = led(chunk.leads, span.start)
        end = min(span.end, span.start + _LONGEST)
        if lead := whole.get(span.start):
            end = max(end, lead.until)
        elif announces(chunk, span):
            continue
        text = chunk.text[span.start - chunk.start : end - chunk.start]
        listed = any(one.start in whole for one in over)
        found.append(SentenceUnit(span.start, text, location=chunk.location, leads=over, listed=listed))
    return found


def _rows(hit: Hit, store: Store) -> list[SentenceUnit]:
    """The rows of a table passage, each with its own column heads and cells."""
    chunk = hit.chunk
    rows = []
    for block in store.blocks(hit.document.id, chunk.start, chunk.end):
        start = max(block.start, chunk.start)
        end = min(block.end, chunk.end, start + _LONGEST)
        text, place = chunk.text[start - chunk.start : end - chunk.start], block.location or chunk.location
        cells, title = block.placed_cells(start, end), block.table.title if block.table else ""
        rows.append(SentenceUnit(start, text, block.heads, cells, place, row=True, table=title))
    return rows


def _held(
    query: Query, found: Sequence[Sentence], hits: Sequence[Hit], index: Searched, embedder: Embedder
) -> NDArray[np.float64]:
    """Similarity of the question with each sentence by the vector that the index holds of it; nan where it
    holds none."""
    held = index.store.space.sentences([hit.chunk_id for hit in hits])
    if not held:
        return np.full(len(found), np.nan)
    question = embedder.embed_query(query.text)
    near = {
        (chunk_id, int(start)): cosine
        for chunk_id, vectors in held.items()
        for start, cosine in zip(vectors.rows["start"], vectors.cosines(question), strict=True)
    }
    at = [(hits[s.hit].chunk_id, s.start - hits[s.hit].chunk.start) for s in found]
    return _scaled(query.language, [near.get(place, math.nan) for place in at], found, hits, embedder)


def _scaled(
    code: str, cosines: Iterable[float], found: Sequence[Sentence], hits: Sequence[Hit], embedder: Embedder
) -> NDArray[np.float64]:
    languages = (hits[sentence.hit].document.language for sentence in found)
    pairs = zip(cosines, languages, strict=True)
    info = embedder.info
    return np.array([similarities(info, np.array(cosine), code, other).item() for cosine, other in pairs])


def _embedded(
    query: Wording, found: Sequence[Sentence], hits: Sequence[Hit], embedder: Embedder
) -> NDArray[np.float64]:
    """Similarity of the question with `title: sentence`, since the title resolves what "it" and "the company"
    leave open, with what stands over a row or an item between."""
    if not found:
        return np.zeros(0)
    titles = [hits[sentence.hit].document.title[:_TITLE_CHARS] for sentence in found]
    parts = (": ".join([*sentence.unit.over.splitlines(), sentence.text]) for sentence in found)
    texts = [f"{title}: {part[:_EMBEDDED_CHARS]}" for title, part in zip(titles, parts, strict=True)]
    cosines = embedder.embed_passages(texts) @ embedder.embed_query(query.text)
    return _scaled(query.language, cosines, found, hits, embedder)


def _displayed(ranked: RankedSentences, limit: int) -> list[int]:
    """Indices of the sentences to show: distinct ones, none within another, and past the second only those
    that are not far behind the first."""
    displayed: list[int] = []
    seen: set[str] = set()
    for i, sentence in enumerate(ranked.sentences):
        plain = "".join(c for c in sentence.text if c.isalnum())
        far = ranked.probabilities[i] < _LEAST_SHARE * ranked.probabilities[0]
        if len(displayed) >= limit or (far and len(displayed) >= 2):
            break
        shown = (ranked.sentences[n] for n in displayed if ranked.sentences[n].hit == sentence.hit)
        within = any(one.start < sentence.end and sentence.start < one.end for one in shown)
        if plain and plain not in seen and not within:
            seen.add(plain)
            displayed.append(i)
    return displayed


def as_evidence(
    number: int, sentence: Sentence, hits: Sequence[Hit], probability: float, store: Store
) -> Evidence:
    """A sentence as it is shown, on the page that it stands on, with its notes."""
    hit = hits[sentence.hit]
    page = hit.chunk.page
    if page != hit.chunk.last_page:  # a passage over two pages
        page = store.page_at(hit.document.id, sentence.start)
    shown = Evidence(
        number=number,
        document=hit.document,
        chunk_id=hit.chunk_id,
        start=sentence.start,
        end=sentence.end,
        text=sentence.text,
        score=round(probability, 4),
        page=page,
        heading_path=hit.chunk.heading_path,
        heads=sentence.unit.heads,
        location=sentence.unit.location,
        cells=sentence.unit.cells,
        leads=sentence.unit.leads,
    )
    return with_marks(shown, store)


def with_marks(shown: Evidence, store: Store) -> Evidence:
    """The evidence with how its words are withdrawn, if any are, and the notes that its marks lead to."""
    kind, notes = store.standing(shown.document.id, shown.start, shown.end)
    return replace(shown, withdrawn=kind, notes=notes) if kind or notes else shown
