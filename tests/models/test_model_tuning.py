"""`citewise models tune`: the search, what it keeps, and what a model then runs with."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from rag.cli import app
from rag.config import load_config
from rag.doctor import examine
from rag.errors import ModelError
from rag.models.generation import EngineSettings
from rag.models.llm import load_llm
from rag.models.registry import find_llm, sha256_file
from rag.models.tuning import (
    ModelTuning,
    Trial,
    Tuned,
    describe,
    find_tuned,
    keep,
    record_path,
    reset,
    tune_model,
)
from tests.fakes import FakeLLM

# ------------------------------------------------------------------ the search, over a made-up machine

SOURCE, Q8, F16 = "m-Q4_1.gguf", "m-Q8_0.gguf", "m-F16.gguf"
BASE = {SOURCE: (250.0, 50.0), Q8: (500.0, 65.0), F16: (1000.0, 25.0)}
Factors = Callable[[EngineSettings], tuple[float, float]]


class Machine:
    """Four cores. Tokens a second by file (prompt, answer); `factors` of the settings multiply them. Time
    passes as it is spent. Every file writes the same but those of `other`."""

    cores = 4

    def __init__(self, factors: Factors = lambda _: (1.0, 1.0), other: tuple[str, ...] = ()) -> None:
        self.now = 0.0
        self.factors, self.other = factors, other
        self.asked: list[Trial] = []

    def measure(self, file: Path, settings: EngineSettings, limit: float) -> tuple[Trial, list[int]]:
        read, write = BASE[file.name]
        more, faster = self.factors(settings)
        self.asked.append(trial := Trial(file, settings, read * more, write * faster))
        self.now += trial.seconds
        return trial, [1] * 85 + [0 if file.name in self.other else 1] * 15

    def search(self, *others: str, seconds: float = 600.0) -> ModelTuning:
        with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
            for name in (SOURCE, *others):
                Path(folder, name).write_bytes(b"GGUF")
            patch.setattr("rag.models.tuning.measured", self.measure)
            patch.setattr("rag.models.tuning.monotonic", lambda: self.now)
            patch.setattr("os.sched_getaffinity", lambda _: range(self.cores))
            return tune_model(Path(folder, SOURCE), Path(folder, "cache"), seconds=seconds)


def test_the_file_with_the_shortest_answer_is_chosen() -> None:
    tuned = Machine().search(Q8, F16).tuned
    assert (tuned.file.name, tuned.settings) == (Q8, EngineSettings())
    assert tuned.default_seconds == pytest.approx(180 / 250 + 12 / 50)
    assert tuned.tuned_seconds == pytest.approx(180 / 500 + 12 / 65)


def test_a_file_that_writes_otherwise_is_left_out_and_named() -> None:
    found = Machine(other=(Q8,)).search(Q8)
    assert found.tuned.file.name == SOURCE
    assert any("m-Q8_0.gguf" in note and "85%" in note for note in found.notes)


def test_reading_and_writing_get_the_threads_that_each_likes_best() -> None:
    def factors(how: EngineSettings) -> tuple[float, float]:
        return (how.threads_batch or 4), 1 / (abs((how.threads or 4) - 2) + 1)

    assert Machine(factors).search().tuned.settings == EngineSettings(threads=2, threads_batch=0)


def test_flash_attention_and_slices_are_kept_where_they_help() -> None:
    def factors(how: EngineSettings) -> tuple[float, float]:
        flash = 2.0 if how.flash_attention else 1.0
        return flash * (2.0 if how.slice_tokens == 64 else 1.0), flash

    chosen = Machine(factors).search().tuned.settings
    assert (chosen.flash_attention, chosen.slice_tokens, chosen.repack) == (True, 64, False)


def test_weights_are_repacked_where_that_is_faster() -> None:
    assert Machine(lambda how: (1.0 + how.repack, 1.0)).search().tuned.settings == EngineSettings(repack=True)


def test_no_slice_is_tried_that_other_answers_would_wait_long_for() -> None:
    slow = Machine(lambda _: (0.2, 1.0))
    slow.search()
    tried = {trial.settings.slice_tokens for trial in slow.asked} - {EngineSettings().slice_tokens}
    assert 32 < max(tried) <= 3.0 * 0.2 * BASE[SOURCE][0]


def test_a_gain_below_the_noise_is_not_taken() -> None:
    turn = iter(range(10**6))

    def factors(how: EngineSettings) -> tuple[float, float]:
        noisy = (0.7, 1.3, 0.9, 1.2, 1.0)[next(turn) % 5]
        return (noisy * 1.04, noisy * 1.04) if how.flash_attention else (noisy, noisy)

    tuned = Machine(factors).search().tuned
    assert (tuned.file.name, tuned.settings) == (SOURCE, EngineSettings())
    assert tuned.tuned_seconds == tuned.default_seconds
    assert tuned.noise > 0.05


def test_the_defaults_and_the_best_are_measured_in_turn_at_the_end() -> None:
    machine = Machine()
    machine.search(Q8)
    assert [trial.file.name for trial in machine.asked[-6:]] == [SOURCE, Q8] * 3


def test_what_crashes_is_left_out_and_named() -> None:
    def crashing(how: EngineSettings) -> tuple[float, float]:
        if how.flash_attention:
            raise ModelError("llama.cpp crashed with it (exit code -11)")
        return 1.0, 1.0

    found = Machine(crashing).search(Q8)
    assert found.tuned.file.name == Q8
    assert any("exit code -11" in note for note in found.notes)


@settings(deadline=None)
@given(seconds=st.floats(1, 2000), slow=st.floats(0.2, 60))
def test_the_time_given_is_about_kept_and_the_defaults_are_always_measured(
    seconds: float, slow: float
) -> None:
    machine = Machine(lambda _: (1 / slow, 1 / slow))
    first = machine.search(Q8, F16, seconds=seconds).measured[0]
    assert (first.file.name, first.settings) == (SOURCE, EngineSettings())
    assert machine.now <= seconds + 10 * slow * (180 / 250 + 12 / 25)


@settings(deadline=None)
@given(cores=st.integers(1, 256))
def test_threads_that_are_tried_begin_with_the_default_and_are_within_the_cores(cores: int) -> None:
    machine = Machine()
    machine.cores = cores
    first, *others = dict.fromkeys(trial.settings.threads for trial in machine.search().measured)
    assert first == 0
    assert all(1 <= n < cores for n in others)
    assert len(others) == min(3, len({1, cores // 2, cores - 1} - {0, cores}))


# ------------------------------------------------------------------ what is kept


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CITEWISE_CACHE_DIR", str(tmp_path / "cache"))
    path = tmp_path / "small-Q4_K_M.gguf"
    path.write_bytes(b"GGUF small")
    return path


def tuning(source: Path, **changes: Any) -> Tuned:
    """A choice of another file, which is there."""
    other = source.with_name(source.name.replace("Q4_K_M", "Q8_0"))
    other.write_bytes(b"GGUF " + source.read_bytes())
    how = EngineSettings(threads=1, flash_attention=True, slice_tokens=64)
    return replace(Tuned(other, how, 2.0, 1.5, 0.02, sha256_file(other)), **changes)


def test_a_record_comes_back_as_it_was_written(source: Path, tmp_path: Path) -> None:
    for found in (tuning(source), tuning(source, file=source, file_sha256=sha256_file(source))):
        keep(source, found, tmp_path / "cache")
        assert find_tuned(source, tmp_path / "cache") == found
        assert found.summary in describe(source, tmp_path / "cache")


def test_a_record_of_a_moved_model_still_applies(source: Path, tmp_path: Path) -> None:
    keep(source, tuning(source, file=source, file_sha256=sha256_file(source)), tmp_path / "cache")
    moved = source.rename(tmp_path / "moved.gguf")
    found = find_tuned(moved, tmp_path / "cache")
    assert found is not None
    assert found.file == moved


def test_a_record_of_another_machine_or_model_does_not_apply(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(source, tuning(source), tmp_path / "cache")
    with monkeypatch.context() as patch:
        patch.setattr("os.sched_getaffinity", lambda _: range(99))
        assert find_tuned(source, tmp_path / "cache") is None
    source.write_bytes(b"GGUF another model")
    os.utime(source, ns=(1, 1))
    assert find_tuned(source, tmp_path / "cache") is None


@pytest.mark.parametrize("harm", ["changed", "gone"])
def test_a_chosen_file_that_is_not_the_measured_one_is_not_run(
    source: Path, tmp_path: Path, harm: str
) -> None:
    found = tuning(source)
    keep(source, found, tmp_path / "cache")
    if harm == "gone":
        found.file.unlink()
    else:
        found.file.write_bytes(b"GGUF evil")
        os.utime(found.file, ns=(1, 1))
    assert find_tuned(source, tmp_path / "cache") is None
    assert "run citewise models tune again" in describe(source, tmp_path / "cache")


BEFORE = {
    "record": 1,
    "source": "small",
    "format": "Q8_0",
    "file": "0-1-Q8_0.gguf",
    "settings": asdict(EngineSettings()),
    "default_seconds": 2.0,
    "tuned_seconds": 1.5,
}


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"record": 2}', '{"record": 9}', "null", "\x00\xff", json.dumps(BEFORE)]
)
def test_a_record_that_cannot_be_read_or_is_of_an_earlier_version_is_as_none(
    source: Path, tmp_path: Path, text: str
) -> None:
    path = record_path(source, tmp_path / "cache")
    path.parent.mkdir(parents=True)
    path.write_bytes(text.encode("latin-1"))
    assert find_tuned(source, tmp_path / "cache") is None
    assert describe(source, tmp_path / "cache") == ""


def test_reset_deletes_records_and_what_earlier_versions_made_of_this_model_alone(
    source: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other-Q4_K_M.gguf"
    other.write_bytes(b"GGUF other")
    for path in (source, other):
        keep(path, tuning(path), tmp_path / "cache")
    made = tmp_path / "cache" / "tuned" / f"{sha256_file(source)[:12]}-1-Q8_0.gguf"
    made.write_bytes(b"GGUF made")
    assert made in (gone := reset(source, tmp_path / "cache"))
    assert len(gone) == 2
    assert find_tuned(source, tmp_path / "cache") is None
    assert find_tuned(other, tmp_path / "cache") is not None


def test_what_was_found_is_handed_to_the_engine(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found, cache = tuning(source), load_config().cache_dir
    keep(source, found, cache)
    asked: list[Any] = []

    def opened(path: Path, **named: Any) -> FakeLLM:
        asked.append((path, named.get("settings")))
        return FakeLLM()

    monkeypatch.setattr("rag.models.llm.LlamaCpp", opened)
    load_llm(str(source), cache_dir=cache)
    load_llm(str(source), cache_dir=cache, tuned=False)
    keep(source, replace(found, file_sha256="0" * 64), cache)
    load_llm(str(source), cache_dir=cache)
    assert asked == [(found.file, found.settings), (source, None), (source, None)]


# ------------------------------------------------------------------ the command line


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, ["models", *arguments])


def test_it_prints_what_was_measured_and_the_seconds_saved_and_keeps_the_choice(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, Any] = {}
    trials = (Trial(source, EngineSettings(), 300.0, 70.0),)
    found = ModelTuning(tuning(source), trials, ("m-Q2_K: not used",))

    def stub(path: Path, cache: Path, **named: Any) -> ModelTuning:
        asked.update(named, path=path)
        return found

    monkeypatch.setattr("rag.models.tuning.tune_model", stub)
    assert "Nothing was kept" in run("tune", str(source), "--dry-run").stdout
    assert find_tuned(source, load_config().cache_dir) is None
    printed = run("tune", str(source), "--minutes", "7").stdout
    assert (asked["path"], asked["seconds"]) == (source, 420.0)
    assert "Saved: 0.50 s an answer (1.33 times as fast, ±2%)" in printed
    assert "m-Q2_K: not used" in printed
    assert "300" in printed
    assert "--no-tuned" in printed
    assert find_tuned(source, load_config().cache_dir) == found.tuned
    value = json.loads(run("tune", str(source), "--json").stdout)
    assert value["tuned"]["settings"] == asdict(found.tuned.settings)


def test_where_nothing_is_faster_it_says_so(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = ModelTuning(tuning(source, tuned_seconds=2.0), (), ())
    monkeypatch.setattr("rag.models.tuning.tune_model", lambda *_, **__: found)
    assert "runs as it is" in run("tune", str(source)).stdout


def test_reset_needs_no_measuring_and_says_what_went(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag.models.tuning.tune_model", lambda *_, **__: pytest.fail("it measured"))
    keep(source, tuning(source), load_config().cache_dir)
    result = run("tune", str(source), "--reset")
    assert result.exit_code == 0
    assert "1 files deleted" in result.stdout
    assert list((load_config().cache_dir / "tuned").iterdir()) == []


@pytest.mark.parametrize("llm", ["none", "https://models.example.org/v1", "http://127.0.0.1:8080"])
def test_what_is_no_file_cannot_be_tuned(source: Path, llm: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CITEWISE_LLM", llm)
    result = run("tune")
    assert result.exit_code == 2
    assert "no file here" in result.output


def test_list_and_doctor_show_how_a_model_runs(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CITEWISE_LLM", str(source))
    found = tuning(source)
    keep(source, found, load_config().cache_dir)
    assert found.summary in run("list").stdout
    for used in (True, False):
        monkeypatch.setenv("CITEWISE_TUNED_MODELS", str(used))
        rows = {row["name"]: row for row in json.loads(run("list", "--json").stdout)}
        check = next(c for c in examine(load_config()) if c.name == "language model")
        for shown in (rows["llm"]["tuned"], check.value):
            assert found.summary in shown
            assert ("switched off" in shown) is not used


def test_the_setting_and_the_flag_reach_the_model(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """--no-tuned is the setting, and the setting is what the model is loaded with."""
    from rag import assistant as answer
    from rag.cli.shared import config

    assert [config(no_tuned=flag).tuned_models for flag in (True, False)] == [False, True]
    asked: list[Any] = []
    monkeypatch.setattr(answer, "open_index", lambda *_, **__: None)
    monkeypatch.setattr(answer, "load_llm", lambda *_, **named: asked.append(named["tuned"]))
    for flag in (None, False):
        answer.build_assistant(load_config(tuned_models=flag))
    assert asked == [True, False]


# ------------------------------------------------------------------ the real thing


@pytest.mark.models
def test_a_real_run_measures_files_and_settings_and_what_it_keeps_runs(tmp_path: Path) -> None:
    embedded, cache = find_llm("embedded", tmp_path), tmp_path / "cache"
    source, same = tmp_path / "small-Q4_1.gguf", tmp_path / "small-Q8_0.gguf"
    shutil.copy(embedded, source)
    shutil.copy(embedded, same)
    (tmp_path / "small-F16.gguf").write_bytes(b"GGUF and no more")
    found = tune_model(source, cache, seconds=20.0)
    assert {trial.file for trial in found.measured} == {source, same}
    assert any(note.startswith("small-F16.gguf: llama.cpp cannot load") for note in found.notes)
    assert all(trial.read > 0 and trial.write > 0 for trial in found.measured)
    keep(source, found.tuned, cache)
    llm = load_llm(str(source), cache_dir=cache)
    assert llm is not None
    assert llm.info.name == found.tuned.file.stem
    llm.close()


def test_a_file_that_is_no_model_is_an_error_and_leaves_nothing(source: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot load"):
        tune_model(source, tmp_path / "cache", seconds=1.0)
    assert not (tmp_path / "cache" / "tuned").exists()


def test_a_measurement_that_hangs_or_crashes_is_an_error(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rag.models.tuning._LEAST_LIMIT", 1.0)
    for code, said in (
        ("import time; time.sleep(60)", "given up after 1 s"),
        ("import os; os.abort()", "-6"),
    ):
        program = source.with_name("program")
        program.write_text(f"#!/bin/sh\nexec python3 -c '{code}'\n")
        program.chmod(0o755)
        monkeypatch.setattr("sys.executable", str(program))
        with pytest.raises(ModelError, match=said):
            tune_model(source, source.parent / "cache", seconds=1.0)


def test_settings_that_are_kept_are_those_of_the_engine() -> None:
    names = {"threads", "threads_batch", "flash_attention", "slice_tokens", "repack"}
    assert set(asdict(EngineSettings())) == names
