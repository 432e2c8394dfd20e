"""Questions that count, list, compare and summarise are answered from every passage that matters, or say that
they are not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.assistant import Assistant
from rag.index import Index
from rag.tasks import survey
from rag.types import Answer, ClaimState, EvidenceFound, Filters, Finished, Outcome
from tests.archive import archive
from tests.fakes import FakeLLM, manner
from tests.files import ROOT

MORE = {
    "contracts/lease-mill.md": "# Lease of Mill Street 9\n\n## Notice\n\n"
    "The tenant gives 30 days of written notice.\n\nNotice goes to the landlord.\n\n"
    "## Deposit\n\nThe deposit is 800 euros.\n",
    "contracts/lease-quay.md": "# Lease of Quay Road 2\n\n## Rent\n\nThe rent is 900 euros.\n\n"
    "## Repairs\n\nThe landlord repairs the roof.\n",
    "finance/register.csv": "Employee,Office,Grade\nIda Marsh,Harbour,B2\nOle Stern,Mill,B3\n"
    "Tuva Lind,Harbour,A1\nTotal,,3\n",
    "contracts/ponds.md": "# Pond Keeping Act\n\n"
    + "\n\n".join(
        f"## Article {n}\n\nThe keeper of a pond shall clean basin number {n} every month."
        for n in range(1, 6)
    ),
}


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    with archive(tmp_path_factory.mktemp("archive"), **MORE) as opened:
        yield opened


def ask(index: Index, question: str, **more: object) -> Answer:
    return Assistant(index, threshold=0.0).ask(question, **more)  # type: ignore[arg-type]


def documents(answer: Answer) -> list[str]:
    return list(dict.fromkeys(c.document for c in answer.citations))


def test_documents_that_mention_something_are_counted_and_each_is_cited(index: Index) -> None:
    answer = ask(index, "How many documents mention written notice?")
    assert answer.text.startswith("2 of ")
    assert documents(answer) == ["contracts/lease-harbour.md", "contracts/lease-mill.md"]
    assert answer.reading is not None and answer.reading.complete
    assert (answer.reading.intent, answer.reading.documents) == ("count", 2)
    assert manner(answer) == "quoted"
    head, *quotes = answer.claims
    assert head.text in answer.text and "counted by code" in head.reasons[0]
    assert all(q.quoted and q.state is ClaimState.SUPPORTED for q in quotes)


def test_quotes_are_verbatim_and_marked_in_the_text(index: Index) -> None:
    for question in (
        "List all clauses on notice",
        "Summarise the Harbour Lane lease",
        "哪些合同提到违约金？",
    ):
        answer = ask(index, question)
        assert answer.citations
        for citation in answer.citations:
            assert index.text(citation.document_id)[citation.start : citation.end] == citation.quote
        for claim in answer.claims[1:]:
            assert f"[{claim.citations[0]}]" in answer.text and claim.text in answer.text


def test_nothing_that_matches_is_a_refusal_with_its_certificate(index: Index) -> None:
    for question in ("How many contracts mention helicopters?", "Which documents mention helicopters?"):
        answer = ask(index, question)
        assert answer.verdict is not Outcome.ANSWERED and "0 passages match “helicopters”" in answer.text
        assert answer.reason == "in no document searched: helicopters"
        assert answer.certificate.documents == index.stats().documents
        assert answer.certificate.confidence < answer.certificate.least


def test_refusal_of_a_chinese_count_is_chinese(index: Index) -> None:
    answer = ask(index, "有几份文件提到直升机？")
    assert answer.verdict is not Outcome.ANSWERED and "段落数为 0" in answer.text
    assert answer.reason == "所检索的文件中没有出现：直升机"


def test_words_far_apart_are_not_counted_but_told(index: Index) -> None:
    answer = ask(index, "How many documents mention the tenant and the deposit?")
    assert documents(answer) == ["contracts/lease-harbour.md"]
    apart = ask(index, "How many documents mention notice and the landlord?")
    assert "2 of" in apart.text


def test_filters_hold_for_counts(index: Index) -> None:
    answer = ask(
        index, "How many documents mention notice?", filters=Filters(documents=("contracts/*mill*",))
    )
    assert documents(answer) == ["contracts/lease-mill.md"] and "1 of 1 document" in answer.text


def test_all_documents_are_counted_and_named(index: Index) -> None:
    answer = ask(index, "How many documents are there?")
    assert f"{index.stats().documents} documents" in answer.text
    assert len(documents(answer)) == index.stats().documents


def test_rows_of_a_table_are_counted_without_heads_and_totals(index: Index) -> None:
    answer = ask(index, "How many employees are listed in the register?")
    assert answer.line == "Employee: 3 of 3 (Ida Marsh, Ole Stern, Tuva Lind)."
    assert [c.quote.split(" | ")[0] for c in answer.quotes] == ["Ida Marsh", "Ole Stern", "Tuva Lind"]


def test_long_lists_are_cut_in_the_text_and_whole_in_the_citations(index: Index) -> None:
    answer = ask(index, "How many documents mention the committee?")
    assert answer.reading is not None and answer.reading.documents == 8
    many_articles = ask(index, "Which articles mention a pond?")
    assert len(many_articles.citations) == 5


def test_more_quotes_than_fit_are_counted(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag.tasks.counting.MOST_QUOTES", 3)
    answer = ask(index, "How many documents mention the committee?")
    assert len(answer.claims) == 4 and len(answer.citations) == 8
    assert "And 5 more in 5 other documents." in answer.text


def test_a_count_that_did_not_read_everything_says_at_least(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(survey.survey, "__kwdefaults__", {"most": 3})
    answer = ask(index, "How many documents mention the committee?")
    assert answer.reading is not None and not answer.reading.complete
    assert answer.text.startswith("At least 3 of") and "only 3 were read" in answer.text


def test_comparison_sets_each_document_beside_the_other(index: Index) -> None:
    answer = ask(index, "Compare the deposit in the Harbour Lane lease and the Mill Street lease")
    assert [p.answered for p in answer.parts] == [True, True]
    harbour, mill = ({answer.citations[n - 1].document for n in p.citations} for p in answer.parts)
    assert (harbour, mill) == ({"contracts/lease-harbour.md"}, {"contracts/lease-mill.md"})
    assert "2,900" in answer.text and "800" in answer.text


def test_side_without_support_is_said_to_have_none(index: Index) -> None:
    answer = ask(index, "Compare the deposit in the Harbour Lane lease and the Zanzibar lease")
    here, there = answer.parts
    assert here.answered and not there.answered
    assert "Zanzibar" in there.reason and "no sentence found that states it" in answer.text
    assert answer.verdict is Outcome.ANSWERED


def test_summary_quotes_every_section_in_order(index: Index) -> None:
    answer = ask(index, "Summarise the Harbour Lane lease")
    assert documents(answer) == ["contracts/lease-harbour.md"]
    headings = list(dict.fromkeys(c.heading_path[-1] for c in answer.citations if c.heading_path))
    assert headings == ["Rent", "Notice", "Deposit"]
    starts = [c.start for c in answer.citations]
    assert starts == sorted(starts)
    assert answer.reading is not None and answer.reading.complete and "chosen by code" in answer.text


def test_summary_of_a_section_stays_in_it(index: Index) -> None:
    answer = ask(index, "Summarise the notice section of the Harbour Lane lease")
    assert {c.heading_path[-1] for c in answer.citations} == {"Notice"}


def test_what_cannot_be_served_so_is_answered_and_says_that_not_all_was_read(index: Index) -> None:
    answer = Assistant(index, threshold=0.0, top_k=3).ask(
        "List all duties to wash hands before noon in the rent room"
    )
    assert answer.reading is not None and not answer.reading.complete
    assert "not every passage was read" in " ".join(answer.cautions)


def test_list_that_is_answered_like_others_is_searched_without_its_imperative(index: Index) -> None:
    answer = ask(index, "List all duties to wash hands before every procedure")
    assert "list" not in answer.reason.lower()
    assert any("30 seconds" in e.text for e in answer.evidence)


def test_listed_things_of_something_unknown_are_a_refusal(index: Index) -> None:
    answer = ask(index, "List all duties of the zeppelin pilot")
    assert answer.verdict is not Outcome.ANSWERED and "zeppelin" in answer.reason


def test_questions_for_a_figure_are_answered_as_before(index: Index) -> None:
    answer = ask(index, "How many days of notice must the tenant give?")
    assert answer.reading is None and answer.parts == ()


def test_no_model_is_called_and_the_evidence_is_shown_first(index: Index) -> None:
    llm = FakeLLM("anything")
    events = list(Assistant(index, llm).stream("How many documents mention notice?"))
    assert llm.prompts == []
    (shown,) = [e for e in events if isinstance(e, EvidenceFound)]
    *_, last = events
    assert isinstance(last, Finished)
    assert {e.number for e in shown.evidence} == {n for c in last.answer.claims for n in c.citations}


def test_unsure_wording_that_names_no_document_stays_an_ordinary_question(index: Index) -> None:
    question = "试用期的主要内容是什么？"
    answer = ask(index, question)
    assert answer.reading is None


@pytest.mark.models
def test_samples_are_counted_compared_and_summarised(tmp_path: Path) -> None:
    from unittest import mock

    from rag.config import load_config
    from rag.index import open_index
    from tests.indexing import run_here

    config = load_config(index=tmp_path / "index")
    with (
        mock.patch("rag.store.ingest.run_in_workers", run_here),
        open_index(config.index, cache_dir=config.cache_dir, create=True) as made,
    ):
        made.ingest(ROOT / "corpora/legal/documents")
        counted = ask(made, "How many documents mention written notice?")
        assert counted.text.startswith("4 of 13 documents match")
        compared = ask(made, "比较设备采购合同和保密协议的违约责任")
        assert all(p.answered for p in compared.parts) and "18万元" in compared.text
        whole = ask(made, "总结保密协议")
        assert len({c.heading_path for c in whole.citations}) == 8
