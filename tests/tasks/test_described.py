"""Documents are listed by what they are: kind, parties, day and matter as read at their ingest, each cited by
the words that say so."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rag.assistant import Assistant
from rag.index import Index
from rag.types import Answer, Outcome
from tests.archive import archive

FILES = {
    "supply.md": "# Supply Agreement\n\nThis Agreement is made on 12 March 2024 between Norrington Foods Ltd "
    '(the "Buyer") and Halder & Voss GmbH (the "Supplier").\n\n## 1. Term\n\nIt runs for three years.\n',
    "services.md": "# Consultancy Agreement\n\nTHIS AGREEMENT is dated 3 June 2023\n\nPARTIES\n\n"
    '(1) NORRINGTON FOODS LIMITED incorporated in England (the "Client"); and\n\n'
    '(2) Jane Marlow of 4 Hill Street, Eastvale (the "Consultant").\n\n'
    "## 1. Services\n\nAdvice on cold storage.\n",
    "lease.md": "# Lease of Unit 4, Quay House\n\nDated 1 February 2023\n\nbetween Fenwick Estates LLP (the "
    "Landlord) and Halder & Voss GmbH (the Tenant)\n\n1. Rent. The rent is 40,000 euros a year.\n",
    "rent.md": "Fenwick Estates LLP\n9 Dock Road, Eastvale\n\n14 September 2023\n\n"
    "Halder & Voss GmbH\nQuay House\n\nDear Sirs,\n\n"
    "Re: Lease of Unit 4, Quay House\n\nThe new rent is 42,000 euros.\n",
    "reply.md": "# Reply\n\nHalder & Voss GmbH\n\n20 September 2023\n\nFenwick Estates LLP\n\nDear Sirs,\n\n"
    "We accept the new rent.\n\nYours faithfully,\n\nI. Voss\nHalder & Voss GmbH\n",
    "received.csv": "Invoice,From,Date,Net\nK-1,Orrin Glass Ltd,2024-02-03,80\nK-2,Norrington Foods Ltd,"
    "2024-02-09,12\nK-3,Orrin Glass Ltd,2024-04-01,95\n",
    "mail.eml": "From: Petra Lund <p@orrin.example>\nTo: office@voss.example\nSubject: Panes\n"
    "Date: Mon, 05 Feb 2024 09:00:00 +0000\n\nThe panes come on Friday.\n",
    "invoice.md": "# Invoice No. 7741\n\nFrom: Halder & Voss GmbH\nTo: Norrington Foods Ltd\n"
    "Invoice date: 30 April 2024\nDue date: 30 May 2024\n",
    "cargo.md": "# Marine Cargo Insurance Policy\n\nInsurer: Kestrel Mutual Insurance Company\n"
    "Insured: Norrington Foods Ltd\nPeriod of insurance: 1 July 2024 to 30 June 2025\n",
    "采购.txt": "设备采购合同\n\n甲方：岚海示例科技有限公司\n乙方：望川示例机械有限公司\n\n"
    "签订日期：2024年5月8日\n\n第一条 标的\n甲方向乙方采购包装机两台。\n",
    "租赁.txt": "房屋租赁合同\n\n出租方（甲方）：岚海示例科技有限公司\n承租方（乙方）：李明\n\n"
    "第一条 租期\n租赁期限自2023年3月1日起。\n\n2023年2月20日\n",
    "函.txt": "关于设备采购合同付款事宜的函\n\n望川示例机械有限公司：\n\n我司与贵司于2024年5月8日"
    "签订设备采购合同，第二期款项将延后支付。\n\n岚海示例科技有限公司\n2024年11月2日\n",
}


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    with archive(tmp_path_factory.mktemp("described"), **FILES) as opened:
        yield opened


def ask(index: Index, question: str) -> Answer:
    return Assistant(index, threshold=0.0).ask(question)


@pytest.mark.parametrize(
    ("question", "documents"),
    [
        ("contracts with Norrington signed in 2024", ["supply.md"]),
        ("Which agreements did we sign with Norrington?", ["cargo.md", "services.md", "supply.md"]),
        ("List all documents from 2023 about the lease", ["lease.md", "rent.md"]),
        ("Which invoices were issued to Norrington?", ["invoice.md"]),
        ("Letters from Fenwick", ["rent.md"]),
        ("Which letters did we get from Fenwick?", ["rent.md"]),
        ("letters to Fenwick", ["reply.md"]),
        ("Who sent us letters in September 2023?", ["rent.md", "reply.md"]),
        ("Which mails did we get from Petra Lund?", ["mail.eml"]),
        ("Which contracts did Jane Marlow sign?", ["services.md"]),
        ("contracts signed between March 2024 and April 2024", ["supply.md"]),
        ("哪些合同由岚海签署", ["租赁.txt", "采购.txt"]),
        ("2024年签订的合同有哪些", ["supply.md", "采购.txt"]),
        ("我们和望川签了哪些合同？", ["采购.txt"]),
        ("哪些合同是与李明签的？", ["租赁.txt"]),
        ("列出2023年签订的租赁合同", ["租赁.txt"]),
        ("岚海发来了哪些函？", ["函.txt"]),
        ("岚海给望川发过哪些函？", ["函.txt"]),
        ("列出岚海的所有合同", ["租赁.txt", "采购.txt"]),
    ],
)
def test_documents_are_listed_whole_by_what_they_are(
    index: Index, question: str, documents: list[str]
) -> None:
    answer = ask(index, question)
    assert answer.verdict is Outcome.ANSWERED
    assert sorted({c.document for c in answer.citations}) == documents
    looked_at, count = str(len(index.documents())), str(len(documents))
    assert looked_at in answer.line and count in answer.line
    for citation in answer.citations:
        assert index.text(citation.document_id)[citation.start : citation.end] == citation.quote


def test_each_is_cited_by_the_words_that_name_the_party_and_the_day(index: Index) -> None:
    (quote,) = [c.quote for c in ask(index, "contracts with Norrington signed in 2024").citations]
    assert "12 March 2024" in quote and "Norrington Foods Ltd" in quote
    assert "Jane Marlow" in ask(index, "Which contracts did Jane Marlow sign?").citations[-1].quote


def test_document_that_says_no_day_is_named_beside_those_of_the_year(index: Index) -> None:
    assert "cargo.md" in ask(index, "contracts with Norrington signed in 2024").text


def test_no_document_of_the_description_is_said_and_nothing_is_quoted(index: Index) -> None:
    answer = ask(index, "Which contracts with Norrington were signed in 2019?")
    assert answer.verdict is Outcome.ABSENT and not answer.quotes
    assert f"Of {len(index.documents())} documents looked at none" in answer.text


def test_what_describes_no_document_is_looked_for_in_passages(index: Index) -> None:
    answer = ask(index, "List all contracts about cold storage")
    assert answer.text.startswith("1 of ") and "cold" in answer.citations[0].quote


def test_letter_about_a_contract_has_the_day_of_the_letter(index: Index) -> None:
    described = {d.path: dict(d.metadata) for d in index.documents()}
    assert described["函.txt"]["document_type"] == "letter" and described["函.txt"]["dated"] == "2024-11-02"
    assert described["invoice.md"]["dated"] == "2024-04-30"
    assert described["租赁.txt"]["parties"] == ("岚海示例科技有限公司", "李明")


def test_rows_of_a_register_are_counted_as_rows(index: Index) -> None:
    answer = ask(index, "How many invoices of Orrin Glass do we have?")
    assert len(answer.quotes) == 2


def test_who_sent_it_stands_behind_each_letter(index: Index) -> None:
    line = ask(index, "Who sent us letters in September 2023?").line
    assert "from Fenwick Estates LLP" in line and "from Halder & Voss GmbH" in line


@pytest.mark.parametrize(
    ("question", "documents"),
    [
        ("Who wrote to us in September 2023?", ["rent.md", "reply.md"]),
        ("Who wrote to us in September?", ["rent.md", "reply.md"]),
        ("Who sent us an invoice?", ["invoice.md"]),
        ("Who has sent us any letters?", ["rent.md", "reply.md", "函.txt"]),
        ("Who emailed us in February 2024?", ["mail.eml"]),
        ("2024年11月谁给我们写信了？", ["函.txt"]),
        ("谁给我们开过发票？", ["invoice.md"]),
    ],
)
def test_who_wrote_is_asked_without_a_kind_or_a_party(
    index: Index, question: str, documents: list[str]
) -> None:
    answer = ask(index, question)
    assert sorted({c.document for c in answer.citations} - {"received.csv"}) == documents
    assert "Which of these we sent ourselves" in answer.text or "自己发出" in answer.text


@pytest.mark.parametrize("question", ["Who wrote to us in May?", "5月谁给我们写过信？"])
def test_what_we_sent_ourselves_is_left_out_where_one_name_stands_at_an_end_of_most(
    tmp_path_factory: pytest.TempPathFactory, question: str
) -> None:
    letter = "{}\n\n{} May 2024\n\n{}\n\nDear Sirs,\n\nWe agree.\n\nYours faithfully,\n{}\n"
    ends = [
        ("Fenwick Estates LLP", "Halder Ltd"),
        ("Halder Ltd", "Orrin Glass Ltd"),
        ("Orrin Glass Ltd", "Halder Ltd"),
    ]
    files = {f"{n}.md": letter.format(a, n, b, a) for n, (a, b) in enumerate(ends, 6)}
    with archive(tmp_path_factory.mktemp("ours"), **files) as index:
        answer = ask(index, question)
        assert sorted({c.document for c in answer.citations}) == ["6.md", "8.md"]
        assert "Halder Ltd" in answer.text


def test_contracts_that_name_somebody_are_told_from_what_may_be_none(index: Index) -> None:
    answer = ask(index, "Which contracts name Halder & Voss?")
    assert {c.document for c in answer.citations} == {"supply.md", "lease.md"}


def test_a_file_that_is_another_byte_for_byte_is_one_document_and_named_as_its_copy(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    text = FILES["supply.md"]
    with archive(
        tmp_path_factory.mktemp("copies"), **{"a.md": text, "b.md": text, "租.txt": FILES["租赁.txt"]}
    ) as index:
        assert "1 document of" in (
            line := ask(index, "Which contracts with Norrington were signed in 2024?").line
        )
        assert "the same text: b.md" in line
        assert "（文字相同：b.md）" in ask(index, "2024年签订的合同有哪些？").line
        assert ask(index, "What documents do you have?").text.count("b.md") == 1
        assert "文字相同：b.md" in ask(index, "有哪些文件？").text
