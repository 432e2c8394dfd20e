"""What a search is narrowed by, how it goes and what it finds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rag.types.documents import Chunk, DocumentInfo


@dataclass(frozen=True, slots=True)
class Leg:
    """How one retrieval leg ("dense", "lexical") saw a passage: 1-based rank in its own list (None: not in
    it) and `value` in 0..1 (cosine clipped at zero; share of the question's attainable BM25 weight)."""

    name: str
    rank: int | None
    value: float


@dataclass(frozen=True, slots=True)
class Reason:
    """What one feature of a passage adds to the log-odds of its score: its name in `rag.search.ranker`, its
    value, and what the ranker makes of it."""

    name: str
    value: float
    adds: float


@dataclass(frozen=True, slots=True)
class Hit:
    """A retrieved passage. `score` is the probability, 0..1, that it holds evidence (`rag.search.retrieve`);
    `similar` are chunk ids of near-duplicates folded into this hit; `reasons` are the features that weigh
    most, the heaviest first."""

    chunk_id: int
    document: DocumentInfo
    chunk: Chunk
    score: float
    legs: tuple[Leg, ...] = ()
    similar: tuple[int, ...] = ()
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Filters:
    """Which documents a question may be answered from; empty means all. `documents` are `Document.path`
    values or glob patterns over them; of each `metadata` pair a value must be equal.

    `years` are fiscal or calendar years ("2023"); `companies` are a company's name or any of its other names
    (short, former, ticker), in any case. `in_force` is a day ("2024-05-01"): what took effect later, or was
    repealed or superseded by then, is left out; a document that says nothing of it passes."""

    documents: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)
    years: tuple[str, ...] = ()
    companies: tuple[str, ...] = ()
    in_force: str = ""

    def __bool__(self) -> bool:
        listed = self.documents or self.kinds or self.languages or self.years or self.companies
        return bool(listed or self.metadata or self.in_force)


@dataclass(frozen=True, slots=True)
class Stages:
    """Which stages of retrieval take part; all of them unless an ablation says otherwise.

    `dense`: vectors. `lexicon`: professional words for lay ones. `constraints`: companies, years, forms,
    statutes and articles that the question names. `concepts`: statements and line items of financial
    concepts. `ranker`: the learned order; without it, the fused score. `spread`: one passage of a page before
    a second one of the same page."""

    dense: bool = True
    lexicon: bool = True
    constraints: bool = True
    concepts: bool = True
    ranker: bool = True
    spread: bool = True


@dataclass(frozen=True, slots=True)
class Note:
    """One thing that was understood of a question. `what` is "company", "statute", "subject", "form",
    "period", "year", "also" (further years), "passage" (articles, sections, notes), "concept" and "statement"
    (of financial reports), "words" (professional ones for lay ones) or "unknown" (names that no document
    bears); `values` are names as printed in documents, or labels."""

    what: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Gap:
    """A demand of a question that gave way. `wanted` is all that one passage would have to be; `missed` are
    the kinds of note (`Note.what`) in which the first passage is something else; `nearest` says what that
    one is, "" where nothing was found; `rank` is the place of the first passage that is all of it, None where
    none is."""

    wanted: tuple[Note, ...]
    missed: tuple[str, ...]
    nearest: str = ""
    rank: int | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A passage without its text. `passages` counts those of its document, `language` is the document's;
    pages are 1-based, None without pages."""

    id: int
    document_id: int
    ordinal: int
    passages: int
    kind: str
    page: int | None = None
    last_page: int | None = None
    roles: tuple[str, ...] = ()
    language: str = ""


@dataclass(frozen=True, slots=True)
class Lengths:
    """Mean number of tokens of a passage's title, and of its title, heading and text together, over the
    index: BM25's yardstick."""

    title: float
    whole: float
