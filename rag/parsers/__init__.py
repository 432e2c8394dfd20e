"""From a file to a `Document`: text with exact offsets, structure, pages, title and metadata.

`parse` chooses the parser by suffix and runs in this process; `rag.parsers.pool` runs it, or anything built
on it, in worker processes that a bad file cannot hurt."""

from __future__ import annotations

import hashlib
import importlib
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from rag.errors import CitewiseError, ParseError
from rag.languages.text import detect_language
from rag.parsers.base import Limits, Parsed, shorten
from rag.types import Document

__all__ = ["SUFFIXES", "Limits", "parse"]

_BY_KIND = {
    "pdf": (".pdf",),
    "docx": (".docx",),
    "html": (".html", ".htm", ".xhtml"),
    "markdown": (".md", ".markdown"),
    "text": (".txt", ".text"),
    "csv": (".csv", ".tsv"),
    "xlsx": (".xlsx", ".xlsm"),
    **{kind: (f".{kind}",) for kind in ("xls", "ods", "odt", "epub", "pptx", "eml")},
}
SUFFIXES: Mapping[str, str] = MappingProxyType({s: kind for kind, some in _BY_KIND.items() for s in some})
# Imported at first use: a worker that only meets PDFs never loads openpyxl.
_MODULES = {"text": "plain"} | dict.fromkeys(("csv", "xlsx", "xls", "ods"), "sheets")
_MODULES |= dict.fromkeys(("odt", "epub", "pptx", "eml"), "others")
_OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ADVICE = {".doc": ".docx", ".rtf": ".docx", ".xlsb": ".xlsx", ".ppt": ".pptx", ".msg": ".eml"}


def parse(source: Path, *, path: str, limits: Limits = Limits(), ocr: bool = False) -> Document:  # noqa: B008
    """Read one file. `path` is the name to show and cite; `ocr` reads scanned PDF pages too (needs the extra
    `ocr`).

    Raises ParseError, whose `status` says why: empty, password, corrupt, too_large, unsupported, unreadable.
    """
    kind = _kind_of(source, path)
    data = _read(source, path, limits)
    if data.startswith(_OLD_OFFICE) and kind in ("docx", "xlsx"):
        # Office puts an encrypted .docx or .xlsx into the container of the old binary formats.
        raise ParseError(
            f"{path}: protected by a password, or an old Office file. Save it without password as .{kind}.",
            "password",
        )
    parsed = _run_parser(kind, data, path, limits, ocr)
    if len(parsed.text) > limits.max_chars:
        raise ParseError(
            f"{path}: {len(parsed.text):,} characters, more than the limit of {limits.max_chars:,}.",
            "too_large",
        )
    if not parsed.blocks:
        raise ParseError(f"{path}: no text in it.", "empty")
    return Document(
        path=path,
        source=str(source.absolute()),
        title=shorten(parsed.title) or Path(path).stem,
        text=parsed.text,
        kind=kind,
        language=detect_language(parsed.text),
        sha256=hashlib.sha256(data).hexdigest(),
        pages=parsed.pages,
        blocks=parsed.blocks,
        marks=parsed.marks,
        losses=parsed.losses,
        metadata=dict(parsed.metadata),
    )


def _run_parser(kind: str, data: bytes, path: str, limits: Limits, ocr: bool) -> Parsed:
    module = importlib.import_module(f"rag.parsers.{_MODULES.get(kind, kind)}")
    try:
        return module.read(data, path=path, limits=limits, ocr=ocr)  # type: ignore[no-any-return]
    except (CitewiseError, MemoryError):
        raise
    except RecursionError as error:
        raise ParseError(f"{path}: nested too deeply to be read.", "corrupt") from error
    except Exception as error:  # a format library met bytes that its authors did not foresee
        raise ParseError(
            f"{path}: cannot be read as {kind} ({type(error).__name__}: {error}).", "corrupt"
        ) from error


def _kind_of(source: Path, path: str) -> str:
    suffix = source.suffix.lower()
    if suffix in SUFFIXES:
        return SUFFIXES[suffix]
    other = _ADVICE.get(suffix)
    advice = (
        f"Save it as {other} and ingest that" if other else f"Formats read: {', '.join(sorted(SUFFIXES))}"
    )
    raise ParseError(
        f"{path}: the format {suffix or '(no suffix)'} is not supported. {advice}.", "unsupported"
    )


def _read(source: Path, path: str, limits: Limits) -> bytes:
    try:
        # Non-blocking: opening a FIFO that nobody writes to would wait for ever.
        descriptor = os.open(source, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        with open(descriptor, "rb") as file:  # noqa: PTH123
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise ParseError(f"{path}: not a regular file.", "unreadable")
            data = file.read(limits.max_bytes + 1) if status.st_size <= limits.max_bytes else b""
    except OSError as error:
        raise ParseError(
            f"{path}: cannot be opened ({error.strerror or error}). Check that it exists and may be read.",
            "unreadable",
        ) from error
    size = max(status.st_size, len(data))
    if size > limits.max_bytes:
        raise ParseError(
            f"{path}: {size / 1e6:,.1f} MB, more than the limit of {limits.max_bytes / 1e6:,.1f} MB.",
            "too_large",
        )
    if not data:
        raise ParseError(f"{path}: the file has no bytes.", "empty")
    return data
