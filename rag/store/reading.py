"""Paths -> the files below them that an ingest looks at -> everything the store keeps of each.

`scan` finds the files, each with the name under which it is shown and cited. `read_file` runs in worker
processes: a pure function of the file and the settings."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Callable, Iterable, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path, PurePath

from rag.documents.chunk import chunk
from rag.documents.description import Describes, with_profile
from rag.errors import InputError
from rag.facts.dates import dated
from rag.files import sha256_file
from rag.languages.text import letters, search_tokens
from rag.parsers import CONTAINERS, HOLDS, SUFFIXES, Limits, parse
from rag.store.schema import DATABASE, LOCK
from rag.store.writer import FileState, Tokens, printable
from rag.types import Chunk, Document
from rag.types.documents import WITHDRAWN, Metadata, path_words, single

_IGNORED_PREFIXES = (".", "~$")
_IGNORED_NAMES = frozenset({"Thumbs.db", "desktop.ini", "__MACOSX", "__pycache__"})
# What an index consists of. Documents may stand beside it (`--index .`): its folder is entered all the same.
_INDEX_FILE = re.compile(rf"{re.escape(DATABASE)}(?:[-.]\w+)?|dense-[\d-]+\.faiss.*|{re.escape(LOCK)}")


@dataclass(frozen=True, slots=True)
class UnreadablePath:
    """A file or folder that could not be looked at."""

    source: str
    path: str
    detail: str
    folder: bool = False


@dataclass(slots=True)
class Scan:
    """What was found. `roots` are the folders that were given, as absolute paths."""

    files: list[FileState] = field(default_factory=list)
    unreadable: list[UnreadablePath] = field(default_factory=list)
    roots: list[str] = field(default_factory=list)
    _sources: set[str] = field(default_factory=set)
    _real: set[str] = field(default_factory=set)  # what was taken or entered, behind all links

    def covers(self, source: str) -> bool:
        """Whether a file of this source would have been seen: it lies below a folder given, and in none that
        could not be read."""
        return any(below(source, root) for root in self.roots) and not any(
            source == u.source or below(source, u.source) for u in self.unreadable
        )

    def walk(self, root: str) -> None:
        """Takes every file below a folder. What is reached through links comes last: a file that lies here
        under its own name keeps that name."""
        self.roots.append(root)
        waiting, links = [root], list[str]()
        while waiting or links:
            path = waiting.pop() if waiting else links.pop()
            if not os.path.isdir(path):  # noqa: PTH112  (False for a link to itself; any bytes stay a str)
                self.take(path, root, link=True)
                continue
            if (real := os.path.realpath(path)) in self._real:
                continue
            try:
                found = sorted(os.scandir(path), key=lambda entry: entry.name)
            except OSError as error:
                self._refuse(path, root, error.strerror or str(error), folder=True)
                continue
            self._real.add(real)
            for entry in (entry for entry in found if not _ignored(entry.name)):
                if entry.is_symlink():
                    links.append(entry.path)
                elif entry.is_dir():
                    waiting.append(entry.path)
                else:
                    self.take(entry.path, root, f"{real.rstrip('/')}/{entry.name}")

    def take(self, source: str, root: str, real: str = "", *, link: bool = False) -> None:
        """Takes a file, shown by its path below `root`; through a link only where it was not taken yet."""
        real = real or os.path.realpath(source)
        if source in self._sources or (link and real in self._real):
            return
        self._sources.add(source)
        try:
            status = os.stat(source)  # noqa: PTH116
        except OSError as error:
            self._refuse(source, root, "a link that leads nowhere" if link else error.strerror or str(error))
            return
        self._real.add(real)
        if not stat.S_ISREG(status.st_mode):
            self._refuse(source, root, "not a regular file")
            return
        kind, path = SUFFIXES.get(PurePath(source).suffix.lower(), ""), _display_path(source, root)
        self.files.append(FileState(source, path, status.st_size, status.st_mtime_ns, kind))

    def _refuse(self, source: str, root: str, detail: str, *, folder: bool = False) -> None:
        self.unreadable.append(UnreadablePath(source, _display_path(source, root), detail, folder))


def scan(paths: Iterable[Path | str]) -> Scan:
    """Every file given and every file below the folders given, once, in the order of their names.

    Hidden files, lock files of office programs and the files of an index of Citewise are passed over. Links
    are followed, each folder entered once, so a loop of links ends. Raises InputError for a path that does
    not exist or when there is none."""
    given = [os.path.abspath(path) for path in paths]  # noqa: PTH100  (links keep their own names)
    if not given:
        raise InputError("Nothing to ingest: name at least one file or folder.")
    for path in given:
        if not os.path.lexists(path):
            raise InputError(f"{printable(path)} does not exist. Check the path.")
    found = Scan()
    for path in dict.fromkeys(given):
        if os.path.isdir(path):  # noqa: PTH112
            found.walk(path)
        else:
            found.take(path, os.path.dirname(path))  # noqa: PTH120
    found.files.sort(key=lambda f: (os.fsencode(f.path), os.fsencode(f.source)))
    return found


def held(file: FileState, metadata: Metadata) -> list[FileState]:
    """The files in a mail or ZIP folder, as big and old as that, by what its metadata name."""
    names = filter(None, single(metadata, HOLDS).split("\n")) if file.kind in CONTAINERS else ()
    return [
        replace(
            file,
            source=f"{file.source}/{name}",
            path=f"{file.path}/{printable(name)}",
            kind=SUFFIXES.get(PurePath(name).suffix.lower(), ""),
        )
        for name in names
    ]


def holder_of(source: str, files: Set[str]) -> bool:
    """Whether a source lies within one of these files."""
    return any(str(path) in files for path in PurePath(source).parents)


def _display_path(path: str, root: str) -> str:
    return printable(path[len(root) :].lstrip("/") or root)


def below(path: str, folder: str) -> bool:
    """Whether a path lies within a folder."""
    return path.startswith(folder.rstrip("/") + "/")


def _ignored(name: str) -> bool:
    hidden = name.startswith(_IGNORED_PREFIXES) or name in _IGNORED_NAMES
    return hidden or _INDEX_FILE.fullmatch(name) is not None


# Reading

# Tokens of a passage, context included (MiniLM sees 256 with the special ones and drops the rest without a
# word).
PASSAGE_TOKENS = 220

Counter = Callable[[Sequence[str]], list[int]]


@dataclass(frozen=True, slots=True)
class Settings:
    """How files are read. `counter` counts tokens as the embedder does and can be pickled, `fields`
    describe documents (`rag.documents.description`) and can be pickled too. `workers` 0: one per core."""

    counter: Counter
    fields: Sequence[Describes]
    limits: Limits = field(default_factory=Limits)
    workers: int = 0
    ocr: bool = False
    max_tokens: int = PASSAGE_TOKENS


@dataclass(frozen=True, slots=True)
class Job:
    """A file to read. With `known_sha256` the content is compared first and not parsed when it is the
    same."""

    file: FileState
    known_sha256: str = ""


@dataclass(frozen=True, slots=True)
class Read:
    """A file as read. `document` is None when its content is the known one."""

    document: Document | None
    chunks: tuple[Chunk, ...] = ()
    tokens: tuple[Tokens, ...] = ()


_settings: Settings | None = None


def prepare_worker(settings: Settings) -> None:
    """Called once in each worker process."""
    global _settings
    _settings = settings


def read_file(job: Job) -> Read:
    """Raises ParseError. `prepare_worker` must have been called in this process."""
    if _settings is None:
        raise RuntimeError("prepare_worker was not called in this process")
    source = Path(job.file.source)
    with suppress(OSError):  # `parse` says what is wrong with the file
        if job.known_sha256 and sha256_file(source) == job.known_sha256:
            return Read(None)
    document = parse(source, path=job.file.path, limits=_settings.limits, ocr=_settings.ocr)
    # The same for documents of one text, whatever their format.
    known = {**document.metadata, "text": hashlib.sha256(letters(document.text).encode()).hexdigest()[:32]}
    document = replace(document, metadata=known)
    return passages(document, _settings.counter, _settings.fields, _settings.max_tokens)


def passages(
    document: Document, counter: Counter, fields: Sequence[Describes], max_tokens: int = PASSAGE_TOKENS
) -> Read:
    """The passages of a document with their search tokens; to its metadata and relations is
    added what the fields know of it, and each passage gets the parts of the document that it stands in."""
    stands = replace(document, text=_standing_text(document))
    stands = replace(stands, metadata=with_profile(stands, fields))
    relations = [relation for field in fields for relation in field.relations(stands)]
    relations = list(dict.fromkeys([*document.relations, *relations]))
    document = replace(document, metadata=stands.metadata, relations=tuple(relations))
    chunks = chunk(document, count_tokens=counter, max_tokens=max_tokens)
    kinds = [found for field in fields if (found := field.roles(document, chunks))]
    chunks = tuple(
        replace(c, roles=c.roles or tuple(kind for found in kinds for kind in found[n]))
        for n, c in enumerate(chunks)
    )
    title = _joined(f"{document.title}\n{path_words(document.path)}")
    heading = lru_cache(maxsize=1)(_joined)  # passages of one section follow each other
    return Read(
        document,
        chunks,
        tuple((title, heading(c.context.removeprefix(document.title)), _joined(c.text)) for c in chunks),
    )


def _standing_text(document: Document) -> str:
    """The text with blanks where words are withdrawn: they say nothing of the document."""
    pieces, at = [], 0
    for mark in document.marks:
        if mark.kind in WITHDRAWN and mark.end > at:
            start = max(at, mark.start)
            pieces += [document.text[at:start], " " * (mark.end - start)]
            at = mark.end
    return "".join([*pieces, document.text[at:]]) if pieces else document.text


def _joined(text: str) -> str:
    return " ".join((*search_tokens(text), *dated(text)))
