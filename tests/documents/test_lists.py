"""What leads into a list belongs to each of its items: in every format, at exact offsets, over passages."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from rag.documents.chunk import chunk
from rag.documents.lists import units
from rag.documents.segments import leads_of
from rag.parsers import parse
from rag.types import Document
from rag.types.documents import led, quoted
from tests.documents.test_chunk import check, count
from tests.files import docx_bytes, pdf_bytes, write

LEAD = "We do not pay for:"
ITEMS = ["coins above EUR 90;", "skis left on a car roof;", "loss by moths or by frost."]


def read(name: str, content: bytes | str) -> Document:
    with tempfile.TemporaryDirectory() as folder:
        return parse(write(Path(folder), name, content), path=name)


def over(document: Document, item: str) -> list[str]:
    """The leads of an item of a document, whose offsets are exact."""
    found = led(leads_of(document), document.text.index(item))
    assert all(document.text[lead.start : lead.end] == lead.text for lead in found)
    return [lead.text for lead in found]


def markdown(items: Sequence[str], lead: str = LEAD) -> str:
    return f"# Policy\n\n## Exclusions\n\n{lead}\n\n" + "\n".join(f"- {item}" for item in items)


FILES: dict[str, bytes | str] = {
    "a.md": markdown(ITEMS),
    "a.html": f"<h1>Policy</h1><h2>Exclusions</h2><p>{LEAD}</p><ul>"
    + "".join(f"<li>{item}</li>" for item in ITEMS)
    + "</ul><p>Nothing else is left out.</p>",
    "a.txt": f"Policy\n\n{LEAD}\n\n"
    + "\n".join(f"({n}) {item}" for n, item in zip("abc", ITEMS, strict=True)),
    "a.docx": docx_bytes(
        [
            ("Heading 1", "Exclusions"),
            ("Normal", LEAD),
            *(("List Bullet", item) for item in ITEMS),
            ("Normal", "Nothing else is left out."),
        ]
    ),
    "a.pdf": pdf_bytes([["# Policy", "", LEAD, "", *(f"• {item}" for item in ITEMS)]]),
}


@pytest.mark.parametrize("name", list(FILES))
def test_each_item_has_the_words_that_lead_into_its_list(name: str) -> None:
    document = read(name, FILES[name])
    assert [over(document, item) for item in ITEMS] == [[LEAD]] * 3
    (passage,) = [c for c in chunk(document, count_tokens=count) if LEAD in c.text]
    said = [
        quoted(led(passage.leads, s.start), s.start, document.text[s.start : s.end]) for s in units(passage)
    ]
    assert [s.replace("… ", "").replace("  ", " ").strip("•") for s in said if s.endswith(ITEMS[2])]
    assert all(s.startswith(LEAD) for s in said if any(s.endswith(item) for item in ITEMS))


def test_a_list_within_a_list_has_the_leads_of_both() -> None:
    text = (
        "6. Supply\n\n6.2 The Supplier shall, at each call:\n\n(a) look at the goods;\n(b) deliver:\n"
        "(i) the pump;\n(ii) the filter; and\n(c) sign the note.\n\n7.1 The Buyer shall pay."
    )
    document = read("a.txt", text)
    first, second = "6.2 The Supplier shall, at each call:", "(b) deliver:"
    assert over(document, "(a) look") == over(document, "(c) sign") == [first]
    assert over(document, "(i) the pump") == over(document, "(ii) the filter") == [first, second]
    assert over(document, "7.1 The Buyer") == []
    quote = quoted(led(leads_of(document), at := text.index("(ii) the")), at, "(ii) the filter")
    assert quote == f"{first} … {second} … (ii) the filter"


def test_items_of_chinese_law_have_their_article_in_front() -> None:
    text = (
        "第九条 有下列情形之一的，不予赔偿：\n（一）战争；\n（二）故意行为：\n1. 投保人的；\n2. 受益人的；\n"
        "（三）其他情形。\n第十条 本条例自公布之日起施行。"
    )
    document = read("条例.txt", text)
    lead = "第九条 有下列情形之一的，不予赔偿："
    assert over(document, "（三）其他") == [lead]
    assert over(document, "2. 受益人的") == [lead, "（二）故意行为："]
    assert over(document, "第十条") == []


def test_a_letter_that_may_be_a_numeral_is_the_one_that_follows() -> None:
    items = "\n".join(f"({letter}) matter {letter}{letter};" for letter in "abcdefghij")
    document = read("a.txt", f"Rules\n\nThe board decides on:\n\n{items}")
    assert over(document, "(i) matter") == over(document, "(j) matter") == ["The board decides on:"]


def test_a_heading_leads_into_bullets_that_are_no_sentences_and_into_no_numbered_clauses() -> None:
    document = read("a.md", "# Drug\n\n## Contraindications\n\n- Use with fostrenazole\n- Severe asthma\n")
    assert over(document, "- Severe") == ["Contraindications"]
    clauses = "# Deed\n\n## Rent\n\n1. The tenant pays rent.\n2. The landlord keeps the roof in repair.\n"
    assert over(read("a.md", clauses), "2. The landlord") == []


def test_a_paragraph_within_a_list_does_not_end_it_where_its_numbers_go_on() -> None:
    text = "Rules\n\nThe tenant shall not:\n\n(a) keep dogs;\n\nGuide dogs are welcome.\n\n(b) sublet."
    assert over(read("a.txt", text), "(b) sublet") == ["The tenant shall not:"]
    again = text.replace("(b) sublet.", "(a) The landlord insures the house.")
    assert over(read("a.txt", again), "(a) The landlord") == []


def test_a_short_list_is_not_cut_from_its_lead_and_of_a_long_one_each_passage_has_it_in_its_context() -> None:
    filler = "The policy is written for houses of one family and is paid each year. " * 3
    document = read("a.md", markdown(ITEMS, f"{filler}\n\n{LEAD}"))
    for limit in range(60, 140, 7):
        chunks = chunk(document, count_tokens=count, max_tokens=limit)
        check(document, chunks, limit)
        assert [c for c in chunks if all(item in c.text for item in (LEAD, *ITEMS))], limit
    many = [f"loss of object number {n} of the household by wear" for n in range(60)]
    long = read("a.md", markdown(many))
    chunks = chunk(long, count_tokens=count)
    check(long, chunks)
    assert len(chunks) > 3
    for passage in chunks[1:]:
        assert LEAD in passage.context and "Exclusions" in passage.context
        assert [lead.text for lead in passage.leads] == [LEAD]


def test_an_item_without_a_colon_that_goes_on_below_leads_too() -> None:
    text = (
        "Supply\n\nThe Supplier shall:\n\n(a) look at the goods;\n(b) deliver\n(i) a pump;\n(ii) the oil.\n"
    )
    assert over(read("a.txt", text), "(ii) the") == ["The Supplier shall:", "(b) deliver"]
