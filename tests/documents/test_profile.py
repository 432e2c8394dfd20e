"""What a document is about, read from cover, title, file name and first lines."""

from __future__ import annotations

import time

import pytest

from rag.documents.description import with_profile
from rag.domains import load_domains
from rag.types import Document

COVER = """UNITED STATES
SECURITIES AND EXCHANGE COMMISSION
FORM {form}
For the {period} ended {end}
Commission File Number 001-99999
{name}
(Exact name of registrant as specified in its charter)
Title of each class Trading Symbol Name of exchange on which registered
Common Stock, $0.01 par value per share {ticker} New York Stock Exchange
"""


def document(title: str, path: str, text: str = "Some words.", **metadata: str) -> Document:
    return Document(path, f"/d/{path}", title, text, "pdf", "en", "0" * 64, metadata=metadata)


FIELDS = load_domains().each


def profile_of(given: Document) -> dict[str, str]:
    return with_profile(given, FIELDS)


def filing(name: str, form: str, period: str, end: str, path: str, more: str = "") -> dict[str, str]:
    text = COVER.format(name=name, form=form, period=period, end=end, ticker="VXTR") + more
    cover = {"company": name, "form": form, "period": f"{period} ended {end}"}
    found = profile_of(document(f"{name}, Form {form}, {period} ended {end}", path, text, **cover))
    del found["period"]
    return found


def test_cover_of_an_annual_report_gives_company_short_name_ticker_and_year() -> None:
    found = filing("VEXTRA FOODS, INC.", "10-K", "fiscal year", "December 31, 2021", "VEXTRA_2021_10K.pdf")
    assert found == {
        "company": "VEXTRA FOODS, INC.",
        "names": ("VEXTRA FOODS", "VEXTRA", "VXTR"),
        "form": "10-K",
        "fiscal_year": "2021",
        "fiscal_period": "FY",
        "period_end": "2021-12-31",
        "year": "2021",
    }


@pytest.mark.parametrize(
    ("path", "more", "year"),
    [
        ("report.pdf", "", ("2022", "2023")),
        ("report.pdf", "In fiscal 2022 we opened ten stores. Fiscal 2022 had 52 weeks.", "2022"),
        ("report.pdf", "In fiscal 2023 we opened ten stores.", "2023"),
        ("VEXTRA_2022_10K.pdf", "", ("2022", "2023")),
        ("VEXTRA_2023_10K.pdf", "", ("2023", "2022")),
    ],
)
def test_year_that_ends_in_january_is_called_as_pages_or_file_say_and_else_by_both(
    path: str, more: str, year: str | tuple[str, ...]
) -> None:
    found = filing("Vextra Stores Corp", "10-K", "fiscal year", "January 28, 2023", path, more)
    assert found["fiscal_year"] == year


def test_year_of_52_weeks_that_ends_on_new_years_day_is_the_year_before() -> None:
    found = filing("Vextra Corp", "10-K", "fiscal year", "January 1, 2023", "r.pdf")
    assert found["fiscal_year"] == "2022"


@pytest.mark.parametrize(
    ("end", "more", "quarter"),
    [
        ("June 30, 2023", "", "Q2"),
        ("July 29, 2023", "for the three and six months ended July 29, 2023", "Q2"),
        ("December 31, 2022", "for the three and nine months ended December 31, 2022", "Q3"),
        ("March 31, 2023", "in the second quarter of fiscal 2023", "Q2"),
    ],
)
def test_quarter_is_that_of_the_months_reported_on(end: str, more: str, quarter: str) -> None:
    found = filing("Vextra Corp", "10-Q", "quarterly period", end, "r.pdf", more)
    assert found["fiscal_period"] == quarter


def test_quarter_of_a_year_that_ends_in_the_next_calendar_year_has_both_readings() -> None:
    found = filing(
        "Vextra Corp", "10-Q", "quarterly period", "July 29, 2023", "VEXTRA_2024Q2_10Q.pdf", "six months"
    )
    assert found["fiscal_year"] == ("2024", "2023")


def test_former_name_and_defined_names_are_other_names_and_roles_are_not() -> None:
    more = (
        'VEXTRA INC. (formerly "KOLBAR STORES, INC.")\n'
        'Vextra Inc., together with its subsidiaries (the "Company", "we", "Vextra Group")\n'
        'Ostmarrow LLC (formerly Ostmarrow Holdings, Inc.) is a supplier (the "Supplier").'
    )
    names = filing("VEXTRA INC.", "10-K", "fiscal year", "May 31, 2021", "x.pdf", more)["names"]
    assert {"KOLBAR STORES, INC.", "KOLBAR STORES", "Vextra Group"} <= set(names)
    assert not {"Company", "we", "Ostmarrow Holdings", "Supplier"} & set(names)


def test_file_name_that_calls_the_company_otherwise_gives_another_name() -> None:
    found = filing("KOLBAR, INC.", "10-K", "fiscal year", "December 31, 2020", "MIRVES_2020_10K.pdf")
    assert found["names"][:2] == ("KOLBAR", "MIRVES")


@pytest.mark.parametrize(
    ("title", "path", "text", "expected"),
    [
        ("Vextra plc: Annual Report 2025", "a.pdf", "x", ("Vextra plc", "annual report", "2025", "FY")),
        (
            "vextra-fy2023-q2-earnings",
            "vextra-fy2023-q2-earnings.pdf",
            "Figures.",
            ("Vextra", "earnings", "2023", "Q2"),
        ),
        (
            "Vextra reports second-quarter 2023 results",
            "release.html",
            "EASTVALE (July 20, 2023) – Vextra Foods (NYSE: VXTR) today announced results.",
            ("Vextra Foods", "earnings", "2023", "Q2"),
        ),
        (
            "岚海示例材料股份有限公司2024年年度报告",
            "年报.pdf",
            "报告期：2024年1月1日至2024年12月31日",
            ("岚海示例材料股份有限公司", "annual report", "2024", "FY"),
        ),
    ],
)
def test_reports_without_a_cover_are_known_by_title_file_name_or_first_lines(
    title: str, path: str, text: str, expected: tuple[str, ...]
) -> None:
    found = profile_of(document(title, path, text))
    assert tuple(found[k] for k in ("company", "form", "fiscal_year", "fiscal_period")) == expected


def test_securities_code_and_short_name_of_a_chinese_report_are_other_names() -> None:
    found = profile_of(
        document("岚海示例材料股份有限公司2024年年度报告", "r.pdf", "证券代码：009999 证券简称：岚海示例")
    )
    assert found["names"] == ("岚海示例材料", "009999", "岚海示例")


@pytest.mark.parametrize(
    ("title", "path", "head", "rank"),
    [
        ("中华人民共和国示例法", "法律/示例法.md", "", "statute"),
        ("中华人民共和国示例法典修正案（二）", "x.md", "", "statute"),
        ("示例登记管理条例", "x.md", "2019年3月2日 国务院令第9号公布", "administrative regulation"),
        ("示例登记办法", "x.md", "2019年3月2日 示例部令第9号公布", "departmental rule"),
        ("临水省示例管理条例", "x.md", "临水省第十届人民代表大会常务委员会通过", "local rule"),
        ("最高人民法院关于审理示例纠纷案件适用法律若干问题的解释", "x.md", "", "judicial interpretation"),
        ("示例公司未签合同应当赔偿", "案例/甲某诉乙某示例合同纠纷案.md", "", "case"),
        ("Tenancy Deposits Act 2018", "x.md", "", "statute"),
        ("Widget Safety Regulations 2012", "x.md", "", "administrative regulation"),
        ("Kolbar v Mirves", "x.md", "", "case"),
    ],
)
def test_rank_of_a_legal_text(title: str, path: str, head: str, rank: str) -> None:
    assert profile_of(document(title, path, f"{title}\n\n{head}"))["authority"] == rank


@pytest.mark.parametrize(
    ("title", "names"),
    [
        ("中华人民共和国示例劳动法（2018年修正）", ["中华人民共和国示例劳动法", "示例劳动法"]),
        (
            "最高人民法院关于适用《中华人民共和国示例法》若干问题的解释（二）",
            [
                "关于适用《中华人民共和国示例法》若干问题的解释（二）",
                "示例法司法解释（二）",
                "示例法解释（二）",
            ],
        ),
        ("Tenancy Deposits Act 2018", ["Tenancy Deposits Act", "TDA 2018", "TDA"]),
    ],
)
def test_short_names_of_a_statute(title: str, names: list[str]) -> None:
    assert profile_of(document(title, "法律/x.md"))["law_names"] == tuple(names)


def test_part_of_a_code_bears_the_name_of_code_and_part() -> None:
    found = profile_of(document("中华人民共和国示例法典", "示例法典/租赁编.md"))
    assert found["law_names"] == ("示例法典", "示例法典租赁编")


def test_version_of_a_statute_is_dated_by_its_file_name_or_its_last_amendment() -> None:
    assert profile_of(document("中华人民共和国示例法", "示例法(2019-04-23).md"))["year"] == "2019"
    head = "1995年3月1日 通过\n2021年6月10日 修正\n第一条 2030年1月1日前完成。"
    assert profile_of(document("中华人民共和国示例法", "示例法.md", head))["year"] == "2021"


@pytest.mark.parametrize(
    ("title", "subject", "names"),
    [
        ("What is (are) Velnorade syndrome ?", "Velnorade syndrome", ""),
        ("What are the treatments for Velnorade syndrome?", "Velnorade syndrome", ""),
        ("Velnorade syndrome (VS)", "Velnorade syndrome", "VS"),
        ("Velnorade syndrome - self-care (Also called: Kolbar rash; Mirves rash)", "Velnorade syndrome",
         ("Kolbar rash", "Mirves rash", "Velnorade syndrome - self-care")),
        ("岚曲他定缓释片说明书", "岚曲他定缓释片", "岚曲他定缓释片说明书"),
        ("什么是示例综合征？", "示例综合征", "什么是示例综合征"),
    ],
)  # fmt: skip
def test_subject_is_what_the_title_is_about(title: str, subject: str, names: str | tuple[str, ...]) -> None:
    found = profile_of(document(title, "0001234.md"))
    assert (found["subject"], found.get("names", "")) == (subject, names)


@pytest.mark.parametrize("title", ["17295865", "Background", "Objectives"])
def test_number_or_common_heading_is_no_subject_and_no_year(title: str) -> None:
    assert profile_of(document(title, "DEV_1996.md")) == {}


def test_contract_names_its_parties_and_no_single_company() -> None:
    text = "Agreement between Kolbar Systems Ltd (“Provider”) and Mirves Logistics GmbH (“Client”)."
    found = profile_of(document("Master Services Agreement", "msa.pdf", text))
    assert found == {
        "document_type": "contract",
        "subject": "Master Services Agreement",
        "parties": ("Kolbar Systems Ltd", "Mirves Logistics GmbH"),
    }


def test_what_a_document_is_is_no_part_of_the_name_in_its_title() -> None:
    found = profile_of(document("Marketing Agreement, Kolbar Systems, LLC", "a.pdf", "Some words."))
    assert found["company"] == "Kolbar Systems, LLC"
    assert profile_of(document("Lorne, Peak and Fell LLP", "a.pdf", "Some words."))["company"] != "Fell LLP"


def test_what_the_parser_found_stays_but_a_free_remark_is_no_subject() -> None:
    given = document("Velnorade syndrome", "a.pdf", author="A. Author", subject="Draft for printing")
    assert profile_of(given) == {"author": "A. Author", "subject": "Velnorade syndrome"}
    report = document("Vextra Inc: Annual Report 2020", "a.pdf", fiscal_year="2019", form="10-K")
    assert profile_of(report)["fiscal_year"] == "2019"


def test_long_document_is_profiled_in_a_few_milliseconds() -> None:
    text = COVER.format(name="VEXTRA INC.", form="10-K", period="fiscal year", end="May 31, 2021", ticker="V")
    long = document(
        "VEXTRA INC., Form 10-K", "V_2021_10K.pdf", text + "Vextra (the “Company”) sells. " * 50_000
    )
    profile_of(long)
    start = time.perf_counter()
    for _ in range(20):
        profile_of(long)
    assert (time.perf_counter() - start) / 20 < 0.02  # 5 ms where nothing else runs


def test_numbers_of_clauses_and_days_before_a_sentence_are_no_part_of_a_party() -> None:
    text = (
        "Made on 4 March 2024 between Norrington Ltd and Kettle Quay plc.\n\n1. Fee. Kettle Quay plc pays 9."
        "\n\n2. The Works end on 30 June 2024. Norrington Ltd leaves."
    )
    found = with_profile(document("Dredging Agreement", "dredging.md", text), ())
    assert found["parties"] == ("Norrington Ltd", "Kettle Quay plc")
