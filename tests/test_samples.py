"""The whole of it on the sample corpora, with the real embedder and the real language model."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.assistant import Assistant
from rag.config import default_cache_dir
from rag.index import Index, open_index
from rag.measure.metrics import Passage, first_rank
from rag.measure.yardstick import EvalQuestion, load_questions
from rag.models.llm import load_llm
from rag.types import ClaimState, Outcome

CORPORA = Path(__file__).parent.parent / "corpora"
DOMAINS = ("legal", "medical", "finance")
_FIGURE = re.compile(r"\d+(?:[.,]\d+)*")

pytestmark = pytest.mark.models


@pytest.fixture(scope="module")
def indexes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Index]]:
    folder = tmp_path_factory.mktemp("samples")
    opened = {}
    for domain in DOMAINS:
        opened[domain] = open_index(folder / domain, create=True)
        report = opened[domain].ingest(CORPORA / domain / "documents")
        assert not report.failed, report.failed
    yield opened
    for index in opened.values():
        index.close()


def questions(domain: str, *, answerable: bool) -> list[EvalQuestion]:
    return [q for q in load_questions(CORPORA / domain / "questions.jsonl") if q.answerable is answerable]


def evidence_rank(index: Index, question: EvalQuestion) -> int | None:
    passages = [
        Passage(h.document.path, h.chunk.text, h.chunk.page, h.chunk.last_page)
        for h in index.search(question.question, 8)
    ]
    return first_rank(passages, question.evidence)


def test_evidence_of_answerable_questions_is_within_the_first_five_passages(
    indexes: dict[str, Index],
) -> None:
    """All but four of the 109: two in lay words ("walk away", "the most it can be liable for"), and two whose
    passages stand sixth and seventh, behind tables that speak of the same."""
    missed = [
        question.question
        for domain, index in indexes.items()
        for question in questions(domain, answerable=True)
        if (evidence_rank(index, question) or 99) > 5
    ]
    assert len(missed) <= 4, missed


def test_three_of_four_unanswerable_questions_are_refused(indexes: dict[str, Index]) -> None:
    asked = [(index, q) for d, index in indexes.items() for q in questions(d, answerable=False)]
    refused = [Assistant(index).ask(q.question).verdict is not Outcome.ANSWERED for index, q in asked]
    assert sum(refused) >= 0.75 * len(refused)


def test_answerable_questions_are_not_simply_refused(indexes: dict[str, Index]) -> None:
    """Refusing everything would pass the test above; 24 of 36, 26 of 36 and 33 of 37 are answered."""
    for domain, index in indexes.items():
        asked = questions(domain, answerable=True)
        answered = [Assistant(index).ask(q.question).verdict is Outcome.ANSWERED for q in asked]
        assert sum(answered) >= 0.6 * len(asked), domain


@pytest.mark.parametrize("domain", DOMAINS)
def test_no_figure_is_shown_as_supported_that_its_citation_does_not_hold(
    indexes: dict[str, Index], domain: str
) -> None:
    llm = load_llm("embedded", cache_dir=default_cache_dir())
    assert llm is not None
    try:
        assistant = Assistant(indexes[domain], llm, max_tokens=60)
        asked = [q for q in load_questions(CORPORA / domain / "questions.jsonl") if "zh" not in q.tags][::4]
        for question in asked:
            answer = assistant.ask(question.question)
            sources = {c.number: f"{c.quote} {c.header}" for c in answer.citations}
            for claim in answer.claims:
                assert claim.state is ClaimState.SUPPORTED
                cited = " ".join(sources[n] for n in claim.citations)
                missing = set(_FIGURE.findall(claim.text)) - set(_FIGURE.findall(cited))
                assert not missing, (question.question, claim, cited)
            assert answer.verdict is not Outcome.ANSWERED or answer.claims
    finally:
        llm.close()
