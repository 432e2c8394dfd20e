"""`citewise models tune` on the command line: what it prints, keeps, and takes back."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from rag import tuned, tuning_models
from rag.checksum import sha256_file
from rag.cli import app
from rag.config import load_config
from rag.errors import ModelError
from rag.fastest import Candidate, Outcome, Row
from rag.generation import EngineSettings
from rag.llm import load_llm
from rag.probes import Probes
from rag.tuned import Tuned, write_record
from rag.tuning_models import ModelTuning, Quality

RUNNER = CliRunner()


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CITEWISE_CACHE_DIR", str(tmp_path / "cache"))
    path = tmp_path / "small.gguf"
    path.write_bytes(b"GGUF small")
    return path


def tuning(source: Path, *, faster: bool = True, kept: bool = True) -> ModelTuning:
    cache = load_config().cache_dir
    made = tuned.folder(cache) / f"{sha256_file(source)[:12]}-1-Q8_0.gguf"
    made.parent.mkdir(parents=True, exist_ok=True)
    made.write_bytes(b"GGUF made")
    settings = EngineSettings(threads=1, slice_tokens=64)
    chosen = Candidate("Q8_0", settings)
    found = Tuned(
        source=source.name,
        sha256=sha256_file(source),
        processor=tuned.processor(),
        llama=tuned.llama_version(),
        format="Q8_0",
        file=made,
        file_sha256=sha256_file(made),
        settings=settings,
        default_seconds=2.0,
        tuned_seconds=1.5 if faster else 2.0,
        noise=0.02,
        agreement=0.95,
        made="2026-01-01T00:00:00+00:00",
    )
    rows = (Row("finals", chosen, 300.0, 70.0, 1.5, 0.04, 9), Row("slices", chosen, 310.0, 0.0, 0.0, 0.1, 3))
    outcome = Outcome(chosen, 2.0, found.tuned_seconds, 0.02, rows, ())
    return ModelTuning(found, outcome, (Quality("Q8_0", 0.0, 0.95),), ("Q4_0: worse than the source",), kept)


def run(*arguments: str) -> Any:
    return RUNNER.invoke(app, ["models", *arguments])


def test_it_prints_what_was_measured_and_the_seconds_saved(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, Any] = {}

    def stub(path: Path, cache: Path, **named: Any) -> ModelTuning:
        asked.update(named, path=path, cache=cache)
        return tuning(source, kept=named["keep"])

    monkeypatch.setattr(tuning_models, "tune_model", stub)
    printed = run("tune", str(source), "--minutes", "7").stdout
    assert (asked["path"], asked["seconds"], asked["keep"]) == (source, 420.0, True)
    assert "Saved: 0.50 s an answer (1.33 times as fast, ±2%)" in printed
    assert "Q4_0: worse than the source" in printed
    assert "300" in printed
    assert "--no-tuned" in printed
    assert "Nothing was kept" in run("tune", str(source), "--dry-run").stdout
    assert asked["keep"] is False
    value = json.loads(run("tune", str(source), "--json").stdout)
    assert value["tuned"]["format"] == "Q8_0"
    assert value["kept"] is True


def test_where_nothing_is_faster_it_says_so(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tuning_models, "tune_model", lambda *_, **__: tuning(source, faster=False))
    assert "runs as it is" in run("tune", str(source)).stdout


def test_reset_needs_no_measuring_and_says_what_went(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tuning_models, "tune_model", lambda *_, **__: pytest.fail("it measured"))
    write_record(tuning(source).tuned, load_config().cache_dir)
    result = run("tune", str(source), "--reset")
    assert result.exit_code == 0
    assert "2 files deleted" in result.stdout
    assert list(tuned.folder(load_config().cache_dir).iterdir()) == []


@pytest.mark.parametrize("llm", ["none", "https://models.example.org/v1", "http://127.0.0.1:8080"])
def test_what_is_no_file_cannot_be_tuned(source: Path, llm: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CITEWISE_LLM", llm)
    result = run("tune")
    assert result.exit_code == 2
    assert "no file here" in result.output


def test_list_shows_how_a_model_runs(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CITEWISE_LLM", str(source))
    found = tuning(source).tuned
    write_record(found, load_config().cache_dir)
    assert found.summary in run("list").stdout
    monkeypatch.setenv("CITEWISE_TUNED_MODELS", "false")
    assert "switched off" in run("list").stdout
    rows = {row["name"]: row for row in json.loads(run("list", "--json").stdout)}
    assert found.summary in rows["llm"]["tuned"]


def test_the_setting_and_the_flag_reach_the_model(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """--no-tuned is the setting, and the setting is what the model is loaded with."""
    from rag import answer
    from rag.cli.options import untuned

    assert (untuned(True), untuned(False)) == (False, None)
    asked: list[Any] = []
    monkeypatch.setattr(answer, "open_index", lambda *_, **__: None)
    monkeypatch.setattr(answer, "load_llm", lambda *_, **named: asked.append(named["tuned"]))
    for flag in (None, False):
        answer.build_assistant(load_config(tuned_models=flag))
    assert asked == [True, False]


def test_what_was_found_is_handed_to_the_engine(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = tuning(source).tuned
    cache = load_config().cache_dir
    write_record(found, cache)
    asked: list[Any] = []
    monkeypatch.setattr("rag.llama.LlamaCpp", lambda path, **named: asked.append((path, named)))
    load_llm(str(source), cache_dir=cache)
    load_llm(str(source), cache_dir=cache, tuned=False)
    write_record(replace(found, file_sha256="0" * 64), cache)
    load_llm(str(source), cache_dir=cache)
    (made, named), (plain, unnamed), (fallen_back, _) = asked
    assert (made, named["settings"], named["name"]) == (found.file, found.settings, found.name)
    assert plain == fallen_back == source
    assert not unnamed.get("name")


def test_a_probe_that_dies_costs_its_format_and_nothing_else(source: Path) -> None:
    from contextlib import ExitStack

    with ExitStack() as stack:
        probes = Probes(stack)
        probes.open("a", source)
        with pytest.raises(ModelError, match="cannot load"):
            probes.ask("a", {"do": "about"})
        probes._processes["a"].kill()
        probes._processes["a"].wait()
        with pytest.raises(ModelError, match="crashed"):
            probes.ask("a", {"do": "about"})
        with pytest.raises(ModelError, match="not running"):
            probes.ask("a", {"do": "about"})
