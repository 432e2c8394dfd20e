"""PDF by reportlab: headings with bookmarks, tables with repeated headers, footers, embedded Chinese font."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from corpora.rendering.source import Block, Source, blocks, is_figure

FONT_FILE = Path(__file__).parents[1] / "fonts" / "DroidSansFallback-subset.ttf"
_HAN_FONT = "DroidSansFallback"
# What the standard fonts can write; everything else is set in the Chinese font.
_LATIN = re.compile(r"[\u0000-\u00ff\u2013\u2014\u2018\u2019\u201c\u201d\u2022\u2026\u20ac]+")
_WIDTH, _MARGIN = 595.28, 62.0


def render_pdf(source: Source, target: Path) -> None:
    """Writes `target`. The same source gives the same bytes (reportlab's invariant mode)."""
    from reportlab.lib.pagesizes import A4
    from reportlab.platypus import BaseDocTemplate, Frame, PageTemplate

    _register_font()
    styles = _styles(source.language)

    class Template(BaseDocTemplate):  # type: ignore[misc]
        def afterFlowable(self, flowable: Any) -> None:
            level = getattr(flowable, "outline_level", None)
            if level is None:
                return
            key = f"h{id(flowable)}"
            self.canv.bookmarkPage(key)
            self.canv.addOutlineEntry(flowable.getPlainText(), key, level=level, closed=False)
            if level <= 1:
                self.notify(
                    "TOCEntry", (level, _fonts(escape(flowable.getPlainText()), source.language), self.page)
                )

    document = Template(
        str(target), pagesize=A4, title=source.title, author=source.author, subject=source.mark,
        keywords="fictional", invariant=1, lang=source.language,
    )  # fmt: skip
    frame = Frame(
        _MARGIN, 64, _WIDTH - 2 * _MARGIN, A4[1] - 64 - 66, id="body", leftPadding=0, rightPadding=0
    )
    document.addPageTemplates(PageTemplate(id="page", frames=[frame], onPage=_furniture(source)))
    document.multiBuild(_story(source, styles))


def _furniture(source: Source) -> Any:
    """Running header and footer; the footer bears the fictional mark and the page number."""

    from reportlab.platypus import Paragraph

    small = _styles(source.language)["small"]

    def line(canvas: Any, text: str, y: float) -> None:
        paragraph = Paragraph(_fonts(escape(text), source.language), small)
        paragraph.wrapOn(canvas, _WIDTH - 2 * _MARGIN, 20)
        paragraph.drawOn(canvas, _MARGIN, y)

    def draw(canvas: Any, document: Any) -> None:
        canvas.saveState()
        if document.page > 1:
            line(canvas, source.title, 797)
        line(canvas, source.mark, 36)
        canvas.setFont("Helvetica", 7.5)
        canvas.drawRightString(_WIDTH - _MARGIN, 26, str(document.page))
        canvas.restoreState()

    return draw


def _story(source: Source, styles: dict[str, Any]) -> list[Any]:
    from reportlab.platypus import PageBreak, Paragraph, Spacer
    from reportlab.platypus.tableofcontents import TableOfContents

    story: list[Any] = [Paragraph(_fonts(escape(source.title), source.language), styles["title"])]
    if source.subtitle:
        story.append(Paragraph(_fonts(escape(source.subtitle), source.language), styles["subtitle"]))
    if source.contents:
        toc = TableOfContents(levelStyles=[styles["toc"], styles["toc2"]])
        story += [
            Paragraph("目录" if source.language == "zh" else "Contents", styles["h2"]),
            toc,
            PageBreak(),
        ]
    for block in blocks(source.body):
        if block.kind == "break":
            story.append(PageBreak())
        elif block.kind == "table":
            story += [_table(block, styles, source.language), Spacer(1, 9)]
        elif block.kind == "heading":
            style = styles[f"h{min(block.level, 4)}"]
            heading = Paragraph(_markup(block.text, source.language), style)
            heading.outline_level = max(block.level - 2, 0)
            story.append(heading)
        else:
            bullet = "•" if block.kind == "item" else None
            style = styles["item" if bullet else "body"]
            story.append(Paragraph(_markup(block.text, source.language), style, bulletText=bullet))
    return story


def _table(block: Block, styles: dict[str, Any], language: str) -> Any:
    from reportlab.lib import colors
    from reportlab.platypus import Paragraph, Table, TableStyle

    figures = [
        all(is_figure(row[c]) or not row[c] for row in block.rows[1:]) for c in range(len(block.rows[0]))
    ]

    def cell(text: str, row: int, column: int) -> Any:
        name = ("figurehead" if figures[column] else "cellhead") if row == 0 else None
        return Paragraph(_markup(text, language), styles[name or ("figure" if figures[column] else "cell")])

    cells = [[cell(text, i, c) for c, text in enumerate(row)] for i, row in enumerate(block.rows)]
    table = Table(cells, colWidths=_column_widths(block.rows, language), repeatRows=1, hAlign="LEFT")
    table.setStyle(
        TableStyle(
            [
                ("LINEABOVE", (0, 0), (-1, 0), 0.8, colors.black),
                ("LINEBELOW", (0, 0), (-1, 0), 0.5, colors.black),
                ("LINEBELOW", (0, -1), (-1, -1), 0.8, colors.black),
                ("LINEBELOW", (0, 1), (-1, -2), 0.2, colors.lightgrey),
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("TOPPADDING", (0, 0), (-1, -1), 2.2),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 2.6),
            ]
        )
    )
    return table


def _column_widths(rows: tuple[tuple[str, ...], ...], language: str) -> list[float]:
    """Shares of the text width by each column's longest cell, dampened: prose must not starve figures."""
    scale = 2.0 if language == "zh" else 1.0
    longest = [max(max(len(row[c]) for row in rows) * scale, 8) for c in range(len(rows[0]))]
    shares = [n**0.6 for n in longest]
    return [(_WIDTH - 2 * _MARGIN) * s / sum(shares) for s in shares]


def _markup(text: str, language: str) -> str:
    return _fonts(re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", escape(text)), language)


def _fonts(markup: str, language: str) -> str:
    """In Chinese documents the base font has no Latin letters: those runs are set in Helvetica."""
    if language != "zh":
        return markup
    pieces = re.split(r"(<[^>]+>|&\w+;)", markup.replace("<b>", "").replace("</b>", ""))
    return "".join(
        p if p.startswith("<") else _LATIN.sub(lambda m: f'<font name="Helvetica">{m.group()}</font>', p)
        for p in pieces
    )


def _register_font() -> None:
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont

    if _HAN_FONT not in pdfmetrics.getRegisteredFontNames() and FONT_FILE.exists():
        pdfmetrics.registerFont(TTFont(_HAN_FONT, str(FONT_FILE)))


def _styles(language: str) -> dict[str, Any]:
    from reportlab.lib.enums import TA_JUSTIFY, TA_LEFT, TA_RIGHT
    from reportlab.lib.styles import ParagraphStyle

    chinese = language == "zh"
    text, bold = (_HAN_FONT, _HAN_FONT) if chinese else ("Times-Roman", "Helvetica-Bold")
    sans = _HAN_FONT if chinese else "Helvetica"
    wrap = "CJK" if chinese else None

    def style(name: str, font: str, size: float, **more: Any) -> Any:
        return ParagraphStyle(
            name, fontName=font, fontSize=size, leading=more.pop("leading", size * 1.4), wordWrap=wrap, **more
        )

    return {
        "title": style("title", bold, 19, spaceAfter=6),
        "subtitle": style("subtitle", sans, 11, spaceAfter=16),
        "h1": style("h1", bold, 16, spaceBefore=14, spaceAfter=6, keepWithNext=1),
        "h2": style("h2", bold, 12.5, spaceBefore=14, spaceAfter=5, keepWithNext=1),
        "h3": style("h3", bold, 10.5, spaceBefore=9, spaceAfter=4, keepWithNext=1),
        "h4": style("h4", bold, 9.5, spaceBefore=6, spaceAfter=3, keepWithNext=1),
        "body": style("body", text, 10.5, alignment=TA_LEFT if chinese else TA_JUSTIFY, spaceAfter=6),
        "item": style("item", text, 10.5, leftIndent=14, bulletIndent=3, spaceAfter=3),
        "cell": style("cell", sans, 8.5),
        "cellhead": style("cellhead", bold, 8.5),
        "figurehead": style("figurehead", bold, 8.5, alignment=TA_RIGHT),
        "figure": style("figure", sans, 8.5, alignment=TA_RIGHT),
        "small": style("small", sans, 7.5, textColor="#595959"),
        "toc": style("toc", sans, 9.5, spaceBefore=3),
        "toc2": style("toc2", sans, 8.5, leftIndent=14),
    }
