"""OpenDocument, EPUB, slides, mails and old workbooks read as a person sees them; what LibreOffice wrote lies
in tests/data, the rest is made here."""

from __future__ import annotations

import io
import zipfile
from email.message import EmailMessage
from pathlib import Path

import pytest

from rag.errors import ParseError
from rag.parsers import parse
from rag.types import Document, LossKind, MarkKind

_FOLDER = Path(__file__).parents[1] / "data" / "libreoffice"


def read(path: Path) -> Document:
    document = parse(path, path=path.name)
    assert all(document.text[b.start : b.end].strip() for b in document.blocks)
    return document


def written(tmp_path: Path, name: str, data: bytes) -> Path:
    path = tmp_path / name
    path.write_bytes(data)
    return path


def zipped(parts: dict[str, str]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return target.getvalue()


def marked(document: Document, kind: MarkKind) -> list[str]:
    return [document.text[m.start : m.end] for m in document.marks if m.kind is kind]


# OpenDocument


def test_an_agreement_of_opendocument_reads_as_that_of_word() -> None:
    document, word = (read(_FOLDER / f"agreement.{suffix}") for suffix in ("odt", "docx"))
    mine, theirs = document.text.split("\n"), word.text.split("\n")
    missing = [line for line in theirs if line not in mine]
    assert missing == [  # what was deleted is left out
        "The Supplier delivers within 30 days.",
        "The Buyer pays the freight.",
    ]
    assert mine[0] == "Orlan Mills – confidential"
    assert document.tables[0].heads == word.tables[0].heads
    assert [document.text[m.leads_to :].split("\n")[0] for m in document.marks if m.leads_to] == [
        "Working days of Tarnby.",
        "C. Reader: Checked with sales.",
    ]
    assert document.title == "Supply agreement"


def test_articles_of_opendocument_are_counted_and_what_is_struck_follows() -> None:
    document = read(_FOLDER / "rules.odt")
    lines = document.text.split("\n")
    assert [line.split()[0] for line in lines if line.startswith(("第", "（"))] == [
        "第一条", "第二条", "（一）", "（二）", "第三条", "第三条",
    ]  # fmt: skip
    assert [line for line in lines if line[:1].isdigit() or line.startswith("I.")] == [
        "1. Scope", "1.1 Goods in bond", "I. Cotton 2 × 10³ kg", "1.2 Goods out of bond", "5. Fees",
    ]  # fmt: skip
    assert marked(document, MarkKind.STRUCK) == ["旧规则自2020年起适用。", "第三条 保管费每吨12元。"]


@pytest.mark.parametrize("suffix", ["xls", "ods"])
def test_other_workbooks_give_rows_with_their_place_and_hidden_sheets(suffix: str) -> None:
    document = read(_FOLDER / f"register.{suffix}")
    table = document.tables[0]
    assert table.heads == (("Code",), ("Room",), ("Rent",), ("Share",), ("Since",), ("Margin",))
    rows = [document.text[b.start : b.end] for b in document.blocks if b.table is table]
    assert rows[1:3] == ["858 | 7 | 1250 | 0.125 | 2024-03-01 | 3", "700 | 8 | 900 | 0.2 | 2023-03-01 | 2"]
    assert table.location == "Stores!A1:F6"
    assert marked(document, MarkKind.HIDDEN) == ["Old", "Code", "Rent", "A-1", "77"]


@pytest.mark.parametrize("name", ["a.odt", "a.epub", "a.pptx", "a.xls", "a.ods"])
@pytest.mark.parametrize("data", [b"text", zipped({"a.txt": "text"})])
def test_what_is_no_file_of_its_suffix_is_corrupt(tmp_path: Path, name: str, data: bytes) -> None:
    with pytest.raises(ParseError) as error:
        read(written(tmp_path, name, data))
    assert error.value.status == "corrupt"


# EPUB


def test_a_book_is_read_in_its_order_with_the_looks_of_its_style_sheet(tmp_path: Path) -> None:
    package = (
        "<package xmlns:dc='http://purl.org/dc/elements/1.1/'><metadata><dc:title>Dosing</dc:title>"
        "<dc:creator>A. Ilves</dc:creator></metadata><manifest><item id='b' href='b%20two.xhtml'/>"
        "<item id='a' href='a.xhtml'/><item id='s' href='s.css'/></manifest>"
        "<spine><itemref idref='a'/><itemref idref='b'/></spine></package>"
    )
    parts = {
        "META-INF/container.xml": "<container><rootfile full-path='in/book.opf'/></container>",
        "in/book.opf": package,
        "in/s.css": ".o{text-decoration:line-through}",
        "in/a.xhtml": "<h1>First</h1><p>Give <span class='o'>20</span> 25<sup>1</sup> mg.</p><p>1 Fast.</p>",
        "in/b two.xhtml": "<h1>Second</h1><table><tr><th>Drug<th>mg</tr><tr><td>Alda<td>5</tr></table>",
    }
    document = read(written(tmp_path, "a.epub", zipped(parts)))
    assert document.title == "Dosing"
    assert document.metadata == {"author": "A. Ilves"}
    assert document.text.split("\n")[:5:2] == ["First", "Give 25 mg.", "Give 20 mg."]
    assert marked(document, MarkKind.STRUCK) == ["Give 20 mg."]
    assert document.tables[0].heading_path == ("Second",)


def test_a_book_of_libreoffice_keeps_exponents_and_struck_words() -> None:
    document = read(_FOLDER / "rules.epub")
    assert "Cotton 2 × 10³ kg" in document.text
    assert marked(document, MarkKind.STRUCK) == ["旧规则自2020年起适用。", "保管费每吨12元。"]


# Slides


def test_slides_of_libreoffice_are_read_with_notes_tables_and_hidden_ones() -> None:
    document = read(_FOLDER / "slides.pptx")
    assert document.text.split("\n")[:9:2] == [
        "Slide 1", "Tarnby ward round", "Rounds begin at 8:15.", "夜班在21点交接。",
        "Ask Dr Ilves about the night shift.",
    ]  # fmt: skip
    assert document.tables[0].heads == (("Ward",), ("Beds",))
    assert document.tables[0].heading_path == ("Slide 2",)
    assert marked(document, MarkKind.HIDDEN) == ["Slide 3", "Kept back"]


_NAMES = (
    "xmlns:a='http://schemas.openxmlformats.org/drawingml/2006/main' "
    "xmlns:p='http://schemas.openxmlformats.org/presentationml/2006/main' "
    "xmlns:r='http://schemas.openxmlformats.org/officeDocument/2006/relationships'"
)
_RELATIONS = (
    "<Relationships xmlns='http://schemas.openxmlformats.org/package/2006/relationships'>"
    "<Relationship Id='r1' Type='http://x/{}' Target='{}'/></Relationships>"
)


def slide(tmp_path: Path, shapes: str) -> Document:
    parts = {
        "_rels/.rels": _RELATIONS.format("officeDocument", "ppt/presentation.xml"),
        "ppt/presentation.xml": f"<p:presentation {_NAMES}><p:sldSz cx='1000' cy='1000'/>"
        "<p:sldIdLst><p:sldId r:id='r1'/><p:sldId r:id='r2'/></p:sldIdLst></p:presentation>",
        "ppt/_rels/presentation.xml.rels": _RELATIONS.format("slide", "slides/s.xml"),
        "ppt/slides/s.xml": f"<p:sld {_NAMES}>{shapes}</p:sld>",
    }
    return read(written(tmp_path, "a.pptx", zipped(parts)))


def words(text: str, look: str = "") -> str:
    return f"<a:p><a:r><a:rPr {look}/><a:t>{text}</a:t></a:r></a:p>"


def test_a_title_leads_its_slide_and_raised_and_struck_words_are_none_of_the_figures(tmp_path: Path) -> None:
    runs = "".join(
        f"<a:r><a:rPr {look}/><a:t>{text}</a:t></a:r>"
        for text, look in (
            ("Give ", ""),
            ("20", "strike='sngStrike'"),
            (" 25", ""),
            ("1", "baseline='30000'"),
            (" mg", ""),
        )
    )
    body = f"<p:sp><p:txBody><a:p>{runs}</a:p></p:txBody></p:sp>"
    title = f"<p:sp><p:nvPr><p:ph type='title'/></p:nvPr>{words('Dose &amp; time')}</p:sp>"
    document = slide(tmp_path, body + title)
    assert document.text.split("\n\n") == ["Dose & time", "Give 25 mg", "Give 20 mg"]
    assert document.losses[0].kind is LossKind.UNSUPPORTED_PART
    assert document.losses[0].place == "slide 2"


def test_merged_cells_of_a_slide_stand_in_each_column(tmp_path: Path) -> None:
    rows = [
        "<a:tc gridSpan='2'>{}</a:tc><a:tc hMerge='1'>{}</a:tc>".format(words("Beds"), words("")),
        f"<a:tc>{words('North')}</a:tc><a:tc>{words('24')}</a:tc>",
        f"<a:tc>{words('South')}</a:tc><a:tc>{words('18')}</a:tc>",
    ]
    table = "".join(f"<a:tr>{row}</a:tr>" for row in rows)
    document = slide(tmp_path, f"<p:graphicFrame><a:tbl>{table}</a:tbl></p:graphicFrame>")
    assert document.text.split("\n")[-2:] == ["North | 24", "South | 18"]


def test_a_slide_that_is_a_picture_is_a_loss_and_a_logo_is_none(tmp_path: Path) -> None:
    def picture(wide: int) -> str:
        blip = f"<p:blipFill><a:blip/></p:blipFill><p:spPr><a:xfrm><a:ext cx='{wide}' cy='{wide}'/></a:xfrm>"
        return f"<p:pic>{blip}</p:spPr></p:pic>"

    body = f"<p:sp><p:txBody>{words('The rent is 950 marks.')}</p:txBody></p:sp>"
    lost = [
        [loss.place for loss in slide(tmp_path, shapes).losses if loss.kind is LossKind.PICTURE_WITH_TEXT]
        for shapes in (picture(100), body + picture(900), body + picture(100), body)
    ]
    assert lost == [["slide 1"], ["slide 1"], [], []]


def test_the_body_of_a_slide_is_lists_within_lists_with_their_numbers(tmp_path: Path) -> None:
    def item(text: str, level: int = 0, look: str = "") -> str:
        return f"<a:p><a:pPr lvl='{level}'>{look}</a:pPr><a:r><a:t>{text}</a:t></a:r></a:p>"

    counted = "<a:buAutoNum type='alphaLcPeriod' startAt='3'/>"
    lines = [item("Risks"), item("Nurses leave", 1), item("Lease ends", 1), item("Plain", 0, "<a:buNone/>")]
    body = f"<p:sp><p:nvPr><p:ph type='body'/></p:nvPr>{''.join(lines)}</p:sp>"
    steps = "".join(item(text, 0, counted) for text in ("Draft", "Sign"))
    title = f"<p:sp><p:nvPr><p:ph type='title'/></p:nvPr>{words('Board update')}</p:sp>"
    document = slide(tmp_path, f"{title}{body}<p:sp>{steps}</p:sp>")
    assert document.title == "Board update"
    found = [(b.level, document.text[b.start : b.end]) for b in document.blocks if b.kind == "list_item"]
    assert found == [(0, "Risks"), (1, "Nurses leave"), (1, "Lease ends"), (0, "c. Draft"), (0, "d. Sign")]
    assert marked(document, MarkKind.NUMBERED) == ["c.", "d."]


def test_a_head_of_a_slide_that_spans_rows_makes_two_rows_of_heads(tmp_path: Path) -> None:
    rows = [
        f"<a:tc rowSpan='2'>{words('Fund')}</a:tc><a:tc gridSpan='2'>{words('Fee')}</a:tc>"
        f"<a:tc hMerge='1'>{words('')}</a:tc>",
        f"<a:tc vMerge='1'>{words('')}</a:tc><a:tc>{words('Entry')}</a:tc><a:tc>{words('Exit')}</a:tc>",
        f"<a:tc>{words('Alpha')}</a:tc><a:tc>{words('3%')}</a:tc><a:tc>{words('1%')}</a:tc>",
    ]
    table = "".join(f"<a:tr>{row}</a:tr>" for row in rows)
    frame = f"<p:graphicFrame><a:tbl><a:tblPr firstRow='1'/>{table}</a:tbl></p:graphicFrame>"
    assert slide(tmp_path, frame).tables[0].heads == (("Fund",), ("Fee", "Entry"), ("Fee", "Exit"))


RICH = rb"""{\rtf1\ansi\ansicpg1252\titlepg{\fonttbl{\f0 Arial;}}
{\header \pard\plain Orlan Mills \endash  confidential\par Contract no. 4711\par}
{\headerf \pard\plain Draft of the first page\par}{\headerl \pard\plain Left pages\par}
{\footer \pard Page {\field{\*\fldinst PAGE}{\fldrslt 1}} of 3\par
Liability is limited to EUR 900.\par}
\pard\plain The rent is 900 marks.{\footnote \pard\plain {\super 1} Net of tax.\par As stated.\par}
 It is due in May.\par
\pard The garden{\*\atnid CR}{\*\atnauthor Reader}\chatn
{\*\annotation \pard\plain Checked with sales.\par} is let.\par}"""


def placed(text: str, x: int, y: int, wide: int = 300) -> str:
    """A text box of a slide."""
    frame = f"<a:xfrm><a:off x='{x}' y='{y}'/><a:ext cx='{wide}' cy='60'/></a:xfrm>"
    return f"<p:sp><p:spPr>{frame}</p:spPr>{''.join(map(words, text.splitlines()))}</p:sp>"


def placed_table(rows: list[list[str]], x: int, y: int) -> str:
    cells = ("".join(f"<a:tc>{words(cell)}</a:tc>" for cell in row) for row in rows)
    table = "".join(f"<a:tr>{row}</a:tr>" for row in cells)
    frame = f"<p:xfrm><a:off x='{x}' y='{y}'/><a:ext cx='400000' cy='300000'/></p:xfrm>"
    return f"<p:graphicFrame>{frame}<a:tbl><a:tblPr firstRow='1'/>{table}</a:tbl></p:graphicFrame>"


SALES = [["Segment", "2025", "2024"], ["Pumps", "310", "298"], ["Valves", "88", "91"]]


def test_what_stands_beside_a_table_of_a_slide_is_no_title_of_it_and_what_stands_above_is(
    tmp_path: Path,
) -> None:
    beside = placed("Debt stands at USD 40 million", 600_000, 400_000, 200_000)
    table = placed_table(SALES, 50_000, 400_000)
    document = slide(tmp_path, beside + table + placed("EUR million", 50_000, 330_000))
    (found,) = document.tables
    assert (found.title, found.units) == ("", ("EUR million",))
    assert document.text.index("EUR million") < document.text.index("Valves") < document.text.index("Debt")


def test_columns_of_a_slide_are_read_one_after_the_other_in_groups_too(tmp_path: Path) -> None:
    def group(inner: str, x: int) -> str:
        place = f"<a:off x='{x}' y='150000'/><a:ext cx='1000000' cy='1000000'/>"
        whole = "<a:chOff x='0' y='0'/><a:chExt cx='1000000' cy='1000000'/>"
        return f"<p:grpSp><p:grpSpPr><a:xfrm>{place}{whole}</a:xfrm></p:grpSpPr>{inner}</p:grpSp>"

    second = group(placed("works", 0, 100_000) + placed("Phase 2", 0, 0), 500_000)
    first = group(placed("Phase 1", 0, 0) + placed("survey", 0, 100_000), 50_000)
    document = slide(tmp_path, second + first)
    assert document.text.split() == "Slide 1 Phase 1 survey Phase 2 works".split()


def test_rich_text_has_headers_in_front_footers_at_the_end_and_notes_behind_their_paragraph(
    tmp_path: Path,
) -> None:
    document = read(written(tmp_path, "a.rtf", RICH))
    assert document.text.split("\n\n") == [
        "Orlan Mills – confidential", "Contract no. 4711", "Draft of the first page",
        "The rent is 900 marks. It is due in May.", "Net of tax.\nAs stated.",
        "The garden is let.", "Reader: Checked with sales.", "Liability is limited to EUR 900.",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "rows",
    [
        [["Berth", "Length", "Day"], ["A1", "6 m", "12"], ["B7", "9 m", "18"]],
        [["项目", "2025年", "2024年"], ["营业收入", "12,340", "11,020"], ["净利润", "1,205", "998"]],
        [["Copy", "4.00"], ["Search", "25.00"], ["Archive", "9.00"]],
    ],
)
def test_lines_of_rich_text_cut_by_tabs_are_a_table(tmp_path: Path, rows: list[list[str]]) -> None:
    def coded(text: str) -> str:
        return "".join(c if ord(c) < 128 else f"\\u{ord(c)}?" for c in text)

    cells = "".join("\\tab ".join(map(coded, row)) + "\\par " for row in rows)
    around = "\\pard {} \\par ".format
    source = f"{{\\rtf1\\ansi {around('Fees')}{cells}{around('Paid in advance.')}}}"
    document = read(written(tmp_path, "a.rtf", source.encode("latin-1")))
    (table,) = document.tables
    found = [[document.text[c.start : c.end] for c in table.cells(n)] for n in range(len(table.rows))]
    assert found == rows
    assert document.text.endswith("Paid in advance.")


def test_items_contents_and_lines_to_write_on_of_rich_text_are_no_table(tmp_path: Path) -> None:
    lines = [
        "1.\\tab The tenant pays.",
        "2.\\tab The landlord mends.",
        "(a)\\tab the roof",
        "Name:\\tab Ilse",
    ]
    contents = ["1 Scope\\tab 3", "2 Duties\\tab 7", "3 Fees\\tab 12"]
    for some in (lines, contents):
        source = "{\\rtf1\\ansi " + "\\par ".join([*some, ""]) + "}"
        assert not read(written(tmp_path, "a.rtf", source.encode())).tables


def test_a_note_of_rich_text_or_opendocument_keeps_the_figure_that_it_begins_with(tmp_path: Path) -> None:
    source = (
        rb"{\rtf1\ansi\pard Rent is due{\footnote \pard {\super\chftn} Net.} in May"
        rb"{\footnote \pard 2 months in advance.}, says{\*\atnid K}{\*\atnauthor Kai}\chatn"
        rb"{\*\annotation \pard 3 weeks are usual.} the lease.\par}"
    )
    rich = read(written(tmp_path, "a.rtf", source))
    assert rich.text.split("\n\n") == [
        "Rent is due in May, says the lease.", "Net.", "2 months in advance.", "Kai: 3 weeks are usual.",
    ]  # fmt: skip
    leads = [rich.text[mark.leads_to :].split("\n")[0] for mark in rich.marks if mark.leads_to is not None]
    assert leads == ["Net.", "2 months in advance.", "Kai: 3 weeks are usual."]
    names = " ".join(f"xmlns:{n}='urn:oasis:names:tc:opendocument:xmlns:{n}:1.0'" for n in ("office", "text"))
    note = "<text:note><text:note-citation>2</text:note-citation><text:note-body><text:p>{}</text:p>"
    body = (
        f"<text:p>Checked{note.format('2 monthly below 30.')}</text:note-body></text:note> yearly.</text:p>"
    )
    content = (
        f"<office:d {names}><office:automatic-styles/><office:body><office:text>{body}<text:p>End.</text:p>"
    )
    parts = {"content.xml": f"{content}</office:text></office:body></office:d>"}
    open_text = read(written(tmp_path, "a.odt", zipped(parts)))
    assert open_text.text.split("\n\n") == ["Checked yearly.", "2 monthly below 30.", "End."]


@pytest.mark.parametrize("name", ["a.xml", "a.xls"])
def test_a_workbook_in_the_xml_of_excel_2003_is_read(tmp_path: Path, name: str) -> None:
    def row(*cells: str, look: str = "") -> str:
        return f"<Row {look}>{''.join(cells)}</Row>"

    def cell(text: str, kind: str = "String", look: str = "") -> str:
        return f"<Cell {look}><Data ss:Type='{kind}'>{text}</Data></Cell>"

    rows = [
        row(cell("Rates of tax", look="ss:MergeAcross='2'")),
        row(cell("Country"), cell("Rate"), cell("Since")),
        row(
            cell("Arden"),
            cell("0.2", "Number", "ss:StyleID='p'"),
            cell("2016-01-01T00:00:00.000", "DateTime"),
        ),
        row(cell("Norland"), cell("2005-01-01T00:00:00.000", "DateTime", "ss:Index='3'")),
    ]
    space = "urn:schemas-microsoft-com:office:spreadsheet"
    source = (
        f"<?xml version='1.0'?><?mso-application progid='Excel.Sheet'?>"
        f"<Workbook xmlns='{space}' xmlns:ss='{space}'><Styles>"
        "<Style ss:ID='p'><NumberFormat ss:Format='Percent'/></Style></Styles>"
        f"<Worksheet ss:Name='Tax'><Table>{''.join(rows)}</Table></Worksheet></Workbook>"
    )
    document = read(written(tmp_path, name, source.encode()))
    assert document.kind == "xls"
    assert document.tables[0].heads == (("Country",), ("Rate",), ("Since",))
    assert document.text.split("\n")[-2:] == ["Arden | 20.00% | 2016-01-01", "Norland |  | 2005-01-01"]
    assert document.blocks[-1].location == "Tax!A4:C4"


def test_other_xml_is_not_read(tmp_path: Path) -> None:
    with pytest.raises(ParseError, match="not read"):
        read(written(tmp_path, "a.xml", b"<?xml version='1.0'?><settings/>"))


def test_type_that_is_moved_up_or_down_in_rich_text_is_raised_or_lowered(tmp_path: Path) -> None:
    source = (
        rb"{\rtf1\ansi\pard The dose is 25 mg{\up6\fs14 2} of H{\dn4\fs14 2}O, {\up1 not} 10{\up8 9}/L.\par}"
    )
    document = read(written(tmp_path, "a.rtf", source))
    assert document.text == "The dose is 25 mg of H2O, not 10⁹/L."
    assert [mark.kind for mark in document.marks] == [MarkKind.RAISED, MarkKind.LOWERED]


def test_footers_of_an_opendocument_text_are_read_once_and_page_numbers_are_none(tmp_path: Path) -> None:
    names = " ".join(
        f"xmlns:{n}='urn:oasis:names:tc:opendocument:xmlns:{n}:1.0'" for n in ("office", "style", "text")
    )
    page = "<text:p>Page <text:page-number>1</text:page-number></text:p>"
    footer = f"{page}<text:p>Liability is limited to EUR 900.</text:p>"
    pages = (
        f"<style:master-page style:name='{name}' style:next-style-name='Rest'><style:footer>{footer}{extra}"
        "</style:footer></style:master-page>"
        for name, extra in (("Standard", ""), ("Rest", ""), ("Unused", "<text:p>Never shown.</text:p>"))
    )
    body = "<text:h text:outline-level='1'>Rent</text:h><text:p>The rent is 950 marks.</text:p>"
    parts = {
        "styles.xml": f"<office:master-styles>{''.join(pages)}</office:master-styles>",
        "content.xml": "<office:automatic-styles/><office:body><office:text>"
        f"{body}</office:text></office:body>",
    }
    whole = {name: f"<office:document {names}>{part}</office:document>" for name, part in parts.items()}
    document = read(written(tmp_path, "a.odt", zipped(whole)))
    assert document.text.split("\n\n") == [
        "Rent",
        "The rent is 950 marks.",
        "Liability is limited to EUR 900.",
    ]
    assert document.blocks[-1].heading_path == ()


# Mails


def mail(**headers: str) -> EmailMessage:
    message = EmailMessage()
    for name, value in headers.items():
        message[name] = value
    return message


def test_a_mail_gives_headers_words_and_names_of_what_is_attached(tmp_path: Path) -> None:
    message = mail(Subject="交货延期 Delay", From="Ada Moss <ada@orlan.example>", To="b@x.example")
    message.set_content("The mill stops on 3 May.\n\nDelivery moves to 12 May.\n")
    message.add_alternative("<p>not this</p>", subtype="html")
    message.add_attachment("Lots: 7", filename="lots.txt")
    message.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="plan.pdf")
    message.add_attachment(b"x", maintype="image", subtype="png", filename="mill.png")
    document = read(written(tmp_path, "a.eml", message.as_bytes()))
    assert document.title == "交货延期 Delay"
    assert document.text.split("\n\n") == [
        "交货延期 Delay",
        "From: Ada Moss <ada@orlan.example>",
        "To: b@x.example",
        "The mill stops on 3 May.",
        "Delivery moves to 12 May.",
        "lots.txt\nplan.pdf\nmill.png",
    ]
    assert [(loss.kind, loss.place) for loss in document.losses] == [(LossKind.UNSUPPORTED_PART, "mill.png")]
    lots = parse(tmp_path / "a.eml" / "lots.txt", path="a.eml/lots.txt")
    assert (lots.text, lots.path, lots.kind) == ("Lots: 7", "a.eml/lots.txt", "text")


def test_a_mail_of_html_is_read_as_a_page(tmp_path: Path) -> None:
    message = mail(Subject="Fee", From="a@x.example")
    message.set_content("<p>Fee: <s>90</s> 120</p>", subtype="html")
    document = read(written(tmp_path, "a.eml", message.as_bytes()))
    assert document.text.split("\n\n")[2:] == ["Fee: 120", "Fee: 90"]


def test_a_mail_within_a_mail_stands_under_its_subject(tmp_path: Path) -> None:
    inner, outer = mail(Subject="Inner", From="b@x.example"), mail(Subject="Outer", From="a@x.example")
    inner.set_content("Deep words.")
    outer.set_content("See below.")
    outer.add_attachment(inner)
    document = read(written(tmp_path, "a.eml", outer.as_bytes()))
    last = document.blocks[-1]
    assert document.text[last.start : last.end] == "Deep words."
    assert last.heading_path == ("Inner",)


def test_a_mail_in_an_old_encoding_is_read(tmp_path: Path) -> None:
    head = b"Subject: Rent\r\nContent-Type: text/plain; charset=gb2312\r\n\r\n"
    document = read(written(tmp_path, "a.eml", head + "租金每月3000元，押金另计。".encode("gb2312")))
    assert document.text.endswith("租金每月3000元，押金另计。")


def test_what_has_no_headers_is_no_mail(tmp_path: Path) -> None:
    with pytest.raises(ParseError, match="no mail"):
        read(written(tmp_path, "a.eml", b"just words"))
