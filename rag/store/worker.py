"""One file -> everything the store keeps of it. Runs in worker processes; a pure function of the file and the
settings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path, PurePosixPath

from rag.documents.chunk import chunk
from rag.documents.description import Describes, with_profile
from rag.documents.links import Links, links
from rag.languages.text import search_tokens
from rag.models.registry import sha256_file
from rag.parsers import Limits, parse
from rag.store.writer import NO_LINKS, Tokens
from rag.types import Chunk, Document

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


_tools: tuple[Counter, Sequence[Describes]] | None = None


def prepare_worker(counter: Counter, fields: Sequence[Describes]) -> None:
    """Called once in each worker process, with what counts tokens and what describes documents."""
    global _tools
    _tools = counter, fields


def read_file(job: Job) -> Read:
    """Raises ParseError. `prepare_worker` must have been called in this process."""
    if job.known_sha256 and _sha256(job.source) == job.known_sha256:
        return Read(None)
    document = parse(Path(job.source), path=job.path, limits=job.limits, ocr=job.ocr)
    if _tools is None:
        raise RuntimeError("prepare_worker was not called in this process")
    return passages(document, *_tools, job.max_tokens)


def passages(
    document: Document, counter: Counter, fields: Sequence[Describes], max_tokens: int = PASSAGE_TOKENS
) -> Read:
    """The passages of a document with their search tokens and references; to its metadata is added what the
    fields know of it, and each passage gets the parts of the document that it stands in."""
    document = replace(document, metadata=with_profile(document, fields))
    chunks = chunk(document, count_tokens=counter, max_tokens=max_tokens)
    kinds = [found for field in fields if (found := field.roles(document, chunks))]
    chunks = tuple(
        replace(c, role="|".join(kind for found in kinds for kind in found[n])) for n, c in enumerate(chunks)
    )
    title = _joined(f"{document.title}\n{_name(document.path)}")
    heading = lru_cache(maxsize=1)(_joined)  # passages of one section follow each other
    return Read(
        document,
        chunks,
        tuple((title, heading(c.context.removeprefix(document.title)), _joined(c.text)) for c in chunks),
        links(document, chunks),
    )


def _name(path: str) -> str:
    """The file name as words: it often holds the company, the year, the article."""
    return PurePosixPath(path).stem.replace("_", " ").replace("-", " ")


def _joined(text: str) -> str:
    return " ".join(search_tokens(text))


def _sha256(source: str) -> str:
    try:
        return sha256_file(Path(source))
    except OSError:
        return ""  # `parse` says what is wrong with the file
