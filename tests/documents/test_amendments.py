"""Instructions of texts that change others: the provision, the words that go and those that come."""

from __future__ import annotations

import pytest

from rag.documents.amendments import Amendment, amendments
from rag.languages.text import has_han
from tests.indexing import document

ACT = "In section 4 of the Ferry Act 2010, "


def read(text: str, title: str = "Amendment No. 1 to the Berth Agreement") -> list[Amendment]:
    language = "zh" if has_han(text) else "en"
    return list(amendments(document("a.md", text.split("\n\n"), title=title, language=language)))


@pytest.mark.parametrize(
    ("text", "kind", "label", "target", "old", "new"),
    [
        (ACT + 'for "8 pm" substitute "6 pm".', "substitute", "4", "Ferry Act 2010", "8 pm", "6 pm"),
        ("In Section 8, the words “30 days” are replaced by “45 days”.",
         "substitute", "8", "Berth Agreement", "30 days", "45 days"),
        ('Section 10 is amended by striking "1 per cent" and inserting "2 per cent".',
         "substitute", "10", "Berth Agreement", "1 per cent", "2 per cent"),
        ("In clause 9.1, substitute “twelve” for “ten”.",
         "substitute", "9.1", "Berth Agreement", "ten", "twelve"),
        (ACT + "after “dogs” insert “and cats”.", "insert", "4", "Ferry Act 2010", "dogs", "and cats"),
        (ACT + "omit “or his agent”.", "omit", "4", "Ferry Act 2010", "or his agent", ""),
        ("Section 5 of the Agreement shall read as follows:\n\n“5. The fee is EUR 90.”",
         "replace", "5", "Berth Agreement", "", "5. The fee is EUR 90."),
        ("Clause 4.2 is deleted and replaced with the following:\n\n4.2 Notice is 60 days.",
         "replace", "4.2", "Berth Agreement", "", "4.2 Notice is 60 days."),
        ("For section 6 of the Ferry Act 2010 substitute—\n\n“6. No boat sails at night.”",
         "replace", "6", "Ferry Act 2010", "", "6. No boat sails at night."),
        ("Section 7 is hereby deleted in its entirety.", "repeal", "7", "Berth Agreement", "", ""),
        ("After Section 3 insert:\n\n“3A. Dogs stay outside.”",
         "add", "3", "Berth Agreement", "", "3A. Dogs stay outside."),
        ("The price in clause 3.1 is raised from EUR 100 to EUR 120 from 1 July 2024.",
         "substitute", "3.1", "Berth Agreement", "EUR 100", "EUR 120"),
        ("Clause 4.4 ceases to have effect.", "repeal", "4.4", "Berth Agreement", "", ""),
        ("The limit in clause 7.1 is increased from GBP 900 to GBP 1,250.",
         "substitute", "7.1", "Berth Agreement", "GBP 900", "GBP 1,250"),
        ('The definition of "Season" in clause 1 is replaced with: "Season" means the weeks in May.',
         "redefine", "1", "Berth Agreement", "Season", '"Season" means the weeks in May.'),
        ('Clause 9 is amended by adding at the end: "The Owner pays."',
         "add", "9", "Berth Agreement", "", "The Owner pays."),
        ('In clause 5, "red" and "blue" are replaced by "green" and "black" respectively.',
         "unclear", "5", "Berth Agreement", "", ""),
        ("Section 2: the daily toll is EUR 50 instead of EUR 40.",
         "substitute", "2", "Berth Agreement", "EUR 40", "EUR 50"),
        ("Sec. 12 of the Harbor Code is hereby amended to read as follows:\n\nSec. 12. Six knots at most.",
         "replace", "12", "Harbor Code", "", "Sec. 12. Six knots at most."),
        ("Paragraph (b) of clause 8.2 is deleted.", "repeal", "8.2(b)", "Berth Agreement", "", ""),
        ("Clause 6 (Fees) is deleted in its entirety and replaced with the following:\n\n“6. The fee is 1%.”",
         "replace", "6", "Berth Agreement", "", "6. The fee is 1%."),
        ('The definition of "Depot" is amended to read: "Depot" means the yard at Hull.',
         "redefine", "Depot", "Berth Agreement", "Depot", '"Depot" means the yard at Hull.'),
        ("Section 11 is amended as set out in Annex A.", "unclear", "11", "Berth Agreement", "", ""),
        ('Clause 2 (as amended) is further amended by replacing "550 wheels" with "600 wheels".',
         "substitute", "2", "Berth Agreement", "550 wheels", "600 wheels"),
        ('(b) clause 3 shall read "3. Calls are answered within four hours.";',
         "replace", "3", "Berth Agreement", "", "3. Calls are answered within four hours."),
        ("(a) the figure GBP 140 in clause 2 becomes GBP 155;", "unclear", "2", "Berth Agreement", "", ""),
    ],
)  # fmt: skip
def test_an_english_instruction_says_what_goes_and_what_comes(
    text: str, kind: str, label: str, target: str, old: str, new: str
) -> None:
    (found,) = read(text)
    assert (found.kind, found.reference.label, found.reference.target) == (kind, label, target)
    assert (found.old, found.new) == (old, new)


@pytest.mark.parametrize(
    ("text", "kind", "label", "old", "new"),
    [
        (
            "将第九条中的“处二百元罚款”修改为“处五百元罚款”。",
            "substitute",
            "9",
            "处二百元罚款",
            "处五百元罚款",
        ),
        (
            "将原办法第三条第二款中的“三千元”变更为“三千五百元”。",
            "substitute",
            "3(2)",
            "三千元",
            "三千五百元",
        ),
        ("第六条修改为：“渡船每日七时开航。”", "replace", "6", "", "渡船每日七时开航。"),
        ("第八条中“五日”后增加“（不含节假日）”。", "insert", "8", "五日", "（不含节假日）"),
        ("删除第九条中的“及其家属”。", "omit", "9", "及其家属", ""),
        ("第五条的运费由每吨三元调整为每吨四元。", "substitute", "5", "每吨三元", "每吨四元"),
        ("第八条单价从每吨1200元上调到1310元。", "substitute", "8", "1200元", "1310元"),
        ("第四条约定的期限延长至2027年8月31日。", "unclear", "4", "", ""),
        ("第六条删除，代之以：“通知用书面形式。”", "replace", "6", "", "通知用书面形式。"),
        ("以“45日”替换第五条中的“30日”。", "substitute", "5", "30日", "45日"),
        ("删去第七条。", "repeal", "7", "", ""),
        ("取消第七条。", "repeal", "7", "", ""),
        ("删去原办法第七条。", "repeal", "7", "", ""),
        ("第六条修订为：“渡船每日八时开航。”", "replace", "6", "", "渡船每日八时开航。"),
        ("增加一条，作为第十条：“渡船可以载猫。”", "add", "10", "", "渡船可以载猫。"),
    ],
)
def test_a_chinese_instruction_says_what_goes_and_what_comes(
    text: str, kind: str, label: str, old: str, new: str
) -> None:
    (found,) = read(f"一、{text}", "关于修改《渡口管理办法》的决定")
    assert (found.kind, found.reference.label, found.old, found.new) == (kind, label, old, new)
    assert found.reference.target == "渡口管理办法"


def test_items_below_a_provision_are_about_it_and_a_list_of_provisions_about_each() -> None:
    found = read("In clause 9—\n(a) for “ten” substitute “twelve”; and\n(b) omit “cats”.\n\n"
                 "Sections 12 and 13 are deleted.")  # fmt: skip
    assert [(a.kind, a.reference.label) for a in found] == [
        ("substitute", "9"), ("omit", "9"), ("repeal", "12"), ("repeal", "13"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "If Section 6 is deleted, nothing follows.",
        "This Agreement may only be amended in writing under Section 6.",
        "Except as amended, Section 2 stays in force.",
        "Section 1. This Act repeals nothing and inserts nothing.",
        "“In section 4, for ten substitute twelve” was the wording proposed for the Berth Agreement.",
        "本办法自公布之日起施行，第三条规定的《旧办法》同时废止。",
        "经双方书面同意，第五条可以修改。",
        "Clause 9.1 ceases to apply once the Buyer is in arrears for more than 30 days.",
        "Clause 9.1 shall not apply to frozen goods.",
        "买方连续违约两次的，第九条不再适用。",
        "9.2 During a strike clause 9.1 ceases to have effect.",
        "6.3 If the Tenant is insolvent, clause 3.2 shall cease to have effect.",
        "After the Commitment Period clause 6.1 shall no longer apply.",
        "With the Owner's consent clause 5.2 shall cease to apply.",
        'For orders below EUR 500, clause 6 is replaced by the following: "6. No discount is given."',
        'In a leap year, for "365" in clause 2 read "366".',
        "Clause 9.1 will be of no effect during a strike.",
        "罢工期间第九条停止执行。",
        "遇法定节假日，第五条中的“30日”改为“35日”。",
        "若甲方逾期付款，第九条作废。",
    ],
)
def test_what_only_speaks_of_changes_changes_nothing(text: str) -> None:
    assert read(text, "Berth Agreement") == []


def test_a_text_changes_itself_from_a_day_or_in_a_place_that_it_says() -> None:
    found = read(
        "From 1 May 2026, clause 5.2 is deleted.\n\n12.1 In the second sentence of clause 4, "
        '"May" is replaced by "June".\n\nThe words "and cellar" in clause 3 are deleted.',
        "Berth Agreement",
    )
    assert [(one.kind, one.reference.label) for one in found] == [
        ("repeal", "5.2"), ("substitute", "4"), ("omit", "3"),
    ]  # fmt: skip
    text = "自2026年3月1日起，第九条停止执行。\n\n将第五条“30日”变更为“60日”，并将第六条“15日”变更为“20日”。"
    found = read(text, "渡口管理办法")
    assert [(one.reference.label, one.new) for one in found] == [("9", ""), ("5", "60日"), ("6", "20日")]


def test_words_are_changed_whole_and_wherever_a_line_breaks() -> None:
    (found,) = read(ACT + 'for "8 pm" substitute "6 pm".')
    assert found.applied("Work ends at 8\n  pm, not at 18 pm.") == "Work ends at 6 pm, not at 18 pm."
    assert found.applied("Work ends at 7 pm.") is None


def test_lines_that_wrap_within_an_instruction_are_read_as_one() -> None:
    (found, other) = read(
        'Signed by Eskdale\nMarine Ltd.\n\nIn clause 1 of the Supply Agreement, for "EUR\n109,000" '
        'substitute\n"EUR 110,000".\n2. In clause 3,\nfor "May" substitute "June".',
        "Amendment to the Supply Agreement with Eskdale Marine Ltd",
    )
    assert (found.reference.target, found.old, found.new) == (
        "Supply Agreement with Eskdale Marine Ltd", "EUR 109,000", "EUR 110,000",
    )  # fmt: skip
    assert (other.reference.label, other.old, other.new) == ("3", "May", "June")


def test_day_in_front_of_the_instructions_is_that_of_each() -> None:
    found = read(
        "The parties agree to amend the Berth Agreement with effect from 1 March 2024 as follows:\n\n"
        'Clause 2.1 shall read: "The dues are 105 euros."\n\n'
        'In clause 3, for "nine" substitute "ten" with effect from 1 May 2024.'
    )
    assert [one.day for one in found] == ["2024-03-01", "2024-05-01"]


def test_verb_in_front_of_a_name_is_none_of_it() -> None:
    (found,) = read("一、删去原合同第三条。", "培训合同之补充协议")
    assert found.reference.target == "培训合同"
