"""What each stage gives, measured with an index whose stages are known."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from rag.errors import InputError
from rag.measure.evaluate import STAGE_NAMES, ablate, evaluate, stages_without, variants
from rag.measure.report import ALL, PLAIN, Report, Variant
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


def measured(folder: Path, index: StagedIndex, **options: Any) -> tuple[Variant, ...]:
    return ablate(questions(folder), index, **options)  # type: ignore[arg-type]


def test_every_field_of_stages_is_switched_off_once_alone_and_plain_keeps_vectors_only() -> None:
    tried = variants()
    names = [f.name for f in dataclasses.fields(Stages)]
    assert list(tried) == [ALL, *(f"without {n}" for n in names), PLAIN]
    for name in names:
        assert tried[f"without {name}"] == dataclasses.replace(Stages(), **{name: False})
    assert dataclasses.asdict(tried[PLAIN]) == {n: n == "dense" for n in names}


def test_unknown_stage_is_an_error_that_lists_the_stages() -> None:
    with pytest.raises(InputError, match=rf"'fusion'.*{', '.join(STAGE_NAMES)}"):
        stages_without(["dense", "fusion"])


def test_stage_that_helps_costs_when_it_is_off_and_one_that_harms_gains(tmp_path: Path) -> None:
    result = measured(tmp_path, StagedIndex(helpful=("ranker",), harmful=("spread",)))
    by_name = {v.name: v for v in result}
    # All stages: rank 2. Without the ranker 3, without spread 1; the rest changes nothing.
    assert by_name[ALL].measures["MRR@10"].value == 0.5
    assert by_name["without ranker"].differences["MRR@10"].value == pytest.approx(1 / 3 - 1 / 2)
    assert by_name["without ranker"].turned == (0, 4)
    assert by_name["without spread"].differences["hit@1"].value == 1.0
    assert by_name["without spread"].turned == (4, 0)
    assert by_name["without parts"].differences["hit@1"].value == 0.0
    assert by_name["without ranker"].ranks == dict.fromkeys("0123", 3)
    assert not by_name[ALL].differences


def test_every_variant_sees_the_same_questions_and_none_always_comes_first(tmp_path: Path) -> None:
    index = StagedIndex()
    result = measured(tmp_path, index)
    asked = index.searches[len(result) :]  # the first round warms up
    every = list(variants().values())
    for number in range(4):
        searches = asked[number * len(every) : (number + 1) * len(every)]
        assert {q for q, _ in searches} == {f"{number}?"}
        assert [s for _, s in searches] == every[number:] + every[:number]
    assert len(asked) == 4 * len(every), "the unanswerable question has nothing to be found"


def test_table_says_difference_interval_and_turned_questions(tmp_path: Path) -> None:
    result = measured(tmp_path, StagedIndex(helpful=("ranker",)))
    report = Report("own", {}, {}, {}, {}, {}, 0.0, (), (), ablation=result)
    json_path, markdown_path = report.write(tmp_path / "out")
    row = next(x for x in markdown_path.read_text("utf-8").splitlines() if x.startswith("| without ranker"))
    assert "| 0.000 (-1.000; -1.000 to -1.000) | 1.000 (unchanged) |" in row
    assert row.split(" | ")[-3:-1] == ["0", "4"]
    kept = json.loads(json_path.read_text("utf-8"))["ablation"]
    assert [v["name"] for v in kept] == list(variants())
    assert kept[0]["measures"]["hit@1"] == {"value": 1.0, "low": 1.0, "high": 1.0, "n": 4}


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
