"""`benchmarks/tables.py` counts the cells of tables that are read as they stand in HTML."""

from __future__ import annotations

from pathlib import Path

from benchmarks.tables import compare, tables

MARKDOWN = """# Mill

| Item | 2024 | 2023 |
|---|---|---|
| Flour sold | $1,200 | — |
| Bran | 310 | 290 |
"""
HEADS = ("Item", "2024", "2023")


def test_cells_count_as_right_in_a_row_of_their_label_and_under_their_own_head(tmp_path: Path) -> None:
    path = tmp_path / "mill.md"
    path.write_text(MARKDOWN, "utf-8")
    (rows,) = tables(path)
    assert rows[0] == list(HEADS)
    right = [(["Flour sold", "$ 1,200", "–"], HEADS), (["Bran", "310", "290"], HEADS)]
    assert compare(rows, right) == (4, 4, 4)
    moved = [(["Flour sold", "–", "$ 1,200"], HEADS), (["Brine", "310", "290"], HEADS)]
    assert compare(rows, moved) == (4, 2, 0)
