"""Rows as labels and figures: the characters of each figure, and its value."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.domains.finance.figures.cells import FigureCell, read_cells, read_figure
from tests.rows import row_block


def read(text: str, start: int = 0) -> tuple[str, tuple[FigureCell, ...]]:
    return read_cells(row_block(text, start), text)


@pytest.mark.parametrize(
    ("printed", "value"),
    [
        ("1,234", "1234"),
        ("(1,234)", "-1234"),
        ("$ (2,716)", "-2716"),
        ("($2,716)", "-2716"),
        ("-7.5", "-7.5"),
        ("−7.5", "-7.5"),
        ("（1,234.50）", "-1234.50"),
        ("１２３", "123"),
        ("5.6 %", "5.6"),
        ("(13.2%)", "-13.2"),
        ("(13.2)%", "-13.2"),
        ("—", "0"),
        ("3.2 million", "3200000"),
        ("2.5亿元", "250000000"),
        ("HK$ 12", "12"),
        ("1,204 (2)", "1204"),
        ("388*", "388"),
        (".75", "0.75"),
    ],
)
def test_figure_has_the_value_that_a_reader_takes_from_it(printed: str, value: str) -> None:
    cell = read_figure(printed)
    assert cell is not None
    assert cell.value == Decimal(value)


@pytest.mark.parametrize(
    "text", ["", "Total assets", "2031-06-15", "1,23", "12 days", "Note 7", "1.2.3", "A-"]
)
def test_what_is_no_figure_is_none(text: str) -> None:
    assert read_figure(text) is None


def test_word_for_nothing_has_no_value_and_keeps_its_column() -> None:
    _, cells = read("Return on sales | n/a | 5.0% | —")
    assert [(cell.place, cell.value) for cell in cells] == [(1, None), (2, Decimal("5.0")), (3, Decimal(0))]


def test_signs_beside_a_figure_are_part_of_it() -> None:
    text = "Net loss | $ ( 12 ) | $ 13 | 5.6 %"
    label, cells = read(text, 100)
    assert [cell.printed for cell in cells] == ["$ ( 12 )", "$ 13", "5.6 %"]
    assert [text[cell.start - 100 : cell.end - 100] for cell in cells] == ["$ ( 12 )", "$ 13", "5.6 %"]
    assert label == "Net loss"


def test_figures_inside_a_label_stay_in_it() -> None:
    label, cells = read("Receivables, less allowances of $41 (2019, $37) | 8,250 | 7,940")
    assert label.endswith("$37)")
    assert [cell.printed for cell in cells] == ["8,250", "7,940"]


def test_cells_of_a_grid_keep_their_columns_when_some_are_empty() -> None:
    _, cells = read("Group revenue | 318.2 |  | (296.4)")
    assert [(cell.place, cell.value) for cell in cells] == [(1, Decimal("318.2")), (3, Decimal("-296.4"))]


def test_row_without_a_label_is_read_from_its_joint() -> None:
    text = "| 3 | 4"
    label, cells = read(text)
    assert label == ""
    assert [(cell.place, text[cell.start : cell.end]) for cell in cells] == [(1, "3"), (2, "4")]


_AMOUNTS = st.integers(-(10**12), 10**12)


def _printed(value: int, dollar: bool) -> str:
    text = f"({abs(value):,})" if value < 0 else f"{value:,}"
    return f"$ {text}" if dollar else text


@given(st.lists(st.tuples(_AMOUNTS, st.booleans()), min_size=2, max_size=6), st.integers(0, 1000))
def test_every_amount_comes_back_from_a_row(amounts: list[tuple[int, bool]], start: int) -> None:
    text = " | ".join(["Total assets", *(_printed(value, dollar) for value, dollar in amounts)])
    label, cells = read(text, start)
    assert label == "Total assets"
    assert [cell.value for cell in cells] == [value for value, _ in amounts]
    assert all(text[cell.start - start : cell.end - start] == cell.printed for cell in cells)


@given(st.text(min_size=1, max_size=80).map(str.strip), st.integers(0, 50))
def test_any_text_is_a_row_whose_cells_are_its_own_characters(text: str, start: int) -> None:
    _, cells = read(text, start)
    spans = [(cell.start - start, cell.end - start) for cell in cells]
    assert all(0 <= begin < end <= len(text) for begin, end in spans)
    assert spans == sorted(spans)
    assert [text[begin:end] for begin, end in spans] == [cell.printed for cell in cells]
