"""Questions over rows, through the assistant without a language model; and the guard of all queries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.answers.guarded import FUNCTIONS, Cellular, GuardedQueryError, GuardedTable
from rag.assistant import Assistant
from rag.types import Outcome
from tests.indexing import new_index, write_files

SUPPLIERS = [
    ("Alberry Ltd", "Lyon", 779000, "5.5%"),
    ("Bexcroft Ltd", "Leeds", 880000, "6.9%"),
    ("Cawdene Ltd", "Porto", 684000, "1.6%"),
    ("Dunmere Ltd", "Porto", 135000, "5.7%"),
    ("Elsingor Ltd", "Gdansk", 272000, "9.1%"),
    ("Gantrey Ltd", "Porto", 14000, "0.9%"),
]
WARDS = """# Wards of the Hollin hospital

| Ward | Beds | Opened | Occupancy | Head |
|---|---|---|---|---|
| Maple | 24 | 2011-05-01 | 81.5% | Dr Orr |
| Birch | 18 | 2016-02-11 | 92.0% | Dr Venn |
| Cedar | 30 | 2009-09-30 | 77.0% | Dr Orr |
| Rowan | 18 | 2020-01-15 | 88.5% | Dr Pell |
| Total | 90 | | | |
"""
REPORT = """# Quarles Bearings annual report 2024

| | 2024 | 2023 |
|---|---|---|
| Tool sales | 412,608 | 398,115 |
| Cost of tools sold | (290,447) | (281,060) |
| Result of the workshop | (21,114) | 63,280 |

## Lorries by depot

| Depot | 2024 | 2023 |
|---|---|---|
| North | 20 | 19 |
| South | 15 | 25 |
| Total | 35 | 44 |
"""
CHINESE = """# 2024年供应商采购明细

| 供应商 | 城市 | 采购额（万元） | 逾期次数 |
|---|---|---|---|
| 瑞禾农资 | 宁波 | 1,250 | 3 |
| 澄江医药 | 宁波 | 2,480.5 | 0 |
| 远山机械 | 苏州 | 3,100 | 7 |
| 海棠包装 | 苏州 | 640 | 1 |
| 合计 | | 7,470.5 | 11 |
"""


SHIFTS = """Date,Shift,Ward,Nurse,Hours,Extra hours
2026-03-02,Early,Alder,Ines Moreau,8,0
2026-03-02,Night,Alder,Tom Adler,10,1.5
2026-03-03,Early,Juniper,Ines Moreau,8,0.5
2026-03-04,Night,Alder,Tom Adler,10,2
2026-03-06,Night,Juniper,Lena Fox,10,0
2026-03-07,Early,Alder,Tom Adler,8,0
"""
STAFF = """Number,Full name,Department,Post,Joined,Age,Pay (EUR),Leave days
S-1,Ilsa Brandt,Dyeworks,manager,2012-04-01,58,4100,15
S-2,Otto Crane,Dyeworks,clerk,2019-09-15,31,2300,10
S-3,Mina Dorn,Laundry,clerk,2021-02-01,24,2250,15
S-4,Paul Ering,Laundry,manager,2015-11-20,47,3900,10
"""
ORDERS = """Order no.,Placed on,Buyer,Article,Quantity,Unit price (EUR),Order amount (EUR)
Q-11,2026-01-05,Solen AG,Winch W4,3,400,1200
Q-12,2026-01-19,Tarn Ltd,Winch W4,10,400,4000
Q-13,2026-02-02,Solen AG,Cleat C9,50,20,1000
"""
HEADS = """# Jorvane Mills report 2025

| Employees at 31 December | 2025 | 2024 |
|---|---|---|
| Spinning | 120 | 110 |
| Weaving | 80 | 85 |
| Total | 200 | 195 |
"""
BONDS = """Reference,Issuer,Coupon,Maturity
WB-01,Corvanth Materials plc,5.15%,2031-06-15
WB-04,Underhallow Trust Company,4.60%,2027-11-20
WB-05,Republic of Westmarch,2.95%,2035-01-15
"""
DISPENSARY = """Drug,Form,Shelf,On hand,Minimum,Maximum,Pack cost (GBP),Scheduled
Veltoxan,tablet,R1,40,30,90,12.50,No
Veltoxan,syrup,R2,9,10,20,8.40,No
Quillomide,capsule,Safe,3,3,8,61.00,Yes
Dormaline,ampoule,Safe,2,5,10,23.75,Yes
"""
RECEIVABLES = """# 应收账款明细

| 客户 | 跟进人 | 合同金额（万元） | 逾期天数 | 到期日 |
|---|---|---|---|---|
| 松岭电缆 | 季川 | 120.0 | 95 | 2026-02-25 |
| 白鹭物流 | 季川 | 80.5 | 12 | 2026-05-19 |
| 东篱印务 | 温岚 | 60.0 | 0 | 2026-06-30 |
"""
INVOICES = """Invoice,Creditor,Invoice date,Amount,Currency,Status
INV-101,Bellcastle Paper,2026-01-08,1240.50,EUR,paid
INV-102,Orlin Logistics,2026-01-15,3980.00,EUR,open
INV-103,Kestrel Software,2026-01-20,7200.00,USD,paid
INV-104,Bellcastle Paper,2026-02-03,860.00,EUR,open
INV-105,Orlin Logistics,2026-02-11,4125.00,EUR,disputed
INV-106,Kestrel Software,2026-02-20,7200.00,USD,open
INV-107,Marrowby Cleaning,2026-02-27,615.00,EUR,open
"""


@pytest.fixture(scope="module")
def assistant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assistant]:
    folder = tmp_path_factory.mktemp("queries")
    rows = ["Supplier,City,Spend 2024 (EUR),Late deliveries", *(",".join(map(str, r)) for r in SUPPLIERS)]
    files = {
        "suppliers.csv": "\n".join(rows),
        "wards.md": WARDS,
        "report.md": REPORT,
        "采购.md": CHINESE,
        "shift-plan-march-2026.csv": SHIFTS,
        "invoices.csv": INVOICES,
        "bond-holdings.csv": BONDS,
        "harrow-dispensary.csv": DISPENSARY,
        "应收账款.md": RECEIVABLES,
        "staff-of-the-works.csv": STAFF,
        "orders-for-fittings.csv": ORDERS,
        "jorvane.md": HEADS,
    }
    index = new_index(folder / "index")
    index.ingest(write_files(folder / "documents", files), workers=1)
    with Assistant(index) as made:
        yield made


@pytest.mark.parametrize(
    ("question", "line"),
    [
        ("Which supplier had the highest spend in 2024?", "Bexcroft Ltd (880000) (of 6 rows)."),
        ("Which supplier had the lowest spend?", "Gantrey Ltd (14000) (of 6 rows)."),
        ("Who has the worst share of late deliveries?", "Elsingor Ltd (9.1%) (of 6 rows)."),
        (
            "What was the total spend with all suppliers in 2024?",
            "Total Spend 2024 (EUR): 2,764,000 (6 rows).",
        ),
        ("What is the average spend of suppliers in Porto?", "(City Porto): 277,666.67 (3 rows)."),
        ("How many suppliers are in Porto?", "3 of 6 (Cawdene Ltd, Dunmere Ltd, Gantrey Ltd)."),
        ("Which suppliers had a spend of more than EUR 700,000?", "2 of 6 (Alberry Ltd, Bexcroft Ltd)."),
        ("What share of the total spend went to Bexcroft Ltd?", "31.8% of the total Spend 2024 (EUR)"),
        ("Which city has the most suppliers?", "Most rows by City: Porto (3 of 6)."),
        ("Which ward has the most beds?", "Highest Beds: Cedar (30) (of 4 rows)."),
        ("Which wards have the fewest beds?", "Birch (18); Rowan (18) (of 4 rows)."),
        ("How many beds are there in all wards?", "Total Beds: 90 (4 rows)."),
        ("What is the total number of beds in all wards?", "Total Beds: 90 (4 rows)."),
        ("Which supplier had the second highest spend in 2024?", "no. 2: Alberry Ltd (779000) (of 6 rows)."),
        ("What are the two largest suppliers by spend?", "Bexcroft Ltd (880000); Alberry Ltd (779000) (of"),
        (
            "What is the total spend by city?",
            "by City: Leeds (880,000); Porto (833,000); Lyon (779,000); Gdansk (272,000)",
        ),
        ("Which city had the highest total spend?", "total, by City: Leeds (880,000)"),
        ("Which wards opened after 2012?", "2 of 4 (Birch, Rowan)."),
        ("How many wards opened before 2010?", "1 of 4 (Cedar)."),
        ("How many wards opened before 1990?", "0 of 4."),
        ("List the wards with an occupancy of less than 80%.", "1 of 4 (Cedar)."),
        ("What percentage of suppliers are in Porto?", "50.0% of the total Supplier (3 of 6; 6 rows)."),
        ("How many wards does Dr Orr head?", "2 of 4 (Maple, Cedar)."),
        ("Which ward opened earliest?", "Cedar (2009-09-30) (of 4 rows)."),
        ("How many Veltoxan tablets do we have?", "On hand (Drug Veltoxan, Form tablet): 40 (1 row)."),
        ("Which drugs are below their minimum?", "On hand < Minimum: 2 of 3 (Veltoxan, Dormaline)."),
        ("Which of the drugs are scheduled?", "Scheduled Yes: 2 of 3 (Quillomide, Dormaline)."),
        ("Which drug is the dearest per pack?", "Quillomide (61.00) (of 4 rows)."),
        ("逾期超过90天的客户有哪几家？", "3项中有1项（松岭电缆）。"),
        ("逾期最久的是哪家客户？", "逾期天数最高：松岭电缆 (95)（共3行）。"),
        ("季川手上有几个客户？", "3项中有2项（松岭电缆、白鹭物流）。"),
        ("2026年6月以后到期的客户有哪些？", "3项中有1项（东篱印务）。"),
        ("平均每个客户的合同金额是多少？", "平均：86.833（3行）。"),
        ("Which depot had the most lorries in 2023?", "Highest 2023: South (25) (of 2 rows)."),
        ("Which nurse worked the most extra hours?", "Highest Extra hours, total, by Nurse: Tom Adler (3.5)"),
        ("How many hours did Ines Moreau work in March?", "Total Hours (Nurse Ines Moreau): 16 (2 rows)."),
        ("How many night shifts were there?", "Shift with Shift Night: 3 of 6."),
        (
            "How many shifts did Tom Adler have on Alder?",
            "Shift with Ward Alder, Nurse Tom Adler: 2 different (Night, Early), in 3 rows.",
        ),
        ("Which invoices are still open?", "4 of 7 (INV-102, INV-104, INV-106, INV-107)."),
        ("Which bonds have a coupon above 4.5 percent?", "Coupon above 4.5 percent: 2 of 3 (WB-01, WB-04)."),
        ("Which bond matures first?", "Lowest Maturity: WB-04 (2027-11-20) (of 3 rows)."),
        ("Who is the oldest of the staff?", "Highest Age: Ilsa Brandt (58) (of 4 rows)."),
        ("Who is the youngest of the staff?", "Lowest Age: Mina Dorn (24) (of 4 rows)."),
        ("Who joined the staff first?", "Lowest Joined: Ilsa Brandt (2012-04-01) (of 4 rows)."),
        ("How many winches W4 were ordered in total?", "Total Quantity (Article Winch W4): 13 (2 rows)."),
        ("How many orders are above EUR 1,100?", "Order amount (EUR) above EUR 1,100: 2 of 3 (Q-11, Q-12)."),
        ("How many employees does Jorvane Mills have?", "Total 2025: 200 (2 rows)."),
        ("Which invoice is the newest?", "Highest Invoice date: INV-107 (2026-02-27)"),
        ("2024年采购额最高的供应商是哪家？", "采购额（万元）最高：远山机械 (3,100)（共4行）。"),
        ("采购额最低的供应商是哪家？", "海棠包装 (640)（共4行）。"),
        ("2024年采购额合计多少万元？", "采购额（万元）合计：7,470.5（4行）。"),
        ("宁波的供应商有几家？", "4项中有2项（瑞禾农资、澄江医药）。"),
        ("采购额超过两千万元的供应商有哪些？", "4项中有2项（澄江医药、远山机械）。"),
        ("采购额最高的两家供应商是哪些？", "远山机械 (3,100)；澄江医药 (2,480.5)（共4行）。"),
        ("各城市的采购额合计是多少？", "苏州 (3,740.0)；宁波 (3,730.5)（共4行）。"),
        (
            "哪个城市的采购额最高？",
            "合计最高：苏州 (3,740.0)（共4行）。单行比较，采购额（万元）最高：苏州 (3,100)",
        ),
        ("宁波的采购额占合计的比例是多少？", "占采购额（万元）合计的49.9%"),
        ("苏州供应商的采购额合计是多少？", "（城市 苏州）：3,740.0（2行）。"),
    ],
)
def test_a_question_over_rows_is_answered_from_all_of_them(
    assistant: Assistant, question: str, line: str
) -> None:
    answer = assistant.ask(question)
    assert answer.verdict is Outcome.ANSWERED
    assert line in answer.line
    (working,) = answer.working
    assert "rows of" in working.formula or "行" in working.formula
    assert answer.quotes
    for quote in answer.quotes:
        assert assistant.index.text(quote.document_id)[quote.start : quote.end] == quote.quote
        assert not quote.quote.startswith(("Total", "合计"))


@pytest.mark.parametrize(
    "question",
    [
        "Which supplier had the highest spend in 2023?",
        "Which supplier had the highest profit in 2024?",
        "Which customer had the highest spend in 2024?",
        "How many suppliers are in Berlin?",
        "Which suppliers had a spend of more than USD 700,000?",
        "Which ward has the most nurses?",
        "Which lorry has an occupancy of less than 80%?",
        "How many packs of Ostrelin does the Harrow dispensary have?",  # the first row says nothing of it
        "How many mL of Veltoxan syrup are there?",
        "What is the latest drug of the Harrow dispensary?",  # no number is a time
        "What is the latest spend of Cawdene Ltd?",  # which is not the highest
        "Which invoice is the largest?",  # of two currencies, and by no date
        "What is the total amount of all open invoices?",
        "What was the total in 2024?",  # of a statement's year: no sum over all of its lines
        "What was the highest item in 2024?",
        "哪家供应商的利润最高？",
        "2023年采购额最高的供应商是哪家？",
        "上海的供应商有几家？",
    ],
)
def test_what_no_table_surely_holds_is_not_worked_out(assistant: Assistant, question: str) -> None:
    assert not assistant.ask(question).working


@pytest.mark.parametrize(
    "question",
    ["What is the total of all open invoices?", "Tell me what Bellcastle Paper delivered on Alder."],
)
def test_one_of_several_rows_that_hold_as_much_is_no_answer(assistant: Assistant, question: str) -> None:
    assert assistant.ask(question).verdict is not Outcome.ANSWERED


ROWS = [("Maple", 24.0), ("Birch", 18.0), ("Cedar", None)]


def run_select(
    statement: str, rows: Sequence[Sequence[Cellular]], parameters: Sequence[Cellular] = ()
) -> list[tuple[Cellular, ...]]:
    return GuardedTable(rows, len(rows[0])).select(statement, parameters)


def test_the_guard_runs_a_select_over_its_one_table() -> None:
    assert run_select("SELECT c0 FROM t WHERE c1 > ? ORDER BY c1", ROWS, (20,)) == [("Maple",)]
    assert run_select("SELECT count(*), sum(c1) FROM t", ROWS) == [(3, 42.0)]


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM t",
        "INSERT INTO t VALUES (9, 'x', 1)",
        "UPDATE t SET c1 = 0",
        "DROP TABLE t",
        "CREATE TABLE u (a)",
        "ATTACH DATABASE '/tmp/other.db' AS other",
        "PRAGMA table_info(t)",
        "SELECT name FROM sqlite_master",
        "SELECT load_extension('x')",
        "SELECT randomblob(100000000)",
        "SELECT * FROM json_each('[1]')",
        "VACUUM INTO '/tmp/copy.db'",
        "SELECT 1; SELECT 2",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n",
        "",
    ],
)
def test_the_guard_runs_nothing_else(statement: str) -> None:
    try:
        assert run_select(statement, ROWS) == []  # the empty statement alone
        assert not statement
    except GuardedQueryError:
        pass


def test_a_query_that_does_not_end_is_ended() -> None:
    many = [(float(n),) for n in range(2000)]
    with pytest.raises(GuardedQueryError, match="interrupted"):
        run_select("SELECT count(*) FROM t a, t b, t c WHERE a.c0 + b.c0 + c.c0 < 0", many)


_WORD = st.sampled_from(
    "SELECT FROM WHERE t sqlite_master id c0 c1 * , ( ) ; = < > 'x' 1 count sum random printf zeroblob "
    "load_extension INSERT INTO DELETE UPDATE SET PRAGMA ATTACH AS UNION ALL WITH RECURSIVE GROUP BY ORDER "
    "LIMIT VALUES DROP TABLE t.c0 -- /* */".split()
)


@settings(max_examples=300, deadline=None)
@given(statement=st.one_of(st.lists(_WORD, max_size=14).map(" ".join), st.text(max_size=60)))
def test_no_statement_changes_anything_or_reads_another_table(statement: str) -> None:
    rows = [("Maple", 24.0)]
    try:
        found = run_select(statement, rows)
    except GuardedQueryError:
        found = []
    assert rows == [("Maple", 24.0)]
    assert not any("CREATE TABLE" in str(value) for row in found for value in row)
    assert {"randomblob", "load_extension", "zeroblob", "printf"}.isdisjoint(FUNCTIONS)


def test_a_last_row_that_is_the_sum_of_the_others_is_none_of_them(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("sums")
    text = (
        "# Lorry fleet\n\n| Depot | Lorries |\n|---|---|\n| North | 20 |\n| South | 15 |\n| West | 7 |\n"
        "| All depots | 42 |\n"
    )
    index = new_index(folder / "index")
    index.ingest(write_files(folder / "documents", {"fleet.md": text}), workers=1)
    with Assistant(index) as made:
        most, total = (made.ask(q).line for q in ("Which depot has the most lorries?", "Total lorries?"))
    assert most == "Highest Lorries: North (20) (of 3 rows)."
    assert total.startswith("Total Lorries: 42 (3 rows)")


def test_of_many_like_sheets_the_one_in_the_named_clients_folder_is_asked(tmp_path: Path) -> None:
    clients = [
        "Alder Optics",
        "Brack Freight",
        "Corvin Dental",
        "Dunmore Print",
        "Eskdale Seeds",
        "Farrow Marine",
    ]
    amounts = {client: [100 * n + 7 * row for row in range(1, 5)] for n, client in enumerate(clients, 1)}
    files = {}
    for n, client in enumerate(clients, 1):
        folder = f"{n:02}-{client.lower().replace(' ', '-')}"
        rows = [f"INV-{n}{row};{amount}" for row, amount in enumerate(amounts[client])]
        files[f"{folder}/invoices.csv"] = "\n".join(["Invoice;Amount EUR", *rows])
        for state in ("draft", "signed"):
            told = (
                f"This agreement is between Tarn Valley Holdings plc and {client} Ltd for invoices in total."
            )
            files[f"{folder}/{state}.md"] = (
                f"# Agreement with {client} Ltd\n\n{told}\n\n## Fee\n\nThe fee is EUR 9.\n"
            )
    index = new_index(tmp_path / "index")
    index.ingest(write_files(tmp_path / "documents", files), workers=1)
    with Assistant(index) as made:
        for client in clients:
            total = made.ask(f"What is the total of all invoices of {client} Ltd?")
            assert total.line.startswith(f"Total Amount EUR: {sum(amounts[client]):,} (4 rows)")
            number = clients.index(client) + 1
            highest = made.ask(f"Which invoice of {client} Ltd is the highest?")
            assert f"INV-{number}3 ({amounts[client][3]})" in highest.line
