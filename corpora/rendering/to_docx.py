"""DOCX by python-docx: built-in heading styles, tables with a header row, the fictional mark as footer."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Any

from corpora.rendering.archive import freeze_zip
from corpora.rendering.source import Block, Source, blocks

_EPOCH = dt.datetime(2025, 1, 1)


def render_docx(source: Source, target: Path) -> None:
    import docx

    document = docx.Document()
    properties = document.core_properties
    properties.title, properties.author = source.title, source.author
    properties.comments = properties.subject = source.mark
    properties.language = source.language
    properties.created = properties.modified = _EPOCH
    _set_fonts(document, source.language)
    document.sections[0].footer.paragraphs[0].text = source.mark
    document.add_heading(source.title, level=0)
    if source.subtitle:
        document.add_paragraph(source.subtitle)
    for block in blocks(source.body):
        _add(document, block)
    document.save(str(target))
    freeze_zip(target)


def _add(document: Any, block: Block) -> None:
    if block.kind == "heading":
        document.add_heading(block.text, level=max(block.level - 1, 1))
    elif block.kind == "break":
        document.add_page_break()
    elif block.kind == "table":
        table = document.add_table(rows=0, cols=len(block.rows[0]), style="Table Grid")
        for number, row in enumerate(block.rows):
            for cell, text in zip(table.add_row().cells, row, strict=True):
                _runs(cell.paragraphs[0], f"**{text}**" if number == 0 and text else text)
        document.add_paragraph()
    else:
        _runs(document.add_paragraph(style="List Bullet" if block.kind == "item" else None), block.text)


def _runs(paragraph: Any, text: str) -> None:
    for number, piece in enumerate(re.split(r"\*\*(.+?)\*\*", text)):
        if piece:
            paragraph.add_run(piece).bold = True if number % 2 else None


def _set_fonts(document: Any, language: str) -> None:
    from docx.oxml.ns import qn

    if language == "zh":
        fonts = document.styles["Normal"].element.get_or_add_rPr().get_or_add_rFonts()
        fonts.set(qn("w:eastAsia"), "SimSun")
