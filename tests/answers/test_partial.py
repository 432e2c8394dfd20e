"""A question of several parts is answered part by part; what has no support is named."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from rag.answers.parts import Look, look, nearest, numbering, together
from rag.answers.request import AnswerRequest, Setup
from rag.assistant import Assistant
from rag.index import Index
from rag.models.llm import Prompt
from rag.search.verdict import Veto
from rag.types import EvidenceFound, Finished, Outcome, StageStarted
from tests.archive import archive
from tests.fakes import FakeLLM, manner

BOTH = "How many days of notice must the tenant give, and what interest does the borrower pay?"
HALF = "How many days of notice must the tenant give, and which goalkeeper saved the decisive shot?"
NONE = "Which goalkeeper saved the decisive shot, and who conducted the orchestra in Vienna?"


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    with archive(tmp_path_factory.mktemp("archive")) as opened:
        yield opened


def test_every_part_is_answered_from_its_own_evidence(index: Index) -> None:
    answer = Assistant(index).ask(BOTH)
    notice, interest = answer.parts
    assert notice.answered and interest.answered
    quotes = {c.number: c.quote for c in answer.citations}
    assert "60 days" in quotes[notice.citations[0]]
    assert "4.5 percent" in quotes[interest.citations[0]]
    assert manner(answer) == "quoted"
    for part in answer.parts:
        assert part.question in answer.text


def test_part_without_support_is_refused_and_the_rest_answered(index: Index) -> None:
    answer = Assistant(index).ask(HALF)
    here, there = answer.parts
    assert answer.verdict is Outcome.ANSWERED and here.answered and not there.answered
    assert there.citations == () and "goalkeeper" in there.reason
    assert "60 days" in answer.text
    assert any(c.startswith(f"Not found in the documents: {there.question}") for c in answer.cautions)


def test_no_part_with_support_is_a_refusal_that_names_them_all(index: Index) -> None:
    answer = Assistant(index).ask(NONE)
    assert answer.verdict is not Outcome.ANSWERED and answer.claims == ()
    assert [p.answered for p in answer.parts] == [False, False]
    assert all(p.question in answer.reason for p in answer.parts)
    assert answer.certificate.confidence < answer.certificate.least


def test_chinese_parts_are_refused_in_chinese(index: Index) -> None:
    answer = Assistant(index).ask("试用期有几个月？谁赢得了世界杯？")
    assert [p.answered for p in answer.parts] == [True, False]
    assert any("文件中没有找到：谁赢得了世界杯" in c for c in answer.cautions) and "三个月" in answer.text


def test_marks_of_all_parts_are_numbered_through(index: Index) -> None:
    answer = Assistant(index).ask(BOTH)
    assert [c.number for c in answer.citations] == list(range(1, len(answer.citations) + 1))
    for claim in answer.claims:
        (number,) = claim.citations
        assert answer.citations[number - 1].quote == claim.text
        assert f"[{number}]" in answer.text


def test_each_part_is_read_by_itself_and_the_odds_decide_on_each(index: Index) -> None:
    def likely(prompt: Prompt) -> float:
        return 9.0 if "interest does" in prompt.user else -9.0

    llm = FakeLLM("4.5 percent [1]", likely=likely)
    answer = Assistant(index, llm).ask(BOTH)
    assert [p.answered for p in answer.parts] == [False, True]
    assert answer.line == "4.5 percent a year." and "60 days" not in answer.text
    assert ["interest does" in p.user for p in llm.prompts] == [False, True, True]


def test_stages_and_evidence_come_as_for_one_question(index: Index) -> None:
    events = list(Assistant(index, FakeLLM("x")).stream(BOTH))
    stages = [e.stage for e in events if isinstance(e, StageStarted)]
    assert stages[:2] == ["searching", "evidence"] and stages[2:] == ["reading", "verifying"] * 2
    (shown,) = [e for e in events if isinstance(e, EvidenceFound)]
    assert isinstance(events[-1], Finished) and shown.evidence == events[-1].answer.evidence


def looked(
    index: Index, question: str, parts: tuple[str, ...], threshold: float | None = None
) -> tuple[Look, ...]:
    query = replace(index.understand(question), questions=tuple(map(index.understand, parts)))
    return look(Setup(index, top_k=4, threshold=threshold), AnswerRequest(query, "en"))


def test_sentence_that_serves_two_parts_has_one_number(index: Index) -> None:
    looks = looked(index, BOTH, ("notice of the tenant", "days of notice"), threshold=0.0)
    evidence = together(looks).evidence
    places = [(e.document.id, e.start, e.end) for e in evidence]
    assert len(set(places)) == len(places) == len(numbering(looks))
    assert [e.number for e in evidence] == list(range(1, len(evidence) + 1))


def test_only_parts_with_support_show_their_evidence(index: Index) -> None:
    looks = looked(index, HALF, ("days of notice", "goalkeeper saved"), threshold=0.0)
    first, second = looks
    lacking = replace(
        second, found=replace(second.found, verdict=replace(second.found.verdict, vetoes=(Veto.NOTHING,)))
    )
    assert len(together((first, lacking)).evidence) == len(first.found.evidence)


def test_nearest_passages_are_taken_from_the_parts_in_turn(index: Index) -> None:
    looks = looked(index, BOTH, ("days of notice", "interest of the borrower"))
    hits = nearest(looks, 2)
    assert {h.chunk_id for h in hits} == {one.hits[0].chunk_id for one in looks}
    assert [h.score for h in hits] == sorted((h.score for h in hits), reverse=True)
