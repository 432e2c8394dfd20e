"""The wide pool: which passages are looked at closely for a question, and what they are looked at with.

Passages come from the legs, each with its rank: words (BM25), vectors, and both again within the documents
that the question names. What is not in the pool cannot be found; how it is ordered is `rag.search.ranker`'s
matter.

How candidates agree with what a question demands: the documents that it names, the statements and line
items that its concepts need, the articles that it cites.

One column of `rag.search.ranker.AGREEMENTS` for each demand; what a question does not speak of is 0 for every
candidate. Line items and statements count only in the documents that the question means: every report
has the same parts.

And the one document that a question names by words of its title, file name or opening, with what is asked
about it: "Who may assign the Reseller Agreement between Northlight Limited and Diversa Corp?" is about that
agreement, and its names would only find the page that introduces the parties.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rag.documents.catalogue import Catalogue
from rag.facts.references import articles_agree
from rag.languages.text import query_tokens, search_tokens
from rag.models.embedder import Embedder, reached, similarities, supports
from rag.questions.constraints import Constraints, Sought
from rag.questions.query import Query, ReadsQuestions
from rag.search.ranker import AGREEMENTS, Pool, Terms
from rag.store.store import DenseIndex, Store
from rag.types import Filters
from rag.types.documents import admitted, path_words
from rag.types.search import Candidate

_TERMS_EMBEDDED = 6
# So much less is searched for in another language, where there are passages in the question's.
_ACROSS = 3
# Passages from which on an index says itself how rare its words are, and in what share of them a word is.
_TYPICAL, _USUAL = 20, 0.02
_OPENING = 600  # characters of a document that say what it is
_SURELY = 0.75  # weight of the names of a question that stand there
_WORD = re.compile(r"[^\s,;:()?!“”\"]+")


class Searches(ReadsQuestions, Protocol):
    """A field as the search asks it."""

    def ranks(self, document_id: int, catalogue: Catalogue) -> Mapping[str, float]:
        """Features of a document's passages, whatever the question."""

    def sources(self, store: Store) -> frozenset[int]:
        """The documents in which that is looked up."""


@dataclass(frozen=True, slots=True)
class Retrievers:
    """What searches. `dense` and `embedder` may be None: then words work alone. `fields` are asked where that
    which answers a question beside its words is looked up."""

    store: Store
    dense: DenseIndex | None
    embedder: Embedder | None
    fields: Sequence[Searches] = ()


@dataclass(frozen=True, slots=True)
class LegResults:
    """Ids of passages by leg, best first."""

    lexical: tuple[int, ...]
    dense: tuple[int, ...]

    @property
    def ids(self) -> tuple[int, ...]:
        return tuple(dict.fromkeys([*self.lexical, *self.dense]))


def sources(fields: Sequence[Searches], store: Store) -> frozenset[int]:
    """The documents of any field in which such things are looked up."""
    return frozenset().union(*(field.sources(store) for field in fields))


def idf(passages: int, frequency: int) -> float:
    """Inverse document frequency as FTS5's bm25() computes it, floored just above zero. An index of fewer
    than `_TYPICAL` passages is read as one of so many, the others with the usual share of passages for each
    word: a few passages alone say nothing of how rare a word is."""
    others = max(0, _TYPICAL - passages)
    passages, held = passages + others, frequency + others * _USUAL
    return max(1e-6, math.log((passages - held + 0.5) / (held + 0.5)))


def idf_weights(store: Store, tokens: Sequence[str]) -> dict[str, float]:
    """Weight of each token over the whole index; one that no passage holds gets the largest."""
    passages = store.passages()
    frequencies: Mapping[str, int] = store.document_frequency(tokens)
    return {t: idf(passages, frequencies.get(t, 0)) for t in tokens}


def weigh_terms(legs: Retrievers, query: Query) -> Terms:
    """The question's tokens and those of the professional words for it, weighed."""
    store, tokens = legs.store, query.tokens
    words = frozenset(query.content).intersection(tokens) or frozenset(tokens)
    weights = idf_weights(store, tokens)
    added = dict.fromkeys(t for term in query.reworded for t in query_tokens(term) if t not in weights)
    return Terms(
        tokens=tokens,
        weights=np.array([weights[t] for t in tokens]),
        words=np.array([t in words for t in tokens]),
        added=idf_weights(store, tuple(added)),
    )


def compares(legs: Retrievers, query: Query) -> bool:
    """Whether the question's vector is compared with those of passages."""
    if legs.dense is None or legs.embedder is None:
        return False
    return supports(legs.embedder.info, query.language)


def query_vector(legs: Retrievers, query: Query) -> NDArray[np.float32] | None:
    """The question's vector; with professional words, the mean of both wordings (not normalised again: its
    product with a passage is then the mean of two cosines). None where no vectors are compared."""
    if legs.embedder is None or not compares(legs, query):
        return None
    vector = legs.embedder.embed_query(query.text)
    if query.reworded:
        added = ", ".join(query.reworded[:_TERMS_EMBEDDED])
        again = legs.embedder.embed_query(f"{query.text} ({added})")
        vector = (vector + again) * np.float32(0.5)
    return vector


@dataclass(frozen=True, slots=True)
class SearchScope:
    """How many passages are searched for, and in which documents (ids; None: all)."""

    size: int
    documents: tuple[int, ...] | None = None


def search(
    legs: Retrievers,
    query: Query,
    terms: Terms,
    scopes: Sequence[SearchScope],
    filters: Filters | None = None,
) -> tuple[NDArray[np.float32] | None, list[LegResults]]:
    """The question's vector (None where none is compared), and for each scope the best passages of each leg
    within the filters. Words are searched while the question is embedded: neither holds up the other."""
    words = [*terms.tokens, *terms.added]
    with ThreadPoolExecutor(1) as pool:
        embedding = pool.submit(query_vector, legs, query)
        held = [
            legs.store.lexical(words, limit=scope.size, filters=filters, documents=scope.documents)
            for scope in scopes
        ]
        vector = embedding.result()
    lexical = [tuple(i for i, _ in found) for found in held]
    dense = [_by_vector(legs, query, vector, scope, filters) for scope in scopes]
    return vector, [LegResults(*found) for found in zip(lexical, dense, strict=True)]


def _by_vector(
    legs: Retrievers,
    query: Query,
    vector: NDArray[np.float32] | None,
    scope: SearchScope,
    filters: Filters | None,
) -> tuple[int, ...]:
    """The nearest passages; those in another language than the question's are searched for apart, since all
    texts of one language lie closer together, and take their places by similarity."""
    if vector is None or legs.dense is None or legs.embedder is None:
        return ()
    info, asked = legs.embedder.info, query.language
    scoped = bool(filters) or scope.documents is not None
    allowed = legs.store.chunk_ids(filters, scope.documents) if scoped else None
    if allowed is not None and not len(allowed):
        return ()
    found = legs.dense.search(vector, scope.size, allowed=allowed)
    near = {i: similarities(info, np.array(cosine), asked).item() for i, cosine in found}
    languages = legs.store.languages()
    size = scope.size // _ACROSS if asked in languages else scope.size
    for other in sorted(languages.intersection(reached(info, asked))):
        within = legs.store.chunk_ids(replace(filters or Filters(), languages=(other,)), scope.documents)
        if allowed is not None:
            within = np.intersect1d(within, allowed)
        across = legs.dense.search(vector, size, allowed=within)
        theirs = frozenset(within.tolist())
        near = {i: similarity for i, similarity in near.items() if i not in theirs}
        near |= {i: similarities(info, np.array(cosine), asked, other).item() for i, cosine in across}
    return tuple(sorted(near, key=lambda i: -near[i]))


def make_pool(
    legs: Retrievers,
    query: Query,
    found: LegResults,
    vector: NDArray[np.float32] | None,
    more: Sequence[int] = (),
) -> Pool:
    """The passages of both legs and those given as `more`, by id, without those that were struck or deleted
    where the question does not ask for such."""
    rows = legs.store.candidates([*found.lexical, *found.dense, *more])
    fields = legs.store.token_fields([row.id for row in rows])
    # The others were deleted between the two reads.
    rows = [row for row in rows if row.id in fields and admitted(row.roles, query.withdrawn)]
    kept = [row.id for row in rows]
    dense, across = np.full(len(kept), math.nan), np.zeros(len(kept), dtype=bool)
    if vector is not None and legs.dense is not None and legs.embedder is not None:
        cosines = legs.dense.cosines(vector, kept)
        info, asked = legs.embedder.info, query.language
        for n, row in enumerate(rows):
            cosine = np.array(cosines.get(row.id, math.nan))
            dense[n] = similarities(info, cosine, asked, row.language).item()
        across = np.isin([row.language for row in rows], reached(info, asked))
    lexical_rank, dense_rank = _ranks(found.lexical), _ranks(found.dense)
    return Pool(
        rows=tuple(rows),
        fields=tuple(fields[i] for i in kept),
        dense=dense,
        across=across & ~np.isnan(dense),
        lexical_rank=np.array([lexical_rank.get(i, 0) for i in kept], dtype=np.int64),
        dense_rank=np.array([dense_rank.get(i, 0) for i in kept], dtype=np.int64),
    )


def _ranks(ids: Sequence[int]) -> dict[int, int]:
    return {i: rank for rank, i in enumerate(ids, 1)}


_MOST_NAMED = 4
_ADDED = 60
_LONGEST_PHRASE = 12

Page = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Lines:
    """Where the line items of a question stand in the documents that it means: for each line item the
    passages, and the (document, page)s, that print one of its wordings. `best` are passages worth a look, the
    most promising first."""

    passages: tuple[frozenset[int], ...] = ()
    pages: tuple[frozenset[Page], ...] = ()
    best: tuple[int, ...] = ()


def named_documents(constraints: Constraints, allowed: frozenset[int] | None = None) -> tuple[int, ...]:
    """The documents that a question names, the best agreeing first, at most four; () where it names none. A
    year alone, that more than four reports bear, names none of them."""
    # With a name given, only its documents can be intended; agreements of all others cost time.
    some = constraints.named or (constraints.documents if constraints else ())
    agreeing = ((constraints.agreement(d).total, -d) for d in some if allowed is None or d in allowed)
    found = sorted((row for row in agreeing if row[0] > 0), reverse=True)
    if not constraints.named and len(found) > _MOST_NAMED and found[_MOST_NAMED][0] == found[0][0]:
        return ()
    return tuple(-d for total, d in found[:_MOST_NAMED] if total >= found[0][0] / 2)


def find_line_items(store: Store, sought: Sequence[Sought], documents: Sequence[int]) -> Lines:
    """Looks the line items of the needs up in these documents, as phrases of search tokens."""
    items = list(dict.fromkeys(line for need in sought for line in need.lines))
    phrases = {w: " ".join(search_tokens(w)[:_LONGEST_PHRASE]) for line in items for w in line}
    held = store.phrase_hits(list(dict.fromkeys(phrases.values())), documents) if items and documents else {}
    passages = [frozenset(i for wording in line for i in held.get(phrases[wording], ())) for line in items]
    rows = {row.id: row for row in store.candidates(sorted(frozenset().union(*passages)))}
    roles = store.roles(documents) if sought and documents else {}
    pages = [frozenset(page for i in found if i in rows for page in pages_of(rows[i])) for found in passages]
    weight = {stands: _role(stands, sought) for stands in {(), *roles.values()}}  # few, for many passages
    candidates = rows.keys() | {i for i, stands in roles.items() if weight[stands]}
    best = sorted(candidates, key=lambda i: (-weight[roles.get(i, ())] - _share(i, passages), i))
    return Lines(tuple(passages), tuple(pages), tuple(best[:_ADDED]))


def _share(member: object, sets: Sequence[frozenset[object]] | Sequence[frozenset[int]]) -> float:
    return sum(member in found for found in sets) / len(sets) if sets else 0.0


def _role(stands: tuple[str, ...], sought: Sequence[Sought]) -> float:
    """1 where one of the passage's statements is the first that a need names, 1/2 for its second ..."""
    ranks = [need.roles.index(s) for need in sought for s in stands if s in need.roles]
    return 1.0 / (1 + min(ranks)) if ranks else 0.0


def pages_of(row: Candidate) -> list[Page]:
    """The pages that a passage touches; for a document without pages none."""
    if row.page is None:
        return []
    return [(row.document_id, page) for page in range(row.page, (row.last_page or row.page) + 1)]


def agreements(
    legs: Retrievers, rows: Sequence[Candidate], query: Query, lines: Lines, in_force: str = ""
) -> NDArray[np.float64]:
    """(n, len(AGREEMENTS)): what the question names, what the fields say of the documents, and what had been
    superseded by the ISO day `in_force` ("": today)."""
    store, constraints = legs.store, query.constraints
    articles = store.chunks([row.id for row in rows]) if constraints.articles else ()
    cited = {
        i: articles_agree(constraints.articles, chunk.heading_path, chunk.text) for i, _, chunk in articles
    }
    catalogue, ended = store.catalogue(), store.ended(in_force or date.today().isoformat())
    documents: dict[int, dict[str, float]] = {}
    for document in {row.document_id for row in rows}:
        agreement = constraints.agreement(document)
        values = dict(zip(agreement.columns, agreement.values, strict=True))
        for one in legs.fields:
            values |= one.ranks(document, catalogue)
        documents[document] = values | {"superseded": float(document in ended)}
    table = []
    for row in rows:
        values = documents[row.document_id] | {
            "article_named": cited.get(row.id, 0.0),
            "lines": _share(row.id, lines.passages),
            "page_lines": max((_share(page, lines.pages) for page in pages_of(row)), default=0.0),
            "role": _role(row.roles, query.sought),
        }
        table.append([values.get(column, 0.0) for column in AGREEMENTS])
    return np.array(table, dtype=np.float64).reshape(len(rows), len(AGREEMENTS))


def identified(query: Query, store: Store, documents: Iterable[int]) -> tuple[int, frozenset[str]] | None:
    """The one of the documents that surely is what the names of a question name, and these as tokens; None
    where none is, or several are, or nothing is left to be asked about it."""
    names = frozenset(search_tokens(" ".join(query.names)))
    weights = idf_weights(store, sorted(names))
    held: dict[int, frozenset[str]] = {}
    for document in dict.fromkeys(documents) if names else ():
        info = store.document(document)
        named = (info.title, path_words(info.path), store.text(document, 0, _OPENING))
        held[document] = names.intersection(search_tokens("\n".join(named)))
    shares = {document: sum(weights[t] for t in own) for document, own in held.items()}
    most = max(shares.values(), default=0.0)
    best = [document for document, share in shares.items() if share == most]
    if len(best) != 1 or most < _SURELY * sum(weights.values()) or held[best[0]].issuperset(query.content):
        return None
    return best[0], held[best[0]]


def without(query: Query, names: frozenset[str]) -> Query:
    """The question without names, as tokens, that its text has in capitals."""

    def left(word: re.Match[str]) -> str:
        tokens = search_tokens(word[0])
        named = tokens and names.issuperset(tokens) and not word[0].islower()
        return "" if named else word[0]

    return replace(
        query,
        tokens=tuple(t for t in query.tokens if t not in names),
        content=tuple(t for t in query.content if t not in names),
        text=" ".join(_WORD.sub(left, query.text).split()),
    )
