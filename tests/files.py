"""Writes small real files for tests: PDFs by reportlab, Word files by python-docx, workbooks by openpyxl."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
"""The folder of the project."""

HAN_FONT = "STSong-Light"  # one of the fonts that every PDF reader has: nothing is embedded


def write(folder: Path, name: str, content: bytes | str) -> Path:
    """Write bytes, or text as UTF-8, below `folder` and return the path."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def pdf_bytes(
    pages: Sequence[Sequence[str]],
    *,
    title: str = "",
    author: str = "",
    outline: Sequence[tuple[str, int, int]] = (),
    size: float = 11,
) -> bytes:
    """A PDF with one line of text per string. Prefixes set the type: "# " a large bold line, "* " a bold one;
    "" leaves a gap. Columns are set with tabs: after the first cell each is right-aligned. `outline`: (title,
    1-based page, level from 0).
    """
    from reportlab.lib.pagesizes import A4
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont
    from reportlab.pdfgen.canvas import Canvas

    pdfmetrics.registerFont(UnicodeCIDFont(HAN_FONT))
    target = io.BytesIO()
    canvas = Canvas(target, pagesize=A4, invariant=1)
    canvas.setTitle(title)
    canvas.setAuthor(author)
    for number, lines in enumerate(pages, start=1):
        for mark, (label, page, level) in enumerate(outline):
            if page == number:
                canvas.bookmarkPage(f"mark{mark}")
                canvas.addOutlineEntry(label, f"mark{mark}", level)
        y = A4[1] - 60
        for line in lines:
            y = _draw(canvas, line, y, size)
        canvas.showPage()
    canvas.save()
    return target.getvalue()


def _draw(canvas: Any, line: str, y: float, size: float) -> float:
    font, height, text = "Helvetica", size, line
    if line.startswith("# "):
        font, height, text = "Helvetica-Bold", size * 1.6, line[2:]
    elif line.startswith("* "):
        font, text = "Helvetica-Bold", line[2:]
    if not text.isascii():
        font = HAN_FONT if any("\u3000" <= c <= "\u9fff" for c in text) else font
    canvas.setFont(font, height)
    first, *cells = text.split("\t")
    canvas.drawString(60, y, first)
    for column, cell in enumerate(cells):
        canvas.drawRightString(540 - 90 * (len(cells) - 1 - column), y, cell)
    return y - height * 1.3


def scanned_pdf(pages: int = 2) -> bytes:
    """A PDF whose pages hold a picture and no text."""
    from PIL import Image, ImageDraw
    from reportlab.lib.utils import ImageReader
    from reportlab.pdfgen.canvas import Canvas

    image = Image.new("RGB", (1240, 1754), "white")
    ImageDraw.Draw(image).text((120, 120), "INVOICE 4711", fill="black", font_size=60)
    target = io.BytesIO()
    canvas = Canvas(target, invariant=1)
    for _ in range(pages):
        canvas.drawImage(ImageReader(image), 0, 0, 595, 842)
        canvas.showPage()
    canvas.save()
    return target.getvalue()


def encrypted_pdf(data: bytes, *, user: str, owner: str = "owner") -> bytes:
    """The PDF, encrypted with AES-256. An empty `user` password opens without asking."""
    import pypdf

    writer = pypdf.PdfWriter(io.BytesIO(data))
    writer.encrypt(user_password=user, owner_password=owner, algorithm="AES-256")
    target = io.BytesIO()
    writer.write(target)
    return target.getvalue()


def docx_bytes(content: Sequence[tuple[str, Any]], *, title: str = "", author: str = "") -> bytes:
    """A Word file of (style, text) pairs; the style "table" takes a list of rows instead of a text."""
    import docx

    document = docx.Document()
    document.core_properties.title = title
    document.core_properties.author = author
    for style, value in content:
        if style == "table":
            table = document.add_table(rows=len(value), cols=len(value[0]))
            for row, cells in zip(table.rows, value, strict=True):
                for cell, text in zip(row.cells, cells, strict=True):
                    cell.text = text
        else:
            document.add_paragraph(value, style=style)
    target = io.BytesIO()
    document.save(target)
    return target.getvalue()


def xlsx_bytes(sheets: dict[str, Sequence[Sequence[Any]]], *, formats: dict[str, str] | None = None) -> bytes:
    """A workbook; `formats` are number formats by cell of the first sheet."""
    import openpyxl

    workbook = openpyxl.Workbook()
    workbook.remove(workbook.active)
    for name, rows in sheets.items():
        sheet = workbook.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    for place, number_format in (formats or {}).items():
        workbook.worksheets[0][place].number_format = number_format
    target = io.BytesIO()
    workbook.save(target)
    return target.getvalue()


def raw_pdf(objects: list[bytes]) -> bytes:
    """A PDF of these objects, of which the first is the catalogue."""
    out = bytearray(b"%PDF-1.7\n")
    places = []
    for number, body in enumerate(objects, start=1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, start)
    return bytes(out)
