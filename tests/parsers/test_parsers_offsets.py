"""Offsets are law: whatever goes into a file comes out at the place that its block names."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag.parsers import parse
from rag.types import BlockKind, Document
from tests.files import docx_bytes, pdf_bytes, write, xlsx_bytes

DOCX_STYLES = st.sampled_from(["Heading 1", "Heading 2", "Normal", "List Bullet"])
WORDS = st.lists(
    st.text(st.characters(whitelist_categories=("Lu", "Ll"), max_codepoint=0x24F), min_size=1, max_size=9),
    min_size=1,
    max_size=12,
).map(" ".join)
HAN = st.text("的一是在不了有和人这中大为上个国我以要他时来用们", min_size=2, max_size=30)
PROSE = st.one_of(WORDS, HAN, st.tuples(WORDS, HAN).map("，".join))
# Only what reportlab's built-in fonts can show; a leading letter keeps lines from looking like lists.
PLAIN = st.text("abcdefghijklmnopqrstuvwxyz ABCDEF,", min_size=1, max_size=60).map(
    lambda s: "Q" + " ".join(s.split())
)
QUICK = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def read(name: str, content: bytes | str) -> Document:
    with tempfile.TemporaryDirectory() as folder:
        return parse(write(Path(folder), name, content), path=name)


def squeezed(text: str) -> str:
    return "".join(text.split())


def pieces(document: Document) -> list[str]:
    return [squeezed(document.text[block.start : block.end]) for block in document.blocks]


def assert_lawful(document: Document) -> None:
    """Blocks in order, disjoint, not blank, trimmed, with only white space between; pages partition the
    text."""
    end = 0
    for block in document.blocks:
        assert end <= block.start < block.end <= len(document.text)
        assert document.text[end : block.start].strip() == ""
        body = document.text[block.start : block.end]
        assert body == body.strip() != ""
        assert (block.kind is BlockKind.TABLE_ROW) is (block.table is not None)
        end = block.end
    assert document.text[end:].strip() == ""
    document.text.encode()  # no lone surrogates
    if document.pages:
        assert document.pages[0].start == 0
        assert document.pages[-1].end == len(document.text)
        for page, following in zip(document.pages, document.pages[1:], strict=False):
            assert (page.number + 1, page.end) == (following.number, following.start)


@QUICK
@given(st.lists(PROSE, min_size=1, max_size=8))
def test_text_paragraphs_come_back_in_order(paragraphs: list[str]) -> None:
    document = read("a.txt", "\n\n".join(paragraphs))
    assert_lawful(document)
    assert pieces(document) == [squeezed(p) for p in paragraphs]


@QUICK
@given(st.text(min_size=1))
def test_any_text_file_keeps_its_visible_characters_or_is_refused(text: str) -> None:
    from rag.errors import ParseError
    from rag.parsers.base import clean

    data = text.encode("utf-8", "replace")
    try:
        document = read("a.txt", data)
    except ParseError as error:
        assert error.status in ("empty", "unsupported")
        return
    assert_lawful(document)
    if "\0" not in text and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        assert squeezed(document.text) == squeezed(clean(data.decode()))


@QUICK
@given(st.lists(st.tuples(st.integers(1, 4), PROSE, PROSE), min_size=1, max_size=6))
def test_markdown_sections_come_back_with_their_levels(sections: list[tuple[int, str, str]]) -> None:
    source = "\n".join(f"{'#' * level} {title}\n\n{body}\n" for level, title, body in sections)
    document = read("a.md", source)
    assert_lawful(document)
    headings = [block for block in document.blocks if block.kind is BlockKind.HEADING]
    assert [block.level for block in headings] == [level for level, _, _ in sections]
    assert pieces(document) == [squeezed(part) for _, title, body in sections for part in (title, body)]
    for block in document.blocks:
        assert len(block.heading_path) <= 4


@QUICK
@given(st.lists(st.lists(PLAIN, min_size=2, max_size=2), min_size=2, max_size=6))
def test_markdown_table_rows_carry_the_header(rows: list[list[str]]) -> None:
    head, *body = rows
    lines = [f"| {' | '.join(row)} |" for row in body]
    document = read("a.md", "\n".join([f"| {' | '.join(head)} |", "|---|---|", *lines]))
    assert_lawful(document)
    assert {block.heads for block in document.blocks} == {tuple(head)}
    assert [document.text[b.start : b.end] for b in document.blocks] == [" | ".join(row) for row in rows]


@QUICK
@given(
    st.lists(
        st.tuples(st.sampled_from(["h1", "h2", "h3", "p", "li", "div", "pre"]), PROSE), min_size=1, max_size=8
    )
)
def test_html_elements_become_blocks(elements: list[tuple[str, str]]) -> None:
    document = read("a.html", "<html><body>" + "".join(f"<{tag}>{text}</{tag}>" for tag, text in elements))
    assert_lawful(document)
    assert pieces(document) == [squeezed(text) for _, text in elements]
    kinds = {"p": "paragraph", "div": "paragraph", "li": "list_item", "pre": "code"}
    assert [str(b.kind) for b in document.blocks] == [kinds.get(tag, "heading") for tag, _ in elements]


@QUICK
@given(st.text("<>/abplitdrh1&;=\"' \n-!", min_size=1, max_size=300))
def test_broken_html_never_breaks_the_offsets(source: str) -> None:
    from rag.errors import ParseError

    try:
        assert_lawful(read("a.html", source))
    except ParseError as error:
        assert error.status == "empty"


@QUICK
@given(
    st.lists(
        st.tuples(st.sampled_from(["Heading 1", "Heading 2", "Normal", "List Bullet"]), PROSE),
        min_size=1,
        max_size=8,
    )
)
def test_docx_paragraphs_become_blocks_of_their_style(content: list[tuple[str, str]]) -> None:
    body: list[tuple[str, Any]] = [("Heading 1", "Opening"), *content]
    document = read("a.docx", docx_bytes(body))
    assert_lawful(document)
    assert pieces(document) == [squeezed(text) for _, text in body]
    kinds = {"Normal": "paragraph", "List Bullet": "list_item"}
    assert [str(b.kind) for b in document.blocks] == [kinds.get(style, "heading") for style, _ in body]


CELLS = st.text(
    st.characters(blacklist_categories=("Cc", "Cs", "Cf", "Zs", "Zl", "Zp", "Cn", "Co")),
    min_size=1,
    max_size=12,
).filter(lambda cell: not cell.startswith("="))  # a formula, not a text


@QUICK
@given(st.lists(st.lists(CELLS, min_size=3, max_size=3), min_size=2, max_size=8))
def test_xlsx_rows_come_back_with_cells_and_place(rows: list[list[str]]) -> None:
    document = read("a.xlsx", xlsx_bytes({"Data": [["Name", "Place", "Kind"], *rows]}))
    assert_lawful(document)
    body = document.blocks[2:]
    assert [document.text[b.start : b.end] for b in body] == [" | ".join(row) for row in rows]
    assert [b.location for b in body] == [f"Data!A{n}:C{n}" for n in range(2, len(rows) + 2)]
    assert {b.heads for b in body} == {("Name", "Place", "Kind")}


@QUICK
@given(
    st.lists(
        st.lists(st.text("abcdef ,;\"\n'0123456789汉字", max_size=12), min_size=3, max_size=3),
        min_size=1,
        max_size=8,
    ),
    st.sampled_from([",", ";", "\t"]),
)
def test_csv_rows_survive_quotes_delimiters_and_line_breaks(rows: list[list[str]], delimiter: str) -> None:
    import csv
    import io

    target = io.StringIO(newline="")
    writer = csv.writer(target, delimiter=delimiter)
    # A label in front of each row: what is blank there stands for the label above.
    rows = [[f"r{n}", *row] for n, row in enumerate(rows)]
    writer.writerows([["Key", "Name", "Place", "Kind"], *rows])
    document = read("a.tsv" if delimiter == "\t" else "a.csv", target.getvalue())
    assert_lawful(document)
    wanted = [squeezed("|".join(row)) for row in rows]
    assert [squeezed(piece).replace("|", "") for piece in pieces(document)[1:]] == [
        w.replace("|", "") for w in wanted
    ]


@QUICK
@given(st.lists(st.lists(PLAIN, max_size=6), min_size=1, max_size=4))
def test_pdf_lines_stand_on_their_pages(pages: list[list[str]]) -> None:
    pages[0].append("Qlast line")
    document = read("a.pdf", pdf_bytes(pages))
    assert_lawful(document)
    for page, lines in zip(document.pages, pages, strict=True):
        assert squeezed(document.text[page.start : page.end]) == squeezed("".join(lines))
        assert (page.number in {loss.page for loss in document.losses}) == (not lines)


def test_page_of_finds_the_page_of_a_quote() -> None:
    document = read("a.pdf", pdf_bytes([["First words"], ["Second words"], [], ["Fourth words"]]))
    assert document.page_of(document.text.index("Second")) == 2
    assert document.page_of(document.text.index("Fourth")) == 4
    assert [loss.page for loss in document.losses] == [3]


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.html"])
def test_parsing_twice_gives_the_same_document(name: str) -> None:
    text = "# One\n\nSome text here.\n\n第一条 本法。\n"
    first, second = read(name, text), read(name, text)
    assert (first.text, first.blocks, first.sha256) == (second.text, second.blocks, second.sha256)
