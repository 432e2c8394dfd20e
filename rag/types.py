"""The values that travel between modules. All are frozen; none of them does I/O.

Offsets are law: `start` and `end` count Unicode code points in `Document.text`, end exclusive, and a quote is
always `document.text[start:end]`, never a cleaned copy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open range of code points in a document's text."""

    start: int
    end: int

    def __len__(self) -> int:
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a paged document: 1-based number and the range of the document's text that stands on it."""

    number: int
    start: int
    end: int


class BlockKind(StrEnum):
    """What a block of a document is; chunking never mixes a table row with its neighbours in prose."""

    HEADING = "heading"
    PARAGRAPH = "paragraph"
    LIST_ITEM = "list_item"
    TABLE_ROW = "table_row"
    CODE = "code"


@dataclass(frozen=True, slots=True)
class Block:
    """A structural piece of a document: blocks are in order and do not overlap; text between them is white
    space.

    `heading_path` are the headings above it, outermost first, without the document title (for a heading
    block: those above it, itself excluded). `header` is, for a table row, the column headers joined by " | "
    ("" elsewhere); `location` is a human-readable place where there are no pages, such as a sheet and cell
    range ("Sheet1!A4:F4")."""

    kind: BlockKind
    start: int
    end: int
    heading_path: tuple[str, ...] = ()
    level: int = 0
    header: str = ""
    location: str = ""


class FileStatus(StrEnum):
    """What became of one file at ingest."""

    OK = "ok"
    EMPTY = "empty"
    PASSWORD = "password"
    CORRUPT = "corrupt"
    TOO_LARGE = "too_large"
    TIMEOUT = "timeout"
    UNSUPPORTED = "unsupported"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed file.

    `path` is the name shown and cited: the path below the ingested folder, POSIX separators. `source` is the
    absolute path of the file. `kind` is the format ("pdf", "docx", "html", "markdown", "text", "csv",
    "xlsx"). `pages` is empty for formats without pages. `empty_pages` are the numbers of pages that gave no
    text. `metadata` holds strings such as author, date."""

    path: str
    source: str
    title: str
    text: str
    kind: str
    language: str
    sha256: str
    pages: tuple[Page, ...] = ()
    blocks: tuple[Block, ...] = ()
    empty_pages: tuple[int, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)

    def page_of(self, offset: int) -> int | None:
        """The 1-based page on which the code point at `offset` stands; None for formats without pages."""
        number = None
        for page in self.pages:
            if page.start > offset:
                break
            number = page.number
        return number


@dataclass(frozen=True, slots=True)
class Chunk:
    """A passage: `document.text[start:end] == text`. `context` (title, heading path, table header) is
    embedded and indexed in front of the text and never quoted. `page`
    and `last_page` are 1-based, None without pages. `role` is a "|"-joined list of the financial statements
    that the passage stands in ("income|balance"), "" for none."""

    ordinal: int
    start: int
    end: int
    text: str
    context: str
    kind: str
    heading_path: tuple[str, ...] = ()
    page: int | None = None
    last_page: int | None = None
    location: str = ""
    tokens: int = 0
    role: str = ""

    @property
    def indexed_text(self) -> str:
        """What the embedder and the lexical index see."""
        return f"{self.context}\n{self.text}" if self.context else self.text


@dataclass(frozen=True, slots=True)
class DocumentInfo:
    """A document as the index lists it, without its text. `id` is the store's row."""

    id: int
    path: str
    source: str
    title: str
    kind: str
    language: str
    status: FileStatus
    detail: str
    sha256: str
    size: int
    pages: int
    empty_pages: int
    chunks: int
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Leg:
    """How one retrieval leg ("dense", "lexical") saw a passage: 1-based rank in its own list (None: not in
    it) and score in 0..1 (cosine clipped at zero; share of the question's attainable BM25 weight)."""

    name: str
    rank: int | None
    score: float


@dataclass(frozen=True, slots=True)
class Reason:
    """What one feature of a passage adds to the log-odds of its score: its name in `rag.features`, its value,
    and what the ranker makes of it."""

    name: str
    value: float
    adds: float


@dataclass(frozen=True, slots=True)
class Hit:
    """A retrieved passage. `score` is on the 0 to 1 scale documented in `rag.retrieve`; `similar` are chunk
    ids of near-duplicates folded into this hit; `reasons` are the features that weigh most, the heaviest
    first."""

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
    values or glob patterns over them; `metadata` pairs must all be equal.

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
    concepts. `parts`: several questions in one are searched one by one. `ranker`: the learned order; without
    it, the fused score. `spread`: one passage of a page before a second one of the same page."""

    dense: bool = True
    lexicon: bool = True
    constraints: bool = True
    concepts: bool = True
    parts: bool = True
    ranker: bool = True
    spread: bool = True


@dataclass(frozen=True, slots=True)
class Note:
    """One thing that was understood of a question. `what` is "company", "statute", "subject", "form",
    "period", "year", "also" (further years), "passage" (articles, sections, notes), "concept" and "statement"
    (of financial reports), "words" (professional ones for lay ones), "part" (of several questions in one) or
    "unknown" (names that no document bears); `values` are names as printed in documents, or labels."""

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
class Evidence:
    """A sentence (or table row) that bears on the question. `number` is the citation id, from 1. `text` is
    verbatim: `document.text[start:end]`. `header` carries the column headers of a table row."""

    number: int
    document: DocumentInfo
    chunk_id: int
    start: int
    end: int
    text: str
    score: float
    page: int | None = None
    heading_path: tuple[str, ...] = ()
    header: str = ""
    location: str = ""


class ClaimState(StrEnum):
    """Whether a sentence of an answer is held up by the words it cites."""

    SUPPORTED = "supported"
    PARTIAL = "partial"
    UNSUPPORTED = "unsupported"


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a claim's words stand: exact span and verbatim quote. `number` is what the reader sees as [1];
    `header` are the column heads of a quoted table row."""

    number: int
    document: str
    title: str
    source: str
    page: int | None
    start: int
    end: int
    quote: str
    heading_path: tuple[str, ...] = ()
    location: str = ""
    chunk_id: int = 0
    document_id: int = 0
    header: str = ""


@dataclass(frozen=True, slots=True)
class Claim:
    """One sentence of an answer with its verdict. `reasons` say, in words, what was found or missing;
    `quoted` is True where the sentence is the evidence itself and not the model's wording."""

    text: str
    state: ClaimState
    citations: tuple[int, ...] = ()
    reasons: tuple[str, ...] = ()
    quoted: bool = False


class AnswerKind(StrEnum):
    """WRITTEN: the model's sentences, each verified. QUOTED: the evidence in its own words. REFUSED: not in
    the documents."""

    WRITTEN = "written"
    QUOTED = "quoted"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Certificate:
    """What was searched before a refusal (or an answer) was given: counts over the scope, files that could
    not be read (path, status), best score seen and the threshold it was held against, both 0..1."""

    documents: int
    passages: int
    unreadable: tuple[tuple[str, str], ...]
    best_score: float
    threshold: float
    scope: str = ""
    dense: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """The result of `Assistant.ask`. `text` carries [n] marks put in by code; `timings` are seconds by stage.

    `claims` are the sentences of the answer: the model's own that passed verification, then the quotes they
    and the answer rest on. `dropped` are sentences of the draft that did not pass, with their reasons.
    `searched` is the question as it was searched with, where a follow-up was completed from the conversation
    ("" elsewhere). `understood` is what the question was taken to name, `relaxed` what of it gave way."""

    question: str
    kind: AnswerKind
    text: str
    language: str
    claims: tuple[Claim, ...]
    citations: tuple[Citation, ...]
    evidence: tuple[Evidence, ...]
    nearest: tuple[Hit, ...]
    certificate: Certificate
    timings: Mapping[str, float]
    draft: str = ""
    model: str = ""
    reason: str = ""
    dropped: tuple[Claim, ...] = ()
    searched: str = ""
    understood: tuple[Note, ...] = ()
    relaxed: tuple[Gap, ...] = ()

    @property
    def refused(self) -> bool:
        return self.kind is AnswerKind.REFUSED

    @property
    def cited(self) -> tuple[Citation, ...]:
        """The citations that sentences of the answer rest on; `citations` are those of all the evidence."""
        numbers = {n for claim in self.claims for n in claim.citations}
        return tuple(c for c in self.citations if c.number in numbers)


@dataclass(frozen=True, slots=True)
class Turn:
    """One earlier exchange of a conversation."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class StageStarted:
    """Stream event: a stage began: "searching", "evidence", "writing" or "verifying"."""

    stage: str


@dataclass(frozen=True, slots=True)
class EvidenceFound:
    """Stream event: the sentences that bear on the question, before any generation, with what was understood
    of it and what gave way."""

    evidence: tuple[Evidence, ...]
    hits: tuple[Hit, ...]
    understood: tuple[Note, ...] = ()
    relaxed: tuple[Gap, ...] = ()


@dataclass(frozen=True, slots=True)
class Token:
    """Stream event: a piece of the unverified draft."""

    text: str


@dataclass(frozen=True, slots=True)
class Finished:
    """Stream event, always the last: the verified answer."""

    answer: Answer


Event = StageStarted | EvidenceFound | Token | Finished


@dataclass(frozen=True, slots=True)
class FileResult:
    """One line of an ingest report. `change` is "added", "updated", "skipped", "removed" or "failed"."""

    path: str
    status: FileStatus
    change: str
    detail: str = ""
    pages: int = 0
    empty_pages: int = 0
    chunks: int = 0


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What an ingest did: every file once, and seconds for the whole and until the index could be asked."""

    files: tuple[FileResult, ...]
    seconds: float
    seconds_to_answerable: float
    passages: int
    vectors: int

    def count(self, change: str) -> int:
        return sum(f.change == change for f in self.files)

    @property
    def failed(self) -> tuple[FileResult, ...]:
        """Files that gave no text, in the order seen."""
        return tuple(f for f in self.files if f.change == "failed")


@dataclass(frozen=True, slots=True)
class Progress:
    """Passed to progress callbacks. `stage`: "scan", "texts" or "vectors"; `done` and `total` count files in
    "texts", passages in "vectors"; `rate` is units per second, `remaining` seconds (None: unknown)."""

    stage: str
    done: int
    total: int
    rate: float = 0.0
    remaining: float | None = None
    current: str = ""
