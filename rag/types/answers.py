"""Evidence, claims, calculations and the answer made of them; the events of an answer on its way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from rag.types.documents import DocumentInfo, LeadIn, Loss, MarkKind, quoted
from rag.types.search import Gap, Hit, Note
from rag.types.tables import Cell, heads_text


@dataclass(frozen=True, slots=True)
class ChangedBy:
    """Where words are changed: by the instruction that begins at `start` of a document, from an ISO `day`
    ("": not known); `made`: on the day that was asked about it was."""

    document_id: int
    start: int
    day: str
    made: bool


@dataclass(frozen=True, slots=True)
class Evidence:
    """A sentence (or table row) that bears on the question. `number` is the citation id, from 1. `text` is
    verbatim: `document.text[start:end]`. `score` is the probability, 0..1, that it holds the answer. Of a
    table row `heads` are the column heads, and `cells` those of its cells that stand in the column of their
    head; the first has `heads[0]` over it. Of what stands in a list `leads` are the words that lead into it,
    without which it says nothing. `withdrawn` says how words of it do not stand (struck, deleted, hidden);
    `notes` are the words of the notes that its marks lead to. Where a later text changes it, `changes` says
    where, and `in_force` are the words as they read on the day asked about ("": as `text`, or not known).
    `explains` are the ids of documents that say what is asked by a term which it defines."""

    number: int
    document: DocumentInfo
    chunk_id: int
    start: int
    end: int
    text: str
    score: float
    page: int | None = None
    heading_path: tuple[str, ...] = ()
    heads: tuple[str, ...] = ()
    location: str = ""
    cells: tuple[Cell, ...] = ()
    withdrawn: MarkKind | None = None
    notes: tuple[str, ...] = ()
    leads: tuple[LeadIn, ...] = ()
    changes: tuple[ChangedBy, ...] = ()
    in_force: str = ""
    explains: frozenset[int] = frozenset()

    @property
    def header(self) -> str:
        """What stands over it, on one line: column heads, or what leads into its list."""
        return _header(self)

    @property
    def words(self) -> str:
        """The words as they are quoted, with what leads into the list in front."""
        return quoted(self.leads, self.start, self.text)

    @property
    def row(self) -> tuple[tuple[str, str], ...]:
        """Head and words of each cell of a table row, "" for one without; () for other words, and for a row
        whose columns are not known."""
        return _row(self, self.text)


class ClaimState(StrEnum):
    """Whether a sentence of an answer is held up by the words it cites."""

    SUPPORTED = "supported"
    PARTIAL = "partial"
    UNSUPPORTED = "unsupported"


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a claim's words stand: exact span and verbatim quote. `number` is what the reader sees as [1];
    `heads`, `cells`, `withdrawn`, `notes` and `leads` as in `Evidence`."""

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
    heads: tuple[str, ...] = ()
    withdrawn: MarkKind | None = None
    notes: tuple[str, ...] = ()
    leads: tuple[LeadIn, ...] = ()
    cells: tuple[Cell, ...] = ()

    @property
    def header(self) -> str:
        """As in `Evidence`."""
        return _header(self)

    @property
    def words(self) -> str:
        """As in `Evidence`."""
        return quoted(self.leads, self.start, self.quote)

    @property
    def row(self) -> tuple[tuple[str, str], ...]:
        """As in `Evidence`."""
        return _row(self, self.quote)


def _header(one: Evidence | Citation) -> str:
    return heads_text(one.heads or [lead.text for lead in one.leads])


def _row(one: Evidence | Citation, text: str) -> tuple[tuple[str, str], ...]:
    words = (" ".join(text[c.start - one.start : c.end - one.start].split()) for c in one.cells)
    return tuple((one.heads[n] if n < len(one.heads) else "", cell) for n, cell in enumerate(words))


@dataclass(frozen=True, slots=True)
class Claim:
    """One sentence of an answer with its verdict. `reasons` say, in words, what was found or missing;
    `quoted` is True where the sentence is the evidence itself and not the model's wording."""

    text: str
    state: ClaimState
    citations: tuple[int, ...] = ()
    reasons: tuple[str, ...] = ()
    quoted: bool = False


class Outcome(StrEnum):
    """ANSWERED: the documents state it. NEARBY: they may; no sentence found states it, and the nearest ones
    are quoted. ABSENT: not in these documents."""

    ANSWERED = "answered"
    NEARBY = "nearby"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of a calculation. `value` is in units of `unit` ("USD", "CNY", "%", "days", "times", "" for
    none) with the table's scale applied; `printed` is how the document or the question writes it. `citation`
    is the number of the evidence it was read from, None where it comes from the question or is computed;
    `start` and `end` are then the cell's own characters in that document."""

    label: str
    value: Decimal
    unit: str = ""
    period: str = ""
    printed: str = ""
    citation: int | None = None
    start: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True)
class Calculation:
    """How a figure was come by. `formula` in words, `working` with the numbers put in ("(1,204 + 388) / 2,010
    = 0.79"); `notes` are the choices made ("average of the opening and the closing balance"). A figure that
    is only read has itself as its one input and an empty formula."""

    name: str
    formula: str
    inputs: tuple[Figure, ...]
    result: Figure
    working: str = ""
    notes: tuple[str, ...] = ()

    @property
    def derivation(self) -> list[str]:
        """Formula and working in words, as far as there are any."""
        formula = f"{self.name} = {self.formula}" if self.formula else ""
        return [text for text in (formula, self.working) if text]


@dataclass(frozen=True, slots=True)
class Part:
    """One of several questions asked in one: answered with these citations, or why it had no support."""

    question: str
    answered: bool
    citations: tuple[int, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a question about many passages read. `intent` is "count", "list", "compare" or "summarise";
    `matching` counts the passages that match, `read` those of them that were read; `documents` the documents
    they stand in."""

    intent: str
    matching: int
    read: int
    documents: int

    @property
    def complete(self) -> bool:
        """Whether nothing that matches was left out."""
        return self.read >= self.matching


@dataclass(frozen=True, slots=True)
class Certificate:
    """What was searched before a refusal (or an answer) was given: counts over the scope, files that could
    not be read (path, status), the confidence that the evidence holds the answer, and the least that an
    answer needs, both 0..1. `losses` is what could not be read of the documents named, else of all: (path,
    what)."""

    documents: int
    passages: int
    unreadable: tuple[tuple[str, str], ...]
    confidence: float
    least: float
    scope: str = ""
    dense: bool = False
    losses: tuple[tuple[str, tuple[Loss, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """The result of `Assistant.ask`: one line, the verdict, and the words that the line rests on.

    `line` is a sentence in the asker's `language`, without [n] marks; where the `verdict` is not ANSWERED it
    says what was not found. `confidence` (0..1) is the verdict's: how probably the evidence holds the answer.
    `text` is all that is displayed, the line, what follows it and the quotes, with [n] marks put in by code.
    `quotes` are what the line rests on, for NEARBY the nearest sentences; `citations` those of all evidence.
    `cautions` are what to mind before acting on it, a sentence each. `timings` are seconds by stage.

    `claims` are the sentences of the answer with their states: the model's own that passed verification, then
    its quotes. `model` names the language model where it wrote the line, "" where code made it; `draft` is
    what it wrote, and `dropped` are sentences of that which did not pass, with their reasons. `reason` says
    what of the question had no support. `working` are figures read from cells or computed from them, `query`
    the query over rows that found them ("" for none). `searched` is the question as it was searched with,
    where a follow-up was completed from the conversation ("" elsewhere). `understood` is what the question
    was taken to name, `relaxed` what of it gave way. `parts` are the single questions of one that asks
    several; `reading` what a counting, listing, comparing or summarising question went through. `choices` are
    questions that can be asked next, where the reply asks back or offers help."""

    question: str
    language: str
    line: str
    verdict: Outcome
    confidence: float
    text: str
    quotes: tuple[Citation, ...]
    citations: tuple[Citation, ...]
    evidence: tuple[Evidence, ...]
    nearest: tuple[Hit, ...]
    certificate: Certificate
    timings: Mapping[str, float]
    claims: tuple[Claim, ...] = ()
    cautions: tuple[str, ...] = ()
    working: tuple[Calculation, ...] = ()
    query: str = ""
    draft: str = ""
    model: str = ""
    reason: str = ""
    dropped: tuple[Claim, ...] = ()
    searched: str = ""
    understood: tuple[Note, ...] = ()
    relaxed: tuple[Gap, ...] = ()
    parts: tuple[Part, ...] = ()
    reading: Reading | None = None
    choices: tuple[str, ...] = ()

    @property
    def marks(self) -> tuple[int, ...]:
        """The citations to be displayed behind the line: those of its claim, none where the line speaks of
        several parts or of many passages, which are cited one by one."""
        return () if self.parts or self.reading or not self.claims else self.claims[0].citations

    @property
    def talk(self) -> bool:
        """Whether it answers what was said to the program itself, and rests on no document."""
        return self.verdict is Outcome.ANSWERED and not (self.claims or self.evidence)

    @property
    def further(self) -> tuple[Claim, ...]:
        """The sentences besides the line and the quotes, as they are displayed between them."""
        return tuple(
            c
            for c in self.claims
            if not c.quoted and not (c.text == self.line and c.state is ClaimState.SUPPORTED)
        )


@dataclass(frozen=True, slots=True)
class Turn:
    """One earlier exchange of a conversation."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class StageStarted:
    """Stream event: a stage began: "searching", "evidence", "reading" (the model reads the evidence) or
    "verifying"."""

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
class Queued:
    """Stream event: the model is busy; `ahead` requests are served first (1 or more)."""

    ahead: int


@dataclass(frozen=True, slots=True)
class Finished:
    """Stream event, always the last: the verified answer."""

    answer: Answer


Event = StageStarted | EvidenceFound | Queued | Finished
