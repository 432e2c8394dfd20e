"""What a later text changes is answered in the words in force on the day asked about, both texts cited."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.assistant import Assistant
from rag.types import Answer, Filters, Outcome
from tests.archive import archive
from tests.fakes import FakeLLM

FILES = {
    "ferry-act.md": "# Ferry Act 2010\n\nIn force from 1 May 2010.\n\nSection 3. The ferry sails until 8 pm."
    "\n\nSection 4. The toll for a lorry is 40 crowns.\n\nSection 5. A skipper wears a red cap.\n\n"
    "Section 6. Lamps are lit according to the harbour table.\n",
    "ferry-amendment.md": "# Ferry (Amendment) Act 2020\n\nIn force from 1 March 2020.\n\n"
    'Section 1. In section 3 of the Ferry Act 2010, for "8 pm" substitute "10 pm".\n\n'
    'Section 2. In section 4 of the Ferry Act 2010, for "40 crowns" substitute "55 crowns".\n\n'
    "Section 3. Section 5 of the Ferry Act 2010 is repealed.\n\n"
    "Section 4. Section 6 of the Ferry Act 2010 is amended as set out in the Schedule.\n",
    "ferry-amendment-2.md": "# Ferry (Second Amendment) Act 2023\n\nIn force from 1 June 2023.\n\n"
    'Section 1. In section 4 of the Ferry Act 2010, for "55 crowns" substitute "70 crowns".\n',
    "berth.md": "# Berth Agreement\n\nThis Agreement is dated 2 January 2021.\n\n"
    "4.1 The berth is let to the Sloop Club.\n\n4.2 Mooring notice is thirty days.\n\n"
    "4.3 The mooring deposit is 300 crowns.\n",
    "berth-change.md": "# Amendment No. 1 to the Berth Agreement\n\nThis Amendment is dated 5 May 2022.\n\n"
    "1. Clause 4.2 is deleted and replaced with the following:\n\n4.2 Mooring notice is ninety days.\n",
    "渡口.md": "# 渡口管理办法\n\n（2015年3月1日起施行）\n\n第六条　渡船每日六时开航。\n\n"
    "第九条　渡船超载的，处二百元罚款。\n",
    "决定.md": "# 关于修改《渡口管理办法》的决定\n\n（2022年7月1日起施行）\n\n"
    "一、将第九条中的“二百元”修改为“五百元”。\n\n二、第六条修改为：“渡船每日七时开航。”\n",
}  # fmt: skip


@pytest.fixture(scope="module")
def assistant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assistant]:
    with archive(tmp_path_factory.mktemp("archive"), **FILES) as opened:
        yield Assistant(opened, threshold=0.01)


def quoted(answer: Answer) -> list[str]:
    return [one.document for one in answer.quotes]


@pytest.mark.parametrize(
    ("question", "line", "cited"),
    [
        ("Until when does the ferry sail under section 3 of the Ferry Act?", "The ferry sails until 10 pm.",
         ["ferry-act.md", "ferry-amendment.md"]),
        ("What is the toll for a lorry?", "The toll for a lorry is 70 crowns.",
         ["ferry-act.md", "ferry-amendment.md", "ferry-amendment-2.md"]),
        ("What does section 4 of the Ferry Act 2010 say?", "Section 4. The toll for a lorry is 70 crowns.",
         ["ferry-act.md", "ferry-act.md", "ferry-amendment.md", "ferry-amendment-2.md"]),
        ("What was the toll for a lorry in 2021?", "The toll for a lorry is 55 crowns.",
         ["ferry-act.md", "ferry-amendment.md"]),
        ("What was the toll in March 2021?", "The toll for a lorry is 55 crowns.",
         ["ferry-act.md", "ferry-amendment.md"]),
        ("What was the toll for a lorry in 2015?", "The toll for a lorry is 40 crowns.", ["ferry-act.md"]),
        ("How long is the mooring notice?", "4.2 Mooring notice is ninety days.",
         ["berth.md", "berth-change.md"]),
        ("What is the mooring deposit?", "4.3 The mooring deposit is 300 crowns.", ["berth.md"]),
        ("渡船超载处多少罚款？", "渡船超载的，处五百元罚款。", ["渡口.md", "决定.md"]),
        ("渡船每日几时开航？", "渡船每日七时开航。", ["渡口.md", "决定.md"]),
    ],
)  # fmt: skip
def test_an_answer_is_in_the_words_in_force_on_the_day_asked_about(
    assistant: Assistant, question: str, line: str, cited: list[str]
) -> None:
    answer = assistant.ask(question)
    assert (answer.verdict, answer.line) == (Outcome.ANSWERED, line)
    assert quoted(answer) == cited


@pytest.mark.parametrize(("reply", "verdict"), [("70 crowns [1]", "answered"), ("40 crowns [1]", "nearby")])
def test_a_model_reads_the_words_in_force_and_the_old_ones_are_dropped(
    assistant: Assistant, reply: str, verdict: str
) -> None:
    answer = Assistant(assistant.index, FakeLLM(reply), threshold=0.01).ask("What is the toll for a lorry?")
    assert answer.verdict == verdict
    assert quoted(answer) == ["ferry-act.md", "ferry-amendment.md", "ferry-amendment-2.md"]


def test_the_day_may_be_that_of_the_filter(assistant: Assistant) -> None:
    answer = assistant.ask("What is the toll for a lorry?", filters=Filters(in_force="2021-01-01"))
    assert answer.line == "The toll for a lorry is 55 crowns."


def test_what_changed_it_and_when_is_said(assistant: Assistant) -> None:
    answer = assistant.ask("Until when does the ferry sail under section 3 of the Ferry Act?")
    assert "What [1] quotes is changed by Ferry (Amendment) Act 2020 from 2020-03-01." in answer.cautions
    assert answer.quotes[0].quote == "The ferry sails until 8 pm."
    assert answer.quotes[1].quote.endswith('for "8 pm" substitute "10 pm".')


def test_what_is_repealed_is_answered_with_its_repeal(assistant: Assistant) -> None:
    answer = assistant.ask("What does a skipper wear?")
    assert answer.line == "Section 5 of the Ferry Act 2010 is repealed."


def test_a_change_that_cannot_be_worked_out_is_no_answer_in_the_old_words(assistant: Assistant) -> None:
    answer = assistant.ask("According to what are lamps lit?")
    assert answer.verdict is not Outcome.ANSWERED
    assert any("Ferry (Amendment) Act 2020" in one for one in answer.cautions)


def test_an_instruction_found_brings_what_it_changes(assistant: Assistant) -> None:
    answer = assistant.ask("For what does the Ferry (Amendment) Act substitute 10 pm?")
    assert {"ferry-act.md", "ferry-amendment.md"} <= {e.document.path for e in answer.evidence}


@pytest.mark.parametrize(
    ("files", "question", "line", "cautions"),
    [
        # A change without quotes, and one of the words that it brought.
        ({"yard.md": "# Yard Agreement\n\nDated 2 January 2021.\n\n4.2 The yard fee is EUR 1,850 a week.\n",
          "one.md": "# Amendment No. 1\n\nDated 5 May 2022. The Yard Agreement is amended as follows.\n\n"
          "1. Clause 4.2: the yard fee is increased to EUR 2,300 a week.\n",
          "two.md": "# Amendment No. 2\n\nDated 5 May 2024. The Yard Agreement is amended.\n\n"
          '1. In clause 4.2 "EUR 2,300" is replaced by "EUR 2,420".\n'},
         "What is the yard fee?", "EUR 2,420", 2),
        # A letter without a greeting whose subject is older than it.
        ({"loan.md": "# Facility Agreement\n\nDated 1 November 2021.\n\n7.1 The loan ends on 1 May 2026.\n",
          "consent.txt": "Corvane Bank plc\n3 October 2023\n\nTo Pellworth Mills Ltd\n\nFacility Agreement "
          "dated 1 November 2021\n\nWe agree to the following changes to the Facility Agreement.\n\n"
          'In clause 7.1 "1 May 2026" shall be replaced with "1 May 2028".\n'},
         "When does the loan end?", "7.1 The loan ends on 1 May 2028.", 1),
        # What says in its first lines, or in its title, what it changes.
        ({"合同.md": "# 采购合同\n\n签订日期：2023年3月10日\n\n第二条 输液器单价每套4.80元。\n",
          "补充.md": "# 补充协议\n\n双方就编号为Y-18的采购合同达成如下补充协议：\n\n"
          "一、合同第二条的单价由每套4.80元调整为每套5.20元，自2024年4月1日起执行。\n"},
         "输液器单价每套多少元？", "输液器单价每套5.20元。", 1),
        ({"章程.md": "# 青禾合作社章程\n\n第七条 理事会由五名理事组成。\n",
          "修正案.md": "# 青禾合作社章程修正案\n\n第七条中的“五名”修改为“七名”。\n"},
         "理事会由几名理事组成？", "理事会由七名理事组成。", 1),
    ],
)  # fmt: skip
def test_amendments_in_the_forms_that_people_write_them(
    tmp_path: Path, files: dict[str, str], question: str, line: str, cautions: int
) -> None:
    with archive(tmp_path, **files) as opened:
        answer = Assistant(opened, threshold=0.01).ask(question)
    assert line in answer.line
    assert len(answer.cautions) == cautions  # that it is changed, and not that its amendments disagree


CLIENTS = {"Alder Optics": (4000, 4500), "Brack Freight": (5000, 5700), "Corvin Dental": (6000, 6900)}
ZH_CLIENTS = {"青岚纺织": (31000, 34500), "远帆航运": (42000, 47500)}


def test_of_many_contracts_of_one_title_an_amendment_changes_the_one_between_its_parties(
    tmp_path: Path,
) -> None:
    files = {}
    for n, (client, (fee, new)) in enumerate(CLIENTS.items()):
        between = f"between Tarn Valley Holdings plc and {client} Ltd"
        title = f"Amendment to the Lease with {client} Ltd" if n else "First Amendment"
        files[f"{n}-lease.md"] = (
            f"# Lease with {client} Ltd\n\nThis agreement was signed on 5 May 2021 {between}.\n\n"
            f"## 1 Rent\n\nThe monthly rent is EUR {fee:,}.\n"
        )
        files[f"{n}-change.md"] = (
            f"# {title}\n\nSigned on 7 June 2022 {between}.\n\nWith effect from 7 June 2022, in clause 1 "
            f'of the Lease dated 5 May 2021, for "EUR {fee:,}" substitute "EUR {new:,}".\n'
        )
    for n, (client, (fee, new)) in enumerate(ZH_CLIENTS.items()):
        between = f"甲方：临湖置业有限公司。乙方：{client}有限公司。"
        first = f"## 第一条 价款\n\n每月的货款为人民币{fee:,}元。\n"
        files[f"{n}-合同.md"] = f"# 供货合同\n\n{between}\n\n{first}"
        files[f"{n}-补充.md"] = (
            f"# 供货合同补充协议\n\n{between}\n\n自2022年6月7日起，将原合同第一条中的“人民币{fee:,}元”"
            f"修改为“人民币{new:,}元”。\n"
        )
    with archive(tmp_path, **files) as opened:
        made = Assistant(opened, threshold=0.01)
        for client, (fee, new) in CLIENTS.items():
            assert f"EUR {new:,}" in made.ask(f"What is the monthly rent of {client} Ltd?").line
            assert f"EUR {fee:,}" in made.ask(f"What was the monthly rent of {client} Ltd in 2021?").line
        for client, (_, new) in ZH_CLIENTS.items():
            assert f"{new:,}" in made.ask(f"{client}有限公司每月的货款为人民币多少元？").line


def test_drafts_give_way_and_contracts_of_other_parties_do_not(tmp_path: Path) -> None:
    files = {}
    for n, client in enumerate(("Alder Optics", "Brack Freight", "Corvin Dental")):
        between = f"between Tarn Valley Holdings plc and {client} Ltd."
        signed = f"This agreement was signed on {n + 2} May 2021 {between}"
        for state, fee, dated in (
            ("agreement", 4100 + n, signed),
            ("agreement-draft", 4050 + n, signed if n else signed.replace(f" on {n + 2} May 2021", "")),
        ):
            title = "Lease (draft)" if "draft" in state else "Lease"
            files[f"{n}-{state}.md"] = (
                f"# {title}\n\n{dated}\n\n## 1 Rent\n\nThe rent of {client} Ltd is EUR {fee:,}.\n"
            )
    with archive(tmp_path, **files) as opened:
        made = Assistant(opened, threshold=0.01)
        for n, client in enumerate(("Alder Optics", "Brack Freight", "Corvin Dental")):
            answer = made.ask(f"What is the rent of {client} Ltd?")
            assert f"EUR {4100 + n:,}" in answer.line
            assert answer.quotes[0].document == f"{n}-agreement.md"
        ended = {d.path for d in opened.store.documents() if d.metadata.get("superseded")}
        assert ended == {f"{n}-agreement-draft.md" for n in range(3)}


def test_a_later_draft_does_not_end_what_was_signed(tmp_path: Path) -> None:
    between = "between Tarn Valley plc and Alder Optics Ltd.\n\n## 1 Rent\n\nThe rent is EUR"
    files = {
        "agreement.md": f"# Lease\n\nThis lease was signed on 2 May 2021 {between} 4,100.\n",
        "agreement-draft.md": f"# Lease (draft)\n\nThis lease was signed on 2 May 2023 {between} 4,900.\n",
    }
    with archive(tmp_path, **files) as opened:
        assert not [d.path for d in opened.store.documents() if d.metadata.get("superseded")]


@pytest.mark.parametrize(
    ("older", "newer", "plain", "former"),
    [
        ("hotel_policy_2022__md", "hotel_policy_2024__md", "What is the limit for a hotel?",
         "What was the limit for a hotel in 2022?"),
        ("hotel_policy_v1__md", "hotel_policy_v2__md", "What is the limit for a hotel?",
         "What was the limit for a hotel in version 1?"),
        ("hotel_policy_draft__md", "hotel_policy__md", "What is the limit for a hotel?",
         "What is the limit for a hotel in the draft?"),
    ],
)  # fmt: skip
def test_of_two_versions_the_later_one_answers_unless_the_other_is_named(
    tmp_path: Path, older: str, newer: str, plain: str, former: str
) -> None:
    policy = "# Hotel policy\n\nThe limit for a hotel is EUR {} a night.\n"
    with archive(tmp_path, **{older: policy.format(110), newer: policy.format(140)}) as index:
        helper, path = Assistant(index), older.replace("__", ".")
        answer = helper.ask(plain)
        assert "140" in answer.line and {q.document for q in answer.quotes} == {newer.replace("__", ".")}
        answer = helper.ask(former)
        assert "110" in answer.line and answer.quotes[0].document == path
        assert any("superseded" in caution for caution in answer.cautions)
