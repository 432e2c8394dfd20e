"""What is parsed of a PDF is what a person sees on its pages: words, marks and losses. The files are made here."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rag.parsers import parse
from rag.types import BlockKind, Document
from tests.files import write

Draw = Callable[[Any], None]


def canvas_pdf(*pages: Draw) -> bytes:
    """A PDF of A4 pages drawn by functions of a reportlab canvas."""
    from reportlab.lib.pagesizes import A4
    from reportlab.pdfgen.canvas import Canvas

    target = io.BytesIO()
    canvas = Canvas(target, pagesize=A4, invariant=1)
    for draw in pages:
        canvas.setFont("Times-Roman", 11)
        draw(canvas)
        canvas.showPage()
    canvas.save()
    return target.getvalue()


def read(tmp_path: Path, data: bytes) -> Document:
    document = parse(write(tmp_path, "a.pdf", data), path="a.pdf")
    for mark in document.marks:
        assert 0 <= mark.start <= mark.end <= len(document.text)
    return document


def blocks(document: Document) -> list[str]:
    return [" ".join(document.text[b.start : b.end].split()) for b in document.blocks]


def lines(canvas: Any, x: float, y: float, texts: list[str], leading: float = 14) -> None:
    for n, text in enumerate(texts):
        canvas.drawString(x, y - n * leading, text)


LEFT = [
    "The tenant shall keep the garden in",
    "good order and shall not fell a tree",
    "without the written consent of the",
    "landlord, who may refuse it where",
    "the tree is older than forty years.",
]
RIGHT = [
    "The deposit is nine hundred marks",
    "and is held by a bank of the town",
    "of Ellerby. It is paid back within",
    "thirty days after the keys are given",
    "back, less what is owed for repairs.",
]


def test_columns_that_a_pdf_writes_line_by_line_are_read_one_after_the_other(tmp_path: Path) -> None:
    def draw(canvas: Any) -> None:
        canvas.drawString(72, 760, "House rules of the estate, which apply to all the houses of it")
        for n, (left, right) in enumerate(zip(LEFT, RIGHT, strict=True)):
            canvas.drawString(72, 720 - 14 * n, left)
            canvas.drawString(320, 720 - 14 * n, right)

    document = read(tmp_path, canvas_pdf(draw))
    text = " ".join(document.text.split())
    assert " ".join(LEFT) in text
    assert " ".join(RIGHT) in text
    assert text.index(LEFT[0]) < text.index(RIGHT[0])


def test_a_table_of_figures_is_no_pair_of_columns(tmp_path: Path) -> None:
    labels = [
        "Cost of sales and services",
        "selling expenses of the year",
        "profit before all taxes",
        "tax of the year",
    ]

    def draw(canvas: Any) -> None:
        for n, label in enumerate(labels):
            canvas.drawString(72, 720 - 14 * n, label)
            canvas.drawRightString(400, 720 - 14 * n, f"1,{n}00.5")
            canvas.drawRightString(470, 720 - 14 * n, f"9{n}0.1")

    document = read(tmp_path, canvas_pdf(draw))
    rows = [b for b in document.blocks if b.kind is BlockKind.TABLE_ROW]
    assert len(rows) == 4
    assert blocks(document)[1] == "selling expenses of the year 1,100.5 910.1"
