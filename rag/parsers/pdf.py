"""PDF: text, outline and metadata by pdfium (200 to 400 pages of 10-K filings a second), fields and
annotations by pypdf (4 to 40). Titles come from metadata, a filing's cover, or the most prominent line."""

from __future__ import annotations

import importlib.util
import io
import re
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from functools import cached_property
from itertools import islice, takewhile
from typing import Any

from rag.errors import ConfigError, ParseError
from rag.languages import Patterns
from rag.parsers.base import Limits, Parsed, TextBuilder, clean, one_line
from rag.parsers.pdf_drawn import strike
from rag.parsers.pdf_forms import Overlay, lay_over, read_overlay, xfa_values
from rag.parsers.pdf_glyphs import PageText, has_overlay
from rag.parsers.pdf_layout import Layout, PageLines, Style, measure, running_key
from rag.parsers.pdf_lines import CUT, TextLine, by_height, mend, together
from rag.parsers.pdf_marks import lead_to_notes
from rag.parsers.pdf_tables import arrange
from rag.parsers.pool import Watch
from rag.types import Loss, LossKind

_RE = Patterns(__file__)
_HEADER_WITHIN = 1024  # the specification lets "%PDF-" begin anywhere in the first 1,024 bytes
_MAX_OUTLINE = 5000
_GARBLED = [LossKind.UNREADABLE_TEXT]
_OCR_SCALE = 200 / 72  # 200 dpi
_OCR_CONFIDENCE = 0.5
# pdfium keeps global state: two threads inside it, even in two documents, corrupt memory.
PDFIUM = threading.RLock()


def read_cover(pages: Sequence[PageLines]) -> dict[str, str]:
    """Company, form and period from the cover of a filing with the U.S. Securities and Exchange Commission;
    {} elsewhere."""
    lines = [line.text for page in pages[:2] for line in page.lines[:80]]
    at = next((n for n, text in enumerate(lines) if _RE["registrant"].match(text)), 0)
    above = [text for text in lines[max(0, at - 3) : at] if not _RE["no_name"].search(text)]
    form = next((match.group(1).upper() for match in map(_RE["form"].match, lines) if match), "")
    if not above or not form:
        return {}
    found = {"company": one_line(above[-1]).strip(" _"), "form": form}
    text = one_line(" ".join(lines))
    period, reported = _RE["period"].search(text), _RE["reported"].search(text)
    if period:
        found["period"] = f"{period.group(1).lower()} ended {period.group(2)}"
    elif reported:
        found["period"] = f"reported {reported.group(1) or reported.group(2)}"
    return found


def prominent_line(pages: Sequence[PageLines], style: Style) -> str:
    """The first lines of the largest type on the first page with text; its first line where no type is
    larger and it is no label with its value. No row of a table is one."""
    page = next(page for page in pages if page.lines)
    rows = {n for table in page.tables for n in range(table.first, table.last)}
    lines = [
        line
        for n, line in enumerate(page.lines[:40])
        if n not in rows
        and running_key(line.text) not in style.repeated
        and sum(c.isalpha() for c in line.text) > 3
    ]
    largest = max((line.size for line in lines), default=0.0)
    if largest <= style.size * 1.15:
        first = lines[0].text if lines and 0 not in rows else ""
        return first if len(first) <= 120 and not _RE["labelled"].search(first) else ""
    first_of = next(n for n, line in enumerate(lines) if line.size == largest)
    same = takewhile(lambda line: abs(line.size - largest) <= 0.5, lines[first_of : first_of + 3])
    return " ".join(line.text for line in same)


def read(data: bytes, *, path: str, limits: Limits, ocr: bool = False) -> Parsed:
    """Parse a PDF. Pages without text are read by OCR when `ocr` is set, else they are losses; pages whose
    text is no language wherever the extra is installed."""
    if b"%PDF-" not in data[:_HEADER_WITHIN]:
        raise ParseError(f"{path}: not a PDF (its header is missing).", "corrupt")
    Watch.beat(limits.step_seconds)
    details = _Details(data)
    with PDFIUM:
        pages = list(_read_pages(data, path, limits, details))
    details.put_form(pages)
    unread = (page for page in pages if not page.lines)
    if scans := [page for page in unread if ocr or (page.losses[:1] == _GARBLED and _ocr_installed())]:
        with PDFIUM:
            _read_scans(data, scans, limits)
    for page in pages:
        if not page.lines and not page.losses:
            page.losses.append(LossKind.PAGE_WITHOUT_TEXT)
    losses = tuple(Loss(kind, page=page.number) for page in pages for kind in page.losses)
    if not any(page.lines for page in pages):
        garbled = any([loss.kind] == _GARBLED for loss in losses)
        why = "its text layer is no language (a broken map of characters)" if garbled else "a scan?"
        raise ParseError(
            f"{path}: none of its {len(pages)} pages has text that can be read: {why}"
            f'{"." if garbled else ""} Read it with --ocr (pip install "citewise[ocr]").',
            "empty",
        )
    Watch.beat(0)
    for level, heading, number in details.outline:
        if number <= len(pages):
            pages[number - 1].outline.append((min(level, 6), heading))
    mend([line for page in pages for line in page.lines])
    style = measure(pages)
    cover = read_cover(pages)
    named = [cover["company"], f"Form {cover['form']}", cover.get("period", "")] if cover else []
    title = ", ".join(filter(None, named)) or details.title or prominent_line(pages, style)
    builder = TextBuilder()
    depth = max((min(level, 3) for level, *_ in details.outline), default=0)  # what found by wording is below
    layout = Layout(builder, style, depth)
    for page in pages:
        layout.add(page)
    layout.close()
    builder.losses += losses
    return builder.parsed(title, details.metadata | cover)


def open_pdf(data: bytes | str, *, path: str) -> Any:
    """A pdfium document. Raises ParseError "password" or "corrupt"."""
    import pypdfium2

    try:
        return pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        if "password" in str(error).lower() or "security" in str(error).lower():
            advice = "protected by a password. Save a copy without one and ingest that."
            raise ParseError(f"{path}: {advice}", "password") from error
        raise ParseError(f"{path}: the PDF is damaged or cut short ({error}).", "corrupt") from error


def _read_pages(data: bytes, path: str, limits: Limits, details: _Details) -> Iterator[PageLines]:
    with closing(open_pdf(data, path=path)) as document:
        count = len(document)
        if count > limits.max_pages:
            raise ParseError(
                f"{path}: {count:,} pages, more than the limit of {limits.max_pages:,}.", "too_large"
            )
        if not count:
            raise ParseError(f"{path}: a PDF without pages: it may be cut short.", "corrupt")
        details.read(document)
        characters = 0
        for number in range(1, count + 1):
            Watch.beat(limits.step_seconds)
            page = _read_page(document, number, details)
            characters += sum(len(line.text) for line in page.lines)
            if characters > limits.max_chars:
                raise ParseError(f"{path}: more than {limits.max_chars:,} characters.", "too_large")
            yield page


def _read_page(document: Any, number: int, details: _Details) -> PageLines:
    """One page; a page that pdfium cannot load is an empty one."""
    import pypdfium2

    try:
        page = document[number - 1]
        text = PageText(page)
    except pypdfium2.PdfiumError:
        return PageLines(number, [])
    try:
        overlay = details.overlay(number) if has_overlay(page) else Overlay()
        if text.garbled:
            overlay.losses[:0] = _GARBLED
        if overlay.words:
            text.lines = lay_over(text.lines, overlay.words)
        if text.lines and text.has_unread_picture():
            overlay.losses.append(LossKind.PICTURE_WITH_TEXT)
        rules = text.rules()
        lines, tables = arrange(strike(text.lines, rules, overlay.struck), rules)
        lead_to_notes(lines, number)
        for line in lines:
            line.words = []
            # The mark of a cut word stays until the whole document is known.
            line.change(lambda text: CUT.join(map(clean, text.split(CUT))))
        return PageLines(number, lines, tables, text.hidden, overlay.comments, losses=overlay.losses)
    finally:
        text.close()
        page.close()


class _Details:
    """Metadata and outline. Their absence or damage never keeps a text from being read."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.metadata: dict[str, str] = {}
        self.title = ""
        self.outline: list[tuple[int, str, int]] = []  # level, title and page of each entry
        self._is_xfa = False

    @cached_property
    def _reader(self) -> Any:
        """What pypdf makes of the file, for what pdfium does not tell of forms and annotations."""
        import logging

        import pypdf

        logging.getLogger("pypdf").setLevel(logging.CRITICAL)
        reader = pypdf.PdfReader(io.BytesIO(self._data), strict=False)
        if reader.is_encrypted:
            reader.decrypt("")
        return reader

    def read(self, document: Any) -> None:
        """Take metadata and outline from an open document of pdfium."""
        found = document.get_metadata_dict()
        named = {name: one_line(found[name.title()])[:500] for name in ("author", "subject", "keywords")}
        for key, name in (("CreationDate", "created"), ("ModDate", "modified")):
            match = re.match(r"(?:D:)?(\d{4})(\d\d)(\d\d)", found[key])
            named[name] = "-".join(match.groups()) if match else ""
        known = {name: value for name, value in named.items() if value}
        self.metadata = {name: value for name, value in known.items() if not _RE["unset"].fullmatch(value)}
        title = one_line(found["Title"])  # or what word processors and converters put there by themselves
        sensible = len(title) > 3 and title.isprintable() and not _RE["file_name"].search(title)
        self.title = title if sensible else ""
        self._is_xfa = document.get_formtype() > 1
        for entry in islice(document.get_toc(), _MAX_OUTLINE):
            target = entry.get_dest()
            page, title = target.get_index() if target else None, entry.get_title()
            if page is not None and title:
                self.outline.append((entry.level + 1, one_line(title), page + 1))

    def overlay(self, number: int) -> Overlay:
        """What stands above the content of a page (1-based)."""
        with warnings.catch_warnings(), suppress(Exception):
            warnings.simplefilter("ignore")
            return read_overlay(self._reader.pages[number - 1])
        return Overlay()

    def put_form(self, pages: Sequence[PageLines]) -> None:
        """Give the first page the values of an XFA form that no page shows."""
        values = None
        with suppress(Exception):
            values = xfa_values(self._reader) if self._is_xfa else None
        if values is not None and pages:
            text = " ".join(line.text for page in pages for line in page.lines)
            pages[0].comments += [one for one in values if one.split(": ", 1)[1] not in text]
            if not values and LossKind.FORM_WITHOUT_VALUES not in pages[0].losses:
                pages[0].losses.append(LossKind.FORM_WITHOUT_VALUES)


def _read_scans(data: bytes, pages: Sequence[PageLines], limits: Limits) -> None:
    """Read pages by the extra `ocr`: rapidocr-onnxruntime, whose wheel carries its models (English and
    Chinese). Raises ConfigError where it is not installed."""
    if not _ocr_installed():
        raise ConfigError(
            'reading scanned pages needs the OCR extra; install it with: pip install "citewise[ocr]"'
        )
    from rapidocr_onnxruntime import RapidOCR

    engine = RapidOCR()
    with closing(open_pdf(data, path="the scanned PDF")) as document:
        for page in pages:
            Watch.beat(limits.step_seconds)
            with closing(document[page.number - 1]) as leaf:
                page.lines, page.tables = arrange(_scanned_lines(leaf, engine))
            if page.lines:
                page.losses = [LossKind.READ_BY_OCR] * (page.losses[:1] == _GARBLED)


def _scanned_lines(page: Any, engine: Any) -> list[TextLine]:
    """Lines of a page from top to bottom; words that stand at one height make one."""
    height, pieces = page.get_height(), []
    found, _ = engine(page.render(scale=_OCR_SCALE).to_numpy())
    for corners, text, confidence in found or []:
        text = clean(text).strip()
        if text and float(confidence) >= _OCR_CONFIDENCE:
            xs = [float(x) / _OCR_SCALE for x, _ in corners]
            ys = [height - float(y) / _OCR_SCALE for _, y in corners]
            pieces.append(TextLine.within(text, (min(xs), max(ys), max(xs), min(ys))))
    return list(map(together, by_height(pieces)))


def _ocr_installed() -> bool:
    return importlib.util.find_spec("rapidocr_onnxruntime") is not None
