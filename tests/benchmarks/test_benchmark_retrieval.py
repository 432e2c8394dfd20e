"""The benchmark of retrieval: its documents, its copies, its clocks."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

from rag.index import Index, open_index
from rag.parsers import parse
from tests.files import ROOT

sys.path.insert(0, str(ROOT / "benchmarks"))
import growth
import latency
import retrieval
import synthetic
from enlarged import Growing, parsed
from reading_cost import ADDED, reading_cost
from rivals import rivals

from tests.fakes import FakeEmbedder

SAMPLE = ROOT / "corpora/finance/documents/pellamy/credit-memo-2025.md"


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    with open_index(tmp_path / "index", create=True, embedder=FakeEmbedder()) as opened:
        yield opened


def test_synthetic_documents_are_the_same_each_time_and_differ_from_each_other() -> None:
    for make in (synthetic.english, synthetic.chinese):
        first, again = list(islice(make(), 12)), list(islice(make(), 12))
        assert first == again
        assert len({text.path for text in first}) == len({text.markdown for text in first}) == 12


def test_reports_and_regulations_are_read_as_what_they_are() -> None:
    (report,) = parsed(islice(synthetic.english(), 1))
    assert {"Consolidated Balance Sheets", "Note 5. Debt"} <= {
        b.heading_path[-1] for b in report.blocks if b.heading_path
    }
    (law,) = parsed(islice(synthetic.chinese(), 1))
    assert "第六十条" in law.text
    assert law.language == "zh"


def test_every_kind_of_question_is_asked_and_filters_name_a_report() -> None:
    for questions in (synthetic.english_questions(3), synthetic.chinese_questions(3)):
        assert len(questions) == len({a.question for a in questions})
        assert {"plain", "several parts", "article", "filters"} <= {a.kind for a in questions}
    reports = {text.path for text in islice(synthetic.english(), 240)}
    for asked in (a for a in synthetic.english_questions(8) if a.filters):
        assert asked.filters is not None
        (company,), (year, _) = asked.filters.companies, asked.filters.years
        assert f"filings/{synthetic.slug(company)}-10-K-{year}.md" in reports


@pytest.mark.parametrize(
    "number, written", [(1, "一"), (10, "十"), (12, "十二"), (20, "二十"), (58, "五十八")]
)
def test_numbers_of_articles_are_written_as_in_statutes(number: int, written: str) -> None:
    assert synthetic.zh_number(number) == written


def test_index_grows_to_its_size_and_vectors_that_were_not_embedded_are_unit_vectors(index: Index) -> None:
    growing = Growing(index, parsed(synthetic.english()), embed=True, real=100)
    assert 100 <= growing.grow(100) < growing.grow(1200)
    assert index.stats().pending == 0
    assert index.stats().vectors == index.stats().passages == len(index.dense())
    last = index.store.space.vectors(index.store.chunk_ids(None)[-5:].tolist())
    assert (abs((last**2).sum(axis=1) - 1) < 0.01).all()
    assert index.verify().ok


def test_disguised_copy_has_other_names_years_and_amounts_at_the_same_offsets() -> None:
    document = parse(SAMPLE, path="pellamy/credit-memo-2025.md")
    copy = growth.disguised(document, 3, frozenset({"pellamy"}))
    assert copy == growth.disguised(document, 3, frozenset({"pellamy"}))
    assert len(copy.text) == len(document.text)
    assert "pellamy" not in f"{copy.text} {copy.title} {copy.path}".lower()
    assert "2025" not in copy.text
    assert [(b.start, b.end) for b in copy.blocks] == [(b.start, b.end) for b in document.blocks]
    assert growth.disguised(document, 4, frozenset({"pellamy"})).text != copy.text


def test_numbers_of_clauses_stay_and_chinese_names_change_everywhere() -> None:
    assert (
        growth._changed("3.1 Within 14 days pay 60,915.", 1, frozenset()) == "3.1 Within 14 days pay 71,226."
    )
    changed = growth._changed("岚海示例公司。岚海示例，简称岚海。", 2, frozenset())
    assert "岚海" not in changed
    assert changed.count(changed[:2]) == 3


def test_names_are_words_with_a_capital_that_the_vocabulary_does_not_know() -> None:
    document = parse(SAMPLE, path="memo.md")
    names = growth.names_in([document], lambda words: [1 if w == "credit" else 2 for w in words])
    assert "pellamy" in names
    assert "credit" not in names


def test_rivals_find_the_passage_that_holds_the_words(index: Index) -> None:
    Growing(index, iter(()), embed=True, real=1 << 60).add([parse(SAMPLE, path="memo.md")])
    for name, search in rivals(index, dense=True).items():
        best = index.passage(search("What covenant does Pellamy have to keep?", 3)[0])
        assert "ovenant" in best.chunk.indexed_text, name


def test_stages_are_timed_and_hold_still_afterwards(index: Index) -> None:
    Growing(index, parsed(islice(synthetic.english(), 4)), embed=True, real=1 << 60).grow(1000)
    questions = synthetic.english_questions(1)
    ours = retrieval.systems(index, dense=True)[retrieval.OURS]
    before = latency.retrieve.make_pool
    spent = latency.by_stage(ours, questions)
    assert latency.retrieve.make_pool is before
    assert all(spent[stage] > 0 for stage in ("read question", "embed", "lexical leg", "features", "whole"))


def test_best_run_counts_and_systems_take_turns() -> None:
    waits = iter([0.0, 0.0, 0.03, 0.0, 0.0])  # one warm-up, two questions twice
    asked = [synthetic.Asked("plain", "a"), synthetic.Asked("plain", "b")]
    order: list[str] = []

    def slow_once(question: synthetic.Asked) -> None:
        order.append("one")
        time.sleep(next(waits, 0.0))

    times, kinds = latency.measure(
        {"one": slow_once, "other": lambda a: order.append("other")}, asked, runs=2
    )
    assert times["one"].p95 < 20 < max(times["one"].p95_runs)
    assert kinds["one"]["plain"] == times["one"].p95
    assert order.count("one") == order.count("other")
    assert order[-1] != order[-3]


def test_cost_of_reading_adds_up_and_tables_name_it(index: Index) -> None:
    cost = reading_cost([SAMPLE], index.embedder)
    assert cost["documents"] == 1
    assert cost["ms"]["parse"] > 0
    added = sum(cost["ms"][name] for name in ADDED)
    assert cost["added without embedding"] == pytest.approx(
        added / (sum(cost["ms"].values()) - added - cost["ms"]["embedding"])
    )
    about = {"processor": "test", "cores": 2, "memory_gb": 4}
    page = retrieval.markdown({"date": "2026-01-01", "machine": about, "reading": {"sample": cost}})
    assert "sample: 1 documents" in page


def test_plot_names_its_axes(tmp_path: Path) -> None:
    step = {"passages": 10, "hits": {"a": 1.0}, "hits_naming": {"a": 0.5}, "p95": {"a": 3.0}}
    growth.plot([step, step | {"passages": 40}], tmp_path / "growth.svg")
    drawn = (tmp_path / "growth.svg").read_text()
    assert drawn.count("passages in the index") == 3
    assert "hit@5, a document is named" in drawn
