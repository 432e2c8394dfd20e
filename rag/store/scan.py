"""Paths -> the files below them that an ingest looks at, each with the name under which it is shown and
cited."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from rag.errors import InputError
from rag.parsers import SUFFIXES
from rag.store.schema import DATABASE, LOCK
from rag.store.writer import printable

_IGNORED_PREFIXES = (".", "~$")
_IGNORED_NAMES = frozenset({"Thumbs.db", "desktop.ini", "__MACOSX", "__pycache__"})
# What an index consists of. Documents may stand beside it (`--index .`): its folder is entered all the same.
_INDEX_FILE = re.compile(rf"{re.escape(DATABASE)}(?:[-.]\w+)?|dense-\d+\.faiss.*|{re.escape(LOCK)}")


@dataclass(frozen=True, slots=True)
class ScannedFile:
    """A file. `kind` is "" for formats that are not read."""

    source: str
    path: str
    kind: str
    size: int
    mtime_ns: int


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

    files: list[ScannedFile] = field(default_factory=list)
    unreadable: list[UnreadablePath] = field(default_factory=list)
    roots: list[str] = field(default_factory=list)

    def covers(self, source: str) -> bool:
        """Whether a file of this source would have been seen: it lies below a folder given, and in none that
        could not be read."""
        return any(_below(source, root) for root in self.roots) and not any(
            source == u.source or _below(source, u.source) for u in self.unreadable
        )


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
    scanner = _Scanner()
    for path in dict.fromkeys(given):
        scanner.start(path)
    scanner.result.files.sort(key=lambda f: (os.fsencode(f.path), os.fsencode(f.source)))
    return scanner.result


class _Scanner:
    def __init__(self) -> None:
        self.result = Scan()
        self._sources: set[str] = set()
        self._entered: set[tuple[int, int]] = set()
        self._files: set[tuple[int, int]] = set()

    def start(self, path: str) -> None:
        if os.path.isdir(path):  # noqa: PTH112  (a path of any bytes stays a str here)
            self.result.roots.append(path)
            self._walk(path)
        else:
            self._add(path, PurePath(path).name)

    def _walk(self, root: str) -> None:
        folders, links = [root], list[str]()
        while folders or links:
            # What is reached through links comes last: a file that lies here under its own name keeps that
            # name.
            folder = folders.pop() if folders else links.pop()
            for entry in self._entries(folder, root):
                name = _display_path(entry.path, root)
                if entry.is_symlink():
                    if os.path.isdir(entry.path):  # noqa: PTH112  (False for a link to itself)
                        links.append(entry.path)
                    else:
                        self._add(entry.path, name, link=True)
                elif entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
                else:
                    self._add(entry.path, name)

    def _entries(self, folder: str, root: str) -> Iterator[os.DirEntry[str]]:
        """What a folder holds, links last; nothing when it was entered before."""
        try:
            status = os.stat(folder)  # noqa: PTH116
            key = (status.st_dev, status.st_ino)
            if key in self._entered:
                return
            self._entered.add(key)
            with os.scandir(folder) as listing:
                entries = [e for e in listing if not _ignored(e.name)]
        except OSError as error:
            name = _display_path(folder, root) or root
            self._unreadable(folder, name, error.strerror or str(error), folder=True)
            return
        yield from sorted(entries, key=lambda e: (e.is_symlink(), os.fsencode(e.name)))

    def _add(self, source: str, path: str, *, link: bool = False) -> None:
        if source in self._sources:
            return
        self._sources.add(source)
        try:
            status = os.stat(source)  # noqa: PTH116
        except OSError as error:
            detail = "a link that leads nowhere" if link else error.strerror or str(error)
            self._unreadable(source, path, detail)
            return
        key = (status.st_dev, status.st_ino)
        if link and key in self._files:
            return
        self._files.add(key)
        if not stat.S_ISREG(status.st_mode):
            self._unreadable(source, path, "not a regular file")
            return
        kind = SUFFIXES.get(PurePath(source).suffix.lower(), "")
        self.result.files.append(
            ScannedFile(source, printable(path), kind, status.st_size, status.st_mtime_ns)
        )

    def _unreadable(self, source: str, path: str, detail: str, *, folder: bool = False) -> None:
        self.result.unreadable.append(UnreadablePath(source, printable(path), detail, folder))


def _display_path(path: str, root: str) -> str:
    return path[len(root) :].lstrip("/")


def _below(path: str, folder: str) -> bool:
    return path.startswith(folder.rstrip("/") + "/")


def _ignored(name: str) -> bool:
    return (
        name.startswith(_IGNORED_PREFIXES)
        or name in _IGNORED_NAMES
        or _INDEX_FILE.fullmatch(name) is not None
    )
