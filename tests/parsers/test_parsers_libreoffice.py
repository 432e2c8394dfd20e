"""Files that LibreOffice wrote read as their pages stand; their sources lie beside them in tests/data."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.parsers import parse
from rag.types import BlockKind, Document, MarkKind

_FOLDER = Path(__file__).parents[1] / "data" / "libreoffice"


def read(name: str) -> Document:
    return parse(_FOLDER / name, path=name)


def prose(document: Document) -> list[str]:
    """What stands outside tables."""
    kept = [block for block in document.blocks if block.kind is not BlockKind.TABLE_ROW]
    return [document.text[block.start : block.end] for block in kept]


def tables(document: Document) -> list[list[list[str]]]:
    """The words of the cells of each table."""
    return [
        [[document.text[c.start : c.end] for c in table.cells(n)] for n in range(len(table.rows))]
        for table in document.tables
    ]


def marked(document: Document, kind: MarkKind) -> list[str]:
    return [document.text[m.start : m.end] for m in document.marks if m.kind is kind]


AGREEMENT = [
    "Orlan Mills – confidential",
    "1. Supply",
    "1.1 Delivery",
    "The Supplier delivers within 45 days.",
    "The Supplier delivers within 30 days.",
    "Working days of Tarnby.",
    "The Buyer pays the freight.",
    "The Supplier insures the goods.",
    "1.2 Price",
    "The price is EUR 950 a tonne; area 40 m², CO2 below 5 g.",
    "The price is EUR 900 a tonne; area 40 m², CO2 below 5 g.",
    "The price is EUR 950 a tonne (cost EUR 700); area 40 m², CO2 below 5 g.",
    "C. Reader: Checked with sales.",
    "The Supplier shall",
    "(a) weigh each lot;",
    "(i) on its own scale, or",
    "(ii) on the Buyer’s scale;",
    "(b) keep samples for 60 days.",
    "Not supplied:",
    "dyed flax",
    "waste",
    "2. Grades",
    "☒ samples wanted ☐ weekly report",
    "Each lot bears a number.",
    "Lots are sealed with a blue band.",
    "Table 1: Prices a tonne, in EUR",
    "Signed for the parties.",
]


def assert_grades(document: Document) -> None:
    """Heads of two rows, cells over rows and columns, lists and a table within cells."""
    (table,) = document.tables
    assert table.heads == (("Grade",), ("Price (EUR)", "2025"), ("Price (EUR)", "2026"), ("Use",))
    assert (table.title, table.units) == ("Table 1: Prices a tonne, in EUR", ("in EUR",))
    assert tables(document)[0][1:] == [
        ["Fine", "910", "950", "shirts; sheets"],
        ["Fine", "880", "(20)", "towels; bags"],
        ["Coarse", "on request", "on request", "Rope Width; thin 6 mm"],
    ]
    assert table.spans == ((1, 0, 2, 1), (3, 1, 1, 2))


def test_an_agreement_with_changes_notes_counted_clauses_boxes_and_a_table() -> None:
    document = read("agreement.docx")
    assert (document.title, document.metadata, document.losses) == (
        "Supply agreement",
        {"author": "A. Author"},
        (),
    )
    assert prose(document) == AGREEMENT
    assert marked(document, MarkKind.DELETED) == [AGREEMENT[4], AGREEMENT[6]]
    assert marked(document, MarkKind.STRUCK) == [AGREEMENT[10]]
    assert marked(document, MarkKind.HIDDEN) == [AGREEMENT[11]]
    assert marked(document, MarkKind.INSERTED) == ["45"]
    counted = ["1.", "1.1", "1.2", "(a)", "(i)", "(ii)", "(b)", "2."]
    assert marked(document, MarkKind.NUMBERED) == counted
    notes = [document.text[m.leads_to :] for m in document.marks if m.leads_to is not None]
    assert [note[:12] for note in notes] == ["Working days", "C. Reader: C"]
    assert_grades(document)


def test_the_same_agreement_as_a_web_page() -> None:
    document = read("agreement.html")
    kept = [line.replace("(a)", "a.").replace("(b)", "b.") for line in AGREEMENT]
    kept = [line.replace("(ii)", "ii.").replace("(i)", "i.") for line in kept]
    # LibreOffice leaves no blank behind the number of a heading, and writes a box as a picture.
    kept = [line.replace("2. G", "2.G").replace("1. S", "1.S") for line in kept]
    kept = [line.replace("1.1 D", "1.1D").replace("1.2 P", "1.2P") for line in kept]
    gone = {4, 5, 6, 11, 12, 24}
    found = prose(document)
    assert found == [line for n, line in enumerate(kept) if n not in gone] + [AGREEMENT[5], "Page 1"]
    assert marked(document, MarkKind.STRUCK) == [AGREEMENT[10]]
    (note,) = (document.text[m.leads_to :] for m in document.marks if m.leads_to is not None)
    assert note.startswith(AGREEMENT[5])
    assert_grades(document)


def test_chinese_articles_are_counted_on_and_double_lines_strike() -> None:
    document = read("rules.docx")
    assert prose(document) == [
        "浦江仓储规则",
        "第一条 入库单应当写明货位。",
        "第二条 仓库应当：",
        "（一） 每日盘点；",
        "（二） 保持通风。",
        "旧规则自2020年起适用。",
        "第三条 保管费每吨15元。",
        "第三条 保管费每吨12元。",
        "不含税。",
        "表1 保管费",
        "单位：元",
        "1. Scope",
        "1.1 Goods in bond",
        "I. Cotton 2 × 10³ kg",
        "1.2 Goods out of bond",
        "5. Fees",
        "copy for the auditor",
    ]
    assert marked(document, MarkKind.STRUCK) == ["旧规则自2020年起适用。", "第三条 保管费每吨12元。"]
    assert marked(document, MarkKind.HIDDEN) == ["copy for the auditor"]
    (fees,) = document.tables
    assert (fees.title, fees.units) == ("表1 保管费", ("单位：元",))
    assert tables(document)[0][1:] == [
        ["棉花", "三个月以内", "15"],
        ["棉花", "三个月以上", "18"],
        ["合计", "", "33"],
    ]


@pytest.mark.parametrize("name", ["register.xlsx", "register.html"])
def test_a_sheet_shows_its_cells_as_they_are_formatted(name: str) -> None:
    document = read(name)
    found = tables(document)[0]
    day = "2024-03-01" if name.endswith("xlsx") else "01.03.2024"
    assert found[0][:5] == ["Code", "Room", "Rent", "Share", "Since"]
    assert found[1][:5] == ["000858", "R-007", "EUR 1,250.00", "12.5%", day]
    assert ["Total", "", "EUR 3,350.50", "100.0%"] in found
    assert "Agreed in May." in document.text
    struck = marked(document, MarkKind.STRUCK)
    assert "last year" in struck


def test_what_a_sheet_hides_is_under_marks() -> None:
    document = read("register.xlsx")
    hidden = marked(document, MarkKind.HIDDEN)
    assert {"Margin", "000700", "EUR 900.00", "Old", "A-1", "77"} <= set(hidden)
    assert "000858" not in hidden
