"""From a file to a `Document`: text with exact offsets, structure, pages, title and metadata.

`parse` chooses the parser by suffix and runs in this process; `rag.parsers.pool` runs it, or anything built
on it, in worker processes that a bad file cannot hurt."""

from __future__ import annotations

import codecs
import hashlib
import importlib
import io
import os
import re
import stat
import zipfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from rag.errors import CitewiseError, ParseError
from rag.languages.text import detect_language
from rag.parsers.base import Limits, Parsed, shorten
from rag.types import Document

__all__ = [
    "CONTAINERS", "HOLDS", "SUFFIXES", "Limits", "content", "holder", "other_format", "parse", "refusal",
]  # fmt: skip

CONTAINERS = ("eml", "msg", "zip")  # files that hold others
HOLDS = "holds"  # the key of `Document.metadata` with the names of the files in one, a line each
_BY_KIND = {
    "pdf": (".pdf",),
    "docx": (".docx", ".docm", ".dotx"),
    "html": (".html", ".htm", ".xhtml"),
    "mhtml": (".mhtml", ".mht"),
    "markdown": (".md", ".markdown"),
    "text": (".txt", ".text"),
    "csv": (".csv", ".tsv"),
    "xlsx": (".xlsx", ".xlsm", ".xltx"),
    "pptx": (".pptx", ".pptm", ".ppsx"),
    "doc": (".doc", ".xml"),  # only what is another format by its content
    **{kind: (f".{kind}",) for kind in "xls xlsb ods odt epub rtf eml msg zip".split()},
}
SUFFIXES: Mapping[str, str] = MappingProxyType({s: kind for kind, some in _BY_KIND.items() for s in some})
# Imported at first use: a worker that only meets PDFs never loads openpyxl.
_MODULES = {"text": "plain", "mhtml": "html"} | dict.fromkeys(("csv", "xlsx", "xls", "xlsb", "ods"), "sheets")
_MODULES |= dict.fromkeys(("odt", "epub", "pptx"), "others") | dict.fromkeys(CONTAINERS, "containers")
_OLD_OFFICE, _OLD_BOOK = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "Workbook".encode("utf-16-le")
# By what their bytes say, whatever their suffix: files of these kinds, which programs misname.
_MISNAMED = frozenset("docx doc xlsx xls xlsb pptx odt ods rtf pdf csv".split())
_CONTENT = re.compile(
    rb"\s*(?:(?P<rtf>\{\\rtf)|(?P<pdf>%PDF-\d)|(?P<xls>(?:<\?[^>]*>\s*)+<(?:\w+:)?Workbook\b)|(?P<html>(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*"
    rb"<(?:!doctype\s+html|html|head|body|meta|style|table)\b)"
    rb"|(?P<mhtml>(?:[\w-]+:[^\n]*\n|[ \t][^\n]*\n){0,40}?content-type:\s*multipart/related))",
    re.I | re.S,
)
_PARTS = {"word/document.xml": "docx", "xl/workbook.xml": "xlsx", "ppt/presentation.xml": "pptx"}
_ADVICE = {
    ".doc": ".docx", ".ppt": ".pptx", ".wps": ".docx", ".pages": ".docx", ".7z": ".zip", ".rar": ".zip",
}  # fmt: skip
_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_DEEPEST = 3  # files within files


def parse(source: Path, *, path: str, limits: Limits = Limits(), ocr: bool = False) -> Document:  # noqa: B008
    """Read one file, or one that lies in a mail or ZIP folder (`content`). `path` is the name to show and
    cite; `ocr` reads scanned PDF pages too (needs the extra `ocr`).

    Raises ParseError, whose `status` says why: empty, password, corrupt, too_large, unsupported, unreadable.
    """
    kind = _kind(source.name)
    if not kind:
        known = ", ".join(sorted(SUFFIXES.keys() - {*_BY_KIND["doc"]}))
        raise ParseError(f"{path}: {refusal(source.name)}. Formats read: {known}.", "unsupported")
    data = content(source, path=path, limits=limits)
    named, kind = kind, _kind_of(data, kind)
    if kind == "doc":
        raise ParseError(f"{path}: {refusal(source.name)}", "unsupported")
    if data.startswith(_OLD_OFFICE) and kind in ("docx", "xlsx"):
        # Office puts an encrypted .docx or .xlsx into the container of the old binary formats.
        raise ParseError(
            f"{path}: protected by a password, or an old Office file. Save it without password as .{kind}.",
            "password",
        )
    shown = path if kind == named else f"{path}.{kind}"  # a reader may ask for the suffix
    parsed: Parsed = _run("read", kind, data, path=shown, limits=limits, ocr=ocr)
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


def content(source: Path, *, path: str, limits: Limits = Limits()) -> bytes:  # noqa: B008
    """The bytes of a file, or of one within it that is named below it ("/mails/offer.eml/annex.docx").

    Raises ParseError: "unreadable" where there is none, "too_large", "empty", and as the readers of mails and
    ZIP folders do."""
    outer = holder(source)
    names = source.relative_to(outer).as_posix()
    if names == ".":
        return _read(source, path, limits)
    inside = _held(outer, outer.stat().st_mtime_ns, limits)
    for _ in range(_DEEPEST):
        name = next((n for n in inside if names == n or names.startswith(f"{n}/")), "")
        if not name:
            raise ParseError(f"{path}: no longer in {outer.name}.", "unreadable")
        data, names = inside[name](), names[len(name) + 1 :]
        if len(data) > limits.max_bytes or not data:
            raise ParseError(f"{path}: {len(data):,} bytes.", "too_large" if data else "empty")
        if not names:
            return data
        inside = _run("held", _kind(name), data, path=name, limits=limits)
    raise ParseError(f"{path}: more than {_DEEPEST} files within files. Unpack them.", "unsupported")


@lru_cache(maxsize=1)  # the files in one are read one after the other
def _held(outer: Path, when: int, limits: Limits) -> Mapping[str, Callable[[], bytes]]:
    """What was in a file on the disk at a time."""
    data = _read(outer, str(outer), limits)
    return _run("held", _kind(outer.name), data, path=str(outer), limits=limits)  # type: ignore[no-any-return]


def _kind(name: str) -> str:
    return SUFFIXES.get(Path(name).suffix.lower(), "")


def _kind_of(data: bytes, named: str) -> str:
    """The kind of a file by its first bytes or its parts, where those say another than its suffix."""
    if named not in _MISNAMED:
        return named
    if data.startswith(_OLD_OFFICE):
        return "xls" if _OLD_BOOK in data and named in ("xlsx", "doc") else named
    if data.startswith(b"PK") and named in ("doc", "docx", "xlsx", "xls", "pptx"):
        with suppress(zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
            names = {name.lower() for name in zipfile.ZipFile(io.BytesIO(data)).namelist()}
            return next((kind for part, kind in _PARTS.items() if part in names), named)
    start = data[:4096].decode("utf-16", "ignore").encode() if data[:2] in _WIDE else data[:4096]
    found = _CONTENT.match(start.removeprefix(codecs.BOM_UTF8))
    return found.lastgroup or named if found else named


def other_format(name: str, kind: str) -> str:
    """What is said of a file that was read as of another kind than its suffix says; ""."""
    return f"read as {kind}, which its content is" if kind not in (_kind(name), "") else ""


def holder(source: Path) -> Path:
    """The file on the disk that a source is, or is in."""
    return next((path for path in (source, *source.parents) if path.is_file()), source)


def _run(function: str, kind: str, data: bytes, *, path: str, **asked: Any) -> Any:
    """What a parser of a kind gives; whatever else goes wrong in it is a ParseError, too."""
    try:
        module = importlib.import_module(f"rag.parsers.{_MODULES.get(kind, kind)}")
        return getattr(module, function)(data, path=path, **asked)
    except (CitewiseError, MemoryError):
        raise
    except RecursionError as error:
        raise ParseError(f"{path}: nested too deeply to be read.", "corrupt") from error
    except Exception as error:  # a format library met bytes that its authors did not foresee
        raise ParseError(
            f"{path}: cannot be read as {kind} ({type(error).__name__}: {error}).", "corrupt"
        ) from error


def refusal(name: str) -> str:
    """Why a file of this name is not read, and what helps."""
    suffix = Path(name).suffix.lower()
    advice = f". Save it as {_ADVICE[suffix]} and ingest that" if suffix in _ADVICE else ""
    return f"the format {suffix or '(no suffix)'} is not read{advice}"


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
