"""References: found with exact spans, led to what bears the number, settled between documents."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.facts.crossrefs import find
from rag.index import Index, open_index
from rag.store.store import Store
from rag.types import Filters
from tests.fakes import FakeEmbedder
from tests.indexing import document, manifest, put, write_files


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
        ("前款规定的情形", ("前款", "paragraph", "-1", "")),
        ("依照前条规定", ("前条", "article", "-1", "")),
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
        ("the preceding Article applies", ("preceding Article", "article", "-1", "")),
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


# Within a document


@pytest.fixture
def store(tmp_path: Path):  # type: ignore[no-untyped-def]
    with Store.create(tmp_path / "index", manifest()) as opened:
        yield opened


def passages(store: Store) -> dict[int, str]:
    return {i: chunk.text for i, _, chunk in store.chunks([int(i) for i in store.chunk_ids(Filters())])}


def leads(store: Store, words: str) -> list[tuple[str, str | None]]:
    """(reference, first words of where it leads) of the passages that hold `words`."""
    texts = passages(store)
    return [
        (r.text, texts[r.target_chunk_id][:8] if r.target_chunk_id else None)
        for i, text in texts.items()
        if words in text
        for r in store.references(i)
    ]


LAW = [
    "第一条　为了保护湖泊，制定本法。",
    "第二条　违反本法第十二条规定的，依照第四条处罚。",
    "第三条　前条规定适用于湿地。第十二条规定的许可另行规定。",
    "第四条　处一万元罚款。",
    "第十二条　取水应当取得许可。",
]


def law(name: str, articles: list[str], **changes: object):  # type: ignore[no-untyped-def]
    return document(f"{name}.md", articles, **({"language": "zh", "title": name} | changes))


def test_a_reference_leads_to_the_passage_that_bears_the_article_not_to_one_that_mentions_it(
    store: Store,
) -> None:
    put(store, law("湖泊法", LAW))
    assert leads(store, "第二条　") == [
        ("本法第十二条", "第十二条　取水应"),
        ("第四条", "第四条　处一万元"),
    ]
    assert leads(store, "第三条　") == [
        ("前条", "第二条　违反本法"),
        ("第十二条", "第十二条　取水应"),
    ]


def test_who_cites_a_passage_is_known(store: Store) -> None:
    put(store, law("湖泊法", LAW))
    texts = passages(store)
    target = next(i for i, text in texts.items() if text.startswith("第十二条"))
    assert [texts[r.chunk_id][:3] for r in store.references(target, incoming=True)] == ["第二条", "第三条"]


def test_spans_of_stored_references_are_those_of_the_document(store: Store) -> None:
    (document_id,) = put(store, law("湖泊法", LAW))
    text = store.text(document_id)
    found = [r for i in passages(store) for r in store.references(i)]
    assert found and all(r.text == text[r.start : r.end] for r in found)


CONTRACT = """# Supply Agreement

## 1. Definitions

"Goods" has the meaning given in Section 4.2 and Schedule 2.

## 4. Price

4.1 The price is set out in Schedule 1.

4.2 Goods are listed by the Seller. See Note 7.

# Schedule 1

4.2 Prices exclude duty.

# Schedule 2

1. Timber. As to price see clause 4.2 of this Agreement.
"""


def open_with(tmp_path: Path, files: dict[str, str]) -> Index:
    index = open_index(tmp_path / "index", embedder=FakeEmbedder(), create=True)
    index.ingest(write_files(tmp_path / "files", files))
    return index


def test_a_contract_leads_to_its_clause_and_schedule_and_not_to_the_like_number_of_a_schedule(
    tmp_path: Path,
) -> None:
    with open_with(tmp_path, {"supply.md": CONTRACT}) as index:
        texts = passages(index.store)
        where = {
            r.text: texts[r.target_chunk_id]
            for i in texts
            for r in index.references(i)
            if r.target_chunk_id is not None
        }
    assert "Goods are listed" in where["Section 4.2"]
    assert "Goods are listed" in where["clause 4.2"]
    assert "Timber" in where["Schedule 2"]
    assert "Note 7" not in where  # nothing bears it


def test_a_number_borne_twice_leads_nowhere(store: Store) -> None:
    put(store, law("湖泊法", ["第一条　见第二条。", "第二条　甲。", "第二条　乙。"]))
    assert leads(store, "第一条") == []


def test_a_table_of_contents_does_not_bear_what_it_lists(store: Store) -> None:
    paragraphs = [
        "Item 1. Business .......... 3\nItem 7A. Market Risk .......... 45",
        "Item 1. Business",
        "We sell timber, as to which see Item 7A. " + "Timber is sold by weight and by length. " * 40,
        "Item 7A. Market Risk",
        "Prices move. " * 60,
    ]
    put(store, document("report.pdf", paragraphs))
    texts = passages(store)
    aims = {texts[r.target_chunk_id] for i in texts for r in store.references(i) if r.target_chunk_id}
    assert [("Prices move" in text, "...." in text) for text in aims] == [(True, False)]


# Between documents


def test_another_law_is_found_by_its_full_and_short_name(store: Store) -> None:
    put(
        store,
        law("中华人民共和国湖泊法", LAW),
        law("湿地条例", ["第一条　依照《湖泊法》第四条、《中华人民共和国湖泊法》第十二条和湖泊法第一条。"]),
    )
    assert [target for _, target in leads(store, "依照《湖泊法》")] == [
        "第四条　处一万元", "第十二条　取水应", "第一条　为了保护",
    ]  # fmt: skip


def test_an_english_act_is_found_with_and_without_its_year(store: Store) -> None:
    act = document("harbour.txt", ["Section 9. Dues are payable."], title="Harbour Dues Act 2006")
    notice = document(
        "notice.txt", ["Under section 9 of the Harbour Dues Act dues are payable, see Harbour Dues Act 2006."]
    )
    put(store, act, notice)
    assert [(words, bool(target)) for words, target in leads(store, "Under section 9")] == [
        ("section 9 of the Harbour Dues Act", True), ("Harbour Dues Act 2006", False),
    ]  # fmt: skip
    assert [r.target_document_id for r in store.references(2)] == [1, 1]


def test_a_target_that_comes_later_is_settled_then_and_open_again_when_it_goes(tmp_path: Path) -> None:
    citing = "# 湿地条例\n\n第一条　依照《湖泊法》第四条处罚。\n"
    cited = "# 湖泊法\n\n" + "\n\n".join(LAW) + "\n"
    with open_with(tmp_path, {"湿地条例.md": citing}) as index:
        (here,) = (i for i, text in passages(index.store).items() if "第四条" in text)
        assert [r.target_document_id for r in index.references(here)] == [None]
        index.ingest(write_files(tmp_path / "files", {"湖泊法.md": cited}))
        (reference,) = index.references(here)
        assert index.passage(reference.target_chunk_id or 0).chunk.text.startswith("第四条")
        assert [r.chunk_id for r in index.store.references(reference.target_chunk_id or 0, incoming=True)][
            :1
        ] == [here]
        index.delete(["湖泊法.md"])
        assert [(r.target_document_id, r.target_chunk_id) for r in index.references(here)] == [(None, None)]
        assert index.verify().ok


def test_of_two_documents_of_one_name_the_one_that_bears_the_article_is_meant(store: Store) -> None:
    put(
        store,
        law("甲/总则", ["第一条　甲。"], title="湖泊法典"),
        law("乙/分则", ["第五条　乙。"], title="湖泊法典"),
        law("通知", ["依照《湖泊法典》第五条，参照《湖泊法典》第九条。"]),
    )
    assert leads(store, "依照《湖泊法典》") == [
        ("《湖泊法典》第五条", "第五条　乙。"),
        ("《湖泊法典》第九条", None),
    ]


def test_of_two_versions_the_one_in_force_is_meant(store: Store) -> None:
    put(
        store,
        law("湖泊法(2010-01-01)", ["第一条　旧。"], title="湖泊法", metadata={"issued": "2010-01-01"}),
        law("湖泊法(2020-01-01)", ["第一条　新。"], title="湖泊法", metadata={"issued": "2020-01-01"}),
        law("通知", ["依照《湖泊法》第一条。"]),
    )
    assert leads(store, "依照《湖泊法》") == [("《湖泊法》第一条", "第一条　新。")]


def test_two_documents_of_one_name_that_nothing_tells_apart_leave_the_reference_open(store: Store) -> None:
    put(
        store,
        law("甲/湖泊法", ["第一条　甲。"], title="湖泊法"),
        law("乙/湖泊法", ["第一条　乙。"], title="湖泊法"),
        law("通知", ["依照《湖泊法》第一条。"]),
    )
    assert leads(store, "依照《湖泊法》") == [("《湖泊法》第一条", None)]
