"""A document as it reads on a day: what later texts, and its own later parts, make of its words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rag.cli import app
from rag.errors import InputError
from rag.index import Index, open_index
from tests.fakes import FakeEmbedder

BERTH = """# Berth Agreement

Dated 3 March 2021 between Norrington Ltd and Kettle Quay plc.

## 2 Toll

The daily toll is EUR 40. It is payable monthly.

## 3. Dogs

No dogs on the quay.

## 4. Notice

4.1 Notice is given in writing.

4.2 The notice period is 30 days.
"""
FIRST = """# Amendment No. 1 to the Berth Agreement

Dated 5 May 2022.

1. In Section 2, for "EUR 40" substitute "EUR 50" with effect from 1 June 2022.

2. Clause 4.2 is deleted and replaced with the following:

4.2 The notice period is 60 days.

3. After Section 3 insert:

"3A. Cats may stay on board."
"""
SECOND = """# Amendment No. 2 to the Berth Agreement

Dated 5 May 2024.

1. In Section 2, for "EUR 50" substitute "EUR 55" with effect from 1 June 2024.

2. Section 3 is deleted in its entirety.

3. Section 4.1 is amended as set out in Annex A.
"""
RULES = """# 渡口管理办法

2019年5月1日公布，自2019年6月1日起施行。

第八条　渡口应当在五日内公布时刻表。

第九条　违反本办法的，处二百元罚款。

第十条　本办法由港务局解释。
"""
DECISION = """# 关于修改《渡口管理办法》的决定

2022年3月1日公布，自2022年4月1日起施行。

一、将第九条中的“处二百元罚款”修改为“处五百元罚款”。

二、第八条修改为：“渡口应当在三日内公布时刻表。”

三、增加一条，作为第十条：“渡船可以载猫。”
"""
HANDBOOK = """# Ferry Handbook

Issued on 1 February 2023.

## 1. Sailing

1.1 The last boat sails at 8 pm.

## 2. Fares

2.1 A return fare is EUR 9.

## 3. Changes to this Handbook

3.1 In section 1.1, for "8 pm" substitute "6 pm" with effect from 1 October 2023.
"""
HIRE = """# Hire of the Slipway, Kettle Quay

Made on 4 March 2023 between Norrington Ltd and Bodkin Boats Ltd.

2.1 The yearly charge is EUR 1,860.
"""
LETTER = """Norrington Ltd

17 September 2024

Dear Ms Bodkin,

Hire of the Slipway, Kettle Quay, dated 4 March 2023

As agreed we vary the Hire as follows, with effect from 1 October 2024:

1. In clause 2.1 the figure "EUR 1,860" is replaced by "EUR 1,980".
"""
FILES = {
    "hire.md": HIRE, "letter.md": LETTER, "berth.md": BERTH, "amendment-1.md": FIRST,
    "amendment-2.md": SECOND, "渡口.md": RULES, "修改.md": DECISION, "handbook.md": HANDBOOK,
}  # fmt: skip


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    folder = tmp_path_factory.mktemp("amended")
    for name, text in FILES.items():
        (folder / name).write_text(text, encoding="utf-8")
    opened = open_index(folder / "index", embedder=FakeEmbedder(), create=True)
    opened.ingest(*(folder / name for name in FILES))
    return opened


def changed(index: Index, document: str, day: str) -> list[tuple[str, str, tuple[int, ...]]]:
    words = index.consolidated(document, day).words
    return [(w.text.strip(), w.was.strip(), w.changes) for w in words if w.changes]


def test_words_read_as_what_was_in_force_on_the_day_made_them(index: Index) -> None:
    assert changed(index, "berth.md", "2022-01-01") == []
    assert changed(index, "berth.md", "2022-07-01") == [
        ("EUR 50", "EUR 40", (3,)),
        ("3A. Cats may stay on board.", "", (2,)),
        ("4.2 The notice period is 60 days.", "4.2 The notice period is 30 days.", (1,)),
    ]
    later = changed(index, "berth.md", "2026-01-01")
    assert later[0] == ("EUR 55", "EUR 40", (3, 6))
    assert later[1][0] == "" and "No dogs on the quay." in later[1][1]


def test_each_change_is_cited_with_document_clause_and_day(index: Index) -> None:
    found = index.consolidated("Berth Agreement", "2024-05-20").changes
    cited = [(c.document.path, c.clause, c.day, c.state) for c in found]
    assert cited == [
        ("amendment-1.md", "2", "2022-05-05", "made"),
        ("amendment-1.md", "3", "2022-05-05", "made"),
        ("amendment-1.md", "1", "2022-06-01", "made"),
        ("amendment-2.md", "2", "2024-05-05", "made"),
        ("amendment-2.md", "3", "2024-05-05", "open"),
        ("amendment-2.md", "1", "2024-06-01", "later"),
    ]
    assert found[5].text == 'In Section 2, for "EUR 50" substitute "EUR 55" with effect from 1 June 2024.'


def test_a_chinese_text_reads_as_the_decision_has_it_and_keeps_its_numbers(index: Index) -> None:
    assert changed(index, "渡口.md", "2022-03-15") == []
    assert changed(index, "渡口.md", "2022-05-01") == [
        ("第八条　渡口应当在三日内公布时刻表。", "第八条　渡口应当在五日内公布时刻表。", (2,)),
        ("处五百元罚款", "处二百元罚款", (1,)),
        ("渡船可以载猫。", "", (3,)),
    ]
    assert [c.clause for c in index.consolidated("渡口.md").changes] == ["一", "二", "三"]


def test_a_document_that_changes_itself_reads_so_and_keeps_the_words_of_the_change(index: Index) -> None:
    assert changed(index, "handbook.md", "2023-05-01") == []
    assert changed(index, "handbook.md", "2024-05-01") == [("6 pm", "8 pm", (1,))]


def test_a_letter_changes_the_contract_of_its_subject_line_from_the_day_that_it_says(index: Index) -> None:
    assert changed(index, "hire.md", "2024-09-30") == []
    assert changed(index, "hire.md", "2024-10-01") == [("EUR 1,980", "EUR 1,860", (1,))]


def test_words_that_nothing_changed_are_the_text(index: Index) -> None:
    (info,) = (d for d in index.documents() if d.path == "amendment-1.md")
    assert "".join(w.text for w in index.consolidated(info.path).words) == index.text(info.id)


def test_what_names_no_document_or_several_and_a_day_that_is_none_are_refused(index: Index) -> None:
    with pytest.raises(InputError, match=r"one document.*amendment-1\.md; amendment-2\.md"):
        index.consolidated("amendment-*.md")
    with pytest.raises(InputError, match="It names: none"):
        index.consolidated("nothing.md")
    with pytest.raises(InputError, match="no date"):
        index.consolidated("berth.md", "May 2024")


def test_the_command_prints_the_words_with_their_changes_marked(index: Index) -> None:
    command = ["index", "text", "berth.md", "--in-force", "2022-07-01", "--index", str(index.folder)]
    printed = CliRunner().invoke(app, command).output
    assert "The daily toll is ⟦EUR 50⟧[3]. It is payable monthly." in printed
    assert "[3] amendment-1.md, 1, from 2022-06-01: “In Section 2" in printed
    assert "It read: “EUR 40”" in printed and "[5] Not yet in force." in printed
    as_json = json.loads(CliRunner().invoke(app, [*command, "--json"]).output)
    assert (as_json["day"], as_json["document"]["path"]) == ("2022-07-01", "berth.md")
    assert Path(as_json["changes"][0]["document"]["path"]).name == "amendment-1.md"
