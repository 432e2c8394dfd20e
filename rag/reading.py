"""One file -> everything the store keeps of it. Runs in worker processes; a pure function of the file and the
settings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from rag.anchors import Links, links
from rag.checksum import sha256_file
from rag.chunk import chunk
from rag.parsers import Limits, parse
from rag.profile import with_profile
from rag.statements import kinds_between, roles
from rag.text import search_tokens
from rag.types import Chunk, Document
from rag.validity import validity
from rag.writer import NO_LINKS, Tokens

# Tokens of a passage, context included (MiniLM sees 256 with the special ones and drops the rest without a
# word).
PASSAGE_TOKENS = 220

Counter = Callable[[Sequence[str]], list[int]]


@dataclass(frozen=True, slots=True)
class Job:
    """A file to read. With `known_sha256` the content is compared first and not parsed when it is the
    same."""

    source: str
    path: str
    limits: Limits
    ocr: bool = False
    known_sha256: str = ""
    max_tokens: int = PASSAGE_TOKENS


@dataclass(frozen=True, slots=True)
class Read:
    """A file as read. `document` is None when its content is the known one."""

    document: Document | None
    chunks: tuple[Chunk, ...] = ()
    tokens: tuple[Tokens, ...] = ()
    links: Links = NO_LINKS


_counter: Counter | None = None


def set_counter(counter: Counter) -> None:
    """Called once in each worker process."""
    global _counter
    _counter = counter


def read_file(job: Job) -> Read:
    """Raises ParseError. `set_counter` must have been called in this process."""
    if job.known_sha256 and _sha256(job.source) == job.known_sha256:
        return Read(None)
    document = parse(Path(job.source), path=job.path, limits=job.limits, ocr=job.ocr)
    if _counter is None:
        raise RuntimeError("set_counter was not called in this process")
    return passages(document, _counter, job.max_tokens)


def passages(document: Document, counter: Counter, max_tokens: int = PASSAGE_TOKENS) -> Read:
    """The passages of a document with their search tokens and references; to its metadata is added what it
    says of its subject matter and its validity, and each passage gets the statements it stands in."""
    document = replace(document, metadata={**with_profile(document), **validity(document)})
    standing = roles(document)
    chunks = tuple(
        replace(c, role="|".join(kinds_between(standing, c.start, c.end)))
        for c in chunk(document, count_tokens=counter, max_tokens=max_tokens)
    )
    title = " ".join(search_tokens(f"{document.title}\n{_name(document.path)}"))
    return Read(
        document,
        chunks,
        tuple((title, _heading(document, c), _joined(c.text)) for c in chunks),
        links(document, chunks),
    )


def _name(path: str) -> str:
    """The file name as words: it often holds the company, the year, the article."""
    return PurePosixPath(path).stem.replace("_", " ").replace("-", " ")


def _heading(document: Document, passage: Chunk) -> str:
    return _joined(passage.context.removeprefix(document.title))


def _joined(text: str) -> str:
    return " ".join(search_tokens(text))


def _sha256(source: str) -> str:
    try:
        return sha256_file(Path(source))
    except OSError:
        return ""  # `parse` says what is wrong with the file
