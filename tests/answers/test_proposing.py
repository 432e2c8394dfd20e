"""Queries that the model proposes: what is accepted of a SELECT, whatever wrote it, and what comes of real
replies of the default reader, written down once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.answers.choosing import cues_of
from rag.answers.grid import grids
from rag.answers.proposing import accepted, query_instructions
from rag.answers.queries import AskedTable, asked_table
from rag.answers.results import run
from rag.assistant import Assistant
from rag.types import Outcome
from tests.fakes import FakeLLM
from tests.indexing import new_index, write_files
from tests.recorded import RecordedLLM

REGISTER = """# Register of contracts of the Orle works

| No. | Counterparty | Department | Ends | Value (EUR) | Complaints |
|---|---|---|---|---|---|
| K-1 | Asker GmbH | Energy | 2024-03-31 | 40,000 | 2 |
| K-2 | Bolm AG | Transport | 2025-06-30 | 95,500 | 0 |
| K-3 | Asker GmbH | Energy | 2026-01-31 | 61,000 | 5 |
| K-4 | Corve SA | Transport | 2023-12-31 | 12,250 | 1 |
| Total | | | | 208,750 | 8 |
"""
CHINESE = """# 2024年设备采购台账

| 编号 | 设备名称 | 使用部门 | 数量（台） | 金额（万元） |
|---|---|---|---|---|
| S-1 | 离心机 | 质检部 | 3 | 45.6 |
| S-2 | 显微镜 | 研发部 | 8 | 120.5 |
| S-3 | 离心机 | 研发部 | 6 | 88.2 |
| S-4 | 质谱仪 | 质检部 | 1 | 150.0 |
"""


@pytest.fixture(scope="module")
def assistant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assistant]:
    folder = tmp_path_factory.mktemp("proposing")
    index = new_index(folder / "index")
    index.ingest(write_files(folder / "documents", {"register.md": REGISTER, "台账.md": CHINESE}), workers=1)
    with Assistant(index, RecordedLLM("querying")) as made:
        yield made


def table(assistant: Assistant, question: str) -> AskedTable:
    query, index = assistant.index.understand(question), assistant.index
    cues = cues_of(query)
    assert cues is not None
    found = [asked_table(cues, grid) for grid in grids(index.search(query, 8), index.store, whole=True)]
    return min((one for one in found if one), key=lambda one: len(one.unheld))


@pytest.mark.parametrize(
    ("question", "select", "line"),
    [
        (
            "Which counterparty do we spend the most on?",
            'SELECT "Counterparty", SUM("Value (EUR)") FROM t GROUP BY "Counterparty" '
            'ORDER BY SUM("Value (EUR)") DESC LIMIT 1',
            "by Counterparty: Asker GmbH (101,000)",
        ),
        (
            "How many complaints did we get in total from Energy?",
            "SELECT SUM(Complaints) FROM t WHERE Department = 'Energy'",
            "(Department Energy): 7 (2 rows)",
        ),
        (
            "Which contract is the most expensive one?",
            "SELECT `No.`, MAX([Value (EUR)]) FROM t",
            "K-2 (95,500)",
        ),
        (
            "质检部一共花了多少钱？",
            'SELECT SUM("金额（万元）") FROM t WHERE "使用部门" = \'质检部\';',
            "195.6（2行）",
        ),
    ],
)
def test_a_select_that_fits_its_question_is_run(
    assistant: Assistant, question: str, select: str, line: str
) -> None:
    asked = table(assistant, question)
    query = accepted(select, asked)
    assert query is not None
    result = run(query, asked.grid, asked.cues.asked.query.language)
    assert result is not None and line in result.sentences[0][0]


@pytest.mark.parametrize(
    ("question", "select"),
    [
        # of the other end
        (
            "Which counterparty do we spend the most on?",
            'SELECT "Counterparty" FROM t ORDER BY "Value (EUR)" LIMIT 1',
        ),
        # of no aggregate that was asked for
        ("How many complaints did we get in total from Energy?", "SELECT AVG(Complaints) FROM t"),
        # a cell that is not there, and one that the question does not name
        (
            "How many complaints did we get in total?",
            "SELECT SUM(Complaints) FROM t WHERE Department = 'Sales'",
        ),
        (
            "How many complaints did we get in total?",
            "SELECT SUM(Complaints) FROM t WHERE Department = 'Energy'",
        ),
        # a number that the question does not state
        (
            "How many complaints did we get in total?",
            'SELECT SUM(Complaints) FROM t WHERE "Value (EUR)" > 50000',
        ),
        # a column that is not there, words, other tables, more than one statement
        ("How many complaints did we get in total?", "SELECT SUM(Profit) FROM t"),
        ("How many complaints did we get in total?", "SELECT SUM(Counterparty) FROM t"),
        ("How many complaints did we get in total?", "SELECT SUM(Complaints) FROM t, sqlite_master"),
        ("How many complaints did we get in total?", "SELECT SUM(Complaints) FROM t; DROP TABLE t"),
        ("How many complaints did we get in total?", "DELETE FROM t"),
        # what the table does not speak of
        (
            "Which segment do we spend the most on?",
            'SELECT "Department", SUM("Value (EUR)") FROM t GROUP BY "Department" '
            'ORDER BY SUM("Value (EUR)") DESC LIMIT 1',
        ),
        # nothing of the question, and all rows where some are asked for
        ("Who came out on top?", 'SELECT Counterparty FROM t ORDER BY "Value (EUR)" DESC LIMIT 1'),
        ("Which contract is the juiciest by value?", 'SELECT "No." FROM t'),
        ("Which contract is the juiciest by value?", 'SELECT "No.", MAX("Value (EUR)") FROM t'),
        ("How many strikes did Ostrava have in total in 1987?", "SELECT SUM(Complaints) FROM t"),
    ],
)
def test_a_select_that_says_another_thing_is_refused(
    assistant: Assistant, question: str, select: str
) -> None:
    assert accepted(select, table(assistant, question)) is None


@pytest.mark.parametrize(
    ("question", "line"),
    [
        ("Which counterparty do we spend the most on?", "by Counterparty: Asker GmbH (101,000)"),
        ("How often did people complain about Energy in total?", "Total Complaints (Department Energy): 7"),
        ("质检部一共花了多少钱？", "金额（万元）合计（使用部门 质检部）：195.6（2行）"),
        ("哪种设备买得最多？", "按设备名称计，数量（台）合计最高：离心机 (9)"),
    ],
)
def test_what_the_reader_proposes_is_worked_out_by_code(
    assistant: Assistant, question: str, line: str
) -> None:
    answer = assistant.ask(question)
    assert answer.verdict is Outcome.ANSWERED and line in answer.line
    assert answer.working and answer.quotes


@pytest.mark.parametrize("question", ["Which counterparty has the highest profit?", "哪种设备的投诉最多？"])
def test_what_a_table_does_not_hold_is_not_proposed(assistant: Assistant, question: str) -> None:
    assert not assistant.ask(question).working


@pytest.mark.parametrize(("asked", "totals"), [("in group B", True), ("in all", False)])
def test_one_cell_of_several_columns_is_no_total_of_them(tmp_path: Path, asked: str, totals: bool) -> None:
    rows = ("Status | Group B | Group C", "---|---|---", "Screened | 40 | 41", "Randomised | 27 | 28")
    trial = "\n".join(["# Trial", "", *(f"| {row} |" for row in rows), ""])
    reply = 'SELECT SUM("Group B") FROM t WHERE "Status" = \'Randomised\''
    ending = query_instructions("en").ending
    llm = FakeLLM(lambda prompt: reply if prompt.ending == ending else "")
    index = new_index(tmp_path / "index")
    index.ingest(write_files(tmp_path / "documents", {"trial.md": trial}), workers=1)
    with Assistant(index, llm) as made:
        answer = made.ask(f"What is the total number of patients with status randomised {asked}?")
    assert ("27" in answer.line) is totals


@pytest.mark.parametrize(
    ("asked", "ranks"), [("is the most expensive", False), ("has the largest budget", True)]
)
def test_first_by_a_column_that_is_not_asked_for_is_not_the_first(
    tmp_path: Path, asked: str, ranks: bool
) -> None:
    rows = ("Phase | Budget | Spent", "---|---|---", "Pleadings | 36,000 | 34,120", "Trial | 138,000 | 0")
    costs = "\n".join(["# Costs of the case", "", *(f"| {row} |" for row in rows), ""])
    ending = query_instructions("en").ending
    reply = 'SELECT "Phase" FROM t ORDER BY "Budget" DESC LIMIT 1'
    llm = FakeLLM(lambda prompt: reply if prompt.ending == ending else "")
    index = new_index(tmp_path / "index")
    index.ingest(write_files(tmp_path / "documents", {"costs.md": costs}), workers=1)
    with Assistant(index, llm) as made:
        answer = made.ask(f"Which phase of the case {asked}?")
    assert ("Trial" in answer.line) is ranks


@pytest.mark.parametrize(
    ("asked", "ranks"), [("velnorin最大日剂量是多少？", False), ("velnorin最大的share是多少？", True)]
)
def test_the_name_in_a_title_names_no_column(tmp_path: Path, asked: str, ranks: bool) -> None:
    rows = ("Event | Velnorin share | Placebo", "---|---|---", "Dizziness | 21.3 | 6.1", "Nausea | 9.0 | 7.7")
    leaflet = "\n".join(["# Velnorin tablets", "", *(f"| {row} |" for row in rows), ""])
    ending = query_instructions("zh").ending
    reply = 'SELECT "Event" FROM t ORDER BY "Velnorin share" DESC LIMIT 1'
    llm = FakeLLM(lambda prompt: reply if prompt.ending == ending else "")
    index = new_index(tmp_path / "index")
    index.ingest(write_files(tmp_path / "documents", {"leaflet.md": leaflet}), workers=1)
    with Assistant(index, llm) as made:
        answer = made.ask(asked)
    assert ("Dizziness" in answer.line and bool(answer.working)) is ranks


def test_a_name_in_the_title_of_a_case_chooses_no_rows(tmp_path: Path) -> None:
    rows = ("Date | Offer by | Amount", "---|---|---", "3 May 2026 | Tarrow Shipping | 2,100,000")
    more = ("8 May 2026 | Kelmont Docks | 400,000", "22 May 2026 | Kelmont Docks | 650,000")
    offers = "\n".join(
        ["# Settlement offers in Tarrow v Kelmont", "", *(f"| {row} |" for row in (*rows, *more)), ""]
    )
    ending = query_instructions("en").ending
    reply = """SELECT COUNT(*) FROM t WHERE "Offer by" = 'Tarrow Shipping'"""
    llm = FakeLLM(lambda prompt: reply if prompt.ending == ending else "")
    index = new_index(tmp_path / "index")
    index.ingest(write_files(tmp_path / "documents", {"offers.md": offers}), workers=1)
    with Assistant(index, llm) as made:
        answer = made.ask("How many settlement offers have been made in Tarrow v Kelmont?")
        own = made.ask("How many settlement offers has Tarrow Shipping made in Tarrow v Kelmont?")
    assert "1 of 3" not in answer.line
    assert "1 of 3" in own.line
