"""What documents say of their own force, and which version takes the place of which."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.documents.validity import (
    UNKNOWN,
    Validity,
    asks_of,
    called,
    edition_name,
    ended,
    marked,
    settled,
    version_of,
    versions,
)
from rag.domains.law.statutes import repeals, validity
from rag.index import open_index
from rag.types import DocumentInfo, FileStatus, Filters, Relation, RelationKind
from tests.fakes import FakeEmbedder
from tests.indexing import document, write_files


def said(text: str, path: str = "x.md", language: str = "zh") -> dict[str, str]:
    return validity(document(path, [text], language=language))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "湖泊法\n\n2020年5月28日第三届湖区代表大会第三次会议通过\n\n第一条 为了保护湖泊，制定本法。\n\n"
            "第九条 本法自2021年1月1日起施行。《湿地法》、《河流法》同时废止。",
            {"issued": "2020-05-28", "effective": "2021-01-01"},
        ),
        (
            "湖泊法\n（1994年7月5日会议通过　根据2009年8月27日《关于修改部分法律的决定》第一次修正　"
            "根据2018年12月29日《关于修改〈湖泊法〉的决定》第二次修正）\n第一条 制定本法。",
            {"issued": "1994-07-05", "amended": "2018-12-29"},
        ),
        (
            "湖泊法\n1996年5月15日会议通过\n2015年8月29日会议修订\n"
            "第一条 制定本法。\n第二条 本法自公布之日起施行。",
            {"issued": "1996-05-15", "amended": "2015-08-29", "effective": "1996-05-15"},
        ),
        ("湖泊法\n二〇一八年十月二十六日会议通过\n第一条 略", {"issued": "2018-10-26"}),
        ("湖泊规定\n1998年4月6日委员会通过\n1998年5月9日 施行\n第一条 略",
         {"issued": "1998-04-06", "effective": "1998-05-09"}),
        ("湖泊规定\n2001年2月3日公布\n自2015年6月1日起废止\n第一条 略",
         {"issued": "2001-02-03", "repealed": "2015-06-01"}),
        (
            "第一条 2015年1月1日起施行的《河流法》第二条另有规定的除外。\n"
            "第二条 本法自２０１３年７月１日起施行。",
            {"effective": "2013-07-01"},
        ),
        ("第一条 依照2001年公布的《河流法》。", {}),
    ],
)  # fmt: skip
def test_a_chinese_law_says_when_it_was_made_and_in_force(text: str, expected: dict[str, str]) -> None:
    assert said(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Harbour Dues Act\nEnacted 5 March 2014\nEffective Date: 1 June 2014",
         {"issued": "2014-03-05", "effective": "2014-06-01"}),
        ("This Agreement is dated 6 May 2023 and made between A and B.", {"issued": "2023-05-06"}),
        ("This Lease is made as of January 2, 2020 by A, effective as of February 1, 2020.",
         {"issued": "2020-01-02", "effective": "2020-02-01"}),
        ("Warfarin Protocol\nVersion 2, effective 1 February 2025.", {"effective": "2025-02-01"}),
        ('Entered into as of March 4, 2021 (the "Effective Date") by A.', {"effective": "2021-03-04"}),
        ("Rules as amended on 3 April 2019. Last amended: 7 August 2022.", {"amended": "2022-08-07"}),
        ("Pain guideline. Last updated: 12 June 2023. Review date: June 2026.",
         {"amended": "2023-06-12", "review": "2026-06-01"}),
        ("The Rules were repealed with effect from 31 December 2021.", {"repealed": "2021-12-31"}),
        ("This Act comes into force on 1 July 2020. The Old Harbour Act 1990 is hereby repealed.",
         {"effective": "2020-07-01"}),
        ("Effective Date: 03/04/2021", {}),  # March or April
        ("The effective date of the plan. It was 5 May 2020 when", {}),
        ("Revenue rose in the year ended 31 December 2021.", {}),
    ],
)  # fmt: skip
def test_an_english_document_says_when_it_was_made_and_in_force(text: str, expected: dict[str, str]) -> None:
    assert said(text, language="en") == expected


def test_a_date_in_the_file_name_is_that_of_the_last_change() -> None:
    text = "湖泊法\n2010年1月2日会议通过\n第一条 本法自2010年3月1日起施行。"
    assert said(text, "湖泊法(2018-10-26).md")["amended"] == "2018-10-26"
    assert "amended" not in said(text, "湖泊法(2010-01-05).md")
    assert said("第一条 略", "湖泊法_20181026.md") == {"issued": "2018-10-26"}
    assert said("Fees", "fees (2019-05-01).pdf", "en") == {"issued": "2019-05-01"}


@given(st.dates(datetime.date(1950, 1, 1), datetime.date(2049, 12, 31)), st.data())
def test_every_spelling_of_a_day_reads_as_the_same(day: datetime.date, data: st.DataObject) -> None:
    digits = "〇一二三四五六七八九"

    def han(n: int) -> str:
        tens, ones = divmod(n, 10)
        return ("" if tens < 2 else digits[tens]) + ("十" if tens else "") + (digits[ones] if ones else "")

    year = "".join(digits[int(d)] for d in str(day.year))
    spelling = data.draw(
        st.sampled_from([
            f"{day.year}年{day.month}月{day.day}日",
            f"{day.year} 年 {day.month} 月 {day.day} 日",
            f"{year}年{han(day.month)}月{han(day.day)}日",
        ])
    )  # fmt: skip
    assert said(f"第九条 本法自{spelling}起施行。")["effective"] == day.isoformat()
    english = data.draw(
        st.sampled_from(
            [f"{day:%B} {day.day}, {day.year}", f"{day.day} {day:%B} {day.year}", day.isoformat()]
        )
    )
    assert said(f"Effective date: {english}.", language="en")["effective"] == day.isoformat()


@pytest.mark.parametrize(
    ("name", "same"),
    [
        ("中华人民共和国湖泊法", "湖泊法"),
        ("湖泊法(2018-10-26)", "湖泊法"),
        ("湖泊法（2018年修正）", "湖泊法"),
        ("湖泊法2018修订版", "湖泊法"),
        ("湖泊法_20181026", "湖泊法"),
        ("Pain Guideline 2021", "pain guideline"),
        ("Supply Agreement v2.1", "Supply Agreement"),
        ("Harbour Rules (consolidated 2020)", "Harbour Rules"),
    ],
)
def test_versions_of_a_law_have_one_name(name: str, same: str) -> None:
    assert edition_name(name) == edition_name(same)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("湖泊法（试行）", "湖泊法"),
        ("湖泊法修正案（2018年）", "湖泊法修正案（2004年）"),
        ("Finance Act 2010", "Finance Act 2011"),
        ("ACME 2021 10K", "ACME 2022 10K"),
        ("某公司2021年年度报告", "某公司2022年年度报告"),
    ],
)
def test_acts_of_their_own_keep_their_names_apart(one: str, other: str) -> None:
    assert edition_name(one) != edition_name(other)


@pytest.mark.parametrize(
    ("language", "text", "names"),
    [
        (
            "zh",
            "第九条 本法自2021年起施行。《湿地法》、《河流法》同时废止。",
            ("湿地法", "河流法"),
        ),
        ("en", "This Act is new. The Old Harbour Act 1990 is hereby repealed.", ("Old Harbour Act 1990",)),
        ("en", "The Harbour Act is new.", ()),
        ("en", "2. Clause 2.1 of the Harbour Services Agreement is replaced by the following.", ()),
    ],
)
def test_a_document_names_those_that_it_repeals(language: str, text: str, names: tuple[str, ...]) -> None:
    assert repeals(document("x.md", [text], language=language)) == names


def force_of(documents: list[DocumentInfo], *relations: Relation) -> Mapping[int, Validity]:
    return versions(documents, settled(documents, relations))


def info(number: int, path: str, title: str, **metadata: str) -> DocumentInfo:
    return DocumentInfo(
        number, path, f"/{path}", title, "markdown", "zh", FileStatus.OK, "", "", 0, 0, 1, metadata
    )


def test_an_earlier_version_ends_when_the_next_begins() -> None:
    force = force_of([
        info(1, "湖泊法(2001-01-01).md", "中华人民共和国湖泊法", effective="2001-03-01"),
        info(2, "湖泊法(2020-05-28).md", "湖泊法", issued="2020-05-28", effective="2021-01-01"),
        info(3, "湖泊法(2009-06-07).md", "湖泊法", effective="2001-03-01", amended="2009-06-07"),
    ])  # fmt: skip
    assert force[1] == Validity("2001-03-01", "2009-06-07", "superseded", 3, "湖泊法")
    assert force[3] == Validity("2009-06-07", "2021-01-01", "superseded", 2, "湖泊法")
    assert force[2] == Validity("2021-01-01")
    on = {
        day: [n for n in force if force[n].in_force(day)]
        for day in ("2001-02-28", "2020-12-31", "2021-01-01")
    }
    assert on == {"2001-02-28": [], "2020-12-31": [3], "2021-01-01": [2]}


def test_what_another_repeals_ends_when_that_begins_unless_it_is_younger() -> None:
    new = info(1, "湖泊法.md", "湖泊法", effective="2015-01-01")
    old = info(2, "湿地法.md", "湿地法", issued="1999-01-01")
    younger = info(3, "河流条例.md", "河流条例", issued="2018-01-01")
    repealed = [Relation(RelationKind.REPEALS, n, "2015-01-01", 1) for n in ("湿地法", "河流条例", "山法")]
    assert [r.target for r in settled([new, old, younger], repealed)] == [2, 3, None]
    force = force_of([new, old, younger], *repealed)
    assert force[2] == Validity("1999-01-01", "2015-01-01", "repealed", 1, "湖泊法")
    assert force[3] == Validity("2018-01-01")


def test_what_a_document_says_of_its_own_repeal_counts() -> None:
    force = force_of([info(1, "湖泊法.md", "湖泊法", issued="2001-01-01", repealed="2015-01-01")])
    assert force[1].ended("2015-01-01") and not force[1].ended("2014-12-31")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("lease-mill.docx", "Lease"), ("lease-tannery.docx", "Lease")),
        (("ACME_2021_10K.pdf", "ACME annual report"), ("ACME_2022_10K.pdf", "ACME annual report")),
        (
            ("通知(2019-01-01).md", "关于修改部分条例的决定"),
            ("决定(2020-01-01).md", "关于修改部分条例的决定"),
        ),
    ],
)
def test_documents_that_are_no_versions_do_not_end_each_other(
    one: tuple[str, str], other: tuple[str, str]
) -> None:
    force = force_of([info(1, *one, issued="2019-01-01"), info(2, *other, issued="2020-01-01")])
    assert not any(v.end for v in force.values())


def test_a_document_of_which_nothing_is_known_passes_any_date() -> None:
    assert force_of([info(1, "湖泊法.md", "湖泊法")]) == {}
    assert UNKNOWN.in_force("1900-01-01") and not UNKNOWN.ended("2100-01-01")


def test_an_index_knows_what_has_been_superseded(tmp_path: Path) -> None:
    files = {
        "湖泊法(2001-01-01).md": "# 湖泊法\n\n2001年1月1日会议通过\n\n第一条　旧法。\n",
        "湖泊法(2020-05-28).md": "# 湖泊法\n\n2020年5月28日会议通过\n\n"
        "第一条　新法。\n\n第二条　本法自2021年1月1日起施行。\n",
    }
    with open_index(tmp_path / "index", embedder=FakeEmbedder(), create=True) as index:
        index.ingest(write_files(tmp_path / "files", files))
        old, new = index.documents()
        assert old.metadata["issued"] == "2001-01-01" and new.metadata["effective"] == "2021-01-01"
        assert index.store.validity()[old.id] == Validity(
            "2001-01-01", "2021-01-01", "superseded", new.id, "湖泊法"
        )
        for day, expected in (("2000-01-01", []), ("2020-12-31", [old.id]), ("2021-01-01", [new.id])):
            assert [d.id for d in index.documents(Filters(in_force=day))] == expected
        superseded = Relation(RelationKind.SUPERSEDES, "", "2021-01-01", new.id, old.id)
        assert index.store.relations(new.id) == [superseded]
        index.delete([new.path])
        assert index.store.validity()[old.id] == Validity("2001-01-01")


@pytest.mark.parametrize(
    ("language", "title", "text", "stem", "words"),
    [
        ("en", "Supply Agreement", "{} between Marlpit Ltd and Fenn Stores plc.", "supply",
         ("Draft of 1 February 2024", "draft", "Signed on 1 March 2024", "signed")),
        ("zh", "采购合同", "{}\n\n甲方：岚海航运有限公司", "采购合同",
         ("签订日期：2024年2月1日", "草稿", "签订日期：2024年3月1日", "签署版")),
    ],
)  # fmt: skip
def test_a_draft_ends_when_what_was_signed_begins(
    language: str, title: str, text: str, stem: str, words: tuple[str, str, str, str]
) -> None:
    drafted, draft, signed, final = words
    days = [said(text.format(day), language=language)["issued"] for day in (drafted, signed)]
    assert days == ["2024-02-01", "2024-03-01"]
    one, other = (
        info(number, f"{stem}_{name}.md", f"{title} ({name})", issued=day)
        for number, name, day in ((1, draft, days[0]), (2, final, days[1]))
    )
    force = versions([one, other], settled([one, other], []))
    assert (force[1].end, force[1].by, force[2].end) == ("2024-03-01", 2, "")


@pytest.mark.parametrize(
    ("title", "path", "head", "version"),
    [
        ("Service Agreement", "Service Agreement v2.1.docx", "", "2.1"),
        ("Centrifuge Use", "SOP-7_Rev B.md", "", "b"),
        ("Field Manual, 3rd edition", "manual.pdf", "", "3"),
        ("Isolation Procedure", "isolation.md", "# Isolation Procedure\n\nVersion: 4, from 1 May\n", "4"),
        ("员工手册（2023版）", "手册.md", "", "2023"),
        ("操作规程 第二版", "规程.md", "", "2"),
        ("Travel policy 2022", "x.md", "", "2022"),
        ("Price list", "Price list June 2025.csv", "", "2025.6"),
        ("Annual report 2022", "report.pdf", "", ""),
        ("Companies Act 2006", "act.pdf", "", ""),
        ("Tarrow v Kelmont", "tarrow v kelmont.pdf", "See version 3 of the form.", ""),
    ],
)  # fmt: skip
def test_a_document_says_which_version_it_is(title: str, path: str, head: str, version: str) -> None:
    assert version_of(title, path, head) == version


def test_versions_without_a_day_are_ordered_by_their_numbers() -> None:
    names = ("Lease v2.docx", "Lease v10.docx", "Lease v1.docx")
    three = [info(n, path, "Lease", version=path[7:].split(".")[0]) for n, path in enumerate(names, 1)]
    force = force_of(three)
    assert force == {
        1: Validity("", "", "superseded", 2, "Lease v10"),
        3: Validity("", "", "superseded", 1, "Lease v2"),
    }
    assert force[1].ended("1900-01-01") and not force[1].in_force("2100-01-01")
    kept = {d.id: ended(d) for d in marked(three, force)}
    assert kept[2] is None and kept[3] == Validity("", "", "superseded", None, "Lease v2")


def test_an_undated_draft_gives_way_to_what_is_none_and_a_younger_one_does_not() -> None:
    draft, final = info(1, "采购合同（草稿）.md", "采购合同"), info(2, "采购合同.md", "采购合同")
    assert force_of([draft, final])[1].by == 2
    younger = info(1, "采购合同（草稿）.md", "采购合同", issued="2025-01-01")
    signed = replace(final, metadata={"issued": "2024-01-01"})
    assert not any(force.reason for force in force_of([younger, signed]).values())


def test_a_question_names_the_version_that_it_asks_of() -> None:
    old = info(
        1, "Travel policy 2022.md", "Travel policy", version="2022", superseded_by="Travel policy 2024"
    )
    new = info(2, "Travel policy 2024.md", "Travel policy", version="2024")
    draft = info(3, "Lease draft.docx", "Lease")
    for text, of in (
        ("What was the limit in 2022?", old),
        ("What did the previous version say of hotels?", old),
        ("What is the limit in the 2024 policy?", new),
        ("What is the rent in the draft?", draft),
    ):
        assert [d for d in (old, new, draft) if asks_of(text, d)] == [of]
    assert not any(asks_of("What may a hotel cost?", d) for d in (old, new, draft))
    assert called(old) == "Travel policy 2022" and called(draft) == "Lease draft"
