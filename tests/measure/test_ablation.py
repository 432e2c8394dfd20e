"""What each stage gives, measured with an index whose stages are known."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rag.errors import InputError
from rag.measure.evaluate import STAGE_NAMES, evaluate, stages_without
from rag.types import Hit, Stages
from tests.fakes import FakeAssistant, fake_answer, fake_document, fake_evidence, fake_hit

WANTED = fake_document("lease.md")
NOISE = fake_hit("Something else.", document=fake_document("other.md"))


class StagedIndex:
    """Finds the evidence at the first rank, one lower for each of `helpful` that is switched off, one higher
    for each of `harmful`."""

    def __init__(self, helpful: tuple[str, ...] = (), harmful: tuple[str, ...] = ()) -> None:
        self.helpful, self.harmful = helpful, harmful
        self.searches: list[tuple[str, Stages]] = []

    def search(
        self,
        question: str,
        k: int = 8,
        *,
        filters: Any = None,
        stages: Stages = Stages(),  # noqa: B008
    ) -> list[Hit]:
        self.searches.append((question, stages))
        before = sum(not getattr(stages, name) for name in self.helpful)
        before += sum(getattr(stages, name) for name in self.harmful)
        return ([NOISE] * before + [fake_hit("x", document=WANTED)])[:k]

    search_each = search

    def documents(self) -> list[Any]:
        return [WANTED]


def questions(folder: Path, count: int = 4) -> Path:
    entry = [{"document": "lease.md"}]
    rows = [{"id": str(n), "question": f"{n}?", "evidence": entry} for n in range(count)]
    rows.append({"id": "absent", "question": "absent?", "answerable": False})
    path = folder / "own.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return path


def test_stage_that_helps_costs_when_it_is_off_and_one_that_harms_gains(tmp_path: Path) -> None:
    index = StagedIndex(helpful=("ranker",), harmful=("spread",))  # with all stages: rank 2
    for stage, rank in (("ranker", 3), ("spread", 1), ("lexicon", 2)):
        off = stages_without([stage])
        report = evaluate(questions(tmp_path), index, stages=off)  # type: ignore[arg-type]
        assert {r.rank for r in report.results if r.answerable} == {rank}


def test_unknown_stage_is_an_error_that_lists_the_stages() -> None:
    with pytest.raises(InputError, match=rf"'fusion'.*{', '.join(STAGE_NAMES)}"):
        stages_without(["dense", "fusion"])


def test_stages_switched_off_reach_the_search_of_retrieval_and_of_answers(tmp_path: Path) -> None:
    index = StagedIndex()

    class Assistant(FakeAssistant):
        def ask(self, question: str, **options: Any) -> Any:
            self.index.search(question, 8, filters=None)
            return fake_answer(question, evidence=[fake_evidence("x")])

    assistant = Assistant(index=index)
    off = stages_without(["dense", "spread"])
    report = evaluate(questions(tmp_path), index, assistant, what="all", stages=off)  # type: ignore[arg-type]
    assert {s for _, s in index.searches} == {off}
    assert len(index.searches) == 1 + 4 + 5, "warm-up, retrieval of the answerable, answers of all"
    assert report.settings["without"] == "dense, spread"
    assert assistant.index is index, "the assistant has its own index again"
