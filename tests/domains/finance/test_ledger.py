"""Rows of statements as labels, sections and figures; which line carries a line item."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path

import pytest

from rag.domains.finance.figures.cells import wording_score
from rag.domains.finance.figures.lineitems import Item, find_figure, find_line, item
from rag.domains.finance.figures.lines import TableLine, ledger, plain_label
from rag.store.store import Store
from rag.types import Block, BlockKind, Page
from tests.indexing import document, manifest, put
from tests.rows import row_block

INCOME = (
    "(In thousands, except per share data) Years ended December 31, | 2023 | 2022",
    "CONSOLIDATED STATEMENTS OF OPERATIONS",
    (
        "Years ended December 31,",
        "| 2023 | 2022",
        "Revenues",
        "Rooms | $ 600 | $ 500",
        "Casino | 400 | 300",
        "| 1,000 | 800",
        "Expenses",
        "Rooms | 350 | 300",
        "Casino | 250 | 220",
        "General and administrative (Note 7) | 100 | 90",
        "| 700 | 610",
        "Operating income | 300 | 190",
        "Income before income taxes | 280 | 170",
        "Provision for income taxes | (80) | (40)",
        "Net income | 200 | 130",
        "Net income per share (Notes 2 and 9)",
        "Basic | $ 2.00 | $ 1.30",
        "Weighted average common shares outstanding",
        "Basic | 100 | 100",
    ),
)
BALANCE = (
    "(In thousands, except share data) December 31, | 2023 | 2022",
    "CONSOLIDATED BALANCE SHEETS",
    (
        "ASSETS",
        "Current assets",
        "Cash and cash equivalents | $ 50 | $ 40",
        "Accounts receivable, net | 70 | 60",
        "Total current assets | 120 | 100",
        "Goodwill | 30 | 30",
        "| $ 900 | $ 850",
        "LIABILITIES AND STOCKHOLDERS' EQUITY",
        "Current liabilities",
        "Accounts payable | $ 90 | $ 85",
        "Total current liabilities | 160 | 150",
        "Other liabilities | 40 | 38",
        "Total liabilities | 200 | 188",
        "Total stockholders' equity | 700 | 662",
        "| $ 900 | $ 850",
    ),
)


def statements(*tables: tuple[str, str, Sequence[str]]) -> dict[str, object]:
    """Text and blocks of one page of tables, each below its title, with " | " between cells."""
    text, blocks = "", []
    for header, title, rows in tables:
        for kind, line in ((BlockKind.HEADING, title), *((BlockKind.TABLE_ROW, row) for row in rows)):
            if kind is BlockKind.TABLE_ROW:
                blocks.append(row_block(line, len(text), header))
            else:
                blocks.append(Block(kind, len(text), len(text) + len(line)))
            text += line + "\n"
        text += "\n"
    return {"text": text, "blocks": tuple(blocks), "pages": (Page(1, 0, len(text)),)}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    folder: Path = tmp_path_factory.mktemp("ledger")
    with Store.create(folder, manifest()) as made:
        metadata = {"company": "Marrowby Resorts Inc.", "form": "10-K", "fiscal_year": "2023"}
        metadata |= {"fiscal_period": "FY", "period_end": "2023-12-31"}
        put(
            made,
            document("marrowby.pdf", [], title="Marrowby", metadata=metadata, **statements(INCOME, BALANCE)),
        )
        yield made


PLACED = (
    "(In thousands) Years ended December 31, | Note | 2023 | 2022",
    "CONSOLIDATED STATEMENTS OF OPERATIONS",
    (
        "Revenues | 4 | 1,000 | 800",
        "Cost of sales | 5 | 600 | 500",
        "General and administrative |  | 100 | 90",
        "Operating income |  | 300 | ",
        "Income before income taxes |  | 280 | 170",
        "Provision for income taxes | 6 | 80 | 40",
        "Net income |  | 200 | 130",
    ),
)
SHARED = (
    "(In thousands) | Owners of the parent | Non-controlling interests",
    "CONSOLIDATED STATEMENTS OF OPERATIONS",
    (
        "Revenues | 900 | 100",
        "Cost of sales | 550 | 50",
        "Operating income | 280 | 20",
        "Net income | 150 | 50",
    ),
)


@pytest.mark.parametrize("tables", [(PLACED,), (SHARED, PLACED)])
def test_figure_of_a_placed_table_stands_under_its_own_head(
    tables: tuple[tuple[str, str, Sequence[str]], ...], tmp_path: Path
) -> None:
    metadata = {"company": "Marrowby Resorts Inc.", "form": "10-K", "fiscal_year": "2023"}
    metadata |= {"fiscal_period": "FY", "period_end": "2023-12-31"}
    with Store.create(tmp_path, manifest()) as made:
        parts = statements(*tables)
        put(made, document("marrowby.pdf", [], title="Marrowby", metadata=metadata, **parts))

        def value(key: str, year: int) -> int | None:
            wanted = item(key)
            assert wanted is not None
            found = find_figure(made, [1], wanted, year, "FY")
            return int(found.value) if found else None

        assert (value("revenue", 2023), value("revenue", 2022)) == (1_000_000, 800_000)
        assert (value("net income", 2023), value("income tax", 2022)) == (200_000, 40_000)
        assert value("operating income", 2022) is None


def test_heads_that_name_no_period_give_none(tmp_path: Path) -> None:
    metadata = {"company": "Marrowby Resorts Inc.", "form": "10-K", "fiscal_year": "2023"}
    metadata |= {"fiscal_period": "FY", "period_end": "2023-12-31"}
    with Store.create(tmp_path, manifest()) as made:
        parts = statements(SHARED)
        put(made, document("marrowby.pdf", [], title="Marrowby", metadata=metadata, **parts))
        wanted = item("net income")
        assert wanted is not None
        assert find_figure(made, [1], wanted, 2023, "FY") is None


def test_heads_that_stand_in_rows_give_periods_and_unit(tmp_path: Path) -> None:
    metadata = {"company": "Marrowby Resorts Inc.", "form": "10-K", "fiscal_year": "2023"}
    metadata |= {"fiscal_period": "FY", "period_end": "2023-12-31"}
    rows = (
        "|  | December 31,",
        "Year | 2023 | 2022",
        "|  | (in millions)",
        "Revenues | 900 | 800",
        "Net income | 9 | 8",
    )
    parts = statements(("|  | Segments | ", "CONSOLIDATED STATEMENTS OF OPERATIONS", rows))
    with Store.create(tmp_path, manifest()) as made:
        put(made, document("marrowby.pdf", [], title="Marrowby", metadata=metadata, **parts))
        found = find_line(made, [1], "net income", 2022, "FY")
        assert found is not None and found.value == 8_000_000


@pytest.mark.parametrize(("printed", "tax"), [("500", 500), ("-500", -500), ("(500)", -500)])
def test_chinese_tax_has_the_sign_that_leads_from_profit_to_net_profit(
    printed: str, tax: int, tmp_path: Path
) -> None:
    metadata = {"company": "澄原示例股份有限公司", "form": "annual report", "fiscal_year": "2024"}
    metadata |= {"fiscal_period": "FY", "period_end": "2024-12-31"}
    rows = (
        "营业收入 | 9,000",
        "营业成本 | 6,000",
        "利润总额 | 2,000",
        f"减：所得税费用 | {printed}",
        f"净利润 | {2000 - tax}",
    )
    parts = statements(("项目 | 2024年度", "合并利润表", rows))
    with Store.create(tmp_path, manifest()) as made:
        put(made, document("澄原.pdf", [], title="澄原示例", language="zh", metadata=metadata, **parts))
        wanted = item("income tax", "zh")
        assert wanted is not None
        found = find_figure(made, [1], wanted, 2024, "FY")
        assert found is not None and found.value == tax


def line(store: Store, label: str, section: str = "") -> TableLine:
    (found,) = (x for x in ledger(store, 1) if x.label == label and section in x.section)
    return found


def test_subtotal_without_a_label_is_called_by_its_section(store: Store) -> None:
    assert [a.cell.value for a in line(store, "Total Revenues").amounts] == [1000, 800]
    assert [a.cell.value for a in line(store, "Total Expenses").amounts] == [700, 610]


def test_total_closes_its_section_and_not_the_one_around_it(store: Store) -> None:
    assert line(store, "Goodwill").section == "ASSETS"
    assert [a.cell.value for a in line(store, "Total ASSETS").amounts] == [900, 850]


def test_label_is_without_its_notes(store: Store) -> None:
    assert line(store, "General and administrative").amounts[0].cell.value == 100
    assert plain_label("Inventories (Notes 2 and 5)*") == "Inventories"


def test_amounts_are_scaled_but_for_those_per_share(store: Store) -> None:
    assert line(store, "Net income").amounts[0].factor == 1000
    per_share = line(store, "Basic", "per share").amounts[0]
    assert (per_share.factor, per_share.cell.value) == (1, Decimal("2.00"))
    shares = line(store, "Basic", "shares outstanding").amounts[0]
    assert (shares.factor, shares.unit) == (1000, "shares")


def test_dollar_signs_give_the_currency(store: Store) -> None:
    assert {a.unit for a in line(store, "Accounts payable").amounts} == {"USD"}


def test_heads_among_the_rows_are_no_lines(store: Store) -> None:
    assert not [x for x in ledger(store, 1) if "2023" in x.label or x.label.startswith("Years")]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("revenue", 1_000_000),
        ("operating income", 300_000),
        ("net income", 200_000),
        ("income tax", 80_000),
        ("total assets", 900_000),
        ("current liabilities", 160_000),
        ("equity", 700_000),
        ("basic eps", 2),
    ],
)
def test_item_is_found_with_the_sign_and_scale_that_it_has(store: Store, key: str, value: int) -> None:
    wanted = item(key)
    assert wanted is not None
    found = find_figure(store, [1], wanted, 2023, "FY")
    assert found is not None
    assert found.value == value


def test_item_that_no_line_carries_is_not_found(store: Store) -> None:
    wanted = item("inventory")
    assert wanted is not None
    assert find_figure(store, [1], wanted, 2023, "FY") is None
    assert item("no such concept") is None


def test_period_that_no_column_heads_is_not_found(store: Store) -> None:
    wanted = item("revenue")
    assert wanted is not None
    assert find_figure(store, [1], wanted, 2021, "FY") is None
    assert find_figure(store, [1], wanted, 2023, "Q2") is None


REVENUE = Item("revenue", ("net sales", "total revenues", "revenues"), ("income",))
NET_INCOME = Item("net income", ("net income", "net earnings", "net loss"), ("income",))


@pytest.mark.parametrize(
    ("wanted", "better", "worse"),
    [
        (REVENUE, "Total revenues", "Other revenues"),
        (REVENUE, "Total revenues", "Deferred revenues"),
        (REVENUE, "Total revenues", "Net sales"),
        (NET_INCOME, "Net income", "Net income attributable to noncontrolling interests"),
        (NET_INCOME, "Net income attributable to Marrowby Inc.", "Net income from continuing operations"),
        (NET_INCOME, "Net loss", "Net interest income"),
        (NET_INCOME, "Net earnings", "Net income before taxes"),
    ],
)
def test_label_that_says_the_item_scores_above_one_that_says_another(
    wanted: Item, better: str, worse: str
) -> None:
    assert wording_score(better, "", wanted.wordings) > wording_score(worse, "", wanted.wordings)


def test_label_too_short_to_say_it_is_read_with_its_section() -> None:
    wanted = Item("diluted eps", ("diluted earnings per share",), ("income",))
    assert wording_score("Diluted", "Earnings per share", wanted.wordings) > 0.6
    assert wording_score("Diluted", "Average shares", wanted.wordings) == 0
