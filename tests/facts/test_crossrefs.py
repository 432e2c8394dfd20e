"""References: found with exact spans, each with the document that it is of."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.facts.crossrefs import find


def spelled(text: str, language: str) -> list[tuple[str, str, str, str]]:
    found = find(text, language=language)
    assert list(found) == sorted(found, key=lambda r: (r.start, -r.end))
    return [(text[r.start : r.end], r.kind, r.label, r.target) for r in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("依照第十二条处理", ("第十二条", "article", "12", "")),
        ("第12条第二款规定的", ("第12条第二款", "article", "12(2)", "")),
        ("违反本法第三条的", ("本法第三条", "article", "3", "")),
        ("本条例第七条之一", ("本条例第七条之一", "article", "7-1", "")),
        ("《湖泊法》第八百二十九条", ("《湖泊法》第八百二十九条", "article", "829", "湖泊法")),
        ("依照《湖泊法》的规定", ("《湖泊法》", "document", "", "湖泊法")),
        ("根据湖泊法第六十七条第一款", ("湖泊法第六十七条第一款", "article", "67(1)", "湖泊法")),
        ("见附件二", ("附件二", "appendix", "2", "")),
    ],
)
def test_a_chinese_reference_is_found_whole(text: str, expected: tuple[str, str, str, str]) -> None:
    assert spelled(text, "zh") == [expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("subject to Article 12.", ("Article 12", "article", "12", "")),
        ("under Art. 12(3) it", ("Art. 12(3)", "article", "12(3)", "")),
        ("as defined in Section 1.1,", ("Section 1.1", "section", "1.1", "")),
        ("see § 12 above", ("§ 12", "section", "12", "")),
        ("under clause 7.1 hereof", ("clause 7.1", "section", "7.1", "")),
        ("see Note 12 to the consolidated financial statements", ("Note 12", "note", "12", "")),
        ("in Item 7A of this report", ("Item 7A", "item", "7a", "")),
        ("set out in Schedule 2.", ("Schedule 2", "schedule", "2", "")),
        ("filed as Exhibit 10.1,", ("Exhibit 10.1", "exhibit", "10.1", "")),
        ("listed in Appendix B.", ("Appendix B", "appendix", "b", "")),
        ("results are in Table 3.", ("Table 3", "table", "3", "")),
        ("pursuant to ARTICLE IV hereof", ("ARTICLE IV", "article", "4", "")),
        ("under Section 4.2 of this Agreement", ("Section 4.2", "section", "4.2", "")),
        ("§ 12 XYZ", ("§ 12 XYZ", "section", "12", "XYZ")),
        ("under Article 6 of Directive 2008/48/EC",
         ("Article 6 of Directive 2008/48/EC", "article", "6", "Directive 2008/48/EC")),
        ("the Harbour Dues Act 2006, section 9",
         ("Harbour Dues Act 2006, section 9", "section", "9", "Harbour Dues Act 2006")),
        ("paragraph 3 of Article 9 of the Harbour Code",
         ("paragraph 3 of Article 9 of the Harbour Code", "article", "9(3)", "Harbour Code")),
        ("governed by the Harbour Dues Act 2006.",
         ("Harbour Dues Act 2006", "document", "", "Harbour Dues Act 2006")),
    ],
)  # fmt: skip
def test_an_english_reference_is_found_whole(text: str, expected: tuple[str, str, str, str]) -> None:
    assert spelled(text, "en") == [expected]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Phase 3 of the study of type 2 diabetes in 2020, May 5", "en"),
        ("This Loan Agreement and the Agreement bind the Act", "en"),
        ("第三级医院、第二期工程、第十条例", "zh"),
        ("in section four", "en"),
    ],
)
def test_grades_phases_and_bare_words_are_no_references(text: str, language: str) -> None:
    assert spelled(text, language) == []


def test_members_of_a_range_are_references_too() -> None:
    found = spelled("Sections 4 to 6 of the Harbour Code", "en")
    assert {(label, target) for _, _, label, target in found} == {
        (n, "Harbour Code") for n in ("4", "5", "6")
    }
    assert {label for _, _, label, _ in spelled("第四条至第六条", "zh")} == {"4", "5", "6"}


def test_a_list_shares_the_document_named_with_it() -> None:
    found = spelled("依照《湖泊法》第三条、第五条第一款和第九条，又见第七十条", "zh")
    assert [(label, target) for _, _, label, target in found] == [
        ("3", "湖泊法"), ("5(1)", "湖泊法"), ("9", "湖泊法"), ("70", ""),
    ]  # fmt: skip


def test_an_alias_stands_for_the_document_it_was_given_to() -> None:
    zh = "根据《湖泊保护条例实施办法》（以下简称《办法》），见《办法》第五条。"
    assert spelled(zh, "zh")[-1] == ("《办法》第五条", "article", "5", "湖泊保护条例实施办法")
    en = 'the Fisheries (Licences) Act 2010 (the "Act") and section 7 of the Act'
    assert spelled(en, "en")[-1] == ("section 7 of the Act", "section", "7", "Fisheries (Licences) Act 2010")


def test_that_law_is_the_one_named_before() -> None:
    assert spelled("《湖泊法》第一条；该法第九条", "zh")[-1] == ("该法第九条", "article", "9", "湖泊法")


_DIGITS = "零一二三四五六七八九"


def han(n: int) -> str:
    """1 to 999 as a Chinese law writes it."""
    hundreds, tens, ones = n // 100, n // 10 % 10, n % 10
    out = f"{_DIGITS[hundreds]}百" if hundreds else ""
    if tens:
        out += ("" if tens == 1 and not hundreds else _DIGITS[tens]) + "十"
    elif hundreds and ones:
        out += "零"
    return out + (_DIGITS[ones] if ones else "")


@given(
    number=st.integers(1, 999),
    style=st.sampled_from([str, han, lambda n: "".join(chr(0xFF10 + int(d)) for d in str(n))]),
    before=st.text("的水，。a \n", max_size=6),
    after=st.text("的水，。a ", max_size=6),
)
def test_every_spelling_of_an_article_number_reads_as_the_same(number, style, before, after) -> None:  # type: ignore[no-untyped-def]
    reference = f"第{style(number)}条"
    found = spelled(before + reference + after, "zh")
    assert found == [(reference, "article", str(number), "")]


@given(
    st.text("《》第一十条款（）()本法前和、Section 4.2-of§the AcN\n", max_size=80),
    st.sampled_from(["en", "zh"]),
)
def test_spans_lie_within_any_text(text: str, language: str) -> None:
    for reference in find(text, language=language):
        assert 0 <= reference.start < reference.end <= len(text)
