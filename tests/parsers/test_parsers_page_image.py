"""Page pictures, and boxes that lie over the quoted words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rag.errors import InputError, ParseError
from rag.parsers import parse
from rag.parsers.page_image import find_boxes, render_page
from tests.files import pdf_bytes, write
from tests.parsers.test_parsers_words_pdf import LEFT, RIGHT, canvas_pdf, draw_runs, lines

LINES = [
    "# Loan",
    "",
    "The borrower shall repay the",
    "loan in full by June.",
    "",
    "The lender agrees.",
    "Total\t12,345\t67,890",
]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write(tmp_path, "贷款 loan.pdf", pdf_bytes([["Cover"], LINES]))


def dark(path: Path, box: tuple[float, float, float, float]) -> int:
    """Dark pixels of page 2 within a box."""
    image = render_page(path, 2, scale=2).convert("L")
    width, height = image.size
    crop = image.crop(
        (int(box[0] * width), int(box[1] * height), int(box[2] * width) + 1, int(box[3] * height) + 1)
    )
    return sum(crop.histogram()[:128])


def test_a_page_is_drawn_at_the_scale_asked_for(source: Path) -> None:
    assert render_page(source, 1, scale=2).size == (1191, 1684)
    assert render_page(source, 1, scale=1000).size[0] < 5000


def test_a_quote_over_two_lines_has_a_box_per_line_over_its_ink(source: Path) -> None:
    boxes = find_boxes(source, 2, "borrower shall repay the\nloan in full")
    assert len(boxes) == 2
    first, second = boxes
    assert first[1] < second[1] and first[3] <= second[3]
    for box in boxes:
        assert 0 <= box[0] < box[2] <= 1 and 0 <= box[1] < box[3] <= 1
        assert dark(source, box) > 50
    whole = render_page(source, 2, scale=2).convert("L")
    assert sum(whole.histogram()[:128]) > sum(dark(source, box) for box in boxes)


def test_white_space_and_case_do_not_matter(source: Path) -> None:
    assert find_boxes(source, 2, "the  LENDER\n agrees.") == find_boxes(source, 2, "The lender agrees.") != []


def test_every_block_of_a_document_is_found_on_its_page(source: Path) -> None:
    document = parse(source, path="a.pdf")
    for block in document.blocks:
        page = document.page_of(block.start)
        assert page is not None
        assert find_boxes(source, page, document.text[block.start : block.end])


def test_a_quote_that_begins_or_ends_on_another_page_is_found_by_its_part(source: Path) -> None:
    tail = "The lender agrees. Total 12,345 67,890"
    assert find_boxes(source, 2, tail + " and words of the following page") == find_boxes(source, 2, tail)


def test_words_that_are_not_there_have_no_box(source: Path) -> None:
    assert find_boxes(source, 2, "not on this page") == []
    assert find_boxes(source, 2, " \n ") == []


def test_boxes_follow_a_rotated_page(source: Path, tmp_path: Path) -> None:
    import pypdf

    writer = pypdf.PdfWriter(clone_from=source)
    for page in writer.pages:
        page.rotate(90)
    target = tmp_path / "rotated.pdf"
    writer.write(target)
    (box,) = find_boxes(target, 2, "The lender agrees.")
    assert box[3] - box[1] > box[2] - box[0]
    assert dark(target, box) > 50


def test_missing_pages_and_files_are_errors_that_say_so(source: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="pages 1 to 2, not 3"):
        render_page(source, 3)
    with pytest.raises(InputError):
        find_boxes(source, 0, "x")
    with pytest.raises(ParseError) as caught:
        render_page(tmp_path / "gone.pdf", 1)
    assert caught.value.status == "unreadable"


def test_many_threads_may_draw_and_search_at_once(source: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    def once(_: int) -> int:
        return len(find_boxes(source, 2, "The lender agrees.")) * render_page(source, 1, scale=0.5).size[0]

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(once, range(40))) == {298}


def test_a_quote_without_its_note_marks_is_found_and_its_exponents_too(tmp_path: Path) -> None:
    runs = [("The dose is 25", 11.0, 0.0), ("1", 6.5, 4.0), (" mg, the fee 40", 11.0, 0.0), ("2", 6.5, 4.0)]
    powers = [("Count 10", 11.0, 0.0), ("9", 6.5, 4.0), ("/L on 40 m", 11.0, 0.0), ("2", 6.5, 4.0)]

    def draw(canvas: Any) -> None:
        draw_runs(canvas, 72, 760, [*runs, (" and 3.", 11, 0)])
        draw_runs(canvas, 72, 740, powers)
        draw_runs(canvas, 72, 100, [("1", 5.5, 3), (" With food.", 8, 0)])
        draw_runs(canvas, 72, 88, [("2", 5.5, 3), (" In marks.", 8, 0)])

    path = write(tmp_path, "a.pdf", canvas_pdf(draw))
    quote = "The dose is 25 mg, the fee 40 and 3."
    assert quote in parse(path, path="a.pdf").text
    (box,) = find_boxes(path, 1, quote)
    assert box[0] == pytest.approx(72 / 595, abs=0.01) and box[2] > 0.38
    assert len(find_boxes(path, 1, "Count 10⁹/L on 40 m²")) == 1
    at = quote.index("40")
    (part,) = find_boxes(path, 1, quote, part=(at, at + 2))
    assert part[2] - part[0] < 0.03


def test_a_quote_of_one_column_is_boxed_in_it_and_one_of_both_in_both(tmp_path: Path) -> None:
    def draw(canvas: Any) -> None:
        for n, (left, right) in enumerate(zip(LEFT, RIGHT, strict=True)):
            canvas.drawString(72, 720 - 14 * n, left)
            canvas.drawString(320, 720 - 14 * n, right)

    path = write(tmp_path, "a.pdf", canvas_pdf(draw))
    boxes = find_boxes(path, 1, " ".join(LEFT))
    assert len(boxes) == 5
    assert all(box[2] < 0.5 for box in boxes)
    both = find_boxes(path, 1, " ".join([*LEFT[3:], *RIGHT[:2]]))
    assert [box[0] > 0.5 for box in both] == [False, False, True, True]


def test_few_words_behind_a_page_break_are_boxed_and_what_is_alike_by_chance_is_not(tmp_path: Path) -> None:
    first = ["The tenant gives the mill back in good order, and the landlord pays the deposit in the"]
    pages = (first, ["town of Ellerby.", "The rent of the mill is due in May."])
    path = write(tmp_path, "a.pdf", canvas_pdf(*(lambda c, t=t: lines(c, 72, 760, t) for t in pages)))
    quote = " ".join([*first, "town of Ellerby."])
    assert len(find_boxes(path, 1, quote)) == len(find_boxes(path, 2, quote)) == 1
    assert find_boxes(path, 2, "The mill was let to a miller and his men for the sum of nine marks.") == []
