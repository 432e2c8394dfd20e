"""Reads the text of a built file back with the format's own library, to check quotes and to compare builds.

Deliberately apart from `rag.parsers`: the questions must not depend on the code that they test.
"""

from __future__ import annotations

import unicodedata
from pathlib import Path


def pages_of(path: Path) -> list[str]:
    """The text of each page of a PDF; one text for every other format."""
    suffix = path.suffix.lower()
    if suffix == ".pdf":
        return _pdf(path)
    if suffix == ".docx":
        return [_docx(path)]
    if suffix == ".xlsx":
        return [_xlsx(path)]
    if suffix == ".html":
        return [_html(path)]
    data = path.read_bytes()
    try:
        return [data.decode("utf-8")]
    except UnicodeDecodeError:
        return [data.decode("gb18030")]


def squeeze(text: str) -> str:
    """Letters and digits, NFKC and lower case: quotes are compared white space and punctuation aside."""
    return "".join(c for c in unicodedata.normalize("NFKC", text).lower() if c.isalnum())


def pages_with(path: Path, quote: str) -> list[int]:
    """1-based pages on which the quote stands (1 for formats without pages)."""
    wanted = squeeze(quote)
    return [number for number, text in enumerate(pages_of(path), 1) if wanted in squeeze(text)]


def _pdf(path: Path) -> list[str]:
    import pypdfium2

    document = pypdfium2.PdfDocument(path)
    try:
        return [page.get_textpage().get_text_range() for page in document]
    finally:
        document.close()


def _docx(path: Path) -> str:
    import docx

    document = docx.Document(str(path))
    lines: list[str] = []
    for block in document.iter_inner_content():
        if hasattr(block, "rows"):
            lines += ["\t".join(cell.text for cell in row.cells) for row in block.rows]
        else:
            lines.append(block.text)
    footers = [paragraph.text for section in document.sections for paragraph in section.footer.paragraphs]
    return "\n".join(lines + footers)


def _xlsx(path: Path) -> str:
    from openpyxl import load_workbook

    book = load_workbook(path, read_only=True, data_only=True)
    try:
        rows = [row for sheet in book for row in sheet.iter_rows(values_only=True)]
    finally:
        book.close()
    return "\n".join("\t".join(str(cell) for cell in row if cell is not None) for row in rows)


def _html(path: Path) -> str:
    from selectolax.lexbor import LexborHTMLParser

    body = LexborHTMLParser(path.read_text(encoding="utf-8")).body
    return body.text(separator=" ") if body else ""
