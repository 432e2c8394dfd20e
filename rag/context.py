"""What stands in front of a passage for embedding and search: title, headings, column headers, within a
budget."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from rag.cuts import Meter

_TITLE_AND_HEADINGS_TOKENS = 60
_COLUMNS_TOKENS = 70
_ELLIPSIS = "…"


# Words of a file name that can say whose or of which year a document is; a bare serial number cannot.
_NAME_WORD = re.compile(r"(?:FY|Q)?(?:19|20)\d{2}(?:Q[1-4])?|[^\W\d_]{3,}|[\u4e00-\u9fff]+", re.IGNORECASE)
_NAME_WORDS = 8


def document_name(title: str, path: str) -> str:
    """The title, and in brackets the words of the file name that it lacks: "agreement-brightquill.pdf"
    distinguishes two agreements of one title."""
    known = title.casefold()
    extra = [w for w in _NAME_WORD.findall(PurePosixPath(path).stem) if w.casefold() not in known]
    kept = " ".join(list(dict.fromkeys(extra))[:_NAME_WORDS])
    return f"{title} ({kept})" if title and kept else title or kept


class ContextWriter:
    """Writes contexts of one document: "Title > Heading > Sub-heading", and column headers on a second line.

    Title and headings get at most 60 tokens and a quarter of `limit`, the column headers 70 and a third:
    what is too long loses the middle of the path first, then the ends of long headings or cells.
    """

    def __init__(self, title: str, meter: Meter, limit: int) -> None:
        self._title = plain_heading(title)
        self._meter = meter
        self._path_tokens = min(_TITLE_AND_HEADINGS_TOKENS, limit // 4)
        self._column_tokens = min(_COLUMNS_TOKENS, limit // 3)
        self._written: dict[tuple[tuple[str, ...], str], str] = {}

    def write(self, path: tuple[str, ...], header: str) -> str:
        key = (path, header)
        if key not in self._written:
            headings = self._first_fit(_paths(self._title, path), self._path_tokens)
            columns = self._first_fit(_columns(header), self._column_tokens) if header.strip() else ""
            self._written[key] = "\n".join(line for line in (headings, columns) if line)
        return self._written[key]

    def _first_fit(self, candidates: Iterator[str], limit: int) -> str:
        shortest = ""
        for shortest in candidates:
            if self._meter.words(shortest) <= limit:
                return shortest
        while shortest and self._meter.words(shortest) > limit:
            shortest = shortest[: len(shortest) // 2].rstrip()
        return shortest


def plain_heading(text: str) -> str:
    """A heading on one line, without its Markdown marks."""
    return " ".join(text.lstrip("# \t").split())


def _paths(title: str, path: tuple[str, ...]) -> Iterator[str]:
    """The path in full, then shorter and shorter: the title and the innermost heading say most."""
    headings = [h for h in map(plain_heading, path) if h and h != title]
    names = [title, *headings] if title else headings
    yield " > ".join(names)
    for length in (80, 40, 20):
        short = [_shortened(name, length) for name in names]
        yield " > ".join(short)
        for kept in (2, 1):
            if len(short) > kept + 1:
                yield " > ".join([short[0], _ELLIPSIS, *short[-kept:]])


def _columns(header: str) -> Iterator[str]:
    cells = [plain_heading(cell) for cell in header.split(" | ")]
    yield " | ".join(cells)
    for length in (40, 20, 10):
        yield " | ".join(_shortened(cell, length) for cell in cells)


def _shortened(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1].rstrip() + _ELLIPSIS
