"""The sample corpora: built from their sources, marked fictional, and asked about honestly."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from corpora.build import DOMAINS, build_documents, sources
from corpora.rendering.extract import pages_of, pages_with, squeeze
from corpora.rendering.questions import build_questions
from corpora.rendering.source import MARKS
from rag.measure.yardstick import load_questions

CORPORA = Path(__file__).parents[1] / "corpora"
HAN = re.compile(r"[\u4e00-\u9fff]")


def documents(domain: str) -> Path:
    return CORPORA / domain / "documents"


def files(domain: str) -> list[Path]:
    return sorted(path for path in documents(domain).rglob("*") if path.is_file())


def questions(domain: str) -> list[dict[str, Any]]:
    lines = (CORPORA / domain / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def is_chinese(path: Path) -> bool:
    text = "".join(pages_of(path))
    return len(HAN.findall(text)) > 0.2 * len(text)


@pytest.mark.parametrize("domain", DOMAINS)
def test_the_kept_files_are_what_the_builder_makes(domain: str, tmp_path: Path) -> None:
    built = {path.relative_to(tmp_path): path for path in build_documents(domain, tmp_path)}
    kept = {path.relative_to(documents(domain)): path for path in files(domain)}
    assert built.keys() == kept.keys()
    for name in kept:
        assert pages_of(built[name]) == pages_of(kept[name]), name


@pytest.mark.parametrize("domain", DOMAINS)
def test_the_kept_questions_are_what_the_builder_makes(domain: str) -> None:
    assert questions(domain) == build_questions(
        CORPORA / "content" / domain / "questions.toml", documents(domain)
    )


@pytest.mark.parametrize("domain", DOMAINS)
def test_every_quote_stands_on_the_page_that_is_named(domain: str) -> None:
    for question in questions(domain):
        for evidence in question["evidence"]:
            path = documents(domain) / evidence["document"]
            found = pages_with(path, evidence["quote"])
            assert evidence.get("page", 1) in found, (question["id"], evidence)
            assert ("page" in evidence) == (path.suffix == ".pdf"), question["id"]


@pytest.mark.parametrize("domain", DOMAINS)
def test_an_accepted_answer_can_be_read_in_the_evidence(domain: str) -> None:
    for question in questions(domain):
        if not question["answerable"] or {"yes-no", "comparison"} & set(question["tags"]):
            continue
        quotes = [squeeze(evidence["quote"]) for evidence in question["evidence"]]
        answers = [squeeze(answer) for answer in question["answers"]]
        assert any(answer in quote for answer in answers for quote in quotes), question["id"]


@pytest.mark.parametrize("domain", DOMAINS)
def test_a_third_of_the_questions_is_chinese_and_a_quarter_cannot_be_answered(domain: str) -> None:
    asked = questions(domain)
    unanswerable = [q for q in asked if not q["answerable"]]
    near = [q for q in unanswerable if "near-miss" in q["tags"]]
    chinese = [q for q in asked if "zh" in q["tags"]]
    assert len(asked) >= 36
    assert len(unanswerable) >= len(asked) / 4
    assert len(near) >= len(unanswerable) / 2
    assert 0.28 <= len(chinese) / len(asked) <= 0.45
    assert all(bool(HAN.search(q["question"])) == ("zh" in q["tags"]) for q in asked)


@pytest.mark.parametrize("domain", DOMAINS)
def test_answerable_questions_have_answers_and_evidence_and_the_others_neither(domain: str) -> None:
    for question in questions(domain):
        held = bool(question["answers"]), bool(question["evidence"])
        assert held == (question["answerable"],) * 2, question["id"]
        refusal_tags = {"near-miss", "off-topic"} & set(question["tags"])
        assert len(refusal_tags) == (0 if question["answerable"] else 1), question["id"]


def test_question_ids_and_wordings_are_unique_over_all_domains() -> None:
    everything = [q for domain in DOMAINS for q in questions(domain)]
    assert not [k for k, n in Counter(q["id"] for q in everything).items() if n > 1]
    assert not [k for k, n in Counter(q["question"] for q in everything).items() if n > 1]


def test_each_domain_shows_samples_of_an_answer_a_refusal_and_chinese() -> None:
    for domain in DOMAINS:
        samples = [q for q in questions(domain) if "sample" in q["tags"]]
        assert len(samples) >= 3
        assert {q["answerable"] for q in samples} == {True, False}
        assert any("zh" in q["tags"] for q in samples)


@pytest.mark.parametrize("domain", DOMAINS)
def test_each_domain_mixes_formats_languages_and_lengths(domain: str) -> None:
    paths = files(domain)
    assert len(paths) >= 6
    assert {".pdf", ".docx", ".html", ".md", ".xlsx"} <= {path.suffix for path in paths}
    assert max(len(pages_of(path)) for path in paths) >= 6
    chinese = [path for path in paths if is_chinese(path)]
    assert len(chinese) >= 2
    assert any(path.suffix == ".pdf" for path in chinese)


@pytest.mark.parametrize("domain", DOMAINS)
def test_every_page_of_every_document_is_marked_fictional(domain: str) -> None:
    marks = [squeeze(mark) for mark in MARKS.values()]
    for path in files(domain):
        for number, page in enumerate(pages_of(path), 1):
            assert any(mark in squeeze(page) for mark in marks), (path.name, number)


@pytest.mark.parametrize("domain", DOMAINS)
def test_metadata_bears_the_mark_and_the_title(domain: str) -> None:
    for source in sources(domain):
        metadata = _metadata(documents(domain) / source.output)
        if metadata is not None:
            assert source.mark in metadata, source.output
            assert source.title in metadata, source.output


def _metadata(path: Path) -> list[str] | None:
    """Title and description as the format carries them; None for formats without metadata."""
    if path.suffix == ".pdf":
        import pypdfium2

        document = pypdfium2.PdfDocument(path)
        try:
            return list(document.get_metadata_dict().values())
        finally:
            document.close()
    if path.suffix == ".docx":
        import docx

        properties = docx.Document(str(path)).core_properties
        return [properties.title, properties.comments]
    if path.suffix == ".xlsx":
        from openpyxl import load_workbook

        book = load_workbook(path)
        return [book.properties.title, book.properties.description]
    return None


def test_no_character_of_a_chinese_pdf_is_lost_in_its_font() -> None:
    chinese = [
        (d, s) for d in DOMAINS for s in sources(d) if s.language == "zh" and s.output.suffix == ".pdf"
    ]
    assert chinese
    for domain, source in chinese:
        text = "".join(pages_of(documents(domain) / source.output))
        missing = set(HAN.findall(source.title + source.subtitle + source.body)) - set(text)
        assert not missing, (source.output, missing)


def test_the_corpora_stay_small() -> None:
    kept = [path for domain in DOMAINS for path in files(domain)] + list((CORPORA / "fonts").iterdir())
    assert sum(path.stat().st_size for path in kept) < 6 * 1024 * 1024


@pytest.mark.parametrize("domain", DOMAINS)
def test_sources_list_every_document(domain: str) -> None:
    text = (CORPORA / domain / "SOURCES.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^\| `([^`]+)`", text, re.MULTILINE))
    assert listed == {path.relative_to(documents(domain)).as_posix() for path in files(domain)}


# The statements of the annual report add up.


class Statements:
    """The figures of the annual report as a reader of the PDF finds them, in tenths of a million."""

    def __init__(self) -> None:
        pages = pages_of(documents("finance") / "corvanth" / "annual-report-2025.pdf")
        # The table of contents names the sections too: only the pages after it are read.
        self.text = "\n".join(pages[2:])

    def section(self, start: str, end: str) -> dict[str, tuple[int, ...]]:
        body = self.text.split(start, 1)[1].split(end, 1)[0]
        rows: dict[str, tuple[int, ...]] = {}
        for line in body.splitlines():
            match = re.match(r"(.+?)(?: \d)?((?: (?:\(?[\d,]+\.\d\)?|–))+)\s*$", line)
            if match:
                rows[match[1]] = tuple(_tenths(figure) for figure in match[2].split())
        return rows


def _tenths(figure: str) -> int:
    if figure == "–":
        return 0
    value = round(float(figure.strip("()").replace(",", "")) * 10)
    return -value if figure.startswith("(") else value


def _between(rows: dict[str, tuple[int, ...]], first: str, last: str, year: int) -> int:
    names = list(rows)
    return sum(rows[name][year] for name in names[names.index(first) : names.index(last) + 1])


@pytest.mark.parametrize("year", [0, 1])
def test_income_statement_adds_up(year: int) -> None:
    rows = Statements().section("Consolidated income statement", "Consolidated balance sheet")
    value = {name: figures[year] for name, figures in rows.items()}
    assert value["Gross profit"] == value["Revenue"] + value["Cost of sales"]
    assert value["Operating profit"] == _between(rows, "Gross profit", "Restructuring costs", year)
    assert value["Profit before tax"] == _between(
        rows, "Operating profit", "Share of profit of associate", year
    )
    assert value["Profit for the year"] == value["Profit before tax"] + value["Income tax"]
    owners = value["Attributable to owners of the parent"]
    assert value["Profit for the year"] == owners + value["Attributable to non-controlling interests"]


@pytest.mark.parametrize("year", [0, 1])
def test_balance_sheet_balances(year: int) -> None:
    rows = Statements().section("Consolidated balance sheet", "Consolidated cash flow statement")
    value = {name: figures[year] for name, figures in rows.items()}
    for first, last, total in (
        ("Property, plant and equipment", "Deferred tax assets", "Total non-current assets"),
        ("Inventories", "Cash and cash equivalents", "Total current assets"),
        ("Borrowings, non-current", "Provisions", "Total non-current liabilities"),
        ("Borrowings, current", "Other current liabilities", "Total current liabilities"),
        ("Share capital", "Retained earnings", "Equity of owners of the parent"),
        ("Equity of owners of the parent", "Non-controlling interests", "Total equity"),
    ):
        assert value[total] == _between(rows, first, last, year), total
    assert value["Total assets"] == value["Total non-current assets"] + value["Total current assets"]
    both = value["Total non-current liabilities"] + value["Total current liabilities"]
    assert value["Total liabilities"] == both
    assert value["Total assets"] == value["Total liabilities"] + value["Total equity"]
    assert value["Total assets"] == value["Total equity and liabilities"]


@pytest.mark.parametrize("year", [0, 1])
def test_cash_flow_ties_to_the_balance_sheet(year: int) -> None:
    statements = Statements()
    rows = statements.section("Consolidated cash flow statement", "Consolidated statement of changes")
    balance = statements.section("Consolidated balance sheet", "Consolidated cash flow statement")
    value = {name: figures[year] for name, figures in rows.items()}
    operating = _between(rows, "Profit before tax", "Income tax paid", year)
    investing = _between(
        rows, "Purchase of property, plant and equipment", "Dividends received from associate", year
    )
    financing = _between(
        rows, "Proceeds from borrowings", "Dividends paid to non-controlling interests", year
    )
    assert value["Net cash from operating activities"] == operating
    assert value["Net cash used in investing activities"] == investing
    assert value["Net cash used in financing activities"] == financing
    assert value["Net change in cash"] == operating + investing + financing
    end = value["Cash at beginning of year"] + value["Net change in cash"] + value["Effect of exchange rates"]
    assert value["Cash at end of year"] == end == balance["Cash and cash equivalents"][year]


@pytest.mark.parametrize("year", [0, 1])
def test_segments_and_notes_agree_with_the_statements(year: int) -> None:
    statements = Statements()
    income = statements.section("Consolidated income statement", "Consolidated balance sheet")
    balance = statements.section("Consolidated balance sheet", "Consolidated cash flow statement")
    parts = ("Surface Coatings", "Technical Ceramics", "Recovery Services")
    revenue = statements.section("Revenue, USD million", "Operating profit, USD million")
    profit = statements.section("Operating profit, USD million", "Revenue by destination")
    places = statements.section("Revenue by destination", "Note 3")
    goodwill = statements.section("Note 6", "Note 7")
    loans = statements.section("Note 8", "Note 9")
    assert income["Revenue"][year] == sum(revenue[part][year] for part in parts)
    assert income["Revenue"][year] == sum(places[p][year] for p in ("Northern Europe", "Americas", "Asia"))
    assert income["Operating profit"][year] == sum(profit[p][year] for p in (*parts, "Corporate costs"))
    assert balance["Goodwill"][year] == sum(goodwill[part][year] for part in parts)
    borrowed = balance["Borrowings, non-current"][year] + balance["Borrowings, current"][year]
    assert loans["Total borrowings"][year] == borrowed


def test_equity_moves_by_profit_dividends_and_other_income() -> None:
    statements = Statements()
    rows = statements.section("Consolidated statement of changes", "Notes to the financial statements")
    for column in range(3):
        moved = _between(rows, "Profit for the year", "Dividends", column)
        assert rows["At 30 September 2025"][column] == rows["At 30 September 2024"][column] + moved


@pytest.mark.parametrize("folder", sorted((CORPORA / "everyday").glob("*/*")), ids=lambda path: path.name)
def test_everyday_questions_are_answered_by_words_of_their_documents(folder: Path) -> None:
    texts = {path.name: path.read_text(encoding="utf-8") for path in (folder / "documents").iterdir()}
    questions = load_questions(folder)
    assert [sum(q.answerable is told for q in questions) for told in (True, False)] in ([11, 5], [8, 8])
    for question in questions:
        assert bool(question.evidence) is bool(question.answers) is question.answerable
        for entry in question.evidence:
            assert entry.quote and entry.quote in texts[entry.document]
            assert any(answer in entry.quote for answer in question.answers)
