"""What is parsed of a PDF is what a person sees on its pages: words, marks and losses.

The files are made here."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from rag.errors import ParseError
from rag.parsers import parse
from rag.types import BlockKind, Document, Loss, LossKind, MarkKind
from tests.files import raw_pdf, write

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


def test_a_word_cut_at_the_end_of_a_column_does_not_tie_the_columns_together(tmp_path: Path) -> None:
    left = (
        "Do not use the lift in a fire.|Walk down the east stairs and|wait at the gate until the infor-|"
        "mation officer has counted all|who work on the floor."
    )
    right = (
        "A visitor signs the book at the|desk and wears the badge that|the porter hands out for infor-|"
        "mation. Lost badges are to be|paid for at the desk."
    )

    def draw(canvas: Any) -> None:
        canvas.setFont("Helvetica", 10)
        for n, row in enumerate(zip(left.split("|"), right.split("|"), strict=True)):
            for x, text in zip((60, 320), row, strict=True):
                canvas.drawString(x, 740 - 13 * n, text)
        canvas.drawString(60, 600, "All information is given in writing.")

    text = " ".join(read(tmp_path, canvas_pdf(draw)).text.split())
    assert "wait at the gate until the information officer has counted all who work on the floor." in text
    assert "that the porter hands out for information. Lost badges are to be paid for at the desk." in text


@pytest.mark.parametrize("noted", [(0,), (0, 1)], ids=["the first column", "both columns"])
def test_a_note_under_a_column_leaves_the_sentence_that_goes_on_whole(
    tmp_path: Path, noted: tuple[int, ...]
) -> None:
    left = [*LEFT[:3], "landlord, who may refuse it where", "the tree is older than forty"]
    right = ["years or stands beside the brook.", *RIGHT[:3]]

    def draw(canvas: Any) -> None:
        for n, (x, column) in enumerate(((72, left), (320, right))):
            canvas.setFont("Times-Roman", 11)
            lines(canvas, x, 720, column)
            if n in noted:
                canvas.setFont("Times-Roman", 8)
                lines(
                    canvas, x, 600, [f"{n + 1} Town order of 1987, as it was", "amended in the year 2004."], 9
                )

    found = blocks(read(tmp_path, canvas_pdf(draw)))
    assert " ".join((*left, *right[:1])) in " ".join(found)
    assert f"{noted[0] + 1} Town order of 1987, as it was amended in the year 2004." in found


def test_a_row_or_a_label_with_its_value_is_no_title(tmp_path: Path) -> None:
    def form(canvas: Any) -> None:
        lines(
            canvas,
            72,
            760,
            ["Patient name: Maria Keller", "Born: 4 May 1961", "The ward is the north one."],
            40,
        )

    def table(canvas: Any) -> None:
        for n, row in enumerate((("Region", "Lots"), ("North", "120"), ("South", "88"), ("East", "45"))):
            canvas.rect(72, 740 - 20 * n, 100, 20)
            canvas.rect(172, 740 - 20 * n, 100, 20)
            canvas.drawString(76, 746 - 20 * n, row[0])
            canvas.drawString(176, 746 - 20 * n, row[1])
        canvas.drawString(72, 600, "All lots are of the year.")

    assert read(tmp_path, canvas_pdf(form)).title == "a"
    assert read(tmp_path, canvas_pdf(table)).title == "a"


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


def test_a_sentence_over_a_page_break_stays_one_and_stands_on_both_pages(tmp_path: Path) -> None:
    def page(number: int, texts: list[str]) -> Draw:
        def draw(canvas: Any) -> None:
            canvas.drawString(72, 800, "Lease of the mill at Ellerby. Confidential.")
            lines(canvas, 72, 760, texts)
            canvas.drawString(290, 40, f"Page {number} of 3")

        return draw

    document = read(
        tmp_path,
        canvas_pdf(
            page(1, ["4.1 The tenant shall give the mill back in good order, and the landlord shall within"]),
            page(
                2,
                ["twenty-one days pay back the deposit of 900 marks.", "4.2 The rent is due in May, in the"],
            ),
            page(3, ["town of Ellerby.", "4.3 Rent is not paid in June."]),
        ),
    )
    text = " ".join(document.text.split())
    assert "the landlord shall within twenty-one days pay back the deposit of 900 marks." in text
    assert "in May, in the town of Ellerby." in text
    start = document.text.index("4.1 The tenant")
    assert document.page_of(start) == 1
    assert document.page_of(document.text.index("twenty-one")) == 2
    assert document.page_of(document.text.index("town of")) == 3
    assert [document.text[p.start :].split(" ")[0] for p in document.pages] == ["Lease", "twenty-one", "town"]
    assert text.count("Confidential.") == 3
    assert text.count("of 3") == 3
    crossing = next(b for b in document.blocks if b.start == start)
    assert document.page_of(crossing.end - 1) != 1


def test_a_note_below_a_sentence_that_goes_on_overleaf_does_not_cut_it(tmp_path: Path) -> None:
    def first(canvas: Any) -> None:
        lines(canvas, 72, 780, ["The harbour lends boats to the school of the village in each summer."])
        lines(canvas, 72, 740, ["The school pays for them in three parts, of which the first falls due"])
        canvas.setFont("Helvetica", 7)
        lines(canvas, 72, 60, ["1 Boats with a motor are not lent.", "2 See the list of boats."], 9)

    def second(canvas: Any) -> None:
        lines(canvas, 72, 780, ["six weeks after the first lesson, and the others in autumn."])

    document = read(tmp_path, canvas_pdf(first, second))
    sentence = next(
        block for block in document.blocks if "of which the first" in document.text[block.start : block.end]
    )
    text = document.text[sentence.start : sentence.end]
    assert "falls due\nsix weeks after the first lesson" in text
    note = next(block for block in document.blocks if document.text[block.start :].startswith("1 Boats"))
    assert document.page_of(note.start) == 1


def test_a_new_paragraph_on_the_next_page_is_one_of_its_own(tmp_path: Path) -> None:
    document = read(
        tmp_path,
        canvas_pdf(
            lambda canvas: lines(canvas, 72, 760, ["The mill is let for seven years."]),
            lambda canvas: lines(canvas, 72, 760, ["The rent is 90 marks."]),
        ),
    )
    assert blocks(document) == ["The mill is let for seven years.", "The rent is 90 marks."]


def test_a_number_repeated_in_figures_on_the_next_line_begins_no_item(tmp_path: Path) -> None:
    texts = [
        "16.2 The directors of each Party shall try to settle a dispute within thirty",
        "(30) days of a notice of dispute; the items are:",
        "(1) a first one that is short,",
        "(2) a second one.",
    ]
    document = read(tmp_path, canvas_pdf(lambda canvas: lines(canvas, 60, 700, texts)))
    assert "within thirty (30) days of a notice" in " ".join(blocks(document)[0].split())
    assert [b for b in blocks(document) if b.startswith("(")] == texts[2:]


def test_words_cut_at_a_line_end_are_whole_and_compounds_keep_their_hyphen(tmp_path: Path) -> None:
    texts = [
        "The duty of con-",
        "fidentiality binds the tenant, who keeps the inven-",
        "tory of the house and has a long-",
        "term interest in it. A long-term lease needs a deed.",
    ]
    document = read(tmp_path, canvas_pdf(lambda canvas: lines(canvas, 72, 760, texts)))
    text = " ".join(document.text.split())
    assert "duty of confidentiality binds" in text
    assert "inventory of" in text
    assert "a long-term interest" in text


def test_where_lines_break_words_two_words_that_make_one_are_one(tmp_path: Path) -> None:
    broken = [
        "The war-",
        "den keeps the ware-",
        "house dry; the goods are cov-",
        "ered, and a non-",
        "exclusive right is no long-",
        "term one. Thrombocyto-",
        "penia is declared, with no obli-",
        "gation of the insu-",
        "rer under the con-",
        "tract as it is.",
    ]
    document = read(tmp_path, canvas_pdf(lambda canvas: lines(canvas, 72, 760, broken)))
    text = " ".join(document.text.split())
    for said in ("The warden keeps", "warehouse dry", "covered, and a non-exclusive", "no long-term one"):
        assert said in text
    assert "Thrombocytopenia is declared" in text
    assert "the contract as" in text


def test_where_no_line_breaks_a_word_a_hyphen_at_its_end_is_meant(tmp_path: Path) -> None:
    whole = [
        "The know-",
        "how of the seller, its counter-",
        "offers and the stand-",
        "alone plant are non-",
        "current assets.",
    ]
    document = read(tmp_path, canvas_pdf(lambda canvas: lines(canvas, 72, 760, whole)))
    text = " ".join(document.text.split())
    for said in ("know-how", "counter-offers", "stand-alone", "non-current"):
        assert said in text


def test_a_first_line_of_prose_is_no_heading_where_tables_have_smaller_type(tmp_path: Path) -> None:
    def draw(canvas: Any) -> None:
        lines(
            canvas,
            72,
            760,
            [
                "Spending on research was USD 64.2 million. The group filed 37",
                "patent applications in the year.",
            ],
        )
        canvas.setFont("Times-Roman", 8)
        for n in range(40):
            canvas.drawString(72, 700 - 12 * n, f"Cost of item {n} of the long list of them")
            canvas.drawRightString(500, 700 - 12 * n, f"1,{n:03}.5")

    document = read(tmp_path, canvas_pdf(draw))
    assert blocks(document)[0].endswith("The group filed 37 patent applications in the year.")


def draw_runs(canvas: Any, x: float, y: float, runs: list[tuple[str, float, float]]) -> None:
    """Text in one line: (words, size, rise) one behind the other."""
    for text, size, rise in runs:
        canvas.setFont("Times-Roman", size)
        canvas.drawString(x, y + rise, text)
        x += canvas.stringWidth(text, "Times-Roman", size)


@pytest.mark.parametrize("size", [6.5, 9.2], ids=["word processors", "browsers"])
def test_raised_marks_are_no_part_of_a_number_and_lead_to_their_note(tmp_path: Path, size: float) -> None:
    def page(drug: str, note: str) -> Draw:
        def draw(canvas: Any) -> None:
            up = (size, 4.0)
            draw_runs(
                canvas,
                72,
                760,
                [
                    (f"The dose of {drug} is 25", 11, 0),
                    ("1", *up),
                    (" mg and the fee 40", 11, 0),
                    ("2", *up),
                    (".", 11, 0),
                ],
            )
            draw_runs(
                canvas,
                72,
                740,
                [
                    ("Count 10", 11, 0),
                    ("9", *up),
                    ("/L on 40 m", 11, 0),
                    ("2", *up),
                    (" of H", 11, 0),
                    ("2", size, -2),
                    ("O.", 11, 0),
                ],
            )
            draw_runs(canvas, 72, 100, [("1", 0.75 * size, 3), (f" {note}", 8, 0)])
            draw_runs(canvas, 72, 88, [("2", 0.75 * size, 3), (" In marks.", 8, 0)])

        return draw

    document = read(tmp_path, canvas_pdf(page("Metrovine", "With food."), page("Ellerin", "At night.")))
    text = " ".join(document.text.split())
    assert "The dose of Metrovine is 25 mg and the fee 40." in text
    assert "The dose of Ellerin is 25 mg" in text
    assert "Count 10⁹/L on 40 m² of H2O." in text
    marks = [m for m in document.marks if m.kind is MarkKind.RAISED]
    assert [document.text[m.start - 2 : m.start] for m in marks] == ["25", "40", "25", "40"]
    assert all(m.start == m.end for m in marks)
    notes = [document.text[m.leads_to :].split(".")[0] for m in marks if m.leads_to is not None]
    assert notes == ["With food", "In marks", "At night", "In marks"]
    assert [document.text[m.start : m.end] for m in document.marks if m.kind is MarkKind.LOWERED] == [
        "2",
        "2",
    ]


def test_raised_type_that_is_hardly_smaller_is_no_part_of_a_figure_in_a_table(tmp_path: Path) -> None:
    rows = [("Item", "2024", "2025"), ("Sales", "231", "240"), ("Costs", "99", "101"), ("Tax", "12", "14")]

    def draw(canvas: Any) -> None:
        for n, row in enumerate(rows):
            for x, cell in zip((72, 200, 300), row, strict=True):
                draw_runs(canvas, x, 700 - 18 * n, [(cell, 11, 0), *([("2", 9.17, 4)] if x == 200 else [])])

    assert blocks(read(tmp_path, canvas_pdf(draw))) == [" ".join(row) for row in rows]


def test_a_large_initial_is_the_first_letter_of_the_word_beside_it(tmp_path: Path) -> None:
    def draw(canvas: Any) -> None:
        for y, initial, texts in (
            (760, "T", ["he council met on the third of May and chose a boat, which", "lies at the quay."]),
            (660, "A", ["boat may lie at the quay for three nights without a fee, after", "which it pays."]),
        ):
            canvas.setFont("Times-Bold", 34)
            canvas.drawString(72, y - 16, initial)
            right = 74 + canvas.stringWidth(initial)
            canvas.setFont("Times-Roman", 11)
            lines(canvas, right, y, texts)

    assert blocks(read(tmp_path, canvas_pdf(draw))) == [
        "The council met on the third of May and chose a boat, which lies at the quay.",
        "A boat may lie at the quay for three nights without a fee, after which it pays.",
    ]


def test_words_outside_of_what_is_shown_of_a_page_are_hidden(tmp_path: Path) -> None:
    def draw(canvas: Any) -> None:
        canvas.setCropBox((50, 50, 545, 792))
        lines(canvas, 72, 700, ["The fee is 14 marks."])
        lines(canvas, 20, 820, ["Job 8871, cyan."])

    document = read(tmp_path, canvas_pdf(draw))
    assert blocks(document) == ["Job 8871, cyan.", "The fee is 14 marks."]
    (mark,) = document.marks
    assert (mark.kind, document.text[mark.start : mark.end]) == (MarkKind.HIDDEN, "Job 8871, cyan.")


@pytest.mark.parametrize("sign", ["*", "†"])
def test_a_sign_behind_a_word_leads_to_its_note_in_type_of_any_size(tmp_path: Path, sign: str) -> None:
    def draw(canvas: Any) -> None:
        draw_runs(
            canvas, 72, 720, [("Twelve boats", 10, 0), (sign, 6, 4), (" were lent in the year.", 10, 0)]
        )
        canvas.drawString(72, 600, f"{sign} Two of them without oars.")

    document = read(tmp_path, canvas_pdf(draw))
    (mark,) = [mark for mark in document.marks if mark.kind is MarkKind.RAISED]
    assert mark.leads_to is not None
    assert "Two of them without oars." in document.text[mark.leads_to :]


def test_raised_marks_in_a_table_leave_its_figures(tmp_path: Path) -> None:
    def draw(canvas: Any) -> None:
        for n, label in enumerate(["Net sales", "Cost of sales", "Gross profit"]):
            draw_runs(canvas, 72, 700 - 16 * n, [(label, 10, 0), ("(1)", 6, 4)])
            canvas.setFont("Times-Roman", 10)
            canvas.drawRightString(400, 700 - 16 * n, f"1,{n}23.4")
            canvas.drawRightString(480, 700 - 16 * n, f"9{n}7.5")

    document = read(tmp_path, canvas_pdf(draw))
    assert blocks(document) == [
        "Net sales 1,023.4 907.5",
        "Cost of sales 1,123.4 917.5",
        "Gross profit 1,223.4 927.5",
    ]
    assert [len(b.cells) for b in document.blocks] == [3, 3, 3]
    assert len(document.marks) == 3


PROSE = (
    "The initial fee of the bakery is 38,500 marks and is not paid back.",
    "The licence is given for the term of ten years and may be renewed once by the holder.",
)


def garbled_pdf(texts: tuple[str, ...], code: Callable[[int], int]) -> bytes:
    """A PDF whose font shows `texts` and whose map of characters says `code` of each."""
    fonts = "".join(f"<{n:02x}> <{code(n):04x}>\n" for n in range(32, 127))
    cmap = (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /X def /CMapType 2 def\n"
        f"1 begincodespacerange <00> <ff> endcodespacerange\n95 beginbfchar\n{fonts}endbfchar\n"
        "endcmap end end"
    ).encode()
    drawn = "\n".join(
        f"BT /F1 12 Tf 72 {700 - 20 * n} Td ({text}) Tj ET" for n, text in enumerate(texts)
    ).encode()
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 5 0 R"
        b" /Resources << /Font << /F1 4 0 R >> >> >>",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /ToUnicode 6 0 R >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(drawn), drawn),
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(cmap), cmap),
    ]
    return raw_pdf(objects)


@pytest.mark.parametrize("shift", [-29, 3])
def test_a_shifted_map_of_characters_is_read_back(tmp_path: Path, shift: int) -> None:
    document = read(tmp_path, garbled_pdf(PROSE, lambda n: n + shift))
    assert " ".join(document.text.split()) == " ".join(PROSE)
    assert not document.losses


@pytest.mark.parametrize(
    "code", [lambda n: 0xE000 + n, lambda n: 0x25A1, lambda n: ord("bcdfghjklmnpqrstvwxz"[n % 20])]
)
def test_a_text_layer_that_is_no_language_is_a_loss(
    tmp_path: Path, code: Callable[[int], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    from pypdf import PdfReader, PdfWriter

    monkeypatch.setitem(sys.modules, "rapidocr_onnxruntime", None)
    bad = garbled_pdf(PROSE, code)
    with pytest.raises(ParseError, match=r"no language.*--ocr") as caught:
        read(tmp_path, bad)
    assert caught.value.status == "empty"
    writer = PdfWriter()
    good = canvas_pdf(lambda canvas: lines(canvas, 72, 760, list(PROSE)))
    for data in (good, bad):
        writer.append(PdfReader(io.BytesIO(data)))
    target = io.BytesIO()
    writer.write(target)
    document = read(tmp_path, target.getvalue())
    assert document.losses == (Loss(LossKind.UNREADABLE_TEXT, page=2),)
    assert " ".join(document.text.split()) == " ".join(PROSE)


中文 = (
    "甲方应当在合同签订之日起三十日内向乙方支付货款人民币五百万元整。",
    "乙方逾期交货的，每逾期一日应当向甲方支付合同总价千分之三的违约金。",
    "因不可抗力不能履行合同的，根据不可抗力的影响，部分或者全部免除责任。",
    "本合同自双方签字盖章之日起生效，有效期为二年，期满可以续签一次。",
    "双方因履行本合同发生争议的，应当协商解决，协商不成的向法院起诉。",
)


def composite_pdf(texts: tuple[str, ...], code: Callable[[str], str], plain: tuple[str, ...] = ()) -> bytes:
    """A PDF whose first font shows `texts` and says `code` of each character; `plain` in a sound one."""
    places = {c: n for n, c in enumerate(sorted(set("".join(texts))), 1)}
    maps = "".join(f"<{n:04x}> <{code(c).encode('utf-16-be').hex()}>\n" for c, n in places.items())
    cmap = (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /X def /CMapType 2 def\n"
        f"1 begincodespacerange <0000> <ffff> endcodespacerange\n{len(places)} beginbfchar\n{maps}endbfchar\n"
        "endcmap end end"
    ).encode()
    shown = ["".join(f"{places[c]:04x}" for c in text) for text in texts]
    drawn = [f"BT /F1 11 Tf 60 {760 - 20 * n} Td <{text}> Tj ET" for n, text in enumerate(shown)]
    drawn += [f"BT /F2 11 Tf 60 {500 - 20 * n} Td ({text}) Tj ET" for n, text in enumerate(plain)]
    page = "\n".join(drawn).encode()
    wide = 1000 if max(texts[0]) > "\u2e80" else 520
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 5 0 R"
        b" /Resources << /Font << /F1 4 0 R /F2 9 0 R >> >> >>",
        b"<< /Type /Font /Subtype /Type0 /BaseFont /ABCDEF+Song /Encoding /Identity-H"
        b" /DescendantFonts [7 0 R] /ToUnicode 6 0 R >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(page), page),
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(cmap), cmap),
        b"<< /Type /Font /Subtype /CIDFontType2 /BaseFont /ABCDEF+Song /DW %d /FontDescriptor 8 0 R"
        b" /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> >>" % wide,
        b"<< /Type /FontDescriptor /FontName /ABCDEF+Song /Flags 4 /FontBBox [0 -200 1000 900]"
        b" /ItalicAngle 0 /Ascent 900 /Descent -200 /CapHeight 700 /StemV 80 >>",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    return raw_pdf(objects)


AGREED = (
    "The franchisee shall pay a royalty of 6 per cent of the gross sales of each month.",
    "The royalty is due on the fifth day after the end of the month and bears interest.",
    *PROSE,
)
NOTICES = ("Notices under it are given in writing to the address of the other party.",)
SHUFFLED = "zyxwvutsrqponmlkjihgfedcba"
USED = "".join(dict.fromkeys("".join(AGREED).replace(" ", "")))


@pytest.mark.parametrize(
    ("texts", "code"),
    [
        (中文, lambda c: chr(ord(c) + 1)),
        (中文, lambda c: chr(0x4E00 + ord(c) * 7919 % 20000)),
        (中文, lambda c: chr(0x3400 + ord(c) * 13 % 6000)),
        (中文, lambda c: "□"),
        (中文, lambda c: "?"),
        (中文, lambda c: f"/g{ord(c) % 900}"),
        (AGREED, lambda c: chr(0x4E00 + ord(c) * 37 % 9000)),
        (AGREED, lambda c: SHUFFLED[ord(c.lower()) - 97] if c.isalpha() else c),
        (AGREED, lambda c: f"/uni{ord(c):04X}"),
        (AGREED, lambda c: f"g{ord(c)} "),
        (AGREED, lambda c: c if c == " " else "▯"),
        (AGREED, lambda c: c if c == " " else "x"),
        (AGREED, lambda c: c if c == " " else chr(0x2460 + ord(c) % 120)),
        (AGREED, lambda c: c if c == " " else chr(0x21 + USED.index(c))),
        (AGREED, lambda c: c if c == " " else chr(0x21 + (ord(c) - 0x20) * 53 % 94)),
    ],
)
def test_a_text_layer_of_any_broken_map_is_no_language(
    tmp_path: Path, texts: tuple[str, ...], code: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "rapidocr_onnxruntime", None)
    assert " ".join(texts) in " ".join(read(tmp_path, composite_pdf(texts, str)).text.split())
    with pytest.raises(ParseError, match="no language"):
        read(tmp_path, composite_pdf(texts, code))
    document = read(tmp_path, composite_pdf(texts, code, NOTICES))  # another font is read
    assert document.losses == (Loss(LossKind.UNREADABLE_TEXT, page=1),)
    assert " ".join(document.text.split()) == NOTICES[0]


def read_by_ocr(tmp_path: Path) -> str:
    document = read(tmp_path, garbled_pdf(PROSE, lambda n: 0xE000 + n))
    assert document.losses == (Loss(LossKind.READ_BY_OCR, page=1),)
    return " ".join(document.text.split())


def test_a_page_whose_text_is_no_language_is_read_by_ocr_where_that_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Engine:
        def __call__(self, image: object) -> tuple[list[tuple[list[tuple[int, int]], str, float]], None]:
            places = [((200, y), (900, y), (900, y + 30), (200, y + 30)) for y in range(280, 2000, 50)]
            return [([*p], text, 0.9) for p, text in zip(places, PROSE, strict=False)], None

    engine = ModuleType("rapidocr_onnxruntime")
    engine.__spec__ = ModuleSpec(engine.__name__, None)
    engine.RapidOCR = Engine  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, engine.__name__, engine)
    assert read_by_ocr(tmp_path) == " ".join(PROSE)


def test_the_ocr_of_the_extra_reads_a_page_whose_text_is_no_language(tmp_path: Path) -> None:
    pytest.importorskip("rapidocr_onnxruntime")
    assert PROSE[0] in read_by_ocr(tmp_path)


def form_pdf(*, keep_values: bool = True) -> bytes:
    """A form with two text fields, tick boxes and a choice, made by reportlab."""

    def draw(canvas: Any) -> None:
        form = canvas.acroForm
        canvas.drawString(72, 760, "Name:")
        form.textfield(
            name="name",
            value="Ilse Marrow" if keep_values else "",
            x=140,
            y=755,
            width=200,
            height=16,
            borderWidth=0,
        )
        canvas.drawString(72, 730, "Consent to transfusion:")
        canvas.drawString(225, 730, "yes")
        canvas.drawString(285, 730, "no")
        form.checkbox(name="yes", x=210, y=728, size=11, checked=False)
        form.checkbox(name="no", x=270, y=728, size=11, checked=keep_values)
        if keep_values:
            canvas.drawString(72, 700, "Ward:")
            form.choice(
                name="ward", value="North", options=["North", "South"], x=140, y=695, width=90, height=16
            )

    return canvas_pdf(draw)


def test_form_fields_are_read_with_their_values_where_they_stand(tmp_path: Path) -> None:
    document = read(tmp_path, form_pdf())
    text = " ".join(document.text.split())
    assert "Name: Ilse Marrow" in text
    assert "Consent to transfusion: ☐ yes ☒ no" in text
    assert "Ward: North" in text
    assert not document.losses


def test_a_value_that_is_only_stored_is_read_too(tmp_path: Path) -> None:
    from pypdf import PdfReader, PdfWriter
    from pypdf.generic import NameObject

    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(form_pdf())))
    for annotation in writer.pages[0]["/Annots"]:
        if "/AP" in annotation.get_object() and annotation.get_object()["/FT"] != "/Btn":
            del annotation.get_object()[NameObject("/AP")]
    target = io.BytesIO()
    writer.write(target)
    assert "Name: Ilse Marrow" in " ".join(read(tmp_path, target.getvalue()).text.split())


def test_a_form_without_values_is_a_loss(tmp_path: Path) -> None:
    assert read(tmp_path, form_pdf(keep_values=False)).losses == (Loss(LossKind.FORM_WITHOUT_VALUES, page=1),)


@pytest.mark.parametrize("value", ["Ilse Marrow", ""])
def test_an_xfa_form_is_read_from_its_data_or_is_a_loss(tmp_path: Path, value: str) -> None:
    from pypdf import PdfReader, PdfWriter
    from pypdf.generic import ArrayObject, DictionaryObject, NameObject, StreamObject, TextStringObject

    packets = {
        "template": '<template xmlns="http://www.xfa.org/schema/xfa-template/3.3/"><field name="nm"><caption>'
        "<value><text>Name of the tenant</text></value></caption></field></template>",
        "datasets": '<xfa:datasets xmlns:xfa="http://www.xfa.org/schema/xfa-data/1.0/"><xfa:data><form>'
        f"<nm>{value}</nm><rent/></form></xfa:data></xfa:datasets>",
    }
    whole = {"preamble": "<xdp>", **packets, "postamble": "</xdp>"}
    writer = PdfWriter(
        clone_from=PdfReader(io.BytesIO(canvas_pdf(lambda c: c.drawString(72, 760, "Please wait."))))
    )
    parts = ArrayObject()
    for name, text in whole.items():
        packet = StreamObject()
        packet.set_data(text.encode())
        parts += [TextStringObject(name), writer._add_object(packet)]
    form = DictionaryObject({NameObject("/XFA"): parts, NameObject("/Fields"): ArrayObject()})
    writer._root_object[NameObject("/AcroForm")] = form
    target = io.BytesIO()
    writer.write(target)
    document = read(tmp_path, target.getvalue())
    assert ("Name of the tenant: Ilse Marrow" in blocks(document)) == bool(value)
    assert document.losses == (() if value else (Loss(LossKind.FORM_WITHOUT_VALUES, page=1),))


def test_annotations_that_show_words_are_read(tmp_path: Path) -> None:
    from pypdf import PdfReader, PdfWriter
    from pypdf.annotations import FreeText, Text
    from pypdf.generic import DictionaryObject, NameObject

    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(canvas_pdf(lambda c: lines(c, 72, 760, list(PROSE))))))
    writer.add_annotation(0, FreeText(text="Paid on 3 May.", rect=(72, 600, 200, 620)))
    writer.add_annotation(0, Text(text="Ask the landlord.", rect=(400, 600, 420, 620)))
    stamp = DictionaryObject(FreeText(text="x", rect=(300, 500, 400, 520)))
    stamp[NameObject("/Subtype")] = NameObject("/Stamp")
    del stamp["/Contents"]
    stamp[NameObject("/Name")] = NameObject("/Approved")
    writer.add_annotation(0, stamp)
    target = io.BytesIO()
    writer.write(target)
    found = blocks(read(tmp_path, target.getvalue()))
    assert {"Paid on 3 May.", "Ask the landlord.", "Approved"} <= set(found)


def test_words_with_a_line_through_them_do_not_stand_but_are_kept_struck(tmp_path: Path) -> None:
    def draw(canvas: Any) -> None:
        x = 72.0
        for word, gone in (("The rent is", False), ("800 marks", True), ("950 marks a month.", False)):
            width = canvas.stringWidth(word, "Times-Roman", 11)
            canvas.drawString(x, 760, word)
            if gone:
                canvas.line(x, 763, x + width, 763)
            x += width + 3
        canvas.drawString(72, 700, "The garden is let too.")
        canvas.line(72, 703, 72 + canvas.stringWidth("The garden is let too.", "Times-Roman", 11), 703)
        canvas.drawString(72, 640, "The key is underlined here.")
        canvas.line(72, 638.5, 180, 638.5)

    document = read(tmp_path, canvas_pdf(draw))
    assert blocks(document) == [
        "The rent is 950 marks a month.",
        "The rent is 800 marks 950 marks a month.",
        "The garden is let too.",
        "The key is underlined here.",
    ]
    struck = [document.text[m.start : m.end] for m in document.marks if m.kind is MarkKind.STRUCK]
    assert struck == ["The rent is 800 marks 950 marks a month.", "The garden is let too."]


def test_what_is_left_of_a_line_stays_in_its_sentence(tmp_path: Path) -> None:
    def draw(canvas: Any) -> None:
        lines(
            canvas,
            72,
            720,
            ["Notice: three weeks before the end of the", "season in writing. By word of mouth."],
            14,
        )
        for x, end, y in ((72, 41, 720), (0, 18, 706)):
            struck = "Notice: three weeks before the end of the" if x else "season in writing."
            skip = canvas.stringWidth("Notice: ", "Helvetica", 10) if x else 0
            canvas.line(72 + skip, y + 3, 72 + canvas.stringWidth(struck[:end], "Helvetica", 10), y + 3)

    assert blocks(read(tmp_path, canvas_pdf(draw)))[0] == "Notice: By word of mouth."


def test_words_that_cannot_be_seen_are_marked_hidden(tmp_path: Path) -> None:
    def draw(canvas: Any) -> None:
        canvas.drawString(72, 760, "The rent is 950 marks.")
        canvas.setFillGray(1)
        canvas.drawString(72, 740, "The rent is one mark.")
        canvas.setFillColorRGB(0, 0, 0.5)
        canvas.rect(60, 690, 300, 30, fill=1)
        canvas.setFillGray(1)
        canvas.drawString(72, 700, "White words on a blue ground.")
        canvas.setFillGray(0)
        hidden = canvas.beginText(72, 660)
        hidden.setTextRenderMode(3)
        hidden.textOut("Nobody sees this.")
        canvas.drawText(hidden)

    document = read(tmp_path, canvas_pdf(draw))
    hidden = {document.text[m.start : m.end] for m in document.marks if m.kind is MarkKind.HIDDEN}
    assert hidden == {"The rent is one mark.", "Nobody sees this."}
    assert {"The rent is 950 marks.", "White words on a blue ground."} <= set(blocks(document))


BUYER = "The buyer is Morten Hale of Ellerby, who pays 900 marks."


def buyer(canvas: Any) -> None:
    canvas.setFillGray(0)
    canvas.setFont("Helvetica", 12)
    lines(canvas, 72, 760, [BUYER, "The second line stands."], 30)


def over_the_name(canvas: Any) -> None:
    left = 72 + canvas.stringWidth("The buyer is ", "Helvetica", 12)
    width = canvas.stringWidth("Morten Hale", "Helvetica", 12)
    canvas.rect(left - 1, 757, width + 2, 14, fill=1, stroke=0)


def blacked_out(canvas: Any) -> None:
    buyer(canvas)
    over_the_name(canvas)


def whited_out(canvas: Any) -> None:
    buyer(canvas)
    canvas.setFillGray(1)
    over_the_name(canvas)


def under_a_picture(canvas: Any) -> None:
    from PIL import Image
    from reportlab.lib.utils import ImageReader

    buyer(canvas)
    left = 72 + canvas.stringWidth("The buyer is ", "Helvetica", 12)
    canvas.drawImage(ImageReader(Image.new("RGB", (20, 20), "black")), left, 757, 65, 14)


def under_a_form(canvas: Any) -> None:
    buyer(canvas)
    canvas.beginForm("bar")
    over_the_name(canvas)
    canvas.endForm()
    canvas.doForm("bar")


def within_a_form(canvas: Any) -> None:
    canvas.beginForm("sheet")
    blacked_out(canvas)
    canvas.endForm()
    canvas.translate(14, -30)
    canvas.doForm("sheet")


def on_its_own_colour(canvas: Any) -> None:
    canvas.setFillGray(0)
    over_the_name(canvas)
    buyer(canvas)


@pytest.mark.parametrize(
    "draw", [blacked_out, whited_out, under_a_picture, under_a_form, within_a_form, on_its_own_colour]
)
def test_words_that_are_blacked_out_do_not_stand_but_are_kept_hidden(tmp_path: Path, draw: Draw) -> None:
    document = read(tmp_path, canvas_pdf(draw))
    hidden = [document.text[m.start : m.end] for m in document.marks if m.kind is MarkKind.HIDDEN]
    assert hidden == ["Morten Hale"]
    standing = [text for text in blocks(document) if text not in hidden]
    assert standing == ["The buyer is of Ellerby, who pays 900 marks.", "The second line stands."]


def test_words_under_an_annotation_that_is_drawn_over_them_are_hidden(tmp_path: Path) -> None:
    from pypdf import PdfReader, PdfWriter
    from pypdf.annotations import Rectangle

    writer = PdfWriter()
    writer.append(PdfReader(io.BytesIO(canvas_pdf(buyer))))
    writer.add_annotation(0, Rectangle(rect=(141, 756, 212, 772), interior_color="000000"))
    target = io.BytesIO()
    writer.write(target)
    document = read(tmp_path, target.getvalue())
    assert [document.text[m.start : m.end] for m in document.marks] == ["Morten Hale"]


def test_what_is_written_in_the_place_of_covered_words_stands_there(tmp_path: Path) -> None:
    def draw(canvas: Any) -> None:
        whited_out(canvas)
        canvas.setFillGray(0)
        canvas.drawString(72 + canvas.stringWidth("The buyer is ", "Helvetica", 12), 760, "Ann Roe")

    found = blocks(read(tmp_path, canvas_pdf(draw)))
    assert "The buyer is Ann Roe of Ellerby, who pays 900 marks." in found


def test_characters_that_are_blacked_out_within_a_line_without_blanks_are_hidden(tmp_path: Path) -> None:
    def draw(canvas: Any) -> None:
        chinese(canvas)
        canvas.drawString(72, 760, "乙方为王小明，住址为兰城西路三号。")
        canvas.rect(72 + 33, 757, 33, 12, fill=1)

    document = read(tmp_path, canvas_pdf(draw))
    assert [document.text[m.start : m.end] for m in document.marks] == ["王小明"]
    assert blocks(document) == ["王小明", "乙方为 ，住址为兰城西路三号。"]


def highlighted(canvas: Any) -> None:
    canvas.setFillColorRGB(1, 1, 0)
    over_the_name(canvas)
    buyer(canvas)


def under_a_transparent_fill(canvas: Any) -> None:
    buyer(canvas)
    canvas.setFillColorRGB(1, 1, 0)
    canvas.setFillAlpha(0.4)
    over_the_name(canvas)


def under_what_is_clipped_away(canvas: Any) -> None:
    buyer(canvas)
    path = canvas.beginPath()
    path.rect(300, 100, 100, 100)
    canvas.clipPath(path, stroke=0)
    canvas.rect(0, 0, 595, 842, fill=1)


def on_a_white_ground(canvas: Any) -> None:
    canvas.setFillGray(1)
    canvas.rect(0, 0, 595, 842, fill=1, stroke=0)
    buyer(canvas)


def within_a_frame(canvas: Any) -> None:
    buyer(canvas)
    path = canvas.beginPath()
    path.rect(20, 20, 555, 802)
    path.rect(30, 30, 535, 782)
    canvas.drawPath(path, fill=1, stroke=0, fillMode=0)


def under_its_scan(canvas: Any) -> None:
    from PIL import Image, ImageDraw
    from reportlab.lib.utils import ImageReader

    buyer(canvas)
    scan = Image.new("L", (1190, 1684), 255)
    pen = ImageDraw.Draw(scan)
    for n, text in enumerate((BUYER, "The second line stands.")):
        pen.text((144, 2 * (842 - 772 + 30 * n)), text, fill=0, font_size=24)
    canvas.drawImage(ImageReader(scan), 0, 0, 595, 842)


@pytest.mark.parametrize(
    "draw",
    [
        highlighted,
        under_a_transparent_fill,
        under_what_is_clipped_away,
        on_a_white_ground,
        within_a_frame,
        under_its_scan,
    ],
)
def test_words_with_something_behind_or_around_them_or_in_their_scan_stand(
    tmp_path: Path, draw: Draw
) -> None:
    document = read(tmp_path, canvas_pdf(draw))
    assert blocks(document) == [BUYER, "The second line stands."]
    assert not document.marks


def test_rows_of_a_shaded_table_stand(tmp_path: Path) -> None:
    def draw(canvas: Any) -> None:
        for n in range(6):
            canvas.setFillGray(0.8 if n % 2 else 1)
            canvas.rect(72, 740 - 20 * n, 300, 20, fill=1)
            canvas.setFillGray(0)
            canvas.drawString(80, 745 - 20 * n, f"Row {n}")
            canvas.drawString(200, 745 - 20 * n, str(n * 17))

    document = read(tmp_path, canvas_pdf(draw))
    assert blocks(document) == [f"Row {n} {n * 17}" for n in range(6)]
    assert not document.marks


def test_a_white_word_within_a_line_is_hidden(tmp_path: Path) -> None:
    def draw(canvas: Any) -> None:
        x = 72.0
        for word, grey in (("The rent is", 0), ("not", 1), ("due in May.", 0)):
            canvas.setFillGray(grey)
            canvas.drawString(x, 760, word)
            x += canvas.stringWidth(f"{word} ", "Times-Roman", 11)

    document = read(tmp_path, canvas_pdf(draw))
    assert blocks(document) == ["not", "The rent is due in May."]
    assert [document.text[m.start : m.end] for m in document.marks] == ["not"]


def test_words_of_a_form_within_a_page_are_struck_and_seen_as_others_are(tmp_path: Path) -> None:
    def draw(canvas: Any) -> None:
        canvas.beginForm("sheet")
        canvas.setFont("Helvetica", 12)
        canvas.drawString(72, 760, "The garden is let too.")
        canvas.line(72, 764, 72 + canvas.stringWidth("The garden is let too.", "Helvetica", 12), 764)
        canvas.setFillColorRGB(0, 0, 0.5)
        canvas.rect(60, 690, 300, 30, fill=1)
        canvas.setFillGray(1)
        canvas.drawString(72, 700, "White words on a blue ground.")
        canvas.endForm()
        canvas.scale(0.8, 0.8)
        canvas.doForm("sheet")

    document = read(tmp_path, canvas_pdf(draw))
    marks = [(m.kind, document.text[m.start : m.end]) for m in document.marks]
    assert marks == [(MarkKind.STRUCK, "The garden is let too.")]
    assert "White words on a blue ground." in blocks(document)


def test_the_text_layer_of_a_scan_is_read_as_its_text(tmp_path: Path) -> None:
    from PIL import Image
    from reportlab.lib.utils import ImageReader

    def draw(canvas: Any) -> None:
        canvas.drawImage(ImageReader(Image.new("L", (60, 84), 230)), 0, 0, 595, 842)
        layer = canvas.beginText(72, 760)
        layer.setTextRenderMode(3)
        layer.textOut("The rent is 950 marks.")
        canvas.drawText(layer)

    document = read(tmp_path, canvas_pdf(draw))
    assert blocks(document) == ["The rent is 950 marks."]
    assert not document.marks


def chinese(canvas: Any) -> None:
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont

    pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))
    canvas.setFont("STSong-Light", 11)


def test_spaced_letters_and_characters_are_closed(tmp_path: Path) -> None:
    def draw(canvas: Any) -> None:
        canvas.drawString(72, 800, "N O T I C E   O F   S A L E of the mill")
        canvas.drawString(72, 760, "R E P O R T  2 0 2 3")
        for n, letter in enumerate("SCHEDULE"):
            canvas.drawString(72 + 24 * n, 720, letter)
        chinese(canvas)
        canvas.drawString(72, 680, "关 于 国 防 的 规 定")
        canvas.drawString(72, 640, "目　　录")
        canvas.drawString(72, 600, "姓 名   年 龄 限 制")

    assert blocks(read(tmp_path, canvas_pdf(draw))) == [
        "NOTICE OF SALE of the mill",
        "REPORT 2023",
        "SCHEDULE",
        "关于国防的规定",
        "目录",
        "姓名 年龄限制",
    ]


def test_blanks_that_a_printing_browser_leaves_between_letters_that_touch_are_none() -> None:
    from rag.parsers.pdf_lines import PlacedWord, TextLine, close_gaps

    text = "Wo rldwide 1 1 , 0 3 6 5,899"
    lefts = {0: 0.0, 3: 15.0, 11: 100.0, 13: 106.0, 15: 112.0, 17: 115.0, 19: 121.0, 21: 127.0, 23: 180.0}
    rights = {0: 15.0, 3: 60.0, 11: 106.0, 13: 112.0, 15: 115.0, 17: 121.0, 19: 127.0, 21: 133.0, 23: 200.0}
    boxes = [[(x[n], 10.0, x[n], 0.0) for n in lefts] for x in (lefts, rights)]
    line = TextLine.of(list(map(PlacedWord, text.split(), *boxes, lefts)))
    line = close_gaps(line, lambda number: text[number] == " ")
    assert line.text == "Worldwide 11,036 5,899"


APART = [
    "J R R Tolkien and A B C D E F",
    "where a b c x y z are lengths",
    "n = a e i o u + k",
    "A B",
    "B A C D B",
    "M T W T F S S",
    "1 2 3 4 5 6",
    "甲 乙 丙 丁",
    "是 否",
    "年 月 日",
]


def test_initials_choices_and_variables_stay_apart(tmp_path: Path) -> None:
    def draw(canvas: Any) -> None:
        chinese(canvas)
        for n, text in enumerate(APART):
            canvas.drawString(72, 800 - 40 * n, text)
        for n, letter in enumerate("NAME"):
            canvas.drawString(72 + 60 * n, 200, letter)

    assert blocks(read(tmp_path, canvas_pdf(draw))) == [*APART, "N A M E"]


def test_a_picture_with_words_in_it_is_a_loss_and_a_logo_or_a_photograph_is_none(tmp_path: Path) -> None:
    import numpy as np
    from PIL import Image, ImageDraw
    from reportlab.lib.utils import ImageReader

    printed = Image.new("RGB", (800, 500), "white")
    pen = ImageDraw.Draw(printed)
    for n in range(12):
        pen.text(
            (20, 20 + 38 * n),
            "The rent of the mill is 950 marks a month and is due",
            fill="black",
            font_size=24,
        )
    grain = np.random.default_rng(0).normal(0, 25, (500, 800)) + np.linspace(40, 220, 800)
    photograph = Image.fromarray(grain.clip(0, 255).astype("uint8"))
    plain = Image.new("RGB", (800, 500), "navy")

    def page(image: Any, width: float, height: float) -> Draw:
        def draw(canvas: Any) -> None:
            lines(canvas, 72, 760, list(PROSE))
            canvas.drawImage(ImageReader(image), 72, 300, width, height)

        return draw

    document = read(
        tmp_path,
        canvas_pdf(
            page(printed, 400, 250), page(printed, 80, 50), page(photograph, 400, 250), page(plain, 400, 250)
        ),
    )
    assert document.losses == (Loss(LossKind.PICTURE_WITH_TEXT, page=1),)
