"""Documents, their structure and their passages, and what an ingest reports.

Offsets are law: `start` and `end` count Unicode code points in `Document.text`, end exclusive, and a quote is
always `document.text[start:end]`, never a cleaned copy."""

from __future__ import annotations

import re
import time
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import PurePosixPath

from rag.types.tables import Cell, Table

# What is known of a document, such as author, date, company; a tuple where a key may have several values.
Metadata = Mapping[str, str | tuple[str, ...]]


def several(metadata: Metadata, *keys: str) -> tuple[str, ...]:
    """All values of these keys."""
    found = (metadata.get(key, "") for key in keys)
    return tuple(v for value in found for v in ((value,) if isinstance(value, str) else value) if v)


def single(metadata: Metadata, key: str) -> str:
    """The value of a key, the first one of several; "" without any."""
    return next(iter(several(metadata, key)), "")


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
    block: those above it, itself excluded). `location` is a human-readable place where there are no pages,
    such as a sheet and cell range ("Sheet1!A4:F4"). A table row has its `table` and is number `row` of it."""

    kind: BlockKind
    start: int
    end: int
    heading_path: tuple[str, ...] = ()
    level: int = 0
    location: str = ""
    table: Table | None = None
    row: int = 0

    @property
    def heads(self) -> tuple[str, ...]:
        """The column heads of a table row (`Table.columns`)."""
        return self.table.columns if self.table is not None else ()

    @property
    def cells(self) -> tuple[Cell, ...]:
        """The cells of a table row."""
        return self.table.cells(self.row) if self.table is not None else ()

    def placed_cells(self, start: int, end: int) -> tuple[Cell, ...]:
        """The cells within `[start, end)`, each in the column of its head; () where columns are not known."""
        placed = self.table is not None and self.table.placed
        return tuple(c for c in self.cells if start <= c.start and c.end <= end) if placed else ()


class MarkKind(StrEnum):
    """How characters stand on the page that their code points do not say. `NUMBERED` ones were counted by
    the program that shows the file, not typed."""

    RAISED = "raised"
    LOWERED = "lowered"
    STRUCK = "struck"
    HIDDEN = "hidden"
    DELETED = "deleted"
    INSERTED = "inserted"
    NUMBERED = "numbered"


# So much white space stands between what follows each other.
_APART = 4
# What does not stand: it is kept, and never quoted as what the document says.
WITHDRAWN = (MarkKind.STRUCK, MarkKind.DELETED, MarkKind.HIDDEN)


def path_words(path: str) -> str:
    """A document's path as words, without its suffix: folders and file names often hold the client, the
    company, the year."""
    return re.sub(r"[\W_]+", " ", str(PurePosixPath(path).with_suffix("")))


def withdrawn(roles: Collection[str]) -> MarkKind | None:
    """How the words of a passage with these `Chunk.roles` are withdrawn; None for words that stand."""
    return next((kind for kind in WITHDRAWN if kind in roles), None) if roles else None


def admitted(roles: Collection[str], asked: Collection[MarkKind] = ()) -> bool:
    """Whether a passage with these roles may be evidence: not what was struck or deleted, unless that is
    `asked` for."""
    kind = withdrawn(roles)
    return kind in (None, MarkKind.HIDDEN) or kind in asked


@dataclass(frozen=True, slots=True)
class Mark:
    """A range of a document's text that stands otherwise than the rest. The mark of a note is no part of the
    text: it has no length and stands behind what it is about; `leads_to` is where that note begins."""

    kind: MarkKind
    start: int
    end: int
    leads_to: int | None = None


class LossKind(StrEnum):
    """What could not be read of a file that was read."""

    PAGE_WITHOUT_TEXT = "page_without_text"
    UNREADABLE_TEXT = "unreadable_text"
    READ_BY_OCR = "read_by_ocr"  # since its text was unreadable
    FORM_WITHOUT_VALUES = "form_without_values"
    FORMULA_WITHOUT_VALUE = "formula_without_value"
    PICTURE_WITH_TEXT = "picture_with_text"
    UNSUPPORTED_PART = "unsupported_part"


# What reading the pages by OCR mends.
SEEN_ONLY = (LossKind.PAGE_WITHOUT_TEXT, LossKind.UNREADABLE_TEXT)


@dataclass(frozen=True, slots=True)
class Loss:
    """Something of a file that could not be read. `place` says where in words a reader finds again
    ("Sheet1!B4", "footnotes"), "" for the page alone or the whole file; `page` is 1-based, None without
    pages."""

    kind: LossKind
    place: str = ""
    page: int | None = None


class RelationKind(StrEnum):
    """What one document does to another."""

    AMENDS = "amends"
    REPEALS = "repeals"
    SUPERSEDES = "supersedes"


@dataclass(frozen=True, slots=True)
class Relation:
    """What the document `source` does to another. `name` is the other as the text names it, "" where the
    two were found to be editions of one text. `effective` is the ISO date from which, "" where not known.
    `source` and `target` are ids in the index; None before it has settled them, and for a target that it
    does not hold."""

    kind: RelationKind
    name: str = ""
    effective: str = ""
    source: int | None = None
    target: int | None = None


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
    "xlsx"). `pages` is empty for formats without pages. `marks` are in order of their start and may overlap;
    `losses` is what could not be read. `relations` are those that the text states. `metadata` holds strings
    such as author, date."""

    path: str
    source: str
    title: str
    text: str
    kind: str
    language: str
    sha256: str
    pages: tuple[Page, ...] = ()
    blocks: tuple[Block, ...] = ()
    marks: tuple[Mark, ...] = ()
    losses: tuple[Loss, ...] = ()
    relations: tuple[Relation, ...] = ()
    metadata: Metadata = field(default_factory=dict)

    @property
    def tables(self) -> tuple[Table, ...]:
        """The tables, in order."""
        return tuple({id(b.table): b.table for b in self.blocks if b.table is not None}.values())

    def page_of(self, offset: int) -> int | None:
        """The 1-based page on which the code point at `offset` stands; None for formats without pages."""
        index = bisect_right(self.pages, offset, key=lambda page: page.start) - 1
        return self.pages[index].number if index >= 0 else None


@dataclass(frozen=True, slots=True)
class LeadIn:
    """Words that lead into a list: `text`, at `[start, end)` of a document ("We do not pay for:"). They
    belong to all that stands in `[end, until)`: its `items` (where each begins) and what is below those."""

    start: int
    end: int
    until: int
    text: str
    items: tuple[int, ...] = ()


def led(leads: Iterable[LeadIn], start: int) -> tuple[LeadIn, ...]:
    """Those of the leads, outermost first, that belong to what begins there."""
    return tuple(lead for lead in leads if lead.end <= start < lead.until)


def quoted(leads: Sequence[LeadIn], start: int, text: str) -> str:
    """How words that begin there are quoted: with the leads in front, "…" where something is left out."""
    said = ""
    for lead, at in zip(leads, [*(one.start for one in leads[1:]), start], strict=False):
        said += f"{lead.text} {'… ' * (at - lead.end > _APART)}"
    return said + text


@dataclass(frozen=True, slots=True)
class Chunk:
    """A passage: `document.text[start:end] == text`. `context` (title, headings, column heads, what leads
    into a list) is embedded and indexed in front of the text and never quoted. `page` and `last_page` are
    1-based, None without pages. `roles` are the parts of the document that the passage stands in ("income",
    "balance"), or how all of its words are `withdrawn` ("struck"). `leads`: see `LeadIn`; those that anything
    of it belongs to."""

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
    roles: tuple[str, ...] = ()
    leads: tuple[LeadIn, ...] = ()

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
    chunks: int
    metadata: Metadata = field(default_factory=dict)
    losses: tuple[Loss, ...] = ()


@dataclass(frozen=True, slots=True)
class FileResult:
    """One line of an ingest report. `change` is "added", "updated", "moved", "skipped", "removed", "failed";
    `losses` is what could not be read of a file that was read."""

    path: str
    status: FileStatus
    change: str
    detail: str = ""
    pages: int = 0
    chunks: int = 0
    losses: tuple[Loss, ...] = ()


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What an ingest did: every file once, and seconds for the whole and until the index could be asked.
    `copies` are paths of documents that have the text of another, `superseded` of those in whose place
    another stands, each with that other's path, where one of the two was read now."""

    files: tuple[FileResult, ...]
    seconds: float
    seconds_to_answerable: float
    passages: int
    vectors: int
    copies: Mapping[str, str] = field(default_factory=dict)
    superseded: Mapping[str, str] = field(default_factory=dict)

    def count(self, change: str) -> int:
        return sum(f.change == change for f in self.files)

    @property
    def failed(self) -> tuple[FileResult, ...]:
        """Files that gave no text, in the order seen."""
        return tuple(f for f in self.files if f.change == "failed")

    @property
    def incomplete(self) -> tuple[FileResult, ...]:
        """Files that were read, but not as a whole, in the order seen."""
        return tuple(f for f in self.files if f.losses and f.change not in ("failed", "removed"))


@dataclass(frozen=True, slots=True)
class Progress:
    """Passed to progress callbacks. `stage`: "scan", "texts", "vectors" or "fetch"; `done` and `total` count
    files in "texts", passages in "vectors", bytes in "fetch"; `rate` is units per second, `remaining` seconds
    (None: unknown)."""

    stage: str
    done: int
    total: int
    rate: float = 0.0
    remaining: float | None = None
    current: str = ""


class Pace:
    """Calls back with the rate and the time left of the stage at hand; without a callback does nothing."""

    def __init__(self, callback: Callable[[Progress], None] | None) -> None:
        self._callback = callback
        self._stage, self._began, self._first = "", 0.0, 0

    def __call__(self, stage: str, done: int, total: int, current: str = "") -> None:
        if self._callback is None:
            return
        now = time.monotonic()
        if stage != self._stage:
            self._stage, self._began, self._first = stage, now, done
        spent, achieved = now - self._began, done - self._first
        rate = achieved / spent if achieved and spent > 0 else 0.0
        self._callback(Progress(stage, done, total, rate, (total - done) / rate if rate else None, current))
