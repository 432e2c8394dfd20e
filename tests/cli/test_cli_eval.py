"""`citewise eval`: what may be measured, what is refused, and what is written."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from rag.cli import app
from rag.measure.yardstick import half_of, load_questions
from rag.types import Hit, Stages
from tests.fakes import fake_document, fake_hit

STAGES = Stages()


class OpenIndex:
    """An index that finds the evidence of every question, unless the ranker is off; counts how often it is
    opened and closed."""

    opened, closed = 0, 0

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        type(self).opened += 1

    def search(self, question: str, k: int = 8, *, filters: Any = None, stages: Stages = STAGES) -> list[Hit]:
        found = fake_hit("x", document=fake_document("lease.md"))
        noise = fake_hit("y", document=fake_document("other.md"))
        return [found] if stages.ranker else [noise, found]

    def search_each(self, question: str, asked: list[str], **more: Any) -> list[list[Hit]]:
        return [self.search(one, **more) for one in asked]

    def documents(self) -> list[Any]:
        return [fake_document("lease.md")]

    def close(self) -> None:
        type(self).closed += 1


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [n for n in os.environ if n.startswith("CITEWISE_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    OpenIndex.opened = OpenIndex.closed = 0

    def opened(settings: Any, *, create: bool = False, rebuild: bool = False) -> OpenIndex:
        assert not create, "a file of questions brings no documents to ingest"
        return OpenIndex(settings.index)

    monkeypatch.setattr("rag.cli.shared.open_configured_index", opened)
    entry = [{"document": "lease.md"}]
    rows = [{"id": str(n), "question": f"{n}?", "evidence": entry, "tags": ["ab"[n % 2]]} for n in range(6)]
    Path("own.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")


def run(*arguments: object) -> Any:
    return CliRunner().invoke(app, ["eval", *map(str, arguments)])


def written(name: str = "own") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path(f"reports/{name}/report.json").read_text("utf-8"))
    return found


def test_file_of_questions_is_measured_on_the_index_given_and_nothing_is_ingested() -> None:
    result = run("own.jsonl", "--index", "indexes/mine")
    assert result.exit_code == 0, result.stderr
    assert "| hit@1 | 1.000 |" in result.stdout
    assert written()["settings"]["index"] == "indexes/mine"
    assert "| hit@1 | 1.000 |" in Path("reports/own/report.md").read_text("utf-8")


def test_without_an_index_a_file_of_questions_is_asked_of_the_default_one() -> None:
    assert run("own.jsonl").exit_code == 0
    assert written()["settings"]["index"] == "indexes/default"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "nowhere is not a set"),
        (["own.jsonl", "--tag", "c"], "There are: a, b"),
        (["own.jsonl", "--without", "fusion"], "Stages: dense, lexicon"),
        (["own.jsonl", "--what", "everything"], "retrieval, answers, all"),
        (["bad.jsonl"], "bad.jsonl, line 2: "),
        (["placeless.jsonl"], "says where its evidence stands"),
        (["own.jsonl", "--what", "verify"], "measures sentences with `evidence` and `label`, and '0'"),
        (["labelled.jsonl"], "measures questions, and 'line-1'"),
        (["unlabelled.jsonl", "--what", "verify"], "`label` of a sentence is missing"),
    ],
)
def test_argument_that_cannot_be_used_ends_with_two_and_says_why(arguments: list[str], message: str) -> None:
    Path("bad.jsonl").write_text('{"question": "Why?"}\n{"question": []}\n')
    Path("placeless.jsonl").write_text('{"question": "Why?"}\n')
    sentence = {"sentence": "It rains.", "evidence": "It rains."}
    Path("unlabelled.jsonl").write_text(json.dumps(sentence))
    Path("labelled.jsonl").write_text(json.dumps({**sentence, "label": "supported"}))
    result = run(*arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert not Path("reports").exists()


def test_half_must_be_one_of_two() -> None:
    assert run("own.jsonl", "--half", "third").exit_code == 2


def test_tag_and_half_choose_the_questions() -> None:
    half = half_of(load_questions(Path("own.jsonl"))[0])
    assert run("own.jsonl", "--tag", "a", "--half", half).exit_code == 0
    assert [r["id"] for r in written()["results"]] == ["0", "2", "4"]
    other = "test" if half == "dev" else "dev"
    assert "none is left" in run("own.jsonl", "--half", other).stderr


def test_stage_switched_off_is_named_in_the_report() -> None:
    assert run("own.jsonl", "--without", "ranker", "--without", "spread").exit_code == 0
    assert written()["settings"]["without"] == "ranker, spread"
    assert written()["measures"]["hit@1"]["value"] == 0.0


def test_several_sets_are_one_table_with_a_row_for_each(tmp_path: Path) -> None:
    Path("other.jsonl").write_text(Path("own.jsonl").read_text())
    result = run("own.jsonl", "other.jsonl")
    assert result.exit_code == 0, result.stderr
    rows = [line.split("|")[1:3] for line in result.stdout.splitlines() if line.startswith("|")]
    assert rows[0] == [" set ", " hit@1 "]
    assert rows[2:] == [[" own ", " 1.00 (6) "], [" other ", " 1.00 (6) "], [" all ", " 1.00 (12) "]]
    assert written("own")["name"] == "own"
    assert written("other")["name"] == "other"
    refused = run("own.jsonl", "other.jsonl", "--index", "indexes/mine")
    assert (refused.exit_code, "each with its own index" in refused.stderr) == (2, True)


def test_sample_asks_the_same_questions_every_time() -> None:
    kept = []
    for _ in range(2):
        assert run("own.jsonl", "--sample", "2").exit_code == 0
        kept.append([r["id"] for r in written()["results"]])
    assert kept[0] == kept[1]
    assert len(kept[0]) == 2
    assert written()["settings"]["sample"] == 2


def test_escape_sequences_of_a_set_do_not_reach_the_terminal() -> None:
    row = {"id": "x", "question": "red \x1b[31m?", "evidence": [{"document": "gone.md"}]}
    Path("own.jsonl").write_text(json.dumps(row))
    result = run("own.jsonl")
    assert "red [31m?" in result.stdout
    assert "\x1b" not in result.stdout


def test_labelled_sentences_are_judged_without_an_index() -> None:
    pairs = [
        ("The fee is USD 40.", "supported"),
        ("The fee, paid by Harlow, is USD 40.", "supported"),
        ("The fee is USD 41.", "contradicted"),
        ("The fee is due in May.", "unsupported"),
    ]
    evidence = "Rain fell.\n\nThe fee is USD 40. Harlow pays it."
    rows = [{"sentence": sentence, "evidence": evidence, "label": label} for sentence, label in pairs]
    Path("sentences.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    result = run("sentences.jsonl", "--what", "verify")
    assert result.exit_code == 0, result.stderr
    measures = {name: measure["value"] for name, measure in written("sentences")["measures"].items()}
    assert measures == {"supported, true": 0.5, "supported, false": 0.0, "balanced accuracy": 0.75}
    assert "41" in written("sentences")["results"][2]["answer"]
    assert OpenIndex.opened == 0
