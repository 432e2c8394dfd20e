"""What a question names orders what is found: company, year, statement, article, version; and gives way."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.domains import load_domains
from rag.domains.finance.concepts import sought_items
from rag.index import Index
from rag.questions.constraints import Constraints, Sought, read_constraints
from rag.questions.expects import read_wording
from rag.search.pool import Lines, agreements, find_line_items, named_documents
from rag.search.ranker import AGREEMENTS
from rag.store.store import Store
from rag.types import Filters, Hit, Stages
from rag.types.search import Candidate
from tests.archive import archive
from tests.catalogues import annual as annual_info
from tests.catalogues import catalogue, info, law
from tests.fakes import FakeEmbedder
from tests.files import pdf_bytes
from tests.indexing import document, manifest, put

NEED = Sought("quick ratio", ("balance", "income"), (("cash",), ("total current liabilities",)))


def annual(company: str, year: int, base: int) -> bytes:
    """Five pages: cover, prose that says "quick ratio", balance sheet, income statement, prose."""

    def rows(*lines: tuple[str, int, int]) -> list[str]:
        return [f"{name}\t{this:,}\t{before:,}" for name, this, before in lines]

    head = f"December 31,\t{year}\t{year - 1}"
    cover = [
        "SECURITIES AND EXCHANGE COMMISSION",
        "* FORM 10-K",
        f"For the fiscal year ended December 31, {year}",
        "Commission file number 001-09999",
        f"# {company}",
        "(Exact name of registrant as specified in its charter)",
        "Securities registered pursuant to Section 12(b) of the Act: none",
    ]
    prose = [
        "* Item 7. Management's Discussion and Analysis of Financial Condition",
        "",
        f"Our quick ratio and our liquidity stayed strong in {year}. We believe that the quick ratio,",
        "current assets and current liabilities of our business, cash and receivables, support growth.",
        "The quick ratio is a measure that our lenders watch when they look at liquidity.",
    ]
    balance = rows(
        ("Cash and cash equivalents", base, base - 5),
        ("Accounts receivable, net", base + 70, base + 60),
        ("Inventories", base + 10, base + 11),
        ("Total current assets", 3 * base + 80, 3 * base + 66),
        ("Total assets", 9 * base, 9 * base - 50),
        ("Accounts payable", base - 20, base - 30),
        ("Total current liabilities", 2 * base, 2 * base - 9),
        ("Total liabilities", 5 * base, 5 * base - 4),
        ("Retained earnings", 3 * base, 3 * base - 1),
        ("Total shareholders' equity", 4 * base, 4 * base - 46),
    )
    income = rows(
        ("Net sales", 7 * base, 6 * base),
        ("Cost of sales", 4 * base, 4 * base - 9),
        ("Gross profit", 3 * base, 2 * base),
        ("Operating income", base, base - 8),
        ("Interest expense", 20, 21),
        ("Income before income taxes", base - 20, base - 29),
        ("Provision for income taxes", 30, 33),
        ("Net income", base - 50, base - 62),
    )
    other = [
        "* Item 9. Other Information",
        "",
        f"The annual meeting of {company} is held in May. It bought back no shares in {year}.",
    ]
    pages = [
        cover,
        prose,
        ["* CONSOLIDATED BALANCE SHEETS", "(In millions)", head, *balance],
        ["* CONSOLIDATED STATEMENTS OF INCOME", "(In millions, except per share data)", head, *income],
        other,
    ]
    return pdf_bytes(pages, title=f"{company} Form 10-K {year}")


YEARS = (2020, 2021, 2022, 2023)
BALANCE_PAGE, INCOME_PAGE = 3, 4


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    reports = {
        f"{company.split()[0].lower()}-{year}__pdf": annual(company, year, base + year - 2000)
        for company, base in (("Vextra Foods, Inc.", 400), ("Mirves Corporation", 700))
        for year in YEARS
    }
    # Other companies' prose fits the words of the questions better than any report of the one named.
    rival = "# Kolbar Stores Corp, Form 10-K for fiscal year 2021\n\nKolbar Stores Corp\n\n" + "\n\n".join(
        f"## Talk {n}\n\nWhat was the quick ratio in 2021? The quick ratio was {n}.5. What were net sales? "
        f"Net sales, the quick ratio and the gross profit were what they were."
        for n in range(6)
    )
    with archive(tmp_path_factory.mktemp("agreement"), kolbar__md=rival, **reports) as opened:
        yield opened


def places(hits: list[Hit]) -> list[tuple[str, int | None]]:
    return [(h.document.path.removesuffix(".pdf"), h.chunk.page) for h in hits]


@pytest.mark.parametrize("year", YEARS)
@pytest.mark.parametrize(
    ("asked", "company"),
    [
        ("What was the quick ratio of Vextra Foods in {}?", "vextra"),
        ("Mirves Corporation: what is its FY{} quick ratio?", "mirves"),
        ("What was Mirves' working capital at the end of {}?", "mirves"),
    ],
)
def test_ratio_is_answered_by_the_balance_sheet_of_the_company_and_year_named(
    index: Index, asked: str, company: str, year: int
) -> None:
    """Before the prose that says "quick ratio", and before another company that says it more often."""
    first = index.search(asked.format(year), 8)[0]
    assert places([first]) == [(f"{company}-{year}", BALANCE_PAGE)]
    assert "balance" in first.chunk.roles


@pytest.mark.parametrize("year", [2020, 2021, 2022])
@pytest.mark.parametrize("what", ["net sales", "gross profit", "operating income"])
def test_the_next_years_report_comes_second(index: Index, year: int, what: str) -> None:
    """It prints the figure beside its own; earlier reports cannot."""
    found = places(index.search(f"What was the {what} of Vextra Foods in {year}?", 8))
    statements = [path for path, page in found if page == INCOME_PAGE]
    assert found[0] == (f"vextra-{year}", INCOME_PAGE)
    assert statements[:2] == [f"vextra-{year}", f"vextra-{year + 1}"]


def test_statement_pages_come_before_prose_only_through_concepts(index: Index) -> None:
    asked = "What was the quick ratio of Vextra Foods in 2022?"
    plain = places(index.search(asked, 8, stages=Stages(concepts=False)))
    assert plain[0] == ("vextra-2022", 2)
    assert places(index.search(asked, 8))[0] == ("vextra-2022", BALANCE_PAGE)


def test_without_constraints_the_better_matching_company_comes_first(index: Index) -> None:
    asked = "What was the quick ratio of Vextra Foods in 2021, what were net sales?"
    off = Stages(constraints=False, concepts=False)
    assert places(index.search(asked, 1, stages=off))[0][0] == "kolbar.md"
    assert places(index.search(asked, 1))[0][0] == "vextra-2021"


def test_preference_gives_way_where_the_document_named_holds_nothing(index: Index) -> None:
    """And the hit says that it is another's."""
    hits = index.search("How many days of notice must the tenant of Vextra Foods give?", 8)
    assert hits[0].document.path == "contracts/lease-harbour.md"
    other = index.search("What talk did Vextra Foods hold about what they were in 2021?", 30)
    rival = next(h for h in other if h.document.path == "kolbar.md")
    assert [r.value for r in rival.reasons if r.name == "name"] == [-1.0]
    assert [r.adds < 0 for r in rival.reasons if r.name == "name"] == [True]


def test_company_that_no_document_bears_hides_nothing(index: Index) -> None:
    hits = index.search("What was the quick ratio of Zyxomma Holdings Inc in 2022?", 8)
    assert hits
    assert all(r.name != "name" or r.value <= 0 for h in hits for r in h.reasons)


# Articles and versions

OLD_LAW = """湖泊保护法

2010年1月2日湖区代表大会会议通过

第一条 为了保护湖泊，制定本法。

第二条 向湖泊排放污水的，处五千元罚款。

第三条 湖泊管理机构负责巡查。

第四条 本法自2010年3月1日起施行。
"""
NEW_LAW = """湖泊保护法

2010年1月2日湖区代表大会会议通过 2020年5月28日湖区代表大会会议修订

第一条 为了保护湖泊和湿地，制定本法。

第二条 向湖泊排放污水的，处二万元罚款。

第三条 湖泊管理机构负责巡查和监测。

第四条 本法自2020年9月1日起施行。
"""
ACT = "# Harbour Dues Act 2014\n\nEnacted 5 March 2014\n\n" + "\n\n".join(
    f"Article {n}\n\nThe master of a vessel of class {n} pays harbour dues of {n * 100} euros on arrival."
    for n in range(1, 31)
)


@pytest.fixture(scope="module")
def laws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    files = {
        "湖泊保护法(2010-01-02)__md": OLD_LAW,
        "湖泊保护法(2020-05-28)__md": NEW_LAW,
        "harbour-dues-act__md": ACT,
    }
    with archive(tmp_path_factory.mktemp("laws"), FakeEmbedder(languages=("en",)), **files) as opened:
        yield opened


@pytest.mark.parametrize("number", [1, 3, 12, 21, 30])
def test_article_named_is_found_first(laws: Index, number: int) -> None:
    first = laws.search(f"What does Article {number} of the Harbour Dues Act say about harbour dues?", 3)[0]
    assert f"class {number} " in first.chunk.text


@pytest.mark.parametrize(("number", "words"), [("二", "罚款"), ("三", "巡查")])
def test_chinese_article_named_is_found_first_in_the_version_in_force(
    laws: Index, number: str, words: str
) -> None:
    first = laws.search(f"湖泊保护法第{number}条规定了什么？", 3)[0]
    assert f"第{number}条" in first.chunk.text and words in first.chunk.text
    assert first.document.path.startswith("湖泊保护法(2020")


@pytest.mark.parametrize("question", ["向湖泊排放污水的罚款是多少？", "湖泊管理机构负责什么？"])
def test_superseded_version_ranks_below_the_current_one(laws: Index, question: str) -> None:
    versions = [h.document.path[6:10] for h in laws.search(question, 8) if "湖泊" in h.document.path]
    assert versions.index("2020") < versions.index("2010")


@pytest.mark.parametrize("question", ["向湖泊排放污水的罚款是多少？", "湖泊保护法第二条规定了什么？"])
def test_earlier_version_is_found_for_a_day_when_it_was_in_force(laws: Index, question: str) -> None:
    then = laws.search(question, 8, filters=Filters(in_force="2015-06-30"))
    assert then[0].document.path.startswith("湖泊保护法(2010")
    assert not any(h.document.path.startswith("湖泊保护法(2020") for h in then)
    assert laws.search(question, 8, filters=Filters(in_force="2021-06-30"))[0].document.path[6:10] == "2020"


# The pieces

FIELDS = load_domains().each


def row(number: int, document_id: int = 1, roles: str = "", page: int | None = None) -> Candidate:
    return Candidate(number, document_id, number, 9, "table", page, page, tuple(roles.split()))


def agreed(
    rows: list[Candidate],
    constraints: Constraints = Constraints(),  # noqa: B008
    sought: tuple[Sought, ...] = (),
    lines: Lines = Lines(),  # noqa: B008
    **of: object,
) -> np.ndarray:
    """All passages begin with Article 3; `of`: `held`, a catalogue, `ended` and `fields`."""
    chunk = SimpleNamespace(heading_path=("Article 3",), text="text")
    store = SimpleNamespace(
        chunks=lambda ids: [(i, 1, chunk) for i in ids],
        catalogue=lambda: of.get("held", CATALOGUE),
        ended=lambda day: of.get("ended", frozenset()),
    )
    legs, query = SimpleNamespace(store=store, fields=of.get("fields", ())), SimpleNamespace()
    query.constraints, query.sought = constraints, sought
    return agreements(legs, rows, query, lines)  # type: ignore[arg-type]


def column(name: str, *args: object) -> list[float]:
    return list(agreed(*args)[:, AGREEMENTS.index(name)])  # type: ignore[arg-type]


def test_question_that_names_nothing_agrees_with_nothing() -> None:
    assert (agreed([row(1), row(2, 2, "balance", 3)]) == 0).all()


def test_line_items_count_for_the_passage_and_for_its_page() -> None:
    lines = Lines((frozenset({1}), frozenset({2})), (frozenset({(1, 5)}), frozenset({(1, 5), (1, 6)})))
    rows = [row(1, page=5), row(2, page=6), row(3, page=5), row(4, page=None), row(5, 2, page=5)]
    assert column("lines", rows, Constraints(), (NEED,), lines) == [0.5, 0.5, 0, 0, 0]
    assert column("page_lines", rows, Constraints(), (NEED,), lines) == [1, 0.5, 1, 0, 0]


def test_first_statement_of_a_need_counts_most() -> None:
    rows = [row(1, roles="balance"), row(2, roles="income discussion"), row(3, roles="discussion"), row(4)]
    assert column("role", rows, Constraints(), (NEED,), Lines()) == [1, 0.5, 0, 0]


def test_authority_and_force_are_those_of_the_document() -> None:
    ranked = catalogue(law(1, "Harbour Act"), info(2, authority="case"), info(3))
    rows = [row(1, 1), row(2, 2), row(3, 3)]
    table = agreed(rows, held=ranked, ended=frozenset({2}), fields=FIELDS[:1])
    assert list(table[:, AGREEMENTS.index("authority")]) == [1.0, 0.2, 0.5]
    assert list(table[:, AGREEMENTS.index("superseded")]) == [0, 1, 0]


ROLES = st.lists(st.sampled_from(["balance", "income", "cash flow", "note"]), unique=True).map(tuple)
ROWS = st.lists(
    st.builds(
        Candidate,
        st.integers(1, 20),
        st.integers(1, 4),
        st.integers(0, 9),
        st.just(10),
        st.just("table"),
        st.one_of(st.none(), st.integers(1, 4)),
        roles=ROLES,
    ),
    max_size=8,
)
SETS = st.lists(st.frozensets(st.integers(1, 20)), min_size=0, max_size=3).map(tuple)
QUESTIONS = [
    "What was the quick ratio of Vextra Foods in 2022?",
    "Mirves 2021 10-Q second quarter",
    "Harbour Dues Act article 3",
    "What is it?",
    "Zyxomma Holdings Inc FY2019",
]
CATALOGUE = catalogue(
    annual_info(1, "Vextra Foods, Inc.", 2022, "Vextra"),
    annual_info(2, "Vextra Foods, Inc.", 2021, "Vextra"),
    annual_info(3, "Mirves Corporation", 2021, "Mirves"),
    law(4, "Harbour Dues Act"),
)


@given(ROWS, st.sampled_from(QUESTIONS), SETS)
def test_every_agreement_is_in_its_range(
    rows: list[Candidate], question: str, passages: tuple[frozenset[int], ...]
) -> None:
    lines = Lines(passages, tuple(frozenset((1, i % 4) for i in found) for found in passages))
    asked = read_constraints(read_wording(question), CATALOGUE, FIELDS)
    table = agreed(rows, asked, (NEED,), lines, ended=frozenset({2}), fields=FIELDS)
    assert table.shape == (len(rows), len(AGREEMENTS))
    assert np.isfinite(table).all()
    both_ways = {"name", "year", "form", "law", "article_named"}
    for n, name in enumerate(AGREEMENTS):
        assert (table[:, n] <= 1).all()
        assert (table[:, n] >= (-1 if name in both_ways else 0)).all()


def test_documents_meant_are_the_best_agreeing_ones_that_are_allowed() -> None:
    asked = read_constraints(
        read_wording("What was the quick ratio of Vextra Foods in 2022?"), CATALOGUE, FIELDS
    )
    assert named_documents(asked)[0] == 1
    assert 3 not in named_documents(asked)
    assert named_documents(asked, frozenset({2, 3, 4})) in ((2,), ())
    assert named_documents(asked, frozenset({3, 4})) == ()
    assert named_documents(asked, frozenset()) == ()


def test_question_that_names_no_document_means_none() -> None:
    assert (
        named_documents(read_constraints(read_wording("What is the quick ratio?"), CATALOGUE, FIELDS)) == ()
    )
    assert named_documents(Constraints()) == ()


def test_no_more_than_four_documents_are_meant() -> None:
    many = catalogue(*(annual_info(n, "Vextra Foods, Inc.", 2000 + n, "Vextra") for n in range(1, 9)))
    assert (
        len(
            named_documents(
                read_constraints(read_wording("What are the risks of Vextra Foods?"), many, FIELDS)
            )
        )
        == 4
    )


def test_year_that_many_reports_bear_names_none_of_them() -> None:
    """Four of them, whichever were read first, would be looked at more closely than all others."""
    asked = "What was the quick ratio in 2022?"
    few, many = (
        catalogue(*(annual_info(n, f"Vextra {n} Foods, Inc.", 2022) for n in range(1, count + 1)))
        for count in (4, 5)
    )
    assert set(named_documents(read_constraints(read_wording(asked), few, FIELDS))) == {1, 2, 3, 4}
    assert named_documents(read_constraints(read_wording(asked), many, FIELDS)) == ()


# Line items in the store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.create(tmp_path / "lines", manifest()) as opened:
        yield opened


def test_lines_are_looked_up_in_the_documents_given_alone(store: Store) -> None:
    first, second = put(
        store,
        document("a.pdf", ["Total current liabilities 5,175", "Cash was spent."]),
        document("b.pdf", ["Total current liabilities 4,806", "Liabilities, current ones in total."]),
    )
    both = find_line_items(store, [NEED], [first, second])
    assert [len(found) for found in both.passages] == [1, 2]
    only = find_line_items(store, [NEED], [second])
    assert {store.owners([i])[i] for found in only.passages for i in found} == {second}
    assert set(store.owners(only.best).values()) == {second}
    assert find_line_items(store, [NEED], []) == Lines(
        (frozenset(), frozenset()), (frozenset(), frozenset()), ()
    )
    assert find_line_items(store, [], [first]).best == ()


def test_a_wording_that_one_report_repeats_is_still_found_in_the_next(store: Store) -> None:
    """Hundreds of passages of a filing may say "cash"."""
    wordy = document(
        "a.pdf", [f"The cash of room {n} was counted. " + "It was fine. " * 40 for n in range(260)]
    )
    plain = document("b.pdf", ["Cash 1,671"])
    first, second = put(store, wordy, plain, embedded=False)
    found = find_line_items(store, [NEED], [first, second])
    assert second in set(store.owners(sorted(found.passages[0])).values())


def test_needs_of_a_ratio_are_lines_of_the_balance_sheet() -> None:
    (need,) = sought_items("What was the quick ratio?")
    assert need.roles[0] == "balance"
    assert len(need.lines) >= 2
