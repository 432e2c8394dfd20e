"""Rows of tables for tests that need no parser."""

from __future__ import annotations

from rag.parsers.pdf_rows import cell_spans
from rag.types import Block, BlockKind, Cell, Table
from rag.types.tables import JOINT, packed, row_spans


def heads_of(text: str) -> tuple[str, ...]:
    """Column heads written as "Item | 2023"."""
    return tuple(text.split(JOINT)) if text else ()


def row_block(
    text: str,
    start: int = 0,
    heads: str = "",
    *,
    path: tuple[str, ...] = (),
    location: str = "",
    placed: bool = True,
    title: str = "",
) -> Block:
    """A row that is a table of its own. Cells and heads have " | " between them; unless `placed`, the row is
    a line of a PDF."""
    parts = ["", *text[2:].split(JOINT)] if text.startswith("| ") else text.split(JOINT)
    cells = packed(start, row_spans(parts) if placed else cell_spans(text))
    end, over = start + len(text), tuple((head,) for head in heads_of(heads))
    table = Table(start, end, over, (), placed, path, location, rows=(cells,), title=title)
    return Block(BlockKind.TABLE_ROW, start, end, path, location=location, table=table)


def cells_of(text: str, start: int = 0) -> tuple[Cell, ...]:
    """The cells of a row "Revenue | 412.6"."""
    return row_block(text, start).cells
