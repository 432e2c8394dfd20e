"""`scripts/tune.py`: what is fitted and kept, what is told, how it is undone."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fitting import RiskPoint, Tuning
from tune import app, risk_at
from typer.testing import CliRunner

from rag.errors import StorageError
from rag.index import Index, open_index
from rag.search.ranker import TUNED, load_ranker
from tests.fakes import FakeEmbedder
from tests.indexing import document, new_index, put

SUBJECTS = (
    "harbour quarry orchard foundry brewery tannery sawmill bakery dairy cannery pottery smithy".split()
)
TOPICS = {
    "rent": "rent is {n} euros a month",
    "notice": "notice period is {n} days",
    "keys": "holds {n} keys",
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of contracts about places, and questions with and without an answer in them."""
    folder = tmp_path_factory.mktemp("tune")
    rows: list[dict[str, Any]] = []
    with new_index(folder / "index") as index:
        for n, place in enumerate(SUBJECTS * 2):
            name = f"{place}-{n // len(SUBJECTS)}"
            said = [f"At the {place} the {words.format(n=n + 30)}." for words in TOPICS.values()]
            put(index.store, document(f"{name}.pdf", [*said, f"The {place} is painted."]), vectors=True)
            for topic, sentence in zip(TOPICS, said, strict=True):
                entry = [{"document": f"{name}.pdf", "quote": sentence}]
                rows.append(
                    {"id": f"{name}-{topic}", "question": f"What {topic} at the {place}?", "evidence": entry}
                )
    for n in range(10):
        far = " and back" * n  # questions that differ in a number alone are judged alike
        rows.append({"id": f"no-{n}", "question": f"Who sailed to the moon{far}?", "answerable": False})
    (folder / "questions.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return folder


@pytest.fixture(autouse=True)
def place(made: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in [n for n in os.environ if n.startswith("CITEWISE_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(made)

    def opened(settings: Any, **_: Any) -> Index:
        return open_index(settings.index, embedder=FakeEmbedder())

    monkeypatch.setattr("rag.cli.shared.open_configured_index", opened)
    yield
    Path("index", TUNED).unlink(missing_ok=True)


def run(*arguments: object) -> Any:
    return CliRunner().invoke(app, [*map(str, arguments)])


def test_order_and_threshold_are_fitted_written_used_and_told(made: Path) -> None:
    result = run("questions.jsonl", "--index", "index")
    assert result.exit_code == 0, result.output
    own = load_ranker(Path("index", TUNED))
    assert own.threshold is not None
    with open_index("index", embedder=FakeEmbedder()) as index:
        assert index.ranker().threshold == own.threshold
    for words in (
        "hit@1",
        "hit@10",
        "Threshold 0.",
        "Refused, answerable:",
        "Refused, unanswerable:",
        "    100%",
    ):
        assert words in result.stdout
    assert f"written to {Path('index', TUNED)}" in result.stdout
    assert "scripts/tune.py --reset --index index" in result.stdout


def test_dry_run_tells_the_same_and_writes_nothing(made: Path) -> None:
    result = run("questions.jsonl", "--index", "index", "--dry-run")
    assert result.exit_code == 0 and "hit@1" in result.stdout and "Nothing was written" in result.stdout
    assert not Path("index", TUNED).exists()


def test_json_holds_the_numbers_and_where_they_went(made: Path) -> None:
    told = json.loads(run("questions.jsonl", "--index", "index", "--json").stdout)
    assert told["written"] == str(Path("index", TUNED)) and told["kept"] in (True, False)
    assert set(told["before"]) == set(told["after"]) == {"hit@1", "hit@3", "hit@5", "hit@10"}
    assert [row["coverage"] for row in told["risk_coverage"]] == [1.0, 0.9, 0.8, 0.7, 0.6, 0.5]
    assert (
        json.loads(run("questions.jsonl", "--index", "index", "--json", "--dry-run").stdout)["written"]
        is None
    )


def test_more_is_refused_where_more_is_asked_to_be(made: Path) -> None:
    low, high = (
        json.loads(run("questions.jsonl", "-i", "index", "--refuse", r, "--json", "--dry-run").stdout)[
            "threshold"
        ]
        for r in ("0.2", "0.9")
    )
    assert low < high


def test_reset_takes_the_tuning_away_and_says_where_there_was_none(made: Path) -> None:
    Path("index", TUNED).write_text("broken")
    result = run("--reset", "--index", "index")
    assert result.exit_code == 0 and "Removed" in result.stdout and not Path("index", TUNED).exists()
    assert "was not tuned" in run("--reset", "--index", "index").stdout
    assert json.loads(run("--reset", "--index", "index", "--json").stdout)["removed"] is None


def test_order_that_is_worse_on_the_other_half_is_not_written(
    made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    worse = Tuning(load_ranker(), False, 9, 9, {"hit@1": 0.5}, {"hit@1": 0.4})
    monkeypatch.setattr("fitting.tune", lambda *_, **__: worse)
    result = run("questions.jsonl", "--index", "index")
    assert result.exit_code == 0 and "the one before stays" in result.stdout
    assert "Nothing was written." in result.stdout and not Path("index", TUNED).exists()


def test_threshold_is_written_with_the_order_that_was_there_where_the_new_one_is_worse(
    made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    worse = Tuning(load_ranker(), False, 9, 9, {"hit@1": 0.5}, {"hit@1": 0.4}, 0.625, 0.1, None)
    monkeypatch.setattr("fitting.tune", lambda *_, **__: worse)
    result = run("questions.jsonl", "--index", "index")
    assert (
        "Threshold written to" in result.stdout and "no such question in the held-out half" in result.stdout
    )
    assert load_ranker(Path("index", TUNED)).threshold == 0.625
    assert (load_ranker(Path("index", TUNED)).weights == load_ranker().weights).all()


def test_without_unanswerable_questions_no_threshold_is_set(made: Path) -> None:
    kept = [r for r in Path("questions.jsonl").read_text().split("\n") if '"answerable": false' not in r]
    Path("answerable.jsonl").write_text("\n".join(kept))
    result = run("answerable.jsonl", "--index", "index", "--dry-run")
    assert "No threshold: none of the questions" in result.stdout and "Refused" not in result.stdout
    assert "    100%" in result.stdout, "the risk is told all the same"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Give a SET"),
        (["nowhere"], "nowhere is not a set"),
        (["questions.jsonl", "--refuse", "1"], "share of questions"),
        (["few.jsonl", "-i", "index"], "questions with evidence to fit to"),
        (["bad.jsonl", "-i", "index"], "bad.jsonl, line 1"),
        (["--reset", "--dry-run"], "leave one out"),
    ],
)
def test_argument_that_cannot_be_used_ends_with_two_and_says_why(
    made: Path, arguments: list[str], message: str
) -> None:
    Path("few.jsonl").write_text(Path("questions.jsonl").read_text().split("\n")[0])
    Path("bad.jsonl").write_text('{"question": []}')
    result = run(*arguments)
    assert result.exit_code == 2 and message in result.stderr


def test_folder_that_cannot_be_written_ends_with_seven(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise StorageError("No space left.")

    monkeypatch.setattr("fitting.write_atomically", full)
    assert run("questions.jsonl", "--index", "index").exit_code == 7


def test_set_of_documents_and_questions_is_ingested_first(
    made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[tuple[Path, Path]] = []
    monkeypatch.setattr(
        "rag.cli.index.ingest_set",
        lambda documents, settings, **_: read.append((documents, settings.index)),
    )
    monkeypatch.setattr("rag.cli.shared.open_configured_index", lambda *_, **__: pytest.fail("stop here"))
    Path("cases", "documents").mkdir(parents=True)
    Path("cases", "questions.jsonl").write_text('{"question": "Why?"}')
    with pytest.raises(pytest.fail.Exception):
        CliRunner().invoke(app, ["cases"], catch_exceptions=False)
    assert read == [(Path("cases/documents"), Path("indexes/eval-cases"))]


def test_risk_is_that_of_the_smallest_share_that_reaches_the_coverage() -> None:
    curve = (RiskPoint(0.9, 0.25, 0.0), RiskPoint(0.7, 0.75, 0.2), RiskPoint(0.1, 1.0, 0.5))
    tuning = Tuning(load_ranker(), True, 8, 8, {}, {}, curve=curve)
    assert risk_at(tuning) == [(1.0, 0.5), (0.9, 0.5), (0.8, 0.5), (0.7, 0.2), (0.6, 0.2), (0.5, 0.2)]
    assert risk_at(Tuning(load_ranker(), True, 8, 8, {}, {})) == []
