"""Hits -> the sentences that bear on the question, and whether they suffice to answer it.

Sentences of the retrieved passages are ranked by a logistic model over the signals of
`rag.search.sufficiency`; the cosine with the question is computed only for the few that the other signals
leave in the running: it is the costliest step of showing evidence. A second model over the ranked list
judges sufficiency; below its threshold the question is refused."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rag.languages.text import search_tokens, sentences
from rag.models.embedder import Embedder, supports
from rag.questions.expects import Wording
from rag.questions.query import Query
from rag.search.candidates import PreparedQuestion, Sentence, SentenceUnit, make_sentences
from rag.search.pool import idf_weights
from rag.search.ranker import Ranker
from rag.search.sufficiency import (
    Calibration,
    answer_signals,
    load_calibration,
    sentence_signals,
    with_cosines,
)
from rag.store.store import Store
from rag.types import Chunk, Evidence, Hit

# Sentences whose cosine is computed when the question is asked, and how much of them: the costliest step of
# showing evidence. With six instead of four one or two more answers in a hundred are among the first two;
# twelve bring no more.
_EMBEDDED = 6
_EMBEDDED_CHARS = 240
_RANKED = 16
_TITLE_CHARS = 60
# A sentence this much less likely than the best is not shown; the first two always are.
_LEAST_SHARE = 0.2
_CORE = 3
_LONGEST = 1200
_HEAD_CHARS = 1200
_YEAR = re.compile(r"(?:19|20)\d\d")


@dataclass(frozen=True, slots=True)
class Selection:
    """Ranked evidence (numbers 1..n) and the verdict. `score` is the probability, 0..1, that it holds the
    answer; `core` counts the first sentences that a draft is written from; `dense` says whether vectors took
    part."""

    evidence: tuple[Evidence, ...]
    sufficient: bool
    score: float
    threshold: float
    core: int
    dense: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RankedSentences:
    """Every candidate sentence, best first, with what the judgement needs; `signals` are those of
    `rag.search.sufficiency`, a row for each."""

    question: PreparedQuestion
    sentences: tuple[Sentence, ...]
    probabilities: tuple[float, ...]
    cosines: tuple[float | None, ...]
    dense: bool
    signals: NDArray[np.float64]


class Searched(Protocol):
    """An index as it is judged: what it holds, what it is searched with, and its own threshold."""

    @property
    def store(self) -> Store: ...

    def embedder_for(self, language: str) -> Embedder | None: ...

    def ranker(self) -> Ranker: ...


def select(
    query: Query, hits: Sequence[Hit], index: Searched, *, limit: int = 6, threshold: float | None = None
) -> Selection:
    """The at most `limit` sentences that bear on the question, best first. No hit gives an empty,
    insufficient selection."""
    ranked = rank_sentences(query, hits, index, index.embedder_for(query.language))
    calibration = load_calibration("dense" if ranked.dense else "lexical")
    score = judge(ranked, hits, calibration)
    usual = index.ranker().threshold if threshold is None else threshold
    bar = calibration.threshold if usual is None else usual
    displayed = _displayed(ranked, limit)
    evidence = tuple(
        as_evidence(n, ranked.sentences[i], hits, ranked.probabilities[i], index.store)
        for n, i in enumerate(displayed, 1)
    )
    of_others = bool(names_without_passages(query, hits)) or of_other_years(query, evidence)
    sufficient = bool(evidence) and score >= bar and not of_others
    return Selection(
        evidence,
        sufficient,
        score,
        bar,
        min(_CORE, len(evidence)),
        ranked.dense,
        "" if sufficient else _why(ranked, hits),
    )


def of_other_years(query: Query, evidence: Sequence[Evidence]) -> bool:
    """Whether the question asks about years, the best evidence is a row of a table whose columns are other
    years, and none of the first pieces says one of those asked about: the row would pass for the answer."""
    years = {str(p.year) for p in query.periods if p.year}
    first = [f"{e.header} {e.text} {' '.join(e.heading_path)}" for e in evidence[:_CORE]]
    if not years or not first or not _YEAR.search(evidence[0].header):
        return False
    return not any(year in said for year in years for said in first)


def names_without_passages(query: Query, hits: Sequence[Hit]) -> tuple[str, ...]:
    """Companies that the question names, that no document is about and no passage found speaks of: whatever
    the passages say, they say it of somebody else. What stands in 《》 may be any book, and is left to the
    score."""
    named = query.constraints.unknown_names
    unknown = tuple(name for name in named if f"《{name}" not in query.text and f"〈{name}" not in query.text)
    if not unknown:
        return ()
    read = "\n".join(f"{h.document.title}\n{h.chunk.context}\n{h.chunk.text}" for h in hits).casefold()
    return tuple(
        n for n in unknown if not re.search(rf"(?<![a-z0-9]){re.escape(n.casefold())}(?![a-z0-9])", read)
    )


def prepare(query: Query, store: Store) -> PreparedQuestion:
    """The question with its content tokens weighed by how rare they are in the index."""
    tokens = query.content
    frequencies = store.document_frequency(tokens)
    named = frozenset(search_tokens(" ".join([*query.names, *query.numbers])))
    return PreparedQuestion(
        query,
        idf_weights(store, tokens),
        frozenset(t for t in tokens if not frequencies.get(t)),
        frozenset(tokens) - named,
        tuple(frozenset(search_tokens(term)) for term in query.reworded),
        _line_items(query),
    )


def _line_items(query: Query) -> tuple[frozenset[str], ...]:
    """The tokens of each wording of the line items that answer the question."""
    lines = [line for one in query.sought for line in one.lines]
    return tuple(dict.fromkeys(frozenset(search_tokens(wording)) for line in lines for wording in line))


def rank_sentences(
    query: Query,
    hits: Sequence[Hit],
    index: Searched,
    embedder: Embedder | None,
    *,
    calibration: Calibration | None = None,
) -> RankedSentences:
    """All sentences of the hits, most likely first; titles, headings and column heads are none. `embedder` is
    None where it does not know the question's language."""
    prepared = prepare(query, index.store)
    found = [s for number, hit in enumerate(hits) for s in _sentences_of(number, hit, index.store)]
    dense = embedder is not None and supports(embedder.info, query.language)
    calibration = calibration or load_calibration("dense" if dense else "lexical")
    signals = sentence_signals(prepared, found, hits, [None] * len(found))
    first = calibration.sentence.probability(signals)
    order = [int(i) for i in np.argsort(-first, kind="stable")]
    cosines: list[float | None] = [None] * len(found)
    if dense and embedder is not None and found:
        order = order[:_RANKED]
        likely = order[:_EMBEDDED]
        values = _cosines(query, [found[i] for i in likely], hits, embedder)
        for i, value in zip(likely, values, strict=True):
            cosines[i] = value
    kept = [found[i] for i in order]
    near = [cosines[i] for i in order]
    signals = with_cosines(signals[order], near)
    final = calibration.sentence.probability(signals)
    best = [int(i) for i in np.argsort(-final, kind="stable")]
    return RankedSentences(
        prepared,
        tuple(kept[i] for i in best),
        tuple(float(final[i]) for i in best),
        tuple(near[i] for i in best),
        dense,
        signals[best],
    )


def judge(ranked: RankedSentences, hits: Sequence[Hit], calibration: Calibration) -> float:
    """Probability, 0..1, that the ranked sentences hold the answer."""
    if not ranked.sentences:
        return 0.0
    signals = answer_signals(ranked.question, ranked.sentences, ranked.probabilities, ranked.cosines, hits)
    return float(calibration.answer.probability(signals))


def _sentences_of(number: int, hit: Hit, store: Store) -> list[Sentence]:
    chunk = hit.chunk
    surroundings = "\n".join([hit.document.title, chunk.context, *chunk.heading_path])
    units = _rows(hit, store) if chunk.kind == "table" else _prose(chunk)
    return make_sentences(number, units, surroundings, store.text(hit.document.id, 0, _HEAD_CHARS))


def _prose(chunk: Chunk) -> list[SentenceUnit]:
    """Sentences; a very long one is cut so that a quote stays readable."""
    found = sentences(chunk.text)
    return [
        SentenceUnit(
            chunk.start + s.start,
            chunk.text[s.start : min(s.end, s.start + _LONGEST)],
            location=chunk.location,
        )
        for s in found
    ]


def _rows(hit: Hit, store: Store) -> list[SentenceUnit]:
    """The rows of a table passage, each with its own column heads and cells."""
    chunk = hit.chunk
    units = []
    for block in store.blocks(hit.document.id, chunk.start, chunk.end):
        start = max(block.start, chunk.start)
        end = min(block.end, chunk.end, start + _LONGEST)
        text, place = chunk.text[start - chunk.start : end - chunk.start], block.location or chunk.location
        units.append(SentenceUnit(start, text, block.heads, block.placed_cells(start, end), place, row=True))
    return units


def _plain(text: str) -> str:
    return "".join(c for c in text if c.isalnum())


def _cosines(query: Query, found: Sequence[Sentence], hits: Sequence[Hit], embedder: Embedder) -> list[float]:
    """Cosine of the question with `title: sentence`: the title resolves what "it" and "the company" leave
    open."""
    texts = [f"{hits[s.hit].document.title[:_TITLE_CHARS]}: {s.text[:_EMBEDDED_CHARS]}" for s in found]
    return [max(0.0, float(v)) for v in embedder.embed_passages(texts) @ embedder.embed_query(query.text)]


def _displayed(ranked: RankedSentences, limit: int) -> list[int]:
    """Indices of the sentences to show: distinct ones, and past the second only those that are not far behind
    the first."""
    displayed: list[int] = []
    seen: set[str] = set()
    for i, sentence in enumerate(ranked.sentences):
        plain = _plain(sentence.text)
        far = ranked.probabilities[i] < _LEAST_SHARE * ranked.probabilities[0]
        if len(displayed) >= limit or (far and len(displayed) >= 2):
            break
        if plain and plain not in seen:
            seen.add(plain)
            displayed.append(i)
    return displayed


def as_evidence(
    number: int, sentence: Sentence, hits: Sequence[Hit], probability: float, store: Store
) -> Evidence:
    """A sentence as it is shown, on the page that it stands on."""
    hit = hits[sentence.hit]
    page = hit.chunk.page
    if page != hit.chunk.last_page:  # a passage over two pages
        page = store.page_at(hit.document.id, sentence.start)
    return Evidence(
        number=number,
        document=hit.document,
        chunk_id=hit.chunk_id,
        start=sentence.start,
        end=sentence.end,
        text=sentence.text,
        score=round(probability, 4),
        page=page,
        heading_path=hit.chunk.heading_path,
        heads=sentence.heads,
        location=sentence.location,
        cells=sentence.cells,
    )


def _why(ranked: RankedSentences, hits: Sequence[Hit]) -> str:
    """In words, what was not found: shown with the refusal."""
    if not hits:
        return "no passage shares a word with the question"
    prepared = ranked.question
    held = (
        frozenset().union(*(s.tokens | s.context_tokens for s in ranked.sentences))
        if ranked.sentences
        else frozenset()
    )
    missing = sorted((t for t in prepared.query.content if t not in held), key=lambda t: -prepared.weights[t])
    words = _as_typed(prepared.query, missing)
    if words:
        return f"not found near the best passages: {', '.join(words)}"
    return "the passages are on the topic, but none of their sentences answers the question"


def _as_typed(query: Wording, tokens: Sequence[str]) -> list[str]:
    """The words of the question that gave these tokens, at most four."""
    wanted = set(tokens)
    return [w for w in query.words if wanted.intersection(search_tokens(w))][:4]
