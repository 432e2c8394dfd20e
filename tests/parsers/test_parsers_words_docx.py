"""A Word file reads as its page stands: text, marks and losses against what a person sees."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.facts.references import articles_agree
from rag.parsers import parse
from rag.types import BlockKind, Document, LossKind, MarkKind
from tests.files import docx_bytes, write

_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006"
_SPACES = (
    'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" '
    f'xmlns:r="{_OFFICE}/relationships" xmlns:m="{_OFFICE}/math" '
    'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" '
    'xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape" '
    'xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing" '
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
    'xmlns:pic="http://schemas.openxmlformats.org/drawingml/2006/picture" '
    'xmlns:c="http://schemas.openxmlformats.org/drawingml/2006/chart" '
    'xmlns:dgm="http://schemas.openxmlformats.org/drawingml/2006/diagram" '
    'xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office" '
    'xmlns:w14="http://schemas.microsoft.com/office/word/2010/wordml"'
)
_KINDS = {"charts": "chart", "diagrams": "diagramData"}


def word_bytes(body: str, parts: Mapping[str, str | bytes] | None = None) -> bytes:
    """A Word file of this body; `parts`: the inside of other parts by name ("styles", "header1"), each root
    added. Their relations have the part's name as id."""
    target = io.BytesIO()
    roots = {"styles": "styles", "numbering": "numbering", "settings": "settings", "header": "hdr",
             "footer": "ftr"}  # fmt: skip
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("word/document.xml", f"<w:document {_SPACES}><w:body>{body}</w:body></w:document>")
        relations = []
        for name, inner in (parts or {}).items():
            plain = name.rstrip("0123456789")
            kind = _KINDS.get(name.partition("/")[0], _KINDS.get(plain, plain))
            file = name if "." in name else f"{name}.xml"
            relations.append(
                f'<Relationship Id="{name}" Type="{_OFFICE}/relationships/{kind}" Target="{file}"/>'
            )
            root = roots.get(plain, plain)
            whole = inner if "." in name else f"<w:{root} {_SPACES}>{inner}</w:{root}>"
            archive.writestr(f"word/{file}", whole)
        space = "http://schemas.openxmlformats.org/package/2006/relationships"
        archive.writestr(
            "word/_rels/document.xml.rels",
            f'<Relationships xmlns="{space}">{"".join(relations)}</Relationships>',
        )
        archive.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{space}"><Relationship Id="r" Target="word/document.xml" '
            f'Type="{_OFFICE}/relationships/officeDocument"/></Relationships>',
        )
    return target.getvalue()


def word(folder: Path, body: str, parts: Mapping[str, str | bytes] | None = None) -> Document:
    return parse(write(folder, "a.docx", word_bytes(body, parts)), path="a.docx")


def run(text: str, look: str = "") -> str:
    return f'<w:r><w:rPr>{look}</w:rPr><w:t xml:space="preserve">{text}</w:t></w:r>'


def paragraph(inner: str, properties: str = "") -> str:
    inner = inner if inner.startswith("<") else run(inner) if inner else ""
    return f"<w:p><w:pPr>{properties}</w:pPr>{inner}</w:p>"


def row(*cells: str, properties: str = "") -> str:
    inner = "".join(f"<w:tc>{c if c.startswith('<w:tcPr') else paragraph(c)}</w:tc>" for c in cells)
    return f"<w:tr><w:trPr>{properties}</w:trPr>{inner}</w:tr>"


def lines(document: Document) -> list[str]:
    return [document.text[b.start : b.end] for b in document.blocks]


def marked(document: Document, *kinds: MarkKind) -> list[str]:
    return [document.text[m.start : m.end] for m in document.marks if m.kind in kinds]


# Raised and lowered text


def test_raised_and_lowered_words_read_as_the_page_does(tmp_path: Path) -> None:
    up, down = '<w:vertAlign w:val="superscript"/>', '<w:vertAlign w:val="subscript"/>'
    moved = '<w:position w:val="8"/>'
    document = word(
        tmp_path,
        paragraph(run("The dose is 25") + run("1", up) + run(" mg a day."))
        + paragraph(
            run("Area 40 m") + run("2", up) + run(", platelets 2 × 10") + run("9", moved) + run("/L.")
        )
        + paragraph(run("Less CO") + run("2", down) + run(" by the 1") + run("st", up) + run(" of May."))
        + paragraph(run("1", up) + run(" With food.")),
    )
    assert lines(document) == [
        "The dose is 25 mg a day.",
        "Area 40 m², platelets 2 × 10⁹/L.",
        "Less CO2 by the 1st of May.",
        "With food.",
    ]
    assert marked(document, MarkKind.LOWERED) == ["2"]
    note = next(mark for mark in document.marks if mark.leads_to is not None)
    assert document.text[: note.start].endswith("The dose is 25")
    assert document.text[note.leads_to :] == "With food."


# Words that are gone


_STRIKE, _HIDDEN = "<w:strike/>", "<w:vanish/>"
_STYLES = (
    '<w:style w:type="paragraph" w:styleId="Base"><w:rPr><w:strike/></w:rPr></w:style>'
    '<w:style w:type="paragraph" w:styleId="Old"><w:basedOn w:val="Base"/></w:style>'
    '<w:style w:type="character" w:styleId="Secret"><w:rPr><w:vanish/></w:rPr></w:style>'
    '<w:style w:type="character" w:styleId="Undone"><w:rPr><w:strike/></w:rPr></w:style>'
    '<w:style w:type="table" w:styleId="Dark"><w:tcPr><w:shd w:fill="1F3864"/></w:tcPr></w:style>'
)


def deleted(text: str) -> str:
    return f"<w:del>{run(text).replace('w:t', 'w:delText')}</w:del>"


def inserted(text: str) -> str:
    return f"<w:ins>{run(text)}</w:ins>"


_OR_7 = "Rate 5% or 7%."


@pytest.mark.parametrize(
    ("words", "standing", "former", "kind"),
    [
        (
            run("Fee ") + run("EUR 950", _STRIKE) + run(" EUR 1."),
            "Fee EUR 1.",
            "Fee EUR 950.",
            "struck",
        ),
        (run("Fee ") + run("9", "<w:dstrike/>") + run(" 8."), "Fee 8.", "Fee 9.", "struck"),
        (
            run("Fee ") + run("9", _STRIKE) + run("8", '<w:u w:val="single"/>') + run("."),
            "Fee 8.",
            "Fee 9.",
            "struck",
        ),
        (run("Rate 5%") + run(" or 7%", _HIDDEN) + run("."), "Rate 5%.", _OR_7, "hidden"),
        (
            run("Rate 5%") + run(" or 7%", '<w:rStyle w:val="Secret"/>') + run("."),
            "Rate 5%.",
            _OR_7,
            "hidden",
        ),
        (run("Rate 5%") + run(" or 7%", '<w:color w:val="FFFFFF"/>') + run("."), "Rate 5%.", _OR_7, "hidden"),
        (
            run("In ") + deleted("30") + inserted("45") + run(" days."),
            "In 45 days.",
            "In 30 days.",
            "deleted",
        ),
        (
            f"<w:moveFrom>{run('Notice. ')}</w:moveFrom>{run('Term. ')}<w:moveTo>{run('Late.')}</w:moveTo>",
            "Term. Late.",
            "Notice. Term.",
            "deleted",
        ),
    ],
)
def test_words_that_are_gone_follow_as_a_marked_block(
    tmp_path: Path, words: str, standing: str, former: str, kind: str
) -> None:
    document = word(tmp_path, paragraph(words) + paragraph("Next."), {"styles": _STYLES})
    assert lines(document) == [standing, former, "Next."]
    assert marked(document, MarkKind(kind)) == [former]


def test_a_paragraph_that_is_gone_as_a_whole_is_its_marked_block_alone(tmp_path: Path) -> None:
    deleted_end = "<w:rPr><w:del/></w:rPr>"
    document = word(
        tmp_path,
        paragraph("Struck by its style.", '<w:pStyle w:val="Old"/>')
        + paragraph(run("Not struck twice.", '<w:rStyle w:val="Undone"/>'), '<w:pStyle w:val="Old"/>')
        + paragraph(run("All of it", _STRIKE) + run("."))
        + paragraph(run("Not struck.", '<w:strike w:val="0"/>'), '<w:pStyle w:val="Old"/>')
        + paragraph(deleted("Deleted."), deleted_end)
        + paragraph("The parties agree ", deleted_end)
        + paragraph("on two things."),
        {"styles": _STYLES},
    )
    assert lines(document) == [
        "Struck by its style.", "Not struck twice.", "All of it.", "Not struck.", "Deleted.",
        "The parties agree on two things.",
    ]  # fmt: skip
    gone = ["Struck by its style.", "All of it.", "Deleted."]
    assert marked(document, MarkKind.STRUCK, MarkKind.DELETED) == gone


def test_white_words_are_read_where_a_colour_lies_behind_them(tmp_path: Path) -> None:
    white = run("Shown", '<w:color w:val="FFFFFF"/>')
    dark = '<w:shd w:val="clear" w:fill="000000"/>'
    document = word(
        tmp_path,
        paragraph(white, dark)
        + paragraph(run("Also shown", '<w:color w:val="FFFFFF"/><w:highlight w:val="blue"/>'))
        + f'<w:tbl><w:tblPr><w:tblStyle w:val="Dark"/></w:tblPr>{row(white, "Fee")}{row("A", "3")}</w:tbl>',
        {"styles": _STYLES},
    )
    assert lines(document) == ["Shown", "Also shown", "Shown | Fee", "A | 3"]
    assert not document.marks


def test_a_row_with_words_that_are_gone_is_followed_by_how_it_was(tmp_path: Path) -> None:
    document = word(
        tmp_path,
        f"<w:tbl>{row('Service', 'Price', properties='<w:tblHeader/>')}"
        f"{row('Scan', run('120', _STRIKE) + run(' 140'))}{row('Plan', '80', properties='<w:del/>')}"
        f"{row('Visit', '60')}</w:tbl>",
    )
    assert lines(document) == ["Service | Price", "Scan | 140", "Scan | 120", "Plan | 80", "Visit | 60"]
    assert marked(document, MarkKind.STRUCK) == ["Scan", "120"]
    assert marked(document, MarkKind.DELETED) == ["Plan", "80"]
    assert {block.heads for block in document.blocks[1:]} == {("Service", "Price")}


# Numbers that Word counts


def level(n: int, form: str, text: str, more: str = "") -> str:
    shown = f'<w:numFmt w:val="{form}"/>{more}<w:lvlText w:val="{text}"/>'
    return f'<w:lvl w:ilvl="{n}"><w:start w:val="1"/>{shown}</w:lvl>'


def numbering(levels: Sequence[str], changes: Mapping[int, str] | None = None) -> str:
    """List 1, and lists with changes, of one abstract definition."""
    lists = {1: ""} | dict(changes or {})
    return f'<w:abstractNum w:abstractNumId="7">{"".join(levels)}</w:abstractNum>' + "".join(
        f'<w:num w:numId="{n}"><w:abstractNumId w:val="7"/>{change}</w:num>' for n, change in lists.items()
    )


def numbered(text: str, depth: int = 0, list_id: int = 1, style: str = "") -> str:
    named = f'<w:pStyle w:val="{style}"/>' if style else ""
    return paragraph(text, f'{named}<w:numPr><w:ilvl w:val="{depth}"/><w:numId w:val="{list_id}"/></w:numPr>')


_LEGAL = [level(0, "decimal", "%1."), level(1, "decimal", "%1.%2", '<w:pStyle w:val="Clause"/>'),
          level(2, "lowerLetter", "(%3)"), level(3, "lowerRoman", "(%4)")]  # fmt: skip
_HEADINGS = (
    '<w:style w:type="paragraph" w:styleId="H1"><w:name w:val="heading 1"/>'
    '<w:pPr><w:numPr><w:numId w:val="1"/></w:numPr></w:pPr></w:style>'
    '<w:style w:type="paragraph" w:styleId="Clause">'
    '<w:pPr><w:numPr><w:numId w:val="1"/></w:numPr></w:pPr></w:style>'
)


def test_clauses_bear_the_numbers_that_word_counts(tmp_path: Path) -> None:
    document = word(
        tmp_path,
        paragraph("Terms", '<w:pStyle w:val="H1"/>')
        + paragraph("The fee is EUR 9.", '<w:pStyle w:val="Clause"/>')
        + paragraph("End", '<w:pStyle w:val="H1"/>')
        + paragraph("", '<w:pStyle w:val="Clause"/>')
        + paragraph("Either party may leave if:", '<w:pStyle w:val="Clause"/>')
        + numbered("the other is insolvent;", 2)
        + numbered("the other has not paid:", 2)
        + numbered("for a month;", 3)
        + paragraph("The rest stays.", '<w:pStyle w:val="Clause"/>'),
        {"styles": _HEADINGS, "numbering": numbering(_LEGAL)},
    )
    assert lines(document) == [
        "1. Terms", "1.1 The fee is EUR 9.", "2. End", "2.2 Either party may leave if:",
        "(a) the other is insolvent;", "(b) the other has not paid:", "(i) for a month;",
        "2.3 The rest stays.",
    ]  # fmt: skip
    assert marked(document, MarkKind.NUMBERED) == ["1.", "1.1", "2.", "2.2", "(a)", "(b)", "(i)", "2.3"]
    assert document.blocks[3].heading_path == ("2. End",)
    assert articles_agree(("section 2.2",), (), document.text[document.blocks[3].start :]) == 1


@pytest.mark.parametrize(
    ("form", "text", "third", "twenty_first"),
    [
        ("decimal", "%1)", "3)", "21)"),
        ("decimalZero", "%1", "03", "21"),
        ("upperRoman", "Article %1", "Article III", "Article XXI"),
        ("lowerLetter", "(%1)", "(c)", "(u)"),
        ("ordinal", "%1", "3rd", "21st"),
        ("ordinalText", "%1", "Third", "Twenty-first"),
        ("cardinalText", "Part %1", "Part Three", "Part Twenty-one"),
        ("chineseCounting", "第%1条", "第三条", "第二十一条"),
        ("chineseCountingThousand", "第%1章", "第三章", "第二十一章"),
        ("ideographTraditional", "%1、", "丙、", "21、"),
        ("decimalEnclosedCircle", "%1", "③", "21"),
        ("chineseLegalSimplified", "%1", "叁", "贰拾壹"),
        ("bullet", "•", "", ""),
        ("none", "%1", "", ""),
    ],
)
def test_numbers_are_written_in_the_forms_of_word(
    tmp_path: Path, form: str, text: str, third: str, twenty_first: str
) -> None:
    body = "".join(numbered(f"item {n}") for n in range(1, 22))
    found = lines(word(tmp_path, body, {"numbering": numbering([level(0, form, text)])}))
    assert found[2] == f"{third} item 3".strip()
    assert found[20] == f"{twenty_first} item 21".strip()


def test_lists_restart_where_word_restarts_them(tmp_path: Path) -> None:
    levels = [
        level(0, "upperRoman", "%1"), level(1, "decimal", "%1.%2", "<w:isLgl/>"),
        level(2, "decimal", "%3", '<w:lvlRestart w:val="1"/>'),
        level(3, "decimal", "%4", '<w:lvlRestart w:val="0"/><w:suff w:val="nothing"/>'),
    ]  # fmt: skip
    changes = {
        2: '<w:lvlOverride w:ilvl="0"><w:startOverride w:val="5"/></w:lvlOverride>',
        3: f'<w:lvlOverride w:ilvl="1">{level(1, "lowerLetter", "%2)")}</w:lvlOverride>',
    }
    steps = "01 11 21 31 11 21 31 01 11 21 02 02 01 13 13".split()  # level, list
    body = "".join(numbered("x", int(step[0]), int(step[1])) for step in steps)
    assert lines(word(tmp_path, body, {"numbering": numbering(levels, changes)})) == [
        "I x", "1.1 x", "1 x", "1x", "1.2 x", "2 x", "2x", "II x", "2.1 x", "1 x",
        "V x", "VI x", "VII x", "a) x", "b) x",
    ]  # fmt: skip


def test_a_style_has_the_level_of_the_style_that_it_is_based_on(tmp_path: Path) -> None:
    def style(name: str, number: str, based: str = "") -> str:
        on = f'<w:basedOn w:val="{based}"/>' if based else ""
        return (
            f'<w:style w:type="paragraph" w:styleId="{name}">{on}<w:pPr><w:numPr>{number}</w:numPr></w:pPr>'
            "</w:style>"
        )

    styles = style("A", '<w:numId w:val="1"/>') + style("B", '<w:ilvl w:val="1"/>', "A") + style("C", "", "B")
    body = "".join(paragraph(run("Words"), f'<w:pStyle w:val="{name}"/>') for name in "ABCA")
    parts = {
        "styles": styles,
        "numbering": numbering([level(0, "decimal", "%1"), level(1, "decimal", "%1.%2")]),
    }
    assert lines(word(tmp_path, body, parts)) == ["1 Words", "1.1 Words", "1.2 Words", "2 Words"]


def test_a_list_may_be_defined_by_a_style_of_lists(tmp_path: Path) -> None:
    parts = {
        "styles": '<w:style w:type="numbering" w:styleId="L">'
        '<w:pPr><w:numPr><w:numId w:val="1"/></w:numPr></w:pPr></w:style>',
        "numbering": f'<w:abstractNum w:abstractNumId="7">{level(0, "decimal", "§ %1")}</w:abstractNum>'
        '<w:abstractNum w:abstractNumId="8"><w:numStyleLink w:val="L"/></w:abstractNum>'
        '<w:num w:numId="1"><w:abstractNumId w:val="7"/></w:num>'
        '<w:num w:numId="2"><w:abstractNumId w:val="8"/></w:num>',
    }
    assert lines(word(tmp_path, numbered("x", 0, 2) + numbered("y", 0, 2), parts)) == ["§ 1 x", "§ 2 y"]


# What stands beside the text


def test_headers_and_footers_are_read_once_and_page_numbers_are_not(tmp_path: Path) -> None:
    page = '<w:fldSimple w:instr=" PAGE "><w:r><w:t>3</w:t></w:r></w:fldSimple>'
    references = "".join(
        f'<w:{kind}Reference w:type="{of}" r:id="{part}"/>'
        for kind, of, part in (("header", "default", "header1"), ("header", "first", "header2"),
                               ("header", "even", "header3"), ("footer", "default", "footer1"))
    )  # fmt: skip
    section = f"<w:sectPr>{references}<w:titlePg/></w:sectPr>"
    again = '<w:sectPr><w:headerReference w:type="default" r:id="header1"/></w:sectPr>'
    document = word(
        tmp_path,
        paragraph("Body one.", section) + paragraph("Body two.") + again,
        {
            "header1": paragraph("Policy 4711, version 3"), "header2": paragraph("Confidential"),
            "header3": paragraph("Never shown"),
            "footer1": paragraph(run("Page ") + page + run(" of 7")) + paragraph("Form 12/3"),
        },
    )  # fmt: skip
    assert lines(document) == [
        "Policy 4711, version 3",
        "Confidential",
        "Body one.",
        "Body two.",
        "Form 12/3",
    ]
    assert document.blocks[-1].heading_path == ()


def test_notes_and_comments_stand_behind_what_they_are_about(tmp_path: Path) -> None:
    document = word(
        tmp_path,
        paragraph(
            run("Interest is 4%") + '<w:r><w:footnoteReference w:id="2"/></w:r>' + run(" a year")
            + '<w:r><w:commentReference w:id="0"/></w:r>' + run(".")
        )
        + paragraph(run("It is due monthly.") + '<w:r><w:endnoteReference w:id="5"/></w:r>'),
        {
            "footnotes": '<w:footnote w:id="-1" w:type="separator"><w:p/></w:footnote><w:footnote w:id="2">'
            + paragraph("<w:r><w:footnoteRef/></w:r>" + run(" From 2 May.")) + "</w:footnote>"
            + f'<w:footnote w:id="9">{paragraph("Referred to by nothing.")}</w:footnote>',
            "endnotes": f'<w:endnote w:id="5">{paragraph("In arrears.")}</w:endnote>',
            "comments": f'<w:comment w:id="0" w:author="Ada Birk">{paragraph("Ask the bank.")}</w:comment>',
        },
    )  # fmt: skip
    assert lines(document) == [
        "Interest is 4% a year.", "From 2 May.", "Ada Birk: Ask the bank.",
        "It is due monthly.", "In arrears.",
    ]  # fmt: skip
    led = [(document.text[m.start - 4 : m.start], document.text[m.leads_to :][:6]) for m in document.marks]
    assert led == [("s 4%", "From 2"), ("year", "Ada Bi"), ("hly.", "In arr")]


def test_a_text_box_is_read_once_whatever_draws_it(tmp_path: Path) -> None:
    box = f"<w:txbxContent>{paragraph('Store below 8 °C.')}</w:txbxContent>"
    old = f"<w:pict><v:shape><v:textbox>{box.replace('Store', 'Keep')}</v:textbox></v:shape></w:pict>"
    drawn = (
        f'<w:r><mc:AlternateContent><mc:Choice Requires="wps">'
        f"<w:drawing><wps:txbx>{box}</wps:txbx></w:drawing></mc:Choice><mc:Fallback>{old}</mc:Fallback></mc:AlternateContent></w:r>"
    )
    mark = '<w:r><w:pict><v:shape><v:textpath string="DRAFT"/></v:shape></w:pict></w:r>'
    document = word(
        tmp_path, paragraph(run("Before. ") + drawn) + paragraph(f"<w:r>{old}</w:r>") + paragraph(mark)
    )
    assert lines(document) == ["Before.", "Store below 8 °C.", "Keep below 8 °C.", "DRAFT"]


def test_boxes_controls_and_form_fields_show_what_was_put_in(tmp_path: Path) -> None:
    def control(properties: str, inner: str) -> str:
        return f"<w:sdt><w:sdtPr>{properties}</w:sdtPr><w:sdtContent>{inner}</w:sdtContent></w:sdt>"

    def form(data: str, code: str, result: str = "") -> str:
        result = f'<w:r><w:fldChar w:fldCharType="separate"/></w:r>{run(result)}' if result else ""
        return (
            f'<w:r><w:fldChar w:fldCharType="begin"><w:ffData>{data}</w:ffData></w:fldChar></w:r>'
            f"<w:r><w:instrText> {code} </w:instrText></w:r>{result}"
            '<w:r><w:fldChar w:fldCharType="end"/></w:r>'
        )

    ticked = '<w14:checkbox><w14:checked w14:val="1"/></w14:checkbox>'
    choice = '<w:ddList><w:result w:val="1"/><w:listEntry w:val="Low"/><w:listEntry w:val="High"/></w:ddList>'
    unticked, empty = "<w14:checkbox/>", "<w:showingPlcHdr/>"
    checked = '<w:checkBox><w:default w:val="0"/><w:checked/></w:checkBox>'
    document = word(
        tmp_path,
        paragraph(control(ticked, run("☒")) + run(" Smoker"))
        + paragraph(control(unticked, run("☐")) + run(" Diabetic"))
        + paragraph(form(checked, "FORMCHECKBOX") + run(" Surgery"))
        + paragraph(run("Latex: ") + '<w:r><w:sym w:font="Wingdings" w:char="F0A8"/></w:r>')
        + paragraph(
            run("Name: ") + control("", run("Mo Ash")) + run(" Ward: ") + control(empty, run("Click"))
        )
        + paragraph(run("Risk: ") + form(choice, "FORMDROPDOWN"))
        + paragraph(run("Pulse: ") + form("", "FORMTEXT", "72"))
        + control(empty, paragraph("Click here to write")),
    )
    assert lines(document) == [
        "☒ Smoker", "☐ Diabetic", "☒ Surgery", "Latex: ☐", "Name: Mo Ash Ward:", "Risk: High", "Pulse: 72",
    ]  # fmt: skip


def _field(code: str) -> str:
    begin, end = (f'<w:r><w:fldChar w:fldCharType="{step}"/></w:r>' for step in ("begin", "end"))
    return f"{begin}<w:r><w:instrText> {code} </w:instrText></w:r>{end}"


@pytest.mark.parametrize(
    ("inner", "text"),
    [
        ('<w:r><w:sym w:font="Symbol" w:char="F0B3"/></w:r>' + run(" 3"), "≥ 3"),
        (run("\uf035 \uf06d\uf067", '<w:rFonts w:ascii="Symbol"/>'), "5 μγ"),
        (run("ab", '<w:rFonts w:ascii="Symbol"/>'), "αβ"),
        ('<w:r><w:sym w:font="Wingdings" w:char="F0FC"/></w:r>' + run(" done"), "✔ done"),
        ('<w:r><w:sym w:font="Arial" w:char="00B5"/></w:r>' + run("g"), "µg"),
        (_field("EQ \\f(a+1,2)") + run(" of ") + _field("EQ \\o\\ac(○,3)"), "(a+1)/2 of ③"),
        (_field('SYMBOL 177 \\f "Symbol" \\s 10') + run("2"), "±2"),
        ('<w:r><w:fldChar w:fldCharType="begin"/></w:r>' + run("Its end is missing."), "Its end is missing."),
        (
            f"<w:r><w:ruby><w:rt>{run('hàn')}</w:rt><w:rubyBase>{run('汉')}</w:rubyBase></w:ruby></w:r>"
            + run("字"), "汉字",
        ),
    ],
)  # fmt: skip
def test_symbols_are_the_signs_that_they_show(tmp_path: Path, inner: str, text: str) -> None:
    assert word(tmp_path, paragraph(inner)).text == text


def _m(name: str, *inner: str) -> str:
    return f"<m:{name}>{''.join(inner)}</m:{name}>"


def _t(text: str) -> str:
    return f"<m:r><m:t>{text}</m:t></m:r>"


_SUM = _m("naryPr", '<m:chr m:val="∑"/>')
_SQUARE = _m("dPr", '<m:begChr m:val="["/><m:endChr m:val="]"/>')
_MATRIX_ROW = _m("mr", _m("e", _t("1")), _m("e", _t("0")))


@pytest.mark.parametrize(
    ("equation", "text"),
    [
        (_t("Dose (mg)=5×(GFR+25)"), "Dose (mg) = 5 × (GFR + 25)"),
        (_t("x=") + _m("f", _m("num", _t("a+b")), _m("den", _t("2"))), "x = (a + b)/2"),
        (_m("f", _m("num", _t("(140-age)×m")), _m("den", _t("72×Scr"))), "((140 - age) × m)/(72 × Scr)"),
        (_m("rad", _m("deg"), _m("e", _t("x+1"))), "√(x + 1)"),
        (_m("rad", _m("deg", _t("3")), _m("e", _t("x"))), "∛x"),
        (_m("sSup", _m("e", _t("m")), _m("sup", _t("2"))), "m²"),
        (_m("sSup", _m("e", _t("e")), _m("sup", _t("-kt"))), "e^(-kt)"),
        (_m("sSub", _m("e", _t("C")), _m("sub", _t("max"))), "Cmax"),
        (_m("sSubSup", _m("e", _t("x")), _m("sub", _t("1")), _m("sup", _t("2"))), "x1²"),
        (_m("nary", _SUM, _m("sub", _t("i=1")), _m("sup", _t("n")), _m("e", _t("x"))), "∑_(i = 1)^n x"),
        (_m("d", _SQUARE, _m("e", _t("a")), _m("e", _t("b"))), "[a|b]"),
        (_m("d", _m("e", _m("m", _MATRIX_ROW, _MATRIX_ROW))), "(1, 0; 1, 0)"),
        (_m("func", _m("fName", _t("ln")), _m("e", _t("x"))), "ln x"),
        (_m("acc", _m("accPr", '<m:chr m:val="̂"/>'), _m("e", _t("p"))), "p̂"),
        (_m("limLow", _m("e", _t("lim")), _m("lim", _t("x→0"))), "lim_(x → 0)"),
        (_t("𝐴−1"), "A − 1"),
    ],
)  # fmt: skip
def test_equations_read_on_one_line(tmp_path: Path, equation: str, text: str) -> None:
    document = word(tmp_path, paragraph(f"<m:oMathPara><m:oMath>{equation}</m:oMath></m:oMathPara>"))
    assert document.text == text


def test_charts_and_diagrams_are_read_and_what_cannot_be_is_named(tmp_path: Path) -> None:
    def points(*values: str) -> str:
        return "".join(f'<c:pt idx="{n}"><c:v>{value}</c:v></c:pt>' for n, value in enumerate(values))

    def drawn(inner: str) -> str:
        return paragraph(f"<w:r><w:drawing>{inner}</w:drawing></w:r>")

    def said(text: str) -> str:
        return f"<a:p><a:r><a:t>{text}</a:t></a:r></a:p>"

    chart = (
        f"<c:chartSpace {_SPACES}><c:chart><c:title>{said('Pumps')}</c:title><c:plotArea><c:barChart><c:ser>"
        f"<c:tx>{points('Sold')}</c:tx><c:cat>{points('2023', '2024')}</c:cat>"
        "<c:val><c:formatCode>0.0%</c:formatCode>"
        f"{points('12', '0.30000000000000004')}</c:val></c:ser></c:barChart></c:plotArea></c:chart>"
        "</c:chartSpace>"
    )
    nodes = "".join(f"<dgm:pt><dgm:t>{said(text)}</dgm:t></dgm:pt>" for text in ("Apply", "Wait"))
    diagram = f'<dgm:dataModel {_SPACES}><dgm:ptLst><dgm:pt type="doc"/>{nodes}</dgm:ptLst></dgm:dataModel>'
    body = (
        paragraph("Sales", '<w:outlineLvl w:val="0"/>')
        + drawn('<c:chart r:id="charts/1.xml"/>')
        + drawn('<dgm:relIds r:dm="diagrams/1.xml"/>')
        + drawn('<c:chart r:id="charts/2.xml"/>')
        + paragraph(
            '<w:r><w:object><v:shape><v:imagedata r:id="x"/></v:shape>'
            '<o:OLEObject ProgID="Excel.Sheet.12"/></w:object></w:r>'
        )
        + drawn('<wp:inline><wp:extent cx="7000000" cy="9000000"/><a:blip r:embed="no"/></wp:inline>')
        + '<w:sectPr><w:pgSz w:w="12240" w:h="15840"/></w:sectPr>'
    )
    document = word(
        tmp_path, body, {"charts/1.xml": chart, "diagrams/1.xml": diagram, "charts/2.xml": "<damaged"}
    )
    assert lines(document) == ["Sales", "Pumps", "| Sold", "2023 | 1200.0%", "2024 | 30.0%", "Apply", "Wait"]
    assert [(loss.kind, loss.place) for loss in document.losses] == [
        (LossKind.UNSUPPORTED_PART, "chart 2 under “Sales”"),
        (LossKind.UNSUPPORTED_PART, "embedded workbook 1 under “Sales”"),
        (LossKind.PICTURE_WITH_TEXT, "picture 1 under “Sales”"),
    ]


def test_a_file_put_in_whole_is_read_where_it_stands(tmp_path: Path) -> None:
    inner = docx_bytes(
        [
            ("Heading 1", "Annex"),
            ("Normal", "Spares are free."),
            ("table", [["Part", "Price"], ["Seal", "4"]]),
        ]
    )
    body = paragraph("Before.") + "".join(
        f'<w:altChunk r:id="{part}"/>' for part in ("a.docx", "b.html", "c.rtf")
    )
    document = word(tmp_path, body, {"a.docx": inner, "b.html": "<p>From a page.</p>", "c.rtf": "{\\rtf1}"})
    assert lines(document) == [
        "Before.", "Annex", "Spares are free.", "Part | Price", "Seal | 4", "From a page.",
    ]  # fmt: skip
    assert [loss.place for loss in document.losses] == ["included file (rtf) under “Annex”"]


# Round trip


_WORDS = st.text("ab ,.条", min_size=1, max_size=12).filter(lambda text: text.strip() == text)
_WAYS = st.sampled_from(["", "struck", "hidden", "deleted", "inserted"])
_RUNS = st.lists(st.tuples(_WAYS, _WORDS), min_size=1, max_size=5)


def _as_xml(kind: str, text: str) -> str:
    if kind in ("deleted", "inserted"):
        return deleted(text) if kind == "deleted" else inserted(text)
    return run(text, {"struck": _STRIKE, "hidden": _HIDDEN, "": ""}[kind])


@given(st.lists(st.tuples(st.booleans(), _RUNS), min_size=1, max_size=6))
def test_what_was_written_comes_back_with_marks_at_its_offsets(
    tmp_path_factory: pytest.TempPathFactory, content: list[tuple[bool, list[tuple[str, str]]]]
) -> None:
    body, expected, count = paragraph("Begin."), ["Begin."], 0
    for counted, runs in content:
        inner = "".join(_as_xml(kind, f"{text}x") for kind, text in runs)
        body += numbered(inner) if counted else paragraph(inner)
        count += counted
        number = f"{count}. " if counted else ""
        standing = "".join(f"{text}x" for kind, text in runs if kind in ("", "inserted"))
        expected += [number + standing] if standing else []
        for kind in ("struck", "deleted", "hidden"):
            if any(k == kind for k, _ in runs):
                expected.append(number + "".join(f"{text}x" for k, text in runs if k in ("", kind)))
    parts = {"numbering": numbering([level(0, "decimal", "%1.")])}
    document = word(tmp_path_factory.mktemp("words"), body, parts)
    assert lines(document) == expected
    blocks = [(b.start, b.end) for b in document.blocks]
    gone = [m for m in document.marks if m.kind in (MarkKind.STRUCK, MarkKind.DELETED, MarkKind.HIDDEN)]
    assert all((mark.start, mark.end) in blocks for mark in gone)
    assert all(0 <= m.start <= m.end <= len(document.text) for m in document.marks)
    for block in document.blocks:
        if block.kind is BlockKind.LIST_ITEM:
            own = document.text[block.start : block.end].partition(" ")[0]
            assert own.endswith(".")
